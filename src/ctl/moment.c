/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/text.h"
#include "util/when.h"

#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400

int64_t moment_now(void) {
	return time(NULL);
}

int64_t moment_boot_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

char *age_text(int64_t ms, char out[static AGE_TEXT_MAX]) {
	int64_t s = ms / 1000;
	if (s < 2) {
		snprintf(out, AGE_TEXT_MAX, "just now");
	} else if (s < 2 * MINUTE_S) {
		snprintf(out, AGE_TEXT_MAX, "%jd s ago", (intmax_t) s);
	} else if (s < 2 * HOUR_S) {
		snprintf(out, AGE_TEXT_MAX, "%jd min ago", (intmax_t) (s / MINUTE_S));
	} else if (s < 2 * DAY_S) {
		snprintf(out, AGE_TEXT_MAX, "%jd h ago", (intmax_t) (s / HOUR_S));
	} else {
		snprintf(out, AGE_TEXT_MAX, "%jd d ago", (intmax_t) (s / DAY_S));
	}
	return out;
}

char *moment_format(int64_t seconds, char out[static MOMENT_TEXT_MAX]) {
	time_t t = seconds;
	struct tm tm;
	if (localtime_r(&t, &tm) == NULL ||
		strftime(out, MOMENT_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &tm) == 0) {
		snprintf(out, MOMENT_TEXT_MAX, "?");
	}
	return out;
}

int moment_parse_rfc3339(const char *text, int64_t *ret_seconds) {
	struct civil civil;
	wall_t wall;
	int n = 0;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &civil.year, &civil.month, &civil.day,
		    &civil.hour, &civil.minute, &civil.second, &n) != 6 ||
		n == 0 || text[n] != '\0' || wall_from_civil(&civil, &wall) < 0) {
		return -EINVAL;
	}
	*ret_seconds = wall.s;
	return 0;
}

char *moment_text(const char *rfc3339, char out[static MOMENT_TEXT_MAX]) {
	int64_t seconds;
	if (rfc3339 == NULL || rfc3339[0] == '\0') {
		snprintf(out, MOMENT_TEXT_MAX, "never");
	} else if (moment_parse_rfc3339(rfc3339, &seconds) < 0) {
		snprintf(out, MOMENT_TEXT_MAX, "%.31s", rfc3339);
	} else {
		moment_format(seconds, out);
	}
	return out;
}

/* "2h", "30 min", "7d": seconds. */
static int parse_span(const char *text, int64_t *ret_seconds, const char **ret_rest) {
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = {
		/* longer words first: "min" is not "m" followed by rubbish */
		{ "seconds", 1 },
		{ "second", 1 },
		{ "minutes", MINUTE_S },
		{ "minute", MINUTE_S },
		{ "weeks", 7 * DAY_S },
		{ "week", 7 * DAY_S },
		{ "hours", HOUR_S },
		{ "hour", HOUR_S },
		{ "days", DAY_S },
		{ "day", DAY_S },
		{ "min", MINUTE_S },
		{ "m", MINUTE_S },
		{ "s", 1 },
		{ "h", HOUR_S },
		{ "d", DAY_S },
		{ "w", 7 * DAY_S },
	};
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (end == text || errno != 0 || n < 0 || n > 1000000) {
		return -EINVAL;
	}
	while (*end == ' ') {
		end++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t length = strlen(units[i].unit);
		if (strncmp(end, units[i].unit, length) == 0) {
			*ret_seconds = n * units[i].seconds;
			*ret_rest = end + length;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_clock_time(const char *text, struct tm *tm) {
	int hour, minute, second = 0, n = 0;
	bool is_long = sscanf(text, "%2d:%2d:%2d%n", &hour, &minute, &second, &n) == 3 && n > 0 &&
		       text[n] == '\0';
	if (!is_long) {
		second = 0;
		n = 0;
		if (sscanf(text, "%2d:%2d%n", &hour, &minute, &n) != 2 || n == 0 ||
			text[n] != '\0') {
			return -EINVAL;
		}
	}
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
		return -EINVAL;
	}
	tm->tm_hour = hour;
	tm->tm_min = minute;
	tm->tm_sec = second;
	return 0;
}

static int from_local(struct tm *tm, int64_t *ret_seconds) {
	tm->tm_isdst = -1;
	int day = tm->tm_mday;
	time_t t = mktime(tm);
	if (t == (time_t) -1 || tm->tm_mday != day) {
		return -EINVAL; /* "2026-02-31" */
	}
	*ret_seconds = t;
	return 0;
}

static int parse_date(const char *text, int64_t *ret_seconds) {
	struct tm tm = { 0 };
	int year, month, day, n = 0;
	if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &n) != 3 || n == 0 || month < 1 ||
		month > 12 || day < 1 || day > 31) {
		return -EINVAL;
	}
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	if (text[n] == ' ' || text[n] == 'T') {
		int r = parse_clock_time(text + n + 1, &tm);
		if (r < 0) {
			return r;
		}
	} else if (text[n] != '\0') {
		return -EINVAL;
	}
	return from_local(&tm, ret_seconds);
}

static int parse_word(const char *text, int64_t now, int64_t *ret_seconds) {
	time_t t = now;
	struct tm tm;
	if (strcmp(text, "now") == 0) {
		*ret_seconds = now;
		return 0;
	}
	if (localtime_r(&t, &tm) == NULL) {
		return -EINVAL;
	}
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	if (strcmp(text, "today") == 0) {
		return from_local(&tm, ret_seconds);
	}
	if (strcmp(text, "yesterday") == 0) {
		tm.tm_isdst = -1;
		tm.tm_mday--; /* mktime() mends a 0 */
		t = mktime(&tm);
		*ret_seconds = t;
		return t == (time_t) -1 ? -EINVAL : 0;
	}
	int r = parse_clock_time(text, &tm);
	return r < 0 ? r : from_local(&tm, ret_seconds);
}

int moment_parse(const char *text, int64_t now, int64_t *ret_seconds) {
	const char *rest;
	int64_t span;
	uint64_t seconds;
	if (text[0] == '@') {
		if (text_to_u64(text + 1, 0, INT64_MAX, &seconds) < 0) {
			return -EINVAL;
		}
		*ret_seconds = (int64_t) seconds;
		return 0;
	}
	if (text[0] == '-' && parse_span(text + 1, &span, &rest) == 0 && rest[0] == '\0') {
		*ret_seconds = now - span;
		return 0;
	}
	if (parse_span(text, &span, &rest) == 0 && strcmp(rest, " ago") == 0) {
		*ret_seconds = now - span;
		return 0;
	}
	if (moment_parse_rfc3339(text, ret_seconds) == 0 || parse_date(text, ret_seconds) == 0) {
		return 0;
	}
	return parse_word(text, now, ret_seconds);
}
