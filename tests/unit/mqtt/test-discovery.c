/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Discovery messages against golden files. When a message changes on purpose, run this program with
 * LOCKHUB_GOLDEN_WRITE=1 and read the difference; tools/ha-validate judges the files as a test too.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "discovery.h"
#include "util/auto.h"

#define ALL_PARTS ((1U << PART_COUNT_) - 1)

static const struct discovery device_form = {
	.topics = { .base = "lockhub", .prefix = "homeassistant" },
	.hub_id = "51d0",
	.hub_name = "lockhub",
	.version = "0.1.0",
};

static const struct adapters two_adapters = {
	.n = 2,
	.address = { "00:1A:7D:DA:71:13", "B8:27:EB:00:00:01" },
};

static void full_view(struct view *view) {
	memset(view, 0, sizeof(*view));
	lock_status_init(&view->status);
	(void) strcpy(view->id, "9f3a71c2");
	(void) strcpy(view->name, "Front door");
	(void) strcpy(view->address, "AA:BB:CC:DD:EE:FF");
	(void) strcpy(view->brand, "Acme");
	(void) strcpy(view->status.versions.model, "Bolt 2");
	(void) strcpy(view->status.versions.serial, "0042");
	(void) strcpy(view->status.versions.hardware, "5.11");
	(void) strcpy(view->status.versions.firmware, "3.7.7");
	view->acts = 1U << ACT_LOCK | 1U << ACT_UNLOCK | 1U << ACT_UNLATCH | 1U << ACT_REBOOT |
		     1U << ACT_CALIBRATE;
	view->sync.is_supported = true;
	view->has_health = true;
	view->may_maintain = true;
}

static void golden_path(const char *name, char out[static 512]) {
	const char *root = getenv("LOCKHUB_SOURCE_ROOT");
	(void) snprintf(out, 512, "%s/tests/unit/mqtt/golden/%s", root != NULL ? root : ".", name);
}

/* @all: {topic: {payload, retain, qos}}, the form that tools/ha-validate reads. Consumed. */
static void compare(json_t *all, const char *name) {
	char path[512];
	json_error_t error;

	golden_path(name, path);
	if (getenv("LOCKHUB_GOLDEN_WRITE") != NULL) {
		assert_int_equal(json_dump_file(all, path, JSON_INDENT(1)), 0);
	}
	json_t *golden = json_load_file(path, 0, &error);
	if (golden == NULL) {
		fail_msg("%s: %s", path, error.text);
	}
	if (!json_equal(all, golden)) {
		AUTO(free) char *text = json_dumps(all, JSON_INDENT(1));
		fail_msg("not as in %s:\n%s", path, text);
	}
	json_decref(golden);
	json_decref(all);
}

static void add(json_t *all, const char *topic, char *take_payload) {
	AUTO(free) char *payload = take_payload;

	assert_non_null(payload);
	(void) json_object_set_new(all, topic,
		json_pack("{s:o,s:b,s:i}", "payload", json_loads(payload, 0, NULL), "retain", 1,
			"qos", 1));
}

static void device_messages(void **state) {
	json_t *all = json_object();
	char topic[TOPIC_MAX];
	struct view view;

	(void) state;
	full_view(&view);
	add(all, topic_device_config(&device_form.topics, "lockhub_hub_51d0", topic),
		discovery_hub(&device_form, &two_adapters, NULL));
	add(all, topic_device_config(&device_form.topics, "lockhub_9f3a71c2", topic),
		discovery_lock(&device_form, &view, ALL_PARTS, NULL));
	add(all, discovery_pins_topic(&device_form, view.id, topic),
		discovery_pins(&device_form, &view, "zigbee2mqtt/Front door"));
	add(all, discovery_user_topic(&device_form, "0a1b2c3d", topic),
		discovery_user(&device_form, "0a1b2c3d", "Anna"));
	compare(all, "device.json");
}

static void single_messages(void **state) {
	struct discovery single_form = device_form;
	json_t *all = json_object();
	char topic[TOPIC_MAX];
	struct view view;

	(void) state;
	single_form.is_old_ha = true;
	full_view(&view);
	for (enum hub_part part = 0; part < HUB_PART_COUNT_; part++) {
		add(all, discovery_hub_entity_topic(&single_form, part, topic),
			discovery_hub_entity(&single_form, part));
	}
	for (size_t i = 0; i < two_adapters.n; i++) {
		add(all, discovery_adapter_topic(&single_form, two_adapters.address[i], topic),
			discovery_adapter(&single_form, two_adapters.address[i]));
	}
	for (enum part part = 0; part < PART_COUNT_; part++) {
		add(all, discovery_entity_topic(&single_form, view.id, part, topic),
			discovery_entity(&single_form, &view, part));
	}
	compare(all, "single.json");
}

static void lesser_lock(void **state) {
	json_t *all = json_object();
	char topic[TOPIC_MAX];
	struct view view;

	(void) state;
	full_view(&view);
	memset(&view.status.versions, 0, sizeof(view.status.versions));
	view.address[0] = '\0';
	view.sync.is_supported = false;
	view.acts = 1U << ACT_LOCK | 1U << ACT_UNLOCK;
	view.has_health = false;
	add(all, topic_device_config(&device_form.topics, "lockhub_9f3a71c2", topic),
		discovery_lock(&device_form, &view, view_parts(&view), NULL));
	compare(all, "lesser.json");
}

