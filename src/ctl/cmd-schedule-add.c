/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	int r = people_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "AddSchedule", "sss", args[0],
		ctl->opt.lock != NULL ? ctl->opt.lock : "", args[1]);
	if (r != CTL_DONE) {
		return r;
	}
	AUTO(json_decref) json_t *users = people_fetch_users(ctl, args[0]);
	const json_t *user = json_array_get(users, 0);
	char when[LINE_TEXT_MAX];
	if (user == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(
			ctl, json_pack("{s:O}", "schedules", json_object_get(user, "schedules")));
	}
	say(ctl, "%s may enter: %s\n", facts_text(user, "name"),
		people_when(user, ctl->opt.lock, when, sizeof(when)));
	return CTL_DONE;
}

const struct command cmd_schedule_add = {
	.name = "schedule add",
	.args = "USER WHEN",
	.blurb = "Let a person enter only then",
	.help = "By the clock at the door, both ends inclusive: \"Mon-Fri 08:00-12:00\",\n"
		"\"daily 22:00-06:00\", \"2027-03-01 12:00 - 2027-03-08 10:00\", several joined "
		"by\n"
		"a semicolon. Windows of the week are alternatives, and so are those by date; "
		"with\n"
		"both kinds the person must be inside one of each. Needs the role manage.",
	.example = "lockhubctl schedule add anna \"Mon-Fri 08:00-12:00\" --lock front-door",
	.options = OPT_JSON | OPT_AT_LOCK,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
