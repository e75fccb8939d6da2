/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Log queries: the same answer as looking at every row, and by index. */

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event-query.h"

#define ROWS 30000
#define LOCKS 20
#define QUERIES 1000

static const char *const users[] = { "", "Anna", "Bert", "Çelik", "anna" };
/* Of the book; somebody may go by more than one name, and a name may be more than one's. */
static const char *const user_ids[] = { "", "a0000001", "b0000002", "c0000003" };

static uint64_t seed = 20261122;

static uint64_t next_random(void) {
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 33;
}

static struct event rows[ROWS];

/* A busy house; now and then the clock is wrong, and one lock jams once in a blue moon. */
static void make_row(struct event *event, size_t i) {
	rig_fill_event(event, EVENT_LOCK_OPERATION, "");
	snprintf(event->lock_id, sizeof(event->lock_id), "%08x",
		(unsigned) (next_random() % (i % 7 == 0 ? LOCKS : 3)));
	event->operation = next_random() % 2 ? OPERATION_LOCK : OPERATION_UNLOCK;
	event->time.s = 1800000000 + (int64_t) i * 60;
	if (next_random() % 500 == 0) {
		event->time.s = 1000 + (int64_t) (next_random() % 100);
	}
	strcpy(event->user, users[next_random() % 4 ? next_random() % 3 : next_random() % 5]);
	strcpy(event->user_id, user_ids[next_random() % 4 ? 0 : next_random() % 300 ? 1 : 3]);
	if (next_random() % 3000 == 0) {
		rig_fill_event(event, EVENT_ALARM, event->lock_id);
		event->alarm = ALARM_LOCK_JAMMED;
		event->time.s = 1800000000 + (int64_t) i * 60;
	}
	rows[i] = *event;
	rows[i].seq = (int64_t) i + 1;
}

static int setup_rows(void **state) {
	int r = rig_setup(state);
	struct rig *rig = *state;

	rig_open(rig);
	rig_record_many(rig, ROWS, make_row);
	return r;
}

static bool is_about(const struct log_query *query, const struct event *event) {
	if (query->user[0] == '\0' && query->user_id[0] == '\0') {
		return true;
	}
	if (query->user_id[0] != '\0' && strcmp(query->user_id, event->user_id) == 0) {
		return true;
	}
	return query->user[0] != '\0' && strcmp(query->user, event->user) == 0 &&
	       (query->user_id[0] == '\0' || event->user_id[0] == '\0');
}

static bool matches(const struct log_query *query, const struct event *event) {
	return (query->lock_id[0] == '\0' || strcmp(query->lock_id, event->lock_id) == 0) &&
	       is_about(query, event) &&
	       (query->word[0] == '\0' || strcmp(query->word, event_word(event)) == 0) &&
	       (query->since.s == 0 || event->time.s >= query->since.s) &&
	       (query->until.s == 0 || event->time.s < query->until.s) &&
	       (query->after_seq == 0 || event->seq > query->after_seq) &&
	       (query->before_seq == 0 || event->seq < query->before_seq);
}

/* The plain reading of core/ledger.h. */
static size_t expect(const struct log_query *query, int64_t *ret_seqs) {
	size_t limit =
		query->limit == 0 || query->limit > LOG_QUERY_MAX ? LOG_QUERY_MAX : query->limit;
	size_t n = 0;

	for (size_t k = 0; k < ROWS && n < limit; k++) {
		size_t i = query->after_seq != 0 ? k : ROWS - 1 - k;
		if (matches(query, &rows[i])) {
			ret_seqs[n++] = rows[i].seq;
		}
	}
	if ((query->after_seq != 0) != query->is_oldest_first) {
		for (size_t i = 0; i < n / 2; i++) {
			int64_t seq = ret_seqs[i];
			ret_seqs[i] = ret_seqs[n - 1 - i];
			ret_seqs[n - 1 - i] = seq;
		}
	}
	return n;
}

static void make_query(struct log_query *query) {
	static const char *const words[] = { "locked", "unlocked", "jammed", "nothing-such" };
	static const unsigned limits[] = { 0, 1, 50, 300, 20000 };

	*query = (struct log_query){ 0 };
	if (next_random() % 2) {
		snprintf(query->lock_id, sizeof(query->lock_id), "%08x",
			(unsigned) (next_random() % (LOCKS + 1)));
	}
	if (next_random() % 3 == 0) {
		strcpy(query->user, users[1 + next_random() % 4]);
	}
	if (next_random() % 3 == 0) {
		strcpy(query->user_id, user_ids[1 + next_random() % 3]);
	}
	if (next_random() % 3 == 0) {
		strcpy(query->word, words[next_random() % 4]);
	}
	if (next_random() % 2) {
		query->since.s = 1800000000 + (int64_t) (next_random() % ROWS) * 60;
	}
	if (next_random() % 3 == 0) {
		query->until.s = 1800000000 + (int64_t) (next_random() % ROWS) * 60 + 1;
	}
	if (next_random() % 3 == 0) {
		query->after_seq = (int64_t) (next_random() % ROWS);
	}
	if (next_random() % 3 == 0) {
		query->before_seq = (int64_t) (next_random() % ROWS) + 2;
	}
	query->limit = limits[next_random() % 5];
	query->is_oldest_first = next_random() % 2;
}

