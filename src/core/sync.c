/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The locks are made to agree with the book (design: flow 3). What is to be done is plan.c's; here
 * it is done, step by step, over links that are made anyway where that can wait (L6):
 *
 *	read the list ─► mirror and placements committed ─► plan ─┬─► empty: the lock agrees
 *	     ▲                                                     ▼
 *	     └── after the last step, or any doubt ── step: SENT committed ─► job ─► result
 *committed
 *
 * A placement is committed before the lock may have got it, so that after a kill at any instant the
 * list tells what has become of it. What is revoked goes first, is alarmed until a list shows that
 * it is gone, and is never given up (L4). Everything else rests longer and longer after failures,
 * and stops when rounds bring nothing (the breaker), until something changes or somebody asks.
 *
 * Only one thing is under way per lock (.phase): changes of the book that come meanwhile are looked
 * at when it is over.
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/people.h"
#include "private.h"
#include "util/text.h"

#define LIST_AGE_S                                                                                 \
	86400 /* the list is read at least this often, with a link that is made anyway             \
	       */
#define LIST_STORE_S 43200 /* the time of an unchanged list is written at most so often */
#define STUCK_MAX 3        /* rounds in a row without progress: the breaker opens */
/* A window that ended is not yet an alarm: the next link is under way. */
#define GRACE_MS 120000
/* While the clock is not trusted it is looked at again so often, if anything waits for it. */
#define TRUST_LOOK_MS 60000

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
	size_t n_cannot; /* wants that the lock cannot hold */
	struct refusal_mark *refused;
	size_t n_refused;
	struct sync_status shown;
};

struct sync *sync_new(void) {
	struct sync *sync = calloc(1, sizeof(*sync));

	if (sync != NULL) {
		sync->retry = MONO_NEVER;
		sync->alarm = MONO_NEVER;
		sync->next_edge.s = INT64_MAX;
		sync->n_open = SIZE_MAX;
		sync->was_trusted = true;
	}
	return sync;
}

static void drop_list(struct sync *sync) {
	if (sync->list != NULL) {
		wipe(sync->list, SLOTS_PER_LOCK_MAX * sizeof(sync->list[0]));
	}
	free(sync->list);
	sync->list = NULL;
	sync->n_list = 0;
	sync->is_list_broken = false;
}

static void drop_plan(struct sync *sync) {
	sync->plan = plan_free(sync->plan);
	sync->next_step = 0;
	wipe(&sync->step, sizeof(sync->step));
}

struct sync *sync_free(struct sync *sync) {
	if (sync == NULL) {
		return NULL;
	}
	drop_list(sync);
	drop_plan(sync);
	free(sync->refused);
	wipe(sync, sizeof(*sync));
	free(sync);
	return NULL;
}

/* NULL: nothing of its credentials is the hub's to manage. */
static const struct credential_limits *limits_of(const struct lock *lock) {
	if (lock->driver->credentials == NULL || (lock_acts(lock) & 1U << ACT_READ_USERS) == 0) {
		return NULL;
	}
	return lock->driver->credentials(&lock->keys, &lock->status);
}

/* A PIN that is refused must not be tried again and again: the lock would block it. */
static bool is_able(const struct lock *lock) {
	return limits_of(lock) != NULL && !facts_has(lock, FAULT_BAD_PIN) &&
	       !facts_has(lock, FAULT_PIN_BLOCKED);
}

static bool may_write(const struct lock *lock) {
	unsigned both = 1U << ACT_PUT_CREDENTIAL | 1U << ACT_REMOVE_CREDENTIAL;

	return (lock_acts(lock) & both) == both;
}

static void make_wants(
	const struct lock *lock, const struct credential_limits *limits, struct want_list *ret) {
	const struct clock *clock = lock->hub->config.clock;

	plan_want(lock->hub->book, lock->id, limits, hub_lock_zone(lock->hub, lock->id),
		clock_wall(clock), clock_is_trusted(clock), ret);
}

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
	ret->is_supported = limits_of(lock) != NULL;
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

