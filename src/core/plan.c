/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The steps from what a lock's list shows to what it should hold. Each placement is set beside the
 * row of the list that it became (struct table); what must go, what must change and what is still
 * to be added follows from such pairs alone.
 */

#include "plan-table.h"

#include <stdlib.h>
#include <string.h>

struct plan *plan_new(void) {
	return calloc(1, sizeof(struct plan));
}

/* Only what was filled: most plans are short, and they are large. */
static void plan_clear(struct plan *plan) {
	wipe(plan->steps, plan->n * sizeof(plan->steps[0]));
	plan->n = 0;
	plan->n_matches = 0;
	plan->n_foreign = 0;
	plan->n_full = 0;
}

struct plan *plan_free(struct plan *plan) {
	if (plan != NULL) {
		plan_clear(plan);
		free(plan);
	}
	return NULL;
}

const struct slot *slot_find(
	const struct slot *slots, size_t n, enum credential_type type, int64_t ref) {
	for (size_t i = 0; i < n && ref != 0; i++) {
		if (slots[i].type == type && slots[i].ref == ref) {
			return &slots[i];
		}
	}
	return NULL;
}

static bool is_same_window(const struct slot *a, const struct slot *b) {
	if (a->is_limited != b->is_limited) {
		return false;
	}
	return !a->is_limited ||
	       (a->window.from.s == b->window.from.s && a->window.until.s == b->window.until.s &&
		       a->window.days == b->window.days &&
		       a->window.start_minute == b->window.start_minute &&
		       a->window.end_minute == b->window.end_minute);
}

static bool is_same_pin(const struct slot *wanted, const struct slot *there) {
	return there->pin.len == 0 || secret_equal(&wanted->pin, &there->pin);
}

static bool is_same_name(const struct slot *wanted, const struct slot *there) {
	return wanted->name[0] == '\0' || strcmp(wanted->name, there->name) == 0;
}

bool slot_agrees(const struct slot *wanted, const struct slot *there) {
	return wanted->is_enabled == there->is_enabled && is_same_window(wanted, there) &&
	       is_same_pin(wanted, there) && is_same_name(wanted, there);
}

const struct want *want_find(const struct want_list *wants, const struct credential *credential) {
	for (size_t i = 0; i < wants->n; i++) {
		if (wants->wants[i].credential == credential) {
			return &wants->wants[i];
		}
	}
	return NULL;
}

void table_take(struct table *table, struct pair *pair, const struct slot *slot) {
	pair->slot = slot;
	table->is_taken[slot - table->slots] = true;
}

struct table *table_new(
	const struct book *book, const char *lock_id, const struct want_list *wants) {
	const struct placement *placement;
	struct table *table;
	size_t n = 0;

	for (size_t i = 0; (placement = book_placement_at(book, i)) != NULL; i++) {
		n += strcmp(placement->lock_id, lock_id) == 0;
	}
	table = calloc(1, sizeof(*table) + n * sizeof(table->pairs[0]));
	if (table == NULL) {
		return NULL;
	}
	table->slots = book_slots(book, lock_id, &table->n_slots, NULL);
	for (size_t i = 0; (placement = book_placement_at(book, i)) != NULL; i++) {
		struct pair *pair = &table->pairs[table->n];
		const struct slot *slot;

		if (strcmp(placement->lock_id, lock_id) != 0) {
			continue;
		}
		pair->placement = placement;
		pair->credential = book_credential(book, placement->credential_id);
		if (pair->credential == NULL) {
			continue; /* cannot be: it stays until its last placement is gone */
		}
		pair->want = wants != NULL ? want_find(wants, pair->credential) : NULL;
		table->n++;
		slot = slot_find(
			table->slots, table->n_slots, pair->credential->type, placement->ref);
		if (slot != NULL && !slot->is_own) {
			table_take(table, pair, slot);
		}
	}
	return table;
}

/* It was sent, or perhaps, and the lock's id of it is not known. */
static bool is_doubtful(const struct pair *pair) {
	const struct placement *placement = pair->placement;

	return pair->slot == NULL &&
	       ((placement->state == PLACEMENT_SENT && placement->fault != FAULT_NONE) ||
		       (placement->state == PLACEMENT_LEAVING && placement->ref == 0));
}

