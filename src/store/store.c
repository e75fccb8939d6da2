/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "file-lock.h"
#include "life.h"
#include "room.h"

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)

/* Rounds of done() that hand over more, before store_close() goes through with it. */
#define CLOSE_ROUNDS_MAX 8

/* A new one is private from its first moment; WAL and shared memory get the same mode. */
static int make_private(const char *path, struct fault *ret_fault) {
	struct stat st;
	int r = 0;

	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		return fault_set_errno(ret_fault,
			errno == ENOSPC ? FAULT_DATABASE_FULL : FAULT_DATABASE_OPEN, -errno, "%s",
			path);
	}
	if (fstat(fd, &st) < 0 || ((st.st_mode & 077) != 0 && fchmod(fd, 0600) < 0)) {
		r = fault_set_errno(ret_fault, FAULT_DATABASE_OPEN, -errno, "%s", path);
	} else if (!S_ISREG(st.st_mode)) {
		r = fault_set(ret_fault, FAULT_DATABASE_OPEN, "%s is not a file", path);
	}
	/* No connection is open yet, so this drops none of SQLite's locks. */
	(void) close(fd);
	return r;
}

/*
 * Before anything is written: is it ours, is it not newer, does the key fit, is it whole? *ret: the
 * version; is_new when there is nothing of value in it yet.
 */
static int look_into(struct store *store, sqlite3 *db, const char *boot_id, size_t *ret,
	struct fault *ret_fault) {
	struct store_condition *condition = &store->condition;
	struct life life = { .is_clean = true };
	bool has_canary = false;
	int64_t n_rows = 0;

	int r = migrate_look(db, store->n_migrations, ret, ret_fault);
	if (r < 0) {
		return r;
	}
	if (*ret == 0) {
		condition->is_new = true;
		condition->was_clean = true;
		return 0;
	}
	r = canary_exists(db, &has_canary, ret_fault);
	if (r == 0 && !has_canary) {
		r = db_number(db,
			"SELECT (SELECT count(*) FROM lock) + (SELECT count(*) FROM event)",
			&n_rows, ret_fault);
	}
	if (r == 0 && (has_canary || n_rows > 0)) {
		r = canary_check(db, &store->keys, ret_fault);
	}
	if (r == 0) {
		r = life_last(db, boot_id, &life, ret_fault);
	}
	if (r == 0 && !life.is_clean && !life.is_same_boot) {
		/* A power cut, perhaps on a card that lies about syncs. */
		r = check_run(db, true, ret_fault);
	}
	condition->is_new = !has_canary;
	condition->was_clean = life.is_clean;
	condition->is_same_boot = life.is_same_boot;
	return r;
}

static int keep_copy(struct store *store, sqlite3 *db, struct fault *ret_fault) {
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s.before-%zu", store->path, store->n_migrations) >=
		(int) sizeof(path)) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_OPEN, -ENAMETOOLONG, "the copy");
	}
	return backup_run(db, store->path, path, NULL, ret_fault);
}

static int seed(struct store *store, sqlite3 *db, struct fault *ret_fault) {
	int r = db_exec(db, "BEGIN IMMEDIATE", ret_fault);

	if (r == 0) {
		r = canary_put(db, &store->keys, ret_fault);
	}
	if (r == 0) {
		r = chain_begin(db, &store->keys, ret_fault);
	}
	if (r == 0) {
		r = db_exec(db, "COMMIT", ret_fault);
	}
	if (r < 0 && !sqlite3_get_autocommit(db)) {
		(void) db_exec(db, "ROLLBACK", NULL);
	}
	return r;
}

static int use_wal(sqlite3 *db, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;

	int r = db_prepare(db, "PRAGMA journal_mode = WAL", &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		return db_fault(db, rc, "turning the WAL on", ret_fault);
	}
	struct column column = column_on(stmt);
	if (strcmp(column_borrow_text(&column), "wal") != 0) {
		return fault_set(
			ret_fault, FAULT_DATABASE_OPEN, "this file system cannot do WAL mode");
	}
	return 0;
}

