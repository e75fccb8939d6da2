/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/auto.h"
#include "util/text.h"

#define STEM "setting"
#define ENABLER "_on"

/*
 * What Home Assistant's user sees of a setting. The first ones are on the page at once: what people
 * change now and then. Those that nobody touches twice have to be enabled first. Guarded is what
 * decides who gets in, a button that unlocks among it.
 */
static const struct face_row {
	const char *key;
	const char *name;
	const char *icon;
	bool is_on_page;
	bool is_guarded;
} faces[] = {
	{ "AutoRelockTime", "Auto-lock delay", "mdi:lock-clock", true, false },
	{ "RelockWhenClosed", "Auto-lock when the door closes", "mdi:door-closed-lock", true,
		false },
	{ "LockNGoTime", "Lock 'n' go delay", "mdi:timer-lock-outline", true, false },
	{ "UnlatchTime", "Latch hold time", "mdi:door-open", true, false },
	{ "EnableButton", "Button", "mdi:gesture-tap-button", true, false },
	{ "ButtonSinglePress", "Button: one press", "mdi:gesture-tap-button", true, true },
	{ "ButtonDoublePress", "Button: two presses", "mdi:gesture-tap-button", true, true },
	{ "EnableInsideStatusLED", "Status LED", "mdi:led-on", true, false },
	{ "LEDBrightness", "LED brightness", "mdi:brightness-6", true, false },
	{ "SoundVolume", "Sound volume", "mdi:volume-high", true, false },
	{ "EnableNightMode", "Night mode", "mdi:weather-night", true, false },
	{ "NightModeStart", "Night mode start", "mdi:weather-night", true, false },
	{ "NightModeEnd", "Night mode end", "mdi:weather-sunset-up", true, false },
	{ "NightModeRelock", "Night mode: auto-lock", "mdi:lock-clock", true, false },
	{ "NightModeLockAtStart", "Night mode: lock when it begins", "mdi:lock", true, false },
	{ "NightModeGentle", "Night mode: slow and quiet", "mdi:volume-low", true, false },
	{ "SingleLock", "Lock with one turn only", "mdi:key-outline", true, false },
	{ "MotorSpeed", "Motor speed", "mdi:speedometer", true, false },
	{ "FobSinglePress", "Fob: one press", "mdi:key-wireless", false, true },
	{ "FobDoublePress", "Fob: two presses", "mdi:key-wireless", false, true },
	{ "FobTriplePress", "Fob: three presses", "mdi:key-wireless", false, true },
	{ "AdvertisingMode", "Advertising mode", "mdi:bluetooth", false, false },
	{ "TimeZone", "Time zone", "mdi:map-clock", false, false },
	{ "TimeZoneOffset", "Time zone offset", "mdi:map-clock", false, false },
	{ "DaylightSaving", "Summer time", "mdi:sun-clock", false, false },
	{ "NodeLabel", "Name in the lock", "mdi:label-outline", false, false },
	{ "BatteryType", "Battery type", "mdi:battery", false, false },
	{ "DetectBatteryType", "Detect the battery type", "mdi:battery-sync", false, false },
	{ "EnableAutoUpdate", "Automatic firmware updates", "mdi:update", false, true },
	{ "EnableAutoUnlock", "Auto-unlock", "mdi:lock-open-variant", true, true },
	{ "EnableAutoUnlatch", "Auto-unlatch", "mdi:door-open", true, true },
	{ "NightModeAutoUnlock", "Night mode: auto-unlock", "mdi:lock-open-variant", true, true },
	{ "EnableBluetoothPairing", "Bluetooth pairing", "mdi:bluetooth-connect", true, true },
	{ "DetachedCylinder", "Detached cylinder", "mdi:cylinder", false, true },
};

static const struct face_row *face_row(const struct lock_setting *row) {
	for (size_t i = 0; i < ARRAY_SIZE(faces); i++) {
		if (strcmp(faces[i].key, row->key) == 0) {
			return &faces[i];
		}
	}
	return NULL;
}

bool dial_is_guarded(const struct lock_setting *row) {
	const struct face_row *face = face_row(row);

	return face == NULL || face->is_guarded;
}

static bool has_enabler(const struct lock_setting *row) {
	return row->kind == SETTING_NUMBER && row->is_zero_off && row->min > 0;
}

size_t dials_of(const struct view *view, struct dial out[static DIALS_MAX]) {
	size_t n = 0;

	if (!view->may_set) {
		return 0;
	}
	for (size_t i = 0; i < view->n_settings; i++) {
		const struct view_setting *setting = &view->settings[i];

		if (dial_is_guarded(setting->row) && !view->may_maintain) {
			continue;
		}
		if (has_enabler(setting->row)) {
			out[n++] = (struct dial){ .setting = setting, .is_enabler = true };
		}
		out[n++] = (struct dial){ .setting = setting };
	}
	return n;
}

