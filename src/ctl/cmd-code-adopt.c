/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include "util/text.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	const char *id;
	uint64_t ref;
	if (text_to_u64(args[1], 0, INT64_MAX, &ref) < 0) {
		return usage_error(
			ctl, "REF is the number in the column CODE of: lockhubctl code list");
	}
	if (talk_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "AdoptCode", NULL, &reply, "ssxs",
		    args[0], ctl->opt.type != NULL ? ctl->opt.type : "pin", (int64_t) ref,
		    args[2]) < 0) {
		return CTL_FAILED;
	}
	if (sd_bus_message_read(reply, "s", &id) < 0) {
		facts_unreadable(ctl);
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:s}", "id", id));
	}
	say(ctl, "Adopted as %s\n", id);
	return CTL_DONE;
}

const struct command cmd_code_adopt = {
	.name = "code adopt",
	.args = "LOCK REF USER",
	.blurb = "Say whose a foreign code is",
	.help = "A code or key that was found at a lock and not made here becomes this person's:\n"
		"the log names him or her from then on, and it is taken away with the access.\n"
		"With --type app_key for an app's or fob's authorisation. Needs the role manage.",
	.example = "lockhubctl code adopt front-door 3 anna",
	.options = OPT_JSON | OPT_CREDENTIAL,
	.min_args = 3,
	.max_args = 3,
	.run = run,
};
