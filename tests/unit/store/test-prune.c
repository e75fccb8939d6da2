/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Retention: what is old goes, nothing else does, and what is left can still be trusted. */

#include "rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "prune.h"

#define ROWS 1000
#define BEGIN_S 1800000000
#define FREE_SQL "DROP TRIGGER event_no_update; DROP TRIGGER event_no_delete;"

/* A row a minute, by a clock that is right. */
static void fill(struct event *event, size_t i) {
	event->time.s = BEGIN_S + (int64_t) i * 60;
	event->is_time_trusted = true;
}

/* The time of row @seq. */
static wall_t time_of(int64_t seq) {
	return (wall_t){ BEGIN_S + (seq - 1) * 60 };
}

struct pruned {
	bool is_done;
	enum fault_code code;
	char detail[FAULT_DETAIL_MAX];
	int64_t n_rows;
};

static void on_pruned(void *user, int64_t n_rows, const struct fault *fault) {
	struct pruned *pruned = user;

	assert_false(pruned->is_done);
	pruned->is_done = true;
	pruned->n_rows = n_rows;
	pruned->code = fault != NULL ? fault->code : FAULT_NONE;
	if (fault != NULL) {
		strcpy(pruned->detail, fault->detail);
	}
}

static struct pruned prune(struct rig *rig, wall_t before, int64_t keep) {
	struct pruned pruned = { 0 };

	store_prune(rig->store, before, keep, on_pruned, &pruned);
	assert_false(pruned.is_done);
	while (!pruned.is_done) {
		rig_turn(rig);
	}
	return pruned;
}

static void make_log(struct rig *rig) {
	rig_open(rig);
	rig_record_many(rig, ROWS, fill);
}

/* That the log holds and goes from @first to @last, also for the next life of the daemon. */
static void expect_rows(struct rig *rig, int64_t first, int64_t last) {
	struct log_verify found;

	for (int round = 0; round < 2; round++) {
		assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_NONE);
		assert_int_equal(rig_verify(rig, &found), FAULT_NONE);
		assert_int_equal(found.bad_seq, 0);
		assert_int_equal(found.n_rows, last - first + 1);
		assert_int_equal(found.first_seq, first <= last ? first : 0);
		rig_close(rig);
		if (first <= last) {
			assert_int_equal(
				rig_number(rig->path, "SELECT min(seq) FROM event"), first);
		}
		assert_int_equal(
			rig_number(rig->path, "SELECT count(*) FROM event"), last - first + 1);
		assert_int_equal(
			rig_number(rig->path, "SELECT seq FROM chain WHERE name = 'anchor'"),
			first - 1);
		rig_open(rig);
	}
}

static void what_is_old_goes(void **state) {
	struct rig *rig = *state;
	const struct log_query all = { 0 };
	size_t n;

	make_log(rig);
	struct pruned pruned = prune(rig, time_of(601), 0);
	assert_int_equal(pruned.code, FAULT_NONE);
	assert_int_equal(pruned.n_rows, 600);
	expect_rows(rig, 601, ROWS);
	struct event *events = rig_query(rig, &all, &n);
	assert_int_equal(n, 400);
	assert_int_equal(events[n - 1].seq, 601);
	free(events);
	/* Again: there is nothing to do. One second more: one row. */
	assert_int_equal(prune(rig, time_of(601), 0).n_rows, 0);
	assert_int_equal(prune(rig, (wall_t){ time_of(601).s + 1 }, 0).n_rows, 1);
	expect_rows(rig, 602, ROWS);
	assert_int_equal(rig_record(rig, "aaaaaaaa", 0), ROWS + 1);
	expect_rows(rig, 602, ROWS + 1);
}

static void only_so_many_stay(void **state) {
	struct rig *rig = *state;

	make_log(rig);
	assert_int_equal(prune(rig, (wall_t){ 0 }, ROWS).n_rows, 0);
	assert_int_equal(prune(rig, (wall_t){ 0 }, 0).n_rows, 0);
	assert_int_equal(prune(rig, (wall_t){ 0 }, INT64_MAX).n_rows, 0);
	assert_int_equal(prune(rig, (wall_t){ 0 }, ROWS - 1).n_rows, 1);
	expect_rows(rig, 2, ROWS);
	/* Whichever takes more. */
	assert_int_equal(prune(rig, time_of(11), 900).n_rows, 99);
	expect_rows(rig, 101, ROWS);
	assert_int_equal(prune(rig, time_of(201), 900).n_rows, 100);
	expect_rows(rig, 201, ROWS);
}

