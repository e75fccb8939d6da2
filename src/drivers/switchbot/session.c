/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cipher.h"
#include "core/session.h"
#include "keys.h"
#include "message.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/text.h"

#define STEPS_MAX 2

enum phase { PHASE_IDLE, PHASE_START, PHASE_GATE, PHASE_ANSWER, PHASE_WATCH, PHASE_LOOK };

static const char *const phase_names[] = {
	[PHASE_IDLE] = "idle",
	[PHASE_START] = "waiting for the start value",
	[PHASE_GATE] = "waiting for the record",
	[PHASE_ANSWER] = "waiting for the answer",
	[PHASE_WATCH] = "waiting for the bolt",
	[PHASE_LOOK] = "looking where the bolt is",
};

struct plan {
	enum act act;
	uint8_t n;
	bool is_moving; /* with its last command; then the bolt is watched */
	enum switchbot_command steps[STEPS_MAX];
};

static const struct plan plans[] = {
	{ ACT_PAIR, 2, false, { SWITCHBOT_READ_BASIC, SWITCHBOT_READ_STATE } },
	{ ACT_READ_STATE, 1, false, { SWITCHBOT_READ_STATE } },
	{ ACT_READ_BATTERY, 1, false, { SWITCHBOT_READ_BASIC } },
	{ ACT_LOCK, 2, true, { SWITCHBOT_NOTIFY, SWITCHBOT_DO_LOCK } },
	{ ACT_UNLOCK, 2, true, { SWITCHBOT_NOTIFY, SWITCHBOT_DO_UNLOCK } },
	{ ACT_UNLATCH, 2, true, { SWITCHBOT_NOTIFY, SWITCHBOT_DO_UNLATCH } },
};

struct switchbot_session {
	struct session base;
	struct switchbot_keys keys;
	int percent; /* as told last; -1: never */

	bool is_up;
	struct switchbot_cipher cipher; /* of this link */

	enum phase phase;
	const struct plan *plan;
	size_t i_step;
	enum switchbot_command asked;
	enum job_sent sent;
	unsigned n_looks;
	struct switchbot_state state; /* as told last in this job */
};

static struct switchbot_session *self(struct session *session) {
	return container_of(session, struct switchbot_session, base);
}

/* ---- the end of a job ---- */

static void session_over(struct session *base, struct job_result *result) {
	struct switchbot_session *session = self(base);

	result->sent = session->sent;
	session->phase = PHASE_IDLE;
	session->plan = NULL;
}

static const struct {
	uint8_t result;
	enum fault_code fault;
	const char *text;
} refusals[] = {
	{ SWITCHBOT_FAILED, FAULT_ACTION_REJECTED, "failure" },
	{ SWITCHBOT_CANNOT, FAULT_ACTION_REJECTED, "error while executing" },
	{ SWITCHBOT_BUSY, FAULT_LOCK_BUSY, "busy" },
	{ SWITCHBOT_VERSION, FAULT_FIRMWARE_UPDATE_NEEDED, "protocol version incompatible" },
	{ SWITCHBOT_UNSUPPORTED, FAULT_NOT_SUPPORTED, "not supported" },
	{ SWITCHBOT_WANTS_KEY, FAULT_NOT_AUTHORIZED, "key id unknown" },
	{ SWITCHBOT_NO_KEY, FAULT_NOT_AUTHORIZED, "it has no key" },
	{ SWITCHBOT_WRONG_KEY, FAULT_NOT_AUTHORIZED, "wrong key" },
	{ SWITCHBOT_CIPHER, FAULT_NOT_AUTHORIZED, "encryption method unknown" },
	{ 0x0b, FAULT_NOT_AUTHORIZED, "key refused" },
};

static void refused(struct switchbot_session *session, uint8_t result) {
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (refusals[i].result == result) {
			session_fail(&session->base, refusals[i].fault,
				"the lock said: %s (0x%02x)", refusals[i].text, result);
			return;
		}
	}
	session_fail(&session->base, FAULT_PROTOCOL_ERROR,
		"the lock said 0x%02x, which nobody knows", result);
}

/* ---- sending ---- */

static void wait_in(struct switchbot_session *session, enum phase phase, unsigned ms) {
	session->phase = phase;
	session_arm(&session->base, ms);
}

static void send_command(
	struct switchbot_session *session, enum switchbot_command command, enum phase phase) {
	uint8_t plain[SWITCHBOT_COMMAND_MAX];
	uint8_t frame[SWITCHBOT_FRAME_MAX];
	const size_t n = switchbot_command(session->keys.model, command, plain);
	const ssize_t n_frame = switchbot_seal(&session->cipher, plain, n, frame);

	assert(n_frame > 0);
	session->asked = command;
	if (command >= SWITCHBOT_DO_LOCK) {
		session->sent = JOB_MAYBE_SENT;
	}
	session_frame(&session->base, true, SWITCHBOT_TO_LOCK, plain, n);
	wait_in(session, phase, SWITCHBOT_ANSWER_MS);
	session_write(&session->base, SWITCHBOT_TO_LOCK, frame, (size_t) n_frame);
}