static void note_match(
	struct plan_match *match, const struct credential *credential, const struct slot *slot) {
	*match = (struct plan_match){ .type = slot->type, .ref = slot->ref };
	memcpy(match->credential_id, credential->id, sizeof(match->credential_id));
}

/* By the PIN; @ret holds SLOTS_PER_LOCK_MAX. The number of them. */
static size_t find_matches(struct table *table, struct plan_match *ret) {
	size_t n = 0;

	for (size_t i = 0; i < table->n; i++) {
		struct pair *pair = &table->pairs[i];

		for (size_t k = 0; is_doubtful(pair) && k < table->n_slots; k++) {
			const struct slot *slot = &table->slots[k];

			if (!table->is_taken[k] && !slot->is_own && slot->pin.len > 0 &&
				slot->type == pair->credential->type &&
				secret_equal(&slot->pin, &pair->credential->pin)) {
				table_take(table, pair, slot);
				note_match(&ret[n++], pair->credential, slot);
			}
		}
	}
	return n;
}

size_t plan_match_new(const struct book *book, const char *lock_id,
	const struct credential_limits *limits, const struct slot *before, size_t n_before,
	struct plan_match *ret) {
	AUTO(free) struct table *table = table_new(book, lock_id, NULL);
	size_t n = 0;

	if (table == NULL) {
		return 0;
	}
	(void) find_matches(table, ret); /* those that plan_make() finds */
	for (size_t i = 0; i < table->n; i++) {
		struct pair *pair = &table->pairs[i];
		const struct user *user = book_user(book, pair->credential->user_id);
		const struct slot *newest = NULL;
		struct slot sent = { 0 };

		if (!is_doubtful(pair) || user == NULL || n == SLOTS_PER_LOCK_MAX) {
			continue;
		}
		slot_set_name(limits, user->name, &sent);
		for (size_t k = 0; k < table->n_slots; k++) {
			const struct slot *slot = &table->slots[k];

			if (!table->is_taken[k] && !slot->is_own &&
				slot->type == pair->credential->type &&
				strcmp(slot->name, sent.name) == 0 &&
				slot_find(before, n_before, slot->type, slot->ref) == NULL &&
				(newest == NULL || slot->ref > newest->ref)) {
				newest = slot;
			}
		}
		if (newest != NULL) {
			table_take(table, pair, newest);
			note_match(&ret[n++], pair->credential, newest);
		}
	}
	return n;
}

static void add_step(struct plan *plan, enum plan_kind kind, bool is_revocation,
	const struct credential *credential, const struct slot *slot, int64_t ref) {
	struct plan_step *step;

	if (plan->n == ARRAY_SIZE(plan->steps)) {
		return; /* the rest has its turn when these are done */
	}
	step = &plan->steps[plan->n++];
	step->kind = kind;
	step->is_revocation = is_revocation;
	memcpy(step->credential_id, credential->id, sizeof(step->credential_id));
	step->slot = *slot;
	step->slot.ref = ref;
}

/*
 * The lock refused to change the row. A name that differs does no harm; a PIN, a window or a mark
 * that should be another one does. Where PINs are not told and nothing else differs, it was the
 * PIN.
 */
static bool is_harmful(const struct pair *pair) {
	const struct slot *wanted = &pair->want->slot;
	const struct slot *there = pair->slot;

	return wanted->is_enabled != there->is_enabled || !is_same_window(wanted, there) ||
	       !is_same_pin(wanted, there) ||
	       (there->pin.len == 0 && wanted->pin.len > 0 && is_same_name(wanted, there));
}

bool pair_is_refused(const struct pair *pair) {
	return pair->placement->state == PLACEMENT_REFUSED;
}

/* Written, but nobody knows whether it arrived, and reading does not tell the PIN. */
static bool is_pin_doubtful(const struct pair *pair) {
	const struct placement *placement = pair->placement;

	return pair->slot->pin.len == 0 && pair->want->slot.pin.len > 0 &&
	       (placement->state == PLACEMENT_WANTED || placement->state == PLACEMENT_LEAVING ||
		       (placement->state == PLACEMENT_SENT && placement->fault != FAULT_NONE));
}

bool slot_is_open_wrongly(const struct want *want, const struct slot *there) {
	return want == NULL || (!want->slot.is_enabled && there->is_enabled) ||
	       (want->slot.pin.len > 0 && !is_same_pin(&want->slot, there));
}

