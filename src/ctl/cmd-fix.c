/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* fix: what is wrong is measured, a remedy that the hub can carry out is done, and measured again.
 */

#include "commands.h"

#include <string.h>

#include "util/text.h"

#define CHOICES_MAX 32

/* One remedy for one finding. */
struct choice {
	const json_t *finding;
	const json_t *remedy;
};

struct choices {
	struct choice choice[CHOICES_MAX];
	size_t n;
};

static bool is_tried_in_vain(const json_t *remedy) {
	const char *outcome =
		facts_text(json_array_get(json_object_get(remedy, "tried"), 0), "outcome");

	return strcmp(outcome, "no-change") == 0 || strcmp(outcome, "failed") == 0;
}

static void collect_of(struct choices *choices, const json_t *finding, const char *remedy_name) {
	size_t i;
	const json_t *remedy;

	json_array_foreach(json_object_get(finding, "remedies"), i, remedy) {
		bool is_meant = remedy_name == NULL
					? strcmp(facts_text(remedy, "by"), "hub") == 0
					: strcmp(facts_text(remedy, "name"), remedy_name) == 0;

		if (is_meant && choices->n < CHOICES_MAX) {
			choices->choice[choices->n++] = (struct choice){ finding, remedy };
		}
	}
}

/* In the order in which they are to be done: causes first, least effort first. */
static void collect(
	struct choices *choices, const json_t *diagnosis, const char *fault, const char *remedy) {
	size_t i, k;
	const json_t *target, *finding;

	json_array_foreach(json_object_get(diagnosis, "targets"), i, target) {
		json_array_foreach(json_object_get(target, "findings"), k, finding) {
			if (fault == NULL || strcmp(facts_text(finding, "fault"), fault) == 0) {
				collect_of(choices, finding, remedy);
			}
		}
	}
}

static void print_choices(struct ctl *ctl, const struct choices *choices) {
	say(ctl, "The hub can do this by itself:\n");
	for (size_t i = 0; i < choices->n; i++) {
		const struct choice *choice = &choices->choice[i];

		say(ctl, " %zu. %s\n      against: %s (%s, %s)%s\n", i + 1,
			facts_text(choice->remedy, "title"), facts_text(choice->finding, "summary"),
			facts_text(choice->finding, "fault"), facts_text(choice->remedy, "name"),
			is_tried_in_vain(choice->remedy) ? "; tried without success" : "");
	}
}

/* NULL: nothing was chosen, which has been said. */
static const struct choice *choose(struct ctl *ctl, const struct choices *choices) {
	char answer[16];
	uint64_t number = 0;

	if (choices->n == 1 || ctl->opt.is_yes) {
		for (size_t i = 0; i < choices->n; i++) {
			if (!is_tried_in_vain(choices->choice[i].remedy)) {
				return &choices->choice[i];
			}
		}
		return &choices->choice[0];
	}
	print_choices(ctl, choices);
	if (prompt_line(ctl, answer, sizeof(answer), "Which one? [1] ") < 0) {
		complain(ctl, "nothing was done");
		return NULL;
	}
	if (answer[0] == '\0') {
		return &choices->choice[0];
	}
	if (text_to_u64(answer, 1, choices->n, &number) < 0) {
		complain(ctl, "there is no number %s; nothing was done", answer);
		return NULL;
	}
	return &choices->choice[number - 1];
}

static int explain_nothing(struct ctl *ctl, const json_t *diagnosis, const char *word) {
	if (strcmp(facts_text(diagnosis, "worst"), "healthy") == 0) {
		say(ctl, "%s\nThere is nothing to do.\n", facts_text(diagnosis, "verdict"));
		return CTL_DONE;
	}
	say(ctl, "%s\n", facts_text(diagnosis, "verdict"));
	say(ctl,
		"There is nothing here that the hub could do by itself. What you can do:\n"
		"  lockhubctl doctor%s%s\n",
		word[0] != '\0' ? " " : "", word);
	return verdict_status(diagnosis);
}

/* What only a person can do is told, and then asked after: it is kept and measured like the rest.
 */
static bool is_done(struct ctl *ctl, const json_t *remedy) {
	size_t i;
	const json_t *step;

	if (ctl->opt.is_yes) {
		return true;
	}
	if (!ctl->is_asking) {
		usage_error(ctl, "%s is for a person to do: say --yes when it is done",
			facts_text(remedy, "name"));
		return false;
	}
	say(ctl, "%s\n", facts_text(remedy, "title"));
	json_array_foreach(json_object_get(remedy, "steps"), i, step) {
		print_paragraph(ctl, 2, json_string_value(step));
	}
	if (facts_text(remedy, "command")[0] != '\0') {
		say(ctl, "  %s\n", facts_text(remedy, "command"));
	}
	if (!prompt_yes(ctl, "Is that done?")) {
		complain(ctl, "nothing was kept");
		return false;
	}
	return true;
}

/* Who has named the remedy, or picked it from a list, wants it; what it costs is asked all the
 * same. */
