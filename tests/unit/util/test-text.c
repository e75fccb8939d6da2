/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/text.h"

#include <errno.h>

#include "test.h"
#include "util/auto.h"

static void equal_knows_null(void **state) {
	(void) state;
	assert_true(text_equal("a", "a"));
	assert_false(text_equal("a", "A"));
	assert_true(text_equal(NULL, NULL));
	assert_false(text_equal(NULL, ""));
	assert_false(text_equal("", NULL));
}

static void copy_cuts_between_characters(void **state) {
	(void) state;
	char out[6];
	assert_true(text_copy(out, sizeof(out), "hello"));
	assert_string_equal(out, "hello");
	assert_false(text_copy(out, sizeof(out), "hello!"));
	assert_string_equal(out, "hello");
	assert_true(text_copy(out, sizeof(out), ""));
	assert_string_equal(out, "");
	assert_false(text_copy(out, 1, "x"));
	assert_string_equal(out, "");
	/* Two, three and four octets, cut at each place inside. */
	assert_false(text_copy(out, sizeof(out), "abcd\xc3\xbc"));
	assert_string_equal(out, "abcd");
	assert_true(text_copy(out, sizeof(out), "abc\xc3\xbc"));
	assert_string_equal(out, "abc\xc3\xbc");
	assert_false(text_copy(out, sizeof(out), "abc\xe2\x82\xac"));
	assert_string_equal(out, "abc");
	assert_false(text_copy(out, sizeof(out), "ab\xf0\x9f\x94\x92"));
	assert_string_equal(out, "ab");
	assert_true(text_copy(out, sizeof(out), "a\xf0\x9f\x94\x92"));
	assert_string_equal(out, "a\xf0\x9f\x94\x92");
}

static void copy_of_what_is_not_utf8_ends(void **state) {
	(void) state;
	char out[4];
	assert_false(text_copy(out, sizeof(out), "\x80\x80\x80\x80\x80\x80"));
	assert_int_equal(strlen(out), 3);
	assert_false(text_copy(out, 2, "\x80\x80"));
	assert_int_equal(strlen(out), 1);
}

struct sample {
	const char *bytes;
	size_t n;
	bool is_utf8;
	bool is_clean;
};

#define S(text, utf8, clean)                                                                       \
	{ text, sizeof(text) - 1, utf8, clean }

static void utf8_is_told_from_octets(void **state) {
	(void) state;
	static const struct sample samples[] = {
		S("", true, true),
		S("Front Door", true, true),
		S("Haust\xc3\xbcr", true, true),
		S("\xe2\x82\xac", true, true),
		S("\xf0\x9f\x94\x92", true, true),
		S("\xf4\x8f\xbf\xbf", true, true), /* U+10FFFF */
		S("\xed\x9f\xbf", true, true),     /* last before the surrogates */
		S("\xee\x80\x80", true, true),     /* first after them */
		S("a\tb", true, false),
		S("a\nb", true, false),
		S("\x1b[31m", true, false), /* a terminal would obey */
		S("\x7f", true, false),
		S("\xc2\x85", true, false), /* NEL, a C1 control */
		S("\xc2\x9b", true, false), /* CSI in one character */
		S("\xc2\xa0", true, true),
		S("\xe2\x80\xa7", true, true),
		S("\xe2\x80\xa8", true, false), /* line separator */
		S("\xe2\x80\xae", true, false), /* from right to left from here on */
		S("\xe2\x80\xaf", true, true),
		S("\xe2\x81\xa5", true, true),
		S("\xe2\x81\xa6", true, false), /* a direction of its own */
		S("\xe2\x81\xa9", true, false),
		S("\xe2\x81\xaa", true, true),
		S("a\0b", true, false),
		S("\x80", false, false),
		S("\xc3", false, false),
		S("\xc3(", false, false),
		S("\xe2\x82", false, false),
		S("\xc0\x80", false, false), /* overlong zero */
		S("\xc1\xbf", false, false),
		S("\xe0\x9f\xbf", false, false),     /* overlong */
		S("\xf0\x8f\xbf\xbf", false, false), /* overlong */
		S("\xed\xa0\x80", false, false),     /* surrogate */
		S("\xf4\x90\x80\x80", false, false), /* above U+10FFFF */
		S("\xf8\x88\x80\x80\x80", false, false),
		S("\xff", false, false),
	};
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		if (text_is_utf8(samples[i].bytes, samples[i].n) != samples[i].is_utf8 ||
			text_is_clean(samples[i].bytes, samples[i].n) != samples[i].is_clean) {
			fail_msg("sample %zu judged wrongly", i);
		}
	}
}

