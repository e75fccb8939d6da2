/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "frame.h"

#include <string.h>

#include "util/bytes.h"

#define SEC_PAYLOAD_AT 4
#define SEC_SUM_AT 12
#define SEC_MARK 0x0f
#define MCU_SUM_AT 3

/* What the three words in front of it add up to, negated. */
static uint32_t sec_sum(const uint8_t frame[static AUGUST_FRAME_LEN]) {
	struct rd rd = rd_on(frame, SEC_SUM_AT);
	uint32_t sum = rd_u32le(&rd);

	sum += rd_u32le(&rd);
	sum += rd_u32le(&rd);
	return 0U - sum;
}

void august_sec_finish(uint8_t frame[static AUGUST_FRAME_LEN]) {
	struct wr wr = wr_on(frame + SEC_SUM_AT, sizeof(uint32_t));

	wr_u32le(&wr, sec_sum(frame));
}

bool august_sec_is_good(const uint8_t frame[static AUGUST_FRAME_LEN]) {
	struct rd rd = rd_on(frame + SEC_SUM_AT, sizeof(uint32_t));

	return rd_u32le(&rd) == sec_sum(frame);
}

void august_sec_make(enum august_sec opcode, const uint8_t payload[static AUGUST_NONCE_LEN],
	uint8_t slot, uint8_t out[static AUGUST_FRAME_LEN]) {
	memset(out, 0, AUGUST_FRAME_LEN);
	out[0] = (uint8_t) opcode;
	memcpy(out + SEC_PAYLOAD_AT, payload, AUGUST_NONCE_LEN);
	out[16] = SEC_MARK;
	out[17] = slot;
	august_sec_finish(out);
}

void august_sec_seal(const uint8_t key[static AUGUST_KEY_LEN],
	const uint8_t in[static AUGUST_FRAME_LEN], uint8_t out[static AUGUST_FRAME_LEN]) {
	memmove(out, in, AUGUST_FRAME_LEN);
	crypto_aes_block_seal(key, out, out);
}

void august_sec_open(const uint8_t key[static AUGUST_KEY_LEN],
	const uint8_t in[static AUGUST_FRAME_LEN], uint8_t out[static AUGUST_FRAME_LEN]) {
	memmove(out, in, AUGUST_FRAME_LEN);
	crypto_aes_block_open(key, out, out);
}

void august_session_key(const uint8_t client[static AUGUST_NONCE_LEN],
	const uint8_t lock[static AUGUST_NONCE_LEN], uint8_t out[static AUGUST_KEY_LEN]) {
	memcpy(out, client, AUGUST_NONCE_LEN);
	memcpy(out + AUGUST_NONCE_LEN, lock, AUGUST_NONCE_LEN);
}

void august_chain_start(struct august_chain *chain, const uint8_t key[static AUGUST_KEY_LEN]) {
	*chain = (struct august_chain){ 0 };
	memcpy(chain->key, key, AUGUST_KEY_LEN);
}

void august_chain_seal(struct august_chain *chain, const uint8_t in[static AUGUST_FRAME_LEN],
	uint8_t out[static AUGUST_FRAME_LEN]) {
	memmove(out, in, AUGUST_FRAME_LEN);
	crypto_aes_cbc_seal(chain->key, chain->out, out, CRYPTO_AES_LEN, out);
}

void august_chain_open(struct august_chain *chain, const uint8_t in[static AUGUST_FRAME_LEN],
	uint8_t out[static AUGUST_FRAME_LEN]) {
	memmove(out, in, AUGUST_FRAME_LEN);
	crypto_aes_cbc_open(chain->key, chain->in, out, CRYPTO_AES_LEN, out);
}

/* All 18 octets add up to a multiple of 256. */
static uint8_t mcu_sum(const uint8_t frame[static AUGUST_FRAME_LEN]) {
	unsigned sum = 0;

	for (size_t i = 0; i < AUGUST_FRAME_LEN; i++) {
		sum += frame[i];
	}
	return (uint8_t) sum;
}

void august_mcu_finish(uint8_t frame[static AUGUST_FRAME_LEN]) {
	frame[MCU_SUM_AT] = 0;
	frame[MCU_SUM_AT] = (uint8_t) (0U - mcu_sum(frame));
}

bool august_mcu_is_good(const uint8_t frame[static AUGUST_FRAME_LEN]) {
	return mcu_sum(frame) == 0;
}
