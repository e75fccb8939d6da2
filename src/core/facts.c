/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Evidence comes in here and becomes status, events and standing faults (docs/architecture.md, flow
 * 1). The only writer of lock->status besides read_back()'s doubt.
 */

#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define STORE_DELAY_MS 2000
#define CLOCK_DRIFT_MAX_S 60
/* So many failed attempts in a row, or so long a silence, and the lock counts as out of reach. */
#define UNREACHABLE_FAILURES 3
/* Heard again after so long a silence, it has come back from somewhere. */
#define BACK_AFTER_MS 30000
/* A motor runs for seconds: a state read meanwhile is not the last word. */
#define MOTION_LOOK_MS 3000
#define MOTION_LOOKS_MAX 10
/* Facts this close together are of the same moment. */
#define FRESH_MS 2000

bool fault_is_answer(enum fault_code code) {
	switch (code) {
	case FAULT_PROTOCOL_ERROR:
		return false;
	default: /* RULE R3: a range of the table, "answers of the lock" */
		return (code >= FAULT_NOT_AUTHORIZED && code <= FAULT_LOCK_ERROR) ||
		       (code >= FAULT_NOT_PAIRING && code <= FAULT_TOO_MANY_USERS);
	}
}

/* ---- standing faults ---- */

static struct fault *standing_row(struct lock *lock, enum fault_code code) {
	for (size_t i = 0; i < STANDING_MAX; i++) {
		if (lock->standing[i].code == code) {
			return &lock->standing[i];
		}
	}
	return NULL;
}

bool facts_has(const struct lock *lock, enum fault_code code) {
	for (size_t i = 0; i < STANDING_MAX; i++) {
		if (lock->standing[i].code == code) {
			return true;
		}
	}
	return false;
}

/* These have events of their own kind. */
static bool is_quiet(enum fault_code code) {
	return code == FAULT_JAMMED || code == FAULT_BATTERY_LOW ||
	       code == FAULT_BATTERY_CRITICAL || code == FAULT_LOCK_NOT_HEARD ||
	       code == FAULT_LOCK_UNREACHABLE;
}

static void record_fault(struct lock *lock, enum event_kind kind, const struct fault *fault) {
	struct event event;

	lock_event_init(&event, lock, kind);
	event.fault = fault->code;
	(void) text_copy(event.text, sizeof(event.text), fault->detail);
	hub_record(lock->hub, &event);
}

void facts_raise(struct lock *lock, const struct fault *fault) {
	struct fault *row = standing_row(lock, fault->code);
	bool is_new = row == NULL;

	if (is_new) {
		row = standing_row(lock, FAULT_NONE);
	}
	if (row == NULL) {
		return; /* eight others stand already: enough to act on */
	}
	*row = *fault;
	if (is_new) {
		if (!is_quiet(fault->code)) {
			record_fault(lock, EVENT_FAULT, fault);
		}
		hub_lock_changed(lock, FACT_FAULT);
	}
}

void facts_clear(struct lock *lock, enum fault_code code) {
	struct fault *row = standing_row(lock, code);
	struct fault was;

	if (row == NULL || code == FAULT_NONE) {
		return;
	}
	was = *row;
	*row = (struct fault){ .code = FAULT_NONE };
	if (!is_quiet(code)) {
		was.detail[0] = '\0';
		record_fault(lock, EVENT_FAULT_CLEARED, &was);
	}
	hub_lock_changed(lock, FACT_FAULT);
}

