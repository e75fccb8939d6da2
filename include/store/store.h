/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The store: SQLite behind the ledger's door (core/ledger.h).
 *
 * Threads. One thread writes, one answers log queries, one does the long work (verify, check,
 * backup); none of them calls anybody but config.wake. All functions below belong to the loop
 * thread. Every answer is handed out by store_dispatch(), never from inside the call that asked.
 *
 *	commit() ──► queue ──► writer: BEGIN, a SAVEPOINT per txn, COMMIT ──► wake()
 *	done()   ◄── store_dispatch() ◄── the daemon's loop ◄─────────────────────┘
 *
 * L3: done() with no fault means that the commit is on the disk, as far as the disk is honest.
 * With DATABASE_FULL or DATABASE_IO the txn is not known to be recorded: after a crash it may turn
 * out to be there all the same (a commit whose fsync failed), never a part of it.
 *
 * Faults, all of them: see the functions. A txn's own faults: NAME_TAKEN (slug, or a user's
 * number), NO_SUCH_LOCK, NO_SUCH_USER and NO_SUCH_CODE (of a row that refers to one), DUPLICATE (an
 * op id that exists), INTERNAL (a second outcome, a rule of the schema broken);
 * DATABASE_FULL, DATABASE_IO, DATABASE_CORRUPT, DATABASE_IN_USE (another program holds the write
 * lock), NO_MEMORY; QUEUE_FULL (the disk has been hanging for long); CANCELLED (store_close()).
 */

#include <stdbool.h>

#include "core/ledger.h"
#include "util/secret.h"
#include "util/when.h"

#define STORE_KEY_LEN 32
#define STORE_BOOT_ID_MAX 40
#define STORE_PENDING_MAX 4096 /* transactions waiting for the disk; then QUEUE_FULL */
#define STORE_JOBS_MAX 64      /* queries waiting, and likewise long jobs; then QUEUE_FULL */

struct store;

struct store_config {
	const char *path; /* of the database; its folder must exist */
	/* The master key, STORE_KEY_LEN octets. What is used is derived from it; not kept. */
	const struct secret *key;
	/* Any text that differs from boot to boot (ages by .mono hold only within one); may be
	 * NULL. */
	const char *boot_id;
	/* Called on any thread, also within store_close(): have store_dispatch() called soon. */
	void (*wake)(void *user);
	/*
	 * Trouble found without having been asked (may be NULL): from store_dispatch().
	 * DATABASE_CORRUPT by the check that follows a crash of the daemon alone; LOG_BROKEN when
	 * the database was opened anew after trouble with the disk.
	 */
	void (*trouble)(void *user, const struct fault *fault);
	void *user;
};

/*
 * Opens the database, makes it when there is none, brings it up to date (a copy named
 * PATH.before-N is left beside it then), starts the threads. Blocks: only at start-up.
 *
 * Faults: DATABASE_IN_USE (by which pid), DATABASE_NEWER (nothing was changed), DATABASE_CORRUPT
 * (nothing was changed), DATABASE_OPEN, DATABASE_FULL, DATABASE_IO, KEY_MISSING (no key, or not the
 * one the database was made with; nothing was changed), NO_MEMORY.
 */
int store_open(const struct store_config *config, struct store **ret, struct fault *ret_fault);

/* Lives as long as the store. */
struct ledger *store_ledger(struct store *store);

/* How the former life of the daemon ended, and what it left. */
struct store_condition {
	bool is_new;    /* there was no database */
	bool was_clean; /* store_close() was reached; true for a new one */
	bool is_same_boot;
	int64_t life;     /* number of this life of the daemon, from 1 */
	int64_t last_seq; /* number of the newest event when it was opened; 0: none */
	/*
	 * FAULT_NONE, or LOG_BROKEN: the end of the log is not what was last sealed. Recording goes
	 * on behind a gap that stays visible to verify().
	 */
	struct fault log_fault;
};
const struct store_condition *store_condition(const struct store *store);

