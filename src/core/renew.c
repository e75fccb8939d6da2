/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A lock that was reset, or has lost the hub's key in another way, is paired again as the lock that
 * it is: its id, name, users, codes, schedules, events and topics stay. While it is being paired
 * the lock has no link of its own; a provisional one (enrol.c) does the work, and what came of it
 * moves into the lock when the database has it, in one transaction with all that follows from it:
 *
 *	placements  nothing of the hub's is in the lock any more: each is wanted anew, without a
 *	            number: the lock counts from one again, and it may be somebody else's
 *	mirror      of its list: empty and of no time, so that it is read before anything is put
 *	log         the lock counts its entries anew too: its 1 comes behind our last one
 *	settings    as they were read last, to be put back by whoever guides the person
 *	timers      the same
 *
 * If it fails nothing has changed: the lock goes on with the key that it had.
 */

#include "private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/book.h"
#include "util/text.h"

#define BASE_PREFIX "logbase."

int renew_check(struct hub *hub, const struct pair_request *request,
	const struct sighting *sighting, struct lock **ret, struct fault *ret_fault) {
	struct lock *lock;
	int r = hub_get_lock(hub, request->replaces, &lock, ret_fault);

	if (r < 0) {
		return r;
	}
	if (lock->is_leaving) {
		return fault_set(ret_fault, FAULT_NO_SUCH_LOCK, "%s is being unpaired", lock->slug);
	}
	if (lock->renewal != NULL || lock_queue_length(lock) > 0) {
		return fault_set(ret_fault, FAULT_LOCK_BUSY, "%u operations of %s wait or run",
			lock_queue_length(lock), lock->slug);
	}
	if (sighting != NULL && sighting->driver != lock->driver) {
		return fault_set(ret_fault, FAULT_WRONG_LOCK, "%s is a lock of %s, not of %s",
			request->address, sighting->driver->brand, lock->driver->brand);
	}
	if (sighting != NULL && sighting->serial[0] != '\0' &&
		lock->status.versions.serial[0] != '\0' &&
		strcasecmp(sighting->serial, lock->status.versions.serial) != 0) {
		return fault_set(ret_fault, FAULT_WRONG_LOCK,
			"%s has the serial number %s, %s has %s", request->address,
			sighting->serial, lock->slug, lock->status.versions.serial);
	}
	*ret = lock;
	return 0;
}

void renew_begin(struct lock *lock, struct lock *provisional) {
	memcpy(provisional->id, lock->id, sizeof(provisional->id));
	memcpy(provisional->name, lock->name, sizeof(provisional->name));
	memcpy(provisional->slug, lock->slug, sizeof(provisional->slug));
	provisional->renewed = lock;
	lock->renewal = provisional;
	runner_forget(lock); /* one link to one lock */
	hub_lock_changed(lock, FACT_LINK);
}

void renew_failed(struct lock *provisional) {
	struct lock *lock = provisional->renewed;

	if (lock == NULL) {
		return;
	}
	lock->renewal = NULL;
	provisional->renewed = NULL;
	runner_forget(provisional);
	if (runner_make_link(lock) < 0) {
		struct fault fault;

		(void) fault_set(
			&fault, FAULT_NO_MEMORY, "its link could not be made; restart lockhubd");
		facts_raise(lock, &fault);
		return;
	}
	runner_kick_soon(lock);
}

/* ---- into the database ---- */

static bool add_placements(const struct lock *lock, struct txn *txn, wall_t now) {
	const struct book *book = lock->hub->book;
	const struct placement *placement;

	for (size_t i = 0; (placement = book_placement_at(book, i)) != NULL; i++) {
		struct txn_item *item;

		if (strcmp(placement->lock_id, lock->id) != 0) {
			continue;
		}
		item = txn_add(txn, TXN_PLACEMENT_PUT);
		if (item == NULL) {
			return false;
		}
		item->placement = *placement;
		item->placement.ref = 0;
		item->placement.n_tries = 0;
		item->placement.fault = FAULT_NONE;
		/* One that is leaving has left when the list says so (L4). */
		if (placement->state != PLACEMENT_LEAVING) {
			item->placement.state = PLACEMENT_WANTED;
			item->placement.since = now;
		}
	}
	return true;
}

static int64_t base_of(const struct lock *lock) {
	return lock->log_pending > lock->log_cursor ? lock->log_pending : lock->log_cursor;
}

/* "20?": not known yet whether it counts anew. */
static void fill_base(const struct lock *lock, struct txn_item *item, int64_t base, bool is_open) {
	(void) snprintf(item->setting.key, sizeof(item->setting.key), BASE_PREFIX "%s", lock->id);
	if (base != 0 || is_open) {
		(void) snprintf(item->setting.value, sizeof(item->setting.value), "%" PRId64 "%s",
			base, is_open ? "?" : "");
	}
}

