/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "machine.h"
#include "util/auto.h"
#include "util/text.h"

#define WEAK_PERCENT 20
#define TTLOCK_PRESENT_S 30

static const char *const phase_names[] = {
	[PHASE_IDLE] = "idle",
	[PHASE_GATE] = "waiting for the record",
	[PHASE_ANSWER] = "waiting for the answer",
	[PHASE_AGAIN] = "about to ask again",
	[PHASE_WATCH] = "waiting for the bolt",
	[PHASE_LOOK] = "looking where the bolt is",
	[PHASE_PRESENT] = "waiting for somebody at the lock",
};

static struct ttlock_session *self(struct session *session) {
	return container_of(session, struct ttlock_session, base);
}

/* ---- the end of a job ---- */

static void session_over(struct session *base, struct job_result *result) {
	struct ttlock_session *session = self(base);

	result->sent = session->sent;
	result->is_log_more = session->is_log_more;
	result->ref = session->ref;
	session->phase = PHASE_IDLE;
	session->n_steps = 0;
	session->n_frame = 0;
	wipe(&session->job, sizeof(session->job));
	wipe(&session->code, sizeof(session->code));
	wipe(&session->token, sizeof(session->token));
}

void ttlock_bad_answer(struct ttlock_session *session, size_t n) {
	const struct ttlock_step *step = session->steps[session->i_step];

	session_fail(&session->base, FAULT_PROTOCOL_ERROR, "an answer to 0x%02x of %zu octets",
		step->command, n);
}

/* ---- what the lock tells ---- */

void ttlock_tell_percent(struct ttlock_session *session, uint8_t percent) {
	struct evidence evidence = { .has = FACT_BATTERY, .how = EVIDENCE_ANSWERED };

	if (percent > 100 || percent == session->percent) {
		return;
	}
	session->percent = percent;
	evidence.battery = (struct battery_facts){
		.percent = percent,
		.level = percent <= TTLOCK_CRITICAL_PERCENT  ? BATTERY_CRITICAL
			 : percent <= TTLOCK_WARNING_PERCENT ? BATTERY_WARNING
							     : BATTERY_OK,
	};
	session_evidence(&session->base, &evidence);
}

void ttlock_tell_bolt(struct ttlock_session *session, enum lock_state state, bool is_jammed) {
	struct evidence evidence = { .has = FACT_BOLT, .how = EVIDENCE_ANSWERED };

	evidence.bolt.state = state;
	evidence.bolt.is_jammed = is_jammed;
	session_evidence(&session->base, &evidence);
}

void ttlock_keep_keys(struct ttlock_session *session) {
	AUTO_VALUE(secret_wipe) struct secret blob = { 0 };

	ttlock_keys_encode(&session->keys, &blob);
	session_keys(&session->base, &blob);
}

static enum lock_state to_state(uint8_t state) {
	return state == 0   ? LOCK_STATE_LOCKED
	       : state == 1 ? LOCK_STATE_UNLOCKED
			    : LOCK_STATE_UNKNOWN;
}

/* @is_asked: or by itself. */
static void take_state(struct ttlock_session *session, const struct ttlock_state *state) {
	ttlock_tell_percent(session, state->percent);
	if (!state->has_state) {
		return;
	}
	session->state = *state;
	if (!session->keys.is_stuck) {
		ttlock_tell_bolt(session, to_state(state->state), false);
	}
}

/* ---- sending ---- */

static void wait_in(struct ttlock_session *session, enum ttlock_phase phase, unsigned ms) {
	session->phase = phase;
	session_arm(&session->base, ms);
}

/* For a record: never a key, a code, a number of a person, or what is made of them. */
static void show_frame(struct ttlock_session *session, bool is_out, uint8_t command, bool is_secret,
	const uint8_t *plain, size_t n) {
	uint8_t shown[TTLOCK_PLAIN_MAX + 1] = { command };
	const size_t n_kept = is_out ? 0 : 2;

	if (!session_is_recorded(&session->base)) {
		return;
	}
	memcpy(shown + 1, plain, n);
	if (is_secret && n > n_kept) {
		memset(shown + 1 + n_kept, 0, n - n_kept);
	}
	session_frame(&session->base, is_out, is_out ? TTLOCK_TO_LOCK : TTLOCK_FROM_LOCK,
		is_out ? shown : shown + 1, is_out ? n + 1 : n);
	wipe(shown, sizeof(shown));
}

