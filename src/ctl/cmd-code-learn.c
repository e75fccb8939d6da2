/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

/* To the link, and for as many touches as a finger needs. */
#define LINK_S 60
#define TOUCHES 8
#define SECONDS 30

static int append_options(struct ctl *ctl, sd_bus_message *call) {
	int r = sd_bus_message_open_container(call, 'a', "{sv}");
	if (r >= 0 && ctl->opt.label != NULL) {
		r = sd_bus_message_append(call, "{sv}", "label", "s", ctl->opt.label);
	}
	if (r >= 0 && ctl->opt.seconds != 0) {
		r = sd_bus_message_append(
			call, "{sv}", "seconds", "u", (uint32_t) ctl->opt.seconds);
	}
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	const char *type = ctl->opt.type != NULL ? ctl->opt.type : "rfid";
	char path[PATH_TEXT_MAX];
	uint64_t needed = LINK_S + TOUCHES * (ctl->opt.seconds != 0 ? ctl->opt.seconds : SECONDS);
	if (ctl->opt.timeout == TIMEOUT_DEFAULT_S) {
		ctl->opt.timeout = needed;
	}
	if (talk_find_lock(ctl, args[0], path) < 0 ||
		talk_new(ctl, path, LOCK_INTERFACE, "LearnCredential", &call) < 0) {
		return CTL_FAILED;
	}
	if (sd_bus_message_append(call, "ss", args[1], type) < 0 || append_options(ctl, call) < 0) {
		complain(ctl, "the question cannot be made; is all of it UTF-8 text?");
		return CTL_FAILED;
	}
	int r = operation_run(ctl, call, args[0], &facts);
	if (r != CTL_DONE || facts == NULL) {
		return r;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:s}", "id", facts_text(facts, "credential")));
	}
	say(ctl, "Learnt as %s\n", facts_text(facts, "credential"));
	return CTL_DONE;
}

const struct command cmd_code_learn = {
	.name = "code learn",
	.args = "LOCK USER",
	.blurb = "Have a lock learn a person's card or finger",
	.help = "The person stands at the lock. When lockhubctl says so the card is held to it, "
		"or\n"
		"with --type fingerprint a finger laid on it as often as it asks, each time "
		"within\n"
		"--seconds (30; 10 to 120). Gives access to the lock, within the person's "
		"schedules\n"
		"and as long as the person is enabled. It is taken away with code revoke or with\n"
		"the access, and can then only be learnt again. Needs the role manage.",
	.example = "lockhubctl code learn workshop anna --type fingerprint",
	.options = OPTS_OPERATION | OPT_LEARN | OPT_SECONDS,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
