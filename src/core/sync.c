/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The locks are made to agree with the book (docs/architecture.md, flow 8). What is to be done is
 * plan.c's; here it is done, step by step, over links that are made anyway where that can wait
 * (L6):
 *
 *	read the list ─► mirror and placements committed ─► plan ─┬─► empty: the lock agrees
 *	     ▲                                                     ▼
 *	     └── after the last step, or any doubt ── SENT committed ─► job ─► result committed
 *
 * A placement is committed before the lock may have got it, so that after a kill at any instant the
 * list tells what has become of it. What is revoked goes first, is alarmed until a list shows that
 * it is gone, and is never given up (L4). Everything else rests longer and longer after failures,
 * and stops when rounds bring nothing (the breaker), until something changes or somebody asks.
 *
 * Only one thing is under way per lock (.phase): changes of the book that come meanwhile are looked
 * at when it is over.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sync.h"

/* While the clock is not trusted it is looked at again so often, if anything waits for it. */
#define TRUST_LOOK_MS 60000

struct sync *sync_new(void) {
	struct sync *sync = calloc(1, sizeof(*sync));

	if (sync != NULL) {
		sync->retry = MONO_NEVER;
		sync->alarm = MONO_NEVER;
		sync->next_edge.s = INT64_MAX;
		sync->n_open = SIZE_MAX;
		sync->was_trusted = true;
	}
	return sync;
}

void sync_drop_list(struct sync *sync) {
	if (sync->list != NULL) {
		wipe(sync->list, SLOTS_PER_LOCK_MAX * sizeof(sync->list[0]));
	}
	free(sync->list);
	sync->list = NULL;
	sync->n_list = 0;
	sync->is_list_broken = false;
}

void sync_drop_plan(struct sync *sync) {
	sync->plan = plan_free(sync->plan);
	sync->next_step = 0;
	wipe(&sync->step, sizeof(sync->step));
}

struct sync *sync_free(struct sync *sync) {
	if (sync == NULL) {
		return NULL;
	}
	sync_drop_list(sync);
	sync_drop_plan(sync);
	free(sync->refused);
	wipe(sync, sizeof(*sync));
	free(sync);
	return NULL;
}

const struct credential_limits *sync_limits(const struct lock *lock) {
	if (lock->driver->credentials == NULL || (lock_acts(lock) & 1U << ACT_READ_USERS) == 0) {
		return NULL;
	}
	return lock->driver->credentials(&lock->keys, &lock->status);
}

bool sync_is_able(const struct lock *lock) {
	return sync_limits(lock) != NULL && !facts_has(lock, FAULT_BAD_PIN) &&
	       !facts_has(lock, FAULT_PIN_BLOCKED);
}

bool sync_may_write(const struct lock *lock) {
	unsigned both = 1U << ACT_PUT_CREDENTIAL | 1U << ACT_REMOVE_CREDENTIAL;

	return (lock_acts(lock) & both) == both;
}

void sync_make_wants(
	const struct lock *lock, const struct credential_limits *limits, struct want_list *ret) {
	const struct clock *clock = lock->hub->config.clock;

	plan_want(lock->hub->book, lock->id, limits, hub_lock_zone(lock->hub, lock->id),
		clock_wall(clock), clock_is_trusted(clock), ret);
}

/* ---- rest ---- */

void sync_rest(struct lock *lock) {
	static const int64_t steps_s[] = { 2, 60, 120, 240, 480, 900, 1800, 3600 };
	static const int64_t urgent_s[] = { 2, 10, 20, 40, 80, 160, 320, 600 };
	struct sync *sync = lock->sync;
	size_t step = sync->n_failures++;

	if (step >= ARRAY_SIZE(steps_s)) {
		step = ARRAY_SIZE(steps_s) - 1;
	}
	sync->retry = mono_after(
		hub_now(lock->hub), 1000 * (sync->is_urgent ? urgent_s[step] : steps_s[step]));
	lock->due &= ~(unsigned) CARE_SYNC;
}

void sync_go(struct lock *lock) {
	lock->sync->retry = MONO_NEVER;
	care_want(lock, CARE_SYNC);
}

/* ---- the book has changed ---- */

bool sync_has_doubt(const struct lock *lock) {
	const struct placement *placement;

	for (size_t i = 0; (placement = book_placement_at(lock->hub->book, i)) != NULL; i++) {
		if (strcmp(placement->lock_id, lock->id) == 0 &&
			(placement->state == PLACEMENT_SENT ||
				placement->state == PLACEMENT_LEAVING)) {
			return true;
		}
	}
	return false;
}

