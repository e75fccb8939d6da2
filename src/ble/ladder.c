/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ladder.h"

#include <stddef.h>

#include "util/auto.h"

/* What cannot help is left out: no discovery ends a link that BlueZ holds on to. */
static const enum ladder_rung first_of[TROUBLE_COUNT_] = {
	[TROUBLE_DEAF] = RUNG_DISCOVERY,
	[TROUBLE_FAILING] = RUNG_LINKS,
	[TROUBLE_STUCK] = RUNG_POWER,
};

static bool is_within(const struct ladder *ladder, enum ladder_rung rung, mono_t now, int64_t ms) {
	return ladder->was_taken[rung] && mono_since(ladder->taken[rung], now) < ms;
}

enum ladder_rung ladder_climb(struct ladder *ladder, enum ladder_trouble trouble, unsigned allowed,
	mono_t now, unsigned percent) {
	int64_t step_ms = (int64_t) LADDER_STEP_MS * percent / 100;
	int64_t pause_ms = (int64_t) LADDER_PAUSE_MS * percent / 100;
	enum ladder_rung rung = ladder->next;

	for (unsigned i = 0; i < RUNG_NONE; i++) {
		if (is_within(ladder, (enum ladder_rung) i, now, pause_ms)) {
			return RUNG_NONE;
		}
	}
	if (rung == RUNG_NONE) {
		if (trouble == TROUBLE_DEAF || is_within(ladder, RUNG_ALARM, now, step_ms)) {
			return RUNG_NONE;
		}
		rung = first_of[trouble];
	}
	if (rung < first_of[trouble]) {
		rung = first_of[trouble];
	}
	while (rung != RUNG_ALARM && (allowed & (1U << rung)) == 0) {
		rung++;
	}
	if (is_within(ladder, rung, now, step_ms)) {
		return RUNG_NONE;
	}
	ladder->was_taken[rung] = true;
	ladder->taken[rung] = now;
	ladder->next = rung + 1;
	return rung;
}

void ladder_is_well(struct ladder *ladder) {
	ladder->next = RUNG_DISCOVERY;
}

const char *ladder_rung_name(enum ladder_rung rung) {
	static const char *const names[] = {
		[RUNG_DISCOVERY] = "discovery is started anew",
		[RUNG_LINKS] = "links that nobody uses are given up",
		[RUNG_POWER] = "it is switched off and on",
		[RUNG_SERVICE] = "bluetooth.service is restarted",
		[RUNG_ALARM] = "nothing is left to try",
	};
	return (size_t) rung < ARRAY_SIZE(names) ? names[rung] : "nothing";
}