static void all_of_it_may_go(void **state) {
	struct rig *rig = *state;

	make_log(rig);
	assert_int_equal(prune(rig, time_of(ROWS + 1), 0).n_rows, ROWS);
	expect_rows(rig, ROWS + 1, ROWS);
	assert_int_equal(prune(rig, time_of(ROWS + 1), 1).n_rows, 0);
	assert_int_equal(rig_record(rig, "aaaaaaaa", 0), ROWS + 1);
	expect_rows(rig, ROWS + 1, ROWS + 1);
}

/* From 401 on the clock is wrong by years, and says so; at 501 it is right again. */
static void fill_untrusted(struct event *event, size_t i) {
	fill(event, i);
	if (i >= 400 && i < 500) {
		event->time.s = i % 2 ? 5 : INT64_C(5000000000);
		event->is_time_trusted = false;
	}
}

static void unknown_age_is_not_old(void **state) {
	struct rig *rig = *state;

	rig_open(rig);
	rig_record_many(rig, ROWS, fill_untrusted);
	assert_int_equal(prune(rig, time_of(450), 0).n_rows, 400);
	expect_rows(rig, 401, ROWS);
	assert_int_equal(prune(rig, time_of(501), 0).n_rows, 0);
	/* Row 501 is older, so those before it are. */
	assert_int_equal(prune(rig, time_of(502), 0).n_rows, 101);
	expect_rows(rig, 502, ROWS);
}

/* At 301 the clock was set wrongly and trusted all the same. */
static void fill_jump(struct event *event, size_t i) {
	fill(event, i);
	if (i == 300) {
		event->time.s = INT64_C(5000000000);
	}
}

static void nothing_goes_behind_a_younger_row(void **state) {
	struct rig *rig = *state;

	rig_open(rig);
	rig_record_many(rig, ROWS, fill_jump);
	assert_int_equal(prune(rig, time_of(900), 0).n_rows, 300);
	expect_rows(rig, 301, ROWS);
}

/* The walk over ages is longer than one piece of it. */
static void a_long_log_is_taken_in_pieces(void **state) {
	struct rig *rig = *state;
	const int64_t n = 21000;

	rig_open(rig);
	rig_record_many(rig, (size_t) n, fill);
	assert_int_equal(prune(rig, time_of(20501), 0).n_rows, 20500);
	expect_rows(rig, 20501, n);
}

/* What is behind the anchor is watched over as ever. */
static void changes_are_still_found(void **state) {
	static const struct {
		const char *sql;
		int64_t bad_seq;
	} cases[] = {
		{ "UPDATE event SET user = 'Berta' WHERE seq = 501", 501 },
		{ "UPDATE event SET user_id = 'b0000002' WHERE seq = 700", 700 },
		{ "DELETE FROM event WHERE seq = 501", 501 },
		{ "DELETE FROM event WHERE seq BETWEEN 600 AND 650", 600 },
		{ "DELETE FROM event WHERE seq = 1000", 1000 },
		{ "DELETE FROM event WHERE seq <= 510;"
		  "UPDATE chain SET seq = 510 WHERE name = 'anchor'",
			511 },
		{ "DELETE FROM chain WHERE name = 'anchor'", 1 },
		{ "UPDATE event SET seq = 500 WHERE seq = 700", 500 },
	};
	struct rig *rig = *state;
	struct log_verify found;
	size_t n;

	make_log(rig);
	assert_int_equal(prune(rig, time_of(501), 0).n_rows, 500);
	rig_close(rig);
	uint8_t *whole = rig_slurp(rig->path, &n);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rig_tamper(rig->path, FREE_SQL);
		rig_tamper(rig->path, cases[i].sql);
		rig_open(rig);
		assert_int_equal(rig_verify(rig, &found), FAULT_NONE);
		if (found.bad_seq != cases[i].bad_seq) {
			fail_msg("case %zu: found at %lld", i, (long long) found.bad_seq);
		}
		rig_close(rig);
		FILE *file = fopen(rig->path, "we");
		assert_int_equal(fwrite(whole, 1, n, file), n);
		assert_int_equal(fclose(file), 0);
	}
	free(whole);
}