static void next_step(struct switchbot_session *session) {
	const struct plan *plan = session->plan;
	const bool is_move = plan->is_moving && session->i_step + 1 == plan->n;

	if (is_move && session->phase != PHASE_GATE && !session_gate(&session->base)) {
		wait_in(session, PHASE_GATE, 0);
		return;
	}
	send_command(session, plan->steps[session->i_step++], PHASE_ANSWER);
}

static void ask_start(struct switchbot_session *session) {
	uint8_t frame[SWITCHBOT_FRAME_MAX];
	const size_t n = switchbot_start_request(session->keys.key_id, frame);

	wait_in(session, PHASE_START, SWITCHBOT_ANSWER_MS);
	session_write(&session->base, SWITCHBOT_TO_LOCK, frame, n);
}

/* ---- what the lock tells ---- */

static void tell_state(struct switchbot_session *session, const struct switchbot_state *state) {
	struct evidence evidence = { .how = EVIDENCE_ANSWERED };

	session->state = *state;
	switchbot_state_evidence(session->keys.model, state, &evidence);
	session_evidence(&session->base, &evidence);
}

static void tell_power(struct switchbot_session *session, int percent, bool is_weak) {
	struct evidence evidence = { .how = EVIDENCE_ANSWERED };

	session->percent = percent;
	switchbot_battery_evidence(percent, is_weak, &evidence);
	session_evidence(&session->base, &evidence);
}

static void tell_versions(struct switchbot_session *session, int firmware) {
	struct evidence evidence = { .has = FACT_VERSIONS, .how = EVIDENCE_ANSWERED };

	text_copy(evidence.versions.model, sizeof(evidence.versions.model),
		switchbot_model_row(session->keys.model)->name);
	if (firmware > 0) {
		snprintf(evidence.versions.firmware, sizeof(evidence.versions.firmware), "%d.%d",
			firmware / 10, firmware % 10);
	}
	session_evidence(&session->base, &evidence);
}

static void plan_done(struct switchbot_session *session) {
	AUTO_VALUE(secret_wipe) struct secret blob = { 0 };

	if (session->plan->act == ACT_PAIR) {
		switchbot_keys_encode(&session->keys, &blob);
		session_keys(&session->base, &blob);
	}
	session_done(&session->base);
}

static bool has_arrived(const struct switchbot_session *session) {
	const uint8_t status = session->state.status;

	return session->plan->act == ACT_LOCK
		       ? status == SWITCHBOT_LOCKED
		       : status == SWITCHBOT_UNLOCKED || status == SWITCHBOT_LATCH_ONLY;
}

/*
 * After the command was taken. A bolt at rest elsewhere has not begun to move yet, or will not: the
 * time decides.
 */
static void judge_bolt(struct switchbot_session *session) {
	if (!session->state.is_calibrated) {
		session_fail(&session->base, FAULT_NOT_CALIBRATED,
			"the lock does not know where its bolt is");
	} else if (has_arrived(session)) {
		plan_done(session);
	} else if (switchbot_is_stopped(session->state.status)) {
		session_fail(&session->base, FAULT_JAMMED, "the motor stopped on the way");
	} else if (session->n_looks >= SWITCHBOT_LOOKS_MAX) {
		session_fail(&session->base, FAULT_MOTOR_TIMEOUT, "the bolt %s after %u s",
			switchbot_is_resting(session->state.status) ? "rests elsewhere"
								    : "still moves",
			SWITCHBOT_LOOKS_MAX * SWITCHBOT_LOOK_MS / 1000);
	} else {
		wait_in(session, PHASE_WATCH, SWITCHBOT_LOOK_MS);
	}
}

static void take_state(struct switchbot_session *session, const uint8_t *plain, size_t n) {
	struct switchbot_state state;

	if (switchbot_info_parse(session->keys.model, plain, n, &state) < 0) {
		session_fail(&session->base, FAULT_PROTOCOL_ERROR, "a state of %zu octets", n);
		return;
	}
	tell_state(session, &state);
	if (session->phase == PHASE_LOOK) {
		judge_bolt(session);
	} else if (session->i_step < session->plan->n) {
		next_step(session);
	} else {
		plan_done(session);
	}
}