void facts_job_ended(struct lock *lock, const struct job *job, const struct job_result *result) {
	static const enum fault_code standing[] = { FAULT_NOT_AUTHORIZED, FAULT_BAD_PIN,
		FAULT_PIN_BLOCKED, FAULT_KEY_DISABLED, FAULT_NOT_CALIBRATED, FAULT_WRONG_LOCK,
		FAULT_MOTOR_LOW_VOLTAGE, FAULT_FIRMWARE_UPDATE_NEEDED };

	if (lock->is_provisional) {
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(standing); i++) {
		if (result->fault.code == standing[i]) {
			facts_raise(lock, &result->fault);
			return;
		}
	}
	if (result->fault.code != FAULT_NONE) {
		return;
	}
	/* An authenticated answer: the pairing works and this is the lock. */
	facts_clear(lock, FAULT_NOT_AUTHORIZED);
	facts_clear(lock, FAULT_KEY_DISABLED);
	facts_clear(lock, FAULT_WRONG_LOCK);
	if (act_moves_motor(job->act)) {
		/* New cells, new firmware: nothing else tells that they have helped. */
		facts_clear(lock, FAULT_MOTOR_LOW_VOLTAGE);
		facts_clear(lock, FAULT_FIRMWARE_UPDATE_NEEDED);
	}
	if (job->act == ACT_VERIFY_PIN) {
		facts_clear(lock, FAULT_BAD_PIN);
		facts_clear(lock, FAULT_PIN_BLOCKED);
		care_want(lock, CARE_LOG | CARE_CONFIG);
		sync_start(lock);
	}
}

/* ---- events out of changes ---- */

static void record_bolt(struct lock *lock, const struct lock_status *before) {
	const struct lock_status *now = &lock->status;
	enum lock_state was = before->bolt_known.how == EVIDENCE_NONE ? before->previous_state
								      : before->bolt.state;
	struct event event;

	/* Where the lock's own log can be read, it tells who and how; two events would be one too
	 * many. */
	if (now->bolt.state == was || now->bolt.motion != LOCK_MOTION_NONE ||
		now->bolt.state == LOCK_STATE_UNKNOWN || was == LOCK_STATE_UNKNOWN ||
		import_is_possible(lock) || (lock->is_busy && act_moves_motor(lock->job.act))) {
		return;
	}
	lock_event_init(&event, lock, EVENT_STATE_SEEN);
	event.state = now->bolt.state;
	event.source = now->bolt.source;
	if (before->bolt_known.how == EVIDENCE_NONE) {
		(void) text_copy(
			event.text, sizeof(event.text), "changed while the hub was not looking");
	}
	hub_record(lock->hub, &event);
}

static void judge_jam(struct lock *lock) {
	const struct bolt_facts *bolt = &lock->status.bolt;
	struct fault fault;
	struct event event;

	if (bolt->is_jammed && !facts_has(lock, FAULT_JAMMED)) {
		(void) fault_set(&fault, FAULT_JAMMED, "the lock reports a blocked motor");
		facts_raise(lock, &fault);
		lock_event_init(&event, lock, EVENT_ALARM);
		event.alarm = ALARM_LOCK_JAMMED;
		event.fault = FAULT_JAMMED;
		event.state = bolt->state;
		hub_record(lock->hub, &event);
	} else if (!bolt->is_jammed && bolt->motion == LOCK_MOTION_NONE &&
		   (bolt->state == LOCK_STATE_LOCKED || bolt->state == LOCK_STATE_UNLOCKED ||
			   bolt->state == LOCK_STATE_UNLATCHED)) {
		facts_clear(lock, FAULT_JAMMED);
	}
}

static void record_door(struct lock *lock) {
	struct event event;

	if (import_is_possible(lock) || lock->status.door == DOOR_STATE_UNKNOWN) {
		return;
	}
	lock_event_init(&event, lock, EVENT_DOOR_STATE_CHANGE);
	event.door = lock->status.door;
	hub_record(lock->hub, &event);
}

/* Both were just told: then the bolt was out when the door opened. */
static bool is_fresh(const struct known *known, mono_t now) {
	return (known->how == EVIDENCE_ANSWERED || known->how == EVIDENCE_ADVERTISED) &&
	       mono_since(known->at, now) <= FRESH_MS;
}

static void record_alarm(struct lock *lock, enum alarm_code alarm, const char *text) {
	struct event event;

	lock_event_init(&event, lock, EVENT_ALARM);
	event.alarm = alarm;
	event.door = lock->status.door;
	event.state = lock->status.bolt.state;
	(void) text_copy(event.text, sizeof(event.text), text);
	hub_record(lock->hub, &event);
}

