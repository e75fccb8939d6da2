/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening, refusing, closing; copies and checks; what lies in the file. */

#include "rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fault_code open_fault(struct rig *rig, struct fault *ret) {
	*ret = (struct fault){ 0 };
	assert_true(rig_try_open(rig, ret) < 0);
	assert_null(rig->store);
	return ret->code;
}

static const char *beside(const struct rig *rig, const char *suffix) {
	static char path[160];

	snprintf(path, sizeof(path), "%s%s", rig->path, suffix);
	return path;
}

static void a_new_one_is_made(void **state) {
	struct rig *rig = *state;

	rig_open(rig);
	const struct store_condition *condition = store_condition(rig->store);
	assert_true(condition->is_new);
	assert_true(condition->was_clean);
	assert_int_equal(condition->life, 1);
	assert_int_equal(condition->last_seq, 0);
	assert_int_equal(condition->log_fault.code, FAULT_NONE);
	rig_record(rig, "aaaaaaaa", 0);
	rig_close(rig);
	assert_int_equal(access(beside(rig, "-wal"), F_OK), -1);

	rig_open(rig);
	condition = store_condition(rig->store);
	assert_false(condition->is_new);
	assert_true(condition->was_clean);
	assert_int_equal(condition->life, 2);
	assert_int_equal(condition->last_seq, 1);
}

static void idle_lives_leave_no_rows(void **state) {
	struct rig *rig = *state;

	for (int i = 0; i < 5; i++) {
		rig_open(rig);
		rig_close(rig);
	}
	assert_int_equal(rig_number(rig->path, "SELECT count(*) FROM life"), 1);
}

