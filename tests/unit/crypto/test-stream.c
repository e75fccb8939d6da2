/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/stream.h"

#include <errno.h>

#include "crypto/crypto.h"
#include "test.h"

#define BOUND "header"
static const uint8_t key[32] = "0123456789abcdef0123456789abcdef";

/* Three pieces; the last one is the last. */
static void seal(
	uint8_t header[CRYPTO_STREAM_HEADER_LEN], uint8_t out[3][5 + CRYPTO_STREAM_OVERHEAD]) {
	struct crypto_stream stream;
	crypto_stream_seal_init(&stream, key, header);
	crypto_stream_seal(&stream, "first", 5, BOUND, 6, false, out[0]);
	crypto_stream_seal(&stream, "again", 5, NULL, 0, false, out[1]);
	crypto_stream_seal(&stream, "final", 5, NULL, 0, true, out[2]);
	crypto_stream_wipe(&stream);
}

static void what_was_sealed_opens_in_order(void **state) {
	uint8_t header[CRYPTO_STREAM_HEADER_LEN], sealed[3][5 + CRYPTO_STREAM_OVERHEAD], plain[5];
	struct crypto_stream stream;
	bool is_last = true;
	seal(header, sealed);
	assert_int_equal(crypto_stream_open_init(&stream, key, header), 0);
	assert_int_equal(crypto_stream_open(&stream, sealed[0], 22, BOUND, 6, &is_last, plain), 0);
	assert_memory_equal(plain, "first", 5);
	assert_false(is_last);
	assert_int_equal(crypto_stream_open(&stream, sealed[1], 22, NULL, 0, &is_last, plain), 0);
	assert_memory_equal(plain, "again", 5);
	assert_false(is_last);
	assert_int_equal(crypto_stream_open(&stream, sealed[2], 22, NULL, 0, &is_last, plain), 0);
	assert_memory_equal(plain, "final", 5);
	assert_true(is_last);
}

static int open_first(const uint8_t *with_key, const uint8_t *header, const uint8_t *sealed,
	size_t n, const char *bound) {
	struct crypto_stream stream;
	uint8_t plain[64];
	bool is_last;
	int r = crypto_stream_open_init(&stream, with_key, header);
	return r < 0 ? r
		     : crypto_stream_open(
			       &stream, sealed, n, bound, strlen(bound), &is_last, plain);
}

static void nothing_else_opens(void **state) {
	uint8_t header[CRYPTO_STREAM_HEADER_LEN], sealed[3][5 + CRYPTO_STREAM_OVERHEAD];
	uint8_t other_key[32] = { 1 };
	seal(header, sealed);
	assert_int_equal(open_first(key, header, sealed[0], 22, BOUND), 0);
	assert_int_equal(open_first(key, header, sealed[0], 22, "haeder"), -EBADMSG);
	assert_int_equal(open_first(key, header, sealed[0], 21, BOUND), -EBADMSG);
	assert_int_equal(open_first(key, header, sealed[0], 16, BOUND), -EBADMSG);
	assert_int_equal(open_first(key, header, sealed[0], 0, BOUND), -EBADMSG);
	assert_int_equal(open_first(key, header, sealed[1], 22, ""), -EBADMSG);
	assert_int_equal(open_first(other_key, header, sealed[0], 22, BOUND), -EBADMSG);
	for (size_t i = 0; i < 22; i++) {
		sealed[0][i] ^= 1;
		assert_int_equal(open_first(key, header, sealed[0], 22, BOUND), -EBADMSG);
		sealed[0][i] ^= 1;
	}
	header[3] ^= 1;
	assert_int_equal(open_first(key, header, sealed[0], 22, BOUND), -EBADMSG);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens_in_order),
		cmocka_unit_test(nothing_else_opens),
	};
	return crypto_setup() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
