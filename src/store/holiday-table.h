/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table holiday: when a lock is in another mode. */

#include "core/user.h"
#include "db.h"

struct holiday_table {
	sqlite3_stmt *put;
	sqlite3_stmt *remove;
};

int holiday_table_open(struct holiday_table *table, sqlite3 *db, struct fault *ret_fault);
void holiday_table_close(struct holiday_table *table);
/* NO_SUCH_LOCK. */
int holiday_table_put(
	struct holiday_table *table, const struct holiday *holiday, struct fault *ret_fault);
int holiday_table_remove(struct holiday_table *table, const char *id, struct fault *ret_fault);
int holiday_table_load(sqlite3 *db, void (*fn)(void *user, const struct holiday *row), void *user,
	struct fault *ret_fault);
