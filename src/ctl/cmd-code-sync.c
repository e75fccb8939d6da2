/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	if (people_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "SyncCodes", "s",
		    n_args > 0 ? args[0] : "") != CTL_DONE) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:b}", "asked", 1));
	}
	say(ctl, "Asked; see how it goes with: lockhubctl code list\n");
	return CTL_DONE;
}

const struct command cmd_code_sync = {
	.name = "code sync",
	.args = "[LOCK]",
	.blurb = "Read what the locks hold now, and make it agree",
	.help = "Without LOCK: all locks. What a lock has refused is tried again. The hub does\n"
		"this by itself after each change and each contact. Needs the role manage.",
	.example = "lockhubctl code sync front-door",
	.options = OPT_JSON,
	.max_args = 1,
	.run = run,
};
