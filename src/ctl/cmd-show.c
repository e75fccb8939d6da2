/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <stdarg.h>
#include <string.h>

#include "util/text.h"

#define LABEL_WIDTH 18

static void label(struct ctl *ctl, const char *text) {
	say(ctl, "%s%*s%s: ", tone_start(ctl, TONE_FAINT), LABEL_WIDTH, text,
		tone_end(ctl, TONE_FAINT));
}

static void fact(struct ctl *ctl, const json_t *lock, const char *title, const char *group,
	enum tone tone, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* "state: locked  (answered by the lock, 3 min ago)" */
static void fact(struct ctl *ctl, const json_t *lock, const char *title, const char *group,
	enum tone tone, const char *format, ...) {
	char text[LINE_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	label(ctl, title);
	say(ctl, "%s%s%s", tone_start(ctl, tone), text, tone_end(ctl, tone));
	if (group != NULL) {
		operation_print_evidence(ctl, lock, group);
	}
	say(ctl, "\n");
}

static bool is_known(const json_t *lock, const char *group) {
	return json_object_get(json_object_get(lock, "known"), group) != NULL;
}

static bool is_said(const char *text) {
	return text[0] != '\0' && strcmp(text, "unknown") != 0 && strcmp(text, "none") != 0;
}

static void show_bolt(struct ctl *ctl, const json_t *lock) {
	const char *state = facts_text(lock, "state"), *motion = facts_text(lock, "motion");
	const char *moved_by = facts_text(lock, "moved_by");
	char moment[MOMENT_TEXT_MAX];
	fact(ctl, lock, "state", "state", tone_of_state(state), "%s", state);
	if (strcmp(state, "unknown") == 0 && is_said(facts_text(lock, "previous_state"))) {
		fact(ctl, lock, "it was", NULL, TONE_FAINT, "%s on %s, before lockhubd started",
			facts_text(lock, "previous_state"),
			moment_text(facts_text(lock, "previous_time"), moment));
	}
	if (is_said(motion)) {
		fact(ctl, lock, "motion", NULL, TONE_WARN, "%s", motion);
	}
	if (is_said(moved_by) && strcmp(moved_by, "unspecified") != 0) {
		fact(ctl, lock, "last moved by", NULL, TONE_PLAIN, "%s", moved_by);
	}
	if (facts_flag(lock, "jammed")) {
		fact(ctl, lock, "jammed", NULL, TONE_BAD, "yes");
	}
	if (is_said(facts_text(lock, "door"))) {
		fact(ctl, lock, "door", "door", TONE_PLAIN, "%s", facts_text(lock, "door"));
	}
	if (is_known(lock, "actuator")) {
		bool is_calibrated = facts_flag(lock, "calibrated");
		fact(ctl, lock, "motor", "actuator",
			facts_flag(lock, "enabled") ? TONE_PLAIN : TONE_WARN, "%s, %s",
			facts_flag(lock, "enabled") ? "enabled" : "disabled",
			is_calibrated ? "calibrated" : "not calibrated");
	}
}

static void show_battery(struct ctl *ctl, const json_t *lock) {
	const char *level = facts_text(lock, "battery_level");
	int64_t percent = facts_number(lock, "battery_percent", -1);
	const json_t *report = json_object_get(lock, "battery_report");
	char share[32] = "";
	if (percent >= 0) {
		snprintf(share, sizeof(share), ", %jd %%", (intmax_t) percent);
	}
	fact(ctl, lock, "battery", "battery", tone_of_battery(level), "%s%s%s", level, share,
		facts_flag(lock, "charging") ? ", charging" : "");
	if (json_object_size(report) > 0) {
		int64_t now = facts_number(report, "millivolts", -1);
		int64_t lowest = facts_number(report, "millivolts_lowest", -1);
		char text[64] = "";
		if (lowest > 0) { /* 0: nothing was moved since */
			snprintf(text, sizeof(text), ", %jd mV at the lowest", (intmax_t) lowest);
		}
		fact(ctl, lock, "battery report", "battery_report", TONE_PLAIN, "%jd mV%s",
			(intmax_t) now, text);
	}
	if (is_said(facts_text(lock, "keypad_battery"))) {
		fact(ctl, lock, "keypad battery", "accessories",
			tone_of_battery(facts_text(lock, "keypad_battery")), "%s",
			facts_text(lock, "keypad_battery"));
	}
	if (is_said(facts_text(lock, "door_sensor_battery"))) {
		fact(ctl, lock, "sensor battery", "accessories",
			tone_of_battery(facts_text(lock, "door_sensor_battery")), "%s",
			facts_text(lock, "door_sensor_battery"));
	}
}

static void show_radio(struct ctl *ctl, const json_t *lock) {
	bool is_reachable = facts_flag(lock, "reachable");
	int64_t rssi = facts_number(lock, "rssi", 0),
		lock_rssi = facts_number(lock, "lock_rssi", 0);
	char text[64] = "";
	if (rssi != 0) {
		snprintf(text, sizeof(text), ", heard with %jd dBm", (intmax_t) rssi);
	}
	fact(ctl, lock, "radio", "heard", is_reachable ? TONE_PLAIN : TONE_BAD, "%s%s%s",
		is_reachable ? "reachable" : "not reachable",
		facts_flag(lock, "linked") ? ", connected" : "", text);
	if (lock_rssi != 0) {
		fact(ctl, lock, "hears the hub", NULL, TONE_PLAIN, "%jd dBm", (intmax_t) lock_rssi);
	}
	fact(ctl, lock, "changes", NULL, TONE_PLAIN, "%s",
		facts_flag(lock, "announcing") ? "announced by the lock"
					       : "found by asking now and then");
}

static void show_identity(struct ctl *ctl, const json_t *lock) {
	char moment[MOMENT_TEXT_MAX];
	if (facts_text(lock, "model")[0] != '\0' || facts_text(lock, "brand")[0] != '\0') {
		fact(ctl, lock, "model", "versions", TONE_PLAIN, "%s",
			facts_text(lock, "model")[0] != '\0' ? facts_text(lock, "model")
							     : facts_text(lock, "brand"));
	}
	if (facts_text(lock, "firmware")[0] != '\0') {
		fact(ctl, lock, "firmware", NULL, TONE_PLAIN, "%s%s%s",
			facts_text(lock, "firmware"),
			facts_text(lock, "hardware")[0] != '\0' ? ", hardware " : "",
			facts_text(lock, "hardware"));
	}
	if (facts_text(lock, "serial")[0] != '\0') {
		fact(ctl, lock, "serial", NULL, TONE_PLAIN, "%s", facts_text(lock, "serial"));
	}
	fact(ctl, lock, "address", NULL, TONE_PLAIN, "%s", facts_text(lock, "address"));
	fact(ctl, lock, "id", NULL, TONE_PLAIN, "%s", facts_text(lock, "id"));
	fact(ctl, lock, "paired", NULL, TONE_PLAIN, "%s",
		moment_text(facts_text(lock, "paired_at"), moment));
	if (facts_text(lock, "pin_form")[0] != '\0') {
		fact(ctl, lock, "PIN", NULL, TONE_PLAIN, "%s",
			facts_flag(lock, "has_pin")
				? "known"
				: "not known (lockhubctl set-pin, for the log and the clock)");
	}
}

static void show_consent(struct ctl *ctl, const json_t *lock, const json_t *protocol) {
	const char *by = facts_text(protocol, "accepted_by");
	char moment[MOMENT_TEXT_MAX];
	fact(ctl, lock, "that means", NULL, TONE_WARN, "%s", facts_text(protocol, "weakness"));
	if (by[0] == '\0') {
		fact(ctl, lock, "agreed to by", NULL, TONE_WARN, "nobody that is known");
		return;
	}
	fact(ctl, lock, "agreed to by", NULL, TONE_PLAIN, "%s, %s", by,
		moment_text(facts_text(protocol, "accepted_at"), moment));
}

/* "B: Nuki Bluetooth API, 5th generation", and what to know of it. */
static void show_protocol(struct ctl *ctl, const json_t *lock) {
	static const struct {
		const char *key, *title, *yes, *no;
	} traits[] = {
		{ "mutual", "who is who", "both sides prove who they are",
			"nobody proves who he is" },
		{ "tamper_proof", "changing", "a changed command is refused",
			"commands can be changed unseen" },
		{ "replay_safe", "repeating", "a repeated command does nothing",
			"commands can be repeated" },
		{ "fresh_nonces", "repeated answers", "answers cannot be repeated",
			"answers can be repeated" },
	};
	const json_t *protocol = json_object_get(lock, "protocol");
	const char *class = facts_text(protocol, "class");
	const bool is_weak = strcmp(class, "C") == 0;
	if (json_object_size(protocol) == 0) {
		return;
	}
	fact(ctl, lock, "protocol", NULL, is_weak ? TONE_BAD : TONE_PLAIN, "class %s%s, %s", class,
		is_weak ? " (weak)" : "", facts_text(protocol, "name"));
	for (size_t i = 0; i < sizeof(traits) / sizeof(traits[0]); i++) {
		const char *trait = facts_text(protocol, traits[i].key);
		if (is_said(trait)) {
			bool is_so = strcmp(trait, "yes") == 0;
			fact(ctl, lock, traits[i].title, NULL, is_so ? TONE_PLAIN : TONE_WARN, "%s",
				is_so ? traits[i].yes : traits[i].no);
		}
	}
	if (is_weak) {
		show_consent(ctl, lock, protocol);
	}
}

/* Who has agreed to rely on a weak protocol, and when: put beside what is known of it. */
static void add_consent(struct ctl *ctl, json_t *lock) {
	json_t *protocol = json_object_get(lock, "protocol");
	if (strcmp(facts_text(protocol, "class"), "C") != 0) {
		return;
	}
	AUTO(json_decref)
	json_t *note = note_fetch(ctl, facts_text(lock, "path"), facts_text(lock, "slug"), "weak");
	if (note != NULL) {
		json_object_set(protocol, "accepted_by", json_object_get(note, "text"));
		json_object_set(protocol, "accepted_at", json_object_get(note, "at"));
	}
}

static void show_clock(struct ctl *ctl, const json_t *lock) {
	const json_t *offset = json_object_get(lock, "clock_offset_s");
	if (json_is_integer(offset)) {
		int64_t s = json_integer_value(offset);
		fact(ctl, lock, "clock", "clock", s > 60 || s < -60 ? TONE_WARN : TONE_PLAIN,
			"%jd s %s", (intmax_t) (s < 0 ? -s : s),
			s < 0   ? "slow"
			: s > 0 ? "fast"
				: "off");
	}
}

static void show_config(struct ctl *ctl, const json_t *lock) {
	const json_t *config = json_object_get(lock, "config");
	if (json_object_size(config) == 0) {
		return;
	}
	int64_t auto_lock = facts_number(config, "auto_lock_s", -1);
	char text[64] = "";
	if (auto_lock > 0) {
		snprintf(text, sizeof(text), ", locks by itself after %jd s", (intmax_t) auto_lock);
	}
	fact(ctl, lock, "set-up", "config", TONE_PLAIN, "%s%s%s%s",
		facts_flag(config, "log_enabled") ? "keeps a log" : "keeps no log",
		facts_flag(config, "has_keypad") ? ", keypad" : "",
		facts_flag(config, "has_door_sensor") ? ", door sensor" : "", text);
}

static void show_codes(struct ctl *ctl, const json_t *lock) {
	const json_t *sync = json_object_get(lock, "sync");
	char text[LINE_TEXT_MAX], moment[MOMENT_TEXT_MAX];
	if (!facts_flag(sync, "supported")) {
		return;
	}
	bool is_bad = facts_flag(sync, "broken") || facts_number(sync, "leaving", 0) > 0;
	fact(ctl, lock, "codes", NULL, is_bad ? TONE_WARN : TONE_PLAIN, "%s  (read %s)",
		people_sync_text(sync, text, sizeof(text)),
		moment_text(facts_text(sync, "read_at"), moment));
}

static void show_acts(struct ctl *ctl, const json_t *lock) {
	size_t i;
	json_t *act;
	label(ctl, "can");
	json_array_foreach(json_object_get(lock, "acts"), i, act) {
		say(ctl, "%s%s", i > 0 ? ", " : "", json_string_value(act));
	}
	say(ctl, "\n");
}

/* What it can do, "no" left out: `--json` and docs/brands.md have all of it. */
static void show_capabilities(struct ctl *ctl, const json_t *lock) {
	const char *key;
	json_t *value;
	json_object_foreach(json_object_get(lock, "capabilities"), key, value) {
		const char *text = json_string_value(value);
		char title[32];
		if (text == NULL || strcmp(text, "no") == 0) {
			continue;
		}
		text_copy(title, sizeof(title), key);
		for (char *at = title; (at = strchr(at, '_')) != NULL;) {
			*at = ' ';
		}
		fact(ctl, lock, title, NULL,
			strcmp(text, "not known") == 0 ? TONE_FAINT : TONE_PLAIN, "%s", text);
	}
}

static void show_lock(struct ctl *ctl, const json_t *lock) {
	const char *fault = facts_text(lock, "fault");
	const json_t *event = json_object_get(lock, "last_event");
	char moment[MOMENT_TEXT_MAX];
	say(ctl, "%s%s%s (%s)\n", tone_start(ctl, TONE_BOLD), facts_text(lock, "name"),
		tone_end(ctl, TONE_BOLD), facts_text(lock, "slug"));
	if (fault[0] != '\0') {
		fact(ctl, lock, "fault", NULL, TONE_BAD, "%s", facts_text(lock, "fault_text"));
		fact(ctl, lock, "next step", NULL, TONE_PLAIN, "%s",
			facts_text(lock, "fault_hint"));
	}
	show_bolt(ctl, lock);
	show_battery(ctl, lock);
	show_radio(ctl, lock);
	show_protocol(ctl, lock);
	show_clock(ctl, lock);
	show_config(ctl, lock);
	show_codes(ctl, lock);
	show_identity(ctl, lock);
	show_acts(ctl, lock);
	label(ctl, "capabilities");
	say(ctl, "\n");
	show_capabilities(ctl, lock);
	if (facts_number(lock, "queue_length", 0) > 0) {
		fact(ctl, lock, "waiting", NULL, TONE_PLAIN, "%jd operations",
			(intmax_t) facts_number(lock, "queue_length", 0));
	}
	if (json_is_object(event)) {
		fact(ctl, lock, "last event", NULL, TONE_PLAIN, "%s, %s",
			moment_text(facts_text(event, "time"), moment), facts_text(event, "line"));
	}
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(json_decref) json_t *locks = facts_fetch_locks(ctl, args, n_args);
	size_t i;
	json_t *lock;
	if (locks == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(locks, i, lock) {
		add_consent(ctl, lock);
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "locks", locks));
	}
	json_array_foreach(locks, i, lock) {
		say(ctl, "%s", i > 0 ? "\n" : "");
		show_lock(ctl, lock);
	}
	return CTL_DONE;
}

const struct command cmd_show = {
	.name = "show",
	.args = "LOCK...",
	.blurb = "Show all that is known about a lock, how it is known and since when",
	.help = "What is not listed is not known. Nothing is asked of the lock for this; to read\n"
		"its state anew: lockhubctl refresh LOCK.",
	.example = "lockhubctl show front-door",
	.options = OPT_JSON,
	.min_args = 1,
	.max_args = 64,
	.run = run,
};
