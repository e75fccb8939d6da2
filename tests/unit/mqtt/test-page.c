/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The device page between a real core and a real broker: settings, what happened before the start,
 * the hub's own device, and what becomes of discovery messages of a former life.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "rig.h"
#include "util/auto.h"

#define LOCK "lockhub/" RIG_LOCK "/"
#define CONFIG "homeassistant/device/lockhub_" RIG_LOCK "/config"
#define HUB_CONFIG "homeassistant/device/lockhub_hub_51d0/config"
#define DELAY LOCK "setting/AutoRelockTime"

static int setup(void **state) {
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig_init(rig);
	*state = rig;
	return 0;
}

static int teardown(void **state) {
	rig_finish(*state);
	free(*state);
	return 0;
}

static void say(struct rig *rig, const char *topic, const char *payload) {
	watcher_publish(&rig->watcher, topic, payload, strlen(payload), false);
}

static void put(struct rig *rig, const char *topic, const char *payload) {
	watcher_publish(&rig->watcher, topic, payload, strlen(payload), true);
}

static bool was_refused(struct rig *rig, const char *text) {
	for (size_t i = 0; i < rig->watcher.n; i++) {
		const struct seen *seen = &rig->watcher.seen[i];
		if (strcmp(seen->topic, LOCK "event") == 0 &&
			strstr(seen->payload, "command_refused") != NULL &&
			strstr(seen->payload, text) != NULL) {
			return true;
		}
	}
	return false;
}

/* A component of a device message; "": the message says nothing of it. */
static char *component_in(const char *text, const char *key) {
	json_t *root = text != NULL ? json_loads(text, 0, NULL) : NULL;
	json_t *component = json_object_get(json_object_get(root, "components"), key);
	char *made = component != NULL ? json_dumps(component, JSON_COMPACT | JSON_SORT_KEYS)
				       : strdup("");

	json_decref(root);
	return made;
}

/* Of the newest message. */
static char *component_of(const struct rig *rig, const char *topic, const char *key) {
	return component_in(watcher_last(&rig->watcher, topic), key);
}

static bool has_component(const struct rig *rig, const char *topic, const char *key) {
	AUTO(free) char *text = component_of(rig, topic, key);
	return strstr(text, "unique_id") != NULL;
}

static void start_with_settings(struct rig *rig) {
	rig->fake.has_settings = true;
	rig_start(rig);
	rig_until(rig, has_component(rig, CONFIG, "setting_AutoRelockTime"));
	rig_until(rig, RIG_IS(rig, DELAY, "120"));
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
}

static void settings_are_shown_and_changed(void **state) {
	struct rig *rig = *state;

	start_with_settings(rig);
	AUTO(free) char *number = component_of(rig, CONFIG, "setting_AutoRelockTime");
	assert_non_null(strstr(number, "\"min\":30"));
	assert_non_null(strstr(number, "\"max\":1800"));
	assert_non_null(strstr(number, "\"unit_of_measurement\":\"s\""));
	assert_non_null(strstr(number, "\"entity_category\":\"config\""));
	rig_until(rig, RIG_IS(rig, DELAY "_on", "ON"));
	rig_until(rig, RIG_IS(rig, LOCK "setting/EnableInsideStatusLED", "ON"));
	rig_until(rig, RIG_IS(rig, LOCK "setting/NightModeStart", "22:30"));
	watcher_forget(&rig->watcher);
	say(rig, DELAY "/set", "600");
	rig_until(rig, RIG_IS(rig, DELAY, "600"));
	assert_string_equal(rig->fake.auto_lock, "600");
	say(rig, DELAY "_on/set", "OFF");
	rig_until(rig, RIG_IS(rig, DELAY "_on", "OFF"));
	rig_until(rig, RIG_IS(rig, DELAY, "None"));
	assert_string_equal(rig->fake.auto_lock, "0");
	/* Switched on again it is as it was. */
	say(rig, DELAY "_on/set", "ON");
	rig_until(rig, RIG_IS(rig, DELAY, "600"));
	say(rig, LOCK "setting/EnableInsideStatusLED/set", "OFF");
	rig_until(rig, RIG_IS(rig, LOCK "setting/EnableInsideStatusLED", "OFF"));
	assert_string_equal(rig->fake.led, "off");
	say(rig, LOCK "setting/NightModeStart/set", "23:15");
	rig_until(rig, RIG_IS(rig, LOCK "setting/NightModeStart", "23:15"));
	assert_int_equal(rig->fake.n_put_settings, 5);
	assert_int_equal(mqtt_status(rig->mqtt)->refused, 0);
	/* Nothing blinks. */
	assert_int_equal(watcher_count(&rig->watcher, LOCK "availability", "offline"), 0);
	assert_int_equal(watcher_count(&rig->watcher, CONFIG, NULL), 0);
}

