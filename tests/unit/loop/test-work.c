/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "loop/loop.h"
#include "test.h"

struct job {
	struct loop *loop;
	pthread_t loop_thread;
	sem_t may_go;
	sem_t has_begun;
	atomic_int n_work;
	char order[8]; /* what was called on the loop thread */
};

static void note(struct job *job, char what) {
	assert_true(pthread_equal(pthread_self(), job->loop_thread));
	size_t n = strlen(job->order);
	assert_true(n + 1 < sizeof(job->order));
	job->order[n] = what;
}

static void work(void *user) {
	struct job *job = user;
	if (pthread_equal(pthread_self(), job->loop_thread)) {
		abort(); /* assertions of cmocka are for the main thread only */
	}
	sem_post(&job->has_begun);
	sem_wait(&job->may_go);
	atomic_fetch_add(&job->n_work, 1);
}

static void done(void *user) {
	note(user, 'd');
}

static void release(void *user) {
	note(user, 'r');
}

static int setup(void **state) {
	struct job *job = calloc(1, sizeof(*job));
	if (job == NULL || (job->loop = loop_new()) == NULL) {
		return -1;
	}
	job->loop_thread = pthread_self();
	sem_init(&job->may_go, 0, 0);
	sem_init(&job->has_begun, 0, 0);
	*state = job;
	return 0;
}

static int teardown(void **state) {
	struct job *job = *state;
	loop_free(job->loop);
	sem_destroy(&job->may_go);
	sem_destroy(&job->has_begun);
	free(job);
	return 0;
}

static void turn_until_released(struct job *job) {
	for (int i = 0; i < 6000 && strchr(job->order, 'r') == NULL; i++) {
		loop_turn(job->loop, 10);
	}
}

static void works_elsewhere_and_is_done_here(void **state) {
	struct job *job = *state;
	assert_non_null(loop_work_run(job->loop, work, done, release, job));
	loop_turn(job->loop, 5);
	assert_string_equal(job->order, "");
	sem_post(&job->may_go);
	turn_until_released(job);
	assert_string_equal(job->order, "dr");
	assert_int_equal(atomic_load(&job->n_work), 1);
}

static void cancelled_while_running_is_released_after_it_ends(void **state) {
	struct job *job = *state;
	struct loop_work *running = loop_work_run(job->loop, work, done, release, job);
	sem_wait(&job->has_begun);
	loop_work_cancel(running);
	loop_turn(job->loop, 5);
	assert_string_equal(job->order, ""); /* it still uses its memory */
	sem_post(&job->may_go);
	turn_until_released(job);
	assert_string_equal(job->order, "r");
	assert_int_equal(atomic_load(&job->n_work), 1);
	loop_work_cancel(NULL);
}

/* The pool has four threads (or what UV_THREADPOOL_SIZE says); all are kept busy first. */
static void cancelled_before_it_ran_never_runs(void **state) {
	struct job *job = *state;
	enum { N = 4 };
	for (int i = 0; i < N; i++) {
		assert_non_null(loop_work_run(job->loop, work, NULL, NULL, job));
	}
	for (int i = 0; i < N; i++) {
		sem_wait(&job->has_begun);
	}
	struct loop_work *waiting = loop_work_run(job->loop, work, done, release, job);
	loop_work_cancel(waiting);
	turn_until_released(job);
	assert_string_equal(job->order, "r");
	assert_int_equal(atomic_load(&job->n_work), 0);
	for (int i = 0; i < N; i++) {
		sem_post(&job->may_go);
	}
	for (int i = 0; i < 6000 && atomic_load(&job->n_work) < N; i++) {
		loop_turn(job->loop, 10);
	}
	assert_int_equal(atomic_load(&job->n_work), N);
}

static void *let_go(void *user) {
	struct job *job = user;
	sem_wait(&job->has_begun);
	sem_post(&job->may_go);
	return NULL;
}

static void freeing_the_loop_waits_for_what_runs(void **state) {
	struct job *job = *state;
	pthread_t thread;
	assert_non_null(loop_work_run(job->loop, work, done, release, job));
	sem_wait(&job->has_begun);
	sem_post(&job->has_begun);
	assert_int_equal(pthread_create(&thread, NULL, let_go, job), 0);
	job->loop = loop_free(job->loop);
	pthread_join(thread, NULL);
	assert_string_equal(job->order, "r");
	assert_int_equal(atomic_load(&job->n_work), 1);
}

int main(void) {
	setenv("UV_THREADPOOL_SIZE", "4", 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(works_elsewhere_and_is_done_here, setup, teardown),
		cmocka_unit_test_setup_teardown(
			cancelled_while_running_is_released_after_it_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(
			cancelled_before_it_ran_never_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(
			freeing_the_loop_waits_for_what_runs, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