bool pair_must_go(const struct pair *pair) {
	if (pair->slot == NULL) {
		return false;
	}
	return pair->want == NULL || (pair_is_refused(pair) && is_harmful(pair) &&
					     pair->credential->type != CREDENTIAL_APP_KEY);
}

bool pair_must_change(const struct pair *pair) {
	if (pair->slot == NULL || pair->want == NULL || pair_must_go(pair)) {
		return false;
	}
	/* Only an authorisation of an app comes here refused: to switch it off is never given up.
	 */
	if (pair_is_refused(pair) && !slot_is_open_wrongly(pair->want, pair->slot)) {
		return false;
	}
	return !slot_agrees(&pair->want->slot, pair->slot) || is_pin_doubtful(pair);
}

bool table_has_pin(const struct table *table, const struct slot *wanted, bool is_ours_counted) {
	for (size_t k = 0; k < table->n_slots && wanted->pin.len > 0; k++) {
		const struct slot *slot = &table->slots[k];

		if ((is_ours_counted || !table->is_taken[k]) && slot->type == wanted->type &&
			secret_equal(&slot->pin, &wanted->pin)) {
			return true;
		}
	}
	return false;
}

/* It said so to one: that is the answer to all, until something leaves. */
static bool is_known_full(const struct table *table) {
	for (size_t i = 0; i < table->n; i++) {
		const struct placement *placement = table->pairs[i].placement;

		if (placement->state == PLACEMENT_REFUSED && placement->fault == FAULT_LIST_FULL &&
			table->pairs[i].want != NULL) {
			return true;
		}
	}
	return false;
}

static void add_additions(struct plan *plan, const struct table *table,
	const struct want_list *wants, const struct credential_limits *limits, size_t n_held) {
	bool is_full = is_known_full(table);

	for (size_t i = 0; i < wants->n; i++) {
		const struct want *want = &wants->wants[i];
		const struct pair *pair = NULL;

		for (size_t k = 0; k < table->n && pair == NULL; k++) {
			pair = table->pairs[k].want == want ? &table->pairs[k] : NULL;
		}
		if (pair != NULL && (pair->slot != NULL || pair_is_refused(pair))) {
			continue;
		}
		/* An authorisation can only be made again by its app. */
		if (want->slot.type == CREDENTIAL_APP_KEY ||
			table_has_pin(table, &want->slot, false)) {
			continue;
		}
		if (is_full || (limits->n_max > 0 && n_held >= limits->n_max)) {
			plan->n_full++;
			continue;
		}
		n_held++;
		add_step(plan, PLAN_ADD, false, want->credential, &want->slot, 0);
	}
}

void plan_make(const struct book *book, const char *lock_id, const struct want_list *wants,
	const struct credential_limits *limits, struct plan *ret) {
	AUTO(free) struct table *table = table_new(book, lock_id, wants);
	size_t n_held = 0;

	plan_clear(ret);
	if (table == NULL) {
		return;
	}
	ret->n_matches = find_matches(table, ret->matches);
	for (size_t k = 0; k < table->n_slots; k++) {
		const struct slot *slot = &table->slots[k];

		ret->n_foreign += !table->is_taken[k] && !slot->is_own;
		n_held += slot->type < 32 && (limits->types & 1U << slot->type) != 0;
	}
	for (size_t i = 0; i < table->n; i++) {
		const struct pair *pair = &table->pairs[i];

		if (pair_must_go(pair)) {
			add_step(ret, PLAN_REMOVE, true, pair->credential, pair->slot,
				pair->slot->ref);
			n_held -= n_held > 0 && pair->slot->type != CREDENTIAL_APP_KEY;
		}
	}
	for (unsigned is_later = 0; is_later < 2; is_later++) {
		for (size_t i = 0; i < table->n; i++) {
			const struct pair *pair = &table->pairs[i];
			bool is_urgent;

			if (!pair_must_change(pair)) {
				continue;
			}
			is_urgent = slot_is_open_wrongly(pair->want, pair->slot);
			if (is_urgent == (is_later == 0)) {
				add_step(ret, PLAN_UPDATE, is_urgent, pair->credential,
					&pair->want->slot, pair->slot->ref);
			}
		}
	}
	add_additions(ret, table, wants, limits, n_held);
}
