/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requests become operations here: the gate, the queue of each lock, the intent that is committed
 * before the first byte goes out, and the outcome that is committed before anybody is told.
 */

#include "private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "util/bytes.h"
#include "util/text.h"

#define READ_DEADLINE_MS 45000
#define ENROL_DEADLINE_MS 60000

/* Acts that change nothing are not worth a write to the disk. */
static bool is_recorded_act(enum act act) {
	switch (act) {
	case ACT_READ_STATE:
	case ACT_READ_CONFIG:
	case ACT_READ_BATTERY:
	case ACT_READ_LOG:
	case ACT_READ_USERS:
	case ACT_READ_TIMERS:
	case ACT_READ_SETTINGS:
	case ACT_NONE:
	case ACT_COUNT_:
		return false;
	case ACT_LOCK:
	case ACT_UNLOCK:
	case ACT_UNLATCH:
	case ACT_LOCK_N_GO:
	case ACT_LOCK_N_GO_UNLATCH:
	case ACT_CALIBRATE:
	case ACT_PAIR:
	case ACT_UNPAIR:
	case ACT_SET_TIME:
	case ACT_VERIFY_PIN:
	case ACT_REBOOT:
	case ACT_PUT_CREDENTIAL:
	case ACT_REMOVE_CREDENTIAL:
	case ACT_PUT_TIMER:
	case ACT_REMOVE_TIMER:
	case ACT_PUT_SETTING:
		break;
	}
	return true;
}

static int64_t patience_ms(enum act act) {
	if (act == ACT_PAIR || act == ACT_UNPAIR) {
		return ENROL_DEADLINE_MS;
	}
	return act_moves_motor(act) ? OP_MOTOR_EXPIRY_MS : READ_DEADLINE_MS;
}

enum radio_need op_need(const struct op_entry *entry) {
	if (entry->op.act == ACT_LOCK) {
		return RADIO_NEED_LOCK;
	}
	return act_moves_motor(entry->op.act) || enrol_is_own_kind(entry->op.act)
		       ? RADIO_NEED_UNLOCK
		       : RADIO_NEED_EVENT;
}

struct op_entry *op_new(struct hub *hub, struct lock *lock, enum act act, const char *actor) {
	struct op_entry *entry = calloc(1, sizeof(*entry));
	uint8_t id[8];

	if (entry == NULL) {
		return NULL;
	}
	list_init(&entry->queued);
	crypto_random(id, sizeof(id));
	hex_encode(id, sizeof(id), entry->op.id);
	entry->lock = lock;
	memcpy(entry->op.lock_id, lock->id, sizeof(entry->op.lock_id));
	memcpy(entry->op.lock_slug, lock->slug, sizeof(entry->op.lock_slug));
	entry->op.act = act;
	(void) text_copy(entry->op.actor, sizeof(entry->op.actor), actor);
	entry->op.requested_at = clock_wall(hub->config.clock);
	entry->op.received = hub_now(hub);
	entry->job.act = act;
	entry->deadline = mono_after(entry->op.received, patience_ms(act));
	entry->is_recorded = is_recorded_act(act);
	list_append(&hub->ops, &entry->all);
	return entry;
}

static void op_free(struct op_entry *entry) {
	txn_free(entry->intent);
	list_remove(&entry->all);
	list_remove(&entry->queued);
	wipe(entry, sizeof(*entry));
	free(entry);
}

void op_free_all(struct hub *hub) {
	struct op_entry *entry;
	struct op_entry *next;

	list_for_each_safe(entry, next, &hub->ops, all) {
		op_free(entry);
	}
}

void op_changed(struct op_entry *entry) {
	if (entry->lock != NULL) {
		signal_emit(&entry->lock->hub->signals.op_changed, &entry->op);
	}
}

/*
 * What moves the motor goes before what only asks, and otherwise first come, first served: a LOCK
 * must not overtake an UNLOCK of the same lock, or the door would end up open.
 */
void op_enqueue(struct op_entry *entry) {
	struct list *at = entry->lock->queue.prev;

	if (act_moves_motor(entry->op.act)) {
		while (at != &entry->lock->queue) {
			const struct op_entry *other = list_entry(at, struct op_entry, queued);

			if (act_moves_motor(other->op.act) || other->op.state > OP_QUEUED) {
				break;
			}
			at = at->prev;
		}
	}
	list_insert(at, &entry->queued);
	hub_lock_changed(entry->lock, FACT_QUEUE);
}

