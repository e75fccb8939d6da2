/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event-query.h"

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>

#include "event-row.h"
#include "util/text.h"

/* Parameters, the same numbers in all statements. */
enum { P_LOCK = 1, P_WORD, P_USER, P_USER_ID, P_SINCE, P_UNTIL, P_AFTER, P_BEFORE, P_LIMIT };

/* One walk through one index. */
struct walk {
	const char *source; /* FROM event ... */
	const char *where;  /* what the index finds */
};

#define USER_WALK                                                                                  \
	{ "INDEXED BY event_user", "user = ?3 AND user <> ''" }
#define USER_ID_WALK                                                                               \
	{ "INDEXED BY event_user_id", "user_id = ?4 AND user_id <> ''" }

#define WALKS_MAX 2
static const struct walk paths[QUERY_PATHS][WALKS_MAX] = {
	[QUERY_BY_SEQ] = { { "NOT INDEXED", "true" } },
	[QUERY_BY_USER] = { USER_WALK },
	[QUERY_BY_USER_ID] = { USER_ID_WALK },
	/* Two walks side by side, merged by number; no row is in both. */
	[QUERY_BY_PERSON] = { USER_ID_WALK,
		{ "INDEXED BY event_name_only",
			"user = ?3 AND user <> '' AND ifnull(user_id, '') = ''" } },
	[QUERY_BY_LOCK] = { { "INDEXED BY event_lock", "lock_id = ?1" } },
	[QUERY_BY_WORD] = { { "INDEXED BY event_word", "word = ?2" } },
	[QUERY_BY_TIME] = { { "INDEXED BY event_time", "time >= ?5 AND time < ?6" } },
};
/* For counting, all of a name: a few too many, but without a look at the rows. */
static const struct walk person_count[WALKS_MAX] = { USER_ID_WALK, USER_WALK };

#define RANGE_SQL "seq > ?7 AND seq < ?8"
#define EDGE_SQL(what)                                                                             \
	"SELECT " what " FROM event INDEXED BY event_time WHERE time >= ?5 AND time < ?6"          \
	" AND " RANGE_SQL
/* Every filter is tested again: those that do not lead are tested on the row. */
#define FILTER_SQL                                                                                 \
	RANGE_SQL " AND (?1 = '' OR lock_id = ?1) AND (?2 = '' OR word = ?2)"                      \
		  " AND ((?3 = '' AND ?4 = '') OR (?4 <> '' AND user_id = ?4)"                     \
		  " OR (?3 <> '' AND user = ?3 AND (?4 = '' OR ifnull(user_id, '') = '')))"        \
		  " AND time >= ?5 AND time < ?6"

/* @is_count: how many there are, up to ?9, and not what they say. */
static int prepare(struct event_query *query, const struct walk walks[static WALKS_MAX],
	bool is_count, const char *tail, sqlite3_stmt **ret, struct fault *ret_fault) {
	const char *what = is_count ? "1" : EVENT_ROW_SQL;
	const char *filter = is_count ? RANGE_SQL : FILTER_SQL;
	char sql[4096];
	size_t n =
		(size_t) snprintf(sql, sizeof(sql), "%s", is_count ? "SELECT count(*) FROM (" : "");

	for (size_t i = 0; i < WALKS_MAX && walks[i].source != NULL; i++) {
		n += (size_t) snprintf(sql + n, sizeof(sql) - n,
			"%sSELECT %s FROM event %s WHERE %s AND %s", i > 0 ? " UNION ALL " : "",
			what, walks[i].source, walks[i].where, filter);
	}
	n += (size_t) snprintf(sql + n, sizeof(sql) - n, "%s", tail);
	assert(n < sizeof(sql));
	return db_prepare(query->db, sql, ret, ret_fault);
}

static int prepare_path(struct event_query *query, enum query_path path, struct fault *ret_fault) {
	int r = prepare(query, paths[path], false, " ORDER BY seq DESC LIMIT ?9",
		&query->select[path][0], ret_fault);

	if (r == 0) {
		r = prepare(query, paths[path], false, " ORDER BY seq ASC LIMIT ?9",
			&query->select[path][1], ret_fault);
	}
	if (r < 0 || path == QUERY_BY_SEQ) {
		return r; /* by number needs no counting */
	}
	return prepare(query, path == QUERY_BY_PERSON ? person_count : paths[path], true,
		" LIMIT ?9)", &query->probe[path], ret_fault);
}