/* Retention must not be the broom of who has changed something. */
static void a_broken_log_is_kept(void **state) {
	static const struct {
		const char *sql;
		int64_t bad_seq;
		const char *reason;
	} cases[] = {
		{ "UPDATE event SET user = 'Berta' WHERE seq = 700", 700, "changed" },
		/* Made old so that it goes. */
		{ "UPDATE event SET time = 5", 1, "changed" },
		{ "DELETE FROM event WHERE seq BETWEEN 690 AND 710", 690, "missing" },
		{ "UPDATE chain SET seq = 10 WHERE name = 'anchor'", 11, "seal" },
	};
	struct rig *rig = *state;
	struct log_verify found;
	size_t n;

	make_log(rig);
	rig_close(rig);
	uint8_t *whole = rig_slurp(rig->path, &n);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rig_tamper(rig->path, FREE_SQL);
		rig_tamper(rig->path, cases[i].sql);
		rig_open(rig);
		for (int round = 0; round < 2; round++) {
			struct pruned pruned = prune(rig, time_of(900), 0);
			assert_int_equal(pruned.code, FAULT_LOG_BROKEN);
			assert_non_null(strstr(pruned.detail, cases[i].reason));
			int64_t expected =
				round == 0 ? cases[i].bad_seq / PRUNE_ROWS * PRUNE_ROWS : 0;
			assert_int_equal(pruned.n_rows, expected);
		}
		assert_int_equal(rig_verify(rig, &found), FAULT_NONE);
		if (found.bad_seq != cases[i].bad_seq) {
			fail_msg("case %zu: found at %lld", i, (long long) found.bad_seq);
		}
		rig_close(rig);
		assert_true(
			rig_number(rig->path, "SELECT min(seq) FROM event") <= cases[i].bad_seq);
		FILE *file = fopen(rig->path, "we");
		assert_int_equal(fwrite(whole, 1, n, file), n);
		assert_int_equal(fclose(file), 0);
	}
	free(whole);
}

/* The last rows that should go are missing: there is no row to walk to. */
static void a_hole_at_the_end_is_kept(void **state) {
	struct rig *rig = *state;

	make_log(rig);
	rig_close(rig);
	rig_tamper(rig->path, FREE_SQL "DELETE FROM event WHERE seq BETWEEN 400 AND 600");
	rig_open(rig);
	struct pruned pruned = prune(rig, (wall_t){ 0 }, 500);
	assert_int_equal(pruned.code, FAULT_LOG_BROKEN);
	assert_non_null(strstr(pruned.detail, "rows 400 to 500 are missing"));
	assert_int_equal(pruned.n_rows, 399);
}

static int64_t import(struct rig *rig, int64_t lock_seq, int64_t cursor) {
	struct waiting waiting;
	struct txn *txn = rig_txn(&waiting);
	struct event *event = rig_add_event(txn, "aaaaaaaa", lock_seq);

	fill(event, (size_t) lock_seq);
	if (cursor > 0) {
		rig_add_cursor(txn, "aaaaaaaa", cursor);
	}
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	return waiting.seqs[0];
}

static void what_is_gone_is_not_imported_again(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	for (int64_t i = 1; i <= 20; i++) {
		assert_int_equal(import(rig, i, i), i);
	}
	assert_int_equal(prune(rig, (wall_t){ 0 }, 5).n_rows, 15);
	for (int round = 0; round < 2; round++) {
		for (int64_t i = 1; i <= 20; i++) {
			assert_int_equal(import(rig, i, 0), 0);
		}
		expect_rows(rig, 16 + round * 5, 20);
		/* And when even the row that the cursor is about is gone. */
		assert_int_equal(prune(rig, time_of(1000), 0).n_rows, round == 0 ? 5 : 0);
	}
	/* What is new is new, and what another lock says has nothing to do with it. */
	assert_int_equal(import(rig, 21, 21), 21);
	assert_int_equal(rig_record(rig, "bbbbbbbb", 3), 22);
	expect_rows(rig, 21, 22);
}

/* Nobody waits for retention: commits come in between its pieces. */
static void commits_go_on_meanwhile(void **state) {
	struct rig *rig = *state;
	struct pruned pruned = { 0 };
	int64_t n = 0;

	rig_open(rig);
	rig_record_many(rig, 8000, fill);
	store_prune(rig->store, (wall_t){ 0 }, 1000, on_pruned, &pruned);
	while (!pruned.is_done) {
		(void) rig_record(rig, "aaaaaaaa", 0);
		n += !pruned.is_done;
	}
	assert_true(n > 1);
	assert_int_equal(pruned.code, FAULT_NONE);
	assert_in_range(pruned.n_rows, 7000, 7000 + n + 1);
}

