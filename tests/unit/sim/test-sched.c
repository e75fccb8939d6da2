/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int order[1000];
static size_t n_order;

static void note(void *user) {
	order[n_order++] = (int) (intptr_t) user;
}

static void jobs_run_in_order(void **state) {
	struct sched *sched = sched_new(1);
	struct sched_job jobs[500];
	n_order = 0;
	sched_set_real(sched, (mono_t){ 5000 });
	for (int i = 0; i < 500; i++) {
		sched_job_init(&jobs[i], note, (void *) (intptr_t) (i * 37 % 500));
		sched_arm(sched, &jobs[i], 10 + i * 37 % 500);
	}
	for (int i = 0; i < 500; i += 5) {
		sched_disarm(sched, &jobs[i]);
		assert_false(sched_is_armed(&jobs[i]));
	}
	assert_int_equal(sched_wait_ms(sched), 11);
	sched_run(sched);
	assert_int_equal(n_order, 0);
	sched_set_real(sched, (mono_t){ 6000 });
	sched_run(sched);
	assert_int_equal(n_order, 400);
	for (size_t i = 1; i < n_order; i++) {
		assert_true(order[i - 1] < order[i]);
	}
	assert_int_equal(sched_wait_ms(sched), INT64_MAX);
	sched_free(sched);
}

static void equal_times_are_first_come_first_served(void **state) {
	struct sched *sched = sched_new(1);
	struct sched_job jobs[20];
	n_order = 0;
	sched_set_real(sched, (mono_t){ 0 });
	for (int i = 0; i < 20; i++) {
		sched_job_init(&jobs[i], note, (void *) (intptr_t) i);
		sched_arm(sched, &jobs[i], 5);
	}
	sched_set_real(sched, (mono_t){ 5 });
	sched_run(sched);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(order[i], i);
	}
	sched_free(sched);
}

static void speed_scales(void **state) {
	struct sched *sched = sched_new(10);
	struct sched_job job;
	sched_job_init(&job, note, NULL);
	sched_set_real(sched, (mono_t){ 1000 });
	sched_arm(sched, &job, 2000);
	assert_int_equal(sched_wait_ms(sched), 200);
	mono_t before = sched_now(sched);
	sched_set_real(sched, (mono_t){ 1100 });
	assert_int_equal(mono_since(before, sched_now(sched)), 1000);
	assert_int_equal(sched_wait_ms(sched), 100);
	/* Time never goes back, whatever the caller says. */
	mono_t there = sched_set_real(sched, (mono_t){ 900 });
	assert_int_equal(mono_since(before, there), 1000);
	sched_disarm(sched, &job);
	sched_free(sched);
}

static void arming_again_moves(void **state) {
	struct sched *sched = sched_new(1);
	struct sched_job job;
	n_order = 0;
	sched_job_init(&job, note, NULL);
	sched_set_real(sched, (mono_t){ 0 });
	sched_arm(sched, &job, 5);
	sched_arm(sched, &job, 50);
	sched_set_real(sched, (mono_t){ 49 });
	sched_run(sched);
	assert_int_equal(n_order, 0);
	sched_set_real(sched, (mono_t){ 50 });
	sched_run(sched);
	assert_int_equal(n_order, 1);
	sched_arm_at(sched, &job, MONO_NEVER);
	assert_false(sched_is_armed(&job));
	sched_free(sched);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_run_in_order),
		cmocka_unit_test(equal_times_are_first_come_first_served),
		cmocka_unit_test(speed_scales),
		cmocka_unit_test(arming_again_moves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
