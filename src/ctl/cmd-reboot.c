/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	return operation_simple(ctl, args[0], "Reboot");
}

const struct command cmd_reboot = {
	.name = "reboot",
	.args = "LOCK",
	.blurb = "Restart the electronics of a lock",
	.help = "The bolt stays where it is. Needs the role manage, and the lock's PIN must be\n"
		"known (lockhubctl set-pin).",
	.example = "lockhubctl reboot front-door",
	.options = OPTS_OPERATION,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
