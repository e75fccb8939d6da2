/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table sample: single values of a lock's health, each kept when it was another one. */

#include "core/history.h"
#include "db.h"

struct sample_table {
	sqlite3_stmt *add;
};

int sample_table_open(struct sample_table *table, sqlite3 *db, struct fault *ret_fault);
void sample_table_close(struct sample_table *table);
/* Nothing happens when there is no such lock (any more). */
int sample_table_add(struct sample_table *table, const char *lock_id, const struct sample *sample,
	struct fault *ret_fault);
/* The newest of each kind of each lock: as they were written, whatever their times say. */
int sample_table_load(sqlite3 *db,
	void (*fn)(void *user, const char *lock_id, const struct sample *sample), void *user,
	struct fault *ret_fault);
