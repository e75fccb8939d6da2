/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A lock that learns cards and fingers from whoever stands at it. */

#include "../../test.h"

#include <errno.h>

#include "session-host.h"
#include "ttlock/driver.h"
#include "ttlock/frame.h"
#include "ttlock/keys.h"
#include "ttlock/log.h"
#include "ttlock/message.h"
#include "ttlock/session.h"
#include "util/bytes.h"

#define LEARN_S 25

static const uint8_t lock_key[TTLOCK_KEY_LEN] = "0123456789abcde";

struct bench {
	struct host host; /* first: it is what the session gets */
	struct session *session;
	struct ttlock_inbox inbox; /* the lock's */
	bool has_written;
	uint8_t command; /* of what is learnt */
	uint8_t list[64];
	size_t n_list;
	int error;       /* what a change is answered with; -1: it is done */
	uint8_t ops[64]; /* the last request of that command that was no list */
	size_t n_ops;
	unsigned n_learns, n_told, n, n_all;
};

static void host_write(void *host, const char *characteristic, const uint8_t *buf, size_t n) {
	struct bench *bench = host;

	assert_false(bench->has_written);
	bench->has_written = true;
	ttlock_inbox_put(&bench->inbox, buf, n);
}

static void host_presenting(void *host, unsigned n, unsigned n_all) {
	struct bench *bench = host;

	bench->n_told++;
	bench->n = n;
	bench->n_all = n_all;
}

static const struct session_host host_impl = { SESSION_HOST_CALLS, .write = host_write,
	.presenting = host_presenting };

static struct ttlock_keys good_keys(uint64_t features) {
	struct ttlock_keys keys = {
		.head = { 2, 1, 1 },
		.is_admin = true,
		.is_ours = true,
		.admin = 12345678,
		.unlock = 87654321,
		.features = features,
	};

	memcpy(keys.key, lock_key, sizeof(lock_key));
	return keys;
}

static void bench_init(struct bench *bench, uint8_t command, uint64_t features) {
	const struct ttlock_keys keys = good_keys(features);
	struct secret blob = { 0 };

	memset(bench, 0, sizeof(*bench));
	bench->command = command;
	bench->error = -1;
	ttlock_keys_encode(&keys, &blob);
	bench->session = ttlock_session_new(&blob, &host_impl, bench);
	assert_non_null(bench->session);
	bench->session->impl->up(bench->session, 23);
}

static void bench_free(struct bench *bench) {
	bench->session->impl->free(bench->session);
}

static void say(struct bench *bench, const uint8_t *plain, size_t n_plain) {
	const struct ttlock_head head = { 2, 10, 12 };
	uint8_t frame[TTLOCK_FRAME_MAX];
	const size_t n = ttlock_frame(&head, TTLOCK_ANSWER, lock_key, plain, n_plain, frame);

	bench->session->impl->bytes(bench->session, TTLOCK_FROM_LOCK, frame, n);
}

static void say_hex(struct bench *bench, const char *hex) {
	uint8_t plain[64];
	size_t n = 0;

	assert_int_equal(hex_decode_any(hex, plain, sizeof(plain), &n), 0);
	say(bench, plain, n);
}

/* To a list, to "learn", and to what changes one. */
static size_t answer_token(struct bench *bench, const uint8_t *in, size_t n, uint8_t *out) {
	const bool is_list = n == 3;

	if (is_list) {
		memcpy(out, bench->list, bench->n_list);
		return bench->n_list;
	}
	memcpy(bench->ops, in, n);
	bench->n_ops = n;
	out[0] = 45;
	out[1] = in[0];
	if (n == 1) {
		bench->n_learns++;
		out[2] = 2;
		out[3] = 4;
		return bench->command == TTLOCK_FINGER ? 4 : 3;
	}
	return 2;
}

static bool lock_reads(struct bench *bench) {
	struct ttlock_received frame;
	uint8_t plain[TTLOCK_PLAIN_MAX];
	uint8_t out[TTLOCK_PLAIN_MAX] = { 0, 1 };
	size_t n_out = 0;

	if (!ttlock_inbox_take(&bench->inbox, &frame)) {
		return false;
	}
	const ssize_t n = ttlock_open(lock_key, frame.cipher, frame.n_cipher, plain);
	assert_true(n >= 0);
	out[0] = frame.command;
	if (frame.command == TTLOCK_ADMIN) {
		memcpy(out + 2, "\x1d\xb7\x8a\x8f", 4);
		n_out = 4;
	} else if (frame.command == TTLOCK_CODE_LIST) {
		n_out = 2; /* empty */
	} else if (frame.command == bench->command) {
		n_out = answer_token(bench, plain, (size_t) n, out + 2);
		if (bench->error >= 0 && n > 3) {
			out[1] = 0;
			out[2] = (uint8_t) bench->error;
			n_out = 1;
		}
	}
	say(bench, out, n_out + 2);
	return true;
}

