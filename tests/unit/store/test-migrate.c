/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Migrations (D15): each whole or not at all, and never downwards. */

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "migrate.h"
#include "room.h"

static const struct migration made_up[] = {
	{ "0001-first", "PRAGMA application_id = 1281911618; CREATE TABLE a (x INTEGER) STRICT;"
			"INSERT INTO a VALUES (1);" },
	{ "0002-second", "ALTER TABLE a ADD COLUMN y TEXT; UPDATE a SET y = 'two';" },
	{ "0003-third", "CREATE TABLE b (z INTEGER) STRICT; INSERT INTO b SELECT x FROM a;" },
};

static const struct migration broken[] = {
	{ "0001-first", "PRAGMA application_id = 1281911618; CREATE TABLE a (x INTEGER) STRICT;"
			"INSERT INTO a VALUES (1);" },
	{ "0002-second", "ALTER TABLE a ADD COLUMN y TEXT; INSERT INTO nowhere VALUES (1);" },
};

static sqlite3 *open_db(struct rig *rig) {
	sqlite3 *db;

	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(db_open(rig->path, DB_WRITE, &db, NULL), 0);
	return db;
}

static void step_by_step_as_at_once(void **state) {
	struct rig *rig = *state;
	struct fault fault;
	size_t version;

	for (size_t stop = 0; stop <= ARRAY_SIZE(made_up); stop++) {
		sqlite3 *db = open_db(rig);
		assert_int_equal(migrate_look(db, 3, &version, &fault), 0);
		assert_int_equal(version, 0);
		assert_int_equal(migrate_run(db, made_up, stop, 0, &fault), 0);
		assert_int_equal(migrate_look(db, 3, &version, &fault), 0);
		assert_int_equal(version, stop);
		assert_int_equal(migrate_run(db, made_up, 3, version, &fault), 0);
		db_close(db);
		assert_int_equal(rig_number(rig->path, "PRAGMA user_version"), 3);
		assert_int_equal(rig_number(rig->path, "SELECT z FROM b"), 1);
		assert_int_equal(rig_number(rig->path, "SELECT y = 'two' FROM a"), 1);
		assert_int_equal(unlink(rig->path), 0);
	}
}

static void a_broken_one_leaves_the_last_whole_one(void **state) {
	struct rig *rig = *state;
	struct fault fault;

	sqlite3 *db = open_db(rig);
	assert_true(migrate_run(db, broken, ARRAY_SIZE(broken), 0, &fault) < 0);
	assert_int_equal(fault.code, FAULT_INTERNAL);
	assert_non_null(strstr(fault.detail, "0002-second"));
	assert_true(sqlite3_get_autocommit(db));
	db_close(db);
	assert_int_equal(rig_number(rig->path, "PRAGMA user_version"), 1);
	assert_int_equal(rig_number(rig->path, "SELECT count(*) FROM pragma_table_info('a')"), 1);
}

static void newer_and_foreign_are_told_apart(void **state) {
	struct rig *rig = *state;
	struct fault fault = { 0 };
	size_t version;

	sqlite3 *db = open_db(rig);
	assert_int_equal(migrate_run(db, made_up, 3, 0, &fault), 0);
	assert_true(migrate_look(db, 2, &version, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DATABASE_NEWER);
	assert_int_equal(sqlite3_exec(db, "PRAGMA application_id = 7", NULL, NULL, NULL), 0);
	assert_true(migrate_look(db, 3, &version, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DATABASE_OPEN);
	db_close(db);
}

/* The real ones: numbered without a hole, and what they make is sound. */
static void the_built_in_ones_run(void **state) {
	struct rig *rig = *state;
	struct fault fault;
	char number[32];

	assert_true(store_migrations_n > 0);
	for (size_t i = 0; i < store_migrations_n; i++) {
		snprintf(number, sizeof(number), "%04zu-", i + 1);
		assert_memory_equal(store_migrations[i].name, number, 5);
		assert_null(strstr(store_migrations[i].sql, "--"));
	}
	sqlite3 *db = open_db(rig);
	assert_int_equal(migrate_run(db, store_migrations, store_migrations_n, 0, &fault), 0);
	db_close(db);
	assert_int_equal(rig_number(rig->path, "PRAGMA application_id"), DB_APPLICATION_ID);
	assert_int_equal(rig_number(rig->path, "SELECT count(*) FROM pragma_integrity_check"
					       " WHERE integrity_check = 'ok'"),
		1);
}

#define NEXT_MAX 32

/* The built-in ones and one more. */
static size_t add_next(struct migration all[static NEXT_MAX], const char *sql) {
	assert_true(store_migrations_n < NEXT_MAX);
	for (size_t i = 0; i < store_migrations_n; i++) {
		all[i] = store_migrations[i];
	}
	all[store_migrations_n] = (struct migration){ "9999-next", sql };
	return store_migrations_n + 1;
}

static int open_with_next(struct rig *rig, const char *sql, struct fault *ret_fault) {
	struct store_config config = { .path = rig->path, .key = &rig->key };
	struct migration all[NEXT_MAX];
	size_t n = add_next(all, sql);

	return store_open_with(&config, all, n, &rig->store, ret_fault);
}

static void copy_path(const struct rig *rig, char out[static 160]) {
	snprintf(out, 160, "%s.before-%zu", rig->path, store_migrations_n + 1);
}

static void an_upgrade_keeps_a_copy(void **state) {
	struct rig *rig = *state;
	struct fault fault = { 0 };
	struct log_verify found;
	char copy[160];

	rig_open(rig);
	(void) rig_record(rig, "aaaaaaaa", 0);
	rig_close(rig);
	assert_int_equal(open_with_next(rig,
				 "ALTER TABLE setting ADD COLUMN changed_at INTEGER NOT NULL"
				 " DEFAULT 0",
				 &fault),
		0);
	rig_close(rig);
	copy_path(rig, copy);
	assert_int_equal(rig_number(copy, "PRAGMA user_version"), store_migrations_n);
	assert_int_equal(rig_number(rig->path, "PRAGMA user_version"), store_migrations_n + 1);

	/* The older daemon refuses it, and takes the copy. */
	assert_true(rig_try_open(rig, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DATABASE_NEWER);
	assert_int_equal(rename(copy, rig->path), 0);
	rig_open(rig);
	assert_int_equal(rig_verify(rig, &found), FAULT_NONE);
	assert_int_equal(found.bad_seq, 0);
	assert_int_equal(found.n_rows, 1);
}

static void a_failed_upgrade_changes_nothing(void **state) {
	struct rig *rig = *state;
	struct fault fault = { 0 };

	rig_open(rig);
	(void) rig_record(rig, "aaaaaaaa", 0);
	rig_close(rig);
	assert_true(open_with_next(rig, "DROP TABLE setting; CREATE TABLE lock (x);", &fault) < 0);
	assert_int_equal(fault.code, FAULT_INTERNAL);
	assert_non_null(strstr(fault.detail, "9999-next"));
	assert_non_null(strstr(fault.detail, "table lock already exists"));
	rig_open(rig);
	assert_int_equal(rig_record(rig, "aaaaaaaa", 0), 2);
	rig_close(rig);
	assert_int_equal(rig_number(rig->path, "PRAGMA user_version"), store_migrations_n);
	assert_int_equal(rig_number(rig->path, "SELECT count(*) FROM setting"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(step_by_step_as_at_once),
		TEST(a_broken_one_leaves_the_last_whole_one),
		TEST(newer_and_foreign_are_told_apart),
		TEST(the_built_in_ones_run),
		TEST(an_upgrade_keeps_a_copy),
		TEST(a_failed_upgrade_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
