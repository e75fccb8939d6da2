/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/schedule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "util/text.h"

#define DAY_S 86400
#define DAY_MINUTES 1440
#define LAST_MINUTE (DAY_MINUTES - 1)
/* A window that DST skips in one week is there in the next. */
#define EDGE_DAYS 16
#define AFTER_S_MAX (3660LL * DAY_S)

static const char *const day_names[7] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
	"Friday", "Saturday" };

static int64_t day_of(int64_t local) {
	return local >= 0 ? local / DAY_S : -((DAY_S - 1 - local) / DAY_S);
}

/* 0 Sunday; 1970-01-01 was a Thursday. */
static unsigned weekday_of(int64_t day) {
	return (unsigned) (((day + 4) % 7 + 7) % 7);
}

/* ---- text to rows ---- */

static void skip_spaces(const char **at) {
	while (**at == ' ' || **at == '\t') {
		(*at)++;
	}
}

static bool take_exactly(const char **at, char c) {
	if (**at != c) {
		return false;
	}
	(*at)++;
	return true;
}

static bool take(const char **at, char c) {
	skip_spaces(at);
	return take_exactly(at, c);
}

static bool is_letter(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c) {
	return c >= '0' && c <= '9';
}

/* Exactly @least to @most digits. */
static bool take_number(const char **at, unsigned least, unsigned most, int *ret) {
	unsigned n = 0;
	int value = 0;

	while (is_digit((*at)[n]) && n <= most) {
		value = value * 10 + ((*at)[n] - '0');
		n++;
	}
	if (n < least || n > most) {
		return false;
	}
	*at += n;
	*ret = value;
	return true;
}

static size_t word_length(const char *at) {
	size_t n = 0;

	while (is_letter(at[n])) {
		n++;
	}
	return n;
}

static bool take_word(const char **at, const char *word) {
	size_t n;

	skip_spaces(at);
	n = word_length(*at);
	if (n != strlen(word) || strncasecmp(*at, word, n) != 0) {
		return false;
	}
	*at += n;
	return true;
}

/* "Mon", "monday": three letters at least. */
static bool take_day(const char **at, unsigned *ret) {
	size_t n;

	skip_spaces(at);
	n = word_length(*at);
	for (unsigned i = 0; n >= 3 && i < 7; i++) {
		if (n <= strlen(day_names[i]) && strncasecmp(*at, day_names[i], n) == 0) {
			*at += n;
			*ret = i;
			return true;
		}
	}
	return false;
}

/* "Mon-Fri", "Sat,Sun", "Fri-Mon,Wed". */
static bool take_days(const char **at, uint8_t *ret) {
	uint8_t days = 0;

	do {
		unsigned first;
		unsigned last;

		if (!take_day(at, &first)) {
			return false;
		}
		last = first;
		if (take(at, '-') && !take_day(at, &last)) {
			return false;
		}
		for (unsigned day = first;; day = (day + 1) % 7) {
			days |= (uint8_t) (1U << day);
			if (day == last) {
				break;
			}
		}
	} while (take(at, ','));
	*ret = days;
	return true;
}

/* "08:00", "8:00", "24:00" (@is_end): minutes of the day. */
static bool take_minute(const char **at, bool is_end, int *ret) {
	int hour;
	int minute;

	skip_spaces(at);
	if (!take_number(at, 1, 2, &hour) || !take_exactly(at, ':') ||
		!take_number(at, 2, 2, &minute) || minute > 59 ||
		hour * 60 + minute > (is_end ? DAY_MINUTES : LAST_MINUTE)) {
		return false;
	}
	*ret = hour * 60 + minute;
	return true;
}

static bool take_date(const char **at, int64_t *ret_local) {
	struct civil civil = { 0 };
	wall_t wall;

	skip_spaces(at);
	if (!take_number(at, 4, 4, &civil.year) || !take_exactly(at, '-') ||
		!take_number(at, 2, 2, &civil.month) || !take_exactly(at, '-') ||
		!take_number(at, 2, 2, &civil.day) || wall_from_civil(&civil, &wall) < 0) {
		return false;
	}
	*ret_local = wall.s;
	return true;
}

/* After a date: " 12:00" or " 12:00:30". False when it begins like one and is none. */
static bool take_clock(const char **at, bool *ret_is_there, int64_t *ret_s) {
	int minute;
	int second = 0;

	skip_spaces(at);
	*ret_is_there = is_digit(**at);
	if (!*ret_is_there) {
		return true;
	}
	if (!take_minute(at, false, &minute)) {
		return false;
	}
	if (take_exactly(at, ':') && (!take_number(at, 2, 2, &second) || second > 59)) {
		return false;
	}
	*ret_s = minute * 60LL + second;
	return true;
}