static void take_basic(
	struct switchbot_session *session, bool is_weak, const uint8_t *plain, size_t n) {
	int percent;
	int firmware;

	if (switchbot_basic_parse(plain, n, &percent, &firmware) < 0) {
		/* The values are nonsense: the key does not fit. */
		session_fail(&session->base, FAULT_NOT_AUTHORIZED,
			"its answer makes no sense with this key: key or key id is wrong");
		return;
	}
	tell_power(session, percent, is_weak);
	tell_versions(session, firmware);
	if (session->i_step < session->plan->n) {
		next_step(session);
	} else {
		plan_done(session);
	}
}

/* The lock has taken the command; the first octet is its state at that moment. */
static void take_move(
	struct switchbot_session *session, bool is_weak, const uint8_t *plain, size_t n) {
	const struct switchbot_model_row *row = switchbot_model_row(session->keys.model);

	if (is_weak) {
		tell_power(session, session->percent, true);
	}
	if (n > 0) {
		session->state.is_calibrated = (plain[0] & 0x80) != 0;
		session->state.status =
			row->is_info_b ? plain[0] >> 3 & 0x0f : plain[0] >> 4 & 0x07;
	} else {
		session->state = (struct switchbot_state){ .is_calibrated = true,
			.status = SWITCHBOT_LOCKING };
	}
	if (switchbot_is_stopped(session->state.status)) {
		/* Of the run before: this one is only beginning. */
		wait_in(session, PHASE_WATCH, SWITCHBOT_LOOK_MS);
		return;
	}
	judge_bolt(session);
}

static void take_answer(struct switchbot_session *session, const uint8_t *buf, size_t n) {
	uint8_t plain[SWITCHBOT_FRAME_MAX];
	const ssize_t n_plain = switchbot_open(&session->cipher, buf, n, plain);
	const bool is_weak = buf[0] == SWITCHBOT_DONE_WEAK;

	switchbot_cipher_next(&session->cipher);
	if (!switchbot_is_done(buf[0])) {
		refused(session, buf[0]);
		return;
	}
	if (n_plain < 0) {
		session_fail(&session->base, FAULT_PROTOCOL_ERROR, "an answer of %zu octets", n);
		return;
	}
	session_frame(&session->base, false, SWITCHBOT_FROM_LOCK, plain, (size_t) n_plain);
	switch (session->asked) {
	case SWITCHBOT_READ_BASIC:
		take_basic(session, is_weak, plain, (size_t) n_plain);
		break;
	case SWITCHBOT_READ_STATE:
		take_state(session, plain, (size_t) n_plain);
		break;
	case SWITCHBOT_NOTIFY:
		next_step(session);
		break;
	case SWITCHBOT_DO_LOCK:
	case SWITCHBOT_DO_UNLOCK:
	case SWITCHBOT_DO_UNLATCH:
		take_move(session, is_weak, plain, (size_t) n_plain);
		break;
	}
}

static void look(struct switchbot_session *session) {
	session->n_looks++;
	send_command(session, SWITCHBOT_READ_STATE, PHASE_LOOK);
}

/*
 * News come unasked. With GCM nobody knows with which start value they are made: then they only say
 * that there is something to be asked for.
 */
static void take_news(struct switchbot_session *session, const uint8_t *buf, size_t n) {
	uint8_t plain[SWITCHBOT_FRAME_MAX];
	struct switchbot_state state;
	ssize_t n_plain;

	if (session->cipher.mode == SWITCHBOT_MODE_GCM && session->phase == PHASE_WATCH &&
		session->n_looks < SWITCHBOT_LOOKS_MAX) {
		look(session);
	}
	if (session->cipher.mode != SWITCHBOT_MODE_CTR) {
		return;
	}
	n_plain = switchbot_open(&session->cipher, buf, n, plain);
	if (n_plain <= 0 ||
		switchbot_info_parse(session->keys.model, plain, (size_t) n_plain, &state) < 0) {
		session_trace(&session->base, "< dropped: news of %zu octets", n);
		return;
	}
	tell_state(session, &state);
	if (session->phase == PHASE_WATCH) {
		judge_bolt(session);
	}
}

static void take_start(struct switchbot_session *session, const uint8_t *buf, size_t n) {
	const int r = switchbot_start_take(&session->cipher, buf, n);

	if (r == -EACCES) {
		refused(session, buf[0]);
	} else if (r < 0) {
		session_fail(
			&session->base, FAULT_PROTOCOL_ERROR, "a start value of %zu octets", n);
	} else {
		session_trace(&session->base, "start value, %s",
			session->cipher.mode == SWITCHBOT_MODE_CTR ? "CTR" : "GCM");
		next_step(session);
	}
}

/* ---- the host's inputs ---- */

static struct session *session_free(struct session *session) {
	return session_discard(session, sizeof(struct switchbot_session));
}

static void forget_link(struct switchbot_session *session) {
	wipe(&session->cipher, sizeof(session->cipher));
	memcpy(session->cipher.key, session->keys.key, sizeof(session->cipher.key));
	session->cipher.key_id = session->keys.key_id;
}

