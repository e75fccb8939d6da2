/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Table setting: texts by key. */

#include "db.h"

struct setting_table {
	sqlite3_stmt *put;
	sqlite3_stmt *remove;
};

int setting_table_open(struct setting_table *table, sqlite3 *db, struct fault *ret_fault);
void setting_table_close(struct setting_table *table);
/* An empty @value takes the row away. */
int setting_table_put(
	struct setting_table *table, const char *key, const char *value, struct fault *ret_fault);
int setting_table_load(sqlite3 *db, void (*fn)(void *user, const char *key, const char *value),
	void *user, struct fault *ret_fault);
