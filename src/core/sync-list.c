/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a lock holds: when its list is read, and what it says of each placement. */

#include <stdlib.h>
#include <string.h>

#include "sync.h"
#include "util/text.h"

/* The list is read at least so often, with a link that is made anyway. */
#define LIST_AGE_S 86400
/* The time of an unchanged list is written at most so often. */
#define LIST_STORE_S 43200

/* ---- the list ---- */

static bool is_worth_reading(const struct lock *lock) {
	wall_t now = clock_wall(lock->hub->config.clock);
	wall_t at = { 0 };
	size_t n;

	(void) book_slots(lock->hub->book, lock->id, &n, &at);
	return at.s == 0 || now.s < at.s || now.s - at.s >= LIST_AGE_S;
}

void sync_want_list(struct lock *lock, bool is_urgent) {
	if (sync_limits(lock) == NULL) {
		return;
	}
	lock->sync->is_list_wanted = true;
	if (is_urgent || lock->state == RUNNER_UP) {
		sync_go(lock);
	}
}

/* Also when the lock has turned out to have more, or less, to manage than was known. */
void sync_start(struct lock *lock) {
	lock->sync->is_dirty = true;
	if (is_worth_reading(lock) || sync_has_doubt(lock)) {
		sync_want_list(lock, true);
	}
}

void sync_slots(struct lock *lock, const struct slot *slots, size_t n) {
	struct sync *sync = lock->sync;

	if (sync->phase != PHASE_READING) {
		return; /* somebody else's reading */
	}
	if (sync->list == NULL) {
		sync->list = calloc(SLOTS_PER_LOCK_MAX, sizeof(sync->list[0]));
	}
	for (size_t i = 0; i < n; i++) {
		if (sync->list == NULL || sync->n_list == SLOTS_PER_LOCK_MAX) {
			sync->is_list_broken = true;
			return;
		}
		sync->list[sync->n_list++] = slots[i];
	}
}

static bool add_list(struct lock *lock, struct txn *txn, wall_t now) {
	struct txn_item *item = txn_add(txn, TXN_SLOTS_CLEAR);

	for (size_t i = 0; item != NULL && i <= lock->sync->n_list; i++) {
		memcpy(item->slots.lock_id, lock->id, sizeof(item->slots.lock_id));
		item->slots.at = now;
		if (i == lock->sync->n_list) {
			return true;
		}
		item = txn_add(txn, TXN_SLOT_PUT);
		if (item != NULL) {
			item->slots.slot = lock->sync->list[i];
		}
	}
	return false;
}

static bool is_same_list(const struct sync *sync, const struct slot *before, size_t n_before,
	wall_t at, wall_t now) {
	return sync->n_list == n_before && at.s != 0 && now.s >= at.s &&
	       now.s - at.s < LIST_STORE_S &&
	       (n_before == 0 || memcmp(sync->list, before, n_before * sizeof(before[0])) == 0);
}

/* A row of ours that was there is not any more, and nobody of the book took it away. */
static void tell_lost(struct lock *lock, struct txn *txn, const struct placement *placement) {
	const struct book *book = lock->hub->book;
	const struct credential *credential = book_credential(book, placement->credential_id);
	const struct user *user = credential != NULL ? book_user(book, credential->user_id) : NULL;
	struct event *event = txn_add_event(txn, lock->hub, lock, EVENT_LOCK_USER_CHANGE);

	if (event == NULL || user == NULL) {
		return;
	}
	event->data = credential_data(credential->type);
	event->data_operation = DATA_CLEAR;
	event->credential = credential->type;
	(void) text_copy(event->user, sizeof(event->user), user->name);
	memcpy(event->user_id, user->id, sizeof(event->user_id));
	(void) text_copy(event->text, sizeof(event->text),
		credential->type == CREDENTIAL_PIN
			? "it was gone from the lock; the hub puts it there again"
			: "it is gone from the lock");
}

static void tell_reset(struct lock *lock, struct txn *txn, size_t n) {
	struct event *event = txn_add_event(txn, lock->hub, lock, EVENT_ALARM);

	if (event != NULL) {
		event->alarm = ALARM_FACTORY_RESET;
		event->number = (int64_t) n;
		(void) text_copy(event->text, sizeof(event->text),
			"no code of the hub is left in the lock: all are put there again");
	}
}

/*
 * Of what it learns nothing is wanted that is not there, so that its row goes; but somebody has
 * taken it out.
 */