static bool is_date(const char *at) {
	skip_spaces(&at);
	for (unsigned i = 0; i < 4; i++) {
		if (!is_digit(at[i])) {
			return false;
		}
	}
	return at[4] == '-';
}

/* Days that follow those of @days. */
static uint8_t next_days(uint8_t days) {
	return (uint8_t) ((days << 1 | days >> 6) & DAYS_ALL);
}

struct parse {
	struct schedule *rows;
	size_t n;
};

static bool add_row(struct parse *parse, const struct schedule *row) {
	if (parse->n >= SCHEDULES_PER_TEXT_MAX) {
		return false;
	}
	parse->rows[parse->n++] = *row;
	return true;
}

/*
 * Both ends of a window count, so a night is one row up to the day's last second and one from the
 * next day's first: no moment is in both, and none is in neither.
 */
static bool add_week_days(struct parse *parse, uint8_t days, int start, int end) {
	struct schedule row = { .kind = SCHEDULE_WEEK_DAY, .days = days };

	row.start_minute = (int16_t) start;
	row.end_minute = (int16_t) (end > start ? end : LAST_MINUTE);
	if (row.end_minute > LAST_MINUTE) {
		row.end_minute = LAST_MINUTE;
	}
	if (start == end || row.end_minute <= row.start_minute || !add_row(parse, &row)) {
		return false;
	}
	if (end > start || end == 0) {
		return true;
	}
	row.days = next_days(days);
	row.start_minute = 0;
	row.end_minute = (int16_t) end;
	return add_row(parse, &row);
}

static bool parse_week_days(struct parse *parse, const char **at) {
	uint8_t days = DAYS_ALL;
	int start = 0;
	int end = DAY_MINUTES;

	skip_spaces(at);
	if (is_letter(**at) && !take_word(at, "daily") && !take_days(at, &days)) {
		return false;
	}
	skip_spaces(at);
	if (is_digit(**at) && (!take_minute(at, false, &start) || !take(at, '-') ||
				      !take_minute(at, true, &end))) {
		return false;
	}
	return add_week_days(parse, days, start, end);
}

static bool parse_year_days(struct parse *parse, const char **at) {
	struct schedule row = { .kind = SCHEDULE_YEAR_DAY };
	bool has_clock;
	int64_t s = 0;

	if (!take_date(at, &row.from) || !take_clock(at, &has_clock, &s)) {
		return false;
	}
	row.until = row.from + DAY_S - 1;
	row.from += s;
	if (take(at, '-')) {
		if (!take_date(at, &row.until) || !take_clock(at, &has_clock, &s)) {
			return false;
		}
		row.until += has_clock ? s : DAY_S - 1;
	} else if (has_clock) {
		return false; /* a time needs its other end */
	}
	return row.until > row.from && add_row(parse, &row);
}

int schedule_parse(const char *text, struct schedule *ret, struct fault *ret_fault) {
	struct schedule rows[SCHEDULES_PER_TEXT_MAX];
	struct parse parse = { .rows = rows };
	const char *at = text;

	do {
		const char *part = at;
		bool is_good;

		skip_spaces(&part);
		at = part;
		is_good =
			*at != '\0' && *at != ';' &&
			(is_date(at) ? parse_year_days(&parse, &at) : parse_week_days(&parse, &at));
		skip_spaces(&at);
		if (parse.n >= SCHEDULES_PER_TEXT_MAX && (!is_good || *at != '\0')) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"more than %d windows at once", SCHEDULES_PER_TEXT_MAX);
		}
		if (!is_good || (*at != '\0' && *at != ';')) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"window \"%.*s\" is not understood; write for example \"Mon-Fri "
				"08:00-12:00\", \"daily\" or \"2027-03-01 - 2027-03-08 10:00\"",
				(int) text_cut(part, 40), part);
		}
	} while (*at++ == ';');
	memcpy(ret, rows, parse.n * sizeof(rows[0]));
	return (int) parse.n;
}

/* ---- rows to text ---- */

