/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The session's skin: inputs from the host, frames to messages, messages to rows of the tables.
 */

#include "machine.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "advert.h"
#include "facts.h"
#include "util/auto.h"
#include "util/bytes.h"

static const char *const phase_names[PHASE_COUNT_] = {
	[PHASE_IDLE] = "idle",
	[PHASE_CHALLENGE] = "waiting for a challenge",
	[PHASE_GATE] = "waiting for the record",
	[PHASE_COMMAND] = "waiting for the answer",
	[PHASE_ACTING] = "waiting for the motor",
	[PHASE_LISTING] = "reading a list",
	[PHASE_TABLE] = "reading a table",
	[PHASE_BACK_OFF] = "waiting for a busy lock",
	[PHASE_READ_BACK] = "reading the state back",
	[PHASE_LOOK_AGAIN] = "waiting for the bolt to rest",
	[PHASE_PAIR_KEY] = "waiting for the lock's public key",
	[PHASE_PAIR_CHALLENGE] = "waiting for the first challenge",
	[PHASE_PAIR_INFO] = "waiting for the lock to accept our key",
	[PHASE_PAIR_ID] = "waiting for the authorisation",
	[PHASE_PAIR_STATUS] = "waiting for the confirmation",
};

const char *nuki_phase_name(enum nuki_phase phase) {
	return phase_names[phase];
}

static struct nuki_session *self(struct session *session) {
	return container_of(session, struct nuki_session, base);
}

/* ---- time ---- */

void nuki_wait(struct nuki_session *session, enum nuki_phase phase, unsigned ms) {
	session->phase = phase;
	session->wait_ms = ms;
	session->n_restarts = 0;
	session->n_fragments = 0;
	session->is_fragment_timer = false;
	session_arm(&session->base, ms);
}

void nuki_wait_again(struct nuki_session *session) {
	if (session->n_restarts < NUKI_RESTARTS_MAX) {
		session->n_restarts++;
		session->is_fragment_timer = false;
		session_arm(&session->base, session->wait_ms);
	}
}

static bool has_fragment(const struct nuki_session *session) {
	return nuki_inbox_is_partial(&session->usdio) || nuki_inbox_is_partial(&session->gdio) ||
	       nuki_inbox_is_partial(&session->pairing_gdio);
}

/* A part of a message came and the rest did not yet. */
static void wait_for_fragment(struct nuki_session *session) {
	if (session->n_fragments < NUKI_FRAGMENTS_MAX) {
		session->n_fragments++;
		session->is_fragment_timer = true;
		session_arm(&session->base, NUKI_FRAGMENT_MS);
	}
}

/* The message is whole, and nothing has armed the timer since: its phase goes on waiting. */
static void wait_after_fragment(struct nuki_session *session) {
	session->is_fragment_timer = false;
	if (session->n_restarts < NUKI_RESTARTS_MAX) {
		session->n_restarts++;
		session_arm(&session->base, session->wait_ms);
	}
}

static void clear_inboxes(struct nuki_session *session) {
	nuki_inbox_clear(&session->usdio);
	nuki_inbox_clear(&session->gdio);
	nuki_inbox_clear(&session->pairing_gdio);
}

/* ---- sending ---- */

static void write_out(struct nuki_session *session) {
	const size_t n = session->n_out;

	session->n_out = 0;
	session->is_writing = true;
	session->is_write_changing = session->is_out_changing;
	if (session->is_out_changing) {
		session->sent = JOB_MAYBE_SENT;
	}
	session_write(&session->base, session->out_characteristic, session->out, n);
}

void nuki_post(struct nuki_session *session, const char *characteristic, const uint8_t *frame,
	size_t n, bool is_changing) {
	assert(n <= sizeof(session->out));
	memcpy(session->out, frame, n);
	session->n_out = n;
	session->out_characteristic = characteristic;
	session->is_out_changing = is_changing;
	if (!session->is_writing) {
		write_out(session);
	}
}

/* For transcripts: the frame in clear, without what must not leave the house. */
static void tell_frame(struct nuki_session *session, bool is_out, const char *characteristic,
	const struct nuki_message *message) {
	AUTO_VALUE(nuki_message_wipe) struct nuki_message blank = *message;
	uint8_t plain[2 + NUKI_PAYLOAD_MAX];
	struct wr wr = wr_on(plain, 2);

	if (!session_is_recorded(&session->base)) {
		return;
	}
	nuki_message_blank(&blank);
	wr_u16le(&wr, blank.kind->command);
	ssize_t n =
		nuki_message_format(&blank, session->keys.generation, plain + 2, sizeof(plain) - 2);
	if (n >= 0) {
		session_frame(&session->base, is_out, characteristic, plain, (size_t) n + 2);
	}
}

