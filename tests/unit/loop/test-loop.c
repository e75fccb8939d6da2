/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/loop.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static int setup(void **state) {
	*state = loop_new();
	return *state != NULL ? 0 : -1;
}

static int teardown(void **state) {
	loop_free(*state);
	return 0;
}

static void count(void *user) {
	(*(int *) user)++;
}

static void never(void *user) {
	(void) user;
	fail_msg("called although it must not be");
}

static void never_fd(void *user, int events) {
	(void) user;
	(void) events;
	fail_msg("called although it must not be");
}

static void never_signal(void *user, int signum) {
	(void) user;
	(void) signum;
	fail_msg("called although it must not be");
}

static void nap(void *user) {
	(void) user;
	usleep(20000);
}

static void free_survives_leftover_handles(void **state) {
	(void) state;
	int fds[2];
	int n_released = 0;
	assert_int_equal(pipe(fds), 0);
	struct loop *loop = loop_new();
	assert_non_null(loop);
	struct loop_timer *armed = loop_timer_new(loop, never, NULL);
	assert_non_null(armed);
	loop_timer_arm(armed, 0);
	assert_non_null(loop_timer_new(loop, never, NULL));
	struct loop_fd *watch = loop_fd_new(loop, fds[1], never_fd, NULL);
	assert_non_null(watch);
	assert_int_equal(loop_fd_watch(watch, LOOP_WRITE), 0);
	struct loop_wakeup *wakeup = loop_wakeup_new(loop, never, NULL);
	assert_non_null(wakeup);
	loop_wakeup_send(wakeup);
	assert_non_null(loop_signal_new(loop, SIGUSR2, never_signal, NULL));
	assert_non_null(loop_work_run(loop, nap, never, count, &n_released));
	loop_set_before_sleep(loop, never, NULL);
	/* One that is closing already must not be closed twice. */
	assert_null(loop_timer_free(loop_timer_new(loop, never, NULL)));
	assert_null(loop_free(loop));
	assert_int_equal(n_released, 1);
	assert_null(loop_free(NULL));
	close(fds[0]);
	close(fds[1]);
}

static void stop_in_timer(void *user) {
	loop_stop(user, 42);
}

static void run_lasts_until_stop_and_gives_its_status(void **state) {
	struct loop *loop = *state;
	struct loop_timer *timer = loop_timer_new(loop, stop_in_timer, loop);
	loop_timer_arm(timer, 5);
	assert_int_equal(loop_run(loop), 42);
	loop_timer_arm(timer, 0);
	assert_int_equal(loop_run(loop), 42); /* a second time as well */
	loop_timer_free(timer);
}

static void *stop_from_thread(void *user) {
	usleep(30000);
	loop_wakeup_send(user);
	return NULL;
}

/* With no handle of the program's own in it, uv_run() alone would spin or return. */
static void an_empty_loop_sleeps_until_woken_from_a_thread(void **state) {
	struct loop *loop = *state;
	struct loop_wakeup *wakeup = loop_wakeup_new(loop, stop_in_timer, loop);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, stop_from_thread, wakeup), 0);
	uint64_t turns = loop_turns(loop);
	assert_int_equal(loop_run(loop), 42);
	assert_true(loop_turns(loop) - turns <= 4);
	pthread_join(thread, NULL);
	assert_null(loop_wakeup_free(wakeup));
	assert_null(loop_wakeup_free(NULL));
}

static void many_sends_arrive_at_least_once(void **state) {
	struct loop *loop = *state;
	int n = 0;
	struct loop_wakeup *wakeup = loop_wakeup_new(loop, count, &n);
	for (int i = 0; i < 1000; i++) {
		loop_wakeup_send(wakeup);
	}
	loop_turn(loop, 100);
	assert_in_range(n, 1, 2);
	int n_before = n;
	loop_wakeup_send(wakeup); /* nothing is lost that comes after it was seen */
	loop_turn(loop, 100);
	assert_int_equal(n, n_before + 1);
	loop_wakeup_free(wakeup);
}

static void turn_waits_no_longer_than_told(void **state) {
	struct loop *loop = *state;
	const struct clock *clock = loop_clock(loop);
	mono_t start = clock_mono(clock);
	/* There is nothing else in the loop: too long would be for ever. */
	loop_turn(loop, 30);
	assert_in_range(mono_since(start, clock_mono(clock)), 29, 20000);
	loop_turn(loop, 0);
}

static struct loop_timer *hooked_timer;

static void arm_once(void *user) {
	int *n = user;
	if ((*n)++ == 0) {
		loop_timer_arm(hooked_timer, 0);
	}
}

/* A timer armed in the hook must shorten the very sleep that follows it. */
static void hook_comes_before_the_sleep(void **state) {
	struct loop *loop = *state;
	int n_fired = 0;
	int n_hooked = 0;
	hooked_timer = loop_timer_new(loop, count, &n_fired);
	loop_set_before_sleep(loop, arm_once, &n_hooked);
	mono_t start = clock_mono(loop_clock(loop));
	loop_turn(loop, 25000);
	assert_int_equal(n_fired, 1);
	assert_true(mono_since(start, clock_mono(loop_clock(loop))) < 20000);
	assert_int_equal(n_hooked, 1);
	loop_set_before_sleep(loop, NULL, NULL);
	loop_turn(loop, 0);
	assert_int_equal(n_hooked, 1);
	loop_timer_free(hooked_timer);
}

static int last_signum;

static void on_signal(void *user, int signum) {
	last_signum = signum;
	loop_stop(user, 7);
}

static void unix_signals_arrive_in_the_loop(void **state) {
	struct loop *loop = *state;
	struct loop_signal *signal = loop_signal_new(loop, SIGUSR1, on_signal, loop);
	assert_non_null(signal);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(loop_run(loop), 7);
	assert_int_equal(last_signum, SIGUSR1);
	assert_null(loop_signal_free(signal));
	assert_null(loop_signal_free(NULL));
	assert_null(loop_signal_new(loop, SIGKILL, on_signal, loop));
}

static void clocks_agree_with_the_kernel(void **state) {
	const struct clock *clock = loop_clock(*state);
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	int64_t boot_ms = (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	assert_in_range(clock_mono(clock).ms - boot_ms, 0, 20000);
	/* time() may lag behind by a tick. */
	int64_t before = time(NULL);
	assert_in_range(clock_wall(clock).s - before, 0, 20);
	setenv("LOCKHUB_TRUST_CLOCK", "1", 1);
	assert_true(clock_is_trusted(clock));
	setenv("LOCKHUB_TRUST_CLOCK", "0", 1);
	assert_false(clock_is_trusted(clock));
	setenv("LOCKHUB_TRUST_CLOCK", "yes", 1);
	bool is_trusted = clock_is_trusted(clock);
	unsetenv("LOCKHUB_TRUST_CLOCK");
	assert_true(is_trusted == clock_is_trusted(clock)); /* only these mean anything */
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(free_survives_leftover_handles),
		cmocka_unit_test_setup_teardown(
			run_lasts_until_stop_and_gives_its_status, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_empty_loop_sleeps_until_woken_from_a_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(many_sends_arrive_at_least_once, setup, teardown),
		cmocka_unit_test_setup_teardown(turn_waits_no_longer_than_told, setup, teardown),
		cmocka_unit_test_setup_teardown(hook_comes_before_the_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(unix_signals_arrive_in_the_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(clocks_agree_with_the_kernel, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
