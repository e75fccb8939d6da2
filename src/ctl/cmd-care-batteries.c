/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "care.h"
#include "commands.h"

#include <string.h>

#include "util/text.h"

/* What is wrong with them, for the attempt; "" routine. */
static const char *fault_of(const json_t *lock) {
	const char *level = facts_text(lock, "battery_level");
	return strcmp(level, "critical") == 0  ? "battery-critical"
	       : strcmp(level, "warning") == 0 ? "battery-low"
					       : "";
}

static enum care_result measure_before(struct care *care) {
	char text[CARE_TEXT_MAX];
	if (care_can(care, "read-battery")) {
		(void) care_act(care, "ReadBattery", NULL);
	}
	/* Of an empty lock nothing can be read; what it told last is what there is. */
	care_battery_text(care->lock, text);
	care_begin_attempt(care, fault_of(care->lock), "change-batteries", text);
	return care_tell(care, CARE_DONE, "before: %s", text);
}

static enum care_result prepare(struct care *care) {
	const json_t *model = care_model(care), *battery = json_object_get(model, "battery");
	const char *kind = facts_text(battery, "kind"), *tools = facts_text(battery, "tools");
	int64_t count = facts_number(battery, "count", 0);
	if (kind[0] != '\0') {
		care_say(care, "  Needed: %jd x %s", (intmax_t) count, kind);
	} else {
		care_say(care, "  Needed: what the maker's page says (%s)",
			facts_text(model, "support"));
	}
	care_say(care, "; tools: %s\n", tools[0] != '\0' ? tools : "see the maker's page");
	if (json_is_false(json_object_get(model, "mechanical_key"))) {
		care_say(care, "  This lock has no key: keep the door open until all is done.\n");
	}
	return care_person(care, "Is all that at hand, and is the door open?");
}

static enum care_result change(struct care *care) {
	if (!care_print_steps(care, "battery_change")) {
		care_say(care, "  Change all of them at once. The maker shows how: %s\n",
			facts_text(care_model(care), "support"));
	}
	return care_person(care, "Are the new ones in, and is the compartment closed?");
}

static enum care_result compare_level(struct care *care) {
	char after[CARE_TEXT_MAX];
	enum care_result result = care_check_battery(care);
	if (care->text[0] == '\0' || result == CARE_OPEN) {
		return result;
	}
	care_battery_text(care->lock, after);
	if (result == CARE_FAILED) {
		return care_tell(care, CARE_FAILED,
			"%.30s now, %.30s before: are these fresh, and all put in the right way?",
			after, care_kept(care, "before"));
	}
	if (talk_call(care->ctl, care->path, LOCK_INTERFACE, "BatteryChanged", care->slug, NULL,
		    "") < 0) {
		return care_tell(care, CARE_FAILED, "the hub could not note the change");
	}
	return care_tell(
		care, CARE_DONE, "%.30s now, %.30s before", after, care_kept(care, "before"));
}

static enum care_result move_bolt(struct care *care) {
	return care_cycle_bolt(care, care->ctl->opt.cycles > 0 ? care->ctl->opt.cycles : 1);
}

static const struct care_step steps[] = {
	{ "before", "What the lock says of its batteries now", measure_before },
	{ "prepare", "What is needed", prepare },
	{ "change", "Change them", change },
	{ "back", "Does the lock answer again?", care_wait_back },
	{ "level", "The charge, measured", compare_level },
	{ "clock", "The clock, read and set", care_check_clock },
	{ "bolt", "Lock and unlock", move_bolt },
};

static int run(struct ctl *ctl, char **args, int n_args) {
	struct care care = { 0 };
	char after[CARE_TEXT_MAX], summary[3 * CARE_TEXT_MAX];
	int r = care_open(ctl, args[0], "batteries", &care);
	if (r == CTL_DONE && ctl->opt.is_status) {
		r = care_status(&care, steps, ARRAY_SIZE(steps));
	} else if (r == CTL_DONE) {
		r = care_walk(&care, steps, ARRAY_SIZE(steps));
		care_battery_text(care.lock, after);
		snprintf(summary, sizeof(summary), "%s before, %s after",
			care_kept(&care, "before"), after);
		if (r == CTL_DONE) {
			care_end_attempt(&care, "helped", after);
			care_say(&care, "\nThe batteries of %s are changed: %s.\n", care.slug,
				summary);
		}
		r = care_close(&care, r, summary);
	}
	care_finish(&care);
	return r;
}

const struct command cmd_care_batteries = {
	.name = "care batteries",
	.args = "LOCK",
	.blurb = "Change the batteries of a lock, step by step, and test it",
	.help = "Says what is needed for this model and where it goes, waits, and then measures:\n"
		"does the lock answer, what is its charge, its clock (which is set again), and,\n"
		"when you allow it, the bolt. The forecast begins anew. What is broken off goes "
		"on\n"
		"where it was. Answers are read from standard input. Needs the roles operate and,\n"
		"for the clock, manage.",
	.example = "lockhubctl care batteries front-door",
	.options = OPT_JSON | OPT_YES | OPT_CARE | OPT_CYCLES,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