void nuki_send_sealed(
	struct nuki_session *session, const struct nuki_message *message, bool is_changing) {
	uint8_t payload[NUKI_PAYLOAD_MAX];
	uint8_t frame[NUKI_FRAME_MAX];
	uint8_t nonce[CRYPTO_NONCE_LEN];
	char text[NUKI_TEXT_MAX];

	ssize_t n =
		nuki_message_format(message, session->keys.generation, payload, sizeof(payload));
	assert(n >= 0);
	session->random(nonce, sizeof(nonce));
	ssize_t n_frame = nuki_seal(session->keys.shared, nonce, session->keys.auth_id,
		message->kind->command, payload, (size_t) n, frame, sizeof(frame));
	assert(n_frame > 0);
	wipe(payload, sizeof(payload));
	session_trace(&session->base, "> %s", nuki_message_text(message, text));
	tell_frame(session, true, NUKI_USDIO, message);
	nuki_post(session, NUKI_USDIO, frame, (size_t) n_frame, is_changing);
}

/* ---- the end of a job ---- */

static void session_over(struct session *base, struct job_result *result) {
	struct nuki_session *session = self(base);

	result->sent = session->sent;
	result->is_log_more = session->is_log_more;
	result->ref = session->ref;
	nuki_log_flush(session);
	session->phase = PHASE_IDLE;
	session->plan = NULL;
	session->step = NULL;
	session->n_out = 0;
	session->wait_ms = 0;
	session->n_restarts = 0;
	session->n_fragments = 0;
	session->pin = 0;
	session->ref = 0;
	session->is_fragment_timer = false;
	wipe(&session->job, sizeof(session->job));
	wipe(session->challenge, sizeof(session->challenge));
	wipe(&session->original, sizeof(session->original));
	wipe(&session->pairing, sizeof(session->pairing));
}

void nuki_keys_changed(struct nuki_session *session) {
	AUTO_VALUE(secret_wipe) struct secret blob = { 0 };

	nuki_keys_encode(&session->keys, &blob);
	session_keys(&session->base, &blob);
}

/* ---- dispatch ---- */

static bool is_pairing(const struct nuki_session *session) {
	return session->phase >= PHASE_PAIR_KEY;
}

/* What a message means to the step under way. */
static enum nuki_event event_of(
	const struct nuki_session *session, const struct nuki_message *message) {
	const uint16_t command = message->kind->command;

	if (session->step != NULL && (session->step->flags & STEP_TABLE) != 0 &&
		(command == session->step->answer || command == session->step->wanted)) {
		return command == session->step->answer ? EVENT_ROW : EVENT_TOTAL;
	}
	if (session->phase == PHASE_COMMAND && session->step != NULL &&
		session->step->answer == command && command != NUKI_STATUS &&
		(session->step->flags & STEP_LIST) == 0) {
		return EVENT_ANSWER;
	}
	switch (command) {
	case NUKI_CHALLENGE:
		return EVENT_CHALLENGE;
	case NUKI_STATUS:
		return message->reply.status == NUKI_STATUS_COMPLETE   ? EVENT_COMPLETE
		       : message->reply.status == NUKI_STATUS_ACCEPTED ? EVENT_ACCEPTED
								       : EVENT_OTHER;
	case NUKI_ERROR_REPORT:
		return EVENT_ERROR;
	case NUKI_STATES:
		return EVENT_STATES;
	case NUKI_LOG_COUNT:
		return EVENT_COUNT;
	case NUKI_LOG_ENTRY:
		return EVENT_ENTRY;
	case NUKI_PUBLIC_KEY:
		return EVENT_PUBLIC_KEY;
	case NUKI_AUTH_INFO:
		return EVENT_AUTH_INFO;
	case NUKI_AUTH_ID:
		return EVENT_AUTH_ID;
	}
	return EVENT_OTHER;
}

static const struct nuki_row *find_row(
	const struct nuki_row *rows, size_t n, enum nuki_phase phase, enum nuki_event event) {
	for (size_t i = 0; i < n; i++) {
		if (rows[i].phase == phase && rows[i].event == event) {
			return &rows[i];
		}
	}
	return NULL;
}

