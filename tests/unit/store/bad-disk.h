/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A disk that fails on demand, as SQLite's default VFS: all files whose path begins with a given
 * text go through it. It counts writes, syncs and truncations, fails the nth, holds syncs, and
 * keeps what a power cut would leave: for each file what was synced last, and every later write, of
 * which any sectors may or may not have arrived (F2, F5, F6, F7).
 */

#include <stdbool.h>
#include <stdint.h>

enum bad_disk_op {
	BAD_DISK_WRITE = 1,
	BAD_DISK_SYNC = 2,
	BAD_DISK_TRUNCATE = 4,
	BAD_DISK_ANY = 7,
};

/* From now on for paths that begin with @prefix (borrowed); everything is forgotten. */
void bad_disk_watch(const char *prefix);
/* Of operations in @ops, the @nth (from 1, 0: none) from now on gives @rc; all later ones too if
 * @is_lasting. */
void bad_disk_fail(unsigned ops, unsigned nth, int rc, bool is_lasting);
/* Whether it has come to that. */
bool bad_disk_has_failed(void);
/* Operations in @ops since bad_disk_watch(). */
unsigned bad_disk_count(unsigned ops);
/* Whether syncs last, from when they are counted until this is taken back. */
void bad_disk_hold_sync(bool is_held);
/*
 * Whether to keep what was synced (memory!); to be set before the files are opened. A disk that
 * lies takes syncs for nothing.
 */
void bad_disk_keep(bool is_keeping, bool is_lying);
/*
 * Power off, as far as a copy is concerned: writes into @folder the files as they might be found
 * afterwards. @seed chooses which unsynced sectors have arrived.
 */
void bad_disk_cut(const char *folder, uint64_t seed);
