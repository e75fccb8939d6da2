/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table day_count: what was counted of a lock on a day, one row per number. */

#include "core/history.h"
#include "db.h"

struct day_table {
	sqlite3_stmt *add;
};

int day_table_open(struct day_table *table, sqlite3 *db, struct fault *ret_fault);
void day_table_close(struct day_table *table);
/* Adds to what is there. Nothing happens when there is no such lock (any more). */
int day_table_add(struct day_table *table, const char *lock_id, const struct lock_day *day,
	struct fault *ret_fault);
