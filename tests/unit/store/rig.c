/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rig.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backup.h"
#include "crypto/crypto.h"

void rig_init(struct rig *rig) {
	*rig = (struct rig){ .boot_id = "boot-1" };
	assert_int_equal(crypto_setup(), 0);
	strcpy(rig->folder, "/tmp/lockhub-store-XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->path, sizeof(rig->path), "%s/lockhub.db", rig->folder);
	assert_int_equal(secret_set_text(&rig->key, RIG_KEY), 0);
	assert_int_equal(sem_init(&rig->woken, 0, 0), 0);
}

static void remove_folder(const char *folder) {
	char path[512];
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
			(void) unlink(path);
		}
	}
	if (dir != NULL) {
		(void) closedir(dir);
	}
	(void) rmdir(folder);
}

void rig_finish(struct rig *rig) {
	rig_close(rig);
	remove_folder(rig->folder);
	(void) sem_destroy(&rig->woken);
}

int rig_setup(void **state) {
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig_init(rig);
	*state = rig;
	return 0;
}

int rig_teardown(void **state) {
	rig_finish(*state);
	free(*state);
	return 0;
}

static void on_wake(void *user) {
	struct rig *rig = user;

	(void) sem_post(&rig->woken);
}

static void on_trouble(void *user, const struct fault *fault) {
	struct rig *rig = user;

	rig->trouble = *fault;
	rig->n_troubles++;
}

int rig_try_open(struct rig *rig, struct fault *ret_fault) {
	struct store_config config = {
		.path = rig->path,
		.key = &rig->key,
		.boot_id = rig->boot_id,
		.wake = on_wake,
		.trouble = on_trouble,
		.user = rig,
	};

	return store_open(&config, &rig->store, ret_fault);
}

void rig_open(struct rig *rig) {
	struct fault fault = { 0 };
	char text[FAULT_TEXT_MAX];

	if (rig_try_open(rig, &fault) < 0) {
		fail_msg("%s", fault_text(&fault, text));
	}
}

void rig_close(struct rig *rig) {
	rig->store = store_close(rig->store);
}

void rig_turn(struct rig *rig) {
	struct timespec at;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &at), 0);
	at.tv_sec += 60;
	if (sem_clockwait(&rig->woken, CLOCK_MONOTONIC, &at) < 0) {
		fail_msg("no answer from the store in 60 s");
	}
	store_dispatch(rig->store);
}

static void on_done(void *user, struct txn *txn, const struct fault *fault) {
	struct waiting *waiting = user;
	struct txn_item *item;

	assert_false(waiting->is_done);
	waiting->is_done = true;
	if (fault != NULL) {
		waiting->fault = *fault;
	}
	list_for_each(item, &txn->items, link) {
		if (item->kind == TXN_EVENT && waiting->n_seqs < 8) {
			waiting->seqs[waiting->n_seqs++] = item->event.seq;
		}
	}
}

struct txn *rig_txn(struct waiting *waiting) {
	struct txn *txn;

	*waiting = (struct waiting){ 0 };
	txn = txn_new(on_done, waiting);
	assert_non_null(txn);
	return txn;
}

void rig_commit(struct rig *rig, struct txn *txn) {
	struct ledger *ledger = store_ledger(rig->store);

	ledger->impl->commit(ledger, txn);
}

void rig_await(struct rig *rig, struct waiting *waiting) {
	while (!waiting->is_done) {
		rig_turn(rig);
	}
}

enum fault_code rig_commit_wait(struct rig *rig, struct txn *txn, struct waiting *waiting) {
	rig_commit(rig, txn);
	assert_false(waiting->is_done); /* never from inside the call */
	rig_await(rig, waiting);
	return waiting->fault.code;
}

void rig_fill_event(struct event *event, enum event_kind kind, const char *lock_id) {
	char id[LOCK_ID_MAX]; /* @lock_id may be the event's own */

	snprintf(id, sizeof(id), "%s", lock_id);
	*event = (struct event){
		.kind = kind,
		.time = { 1800000000 },
		.mono = { 5000 },
		.operation = OPERATION_NONE,
		.error = OPERATION_ERROR_NONE,
		.alarm = ALARM_NONE,
		.door = DOOR_STATE_UNKNOWN,
		.state = LOCK_STATE_UNKNOWN,
	};
	strcpy(event->lock_id, id);
}

static struct txn_item *add(struct txn *txn, enum txn_kind kind) {
	struct txn_item *item = txn_add(txn, kind);

	assert_non_null(item);
	return item;
}

struct event *rig_add_event(struct txn *txn, const char *lock_id, int64_t lock_seq) {
	struct event *event = &add(txn, TXN_EVENT)->event;

	rig_fill_event(event, EVENT_LOCK_OPERATION, lock_id);
	event->operation = OPERATION_UNLOCK;
	event->source = SOURCE_KEYPAD;
	event->lock_seq = lock_seq;
	strcpy(event->user, "Anna");
	return event;
}

