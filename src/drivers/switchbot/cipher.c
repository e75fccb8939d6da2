/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cipher.h"

#include <errno.h>
#include <string.h>

#include "crypto/aes.h"
#include "util/bytes.h"

#define REQUEST 0x57
#define DONE 0x01
#define START_LEN 20
#define MODE_AT 2
#define MODE_CTR 0x00
#define MODE_GCM 0x01

size_t switchbot_start_request(uint8_t key_id, uint8_t out[static SWITCHBOT_FRAME_MAX]) {
	const uint8_t request[] = { REQUEST, 0x00, 0x00, 0x00, 0x0f, 0x21, 0x03, key_id };

	memcpy(out, request, sizeof(request));
	return sizeof(request);
}

int switchbot_start_take(struct switchbot_cipher *cipher, const uint8_t *buf, size_t n) {
	if (n > 0 && buf[0] != DONE) {
		return -EACCES;
	}
	if (n != START_LEN || (buf[MODE_AT] != MODE_CTR && buf[MODE_AT] != MODE_GCM)) {
		return -EBADMSG;
	}
	cipher->mode = buf[MODE_AT] == MODE_CTR ? SWITCHBOT_MODE_CTR : SWITCHBOT_MODE_GCM;
	memcpy(cipher->start, buf + SWITCHBOT_HEAD_LEN, sizeof(cipher->start));
	return 0;
}

ssize_t switchbot_seal(const struct switchbot_cipher *cipher, const uint8_t *plain, size_t n,
	uint8_t out[static SWITCHBOT_FRAME_MAX]) {
	uint8_t tag[CRYPTO_AES_LEN];
	const uint8_t *mark = cipher->start;

	if (n + SWITCHBOT_HEAD_LEN > SWITCHBOT_FRAME_MAX) {
		return -ENOBUFS;
	}
	if (cipher->mode == SWITCHBOT_MODE_GCM) {
		crypto_aes_gcm_seal(
			cipher->key, cipher->start, plain, n, out + SWITCHBOT_HEAD_LEN, tag);
		mark = tag;
	} else {
		crypto_aes_ctr(cipher->key, cipher->start, plain, n, out + SWITCHBOT_HEAD_LEN);
	}
	out[0] = REQUEST;
	out[1] = cipher->key_id;
	out[2] = mark[0];
	out[3] = mark[1];
	return (ssize_t) (n + SWITCHBOT_HEAD_LEN);
}

ssize_t switchbot_open(const struct switchbot_cipher *cipher, const uint8_t *buf, size_t n,
	uint8_t out[static SWITCHBOT_FRAME_MAX]) {
	if (n <= SWITCHBOT_HEAD_LEN) {
		return 0;
	}
	n -= SWITCHBOT_HEAD_LEN;
	if (n > SWITCHBOT_FRAME_MAX) {
		return -ENOBUFS;
	}
	if (cipher->mode == SWITCHBOT_MODE_GCM) {
		crypto_aes_gcm_read(cipher->key, cipher->start, buf + SWITCHBOT_HEAD_LEN, n, out);
	} else {
		crypto_aes_ctr(cipher->key, cipher->start, buf + SWITCHBOT_HEAD_LEN, n, out);
	}
	return (ssize_t) n;
}

void switchbot_cipher_next(struct switchbot_cipher *cipher) {
	if (cipher->mode != SWITCHBOT_MODE_GCM) {
		return;
	}
	for (size_t i = CRYPTO_GCM_IV_LEN; i-- > 0;) {
		if (++cipher->start[i] != 0) {
			return;
		}
	}
}
