/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A diagnosis for people: the verdict first, then what is wrong with the cause on top, then what to
 * do, least effort first. Everything comes from lockhubd; here it is only put into words and lines.
 */

#include "room.h"

#include <stdio.h>
#include <string.h>

#include "util/text.h"

#define COLUMNS 80
#define OTHERS_MAX 3

/* ---- lines ---- */

void print_paragraph(struct ctl *ctl, int indent, const char *text) {
	int column = 0;

	while (*text != '\0') {
		size_t n = strcspn(text, " ");
		int width = (int) n; /* octets: a little short for other scripts, never too long */

		if (column == 0) {
			say(ctl, "%*s", indent, "");
			column = indent;
		} else if (column + 1 + width > COLUMNS) {
			say(ctl, "\n%*s", indent, "");
			column = indent;
		} else {
			say(ctl, " ");
			column++;
		}
		say(ctl, "%.*s", (int) n, text);
		column += width;
		text += n;
		text += strspn(text, " ");
	}
	if (column > 0) {
		say(ctl, "\n");
	}
}

static enum tone tone_of_severity(const char *severity) {
	if (strcmp(severity, "critical") == 0 || strcmp(severity, "error") == 0) {
		return TONE_BAD;
	}
	return strcmp(severity, "warning") == 0 ? TONE_WARN : TONE_PLAIN;
}

static enum tone tone_of_worst(const char *worst) {
	if (strcmp(worst, "healthy") == 0) {
		return TONE_GOOD;
	}
	return strcmp(worst, "findings") == 0 ? TONE_BAD : TONE_WARN;
}

/* ---- proof ---- */

static size_t add_proof(const json_t *proof, char *out, size_t size) {
	const json_t *value = json_object_get(proof, "value");
	const char *unit = facts_text(proof, "unit");
	char number[48] = "";

	if (json_is_integer(value)) {
		snprintf(number, sizeof(number), ": %jd", (intmax_t) json_integer_value(value));
	} else if (json_is_real(value)) {
		snprintf(number, sizeof(number), ": %.2f", json_real_value(value));
	}
	snprintf(out, size, "%s%s%s%s", facts_text(proof, "text"), number,
		number[0] != '\0' && unit[0] != '\0' ? " " : "", number[0] != '\0' ? unit : "");
	return strlen(out);
}

char *verdict_proof(const json_t *proofs, char *out, size_t size) {
	size_t i, n = 0;
	const json_t *proof;

	out[0] = '\0';
	json_array_foreach((json_t *) proofs, i, proof) {
		if (n + 3 < size) {
			n += (size_t) snprintf(out + n, size - n, "%s", i > 0 ? "; " : "");
			n += add_proof(proof, out + n, size - n);
		}
	}
	out[text_cut(out, size - 1)] = '\0';
	return out;
}

static void print_proof(struct ctl *ctl, const json_t *finding) {
	char text[LINE_TEXT_MAX], line[LINE_TEXT_MAX + 16];

	if (verdict_proof(json_object_get(finding, "proof"), text, sizeof(text))[0] != '\0') {
		snprintf(line, sizeof(line), "Measured: %s", text);
		print_paragraph(ctl, 4, line);
	}
}

/* ---- remedies ---- */

static const char *outcome_text(const char *outcome) {
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "helped", "it helped" },
		{ "no-change", "it changed nothing" },
		{ "failed", "it could not be done" },
		{ "abandoned", "broken off" },
		{ "unverified", "done, not measured" },
		{ "running", "under way" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].name, outcome) == 0) {
			return rows[i].text;
		}
	}
	return outcome;
}

static void print_tried(struct ctl *ctl, const json_t *remedy) {
	size_t i;
	const json_t *tried;

	json_array_foreach(json_object_get(remedy, "tried"), i, tried) {
		char moment[MOMENT_TEXT_MAX], line[LINE_TEXT_MAX];
		const char *by = facts_text(tried, "by");

		snprintf(line, sizeof(line), "Tried %s%s%s: %s.",
			moment_text(facts_text(tried, "at"), moment), by[0] != '\0' ? " by " : "",
			by, outcome_text(facts_text(tried, "outcome")));
		print_paragraph(ctl, 8, line);
	}
}