static void write_chunk(struct ttlock_session *session) {
	const size_t left = session->n_frame - session->n_gone;
	const size_t n = left < TTLOCK_CHUNK ? left : TTLOCK_CHUNK;
	const uint8_t *chunk = session->frame + session->n_gone;
	const struct ttlock_step *step =
		session->phase == PHASE_LOOK ? NULL : session->steps[session->i_step];

	session->n_gone += n;
	session->is_writing = true;
	/* The lock does nothing with a frame that has no end. */
	if (step != NULL && n == left && (step->flags & (STEP_MOVES | STEP_CHANGES)) != 0) {
		session->sent = JOB_MAYBE_SENT;
	}
	/* Until it has gone, which is not the lock's time. */
	session_arm(&session->base, TTLOCK_ANSWER_MS);
	session_write(&session->base, TTLOCK_TO_LOCK, chunk, n);
}

static void send(struct ttlock_session *session, const struct ttlock_step *step) {
	const uint8_t *key =
		(step->flags & STEP_FACTORY) != 0 ? ttlock_factory_key : session->keys.key;
	uint8_t plain[TTLOCK_PLAIN_MAX];
	const size_t n = step->fill != NULL ? step->fill(session, plain) : 0;

	session->n_frame =
		ttlock_frame(&session->keys.head, step->command, key, plain, n, session->frame);
	session->n_gone = 0;
	session->n_strays = 0;
	show_frame(session, true, step->command, (step->flags & STEP_SECRET) != 0, plain, n);
	wipe(plain, sizeof(plain));
	write_chunk(session);
}

static void send_step(struct ttlock_session *session) {
	session->phase = PHASE_ANSWER;
	send(session, session->steps[session->i_step]);
}

static void job_done(struct ttlock_session *session) {
	if (session->job.act == ACT_PAIR) {
		ttlock_keep_keys(session);
	}
	session_done(&session->base);
}

/* The step of i_step, or the end. */
static void go_on(struct ttlock_session *session) {
	if (session->i_step == session->n_steps) {
		job_done(session);
		return;
	}
	const struct ttlock_step *step = session->steps[session->i_step];
	if ((step->flags & STEP_MOVES) != 0 && session->phase != PHASE_GATE &&
		!session_gate(&session->base)) {
		wait_in(session, PHASE_GATE, 0);
		return;
	}
	send_step(session);
}

void ttlock_add_step(struct ttlock_session *session, const struct ttlock_step *step) {
	assert(session->n_steps < TTLOCK_STEPS_MAX);
	session->steps[session->n_steps++] = step;
}

bool ttlock_next_page(struct ttlock_session *session, uint16_t cursor) {
	if (++session->n_pages > TTLOCK_PAGES_MAX) {
		session_fail(&session->base, FAULT_PROTOCOL_ERROR, "a list without an end");
		return false;
	}
	session->cursor = cursor;
	session->is_again = true;
	return true;
}

void ttlock_wait_presented(struct ttlock_session *session, unsigned n, unsigned n_all) {
	session->is_presenting = true;
	session_presenting(&session->base, n, n_all);
}

/* ---- the administrator ---- */

static size_t fill_admin(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_admin(&session->keys, out);
}

static void take_admin(struct ttlock_session *session, const uint8_t *data, size_t n) {
	struct rd rd = rd_on(data, n);

	session->challenge = rd_u32be(&rd);
	if (rd_ok(&rd) < 0) {
		ttlock_bad_answer(session, n);
	}
}

static size_t fill_proof(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_proof(&session->keys, session->challenge, out);
}

static void take_proof(struct ttlock_session *session, const uint8_t *data, size_t n) {
	session->is_admin_in = true;
}

