/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	int r = people_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "RemoveHoliday", "s", args[0]);
	if (r != CTL_DONE) {
		return r;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:s}", "id", args[0]));
	}
	say(ctl, "Removed\n");
	return CTL_DONE;
}

const struct command cmd_holiday_remove = {
	.name = "holiday remove",
	.args = "HOLIDAY",
	.blurb = "Take a holiday away",
	.help = "Its id is what lockhubctl holiday list shows. Needs the role manage.",
	.example = "lockhubctl holiday remove 1f2e3d4c",
	.options = OPT_JSON,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
