/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * kill -9 at random instants (F1): what was acknowledged is there, nothing is there by half,
 * entries of a lock's log are there exactly once, the chain holds, intents come back.
 */

#include "rig.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILLS 120
#define KILLS_PER_FILE 12
#define OVERLAP 6 /* entries read again after a start, as a lock's log would be */

static uint64_t seed;

static uint64_t next_random(void) {
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 33;
}

static void take_cursor(void *user, const struct lock_record *record,
	const struct event *last_event, const struct fault *fault) {
	int64_t *cursor = user;

	*cursor = record->log_cursor;
}

static int64_t read_cursor(struct rig *rig) {
	static const struct store_visitor visitor = { .lock = take_cursor };
	int64_t cursor = -1;

	assert_int_equal(store_load(rig->store, &visitor, &cursor, NULL), 0);
	return cursor;
}

/* What the child says when a txn is committed. */
static int report_fd;

static void on_committed(void *user, struct txn *txn, const struct fault *fault) {
	int64_t cursor = (int64_t) (intptr_t) user;

	if (fault != NULL || write(report_fd, &cursor, sizeof(cursor)) != sizeof(cursor)) {
		_exit(3);
	}
}

static void hand_over(struct rig *rig, int64_t first) {
	char id[OP_ID_MAX];
	struct txn *txn = txn_new(on_committed, (void *) (intptr_t) (first + 1));

	rig_add_event(txn, "aaaaaaaa", first);
	rig_add_event(txn, "aaaaaaaa", first + 1);
	rig_add_cursor(txn, "aaaaaaaa", first + 1);
	snprintf(id, sizeof(id), "%016llx", (unsigned long long) first);
	rig_add_op(txn, TXN_OUTCOME, id);
	snprintf(id, sizeof(id), "%08x%08x", (unsigned) getpid(), (unsigned) first);
	rig_add_op(txn, TXN_INTENT, id);
	rig_commit(rig, txn);
}

/* A daemon that imports a log without end, until it is killed. */
static void child_main(struct rig *rig) {
	struct fault fault;

	if (rig_try_open(rig, &fault) < 0) {
		_exit(2);
	}
	int64_t cursor = read_cursor(rig);
	for (int64_t i = cursor > OVERLAP ? cursor - OVERLAP : 0; i < cursor; i++) {
		struct txn *txn = txn_new(NULL, NULL);
		rig_add_event(txn, "aaaaaaaa", i + 1);
		rig_commit(rig, txn);
	}
	for (int64_t first = cursor + 1;; first += 2) {
		hand_over(rig, first);
		if (first % 8 == 1) {
			usleep(300);
		}
		store_dispatch(rig->store);
	}
}

/* Lets a child run for a moment. @return the last cursor it has acknowledged; 0: none. */
static int64_t run_and_kill(struct rig *rig) {
	int fds[2];
	int64_t acknowledged = 0;
	int64_t cursor;
	int status;

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void) close(fds[0]);
		report_fd = fds[1];
		child_main(rig);
	}
	(void) close(fds[1]);
	/* Mostly amid its work; now and then while it opens or reads again. */
	if (next_random() % 4 != 0) {
		struct pollfd first = { .fd = fds[0], .events = POLLIN };
		assert_int_equal(poll(&first, 1, 60000), 1);
	}
	usleep((unsigned) (next_random() % 40000));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status)) {
		fail_msg("the child ended by itself: %d", WEXITSTATUS(status));
	}
	while (read(fds[0], &cursor, sizeof(cursor)) == sizeof(cursor)) {
		acknowledged = cursor;
	}
	(void) close(fds[0]);
	return acknowledged;
}

static void look(struct rig *rig, int64_t acknowledged) {
	struct log_verify found;

	rig_open(rig);
	assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_NONE);
	int64_t cursor = read_cursor(rig);
	assert_true(cursor >= acknowledged);
	assert_int_equal(rig_verify(rig, &found), FAULT_NONE);
	assert_int_equal(found.bad_seq, 0);
	/* The cursor and its rows are one: every entry up to it, once, and none behind. */
	assert_int_equal(found.n_rows, cursor);
	rig_close(rig);
	assert_int_equal(rig->n_troubles, 0);
	assert_int_equal(
		rig_number(rig->path, "SELECT count(DISTINCT lock_seq) FROM event"), cursor);
	assert_int_equal(
		rig_number(rig->path, "SELECT coalesce(max(lock_seq), 0) FROM event"), cursor);
	assert_int_equal(
		rig_number(rig->path, "SELECT count(*) FROM op WHERE is_finished = 0"), cursor / 2);
	assert_int_equal(rig_number(rig->path, "SELECT count(*) FROM pragma_integrity_check"
					       " WHERE integrity_check = 'ok'"),
		1);
}

static void kills_lose_nothing(void **state) {
	struct waiting waiting;
	int64_t total = 0;

	seed = (uint64_t) time(NULL);
	print_message("# seed %llu\n", (unsigned long long) seed);
	for (int i = 0; i < KILLS; i += KILLS_PER_FILE) {
		struct rig rig;
		int64_t acknowledged = 0;
		rig_init(&rig);
		rig_open(&rig);
		struct txn *txn = rig_txn(&waiting);
		rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
		assert_int_equal(rig_commit_wait(&rig, txn, &waiting), FAULT_NONE);
		rig_close(&rig);
		for (int k = 0; k < KILLS_PER_FILE; k++) {
			int64_t last = run_and_kill(&rig);
			acknowledged = last > acknowledged ? last : acknowledged;
			/* Now and then killed again before anybody has looked. */
			if (next_random() % 4 != 0 || k == KILLS_PER_FILE - 1) {
				look(&rig, acknowledged);
			}
		}
		total += acknowledged;
		rig_finish(&rig);
	}
	print_message("# %lld entries acknowledged\n", (long long) total);
	assert_true(total > KILLS);
}

/* While a database is being made: the next start makes it whole. */
static void kills_while_it_is_made(void **state) {
	seed = (uint64_t) time(NULL);
	for (int i = 0; i < 40; i++) {
		struct rig rig;
		int status;
		rig_init(&rig);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct fault fault;
			(void) rig_try_open(&rig, &fault);
			pause();
		}
		usleep((unsigned) (next_random() % 12000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		rig_open(&rig);
		assert_int_equal(rig_record(&rig, "aaaaaaaa", 0), 1);
		rig_finish(&rig);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kills_lose_nothing),
		cmocka_unit_test(kills_while_it_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
