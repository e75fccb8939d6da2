/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one who writes: a thread that commits what is queued. All that was queued while the former
 * COMMIT ran shares the next one; each txn has a SAVEPOINT of its own, so that one that breaks a
 * rule falls alone. Trouble with the disk fells the whole batch; the connection is opened anew
 * then, and nothing that was prepared, cached or half-synced is believed any more.
 */

#include <pthread.h>

#include "book-tables.h"
#include "event-table.h"
#include "health-tables.h"
#include "lock-table.h"
#include "op-table.h"
#include "outbox.h"
#include "setting-table.h"

#define WRITER_BATCH_MAX 256
/* WAL frames: above the first a checkpoint follows the commit, above the second it waits for
 * readers and cuts the file. DB_PAGE_SIZE each. */
#define WRITER_WAL_FRAMES 1500
#define WRITER_WAL_FRAMES_MAX 6000
/* With nothing to do for so long, a WAL above WRITER_WAL_IDLE_FRAMES is written back and cut. */
#define WRITER_IDLE_MS 30000
#define WRITER_WAL_IDLE_FRAMES 500

/* A handed-over txn with what became of it. */
struct pending {
	struct outbox_item item;
	struct list link; /* queue or batch */
	struct txn *txn;
	struct fault fault;
	struct writer *writer;
};

/*
 * What is asked of the writer beside txns: to take the rows up to the new anchor away, or a piece
 * of what health has that is older than @before.
 */
struct cut {
	struct chain_end anchor;
	bool is_health;
	wall_t before;
	int64_t n; /* rows of health that went */
	struct fault fault;
	bool is_done;
};

struct writer {
	const char *path;
	const struct store_keys *keys;
	int64_t life;
	struct outbox *outbox;
	/* On the writer's thread: the log was found broken when it was opened anew. */
	void (*on_log_fault)(void *user, const struct fault *fault);
	void *user;
	pthread_t thread;
	bool is_started;

	/* shared */
	pthread_mutex_t mutex;
	pthread_cond_t cond; /* something was queued, or stop */
	pthread_cond_t idle; /* everything queued was put into the outbox */
	pthread_cond_t cut_done;
	struct list queue; /* struct pending */
	struct cut *cut;   /* of the one who waits for it; NULL: nobody does */
	size_t n_queued;
	bool is_busy;
	bool is_stopping;
	unsigned progress; /* batches ended */

	/* the thread's own, or the opener's while it does not run */
	sqlite3 *db; /* NULL: to be opened anew */
	struct event_table events;
	struct lock_table locks;
	struct op_table ops;
	struct setting_table settings;
	struct book_tables book;
	struct health_tables health;
	int n_wal_frames;       /* as of the last commit */
	bool is_wal_secret;     /* keys or codes were removed or replaced: old ones are in it */
	struct fault log_fault; /* LOG_BROKEN found when opening */
};

/* Opens tables on a connection that is ready to be written; takes @db in every case. */
int writer_open(struct writer *writer, sqlite3 *take_db, struct fault *ret_fault);
/* If the connection was closed after trouble. */
int writer_reopen(struct writer *writer, struct fault *ret_fault);
/* Starts the thread. 0 or negative errno. */
int writer_start(struct writer *writer);
/* Loop thread. Frees the txn and says nothing when the thread was stopped already. */
void writer_submit(struct writer *writer, struct txn *take_txn);
/*
 * From one other thread at a time, which waits: makes @anchor, a row that is there, the anchor of
 * the log and takes it away with all rows before it, in one transaction. Comes after what is
 * queued. Not after writer_stop() was called.
 */
int writer_cut(struct writer *writer, const struct chain_end *anchor, struct fault *ret_fault);
/* Likewise, by the same thread: health_tables_cut() in one transaction. */
int writer_cut_health(
	struct writer *writer, wall_t before, int64_t *ret_n, struct fault *ret_fault);
/* Waits until everything handed over was put into the outbox. */
void writer_flush(struct writer *writer);
/* Commits what is queued, ends the thread; the connection stays. Harmless when not started. */
void writer_stop(struct writer *writer);
/* Closes the connection, if it is there. */
void writer_close(struct writer *writer);
bool writer_is_busy(struct writer *writer, unsigned *ret_progress);
