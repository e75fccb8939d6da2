/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One daemon per database: an exclusive lock on PATH.lock, which goes away with the process in
 * whatever way that ends. Not on the database itself: closing any descriptor of that would drop
 * SQLite's own locks.
 */

#include "util/fault.h"

/* *ret: the descriptor that holds it. DATABASE_IN_USE: by which pid; DATABASE_OPEN. */
int file_lock_take(const char *database, int *ret, struct fault *ret_fault);
/* Takes -1. */
void file_lock_drop(int *fd);
