/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

static void add_row(struct table *table, const json_t *user) {
	char locks[LINE_TEXT_MAX];
	bool is_enabled = strcmp(facts_text(user, "status"), "enabled") == 0;
	bool has_code = facts_flag(user, "has_code"), has_totp = facts_flag(user, "has_totp");
	table_row(table);
	table_cell(table, TONE_PLAIN, "%jd", (intmax_t) facts_number(user, "number", 0));
	table_cell(table, TONE_BOLD, "%s", facts_text(user, "slug"));
	table_cell(table, TONE_PLAIN, "%s", facts_text(user, "name"));
	table_cell(table, TONE_PLAIN, "%s", facts_text(user, "type"));
	table_cell(table, is_enabled ? TONE_PLAIN : TONE_WARN, "%s", facts_text(user, "status"));
	table_cell(table, TONE_PLAIN, "%s%s%s", has_code ? "code" : "",
		has_code && has_totp ? ", " : "", has_totp ? "totp" : "");
	table_cell(table, TONE_PLAIN, "%s",
		people_join(json_object_get(user, "locks"), locks, sizeof(locks)));
}

static int run(struct ctl *ctl, char **args, int n_args) {
	static const struct column columns[] = { { "NO", true, false }, { "USER", false, false },
		{ "NAME", false, true }, { "TYPE", false, false }, { "STATUS", false, false },
		{ "FACTOR", false, false }, { "LOCKS", false, true } };
	AUTO(json_decref) json_t *all = facts_fetch_all(ctl);
	size_t i;
	json_t *user;
	if (all == NULL) {
		return CTL_FAILED;
	}
	const json_t *users = json_object_get(all, "users");
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "users", users));
	}
	if (ctl->opt.is_names) {
		json_array_foreach((json_t *) users, i, user) {
			say(ctl, "%s\n", facts_text(user, "slug"));
		}
		return CTL_DONE;
	}
	if (json_array_size(users) == 0) {
		say(ctl, "There are no users yet. To add one: lockhubctl user add NAME\n");
		return CTL_DONE;
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	if (table == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach((json_t *) users, i, user) {
		add_row(table, user);
	}
	return table_print(table);
}

const struct command cmd_user_list = {
	.name = "user list",
	.args = "",
	.blurb = "List the people",
	.help = "FACTOR is what the person has to prove a remote unlock with. LOCKS are those\n"
		"that he or she has access to.",
	.example = "lockhubctl user list --json",
	.options = OPT_JSON | OPT_NAMES,
	.run = run,
};
