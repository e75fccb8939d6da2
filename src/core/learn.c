/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a lock learns while somebody presents it: a card, a finger. Only a person who stands there
 * can make one, so it is an operation with an end, not one of the rows that sync brings about: a
 * lock that began to learn by itself at night would learn whatever is held to it.
 *
 *	QUEUED ─► RUNNING ─ the lock waits, is presented it ─► list, book ─► DONE
 *	            └ nobody came, link lost ─► FAILED, and the list is read: it may have it
 *
 * The lock gives the number. It goes into the mirror of the list as nobody's first and becomes the
 * user's by the same way as an adopted one, so that at any instant it is listed as what it is.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "sync.h"
#include "util/text.h"

bool learn_is_one(enum act act) {
	return act == ACT_PUT_CREDENTIAL;
}

static int check_words(const struct learn_request *learn, struct fault *ret_fault) {
	if (!text_is_clean(learn->label, strlen(learn->label))) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "a label is printable text");
	}
	if (learn->seconds != 0 && (learn->seconds < LEARN_S_MIN || learn->seconds > LEARN_S_MAX)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"%u s to present it in: %d to %d are possible", learn->seconds, LEARN_S_MIN,
			LEARN_S_MAX);
	}
	return 0;
}

int learn_check(const struct lock *lock, const struct request *request, struct user *ret_user,
	struct job *ret_job, struct fault *ret_fault) {
	const struct learn_request *learn = &request->learn;
	const struct credential_limits *limits = sync_limits(lock);
	const struct clock *clock = lock->hub->config.clock;
	int r = check_words(learn, ret_fault);

	if (r >= 0) {
		r = people_get_user(lock->hub->book, learn->user, ret_user, ret_fault);
	}
	if (r >= 0) {
		r = people_check_room(lock->hub->book, ret_user, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	r = limits == NULL
		    ? -EOPNOTSUPP
		    : plan_learn(lock->hub->book, lock->id, limits,
			      hub_lock_zone(lock->hub, lock->id), clock_wall(clock),
			      clock_is_trusted(clock), learn->type, ret_user, &ret_job->slot);
	if (r == -EOPNOTSUPP) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"%s learns no %s from the hub: make it at the lock, then run lockhubctl "
			"code adopt",
			lock->slug, credential_type_name(learn->type));
	}
	if (r < 0) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "for what %s is to learn", lock->slug);
	}
	ret_job->learn_s = learn->seconds != 0 ? learn->seconds : LEARN_S;
	return 0;
}

char *learn_text(const struct op_entry *entry, char *out, size_t size) {
	const struct user *user = book_user(entry->lock->hub->book, entry->learner);

	(void) snprintf(out, size, "%s for %s", credential_type_name(entry->job.slot.type),
		user != NULL ? user->name : "somebody who was removed");
	return out;
}

void learn_presenting(struct lock *lock, unsigned n, unsigned n_all) {
	struct op_entry *entry = lock->job_op;

	if (entry != NULL && learn_is_one(entry->op.act)) {
		entry->op.is_presenting = true;
		entry->op.n_presented = n;
		entry->op.n_to_present = n_all;
		op_changed(entry);
	}
}

/* ---- the end of it ---- */

/* In the mirror as the lock would list it now. */
static bool put_into_list(struct lock *lock, const struct slot *slot) {
	struct txn *txn = hub_txn_new(lock->hub);
	struct txn_item *item = txn != NULL ? txn_add(txn, TXN_SLOT_PUT) : NULL;
	AUTO(free) struct slot *list = NULL;
	const struct slot *before;
	wall_t at = { 0 };
	bool is_ok = false;
	size_t n;

	before = book_slots(lock->hub->book, lock->id, &n, &at);
	list = item != NULL && n < SLOTS_PER_LOCK_MAX ? calloc(n + 1, sizeof(list[0])) : NULL;
	if (item != NULL && list != NULL) {
		if (n > 0) {
			memcpy(list, before, n * sizeof(list[0]));
		}
		list[n] = *slot;
		is_ok = book_put_slots(lock->hub->book, lock->id, list, n + 1, at) >= 0;
		wipe(list, (n + 1) * sizeof(list[0]));
	}
	if (!is_ok || item == NULL) {
		txn_free(txn);
		return false;
	}
	memcpy(item->slots.lock_id, lock->id, sizeof(item->slots.lock_id));
	item->slots.at = at;
	item->slots.slot = *slot;
	hub_commit(lock->hub, txn);
	return true;
}

static void take(struct op_entry *entry, const struct job_result *result) {
	struct lock *lock = entry->lock;
	struct slot slot = entry->job.slot;
	struct fault fault = { .code = FAULT_NONE };
	const struct learnt learnt = {
		.type = slot.type,
		.ref = result->ref,
		.op_id = entry->op.id,
		.actor = entry->op.actor,
		.user_id = entry->learner,
		.lock_id = lock->id,
		.label = entry->label,
	};

	slot.ref = result->ref;
	if (result->fault.code != FAULT_NONE) {
		/* Learnt, and its limits did not get there: sync brings them. */
		slot.is_enabled = true;
		slot.is_limited = false;
		slot.window = (struct slot_window){ 0 };
	}
	entry->is_keeping = true;
	if (!put_into_list(lock, &slot)) {
		(void) fault_set(&fault, FAULT_LIST_FULL,
			"%s has learnt it; see lockhubctl code list --lock %s", lock->slug,
			lock->slug);
	} else {
		(void) people_take_learnt(lock->hub, &learnt, &fault);
	}
	if (fault.code != FAULT_NONE) {
		entry->is_keeping = false;
		op_finish(entry, OP_FAILED, &fault);
	}
}

bool learn_job_done(struct op_entry *entry, const struct job_result *result) {
	struct lock *lock = entry->lock;

	entry->op.is_presenting = false;
	if (result->fault.code != FAULT_NONE && result->ref == 0 && result->sent == JOB_NOT_SENT &&
		!entry->is_doomed) {
		return false;
	}
	/* Whatever was said: what the list has counts (L1). */
	lock->sync->is_fresh = false;
	sync_want_list(lock, true);
	if (result->ref != 0) {
		take(entry, result);
	} else if (entry->is_doomed) {
		op_finish(entry, OP_FAILED, &entry->doom);
	} else {
		op_finish(entry, OP_FAILED, &result->fault);
	}
	return true;
}

void learn_kept(
	struct hub *hub, const char *op_id, const char *credential_id, const struct fault *fault) {
	struct op *op = hub_find_op(hub, op_id);
	struct op_entry *entry = op != NULL ? container_of(op, struct op_entry, op) : NULL;

	if (entry == NULL || entry->lock == NULL || !entry->is_keeping) {
		return; /* the lock was unpaired meanwhile */
	}
	entry->is_keeping = false;
	if (fault == NULL) {
		(void) text_copy(op->credential_id, sizeof(op->credential_id), credential_id);
	}
	op_finish(entry, fault == NULL ? OP_DONE : OP_FAILED, fault);
}

void learn_stop(struct lock *lock, const char *why) {
	struct op_entry *entry = lock->is_busy ? lock->job_op : NULL;

	if (entry == NULL || !learn_is_one(entry->op.act) || entry->is_doomed) {
		return;
	}
	entry->is_doomed = true;
	(void) fault_set(&entry->doom, FAULT_CANCELLED, "%s", why);
	runner_drop(lock);
}
