/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From facts to findings (pure; any thread). A check looks at one thing and says what it measured;
 * what it finds wrong is a fault row with that evidence and a confidence. Causes come before what
 * they explain: a lock that is not heard because the adapter is off is no finding of its own.
 *
 *	facts ──► checks (table, in order of dependency) ──► findings ──► explained ──► ordered
 */

#include "diag/facts.h"

enum check_result { CHECK_OK, CHECK_BAD, CHECK_UNKNOWN, CHECK_SKIPPED };
enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_CRITICAL };
enum diag_topic {
	TOPIC_HUB,
	TOPIC_RADIO,
	TOPIC_NETWORK,
	TOPIC_CONNECTION,
	TOPIC_BATTERY,
	TOPIC_MECHANICS,
	TOPIC_SETUP,
	TOPIC_CODES,
	TOPIC_FIRMWARE,
	TOPIC_SECURITY,
	TOPIC_COUNT_,
};
const char *check_result_name(enum check_result result); /* "ok", "bad", "unknown", "skipped" */
const char *severity_name(enum severity severity);
const char *diag_topic_name(enum diag_topic topic); /* "connection" */

#define PROOF_TEXT_MAX 160
#define PROOFS_MAX 6
/* One measured thing. */
struct proof {
	char text[PROOF_TEXT_MAX]; /* "median signal over 7 days" */
	bool has_value;
	double value;
	const char *unit; /* static: "dBm", "%", "mV", "s", "" */
	wall_t at;        /* when it was measured; 0: now */
	enum evidence_how how;
};

#define CHECKS_MAX 64
struct check_row {
	const char *name;  /* "signal" */
	const char *title; /* "How strongly the lock is heard" */
	enum diag_topic topic;
	enum check_result result;
	struct proof proofs[PROOFS_MAX];
	size_t n_proofs;
};

#define FINDINGS_MAX 24
struct finding {
	enum fault_code fault;
	const char *check; /* name of the check */
	enum diag_topic topic;
	enum severity severity;
	int confidence; /* percent */
	struct proof proofs[PROOFS_MAX];
	size_t n_proofs;
	/* FAULT_NONE, or the finding that explains this one, which stands further up. */
	enum fault_code because_of;
};

struct judgement {
	struct check_row checks[CHECKS_MAX];
	size_t n_checks;
	struct finding findings[FINDINGS_MAX]; /* causes first, then by severity and confidence */
	size_t n_findings;
	bool is_unchecked; /* what matters most could not be measured */
	char verdict[240]; /* for a layman: "The batteries are nearly empty." */
};
