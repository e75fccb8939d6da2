/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "models.h"

#include <string.h>

#define SUFFIX_LEN 4
#define SUFFIX_LEAST 6

/* clang-format off */
static const struct switchbot_model_row rows[SWITCHBOT_MODEL_COUNT_] = {
	[SWITCHBOT_MODEL_UNKNOWN] = { "SwitchBot lock", { 0, 0 }, { 0 }, false, SWITCHBOT_LAYOUT_A, false, 0x01, false, false },
	[SWITCHBOT_LOCK] = { "SwitchBot Lock", { 'o', 'O' }, { 0 }, false, SWITCHBOT_LAYOUT_A, false, 0x01, true, false },
	[SWITCHBOT_LOCK_LITE] = { "SwitchBot Lock Lite", { '-', '\r' }, { 0 }, false, SWITCHBOT_LAYOUT_A, false, 0x01, false, false },
	[SWITCHBOT_LOCK_PRO] = { "SwitchBot Lock Pro", { '$', 0x04 }, { 0 }, false, SWITCHBOT_LAYOUT_B, true, 0x04, true, true },
	[SWITCHBOT_LOCK_ULTRA] = { "SwitchBot Lock Ultra", { 0, 0 }, { 0x00, 0x10, 0xa5, 0xb8 }, true, SWITCHBOT_LAYOUT_B_PLUS, true, 0x07, true, true },
	[SWITCHBOT_LOCK_VISION] = { "SwitchBot Lock Vision", { 0, 0 }, { 0x00, 0x11, 0x69, 0x08 }, true, SWITCHBOT_LAYOUT_A, false, 0x02, false, true },
	[SWITCHBOT_LOCK_VISION_PRO] = { "SwitchBot Lock Vision Pro", { 0, 0 }, { 0x00, 0x11, 0x69, 0x09 }, true, SWITCHBOT_LAYOUT_B_PLUS, false, 0x02, true, true },
	[SWITCHBOT_LOCK_PRO_WIFI] = { "SwitchBot Lock Pro Wi-Fi", { 0, 0 }, { 0x00, 0x10, 0xff, 0x90 }, true, SWITCHBOT_LAYOUT_B, true, 0x0a, true, true },
};
/* clang-format on */

const struct switchbot_model_row *switchbot_model_row(enum switchbot_model model) {
	return &rows[model < SWITCHBOT_MODEL_COUNT_ ? model : SWITCHBOT_MODEL_UNKNOWN];
}

/* The first octet of the four is 00 or 01. */
static bool is_suffix(const struct switchbot_model_row *row, const uint8_t *at) {
	return row->has_suffix && at[0] <= 1 &&
	       memcmp(at + 1, row->suffix + 1, SUFFIX_LEN - 1) == 0;
}

enum switchbot_model switchbot_model_of(const uint8_t *service, size_t n) {
	if (n == 0) {
		return SWITCHBOT_MODEL_UNKNOWN;
	}
	for (unsigned i = SWITCHBOT_LOCK; i < SWITCHBOT_MODEL_COUNT_; i++) {
		const uint8_t letter = service[0] & 0x7f;

		if (rows[i].letters[0] != 0 &&
			(letter == rows[i].letters[0] || letter == rows[i].letters[1])) {
			return (enum switchbot_model) i;
		}
	}
	/* It ends with them, or with one octet more. */
	for (unsigned i = SWITCHBOT_LOCK; n >= SUFFIX_LEAST && i < SWITCHBOT_MODEL_COUNT_; i++) {
		if (is_suffix(&rows[i], service + n - SUFFIX_LEN) ||
			is_suffix(&rows[i], service + n - SUFFIX_LEN - 1)) {
			return (enum switchbot_model) i;
		}
	}
	return SWITCHBOT_MODEL_UNKNOWN;
}
