/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include <ctype.h>
#include <string.h>

#include "html.h"
#include "room.h"
#include "util/text.h"

char *report_word(const char *name, char out[static REPORT_WORD_MAX]) {
	text_copy(out, REPORT_WORD_MAX, name);
	for (char *p = out; *p != '\0'; p++) {
		*p = *p == '-' || *p == '_' ? ' ' : *p;
	}
	out[0] = (char) toupper((unsigned char) out[0]);
	return out;
}

static const char *how_text(const char *how) {
	static const struct {
		const char *how, *text;
	} rows[] = {
		{ "answered", "answered by the lock" },
		{ "advertised", "heard in its advertisement" },
		{ "logged", "from the lock's own log" },
		{ "stored", "remembered from before" },
		{ "inferred", "inferred" },
		{ "none", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].how, how) == 0) {
			return rows[i].text;
		}
	}
	return how;
}

static void append(
	char *out, size_t size, const char *before, const char *text, const char *after) {
	size_t n = strlen(out);
	if (text[0] != '\0') {
		snprintf(out + n, size - n, "%s%s%s", before, text, after);
	}
}

char *report_proof(const json_t *proof, char out[static REPORT_PROOF_MAX]) {
	const json_t *value = json_object_get(proof, "value");
	const char *unit = facts_text(proof, "unit"), *at = facts_text(proof, "at");
	char number[64] = "", moment[MOMENT_TEXT_MAX] = "", source[160] = "";
	text_copy(out, REPORT_PROOF_MAX, facts_text(proof, "text"));
	if (json_is_number(value)) {
		snprintf(number, sizeof(number), "%.6g%s%s", json_number_value(value),
			unit[0] != '\0' ? " " : "", unit);
	} else if (json_is_string(value)) {
		snprintf(number, sizeof(number), "%s", json_string_value(value));
	}
	if (at[0] != '\0') {
		moment_text(at, moment);
	}
	append(out, REPORT_PROOF_MAX, ": ", number, "");
	append(source, sizeof(source), "", moment, "");
	append(source, sizeof(source), source[0] != '\0' ? ", " : "",
		how_text(facts_text(proof, "how")), "");
	append(out, REPORT_PROOF_MAX, " (", source, ")");
	out[text_cut(out, REPORT_PROOF_MAX - 2)] = '\0';
	return out;
}

/* ---- remedies ---- */

static const char *outcome_text(const char *outcome) {
	static const struct {
		const char *outcome, *text;
	} rows[] = {
		{ "running", "under way" },
		{ "helped", "it helped" },
		{ "no-change", "it changed nothing" },
		{ "failed", "it could not be carried out" },
		{ "abandoned", "given up" },
		{ "unverified", "done, but nothing could be measured afterwards" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].outcome, outcome) == 0) {
			return rows[i].text;
		}
	}
	return outcome;
}

/* "; 6 % before, 100 % after" */
static void write_change(FILE *out, const json_t *attempt) {
	const char *before = facts_text(attempt, "before"), *after = facts_text(attempt, "after");
	if (before[0] != '\0') {
		html_format(out, "; before: %s", before);
	}
	if (after[0] != '\0') {
		html_format(out, "; after: %s", after);
	}
}

static void write_tried(FILE *out, const json_t *remedy) {
	size_t i;
	const json_t *attempt;
	char moment[MOMENT_TEXT_MAX];
	json_array_foreach(json_object_get(remedy, "tried"), i, attempt) {
		fputs("<p class=\"tried\">Tried ", out);
		html_format(out, "%s", moment_text(facts_text(attempt, "at"), moment));
		if (facts_text(attempt, "by")[0] != '\0') {
			fputs(" by ", out);
			html_name(out, facts_text(attempt, "by"));
		}
		html_format(out, ": %s", outcome_text(facts_text(attempt, "outcome")));
		write_change(out, attempt);
		fputs("</p>\n", out);
	}
}

