/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *lock = NULL, *facts = NULL;
	AUTO_VALUE(secret_wipe) struct secret pin = { 0 };
	char path[PATH_TEXT_MAX];
	if (talk_find_lock(ctl, args[0], path) < 0) {
		return CTL_FAILED;
	}
	lock = facts_fetch_lock(ctl, path);
	if (lock == NULL) {
		return CTL_FAILED;
	}
	int r = prompt_pin(ctl, facts_text(lock, "pin_form"), &pin);
	if (r != CTL_DONE) {
		return r;
	}
	if (talk_new(ctl, path, LOCK_INTERFACE, "SetPin", &call) < 0) {
		return CTL_FAILED;
	}
	sd_bus_message_sensitive(call);
	if (sd_bus_message_append(call, "s", (const char *) pin.bytes) < 0) {
		complain(ctl, "the PIN is not text");
		return CTL_FAILED;
	}
	r = operation_run(ctl, call, facts_text(lock, "slug"), &facts);
	if (r != CTL_DONE || facts == NULL) {
		return r;
	}
	if (ctl->opt.is_json) {
		return operation_print_json(ctl, STEAL(facts), path);
	}
	say(ctl, "%s: the lock has accepted the PIN; it is kept encrypted\n",
		facts_text(lock, "slug"));
	return CTL_DONE;
}

const struct command cmd_set_pin = {
	.name = "set-pin",
	.args = "LOCK",
	.blurb = "Give the hub the PIN of a lock",
	.help = "Many locks want their PIN for reading the log, setting the clock, calibrating\n"
		"and restarting. It is asked for without being shown, or read from standard\n"
		"input with --pin-stdin, tried at the lock, and kept encrypted. It can never be\n"
		"an argument, because arguments can be seen by every user. Needs the role\n"
		"manage.",
	.example = "lockhubctl set-pin front-door",
	.options = OPTS_OPERATION | OPT_PIN_STDIN,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
