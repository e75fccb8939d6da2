/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	static const struct column columns[] = { { "USER", false, false },
		{ "SCHEDULE", false, false }, { "LOCK", false, false }, { "WHEN", false, true } };
	AUTO(json_decref) json_t *users = people_fetch_users(ctl, n_args > 0 ? args[0] : NULL);
	AUTO(json_decref) json_t *rows = json_array();
	size_t i, k;
	json_t *user, *each;
	if (users == NULL) {
		return CTL_FAILED;
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	if (table == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(users, i, user) {
		json_array_foreach(json_object_get(user, "schedules"), k, each) {
			json_object_set(each, "user", json_object_get(user, "slug"));
			json_array_append(rows, each);
			table_row(table);
			table_cell(table, TONE_BOLD, "%s", facts_text(user, "slug"));
			table_cell(table, TONE_PLAIN, "%s", facts_text(each, "id"));
			table_cell(table, TONE_PLAIN, "%s",
				facts_text(each, "lock")[0] != '\0' ? facts_text(each, "lock")
								    : "all");
			table_cell(table, TONE_PLAIN, "%s", facts_text(each, "text"));
		}
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "schedules", rows));
	}
	if (json_array_size(rows) == 0) {
		say(ctl, "There are no schedules: who has access has it at any time\n");
		return CTL_DONE;
	}
	return table_print(table);
}

const struct command cmd_schedule_list = {
	.name = "schedule list",
	.args = "[USER]",
	.blurb = "List when people may enter",
	.help = "By the clock at the door.",
	.example = "lockhubctl schedule list anna",
	.options = OPT_JSON,
	.max_args = 1,
	.run = run,
};
