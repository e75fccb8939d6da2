/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/hub.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"
#include "util/text.h"

#define STOP_PATIENCE_MS 20000

void hub_config_defaults(struct hub_config *config) {
	*config = (struct hub_config){
		.client_name = "lockhub",
		.unreachable_ms = 15 * 60 * 1000,
		.poll_ms = 30 * 60 * 1000,
		.battery_ms = 24 * 60 * 60 * 1000,
		.import_log = true,
		.set_clocks = true,
	};
	policy_defaults(&config->policy);
}

struct hub *hub_new(const struct hub_config *config) {
	struct hub *hub = calloc(1, sizeof(*hub));

	if (hub == NULL) {
		return NULL;
	}
	hub->config = *config;
	list_init(&hub->ops);
	list_init(&hub->history_asks);
	hub->samples_due = MONO_NEVER;
	hub->days_due = MONO_NEVER;
	signal_init(&hub->signals.lock_added);
	signal_init(&hub->signals.lock_removed);
	signal_init(&hub->signals.lock_changed);
	signal_init(&hub->signals.event);
	signal_init(&hub->signals.op_changed);
	signal_init(&hub->signals.op_finished);
	signal_init(&hub->signals.heard);
	signal_init(&hub->signals.discovered);
	signal_init(&hub->signals.scan_ended);
	signal_init(&hub->signals.radio_changed);
	signal_init(&hub->signals.refused);
	signal_init(&hub->signals.book_changed);
	signal_init(&hub->signals.sync_changed);
	hub->stop_deadline = MONO_NEVER;
	if (people_init(hub) < 0) {
		return hub_free(hub);
	}
	return hub;
}

struct hub *hub_free(struct hub *hub) {
	if (hub == NULL) {
		return NULL;
	}
	op_free_all(hub);
	history_finish(hub);
	hub->provisional = lock_free(hub->provisional);
	for (size_t i = 0; i < hub->n_locks; i++) {
		lock_free(hub->locks[i]);
	}
	free(hub->locks);
	people_finish(hub);
	signal_finish(&hub->signals.lock_added);
	signal_finish(&hub->signals.lock_removed);
	signal_finish(&hub->signals.lock_changed);
	signal_finish(&hub->signals.event);
	signal_finish(&hub->signals.op_changed);
	signal_finish(&hub->signals.op_finished);
	signal_finish(&hub->signals.heard);
	signal_finish(&hub->signals.discovered);
	signal_finish(&hub->signals.scan_ended);
	signal_finish(&hub->signals.radio_changed);
	signal_finish(&hub->signals.refused);
	signal_finish(&hub->signals.book_changed);
	signal_finish(&hub->signals.sync_changed);
	free(hub);
	return NULL;
}

struct hub_signals *hub_signals(struct hub *hub) {
	return &hub->signals;
}

const struct clock *hub_clock(const struct hub *hub) {
	return hub->config.clock;
}

const struct fault *hub_ledger_fault(const struct hub *hub) {
	return &hub->ledger_fault;
}

void hub_radio_status(const struct hub *hub, struct radio_status *ret) {
	hub->config.radio->impl->status(hub->config.radio, ret);
}

bool hub_adapter_stats(const struct hub *hub, unsigned i, struct radio_stats *ret) {
	const struct radio_impl *impl = hub->config.radio->impl;

	return impl->adapter_stats != NULL && impl->adapter_stats(hub->config.radio, i, ret);
}

void hub_check_radio(struct hub *hub) {
	struct radio_status status;

	hub_radio_status(hub, &status);
	if (status.fault.code == hub->radio_fault && status.is_ready == hub->is_radio_ready &&
		status.n_adapters == hub->n_adapters) {
		return;
	}
	hub->radio_fault = status.fault.code;
	hub->is_radio_ready = status.is_ready;
	hub->n_adapters = status.n_adapters;
	signal_emit(&hub->signals.radio_changed, NULL);
}

/* ---- locks ---- */

size_t hub_lock_count(const struct hub *hub) {
	return hub->n_locks;
}

struct lock *hub_lock_at(const struct hub *hub, size_t index) {
	return index < hub->n_locks ? hub->locks[index] : NULL;
}

