/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Copies of a database: made beside the target under another name, synced, checked, and only
 * then renamed over it. Blocks.
 */

#include <stdatomic.h>

#include "db.h"

/* The WAL may grow by so much meanwhile before the copy is given up. */
#define BACKUP_WAL_MAX (16 * 1024 * 1024)

/*
 * @source: in no transaction. @database: its path. CANCELLED when *is_stopping (may be NULL);
 * BAD_ARGUMENT: not a path to copy to.
 */
int backup_run(sqlite3 *source, const char *database, const char *path,
	const atomic_bool *is_stopping, struct fault *ret_fault);
/* integrity_check and foreign_key_check, or only quick_check. DATABASE_CORRUPT. */
int check_run(sqlite3 *db, bool is_quick, struct fault *ret_fault);

/* Of the folder that @path is in, so that a name made in it is there after a power cut. */
int sync_folder(const char *path, struct fault *ret_fault);
