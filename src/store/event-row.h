/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An event as a row: the order of columns, shared by insert, query and hash. */

#include "core/event.h"
#include "db.h"

/*
 * Columns are only ever added at the end. A row holds those that there were when it was written:
 * its hash is made over them and no others, and the later ones are NULL in it.
 */
#define EVENT_ROW_COLUMNS 28
#define EVENT_ROW_COLUMNS_FIRST 23 /* before migration 2 */
/* Without hash, which follows where it is wanted. */
#define EVENT_ROW_SQL                                                                              \
	"seq, kind, word, lock_id, time, is_time_trusted, life, mono, lock_time, lock_seq,"        \
	" operation, source, error, alarm, door, state, user, user_ref, op_id, act, fault,"        \
	" number, text, user_id, attribution, credential, data, data_operation"

/* A value of a column; text is borrowed. */
struct value {
	bool is_text;
	int64_t number;
	const char *text;
	size_t n_text;
};

/* From an event whose seq has been given. All EVENT_ROW_COLUMNS of them. */
void event_row_values(
	const struct event *event, int64_t life, struct value values[static EVENT_ROW_COLUMNS]);
/*
 * From the columns of EVENT_ROW_SQL at the beginning of a row. @return how many of them the row
 * holds; 0: one of them has not the type that was written, or some later ones are there and some
 * are not.
 */
size_t event_row_borrow(sqlite3_stmt *stmt, struct value values[static EVENT_ROW_COLUMNS]);
void event_row_read(sqlite3_stmt *stmt, struct event *ret);
