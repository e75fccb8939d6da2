/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	progress(ctl, "Reading the whole log ...");
	int r = talk_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "VerifyLog", NULL, &reply, "");
	progress_end(ctl);
	if (r < 0) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *result = wire_read(reply);
	if (!json_is_object(result)) {
		complain(ctl, "the answer of lockhubd cannot be read");
		return CTL_FAILED;
	}
	bool is_ok = facts_flag(result, "ok");
	if (ctl->opt.is_json) {
		r = print_json(ctl, json_incref(result));
		return is_ok ? r : CTL_FAILED;
	}
	if (!is_ok) {
		complain(ctl, "the log has been tampered with or damaged at entry %jd: %s",
			(intmax_t) facts_number(result, "bad_seq", 0),
			facts_text(result, "reason"));
		advise(ctl, "Entries before it can be trusted. Keep a copy of the database before "
			    "anything else");
		return CTL_FAILED;
	}
	say(ctl,
		"%sThe chain holds%s: %jd entries, %jd to %jd; none is missing, changed or moved\n",
		tone_start(ctl, TONE_GOOD), tone_end(ctl, TONE_GOOD),
		(intmax_t) facts_number(result, "rows", 0),
		(intmax_t) facts_number(result, "first_seq", 0),
		(intmax_t) facts_number(result, "last_seq", 0));
	return CTL_DONE;
}

const struct command cmd_log_verify = {
	.name = "log verify",
	.args = "",
	.blurb = "Check that no entry of the log was removed, changed or moved",
	.help = "Each entry carries a hash over itself and the one before it. Exit status 1 when\n"
		"the chain is broken.",
	.example = "lockhubctl log verify",
	.options = OPT_JSON,
	.run = run,
};
