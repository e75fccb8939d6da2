/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	return operation_proven(ctl, args[0], "Unlatch");
}

const struct command cmd_unlatch = {
	.name = "unlatch",
	.args = "LOCK",
	.blurb = "Unlock a door and pull its latch",
	.help = "The door may swing open. Sent at most once, and proven with --code, like unlock.",
	.example = "lockhubctl unlatch front-door",
	.options = OPTS_OPERATION | OPT_FACTOR,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
