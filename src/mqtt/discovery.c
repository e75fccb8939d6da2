/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "discovery.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "payload.h"

/* HA forgets a signal strength that has not been renewed for so long. */
#define RSSI_EXPIRES_S 7200
/* With Home Assistant 2026.6 and MQTT 5 the broker itself drops a command that waits longer. */
#define COMMAND_EXPIRES_S 30

/* Exactly this: the code must pass through tojson, or its leading zeros are lost. */
static const char command_template[] = "{\"action\":\"{{ value }}\",\"code\":{{ code | tojson }},"
				       "\"ts\":{{ now().timestamp() | round(3) }}}";

/* One entity. A NULL name takes that of the device class, in the user's language. */
struct row {
	const char *key;
	const char *platform;
	const char *leaf;
	const char *name;
	const char *device_class;
	const char *category;
	bool is_always_there; /* readable exactly when the lock is away: depends on the hub only */
	void (*add)(json_t *component, const struct discovery *discovery, const struct view *view);
};

static void set(json_t *object, const char *key, json_t *value) {
	if (value != NULL) {
		(void) json_object_set_new(object, key, value);
	}
}

static void set_text(json_t *object, const char *key, const char *text) {
	if (text != NULL && text[0] != '\0') {
		set(object, key, json_string(text));
	}
}

static void add_lock(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	char topic[TOPIC_MAX];

	set(component, "name", json_null()); /* the main thing of the device: shown by its name */
	set_text(component, "command_topic",
		topic_of(&discovery->topics, view->id, "lock/set", topic));
	set_text(component, "command_template", command_template);
	set_text(component, "json_attributes_topic",
		topic_of(&discovery->topics, view->id, "lock/attributes", topic));
	if ((view->acts & 1U << ACT_UNLATCH) != 0) {
		set_text(component, "payload_open", "OPEN");
	}
	if (view->factor != FACTOR_NONE) {
		/* Without a code it must still lock: Home Assistant asks one format for all. */
		set_text(component, "code_format", "^([0-9]{4,18})?$");
	}
	set(component, "retain", json_false());
	set(component, "optimistic", json_false());
	set(component, "message_expiry_interval", json_integer(COMMAND_EXPIRES_S));
}

static void add_battery(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	set_text(component, "unit_of_measurement", "%");
	set_text(component, "state_class", "measurement");
	set(component, "suggested_display_precision", json_integer(0));
}

static void add_rssi(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	set_text(component, "unit_of_measurement", "dBm");
	set_text(component, "state_class", "measurement");
	set(component, "enabled_by_default", json_false());
	set(component, "expire_after", json_integer(RSSI_EXPIRES_S));
}

static void add_link(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	char topic[TOPIC_MAX];

	set_text(component, "json_attributes_topic",
		topic_of(&discovery->topics, view->id, "link/attributes", topic));
}

static json_t *words(const char *const *texts, const char *more, const char *and_more) {
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && texts[i] != NULL; i++) {
		(void) json_array_append_new(array, json_string(texts[i]));
	}
	if (array != NULL && more != NULL) {
		(void) json_array_append_new(array, json_string(more));
	}
	if (array != NULL && and_more != NULL) {
		(void) json_array_append_new(array, json_string(and_more));
	}
	return array;
}

static void add_fault(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	set(component, "options", words(payload_fault_options(), NULL, NULL));
}

static void add_codes(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	char topic[TOPIC_MAX];

	set_text(component, "state_class", "measurement");
	set(component, "suggested_display_precision", json_integer(0));
	set_text(component, "json_attributes_topic",
		topic_of(&discovery->topics, view->id, "codes/attributes", topic));
}

static void add_problem(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	char topic[TOPIC_MAX];

	set_text(component, "json_attributes_topic",
		topic_of(&discovery->topics, view->id, "problem/attributes", topic));
}

