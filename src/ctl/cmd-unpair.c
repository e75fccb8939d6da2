/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backup.h"
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *lock = NULL, *facts = NULL;
	char path[PATH_TEXT_MAX];
	if (!ctl->opt.is_yes && !ctl->is_asking) {
		return usage_error(ctl,
			"this forgets the keys of the lock; there is no terminal to ask "
			"whether that is meant, so say --yes");
	}
	if (talk_find_lock(ctl, args[0], path) < 0) {
		return CTL_FAILED;
	}
	lock = facts_fetch_lock(ctl, path);
	if (lock == NULL) {
		return CTL_FAILED;
	}
	if (!ctl->opt.is_yes && !prompt_yes(ctl, "Forget %s (%s) and its keys?",
					facts_text(lock, "name"), facts_text(lock, "address"))) {
		complain(ctl, "nothing was done");
		return CTL_FAILED;
	}
	if (!ctl->opt.is_no_backup && backup_before(ctl, "unpair") != CTL_DONE) {
		advise(ctl,
			"Nothing was done. To do it without a backup: lockhubctl unpair "
			"--no-backup %s",
			facts_text(lock, "slug"));
		return CTL_FAILED;
	}
	if (talk_new(ctl, path, LOCK_INTERFACE, "Unpair", &call) < 0 ||
		sd_bus_message_append(call, "b", (int) ctl->opt.is_forced) < 0) {
		return CTL_FAILED;
	}
	int r = operation_run(ctl, call, facts_text(lock, "slug"), &facts);
	if (r == CTL_FAILED && !ctl->opt.is_forced) {
		complain(ctl,
			"if the lock is broken or gone, forget it all the same: lockhubctl unpair "
			"%s --force",
			facts_text(lock, "slug"));
	}
	if (r != CTL_DONE || facts == NULL) {
		return r;
	}
	if (ctl->opt.is_json) {
		return operation_print_json(ctl, STEAL(facts), path);
	}
	say(ctl, "%s: unpaired; its entries in the log stay\n", facts_text(lock, "slug"));
	if (ctl->opt.is_forced) {
		say(ctl, "The lock itself still knows this hub: remove it there with the vendor's "
			 "app\n");
	}
	return CTL_DONE;
}

const struct command cmd_unpair = {
	.name = "unpair",
	.args = "LOCK",
	.blurb = "Remove a lock from the hub",
	.help = "The hub's authorisation is removed from the lock too where the lock can be\n"
		"reached and allows it. With --force that is not even tried: for locks that are\n"
		"broken or gone. Asks whether it is meant; --yes does not. The keys are backed up\n"
		"before, unless --no-backup is given. Needs the role manage.",
	.example = "lockhubctl unpair front-door",
	.options = OPTS_OPERATION | OPT_FORCE | OPT_YES | OPT_NO_BACKUP,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