static void op_to_record(
	const struct op_entry *entry, const struct hub *hub, struct op_record *ret) {
	*ret = (struct op_record){
		.act = entry->op.act,
		.requested_at = entry->op.requested_at,
		.is_finished = entry->op.state >= OP_CLOSING,
		.is_unknown = entry->op.outcome == OP_UNKNOWN,
		.fault = entry->op.fault.code,
		.finished_at = clock_wall(hub->config.clock),
	};
	memcpy(ret->id, entry->op.id, sizeof(ret->id));
	memcpy(ret->lock_id, entry->op.lock_id, sizeof(ret->lock_id));
	memcpy(ret->actor, entry->op.actor, sizeof(ret->actor));
}

void op_attribute(const struct op *op, struct event *event) {
	if (op->user_id[0] != '\0') {
		memcpy(event->user, op->user, sizeof(event->user));
		memcpy(event->user_id, op->user_id, sizeof(event->user_id));
		event->attribution = ATTRIBUTION_FACTOR;
	} else {
		memcpy(event->user, op->actor, sizeof(event->user));
		event->attribution = ATTRIBUTION_REQUEST;
	}
}

static void event_of_op(struct event *event, const struct op_entry *entry) {
	event->act = entry->op.act;
	memcpy(event->op_id, entry->op.id, sizeof(event->op_id));
	op_attribute(&entry->op, event);
}

/* No memory for a transaction counts as a ledger that cannot record. */
static void record_intent(struct op_entry *entry) {
	struct lock *lock = entry->lock;
	struct txn *txn = entry->intent != NULL ? STEAL(entry->intent) : hub_txn_new(lock->hub);
	struct txn_item *item = txn != NULL ? txn_add(txn, TXN_INTENT) : NULL;
	struct event *event =
		txn != NULL ? txn_add_event(txn, lock->hub, lock, EVENT_OPERATION_REQUESTED) : NULL;

	if (item == NULL || event == NULL) {
		txn_free(txn);
		entry->is_doomed = true;
		(void) fault_set(&entry->doom, FAULT_NO_MEMORY, "recording the request");
		return;
	}
	op_to_record(entry, lock->hub, &item->op);
	event_of_op(event, entry);
	if (entry->op.user_id[0] != '\0') {
		(void) snprintf(event->text, sizeof(event->text), "asked by %s", entry->op.actor);
	} else if (timers_is_change(entry->op.act)) {
		timers_text(entry, event->text, sizeof(event->text));
	} else if (settings_is_change(entry->op.act)) {
		settings_text(entry, event->text, sizeof(event->text));
	} else if (learn_is_one(entry->op.act)) {
		learn_text(entry, event->text, sizeof(event->text));
	}
	hub_commit(lock->hub, txn);
}

void op_accept(struct op_entry *entry) {
	if (act_moves_motor(entry->op.act)) {
		learn_stop(entry->lock, "the lock was asked for something else meanwhile");
	}
	op_enqueue(entry);
	if (entry->is_recorded) {
		entry->op.state = OP_RECORDING;
		record_intent(entry);
	} else {
		entry->op.state = OP_QUEUED;
		entry->is_committed = true;
	}
	op_changed(entry);
	runner_kick_soon(entry->lock);
}

/* The ledger has answered about an intent. */
void op_intent_done(struct hub *hub, const char *id, const struct fault *fault) {
	struct op_entry *entry;

	list_for_each(entry, &hub->ops, all) {
		if (strcmp(entry->op.id, id) != 0 || entry->lock == NULL) {
			continue;
		}
		if (entry->op.state == OP_RECORDING) {
			entry->op.state = OP_QUEUED;
		}
		if (fault == NULL) {
			entry->is_committed = true;
		} else if (entry->op.act == ACT_LOCK) {
			/* Locking is the safe direction: it goes ahead even if nobody can write it
			 * down. */
			entry->is_unrecordable = true;
		} else {
			entry->is_doomed = true;
			entry->doom = *fault;
		}
		if (entry->is_keeping) {
			return; /* its fate hangs on the transaction behind this one */
		}
		op_changed(entry);
		if (entry->is_doomed && entry->lock->job_op != entry) {
			op_finish(entry, OP_FAILED, &entry->doom);
		} else if (entry->is_doomed) {
			runner_drop(entry->lock);
		} else {
			runner_gate_opened(entry->lock);
		}
		return;
	}
}

static void prune(struct hub *hub) {
	struct op_entry *entry;
	struct op_entry *next;

	list_for_each_safe(entry, next, &hub->ops, all) {
		if (hub->n_finished <= OP_KEPT) {
			return;
		}
		if (entry->op.state == OP_FINISHED) {
			hub->n_finished--;
			op_free(entry);
		}
	}
}

