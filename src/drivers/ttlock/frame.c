/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "crypto/aes.h"
#include "util/bytes.h"
#include "util/secret.h"

#define HEAD_LEN 12
#define TAIL_LEN 3
#define MAGIC_0 0x7f
#define MAGIC_1 0x5a
#define TYPE 5
#define VERSION 3
#define ENCRYPTED 0xaa
#define CRC_POLYNOMIAL 0x8c
/* The entry that the makers got wrong, and what it is instead (ttlock.md 4.1). */
#define CRC_ODD_ENTRY 0x21
#define CRC_ODD_VALUE 0x07

static uint8_t crc_entry(uint8_t x) {
	if (x == CRC_ODD_ENTRY) {
		return CRC_ODD_VALUE;
	}
	for (unsigned i = 0; i < 8; i++) {
		x = (uint8_t) ((x & 1) != 0 ? x >> 1 ^ CRC_POLYNOMIAL : x >> 1);
	}
	return x;
}

uint8_t ttlock_crc(const uint8_t *buf, size_t n) {
	uint8_t crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc = crc_entry(crc ^ buf[i]);
	}
	return crc;
}

size_t ttlock_seal(const uint8_t key[static TTLOCK_KEY_LEN], const uint8_t *plain, size_t n,
	uint8_t out[static TTLOCK_PLAIN_MAX + 1]) {
	const size_t n_pad = CRYPTO_AES_LEN - n % CRYPTO_AES_LEN;
	uint8_t iv[CRYPTO_AES_LEN];

	assert(n + n_pad <= TTLOCK_PLAIN_MAX);
	if (n == 0) {
		return 0;
	}
	memcpy(iv, key, sizeof(iv));
	memcpy(out, plain, n);
	memset(out + n, (int) n_pad, n_pad);
	crypto_aes_cbc_seal(key, iv, out, n + n_pad, out);
	wipe(iv, sizeof(iv));
	return n + n_pad;
}

ssize_t ttlock_open(const uint8_t key[static TTLOCK_KEY_LEN], const uint8_t *buf, size_t n,
	uint8_t out[static TTLOCK_PLAIN_MAX]) {
	uint8_t iv[CRYPTO_AES_LEN];

	if (n == 0) {
		return 0;
	}
	if (n % CRYPTO_AES_LEN != 0 || n > TTLOCK_PLAIN_MAX) {
		return -EBADMSG;
	}
	memcpy(iv, key, sizeof(iv));
	crypto_aes_cbc_open(key, iv, buf, n, out);
	wipe(iv, sizeof(iv));
	const uint8_t n_pad = out[n - 1];
	if (n_pad == 0 || n_pad > CRYPTO_AES_LEN) {
		return -EBADMSG;
	}
	for (size_t i = n - n_pad; i < n; i++) {
		if (out[i] != n_pad) {
			return -EBADMSG;
		}
	}
	return (ssize_t) (n - n_pad);
}

size_t ttlock_frame(const struct ttlock_head *head, uint8_t command,
	const uint8_t key[static TTLOCK_KEY_LEN], const uint8_t *plain, size_t n,
	uint8_t out[static TTLOCK_FRAME_MAX]) {
	uint8_t cipher[TTLOCK_PLAIN_MAX + 1];
	const size_t n_cipher = ttlock_seal(key, plain, n, cipher);
	struct wr wr = wr_on(out, TTLOCK_FRAME_MAX);

	wr_u8(&wr, MAGIC_0);
	wr_u8(&wr, MAGIC_1);
	wr_u8(&wr, TYPE);
	wr_u8(&wr, VERSION);
	wr_u8(&wr, head->scene);
	wr_u16be(&wr, head->group);
	wr_u16be(&wr, head->org);
	wr_u8(&wr, command);
	wr_u8(&wr, ENCRYPTED);
	wr_u8(&wr, (uint8_t) n_cipher);
	wr_bytes(&wr, cipher, n_cipher);
	wr_u8(&wr, ttlock_crc(out, HEAD_LEN + n_cipher));
	wr_u8(&wr, '\r');
	wr_u8(&wr, '\n');
	const ssize_t n_frame = wr_end(&wr);
	assert(n_frame > 0);
	return (size_t) n_frame;
}

static void drop(struct ttlock_inbox *inbox, size_t n) {
	inbox->n -= n;
	memmove(inbox->buf, inbox->buf + n, inbox->n);
}

void ttlock_inbox_put(struct ttlock_inbox *inbox, const uint8_t *buf, size_t n) {
	if (n > sizeof(inbox->buf)) {
		return; /* no notification is that long */
	}
	if (n > sizeof(inbox->buf) - inbox->n) {
		drop(inbox, inbox->n); /* nothing in it was a frame */
	}
	memcpy(inbox->buf + inbox->n, buf, n);
	inbox->n += n;
}

/* Where the next one may begin. */
static size_t find_magic(const struct ttlock_inbox *inbox) {
	size_t at = 0;

	while (at < inbox->n && (inbox->buf[at] != MAGIC_0 ||
					(at + 1 < inbox->n && inbox->buf[at + 1] != MAGIC_1))) {
		at++;
	}
	return at;
}

bool ttlock_inbox_take(struct ttlock_inbox *inbox, struct ttlock_received *ret) {
	for (;;) {
		drop(inbox, find_magic(inbox));
		if (inbox->n < HEAD_LEN) {
			return false;
		}
		const size_t n_cipher = inbox->buf[HEAD_LEN - 1];
		const size_t n_frame = HEAD_LEN + n_cipher + TAIL_LEN;
		if (inbox->n < n_frame) {
			return false;
		}
		const uint8_t *tail = inbox->buf + HEAD_LEN + n_cipher;
		if (tail[1] != '\r' || tail[2] != '\n') {
			drop(inbox, 1);
			continue;
		}
		ret->command = inbox->buf[9];
		ret->is_crc_right = ttlock_crc(inbox->buf, HEAD_LEN + n_cipher) == tail[0];
		memcpy(ret->cipher, inbox->buf + HEAD_LEN, n_cipher);
		ret->n_cipher = n_cipher;
		drop(inbox, n_frame);
		return true;
	}
}
