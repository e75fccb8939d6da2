/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Table event, the asking side: log queries by index, each way prepared once. Which index is used
 * is decided here and not by SQLite, which has no statistics: each filter that is set is counted
 * in its index (up to QUERY_PROBE_MAX entries), and the rarest leads.
 */

#include "core/ledger.h"
#include "db.h"

#define QUERY_PROBE_MAX 10000

enum query_path {
	QUERY_BY_SEQ,
	QUERY_BY_USER,
	QUERY_BY_USER_ID,
	QUERY_BY_PERSON, /* of the id, or of the name without an id */
	QUERY_BY_LOCK,
	QUERY_BY_WORD,
	QUERY_BY_TIME,
};
#define QUERY_PATHS 7

struct event_query {
	sqlite3 *db;
	sqlite3_stmt *select[QUERY_PATHS][2]; /* newest first, oldest first */
	sqlite3_stmt *probe[QUERY_PATHS];
	sqlite3_stmt *edge[2];     /* last and first number within a stretch of time */
	enum query_path last_path; /* for tests */
};

int event_query_open(struct event_query *query, sqlite3 *db, struct fault *ret_fault);
void event_query_close(struct event_query *query);
/*
 * An answer, which may be megabytes: mapped and not allocated, so that it does not stay behind in
 * the heap.
 */
struct event_answer {
	struct event *events;
	size_t n;
	size_t n_mapped; /* octets */
};
void event_answer_free(struct event_answer *answer);
int event_query_run(struct event_query *query, const struct log_query *asked,
	struct event_answer *ret, struct fault *ret_fault);
/* The newest event of a lock; seq 0: none. */
int event_query_last(
	struct event_query *query, const char *lock_id, struct event *ret, struct fault *ret_fault);
