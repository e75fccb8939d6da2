/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tables of a lock's health (core/history.h), the asking side. */

#include "core/history.h"
#include "db.h"

/* Arrays of the heap; what there is of them is in .history. */
struct history_answer {
	struct history history;
	struct sample *samples;
	struct lock_day *days;
	struct attempt *attempts;
	struct note *notes;
};

/* *ret is empty on failure. NO_MEMORY, as db_fault(). */
int history_query_run(sqlite3 *db, const struct history_query *asked, struct history_answer *ret,
	struct fault *ret_fault);
void history_answer_free(struct history_answer *answer);
