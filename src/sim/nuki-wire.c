/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki-wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "crypto/crypto.h"
#include "util/bytes.h"

#define HEADER_LEN 30 /* nonce, authorisation id, length */

size_t nuki_plain(uint16_t command, const uint8_t *payload, size_t n, uint8_t *out) {
	assert(n <= NUKI_PAYLOAD_MAX);
	struct wr wr = wr_on(out, NUKI_WIRE_MAX);
	wr_u16le(&wr, command);
	wr_bytes(&wr, payload, n);
	wr_u16le(&wr, crypto_crc16_ccitt(CRYPTO_CRC16_CCITT_INIT, out, 2 + n));
	return (size_t) wr_end(&wr);
}

int nuki_open_plain(const uint8_t *wire, size_t n_wire, struct nuki_message *ret) {
	if (n_wire < 4 || n_wire - 4 > NUKI_PAYLOAD_MAX) {
		return -EMSGSIZE;
	}
	struct rd rd = rd_on(wire, n_wire);
	ret->command = rd_u16le(&rd);
	ret->n = n_wire - 4;
	rd_copy(&rd, ret->payload, ret->n);
	uint16_t crc = rd_u16le(&rd);
	return crc == crypto_crc16_ccitt(CRYPTO_CRC16_CCITT_INIT, wire, n_wire - 2) ? 0 : -EBADMSG;
}

size_t nuki_seal(const uint8_t key[static 32], const uint8_t nonce[static 24], uint32_t auth_id,
	uint16_t command, const uint8_t *payload, size_t n, uint8_t *out) {
	uint8_t inside[4 + 2 + NUKI_PAYLOAD_MAX + 2];
	assert(n <= NUKI_PAYLOAD_MAX);
	struct wr wr = wr_on(inside, sizeof(inside));
	wr_u32le(&wr, auth_id);
	wr_u16le(&wr, command);
	wr_bytes(&wr, payload, n);
	wr_u16le(&wr, crypto_crc16_ccitt(CRYPTO_CRC16_CCITT_INIT, inside, 6 + n));
	size_t n_inside = (size_t) wr_end(&wr);

	struct wr head = wr_on(out, NUKI_WIRE_MAX);
	wr_bytes(&head, nonce, CRYPTO_NONCE_LEN);
	wr_u32le(&head, auth_id);
	wr_u16le(&head, (uint16_t) (n_inside + CRYPTO_TAG_LEN));
	crypto_secretbox_seal(key, nonce, inside, n_inside, out + HEADER_LEN);
	return HEADER_LEN + n_inside + CRYPTO_TAG_LEN;
}

int nuki_peek(const uint8_t *wire, size_t n_wire, uint32_t *ret_auth_id) {
	if (n_wire < NUKI_SEALED_EXTRA || n_wire > NUKI_WIRE_MAX) {
		return -EMSGSIZE;
	}
	struct rd rd = rd_on(wire, n_wire);
	rd_skip(&rd, CRYPTO_NONCE_LEN);
	uint32_t auth_id = rd_u32le(&rd);
	if (rd_u16le(&rd) != n_wire - HEADER_LEN) {
		return -EMSGSIZE;
	}
	*ret_auth_id = auth_id;
	return 0;
}

int nuki_open_sealed(const uint8_t key[static 32], const uint8_t *wire, size_t n_wire,
	struct nuki_message *ret) {
	uint32_t auth_id = 0;
	int r = nuki_peek(wire, n_wire, &auth_id);
	if (r < 0) {
		return r;
	}
	uint8_t inside[NUKI_WIRE_MAX];
	size_t n_inside = n_wire - HEADER_LEN - CRYPTO_TAG_LEN;
	if (crypto_secretbox_unseal(key, wire, wire + HEADER_LEN, n_wire - HEADER_LEN, inside) <
		0) {
		return -EACCES;
	}
	struct rd rd = rd_on(inside, n_inside);
	uint32_t inner_id = rd_u32le(&rd);
	ret->command = rd_u16le(&rd);
	ret->n = n_inside - 8;
	rd_copy(&rd, ret->payload, ret->n);
	uint16_t crc = rd_u16le(&rd);
	if (inner_id != auth_id) {
		return -EACCES;
	}
	return crc == crypto_crc16_ccitt(CRYPTO_CRC16_CCITT_INIT, inside, n_inside - 2) ? 0
											: -EBADMSG;
}

void nuki_write_time(struct wr *wr, wall_t wall) {
	if (wall.s == 0) {
		wr_zeros(wr, 7);
		return;
	}
	struct civil civil = wall_to_civil(wall);
	wr_u16le(wr, (uint16_t) civil.year);
	wr_u8(wr, (uint8_t) civil.month);
	wr_u8(wr, (uint8_t) civil.day);
	wr_u8(wr, (uint8_t) civil.hour);
	wr_u8(wr, (uint8_t) civil.minute);
	wr_u8(wr, (uint8_t) civil.second);
}

int nuki_read_time(struct rd *rd, wall_t *ret) {
	struct civil civil = { .year = rd_u16le(rd) };
	civil.month = rd_u8(rd);
	civil.day = rd_u8(rd);
	civil.hour = rd_u8(rd);
	civil.minute = rd_u8(rd);
	civil.second = rd_u8(rd);
	if (civil.year == 0 && civil.month == 0 && civil.day == 0 && civil.hour == 0 &&
		civil.minute == 0 && civil.second == 0) {
		*ret = (wall_t){ 0 };
		return 0;
	}
	return wall_from_civil(&civil, ret);
}
