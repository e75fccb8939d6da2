/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The event log under an attacker who can write to the file but has not the key: whatever he does
 * to rows is found, at the first bad row (L10, A11, F47).
 */

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain.h"
#include "crypto/crypto.h"
#include "verify.h"

#define ROWS 60
/* EVENT_ROW_SQL behind seq. */
#define REST_SQL                                                                                   \
	", kind, word, lock_id, time, is_time_trusted, life, mono, lock_time, lock_seq,"           \
	" operation, source, error, alarm, door, state, user, user_ref, op_id, act, fault,"        \
	" number, text, user_id, attribution, credential, data, data_operation"
#define FREE_SQL "DROP TRIGGER event_no_update; DROP TRIGGER event_no_delete;"

static void fill(struct event *event, size_t i) {
	snprintf(event->text, sizeof(event->text), "row %zu", i + 1);
}

static void make_log(struct rig *rig) {
	rig_open(rig);
	rig_record_many(rig, ROWS, fill);
	rig_close(rig);
}

static struct log_verify verify(struct rig *rig) {
	struct log_verify result;

	assert_int_equal(rig_verify(rig, &result), FAULT_NONE);
	return result;
}

/* The attack, then what opening says and what the walk finds. */
static void attack(struct rig *rig, const char *sql, enum fault_code at_open, int64_t bad_seq,
	const char *reason) {
	make_log(rig);
	rig_tamper(rig->path, sql);
	rig_open(rig);
	assert_int_equal(store_condition(rig->store)->log_fault.code, at_open);
	struct log_verify found = verify(rig);
	assert_int_equal(found.bad_seq, bad_seq);
	assert_non_null(strstr(found.reason, reason));
	/* Recording goes on, and hides nothing. */
	assert_true(rig_record(rig, "aaaaaaaa", 0) > 0);
	rig_close(rig);
	rig_open(rig);
	assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_NONE);
	found = verify(rig);
	assert_true(found.bad_seq != 0);
	assert_true(found.bad_seq <= ROWS + 2);
}

static void an_honest_log_holds(void **state) {
	struct rig *rig = *state;

	rig_open(rig);
	struct log_verify found = verify(rig);
	assert_int_equal(found.bad_seq, 0);
	assert_int_equal(found.n_rows, 0);
	rig_close(rig);
	make_log(rig);
	rig_open(rig);
	found = verify(rig);
	assert_int_equal(found.bad_seq, 0);
	assert_int_equal(found.n_rows, ROWS);
	assert_int_equal(found.first_seq, 1);
	assert_int_equal(found.last_seq, ROWS);
	assert_string_equal(found.reason, "");
}

