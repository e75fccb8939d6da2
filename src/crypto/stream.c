/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/stream.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>

typedef crypto_secretstream_xchacha20poly1305_state sodium_state;

_Static_assert(sizeof(struct crypto_stream) >= sizeof(sodium_state), "room of a stream");
_Static_assert(_Alignof(struct crypto_stream) >= _Alignof(sodium_state), "alignment of a stream");
_Static_assert(CRYPTO_STREAM_HEADER_LEN == crypto_secretstream_xchacha20poly1305_HEADERBYTES,
	"header of a stream");
_Static_assert(
	CRYPTO_STREAM_OVERHEAD == crypto_secretstream_xchacha20poly1305_ABYTES, "stream overhead");
_Static_assert(crypto_secretstream_xchacha20poly1305_KEYBYTES == 32, "key of a stream");

static sodium_state *state_of(struct crypto_stream *stream) {
	return (sodium_state *) (void *) stream->room;
}

void crypto_stream_seal_init(struct crypto_stream *stream, const uint8_t key[static 32],
	uint8_t ret_header[static CRYPTO_STREAM_HEADER_LEN]) {
	int r = crypto_secretstream_xchacha20poly1305_init_push(state_of(stream), ret_header, key);
	assert(r == 0);
	(void) r;
}

void crypto_stream_seal(struct crypto_stream *stream, const void *plain, size_t n,
	const void *bound, size_t n_bound, bool is_last, uint8_t *out) {
	static const uint8_t nothing[1];
	int r = crypto_secretstream_xchacha20poly1305_push(state_of(stream), out, NULL,
		n > 0 ? plain : nothing, n, bound, n_bound,
		is_last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
			: crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
	assert(r == 0);
	(void) r;
}

int crypto_stream_open_init(struct crypto_stream *stream, const uint8_t key[static 32],
	const uint8_t header[static CRYPTO_STREAM_HEADER_LEN]) {
	return crypto_secretstream_xchacha20poly1305_init_pull(state_of(stream), header, key) < 0
		       ? -EBADMSG
		       : 0;
}

int crypto_stream_open(struct crypto_stream *stream, const uint8_t *sealed, size_t n,
	const void *bound, size_t n_bound, bool *ret_is_last, uint8_t *out) {
	unsigned char tag = 0;

	if (n < CRYPTO_STREAM_OVERHEAD ||
		crypto_secretstream_xchacha20poly1305_pull(
			state_of(stream), out, NULL, &tag, sealed, n, bound, n_bound) < 0) {
		return -EBADMSG;
	}
	*ret_is_last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	return 0;
}

void crypto_stream_wipe(struct crypto_stream *stream) {
	sodium_memzero(stream, sizeof(*stream));
}
