/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	struct waiting waiting = { .what = WAITING_ARRIVAL };
	AUTO(json_decref) json_t *at = NULL;
	char path[PATH_TEXT_MAX];
	if (people_find(ctl, args[0], waiting.path) < 0 || talk_find_lock(ctl, args[1], path) < 0) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *lock = facts_fetch_lock(ctl, path);
	if (lock == NULL) {
		return CTL_FAILED;
	}
	snprintf(waiting.lock, sizeof(waiting.lock), "%s", facts_text(lock, "slug"));
	if (people_call(ctl, waiting.path, USER_INTERFACE, "Grant", "ss", facts_text(lock, "id"),
		    ctl->opt.valid != NULL ? ctl->opt.valid : "") != CTL_DONE) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *user = people_fetch_user(ctl, waiting.path);
	if (user == NULL) {
		return CTL_FAILED;
	}
	if (!ctl->opt.is_json) {
		char when[LINE_TEXT_MAX];
		people_when(user, waiting.lock, when, sizeof(when));
		say(ctl, "%s may enter %s: %s\n", facts_text(user, "name"), waiting.lock,
			when[0] != '\0' ? when : "at any time");
		return json_array_size(json_object_get(user, "credentials")) > 0
			       ? waiting_run(ctl, &waiting, NULL)
			       : CTL_DONE;
	}
	int r = waiting_run(ctl, &waiting, &at);
	if (at == NULL) {
		return r;
	}
	int printed =
		print_json(ctl, json_pack("{s:O, s:s, s:O}", "user", json_object_get(user, "slug"),
					"lock", waiting.lock, "locks", at));
	return r != CTL_DONE ? r : printed;
}

const struct command cmd_access_grant = {
	.name = "access grant",
	.args = "USER LOCK",
	.blurb = "Let a person use a lock",
	.help = "With all codes that are not bound to another lock. With --valid only in those\n"
		"windows of time at this lock, which replace former ones; --valid - takes them\n"
		"away. Needs the role manage.",
	.example = "lockhubctl access grant anna front-door --valid \"Mon-Fri 08:00-12:00\"",
	.options = OPTS_OPERATION | OPT_VALID,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
