/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs the checks in the order of their table, then puts what they found into order: what another
 * finding explains is marked and goes below it; the others by how bad they are, with all that they
 * explain, and how sure they are.
 */

#include "judge.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* In order of dependency: who can be the cause of whom. */
static const struct check *const groups[] = { radio_checks, hub_checks, network_checks,
	setup_checks, connection_checks, battery_checks, mechanics_checks, codes_checks,
	firmware_checks, security_checks, reported_checks };

/* Below it a finding is too uncertain to be offered as the reason of another one. */
#define CAUSE_CONFIDENCE_LEAST 40
/* Below it the verdict says "probably". */
#define VERDICT_CONFIDENCE 70

const struct check *check_at(size_t i) {
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		for (const struct check *check = groups[g]; check->name != NULL; check++) {
			if (i-- == 0) {
				return check;
			}
		}
	}
	return NULL;
}

/* ---- proof ---- */

__attribute__((format(printf, 4, 0))) static struct proof *proof_put(
	struct judge *judge, enum evidence_how how, wall_t at, const char *format, va_list args) {
	struct check_row *row = judge->row;

	if (row->n_proofs == PROOFS_MAX) {
		return NULL;
	}
	struct proof *new = &row->proofs[row->n_proofs++];
	char text[2 * PROOF_TEXT_MAX];
	if (vsnprintf(text, sizeof(text), format, args) < 0) {
		text[0] = '\0';
	}
	text_sanitize(text);
	*new = (struct proof){ .unit = "", .at = at, .how = how };
	(void) text_copy(new->text, sizeof(new->text), text);
	return new;
}

void proof(struct judge *judge, enum evidence_how how, wall_t at, const char *format, ...) {
	va_list args;

	va_start(args, format);
	(void) proof_put(judge, how, at, format, args);
	va_end(args);
}

void proof_value(struct judge *judge, double value, const char *unit, enum evidence_how how,
	wall_t at, const char *format, ...) {
	va_list args;

	va_start(args, format);
	struct proof *new = proof_put(judge, how, at, format, args);
	va_end(args);
	if (new != NULL) {
		new->has_value = true;
		new->value = value;
		new->unit = unit;
	}
}

/* ---- findings ---- */

static struct finding *find_finding(const struct judgement *out, enum fault_code fault) {
	for (size_t i = 0; i < out->n_findings; i++) {
		if (out->findings[i].fault == fault) {
			return (struct finding *) &out->findings[i];
		}
	}
	return NULL;
}

bool is_accused(const struct judge *judge, enum fault_code fault) {
	return find_finding(judge->out, fault) != NULL;
}

void accuse(struct judge *judge, enum fault_code fault, int sureness) {
	const struct advice *advice = advice_for(fault);
	struct finding *finding = find_finding(judge->out, fault);

	assert(fault != FAULT_NONE && sureness > 0 && sureness <= 100);
	if (finding != NULL) {
		if (sureness > finding->confidence) {
			finding->confidence = sureness;
		}
		return;
	}
	if (judge->out->n_findings == FINDINGS_MAX) {
		return; /* 24 others are enough to act on */
	}
	finding = &judge->out->findings[judge->out->n_findings++];
	*finding = (struct finding){
		.fault = fault,
		.check = judge->check->name,
		.topic = judge->check->topic,
		.severity = advice != NULL ? advice->severity : SEVERITY_WARNING,
		.confidence = sureness,
	};
}

enum check_result hint(struct judge *judge, enum fault_code fault, int sureness) {
	if (!judge->is_security) {
		return CHECK_OK;
	}
	accuse(judge, fault, sureness);
	return CHECK_BAD;
}

int confidence(double have, double enough, int least, int most) {
	double part = enough > 0 ? have / enough : 1;

	if (part < 0) {
		part = 0;
	}
	return part >= 1 ? most : least + (int) ((most - least) * part + 0.5);
}

/* ---- running ---- */

static const struct check_row *find_row(const struct judgement *out, const char *name) {
	for (size_t i = 0; i < out->n_checks; i++) {
		if (strcmp(out->checks[i].name, name) == 0) {
			return &out->checks[i];
		}
	}
	return NULL;
}

static bool is_ready(const struct judge *judge, const struct check *check) {
	for (size_t i = 0; i < ARRAY_SIZE(check->after) && check->after[i] != NULL; i++) {
		const struct check_row *row = find_row(judge->out, check->after[i]);
		/* Not there: another part alone is being judged. */
		if (row != NULL && (row->result == CHECK_BAD || row->result == CHECK_SKIPPED)) {
			return false;
		}
	}
	return true;
}

