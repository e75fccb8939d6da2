/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	int r = people_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "AddHoliday", "sss", args[0],
		args[1], ctl->opt.mode != NULL ? ctl->opt.mode : "vacation");
	if (r != CTL_DONE) {
		return r;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:s}", "lock", args[0]));
	}
	say(ctl, "Added\n");
	return CTL_DONE;
}

const struct command cmd_holiday_add = {
	.name = "holiday add",
	.args = "LOCK WHEN",
	.blurb = "Let a lock be in another mode for some days",
	.help = "In mode vacation (the default) only the programming user may enter; see also\n"
		"lockhubctl rules. Where two overlap the one that was added first counts. Needs\n"
		"the role manage.",
	.example = "lockhubctl holiday add front-door \"2027-08-01 - 2027-08-14\"",
	.options = OPT_JSON | OPT_MODE,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
