/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "care.h"
#include "commands.h"

static enum care_result by_hand(struct care *care) {
	return care_watch_hand(
		care, "manual", "Turn the knob by hand: lock, and unlock. Done? (n: it has none)");
}

static enum care_result by_key(struct care *care) {
	if (json_is_false(json_object_get(care_model(care), "mechanical_key"))) {
		return care_tell(care, CARE_SKIPPED, "this lock has no key");
	}
	return care_watch_hand(care, "manual",
		"Door open: turn the key from outside, lock and unlock. Done? (n: there is none)");
}

static enum care_result whose(struct care *care) {
	return care_person(care, "Is there a second key, at a place that you can reach?");
}

static const struct care_step steps[] = {
	{ "knob", "By hand from inside", by_hand },
	{ "key", "By key from outside", by_key },
	{ "spare", "The spare key", whose },
};

static int run(struct ctl *ctl, char **args, int n_args) {
	struct care care = { 0 };
	int r = care_open(ctl, args[0], "key", &care);
	if (r == CTL_DONE && ctl->opt.is_status) {
		r = care_status(&care, steps, ARRAY_SIZE(steps));
	} else if (r == CTL_DONE) {
		r = care_walk(&care, steps, ARRAY_SIZE(steps));
		if (r == CTL_DONE) {
			care_say(&care, "\nThe door opens without electronics.\n");
		}
		r = care_close(&care, r, "knob, key and spare key");
	}
	care_finish(&care);
	return r;
}

const struct command cmd_care_key = {
	.name = "care key",
	.args = "LOCK",
	.blurb = "Try that the door opens without electronics",
	.help = "Whoever never turns the key finds out that it does not fit on the day on which "
		"the\n"
		"batteries are empty. Asks to turn knob and key, and looks whether the hub has "
		"seen\n"
		"it. Needs the role operate.",
	.example = "lockhubctl care key front-door",
	.options = OPT_JSON | OPT_YES | OPT_CARE,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
