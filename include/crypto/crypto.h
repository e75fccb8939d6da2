/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The primitives that lock protocols and the store need, on libsodium (and libcrypto where that has
 * what sodium lacks). No own cryptography here: only names, sizes and errors of one style. All
 * functions are thread-safe after crypto_setup().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once at start. Locks down sodium's memory helpers and seeds the generator. 0 or -EIO. */
int crypto_setup(void);

void crypto_random(void *out, size_t n);
uint32_t crypto_random_u32(void);
/* Constant time. */
bool crypto_equal(const void *a, const void *b, size_t n);

#define CRYPTO_SHA256_LEN 32
void crypto_sha256(const void *data, size_t n, uint8_t out[static CRYPTO_SHA256_LEN]);

/* One part of a message that is hashed in pieces. */
struct crypto_part {
	const void *data;
	size_t n;
};
/* HMAC-SHA256 with a 32-octet key over the parts in order. */
void crypto_hmac_sha256(const uint8_t key[static 32], const struct crypto_part *parts,
	size_t n_parts, uint8_t out[static 32]);
void crypto_sha256_parts(const struct crypto_part *parts, size_t n_parts, uint8_t out[static 32]);

/*
 * NaCl box: X25519, HSalsa20, XSalsa20-Poly1305. No name here may be one of sodium's own: the
 * linker would then let ours stand in for it inside of libsodium.
 * crypto_box_shared: -EBADMSG for a peer key of low order.
 */
#define CRYPTO_KEY_LEN 32
#define CRYPTO_NONCE_LEN 24
#define CRYPTO_TAG_LEN 16
void crypto_box_public(const uint8_t secret_key[static 32], uint8_t public_key[static 32]);
int crypto_box_shared(const uint8_t peer_public[static 32], const uint8_t own_secret[static 32],
	uint8_t shared[static 32]);
/* Raw X25519, for vectors. -EBADMSG: low order. */
int crypto_x25519(const uint8_t secret_key[static 32], const uint8_t peer_public[static 32],
	uint8_t out[static 32]);
/* out: n + CRYPTO_TAG_LEN octets, tag first. May not overlap. */
void crypto_secretbox_seal(const uint8_t key[static 32], const uint8_t nonce[static 24],
	const void *plain, size_t n, uint8_t *out);
/* @n includes the tag; out: n - CRYPTO_TAG_LEN octets. -EBADMSG: not authentic or too short. */
int crypto_secretbox_unseal(const uint8_t key[static 32], const uint8_t nonce[static 24],
	const uint8_t *sealed, size_t n, uint8_t *out);

/*
 * Sealed columns of the database: XChaCha20-Poly1305 with @context bound in, so that a value moved
 * to another row or column does not open. sealed = nonce (24) | ciphertext | tag (16).
 */
#define CRYPTO_SEAL_OVERHEAD 40
void crypto_seal(const uint8_t key[static 32], const char *context, const void *plain, size_t n,
	uint8_t *out);
/* -EBADMSG: wrong key, wrong context or damaged. out: n - CRYPTO_SEAL_OVERHEAD octets. */
int crypto_unseal(const uint8_t key[static 32], const char *context, const uint8_t *sealed,
	size_t n, uint8_t *out);
/* A key for one purpose from a master key (BLAKE2b KDF); @context: exactly 8 characters. */
void crypto_derive(const uint8_t master[static 32], uint64_t id, const char context[static 8],
	uint8_t out[static 32]);

/* CRC-16/CCITT-FALSE: 0x1021, initial 0xffff, not reflected; "123456789" gives 0x29b1. */
uint16_t crypto_crc16_ccitt(uint16_t crc, const void *data, size_t n);
#define CRYPTO_CRC16_CCITT_INIT 0xffff
