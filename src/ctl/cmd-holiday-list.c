/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	static const struct column columns[] = { { "LOCK", false, false },
		{ "HOLIDAY", false, false }, { "WHEN", false, true }, { "MODE", false, false } };
	AUTO(json_decref) json_t *locks = facts_fetch_locks(ctl, args, n_args);
	AUTO(json_decref) json_t *rows = json_array();
	size_t i, k;
	json_t *lock, *each;
	if (locks == NULL) {
		return CTL_FAILED;
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	if (table == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(locks, i, lock) {
		json_array_foreach(json_object_get(lock, "holidays"), k, each) {
			json_object_set(each, "lock", json_object_get(lock, "slug"));
			json_array_append(rows, each);
			table_row(table);
			table_cell(table, TONE_BOLD, "%s", facts_text(lock, "slug"));
			table_cell(table, TONE_PLAIN, "%s", facts_text(each, "id"));
			table_cell(table, TONE_PLAIN, "%s", facts_text(each, "text"));
			table_cell(table, TONE_PLAIN, "%s", facts_text(each, "mode"));
		}
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "holidays", rows));
	}
	if (json_array_size(rows) == 0) {
		say(ctl, "There are no holidays\n");
		return CTL_DONE;
	}
	return table_print(table);
}

const struct command cmd_holiday_list = {
	.name = "holiday list",
	.args = "[LOCK]",
	.blurb = "List the days on which a lock is in another mode",
	.example = "lockhubctl holiday list",
	.options = OPT_JSON,
	.max_args = 1,
	.run = run,
};