static void judge_door(struct lock *lock, const struct lock_status *before) {
	const struct lock_status *status = &lock->status;
	mono_t now = hub_now(lock->hub);

	if (status->door != DOOR_STATE_OPEN) {
		lock->door_open_since = MONO_NEVER;
		lock->is_ajar_told = false;
		lock->is_forced_told = false;
		return;
	}
	if (lock->door_open_since.ms == INT64_MAX) {
		lock->door_open_since = now;
	}
	if (!lock->is_forced_told && before->door == DOOR_STATE_CLOSED &&
		before->bolt_known.how != EVIDENCE_NONE &&
		before->bolt.state == LOCK_STATE_LOCKED &&
		status->bolt.state == LOCK_STATE_LOCKED &&
		status->bolt.motion == LOCK_MOTION_NONE && is_fresh(&status->bolt_known, now) &&
		is_fresh(&status->door_known, now)) {
		lock->is_forced_told = true;
		record_alarm(
			lock, ALARM_DOOR_FORCED_OPEN, "the door opened while the bolt was out");
	}
}

/* MONO_NEVER: not open, not asked for, or told already. */
static mono_t ajar_at(const struct lock *lock) {
	unsigned minutes = book_rules(lock->hub->book, lock->id)->open_period_minutes;

	return minutes > 0 && !lock->is_ajar_told
		       ? mono_after(lock->door_open_since, (int64_t) minutes * 60000)
		       : MONO_NEVER;
}

static void judge_battery(struct lock *lock, enum battery_level was) {
	const struct battery_facts *battery = &lock->status.battery;
	struct fault fault = { .code = FAULT_NONE };
	struct event event;

	if (battery->level == was || battery->level == BATTERY_UNKNOWN) {
		return;
	}
	if (battery->level != BATTERY_CRITICAL) {
		facts_clear(lock, FAULT_BATTERY_CRITICAL);
	}
	if (battery->level != BATTERY_WARNING) {
		facts_clear(lock, FAULT_BATTERY_LOW);
	}
	if (battery->level != BATTERY_OK) {
		(void) fault_set(&fault,
			battery->level == BATTERY_CRITICAL ? FAULT_BATTERY_CRITICAL
							   : FAULT_BATTERY_LOW,
			battery->percent >= 0 ? "%d %%" : "the lock gives no percentage",
			battery->percent);
		facts_raise(lock, &fault);
	} else if (was == BATTERY_UNKNOWN) {
		return; /* learnt for the first time, and well: no news */
	}
	lock_event_init(&event, lock, EVENT_BATTERY);
	event.fault = fault.code;
	event.number = battery->percent;
	hub_record(lock->hub, &event);
}

static void judge_actuator(struct lock *lock) {
	struct fault fault;

	if (lock->status.actuator.is_calibrated) {
		facts_clear(lock, FAULT_NOT_CALIBRATED);
	} else if (!facts_has(lock, FAULT_NOT_CALIBRATED)) {
		(void) fault_set(&fault, FAULT_NOT_CALIBRATED, "as the lock says");
		facts_raise(lock, &fault);
	}
}

static void judge_clock(struct lock *lock) {
	const struct clock_facts *clock = &lock->status.clock;
	struct fault fault;
	int64_t drift = clock->lock_time.s - clock->hub_time.s;

	lock->clock_drift_s = drift;
	if (!clock->is_hub_trusted) {
		return; /* ours may be the wrong one (L8) */
	}
	if (llabs(drift) <= CLOCK_DRIFT_MAX_S) {
		facts_clear(lock, FAULT_CLOCK_WRONG);
		return;
	}
	if (!facts_has(lock, FAULT_CLOCK_WRONG)) {
		(void) fault_set(&fault, FAULT_CLOCK_WRONG, "%lld s %s", (long long) llabs(drift),
			drift > 0 ? "fast" : "slow");
		facts_raise(lock, &fault);
	}
	if (lock->hub->config.set_clocks && lock_has_pin(lock)) {
		care_want(lock, CARE_TIME);
	}
}

