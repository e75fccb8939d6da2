/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What of Config and Advanced Config a person may choose. Both are written whole, so they are read
 * in the same job, changed in one field, written, and read once more; a field that this firmware
 * did not send is not sent either, and what it has behind the fields that we know goes back as it
 * came. Angles of the bolt, the place of the lock on Earth and what belongs to accessories are not
 * offered.
 *
 * Source: docs/protocols/nuki.md 8.6 (research: 7.4, 7.5, appendix A).
 */

#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"
#include "util/auto.h"
#include "util/text.h"

#define CHANGE (STEP_PIN | STEP_CHANGES)
#define NO_ZONE 0xffff
#define NAME_FIELD "name"

static const char *const dst_modes[] = { "none", "european", NULL };
static const char *const fob_actions[] = { "none", "unlock", "lock", "lock-n-go", "intelligent",
	NULL };
static const char *const advertising_modes[] = { "automatic", "normal", "slow", "slowest", NULL };
static const char *const button_actions[] = { "none", "intelligent", "unlock", "lock", "unlatch",
	"lock-n-go", "show-status", NULL };
static const char *const battery_types[] = { "alkaline", "rechargeable", "lithium", NULL };
static const char *const motor_speeds[] = { "standard", "insane", "gentle", NULL };

/* By id; the first stands for "none", so that ids count from the second. */
static const char *const zones[] = { "none", "Africa/Cairo", "Africa/Lagos", "Africa/Maputo",
	"Africa/Nairobi", "America/Anchorage", "America/Argentina/Buenos_Aires", "America/Chicago",
	"America/Denver", "America/Halifax", "America/Los_Angeles", "America/Manaus",
	"America/Mexico_City", "America/New_York", "America/Phoenix", "America/Regina",
	"America/Santiago", "America/Sao_Paulo", "America/St_Johns", "Asia/Bangkok", "Asia/Dubai",
	"Asia/Hong_Kong", "Asia/Jerusalem", "Asia/Karachi", "Asia/Kathmandu", "Asia/Kolkata",
	"Asia/Riyadh", "Asia/Seoul", "Asia/Shanghai", "Asia/Tehran", "Asia/Tokyo", "Asia/Yangon",
	"Australia/Adelaide", "Australia/Brisbane", "Australia/Darwin", "Australia/Hobart",
	"Australia/Perth", "Australia/Sydney", "Europe/Berlin", "Europe/Helsinki",
	"Europe/Istanbul", "Europe/London", "Europe/Moscow", "Pacific/Auckland", "Pacific/Guam",
	"Pacific/Honolulu", "Pacific/Pago_Pago", NULL };

enum block { BLOCK_CONFIG, BLOCK_ADVANCED };

/* How a value on the wire and a value for people go together. */
enum form {
	FORM_PLAIN,     /* the number; a select: its place among the options */
	FORM_INVERSE,   /* a switch that says "disabled" on the wire */
	FORM_ZONE,      /* an id of a time zone */
	FORM_AUTO_LOCK, /* two fields in newer firmware: a time, and whether */
};

/* clang-format off */
#define SWITCH .kind = SETTING_SWITCH
#define NUMBER(of, least, most) \
	.kind = SETTING_NUMBER, .unit = of, .min = least, .max = most
#define SELECT(from) .kind = SETTING_SELECT, .options = from
#define TIME .kind = SETTING_TIME
#define TEXT(most) .kind = SETTING_TEXT, .max = most

/*
 * X(block, field of Config or Advanced Config (kinds.c), form, key, title, what it takes). The last
 * two are without meaning on the 5th generation.
 */
