/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table user. The personal code and the TOTP key are sealed. */

#include "core/user.h"
#include "keys.h"

struct user_table {
	const struct store_keys *keys;
	sqlite3_stmt *put;
	sqlite3_stmt *remove;
};

int user_table_open(struct user_table *table, sqlite3 *db, const struct store_keys *keys,
	struct fault *ret_fault);
void user_table_close(struct user_table *table);
/* NAME_TAKEN: another user has that slug or number. */
int user_table_put(struct user_table *table, const struct user *user, struct fault *ret_fault);
/* With schedules and access. */
int user_table_remove(struct user_table *table, const char *id, struct fault *ret_fault);
/* By number. @fault: NULL, or why a secret could not be opened; it is empty then. */
int user_table_load(sqlite3 *db, const struct store_keys *keys,
	void (*fn)(void *user, const struct user *row, const struct fault *fault), void *user,
	struct fault *ret_fault);