static int bring_up_to_date(struct store *store, sqlite3 *db, size_t version, const char *boot_id,
	struct fault *ret_fault) {
	int r = 0;

	if (version > 0 && version < store->n_migrations) {
		r = keep_copy(store, db, ret_fault);
	}
	if (r == 0) {
		/* Counts only for a file with nothing in it. */
		r = db_exec(db, "PRAGMA page_size = " TEXT_OF(DB_PAGE_SIZE), ret_fault);
	}
	if (r == 0) {
		r = use_wal(db, ret_fault);
	}
	if (r == 0) {
		r = migrate_run(db, store->migrations, store->n_migrations, version, ret_fault);
	}
	if (r == 0 && store->condition.is_new) {
		r = seed(store, db, ret_fault);
	}
	if (r == 0) {
		r = life_begin(db, boot_id, &store->condition.life, ret_fault);
	}
	if (r == 0) {
		r = db_number(
			db, "SELECT max(seq) FROM event", &store->condition.last_seq, ret_fault);
	}
	return r;
}

/* What our own SQL cannot use is not what we made: tables were dropped, changed or swapped. */
static int blame_file(int r, struct fault *fault) {
	if (r < 0 && fault->code == FAULT_INTERNAL) {
		fault->code = FAULT_DATABASE_CORRUPT;
	}
	return r;
}

