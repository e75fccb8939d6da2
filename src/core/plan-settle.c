/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a list, an answer or a change of the book makes of the placements: which state each is in
 * from then on, and which may still open the door though it should not.
 */

#include "plan-table.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* A read-back that agrees is noted at most this often: nothing is written when nothing happens. */
#define CONFIRM_S 3600

static void apply_matches(struct table *table, const struct plan *plan) {
	for (size_t m = 0; m < plan->n_matches; m++) {
		const struct plan_match *match = &plan->matches[m];

		for (size_t i = 0; i < table->n; i++) {
			struct pair *pair = &table->pairs[i];
			const struct slot *slot;

			if (strcmp(pair->credential->id, match->credential_id) != 0) {
				continue;
			}
			slot = slot_find(table->slots, table->n_slots, match->type, match->ref);
			if (slot != NULL) {
				table_take(table, pair, slot);
			}
		}
	}
}

static void set_state(struct placement *placement, enum placement_state state, wall_t now) {
	if (placement->state != state) {
		placement->state = state;
		placement->since = now;
	}
}

static bool tells_pins(const struct table *table) {
	for (size_t k = 0; k < table->n_slots; k++) {
		if (table->slots[k].type == CREDENTIAL_PIN && table->slots[k].pin.len == 0) {
			return false;
		}
	}
	return true;
}

/* The list proves what is there. */
static void settle_read(const struct table *table, const struct pair *pair, wall_t now,
	struct plan_change *change) {
	struct placement *placement = &change->placement;

	placement->ref = pair->slot != NULL ? pair->slot->ref : 0;
	if (pair->want == NULL) {
		change->is_gone = pair->slot == NULL;
		set_state(placement, PLACEMENT_LEAVING, now);
		return;
	}
	if (pair->slot != NULL && !pair_must_go(pair) && !pair_must_change(pair) &&
		(!pair_is_refused(pair) || slot_agrees(&pair->want->slot, pair->slot))) {
		if (placement->state != PLACEMENT_PRESENT ||
			now.s - placement->confirmed_at.s >= CONFIRM_S) {
			placement->confirmed_at = now;
		}
		placement->fault = FAULT_NONE;
		placement->n_tries = 0;
		set_state(placement, PLACEMENT_PRESENT, now);
		return;
	}
	if (pair->slot == NULL && table_has_pin(table, &pair->want->slot, false)) {
		placement->fault = FAULT_CODE_EXISTS;
		set_state(placement, PLACEMENT_REFUSED, now);
	} else if (placement->state != PLACEMENT_REFUSED ||
		   (placement->fault == FAULT_CODE_EXISTS && tells_pins(table) &&
			   !table_has_pin(table, &pair->want->slot, true))) {
		set_state(placement, PLACEMENT_WANTED, now);
	}
}

/* Only the book has changed: what is at the lock is as unknown as before. */
static void settle_book(const struct pair *pair, wall_t now, struct plan_change *change) {
	struct placement *placement = &change->placement;
	bool is_nowhere = placement->ref == 0 && (placement->state == PLACEMENT_WANTED ||
							 placement->state == PLACEMENT_REFUSED);

	if (pair->want == NULL) {
		change->is_gone = is_nowhere;
		set_state(placement, PLACEMENT_LEAVING, now);
		return;
	}
	if (placement->state == PLACEMENT_LEAVING) {
		placement->n_tries = 0;
		placement->fault = placement->ref != 0 ? FAULT_NONE : FAULT_OUTCOME_UNKNOWN;
		set_state(placement, placement->ref != 0 ? PLACEMENT_WANTED : PLACEMENT_SENT, now);
	} else if (placement->state == PLACEMENT_PRESENT &&
		   (pair->slot == NULL || pair_must_change(pair))) {
		set_state(placement, PLACEMENT_WANTED, now);
	}
}

static bool is_changed(const struct placement *a, const struct placement *b) {
	return a->state != b->state || a->ref != b->ref || a->fault != b->fault ||
	       a->n_tries != b->n_tries || a->confirmed_at.s != b->confirmed_at.s;
}

