/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

static json_t *row_of(const json_t *user, const char *lock) {
	char when[LINE_TEXT_MAX];
	size_t i, k;
	int n = 0, n_present = 0;
	json_t *credential, *at;
	json_array_foreach(json_object_get(user, "credentials"), i, credential) {
		json_array_foreach(json_object_get(credential, "locks"), k, at) {
			if (strcmp(facts_text(at, "lock"), lock) == 0) {
				n++;
				n_present += strcmp(facts_text(at, "state"), "present") == 0;
			}
		}
	}
	people_when(user, lock, when, sizeof(when));
	return json_pack("{s:O, s:s, s:s, s:i, s:i}", "user", json_object_get(user, "slug"), "lock",
		lock, "when", when, "codes", n, "codes_present", n_present);
}

static int run(struct ctl *ctl, char **args, int n_args) {
	static const struct column columns[] = { { "USER", false, false }, { "LOCK", false, false },
		{ "WHEN", false, true }, { "CODES THERE", true, false } };
	AUTO(json_decref) json_t *users = people_fetch_users(ctl, n_args > 0 ? args[0] : NULL);
	AUTO(json_decref) json_t *rows = json_array();
	size_t i, k;
	json_t *user, *lock, *row;
	if (users == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(users, i, user) {
		json_array_foreach(json_object_get(user, "locks"), k, lock) {
			json_array_append_new(rows, row_of(user, json_string_value(lock)));
		}
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "access", rows));
	}
	if (json_array_size(rows) == 0) {
		say(ctl, "No access: lockhubctl access grant USER LOCK gives it\n");
		return CTL_DONE;
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	if (table == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(rows, i, row) {
		int64_t n = facts_number(row, "codes", 0);
		int64_t n_present = facts_number(row, "codes_present", 0);
		table_row(table);
		table_cell(table, TONE_BOLD, "%s", facts_text(row, "user"));
		table_cell(table, TONE_PLAIN, "%s", facts_text(row, "lock"));
		table_cell(table, TONE_PLAIN, "%s",
			facts_text(row, "when")[0] != '\0' ? facts_text(row, "when") : "any time");
		table_cell(table, n == n_present ? TONE_PLAIN : TONE_WARN, "%jd of %jd",
			(intmax_t) n_present, (intmax_t) n);
	}
	return table_print(table);
}

const struct command cmd_access_show = {
	.name = "access show",
	.args = "[USER]",
	.blurb = "Show who may enter where and when",
	.help = "And how many of the person's codes are at the lock.",
	.example = "lockhubctl access show",
	.options = OPT_JSON,
	.max_args = 1,
	.run = run,
};
