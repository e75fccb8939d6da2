/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Windows of time: text both ways, whether now is inside, and when that changes. Pure.
 * Semantics: Matter Door Lock cluster, Week Day / Year Day / Holiday schedules.
 */

#include "core/user.h"
#include "util/zone.h"

#define SCHEDULE_TEXT_MAX 96
#define SCHEDULES_PER_TEXT_MAX 16

/*
 * People's words to rows (ids empty): "Mon-Fri 08:00-12:00", "daily 22:00-06:00" (split into two
 * rows at midnight, on the right days), "Sat,Sun", "2027-03-01 12:00 - 2027-03-08 10:00",
 * "2027-03-01 - 2027-03-08" (whole days), several joined by ";". English day names, any case, full
 * or three letters. @ret holds SCHEDULES_PER_TEXT_MAX. The number of rows, or -EINVAL with
 * BAD_ARGUMENT, which quotes what was not understood and shows an example.
 */
int schedule_parse(const char *text, struct schedule *ret, struct fault *ret_fault);
/* "Mon-Fri 08:00-12:00"; parses back to the same row. Returns out. */
char *schedule_text(const struct schedule *schedule, char out[static SCHEDULE_TEXT_MAX]);
/* "2027-03-01", "2027-03-01 18:00", "tomorrow", "+3d", "+2h" to UTC. A bare date is its end of day.
 */
int schedule_parse_until(const char *text, const struct zone *zone, wall_t now, wall_t *ret,
	struct fault *ret_fault);
/* 0, or -EINVAL with the field that is out of range. */
int schedule_check(const struct schedule *schedule, struct fault *ret_fault);

/* Whether @local (util/zone.h) lies inside. */
bool schedule_contains(const struct schedule *schedule, int64_t local);
/* The first moment after @now at which schedule_contains() changes; INT64_MAX s: never again. */
wall_t schedule_next_edge(const struct schedule *schedule, const struct zone *zone, wall_t now);
