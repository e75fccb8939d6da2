/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Times, ages, and the form of the facts. */

#include "test.h"

#include <stdlib.h>
#include <time.h>

#include "room.h"

#define NOW 1795341600 /* 2026-11-22 10:00:00 UTC */

static void times_are_understood(void **state) {
	static const struct {
		const char *text;
		int64_t seconds; /* -1: not a time */
	} rows[] = {
		{ "now", NOW },
		{ "today", 1795305600 },
		{ "yesterday", 1795305600 - 86400 },
		{ "2h ago", NOW - 7200 },
		{ "2 hours ago", NOW - 7200 },
		{ "30 min ago", NOW - 1800 },
		{ "1 minute ago", NOW - 60 },
		{ "-30min", NOW - 1800 },
		{ "-45s", NOW - 45 },
		{ "3 days ago", NOW - 3 * 86400 },
		{ "1w ago", NOW - 7 * 86400 },
		{ "@1790000000", 1790000000 },
		{ "2026-11-22", 1795305600 },
		{ "2026-11-22 09:30", NOW - 1800 },
		{ "2026-11-22 09:30:15", NOW - 1785 },
		{ "2026-11-22T09:30:15", NOW - 1785 },
		{ "2026-11-22T09:30:15Z", NOW - 1785 },
		{ "09:30", NOW - 1800 },
		{ "09:30:01", NOW - 1799 },
		{ "", -1 },
		{ "soon", -1 },
		{ "2h", -1 },
		{ "2x ago", -1 },
		{ "ago", -1 },
		{ "-", -1 },
		{ "@", -1 },
		{ "@-5", -1 },
		{ "25:00", -1 },
		{ "12:60", -1 },
		{ "12:00:61", -1 },
		{ "12:00x", -1 },
		{ "2026-02-31", -1 },
		{ "2026-13-01", -1 },
		{ "2026-11-22 25:00", -1 },
		{ "2026-11-22x", -1 },
		{ "99999999999999999999h ago", -1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t seconds = -1;
		int r = moment_parse(rows[i].text, NOW, &seconds);
		if ((r < 0) != (rows[i].seconds == -1) || seconds != rows[i].seconds) {
			fail_msg("\"%s\": %d, %jd instead of %jd", rows[i].text, r,
				(intmax_t) seconds, (intmax_t) rows[i].seconds);
		}
	}
}

static void ages_are_short(void **state) {
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = { { 0, "just now" }, { -5, "just now" }, { 1999, "just now" },
		{ 12000, "12 s ago" }, { 119000, "119 s ago" }, { 120000, "2 min ago" },
		{ 7199000, "119 min ago" }, { 7200000, "2 h ago" }, { 172800000, "2 d ago" } };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[AGE_TEXT_MAX];
		assert_string_equal(age_text(rows[i].ms, text), rows[i].text);
	}
}

static void moments_are_local(void **state) {
	char text[MOMENT_TEXT_MAX];
	assert_string_equal(moment_text("2026-11-22T10:00:00Z", text), "2026-11-22 10:00:00");
	assert_string_equal(moment_text("", text), "never");
	assert_string_equal(moment_text(NULL, text), "never");
	assert_string_equal(moment_text("rubbish", text), "rubbish");
}

static void keys_are_snake_case(void **state) {
	char key[32];
	assert_string_equal(facts_key("BatteryPercent", key, sizeof(key)), "battery_percent");
	assert_string_equal(facts_key("Id", key, sizeof(key)), "id");
	assert_string_equal(facts_key("already_so", key, sizeof(key)), "already_so");
	assert_string_equal(facts_key("TooLong", key, 6), "too_l");
}

static void what_is_not_known_is_null(void **state) {
	json_t *lock = facts_of_lock(
		json_pack("{s:s, s:i, s:i, s:b, s:b, s:I, s:s, s:s, s:I, s:{}, s:{s:[s,I,I]}}",
			"State", "locked", "BatteryPercent", -1, "Rssi", 0, "Charging", 0,
			"Calibrated", 1, "ClockOffset", (json_int_t) INT64_MIN, "Fault", "none",
			"Firmware", "", "LastSeen", (json_int_t) 0, "LastEvent", "Known", "state",
			"answered", (json_int_t) NOW, (json_int_t) 5));
	assert_non_null(lock);
	assert_string_equal(facts_text(lock, "state"), "locked");
	static const char *const nulls[] = { "battery_percent", "rssi", "charging", "calibrated",
		"clock_offset_s", "fault", "firmware", "last_seen", "last_event" };
	for (size_t i = 0; i < ARRAY_SIZE(nulls); i++) {
		if (!json_is_null(json_object_get(lock, nulls[i]))) {
			fail_msg("%s is not null", nulls[i]);
		}
	}
	assert_null(json_object_get(lock, "clock_offset"));
	const json_t *known = json_object_get(json_object_get(lock, "known"), "state");
	assert_string_equal(facts_text(known, "how"), "answered");
	assert_string_equal(facts_text(known, "time"), "2026-11-22T10:00:00Z");
	assert_true(facts_number(known, "age_ms", -1) > 0);
	json_decref(lock);
	assert_null(facts_of_lock(json_string("not an object")));
	assert_null(facts_of_lock(NULL));
}

