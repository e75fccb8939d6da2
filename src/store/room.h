/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of this room share. Who does what:
 *
 *	store.c                       open, load, dispatch, close
 *	jobs.c                        what is asked of the reading threads
 *	writer.c                      the writing thread
 *	worker.c, outbox.c            a thread with jobs; the way back to the loop
 *	lock-table.c ... event-table.c, life.c, keys.c    one table each
 *	book-tables.c                 those of users, codes and schedules together
 *	health-tables.c, history-query.c                  those of a lock's health
 *	sealed.c                      secrets in columns
 *	event-row.c, event-query.c, chain.c, verify.c     the event log
 *	prune.c                       taking its oldest rows away
 *	db.c, migrate.c, backup.c, file-lock.c            files
 *	archive.c, examine.c, keeper*.c                   backups (keeper-work.h)
 */

#include "event-query.h"
#include "migrate.h"
#include "store/store.h"
#include "worker.h"
#include "writer.h"

/* The connection for queries: made anew after trouble. The mutex: store_load() uses it, too. */
struct reader {
	pthread_mutex_t mutex;
	const char *path;
	sqlite3 *db; /* NULL: to be opened */
	struct event_query query;
};

/* How far a thread had got when it was looked at, and when that was seen first. */
struct watched {
	bool is_busy;
	unsigned progress;
	mono_t at;
};

struct store {
	struct ledger ledger;
	char *path;
	const struct migration *migrations;
	size_t n_migrations;
	void (*trouble)(void *user, const struct fault *fault);
	void *user;
	struct store_keys keys;
	struct store_condition condition;
	int lock_fd;
	struct outbox outbox;
	struct writer writer;
	struct reader reader;
	bool is_deaf;          /* being closed: who asks now gets no answer any more */
	struct worker queries; /* context: the reader */
	struct worker chores;  /* context: the store; each job opens a connection of its own */
	struct watched watched_writer;
	struct watched watched_queries;
};

extern const struct ledger_impl store_ledger_impl;

/* store_open() with other migrations than those built in: for tests of what is to come. */
int store_open_with(const struct store_config *config, const struct migration *migrations,
	size_t n_migrations, struct store **ret, struct fault *ret_fault);

static inline struct store *store_of(struct ledger *ledger) {
	return container_of(ledger, struct store, ledger);
}

/* With the mutex held. */
int reader_open(struct reader *reader, struct fault *ret_fault);
void reader_close(struct reader *reader);

/* From any thread: has config.trouble called on the loop. */
void store_report(struct store *store, const struct fault *fault);
/* quick_check on the chores' thread; damage is reported. */
void store_check_later(struct store *store);
