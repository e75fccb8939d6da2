/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is done about an adapter that does not work, one step after the other (docs/bluez-notes.md).
 * Pure: the room tells of trouble and of its end, this answers which step is due. The same step
 * comes at most once in five minutes, different ones half a minute apart, to have time to work.
 */

#include <stdbool.h>

#include "util/when.h"

#define LADDER_STEP_MS (5 * 60 * 1000)
#define LADDER_PAUSE_MS (30 * 1000)

enum ladder_trouble {
	TROUBLE_DEAF,    /* nothing is heard, where something used to be */
	TROUBLE_FAILING, /* all devices fail to connect */
	TROUBLE_STUCK,   /* a link does not end */
	TROUBLE_COUNT_,
};

enum ladder_rung {
	RUNG_DISCOVERY, /* end discovery and start it anew */
	RUNG_LINKS,     /* give up the links of ours that nobody uses */
	RUNG_POWER,     /* switch the adapter off and on */
	RUNG_SERVICE,   /* have bluetooth.service restarted */
	RUNG_ALARM,     /* tell people */
	RUNG_NONE,      /* nothing now */
};

struct ladder {
	enum ladder_rung next;
	bool was_taken[RUNG_NONE];
	mono_t taken[RUNG_NONE];
};

/*
 * @allowed: bits 1 << rung; the alarm always is. @percent: of the times above.
 * After the alarm it begins again in five minutes, but for a deaf adapter: as long as nothing is
 * heard it may be that there is nothing, and switching things off and on for ever helps nobody.
 */
enum ladder_rung ladder_climb(struct ladder *ladder, enum ladder_trouble trouble, unsigned allowed,
	mono_t now, unsigned percent);
/* The adapter has done its work: the next trouble begins at the foot. */
void ladder_is_well(struct ladder *ladder);
const char *ladder_rung_name(enum ladder_rung rung);
