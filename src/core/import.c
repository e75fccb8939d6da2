/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The lock's own log, imported exactly once (L3): entries and the cursor go into one transaction,
 * and the ledger drops an entry that it has already. A hole in the numbers is an event of its own.
 */

#include "private.h"

#include <string.h>

#include "util/text.h"

/* So many wrong codes within so long at one keypad are an alarm. */
#define WRONG_CODES_MAX 5
#define WRONG_CODES_S 600
/* Our own operation and the lock's entry about it are at most so far apart. */
#define OWN_ENTRY_MS 600000
/* The lock's clock may be off by so much without being set. */
#define CLOCK_SLACK_S 60

bool import_is_possible(const struct lock *lock) {
	return lock->hub->config.import_log && lock_has_pin(lock) &&
	       !facts_has(lock, FAULT_BAD_PIN) && !facts_has(lock, FAULT_PIN_BLOCKED) &&
	       (lock_acts(lock) & 1U << ACT_READ_LOG) != 0;
}

/*
 * The row that the entry names, as long as the lock does not say that it was made only later: refs
 * are used again, and a name must never be that of whoever has the row today.
 */
static const struct credential *credential_of(
	const struct lock *lock, const struct log_entry *entry) {
	const struct book *book = lock->hub->book;
	const struct slot *slots;
	size_t n;

	if (entry->credential == CREDENTIAL_NONE || entry->user_ref == 0 || entry->is_own) {
		return NULL;
	}
	slots = book_slots(book, lock->id, &n, NULL);
	for (size_t i = 0; i < n; i++) {
		if (slots[i].type == entry->credential && slots[i].ref == entry->user_ref &&
			entry->time.s != 0 && slots[i].created_at.s > entry->time.s) {
			return NULL;
		}
	}
	return book_credential_of_slot(book, lock->id, entry->credential, entry->user_ref);
}

static bool is_use(const struct log_entry *entry) {
	return entry->kind == EVENT_LOCK_OPERATION && entry->error == OPERATION_ERROR_NONE &&
	       (entry->operation == OPERATION_UNLOCK || entry->operation == OPERATION_UNLATCH);
}

/* What the lock presented as evidence; else the name in its entry, else nobody. */
static void attribute_at_lock(
	struct lock *lock, const struct log_entry *entry, struct txn *txn, struct event *event) {
	const struct credential *credential = credential_of(lock, entry);
	const struct user *user =
		credential != NULL ? book_user(lock->hub->book, credential->user_id) : NULL;

	event->credential = entry->credential;
	/* Without a time nobody can say whether the row was already whose it is today. */
	if (user != NULL && entry->time.s != 0) {
		event->attribution = ATTRIBUTION_CREDENTIAL;
		(void) text_copy(event->user, sizeof(event->user), user->name);
		(void) text_copy(event->user_id, sizeof(event->user_id), user->id);
	} else {
		event->attribution =
			event->user[0] != '\0' ? ATTRIBUTION_LOCK_NAME : ATTRIBUTION_NONE;
	}
	if (user == NULL) {
		return;
	}
	/*
	 * What was there before the credential was is history. All else counts, also when it is the
	 * first that is read of this log: a code for once must not open twice.
	 */
	bool is_before = lock->is_first_import && entry->time.s != 0 &&
			 entry->time.s < credential->created_at.s - CLOCK_SLACK_S;
	if (is_use(entry) && !is_before) {
		people_used(lock, credential, entry->time, txn);
	}
}

/*
 * Whoever asked the hub is who did it. Only an operation of the same kind that the hub has really
 * sent and that has no entry yet counts; otherwise the name in the entry stands.
 */
static void attribute(
	struct lock *lock, const struct log_entry *entry, struct txn *txn, struct event *event) {
	struct op_entry *op;

	attribute_at_lock(lock, entry, txn, event);
	if (!entry->is_own) {
		return;
	}
	list_for_each(op, &lock->hub->ops, all) {
		if (strcmp(op->op.lock_id, lock->id) == 0 && !op->is_attributed &&
			op->op.first_write.ms != 0 && op->op.act != ACT_NONE &&
			act_operation(op->op.act) == entry->operation &&
			mono_since(op->op.received, hub_now(lock->hub)) < OWN_ENTRY_MS) {
			op->is_attributed = true;
			op_attribute(&op->op, event);
			memcpy(event->op_id, op->op.id, sizeof(event->op_id));
			event->act = op->op.act;
			return;
		}
	}
}

static struct txn *import_txn(struct lock *lock) {
	if (lock->import == NULL) {
		lock->import = hub_txn_new(lock->hub);
	}
	return lock->import;
}

