/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "schedule-table.h"

#include "lock-table.h"

#define COLUMNS_SQL                                                                                \
	"id, user_id, lock_id, kind, days, start_minute, end_minute, local_from, local_until"

static const struct db_text texts[] = {
	{ offsetof(struct schedule_table, put),
		"INSERT INTO schedule (" COLUMNS_SQL ") VALUES (?,?,nullif(?, ''),?,?,?,?,?,?)"
		" ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id,"
		" lock_id = excluded.lock_id, kind = excluded.kind, days = excluded.days,"
		" start_minute = excluded.start_minute, end_minute = excluded.end_minute,"
		" local_from = excluded.local_from, local_until = excluded.local_until" },
	{ offsetof(struct schedule_table, remove), "DELETE FROM schedule WHERE id = ?" },
};

int schedule_table_open(struct schedule_table *table, sqlite3 *db, struct fault *ret_fault) {
	*table = (struct schedule_table){ 0 };
	int r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	if (r < 0) {
		schedule_table_close(table);
	}
	return r;
}

void schedule_table_close(struct schedule_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int schedule_table_put(
	struct schedule_table *table, const struct schedule *schedule, struct fault *ret_fault) {
	struct bind bind = bind_on(table->put);

	bind_text(&bind, schedule->id);
	bind_text(&bind, schedule->user_id);
	bind_text(&bind, schedule->lock_id);
	bind_number(&bind, schedule->kind);
	bind_number(&bind, schedule->days);
	bind_number(&bind, schedule->start_minute);
	bind_number(&bind, schedule->end_minute);
	bind_number(&bind, schedule->from);
	bind_number(&bind, schedule->until);
	int r = bind_run(&bind, NULL, "recording a schedule", ret_fault);
	return r < 0 ? lock_table_blame(&bind, schedule->lock_id, FAULT_NO_SUCH_USER,
			       schedule->user_id, r, ret_fault)
		     : 0;
}

int schedule_table_remove(struct schedule_table *table, const char *id, struct fault *ret_fault) {
	struct bind bind = bind_on(table->remove);

	bind_text(&bind, id);
	return bind_run(&bind, NULL, "removing a schedule", ret_fault);
}

int schedule_table_load(sqlite3 *db, void (*fn)(void *user, const struct schedule *row), void *user,
	struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	int r = db_prepare(
		db, "SELECT " COLUMNS_SQL " FROM schedule ORDER BY rowid", &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct column column = column_on(stmt);
		struct schedule row = { 0 };
		column_text(&column, row.id, sizeof(row.id));
		column_text(&column, row.user_id, sizeof(row.user_id));
		column_text(&column, row.lock_id, sizeof(row.lock_id));
		row.kind = (enum schedule_kind) column_number(&column);
		row.days = (uint8_t) column_number(&column);
		row.start_minute = (int16_t) column_number(&column);
		row.end_minute = (int16_t) column_number(&column);
		row.from = column_number(&column);
		row.until = column_number(&column);
		fn(user, &row);
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "loading the schedules", ret_fault);
}
