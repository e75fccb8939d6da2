/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

#define DAY_S INT64_C(86400)
#define SPARKLINE_DAYS 90
#define SPARKLINE_BARS 18
#define SPARKLINE_MAX (SPARKLINE_BARS * 4 + 1)
#define SOON_DAYS 30
/* As docs/diagnosis.md has them; enum battery_level of the hub. */
enum { LEVEL_OK = 0, LEVEL_WARNING = 1, LEVEL_CRITICAL = 2 };

static const struct {
	const char *from, *to;
} sample_keys[] = {
	{ "battery_percent", "percents" },
	{ "battery_level", "levels" },
	{ "battery_changed", "changed" },
};

static void accessory_cell(struct table *table, const char *level) {
	table_cell(
		table, tone_of_battery(level), "%s", strcmp(level, "unknown") == 0 ? "-" : level);
}

/* The last three months, as a line of bars: each the charge that was held last in its days. */

static int64_t charge_of(const json_t *sample, bool is_percent) {
	int64_t value = json_integer_value(json_array_get(sample, 1));
	if (is_percent) {
		return value;
	}
	return value == LEVEL_OK         ? 100
	       : value == LEVEL_WARNING  ? 25
	       : value == LEVEL_CRITICAL ? 5
					 : -1;
}

static const char *sparkline(const json_t *history, char out[static SPARKLINE_MAX]) {
	static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	const json_t *samples = json_object_get(history, "samples");
	const json_t *rows = json_object_get(samples, "battery_percent");
	bool is_percent = json_array_size(rows) > 0;
	int64_t begin = moment_now() - SPARKLINE_DAYS * DAY_S, charge = -1;
	size_t i = 0, n = 0;
	rows = is_percent ? rows : json_object_get(samples, "battery_level");
	for (int bar = 0; bar < SPARKLINE_BARS; bar++) {
		int64_t end = begin + SPARKLINE_DAYS * DAY_S * (bar + 1) / SPARKLINE_BARS;
		for (; i < json_array_size(rows); i++) {
			const json_t *sample = json_array_get(rows, i);
			if (json_integer_value(json_array_get(sample, 0)) > end) {
				break;
			}
			charge = charge_of(sample, is_percent);
		}
		size_t place = charge >= 100 ? 7 : charge <= 0 ? 0 : (size_t) charge * 8 / 100;
		const char *text = charge < 0 ? " " : bars[place];
		n += (size_t) snprintf(out + n, SPARKLINE_MAX - n, "%s", text);
	}
	return i > 0 ? out : "-";
}

/* "about 41 days (33 to 52)" */
static void forecast_cell(struct table *table, const json_t *history) {
	const json_t *forecast = json_object_get(history, "forecast");
	int64_t days = facts_number(forecast, "days", -1);
	if (!facts_flag(forecast, "known") || days < 0) {
		table_cell(table, TONE_FAINT, "not known yet");
	} else if (days == 0) {
		table_cell(table, TONE_BAD, "now");
	} else {
		table_cell(table, days <= SOON_DAYS ? TONE_WARN : TONE_PLAIN,
			"about %jd days (%jd to %jd)", (intmax_t) days,
			(intmax_t) facts_number(forecast, "least", 0),
			(intmax_t) facts_number(forecast, "most", 0));
	}
}

static void drain_cell(struct table *table, const json_t *history) {
	const json_t *forecast = json_object_get(history, "forecast");
	const json_t *drain = json_object_get(forecast, "percent_per_day");
	double normal = json_number_value(json_object_get(forecast, "normal_per_day"));
	double now = json_number_value(drain);
	if (!json_is_number(drain) || now <= 0) {
		table_cell(table, TONE_PLAIN, "-");
		return;
	}
	table_cell(table, normal > 0 && now > 2 * normal ? TONE_WARN : TONE_PLAIN, "%.2f %%", now);
}

/* When somebody said so, or the level showed it. */
static void changed_cell(struct table *table, const json_t *history) {
	const json_t *rows =
		json_object_get(json_object_get(history, "samples"), "battery_changed");
	const json_t *last = json_array_get(rows, json_array_size(rows) - 1);
	char moment[MOMENT_TEXT_MAX];
	if (last == NULL) {
		table_cell(table, TONE_FAINT, "-");
		return;
	}
	moment_format(json_integer_value(json_array_get(last, 0)), moment);
	table_cell(table, TONE_PLAIN, "%.10s", moment); /* the day */
}

static void add_row(struct table *table, const json_t *lock) {
	const json_t *report = json_object_get(lock, "battery_report");
	const json_t *known = json_object_get(json_object_get(lock, "known"), "battery");
	const json_t *history = json_object_get(lock, "history");
	const char *level = facts_text(lock, "battery_level");
	int64_t percent = facts_number(lock, "battery_percent", -1);
	int64_t millivolts = facts_number(report, "millivolts", -1);
	int64_t age = facts_number(known, "age_ms", -1);
	char text[AGE_TEXT_MAX], line[SPARKLINE_MAX];
	table_row(table);
	table_cell(table, TONE_BOLD, "%s", facts_text(lock, "slug"));
	table_cell(table, tone_of_battery(level), "%s%s", level,
		facts_flag(lock, "charging") ? ", charging" : "");
	if (percent >= 0) {
		table_cell(table, tone_of_battery(level), "%jd %%", (intmax_t) percent);
	} else {
		table_cell(table, TONE_PLAIN, "-");
	}
	table_cell(table, tone_of_battery(level), "%s", sparkline(history, line));
	forecast_cell(table, history);
	drain_cell(table, history);
	changed_cell(table, history);
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
	const json_t *history = json_object_get(lock, "history");
	const json_t *samples = json_object_get(history, "samples");
	json_t *forecast = json_object_get(history, "forecast");
	json_object_set_new(
		result, "forecast", forecast != NULL ? json_incref(forecast) : json_null());
	for (size_t i = 0; i < ARRAY_SIZE(sample_keys); i++) {
		json_t *rows = json_object_get(samples, sample_keys[i].from);
		json_object_set_new(
			result, sample_keys[i].to, rows != NULL ? json_incref(rows) : json_array());
	}
	return result;
}

/* What is remembered of each; a lock of which nothing can be had is shown without. */
static void add_histories(struct ctl *ctl, json_t *locks) {
	size_t i;
	json_t *lock;
	json_array_foreach(locks, i, lock) {
		json_t *history =
			history_fetch(ctl, facts_text(lock, "path"), facts_text(lock, "slug"));
		if (history != NULL) {
			json_object_set_new(lock, "history", history);
		}
	}
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
		{ "LEVEL", false, false }, { "CHARGE", true, false },
		{ "LAST 90 DAYS", false, false }, { "EMPTY IN", false, false },
		{ "PER DAY", true, false }, { "CHANGED", false, false }, { "VOLTAGE", true, false },
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
	add_histories(ctl, locks);
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
		"are the lock's own words. The bars are the last 90 days. When the batteries will\n"
		"be empty is reckoned from what was observed since they were changed; in brackets\n"
		"what it will be in four of five cases. With --read each lock is asked now, which "
		"takes a\n"
		"connection and the role operate.",
	.example = "lockhubctl battery --read front-door",
	.options = OPT_JSON | OPT_READ,
	.max_args = 64,
	.run = run,
};
