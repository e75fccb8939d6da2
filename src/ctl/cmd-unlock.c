/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	return operation_proven(ctl, args[0], "Unlock");
}

const struct command cmd_unlock = {
	.name = "unlock",
	.args = "LOCK",
	.blurb = "Unlock a door",
	.help = "Sent at most once: it is never repeated by itself, and dropped if the lock is\n"
		"not reached within 10 seconds. When it is not known whether the lock has done\n"
		"it, the state is read from the lock and the exit status is 1. Where the lock's\n"
		"rules want a proof of who is asking, the personal code or one-time password is\n"
		"asked for; with --code at once, and with --stdin it is read from there.",
	.example = "lockhubctl unlock front-door",
	.options = OPTS_OPERATION | OPT_FACTOR,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
