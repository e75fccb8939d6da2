/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include "util/text.h"

/* What nobody of the hub made has no id, but a number at its lock. */
static int remove_foreign(struct ctl *ctl, const char *lock, const char *word) {
	uint64_t ref;
	if (text_to_u64(word, 0, INT64_MAX, &ref) < 0) {
		return usage_error(
			ctl, "REF is the number in the column CODE of: lockhubctl code list");
	}
	int r = people_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "RemoveForeignCode", "ssx", lock,
		ctl->opt.type != NULL ? ctl->opt.type : "pin", (int64_t) ref);
	if (r != CTL_DONE) {
		return r;
	}
	if (ctl->opt.is_json) {
		return print_json(
			ctl, json_pack("{s:s, s:I}", "lock", lock, "ref", (json_int_t) ref));
	}
	say(ctl, "Revoked; an alarm stands until %s has confirmed that it is gone\n", lock);
	return CTL_DONE;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	struct waiting waiting = { .what = WAITING_DEPARTURE };
	AUTO(json_decref) json_t *locks = NULL;
	if (n_args == 2) {
		return remove_foreign(ctl, args[0], args[1]);
	}
	if (ctl->opt.type != NULL) {
		return usage_error(ctl, "--type goes with LOCK REF");
	}
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
	.args = "CODE | LOCK REF",
	.blurb = "Take a code away from all locks",
	.help = "It counts as gone only when the lock's own list shows it gone: that is waited\n"
		"for. A lock that is out of reach is alarmed, and comes first at the next "
		"contact;\n"
		"the exit status is 1 until then. With LOCK REF: a foreign one, by its number "
		"there,\n"
		"and --type if it is no PIN. Needs the role manage.",
	.example = "lockhubctl code revoke 1f2e3d4c",
	.options = OPTS_OPERATION | OPT_CREDENTIAL,
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
