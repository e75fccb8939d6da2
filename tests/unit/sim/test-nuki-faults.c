/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ways in which the virtual Nuki fails its owner, and what it says of them. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "nuki-client.h"
#include "util/bytes.h"
#include "util/text.h"

static const uint32_t pin = 1234;
static const uint8_t want_states[] = { NUKI_STATES, 0 };
static const uint8_t want_battery[] = { NUKI_BATTERY_REPORT, 0 };
static const uint8_t unlock_args[] = { NUKI_ACTION_UNLOCK, 0, 0, 0, 0, 0 };
static const uint8_t lock_args[] = { NUKI_ACTION_LOCK, 0, 0, 0, 0, 0 };

static int setup_crypto(void **state) {
	return crypto_setup();
}

struct hung {
	struct bench bench;
	const struct nuki_auth *auth;
	int link;
};

static void hang(struct hung *hung, const char *key, const char *value) {
	const char *const extra[] = { "pin", "1234", "keypad", "1", "sensor", "1", "idle", "0", key,
		value, NULL };
	bench_init(&hung->bench, "nuki:gen4", extra);
	hung->auth = bench_auth(&hung->bench, NUKI_TYPE_APP, 7);
	hung->link = bench_connect(&hung->bench, 517);
}

static int set(struct hung *hung, const char *key, const char *value) {
	char why[SIM_TEXT_MAX];
	return hung->bench.lock->impl->set(hung->bench.lock, key, value, why);
}

/* Runs the motor to its end. @return the completion in its last States. */
static uint8_t run(struct hung *hung, const uint8_t *args) {
	struct nuki_message message;
	uint8_t status = 0xff;
	bench_command(&hung->bench, hung->link, hung->auth, NUKI_LOCK_ACTION, args, 6, NULL);
	bench_pass(&hung->bench, 20000);
	while (bench_receive(&hung->bench, hung->auth, &message)) {
		status = message.command == NUKI_STATES ? message.payload[17] : status;
	}
	return status;
}

static uint8_t ask_states(struct hung *hung, size_t at) {
	struct nuki_message message;
	hung->bench.n_read = hung->bench.n_said; /* what it told unasked */
	bench_send(&hung->bench, hung->link, hung->auth, NUKI_REQUEST_DATA, want_states,
		sizeof(want_states));
	assert_true(bench_receive(&hung->bench, hung->auth, &message));
	assert_int_equal(message.command, NUKI_STATES);
	assert_true(at < message.n);
	return message.payload[at];
}

struct report {
	uint16_t now_mv, start_mv, lowest_mv, degrees, current_ma, milliohm;
	uint8_t charge;
	int8_t celsius;
};

static struct report ask_battery(struct hung *hung) {
	struct nuki_message message;
	struct report report;
	bench_send(&hung->bench, hung->link, hung->auth, NUKI_REQUEST_DATA, want_battery,
		sizeof(want_battery));
	assert_true(bench_receive(&hung->bench, hung->auth, &message));
	assert_int_equal(message.command, NUKI_BATTERY_REPORT);
	struct rd rd = rd_on(message.payload, message.n);
	rd_skip(&rd, 2);
	report.now_mv = rd_u16le(&rd);
	report.charge = rd_u8(&rd);
	rd_skip(&rd, 1);
	report.start_mv = rd_u16le(&rd);
	report.lowest_mv = rd_u16le(&rd);
	report.degrees = rd_u16le(&rd);
	report.celsius = (int8_t) rd_u8(&rd);
	report.current_ma = rd_u16le(&rd);
	report.milliohm = rd_u16le(&rd);
	assert_int_equal(rd_end(&rd), 0);
	return report;
}

/* ---- cells ---- */

static void fresh_cells_are_told_as_such(void **state) {
	struct hung hung;
	hang(&hung, "battery", "90");
	assert_int_equal(run(&hung, unlock_args), 0);
	struct report report = ask_battery(&hung);
	assert_int_equal(report.charge, 45 << 2);
	assert_in_range(report.start_mv - report.lowest_mv, 100, 250);
	assert_in_range(report.milliohm, 300, 400);
	assert_int_equal(report.current_ma, MOTOR_RUN_MA);
	assert_int_equal(report.celsius, 21);
	assert_int_equal(report.degrees, 720);
	bench_finish(&hung.bench);
}

