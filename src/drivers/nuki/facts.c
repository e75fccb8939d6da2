/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "slots.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/text.h"

#define DOOR_NOT_PAIRED 0x00
#define DOOR_DEACTIVATED 0x01
#define NO_CODE_ID 0xffff
#define NO_SWITCH 0xff /* auto_lock_enabled of firmware that has none */
#define RSSI_INVALID 0
#define RSSI_NOT_SUPPORTED 1

enum { BATTERY_CRITICAL_BIT = 1 << 0, BATTERY_CHARGING_BIT = 1 << 1 };
enum {
	KEYPAD_REPORTS = 1 << 0,
	KEYPAD_CRITICAL = 1 << 1,
	DOOR_SENSOR_REPORTS = 1 << 2,
	DOOR_SENSOR_CRITICAL = 1 << 3,
};

/* clang-format off */
static const struct {
	uint8_t wire;
	enum lock_state state;
	enum lock_motion motion;
} lock_states[] = {
	{ NUKI_LOCK_UNCALIBRATED,       LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE },
	{ NUKI_LOCK_LOCKED,             LOCK_STATE_LOCKED,           LOCK_MOTION_NONE },
	{ NUKI_LOCK_UNLOCKING,          LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_UNLOCKING },
	{ NUKI_LOCK_UNLOCKED,           LOCK_STATE_UNLOCKED,         LOCK_MOTION_NONE },
	{ NUKI_LOCK_LOCKING,            LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_LOCKING },
	{ NUKI_LOCK_UNLATCHED,          LOCK_STATE_UNLATCHED,        LOCK_MOTION_NONE },
	{ NUKI_LOCK_UNLOCKED_LOCK_N_GO, LOCK_STATE_UNLOCKED,         LOCK_MOTION_NONE },
	{ NUKI_LOCK_UNLATCHING,         LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_UNLATCHING },
	{ NUKI_LOCK_CALIBRATION,        LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_CALIBRATING },
	{ NUKI_LOCK_BOOT_RUN,           LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_CALIBRATING },
	{ NUKI_LOCK_MOTOR_BLOCKED,      LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE },
	{ NUKI_LOCK_UNDEFINED,          LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE },
};

static const struct {
	uint8_t wire;
	enum door_state state;
} door_states[] = {
	{ DOOR_NOT_PAIRED,  DOOR_STATE_UNKNOWN },
	{ DOOR_DEACTIVATED, DOOR_STATE_UNKNOWN },
	{ 0x02,             DOOR_STATE_CLOSED },
	{ 0x03,             DOOR_STATE_OPEN },
	{ 0x04,             DOOR_STATE_ERROR },   /* unknown */
	{ 0x05,             DOOR_STATE_UNKNOWN }, /* calibrating */
	{ 0x10,             DOOR_STATE_ERROR },   /* uncalibrated */
	{ 0xf0,             DOOR_STATE_ERROR },   /* tampered or removed */
	{ 0xff,             DOOR_STATE_ERROR },
};

static const struct {
	uint8_t wire;
	enum operation_source source;
} sources[] = {
	{ NUKI_TRIGGER_SYSTEM,    SOURCE_REMOTE },
	{ NUKI_TRIGGER_MANUAL,    SOURCE_MANUAL },
	{ NUKI_TRIGGER_BUTTON,    SOURCE_BUTTON },
	{ NUKI_TRIGGER_AUTOMATIC, SOURCE_SCHEDULE },
	{ NUKI_TRIGGER_AUTO_LOCK, SOURCE_AUTO },
	{ NUKI_TRIGGER_HOMEKIT,   SOURCE_REMOTE },
	{ NUKI_TRIGGER_MQTT,      SOURCE_REMOTE },
};

