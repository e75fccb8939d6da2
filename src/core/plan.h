/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reconciliation (docs/architecture.md, flow 8), the pure half:
 *
 *	book ── plan_want() ──► wants (what the lock should hold now, until when that is so)
 *	wants + slots + placements ── plan_make() ──► steps, revocations first
 *
 * The half that talks to the lock is sync.c. Everything here is a function of its
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

/*
 * What the lock is to be given with a credential that it learns now for @user_id (limits->learns):
 * its window, and switched off when the user may not enter. Access counts as given. Fills *ret. 0;
 * -EOPNOTSUPP: it learns none of this type; -ENOMEM. Pure.
 */
int plan_learn(const struct book *book, const char *lock_id, const struct credential_limits *limits,
	const struct zone *zone, wall_t now, bool is_trusted, enum credential_type type,
	const struct user *user, struct slot *ret);

enum plan_kind {
	PLAN_REMOVE, /* .slot.type, .slot.ref */
	PLAN_UPDATE, /* .slot with its ref */
	PLAN_ADD,    /* .slot, ref 0 */
};

struct plan_step {
	enum plan_kind kind;
	/* Of what must open the door no longer: a PLAN_REMOVE, or the PLAN_UPDATE that switches it
	 * off or takes the old PIN away. */
	bool is_revocation;
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
 * just been read from the lock. Order: revocations, updates, additions (as far as there is room).
 * Never a step about a foreign slot or the hub's own authorisation. A slot without a placement
 * whose PIN is that of a SENT placement (or of a LEAVING one that has no ref yet) is a match, not a
 * foreign one. What the lock refused is left alone, unless the old row that is still there opens
 * the door for longer or with another PIN than it should: then it is removed. An empty plan without
 * matches means that the lock agrees. Fills *ret. Pure.
 */
void plan_make(const struct book *book, const char *lock_id, const struct want_list *wants,
	const struct credential_limits *limits, struct plan *ret);

/*
 * Additions whose reply was lost and that plan_make() cannot tell by the PIN (the lock does not
 * tell PINs, or it was changed since): the newest slot of that type and name that was not in the
 * list @before. @ret holds SLOTS_PER_LOCK_MAX. The number of matches. Pure.
 */
size_t plan_match_new(const struct book *book, const char *lock_id,
	const struct credential_limits *limits, const struct slot *before, size_t n_before,
	struct plan_match *ret);

/* What becomes of one placement. */
struct plan_change {
	struct placement placement; /* as it is to be kept */
	bool is_gone;               /* nothing of it is at the lock: the row is to go */
};
#define PLAN_CHANGES_MAX (CREDENTIALS_MAX + SLOTS_PER_LOCK_MAX)

/*
 * The placements that must be another state now. @is_read: the mirror has just been read from the
 * lock, so that it proves what is there and what is gone; else only the book has changed. @plan: as
 * plan_make() found it. @ret holds PLAN_CHANGES_MAX. The number of changes. Pure.
 */
size_t plan_settle(const struct book *book, const char *lock_id, const struct want_list *wants,
	const struct plan *plan, bool is_read, wall_t now, struct plan_change *ret);

/*
 * The placement as it must be committed before the step goes out: the lock may have got it from
 * then on, whatever happens. Fills *ret. Pure.
 */
void plan_before(const struct book *book, const char *lock_id, const struct plan_step *step,
	wall_t now, struct placement *ret);

enum plan_result {
	PLAN_DONE,     /* so the lock said */
	PLAN_NOT_DONE, /* it has certainly not been done, and may work another time */
	PLAN_REFUSED,  /* the lock said no for good */
	PLAN_DOUBT,    /* sent, perhaps, and no answer */
};
/* And what the result makes of it. @ref: the lock's id of it, 0 none. Pure. */
void plan_after(struct placement *placement, const struct plan_step *step, enum plan_result result,
	enum fault_code fault, int64_t ref, wall_t now);

/*
 * Whether it may open the door though it should not any more: it is not among @wants (sent or
 * perhaps sent counts as there), is there to be disabled, or has another PIN by now. Pure.
 */
bool plan_is_overdue(
	const struct book *book, const struct placement *placement, const struct want_list *wants);
