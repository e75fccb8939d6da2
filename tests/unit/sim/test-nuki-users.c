/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Codes, authorisations and timers of the virtual Nuki: its limits, what its keypad makes of them,
 * and what others do behind the hub's back.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "nuki-client.h"
#include "util/bytes.h"
#include "util/text.h"

static const uint32_t pin = 1234;
static struct bench bench;
static char why[SIM_TEXT_MAX];
static int the_link;
static const struct nuki_auth *auth;

static int setup_crypto(void **state) {
	return crypto_setup() < 0 ? -1 : 0;
}

static int setup(void **state) {
	static const char *const extra[] = { "pin", "1234", "keypad", "2", "codes-max", "5", "idle",
		"0", NULL };
	bench_init(&bench, "nuki:gen4", extra);
	auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	the_link = bench_connect(&bench, 517);
	why[0] = '\0';
	return 0;
}

static int teardown(void **state) {
	bench_finish(&bench);
	return 0;
}

static int at_keypad(enum sim_keypad what, uint32_t number, const char *action) {
	int r = bench.lock->impl->keypad(bench.lock, what, number, action, bench.now, why);
	bench_pass(&bench, 10000); /* as long as a motor takes */
	return r;
}

static int enter(uint32_t code) {
	return at_keypad(SIM_KEYPAD_CODE, code, NULL);
}

static int in_app(const char *a, const char *b, const char *c, uint32_t *ret_id) {
	char *words[] = { (char *) a, (char *) b, (char *) c, NULL };
	uint32_t id = 0;
	int r = bench.lock->impl->app(bench.lock, words, bench.now, &id, why);
	if (ret_id != NULL) {
		*ret_id = id;
	}
	return r;
}

static const struct nuki_entry *newest(void) {
	assert_true(bench.nuki->n_log > 0);
	return nuki_log_at(bench.nuki, bench.nuki->n_log - 1);
}

static void assert_logged(
	uint8_t action, uint8_t source, uint8_t status, uint16_t code_id, const char *name) {
	const struct nuki_entry *entry = newest();
	const uint8_t data[] = { action, source, status, (uint8_t) code_id,
		(uint8_t) (code_id >> 8) };
	assert_int_equal(entry->type, NUKI_LOG_KEYPAD);
	assert_int_equal(entry->n_data, 5);
	assert_memory_equal(entry->data, data, sizeof(data));
	assert_string_equal(entry->name, name);
}

/* Everything that the lock says to the request, but not looked at. */
static void forget_what_was_said(void) {
	while (bench_next(&bench) != NULL) {
	}
}

static size_t code_args(uint8_t *out, size_t size, int id, uint32_t code, int enabled) {
	struct wr wr = wr_on(out, size);
	if (id >= 0) {
		wr_u16le(&wr, (uint16_t) id);
	}
	wr_u32le(&wr, code);
	wr_text(&wr, 20, "Anna");
	if (id >= 0) {
		wr_u8(&wr, (uint8_t) enabled);
	}
	wr_zeros(&wr, 20);
	return (size_t) wr_end(&wr);
}

static void add(uint32_t code, uint16_t command, int first) {
	uint8_t args[64];
	size_t n = code_args(args, sizeof(args), -1, code, 1);
	bench_command(&bench, the_link, auth, NUKI_ADD_CODE, args, n, &pin);
	bench_expect(&bench, auth, command, first);
}

static void update(int id, uint32_t code, int enabled, uint16_t command, int first) {
	uint8_t args[64];
	size_t n = code_args(args, sizeof(args), id, code, enabled);
	bench_command(&bench, the_link, auth, NUKI_UPDATE_CODE, args, n, &pin);
	bench_expect(&bench, auth, command, first);
}

static void codes_have_limits(void **state) {
	for (uint32_t i = 0; i < 5; i++) {
		uint8_t before = bench.nuki->update_count;
		add(345671 + i, NUKI_CODE_ID, (int) i + 1);
		assert_int_equal((uint8_t) (before + 1), bench.nuki->update_count);
	}
	uint8_t before = bench.nuki->update_count;
	add(345679, NUKI_ERROR_REPORT, NUKI_E_TOO_MANY_ENTRIES);
	add(345671, NUKI_ERROR_REPORT, NUKI_E_CODE_ALREADY_EXISTS);
	add(123456, NUKI_ERROR_REPORT, NUKI_E_BAD_PARAMETER);
	update(2, 345671, 1, NUKI_ERROR_REPORT, NUKI_E_CODE_ALREADY_EXISTS);
	update(2, 345670, 1, NUKI_ERROR_REPORT, NUKI_E_BAD_PARAMETER);
	update(9, 999999, 1, NUKI_ERROR_REPORT, NUKI_E_BAD_PARAMETER);
	assert_int_equal(before, bench.nuki->update_count);
	update(2, 345672, 0, NUKI_STATUS, NUKI_STATUS_COMPLETE); /* its own code is no duplicate */
	assert_int_equal((uint8_t) (before + 1), bench.nuki->update_count);
	assert_false(nuki_code_find(bench.nuki, 2)->is_enabled);
	/* One goes, and there is room for another, with a number of its own. */
	bench_command(&bench, the_link, auth, NUKI_REMOVE_CODE, (uint8_t[]){ 1, 0 }, 2, &pin);
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	bench_command(&bench, the_link, auth, NUKI_REMOVE_CODE, (uint8_t[]){ 1, 0 }, 2, &pin);
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_BAD_PARAMETER);
	add(345671, NUKI_CODE_ID, 6);
}

