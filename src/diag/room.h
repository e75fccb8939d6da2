/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of this room share that run a diagnosis.
 *
 *	diag.c    the troubleshooter's life, requests
 *	run.c     one run, from the sources to the judgement;  probe.c what it asks the locks
 *	gather.c  what the hub itself knows, as facts
 *	fix.c     a remedy carried out between two runs;  view.c what Home Assistant is shown
 *	json.c    a judgement as people's programs get it;  model.c the model data
 *
 * The knowledge is elsewhere, and pure: judge.c and check-*.c, advice.c, forecast.c.
 */

#include <jansson.h>

#include "core/people.h"
#include "diag/diag.h"
#include "util/list.h"

/* model.c */
struct models;
/* Reads every *.ini of @folders (separated by ':', the first of a name wins). NULL: no memory. */
struct models *models_new(const char *folders);
struct models *models_free(struct models *models);
AUTO_DEFINE(struct models *, models_free);
size_t models_count(const struct models *models);
/*
 * The one of that driver whose firmware begins with the same number; a file without a number fits
 * all of its brand, when no better one does. @model: what the lock calls itself, "" not known.
 * Never NULL: all unknown when none fits.
 */
const struct model *models_find(
	const struct models *models, const char *brand, const char *firmware, const char *model);

/* json.c: new references; NULL: no memory */
/* What a run found out about the hub or one lock. */
struct target {
	const struct diag_facts *facts;
	const struct judgement *judgement;
	const struct attempt *attempts; /* of this lock or the hub; oldest first */
	size_t n_attempts;
	const struct diag *diag;
};
json_t *json_target(const struct target *target);
/* Takes @take_targets. */
json_t *json_diagnosis(const struct diag *diag, wall_t now, json_t *take_targets);
json_t *json_history(const char *lock_id, const char *slug, wall_t since,
	const struct history *history, const struct forecast *forecast);
/* "healthy", "findings", "unchecked": static. */
const char *judgement_worst(const struct judgement *judgement);
/* "6 %": what a proof says, short; returns out. */
char *proof_reading(const struct proof *proof, char *out, size_t size);
/* "level told by the lock: 6 %"; of all proofs of a check; returns out. */
char *proofs_text(const struct proof *proofs, size_t n, char *out, size_t size);

/* diag.c */
#define DIAG_SOURCES_MAX 8
#define DIAG_RUNS_MAX 8
struct diag {
	struct hub *hub;
	const struct clock *clock;
	char version[64];
	struct models *models;
	struct diag_source sources[DIAG_SOURCES_MAX];
	size_t n_sources;
	struct list runs;  /* struct run */
	struct list fixes; /* struct fix */
	struct list views; /* struct view */
	struct signal changed;
	struct listener op_finished, scan_ended, sync_changed;
	struct listener lock_changed, lock_added, lock_removed, radio_changed, event;
};
/*
 * Whether the hub can carry it out at all as it is set up. @lock NULL: one of the hub's own. With
 * false why not, where there is more to say than that.
 */
bool diag_can(const struct diag *diag, enum remedy_act act, const struct lock *lock);
bool act_of_remedy(enum remedy_act remedy, enum act *ret);

/* run.c */
struct run;
struct run_hooks {
	/* Each target as it was judged; may be NULL. @lock_id "": the hub. */
	void (*judged)(void *user, const char *lock_id, const struct diag_facts *facts,
		const struct judgement *judgement);
	void (*progress)(void *user, const char *text, unsigned done, unsigned all);
	/* Once. @take_json: NULL with a fault. */
	void (*done)(void *user, json_t *take_json, const char *worst, const struct fault *fault);
	void *user;
	bool is_in_passing; /* cheap: what is in memory and in the history; no source is asked */
};
/* What was known before @stale_before is asked for again, however new it is. 0: nothing is. */
int run_start(struct diag *diag, const struct diag_request *request, mono_t stale_before,
	const struct run_hooks *hooks, struct run **ret_run, struct fault *ret_fault);
/* done() is not called. Takes NULL. */
void run_drop(struct run *run);
void runs_op_finished(struct diag *diag, const struct op *op);
void runs_scan_ended(struct diag *diag);
void runs_lock_removed(struct diag *diag, const struct lock *lock);
/* Tells those who wait CANCELLED. */
void runs_cancel_all(struct diag *diag);

/* gather.c */
/* Fills in what the hub itself knows. */
void gather_hub(const struct diag *diag, struct hub_facts *facts);
void gather_lock(const struct diag *diag, const struct lock *lock, struct lock_facts *facts);
/* The history's part of the facts, borrowed. */
void gather_history(
	const struct diag *diag, const struct history *history, struct lock_facts *facts);

/* fix.c */
void fixes_op_finished(struct diag *diag, const struct op *op);
void fixes_sync_changed(struct diag *diag, const struct lock *lock);
void fixes_cancel_all(struct diag *diag);
mono_t fixes_next_due(const struct diag *diag);
void fixes_run_due(struct diag *diag);

/* view.c */
void views_lock_added(struct diag *diag, const struct lock *lock);
void views_lock_removed(struct diag *diag, const struct lock *lock);
/* Something that matters has changed; NULL: at all of them. */
void views_touch(struct diag *diag, const struct lock *lock);
/* An alarm, or what ends one: nobody is to wait a minute for that. */
void views_hurry(struct diag *diag, const char *lock_id);
void views_free_all(struct diag *diag);
mono_t views_next_due(const struct diag *diag);
void views_run_due(struct diag *diag);
