/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "writer.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "store/store.h"
#include "worker.h"

static int on_wal(void *user, sqlite3 *db, const char *name, int n_frames) {
	struct writer *writer = user;

	writer->n_wal_frames = n_frames;
	return SQLITE_OK;
}

void writer_close(struct writer *writer) {
	if (writer->db == NULL) {
		return;
	}
	event_table_close(&writer->events);
	lock_table_close(&writer->locks);
	op_table_close(&writer->ops);
	setting_table_close(&writer->settings);
	book_tables_close(&writer->book);
	health_tables_close(&writer->health);
	writer->db = db_close(writer->db);
}

int writer_open(struct writer *writer, sqlite3 *take_db, struct fault *ret_fault) {
	writer->db = take_db;
	int r = event_table_open(&writer->events, writer->db, writer->keys, writer->life,
		&writer->log_fault, ret_fault);
	if (r == 0) {
		r = lock_table_open(&writer->locks, writer->db, writer->keys, ret_fault);
	}
	if (r == 0) {
		r = op_table_open(&writer->ops, writer->db, ret_fault);
	}
	if (r == 0) {
		r = setting_table_open(&writer->settings, writer->db, ret_fault);
	}
	if (r == 0) {
		r = book_tables_open(&writer->book, writer->db, writer->keys, ret_fault);
	}
	if (r == 0) {
		r = health_tables_open(&writer->health, writer->db, ret_fault);
	}
	if (r < 0) {
		writer_close(writer);
		return r;
	}
	/* Takes the place of the automatic checkpoint: that would run inside COMMIT and delay the
	 * answer. See keep_wal_short(). */
	(void) sqlite3_wal_hook(writer->db, on_wal, writer);
	return 0;
}

int writer_reopen(struct writer *writer, struct fault *ret_fault) {
	AUTO(db_close) sqlite3 *db = NULL;

	if (writer->db != NULL) {
		return 0;
	}
	int r = db_open(writer->path, DB_WRITE, &db, ret_fault);
	if (r == 0) {
		r = writer_open(writer, STEAL(db), ret_fault);
	}
	if (r == 0 && writer->log_fault.code != FAULT_NONE && writer->on_log_fault != NULL) {
		writer->on_log_fault(writer->user, &writer->log_fault);
	}
	return r;
}

static int apply_item(struct writer *writer, struct txn_item *item, struct fault *ret_fault) {
	switch (item->kind) {
	case TXN_LOCK_PUT:
		return lock_table_put(&writer->locks, &item->lock, ret_fault);
	case TXN_LOCK_KEYS:
		writer->is_wal_secret = true;
		return lock_table_put_keys(&writer->locks, &item->lock, ret_fault);
	case TXN_LOCK_FACTS:
		return lock_table_put_facts(&writer->locks, &item->lock, ret_fault);
	case TXN_LOCK_REMOVE:
		writer->is_wal_secret = true;
		return lock_table_remove(&writer->locks, item->lock.id, ret_fault);
	case TXN_CURSOR:
		return lock_table_put_cursor(
			&writer->locks, item->cursor.lock_id, item->cursor.number, ret_fault);
	case TXN_INTENT:
		return op_table_intent(&writer->ops, &item->op, ret_fault);
	case TXN_OUTCOME:
		return op_table_outcome(&writer->ops, &item->op, ret_fault);
	case TXN_EVENT:
		return event_table_append(&writer->events, &item->event, ret_fault);
	case TXN_SETTING:
		return setting_table_put(&writer->settings, item->setting.key,
			item->setting.text != NULL ? item->setting.text : item->setting.value,
			ret_fault);
	case TXN_USER_PUT:
	case TXN_USER_REMOVE:
	case TXN_CREDENTIAL_PUT:
	case TXN_CREDENTIAL_REMOVE:
	case TXN_ACCESS_PUT:
	case TXN_ACCESS_REMOVE:
	case TXN_SCHEDULE_PUT:
	case TXN_SCHEDULE_REMOVE:
	case TXN_HOLIDAY_PUT:
	case TXN_HOLIDAY_REMOVE:
	case TXN_PLACEMENT_PUT:
	case TXN_PLACEMENT_REMOVE:
	case TXN_SLOTS_CLEAR:
	case TXN_SLOT_PUT:
	case TXN_RULES_PUT:
		writer->is_wal_secret = writer->is_wal_secret || book_tables_is_secret(item->kind);
		return book_tables_apply(&writer->book, item, ret_fault);
	case TXN_SAMPLE:
	case TXN_DAY:
	case TXN_ATTEMPT:
	case TXN_NOTE:
		return health_tables_apply(&writer->health, item, ret_fault);
	}
	return fault_set(ret_fault, FAULT_INTERNAL, "a transaction item of kind %d", item->kind);
}

