/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How far a lock agrees with the book, and the alarm about what must open its door no longer. */

#include <string.h>

#include "sync.h"

/* A window that ended is not yet an alarm: the next link is under way. */
#define GRACE_MS 120000

/* ---- what is shown ---- */

void hub_sync_status(const struct hub *hub, const char *lock_id, struct sync_status *ret) {
	const struct lock *lock = hub_lock_by_id(hub, lock_id);
	const struct placement *placement;
	const struct slot *slots;
	size_t n_slots = 0;

	*ret = (struct sync_status){ .is_supported = false };
	if (lock == NULL) {
		return;
	}
	ret->is_supported = sync_limits(lock) != NULL;
	for (size_t i = 0; (placement = book_placement_at(hub->book, i)) != NULL; i++) {
		if (strcmp(placement->lock_id, lock_id) != 0) {
			continue;
		}
		ret->n_present += placement->state == PLACEMENT_PRESENT;
		ret->n_pending +=
			placement->state == PLACEMENT_WANTED || placement->state == PLACEMENT_SENT;
		ret->n_leaving += placement->state == PLACEMENT_LEAVING;
		ret->n_refused += placement->state == PLACEMENT_REFUSED;
	}
	ret->n_refused += (unsigned) lock->sync->n_cannot;
	slots = book_slots(hub->book, lock_id, &n_slots, &ret->read_at);
	for (size_t i = 0; i < n_slots; i++) {
		ret->n_foreign += !slots[i].is_own && book_credential_of_slot(hub->book, lock_id,
							      slots[i].type, slots[i].ref) == NULL;
	}
	ret->is_running = lock->sync->phase != PHASE_IDLE;
	ret->is_broken = lock->sync->is_broken;
	ret->fault = lock->sync->fault;
	ret->next_edge.s = lock->sync->next_edge.s != INT64_MAX ? lock->sync->next_edge.s : 0;
}

void sync_tell(struct lock *lock) {
	struct sync_status *shown = &lock->sync->shown;
	struct sync_status now;

	hub_sync_status(lock->hub, lock->id, &now);
	if (now.is_supported != shown->is_supported || now.n_present != shown->n_present ||
		now.n_pending != shown->n_pending || now.n_leaving != shown->n_leaving ||
		now.n_refused != shown->n_refused || now.n_foreign != shown->n_foreign ||
		now.read_at.s != shown->read_at.s || now.is_running != shown->is_running ||
		now.is_broken != shown->is_broken || now.fault.code != shown->fault.code ||
		now.next_edge.s != shown->next_edge.s) {
		*shown = now;
		signal_emit(&lock->hub->signals.sync_changed, lock);
	}
}

/* ---- the alarm ---- */

/* A person took it away or changed it, not the time of the day. */
static bool is_by_person(const struct lock *lock, const struct want_list *wants,
	const struct credential *credential) {
	const struct user *user = book_user(lock->hub->book, credential->user_id);

	for (size_t i = 0; i < wants->n; i++) {
		if (wants->wants[i].credential == credential && wants->wants[i].slot.is_enabled) {
			return true; /* it is the old PIN */
		}
	}
	return credential->state != CREDENTIAL_ACTIVE || user == NULL ||
	       user->status != USER_STATUS_OCCUPIED_ENABLED ||
	       !book_has_access(lock->hub->book, credential->user_id, lock->id);
}

/* The lock itself does not let it in any more, as long as its clock is right. */
static bool is_over_at_lock(const struct lock *lock, const struct credential *credential,
	const struct placement *placement, wall_t now) {
	size_t n;
	const struct slot *slots = book_slots(lock->hub->book, lock->id, &n, NULL);

	for (size_t i = 0; i < n; i++) {
		if (slots[i].type == credential->type && slots[i].ref == placement->ref) {
			return !slots[i].is_enabled ||
			       (slots[i].is_limited && slots[i].window.until.s != 0 &&
				       slots[i].window.until.s < now.s &&
				       clock_is_trusted(lock->hub->config.clock));
		}
	}
	return false;
}

struct overdue {
	unsigned n;
	wall_t since;
	const char *name;
};

static void count_overdue(struct lock *lock, const struct want_list *wants, struct overdue *ret) {
	const struct book *book = lock->hub->book;
	wall_t now = clock_wall(lock->hub->config.clock);
	const struct placement *placement;

	lock->sync->alarm = MONO_NEVER;
	lock->sync->is_urgent = false;
	for (size_t i = 0; (placement = book_placement_at(book, i)) != NULL; i++) {
		const struct credential *credential;
		const struct user *user;
		wall_t since;
		int64_t age_ms;

		if (strcmp(placement->lock_id, lock->id) != 0 ||
			!plan_is_overdue(book, placement, wants)) {
			continue;
		}
		credential = book_credential(book, placement->credential_id);
		if (is_over_at_lock(lock, credential, placement, now)) {
			continue;
		}
		lock->sync->is_urgent = true;
		/* Before it is marked, .since is of another state. */
		since = placement->state == PLACEMENT_PRESENT ? now : placement->since;
		age_ms = (now.s - since.s) * 1000;
		if (!is_by_person(lock, wants, credential) && age_ms >= 0 && age_ms < GRACE_MS) {
			lock->sync->alarm = mono_min(lock->sync->alarm,
				mono_after(hub_now(lock->hub), GRACE_MS - age_ms));
			continue;
		}
		ret->n++;
		if (ret->name == NULL || since.s < ret->since.s) {
			user = book_user(book, credential->user_id);
			ret->since = since;
			ret->name = user != NULL ? user->name : "somebody removed";
		}
	}
}

void sync_judge_overdue(struct lock *lock, const struct want_list *wants) {
	struct overdue overdue = { .n = 0 };
	char since[WALL_TEXT_MAX];
	struct fault fault;

	count_overdue(lock, wants, &overdue);
	if (overdue.n == 0) {
		facts_clear(lock, FAULT_REVOCATION_PENDING);
		return;
	}
	(void) wall_to_text(overdue.since, since);
	if (overdue.n == 1) {
		(void) fault_set(
			&fault, FAULT_REVOCATION_PENDING, "%.80s, since %s", overdue.name, since);
	} else {
		(void) fault_set(&fault, FAULT_REVOCATION_PENDING, "%.80s, since %s, and %u more",
			overdue.name, since, overdue.n - 1);
	}
	facts_raise(lock, &fault);
}
