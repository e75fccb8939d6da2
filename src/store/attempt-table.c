/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attempt-table.h"

#include "lock-table.h"

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)

static const struct db_text texts[] = {
	{ offsetof(struct attempt_table, put),
		"INSERT INTO attempt (id, lock_id, fault, remedy, by, begun_at, ended_at, outcome,"
		" before, after) VALUES (?1, nullif(?2, ''), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
		" ON CONFLICT (id) DO UPDATE SET fault = ?3, remedy = ?4, by = ?5, begun_at = ?6,"
		" ended_at = ?7, outcome = ?8, before = ?9, after = ?10" },
	{ offsetof(struct attempt_table, cut),
		"DELETE FROM attempt WHERE lock_id IS nullif(?1, '') AND number <="
		" (SELECT number FROM attempt WHERE lock_id IS nullif(?1, '')"
		" ORDER BY number DESC LIMIT 1 OFFSET " TEXT_OF(HISTORY_ATTEMPTS_MAX) ")" },
};

int attempt_table_open(struct attempt_table *table, sqlite3 *db, struct fault *ret_fault) {
	*table = (struct attempt_table){ 0 };
	int r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	if (r < 0) {
		attempt_table_close(table);
	}
	return r;
}

void attempt_table_close(struct attempt_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int attempt_table_put(
	struct attempt_table *table, const struct attempt *attempt, struct fault *ret_fault) {
	struct bind bind = bind_on(table->put);

	bind_text(&bind, attempt->id);
	bind_text(&bind, attempt->lock_id);
	bind_text(&bind, attempt->fault);
	bind_text(&bind, attempt->remedy);
	bind_text(&bind, attempt->by);
	bind_number(&bind, attempt->begun_at.s);
	bind_number(&bind, attempt->ended_at.s);
	bind_number(&bind, attempt->outcome);
	bind_text(&bind, attempt->before);
	bind_text(&bind, attempt->after);
	int r = bind_run(&bind, NULL, "recording what was tried", ret_fault);
	if (r < 0) {
		return lock_table_blame(&bind, attempt->lock_id, FAULT_NO_SUCH_LOCK,
			attempt->lock_id, r, ret_fault);
	}
	bind = bind_on(table->cut);
	bind_text(&bind, attempt->lock_id);
	return bind_run(&bind, NULL, "forgetting what was tried long ago", ret_fault);
}
