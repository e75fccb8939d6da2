/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A database of before migration 2, as the daemon of that time left it: nothing is lost, its log
 * holds, and the columns that came later cannot be used to change what it says.
 */

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain.h"
#include "life.h"
#include "lock-table.h"
#include "migrate.h"
#include "op-table.h"
#include "setting-table.h"

#define OLD_ROWS 40
#define NEW_ROWS 20
#define FREE_SQL "DROP TRIGGER event_no_update; DROP TRIGGER event_no_delete;"
#define OLD_COLUMNS                                                                                \
	"seq, kind, word, lock_id, time, is_time_trusted, life, mono, lock_time, lock_seq,"        \
	" operation, source, error, alarm, door, state, user, user_ref, op_id, act, fault,"        \
	" number, text, hash"

static void put_row(sqlite3 *db, const struct event *event, struct chain_end *head) {
	AUTO(db_finalize) sqlite3_stmt *insert = NULL;
	struct value values[EVENT_ROW_COLUMNS];

	assert_int_equal(db_prepare(db,
				 "INSERT INTO event (" OLD_COLUMNS ") VALUES"
				 " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
				 &insert, NULL),
		0);
	event_row_values(event, 1, values);
	chain_hash(values, EVENT_ROW_COLUMNS_FIRST, head->hash, head->hash);
	head->seq = event->seq;
	struct bind bind = bind_on(insert);
	for (size_t i = 0; i < EVENT_ROW_COLUMNS_FIRST; i++) {
		if (values[i].is_text) {
			bind_text(&bind, values[i].text);
		} else {
			bind_number(&bind, values[i].number);
		}
	}
	bind_blob(&bind, head->hash, sizeof(head->hash));
	assert_int_equal(bind_run(&bind, NULL, "", NULL), 0);
}

static void put_rows(sqlite3 *db, const struct store_keys *keys) {
	AUTO(db_finalize) sqlite3_stmt *put = NULL;
	struct chain_end head = { 0 };
	struct event event;

	for (int64_t seq = 1; seq <= OLD_ROWS; seq++) {
		rig_fill_event(&event, EVENT_LOCK_OPERATION, "aaaaaaaa");
		event.seq = seq;
		event.operation = OPERATION_UNLOCK;
		event.lock_seq = seq;
		event.time.s += seq;
		strcpy(event.user, seq % 2 ? "Anna" : "");
		snprintf(event.text, sizeof(event.text), "row %d", (int) seq);
		put_row(db, &event, &head);
	}
	assert_int_equal(db_prepare(db, CHAIN_PUT_SQL, &put, NULL), 0);
	assert_int_equal(chain_put(put, keys, CHAIN_HEAD, &head, NULL), 0);
}

static void put_tables(sqlite3 *db, const struct store_keys *keys) {
	struct lock_table locks;
	struct op_table ops;
	struct setting_table settings;
	struct txn *txn = txn_new(NULL, NULL);

	assert_int_equal(lock_table_open(&locks, db, keys, NULL), 0);
	assert_int_equal(op_table_open(&ops, db, NULL), 0);
	assert_int_equal(setting_table_open(&settings, db, NULL), 0);
	struct lock_record *lock = rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
	lock->log_cursor = OLD_ROWS;
	assert_int_equal(lock_table_put(&locks, lock, NULL), 0);
	assert_int_equal(
		op_table_intent(&ops, rig_add_op(txn, TXN_INTENT, "00000000deadbeef"), NULL), 0);
	assert_int_equal(setting_table_put(&settings, "hub_id", "12345678", NULL), 0);
	lock_table_close(&locks);
	op_table_close(&ops);
	setting_table_close(&settings);
	(void) txn_free(txn);
}

/* As the daemon of version 1 would: the tables that it had are written as they still are. */
static void make_old(struct rig *rig) {
	struct store_keys keys;
	struct fault fault = { 0 };
	int64_t life;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL), 0);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(db_open(rig->path, DB_WRITE, &db, &fault), 0);
	assert_int_equal(migrate_run(db, store_migrations, 1, 0, &fault), 0);
	store_keys_derive(rig->key.bytes, &keys);
	assert_int_equal(canary_put(db, &keys, &fault), 0);
	assert_int_equal(chain_begin(db, &keys, &fault), 0);
	assert_int_equal(life_begin(db, "boot-0", &life, &fault), 0);
	assert_int_equal(life, 1);
	put_tables(db, &keys);
	put_rows(db, &keys);
	assert_int_equal(life_end(db, life, &fault), 0);
	store_keys_wipe(&keys);
	db_close(db);
}