bool sync_has_revocation(const struct plan *plan) {
	return plan->n > 0 && plan->steps[0].is_revocation;
}

/* Whether a link is worth it, by what is known without one. */
static void judge_work(struct lock *lock, const struct plan *plan) {
	struct sync *sync = lock->sync;

	if (sync->is_broken) {
		sync->has_work = sync_has_revocation(plan) || sync->is_urgent;
	} else {
		sync->has_work = plan->n > 0 || sync_has_doubt(lock);
	}
	sync->has_work = sync->has_work && sync_may_write(lock);
}

static void look_at_time(struct lock *lock, const struct want_list *wants) {
	const struct clock *clock = lock->hub->config.clock;

	lock->sync->next_edge = wants->next_edge;
	lock->sync->looked_at = clock_wall(clock);
	lock->sync->was_trusted = clock_is_trusted(clock);
	lock->sync->n_cannot = wants->n_refused;
}

void sync_agree(struct lock *lock) {
	struct sync *sync = lock->sync;
	struct event event;

	sync->n_open = SIZE_MAX;
	sync->n_stuck = 0;
	sync->n_failures = 0;
	sync->retry = MONO_NEVER;
	sync->is_broken = false;
	sync->fault = (struct fault){ .code = FAULT_NONE };
	lock->due &= ~(unsigned) CARE_SYNC;
	facts_clear(lock, FAULT_SYNC_BROKEN);
	if (sync->n_done > 0) {
		lock_event_init(&event, lock, EVENT_SYNCED);
		event.number = sync->n_done;
		sync->n_done = 0;
		hub_record(lock->hub, &event);
	}
	sync_tell(lock);
}

const struct credential_limits *sync_limits_to_judge(const struct lock *lock) {
	static const struct credential_limits any = { .types = UINT32_MAX,
		.has_app_keys = true,
		.name_most = EVENT_USER_MAX,
		.n_windows = 1 };
	const struct credential_limits *limits = sync_limits(lock);

	return limits != NULL ? limits : &any;
}

void sync_look(struct lock *lock) {
	struct sync *sync = lock->sync;
	const struct credential_limits *limits = sync_limits_to_judge(lock);
	AUTO(want_list_free) struct want_list *wants = want_list_new();
	AUTO(plan_free) struct plan *plan = plan_new();
	AUTO(txn_free) struct txn *txn = sync_begin(lock);
	AUTO(free) struct plan_change *changes = calloc(PLAN_CHANGES_MAX, sizeof(changes[0]));
	size_t n;

	if (wants == NULL || plan == NULL || txn == NULL || changes == NULL) {
		return; /* is_dirty stays: the next turn tries again */
	}
	sync->is_dirty = false;
	sync_make_wants(lock, limits, wants);
	look_at_time(lock, wants);
	if (sync_limits(lock) != NULL) {
		if (!sync_retry_refused(lock, wants, FAULT_NONE, txn)) {
			sync->is_dirty = true;
		}
		sync->is_retry_wanted = false;
		sync_make_wants(lock, limits, wants);
		plan_make(lock->hub->book, lock->id, wants, limits, plan);
		n = sync_hold_back(lock, plan);
		if (n > 0 || sync->is_fresh) {
			sync_tell_held(lock, n);
		}
		n = plan_settle(lock->hub->book, lock->id, wants, plan, false,
			clock_wall(lock->hub->config.clock), changes);
		if (!sync_add_changes(txn, changes, n)) {
			sync_commit(lock, NULL, false);
			return;
		}
		sync_judge_overdue(lock, wants);
		if (!list_is_empty(&txn->items)) {
			sync->n_open = SIZE_MAX; /* a new cause */
			sync_commit(lock, STEAL(txn), false);
			return; /* committed() comes back here */
		}
		judge_work(lock, plan);
		if (plan->n == 0 && !sync_has_doubt(lock) && !sync->is_list_wanted) {
			sync_agree(lock);
		}
	} else {
		sync->has_work = false;
		sync->is_list_wanted = false;
		sync_judge_overdue(lock, wants);
	}
	if (sync_is_able(lock) && (sync->has_work || sync->is_list_wanted) &&
		(sync->retry.ms == INT64_MAX || mono_is_due(sync->retry, hub_now(lock->hub)))) {
		sync_go(lock);
	}
	sync_tell(lock);
}