struct lock_record *rig_add_lock(
	struct txn *txn, enum txn_kind kind, const char *id, const char *slug) {
	struct lock_record *lock = &add(txn, kind)->lock;

	strcpy(lock->id, id);
	snprintf(lock->name, sizeof(lock->name), "Name of %s", slug);
	strcpy(lock->slug, slug);
	strcpy(lock->driver, "nuki");
	strcpy(lock->address, "54:D2:72:00:00:01");
	lock->client_id = 0xfffffffe;
	lock->paired_at.s = 1700000000;
	lock->state = LOCK_STATE_LOCKED;
	lock->battery.percent = -1;
	lock->config.auto_lock_s = -1;
	assert_int_equal(secret_set_text(&lock->keys, "planted-lock-key"), 0);
	return lock;
}

struct op_record *rig_add_op(struct txn *txn, enum txn_kind kind, const char *id) {
	struct op_record *op = &add(txn, kind)->op;

	strcpy(op->id, id);
	strcpy(op->lock_id, "aaaaaaaa");
	op->act = ACT_UNLOCK;
	strcpy(op->actor, "uid 1000 (anna)");
	op->requested_at.s = 1800000000;
	return op;
}

void rig_add_cursor(struct txn *txn, const char *lock_id, int64_t number) {
	struct txn_item *item = add(txn, TXN_CURSOR);

	strcpy(item->cursor.lock_id, lock_id);
	item->cursor.number = number;
}

void rig_add_setting(struct txn *txn, const char *key, const char *value) {
	struct txn_item *item = add(txn, TXN_SETTING);

	strcpy(item->setting.key, key);
	strcpy(item->setting.value, value);
}

int64_t rig_record(struct rig *rig, const char *lock_id, int64_t lock_seq) {
	struct waiting waiting;
	struct txn *txn = rig_txn(&waiting);

	(void) rig_add_event(txn, lock_id, lock_seq);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	return waiting.seqs[0];
}

void rig_record_many(struct rig *rig, size_t n, void (*fill)(struct event *event, size_t i)) {
	for (size_t i = 0; i < n;) {
		struct waiting waiting;
		struct txn *txn = rig_txn(&waiting);
		for (size_t k = 0; k < 500 && i < n; k++, i++) {
			struct event *event = rig_add_event(txn, "aaaaaaaa", 0);
			if (fill != NULL) {
				fill(event, i);
			}
		}
		assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	}
}

struct asked {
	bool is_done;
	enum fault_code code;
	struct event *events;
	size_t n;
	struct log_verify verify;
};

static void on_events(void *user, const struct event *events, size_t n, const struct fault *fault) {
	struct asked *asked = user;

	asked->is_done = true;
	asked->code = fault != NULL ? fault->code : FAULT_NONE;
	asked->events = calloc(n + 1, sizeof(*events));
	assert_non_null(asked->events);
	if (n > 0) {
		memcpy(asked->events, events, n * sizeof(*events));
	}
	asked->n = n;
}

struct event *rig_query(struct rig *rig, const struct log_query *query, size_t *ret_n) {
	struct ledger *ledger = store_ledger(rig->store);
	struct asked asked = { 0 };

	ledger->impl->query(ledger, query, on_events, &asked);
	assert_false(asked.is_done);
	while (!asked.is_done) {
		rig_turn(rig);
	}
	assert_int_equal(asked.code, FAULT_NONE);
	*ret_n = asked.n;
	return asked.events;
}

static void on_verified(void *user, const struct log_verify *result, const struct fault *fault) {
	struct asked *asked = user;

	asked->is_done = true;
	asked->code = fault != NULL ? fault->code : FAULT_NONE;
	if (result != NULL) {
		asked->verify = *result;
	}
}

enum fault_code rig_verify(struct rig *rig, struct log_verify *ret) {
	struct ledger *ledger = store_ledger(rig->store);
	struct asked asked = { 0 };

	ledger->impl->verify(ledger, on_verified, &asked);
	assert_false(asked.is_done);
	while (!asked.is_done) {
		rig_turn(rig);
	}
	*ret = asked.verify;
	return asked.code;
}

enum fault_code rig_backup(struct rig *rig, const char *path) {
	AUTO(db_close) sqlite3 *db = NULL;
	struct fault fault = { .code = FAULT_NONE };

	if (db_open(rig->path, DB_READ, &db, &fault) == 0) {
		(void) backup_run(db, rig->path, path, NULL, &fault);
	}
	rig->refusal = fault;
	return fault.code;
}

enum fault_code rig_check(const struct rig *rig) {
	AUTO(db_close) sqlite3 *db = NULL;
	struct fault fault = { .code = FAULT_NONE };

	if (db_open(rig->path, DB_READ, &db, &fault) == 0) {
		(void) check_run(db, false, &fault);
	}
	return fault.code;
}

static sqlite3 *open_raw(const char *path) {
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

void rig_tamper(const char *path, const char *sql) {
	sqlite3 *db = open_raw(path);
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
		fail_msg("%s: %s", sql, message);
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int64_t rig_number(const char *path, const char *sql) {
	sqlite3 *db = open_raw(path);
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	}
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return number;
}

uint8_t *rig_slurp(const char *path, size_t *ret_n) {
	FILE *file = fopen(path, "re");

	if (file == NULL) {
		return NULL;
	}
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	long n = ftell(file);
	rewind(file);
	uint8_t *bytes = malloc((size_t) n + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t) n, file), n);
	(void) fclose(file);
	*ret_n = (size_t) n;
	return bytes;
}
