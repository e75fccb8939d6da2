/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "holiday-table.h"

#include "lock-table.h"

#define COLUMNS_SQL "id, lock_id, position, local_from, local_until, mode"

static const struct db_text texts[] = {
	{ offsetof(struct holiday_table, put),
		"INSERT INTO holiday (" COLUMNS_SQL ") VALUES (?,?,?,?,?,?)"
		" ON CONFLICT (id) DO UPDATE SET lock_id = excluded.lock_id,"
		" position = excluded.position, local_from = excluded.local_from,"
		" local_until = excluded.local_until, mode = excluded.mode" },
	{ offsetof(struct holiday_table, remove), "DELETE FROM holiday WHERE id = ?" },
};

int holiday_table_open(struct holiday_table *table, sqlite3 *db, struct fault *ret_fault) {
	*table = (struct holiday_table){ 0 };
	int r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	if (r < 0) {
		holiday_table_close(table);
	}
	return r;
}

void holiday_table_close(struct holiday_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int holiday_table_put(
	struct holiday_table *table, const struct holiday *holiday, struct fault *ret_fault) {
	struct bind bind = bind_on(table->put);

	bind_text(&bind, holiday->id);
	bind_text(&bind, holiday->lock_id);
	bind_number(&bind, holiday->index);
	bind_number(&bind, holiday->from);
	bind_number(&bind, holiday->until);
	bind_number(&bind, holiday->mode);
	int r = bind_run(&bind, NULL, "recording a holiday", ret_fault);
	return r < 0 ? lock_table_blame(&bind, holiday->lock_id, FAULT_NONE, NULL, r, ret_fault)
		     : 0;
}

int holiday_table_remove(struct holiday_table *table, const char *id, struct fault *ret_fault) {
	struct bind bind = bind_on(table->remove);

	bind_text(&bind, id);
	return bind_run(&bind, NULL, "removing a holiday", ret_fault);
}

int holiday_table_load(sqlite3 *db, void (*fn)(void *user, const struct holiday *row), void *user,
	struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	int r = db_prepare(
		db, "SELECT " COLUMNS_SQL " FROM holiday ORDER BY rowid", &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct column column = column_on(stmt);
		struct holiday row = { 0 };
		column_text(&column, row.id, sizeof(row.id));
		column_text(&column, row.lock_id, sizeof(row.lock_id));
		row.index = (unsigned) column_number(&column);
		row.from = column_number(&column);
		row.until = column_number(&column);
		row.mode = (enum operating_mode) column_number(&column);
		fn(user, &row);
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "loading the holidays", ret_fault);
}