static void write_cost(FILE *out, const json_t *remedy) {
	int64_t minutes = facts_number(remedy, "effort_min", 0);
	const char *risk = facts_text(remedy, "risk");
	fputs("<p class=\"faint\">", out);
	html_format(out, "%s",
		strcmp(facts_text(remedy, "by"), "hub") == 0 ? "The hub does it by itself"
							     : "You do it");
	if (minutes > 0) {
		html_format(out, ", about %jd min", (intmax_t) minutes);
	}
	if (risk[0] != '\0') {
		html_format(out, ", %s%s", strcmp(risk, "none") == 0 ? "no" : risk, " risk");
	}
	if (facts_flag(remedy, "last_resort")) {
		fputs(", last resort: a backup is made before", out);
	}
	fputs("</p>\n", out);
}

/* @is_known: the steps stand further up already. */
static void write_remedy(FILE *out, const json_t *remedy, bool is_known) {
	const char *title = facts_text(remedy, "title"), *command = facts_text(remedy, "command");
	const json_t *steps = json_object_get(remedy, "steps"), *step;
	char word[REPORT_WORD_MAX];
	size_t i;
	fputs("<li>", out);
	html_element(out, "h5", "%s",
		title[0] != '\0' ? title : report_word(facts_text(remedy, "name"), word));
	if (is_known) {
		html_element(out, "p class=\"faint\"", "As above.");
		write_tried(out, remedy);
		fputs("</li>\n", out);
		return;
	}
	write_cost(out, remedy);
	if (facts_text(remedy, "confirm")[0] != '\0') {
		html_element(out, "p", "Before: %s", facts_text(remedy, "confirm"));
	}
	if (json_array_size(steps) > 0) {
		fputs("<ol class=\"steps\">", out);
		json_array_foreach(steps, i, step) {
			fputs("<li>", out);
			html_text(out, json_is_string(step) ? json_string_value(step) : "");
			fputs("</li>\n", out);
		}
		fputs("</ol>\n", out);
	}
	if (command[0] != '\0') {
		fputs("<p>", out);
		html_element(out, "code", "%s", command);
		fputs("</p>\n", out);
	}
	write_tried(out, remedy);
	fputs("</li>\n", out);
}

/* @shown: an object with the names of remedies that were explained. */
static void write_remedies(FILE *out, const json_t *finding, json_t *shown) {
	const json_t *remedies = json_object_get(finding, "remedies"), *remedy;
	size_t i;
	if (json_array_size(remedies) == 0) {
		if (facts_text(finding, "hint")[0] != '\0') {
			html_element(out, "p", "%s", facts_text(finding, "hint"));
		}
		return;
	}
	fputs("<p class=\"lead\">What to do, easiest first:</p>\n<ol class=\"remedies\">\n", out);
	json_array_foreach(remedies, i, remedy) {
		const char *name = facts_text(remedy, "name");
		write_remedy(out, remedy, json_object_get(shown, name) != NULL);
		json_object_set_new(shown, name, json_true());
	}
	fputs("</ol>\n", out);
}

/* ---- findings ---- */

static void write_proofs(FILE *out, const json_t *proofs) {
	const json_t *proof;
	char text[REPORT_PROOF_MAX];
	size_t i;
	if (json_array_size(proofs) == 0) {
		return;
	}
	fputs("<p class=\"lead\">How we know:</p>\n<ul class=\"proof\">\n", out);
	json_array_foreach(proofs, i, proof) {
		html_element(out, "li", "%s", report_proof(proof, text));
	}
	fputs("</ul>\n", out);
}

