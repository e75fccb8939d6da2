/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/when.h"

#include <errno.h>
#include <time.h>

#include "test.h"

static void every_day_of_five_centuries_agrees_with_the_c_library(void **state) {
	(void) state;
	for (int64_t day = -135140; day < 47482; day++) { /* 1600 to 2100 */
		int64_t s = day * 86400 + (day * 7919 % 86400 + 86400) % 86400;
		time_t t = s;
		struct tm tm;
		assert_non_null(gmtime_r(&t, &tm));
		struct civil c = wall_to_civil((wall_t){ s });
		if (c.year != tm.tm_year + 1900 || c.month != tm.tm_mon + 1 ||
			c.day != tm.tm_mday || c.hour != tm.tm_hour || c.minute != tm.tm_min ||
			c.second != tm.tm_sec) {
			fail_msg("day %lld differs", (long long) day);
		}
		wall_t back = { -1 };
		assert_int_equal(wall_from_civil(&c, &back), 0);
		if (back.s != s) {
			fail_msg("day %lld does not come back", (long long) day);
		}
	}
}

static void known_instants(void **state) {
	(void) state;
	wall_t wall = { 1 };
	assert_int_equal(wall_from_civil(&(struct civil){ 1970, 1, 1, 0, 0, 0 }, &wall), 0);
	assert_true(wall.s == 0);
	assert_int_equal(wall_from_civil(&(struct civil){ 2038, 1, 19, 3, 14, 8 }, &wall), 0);
	assert_true(wall.s == INT64_C(2147483648));
	assert_int_equal(wall_from_civil(&(struct civil){ 2000, 2, 29, 23, 59, 59 }, &wall), 0);
	assert_true(wall.s == INT64_C(951868799));
	assert_int_equal(wall_from_civil(&(struct civil){ 1, 1, 1, 0, 0, 0 }, &wall), 0);
	assert_true(wall.s == INT64_C(-62135596800));
}

static void impossible_dates_are_refused(void **state) {
	(void) state;
	static const struct civil bad[] = {
		{ 2026, 0, 1, 0, 0, 0 },
		{ 2026, 13, 1, 0, 0, 0 },
		{ 2026, 1, 0, 0, 0, 0 },
		{ 2026, 1, 32, 0, 0, 0 },
		{ 2026, 4, 31, 0, 0, 0 },
		{ 2026, 2, 29, 0, 0, 0 },
		{ 1900, 2, 29, 0, 0, 0 },
		{ 2026, 1, 1, 24, 0, 0 },
		{ 2026, 1, 1, -1, 0, 0 },
		{ 2026, 1, 1, 0, 60, 0 },
		{ 2026, 1, 1, 0, 0, 60 },
		{ 0, 1, 1, 0, 0, 0 },
		{ 10000, 1, 1, 0, 0, 0 },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wall_t wall = { 42 };
		assert_int_equal(wall_from_civil(&bad[i], &wall), -EINVAL);
		assert_true(wall.s == 42);
	}
	wall_t wall;
	assert_int_equal(wall_from_civil(&(struct civil){ 2024, 2, 29, 0, 0, 0 }, &wall), 0);
	assert_int_equal(wall_from_civil(&(struct civil){ 2000, 2, 29, 0, 0, 0 }, &wall), 0);
}

static void text_is_iso_8601_or_never(void **state) {
	(void) state;
	char text[WALL_TEXT_MAX];
	assert_string_equal(wall_to_text((wall_t){ 1795327200 }, text), "2026-11-22T06:00:00Z");
	assert_string_equal(wall_to_text((wall_t){ 0 }, text), "never");
	assert_string_equal(wall_to_text((wall_t){ -1 }, text), "1969-12-31T23:59:59Z");
	/* Nonsense from a database or a lock is clamped and never overruns. */
	assert_string_equal(wall_to_text((wall_t){ INT64_MAX }, text), "9999-12-31T23:59:59Z");
	assert_string_equal(wall_to_text((wall_t){ INT64_MIN }, text), "0001-01-01T00:00:00Z");
}

static void never_stays_never(void **state) {
	(void) state;
	mono_t now = { 1000 };
	assert_true(mono_after(MONO_NEVER, 5).ms == INT64_MAX);
	assert_true(mono_after(MONO_NEVER, -5).ms == INT64_MAX);
	assert_true(mono_after(now, 5).ms == 1005);
	assert_false(mono_is_due(MONO_NEVER, now));
	assert_true(mono_is_due(now, now));
	assert_false(mono_is_due(mono_after(now, 1), now));
	assert_true(mono_min(now, MONO_NEVER).ms == 1000);
	assert_true(mono_min(MONO_NEVER, now).ms == 1000);
	assert_true(mono_since(now, mono_after(now, 7)) == 7);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_of_five_centuries_agrees_with_the_c_library),
		cmocka_unit_test(known_instants),
		cmocka_unit_test(impossible_dates_are_refused),
		cmocka_unit_test(text_is_iso_8601_or_never),
		cmocka_unit_test(never_stays_never),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