static void dispatch(
	struct nuki_session *session, enum nuki_event event, const struct nuki_message *message) {
	size_t n;
	const struct nuki_row *rows =
		is_pairing(session) ? nuki_pairing_rows(&n) : nuki_step_rows(&n);
	const struct nuki_row *row = find_row(rows, n, session->phase, event);

	if (row != NULL) {
		session->phase = row->next;
		row->action(session, message);
	} else if (event == EVENT_TIMEOUT && session->phase != PHASE_IDLE) {
		/* Our bug: a phase in which nothing waits for the time. Stop safely. */
		session_fail(&session->base, FAULT_INTERNAL, "no way on while %s",
			nuki_phase_name(session->phase));
	} else if (message != NULL && event != EVENT_STATES) {
		session_trace(&session->base, "ignored: %s while %s", message->kind->name,
			nuki_phase_name(session->phase));
	}
}

/* States are evidence whenever they come. */
static void take_states(struct nuki_session *session, const struct nuki_states *states) {
	const bool is_asked = session->job.act == ACT_READ_STATE;
	const bool is_action = session->step != NULL && (session->step->flags & STEP_MOTOR) != 0 &&
			       session->sent == JOB_MAYBE_SENT;
	const struct nuki_setting setting = {
		.own_auth_id = session->keys.auth_id,
		.is_own_action = is_action,
		.now = is_asked ? session->job.now : (wall_t){ 0 },
		.is_now_trusted = session->job.is_now_trusted,
	};
	const bool is_remote_on = (states->remote & (NUKI_REMOTE_WIFI | NUKI_REMOTE_THREAD |
							    NUKI_REMOTE_THREAD_WANTED)) != 0;
	struct evidence evidence;

	session->has_states = true;
	session->last_states = *states;
	session->is_state_final = nuki_lock_state_is_final(states->lock_state);
	session->config.version = states->config_count;
	session->config.has_door_sensor = states->door != 0x00 && states->door != 0xff;
	nuki_facts_states(states, &setting, &evidence);
	if (is_remote_on != session->keys.is_remote_on) {
		session->keys.is_remote_on = is_remote_on;
		nuki_keys_changed(session);
	}
	session_evidence(&session->base, &evidence);
}

static void take_message(struct nuki_session *session, const struct nuki_frame *frame,
	enum nuki_generation generation) {
	AUTO_VALUE(nuki_message_wipe) struct nuki_message message;
	char text[NUKI_TEXT_MAX];
	int r = nuki_message_parse(
		&message, frame->command, generation, frame->payload, frame->n_payload);

	if (r < 0) {
		session_trace(&session->base, "< dropped: %s 0x%04x with %zu octets",
			nuki_command_name(frame->command), frame->command, frame->n_payload);
		return;
	}
	session_trace(&session->base, "< %s%s", nuki_message_text(&message, text),
		frame->is_crc_missing ? " (without CRC)" : "");
	if (!is_pairing(session)) {
		tell_frame(session, false, NUKI_USDIO, &message);
	}
	if (frame->command == NUKI_STATES && !is_pairing(session)) {
		take_states(session, &message.states);
	}
	dispatch(session, event_of(session, &message), &message);
}

/* ---- receiving ---- */

static void take_sealed(struct nuki_session *session, const uint8_t *buf, size_t n,
	const uint8_t *key, const uint32_t *auth_id, enum nuki_generation generation) {
	uint8_t plain[NUKI_BOX_MAX];
	struct nuki_frame frame;

	if (nuki_open(key, buf, n, plain, &frame) < 0 ||
		(auth_id != NULL && frame.auth_id != *auth_id)) {
		session_trace(&session->base, "< dropped: %zu octets that are not authentic", n);
	} else {
		take_message(session, &frame, generation);
	}
	wipe(plain, sizeof(plain));
}

static void take_usdio(struct nuki_session *session, const uint8_t *buf, size_t n, bool is_plain) {
	if (session->is_paired && !is_pairing(session)) {
		take_sealed(session, buf, n, session->keys.shared, &session->keys.auth_id,
			session->keys.generation);
	}
}

/*
 * e201 in use: errors in clear, most of all "not authorized" from a lock that cannot read us.
 * Nobody vouches for them, so they end the job but do not prove that nothing was done.
 */