/* What is shown is what the lock has, whoever wishes what. */
static void refused_settings_change_nothing(void **state) {
	static const struct {
		const char *leaf;
		const char *payload;
		const char *reason;
	} rows[] = {
		{ "setting/AutoRelockTime/set", "10",
			"AutoRelockTime takes 0 (off) or 30 to 1800 s" },
		{ "setting/AutoRelockTime/set", "soon", "bad-command" },
		{ "setting/AutoRelockTime_on/set", "on", "takes ON and OFF" },
		{ "setting/NightModeStart/set", "24:00", "00:00 to 23:59" },
		{ "setting/NightModeStart_on/set", "ON", "no such setting" },
		{ "setting/autorelocktime/set", "60", "no such setting" },
		{ "setting/EnableBluetoothPairing/set", "ON", "[mqtt] maintenance" },
	};
	struct rig *rig = *state;

	start_with_settings(rig);
	assert_false(has_component(rig, CONFIG, "setting_EnableBluetoothPairing"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char topic[128];
		(void) snprintf(topic, sizeof(topic), LOCK "%s", rows[i].leaf);
		watcher_forget(&rig->watcher);
		say(rig, topic, rows[i].payload);
		rig_until(rig, was_refused(rig, rows[i].reason));
	}
	assert_int_equal(rig->fake.n_put_settings, 0);
	/* The lock itself may say no. */
	rig->fake.refuses_settings = true;
	watcher_forget(&rig->watcher);
	say(rig, DELAY "/set", "600");
	rig_until(rig, was_refused(rig, "put-setting"));
	rig_until(rig, RIG_IS(rig, DELAY, "120"));
	assert_int_equal(watcher_count(&rig->watcher, DELAY, "600"), 0);
	assert_int_equal(rig->fake.n_put_settings, 1);
}

static void retained_settings_are_dropped(void **state) {
	struct rig *rig = *state;

	broker_start(&rig->broker);
	watcher_start(&rig->watcher, &rig->broker);
	put(rig, DELAY "/set", "600");
	rig->config.protocol = MQTT_PROTOCOL_311; /* with 5 the broker itself keeps them back */
	rig->fake.has_settings = true;
	rig_mqtt(rig);
	hub_start(rig->hub);
	rig_until(rig, was_refused(rig, "retained-command"));
	rig_until(rig, RIG_IS(rig, DELAY, "120"));
	assert_int_equal(rig->fake.n_put_settings, 0);
	watcher_publish(&rig->watcher, DELAY "/set", "", 0, true);
}

static void settings_can_be_off(void **state) {
	struct rig *rig = *state;

	rig->fake.has_settings = true;
	rig->config.settings = false;
	rig_start(rig);
	say(rig, DELAY "/set", "600");
	rig_until(rig, was_refused(rig, "[mqtt] settings"));
	assert_false(has_component(rig, CONFIG, "setting_AutoRelockTime"));
	assert_int_equal(rig->fake.n_put_settings, 0);
}

static void maintenance_offers_all_settings(void **state) {
	struct rig *rig = *state;

	rig->config.maintenance = true;
	start_with_settings(rig);
	rig_until(rig, has_component(rig, CONFIG, "setting_EnableBluetoothPairing"));
	say(rig, LOCK "setting/EnableBluetoothPairing/set", "ON");
	rig_until(rig, RIG_IS(rig, LOCK "setting/EnableBluetoothPairing", "ON"));
	assert_string_equal(rig->fake.pairing, "on");
}

static void former_life_is_remembered(void **state) {
	struct rig *rig = *state;
	struct event *last = &rig->past[0];
	struct event *operation = &rig->past[1];

	event_init(last, EVENT_BATTERY, loop_clock(rig->loop));
	event_init(operation, EVENT_LOCK_OPERATION, loop_clock(rig->loop));
	last->seq = 8;
	operation->seq = 7;
	operation->operation = OPERATION_UNLOCK;
	operation->source = SOURCE_KEYPAD;
	operation->attribution = ATTRIBUTION_CREDENTIAL;
	operation->time.s = 1795327200;
	operation->is_time_trusted = true;
	(void) strcpy(operation->user, "Anna");
	for (size_t i = 0; i < 2; i++) {
		(void) strcpy(rig->past[i].lock_id, RIG_LOCK);
	}
	rig->n_past = 2;
	rig->seq = 8;
	rig_start(rig);
	rig_until(rig, RIG_IS(rig, LOCK "last_operated", "2026-11-22T06:00:00Z"));
	const char *line = watcher_last(&rig->watcher, LOCK "last_operation");
	assert_non_null(line);
	assert_non_null(strstr(line, "Anna"));
	const char *who = watcher_last(&rig->watcher, LOCK "last_operation/attributes");
	assert_non_null(who);
	assert_non_null(strstr(who, "\"user\":\"Anna\",\"method\":\"keypad\""));
	/* Reading a lock is no operation; locking it is. */
	say(rig, LOCK "lock/set", "LOCK");
	rig_until(rig, strstr(watcher_last(&rig->watcher, LOCK "last_operation"), "Anna") == NULL);
	rig_until(rig, strstr(watcher_last(&rig->watcher, LOCK "last_operation/attributes"),
			       "\"operation\":\"lock\"") != NULL);
}

static void hub_is_a_device(void **state) {
	struct rig *rig = *state;

	rig->config.restart_reason = "crashed";
	rig_start(rig);
	rig_until(rig, RIG_IS(rig, "lockhub/hub/version", "0.1.0"));
	rig_until(rig, RIG_IS(rig, "lockhub/hub/restart_reason", "crashed"));
	rig_until(rig, RIG_IS(rig, "lockhub/hub/locks", "1"));
	rig_until(rig, RIG_IS(rig, "lockhub/hub/troubled_locks", "0"));
	rig_until(rig,
		RIG_IS(rig, "lockhub/hub/clock", "OFF") || RIG_IS(rig, "lockhub/hub/clock", "ON"));
	AUTO(free) char *link = component_of(rig, HUB_CONFIG, "mqtt");
	assert_non_null(strstr(link, "\"state_topic\":\"lockhub/status\""));
	rig->fake.is_jammed = true;
	rig_read_state(rig);
	rig_until(rig, RIG_IS(rig, LOCK "problem", "ON"));
	rig_until(rig, RIG_IS(rig, "lockhub/hub/troubled_locks", "1"));
}

/* ---- what lies on the broker from before ---- */

#define ORPHAN "homeassistant/device/lockhub_deadbeef/config"
#define FOREIGN "homeassistant/device/lockhub_deadbee0/config"

/* A discovery message of a lock of that hub. */
static void put_lock(struct rig *rig, const char *topic, const char *hub) {
	char text[512];

	(void) snprintf(text, sizeof(text),
		"{\"device\":{\"identifiers\":[\"lockhub_x\"],\"via_device\":\"%s\"},"
		"\"origin\":{\"name\":\"lockhub\"},\"components\":{\"lock\":"
		"{\"platform\":\"lock\",\"unique_id\":\"x\"}}}",
		hub);
	put(rig, topic, text);
}

/* Published once and taken away again, or never there. */
static bool is_empty(const struct rig *rig, const char *topic) {
	const char *last = watcher_last(&rig->watcher, topic);
	return last != NULL && last[0] == '\0';
}

static void start_broker(struct rig *rig) {
	broker_start(&rig->broker);
	watcher_start(&rig->watcher, &rig->broker);
}

static void start_hub(struct rig *rig) {
	rig_mqtt(rig);
	hub_start(rig->hub);
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
}

/* A lock that was unpaired while the broker was away; another hub's lock; somebody else's things.
 */
static void orphans_are_cleared_and_others_left(void **state) {
	static const char *const others[] = { FOREIGN, "homeassistant/sensor/lockhub_fake/config",
		"homeassistant/lock/lockhub_deadbee0_lock/config",
		"homeassistant/sensor/zigbee_1/config", "lockhub/deadbee0/lock/state" };
	struct rig *rig = *state;
	struct watcher fresh = { .n = 0 };

	start_broker(rig);
	put_lock(rig, ORPHAN, "lockhub_hub_51d0");
	put_lock(rig, "homeassistant/sensor/lockhub_deadbeef_battery/config", "lockhub_hub_51d0");
	put(rig, "lockhub/deadbeef/lock/state", "LOCKED");
	put(rig, "lockhub/deadbeef/setting/LockNGoTime", "20");
	put_lock(rig, FOREIGN, "lockhub_hub_51d1");
	put(rig, others[1], "{\"device\":{\"identifiers\":\"lockhub_hub_51d0\"}}");
	put_lock(rig, others[2], "lockhub_hub_51d1");
	put(rig, others[3], "not even JSON");
	put(rig, others[4], "LOCKED");
	start_hub(rig);
	rig_until(rig, is_empty(rig, ORPHAN));
	rig_until(rig, is_empty(rig, "homeassistant/sensor/lockhub_deadbeef_battery/config"));
	rig_until(rig, is_empty(rig, "lockhub/deadbeef/lock/state"));
	rig_until(rig, is_empty(rig, "lockhub/deadbeef/setting/LockNGoTime"));
	watcher_start(&fresh, &rig->broker);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_non_null(watcher_last(&fresh, others[i]));
	}
	assert_null(watcher_last(&fresh, ORPHAN));
	assert_null(watcher_last(&fresh, "lockhub/deadbeef/lock/state"));
	watcher_finish(&fresh);
}

