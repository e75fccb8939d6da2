/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	return operation_simple(ctl, args[0], "Calibrate");
}

const struct command cmd_calibrate = {
	.name = "calibrate",
	.args = "LOCK",
	.blurb = "Let a lock find its end positions anew",
	.help = "The motor turns to both ends; the door should be open. Needs the role manage,\n"
		"and the lock's PIN must be known (lockhubctl set-pin).",
	.example = "lockhubctl calibrate front-door",
	.options = OPTS_OPERATION,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