static void session_up(struct session *base, unsigned mtu) {
	struct switchbot_session *session = self(base);

	session->is_up = true;
	forget_link(session);
	session_trace(&session->base, "up, MTU %u", mtu);
}

static const struct plan *find_plan(enum act act) {
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		if (plans[i].act == act) {
			return &plans[i];
		}
	}
	return NULL;
}

static int session_start(struct session *base, const struct job *job, struct fault *ret_fault) {
	struct switchbot_session *session = self(base);

	assert(session->phase == PHASE_IDLE);
	if (!session->is_up) {
		return fault_set(ret_fault, FAULT_LINK_LOST, "there is no link");
	}
	session->plan = find_plan(job->act);
	if (session->plan == NULL) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "%s", act_name(job->act));
	}
	if (job->act == ACT_PAIR) {
		if (switchbot_keys_parse(&job->key, &session->keys, ret_fault) < 0) {
			return -EINVAL;
		}
		session->keys.model = job->variant;
		forget_link(session);
	}
	session->i_step = 0;
	session->n_looks = 0;
	session->sent = JOB_NOT_SENT;
	if (session->cipher.mode == SWITCHBOT_MODE_NONE) {
		ask_start(session);
	} else {
		next_step(session);
	}
	return 0;
}

static void session_written(struct session *base, int error, enum radio_sent sent) {
	struct switchbot_session *session = self(base);

	if (error == 0 || session->phase == PHASE_IDLE) {
		return;
	}
	if (sent == RADIO_NOT_SENT && session->phase == PHASE_ANSWER) {
		session->sent = JOB_NOT_SENT;
	}
	session_fail(&session->base, driver_write_fault(error), "writing failed while %s: %s",
		phase_names[session->phase], strerror(-error));
}

static void session_bytes(
	struct session *base, const char *characteristic, const uint8_t *buf, size_t n) {
	struct switchbot_session *session = self(base);

	if (!session->is_up || n == 0 || strcmp(characteristic, SWITCHBOT_FROM_LOCK) != 0) {
		return;
	}
	if (buf[0] == SWITCHBOT_NEWS) {
		take_news(session, buf, n);
		return;
	}
	switch (session->phase) {
	case PHASE_START:
		take_start(session, buf, n);
		break;
	case PHASE_ANSWER:
	case PHASE_LOOK:
		take_answer(session, buf, n);
		break;
	case PHASE_IDLE:
	case PHASE_GATE:
	case PHASE_WATCH:
		session_trace(&session->base, "< ignored: %zu octets while %s", n,
			phase_names[session->phase]);
		break;
	}
}

static void session_timer(struct session *base) {
	struct switchbot_session *session = self(base);

	switch (session->phase) {
	case PHASE_WATCH:
		look(session);
		break;
	case PHASE_START:
		session_fail(&session->base, FAULT_LOCK_SILENT,
			"no answer to key id %02x; a wrong key id does that, too",
			session->keys.key_id);
		break;
	case PHASE_ANSWER:
	case PHASE_LOOK:
		session_fail(&session->base, FAULT_LOCK_SILENT, "no answer in %u s%s",
			SWITCHBOT_ANSWER_MS / 1000,
			session->i_step <= 1 && session->sent == JOB_NOT_SENT
				? "; a wrong key does that, too"
				: "");
		break;
	case PHASE_IDLE:
	case PHASE_GATE:
		break;
	}
}

static void session_gate_opened(struct session *base) {
	if (self(base)->phase == PHASE_GATE) {
		next_step(self(base));
	}
}

static void session_down(struct session *base) {
	struct switchbot_session *session = self(base);

	session->is_up = false;
	forget_link(session);
	if (session->phase != PHASE_IDLE) {
		session_fail(&session->base, FAULT_LINK_LOST, "the link ended while %s",
			phase_names[session->phase]);
	}
}

static const struct session_impl session_impl = {
	.free = session_free,
	.up = session_up,
	.start = session_start,
	.written = session_written,
	.bytes = session_bytes,
	.timer = session_timer,
	.gate_opened = session_gate_opened,
	.down = session_down,
	.over = session_over,
};

struct session *switchbot_session_new(
	const struct secret *keys, const struct session_host *host, void *host_data) {
	AUTO_VALUE(switchbot_keys_wipe) struct switchbot_keys decoded = { 0 };
	const int r = switchbot_keys_decode(keys, &decoded);

	if (r < 0 && r != -ENODATA) {
		return NULL;
	}
	struct switchbot_session *session =
		session_alloc(sizeof(*session), &session_impl, host, host_data);
	if (session == NULL) {
		return NULL;
	}
	session->keys = decoded;
	session->percent = -1;
	return &session->base;
}