/* What a person types to have it done; "" nothing. */
static const char *command_of(const json_t *remedy) {
	return facts_text(remedy, "command");
}

/* One remedy: title, effort, what to type; with its steps when @is_verbose. */
static void verdict_print_remedy(
	struct ctl *ctl, const json_t *remedy, const char *lead, bool is_verbose) {
	int64_t minutes = facts_number(remedy, "effort_min", 0);
	const char *confirm = facts_text(remedy, "confirm");
	char line[LINE_TEXT_MAX];
	size_t i;
	const json_t *step;

	snprintf(line, sizeof(line), "%s%s", lead, facts_text(remedy, "title"));
	if (minutes > 0) {
		size_t n = strlen(line);
		snprintf(line + n, sizeof(line) - n, " (%jd min)", (intmax_t) minutes);
	}
	print_paragraph(ctl, 6, line);
	if (command_of(remedy)[0] != '\0') {
		say(ctl, "        %s%s%s\n", tone_start(ctl, TONE_BOLD), command_of(remedy),
			tone_end(ctl, TONE_BOLD));
	}
	print_tried(ctl, remedy);
	if (!is_verbose) {
		return;
	}
	if (confirm[0] != '\0') {
		print_paragraph(ctl, 8, confirm);
	}
	json_array_foreach(json_object_get(remedy, "steps"), i, step) {
		snprintf(line, sizeof(line), "%zu. %s", i + 1, json_string_value(step));
		print_paragraph(ctl, 8, line);
	}
}

/* What has been tried lately without success is not offered first again. */
static bool has_failed(const json_t *remedy) {
	const char *outcome =
		facts_text(json_array_get(json_object_get(remedy, "tried"), 0), "outcome");

	return strcmp(outcome, "no-change") == 0 || strcmp(outcome, "failed") == 0;
}

static size_t next_step(const json_t *remedies) {
	size_t i;
	const json_t *remedy;

	json_array_foreach((json_t *) remedies, i, remedy) {
		if (!has_failed(remedy)) {
			return i;
		}
	}
	return 0;
}

static void print_remedies(struct ctl *ctl, const json_t *finding, bool is_verbose) {
	const json_t *remedies = json_object_get(finding, "remedies");
	size_t i, first = next_step(remedies), n_others = 0;
	const json_t *remedy;

	if (json_array_size(remedies) == 0) {
		print_paragraph(ctl, 4, facts_text(finding, "hint"));
		return;
	}
	say(ctl, "    What to do:\n");
	verdict_print_remedy(ctl, json_array_get(remedies, first), "- ", true);
	json_array_foreach((json_t *) remedies, i, remedy) {
		if (i == first) {
			continue;
		}
		if (!is_verbose && n_others == OTHERS_MAX) {
			say(ctl, "      ... and more: --verbose\n");
			break;
		}
		n_others++;
		verdict_print_remedy(ctl, remedy, i < first ? "- again: " : "- else: ", is_verbose);
	}
}

/* ---- findings ---- */

static const char *summary_of(const json_t *target, const char *fault) {
	size_t i;
	const json_t *finding;

	json_array_foreach(json_object_get(target, "findings"), i, finding) {
		if (strcmp(facts_text(finding, "fault"), fault) == 0) {
			return facts_text(finding, "summary");
		}
	}
	return fault;
}

static void print_finding(struct ctl *ctl, const json_t *target, const json_t *finding,
	size_t number, bool is_verbose) {
	const char *severity = facts_text(finding, "severity");
	const char *because = facts_text(finding, "because_of");
	enum tone tone = tone_of_severity(severity);

	say(ctl, "\n %zu. %s%s%s (%s, %jd %% sure)\n", number, tone_start(ctl, tone),
		facts_text(finding, "summary"), tone_end(ctl, tone), facts_text(finding, "fault"),
		(intmax_t) facts_number(finding, "confidence", 0));
	print_proof(ctl, finding);
	if (because[0] != '\0') {
		char line[LINE_TEXT_MAX];
		snprintf(line, sizeof(line), "Because of: %s.", summary_of(target, because));
		print_paragraph(ctl, 4, line);
		if (!is_verbose) {
			return; /* what helps against the cause helps against it */
		}
	}
	print_paragraph(ctl, 4, facts_text(finding, "meaning"));
	print_remedies(ctl, finding, is_verbose);
}

