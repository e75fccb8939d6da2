/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

#include "util/radio.h"
#include "watch.h"

static enum tone quality_tone(const char *quality) {
	return strcmp(quality, "good") == 0   ? TONE_GOOD
	       : strcmp(quality, "fair") == 0 ? TONE_WARN
	       : strcmp(quality, "poor") == 0 ? TONE_BAD
					      : TONE_FAINT;
}

static json_t *fetch(struct ctl *ctl, const json_t *lock) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, facts_text(lock, "path"), LOCK_INTERFACE, "GetRadioStatistics",
		    facts_text(lock, "slug"), &reply, "") < 0) {
		return NULL;
	}
	json_t *statistics = wire_read(reply);
	if (statistics == NULL) {
		complain(ctl, "the answer of lockhubd cannot be read");
		return NULL;
	}
	json_object_set(statistics, "slug", json_object_get(lock, "slug"));
	json_object_set(statistics, "lock_rssi", json_object_get(lock, "lock_rssi"));
	json_object_set(statistics, "reachable", json_object_get(lock, "reachable"));
	if (json_object_get(statistics, "rssi") == NULL) {
		json_object_set_new(statistics, "rssi", json_null());
	}
	return statistics;
}

/* All adapters: an array of objects, each with its address. */
static json_t *fetch_adapters(struct ctl *ctl) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "GetRadioStatistics", NULL, &reply,
		    "") < 0) {
		return NULL;
	}
	AUTO(json_decref) json_t *by_address = wire_read(reply);
	json_t *adapters = json_array();
	const char *address;
	json_t *statistics;
	if (by_address == NULL) {
		complain(ctl, "the answer of lockhubd cannot be read");
	}
	json_object_foreach(by_address, address, statistics) {
		json_array_append(adapters, statistics);
	}
	return adapters;
}

/* @key: what the row is called by. */
static void add_row(struct table *table, const json_t *row, const char *key) {
	int64_t rssi = facts_number(row, "rssi", 0);
	const char *quality = radio_quality_of_dbm((int) rssi);
	int64_t heard = facts_number(row, "heard_ms_ago", -1);
	int64_t attempts = facts_number(row, "attempts", 0);
	int64_t failures = facts_number(row, "failures", 0);
	char age[AGE_TEXT_MAX];
	table_row(table);
	table_cell(table, TONE_BOLD, "%s", facts_text(row, key));
	if (rssi != 0) {
		table_cell(table, quality_tone(quality), "%jd dBm, %s", (intmax_t) rssi, quality);
	} else {
		table_cell(table, TONE_FAINT, "not known");
	}
	table_cell(table, json_is_false(json_object_get(row, "reachable")) ? TONE_BAD : TONE_PLAIN,
		"%s", heard >= 0 ? age_text(heard, age) : "never");
	table_cell(table, TONE_PLAIN, "%jd", (intmax_t) facts_number(row, "connects", 0));
	table_cell(table, failures > 0 ? TONE_WARN : TONE_PLAIN, "%jd of %jd", (intmax_t) failures,
		(intmax_t) attempts);
	table_cell(table, facts_number(row, "losses", 0) > 0 ? TONE_WARN : TONE_PLAIN, "%jd",
		(intmax_t) facts_number(row, "losses", 0));
	table_cell(table, TONE_PLAIN, "%jd s", (intmax_t) (facts_number(row, "link_ms", 0) / 1000));
	table_cell(table, TONE_FAINT, "%s", facts_text(row, "state"));
}

/* ---- one lock in detail ---- */

static intmax_t number(const json_t *facts, const char *key) {
	return (intmax_t) facts_number(facts, key, 0);
}

