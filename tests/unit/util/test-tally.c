/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/tally.h"

#include "test.h"
#include "util/radio.h"

#define AT(ms) ((mono_t){ 5000 + (ms) })
#define HOUR (INT64_C(3600) * 1000)

static void times_have_a_median_and_a_worst(void **state) {
	struct tally tally;
	(void) state;
	tally_begin(&tally, AT(0));
	assert_int_equal(tally_times(&tally).n, 0);
	tally_up(&tally, AT(1), 900);
	tally_up(&tally, AT(2), -5); /* never less than nothing */
	tally_up(&tally, AT(3), 300);
	struct tally_spread spread = tally_times(&tally);
	assert_int_equal(spread.n, 3);
	assert_int_equal(spread.least, 0);
	assert_int_equal(spread.median, 300);
	assert_int_equal(spread.most, 900);
	/* The oldest are forgotten, the worst with them. */
	for (int i = 0; i < TALLY_TIMES_MAX; i++) {
		tally_up(&tally, AT(4), 10 + i);
	}
	spread = tally_times(&tally);
	assert_int_equal(spread.n, TALLY_TIMES_MAX);
	assert_int_equal(spread.least, 10);
	assert_int_equal(spread.median, 10 + (TALLY_TIMES_MAX - 1) / 2);
	assert_int_equal(spread.most, 10 + TALLY_TIMES_MAX - 1);
}

static void strengths_are_a_bounded_history(void **state) {
	struct tally tally;
	(void) state;
	tally_begin(&tally, AT(0));
	assert_null(tally_strength_at(&tally, 0));
	tally_heard(&tally, AT(0), 0); /* not known is no strength */
	assert_int_equal(tally_strengths(&tally).n, 0);
	tally_heard(&tally, AT(0), -90);
	tally_heard(&tally, AT(TALLY_RSSI_APART_MS - 1), -20); /* too soon */
	assert_int_equal(tally_strengths(&tally).n, 1);
	for (int i = 1; i <= TALLY_RSSI_MAX; i++) {
		tally_heard(&tally, AT(i * (int64_t) TALLY_RSSI_APART_MS), (int16_t) (-40 - i % 5));
	}
	struct tally_spread spread = tally_strengths(&tally);
	assert_int_equal(spread.n, TALLY_RSSI_MAX); /* -90 is the one that went */
	assert_int_equal(spread.least, -44);
	assert_int_equal(spread.median, -42);
	assert_int_equal(spread.most, -40);
	assert_int_equal(tally_strength_at(&tally, 0)->dbm, -40 - TALLY_RSSI_MAX % 5);
	assert_int_equal(
		tally_strength_at(&tally, TALLY_RSSI_MAX - 1)->at.ms, AT(TALLY_RSSI_APART_MS).ms);
	assert_null(tally_strength_at(&tally, TALLY_RSSI_MAX));
}

static void days_are_windows_since_the_begin(void **state) {
	struct tally tally;
	(void) state;
	tally_begin(&tally, AT(0));
	tally_up(&tally, AT(HOUR), 1);
	tally_linked(&tally, AT(HOUR), AT(2 * HOUR));
	/* Over the end of the window: shared out. */
	tally_up(&tally, AT(23 * HOUR), 1);
	tally_linked(&tally, AT(23 * HOUR), AT(27 * HOUR));
	assert_int_equal(tally.link_ms_yesterday, 2 * HOUR);
	assert_int_equal(tally.link_ms_today, 3 * HOUR);
	assert_int_equal(tally.connects_yesterday, 2);
	assert_int_equal(tally.connects_today, 0);
	/* Longer than a day and a half: what lies before yesterday is dropped. */
	tally_linked(&tally, AT(40 * HOUR), AT(3 * 24 * HOUR + HOUR));
	assert_int_equal(tally.link_ms_yesterday, 24 * HOUR);
	assert_int_equal(tally.link_ms_today, HOUR);
	/* A gap leaves nothing behind, and a read in the same window changes nothing. */
	tally_roll(&tally, AT(30 * 24 * HOUR));
	assert_int_equal(tally.link_ms_yesterday, 0);
	assert_int_equal(tally.link_ms_today, 0);
	tally_up(&tally, AT(30 * 24 * HOUR + 1), 1);
	tally_roll(&tally, AT(31 * 24 * HOUR - 1));
	assert_int_equal(tally.connects_today, 1);
	tally_roll(&tally, AT(31 * 24 * HOUR));
	assert_int_equal(tally.connects_today, 0);
	assert_int_equal(tally.connects_yesterday, 1);
}

static void ends_have_names(void **state) {
	struct tally tally;
	(void) state;
	tally_begin(&tally, AT(0));
	for (unsigned i = 0; i < TALLY_END_COUNT_; i++) {
		assert_string_not_equal(tally_end_name(i), "?");
		tally_ended(&tally, i);
		assert_int_equal(tally.ends[i], 1);
	}
	assert_string_equal(tally_end_name(TALLY_END_COUNT_), "?");
}

static void quality_is_one_word(void **state) {
	struct radio_stats stats = { 0 };
	(void) state;
	tally_begin(&stats.tally, AT(0));
	assert_int_equal(radio_success_percent(&stats), -1);
	assert_string_equal(radio_quality(&stats), "unknown");
	stats.rssi = -70;
	assert_string_equal(radio_quality(&stats), "good");
	stats.rssi = -71;
	assert_string_equal(radio_quality(&stats), "fair");
	stats.rssi = -86;
	assert_string_equal(radio_quality(&stats), "poor");
	/* The median of the history counts more than the last value. */
	tally_heard(&stats.tally, AT(0), -60);
	assert_string_equal(radio_quality(&stats), "good");
	stats.connects = 8;
	stats.failures = 2;
	assert_int_equal(radio_success_percent(&stats), 80);
	assert_string_equal(radio_quality(&stats), "fair");
	stats.failures = 8;
	assert_string_equal(radio_quality(&stats), "poor");
	stats.connects = 0;
	assert_int_equal(radio_success_percent(&stats), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_have_a_median_and_a_worst),
		cmocka_unit_test(strengths_are_a_bounded_history),
		cmocka_unit_test(days_are_windows_since_the_begin),
		cmocka_unit_test(ends_have_names),
		cmocka_unit_test(quality_is_one_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
