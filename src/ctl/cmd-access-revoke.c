/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	struct waiting waiting = { .what = WAITING_DEPARTURE };
	AUTO(json_decref) json_t *locks = NULL, *lock = NULL;
	char path[PATH_TEXT_MAX];
	if (people_find(ctl, args[0], waiting.path) < 0) {
		return CTL_FAILED;
	}
	if (n_args > 1) {
		if (talk_find_lock(ctl, args[1], path) < 0) {
			return CTL_FAILED;
		}
		lock = facts_fetch_lock(ctl, path);
		if (lock == NULL) {
			return CTL_FAILED;
		}
		snprintf(waiting.lock, sizeof(waiting.lock), "%s", facts_text(lock, "slug"));
	}
	if (people_call(ctl, waiting.path, USER_INTERFACE, "Revoke", "s",
		    lock != NULL ? facts_text(lock, "id") : "") != CTL_DONE) {
		return CTL_FAILED;
	}
	int r = waiting_run(ctl, &waiting, &locks);
	if (ctl->opt.is_json && locks != NULL) {
		int printed =
			print_json(ctl, json_pack("{s:s, s:O}", "user", args[0], "locks", locks));
		return r != CTL_DONE ? r : printed;
	}
	if (ctl->opt.is_no_wait && r == CTL_DONE) {
		say(ctl, "Revoked; lockhubctl code list shows until when locks still hold codes\n");
	}
	return r;
}

const struct command cmd_access_revoke = {
	.name = "access revoke",
	.args = "USER [LOCK]",
	.blurb = "Let a person use a lock no more",
	.help = "Without LOCK: no lock at all. Codes are kept at the hub, for when access is\n"
		"granted again, and taken from the locks: that is waited for. The exit status is "
		"1\n"
		"while a lock has not confirmed it. Needs the role manage.",
	.example = "lockhubctl access revoke anna front-door",
	.options = OPTS_OPERATION,
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
