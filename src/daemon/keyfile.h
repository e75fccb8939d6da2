/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Secrets that the daemon reads once at start: the database's master key, the broker's password. */

#include <stdbool.h>

#include "util/fault.h"
#include "util/secret.h"

/*
 * The master key: the systemd credential "db-key", else <state_dir>/db.key. The file is made (0600,
 * synced) when neither it nor a database exists; *ret_made tells. Faults: KEY_MISSING,
 * SECRET_EXPOSED (others can read it), DATABASE_OPEN (the folder cannot be written).
 */
int keyfile_database(const char *state_dir, bool has_database, struct secret *ret, bool *ret_made,
	struct fault *ret_fault);

/*
 * A password: from @path, or if that is "" from the systemd credential @credential. Trailing line
 * end removed. Nothing there is no error: *ret is empty then. Faults: CONFIG_INVALID (named, but
 * not readable), SECRET_EXPOSED.
 */
int keyfile_password(
	const char *path, const char *credential, struct secret *ret, struct fault *ret_fault);
