/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/schedule.h"

#include <errno.h>

#include "mock/fake-zone.h"
#include "test.h"

static const struct fake_zone berlin = FAKE_BERLIN;
static const struct fake_zone utc = FAKE_UTC;

static int64_t at(int year, int month, int day, int hour, int minute, int second) {
	struct civil civil = { year, month, day, hour, minute, second };
	wall_t wall;

	assert_int_equal(wall_from_civil(&civil, &wall), 0);
	return wall.s;
}

static int parse(const char *text, struct schedule *ret) {
	struct fault fault = { .code = FAULT_NONE };
	int n = schedule_parse(text, ret, &fault);

	assert_int_equal(n < 0, fault.code == FAULT_BAD_ARGUMENT);
	for (int i = 0; i < n; i++) {
		assert_int_equal(schedule_check(&ret[i], &fault), 0);
	}
	return n;
}

static struct schedule one(const char *text) {
	struct schedule rows[SCHEDULES_PER_TEXT_MAX];

	assert_int_equal(parse(text, rows), 1);
	return rows[0];
}

/* Acceptance 32, 33. 2026-11-23 is a Monday. */
static void week_days_have_both_ends(void **state) {
	struct schedule work = one("Mon-Fri 08:00-18:00");
	struct schedule late = one("Mon 20:00-23:59");

	(void) state;
	assert_int_equal(work.days, 0x3e);
	assert_int_equal(work.start_minute, 480);
	assert_int_equal(work.end_minute, 1080);
	assert_true(schedule_contains(&work, at(2026, 11, 23, 8, 0, 0)));
	assert_true(schedule_contains(&work, at(2026, 11, 23, 12, 0, 0)));
	assert_true(schedule_contains(&work, at(2026, 11, 23, 18, 0, 0)));
	assert_true(schedule_contains(&work, at(2026, 11, 27, 18, 0, 0)));
	assert_false(schedule_contains(&work, at(2026, 11, 23, 7, 59, 59)));
	assert_false(schedule_contains(&work, at(2026, 11, 23, 18, 0, 1)));
	for (int hour = 0; hour < 24; hour++) {
		assert_false(schedule_contains(&work, at(2026, 11, 28, hour, 0, 0)));
		assert_false(schedule_contains(&work, at(2026, 11, 29, hour, 0, 0)));
	}
	assert_true(schedule_contains(&late, at(2026, 11, 23, 23, 59, 59)));
	assert_false(schedule_contains(&late, at(2026, 11, 24, 0, 0, 0)));
	/* Before 1970 the week goes on: 1969-12-31 was a Wednesday. */
	work = one("Wed");
	assert_true(schedule_contains(&work, -1));
	assert_false(schedule_contains(&work, 0));
	assert_false(schedule_contains(&work, -86401));
}

/* Acceptance 36. */
static void a_night_is_two_rows(void **state) {
	struct schedule rows[SCHEDULES_PER_TEXT_MAX];

	(void) state;
	assert_int_equal(parse("daily 22:00-06:00", rows), 2);
	assert_int_equal(rows[0].days, DAYS_ALL);
	assert_int_equal(rows[0].start_minute, 22 * 60);
	assert_int_equal(rows[0].end_minute, 1439);
	assert_int_equal(rows[1].days, DAYS_ALL);
	assert_int_equal(rows[1].start_minute, 0);
	assert_int_equal(rows[1].end_minute, 360);
	assert_int_equal(parse("Fri,Sat 22:00-06:00", rows), 2);
	assert_int_equal(rows[0].days, 0x60);
	assert_int_equal(rows[1].days, 0x41);
	assert_int_equal(parse("Sun 22:00-06:00", rows), 2);
	assert_int_equal(rows[1].days, 0x02);
	/* Each second of the week is where it belongs, and midnight is no gap. */
	assert_int_equal(parse("Mon 22:00-06:00", rows), 2);
	for (int64_t s = 0; s < 7 * 86400; s += 30) {
		int64_t local = at(2026, 11, 23, 0, 0, 0) + s;
		bool is_inside = s >= 22 * 3600 && s <= 30 * 3600;

		assert_int_equal(
			schedule_contains(&rows[0], local) || schedule_contains(&rows[1], local),
			is_inside);
		assert_false(
			schedule_contains(&rows[0], local) && schedule_contains(&rows[1], local));
	}
	assert_int_equal(parse("Mon 22:00-00:00", rows), 1);
	assert_int_equal(rows[0].end_minute, 1439);
	assert_int_equal(parse("Mon 22:00-24:00", rows), 1);
	assert_int_equal(rows[0].end_minute, 1439);
}