/* From the single form to the device form: told, published, then cleared (rule 7, section 2). */
static void old_form_is_moved(void **state) {
	static const char old[] = "homeassistant/sensor/lockhub_" RIG_LOCK "_battery/config";
	static const char gone[] = "homeassistant/button/lockhub_" RIG_LOCK "_restart/config";
	static const char hub[] = "homeassistant/sensor/lockhub_hub_51d0_started/config";
	struct rig *rig = *state;

	rig->config.discovery = MQTT_DISCOVERY_SINGLE;
	start_broker(rig);
	start_hub(rig);
	rig_until(rig, watcher_last(&rig->watcher, old) != NULL);
	rig_stop_mqtt(rig);
	put_lock(rig, gone, "lockhub_hub_51d0");
	watcher_forget(&rig->watcher);
	rig->config.discovery = MQTT_DISCOVERY_DEVICE;
	rig_mqtt(rig);
	rig_until(rig, is_empty(rig, old) && is_empty(rig, hub) && is_empty(rig, gone));
	size_t told = watcher_find(&rig->watcher, old, "{\"migrate_discovery\": true}");
	size_t made = watcher_find(&rig->watcher, CONFIG, NULL);
	size_t left = watcher_find(&rig->watcher, old, "");
	assert_true(told < made && made < left && left != SIZE_MAX);
	assert_true(watcher_find(&rig->watcher, hub, "{\"migrate_discovery\": true}") <
		    watcher_find(&rig->watcher, HUB_CONFIG, NULL));
	/* What is not wanted any more is not moved. */
	assert_int_equal(watcher_count(&rig->watcher, gone, "{\"migrate_discovery\": true}"), 0);
	assert_true(has_component(rig, CONFIG, "battery"));
}