static void sql_cannot_change_rows(void **state) {
	struct rig *rig = *state;
	static const char *const attempts[] = {
		"UPDATE event SET user = 'Berta' WHERE seq = 1",
		"DELETE FROM event WHERE seq = 60",
		"DELETE FROM event",
	};
	sqlite3 *db;

	make_log(rig);
	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		assert_int_equal(
			sqlite3_exec(db, attempts[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
		assert_non_null(strstr(sqlite3_errmsg(db), "append-only"));
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Every single column counts. */
static void an_edited_column_is_found(void **state) {
	struct rig *rig = *state;
	static const char *const edits[] = { "kind = 2", "word = 'locked'", "lock_id = 'bbbbbbbb'",
		"time = time + 1", "is_time_trusted = 1 - is_time_trusted", "mono = mono + 1",
		"lock_time = 1", "lock_seq = 1000", "operation = 0", "source = 7", "error = 1",
		"alarm = 1", "door = 1", "state = 1", "user = 'Berta'", "user_ref = 3",
		"op_id = '0'", "user_id = 'ffffffff'", "user_id = NULL", "attribution = 4",
		"attribution = NULL", "credential = 1", "data = 6", "data_operation = 1",
		"data_operation = NULL",
		("user_id = NULL, attribution = NULL, credential = NULL, data = NULL,"
		 " data_operation = NULL"),
		"act = 'lock'", "fault = 'jammed'", "number = 1", "text = ''",
		"hash = zeroblob(32)", "hash = x''", "text = text || char(0) || 'x'",
		"text = printf('%.*c', 100000, 'x')" };
	char sql[256];

	make_log(rig);
	size_t n;
	uint8_t *whole = rig_slurp(rig->path, &n);
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		snprintf(sql, sizeof(sql), FREE_SQL "UPDATE event SET %s WHERE seq = 17", edits[i]);
		rig_tamper(rig->path, sql);
		rig_open(rig);
		struct log_verify found = verify(rig);
		if (found.bad_seq != 17) {
			fail_msg("%s: found at %lld", edits[i], (long long) found.bad_seq);
		}
		assert_int_equal(found.n_rows, 16);
		rig_close(rig);
		FILE *file = fopen(rig->path, "we");
		assert_int_equal(fwrite(whole, 1, n, file), n);
		assert_int_equal(fclose(file), 0);
	}
	free(whole);
}

static void an_edited_last_row_is_found(void **state) {
	attack(*state, FREE_SQL "UPDATE event SET hash = zeroblob(32) WHERE seq = 60",
		FAULT_LOG_BROKEN, 60, "changed");
}

static void a_deleted_row_is_found(void **state) {
	attack(*state, FREE_SQL "DELETE FROM event WHERE seq = 30", FAULT_NONE, 30,
		"row 30 is missing");
}

static void deleted_rows_are_found(void **state) {
	attack(*state, FREE_SQL "DELETE FROM event WHERE seq BETWEEN 10 AND 20", FAULT_NONE, 10,
		"rows 10 to 20 are missing");
}

static void the_first_row_deleted_is_found(void **state) {
	attack(*state, FREE_SQL "DELETE FROM event WHERE seq = 1", FAULT_NONE, 1,
		"row 1 is missing");
}

static void a_deleted_row_closed_up_is_found(void **state) {
	attack(*state,
		FREE_SQL "DELETE FROM event WHERE seq = 30;"
			 "UPDATE event SET seq = -seq WHERE seq > 30;"
			 "UPDATE event SET seq = -seq - 1 WHERE seq < 0;",
		FAULT_LOG_BROKEN, 30, "changed");
}

static void swapped_rows_are_found(void **state) {
	attack(*state,
		FREE_SQL "UPDATE event SET seq = -1 WHERE seq = 20;"
			 "UPDATE event SET seq = 20 WHERE seq = 21;"
			 "UPDATE event SET seq = 21 WHERE seq = -1;",
		FAULT_NONE, 20, "changed");
}

static void a_truncated_log_is_found(void **state) {
	attack(*state, FREE_SQL "DELETE FROM event WHERE seq > 50", FAULT_LOG_BROKEN, 51,
		"rows 51 to 60 are missing");
}

static void an_emptied_log_is_found(void **state) {
	attack(*state, FREE_SQL "DELETE FROM event", FAULT_LOG_BROKEN, 1,
		"rows 1 to 60 are missing");
}

static void truncated_with_the_head_moved_is_found(void **state) {
	attack(*state,
		FREE_SQL "DELETE FROM event WHERE seq > 50;"
			 "UPDATE chain SET seq = 50, hash = (SELECT hash FROM event WHERE seq = 50)"
			 " WHERE name = 'head'",
		FAULT_LOG_BROKEN, 50, "seal");
}

static void a_missing_head_is_found(void **state) {
	attack(*state, "DELETE FROM chain WHERE name = 'head'", FAULT_LOG_BROKEN, 60, "seal");
}

static void a_cut_beginning_is_found(void **state) {
	attack(*state,
		FREE_SQL "DELETE FROM event WHERE seq <= 10;"
			 "UPDATE chain SET seq = 10 WHERE name = 'anchor'",
		FAULT_NONE, 11, "beginning");
}

static void a_row_before_the_beginning_is_found(void **state) {
	attack(*state,
		"INSERT INTO event (" EVENT_ROW_SQL ", hash) SELECT 0" REST_SQL ", hash FROM event"
		" WHERE seq = 1",
		FAULT_NONE, 1, "before");
}

/* Hashes rows anew from @first on, as somebody who has read our source could. */
static void rehash(const char *path, int64_t first) {
	sqlite3 *db;
	sqlite3_stmt *rows;
	sqlite3_stmt *put;
	uint8_t hash[32] = { 0 };
	struct value values[EVENT_ROW_COLUMNS];

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "DROP TRIGGER IF EXISTS event_no_update; BEGIN", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT " EVENT_ROW_SQL ", hash FROM event ORDER BY seq", -1,
			&rows, NULL),
		SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "UPDATE event SET hash = ? WHERE seq = ?", -1, &put, NULL),
		SQLITE_OK);
	while (sqlite3_step(rows) == SQLITE_ROW) {
		size_t n = event_row_borrow(rows, values);
		assert_int_not_equal(n, 0);
		if (values[0].number < first) {
			memcpy(hash, sqlite3_column_blob(rows, EVENT_ROW_COLUMNS), sizeof(hash));
			continue;
		}
		chain_hash(values, n, hash, hash);
		sqlite3_bind_blob(put, 1, hash, sizeof(hash), SQLITE_TRANSIENT);
		sqlite3_bind_int64(put, 2, values[0].number);
		assert_int_equal(sqlite3_step(put), SQLITE_DONE);
		sqlite3_reset(put);
	}
	sqlite3_finalize(rows);
	sqlite3_finalize(put);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_log_hashed_anew_is_found(void **state) {
	struct rig *rig = *state;

	make_log(rig);
	rig_tamper(rig->path, FREE_SQL "UPDATE event SET user = 'Berta' WHERE seq = 17");
	rehash(rig->path, 17);
	rig_open(rig);
	assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_LOG_BROKEN);
	struct log_verify found = verify(rig);
	assert_int_equal(found.bad_seq, ROWS);
	assert_non_null(strstr(found.reason, "hashed anew"));
}