/* States carry the version of the configuration: another one than last time has to be read. */
static void judge_config(struct lock *lock, const struct evidence *evidence) {
	int64_t version = evidence->config.version;

	if ((evidence->has & FACT_BOLT) == 0 || evidence->how != EVIDENCE_ANSWERED) {
		return;
	}
	if (lock->config_seen >= 0 && version != lock->config_seen) {
		care_want(lock, CARE_CONFIG);
		sync_want_list(lock, false);
	}
	lock->config_seen = version;
}

/* Found in motion by a mere look (not in the middle of our own act): look again soon. */
static void judge_motion(struct lock *lock, const struct evidence *evidence) {
	if ((evidence->has & FACT_BOLT) == 0 || evidence->how != EVIDENCE_ANSWERED) {
		return;
	}
	if (lock->status.bolt.motion == LOCK_MOTION_NONE ||
		(lock->is_busy && act_moves_motor(lock->job.act))) {
		lock->n_motion_looks = 0;
		return;
	}
	if (lock->n_motion_looks++ < MOTION_LOOKS_MAX) {
		lock->next_poll =
			mono_min(lock->next_poll, mono_after(hub_now(lock->hub), MOTION_LOOK_MS));
	}
}

static void want_stored(struct lock *lock, unsigned changed) {
	if ((changed & (FACT_BOLT | FACT_BATTERY | FACT_VERSIONS | FACT_CONFIG)) != 0 &&
		!lock->is_provisional) {
		lock->is_facts_dirty = true;
		lock->facts_at = mono_after(hub_now(lock->hub), STORE_DELAY_MS);
	}
}

void facts_take(struct lock *lock, const struct evidence *evidence) {
	struct lock_status before = lock->status;
	unsigned changed = lock_status_fold(
		&lock->status, evidence, hub_now(lock->hub), clock_wall(lock->hub->config.clock));

	if (lock->is_provisional || evidence->how == EVIDENCE_STORED) {
		return;
	}
	if ((changed & FACT_BOLT) != 0) {
		record_bolt(lock, &before);
		judge_jam(lock);
	}
	if ((changed & FACT_DOOR) != 0 && before.door_known.how != EVIDENCE_NONE) {
		record_door(lock);
	}
	if ((changed & FACT_DOOR) != 0) {
		judge_door(lock, &before);
	}
	if ((changed & FACT_BATTERY) != 0) {
		judge_battery(lock, before.battery.level);
	}
	if ((changed & FACT_ACTUATOR) != 0) {
		judge_actuator(lock);
	}
	if ((changed & FACT_CLOCK) != 0) {
		judge_clock(lock);
	}
	if ((changed & (FACT_BOLT | FACT_DOOR | FACT_BATTERY | FACT_ACCESSORIES)) != 0) {
		lock->has_news = true;
	}
	health_facts(lock, &before, changed);
	judge_config(lock, evidence);
	judge_motion(lock, evidence);
	/* Something happened at the door: its story is in the log, and the link is there now. */
	if ((changed & (FACT_BOLT | FACT_DOOR)) != 0 && evidence->how == EVIDENCE_ANSWERED) {
		care_want(lock, CARE_LOG);
	}
	want_stored(lock, changed);
	hub_lock_changed(lock, changed);
}

/* ---- reachability ---- */

static void record_reach(struct lock *lock, enum event_kind kind, const struct fault *fault) {
	struct event event;

	lock_event_init(&event, lock, kind);
	if (fault != NULL) {
		event.fault = fault->code;
		(void) text_copy(event.text, sizeof(event.text), fault->detail);
	}
	hub_record(lock->hub, &event);
}

