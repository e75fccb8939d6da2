/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

static void accessory_cell(struct table *table, const char *level) {
	table_cell(
		table, tone_of_battery(level), "%s", strcmp(level, "unknown") == 0 ? "-" : level);
}

static void add_row(struct table *table, const json_t *lock) {
	const json_t *report = json_object_get(lock, "battery_report");
	const json_t *known = json_object_get(json_object_get(lock, "known"), "battery");
	const char *level = facts_text(lock, "battery_level");
	int64_t percent = facts_number(lock, "battery_percent", -1);
	int64_t millivolts = facts_number(report, "millivolts", -1);
	int64_t age = facts_number(known, "age_ms", -1);
	char text[AGE_TEXT_MAX];
	table_row(table);
	table_cell(table, TONE_BOLD, "%s", facts_text(lock, "slug"));
	table_cell(table, tone_of_battery(level), "%s%s", level,
		facts_flag(lock, "charging") ? ", charging" : "");
	if (percent >= 0) {
		table_cell(table, tone_of_battery(level), "%jd %%", (intmax_t) percent);
	} else {
		table_cell(table, TONE_PLAIN, "-");
	}
	if (millivolts >= 0) {
		table_cell(table, TONE_PLAIN, "%jd mV", (intmax_t) millivolts);
	} else {
		table_cell(table, TONE_PLAIN, "-");
	}
	accessory_cell(table, facts_text(lock, "keypad_battery"));
	accessory_cell(table, facts_text(lock, "door_sensor_battery"));
	table_cell(table, TONE_FAINT, "%s", age >= 0 ? age_text(age, text) : "never");
}

static json_t *pick(const json_t *lock) {
	static const char *const keys[] = { "slug", "battery_level", "battery_percent", "charging",
		"battery_report", "keypad_battery", "door_sensor_battery" };
	json_t *result = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_object_set(result, keys[i], json_object_get(lock, keys[i]));
	}
	json_t *known = json_object_get(json_object_get(lock, "known"), "battery");
	json_object_set_new(result, "known", known != NULL ? json_incref(known) : json_null());
	return result;
}

/* Asks each lock for its report first; what it does not tell is shown as it was. */
static int read_all(struct ctl *ctl, const json_t *locks) {
	size_t i;
	json_t *lock;
	int worst = CTL_DONE;
	json_array_foreach((json_t *) locks, i, lock) {
		AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
		AUTO(json_decref) json_t *facts = NULL;
		if (talk_new(ctl, facts_text(lock, "path"), LOCK_INTERFACE, "ReadBattery", &call) <
				0 ||
			operation_run(ctl, call, facts_text(lock, "slug"), &facts) != CTL_DONE) {
			worst = CTL_FAILED;
		}
	}
	return worst;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	static const struct column columns[] = { { "LOCK", false, false },
		{ "LEVEL", false, false }, { "CHARGE", true, false }, { "VOLTAGE", true, false },
		{ "KEYPAD", false, false }, { "DOOR SENSOR", false, false },
		{ "KNOWN", false, false } };
	AUTO(json_decref) json_t *locks = facts_fetch_locks(ctl, args, n_args);
	size_t i;
	json_t *lock;
	int worst = CTL_DONE;
	if (locks == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_read) {
		worst = read_all(ctl, locks);
		json_decref(locks);
		locks = facts_fetch_locks(ctl, args, n_args);
		if (locks == NULL) {
			return CTL_FAILED;
		}
	}
	if (ctl->opt.is_json) {
		json_t *result = json_array();
		json_array_foreach(locks, i, lock) {
			json_array_append_new(result, pick(lock));
		}
		int r = print_json(ctl, json_pack("{s:o}", "locks", result));
		return r != CTL_DONE ? r : worst;
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	if (table == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(locks, i, lock) {
		add_row(table, lock);
	}
	int r = table_print(table);
	return r != CTL_DONE ? r : worst;
}

const struct command cmd_battery = {
	.name = "battery",
	.args = "[LOCK...]",
	.blurb = "Show the batteries of the locks and of what belongs to them",
	.help = "A percentage is shown only when the lock gives one: \"warning\" and \"critical\"\n"
		"are the lock's own words. With --read each lock is asked now, which takes a\n"
		"connection and the role operate.",
	.example = "lockhubctl battery --read front-door",
	.options = OPT_JSON | OPT_READ,
	.max_args = 64,
	.run = run,
};
