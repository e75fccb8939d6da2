/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	return operation_simple(ctl, args[0], "Refresh");
}

const struct command cmd_refresh = {
	.name = "refresh",
	.args = "LOCK",
	.blurb = "Read the state from a lock now",
	.help = "Connects to the lock and asks. Locks that announce their changes need it\n"
		"rarely; every connection costs battery.",
	.example = "lockhubctl refresh front-door",
	.options = OPTS_OPERATION,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
