/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/crypto.h"

/* Bit by bit: messages are short, and a table would cost more memory than it saves time. */
uint16_t crypto_crc16_ccitt(uint16_t crc, const void *data, size_t n) {
	const uint8_t *bytes = data;
	for (size_t i = 0; i < n; i++) {
		crc = (uint16_t) (crc ^ (uint16_t) (bytes[i] << 8));
		for (int bit = 0; bit < 8; bit++) {
			crc = (uint16_t) ((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1);
		}
	}
	return crc;
}