static void keypad_says_who(void **state) {
	add(345678, NUKI_CODE_ID, 1);
	assert_int_equal(enter(345678), 0);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x03);
	assert_logged(NUKI_ACTION_UNLOCK, 1, 0, 1, "Anna");
	assert_int_equal(enter(345678), 0);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x01);
	assert_int_equal(at_keypad(SIM_KEYPAD_CODE, 345678, "unlatch"), 0);
	assert_logged(NUKI_ACTION_UNLATCH, 1, 0, 1, "Anna");
	const struct nuki_code *code = nuki_code_find(bench.nuki, 1);
	assert_int_equal(code->uses, 3);
	assert_int_equal(code->active.s, bench.wall.s);
	assert_int_equal(at_keypad(SIM_KEYPAD_KEY, 0, NULL), 0);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x01);
	assert_logged(NUKI_ACTION_LOCK, 0, 0, NUKI_NO_CODE_ID, "");
	assert_int_equal(at_keypad(SIM_KEYPAD_KEY, 0, "unlock"), -EPERM);
	assert_int_equal(at_keypad(SIM_KEYPAD_CODE, 345678, "dance"), -EINVAL);
	assert_int_equal(at_keypad(SIM_KEYPAD_FINGER, 1, "unlock"), 0);
	assert_logged(NUKI_ACTION_UNLOCK, 2, 0, 1, "Anna");
	assert_int_equal(at_keypad(SIM_KEYPAD_FINGER, 0, NULL), -EACCES);
	assert_logged(NUKI_ACTION_NONE, 2, 0xe1, NUKI_NO_CODE_ID, "");
	assert_int_equal(enter(999999), -EACCES);
	assert_logged(NUKI_ACTION_NONE, 1, 0xe0, NUKI_NO_CODE_ID, "");
	forget_what_was_said();
	update(1, 345678, 0, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	assert_int_equal(enter(345678), -EACCES);
	assert_string_equal(why, "this code is disabled");
	assert_logged(NUKI_ACTION_NONE, 1, 0xe0, 1, "Anna");
	assert_int_equal(code->uses, 4);
	bench.nuki->config.has_keypad2 = 0;
	assert_int_equal(enter(345678), -EOPNOTSUPP);
	bench.nuki->config.has_keypad = 1;
	assert_int_equal(at_keypad(SIM_KEYPAD_FINGER, 1, NULL), -EOPNOTSUPP);
	forget_what_was_said();
}

static void guessing_locks_the_keypad(void **state) {
	add(345678, NUKI_CODE_ID, 1);
	for (unsigned i = 1; i <= 15; i++) {
		assert_int_equal(bench.lock->impl->keypad(
					 bench.lock, SIM_KEYPAD_CODE, 999999, NULL, bench.now, why),
			-EACCES);
		if (i % 5 == 0) {
			int64_t ms = i < 15 ? NUKI_CODE_LOCKED_MS : NUKI_CODE_LOCKED_MORE_MS;
			size_t n_log = bench.nuki->n_log;
			bench_pass(&bench, ms - 1);
			assert_int_equal(bench.lock->impl->keypad(bench.lock, SIM_KEYPAD_CODE,
						 345678, NULL, bench.now, why),
				-EAGAIN);
			assert_int_equal(bench.nuki->n_log, n_log);
			bench_pass(&bench, 1);
		}
	}
	assert_int_equal(enter(345678), 0);
	assert_int_equal(bench.nuki->code_failures, 0);
	for (unsigned i = 1; i <= 4; i++) {
		assert_int_equal(enter(999999), -EACCES);
	}
	assert_int_equal(enter(345678), 0);
	forget_what_was_said();
}

