/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tables of the book (core/book.h) together: who may enter, and what the locks hold of it. */

#include "access-table.h"
#include "core/ledger.h"
#include "credential-table.h"
#include "holiday-table.h"
#include "placement-table.h"
#include "rules-table.h"
#include "schedule-table.h"
#include "slot-table.h"
#include "store/store.h"
#include "user-table.h"

struct book_tables {
	struct user_table users;
	struct credential_table credentials;
	struct access_table access;
	struct schedule_table schedules;
	struct holiday_table holidays;
	struct placement_table placements;
	struct slot_table slots;
	struct rules_table rules;
};

int book_tables_open(struct book_tables *tables, sqlite3 *db, const struct store_keys *keys,
	struct fault *ret_fault);
void book_tables_close(struct book_tables *tables);
/* One item of a txn. What is not of the book is INTERNAL. */
int book_tables_apply(
	struct book_tables *tables, const struct txn_item *item, struct fault *ret_fault);
/* Whether such an item takes a secret away or puts another in its place. */
bool book_tables_is_secret(enum txn_kind kind);
/* Users first, then what is theirs, then what the locks hold. */
int book_tables_load(sqlite3 *db, const struct store_keys *keys,
	const struct store_visitor *visitor, void *user, struct fault *ret_fault);
