/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A lock that is reset loses its timers, and nobody else has them. So the list as it was read last
 * stays in the database, and when the lock is paired again (renew.c) becomes what is to be put
 * back. Here nothing is put back: whoever guides the person asks for it, and a timer leaves the
 * list when the lock lists one like it.
 *
 *	timers.LOCK   as read last: a line each, "ID ENABLED DAYS MINUTE ACT"
 *	retimer.LOCK  to be put back, the same
 */

#include "private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/user.h"

#define KEPT_PREFIX "timers."
#define WANTED_PREFIX "retimer."
#define LINE_MAX_OCTETS 64
#define NO_ACT "other"

static uint8_t days_of(const struct lock_timer *timer) {
	return timer->days != 0 ? timer->days : DAYS_ALL;
}

bool timers_are_alike(const struct lock_timer *a, const struct lock_timer *b) {
	return a->is_enabled == b->is_enabled && days_of(a) == days_of(b) &&
	       a->minute == b->minute && a->act == b->act;
}

static bool has_alike(const struct lock_timer *rows, size_t n, const struct lock_timer *timer) {
	for (size_t i = 0; i < n; i++) {
		if (timers_are_alike(&rows[i], timer)) {
			return true;
		}
	}
	return false;
}

const struct lock_timer *lock_timers_wanted(const struct lock *lock, size_t *ret_n) {
	*ret_n = lock->n_timers_wanted;
	return lock->timers_wanted;
}

/* ---- on the disk ---- */

/* None: the row goes. false: no memory. */
static bool keep_as(const struct lock *lock, const char *prefix, const struct lock_timer *rows,
	size_t n, struct txn *txn) {
	const size_t size = n * LINE_MAX_OCTETS + 1;
	struct txn_item *item = txn_add(txn, TXN_SETTING);
	char *text = item != NULL ? calloc(1, size) : NULL;
	size_t used = 0;

	if (item == NULL || text == NULL) {
		return false;
	}
	(void) snprintf(item->setting.key, sizeof(item->setting.key), "%s%s", prefix, lock->id);
	for (size_t i = 0; i < n; i++) {
		used += (size_t) snprintf(text + used, size - used, "%" PRId64 " %d %u %d %s\n",
			rows[i].ref, rows[i].is_enabled, days_of(&rows[i]), rows[i].minute,
			rows[i].act != ACT_NONE ? act_name(rows[i].act) : NO_ACT);
	}
	item->setting.text = text;
	return true;
}

static bool load_line(const char *line, struct lock_timer *ret) {
	char act[24];
	int64_t ref;
	unsigned is_enabled;
	unsigned days;
	unsigned minute;

	if (sscanf(line, "%" SCNd64 " %1u %3u %4u %23s", &ref, &is_enabled, &days, &minute, act) !=
			5 ||
		days > DAYS_ALL || minute >= 24 * 60) {
		return false;
	}
	*ret = (struct lock_timer){ .ref = ref,
		.is_enabled = is_enabled != 0,
		.days = (uint8_t) days,
		.minute = (int16_t) minute };
	return strcmp(act, NO_ACT) == 0 || act_from_name(act, &ret->act) >= 0;
}

static bool add_row(struct lock_timer **rows, size_t *n, const struct lock_timer *timer) {
	struct lock_timer *more;

	if (*n == LOCK_TIMERS_MAX) {
		return true; /* as with what a lock lists */
	}
	more = reallocarray(*rows, *n + 1, sizeof(*more));
	if (more == NULL) {
		return false;
	}
	more[*n] = *timer;
	*rows = more;
	++*n;
	return true;
}

static bool copy_rows(
	const struct lock_timer *from, size_t n_from, struct lock_timer **ret, size_t *ret_n) {
	struct lock_timer *rows = NULL;
	size_t n = 0;

	for (size_t i = 0; i < n_from; i++) {
		if (!add_row(&rows, &n, &from[i])) {
			free(rows);
			return false;
		}
	}
	free(*ret);
	*ret = rows;
	*ret_n = n;
	return true;
}

static void load_rows(const char *text, struct lock_timer **rows, size_t *n) {
	while (*text != '\0') {
		const size_t length = strcspn(text, "\n");
		char line[LINE_MAX_OCTETS];
		struct lock_timer timer;

		if (length < sizeof(line)) {
			memcpy(line, text, length);
			line[length] = '\0';
			if (load_line(line, &timer)) { /* else another version's */
				(void) add_row(rows, n, &timer);
			}
		}
		text += length + (text[length] == '\n' ? 1 : 0);
	}
}

