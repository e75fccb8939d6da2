/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table attempt: what was tried against which fault, and what came of it. */

#include "core/history.h"
#include "db.h"

struct attempt_table {
	sqlite3_stmt *put;
	sqlite3_stmt *cut;
};

int attempt_table_open(struct attempt_table *table, sqlite3 *db, struct fault *ret_fault);
void attempt_table_close(struct attempt_table *table);
/* By id. Of one lock (or the hub) the newest HISTORY_ATTEMPTS_MAX stay. NO_SUCH_LOCK. */
int attempt_table_put(
	struct attempt_table *table, const struct attempt *attempt, struct fault *ret_fault);
