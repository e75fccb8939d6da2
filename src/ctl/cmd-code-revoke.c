/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	struct waiting waiting = { .what = WAITING_DEPARTURE };
	AUTO(json_decref) json_t *locks = NULL;
	if (people_find_code(ctl, args[0], waiting.path) < 0) {
		return CTL_FAILED;
	}
	snprintf(waiting.code, sizeof(waiting.code), "%s", args[0]);
	if (people_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "RevokeCode", "s", args[0]) !=
		CTL_DONE) {
		return CTL_FAILED;
	}
	int r = waiting_run(ctl, &waiting, &locks);
	if (ctl->opt.is_json && locks != NULL) {
		int printed = print_json(
			ctl, json_pack("{s:s, s:O}", "id", waiting.code, "locks", locks));
		return r != CTL_DONE ? r : printed;
	}
	if (ctl->opt.is_no_wait && r == CTL_DONE) {
		say(ctl, "Revoked; lockhubctl code list shows until when locks still hold it\n");
	}
	return r;
}

const struct command cmd_code_revoke = {
	.name = "code revoke",
	.args = "CODE",
	.blurb = "Take a code away from all locks",
	.help = "It counts as gone only when the lock's own list shows it gone: that is waited\n"
		"for. A lock that is out of reach is alarmed, and comes first at the next "
		"contact;\n"
		"the exit status is 1 until then. Needs the role manage.",
	.example = "lockhubctl code revoke 1f2e3d4c",
	.options = OPTS_OPERATION,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