#define SETTINGS(X) \
	X(ADVANCED, "auto_lock_timeout", AUTO_LOCK, "AutoRelockTime", "Lock again after", \
		NUMBER("s", 30, 1800), .is_zero_off = true) \
	X(ADVANCED, "immediate_auto_lock", PLAIN, "RelockWhenClosed", \
		"Lock again as soon as the door is closed", SWITCH) \
	X(ADVANCED, "auto_unlock_disabled", INVERSE, "EnableAutoUnlock", \
		"Unlock when the phone of a user comes home", SWITCH) \
	X(CONFIG, "auto_unlatch", PLAIN, "EnableAutoUnlatch", \
		"Pull the latch whenever the lock is unlocked", SWITCH) \
	X(ADVANCED, "unlatch_duration", PLAIN, "UnlatchTime", "Hold the latch for", \
		NUMBER("s", 1, 30)) \
	X(ADVANCED, "lock_n_go_timeout", PLAIN, "LockNGoTime", \
		"Lock 'n' go: lock again after", NUMBER("s", 5, 60)) \
	X(CONFIG, "button_enabled", PLAIN, "EnableButton", "The button of the lock works", \
		SWITCH) \
	X(ADVANCED, "button_single", PLAIN, "ButtonSinglePress", "One press of the button", \
		SELECT(button_actions)) \
	X(ADVANCED, "button_double", PLAIN, "ButtonDoublePress", "Two presses of the button", \
		SELECT(button_actions)) \
	X(CONFIG, "fob1", PLAIN, "FobSinglePress", "One press of a fob", SELECT(fob_actions)) \
	X(CONFIG, "fob2", PLAIN, "FobDoublePress", "Two presses of a fob", SELECT(fob_actions)) \
	X(CONFIG, "fob3", PLAIN, "FobTriplePress", "Three presses of a fob", SELECT(fob_actions)) \
	X(CONFIG, "led_enabled", PLAIN, "EnableInsideStatusLED", \
		"The LED shows the state of the lock", SWITCH) \
	X(CONFIG, "led_brightness", PLAIN, "LEDBrightness", "Brightness of the LED", \
		NUMBER(NULL, 0, 5)) \
	X(CONFIG, "pairing_enabled", PLAIN, "EnableBluetoothPairing", \
		"New devices may be paired at the button", SWITCH) \
	X(CONFIG, "adv_mode", PLAIN, "AdvertisingMode", "How often the lock is heard", \
		SELECT(advertising_modes)) \
	X(CONFIG, "single_lock", PLAIN, "SingleLock", "Turn the key once only", SWITCH) \
	X(ADVANCED, "detached_cylinder", PLAIN, "DetachedCylinder", \
		"The cylinder turns without moving the lock", SWITCH) \
	X(ADVANCED, "night_mode", PLAIN, "EnableNightMode", "Night mode", SWITCH) \
	X(ADVANCED, "night_start", PLAIN, "NightModeStart", "Night mode from", TIME) \
	X(ADVANCED, "night_end", PLAIN, "NightModeEnd", "Night mode until", TIME) \
	X(ADVANCED, "night_auto_lock", PLAIN, "NightModeRelock", \
		"Night mode: lock again by itself", SWITCH) \
	X(ADVANCED, "night_auto_unlock_disabled", INVERSE, "NightModeAutoUnlock", \
		"Night mode: unlock for phones that come home", SWITCH) \
	X(ADVANCED, "night_lock_at_start", PLAIN, "NightModeLockAtStart", \
		"Night mode: lock when it begins", SWITCH) \
	X(ADVANCED, "motor_speed", PLAIN, "MotorSpeed", "Speed of the motor", \
		SELECT(motor_speeds)) \
	X(ADVANCED, "slow_in_night_mode", PLAIN, "NightModeGentle", \
		"Night mode: slow and quiet", SWITCH) \
	X(CONFIG, "tz_id", ZONE, "TimeZone", "Time zone", SELECT(zones)) \
	X(CONFIG, "tz_offset", PLAIN, "TimeZoneOffset", "Offset from UTC, without a time zone", \
		NUMBER("min", -720, 840)) \
	X(CONFIG, "dst_mode", PLAIN, "DaylightSaving", "Summer time, without a time zone", \
		SELECT(dst_modes)) \
	X(ADVANCED, "auto_update", PLAIN, "EnableAutoUpdate", "New firmware by itself", SWITCH) \
	X(CONFIG, NAME_FIELD, PLAIN, "NodeLabel", "Name in the lock", TEXT(NUKI_NAME_LEN)) \
	X(ADVANCED, "battery_type", PLAIN, "BatteryType", "Kind of batteries", \
		SELECT(battery_types)) \
	X(ADVANCED, "auto_battery_type", PLAIN, "DetectBatteryType", \
		"Find out the kind of batteries", SWITCH)

#define ROW(block, field, form, name, words, ...) \
	{ .key = name, .title = words, .needs_pin = true, __VA_ARGS__ },
