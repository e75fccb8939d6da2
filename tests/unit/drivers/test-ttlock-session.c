/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The session against the least lock that can answer it. That one uses the codec of the driver,
 * which the vectors have proven by itself.
 */

#include "../../test.h"

#include <errno.h>

#include "session-host.h"
#include "ttlock/driver.h"
#include "ttlock/frame.h"
#include "ttlock/keys.h"
#include "ttlock/log.h"
#include "ttlock/message.h"
#include "ttlock/session.h"
#include "util/auto.h"
#include "util/bytes.h"

#define CHALLENGE 0x1db78a8f
#define UNLOCK_NUMBER 87654321
#define ALL_FEATURES 0xffefffffULL /* but for "no clock" */

static const uint8_t lock_key[TTLOCK_KEY_LEN] = "0123456789abcde";

struct bench {
	struct host host; /* first: it is what the session gets */
	struct session *session;
	struct ttlock_inbox inbox; /* the lock's */
	bool has_written;          /* something waits for written() */
	uint8_t state;
	bool is_mute;
	bool is_stale;          /* the log's next place but 0 is not known */
	unsigned n_bad_answers; /* so many yet come with a wrong checksum */
	uint8_t refuse;         /* this command ... */
	int error;              /* ... with this; -1 none */
	uint8_t log[3][40];     /* records with their lengths, from number 0 on */
	unsigned n_log;
	bool has_record; /* the operation itself is added to the log */
	unsigned n_moves, n_pauses, n_requests;
	uint8_t code_op[64];
	size_t n_code_op;
	const char *listed; /* the one code that is listed */
};

static void host_write(void *host, const char *characteristic, const uint8_t *buf, size_t n) {
	struct bench *bench = host;

	assert_string_equal(characteristic, TTLOCK_TO_LOCK);
	assert_false(bench->has_written); /* one at a time */
	assert_true(n <= TTLOCK_CHUNK);
	bench->has_written = true;
	ttlock_inbox_put(&bench->inbox, buf, n);
}

static const struct session_host host_impl = { SESSION_HOST_CALLS, .write = host_write };

/* Of the key, and the code. */
static const char *const secrets[] = { "012345", "704128", NULL };

static struct ttlock_keys good_keys(void) {
	struct ttlock_keys keys = {
		.head = { 2, 1, 1 },
		.is_admin = true,
		.is_ours = true,
		.admin = 12345678,
		.unlock = UNLOCK_NUMBER,
		.features = ALL_FEATURES,
	};

	memcpy(keys.key, lock_key, sizeof(lock_key));
	memcpy(keys.start, ttlock_date_first, sizeof(keys.start));
	memcpy(keys.end, ttlock_date_last, sizeof(keys.end));
	return keys;
}

static void bench_keys(struct bench *bench, const struct ttlock_keys *keys) {
	struct secret blob = { 0 };

	memset(bench, 0, sizeof(*bench));
	bench->host.secrets = secrets;
	bench->error = -1;
	bench->has_record = true;
	if (keys != NULL) {
		ttlock_keys_encode(keys, &blob);
	}
	bench->session = ttlock_session_new(&blob, &host_impl, bench);
	assert_non_null(bench->session);
	bench->session->impl->up(bench->session, 23);
}

static void bench_init(struct bench *bench) {
	const struct ttlock_keys keys = good_keys();

	bench_keys(bench, &keys);
}

static void bench_free(struct bench *bench) {
	bench->session->impl->free(bench->session);
}

/* ---- the lock ---- */

static void lock_says(
	struct bench *bench, const uint8_t *key, const uint8_t *plain, size_t n_plain) {
	const struct ttlock_head head = { 2, 10, 12 }; /* not ours, as real ones have them */
	uint8_t frame[TTLOCK_FRAME_MAX];
	const size_t n = ttlock_frame(&head, TTLOCK_ANSWER, key, plain, n_plain, frame);

	if (bench->n_bad_answers > 0) {
		bench->n_bad_answers--;
		frame[n - 3] ^= 0x55;
	}
	for (size_t at = 0; at < n; at += 7) { /* in pieces of any length */
		bench->session->impl->bytes(
			bench->session, TTLOCK_FROM_LOCK, frame + at, n - at < 7 ? n - at : 7);
	}
}

static void add_record(struct bench *bench, uint8_t type, const void *tail, size_t n_tail) {
	static const uint8_t head[] = { 0, 26, 5, 11, 14, 23, 7, 90 };
	uint8_t *record = bench->log[bench->n_log++];

	record[0] = (uint8_t) (sizeof(head) + n_tail);
	memcpy(record + 1, head, sizeof(head));
	record[1] = type;
	memcpy(record + 1 + sizeof(head), tail, n_tail);
}

