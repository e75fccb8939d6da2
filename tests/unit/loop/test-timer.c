/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "loop/loop.h"
#include "test.h"

static int setup(void **state) {
	*state = loop_new();
	return *state != NULL ? 0 : -1;
}

static int teardown(void **state) {
	loop_free(*state);
	return 0;
}

static mono_t now(struct loop *loop) {
	return clock_mono(loop_clock(loop));
}

struct shot {
	struct loop *loop;
	struct loop_timer *timer;
	int n;
	mono_t earliest, latest; /* bounds of when it is due */
	mono_t at;               /* when it was called last */
	bool frees_itself;
	uint64_t rearm_ms;
	struct shot *disarms;
};

static void on_shot(void *user) {
	struct shot *shot = user;
	shot->n++;
	shot->at = now(shot->loop);
	assert_false(loop_timer_is_armed(shot->timer));
	if (shot->disarms != NULL) {
		loop_timer_disarm(shot->disarms->timer);
	}
	if (shot->rearm_ms > 0) {
		loop_timer_arm(shot->timer, shot->rearm_ms);
		shot->rearm_ms = 0;
	}
	if (shot->frees_itself) {
		shot->timer = loop_timer_free(shot->timer);
	}
}

static struct shot shot_in(struct loop *loop) {
	return (struct shot){ .loop = loop };
}

static void shot_make(struct shot *shot) {
	shot->timer = loop_timer_new(shot->loop, on_shot, shot);
	assert_non_null(shot->timer);
}

static void turn_until(struct loop *loop, const int *n, int wanted) {
	mono_t give_up = mono_after(now(loop), 60000);
	while (*n < wanted && !mono_is_due(give_up, now(loop))) {
		loop_turn(loop, 100);
	}
	assert_int_equal(*n, wanted);
}

static void fires_once_and_never_early(void **state) {
	struct loop *loop = *state;
	struct shot shot = shot_in(loop);
	shot_make(&shot);
	for (int ms = 0; ms < 12; ms++) {
		shot.n = 0;
		mono_t due = mono_after(now(loop), ms);
		loop_timer_arm(shot.timer, (uint64_t) ms);
		assert_true(loop_timer_is_armed(shot.timer));
		turn_until(loop, &shot.n, 1);
		assert_true(mono_is_due(due, shot.at));
		loop_turn(loop, 3);
		assert_int_equal(shot.n, 1);
	}
	loop_timer_free(shot.timer);
}

/* libuv counts from when its turn began, which may be long ago. */
static void a_stalled_turn_does_not_make_it_early(void **state) {
	struct loop *loop = *state;
	struct shot shot = shot_in(loop);
	shot_make(&shot);
	loop_turn(loop, 0);
	usleep(50000);
	mono_t due = mono_after(now(loop), 20);
	loop_timer_arm(shot.timer, 20);
	turn_until(loop, &shot.n, 1);
	assert_true(mono_is_due(due, shot.at));
	loop_timer_free(shot.timer);
}

static void fires_at_an_instant_or_at_once_when_past(void **state) {
	struct loop *loop = *state;
	struct shot shot = shot_in(loop);
	shot_make(&shot);
	mono_t at = mono_after(now(loop), 15);
	loop_timer_arm_at(shot.timer, at);
	turn_until(loop, &shot.n, 1);
	assert_true(mono_is_due(at, shot.at));

	loop_timer_arm_at(shot.timer, (mono_t){ 0 });
	assert_int_equal(shot.n, 1); /* not from inside the call */
	loop_turn(loop, 1000);
	assert_int_equal(shot.n, 2);
	loop_timer_arm_at(shot.timer, (mono_t){ INT64_MIN / 2 });
	loop_turn(loop, 1000);
	assert_int_equal(shot.n, 3);
	loop_timer_free(shot.timer);
}

static void never_and_nearly_never_do_not_overflow(void **state) {
	struct loop *loop = *state;
	struct shot shot = shot_in(loop);
	shot_make(&shot);
	loop_timer_arm_at(shot.timer, MONO_NEVER);
	assert_false(loop_timer_is_armed(shot.timer));
	loop_timer_arm(shot.timer, UINT64_MAX);
	assert_false(loop_timer_is_armed(shot.timer));
	loop_timer_arm(shot.timer, INT64_MAX / 2);
	assert_true(loop_timer_is_armed(shot.timer));
	loop_turn(loop, 5);
	loop_timer_arm_at(shot.timer, (mono_t){ INT64_MAX - 1 });
	loop_turn(loop, 5);
	assert_int_equal(shot.n, 0);
	/* Arming for never takes back what was armed. */
	loop_timer_arm(shot.timer, 1);
	loop_timer_arm_at(shot.timer, MONO_NEVER);
	loop_turn(loop, 10);
	loop_turn(loop, 10);
	assert_int_equal(shot.n, 0);
	loop_timer_free(shot.timer);
}

