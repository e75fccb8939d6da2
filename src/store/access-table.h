/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table access: which user at which lock. */

#include "core/user.h"
#include "db.h"

struct access_table {
	sqlite3_stmt *put;
	sqlite3_stmt *remove;
};

int access_table_open(struct access_table *table, sqlite3 *db, struct fault *ret_fault);
void access_table_close(struct access_table *table);
/* NO_SUCH_LOCK, NO_SUCH_USER. */
int access_table_put(
	struct access_table *table, const struct access *access, struct fault *ret_fault);
int access_table_remove(
	struct access_table *table, const struct access *access, struct fault *ret_fault);
int access_table_load(sqlite3 *db, void (*fn)(void *user, const struct access *row), void *user,
	struct fault *ret_fault);