static bool is_lost(const struct lock *lock, const struct plan_change *change) {
	const struct placement *was =
		book_placement(lock->hub->book, lock->id, change->placement.credential_id);
	const struct credential *credential =
		book_credential(lock->hub->book, change->placement.credential_id);

	if (was == NULL || credential == NULL || was->state != PLACEMENT_PRESENT ||
		change->placement.ref != 0) {
		return false;
	}
	return !change->is_gone ||
	       (credential->state == CREDENTIAL_ACTIVE && credential->type < 32 &&
		       (sync_limits_to_judge(lock)->learns & 1U << credential->type) != 0);
}

static void find_lost(
	struct lock *lock, struct txn *txn, const struct plan_change *changes, size_t n) {
	const struct placement *placement;
	size_t n_present = 0;
	size_t n_lost = 0;

	for (size_t i = 0; (placement = book_placement_at(lock->hub->book, i)) != NULL; i++) {
		n_present += strcmp(placement->lock_id, lock->id) == 0 &&
			     placement->state == PLACEMENT_PRESENT;
	}
	for (size_t i = 0; i < n; i++) {
		n_lost += is_lost(lock, &changes[i]);
	}
	if (n_lost >= 2 && n_lost == n_present) {
		tell_reset(lock, txn, n_lost);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (is_lost(lock, &changes[i])) {
			tell_lost(lock, txn, &changes[i].placement);
		}
	}
}

static bool apply_new_matches(struct lock *lock, const struct credential_limits *limits,
	const struct slot *before, size_t n_before, struct txn *txn) {
	struct book *book = lock->hub->book;
	AUTO(free) struct plan_match *matches = calloc(SLOTS_PER_LOCK_MAX, sizeof(matches[0]));
	bool is_ok = matches != NULL;
	size_t n = 0;

	if (is_ok) {
		n = plan_match_new(book, lock->id, limits, before, n_before, matches);
	}
	for (size_t i = 0; i < n; i++) {
		struct placement placement =
			*book_placement(book, lock->id, matches[i].credential_id);

		placement.ref = matches[i].ref;
		(void) book_put_placement(book, &placement);
		is_ok = is_ok && sync_add_placement(txn, &placement, false);
	}
	return is_ok;
}

void sync_take_list(struct lock *lock) {
	struct sync *sync = lock->sync;
	struct book *book = lock->hub->book;
	const struct credential_limits *limits = sync_limits_to_judge(lock);
	wall_t now = clock_wall(lock->hub->config.clock);
	AUTO(want_list_free) struct want_list *wants = want_list_new();
	AUTO(plan_free) struct plan *plan = plan_new();
	AUTO(txn_free) struct txn *txn = sync_begin(lock);
	AUTO(free) struct plan_change *changes = calloc(PLAN_CHANGES_MAX, sizeof(changes[0]));
	AUTO(free) struct slot *before = NULL;
	const struct slot *mirror;
	size_t n_before;
	wall_t at;
	bool is_same;
	size_t n;

	mirror = book_slots(book, lock->id, &n_before, &at);
	before = calloc(n_before + 1, sizeof(before[0]));
	if (wants == NULL || plan == NULL || txn == NULL || changes == NULL || before == NULL) {
		sync_commit(lock, NULL, false);
		return;
	}
	if (n_before > 0) {
		memcpy(before, mirror, n_before * sizeof(before[0]));
	}
	is_same = is_same_list(sync, before, n_before, at, now);
	if ((!is_same && !add_list(lock, txn, now)) ||
		book_put_slots(book, lock->id, sync->list, sync->n_list, now) < 0 ||
		!apply_new_matches(lock, limits, before, n_before, txn)) {
		wipe(before, n_before * sizeof(before[0]));
		sync_commit(lock, NULL, false);
		return;
	}
	wipe(before, n_before * sizeof(before[0]));
	sync_make_wants(lock, limits, wants);
	if (sync->n_list < n_before) {
		(void) sync_retry_refused(lock, wants, FAULT_LIST_FULL, txn);
	}
	plan_make(book, lock->id, wants, limits, plan);
	n = plan_settle(book, lock->id, wants, plan, true, now, changes);
	if (!sync_add_changes(txn, changes, n)) {
		sync_commit(lock, NULL, false);
		return;
	}
	sync->is_fresh = true;
	sync->is_list_wanted = false;
	if (list_is_empty(&txn->items)) {
		sync->is_dirty = true;
		runner_kick_soon(lock);
		return;
	}
	find_lost(lock, txn, changes, n);
	sync_commit(lock, STEAL(txn), false);
}
