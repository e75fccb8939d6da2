/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "access-table.h"

#include "lock-table.h"

static const struct db_text texts[] = {
	{ offsetof(struct access_table, put),
		"INSERT INTO access (user_id, lock_id, granted_at, granted_by) VALUES (?,?,?,?)"
		" ON CONFLICT (user_id, lock_id) DO UPDATE SET granted_at = excluded.granted_at,"
		" granted_by = excluded.granted_by" },
	{ offsetof(struct access_table, remove),
		"DELETE FROM access WHERE user_id = ? AND lock_id = ?" },
};

int access_table_open(struct access_table *table, sqlite3 *db, struct fault *ret_fault) {
	*table = (struct access_table){ 0 };
	int r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	if (r < 0) {
		access_table_close(table);
	}
	return r;
}

void access_table_close(struct access_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int access_table_put(
	struct access_table *table, const struct access *access, struct fault *ret_fault) {
	struct bind bind = bind_on(table->put);

	bind_text(&bind, access->user_id);
	bind_text(&bind, access->lock_id);
	bind_number(&bind, access->granted_at.s);
	bind_text(&bind, access->granted_by);
	int r = bind_run(&bind, NULL, "recording an access", ret_fault);
	return r < 0 ? lock_table_blame(&bind, access->lock_id, FAULT_NO_SUCH_USER, access->user_id,
			       r, ret_fault)
		     : 0;
}

int access_table_remove(
	struct access_table *table, const struct access *access, struct fault *ret_fault) {
	struct bind bind = bind_on(table->remove);

	bind_text(&bind, access->user_id);
	bind_text(&bind, access->lock_id);
	return bind_run(&bind, NULL, "removing an access", ret_fault);
}

int access_table_load(sqlite3 *db, void (*fn)(void *user, const struct access *row), void *user,
	struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	int r = db_prepare(db,
		"SELECT user_id, lock_id, granted_at, granted_by FROM access"
		" ORDER BY user_id, lock_id",
		&stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct column column = column_on(stmt);
		struct access row = { 0 };
		column_text(&column, row.user_id, sizeof(row.user_id));
		column_text(&column, row.lock_id, sizeof(row.lock_id));
		row.granted_at.s = column_number(&column);
		column_text(&column, row.granted_by, sizeof(row.granted_by));
		fn(user, &row);
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "loading the accesses", ret_fault);
}