static void tell(struct lock *lock) {
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

static void judge_overdue(struct lock *lock, const struct want_list *wants) {
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

/* ---- rest ---- */

static void rest(struct lock *lock) {
	static const int64_t steps_s[] = { 2, 60, 120, 240, 480, 900, 1800, 3600 };
	static const int64_t urgent_s[] = { 2, 10, 20, 40, 80, 160, 320, 600 };
	struct sync *sync = lock->sync;
	size_t step = sync->n_failures++;

	if (step >= ARRAY_SIZE(steps_s)) {
		step = ARRAY_SIZE(steps_s) - 1;
	}
	sync->retry = mono_after(
		hub_now(lock->hub), 1000 * (sync->is_urgent ? urgent_s[step] : steps_s[step]));
	lock->due &= ~(unsigned) CARE_SYNC;
}

static void go(struct lock *lock) {
	lock->sync->retry = MONO_NEVER;
	care_want(lock, CARE_SYNC);
}

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
		drop_plan(sync);
		rest(lock);
	} else if (is_step_next && lock->state == RUNNER_UP) {
		sync->phase = PHASE_READY;
	} else if (is_step_next) {
		drop_plan(sync); /* that link is gone: the list first */
	}
	sync->is_dirty = sync->is_dirty || (fault == NULL && sync->phase == PHASE_IDLE);
	tell(lock);
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

static struct txn *begin(struct lock *lock) {
	return txn_new(sync_txn_done, lock->hub);
}

/* The first item of @take_txn names the lock. NULL is no memory. */
static void commit(struct lock *lock, struct txn *take_txn, bool is_step_next) {
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

/* false: no memory. */
static bool add_placement(struct txn *txn, const struct placement *placement, bool is_gone) {
	struct txn_item *item = txn_add(txn, is_gone ? TXN_PLACEMENT_REMOVE : TXN_PLACEMENT_PUT);

	if (item != NULL) {
		item->placement = *placement;
	}
	return item != NULL;
}

static bool add_changes(struct txn *txn, const struct plan_change *changes, size_t n) {
	bool is_ok = true;

	for (size_t i = 0; i < n; i++) {
		is_ok = is_ok && add_placement(txn, &changes[i].placement, changes[i].is_gone);
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

static uint64_t mark_of(const struct slot *slot) {
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
	uint64_t mark = mark_of(&want->slot);
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

static void forget_refusals(struct sync *sync) {
	free(sync->refused);
	sync->refused = NULL;
	sync->n_refused = 0;
}

/* Those of @why only, unless FAULT_NONE. In the book already when they are committed: safe, as the
 * worst that can come of a lost one is that it is not tried again. */
static bool retry_refused(
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
		is_ok = is_ok && add_placement(txn, &placement, false);
	}
	return is_ok;
}

/* ---- the book has changed ---- */

static bool has_doubt(const struct lock *lock) {
	const struct placement *placement;

	for (size_t i = 0; (placement = book_placement_at(lock->hub->book, i)) != NULL; i++) {
		if (strcmp(placement->lock_id, lock->id) == 0 &&
			(placement->state == PLACEMENT_SENT ||
				placement->state == PLACEMENT_LEAVING)) {
			return true;
		}
	}
	return false;
}

static bool has_revocation(const struct plan *plan) {
	return plan->n > 0 && plan->steps[0].is_revocation;
}

/* Whether a link is worth it, by what is known without one. */
static void judge_work(struct lock *lock, const struct plan *plan) {
	struct sync *sync = lock->sync;

	if (sync->is_broken) {
		sync->has_work = has_revocation(plan) || sync->is_urgent;
	} else {
		sync->has_work = plan->n > 0 || has_doubt(lock);
	}
	sync->has_work = sync->has_work && may_write(lock);
}

static void look_at_time(struct lock *lock, const struct want_list *wants) {
	const struct clock *clock = lock->hub->config.clock;

	lock->sync->next_edge = wants->next_edge;
	lock->sync->looked_at = clock_wall(clock);
	lock->sync->was_trusted = clock_is_trusted(clock);
	lock->sync->n_cannot = wants->n_refused;
}

static void agree(struct lock *lock) {
	struct sync *sync = lock->sync;
	struct event event;

	sync->n_open = SIZE_MAX;
	sync->n_stuck = 0;
	sync->n_failures = 0;
	sync->retry = MONO_NEVER;
	sync->is_broken = false;
	sync->fault = (struct fault){ .code = FAULT_NONE };
	lock->due &= ~(unsigned) CARE_SYNC;
	facts_clear(lock, FAULT_SYNC_BROKEN);
	if (sync->n_done > 0) {
		lock_event_init(&event, lock, EVENT_SYNCED);
		event.number = sync->n_done;
		sync->n_done = 0;
		hub_record(lock->hub, &event);
	}
	tell(lock);
}

/* Without limits nothing can be done, but what is there is still to be worried about. */
static const struct credential_limits *limits_to_judge(const struct lock *lock) {
	static const struct credential_limits any = { .types = UINT32_MAX,
		.has_app_keys = true,
		.name_most = EVENT_USER_MAX,
		.n_windows = 1 };
	const struct credential_limits *limits = limits_of(lock);

	return limits != NULL ? limits : &any;
}

/*
 * What follows from the book as it is now, and from the time: placements that are another state,
 * the alarm, and whether a link is wanted.
 */
static void look(struct lock *lock) {
	struct sync *sync = lock->sync;
	const struct credential_limits *limits = limits_to_judge(lock);
	AUTO(want_list_free) struct want_list *wants = want_list_new();
	AUTO(plan_free) struct plan *plan = plan_new();
	AUTO(txn_free) struct txn *txn = begin(lock);
	AUTO(free) struct plan_change *changes = calloc(PLAN_CHANGES_MAX, sizeof(changes[0]));
	size_t n;

	if (wants == NULL || plan == NULL || txn == NULL || changes == NULL) {
		return; /* is_dirty stays: the next turn tries again */
	}
	sync->is_dirty = false;
	make_wants(lock, limits, wants);
	look_at_time(lock, wants);
	if (limits_of(lock) != NULL) {
		if (!retry_refused(lock, wants, FAULT_NONE, txn)) {
			sync->is_dirty = true;
		}
		sync->is_retry_wanted = false;
		make_wants(lock, limits, wants);
		plan_make(lock->hub->book, lock->id, wants, limits, plan);
		n = plan_settle(lock->hub->book, lock->id, wants, plan, false,
			clock_wall(lock->hub->config.clock), changes);
		if (!add_changes(txn, changes, n)) {
			commit(lock, NULL, false);
			return;
		}
		judge_overdue(lock, wants);
		if (!list_is_empty(&txn->items)) {
			sync->n_open = SIZE_MAX; /* a new cause */
			commit(lock, STEAL(txn), false);
			return; /* committed() comes back here */
		}
		judge_work(lock, plan);
		if (plan->n == 0 && !has_doubt(lock) && !sync->is_list_wanted) {
			agree(lock);
		}
	} else {
		sync->has_work = false;
		sync->is_list_wanted = false;
		judge_overdue(lock, wants);
	}
	if (is_able(lock) && (sync->has_work || sync->is_list_wanted) &&
		(sync->retry.ms == INT64_MAX || mono_is_due(sync->retry, hub_now(lock->hub)))) {
		go(lock);
	}
	tell(lock);
}

void sync_book_changed(struct hub *hub, struct lock *lock) {
	for (size_t i = 0; i < hub->n_locks; i++) {
		struct lock *each = hub->locks[i];

		if (lock == NULL || lock == each) {
			each->sync->is_dirty = true;
			/* What is revoked by a person does not sit out a pause. */
			each->sync->retry = MONO_NEVER;
			each->sync->n_failures = 0;
		}
	}
}

/* ---- the list ---- */

static bool is_worth_reading(const struct lock *lock) {
	wall_t now = clock_wall(lock->hub->config.clock);
	wall_t at = { 0 };
	size_t n;

	(void) book_slots(lock->hub->book, lock->id, &n, &at);
	return at.s == 0 || now.s < at.s || now.s - at.s >= LIST_AGE_S;
}

void sync_want_list(struct lock *lock, bool is_urgent) {
	if (limits_of(lock) == NULL) {
		return;
	}
	lock->sync->is_list_wanted = true;
	if (is_urgent || lock->state == RUNNER_UP) {
		go(lock);
	}
}

/* Also when the lock has turned out to have more, or less, to manage than was known. */
void sync_start(struct lock *lock) {
	lock->sync->is_dirty = true;
	if (is_worth_reading(lock) || has_doubt(lock)) {
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
	event->data = credential->type == CREDENTIAL_PIN ? LOCK_DATA_PIN : LOCK_DATA_USER_INDEX;
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

static void find_lost(
	struct lock *lock, struct txn *txn, const struct plan_change *changes, size_t n) {
	const struct placement *placement;
	size_t n_present = 0;
	size_t n_lost = 0;

	for (size_t i = 0; (placement = book_placement_at(lock->hub->book, i)) != NULL; i++) {
		n_present += strcmp(placement->lock_id, lock->id) == 0 &&
			     placement->state == PLACEMENT_PRESENT;
	}
	for (unsigned is_told = 0; is_told < 2; is_told++) {
		for (size_t i = 0; i < n; i++) {
			const struct placement *now = &changes[i].placement;
			const struct placement *was =
				book_placement(lock->hub->book, lock->id, now->credential_id);

			if (was == NULL || was->state != PLACEMENT_PRESENT || now->ref != 0 ||
				changes[i].is_gone) {
				continue;
			}
			n_lost += is_told == 0;
			if (is_told != 0 && n_lost < 2) {
				tell_lost(lock, txn, was);
			}
		}
	}
	if (n_lost >= 2 && n_lost == n_present) {
		tell_reset(lock, txn, n_lost);
	} else if (n_lost >= 2) {
		for (size_t i = 0; i < n; i++) {
			const struct placement *was = book_placement(
				lock->hub->book, lock->id, changes[i].placement.credential_id);

			if (was != NULL && was->state == PLACEMENT_PRESENT &&
				changes[i].placement.ref == 0 && !changes[i].is_gone) {
				tell_lost(lock, txn, was);
			}
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
		is_ok = is_ok && add_placement(txn, &placement, false);
	}
	return is_ok;
}

/* The whole list came: the mirror, and what it says of each placement, in one transaction. */
static void take_list(struct lock *lock) {
	struct sync *sync = lock->sync;
	struct book *book = lock->hub->book;
	const struct credential_limits *limits = limits_to_judge(lock);
	wall_t now = clock_wall(lock->hub->config.clock);
	AUTO(want_list_free) struct want_list *wants = want_list_new();
	AUTO(plan_free) struct plan *plan = plan_new();
	AUTO(txn_free) struct txn *txn = begin(lock);
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
		commit(lock, NULL, false);
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
		commit(lock, NULL, false);
		return;
	}
	wipe(before, n_before * sizeof(before[0]));
	make_wants(lock, limits, wants);
	if (sync->n_list < n_before) {
		(void) retry_refused(lock, wants, FAULT_LIST_FULL, txn);
	}
	plan_make(book, lock->id, wants, limits, plan);
	n = plan_settle(book, lock->id, wants, plan, true, now, changes);
	if (!add_changes(txn, changes, n)) {
		commit(lock, NULL, false);
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
	commit(lock, STEAL(txn), false);
}

/* ---- a round ---- */

static void open_breaker(struct lock *lock, const struct plan *plan) {
	const struct plan_step *step = &plan->steps[0];
	const struct credential *credential = book_credential(lock->hub->book, step->credential_id);
	const struct user *user =
		credential != NULL ? book_user(lock->hub->book, credential->user_id) : NULL;
	struct fault fault;

	lock->sync->is_broken = true;
	(void) fault_set(&fault, FAULT_SYNC_BROKEN,
		"%u rounds without progress, %zu steps left%s%.60s%s%s", STUCK_MAX, plan->n,
		user != NULL ? ", first " : "", user != NULL ? user->name : "",
		lock->sync->fault.code != FAULT_NONE ? "; last: " : "",
		lock->sync->fault.code != FAULT_NONE ? fault_name(lock->sync->fault.code) : "");
	lock->sync->fault = fault;
	facts_raise(lock, &fault);
}

/* A fresh list and the plan for it: is there anything to do, and does it get any better? */
static bool start_round(struct lock *lock) {
	struct sync *sync = lock->sync;
	const struct credential_limits *limits = limits_of(lock);
	AUTO(want_list_free) struct want_list *wants = want_list_new();
	AUTO(plan_free) struct plan *plan = plan_new();

	if (wants == NULL || plan == NULL || limits == NULL) {
		rest(lock);
		return false;
	}
	make_wants(lock, limits, wants);
	plan_make(lock->hub->book, lock->id, wants, limits, plan);
	if (plan->n == 0) {
		agree(lock);
		return false;
	}
	if (!may_write(lock)) {
		lock->due &= ~(unsigned) CARE_SYNC;
		return false;
	}
	if (plan->n < sync->n_open) {
		sync->n_stuck = 0;
	} else if (sync->is_tried && ++sync->n_stuck >= STUCK_MAX && !sync->is_broken) {
		open_breaker(lock, plan);
	}
	sync->is_tried = false;
	sync->n_open = plan->n;
	if (sync->is_broken && !has_revocation(plan)) {
		lock->due &= ~(unsigned) CARE_SYNC;
		tell(lock);
		return false;
	}
	if (sync->n_stuck > 0 && sync->n_failures < sync->n_stuck) {
		rest(lock); /* the same again at once would be no better */
		sync->is_fresh = false;
		return false;
	}
	sync->plan = STEAL(plan);
	sync->next_step = 0;
	return true;
}

/* The book has not changed its mind since the plan was made. */
static bool is_step_right(const struct lock *lock, const struct plan_step *step) {
	const struct credential_limits *limits = limits_of(lock);
	AUTO(want_list_free) struct want_list *wants = want_list_new();

	if (wants == NULL || limits == NULL) {
		return false;
	}
	make_wants(lock, limits, wants);
	for (size_t i = 0; i < wants->n; i++) {
		const struct want *want = &wants->wants[i];

		if (strcmp(want->credential->id, step->credential_id) == 0) {
			return step->kind != PLAN_REMOVE &&
			       mark_of(&want->slot) == mark_of(&step->slot);
		}
	}
	return step->kind == PLAN_REMOVE;
}

/* The next step's placement, into @txn. false: there is none, or no memory. */
static bool add_next_step(struct lock *lock, struct txn *txn) {
	struct sync *sync = lock->sync;
	struct placement placement;

	while (sync->plan != NULL && sync->next_step < sync->plan->n) {
		const struct plan_step *step = &sync->plan->steps[sync->next_step++];
		bool is_held = sync->is_broken && !step->is_revocation;

		/* A refused row that is wanted is removed too: that is right as long as the book
		 * stands. */
		if (is_held || (sync->is_dirty && !is_step_right(lock, step))) {
			continue;
		}
		sync->step = *step;
		plan_before(lock->hub->book, lock->id, step, clock_wall(lock->hub->config.clock),
			&placement);
		return add_placement(txn, &placement, false);
	}
	drop_plan(sync);
	return false;
}

bool sync_next_job(struct lock *lock, struct job *ret) {
	struct sync *sync = lock->sync;
	AUTO(txn_free) struct txn *txn = NULL;

	if (!is_able(lock)) {
		lock->due &= ~(unsigned) CARE_SYNC;
		return false;
	}
	switch (sync->phase) {
	case PHASE_COMMITTING:
	case PHASE_READING:
	case PHASE_STEPPING:
		return false;
	case PHASE_READY:
		sync->phase = PHASE_STEPPING;
		sync->is_tried = true;
		sync->is_fresh = false;
		*ret = (struct job){ .act = sync->step.kind == PLAN_REMOVE ? ACT_REMOVE_CREDENTIAL
									   : ACT_PUT_CREDENTIAL };
		ret->slot = sync->step.slot;
		return true;
	case PHASE_IDLE:
		break;
	}
	if (!sync->is_fresh) {
		drop_list(sync);
		drop_plan(sync);
		sync->phase = PHASE_READING;
		*ret = (struct job){ .act = ACT_READ_USERS };
		tell(lock);
		return true;
	}
	if (sync->is_dirty) {
		look(lock);
		if (sync->phase != PHASE_IDLE) {
			return false;
		}
	}
	if (sync->plan == NULL && !start_round(lock)) {
		return false;
	}
	txn = begin(lock);
	if (txn == NULL) {
		rest(lock);
		return false;
	}
	if (!add_next_step(lock, txn)) {
		sync->is_fresh = false; /* the book is another by now: from the start */
		runner_kick_soon(lock);
		return false;
	}
	commit(lock, STEAL(txn), true);
	return false;
}

static enum plan_result result_of(const struct plan_step *step, const struct job_result *result) {
	switch (result->fault.code) {
	case FAULT_NONE:
		return PLAN_DONE;
	case FAULT_NO_SUCH_ENTRY:
		return step->kind == PLAN_REMOVE ? PLAN_DONE : PLAN_NOT_DONE;
	case FAULT_BAD_PARAMETER:
	case FAULT_BAD_ARGUMENT:
	case FAULT_CODE_EXISTS:
	case FAULT_CODE_INVALID:
	case FAULT_LIST_FULL:
	case FAULT_TOO_MANY_USERS:
	case FAULT_NOT_SUPPORTED:
	case FAULT_ACTION_REJECTED:
		return PLAN_REFUSED;
	default: /* RULE R3: those that are final, of many */
		break;
	}
	return result->sent == JOB_NOT_SENT || fault_is_answer(result->fault.code) ? PLAN_NOT_DONE
										   : PLAN_DOUBT;
}

static void step_done(struct lock *lock, const struct job_result *result) {
	struct sync *sync = lock->sync;
	enum plan_result what = result_of(&sync->step, result);
	const struct placement *old =
		book_placement(lock->hub->book, lock->id, sync->step.credential_id);
	AUTO(txn_free) struct txn *txn = begin(lock);
	struct placement placement;
	bool is_going_on = what == PLAN_DONE || what == PLAN_REFUSED;
	bool is_next;

	sync->phase = PHASE_IDLE;
	sync->n_done += what == PLAN_DONE;
	if (what != PLAN_DONE) {
		sync->fault = result->fault;
	}
	if (old == NULL || txn == NULL) {
		drop_plan(sync);
		rest(lock);
		return;
	}
	placement = *old;
	plan_after(&placement, &sync->step, what, result->fault.code, result->ref,
		clock_wall(lock->hub->config.clock));
	if (!add_placement(txn, &placement, false)) {
		drop_plan(sync);
		rest(lock);
		return;
	}
	if (!is_going_on) {
		drop_plan(sync);
		rest(lock);
		runner_drop(lock);
	}
	if (result->fault.code == FAULT_LIST_FULL) {
		drop_plan(sync); /* the answer to all additions */
	}
	/* Their order in the transaction is that of their happening: both rows may be one. */
	is_next = is_going_on && add_next_step(lock, txn);
	commit(lock, STEAL(txn), is_next);
}

static void list_done(struct lock *lock, const struct job_result *result) {
	struct sync *sync = lock->sync;
	struct fault fault = result->fault;

	sync->phase = PHASE_IDLE;
	if (fault.code == FAULT_NONE && sync->is_list_broken) {
		(void) fault_set(&fault, FAULT_LIST_FULL, "more than %d rows in the lock",
			SLOTS_PER_LOCK_MAX);
	}
	if (fault.code == FAULT_NONE) {
		take_list(lock);
	} else {
		sync->fault = fault;
		rest(lock);
		runner_drop(lock);
	}
	drop_list(sync);
	tell(lock);
}

void sync_job_done(struct lock *lock, const struct job *job, const struct job_result *result) {
	(void) job;
	if (lock->sync->phase == PHASE_READING) {
		list_done(lock, result);
	} else if (lock->sync->phase == PHASE_STEPPING) {
		step_done(lock, result);
	}
}

void sync_linked(struct lock *lock, bool is_up) {
	struct sync *sync = lock->sync;

	sync->is_fresh = false;
	if (sync->phase == PHASE_READY || sync->phase == PHASE_IDLE) {
		/* What was to be sent over that link was not: the list will tell. */
		sync->is_dirty = sync->is_dirty || sync->phase == PHASE_READY;
		sync->phase = PHASE_IDLE;
		drop_plan(sync);
	}
	/* This link is there anyway. */
	if (is_up && (sync->has_work || sync->is_list_wanted) && is_able(lock)) {
		lock->due |= CARE_SYNC;
	}
}

bool sync_is_urgent(const struct lock *lock) {
	return lock->sync->is_urgent && (lock->due & CARE_SYNC) != 0;
}

/* ---- time ---- */

static bool is_time_another(const struct lock *lock) {
	const struct clock *clock = lock->hub->config.clock;
	const struct sync *sync = lock->sync;
	wall_t now = clock_wall(clock);

	if (sync->next_edge.s == INT64_MAX) {
		return false;
	}
	return clock_is_trusted(clock) != sync->was_trusted || now.s < sync->looked_at.s ||
	       (now.s >= sync->next_edge.s && sync->was_trusted);
}

void sync_run_due(struct lock *lock, mono_t now) {
	struct sync *sync = lock->sync;

	if (lock->is_leaving || !lock->hub->is_started) {
		return;
	}
	sync->is_dirty = sync->is_dirty || is_time_another(lock) || mono_is_due(sync->alarm, now);
	if (mono_is_due(sync->retry, now)) {
		sync->retry = MONO_NEVER;
		sync->is_dirty = true;
	}
	if (sync->is_dirty && sync->phase == PHASE_IDLE) {
		look(lock);
	}
}

mono_t sync_next_due(const struct lock *lock) {
	const struct clock *clock = lock->hub->config.clock;
	const struct sync *sync = lock->sync;
	mono_t now = hub_now(lock->hub);
	mono_t due = mono_min(sync->retry, sync->alarm);

	if (lock->is_leaving || !lock->hub->is_started || sync->phase != PHASE_IDLE) {
		return MONO_NEVER; /* whoever has it comes back */
	}
	if (sync->is_dirty || is_time_another(lock)) {
		return now;
	}
	if (sync->next_edge.s != INT64_MAX) {
		int64_t ms = sync->was_trusted ? (sync->next_edge.s - clock_wall(clock).s) * 1000
					       : TRUST_LOOK_MS;

		due = mono_min(due, mono_after(now, ms));
	}
	return due;
}

/* ---- what the edges ask ---- */

static void ask(struct lock *lock) {
	struct sync *sync = lock->sync;

	sync->is_retry_wanted = true;
	forget_refusals(sync);
	sync->is_broken = false;
	sync->n_stuck = 0;
	sync->n_open = SIZE_MAX;
	sync->n_failures = 0;
	sync->fault = (struct fault){ .code = FAULT_NONE };
	facts_clear(lock, FAULT_SYNC_BROKEN);
	sync->is_dirty = true;
	sync->is_fresh = false;
	sync_want_list(lock, true);
	tell(lock);
}

int hub_code_sync(struct hub *hub, const char *lock_word, const struct people_by *by,
	struct fault *ret_fault) {
	struct lock *lock = NULL;
	int r;

	if (by->role < ROLE_MANAGE) {
		return fault_set(ret_fault, FAULT_DENIED, "codes are for managers");
	}
	if (lock_word[0] == '\0') {
		for (size_t i = 0; i < hub->n_locks; i++) {
			ask(hub->locks[i]);
		}
		return 0;
	}
	r = hub_get_lock(hub, lock_word, &lock, ret_fault);
	if (r < 0) {
		return r;
	}
	if (limits_of(lock) == NULL) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"%s keeps no codes that the hub can manage%s", lock->slug,
			lock_has_pin(lock) ? "" : " without its PIN");
	}
	ask(lock);
	return 0;
}