static void run(struct bench *bench) {
	for (;;) {
		if (lock_reads(bench)) {
			continue;
		}
		if (bench->has_written) {
			bench->has_written = false;
			bench->session->impl->written(bench->session, 0, RADIO_MAYBE_SENT);
		} else if (bench->host.timer_ms == TTLOCK_CHUNK_MS) {
			bench->host.timer_ms = 0;
			bench->session->impl->timer(bench->session);
		} else {
			return;
		}
	}
}

static struct job job_of(enum act act, enum credential_type type, int64_t ref) {
	return (struct job){ .act = act,
		.learn_s = LEARN_S,
		.slot = { .type = type, .ref = ref, .is_enabled = true } };
}

static void start(struct bench *bench, const struct job *job) {
	struct fault fault = { .code = FAULT_NONE };

	bench->host.n_done = 0;
	bench->n_ops = 0;
	bench->n_learns = 0;
	bench->n_told = 0;
	assert_int_equal(bench->session->impl->start(bench->session, job, &fault), 0);
	run(bench);
}

/* Until the lock waits. */
static void learn(struct bench *bench, enum credential_type type) {
	const struct job job = job_of(ACT_PUT_CREDENTIAL, type, 0);

	start(bench, &job);
	assert_int_equal(bench->host.n_done, 0);
	assert_int_equal(bench->n_learns, 1);
	assert_int_equal(bench->n_told, 1);
	assert_int_equal(bench->n, 0);
	assert_int_equal(bench->host.timer_ms, LEARN_S * 1000);
}

static void assert_failed(const struct bench *bench, enum fault_code code) {
	assert_int_equal(bench->host.n_done, 1);
	assert_int_equal(bench->host.result.fault.code, code);
	assert_int_equal(bench->host.result.sent, JOB_MAYBE_SENT);
}

static void assert_ops(const struct bench *bench, const char *hex) {
	uint8_t want[64];
	size_t n = 0;

	assert_int_equal(hex_decode_any(hex, want, sizeof(want), &n), 0);
	assert_int_equal(bench->n_ops, n);
	assert_memory_equal(bench->ops, want, n);
}

/* ---- cases ---- */

static void a_card_is_learnt_and_limited(void **state) {
	const struct ttlock_keys keys = good_keys(0x7);
	struct bench bench;

	bench_init(&bench, TTLOCK_CARD, 0x7);
	learn(&bench, CREDENTIAL_RFID);
	assert_ops(&bench, "02");
	say_hex(&bench, "14012d0002"); /* strays and silence change nothing */
	assert_int_equal(bench.host.timer_ms, LEARN_S * 1000);
	say_hex(&bench, "05012d0201aabbccdd");
	run(&bench);
	assert_int_equal(bench.host.n_done, 1);
	assert_int_equal(bench.host.result.fault.code, FAULT_NONE);
	assert_int_equal(
		bench.host.result.ref, ttlock_ref(&keys, CREDENTIAL_RFID, "\xaa\xbb\xcc\xdd", 4));
	assert_ops(&bench, "05aabbccdd00011f0e00630c1f0e00");
	assert_int_equal(bench.n_told, 1);
	bench_free(&bench);
}

