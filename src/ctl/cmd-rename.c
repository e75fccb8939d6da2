/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	char path[PATH_TEXT_MAX];
	const char *new_path;
	if (talk_find_lock(ctl, args[0], path) < 0 ||
		talk_call(ctl, path, LOCK_INTERFACE, "Rename", args[0], &reply, "s", args[1]) < 0) {
		return CTL_FAILED;
	}
	if (sd_bus_message_read(reply, "o", &new_path) < 0) {
		complain(ctl, "the answer of lockhubd cannot be read");
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *lock = facts_fetch_lock(ctl, new_path);
	if (lock == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(
			ctl, json_pack("{s:O, s:O, s:O}", "id", json_object_get(lock, "id"), "slug",
				     json_object_get(lock, "slug"), "name",
				     json_object_get(lock, "name")));
	}
	say(ctl, "Renamed; commands know it as %s\n", facts_text(lock, "slug"));
	return CTL_DONE;
}

const struct command cmd_rename = {
	.name = "rename",
	.args = "LOCK NAME",
	.blurb = "Give a lock another name",
	.help = "Names of several words go in quotation marks. The lock's id, under which Home\n"
		"Assistant knows it, stays the same. Needs the role manage.",
	.example = "lockhubctl rename front-door \"Garden gate\"",
	.options = OPT_JSON,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
