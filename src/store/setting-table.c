/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setting-table.h"

static const struct db_text texts[] = {
	{ offsetof(struct setting_table, put), "INSERT INTO setting (key, value) VALUES (?1, ?2)"
					       " ON CONFLICT (key) DO UPDATE SET value = ?2" },
	{ offsetof(struct setting_table, remove), "DELETE FROM setting WHERE key = ?1" },
};

int setting_table_open(struct setting_table *table, sqlite3 *db, struct fault *ret_fault) {
	*table = (struct setting_table){ 0 };
	return db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
}

void setting_table_close(struct setting_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int setting_table_put(
	struct setting_table *table, const char *key, const char *value, struct fault *ret_fault) {
	struct bind bind = bind_on(value[0] != '\0' ? table->put : table->remove);

	bind_text(&bind, key);
	if (value[0] != '\0') {
		bind_text(&bind, value);
	}
	return bind_run(&bind, NULL, "recording a setting", ret_fault);
}

int setting_table_load(sqlite3 *db, void (*fn)(void *user, const char *key, const char *value),
	void *user, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	int r = db_prepare(db, "SELECT key, value FROM setting ORDER BY key", &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct column column = column_on(stmt);
		const char *key = column_borrow_text(&column);
		fn(user, key, column_borrow_text(&column));
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "loading settings", ret_fault);
}
