/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Time control: read, put, removed, and what may go wrong with it. */

#include "nuki-bench.h"

#include <errno.h>

#include "nuki/driver.h"
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
		fail_msg("%u done, %s (%s), sent %d\n%s", bench.n_done,
			fault_name(bench.result.fault.code), bench.result.fault.detail,
			bench.result.sent, bench.traces);
	}
}

static int start(enum act act, const struct lock_timer *timer) {
	const struct job job = { .act = act, .timer = *timer };

	bench_clear(&bench);
	return bench_start_job(&bench, &job);
}

static void put(enum act act, const struct lock_timer *timer) {
	assert_int_equal(start(act, timer), 0);
	bench_run_with_timer(&bench, 3);
}

static void read_timers(void) {
	assert_int_equal(bench_start(&bench, ACT_READ_TIMERS), 0);
	bench_run_with_timer(&bench, 3);
}

static void timers_are_told(void **state) {
	for (enum nuki_generation generation = NUKI_GENERATION_1_TO_4;
		generation <= NUKI_GENERATION_5; generation++) {
		bench_init(&bench, generation);
		read_timers();
		assert_done();
		assert_int_equal(bench.n_writes, 2);
		assert_int_equal(bench.n_timers, 2);
		assert_int_equal(bench.timers[0].ref, 256); /* 0 there */
		assert_true(bench.timers[0].is_enabled);
		assert_int_equal(bench.timers[0].days, 0x3e); /* Monday to Friday */
		assert_int_equal(bench.timers[0].minute, 22 * 60 + 30);
		assert_int_equal(bench.timers[0].act, ACT_LOCK);
		assert_int_equal(bench.timers[1].ref, 1);
		assert_false(bench.timers[1].is_enabled);
		assert_int_equal(bench.timers[1].act, ACT_LOCK);
		bench.n_times = 0;
		read_timers();
		assert_done();
		assert_int_equal(bench.n_timers, 0);
		bench_finish(&bench);
	}
}

static void every_action_has_a_name(void **state) {
	static const enum act acts[] = { ACT_NONE, ACT_UNLOCK, ACT_LOCK, ACT_UNLATCH, ACT_LOCK_N_GO,
		ACT_LOCK_N_GO_UNLATCH, ACT_LOCK, ACT_NONE };
	struct lock_timer timer = bench_timer(ACT_PUT_TIMER);

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	for (uint8_t i = 0; i < ARRAY_SIZE(acts); i++) {
		bench.times[0].action = i;
		read_timers();
		assert_int_equal(bench.timers[0].act, acts[i]);
		timer.act = acts[i];
		if (acts[i] == ACT_NONE) {
			assert_true(start(ACT_PUT_TIMER, &timer) < 0);
			assert_int_equal(bench.result.fault.code, FAULT_NOT_SUPPORTED);
		} else {
			put(ACT_PUT_TIMER, &timer);
			assert_int_equal(bench.times[bench.n_times - 1].action,
				i == NUKI_ACTION_FULL_LOCK ? NUKI_ACTION_LOCK : i);
		}
	}
	bench_finish(&bench);
}

static void timers_are_put(void **state) {
	struct lock_timer timer = bench_timer(ACT_PUT_TIMER);

	bench_init(&bench, NUKI_GENERATION_5);
	put(ACT_PUT_TIMER, &timer);
	assert_done();
	assert_int_equal(bench.result.ref, 2);
	assert_int_equal(bench.n_writes, 2);
	assert_int_equal(bench.times[2].weekdays, 0x40);
	assert_int_equal(bench.times[2].time.hour, 22);
	assert_int_equal(bench.times[2].time.minute, 30);
	assert_int_equal(bench.times[2].enabled, 1);
	timer.ref = 256;
	timer.days = 0;
	timer.minute = 1439;
	timer.act = ACT_UNLATCH;
	timer.is_enabled = false;
	put(ACT_PUT_TIMER, &timer);
	assert_done();
	assert_int_equal(bench.result.ref, 256);
	assert_int_equal(bench.times[0].weekdays, 0);
	assert_int_equal(bench.times[0].time.hour, 23);
	assert_int_equal(bench.times[0].time.minute, 59);
	assert_int_equal(bench.times[0].action, NUKI_ACTION_UNLATCH);
	assert_int_equal(bench.times[0].enabled, 0);
	timer.ref = 0; /* a new one that is not to run: it takes a second message */
	put(ACT_PUT_TIMER, &timer);
	assert_done();
	assert_int_equal(bench.result.ref, 3);
	assert_int_equal(bench.n_writes, 4);
	assert_int_equal(bench.times[3].enabled, 0);
	timer.ref = 2;
	put(ACT_REMOVE_TIMER, &timer);
	assert_done();
	timer.ref = 256;
	put(ACT_REMOVE_TIMER, &timer);
	assert_done();
	read_timers();
	assert_int_equal(bench.n_timers, 2);
	put(ACT_REMOVE_TIMER, &timer);
	assert_failed(FAULT_BAD_PARAMETER, JOB_NOT_SENT);
	bench_finish(&bench);
}

