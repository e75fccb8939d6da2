/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a lock does by itself at a time of day. The lock has the say; the hub shows the list as it
 * was read last, and keeps that to put it back into a lock that was reset (timers-kept.c). After
 * each change the list is read again, and if it is not certain that the change reached the lock,
 * the list decides (L1, L2): a new timer must never be put twice.
 *
 *	QUEUED ─► RUNNING ─ put or remove ─► READING_BACK ─ list ─► DONE, FAILED
 *	                       └ certainly not sent, or refused: as with any other operation
 */

#include "private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/schedule.h"
#include "util/log.h"

/* Reading the list may take this long beyond the operation's own time. */
#define LIST_MS 20000
#define DAY_MINUTES 1440

bool timers_is_change(enum act act) {
	return act == ACT_PUT_TIMER || act == ACT_REMOVE_TIMER;
}

int timers_check(const struct request *request, struct fault *ret_fault) {
	const struct lock_timer *timer = &request->timer;

	if (request->act == ACT_REMOVE_TIMER) {
		return timer->ref > 0 ? 0
				      : fault_set(ret_fault, FAULT_BAD_ARGUMENT,
						"no timer has the id %lld", (long long) timer->ref);
	}
	if (timer->ref < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "no timer has the id %lld",
			(long long) timer->ref);
	}
	if (timer->act < ACT_LOCK || timer->act > ACT_LOCK_N_GO_UNLATCH) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a timer can do lock, unlock, unlatch, lock-n-go or lock-n-go-unlatch, not "
			"%s",
			act_name(timer->act));
	}
	if ((timer->days & ~DAYS_ALL) != 0 || timer->minute < 0 || timer->minute >= DAY_MINUTES) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "days 0x%02x, minute %d of the day",
			timer->days, timer->minute);
	}
	return 0;
}

static uint8_t days_of(const struct lock_timer *timer) {
	return timer->days != 0 ? timer->days : DAYS_ALL;
}

char *timers_text(const struct op_entry *entry, char *out, size_t size) {
	const struct lock_timer *timer = &entry->job.timer;
	const struct schedule all_day = { .kind = SCHEDULE_WEEK_DAY,
		.days = days_of(timer),
		.start_minute = 0,
		.end_minute = DAY_MINUTES - 1 };
	char days[SCHEDULE_TEXT_MAX];
	char which[32] = "new timer";

	if (timer->ref != 0) {
		(void) snprintf(which, sizeof(which), "timer %lld", (long long) timer->ref);
	}
	if (entry->op.act == ACT_REMOVE_TIMER) {
		(void) snprintf(out, size, "%s", which);
	} else {
		(void) snprintf(out, size, "%s: %s %02d:%02d %s%s", which,
			schedule_text(&all_day, days), timer->minute / 60, timer->minute % 60,
			act_name(timer->act), timer->is_enabled ? "" : ", off");
	}
	return out;
}

/* ---- the list ---- */

static void drop_listing(struct lock *lock) {
	free(lock->listing);
	lock->listing = NULL;
	lock->n_listing = 0;
}

void timers_free(struct lock *lock) {
	drop_listing(lock);
	free(lock->timers);
	lock->timers = NULL;
	lock->n_timers = 0;
	lock->timers_at = (wall_t){ 0 };
}

void timers_begin(struct lock *lock) {
	drop_listing(lock);
	lock->is_listing_short = false;
}

void timers_take(struct lock *lock, const struct lock_timer *timers, size_t n) {
	struct lock_timer *rows;

	if (lock->is_listing_short || n == 0) {
		return;
	}
	if (n > LOCK_TIMERS_MAX - lock->n_listing) {
		log_blame(BLAME_FIRMWARE, lock->slug,
			"it lists more than %d timers: the rest is not shown", LOCK_TIMERS_MAX);
		n = LOCK_TIMERS_MAX - lock->n_listing;
	}
	rows = reallocarray(lock->listing, lock->n_listing + n, sizeof(*rows));
	if (rows == NULL) {
		lock->is_listing_short = true;
		return;
	}
	memcpy(rows + lock->n_listing, timers, n * sizeof(*rows));
	lock->listing = rows;
	lock->n_listing += n;
}

