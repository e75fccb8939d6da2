/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the hub does for a lock without being asked: keeping its state, log, configuration, battery
 * report and clock known. Everything that is due goes into one link (L6); nothing here may keep a
 * person waiting.
 */

#include "private.h"

#include <string.h>

#include "crypto/crypto.h"

/* A lock that announces its changes is still asked now and then: an advertisement can be missed. */
#define ANNOUNCED_POLL_FACTOR 12
/*
 * A beacon from before a read may be told behind it: it waited in a queue, or BlueZ hands out the
 * last one again. A lock that is linked sends none, so that is over when a link has ended. What is
 * said then costs a look, and a look in vain makes the hub slower to believe (judge_mark).
 */
#define QUIET_MS 1000
/*
 * Anybody can send a beacon with the mark. The pause between two looks because of it doubles while
 * they find nothing new, and is none behind one that did: only the lock itself can bring news.
 */
#define MARK_PAUSE_MS 10000
#define MARK_PAUSE_MAX_MS 600000
#define CARE_TRIES_MAX 3

void care_want(struct lock *lock, unsigned bits) {
	if ((bits & CARE_LOG) != 0 && !import_is_possible(lock)) {
		bits &= ~(unsigned) CARE_LOG;
	}
	if (bits == 0) {
		return;
	}
	lock->due |= bits;
	runner_kick_soon(lock);
}

static mono_t poll_at(const struct lock *lock) {
	int64_t poll_ms = lock->hub->config.poll_ms;

	return mono_after(hub_now(lock->hub),
		lock_is_announcing(lock) ? poll_ms * ANNOUNCED_POLL_FACTOR : poll_ms);
}

/* Whether its state is known without a look: it is heard, and what it sends tells changes. */
static bool is_told(const struct lock *lock) {
	const struct lock_status *status = &lock->status;

	return lock->driver->is_telling && status->bolt_known.how != EVIDENCE_NONE &&
	       status->heard.how != EVIDENCE_NONE &&
	       mono_since(status->heard.at, hub_now(lock->hub)) < lock->hub->config.poll_ms;
}

void care_start(struct lock *lock) {
	const struct lock_status *status = &lock->status;
	int64_t age_s = clock_wall(lock->hub->config.clock).s - status->report_known.wall.s;

	lock->next_poll = poll_at(lock);
	lock->next_battery = mono_after(hub_now(lock->hub), lock->hub->config.battery_ms);
	sync_start(lock);
	/* What tells by itself is listened to first. */
	care_want(lock, CARE_CONFIG | CARE_LOG | (lock->driver->is_telling ? 0 : CARE_STATE));
	if (status->report_known.wall.s == 0 || age_s * 1000 > lock->hub->config.battery_ms) {
		care_want(lock, CARE_BATTERY);
	}
}

/* The order within a link: what people look at first. */
static const struct {
	unsigned bit;
	enum act act;
} care_rows[] = {
	{ CARE_STATE, ACT_READ_STATE },
	{ CARE_TIME, ACT_SET_TIME },
	{ CARE_LOG, ACT_READ_LOG },
	{ CARE_CONFIG, ACT_READ_CONFIG },
	{ CARE_BATTERY, ACT_READ_BATTERY },
	{ CARE_TIMERS, ACT_READ_TIMERS },
};

/* A PIN that is known to be wrong is not tried by the hub itself. */
static bool has_good_pin(const struct lock *lock) {
	return lock_has_pin(lock) && !facts_has(lock, FAULT_BAD_PIN) &&
	       !facts_has(lock, FAULT_PIN_BLOCKED);
}

bool care_next(struct lock *lock, struct job *ret, unsigned *ret_bit) {
	unsigned acts;

	if (lock->is_provisional || lock->is_leaving || lock->hub->is_stopping) {
		return false;
	}
	/* What must open the door no longer goes before all that is only looked at (L4). */
	if (sync_is_urgent(lock) && sync_next_job(lock, ret)) {
		*ret_bit = CARE_SYNC;
		return true;
	}
	acts = lock_acts(lock);
	for (size_t i = 0; i < ARRAY_SIZE(care_rows); i++) {
		unsigned bit = care_rows[i].bit;

		if ((lock->due & bit) == 0) {
			continue;
		}
		if ((acts & 1U << care_rows[i].act) == 0 ||
			(bit == CARE_LOG && !import_is_possible(lock)) ||
			(bit == CARE_TIMERS && !has_good_pin(lock))) {
			lock->due &= ~bit;
			continue;
		}
		if (bit == CARE_LOG && lock->is_importing) {
			continue; /* the cursor is not on the disk yet */
		}
		*ret = (struct job){ .act = care_rows[i].act };
		*ret_bit = bit;
		return true;
	}
	*ret_bit = CARE_SYNC;
	return (lock->due & CARE_SYNC) != 0 && sync_next_job(lock, ret);
}

