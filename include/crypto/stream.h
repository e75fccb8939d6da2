/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A long message sealed piece by piece: libsodium's secretstream (XChaCha20-Poly1305). A piece that
 * was changed, moved, left out or comes twice does not open, and the last one says that it is the
 * last, so that a message that was cut is found. The pieces' lengths are the caller's business. One
 * object belongs to one thread at a time, and is wiped with crypto_stream_wipe().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_STREAM_HEADER_LEN 24
#define CRYPTO_STREAM_OVERHEAD 17

/* The room of libsodium's state; nobody looks into it. */
struct crypto_stream {
	uint64_t room[8];
};

/* Begins to seal; the header has to reach whoever opens, and is no secret. */
void crypto_stream_seal_init(struct crypto_stream *stream, const uint8_t key[static 32],
	uint8_t ret_header[static CRYPTO_STREAM_HEADER_LEN]);
/* @out: n + CRYPTO_STREAM_OVERHEAD octets. @bound: what else must be the same when it is opened. */
void crypto_stream_seal(struct crypto_stream *stream, const void *plain, size_t n,
	const void *bound, size_t n_bound, bool is_last, uint8_t *out);
/* -EBADMSG: no header. */
int crypto_stream_open_init(struct crypto_stream *stream, const uint8_t key[static 32],
	const uint8_t header[static CRYPTO_STREAM_HEADER_LEN]);
/* -EBADMSG: not the next piece of this message. @out: n - CRYPTO_STREAM_OVERHEAD octets. */
int crypto_stream_open(struct crypto_stream *stream, const uint8_t *sealed, size_t n,
	const void *bound, size_t n_bound, bool *ret_is_last, uint8_t *out);
void crypto_stream_wipe(struct crypto_stream *stream);