static void same_as_looking_at_every_row(void **state) {
	struct rig *rig = *state;
	static int64_t expected[LOG_QUERY_MAX];
	size_t n_answers = 0;
	size_t n;

	for (size_t i = 0; i < QUERIES; i++) {
		struct log_query query;
		make_query(&query);
		size_t n_expected = expect(&query, expected);
		struct event *events = rig_query(rig, &query, &n);
		assert_int_equal(n, n_expected);
		for (size_t k = 0; k < n; k++) {
			assert_int_equal(events[k].seq, expected[k]);
		}
		n_answers += n;
		free(events);
	}
	assert_true(n_answers > QUERIES); /* it was not all about nothing */
}

static void rows_come_back_whole(void **state) {
	struct rig *rig = *state;
	const struct log_query newest = { .limit = 2 };
	struct waiting waiting;
	size_t n;

	struct txn *txn = rig_txn(&waiting);
	struct event *event = rig_add_event(txn, "0a1b2c3d", 77);
	event->is_time_trusted = true;
	event->time.s = INT64_C(5000000000); /* after 2038 */
	event->mono.ms = 123456789012;
	event->lock_time.s = -1;
	event->operation = OPERATION_UNLATCH;
	event->source = SOURCE_ALIRO;
	event->error = OPERATION_ERROR_RESTRICTED;
	event->alarm = ALARM_FORCED_USER;
	event->door = DOOR_STATE_AJAR;
	event->state = LOCK_STATE_UNLATCHED;
	memset(event->user, 'u', sizeof(event->user) - 1);
	event->user_ref = INT64_MIN;
	strcpy(event->op_id, "0123456789abcdef");
	event->act = ACT_LOCK_N_GO_UNLATCH;
	event->fault = FAULT_MOTOR_LOW_VOLTAGE;
	event->number = INT64_MAX;
	strcpy(event->text, "Tür'; DROP TABLE event; --");
	strcpy(event->user_id, "ffffffff");
	event->attribution = ATTRIBUTION_FACTOR;
	event->credential = CREDENTIAL_MECHANICAL_KEY;
	event->data = LOCK_DATA_FINGERPRINT;
	event->data_operation = DATA_MODIFY;
	struct event expected = *event;
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	expected.seq = waiting.seqs[0];
	struct event *events = rig_query(rig, &newest, &n);
	assert_int_equal(n, 2);
	assert_int_equal(events[1].seq, expected.seq - 1);
	assert_memory_equal(&events[0], &expected, sizeof(expected));
	free(events);
}

static void plan_of(sqlite3 *db, sqlite3_stmt *stmt, char *out, size_t size) {
	char sql[8192];
	sqlite3_stmt *explain;
	size_t n = 0;

	snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", sqlite3_sql(stmt));
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &explain, NULL), SQLITE_OK);
	out[0] = '\0';
	while (sqlite3_step(explain) == SQLITE_ROW) {
		n += (size_t) snprintf(
			out + n, size - n, "%s;", (const char *) sqlite3_column_text(explain, 3));
	}
	assert_int_equal(sqlite3_finalize(explain), SQLITE_OK);
}

static void every_way_is_by_index(void **state) {
	struct rig *rig = *state;
	static const char *const expected[QUERY_PATHS] = {
		[QUERY_BY_SEQ] = "SEARCH event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?);",
		[QUERY_BY_USER] =
			"SEARCH event USING INDEX event_user (user=? AND rowid>? AND rowid<?);",
		[QUERY_BY_USER_ID] = "SEARCH event USING INDEX event_user_id"
				     " (user_id=? AND rowid>? AND rowid<?);",
		/* No sorting: both walks are by number. */
		[QUERY_BY_PERSON] = "MERGE (UNION ALL);LEFT;"
				    "SEARCH event USING INDEX event_user_id"
				    " (user_id=? AND rowid>? AND rowid<?);RIGHT;"
				    "SEARCH event USING INDEX event_name_only"
				    " (user=? AND rowid>? AND rowid<?);",
		[QUERY_BY_LOCK] =
			"SEARCH event USING INDEX event_lock (lock_id=? AND rowid>? AND rowid<?);",
		[QUERY_BY_WORD] =
			"SEARCH event USING INDEX event_word (word=? AND rowid>? AND rowid<?);",
		[QUERY_BY_TIME] = ("SEARCH event USING INDEX event_time (time>? AND time<?);"
				   "USE TEMP B-TREE FOR ORDER BY;"),
	};
	struct event_query query;
	sqlite3 *db;
	char plan[1024];

	assert_int_equal(db_open(rig->path, DB_READ, &db, NULL), 0);
	assert_int_equal(event_query_open(&query, db, NULL), 0);
	for (int i = 0; i < QUERY_PATHS; i++) {
		for (int k = 0; k < 2; k++) {
			plan_of(db, query.select[i][k], plan, sizeof(plan));
			assert_string_equal(plan, expected[i]);
		}
		if (query.probe[i] != NULL) {
			plan_of(db, query.probe[i], plan, sizeof(plan));
			assert_non_null(strstr(plan, "USING COVERING INDEX"));
			assert_null(strstr(plan, "SCAN event"));
			assert_null(strstr(plan, "USING INDEX"));
		}
	}
	event_query_close(&query);
	db_close(db);
}