static void words_of_people(void **state) {
	static const struct {
		const char *text;
		uint8_t days;
		int start, end;
	} rows[] = { { "daily", DAYS_ALL, 0, 1439 }, { "DAILY 8:00-9:30", DAYS_ALL, 480, 570 },
		{ "08:00-12:00", DAYS_ALL, 480, 720 }, { "Sat,Sun", 0x41, 0, 1439 },
		{ " monday , WED-fri  8:00 - 12:00 ", 0x3a, 480, 720 },
		{ "Fri-Mon", 0x63, 0, 1439 }, { "Sun-Sat", DAYS_ALL, 0, 1439 },
		{ "thurs 00:00-23:59", 0x10, 0, 1439 } };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct schedule row = one(rows[i].text);

		assert_int_equal(row.kind, SCHEDULE_WEEK_DAY);
		assert_int_equal(row.days, rows[i].days);
		assert_int_equal(row.start_minute, rows[i].start);
		assert_int_equal(row.end_minute, rows[i].end);
	}
}

static void dates_of_people(void **state) {
	struct schedule row = one("2027-03-01 12:00 - 2027-03-08 10:00");

	(void) state;
	assert_int_equal(row.kind, SCHEDULE_YEAR_DAY);
	assert_true(row.from == at(2027, 3, 1, 12, 0, 0));
	assert_true(row.until == at(2027, 3, 8, 10, 0, 0));
	/* Acceptance 41. */
	assert_true(schedule_contains(&row, row.from));
	assert_true(schedule_contains(&row, row.until));
	assert_false(schedule_contains(&row, row.from - 1));
	assert_false(schedule_contains(&row, row.until + 1));
	row = one("2027-03-01 - 2027-03-08");
	assert_true(row.from == at(2027, 3, 1, 0, 0, 0));
	assert_true(row.until == at(2027, 3, 8, 23, 59, 59));
	row = one("2027-03-01-2027-03-08 10:00");
	assert_true(row.until == at(2027, 3, 8, 10, 0, 0));
	row = one("2027-03-01");
	assert_true(row.from == at(2027, 3, 1, 0, 0, 0));
	assert_true(row.until == at(2027, 3, 1, 23, 59, 59));
}

static void several_at_once(void **state) {
	struct schedule rows[SCHEDULES_PER_TEXT_MAX];
	char text[512] = "";

	(void) state;
	assert_int_equal(parse("Mon-Fri 08:00-12:00; Sat 22:00-02:00 ;2027-03-01", rows), 4);
	assert_int_equal(rows[0].days, 0x3e);
	assert_int_equal(rows[1].days, 0x40);
	assert_int_equal(rows[2].days, 0x01);
	assert_int_equal(rows[3].kind, SCHEDULE_YEAR_DAY);
	for (int i = 0; i < SCHEDULES_PER_TEXT_MAX; i++) {
		strcat(text, i > 0 ? ";Mon 01:00-02:00" : "Mon 01:00-02:00");
	}
	assert_int_equal(parse(text, rows), SCHEDULES_PER_TEXT_MAX);
	strcat(text, ";Tue 01:00-02:00");
	assert_int_equal(parse(text, rows), -EINVAL);
}

static void nonsense_is_quoted(void **state) {
	static const char *const texts[] = { "", ";", "Mon;", "Mo", "Mon-", "Mon 8", "Mon 8:0-9:00",
		"Mon 24:00-25:00", "Mon 08:60-09:00", "Mon 08:00-08:00", "Mon 23:59-06:00",
		"Mon 08:00-24:01", "Mon 08:00", "Mon 08:00-12:00 x", "Monx 08:00-12:00",
		"2027-02-30", "2027-03", "2027-03-01 - 2027-02-01", "2027-03-01 12:00",
		"2027-03-01 - ", "2027-03-01 12:00 - 2027-03-01 12:00", "2027-13-01", "20270301",
		"2027-", "Mon,, 08:00-12:00", "00008:00-12:00", "99999999999999999999:00-12:00",
		"Mon \xff", "Montagsabend nach der Arbeit bis sp\xc3\xa4t in die Nacht hinein" };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct schedule rows[SCHEDULES_PER_TEXT_MAX];
		struct fault fault = { .code = FAULT_NONE };

		memset(rows, 0x55, sizeof(rows));
		assert_int_equal(schedule_parse(texts[i], rows, &fault), -EINVAL);
		assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
		assert_int_equal(rows[0].days, 0x55);
		assert_non_null(strstr(fault.detail, "Mon-Fri"));
		assert_true(text_is_clean(fault.detail, strlen(fault.detail)));
	}
	struct schedule rows[SCHEDULES_PER_TEXT_MAX];
	struct fault fault;

	assert_int_equal(schedule_parse("Mon-Fri; Mondy 08:00-12:00", rows, &fault), -EINVAL);
	assert_non_null(strstr(fault.detail, "\"Mondy 08:00-12:00\""));
}