static void new_form_is_moved_back(void **state) {
	static const char single[] = "homeassistant/sensor/lockhub_" RIG_LOCK "_battery/config";
	struct rig *rig = *state;

	start_broker(rig);
	start_hub(rig);
	rig_until(rig, has_component(rig, CONFIG, "battery"));
	rig_stop_mqtt(rig);
	watcher_forget(&rig->watcher);
	rig->config.discovery = MQTT_DISCOVERY_SINGLE;
	rig_mqtt(rig);
	rig_until(rig, is_empty(rig, CONFIG) && is_empty(rig, HUB_CONFIG));
	size_t told = watcher_find(&rig->watcher, CONFIG, "{\"migrate_discovery\": true}");
	size_t made = watcher_find(&rig->watcher, single, NULL);
	assert_true(told < made && made < watcher_find(&rig->watcher, CONFIG, ""));
}

static void off_takes_all_away(void **state) {
	struct rig *rig = *state;

	start_broker(rig);
	start_hub(rig);
	rig_until(rig, watcher_last(&rig->watcher, CONFIG) != NULL);
	rig_stop_mqtt(rig);
	rig->config.discovery = MQTT_DISCOVERY_OFF;
	rig_mqtt(rig);
	rig_until(rig, is_empty(rig, CONFIG) && is_empty(rig, HUB_CONFIG));
}

