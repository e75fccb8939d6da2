/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/terms.h"

#include <errno.h>

#include "test.h"

/* The numbers are Matter's and stand in databases: they must never move. */
static void numbers_are_matters(void **state) {
	(void) state;
	assert_int_equal(LOCK_STATE_NOT_FULLY_LOCKED, 0);
	assert_int_equal(LOCK_STATE_LOCKED, 1);
	assert_int_equal(LOCK_STATE_UNLATCHED, 3);
	assert_int_equal(DOOR_STATE_AJAR, 5);
	assert_int_equal(OPERATION_UNLATCH, 4);
	assert_int_equal(SOURCE_BIOMETRIC, 9);
	assert_int_equal(OPERATION_ERROR_INSUFFICIENT_BATTERY, 4);
	assert_int_equal(ALARM_FORCED_USER, 8);
	assert_int_equal(ALARM_RADIO_POWER_CYCLED, 3);
	assert_int_equal(BATTERY_CRITICAL, 2);
}

static void names_go_both_ways(void **state) {
	enum act act = ACT_NONE;

	(void) state;
	for (enum act a = ACT_NONE; a < ACT_COUNT_; a++) {
		assert_string_not_equal(act_name(a), "?");
		assert_int_equal(act_from_name(act_name(a), &act), 0);
		assert_int_equal(act, a);
	}
	assert_int_equal(act_from_name("Unlock", &act), -EINVAL);
	assert_int_equal(act, ACT_COUNT_ - 1);
	assert_string_equal(act_name((enum act) 99), "?");
}

static void only_motor_acts_move(void **state) {
	(void) state;
	assert_true(act_moves_motor(ACT_LOCK));
	assert_true(act_moves_motor(ACT_UNLATCH));
	assert_true(act_moves_motor(ACT_CALIBRATE));
	assert_false(act_moves_motor(ACT_READ_STATE));
	assert_false(act_moves_motor(ACT_PAIR));
	assert_false(act_moves_motor((enum act) 200));
	assert_int_equal(act_operation(ACT_LOCK_N_GO_UNLATCH), OPERATION_UNLATCH);
	assert_int_equal(act_operation(ACT_CALIBRATE), OPERATION_NONE);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_matters),
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(only_motor_acts_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