static void fill_new(struct event *event, size_t i) {
	snprintf(event->text, sizeof(event->text), "new row %zu", i);
	strcpy(event->user_id, "a0000001");
	event->attribution = ATTRIBUTION_CREDENTIAL;
	event->credential = CREDENTIAL_PIN;
}

/* Migrated, and written on by this version. */
static void make_both(struct rig *rig) {
	make_old(rig);
	rig_open(rig);
	rig_record_many(rig, NEW_ROWS, fill_new);
	rig_close(rig);
}

static struct log_verify verify(struct rig *rig) {
	struct log_verify result;

	assert_int_equal(rig_verify(rig, &result), FAULT_NONE);
	return result;
}

struct loaded {
	size_t n_locks, n_ops, n_settings;
	struct lock_record lock;
	struct event last;
};

static void take_lock(void *user, const struct lock_record *record, const struct event *last_event,
	const struct fault *fault) {
	struct loaded *loaded = user;

	assert_null(fault);
	loaded->n_locks++;
	loaded->lock = *record;
	loaded->last = *last_event;
}

static void take_op(void *user, const struct op_record *op) {
	assert_string_equal(op->id, "00000000deadbeef");
	((struct loaded *) user)->n_ops++;
}

static void take_setting(void *user, const char *key, const char *value) {
	assert_string_equal(key, "hub_id");
	assert_string_equal(value, "12345678");
	((struct loaded *) user)->n_settings++;
}

static void nothing_is_lost(void **state) {
	static const struct store_visitor visitor = {
		.lock = take_lock, .op = take_op, .setting = take_setting
	};
	struct rig *rig = *state;
	struct loaded loaded = { 0 };
	const struct log_query all = { .is_oldest_first = true };
	struct event expected;
	char copy[160];
	size_t n;

	make_old(rig);
	rig_open(rig);
	assert_false(store_condition(rig->store)->is_new);
	assert_true(store_condition(rig->store)->was_clean);
	assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_NONE);
	assert_int_equal(store_condition(rig->store)->last_seq, OLD_ROWS);
	assert_int_equal(store_load(rig->store, &visitor, &loaded, NULL), 0);
	assert_int_equal(loaded.n_locks, 1);
	assert_int_equal(loaded.n_ops, 1);
	assert_int_equal(loaded.n_settings, 1);
	assert_int_equal(loaded.lock.log_cursor, OLD_ROWS);
	assert_memory_equal(loaded.lock.keys.bytes, "planted-lock-key", 16);
	assert_int_equal(loaded.last.seq, OLD_ROWS);

	struct event *events = rig_query(rig, &all, &n);
	assert_int_equal(n, OLD_ROWS);
	rig_fill_event(&expected, EVENT_LOCK_OPERATION, "aaaaaaaa");
	expected.seq = expected.lock_seq = 7;
	expected.operation = OPERATION_UNLOCK;
	expected.time.s += 7;
	strcpy(expected.user, "Anna");
	strcpy(expected.text, "row 7");
	expected.credential = CREDENTIAL_NONE;
	assert_memory_equal(&events[6], &expected, sizeof(expected));
	free(events);
	assert_int_equal(verify(rig).bad_seq, 0);
	assert_int_equal(verify(rig).n_rows, OLD_ROWS);
	assert_int_equal(rig_check(rig), FAULT_NONE);
	rig_close(rig);

	snprintf(copy, sizeof(copy), "%s.before-%zu", rig->path, store_migrations_n);
	assert_int_equal(rig_number(copy, "PRAGMA user_version"), 1);
	assert_int_equal(rig_number(copy, "SELECT count(*) FROM event"), OLD_ROWS);
}

static void the_log_goes_on(void **state) {
	struct rig *rig = *state;
	const struct log_query queries[] = {
		{ .user = "Anna" },
		{ .user_id = "a0000001" },
		{ .user = "Anna", .user_id = "a0000001" },
		{ .user = "Anna", .user_id = "b0000002" },
	};
	static const size_t expected[] = { OLD_ROWS / 2 + NEW_ROWS, NEW_ROWS,
		OLD_ROWS / 2 + NEW_ROWS, OLD_ROWS / 2 };
	size_t n;

	make_both(rig);
	rig_open(rig);
	struct log_verify found = verify(rig);
	assert_int_equal(found.bad_seq, 0);
	assert_int_equal(found.n_rows, OLD_ROWS + NEW_ROWS);
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		struct event *events = rig_query(rig, &queries[i], &n);
		assert_int_equal(n, expected[i]);
		free(events);
	}
}

