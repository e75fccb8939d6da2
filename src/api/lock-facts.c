/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The properties of org.lockhub1.Lock. One table says which properties there are by type, a second
 * one which of them a FACT_ bit touches, so that a change signal names just those.
 */

#include "room.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* The property under which when and how facts became known is given; goes with every change. */
#define KNOWN_PROPERTY "Known"

static const char *text_driver(const struct lock *lock) {
	return lock_driver(lock)->name;
}
static const char *text_brand(const struct lock *lock) {
	return lock_driver(lock)->brand;
}
static const char *text_pin_form(const struct lock *lock) {
	const char *form = lock_driver(lock)->pin_form;
	return form != NULL ? form : "";
}
static const char *text_model(const struct lock *lock) {
	return lock_status(lock)->versions.model;
}
static const char *text_serial(const struct lock *lock) {
	return lock_status(lock)->versions.serial;
}
static const char *text_firmware(const struct lock *lock) {
	return lock_status(lock)->versions.firmware;
}
static const char *text_hardware(const struct lock *lock) {
	return lock_status(lock)->versions.hardware;
}
static const char *text_state(const struct lock *lock) {
	return lock_state_name(lock_status(lock)->bolt.state);
}
static const char *text_motion(const struct lock *lock) {
	return lock_motion_name(lock_status(lock)->bolt.motion);
}
static const char *text_moved_by(const struct lock *lock) {
	return operation_source_name(lock_status(lock)->bolt.source);
}
static const char *text_previous_state(const struct lock *lock) {
	return lock_state_name(lock_status(lock)->previous_state);
}
static const char *text_door(const struct lock *lock) {
	return door_state_name(lock_status(lock)->door);
}
static const char *text_battery(const struct lock *lock) {
	return battery_level_name(lock_status(lock)->battery.level);
}
static const char *text_keypad_battery(const struct lock *lock) {
	return battery_level_name(lock_status(lock)->accessories.keypad);
}
static const char *text_sensor_battery(const struct lock *lock) {
	return battery_level_name(lock_status(lock)->accessories.door_sensor);
}
static const char *text_fault(const struct lock *lock) {
	return fault_name(lock_fault(lock)->code);
}

/* Two that are made up when asked for; static, since everything here is on the loop thread. */
static const char *text_fault_text(const struct lock *lock) {
	static char text[FAULT_TEXT_MAX];
	return lock_fault(lock)->code == FAULT_NONE ? "" : fault_text(lock_fault(lock), text);
}
static const char *text_fault_hint(const struct lock *lock) {
	static char text[FAULT_TEXT_MAX];
	return lock_fault(lock)->code == FAULT_NONE
		       ? ""
		       : fault_hint(lock_fault(lock)->code, lock_slug(lock), text);
}

static bool flag_jammed(const struct lock *lock) {
	return lock_status(lock)->bolt.is_jammed;
}
static bool flag_charging(const struct lock *lock) {
	return lock_status(lock)->battery.is_charging;
}
static bool flag_enabled(const struct lock *lock) {
	return lock_status(lock)->actuator.is_enabled;
}
static bool flag_calibrated(const struct lock *lock) {
	return lock_status(lock)->actuator.is_calibrated;
}

static int int_battery(const struct lock *lock) {
	return lock_status(lock)->battery.percent;
}
static int int_rssi(const struct lock *lock) {
	return lock_status(lock)->rssi;
}
static int int_lock_rssi(const struct lock *lock) {
	return lock_status(lock)->lock_rssi;
}

static int64_t number_paired_at(const struct lock *lock) {
	return lock_paired_at(lock).s;
}
static int64_t number_previous_at(const struct lock *lock) {
	return lock_status(lock)->previous_at.s;
}
static int64_t number_last_seen(const struct lock *lock) {
	return lock_status(lock)->heard.wall.s;
}
static int64_t number_queue(const struct lock *lock) {
	return lock_queue_length(lock);
}
/* Only what was compared with a clock that can be believed says something about the lock's. */
static int64_t number_clock_offset(const struct lock *lock) {
	const struct lock_status *status = lock_status(lock);
	if (status->clock_known.how == EVIDENCE_NONE || !status->clock.is_hub_trusted) {
		return INT64_MIN;
	}
	return status->clock.lock_time.s - status->clock.hub_time.s;
}

/* clang-format off */
static const struct {
	const char *property;
	const char *(*get)(const struct lock *lock);
} texts[] = {
	{ "Id",                lock_id },
	{ "Slug",              lock_slug },
	{ "Name",              lock_name },
	{ "Address",           lock_address },
	{ "Driver",            text_driver },
	{ "Brand",             text_brand },
	{ "PinForm",           text_pin_form },
	{ "Model",             text_model },
	{ "Serial",            text_serial },
	{ "Firmware",          text_firmware },
	{ "Hardware",          text_hardware },
	{ "State",             text_state },
	{ "Motion",            text_motion },
	{ "MovedBy",           text_moved_by },
	{ "PreviousState",     text_previous_state },
	{ "Door",              text_door },
	{ "BatteryLevel",      text_battery },
	{ "KeypadBattery",     text_keypad_battery },
	{ "DoorSensorBattery", text_sensor_battery },
	{ "Fault",             text_fault },
	{ "FaultText",         text_fault_text },
	{ "FaultHint",         text_fault_hint },
};

