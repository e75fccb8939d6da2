/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Settings of a lock: what a person may choose of the lock's own configuration. A driver has a
 * static row for each (struct driver, settings hook); a value is always text in one canonical form,
 * so that it can be compared, kept, shown and put back without knowing the brand. Pure.
 *
 * Keys are Matter's attribute names where Matter has one (AutoRelockTime, EnableInsideStatusLED),
 * else names in the same manner. Source: Matter Door Lock cluster, as in connectedhomeip.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/fault.h"

#define SETTING_KEY_MAX 32
/* Octets with the end mark. */
#define SETTING_VALUE_MAX 72
#define SETTINGS_MAX 48

enum setting_kind {
	SETTING_SWITCH, /* "on", "off" */
	SETTING_NUMBER, /* decimal, whole */
	SETTING_SELECT, /* one of .options */
	SETTING_TIME,   /* "22:30", by the clock on the wall at the lock */
	SETTING_TEXT,   /* 1 to .max octets of clean UTF-8 */
};

/* What can be set. Static storage of a driver. */
struct lock_setting {
	const char *key;
	const char *title; /* "Lock again after" */
	enum setting_kind kind;
	const char *unit; /* "s", "min"; NULL none */
	int32_t min, max; /* SETTING_NUMBER; SETTING_TEXT: .max octets */
	int32_t step;     /* SETTING_NUMBER; 0 is 1 */
	bool is_zero_off; /* 0 is allowed besides min..max, and means off */
	/* SETTING_SELECT: NULL-terminated. */
	const char *const *options;
	bool needs_pin; /* to change it; reading is another matter */
};

/* One value, as read or as wanted. */
struct setting {
	char key[SETTING_KEY_MAX];
	char value[SETTING_VALUE_MAX];
};

const char *setting_kind_name(enum setting_kind kind); /* "switch", "number" ... */
/* By key, however it is written; NULL. */
const struct lock_setting *setting_find(const struct lock_setting *rows, size_t n, const char *key);
/* The key of @rows nearest to @word, worth suggesting; NULL. */
const char *setting_nearest(const struct lock_setting *rows, size_t n, const char *word);
/*
 * Brings @value to the row's canonical form: "Yes" -> "on", "7:5" is refused, "7:05" -> "07:05".
 * 0, or BAD_ARGUMENT with what the setting takes; @out is untouched then. @value may be @out.
 */
int setting_check(const struct lock_setting *row, const char *value,
	char out[static SETTING_VALUE_MAX], struct fault *ret_fault);
/* "0 or 30 to 1800 s", "on or off", "one of alkaline, lithium": for people; returns out. */
#define SETTING_RANGE_MAX 96
char *setting_range(const struct lock_setting *row, char out[static SETTING_RANGE_MAX]);
