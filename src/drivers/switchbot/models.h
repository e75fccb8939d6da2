/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * SwitchBot's locks: which there are, how each is told in its advertisements, and in which of the
 * layouts it speaks.
 *
 * Source: docs/protocols/switchbot-lock.md 1 and 3.2, from the public client pySwitchbot.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Layout of the state in manufacturer data. */
enum switchbot_layout {
	SWITCHBOT_LAYOUT_A,      /* Lock, Lite, Vision: three octets */
	SWITCHBOT_LAYOUT_B,      /* Pro: five octets, with the battery */
	SWITCHBOT_LAYOUT_B_PLUS, /* Ultra, Vision Pro: the same with other alarms */
};

/* The values are kept with the keys: never change one. */
enum switchbot_model {
	SWITCHBOT_MODEL_UNKNOWN = 0,
	SWITCHBOT_LOCK = 1,
	SWITCHBOT_LOCK_LITE = 2,
	SWITCHBOT_LOCK_PRO = 3,
	SWITCHBOT_LOCK_ULTRA = 4,
	SWITCHBOT_LOCK_VISION = 5,
	SWITCHBOT_LOCK_VISION_PRO = 6,
	SWITCHBOT_LOCK_PRO_WIFI = 7,
	SWITCHBOT_MODEL_COUNT_,
};

struct switchbot_model_row {
	const char *name;           /* "SwitchBot Lock Pro" */
	uint8_t letters[2];         /* type in the first octet of service data; 0: not told so */
	uint8_t suffix[4];          /* else how the service data end ... */
	bool has_suffix;            /* ... with 00 or 01 in front */
	enum switchbot_layout told; /* in advertisements */
	bool is_info_b;             /* the layout of the answer to "lock info" */
	uint8_t info_code;
	bool has_door;      /* knows whether the door is open */
	bool has_long_form; /* of the commands that move the bolt */
};

/* Of a value that is no model: that of the unknown one, whose name is "SwitchBot lock". */
const struct switchbot_model_row *switchbot_model_row(enum switchbot_model model);
/* From service data of fd3d; UNKNOWN: not a lock of SwitchBot. */
enum switchbot_model switchbot_model_of(const uint8_t *service, size_t n);
