/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of the executor share. Who does what:
 *
 *	sync.c         the life of it: what a change of the book or of the time asks for
 *	sync-list.c    what the lock holds
 *	sync-round.c   plan and steps
 *	sync-ledger.c  placements committed; refused ones
 *	sync-show.c    status and alarm
 *	sync-held.c    what a restored database may have wrong
 */

#include "core/people.h"
#include "private.h"

enum phase {
	PHASE_IDLE,
	PHASE_READING,    /* the session reads the list */
	PHASE_COMMITTING, /* the ledger has something of ours */
	PHASE_READY,      /* .step is committed and may go out */
	PHASE_STEPPING,   /* the session has .step */
};

/* What the lock refused, as it was then: tried again when it is another. */
struct refusal_mark {
	char credential_id[ROW_ID_MAX];
	uint64_t mark;
};

struct sync {
	enum phase phase;
	bool is_step_next; /* PHASE_COMMITTING: then PHASE_READY */
	struct slot *list; /* being read */
	size_t n_list;
	bool is_list_broken;  /* more than can be held: to be thrown away */
	bool is_fresh;        /* the mirror was read over this link, and nothing was sent since */
	bool is_list_wanted;  /* even if nothing is to be done */
	bool is_dirty;        /* the book or the time has changed */
	bool is_retry_wanted; /* refused ones too */
	struct plan *plan;    /* of this round; NULL: to be made */
	size_t next_step;
	struct plan_step step;
	unsigned n_done;  /* steps done since the lock last agreed */
	size_t n_open;    /* steps at the last look at a fresh list */
	unsigned n_stuck; /* looks without progress */
	bool is_tried;    /* something was sent since the last of them */
	bool is_broken;
	bool is_urgent; /* something that must open the door no longer may be there */
	bool has_work;
	struct fault fault;
	unsigned n_failures;
	mono_t retry; /* rests until then; MONO_NEVER: does not rest */
	mono_t alarm; /* a window's end becomes an alarm */
	wall_t next_edge;
	wall_t looked_at;
	bool was_trusted;
	size_t n_cannot;     /* wants that the lock cannot hold */
	int64_t held_before; /* s: rows older than that are not put there; 0: none is held */
	struct refusal_mark *refused;
	size_t n_refused;
	struct sync_status shown;
};

/* sync.c */
/* NULL: nothing of its credentials is the hub's to manage. */
const struct credential_limits *sync_limits(const struct lock *lock);
/* Without limits nothing can be done, but what is there is still to be worried about. */
const struct credential_limits *sync_limits_to_judge(const struct lock *lock);
/* A PIN that is refused must not be tried again and again: the lock would block it. */
bool sync_is_able(const struct lock *lock);
bool sync_may_write(const struct lock *lock);
void sync_make_wants(
	const struct lock *lock, const struct credential_limits *limits, struct want_list *ret);
void sync_drop_list(struct sync *sync);
void sync_drop_plan(struct sync *sync);
/* After a failure: longer each time. */
void sync_rest(struct lock *lock);
void sync_go(struct lock *lock);
bool sync_has_doubt(const struct lock *lock);
bool sync_has_revocation(const struct plan *plan);
void sync_agree(struct lock *lock);
/*
 * What follows from the book as it is now, and from the time: placements that are another state,
 * the alarm, and whether a link is wanted.
 */
void sync_look(struct lock *lock);

/* sync-list.c */
/* The whole list came: the mirror, and what it says of each placement, in one transaction. */
void sync_take_list(struct lock *lock);

/* sync-ledger.c */
struct txn *sync_begin(struct lock *lock);
/* The first item of @take_txn names the lock. NULL is no memory. */
void sync_commit(struct lock *lock, struct txn *take_txn, bool is_step_next);
/* false: no memory; also the next one. */
bool sync_add_placement(struct txn *txn, const struct placement *placement, bool is_gone);
bool sync_add_changes(struct txn *txn, const struct plan_change *changes, size_t n);
/* Changes when what is to be put there does. */
uint64_t sync_mark_of(const struct slot *slot);
/* Those of @why only, unless FAULT_NONE. In the book already when they are committed: safe, as the
 * worst that can come of a lost one is that it is not tried again. */
bool sync_retry_refused(
	struct lock *lock, const struct want_list *wants, enum fault_code why, struct txn *txn);
void sync_forget_refusals(struct sync *sync);

/* sync-held.c */
/* Takes out of the plan what is held. @return how much. */
size_t sync_hold_back(const struct lock *lock, struct plan *plan);
/* By a fresh list so many are held: says so; 0: nothing has to be any more. */
void sync_tell_held(struct lock *lock, size_t n_held);
void sync_release(struct lock *lock);

/* sync-show.c */
void sync_tell(struct lock *lock);
void sync_judge_overdue(struct lock *lock, const struct want_list *wants);
