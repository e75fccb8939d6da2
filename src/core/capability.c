/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/capability.h"

#include <assert.h>
#include <stdio.h>

#include "util/text.h"

struct table {
	const struct driver *driver;
	const struct secret *keys;
	const struct lock_status *status;
	bool is_all;
	unsigned acts;
	struct capability *rows;
	size_t n;
};

static void put(struct table *table, const char *key, const char *title, const char *value) {
	assert(table->n < CAPABILITIES_MAX);
	struct capability *row = &table->rows[table->n++];

	row->key = key;
	row->title = title;
	(void) text_copy(row->value, sizeof(row->value), value);
}

static void put_flag(struct table *table, const char *key, const char *title, bool is_so) {
	put(table, key, title, is_so ? "yes" : "no");
}

static bool is_known(const struct known *known) {
	return known->how != EVIDENCE_NONE;
}

/* What a lock has not said yet it may say later. */
static void put_told(struct table *table, const char *key, const char *title, const char *value) {
	put(table, key, title, value != NULL ? value : table->is_all ? "no" : "not known");
}

static void put_acts(struct table *table) {
	static const struct {
		enum act act;
		const char *key, *title;
	} rows[] = {
		{ ACT_LOCK, "lock", "locks" },
		{ ACT_UNLOCK, "unlock", "unlocks" },
		{ ACT_UNLATCH, "unlatch", "pulls the latch" },
		{ ACT_LOCK_N_GO, "lock_n_go", "unlocks, and locks again by itself" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_flag(table, rows[i].key, rows[i].title, (table->acts & 1U << rows[i].act) != 0);
	}
}

static void put_state(struct table *table) {
	const struct lock_status *status = table->status;
	const bool has_door =
		(is_known(&status->door_known) && status->door != DOOR_STATE_UNKNOWN) ||
		(is_known(&status->config_known) && status->config.has_door_sensor);
	const bool is_announcing = table->driver->is_announcing != NULL &&
				   table->driver->is_announcing(table->keys, status);

	put_told(table, "door_state", "tells whether the door is open", has_door ? "yes" : NULL);
	put(table, "state_advertised", "tells without a link",
		table->driver->is_telling ? "the state"
		: is_announcing           ? "that something changed"
					  : "no");
}

static void put_battery(struct table *table) {
	const struct lock_status *status = table->status;
	const struct battery_facts *battery = &status->battery;
	const bool has_voltage = is_known(&status->report_known) && status->report.millivolts > 0;

	put_told(table, "battery", "battery",
		!is_known(&status->battery_known)   ? NULL
		: battery->percent >= 0             ? "percent"
		: battery->level != BATTERY_UNKNOWN ? "low or not"
						    : NULL);
	put_told(table, "battery_voltage", "battery voltage", has_voltage ? "yes" : NULL);
}

static void put_pins(struct table *table, const struct credential_limits *limits) {
	char value[CAPABILITY_VALUE_MAX];

	if (limits == NULL || (limits->types & 1U << CREDENTIAL_PIN) == 0) {
		(void) snprintf(value, sizeof(value), "no%s%s",
			table->driver->no_codes == NULL ? "" : ", ",
			table->driver->no_codes == NULL ? ""
			: table->is_all                 ? "see below"
							: table->driver->no_codes);
		put(table, "pin", "PIN codes", value);
		return;
	}
	(void) snprintf(
		value, sizeof(value), "%u to %u digits", limits->pin_least, limits->pin_most);
	if (limits->pin_least == limits->pin_most) {
		(void) snprintf(value, sizeof(value), "%u digits", limits->pin_most);
	}
	put(table, "pin", "PIN codes", value);
}

static const char *schedules(const struct credential_limits *limits) {
	if (limits == NULL || limits->types == 0) {
		return "no";
	}
	if (limits->n_windows == 0) {
		return "kept by the hub";
	}
	return limits->has_dates_only ? "dates by the lock, the rest by the hub"
				      : "kept by the lock";
}

static void put_credentials(struct table *table) {
	static const struct {
		enum credential_type type;
		const char *key, *title;
	} rows[] = {
		{ CREDENTIAL_RFID, "rfid", "cards and fobs (RFID)" },
		{ CREDENTIAL_FINGERPRINT, "fingerprint", "fingerprints" },
		{ CREDENTIAL_FACE, "face", "faces" },
	};
	const struct credential_limits *limits =
		table->driver->credentials != NULL
			? table->driver->credentials(table->keys, table->status)
			: NULL;
	char most[CAPABILITY_VALUE_MAX];

	put_pins(table, limits);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const unsigned bit = 1U << rows[i].type;

		put(table, rows[i].key, rows[i].title,
			limits == NULL || (limits->types & bit) == 0 ? "no"
			: (limits->learns & bit) != 0                ? "yes, learnt at the lock"
								     : "yes");
	}
	put_flag(table, "app_key", "lists and removes apps that may open it",
		limits != NULL && limits->has_app_keys);
	(void) snprintf(most, sizeof(most), "%u", limits != NULL ? limits->n_max : 0);
	put(table, "credentials_max", "credentials at most",
		limits == NULL       ? "no"
		: limits->n_max == 0 ? "until the lock says it is full"
				     : most);
	put(table, "schedules", "schedules of codes", schedules(limits));
}

static void put_settings(struct table *table) {
	size_t n = 0;
	const struct lock_setting *rows =
		table->driver->settings != NULL
			? table->driver->settings(table->keys, table->status, &n)
			: NULL;
	const bool can_put = (table->acts & 1U << ACT_PUT_SETTING) != 0;
	const bool has_relock = rows != NULL && setting_find(rows, n, "AutoRelockTime") != NULL;
	char value[CAPABILITY_VALUE_MAX];

	put(table, "auto_relock", "locks again after a time",
		has_relock ? (can_put ? "yes, can be set" : "yes, is shown") : "no");
	(void) snprintf(value, sizeof(value), "%zu%s", n, can_put ? "" : ", only to be read");
	put(table, "settings", "settings", n > 0 ? value : "no");
}

static void put_rest(struct table *table) {
	static const struct {
		enum act act;
		const char *key, *title;
	} rows[] = {
		{ ACT_READ_LOG, "log", "keeps a log that the hub reads" },
		{ ACT_PUT_TIMER, "timers", "acts by itself at a time of day" },
		{ ACT_SET_TIME, "clock", "has a clock that the hub sets" },
		{ ACT_CALIBRATE, "calibrate", "is calibrated by the hub" },
		{ ACT_REBOOT, "reboot", "is restarted by the hub" },
		{ ACT_UNPAIR, "unpair", "gives up the hub's key when it is unpaired" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_flag(table, rows[i].key, rows[i].title, (table->acts & 1U << rows[i].act) != 0);
	}
}

size_t capabilities(const struct driver *driver, const struct secret *keys,
	const struct lock_status *status, bool is_all,
	struct capability out[static CAPABILITIES_MAX]) {
	struct table table = {
		.driver = driver, .keys = keys, .status = status, .is_all = is_all, .rows = out
	};

	table.acts = driver->acts(keys, status);
	put_acts(&table);
	put_state(&table);
	put_credentials(&table);
	put_settings(&table);
	put_rest(&table);
	put_battery(&table);
	put(&table, "protocol_class", "protocol class",
		protocol_class_name(protocol_class(
			driver->protocol != NULL ? driver->protocol(keys, status) : NULL)));
	return table.n;
}
