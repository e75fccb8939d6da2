/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	return operation_simple(ctl, args[0], "Lock");
}

const struct command cmd_lock = {
	.name = "lock",
	.args = "LOCK",
	.blurb = "Lock a door",
	.help = "Turns the key to locked and waits for the lock to say that it is. A lock that\n"
		"is not reached within 10 seconds is not locked later: the command expires.",
	.example = "lockhubctl lock front-door",
	.options = OPTS_OPERATION,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