static void print_checks(struct ctl *ctl, const json_t *target) {
	static const struct {
		const char *result;
		enum tone tone;
	} tones[] = { { "ok", TONE_GOOD }, { "bad", TONE_BAD }, { "unknown", TONE_WARN },
		{ "skipped", TONE_FAINT } };
	size_t i;
	const json_t *check;

	say(ctl, "\n  Checked:\n");
	json_array_foreach(json_object_get(target, "checks"), i, check) {
		const char *result = facts_text(check, "result");
		enum tone tone = TONE_PLAIN;
		char text[LINE_TEXT_MAX];

		for (size_t k = 0; k < ARRAY_SIZE(tones); k++) {
			tone = strcmp(tones[k].result, result) == 0 ? tones[k].tone : tone;
		}
		say(ctl, "    %s%-8s%s %s\n", tone_start(ctl, tone), result, tone_end(ctl, tone),
			facts_text(check, "title"));
		verdict_proof(json_object_get(check, "proof"), text, sizeof(text));
		print_paragraph(ctl, 13, text);
	}
}

/* ---- targets ---- */

static size_t findings_of(const json_t *target) {
	return json_array_size(json_object_get(target, "findings"));
}

static void print_name(struct ctl *ctl, const json_t *target) {
	bool is_hub = strcmp(facts_text(target, "kind"), "hub") == 0;
	const char *worst = facts_text(target, "worst");
	char line[LINE_TEXT_MAX];

	say(ctl, "%s%s%s\n", tone_start(ctl, TONE_BOLD),
		is_hub ? "The hub" : facts_text(target, "name"), tone_end(ctl, TONE_BOLD));
	snprintf(line, sizeof(line), "%s", facts_text(target, "verdict"));
	say(ctl, "%s", tone_start(ctl, tone_of_worst(worst)));
	print_paragraph(ctl, 2, line);
	say(ctl, "%s", tone_end(ctl, tone_of_worst(worst)));
}

static void print_target(struct ctl *ctl, const json_t *target, bool is_verbose) {
	size_t i;
	const json_t *finding;

	print_name(ctl, target);
	json_array_foreach(json_object_get(target, "findings"), i, finding) {
		print_finding(ctl, target, finding, i + 1, is_verbose);
	}
	if (is_verbose) {
		print_checks(ctl, target);
	}
	if (findings_of(target) > 0 && facts_flag(target, "mechanical_key")) {
		say(ctl, "\n  Meanwhile the mechanical key opens the door.\n");
	}
}

int verdict_status(const json_t *diagnosis) {
	const char *worst = facts_text(diagnosis, "worst");

	if (strcmp(worst, "healthy") == 0) {
		return CTL_DONE;
	}
	return strcmp(worst, "findings") == 0 ? CTL_FINDINGS : CTL_UNCHECKED;
}

int verdict_print(struct ctl *ctl, const json_t *diagnosis, bool is_verbose) {
	const json_t *targets = json_object_get(diagnosis, "targets");
	size_t i, n_printed = 0;
	const json_t *target;

	json_array_foreach((json_t *) targets, i, target) {
		bool is_first = i == 0;

		/* Who asks after one lock wants to hear of the hub only when it matters. */
		if (!is_verbose && !is_first && strcmp(facts_text(target, "kind"), "hub") == 0 &&
			strcmp(facts_text(target, "worst"), "healthy") == 0) {
			continue;
		}
		say(ctl, "%s", n_printed++ > 0 ? "\n" : "");
		print_target(ctl, target, is_verbose);
	}
	if (json_array_size(targets) > 2) {
		say(ctl, "\n");
		print_paragraph(ctl, 0, facts_text(diagnosis, "verdict"));
	}
	return verdict_status(diagnosis);
}
