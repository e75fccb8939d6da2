/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * AES-128 in the modes that locks speak and that libsodium has not, on libcrypto. None of them
 * proves by itself who sent a message; nothing but a lock's protocol may use them. Thread-safe.
 * They cannot fail for other reasons than memory, and then end the program.
 */

#include <stddef.h>
#include <stdint.h>

#define CRYPTO_AES_LEN 16 /* key and block */
#define CRYPTO_GCM_IV_LEN 12

/* One block and nothing else: ECB. @in may be @out. */
void crypto_aes_block_seal(const uint8_t key[static CRYPTO_AES_LEN],
	const uint8_t in[static CRYPTO_AES_LEN], uint8_t out[static CRYPTO_AES_LEN]);
void crypto_aes_block_open(const uint8_t key[static CRYPTO_AES_LEN],
	const uint8_t in[static CRYPTO_AES_LEN], uint8_t out[static CRYPTO_AES_LEN]);
/*
 * CBC without padding; @n a multiple of 16. @iv is left as the next message of the same chain and
 * direction needs it. @in may be @out.
 */
void crypto_aes_cbc_seal(const uint8_t key[static CRYPTO_AES_LEN],
	uint8_t iv[static CRYPTO_AES_LEN], const uint8_t *in, size_t n, uint8_t *out);
void crypto_aes_cbc_open(const uint8_t key[static CRYPTO_AES_LEN],
	uint8_t iv[static CRYPTO_AES_LEN], const uint8_t *in, size_t n, uint8_t *out);

/* CTR with a big-endian counter that starts at @iv; the same both ways. @in may be @out. */
void crypto_aes_ctr(const uint8_t key[static CRYPTO_AES_LEN],
	const uint8_t iv[static CRYPTO_AES_LEN], const uint8_t *in, size_t n, uint8_t *out);
/* GCM without additional data; @tag 16 octets. @in may be @out. */
void crypto_aes_gcm_seal(const uint8_t key[static CRYPTO_AES_LEN],
	const uint8_t iv[static CRYPTO_GCM_IV_LEN], const uint8_t *in, size_t n, uint8_t *out,
	uint8_t tag[static CRYPTO_AES_LEN]);
/* The text of such a message, whoever made it: for protocols that do not send the tag. */
void crypto_aes_gcm_read(const uint8_t key[static CRYPTO_AES_LEN],
	const uint8_t iv[static CRYPTO_GCM_IV_LEN], const uint8_t *in, size_t n, uint8_t *out);
