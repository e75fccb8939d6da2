/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "history-query.h"

#include <stdlib.h>

#include "note-table.h"

#define DAY_S 86400
#define ROOM_FIRST 64

/* What a walk through a statement fills: an array that grows up to its limit. */
struct filling {
	void *rows;
	size_t n, room, most, size;
};

/* A zeroed place at the end; NULL: no memory. */
static void *place(struct filling *filling) {
	if (filling->n == filling->room) {
		size_t room = filling->room == 0 ? ROOM_FIRST : filling->room * 2;
		void *rows = reallocarray(filling->rows, room, filling->size);

		if (rows == NULL) {
			return NULL;
		}
		filling->rows = rows;
		filling->room = room;
	}
	void *row = (char *) filling->rows + filling->n++ * filling->size;
	memset(row, 0, filling->size);
	return row;
}

static void read_sample(struct column *column, void *row) {
	struct sample *sample = row;

	sample->kind = (enum sample_kind) column_number(column);
	sample->at.s = column_number(column);
	sample->is_time_trusted = column_number(column) != 0;
	sample->value = (int32_t) column_number(column);
}

static void read_attempt(struct column *column, void *row) {
	struct attempt *attempt = row;

	column_text(column, attempt->id, sizeof(attempt->id));
	column_text(column, attempt->lock_id, sizeof(attempt->lock_id));
	column_text(column, attempt->fault, sizeof(attempt->fault));
	column_text(column, attempt->remedy, sizeof(attempt->remedy));
	column_text(column, attempt->by, sizeof(attempt->by));
	attempt->begun_at.s = column_number(column);
	attempt->ended_at.s = column_number(column);
	attempt->outcome = (enum attempt_outcome) column_number(column);
	column_text(column, attempt->before, sizeof(attempt->before));
	column_text(column, attempt->after, sizeof(attempt->after));
}

static void read_note(struct column *column, void *row) {
	struct note *note = row;

	column_text(column, note->lock_id, sizeof(note->lock_id));
	column_text(column, note->key, sizeof(note->key));
	column_text(column, note->text, sizeof(note->text));
	note->at.s = column_number(column);
}

/* Rows of one day follow one another: each is one number of it. */
static int fill_days(sqlite3_stmt *stmt, struct filling *filling, struct fault *ret_fault) {
	struct lock_day *row = NULL;
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct column column = column_on(stmt);
		int32_t day = (int32_t) column_number(&column);
		enum day_key key;

		if (row == NULL || row->day != day) {
			row = place(filling);
			if (row == NULL) {
				return fault_set(
					ret_fault, FAULT_NO_MEMORY, "%zu days", filling->n);
			}
			row->day = day;
		}
		/* What a newer version counts is not ours to show. */
		if (day_key_from_name(column_borrow_text(&column), &key) == 0) {
			row->counts[key] = (uint32_t) column_number(&column);
		}
	}
	return rc == SQLITE_DONE
		       ? 0
		       : db_fault(sqlite3_db_handle(stmt), rc, "reading the counts", ret_fault);
}

static int fill(sqlite3_stmt *stmt, struct filling *filling,
	void (*read)(struct column *column, void *row), struct fault *ret_fault) {
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct column column = column_on(stmt);
		void *row = place(filling);

		if (row == NULL) {
			return fault_set(ret_fault, FAULT_NO_MEMORY, "%zu rows", filling->n);
		}
		read(&column, row);
	}
	return rc == SQLITE_DONE
		       ? 0
		       : db_fault(sqlite3_db_handle(stmt), rc, "reading the history", ret_fault);
}

