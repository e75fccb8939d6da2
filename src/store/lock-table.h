/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table lock. Keys are sealed, bound to the lock's id and the column. */

#include "core/ledger.h"
#include "keys.h"

struct lock_table {
	const struct store_keys *keys;
	sqlite3_stmt *put;
	sqlite3_stmt *put_keys;
	sqlite3_stmt *put_facts;
	sqlite3_stmt *remove;
	sqlite3_stmt *put_cursor;
};

int lock_table_open(struct lock_table *table, sqlite3 *db, const struct store_keys *keys,
	struct fault *ret_fault);
void lock_table_close(struct lock_table *table);

/* NAME_TAKEN: another lock has that slug. */
int lock_table_put(
	struct lock_table *table, const struct lock_record *record, struct fault *ret_fault);
/* The others: NO_SUCH_LOCK. */
int lock_table_put_keys(
	struct lock_table *table, const struct lock_record *record, struct fault *ret_fault);
int lock_table_put_facts(
	struct lock_table *table, const struct lock_record *record, struct fault *ret_fault);
/* With everything that is about it but its events. */
int lock_table_remove(struct lock_table *table, const char *id, struct fault *ret_fault);
/* Never backwards. */
int lock_table_put_cursor(
	struct lock_table *table, const char *id, int64_t number, struct fault *ret_fault);

/*
 * For the tables that refer to locks: if @bind ran into that, names what is missing, the lock or
 * else @other (with its id). Returns @r, with *ret_fault as it is when it was something else.
 */
int lock_table_blame(const struct bind *bind, const char *lock_id, enum fault_code other,
	const char *other_id, int r, struct fault *ret_fault);

/* In the order of pairing. @fault: NULL, or why the keys could not be opened. */
int lock_table_load(sqlite3 *db, const struct store_keys *keys,
	void (*fn)(void *user, const struct lock_record *record, const struct fault *fault),
	void *user, struct fault *ret_fault);