static void worn_cells_are_critical_under_load_whatever_they_show_at_rest(void **state) {
	struct hung hung;
	hang(&hung, "battery", "50");
	assert_int_equal(set(&hung, "worn", "600"), 0);
	assert_int_equal(ask_states(&hung, 12) & 1, 0);
	assert_int_equal(run(&hung, unlock_args), 0);
	struct report report = ask_battery(&hung);
	assert_in_range(report.start_mv - report.lowest_mv, 900, 1400);
	assert_true(report.milliohm > 1500);
	/* They have not recovered yet. */
	assert_true(report.now_mv < report.start_mv);
	assert_true(hung.bench.nuki->body.last_ms > MOTOR_UNLOCK_MS);
	assert_int_equal(hung.bench.nuki->body.bolt, BOLT_UNLOCKED);
	assert_int_equal(set(&hung, "worn", "900"), 0);
	assert_int_equal(run(&hung, lock_args), 0x05); /* they give out in the middle */
	assert_int_equal(ask_states(&hung, 12) & 1, 1);
	assert_int_equal(hung.bench.nuki->body.bolt, BOLT_UNKNOWN);
	assert_false(hung.bench.nuki->body.is_blocked);
	bench_finish(&hung.bench);
}

static void cold_and_wrong_type_lower_what_is_told(void **state) {
	struct hung hung;
	hang(&hung, "battery", "60");
	assert_int_equal(ask_states(&hung, 12) >> 2, 30);
	assert_int_equal(set(&hung, "celsius", "-10"), 0);
	assert_in_range(ask_states(&hung, 12) >> 2, 17, 26);
	assert_int_equal(ask_battery(&hung).celsius, -10);
	assert_int_equal(set(&hung, "celsius", "21"), 0);
	assert_int_equal(set(&hung, "cells", "nimh"), 0);
	assert_int_equal(ask_states(&hung, 12) >> 2, 30);
	assert_int_equal(set(&hung, "cells-set", "alkaline"), 0);
	assert_in_range(ask_states(&hung, 12) >> 2, 15, 25);
	assert_int_equal(hung.bench.nuki->advanced.battery_auto, 0);
	assert_int_equal(set(&hung, "cells-set", "auto"), 0);
	assert_int_equal(ask_states(&hung, 12) >> 2, 30);
	assert_int_equal(set(&hung, "cells", "zinc"), -EINVAL);
	assert_int_equal(set(&hung, "cells-set", "zinc"), -EINVAL);
	assert_int_equal(set(&hung, "celsius", "hot"), -EINVAL);
	bench_finish(&hung.bench);
}

static void moves_and_links_are_paid_for(void **state) {
	struct hung hung;
	hang(&hung, "battery", "100");
	double before = hung.bench.nuki->body.cells.percent;
	run(&hung, unlock_args);
	double moved = hung.bench.nuki->body.cells.percent;
	assert_true(moved < before);
	bench_pass(&hung.bench, 600000);
	sim_lock_disconnect(hung.bench.lock, hung.link, hung.bench.now);
	double linked = hung.bench.nuki->body.cells.percent;
	assert_true(linked < moved - 0.1);
	bench_finish(&hung.bench);
}

static void new_cells_have_lost_the_clock(void **state) {
	struct hung hung;
	char why[SIM_TEXT_MAX];
	hang(&hung, "battery", "3");
	const struct sim_lock_impl *impl = hung.bench.lock->impl;
	assert_int_equal(impl->change(hung.bench.lock, "zinc", hung.bench.now, why), -EINVAL);
	assert_int_equal(body_percent(&hung.bench.nuki->body, hung.bench.now), 3);
	assert_int_equal(impl->change(hung.bench.lock, "lithium", hung.bench.now, why), 0);
	assert_int_equal(body_percent(&hung.bench.nuki->body, hung.bench.now), 100);
	assert_int_equal(hung.bench.nuki->body.cells.chemistry, CELL_LITHIUM);
	assert_int_equal(nuki_wall(hung.bench.nuki).s, 946684800);
	assert_int_equal(hung.bench.n_dropped, 1);
	bench_finish(&hung.bench);
}

/* ---- the bolt ---- */

static void what_jams_may_depend_on_door_and_direction(void **state) {
	struct hung hung;
	hang(&hung, "jam", "shut+lock");
	assert_int_equal(run(&hung, unlock_args), 0);
	hung.bench.nuki->body.is_door_open = true;
	assert_int_equal(run(&hung, lock_args), 0);
	assert_int_equal(run(&hung, unlock_args), 0);
	hung.bench.nuki->body.is_door_open = false;
	assert_int_equal(run(&hung, lock_args), 0x01);
	assert_int_equal(nuki_lock_state(hung.bench.nuki), 0xfe);
	assert_true(ask_battery(&hung).current_ma == MOTOR_STALL_MA);
	assert_int_equal(run(&hung, unlock_args), 0);
	assert_int_equal(set(&hung, "jam", "off"), 0);
	assert_int_equal(run(&hung, lock_args), 0);
	bench_finish(&hung.bench);
}