static void a_head_without_the_key_is_found(void **state) {
	struct rig *rig = *state;

	make_log(rig);
	rig_tamper(rig->path, FREE_SQL "UPDATE event SET user = 'Berta' WHERE seq = 17");
	rehash(rig->path, 17);
	rig_tamper(rig->path, "UPDATE chain SET hash = (SELECT hash FROM event WHERE seq = 60)"
			      " WHERE name = 'head'");
	rig_open(rig);
	assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_LOG_BROKEN);
	struct log_verify found = verify(rig);
	assert_true(found.bad_seq != 0);
	assert_non_null(strstr(found.reason, "seal"));
}

static void an_appended_row_is_found(void **state) {
	struct rig *rig = *state;

	make_log(rig);
	rig_tamper(rig->path,
		"INSERT INTO event (" EVENT_ROW_SQL ", hash) SELECT 61" REST_SQL ", hash FROM event"
		" WHERE seq = 60");
	rehash(rig->path, 61);
	rig_open(rig);
	assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_LOG_BROKEN);
	struct log_verify found = verify(rig);
	assert_int_equal(found.bad_seq, 61);
	assert_non_null(strstr(found.reason, "added"));
	/* Later rows do not take it in: there is a hole behind it that nobody can fill. */
	assert_int_equal(rig_record(rig, "aaaaaaaa", 0), 63);
	found = verify(rig);
	assert_int_equal(found.bad_seq, 62);
}

/* Put back what was taken: then all is well again. */
static void restored_rows_heal(void **state) {
	struct rig *rig = *state;

	make_log(rig);
	rig_tamper(rig->path, "CREATE TABLE kept AS SELECT * FROM event WHERE seq > 50;" FREE_SQL
			      "DELETE FROM event WHERE seq > 50;");
	rig_open(rig);
	assert_int_equal(rig_record(rig, "aaaaaaaa", 0), 61);
	assert_int_equal(verify(rig).bad_seq, 51);
	rig_close(rig);
	rig_tamper(rig->path, "INSERT INTO event SELECT * FROM kept; DROP TABLE kept;");
	rig_open(rig);
	assert_int_equal(verify(rig).bad_seq, 0);
	assert_int_equal(verify(rig).n_rows, 61);
}

/* What retention will do: move the anchor with the key, then delete behind it. */
static void a_chain_begins_at_its_anchor(void **state) {
	struct rig *rig = *state;
	struct store_keys keys;
	sqlite3 *db;
	sqlite3_stmt *stmt;
	struct chain_end anchor = { .seq = 40 };

	make_log(rig);
	store_keys_derive(rig->key.bytes, &keys);
	for (int round = 0; round < 2; round++, anchor.seq = ROWS) {
		assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_prepare_v2(db, "SELECT hash FROM event WHERE seq = ?", -1,
					 &stmt, NULL),
			SQLITE_OK);
		sqlite3_bind_int64(stmt, 1, anchor.seq);
		assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
		memcpy(anchor.hash, sqlite3_column_blob(stmt, 0), 32);
		sqlite3_finalize(stmt);
		assert_int_equal(sqlite3_prepare_v2(db, CHAIN_PUT_SQL, -1, &stmt, NULL), SQLITE_OK);
		assert_int_equal(chain_put(stmt, &keys, CHAIN_ANCHOR, &anchor, NULL), 0);
		sqlite3_finalize(stmt);
		assert_int_equal(sqlite3_exec(db,
					 "DELETE FROM event WHERE seq <= (SELECT seq FROM chain"
					 " WHERE name = 'anchor')",
					 NULL, NULL, NULL),
			SQLITE_OK);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);

		rig_open(rig);
		assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_NONE);
		struct log_verify found = verify(rig);
		assert_int_equal(found.bad_seq, 0);
		assert_int_equal(found.n_rows, ROWS - anchor.seq);
		rig_close(rig);
	}
	/* All of them gone: the numbers go on all the same. */
	rig_open(rig);
	assert_int_equal(rig_record(rig, "aaaaaaaa", 0), ROWS + 1);
	assert_int_equal(verify(rig).bad_seq, 0);
	store_keys_wipe(&keys);
}