static void run_check(struct judge *judge, const struct check *check) {
	struct judgement *out = judge->out;

	assert(out->n_checks < CHECKS_MAX);
	judge->check = check;
	judge->row = &out->checks[out->n_checks];
	*judge->row = (struct check_row){
		.name = check->name,
		.title = check->title,
		.topic = check->topic,
		.result = CHECK_SKIPPED,
	};
	if (is_ready(judge, check)) {
		judge->row->result = check->run(judge);
	}
	out->n_checks++;
	if (check->is_vital && judge->row->result == CHECK_UNKNOWN) {
		out->is_unchecked = true;
	}
	for (size_t i = 0; i < out->n_findings; i++) {
		struct finding *finding = &out->findings[i];
		if (finding->check == check->name) {
			memcpy(finding->proofs, judge->row->proofs, sizeof(finding->proofs));
			finding->n_proofs = judge->row->n_proofs;
		}
	}
}

/* ---- order ---- */

/* An error that is rather sure weighs more than a warning that is certain. */
static int severity_weight(enum severity severity) {
	switch (severity) {
	case SEVERITY_INFO:
		return 1;
	case SEVERITY_WARNING:
		return 4;
	case SEVERITY_ERROR:
		return 8;
	case SEVERITY_CRITICAL:
		return 16;
	}
	return 1;
}

static bool explains(const struct finding *cause, const struct finding *finding) {
	const struct advice *advice = advice_for(cause->fault);

	if (advice == NULL || cause->confidence < CAUSE_CONFIDENCE_LEAST || cause == finding) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(advice->explains) && advice->explains[i] != FAULT_NONE;
		i++) {
		if (advice->explains[i] == finding->fault) {
			return true;
		}
	}
	return false;
}

static void mark_explained(struct judgement *out) {
	for (size_t i = 0; i < out->n_findings; i++) {
		struct finding *finding = &out->findings[i];
		int best = 0;
		for (size_t k = 0; k < out->n_findings; k++) {
			const struct finding *cause = &out->findings[k];
			int weight = severity_weight(cause->severity) * cause->confidence;
			if (explains(cause, finding) && weight > best) {
				best = weight;
				finding->because_of = cause->fault;
			}
		}
	}
}

struct place {
	struct finding finding;
	int depth; /* of causes above it */
	int weight;
	size_t was;
};

static int depth_of(const struct judgement *out, const struct finding *finding) {
	int depth = 0;

	/* The table has no circles (test-advice); a bound all the same. */
	while (finding != NULL && finding->because_of != FAULT_NONE && depth < FINDINGS_MAX) {
		finding = find_finding(out, finding->because_of);
		depth++;
	}
	return depth;
}

/* The worst of what it explains counts as its own. */
static enum severity worst_below(const struct judgement *out, const struct finding *finding) {
	enum severity worst = finding->severity;

	for (size_t i = 0; i < out->n_findings; i++) {
		const struct finding *at = &out->findings[i];
		for (int depth = 0;
			at != NULL && at->because_of != FAULT_NONE && depth < FINDINGS_MAX;
			depth++) {
			at = find_finding(out, at->because_of);
			if (at == finding && out->findings[i].severity > worst) {
				worst = out->findings[i].severity;
			}
		}
	}
	return worst;
}

static int compare_places(const void *a, const void *b) {
	const struct place *x = a;
	const struct place *y = b;

	if (x->depth != y->depth) {
		return x->depth - y->depth;
	}
	if (x->weight != y->weight) {
		return y->weight - x->weight;
	}
	return (x->was > y->was) - (x->was < y->was);
}

static void put_in_order(struct judgement *out) {
	struct place places[FINDINGS_MAX];

	mark_explained(out);
	for (size_t i = 0; i < out->n_findings; i++) {
		const struct finding *finding = &out->findings[i];
		places[i] = (struct place){
			.finding = *finding,
			.depth = depth_of(out, finding),
			.weight = severity_weight(worst_below(out, finding)) * finding->confidence,
			.was = i,
		};
	}
	if (out->n_findings > 1) {
		qsort(places, out->n_findings, sizeof(places[0]), compare_places);
	}
	for (size_t i = 0; i < out->n_findings; i++) {
		out->findings[i] = places[i].finding;
	}
}

/* ---- verdict ---- */

