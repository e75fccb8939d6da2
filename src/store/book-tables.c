/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "book-tables.h"

int book_tables_open(struct book_tables *tables, sqlite3 *db, const struct store_keys *keys,
	struct fault *ret_fault) {
	*tables = (struct book_tables){ 0 };
	int r = user_table_open(&tables->users, db, keys, ret_fault);
	if (r == 0) {
		r = credential_table_open(&tables->credentials, db, keys, ret_fault);
	}
	if (r == 0) {
		r = access_table_open(&tables->access, db, ret_fault);
	}
	if (r == 0) {
		r = schedule_table_open(&tables->schedules, db, ret_fault);
	}
	if (r == 0) {
		r = holiday_table_open(&tables->holidays, db, ret_fault);
	}
	if (r == 0) {
		r = placement_table_open(&tables->placements, db, ret_fault);
	}
	if (r == 0) {
		r = slot_table_open(&tables->slots, db, keys, ret_fault);
	}
	if (r == 0) {
		r = rules_table_open(&tables->rules, db, ret_fault);
	}
	if (r < 0) {
		book_tables_close(tables);
	}
	return r;
}

void book_tables_close(struct book_tables *tables) {
	user_table_close(&tables->users);
	credential_table_close(&tables->credentials);
	access_table_close(&tables->access);
	schedule_table_close(&tables->schedules);
	holiday_table_close(&tables->holidays);
	placement_table_close(&tables->placements);
	slot_table_close(&tables->slots);
	rules_table_close(&tables->rules);
}

int book_tables_apply(
	struct book_tables *tables, const struct txn_item *item, struct fault *ret_fault) {
	switch (item->kind) {
	case TXN_USER_PUT:
		return user_table_put(&tables->users, &item->user, ret_fault);
	case TXN_USER_REMOVE:
		return user_table_remove(&tables->users, item->row, ret_fault);
	case TXN_CREDENTIAL_PUT:
		return credential_table_put(&tables->credentials, &item->credential, ret_fault);
	case TXN_CREDENTIAL_REMOVE:
		return credential_table_remove(&tables->credentials, item->row, ret_fault);
	case TXN_ACCESS_PUT:
		return access_table_put(&tables->access, &item->access, ret_fault);
	case TXN_ACCESS_REMOVE:
		return access_table_remove(&tables->access, &item->access, ret_fault);
	case TXN_SCHEDULE_PUT:
		return schedule_table_put(&tables->schedules, &item->schedule, ret_fault);
	case TXN_SCHEDULE_REMOVE:
		return schedule_table_remove(&tables->schedules, item->row, ret_fault);
	case TXN_HOLIDAY_PUT:
		return holiday_table_put(&tables->holidays, &item->holiday, ret_fault);
	case TXN_HOLIDAY_REMOVE:
		return holiday_table_remove(&tables->holidays, item->row, ret_fault);
	case TXN_PLACEMENT_PUT:
		return placement_table_put(&tables->placements, &item->placement, ret_fault);
	case TXN_PLACEMENT_REMOVE:
		return placement_table_remove(&tables->placements, &item->placement, ret_fault);
	case TXN_SLOTS_CLEAR:
		return slot_table_clear(
			&tables->slots, item->slots.lock_id, item->slots.at, ret_fault);
	case TXN_SLOT_PUT:
		return slot_table_put(
			&tables->slots, item->slots.lock_id, &item->slots.slot, ret_fault);
	case TXN_RULES_PUT:
		return rules_table_put(
			&tables->rules, item->rules.lock_id, &item->rules.rules, ret_fault);
	case TXN_LOCK_PUT:
	case TXN_LOCK_KEYS:
	case TXN_LOCK_FACTS:
	case TXN_LOCK_REMOVE:
	case TXN_CURSOR:
	case TXN_INTENT:
	case TXN_OUTCOME:
	case TXN_EVENT:
	case TXN_SETTING:
	case TXN_SAMPLE:
	case TXN_DAY:
	case TXN_ATTEMPT:
	case TXN_NOTE:
		break;
	}
	return fault_set(ret_fault, FAULT_INTERNAL, "a transaction item of kind %d", item->kind);
}

bool book_tables_is_secret(enum txn_kind kind) {
	return kind == TXN_USER_PUT || kind == TXN_USER_REMOVE || kind == TXN_CREDENTIAL_PUT ||
	       kind == TXN_CREDENTIAL_REMOVE || kind == TXN_SLOTS_CLEAR;
}

static int load_people(sqlite3 *db, const struct store_keys *keys,
	const struct store_visitor *visitor, void *user, struct fault *ret_fault) {
	int r = 0;

	if (visitor->user != NULL) {
		r = user_table_load(db, keys, visitor->user, user, ret_fault);
	}
	if (r == 0 && visitor->credential != NULL) {
		r = credential_table_load(db, keys, visitor->credential, user, ret_fault);
	}
	if (r == 0 && visitor->access != NULL) {
		r = access_table_load(db, visitor->access, user, ret_fault);
	}
	if (r == 0 && visitor->schedule != NULL) {
		r = schedule_table_load(db, visitor->schedule, user, ret_fault);
	}
	return r;
}

int book_tables_load(sqlite3 *db, const struct store_keys *keys,
	const struct store_visitor *visitor, void *user, struct fault *ret_fault) {
	int r = load_people(db, keys, visitor, user, ret_fault);

	if (r == 0 && visitor->rules != NULL) {
		r = rules_table_load(db, visitor->rules, user, ret_fault);
	}
	if (r == 0 && visitor->holiday != NULL) {
		r = holiday_table_load(db, visitor->holiday, user, ret_fault);
	}
	if (r == 0 && visitor->slots != NULL) {
		r = slot_table_load(db, keys, visitor->slots, user, ret_fault);
	}
	if (r == 0 && visitor->placement != NULL) {
		r = placement_table_load(db, visitor->placement, user, ret_fault);
	}
	return r;
}