static void a_finger_is_laid_on_as_often_as_it_takes(void **state) {
	const struct ttlock_keys keys = good_keys(0x7);
	struct job job = job_of(ACT_PUT_CREDENTIAL, CREDENTIAL_FINGERPRINT, 0);
	struct bench bench;

	bench_init(&bench, TTLOCK_FINGER, 0x7);
	job.slot.is_limited = true;
	job.slot.window.until.s = 1798761599; /* 2026-12-31T23:59:59Z */
	start(&bench, &job);
	assert_int_equal(bench.n_all, 4);
	say_hex(&bench, "06012d02030104");
	assert_int_equal(bench.n, 1);
	assert_int_equal(bench.n_all, 4);
	bench.host.timer_ms = 1; /* it has waited nearly too long */
	say_hex(&bench, "06012d02030204");
	assert_int_equal(bench.n, 2);
	assert_int_equal(bench.host.timer_ms, LEARN_S * 1000);
	say_hex(&bench, "06012d0201001cbe991a14");
	run(&bench);
	assert_int_equal(bench.host.n_done, 1);
	assert_int_equal(bench.host.result.fault.code, FAULT_NONE);
	assert_int_equal(bench.host.result.ref,
		ttlock_ref(&keys, CREDENTIAL_FINGERPRINT, "\x00\x1c\xbe\x99\x1a\x14", 6));
	assert_ops(&bench, "05001cbe991a1400011f0e001a0c1f173b");
	bench_free(&bench);
}

/* Its number is a short one with zeros before it, or ones behind it, unless it is neither. */
static void a_number_may_be_filled_up(void **state) {
	static const struct {
		const char *said, *id, *change;
		size_t n_id;
	} rows[] = {
		/* vector 057 */
		{ "05015a020100000000aabbccdd", "\xaa\xbb\xcc\xdd",
			"05aabbccdd00011f0e00630c1f0e00", 4 },
		{ "05015a0201aabbccddffffffff", "\xaa\xbb\xcc\xdd",
			"05aabbccdd00011f0e00630c1f0e00", 4 },
		{ "05015a020100000001aabbccdd", "\0\0\0\1\xaa\xbb\xcc\xdd",
			"0500000001aabbccdd00011f0e00630c1f0e00", 8 },
	};
	const struct ttlock_keys keys = good_keys(0x7);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench bench;

		bench_init(&bench, TTLOCK_CARD, 0x7);
		learn(&bench, CREDENTIAL_RFID);
		say_hex(&bench, rows[i].said);
		run(&bench);
		assert_int_equal(bench.host.result.ref,
			ttlock_ref(&keys, CREDENTIAL_RFID, rows[i].id, rows[i].n_id));
		assert_ops(&bench, rows[i].change);
		bench_free(&bench);
	}
}

static void nobody_comes(void **state) {
	struct bench bench;

	bench_init(&bench, TTLOCK_CARD, 0x7);
	learn(&bench, CREDENTIAL_RFID);
	bench.host.timer_ms = 0;
	bench.session->impl->timer(bench.session);
	assert_failed(&bench, FAULT_NOT_PRESENTED);
	assert_string_equal(
		bench.host.result.fault.detail, "no card was held to the lock within 25 s");
	assert_int_equal(bench.host.result.ref, 0);
	say_hex(&bench, "05012d0201aabbccdd"); /* too late */
	assert_int_equal(bench.host.n_done, 1);
	bench_free(&bench);
}

static void the_lock_gives_up(void **state) {
	struct bench bench;

	bench_init(&bench, TTLOCK_FINGER, 0x7);
	learn(&bench, CREDENTIAL_FINGERPRINT);
	say_hex(&bench, "060013");
	assert_failed(&bench, FAULT_NOT_PRESENTED);
	learn(&bench, CREDENTIAL_FINGERPRINT);
	bench_free(&bench);
	bench_init(&bench, TTLOCK_CARD, 0x7);
	learn(&bench, CREDENTIAL_RFID);
	say_hex(&bench, "050016");
	assert_failed(&bench, FAULT_LIST_FULL);
	bench_free(&bench);
}

/* It has it, though not its limits: whoever asked must know its number. */
static void limits_that_are_refused_leave_its_number(void **state) {
	struct bench bench;

	bench_init(&bench, TTLOCK_CARD, 0x7);
	bench.error = 0x20;
	learn(&bench, CREDENTIAL_RFID);
	say_hex(&bench, "05012d0201aabbccdd");
	run(&bench);
	assert_int_equal(bench.host.n_done, 1);
	assert_int_not_equal(bench.host.result.fault.code, FAULT_NONE);
	assert_int_not_equal(bench.host.result.ref, 0);
	bench_free(&bench);
}

static void a_lost_link_ends_the_waiting(void **state) {
	struct bench bench;

	bench_init(&bench, TTLOCK_CARD, 0x7);
	learn(&bench, CREDENTIAL_RFID);
	bench.session->impl->down(bench.session);
	assert_failed(&bench, FAULT_LINK_LOST);
	assert_non_null(strstr(bench.host.result.fault.detail, "waiting for somebody"));
	bench_free(&bench);
}