#define PLACE(block, field, form, ...) { BLOCK_##block, field, FORM_##form },
static const struct lock_setting rows[] = { SETTINGS(ROW) };
static const struct {
	enum block block;
	const char *field;
	enum form form;
} places[] = { SETTINGS(PLACE) };
/* clang-format on */

#define N_FOR_BATTERIES 2

const struct lock_setting *nuki_settings(enum nuki_generation generation, size_t *ret_n) {
	*ret_n = generation == NUKI_GENERATION_5 ? ARRAY_SIZE(rows) - N_FOR_BATTERIES
						 : ARRAY_SIZE(rows);
	return rows;
}

/* ---- between the wire and people ---- */

static enum block block_of(const struct nuki_message *message) {
	return message->kind->command == NUKI_ADVANCED_CONFIG ? BLOCK_ADVANCED : BLOCK_CONFIG;
}

static int64_t option_count(const struct lock_setting *row) {
	int64_t n = 0;

	while (row->options[n] != NULL) {
		n++;
	}
	return n;
}

static void number_text(const struct lock_setting *row, enum form form, int64_t number,
	char out[static SETTING_VALUE_MAX]) {
	const int64_t place = form != FORM_ZONE ? number : number == NO_ZONE ? 0 : number + 1;

	switch (row->kind) {
	case SETTING_SWITCH:
		(void) text_copy(out, SETTING_VALUE_MAX,
			(number != 0) == (form != FORM_INVERSE) ? "on" : "off");
		break;
	case SETTING_SELECT:
		if (place < option_count(row)) {
			(void) text_copy(out, SETTING_VALUE_MAX, row->options[place]);
			break;
		}
		/* Newer than we are: shown as it is, and no value that could be put back. */
		(void) snprintf(out, SETTING_VALUE_MAX, "%lld", (long long) number);
		break;
	case SETTING_TIME:
		(void) snprintf(out, SETTING_VALUE_MAX, "%02d:%02d", (int) (number / 60),
			(int) (number % 60));
		break;
	case SETTING_NUMBER:
	case SETTING_TEXT:
		(void) snprintf(out, SETTING_VALUE_MAX, "%lld", (long long) number);
		break;
	}
}

/* 0 stands for off, whichever of the two fields says so. */
static int auto_lock_number(const struct nuki_message *message, int64_t *ret) {
	int64_t is_enabled;

	if (nuki_message_number(message, "auto_lock_timeout", ret) < 0) {
		return -ENOENT;
	}
	if (nuki_message_number(message, "auto_lock_enabled", &is_enabled) == 0 &&
		is_enabled == 0) {
		*ret = 0;
	}
	return 0;
}

/* -ENOENT: this firmware does not tell it. */
static int read_value(
	const struct nuki_message *message, size_t i, char out[static SETTING_VALUE_MAX]) {
	int64_t number = 0;
	int r;

	if (text_equal(places[i].field, NAME_FIELD)) {
		(void) text_copy(out, SETTING_VALUE_MAX, message->config.name);
		text_sanitize(out);
		return 0;
	}
	r = places[i].form == FORM_AUTO_LOCK
		    ? auto_lock_number(message, &number)
		    : nuki_message_number(message, places[i].field, &number);
	if (r == 0) {
		number_text(&rows[i], places[i].form, number, out);
	}
	return r;
}

/* @value is canonical: setting_check() has seen it. */
static int64_t number_of(size_t i, const char *value) {
	int64_t place = 0;

	switch (rows[i].kind) {
	case SETTING_SWITCH:
		return text_equal(value, "on") == (places[i].form != FORM_INVERSE);
	case SETTING_SELECT:
		while (!text_equal(rows[i].options[place], value)) {
			place++;
		}
		return places[i].form != FORM_ZONE ? place : place == 0 ? NO_ZONE : place - 1;
	case SETTING_TIME:
		return strtol(value, NULL, 10) * 60 + strtol(value + 3, NULL, 10);
	case SETTING_NUMBER:
	case SETTING_TEXT:
		break;
	}
	return strtol(value, NULL, 10);
}

static void write_value(struct nuki_message *message, size_t i, const char *value) {
	const int64_t number = number_of(i, value);

	if (text_equal(places[i].field, NAME_FIELD)) {
		(void) text_copy(message->config.name, sizeof(message->config.name), value);
		return;
	}
	if (places[i].form != FORM_AUTO_LOCK) {
		nuki_message_set_number(message, places[i].field, number);
		return;
	}
	/* Newer firmware keeps the time while it is off. */
	if (nuki_message_has(message, "auto_lock_enabled")) {
		nuki_message_set_number(message, "auto_lock_enabled", number != 0);
		if (number == 0) {
			return;
		}
	}
	nuki_message_set_number(message, "auto_lock_timeout", number);
}

