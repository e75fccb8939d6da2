/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/aes.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/auto.h"

AUTO_DEFINE(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free);

/* libcrypto fails here for want of memory only; a lock must not be told half a message then. */
static void must(bool is_fine) {
	if (!is_fine) {
		fputs("AES: out of memory\n", stderr);
		abort();
	}
}

static void run(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv, const uint8_t *in,
	size_t n, uint8_t *out, uint8_t *tag) {
	AUTO(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n_out = 0;

	must(ctx != NULL && n <= INT_MAX && EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv) == 1);
	if (n > 0) {
		must(EVP_EncryptUpdate(ctx, out, &n_out, in, (int) n) == 1);
	}
	if (tag != NULL) {
		/* Ends without text of its own: GCM works octet by octet. */
		must(EVP_EncryptFinal_ex(ctx, tag, &n_out) == 1 &&
			EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, CRYPTO_AES_LEN, tag) == 1);
	}
}

void crypto_aes_ctr(const uint8_t key[static CRYPTO_AES_LEN],
	const uint8_t iv[static CRYPTO_AES_LEN], const uint8_t *in, size_t n, uint8_t *out) {
	run(EVP_aes_128_ctr(), key, iv, in, n, out, NULL);
}

void crypto_aes_gcm_seal(const uint8_t key[static CRYPTO_AES_LEN],
	const uint8_t iv[static CRYPTO_GCM_IV_LEN], const uint8_t *in, size_t n, uint8_t *out,
	uint8_t tag[static CRYPTO_AES_LEN]) {
	run(EVP_aes_128_gcm(), key, iv, in, n, out, tag);
}

void crypto_aes_gcm_read(const uint8_t key[static CRYPTO_AES_LEN],
	const uint8_t iv[static CRYPTO_GCM_IV_LEN], const uint8_t *in, size_t n, uint8_t *out) {
	/* GCM is CTR, with the tag's block before the first of the text. NIST SP 800-38D, 7.1. */
	uint8_t counter[CRYPTO_AES_LEN] = { 0 };

	memcpy(counter, iv, CRYPTO_GCM_IV_LEN);
	counter[CRYPTO_AES_LEN - 1] = 2;
	crypto_aes_ctr(key, counter, in, n, out);
}
