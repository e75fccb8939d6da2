/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	say(ctl, "lockhubctl %s\n", LOCKHUB_VERSION);
	/* With --version it is not asked what runs: that must work without a bus. */
	if (ctl->opt.is_version) {
		return CTL_DONE;
	}
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, MANAGER_PATH, "org.freedesktop.DBus.Properties", "Get", NULL, &reply,
		    "ss", MANAGER_INTERFACE, "Version") < 0) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *version = wire_read(reply);
	const char *text = json_string_value(version);
	say(ctl, "lockhubd   %s\n", text != NULL ? text : "?");
	return CTL_DONE;
}

const struct command cmd_version = {
	.name = "version",
	.args = "",
	.blurb = "Show the versions of lockhubctl and of the lockhubd that runs",
	.run = run,
};