bool timers_load(struct hub *hub, const char *key, const char *value) {
	const bool is_wanted = strncmp(key, WANTED_PREFIX, strlen(WANTED_PREFIX)) == 0;
	struct lock *lock;

	if (!is_wanted && strncmp(key, KEPT_PREFIX, strlen(KEPT_PREFIX)) != 0) {
		return false;
	}
	lock = hub_lock_by_id(hub, key + (is_wanted ? strlen(WANTED_PREFIX) : strlen(KEPT_PREFIX)));
	if (lock != NULL && is_wanted) {
		load_rows(value, &lock->timers_wanted, &lock->n_timers_wanted);
	} else if (lock != NULL) {
		load_rows(value, &lock->timers_kept, &lock->n_timers_kept);
		/* Shown, as of an earlier life: timers_at stays 0. */
		(void) copy_rows(
			lock->timers_kept, lock->n_timers_kept, &lock->timers, &lock->n_timers);
	}
	return true;
}

void timers_forget(const struct lock *lock, struct txn *txn) {
	(void) keep_as(lock, KEPT_PREFIX, NULL, 0, txn);
	(void) keep_as(lock, WANTED_PREFIX, NULL, 0, txn);
}

void timers_drop_kept(struct lock *lock) {
	free(lock->timers_kept);
	free(lock->timers_wanted);
	lock->timers_kept = NULL;
	lock->timers_wanted = NULL;
	lock->n_timers_kept = 0;
	lock->n_timers_wanted = 0;
}

/* ---- a list was read ---- */

static bool is_kept_already(const struct lock *lock) {
	if (lock->n_timers != lock->n_timers_kept) {
		return false;
	}
	for (size_t i = 0; i < lock->n_timers; i++) {
		if (lock->timers[i].ref != lock->timers_kept[i].ref ||
			!timers_are_alike(&lock->timers[i], &lock->timers_kept[i])) {
			return false;
		}
	}
	return true;
}

/* What the lock has is no longer to be put back. */
static bool settle_wanted(struct lock *lock) {
	const size_t n_before = lock->n_timers_wanted;
	size_t n = 0;

	for (size_t i = 0; i < n_before; i++) {
		if (!has_alike(lock->timers, lock->n_timers, &lock->timers_wanted[i])) {
			lock->timers_wanted[n++] = lock->timers_wanted[i];
		}
	}
	lock->n_timers_wanted = n;
	return n != n_before;
}

void timers_keep(struct lock *lock) {
	const bool is_settled = settle_wanted(lock);
	struct txn *txn;

	if (lock->is_provisional || (!is_settled && is_kept_already(lock))) {
		return;
	}
	if (!copy_rows(lock->timers, lock->n_timers, &lock->timers_kept, &lock->n_timers_kept)) {
		return; /* the next list is kept */
	}
	txn = hub_txn_new(lock->hub);
	if (txn == NULL) {
		return;
	}
	(void) keep_as(lock, KEPT_PREFIX, lock->timers_kept, lock->n_timers_kept, txn);
	if (is_settled) {
		(void) keep_as(
			lock, WANTED_PREFIX, lock->timers_wanted, lock->n_timers_wanted, txn);
	}
	hub_commit(lock->hub, txn);
}

/* ---- it is paired again ---- */

/* What waits to be put back still, and what was read and is not among it. */
static bool gather(const struct lock *lock, struct lock_timer **ret, size_t *ret_n) {
	bool is_whole = copy_rows(lock->timers_wanted, lock->n_timers_wanted, ret, ret_n);

	for (size_t i = 0; is_whole && i < lock->n_timers_kept; i++) {
		if (!has_alike(*ret, *ret_n, &lock->timers_kept[i])) {
			is_whole = add_row(ret, ret_n, &lock->timers_kept[i]);
		}
	}
	return is_whole;
}

bool timers_keep_wanted(const struct lock *lock, struct txn *txn) {
	struct lock_timer *wanted = NULL;
	size_t n = 0;
	bool is_kept = gather(lock, &wanted, &n) && keep_as(lock, KEPT_PREFIX, NULL, 0, txn) &&
		       keep_as(lock, WANTED_PREFIX, wanted, n, txn);

	free(wanted);
	return is_kept;
}

void timers_renewed(struct lock *lock) {
	struct lock_timer *wanted = NULL;
	size_t n = 0;

	(void) gather(lock, &wanted, &n);
	timers_free(lock);
	timers_drop_kept(lock);
	lock->timers_wanted = wanted;
	lock->n_timers_wanted = n;
	hub_lock_changed(lock, FACT_TIMERS);
}

void timers_accept(struct lock *lock) {
	struct txn *txn;

	if (lock->n_timers_wanted == 0) {
		return;
	}
	free(lock->timers_wanted);
	lock->timers_wanted = NULL;
	lock->n_timers_wanted = 0;
	txn = hub_txn_new(lock->hub);
	if (txn != NULL) {
		(void) keep_as(lock, WANTED_PREFIX, NULL, 0, txn);
		hub_commit(lock->hub, txn);
	}
	hub_lock_changed(lock, FACT_TIMERS);
}