static void make_verdict(struct judgement *out, const char *what) {
	size_t n_causes = 0;

	for (size_t i = 0; i < out->n_findings; i++) {
		n_causes += out->findings[i].because_of == FAULT_NONE;
	}
	if (out->n_findings == 0) {
		snprintf(out->verdict, sizeof(out->verdict),
			out->is_unchecked
				? "Nothing wrong was found, but what matters most about the %s "
				  "could not be measured."
				: "The %s is healthy.",
			what);
		return;
	}

	const struct finding *first = &out->findings[0];
	const struct advice *advice = advice_for(first->fault);
	const struct remedy *remedy = advice != NULL && advice->remedies[0] != NULL
					      ? remedy_find(advice->remedies[0])
					      : NULL;
	char more[64] = "";
	if (n_causes > 1) {
		snprintf(more, sizeof(more), " And %zu more finding%s.", n_causes - 1,
			n_causes > 2 ? "s" : "");
	}
	char text[2 * sizeof(out->verdict)];
	int n = snprintf(text, sizeof(text), "%s%s.%s%s%s%s",
		first->confidence < VERDICT_CONFIDENCE ? "Probably: " : "",
		fault_row(first->fault)->summary, remedy != NULL ? " Next step: " : "",
		remedy != NULL ? remedy->title : "", remedy != NULL ? "." : "", more);
	assert(n > 0 && (size_t) n < sizeof(text));
	(void) text_copy(out->verdict, sizeof(out->verdict), text);
}

/* ---- doors ---- */

/* Old firmware is what known holes are open in. */
static bool is_about_security(const struct check *check) {
	return check->topic == TOPIC_SECURITY || check->topic == TOPIC_CODES ||
	       check->topic == TOPIC_FIRMWARE;
}

static void judge_all(const struct diag_facts *facts, bool is_security, struct judgement *ret) {
	struct judge judge = {
		.hub = &facts->hub,
		.lock = facts->lock,
		.now = facts->hub.now,
		.is_security = is_security,
		.out = ret,
	};

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		for (const struct check *check = groups[i]; check->name != NULL; check++) {
			if ((check->is_of_lock && facts->lock == NULL) ||
				(is_security && !is_about_security(check))) {
				continue;
			}
			run_check(&judge, check);
		}
	}
	put_in_order(ret);
	make_verdict(ret, facts->lock != NULL ? "lock" : "hub");
}

void diag_judge(const struct diag_facts *facts, struct judgement *ret) {
	judge_all(facts, false, ret);
}

void diag_judge_security(const struct diag_facts *facts, struct judgement *ret) {
	judge_all(facts, true, ret);
}

/* ---- the lock's part ---- */

static const struct check *check_named(const char *name) {
	const struct check *check;

	for (size_t i = 0; (check = check_at(i)) != NULL; i++) {
		if (strcmp(check->name, name) == 0) {
			return check;
		}
	}
	return NULL;
}

static bool is_of_lock(const char *check_name) {
	const struct check *check = check_named(check_name);

	return check != NULL && check->is_of_lock;
}

/* Something of the lock comes of it, at whatever remove. */
static bool is_cause_of_lock(const struct judgement *out, const struct finding *cause) {
	for (size_t i = 0; i < out->n_findings; i++) {
		const struct finding *at = &out->findings[i];
		if (!is_of_lock(at->check)) {
			continue;
		}
		for (int depth = 0; at != NULL && at != cause && depth < FINDINGS_MAX; depth++) {
			at = at->because_of != FAULT_NONE ? find_finding(out, at->because_of)
							  : NULL;
		}
		if (at == cause) {
			return true;
		}
	}
	return false;
}

static bool has_found(const struct judgement *out, const char *check_name) {
	for (size_t i = 0; i < out->n_findings; i++) {
		if (strcmp(out->findings[i].check, check_name) == 0) {
			return true;
		}
	}
	return false;
}

void judgement_keep_lock(struct judgement *out) {
	bool is_kept[FINDINGS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < out->n_findings; i++) {
		is_kept[i] = is_cause_of_lock(out, &out->findings[i]);
	}
	for (size_t i = 0; i < out->n_findings; i++) {
		if (is_kept[i]) {
			out->findings[n++] = out->findings[i];
		}
	}
	out->n_findings = n;
	n = 0;
	out->is_unchecked = false;
	for (size_t i = 0; i < out->n_checks; i++) {
		const struct check *check = check_named(out->checks[i].name);
		if (check == NULL || (!check->is_of_lock && !has_found(out, check->name))) {
			continue;
		}
		out->is_unchecked |= check->is_vital && out->checks[i].result == CHECK_UNKNOWN;
		out->checks[n++] = out->checks[i];
	}
	out->n_checks = n;
	make_verdict(out, "lock");
}