/* Why it is not better, and what helps. */
static void print_quality(struct ctl *ctl, const json_t *facts) {
	const char *quality = facts_text(facts, "quality");
	int64_t median = facts_number(facts, "rssi_median", facts_number(facts, "rssi", 0));
	int64_t failed = 100 - facts_number(facts, "success_percent", 100);
	say(ctl, "%16s: %s%s%s", "quality", tone_start(ctl, quality_tone(quality)), quality,
		tone_end(ctl, quality_tone(quality)));
	if (strcmp(quality, "good") == 0) {
		say(ctl, ", strong enough and reliable\n");
	} else if (strcmp(quality, "unknown") == 0) {
		say(ctl, ", it has not been heard yet\n");
	} else if (failed > RADIO_GOOD_FAILURE_PERCENT) {
		say(ctl, ", %jd %% of the attempts to connect fail\n", (intmax_t) failed);
	} else if (median < RADIO_POOR_DBM) {
		say(ctl, ", it is heard so weakly that a link is a matter of luck\n");
	} else {
		say(ctl, ", it works; nearer or with less in between it would be faster\n");
	}
	if (strcmp(quality, "poor") == 0) {
		say(ctl, "%18s%s\n", "",
			median >= RADIO_GOOD_DBM
				? "It is strong enough: look for other 2.4 GHz senders beside the "
				  "hub "
				  "(USB 3, Wi-Fi)"
				: "Move the hub or its adapter nearer to the door");
	}
}

static void print_strength(struct ctl *ctl, const json_t *facts) {
	int64_t heard = facts_number(facts, "heard_ms_ago", -1);
	size_t n = json_array_size(json_object_get(facts, "rssi_history"));
	char age[AGE_TEXT_MAX];
	if (facts_number(facts, "rssi", 0) != 0) {
		say(ctl, "%16s: %jd dBm", "strength", number(facts, "rssi"));
	} else {
		say(ctl, "%16s: not known", "strength");
	}
	say(ctl, ", last contact %s\n", heard >= 0 ? age_text(heard, age) : "never");
	if (n > 0) {
		say(ctl, "%16s  the last %zu: weakest %jd, middle %jd, strongest %jd dBm\n", "", n,
			number(facts, "rssi_min"), number(facts, "rssi_median"),
			number(facts, "rssi_max"));
	}
}

static void print_ends(struct ctl *ctl, const json_t *facts) {
	static const struct {
		const char *key, *text;
	} rows[] = {
		{ "us", "by lockhub" },
		{ "lock", "by the lock" },
		{ "lost", "out of reach" },
		{ "unknown", "fell, BlueZ does not say why" },
		{ "adapter", "by the adapter" },
		{ "bluetoothd", "by bluetoothd" },
	};
	const json_t *ends = json_object_get(facts, "ends");
	bool is_any = false;
	say(ctl, "%16s: ", "links ended");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (facts_number(ends, rows[i].key, 0) > 0) {
			say(ctl, "%s%jd %s", is_any ? ", " : "", number(ends, rows[i].key),
				rows[i].text);
			is_any = true;
		}
	}
	say(ctl, "%s\n", is_any ? "" : "none");
}

static void print_detail(struct ctl *ctl, const json_t *facts) {
	say(ctl, "%s%16s%s\n", tone_start(ctl, TONE_BOLD), facts_text(facts, "slug"),
		tone_end(ctl, TONE_BOLD));
	print_quality(ctl, facts);
	print_strength(ctl, facts);
	say(ctl, "%16s: %jd, of which %jd succeeded and %jd failed", "attempts",
		number(facts, "attempts"), number(facts, "connects"), number(facts, "failures"));
	if (json_object_get(facts, "success_percent") != NULL) {
		say(ctl, " (%jd %% success)", number(facts, "success_percent"));
	}
	say(ctl, "\n");
	if (json_object_get(facts, "to_link_ms_median") != NULL) {
		say(ctl, "%16s: %jd ms in the middle, %jd ms at worst\n", "time to link",
			number(facts, "to_link_ms_median"), number(facts, "to_link_ms_worst"));
	}
	say(ctl, "%16s: %jd today, %jd yesterday\n", "links", number(facts, "connects_today"),
		number(facts, "connects_yesterday"));
	say(ctl, "%16s: %jd s today, %jd s yesterday, %jd s in all\n", "linked for",
		number(facts, "link_ms_today") / 1000, number(facts, "link_ms_yesterday") / 1000,
		number(facts, "link_ms") / 1000);
	print_ends(ctl, facts);
	say(ctl, "%16s: %jd while in use\n", "links broken", number(facts, "losses"));
	if (facts_text(facts, "adapter")[0] != '\0') {
		say(ctl, "%16s: %s\n", "adapter", facts_text(facts, "adapter"));
	}
	say(ctl, "%16s: %s\n", "now", facts_text(facts, "state"));
}

