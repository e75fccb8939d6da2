/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

static int print_names(struct ctl *ctl, const json_t *locks) {
	size_t i;
	json_t *lock;
	json_array_foreach((json_t *) locks, i, lock) {
		say(ctl, "%s\n", facts_text(lock, "slug"));
	}
	return CTL_DONE;
}

static void state_cell(struct table *table, const json_t *lock) {
	const char *state = facts_text(lock, "state"), *motion = facts_text(lock, "motion");
	if (facts_flag(lock, "jammed")) {
		table_cell(table, TONE_BAD, "jammed");
	} else if (motion[0] != '\0' && strcmp(motion, "none") != 0) {
		table_cell(table, TONE_WARN, "%s", motion);
	} else {
		table_cell(table, tone_of_state(state), "%s", state);
	}
}

static void battery_cell(struct table *table, const json_t *lock) {
	const char *level = facts_text(lock, "battery_level");
	int64_t percent = facts_number(lock, "battery_percent", -1);
	enum tone tone = tone_of_battery(level);
	if (percent >= 0) {
		table_cell(table, tone, "%jd%%%s", (intmax_t) percent,
			facts_flag(lock, "charging") ? "+" : "");
	} else {
		table_cell(table, tone, "%s", strcmp(level, "unknown") == 0 ? "-" : level);
	}
}

static void seen_cell(struct table *table, const json_t *lock) {
	const json_t *heard = json_object_get(json_object_get(lock, "known"), "heard");
	int64_t ms = facts_number(heard, "age_ms", -1);
	char age[AGE_TEXT_MAX];
	table_cell(table, facts_flag(lock, "reachable") ? TONE_PLAIN : TONE_BAD, "%s",
		ms >= 0 ? age_text(ms, age) : "never");
}

static void add_row(struct table *table, const json_t *lock) {
	int64_t rssi = facts_number(lock, "rssi", 0);
	const char *fault = facts_text(lock, "fault");
	table_row(table);
	table_cell(table, TONE_BOLD, "%s", facts_text(lock, "slug"));
	state_cell(table, lock);
	table_cell(table, TONE_PLAIN, "%s",
		strcmp(facts_text(lock, "door"), "unknown") == 0 ? "-" : facts_text(lock, "door"));
	battery_cell(table, lock);
	if (rssi != 0) {
		table_cell(table, TONE_PLAIN, "%jd dBm", (intmax_t) rssi);
	} else {
		table_cell(table, TONE_PLAIN, "-");
	}
	seen_cell(table, lock);
	table_cell(table, fault[0] != '\0' ? TONE_BAD : TONE_PLAIN, "%s",
		fault[0] != '\0' ? fault : "-");
	table_cell(table, TONE_FAINT, "%s", facts_text(lock, "model"));
}

static int run(struct ctl *ctl, char **args, int n_args) {
	static const struct column columns[] = { { "LOCK", false, false },
		{ "STATE", false, false }, { "DOOR", false, false }, { "BATTERY", true, false },
		{ "SIGNAL", true, false }, { "SEEN", false, false }, { "FAULT", false, false },
		{ "MODEL", false, true } };
	AUTO(json_decref) json_t *locks = facts_fetch_locks(ctl, NULL, 0);
	size_t i;
	json_t *lock;
	if (locks == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "locks", locks));
	}
	if (ctl->opt.is_names) {
		return print_names(ctl, locks);
	}
	if (json_array_size(locks) == 0) {
		say(ctl, "No locks are paired yet. To pair one: lockhubctl pair\n");
		return CTL_DONE;
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	if (table == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(locks, i, lock) {
		add_row(table, lock);
	}
	return table_print(table);
}

const struct command cmd_list = {
	.name = "list",
	.args = "",
	.blurb = "List the locks with their state",
	.help = "One line per lock: its name as commands take it, where the bolt is, the door,\n"
		"the battery (+ while charging), how strongly it is heard and when last, and the\n"
		"standing fault if there is one.",
	.example = "lockhubctl list --json",
	.options = OPT_JSON | OPT_NAMES,
	.run = run,
};
