/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A store in a folder of its own, and calls that wait for the answer. One rig per test; finish
 * removes the folder.
 */

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/store.h"

#define RIG_KEY "0123456789abcdef0123456789abcdef"

struct rig {
	char folder[64];
	char path[96];
	struct secret key;
	const char *boot_id;
	sem_t woken;
	struct store *store;
	struct fault trouble; /* the last one told */
	unsigned n_troubles;
	struct fault refusal; /* of the last rig_backup() that failed */
};

void rig_init(struct rig *rig);
void rig_finish(struct rig *rig);
/* cmocka fixtures: *state is the rig. */
int rig_setup(void **state);
int rig_teardown(void **state);

int rig_try_open(struct rig *rig, struct fault *ret_fault);
void rig_open(struct rig *rig); /* must work */
void rig_close(struct rig *rig);
/* Waits for a wake and dispatches. */
void rig_turn(struct rig *rig);

/* A txn whose end is waited for; *fault is the outcome. NULL of the faults: it must work. */
struct waiting {
	bool is_done;
	struct fault fault;
	int64_t seqs[8]; /* of its events, in order */
	size_t n_seqs;
};
struct txn *rig_txn(struct waiting *waiting);
void rig_commit(struct rig *rig, struct txn *txn); /* only hands over */
void rig_await(struct rig *rig, struct waiting *waiting);
enum fault_code rig_commit_wait(struct rig *rig, struct txn *txn, struct waiting *waiting);

void rig_fill_event(struct event *event, enum event_kind kind, const char *lock_id);
/* Adds to the txn; borrowed. */
struct event *rig_add_event(struct txn *txn, const char *lock_id, int64_t lock_seq);
struct lock_record *rig_add_lock(
	struct txn *txn, enum txn_kind kind, const char *id, const char *slug);
struct op_record *rig_add_op(struct txn *txn, enum txn_kind kind, const char *id);
void rig_add_cursor(struct txn *txn, const char *lock_id, int64_t number);
void rig_add_setting(struct txn *txn, const char *key, const char *value);
/* One event by itself; its number. */
int64_t rig_record(struct rig *rig, const char *lock_id, int64_t lock_seq);
/* Commits @n events in txns of up to 500. */
void rig_record_many(struct rig *rig, size_t n, void (*fill)(struct event *event, size_t i));

/* To be freed by the caller. */
struct event *rig_query(struct rig *rig, const struct log_query *query, size_t *ret_n);
enum fault_code rig_verify(struct rig *rig, struct log_verify *ret);
/* A copy of the database of a store that is open; all of it checked. */
enum fault_code rig_backup(struct rig *rig, const char *path);
enum fault_code rig_check(const struct rig *rig);

/* Another hand: runs SQL on the file with the store closed, all guards off. */
void rig_tamper(const char *path, const char *sql);
int64_t rig_number(const char *path, const char *sql);
/* The whole file; to be freed. NULL when there is none. */
uint8_t *rig_slurp(const char *path, size_t *ret_n);
