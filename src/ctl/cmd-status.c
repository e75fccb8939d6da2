/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

#include "util/text.h"

static json_t *fetch_status(struct ctl *ctl) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, MANAGER_PATH, "org.freedesktop.DBus.Properties", "Get", NULL, &reply,
		    "ss", MANAGER_INTERFACE, "Status") < 0) {
		return NULL;
	}
	json_t *status = facts_of_status(wire_read(reply));
	if (status == NULL) {
		complain(ctl, "the answer of lockhubd cannot be read");
	}
	return status;
}

/* "ok", or the fault in full with what to do. */
static void print_part(struct ctl *ctl, const json_t *status, const char *key, const char *title) {
	char long_key[64];
	const char *value = facts_text(status, key);
	if (value[0] == '\0') {
		return;
	}
	snprintf(long_key, sizeof(long_key), "%s_text", key);
	const char *text = facts_text(status, long_key);
	bool is_fault = text[0] != '\0';
	enum tone tone = is_fault ? TONE_BAD : TONE_GOOD;
	say(ctl, "%16s: %s%s%s", title, tone_start(ctl, tone), is_fault ? text : value,
		tone_end(ctl, tone));
	if (strcmp(key, "radio") == 0) {
		const char *version = facts_text(status, "bluez_version");
		say(ctl, " (%jd adapter%s%s%s)", (intmax_t) facts_number(status, "adapters", 0),
			facts_number(status, "adapters", 0) == 1 ? "" : "s",
			version[0] != '\0' ? ", BlueZ " : "", version);
	}
	say(ctl, "\n");
	snprintf(long_key, sizeof(long_key), "%s_hint", key);
	if (is_fault && facts_text(status, long_key)[0] != '\0') {
		say(ctl, "%18s%s\n", "", facts_text(status, long_key));
	}
}

static void print_clock(struct ctl *ctl, const json_t *status) {
	bool is_trusted = facts_flag(status, "time_trusted");
	char moment[MOMENT_TEXT_MAX];
	say(ctl, "%16s: %s, %s%s%s\n", "clock", moment_text(facts_text(status, "time"), moment),
		tone_start(ctl, is_trusted ? TONE_PLAIN : TONE_WARN),
		is_trusted ? "synchronised" : "not synchronised yet: times may be wrong",
		tone_end(ctl, is_trusted ? TONE_PLAIN : TONE_WARN));
}

static void print_counts(struct ctl *ctl, const json_t *status) {
	int64_t n = facts_number(status, "locks", 0);
	int64_t n_reachable = facts_number(status, "locks_reachable", 0);
	int64_t n_faulty = facts_number(status, "locks_with_fault", 0);
	say(ctl, "%16s: %jd paired, %jd reachable", "locks", (intmax_t) n, (intmax_t) n_reachable);
	if (n_faulty > 0) {
		say(ctl, ", %s%jd with a fault%s (lockhubctl list)", tone_start(ctl, TONE_BAD),
			(intmax_t) n_faulty, tone_end(ctl, TONE_BAD));
	}
	if (n == 0) {
		say(ctl, " (to pair one: lockhubctl pair)");
	}
	say(ctl, "\n%16s: %jd waiting\n", "operations",
		(intmax_t) facts_number(status, "operations_waiting", 0));
}

/* What the daemon adds and this program need not know. */
static void print_rest(struct ctl *ctl, const json_t *status) {
	static const char *const known[] = { "version", "radio", "radio_ready", "adapters",
		"bluez_version", "database", "mqtt", "time", "time_trusted", "locks",
		"locks_reachable", "locks_with_fault", "operations_waiting" };
	const char *key;
	json_t *value;
	json_object_foreach((json_t *) status, key, value) {
		size_t n = strlen(key);
		bool is_known = n > 5 && (strcmp(key + n - 5, "_text") == 0 ||
						 strcmp(key + n - 5, "_hint") == 0);
		for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
			is_known |= strcmp(key, known[i]) == 0;
		}
		if (is_known) {
			continue;
		}
		char title[32];
		text_copy(title, sizeof(title), key);
		for (char *p = strchr(title, '_'); p != NULL; p = strchr(p, '_')) {
			*p = ' ';
		}
		if (json_is_string(value)) {
			say(ctl, "%16s: %s\n", title, json_string_value(value));
		} else if (json_is_integer(value)) {
			say(ctl, "%16s: %jd\n", title, (intmax_t) json_integer_value(value));
		} else if (json_is_boolean(value)) {
			say(ctl, "%16s: %s\n", title, json_is_true(value) ? "yes" : "no");
		}
	}
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(json_decref) json_t *status = fetch_status(ctl);
	if (status == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_incref(status));
	}
	say(ctl, "%s%16s%s: running, version %s\n", tone_start(ctl, TONE_BOLD), "lockhubd",
		tone_end(ctl, TONE_BOLD), facts_text(status, "version"));
	print_part(ctl, status, "radio", "radio");
	print_part(ctl, status, "mqtt", "mqtt");
	print_part(ctl, status, "database", "database");
	print_clock(ctl, status);
	print_counts(ctl, status);
	print_rest(ctl, status);
	return CTL_DONE;
}

const struct command cmd_status = {
	.name = "status",
	.args = "",
	.blurb = "Show how the hub is doing",
	.help = "The Bluetooth radio, the MQTT broker, the database and the clock, each with its\n"
		"fault and the next step if there is one, and how many locks there are.",
	.example = "lockhubctl status",
	.options = OPT_JSON,
	.run = run,
};
