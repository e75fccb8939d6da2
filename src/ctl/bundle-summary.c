/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bundle.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"

#define LAST_RESORT "contact-support"

static bool is_hub(const json_t *target) {
	return strcmp(facts_text(target, "kind"), "hub") == 0;
}

static void line(FILE *out, const char *title, const char *text) {
	if (text[0] != '\0') {
		fprintf(out, "  %-10s %s\n", title, text);
	}
}

/* ---- findings ---- */

static void write_attempt(FILE *out, const char *indent, const json_t *attempt, const char *when) {
	char moment[MOMENT_TEXT_MAX];
	const char *before = facts_text(attempt, "before"), *after = facts_text(attempt, "after");
	const char *by = facts_text(attempt, "by");
	fprintf(out, "%s%s%s%s: %s", indent, moment_text(facts_text(attempt, when), moment),
		by[0] != '\0' ? " by " : "", by, facts_text(attempt, "outcome"));
	fprintf(out, "%s%s%s%s\n", before[0] != '\0' ? "; before: " : "", before,
		after[0] != '\0' ? "; after: " : "", after);
}

static void write_remedies(FILE *out, const json_t *finding) {
	const json_t *remedy, *attempt;
	size_t i, k;
	json_array_foreach(json_object_get(finding, "remedies"), i, remedy) {
		const json_t *tried = json_object_get(remedy, "tried");
		if (json_array_size(tried) == 0) {
			continue;
		}
		fprintf(out, "    tried: %s\n", facts_text(remedy, "title"));
		json_array_foreach(tried, k, attempt) {
			write_attempt(out, "      ", attempt, "at");
		}
	}
}

static void write_findings(FILE *out, const json_t *target) {
	const json_t *finding, *proof;
	char text[REPORT_PROOF_MAX];
	size_t i, k;
	if (json_array_size(json_object_get(target, "findings")) == 0) {
		fprintf(out, "  Nothing was found.\n");
	}
	json_array_foreach(json_object_get(target, "findings"), i, finding) {
		const char *because = facts_text(finding, "because_of");
		fprintf(out, "  %zu. %s (%s, %s, %jd %% sure)\n", i + 1,
			facts_text(finding, "summary"), facts_text(finding, "fault"),
			facts_text(finding, "severity"),
			(intmax_t) facts_number(finding, "confidence", 0));
		if (because[0] != '\0' && strcmp(because, "none") != 0) {
			fprintf(out, "    probably because of: %s\n", because);
		}
		json_array_foreach(json_object_get(finding, "proof"), k, proof) {
			fprintf(out, "    %s\n", report_proof(proof, text));
		}
		write_remedies(out, finding);
	}
}

static void write_unknown(FILE *out, const json_t *target) {
	const json_t *check;
	size_t i, n = 0;
	json_array_foreach(json_object_get(target, "checks"), i, check) {
		if (strcmp(facts_text(check, "result"), "unknown") == 0) {
			fprintf(out, "%s    %s\n", n++ == 0 ? "\n  Could not be measured:\n" : "",
				facts_text(check, "title"));
		}
	}
}

static void write_attempts(FILE *out, const json_t *history) {
	const json_t *attempts = json_object_get(history, "attempts"), *attempt;
	char remedy[REPORT_WORD_MAX];
	size_t i;
	fprintf(out, "\n  Everything tried:%s\n", json_array_size(attempts) == 0 ? " nothing" : "");
	json_array_foreach(attempts, i, attempt) {
		const char *fault = facts_text(attempt, "fault");
		fprintf(out, "    %s%s%s\n", report_word(facts_text(attempt, "remedy"), remedy),
			fault[0] != '\0' ? ", against " : "", fault);
		write_attempt(out, "      ", attempt, "begun");
	}
}

/* ---- is it time to ask the maker? ---- */

struct standing {
	size_t n_serious, n_open; /* findings; remedies that nobody has tried */
	const char *open[4];      /* titles of some of these */
};

static bool has_been_tried(const json_t *remedy) {
	const json_t *attempt;
	size_t i;
	json_array_foreach(json_object_get(remedy, "tried"), i, attempt) {
		const char *outcome = facts_text(attempt, "outcome");
		if (strcmp(outcome, "running") != 0 && strcmp(outcome, "abandoned") != 0) {
			return true;
		}
	}
	return false;
}

