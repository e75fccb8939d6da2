/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table note: where a guided task stands. */

#include "core/history.h"
#include "db.h"

#define NOTES_MAX 64 /* of one lock, or of the hub */

struct note_table {
	sqlite3_stmt *put;
	sqlite3_stmt *remove;
	sqlite3_stmt *count;
};

int note_table_open(struct note_table *table, sqlite3 *db, struct fault *ret_fault);
void note_table_close(struct note_table *table);
/* By lock and key; a text of "" removes. NO_SUCH_LOCK; LIST_FULL: NOTES_MAX others are there. */
int note_table_put(struct note_table *table, const struct note *note, struct fault *ret_fault);