static void it_may_jam_now_and_then(void **state) {
	struct hung hung;
	unsigned n_jams = 0;
	hang(&hung, "jam", "30%");
	for (int i = 0; i < 200; i++) {
		hung.bench.nuki->body.is_blocked = false;
		hung.bench.nuki->body.bolt = BOLT_LOCKED;
		n_jams += run(&hung, unlock_args) == 0x01;
	}
	assert_in_range(n_jams, 30, 90);
	bench_finish(&hung.bench);
}

static void jams_have_words(void **state) {
	static const char *const good[] = { "on", "off", "shut", "lock", "40%", "shut+lock",
		"shut+lock+7%" };
	static const char *const bad[] = { "", "shut+", "101%", "%", "open", "on+lock", "shut+x",
		"shut+lock+shut+lock+shut+lock+shut+lock" };
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct jam jam;
		char text[JAM_TEXT_MAX];
		assert_int_equal(jam_from_text(good[i], &jam), 0);
		assert_string_equal(jam_text(&jam, text), good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct jam jam = { .percent = 77 };
		assert_int_equal(jam_from_text(bad[i], &jam), -EINVAL);
		assert_int_equal(jam.percent, 77);
	}
	struct jam never;
	char text[JAM_TEXT_MAX];
	assert_int_equal(jam_from_text("0%", &never), 0);
	assert_string_equal(jam_text(&never, text), "off");
}

static void friction_takes_time_and_current_and_stalls_at_last(void **state) {
	struct hung hung;
	hang(&hung, "friction", "200");
	assert_int_equal(run(&hung, unlock_args), 0);
	assert_int_equal(hung.bench.nuki->body.last_ms, MOTOR_UNLOCK_MS * 3 / 2);
	assert_int_equal(ask_battery(&hung).current_ma, 2 * MOTOR_RUN_MA);
	assert_int_equal(set(&hung, "friction", "100"), 0);
	assert_int_equal(set(&hung, "friction-shut", "200"), 0);
	assert_int_equal(run(&hung, lock_args), 0);
	assert_int_equal(hung.bench.nuki->body.last_ms, MOTOR_LOCK_MS * 3 / 2);
	assert_int_equal(run(&hung, unlock_args), 0);
	assert_int_equal(hung.bench.nuki->body.last_ms, MOTOR_UNLOCK_MS);
	assert_int_equal(set(&hung, "friction", "400"), 0);
	assert_int_equal(run(&hung, lock_args), 0x01);
	bench_finish(&hung.bench);
}

static void without_calibration_it_refuses(void **state) {
	struct hung hung;
	hang(&hung, "calibrated", "0");
	assert_int_equal(ask_states(&hung, 1), 0x00);
	bench_command(&hung.bench, hung.link, hung.auth, NUKI_LOCK_ACTION, lock_args,
		sizeof(lock_args), NULL);
	bench_expect(&hung.bench, hung.auth, NUKI_ERROR_REPORT, NUKI_E_NOT_CALIBRATED);
	bench_finish(&hung.bench);
}

/* ---- clock, log, accessories, pairing ---- */

static void set_time(struct hung *hung, wall_t wall) {
	uint8_t args[7];
	struct wr wr = wr_on(args, sizeof(args));
	nuki_write_time(&wr, wall);
	bench_command(
		&hung->bench, hung->link, hung->auth, NUKI_UPDATE_TIME, args, sizeof(args), &pin);
	bench_expect(&hung->bench, hung->auth, NUKI_STATUS, NUKI_STATUS_COMPLETE);
}

