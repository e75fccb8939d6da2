/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tables slot_list and slot: the mirror of what a lock says it holds. PINs are sealed. */

#include "core/user.h"
#include "keys.h"

struct slot_table {
	const struct store_keys *keys;
	sqlite3_stmt *put_list;
	sqlite3_stmt *clear;
	sqlite3_stmt *put;
};

int slot_table_open(struct slot_table *table, sqlite3 *db, const struct store_keys *keys,
	struct fault *ret_fault);
void slot_table_close(struct slot_table *table);
/* An empty list, told at @at. NO_SUCH_LOCK. */
int slot_table_clear(
	struct slot_table *table, const char *lock_id, wall_t at, struct fault *ret_fault);
/* One more at the end of the list. NO_SUCH_LOCK: there is no list. */
int slot_table_put(struct slot_table *table, const char *lock_id, const struct slot *slot,
	struct fault *ret_fault);
/*
 * List by list; the rows are borrowed. @fault: NULL, or why a PIN could not be opened (it is empty
 * then), or that there are more rows than SLOTS_PER_LOCK_MAX. NO_MEMORY.
 */
int slot_table_load(sqlite3 *db, const struct store_keys *keys,
	void (*fn)(void *user, const char *lock_id, const struct slot *slots, size_t n, wall_t at,
		const struct fault *fault),
	void *user, struct fault *ret_fault);
