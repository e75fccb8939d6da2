/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Windows and ends in people's words: what is taken is valid and says the same when told again. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/schedule.h"
#include "util/auto.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int offset(const struct zone *zone, wall_t at) {
	(void) zone;
	/* Clocks go back in the middle of it all. */
	return at.s < 1795000000 ? 7200 : 3600;
}

static const struct zone zone = { .name = "Test", .offset = offset };

static void check_row(const struct schedule *row) {
	struct schedule again[SCHEDULES_PER_TEXT_MAX];
	char text[SCHEDULE_TEXT_MAX];
	wall_t now = { 1794999000 };

	assert(schedule_check(row, NULL) == 0);
	assert(schedule_parse(schedule_text(row, text), again, NULL) == 1);
	assert(again[0].kind == row->kind && again[0].days == row->days);
	assert(again[0].start_minute == row->start_minute &&
		again[0].end_minute == row->end_minute);
	assert(again[0].from == row->from && again[0].until == row->until);
	for (unsigned i = 0; i < 4 && now.s < INT64_MAX; i++) {
		bool is_inside = schedule_contains(row, zone_local(&zone, now));
		wall_t edge = schedule_next_edge(row, &zone, now);

		assert(edge.s > now.s);
		assert(edge.s == INT64_MAX ||
			schedule_contains(row, zone_local(&zone, edge)) != is_inside);
		now = edge;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO(free) char *text = malloc(size + 1);
	struct schedule rows[SCHEDULES_PER_TEXT_MAX];
	struct fault fault = { .code = FAULT_NONE };
	wall_t now = { 1794999000 };
	wall_t until = { 0 };
	int n;

	assert(text != NULL);
	if (size > 0) {
		memcpy(text, data, size);
	}
	text[size] = '\0';
	n = schedule_parse(text, rows, &fault);
	assert((n < 0) == (fault.code == FAULT_BAD_ARGUMENT) && n <= SCHEDULES_PER_TEXT_MAX);
	assert(text_is_clean(fault.detail, strlen(fault.detail)));
	for (int i = 0; i < n; i++) {
		check_row(&rows[i]);
	}
	if (schedule_parse_until(text, &zone, now, &until, &fault) >= 0) {
		assert(until.s > now.s);
	}
	return 0;
}
