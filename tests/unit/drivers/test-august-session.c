/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The session against the least lock that can answer it. That one uses the codec of the driver,
 * which the vectors have proven by itself.
 */

#include "../../test.h"

#include <errno.h>

#include "august/driver.h"
#include "august/frame.h"
#include "august/keys.h"
#include "august/message.h"
#include "august/session.h"
#include "session-host.h"
#include "util/auto.h"
#include "util/bytes.h"

#define KEY_TEXT "0123456789abcdef0123456789abcdef 7"
#define SLOT 7

static const uint8_t key_bytes[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
	0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };

struct bench {
	struct host host; /* first: it is what the session gets */
	struct session *session;
	struct august_chain chain; /* the lock's: in and out are exchanged by crossing them */
	uint8_t session_key[AUGUST_KEY_LEN];
	uint8_t bolt;
	uint8_t result;
	unsigned n_busy; /* so many commands yet come in its way */
	bool is_mute, is_doorless, has_no_end;
	uint8_t written[AUGUST_FRAME_LEN];
	char to[40];
	size_t n_written; /* 0: nothing waits to be read */
	unsigned n_moves;
	uint8_t moved_sub;
	unsigned n_gaps;
	unsigned n_records;    /* in the lock */
	const uint8_t *record; /* such: from octet 4 on; NULL: locked by hand */
	unsigned n_others;     /* places from 1 on that others have taken */
	unsigned n_queries;
	uint8_t pin[AUGUST_PIN_LEN]; /* in this place: */
	uint8_t pin_at;
	bool has_pin, loses_pin;
};

static void host_write(void *host, const char *characteristic, const uint8_t *buf, size_t n) {
	struct bench *bench = host;

	assert_int_equal(bench->n_written, 0); /* one at a time */
	assert_int_equal(n, AUGUST_FRAME_LEN);
	memcpy(bench->written, buf, n);
	snprintf(bench->to, sizeof(bench->to), "%s", characteristic);
	bench->n_written = n;
}

static const struct session_host host_impl = { SESSION_HOST_CALLS, .write = host_write };

/* The key, and the code, as a person and as the lock would write it. */
static const char *const secrets[] = { "0123456789abcdef", "123456", "\x12\x34\x56", NULL };

static void bench_init(struct bench *bench, bool is_paired) {
	struct august_keys keys = {
		.slot = SLOT, .choices = AUGUST_READ_LOG | AUGUST_CODES, .model = "ASL-03"
	};
	struct secret blob = { 0 };

	memcpy(keys.key, key_bytes, sizeof(keys.key));
	august_keys_encode(&keys, &blob);
	*bench = (struct bench){ .host.secrets = secrets, .bolt = AUGUST_BOLT_LOCKED };
	bench->session = august_session_new(is_paired ? &blob : NULL, &host_impl, bench);
	assert_non_null(bench->session);
	bench->session->impl->up(bench->session, 23);
}

static void bench_free(struct bench *bench) {
	bench->session->impl->free(bench->session);
}

static void from_lock(struct bench *bench, const char *characteristic, const uint8_t *frame) {
	bench->session->impl->bytes(bench->session, characteristic, frame, AUGUST_FRAME_LEN);
}

/* @frame: without its sum. */
static void lock_says(struct bench *bench, uint8_t frame[static AUGUST_FRAME_LEN]) {
	august_mcu_finish(frame);
	august_chain_seal(&bench->chain, frame, frame);
	from_lock(bench, AUGUST_MCU_FROM_LOCK, frame);
}

static void lock_status(struct bench *bench, uint8_t type, uint8_t value) {
	uint8_t frame[AUGUST_FRAME_LEN] = { AUGUST_ANSWER, AUGUST_OP_STATUS, 0, 0, type };

	frame[8] = value;
	frame[9] = type == AUGUST_STATUS_BATTERY ? 0x17 : 0;
	lock_says(bench, frame);
}