/* ---- the job ---- */

static ssize_t place_of(const struct nuki_session *session) {
	size_t n;
	const struct lock_setting *known = nuki_settings(session->keys.generation, &n);
	const struct lock_setting *row = setting_find(known, n, session->job.setting.key);

	return row != NULL ? row - known : -ENOENT;
}

void nuki_settings_tell(struct nuki_session *session, const struct nuki_message *message) {
	struct setting told[ARRAY_SIZE(rows)];
	size_t n_rows;
	size_t n = 0;

	if (session->base.host->settings == NULL) {
		return;
	}
	(void) nuki_settings(session->keys.generation, &n_rows);
	for (size_t i = 0; i < n_rows; i++) {
		if (places[i].block == block_of(message) &&
			read_value(message, i, told[n].value) == 0) {
			(void) text_copy(told[n].key, sizeof(told[n].key), rows[i].key);
			n++;
		}
	}
	session_settings(&session->base, told, n);
}

int nuki_setting_keep(
	struct nuki_session *session, const struct nuki_message *message, struct fault *ret_fault) {
	char value[SETTING_VALUE_MAX];
	const ssize_t i = place_of(session);

	if (i < 0 || read_value(message, (size_t) i, value) < 0) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "this firmware has no %s",
			session->job.setting.key);
	}
	if (block_of(message) == BLOCK_ADVANCED && message->advanced.n_more == NUKI_MORE_MAX) {
		/* Nobody may write back half of what it has read. */
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"this firmware has more settings than lockhub can carry");
	}
	if (text_equal(value, session->job.setting.value)) {
		return 0;
	}
	session->original = *message;
	return 1;
}

static void fill_changed(const struct nuki_session *session, struct nuki_message *message) {
	const struct nuki_message *original = &session->original;
	const struct nuki_kind *kind = message->kind;
	const ssize_t i = place_of(session);

	/* Each pair of messages shares one struct, and the names of its fields. */
	if (block_of(original) == BLOCK_CONFIG) {
		message->config = original->config;
	} else {
		message->advanced = original->advanced;
	}
	for (size_t k = 0; k < kind->n_fields; k++) {
		if ((kind->fields[k].flags & NUKI_OPTIONAL) != 0 &&
			!nuki_message_has(original, kind->fields[k].name)) {
			nuki_message_leave_out(message, kind->fields[k].name);
		}
	}
	if (i >= 0) {
		write_value(message, (size_t) i, session->job.setting.value);
	}
}

/* clang-format off */
#define READ_CONFIG { NUKI_REQUEST_CONFIG, 0, NUKI_CONFIG, STEP_CHALLENGE, NULL }
#define READ_ADVANCED { NUKI_REQUEST_ADVANCED_CONFIG, 0, NUKI_ADVANCED_CONFIG, STEP_CHALLENGE, NULL }

static const struct nuki_plan put_config = { ACT_PUT_SETTING, 3, {
	READ_CONFIG,
	{ NUKI_SET_CONFIG, 0, NUKI_STATUS, CHANGE, fill_changed },
	READ_CONFIG } };
static const struct nuki_plan put_advanced = { ACT_PUT_SETTING, 3, {
	READ_ADVANCED,
	{ NUKI_SET_ADVANCED_CONFIG, 0, NUKI_STATUS, CHANGE, fill_changed },
	READ_ADVANCED } };
/* clang-format on */

int nuki_setting_plan(
	const struct nuki_session *session, const struct nuki_plan **ret, struct fault *ret_fault) {
	const ssize_t i = place_of(session);
	char value[SETTING_VALUE_MAX];
	int r;

	if (i < 0) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "a Nuki of this kind has no %.31s",
			session->job.setting.key);
	}
	r = setting_check(&rows[i], session->job.setting.value, value, ret_fault);
	if (r < 0) {
		return r;
	}
	if (!text_equal(value, session->job.setting.value)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "%s is not in its canonical form",
			rows[i].key);
	}
	*ret = places[i].block == BLOCK_CONFIG ? &put_config : &put_advanced;
	return 0;
}