void facts_contact(struct lock *lock, bool is_linked) {
	mono_t now = hub_now(lock->hub);
	bool is_back = is_linked || lock->n_failures < UNREACHABLE_FAILURES ||
		       mono_since(lock->contact, now) > BACK_AFTER_MS;

	lock->is_back = is_back;
	lock->contact = now;
	if (lock->is_provisional || lock->is_reachable || !is_back || lock->is_mute) {
		return;
	}
	lock->is_reachable = true;
	facts_clear(lock, FAULT_LOCK_NOT_HEARD);
	facts_clear(lock, FAULT_LOCK_UNREACHABLE);
	record_reach(lock, EVENT_REACHABLE, NULL);
	hub_lock_changed(lock, FACT_LINK);
}

static void give_up_on(struct lock *lock, const struct fault *why) {
	if (!lock->is_reachable || lock->is_provisional) {
		return;
	}
	lock->is_reachable = false;
	facts_raise(lock, why);
	record_reach(lock, EVENT_UNREACHABLE, why);
	hub_lock_changed(lock, FACT_LINK);
}

void facts_lost_contact(struct lock *lock, const struct fault *why) {
	/* Only what speaks of this lock; a missing adapter is the hub's own trouble. */
	if ((why->code == FAULT_LOCK_NOT_HEARD || why->code == FAULT_LOCK_UNREACHABLE) &&
		lock->n_failures >= UNREACHABLE_FAILURES) {
		give_up_on(lock, why);
	}
}

void facts_answered(struct lock *lock) {
	if (lock->is_mute) {
		lock->is_mute = false;
		facts_clear(lock, FAULT_LOCK_SILENT);
		facts_clear(lock, FAULT_PROTOCOL_ERROR);
		facts_clear(lock, FAULT_LINK_LOST);
	}
	facts_contact(lock, true);
}

void facts_mute(struct lock *lock, const struct fault *why) {
	if (lock->n_failures < UNREACHABLE_FAILURES || lock->is_provisional) {
		return;
	}
	lock->is_mute = true;
	facts_raise(lock, why);
	give_up_on(lock, why);
}

static int64_t silence_ms(const struct lock *lock) {
	const struct hub_config *config = &lock->hub->config;

	/* One that is only polled cannot be heard in between. */
	return lock->is_link_watched ? config->unreachable_ms
				     : config->unreachable_ms + 2 * config->poll_ms;
}

static void store_facts(struct lock *lock) {
	struct txn *txn = hub_txn_new(lock->hub);
	struct txn_item *item = txn != NULL ? txn_add(txn, TXN_LOCK_FACTS) : NULL;

	lock->is_facts_dirty = false;
	if (item != NULL) {
		lock_to_record(lock, &item->lock);
	}
	hub_commit(lock->hub, txn);
}

void facts_run_due(struct lock *lock, mono_t now) {
	struct fault fault;
	char text[64];

	if (mono_is_due(ajar_at(lock), now)) {
		lock->is_ajar_told = true;
		(void) snprintf(text, sizeof(text), "open for %lld min",
			(long long) (mono_since(lock->door_open_since, now) / 60000));
		record_alarm(lock, ALARM_DOOR_AJAR, text);
	}
	if (lock->is_facts_dirty && mono_is_due(lock->facts_at, now)) {
		/* While the motor runs there is nothing final to write down, if it does not run for
		 * ever. */
		if (lock->status.bolt.motion != LOCK_MOTION_NONE &&
			lock->n_motion_looks < MOTION_LOOKS_MAX) {
			lock->facts_at = mono_after(now, STORE_DELAY_MS);
		} else {
			store_facts(lock);
		}
	}
	if (lock->is_reachable && mono_since(lock->contact, now) >= silence_ms(lock)) {
		(void) fault_set(&fault, FAULT_LOCK_NOT_HEARD, "nothing for %lld min",
			(long long) (mono_since(lock->contact, now) / 60000));
		give_up_on(lock, &fault);
	}
}

mono_t facts_next_due(const struct lock *lock) {
	mono_t due = mono_min(ajar_at(lock), lock->is_facts_dirty ? lock->facts_at : MONO_NEVER);

	if (lock->is_reachable) {
		due = mono_min(due, mono_after(lock->contact, silence_ms(lock)));
	}
	return due;
}