void ttlock_add_login(struct ttlock_session *session) {
	static const struct ttlock_step steps[] = {
		{ TTLOCK_ADMIN, STEP_SECRET, fill_admin, take_admin },
		{ TTLOCK_PROVE, STEP_SECRET, fill_proof, take_proof },
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps) && !session->is_admin_in; i++) {
		ttlock_add_step(session, &steps[i]);
	}
}

/* ---- the bolt ---- */

static bool has_arrived(const struct ttlock_session *session) {
	return session->state.has_state &&
	       session->state.state == (session->job.act == ACT_LOCK ? 0 : 1);
}

static void watch(struct ttlock_session *session) {
	wait_in(session, PHASE_WATCH, TTLOCK_LOOK_MS);
}

/*
 * Neither arrived nor refused: there are models whose state is always the same, and of those the
 * log says what they did.
 */
static void judge_bolt(struct ttlock_session *session) {
	if (has_arrived(session) && !session->keys.is_stuck) {
		session->i_step++;
		go_on(session);
	} else if (session->n_looks >= (session->keys.is_stuck ? 2 : TTLOCK_LOOKS_MAX)) {
		session->i_step++;
		ttlock_add_check(session);
		go_on(session);
	} else {
		watch(session);
	}
}

static void look(struct ttlock_session *session) {
	session->n_looks++;
	session->phase = PHASE_LOOK;
	send(session, &ttlock_step_state);
}

/* ---- answers ---- */

static void refused(struct ttlock_session *session, const struct ttlock_reply *reply) {
	const struct ttlock_step *step = session->steps[session->i_step];
	const struct ttlock_error_row *row = ttlock_error_row(reply->error);

	if (reply->command == TTLOCK_LOG && session->cursor > 0 && session->n_again == 0) {
		/* It does not know that place any more, which is no end (ttlock.md 7.11). */
		session->n_again++;
		session->cursor = 0;
		send_step(session);
		return;
	}
	if (session->phase == PHASE_PRESENT && reply->error == TTLOCK_ERROR_FAILED) {
		session_fail(&session->base, FAULT_NOT_PRESENTED,
			"the lock waits no longer, or did not take it (0x%02x)", reply->error);
		return;
	}
	if ((step->flags & STEP_OPTIONAL) != 0) {
		session_trace(&session->base, "< 0x%02x refused: %s", reply->command, row->text);
		session->i_step++;
		go_on(session);
		return;
	}
	if ((step->flags & STEP_MOVES) != 0 && reply->error == TTLOCK_ERROR_FAILED) {
		/* With good cells the motor met something (ttlock.md 11). */
		const bool is_weak = session->percent >= 0 && session->percent <= WEAK_PERCENT;

		if (!is_weak) {
			ttlock_tell_bolt(session, LOCK_STATE_UNKNOWN, true);
		}
		session_fail(&session->base, is_weak ? FAULT_VOLTAGE_TOO_LOW : FAULT_JAMMED,
			"the lock said: %s (0x13), with %d %% of its battery left", row->text,
			session->percent);
		return;
	}
	session_fail(&session->base, row->fault, "the lock said to 0x%02x: %s (0x%02x)",
		reply->command, row->text, reply->error);
}

static void ask_again(struct ttlock_session *session, const char *why) {
	const struct ttlock_step *step = session->steps[session->i_step];

	if ((step->flags & STEP_MOVES) != 0) {
		/* Whether it was done nobody knows: the bolt does. */
		session_trace(&session->base, "< %s; looking at the bolt", why);
		watch(session);
	} else if ((step->flags & STEP_CHANGES) != 0 || session->n_again >= TTLOCK_AGAIN_MAX) {
		session_fail(&session->base, FAULT_PROTOCOL_ERROR, "%s, %u times", why,
			session->n_again + 1);
	} else {
		session->n_again++;
		session_trace(&session->base, "< %s; once more", why);
		wait_in(session, PHASE_AGAIN, TTLOCK_AGAIN_MS);
	}
}

