/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "health-tables.h"

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)

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
