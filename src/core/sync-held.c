/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A database that was restored knows nothing of what was taken away since its backup was made: a
 * code that the lock does not hold as the book says may have been revoked or changed (L4). Nothing
 * as old as the restoration is put into a lock, then, until a person has looked and says so; what
 * is to be taken away goes on being taken away.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sync.h"

#define HELD_PREFIX "held."

static void keep(struct lock *lock, struct txn *txn) {
	struct txn_item *item = txn_add(txn, TXN_SETTING);

	if (item == NULL) {
		return; /* held in this life at least, or held once more in the next */
	}
	(void) snprintf(item->setting.key, sizeof(item->setting.key), HELD_PREFIX "%s", lock->id);
	if (lock->sync->held_before != 0) {
		(void) snprintf(item->setting.value, sizeof(item->setting.value), "%" PRId64,
			lock->sync->held_before);
	}
}

static void kept(void *user, struct txn *txn, const struct fault *fault) {
	hub_txn_done(user, txn, fault);
}

bool sync_load_held(struct hub *hub, const char *key, const char *value) {
	struct lock *lock;
	int64_t before = 0;

	if (strncmp(key, HELD_PREFIX, strlen(HELD_PREFIX)) != 0) {
		return false;
	}
	lock = hub_lock_by_id(hub, key + strlen(HELD_PREFIX));
	if (lock != NULL && sscanf(value, "%" SCNd64, &before) == 1) {
		lock->sync->held_before = before;
	}
	return true;
}

void hub_hold_codes(struct hub *hub) {
	AUTO(txn_free) struct txn *txn = txn_new(kept, hub);
	wall_t now = clock_wall(hub->config.clock);

	for (size_t i = 0; i < hub->n_locks; i++) {
		struct lock *lock = hub->locks[i];

		/* The clock may have been set back since: what is made from now on is newer. */
		lock->sync->held_before = now.s + 1;
		lock->sync->is_list_wanted = true;
		lock->sync->is_dirty = true;
		lock->sync->is_fresh = false;
		if (txn != NULL) {
			keep(lock, txn);
		}
	}
	if (txn != NULL && !list_is_empty(&txn->items)) {
		hub_commit(hub, STEAL(txn));
	}
}

void sync_release(struct lock *lock) {
	AUTO(txn_free) struct txn *txn = NULL;

	if (lock->sync->held_before == 0) {
		return;
	}
	lock->sync->held_before = 0;
	facts_clear(lock, FAULT_CODES_HELD);
	txn = txn_new(kept, lock->hub);
	if (txn != NULL) {
		keep(lock, txn);
	}
	if (txn != NULL && !list_is_empty(&txn->items)) {
		hub_commit(lock->hub, STEAL(txn));
	}
}

static bool is_held(const struct lock *lock, const struct plan_step *step) {
	const struct credential *credential = book_credential(lock->hub->book, step->credential_id);

	return step->kind != PLAN_REMOVE && !step->is_revocation && credential != NULL &&
	       credential->created_at.s < lock->sync->held_before;
}

size_t sync_hold_back(const struct lock *lock, struct plan *plan) {
	size_t n_kept = 0;
	size_t n_held = 0;

	if (lock->sync->held_before == 0) {
		return 0;
	}
	for (size_t i = 0; i < plan->n; i++) {
		if (is_held(lock, &plan->steps[i])) {
			n_held++;
		} else {
			plan->steps[n_kept++] = plan->steps[i];
		}
	}
	wipe(&plan->steps[n_kept], (plan->n - n_kept) * sizeof(plan->steps[0]));
	plan->n = n_kept;
	return n_held;
}

void sync_tell_held(struct lock *lock, size_t n_held) {
	struct fault fault;

	if (n_held == 0) {
		sync_release(lock); /* the lock and the backup agree */
		return;
	}
	(void) fault_set(&fault, FAULT_CODES_HELD, "%zu code%s", n_held, n_held == 1 ? "" : "s");
	facts_raise(lock, &fault);
}
