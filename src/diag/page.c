/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "page.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "util/catalog.h"
#include "util/text.h"

#define BODY_MAX 3500

static const char generated[] =
	"<!-- Made by lockhub-pages from src/util/fault-rows.c, src/diag/advice.c and remedies.c: "
	"change those and run ninja troubleshooting-pages. -->\n\n";

static const char *risk_text(enum remedy_risk risk) {
	switch (risk) {
	case RISK_NONE:
		return "nothing can go wrong";
	case RISK_LOW:
		return "little can go wrong";
	case RISK_MIDDLE:
		return "with care";
	case RISK_HIGH:
		return "with loss of data in the lock";
	}
	return "";
}

static const char *model_text(enum model_steps which) {
	switch (which) {
	case STEPS_NONE:
		break;
	case STEPS_BATTERY_CHANGE:
		return "where its batteries are";
	case STEPS_FACTORY_RESET:
		return "how it is reset";
	case STEPS_PAIRING:
		return "how it is paired";
	case STEPS_RESTART:
		return "how it is restarted";
	case STEPS_CALIBRATE:
		return "how it is calibrated";
	case STEPS_FIRMWARE:
		return "how it is updated";
	case STEPS_CONTACT:
		return "how its maker can be reached";
	}
	return NULL;
}

static const struct check *check_named(const char *name) {
	const struct check *check;

	for (size_t i = 0; (check = check_at(i)) != NULL; i++) {
		if (text_equal(check->name, name)) {
			return check;
		}
	}
	return NULL;
}

static void print_remedy(FILE *out, const struct remedy *remedy, unsigned number) {
	const struct check *check = check_named(remedy->verify);
	const char *model = model_text(remedy->model_steps);

	fprintf(out, "%u. **%s** (", number, remedy->title);
	if (remedy->effort_min > 0) {
		fprintf(out, "%d min", remedy->effort_min);
	} else {
		fputs("no work for you", out);
	}
	fprintf(out, ", %s%s)", risk_text(remedy->risk),
		remedy->act != REMEDY_BY_PERSON ? "; the hub can do it: `lockhubctl fix`" : "");
	fputs(remedy->is_last_resort ? ". A last resort.\n" : "\n", out);
	if (remedy->confirm[0] != '\0') {
		fprintf(out, "   - Mind: %s\n", remedy->confirm);
	}
	if (remedy->command[0] != '\0') {
		fprintf(out, "   - `%s`\n", remedy->command);
	}
	for (size_t i = 0; i < ARRAY_SIZE(remedy->steps) && remedy->steps[i] != NULL; i++) {
		fprintf(out, "   - %s\n", remedy->steps[i]);
	}
	if (model != NULL) {
		fprintf(out, "   - `lockhubctl doctor LOCK --verbose` says for your model %s.\n",
			model);
	}
	if (check != NULL) {
		fprintf(out, "   - Whether it helped: check *%s* (`%s`).\n", check->title,
			check->name);
	}
}

static void print_link(FILE *out, enum fault_code fault) {
	fprintf(out, "- [%s](%s.md)\n", fault_row(fault)->summary, fault_name(fault));
}

static bool explains(const struct advice *advice, enum fault_code fault) {
	for (size_t i = 0; i < ARRAY_SIZE(advice->explains) && advice->explains[i] != FAULT_NONE;
		i++) {
		if (advice->explains[i] == fault) {
			return true;
		}
	}
	return false;
}

static void print_family(FILE *out, const struct advice *advice, enum fault_code fault) {
	size_t n = 0;
	const struct advice *rows = advice_rows(&n);
	bool is_first = true;

	for (size_t i = 0; i < n; i++) {
		if (!explains(&rows[i], fault)) {
			continue;
		}
		if (is_first) {
			fputs("\n## What may be behind it\n\n", out);
			is_first = false;
		}
		print_link(out, rows[i].fault);
	}
	if (advice == NULL || advice->explains[0] == FAULT_NONE) {
		return;
	}
	fputs("\n## What may come of it\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(advice->explains) && advice->explains[i] != FAULT_NONE;
		i++) {
		print_link(out, advice->explains[i]);
	}
}

void page_print_fault(FILE *out, enum fault_code fault) {
	const struct fault_row *row = fault_row(fault);
	const struct advice *advice = advice_for(fault);

	fprintf(out, "%s# %s\n\n", generated, row->summary);
	if (advice == NULL) {
		fputs("An answer to a request: it is over with it, and nothing has to be "
		      "repaired.\n\n",
			out);
	} else {
		fprintf(out, "%s\n\nSeverity: %s.\n\n", advice->meaning,
			severity_name(advice->severity));
	}
	fprintf(out, "First of all: %s.\n", row->hint);
	if (advice != NULL) {
		fputs("\n## What to do, the least effort first\n\n", out);
		for (unsigned i = 0; advice->remedies[i] != NULL; i++) {
			const struct remedy *remedy = remedy_find(advice->remedies[i]);
			assert(remedy != NULL);
			print_remedy(out, remedy, i + 1);
		}
	}
	print_family(out, advice, fault);
	fprintf(out,
		"\n## Where it shows\n\n"
		"- In a message: `%s`\n"
		"- In `lockhubctl doctor` and in Home Assistant: `%s`\n"
		"- On D-Bus: `%s`\n"
		"- In the journal: `journalctl MESSAGE_ID=%s`\n\n"
		"[All faults](README.md)\n",
		row->summary, row->name, row->dbus, row->message_id);
}

