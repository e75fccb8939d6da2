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

static void block(bool is_seal, const uint8_t *key, const uint8_t *iv, const EVP_CIPHER *cipher,
	const uint8_t *in, size_t n, uint8_t *out) {
	AUTO(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n_out = 0;

	must(ctx != NULL && n <= INT_MAX && n % CRYPTO_AES_LEN == 0 &&
		EVP_CipherInit_ex(ctx, cipher, NULL, key, iv, is_seal) == 1 &&
		EVP_CIPHER_CTX_set_padding(ctx, 0) == 1);
	if (n > 0) {
		must(EVP_CipherUpdate(ctx, out, &n_out, in, (int) n) == 1 && n_out == (int) n);
	}
}

void crypto_aes_block_seal(const uint8_t key[static CRYPTO_AES_LEN],
	const uint8_t in[static CRYPTO_AES_LEN], uint8_t out[static CRYPTO_AES_LEN]) {
	block(true, key, NULL, EVP_aes_128_ecb(), in, CRYPTO_AES_LEN, out);
}

void crypto_aes_block_open(const uint8_t key[static CRYPTO_AES_LEN],
	const uint8_t in[static CRYPTO_AES_LEN], uint8_t out[static CRYPTO_AES_LEN]) {
	block(false, key, NULL, EVP_aes_128_ecb(), in, CRYPTO_AES_LEN, out);
}

void crypto_aes_cbc_seal(const uint8_t key[static CRYPTO_AES_LEN],
	uint8_t iv[static CRYPTO_AES_LEN], const uint8_t *in, size_t n, uint8_t *out) {
	block(true, key, iv, EVP_aes_128_cbc(), in, n, out);
	if (n > 0) {
		memcpy(iv, out + n - CRYPTO_AES_LEN, CRYPTO_AES_LEN);
	}
}

void crypto_aes_cbc_open(const uint8_t key[static CRYPTO_AES_LEN],
	uint8_t iv[static CRYPTO_AES_LEN], const uint8_t *in, size_t n, uint8_t *out) {
	uint8_t last[CRYPTO_AES_LEN];

	if (n < CRYPTO_AES_LEN) {
		return;
	}
	memcpy(last, in + n - CRYPTO_AES_LEN, CRYPTO_AES_LEN); /* @in may be @out */
	block(false, key, iv, EVP_aes_128_cbc(), in, n, out);
	memcpy(iv, last, CRYPTO_AES_LEN);
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