static const struct {
	uint8_t wire;
	enum operation_type type;
} operations[] = {
	{ NUKI_ACTION_UNLOCK,            OPERATION_UNLOCK },
	{ NUKI_ACTION_LOCK,              OPERATION_LOCK },
	{ NUKI_ACTION_UNLATCH,           OPERATION_UNLATCH },
	{ NUKI_ACTION_LOCK_N_GO,         OPERATION_UNLOCK }, /* the locking is an entry of its own */
	{ NUKI_ACTION_LOCK_N_GO_UNLATCH, OPERATION_UNLATCH },
	{ NUKI_ACTION_FULL_LOCK,         OPERATION_LOCK },
	{ NUKI_ACTION_NONE,              OPERATION_NON_ACCESS_USER_EVENT },
	{ NUKI_ACTION_FOB_PRESS,         OPERATION_NON_ACCESS_USER_EVENT },
	{ NUKI_ACTION_BUTTON_PRESS,      OPERATION_NON_ACCESS_USER_EVENT },
};
/* clang-format on */

enum lock_state nuki_facts_lock_state(uint8_t state) {
	for (size_t i = 0; i < ARRAY_SIZE(lock_states); i++) {
		if (lock_states[i].wire == state) {
			return lock_states[i].state;
		}
	}
	return LOCK_STATE_UNKNOWN;
}

static enum lock_motion lock_motion(uint8_t state) {
	for (size_t i = 0; i < ARRAY_SIZE(lock_states); i++) {
		if (lock_states[i].wire == state) {
			return lock_states[i].motion;
		}
	}
	return LOCK_MOTION_NONE;
}

enum door_state nuki_facts_door(uint8_t door) {
	for (size_t i = 0; i < ARRAY_SIZE(door_states); i++) {
		if (door_states[i].wire == door) {
			return door_states[i].state;
		}
	}
	return DOOR_STATE_UNKNOWN;
}

static enum operation_source trigger_source(uint8_t trigger, bool is_own) {
	if (trigger == NUKI_TRIGGER_SYSTEM && is_own) {
		return SOURCE_PROPRIETARY_REMOTE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (sources[i].wire == trigger) {
			return sources[i].source;
		}
	}
	return SOURCE_UNSPECIFIED;
}

static enum operation_type action_operation(uint8_t action) {
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		if (operations[i].wire == action) {
			return operations[i].type;
		}
	}
	return OPERATION_NONE;
}

void nuki_facts_charge(uint8_t battery, struct battery_facts *ret) {
	const int percent = (battery >> 2) * 2;

	ret->level = (battery & BATTERY_CRITICAL_BIT) != 0 ? BATTERY_CRITICAL : BATTERY_OK;
	ret->is_charging = (battery & BATTERY_CHARGING_BIT) != 0;
	ret->percent = percent > 0 && percent <= 100 ? percent : -1;
}

static enum battery_level accessory(uint8_t octet, unsigned reports, unsigned critical) {
	if ((octet & reports) == 0) {
		return BATTERY_UNKNOWN;
	}
	return (octet & critical) != 0 ? BATTERY_CRITICAL : BATTERY_OK;
}