/* ---- index ---- */

/* What people ask, and where the answer is. */
static const struct {
	const char *question;
	const char *answer;
} questions[] = {
	{ "Why does my lock not work?",
		"Run `lockhubctl doctor LOCK`. It asks hub and lock, names the cause with what was "
		"measured, and what to do, the least effort first. `lockhubctl fix LOCK` does what "
		"the hub can do by itself and measures again." },
	{ "The lock does not respond. What now?",
		"Press its own button. If it moves, the lock is well and the way to the hub is the "
		"matter: [not heard](lock-not-heard.md), [out of range](out-of-range.md), "
		"[held by another device](lock-taken.md). If it does not, its batteries are empty: "
		"[gone silent](lock-dead.md)." },
	{ "Can I still use the key?",
		"Yes, where the lock has one: a key turns the bolt with the electronics dead, the "
		"hub "
		"off or the network gone. The lock notices it, and the hub shows it in `lockhubctl "
		"log --lock LOCK` as moved by hand. `lockhubctl show LOCK` and the doctor say "
		"whether your model has a key; without one see [locked out](lockout-risk.md)." },
	{ "It locks with the door open, but not shut.",
		"The bolt does not meet the frame: [the bolt binds when the door is "
		"shut](misaligned.md). If it jams always: [stiff](bolt-stiff.md); if it lost its "
		"way: [not calibrated](not-calibrated.md)." },
	{ "The batteries last no time at all.",
		"[Batteries empty faster than usual](battery-drain.md): the doctor weighs the "
		"causes. "
		"A level that looks good while the motor is weak: [cells give "
		"way](cells-weak.md)." },
	{ "How secure is it?",
		"Run `lockhubctl doctor security`: the protocol of each lock and its class, second "
		"factor, PIN and codes, alarms, the log's chain, the broker and the Wi-Fi." },
	{ "Home Assistant says unavailable.",
		"Run `lockhubctl doctor hub`. Mostly the broker: [cannot be "
		"reached](broker-unreachable.md), [its name](broker-name.md), [its "
		"certificate](broker-tls.md), [the password](broker-refused.md), [the access "
		"list](broker-denied.md)." },
	{ "When is it time for the maker's support?",
		"When every step of the doctor's list has been tried and it says so. `lockhubctl "
		"support-bundle LOCK` makes one file with all that they ask for, and no secrets." },
};

static int compare_by_summary(const void *a, const void *b) {
	enum fault_code x;
	enum fault_code y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return strcmp(fault_row(x)->summary, fault_row(y)->summary);
}

void page_print_index(FILE *out) {
	enum fault_code codes[FAULT_COUNT_];
	size_t n = 0;

	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		codes[n++] = (enum fault_code) i;
	}
	qsort(codes, n, sizeof(codes[0]), compare_by_summary);
	fprintf(out, "%s# When something does not work\n\n", generated);
	fputs("First of all run `lockhubctl doctor LOCK`. How it comes to its conclusions: "
	      "[docs/diagnosis.md](../diagnosis.md).\n\n## What people ask\n\n",
		out);
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		fprintf(out, "**%s** %s\n\n", questions[i].question, questions[i].answer);
	}
	fputs("## By the text of the message\n\n"
	      "| message | name | how bad |\n|---|---|---|\n",
		out);
	for (size_t i = 0; i < n; i++) {
		const struct fault_row *row = fault_row(codes[i]);
		const struct advice *advice = advice_for(codes[i]);
		fprintf(out, "| [%s](%s.md) | `%s` | %s |\n", row->summary, row->name, row->name,
			advice != NULL ? severity_name(advice->severity) : "an answer");
	}
}

/* ---- catalog ---- */

static void catalog_body(enum fault_code fault, char out[static BODY_MAX]) {
	const struct fault_row *row = fault_row(fault);
	const struct advice *advice = advice_for(fault);
	size_t n = 0;
	FILE *body = fmemopen(out, BODY_MAX, "w");

	assert(body != NULL);
	if (advice != NULL) {
		fprintf(body, "%s\n\n", advice->meaning);
	}
	fprintf(body, "What to do next: %s.\n\n", row->hint);
	if (advice != NULL) {
		fputs("In this order:", body);
		for (unsigned i = 0; advice->remedies[i] != NULL; i++) {
			const struct remedy *remedy = remedy_find(advice->remedies[i]);
			assert(remedy != NULL);
			fprintf(body, "%s %u. %s", i > 0 ? ";" : "", i + 1, remedy->title);
		}
		fputs(".\n\n", body);
	}
	fprintf(body, "Fault name: %s", row->name);
	n = (size_t) ftell(body);
	fclose(body);
	assert(n < BODY_MAX);
}

void page_print_catalog(FILE *out) {
	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		const struct fault_row *row = fault_row((enum fault_code) i);
		char body[BODY_MAX];
		catalog_body((enum fault_code) i, body);
		catalog_print_row(out, row->message_id, row->summary, body);
	}
}
