/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How facts are judged; private to the room. A check is a row of a table in check-TOPIC.c: it
 * looks at the facts, says with proof() what it measured, accuses when something is wrong, and
 * returns what became of it. The rules for all of them:
 *
 *  - Without its facts a check returns CHECK_UNKNOWN and accuses nobody.
 *  - Every number it compares with is a named constant with the source of the number.
 *  - A confidence comes from confidence(): so much for the least evidence with which the check
 *    speaks at all, more with every further observation, until more would not make it surer.
 *    Things that the lock, BlueZ or the kernel say themselves begin at SURE.
 */

#include "diag/advice.h"
#include "util/auto.h"

/* Told by whoever must know; and as sure as a conclusion from numbers may be at most. */
#define SURE 97
#define NEARLY_SURE 95

struct judge;

struct check {
	const char *name, *title;
	enum diag_topic topic;
	bool is_of_lock; /* not run when the hub alone is judged */
	bool is_vital;   /* unknown: the target counts as unchecked */
	/* Names of checks further up; skipped when one of these is bad or was skipped. */
	const char *after[3];
	enum check_result (*run)(struct judge *judge);
};

/* Each ends with a row without a name. */
extern const struct check hub_checks[];
extern const struct check radio_checks[];
extern const struct check network_checks[];
extern const struct check setup_checks[];
extern const struct check battery_checks[];
extern const struct check connection_checks[];
extern const struct check mechanics_checks[];
extern const struct check codes_checks[];
extern const struct check firmware_checks[];
extern const struct check security_checks[];
extern const struct check reported_checks[];
/* The @i-th check in the order in which they run; NULL beyond the last. For tests and for doors. */
const struct check *check_at(size_t i);

/* Judges the hub, or (facts->lock) the hub and one lock. Pure; any thread. */
void diag_judge(const struct diag_facts *facts, struct judgement *ret);
/* The same with the checks of TOPIC_SECURITY, _CODES and _FIRMWARE alone, hints included. */
void diag_judge_security(const struct diag_facts *facts, struct judgement *ret);
/*
 * Leaves in a judgement of a lock what is the lock's: its checks, what they found, and what of the
 * hub explains that, with its checks; and a verdict for it. What else the hub lacks stands on the
 * hub's own page.
 */
void judgement_keep_lock(struct judgement *judgement);

struct judge {
	const struct hub_facts *hub;
	const struct lock_facts *lock; /* NULL: the hub alone */
	wall_t now;
	bool is_security;
	struct judgement *out;
	struct check_row *row; /* of the check that runs */
	const struct check *check;
};

/* ---- what was measured ---- */

/* One more line of evidence of the check that runs; beyond PROOFS_MAX they are left out. */
void proof(struct judge *judge, enum evidence_how how, wall_t at, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The same with a number. @unit: static. */
void proof_value(struct judge *judge, double value, const char *unit, enum evidence_how how,
	wall_t at, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* ---- who is accused ---- */

/* The proof of the check becomes the finding's. A second time: the surer one counts. */
void accuse(struct judge *judge, enum fault_code fault, int confidence);
/* What is worth a word only when somebody asks how secure it is. @return what the check returns. */
enum check_result hint(struct judge *judge, enum fault_code fault, int confidence);
/* Whether an earlier check has accused it. */
bool is_accused(const struct judge *judge, enum fault_code fault);
/* From @least, with no more than was needed to speak, to @most when @have reaches @enough. */
int confidence(double have, double enough, int least, int most);

/* ---- evidence.c: looking things up; all of the lock at hand, which must not be NULL ---- */

/* As it stands, or as a probe was just answered; NULL. */
const struct fault *told(const struct judge *judge, enum fault_code fault);
/* told(), and if so the proof for it. */
bool is_told(struct judge *judge, enum fault_code fault);
/* Sum over the @n days up to and with today. */
uint64_t days_sum(const struct judge *judge, int n, enum day_key key);
/* The same, leaving out the days up to and with the one on which something was done against it. */
uint64_t days_sum_since(const struct judge *judge, int n, enum day_key key, wall_t since);
/* When something was done against this fault last, that did not turn out useless; 0 never. */
wall_t remedied_at(const struct judge *judge, enum fault_code fault);
/* The newest of its kind, NULL none. */
const struct sample *newest_sample(const struct judge *judge, enum sample_kind kind);
/*
 * Up to @most values of samples of that kind with from < at <= to, the newest first.
 * @return how many.
 */
size_t sample_values(const struct judge *judge, enum sample_kind kind, wall_t from, wall_t to,
	int32_t *ret, size_t most);
/* Of n > 0 values, which are put into order; the lower middle one. */
int32_t median_of(int32_t *values, size_t n);
/* Since the batteries were put in, as far as known; 0. */
wall_t batteries_since(const struct judge *judge);

/* How strongly the lock has been heard. */
struct strength {
	double median;   /* dBm */
	uint64_t n;      /* observations; 0: nothing is known */
	bool is_of_days; /* out of days, not only out of the last minutes */
};
#define STRENGTH_DAYS 7
void strength_of(const struct judge *judge, struct strength *ret);

/* "3.5.10" against "3.5.9": > 0 newer. Parts that are missing are 0. false: not a version. */
bool version_compare(const char *a, const char *b, int *ret);

/* ---- facts.c ---- */

/* Of which nothing is known: all texts "", all lists empty. */
extern const struct model model_unknown;
/* As hub_facts_init(), of a lock; .model is &model_unknown. */
void lock_facts_init(struct lock_facts *facts);

/* ---- remedies.c ---- */

/*
 * The steps for a person, of the row and the model together; @ret has MODEL_STEPS_MAX + 8 places.
 * LOCK still stands for the slug. @return how many.
 */
size_t remedy_steps(const struct remedy *remedy, const struct model *model,
	const char *ret[static MODEL_STEPS_MAX + 8]);