size_t plan_settle(const struct book *book, const char *lock_id, const struct want_list *wants,
	const struct plan *plan, bool is_read, wall_t now, struct plan_change *ret) {
	AUTO(free) struct table *table = table_new(book, lock_id, wants);
	size_t n = 0;

	if (table == NULL) {
		return 0;
	}
	if (is_read) {
		apply_matches(table, plan);
	}
	for (size_t i = 0; i < table->n; i++) {
		const struct pair *pair = &table->pairs[i];
		struct plan_change change = { .placement = *pair->placement };

		if (is_read) {
			settle_read(table, pair, now, &change);
		} else {
			settle_book(pair, now, &change);
		}
		if (change.is_gone || is_changed(&change.placement, pair->placement)) {
			ret[n++] = change;
		}
	}
	for (size_t i = 0; i < wants->n; i++) {
		const struct credential *credential = wants->wants[i].credential;
		struct placement *placement = &ret[n].placement;

		if (book_placement(book, lock_id, credential->id) != NULL) {
			continue;
		}
		ret[n++] = (struct plan_change){ .is_gone = false };
		placement->state = PLACEMENT_WANTED;
		if (is_read && table_has_pin(table, &wants->wants[i].slot, false)) {
			placement->state = PLACEMENT_REFUSED;
			placement->fault = FAULT_CODE_EXISTS;
		}
		placement->since = now;
		(void) text_copy(placement->lock_id, sizeof(placement->lock_id), lock_id);
		memcpy(placement->credential_id, credential->id, sizeof(placement->credential_id));
	}
	return n;
}

void plan_before(const struct book *book, const char *lock_id, const struct plan_step *step,
	wall_t now, struct placement *ret) {
	const struct placement *placement = book_placement(book, lock_id, step->credential_id);

	*ret = (struct placement){ .since = now };
	(void) text_copy(ret->lock_id, sizeof(ret->lock_id), lock_id);
	memcpy(ret->credential_id, step->credential_id, sizeof(ret->credential_id));
	if (placement != NULL) {
		*ret = *placement;
	}
	ret->ref = step->slot.ref;
	ret->fault = step->kind == PLAN_REMOVE ? ret->fault : FAULT_OUTCOME_UNKNOWN;
	set_state(ret, step->kind == PLAN_REMOVE ? PLACEMENT_LEAVING : PLACEMENT_SENT, now);
}

void plan_after(struct placement *placement, const struct plan_step *step, enum plan_result result,
	enum fault_code fault, int64_t ref, wall_t now) {
	bool is_leaving = placement->state == PLACEMENT_LEAVING;

	placement->fault = fault;
	if (step->kind != PLAN_REMOVE && ref != 0) {
		placement->ref = ref;
	}
	if (result == PLAN_DONE) {
		placement->fault = FAULT_NONE;
		placement->n_tries = 0;
		return; /* only reading back makes it present, or gone */
	}
	placement->n_tries++;
	if (step->kind == PLAN_REMOVE || is_leaving) {
		return; /* tried again until it is gone */
	}
	switch (result) {
	case PLAN_REFUSED:
		set_state(placement, PLACEMENT_REFUSED, now);
		break;
	case PLAN_NOT_DONE:
		set_state(placement, PLACEMENT_WANTED, now);
		break;
	case PLAN_DOUBT:
		placement->fault = FAULT_OUTCOME_UNKNOWN;
		break;
	case PLAN_DONE:
		break;
	}
}

bool plan_is_overdue(
	const struct book *book, const struct placement *placement, const struct want_list *wants) {
	const struct credential *credential = book_credential(book, placement->credential_id);
	const struct want *want = credential != NULL ? want_find(wants, credential) : NULL;
	const struct slot *slot;
	size_t n_slots;
	const struct slot *slots;

	if (credential == NULL ||
		(placement->ref == 0 && (placement->state == PLACEMENT_WANTED ||
						placement->state == PLACEMENT_REFUSED))) {
		return false;
	}
	if (want == NULL) {
		return true;
	}
	slots = book_slots(book, placement->lock_id, &n_slots, NULL);
	slot = slot_find(slots, n_slots, credential->type, placement->ref);
	return slot != NULL && slot_is_open_wrongly(want, slot);
}
