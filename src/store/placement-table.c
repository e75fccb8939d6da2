/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "placement-table.h"

#include "lock-table.h"

#define COLUMNS_SQL "lock_id, credential_id, ref, state, fault, n_tries, since, confirmed_at"

static const struct db_text texts[] = {
	{ offsetof(struct placement_table, put),
		"INSERT INTO placement (" COLUMNS_SQL ") VALUES (?,?,?,?,?,?,?,?)"
		" ON CONFLICT (lock_id, credential_id) DO UPDATE SET ref = excluded.ref,"
		" state = excluded.state, fault = excluded.fault, n_tries = excluded.n_tries,"
		" since = excluded.since, confirmed_at = excluded.confirmed_at" },
	{ offsetof(struct placement_table, remove),
		"DELETE FROM placement WHERE lock_id = ? AND credential_id = ?" },
};

int placement_table_open(struct placement_table *table, sqlite3 *db, struct fault *ret_fault) {
	*table = (struct placement_table){ 0 };
	int r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	if (r < 0) {
		placement_table_close(table);
	}
	return r;
}

void placement_table_close(struct placement_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int placement_table_put(
	struct placement_table *table, const struct placement *placement, struct fault *ret_fault) {
	struct bind bind = bind_on(table->put);

	bind_text(&bind, placement->lock_id);
	bind_text(&bind, placement->credential_id);
	bind_number(&bind, placement->ref);
	bind_number(&bind, placement->state);
	bind_text(&bind, fault_name(placement->fault));
	bind_number(&bind, placement->n_tries);
	bind_number(&bind, placement->since.s);
	bind_number(&bind, placement->confirmed_at.s);
	int r = bind_run(&bind, NULL, "recording where a credential is", ret_fault);
	return r < 0 ? lock_table_blame(&bind, placement->lock_id, FAULT_NO_SUCH_CODE,
			       placement->credential_id, r, ret_fault)
		     : 0;
}

int placement_table_remove(
	struct placement_table *table, const struct placement *placement, struct fault *ret_fault) {
	struct bind bind = bind_on(table->remove);

	bind_text(&bind, placement->lock_id);
	bind_text(&bind, placement->credential_id);
	return bind_run(&bind, NULL, "forgetting where a credential was", ret_fault);
}

int placement_table_load(sqlite3 *db, void (*fn)(void *user, const struct placement *row),
	void *user, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	int r = db_prepare(db,
		"SELECT " COLUMNS_SQL " FROM placement ORDER BY lock_id, credential_id", &stmt,
		ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct column column = column_on(stmt);
		struct placement row = { 0 };
		enum fault_code fault = FAULT_INTERNAL; /* a name this version does not know */
		column_text(&column, row.lock_id, sizeof(row.lock_id));
		column_text(&column, row.credential_id, sizeof(row.credential_id));
		row.ref = column_number(&column);
		row.state = (enum placement_state) column_number(&column);
		(void) fault_from_name(column_borrow_text(&column), &fault);
		row.fault = fault;
		row.n_tries = (unsigned) column_number(&column);
		row.since.s = column_number(&column);
		row.confirmed_at.s = column_number(&column);
		fn(user, &row);
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "loading the placements", ret_fault);
}