/* Its outcome is on the disk (or cannot be, which the journal has been told): now tell people. */
static void op_close(struct hub *hub, struct op_entry *entry) {
	entry->op.state = OP_FINISHED;
	entry->op.finished = hub_now(hub);
	hub->n_finished++;
	signal_emit(&hub->signals.op_changed, &entry->op);
	signal_emit(&hub->signals.op_finished, &entry->op);
	prune(hub);
}

void op_outcome_done(struct hub *hub, const char *id) {
	struct op_entry *entry;

	list_for_each(entry, &hub->ops, all) {
		if (strcmp(entry->op.id, id) == 0 && entry->op.state == OP_CLOSING) {
			op_close(hub, entry);
			return;
		}
	}
}

/* Without a PIN the lock's own log cannot be read, so the hub's own knowledge makes the event. */
static void add_operation_event(
	struct txn *txn, const struct op_entry *entry, const struct lock *lock) {
	struct event *event;

	if (entry->op.outcome != OP_DONE || act_operation(entry->op.act) == OPERATION_NONE ||
		import_is_possible(lock)) {
		return;
	}
	event = txn_add_event(txn, lock->hub, lock, EVENT_LOCK_OPERATION);
	if (event != NULL) {
		event_of_op(event, entry);
		event->operation = act_operation(entry->op.act);
		event->source = SOURCE_REMOTE;
		event->state = lock->status.bolt.state;
	}
}

/* For whom a second factor told. In doubt it has, unless the bolt is seen to be out. */
static bool has_opened(const struct op_entry *entry, const struct lock *lock) {
	if (entry->op.user_id[0] == '\0' || !policy_opens(entry->op.act)) {
		return false;
	}
	return entry->op.outcome == OP_DONE ||
	       (entry->op.outcome == OP_UNKNOWN && lock->status.bolt.state != LOCK_STATE_LOCKED);
}

/* As op_finish(), with more items in the outcome's transaction. */
static void op_finish_with(struct op_entry *entry, enum op_outcome outcome,
	const struct fault *fault, struct txn *take_txn) {
	struct lock *lock = entry->lock;
	struct hub *hub = lock->hub;
	struct txn *txn = take_txn;
	struct txn_item *item;
	struct event *event;

	assert(entry->op.state < OP_CLOSING && outcome != OP_PENDING);
	entry->op.state = OP_CLOSING;
	entry->op.outcome = outcome;
	entry->op.fault = fault != NULL ? *fault : (struct fault){ .code = FAULT_NONE };
	health_op_ended(lock, &entry->op);
	secret_wipe(&entry->pin);
	secret_wipe(&entry->job.pin);
	list_remove(&entry->queued);
	if (entry->is_recorded && txn == NULL) {
		txn = hub_txn_new(hub);
	}
	if (txn != NULL) {
		add_operation_event(txn, entry, lock);
		if (has_opened(entry, lock)) {
			people_user_used(
				lock, entry->op.user_id, (wall_t){ 0 }, txn, ATTRIBUTION_FACTOR);
		}
		event = txn_add_event(txn, hub, lock, EVENT_OPERATION_FINISHED);
		if (event != NULL) {
			event_of_op(event, entry);
			event->fault = entry->op.fault.code;
			(void) text_copy(event->text, sizeof(event->text), entry->op.fault.detail);
		}
		item = txn_add(txn, TXN_OUTCOME);
		if (item != NULL) {
			op_to_record(entry, hub, &item->op);
		}
	}
	signal_emit(&hub->signals.op_changed, &entry->op);
	entry->lock = NULL;
	if (entry->op.act == ACT_UNPAIR && outcome == OP_FAILED) {
		lock->is_leaving = false;
	}
	if (!lock->is_provisional) {
		hub_lock_changed(lock, FACT_QUEUE);
	}
	if (txn != NULL) {
		hub_commit(hub, txn);
	} else {
		hub->n_closing++; /* closed by hub_run_due(): never inside the caller's call */
	}
	runner_kick_soon(lock);
}

void op_finish(struct op_entry *entry, enum op_outcome outcome, const struct fault *fault) {
	op_finish_with(entry, outcome, fault, NULL);
}

/* Those whose outcome is not recorded. */
void op_close_due(struct hub *hub) {
	struct op_entry *entry;
	struct op_entry *next;

	while (hub->n_closing > 0) {
		hub->n_closing = 0;
		list_for_each_safe(entry, next, &hub->ops, all) {
			if (entry->op.state == OP_CLOSING && !entry->is_recorded) {
				op_close(hub, entry);
				break; /* the list may be another one now */
			}
		}
		list_for_each(entry, &hub->ops, all) {
			hub->n_closing += entry->op.state == OP_CLOSING && !entry->is_recorded;
		}
	}
}

