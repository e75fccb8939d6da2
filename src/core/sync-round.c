/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One round: a fresh list, the plan for it, and its steps one by one. */

#include <string.h>

#include "sync.h"

#define STUCK_MAX 3 /* rounds in a row without progress: the breaker opens */

/* ---- a round ---- */

static void open_breaker(struct lock *lock, const struct plan *plan) {
	const struct plan_step *step = &plan->steps[0];
	const struct credential *credential = book_credential(lock->hub->book, step->credential_id);
	const struct user *user =
		credential != NULL ? book_user(lock->hub->book, credential->user_id) : NULL;
	struct fault fault;

	lock->sync->is_broken = true;
	(void) fault_set(&fault, FAULT_SYNC_BROKEN,
		"%u rounds without progress, %zu steps left%s%.60s%s%s", STUCK_MAX, plan->n,
		user != NULL ? ", first " : "", user != NULL ? user->name : "",
		lock->sync->fault.code != FAULT_NONE ? "; last: " : "",
		lock->sync->fault.code != FAULT_NONE ? fault_name(lock->sync->fault.code) : "");
	lock->sync->fault = fault;
	facts_raise(lock, &fault);
}

/* A fresh list and the plan for it: is there anything to do, and does it get any better? */
static bool start_round(struct lock *lock) {
	struct sync *sync = lock->sync;
	const struct credential_limits *limits = sync_limits(lock);
	AUTO(want_list_free) struct want_list *wants = want_list_new();
	AUTO(plan_free) struct plan *plan = plan_new();

	if (wants == NULL || plan == NULL || limits == NULL) {
		sync_rest(lock);
		return false;
	}
	sync_make_wants(lock, limits, wants);
	plan_make(lock->hub->book, lock->id, wants, limits, plan);
	(void) sync_hold_back(lock, plan);
	if (plan->n == 0) {
		sync_agree(lock);
		return false;
	}
	if (!sync_may_write(lock)) {
		lock->due &= ~(unsigned) CARE_SYNC;
		return false;
	}
	if (plan->n < sync->n_open) {
		sync->n_stuck = 0;
	} else if (sync->is_tried && ++sync->n_stuck >= STUCK_MAX && !sync->is_broken) {
		open_breaker(lock, plan);
	}
	sync->is_tried = false;
	sync->n_open = plan->n;
	if (sync->is_broken && !sync_has_revocation(plan)) {
		lock->due &= ~(unsigned) CARE_SYNC;
		sync_tell(lock);
		return false;
	}
	if (sync->n_stuck > 0 && sync->n_failures < sync->n_stuck) {
		sync_rest(lock); /* the same again at once would be no better */
		sync->is_fresh = false;
		return false;
	}
	sync->plan = STEAL(plan);
	sync->next_step = 0;
	return true;
}

/* The book has not changed its mind since the plan was made. */
static bool is_step_right(const struct lock *lock, const struct plan_step *step) {
	const struct credential_limits *limits = sync_limits(lock);
	AUTO(want_list_free) struct want_list *wants = want_list_new();

	if (wants == NULL || limits == NULL) {
		return false;
	}
	sync_make_wants(lock, limits, wants);
	for (size_t i = 0; i < wants->n; i++) {
		const struct want *want = &wants->wants[i];

		if (strcmp(want->credential->id, step->credential_id) == 0) {
			return step->kind != PLAN_REMOVE &&
			       sync_mark_of(&want->slot) == sync_mark_of(&step->slot);
		}
	}
	return step->kind == PLAN_REMOVE;
}

/* The next step's placement, into @txn. false: there is none, or no memory. */
static bool add_next_step(struct lock *lock, struct txn *txn) {
	struct sync *sync = lock->sync;
	struct placement placement;

	while (sync->plan != NULL && sync->next_step < sync->plan->n) {
		const struct plan_step *step = &sync->plan->steps[sync->next_step++];
		bool is_held = sync->is_broken && !step->is_revocation;

		/* A refused row that is wanted is removed too: that is right as long as the book
		 * stands. */
		if (is_held || (sync->is_dirty && !is_step_right(lock, step))) {
			continue;
		}
		sync->step = *step;
		plan_before(lock->hub->book, lock->id, step, clock_wall(lock->hub->config.clock),
			&placement);
		return sync_add_placement(txn, &placement, false);
	}
	sync_drop_plan(sync);
	return false;
}