static size_t say_log(const struct bench *bench, const uint8_t *in, uint8_t *out) {
	const unsigned cursor = (unsigned) in[0] << 8 | in[1];
	const uint8_t *record = bench->log[cursor];

	assert_int_not_equal(cursor, 0xffff);
	out[0] = 0;
	out[1] = 0;
	if (cursor >= bench->n_log) {
		return 2;
	}
	out[1] = (uint8_t) (record[0] + 3);
	out[2] = 0;
	out[3] = (uint8_t) (cursor + 1);
	memcpy(out + 4, record, record[0] + 1U);
	return 5U + record[0];
}

static size_t say_codes(const struct bench *bench, uint8_t *out) {
	const size_t n = bench->listed != NULL ? strlen(bench->listed) : 0;
	struct wr wr = wr_on(out, 64);

	wr_u16be(&wr, n == 0 ? 0 : (uint16_t) (11 + 2 * n));
	if (n > 0) {
		wr_u16be(&wr, 0xffff);
		wr_u8(&wr, (uint8_t) (8 + 2 * n));
		wr_u8(&wr, TTLOCK_CODE_PERMANENT);
		for (unsigned i = 0; i < 2; i++) {
			wr_u8(&wr, (uint8_t) n);
			wr_bytes(&wr, bench->listed, n);
		}
		wr_bytes(&wr, ttlock_date_first, 5);
	}
	return (size_t) wr_end(&wr);
}

static size_t say_move(struct bench *bench, uint8_t command, const uint8_t *in, uint8_t *out) {
	const uint8_t sum[] = { 0x22, 0xf1, 0x0a, 0x40 }; /* of the vectors */
	uint8_t tail[8] = { 0 };

	assert_memory_equal(in, sum, sizeof(sum));
	bench->n_moves++;
	memcpy(tail + 4, in + 4, 4);
	if (bench->has_record) {
		add_record(bench,
			command == TTLOCK_LOCK ? TTLOCK_RECORD_APP_LOCK : TTLOCK_RECORD_APP_UNLOCK,
			tail, sizeof(tail));
	}
	out[0] = 44;
	return 1;
}

/* What stands behind echo and status. */
static size_t say(struct bench *bench, uint8_t command, const uint8_t *in, size_t n, uint8_t *out) {
	struct wr wr = wr_on(out, 64);

	switch (command) {
	case TTLOCK_GET_KEY:
		wr_bytes(&wr, lock_key, sizeof(lock_key));
		break;
	case TTLOCK_ADD_ADMIN:
		wr_bytes(&wr, TTLOCK_WORD, TTLOCK_WORD_LEN);
		break;
	case TTLOCK_ADMIN:
	case TTLOCK_USER:
		wr_u32be(&wr, CHALLENGE);
		break;
	case TTLOCK_STATE:
		wr_u8(&wr, 45);
		wr_u8(&wr, bench->state);
		wr_u8(&wr, 2);
		break;
	case TTLOCK_FEATURES:
		wr_u8(&wr, 45);
		wr_u32be(&wr, (uint32_t) ALL_FEATURES);
		break;
	case TTLOCK_DEVICE:
		wr_bytes(&wr, "S534", 5);
		break;
	case TTLOCK_GET_TIME:
		wr_bytes(&wr, "\x1a\x05\x0b\x0e\x17\x07", 6);
		break;
	case TTLOCK_AUTO_LOCK:
		wr_bytes(&wr, "\x2d\x01\x01\x2c\x00\x05\x0e\x10", 8);
		break;
	case TTLOCK_PASSAGE:
		wr_bytes(&wr, "\x2d\x01\xff", 3);
		break;
	case TTLOCK_CARD:
	case TTLOCK_FINGER:
		wr_bytes(&wr, "\x2d\x01\xff\xff", 4);
		break;
	case TTLOCK_UNLOCK:
	case TTLOCK_LOCK:
		return say_move(bench, command, in, out);
	case TTLOCK_LOG:
		return say_log(bench, in, out);
	case TTLOCK_CODE_LIST:
		return say_codes(bench, out);
	case TTLOCK_CODE:
		memcpy(bench->code_op, in, n);
		bench->n_code_op = n;
		wr_u8(&wr, 45);
		wr_u8(&wr, in[0]);
		break;
	default:
		wr_u8(&wr, 45);
		wr_u8(&wr, 1);
		wr_u16be(&wr, 0);
		break;
	}
	return (size_t) wr_end(&wr);
}

