/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	return operation_simple(ctl, args[0], "SyncClock");
}

const struct command cmd_sync_clock = {
	.name = "sync-clock",
	.args = "LOCK",
	.blurb = "Set the clock of a lock",
	.help = "From the hub's own clock, and only while that is known to be right. Needs the\n"
		"role manage, and the lock's PIN must be known (lockhubctl set-pin).",
	.example = "lockhubctl sync-clock front-door",
	.options = OPTS_OPERATION,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
