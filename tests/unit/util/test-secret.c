/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/secret.h"

#include <errno.h>

#include "test.h"

static bool is_zero(const void *p, size_t n) {
	const uint8_t *bytes = p;
	uint8_t all = 0;
	for (size_t i = 0; i < n; i++) {
		all |= bytes[i];
	}
	return all == 0;
}

static void wipe_leaves_nothing(void **state) {
	(void) state;
	struct secret secret;
	memset(&secret, 0x5a, sizeof(secret));
	secret_wipe(&secret);
	assert_true(is_zero(&secret, sizeof(secret)));
	secret_wipe(NULL);
	wipe(NULL, 0);
	char text[] = "12345";
	wipe(text, 3);
	assert_memory_equal(text,
		"\0\0\0"
		"45",
		6);
}

static void setting_replaces_and_clears_the_rest(void **state) {
	(void) state;
	struct secret secret;
	memset(&secret, 0xff, sizeof(secret));
	assert_int_equal(secret_set(&secret, "0123456789", 10), 0);
	assert_int_equal(secret_set_text(&secret, "abc"), 0);
	assert_int_equal(secret.len, 3);
	assert_memory_equal(secret.bytes, "abc", 3);
	assert_true(is_zero(secret.bytes + 3, SECRET_MAX - 3));
	/* From inside itself. */
	assert_int_equal(secret_set(&secret, secret.bytes + 1, 2), 0);
	assert_memory_equal(secret.bytes, "bc\0", 3);
	assert_int_equal(secret_set(&secret, NULL, 0), 0);
	assert_int_equal(secret.len, 0);
	assert_true(is_zero(&secret, sizeof(secret)));
}

static void too_long_leaves_it_alone(void **state) {
	(void) state;
	uint8_t bytes[SECRET_MAX + 1];
	memset(bytes, 7, sizeof(bytes));
	struct secret secret = { .len = 1, .bytes = { 'x' } };
	assert_int_equal(secret_set(&secret, bytes, sizeof(bytes)), -ENOBUFS);
	assert_int_equal(secret.len, 1);
	assert_int_equal(secret.bytes[0], 'x');
	assert_int_equal(secret_set(&secret, bytes, SECRET_MAX), 0);
	assert_int_equal(secret.len, SECRET_MAX);
}

static void equality_needs_length_and_every_octet(void **state) {
	(void) state;
	struct secret a;
	struct secret b;
	secret_set_text(&a, "471100");
	secret_set_text(&b, "471100");
	assert_true(secret_equal(&a, &b));
	secret_set_text(&b, "471101");
	assert_false(secret_equal(&a, &b));
	secret_set_text(&b, "571100");
	assert_false(secret_equal(&a, &b));
	secret_set_text(&b, "47110");
	assert_false(secret_equal(&a, &b));
	/* A trailing zero octet is not the same as nothing. */
	secret_set(&a, "x\0", 2);
	secret_set(&b, "x", 1);
	assert_false(secret_equal(&a, &b));
	secret_set(&a, NULL, 0);
	secret_set(&b, NULL, 0);
	assert_true(secret_equal(&a, &b));
}

static void hint_shows_length_and_one_octet(void **state) {
	(void) state;
	struct secret secret;
	char out[12];
	secret_set(&secret, "\x4f\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 16);
	assert_string_equal(secret_hint(&secret, out), "16:4f..");
	secret_set(&secret, NULL, 0);
	assert_string_equal(secret_hint(&secret, out), "0:");
	memset(&secret, 0xab, sizeof(secret));
	secret.len = SECRET_MAX;
	assert_string_equal(secret_hint(&secret, out), "384:ab..");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wipe_leaves_nothing),
		cmocka_unit_test(setting_replaces_and_clears_the_rest),
		cmocka_unit_test(too_long_leaves_it_alone),
		cmocka_unit_test(equality_needs_length_and_every_octet),
		cmocka_unit_test(hint_shows_length_and_one_octet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
