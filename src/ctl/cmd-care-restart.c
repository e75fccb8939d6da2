/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "care.h"
#include "commands.h"

#include <string.h>
#include <unistd.h>

#define WAIT_DEFAULT_S 10

/* One after the other, and each is tried before the next one: else nobody knows what helped. */

static enum care_result measure_before(struct care *care) {
	bool is_heard = facts_flag(care->lock, "reachable");
	care_begin_attempt(care, facts_text(care->lock, "fault"), "restart-lock",
		is_heard ? "heard" : "not heard");
	return care_tell(
		care, CARE_DONE, "%s", is_heard ? "the lock is heard" : "the lock is not heard");
}

/* The batteries are out for so long. */
static enum care_result pull_batteries(struct care *care) {
	int64_t wait = facts_number(care_model(care), "restart_wait_s", WAIT_DEFAULT_S);
	care_print_steps(care, "restart");
	enum care_result result = care_person(care, "Is the power taken away from the lock?");
	if (result != CARE_DONE) {
		return result;
	}
	for (int64_t left = wait; left > 0; left--) {
		progress(care->ctl, "%jd s ...", (intmax_t) left);
		sleep(1);
	}
	progress_end(care->ctl);
	result = care_person(care, "Put it back. Is it back, and does the lock show life?");
	return result == CARE_DONE
		       ? care_tell(care, CARE_DONE, "without power for %jd s", (intmax_t) wait)
		       : result;
}

static enum care_result restart_lock(struct care *care) {
	bool can = care_can(care, "reboot") && facts_flag(care->lock, "has_pin");
	if (can) {
		switch (care_ask(care, "The lock restarts, which takes a moment; the bolt may turn "
				       "to find its position. Restart it?")) {
		case ANSWER_NO:
			return care_tell(care, CARE_SKIPPED, "not wanted");
		case ANSWER_NOBODY:
			return care_tell(care, CARE_OPEN, "nobody answered");
		case ANSWER_YES:
			break;
		}
		if (care_act(care, "Reboot", NULL)) {
			return care_tell(care, CARE_DONE, "restarted by command");
		}
		care_say(care, "  By command it does not work; by hand then.\n");
	}
	return pull_batteries(care);
}

/*
 * The first of the remedies that the hub does as it is set up. What it refuses has been said; a
 * step that the configuration forbids is no failure.
 */
static enum care_result have_fixed(
	struct care *care, const char *fault, const char *const *remedies, size_t n) {
	for (size_t i = 0; i < n; i++) {
		AUTO(json_decref)
		json_t *result = diagnosis_fix(care->ctl, "", fault, remedies[i], true);
		if (result == NULL) {
			continue;
		}
		const char *outcome = facts_text(result, "outcome");
		return care_tell(care, strcmp(outcome, "failed") == 0 ? CARE_FAILED : CARE_DONE,
			"%.20s: %.15s; before: %.20s, after: %.20s", remedies[i], outcome,
			facts_text(result, "before"), facts_text(result, "after"));
	}
	return care_tell(care, CARE_SKIPPED, "the hub does not do it as it is set up");
}

static enum care_result restart_adapter(struct care *care) {
	static const char *const remedies[] = { "power-adapter", "restart-bluetooth" };
	switch (care_ask(care,
		"Restart the hub's Bluetooth adapter too? Every Bluetooth connection "
		"of this computer breaks for some seconds. (n: leave it)")) {
	case ANSWER_NO:
		return care_tell(care, CARE_SKIPPED, "left as it is");
	case ANSWER_NOBODY:
		return care_tell(care, CARE_OPEN, "nobody answered");
	case ANSWER_YES:
		break;
	}
	return have_fixed(care, "adapter-deaf", remedies, ARRAY_SIZE(remedies));
}

static bool has_broker(struct care *care, char *out, size_t size) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(care->ctl, MANAGER_PATH, "org.freedesktop.DBus.Properties", "Get", NULL,
		    &reply, "ss", MANAGER_INTERFACE, "Status") < 0) {
		return false;
	}
	AUTO(json_decref) json_t *status = facts_of_status(wire_read(reply));
	const char *mqtt = facts_text(status, "mqtt");
	snprintf(out, size, "%s", mqtt);
	return mqtt[0] != '\0' && strcmp(mqtt, "off") != 0;
}

static enum care_result restart_broker(struct care *care) {
	char state[CARE_TEXT_MAX] = "";
	if (!has_broker(care, state, sizeof(state))) {
		return care_tell(care, CARE_SKIPPED, "the hub uses no broker");
	}
	switch (care_ask(care, "Connect to the broker anew? (n: leave it)")) {
	case ANSWER_NO:
		return care_tell(care, CARE_SKIPPED, "left as it is");
	case ANSWER_NOBODY:
		return care_tell(care, CARE_OPEN, "nobody answered");
	case ANSWER_YES:
		break;
	}
	return have_fixed(care, "broker-unreachable", &(const char *){ "reconnect-broker" }, 1);
}

/* The hub alone: adapter, bluetoothd, broker, Home Assistant's side of it. */
static enum care_result verify_hub(struct care *care) {
	AUTO(json_decref) json_t *diagnosis = diagnosis_fetch(care->ctl, NULL, DIAGNOSE_HUB_ONLY);
	if (diagnosis == NULL) {
		return care_tell(care, CARE_FAILED, "the hub could not be examined");
	}
	const char *worst = facts_text(diagnosis, "worst");
	return care_tell(care, strcmp(worst, "findings") == 0 ? CARE_FAILED : CARE_DONE, "%.80s",
		facts_text(diagnosis, "verdict"));
}

static const struct care_step steps[] = {
	{ "before", "How it stands now", measure_before },
	{ "lock", "Restart the lock", restart_lock },
	{ "back", "Has it started, and does it answer?", care_wait_back },
	{ "clock", "Its clock, read and set", care_check_clock },
	{ "adapter", "The hub's Bluetooth adapter", restart_adapter },
	{ "broker", "The hub's link to the broker", restart_broker },
	{ "hub", "The hub, examined", verify_hub },
	{ "again", "The lock once more", care_wait_back },
};

static int run(struct ctl *ctl, char **args, int n_args) {
	struct care care = { 0 };
	int r = care_open(ctl, args[0], "restart", &care);
	if (r == CTL_DONE && ctl->opt.is_status) {
		r = care_status(&care, steps, ARRAY_SIZE(steps));
	} else if (r == CTL_DONE) {
		r = care_walk(&care, steps, ARRAY_SIZE(steps));
		bool is_heard = facts_flag(care.lock, "reachable");
		if (r == CTL_DONE) {
			care_end_attempt(&care, is_heard ? "helped" : "no-change",
				is_heard ? "answers" : "does not answer");
			care_say(&care, "\n%s was restarted and answers.\n", care.slug);
		}
		r = care_close(&care, r, "restarted, and answers");
	}
	care_finish(&care);
	return r;
}

const struct command cmd_care_restart = {
	.name = "care restart",
	.args = "LOCK",
	.blurb = "Restart a lock and what belongs to it, in the right order",
	.help = "First the lock, by command where it takes one, else by its batteries; then, if "
		"you\n"
		"want, the hub's Bluetooth adapter and its link to the broker. After each what "
		"was\n"
		"restarted is tried. What the configuration does not allow is not done. Needs the\n"
		"role manage.",
	.example = "lockhubctl care restart front-door --skip adapter",
	.options = OPT_JSON | OPT_YES | OPT_CARE,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
