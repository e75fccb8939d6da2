/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table schedule: week-day and year-day windows of users. */

#include "core/user.h"
#include "db.h"

struct schedule_table {
	sqlite3_stmt *put;
	sqlite3_stmt *remove;
};

int schedule_table_open(struct schedule_table *table, sqlite3 *db, struct fault *ret_fault);
void schedule_table_close(struct schedule_table *table);
/* NO_SUCH_LOCK, NO_SUCH_USER; INTERNAL: a window that core/user.h does not allow. */
int schedule_table_put(
	struct schedule_table *table, const struct schedule *schedule, struct fault *ret_fault);
int schedule_table_remove(struct schedule_table *table, const char *id, struct fault *ret_fault);
/* In the order in which they were made. */
int schedule_table_load(sqlite3 *db, void (*fn)(void *user, const struct schedule *row), void *user,
	struct fault *ret_fault);