static int open_database(
	struct store *store, const struct store_config *config, struct fault *ret_fault) {
	AUTO(db_close) sqlite3 *db = NULL;
	size_t version;

	int r = make_private(store->path, ret_fault);
	if (r == 0) {
		r = db_open(store->path, DB_WRITE, &db, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	/* What is refused is not changed, not even by writing its WAL back. */
	(void) sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	r = blame_file(look_into(store, db, config->boot_id, &version, ret_fault), ret_fault);
	if (r == 0) {
		r = bring_up_to_date(store, db, version, config->boot_id, ret_fault);
	}
	if (r == 0) {
		r = sync_folder(store->path, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	(void) sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);

	store->writer.path = store->path;
	store->writer.keys = &store->keys;
	store->writer.life = store->condition.life;
	store->writer.outbox = &store->outbox;
	r = writer_open(&store->writer, STEAL(db), ret_fault);
	if (r == 0) {
		store->condition.log_fault = store->writer.log_fault;
		r = reader_open(&store->reader, ret_fault);
	}
	return blame_file(r, ret_fault);
}

static void on_log_fault(void *user, const struct fault *fault) {
	store_report(user, fault);
}

static int start_threads(struct store *store, struct fault *ret_fault) {
	store->writer.on_log_fault = on_log_fault;
	store->writer.user = store;
	int r = writer_start(&store->writer);
	if (r == 0) {
		r = worker_start(&store->queries, "store-reader", STORE_JOBS_MAX, &store->outbox,
			&store->reader);
	}
	if (r == 0) {
		r = worker_start(
			&store->chores, "store-chores", STORE_JOBS_MAX, &store->outbox, store);
	}
	if (r < 0) {
		return fault_set_errno(ret_fault, FAULT_NO_MEMORY, r, "starting a thread");
	}
	return 0;
}

/* Of a store that was opened as far as it was; the life is not marked as ended. */
static struct store *store_free(struct store *store) {
	worker_stop(&store->queries);
	worker_stop(&store->chores);
	writer_stop(&store->writer);
	reader_close(&store->reader);
	writer_close(&store->writer);
	file_lock_drop(&store->lock_fd);
	(void) pthread_mutex_destroy(&store->reader.mutex);
	store_outbox_finish(&store->outbox);
	store_keys_wipe(&store->keys);
	free(store->path);
	free(store);
	return NULL;
}
AUTO_DEFINE(struct store *, store_free);

int store_open(const struct store_config *config, struct store **ret, struct fault *ret_fault) {
	return store_open_with(config, store_migrations, store_migrations_n, ret, ret_fault);
}

int store_open_with(const struct store_config *config, const struct migration *migrations,
	size_t n_migrations, struct store **ret, struct fault *ret_fault) {
	if (config->key == NULL || config->key->len != STORE_KEY_LEN) {
		return fault_set(ret_fault, FAULT_KEY_MISSING, "a key has %d octets, this one %zu",
			STORE_KEY_LEN, config->key != NULL ? config->key->len : 0);
	}
	struct store *made = calloc(1, sizeof(*made));
	if (made == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "opening the database");
	}
	store_outbox_init(&made->outbox, config->wake, config->user);
	(void) pthread_mutex_init(&made->reader.mutex, NULL);
	made->ledger.impl = &store_ledger_impl;
	made->migrations = migrations;
	made->n_migrations = n_migrations;
	made->lock_fd = -1;
	made->trouble = config->trouble;
	made->user = config->user;
	store_keys_derive(config->key->bytes, &made->keys);
	AUTO(store_free) struct store *store = made;

	struct fault ignored;
	if (ret_fault == NULL) {
		ret_fault = &ignored;
	}
	store->path = strdup(config->path);
	if (store->path == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "opening the database");
	}
	store->reader.path = store->path;
	int r = file_lock_take(store->path, &store->lock_fd, ret_fault);
	if (r == 0) {
		r = open_database(store, config, ret_fault);
	}
	if (r == 0) {
		r = start_threads(store, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	if (!store->condition.was_clean && store->condition.is_same_boot) {
		store_check_later(store);
	}
	*ret = STEAL(store);
	return 0;
}

struct ledger *store_ledger(struct store *store) {
	return &store->ledger;
}

const struct store_condition *store_condition(const struct store *store) {
	return &store->condition;
}

struct loading {
	struct store *store;
	const struct store_visitor *visitor;
	void *user;
	struct fault fault;
	int r;
};

static void load_lock(void *user, const struct lock_record *record, const struct fault *fault) {
	struct loading *loading = user;
	struct event last;

	if (loading->r < 0) {
		return;
	}
	loading->r =
		event_query_last(&loading->store->reader.query, record->id, &last, &loading->fault);
	if (loading->r == 0) {
		loading->visitor->lock(loading->user, record, last.seq != 0 ? &last : NULL, fault);
	}
}

int store_load(struct store *store, const struct store_visitor *visitor, void *user,
	struct fault *ret_fault) {
	struct loading loading = { .store = store, .visitor = visitor, .user = user };
	struct reader *reader = &store->reader;

	(void) pthread_mutex_lock(&reader->mutex);
	int r = reader_open(reader, ret_fault);
	if (r == 0 && visitor->lock != NULL) {
		r = lock_table_load(reader->db, &store->keys, load_lock, &loading, ret_fault);
		if (r == 0 && loading.r < 0) {
			r = loading.r;
			if (ret_fault != NULL) {
				*ret_fault = loading.fault;
			}
		}
	}
	if (r == 0 && visitor->op != NULL) {
		r = op_table_load(reader->db, visitor->op, user, ret_fault);
	}
	if (r == 0 && visitor->setting != NULL) {
		r = setting_table_load(reader->db, visitor->setting, user, ret_fault);
	}
	if (r == 0) {
		r = book_tables_load(reader->db, &store->keys, visitor, user, ret_fault);
	}
	if (r == 0 && visitor->sample != NULL) {
		r = sample_table_load(reader->db, visitor->sample, user, ret_fault);
	}
	(void) pthread_mutex_unlock(&reader->mutex);
	return r;
}

void store_dispatch(struct store *store) {
	(void) store_outbox_deliver(&store->outbox);
}

static bool is_moving(
	struct watched *watched, bool is_busy, unsigned progress, mono_t now, int64_t max_age_ms) {
	if (!is_busy || !watched->is_busy || progress != watched->progress) {
		*watched = (struct watched){ is_busy, progress, now };
		return true;
	}
	return mono_since(watched->at, now) <= max_age_ms;
}

bool store_is_alive(struct store *store, mono_t now, int64_t max_age_ms) {
	unsigned progress = 0;

	bool is_busy = writer_is_busy(&store->writer, &progress);
	bool writes = is_moving(&store->watched_writer, is_busy, progress, now, max_age_ms);
	progress = 0;
	is_busy = worker_is_busy(&store->queries, &progress);
	bool reads = is_moving(&store->watched_queries, is_busy, progress, now, max_age_ms);
	return writes && reads;
}

/*
 * Marked only when all of it is on the disk, and before the WAL is written back for good. If the
 * last commit failed, this one also takes the place of what it may have left in the WAL.
 */
static void end_life(struct store *store) {
	struct writer *writer = &store->writer;

	writer->on_log_fault = NULL; /* nobody would hear of it any more */
	if (writer_reopen(writer, NULL) < 0 ||
		life_end(writer->db, store->condition.life, NULL) < 0) {
		return;
	}
	(void) sqlite3_wal_checkpoint_v2(writer->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

struct store *store_close(struct store *store) {
	if (store == NULL) {
		return NULL;
	}
	worker_stop(&store->queries);
	worker_stop(&store->chores);
	for (int round = 0; round < CLOSE_ROUNDS_MAX; round++) {
		writer_flush(&store->writer);
		if (!store_outbox_deliver(&store->outbox)) {
			break;
		}
	}
	writer_stop(&store->writer);
	/* From here on nothing is taken any more, so these are the last answers. */
	store->is_deaf = true;
	(void) store_outbox_deliver(&store->outbox);
	end_life(store);
	return store_free(store);
}
