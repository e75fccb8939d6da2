/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "care.h"
#include "commands.h"

#include <string.h>

#include "util/text.h"

#define BATTERY_LEAST_PERCENT 40
#define DAYS 7
#define RUNS 20
#define NOTHING_NEWER "the app has nothing newer"

static enum care_result versions(struct care *care) {
	const json_t *firmware = json_object_get(care_model(care), "firmware");
	const char *newest = facts_text(firmware, "newest"), *least = facts_text(firmware, "min");
	(void) care_act(care, "ReadConfig", NULL);
	const char *now = facts_text(care->lock, "firmware");
	if (now[0] == '\0') {
		return care_tell(care, CARE_FAILED, "the lock does not tell its version");
	}
	if (newest[0] != '\0') {
		care_say(care, "  Newest as of %s: %s\n", facts_text(firmware, "checked"), newest);
	} else {
		care_say(care, "  Which one is the newest is not known here; the app knows.\n");
	}
	if (least[0] != '\0' && care_compare_versions(now, least) < 0) {
		care_say(care, "  Before %s: %s\n", least, facts_text(firmware, "fault"));
	}
	care_begin_attempt(care, "", "update-firmware", now);
	return care_tell(care, CARE_DONE, "now: %.40s", now);
}

static enum care_result charge(struct care *care) {
	enum care_result result = care_check_battery(care);
	if (result == CARE_DONE &&
		facts_number(care->lock, "battery_percent", 100) < BATTERY_LEAST_PERCENT) {
		return care_tell(care, CARE_FAILED, "less than %d %%: change the batteries first",
			BATTERY_LEAST_PERCENT);
	}
	return result;
}

static void figures(const struct care *care, char out[static CARE_TEXT_MAX]) {
	int link = care_link_percent(care, DAYS);
	int64_t locking = care_median_sample(care, "lock_ms", RUNS);
	int64_t unlocking = care_median_sample(care, "unlock_ms", RUNS);
	size_t n = 0;
	out[0] = '\0';
	if (link >= 0) {
		n += (size_t) snprintf(out, CARE_TEXT_MAX, "links %d %%", link);
	}
	if (locking >= 0) {
		n += (size_t) snprintf(out + n, CARE_TEXT_MAX - n, "%slocking %.1f s",
			n > 0 ? ", " : "", (double) locking / 1000);
	}
	if (unlocking >= 0) {
		snprintf(out + n, CARE_TEXT_MAX - n, "%sunlocking %.1f s", n > 0 ? ", " : "",
			(double) unlocking / 1000);
	}
	if (out[0] == '\0') {
		text_copy(out, CARE_TEXT_MAX, "nothing measured yet");
	}
}

static enum care_result behaviour_before(struct care *care) {
	char text[CARE_TEXT_MAX];
	figures(care, text);
	care_keep(care, "figures", text);
	return care_tell(care, CARE_DONE, "%.90s", text);
}

static enum care_result update(struct care *care) {
	if (!care_print_steps(care, "firmware_update")) {
		care_say(care, "  The hub cannot bring firmware onto this lock. The maker: %s\n",
			facts_text(care_model(care), "support"));
	}
	enum care_result result =
		care_person(care, "Has the app said that the update is done? (n: it has none)");
	return result == CARE_FAILED ? care_tell(care, CARE_SKIPPED, NOTHING_NEWER) : result;
}

static enum care_result verify(struct care *care) {
	const char *before = care_kept(care, "before");
	if (!care_act(care, "ReadConfig", NULL)) {
		return care_tell(care, CARE_FAILED, "the version cannot be read");
	}
	const char *now = facts_text(care->lock, "firmware");
	int order = care_compare_versions(now, before);
	const char *updated = facts_text(json_object_get(care->note, "steps"), "update");
	if (order == 0 && strstr(updated, NOTHING_NEWER) != NULL) {
		return care_tell(care, CARE_DONE, "%.40s, the newest there is", now);
	}
	if (order == 0) {
		return care_tell(care, CARE_FAILED, "still %.40s: nothing was updated", now);
	}
	return care_tell(care, order > 0 ? CARE_DONE : CARE_FAILED, "%.40s, before it was %.40s",
		now, before);
}

static enum care_result bolt(struct care *care) {
	return care_cycle_bolt(care, care->ctl->opt.cycles > 0 ? care->ctl->opt.cycles : 2);
}

static enum care_result behaviour_after(struct care *care) {
	char text[CARE_TEXT_MAX];
	if (!care_look_back(care)) {
		return care_tell(care, CARE_FAILED, "what was measured cannot be read");
	}
	figures(care, text);
	care_say(care, "  Before: %s\n", care_kept(care, "figures"));
	return care_tell(care, CARE_DONE, "%.90s", text);
}

static const struct care_step steps[] = {
	{ "version", "Which version it has", versions },
	{ "battery", "Enough charge?", charge },
	{ "signal", "Enough signal?", care_check_signal },
	{ "behaviour", "How it behaves before", behaviour_before },
	{ "update", "Update it in the app", update },
	{ "back", "Does it answer again?", care_wait_back },
	{ "verify", "The version, read again", verify },
	{ "clock", "Its clock, read and set", care_check_clock },
	{ "calibrated", "Still calibrated?", care_check_calibrated },
	{ "bolt", "Lock and unlock", bolt },
	{ "after", "How it behaves after", behaviour_after },
};

static int run(struct ctl *ctl, char **args, int n_args) {
	struct care care = { 0 };
	int r = care_open(ctl, args[0], "firmware", &care);
	if (r == CTL_DONE && ctl->opt.is_status) {
		r = care_status(&care, steps, ARRAY_SIZE(steps));
	} else if (r == CTL_DONE) {
		char summary[2 * CARE_TEXT_MAX];
		r = care_walk(&care, steps, ARRAY_SIZE(steps));
		const char *now = facts_text(care.lock, "firmware"),
			   *before = care_kept(&care, "before");
		snprintf(summary, sizeof(summary), "%.40s, before %.40s", now, before);
		if (r == CTL_DONE) {
			bool is_newer = care_compare_versions(now, before) > 0;
			care_end_attempt(&care, is_newer ? "helped" : "no-change", now);
			care_say(&care, "\nThe firmware of %s: %s.\n", care.slug, summary);
		}
		r = care_close(&care, r, summary);
	}
	care_finish(&care);
	return r;
}

const struct command cmd_care_firmware = {
	.name = "care firmware",
	.args = "LOCK",
	.blurb = "Update the firmware of a lock with the vendor's app, safely",
	.help = "Says which version it has and which are known to be faulty, sees that charge and\n"
		"signal are good enough, guides through the vendor's app, and reads the version\n"
		"again. What was measured before and after stands side by side. When the app has\n"
		"nothing newer, answer n to the question about the update; that it was looked for\n"
		"is remembered. Needs the roles operate and, for the clock, manage.",
	.example = "lockhubctl care firmware front-door",
	.options = OPT_JSON | OPT_YES | OPT_CARE | OPT_CYCLES,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
