/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>

#include "crypto/crypto.h"
#include "crypto/password.h"
#include "util/auto.h"
#include "util/bytes.h"

static const uint8_t salt[PASSWORD_SALT_LEN] = "somesaltsomesalt";

/*
 * From the reference command line of Argon2 (Debian's package argon2 0~20171227-0.3+deb12u1):
 * printf passphrase | argon2 somesaltsomesalt -id -t 3 -k 1024 -p 1 -l 32 -r
 */
static void a_key_is_that_of_the_reference(void **state) {
	uint8_t key[32];
	char text[65];
	assert_int_equal(password_key("passphrase", 10, salt, 3, 1024, key), 0);
	assert_string_equal(hex_encode(key, sizeof(key), text),
		"07f247e41e00ec054725cde2cbe3489f4f1d4654efcedfc18500d5fcb2326bd1");
}

static void every_input_counts(void **state) {
	uint8_t first[32], other[32], other_salt[PASSWORD_SALT_LEN] = { 1 };
	assert_int_equal(password_key("passphrase", 10, salt, 1, 64, first), 0);
	assert_int_equal(password_key("passphrase", 9, salt, 1, 64, other), 0);
	assert_memory_not_equal(first, other, 32);
	assert_int_equal(password_key("passphrase", 10, other_salt, 1, 64, other), 0);
	assert_memory_not_equal(first, other, 32);
	assert_int_equal(password_key("passphrase", 10, salt, 2, 64, other), 0);
	assert_memory_not_equal(first, other, 32);
	assert_int_equal(password_key("passphrase", 10, salt, 1, 128, other), 0);
	assert_memory_not_equal(first, other, 32);
}

/* A file from outside says how much: it may not take the machine down. */
static void what_is_asked_for_has_limits(void **state) {
	uint8_t key[32] = { 42 };
	assert_int_equal(password_key("x", 1, salt, 0, 64, key), -EINVAL);
	assert_int_equal(password_key("x", 1, salt, PASSWORD_PASSES_MAX + 1, 64, key), -EINVAL);
	assert_int_equal(password_key("x", 1, salt, 1, 7, key), -EINVAL);
	assert_int_equal(password_key("x", 1, salt, 1, PASSWORD_KIB_MAX + 1, key), -EINVAL);
	assert_int_equal(key[0], 42);
}

static const char *weakness(const char *text) {
	return passphrase_weakness(text, strlen(text));
}

static void what_is_guessed_first_is_weak(void **state) {
	static const char *const weak[] = { "", "Ab3$xK9!qLz", "aaaaaaaaaaaaaaaa",
		"abcabcabcabcabc", "lockhublockhub", "abababcabababcab", "abcdefghijklmnop",
		"zyxwvutsrqponmlk", "Password12345", "1234567890123456", "qwertyuiop123" };
	for (size_t i = 0; i < ARRAY_SIZE(weak); i++) {
		if (weakness(weak[i]) == NULL) {
			fail_msg("'%s' is taken for strong", weak[i]);
		}
	}
}

static void what_is_long_and_mixed_is_not(void **state) {
	static const char *const strong[] = { "Ab3$xK9!qLzW", "correct horse battery staple",
		"T\xc3\xbcr und Angel im Herbst", "my password is a long sentence" };
	for (size_t i = 0; i < ARRAY_SIZE(strong); i++) {
		if (weakness(strong[i]) != NULL) {
			fail_msg("'%s': %s", strong[i], weakness(strong[i]));
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_that_of_the_reference),
		cmocka_unit_test(every_input_counts),
		cmocka_unit_test(what_is_asked_for_has_limits),
		cmocka_unit_test(what_is_guessed_first_is_weak),
		cmocka_unit_test(what_is_long_and_mixed_is_not),
	};
	return crypto_setup() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
