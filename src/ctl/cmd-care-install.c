/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "care.h"
#include "commands.h"

#include <assert.h>
#include <string.h>

#include "util/text.h"

#define CYCLES_DEFAULT 10

/* What people see to */

static enum care_result compatibility(struct care *care) {
	care_say(care, "  Model: %s, firmware %s\n", facts_text(care->lock, "model"),
		facts_text(care->lock, "firmware"));
	if (!care_print_steps(care, "install")) {
		care_say(care, "  What the maker says about doors: %s\n",
			facts_text(care_model(care), "support"));
	}
	return care_person(care, "Do door, cylinder and key fit this lock?");
}

static enum care_result tools(struct care *care) {
	const char *text = facts_text(care_model(care), "install_tools");
	care_say(care, "  Tools: %s\n",
		text[0] != '\0' ? text : "what comes with the lock; see the maker's leaflet");
	return care_person(care, "Is the tool at hand?");
}

static enum care_result plate(struct care *care) {
	return care_person(
		care, "Is the plate firm, and does the key turn lightly while the door is shut?");
}

static enum care_result power(struct care *care) {
	const json_t *battery = json_object_get(care_model(care), "battery");
	const char *kind = facts_text(battery, "kind");
	if (kind[0] != '\0') {
		care_say(care, "  %jd x %s\n", (intmax_t) facts_number(battery, "count", 0), kind);
	}
	return care_person(care, "Are fresh batteries in, all of one make and age?");
}

static enum care_result attachment(struct care *care) {
	return care_person(care, "Does the lock sit on its plate without any play?");
}

/* Set-up, looked up */

static enum care_result paired(struct care *care) {
	char moment[MOMENT_TEXT_MAX];
	const char *pin = facts_text(care->lock, "pin_form")[0] == '\0' ? "" /* such have none */
			  : facts_flag(care->lock, "has_pin")           ? ", PIN known"
									: "; the PIN is not known";

	return care_tell(care, CARE_DONE, "paired on %s%s",
		moment_text(facts_text(care->lock, "paired_at"), moment), pin);
}

static enum care_result name(struct care *care) {
	care_say(care, "  It is called \"%s\".\n", facts_text(care->lock, "name"));
	if (care_ask(care, "Is that a good name? (n: lockhubctl rename %s NAME)", care->slug) ==
		ANSWER_NOBODY) {
		return care_tell(care, CARE_OPEN, "nobody answered");
	}
	return care_tell(care, CARE_DONE, "%.80s", facts_text(care->lock, "name"));
}

static enum care_result zone(struct care *care) {
	const json_t *rules = json_object_get(care->lock, "rules");
	const char *text = facts_text(rules, "zone_in_force");
	return text[0] != '\0' ? care_tell(care, CARE_DONE, "codes and times follow %s", text)
			       : care_tell(care, CARE_FAILED,
					 "not known: lockhubctl rules %.30s zone=Europe/Vienna",
					 care->slug);
}

static enum care_result codes(struct care *care) {
	char text[LINE_TEXT_MAX];
	const json_t *sync = json_object_get(care->lock, "sync");
	people_sync_text(sync, text, sizeof(text));
	return care_tell(care, CARE_DONE, "%.80s", text[0] != '\0' ? text : "none");
}

static enum care_result auto_lock(struct care *care) {
	return care_person(
		care, "Does it lock by itself as you want it? (lockhubctl settings LOCK)");
}

/* Acceptance, measured */

static enum care_result cycles(struct care *care) {
	uint64_t n = care->ctl->opt.cycles > 0 ? care->ctl->opt.cycles : CYCLES_DEFAULT;
	return care_cycle_bolt(care, n);
}

/* Without a sensor only the person sees it. */
static enum care_result door(struct care *care) {
	static const struct {
		const char *state, *question;
	} rows[] = {
		{ "open", "Unlock and open the door. Is it open?" },
		{ "closed", "Shut the door. Is it shut?" },
	};
	const char *known = facts_text(care->lock, "door");
	if (known[0] == '\0' || strcmp(known, "unknown") == 0) {
		return care_tell(care, CARE_SKIPPED, "no door sensor");
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum care_result result = care_person(care, rows[i].question);
		if (result != CARE_DONE) {
			return result;
		}
		if (!care_act(care, "Refresh", NULL)) {
			return care_tell(care, CARE_FAILED, "the lock does not answer");
		}
		if (strcmp(facts_text(care->lock, "door"), rows[i].state) != 0) {
			return care_tell(care, CARE_FAILED, "the sensor says %s, not %s",
				facts_text(care->lock, "door"), rows[i].state);
		}
	}
	return care_tell(care, CARE_DONE, "open and closed, as the sensor says");
}

