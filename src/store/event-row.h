/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An event as a row: the order of columns, shared by insert, query and hash. */

#include "core/event.h"
#include "db.h"

#define EVENT_ROW_COLUMNS 23
/* Without hash, which follows where it is wanted. */
#define EVENT_ROW_SQL                                                                              \
	"seq, kind, word, lock_id, time, is_time_trusted, life, mono, lock_time, lock_seq,"        \
	" operation, source, error, alarm, door, state, user, user_ref, op_id, act, fault,"        \
	" number, text"

/* A value of a column; text is borrowed. */
struct value {
	bool is_text;
	int64_t number;
	const char *text;
	size_t n_text;
};

/* From an event whose seq has been given. */
void event_row_values(
	const struct event *event, int64_t life, struct value values[static EVENT_ROW_COLUMNS]);
/*
 * From the columns of EVENT_ROW_SQL at the beginning of a row. false: one of them has not the type
 * that was written.
 */
bool event_row_borrow(sqlite3_stmt *stmt, struct value values[static EVENT_ROW_COLUMNS]);
void event_row_read(sqlite3_stmt *stmt, struct event *ret);
