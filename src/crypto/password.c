/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/password.h"

#include <errno.h>
#include <sodium.h>

_Static_assert(crypto_pwhash_SALTBYTES == PASSWORD_SALT_LEN, "salt");

#define KIB_LEAST 8

int password_key(const void *password, size_t n, const uint8_t salt[static PASSWORD_SALT_LEN],
	unsigned passes, unsigned kib, uint8_t out[static 32]) {
	if (passes < 1 || passes > PASSWORD_PASSES_MAX || kib < KIB_LEAST ||
		kib > PASSWORD_KIB_MAX) {
		return -EINVAL;
	}
	return crypto_pwhash(out, 32, password, n, salt, passes, (size_t) kib * 1024,
		       crypto_pwhash_ALG_ARGON2ID13) == 0
		       ? 0
		       : -ENOMEM;
}