bool care_is_waiting(const struct lock *lock, mono_t now) {
	if (lock->due == 0 || lock->is_provisional || lock->is_leaving || lock->renewal != NULL ||
		lock->hub->is_stopping) {
		return false;
	}
	return mono_is_due(lock->retry, now);
}

enum radio_need care_need(const struct lock *lock) {
	return lock->is_state_wanted_by_event || sync_is_urgent(lock) ? RADIO_NEED_EVENT
								      : RADIO_NEED_BACKGROUND;
}

void care_failed(struct lock *lock) {
	static const int64_t steps_ms[] = { 250, 1000, 4000, 15000, 60000, 300000 };
	size_t step = lock->n_failures > 0 ? lock->n_failures - 1 : 0;
	int64_t pause;

	if (step >= ARRAY_SIZE(steps_ms)) {
		step = ARRAY_SIZE(steps_ms) - 1;
	}
	/* +-20 %, so that locks that fell silent together do not come back together. */
	pause = steps_ms[step] * (80 + (int64_t) (crypto_random_u32() % 41)) / 100;
	lock->retry = mono_after(hub_now(lock->hub), pause);
	lock->is_state_wanted_by_event = false;
}

static bool is_worth_retrying(const struct job_result *result) {
	return !fault_is_answer(result->fault.code) && result->fault.code != FAULT_NOT_SUPPORTED &&
	       result->fault.code != FAULT_PIN_REQUIRED;
}

static void judge_mark(struct lock *lock, mono_t now) {
	if (!lock->is_mark_read) {
		return;
	}
	lock->is_mark_read = false;
	if (lock->has_news) {
		lock->mark_pause_ms = 0;
	} else if (lock->mark_pause_ms == 0) {
		lock->mark_pause_ms = MARK_PAUSE_MS;
	} else if (mono_since(lock->next_mark, now) < MARK_PAUSE_MAX_MS &&
		   lock->mark_pause_ms < MARK_PAUSE_MAX_MS) {
		/* Rare ones do not add up: a mark may mean what is not looked at here. */
		lock->mark_pause_ms *= 2;
	}
	lock->next_mark = mono_after(now, lock->mark_pause_ms);
	lock->has_news = false;
}

/*
 * The state was read just now, which clears the mark. A mark in a beacon from here on is new when
 * the last one was without: BlueZ does not say again what has not changed, so waiting to hear the
 * clear one would be waiting in vain.
 */
static void read_clears_mark(struct lock *lock, mono_t now) {
	lock->quiet_until = lock->is_heard_clear ? now : mono_after(now, QUIET_MS);
	lock->has_late_mark = false;
	lock->has_passing_mark = false;
	judge_mark(lock, now);
}

void care_done(
	struct lock *lock, unsigned bit, const struct job *job, const struct job_result *result) {
	mono_t now = hub_now(lock->hub);
	struct event event;

	if (bit == CARE_SYNC) {
		sync_job_done(lock, job, result);
		return;
	}
	if (result->fault.code != FAULT_NONE && is_worth_retrying(result)) {
		lock->n_failures++;
		care_failed(lock);
		if (bit == CARE_STATE) {
			facts_mute(lock, &result->fault);
		} else if (lock->n_failures >= CARE_TRIES_MAX) {
			lock->due &= ~bit; /* the state matters more; this one has its next turn */
		}
		runner_drop(lock);
		return;
	}
	lock->due &= ~bit;
	if (bit == CARE_STATE) {
		lock->is_state_wanted_by_event = false;
		lock->next_poll = poll_at(lock);
		read_clears_mark(lock, now);
	}
	if (bit == CARE_BATTERY) {
		lock->next_battery = mono_after(now, lock->hub->config.battery_ms);
	}
	if (result->fault.code != FAULT_NONE) {
		return;
	}
	if (bit == CARE_CONFIG) {
		sync_start(lock); /* it may have a keypad now */
		/* Nobody but the lock has them: what is known of them is what a reset leaves. */
		care_want(lock, CARE_TIMERS);
	}
	if (bit == CARE_LOG && result->is_log_more) {
		lock->due |= CARE_LOG;
	}
	if (bit == CARE_TIME && job->act == ACT_SET_TIME) {
		facts_clear(lock, FAULT_CLOCK_WRONG);
		lock_event_init(&event, lock, EVENT_CLOCK_SET);
		event.number = lock->clock_drift_s;
		hub_record(lock->hub, &event);
	}
}