struct lock *hub_lock_by_id(const struct hub *hub, const char *id) {
	for (size_t i = 0; i < hub->n_locks; i++) {
		if (strcmp(hub->locks[i]->id, id) == 0) {
			return hub->locks[i];
		}
	}
	return NULL;
}

struct lock *hub_find_lock(const struct hub *hub, const char *word) {
	for (size_t i = 0; i < hub->n_locks; i++) {
		struct lock *lock = hub->locks[i];

		if (strcmp(lock->id, word) == 0 || strcmp(lock->slug, word) == 0 ||
			strcasecmp(lock->name, word) == 0 || strcasecmp(lock->address, word) == 0) {
			return lock;
		}
	}
	return NULL;
}

int hub_get_lock(
	const struct hub *hub, const char *word, struct lock **ret, struct fault *ret_fault) {
	const char *slugs[64];
	const char *nearest;
	size_t n = 0;

	*ret = hub_find_lock(hub, word);
	if (*ret != NULL) {
		return 0;
	}
	for (size_t i = 0; i < hub->n_locks && n < ARRAY_SIZE(slugs); i++) {
		slugs[n++] = hub->locks[i]->slug;
	}
	nearest = text_nearest(word, slugs, n);
	if (nearest != NULL) {
		return fault_set(
			ret_fault, FAULT_NO_SUCH_LOCK, "%.60s; did you mean %s?", word, nearest);
	}
	return fault_set(ret_fault, FAULT_NO_SUCH_LOCK, "%.60s", word);
}

int hub_add_lock(struct hub *hub, struct lock *lock) {
	if (hub->n_locks >= LOCKS_MAX) {
		return -ENOSPC;
	}
	if (hub->n_locks == hub->n_locks_room) {
		size_t room = hub->n_locks_room == 0 ? 8 : hub->n_locks_room * 2;
		struct lock **locks = reallocarray(hub->locks, room, sizeof(struct lock *));

		if (locks == NULL) {
			return -ENOMEM;
		}
		hub->locks = locks;
		hub->n_locks_room = room;
	}
	hub->locks[hub->n_locks++] = lock;
	return 0;
}

void hub_take_lock_out(struct hub *hub, struct lock *lock) {
	for (size_t i = 0; i < hub->n_locks; i++) {
		if (hub->locks[i] == lock) {
			hub->n_locks--;
			memmove(&hub->locks[i], &hub->locks[i + 1],
				(hub->n_locks - i) * sizeof(struct lock *));
			return;
		}
	}
}

void hub_make_slug(const struct hub *hub, const char *name, const struct lock *self,
	char out[static LOCK_SLUG_MAX]) {
	char base[LOCK_SLUG_MAX - 6];
	bool is_taken = true;

	text_slug(name, base, sizeof(base));
	(void) snprintf(out, LOCK_SLUG_MAX, "%s", base);
	for (unsigned n = 2; is_taken; n++) {
		is_taken = false;
		for (size_t i = 0; i < hub->n_locks; i++) {
			is_taken = is_taken ||
				   (hub->locks[i] != self && strcmp(hub->locks[i]->slug, out) == 0);
		}
		if (is_taken) {
			(void) snprintf(out, LOCK_SLUG_MAX, "%s-%u", base, n);
		}
	}
}

void hub_lock_changed(struct lock *lock, unsigned what) {
	struct lock_change change = { .lock = lock, .what = what };

	if (what != 0 && !lock->is_provisional) {
		signal_emit(&lock->hub->signals.lock_changed, &change);
	}
}

static const struct driver *find_driver(const struct hub *hub, const char *name) {
	for (size_t i = 0; hub->config.drivers[i] != NULL; i++) {
		if (strcmp(hub->config.drivers[i]->name, name) == 0) {
			return hub->config.drivers[i];
		}
	}
	return NULL;
}

/* What the former life knew comes in as stored evidence: old, and never the state itself. */
static void load_facts(struct lock *lock, const struct lock_record *record) {
	struct evidence stored = { .how = EVIDENCE_STORED };

	stored.has = FACT_BOLT;
	stored.bolt.state = record->state;
	(void) lock_status_fold(&lock->status, &stored, (mono_t){ 0 }, record->state_at);
	if (record->battery_at.s != 0) {
		stored.has = FACT_BATTERY;
		stored.battery = record->battery;
		(void) lock_status_fold(&lock->status, &stored, (mono_t){ 0 }, record->battery_at);
	}
	stored.has = FACT_VERSIONS;
	stored.versions = record->versions;
	(void) lock_status_fold(&lock->status, &stored, (mono_t){ 0 }, record->config_at);
	if (record->config_at.s != 0) {
		stored.has = FACT_CONFIG;
		stored.config = record->config;
		(void) lock_status_fold(&lock->status, &stored, (mono_t){ 0 }, record->config_at);
	}
}

