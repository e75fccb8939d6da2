/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json-model.h"

static void put(json_t *object, const char *key, json_t *take_value) {
	(void) json_object_set_new(object, key, take_value);
}

static void put_text(json_t *object, const char *key, const char *text) {
	if (text != NULL && text[0] != '\0') {
		put(object, key, json_string(text));
	}
}

static void put_number(json_t *object, const char *key, double number) {
	if (number > 0) {
		put(object, key, json_integer((json_int_t) number));
	}
}

static json_t *json_battery(const struct model *model) {
	json_t *battery = json_object();

	put_text(battery, "kind", model->battery_kind);
	put_text(battery, "tools", model->battery_tools);
	put_number(battery, "count", model->battery_count);
	put_number(battery, "warn_percent", model->warn_percent);
	put_number(battery, "life_days", model->life_days);
	if (model->is_life_assumed == FLAG_YES) {
		put(battery, "life_assumed", json_true());
	}
	return battery;
}

static json_t *json_firmware(const struct model *model) {
	json_t *firmware = json_object();

	put_text(firmware, "newest", model->firmware_newest);
	put_text(firmware, "checked", model->firmware_checked);
	put_text(firmware, "min", model->firmware_min);
	put_text(firmware, "fault", model->firmware_fault);
	return firmware;
}

static void put_steps(json_t *object, const char *key, const char *const steps[MODEL_STEPS_MAX]) {
	json_t *list = json_array();

	for (size_t i = 0; i < MODEL_STEPS_MAX && steps[i] != NULL; i++) {
		(void) json_array_append_new(list, json_string(steps[i]));
	}
	put(object, key, list);
}

json_t *json_model(const struct model *model) {
	json_t *result = json_object();
	json_t *steps = json_object();

	put_text(result, "file", model->file);
	put_text(result, "name", model->name);
	put_text(result, "support", model->support);
	if (model->has_mechanical_key != FLAG_UNKNOWN) {
		put(result, "mechanical_key", json_boolean(model->has_mechanical_key == FLAG_YES));
	}
	put(result, "battery", json_battery(model));
	put(result, "firmware", json_firmware(model));
	put_text(result, "install_tools", model->install_tools);
	put_number(result, "restart_wait_s", model->restart_wait_s);
	put_steps(steps, "battery_change", model->battery_change);
	put_steps(steps, "factory_reset", model->factory_reset);
	put_steps(steps, "pairing", model->pairing);
	put_steps(steps, "restart", model->restart);
	put_steps(steps, "calibrate", model->calibrate);
	put_steps(steps, "firmware_update", model->firmware_update);
	put_steps(steps, "install", model->install);
	put_steps(steps, "contact", model->contact);
	put(result, "steps", steps);
	return result;
}