/* What comes from another finding is not counted: that one is to be cured. */
static struct standing standing_of(const json_t *target) {
	struct standing standing = { 0 };
	const json_t *finding, *remedy;
	size_t i, k;
	json_array_foreach(json_object_get(target, "findings"), i, finding) {
		const char *severity = facts_text(finding, "severity");
		const char *because = facts_text(finding, "because_of");
		bool is_serious = strcmp(severity, "error") == 0 ||
				  strcmp(severity, "critical") == 0 ||
				  strcmp(severity, "warning") == 0;
		if (!is_serious || (because[0] != '\0' && strcmp(because, "none") != 0)) {
			continue;
		}
		standing.n_serious++;
		json_array_foreach(json_object_get(finding, "remedies"), k, remedy) {
			if (strcmp(facts_text(remedy, "name"), LAST_RESORT) == 0 ||
				has_been_tried(remedy)) {
				continue;
			}
			if (standing.n_open < ARRAY_SIZE(standing.open)) {
				standing.open[standing.n_open] = facts_text(remedy, "title");
			}
			standing.n_open++;
		}
	}
	return standing;
}

static const json_t *last_resort(const json_t *target) {
	const json_t *finding, *remedy;
	size_t i, k;
	json_array_foreach(json_object_get(target, "findings"), i, finding) {
		json_array_foreach(json_object_get(finding, "remedies"), k, remedy) {
			if (strcmp(facts_text(remedy, "name"), LAST_RESORT) == 0) {
				return remedy;
			}
		}
	}
	return NULL;
}

static void write_contact(FILE *out, const json_t *target) {
	struct standing standing = standing_of(target);
	const json_t *step, *remedy = last_resort(target);
	const char *support = facts_text(target, "support");
	size_t i, n = standing.n_open < ARRAY_SIZE(standing.open) ? standing.n_open
								  : ARRAY_SIZE(standing.open);
	if (standing.n_serious == 0) {
		fprintf(out, "\n  Time to ask the maker: no, nothing serious was found.\n");
	} else if (standing.n_open == 0) {
		fprintf(out, "\n  Time to ask the maker: yes, everything that helps at home was "
			     "tried.\n");
	} else {
		fprintf(out, "\n  Time to ask the maker: not yet, %zu %s not tried:\n",
			standing.n_open, standing.n_open == 1 ? "remedy was" : "remedies were");
		for (i = 0; i < n; i++) {
			fprintf(out, "    %s\n", standing.open[i]);
		}
		fprintf(out, "%s", standing.n_open > n ? "    ...\n" : "");
	}
	if (support[0] != '\0') {
		fprintf(out, "  The maker: %s\n", support);
	}
	json_array_foreach(json_object_get(remedy, "steps"), i, step) {
		fprintf(out, "    %s\n", json_is_string(step) ? json_string_value(step) : "");
	}
}

/* ---- locks and the hub ---- */

static void write_state(FILE *out, const json_t *facts) {
	char text[160], moment[MOMENT_TEXT_MAX];
	int64_t percent = facts_number(facts, "battery_percent", -1);
	int64_t rssi = facts_number(facts, "rssi", 0);
	line(out, "state", facts_text(facts, "state"));
	snprintf(text, sizeof(text), "%s", facts_text(facts, "battery_level"));
	if (percent >= 0) {
		snprintf(text, sizeof(text), "%s, %jd %%", facts_text(facts, "battery_level"),
			(intmax_t) percent);
	}
	line(out, "battery", text);
	snprintf(text, sizeof(text), "%s, heard last %s",
		facts_flag(facts, "reachable") ? "reachable" : "not reachable",
		moment_text(facts_text(facts, "last_seen"), moment));
	if (rssi != 0) {
		snprintf(text, sizeof(text), "%s, %jd dBm",
			facts_flag(facts, "reachable") ? "reachable" : "not reachable",
			(intmax_t) rssi);
	}
	line(out, "radio", text);
}

/* The messages that people saw, newest last. */
static void write_errors(FILE *out, const struct bundle *bundle, const char *slug) {
	const json_t *event;
	size_t i, n = 0;
	char moment[MOMENT_TEXT_MAX];
	json_array_foreach(bundle->events, i, event) {
		const char *fault = facts_text(event, "fault");
		if (fault[0] == '\0' || strcmp(facts_text(event, "lock"), slug) != 0) {
			continue;
		}
		fprintf(out, "%s    %s %s (%s)\n", n++ == 0 ? "\n  Error messages:\n" : "",
			moment_text(facts_text(event, "time"), moment), facts_text(event, "line"),
			fault);
	}
}

