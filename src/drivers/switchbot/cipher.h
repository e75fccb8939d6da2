/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The frames of a SwitchBot lock: a head in clear, and AES-128 of the lock's key with a start value
 * that the lock chooses for each link. There is no proof of who sent a frame: with CTR all messages
 * of a link share one key stream, with GCM two octets of the tag are sent, and none back. So
 * whatever comes is evidence of what *somebody* nearby says. Pure but for the value that is kept.
 *
 * Source: docs/protocols/switchbot-lock.md 4 and 5.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SWITCHBOT_KEY_LEN 16
#define SWITCHBOT_FRAME_MAX 64
#define SWITCHBOT_HEAD_LEN 4

enum switchbot_mode { SWITCHBOT_MODE_NONE, SWITCHBOT_MODE_CTR, SWITCHBOT_MODE_GCM };

struct switchbot_cipher {
	enum switchbot_mode mode; /* NONE: the start value has not been asked for on this link */
	uint8_t key_id;
	uint8_t key[SWITCHBOT_KEY_LEN];
	uint8_t start[16]; /* GCM: 12 octets */
};

/* What asks for the start value; octets written. */
size_t switchbot_start_request(uint8_t key_id, uint8_t out[static SWITCHBOT_FRAME_MAX]);
/*
 * The answer: mode and start value. -EBADMSG: not that answer, or a mode that nobody knows;
 * -EACCES: the lock refused, with its result in @buf[0].
 */
int switchbot_start_take(struct switchbot_cipher *cipher, const uint8_t *buf, size_t n);
/* A frame of a command; octets written, or -ENOBUFS. */
ssize_t switchbot_seal(const struct switchbot_cipher *cipher, const uint8_t *plain, size_t n,
	uint8_t out[static SWITCHBOT_FRAME_MAX]);
/*
 * The text behind the head of what the lock sent; octets written to @out (0: none), or -ENOBUFS.
 * The result, @buf[0], is in clear.
 */
ssize_t switchbot_open(const struct switchbot_cipher *cipher, const uint8_t *buf, size_t n,
	uint8_t out[static SWITCHBOT_FRAME_MAX]);
/* After each command that was answered: GCM counts on, CTR does not. */
void switchbot_cipher_next(struct switchbot_cipher *cipher);
