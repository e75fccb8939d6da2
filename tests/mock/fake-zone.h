/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Time zones written by hand: an offset that changes at given moments. No tzdata is needed, so that
 * what a test says of DST stays true when governments change their minds.
 */

#include "util/auto.h"
#include "util/zone.h"

struct fake_zone {
	struct zone zone;
	int first; /* before the first change */
	struct {
		int64_t at;
		int offset;
	} changes[8]; /* in order; the first with at 0 ends them */
};

static inline int fake_zone_offset(const struct zone *zone, wall_t at) {
	const struct fake_zone *fake = container_of(zone, struct fake_zone, zone);
	int offset = fake->first;

	for (size_t i = 0; i < ARRAY_SIZE(fake->changes) && fake->changes[i].at != 0; i++) {
		if (at.s >= fake->changes[i].at) {
			offset = fake->changes[i].offset;
		}
	}
	return offset;
}

#define FAKE_UTC                                                                                   \
	{                                                                                          \
		.zone = {.name = "UTC", .offset = fake_zone_offset }                               \
	}

/* Central European time in 2026 and 2027: changes at 01:00 UTC. */
#define FAKE_BERLIN                                                                                \
	{                                                                                          \
		.zone = { .name = "Test/Berlin", .offset = fake_zone_offset }, .first = 3600,      \
		.changes = {                                                                       \
			{ 1774746000, 7200 }, /* 2026-03-29 */                                     \
			{ 1792890000, 3600 }, /* 2026-10-25 */                                     \
			{ 1806195600, 7200 }, /* 2027-03-28 */                                     \
			{ 1824944400, 3600 }, /* 2027-10-31 */                                     \
		}                                                                                  \
	}
