/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "user-table.h"

#include <stdio.h>

#include "sealed.h"

#define COLUMNS_SQL                                                                                \
	"id, number, name, slug, type, status, expiring_minutes, first_used_at, created_at,"       \
	" created_by, modified_by, code, totp, totp_step"

static const struct db_text texts[] = {
	{ offsetof(struct user_table, put),
		"INSERT INTO user (" COLUMNS_SQL ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
		" ON CONFLICT (id) DO UPDATE SET number = excluded.number, name = excluded.name,"
		" slug = excluded.slug, type = excluded.type, status = excluded.status,"
		" expiring_minutes = excluded.expiring_minutes,"
		" first_used_at = excluded.first_used_at, created_at = excluded.created_at,"
		" created_by = excluded.created_by, modified_by = excluded.modified_by,"
		" code = excluded.code, totp = excluded.totp, totp_step = excluded.totp_step" },
	{ offsetof(struct user_table, remove), "DELETE FROM user WHERE id = ?" },
};

static const char *place_of(const char *id, const char *column, char out[static SEALED_PLACE_MAX]) {
	snprintf(out, SEALED_PLACE_MAX, "user:%s:%s", id, column);
	return out;
}

int user_table_open(struct user_table *table, sqlite3 *db, const struct store_keys *keys,
	struct fault *ret_fault) {
	*table = (struct user_table){ .keys = keys };
	int r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	if (r < 0) {
		user_table_close(table);
	}
	return r;
}

void user_table_close(struct user_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int user_table_put(struct user_table *table, const struct user *user, struct fault *ret_fault) {
	struct sealed code;
	struct sealed totp;
	char place[SEALED_PLACE_MAX];
	struct bind bind = bind_on(table->put);

	bind_text(&bind, user->id);
	bind_number(&bind, user->number);
	bind_text(&bind, user->name);
	bind_text(&bind, user->slug);
	bind_number(&bind, user->type);
	bind_number(&bind, user->status);
	bind_number(&bind, user->expiring_minutes);
	bind_number(&bind, user->first_used_at.s);
	bind_number(&bind, user->created_at.s);
	bind_text(&bind, user->created_by);
	bind_text(&bind, user->modified_by);
	sealed_bind(&bind, table->keys, place_of(user->id, "code", place), &user->code, &code);
	sealed_bind(&bind, table->keys, place_of(user->id, "totp", place), &user->totp, &totp);
	bind_number(&bind, user->totp_step);
	int r = bind_run(&bind, NULL, "recording a user", ret_fault);
	if (r < 0 && bind.rc == SQLITE_CONSTRAINT_UNIQUE) {
		return fault_set(
			ret_fault, FAULT_NAME_TAKEN, "%s, or number %u", user->slug, user->number);
	}
	return r;
}

int user_table_remove(struct user_table *table, const char *id, struct fault *ret_fault) {
	struct bind bind = bind_on(table->remove);

	bind_text(&bind, id);
	return bind_run(&bind, NULL, "removing a user", ret_fault);
}

static int read_row(sqlite3_stmt *stmt, const struct store_keys *keys, struct user *row,
	struct fault *ret_fault) {
	struct column column = column_on(stmt);
	char place[SEALED_PLACE_MAX];

	column_text(&column, row->id, sizeof(row->id));
	row->number = (unsigned) column_number(&column);
	column_text(&column, row->name, sizeof(row->name));
	column_text(&column, row->slug, sizeof(row->slug));
	row->type = (enum user_type) column_number(&column);
	row->status = (enum user_status) column_number(&column);
	row->expiring_minutes = (unsigned) column_number(&column);
	row->first_used_at.s = column_number(&column);
	row->created_at.s = column_number(&column);
	column_text(&column, row->created_by, sizeof(row->created_by));
	column_text(&column, row->modified_by, sizeof(row->modified_by));
	int r = sealed_read(&column, keys, place_of(row->id, "code", place), &row->code, ret_fault);
	int r_totp =
		sealed_read(&column, keys, place_of(row->id, "totp", place), &row->totp, ret_fault);
	row->totp_step = column_number(&column);
	return r < 0 ? r : r_totp;
}

int user_table_load(sqlite3 *db, const struct store_keys *keys,
	void (*fn)(void *user, const struct user *row, const struct fault *fault), void *user,
	struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	int r = db_prepare(
		db, "SELECT " COLUMNS_SQL " FROM user ORDER BY number", &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct user row = { 0 };
		struct fault fault = { 0 };
		int bad = read_row(stmt, keys, &row, &fault);
		fn(user, &row, bad < 0 ? &fault : NULL);
		wipe(&row, sizeof(row));
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "loading the users", ret_fault);
}