static void add_battery_days(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	char topic[TOPIC_MAX];

	set_text(component, "unit_of_measurement", "d");
	set(component, "suggested_display_precision", json_integer(0));
	set_text(component, "icon", "mdi:battery-clock");
	set_text(component, "json_attributes_topic",
		topic_of(&discovery->topics, view->id, "battery_days/attributes", topic));
}

static void add_percent(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	set_text(component, "unit_of_measurement", "%");
	set_text(component, "state_class", "measurement");
	set(component, "suggested_display_precision", json_integer(0));
}

static void add_operation(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	char topic[TOPIC_MAX];

	set_text(component, "icon", "mdi:account-key");
	set_text(component, "json_attributes_topic",
		topic_of(&discovery->topics, view->id, "last_operation/attributes", topic));
}

static void add_voltage(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	set_text(component, "unit_of_measurement", "V");
	set_text(component, "state_class", "measurement");
	set(component, "suggested_display_precision", json_integer(2));
	set(component, "enabled_by_default", json_false());
}

static void add_connections(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	/* Counted anew each day: Home Assistant takes a smaller number for a new beginning. */
	set_text(component, "state_class", "total_increasing");
	set(component, "suggested_display_precision", json_integer(0));
	set_text(component, "icon", "mdi:bluetooth-connect");
}

static void add_version(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	set_text(component, "icon", "mdi:package-variant");
}

static void add_mqtt(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	char topic[TOPIC_MAX];

	set_text(component, "state_topic", topic_status(&discovery->topics, topic));
	set_text(component, "payload_on", "online");
	set_text(component, "payload_off", "offline");
}

static void add_restart(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	set(component, "options", words(discovery_restart_reasons(), NULL, NULL));
	set_text(component, "icon", "mdi:restart");
}

static void add_count(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	set_text(component, "state_class", "measurement");
	set(component, "suggested_display_precision", json_integer(0));
	set_text(component, "icon", "mdi:lock");
}

static void add_troubled(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	add_count(component, discovery, view);
	set_text(component, "icon", "mdi:lock-alert");
}

/* The leaf of a button is its command's. */
static void add_button(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	json_t *topic = json_object_get(component, "state_topic");

	set(component, "command_topic", json_incref(topic));
	(void) json_object_del(component, "state_topic");
	set(component, "retain", json_false());
}

static void add_activity(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	set(component, "event_types", words(event_words(), "command_refused", NULL));
}

static void add_hub_activity(
	json_t *component, const struct discovery *discovery, const struct view *view) {
	set(component, "event_types", words(event_words(), "command_refused", "events_lost"));
}