static void odd_timers_are_not_sent(void **state) {
	static const struct lock_timer timers[] = {
		{ .ref = -1, .act = ACT_LOCK },
		{ .ref = 257, .act = ACT_LOCK },
		{ .days = 0x80, .act = ACT_LOCK },
		{ .minute = -1, .act = ACT_LOCK },
		{ .minute = 1440, .act = ACT_LOCK },
		{ .act = ACT_CALIBRATE },
	};

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
		assert_true(start(ACT_PUT_TIMER, &timers[i]) < 0);
		assert_int_equal(bench.n_writes, 0);
	}
	assert_true(start(ACT_REMOVE_TIMER, &timers[1]) < 0);
	assert_true(start(ACT_REMOVE_TIMER, &timers[5]) < 0); /* no id */
	bench_finish(&bench);
}

static void what_is_not_complete_does_not_count(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	for (int more = -1; more <= 1; more += 2) {
		bench.announce_more = more;
		read_timers();
		assert_failed(FAULT_PROTOCOL_ERROR, JOB_NOT_SENT);
		assert_int_equal(bench.n_writes, 2); /* there are no pages to be asked for */
	}
	bench.announce_more = 0;
	bench.is_list_endless = true;
	read_timers();
	assert_done();
	bench.announce_more = 1;
	read_timers();
	assert_failed(FAULT_LOCK_SILENT, JOB_NOT_SENT);
	bench_finish(&bench);
}

static void link_lost_in_a_change(void **state) {
	static const enum act acts[] = { ACT_PUT_TIMER, ACT_REMOVE_TIMER, ACT_READ_TIMERS };

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		for (unsigned n_events = 0;; n_events++) {
			bench_init(&bench, NUKI_GENERATION_1_TO_4);
			bench_start(&bench, acts[i]);
			for (unsigned k = 0; k < n_events && bench.n_done == 0; k++) {
				bench_step(&bench);
			}
			const bool was_done = bench.n_done > 0;
			bench.session->impl->down(bench.session);
			if (!was_done) {
				assert_failed(FAULT_LINK_LOST,
					bench.is_maybe_sent ? JOB_MAYBE_SENT : JOB_NOT_SENT);
			}
			bench_finish(&bench);
			if (was_done) {
				assert_true(n_events >= 4);
				break;
			}
		}
	}
}

/* Who asks for no timers has no hook for them. */
static void hosts_may_have_no_timers(void **state) {
	struct session_host host = bench_host;

	host.timers = NULL;
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.session = bench.session->impl->free(bench.session);
	struct secret keys = bench_keys(&bench, true);
	bench.session = nuki_session_new(&keys, &host, &bench);
	bench.session->impl->up(bench.session, 247);
	assert_true(bench_start(&bench, ACT_READ_TIMERS) < 0);
	assert_int_equal(bench.result.fault.code, FAULT_NOT_SUPPORTED);
	const unsigned acts = 1U << ACT_READ_TIMERS | 1U << ACT_PUT_TIMER | 1U << ACT_REMOVE_TIMER;
	assert_int_equal(nuki_driver.acts(&keys, NULL) & acts, acts);
	bench_finish(&bench);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_are_told),
		cmocka_unit_test(every_action_has_a_name),
		cmocka_unit_test(timers_are_put),
		cmocka_unit_test(odd_timers_are_not_sent),
		cmocka_unit_test(what_is_not_complete_does_not_count),
		cmocka_unit_test(link_lost_in_a_change),
		cmocka_unit_test(hosts_may_have_no_timers),
	};

	return cmocka_run_group_tests_name("nuki-timers", tests, NULL, NULL);
}