static void nonsense_is_no_number(void **state) {
	static const char *const bad[] = { "05012d0201aabb", "05012d0209", "05012d02",
		"05012d0501" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct bench bench;

		bench_init(&bench, TTLOCK_CARD, 0x7);
		learn(&bench, CREDENTIAL_RFID);
		say_hex(&bench, bad[i]);
		assert_failed(&bench, FAULT_PROTOCOL_ERROR);
		bench_free(&bench);
	}
}

/* Nobody could make it again: it is limited to a minute long ago, and read back as off. */
static void what_is_off_is_not_removed(void **state) {
	const struct ttlock_keys keys = good_keys(0x7);
	const int64_t ref = ttlock_ref(&keys, CREDENTIAL_RFID, "\xaa\xbb\xcc\xdd", 4);
	struct job job = job_of(ACT_PUT_CREDENTIAL, CREDENTIAL_RFID, ref);
	static const uint8_t on[] = { 45, 1, 0xff, 0xff, 0xaa, 0xbb, 0xcc, 0xdd, 0, 1, 31, 14, 0,
		99, 12, 31, 14, 0 };
	static const uint8_t off[] = { 45, 1, 0xff, 0xff, 0xaa, 0xbb, 0xcc, 0xdd, 0, 1, 1, 0, 0, 0,
		1, 1, 0, 0 };
	struct bench bench;

	bench_init(&bench, TTLOCK_CARD, 0x3);
	memcpy(bench.list, on, sizeof(on));
	bench.n_list = sizeof(on);
	job.slot.is_enabled = false;
	start(&bench, &job);
	assert_int_equal(bench.host.result.fault.code, FAULT_NONE);
	assert_int_equal(bench.host.result.ref, ref);
	assert_ops(&bench, "05aabbccdd00010100000001010000");
	memcpy(bench.list, off, sizeof(off));
	job = job_of(ACT_READ_USERS, CREDENTIAL_NONE, 0);
	start(&bench, &job);
	assert_int_equal(bench.host.result.fault.code, FAULT_NONE);
	assert_int_equal(bench.host.n_slots, 1);
	assert_int_equal(bench.host.slots[0].ref, ref);
	assert_false(bench.host.slots[0].is_enabled);
	assert_false(bench.host.slots[0].is_limited);
	bench_free(&bench);
}

static void a_lock_without_a_reader_learns_nothing(void **state) {
	const struct job card = job_of(ACT_PUT_CREDENTIAL, CREDENTIAL_RFID, 0);
	const struct job finger = job_of(ACT_PUT_CREDENTIAL, CREDENTIAL_FINGERPRINT, 0);
	struct ttlock_keys keys = good_keys(0x1);
	const struct credential_limits *limits;
	struct lock_status status;
	struct secret blob = { 0 };
	struct bench bench;
	struct fault fault;

	bench_init(&bench, TTLOCK_CARD, 0x1);
	assert_true(bench.session->impl->start(bench.session, &card, &fault) < 0);
	assert_true(bench.session->impl->start(bench.session, &finger, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NOT_SUPPORTED);
	bench_free(&bench);
	lock_status_init(&status);
	for (unsigned i = 0; i < 4; i++) {
		keys.features = 1 | i << 1;
		ttlock_keys_encode(&keys, &blob);
		limits = ttlock_driver.credentials(&blob, &status);
		assert_int_equal(limits->learns,
			(i & 1U) << CREDENTIAL_RFID | (i >> 1) << CREDENTIAL_FINGERPRINT);
		assert_int_equal(limits->types, limits->learns | 1U << CREDENTIAL_PIN);
	}
}

int main(void) {
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_is_learnt_and_limited),
		cmocka_unit_test(a_finger_is_laid_on_as_often_as_it_takes),
		cmocka_unit_test(a_number_may_be_filled_up),
		cmocka_unit_test(nobody_comes),
		cmocka_unit_test(the_lock_gives_up),
		cmocka_unit_test(limits_that_are_refused_leave_its_number),
		cmocka_unit_test(a_lost_link_ends_the_waiting),
		cmocka_unit_test(nonsense_is_no_number),
		cmocka_unit_test(what_is_off_is_not_removed),
		cmocka_unit_test(a_lock_without_a_reader_learns_nothing),
	};

	return cmocka_run_group_tests_name("ttlock-learn", tests, NULL, NULL);
}
