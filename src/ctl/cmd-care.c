/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* care: what is due at which lock, by what was measured and by what is remembered of former care.
 */

#include "care.h"
#include "commands.h"

#include <string.h>

#include "util/text.h"

#define DAY_S 86400
#define FORECAST_SOON_DAYS 30
#define FIRMWARE_EVERY_DAYS 90
#define KEY_EVERY_DAYS 180

static void add(json_t *due, const json_t *lock, const char *task, const char *why) {
	char command[128];
	snprintf(command, sizeof(command), "lockhubctl care %s %s", task, facts_text(lock, "slug"));
	json_array_append_new(
		due, json_pack("{s:s, s:s, s:s, s:s}", "lock", facts_text(lock, "slug"), "task",
			     task, "why", why, "command", command));
}

/* Days since the task was done last; -1 never. */
static int64_t days_since(const json_t *history, const char *task) {
	char key[64];
	int64_t at = 0;
	snprintf(key, sizeof(key), "%s-done", task);
	const char *text =
		facts_text(json_object_get(json_object_get(history, "notes"), key), "at");
	if (text[0] == '\0' || moment_parse_rfc3339(text, &at) < 0) {
		return -1;
	}
	return (moment_now() - at) / DAY_S;
}

static void look_at_unfinished(json_t *due, const json_t *lock, const json_t *history) {
	static const char *const tasks[] = { "install", "batteries", "restart", "firmware", "key" };
	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++) {
		const json_t *note = json_object_get(json_object_get(history, "notes"), tasks[i]);
		char moment[MOMENT_TEXT_MAX], why[128];
		if (note != NULL) {
			snprintf(why, sizeof(why), "begun and not finished, on %s",
				moment_text(facts_text(note, "at"), moment));
			add(due, lock, tasks[i], why);
		}
	}
}

static bool is_unfinished(const json_t *history, const char *task) {
	return json_object_get(json_object_get(history, "notes"), task) != NULL;
}

static void look_at_batteries(json_t *due, const json_t *lock, const json_t *history) {
	const char *level = facts_text(lock, "battery_level");
	const json_t *forecast = json_object_get(history, "forecast");
	int64_t days = facts_number(forecast, "days", INT64_MAX);
	char why[128] = "";
	if (strcmp(level, "critical") == 0) {
		text_copy(why, sizeof(why), "nearly empty: change them now");
	} else if (strcmp(level, "warning") == 0) {
		text_copy(why, sizeof(why), "low: the lock warns");
	} else if (facts_flag(forecast, "known") && days <= FORECAST_SOON_DAYS) {
		snprintf(why, sizeof(why), "empty in about %jd days (%jd to %jd)", (intmax_t) days,
			(intmax_t) facts_number(forecast, "least", 0),
			(intmax_t) facts_number(forecast, "most", 0));
	}
	if (why[0] != '\0' && !is_unfinished(history, "batteries")) {
		add(due, lock, "batteries", why);
	}
}

static void look_at_firmware(json_t *due, const json_t *lock, const json_t *history) {
	const json_t *data = json_object_get(json_object_get(history, "model_data"), "firmware");
	const char *least = facts_text(data, "min"), *newest = facts_text(data, "newest");
	const char *now = facts_text(lock, "firmware");
	int64_t days = days_since(history, "firmware");
	char why[256] = "";
	if (now[0] != '\0' && least[0] != '\0' && care_compare_versions(now, least) < 0) {
		snprintf(why, sizeof(why), "%s: %s", now, facts_text(data, "fault"));
	} else if (now[0] != '\0' && newest[0] != '\0' && care_compare_versions(now, newest) < 0) {
		snprintf(why, sizeof(why), "%s; there is %s", now, newest);
	} else if (days < 0) {
		text_copy(why, sizeof(why), "nobody has looked for a newer one yet");
	} else if (days >= FIRMWARE_EVERY_DAYS) {
		snprintf(why, sizeof(why), "looked for %jd days ago", (intmax_t) days);
	}
	if (why[0] != '\0' && !is_unfinished(history, "firmware")) {
		add(due, lock, "firmware", why);
	}
}

static void look_at_key(json_t *due, const json_t *lock, const json_t *history) {
	const json_t *has_key =
		json_object_get(json_object_get(history, "model_data"), "mechanical_key");
	int64_t days = days_since(history, "key");
	char why[128] = "";
	if (json_is_false(has_key) || is_unfinished(history, "key")) {
		return;
	}
	if (days < 0) {
		text_copy(why, sizeof(why), "never tried");
	} else if (days >= KEY_EVERY_DAYS) {
		snprintf(why, sizeof(why), "tried %jd days ago", (intmax_t) days);
	}
	if (why[0] != '\0') {
		add(due, lock, "key", why);
	}
}

static int print_due(struct ctl *ctl, json_t *take_due) {
	static const struct column columns[] = { { "LOCK", false, false }, { "CARE", false, false },
		{ "WHY", false, true }, { "HOW", false, false } };
	AUTO(json_decref) json_t *due = take_due;
	const json_t *each;
	size_t i;
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "due", due));
	}
	if (json_array_size(due) == 0) {
		say(ctl, "Nothing is due.\n");
		return CTL_DONE;
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	if (table == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(due, i, each) {
		table_row(table);
		table_cell(table, TONE_BOLD, "%s", facts_text(each, "lock"));
		table_cell(table, TONE_PLAIN, "%s", facts_text(each, "task"));
		table_cell(table, TONE_WARN, "%s", facts_text(each, "why"));
		table_cell(table, TONE_FAINT, "%s", facts_text(each, "command"));
	}
	return table_print(table);
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(json_decref) json_t *locks = facts_fetch_locks(ctl, args, n_args);
	const json_t *lock;
	size_t i;
	if (locks == NULL) {
		return CTL_FAILED;
	}
	json_t *due = json_array();
	json_array_foreach(locks, i, lock) {
		AUTO(json_decref)
		json_t *history =
			history_fetch(ctl, facts_text(lock, "path"), facts_text(lock, "slug"));
		if (history == NULL) {
			json_decref(due);
			return CTL_FAILED;
		}
		look_at_unfinished(due, lock, history);
		look_at_batteries(due, lock, history);
		look_at_firmware(due, lock, history);
		look_at_key(due, lock, history);
	}
	return print_due(ctl, due);
}

const struct command cmd_care = {
	.name = "care",
	.args = "[LOCK...]",
	.blurb = "Show what is due: batteries, firmware, key, unfinished care",
	.help = "Batteries are due when they are low or will be within a month, firmware when it "
		"is\n"
		"known to be faulty or nobody has looked for a newer one for three months, the "
		"key\n"
		"when nobody has tried it for half a year. What to do says the last column.",
	.example = "lockhubctl care",
	.options = OPT_JSON,
	.max_args = 64,
	.run = run,
};