void sync_book_changed(struct hub *hub, struct lock *lock) {
	for (size_t i = 0; i < hub->n_locks; i++) {
		struct lock *each = hub->locks[i];

		if (lock == NULL || lock == each) {
			each->sync->is_dirty = true;
			/* What is revoked by a person does not sit out a pause. */
			each->sync->retry = MONO_NEVER;
			each->sync->n_failures = 0;
		}
	}
}

void sync_linked(struct lock *lock, bool is_up) {
	struct sync *sync = lock->sync;

	sync->is_fresh = false;
	if (sync->phase == PHASE_READY || sync->phase == PHASE_IDLE) {
		/* What was to be sent over that link was not: the list will tell. */
		sync->is_dirty = sync->is_dirty || sync->phase == PHASE_READY;
		sync->phase = PHASE_IDLE;
		sync_drop_plan(sync);
	}
	/* This link is there anyway. */
	if (is_up && (sync->has_work || sync->is_list_wanted) && sync_is_able(lock)) {
		lock->due |= CARE_SYNC;
	}
}

bool sync_is_urgent(const struct lock *lock) {
	return lock->sync->is_urgent && (lock->due & CARE_SYNC) != 0;
}

/* ---- time ---- */

static bool is_time_another(const struct lock *lock) {
	const struct clock *clock = lock->hub->config.clock;
	const struct sync *sync = lock->sync;
	wall_t now = clock_wall(clock);

	if (sync->next_edge.s == INT64_MAX) {
		return false;
	}
	return clock_is_trusted(clock) != sync->was_trusted || now.s < sync->looked_at.s ||
	       (now.s >= sync->next_edge.s && sync->was_trusted);
}

void sync_run_due(struct lock *lock, mono_t now) {
	struct sync *sync = lock->sync;

	if (lock->is_leaving || !lock->hub->is_started) {
		return;
	}
	sync->is_dirty = sync->is_dirty || is_time_another(lock) || mono_is_due(sync->alarm, now);
	if (mono_is_due(sync->retry, now)) {
		sync->retry = MONO_NEVER;
		sync->is_dirty = true;
	}
	if (sync->is_dirty && sync->phase == PHASE_IDLE) {
		sync_look(lock);
	}
}

mono_t sync_next_due(const struct lock *lock) {
	const struct clock *clock = lock->hub->config.clock;
	const struct sync *sync = lock->sync;
	mono_t now = hub_now(lock->hub);
	mono_t due = mono_min(sync->retry, sync->alarm);

	if (lock->is_leaving || !lock->hub->is_started || sync->phase != PHASE_IDLE) {
		return MONO_NEVER; /* whoever has it comes back */
	}
	if (sync->is_dirty || is_time_another(lock)) {
		return now;
	}
	if (sync->next_edge.s != INT64_MAX) {
		int64_t ms = sync->was_trusted ? (sync->next_edge.s - clock_wall(clock).s) * 1000
					       : TRUST_LOOK_MS;

		due = mono_min(due, mono_after(now, ms));
	}
	return due;
}

/* ---- what the edges ask ---- */

static void ask(struct lock *lock) {
	struct sync *sync = lock->sync;

	sync->is_retry_wanted = true;
	sync_release(lock); /* somebody has looked */
	sync_forget_refusals(sync);
	sync->is_broken = false;
	sync->n_stuck = 0;
	sync->n_open = SIZE_MAX;
	sync->n_failures = 0;
	sync->fault = (struct fault){ .code = FAULT_NONE };
	facts_clear(lock, FAULT_SYNC_BROKEN);
	sync->is_dirty = true;
	sync->is_fresh = false;
	sync_want_list(lock, true);
	sync_tell(lock);
}

int hub_code_sync(struct hub *hub, const char *lock_word, const struct people_by *by,
	struct fault *ret_fault) {
	struct lock *lock = NULL;
	int r;

	if (by->role < ROLE_MANAGE) {
		return fault_set(ret_fault, FAULT_DENIED, "codes are for managers");
	}
	if (lock_word[0] == '\0') {
		for (size_t i = 0; i < hub->n_locks; i++) {
			ask(hub->locks[i]);
		}
		return 0;
	}
	r = hub_get_lock(hub, lock_word, &lock, ret_fault);
	if (r < 0) {
		return r;
	}
	if (sync_limits(lock) == NULL) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"%s keeps no codes that the hub can manage: %s", lock->slug,
			lock_why_no_codes(lock));
	}
	ask(lock);
	return 0;
}