/* Home Assistant asks for a code exactly when the lock's rules do, and never before it locks. */
static void code_is_asked_for_as_the_rules_say(void **state) {
	struct view view;

	(void) state;
	full_view(&view);
	for (enum factor_rule rule = FACTOR_NONE; rule <= FACTOR_BOTH; rule++) {
		view.factor = rule;
		AUTO(free) char *text = discovery_lock(&device_form, &view, ALL_PARTS, NULL);
		assert_int_equal(strstr(text, "\"code_format\":\"^([0-9]{4,18})?$\"") != NULL,
			rule != FACTOR_NONE);
	}
}

static void removal_is_platform_alone(void **state) {
	struct view view;

	(void) state;
	full_view(&view);
	/* What is there again is not gone, whatever is said of it. */
	json_t *gone = json_pack("{s:s,s:s,s:s}", "door", "binary_sensor", "battery", "sensor",
		"setting_Old", "number");
	AUTO(free)
	char *text = discovery_lock(&device_form, &view, ALL_PARTS & ~(1U << PART_DOOR), gone);
	json_t *root = json_loads(text, 0, NULL);
	json_t *door = json_object_get(json_object_get(root, "components"), "door");
	assert_int_equal(json_object_size(door), 1);
	assert_string_equal(json_string_value(json_object_get(door, "platform")), "binary_sensor");
	json_t *old = json_object_get(json_object_get(root, "components"), "setting_Old");
	assert_int_equal(json_object_size(old), 1);
	json_t *battery = json_object_get(json_object_get(root, "components"), "battery");
	assert_non_null(json_object_get(battery, "unique_id"));
	json_decref(root);
	json_decref(gone);
}

/* What differs between the forms is where it stands, not who it is. */
static void both_forms_same_ids(void **state) {
	struct view view;

	(void) state;
	full_view(&view);
	AUTO(free) char *device = discovery_lock(&device_form, &view, ALL_PARTS, NULL);
	json_t *message = json_loads(device, 0, NULL);
	json_t *components = json_object_get(message, "components");
	const char *key;
	json_t *component;
	enum part part = 0;
	json_object_foreach(components, key, component) {
		AUTO(free) char *text = discovery_entity(&device_form, &view, part++);
		json_t *entity = json_loads(text, 0, NULL);
		assert_true(json_equal(json_object_get(entity, "unique_id"),
			json_object_get(component, "unique_id")));
		static const char *const topics[] = { "state_topic", "command_topic" };
		for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
			json_t *one = json_object_get(entity, topics[i]);
			json_t *other = json_object_get(component, topics[i]);
			assert_true(one == other || json_equal(one, other));
		}
		json_decref(entity);
	}
	assert_int_equal(part, PART_COUNT_);
	json_decref(message);
}

static void view_tells_parts(void **state) {
	struct view view;

	(void) state;
	memset(&view, 0, sizeof(view));
	lock_status_init(&view.status);
	unsigned least = view_parts(&view);
	assert_int_equal(least & (1U << PART_BATTERY | 1U << PART_BATTERY_LOW | 1U << PART_DOOR |
					 1U << PART_FIRMWARE),
		0);
	view.status.battery_known.how = EVIDENCE_ANSWERED;
	view.status.battery.percent = -1;
	view.status.battery.level = BATTERY_OK;
	assert_int_equal(view_parts(&view), least | 1U << PART_BATTERY_LOW); /* none made up */
	view.status.battery.percent = 50;
	assert_int_equal(view_parts(&view), least | 1U << PART_BATTERY_LOW | 1U << PART_BATTERY);
	view.status.door = DOOR_STATE_CLOSED;
	assert_true((view_parts(&view) & 1U << PART_DOOR) != 0);
	assert_int_equal(view_parts(&view) & (1U << PART_CHECK | 1U << PART_BATTERY_DAYS), 0);
	view.has_health = true;
	assert_true((view_parts(&view) & 1U << PART_CHECK) != 0);
	assert_true((view_parts(&view) & 1U << PART_BATTERY_DAYS) != 0);
	/* To restart it must be allowed, and the lock must be able to. */
	view.may_maintain = true;
	assert_int_equal(view_parts(&view) & (1U << PART_RESTART | 1U << PART_CALIBRATE), 0);
	view.acts = 1U << ACT_REBOOT;
	assert_true((view_parts(&view) & 1U << PART_RESTART) != 0);
	view.may_maintain = false;
	assert_int_equal(view_parts(&view) & 1U << PART_RESTART, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_messages),
		cmocka_unit_test(single_messages),
		cmocka_unit_test(lesser_lock),
		cmocka_unit_test(code_is_asked_for_as_the_rules_say),
		cmocka_unit_test(removal_is_platform_alone),
		cmocka_unit_test(both_forms_same_ids),
		cmocka_unit_test(view_tells_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