static void add_days(char *out, uint8_t days) {
	size_t n = 0;

	/* The week begins on Monday for people. */
	for (unsigned i = 0; i < 7;) {
		unsigned run = 0;

		while (i + run < 7 && (days & 1U << (i + run + 1) % 7) != 0) {
			run++;
		}
		if (run == 0) {
			i++;
			continue;
		}
		n += (size_t) snprintf(out + n, SCHEDULE_TEXT_MAX - n, "%s%.3s", n > 0 ? "," : "",
			day_names[(i + 1) % 7]);
		if (run > 1) {
			n += (size_t) snprintf(out + n, SCHEDULE_TEXT_MAX - n, "%s%.3s",
				run > 2 ? "-" : ",", day_names[(i + run) % 7]);
		}
		i += run;
	}
}

static void add_moment(char *out, int64_t local, bool is_plain) {
	size_t n = strlen(out);
	struct civil c = wall_to_civil((wall_t){ local });

	n += (size_t) snprintf(out + n, SCHEDULE_TEXT_MAX - n, "%04u-%02u-%02u",
		(unsigned) c.year % 10000, (unsigned) c.month % 100, (unsigned) c.day % 100);
	if (is_plain) {
		return;
	}
	n += (size_t) snprintf(out + n, SCHEDULE_TEXT_MAX - n, " %02d:%02d", c.hour, c.minute);
	if (c.second != 0) {
		(void) snprintf(out + n, SCHEDULE_TEXT_MAX - n, ":%02d", c.second);
	}
}

static char *year_day_text(const struct schedule *schedule, char *out) {
	bool is_from_plain = schedule->from - day_of(schedule->from) * DAY_S == 0;
	bool is_until_plain = schedule->until - day_of(schedule->until) * DAY_S == DAY_S - 1;

	out[0] = '\0';
	add_moment(out, schedule->from, is_from_plain);
	(void) snprintf(out + strlen(out), SCHEDULE_TEXT_MAX - strlen(out), " - ");
	add_moment(out, schedule->until, is_until_plain);
	return out;
}

char *schedule_text(const struct schedule *schedule, char out[static SCHEDULE_TEXT_MAX]) {
	size_t n;

	if (schedule->kind == SCHEDULE_YEAR_DAY) {
		return year_day_text(schedule, out);
	}
	out[0] = '\0';
	if ((schedule->days & DAYS_ALL) == DAYS_ALL) {
		(void) text_copy(out, SCHEDULE_TEXT_MAX, "daily");
	} else {
		add_days(out, schedule->days);
	}
	n = strlen(out);
	if (schedule->start_minute != 0 || schedule->end_minute != LAST_MINUTE) {
		(void) snprintf(out + n, SCHEDULE_TEXT_MAX - n, " %02d:%02d-%02d:%02d",
			schedule->start_minute / 60, schedule->start_minute % 60,
			schedule->end_minute / 60, schedule->end_minute % 60);
	}
	return out;
}

/* ---- until ---- */

/* "+3d": the same time of day then, whatever DST does in between; hours and minutes are exact. */
static bool parse_after(const char *at, const struct zone *zone, wall_t now, wall_t *ret) {
	int64_t unit;
	int number;

	at++;
	if (!take_number(&at, 1, 5, &number) || at[0] == '\0' || at[1] != '\0') {
		return false;
	}
	switch (at[0]) {
	case 'w':
		unit = 7LL * DAY_S;
		break;
	case 'd':
		unit = DAY_S;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'm':
		unit = 60;
		break;
	default:
		return false;
	}
	if (number == 0 || number * unit > AFTER_S_MAX) {
		return false;
	}
	*ret = unit >= DAY_S ? zone_first(zone, zone_local(zone, now) + number * unit)
			     : (wall_t){ now.s + number * unit };
	return true;
}

/* An end is never read as the later one of two: what ends, ends early rather than late. */
static bool parse_until(const char *at, const struct zone *zone, wall_t now, wall_t *ret) {
	int64_t today = day_of(zone_local(zone, now)) * DAY_S;
	int64_t local;
	int64_t s = 0;
	bool has_clock;

	skip_spaces(&at);
	if (*at == '+') {
		return parse_after(at, zone, now, ret);
	}
	if (take_word(&at, "today")) {
		local = today;
	} else if (take_word(&at, "tomorrow")) {
		local = today + DAY_S;
	} else if (!take_date(&at, &local)) {
		return false;
	}
	if (!take_clock(&at, &has_clock, &s)) {
		return false;
	}
	skip_spaces(&at);
	if (*at != '\0') {
		return false;
	}
	*ret = zone_first(zone, local + (has_clock ? s : DAY_S));
	return true;
}

