/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/setting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/auto.h"
#include "util/text.h"

static const struct name_row kind_names[] = {
	{ SETTING_SWITCH, "switch" },
	{ SETTING_NUMBER, "number" },
	{ SETTING_SELECT, "select" },
	{ SETTING_TIME, "time" },
	{ SETTING_TEXT, "text" },
};

const char *setting_kind_name(enum setting_kind kind) {
	return name_of(kind_names, ARRAY_SIZE(kind_names), (int) kind);
}

const struct lock_setting *setting_find(
	const struct lock_setting *rows, size_t n, const char *key) {
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(rows[i].key, key) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

const char *setting_nearest(const struct lock_setting *rows, size_t n, const char *word) {
	const char *names[SETTINGS_MAX] = { NULL };

	for (size_t i = 0; i < n && i < SETTINGS_MAX; i++) {
		names[i] = rows[i].key;
	}
	return text_nearest(word, names, n < SETTINGS_MAX ? n : SETTINGS_MAX);
}

char *setting_range(const struct lock_setting *row, char out[static SETTING_RANGE_MAX]) {
	size_t used;

	switch (row->kind) {
	case SETTING_SWITCH:
		(void) snprintf(out, SETTING_RANGE_MAX, "on or off");
		break;
	case SETTING_NUMBER:
		(void) snprintf(out, SETTING_RANGE_MAX, "%s%d to %d%s%s",
			row->is_zero_off ? "0 (off) or " : "", (int) row->min, (int) row->max,
			row->unit != NULL ? " " : "", row->unit != NULL ? row->unit : "");
		break;
	case SETTING_SELECT:
		(void) snprintf(out, SETTING_RANGE_MAX, "one of");
		for (size_t i = 0; row->options[i] != NULL; i++) {
			used = strlen(out);
			if (used + strlen(row->options[i]) + sizeof(", ...") >= SETTING_RANGE_MAX) {
				(void) snprintf(out + used, SETTING_RANGE_MAX - used, " ...");
				break;
			}
			(void) snprintf(out + used, SETTING_RANGE_MAX - used, "%s %s",
				i > 0 ? "," : "", row->options[i]);
		}
		break;
	case SETTING_TIME:
		(void) snprintf(out, SETTING_RANGE_MAX, "a time of day from 00:00 to 23:59");
		break;
	case SETTING_TEXT:
		(void) snprintf(
			out, SETTING_RANGE_MAX, "1 to %d octets of printable text", (int) row->max);
		break;
	}
	return out;
}

/* Each of these: 0 and the canonical form, or -EINVAL. */

static int check_switch(const char *value, char out[static SETTING_VALUE_MAX]) {
	static const struct {
		const char *word;
		const char *value;
	} words[] = {
		{ "on", "on" },
		{ "off", "off" },
		{ "yes", "on" },
		{ "no", "off" },
		{ "true", "on" },
		{ "false", "off" },
		{ "1", "on" },
		{ "0", "off" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(value, words[i].word) == 0) {
			(void) text_copy(out, SETTING_VALUE_MAX, words[i].value);
			return 0;
		}
	}
	return -EINVAL;
}

static int check_number(
	const struct lock_setting *row, const char *value, char out[static SETTING_VALUE_MAX]) {
	const int32_t step = row->step > 0 ? row->step : 1;
	const char *digits = value[0] == '-' ? value + 1 : value;
	uint64_t magnitude;
	int64_t number;

	if (text_to_u64(digits, 0, INT32_MAX, &magnitude) < 0) {
		return -EINVAL;
	}
	number = digits != value ? -(int64_t) magnitude : (int64_t) magnitude;
	if (!(number == 0 && row->is_zero_off) &&
		(number < row->min || number > row->max || (number - row->min) % step != 0)) {
		return -EINVAL;
	}
	(void) snprintf(out, SETTING_VALUE_MAX, "%lld", (long long) number);
	return 0;
}

static int check_select(
	const struct lock_setting *row, const char *value, char out[static SETTING_VALUE_MAX]) {
	for (size_t i = 0; row->options[i] != NULL; i++) {
		if (strcasecmp(row->options[i], value) == 0) {
			(void) text_copy(out, SETTING_VALUE_MAX, row->options[i]);
			return 0;
		}
	}
	return -EINVAL;
}

/* "7:05" or "22:30" */
static int check_time(const char *value, char out[static SETTING_VALUE_MAX]) {
	const size_t n = strspn(value, "0123456789");
	const char *minutes = value + n + 1;
	int hour;
	int minute;

	if (n < 1 || n > 2 || value[n] != ':' || strspn(minutes, "0123456789") != 2 ||
		minutes[2] != '\0') {
		return -EINVAL;
	}
	hour = atoi(value);
	minute = atoi(minutes);
	if (hour > 23 || minute > 59) {
		return -EINVAL;
	}
	(void) snprintf(out, SETTING_VALUE_MAX, "%02d:%02d", hour, minute);
	return 0;
}

static int check_text(
	const struct lock_setting *row, const char *value, char out[static SETTING_VALUE_MAX]) {
	const size_t n = strlen(value);

	if (n == 0 || n > (size_t) row->max || n >= SETTING_VALUE_MAX || !text_is_clean(value, n)) {
		return -EINVAL;
	}
	memmove(out, value, n + 1);
	return 0;
}

int setting_check(const struct lock_setting *row, const char *value,
	char out[static SETTING_VALUE_MAX], struct fault *ret_fault) {
	char range[SETTING_RANGE_MAX];
	char shown[24];
	int r = -EINVAL;

	switch (row->kind) {
	case SETTING_SWITCH:
		r = check_switch(value, out);
		break;
	case SETTING_NUMBER:
		r = check_number(row, value, out);
		break;
	case SETTING_SELECT:
		r = check_select(row, value, out);
		break;
	case SETTING_TIME:
		r = check_time(value, out);
		break;
	case SETTING_TEXT:
		r = check_text(row, value, out);
		break;
	}
	if (r == 0) {
		return 0;
	}
	(void) text_copy(shown, sizeof(shown), value);
	text_sanitize(shown);
	return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "%s takes %s, not '%s'", row->key,
		setting_range(row, range), shown);
}