/* Hashes all rows anew, each as what it looks like. */
static void rehash(const char *path) {
	sqlite3 *db;
	sqlite3_stmt *rows;
	sqlite3_stmt *put;
	uint8_t hash[32] = { 0 };
	struct value values[EVENT_ROW_COLUMNS];

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT " EVENT_ROW_SQL " FROM event ORDER BY seq",
				 -1, &rows, NULL),
		SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "UPDATE event SET hash = ? WHERE seq = ?", -1, &put, NULL),
		SQLITE_OK);
	while (sqlite3_step(rows) == SQLITE_ROW) {
		size_t n = event_row_borrow(rows, values);
		assert_int_not_equal(n, 0);
		chain_hash(values, n, hash, hash);
		sqlite3_bind_blob(put, 1, hash, sizeof(hash), SQLITE_TRANSIENT);
		sqlite3_bind_int64(put, 2, values[0].number);
		assert_int_equal(sqlite3_step(put), SQLITE_DONE);
		sqlite3_reset(put);
	}
	sqlite3_finalize(rows);
	sqlite3_finalize(put);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#define STRIP_SQL                                                                                  \
	"UPDATE event SET user_id = NULL, attribution = NULL, credential = NULL, data = NULL,"     \
	" data_operation = NULL "

static void columns_cannot_be_stripped_or_added(void **state) {
	static const struct {
		const char *sql;
		bool is_rehashed;
		int64_t bad_seq;
	} cases[] = {
		{ STRIP_SQL "WHERE seq = 50", false, 50 },
		{ STRIP_SQL "WHERE seq = 60", false, 60 },
		{ STRIP_SQL "WHERE seq > 40", false, 41 },
		{ "UPDATE event SET user_id = NULL WHERE seq = 50", false, 50 },
		{ "UPDATE event SET data_operation = NULL WHERE seq = 50", false, 50 },
		{ "UPDATE event SET user_id = 'b0000002' WHERE seq = 50", false, 50 },
		{ "UPDATE event SET user_id = 'b0000002' WHERE seq = 9", false, 9 },
		{ "UPDATE event SET attribution = 4, credential = 1 WHERE seq = 9", false, 9 },
		{ "UPDATE event SET user_id = 'b0000002', attribution = 2, credential = 1,"
		  " data = 0, data_operation = 0 WHERE seq = 9",
			false, 9 },
		/* All consistent again, but for the seal. */
		{ STRIP_SQL "WHERE seq = 50", true, 60 },
		{ STRIP_SQL "WHERE seq > 40", true, 60 },
		{ "UPDATE event SET user_id = 'b0000002', attribution = 2, credential = 1,"
		  " data = 0, data_operation = 0 WHERE seq = 9",
			true, 60 },
	};
	struct rig *rig = *state;
	size_t n;

	make_both(rig);
	uint8_t *whole = rig_slurp(rig->path, &n);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rig_tamper(rig->path, FREE_SQL);
		rig_tamper(rig->path, cases[i].sql);
		if (cases[i].is_rehashed) {
			rehash(rig->path);
		}
		rig_open(rig);
		struct log_verify found = verify(rig);
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

/* Back to the old tables, as if nothing had ever been written by this version. */
static void dropped_columns_are_damage(void **state) {
	struct rig *rig = *state;
	struct fault fault = { 0 };

	make_both(rig);
	rig_tamper(rig->path, FREE_SQL "DROP INDEX event_user_id; DROP INDEX event_name_only;"
				       "ALTER TABLE event DROP COLUMN user_id;");
	assert_true(rig_try_open(rig, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DATABASE_CORRUPT);
}

/* The same, with the version put back, so that migration 2 runs again. */
static void a_second_migration_hides_nothing(void **state) {
	struct rig *rig = *state;

	make_both(rig);
	rig_tamper(rig->path,
		"DROP INDEX event_user_id; DROP INDEX event_name_only;"
		"ALTER TABLE event DROP COLUMN data_operation;"
		"ALTER TABLE event DROP COLUMN data; ALTER TABLE event DROP COLUMN credential;"
		"ALTER TABLE event DROP COLUMN attribution; ALTER TABLE event DROP COLUMN user_id;"
		"DROP TABLE lock_rules; DROP TABLE slot; DROP TABLE slot_list;"
		"DROP TABLE placement; DROP TABLE holiday; DROP TABLE schedule;"
		"DROP TABLE access; DROP TABLE credential; DROP TABLE user;"
		"DROP TABLE sample; DROP TABLE day_count; DROP TABLE attempt; DROP TABLE note;"
		"PRAGMA user_version = 1;");
	rig_open(rig);
	struct log_verify found = verify(rig);
	assert_int_equal(found.bad_seq, OLD_ROWS + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_lost),
		TEST(the_log_goes_on),
		TEST(columns_cannot_be_stripped_or_added),
		TEST(dropped_columns_are_damage),
		TEST(a_second_migration_hides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
