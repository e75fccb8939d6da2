/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A time zone as rules (IANA name), behind a vtable: core needs local wall-clock time and may read
 * neither files nor the environment. The loop room implements it with GLib's GTimeZone
 * (loop/zones.h); tests may write one by hand.
 *
 * "Local seconds" are seconds since 1970-01-01T00:00:00 as the clock on the wall shows it. In the
 * hour that DST repeats, two moments have the same local seconds; in the one that it skips, none.
 */

#include "util/when.h"

#define ZONE_NAME_MAX 64

struct zone {
	char name[ZONE_NAME_MAX]; /* "Europe/Berlin" */
	/* Seconds east of UTC at that moment. Pure, cheap. */
	int (*offset)(const struct zone *zone, wall_t at);
};

static inline int64_t zone_local(const struct zone *zone, wall_t at) {
	return at.s + zone->offset(zone, at);
}

/*
 * The first and the last moment at which the wall shows @local. In a skipped hour both are the
 * moment of the jump. Pure.
 */
wall_t zone_first(const struct zone *zone, int64_t local);
wall_t zone_last(const struct zone *zone, int64_t local);

/* Gives zones out by name; they live as long as the source. */
struct zone_source {
	/* NULL: no such zone (errno-like reasons are not told). "" is the hub's own. */
	const struct zone *(*get)(struct zone_source *source, const char *name);
};
