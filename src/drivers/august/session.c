/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Link, handshake and frames: everything of a session that does not depend on what is asked.
 */

#include "machine.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/text.h"

#define GAPS_MAX 20 /* a lock, or somebody, that never stops talking must not keep us silent */
#define BAD_MAX 2

static const char *const phase_names[] = {
	[PHASE_IDLE] = "idle",
	[PHASE_GAP] = "letting the lock breathe",
	[PHASE_OFFER] = "offering the key",
	[PHASE_PROOF] = "proving the key",
	[PHASE_GATE] = "waiting for the record",
	[PHASE_ANSWER] = "waiting for the answer",
	[PHASE_RUN] = "waiting for the bolt",
	[PHASE_LOOK] = "looking where the bolt is",
	[PHASE_BUSY] = "waiting until the lock is not busy",
};

static struct august_session *self(struct session *session) {
	return container_of(session, struct august_session, base);
}

/* ---- the end of a job ---- */

static void session_over(struct session *base, struct job_result *result) {
	struct august_session *session = self(base);

	result->sent = session->sent;
	result->is_log_more = session->is_log_more;
	result->ref = session->ref;
	session->phase = PHASE_IDLE;
	session->has_job = false;
	wipe(&session->job, sizeof(session->job));
}

void august_tell_keys(struct august_session *session) {
	AUTO_VALUE(secret_wipe) struct secret blob = { 0 };

	august_keys_encode(&session->keys, &blob);
	session_keys(&session->base, &blob);
}

void august_tell_versions(struct august_session *session) {
	struct evidence evidence = { .has = FACT_VERSIONS, .how = EVIDENCE_ANSWERED };
	struct version_facts *versions = &evidence.versions;

	august_model_name(session->keys.model, versions->model, sizeof(versions->model));
	text_copy(versions->firmware, sizeof(versions->firmware), session->firmware);
	text_copy(versions->serial, sizeof(versions->serial), session->serial);
	session_evidence(&session->base, &evidence);
}

void august_done(struct august_session *session) {
	if (session->job.act == ACT_PAIR) {
		session->is_paired = true;
		august_tell_keys(session);
	}
	session_done(&session->base);
}

/* ---- sending ---- */

void august_wait_in(struct august_session *session, enum august_phase phase, unsigned ms) {
	session->phase = phase;
	session_arm(&session->base, ms);
}

static void write_frame(struct august_session *session, const char *characteristic,
	const uint8_t frame[static AUGUST_FRAME_LEN]) {
	session->has_heard = false;
	session->is_writing = true;
	session_write(&session->base, characteristic, frame, AUGUST_FRAME_LEN);
}

static void send_offer(struct august_session *session) {
	uint8_t frame[AUGUST_FRAME_LEN];

	crypto_random(session->random, sizeof(session->random));
	august_sec_make(AUGUST_SEC_OFFER, session->random, session->keys.slot, frame);
	august_sec_seal(session->keys.key, frame, frame);
	august_wait_in(session, PHASE_OFFER, AUGUST_ANSWER_MS);
	write_frame(session, AUGUST_SEC_TO_LOCK, frame);
}

static void send_proof(struct august_session *session) {
	uint8_t frame[AUGUST_FRAME_LEN];

	august_sec_make(
		AUGUST_SEC_PROOF, session->random + AUGUST_NONCE_LEN, session->keys.slot, frame);
	august_sec_seal(session->session_key, frame, frame);
	august_wait_in(session, PHASE_PROOF, AUGUST_ANSWER_MS);
	write_frame(session, AUGUST_SEC_TO_LOCK, frame);
}

static bool is_of_codes(uint8_t op) {
	return op >= AUGUST_OP_CODE_SET && op <= AUGUST_OP_CODE_QUERY &&
	       op != AUGUST_OP_NEXT_RECORD;
}

/* Of a code nothing but that there was one. */
static void show_frame(
	struct august_session *session, bool is_out, const uint8_t frame[static AUGUST_FRAME_LEN]) {
	uint8_t shown[AUGUST_FRAME_LEN];

	if (!session_is_recorded(&session->base)) {
		return;
	}
	memcpy(shown, frame, sizeof(shown));
	if (is_of_codes(shown[1])) {
		memset(shown + 3, 0, 12);
	}
	session_frame(&session->base, is_out, is_out ? AUGUST_MCU_TO_LOCK : AUGUST_MCU_FROM_LOCK,
		shown, sizeof(shown));
}