/* The numbers given to its events count only if it was committed. */
static void take_numbers_back(struct txn *txn) {
	struct txn_item *item;

	list_for_each(item, &txn->items, link) {
		if (item->kind == TXN_EVENT) {
			item->event.seq = 0;
		}
	}
}

/*
 * One txn in its SAVEPOINT. Negative: the batch cannot go on; what is the txn's own fault goes to
 * pending->fault and is no failure here.
 */
static int apply_txn(struct writer *writer, struct pending *pending, struct fault *ret_fault) {
	const struct chain_end head = writer->events.head;
	const bool is_head_moved = writer->events.is_head_moved;
	struct txn_item *item;

	int r = db_exec(writer->db, "SAVEPOINT txn", ret_fault);
	if (r < 0) {
		return r;
	}
	list_for_each(item, &pending->txn->items, link) {
		r = apply_item(writer, item, &pending->fault);
		if (r < 0) {
			break;
		}
	}
	if (r < 0) {
		/* Some failures end the whole transaction, whatever their code. */
		if (db_is_trouble(pending->fault.code) || sqlite3_get_autocommit(writer->db)) {
			*ret_fault = pending->fault;
			return r;
		}
		r = db_exec(writer->db, "ROLLBACK TO txn", ret_fault);
		if (r < 0) {
			return r;
		}
		take_numbers_back(pending->txn);
		writer->events.head = head;
		writer->events.is_head_moved = is_head_moved;
	}
	return db_exec(writer->db, "RELEASE txn", ret_fault);
}

static int commit_batch(struct writer *writer, struct list *batch, struct fault *ret_fault) {
	struct pending *pending;

	int r = writer_reopen(writer, ret_fault);
	if (r == 0) {
		r = db_exec(writer->db, "BEGIN IMMEDIATE", ret_fault);
	}
	if (r < 0) {
		return r;
	}
	list_for_each(pending, batch, link) {
		pending->fault = (struct fault){ 0 };
		r = apply_txn(writer, pending, ret_fault);
		if (r < 0) {
			return r;
		}
	}
	r = event_table_seal(&writer->events, ret_fault);
	return r < 0 ? r : db_exec(writer->db, "COMMIT", ret_fault);
}

static void fail_batch(struct writer *writer, struct list *batch, const struct fault *fault) {
	struct pending *pending;

	list_for_each(pending, batch, link) {
		pending->fault = *fault;
		take_numbers_back(pending->txn);
	}
	if (writer->db != NULL && !sqlite3_get_autocommit(writer->db)) {
		(void) db_exec(writer->db, "ROLLBACK", NULL);
	}
	writer_close(writer);
}

/*
 * When the disk is full, a small txn may still find room where the batch did not. After an I/O
 * error nobody tries his luck: what is wrong with the disk is wrong for all.
 */
static void write_batch(struct writer *writer, struct list *batch) {
	struct fault fault = { 0 };

	if (commit_batch(writer, batch, &fault) == 0) {
		return;
	}
	fail_batch(writer, batch, &fault);
	if (fault.code != FAULT_DATABASE_FULL || batch->next->next == batch) {
		return;
	}
	struct list done;
	struct list one;
	list_init(&done);
	list_init(&one);
	while (!list_is_empty(batch)) {
		struct list *first = batch->next;
		list_remove(first);
		list_append(&one, first);
		if (commit_batch(writer, &one, &fault) < 0) {
			fail_batch(writer, &one, &fault);
		}
		list_remove(first);
		list_append(&done, first);
	}
	while (!list_is_empty(&done)) {
		struct list *first = done.next;
		list_remove(first);
		list_append(batch, first);
	}
}

static void cut_rows(struct writer *writer, struct cut *cut) {
	int r = writer_reopen(writer, &cut->fault);

	if (r == 0) {
		r = db_exec(writer->db, "BEGIN IMMEDIATE", &cut->fault);
	}
	if (r == 0 && cut->is_health) {
		r = health_tables_cut(writer->db, cut->before, &cut->n, &cut->fault);
	} else if (r == 0) {
		r = event_table_cut(&writer->events, &cut->anchor, &cut->fault);
	}
	if (r == 0) {
		r = db_exec(writer->db, "COMMIT", &cut->fault);
	}
	if (r < 0) {
		/* As after a batch that failed: the disk says what there is. */
		if (writer->db != NULL && !sqlite3_get_autocommit(writer->db)) {
			(void) db_exec(writer->db, "ROLLBACK", NULL);
		}
		writer_close(writer);
	}
}

