/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "frame.h"

#include <errno.h>
#include <string.h>

#include "util/auto.h"
#include "util/bytes.h"
#include "util/secret.h"

#define CRC_LEN 2
#define ERROR_FRAME_LEN 7

/* Whole lengths of the plain frames a lock sends; there is no length on the wire. */
/* clang-format off */
static const struct {
	uint16_t command;
	size_t n;
} plain_lengths[] = {
	{ NUKI_PUBLIC_KEY,   36 },
	{ NUKI_CHALLENGE,    36 },
	{ NUKI_AUTH_ID,      88 },
	{ NUKI_STATUS,        5 },
	{ NUKI_ERROR_REPORT,  ERROR_FRAME_LEN },
	{ NUKI_AUTH_INFO,     5 },
};
/* clang-format on */

ssize_t nuki_plain_build(
	uint16_t command, const uint8_t *payload, size_t n_payload, uint8_t *out, size_t size) {
	struct wr wr = wr_on(out, size);

	wr_u16le(&wr, command);
	wr_bytes(&wr, payload, n_payload);
	ssize_t n = wr_end(&wr);
	if (n < 0) {
		return n;
	}
	wr_u16le(&wr, crypto_crc16_ccitt(CRYPTO_CRC16_CCITT_INIT, out, (size_t) n));
	return wr_end(&wr);
}

/* Takes "command | payload | CRC" apart; @crc is what it should be. */
static void take_apart(const uint8_t *buf, size_t n, struct nuki_frame *ret, uint16_t *ret_crc) {
	struct rd rd = rd_on(buf, n);

	ret->command = rd_u16le(&rd);
	ret->n_payload = n - 2 - CRC_LEN;
	ret->payload = rd_bytes(&rd, ret->n_payload);
	*ret_crc = rd_u16le(&rd);
}

int nuki_plain_open(const uint8_t *buf, size_t n, struct nuki_frame *ret) {
	uint16_t crc;

	if (n < NUKI_PLAIN_OVERHEAD) {
		return -EBADMSG;
	}
	struct nuki_frame frame = { 0 };
	take_apart(buf, n, &frame, &crc);
	if (crc != crypto_crc16_ccitt(CRYPTO_CRC16_CCITT_INIT, buf, n - CRC_LEN)) {
		return -EBADMSG;
	}
	*ret = frame;
	return 0;
}

ssize_t nuki_seal(const uint8_t key[static CRYPTO_KEY_LEN],
	const uint8_t nonce[static CRYPTO_NONCE_LEN], uint32_t auth_id, uint16_t command,
	const uint8_t *payload, size_t n_payload, uint8_t *out, size_t size) {
	uint8_t plain[NUKI_BOX_MAX - CRYPTO_TAG_LEN];
	struct wr wr = wr_on(plain, sizeof(plain));

	wr_u32le(&wr, auth_id);
	wr_u16le(&wr, command);
	wr_bytes(&wr, payload, n_payload);
	ssize_t n = wr_end(&wr);
	if (n >= 0) {
		wr_u16le(&wr, crypto_crc16_ccitt(CRYPTO_CRC16_CCITT_INIT, plain, (size_t) n));
		n = wr_end(&wr);
	}
	if (n < 0 || (size_t) n + CRYPTO_TAG_LEN + NUKI_HEAD_LEN > size) {
		wipe(plain, sizeof(plain));
		return -ENOBUFS;
	}

	struct wr head = wr_on(out, size);
	wr_bytes(&head, nonce, CRYPTO_NONCE_LEN);
	wr_u32le(&head, auth_id);
	wr_u16le(&head, (uint16_t) (n + CRYPTO_TAG_LEN));
	crypto_secretbox_seal(key, nonce, plain, (size_t) n, out + NUKI_HEAD_LEN);
	wipe(plain, sizeof(plain));
	return NUKI_HEAD_LEN + CRYPTO_TAG_LEN + n;
}