static void send_ask(struct august_session *session, enum august_ask ask, enum august_phase phase) {
	uint8_t frame[AUGUST_FRAME_LEN];

	august_make_ask(session, ask, frame);
	show_frame(session, true, frame);
	august_chain_seal(&session->chain, frame, frame);
	if (ask == ASK_MOVE || ask == ASK_COMMIT_CODE || ask == ASK_WRITE_RELOCK) {
		session->sent = JOB_MAYBE_SENT;
	}
	august_wait_in(session, phase, AUGUST_ANSWER_MS);
	write_frame(session, AUGUST_MCU_TO_LOCK, frame);
	wipe(frame, sizeof(frame));
}

static void send_now(struct august_session *session) {
	switch (session->todo) {
	case TODO_OFFER:
		send_offer(session);
		break;
	case TODO_PROOF:
		send_proof(session);
		break;
	case TODO_ASK:
		if (session->asked == ASK_MOVE && !session->is_gated) {
			session->phase = PHASE_GATE;
			session_arm(&session->base, 0);
			if (!session_gate(&session->base)) {
				break;
			}
			session->is_gated = true;
		}
		send_ask(session, session->asked, PHASE_ANSWER);
		break;
	case TODO_LOOK:
		send_ask(session, ASK_BOLT, PHASE_LOOK);
		break;
	}
}

void august_send_later(struct august_session *session, enum august_todo todo) {
	session->todo = todo;
	session->n_gaps = 0;
	if (session->has_heard || session->is_writing) {
		august_wait_in(session, PHASE_GAP, AUGUST_GAP_MS);
	} else {
		send_now(session);
	}
}

/* Something came during the silence: it begins anew, for a while. */
static void gap_again(struct august_session *session) {
	if (session->phase == PHASE_GAP && session->n_gaps < GAPS_MAX) {
		session->n_gaps++;
		session_arm(&session->base, AUGUST_GAP_MS);
	}
}

/* ---- the handshake (6) ---- */

static void key_refused(struct august_session *session, const char *how) {
	const bool is_pairing = session->job.act == ACT_PAIR;

	session_fail(&session->base, FAULT_NOT_AUTHORIZED, "%s: %s", how,
		is_pairing ? "key or slot is wrong"
			   : "the key has worked before; the maker's app may have made a new one");
}

/* What a lock says instead of an answer; false: nothing that is known. */
static bool take_refusal(struct august_session *session, uint8_t opcode) {
	switch (opcode) {
	case AUGUST_SEC_NO_KEY:
		key_refused(session, "the lock has no key in that slot");
		return true;
	case AUGUST_SEC_BAD_KEY:
	case AUGUST_SEC_WRONG_SLOT:
		key_refused(session, "the lock refuses the key");
		return true;
	case AUGUST_SEC_BLOCKED:
	case AUGUST_SEC_NOT_ALLOWED:
		session_fail(&session->base, FAULT_NOT_AUTHORIZED,
			"the lock has this key on its list of those that may not (0x%02x)", opcode);
		return true;
	}
	return false;
}

/* A refusal may come before there is a key that both know: then it is in clear. */
static bool open_sec(const uint8_t key[static AUGUST_KEY_LEN],
	const uint8_t wire[static AUGUST_FRAME_LEN], uint8_t out[static AUGUST_FRAME_LEN]) {
	august_sec_open(key, wire, out);
	if (august_sec_is_good(out)) {
		return true;
	}
	memcpy(out, wire, AUGUST_FRAME_LEN);
	return august_sec_is_good(out) && out[0] >= 0x80;
}

static void take_sec(struct august_session *session, const uint8_t wire[static AUGUST_FRAME_LEN]) {
	const bool is_offer = session->phase == PHASE_OFFER;
	const uint8_t *key = is_offer ? session->keys.key : session->session_key;
	uint8_t frame[AUGUST_FRAME_LEN];

	if (!open_sec(key, wire, frame)) {
		session->is_broken = true;
		key_refused(session, "the lock's answer makes no sense with this key");
	} else if (take_refusal(session, frame[0])) {
		session->is_broken = true;
	} else if (is_offer && frame[0] == AUGUST_SEC_NONCE) {
		session->n_refusals = 0;
		august_session_key(session->random, frame + 4, session->session_key);
		august_send_later(session, TODO_PROOF);
	} else if (!is_offer && frame[0] == AUGUST_SEC_READY) {
		august_chain_start(&session->chain, session->session_key);
		session->is_open = true;
		session_trace(&session->base, "session open");
		august_next(session);
	} else {
		session->is_broken = true;
		session_fail(&session->base, FAULT_PROTOCOL_ERROR, "the lock said 0x%02x while %s",
			frame[0], phase_names[session->phase]);
	}
	wipe(frame, sizeof(frame));
}

/* ---- what comes in ---- */

static bool is_waiting(const struct august_session *session) {
	return session->phase == PHASE_ANSWER || session->phase == PHASE_LOOK ||
	       session->phase == PHASE_OFFER || session->phase == PHASE_PROOF;
}