/* The lock goes by its own clock and its own zone, right or wrong. */
static void windows_are_local(void **state) {
	add(345678, NUKI_CODE_ID, 1);
	struct nuki_window *window = &nuki_code_find(bench.nuki, 1)->window;
	/* 2025-06-01 12:00 UTC, a Sunday; 13:00 where the lock hangs. */
	*window = (struct nuki_window){ .is_limited = true,
		.days = 0x01,
		.from_hour = 13,
		.until_hour = 13,
		.until_minute = 59 };
	assert_int_equal(enter(345678), 0);
	assert_int_equal(bench.lock->impl->set(bench.lock, "zone", "0", why), 0);
	assert_int_equal(enter(345678), -EACCES);
	assert_string_equal(why, "this code is not valid now");
	assert_int_equal(bench.lock->impl->clock(bench.lock, 3600, why), 0);
	assert_int_equal(enter(345678), 0);
	assert_int_equal(bench.lock->impl->set(bench.lock, "zone", "720", why), 0);
	window->from_hour = 1; /* Monday there */
	window->until_hour = 1;
	assert_int_equal(enter(345678), -EACCES);
	window->days = 0x40;
	assert_int_equal(enter(345678), 0);
	assert_int_equal(bench.lock->impl->set(bench.lock, "zone", "-900", why), -EINVAL);
	/* Dates are UTC. */
	window->days = 0;
	window->from_hour = window->until_hour = window->until_minute = 0;
	window->until = (wall_t){ bench.wall.s + 3600 };
	assert_int_equal(enter(345678), 0);
	window->until.s--;
	assert_int_equal(enter(345678), -EACCES);
	forget_what_was_said();
}

static void others_use_the_app(void **state) {
	uint32_t id = 0, phone = 0;
	assert_int_equal(in_app("add-code", "345678", "Otto", &id), 0);
	assert_int_equal(id, 1);
	assert_string_equal(nuki_code_find(bench.nuki, 1)->name, "Otto");
	assert_int_equal(in_app("add-code", "345678", "Otto", NULL), -EIO);
	assert_int_equal(in_app("add-code", "123456", "Otto", NULL), -EIO);
	assert_int_equal(in_app("change-code", "1", "987654", NULL), 0);
	assert_int_equal(in_app("rename-code", "1", "Eva", NULL), 0);
	assert_int_equal(in_app("disable-code", "1", NULL, NULL), 0);
	assert_int_equal(nuki_code_find(bench.nuki, 1)->code, 987654);
	assert_string_equal(nuki_code_find(bench.nuki, 1)->name, "Eva");
	assert_false(nuki_code_find(bench.nuki, 1)->is_enabled);
	assert_int_equal(in_app("enable-code", "1", NULL, NULL), 0);
	assert_int_equal(enter(987654), 0);
	assert_int_equal(in_app("remove-code", "1", NULL, NULL), 0);
	assert_int_equal(bench.nuki->n_codes, 0);
	assert_int_equal(in_app("remove-code", "1", NULL, NULL), -EINVAL);
	assert_int_equal(in_app("add-phone", "Eva's", NULL, &phone), 0);
	assert_int_equal(phone, 8);
	assert_int_equal(in_app("disable-phone", "8", NULL, NULL), 0);
	assert_false(nuki_auth_find(bench.nuki, 8)->is_enabled);
	assert_int_equal(in_app("enable-phone", "8", NULL, NULL), 0);
	assert_int_equal(in_app("remove-phone", "8", NULL, NULL), 0);
	assert_null(nuki_auth_find(bench.nuki, 8));
	/* Ours too, if they like. */
	assert_int_equal(in_app("remove-phone", "7", NULL, NULL), 0);
	assert_int_equal(in_app("remove-phone", "7", NULL, NULL), -EINVAL);
	assert_int_equal(in_app("add-cod", "1", NULL, NULL), -EINVAL);
	assert_string_equal(why, "the app cannot add-cod; did you mean add-code");
	assert_int_equal(in_app("add-code", "345678", NULL, NULL), -EINVAL);
	forget_what_was_said();
}

static void resets_begin_anew(void **state) {
	add(345678, NUKI_CODE_ID, 1);
	add(345679, NUKI_CODE_ID, 2);
	assert_int_equal(bench.lock->impl->reset(bench.lock, bench.now, why), 0);
	assert_int_equal(bench.nuki->n_codes, 0);
	uint32_t id = 0;
	assert_int_equal(in_app("add-code", "999999", "New", &id), 0);
	assert_int_equal(id, 1);
}

static void keypad_action_obeys_the_window(void **state) {
	uint8_t args[6] = { 1 };
	struct wr wr = wr_on(args + 1, 4);
	add(345678, NUKI_CODE_ID, 1);
	wr_u32le(&wr, 345678);
	nuki_code_find(bench.nuki, 1)->window =
		(struct nuki_window){ .is_limited = true, .days = 0x40 };
	bench_command(&bench, the_link, auth, NUKI_KEYPAD_ACTION, args, sizeof(args), NULL);
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_TIME_NOT_ALLOWED);
	nuki_code_find(bench.nuki, 1)->is_enabled = false;
	for (unsigned i = 2; i <= 5; i++) {
		bench_command(&bench, the_link, auth, NUKI_KEYPAD_ACTION, args, sizeof(args), NULL);
		bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_CODE_INVALID);
	}
	bench_command(&bench, the_link, auth, NUKI_KEYPAD_ACTION, args, sizeof(args), NULL);
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_CODE_INVALID_TIMEOUT);
}

