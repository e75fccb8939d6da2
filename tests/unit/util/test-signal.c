/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/signal.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

struct ear {
	struct listener listener;
	char name;
	/* What it does when called. */
	struct ear *removes;
	struct ear *frees;
	struct ear *adds;
	struct signal *emits;
};

static char heard[64];
static size_t n_heard;
static struct signal the_signal;

static void on_signal(struct listener *listener, void *data) {
	struct ear *ear = container_of(listener, struct ear, listener);
	struct signal *signal = &the_signal;
	assert_ptr_equal(data, heard);
	assert_true(n_heard + 1 < sizeof(heard));
	heard[n_heard++] = ear->name;
	heard[n_heard] = '\0';

	struct signal *emits = ear->emits;
	ear->emits = NULL;
	if (emits != NULL) {
		signal_emit(emits, data);
	}
	if (ear->adds != NULL) {
		signal_add(signal, &ear->adds->listener, on_signal);
		ear->adds = NULL;
	}
	if (ear->removes != NULL) {
		listener_remove(&ear->removes->listener);
	}
	if (ear->frees != NULL) {
		struct ear *victim = ear->frees;
		listener_remove(&victim->listener);
		free(victim); /* may be ear itself */
	}
}

static const char *emit(void) {
	n_heard = 0;
	heard[0] = '\0';
	signal_emit(&the_signal, heard);
	return heard;
}

static struct ear *ear_new(char name) {
	struct ear *ear = calloc(1, sizeof(*ear));
	assert_non_null(ear);
	ear->name = name;
	return ear;
}

struct three {
	struct ear *a, *b, *c;
};

static struct three three(void) {
	struct three t = { ear_new('a'), ear_new('b'), ear_new('c') };
	signal_init(&the_signal);
	signal_add(&the_signal, &t.a->listener, on_signal);
	signal_add(&the_signal, &t.b->listener, on_signal);
	signal_add(&the_signal, &t.c->listener, on_signal);
	return t;
}

static void drop(struct ear *ear) {
	listener_remove(&ear->listener);
	free(ear);
}

static void calls_in_the_order_of_adding(void **state) {
	(void) state;
	signal_init(&the_signal);
	assert_string_equal(emit(), "");
	struct three t = three();
	assert_string_equal(emit(), "abc");
	drop(t.b);
	assert_string_equal(emit(), "ac");
	drop(t.a);
	drop(t.c);
	signal_finish(&the_signal);
}

static void listener_may_remove_itself(void **state) {
	(void) state;
	struct three t = three();
	t.b->removes = t.b;
	assert_string_equal(emit(), "abc");
	assert_string_equal(emit(), "ac");
	drop(t.a);
	drop(t.b);
	drop(t.c);
	signal_finish(&the_signal);
}

static void listener_may_free_itself(void **state) {
	(void) state;
	struct three t = three();
	t.a->frees = t.a;
	assert_string_equal(emit(), "abc");
	assert_string_equal(emit(), "bc");
	drop(t.b);
	drop(t.c);
	signal_finish(&the_signal);
}

static void listener_may_free_the_next_and_the_former(void **state) {
	(void) state;
	struct three t = three();
	t.a->frees = t.b;
	assert_string_equal(emit(), "ac");
	t.a->frees = NULL;
	t.c->frees = t.a;
	assert_string_equal(emit(), "ac");
	t.c->frees = NULL;
	assert_string_equal(emit(), "c");
	drop(t.c);
	signal_finish(&the_signal);
}

static void the_last_may_be_removed_by_the_first(void **state) {
	(void) state;
	struct three t = three();
	t.a->removes = t.c;
	assert_string_equal(emit(), "ab");
	drop(t.a);
	drop(t.b);
	drop(t.c);
	signal_finish(&the_signal);
}

static void newcomers_wait_for_the_next_emission(void **state) {
	(void) state;
	struct three t = three();
	struct ear *d = ear_new('d');
	t.c->adds = d;
	assert_string_equal(emit(), "abc");
	assert_string_equal(emit(), "abcd");
	drop(t.a);
	drop(t.b);
	drop(t.c);
	drop(d);
	signal_finish(&the_signal);
}

static void emission_inside_an_emission(void **state) {
	(void) state;
	struct three t = three();
	t.b->emits = &the_signal;
	assert_string_equal(emit(), "ababcc");
	t.b->emits = &the_signal;
	t.c->removes = t.a; /* in the inner one, while the outer one has passed it */
	assert_string_equal(emit(), "ababcc");
	assert_string_equal(emit(), "bc");
	drop(t.a);
	drop(t.b);
	drop(t.c);
	signal_finish(&the_signal);
}

static void removing_what_was_never_added_is_harmless(void **state) {
	(void) state;
	struct listener listener = { 0 };
	listener_remove(&listener);
	signal_init(&the_signal);
	signal_add(&the_signal, &listener, on_signal);
	listener_remove(&listener);
	listener_remove(&listener);
	signal_finish(&the_signal);
	signal_add(&the_signal, &listener, on_signal); /* again after removal */
	listener_remove(&listener);
}

static void finish_aborts_while_somebody_listens(void **state) {
	(void) state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit none = { 0, 0 };
		struct listener listener = { 0 };
		setrlimit(RLIMIT_CORE, &none);
		(void) !freopen("/dev/null", "w", stderr);
		signal(SIGABRT, SIG_DFL);
		signal_init(&the_signal);
		signal_add(&the_signal, &listener, on_signal);
		signal_finish(&the_signal);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_in_the_order_of_adding),
		cmocka_unit_test(listener_may_remove_itself),
		cmocka_unit_test(listener_may_free_itself),
		cmocka_unit_test(listener_may_free_the_next_and_the_former),
		cmocka_unit_test(the_last_may_be_removed_by_the_first),
		cmocka_unit_test(newcomers_wait_for_the_next_emission),
		cmocka_unit_test(emission_inside_an_emission),
		cmocka_unit_test(removing_what_was_never_added_is_harmless),
		cmocka_unit_test(finish_aborts_while_somebody_listens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