/* ---- all of them ---- */

static int print_table(struct ctl *ctl, const json_t *rows, const char *title, const char *key) {
	const struct column columns[] = { { title, false, false }, { "HEARD WITH", false, false },
		{ "LAST", false, false }, { "LINKS", true, false }, { "FAILED", true, false },
		{ "BROKEN", true, false }, { "LINKED FOR", true, false }, { "NOW", false, true } };
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	size_t i;
	const json_t *row;
	if (table == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(rows, i, row) {
		add_row(table, row, key);
	}
	return table_print(table);
}

static int print_overview(struct ctl *ctl, json_t *result) {
	AUTO(json_decref) json_t *adapters = fetch_adapters(ctl);
	if (adapters == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(
			ctl, json_pack("{s:O, s:O}", "locks", result, "adapters", adapters));
	}
	int r = print_table(ctl, result, "LOCK", "slug");
	if (r == CTL_DONE && json_array_size(adapters) > 0) {
		say(ctl, "\n");
		r = print_table(ctl, adapters, "ADAPTER", "adapter");
	}
	return r;
}

static int watch(struct ctl *ctl, char **args, int n_args) {
	if (n_args == 0) {
		return usage_error(
			ctl, "which lock? Give its name; lockhubctl list shows the names");
	}
	if (n_args > 1) {
		return usage_error(ctl, "--watch listens to one lock at a time");
	}
	return watch_run(ctl, args[0]);
}

static int run(struct ctl *ctl, char **args, int n_args) {
	if (ctl->opt.is_watching) {
		return watch(ctl, args, n_args);
	}
	if (ctl->opt.seconds != 0) {
		return usage_error(ctl, "--seconds goes with --watch");
	}
	AUTO(json_decref) json_t *locks = facts_fetch_locks(ctl, args, n_args);
	AUTO(json_decref) json_t *result = json_array();
	size_t i;
	json_t *lock;
	if (locks == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(locks, i, lock) {
		json_t *row = fetch(ctl, lock);
		if (row == NULL) {
			return CTL_FAILED;
		}
		json_array_append_new(result, row);
	}
	if (n_args == 0) {
		return print_overview(ctl, result);
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "locks", result));
	}
	json_array_foreach(result, i, lock) {
		say(ctl, "%s", i > 0 ? "\n" : "");
		print_detail(ctl, lock);
	}
	return CTL_DONE;
}

const struct command cmd_signal = {
	.name = "signal",
	.args = "[LOCK...]",
	.blurb = "Show how well the radio reaches the locks, and what it cost them",
	.help = "Counted since lockhubd started: connections made, attempts that failed, links\n"
		"that broke while in use, and the time connected, which the lock's battery pays\n"
		"for. With LOCK in detail: how strongly it was heard, how long connecting takes,\n"
		"why connections ended. A day is 24 hours counted from the start of lockhubd.\n"
		"With --watch one lock is listened to without a pause, to find a good place for "
		"the\n"
		"hub: a live bar, a word, and the weakest, middle and strongest of the last 30 s.\n"
		"From -70 dBm a signal is good; below -85 dBm it is poor: move the hub or its\n"
		"adapter.",
	.example = "lockhubctl signal front-door --watch",
	.options = OPT_JSON | OPT_WATCH | OPT_SECONDS,
	.max_args = 64,
	.run = run,
};
