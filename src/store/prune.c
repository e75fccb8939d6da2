/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "prune.h"

#include "verify.h"

/* Rows looked at in one transaction when it is only about their age. */
#define LOOK_ROWS 20000

/* Looks at the age of up to LOOK_ROWS rows behind *seq. *ret_is_end: nothing older follows. */
static int look_at_ages(sqlite3_stmt *stmt, wall_t before, int64_t *seq, int64_t *ret_last,
	bool *ret_is_end, struct fault *ret_fault) {
	int n = 0;

	int rc = sqlite3_bind_int64(stmt, 1, *seq);
	if (rc == SQLITE_OK) {
		rc = sqlite3_bind_int64(stmt, 2, LOOK_ROWS);
	}
	while ((rc == SQLITE_OK || rc == SQLITE_ROW) && !*ret_is_end) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW) {
			struct column column = column_on(stmt);
			n++;
			*seq = column_number(&column);
			bool is_older = column_number(&column) < before.s;
			bool is_trusted = column_number(&column) != 0;
			*ret_is_end = is_trusted && !is_older;
			*ret_last = is_trusted && is_older ? *seq : *ret_last;
		}
	}
	int r = rc == SQLITE_DONE || rc == SQLITE_ROW
			? 0
			: db_fault(sqlite3_db_handle(stmt), rc, "looking for old rows", ret_fault);
	(void) sqlite3_reset(stmt);
	*ret_is_end = *ret_is_end || n < LOOK_ROWS;
	return r;
}

/* *ret: number of the last row that is older than @before; that of the anchor when there is none.
 */
static int find_old(sqlite3 *db, int64_t anchor, wall_t before, const atomic_bool *is_stopping,
	int64_t *ret, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int64_t seq = anchor;
	bool is_end = false;

	int r = db_prepare(db,
		"SELECT seq, time, is_time_trusted FROM event NOT INDEXED WHERE seq > ?1"
		" ORDER BY seq LIMIT ?2",
		&stmt, ret_fault);
	*ret = anchor;
	while (r == 0 && !is_end) {
		if (atomic_load(is_stopping)) {
			return fault_set(ret_fault, FAULT_CANCELLED, "the store is being closed");
		}
		r = look_at_ages(stmt, before, &seq, ret, &is_end, ret_fault);
	}
	return r;
}

static int find_last(sqlite3 *db, int64_t anchor, const struct prune *asked,
	const atomic_bool *is_stopping, int64_t *ret, struct fault *ret_fault) {
	int64_t newest = 0;

	*ret = anchor;
	int r = db_number(db, "SELECT max(seq) FROM event", &newest, ret_fault);
	if (r == 0 && asked->before.s != 0) {
		r = find_old(db, anchor, asked->before, is_stopping, ret, ret_fault);
	}
	if (r == 0 && asked->keep > 0 && newest - asked->keep > *ret) {
		*ret = newest - asked->keep;
	}
	return r;
}

/* One piece further, if the rows are what was written. */
static int take_piece(
	struct chain_walk *walk, struct writer *writer, int64_t last, struct fault *ret_fault) {
	size_t n;

	int r = chain_walk_rows(walk, last, PRUNE_ROWS, &n, ret_fault);
	if (r < 0) {
		return r;
	}
	if (n == 0) {
		chain_walk_miss(walk, last);
	}
	if (walk->result.bad_seq != 0) {
		return 0;
	}
	return writer_cut(writer, &walk->at, ret_fault);
}

int prune_run(sqlite3 *db, const struct store_keys *keys, struct writer *writer,
	const struct prune *asked, const atomic_bool *is_stopping, int64_t *ret_n,
	struct fault *ret_fault) {
	struct chain_walk walk;
	int64_t last = 0;

	*ret_n = 0;
	int r = chain_walk_open(&walk, db, keys, ret_fault);
	if (r == 0) {
		r = chain_walk_begin(&walk, ret_fault);
	}
	if (r == 0) {
		r = find_last(db, walk.at.seq, asked, is_stopping, &last, ret_fault);
	}
	while (r == 0 && walk.result.bad_seq == 0 && walk.at.seq < last) {
		if (atomic_load(is_stopping)) {
			r = fault_set(ret_fault, FAULT_CANCELLED, "the store is being closed");
			break;
		}
		r = take_piece(&walk, writer, last, ret_fault);
		if (r == 0 && walk.result.bad_seq == 0) {
			*ret_n = walk.result.n_rows;
		}
	}
	chain_walk_close(&walk);
	if (r == 0 && walk.result.bad_seq != 0) {
		r = fault_set(ret_fault, FAULT_LOG_BROKEN, "%s; it is kept from there on",
			walk.result.reason);
	}
	return r;
}