static void text_parses_back(void **state) {
	char text[SCHEDULE_TEXT_MAX];
	struct schedule row = one("Mon-Fri 08:00-12:00");

	(void) state;
	assert_string_equal(schedule_text(&row, text), "Mon-Fri 08:00-12:00");
	row = one("sun,sat");
	assert_string_equal(schedule_text(&row, text), "Sat,Sun");
	row = one("Mon,Wed,Fri,Sat,Sun");
	assert_string_equal(schedule_text(&row, text), "Mon,Wed,Fri-Sun");
	row = one("daily");
	assert_string_equal(schedule_text(&row, text), "daily");
	row = one("2027-03-01 - 2027-03-08");
	assert_string_equal(schedule_text(&row, text), "2027-03-01 - 2027-03-08");
	row = one("2027-03-01 12:00 - 2027-03-08 10:00:30");
	assert_string_equal(schedule_text(&row, text), "2027-03-01 12:00 - 2027-03-08 10:00:30");
	/* All masks with some hours each, and a walk through dates with odd seconds. */
	for (unsigned days = 1; days <= DAYS_ALL; days++) {
		for (int start = 0; start < 1439; start += 97) {
			struct schedule in = { .kind = SCHEDULE_WEEK_DAY,
				.days = (uint8_t) days,
				.start_minute = (int16_t) start,
				.end_minute =
					(int16_t) (start + 1 + (1438 - start) * (start % 3) / 2) };
			struct schedule back = one(schedule_text(&in, text));

			assert_memory_equal(&back, &in, sizeof(in));
		}
	}
	for (int64_t from = 0; from < 4000000000; from += 86400 * 97 / 2 + 977) {
		struct schedule in = {
			.kind = SCHEDULE_YEAR_DAY, .from = from, .until = from + from % 777777 + 1
		};
		struct schedule back = one(schedule_text(&in, text));

		assert_memory_equal(&back, &in, sizeof(in));
	}
}

/* Acceptance 31, 40. */
static void fields_are_checked(void **state) {
	const struct schedule good = {
		.kind = SCHEDULE_WEEK_DAY, .days = 1, .start_minute = 0, .end_minute = 1
	};
	const struct schedule year = { .kind = SCHEDULE_YEAR_DAY, .from = 5, .until = 6 };
	struct schedule row;

	(void) state;
	assert_int_equal(schedule_check(&good, NULL), 0);
	assert_int_equal(schedule_check(&year, NULL), 0);
#define REFUSED(base, field, value)                                                                \
	do {                                                                                       \
		row = (base);                                                                      \
		row.field = (value);                                                               \
		assert_int_equal(schedule_check(&row, NULL), -EINVAL);                             \
	} while (0)
	REFUSED(good, days, 0);
	REFUSED(good, days, 0x81);
	REFUSED(good, start_minute, -1);
	REFUSED(good, end_minute, 0);
	REFUSED(good, end_minute, 1440);
	REFUSED(good, kind, 3);
	REFUSED(good, kind, 0);
	REFUSED(year, until, 5);
	REFUSED(year, until, 4);
#undef REFUSED
}

static int64_t until(const char *text, const struct zone *zone, wall_t now) {
	wall_t ret = { -1 };
	struct fault fault;
	int r = schedule_parse_until(text, zone, now, &ret, &fault);

	assert_int_equal(r < 0, ret.s == -1);
	return ret.s;
}

static void ends_of_validity(void **state) {
	const struct zone *zone = &berlin.zone;
	wall_t now = { at(2026, 10, 24, 10, 0, 0) }; /* 12:00 summer time, the day before it ends */

	(void) state;
	/* A bare date is its end. */
	assert_true(until("2026-10-24", zone, now) == at(2026, 10, 24, 22, 0, 0));
	assert_true(until("2026-10-25", zone, now) == at(2026, 10, 25, 23, 0, 0));
	assert_true(until("today", zone, now) == at(2026, 10, 24, 22, 0, 0));
	assert_true(until(" Tomorrow ", zone, now) == at(2026, 10, 25, 23, 0, 0));
	assert_true(until("tomorrow 18:00", zone, now) == at(2026, 10, 25, 17, 0, 0));
	assert_true(until("2026-10-24 18:00", zone, now) == at(2026, 10, 24, 16, 0, 0));
	/* What comes twice ends at the first, what never comes at the jump. */
	assert_true(until("2026-10-25 02:30", zone, now) == at(2026, 10, 25, 0, 30, 0));
	assert_true(until("2027-03-28 02:30", zone, now) == at(2027, 3, 28, 1, 0, 0));
	assert_true(until("+3d", zone, now) == at(2026, 10, 27, 11, 0, 0));
	assert_true(until("+1w", zone, now) == at(2026, 10, 31, 11, 0, 0));
	assert_true(until("+20h", zone, now) == now.s + 20 * 3600);
	assert_true(until("+45m", zone, now) == now.s + 45 * 60);
	static const char *const bad[] = { "", "+", "+d", "+3", "+3x", "+3dd", "+0d", "-3d",
		"+99999w", "+3660000d", "2026-10-23", "2026-10-24 12:00", "2026-10-24 11:59",
		"yesterday", "2026-10-24 25:00", "2026-10-24x", "soon" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(until(bad[i], zone, now) == -1);
	}
}

