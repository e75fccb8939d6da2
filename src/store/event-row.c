/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event-row.h"

#include <assert.h>
#include <string.h>

static void put(struct value **at, int64_t number) {
	*(*at)++ = (struct value){ .number = number };
}

static void put_text(struct value **at, const char *text) {
	*(*at)++ = (struct value){ .is_text = true, .text = text, .n_text = strlen(text) };
}

void event_row_values(
	const struct event *event, int64_t life, struct value values[static EVENT_ROW_COLUMNS]) {
	struct value *at = values;

	put(&at, event->seq);
	put(&at, event->kind);
	put_text(&at, event_word(event));
	put_text(&at, event->lock_id);
	put(&at, event->time.s);
	put(&at, event->is_time_trusted);
	put(&at, life);
	put(&at, event->mono.ms);
	put(&at, event->lock_time.s);
	put(&at, event->lock_seq);
	put(&at, event->operation);
	put(&at, event->source);
	put(&at, event->error);
	put(&at, event->alarm);
	put(&at, event->door);
	put(&at, event->state);
	put_text(&at, event->user);
	put(&at, event->user_ref);
	put_text(&at, event->op_id);
	put_text(&at, act_name(event->act));
	put_text(&at, fault_name(event->fault));
	put(&at, event->number);
	put_text(&at, event->text);
	put_text(&at, event->user_id);
	put(&at, event->attribution);
	put(&at, event->credential);
	put(&at, event->data);
	put(&at, event->data_operation);
	assert(at == values + EVENT_ROW_COLUMNS);
}

static bool is_all_null(sqlite3_stmt *stmt, int first) {
	for (int i = first; i < EVENT_ROW_COLUMNS; i++) {
		if (sqlite3_column_type(stmt, i) != SQLITE_NULL) {
			return false;
		}
	}
	return true;
}

size_t event_row_borrow(sqlite3_stmt *stmt, struct value values[static EVENT_ROW_COLUMNS]) {
	/* c: text, i: number; as in EVENT_ROW_SQL. */
	static const char types[EVENT_ROW_COLUMNS + 1] = "iicciiiiiiiiiiiicicccicciiii";
	int n = is_all_null(stmt, EVENT_ROW_COLUMNS_FIRST) ? EVENT_ROW_COLUMNS_FIRST
							   : EVENT_ROW_COLUMNS;

	for (int i = 0; i < n; i++) {
		bool is_text = types[i] == 'c';
		if (sqlite3_column_type(stmt, i) != (is_text ? SQLITE_TEXT : SQLITE_INTEGER)) {
			return 0;
		}
		values[i] = (struct value){ .is_text = is_text };
		if (is_text) {
			values[i].text = (const char *) sqlite3_column_text(stmt, i);
			values[i].n_text = (size_t) sqlite3_column_bytes(stmt, i);
		} else {
			values[i].number = sqlite3_column_int64(stmt, i);
		}
		if (is_text && values[i].text == NULL) {
			return 0;
		}
	}
	return (size_t) n;
}

void event_row_read(sqlite3_stmt *stmt, struct event *ret) {
	struct column column = column_on(stmt);
	enum fault_code fault = FAULT_INTERNAL; /* a name that this version does not know */

	*ret = (struct event){ 0 };
	ret->seq = column_number(&column);
	ret->kind = (enum event_kind) column_number(&column);
	(void) column_borrow_text(&column); /* word: made again from the rest */
	column_text(&column, ret->lock_id, sizeof(ret->lock_id));
	ret->time.s = column_number(&column);
	ret->is_time_trusted = column_number(&column) != 0;
	(void) column_number(&column); /* life */
	ret->mono.ms = column_number(&column);
	ret->lock_time.s = column_number(&column);
	ret->lock_seq = column_number(&column);
	ret->operation = (enum operation_type) column_number(&column);
	ret->source = (enum operation_source) column_number(&column);
	ret->error = (enum operation_error) column_number(&column);
	ret->alarm = (enum alarm_code) column_number(&column);
	ret->door = (enum door_state) column_number(&column);
	ret->state = (enum lock_state) column_number(&column);
	column_text(&column, ret->user, sizeof(ret->user));
	ret->user_ref = column_number(&column);
	column_text(&column, ret->op_id, sizeof(ret->op_id));
	(void) act_from_name(column_borrow_text(&column), &ret->act);
	(void) fault_from_name(column_borrow_text(&column), &fault);
	ret->fault = fault;
	ret->number = column_number(&column);
	column_text(&column, ret->text, sizeof(ret->text));
	bool has_more = sqlite3_column_type(stmt, column.at) != SQLITE_NULL;
	column_text(&column, ret->user_id, sizeof(ret->user_id));
	ret->attribution = (enum attribution) column_number(&column);
	ret->credential = (enum credential_type) column_number(&column);
	ret->data = (enum lock_data_type) column_number(&column);
	ret->data_operation = (enum data_operation) column_number(&column);
	if (!has_more) {
		ret->credential = CREDENTIAL_NONE; /* the others are 0 */
	}
}
