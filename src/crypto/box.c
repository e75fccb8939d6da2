/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/crypto.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>

_Static_assert(CRYPTO_KEY_LEN == crypto_box_PUBLICKEYBYTES, "box public key");
_Static_assert(CRYPTO_KEY_LEN == crypto_box_SECRETKEYBYTES, "box secret key");
_Static_assert(CRYPTO_KEY_LEN == crypto_box_BEFORENMBYTES, "box shared key");
_Static_assert(CRYPTO_KEY_LEN == crypto_secretbox_KEYBYTES, "secretbox key");
_Static_assert(CRYPTO_NONCE_LEN == crypto_secretbox_NONCEBYTES, "secretbox nonce");
_Static_assert(CRYPTO_TAG_LEN == crypto_secretbox_MACBYTES, "secretbox tag");

void crypto_box_public(const uint8_t secret_key[static 32], uint8_t public_key[static 32]) {
	/* Fails only for sizes that cannot be: the base point has no low order. */
	int r = crypto_scalarmult_base(public_key, secret_key);
	assert(r == 0);
	(void) r;
}

int crypto_box_shared(const uint8_t peer_public[static 32], const uint8_t own_secret[static 32],
	uint8_t shared[static 32]) {
	return crypto_box_beforenm(shared, peer_public, own_secret) < 0 ? -EBADMSG : 0;
}

int crypto_x25519(const uint8_t secret_key[static 32], const uint8_t peer_public[static 32],
	uint8_t out[static 32]) {
	return crypto_scalarmult(out, secret_key, peer_public) < 0 ? -EBADMSG : 0;
}

void crypto_secretbox_seal(const uint8_t key[static 32], const uint8_t nonce[static 24],
	const void *plain, size_t n, uint8_t *out) {
	static const uint8_t nothing[1];
	int r = crypto_secretbox_easy(out, n > 0 ? plain : nothing, n, nonce, key);
	assert(r == 0);
	(void) r;
}

int crypto_secretbox_unseal(const uint8_t key[static 32], const uint8_t nonce[static 24],
	const uint8_t *sealed, size_t n, uint8_t *out) {
	if (n < CRYPTO_TAG_LEN) {
		return -EBADMSG;
	}
	return crypto_secretbox_open_easy(out, sealed, n, nonce, key) < 0 ? -EBADMSG : 0;
}