/* ?1 lock, ?2 since (seconds or days), ?3 rows at most, as far as the statement has them. */
static int walk(sqlite3 *db, const char *sql, const char *lock_id, int64_t since, int64_t most,
	void (*read)(struct column *column, void *row), struct filling *filling,
	struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;

	int r = db_prepare(db, sql, &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	struct bind bind = bind_on(stmt);
	bind_text(&bind, lock_id);
	if (sqlite3_bind_parameter_count(stmt) >= 2) {
		bind_number(&bind, since);
	}
	if (sqlite3_bind_parameter_count(stmt) >= 3) {
		bind_number(&bind, most);
	}
	if (bind.rc != SQLITE_OK) {
		return db_fault(db, bind.rc, "asking for the history", ret_fault);
	}
	return read != NULL ? fill(stmt, filling, read, ret_fault)
			    : fill_days(stmt, filling, ret_fault);
}

/* With those before @since that were in force then: the newest of each kind. */
static const char samples_sql[] =
	"SELECT kind, at, is_time_trusted, value FROM ("
	" SELECT * FROM (SELECT number, kind, at, is_time_trusted, value FROM sample"
	"  WHERE lock_id = ?1 AND at >= ?2 ORDER BY at DESC, number DESC LIMIT ?3)"
	" UNION ALL"
	" SELECT number, kind, max(at), is_time_trusted, value FROM sample"
	"  WHERE lock_id = ?1 AND at < ?2 GROUP BY kind"
	") ORDER BY at, number";

static const char days_sql[] =
	"SELECT day, key, value FROM day_count WHERE lock_id = ?1 AND day >= ?2 AND day IN"
	" (SELECT DISTINCT day FROM day_count WHERE lock_id = ?1 ORDER BY day DESC LIMIT ?3)"
	" ORDER BY day";

static const char attempts_sql[] =
	"SELECT * FROM (SELECT id, ifnull(lock_id, ''), fault, remedy, by, begun_at, ended_at,"
	" outcome, before, after FROM attempt WHERE lock_id IS nullif(?1, '') AND"
	" (begun_at >= ?2 OR ended_at = 0) ORDER BY number DESC LIMIT ?3) ORDER BY begun_at";

static const char notes_sql[] =
	"SELECT ifnull(lock_id, ''), key, text, at FROM note WHERE lock_id IS nullif(?1, '')"
	" ORDER BY key";

void history_answer_free(struct history_answer *answer) {
	free(answer->samples);
	free(answer->days);
	free(answer->attempts);
	free(answer->notes);
	*answer = (struct history_answer){ 0 };
}

int history_query_run(sqlite3 *db, const struct history_query *asked, struct history_answer *ret,
	struct fault *ret_fault) {
	struct filling samples = { .size = sizeof(struct sample) };
	struct filling days = { .size = sizeof(struct lock_day) };
	struct filling attempts = { .size = sizeof(struct attempt) };
	struct filling notes = { .size = sizeof(struct note) };
	const char *id = asked->lock_id;
	int64_t since = asked->since.s;

	int r = walk(
		db, samples_sql, id, since, HISTORY_SAMPLES_MAX, read_sample, &samples, ret_fault);
	if (r == 0) {
		r = walk(db, days_sql, id, since / DAY_S, HISTORY_DAYS_MAX, NULL, &days, ret_fault);
	}
	if (r == 0) {
		r = walk(db, attempts_sql, id, since, HISTORY_ATTEMPTS_MAX, read_attempt, &attempts,
			ret_fault);
	}
	if (r == 0) {
		r = walk(db, notes_sql, id, 0, 0, read_note, &notes, ret_fault);
	}
	*ret = (struct history_answer){ .samples = samples.rows,
		.days = days.rows,
		.attempts = attempts.rows,
		.notes = notes.rows };
	if (r < 0) {
		history_answer_free(ret);
		return r;
	}
	ret->history = (struct history){ .samples = samples.rows,
		.n_samples = samples.n,
		.days = days.rows,
		.n_days = days.n,
		.attempts = attempts.rows,
		.n_attempts = attempts.n,
		.notes = notes.rows,
		.n_notes = notes.n };
	return 0;
}
