/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Frames: as they come, and (first octet odd) sealed by us around whatever the fuzzer says, so that
 * it gets past the authentication.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "crypto/crypto.h"
#include "nuki/frame.h"

static const uint8_t key[CRYPTO_KEY_LEN] = { 0xb3, 0xa4, 0x05, 0x8e, 0x02, 0x19, 0x4d, 0xd5, 0xb1,
	0xb8, 0xd7, 0x18, 0x16, 0x50, 0xe2, 0x84, 0x62, 0x74, 0xa3, 0x46, 0xc0, 0x23, 0x29, 0x64,
	0x3d, 0xda, 0xea, 0xcd, 0x5d, 0x98, 0x7c, 0x71 };

static void check_sealed(const uint8_t *buf, size_t n) {
	uint8_t plain[NUKI_BOX_MAX], again[NUKI_FRAME_MAX];
	struct nuki_frame frame;

	if (nuki_open(key, buf, n, plain, &frame) < 0) {
		return;
	}
	ssize_t n_again = nuki_seal(key, buf, frame.auth_id, frame.command, frame.payload,
		frame.n_payload, again, sizeof(again));
	assert(n_again == (ssize_t) n);
	assert(frame.is_crc_missing || memcmp(again, buf, n) == 0);
}

static void check_plain(const uint8_t *buf, size_t n) {
	uint8_t again[NUKI_FRAME_MAX];
	struct nuki_frame frame;

	if (n > sizeof(again) || nuki_plain_open(buf, n, &frame) < 0) {
		return;
	}
	ssize_t n_again = nuki_plain_build(
		frame.command, frame.payload, frame.n_payload, again, sizeof(again));
	assert(n_again == (ssize_t) n && memcmp(again, buf, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const uint8_t nonce[CRYPTO_NONCE_LEN] = { 1 };
	uint8_t wire[NUKI_FRAME_MAX] = { 1 };

	if (size == 0) {
		return 0;
	}
	if ((data[0] & 1) == 0 || size > NUKI_BOX_MAX) {
		check_plain(data + 1, size - 1);
		check_sealed(data + 1, size - 1);
		return 0;
	}
	/* data: authorisation id, length, then the box's content. */
	const size_t n = size - 1 < 6 ? 0 : size - 7;
	if (n + NUKI_HEAD_LEN + CRYPTO_TAG_LEN > sizeof(wire) || size < 7) {
		return 0;
	}
	memcpy(wire + CRYPTO_NONCE_LEN, data + 1, 4);
	wire[28] = (uint8_t) (n + CRYPTO_TAG_LEN);
	wire[29] = (uint8_t) ((n + CRYPTO_TAG_LEN) >> 8);
	crypto_secretbox_seal(key, nonce, data + 7, n, wire + NUKI_HEAD_LEN);
	check_sealed(wire, NUKI_HEAD_LEN + CRYPTO_TAG_LEN + n);
	return 0;
}