/* Reads a whole request and answers. false: none has come, or it is mute. */
static bool lock_reads(struct bench *bench) {
	struct ttlock_received frame;
	uint8_t plain[TTLOCK_PLAIN_MAX];
	uint8_t out[TTLOCK_PLAIN_MAX] = { 0, 1 };
	size_t n_out;

	if (!ttlock_inbox_take(&bench->inbox, &frame)) {
		return false;
	}
	const bool is_first = frame.command == TTLOCK_INIT || frame.command == TTLOCK_GET_KEY;
	const uint8_t *key = is_first ? ttlock_factory_key : lock_key;
	const ssize_t n = ttlock_open(key, frame.cipher, frame.n_cipher, plain);

	assert_true(frame.is_crc_right);
	assert_true(n >= 0);
	bench->n_requests++;
	out[0] = frame.command;
	if (bench->is_mute) {
		return false;
	}
	n_out = say(bench, frame.command, plain, (size_t) n, out + 2);
	if (frame.command == TTLOCK_LOG && bench->is_stale && plain[1] != 0) {
		bench->is_stale = false;
		out[1] = 0;
		out[2] = TTLOCK_ERROR_FAILED;
		n_out = 1;
	}
	if (bench->error >= 0 && bench->refuse == frame.command) {
		out[1] = 0;
		out[2] = (uint8_t) bench->error;
		n_out = 1;
	}
	lock_says(bench, key, out, n_out + 2);
	return true;
}

/* Radio and lock, until neither has anything to do but wait. */
static void run(struct bench *bench) {
	for (;;) {
		if (lock_reads(bench)) {
			continue; /* also before the radio has told that it has gone */
		}
		if (bench->has_written) {
			bench->has_written = false;
			bench->session->impl->written(bench->session, 0, RADIO_MAYBE_SENT);
		} else if (bench->host.timer_ms == TTLOCK_CHUNK_MS ||
			   bench->host.timer_ms == TTLOCK_AGAIN_MS) {
			bench->n_pauses++;
			bench->host.timer_ms = 0;
			bench->session->impl->timer(bench->session);
		} else {
			return;
		}
	}
}

static void start_job(struct bench *bench, const struct job *job) {
	struct fault fault = { .code = FAULT_NONE };

	bench->host.n_done = 0;
	assert_int_equal(bench->session->impl->start(bench->session, job, &fault), 0);
	run(bench);
}

static void start(struct bench *bench, enum act act) {
	const struct job job = {
		.act = act, .now = { 1778525347 }, .is_now_trusted = true, .log_max = 50
	};

	start_job(bench, &job);
}

static void timer(struct bench *bench) {
	assert_true(bench->host.timer_ms > 0);
	bench->host.timer_ms = 0;
	bench->session->impl->timer(bench->session);
	run(bench);
}

static void assert_outcome(const struct bench *bench, enum fault_code code, enum job_sent sent) {
	assert_int_equal(bench->host.n_done, 1);
	assert_int_equal(bench->host.result.fault.code, code);
	if (code != FAULT_NONE) {
		assert_int_equal(bench->host.result.sent, sent);
	}
}

static const struct bolt_facts *bolt(const struct bench *bench) {
	for (size_t i = bench->host.n_evidence; i > 0; i--) {
		if ((bench->host.evidence[i - 1].has & FACT_BOLT) != 0) {
			return &bench->host.evidence[i - 1].bolt;
		}
	}
	fail_msg("nothing of the bolt was told");
	return NULL;
}

/* ---- cases ---- */

static void setting_up_makes_and_keeps_keys(void **state) {
	struct bench bench;
	const struct job job = {
		.act = ACT_PAIR, .variant = 2, .now = { 1778525347 }, .is_now_trusted = true
	};
	struct ttlock_keys keys;

	bench_keys(&bench, NULL);
	start_job(&bench, &job);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(ttlock_keys_decode(&bench.host.keys, &keys), 0);
	assert_memory_equal(keys.key, lock_key, sizeof(lock_key));
	assert_true(keys.is_ours && keys.is_admin);
	assert_true(keys.admin > 0 && keys.admin < 100000000);
	assert_true(keys.unlock > 0 && keys.unlock < 100000000);
	assert_int_equal(keys.features, ALL_FEATURES);
	assert_int_equal(bolt(&bench)->state, LOCK_STATE_LOCKED);
	bench_free(&bench);
}

