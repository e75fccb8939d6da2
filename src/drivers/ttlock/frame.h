/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Frames of TTLock V3: header, checksum, cipher, and putting them together from notifications.
 * Pure; takes what anybody on the air sends.
 *
 * Source: docs/protocols/ttlock.md 4 and 5; vectors in tests/vectors/ttlock.json.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TTLOCK_KEY_LEN 16
#define TTLOCK_PLAIN_MAX 255
/* Header, 255 octets of cipher text at most, checksum, trailer. */
#define TTLOCK_FRAME_MAX 270
/* What goes out at once, whatever the MTU. */
#define TTLOCK_CHUNK 20
#define TTLOCK_ANSWER 0x54 /* command octet of all that a lock sends */

/* Whose lock it is: told in each frame. */
struct ttlock_head {
	uint8_t scene;
	uint16_t group;
	uint16_t org;
};

/* CRC-8/MAXIM but for one entry of its table, which is wrong in every lock. */
uint8_t ttlock_crc(const uint8_t *buf, size_t n);
/*
 * AES-128-CBC with the key as start value, and padding. @out: a whole number of blocks more than
 * @n. Octets written; nothing is for nothing.
 */
size_t ttlock_seal(const uint8_t key[static TTLOCK_KEY_LEN], const uint8_t *plain, size_t n,
	uint8_t out[static TTLOCK_PLAIN_MAX + 1]);
/* Octets of plain text, or -EBADMSG: no whole blocks, or the padding of another key. */
ssize_t ttlock_open(const uint8_t key[static TTLOCK_KEY_LEN], const uint8_t *buf, size_t n,
	uint8_t out[static TTLOCK_PLAIN_MAX]);

/* The whole frame of @n octets of parameters, at most 239; octets written. */
size_t ttlock_frame(const struct ttlock_head *head, uint8_t command,
	const uint8_t key[static TTLOCK_KEY_LEN], const uint8_t *plain, size_t n,
	uint8_t out[static TTLOCK_FRAME_MAX]);

/* What has come and is no whole frame yet. All zero at the beginning of a link. */
struct ttlock_inbox {
	uint8_t buf[2 * TTLOCK_FRAME_MAX];
	size_t n;
};
struct ttlock_received {
	uint8_t command;
	bool is_crc_right;
	uint8_t cipher[TTLOCK_PLAIN_MAX];
	size_t n_cipher;
};
void ttlock_inbox_put(struct ttlock_inbox *inbox, const uint8_t *buf, size_t n);
/* Takes the next frame out; false: there is none yet. What is no frame is thrown away. */
bool ttlock_inbox_take(struct ttlock_inbox *inbox, struct ttlock_received *ret);