static void rare_filters_lead(void **state) {
	struct rig *rig = *state;
	const int64_t late = 1800000000 + (ROWS - 20) * 60;
	const struct {
		struct log_query query;
		enum query_path path;
	} cases[] = {
		{ { .limit = 50 }, QUERY_BY_SEQ },
		{ { .lock_id = "00000001", .limit = 50 }, QUERY_BY_LOCK },
		{ { .word = "jammed", .limit = 50 }, QUERY_BY_WORD },
		{ { .word = "jammed", .lock_id = "00000001", .limit = 50 }, QUERY_BY_WORD },
		{ { .word = "locked", .lock_id = "00000013", .limit = 50 }, QUERY_BY_LOCK },
		{ { .word = "locked", .user = "\303\207elik", .limit = 50 }, QUERY_BY_USER },
		{ { .word = "locked", .user_id = "c0000003", .limit = 50 }, QUERY_BY_USER_ID },
		{ { .word = "jammed", .user_id = "a0000001", .limit = 50 }, QUERY_BY_WORD },
		{ { .word = "locked", .user_id = "c0000003", .user = "none such", .limit = 50 },
			QUERY_BY_PERSON },
		{ { .since = { late }, .limit = 50 }, QUERY_BY_TIME },
		{ { .since = { late }, .lock_id = "00000001", .limit = 50 }, QUERY_BY_TIME },
		{ { .since = { 1800000000 }, .limit = 50 }, QUERY_BY_SEQ },
		{ { .since = { 1800000000 }, .until = { late }, .limit = 50 }, QUERY_BY_SEQ },
		{ { .until = { late }, .after_seq = 5, .limit = 50 }, QUERY_BY_SEQ },
	};
	struct event_query query;
	sqlite3 *db;

	assert_int_equal(db_open(rig->path, DB_READ, &db, NULL), 0);
	assert_int_equal(event_query_open(&query, db, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct event_answer answer;
		assert_int_equal(event_query_run(&query, &cases[i].query, &answer, NULL), 0);
		event_answer_free(&answer);
		if (query.last_path != cases[i].path) {
			fail_msg("case %zu went by %d", i, query.last_path);
		}
	}
	event_query_close(&query);
	db_close(db);
}

/* The last 50 cost the same whatever the length of the log: virtual machine steps, not time. */
static void the_newest_are_cheap(void **state) {
	struct rig *rig = *state;
	const struct log_query newest = { .limit = 50 };
	const struct log_query of_lock = { .lock_id = "00000001", .limit = 50 };
	struct event_query query;
	sqlite3 *db;

	rig_record_many(rig, 70000, NULL); /* 100 000 in all */
	assert_int_equal(db_open(rig->path, DB_READ, &db, NULL), 0);
	assert_int_equal(event_query_open(&query, db, NULL), 0);
	for (int i = 0; i < 2; i++) {
		struct event_answer answer;
		assert_int_equal(
			event_query_run(&query, i == 0 ? &newest : &of_lock, &answer, NULL), 0);
		assert_int_equal(answer.n, 50);
		event_answer_free(&answer);
		sqlite3_stmt *stmt = query.select[query.last_path][0];
		assert_true(sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0) < 50 * 60);
		assert_int_equal(sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0), 0);
	}
	event_query_close(&query);
	db_close(db);
}

/* Another program holds the write lock, the writer hangs: questions are answered all the same. */
static void questions_do_not_wait_for_the_writer(void **state) {
	struct rig *rig = *state;
	const struct log_query newest = { .limit = 1 };
	struct waiting waiting;
	sqlite3 *db;
	size_t n;

	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	struct txn *txn = rig_txn(&waiting);
	rig_add_event(txn, "0a1b2c3d", 0);
	rig_commit(rig, txn);
	struct event *events = rig_query(rig, &newest, &n);
	assert_int_equal(n, 1);
	assert_false(waiting.is_done);
	int64_t before = events[0].seq;
	free(events);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	rig_await(rig, &waiting);
	/* And what done() has told is seen. */
	events = rig_query(rig, &newest, &n);
	assert_int_equal(events[0].seq, before + 1);
	free(events);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_looking_at_every_row),
		cmocka_unit_test(every_way_is_by_index),
		cmocka_unit_test(rare_filters_lead),
		cmocka_unit_test(rows_come_back_whole),
		cmocka_unit_test(questions_do_not_wait_for_the_writer),
		cmocka_unit_test(the_newest_are_cheap),
	};

	return cmocka_run_group_tests(tests, setup_rows, rig_teardown);
}