int event_query_open(struct event_query *query, sqlite3 *db, struct fault *ret_fault) {
	*query = (struct event_query){ .db = db };
	int r = 0;
	for (int i = 0; i < QUERY_PATHS && r == 0; i++) {
		r = prepare_path(query, (enum query_path) i, ret_fault);
	}
	if (r == 0) {
		r = db_prepare(db, EDGE_SQL("max(seq)"), &query->edge[0], ret_fault);
	}
	if (r == 0) {
		r = db_prepare(db, EDGE_SQL("min(seq)"), &query->edge[1], ret_fault);
	}
	if (r < 0) {
		event_query_close(query);
	}
	return r;
}

void event_query_close(struct event_query *query) {
	for (int i = 0; i < QUERY_PATHS; i++) {
		query->select[i][0] = db_finalize(query->select[i][0]);
		query->select[i][1] = db_finalize(query->select[i][1]);
		query->probe[i] = db_finalize(query->probe[i]);
	}
	query->edge[0] = db_finalize(query->edge[0]);
	query->edge[1] = db_finalize(query->edge[1]);
}

static int64_t or_else(int64_t value, int64_t open) {
	return value != 0 ? value : open;
}

static int bind_query(sqlite3_stmt *stmt, const struct log_query *asked, int64_t limit) {
	const struct {
		int number;
		int64_t value;
	} numbers[] = {
		{ P_SINCE, or_else(asked->since.s, INT64_MIN) },
		{ P_UNTIL, or_else(asked->until.s, INT64_MAX) },
		{ P_AFTER, or_else(asked->after_seq, INT64_MIN) },
		{ P_BEFORE, or_else(asked->before_seq, INT64_MAX) },
		{ P_LIMIT, limit },
	};
	const struct {
		int number;
		const char *value;
	} texts[] = {
		{ P_LOCK, asked->lock_id },
		{ P_WORD, asked->word },
		{ P_USER, asked->user },
		{ P_USER_ID, asked->user_id },
	};
	int rc = SQLITE_OK;

	int n_parameters = sqlite3_bind_parameter_count(stmt);

	for (size_t i = 0; i < ARRAY_SIZE(numbers) && rc == SQLITE_OK; i++) {
		if (numbers[i].number > n_parameters) {
			continue;
		}
		rc = sqlite3_bind_int64(stmt, numbers[i].number, numbers[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts) && rc == SQLITE_OK; i++) {
		rc = sqlite3_bind_text(stmt, texts[i].number, texts[i].value, -1, SQLITE_STATIC);
	}
	return rc;
}

/* One number; of a probe at most QUERY_PROBE_MAX. */
static int ask_number(struct event_query *query, sqlite3_stmt *stmt, const struct log_query *asked,
	int64_t *ret, struct fault *ret_fault) {
	int r = 0;

	int rc = bind_query(stmt, asked, QUERY_PROBE_MAX);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
	}
	if (rc == SQLITE_ROW) {
		*ret = sqlite3_column_int64(stmt, 0);
	} else {
		r = db_fault(query->db, rc, "looking into the log", ret_fault);
	}
	(void) sqlite3_reset(stmt);
	(void) sqlite3_clear_bindings(stmt);
	return r;
}

static bool is_filtered(enum query_path path, const struct log_query *asked) {
	switch (path) {
	case QUERY_BY_SEQ:
		return false;
	case QUERY_BY_USER:
		return asked->user[0] != '\0' && asked->user_id[0] == '\0';
	case QUERY_BY_USER_ID:
		return asked->user[0] == '\0' && asked->user_id[0] != '\0';
	case QUERY_BY_PERSON:
		return asked->user[0] != '\0' && asked->user_id[0] != '\0';
	case QUERY_BY_LOCK:
		return asked->lock_id[0] != '\0';
	case QUERY_BY_WORD:
		return asked->word[0] != '\0';
	case QUERY_BY_TIME:
		return asked->since.s != 0 || asked->until.s != 0;
	}
	return false;
}

/*
 * A long stretch of time is walked by number, since a clock that is right gives both the same order
 * and the wanted ones are then at its edge. The way to the edge is cut short: a walk through the
 * index alone, ten times as fast as one through the rows.
 */
static int start_at_edge(
	struct event_query *query, struct log_query *asked, struct fault *ret_fault) {
	bool is_ascending = asked->after_seq != 0;
	int64_t seq = 0;

	if (!is_ascending && asked->until.s == 0) {
		return 0; /* the edge is the end */
	}
	int r = ask_number(query, query->edge[is_ascending], asked, &seq, ret_fault);
	if (r == 0 && is_ascending) {
		asked->after_seq = seq - 1;
	} else if (r == 0) {
		asked->before_seq = seq + 1;
	}
	return r;
}