void nuki_facts_states(const struct nuki_states *states, const struct nuki_setting *setting,
	struct evidence *ret) {
	*ret = (struct evidence){ .how = EVIDENCE_ANSWERED };
	ret->has = FACT_BOLT | FACT_DOOR | FACT_BATTERY | FACT_ACCESSORIES | FACT_ACTUATOR;
	ret->bolt.state = nuki_facts_lock_state(states->lock_state);
	ret->bolt.motion = lock_motion(states->lock_state);
	ret->bolt.is_jammed = states->lock_state == NUKI_LOCK_MOTOR_BLOCKED;
	ret->bolt.source = trigger_source(states->trigger, setting->is_own_action);
	ret->door = nuki_facts_door(states->door);
	nuki_facts_charge(states->battery, &ret->battery);
	ret->accessories.keypad = accessory(states->accessories, KEYPAD_REPORTS, KEYPAD_CRITICAL);
	ret->accessories.door_sensor =
		accessory(states->accessories, DOOR_SENSOR_REPORTS, DOOR_SENSOR_CRITICAL);
	ret->actuator.is_calibrated = states->lock_state != NUKI_LOCK_UNCALIBRATED &&
				      states->lock_state != NUKI_LOCK_CALIBRATION;
	ret->actuator.is_enabled = ret->actuator.is_calibrated &&
				   states->lock_state != NUKI_LOCK_BOOT_RUN &&
				   states->mode == NUKI_MODE_DOOR;
	ret->config.version = states->config_count;
	if (states->ble_rssi != RSSI_INVALID && states->ble_rssi != RSSI_NOT_SUPPORTED) {
		ret->has |= FACT_SIGNAL;
		ret->lock_rssi = (int16_t) (int) states->ble_rssi; /* with its sign */
	}
	if (setting->now.s != 0) {
		ret->has |= FACT_CLOCK;
		ret->clock = (struct clock_facts){
			.lock_time = nuki_date_to_wall(&states->time),
			.hub_time = setting->now,
			.is_hub_trusted = setting->is_now_trusted,
			.offset_minutes = states->tz_offset,
		};
	}
}

void nuki_facts_battery(const struct nuki_battery *battery, struct evidence *ret) {
	*ret = (struct evidence){ .how = EVIDENCE_ANSWERED };
	ret->has = FACT_BATTERY | FACT_BATTERY_REPORT;
	nuki_facts_charge(battery->critical, &ret->battery);
	ret->report = (struct battery_report){
		.millivolts = battery->voltage_mv,
		.millivolts_start = battery->start_mv,
		.millivolts_lowest = battery->lowest_mv,
		.milliamps_peak = battery->max_current_ma,
		.milliohms = battery->resistance_mohm,
		.degrees_turned = battery->distance_deg,
		.celsius = battery->temperature_c,
	};
}

void nuki_facts_serial(uint32_t nuki_id, char out[static VERSION_TEXT_MAX]) {
	snprintf(out, VERSION_TEXT_MAX, "%08" PRIX32, nuki_id);
}

/* Device type 4 is shared by two generations; the firmware's first number tells them apart. */
static void model_name(const struct nuki_config *config, char *out, size_t size) {
	const bool has_wifi = (config->capabilities & 1) != 0;
	const unsigned major = config->firmware[0];

	switch (config->device_type) {
	case 2:
		text_copy(out, size, "Nuki Opener");
		return;
	case 3:
		text_copy(out, size, "Nuki Smart Door");
		return;
	case 5:
		text_copy(out, size, "Nuki Smart Lock, 5th generation");
		return;
	}
	if (major >= 1 && major <= 4) {
		snprintf(out, size, "Nuki Smart Lock %u.0%s", major,
			has_wifi && major >= 3 ? " Pro" : "");
	} else {
		text_copy(out, size, "Nuki Smart Lock");
	}
}

void nuki_facts_config(
	const struct nuki_config *config, struct config_facts *facts, struct evidence *ret) {
	struct version_facts *versions = &ret->versions;

	*ret = (struct evidence){ .how = EVIDENCE_ANSWERED };
	ret->has = FACT_VERSIONS | FACT_CONFIG;
	nuki_facts_serial(config->nuki_id, versions->serial);
	model_name(config, versions->model, sizeof(versions->model));
	if (config->firmware[0] != 0) { /* not in the oldest form */
		snprintf(versions->firmware, sizeof(versions->firmware), "%u.%u.%u",
			config->firmware[0], config->firmware[1], config->firmware[2]);
		snprintf(versions->hardware, sizeof(versions->hardware), "%u.%u",
			config->hardware[0], config->hardware[1]);
	}
	facts->has_keypad = config->has_keypad != 0 || config->has_keypad2 != 0;
	facts->is_pairing_enabled = config->pairing_enabled != 0;
	text_copy(facts->lock_name, sizeof(facts->lock_name), config->name);
	text_sanitize(facts->lock_name);
	ret->config = *facts;
}