void renew_log_begins(struct lock *lock, int64_t seq, struct txn *txn) {
	struct txn_item *item = txn_add(txn, TXN_SETTING);

	/* Above all that is known: it goes on where it was. */
	lock->log_base = seq > lock->log_base ? 0 : lock->log_base;
	lock->is_base_open = false;
	if (item != NULL) {
		fill_base(lock, item, lock->log_base, false);
	}
}

bool renew_keep(struct lock *provisional, struct txn *txn) {
	const struct lock *lock = provisional->renewed;
	struct txn_item *base = txn_add(txn, TXN_SETTING);
	struct txn_item *mirror = txn_add(txn, TXN_SLOTS_CLEAR);
	struct txn_item *item;

	if (base == NULL || mirror == NULL || !settings_keep_wanted(lock, txn) ||
		!timers_keep_wanted(lock, txn) ||
		!add_placements(lock, txn, provisional->paired_at)) {
		return false;
	}
	fill_base(lock, base, base_of(lock), true);
	memcpy(mirror->slots.lock_id, lock->id, sizeof(mirror->slots.lock_id));
	/* Last: when it is announced the placements are in the book already. */
	item = txn_add(txn, TXN_LOCK_PUT);
	if (item == NULL) {
		return false;
	}
	lock_to_record(lock, &item->lock);
	item->lock.keys = provisional->keys;
	item->lock.client_id = provisional->client_id;
	item->lock.is_random = provisional->is_random;
	item->lock.paired_at = provisional->paired_at;
	memcpy(item->lock.address, provisional->address, sizeof(item->lock.address));
	return true;
}

bool renew_load(struct hub *hub, const char *key, const char *value) {
	struct lock *lock;
	char digits[24];
	uint64_t base;
	size_t n = strspn(value, "0123456789");

	if (strncmp(key, BASE_PREFIX, strlen(BASE_PREFIX)) != 0) {
		return false;
	}
	lock = hub_lock_by_id(hub, key + strlen(BASE_PREFIX));
	if (lock == NULL || n >= sizeof(digits)) {
		return true;
	}
	memcpy(digits, value, n);
	digits[n] = '\0';
	if (text_to_u64(digits, 0, INT64_MAX / 2, &base) == 0) {
		lock->log_base = (int64_t) base;
		lock->is_base_open = value[n] == '?';
	}
	return true;
}

void renew_forget(const struct lock *lock, struct txn *txn) {
	struct txn_item *item = txn_add(txn, TXN_SETTING);

	if (item != NULL) {
		(void) snprintf(
			item->setting.key, sizeof(item->setting.key), BASE_PREFIX "%s", lock->id);
	}
}

/* ---- into the lock ---- */

/* What stood because the pairing was lost. */
static void clear_faults(struct lock *lock) {
	static const enum fault_code codes[] = { FAULT_NOT_AUTHORIZED, FAULT_BAD_PIN,
		FAULT_PIN_BLOCKED, FAULT_KEY_DISABLED, FAULT_WRONG_LOCK, FAULT_LOCK_SILENT,
		FAULT_PROTOCOL_ERROR };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		facts_clear(lock, codes[i]);
	}
	lock->is_mute = false;
	lock->n_failures = 0;
}

struct lock *renew_take(struct lock *provisional, struct op_entry *entry) {
	struct lock *lock = provisional->renewed;
	struct sync *sync = sync_new();

	runner_forget(provisional);
	lock->renewal = NULL;
	provisional->renewed = NULL;
	lock->keys = provisional->keys;
	lock->client_id = provisional->client_id;
	lock->is_random = provisional->is_random;
	lock->paired_at = provisional->paired_at;
	memcpy(lock->address, provisional->address, sizeof(lock->address));
	lock->log_base = base_of(lock);
	lock->log_pending = lock->log_base;
	lock->is_base_open = true;
	lock->is_first_import = true;
	lock->config_seen = -1;
	settings_renewed(lock);
	timers_renewed(lock);
	(void) book_put_slots(lock->hub->book, lock->id, NULL, 0, (wall_t){ 0 });
	if (sync != NULL) {
		lock->sync = (sync_free(lock->sync), sync);
	}
	list_remove(&entry->queued);
	entry->lock = lock;
	op_enqueue(entry);
	lock_free(provisional);
	hub_lock_changed(lock, lock_status_doubt_bolt(&lock->status));
	clear_faults(lock);
	return lock;
}