static void sanitized_text_is_clean(void **state) {
	(void) state;
	char text[] = "a\n\xc3\xbc\x80\xe2\x82\x1b[0m\xc2\x85z";
	text_sanitize(text);
	assert_string_equal(text, "a?\xc3\xbc????[0m?z");
	/* Every octet at every place of a short text. */
	for (int c = 1; c < 256; c++) {
		char any[] = "\xe2\x82\xac"
			     "abc";
		for (size_t i = 0; i < sizeof(any) - 1; i++) {
			char copy[sizeof(any)];
			memcpy(copy, any, sizeof(any));
			copy[i] = (char) c;
			text_sanitize(copy);
			assert_true(text_is_clean(copy, strlen(copy)));
			assert_true(strlen(copy) <= sizeof(any) - 1);
		}
	}
}

static void slugs(void **state) {
	(void) state;
	static const char *const rows[][2] = {
		{ "Front Door", "front-door" },
		{ "  --Front__Door!!  ", "front-door" },
		{ "Haust\xc3\xbcr", "haustuer" },
		{ "STRA\xc3\x9f"
		  "E 5",
			"strasse-5" },
		{ "Caf\xc3\xa9", "cafe" },
		{ "Anna's door", "annas-door" },
		{ "\xe7\x8e\x84\xe5\x85\xb3", "lock" },
		{ "", "lock" },
		{ "---", "lock" },
		{ "\xff\xfe"
		  "a\xff"
		  "b",
			"a-b" },
		{ "3 x 4", "3-x-4" },
	};
	char out[16];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		text_slug(rows[i][0], out, sizeof(out));
		assert_string_equal(out, rows[i][1]);
	}
	/* Cut without a dash at the end, and not inside of a replacement. */
	text_slug("abcdefghijklmn opq", out, sizeof(out));
	assert_string_equal(out, "abcdefghijklmn");
	text_slug("abcdefghijklmn\xc3\xbc", out, sizeof(out));
	assert_string_equal(out, "abcdefghijklmn");
	text_slug("abcdefghijklmnopqrst", out, sizeof(out));
	assert_string_equal(out, "abcdefghijklmno");
}

