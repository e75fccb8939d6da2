/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table op: intents and their outcomes. The newest OPS_KEPT are kept, and all unfinished. */

#include "core/ledger.h"
#include "db.h"

#define OPS_KEPT 1000

struct op_table {
	sqlite3_stmt *intent;
	sqlite3_stmt *outcome;
	sqlite3_stmt *trim;
};

int op_table_open(struct op_table *table, sqlite3 *db, struct fault *ret_fault);
void op_table_close(struct op_table *table);
/* DUPLICATE: the id exists. */
int op_table_intent(struct op_table *table, const struct op_record *op, struct fault *ret_fault);
/*
 * Of an intent, or of an operation that went on without one because the disk was full.
 * INTERNAL: it has an outcome already.
 */
int op_table_outcome(struct op_table *table, const struct op_record *op, struct fault *ret_fault);
/* The unfinished ones, oldest first. */
int op_table_load(sqlite3 *db, void (*fn)(void *user, const struct op_record *op), void *user,
	struct fault *ret_fault);