static void a_clock_may_drift_and_may_be_stuck(void **state) {
	struct hung hung;
	hang(&hung, "drift", "-20");
	wall_t before = hung.bench.wall;
	hung.bench.wall.s += 3 * 86400;
	assert_int_equal(nuki_wall(hung.bench.nuki).s, hung.bench.wall.s - 60);
	set_time(&hung, hung.bench.wall);
	assert_int_equal(nuki_wall(hung.bench.nuki).s, hung.bench.wall.s);
	hung.bench.wall.s += 86400;
	assert_int_equal(nuki_wall(hung.bench.nuki).s, hung.bench.wall.s - 20);
	assert_int_equal(set(&hung, "drift", "0"), 0);
	assert_int_equal(nuki_wall(hung.bench.nuki).s, hung.bench.wall.s - 20);
	assert_int_equal(set(&hung, "clock-stuck", "1"), 0);
	set_time(&hung, before);
	assert_int_equal(nuki_wall(hung.bench.nuki).s, hung.bench.wall.s - 20);
	bench_finish(&hung.bench);
}

static void a_log_may_be_switched_off(void **state) {
	struct hung hung;
	hang(&hung, "logging", "0");
	run(&hung, unlock_args);
	assert_int_equal(hung.bench.nuki->n_log, 0);
	bench_finish(&hung.bench);
}

static void accessories_tell_their_batteries(void **state) {
	struct hung hung;
	hang(&hung, "sensor-battery", "ok");
	assert_int_equal(ask_states(&hung, 20), 0x05); /* the keypad reports by itself */
	assert_int_equal(set(&hung, "keypad-battery", "critical"), 0);
	assert_int_equal(ask_states(&hung, 20), 0x07);
	assert_int_equal(set(&hung, "sensor-battery", "critical"), 0);
	assert_int_equal(set(&hung, "keypad-battery", "none"), 0);
	assert_int_equal(ask_states(&hung, 20), 0x0c);
	assert_int_equal(set(&hung, "keypad-battery", "flat"), -EINVAL);
	bench_finish(&hung.bench);
}

static void pairing_may_stay_open(void **state) {
	struct hung hung;
	char why[SIM_TEXT_MAX];
	hang(&hung, "pairing-stuck", "1");
	assert_int_equal(
		hung.bench.lock->impl->pairing(hung.bench.lock, true, hung.bench.now, why), 0);
	bench_pass(&hung.bench, 10 * NUKI_PAIRING_MS);
	assert_int_equal(hung.bench.nuki->mode, NUKI_MODE_PAIRING);
	assert_int_equal(set(&hung, "pairing-stuck", "0"), 0);
	bench_pass(&hung.bench, 1000);
	assert_int_equal(hung.bench.nuki->mode, NUKI_MODE_DOOR);
	assert_int_equal(set(&hung, "pairing-enabled", "0"), 0);
	assert_int_equal(hung.bench.nuki->config.pairing_enabled, 0);
	bench_finish(&hung.bench);
}

/* ---- days ---- */

static json_t *age(struct hung *hung, unsigned days, unsigned moves) {
	char why[SIM_TEXT_MAX];
	json_t *list = NULL;
	assert_int_equal(hung->bench.lock->impl->age(
				 hung->bench.lock, days, moves, hung->bench.now, &list, why),
		0);
	assert_int_equal(json_array_size(list), days);
	return list;
}

static int64_t of_day(const json_t *list, size_t day, const char *key) {
	return json_integer_value(json_object_get(json_array_get(list, day), key));
}

static void days_pass_in_cells_log_and_clock(void **state) {
	struct hung hung;
	hang(&hung, "drift", "-2");
	struct nuki *nuki = hung.bench.nuki;
	json_auto_t *list = age(&hung, 60, 8);
	assert_int_equal(of_day(list, 0, "moves"), 8);
	assert_int_equal(of_day(list, 59, "at"), hung.bench.wall.s);
	assert_in_range(of_day(list, 59, "percent"), 60, 95);
	assert_true(of_day(list, 0, "percent") > of_day(list, 59, "percent"));
	assert_in_range(of_day(list, 59, "lowest"), 4000, of_day(list, 59, "millivolt") - 100);
	assert_int_equal(nuki->body.motor_lock + nuki->body.motor_unlock, 60 * 8);
	assert_int_equal(nuki_wall(nuki).s, hung.bench.wall.s - 120);
	/* In order, each in its day, and with the door. */
	assert_int_equal(nuki->n_log, NUKI_LOG_MAX);
	const struct nuki_entry *first = nuki_log_at(nuki, 0), *last = nuki_log_at(nuki, 999);
	assert_in_range(
		first->at.s, hung.bench.wall.s - 60 * 86400, hung.bench.wall.s - 40 * 86400);
	assert_in_range(last->at.s, hung.bench.wall.s - 86400, hung.bench.wall.s);
	for (size_t i = 1; i < nuki->n_log; i++) {
		assert_true(nuki_log_at(nuki, i)->at.s >= nuki_log_at(nuki, i - 1)->at.s);
	}
	assert_false(nuki->body.is_door_open);
	bench_finish(&hung.bench);
}