/* After the answers are on their way: a checkpoint syncs twice and nobody should wait for it. */
static void keep_wal_short(struct writer *writer, bool is_idle) {
	bool is_long = writer->n_wal_frames >= WRITER_WAL_FRAMES_MAX;
	bool cut = is_long || writer->is_wal_secret ||
		   (is_idle && writer->n_wal_frames >= WRITER_WAL_IDLE_FRAMES);

	if (writer->db == NULL || (!cut && writer->n_wal_frames < WRITER_WAL_FRAMES)) {
		return;
	}
	/* Readers are done within moments; a longer one is waited for at the next commit. */
	(void) sqlite3_busy_timeout(writer->db, 200);
	int rc = sqlite3_wal_checkpoint_v2(writer->db, NULL,
		cut ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	(void) sqlite3_busy_timeout(writer->db, DB_BUSY_MS);
	if (rc == SQLITE_OK) {
		writer->n_wal_frames = 0;
		writer->is_wal_secret = writer->is_wal_secret && !cut;
	} else if ((rc & 0xff) != SQLITE_BUSY) {
		/* The WAL still has everything. Whether the disk took what was written is not
		 * known: begin again from what it says. */
		writer_close(writer);
	}
}

/* RULE R5: a wait with a limit needs the time; no other use is made of it. */
static struct timespec idle_deadline(void) {
	struct timespec at;

	(void) clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += WRITER_IDLE_MS / 1000;
	return at;
}

/* With the mutex held. false: nothing came for a while. Waits for ever if nothing is left to do. */
static bool wait_for_work(struct writer *writer) {
	bool may_cut = writer->n_wal_frames >= WRITER_WAL_IDLE_FRAMES || writer->is_wal_secret;
	struct timespec at = idle_deadline();

	while (list_is_empty(&writer->queue) && writer->cut == NULL && !writer->is_stopping) {
		if (!may_cut) {
			(void) pthread_cond_wait(&writer->cond, &writer->mutex);
		} else if (pthread_cond_timedwait(&writer->cond, &writer->mutex, &at) ==
			   ETIMEDOUT) {
			return !list_is_empty(&writer->queue) || writer->cut != NULL;
		}
	}
	return true;
}

static void take_batch(struct writer *writer, struct list *batch) {
	for (size_t n = 0; n < WRITER_BATCH_MAX && !list_is_empty(&writer->queue); n++) {
		struct list *first = writer->queue.next;
		list_remove(first);
		list_append(batch, first);
		writer->n_queued--;
	}
}

static void answer(struct writer *writer, struct list *batch) {
	struct list items;
	struct pending *pending;
	struct pending *next;

	list_init(&items);
	list_for_each_safe(pending, next, batch, link) {
		list_remove(&pending->link);
		list_append(&items, &pending->item.link);
	}
	store_outbox_put(writer->outbox, &items);
}

static void *writer_main(void *arg) {
	struct writer *writer = arg;
	struct list batch;

	list_init(&batch);
	(void) pthread_mutex_lock(&writer->mutex);
	while (!writer->is_stopping || !list_is_empty(&writer->queue)) {
		bool is_idle = !wait_for_work(writer);
		take_batch(writer, &batch);
		struct cut *cut = writer->cut;
		writer->is_busy = true;
		(void) pthread_mutex_unlock(&writer->mutex);

		if (!list_is_empty(&batch)) {
			write_batch(writer, &batch);
			answer(writer, &batch);
		}
		if (cut != NULL) {
			cut_rows(writer, cut);
		}
		(void) pthread_mutex_lock(&writer->mutex);
		writer->progress++;
		if (cut != NULL) {
			cut->is_done = true;
			writer->cut = NULL;
			(void) pthread_cond_signal(&writer->cut_done);
		}
		(void) pthread_mutex_unlock(&writer->mutex);
		keep_wal_short(writer, is_idle);

		(void) pthread_mutex_lock(&writer->mutex);
		writer->is_busy = false;
		writer->progress++;
		if (list_is_empty(&writer->queue)) {
			(void) pthread_cond_broadcast(&writer->idle);
		}
	}
	(void) pthread_mutex_unlock(&writer->mutex);
	return NULL;
}

int writer_start(struct writer *writer) {
	pthread_condattr_t attr;

	list_init(&writer->queue);
	(void) pthread_mutex_init(&writer->mutex, NULL);
	(void) pthread_condattr_init(&attr);
	(void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void) pthread_cond_init(&writer->cond, &attr);
	(void) pthread_condattr_destroy(&attr);
	(void) pthread_cond_init(&writer->idle, NULL);
	(void) pthread_cond_init(&writer->cut_done, NULL);
	int r = worker_spawn(&writer->thread, "store-writer", writer_main, writer);
	if (r < 0) {
		(void) pthread_cond_destroy(&writer->cut_done);
		(void) pthread_cond_destroy(&writer->idle);
		(void) pthread_cond_destroy(&writer->cond);
		(void) pthread_mutex_destroy(&writer->mutex);
		return r;
	}
	writer->is_started = true;
	return 0;
}

static void deliver(struct outbox_item *item) {
	struct pending *pending = container_of(item, struct pending, item);
	struct txn *txn = pending->txn;
	const bool is_good = pending->fault.code == FAULT_NONE;

	if (txn->done != NULL) {
		txn->done(txn->user, txn, is_good ? NULL : &pending->fault);
	}
	(void) txn_free(txn);
	free(pending);
}

void writer_submit(struct writer *writer, struct txn *take_txn) {
	if (!writer->is_started) {
		(void) txn_free(take_txn);
		return;
	}
	struct pending *pending = calloc(1, sizeof(*pending));
	/* The answer itself would need memory. A restart loses nothing that was acknowledged. */
	assert(pending != NULL);
	pending->txn = take_txn;
	pending->item.deliver = deliver;
	list_init(&pending->item.link);
	list_init(&pending->link);
	(void) pthread_mutex_lock(&writer->mutex);
	bool is_full = writer->n_queued >= STORE_PENDING_MAX;
	if (!is_full) {
		list_append(&writer->queue, &pending->link);
		writer->n_queued++;
		(void) pthread_cond_signal(&writer->cond);
	}
	(void) pthread_mutex_unlock(&writer->mutex);
	if (is_full) {
		fault_set(&pending->fault, FAULT_QUEUE_FULL, "%d transactions wait for the disk",
			STORE_PENDING_MAX);
		store_outbox_put_one(writer->outbox, &pending->item);
	}
}

static int have_cut(struct writer *writer, struct cut *cut, struct fault *ret_fault) {
	(void) pthread_mutex_lock(&writer->mutex);
	assert(writer->cut == NULL && !writer->is_stopping);
	writer->cut = cut;
	(void) pthread_cond_signal(&writer->cond);
	while (!cut->is_done) {
		(void) pthread_cond_wait(&writer->cut_done, &writer->mutex);
	}
	(void) pthread_mutex_unlock(&writer->mutex);
	if (cut->fault.code == FAULT_NONE) {
		return 0;
	}
	if (ret_fault != NULL) {
		*ret_fault = cut->fault;
	}
	return cut->fault.cause < 0 ? cut->fault.cause : -EIO;
}

int writer_cut(struct writer *writer, const struct chain_end *anchor, struct fault *ret_fault) {
	struct cut cut = { .anchor = *anchor };

	return have_cut(writer, &cut, ret_fault);
}

int writer_cut_health(
	struct writer *writer, wall_t before, int64_t *ret_n, struct fault *ret_fault) {
	struct cut cut = { .is_health = true, .before = before };
	int r = have_cut(writer, &cut, ret_fault);

	if (r == 0) {
		*ret_n = cut.n;
	}
	return r;
}

void writer_flush(struct writer *writer) {
	(void) pthread_mutex_lock(&writer->mutex);
	while (!list_is_empty(&writer->queue) || writer->is_busy) {
		(void) pthread_cond_wait(&writer->idle, &writer->mutex);
	}
	(void) pthread_mutex_unlock(&writer->mutex);
}

void writer_stop(struct writer *writer) {
	if (!writer->is_started) {
		return;
	}
	(void) pthread_mutex_lock(&writer->mutex);
	writer->is_stopping = true;
	(void) pthread_cond_signal(&writer->cond);
	(void) pthread_mutex_unlock(&writer->mutex);
	(void) pthread_join(writer->thread, NULL);
	(void) pthread_cond_destroy(&writer->cut_done);
	(void) pthread_cond_destroy(&writer->idle);
	(void) pthread_cond_destroy(&writer->cond);
	(void) pthread_mutex_destroy(&writer->mutex);
	writer->is_started = false;
}

bool writer_is_busy(struct writer *writer, unsigned *ret_progress) {
	if (!writer->is_started) {
		return false;
	}
	(void) pthread_mutex_lock(&writer->mutex);
	bool is_busy = writer->is_busy || !list_is_empty(&writer->queue);
	*ret_progress = writer->progress;
	(void) pthread_mutex_unlock(&writer->mutex);
	return is_busy;
}