/*
 * The rarest filter leads; of several that are frequent the first in the enum's order. May narrow
 * @asked without changing the answer.
 */
static int choose(struct event_query *query, struct log_query *asked, enum query_path *ret,
	struct fault *ret_fault) {
	enum query_path best = QUERY_BY_SEQ;
	int64_t best_n = INT64_MAX;

	for (int i = QUERY_BY_USER; i < QUERY_PATHS; i++) {
		enum query_path path = (enum query_path) i;
		int64_t n = 0;
		if (!is_filtered(path, asked)) {
			continue;
		}
		int r = ask_number(query, query->probe[path], asked, &n, ret_fault);
		if (r < 0) {
			return r;
		}
		if (n < best_n) {
			best = path;
			best_n = n;
		}
	}
	if (best == QUERY_BY_TIME && best_n >= QUERY_PROBE_MAX) {
		*ret = QUERY_BY_SEQ;
		return start_at_edge(query, asked, ret_fault);
	}
	*ret = best;
	return 0;
}

void event_answer_free(struct event_answer *answer) {
	if (answer->events != NULL) {
		(void) munmap(answer->events, answer->n_mapped);
	}
	*answer = (struct event_answer){ 0 };
}

/* Room for the longest answer; what is not written to costs nothing. */
static int event_answer_make(struct event_answer *ret, size_t limit, struct fault *ret_fault) {
	size_t n_mapped = limit * sizeof(struct event);

	void *room = mmap(NULL, n_mapped, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "%zu events", limit);
	}
	*ret = (struct event_answer){ .events = room, .n_mapped = n_mapped };
	return 0;
}

static void reverse(struct event *events, size_t n) {
	for (size_t i = 0; i < n / 2; i++) {
		struct event event = events[i];
		events[i] = events[n - 1 - i];
		events[n - 1 - i] = event;
	}
}

static int fetch(struct event_query *query, sqlite3_stmt *stmt, const struct log_query *asked,
	size_t limit, struct event_answer *answer, struct fault *ret_fault) {
	int r = 0;

	int rc = bind_query(stmt, asked, (int64_t) limit);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
	}
	while (rc == SQLITE_ROW && answer->n < limit) {
		event_row_read(stmt, &answer->events[answer->n++]);
		rc = sqlite3_step(stmt);
	}
	if (rc != SQLITE_DONE) {
		r = db_fault(query->db, rc, "reading the log", ret_fault);
	}
	(void) sqlite3_reset(stmt);
	(void) sqlite3_clear_bindings(stmt);
	return r;
}

int event_query_run(struct event_query *query, const struct log_query *asked,
	struct event_answer *ret, struct fault *ret_fault) {
	struct event_answer answer = { 0 };
	struct log_query narrowed = *asked;
	/* What follows a known row is taken from there on; else the newest are wanted. */
	bool is_ascending = asked->after_seq != 0;
	size_t limit =
		asked->limit == 0 || asked->limit > LOG_QUERY_MAX ? LOG_QUERY_MAX : asked->limit;

	int r = choose(query, &narrowed, &query->last_path, ret_fault);
	if (r == 0) {
		r = event_answer_make(&answer, limit, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	sqlite3_stmt *stmt = query->select[query->last_path][is_ascending];
	r = fetch(query, stmt, &narrowed, limit, &answer, ret_fault);
	if (r < 0) {
		event_answer_free(&answer);
		return r;
	}
	if (is_ascending != asked->is_oldest_first) {
		reverse(answer.events, answer.n);
	}
	*ret = answer;
	return 0;
}

int event_query_last(struct event_query *query, const char *lock_id, struct event *ret,
	struct fault *ret_fault) {
	struct log_query asked = { .limit = 1 };
	sqlite3_stmt *stmt = query->select[QUERY_BY_LOCK][0];
	int r = 0;

	(void) text_copy(asked.lock_id, sizeof(asked.lock_id), lock_id);
	int rc = bind_query(stmt, &asked, 1);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
	}
	if (rc == SQLITE_ROW) {
		event_row_read(stmt, ret);
	} else if (rc == SQLITE_DONE) {
		*ret = (struct event){ 0 };
	} else {
		r = db_fault(query->db, rc, "reading a lock's last event", ret_fault);
	}
	(void) sqlite3_reset(stmt);
	(void) sqlite3_clear_bindings(stmt);
	return r;
}
