/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Two kinds of time that cannot be mixed up (R5), and the clock they come from. Only the loop room
 * reads a real clock; everybody else is handed a struct clock, which tests crank by hand.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	int64_t ms;
} mono_t; /* CLOCK_BOOTTIME: deadlines, ages, back-off */

typedef struct {
	int64_t s;
} wall_t; /* UTC seconds since 1970; 0 = never or not known */

#define MONO_NEVER ((mono_t){ INT64_MAX })

static inline mono_t mono_after(mono_t at, int64_t ms) {
	return (mono_t){ at.ms == INT64_MAX ? INT64_MAX : at.ms + ms };
}
static inline bool mono_is_due(mono_t due, mono_t now) {
	return due.ms <= now.ms;
}
static inline mono_t mono_min(mono_t a, mono_t b) {
	return a.ms < b.ms ? a : b;
}
/* Milliseconds from @then to @now. */
static inline int64_t mono_since(mono_t then, mono_t now) {
	return now.ms - then.ms;
}

struct clock {
	mono_t (*mono)(const struct clock *clock);
	wall_t (*wall)(const struct clock *clock);
	/* Whether the wall clock may be believed: synchronised since boot, or set by an RTC (L8).
	 */
	bool (*is_trusted)(const struct clock *clock);
};

static inline mono_t clock_mono(const struct clock *clock) {
	return clock->mono(clock);
}
static inline wall_t clock_wall(const struct clock *clock) {
	return clock->wall(clock);
}
static inline bool clock_is_trusted(const struct clock *clock) {
	return clock->is_trusted(clock);
}

/* A civil date and time, UTC unless said otherwise. */
struct civil {
	int year;  /* full, e.g. 2026 */
	int month; /* 1..12 */
	int day;   /* 1..31 */
	int hour, minute, second;
};

/* Proleptic Gregorian, no time zone. -EINVAL: a field is out of range, *ret untouched. */
int wall_from_civil(const struct civil *civil, wall_t *ret);
struct civil wall_to_civil(wall_t wall);

#define WALL_TEXT_MAX 32
/* "2026-11-22T06:00:00Z" into out; "never" for 0. Returns out. */
char *wall_to_text(wall_t wall, char out[static WALL_TEXT_MAX]);