/* A feature that was switched off goes; what the lock has only not told yet stays. */
static void switched_off_goes_and_known_stays(void **state) {
	struct rig *rig = *state;

	rig->config.maintenance = true;
	rig->fake.has_settings = true;
	rig->fake.has_door_sensor = true;
	rig->fake.door = DOOR_STATE_CLOSED;
	rig_start(rig);
	rig_until(rig, has_component(rig, CONFIG, "setting_EnableBluetoothPairing") &&
			       has_component(rig, CONFIG, "door"));
	assert_true(has_component(rig, CONFIG, "calibrate"));
	rig_stop_mqtt(rig);
	/* A new hub, which knows nothing of its locks yet. */
	rig_hub(rig);
	watcher_forget(&rig->watcher);
	rig->config.maintenance = false;
	rig_mqtt(rig);
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
	/* The first message of this life: a later one may have come meanwhile. */
	const char *first = rig->watcher.seen[watcher_find(&rig->watcher, CONFIG, NULL)].payload;
	AUTO(free) char *door = component_in(first, "door");
	AUTO(free) char *battery = component_in(first, "battery");
	assert_non_null(strstr(door, "unique_id"));
	assert_non_null(strstr(battery, "unique_id"));
	AUTO(free) char *calibrate = component_in(first, "calibrate");
	assert_string_equal(calibrate, "{\"platform\":\"button\"}");
	AUTO(free) char *pairing = component_in(first, "setting_EnableBluetoothPairing");
	assert_string_equal(pairing, "{\"platform\":\"switch\"}");
	/* Once said, the next message says nothing of it. */
	rig_until(rig, watcher_count(&rig->watcher, CONFIG, NULL) >= 2);
	AUTO(free) char *later = component_of(rig, CONFIG, "calibrate");
	assert_string_equal(later, "");
	/* And what the lock denies goes. */
	rig->fake.has_door_sensor = false;
	rig->fake.door = DOOR_STATE_UNKNOWN;
	hub_start(rig->hub);
	rig_until(rig, !has_component(rig, CONFIG, "door"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		RIG_TEST(settings_are_shown_and_changed),
		RIG_TEST(refused_settings_change_nothing),
		RIG_TEST(retained_settings_are_dropped),
		RIG_TEST(settings_can_be_off),
		RIG_TEST(maintenance_offers_all_settings),
		RIG_TEST(former_life_is_remembered),
		RIG_TEST(hub_is_a_device),
		RIG_TEST(orphans_are_cleared_and_others_left),
		RIG_TEST(old_form_is_moved),
		RIG_TEST(new_form_is_moved_back),
		RIG_TEST(off_takes_all_away),
		RIG_TEST(switched_off_goes_and_known_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
