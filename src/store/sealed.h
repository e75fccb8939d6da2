/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Secrets in columns: sealed under a key that is not in the file and bound to where they belong, so
 * that one moved to another row or column does not open. Empty ones are sealed, too: whether there
 * is one is nobody's business.
 */

#include "crypto/crypto.h"
#include "db.h"
#include "keys.h"
#include "util/secret.h"

struct sealed {
	uint8_t bytes[SECRET_MAX + CRYPTO_SEAL_OVERHEAD];
	size_t n;
};

/* Where a secret belongs: "TABLE:ID:COLUMN". Never to be changed: what is sealed would be lost. */
#define SEALED_PLACE_MAX 64

/* Binds @secret, sealed into @room, which must outlive the statement's run. */
void sealed_bind(struct bind *bind, const struct store_keys *keys, const char *place,
	const struct secret *secret, struct sealed *room);
/* The next column. DATABASE_CORRUPT: it does not open; *ret is empty then. */
int sealed_read(struct column *column, const struct store_keys *keys, const char *place,
	struct secret *ret, struct fault *ret_fault);