static void take_bad(struct august_session *session) {
	session_trace(&session->base, "< dropped: a frame whose sum is wrong");
	if (++session->n_bad < BAD_MAX) {
		return; /* one lost frame spoils just the next one */
	}
	session->is_broken = true;
	if (session->has_job) {
		session_fail(&session->base, FAULT_PROTOCOL_ERROR,
			"%u frames in a row whose sum is wrong", session->n_bad);
	}
}

static void take_mcu(struct august_session *session, const uint8_t wire[static AUGUST_FRAME_LEN]) {
	uint8_t frame[AUGUST_FRAME_LEN];
	struct august_said said;

	if (!session->is_open || session->is_broken) {
		session_trace(&session->base, "< ignored: a frame without a session");
		return;
	}
	august_chain_open(&session->chain, wire, frame);
	if (!august_mcu_is_good(frame)) {
		take_bad(session);
		return;
	}
	session->n_bad = 0;
	show_frame(session, false, frame);
	if (august_parse(frame, &said)) {
		august_take(session, &said, frame);
	} else {
		session_trace(&session->base, "< ignored: a frame of kind 0x%02x", frame[0]);
	}
	wipe(frame, sizeof(frame));
}

/* A text of the device information service. */
static void take_text(
	struct august_session *session, const char *characteristic, const uint8_t *buf, size_t n) {
	char text[VERSION_TEXT_MAX] = "";
	const size_t n_most = n < sizeof(text) - 1 ? n : sizeof(text) - 1;

	memcpy(text, buf, n_most); /* may end in zeros */
	text_sanitize(text);
	if (text[0] == '\0') {
		return;
	}
	if (strcmp(characteristic, AUGUST_SERIAL_NUMBER) == 0) {
		text_copy(session->serial, sizeof(session->serial), text);
	} else if (strcmp(characteristic, AUGUST_FIRMWARE) == 0) {
		text_copy(session->firmware, sizeof(session->firmware), text);
	} else if (strcmp(session->keys.model, text) != 0) {
		text_copy(session->keys.model, sizeof(session->keys.model), text);
		if (session->is_paired) {
			august_tell_keys(session);
		}
	}
	august_tell_versions(session);
}

static bool is_text(const char *characteristic) {
	return strcmp(characteristic, AUGUST_MODEL_NUMBER) == 0 ||
	       strcmp(characteristic, AUGUST_SERIAL_NUMBER) == 0 ||
	       strcmp(characteristic, AUGUST_FIRMWARE) == 0;
}

static void session_bytes(
	struct session *base, const char *characteristic, const uint8_t *buf, size_t n) {
	struct august_session *session = self(base);

	if (!session->is_up || n == 0) {
		return;
	}
	if (is_text(characteristic)) {
		take_text(session, characteristic, buf, n);
		return;
	}
	session->has_heard = true;
	gap_again(session);
	if (n != AUGUST_FRAME_LEN) {
		/* Never to the cipher: the chain would be lost. */
		session_trace(&session->base, "< dropped: %zu octets, no frame", n);
		if (is_waiting(session)) {
			session_fail(
				&session->base, FAULT_PROTOCOL_ERROR, "a frame of %zu octets", n);
		}
	} else if (strcmp(characteristic, AUGUST_MCU_FROM_LOCK) == 0) {
		take_mcu(session, buf);
	} else if (strcmp(characteristic, AUGUST_SEC_FROM_LOCK) == 0 &&
		   (session->phase == PHASE_OFFER || session->phase == PHASE_PROOF)) {
		take_sec(session, buf);
	} else {
		session_trace(&session->base, "< ignored: %zu octets while %s", n,
			phase_names[session->phase]);
	}
}

/* ---- the host's other inputs ---- */

static struct session *session_free(struct session *session) {
	return session_discard(session, sizeof(struct august_session));
}

static void forget_link(struct august_session *session) {
	wipe(&session->chain, sizeof(session->chain));
	wipe(session->session_key, sizeof(session->session_key));
	wipe(session->random, sizeof(session->random));
	session->is_open = false;
	session->is_broken = false;
	session->has_heard = false;
	session->is_writing = false;
	session->n_bad = 0;
}

static void session_up(struct session *base, unsigned mtu) {
	struct august_session *session = self(base);

	session->is_up = true;
	forget_link(session);
	session_trace(&session->base, "up, MTU %u", mtu);
}