static void take_gdio(struct nuki_session *session, const uint8_t *buf, size_t n, bool is_plain) {
	struct nuki_message message;
	struct nuki_frame frame;

	if (nuki_plain_open(buf, n, &frame) < 0 || frame.command != NUKI_ERROR_REPORT ||
		nuki_message_parse(&message, frame.command, NUKI_GENERATION_1_TO_4, frame.payload,
			frame.n_payload) < 0) {
		session_trace(&session->base, "< dropped: %zu octets in clear", n);
		return;
	}
	const struct nuki_error_row *row = nuki_error_row(message.reply.error);
	session_trace(&session->base, "< in clear: Error Report: %s", row->name);
	tell_frame(session, false, NUKI_GDIO, &message);
	if (session->phase != PHASE_IDLE && !is_pairing(session)) {
		/*
		 * With a command under way it may be a forgery that is to hide that the command was
		 * carried out: then only the lock's sealed state may tell.
		 */
		session_fail(&session->base,
			session->sent == JOB_MAYBE_SENT ? FAULT_PROTOCOL_ERROR : row->fault,
			"the lock said in clear: %s (0x%02x)", row->name, message.reply.error);
	}
}

static void take_pairing(
	struct nuki_session *session, const uint8_t *buf, size_t n, bool is_plain) {
	struct nuki_frame frame;

	if (!is_pairing(session)) {
		return; /* what comes in clear must never count as an answer in use */
	}
	if (!is_plain) {
		/* The lock's answer may carry any id here: 5G, docs/protocols/nuki.md 4.2. */
		take_sealed(session, buf, n, session->pairing.shared, NULL, NUKI_GENERATION_5);
	} else if (nuki_plain_open(buf, n, &frame) == 0) {
		take_message(session, &frame, session->pairing.generation);
	}
}

static enum nuki_inbox_kind pairing_kind(const struct nuki_session *session) {
	return session->phase == PHASE_PAIR_ID && session->pairing.generation == NUKI_GENERATION_5
		       ? NUKI_INBOX_EITHER
		       : NUKI_INBOX_PLAIN;
}

static void receive(
	struct nuki_session *session, const char *characteristic, const uint8_t *buf, size_t n) {
	static const struct {
		const char *characteristic;
		size_t inbox;
		void (*take)(
			struct nuki_session *session, const uint8_t *buf, size_t n, bool is_plain);
	} ways[] = {
		{ NUKI_USDIO, offsetof(struct nuki_session, usdio), take_usdio },
		{ NUKI_GDIO, offsetof(struct nuki_session, gdio), take_gdio },
		{ NUKI_PAIRING_GDIO, offsetof(struct nuki_session, pairing_gdio), take_pairing },
		{ NUKI_PAIRING_GDIO_5, offsetof(struct nuki_session, pairing_gdio), take_pairing },
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(ways) && strcmp(ways[i].characteristic, characteristic) != 0) {
		i++;
	}
	if (i == ARRAY_SIZE(ways)) {
		return;
	}
	struct nuki_inbox *inbox = (struct nuki_inbox *) ((uint8_t *) session + ways[i].inbox);
	do {
		const size_t n_taken = nuki_inbox_push(inbox, buf, n);
		const uint8_t *frame;
		size_t n_frame;
		bool is_plain;
		int r;

		buf += n_taken;
		n -= n_taken;
		do {
			/* Asked anew for each frame: the one before may have moved the phase. */
			const enum nuki_inbox_kind kind =
				inbox == &session->usdio  ? NUKI_INBOX_SEALED
				: inbox == &session->gdio ? NUKI_INBOX_PLAIN
							  : pairing_kind(session);
			r = nuki_inbox_next(inbox, kind, &frame, &n_frame, &is_plain);
			if (r > 0) {
				ways[i].take(session, frame, n_frame, is_plain);
			}
		} while (r > 0);
		if (r < 0) {
			session_trace(&session->base, "< dropped: octets that are no frame");
		}
	} while (n > 0);
}

/* ---- the host's inputs ---- */

static struct session *session_free(struct session *session) {
	return session_discard(session, sizeof(struct nuki_session));
}

static void session_up(struct session *session, unsigned mtu) {
	struct nuki_session *nuki = self(session);

	clear_inboxes(nuki);
	nuki->is_up = true;
	nuki->has_states = false;
	nuki->has_config = false;
	nuki->is_writing = false;
	nuki->n_out = 0;
	session_trace(&nuki->base, "up, MTU %u", mtu);
}

