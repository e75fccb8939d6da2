/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	int r = people_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "RemoveSchedule", "s", args[0]);
	if (r != CTL_DONE) {
		return r;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:s}", "id", args[0]));
	}
	say(ctl, "Removed\n");
	return CTL_DONE;
}

const struct command cmd_schedule_remove = {
	.name = "schedule remove",
	.args = "SCHEDULE",
	.blurb = "Take a window of time away",
	.help = "Its id is what lockhubctl schedule list shows. Needs the role manage.",
	.example = "lockhubctl schedule remove 1f2e3d4c",
	.options = OPT_JSON,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