/* clang-format off */
static const struct row rows[PART_COUNT_] = {
	/*		       key		platform	 leaf		   name			   class	      category	    always there */
	[PART_LOCK]	    = { "lock",		"lock",		 "lock/state",	   NULL,		   NULL,	      NULL,	    false, add_lock },
	[PART_BATTERY]	    = { "battery",	"sensor",	 "battery",	   NULL,		   "battery",	      "diagnostic", false, add_battery },
	[PART_BATTERY_LOW]  = { "battery_low",	"binary_sensor", "battery_low",	   "Battery low",	   "battery",	      "diagnostic", false, NULL },
	[PART_KEYPAD_BATTERY] = { "keypad_battery_low", "binary_sensor", "keypad_battery_low", "Keypad battery low", "battery", "diagnostic", false, NULL },
	[PART_SENSOR_BATTERY] = { "sensor_battery_low", "binary_sensor", "sensor_battery_low", "Door sensor battery low", "battery", "diagnostic", false, NULL },
	[PART_DOOR]	    = { "door",		"binary_sensor", "door",	   NULL,		   "door",	      NULL,	    false, NULL },
	[PART_RSSI]	    = { "rssi",		"sensor",	 "rssi",	   NULL,		   "signal_strength", "diagnostic", false, add_rssi },
	[PART_LAST_SEEN]    = { "last_seen",	"sensor",	 "last_seen",	   "Last seen",		   "timestamp",	      "diagnostic", true,  NULL },
	[PART_LINK]	    = { "link",		"binary_sensor", "link",	   "Bluetooth link",	   "connectivity",    "diagnostic", true,  add_link },
	[PART_PROBLEM]	    = { "problem",	"binary_sensor", "problem",	   NULL,		   "problem",	      "diagnostic", true,  add_problem },
	[PART_FAULT]	    = { "fault",	"sensor",	 "fault",	   "Fault",		   "enum",	      "diagnostic", true,  add_fault },
	[PART_LAST_EVENT]   = { "last_event",	"sensor",	 "last_event",	   "Last event",	   NULL,	      NULL,	    true,  NULL },
	[PART_FIRMWARE]	    = { "firmware",	"update",	 "firmware",	   NULL,		   "firmware",	      "diagnostic", false, NULL },
	[PART_CODES]	    = { "codes",	"sensor",	 "codes",	   "Codes",		   NULL,	      "diagnostic", true,  add_codes },
	[PART_CODES_PROBLEM] = { "codes_problem", "binary_sensor", "codes_problem", "Codes not confirmed", "problem",  "diagnostic", true,  NULL },
	[PART_ACTIVITY]	    = { "activity",	"event",	 "event",	   "Activity",		   NULL,	      NULL,	    true,  add_activity },
	[PART_BATTERY_DAYS] = { "battery_days",	"sensor",	 "battery_days",   "Battery lasts",	   "duration",	      "diagnostic", true,  add_battery_days },
	[PART_BATTERY_CHANGED] = { "battery_changed", "sensor",	 "battery_changed", "Batteries changed",   "timestamp",	      "diagnostic", true,  NULL },
	[PART_ALIGNMENT]    = { "alignment",	"binary_sensor", "alignment",	   "Alignment",		   "problem",	      "diagnostic", true,  NULL },
	[PART_LINK_SUCCESS] = { "link_success",	"sensor",	 "link_success",   "Bluetooth links made", NULL,	      "diagnostic", true,  add_percent },
	[PART_CHECK]	    = { "check",	"button",	 "button/check",   "Check now",		   NULL,	      "diagnostic", true,  add_button },
	[PART_SYNC_CODES]   = { "sync_codes",	"button",	 "button/sync_codes", "Synchronise codes", NULL,	      "diagnostic", true,  add_button },
	[PART_RESTART]	    = { "restart",	"button",	 "button/restart", NULL,		   "restart",	      "config",	    false, add_button },
	[PART_CALIBRATE]    = { "calibrate",	"button",	 "button/calibrate", "Calibrate",	   NULL,	      "config",	    false, add_button },
	[PART_LAST_OPERATION] = { "last_operation", "sensor",	 "last_operation", "Last operation",	   NULL,	      NULL,	    true,  add_operation },
	[PART_LAST_OPERATED] = { "last_operated", "sensor",	 "last_operated",  "Last operated",	   "timestamp",	      NULL,	    true,  NULL },
	[PART_DOOR_SENSOR]  = { "door_sensor",	"binary_sensor", "door_sensor",	   "Door sensor",	   "problem",	      "diagnostic", true,  NULL },
	[PART_BATTERY_VOLTAGE] = { "battery_voltage", "sensor",	 "battery_voltage", "Battery voltage",	   "voltage",	      "diagnostic", false, add_voltage },
	[PART_BATTERY_CHARGING] = { "battery_charging", "binary_sensor", "battery_charging", NULL,	   "battery_charging", "diagnostic", false, NULL },
	[PART_TAMPER]	    = { "tamper",	"binary_sensor", "tamper",	   NULL,		   "tamper",	      "diagnostic", true,  NULL },
	[PART_CONNECTIONS]  = { "connections",	"sensor",	 "connections",	   "Bluetooth connections today", NULL,	      "diagnostic", true,  add_connections },
};
static const struct row hub_rows[HUB_PART_COUNT_] = {
	[HUB_PART_STARTED]   = { "started",	"sensor",	 "started",	   "Started",		   "timestamp",	      "diagnostic", true,  NULL },
	[HUB_PART_BLUETOOTH] = { "bluetooth",	"binary_sensor", "bluetooth",	   "Bluetooth",		   "problem",	      "diagnostic", true,  NULL },
	[HUB_PART_STORAGE]   = { "storage",	"binary_sensor", "storage",	   "Storage",		   "problem",	      "diagnostic", true,  NULL },
	[HUB_PART_ACTIVITY]  = { "activity",	"event",	 "event",	   "Activity",		   NULL,	      NULL,	    true,  add_hub_activity },
	[HUB_PART_VERSION]   = { "version",	"sensor",	 "version",	   "Version",		   NULL,	      "diagnostic", true,  add_version },
	[HUB_PART_MQTT]	     = { "mqtt",	"binary_sensor", NULL,		   "MQTT connection",	   "connectivity",    "diagnostic", true,  add_mqtt },
	[HUB_PART_RESTART]   = { "restart_reason", "sensor",	 "restart_reason", "Restart reason",	   "enum",	      "diagnostic", true,  add_restart },
	[HUB_PART_CLOCK]     = { "clock",	"binary_sensor", "clock",	   "Clock",		   "problem",	      "diagnostic", true,  NULL },
	[HUB_PART_LOCKS]     = { "locks",	"sensor",	 "locks",	   "Locks",		   NULL,	      "diagnostic", true,  add_count },
	[HUB_PART_TROUBLED]  = { "troubled_locks", "sensor",	 "troubled_locks", "Locks with a problem", NULL,	      "diagnostic", true,  add_troubled },
};
/* clang-format on */