static void a_lock_that_is_set_up_says_so(void **state) {
	struct bench bench;
	const struct job job = { .act = ACT_PAIR, .variant = 2 };

	bench_keys(&bench, NULL);
	bench.refuse = TTLOCK_INIT;
	bench.error = 0x07;
	start_job(&bench, &job);
	assert_outcome(&bench, FAULT_NOT_PAIRING, JOB_NOT_SENT);
	assert_int_equal(bench.host.keys.len, 0);
	bench_free(&bench);
}

static void bolt_is_watched_until_it_is_there(void **state) {
	struct bench bench;

	bench_init(&bench);
	start(&bench, ACT_UNLOCK);
	assert_int_equal(bench.n_moves, 1);
	assert_int_equal(bench.host.n_done, 0);
	assert_true(bench.n_pauses >= 3); /* between chunks */
	timer(&bench);
	assert_int_equal(bench.host.n_done, 0);
	bench.state = 1;
	timer(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(bench.n_moves, 1);
	assert_int_equal(bolt(&bench)->state, LOCK_STATE_UNLOCKED);
	bench_free(&bench);
}

/* News of the lock end the waiting; the long form tells no state, which is then asked for. */
static void news_are_looked_into(void **state) {
	static const uint8_t push[] = { 0x14, 1, 44, 0, 0, 0, 0, 0x6a, 2, 0x24, 0xa3, 26, 5, 11, 15,
		48, 8 };
	struct bench bench;

	bench_init(&bench);
	start(&bench, ACT_UNLOCK);
	bench.state = 1;
	lock_says(&bench, lock_key, push, sizeof(push));
	run(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	bench_free(&bench);
}

static void gate_holds_the_command_back(void **state) {
	struct bench bench;

	bench_init(&bench);
	bench.host.is_gate_shut = true;
	start(&bench, ACT_UNLOCK);
	assert_int_equal(bench.n_moves, 0);
	assert_int_equal(bench.host.n_done, 0);
	bench.host.is_gate_shut = false;
	bench.session->impl->gate_opened(bench.session);
	run(&bench);
	assert_int_equal(bench.n_moves, 1);
	bench_free(&bench);
}

static void damage_is_asked_for_again_but_no_move(void **state) {
	struct bench bench;

	bench_init(&bench);
	bench.n_bad_answers = 2;
	start(&bench, ACT_READ_STATE);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(bench.n_requests, 3);
	bench.n_bad_answers = 3;
	start(&bench, ACT_READ_STATE);
	assert_outcome(&bench, FAULT_PROTOCOL_ERROR, JOB_NOT_SENT);
	bench_free(&bench);

	/* The command came with a wrong checksum, says the lock, or somebody who repeats it. */
	bench_init(&bench);
	bench.refuse = TTLOCK_UNLOCK;
	bench.error = TTLOCK_ERROR_CRC;
	start(&bench, ACT_UNLOCK);
	assert_int_equal(bench.host.n_done, 0);
	bench.state = 1;
	timer(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(bench.n_moves, 1);
	bench_free(&bench);
}

static void silence_after_a_move_is_doubt(void **state) {
	struct bench bench;

	bench_init(&bench);
	bench.host.is_gate_shut = true;
	start(&bench, ACT_LOCK);
	bench.host.is_gate_shut = false;
	bench.is_mute = true;
	bench.session->impl->gate_opened(bench.session);
	run(&bench);
	timer(&bench);
	assert_outcome(&bench, FAULT_LOCK_SILENT, JOB_MAYBE_SENT);
	bench_free(&bench);

	bench_init(&bench);
	bench.is_mute = true;
	start(&bench, ACT_LOCK);
	timer(&bench);
	assert_outcome(&bench, FAULT_LOCK_SILENT, JOB_NOT_SENT);
	bench_free(&bench);
}

/* A frame without its end does nothing: only the last chunk may have been sent. */
static void half_a_command_is_none(void **state) {
	for (unsigned n_chunks = 1; n_chunks <= 2; n_chunks++) {
		struct bench bench;

		bench_init(&bench);
		bench.host.is_gate_shut = true;
		start(&bench, ACT_UNLOCK);
		bench.host.is_gate_shut = false;
		bench.session->impl->gate_opened(bench.session);
		for (unsigned i = 1; i < n_chunks; i++) {
			bench.has_written = false;
			bench.session->impl->written(bench.session, 0, RADIO_MAYBE_SENT);
			bench.session->impl->timer(bench.session);
		}
		bench.session->impl->written(bench.session, -ETIMEDOUT, RADIO_MAYBE_SENT);
		assert_int_equal(bench.host.n_done, 1);
		assert_int_equal(
			bench.host.result.sent, n_chunks == 2 ? JOB_MAYBE_SENT : JOB_NOT_SENT);
		assert_int_not_equal(bench.host.result.fault.code, FAULT_NONE);
		bench_free(&bench);
	}
}

static void refusals_have_their_names(void **state) {
	static const struct {
		uint8_t command;
		int error;
		enum fault_code fault;
	} rows[] = {
		{ TTLOCK_USER, 0x0d, FAULT_NOT_AUTHORIZED },
		{ TTLOCK_USER, 0x0e, FAULT_TIME_NOT_ALLOWED },
		{ TTLOCK_UNLOCK, 0x08, FAULT_NOT_AUTHORIZED },
		{ TTLOCK_UNLOCK, 0x0a, FAULT_VOLTAGE_TOO_LOW },
		{ TTLOCK_UNLOCK, 0x13, FAULT_JAMMED },
		{ TTLOCK_UNLOCK, 0x1c, FAULT_KEYPAD_LOCKED },
		{ TTLOCK_UNLOCK, 0x99, FAULT_LOCK_ERROR },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench bench;

		bench_init(&bench);
		bench.refuse = rows[i].command;
		bench.error = rows[i].error;
		start(&bench, ACT_UNLOCK);
		/* Anybody can repeat a refusal: it proves nothing. */
		assert_outcome(&bench, rows[i].fault,
			rows[i].command == TTLOCK_USER ? JOB_NOT_SENT : JOB_MAYBE_SENT);
		if (rows[i].fault == FAULT_JAMMED) {
			assert_true(bolt(&bench)->is_jammed);
		}
		bench_free(&bench);
	}
}

static void another_key_is_found_out(void **state) {
	struct bench bench;
	struct ttlock_keys keys = good_keys();

	keys.key[0] ^= 1;
	bench_keys(&bench, &keys);
	const struct job job = { .act = ACT_READ_STATE };
	struct fault fault;
	static const uint8_t answer[] = { 0x14, 1, 45, 0, 2 };
	assert_int_equal(bench.session->impl->start(bench.session, &job, &fault), 0);
	while (bench.has_written) {
		bench.has_written = false;
		bench.session->impl->written(bench.session, 0, RADIO_MAYBE_SENT);
		if (bench.host.timer_ms == TTLOCK_CHUNK_MS) {
			bench.session->impl->timer(bench.session);
		}
	}
	lock_says(&bench, lock_key, answer, sizeof(answer));
	assert_outcome(&bench, FAULT_NOT_AUTHORIZED, JOB_NOT_SENT);
	bench_free(&bench);
}

static void run_out(struct bench *bench) {
	for (unsigned i = 0; i < TTLOCK_LOOKS_MAX + 2 && bench->host.n_done == 0; i++) {
		timer(bench);
	}
}

static void neither_state_nor_record_is_a_jam(void **state) {
	struct bench bench;

	bench_init(&bench);
	bench.state = 1;
	bench.has_record = false;
	add_record(&bench, TTLOCK_RECORD_APP_LOCK, "\0\0\0\0\0\0\0\1", 8); /* another's */
	start(&bench, ACT_LOCK);
	run_out(&bench);
	assert_outcome(&bench, FAULT_JAMMED, JOB_MAYBE_SENT);
	assert_true(bolt(&bench)->is_jammed);
	assert_int_equal(bench.n_moves, 1);
	bench_free(&bench);
}

/* There are models whose state is always the same; the log tells what they do. */
static void a_state_that_is_always_the_same_is_known(void **state) {
	struct bench bench;
	struct ttlock_keys keys;

	bench_init(&bench);
	bench.state = 1;
	start(&bench, ACT_LOCK);
	run_out(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(bolt(&bench)->state, LOCK_STATE_LOCKED);
	assert_int_equal(ttlock_keys_decode(&bench.host.keys, &keys), 0);
	assert_true(keys.is_stuck);
	bench.host.n_evidence = 0;
	start(&bench, ACT_READ_STATE);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	for (size_t i = 0; i < bench.host.n_evidence; i++) {
		assert_int_equal(bench.host.evidence[i].has & FACT_BOLT, 0);
	}
	bench_free(&bench);
}

static void log_is_read_from_where_it_ended(void **state) {
	struct bench bench;
	const struct job job = { .act = ACT_READ_LOG, .log_cursor = 1, .log_max = 1 };

	bench_init(&bench);
	add_record(&bench, 27, "", 0);
	add_record(&bench, 4,
		"\x06"
		"704128"
		"\x00",
		8);
	add_record(&bench, 1, "\0\0\0\0\0\0\0\1", 8);
	start_job(&bench, &job);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(bench.host.n_entries, 1);
	assert_int_equal(bench.host.entries[0].seq, 2);
	assert_int_equal(bench.host.entries[0].credential, CREDENTIAL_PIN);
	const struct ttlock_keys keys = good_keys();
	assert_int_equal(
		bench.host.entries[0].user_ref, ttlock_ref(&keys, CREDENTIAL_PIN, "704128", 6));
	assert_true(bench.host.result.is_log_more);
	start(&bench, ACT_READ_LOG);
	assert_int_equal(bench.host.n_entries, 4);
	assert_int_equal(bench.host.entries[3].seq, 3);
	assert_true(bench.host.entries[3].is_own);
	assert_false(bench.host.result.is_log_more);
	bench_free(&bench);
}

static void the_log_tells_where_the_door_is(void **state) {
	struct bench bench;
	const struct job job = { .act = ACT_READ_LOG, .log_max = 1 };

	bench_init(&bench);
	add_record(&bench, 30, "\x4c", 1);
	add_record(&bench, 31, "\x05", 1);
	start_job(&bench, &job); /* a part of it is an old story */
	assert_int_equal(bench.host.n_evidence, 0);
	start(&bench, ACT_READ_LOG);
	assert_int_equal(bench.host.n_evidence, 1);
	assert_int_equal(bench.host.last.has, FACT_DOOR | FACT_ACCESSORIES);
	assert_int_equal(bench.host.last.how, EVIDENCE_LOGGED);
	assert_int_equal(bench.host.last.door, DOOR_STATE_OPEN);
	assert_int_equal(bench.host.last.accessories.door_sensor, BATTERY_CRITICAL);
	bench_free(&bench);
}

/* A place that the lock does not know is no end: from the beginning, and nothing twice. */
static void a_stale_place_in_the_log_is_no_end(void **state) {
	struct bench bench;
	const struct job job = { .act = ACT_READ_LOG, .log_cursor = 2, .log_max = 50 };

	bench_init(&bench);
	add_record(&bench, 27, "", 0);
	add_record(&bench, 27, "", 0);
	add_record(&bench, 32, "", 0);
	bench.is_stale = true;
	start_job(&bench, &job);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(bench.host.n_entries, 1);
	assert_int_equal(bench.host.entries[0].seq, 3);
	assert_int_equal(bench.host.entries[0].source, SOURCE_MANUAL);
	bench_free(&bench);
}

static struct job put_job(enum act act, const char *pin, int64_t ref) {
	struct job job = { .act = act };

	job.slot = (struct slot){ .type = CREDENTIAL_PIN, .ref = ref, .is_enabled = true };
	(void) secret_set_text(&job.slot.pin, pin);
	return job;
}

static void assert_code_op(const struct bench *bench, const char *hex) {
	uint8_t want[64];
	size_t n = 0;

	assert_int_equal(hex_decode_any(hex, want, sizeof(want), &n), 0);
	assert_int_equal(bench->n_code_op, n);
	assert_memory_equal(bench->code_op, want, n);
}

static void codes_are_put_changed_and_removed(void **state) {
	const struct ttlock_keys keys = good_keys();
	const int64_t ref = ttlock_ref(&keys, CREDENTIAL_PIN, "704128", 6);
	struct bench bench;
	struct job job = put_job(ACT_PUT_CREDENTIAL, "704128", 0);

	bench_init(&bench);
	start_job(&bench, &job);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(bench.host.result.ref, ref);
	assert_code_op(&bench, "02010637303431323800011f0e00");
	bench.listed = "704128";
	start(&bench, ACT_READ_USERS);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(bench.host.n_slots, 1);
	assert_int_equal(bench.host.slots[0].ref, ref);
	assert_int_equal(bench.host.slots[0].pin.len, 6);
	assert_false(bench.host.slots[0].is_limited);
	job = put_job(ACT_PUT_CREDENTIAL, "5566778", ref);
	start_job(&bench, &job);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_code_op(&bench, "0501"
			       "06373034313238"
			       "0735353636373738"
			       "00011f0e00");
	assert_int_not_equal(bench.host.result.ref, ref);
	job.slot.is_limited = true;           /* another kind: in place of the old one */
	job.slot.window.until.s = 1798761599; /* 2026-12-31T23:59:59Z */
	start_job(&bench, &job);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_code_op(&bench, "02030735353636373738"
			       "00011f0e00"
			       "1a0c1f173b");
	job = put_job(ACT_REMOVE_CREDENTIAL, "", ref);
	start_job(&bench, &job);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_code_op(&bench, "030106373034313238");
	bench.listed = "704129"; /* another one is not touched */
	bench.n_code_op = 0;
	start_job(&bench, &job);
	assert_outcome(&bench, FAULT_NO_SUCH_ENTRY, JOB_NOT_SENT);
	assert_int_equal(bench.n_code_op, 0);
	bench_free(&bench);
}

static void settings_are_written_and_read_again(void **state) {
	struct bench bench;
	struct job job = { .act = ACT_PUT_SETTING,
		.setting = { .key = "AutoRelockTime", .value = "300" } };
	struct fault fault = { .code = FAULT_NONE };

	bench_init(&bench);
	start_job(&bench, &job);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_string_equal(bench.host.settings[0].key, "AutoRelockTime");
	assert_string_equal(bench.host.settings[bench.host.n_settings - 1].value, "300");
	job.setting = (struct setting){ .key = "PassageMode", .value = "Tue,Mon 08:00-18:00" };
	assert_int_equal(bench.session->impl->start(bench.session, &job, &fault), -EINVAL);
	assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
	job.setting = (struct setting){ .key = "PassageMode", .value = "Mon,Tue 08:00-18:00" };
	start_job(&bench, &job);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	bench_free(&bench);
}

static void a_lost_link_ends_everything_once(void **state) {
	static const enum act acts[] = { ACT_UNLOCK, ACT_READ_STATE, ACT_READ_LOG, ACT_READ_USERS };

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		struct bench bench;

		bench_init(&bench);
		bench.is_mute = true;
		start(&bench, acts[i]);
		bench.session->impl->down(bench.session);
		assert_outcome(&bench, FAULT_LINK_LOST, JOB_NOT_SENT);
		bench.session->impl->up(bench.session, 23);
		bench.inbox.n = 0;
		bench.is_mute = false;
		start(&bench, ACT_READ_STATE);
		assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
		bench_free(&bench);
	}
}

static void a_reset_may_end_the_link(void **state) {
	struct bench bench;

	bench_init(&bench);
	start(&bench, ACT_READ_USERS); /* the administrator is in */
	bench.is_mute = true;
	start(&bench, ACT_UNPAIR);
	assert_int_equal(bench.host.n_done, 0);
	bench.session->impl->down(bench.session);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	bench_free(&bench);
}

/* ---- advertisements ---- */

static struct advert advert_of(uint8_t flags, uint8_t percent) {
	static const uint8_t tail[] = { 0, 0, 0, 0, 0x33, 0x22, 0x11, 0xcc, 0xbb, 0xaa };
	struct advert advert = { .address = "AA:BB:CC:11:22:33", .n_parts = 1 };

	advert.parts[0].company = 0x0305;
	advert.parts[0].n_bytes = 3 + sizeof(tail);
	advert.parts[0].bytes[0] = 2;
	advert.parts[0].bytes[1] = flags;
	advert.parts[0].bytes[2] = percent;
	memcpy(advert.parts[0].bytes + 3, tail, sizeof(tail));
	return advert;
}

static struct evidence hear(const struct lock_status *status, struct heard_memory *memory,
	uint8_t flags, uint8_t percent) {
	const struct ttlock_keys keys = good_keys();
	const struct advert advert = advert_of(flags, percent);
	struct evidence evidence = { .has = FACT_HEARD, .how = EVIDENCE_ADVERTISED };
	struct secret blob = { 0 };

	ttlock_keys_encode(&keys, &blob);
	ttlock_driver.hear(&blob, status, &advert, memory, &evidence);
	return evidence;
}

static void repetitions_are_no_news(void **state) {
	struct heard_memory memory = { 0 };
	struct lock_status status;
	struct evidence got;

	lock_status_init(&status);
	got = hear(&status, &memory, 0x00, 87);
	assert_int_equal(got.has, FACT_HEARD | FACT_BOLT | FACT_BATTERY);
	assert_int_equal(got.bolt.state, LOCK_STATE_LOCKED);
	assert_true(got.is_changed);
	status.bolt.state = LOCK_STATE_UNLOCKED; /* as it answered, after an unlocking */
	status.bolt_known.how = EVIDENCE_ANSWERED;
	status.battery_known.how = EVIDENCE_ANSWERED;
	status.battery.percent = 87;
	got = hear(&status, &memory, 0x00, 87); /* still the one from before */
	assert_int_equal(got.has, FACT_HEARD);
	assert_true(got.is_changed);             /* or not: a look will tell */
	got = hear(&status, &memory, 0x01, 100); /* 100 after each link */
	assert_int_equal(got.has, FACT_HEARD | FACT_BOLT);
	got = hear(&status, &memory, 0x01, 86);
	assert_int_equal(got.has, FACT_HEARD | FACT_BATTERY);
	assert_false(got.is_changed);
	assert_false(got.is_passing);
	got = hear(&status, &memory, 0x03, 87); /* there is something in the log */
	assert_true(got.is_changed && got.is_passing);
	got = hear(&status, &memory, 0x03, 87);
	assert_false(got.is_changed);
	got = hear(&status, &memory, 0x0b, 87); /* somebody stands there */
	assert_true(got.is_changed && got.is_passing);
	got = hear(&status, &memory, 0x04, 87); /* it was reset */
	assert_int_equal(got.has, FACT_HEARD);
}

static void locks_that_are_set_up_want_a_key(void **state) {
	struct advert advert = advert_of(0x04, 87);
	struct sighting sighting;

	strcpy(advert.name, "S534_332211");
	assert_true(ttlock_driver.sight(&advert, &sighting));
	assert_false(sighting.needs_key);
	assert_string_equal(sighting.model, "TTLock S534");
	assert_int_equal(sighting.variant, 2);
	advert.parts[0].bytes[1] = 0;
	assert_true(ttlock_driver.sight(&advert, &sighting));
	assert_true(sighting.needs_key);
	advert.parts[0].bytes[0] = 7; /* a parking lock */
	assert_false(ttlock_driver.sight(&advert, &sighting));
}

static void guests_may_only_move_it(void **state) {
	struct ttlock_keys keys = good_keys();
	struct secret blob = { 0 };
	struct lock_status status;

	lock_status_init(&status);
	ttlock_keys_encode(&keys, &blob);
	assert_true(ttlock_driver.acts(&blob, &status) & 1U << ACT_UNPAIR);
	assert_true(ttlock_driver.acts(&blob, &status) & 1U << ACT_PUT_CREDENTIAL);
	keys.is_admin = false;
	keys.is_ours = false;
	keys.features = 0;
	ttlock_keys_encode(&keys, &blob);
	const unsigned acts = ttlock_driver.acts(&blob, &status);
	assert_int_equal(acts & (1U << ACT_UNPAIR | 1U << ACT_PUT_CREDENTIAL | 1U << ACT_LOCK |
					1U << ACT_SET_TIME),
		0);
	assert_true(acts & 1U << ACT_UNLOCK);
	assert_int_equal(protocol_class(ttlock_driver.protocol(&blob, &status)), PROTOCOL_CLASS_C);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_up_makes_and_keeps_keys),
		cmocka_unit_test(a_lock_that_is_set_up_says_so),
		cmocka_unit_test(bolt_is_watched_until_it_is_there),
		cmocka_unit_test(news_are_looked_into),
		cmocka_unit_test(gate_holds_the_command_back),
		cmocka_unit_test(damage_is_asked_for_again_but_no_move),
		cmocka_unit_test(silence_after_a_move_is_doubt),
		cmocka_unit_test(half_a_command_is_none),
		cmocka_unit_test(refusals_have_their_names),
		cmocka_unit_test(another_key_is_found_out),
		cmocka_unit_test(neither_state_nor_record_is_a_jam),
		cmocka_unit_test(a_state_that_is_always_the_same_is_known),
		cmocka_unit_test(a_stale_place_in_the_log_is_no_end),
		cmocka_unit_test(log_is_read_from_where_it_ended),
		cmocka_unit_test(the_log_tells_where_the_door_is),
		cmocka_unit_test(codes_are_put_changed_and_removed),
		cmocka_unit_test(settings_are_written_and_read_again),
		cmocka_unit_test(a_lost_link_ends_everything_once),
		cmocka_unit_test(a_reset_may_end_the_link),
		cmocka_unit_test(repetitions_are_no_news),
		cmocka_unit_test(locks_that_are_set_up_want_a_key),
		cmocka_unit_test(guests_may_only_move_it),
	};

	return cmocka_run_group_tests_name("ttlock-session", tests, NULL, NULL);
}
