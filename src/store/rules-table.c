/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rules-table.h"

#include "lock-table.h"

#define COLUMNS_SQL                                                                                \
	"lock_id, zone, factor, mode, wrong_code_limit, code_disable_s, open_period_minutes"

static const struct db_text texts[] = {
	{ offsetof(struct rules_table, put),
		"INSERT INTO lock_rules (" COLUMNS_SQL ") VALUES (?,?,?,?,?,?,?)"
		" ON CONFLICT (lock_id) DO UPDATE SET zone = excluded.zone,"
		" factor = excluded.factor, mode = excluded.mode,"
		" wrong_code_limit = excluded.wrong_code_limit,"
		" code_disable_s = excluded.code_disable_s,"
		" open_period_minutes = excluded.open_period_minutes" },
};

int rules_table_open(struct rules_table *table, sqlite3 *db, struct fault *ret_fault) {
	*table = (struct rules_table){ 0 };
	return db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
}

void rules_table_close(struct rules_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int rules_table_put(struct rules_table *table, const char *lock_id, const struct lock_rules *rules,
	struct fault *ret_fault) {
	struct bind bind = bind_on(table->put);

	bind_text(&bind, lock_id);
	bind_text(&bind, rules->zone);
	bind_number(&bind, rules->factor);
	bind_number(&bind, rules->mode);
	bind_number(&bind, rules->wrong_code_limit);
	bind_number(&bind, rules->code_disable_s);
	bind_number(&bind, rules->open_period_minutes);
	int r = bind_run(&bind, NULL, "recording a lock's rules", ret_fault);
	return r < 0 ? lock_table_blame(&bind, lock_id, FAULT_NONE, NULL, r, ret_fault) : 0;
}

int rules_table_load(sqlite3 *db,
	void (*fn)(void *user, const char *lock_id, const struct lock_rules *rules), void *user,
	struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	int r = db_prepare(
		db, "SELECT " COLUMNS_SQL " FROM lock_rules ORDER BY lock_id", &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct column column = column_on(stmt);
		struct lock_rules rules = { 0 };
		char lock_id[LOCK_ID_MAX];
		column_text(&column, lock_id, sizeof(lock_id));
		column_text(&column, rules.zone, sizeof(rules.zone));
		rules.factor = (enum factor_rule) column_number(&column);
		rules.mode = (enum operating_mode) column_number(&column);
		rules.wrong_code_limit = (unsigned) column_number(&column);
		rules.code_disable_s = (unsigned) column_number(&column);
		rules.open_period_minutes = (unsigned) column_number(&column);
		fn(user, lock_id, &rules);
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "loading the rules of locks", ret_fault);
}
