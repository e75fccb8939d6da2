/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Numbered migrations (R21). Migration i (from 0) brings user_version i to i + 1, in one
 * transaction with it. The files are src/store/migrations/NNNN-NAME.sql, embedded when building.
 */

#include "db.h"

struct migration {
	const char *name; /* "0001-first" */
	const char *sql;
};

extern const struct migration store_migrations[];
extern const size_t store_migrations_n;

/*
 * Reads the version, without writing. 0: nothing in the file yet. DATABASE_NEWER; DATABASE_OPEN: a
 * database of another program; DATABASE_CORRUPT.
 */
int migrate_look(sqlite3 *db, size_t n_known, size_t *ret_version, struct fault *ret_fault);
/* From @version to @n. What was committed before a failure stays: each step is whole. */
int migrate_run(sqlite3 *db, const struct migration *migrations, size_t n, size_t version,
	struct fault *ret_fault);