int nuki_open(const uint8_t key[static CRYPTO_KEY_LEN], const uint8_t *buf, size_t n,
	uint8_t plain[static NUKI_BOX_MAX], struct nuki_frame *ret) {
	struct rd rd = rd_on(buf, n);
	const uint8_t *nonce = rd_bytes(&rd, CRYPTO_NONCE_LEN);
	const uint32_t outer_id = rd_u32le(&rd);
	const size_t n_box = rd_u16le(&rd);
	const uint8_t *box = rd_bytes(&rd, n_box);
	if (rd_end(&rd) < 0 || n_box < NUKI_BOX_MIN || n_box > NUKI_BOX_MAX) {
		return -EBADMSG;
	}
	int r = crypto_secretbox_unseal(key, nonce, box, n_box, plain);
	if (r < 0) {
		return r;
	}

	const size_t n_plain = n_box - CRYPTO_TAG_LEN;
	struct rd inner = rd_on(plain, n_plain);
	struct nuki_frame frame = { .auth_id = rd_u32le(&inner) };
	uint16_t crc;
	take_apart(plain + 4, n_plain - 4, &frame, &crc);
	const uint16_t expected =
		crypto_crc16_ccitt(CRYPTO_CRC16_CCITT_INIT, plain, n_plain - CRC_LEN);
	if (frame.auth_id != outer_id || (crc != expected && crc != 0)) {
		return -EBADMSG;
	}
	frame.is_crc_missing = crc != expected;
	*ret = frame;
	return 0;
}

void nuki_inbox_clear(struct nuki_inbox *inbox) {
	wipe(inbox, sizeof(*inbox));
}

/* Forgets the frame handed out last. */
static void drop_given(struct nuki_inbox *inbox) {
	inbox->n -= inbox->n_given;
	memmove(inbox->bytes, inbox->bytes + inbox->n_given, inbox->n);
	inbox->n_given = 0;
}

size_t nuki_inbox_push(struct nuki_inbox *inbox, const uint8_t *buf, size_t n) {
	drop_given(inbox);
	const size_t space = sizeof(inbox->bytes) - inbox->n;
	const size_t n_taken = n < space ? n : space;

	if (n_taken > 0) {
		memcpy(inbox->bytes + inbox->n, buf, n_taken);
		inbox->n += n_taken;
	}
	return n_taken;
}

/* Length of the plain frame in front; 0: not yet known; -EBADMSG: no such frame. */
static ssize_t plain_length(const struct nuki_inbox *inbox) {
	struct rd rd = rd_on(inbox->bytes, inbox->n);
	const uint16_t command = rd_u16le(&rd);

	if (rd_ok(&rd) < 0) {
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(plain_lengths); i++) {
		if (plain_lengths[i].command == command) {
			return (ssize_t) plain_lengths[i].n;
		}
	}
	return -EBADMSG;
}

static ssize_t sealed_length(const struct nuki_inbox *inbox) {
	struct rd rd = rd_on(inbox->bytes, inbox->n);

	rd_skip(&rd, CRYPTO_NONCE_LEN + 4);
	const size_t n_box = rd_u16le(&rd);
	if (rd_ok(&rd) < 0) {
		return 0;
	}
	if (n_box < NUKI_BOX_MIN || n_box > NUKI_BOX_MAX) {
		return -EBADMSG;
	}
	return (ssize_t) (NUKI_HEAD_LEN + n_box);
}

/* A plain Error Report in front of the inbox, by its CRC. */
static bool is_plain_error(const struct nuki_inbox *inbox) {
	struct nuki_frame frame;

	return inbox->n >= ERROR_FRAME_LEN &&
	       nuki_plain_open(inbox->bytes, ERROR_FRAME_LEN, &frame) == 0 &&
	       frame.command == NUKI_ERROR_REPORT;
}

int nuki_inbox_next(struct nuki_inbox *inbox, enum nuki_inbox_kind kind, const uint8_t **ret,
	size_t *ret_n, bool *ret_is_plain) {
	drop_given(inbox);
	const bool is_plain =
		kind == NUKI_INBOX_PLAIN || (kind == NUKI_INBOX_EITHER && is_plain_error(inbox));
	const ssize_t n =
		is_plain ? (kind == NUKI_INBOX_EITHER ? ERROR_FRAME_LEN : plain_length(inbox))
			 : sealed_length(inbox);
	if (n < 0) {
		nuki_inbox_clear(inbox);
		return -EBADMSG;
	}
	if (n == 0 || inbox->n < (size_t) n) {
		return 0;
	}

	struct nuki_frame frame;
	if (is_plain && nuki_plain_open(inbox->bytes, (size_t) n, &frame) < 0) {
		nuki_inbox_clear(inbox);
		return -EBADMSG;
	}
	inbox->n_given = (size_t) n;
	*ret = inbox->bytes;
	*ret_n = (size_t) n;
	*ret_is_plain = is_plain;
	return 1;
}

bool nuki_inbox_is_partial(const struct nuki_inbox *inbox) {
	return inbox->n > inbox->n_given;
}