/* When the mark that was heard may be looked at. */
static mono_t mark_due(const struct lock *lock) {
	if (!lock->has_late_mark || lock->is_state_wanted_by_event || lock->is_leaving) {
		return MONO_NEVER;
	}
	return lock->quiet_until.ms > lock->next_mark.ms ? lock->quiet_until : lock->next_mark;
}

static void follow_mark(struct lock *lock, mono_t now) {
	if (!mono_is_due(mark_due(lock), now)) {
		return;
	}
	lock->has_late_mark = false;
	lock->has_passing_mark = false;
	lock->is_state_wanted_by_event = true;
	lock->is_mark_read = true;
	if (lock->n_failures == 0) {
		lock->retry = now;
	}
	care_want(lock, CARE_STATE | CARE_LOG);
}

void care_heard(struct lock *lock, const struct evidence *evidence) {
	bool is_changed = evidence->is_changed;
	mono_t now = hub_now(lock->hub);

	/* It is back: no need to sit out a long pause. */
	if (lock->due != 0 && lock->n_failures > 1 && lock->is_back) {
		lock->retry = now;
		runner_kick_soon(lock);
	}
	bool was_clear = lock->is_heard_clear;

	lock->is_heard_clear = !is_changed;
	/*
	 * Where the mark does not go when we read it says nothing, unless somebody else makes it
	 * go, the vendor's own bridge for instance: that it comes up is news all the same.
	 */
	if (!lock_is_announcing(lock) && !was_clear) {
		return;
	}
	if (!is_changed) {
		/* A hand that is gone from the keypad has typed something all the same. */
		if (!lock->has_passing_mark) {
			lock->quiet_until = now;
			lock->has_late_mark = false;
		}
		return;
	}
	lock->has_passing_mark |= evidence->is_passing;
	/* BlueZ may tell of a mark once only, when it changes: what is not looked at now waits. */
	lock->has_late_mark = true;
	follow_mark(lock, now);
}

/* Whether its beacon says that something has changed, until the hub asks what. */
static bool is_marking(const struct lock *lock) {
	return lock_is_announcing(lock) && !lock->driver->is_telling;
}

void care_after_op(struct lock *lock, const struct op_entry *entry) {
	if (entry->op.act == ACT_READ_STATE && is_marking(lock)) {
		/* It has cleared the mark, which may have stood for something in the log. */
		care_want(lock, CARE_LOG);
	}
	if (!act_moves_motor(entry->op.act)) {
		return;
	}
	/*
	 * Our own act sets the mark too. One question more over the link that is there clears it;
	 * else the mark would cost a link of its own, or hide that of a hand at the knob.
	 */
	lock->quiet_until = mono_after(hub_now(lock->hub), QUIET_MS);
	care_want(lock,
		lock->has_bolt_evidence && !is_marking(lock) ? CARE_LOG : CARE_STATE | CARE_LOG);
}

void care_run_due(struct lock *lock, mono_t now) {
	if (mono_is_due(lock->next_poll, now)) {
		lock->next_poll = poll_at(lock);
		care_want(lock, CARE_LOG | (is_told(lock) ? 0 : CARE_STATE));
	}
	if (mono_is_due(lock->next_battery, now)) {
		lock->next_battery = mono_after(now, lock->hub->config.battery_ms);
		sync_want_list(lock, false);
		care_want(lock, CARE_BATTERY | CARE_CONFIG);
	}
	follow_mark(lock, now);
	if (lock->due != 0 && lock->state == RUNNER_IDLE && mono_is_due(lock->retry, now)) {
		runner_kick(lock);
	}
}

mono_t care_next_due(const struct lock *lock) {
	mono_t due = mono_min(mono_min(lock->next_poll, lock->next_battery), mark_due(lock));

	if (lock->due != 0 && lock->state == RUNNER_IDLE && !lock->is_leaving &&
		!lock->hub->is_stopping) {
		due = mono_min(due, lock->retry);
	}
	return due;
}
