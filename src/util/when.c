/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/when.h"

#include <errno.h>
#include <stdio.h>

#define DAY_S 86400
#define YEAR_MIN 1
#define YEAR_MAX 9999
#define WALL_MIN (-62135596800) /* 0001-01-01T00:00:00Z */
#define WALL_MAX 253402300799   /* 9999-12-31T23:59:59Z */

static bool year_is_leap(int year) {
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month) {
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return month == 2 && year_is_leap(year) ? 29 : days[month - 1];
}

/*
 * Days since 1970-01-01. Years begin in March here, so that the leap day is the last one; 400 years
 * have 146097 days. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
 */
static int64_t days_from_civil(int year, int month, int day) {
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

int wall_from_civil(const struct civil *civil, wall_t *ret) {
	if (civil->year < YEAR_MIN || civil->year > YEAR_MAX || civil->month < 1 ||
		civil->month > 12 || civil->day < 1 ||
		civil->day > month_days(civil->year, civil->month) || civil->hour < 0 ||
		civil->hour > 23 || civil->minute < 0 || civil->minute > 59 || civil->second < 0 ||
		civil->second > 59) {
		return -EINVAL;
	}
	ret->s = days_from_civil(civil->year, civil->month, civil->day) * DAY_S +
		 civil->hour * 3600 + civil->minute * 60 + civil->second;
	return 0;
}

struct civil wall_to_civil(wall_t wall) {
	int64_t s = wall.s < WALL_MIN ? WALL_MIN : wall.s > WALL_MAX ? WALL_MAX : wall.s;
	int64_t days = s / DAY_S;
	int64_t rest = s % DAY_S;
	if (rest < 0) {
		rest += DAY_S;
		days--;
	}

	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	int month = (int) (month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);

	return (struct civil){
		.year = (int) (year_of_era + era * 400 + (month <= 2 ? 1 : 0)),
		.month = month,
		.day = (int) (day_of_year - (153 * month_from_march + 2) / 5 + 1),
		.hour = (int) (rest / 3600),
		.minute = (int) (rest / 60 % 60),
		.second = (int) (rest % 60),
	};
}

char *wall_to_text(wall_t wall, char out[static WALL_TEXT_MAX]) {
	if (wall.s == 0) {
		snprintf(out, WALL_TEXT_MAX, "never");
		return out;
	}
	struct civil c = wall_to_civil(wall);
	snprintf(out, WALL_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned) c.year % 10000,
		(unsigned) c.month % 100, (unsigned) c.day % 100, (unsigned) c.hour % 100,
		(unsigned) c.minute % 100, (unsigned) c.second % 100);
	return out;
}