const char *const *discovery_restart_reasons(void) {
	static const char *const reasons[] = { "first_start", "restarted", "machine_restarted",
		"crashed", "power_lost", "unknown", NULL };
	return reasons;
}

enum part discovery_part_of(const char *key) {
	enum part part = 0;

	while (part < PART_COUNT_ && strcmp(rows[part].key, key) != 0) {
		part++;
	}
	return part;
}

bool discovery_is_hub_key(const char *key) {
	for (enum hub_part part = 0; part < HUB_PART_COUNT_; part++) {
		if (strcmp(hub_rows[part].key, key) == 0) {
			return true;
		}
	}
	return false;
}

const char *discovery_key(enum part part) {
	assert(part < PART_COUNT_);
	return rows[part].key;
}

const char *discovery_platform(enum part part) {
	assert(part < PART_COUNT_);
	return rows[part].platform;
}

char *discovery_lock_node(const char *lock_id, char out[static UNIQUE_ID_MAX]) {
	(void) snprintf(out, UNIQUE_ID_MAX, "lockhub_%.16s", lock_id);
	return out;
}

char *discovery_hub_node(const struct discovery *discovery, char out[static UNIQUE_ID_MAX]) {
	(void) snprintf(out, UNIQUE_ID_MAX, "lockhub_hub_%.63s", discovery->hub_id);
	return out;
}

const char *discovery_leaf(enum part part) {
	assert(part < PART_COUNT_);
	return rows[part].leaf;
}

const char *discovery_hub_leaf(enum hub_part part) {
	assert(part < HUB_PART_COUNT_);
	return hub_rows[part].leaf;
}

/* "lockhub_9f3a71c2_battery" */
static char *unique_id(const char *node, const struct row *row, char out[static UNIQUE_ID_MAX]) {
	(void) snprintf(out, UNIQUE_ID_MAX, "%.80s_%.46s", node, row->key);
	return out;
}

char *discovery_entity_topic(const struct discovery *discovery, const char *lock_id, enum part part,
	char out[static TOPIC_MAX]) {
	char node[UNIQUE_ID_MAX];
	char id[UNIQUE_ID_MAX];

	return topic_entity_config(&discovery->topics, rows[part].platform,
		unique_id(discovery_lock_node(lock_id, node), &rows[part], id), out);
}

