/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Retention: takes the oldest rows of the log away and moves the anchor behind them. Each piece is
 * one transaction of the writer, between its batches: nobody waits for longer than that.
 *
 * What goes is walked first like verify() walks it: a log that is broken is evidence, and nothing
 * from the break on is taken away. Not beside verify(): both run on the chores' thread.
 */

#include <stdatomic.h>

#include "writer.h"

#define PRUNE_ROWS 250

struct prune {
	wall_t before; /* rows that are older go; 0: age does not count */
	int64_t keep;  /* so many of the newest stay, all others go; 0: their number does not count
			*/
};

/*
 * A row counts as older when its time was trusted. One whose time was not goes with the next older
 * one that follows it; and nothing goes that stands behind a row that is not older.
 *
 * @db reads. *ret_n: rows that are gone, also on failure. LOG_BROKEN, CANCELLED, as db_fault().
 */
int prune_run(sqlite3 *db, const struct store_keys *keys, struct writer *writer,
	const struct prune *asked, const atomic_bool *is_stopping, int64_t *ret_n,
	struct fault *ret_fault);
