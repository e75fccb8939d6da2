/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the three halves of plan.h share: one lock's placements beside its list. */

#include "plan.h"

/* One placement of the lock beside what the lock shows of it. */
struct pair {
	const struct placement *placement;
	const struct credential *credential;
	const struct want *want; /* NULL: not wanted */
	const struct slot *slot; /* NULL: not in the list */
};

struct table {
	const struct slot *slots;
	size_t n_slots;
	bool is_taken[SLOTS_PER_LOCK_MAX];
	size_t n;
	struct pair pairs[];
};

/* NULL: no memory. To be freed. @wants may be NULL: nothing is known to be wanted then. */
struct table *table_new(
	const struct book *book, const char *lock_id, const struct want_list *wants);
/* The row is this pair's, and no longer anybody else's to take. */
void table_take(struct table *table, struct pair *pair, const struct slot *slot);
/*
 * Somebody else's code is the same: the lock would say no. Not to ask it has another good: what is
 * found after a lost reply is then certainly ours. @is_ours_counted: or one of our own.
 */
bool table_has_pin(const struct table *table, const struct slot *wanted, bool is_ours_counted);

bool pair_is_refused(const struct pair *pair);
bool pair_must_go(const struct pair *pair);
bool pair_must_change(const struct pair *pair);

/* NULL: there is none; a @ref of 0 is nobody's. */
const struct slot *slot_find(
	const struct slot *slots, size_t n, enum credential_type type, int64_t ref);
/* As much of @name as the lock can keep. */
void slot_set_name(const struct credential_limits *limits, const char *name, struct slot *slot);
bool slot_agrees(const struct slot *wanted, const struct slot *there);
/* It opens the door for whom, or with what, it must not any more. @want may be NULL. */
bool slot_is_open_wrongly(const struct want *want, const struct slot *there);

/* NULL: it is not wanted. */
const struct want *want_find(const struct want_list *wants, const struct credential *credential);
