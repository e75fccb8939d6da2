/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	struct waiting waiting = { .what = WAITING_DEPARTURE };
	AUTO(json_decref) json_t *locks = NULL;
	if (people_find(ctl, args[0], waiting.path) < 0) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *user = people_fetch_user(ctl, waiting.path);
	if (user == NULL) {
		return CTL_FAILED;
	}
	if (!ctl->opt.is_yes && !ctl->is_asking) {
		return usage_error(ctl, "say that it is meant: --yes");
	}
	if (!ctl->opt.is_yes &&
		!prompt_yes(ctl, "Remove %s with %zu codes and keys?", facts_text(user, "name"),
			json_array_size(json_object_get(user, "credentials")))) {
		complain(ctl, "nothing was changed");
		return CTL_FAILED;
	}
	if (people_call(ctl, waiting.path, USER_INTERFACE, "Remove", "") != CTL_DONE) {
		return CTL_FAILED;
	}
	int r = waiting_run(ctl, &waiting, &locks);
	if (ctl->opt.is_json && locks != NULL) {
		int printed =
			print_json(ctl, json_pack("{s:O, s:O}", "slug",
						json_object_get(user, "slug"), "locks", locks));
		return r != CTL_DONE ? r : printed;
	}
	if (ctl->opt.is_no_wait && r == CTL_DONE) {
		say(ctl, "Revoked; lockhubctl code list shows until when locks still hold codes\n");
	}
	return r;
}

const struct command cmd_user_remove = {
	.name = "user remove",
	.args = "USER",
	.blurb = "Remove a person, and the codes from all locks",
	.help = "All codes are revoked first. The person is listed, disabled, until every lock\n"
		"has confirmed by reading back that they are gone; an alarm stands until then.\n"
		"Exit status 1 while a lock has not. Entries in the log stay. Needs the role\n"
		"manage.",
	.example = "lockhubctl user remove anna",
	.options = OPT_JSON | OPT_NO_WAIT | OPT_YES,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