static void lock_result(struct bench *bench, uint8_t kind, uint8_t op, uint8_t result) {
	uint8_t frame[AUGUST_FRAME_LEN] = { kind, op };

	frame[15] = result;
	lock_says(bench, frame);
}

static void lock_sec(struct bench *bench) {
	static const uint8_t nonce[] = { 9, 8, 7, 6, 5, 4, 3, 2 };
	uint8_t frame[AUGUST_FRAME_LEN];
	const bool is_first = bench->session_key[0] == 0 && bench->session_key[15] == 0;
	const uint8_t *key = is_first ? key_bytes : bench->session_key;

	august_sec_open(key, bench->written, frame);
	assert_true(august_sec_is_good(frame));
	assert_int_equal(frame[17], SLOT);
	if (is_first) {
		assert_int_equal(frame[0], AUGUST_SEC_OFFER);
		august_session_key(frame + 4, nonce, bench->session_key);
		august_sec_make(AUGUST_SEC_NONCE, nonce, SLOT, frame);
	} else {
		assert_int_equal(frame[0], AUGUST_SEC_PROOF);
		august_sec_make(AUGUST_SEC_READY, nonce, SLOT, frame);
		august_chain_start(&bench->chain, bench->session_key);
	}
	august_sec_seal(key, frame, frame);
	from_lock(bench, AUGUST_SEC_FROM_LOCK, frame);
}

static void lock_code(struct bench *bench, const uint8_t *in) {
	uint8_t out[AUGUST_FRAME_LEN] = { AUGUST_ANSWER_KEYPAD, in[1], 0, 0, in[4], in[5] };

	if (in[1] == AUGUST_OP_CODE_QUERY) {
		bench->n_queries++;
		memset(out + 6, in[4] > 0 && in[4] <= bench->n_others ? 0x11 : 0xff,
			AUGUST_PIN_LEN);
		out[9] = 0xff;
		if (in[4] == bench->pin_at && bench->has_pin && !bench->loses_pin) {
			memcpy(out + 6, bench->pin, AUGUST_PIN_LEN);
		}
	} else {
		out[4] = out[5] = 0;
		bench->has_pin = in[1] == AUGUST_OP_CODE_COMMIT;
		bench->pin_at = in[11];
		memcpy(bench->pin, in + 4, AUGUST_PIN_LEN);
		out[15] = in[1] == AUGUST_OP_CODE_CLEAR ? bench->result : 0;
	}
	lock_says(bench, out);
}

static void lock_obeys(struct bench *bench, const uint8_t *in) {
	const bool is_move = in[1] == AUGUST_OP_LOCK || in[1] == AUGUST_OP_UNLOCK;
	const bool is_busy = bench->n_busy > 0 && in[1] != AUGUST_OP_STATUS;
	static const uint8_t by_hand[] = { 0x00, 0x01, AUGUST_BOLT_LOCKED, 0, 1, 2, 3, 4 };
	uint8_t record[AUGUST_FRAME_LEN] = { AUGUST_ANSWER, AUGUST_OP_NEXT_RECORD };

	if (is_busy) {
		bench->n_busy--;
		lock_result(bench, AUGUST_TAKEN, in[1], 0);
		lock_result(bench, AUGUST_ANSWER, in[1], AUGUST_RESULT_BUSY);
		lock_status(bench, AUGUST_STATUS_BOLT, AUGUST_BOLT_LOCKED);
	} else if (is_move) {
		bench->n_moves++;
		bench->moved_sub = in[4];
		lock_result(bench, AUGUST_TAKEN, in[1], 0);
		if (!bench->has_no_end) {
			/* The state between the two is news of the door: no answer to anything. */
			lock_result(bench, AUGUST_ANSWER, in[1], bench->result);
			lock_status(bench, AUGUST_STATUS_DOOR, AUGUST_DOOR_CLOSED);
			lock_status(bench, AUGUST_STATUS_BOLT, bench->bolt);
		}
	} else if (in[1] == AUGUST_OP_STATUS && in[4] == AUGUST_STATUS_BOLT) {
		lock_status(bench, in[4], bench->bolt);
	} else if (in[1] == AUGUST_OP_STATUS && in[4] == AUGUST_STATUS_DOOR) {
		if (!bench->is_doorless) {
			lock_status(bench, in[4], AUGUST_DOOR_OPEN);
		}
	} else if (in[1] == AUGUST_OP_STATUS) {
		lock_status(bench, in[4], 0x00);
	} else if (in[1] == AUGUST_OP_NEXT_RECORD) {
		memcpy(record + 4, bench->record != NULL ? bench->record : by_hand, 8);
		memcpy(record + 14, bench->record != NULL ? bench->record + 10 : record, 2);
		record[4] = bench->n_records == 0 ? 0x80 : record[4];
		bench->n_records -= bench->n_records > 0;
		lock_says(bench, record);
	} else if (in[1] == AUGUST_OP_SET_CLOCK) {
		lock_result(bench, AUGUST_ANSWER, in[1], 0);
	} else {
		lock_code(bench, in);
	}
}

