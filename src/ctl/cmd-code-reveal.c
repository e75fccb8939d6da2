/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	const char *pin;
	if (talk_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "RevealCode", NULL, &reply, "s",
		    args[0]) < 0) {
		return CTL_FAILED;
	}
	sd_bus_message_sensitive(reply);
	if (sd_bus_message_read(reply, "s", &pin) < 0) {
		facts_unreadable(ctl);
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:s, s:s}", "id", args[0], "pin", pin));
	}
	say(ctl, "%s\n", pin);
	return CTL_DONE;
}

const struct command cmd_code_reveal = {
	.name = "code reveal",
	.args = "CODE",
	.blurb = "Show a code",
	.help = "That it was shown, and to whom, is recorded in the log first. Needs the role\n"
		"manage.",
	.example = "lockhubctl code reveal 1f2e3d4c",
	.options = OPT_JSON,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
