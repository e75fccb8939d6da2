/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"
#include "test.h"

struct ends {
	struct loop *loop;
	struct loop_fd *watch;
	int fds[2]; /* [0] is watched */
	int n;
	int events; /* all that came */
	bool frees_itself;
};

static void on_ready(void *user, int events) {
	struct ends *ends = user;
	ends->n++;
	assert_true(events > 0);
	ends->events |= events;
	if (ends->frees_itself) {
		ends->watch = loop_fd_free(ends->watch);
	}
}

static int setup(void **state) {
	struct ends *ends = calloc(1, sizeof(*ends));
	if (ends == NULL || (ends->loop = loop_new()) == NULL ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->fds) < 0) {
		return -1;
	}
	ends->watch = loop_fd_new(ends->loop, ends->fds[0], on_ready, ends);
	*state = ends;
	return ends->watch != NULL ? 0 : -1;
}

static int teardown(void **state) {
	struct ends *ends = *state;
	loop_fd_free(ends->watch);
	loop_free(ends->loop);
	close(ends->fds[0]);
	close(ends->fds[1]);
	free(ends);
	return 0;
}

static void reading_is_told_until_it_is_read(void **state) {
	struct ends *ends = *state;
	assert_int_equal(loop_fd_watch(ends->watch, LOOP_READ), 0);
	loop_turn(ends->loop, 5);
	assert_int_equal(ends->n, 0);
	assert_int_equal(write(ends->fds[1], "x", 1), 1);
	loop_turn(ends->loop, 1000);
	loop_turn(ends->loop, 1000);
	assert_int_equal(ends->n, 2);
	assert_int_equal(ends->events, LOOP_READ);
	char c;
	assert_int_equal(read(ends->fds[0], &c, 1), 1);
	loop_turn(ends->loop, 5);
	assert_int_equal(ends->n, 2);
}

static void writing_and_pausing(void **state) {
	struct ends *ends = *state;
	assert_int_equal(loop_fd_watch(ends->watch, LOOP_READ | LOOP_WRITE), 0);
	loop_turn(ends->loop, 1000);
	assert_int_equal(ends->events, LOOP_WRITE);
	assert_int_equal(loop_fd_watch(ends->watch, 0), 0);
	int n = ends->n;
	loop_turn(ends->loop, 5);
	assert_int_equal(ends->n, n);
	assert_int_equal(loop_fd_watch(ends->watch, LOOP_WRITE), 0);
	loop_turn(ends->loop, 1000);
	assert_int_equal(ends->n, n + 1);
}

static void hang_up_is_told(void **state) {
	struct ends *ends = *state;
	assert_int_equal(loop_fd_watch(ends->watch, LOOP_READ), 0);
	assert_int_equal(shutdown(ends->fds[1], SHUT_WR), 0);
	loop_turn(ends->loop, 1000);
	assert_true((ends->events & LOOP_HANGUP) != 0);
}

static void may_free_itself_from_its_callback(void **state) {
	struct ends *ends = *state;
	ends->frees_itself = true;
	assert_int_equal(loop_fd_watch(ends->watch, LOOP_WRITE), 0);
	loop_turn(ends->loop, 1000);
	loop_turn(ends->loop, 5);
	assert_int_equal(ends->n, 1);
	assert_null(ends->watch);
}

/* The number comes back at once: events of the old owner must not reach the new one. */
static void the_same_number_can_be_watched_again(void **state) {
	struct ends *ends = *state;
	assert_int_equal(loop_fd_watch(ends->watch, LOOP_READ), 0);
	assert_int_equal(write(ends->fds[1], "x", 1), 1);
	for (int i = 0; i < 3; i++) {
		ends->watch = loop_fd_free(ends->watch);
		int fds[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		assert_int_equal(dup3(fds[0], ends->fds[0], O_CLOEXEC), ends->fds[0]);
		assert_int_equal(dup3(fds[1], ends->fds[1], O_CLOEXEC), ends->fds[1]);
		close(fds[0]);
		close(fds[1]);
		ends->watch = loop_fd_new(ends->loop, ends->fds[0], on_ready, ends);
		assert_non_null(ends->watch);
		ends->n = 0;
		assert_int_equal(loop_fd_watch(ends->watch, LOOP_READ), 0);
		loop_turn(ends->loop, 5);
		assert_int_equal(ends->n, 0);
		assert_int_equal(write(ends->fds[1], "x", 1), 1);
		loop_turn(ends->loop, 1000);
		assert_int_equal(ends->n, 1);
	}
}

static void what_cannot_be_watched_is_refused(void **state) {
	struct ends *ends = *state;
	FILE *file = tmpfile();
	assert_non_null(file);
	assert_null(loop_fd_new(ends->loop, fileno(file), on_ready, ends));
	fclose(file);
	assert_null(loop_fd_new(ends->loop, -1, on_ready, ends));
	assert_null(loop_fd_free(NULL));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reading_is_told_until_it_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(writing_and_pausing, setup, teardown),
		cmocka_unit_test_setup_teardown(hang_up_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(may_free_itself_from_its_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_same_number_can_be_watched_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_watched_is_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
