/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

static bool is_id(const char *text) {
	return strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	char path[PATH_TEXT_MAX];
	if (!is_id(args[0])) {
		return usage_error(
			ctl, "'%s' is not the id of an operation: those have 16 digits", args[0]);
	}
	snprintf(path, sizeof(path), "%s/%s", OPERATION_PREFIX, args[0]);
	if (talk_call(ctl, path, OPERATION_INTERFACE, "Cancel", NULL, NULL, "") < 0) {
		return CTL_FAILED;
	}
	say(ctl, "Cancelled\n");
	return CTL_DONE;
}

const struct command cmd_cancel = {
	.name = "cancel",
	.args = "OPERATION",
	.blurb = "Take back an operation of which nothing has been sent yet",
	.help = "What the lock has got cannot be taken back; but it stops waiting for a card or "
		"finger.",
	.example = "lockhubctl cancel 00c5a1f0e2b34d67",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
