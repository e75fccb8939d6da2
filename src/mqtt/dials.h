/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The settings of a lock as Home Assistant shows them (core/setting.h; docs/mqtt.md, "Settings"): a
 * dial is one entity by which a person sets something. Most settings are one dial; a number that
 * may be off is two, a switch and the number. Pure: what a dial is called, what it shows, and what
 * a message to it wants. Who may turn it is judged in dial-set.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/fault.h"

#include "view.h"

#define DIALS_MAX (2 * SETTINGS_MAX)
/* "setting_EnableInsideStatusLED_on" */
#define DIAL_KEY_MAX 48

struct dial {
	const struct view_setting *setting; /* of the view it was made from */
	bool is_enabler;                    /* the switch of a number that may be off */
};

/* All that the lock has and that may be offered; in the driver's order. @return how many. */
size_t dials_of(const struct view *view, struct dial out[static DIALS_MAX]);
/*
 * Whether a setting decides who gets in, or how easily: those are for whoever may maintain the
 * lock. A setting that this room does not know counts as one.
 */
bool dial_is_guarded(const struct lock_setting *row);

/* "number"; static. */
const char *dial_platform(const struct dial *dial);
/* "setting_AutoRelockTime": the end of its unique id, never changed; returns out. */
char *dial_key(const struct dial *dial, char out[static DIAL_KEY_MAX]);
/* "setting/AutoRelockTime": where its state goes, below BASE/LOCK-ID; returns out. */
char *dial_leaf(const struct dial *dial, char out[static DIAL_KEY_MAX]);
/* What Home Assistant calls it; the driver's title when this room knows no shorter one. */
const char *dial_name(const struct dial *dial);
const char *dial_icon(const struct dial *dial); /* NULL: that of the platform */
/* Shown at once; the others are there, but have to be enabled in Home Assistant. */
bool dial_is_on_page(const struct dial *dial);

/*
 * What it shows: the value as the lock told it last. "None" for one that Home Assistant would not
 * take, and for a number that is off; NULL: nothing can be said (a text has no word for it).
 * Borrowed: a constant, or out.
 */
const char *dial_payload(const struct dial *dial, char out[static SETTING_VALUE_MAX]);
/*
 * The setting that BASE/ID/setting/NAME/set is about, among those that a lock has; NULL: none.
 * *ret_is_enabler: the switch of a number.
 */
const struct lock_setting *dial_find(
	const struct lock_setting *rows, size_t n, const char *name, bool *ret_is_enabler);
/*
 * What a message wants: the setting's new value as core takes it. @last_on: the time it had when it
 * was on last, 0 not known. 0, or BAD_COMMAND; out is untouched then.
 */
#define DIAL_DEFAULT_ON 300
int dial_wish(const struct lock_setting *row, bool is_enabler, int32_t last_on,
	const uint8_t *payload, size_t n, char out[static SETTING_VALUE_MAX],
	struct fault *ret_fault);