/* Any of the hooks may be NULL. Everything is borrowed for the call. */
struct store_visitor {
	/*
	 * In the order of pairing. @last_event: the newest one of this lock, NULL for none. @fault:
	 * NULL, or why the keys could not be opened (DATABASE_CORRUPT); they are empty then.
	 */
	void (*lock)(void *user, const struct lock_record *record, const struct event *last_event,
		const struct fault *fault);
	void (*op)(void *user, const struct op_record *op); /* not finished; oldest first */
	void (*setting)(void *user, const char *key, const char *value);
	/*
	 * The book, in this order. @fault: NULL, or why a secret could not be opened
	 * (DATABASE_CORRUPT); it is empty then, and must not be taken for one that is not set.
	 */
	void (*user)(void *user, const struct user *row, const struct fault *fault); /* by number */
	void (*credential)(void *user, const struct credential *row, const struct fault *fault);
	void (*access)(void *user, const struct access *row);
	void (*schedule)(void *user, const struct schedule *row);
	void (*rules)(void *user, const char *lock_id, const struct lock_rules *rules);
	void (*holiday)(void *user, const struct holiday *row);
	/* What a lock told at @at, as a whole. @fault also when there are too many. */
	void (*slots)(void *user, const char *lock_id, const struct slot *slots, size_t n,
		wall_t at, const struct fault *fault);
	void (*placement)(void *user, const struct placement *row);
	/* Of each lock the newest of each kind. */
	void (*sample)(void *user, const char *lock_id, const struct sample *sample);
};
/*
 * Visits what a start needs. Blocks: only at start-up. Calls back from inside, on this thread.
 * Faults: DATABASE_CORRUPT, DATABASE_IO, NO_MEMORY.
 */
int store_load(struct store *store, const struct store_visitor *visitor, void *user,
	struct fault *ret_fault);

/* Hands out what is finished: calls done() of transactions and queries, in their order. */
void store_dispatch(struct store *store);

/*
 * For the watchdog: false when the writer or the queries have had work for longer than
 * @max_age_ms of this function's own calls without getting any further. Call it regularly.
 */
bool store_is_alive(struct store *store, mono_t now, int64_t max_age_ms);

/*
 * Retention: takes the oldest events away, those older than @before (0: age does not count) and
 * those beyond the newest @keep (0: number does not count). Age counts by trusted times only, so
 * @before should come from a clock that is trusted, too. In small pieces between commits; verify()
 * holds afterwards and begins behind them. Entries of a lock's log that are gone so are not
 * imported again. The file does not shrink: its room is used again.
 *
 * @n_rows: how many are gone, also with a fault: LOG_BROKEN (a log that is not whole is kept from
 * the break on), DATABASE_FULL, DATABASE_IO, DATABASE_CORRUPT, QUEUE_FULL, CANCELLED.
 */
void store_prune(struct store *store, wall_t before, int64_t keep,
	void (*done)(void *user, int64_t n_rows, const struct fault *fault), void *user);

/*
 * Retention of what is remembered of the locks' health (core/history.h): takes samples, counts and
 * attempts away that are older than @before, and a lock's samples beyond HISTORY_SAMPLES_MAX. The
 * newest sample of each kind stays, however old. In small pieces between commits. @n_rows as above.
 * Faults: DATABASE_FULL, DATABASE_IO, DATABASE_CORRUPT, QUEUE_FULL, CANCELLED.
 */
void store_prune_health(struct store *store, wall_t before,
	void (*done)(void *user, int64_t n_rows, const struct fault *fault), void *user);

/*
 * Commits what was handed over, hands out what is finished, marks the end as orderly, closes.
 * Long jobs and queries end with CANCELLED. A txn handed over by a done() in here is still
 * committed (eight rounds of that); what is asked or handed over later than that is dropped without
 * an answer. Blocks as long as the disk does. Takes NULL, returns NULL.
 */
struct store *store_close(struct store *store);
AUTO_DEFINE(struct store *, store_close);
