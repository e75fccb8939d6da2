/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/zone.h"

/* No zone is further from UTC than this; nor does any change its offset twice within two of it. */
#define OFFSET_MOST_S 86400

/*
 * The first moment from @from to @to at which the wall shows @local or later. It shows less at
 * @from and not less at @to, and in between there is one jump at most.
 */
static wall_t first_not_before(const struct zone *zone, int64_t local, wall_t from, wall_t to) {
	while (to.s - from.s > 1) {
		wall_t middle = { from.s + (to.s - from.s) / 2 };

		if (zone_local(zone, middle) >= local) {
			to = middle;
		} else {
			from = middle;
		}
	}
	return to;
}

/*
 * The offset before and after a change near @local each give one moment at which the wall could
 * show it. Those that really do are the answers; in a skipped hour neither does.
 */
static void find(const struct zone *zone, int64_t local, wall_t *ret_first, wall_t *ret_last) {
	wall_t before = { local - zone->offset(zone, (wall_t){ local - OFFSET_MOST_S }) };
	wall_t after = { local - zone->offset(zone, (wall_t){ local + OFFSET_MOST_S }) };
	bool is_before = zone_local(zone, before) == local;
	bool is_after = zone_local(zone, after) == local;

	if (!is_before && !is_after) {
		/* Clocks went forward: @after is still before the jump, @before is behind it. */
		*ret_first = first_not_before(zone, local, after, before);
		*ret_last = *ret_first;
		return;
	}
	*ret_first = is_before ? before : after;
	*ret_last = is_after ? after : before;
}

wall_t zone_first(const struct zone *zone, int64_t local) {
	wall_t first;
	wall_t last;

	find(zone, local, &first, &last);
	return first.s < last.s ? first : last;
}

wall_t zone_last(const struct zone *zone, int64_t local) {
	wall_t first;
	wall_t last;

	find(zone, local, &first, &last);
	return first.s < last.s ? last : first;
}