int hub_load_lock(struct hub *hub, const struct lock_record *record) {
	const struct driver *driver = find_driver(hub, record->driver);
	struct lock *lock;
	int r;

	if (driver == NULL) {
		return -ENOENT;
	}
	if (hub_lock_by_id(hub, record->id) != NULL) {
		return -EEXIST;
	}
	lock = lock_new(hub, driver);
	if (lock == NULL) {
		return -ENOMEM;
	}
	memcpy(lock->id, record->id, sizeof(lock->id));
	memcpy(lock->name, record->name, sizeof(lock->name));
	memcpy(lock->slug, record->slug, sizeof(lock->slug));
	memcpy(lock->address, record->address, sizeof(lock->address));
	lock->is_random = record->is_random;
	lock->client_id = record->client_id;
	lock->keys = record->keys;
	lock->paired_at = record->paired_at;
	lock->log_cursor = record->log_cursor;
	lock->log_pending = record->log_cursor;
	lock->is_first_import = record->log_cursor == 0;
	load_facts(lock, record);
	r = runner_make_link(lock);
	if (r >= 0) {
		r = hub_add_lock(hub, lock);
	}
	if (r < 0) {
		lock_free(lock);
	}
	return r;
}

/* ---- the ledger ---- */

/* A transaction can also be refused for what it asks; only the disk's own trouble is the hub's. */
static bool is_ledger_trouble(enum fault_code code) {
	return (code >= FAULT_DATABASE_NEWER && code <= FAULT_LOG_BROKEN) ||
	       code == FAULT_QUEUE_FULL || code == FAULT_NO_MEMORY;
}

static void ledger_answered(struct hub *hub, const struct fault *fault) {
	struct fault none = { .code = FAULT_NONE };
	bool is_news = (fault != NULL) != (hub->ledger_fault.code != FAULT_NONE);

	if (fault != NULL && !is_ledger_trouble(fault->code)) {
		return;
	}

	hub->ledger_fault = fault != NULL ? *fault : none;
	if (is_news) {
		signal_emit(&hub->signals.radio_changed, NULL);
	}
}

static void announce(struct hub *hub, const struct event *event) {
	struct lock *lock = hub_lock_by_id(hub, event->lock_id);

	if (event->seq != 0 && lock != NULL) {
		health_event(lock, event);
	}
	if (event->seq == 0 || event->is_history) {
		return; /* known already, or from before our time */
	}
	if (lock != NULL) {
		lock->last_event = *event;
	}
	signal_emit(&hub->signals.event, (void *) event);
	if (lock != NULL) {
		hub_lock_changed(lock, FACT_LAST_EVENT);
	}
}

/* What a transaction's end means, item by item, in their order. */
void hub_txn_done(void *user, struct txn *txn, const struct fault *fault) {
	struct hub *hub = user;
	struct txn_item *item;
	struct lock *lock;

	ledger_answered(hub, fault);
	if (fault == NULL) {
		people_apply(hub, txn);
	}
	list_for_each(item, &txn->items, link) {
		switch (item->kind) {
		case TXN_INTENT:
			op_intent_done(hub, item->op.id, fault);
			break;
		case TXN_OUTCOME:
			op_outcome_done(hub, item->op.id);
			break;
		case TXN_EVENT:
			if (fault == NULL) {
				announce(hub, &item->event);
			}
			break;
		case TXN_CURSOR:
			lock = hub_lock_by_id(hub, item->cursor.lock_id);
			if (lock != NULL) {
				import_committed(lock, item->cursor.number, fault);
			}
			break;
		case TXN_LOCK_PUT:
			enrol_lock_kept(hub, item->lock.id, fault);
			break;
		case TXN_LOCK_REMOVE:
			enrol_lock_gone(hub, item->lock.id, fault);
			break;
		case TXN_PLACEMENT_PUT:
		case TXN_PLACEMENT_REMOVE:
			if (fault == NULL) {
				sync_item_committed(hub, item);
			}
			break;
		case TXN_LOCK_KEYS:
		case TXN_LOCK_FACTS:
		case TXN_SETTING:
		case TXN_USER_PUT:
		case TXN_USER_REMOVE:
		case TXN_CREDENTIAL_PUT:
		case TXN_CREDENTIAL_REMOVE:
		case TXN_ACCESS_PUT:
		case TXN_ACCESS_REMOVE:
		case TXN_SCHEDULE_PUT:
		case TXN_SCHEDULE_REMOVE:
		case TXN_HOLIDAY_PUT:
		case TXN_HOLIDAY_REMOVE:
		case TXN_SLOTS_CLEAR:
		case TXN_SLOT_PUT:
		case TXN_RULES_PUT:
		case TXN_SAMPLE:
		case TXN_DAY:
		case TXN_ATTEMPT:
		case TXN_NOTE:
			break;
		}
	}
	if (fault == NULL) {
		people_tell(hub, txn);
	}
	hub->n_commits--;
}