static void nearest_suggests_only_what_is_near(void **state) {
	(void) state;
	static const char *const names[] = { "host", NULL, "port", "username", "password", "tls" };
	size_t n = ARRAY_SIZE(names);
	assert_string_equal(text_nearest("hots", names, n), "host"); /* a swap is one mistake */
	assert_string_equal(text_nearest("prt", names, n), "port");
	assert_string_equal(text_nearest("Passwrd", names, n), "password");
	assert_string_equal(text_nearest("usrename", names, n), "username");
	assert_string_equal(text_nearest("user_name", names, n), "username");
	assert_string_equal(text_nearest("tls", names, n), "tls");
	assert_null(text_nearest("battery", names, n));
	assert_null(text_nearest("x", names, n));
	assert_null(text_nearest("", names, n));
	assert_null(text_nearest("host", names, 0));
	char large[200];
	memset(large, 'h', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	assert_null(text_nearest(large, names, n));
	large[64] = '\0'; /* the longest that is compared */
	assert_null(text_nearest(large, names, n));
}

static void nearest_prefers_the_nearer(void **state) {
	(void) state;
	static const char *const names[] = { "unlock", "lock", "locks", "unlatch" };
	assert_string_equal(text_nearest("lok", names, 4), "lock");
	assert_string_equal(text_nearest("unlok", names, 4), "unlock");
	assert_string_equal(text_nearest("locks", names, 4), "locks");
	assert_string_equal(text_nearest("unlach", names, 4), "unlatch");
}

static void numbers_are_digits_within_limits(void **state) {
	(void) state;
	uint64_t value = 7;
	assert_int_equal(text_to_u64("0", 0, 10, &value), 0);
	assert_true(value == 0);
	assert_int_equal(text_to_u64("0010", 0, 10, &value), 0);
	assert_true(value == 10);
	assert_int_equal(text_to_u64("18446744073709551615", 0, UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
	value = 7;
	assert_int_equal(text_to_u64("18446744073709551616", 0, UINT64_MAX, &value), -ERANGE);
	assert_int_equal(text_to_u64("99999999999999999999999", 0, UINT64_MAX, &value), -ERANGE);
	assert_int_equal(text_to_u64("11", 0, 10, &value), -ERANGE);
	assert_int_equal(text_to_u64("4", 5, 10, &value), -ERANGE);
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1.0", "1e3", "one",
		"99999999999999999999999x" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(text_to_u64(bad[i], 0, UINT64_MAX, &value), -EINVAL);
	}
	assert_true(value == 7);
}

static void names_of_enums_go_both_ways(void **state) {
	(void) state;
	static const struct name_row rows[] = { { 1, "one" }, { -2, "minus-two" } };
	assert_string_equal(name_of(rows, 2, -2), "minus-two");
	assert_string_equal(name_of(rows, 2, 3), "?");
	int value = 9;
	assert_int_equal(name_to(rows, 2, "one", &value), 0);
	assert_int_equal(value, 1);
	value = 9;
	assert_int_equal(name_to(rows, 2, "three", &value), -EINVAL);
	assert_int_equal(name_to(rows, 2, NULL, &value), -EINVAL);
	assert_int_equal(value, 9);
}

static void the_word_lock_is_filled_in(void **state) {
	(void) state;
	char out[32];
	assert_true(text_fill_lock("show LOCK", "front-door", out, sizeof(out)));
	assert_string_equal(out, "show front-door");
	assert_true(text_fill_lock("LOCK, LOCK.", "a", out, sizeof(out)));
	assert_string_equal(out, "a, a.");
	assert_true(text_fill_lock("UNLOCK LOCKED LOCK_ID", "a", out, sizeof(out)));
	assert_string_equal(out, "UNLOCK LOCKED LOCK_ID");
	assert_true(text_fill_lock("show LOCK", NULL, out, sizeof(out)));
	assert_string_equal(out, "show LOCK");
	assert_true(text_fill_lock("", "a", out, sizeof(out)));
	assert_string_equal(out, "");
	/* A slug that is itself the word is not filled in again. */
	assert_true(text_fill_lock("LOCK LOCK", "LOCK", out, sizeof(out)));
	assert_string_equal(out, "LOCK LOCK");

	for (size_t size = 1; size <= 16; size++) {
		memset(out, '#', sizeof(out));
		bool is_whole = text_fill_lock("show LOCK now", "front", out, size);
		assert_int_equal(is_whole, size > strlen("show front now"));
		assert_memory_equal(out, "show front now", strlen(out));
		assert_true(strlen(out) == (is_whole ? 14 : size - 1));
		assert_int_equal(out[size], '#');
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_knows_null),
		cmocka_unit_test(copy_cuts_between_characters),
		cmocka_unit_test(copy_of_what_is_not_utf8_ends),
		cmocka_unit_test(utf8_is_told_from_octets),
		cmocka_unit_test(sanitized_text_is_clean),
		cmocka_unit_test(slugs),
		cmocka_unit_test(nearest_suggests_only_what_is_near),
		cmocka_unit_test(nearest_prefers_the_nearer),
		cmocka_unit_test(numbers_are_digits_within_limits),
		cmocka_unit_test(names_of_enums_go_both_ways),
		cmocka_unit_test(the_word_lock_is_filled_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
