/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Table life: one row per life of the daemon, and whether it ended in an orderly way. Written
 * twice a life, so nothing is prepared beforehand.
 */

#include "db.h"

struct life {
	int64_t number; /* 0: there was none */
	bool is_clean;
	bool is_same_boot;
};

/* The newest one, in a database that has tables. @boot_id NULL: not known, never the same. */
int life_last(sqlite3 *db, const char *boot_id, struct life *ret, struct fault *ret_fault);
/* A new row, not clean. A former life that left no trace gives its row to this one. */
int life_begin(sqlite3 *db, const char *boot_id, int64_t *ret_number, struct fault *ret_fault);
int life_end(sqlite3 *db, int64_t number, struct fault *ret_fault);