static void what_is_known_stays(void **state) {
	json_t *lock = facts_of_lock(json_pack("{s:i, s:b, s:I, s:s, s:{s:i, s:s}, s:{s:[s,I,I]}}",
		"BatteryPercent", 0, "Charging", 1, "ClockOffset", (json_int_t) -3, "Fault",
		"jammed", "LastEvent", "time", 0, "line", "unlocked", "Known", "battery", "stored",
		(json_int_t) NOW, (json_int_t) 0));
	assert_int_equal(facts_number(lock, "battery_percent", -1), 0);
	assert_true(facts_flag(lock, "charging"));
	assert_int_equal(facts_number(lock, "clock_offset_s", 0), -3);
	assert_string_equal(facts_text(lock, "fault"), "jammed");
	assert_true(json_is_null(json_object_get(json_object_get(lock, "last_event"), "time")));
	json_decref(lock);
}

static int in_utc(void **state) {
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

static void csv_is_quoted_and_no_formula(void **state) {
	static const char *const rows[][2] = {
		{ "", "" },
		{ "Anna", "Anna" },
		{ "Huber, Anna", "\"Huber, Anna\"" },
		{ "the \"boss\"", "\"the \"\"boss\"\"\"" },
		{ "two\nlines", "\"two\nlines\"" },
		{ "=HYPERLINK(1)", "\"'=HYPERLINK(1)\"" },
		{ "-1", "\"'-1\"" },
		{ "@x", "\"'@x\"" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = NULL;
		size_t n = 0;
		FILE *out = open_memstream(&text, &n);
		assert_non_null(out);
		csv_print_text(out, rows[i][0]);
		fclose(out);
		assert_string_equal(text, rows[i][1]);
		free(text);
	}
}

static void an_agreement_is_put_in_words(void **state) {
	char text[256];
	json_t *sync = json_pack("{s:b, s:i, s:i, s:i, s:i}", "supported", 1, "present", 3,
		"pending", 0, "leaving", 1, "foreign", 2);
	assert_string_equal(
		people_sync_text(sync, text, sizeof(text)), "3 present, 1 leaving, 2 foreign");
	json_object_set_new(sync, "fault_text", json_string("The lock is not heard"));
	assert_string_equal(people_sync_text(sync, text, sizeof(text)),
		"3 present, 1 leaving, 2 foreign; The lock is not heard");
	/* Cut, not overrun. */
	assert_int_equal(strlen(people_sync_text(sync, text, 12)), 11);
	json_object_set_new(sync, "supported", json_false());
	assert_string_equal(
		people_sync_text(sync, text, sizeof(text)), "none that the hub can manage");
	json_decref(sync);
}

/* A sealed file opens with its passphrase only, and not when it was changed. */
static void sealed_text_opens_with_its_passphrase(void **state) {
	AUTO_VALUE(secret_wipe) struct secret right = { 0 }, wrong = { 0 };
	char *err = NULL, *file = NULL;
	size_t n_err = 0, n = 0;
	struct ctl ctl = { .err = open_memstream(&err, &n_err), .out = stdout };
	FILE *out = open_memstream(&file, &n);
	secret_set_text(&right, "correct horse");
	secret_set_text(&wrong, "short");
	assert_int_equal(sealed_write(&ctl, out, "hello", &wrong), CTL_FAILED);
	assert_int_equal(sealed_write(&ctl, out, "hello", &right), CTL_DONE);
	fclose(out);
	assert_true(sealed_is(file, n));
	assert_false(sealed_is("{}", 2));
	assert_null(memmem(file, n, "hello", 5));
	char *text = sealed_open(&ctl, file, n, &right);
	assert_string_equal(text, "hello");
	free(text);
	secret_set_text(&wrong, "correct horsE");
	assert_null(sealed_open(&ctl, file, n, &wrong));
	assert_null(sealed_open(&ctl, file, n - 1, &right));
	assert_null(sealed_open(&ctl, file, 30, &right));
	file[n - 1] ^= 1;
	assert_null(sealed_open(&ctl, file, n, &right));
	file[n - 1] ^= 1;
	/* Asking for all the memory there is. */
	static const char greedy[] = "lockhub-sealed 1 argon2id 3 999999999 "
				     "00000000000000000000000000000000\n"
				     "0123456789012345678901234567890123456789";
	assert_null(sealed_open(&ctl, greedy, sizeof(greedy) - 1, &right));
	fclose(ctl.err);
	free(err);
	free(file);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_understood),
		cmocka_unit_test(ages_are_short),
		cmocka_unit_test(moments_are_local),
		cmocka_unit_test(keys_are_snake_case),
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(what_is_known_stays),
		cmocka_unit_test(csv_is_quoted_and_no_formula),
		cmocka_unit_test(an_agreement_is_put_in_words),
		cmocka_unit_test(sealed_text_opens_with_its_passphrase),
	};
	return cmocka_run_group_tests(tests, in_utc, NULL);
}