static void timer(struct bench *bench) {
	assert_true(bench->host.timer_ms > 0);
	bench->host.timer_ms = 0;
	bench->session->impl->timer(bench->session);
}

/* Lets the gaps pass and answers what is written, until it is mute or there is nothing. */
static void run(struct bench *bench) {
	for (;;) {
		uint8_t frame[AUGUST_FRAME_LEN];

		if (bench->n_written == 0 && bench->host.timer_ms == AUGUST_GAP_MS) {
			bench->n_gaps++;
			timer(bench);
		}
		if (bench->n_written == 0) {
			return;
		}
		bench->n_written = 0;
		bench->session->impl->written(bench->session, 0, RADIO_MAYBE_SENT);
		if (strcmp(bench->to, AUGUST_SEC_TO_LOCK) == 0) {
			lock_sec(bench);
		} else {
			august_chain_open(&bench->chain, bench->written, frame);
			assert_true(august_mcu_is_good(frame));
			if (!bench->is_mute) {
				lock_obeys(bench, frame);
			}
		}
	}
}

static void start(struct bench *bench, enum act act) {
	const struct job job = { .act = act, .log_max = 50, .log_cursor = 100 };
	struct fault fault = { .code = FAULT_NONE };

	assert_int_equal(bench->session->impl->start(bench->session, &job, &fault), 0);
}

static void assert_outcome(const struct bench *bench, enum fault_code code, enum job_sent sent) {
	assert_int_equal(bench->host.n_done, 1);
	assert_int_equal(bench->host.result.fault.code, code);
	if (code != FAULT_NONE) {
		assert_int_equal(bench->host.result.sent, sent);
	}
}

/* ---- cases ---- */

