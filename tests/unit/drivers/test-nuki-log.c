/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reading the lock's log: exactly the entries above the cursor, each once, oldest first, whatever
 * the lock repeats, leaves out or cuts off (L3).
 */

#include "nuki-bench.h"

#include "util/auto.h"

static struct bench bench;

static void assert_done(void) {
	if (bench.n_done != 1 || bench.result.fault.code != FAULT_NONE) {
		fail_msg("not done: %u, %s: %s\n%s", bench.n_done,
			fault_name(bench.result.fault.code), bench.result.fault.detail,
			bench.traces);
	}
}

static void assert_failed(enum fault_code code, enum job_sent sent) {
	if (bench.n_done != 1 || bench.result.fault.code != code || bench.result.sent != sent) {
		fail_msg("%u done, %s, sent %d\n%s", bench.n_done,
			fault_name(bench.result.fault.code), bench.result.sent, bench.traces);
	}
}

static void read_log(int64_t cursor, unsigned max) {
	const struct job job = { .act = ACT_READ_LOG, .log_cursor = cursor, .log_max = max };

	bench.n_done = 0;
	bench.n_writes = 0;
	bench.n_log = 0;
	assert_int_equal(bench_start_job(&bench, &job), 0);
	bench_run_with_timer(&bench, 5);
}

static void assert_entries(int64_t first, size_t n) {
	assert_int_equal(bench.n_log, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(bench.log[i].seq, first + (int64_t) i);
	}
}

static void log_each_entry_once(void **state) {
	for (unsigned is_inclusive = 0; is_inclusive < 2; is_inclusive++) {
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench.is_log_inclusive = is_inclusive != 0;
		bench.log_newest = 300;
		read_log(0, 1000);
		assert_done();
		assert_entries(1, 300);
		assert_false(bench.result.is_log_more);
		for (unsigned max = 1; max <= 200; max += 7) {
			read_log(100, max);
			assert_done();
			assert_entries(101, max);
			assert_true(bench.result.is_log_more);
		}
		read_log(100, 200);
		assert_entries(101, 200);
		/* One that repeats the entry asked from leaves it open; the next read ends it. */
		assert_int_equal(bench.result.is_log_more, is_inclusive);
		read_log(300, 50);
		assert_done();
		assert_entries(301, 0);
		assert_false(bench.result.is_log_more);
		read_log(299, 1);
		assert_entries(300, 1);
		assert_int_equal(bench.result.is_log_more, is_inclusive);
		read_log(300, 1);
		assert_entries(301, 0);
		assert_false(bench.result.is_log_more);
		bench_finish(&bench);
	}
}

/* The lock keeps about a thousand: what is gone is gone, the rest comes once. */
static void log_that_has_wrapped(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.log_first = 4001;
	bench.log_newest = 5000;
	read_log(1200, 2000);
	assert_done();
	assert_entries(4001, 1000);
	assert_false(bench.result.is_log_more);
	bench_finish(&bench);
}

static void log_without_an_end(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.is_log_endless = true;
	read_log(0, 50);
	assert_done();
	assert_entries(1, 20);
	assert_true(bench.result.is_log_more); /* who knows */
	bench.log_newest = 0;
	read_log(0, 50);
	assert_failed(FAULT_LOCK_SILENT, JOB_NOT_SENT);
	bench_finish(&bench);
}

static void log_out_of_order(void **state) {
	static const uint32_t indices[] = { 3, 5, 4, 5, 0, 6, 0xffffffff, 7 };
	struct nuki_message message;

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	const struct job job = { .act = ACT_READ_LOG, .log_cursor = 2, .log_max = 5 };
	bench_start_job(&bench, &job);
	bench_step(&bench);
	bench_step(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(indices); i++) {
		nuki_message_init(&message, NUKI_LOG_ENTRY, NUKI_GENERATION_1_TO_4);
		message.log_entry.index = indices[i];
		bench_send(&bench, &message);
	}
	bench_send_status(&bench, NUKI_STATUS_COMPLETE);
	bench.log_newest = 0;
	bench_run(&bench); /* fewer than asked for were new: it looks once more */
	assert_done();
	assert_int_equal(bench.n_log, 4);
	for (size_t i = 1; i < bench.n_log; i++) {
		assert_true(bench.log[i].seq > bench.log[i - 1].seq);
	}
	bench_finish(&bench);
}

static void log_entries_survive_a_lost_link(void **state) {
	for (unsigned n_entries = 0; n_entries <= 20; n_entries++) {
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench_start(&bench, ACT_READ_LOG);
		for (unsigned k = 0; k < 4 + n_entries; k++) { /* with the head */
			bench_step(&bench);
		}
		bench.session->impl->down(bench.session);
		assert_failed(FAULT_LINK_LOST, JOB_NOT_SENT);
		assert_entries(1, n_entries);
		bench_finish(&bench);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_each_entry_once),
		cmocka_unit_test(log_that_has_wrapped),
		cmocka_unit_test(log_without_an_end),
		cmocka_unit_test(log_out_of_order),
		cmocka_unit_test(log_entries_survive_a_lost_link),
	};

	return cmocka_run_group_tests_name("nuki-log", tests, NULL, NULL);
}
