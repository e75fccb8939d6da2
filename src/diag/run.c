/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One run: everything that is needed for a judgement.
 *
 *	sources ─► the hub's own attempts ─► probes, of several locks at a time ─► (listen)
 *	        ─► for each lock in turn: events ─► history ─► judged ─► next lock ...
 *	        ─► the hub judged last, as the probes have left it ─► done
 *
 * What comes back later finds its run in the list of runs, never by a pointer that may be stale;
 * but for the three answers that always come (a source's, the log's, the history's), which hold a
 * reference.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "util/text.h"

#define LISTEN_MS 6000
#define HEARING_MS 20000
#define HISTORY_DAYS 400
#define DAY_S 86400
#define STEPS_PER_LOCK (PROBES_PER_LOCK + 1) /* and the judgement */

static void next(struct run *run);

/* ---- life ---- */

static void run_free(struct run *run) {
	list_remove(&run->link);
	json_decref(run->targets);
	free(run->judgement);
	free(run->events);
	free(run->hub_attempts);
	free(run->locks);
	free(run);
}

/* @return true when somebody still has it: an answer that is to come frees it. */
static bool let_go(struct run *run) {
	if (run->is_dropped && run->n_pending == 0) {
		run_free(run);
		return false;
	}
	return !run->is_dropped;
}

void run_drop(struct run *run) {
	if (run == NULL) {
		return;
	}
	list_remove(&run->link);
	list_init(&run->link);
	run->is_dropped = true;
	(void) let_go(run);
}

static void finish(struct run *run, const struct fault *fault) {
	const struct run_hooks hooks = run->hooks;
	json_t *json = NULL;
	const char *worst = "";

	if (fault == NULL) {
		json = json_diagnosis(run->diag, run->hub.now, STEAL(run->targets));
		worst = json_string_value(json_object_get(json, "worst"));
	}
	run_drop(run);
	if (fault == NULL && (json == NULL || worst == NULL)) {
		struct fault no_memory;

		(void) fault_set(&no_memory, FAULT_NO_MEMORY, "the diagnosis");
		json_decref(json);
		hooks.done(hooks.user, NULL, "", &no_memory);
		return;
	}
	hooks.done(hooks.user, json, worst, fault);
}

void runs_cancel_all(struct diag *diag) {
	struct run *run, *following;

	list_for_each_safe(run, following, &diag->runs, link) {
		struct fault fault;

		(void) fault_set(&fault, FAULT_CANCELLED, "the hub stops");
		finish(run, &fault);
	}
}

void run_tell(struct run *run, const char *slug, const char *what) {
	char text[LOCK_SLUG_MAX + 64];

	if (run->hooks.progress != NULL) {
		(void) snprintf(
			text, sizeof(text), "%s%s%s", slug, slug[0] != '\0' ? ": " : "", what);
		run->hooks.progress(run->hooks.user, text, run->step, run->n_steps);
	}
}

/* ---- judging ---- */

static void judge(struct run *run, const struct attempt *attempts, size_t n_attempts) {
	const struct lock_facts *lock = run->facts.lock;
	struct target target = { .facts = &run->facts,
		.judgement = run->judgement,
		.attempts = attempts,
		.n_attempts = n_attempts,
		.diag = run->diag };

	run->facts.hub = run->hub;
	memset(run->judgement, 0, sizeof(*run->judgement));
	if (run->request.is_security) {
		diag_judge_security(&run->facts, run->judgement);
	} else {
		diag_judge(&run->facts, run->judgement);
	}
	if (run->hooks.judged != NULL) {
		run->hooks.judged(
			run->hooks.user, lock != NULL ? lock->id : "", &run->facts, run->judgement);
	}
	if (lock != NULL) {
		judgement_keep_lock(run->judgement);
	}
	/* Of all, the hub comes first; of one lock that is asked after, the lock. */
	if (lock == NULL && run->request.lock[0] == '\0') {
		(void) json_array_insert_new(run->targets, 0, json_target(&target));
	} else {
		(void) json_array_append_new(run->targets, json_target(&target));
	}
}

static void refresh_hub(struct run *run) {
	run->hub = run->from_sources;
	gather_hub(run->diag, &run->hub);
	if (run->has_listened) {
		run->hub.is_anything_heard = run->was_anything_heard ? FLAG_YES : FLAG_NO;
		for (size_t i = 0; i < run->hub.n_adapters; i++) {
			struct adapter_facts *adapter = &run->hub.adapters[i];

			if (adapter->is_powered == FLAG_YES) {
				adapter->deaf_s = run->was_anything_heard ? 0 : LISTEN_MS / 1000;
			}
		}
	}
}

/* ---- one lock: history, events ---- */

static void on_history(void *user, const struct history *history, const struct fault *fault) {
	struct run *run = user;

	run->n_pending--;
	if (!let_go(run)) {
		return;
	}
	refresh_hub(run);
	gather_history(run->diag, history, &run->lock);
	run->facts.lock = &run->lock;
	judge(run, history->attempts, history->n_attempts);
	run->facts.lock = NULL;
	memset(&run->lock.history, 0, sizeof(run->lock.history));
	(void) fault; /* it is empty then, and a judgement without it is better than none */
	run->step++;
	next(run);
}

static void ask_history(struct run *run, const char *id,
	void (*done)(void *user, const struct history *history, const struct fault *fault)) {
	struct history_query query = { .since = { clock_wall(run->diag->clock).s -
						  (int64_t) HISTORY_DAYS * DAY_S } };

	(void) text_copy(query.lock_id, sizeof(query.lock_id), id);
	run->n_pending++;
	hub_history(run->diag->hub, &query, done, run);
}

/*
 * What checks look for and what a lock that has just told a thousand entries of its log would bury:
 * asked for by itself. "" stands for the newest of any kind.
 */
static const char *const rare_words[] = { "", "log_gap", "tamper", "door_forced",
	"wrong_code_limit", "alarm" };
#define RARE_MOST 4
#define RARE_DAYS 30
#define NEWEST_MOST (DIAG_EVENTS_MAX - RARE_MOST * (ARRAY_SIZE(rare_words) - 1))

/* Newest first, each once. */
static void keep_event(struct run *run, const struct event *event) {
	size_t at = run->lock.n_events;

	while (at > 0 && run->events[at - 1].seq < event->seq) {
		at--;
	}
	if ((at > 0 && run->events[at - 1].seq == event->seq) ||
		run->lock.n_events == DIAG_EVENTS_MAX) {
		return;
	}
	memmove(&run->events[at + 1], &run->events[at],
		(run->lock.n_events - at) * sizeof(run->events[0]));
	run->events[at] = *event;
	run->lock.n_events++;
}

static void ask_events(struct run *run);

static void on_events(void *user, const struct event *events, size_t n, const struct fault *fault) {
	struct run *run = user;

	run->n_pending--;
	if (!let_go(run)) {
		return;
	}
	for (size_t i = 0; i < n; i++) {
		keep_event(run, &events[i]);
	}
	run->lock.events = run->events;
	run->next_word++;
	/* All that there is has come already, or somebody only looks in passing. */
	bool is_enough = fault != NULL || run->hooks.is_in_passing ||
			 (run->next_word == 1 && n < NEWEST_MOST);
	if (!is_enough && run->next_word < ARRAY_SIZE(rare_words)) {
		ask_events(run);
		return;
	}
	run->stage = STAGE_HISTORY;
	ask_history(run, run->lock.id, on_history);
}

static void ask_events(struct run *run) {
	struct log_query query = { .limit = NEWEST_MOST };

	if (run->next_word > 0) {
		query.limit = RARE_MOST;
		query.since.s = clock_wall(run->diag->clock).s - (int64_t) RARE_DAYS * DAY_S;
		(void) text_copy(query.word, sizeof(query.word), rare_words[run->next_word]);
	} else {
		run_tell(run, run->lock.slug, "looking at its history");
	}
	run->stage = STAGE_EVENTS;
	(void) text_copy(query.lock_id, sizeof(query.lock_id), run->lock.id);
	run->n_pending++;
	hub_query_log(run->diag->hub, &query, on_events, run);
}

static bool may_listen(const struct run *run) {
	struct radio_status radio;

	hub_radio_status(run->diag->hub, &radio);
	return radio.is_ready && !run->has_listened && !hub_is_scanning(run->diag->hub);
}

/* One of our locks was heard so lately that nobody need listen whether the radio does hear. */
static bool is_hearing(const struct run *run) {
	int64_t since = clock_mono(run->diag->clock).ms - HEARING_MS;
	struct radio_stats stats;

	for (unsigned i = 0; hub_adapter_stats(run->diag->hub, i, &stats); i++) {
		if (stats.heard_ms >= since && stats.heard_ms >= run->stale_before.ms) {
			return true;
		}
	}
	return false;
}

/*
 * A lock is not heard, or none is asked, which would show it: is anything? @return true when it is
 * under way.
 */
static bool begin_listening(struct run *run) {
	struct fault fault;
	bool is_any_away = run->request.is_hub_only && !run->request.is_quiet &&
			   !run->request.is_security && hub_lock_count(run->diag->hub) > 0 &&
			   !is_hearing(run);

	for (size_t i = 0; i < run->n_locks; i++) {
		is_any_away |= run->locks[i].is_cut_short;
	}
	if (!is_any_away || !may_listen(run) || hub_scan(run->diag->hub, LISTEN_MS, &fault) < 0) {
		return false;
	}
	run->stage = STAGE_LISTEN;
	run->listen_since = clock_mono(run->diag->clock);
	run_tell(run, "", "listening whether anything is heard at all");
	return true;
}

void runs_scan_ended(struct diag *diag) {
	struct run *run, *following;

	list_for_each_safe(run, following, &diag->runs, link) {
		struct radio_stats stats;
		int64_t since = run->listen_since.ms;

		if (run->stage != STAGE_LISTEN) {
			continue;
		}
		run->has_listened = true;
		for (unsigned i = 0; hub_adapter_stats(diag->hub, i, &stats); i++) {
			run->was_anything_heard |= stats.any_ms >= since || stats.heard_ms >= since;
		}
		next(run);
	}
}

void runs_op_finished(struct diag *diag, const struct op *op) {
	struct run *run, *following;

	list_for_each_safe(run, following, &diag->runs, link) {
		if (run->stage == STAGE_PROBE && run_probe_finished(run, op)) {
			next(run);
		}
	}
}

void runs_lock_removed(struct diag *diag, const struct lock *lock) {
	struct run *run, *following;

	list_for_each_safe(run, following, &diag->runs, link) {
		for (size_t i = 0; run->stage == STAGE_PROBE && i < run->n_locks; i++) {
			struct asked *asked = &run->locks[i];
			struct fault fault;

			if (asked->op_id[0] == '\0' || strcmp(asked->id, lock_id(lock)) != 0) {
				continue;
			}
			run_probe_leave(run, asked);
			if (run->request.lock[0] != '\0') {
				(void) fault_set(
					&fault, FAULT_NO_SUCH_LOCK, "it was removed just now");
				finish(run, &fault);
			} else {
				/* The others are still there; it is not judged any more. */
				next(run);
			}
			break;
		}
	}
}

/* ---- the way through ---- */

static void hub_last(struct run *run) {
	refresh_hub(run);
	run->facts.lock = NULL;
	run->step = run->n_steps;
	judge(run, run->hub_attempts, run->n_hub_attempts);
	finish(run, NULL);
}

static void judge_next(struct run *run) {
	while (run->next_judged < run->n_locks) {
		const struct asked *asked = &run->locks[run->next_judged++];
		const struct lock *lock = hub_find_lock(run->diag->hub, asked->id);

		if (lock == NULL) {
			run->step++;
			continue;
		}
		lock_facts_init(&run->lock);
		gather_lock(run->diag, lock, &run->lock);
		memcpy(run->lock.probes, asked->probes, sizeof(asked->probes));
		run->lock.n_probes = asked->n_probes;
		run->next_word = 0;
		ask_events(run);
		return;
	}
	hub_last(run);
}

static void next(struct run *run) {
	if (run->stage == STAGE_PROBE && (run_probe(run) || begin_listening(run))) {
		return;
	}
	judge_next(run);
}

static void on_hub_history(void *user, const struct history *history, const struct fault *fault) {
	struct run *run = user;

	run->n_pending--;
	if (!let_go(run)) {
		return;
	}
	(void) fault;
	if (history->n_attempts > 0) {
		run->hub_attempts = calloc(history->n_attempts, sizeof(*run->hub_attempts));
	}
	if (run->hub_attempts != NULL) {
		memcpy(run->hub_attempts, history->attempts,
			history->n_attempts * sizeof(*run->hub_attempts));
		run->n_hub_attempts = history->n_attempts;
	}
	run->step = run->n_steps - (unsigned) run->n_locks * STEPS_PER_LOCK;
	run->stage = STAGE_PROBE;
	run_probe_begin(run);
	next(run);
}

static void sources_done(struct run *run) {
	run->stage = STAGE_HUB_HISTORY;
	ask_history(run, "", on_hub_history);
}

static void on_source(void *user) {
	struct run *run = user;

	assert(run->n_sources_pending > 0);
	run->n_sources_pending--;
	run->n_pending--;
	if (let_go(run) && run->n_sources_pending == 0) {
		sources_done(run);
	}
}

static int collect_ids(struct run *run, struct fault *ret_fault) {
	struct hub *hub = run->diag->hub;
	struct lock *lock = NULL;
	size_t n = run->request.is_hub_only       ? 0
		   : run->request.lock[0] != '\0' ? 1
						  : hub_lock_count(hub);

	if (n == 0) {
		return 0;
	}
	run->locks = calloc(n, sizeof(*run->locks));
	if (run->locks == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "the diagnosis");
	}
	if (run->request.lock[0] != '\0') {
		int r = hub_get_lock(hub, run->request.lock, &lock, ret_fault);

		if (r < 0 || lock == NULL) {
			return r;
		}
		(void) text_copy(run->locks[run->n_locks++].id, LOCK_ID_MAX, lock_id(lock));
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		(void) text_copy(
			run->locks[run->n_locks++].id, LOCK_ID_MAX, lock_id(hub_lock_at(hub, i)));
	}
	return 0;
}

