/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table lock_rules: what a lock asks of those who come from afar, and when it is in which mode. */

#include "core/user.h"
#include "db.h"

struct rules_table {
	sqlite3_stmt *put;
};

int rules_table_open(struct rules_table *table, sqlite3 *db, struct fault *ret_fault);
void rules_table_close(struct rules_table *table);
/* NO_SUCH_LOCK; INTERNAL: a number that core/user.h does not allow. */
int rules_table_put(struct rules_table *table, const char *lock_id, const struct lock_rules *rules,
	struct fault *ret_fault);
int rules_table_load(sqlite3 *db,
	void (*fn)(void *user, const char *lock_id, const struct lock_rules *rules), void *user,
	struct fault *ret_fault);
