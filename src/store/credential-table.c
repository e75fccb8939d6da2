/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credential-table.h"

#include <stdio.h>

#include "lock-table.h"
#include "sealed.h"

#define COLUMNS_SQL                                                                                \
	"id, user_id, lock_id, type, state, pin, label, is_once, valid_until, is_expired,"         \
	" created_at, created_by, pin_set_at"

static const struct db_text texts[] = {
	{ offsetof(struct credential_table, put),
		"INSERT INTO credential (" COLUMNS_SQL
		") VALUES (?,?,nullif(?, ''),?,?,?,?,?,?,?,?,?,?)"
		" ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id,"
		" lock_id = excluded.lock_id, type = excluded.type, state = excluded.state,"
		" pin = excluded.pin, label = excluded.label, is_once = excluded.is_once,"
		" valid_until = excluded.valid_until, is_expired = excluded.is_expired,"
		" created_at = excluded.created_at, created_by = excluded.created_by,"
		" pin_set_at = excluded.pin_set_at" },
	{ offsetof(struct credential_table, remove), "DELETE FROM credential WHERE id = ?" },
};

static const char *place_of(const char *id, char out[static SEALED_PLACE_MAX]) {
	snprintf(out, SEALED_PLACE_MAX, "credential:%s:pin", id);
	return out;
}

int credential_table_open(struct credential_table *table, sqlite3 *db,
	const struct store_keys *keys, struct fault *ret_fault) {
	*table = (struct credential_table){ .keys = keys };
	int r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	if (r < 0) {
		credential_table_close(table);
	}
	return r;
}

void credential_table_close(struct credential_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int credential_table_put(struct credential_table *table, const struct credential *credential,
	struct fault *ret_fault) {
	struct sealed pin;
	char place[SEALED_PLACE_MAX];
	struct bind bind = bind_on(table->put);

	bind_text(&bind, credential->id);
	bind_text(&bind, credential->user_id);
	bind_text(&bind, credential->lock_id);
	bind_number(&bind, credential->type);
	bind_number(&bind, credential->state);
	sealed_bind(&bind, table->keys, place_of(credential->id, place), &credential->pin, &pin);
	bind_text(&bind, credential->label);
	bind_number(&bind, credential->is_once);
	bind_number(&bind, credential->valid_until.s);
	bind_number(&bind, credential->is_expired);
	bind_number(&bind, credential->created_at.s);
	bind_text(&bind, credential->created_by);
	bind_number(&bind, credential->pin_set_at.s);
	int r = bind_run(&bind, NULL, "recording a credential", ret_fault);
	return r < 0 ? lock_table_blame(&bind, credential->lock_id, FAULT_NONE, NULL, r, ret_fault)
		     : 0;
}

int credential_table_remove(
	struct credential_table *table, const char *id, struct fault *ret_fault) {
	struct bind bind = bind_on(table->remove);

	bind_text(&bind, id);
	return bind_run(&bind, NULL, "removing a credential", ret_fault);
}

static int read_row(sqlite3_stmt *stmt, const struct store_keys *keys, struct credential *row,
	struct fault *ret_fault) {
	struct column column = column_on(stmt);
	char place[SEALED_PLACE_MAX];

	column_text(&column, row->id, sizeof(row->id));
	column_text(&column, row->user_id, sizeof(row->user_id));
	column_text(&column, row->lock_id, sizeof(row->lock_id));
	row->type = (enum credential_type) column_number(&column);
	row->state = (enum credential_state) column_number(&column);
	int r = sealed_read(&column, keys, place_of(row->id, place), &row->pin, ret_fault);
	column_text(&column, row->label, sizeof(row->label));
	row->is_once = column_number(&column) != 0;
	row->valid_until.s = column_number(&column);
	row->is_expired = column_number(&column) != 0;
	row->created_at.s = column_number(&column);
	column_text(&column, row->created_by, sizeof(row->created_by));
	row->pin_set_at.s = column_number(&column);
	return r;
}

int credential_table_load(sqlite3 *db, const struct store_keys *keys,
	void (*fn)(void *user, const struct credential *row, const struct fault *fault), void *user,
	struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	int r = db_prepare(
		db, "SELECT " COLUMNS_SQL " FROM credential ORDER BY rowid", &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct credential row = { 0 };
		struct fault fault = { 0 };
		int bad = read_row(stmt, keys, &row, &fault);
		fn(user, &row, bad < 0 ? &fault : NULL);
		wipe(&row, sizeof(row));
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "loading the credentials", ret_fault);
}
