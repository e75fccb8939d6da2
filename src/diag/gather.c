/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One run: everything that is needed for a judgement.
 *
 *	sources ─► the hub's own attempts ─► probes, of several locks at a time ─► (listen)
 *	        ─► for each lock in turn: events ─► history ─► judged ─► next lock ...
 *	        ─► the hub judged last, as the probes have left it ─► done
 *
 * A lock that is away keeps its question for up to 45 s, so that asking one after the other would
 * take minutes. All questions are RADIO_NEED_EVENT: whoever wants to open a door goes before them,
 * and which adapter connects when is the radio's business. What went wrong only because too much
 * was asked at a time says nothing of the lock, and is asked again.
 *
 * What comes back later finds its run in the list of runs, never by a pointer that may be stale;
 * but for the three answers that always come (a source's, the log's, the history's), which hold a
 * reference.
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "room.h"
#include "util/text.h"

#define FRESH_MS 60000
#define LISTEN_MS 6000
#define HEARING_MS 20000
#define HEARD_LATELY_MS 300000
#define HISTORY_DAYS 400
#define DAY_S 86400
#define CODE_DIGITS_GOOD 6
#define CODE_OLD_S (2 * 365 * (int64_t) DAY_S)
#define STEPS_PER_LOCK 4 /* three probes and the judgement */
/*
 * Locks that are asked at the same time: as many as an adapter on a serial line has slots for, the
 * least that the radio reckons with.
 */
#define ASKED_PER_ADAPTER 3
#define ASKED_MOST 12
#define ASKED_AGAIN_MOST 3 /* so that at last they are asked one by one */

enum stage {
	STAGE_SOURCES,
	STAGE_HUB_HISTORY,
	STAGE_PROBE,
	STAGE_LISTEN,
	STAGE_EVENTS,
	STAGE_HISTORY,
};

static const enum act probe_acts[] = { ACT_READ_STATE, ACT_READ_CONFIG, ACT_READ_BATTERY };

/* What one lock is asked. */
struct asked {
	char id[LOCK_ID_MAX];
	char op_id[OP_ID_MAX]; /* of the question that is under way; "" none */
	mono_t since;          /* of that */
	size_t next_probe;
	unsigned n_again;  /* questions put again, as the radio had no time for them */
	bool is_cut_short; /* a probe failed for a reason that the others would fail for too */
	bool was_crowded;  /* others were asked meanwhile */
	struct probe probes[ARRAY_SIZE(probe_acts)];
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

static void tell(struct run *run, const char *slug, const char *what) {
	char text[LOCK_SLUG_MAX + 64];

	if (run->hooks.progress != NULL) {
		(void) snprintf(
			text, sizeof(text), "%s%s%s", slug, slug[0] != '\0' ? ": " : "", what);
		run->hooks.progress(run->hooks.user, text, run->step, run->n_steps);
	}
}

/* ---- what the hub itself knows ---- */

static void gather_adapter(
	const struct radio_stats *stats, const struct hub_facts *hub, struct adapter_facts *ret) {
	(void) text_copy(ret->name, sizeof(ret->name), stats->name);
	(void) text_copy(ret->address, sizeof(ret->address), stats->adapter);
	ret->stats = *stats;
	if (stats->state != NULL) {
		bool is_on = strcmp(stats->state, "on") == 0;

		ret->is_powered = is_on ? FLAG_YES : FLAG_NO;
		if (is_on) {
			ret->is_blocked = FLAG_NO;
		} else if (hub->radio.fault.code == FAULT_ADAPTER_BLOCKED) {
			ret->is_blocked = FLAG_YES;
		}
	}
}

/* A source knows an adapter by its name, as the kernel does; BlueZ by its address, too. */
static struct adapter_facts *adapter_row(struct hub_facts *facts, const struct radio_stats *stats) {
	for (size_t i = 0; i < facts->n_adapters; i++) {
		const struct adapter_facts *row = &facts->adapters[i];

		if (text_equal(row->address, stats->adapter) ||
			(stats->name[0] != '\0' && text_equal(row->name, stats->name))) {
			return &facts->adapters[i];
		}
	}
	if (facts->n_adapters >= DIAG_ADAPTERS_MAX) {
		return NULL;
	}
	return &facts->adapters[facts->n_adapters++];
}

void gather_hub(const struct diag *diag, struct hub_facts *facts) {
	struct radio_stats stats;
	mono_t now = clock_mono(diag->clock);

	facts->now = clock_wall(diag->clock);
	const struct zone *zone = hub_lock_zone(diag->hub, "");
	if (zone != NULL && facts->now.s > 0) {
		facts->zone_offset_minutes =
			(int) ((zone_local(zone, facts->now) - facts->now.s) / 60);
	}
	facts->is_clock_trusted = clock_is_trusted(diag->clock) ? FLAG_YES : FLAG_NO;
	hub_radio_status(diag->hub, &facts->radio);
	facts->ledger = *hub_ledger_fault(diag->hub);
	facts->n_locks = (unsigned) hub_lock_count(diag->hub);
	facts->n_locks_reachable = 0;
	for (size_t i = 0; i < hub_lock_count(diag->hub); i++) {
		facts->n_locks_reachable += lock_is_reachable(hub_lock_at(diag->hub, i));
	}
	for (unsigned i = 0; hub_adapter_stats(diag->hub, i, &stats); i++) {
		struct adapter_facts *row = adapter_row(facts, &stats);

		if (row != NULL) {
			gather_adapter(&stats, facts, row);
		}
		if (stats.heard_ms != INT64_MIN && now.ms - stats.heard_ms < HEARD_LATELY_MS) {
			facts->is_anything_heard = FLAG_YES;
		}
	}
	(void) text_copy(facts->host.version, sizeof(facts->host.version), diag->version);
}

static void gather_codes(
	const struct diag *diag, const struct lock *lock, struct lock_facts *facts, wall_t now) {
	const struct book *book = hub_book(diag->hub);
	const struct credential_limits *limits = lock_credentials(lock);
	const bool takes_long = limits != NULL && limits->pin_most >= CODE_DIGITS_GOOD;
	const struct credential *row;

	facts->n_codes = facts->n_codes_short = facts->n_codes_weak = facts->n_codes_old = 0;

	for (size_t i = 0; (row = book_credential_at(book, i)) != NULL; i++) {
		if (row->type != CREDENTIAL_PIN || row->state != CREDENTIAL_ACTIVE ||
			book_placement(book, facts->id, row->id) == NULL) {
			continue;
		}
		/* One from before this was kept: at the least not older than itself. */
		wall_t since = row->pin_set_at.s > 0 ? row->pin_set_at : row->created_at;

		facts->n_codes++;
		facts->n_codes_short +=
			takes_long && row->pin.len > 0 && row->pin.len < CODE_DIGITS_GOOD;
		facts->n_codes_weak += pin_weakness(&row->pin) != NULL;
		facts->n_codes_old += since.s > 0 && now.s - since.s > CODE_OLD_S;
	}
	facts->wrong_most = limits != NULL ? limits->wrong_most : 0;
	facts->wrong_disable_s = limits != NULL ? limits->wrong_disable_s : 0;
	facts->has_factor = book_rules(book, facts->id)->factor != FACTOR_NONE ? FLAG_YES : FLAG_NO;
}

void gather_lock(const struct diag *diag, const struct lock *lock, struct lock_facts *facts) {
	struct sync_status sync = { 0 };
	mono_t now = clock_mono(diag->clock);

	(void) text_copy(facts->id, sizeof(facts->id), lock_id(lock));
	(void) text_copy(facts->slug, sizeof(facts->slug), lock_slug(lock));
	(void) text_copy(facts->name, sizeof(facts->name), lock_name(lock));
	(void) text_copy(facts->brand, sizeof(facts->brand), lock_driver(lock)->brand);
	facts->status = *lock_status(lock);
	facts->model = models_find(diag->models, lock_driver(lock)->name,
		facts->status.versions.firmware, facts->status.versions.model);
	lock_radio_stats(lock, &facts->radio);
	facts->is_reachable = lock_is_reachable(lock);
	facts->is_linked = lock_is_linked(lock);
	facts->is_announcing = lock_is_announcing(lock);
	facts->has_pin = lock_has_pin(lock);
	facts->acts = lock_acts(lock);
	facts->n_standing = 0;
	for (size_t i = 0; i < ARRAY_SIZE(facts->standing); i++) {
		const struct fault *fault = lock_fault_at(lock, i);

		if (fault == NULL) {
			break;
		}
		facts->standing[facts->n_standing++] = *fault;
	}
	hub_sync_status(diag->hub, lock_id(lock), &sync);
	facts->n_sync_pending = sync.n_pending + sync.n_leaving;
	facts->n_revocations_pending = sync.n_leaving;
	facts->paired_at = lock_paired_at(lock);
	facts->unheard_s = -1;
	if (facts->status.heard.how != EVIDENCE_NONE &&
		facts->status.heard.how != EVIDENCE_STORED) {
		facts->unheard_s = (int) (mono_since(facts->status.heard.at, now) / 1000);
	}
	facts->pin = lock_pin_judge(lock, &facts->pin_weakness);
	facts->protocol = lock_protocol(lock);
	gather_codes(diag, lock, facts, clock_wall(diag->clock));
}

void gather_history(
	const struct diag *diag, const struct history *history, struct lock_facts *facts) {
	const struct forecast_input input = {
		.samples = history->samples,
		.n_samples = history->n_samples,
		.days = history->days,
		.n_days = history->n_days,
		.now = clock_wall(diag->clock),
		.empty_percent = facts->model->warn_percent,
		.life_days = facts->model->life_days,
		.is_life_assumed = facts->model->is_life_assumed == FLAG_YES,
	};

	facts->history = *history;
	facts->pin_set_at = (wall_t){ 0 };
	facts->weak_by[0] = '\0';
	for (size_t i = 0; i < history->n_notes; i++) {
		const struct note *note = &history->notes[i];

		if (text_equal(note->key, LOCK_NOTE_PIN)) {
			facts->pin_set_at = note->at;
		} else if (text_equal(note->key, LOCK_NOTE_WEAK)) {
			(void) text_copy(facts->weak_by, sizeof(facts->weak_by), note->text);
			facts->weak_since = note->at;
		}
	}
	forecast_make(&input, &facts->forecast);
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
		tell(run, run->lock.slug, "looking at its history");
	}
	run->stage = STAGE_EVENTS;
	(void) text_copy(query.lock_id, sizeof(query.lock_id), run->lock.id);
	run->n_pending++;
	hub_query_log(run->diag->hub, &query, on_events, run);
}

/* ---- one lock: probes ---- */

/* What keeps one question from the lock keeps all of them. */
static bool is_hopeless(enum fault_code fault) {
	switch (fault) {
	case FAULT_LOCK_NOT_HEARD:
	case FAULT_LOCK_UNREACHABLE:
	case FAULT_LOCK_SILENT:
	case FAULT_ADAPTER_MISSING:
	case FAULT_ADAPTER_OFF:
	case FAULT_ADAPTER_BLOCKED:
	case FAULT_BLUEZ_MISSING:
	case FAULT_BLUEZ_HUNG:
	case FAULT_BLUEZ_DENIED:
	case FAULT_BUS_LOST:
	case FAULT_GATT_MISMATCH:
	case FAULT_NOT_AUTHORIZED:
	case FAULT_EXPIRED:
		return true;
	default: /* RULE R3: a list of a few among many */
		return false;
	}
}

/* The last thing that was asked of it did not get through: then old answers prove nothing. */
static bool is_in_doubt(const struct run *run, const char *id) {
	for (size_t i = hub_op_count(run->diag->hub); i > 0; i--) {
		const struct op *op = hub_op_at(run->diag->hub, i - 1);

		if (op->state == OP_FINISHED && strcmp(op->lock_id, id) == 0) {
			return op->outcome != OP_DONE && is_hopeless(op->fault.code);
		}
	}
	return false;
}

static bool is_fresh(const struct run *run, const struct known *known) {
	int64_t since = clock_mono(run->diag->clock).ms - FRESH_MS;

	return known->how == EVIDENCE_ANSWERED && known->at.ms >= since &&
	       known->at.ms >= run->stale_before.ms;
}

static bool is_needed(const struct run *run, const struct lock *lock, enum act act) {
	const struct lock_status *status = lock_status(lock);

	if ((lock_acts(lock) & 1U << act) == 0) {
		return false;
	}
	if (!lock_is_reachable(lock) || is_in_doubt(run, lock_id(lock))) {
		return true;
	}
	switch (act) {
	case ACT_READ_STATE:
		return !is_fresh(run, &status->bolt_known);
	case ACT_READ_CONFIG:
		return !is_fresh(run, &status->config_known);
	case ACT_READ_BATTERY:
		return !is_fresh(run, &status->report_known);
	default: /* RULE R3: the others are no probes */
		return false;
	}
}

static const char *words_of(enum act act) {
	switch (act) {
	case ACT_READ_STATE:
		return "asking how it is";
	case ACT_READ_CONFIG:
		return "reading its configuration";
	case ACT_READ_BATTERY:
		return "reading the battery";
	default: /* RULE R3: the others are no probes */
		return "asking";
	}
}

/* The radio was not free for it, which is our doing and not the lock's. */
static bool is_crowded_out(const struct asked *asked, const struct fault *fault) {
	return asked->was_crowded && asked->n_again < ASKED_AGAIN_MOST &&
	       (fault->code == FAULT_RADIO_BUSY || fault->code == FAULT_EXPIRED ||
		       fault->code == FAULT_QUEUE_FULL);
}

static void probe_ended(struct run *run, struct asked *asked, const struct fault *fault) {
	struct probe *probe = &asked->probes[asked->n_probes];

	asked->op_id[0] = '\0';
	if (fault != NULL && is_crowded_out(asked, fault)) {
		asked->n_again++;
		run->at_once = run->at_once > 1 ? run->at_once / 2 : 1;
		return;
	}
	asked->n_probes++;
	probe->act = probe_acts[asked->next_probe];
	probe->was_tried = true;
	probe->is_done = fault == NULL;
	probe->took_ms = mono_since(asked->since, clock_mono(run->diag->clock));
	if (fault != NULL) {
		probe->fault = *fault;
		asked->is_cut_short = is_hopeless(fault->code);
	}
	asked->next_probe++;
	run->step++;
}

/* @return true when it is under way. */
static bool begin_probe(
	struct run *run, struct asked *asked, const struct lock *lock, enum act act) {
	/* That the asker may have the lock asked was checked at the begin: the hub asks. */
	struct request request = { .act = act, .origin = REQUEST_HUB, .role = ROLE_MANAGE };
	struct fault fault = { .code = FAULT_NONE };
	struct op *op = NULL;

	(void) text_copy(request.lock, sizeof(request.lock), lock_id(lock));
	(void) text_copy(request.actor, sizeof(request.actor), run->request.actor);
	asked->since = clock_mono(run->diag->clock);
	tell(run, lock_slug(lock), words_of(act));
	if (hub_request(run->diag->hub, &request, &op, &fault) < 0 || op == NULL) {
		probe_ended(run, asked, &fault);
		return false;
	}
	(void) text_copy(asked->op_id, sizeof(asked->op_id), op->id);
	return true;
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
	tell(run, "", "listening whether anything is heard at all");
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

static struct asked *asked_by_op(struct run *run, const char *op_id) {
	for (size_t i = 0; i < run->n_locks; i++) {
		if (run->locks[i].op_id[0] != '\0' && strcmp(run->locks[i].op_id, op_id) == 0) {
			return &run->locks[i];
		}
	}
	return NULL;
}

void runs_op_finished(struct diag *diag, const struct op *op) {
	struct run *run, *following;

	list_for_each_safe(run, following, &diag->runs, link) {
		struct asked *asked = run->stage == STAGE_PROBE ? asked_by_op(run, op->id) : NULL;

		if (asked != NULL) {
			probe_ended(run, asked, op->outcome == OP_DONE ? NULL : &op->fault);
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
			asked->op_id[0] = '\0';
			(void) fault_set(&fault, FAULT_NO_SUCH_LOCK, "it was removed just now");
			if (run->request.lock[0] != '\0') {
				finish(run, &fault);
			} else {
				/* The others are still there; it is not judged any more. */
				run->step +=
					(unsigned) (ARRAY_SIZE(probe_acts) - asked->next_probe);
				asked->next_probe = ARRAY_SIZE(probe_acts);
				next(run);
			}
			break;
		}
	}
}

/* ---- the way through ---- */

/*
 * Puts the next question to this lock, skipping what need not be asked.
 * @return true when one is under way.
 */
static bool ask_on(struct run *run, struct asked *asked) {
	const struct lock *lock = hub_find_lock(run->diag->hub, asked->id);
	struct radio_status radio;

	hub_radio_status(run->diag->hub, &radio);
	while (asked->next_probe < ARRAY_SIZE(probe_acts)) {
		enum act act = probe_acts[asked->next_probe];

		if (lock == NULL || asked->is_cut_short || run->request.is_quiet ||
			run->request.is_security || (!radio.is_ready && !radio.is_starting) ||
			!is_needed(run, lock, act)) {
			asked->next_probe++;
			run->step++;
		} else if (begin_probe(run, asked, lock, act)) {
			return true;
		}
	}
	return false;
}

static unsigned n_under_way(const struct run *run) {
	unsigned n = 0;

	for (size_t i = 0; i < run->n_locks; i++) {
		n += run->locks[i].op_id[0] != '\0';
	}
	return n;
}

/* @return true while an answer is waited for. */
static bool go_on_probing(struct run *run) {
	unsigned n = n_under_way(run);

	/* In the order of the locks: who was begun with is also done with first. */
	for (size_t i = 0; i < run->n_locks && n < run->at_once; i++) {
		if (run->locks[i].op_id[0] == '\0') {
			n += ask_on(run, &run->locks[i]);
		}
	}
	for (size_t i = 0; i < run->n_locks; i++) {
		/* Once crowded, whatever comes of this question. */
		run->locks[i].was_crowded =
			(run->locks[i].op_id[0] != '\0') && (run->locks[i].was_crowded || n > 1);
	}
	return n > 0;
}

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
	if (run->stage == STAGE_PROBE && (go_on_probing(run) || begin_listening(run))) {
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
	for (size_t i = 0; i < run->from_sources.n_adapters; i++) {
		if (run->from_sources.adapters[i].is_powered == FLAG_YES) {
			run->at_once += ASKED_PER_ADAPTER;
		}
	}
	run->at_once = run->at_once == 0           ? 1
		       : run->at_once > ASKED_MOST ? ASKED_MOST
						   : run->at_once;
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
