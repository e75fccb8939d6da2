/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/zone.h"

#include "mock/fake-zone.h"
#include "test.h"

static const struct fake_zone berlin = FAKE_BERLIN;
/* Samoa left out the 30th of December 2011: UTC-10 became UTC+14. */
static const struct fake_zone samoa = { .zone = { .name = "Test/Apia", .offset = fake_zone_offset },
	.first = -36000,
	.changes = { { 1325239200, 50400 } } };
static const struct fake_zone utc = FAKE_UTC;

static int64_t local_of(int year, int month, int day, int hour, int minute) {
	struct civil civil = { year, month, day, hour, minute, 0 };
	wall_t wall;

	assert_int_equal(wall_from_civil(&civil, &wall), 0);
	return wall.s;
}

static void utc_is_itself(void **state) {
	(void) state;
	assert_true(zone_local(&utc.zone, (wall_t){ 1795000000 }) == 1795000000);
	assert_true(zone_first(&utc.zone, 1795000000).s == 1795000000);
	assert_true(zone_last(&utc.zone, 1795000000).s == 1795000000);
}

static void a_repeated_hour_has_two_moments(void **state) {
	int64_t local = local_of(2026, 10, 25, 2, 30);

	(void) state;
	assert_true(zone_first(&berlin.zone, local).s == 1792890000 - 1800);
	assert_true(zone_last(&berlin.zone, local).s == 1792890000 + 1800);
	local = local_of(2026, 10, 25, 3, 0);
	assert_true(zone_first(&berlin.zone, local).s == 1792890000 + 3600);
	assert_true(zone_last(&berlin.zone, local).s == 1792890000 + 3600);
	/* The first second that comes twice, and the last one that does not. */
	local = local_of(2026, 10, 25, 2, 0);
	assert_true(zone_first(&berlin.zone, local).s == 1792890000 - 3600);
	assert_true(zone_last(&berlin.zone, local).s == 1792890000);
	assert_true(zone_last(&berlin.zone, local - 1).s == 1792890000 - 3601);
}

static void a_skipped_hour_is_its_jump(void **state) {
	(void) state;
	for (int minute = 0; minute < 60; minute++) {
		int64_t local = local_of(2027, 3, 28, 2, minute);

		assert_true(zone_first(&berlin.zone, local).s == 1806195600);
		assert_true(zone_last(&berlin.zone, local).s == 1806195600);
	}
	assert_true(zone_first(&berlin.zone, local_of(2027, 3, 28, 3, 0)).s == 1806195600);
	assert_true(zone_first(&berlin.zone, local_of(2027, 3, 28, 1, 59)).s == 1806195540);
}

static void a_skipped_day_too(void **state) {
	(void) state;
	assert_true(zone_first(&samoa.zone, local_of(2011, 12, 30, 0, 0)).s == 1325239200);
	assert_true(zone_last(&samoa.zone, local_of(2011, 12, 30, 12, 0)).s == 1325239200);
	assert_true(zone_first(&samoa.zone, local_of(2011, 12, 31, 0, 0)).s == 1325239200);
	assert_true(zone_first(&samoa.zone, local_of(2011, 12, 29, 23, 59)).s == 1325239140);
}

/* Every minute of the weeks around the changes, against looking at each moment. */
static void all_moments_are_found_again(void **state) {
	(void) state;
	for (size_t i = 0; i < 4; i++) {
		int64_t change = berlin.changes[i].at;

		for (int64_t at = change - 3 * 86400; at < change + 3 * 86400; at += 60) {
			int64_t local = zone_local(&berlin.zone, (wall_t){ at });
			wall_t first = zone_first(&berlin.zone, local);
			wall_t last = zone_last(&berlin.zone, local);

			assert_true(zone_local(&berlin.zone, first) == local);
			assert_true(zone_local(&berlin.zone, last) == local);
			assert_true(at == first.s || at == last.s);
			assert_true(first.s == last.s || last.s - first.s == 3600);
			/* Both ways the clocks go back there or nothing happens. */
			assert_int_equal(first.s != last.s,
				i % 2 == 1 && local >= change + 3600 && local < change + 7200);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utc_is_itself),
		cmocka_unit_test(a_repeated_hour_has_two_moments),
		cmocka_unit_test(a_skipped_hour_is_its_jump),
		cmocka_unit_test(a_skipped_day_too),
		cmocka_unit_test(all_moments_are_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
