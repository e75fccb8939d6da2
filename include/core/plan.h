/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reconciliation (design: flow 3, domain-model 12), the pure half:
 *
 *	book ── plan_want() ──► wants (what the lock should hold now, until when that is so)
 *	wants + slots + placements ── plan_make() ──► steps, revocations first
 *
 * The half that talks to the lock is src/core/sync.c. Everything here is a function of its
 * arguments; convergence is proved by property tests over generated cases.
 */

#include "core/book.h"
#include "core/driver.h"

/* One credential that the lock should hold now. */
struct want {
	const struct credential *credential; /* borrowed from the book */
	struct slot slot; /* as to be put there; .ref of its placement, 0 none yet */
	/* The hub itself adds and removes it, as the lock cannot keep its schedule. */
	bool is_hub_enforced;
};

struct want_list {
	struct want wants[SLOTS_PER_LOCK_MAX];
	size_t n;
	/* When it is to be made anew because of the time; INT64_MAX s: only after a change. */
	wall_t next_edge;
	size_t n_refused; /* wants that the lock cannot hold (type, form of the PIN, full) */
};

struct want_list *want_list_new(void);                    /* NULL: no memory */
struct want_list *want_list_free(struct want_list *list); /* wipes */
AUTO_DEFINE(struct want_list *, want_list_free);

/*
 * What @lock_id should hold. Users that are disabled or have no access, revoked and expired
 * credentials, and those outside a window that the hub has to enforce are left out. A schedule that
 * the lock can keep by itself (limits->n_windows) goes along in the slot. While the clock is not
 * trusted (L8) nothing that the hub enforces is added that is not there (placement PRESENT), and
 * nothing comes back that was taken away. Fills *ret. Pure.
 */
void plan_want(const struct book *book, const char *lock_id, const struct credential_limits *limits,
	const struct zone *zone, wall_t now, bool is_trusted, struct want_list *ret);

enum plan_kind {
	PLAN_REMOVE, /* .slot.type, .slot.ref */
	PLAN_UPDATE, /* .slot with its ref */
	PLAN_ADD,    /* .slot, ref 0 */
};

struct plan_step {
	enum plan_kind kind;
	bool is_revocation; /* PLAN_REMOVE of what must open the door no longer */
	char credential_id[ROW_ID_MAX];
	struct slot slot;
};

/* A slot turned out to be the one that a lost reply was about. */
struct plan_match {
	char credential_id[ROW_ID_MAX];
	enum credential_type type;
	int64_t ref;
};

struct plan {
	struct plan_step steps[SLOTS_PER_LOCK_MAX];
	size_t n;
	struct plan_match matches[SLOTS_PER_LOCK_MAX];
	size_t n_matches;
	size_t n_foreign; /* slots that nobody of the book made: left alone */
	size_t n_full;    /* wants that found no room */
};
struct plan *plan_new(void);
struct plan *plan_free(struct plan *plan); /* wipes */
AUTO_DEFINE(struct plan *, plan_free);

/*
 * The difference between @wants and the slots that the book mirrors for @lock_id, which must have
 * just been read from the lock. Order: revocations, other removals, updates, additions (as far as
 * there is room). Never a step about a foreign slot or the hub's own authorisation. A slot without
 * a placement whose PIN is that of a SENT placement is a match, not a foreign one. An empty plan
 * without matches means that the lock agrees. Fills *ret. Pure.
 */
void plan_make(const struct book *book, const char *lock_id, const struct want_list *wants,
	const struct credential_limits *limits, struct plan *ret);