static void arming_again_replaces(void **state) {
	struct loop *loop = *state;
	struct shot shot = shot_in(loop);
	shot_make(&shot);
	loop_timer_arm(shot.timer, 1);
	mono_t due = mono_after(now(loop), 40);
	loop_timer_arm(shot.timer, 40);
	turn_until(loop, &shot.n, 1);
	assert_true(mono_is_due(due, shot.at));
	loop_turn(loop, 5);
	assert_int_equal(shot.n, 1);

	loop_timer_arm(shot.timer, 1);
	loop_timer_disarm(shot.timer);
	loop_timer_disarm(shot.timer);
	assert_false(loop_timer_is_armed(shot.timer));
	loop_turn(loop, 10);
	assert_int_equal(shot.n, 1);
	loop_timer_free(shot.timer);
}

static void may_arm_itself_from_its_callback(void **state) {
	struct loop *loop = *state;
	struct shot shot = shot_in(loop);
	shot_make(&shot);
	shot.rearm_ms = 2;
	loop_timer_arm(shot.timer, 1);
	turn_until(loop, &shot.n, 2);
	assert_false(loop_timer_is_armed(shot.timer));
	loop_timer_free(shot.timer);
}

static void may_free_itself_from_its_callback(void **state) {
	struct loop *loop = *state;
	struct shot shot = shot_in(loop);
	shot_make(&shot);
	shot.frees_itself = true;
	loop_timer_arm(shot.timer, 1);
	turn_until(loop, &shot.n, 1);
	assert_null(shot.timer);
	loop_turn(loop, 1);
	assert_null(loop_timer_free(NULL));
}

/* Both are due in the same turn; the first takes the second back. */
static void one_may_disarm_another_that_is_due(void **state) {
	struct loop *loop = *state;
	struct shot first = shot_in(loop);
	struct shot second = shot_in(loop);
	shot_make(&first);
	shot_make(&second);
	first.disarms = &second;
	loop_timer_arm(first.timer, 1);
	loop_timer_arm(second.timer, 2);
	usleep(20000);
	turn_until(loop, &first.n, 1);
	loop_turn(loop, 10);
	assert_int_equal(second.n, 0);
	loop_timer_free(first.timer);
	loop_timer_free(second.timer);
}

static void on_again(void *user) {
	struct shot *shot = user;
	shot->n++;
	loop_timer_arm(shot->timer, 0);
}

/* libuv 1.44 would call it for ever and never come to anything else. */
static void one_that_is_always_due_starves_nobody(void **state) {
	struct loop *loop = *state;
	struct shot again = shot_in(loop);
	struct shot other = shot_in(loop);
	again.timer = loop_timer_new(loop, on_again, &again);
	shot_make(&other);
	loop_timer_arm(again.timer, 0);
	loop_timer_arm(other.timer, 5);
	uint64_t turns = loop_turns(loop);
	turn_until(loop, &other.n, 1);
	assert_true(again.n > 0);
	assert_true((uint64_t) again.n <= loop_turns(loop) - turns);
	loop_timer_free(again.timer);
	loop_timer_free(other.timer);
}

static void many_fire_in_order(void **state) {
	struct loop *loop = *state;
	enum { N = 200 };
	static struct shot shots[N];
	for (int i = 0; i < N; i++) {
		uint64_t ms = (uint64_t) (i * 7 % 40);
		shots[i] = shot_in(loop);
		shot_make(&shots[i]);
		/* We may be interrupted anywhere here. */
		shots[i].earliest = mono_after(now(loop), (int64_t) ms);
		loop_timer_arm(shots[i].timer, ms);
		shots[i].latest = mono_after(now(loop), (int64_t) ms + 2);
	}
	for (int i = 0; i < N; i++) {
		turn_until(loop, &shots[i].n, 1);
	}
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++) {
			if (shots[i].latest.ms < shots[j].earliest.ms) {
				assert_true(shots[i].at.ms <= shots[j].at.ms);
			}
		}
		loop_timer_free(shots[i].timer);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fires_once_and_never_early, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_stalled_turn_does_not_make_it_early, setup, teardown),
		cmocka_unit_test_setup_teardown(
			fires_at_an_instant_or_at_once_when_past, setup, teardown),
		cmocka_unit_test_setup_teardown(
			never_and_nearly_never_do_not_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(arming_again_replaces, setup, teardown),
		cmocka_unit_test_setup_teardown(may_arm_itself_from_its_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(may_free_itself_from_its_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_may_disarm_another_that_is_due, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_that_is_always_due_starves_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(many_fire_in_order, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