struct txn *hub_txn_new(struct hub *hub) {
	return txn_new(hub_txn_done, hub);
}

void hub_commit(struct hub *hub, struct txn *take_txn) {
	if (take_txn != NULL) {
		people_keep_steps(hub, take_txn);
		hub->n_commits++;
		hub->config.ledger->impl->commit(hub->config.ledger, take_txn);
	}
}

struct event *txn_add_event(
	struct txn *txn, const struct hub *hub, const struct lock *lock, enum event_kind kind) {
	struct txn_item *item = txn_add(txn, TXN_EVENT);

	if (item == NULL) {
		return NULL;
	}
	event_init(&item->event, kind, hub->config.clock);
	if (lock != NULL) {
		memcpy(item->event.lock_id, lock->id, sizeof(item->event.lock_id));
	}
	return &item->event;
}

void hub_record(struct hub *hub, const struct event *event) {
	struct txn *txn = hub_txn_new(hub);
	struct txn_item *item = txn != NULL ? txn_add(txn, TXN_EVENT) : NULL;

	if (item == NULL) {
		txn_free(txn);
		return;
	}
	item->event = *event;
	hub_commit(hub, txn);
}

void hub_query_log(struct hub *hub, const struct log_query *query,
	void (*done)(void *user, const struct event *events, size_t n, const struct fault *fault),
	void *user) {
	hub->config.ledger->impl->query(hub->config.ledger, query, done, user);
}

void hub_verify_log(struct hub *hub,
	void (*done)(void *user, const struct log_verify *result, const struct fault *fault),
	void *user) {
	hub->config.ledger->impl->verify(hub->config.ledger, done, user);
}

/* ---- start, stop, time ---- */

void hub_load_interrupted(struct hub *hub, const struct op_record *op) {
	struct txn *txn = hub_txn_new(hub);
	struct txn_item *item = txn != NULL ? txn_add(txn, TXN_OUTCOME) : NULL;
	struct event *event;

	if (item == NULL) {
		txn_free(txn);
		return;
	}
	item->op = *op;
	item->op.is_finished = true;
	item->op.is_unknown = true;
	item->op.fault = FAULT_INTERRUPTED;
	item->op.finished_at = clock_wall(hub->config.clock);
	event = txn_add_event(txn, hub, NULL, EVENT_OPERATION_FINISHED);
	if (event != NULL) {
		memcpy(event->lock_id, op->lock_id, sizeof(event->lock_id));
		memcpy(event->op_id, op->id, sizeof(event->op_id));
		memcpy(event->user, op->actor, sizeof(event->user));
		event->act = op->act;
		event->fault = FAULT_INTERRUPTED;
	}
	hub_commit(hub, txn);
}

void hub_start(struct hub *hub) {
	struct event event;

	hub->is_started = true;
	people_start(hub);
	event_init(&event, EVENT_HUB_STARTED, hub->config.clock);
	event.number = (int64_t) hub->n_locks;
	hub_record(hub, &event);
	for (size_t i = 0; i < hub->n_locks; i++) {
		hub->locks[i]->contact = hub_now(hub);
		care_start(hub->locks[i]);
	}
}