/* Second by second would take too long: all edges lie on whole minutes or one second behind. */
static int64_t edge_by_looking(
	const struct schedule *row, const struct zone *zone, int64_t now, int64_t most) {
	bool is_inside = schedule_contains(row, zone_local(zone, (wall_t){ now }));

	for (int64_t t = now - now % 60; t < now + most; t += 60) {
		for (int64_t s = t; s <= t + 1; s++) {
			if (s > now && schedule_contains(row, zone_local(zone, (wall_t){ s })) !=
					       is_inside) {
				return s;
			}
		}
	}
	return INT64_MAX;
}

static void edges_agree(const struct schedule *row, const struct zone *zone, int64_t from,
	int64_t to, int64_t step, int64_t most) {
	for (int64_t now = from; now < to; now += step) {
		int64_t seen = edge_by_looking(row, zone, now, most);
		int64_t told = schedule_next_edge(row, zone, (wall_t){ now }).s;

		if (seen != told && !(seen == INT64_MAX && told >= now + most)) {
			char text[SCHEDULE_TEXT_MAX];

			fail_msg("%s at %lld: %lld, not %lld", schedule_text(row, text),
				(long long) now, (long long) told, (long long) seen);
		}
	}
}

static void edges_are_where_it_changes(void **state) {
	static const char *const texts[] = { "Mon-Fri 08:00-12:00", "daily", "Sat,Sun",
		"daily 02:15-02:45", "Sun 02:15-02:45", "Sun 02:30-03:30", "Sun 01:30-02:30",
		"Sun 00:00-02:00", "Sun 03:00-23:59", "Mon", "Sun", "Sat 22:00-23:59",
		"2026-10-25 02:30 - 2026-10-25 02:40", "2026-10-25 02:30 - 2027-03-28 02:30",
		"2027-03-28 02:10 - 2027-03-28 02:50", "2027-03-28", "2026-10-25" };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct schedule row = one(texts[i]);

		for (size_t k = 1; k < 3; k++) {
			int64_t change = berlin.changes[k].at;

			edges_agree(&row, &berlin.zone, change - 3 * 86400, change + 2 * 86400,
				2711, 9 * 86400);
			edges_agree(
				&row, &berlin.zone, change - 7200, change + 7200, 601, 9 * 86400);
		}
		edges_agree(&row, &utc.zone, berlin.changes[1].at, berlin.changes[1].at + 7 * 86400,
			9973, 9 * 86400);
	}
}

static void what_never_changes_has_no_edge(void **state) {
	struct schedule row = one("daily");

	(void) state;
	assert_true(schedule_next_edge(&row, &berlin.zone, (wall_t){ 1795000000 }).s == INT64_MAX);
	row = one("2026-01-01");
	assert_true(schedule_next_edge(&row, &berlin.zone, (wall_t){ 1795000000 }).s == INT64_MAX);
	/* A window that is skipped on its only day comes a week later. */
	row = one("Sun 02:10-02:50");
	assert_true(schedule_next_edge(&row, &berlin.zone, (wall_t){ 1806195600 - 60 }).s ==
		    at(2027, 4, 4, 0, 10, 0));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(week_days_have_both_ends),
		cmocka_unit_test(a_night_is_two_rows),
		cmocka_unit_test(words_of_people),
		cmocka_unit_test(dates_of_people),
		cmocka_unit_test(several_at_once),
		cmocka_unit_test(nonsense_is_quoted),
		cmocka_unit_test(text_parses_back),
		cmocka_unit_test(fields_are_checked),
		cmocka_unit_test(ends_of_validity),
		cmocka_unit_test(edges_are_where_it_changes),
		cmocka_unit_test(what_never_changes_has_no_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
