/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Looking through a database that lies on the side, from its pages to each secret in it; comparing
 * it with another one; making it ready to be the hub's. Blocking; any thread.
 */

#include <stdatomic.h>

#include "core/vault.h"
#include "db.h"
#include "keys.h"

/*
 * Opens the database at @path and brings it up to date; it must be one of ours that @keys open.
 * DATABASE_CORRUPT, DATABASE_NEWER, KEY_MISSING, DATABASE_OPEN, NO_MEMORY ...
 */
int examine_open(
	const char *path, const struct store_keys *keys, sqlite3 **ret, struct fault *ret_fault);

/*
 * Reads all of it: every page, every reference, the chain of the log, every sealed value. Fills in
 * the counts; a log that is not whole is a result and no fault. DATABASE_CORRUPT, CANCELLED ...
 */
int examine_run(sqlite3 *db, const struct store_keys *keys, const atomic_bool *is_stopping,
	struct vault_report *report, struct fault *ret_fault);

/* What is not the same here and in the hub's own database, which is only read. */
int examine_compare(sqlite3 *db, const struct store_keys *keys, sqlite3 *hub,
	const struct store_keys *hub_keys, struct vault_report *report, struct fault *ret_fault);

/*
 * Makes it the hub's: everything sealed is sealed with @own, and what the locks told counts as not
 * known until they tell it again. @note: kept as the setting "restored", for the next start.
 * All or nothing.
 */
int examine_adopt(sqlite3 *db, const struct store_keys *keys, const struct store_keys *own,
	const char *note, struct fault *ret_fault);

/*
 * A sum over what is worth a new backup when it has changed: the log, the book, settings, keys; not
 * what the locks are asked about again anyway.
 */
int examine_mark(sqlite3 *db, uint8_t ret[static 32], struct fault *ret_fault);

/* The sealed columns, for the test that none is missing; NULL-terminated "table.column". */
const char *const *examine_sealed_columns(void);
