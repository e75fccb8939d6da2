/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The frames of an August or Yale lock, and what encrypts them. Each is 18 octets: one AES block
 * and two octets in clear. There are two kinds: SEC, which make a session (one block each, ECB),
 * and MCU, which use it (one CBC chain for each direction, from the start of the session on). Both
 * have a sum and nothing else to tell a changed frame from a true one. Pure.
 *
 * Source: docs/protocols/august-yale.md 4 and 5.
 */

#include <stdbool.h>
#include <stdint.h>

#include "crypto/aes.h"

#define AUGUST_FRAME_LEN 18
#define AUGUST_KEY_LEN CRYPTO_AES_LEN
#define AUGUST_NONCE_LEN 8

/* SEC opcodes: a request, its answer, and why there is none. */
enum august_sec {
	AUGUST_SEC_OFFER = 0x01, /* the first half of our random octets */
	AUGUST_SEC_NONCE = 0x02, /* the lock's */
	AUGUST_SEC_PROOF = 0x03, /* the second half of ours, with the session's key */
	AUGUST_SEC_READY = 0x04,
	AUGUST_SEC_WRONG_SLOT = 0x8b,
	AUGUST_SEC_NOT_ALLOWED = 0x8c,
	AUGUST_SEC_NO_KEY = 0xf0, /* nothing in that slot */
	AUGUST_SEC_BAD_KEY = 0xf1,
	AUGUST_SEC_BLOCKED = 0xf2, /* this phone is on the lock's blacklist */
};

/* ---- SEC ---- */

/* @payload: 8 octets. */
void august_sec_make(enum august_sec opcode, const uint8_t payload[static AUGUST_NONCE_LEN],
	uint8_t slot, uint8_t out[static AUGUST_FRAME_LEN]);
/* Puts the sum in. */
void august_sec_finish(uint8_t frame[static AUGUST_FRAME_LEN]);
bool august_sec_is_good(const uint8_t frame[static AUGUST_FRAME_LEN]);
/* @in may be @out. */
void august_sec_seal(const uint8_t key[static AUGUST_KEY_LEN],
	const uint8_t in[static AUGUST_FRAME_LEN], uint8_t out[static AUGUST_FRAME_LEN]);
void august_sec_open(const uint8_t key[static AUGUST_KEY_LEN],
	const uint8_t in[static AUGUST_FRAME_LEN], uint8_t out[static AUGUST_FRAME_LEN]);
/* @client: the first 8 octets of ours; @lock: the lock's. */
void august_session_key(const uint8_t client[static AUGUST_NONCE_LEN],
	const uint8_t lock[static AUGUST_NONCE_LEN], uint8_t out[static AUGUST_KEY_LEN]);

/* ---- MCU ---- */

/* Of one session. Each frame is sealed or opened once: the next one builds on it. */
struct august_chain {
	uint8_t key[AUGUST_KEY_LEN];
	uint8_t out[CRYPTO_AES_LEN];
	uint8_t in[CRYPTO_AES_LEN];
};

void august_chain_start(struct august_chain *chain, const uint8_t key[static AUGUST_KEY_LEN]);
void august_chain_seal(struct august_chain *chain, const uint8_t in[static AUGUST_FRAME_LEN],
	uint8_t out[static AUGUST_FRAME_LEN]);
void august_chain_open(struct august_chain *chain, const uint8_t in[static AUGUST_FRAME_LEN],
	uint8_t out[static AUGUST_FRAME_LEN]);
/* Puts the sum in, whatever stood there. */
void august_mcu_finish(uint8_t frame[static AUGUST_FRAME_LEN]);
bool august_mcu_is_good(const uint8_t frame[static AUGUST_FRAME_LEN]);
