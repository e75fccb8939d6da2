/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Frames around payloads, and putting frames together again from indications.
 *
 *	plain   command (2) | payload | CRC (2)                                  pairing, e201
 *	sealed  nonce (24) | authorisation id (4) | L (2) | box (L)              all the rest
 *	box     tag (16) | cipher text of: authorisation id (4) | command (2) | payload | CRC (2)
 *
 * All integers little-endian. The CRC is CRC-16/CCITT-FALSE. Nothing here allocates or keeps a key.
 * Errors: -EBADMSG for everything that is not a good frame; -ENOBUFS when out is too small.
 *
 * Source: docs/protocols/nuki.md 3; vectors of kinds plain_frame, pdata, encrypted, encrypted_bad,
 * fragmentation.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "codes.h"
#include "crypto/crypto.h"

#define NUKI_HEAD_LEN 30 /* nonce, authorisation id, length */
#define NUKI_BOX_MIN 24  /* tag, authorisation id, command, CRC */
#define NUKI_BOX_MAX 512
#define NUKI_FRAME_MAX (NUKI_HEAD_LEN + NUKI_BOX_MAX)
#define NUKI_PLAIN_OVERHEAD 4
#define NUKI_SEALED_OVERHEAD 54

/* Octets 7f ff ff ff: stands in for the authorisation id while a 5G lock is being paired. */
#define NUKI_PAIRING_AUTH_ID 0xffffff7fu

/* What a frame held. The payload is borrowed from the buffer that was given. */
struct nuki_frame {
	uint16_t command;
	const uint8_t *payload;
	size_t n_payload;
	uint32_t auth_id;    /* sealed only */
	bool is_crc_missing; /* sealed only: CRC was 0 where it should not be; some firmware does so
			      */
};

ssize_t nuki_plain_build(
	uint16_t command, const uint8_t *payload, size_t n_payload, uint8_t *out, size_t size);
int nuki_plain_open(const uint8_t *buf, size_t n, struct nuki_frame *ret);

ssize_t nuki_seal(const uint8_t key[static CRYPTO_KEY_LEN],
	const uint8_t nonce[static CRYPTO_NONCE_LEN], uint32_t auth_id, uint16_t command,
	const uint8_t *payload, size_t n_payload, uint8_t *out, size_t size);
/*
 * @plain: where the decrypted octets go, NUKI_BOX_MAX of them; ret->payload points into it, and the
 * caller wipes it. The inner authorisation id must equal the outer one; whether it is ours is for
 * the caller to see. The CRC must be right or 0: the tag already protects the content.
 */
int nuki_open(const uint8_t key[static CRYPTO_KEY_LEN], const uint8_t *buf, size_t n,
	uint8_t plain[static NUKI_BOX_MAX], struct nuki_frame *ret);

/*
 * One per characteristic: indications come in, whole frames go out. Owned by the session; forgotten
 * (inbox_clear) when the link goes down. At ATT MTU 23 a frame comes in pieces of 20 octets.
 */
struct nuki_inbox {
	uint8_t bytes[NUKI_FRAME_MAX];
	size_t n;
	size_t n_given; /* of the frame handed out last, still in front */
};

enum nuki_inbox_kind {
	NUKI_INBOX_PLAIN,  /* no length on the wire: by the table of plain messages */
	NUKI_INBOX_SEALED, /* length at offset 28 */
	NUKI_INBOX_EITHER, /* e301 after our sealed message: an Error Report may come plain */
};

void nuki_inbox_clear(struct nuki_inbox *inbox);
/* Takes what fits and says how much: call nuki_inbox_next() until 0 and push the rest. */
size_t nuki_inbox_push(struct nuki_inbox *inbox, const uint8_t *buf, size_t n);
/*
 * 1: a frame of *ret_n octets at *ret, borrowed until the next call for this inbox, *ret_is_plain
 * says which kind. 0: not yet. -EBADMSG: what came is not a frame; all of it is dropped.
 */
int nuki_inbox_next(struct nuki_inbox *inbox, enum nuki_inbox_kind kind, const uint8_t **ret,
	size_t *ret_n, bool *ret_is_plain);
/* Whether a part of a frame waits for its continuation. */
bool nuki_inbox_is_partial(const struct nuki_inbox *inbox);
