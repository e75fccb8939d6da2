/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tables of a lock's health (core/history.h) together, the writing side. */

#include "attempt-table.h"
#include "core/ledger.h"
#include "day-table.h"
#include "note-table.h"
#include "sample-table.h"

struct health_tables {
	struct sample_table samples;
	struct day_table days;
	struct attempt_table attempts;
	struct note_table notes;
};

int health_tables_open(struct health_tables *tables, sqlite3 *db, struct fault *ret_fault);
void health_tables_close(struct health_tables *tables);
/* One item of a txn. What is not of these tables is INTERNAL. */
int health_tables_apply(
	struct health_tables *tables, const struct txn_item *item, struct fault *ret_fault);
/*
 * Retention, a piece of it: takes away some of what is older than @before, and of what a lock has
 * beyond its newest HISTORY_SAMPLES_MAX samples. Of each kind the newest one stays, and notes do.
 * The age of a sample counts only if its time was trusted. *ret_n: rows; 0: nothing is left to do.
 */
#define HEALTH_CUT_ROWS 250 /* of each table */
int health_tables_cut(sqlite3 *db, wall_t before, int64_t *ret_n, struct fault *ret_fault);