mono_t op_next_due(const struct lock *lock) {
	const struct op_entry *entry;
	mono_t due = MONO_NEVER;

	list_for_each(entry, &lock->queue, queued) {
		if (lock->job_op != entry && !entry->is_keeping) {
			due = mono_min(due, entry->deadline);
		}
	}
	return due;
}

/* Ends what waited too long. A job that the session has is the session's to end. */
void op_run_due(struct lock *lock, mono_t now) {
	struct op_entry *entry;
	struct op_entry *next;
	struct fault fault;

	list_for_each_safe(entry, next, &lock->queue, queued) {
		if (lock->job_op == entry || entry->is_keeping ||
			!mono_is_due(entry->deadline, now)) {
			continue;
		}
		if (entry->op.state == OP_READING_BACK && timers_is_change(entry->op.act)) {
			timers_give_up(entry);
			continue;
		}
		if (entry->op.state == OP_READING_BACK && settings_is_change(entry->op.act)) {
			settings_give_up(entry);
			continue;
		}
		if (entry->op.state == OP_READING_BACK) {
			(void) fault_set(&fault, FAULT_OUTCOME_UNKNOWN,
				"%s; its state could not be read since",
				fault_row(entry->op.fault.code)->summary);
			op_finish(entry, OP_UNKNOWN, &fault);
			continue;
		}
		if (entry->op.fault.code == FAULT_NONE) {
			(void) fault_set(&fault, FAULT_EXPIRED, "no link within %lld ms",
				(long long) mono_since(entry->op.received, now));
		} else {
			fault = entry->op.fault;
		}
		op_finish(entry, OP_FAILED, &fault);
	}
}

/* ---- the gate ---- */

static bool needs_pin(enum act act) {
	return act == ACT_CALIBRATE || act == ACT_SET_TIME || act == ACT_REBOOT ||
	       act == ACT_READ_LOG || act == ACT_READ_TIMERS || timers_is_change(act);
}

static int check_able(
	const struct lock *lock, const struct request *request, struct fault *ret_fault) {
	struct setting setting;

	if (request->act <= ACT_NONE || request->act >= ACT_COUNT_ || request->act == ACT_PAIR ||
		request->act == ACT_UNPAIR) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "act %d", (int) request->act);
	}
	if (request->act == ACT_VERIFY_PIN && lock->driver->pin_form == NULL) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "locks of %s have no PIN",
			lock->driver->brand);
	}
	if (request->act == ACT_VERIFY_PIN && request->pin.len == 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "no PIN was given (%s)",
			lock->driver->pin_form);
	}
	if (timers_is_change(request->act) && timers_check(request, ret_fault) < 0) {
		return -EINVAL;
	}
	if (settings_is_change(request->act)) {
		int r = settings_check(lock, request, &setting, ret_fault);

		if (r < 0) {
			return r;
		}
	}
	if (learn_is_one(request->act)) {
		struct user user;
		struct job job = { .act = ACT_NONE };
		int r = learn_check(lock, request, &user, &job, ret_fault);

		wipe(&user, sizeof(user));
		if (r < 0) {
			return r;
		}
	}
	if (needs_pin(request->act) && !lock_has_pin(lock)) {
		return fault_set(ret_fault, FAULT_PIN_REQUIRED, "%s", act_name(request->act));
	}
	if ((lock_acts(lock) & 1U << request->act) == 0) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "%s", act_name(request->act));
	}
	if (lock->is_leaving) {
		return fault_set(ret_fault, FAULT_NO_SUCH_LOCK, "%s is being unpaired", lock->slug);
	}
	if (lock->renewal != NULL) {
		return fault_set(
			ret_fault, FAULT_LOCK_BUSY, "%s is being paired again", lock->slug);
	}
	if (lock_queue_length(lock) >= OPS_PER_LOCK_MAX) {
		return fault_set(ret_fault, FAULT_QUEUE_FULL, "%d waiting", OPS_PER_LOCK_MAX);
	}
	return 0;
}

