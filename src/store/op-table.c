/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "op-table.h"

#define COLUMNS_SQL                                                                                \
	"id, lock_id, act, actor, requested_at, is_finished, is_unknown, fault, finished_at"

static const struct db_text texts[] = {
	{ offsetof(struct op_table, intent),
		"INSERT INTO op (" COLUMNS_SQL ") VALUES (?,?,?,?,?,?,?,?,?)" },
	{ offsetof(struct op_table, outcome),
		"INSERT INTO op (" COLUMNS_SQL ") VALUES (?,?,?,?,?,?,?,?,?)"
		" ON CONFLICT (id) DO UPDATE SET is_finished = 1, is_unknown = excluded.is_unknown,"
		" fault = excluded.fault, finished_at = excluded.finished_at"
		" WHERE is_finished = 0" },
	{ offsetof(struct op_table, trim),
		/* Many at once and seldom, for the card's sake. */
		"DELETE FROM op WHERE number <= (SELECT max(number) FROM op) - ?1"
		" AND (SELECT min(number) FROM op) <= (SELECT max(number) FROM op) - ?1 - 100"
		" AND is_finished = 1" },
};

int op_table_open(struct op_table *table, sqlite3 *db, struct fault *ret_fault) {
	*table = (struct op_table){ 0 };
	int r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	if (r < 0) {
		op_table_close(table);
	}
	return r;
}

void op_table_close(struct op_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

static void bind_op(struct bind *bind, const struct op_record *op, bool is_finished) {
	bind_text(bind, op->id);
	bind_text(bind, op->lock_id);
	bind_text(bind, act_name(op->act));
	bind_text(bind, op->actor);
	bind_number(bind, op->requested_at.s);
	bind_number(bind, is_finished);
	bind_number(bind, is_finished && op->is_unknown);
	bind_text(bind, fault_name(is_finished ? op->fault : FAULT_NONE));
	bind_number(bind, is_finished ? op->finished_at.s : 0);
}

int op_table_intent(struct op_table *table, const struct op_record *op, struct fault *ret_fault) {
	struct bind bind = bind_on(table->intent);

	bind_op(&bind, op, false);
	int r = bind_run(&bind, NULL, "recording an intent", ret_fault);
	if (r < 0 && bind.rc == SQLITE_CONSTRAINT_UNIQUE) {
		return fault_set(ret_fault, FAULT_DUPLICATE, "operation %s exists", op->id);
	}
	return r;
}

int op_table_outcome(struct op_table *table, const struct op_record *op, struct fault *ret_fault) {
	struct bind bind = bind_on(table->outcome);
	int n_changes;

	bind_op(&bind, op, true);
	int r = bind_run(&bind, &n_changes, "recording an outcome", ret_fault);
	if (r < 0) {
		return r;
	}
	if (n_changes == 0) {
		return fault_set(
			ret_fault, FAULT_INTERNAL, "operation %s has an outcome already", op->id);
	}
	bind = bind_on(table->trim);
	bind_number(&bind, OPS_KEPT);
	return bind_run(&bind, NULL, "forgetting old operations", ret_fault);
}

int op_table_load(sqlite3 *db, void (*fn)(void *user, const struct op_record *op), void *user,
	struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	int r = db_prepare(db,
		"SELECT " COLUMNS_SQL " FROM op INDEXED BY op_unfinished WHERE is_finished = 0"
		" ORDER BY number",
		&stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct column column = column_on(stmt);
		struct op_record op = { .act = ACT_NONE };
		column_text(&column, op.id, sizeof(op.id));
		column_text(&column, op.lock_id, sizeof(op.lock_id));
		(void) act_from_name(column_borrow_text(&column), &op.act);
		column_text(&column, op.actor, sizeof(op.actor));
		op.requested_at.s = column_number(&column);
		fn(user, &op);
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "loading operations", ret_fault);
}
