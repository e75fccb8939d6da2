/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table placement: what became of a credential at a lock. */

#include "core/user.h"
#include "db.h"

struct placement_table {
	sqlite3_stmt *put;
	sqlite3_stmt *remove;
};

int placement_table_open(struct placement_table *table, sqlite3 *db, struct fault *ret_fault);
void placement_table_close(struct placement_table *table);
/* NO_SUCH_LOCK, NO_SUCH_CODE. */
int placement_table_put(
	struct placement_table *table, const struct placement *placement, struct fault *ret_fault);
int placement_table_remove(
	struct placement_table *table, const struct placement *placement, struct fault *ret_fault);
int placement_table_load(sqlite3 *db, void (*fn)(void *user, const struct placement *row),
	void *user, struct fault *ret_fault);
