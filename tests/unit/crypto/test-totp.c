/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "crypto/crypto.h"
#include "crypto/totp.h"
#include "util/auto.h"

static struct secret rfc_key(void) {
	struct secret key;
	secret_set_text(&key, "12345678901234567890");
	return key;
}

/* RFC 6238, appendix B, SHA-1; the last six of its eight digits. */
static void passwords_are_those_of_the_rfc(void **state) {
	static const struct {
		int64_t at;
		const char *digits;
	} rows[] = {
		{ 59, "287082" },
		{ 1111111109, "081804" },
		{ 1111111111, "050471" },
		{ 1234567890, "005924" },
		{ 2000000000, "279037" },
		{ 20000000000, "353130" },
	};
	struct secret key = rfc_key();
	char digits[TOTP_DIGITS + 1];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		totp_make(&key, (wall_t){ rows[i].at }, digits);
		assert_string_equal(digits, rows[i].digits);
	}
}

static void a_password_counts_once_and_one_step_aside(void **state) {
	struct secret key = rfc_key();
	const int64_t now = 1111111111, step = now / TOTP_STEP_S;
	char digits[TOTP_DIGITS + 1];
	int64_t found = 0;
	for (int64_t aside = -2; aside <= 2; aside++) {
		totp_make(&key, (wall_t){ now + aside * TOTP_STEP_S }, digits);
		bool is_near = aside >= -1 && aside <= 1;
		found = 0;
		assert_int_equal(totp_check(&key, digits, 6, (wall_t){ now }, 0, &found),
			is_near ? 0 : -EACCES);
		assert_int_equal(found, is_near ? step + aside : 0);
		if (is_near) {
			/* Neither again, nor an earlier one after a later. */
			assert_int_equal(
				totp_check(&key, digits, 6, (wall_t){ now }, step + aside, &found),
				-EACCES);
			assert_int_equal(totp_check(&key, digits, 6, (wall_t){ now },
						 step + aside - 1, &found),
				0);
		}
	}
}

static void rubbish_is_wrong(void **state) {
	struct secret key = rfc_key(), none = { 0 };
	int64_t step = 42;
	wall_t now = { 59 };
	assert_int_equal(totp_check(&key, "287083", 6, now, 0, &step), -EACCES);
	assert_int_equal(totp_check(&key, "28708", 5, now, 0, &step), -EACCES);
	assert_int_equal(totp_check(&key, "2870822", 7, now, 0, &step), -EACCES);
	assert_int_equal(totp_check(&key, "", 0, now, 0, &step), -EACCES);
	assert_int_equal(totp_check(&none, "287082", 6, now, 0, &step), -EACCES);
	assert_int_equal(totp_check(&key, "287082", 6, (wall_t){ 0 }, 0, &step), -EACCES);
	assert_int_equal(step, 42);
	assert_int_equal(totp_check(&key, "287082", 6, now, 0, &step), 0);
}

static void the_uri_is_escaped(void **state) {
	struct secret key = rfc_key();
	char uri[TOTP_URI_MAX], name[300];
	assert_int_equal(totp_uri(&key, "Änne & Söhne", "lockhub", uri), 0);
	assert_string_equal(uri, "otpauth://totp/lockhub:%C3%84nne%20%26%20S%C3%B6hne"
				 "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=lockhub");
	memset(name, '%', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(totp_uri(&key, name, "lockhub", uri), -ENOBUFS);
	assert_int_equal(uri[0], '\0');
	/* 1 octet would have padding. */
	secret_set_text(&key, "1");
	assert_int_equal(totp_uri(&key, "a", "b", uri), 0);
	assert_null(strstr(strstr(uri, "secret=") + 7, "=&"));
	assert_non_null(strstr(uri, "secret=GE&"));
}

static void keys_are_new(void **state) {
	struct secret a = { 0 }, b = { 0 };
	totp_key_new(&a);
	totp_key_new(&b);
	assert_int_equal(a.len, TOTP_KEY_LEN);
	assert_false(secret_equal(&a, &b));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords_are_those_of_the_rfc),
		cmocka_unit_test(a_password_counts_once_and_one_step_aside),
		cmocka_unit_test(rubbish_is_wrong),
		cmocka_unit_test(the_uri_is_escaped),
		cmocka_unit_test(keys_are_new),
	};
	return crypto_setup() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
