/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What care reckons with; the tasks themselves: tests/hub/test-care.py. */

#include "test.h"

#include "care.h"

static void versions_are_compared_by_their_numbers(void **state) {
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = {
		{ "3.5.2", "3.5.2", 0 },
		{ "3.5.2", "3.10", -1 },
		{ "3.10", "3.9.99", 1 },
		{ "2.12.4", "2.12", 1 },
		{ "2.12", "2.12.0", 0 },
		{ "10", "9.9.9", 1 },
		{ "", "1", -1 },
		{ "", "", 0 },
		{ "2.beta", "2.alpha", 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int there = care_compare_versions(rows[i].a, rows[i].b);
		int back = care_compare_versions(rows[i].b, rows[i].a);
		if ((there > 0) - (there < 0) != rows[i].order ||
			(back > 0) - (back < 0) != -rows[i].order) {
			fail_msg("%s against %s: %d, and back %d", rows[i].a, rows[i].b, there,
				back);
		}
	}
}

static void medians_take_the_newest_alone(void **state) {
	struct care care = { 0 };
	AUTO(json_decref)
	json_t *history = json_pack("{s:{s:[[i,i],[i,i],[i,i],[i,i]]}}", "samples", "lock_ms", 1,
		9000, 2, 100, 3, 300, 4, 200);
	care.history = history;
	assert_int_equal(care_median_sample(&care, "lock_ms", 3), 200);
	assert_int_equal(care_median_sample(&care, "lock_ms", 1), 200);
	assert_int_equal(care_median_sample(&care, "lock_ms", 2), 300);
	assert_int_equal(care_median_sample(&care, "unlock_ms", 3), -1);
}

static void links_are_counted_over_the_last_days(void **state) {
	struct care care = { 0 };
	AUTO(json_decref)
	json_t *history = json_pack("{s:[{s:i,s:i},{s:i,s:i},{s:i}]}", "days", "attempts", 1000,
		"failures", 1000, "attempts", 6, "failures", 1, "attempts", 4);
	care.history = history;
	assert_int_equal(care_link_percent(&care, 2), 90);
	assert_int_equal(care_link_percent(&care, 1), -1);
	assert_int_equal(care_link_percent(&care, 7), 0);
}

static void batteries_are_told_as_the_lock_tells_them(void **state) {
	char text[CARE_TEXT_MAX];
	AUTO(json_decref)
	json_t *full = json_pack("{s:i, s:s}", "battery_percent", 82, "battery_level", "ok");
	AUTO(json_decref)
	json_t *words = json_pack("{s:n, s:s}", "battery_percent", "battery_level", "warning");
	AUTO(json_decref) json_t *nothing = json_object();
	assert_string_equal(care_battery_text(full, text), "82 %, ok");
	assert_string_equal(care_battery_text(words, text), "warning");
	assert_string_equal(care_battery_text(nothing, text), "unknown");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_compared_by_their_numbers),
		cmocka_unit_test(medians_take_the_newest_alone),
		cmocka_unit_test(links_are_counted_over_the_last_days),
		cmocka_unit_test(batteries_are_told_as_the_lock_tells_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