static int session_start(struct session *session, const struct job *job, struct fault *ret_fault) {
	struct nuki_session *nuki = self(session);

	assert(nuki->phase == PHASE_IDLE);
	if (!nuki->is_up) {
		return fault_set(ret_fault, FAULT_LINK_LOST, "there is no link");
	}
	nuki->job = *job;
	nuki->sent = JOB_NOT_SENT;
	nuki->is_half_done = false;
	nuki->is_accepted = false;
	nuki->is_log_more = false;
	nuki->n_fresh = 0;
	nuki->n_busy = 0;
	nuki->n_looks = 0;
	int r = job->act == ACT_PAIR ? nuki_pairing_start(nuki, ret_fault)
				     : nuki_steps_start(nuki, ret_fault);
	if (r < 0) {
		wipe(&nuki->job, sizeof(nuki->job));
	}
	return r;
}

static void session_written(struct session *session, int error, enum radio_sent sent) {
	struct nuki_session *nuki = self(session);

	nuki->is_writing = false;
	if (error == 0) {
		if (nuki->n_out > 0) {
			write_out(nuki);
		}
		return;
	}
	if (nuki->phase == PHASE_IDLE || nuki_pairing_fall_back(nuki, error)) {
		return;
	}
	if (sent == RADIO_NOT_SENT && nuki->is_write_changing && !nuki->is_accepted &&
		!nuki->is_half_done) {
		nuki->sent = JOB_NOT_SENT;
	}
	session_fail(&nuki->base, driver_write_fault(error), "writing failed while %s: %s",
		nuki_phase_name(nuki->phase), strerror(-error));
}

static void session_bytes(
	struct session *session, const char *characteristic, const uint8_t *buf, size_t n) {
	struct nuki_session *nuki = self(session);

	if (!nuki->is_up) {
		return;
	}
	receive(nuki, characteristic, buf, n);
	if (has_fragment(nuki)) {
		wait_for_fragment(nuki);
	} else if (nuki->is_fragment_timer) {
		wait_after_fragment(nuki);
	}
}

static void session_timer(struct session *session) {
	struct nuki_session *nuki = self(session);

	if (nuki->is_fragment_timer) {
		nuki->is_fragment_timer = false;
		session_trace(&nuki->base, "< dropped: a message without its end");
		clear_inboxes(nuki);
		if (nuki->wait_ms > NUKI_FRAGMENT_MS) {
			session_arm(&nuki->base, nuki->wait_ms - NUKI_FRAGMENT_MS);
			return;
		}
		if (nuki->phase == PHASE_IDLE) {
			return;
		}
	}
	dispatch(nuki, EVENT_TIMEOUT, NULL);
}

static void session_gate_opened(struct session *session) {
	dispatch(self(session), EVENT_GATE, NULL);
}

static void session_down(struct session *session) {
	struct nuki_session *nuki = self(session);

	nuki->is_up = false;
	nuki->is_writing = false;
	nuki->n_out = 0;
	clear_inboxes(nuki);
	if (nuki->phase != PHASE_IDLE) {
		session_fail(&nuki->base, FAULT_LINK_LOST, "the link ended while %s",
			nuki_phase_name(nuki->phase));
	} else if (nuki->is_fragment_timer) {
		nuki->is_fragment_timer = false;
		session_arm(&nuki->base, 0);
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

struct session *nuki_session_new(
	const struct secret *keys, const struct session_host *host, void *host_data) {
	AUTO_VALUE(nuki_keys_wipe) struct nuki_keys decoded = { 0 };
	int r = nuki_keys_decode(keys, &decoded);
	if (r < 0 && r != -ENODATA) {
		return NULL;
	}
	struct nuki_session *session =
		session_alloc(sizeof(*session), &session_impl, host, host_data);
	if (session == NULL) {
		return NULL;
	}
	session->random = crypto_random;
	session->keys = decoded;
	session->is_paired = r == 0;
	/* Until told otherwise: a lock logs unless it was switched off. */
	session->config = (struct config_facts){ .is_log_enabled = true, .auto_lock_s = -1 };
	return &session->base;
}

void nuki_session_set_random(struct session *session, nuki_random_fn *random) {
	self(session)->random = random;
}
