/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	return operation_simple(ctl, args[0], ctl->opt.is_unlatch ? "LockNGoUnlatch" : "LockNGo");
}

const struct command cmd_lock_n_go = {
	.name = "lock-n-go",
	.args = "LOCK",
	.blurb = "Unlock a door, and lock it again by itself a little later",
	.help = "How much later is a setting of the lock. With --unlatch the latch is pulled\n"
		"too, so that the door opens.",
	.example = "lockhubctl lock-n-go front-door",
	.options = OPTS_OPERATION | OPT_UNLATCH,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