static void import_gap(struct lock *lock, int64_t missing) {
	struct txn *txn = import_txn(lock);
	struct event *event =
		txn != NULL ? txn_add_event(txn, lock->hub, lock, EVENT_LOG_GAP) : NULL;

	if (event != NULL) {
		event->number = missing;
		event->fault = FAULT_LOG_GAP;
	}
}

static void import_one(struct lock *lock, const struct log_entry *entry) {
	struct txn *txn = import_txn(lock);
	struct event *event = txn != NULL ? txn_add_event(txn, lock->hub, lock, entry->kind) : NULL;

	if (event == NULL) {
		return;
	}
	event->lock_time = entry->time;
	event->lock_seq = entry->seq;
	event->operation = entry->operation;
	event->source = entry->source;
	event->error = entry->error;
	event->alarm = entry->alarm;
	event->door = entry->door;
	event->fault = entry->fault;
	event->user_ref = entry->user_ref;
	event->is_history = lock->is_first_import;
	memcpy(event->user, entry->user, sizeof(event->user));
	memcpy(event->text, entry->text, sizeof(event->text));
	attribute(lock, entry, txn, event);
}

/* Guessing at the keypad: counted by the lock's own times. */
static void count_wrong_codes(struct lock *lock, const struct log_entry *entry) {
	struct event *event;

	if (entry->error != OPERATION_ERROR_INVALID_CREDENTIAL || lock->is_first_import) {
		return;
	}
	if (entry->time.s - lock->wrong_codes_since.s > WRONG_CODES_S) {
		lock->wrong_codes_since = entry->time;
		lock->n_wrong_codes = 0;
	}
	if (++lock->n_wrong_codes == WRONG_CODES_MAX && import_txn(lock) != NULL) {
		event = txn_add_event(lock->import, lock->hub, lock, EVENT_ALARM);
		if (event != NULL) {
			event->alarm = ALARM_WRONG_CODE_LIMIT;
			event->source = SOURCE_KEYPAD;
			event->number = WRONG_CODES_MAX;
		}
	}
}

void import_entries(struct lock *lock, const struct log_entry *entries, size_t n) {
	for (size_t i = 0; i < n; i++) {
		struct log_entry moved = entries[i];
		const struct log_entry *entry = &moved;

		/* A lock that was reset may count anew; the hub's numbers only ever go up. */
		if (lock->is_base_open && import_txn(lock) != NULL) {
			renew_log_begins(lock, moved.seq, lock->import);
		}
		moved.seq += lock->log_base;
		if (entry->seq <= lock->log_pending) {
			continue;
		}
		if (lock->log_pending > 0 && entry->seq > lock->log_pending + 1) {
			import_gap(lock, entry->seq - lock->log_pending - 1);
		}
		import_one(lock, entry);
		count_wrong_codes(lock, entry);
		lock->log_pending = entry->seq;
	}
}

void import_job_ended(struct lock *lock) {
	struct txn_item *item;

	if (lock->import == NULL) {
		lock->is_first_import =
			lock->is_first_import && lock->log_cursor == 0 && lock->log_pending == 0;
		return;
	}
	item = txn_add(lock->import, TXN_CURSOR);
	if (item == NULL) {
		lock->import = txn_free(lock->import);
		lock->log_pending = lock->log_cursor;
		return;
	}
	memcpy(item->cursor.lock_id, lock->id, sizeof(item->cursor.lock_id));
	item->cursor.number = lock->log_pending;
	lock->is_importing = true;
	hub_commit(lock->hub, STEAL(lock->import));
}

/* Those who asked for the log to be read, and wait until what was read can be seen. */
static void tell_readers(struct lock *lock, const struct fault *fault) {
	struct op_entry *entry;
	struct op_entry *next;

	list_for_each_safe(entry, next, &lock->queue, queued) {
		if (entry->is_keeping && entry->op.act == ACT_READ_LOG) {
			entry->is_keeping = false;
			op_finish(entry, fault == NULL ? OP_DONE : OP_FAILED, fault);
		}
	}
}

void import_committed(struct lock *lock, int64_t cursor, const struct fault *fault) {
	lock->is_importing = false;
	tell_readers(lock, fault);
	if (fault == NULL) {
		lock->log_cursor = cursor;
		hub_lock_changed(lock, FACT_LOG);
	} else {
		lock->log_pending = lock->log_cursor; /* they will be read again */
	}
	if ((lock->due & CARE_LOG) != 0) {
		runner_kick_soon(lock);
	} else if (fault == NULL) {
		lock->is_first_import = false;
	} else {
		care_want(lock, CARE_LOG);
	}
}
