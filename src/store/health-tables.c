/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "health-tables.h"

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)
#define DAY_S 86400

int health_tables_open(struct health_tables *tables, sqlite3 *db, struct fault *ret_fault) {
	*tables = (struct health_tables){ 0 };
	int r = sample_table_open(&tables->samples, db, ret_fault);
	if (r == 0) {
		r = day_table_open(&tables->days, db, ret_fault);
	}
	if (r == 0) {
		r = attempt_table_open(&tables->attempts, db, ret_fault);
	}
	if (r == 0) {
		r = note_table_open(&tables->notes, db, ret_fault);
	}
	if (r < 0) {
		health_tables_close(tables);
	}
	return r;
}

void health_tables_close(struct health_tables *tables) {
	sample_table_close(&tables->samples);
	day_table_close(&tables->days);
	attempt_table_close(&tables->attempts);
	note_table_close(&tables->notes);
}

int health_tables_apply(
	struct health_tables *tables, const struct txn_item *item, struct fault *ret_fault) {
	switch (item->kind) {
	case TXN_SAMPLE:
		return sample_table_add(
			&tables->samples, item->sample.lock_id, &item->sample.sample, ret_fault);
	case TXN_DAY:
		return day_table_add(&tables->days, item->day.lock_id, &item->day.day, ret_fault);
	case TXN_ATTEMPT:
		return attempt_table_put(&tables->attempts, &item->attempt, ret_fault);
	case TXN_NOTE:
		return note_table_put(&tables->notes, item->note, ret_fault);
	default: /* RULE R3: the other rooms' kinds, told apart by the writer */
		return fault_set(
			ret_fault, FAULT_INTERNAL, "a transaction item of kind %d", item->kind);
	}
}

/* ?1: seconds, or days. Lock by lock: so each finds its way through an index. */
static const struct {
	const char *sql;
	int unit_s;
} cuts[] = {
	{ "DELETE FROM sample WHERE number IN (SELECT s.number FROM lock CROSS JOIN sample s"
	  " ON s.lock_id = lock.id AND s.at < ?1 AND s.is_time_trusted AND s.number <>"
	  " (SELECT max(number) FROM sample WHERE lock_id = s.lock_id AND kind = s.kind)"
	  " LIMIT " TEXT_OF(HEALTH_CUT_ROWS) ")",
		1 },
	{ "DELETE FROM sample WHERE ?1 AND number IN (SELECT s.number FROM lock CROSS JOIN sample s"
	  " ON s.lock_id = lock.id AND s.at < (SELECT at FROM sample WHERE lock_id = lock.id"
	  " ORDER BY at DESC LIMIT 1 OFFSET " TEXT_OF(
		  HISTORY_SAMPLES_MAX) " - 1) AND s.number <>"
				       " (SELECT max(number) FROM sample WHERE lock_id = s.lock_id "
				       "AND kind = s.kind)"
				       " LIMIT " TEXT_OF(HEALTH_CUT_ROWS) ")",
		1 },
	{ "DELETE FROM day_count WHERE (lock_id, day, key) IN (SELECT d.lock_id, d.day, d.key"
	  " FROM lock CROSS JOIN day_count d ON d.lock_id = lock.id AND d.day < ?1"
	  " LIMIT " TEXT_OF(HEALTH_CUT_ROWS) ")",
		DAY_S },
	{ "DELETE FROM attempt WHERE number IN (SELECT number FROM attempt WHERE begun_at < ?1"
	  " LIMIT " TEXT_OF(HEALTH_CUT_ROWS) ")",
		1 },
};

int health_tables_cut(sqlite3 *db, wall_t before, int64_t *ret_n, struct fault *ret_fault) {
	int64_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
		int n_changes = 0;

		int r = db_prepare(db, cuts[i].sql, &stmt, ret_fault);
		if (r < 0) {
			return r;
		}
		struct bind bind = bind_on(stmt);
		bind_number(&bind, before.s / cuts[i].unit_s);
		r = bind_run(&bind, &n_changes, "taking old samples and counts away", ret_fault);
		if (r < 0) {
			return r;
		}
		n += n_changes;
	}
	*ret_n = n;
	return 0;
}
