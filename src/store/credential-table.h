/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table credential. PINs are sealed. */

#include "core/user.h"
#include "keys.h"

struct credential_table {
	const struct store_keys *keys;
	sqlite3_stmt *put;
	sqlite3_stmt *remove;
};

int credential_table_open(struct credential_table *table, sqlite3 *db,
	const struct store_keys *keys, struct fault *ret_fault);
void credential_table_close(struct credential_table *table);
/* NO_SUCH_LOCK. */
int credential_table_put(struct credential_table *table, const struct credential *credential,
	struct fault *ret_fault);
/* With its placements. */
int credential_table_remove(
	struct credential_table *table, const char *id, struct fault *ret_fault);
/* In the order in which they were made. @fault: NULL, or why the PIN could not be opened. */
int credential_table_load(sqlite3 *db, const struct store_keys *keys,
	void (*fn)(void *user, const struct credential *row, const struct fault *fault), void *user,
	struct fault *ret_fault);
