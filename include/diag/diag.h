/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The troubleshooter (docs/architecture.md, flow 13). It asks the hub's locks by ordinary
 * operations, the rooms by their sources, and the history; judges (judge.c); says what to do
 * (advice.h); does what the hub can do by itself, measures again and keeps what came of it. It
 * talks to no radio itself. Loop thread only; no callback from inside a call.
 *
 *	diag_run() ─► sources ─► probes (operations) ─► history, events ─► judge ─► JSON ─► done
 *	diag_fix() ─► diag_run ─► attempt (begun) ─► remedy ─► diag_run ─► attempt (ended) ─► done
 */

#include "diag/advice.h"

struct diag;

/* Whoever owns facts about the hub. gather() fills what it knows and calls done, from the loop. */
struct diag_source {
	const char *name;
	void (*gather)(void *user, struct hub_facts *facts, void (*done)(void *done_user),
		void *done_user);
	/* What the hub does itself; NULL: nothing. -ENOTSUP: not this source's business. */
	int (*act)(void *user, enum remedy_act act, struct fault *ret_fault);
	/*
	 * What came of it since, for what is only begun by act(): negative errno with the fault
	 * when it is certain that it failed, else 0. NULL: shows in the facts alone.
	 */
	int (*outcome)(void *user, enum remedy_act act, struct fault *ret_fault);
	/* Whether act() does that, as the hub is set up. NULL: nothing. */
	bool (*can)(void *user, enum remedy_act act);
	void *user;
};

struct diag_config {
	struct hub *hub;
	const char *models;  /* folders of model data, separated by ':', first wins */
	const char *version; /* of lockhub */
};

/* Reads the model data: blocks, at start-up only. @config is copied. NULL: no memory. */
struct diag *diag_new(const struct diag_config *config);
/*
 * For the hub's end, while the ledger can still answer: those who wait are told CANCELLED, nothing
 * is judged any more. Answers that are under way need @diag until the ledger is closed. Takes NULL.
 */
void diag_stop(struct diag *diag);
struct diag *diag_free(struct diag *diag); /* with diag_stop(), if that was not called */
AUTO_DEFINE(struct diag *, diag_free);
/* Before the first run; copied. At most 8. */
void diag_add_source(struct diag *diag, const struct diag_source *source);
/* What is due next; call diag_run_due() then. MONO_NEVER: nothing. */
mono_t diag_next_due(const struct diag *diag);
void diag_run_due(struct diag *diag);
/* Of a lock; never NULL. */
const struct model *diag_model(struct diag *diag, const struct lock *lock);

struct diag_request {
	char lock[LOCK_ID_MAX]; /* an id; "" the hub and all locks */
	bool is_hub_only;
	/* Nobody is asked anything: what is known already is judged. */
	bool is_quiet;
	bool is_security; /* how well it is protected, and nothing else */
	char actor[EVENT_USER_MAX];
	enum role role;
	enum request_origin origin;
};

struct diag_callbacks {
	/* "front: reading the battery"; @done of @all steps. May be NULL. */
	void (*progress)(void *user, const char *text, unsigned done, unsigned all);
	/*
	 * Once. @json: the diagnosis (docs/diagnosis.md), borrowed; NULL with a fault. The
	 * worst: "healthy", "findings" or "unchecked".
	 */
	void (*done)(void *user, const char *json, const char *worst, const struct fault *fault);
	void *user;
};

/* NO_SUCH_LOCK, DENIED (probing takes ROLE_OPERATE), QUEUE_FULL (8 run), NO_MEMORY. */
int diag_run(struct diag *diag, const struct diag_request *request,
	const struct diag_callbacks *callbacks, struct fault *ret_fault);

struct fix_request {
	char lock[LOCK_ID_MAX]; /* "" the hub */
	char fault[ATTEMPT_WORD_MAX];
	char remedy[ATTEMPT_WORD_MAX];
	/* What the remedy's .confirm says has been agreed to; of one for a person: it is done. */
	bool is_confirmed;
	char actor[EVENT_USER_MAX];
	enum role role;
	enum request_origin origin;
};
/* Who may have a remedy carried out. */
enum role diag_role_for(enum remedy_act remedy);
/*
 * Carries out one remedy that the hub can do by itself, or takes down that a person has done one,
 * and measures again. The JSON: {"outcome",
 * "before", "after", "diagnosis"}. BAD_ARGUMENT (no such remedy, not by the hub, not for this
 * fault), FACTOR_REQUIRED is never given: not confirmed is BAD_ARGUMENT with the sentence.
 */
int diag_fix(struct diag *diag, const struct fix_request *request,
	const struct diag_callbacks *callbacks, struct fault *ret_fault);

/* The history of one lock with its forecast as JSON (docs/diagnosis.md); @done as above. */
int diag_history(struct diag *diag, const char *lock, wall_t since,
	const struct diag_callbacks *callbacks, struct fault *ret_fault);

/*
 * What is known now, without asking anybody: for Home Assistant. @changed is emitted with the
 * struct lock when the first finding, or the forecast by a day, is another one.
 */
struct diag_view {
	struct finding first;                 /* .fault FAULT_NONE: healthy */
	enum fault_code faults[FINDINGS_MAX]; /* of all findings, the first included */
	size_t n_faults;
	int link_percent; /* of the attempts of the last 7 days that gave a link; -1: too few */
	char verdict[240];
	struct forecast forecast;
	wall_t battery_changed_at;
};
void diag_view(struct diag *diag, const struct lock *lock, struct diag_view *ret);
struct signal *diag_changed(struct diag *diag);
