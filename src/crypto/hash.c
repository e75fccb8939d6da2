/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/crypto.h"

#include <sodium.h>

_Static_assert(CRYPTO_SHA256_LEN == crypto_hash_sha256_BYTES, "SHA-256");

void crypto_sha256(const void *data, size_t n, uint8_t out[static CRYPTO_SHA256_LEN]) {
	const struct crypto_part part = { .data = data, .n = n };
	crypto_sha256_parts(&part, 1, out);
}

void crypto_sha256_parts(const struct crypto_part *parts, size_t n_parts, uint8_t out[static 32]) {
	crypto_hash_sha256_state state;
	crypto_hash_sha256_init(&state);
	for (size_t i = 0; i < n_parts; i++) {
		if (parts[i].n > 0) {
			crypto_hash_sha256_update(&state, parts[i].data, parts[i].n);
		}
	}
	crypto_hash_sha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}

void crypto_hmac_sha256(const uint8_t key[static 32], const struct crypto_part *parts,
	size_t n_parts, uint8_t out[static 32]) {
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha256_init(&state, key, 32);
	for (size_t i = 0; i < n_parts; i++) {
		if (parts[i].n > 0) {
			crypto_auth_hmacsha256_update(&state, parts[i].data, parts[i].n);
		}
	}
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}