char *discovery_hub_entity_topic(
	const struct discovery *discovery, enum hub_part part, char out[static TOPIC_MAX]) {
	char node[UNIQUE_ID_MAX];
	char id[UNIQUE_ID_MAX];

	return topic_entity_config(&discovery->topics, hub_rows[part].platform,
		unique_id(discovery_hub_node(discovery, node), &hub_rows[part], id), out);
}

/* [{"topic": "lockhub/status"}, {"topic": "lockhub/9f3a71c2/availability"}] */
static json_t *availability(const struct discovery *discovery, const char *lock_id) {
	char topic[TOPIC_MAX];
	json_t *list = json_array();

	(void) json_array_append_new(
		list, json_pack("{s:s}", "topic", topic_status(&discovery->topics, topic)));
	if (lock_id != NULL) {
		topic_of(&discovery->topics, lock_id, "availability", topic);
		(void) json_array_append_new(list, json_pack("{s:s}", "topic", topic));
	}
	return list;
}

static json_t *origin(const struct discovery *discovery) {
	json_t *object = json_object();

	set_text(object, "name", "lockhub");
	set_text(object, "sw_version", discovery->version);
	return object;
}

static json_t *lock_device(const struct discovery *discovery, const struct view *view) {
	const struct version_facts *versions = &view->status.versions;
	char node[UNIQUE_ID_MAX];
	json_t *device = json_object();

	set(device, "identifiers", json_pack("[s]", discovery_lock_node(view->id, node)));
	if (view->address[0] != '\0') {
		set(device, "connections", json_pack("[[ss]]", "bluetooth", view->address));
	}
	set_text(device, "name", view->name);
	set_text(device, "manufacturer", view->brand);
	set_text(device, "model", versions->model[0] != '\0' ? versions->model : view->brand);
	if (!discovery->is_old_ha) {
		set_text(device, "serial_number", versions->serial);
	}
	set_text(device, "hw_version", versions->hardware);
	set_text(device, "sw_version", versions->firmware);
	set_text(device, "via_device", discovery_hub_node(discovery, node));
	return device;
}

static json_t *hub_device(const struct discovery *discovery) {
	char node[UNIQUE_ID_MAX];
	json_t *device = json_object();

	set(device, "identifiers", json_pack("[s]", discovery_hub_node(discovery, node)));
	set_text(device, "name", discovery->hub_name);
	set_text(device, "manufacturer", "lockhub");
	set_text(device, "model", "Smart lock hub");
	set_text(device, "sw_version", discovery->version);
	return device;
}

/* @id: the lock's, or "hub". */
static json_t *component(const struct discovery *discovery, const struct row *row, const char *id,
	const char *node, const struct view *view) {
	char text[UNIQUE_ID_MAX];
	char topic[TOPIC_MAX];
	json_t *object = json_object();

	set_text(object, "platform", row->platform);
	set_text(object, "unique_id", unique_id(node, row, text));
	set_text(object, "name", row->name);
	set_text(object, "device_class", row->device_class);
	set_text(object, "entity_category", row->category);
	if (row->leaf != NULL) {
		set_text(object, "state_topic", topic_of(&discovery->topics, id, row->leaf, topic));
	}
	set(object, "qos", json_integer(1));
	if (row->add != NULL) {
		row->add(object, discovery, view);
	}
	return object;
}