static int check_request(struct hub *hub, const struct request *request, struct lock **ret_lock,
	struct fault *ret_fault) {
	const struct clock *clock = hub->config.clock;
	struct request by_id = *request;
	struct lock *lock;
	int r;

	if (!hub->is_started || hub->is_stopping) {
		return fault_set(ret_fault, FAULT_CANCELLED, "the hub is stopping");
	}
	r = hub_get_lock(hub, request->lock, &lock, ret_fault);
	if (r < 0) {
		return r;
	}
	/* Name, slug and id of one lock must count as the same lock. */
	(void) text_copy(by_id.lock, sizeof(by_id.lock), lock->id);
	r = policy_check(&hub->config.policy, &hub->seen, &by_id, hub_now(hub),
		clock_wall(clock).s * 1000, clock_is_trusted(clock), ret_fault);
	secret_wipe(&by_id.pin);
	secret_wipe(&by_id.factor);
	if (r < 0) {
		return r;
	}
	*ret_lock = lock;
	return check_able(lock, request, ret_fault);
}

static void take_learn(struct op_entry *entry, const struct request *request) {
	struct user user = { .id = "" };

	(void) learn_check(entry->lock, request, &user, &entry->job, NULL);
	memcpy(entry->learner, user.id, sizeof(entry->learner));
	(void) text_copy(entry->label, sizeof(entry->label), request->learn.label);
	wipe(&user, sizeof(user));
}

int hub_request(struct hub *hub, const struct request *request, struct op **ret_op,
	struct fault *ret_fault) {
	struct refusal refusal = { .request = request };
	struct passed passed = { .user_id = "" };
	struct lock *lock = NULL;
	struct op_entry *entry;
	int r = check_request(hub, request, &lock, &refusal.fault);

	if (r >= 0) {
		r = factor_gate(lock, request, &passed, &refusal.fault);
	}
	if (r >= 0) {
		assert(lock != NULL);
		entry = op_new(hub, lock, request->act, request->actor);
		if (entry == NULL) {
			r = fault_set(
				&refusal.fault, FAULT_NO_MEMORY, "%s", act_name(request->act));
		}
	}
	if (r < 0) {
		txn_free(passed.txn);
		signal_emit(&hub->signals.refused, &refusal);
		if (ret_fault != NULL) {
			*ret_fault = refusal.fault;
		}
		return r;
	}
	entry->job.pin = request->pin;
	entry->job.timer = request->timer;
	if (settings_is_change(request->act)) {
		(void) settings_check(lock, request, &entry->job.setting, NULL);
	}
	if (learn_is_one(request->act)) {
		take_learn(entry, request);
	}
	entry->intent = passed.txn;
	memcpy(entry->op.user_id, passed.user_id, sizeof(entry->op.user_id));
	memcpy(entry->op.user, passed.user, sizeof(entry->op.user));
	if (request->received.ms != 0) {
		entry->op.received = request->received;
		entry->deadline = mono_after(request->received, patience_ms(request->act));
	}
	if (request->patience_ms > 0) {
		entry->deadline =
			mono_min(entry->deadline, mono_after(hub_now(hub), request->patience_ms));
	}
	op_accept(entry);
	*ret_op = &entry->op;
	return 0;
}

struct op *hub_find_op(const struct hub *hub, const char *id) {
	struct op_entry *entry;

	list_for_each(entry, &hub->ops, all) {
		if (strcmp(entry->op.id, id) == 0) {
			return &entry->op;
		}
	}
	return NULL;
}

int hub_cancel(struct hub *hub, const char *op_id, struct fault *ret_fault) {
	struct op *op = hub_find_op(hub, op_id);
	struct op_entry *entry;
	struct fault fault;

	if (op == NULL) {
		return fault_set(ret_fault, FAULT_NO_SUCH_OPERATION, "%s", op_id);
	}
	entry = container_of(op, struct op_entry, op);
	if (entry->op.state == OP_RUNNING && entry->lock != NULL && entry->lock->job_op == entry &&
		learn_is_one(op->act)) {
		learn_stop(entry->lock, "by whoever asked for it");
		return 0;
	}
	if (entry->op.state > OP_QUEUED || entry->lock == NULL || entry->lock->job_op == entry) {
		(void) fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"%s is %s: it may have reached the lock already", op_id,
			op_state_name(entry->op.state));
		return -EALREADY;
	}
	(void) fault_set(&fault, FAULT_CANCELLED, "before anything was sent");
	op_finish(entry, OP_FAILED, &fault);
	return 0;
}

size_t hub_op_count(const struct hub *hub) {
	const struct op_entry *entry;
	size_t n = 0;

	list_for_each(entry, &hub->ops, all) {
		n++;
	}
	return n;
}

struct op *hub_op_at(const struct hub *hub, size_t index) {
	struct op_entry *entry;

	list_for_each(entry, &hub->ops, all) {
		if (index-- == 0) {
			return &entry->op;
		}
	}
	return NULL;
}