/* More rows than one piece of the walk, with appends between. */
static void a_long_log_is_walked_in_pieces(void **state) {
	struct rig *rig = *state;

	rig_open(rig);
	rig_record_many(rig, VERIFY_ROWS * 2, NULL);
	assert_int_equal(verify(rig).n_rows, VERIFY_ROWS * 2);
	assert_int_equal(verify(rig).bad_seq, 0);
	rig_record_many(rig, 77, NULL);
	struct log_verify found = verify(rig);
	assert_int_equal(found.n_rows, VERIFY_ROWS * 2 + 77);
	assert_int_equal(found.bad_seq, 0);
	rig_close(rig);
	rig_tamper(rig->path, FREE_SQL "UPDATE event SET user = 'B' WHERE seq = 40001");
	rig_open(rig);
	assert_int_equal(verify(rig).bad_seq, 40001);
}

/* Walks while rows are being added: never a false alarm. */
static void verify_beside_the_writer(void **state) {
	struct rig *rig = *state;
	struct waiting waiting[200];

	rig_open(rig);
	rig_record_many(rig, 3000, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		struct txn *txn = rig_txn(&waiting[i]);
		rig_add_event(txn, "aaaaaaaa", 0);
		rig_commit(rig, txn);
		if (i % 20 == 0) {
			struct log_verify found = verify(rig);
			assert_int_equal(found.bad_seq, 0);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		rig_await(rig, &waiting[i]);
	}
}

static void to_hex(const uint8_t hash[static 32], char out[static 65]) {
	for (size_t i = 0; i < 32; i++) {
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
	}
}

/* The form of the hash is fixed: logs of earlier versions must stay verifiable. */
static void the_hash_never_changes(void **state) {
	struct event event = { .seq = 7,
		.kind = EVENT_LOCK_OPERATION,
		.lock_id = "0a1b2c3d",
		.time = { 1800000000 },
		.is_time_trusted = true,
		.mono = { 123456 },
		.lock_time = { 1799999999 },
		.lock_seq = 42,
		.operation = OPERATION_UNLOCK,
		.source = SOURCE_KEYPAD,
		.error = OPERATION_ERROR_NONE,
		.alarm = ALARM_NONE,
		.door = DOOR_STATE_UNKNOWN,
		.state = LOCK_STATE_UNKNOWN,
		.user = "Anna",
		.user_ref = 3,
		.op_id = "0123456789abcdef",
		.act = ACT_UNLOCK,
		.fault = FAULT_NONE,
		.number = -1,
		.text = "Tür",
		.user_id = "5a5a5a5a",
		.attribution = ATTRIBUTION_CREDENTIAL,
		.credential = CREDENTIAL_PIN,
		.data = LOCK_DATA_PIN,
		.data_operation = DATA_MODIFY };
	struct value values[EVENT_ROW_COLUMNS];
	uint8_t before[32];
	uint8_t hash[32];
	char hex[65];

	memset(before, 0xab, sizeof(before));
	event_row_values(&event, 2, values);
	/* From tests/unit/store/chain-vector.py, an independent reading of chain.h. */
	chain_hash(values, EVENT_ROW_COLUMNS_FIRST, before, hash);
	to_hex(hash, hex);
	assert_string_equal(
		hex, "fd78cf2b205496e355792c9ed4ab0a6f53ca5b479b8b97ccea70e554ff5c6746");
	chain_hash(values, EVENT_ROW_COLUMNS, before, hash);
	to_hex(hash, hex);
	assert_string_equal(
		hex, "8aabb622cb3b1d8dba95184b3d6288bae3d22c22c510a6a145b6c182782c2353");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(an_honest_log_holds),
		TEST(sql_cannot_change_rows),
		TEST(an_edited_column_is_found),
		TEST(an_edited_last_row_is_found),
		TEST(a_deleted_row_is_found),
		TEST(deleted_rows_are_found),
		TEST(the_first_row_deleted_is_found),
		TEST(a_deleted_row_closed_up_is_found),
		TEST(swapped_rows_are_found),
		TEST(a_truncated_log_is_found),
		TEST(an_emptied_log_is_found),
		TEST(truncated_with_the_head_moved_is_found),
		TEST(a_missing_head_is_found),
		TEST(a_cut_beginning_is_found),
		TEST(a_row_before_the_beginning_is_found),
		TEST(a_log_hashed_anew_is_found),
		TEST(a_head_without_the_key_is_found),
		TEST(an_appended_row_is_found),
		TEST(restored_rows_heal),
		TEST(a_chain_begins_at_its_anchor),
		TEST(a_long_log_is_walked_in_pieces),
		TEST(verify_beside_the_writer),
		cmocka_unit_test(the_hash_never_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