static const struct {
	const char *property;
	bool (*get)(const struct lock *lock);
} flags[] = {
	{ "Jammed",     flag_jammed },
	{ "Charging",   flag_charging },
	{ "Enabled",    flag_enabled },
	{ "Calibrated", flag_calibrated },
	{ "Reachable",  lock_is_reachable },
	{ "Linked",     lock_is_linked },
	{ "Announcing", lock_is_announcing },
	{ "HasPin",     lock_has_pin },
};

static const struct {
	const char *property;
	int (*get)(const struct lock *lock);
} ints[] = {
	{ "BatteryPercent", int_battery },
	{ "Rssi",           int_rssi },
	{ "LockRssi",       int_lock_rssi },
};

static const struct {
	const char *property;
	int64_t (*get)(const struct lock *lock);
} numbers[] = {
	{ "PairedAt",     number_paired_at },
	{ "PreviousTime", number_previous_at },
	{ "LastSeen",     number_last_seen },
	{ "LogCursor",    lock_log_cursor },
	{ "QueueLength",  number_queue },
	{ "ClockOffset",  number_clock_offset },
};

/* Acts and HasPin hang on facts and keys; they go with what may move them. */
static const struct {
	unsigned fact;
	const char *properties[9];
} touched[] = {
	{ FACT_BOLT,           { "State", "Motion", "Jammed", "MovedBy", "PreviousState", "PreviousTime" } },
	{ FACT_DOOR,           { "Door" } },
	{ FACT_BATTERY,        { "BatteryLevel", "BatteryPercent", "Charging" } },
	{ FACT_BATTERY_REPORT, { "BatteryReport" } },
	{ FACT_ACCESSORIES,    { "KeypadBattery", "DoorSensorBattery" } },
	{ FACT_VERSIONS,       { "Firmware", "Hardware", "Serial", "Model", "Acts", "Announcing" } },
	{ FACT_CLOCK,          { "ClockOffset" } },
	{ FACT_ACTUATOR,       { "Enabled", "Calibrated" } },
	{ FACT_CONFIG,         { "Config", "Acts", "HasPin", "Announcing" } },
	{ FACT_SIGNAL,         { "LockRssi" } },
	{ FACT_LINK,           { "Linked", "Reachable" } },
	{ FACT_FAULT,          { "Fault", "FaultText", "FaultHint" } },
	{ FACT_LAST_EVENT,     { "LastEvent" } },
	{ FACT_NAME,           { "Name", "Slug" } },
	{ FACT_QUEUE,          { "QueueLength", "HasPin", "Acts" } },
	{ FACT_LOG,            { "LogCursor" } },
	{ FACT_TIMERS,         { "Timers", "TimersRead", "TimersToRestore" } },
	{ FACT_SETTINGS,       { "Settings", "SettingsRead", "SettingsToRestore" } },
};
/* clang-format on */

/* Facts whose time of knowing is in Known. */
#define FACTS_WITH_TIME                                                                            \
	(FACT_BOLT | FACT_DOOR | FACT_BATTERY | FACT_BATTERY_REPORT | FACT_ACCESSORIES |           \
		FACT_VERSIONS | FACT_CLOCK | FACT_ACTUATOR | FACT_CONFIG)

static void add_property(const char **ret, size_t *n, const char *property) {
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(ret[i], property) == 0) {
			return;
		}
	}
	assert(*n + 1 < PROPERTIES_MAX);
	ret[(*n)++] = property;
}

size_t lock_properties(unsigned what, const char *ret[static PROPERTIES_MAX]) {
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(touched); i++) {
		for (size_t k = 0;
			(what & touched[i].fact) != 0 && touched[i].properties[k] != NULL; k++) {
			add_property(ret, &n, touched[i].properties[k]);
		}
	}
	if ((what & FACTS_WITH_TIME) != 0) {
		add_property(ret, &n, KNOWN_PROPERTY);
	}
	ret[n] = NULL;
	return n;
}

static const struct lock *lock_of(const void *user) {
	return ((const struct api_lock *) user)->lock;
}

PROPERTY_GETTER(lock_get_text) {
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (strcmp(texts[i].property, property) == 0) {
			return value_text(reply, texts[i].get(lock_of(user)));
		}
	}
	return -ENOENT;
}

PROPERTY_GETTER(lock_get_flag) {
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(flags[i].property, property) == 0) {
			return sd_bus_message_append(reply, "b", (int) flags[i].get(lock_of(user)));
		}
	}
	return -ENOENT;
}

