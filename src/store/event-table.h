/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table event, the writing side: appends to the chain. Readers: event-query.h, verify.h. */

#include "chain.h"

struct event_table {
	sqlite3 *db;
	const struct store_keys *keys;
	int64_t life;
	struct chain_end head;
	bool is_head_moved; /* since it was last written */
	sqlite3_stmt *insert;
	sqlite3_stmt *put_end;
	sqlite3_stmt *cut;
};

/*
 * Takes up the chain where it was sealed last. *ret_log_fault: FAULT_NONE, or LOG_BROKEN when that
 * is not where the rows end; the chain then goes on behind a gap that nobody can fill.
 */
int event_table_open(struct event_table *table, sqlite3 *db, const struct store_keys *keys,
	int64_t life, struct fault *ret_log_fault, struct fault *ret_fault);
void event_table_close(struct event_table *table);
/* Gives the event its number; 0 when it is an imported one that is there already. */
int event_table_append(struct event_table *table, struct event *event, struct fault *ret_fault);
/* To be called before COMMIT: seals the new head, if there is one. */
int event_table_seal(struct event_table *table, struct fault *ret_fault);
/* Makes @anchor, a row that is there, the log's anchor and takes it away with all before it. */
int event_table_cut(
	struct event_table *table, const struct chain_end *anchor, struct fault *ret_fault);
