/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Cells: their curves, what load, cold, age and rest make of them, and what a lock takes them for.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cells.h"

#define MINUTE_MS 60000

static const mono_t t0 = { 1000000 };
static const enum cell_chemistry all[] = { CELL_ALKALINE, CELL_LITHIUM, CELL_NIMH };
#define N_ALL (sizeof(all) / sizeof(all[0]))

static void names_go_both_ways(void **state) {
	for (size_t i = 0; i < N_ALL; i++) {
		enum cell_chemistry back = CELL_ALKALINE;
		assert_int_equal(cell_chemistry_from_name(cell_chemistry_name(all[i]), &back), 0);
		assert_int_equal(back, all[i]);
	}
	enum cell_chemistry untouched = CELL_NIMH;
	assert_int_equal(cell_chemistry_from_name("zinc", &untouched), -EINVAL);
	assert_int_equal(untouched, CELL_NIMH);
}

static void a_lock_that_knows_its_cells_tells_their_charge(void **state) {
	for (size_t i = 0; i < N_ALL; i++) {
		unsigned last = UINT32_MAX;
		for (int percent = 100; percent >= 0; percent--) {
			struct cells cells;
			cells_init(&cells, all[i]);
			cells_draw(&cells, 100 - percent);
			unsigned mv = cells_rest_mv(&cells, t0);
			assert_true(mv < last);
			last = mv;
			unsigned told = cells_percent_of_mv(all[i], mv);
			assert_in_range(told, percent == 0 ? 0 : percent - 1, percent + 1);
		}
	}
	assert_int_equal(cells_percent_of_mv(CELL_ALKALINE, 0), 0);
	assert_int_equal(cells_percent_of_mv(CELL_ALKALINE, 9000), 100);
}

static void a_lock_that_takes_them_for_others_is_wrong(void **state) {
	struct cells cells;
	cells_init(&cells, CELL_NIMH);
	cells_draw(&cells, 20);
	unsigned mv = cells_rest_mv(&cells, t0);
	assert_int_equal(cells_percent_of_mv(CELL_NIMH, mv), 80);
	assert_in_range(cells_percent_of_mv(CELL_ALKALINE, mv), 40, 60);
	cells_init(&cells, CELL_LITHIUM);
	cells_draw(&cells, 80);
	assert_in_range(cells_percent_of_mv(CELL_ALKALINE, cells_rest_mv(&cells, t0)), 80, 90);
}

static unsigned milliohm(double percent, double days, double celsius, double worn) {
	struct cells cells;
	cells_init(&cells, CELL_ALKALINE);
	cells_draw(&cells, 100 - percent);
	cells.age_days = days;
	cells.celsius = celsius;
	cells.worn = worn;
	return cells_milliohm(&cells);
}

static void resistance_grows_with_use_age_and_cold(void **state) {
	assert_int_equal(milliohm(100, 0, 21, 1), 300);
	assert_int_equal(milliohm(100, 0, 35, 1), 300);
	assert_in_range(milliohm(20, 0, 21, 1), 500, 600);
	assert_in_range(milliohm(100, 1000, 21, 1), 340, 380);
	assert_in_range(milliohm(100, 0, -9, 1), 500, 600);
	assert_int_equal(milliohm(100, 0, 21, 3), 900);
}

static void cold_lowers_what_is_told_and_warmth_gives_it_back(void **state) {
	struct cells cells;
	cells_init(&cells, CELL_ALKALINE);
	cells_draw(&cells, 40);
	unsigned warm = cells_percent_of_mv(CELL_ALKALINE, cells_rest_mv(&cells, t0));
	cells.celsius = -10;
	unsigned cold = cells_percent_of_mv(CELL_ALKALINE, cells_rest_mv(&cells, t0));
	assert_int_equal(warm, 60);
	assert_in_range(cold, 35, 52);
	cells.celsius = 21;
	assert_int_equal(cells_percent_of_mv(CELL_ALKALINE, cells_rest_mv(&cells, t0)), 60);
}

static void good_cells_sag_little_and_are_themselves_at_once(void **state) {
	struct cells cells;
	cells_init(&cells, CELL_ALKALINE);
	unsigned before = cells_rest_mv(&cells, t0);
	assert_int_equal(cells_load_mv(&cells, 420, t0), before - 126);
	assert_int_equal(cells_rest_mv(&cells, t0), before);
}

static void worn_cells_sag_and_come_back_with_rest(void **state) {
	struct cells cells;
	cells_init(&cells, CELL_ALKALINE);
	cells_draw(&cells, 50);
	cells.worn = 4;
	unsigned before = cells_rest_mv(&cells, t0);
	unsigned loaded = cells_load_mv(&cells, 420, t0);
	assert_in_range(before - loaded, 700, 900);
	unsigned after = cells_rest_mv(&cells, t0);
	unsigned soon = cells_rest_mv(&cells, mono_after(t0, 2 * MINUTE_MS));
	unsigned later = cells_rest_mv(&cells, mono_after(t0, 120 * MINUTE_MS));
	assert_in_range(before - after, 40, 100);
	/* Half of it in two minutes. */
	assert_in_range(before - soon, (before - after) / 2 - 1, (before - after) / 2 + 1);
	assert_int_equal(later, before);
	/* One run after the other takes more, but not without end. */
	for (int i = 0; i < 100; i++) {
		cells_load_mv(&cells, 1350, t0);
	}
	assert_in_range(cells_rest_mv(&cells, t0), before - 200, before - 190);
}

static void empty_ones_give_nothing_more(void **state) {
	struct cells cells;
	cells_init(&cells, CELL_NIMH);
	cells_draw(&cells, 250);
	assert_true(cells.percent == 0);
	cells.worn = 20;
	assert_int_equal(cells_load_mv(&cells, 60000, t0), 0);
	cells.celsius = -1000;
	assert_int_equal(cells_rest_mv(&cells, t0), 0);
}

static void what_lies_loses_charge_nimh_most(void **state) {
	double left[N_ALL];
	for (size_t i = 0; i < N_ALL; i++) {
		struct cells cells;
		cells_init(&cells, all[i]);
		for (int day = 0; day < 100; day++) {
			cells_age(&cells, 1);
		}
		assert_true(cells.age_days == 100);
		left[i] = cells.percent;
	}
	assert_in_range((int) left[CELL_ALKALINE], 85, 90);
	assert_true(left[CELL_LITHIUM] > left[CELL_ALKALINE]);
	assert_in_range((int) left[CELL_NIMH], 70, 80);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(a_lock_that_knows_its_cells_tells_their_charge),
		cmocka_unit_test(a_lock_that_takes_them_for_others_is_wrong),
		cmocka_unit_test(resistance_grows_with_use_age_and_cold),
		cmocka_unit_test(cold_lowers_what_is_told_and_warmth_gives_it_back),
		cmocka_unit_test(good_cells_sag_little_and_are_themselves_at_once),
		cmocka_unit_test(worn_cells_sag_and_come_back_with_rest),
		cmocka_unit_test(empty_ones_give_nothing_more),
		cmocka_unit_test(what_lies_loses_charge_nimh_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
