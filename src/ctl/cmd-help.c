/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

#include "util/text.h"

static void print_overview(struct ctl *ctl) {
	say(ctl, "Usage: lockhubctl [OPTION...] COMMAND [ARGUMENT...]\n\n"
		 "Looks after the smart locks of this hub.\n\nCommands:\n");
	for (size_t i = 0; ctl_commands[i] != NULL; i++) {
		char left[48];
		snprintf(left, sizeof(left), "%s %s", ctl_commands[i]->name, ctl_commands[i]->args);
		say(ctl, "  %-28s %s\n", left, ctl_commands[i]->blurb);
	}
	say(ctl, "\nOptions:\n");
	options_print(ctl, 0);
	say(ctl, "\nReading commands take --json. Exit status: 0 done, 1 failed, 2 wrong use.\n"
		 "More about one: lockhubctl help COMMAND; about all: man lockhubctl\n");
}

static int run(struct ctl *ctl, char **args, int n_args) {
	char name[64];
	if (n_args == 0) {
		print_overview(ctl);
		return CTL_DONE;
	}
	snprintf(name, sizeof(name), "%s%s%s", args[0], n_args > 1 ? " " : "",
		n_args > 1 ? args[1] : "");
	const struct command *command = command_find(name);
	if (command != NULL) {
		print_command_help(ctl, command);
		return CTL_DONE;
	}
	if (n_args == 1 && command_has_family(name)) {
		print_family(ctl, ctl->out, name);
		return CTL_DONE;
	}
	const char *names[128];
	size_t n = 0;
	for (; ctl_commands[n] != NULL && n < ARRAY_SIZE(names); n++) {
		names[n] = ctl_commands[n]->name;
	}
	const char *nearest = text_nearest(name, names, n);
	return usage_error(ctl, "there is no command '%s'%s%s%s", name,
		nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
		nearest != NULL ? "'?" : "");
}

const struct command cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.blurb = "Explain a command, or list them all",
	.example = "lockhubctl help log",
	.max_args = 2,
	.run = run,
};