static void begin(struct run *run) {
	struct diag *diag = run->diag;
	/* A look in passing takes what is in memory; files and the like are left alone. */
	size_t n = run->hooks.is_in_passing ? 0 : diag->n_sources;

	hub_facts_init(&run->from_sources);
	run->from_sources.is_asked_by_person = !run->request.is_quiet;
	gather_hub(diag, &run->from_sources);
	run->n_sources_pending = n;
	run->n_pending += (unsigned) n;
	if (n == 0) {
		sources_done(run);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		diag->sources[i].gather(diag->sources[i].user, &run->from_sources, on_source, run);
	}
}

int run_start(struct diag *diag, const struct diag_request *request, mono_t stale_before,
	const struct run_hooks *hooks, struct run **ret_run, struct fault *ret_fault) {
	struct run *run = calloc(1, sizeof(*run));
	int r;

	if (run == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "the diagnosis");
	}
	list_init(&run->link);
	run->diag = diag;
	run->request = *request;
	run->stale_before = stale_before;
	run->judgement = calloc(1, sizeof(*run->judgement));
	run->events = calloc(DIAG_EVENTS_MAX, sizeof(*run->events));
	run->targets = json_array();
	r = run->judgement == NULL || run->events == NULL || run->targets == NULL
		    ? fault_set(ret_fault, FAULT_NO_MEMORY, "the diagnosis")
		    : collect_ids(run, ret_fault);
	if (r < 0) {
		run_free(run);
		return r;
	}
	run->n_steps = 1 + (unsigned) run->n_locks * STEPS_PER_LOCK;
	run->hooks = *hooks;
	list_append(&diag->runs, &run->link);
	if (ret_run != NULL) {
		*ret_run = run;
	}
	begin(run);
	return 0;
}
