/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/crypto.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(CRYPTO_SEAL_OVERHEAD == NONCE_LEN + TAG_LEN, "seal overhead");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32, "seal key");
_Static_assert(crypto_kdf_KEYBYTES == 32 && crypto_kdf_CONTEXTBYTES == 8, "derivation");

/* A nonce of 24 random octets never comes twice, so none has to be counted. */
void crypto_seal(const uint8_t key[static 32], const char *context, const void *plain, size_t n,
	uint8_t *out) {
	static const uint8_t nothing[1];
	crypto_random(out, NONCE_LEN);
	int r = crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_LEN, NULL,
		n > 0 ? plain : nothing, n, (const uint8_t *) context, strlen(context), NULL, out,
		key);
	assert(r == 0);
	(void) r;
}

int crypto_unseal(const uint8_t key[static 32], const char *context, const uint8_t *sealed,
	size_t n, uint8_t *out) {
	if (n < CRYPTO_SEAL_OVERHEAD) {
		return -EBADMSG;
	}
	int r = crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed + NONCE_LEN,
		n - NONCE_LEN, (const uint8_t *) context, strlen(context), sealed, key);
	return r < 0 ? -EBADMSG : 0;
}

void crypto_derive(const uint8_t master[static 32], uint64_t id, const char context[static 8],
	uint8_t out[static 32]) {
	int r = crypto_kdf_derive_from_key(out, 32, id, context, master);
	assert(r == 0);
	(void) r;
}