void nuki_facts_advanced(
	const struct nuki_advanced *advanced, struct config_facts *facts, struct evidence *ret) {
	*ret = (struct evidence){ .how = EVIDENCE_ANSWERED };
	ret->has = FACT_CONFIG;
	facts->auto_lock_s = advanced->auto_lock_enabled != 0 ? advanced->auto_lock_timeout : 0;
	ret->config = *facts;
}

/* ---- log entries ---- */

static void log_completion(uint8_t code, struct log_entry *ret) {
	const struct nuki_completion_row *row = nuki_completion_row(code);

	if (row->fault == FAULT_NONE) {
		return;
	}
	ret->kind = EVENT_LOCK_OPERATION_ERROR;
	ret->error = row->error;
	ret->fault = row->fault;
	if (row->fault == FAULT_JAMMED) {
		ret->alarm = ALARM_LOCK_JAMMED;
	}
}

/* action, trigger, flags, completion */
static void log_lock_action(
	const struct nuki_log_entry *entry, struct rd *rd, struct log_entry *ret) {
	const uint8_t action = rd_u8(rd);
	const uint8_t trigger = rd_u8(rd);
	const uint8_t flags = rd_u8(rd);
	const uint8_t completion = rd_u8(rd);
	const bool is_press = trigger == NUKI_TRIGGER_BUTTON;
	/* By hand or by the lock itself: no credential was used, whatever id stands there. */
	const bool is_nobody = trigger == NUKI_TRIGGER_MANUAL ||
			       trigger == NUKI_TRIGGER_AUTOMATIC ||
			       trigger == NUKI_TRIGGER_AUTO_LOCK;
	const char *extra = !is_press && (flags & 1) != 0 ? ", auto unlock" : "";

	ret->kind = EVENT_LOCK_OPERATION;
	ret->operation = action_operation(action);
	ret->source = trigger_source(trigger, ret->is_own);
	ret->credential = is_nobody ? CREDENTIAL_NONE : ret->credential;
	log_completion(completion, ret);
	snprintf(ret->text, sizeof(ret->text), "%s%s: %s", nuki_action_name(action), extra,
		nuki_completion_row(completion)->name);
}

static void log_run(const struct nuki_log_entry *entry, struct rd *rd, struct log_entry *ret) {
	rd_skip(rd, 3);
	const uint8_t completion = rd_u8(rd);

	ret->kind = EVENT_LOCK_SETTING;
	ret->fault = nuki_completion_row(completion)->fault;
	snprintf(ret->text, sizeof(ret->text), "%s: %s",
		entry->type == NUKI_LOG_CALIBRATION ? "calibration" : "initialisation run",
		nuki_completion_row(completion)->name);
}

/*
 * action, source, completion, code id. The arrow key is pressed without a credential; the id of the
 * authorisation is that of the keypad, which is nobody.
 */
static void log_keypad(const struct nuki_log_entry *entry, struct rd *rd, struct log_entry *ret) {
	static const char *const source_names[] = { "key", "code", "finger" };
	static const enum credential_type credentials[] = { CREDENTIAL_NONE, CREDENTIAL_PIN,
		CREDENTIAL_FINGERPRINT };
	const uint8_t action = rd_u8(rd);
	const uint8_t source = rd_u8(rd);
	const uint8_t completion = rd_u8(rd);
	const uint16_t code_id = rd_u16le(rd);

	ret->kind = EVENT_LOCK_OPERATION;
	ret->operation = action_operation(action);
	ret->source = source == 2 ? SOURCE_BIOMETRIC : SOURCE_KEYPAD;
	ret->credential = CREDENTIAL_NONE;
	/* Of a failure that belongs to no code, some firmware may tell 0. */
	if (source < ARRAY_SIZE(credentials) && code_id != NO_CODE_ID &&
		(code_id != 0 || completion == 0)) {
		ret->credential = credentials[source];
	}
	ret->user_ref = ret->credential == CREDENTIAL_NONE ? 0 : nuki_code_ref(code_id);
	log_completion(completion, ret);
	snprintf(ret->text, sizeof(ret->text), "keypad %s, %s: %s",
		source < ARRAY_SIZE(source_names) ? source_names[source] : "?",
		nuki_action_name(action), nuki_completion_row(completion)->name);
}