static void files_are_private(void **state) {
	struct rig *rig = *state;
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	struct stat st;

	mode_t old = umask(0);
	rig_open(rig);
	rig_record(rig, "aaaaaaaa", 0);
	(void) umask(old);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		assert_int_equal(stat(beside(rig, suffixes[i]), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	rig_close(rig);
	assert_int_equal(chmod(rig->path, 0644), 0);
	rig_open(rig);
	assert_int_equal(stat(rig->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void set_up_as_the_rules_say(void **state) {
	struct rig *rig = *state;

	rig_open(rig);
	rig_close(rig);
	assert_int_equal(rig_number(rig->path, "PRAGMA user_version"), 4);
	assert_int_equal(
		rig_number(rig->path, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	/* All tables are STRICT. */
	assert_int_equal(rig_number(rig->path, "SELECT count(*) FROM pragma_table_list WHERE"
					       " type = 'table' AND NOT strict"
					       " AND name NOT LIKE 'sqlite_%'"),
		0);
}

static void second_one_is_refused(void **state) {
	struct rig *rig = *state;
	struct rig other = *rig;
	struct fault fault;
	char pid[24];

	rig_open(rig);
	other.store = NULL;
	assert_int_equal(open_fault(&other, &fault), FAULT_DATABASE_IN_USE);
	snprintf(pid, sizeof(pid), "process %ld ", (long) getpid());
	assert_non_null(strstr(fault.detail, pid));
	rig_close(rig);
	rig_open(rig);
}

static void wrong_key_is_refused(void **state) {
	struct rig *rig = *state;
	struct fault fault;
	size_t n_before;
	size_t n_after;

	rig_open(rig);
	rig_record(rig, "aaaaaaaa", 0);
	rig_close(rig);
	uint8_t *before = rig_slurp(rig->path, &n_before);
	rig->key.bytes[31] ^= 1;
	assert_int_equal(open_fault(rig, &fault), FAULT_KEY_MISSING);
	uint8_t *after = rig_slurp(rig->path, &n_after);
	assert_int_equal(n_before, n_after);
	assert_memory_equal(before, after, n_before);
	free(before);
	free(after);

	rig->key.len = 31;
	assert_int_equal(open_fault(rig, &fault), FAULT_KEY_MISSING);
	rig->key.len = 32;
	rig->key.bytes[31] ^= 1;
	rig_open(rig);
}

static void missing_canary_is_damage(void **state) {
	struct rig *rig = *state;
	struct fault fault;

	rig_open(rig);
	rig_record(rig, "aaaaaaaa", 0);
	rig_close(rig);
	rig_tamper(rig->path, "DELETE FROM canary");
	assert_int_equal(open_fault(rig, &fault), FAULT_DATABASE_CORRUPT);
}

static void newer_is_refused_untouched(void **state) {
	struct rig *rig = *state;
	struct fault fault;
	size_t n_before;
	size_t n_after;

	rig_open(rig);
	rig_record(rig, "aaaaaaaa", 0);
	rig_close(rig);
	/* Left with a WAL, as after a power cut of the newer daemon. */
	sqlite3 *db;
	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	(void) sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);

	for (int i = 0; i < 2; i++) {
		const char *path = i == 0 ? rig->path : beside(rig, "-wal");
		uint8_t *before = rig_slurp(path, &n_before);
		assert_non_null(before);
		assert_true(n_before > 0);
		assert_int_equal(open_fault(rig, &fault), FAULT_DATABASE_NEWER);
		assert_non_null(strstr(fault.detail, "99"));
		uint8_t *after = rig_slurp(path, &n_after);
		assert_non_null(after);
		assert_int_equal(n_before, n_after);
		assert_memory_equal(before, after, n_before);
		free(before);
		free(after);
	}
}

static void write_file(const char *path, const void *data, size_t n) {
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

static void what_is_no_database_is_refused(void **state) {
	struct rig *rig = *state;
	struct fault fault;
	char text[8192];
	size_t n;

	memset(text, 'x', sizeof(text));
	write_file(rig->path, text, sizeof(text));
	assert_int_equal(open_fault(rig, &fault), FAULT_DATABASE_CORRUPT);
	uint8_t *after = rig_slurp(rig->path, &n);
	assert_int_equal(n, sizeof(text));
	assert_memory_equal(after, text, n);
	free(after);

	assert_int_equal(unlink(rig->path), 0);
	rig_tamper(rig->path, "CREATE TABLE other (x)");
	assert_int_equal(open_fault(rig, &fault), FAULT_DATABASE_OPEN);

	assert_int_equal(unlink(rig->path), 0);
	assert_int_equal(mkdir(rig->path, 0700), 0);
	assert_int_equal(open_fault(rig, &fault), FAULT_DATABASE_OPEN);
	assert_int_equal(rmdir(rig->path), 0);

	strcpy(rig->path, "/nonexistent/lockhub.db");
	assert_int_equal(open_fault(rig, &fault), FAULT_DATABASE_OPEN);
}

/* Ends the life as a crash does: the row says so. */
static void make_unclean(struct rig *rig) {
	rig_tamper(rig->path, "UPDATE life SET is_clean = 0");
}

static void fill(struct event *event, size_t i) {
	snprintf(event->text, sizeof(event->text), "filler %zu", i);
	event->time.s += (int64_t) i;
}

static void damage_is_found(void **state) {
	struct rig *rig = *state;
	struct fault fault;
	size_t n;

	rig_open(rig);
	rig_record_many(rig, 2000, fill);
	rig_close(rig);
	make_unclean(rig);
	uint8_t *whole = rig_slurp(rig->path, &n);

	/* A page in the middle, zeroed; the daemon was ended by a power cut. */
	int fd = open(rig->path, O_RDWR | O_CLOEXEC);
	char zeros[4096] = { 0 };
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), (off_t) (n / 2 / 4096 * 4096)), 4096);
	(void) close(fd);
	rig->boot_id = "boot-2";
	assert_int_equal(open_fault(rig, &fault), FAULT_DATABASE_CORRUPT);
	/* After a crash of the daemon alone the start does not wait for the check. */
	rig->boot_id = "boot-1";
	rig_open(rig);
	assert_false(store_condition(rig->store)->was_clean);
	while (rig->n_troubles == 0) {
		rig_turn(rig);
	}
	assert_int_equal(rig->trouble.code, FAULT_DATABASE_CORRUPT);
	assert_int_equal(rig_check(rig), FAULT_DATABASE_CORRUPT);
	rig_close(rig);

	/* Cut off. */
	write_file(rig->path, whole, n / 2);
	rig->boot_id = "boot-3";
	assert_int_equal(open_fault(rig, &fault), FAULT_DATABASE_CORRUPT);
	free(whole);
}

static void unclean_end_is_known(void **state) {
	struct rig *rig = *state;

	rig_open(rig);
	rig_record(rig, "aaaaaaaa", 0);
	rig_close(rig);
	make_unclean(rig);
	rig->boot_id = "boot-2";
	rig_open(rig);
	assert_false(store_condition(rig->store)->was_clean);
	assert_false(store_condition(rig->store)->is_same_boot);
	rig_close(rig);
	rig_open(rig);
	assert_true(store_condition(rig->store)->was_clean);
	assert_true(store_condition(rig->store)->is_same_boot);
	assert_int_equal(rig->n_troubles, 0);
}

static void changed_tables_are_damage(void **state) {
	struct rig *rig = *state;
	static const char *const changes[] = { "DROP TABLE canary", "DROP TABLE life",
		"ALTER TABLE event RENAME COLUMN hash TO hush", "DROP TABLE chain",
		"DROP INDEX event_word", "ALTER TABLE lock RENAME TO locks" };
	struct fault fault;

	rig_open(rig);
	rig_record(rig, "aaaaaaaa", 0);
	rig_close(rig);
	size_t n;
	uint8_t *whole = rig_slurp(rig->path, &n);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		rig_tamper(rig->path, changes[i]);
		if (open_fault(rig, &fault) != FAULT_DATABASE_CORRUPT) {
			fail_msg("%s: %s: %s", changes[i], fault_name(fault.code), fault.detail);
		}
		(void) unlink(beside(rig, "-wal"));
		(void) unlink(beside(rig, "-shm"));
		write_file(rig->path, whole, n);
	}
	free(whole);
}

static bool holds(const char *path, const char *needle) {
	size_t n;
	uint8_t *bytes = rig_slurp(path, &n);

	if (bytes == NULL) {
		return false;
	}
	bool is_there = memmem(bytes, n, needle, strlen(needle)) != NULL;
	free(bytes);
	return is_there;
}

static void secrets_are_not_in_the_file(void **state) {
	struct rig *rig = *state;
	static const char *const suffixes[] = { "", "-wal", "-shm", ".copy", ".lock" };
	struct waiting waiting;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	assert_int_equal(rig_backup(rig, beside(rig, ".copy")), FAULT_NONE);
	assert_true(holds(rig->path, "front-door") || holds(beside(rig, "-wal"), "front-door"));
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		assert_false(holds(beside(rig, suffixes[i]), "planted-lock-key"));
		assert_false(holds(beside(rig, suffixes[i]), RIG_KEY));
	}
	rig_close(rig);
	assert_true(holds(rig->path, "front-door"));
	assert_false(holds(rig->path, "planted-lock-key"));
	assert_false(holds(rig->path, RIG_KEY));
}

static void removed_keys_leave_no_trace(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	uint8_t sealed[48];
	sqlite3 *db;
	sqlite3_stmt *stmt;
	size_t n;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	assert_int_equal(sqlite3_open_v2(rig->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT keys FROM lock", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_true(sqlite3_column_bytes(stmt, 0) >= (int) sizeof(sealed));
	memcpy(sealed, sqlite3_column_blob(stmt, 0), sizeof(sealed));
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);

	txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_REMOVE, "aaaaaaaa", "front-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	/* The next commit comes after the WAL was cut. */
	rig_record(rig, "aaaaaaaa", 0);
	for (int i = 0; i < 2; i++) {
		uint8_t *bytes = rig_slurp(i == 0 ? rig->path : beside(rig, "-wal"), &n);
		assert_non_null(bytes);
		assert_null(memmem(bytes, n, sealed, sizeof(sealed)));
		free(bytes);
	}
}

static void a_backup_opens(void **state) {
	struct rig *rig = *state;
	struct stat st;
	struct log_verify verify;

	rig_open(rig);
	rig_record_many(rig, 3000, fill);
	assert_int_equal(rig_backup(rig, beside(rig, ".copy")), FAULT_NONE);
	rig_record(rig, "aaaaaaaa", 0);
	/* A second one replaces the first. */
	assert_int_equal(rig_backup(rig, beside(rig, ".copy")), FAULT_NONE);
	assert_int_equal(stat(beside(rig, ".copy"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(access(beside(rig, ".copy.part"), F_OK), -1);
	assert_int_equal(access(beside(rig, ".copy-wal"), F_OK), -1);
	rig_close(rig);

	assert_int_equal(rename(beside(rig, ".copy"), rig->path), 0);
	rig_open(rig);
	assert_int_equal(store_condition(rig->store)->last_seq, 3001);
	assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_NONE);
	assert_int_equal(rig_verify(rig, &verify), FAULT_NONE);
	assert_int_equal(verify.bad_seq, 0);
	assert_int_equal(verify.n_rows, 3001);
	assert_int_equal(rig_check(rig), FAULT_NONE);
}

static void a_backup_elsewhere_fails_alone(void **state) {
	struct rig *rig = *state;
	char path[200];

	rig_open(rig);
	assert_int_equal(rig_backup(rig, "/nonexistent/copy"), FAULT_BAD_ARGUMENT);
	assert_int_equal(rig_backup(rig, ""), FAULT_BAD_ARGUMENT);
	assert_int_equal(rig_backup(rig, rig->path), FAULT_BAD_ARGUMENT);
	/* By other names. */
	snprintf(path, sizeof(path), "%s/./lockhub.db", rig->folder);
	assert_int_equal(rig_backup(rig, path), FAULT_BAD_ARGUMENT);
	assert_int_equal(rig_backup(rig, beside(rig, "-wal")), FAULT_BAD_ARGUMENT);
	assert_int_equal(rig_backup(rig, beside(rig, ".lock")), FAULT_BAD_ARGUMENT);
	assert_int_equal(rig_record(rig, "aaaaaaaa", 0), 1);
}

static void ignore_pruned(void *user, int64_t n_rows, const struct fault *fault) {
	(void) user;
	(void) n_rows;
	(void) fault;
}

/* A long job that takes nothing away. */
static void submit_job(struct rig *rig) {
	store_prune(rig->store, (wall_t){ 0 }, 0, ignore_pruned, NULL);
}

static void jobs_end_at_close(void **state) {
	struct rig *rig = *state;
	struct ledger *ledger;

	rig_open(rig);
	ledger = store_ledger(rig->store);
	for (int i = 0; i < 20; i++) {
		struct txn *txn = txn_new(NULL, NULL);
		rig_add_event(txn, "aaaaaaaa", 0);
		ledger->impl->commit(ledger, txn);
	}
	submit_job(rig);
	submit_job(rig);
	rig_close(rig);
	assert_int_equal(rig_number(rig->path, "SELECT count(*) FROM event"), 20);
}

static void too_many_jobs_are_refused(void **state) {
	struct rig *rig = *state;
	size_t n;
	const struct log_query query = { .limit = 1 };

	rig_open(rig);
	for (int i = 0; i < 3 * STORE_JOBS_MAX; i++) {
		submit_job(rig);
	}
	/* Queries have a queue and a thread of their own. */
	free(rig_query(rig, &query, &n));
}

static void it_is_alive(void **state) {
	struct rig *rig = *state;

	rig_open(rig);
	assert_true(store_is_alive(rig->store, (mono_t){ 1000 }, 500));
	assert_true(store_is_alive(rig->store, (mono_t){ 100000 }, 500));
	/* Another program holds the write lock: the writer waits, and does not get any further. */
	sqlite3 *db;
	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	struct waiting waiting;
	struct txn *txn = rig_txn(&waiting);
	rig_add_event(txn, "aaaaaaaa", 0);
	rig_commit(rig, txn);
	assert_true(store_is_alive(rig->store, (mono_t){ 200000 }, 500));
	assert_true(store_is_alive(rig->store, (mono_t){ 200500 }, 500));
	assert_false(store_is_alive(rig->store, (mono_t){ 200501 }, 500));
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	rig_await(rig, &waiting);
	assert_int_equal(waiting.fault.code, FAULT_NONE);
	while (!store_is_alive(rig->store, (mono_t){ 300000 }, 500)) {
		usleep(1000);
	}
}

static void write_lock_of_another_is_a_fault(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	sqlite3 *db;

	rig_open(rig);
	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	struct txn *txn = rig_txn(&waiting);
	rig_add_event(txn, "aaaaaaaa", 0);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_DATABASE_IN_USE);
	assert_int_equal(waiting.seqs[0], 0);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(rig_record(rig, "aaaaaaaa", 0), 1);
}

static void wal_stays_short(void **state) {
	struct rig *rig = *state;
	struct stat st;

	rig_open(rig);
	for (int i = 0; i < 3000; i++) {
		(void) rig_record(rig, "aaaaaaaa", 0);
		if (i % 100 == 0) {
			assert_int_equal(stat(beside(rig, "-wal"), &st), 0);
			assert_true(st.st_size < 8 * 1024 * 1024);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(a_new_one_is_made),
		TEST(idle_lives_leave_no_rows),
		TEST(files_are_private),
		TEST(set_up_as_the_rules_say),
		TEST(second_one_is_refused),
		TEST(wrong_key_is_refused),
		TEST(missing_canary_is_damage),
		TEST(newer_is_refused_untouched),
		TEST(what_is_no_database_is_refused),
		TEST(damage_is_found),
		TEST(changed_tables_are_damage),
		TEST(unclean_end_is_known),
		TEST(secrets_are_not_in_the_file),
		TEST(removed_keys_leave_no_trace),
		TEST(a_backup_opens),
		TEST(a_backup_elsewhere_fails_alone),
		TEST(jobs_end_at_close),
		TEST(too_many_jobs_are_refused),
		TEST(it_is_alive),
		TEST(write_lock_of_another_is_a_fault),
		TEST(wal_stays_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