void timers_end(struct lock *lock, struct job_result *result) {
	if (result->fault.code == FAULT_NONE && lock->is_listing_short) {
		(void) fault_set(&result->fault, FAULT_NO_MEMORY, "for the list of timers");
	}
	if (result->fault.code != FAULT_NONE) {
		drop_listing(lock);
		return;
	}
	free(lock->timers);
	lock->timers = lock->listing;
	lock->n_timers = lock->n_listing;
	lock->listing = NULL;
	lock->n_listing = 0;
	lock->timers_at = clock_wall(lock->hub->config.clock);
	timers_keep(lock);
	hub_lock_changed(lock, FACT_TIMERS);
}

const struct lock_timer *lock_timers(const struct lock *lock, size_t *ret_n, wall_t *ret_at) {
	*ret_n = lock->n_timers;
	if (ret_at != NULL) {
		*ret_at = lock->timers_at;
	}
	return lock->timers;
}

/* ---- changes ---- */

/* Whether the list, as just read, is what the operation was to make of it. */
static bool is_as_asked(const struct op_entry *entry) {
	const struct lock *lock = entry->lock;
	const struct lock_timer *wanted = &entry->job.timer;

	for (size_t i = 0; i < lock->n_timers; i++) {
		const struct lock_timer *timer = &lock->timers[i];

		if (entry->op.act == ACT_REMOVE_TIMER && timer->ref == wanted->ref) {
			return false;
		}
		if (entry->op.act == ACT_PUT_TIMER && timers_are_alike(timer, wanted) &&
			(wanted->ref == 0 || timer->ref == wanted->ref)) {
			return true;
		}
	}
	return entry->op.act == ACT_REMOVE_TIMER;
}

static void finish_unknown(struct op_entry *entry, const char *why) {
	struct fault fault;

	(void) fault_set(&fault, FAULT_OUTCOME_UNKNOWN, "%s%s%s",
		entry->op.fault.code != FAULT_NONE ? fault_row(entry->op.fault.code)->summary : "",
		entry->op.fault.code != FAULT_NONE ? "; " : "", why);
	op_finish(entry, OP_UNKNOWN, &fault);
}

void timers_give_up(struct op_entry *entry) {
	struct lock *lock = entry->lock;

	/* What was read before the change is no longer so. */
	timers_free(lock);
	hub_lock_changed(lock, FACT_TIMERS);
	if (entry->op.fault.code == FAULT_NONE) {
		op_finish(entry, OP_DONE, NULL);
	} else {
		finish_unknown(entry, "its timers could not be read since");
	}
}

static void list_read(struct op_entry *entry, const struct job_result *result) {
	struct lock *lock = entry->lock;
	struct fault fault = entry->op.fault;

	if (result->fault.code != FAULT_NONE) {
		if (mono_is_due(entry->deadline, hub_now(lock->hub)) ||
			fault_is_answer(result->fault.code)) {
			timers_give_up(entry);
		} else {
			runner_drop(lock); /* once more, until the deadline */
		}
		return;
	}
	if (is_as_asked(entry)) {
		op_finish(entry, OP_DONE, NULL);
	} else if (fault.code != FAULT_NONE) {
		op_finish(entry, OP_FAILED, &fault);
	} else {
		finish_unknown(entry, "the lock said that it was done, but lists it otherwise");
	}
}

bool timers_job_done(struct op_entry *entry, const struct job_result *result) {
	struct lock *lock = entry->lock;
	bool is_done = result->fault.code == FAULT_NONE;
	bool is_answer = fault_is_answer(result->fault.code);
	/* Made, even if what was to follow went wrong. */
	bool is_made = result->ref != 0 && entry->job.timer.ref == 0;

	if (entry->op.state == OP_READING_BACK) {
		list_read(entry, result);
		return true;
	}
	if (entry->op.act == ACT_PUT_TIMER && (is_done || is_made)) {
		entry->op.ref = result->ref;
		entry->job.timer.ref = result->ref;
	}
	if (entry->is_doomed ||
		(!is_done && !is_made && (result->sent == JOB_NOT_SENT || is_answer))) {
		return false;
	}
	entry->op.state = OP_READING_BACK;
	entry->op.fault = result->fault;
	entry->deadline = mono_after(hub_now(lock->hub), LIST_MS);
	op_changed(entry);
	if (!is_done && !is_answer) {
		runner_drop(lock); /* a session that lost the thread starts best on a new link */
	}
	runner_kick_soon(lock);
	return true;
}