static void write_finding(FILE *out, const json_t *finding, json_t *shown) {
	const char *severity = facts_text(finding, "severity");
	const char *because = facts_text(finding, "because_of");
	int64_t confidence = facts_number(finding, "confidence", -1);
	char word[REPORT_WORD_MAX];
	fputs("<article class=\"finding ", out);
	html_text(out, severity);
	fputs("\">\n", out);
	html_element(out, "h4", "%s", facts_text(finding, "summary"));
	fputs("<p><span class=\"badge ", out);
	html_text(out, severity);
	fputs("\">", out);
	html_text(out, report_word(severity, word));
	fputs("</span> ", out);
	if (confidence >= 0) {
		html_format(out, "%jd %% sure. ", (intmax_t) confidence);
	}
	html_element(out, "code", "%s", facts_text(finding, "fault"));
	fputs("</p>\n", out);
	if (because[0] != '\0' && strcmp(because, "none") != 0) {
		html_element(out, "p", "Probably comes from another finding: %s.",
			report_word(because, word));
	}
	if (facts_text(finding, "meaning")[0] != '\0') {
		fputs("<p>", out);
		html_text(out, facts_text(finding, "meaning"));
		fputs("</p>\n", out);
	}
	write_proofs(out, json_object_get(finding, "proof"));
	write_remedies(out, finding, shown);
	fputs("</article>\n", out);
}

void report_findings(FILE *out, const json_t *target) {
	const json_t *findings = json_object_get(target, "findings"), *finding;
	AUTO(json_decref) json_t *shown = json_object();
	size_t i;
	html_element(out, "h3", "What was found");
	if (json_array_size(findings) == 0) {
		html_element(out, "p",
			strcmp(facts_text(target, "worst"), "unchecked") == 0
				? "Nothing, but what matters most could not be measured."
				: "Nothing is wrong.");
	}
	json_array_foreach(findings, i, finding) {
		write_finding(out, finding, shown);
	}
}

/* ---- everything that was looked at ---- */

void report_checks(FILE *out, const json_t *target) {
	const json_t *checks = json_object_get(target, "checks"), *check, *proof;
	size_t i, k;
	char text[REPORT_PROOF_MAX], word[REPORT_WORD_MAX];
	if (json_array_size(checks) == 0) {
		return;
	}
	fputs("<details><summary>", out);
	html_format(out, "Everything that was checked (%zu)", json_array_size(checks));
	fputs("</summary>\n", out);
	html_table_begin(
		out, "Checks", (const char *const[]){ "What", "Result", "Measured", NULL });
	json_array_foreach(checks, i, check) {
		const char *result = facts_text(check, "result");
		html_row_begin(out);
		html_head_cell(out, "%s", facts_text(check, "title"));
		fputs("<td><span class=\"result ", out);
		html_text(out, result);
		fputs("\">", out);
		html_text(out, report_word(result, word));
		fputs("</span></td><td>", out);
		json_array_foreach(json_object_get(check, "proof"), k, proof) {
			fputs(k > 0 ? "<br>" : "", out);
			html_text(out, report_proof(proof, text));
		}
		fputs("</td>", out);
		html_row_end(out);
	}
	html_table_end(out);
	fputs("</details>\n", out);
}

void report_attempts(FILE *out, const json_t *history) {
	const json_t *attempts = json_object_get(history, "attempts"), *attempt;
	char moment[MOMENT_TEXT_MAX], fault[REPORT_WORD_MAX], remedy[REPORT_WORD_MAX];
	size_t i;
	html_element(out, "h3", "What was tried");
	if (json_array_size(attempts) == 0) {
		html_element(out, "p", "Nothing is on record.");
		return;
	}
	html_table_begin(out, "Attempts, oldest first",
		(const char *const[]){ "When", "What", "Against", "Outcome", NULL });
	json_array_foreach(attempts, i, attempt) {
		const char *by = facts_text(attempt, "by");
		html_row_begin(out);
		html_head_cell(out, "%s", moment_text(facts_text(attempt, "begun"), moment));
		fputs("<td>", out);
		html_text(out, report_word(facts_text(attempt, "remedy"), remedy));
		if (by[0] != '\0') {
			fputs(", by ", out);
			html_name(out, by);
		}
		fputs("</td><td>", out);
		html_text(out, facts_text(attempt, "fault")[0] != '\0'
				       ? report_word(facts_text(attempt, "fault"), fault)
				       : "Routine care");
		fputs("</td><td>", out);
		html_text(out, outcome_text(facts_text(attempt, "outcome")));
		write_change(out, attempt);
		fputs("</td>", out);
		html_row_end(out);
	}
	html_table_end(out);
}