static unsigned present_s(const struct ttlock_session *session) {
	return session->job.learn_s != 0 ? session->job.learn_s : TTLOCK_PRESENT_S;
}

static void take_done(struct ttlock_session *session, const struct ttlock_reply *reply) {
	const struct ttlock_step *step = session->steps[session->i_step];

	session->n_again = 0;
	session->is_again = false;
	session->is_presenting = false;
	if ((step->flags & STEP_MOVES) != 0) {
		if (reply->n > 0) {
			ttlock_tell_percent(session, reply->data[0]);
		}
		session->n_looks = 0;
		watch(session);
		return;
	}
	if (step->take != NULL) {
		step->take(session, reply->data, reply->n);
	}
	if (session->phase == PHASE_IDLE) {
		return; /* that was its end */
	}
	if (session->is_presenting) {
		wait_in(session, PHASE_PRESENT, present_s(session) * 1000);
		return;
	}
	session->i_step += session->is_again ? 0 : 1;
	go_on(session);
}

static void take_answer(struct ttlock_session *session, const struct ttlock_reply *reply) {
	if (!reply->is_done && reply->error == TTLOCK_ERROR_CRC) {
		ask_again(session, "the message came to the lock with a wrong checksum");
	} else if (!reply->is_done) {
		refused(session, reply);
	} else {
		take_done(session, reply);
	}
}

static void take_look(struct ttlock_session *session, const struct ttlock_reply *reply) {
	struct ttlock_state state;

	if (reply->is_done &&
		ttlock_state_parse(reply->command, reply->data, reply->n, &state) == 0) {
		take_state(session, &state);
	}
	judge_bolt(session);
}

/* What comes without having been asked for. */
static void take_news(struct ttlock_session *session, const struct ttlock_reply *reply) {
	struct ttlock_state state;

	if (!reply->is_done ||
		ttlock_state_parse(reply->command, reply->data, reply->n, &state) < 0) {
		return;
	}
	take_state(session, &state);
	if (session->phase != PHASE_WATCH) {
		return;
	}
	if (state.has_state && has_arrived(session)) {
		judge_bolt(session);
	} else if (!state.has_state && !session->keys.is_stuck) {
		look(session);
	}
}

static bool is_expected(const struct ttlock_session *session, uint8_t command) {
	return ((session->phase == PHASE_ANSWER || session->phase == PHASE_PRESENT) &&
		       command == session->steps[session->i_step]->command) ||
	       (session->phase == PHASE_LOOK && command == TTLOCK_STATE);
}

static void take_plain(struct ttlock_session *session, const uint8_t *plain, size_t n) {
	struct ttlock_reply reply;
	const bool is_waiting = session->phase == PHASE_ANSWER || session->phase == PHASE_LOOK;

	if (ttlock_reply_parse(plain, n, &reply) < 0) {
		session_trace(&session->base, "< dropped: %zu octets", n);
		return;
	}
	const bool is_secret = session->phase != PHASE_ANSWER ||
			       (session->steps[session->i_step]->flags & STEP_SECRET) != 0;
	show_frame(session, false, 0, is_secret, plain, n);
	if (is_expected(session, reply.command)) {
		if (session->phase == PHASE_LOOK) {
			take_look(session, &reply);
		} else {
			take_answer(session, &reply);
		}
	} else if (reply.command == TTLOCK_STATE) {
		take_news(session, &reply);
	} else if (is_waiting && ++session->n_strays > TTLOCK_STRAYS_MAX) {
		session_fail(&session->base, FAULT_PROTOCOL_ERROR,
			"answers to 0x%02x and others, which "
			"nobody has asked",
			reply.command);
	}
}

