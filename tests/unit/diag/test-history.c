/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A lock's history as JSON: what docs/diagnosis.md says, and nothing that is not known. */

#include <jansson.h>

#include "room.h"
#include "test.h"

#define BEGIN_S 1790812800 /* 2026-10-01T00:00:00Z */

static json_t *made;

static int teardown(void **state) {
	(void) state;
	json_decref(made);
	made = NULL;
	return 0;
}

/* Compares without white space between the parts. */
static void expect(const struct history *history, const struct forecast *forecast, wall_t since,
	const char *wanted) {
	json_error_t error;
	json_t *right = json_loads(wanted, 0, &error);

	assert_non_null(right);
	made = json_history("0a1b2c3d", "front-door", since, history, forecast);
	assert_non_null(made);
	if (!json_equal(made, right)) {
		char *text = json_dumps(made, JSON_COMPACT | JSON_SORT_KEYS);
		print_error("made %s\n", text);
		free(text);
	}
	assert_true(json_equal(made, right));
	json_decref(right);
}

static void nothing_is_known(void **state) {
	(void) state;
	const struct history none = { 0 };
	const struct forecast forecast = { .reason = "no reading of the level yet" };

	expect(&none, &forecast, (wall_t){ 0 },
		"{\"format\": 1, \"lock\": \"front-door\", \"id\": \"0a1b2c3d\", \"samples\": {},"
		" \"days\": [], \"attempts\": [], \"notes\": {},"
		" \"forecast\": {\"known\": false, \"reason\": \"no reading of the level yet\"}}");
}

static void all_is_known(void **state) {
	(void) state;
	const struct sample samples[] = {
		{ SAMPLE_BATTERY_PERCENT, { BEGIN_S }, true, 87 },
		{ SAMPLE_LOCK_MS, { BEGIN_S + 5 }, true, 1850 },
		{ SAMPLE_BATTERY_PERCENT, { BEGIN_S + 188200 }, false, 86 },
		{ SAMPLE_CELSIUS, { BEGIN_S + 188200 }, false, -7 },
	};
	struct lock_day days[] = { { .day = BEGIN_S / 86400 }, { .day = BEGIN_S / 86400 + 31 } };
	const struct attempt attempts[] = {
		{ .id = "9f000001",
			.lock_id = "0a1b2c3d",
			.fault = "battery-critical",
			.remedy = "change-batteries",
			.by = "anna",
			.begun_at = { BEGIN_S },
			.ended_at = { BEGIN_S + 60 },
			.outcome = ATTEMPT_NO_CHANGE,
			.before = "6 %",
			.after = "6 %" },
		{ .id = "9f000002", .remedy = "install", .begun_at = { BEGIN_S + 61 } },
	};
	const struct note notes[] = {
		{ .key = "install", .text = "step \"3\"\n", .at = { BEGIN_S } }
	};
	const struct history history = { samples, 4, days, 2, attempts, 2, notes, 1 };
	const struct forecast forecast = { .is_known = true,
		.days = 41.7,
		.days_least = 33,
		.days_most = 52,
		.percent_per_day = 1.5,
		.percent_per_move = -1,
		.normal_per_day = 0.5,
		.since = { BEGIN_S },
		.until = { BEGIN_S + 86400 } };

	days[0].counts[DAY_ATTEMPTS] = 12;
	days[0].counts[DAY_RSSI_70] = 4000000000;
	expect(&history, &forecast, (wall_t){ BEGIN_S },
		"{\"format\": 1, \"lock\": \"front-door\", \"id\": \"0a1b2c3d\","
		" \"since\": \"2026-10-01T00:00:00Z\","
		" \"samples\": {\"battery_percent\": [[1790812800, 87], [1791001000, 86]],"
		"  \"lock_ms\": [[1790812805, 1850]], \"celsius\": [[1791001000, -7]]},"
		" \"days\": [{\"day\": \"2026-10-01\", \"attempts\": 12, \"rssi_70\": 4000000000},"
		"  {\"day\": \"2026-11-01\"}],"
		" \"attempts\": [{\"id\": \"9f000001\", \"fault\": \"battery-critical\","
		"  \"remedy\": \"change-batteries\", \"by\": \"anna\","
		"  \"begun\": \"2026-10-01T00:00:00Z\", \"ended\": \"2026-10-01T00:01:00Z\","
		"  \"outcome\": \"no-change\", \"before\": \"6 %\", \"after\": \"6 %\"},"
		"  {\"id\": \"9f000002\", \"fault\": \"\", \"remedy\": \"install\","
		"  \"begun\": \"2026-10-01T00:01:01Z\", \"outcome\": \"running\"}],"
		" \"notes\": {\"install\": {\"at\": \"2026-10-01T00:00:00Z\","
		"  \"text\": \"step \\\"3\\\"\\n\"}},"
		" \"forecast\": {\"known\": true, \"days\": 41, \"least\": 33, \"most\": 52,"
		"  \"percent_per_day\": 1.5, \"normal_per_day\": 0.5,"
		"  \"since\": \"2026-10-01T00:00:00Z\", \"until\": \"2026-10-02T00:00:00Z\"}}");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(nothing_is_known, teardown),
		cmocka_unit_test_teardown(all_is_known, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
