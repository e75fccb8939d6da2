/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One run of a diagnosis, as run.c leads it from stage to stage and probe.c asks locks for it. */

#include "judge.h"
#include "room.h"

/* Questions that a lock may be put: its state, its configuration, its battery. */
#define PROBES_PER_LOCK 3

enum stage {
	STAGE_SOURCES,
	STAGE_HUB_HISTORY,
	STAGE_PROBE,
	STAGE_LISTEN,
	STAGE_EVENTS,
	STAGE_HISTORY,
};

/* What one lock is asked. */
struct asked {
	char id[LOCK_ID_MAX];
	char op_id[OP_ID_MAX]; /* of the question that is under way; "" none */
	mono_t since;          /* of that */
	size_t next_probe;
	unsigned n_again;  /* questions put again, as the radio had no time for them */
	bool is_cut_short; /* a probe failed for a reason that the others would fail for too */
	bool was_crowded;  /* others were asked meanwhile */
	struct probe probes[PROBES_PER_LOCK];
	size_t n_probes;
};

struct run {
	struct list link; /* in diag->runs; alone when it has been dropped */
	struct diag *diag;
	unsigned n_pending; /* answers that hold it */
	bool is_dropped;
	struct diag_request request;
	mono_t stale_before;
	struct run_hooks hooks;
	enum stage stage;
	unsigned step, n_steps;

	size_t n_sources_pending;
	struct hub_facts hub;
	struct hub_facts from_sources;
	struct attempt *hub_attempts;
	size_t n_hub_attempts;
	bool has_listened, was_anything_heard;

	struct asked *locks;
	size_t n_locks;
	unsigned at_once; /* so many may be asked at the same time */
	mono_t listen_since;

	/* the lock that is being judged */
	size_t next_judged;
	struct lock_facts lock;
	size_t next_word; /* of rare_words */
	struct event *events;

	struct diag_facts facts;
	struct judgement *judgement;
	json_t *targets;
};

/* run.c: @slug "": of no lock in particular. */
void run_tell(struct run *run, const char *slug, const char *what);

/* probe.c: how many locks may be asked at a time, by what the sources tell of adapters. */
void run_probe_begin(struct run *run);
/*
 * Puts to the locks what is not known lately, as many of them at a time as the run allows.
 * @return true while an answer is waited for.
 */
bool run_probe(struct run *run);
/* @return true when it was a question of this run; run_probe() goes on. */
bool run_probe_finished(struct run *run, const struct op *op);
/* Nothing more is asked of this lock, nor waited for. */
void run_probe_leave(struct run *run, struct asked *asked);