static void take_frame(struct ttlock_session *session, const struct ttlock_received *frame) {
	const bool is_factory = session->phase == PHASE_ANSWER &&
				(session->steps[session->i_step]->flags & STEP_FACTORY) != 0;
	uint8_t plain[TTLOCK_PLAIN_MAX];

	if (frame->command != TTLOCK_ANSWER) {
		session_trace(&session->base, "< dropped: a frame of 0x%02x", frame->command);
		return;
	}
	if (!frame->is_crc_right) {
		if (session->phase == PHASE_ANSWER) {
			ask_again(session, "the answer came with a wrong checksum");
		} else if (session->phase == PHASE_LOOK) {
			judge_bolt(session);
		}
		return;
	}
	const ssize_t n = ttlock_open(is_factory ? ttlock_factory_key : session->keys.key,
		frame->cipher, frame->n_cipher, plain);
	if (n >= 0) {
		take_plain(session, plain, (size_t) n);
	} else if (session->phase == PHASE_ANSWER) {
		session_fail(&session->base, FAULT_NOT_AUTHORIZED,
			"its answer makes no sense with this key: it was reset or set up anew, or "
			"the key is wrong");
	}
	wipe(plain, sizeof(plain));
}

/* What came while a chunk was on its way waits until that has gone. */
static void read_inbox(struct ttlock_session *session) {
	struct ttlock_received frame;

	while (!session->is_writing && ttlock_inbox_take(&session->inbox, &frame)) {
		take_frame(session, &frame);
	}
}

/* ---- the host's inputs ---- */

static struct session *session_free(struct session *session) {
	return session_discard(session, sizeof(struct ttlock_session));
}

static void forget_link(struct ttlock_session *session) {
	wipe(&session->inbox, sizeof(session->inbox));
	wipe(session->frame, sizeof(session->frame));
	session->n_frame = 0;
	session->n_gone = 0;
	session->is_writing = false;
	session->is_admin_in = false;
	session->challenge = 0;
}

static void session_up(struct session *base, unsigned mtu) {
	struct ttlock_session *session = self(base);

	session->is_up = true;
	forget_link(session);
	session_trace(&session->base, "up, MTU %u", mtu);
}

static const struct {
	enum act act;
	int (*plan)(struct ttlock_session *session, struct fault *ret_fault);
} plans[] = {
	{ ACT_PAIR, ttlock_plan_pair },
	{ ACT_LOCK, ttlock_plan_move },
	{ ACT_UNLOCK, ttlock_plan_move },
	{ ACT_READ_STATE, ttlock_plan_look },
	{ ACT_READ_BATTERY, ttlock_plan_battery },
	{ ACT_READ_CONFIG, ttlock_plan_config },
	{ ACT_SET_TIME, ttlock_plan_time },
	{ ACT_READ_LOG, ttlock_plan_log },
	{ ACT_UNPAIR, ttlock_plan_reset },
	{ ACT_READ_USERS, ttlock_plan_users },
	{ ACT_PUT_CREDENTIAL, ttlock_plan_put },
	{ ACT_REMOVE_CREDENTIAL, ttlock_plan_remove },
	{ ACT_READ_SETTINGS, ttlock_plan_settings },
	{ ACT_PUT_SETTING, ttlock_plan_setting },
};

static int make_plan(struct ttlock_session *session, struct fault *ret_fault) {
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		if (plans[i].act == session->job.act) {
			return plans[i].plan(session, ret_fault);
		}
	}
	return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "%s", act_name(session->job.act));
}

static int session_start(struct session *base, const struct job *job, struct fault *ret_fault) {
	struct ttlock_session *session = self(base);

	assert(session->phase == PHASE_IDLE);
	if (!session->is_up) {
		return fault_set(ret_fault, FAULT_LINK_LOST, "there is no link");
	}
	if (session->is_writing) {
		return fault_set(ret_fault, FAULT_LINK_STUCK, "a write has not ended yet");
	}
	session->job = *job;
	session->n_steps = 0;
	session->i_step = 0;
	session->n_again = 0;
	session->n_pages = 0;
	session->n_looks = 0;
	session->n_entries = 0;
	session->cursor = 0;
	session->sent = JOB_NOT_SENT;
	session->is_found = false;
	session->is_log_more = false;
	session->ref = 0;
	session->state = (struct ttlock_state){ 0 };
	const int r = make_plan(session, ret_fault);
	if (r < 0) {
		wipe(&session->job, sizeof(session->job));
		return r;
	}
	go_on(session);
	return 0;
}

