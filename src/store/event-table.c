/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event-table.h"

#include <inttypes.h>
#include <string.h>

#include "crypto/crypto.h"

static const struct db_text texts[] = {
	{ offsetof(struct event_table, insert),
		/*
		 * Each entry of a lock's log once: by the row that is there, and by the lock's
		 * cursor when retention has taken the row away. ?4 and ?10 are lock_id and
		 * lock_seq.
		 */
		"INSERT INTO event (" EVENT_ROW_SQL ", hash)"
		" SELECT ?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,"
		" ?21,?22,?23,?24,?25,?26,?27,?28,?29"
		" WHERE ?10 <= 0"
		" OR NOT EXISTS (SELECT 1 FROM lock WHERE id = ?4 AND log_cursor >= ?10)"
		" ON CONFLICT (lock_id, lock_seq) WHERE lock_seq > 0 DO NOTHING" },
	{ offsetof(struct event_table, put_end), CHAIN_PUT_SQL },
	{ offsetof(struct event_table, cut), "DELETE FROM event WHERE seq <= ?" },
};

struct last_row {
	int64_t seq;
	bool is_head; /* number and hash are those of the sealed head */
};

static int read_last(struct event_table *table, struct last_row *ret, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	size_t n_hash;

	int r = db_prepare(table->db, "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1",
		&stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		return db_fault(table->db, rc, "reading the last event", ret_fault);
	}
	ret->seq = 0;
	if (rc == SQLITE_ROW) {
		struct column column = column_on(stmt);
		ret->seq = column_number(&column);
		const void *hash = column_borrow_blob(&column, &n_hash);
		ret->is_head = ret->seq == table->head.seq && n_hash == sizeof(table->head.hash) &&
			       memcmp(hash, table->head.hash, n_hash) == 0;
	}
	return 0;
}

/*
 * The end of the log is not what we sealed. If rows are only missing, the sealed head stays the row
 * before the next one: the hole shows, and only the true rows would fill it. Otherwise a number is
 * left out and the next row is chained to something that no row can hash to. Either way verify()
 * finds the place for ever after.
 */
static void go_on_behind_gap(
	struct event_table *table, const struct last_row *last, struct fault *ret_log_fault) {
	if (!table->head.is_sealed) {
		fault_set(ret_log_fault, FAULT_LOG_BROKEN,
			"the seal of the log's end is not ours (last row %" PRId64 ")", last->seq);
	} else if (last->seq < table->head.seq) {
		fault_set(ret_log_fault, FAULT_LOG_BROKEN,
			"it ends with row %" PRId64 " and not with %" PRId64, last->seq,
			table->head.seq);
		return;
	} else if (last->seq == table->head.seq) {
		fault_set(ret_log_fault, FAULT_LOG_BROKEN, "row %" PRId64 ", the last, was changed",
			last->seq);
	} else {
		fault_set(ret_log_fault, FAULT_LOG_BROKEN,
			"there are rows behind %" PRId64 ", the last that was sealed",
			table->head.seq);
	}
	table->head.seq = (last->seq > table->head.seq ? last->seq : table->head.seq) + 1;
	crypto_random(table->head.hash, sizeof(table->head.hash));
}

int event_table_open(struct event_table *table, sqlite3 *db, const struct store_keys *keys,
	int64_t life, struct fault *ret_log_fault, struct fault *ret_fault) {
	struct last_row last = { 0 };

	*table = (struct event_table){ .db = db, .keys = keys, .life = life };
	*ret_log_fault = (struct fault){ 0 };
	int r = chain_read(db, keys, CHAIN_HEAD, &table->head, ret_fault);
	if (r == 0) {
		r = read_last(table, &last, ret_fault);
	}
	if (r == 0) {
		r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	}
	if (r < 0) {
		event_table_close(table);
		return r;
	}
	/* An empty log is sealed as row 0 with the anchor's hash: there is no row to compare. */
	bool is_empty = last.seq == 0 && table->head.seq == 0;
	if (!table->head.is_sealed || !(is_empty || last.is_head)) {
		struct chain_end anchor;
		r = chain_read(db, keys, CHAIN_ANCHOR, &anchor, ret_fault);
		if (r < 0) {
			event_table_close(table);
			return r;
		}
		/* All rows may have been taken away by retention. */
		if (!(table->head.is_sealed && anchor.is_sealed && last.seq == 0 &&
			    anchor.seq == table->head.seq)) {
			go_on_behind_gap(table, &last, ret_log_fault);
		}
	}
	return 0;
}

void event_table_close(struct event_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
	table->db = NULL;
}

int event_table_append(struct event_table *table, struct event *event, struct fault *ret_fault) {
	struct value values[EVENT_ROW_COLUMNS];
	uint8_t hash[32];
	int n_changes;

	event->seq = table->head.seq + 1;
	event_row_values(event, table->life, values);
	chain_hash(values, EVENT_ROW_COLUMNS, table->head.hash, hash);

	struct bind bind = bind_on(table->insert);
	for (size_t i = 0; i < EVENT_ROW_COLUMNS; i++) {
		if (values[i].is_text) {
			bind_text(&bind, values[i].text);
		} else {
			bind_number(&bind, values[i].number);
		}
	}
	bind_blob(&bind, hash, sizeof(hash));
	int r = bind_run(&bind, &n_changes, "recording an event", ret_fault);
	if (r < 0 || n_changes == 0) {
		event->seq = 0;
		return r;
	}
	table->head.seq = event->seq;
	memcpy(table->head.hash, hash, sizeof(hash));
	table->is_head_moved = true;
	return 0;
}

int event_table_seal(struct event_table *table, struct fault *ret_fault) {
	if (!table->is_head_moved) {
		return 0;
	}
	int r = chain_put(table->put_end, table->keys, CHAIN_HEAD, &table->head, ret_fault);
	if (r == 0) {
		table->is_head_moved = false;
	}
	return r;
}

int event_table_cut(
	struct event_table *table, const struct chain_end *anchor, struct fault *ret_fault) {
	if (anchor->seq > table->head.seq) {
		return fault_set(ret_fault, FAULT_LOG_BROKEN,
			"there are rows behind %" PRId64 ", the last that was written",
			table->head.seq);
	}
	int r = chain_put(table->put_end, table->keys, CHAIN_ANCHOR, anchor, ret_fault);
	if (r < 0) {
		return r;
	}
	struct bind bind = bind_on(table->cut);
	bind_number(&bind, anchor->seq);
	return bind_run(&bind, NULL, "taking old events away", ret_fault);
}