static void days_know_what_binds(void **state) {
	struct hung hung;
	hang(&hung, "jam", "shut+lock");
	struct nuki *nuki = hung.bench.nuki;
	bool is_open = false;
	unsigned n_open = 0, n_shut = 0, n_bad_open = 0, n_bad_shut = 0;
	json_auto_t *list = age(&hung, 10, 6);
	assert_int_equal(of_day(list, 3, "jams"), 2);
	for (size_t i = 0; i < nuki->n_log; i++) {
		const struct nuki_entry *entry = nuki_log_at(nuki, i);
		if (entry->type == NUKI_LOG_DOOR) {
			is_open = entry->data[0] == 0;
		} else if (entry->data[0] == NUKI_ACTION_LOCK &&
			   entry->data[1] == NUKI_TRIGGER_BUTTON) {
			n_open += is_open;
			n_shut += !is_open;
			n_bad_open += is_open && entry->data[3] != 0;
			n_bad_shut += !is_open && entry->data[3] != 0;
		}
	}
	assert_int_equal(n_open, 10);
	assert_int_equal(n_shut, 20);
	assert_int_equal(n_bad_open, 0);
	assert_int_equal(n_bad_shut, 20);
	bench_finish(&hung.bench);
}

static void days_empty_the_cells(void **state) {
	struct hung hung;
	hang(&hung, "friction", "250");
	json_auto_t *list = age(&hung, 400, 20);
	assert_int_equal(of_day(list, 399, "percent"), 0);
	assert_int_equal(of_day(list, 399, "moves"), 0);
	assert_int_equal(of_day(list, 399, "failures"), 20);
	bench_finish(&hung.bench);
}

static void memory_keeps_what_is_wrong(void **state) {
	struct hung hung;
	hang(&hung, "jam", "shut+30%");
	assert_int_equal(set(&hung, "cells", "nimh"), 0);
	assert_int_equal(set(&hung, "cells-set", "lithium"), 0);
	assert_int_equal(set(&hung, "worn", "250"), 0);
	assert_int_equal(set(&hung, "friction-shut", "150"), 0);
	assert_int_equal(set(&hung, "drift", "9"), 0);
	assert_int_equal(set(&hung, "clock-stuck", "1"), 0);
	json_auto_t *memory = hung.bench.lock->impl->save(hung.bench.lock);
	struct hung other;
	hang(&other, "battery", "50");
	assert_int_equal(other.bench.lock->impl->load(other.bench.lock, memory), 0);
	json_auto_t *again = other.bench.lock->impl->save(other.bench.lock);
	assert_true(json_equal(memory, again));
	const struct body *body = &other.bench.nuki->body;
	assert_true(body->jam.only_shut && body->jam.percent == 30 && !body->jam.only_locking);
	assert_int_equal(body->friction_shut, 150);
	assert_int_equal(body->believed, CELL_LITHIUM);
	assert_true(other.bench.nuki->is_clock_stuck && other.bench.nuki->drift_s_per_day == 9);
	bench_finish(&other.bench);
	bench_finish(&hung.bench);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_cells_are_told_as_such),
		cmocka_unit_test(worn_cells_are_critical_under_load_whatever_they_show_at_rest),
		cmocka_unit_test(cold_and_wrong_type_lower_what_is_told),
		cmocka_unit_test(moves_and_links_are_paid_for),
		cmocka_unit_test(new_cells_have_lost_the_clock),
		cmocka_unit_test(what_jams_may_depend_on_door_and_direction),
		cmocka_unit_test(it_may_jam_now_and_then),
		cmocka_unit_test(jams_have_words),
		cmocka_unit_test(friction_takes_time_and_current_and_stalls_at_last),
		cmocka_unit_test(without_calibration_it_refuses),
		cmocka_unit_test(a_clock_may_drift_and_may_be_stuck),
		cmocka_unit_test(a_log_may_be_switched_off),
		cmocka_unit_test(accessories_tell_their_batteries),
		cmocka_unit_test(pairing_may_stay_open),
		cmocka_unit_test(days_pass_in_cells_log_and_clock),
		cmocka_unit_test(days_know_what_binds),
		cmocka_unit_test(days_empty_the_cells),
		cmocka_unit_test(memory_keeps_what_is_wrong),
	};
	return cmocka_run_group_tests(tests, setup_crypto, NULL);
}