static void session_written(struct session *base, int error, enum radio_sent sent) {
	struct ttlock_session *session = self(base);

	if (!session->is_writing) {
		return;
	}
	session->is_writing = false;
	if (session->phase == PHASE_IDLE) {
		return;
	}
	if (error != 0) {
		if (sent == RADIO_NOT_SENT && session->phase == PHASE_ANSWER &&
			session->n_gone == session->n_frame) {
			session->sent = JOB_NOT_SENT;
		}
		session_fail(&session->base, driver_write_fault(error),
			"writing failed while %s: %s", phase_names[session->phase],
			strerror(-error));
		return;
	}
	if (session->n_gone < session->n_frame) {
		session_arm(&session->base, TTLOCK_CHUNK_MS);
		return;
	}
	session_arm(&session->base, TTLOCK_ANSWER_MS);
	read_inbox(session);
}

static void session_bytes(
	struct session *base, const char *characteristic, const uint8_t *buf, size_t n) {
	struct ttlock_session *session = self(base);

	if (!session->is_up || strcmp(characteristic, TTLOCK_FROM_LOCK) != 0) {
		return; /* the model is read for the sake of reading */
	}
	ttlock_inbox_put(&session->inbox, buf, n);
	read_inbox(session);
}

static void answer_missing(struct ttlock_session *session) {
	const bool is_first = session->i_step == 0 && session->sent == JOB_NOT_SENT;

	session_fail(&session->base, FAULT_LOCK_SILENT, "no answer to 0x%02x in %u s%s",
		session->phase == PHASE_LOOK ? TTLOCK_STATE
					     : session->steps[session->i_step]->command,
		TTLOCK_ANSWER_MS / 1000,
		is_first ? "; a lock that was reset, or another's, does that, too" : "");
}

static void session_timer(struct session *base) {
	struct ttlock_session *session = self(base);

	switch (session->phase) {
	case PHASE_ANSWER:
	case PHASE_LOOK:
		if (!session->is_writing && session->n_gone < session->n_frame) {
			write_chunk(session);
		} else {
			answer_missing(session);
		}
		break;
	case PHASE_AGAIN:
		send_step(session);
		break;
	case PHASE_WATCH:
		look(session);
		break;
	case PHASE_PRESENT:
		session_fail(base, FAULT_NOT_PRESENTED, "no %s was held to the lock within %u s",
			session->job.slot.type == CREDENTIAL_RFID ? "card" : "finger",
			present_s(session));
		break;
	case PHASE_IDLE:
	case PHASE_GATE:
		break;
	}
}

static void session_gate_opened(struct session *base) {
	if (self(base)->phase == PHASE_GATE) {
		go_on(self(base));
	}
}

/* A lock that goes back to the factory hangs up, and its answer may be lost with that. */
static bool is_reset_sent(const struct ttlock_session *session) {
	return session->phase == PHASE_ANSWER &&
	       session->steps[session->i_step]->command == TTLOCK_RESET &&
	       session->n_gone == session->n_frame;
}

static void session_down(struct session *base) {
	struct ttlock_session *session = self(base);
	const bool is_reset = is_reset_sent(session);

	session->is_up = false;
	forget_link(session);
	if (is_reset) {
		session_done(base);
	} else if (session->phase != PHASE_IDLE) {
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

struct session *ttlock_session_new(
	const struct secret *keys, const struct session_host *host, void *host_data) {
	AUTO_VALUE(ttlock_keys_wipe) struct ttlock_keys decoded = { 0 };
	const int r = ttlock_keys_decode(keys, &decoded);

	if (r < 0 && r != -ENODATA) {
		return NULL;
	}
	struct ttlock_session *session =
		session_alloc(sizeof(*session), &session_impl, host, host_data);
	if (session == NULL) {
		return NULL;
	}
	session->keys = decoded;
	session->percent = -1;
	return &session->base;
}
