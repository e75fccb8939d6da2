/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void break_at(struct chain_walk *walk, int64_t seq, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void break_at(struct chain_walk *walk, int64_t seq, const char *format, ...) {
	va_list args;

	walk->result.bad_seq = seq > 0 ? seq : 1;
	va_start(args, format);
	vsnprintf(walk->result.reason, sizeof(walk->result.reason), format, args);
	va_end(args);
}

static bool is_broken(const struct chain_walk *walk) {
	return walk->result.bad_seq != 0;
}

static void break_by_hole(struct chain_walk *walk, int64_t first, int64_t last) {
	if (first == last) {
		break_at(walk, first, "row %" PRId64 " is missing", first);
	} else {
		break_at(walk, first, "rows %" PRId64 " to %" PRId64 " are missing", first, last);
	}
}

static void take_row(struct chain_walk *walk) {
	struct value values[EVENT_ROW_COLUMNS];
	uint8_t hash[32];
	int64_t expected = walk->at.seq + 1;
	int64_t seq = sqlite3_column_int64(walk->rows, 0);

	if (seq != expected) {
		break_by_hole(walk, expected, seq - 1);
		return;
	}
	const void *stored = sqlite3_column_blob(walk->rows, EVENT_ROW_COLUMNS);
	int n_stored = sqlite3_column_bytes(walk->rows, EVENT_ROW_COLUMNS);
	size_t n = event_row_borrow(walk->rows, values);
	if (n == 0 || stored == NULL || n_stored != sizeof(hash)) {
		break_at(walk, seq, "row %" PRId64 " has columns of another type", seq);
		return;
	}
	chain_hash(values, n, walk->at.hash, hash);
	if (memcmp(hash, stored, sizeof(hash)) != 0) {
		break_at(
			walk, seq, "row %" PRId64 " was changed, or what stood before it was", seq);
		return;
	}
	walk->at.seq = seq;
	memcpy(walk->at.hash, hash, sizeof(hash));
	walk->result.n_rows++;
	if (walk->result.n_rows == 1) {
		walk->result.first_seq = seq;
	}
	walk->result.last_seq = seq;
}

/* What is behind the last row, in the same transaction as the last rows were read. */
static int check_head(struct chain_walk *walk, struct fault *ret_fault) {
	struct chain_end head;

	int r = chain_read(walk->db, walk->keys, CHAIN_HEAD, &head, ret_fault);
	if (r < 0) {
		return r;
	}
	if (!head.is_sealed) {
		break_at(walk, walk->at.seq, "the seal of the log's end is not ours");
	} else if (walk->at.seq < head.seq) {
		break_by_hole(walk, walk->at.seq + 1, head.seq);
	} else if (walk->at.seq > head.seq) {
		break_at(walk, head.seq + 1, "rows from %" PRId64 " on were added by another hand",
			head.seq + 1);
	} else if (memcmp(walk->at.hash, head.hash, sizeof(head.hash)) != 0) {
		break_at(walk, head.seq,
			"rows were changed and hashed anew: the last one is not what was sealed");
	}
	return 0;
}

int chain_walk_open(struct chain_walk *walk, sqlite3 *db, const struct store_keys *keys,
	struct fault *ret_fault) {
	*walk = (struct chain_walk){ .db = db, .keys = keys };
	return db_prepare(db,
		"SELECT " EVENT_ROW_SQL ", hash FROM event NOT INDEXED"
		" WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3",
		&walk->rows, ret_fault);
}

void chain_walk_close(struct chain_walk *walk) {
	walk->rows = db_finalize(walk->rows);
}

void chain_walk_miss(struct chain_walk *walk, int64_t last) {
	break_by_hole(walk, walk->at.seq + 1, last);
}

int chain_walk_begin(struct chain_walk *walk, struct fault *ret_fault) {
	int64_t has_risen = 0;

	int r = chain_read(walk->db, walk->keys, CHAIN_ANCHOR, &walk->at, ret_fault);
	if (r == 0) {
		r = db_number(walk->db,
			"SELECT EXISTS (SELECT 1 FROM event WHERE seq <="
			" (SELECT seq FROM chain WHERE name = 'anchor'))",
			&has_risen, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	if (!walk->at.is_sealed) {
		break_at(walk, walk->at.seq + 1, "the seal of the log's beginning is not ours");
	} else if (has_risen) {
		break_at(walk, walk->at.seq, "there are rows before the log's beginning");
	}
	return 0;
}

int chain_walk_rows(struct chain_walk *walk, int64_t upto, size_t limit, size_t *ret_n,
	struct fault *ret_fault) {
	size_t n = 0;

	int rc = sqlite3_bind_int64(walk->rows, 1, walk->at.seq);
	if (rc == SQLITE_OK) {
		rc = sqlite3_bind_int64(walk->rows, 2, upto);
	}
	if (rc == SQLITE_OK) {
		rc = sqlite3_bind_int64(walk->rows, 3, (int64_t) limit);
	}
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		if (is_broken(walk)) {
			rc = SQLITE_DONE;
			break;
		}
		rc = sqlite3_step(walk->rows);
		if (rc == SQLITE_ROW) {
			take_row(walk);
			n++;
		}
	}
	if (rc == SQLITE_TOOBIG) {
		break_at(walk, walk->at.seq + 1, "row %" PRId64 " is larger than any that we write",
			walk->at.seq + 1);
		rc = SQLITE_DONE;
	}
	int r = rc == SQLITE_DONE ? 0 : db_fault(walk->db, rc, "reading the log", ret_fault);
	(void) sqlite3_reset(walk->rows);
	*ret_n = n;
	return r;
}

static int run_piece(struct chain_walk *walk, const atomic_bool *is_stopping, bool *ret_is_end,
	struct fault *ret_fault) {
	size_t n = 0;

	if (atomic_load(is_stopping)) {
		return fault_set(ret_fault, FAULT_CANCELLED, "the store is being closed");
	}
	int r = db_exec(walk->db, "BEGIN", ret_fault);
	if (r == 0 && walk->result.n_rows == 0) {
		r = chain_walk_begin(walk, ret_fault);
	}
	if (r == 0 && !is_broken(walk)) {
		r = chain_walk_rows(walk, INT64_MAX, VERIFY_ROWS, &n, ret_fault);
		*ret_is_end = n < VERIFY_ROWS;
	}
	if (r == 0 && !is_broken(walk) && *ret_is_end) {
		r = check_head(walk, ret_fault);
	}
	/* Only read: nothing can be lost. */
	(void) db_exec(walk->db, "ROLLBACK", NULL);
	return r;
}

int verify_run(sqlite3 *db, const struct store_keys *keys, const atomic_bool *is_stopping,
	struct log_verify *ret, struct fault *ret_fault) {
	struct chain_walk walk;
	bool is_end = false;

	int r = chain_walk_open(&walk, db, keys, ret_fault);
	while (r == 0 && !is_end && !is_broken(&walk)) {
		r = run_piece(&walk, is_stopping, &is_end, ret_fault);
	}
	chain_walk_close(&walk);
	if (r == 0) {
		*ret = walk.result;
	}
	return r;
}