static void pairing_proves_the_key_and_keeps_model_and_key(void **state) {
	struct bench bench;
	struct job job = { .act = ACT_PAIR };
	struct august_keys keys;
	struct fault fault;

	bench_init(&bench, false);
	assert_int_equal(bench.session->impl->start(bench.session, &job, &fault), -EINVAL);
	(void) secret_set_text(&job.key, KEY_TEXT);
	assert_int_equal(bench.session->impl->start(bench.session, &job, &fault), 0);
	bench.session->impl->bytes(
		bench.session, AUGUST_MODEL_NUMBER, (const uint8_t *) "ASL-06\0\0", 8);
	assert_string_equal(bench.host.last.versions.model, "August Smart Lock ASL-06");
	assert_int_equal(bench.host.keys.len, 0);
	run(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(august_keys_decode(&bench.host.keys, &keys), 0);
	assert_string_equal(keys.model, "ASL-06");
	assert_int_equal(keys.slot, SLOT);
	assert_memory_equal(keys.key, key_bytes, sizeof(key_bytes));
	assert_int_equal(bench.host.last.report.millivolts, 0x1700);
	/* Before each write but the first. */
	assert_int_equal(bench.n_gaps, 4);
	bench_free(&bench);
}

static void it_takes_refusals_in_a_row_to_blame_the_key(void **state) {
	struct bench bench;

	bench_init(&bench, true);
	for (unsigned i = 1; i <= AUGUST_REFUSALS_MAX; i++) {
		bench.host.n_done = 0;
		start(&bench, ACT_READ_STATE);
		bench.n_written = 0;
		bench.session->impl->written(bench.session, -ECONNRESET, RADIO_MAYBE_SENT);
		assert_outcome(&bench,
			i < AUGUST_REFUSALS_MAX ? FAULT_LINK_LOST : FAULT_NOT_AUTHORIZED,
			JOB_NOT_SENT);
		bench.session->impl->down(bench.session);
		bench.session->impl->up(bench.session, 23);
	}
	/* A lock that answers begins the count anew. */
	start(&bench, ACT_READ_STATE);
	bench.host.n_done = 0;
	run(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	bench.session->impl->down(bench.session);
	bench.session->impl->up(bench.session, 23);
	bench.host.n_done = 0;
	start(&bench, ACT_READ_STATE);
	bench.n_written = 0;
	bench.session->impl->written(bench.session, -ECONNRESET, RADIO_MAYBE_SENT);
	assert_outcome(&bench, FAULT_LINK_LOST, JOB_NOT_SENT);
	bench_free(&bench);
}

static void answer_in_another_key_is_a_wrong_key(void **state) {
	const uint8_t noise[AUGUST_FRAME_LEN] = { 2 };
	struct bench bench;

	bench_init(&bench, true);
	start(&bench, ACT_READ_STATE);
	bench.n_written = 0;
	bench.session->impl->written(bench.session, 0, RADIO_MAYBE_SENT);
	from_lock(&bench, AUGUST_SEC_FROM_LOCK, noise);
	assert_outcome(&bench, FAULT_NOT_AUTHORIZED, JOB_NOT_SENT);
	bench_free(&bench);
}

static void bolt_is_moved_once_and_its_end_is_waited_for(void **state) {
	static const struct {
		enum act act;
		uint8_t bolt, result, sub;
		enum fault_code fault;
	} rows[] = {
		{ ACT_LOCK, AUGUST_BOLT_LOCKED, 0, 0, FAULT_NONE },
		{ ACT_UNLOCK, AUGUST_BOLT_UNLOCKED, 0, 0, FAULT_NONE },
		{ ACT_UNLATCH, AUGUST_BOLT_UNLATCHED, 0, AUGUST_SUB_UNLATCH, FAULT_NONE },
		{ ACT_LOCK, AUGUST_BOLT_STUCK, 0x1f, 0, FAULT_JAMMED },
		{ ACT_LOCK, AUGUST_BOLT_STUCK, 0, 0, FAULT_JAMMED },
		{ ACT_LOCK, AUGUST_BOLT_UNLOCKED, 0x23, 0, FAULT_HANDLE_NOT_LIFTED },
		{ ACT_LOCK, AUGUST_BOLT_UNLOCKED, 0x34, 0, FAULT_DOOR_SENSOR_FAULTY },
		{ ACT_UNLOCK, AUGUST_BOLT_LOCKED, 0x32, 0, FAULT_MOTOR_LOW_VOLTAGE },
		{ ACT_UNLOCK, AUGUST_BOLT_LOCKED, 0x38, 0, FAULT_NOT_AUTHORIZED },
		{ ACT_UNLOCK, AUGUST_BOLT_CALIBRATING, 0, 0, FAULT_NOT_CALIBRATED },
		{ ACT_LOCK, AUGUST_BOLT_UNLOCKED, 0, 0, FAULT_MOTOR_TIMEOUT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench bench;

		bench_init(&bench, true);
		bench.bolt = rows[i].bolt;
		bench.result = rows[i].result;
		start(&bench, rows[i].act);
		run(&bench);
		assert_outcome(&bench, rows[i].fault, JOB_MAYBE_SENT);
		assert_int_equal(bench.n_moves, 1);
		assert_int_equal(bench.moved_sub, rows[i].sub);
		bench_free(&bench);
	}
}

static void what_was_only_taken_is_looked_after(void **state) {
	struct bench bench;

	bench_init(&bench, true);
	bench.has_no_end = true;
	bench.bolt = AUGUST_BOLT_UNLOCKING;
	start(&bench, ACT_UNLOCK);
	run(&bench);
	assert_int_equal(bench.host.n_done, 0);
	assert_int_equal(bench.host.last.bolt.motion, LOCK_MOTION_UNLOCKING);
	assert_int_equal(bench.host.timer_ms, AUGUST_FIRST_LOOK_MS);
	timer(&bench);
	run(&bench);
	assert_int_equal(bench.host.timer_ms, AUGUST_LOOK_MS);
	/* It arrives, and no result comes: the state is enough after a while. */
	lock_status(&bench, AUGUST_STATUS_BOLT, AUGUST_BOLT_UNLOCKED);
	assert_int_equal(bench.host.n_done, 0);
	assert_int_equal(bench.host.timer_ms, AUGUST_GRACE_MS);
	timer(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_MAYBE_SENT);
	assert_int_equal(bench.n_moves, 1);
	bench_free(&bench);
}

/* That it is busy comes with the state before: no end, and no reason to be quick. */
static void busy_lock_is_asked_once_more(void **state) {
	for (unsigned n_busy = 1; n_busy <= 2; n_busy++) {
		struct bench bench;

		bench_init(&bench, true);
		bench.n_busy = n_busy;
		bench.bolt = AUGUST_BOLT_UNLOCKED;
		start(&bench, ACT_UNLOCK);
		run(&bench);
		assert_int_equal(bench.host.n_done, 0);
		assert_int_equal(bench.n_moves, 0);
		assert_int_equal(bench.host.timer_ms, AUGUST_BUSY_MS);
		bench.host.is_gate_shut = true; /* it is judged anew */
		timer(&bench);
		run(&bench);
		assert_int_equal(bench.n_moves, 0);
		assert_int_equal(bench.n_busy, n_busy - 1);
		bench.host.is_gate_shut = false;
		bench.session->impl->gate_opened(bench.session);
		run(&bench);
		assert_outcome(&bench, n_busy == 1 ? FAULT_NONE : FAULT_LOCK_BUSY, JOB_MAYBE_SENT);
		assert_int_equal(bench.n_moves, n_busy == 1 ? 1 : 0);
		/* The next job has a try of its own. */
		bench.n_busy = 1;
		bench.host.n_done = 0;
		start(&bench, ACT_UNLOCK);
		run(&bench);
		assert_int_equal(bench.host.timer_ms, AUGUST_BUSY_MS);
		bench_free(&bench);
	}
}

static void gate_is_asked_before_the_bolt_moves(void **state) {
	struct bench bench;

	bench_init(&bench, true);
	bench.host.is_gate_shut = true;
	start(&bench, ACT_LOCK);
	run(&bench);
	assert_int_equal(bench.n_moves, 0);
	assert_int_equal(bench.host.timer_ms, 0);
	bench.session->impl->gate_opened(bench.session);
	run(&bench);
	assert_int_equal(bench.n_moves, 1);
	assert_outcome(&bench, FAULT_NONE, JOB_MAYBE_SENT);
	bench_free(&bench);
}

static void in_doubt_it_says_so(void **state) {
	for (unsigned way = 0; way < 3; way++) {
		struct bench bench;

		bench_init(&bench, true);
		bench.is_mute = true;
		start(&bench, ACT_UNLOCK);
		if (way == 0) {
			run(&bench);
			timer(&bench);
		} else if (way == 1) {
			run(&bench);
			bench.session->impl->down(bench.session);
		} else {
			bench.host.is_gate_shut = true;
			run(&bench);
			bench.session->impl->gate_opened(bench.session);
			bench.n_written = 0;
			bench.session->impl->written(bench.session, -ETIMEDOUT, RADIO_MAYBE_SENT);
		}
		assert_outcome(
			&bench, way == 1 ? FAULT_LINK_LOST : FAULT_LOCK_SILENT, JOB_MAYBE_SENT);
		bench_free(&bench);
	}
}

/* It has said that it took the command, and nothing since: not even where the bolt is. */
static void lock_that_falls_silent_leaves_doubt(void **state) {
	struct bench bench;

	bench_init(&bench, true);
	bench.has_no_end = true;
	start(&bench, ACT_UNLOCK);
	run(&bench);
	assert_int_equal(bench.host.timer_ms, AUGUST_FIRST_LOOK_MS);
	bench.is_mute = true;
	timer(&bench);
	run(&bench);
	assert_int_equal(bench.host.timer_ms, AUGUST_ANSWER_MS);
	timer(&bench);
	assert_outcome(&bench, FAULT_LOCK_SILENT, JOB_MAYBE_SENT);
	assert_int_equal(bench.n_moves, 1);
	bench_free(&bench);
}

static void bolt_that_never_arrives_is_not_waited_for_for_ever(void **state) {
	struct bench bench;
	unsigned n_looks = 0;

	bench_init(&bench, true);
	bench.has_no_end = true;
	bench.bolt = AUGUST_BOLT_LOCKING;
	start(&bench, ACT_LOCK);
	run(&bench);
	while (bench.host.n_done == 0 && n_looks < 100) {
		n_looks++;
		timer(&bench);
		run(&bench);
	}
	assert_outcome(&bench, FAULT_MOTOR_TIMEOUT, JOB_MAYBE_SENT);
	assert_int_equal(n_looks, AUGUST_LOOKS_MAX);
	assert_int_equal(bench.n_moves, 1);
	bench_free(&bench);
}

/* Then nobody knows which key the lock has made: only a new link starts anew. */
static void silence_in_the_handshake_ends_the_link(void **state) {
	for (unsigned n_answers = 0; n_answers < 2; n_answers++) {
		const struct job job = { .act = ACT_READ_STATE };
		struct bench bench;
		struct fault fault;

		bench_init(&bench, true);
		start(&bench, ACT_UNLOCK);
		if (n_answers == 1) {
			bench.n_written = 0;
			bench.session->impl->written(bench.session, 0, RADIO_MAYBE_SENT);
			lock_sec(&bench);
			assert_int_equal(bench.host.timer_ms, AUGUST_GAP_MS);
			timer(&bench);
		}
		assert_true(bench.n_written > 0);
		assert_int_equal(bench.host.timer_ms, AUGUST_ANSWER_MS);
		timer(&bench);
		assert_outcome(&bench, FAULT_LOCK_SILENT, JOB_NOT_SENT);
		assert_true(bench.session->impl->start(bench.session, &job, &fault) < 0);
		assert_int_equal(fault.code, FAULT_LINK_LOST);
		bench_free(&bench);
	}
}

/* Reading the maker's name ends the link of newer locks. */
static void what_ends_the_link_is_never_read(void **state) {
	struct secret keys = { 0 };
	struct lock_status status = { 0 };

	assert_non_null(august_driver.example(0, &keys, &status));
	for (unsigned is_known = 0; is_known < 2; is_known++) {
		const struct radio_subscription *one =
			august_driver.subscriptions(NULL, is_known ? &keys : NULL);
		unsigned n = 0;

		for (; one[n].characteristic != NULL; n++) {
			assert_null(strstr(one[n].characteristic, "2a29"));
			assert_int_equal(one[n].is_read, n >= 2);
		}
		assert_int_equal(n, is_known ? 2 : 5); /* the model is asked for once */
	}
	secret_wipe(&keys);
}

/* One mark and then nothing, as where HomeKit is off: nothing has changed, as far as that tells. */
static void lock_without_a_mark_says_nothing(void **state) {
	struct advert advert = { .address = "78:9C:85:00:00:01",
		.parts = { { .company = 465, .n_bytes = 1 } },
		.n_parts = 1 };
	struct lock_status status = { 0 };
	struct heard_memory memory = { 0 };
	struct evidence heard = { 0 };

	august_driver.hear(NULL, &status, &advert, &memory, &heard);
	assert_true(heard.is_changed); /* the first: nobody knows what was before */
	status.bolt_known.at.ms = 1000;
	for (unsigned i = 0; i < 3; i++) {
		heard = (struct evidence){ 0 };
		august_driver.hear(NULL, &status, &advert, &memory, &heard);
		assert_false(heard.is_changed);
	}
	advert.parts[0].bytes[0] = 1;
	august_driver.hear(NULL, &status, &advert, &memory, &heard);
	assert_true(heard.is_changed);
}

static void what_is_no_frame_never_reaches_the_chain(void **state) {
	const uint8_t noise[AUGUST_FRAME_LEN] = { 1, 2, 3 };
	struct bench bench;
	struct fault fault;
	const struct job job = { .act = ACT_READ_STATE };

	bench_init(&bench, true);
	start(&bench, ACT_READ_STATE);
	run(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	bench.session->impl->bytes(bench.session, AUGUST_MCU_FROM_LOCK, noise, 9);
	bench.session->impl->bytes(bench.session, AUGUST_MCU_FROM_LOCK, noise, 0);
	lock_status(&bench, AUGUST_STATUS_BOLT, AUGUST_BOLT_UNLOCKED);
	assert_int_equal(bench.host.last.bolt.state, LOCK_STATE_UNLOCKED);
	/* One that makes no sense is borne, two end the session. */
	from_lock(&bench, AUGUST_MCU_FROM_LOCK, noise);
	from_lock(&bench, AUGUST_MCU_FROM_LOCK, noise);
	assert_true(bench.session->impl->start(bench.session, &job, &fault) < 0);
	assert_int_equal(fault.code, FAULT_LINK_LOST);
	bench.session->impl->down(bench.session);
	bench.session->impl->up(bench.session, 23);
	assert_int_equal(bench.session->impl->start(bench.session, &job, &fault), 0);
	bench_free(&bench);
}

static void door_that_is_not_told_is_gone_without(void **state) {
	struct bench bench;

	bench_init(&bench, true);
	bench.is_doorless = true;
	start(&bench, ACT_READ_STATE);
	run(&bench);
	assert_int_equal(bench.host.n_done, 0);
	timer(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	bench_free(&bench);
}

static void records_are_numbered_on(void **state) {
	struct bench bench;

	bench_init(&bench, true);
	bench.n_records = 3;
	start(&bench, ACT_READ_LOG);
	run(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(bench.host.n_entries, 3);
	assert_int_equal(bench.host.entries[bench.host.n_entries - 1].seq, 103);
	assert_int_equal(bench.host.entries[bench.host.n_entries - 1].time.s, 0x04030201);
	assert_int_equal(bench.host.entries[bench.host.n_entries - 1].source, SOURCE_MANUAL);
	assert_int_equal(bench.host.entries[bench.host.n_entries - 1].operation, OPERATION_LOCK);
	assert_false(bench.host.result.is_log_more);
	bench_free(&bench);
}

/* As yalexs-ble 7.2.2 reads it: another form than 0E, with all 16 bits of the slot. */
static void keypad_record_tells_its_slot(void **state) {
	static const struct {
		uint8_t record[12];
		int64_t ref;
	} rows[] = {
		{ { 0x07, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0x03, 0x00 }, 4 },
		{ { 0x07, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0x03, 0x01 }, 0x104 },
		{ { 0x07, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0xee, 0xff }, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench bench;

		bench_init(&bench, true);
		bench.n_records = 1;
		bench.record = rows[i].record;
		start(&bench, ACT_READ_LOG);
		run(&bench);
		assert_int_equal(bench.host.n_entries, 1);
		assert_int_equal(bench.host.entries[0].time.s, 0x04030201);
		assert_int_equal(bench.host.entries[0].source, SOURCE_KEYPAD);
		assert_int_equal(bench.host.entries[0].operation, OPERATION_UNLOCK);
		assert_int_equal(bench.host.entries[0].user_ref, rows[i].ref);
		bench_free(&bench);
	}
}

static void code_is_put_where_there_is_room_and_read_back(void **state) {
	for (unsigned way = 0; way < 2; way++) {
		struct job job = { .act = ACT_PUT_CREDENTIAL, .slot = { .type = CREDENTIAL_PIN } };
		struct fault fault;
		struct bench bench;

		bench_init(&bench, true);
		bench.loses_pin = way == 1;
		bench.n_others = 40;
		(void) secret_set_text(&job.slot.pin, "123456");
		assert_int_equal(bench.session->impl->start(bench.session, &job, &fault), 0);
		run(&bench);
		assert_outcome(
			&bench, way == 0 ? FAULT_NONE : FAULT_ACTION_REJECTED, JOB_MAYBE_SENT);
		assert_int_equal(bench.host.result.ref, way == 0 ? 42 : 0);
		assert_int_equal(bench.pin_at, 41);
		assert_int_equal(bench.pin[0], 0x12);
		bench_free(&bench);
	}
}

static void codes_are_read_until_no_more_can_be_expected(void **state) {
	static const unsigned others[] = { 0, 1, 29, 30, 55 };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct bench bench;

		bench_init(&bench, true);
		bench.n_others = others[i];
		start(&bench, ACT_READ_USERS);
		run(&bench);
		assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
		assert_int_equal(bench.host.n_slots, others[i]);
		/* The place before the first is looked at, too: another client may have used it. */
		assert_int_equal(bench.n_queries,
			others[i] == 0 ? AUGUST_CODES_EMPTY : 1 + others[i] + AUGUST_CODES_EMPTY);
		bench_free(&bench);
	}
}

static void lock_that_is_full_says_so(void **state) {
	struct job job = { .act = ACT_PUT_CREDENTIAL, .slot = { .type = CREDENTIAL_PIN } };
	struct fault fault;
	struct bench bench;

	bench_init(&bench, true);
	bench.n_others = AUGUST_CODE_LAST;
	(void) secret_set_text(&job.slot.pin, "123456");
	assert_int_equal(bench.session->impl->start(bench.session, &job, &fault), 0);
	run(&bench);
	assert_outcome(&bench, FAULT_LIST_FULL, JOB_NOT_SENT);
	assert_int_equal(bench.n_queries, AUGUST_CODE_LAST);
	bench_free(&bench);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairing_proves_the_key_and_keeps_model_and_key),
		cmocka_unit_test(it_takes_refusals_in_a_row_to_blame_the_key),
		cmocka_unit_test(answer_in_another_key_is_a_wrong_key),
		cmocka_unit_test(bolt_is_moved_once_and_its_end_is_waited_for),
		cmocka_unit_test(what_was_only_taken_is_looked_after),
		cmocka_unit_test(busy_lock_is_asked_once_more),
		cmocka_unit_test(gate_is_asked_before_the_bolt_moves),
		cmocka_unit_test(in_doubt_it_says_so),
		cmocka_unit_test(lock_that_falls_silent_leaves_doubt),
		cmocka_unit_test(bolt_that_never_arrives_is_not_waited_for_for_ever),
		cmocka_unit_test(silence_in_the_handshake_ends_the_link),
		cmocka_unit_test(what_ends_the_link_is_never_read),
		cmocka_unit_test(lock_without_a_mark_says_nothing),
		cmocka_unit_test(what_is_no_frame_never_reaches_the_chain),
		cmocka_unit_test(door_that_is_not_told_is_gone_without),
		cmocka_unit_test(records_are_numbered_on),
		cmocka_unit_test(keypad_record_tells_its_slot),
		cmocka_unit_test(code_is_put_where_there_is_room_and_read_back),
		cmocka_unit_test(codes_are_read_until_no_more_can_be_expected),
		cmocka_unit_test(lock_that_is_full_says_so),
	};

	return cmocka_run_group_tests_name("august-session", tests, NULL, NULL);
}