static int session_start(struct session *base, const struct job *job, struct fault *ret_fault) {
	struct august_session *session = self(base);

	assert(session->phase == PHASE_IDLE);
	if (!session->is_up) {
		return fault_set(ret_fault, FAULT_LINK_LOST, "there is no link");
	}
	if (session->is_broken) {
		return fault_set(
			ret_fault, FAULT_LINK_LOST, "the thread of this link is lost: a new one");
	}
	if (job->act == ACT_PAIR) {
		const int r = august_keys_parse(&job->key, &session->keys, ret_fault);
		if (r < 0) {
			return r;
		}
	}
	session->job = *job;
	session->i_plan = 0;
	session->n_plan = 0;
	session->sent = JOB_NOT_SENT;
	session->n_answers = 0;
	session->was_busy = false;
	session->is_gated = false;
	session->has_result = false;
	session->has_rest = false;
	session->n_looks = 0;
	session->has_relock = false;
	session->slot = job->act == ACT_PUT_CREDENTIAL ? AUGUST_CODE_FIRST : 0;
	session->n_empty = 0;
	session->n_records = 0;
	session->is_log_more = false;
	session->ref = 0;
	const int r = august_plan(session, ret_fault);
	if (r < 0) {
		wipe(&session->job, sizeof(session->job));
		return r;
	}
	session->has_job = true;
	if (session->is_open || session->n_plan == 0) {
		august_next(session);
	} else {
		august_send_later(session, TODO_OFFER);
	}
	return 0;
}

/*
 * How a lock refuses a key, and how BlueZ tells that a link died: ATT error 0x0e, to the first
 * message.
 */
static void offer_failed(struct august_session *session, int error) {
	const bool is_pairing = session->job.act == ACT_PAIR;
	const unsigned n_most = is_pairing ? AUGUST_REFUSALS_PAIRING : AUGUST_REFUSALS_MAX;
	char how[64];

	session->n_refusals += session->n_refusals < AUGUST_REFUSALS_MAX;
	if (session->n_refusals < n_most) {
		session_fail(&session->base, FAULT_LINK_LOST,
			"the first message failed: %s; a wrong key does that, too (%u of %u)",
			strerror(-error), session->n_refusals, n_most);
		return;
	}
	snprintf(how, sizeof(how), "refused %u times in a row", n_most);
	key_refused(session, how);
}

static void session_written(struct session *base, int error, enum radio_sent sent) {
	struct august_session *session = self(base);

	session->is_writing = false;
	if (error == 0) {
		return;
	}
	session->is_broken = true; /* whether it got the frame, nobody knows */
	if (!session->has_job) {
		return;
	}
	if (session->phase == PHASE_OFFER && (error == -ECONNRESET || error == -EPROTO)) {
		offer_failed(session, error);
		return;
	}
	if (sent == RADIO_NOT_SENT && session->phase == PHASE_ANSWER) {
		session->sent = JOB_NOT_SENT;
	}
	session_fail(&session->base, driver_write_fault(error), "writing failed while %s: %s",
		phase_names[session->phase], strerror(-error));
}

static void session_timer(struct session *base) {
	struct august_session *session = self(base);

	switch (session->phase) {
	case PHASE_GAP:
		if (session->is_writing) {
			session_arm(&session->base, AUGUST_GAP_MS);
		} else {
			session->has_heard = false; /* the gate may take its time, too */
			send_now(session);
		}
		break;
	case PHASE_OFFER:
	case PHASE_PROOF:
		session->is_broken = true;
		session_fail(&session->base, FAULT_LOCK_SILENT, "no answer in %u s while %s",
			AUGUST_ANSWER_MS / 1000, phase_names[session->phase]);
		break;
	case PHASE_ANSWER:
	case PHASE_LOOK:
		august_silent(session);
		break;
	case PHASE_RUN:
		august_run_timer(session);
		break;
	case PHASE_BUSY:
		august_send_later(session, TODO_ASK);
		break;
	case PHASE_IDLE:
	case PHASE_GATE:
		break;
	}
}

static void session_gate_opened(struct session *base) {
	struct august_session *session = self(base);

	if (session->phase == PHASE_GATE) {
		session->is_gated = true;
		august_send_later(session, TODO_ASK);
	}
}

static void session_down(struct session *base) {
	struct august_session *session = self(base);

	session->is_up = false;
	forget_link(session);
	if (session->has_job) {
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

struct session *august_session_new(
	const struct secret *keys, const struct session_host *host, void *host_data) {
	AUTO_VALUE(august_keys_wipe) struct august_keys decoded = { 0 };
	const int r = august_keys_decode(keys, &decoded);

	if (r < 0 && r != -ENODATA) {
		return NULL;
	}
	struct august_session *session =
		session_alloc(sizeof(*session), &session_impl, host, host_data);
	if (session == NULL) {
		return NULL;
	}
	session->keys = decoded;
	session->is_paired = r == 0;
	session->percent = -1;
	return &session->base;
}