const char *dial_platform(const struct dial *dial) {
	if (dial->is_enabler) {
		return "switch";
	}
	switch (dial->setting->row->kind) {
	case SETTING_SWITCH:
		return "switch";
	case SETTING_NUMBER:
		return "number";
	case SETTING_SELECT:
		return "select";
	case SETTING_TIME: /* there is "time" since 2026.5 only */
	case SETTING_TEXT:
		break;
	}
	return "text";
}

static char *print(const struct dial *dial, char between, char out[static DIAL_KEY_MAX]) {
	(void) snprintf(out, DIAL_KEY_MAX, STEM "%c%.31s%s", between, dial->setting->row->key,
		dial->is_enabler ? ENABLER : "");
	return out;
}

char *dial_key(const struct dial *dial, char out[static DIAL_KEY_MAX]) {
	return print(dial, '_', out);
}

char *dial_leaf(const struct dial *dial, char out[static DIAL_KEY_MAX]) {
	return print(dial, '/', out);
}

const char *dial_name(const struct dial *dial) {
	const struct lock_setting *row = dial->setting->row;
	const struct face_row *face = face_row(row);

	if (dial->is_enabler && strcmp(row->key, "AutoRelockTime") == 0) {
		return "Auto-lock";
	}
	return face != NULL ? face->name : row->title;
}

const char *dial_icon(const struct dial *dial) {
	const struct face_row *face = face_row(dial->setting->row);

	return face != NULL ? face->icon : NULL;
}

bool dial_is_on_page(const struct dial *dial) {
	const struct face_row *face = face_row(dial->setting->row);

	return face != NULL && face->is_on_page;
}

const char *dial_payload(const struct dial *dial, char out[static SETTING_VALUE_MAX]) {
	const struct lock_setting *row = dial->setting->row;
	bool is_text = row->kind == SETTING_TIME || row->kind == SETTING_TEXT;
	struct fault fault;

	/* A value that is newer than we are cannot be shown: Home Assistant would keep the old. */
	if (setting_check(row, dial->setting->value, out, &fault) < 0) {
		return is_text ? NULL : "None";
	}
	if (dial->is_enabler) {
		return strcmp(out, "0") == 0 ? "OFF" : "ON";
	}
	if (row->kind == SETTING_SWITCH) {
		return strcmp(out, "on") == 0 ? "ON" : "OFF";
	}
	return has_enabler(row) && strcmp(out, "0") == 0 ? "None" : out;
}

const struct lock_setting *dial_find(
	const struct lock_setting *rows, size_t n, const char *name, bool *ret_is_enabler) {
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(rows[i].key);

		/* To the letter: what is published is what is taken. */
		if (strncmp(name, rows[i].key, len) != 0) {
			continue;
		}
		if (name[len] == '\0' ||
			(has_enabler(&rows[i]) && strcmp(name + len, ENABLER) == 0)) {
			*ret_is_enabler = name[len] != '\0';
			return &rows[i];
		}
	}
	return NULL;
}

static int wish_switch(const char *text, bool *ret, struct fault *ret_fault) {
	if (strcmp(text, "ON") != 0 && strcmp(text, "OFF") != 0) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND, "this setting takes ON and OFF");
	}
	*ret = strcmp(text, "ON") == 0;
	return 0;
}

static int32_t time_on(const struct lock_setting *row, int32_t last_on) {
	int32_t number = last_on != 0 ? last_on : DIAL_DEFAULT_ON;

	number = number > row->max ? row->max : number;
	return number < row->min ? row->min : number;
}

int dial_wish(const struct lock_setting *row, bool is_enabler, int32_t last_on,
	const uint8_t *payload, size_t n, char out[static SETTING_VALUE_MAX],
	struct fault *ret_fault) {
	char text[SETTING_VALUE_MAX] = "";
	char range[SETTING_RANGE_MAX];
	bool is_on = false;
	struct fault fault;

	if (n == 0 || n >= sizeof(text) || !text_is_clean((const char *) payload, n)) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND, "%s takes %s", row->key,
			setting_range(row, range));
	}
	memcpy(text, payload, n);
	if (is_enabler || row->kind == SETTING_SWITCH) {
		int r = wish_switch(text, &is_on, ret_fault);
		if (r < 0) {
			return r;
		}
		if (!is_enabler) {
			(void) text_copy(out, SETTING_VALUE_MAX, is_on ? "on" : "off");
		} else {
			(void) snprintf(out, SETTING_VALUE_MAX, "%d",
				is_on ? (int) time_on(row, last_on) : 0);
		}
		return 0;
	}
	/* Its reason quotes what came; what came on a broker is not repeated. */
	if (setting_check(row, text, text, &fault) < 0) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND, "%s takes %s", row->key,
			setting_range(row, range));
	}
	(void) text_copy(out, SETTING_VALUE_MAX, text);
	return 0;
}