void hub_stop(struct hub *hub, void (*done)(void *user), void *user) {
	struct op_entry *entry;
	struct op_entry *next;
	struct fault fault;

	assert(!hub->is_stopping);
	hub->is_stopping = true;
	hub->stopped = done;
	hub->stopped_user = user;
	hub->stop_deadline = mono_after(hub_now(hub), STOP_PATIENCE_MS);
	if (hub->is_scanning) {
		hub_scan_stop(hub);
	}
	(void) fault_set(&fault, FAULT_CANCELLED, "lockhub is stopping");
	list_for_each_safe(entry, next, &hub->ops, all) {
		if (entry->op.state <= OP_QUEUED && entry->lock != NULL &&
			entry->lock->job_op != entry) {
			op_finish(entry, OP_FAILED, &fault);
		}
	}
	people_stop(hub);
}

static bool has_running(const struct hub *hub) {
	const struct op_entry *entry;

	list_for_each(entry, &hub->ops, all) {
		if (entry->op.state != OP_FINISHED) {
			return true;
		}
	}
	return false;
}

static void stop_due(struct hub *hub, mono_t now) {
	struct event event;

	if (!hub->is_stopping || hub->stopped == NULL) {
		return;
	}
	if (has_running(hub) && !mono_is_due(hub->stop_deadline, now)) {
		return;
	}
	if (!hub->is_stop_recorded) {
		hub->is_stop_recorded = true;
		for (size_t i = 0; i < hub->n_locks; i++) {
			hub->locks[i]->facts_at = now;
			facts_run_due(hub->locks[i], now);
		}
		health_stop(hub);
		event_init(&event, EVENT_HUB_STOPPED, hub->config.clock);
		hub_record(hub, &event);
	}
	if (hub->n_commits == 0 || mono_is_due(hub->stop_deadline, now)) {
		void (*stopped)(void *user) = hub->stopped;

		hub->stopped = NULL;
		hub->stop_deadline = MONO_NEVER;
		stopped(hub->stopped_user);
	}
}

static mono_t lock_next_due(const struct lock *lock) {
	return mono_min(mono_min(runner_next_due(lock), op_next_due(lock)),
		lock->is_provisional
			? MONO_NEVER
			: mono_min(sync_next_due(lock),
				  mono_min(care_next_due(lock), facts_next_due(lock))));
}

mono_t hub_next_due(const struct hub *hub) {
	mono_t due = mono_min(enrol_next_due(hub), hub->stop_deadline);

	if (hub->n_closing > 0) {
		return hub_now(hub);
	}
	/* Stopping waits for the ledger, which wakes the loop; a look after each wake is enough. */
	if (hub->is_stopping && hub->stopped != NULL && hub->n_commits == 0 && !has_running(hub)) {
		return hub_now(hub);
	}
	if (hub->provisional != NULL) {
		if (list_is_empty(&hub->provisional->queue)) {
			return hub_now(hub);
		}
		due = mono_min(due, lock_next_due(hub->provisional));
	}
	for (size_t i = 0; i < hub->n_locks; i++) {
		due = mono_min(due, lock_next_due(hub->locks[i]));
	}
	due = mono_min(due, health_next_due(hub));
	due = mono_min(due, people_next_due(hub));
	return due;
}

/* A pairing that failed leaves a lock that nobody may keep. */
static void drop_provisional(struct hub *hub) {
	struct lock *lock = hub->provisional;

	if (lock != NULL && list_is_empty(&lock->queue)) {
		hub->provisional = NULL;
		renew_failed(lock);
		lock_free(lock);
	}
}

void hub_run_due(struct hub *hub) {
	mono_t now = hub_now(hub);

	op_close_due(hub);
	if (hub->provisional != NULL) {
		runner_run_due(hub->provisional, now);
		op_run_due(hub->provisional, now);
		drop_provisional(hub);
	}
	for (size_t i = 0; i < hub->n_locks; i++) {
		struct lock *lock = hub->locks[i];

		op_run_due(lock, now);
		facts_run_due(lock, now);
		sync_run_due(lock, now);
		care_run_due(lock, now);
		runner_run_due(lock, now);
	}
	enrol_run_due(hub, now);
	health_run_due(hub, now);
	people_run_due(hub, now);
	op_close_due(hub);
	stop_due(hub, now);
}