static void log_door(const struct nuki_log_entry *entry, struct rd *rd, struct log_entry *ret) {
	static const enum door_state doors[] = { DOOR_STATE_OPEN, DOOR_STATE_CLOSED,
		DOOR_STATE_JAMMED };
	const uint8_t what = rd_u8(rd);

	ret->kind = EVENT_DOOR_STATE_CHANGE;
	ret->door = what < ARRAY_SIZE(doors) ? doors[what] : DOOR_STATE_UNKNOWN;
}

static void log_switch(const struct nuki_log_entry *entry, struct rd *rd, struct log_entry *ret) {
	ret->kind = EVENT_LOCK_SETTING;
	snprintf(ret->text, sizeof(ret->text), "%s switched %s",
		entry->type == NUKI_LOG_LOGGING ? "logging" : "door sensor logging",
		rd_u8(rd) != 0 ? "on" : "off");
}

static void log_firmware(const struct nuki_log_entry *entry, struct rd *rd, struct log_entry *ret) {
	const unsigned major = rd_u8(rd);
	const unsigned minor = rd_u8(rd);

	ret->kind = EVENT_LOCK_SETTING;
	snprintf(ret->text, sizeof(ret->text), "firmware %u.%u.%u", major, minor, rd_u8(rd));
}

/* clang-format off */
static const struct {
	uint8_t type;
	uint8_t least; /* octets of data; gen3 and later add zeros */
	void (*read)(const struct nuki_log_entry *entry, struct rd *rd, struct log_entry *ret);
} log_rows[] = {
	{ NUKI_LOG_LOGGING,             1, log_switch },
	{ NUKI_LOG_LOCK_ACTION,         4, log_lock_action },
	{ NUKI_LOG_CALIBRATION,         4, log_run },
	{ NUKI_LOG_INIT_RUN,            4, log_run },
	{ NUKI_LOG_KEYPAD_ACTION,       5, log_keypad },
	{ NUKI_LOG_DOOR_SENSOR,         1, log_door },
	{ NUKI_LOG_DOOR_SENSOR_LOGGING, 1, log_switch },
	{ NUKI_LOG_FIRMWARE_UPDATE,     3, log_firmware },
};
/* clang-format on */

void nuki_facts_log(
	const struct nuki_log_entry *entry, uint32_t own_auth_id, struct log_entry *ret) {
	*ret = (struct log_entry){
		.seq = entry->index,
		.time = nuki_date_to_wall(&entry->time),
		.kind = EVENT_LOCK_SETTING,
		.operation = OPERATION_NONE,
		.source = SOURCE_UNSPECIFIED,
		.error = OPERATION_ERROR_NONE,
		.alarm = ALARM_NONE,
		.door = DOOR_STATE_UNKNOWN,
		.user_ref = entry->auth_id,
		.credential = entry->auth_id != 0 ? CREDENTIAL_APP_KEY : CREDENTIAL_NONE,
		.is_own = entry->auth_id != 0 && entry->auth_id == own_auth_id,
	};
	text_copy(ret->user, sizeof(ret->user), entry->name);
	text_sanitize(ret->user);

	for (size_t i = 0; i < ARRAY_SIZE(log_rows); i++) {
		if (log_rows[i].type == entry->type && entry->n_data >= log_rows[i].least) {
			struct rd rd = rd_on(entry->data, entry->n_data);
			log_rows[i].read(entry, &rd, ret);
			return;
		}
	}
	/* The number counts, even when we do not know what it says: no hole in the log. */
	snprintf(ret->text, sizeof(ret->text), "log entry of type 0x%02x, %u octets", entry->type,
		entry->n_data);
}
