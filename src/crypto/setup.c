/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/crypto.h"

#include <errno.h>
#include <sodium.h>

int crypto_setup(void) {
	return sodium_init() < 0 ? -EIO : 0;
}

void crypto_random(void *out, size_t n) {
	randombytes_buf(out, n);
}

uint32_t crypto_random_u32(void) {
	return randombytes_random();
}

bool crypto_equal(const void *a, const void *b, size_t n) {
	return sodium_memcmp(a, b, n) == 0;
}
