/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot-table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lock-table.h"
#include "sealed.h"

#define COLUMNS_SQL                                                                                \
	"type, ref, name, is_enabled, is_own, is_remote_allowed, pin, is_limited, window_from,"    \
	" window_until, window_days, window_start_minute, window_end_minute, created_at,"          \
	" last_used_at, n_uses"

static const struct db_text texts[] = {
	{ offsetof(struct slot_table, put_list), "INSERT INTO slot_list (lock_id, read_at)"
						 " VALUES (?1, ?2) ON CONFLICT (lock_id)"
						 " DO UPDATE SET read_at = ?2" },
	{ offsetof(struct slot_table, clear), "DELETE FROM slot WHERE lock_id = ?" },
	{ offsetof(struct slot_table, put), "INSERT INTO slot (lock_id, " COLUMNS_SQL ")"
					    " VALUES (?, ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)" },
};

static const char *place_of(
	const char *lock_id, const struct slot *slot, char out[static SEALED_PLACE_MAX]) {
	snprintf(out, SEALED_PLACE_MAX, "slot:%s:%d:%" PRId64 ":pin", lock_id, (int) slot->type,
		slot->ref);
	return out;
}

int slot_table_open(struct slot_table *table, sqlite3 *db, const struct store_keys *keys,
	struct fault *ret_fault) {
	*table = (struct slot_table){ .keys = keys };
	int r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	if (r < 0) {
		slot_table_close(table);
	}
	return r;
}

void slot_table_close(struct slot_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int slot_table_clear(
	struct slot_table *table, const char *lock_id, wall_t at, struct fault *ret_fault) {
	struct bind bind = bind_on(table->put_list);

	bind_text(&bind, lock_id);
	bind_number(&bind, at.s);
	int r = bind_run(&bind, NULL, "recording when a lock told its credentials", ret_fault);
	if (r < 0) {
		return lock_table_blame(&bind, lock_id, FAULT_NONE, NULL, r, ret_fault);
	}
	bind = bind_on(table->clear);
	bind_text(&bind, lock_id);
	return bind_run(&bind, NULL, "forgetting what a lock held", ret_fault);
}

int slot_table_put(struct slot_table *table, const char *lock_id, const struct slot *slot,
	struct fault *ret_fault) {
	struct sealed pin;
	char place[SEALED_PLACE_MAX];
	struct bind bind = bind_on(table->put);

	bind_text(&bind, lock_id);
	bind_number(&bind, slot->type);
	bind_number(&bind, slot->ref);
	bind_text(&bind, slot->name);
	bind_number(&bind, slot->is_enabled);
	bind_number(&bind, slot->is_own);
	bind_number(&bind, slot->is_remote_allowed);
	sealed_bind(&bind, table->keys, place_of(lock_id, slot, place), &slot->pin, &pin);
	bind_number(&bind, slot->is_limited);
	bind_number(&bind, slot->window.from.s);
	bind_number(&bind, slot->window.until.s);
	bind_number(&bind, slot->window.days);
	bind_number(&bind, slot->window.start_minute);
	bind_number(&bind, slot->window.end_minute);
	bind_number(&bind, slot->created_at.s);
	bind_number(&bind, slot->last_used_at.s);
	bind_number(&bind, slot->n_uses);
	int r = bind_run(&bind, NULL, "recording what a lock holds", ret_fault);
	return r < 0 ? lock_table_blame(&bind, lock_id, FAULT_NO_SUCH_LOCK, lock_id, r, ret_fault)
		     : 0;
}

static int read_row(sqlite3_stmt *stmt, const struct store_keys *keys, const char *lock_id,
	struct slot *row, struct fault *ret_fault) {
	struct column column = column_on(stmt);
	char place[SEALED_PLACE_MAX];

	row->type = (enum credential_type) column_number(&column);
	row->ref = column_number(&column);
	column_text(&column, row->name, sizeof(row->name));
	row->is_enabled = column_number(&column) != 0;
	row->is_own = column_number(&column) != 0;
	row->is_remote_allowed = column_number(&column) != 0;
	int r = sealed_read(&column, keys, place_of(lock_id, row, place), &row->pin, ret_fault);
	row->is_limited = column_number(&column) != 0;
	row->window.from.s = column_number(&column);
	row->window.until.s = column_number(&column);
	row->window.days = (uint8_t) column_number(&column);
	row->window.start_minute = (int16_t) column_number(&column);
	row->window.end_minute = (int16_t) column_number(&column);
	row->created_at.s = column_number(&column);
	row->last_used_at.s = column_number(&column);
	row->n_uses = (unsigned) column_number(&column);
	return r;
}

/* Of one lock. *ret_bad: what is wrong with the rows; the return value is the disk's. */
static int read_rows(sqlite3_stmt *stmt, const struct store_keys *keys, const char *lock_id,
	struct slot *slots, size_t *ret_n, struct fault *ret_bad, struct fault *ret_fault) {
	size_t n = 0;

	int rc = sqlite3_bind_text(stmt, 1, lock_id, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
	}
	while (rc == SQLITE_ROW && n < SLOTS_PER_LOCK_MAX) {
		slots[n] = (struct slot){ 0 };
		(void) read_row(stmt, keys, lock_id, &slots[n++], ret_bad);
		rc = sqlite3_step(stmt);
	}
	int r = 0;
	if (rc == SQLITE_ROW) {
		fault_set(ret_bad, FAULT_DATABASE_CORRUPT, "more than %d credentials at lock %s",
			SLOTS_PER_LOCK_MAX, lock_id);
	} else if (rc != SQLITE_DONE) {
		r = db_fault(sqlite3_db_handle(stmt), rc, "loading what a lock holds", ret_fault);
	}
	(void) sqlite3_reset(stmt);
	*ret_n = n;
	return r;
}

#define SLOTS_SIZE (SLOTS_PER_LOCK_MAX * sizeof(struct slot))

int slot_table_load(sqlite3 *db, const struct store_keys *keys,
	void (*fn)(void *user, const char *lock_id, const struct slot *slots, size_t n, wall_t at,
		const struct fault *fault),
	void *user, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *lists = NULL;
	AUTO(db_finalize) sqlite3_stmt *rows = NULL;
	int rc = SQLITE_DONE;

	int r = db_prepare(
		db, "SELECT lock_id, read_at FROM slot_list ORDER BY lock_id", &lists, ret_fault);
	if (r == 0) {
		r = db_prepare(db,
			"SELECT " COLUMNS_SQL " FROM slot WHERE lock_id = ? ORDER BY number", &rows,
			ret_fault);
	}
	if (r < 0) {
		return r;
	}
	struct slot *slots = malloc(SLOTS_SIZE);
	if (slots == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "loading what the locks hold");
	}
	while (r == 0 && (rc = sqlite3_step(lists)) == SQLITE_ROW) {
		struct column column = column_on(lists);
		struct fault bad = { 0 };
		char lock_id[LOCK_ID_MAX];
		size_t n = 0;
		column_text(&column, lock_id, sizeof(lock_id));
		wall_t at = { column_number(&column) };
		r = read_rows(rows, keys, lock_id, slots, &n, &bad, ret_fault);
		if (r == 0) {
			fn(user, lock_id, slots, n, at, bad.code != FAULT_NONE ? &bad : NULL);
		}
		wipe(slots, n * sizeof(*slots));
	}
	free(slots);
	if (r == 0 && rc != SQLITE_DONE) {
		r = db_fault(db, rc, "loading what the locks hold", ret_fault);
	}
	return r;
}