/* ---- timers ---- */

static void time_command(
	uint16_t command, const uint8_t *args, size_t n, uint16_t answer, int first) {
	bench_command(&bench, the_link, auth, command, args, n, &pin);
	bench_expect(&bench, auth, answer, first);
}

static void minutes_pass(unsigned n) {
	for (unsigned i = 0; i < n * 60; i++) {
		bench.wall.s++;
		bench_pass(&bench, 1000);
	}
	forget_what_was_said();
}

static void timers_fire(void **state) {
	/* 13:00 local, a Sunday: at 13:02 each day, unlock. */
	time_command(NUKI_ADD_TIME_CONTROL, (uint8_t[]){ 0, 13, 2, 1 }, 4, NUKI_TIME_CONTROL_ID, 0);
	time_command(
		NUKI_ADD_TIME_CONTROL, (uint8_t[]){ 0x40, 13, 4, 2 }, 4, NUKI_TIME_CONTROL_ID, 1);
	time_command(NUKI_ADD_TIME_CONTROL, (uint8_t[]){ 0x80, 13, 4, 2 }, 4, NUKI_ERROR_REPORT,
		NUKI_E_BAD_PARAMETER);
	time_command(NUKI_ADD_TIME_CONTROL, (uint8_t[]){ 0, 24, 0, 2 }, 4, NUKI_ERROR_REPORT,
		NUKI_E_BAD_PARAMETER);
	time_command(NUKI_ADD_TIME_CONTROL, (uint8_t[]){ 0, 1, 0, 7 }, 4, NUKI_ERROR_REPORT,
		NUKI_E_BAD_PARAMETER);
	minutes_pass(1);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x01);
	minutes_pass(2);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x03);
	const struct nuki_entry *entry = newest();
	assert_int_equal(entry->type, NUKI_LOG_ACTION);
	assert_int_equal(entry->data[0], NUKI_ACTION_UNLOCK);
	assert_int_equal(entry->data[1], NUKI_TRIGGER_AUTOMATIC);
	assert_int_equal(entry->auth_id, 0);
	assert_int_equal(bench.nuki->n_log, 1); /* once in that minute */
	minutes_pass(3);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x03); /* the other is for Mondays */
	time_command(NUKI_UPDATE_TIME_CONTROL, (uint8_t[]){ 1, 1, 0x01, 13, 8, 2 }, 6, NUKI_STATUS,
		NUKI_STATUS_COMPLETE);
	time_command(NUKI_UPDATE_TIME_CONTROL, (uint8_t[]){ 0, 0, 0, 13, 9, 1 }, 6, NUKI_STATUS,
		NUKI_STATUS_COMPLETE);
	time_command(NUKI_UPDATE_TIME_CONTROL, (uint8_t[]){ 5, 0, 0, 13, 9, 1 }, 6,
		NUKI_ERROR_REPORT, NUKI_E_BAD_PARAMETER);
	minutes_pass(5);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x01); /* one locked, one is disabled */
	bench_command(&bench, the_link, auth, NUKI_REQUEST_TIME_CONTROL, NULL, 0, &pin);
	bench_expect(&bench, auth, NUKI_TIME_CONTROL_COUNT, 2);
	bench_expect(&bench, auth, NUKI_TIME_CONTROL_ENTRY, 0);
	bench_expect(&bench, auth, NUKI_TIME_CONTROL_ENTRY, 1);
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	time_command(
		NUKI_REMOVE_TIME_CONTROL, (uint8_t[]){ 0 }, 1, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	time_command(NUKI_REMOVE_TIME_CONTROL, (uint8_t[]){ 0 }, 1, NUKI_ERROR_REPORT,
		NUKI_E_BAD_PARAMETER);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(codes_have_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(keypad_says_who, setup, teardown),
		cmocka_unit_test_setup_teardown(guessing_locks_the_keypad, setup, teardown),
		cmocka_unit_test_setup_teardown(windows_are_local, setup, teardown),
		cmocka_unit_test_setup_teardown(others_use_the_app, setup, teardown),
		cmocka_unit_test_setup_teardown(resets_begin_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(keypad_action_obeys_the_window, setup, teardown),
		cmocka_unit_test_setup_teardown(timers_fire, setup, teardown),
	};
	return cmocka_run_group_tests(tests, setup_crypto, NULL);
}
