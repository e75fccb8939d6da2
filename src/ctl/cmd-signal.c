/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

/* dBm above which Bluetooth Low Energy through a door works well, and barely. */
#define RSSI_GOOD (-75)
#define RSSI_WEAK (-88)

static const char *quality(int64_t rssi) {
	return rssi >= RSSI_GOOD ? "good" : rssi >= RSSI_WEAK ? "fair" : "weak";
}

static enum tone quality_tone(int64_t rssi) {
	return rssi >= RSSI_GOOD ? TONE_GOOD : rssi >= RSSI_WEAK ? TONE_WARN : TONE_BAD;
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

static void add_row(struct table *table, const json_t *row) {
	int64_t rssi = facts_number(row, "rssi", 0), heard = facts_number(row, "heard_ms_ago", -1);
	int64_t attempts = facts_number(row, "attempts", 0);
	int64_t failures = facts_number(row, "failures", 0);
	char age[AGE_TEXT_MAX];
	table_row(table);
	table_cell(table, TONE_BOLD, "%s", facts_text(row, "slug"));
	if (rssi != 0) {
		table_cell(
			table, quality_tone(rssi), "%jd dBm, %s", (intmax_t) rssi, quality(rssi));
	} else {
		table_cell(table, TONE_FAINT, "not known");
	}
	table_cell(table, facts_flag(row, "reachable") ? TONE_PLAIN : TONE_BAD, "%s",
		heard >= 0 ? age_text(heard, age) : "never");
	table_cell(table, TONE_PLAIN, "%jd", (intmax_t) facts_number(row, "connects", 0));
	table_cell(table, failures > 0 ? TONE_WARN : TONE_PLAIN, "%jd of %jd", (intmax_t) failures,
		(intmax_t) attempts);
	table_cell(table, facts_number(row, "losses", 0) > 0 ? TONE_WARN : TONE_PLAIN, "%jd",
		(intmax_t) facts_number(row, "losses", 0));
	table_cell(table, TONE_PLAIN, "%jd s", (intmax_t) (facts_number(row, "link_ms", 0) / 1000));
	table_cell(table, TONE_FAINT, "%s", facts_text(row, "state"));
}

static int run(struct ctl *ctl, char **args, int n_args) {
	static const struct column columns[] = { { "LOCK", false, false },
		{ "HEARD WITH", false, false }, { "LAST", false, false }, { "LINKS", true, false },
		{ "FAILED", true, false }, { "BROKEN", true, false }, { "LINKED FOR", true, false },
		{ "NOW", false, true } };
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
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "locks", result));
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	if (table == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(result, i, lock) {
		add_row(table, lock);
	}
	return table_print(table);
}

const struct command cmd_signal = {
	.name = "signal",
	.args = "[LOCK...]",
	.blurb = "Show how well the radio reaches the locks, and what it cost them",
	.help = "Counted since lockhubd started: connections made, attempts that failed, links\n"
		"that broke while in use, and the time connected, which the lock's battery pays\n"
		"for. Below -88 dBm a link is a matter of luck: move the hub or its adapter.",
	.example = "lockhubctl signal front-door",
	.options = OPT_JSON,
	.max_args = 64,
	.run = run,
};