PROPERTY_GETTER(lock_get_int) {
	for (size_t i = 0; i < ARRAY_SIZE(ints); i++) {
		if (strcmp(ints[i].property, property) == 0) {
			return sd_bus_message_append(reply, "i", ints[i].get(lock_of(user)));
		}
	}
	return -ENOENT;
}

PROPERTY_GETTER(lock_get_number) {
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(numbers[i].property, property) == 0) {
			return sd_bus_message_append(reply, "x", numbers[i].get(lock_of(user)));
		}
	}
	return -ENOENT;
}

PROPERTY_GETTER(lock_get_acts) {
	unsigned acts = lock_acts(lock_of(user));
	int r = sd_bus_message_open_container(reply, 'a', "s");
	for (unsigned act = ACT_NONE + 1; r >= 0 && act < ACT_COUNT_; act++) {
		if ((acts & (1U << act)) != 0) {
			r = sd_bus_message_append(reply, "s", act_name((enum act) act));
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int put_known(sd_bus_message *message, const char *key, const struct known *known) {
	if (known->how == EVIDENCE_NONE) {
		return 0;
	}
	return sd_bus_message_append(message, "{s(sxx)}", key, evidence_how_name(known->how),
		known->wall.s, known->at.ms);
}

PROPERTY_GETTER(lock_get_known) {
	const struct lock_status *status = lock_status(lock_of(user));
	const struct {
		const char *key;
		const struct known *known;
	} rows[] = {
		{ "state", &status->bolt_known },
		{ "door", &status->door_known },
		{ "battery", &status->battery_known },
		{ "battery_report", &status->report_known },
		{ "accessories", &status->accessories_known },
		{ "versions", &status->versions_known },
		{ "clock", &status->clock_known },
		{ "actuator", &status->actuator_known },
		{ "config", &status->config_known },
		{ "heard", &status->heard },
	};
	int r = sd_bus_message_open_container(reply, 'a', "{s(sxx)}");
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(rows); i++) {
		r = put_known(reply, rows[i].key, rows[i].known);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(lock_get_report) {
	const struct battery_report *report = &lock_status(lock_of(user))->report;
	bool is_known = lock_status(lock_of(user))->report_known.how != EVIDENCE_NONE;
	const struct {
		const char *key;
		int value;
		int unknown;
	} rows[] = {
		{ "millivolts", report->millivolts, -1 },
		{ "millivolts_start", report->millivolts_start, -1 },
		{ "millivolts_lowest", report->millivolts_lowest, -1 },
		{ "milliamps_peak", report->milliamps_peak, -1 },
		{ "milliohms", report->milliohms, -1 },
		{ "degrees_turned", report->degrees_turned, -1 },
		{ "celsius", report->celsius, INT16_MIN },
	};
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");
	for (size_t i = 0; r >= 0 && is_known && i < ARRAY_SIZE(rows); i++) {
		if (rows[i].value != rows[i].unknown) {
			r = put_number(reply, rows[i].key, rows[i].value);
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(lock_get_config) {
	const struct config_facts *config = &lock_status(lock_of(user))->config;
	bool is_known = lock_status(lock_of(user))->config_known.how != EVIDENCE_NONE;
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r >= 0 && is_known) {
		r = put_flag(reply, "has_keypad", config->has_keypad);
		if (r >= 0) {
			r = put_flag(reply, "has_door_sensor", config->has_door_sensor);
		}
		if (r >= 0) {
			r = put_flag(reply, "pairing_enabled", config->is_pairing_enabled);
		}
		if (r >= 0) {
			r = put_flag(reply, "log_enabled", config->is_log_enabled);
		}
		if (r >= 0 && config->auto_lock_s >= 0) {
			r = put_number(reply, "auto_lock_s", config->auto_lock_s);
		}
		if (r >= 0) {
			r = put_text_unless_empty(reply, "lock_name", config->lock_name);
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(lock_get_protocol) {
	const struct protocol *protocol = lock_protocol(lock_of(user));
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");

	if (r >= 0 && protocol != NULL) {
		const struct {
			const char *key, *value;
		} rows[] = {
			{ "class", protocol_class_name(protocol_class(protocol)) },
			{ "name", protocol->name },
			{ "cipher", protocol->cipher },
			{ "mutual", protocol_trait_name(protocol->is_mutual) },
			{ "tamper_proof", protocol_trait_name(protocol->is_tamper_proof) },
			{ "replay_safe", protocol_trait_name(protocol->is_replay_safe) },
			{ "fresh_nonces", protocol_trait_name(protocol->has_fresh_nonces) },
			{ "weakness", protocol->weakness },
			{ "source", protocol->source },
		};

		for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(rows); i++) {
			r = put_text(reply, rows[i].key, rows[i].value);
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(lock_get_capabilities) {
	const struct lock *lock = lock_of(user);
	struct capability rows[CAPABILITIES_MAX];
	const size_t n = lock_capabilities(lock, rows);
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");

	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = put_text(reply, rows[i].key, rows[i].value);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(lock_get_event) {
	const struct api_lock *shown = user;
	return value_event(reply, shown->object.api, lock_last_event(shown->lock));
}