int schedule_parse_until(const char *text, const struct zone *zone, wall_t now, wall_t *ret,
	struct fault *ret_fault) {
	char said[WALL_TEXT_MAX];
	wall_t until;

	if (!parse_until(text, zone, now, &until)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"end \"%.*s\" is not understood; write for example \"2027-03-01\", "
			"\"2027-03-01 18:00\", \"tomorrow\", \"+3d\" or \"+2h\"",
			(int) text_cut(text, 40), text);
	}
	if (until.s <= now.s) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"end \"%.*s\" is over already: it is %s now", (int) text_cut(text, 40),
			text, wall_to_text(now, said));
	}
	*ret = until;
	return 0;
}

/* ---- meaning ---- */

int schedule_check(const struct schedule *schedule, struct fault *ret_fault) {
	if (schedule->kind == SCHEDULE_YEAR_DAY) {
		return schedule->until > schedule->from
			       ? 0
			       : fault_set(ret_fault, FAULT_BAD_ARGUMENT,
					 "the window ends before it begins");
	}
	if (schedule->kind != SCHEDULE_WEEK_DAY) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "kind of schedule %d", (int) schedule->kind);
	}
	if (schedule->days == 0 || (schedule->days & ~DAYS_ALL) != 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"days 0x%02x: one day at least, bit 0 Sunday to bit 6 Saturday",
			schedule->days);
	}
	if (schedule->start_minute < 0 || schedule->end_minute > LAST_MINUTE) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"times of day are 00:00 to 23:59, not minutes %d to %d",
			schedule->start_minute, schedule->end_minute);
	}
	if (schedule->end_minute <= schedule->start_minute) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"the window ends before it begins; one over midnight is two windows");
	}
	return 0;
}

bool schedule_contains(const struct schedule *schedule, int64_t local) {
	int64_t day = day_of(local);
	int64_t s = local - day * DAY_S;

	if (schedule->kind == SCHEDULE_YEAR_DAY) {
		return local >= schedule->from && local <= schedule->until;
	}
	return (schedule->days & 1U << weekday_of(day)) != 0 &&
	       s >= schedule->start_minute * 60LL &&
	       (s <= schedule->end_minute * 60LL || schedule->end_minute == LAST_MINUTE);
}

struct edge {
	const struct schedule *schedule;
	const struct zone *zone;
	wall_t now;
	bool is_inside; /* now */
	wall_t best;
};

static void try_edge(struct edge *edge, wall_t at) {
	if (at.s > edge->now.s && at.s < edge->best.s &&
		schedule_contains(edge->schedule, zone_local(edge->zone, at)) != edge->is_inside) {
		edge->best = at;
	}
}

/*
 * Where the wall shows a window's edge twice, the clocks go back in between, and that moment is an
 * edge too. Where it never shows it, zone_first() is the jump itself.
 */
static void try_local(struct edge *edge, int64_t local) {
	wall_t first = zone_first(edge->zone, local);
	wall_t last = zone_last(edge->zone, local);
	wall_t before = first;
	wall_t after = last;
	int offset = edge->zone->offset(edge->zone, first);

	try_edge(edge, first);
	try_edge(edge, last);
	while (after.s - before.s > 1) {
		wall_t middle = { before.s + (after.s - before.s) / 2 };

		if (edge->zone->offset(edge->zone, middle) == offset) {
			before = middle;
		} else {
			after = middle;
		}
	}
	try_edge(edge, after);
}

wall_t schedule_next_edge(const struct schedule *schedule, const struct zone *zone, wall_t now) {
	int64_t local = zone_local(zone, now);
	int64_t today = day_of(local);
	struct edge edge = { .schedule = schedule,
		.zone = zone,
		.now = now,
		.is_inside = schedule_contains(schedule, local),
		.best = { INT64_MAX } };

	if (schedule->kind == SCHEDULE_YEAR_DAY) {
		try_local(&edge, schedule->from);
		try_local(&edge, schedule->until + 1);
		return edge.best;
	}
	for (int64_t day = today - 1; day <= today + EDGE_DAYS; day++) {
		int64_t end = schedule->end_minute == LAST_MINUTE ? DAY_S
								  : schedule->end_minute * 60LL + 1;

		if ((schedule->days & 1U << weekday_of(day)) == 0) {
			continue;
		}
		/* What lies a day behind the best so far cannot come before it. */
		if (edge.best.s < INT64_MAX && day * DAY_S > zone_local(zone, edge.best) + DAY_S) {
			break;
		}
		try_local(&edge, day * DAY_S + schedule->start_minute * 60LL);
		try_local(&edge, day * DAY_S + end);
	}
	return edge.best;
}
