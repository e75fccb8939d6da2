/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The keys that the store works with, each derived from the master key for one purpose, and the
 * canary: a sealed value in the database that opens only with the right ones.
 */

#include "db.h"
#include "util/secret.h"

struct store_keys {
	uint8_t column[32]; /* seals columns */
	uint8_t chain[32];  /* seals the ends of the event chain */
};

void store_keys_derive(const uint8_t master[static 32], struct store_keys *ret);
void store_keys_wipe(struct store_keys *keys);

/* KEY_MISSING: not the key this was made with. DATABASE_CORRUPT: no canary although there is data.
 */
int canary_check(sqlite3 *db, const struct store_keys *keys, struct fault *ret_fault);
/* Whether there is one; none yet in a database just made. */
int canary_exists(sqlite3 *db, bool *ret, struct fault *ret_fault);
int canary_put(sqlite3 *db, const struct store_keys *keys, struct fault *ret_fault);
