/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What has become of each credential at a lock is committed here; and the refused ones, tried
 * again. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sync.h"

/* ---- the ledger ---- */

void sync_item_committed(struct hub *hub, const struct txn_item *item) {
	switch (item->kind) {
	case TXN_PLACEMENT_PUT:
		(void) book_put_placement(hub->book, &item->placement);
		break;
	case TXN_PLACEMENT_REMOVE:
		book_remove_placement(
			hub->book, item->placement.lock_id, item->placement.credential_id);
		people_credential_gone(hub, item->placement.credential_id);
		break;
	default: /* RULE R3: two kinds of many are ours; the mirror is put before it is committed */
		break;
	}
}

static void committed(struct lock *lock, const struct fault *fault) {
	struct sync *sync = lock->sync;
	bool is_step_next = sync->is_step_next;

	assert(sync->phase == PHASE_COMMITTING);
	sync->phase = PHASE_IDLE;
	sync->is_step_next = false;
	if (fault != NULL) {
		sync->fault = *fault;
		sync_drop_plan(sync);
		sync_rest(lock);
	} else if (is_step_next && lock->state == RUNNER_UP) {
		sync->phase = PHASE_READY;
	} else if (is_step_next) {
		sync_drop_plan(sync); /* that link is gone: the list first */
	}
	sync->is_dirty = sync->is_dirty || (fault == NULL && sync->phase == PHASE_IDLE);
	sync_tell(lock);
	runner_kick_soon(lock);
}

static void sync_txn_done(void *user, struct txn *txn, const struct fault *fault) {
	struct hub *hub = user;
	const struct txn_item *first = list_first(&txn->items, struct txn_item, link);
	struct lock *lock = hub_lock_by_id(hub,
		first->kind == TXN_SLOTS_CLEAR ? first->slots.lock_id : first->placement.lock_id);

	hub_txn_done(hub, txn, fault);
	/* Unpaired, or paired anew, meanwhile: then it is not this lock's. */
	if (lock != NULL && lock->sync->phase == PHASE_COMMITTING) {
		committed(lock, fault);
	}
}

struct txn *sync_begin(struct lock *lock) {
	return txn_new(sync_txn_done, lock->hub);
}

void sync_commit(struct lock *lock, struct txn *take_txn, bool is_step_next) {
	struct fault fault;

	lock->sync->phase = PHASE_COMMITTING;
	lock->sync->is_step_next = is_step_next;
	if (take_txn == NULL) {
		(void) fault_set(&fault, FAULT_NO_MEMORY, "for the codes of %s", lock->slug);
		committed(lock, &fault);
		return;
	}
	hub_commit(lock->hub, take_txn);
}

bool sync_add_placement(struct txn *txn, const struct placement *placement, bool is_gone) {
	struct txn_item *item = txn_add(txn, is_gone ? TXN_PLACEMENT_REMOVE : TXN_PLACEMENT_PUT);

	if (item != NULL) {
		item->placement = *placement;
	}
	return item != NULL;
}

bool sync_add_changes(struct txn *txn, const struct plan_change *changes, size_t n) {
	bool is_ok = true;

	for (size_t i = 0; i < n; i++) {
		is_ok = is_ok && sync_add_placement(txn, &changes[i].placement, changes[i].is_gone);
	}
	return is_ok;
}

/* ---- refused ones ---- */

#define FNV_PRIME 0x100000001b3ULL /* FNV-1a */

static uint64_t mix(uint64_t mark, const void *bytes, size_t n) {
	const uint8_t *at = bytes;

	for (size_t i = 0; i < n; i++) {
		mark = (mark ^ at[i]) * FNV_PRIME;
	}
	return mark;
}

uint64_t sync_mark_of(const struct slot *slot) {
	const struct slot_window *window = &slot->window;
	int64_t numbers[] = { slot->is_enabled, slot->is_limited, window->from.s, window->until.s,
		window->days, window->start_minute, window->end_minute };
	uint64_t mark = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		mark = (mark ^ (uint64_t) numbers[i]) * FNV_PRIME;
	}
	mark = mix(mark, slot->name, strlen(slot->name));
	return mix(mark, slot->pin.bytes, slot->pin.len);
}

/* Whether it is another than the one that was refused; that one is noted. */
static bool is_another(struct sync *sync, const struct want *want) {
	uint64_t mark = sync_mark_of(&want->slot);
	struct refusal_mark *rows;

	for (size_t i = 0; i < sync->n_refused; i++) {
		struct refusal_mark *row = &sync->refused[i];

		if (strcmp(row->credential_id, want->credential->id) == 0) {
			bool is_other = row->mark != mark;

			row->mark = mark;
			return is_other;
		}
	}
	rows = reallocarray(sync->refused, sync->n_refused + 1, sizeof(rows[0]));
	if (rows != NULL) {
		sync->refused = rows;
		rows[sync->n_refused].mark = mark;
		memcpy(rows[sync->n_refused].credential_id, want->credential->id, ROW_ID_MAX);
		sync->n_refused++;
	}
	return false;
}

void sync_forget_refusals(struct sync *sync) {
	free(sync->refused);
	sync->refused = NULL;
	sync->n_refused = 0;
}

bool sync_retry_refused(
	struct lock *lock, const struct want_list *wants, enum fault_code why, struct txn *txn) {
	struct book *book = lock->hub->book;
	bool is_all = lock->sync->is_retry_wanted;
	bool is_ok = true;

	for (size_t i = 0; i < wants->n; i++) {
		const struct want *want = &wants->wants[i];
		const struct placement *old = book_placement(book, lock->id, want->credential->id);
		struct placement placement;

		if (old == NULL || old->state != PLACEMENT_REFUSED) {
			continue;
		}
		if (why == FAULT_NONE ? !(is_another(lock->sync, want) || is_all)
				      : old->fault != why) {
			continue;
		}
		placement = *old;
		placement.state = PLACEMENT_WANTED;
		placement.fault = FAULT_NONE;
		placement.n_tries = 0;
		placement.since = clock_wall(lock->hub->config.clock);
		(void) book_put_placement(book, &placement);
		is_ok = is_ok && sync_add_placement(txn, &placement, false);
	}
	return is_ok;
}