static bool is_agreed(struct ctl *ctl, const json_t *remedy, bool is_wanted) {
	const char *confirm = facts_text(remedy, "confirm");

	if (strcmp(facts_text(remedy, "by"), "person") == 0) {
		return is_done(ctl, remedy);
	}
	if (ctl->opt.is_yes || (is_wanted && confirm[0] == '\0')) {
		return true;
	}
	if (!ctl->is_asking) {
		usage_error(ctl, "%s There is no terminal to ask whether that is meant: say --yes",
			confirm);
		return false;
	}
	if (confirm[0] != '\0') {
		say(ctl, "%s\n", confirm);
	}
	if (!prompt_yes(ctl, "%s?", facts_text(remedy, "title"))) {
		complain(ctl, "nothing was done");
		return false;
	}
	return true;
}

static int print_outcome(struct ctl *ctl, const json_t *result, const json_t *remedy) {
	const char *outcome = facts_text(result, "outcome");
	const char *before = facts_text(result, "before"), *after = facts_text(result, "after");
	bool has_helped = strcmp(outcome, "helped") == 0;
	static const struct {
		const char *outcome, *text;
		enum tone tone;
	} rows[] = {
		{ "helped", "It helped.", TONE_GOOD },
		{ "no-change", "It changed nothing.", TONE_WARN },
		{ "failed", "It could not be done.", TONE_BAD },
		{ "unverified", "It was done, but whether it helped could not be measured.",
			TONE_WARN },
	};

	say(ctl, "%s: ", facts_text(remedy, "title"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].outcome, outcome) == 0) {
			say(ctl, "%s%s%s\n", tone_start(ctl, rows[i].tone), rows[i].text,
				tone_end(ctl, rows[i].tone));
		}
	}
	if (facts_text(result, "message")[0] != '\0') {
		print_paragraph(ctl, 2, facts_text(result, "message"));
		print_paragraph(ctl, 2, facts_text(result, "hint"));
	} else {
		say(ctl, "  before: %s\n  after:  %s\n", before[0] != '\0' ? before : "not known",
			after[0] != '\0' ? after : "not known");
	}
	if (!has_helped) {
		say(ctl, "What else there is to do: lockhubctl doctor\n");
	}
	return has_helped ? CTL_DONE : CTL_FAILED;
}

static int carry_out(
	struct ctl *ctl, const char *word, const struct choice *choice, bool is_wanted) {
	AUTO(json_decref) json_t *result = NULL;

	if (!is_agreed(ctl, choice->remedy, is_wanted)) {
		return ctl->is_asking ? CTL_FAILED : CTL_USAGE;
	}
	result = diagnosis_fix(ctl, word, facts_text(choice->finding, "fault"),
		facts_text(choice->remedy, "name"), true);
	if (result == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		int r = print_json(ctl, json_incref(result));
		bool has_helped = strcmp(facts_text(result, "outcome"), "helped") == 0;

		return r != CTL_DONE ? r : has_helped ? CTL_DONE : CTL_FAILED;
	}
	return print_outcome(ctl, result, choice->remedy);
}

/* The hub itself has no name among the locks. */
static bool is_hub(const char *word) {
	return strcmp(word, "hub") == 0;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	const char *word = is_hub(args[0]) ? "" : args[0];
	const char *fault = n_args > 1 ? args[1] : NULL;
	const char *remedy = n_args > 2 ? args[2] : NULL;
	struct choices choices = { 0 };
	AUTO(json_decref) json_t *diagnosis = NULL;

	if (remedy == NULL && !ctl->opt.is_yes && !ctl->is_asking) {
		return usage_error(ctl,
			"there is no terminal to ask what is to be done: name fault "
			"and remedy as lockhubctl doctor --json has them, or say "
			"--yes for what it would do first");
	}
	diagnosis = word[0] != '\0' ? diagnosis_fetch(ctl, word, 0)
				    : diagnosis_fetch(ctl, NULL, DIAGNOSE_HUB_ONLY);
	if (diagnosis == NULL) {
		return CTL_FAILED;
	}
	collect(&choices, diagnosis, fault, remedy);
	if (choices.n == 0 && remedy != NULL) {
		complain(ctl, "%s is not found at %s, or %s does nothing about it", fault,
			word[0] != '\0' ? word : "the hub", remedy);
		return verdict_status(diagnosis) == CTL_DONE ? CTL_FAILED
							     : verdict_status(diagnosis);
	}
	if (choices.n == 0) {
		return explain_nothing(ctl, diagnosis, word);
	}
	const struct choice *choice = choose(ctl, &choices);
	return choice != NULL ? carry_out(ctl, word, choice, remedy != NULL || choices.n > 1)
			      : CTL_FAILED;
}

const struct command cmd_fix = {
	.name = "fix",
	.args = "LOCK [FAULT] [REMEDY]",
	.blurb = "Let the hub do about a fault what it can do by itself",
	.help = "Measures what is wrong, offers what the hub can carry out, asks whether that is\n"
		"meant where something would move or be interrupted, does it, and measures again:\n"
		"whether it helped is kept and shown by the next doctor. With hub in place of\n"
		"LOCK for the hub itself. With --yes the first remedy is taken and nothing asked.\n"
		"A remedy for a person, by its name: asks whether it is done, keeps that, and\n"
		"measures. What is judged by its past is judged from then on.\n"
		"Exit status: 0 it helped, or nothing is wrong; 1 it did not.",
	.example = "lockhubctl fix front-door clock-wrong set-clock",
	.options = OPT_JSON | OPT_YES,
	.min_args = 1,
	.max_args = 3,
	.run = run,
};