static void closing_ends_it(void **state) {
	struct rig *rig = *state;
	struct log_verify found;
	struct pruned pruned = { 0 };

	rig_open(rig);
	rig_record_many(rig, 8000, fill);
	store_prune(rig->store, time_of(8001), 0, on_pruned, &pruned);
	(void) rig_record(rig, "aaaaaaaa", 0);
	rig_close(rig);
	assert_true(pruned.is_done);
	assert_true(pruned.code == FAULT_CANCELLED || pruned.n_rows == 8000);
	rig_open(rig);
	assert_int_equal(rig_verify(rig, &found), FAULT_NONE);
	assert_int_equal(found.bad_seq, 0);
	assert_int_equal(found.first_seq, pruned.n_rows + 1);
	assert_int_equal(found.last_seq, 8001);
	/* And goes on where it was. */
	assert_int_equal(prune(rig, time_of(8001), 0).n_rows, 8000 - pruned.n_rows);
}

static uint64_t seed;

static uint64_t next_random(void) {
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 33;
}

static void child_main(struct rig *rig, int64_t keep) {
	struct fault fault;
	struct pruned pruned = { 0 };

	if (rig_try_open(rig, &fault) < 0) {
		_exit(2);
	}
	store_prune(rig->store, (wall_t){ 0 }, keep, on_pruned, &pruned);
	for (;;) {
		usleep(500);
		store_dispatch(rig->store);
		if (pruned.is_done && pruned.code != FAULT_NONE) {
			_exit(3);
		}
	}
}

/* Until the child has taken rows away, or has ended. */
static void await_anchor(struct rig *rig, pid_t pid, int64_t seq) {
	siginfo_t info = { 0 };
	int64_t anchor = 0;
	sqlite3_stmt *stmt;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	/* The child may have to mend the WAL first. */
	assert_int_equal(sqlite3_busy_timeout(db, 60000), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT seq FROM chain WHERE name = 'anchor'", -1,
				 &stmt, NULL),
		SQLITE_OK);
	while (anchor < seq && waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid == 0) {
		assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
		anchor = sqlite3_column_int64(stmt, 0);
		assert_int_equal(sqlite3_reset(stmt), SQLITE_OK);
		usleep(200);
	}
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#define KILLS 20

static void kills_leave_the_log_whole(void **state) {
	struct rig *rig = *state;
	struct log_verify found;
	const int64_t n = 12000;
	int64_t first = 1;

	seed = (uint64_t) time(NULL);
	print_message("# seed %llu\n", (unsigned long long) seed);
	rig_open(rig);
	rig_record_many(rig, (size_t) n, fill);
	rig_close(rig);
	/* On a slow machine each has taken all that it was to take before it is killed. */
	for (int i = 0; i < KILLS && n - first > 4 * PRUNE_ROWS; i++) {
		int status;
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			child_main(rig, n - first - 4 * PRUNE_ROWS);
		}
		if (i % 4 != 0) {
			await_anchor(rig, pid, first);
		}
		usleep((unsigned) (next_random() % 8000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSIGNALED(status)) {
			fail_msg("the child ended by itself: %d", WEXITSTATUS(status));
		}
		rig_open(rig);
		assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_NONE);
		assert_int_equal(rig_verify(rig, &found), FAULT_NONE);
		assert_int_equal(found.bad_seq, 0);
		assert_int_equal(found.last_seq, n);
		assert_true(found.first_seq >= first + (i % 4 != 0));
		first = found.first_seq;
		rig_close(rig);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(what_is_old_goes),
		TEST(only_so_many_stay),
		TEST(all_of_it_may_go),
		TEST(unknown_age_is_not_old),
		TEST(nothing_goes_behind_a_younger_row),
		TEST(a_long_log_is_taken_in_pieces),
		TEST(changes_are_still_found),
		TEST(a_broken_log_is_kept),
		TEST(a_hole_at_the_end_is_kept),
		TEST(what_is_gone_is_not_imported_again),
		TEST(commits_go_on_meanwhile),
		TEST(closing_ends_it),
		TEST(kills_leave_the_log_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