static char *dump(json_t *object) {
	char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

/* A setting. It carries no state class and no category but "config": it is no measurement. */
static json_t *dial_component(const struct discovery *discovery, const struct view *view,
	const char *node, const struct dial *dial) {
	const struct lock_setting *setting = dial->setting->row;
	char key[DIAL_KEY_MAX];
	const struct row row = { .key = dial_key(dial, key),
		.platform = dial_platform(dial),
		.name = dial_name(dial),
		.category = "config" };
	char leaf[DIAL_KEY_MAX];
	char topic[TOPIC_MAX];
	char command[TOPIC_MAX + 8];
	json_t *object = component(discovery, &row, view->id, node, view);

	topic_of(&discovery->topics, view->id, dial_leaf(dial, leaf), topic);
	(void) snprintf(command, sizeof(command), "%.250s/set", topic);
	set_text(object, "icon", dial_icon(dial));
	set_text(object, "state_topic", topic);
	set_text(object, "command_topic", command);
	set(object, "retain", json_false());
	if (!dial_is_on_page(dial)) {
		set(object, "enabled_by_default", json_false());
	}
	if (strcmp(row.platform, "text") != 0) {
		set(object, "optimistic", json_false()); /* a text has no such key */
	}
	if (strcmp(row.platform, "number") == 0) {
		/* An age is a duration; so is a time to wait. What has no unit is a scale. */
		set_text(object, "device_class", setting->unit != NULL ? "duration" : NULL);
		set_text(object, "unit_of_measurement", setting->unit);
		set(object, "min", json_integer(setting->min));
		set(object, "max", json_integer(setting->max));
		set(object, "step", json_integer(setting->step > 0 ? setting->step : 1));
		set_text(object, "mode", setting->unit != NULL ? "box" : "slider");
	} else if (strcmp(row.platform, "select") == 0) {
		set(object, "options", words(setting->options, NULL, NULL));
	} else if (setting->kind == SETTING_TIME) {
		set(object, "min", json_integer(5));
		set(object, "max", json_integer(5));
		set_text(object, "pattern", "^([01][0-9]|2[0-3]):[0-5][0-9]$");
	} else if (setting->kind == SETTING_TEXT) {
		set(object, "min", json_integer(1));
		set(object, "max", json_integer(setting->max));
	}
	return object;
}

static void add_dials(json_t *components, const struct discovery *discovery,
	const struct view *view, const char *node) {
	struct dial dials[DIALS_MAX];
	size_t n = dials_of(view, dials);
	char key[DIAL_KEY_MAX];

	for (size_t i = 0; i < n; i++) {
		set(components, dial_key(&dials[i], key),
			dial_component(discovery, view, node, &dials[i]));
	}
}

/* Whatever is there again is not gone. */
static void add_gone(json_t *components, const json_t *gone) {
	const char *key;
	json_t *platform;

	json_object_foreach((json_t *) (uintptr_t) gone, key, platform) {
		if (json_object_get(components, key) == NULL) {
			set(components, key, json_pack("{s:O}", "platform", platform));
		}
	}
}

char *discovery_lock(const struct discovery *discovery, const struct view *view, unsigned parts,
	const json_t *gone) {
	char node[UNIQUE_ID_MAX];
	json_t *components = json_object();
	json_t *message = json_object();

	discovery_lock_node(view->id, node);
	for (enum part part = 0; part < PART_COUNT_; part++) {
		const struct row *row = &rows[part];
		if ((parts & 1U << part) != 0) {
			json_t *object = component(discovery, row, view->id, node, view);
			if (row->is_always_there) {
				set(object, "availability", availability(discovery, NULL));
			}
			set(components, row->key, object);
		}
	}
	add_dials(components, discovery, view, node);
	add_gone(components, gone);
	set(message, "device", lock_device(discovery, view));
	set(message, "origin", origin(discovery));
	set(message, "availability", availability(discovery, view->id));
	set_text(message, "availability_mode", "all");
	set(message, "components", components);
	return dump(message);
}

char *discovery_adapter_leaf(const char *address, char out[static UNIQUE_ID_MAX]) {
	size_t n = (size_t) snprintf(out, UNIQUE_ID_MAX, "adapter_");

	for (const char *at = address; *at != '\0' && n < UNIQUE_ID_MAX - 1; at++) {
		if (isxdigit((unsigned char) *at)) {
			out[n++] = (char) tolower((unsigned char) *at);
		}
	}
	out[n] = '\0';
	return out;
}

static json_t *adapter_component(const struct discovery *discovery, const char *address) {
	char leaf[UNIQUE_ID_MAX];
	char more[UNIQUE_ID_MAX + 16];
	char name[64];
	char node[UNIQUE_ID_MAX];
	char topic[TOPIC_MAX];
	const struct row row = { .key = discovery_adapter_leaf(address, leaf),
		.platform = "binary_sensor",
		.leaf = leaf,
		.name = name,
		.device_class = "problem",
		.category = "diagnostic" };

	/* By its address: which of them is hci0 changes with the order of plugging in. */
	(void) snprintf(name, sizeof(name), "Bluetooth adapter %.17s", address);
	json_t *object =
		component(discovery, &row, "hub", discovery_hub_node(discovery, node), NULL);
	(void) snprintf(more, sizeof(more), "%s/attributes", leaf);
	set_text(object, "json_attributes_topic", topic_of(&discovery->topics, "hub", more, topic));
	return object;
}

char *discovery_hub(
	const struct discovery *discovery, const struct adapters *adapters, const json_t *gone) {
	char node[UNIQUE_ID_MAX];
	char leaf[UNIQUE_ID_MAX];
	json_t *components = json_object();
	json_t *message = json_object();

	discovery_hub_node(discovery, node);
	for (enum hub_part part = 0; part < HUB_PART_COUNT_; part++) {
		set(components, hub_rows[part].key,
			component(discovery, &hub_rows[part], "hub", node, NULL));
	}
	for (size_t i = 0; i < adapters->n; i++) {
		set(components, discovery_adapter_leaf(adapters->address[i], leaf),
			adapter_component(discovery, adapters->address[i]));
	}
	add_gone(components, gone);
	set(message, "device", hub_device(discovery));
	set(message, "origin", origin(discovery));
	set(message, "availability", availability(discovery, NULL));
	set_text(message, "availability_mode", "all");
	set(message, "components", components);
	return dump(message);
}

static char *single(
	const struct discovery *discovery, json_t *object, json_t *device, const char *lock_id) {
	/* The topic says the platform; the key is not one of the single form. */
	(void) json_object_del(object, "platform");
	set(object, "availability", availability(discovery, lock_id));
	set_text(object, "availability_mode", "all");
	set(object, "device", device);
	set(object, "origin", origin(discovery));
	return dump(object);
}

char *discovery_entity(const struct discovery *discovery, const struct view *view, enum part part) {
	const struct row *row = &rows[part];
	char node[UNIQUE_ID_MAX];

	return single(discovery,
		component(discovery, row, view->id, discovery_lock_node(view->id, node), view),
		lock_device(discovery, view), row->is_always_there ? NULL : view->id);
}

char *discovery_hub_entity(const struct discovery *discovery, enum hub_part part) {
	char node[UNIQUE_ID_MAX];

	return single(discovery,
		component(discovery, &hub_rows[part], "hub", discovery_hub_node(discovery, node),
			NULL),
		hub_device(discovery), NULL);
}

char *discovery_dial_topic(const struct discovery *discovery, const char *lock_id,
	const struct dial *dial, char out[static TOPIC_MAX]) {
	char node[UNIQUE_ID_MAX];
	char id[UNIQUE_ID_MAX];
	char key[DIAL_KEY_MAX];

	(void) snprintf(id, sizeof(id), "%.64s_%s", discovery_lock_node(lock_id, node),
		dial_key(dial, key));
	return topic_entity_config(&discovery->topics, dial_platform(dial), id, out);
}

char *discovery_dial(
	const struct discovery *discovery, const struct view *view, const struct dial *dial) {
	char node[UNIQUE_ID_MAX];

	return single(discovery,
		dial_component(discovery, view, discovery_lock_node(view->id, node), dial),
		lock_device(discovery, view), view->id);
}

/* ---- entities beside the tables ---- */

char *discovery_adapter_topic(
	const struct discovery *discovery, const char *address, char out[static TOPIC_MAX]) {
	char node[UNIQUE_ID_MAX];
	char leaf[UNIQUE_ID_MAX];
	char id[2 * UNIQUE_ID_MAX];

	(void) snprintf(id, sizeof(id), "%.90s_%.30s", discovery_hub_node(discovery, node),
		discovery_adapter_leaf(address, leaf));
	return topic_entity_config(&discovery->topics, "binary_sensor", id, out);
}

char *discovery_adapter(const struct discovery *discovery, const char *address) {
	return single(
		discovery, adapter_component(discovery, address), hub_device(discovery), NULL);
}

static const struct row pins_row = { "pin_code", "lock", NULL, "Code manager", NULL, NULL, false,
	NULL };

char *discovery_pins_topic(
	const struct discovery *discovery, const char *lock_id, char out[static TOPIC_MAX]) {
	char node[UNIQUE_ID_MAX];
	char id[UNIQUE_ID_MAX];

	return topic_entity_config(&discovery->topics, pins_row.platform,
		unique_id(discovery_lock_node(lock_id, node), &pins_row, id), out);
}

char *discovery_pins(
	const struct discovery *discovery, const struct view *view, const char *topic) {
	char node[UNIQUE_ID_MAX];
	char text[UNIQUE_ID_MAX];
	char command[TOPIC_MAX + 8];
	json_t *object = json_object();
	json_t *device = lock_device(discovery, view);

	discovery_lock_node(view->id, node);
	/* The mark by which the code managers know their kind of device. */
	(void) snprintf(text, sizeof(text), "zigbee2mqtt_%.100s", node);
	(void) json_array_append_new(json_object_get(device, "identifiers"), json_string(text));
	(void) snprintf(command, sizeof(command), "%.255s/set", topic);
	set_text(object, "unique_id", unique_id(node, &pins_row, text));
	set_text(object, "name", pins_row.name);
	set_text(object, "entity_category", "diagnostic");
	set_text(object, "state_topic", topic);
	set_text(object, "value_template", "{{ value_json.state }}");
	set_text(object, "state_locked", "LOCK");
	set_text(object, "state_unlocked", "UNLOCK");
	set_text(object, "command_topic", command);
	set_text(object, "command_template", "{\"state\":\"{{ value }}\"}");
	set(object, "retain", json_false());
	set(object, "optimistic", json_false());
	set(object, "qos", json_integer(1));
	return single(discovery, object, device, view->id);
}

char *discovery_user_leaf(const char *user_id, char out[static UNIQUE_ID_MAX]) {
	(void) snprintf(out, UNIQUE_ID_MAX, "user_%.16s", user_id);
	return out;
}

/* "lockhub_hub_51d0_user_0a1b2c3d" */
static char *user_unique_id(
	const struct discovery *discovery, const char *user_id, char out[static UNIQUE_ID_MAX]) {
	char node[UNIQUE_ID_MAX];
	char leaf[UNIQUE_ID_MAX];

	(void) snprintf(out, UNIQUE_ID_MAX, "%.90s_%.30s", discovery_hub_node(discovery, node),
		discovery_user_leaf(user_id, leaf));
	return out;
}

char *discovery_user_topic(
	const struct discovery *discovery, const char *user_id, char out[static TOPIC_MAX]) {
	char id[UNIQUE_ID_MAX];

	return topic_entity_config(
		&discovery->topics, "switch", user_unique_id(discovery, user_id, id), out);
}

char *discovery_user(const struct discovery *discovery, const char *user_id, const char *name) {
	char leaf[UNIQUE_ID_MAX];
	char text[UNIQUE_ID_MAX];
	char topic[TOPIC_MAX];
	char command[TOPIC_MAX + 8];
	json_t *object = json_object();

	topic_of(&discovery->topics, "hub", discovery_user_leaf(user_id, leaf), topic);
	(void) snprintf(command, sizeof(command), "%.250s/set", topic);
	set_text(object, "unique_id", user_unique_id(discovery, user_id, text));
	set_text(object, "name", name);
	set_text(object, "entity_category", "config");
	set_text(object, "state_topic", topic);
	set_text(object, "command_topic", command);
	set(object, "retain", json_false());
	set(object, "optimistic", json_false());
	set(object, "qos", json_integer(1));
	return single(discovery, object, hub_device(discovery), NULL);
}
