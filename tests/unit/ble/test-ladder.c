/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which step against a sick adapter is due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ladder.h"

#define ALL (1U << RUNG_DISCOVERY | 1U << RUNG_LINKS | 1U << RUNG_POWER | 1U << RUNG_SERVICE)
#define MILD (1U << RUNG_DISCOVERY | 1U << RUNG_LINKS)
#define MINUTE INT64_C(60000)

static enum ladder_rung climb(
	struct ladder *ladder, enum ladder_trouble trouble, unsigned allowed, int64_t at_ms) {
	return ladder_climb(ladder, trouble, allowed, (mono_t){ at_ms }, 100);
}

static void climbs_step_by_step(void **state) {
	struct ladder ladder = { 0 };

	(void) state;
	for (unsigned i = 0; i < RUNG_NONE; i++) {
		assert_int_equal(climb(&ladder, TROUBLE_DEAF, ALL, i * MINUTE), i);
	}
	/* Nothing is heard for hours: nothing more is done. */
	assert_int_equal(climb(&ladder, TROUBLE_DEAF, ALL, 600 * MINUTE), RUNG_NONE);
}

static void leaves_out_what_is_not_allowed(void **state) {
	struct ladder ladder = { 0 };

	(void) state;
	assert_int_equal(climb(&ladder, TROUBLE_DEAF, MILD, 0), RUNG_DISCOVERY);
	assert_int_equal(climb(&ladder, TROUBLE_DEAF, MILD, MINUTE), RUNG_LINKS);
	assert_int_equal(climb(&ladder, TROUBLE_DEAF, MILD, 2 * MINUTE), RUNG_ALARM);
}

static void begins_where_it_can_help(void **state) {
	struct ladder failing = { 0 }, stuck = { 0 }, shared = { 0 };

	(void) state;
	assert_int_equal(climb(&failing, TROUBLE_FAILING, ALL, 0), RUNG_LINKS);
	assert_int_equal(climb(&stuck, TROUBLE_STUCK, ALL, 0), RUNG_POWER);
	assert_int_equal(climb(&shared, TROUBLE_STUCK, MILD, 0), RUNG_ALARM);
}

static void gives_each_step_time(void **state) {
	struct ladder ladder = { 0 };

	(void) state;
	assert_int_equal(climb(&ladder, TROUBLE_FAILING, ALL, 0), RUNG_LINKS);
	assert_int_equal(climb(&ladder, TROUBLE_FAILING, ALL, LADDER_PAUSE_MS - 1), RUNG_NONE);
	assert_int_equal(climb(&ladder, TROUBLE_FAILING, ALL, LADDER_PAUSE_MS), RUNG_POWER);
}

static void takes_no_step_twice_in_five_minutes(void **state) {
	struct ladder ladder = { 0 };

	(void) state;
	assert_int_equal(climb(&ladder, TROUBLE_STUCK, ALL, 0), RUNG_POWER);
	ladder_is_well(&ladder);
	assert_int_equal(climb(&ladder, TROUBLE_STUCK, ALL, LADDER_STEP_MS - 1), RUNG_NONE);
	assert_int_equal(climb(&ladder, TROUBLE_STUCK, ALL, LADDER_STEP_MS), RUNG_POWER);
	assert_int_equal(climb(&ladder, TROUBLE_STUCK, ALL, LADDER_STEP_MS + MINUTE), RUNG_SERVICE);
}

static void begins_again_after_the_alarm(void **state) {
	struct ladder ladder = { 0 };

	(void) state;
	assert_int_equal(climb(&ladder, TROUBLE_STUCK, MILD, 0), RUNG_ALARM);
	assert_int_equal(climb(&ladder, TROUBLE_STUCK, MILD, LADDER_STEP_MS - 1), RUNG_NONE);
	assert_int_equal(climb(&ladder, TROUBLE_STUCK, MILD, LADDER_STEP_MS), RUNG_ALARM);
}

static void well_means_from_the_foot(void **state) {
	struct ladder ladder = { 0 };

	(void) state;
	assert_int_equal(climb(&ladder, TROUBLE_DEAF, MILD, 0), RUNG_DISCOVERY);
	assert_int_equal(climb(&ladder, TROUBLE_DEAF, MILD, MINUTE), RUNG_LINKS);
	assert_int_equal(climb(&ladder, TROUBLE_DEAF, MILD, 2 * MINUTE), RUNG_ALARM);
	ladder_is_well(&ladder);
	assert_int_equal(climb(&ladder, TROUBLE_DEAF, MILD, 20 * MINUTE), RUNG_DISCOVERY);
}

static void names_every_step(void **state) {
	(void) state;
	for (unsigned i = 0; i <= RUNG_NONE; i++) {
		assert_non_null(ladder_rung_name((enum ladder_rung) i));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(climbs_step_by_step),
		cmocka_unit_test(leaves_out_what_is_not_allowed),
		cmocka_unit_test(begins_where_it_can_help),
		cmocka_unit_test(gives_each_step_time),
		cmocka_unit_test(takes_no_step_twice_in_five_minutes),
		cmocka_unit_test(begins_again_after_the_alarm),
		cmocka_unit_test(well_means_from_the_foot),
		cmocka_unit_test(names_every_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