bool sync_next_job(struct lock *lock, struct job *ret) {
	struct sync *sync = lock->sync;
	AUTO(txn_free) struct txn *txn = NULL;

	if (!sync_is_able(lock)) {
		lock->due &= ~(unsigned) CARE_SYNC;
		return false;
	}
	switch (sync->phase) {
	case PHASE_COMMITTING:
	case PHASE_READING:
	case PHASE_STEPPING:
		return false;
	case PHASE_READY:
		sync->phase = PHASE_STEPPING;
		sync->is_tried = true;
		sync->is_fresh = false;
		*ret = (struct job){ .act = sync->step.kind == PLAN_REMOVE ? ACT_REMOVE_CREDENTIAL
									   : ACT_PUT_CREDENTIAL };
		ret->slot = sync->step.slot;
		return true;
	case PHASE_IDLE:
		break;
	}
	if (!sync->is_fresh) {
		sync_drop_list(sync);
		sync_drop_plan(sync);
		sync->phase = PHASE_READING;
		*ret = (struct job){ .act = ACT_READ_USERS };
		sync_tell(lock);
		return true;
	}
	if (sync->is_dirty) {
		sync_look(lock);
		if (sync->phase != PHASE_IDLE) {
			return false;
		}
	}
	if (sync->plan == NULL && !start_round(lock)) {
		return false;
	}
	txn = sync_begin(lock);
	if (txn == NULL) {
		sync_rest(lock);
		return false;
	}
	if (!add_next_step(lock, txn)) {
		sync->is_fresh = false; /* the book is another by now: from the start */
		runner_kick_soon(lock);
		return false;
	}
	sync_commit(lock, STEAL(txn), true);
	return false;
}

static enum plan_result result_of(const struct plan_step *step, const struct job_result *result) {
	switch (result->fault.code) {
	case FAULT_NONE:
		return PLAN_DONE;
	case FAULT_NO_SUCH_ENTRY:
		return step->kind == PLAN_REMOVE ? PLAN_DONE : PLAN_NOT_DONE;
	case FAULT_BAD_PARAMETER:
	case FAULT_BAD_ARGUMENT:
	case FAULT_CODE_EXISTS:
	case FAULT_CODE_INVALID:
	case FAULT_LIST_FULL:
	case FAULT_TOO_MANY_USERS:
	case FAULT_NOT_SUPPORTED:
	case FAULT_ACTION_REJECTED:
		return PLAN_REFUSED;
	default: /* RULE R3: those that are final, of many */
		break;
	}
	return result->sent == JOB_NOT_SENT || fault_is_answer(result->fault.code) ? PLAN_NOT_DONE
										   : PLAN_DOUBT;
}

static void step_done(struct lock *lock, const struct job_result *result) {
	struct sync *sync = lock->sync;
	enum plan_result what = result_of(&sync->step, result);
	const struct placement *old =
		book_placement(lock->hub->book, lock->id, sync->step.credential_id);
	AUTO(txn_free) struct txn *txn = sync_begin(lock);
	struct placement placement;
	bool is_going_on = what == PLAN_DONE || what == PLAN_REFUSED;
	bool is_next;

	sync->phase = PHASE_IDLE;
	sync->n_done += what == PLAN_DONE;
	if (what != PLAN_DONE) {
		sync->fault = result->fault;
	}
	if (old == NULL || txn == NULL) {
		sync_drop_plan(sync);
		sync_rest(lock);
		return;
	}
	placement = *old;
	plan_after(&placement, &sync->step, what, result->fault.code, result->ref,
		clock_wall(lock->hub->config.clock));
	if (!sync_add_placement(txn, &placement, false)) {
		sync_drop_plan(sync);
		sync_rest(lock);
		return;
	}
	if (!is_going_on) {
		sync_drop_plan(sync);
		sync_rest(lock);
		runner_drop(lock);
	}
	if (result->fault.code == FAULT_LIST_FULL) {
		sync_drop_plan(sync); /* the answer to all additions */
	}
	/* Their order in the transaction is that of their happening: both rows may be one. */
	is_next = is_going_on && add_next_step(lock, txn);
	sync_commit(lock, STEAL(txn), is_next);
}

static void list_done(struct lock *lock, const struct job_result *result) {
	struct sync *sync = lock->sync;
	struct fault fault = result->fault;

	sync->phase = PHASE_IDLE;
	if (fault.code == FAULT_NONE && sync->is_list_broken) {
		(void) fault_set(&fault, FAULT_LIST_FULL, "more than %d rows in the lock",
			SLOTS_PER_LOCK_MAX);
	}
	if (fault.code == FAULT_NONE) {
		sync_take_list(lock);
	} else {
		sync->fault = fault;
		sync_rest(lock);
		runner_drop(lock);
	}
	sync_drop_list(sync);
	sync_tell(lock);
}

void sync_job_done(struct lock *lock, const struct job *job, const struct job_result *result) {
	(void) job;
	if (lock->sync->phase == PHASE_READING) {
		list_done(lock, result);
	} else if (lock->sync->phase == PHASE_STEPPING) {
		step_done(lock, result);
	}
}