static void write_lock(FILE *out, const struct bundle *bundle, const json_t *target) {
	const char *slug = facts_text(target, "lock");
	const json_t *lock = json_object_get(bundle->locks, slug);
	const json_t *facts = json_object_get(lock, "facts");
	fprintf(out, "\nLOCK %s\n", slug);
	fprintf(out, "  %s\n", facts_text(target, "verdict"));
	line(out, "model", facts_text(target, "model"));
	line(out, "firmware", facts_text(target, "firmware"));
	line(out, "hardware", facts_text(facts, "hardware"));
	line(out, "serial", facts_text(target, "serial_hint"));
	if (facts != NULL) {
		write_state(out, facts);
	}
	fprintf(out, "\n");
	write_findings(out, target);
	write_unknown(out, target);
	write_errors(out, bundle, slug);
	write_attempts(out, json_object_get(lock, "history"));
	write_contact(out, target);
}

static void write_hub(FILE *out, const struct bundle *bundle, const json_t *target) {
	static const char *const known[] = { "version", "lockhubctl", "os", "kernel", "bluez" };
	const json_t *facts = json_object_get(target, "facts");
	const char *key;
	json_t *value;
	fprintf(out, "\nHUB\n");
	if (target != NULL) {
		fprintf(out, "  %s\n", facts_text(target, "verdict"));
	}
	line(out, "lockhubd", facts_text(bundle->hub, "version"));
	line(out, "lockhubctl", facts_text(bundle->hub, "lockhubctl"));
	line(out, "BlueZ", facts_text(facts, "bluez"));
	line(out, "kernel", facts_text(bundle->hub, "kernel"));
	line(out, "system", facts_text(bundle->hub, "os"));
	json_object_foreach((json_t *) facts, key, value) {
		bool is_told = false;
		for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
			is_told = is_told || strcmp(known[i], key) == 0;
		}
		if (!is_told && json_is_string(value)) {
			line(out, key, json_string_value(value));
		}
	}
	if (target != NULL) {
		fprintf(out, "\n");
		write_findings(out, target);
		write_unknown(out, target);
	}
}

/* ---- the file ---- */

static void write_files(FILE *out, const struct bundle *bundle) {
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "diagnosis.json", "all that was measured and found" },
		{ "history.json", "batteries, signal, operations and attempts over time" },
		{ "statistics.json", "the radio's counts, and all facts of the locks" },
		{ "events.json", "what happened lately" },
		{ "journal-lockhubd.txt", "the journal of the last day" },
		{ "journal-bluetooth.txt", "the same of bluetoothd" },
		{ "report.html", "the same for people, with charts" },
	};
	fprintf(out, "\nFILES\n");
	for (size_t i = 0; i < bundle->n_members; i++) {
		const char *text = "added by the person who made this";
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			text = strcmp(rows[k].name, bundle->members[i].name) == 0 ? rows[k].text
										  : text;
		}
		fprintf(out, "  %-22s %s\n", bundle->members[i].name, text);
	}
	if (bundle->no_journal[0] != '\0') {
		fprintf(out, "  %s\n", bundle->no_journal);
	}
}

static void write_privacy(FILE *out, const struct bundle *bundle) {
	fprintf(out, "\nTAKEN OUT\n");
	if (bundle->diagnosis == NULL) {
		fprintf(out, "  lockhubd could not be asked for the names of people: look for them "
			     "before you send this.\n");
	}
	for (int kind = 0; kind < REDACT_COUNT_; kind++) {
		size_t n = redact_count(bundle->redactor, (enum redact_kind) kind);
		if (n > 0) {
			fprintf(out, "  %zu times: %s\n", n,
				redact_kind_name((enum redact_kind) kind));
		}
	}
	fprintf(out, "  Pictures are as they were given.\n");
}

char *bundle_summary(const struct bundle *bundle, bool is_letter) {
	const json_t *targets = json_object_get(bundle->diagnosis, "targets"), *target;
	const json_t *hub = NULL;
	char *text = NULL, moment[MOMENT_TEXT_MAX];
	size_t size = 0, i;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL) {
		return NULL;
	}
	fprintf(out, "%s, %s\n",
		is_letter ? "A smart lock needs help" : "lockhub: summary for support",
		moment_format(bundle->now, moment));
	fprintf(out, "\n%s\n",
		bundle->diagnosis != NULL ? facts_text(bundle->diagnosis, "verdict")
					  : "lockhubd could not be asked; it may not be running.");
	json_array_foreach(targets, i, target) {
		if (is_hub(target)) {
			hub = target;
		} else {
			write_lock(out, bundle, target);
		}
	}
	write_hub(out, bundle, hub);
	if (!is_letter) {
		write_files(out, bundle);
		write_privacy(out, bundle);
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