static enum care_result handle(struct care *care) {
	enum care_answer answer = care_ask(care, "Must the handle be lifted before this door can "
						 "be locked? Then lift it now, door shut.");
	if (answer == ANSWER_NOBODY) {
		return care_tell(care, CARE_OPEN, "nobody answered");
	}
	if (answer == ANSWER_NO) {
		return care_tell(care, CARE_SKIPPED, "the handle needs not be lifted");
	}
	return care_cycle_bolt(care, 1);
}

static enum care_result knob(struct care *care) {
	return care_watch_hand(
		care, "manual", "Turn the knob by hand: lock, and unlock. Done? (n: it has none)");
}

static enum care_result key(struct care *care) {
	if (json_is_false(json_object_get(care_model(care), "mechanical_key"))) {
		return care_tell(care, CARE_SKIPPED, "this lock has no key");
	}
	return care_watch_hand(care, "manual",
		"Door open: turn the key from outside, lock and unlock. Done? (n: there is none)");
}

static enum care_result remote(struct care *care) {
	return care_watch_hand(care, "remote",
		"Lock or unlock it from Home Assistant, or with lockhubctl. Done? (n: not used)");
}

static enum care_result keypad(struct care *care) {
	const char *battery = facts_text(care->lock, "keypad_battery");
	if (strcmp(battery, "unknown") == 0 || battery[0] == '\0') {
		care_say(care, "  The lock tells of no keypad.\n");
	}
	return care_watch_hand(care, "keypad",
		"Lock it, then enter a code at the keypad. Done? (n: there is none)");
}

static const struct care_step steps[] = {
	{ "compatibility", "Does it fit? Model, door, power", compatibility },
	{ "tools", "Tools", tools },
	{ "plate", "Door and plate", plate },
	{ "power", "Power", power },
	{ "attachment", "Attachment", attachment },
	{ "pair", "Paired with this hub", paired },
	{ "name", "Its name", name },
	{ "clock", "Its clock, read and set", care_check_clock },
	{ "zone", "The time zone", zone },
	{ "codes", "Codes and users", codes },
	{ "auto-lock", "Locking by itself", auto_lock },
	{ "calibrated", "Calibrated?", care_check_calibrated },
	{ "battery", "The charge, measured", care_check_battery },
	{ "signal", "The signal, measured", care_check_signal },
	{ "cycles", "Lock and unlock, again and again", cycles },
	{ "door", "Door open and door closed", door },
	{ "handle", "The handle", handle },
	{ "knob", "By hand from inside", knob },
	{ "key", "By key from outside", key },
	{ "remote", "From afar", remote },
	{ "keypad", "A code at the keypad", keypad },
};
static_assert(ARRAY_SIZE(steps) <= CARE_STEPS_MAX, "care_walk() has room");

static int run(struct ctl *ctl, char **args, int n_args) {
	struct care care = { 0 };
	int r = care_open(ctl, args[0], "install", &care);
	if (r == CTL_DONE && ctl->opt.is_status) {
		r = care_status(&care, steps, ARRAY_SIZE(steps));
	} else if (r == CTL_DONE) {
		r = care_walk(&care, steps, ARRAY_SIZE(steps));
		if (r == CTL_DONE) {
			care_say(&care, "\n%s is installed and was tried.\n", care.slug);
		}
		r = care_close(&care, r, "each step done or skipped");
	}
	care_finish(&care);
	return r;
}

const struct command cmd_care_install = {
	.name = "care install",
	.args = "LOCK",
	.blurb = "Go through the installation of a lock, and measure that it is good",
	.help = "A checklist that remembers where it was: does it fit, tools, plate, power,\n"
		"attachment, set-up, and then measured acceptance: calibration, charge, signal,\n"
		"clock, the bolt (ten times there and back, or --cycles), the door, knob, key,\n"
		"remote operation, keypad. The lock must be paired: lockhubctl pair. Steps are\n"
		"left out with --skip; their names are shown by --status. Answers are read from\n"
		"standard input. Needs the role manage.",
	.example = "lockhubctl care install front-door --status",
	.options = OPT_JSON | OPT_YES | OPT_CARE | OPT_CYCLES,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
