/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What use and time do to the book without anybody asking: codes for once that are spent, users who
 * expire, codes that end, rows that may go at last.
 */

#include "change.h"

#include <errno.h>
#include <string.h>

#include "util/text.h"

/* A wall clock that jumps is noticed after so long at the latest, when something waits for it. */
#define LOOK_MS (15 * 60 * 1000)
/* And what the disk would not take is tried again. */
#define REST_MS (60 * 1000)

/* ---- what use does ---- */

/* The ledger has the transaction, but keeps it whole until it answers. */
const struct user *people_newest_user(const struct hub *hub, const char *id) {
	const struct user *newest = book_user(hub->book, id);
	const struct txn_item *item;

	if (hub->people.running != NULL) {
		list_for_each(item, &hub->people.running->txn->items, link) {
			if (item->kind == TXN_USER_PUT && strcmp(item->user.id, id) == 0) {
				newest = &item->user;
			}
		}
	}
	return newest;
}

static const struct credential *newest_credential(const struct hub *hub, const char *id) {
	const struct credential *newest = book_credential(hub->book, id);
	const struct txn_item *item;

	if (hub->people.running != NULL) {
		list_for_each(item, &hub->people.running->txn->items, link) {
			if (item->kind == TXN_CREDENTIAL_PUT &&
				strcmp(item->credential.id, id) == 0) {
				newest = &item->credential;
			}
		}
	}
	return newest;
}

/* The same user may have come in twice in one log: the later row knows of the earlier. */
static const struct user *user_in(const struct hub *hub, const struct txn *txn, const char *id) {
	const struct user *newest = people_newest_user(hub, id);
	const struct txn_item *item;

	list_for_each(item, &txn->items, link) {
		if (item->kind == TXN_USER_PUT && strcmp(item->user.id, id) == 0) {
			newest = &item->user;
		}
	}
	return newest;
}

static bool is_revoked_in(const struct txn *txn, const char *id) {
	const struct txn_item *item;

	list_for_each(item, &txn->items, link) {
		if (item->kind == TXN_CREDENTIAL_PUT && strcmp(item->credential.id, id) == 0 &&
			item->credential.state == CREDENTIAL_REVOKED) {
			return true;
		}
	}
	return false;
}

/* A lock's clock may be anything: only a time that can be true counts. */
static wall_t time_of_use(const struct lock *lock, const struct user *user, wall_t at) {
	wall_t now = clock_wall(lock->hub->config.clock);

	return at.s > 0 && at.s <= now.s && at.s >= user->created_at.s ? at : now;
}

static void tell_use(struct lock *lock, struct txn *txn, enum lock_data_type data,
	enum data_operation operation, const struct user *user, const char *text) {
	struct event *event = txn_add_event(txn, lock->hub, lock, EVENT_LOCK_USER_CHANGE);

	if (event != NULL) {
		change_fill_event(event, data, operation, user);
		(void) text_copy(event->text, sizeof(event->text), text);
	}
}

static void alarm_forced(
	struct lock *lock, struct txn *txn, const struct user *user, enum attribution attribution) {
	struct event *event = txn_add_event(txn, lock->hub, lock, EVENT_ALARM);

	if (event != NULL) {
		event->alarm = ALARM_FORCED_USER;
		event->operation = OPERATION_FORCED_USER_EVENT;
		event->attribution = attribution;
		(void) text_copy(event->user, sizeof(event->user), user->name);
		(void) text_copy(event->user_id, sizeof(event->user_id), user->id);
	}
}

void people_user_used(struct lock *lock, const char *user_id, wall_t at, struct txn *txn,
	enum attribution attribution) {
	const struct user *user = user_in(lock->hub, txn, user_id);
	bool is_first;
	bool is_spent;
	struct txn_item *item;

	if (user == NULL) {
		return;
	}
	/* By a second factor it was told when that was given (factor.c). */
	if (user->type == USER_FORCED && attribution != ATTRIBUTION_FACTOR) {
		alarm_forced(lock, txn, user, attribution);
	}
	is_first = user->first_used_at.s == 0;
	is_spent = user->type == USER_DISPOSABLE && user->status == USER_STATUS_OCCUPIED_ENABLED;
	if (!is_first && !is_spent) {
		return;
	}
	item = txn_add(txn, TXN_USER_PUT);
	if (item == NULL) {
		return;
	}
	item->user = *user;
	if (is_first) {
		item->user.first_used_at = time_of_use(lock, user, at);
	}
	if (is_spent) {
		item->user.status = USER_STATUS_OCCUPIED_DISABLED;
		tell_use(lock, txn, LOCK_DATA_USER_INDEX, DATA_MODIFY, &item->user,
			"by hub: disabled after its one use");
	}
}

void people_used(
	struct lock *lock, const struct credential *credential, wall_t at, struct txn *txn) {
	const struct credential *newest = newest_credential(lock->hub, credential->id);
	struct txn_item *item;

	people_user_used(lock, credential->user_id, at, txn, ATTRIBUTION_CREDENTIAL);
	if (newest == NULL || !newest->is_once || newest->state != CREDENTIAL_ACTIVE ||
		is_revoked_in(txn, newest->id)) {
		return;
	}
	item = txn_add(txn, TXN_CREDENTIAL_PUT);
	if (item != NULL) {
		item->credential = *newest;
		item->credential.state = CREDENTIAL_REVOKED;
		tell_use(lock, txn, LOCK_DATA_PIN, DATA_CLEAR,
			user_in(lock->hub, txn, newest->user_id),
			"by hub: a code for one use was used");
	}
}

/* ---- what time does ---- */

/* The user's clock runs from the first use on, and no step of the wall clock turns it back. */
static void watch_expiring(struct hub *hub, const struct user *user) {
	struct people *people = &hub->people;
	int64_t all_s = user->expiring_minutes * 60LL;
	int64_t left_s = all_s - (clock_wall(hub->config.clock).s - user->first_used_at.s);
	bool is_running = user->type == USER_EXPIRING && user->first_used_at.s != 0 &&
			  user->status == USER_STATUS_OCCUPIED_ENABLED;
	size_t i = 0;
	mono_t until;

	while (i < people->n_expiring && strcmp(people->expiring[i].user_id, user->id) != 0) {
		i++;
	}
	if (!is_running) {
		if (i < people->n_expiring) {
			people->expiring[i] = people->expiring[--people->n_expiring];
		}
		return;
	}
	left_s = left_s < 0 ? 0 : left_s > all_s ? all_s : left_s;
	until = mono_after(hub_now(hub), left_s * 1000);
	if (i == people->n_expiring) {
		memcpy(people->expiring[i].user_id, user->id, sizeof(user->id));
		people->expiring[people->n_expiring++].until = until;
	} else {
		people->expiring[i].until = mono_min(people->expiring[i].until, until);
	}
}

static bool is_ending(const struct credential *credential) {
	return credential->valid_until.s != 0 && !credential->is_expired &&
	       credential->state == CREDENTIAL_ACTIVE;
}

/* What the rows of the book wait for. */
void people_watch(struct hub *hub) {
	struct people *people = &hub->people;
	const struct credential *credential;

	for (size_t i = people->n_expiring; i > 0; i--) {
		if (book_user(hub->book, people->expiring[i - 1].user_id) == NULL) {
			people->expiring[i - 1] = people->expiring[--people->n_expiring];
		}
	}
	for (size_t i = 0; i < book_user_count(hub->book); i++) {
		watch_expiring(hub, book_user_at(hub->book, i));
	}
	people->next_until = (wall_t){ INT64_MAX };
	for (size_t i = 0; (credential = book_credential_at(hub->book, i)) != NULL; i++) {
		if (is_ending(credential) && credential->valid_until.s < people->next_until.s) {
			people->next_until = credential->valid_until;
		}
	}
	people->next_look = people->n_expiring > 0 || people->next_until.s != INT64_MAX
				    ? mono_after(hub_now(hub), LOOK_MS)
				    : MONO_NEVER;
}

void people_start(struct hub *hub) {
	people_watch(hub);
}

void people_credential_gone(struct hub *hub, const char *credential_id) {
	(void) credential_id; /* what is gone is seen by the sweep, which waits for the disk */
	hub->people.is_sweep_wanted = true;
}

static bool is_placed(const struct book *book, const char *credential_id) {
	const struct placement *placement;

	for (size_t i = 0; (placement = book_placement_at(book, i)) != NULL; i++) {
		if (strcmp(placement->credential_id, credential_id) == 0) {
			return true;
		}
	}
	return false;
}

/*
 * Revoked credentials that no lock holds any more, then users on their way out without any. It runs
 * while nothing is with the ledger: a placement on its way to the disk cannot be overlooked.
 */
static int run_sweep(struct change *change, struct fault *ret_fault) {
	const struct book *book = change->hub->book;
	const struct credential *credential;
	const struct user *user;
	bool has_more[USERS_MAX] = { false };
	int r = 0;

	for (size_t i = 0; r >= 0 && (credential = book_credential_at(book, i)) != NULL; i++) {
		if (credential->state == CREDENTIAL_REVOKED && !is_placed(book, credential->id)) {
			r = change_remove_row(
				change, TXN_CREDENTIAL_REMOVE, credential->id, ret_fault);
			continue;
		}
		user = book_user(book, credential->user_id);
		if (user != NULL && user->number <= USERS_MAX) {
			has_more[user->number - 1] = true;
		}
	}
	for (size_t i = 0; r >= 0 && (user = book_user_at(book, i)) != NULL; i++) {
		if (user->status == USER_STATUS_LEAVING && !has_more[user->number - 1]) {
			r = change_remove_row(change, TXN_USER_REMOVE, user->id, ret_fault);
		}
	}
	return r;
}

static mono_t expiring_until(const struct hub *hub, const char *user_id) {
	for (size_t i = 0; i < hub->people.n_expiring; i++) {
		if (strcmp(hub->people.expiring[i].user_id, user_id) == 0) {
			return hub->people.expiring[i].until;
		}
	}
	return MONO_NEVER;
}

static bool is_over(const struct hub *hub, const struct user *user) {
	const struct clock *clock = hub->config.clock;

	return user->type == USER_EXPIRING && user->first_used_at.s != 0 &&
	       user->status == USER_STATUS_OCCUPIED_ENABLED &&
	       (mono_is_due(expiring_until(hub, user->id), hub_now(hub)) ||
		       (clock_is_trusted(clock) && clock_wall(clock).s - user->first_used_at.s >=
							   user->expiring_minutes * 60LL));
}

static int run_expiry(struct change *change, struct fault *ret_fault) {
	const struct clock *clock = change->hub->config.clock;
	const struct book *book = change->hub->book;
	const struct credential *credential;
	const struct user *user;
	int r = 0;

	for (size_t i = 0; r >= 0 && (user = book_user_at(book, i)) != NULL; i++) {
		struct user row = *user;

		if (is_over(change->hub, user)) {
			row.status = USER_STATUS_OCCUPIED_DISABLED;
			r = change_put_user(change, &row, ret_fault);
			if (r >= 0) {
				r = change_tell(change, LOCK_DATA_USER_INDEX, DATA_MODIFY, &row,
					NULL, ret_fault, "disabled %u minutes after its first use",
					row.expiring_minutes);
			}
		}
		wipe(&row, sizeof(row));
	}
	for (size_t i = 0; r >= 0 && (credential = book_credential_at(book, i)) != NULL; i++) {
		struct credential row = *credential;

		if (is_ending(credential) && clock_is_trusted(clock) &&
			clock_wall(clock).s >= credential->valid_until.s) {
			row.is_expired = true;
			r = change_put_credential(change, &row, ret_fault);
			if (r >= 0) {
				r = change_tell(change, LOCK_DATA_PIN, DATA_MODIFY,
					book_user(book, row.user_id),
					hub_lock_by_id(change->hub, row.lock_id), ret_fault,
					"code %s has expired", row.id);
			}
		}
		wipe(&row, sizeof(row));
	}
	return r;
}

/* A disk that is full must not keep the loop busy. */
static void own_done(void *user, const struct fault *fault) {
	struct hub *hub = user;

	if (fault != NULL) {
		hub->people.rest_until = mono_after(hub_now(hub), REST_MS);
		hub->people.is_sweep_wanted = true;
	}
}

static void submit_own(struct hub *hub, int (*run)(struct change *, struct fault *)) {
	struct people_by by = { .actor = "hub", .role = ROLE_MANAGE };
	struct fault fault = { .code = FAULT_NONE };
	struct change *change = change_new(hub, run, &by, own_done, hub, &fault);
	int r = change != NULL ? change_start(change, &fault) : -ENOMEM;

	if (r != 0) {
		change_free(change);
		own_done(hub, r < 0 ? &fault : NULL);
	}
}

static bool is_expiry_due(const struct hub *hub) {
	const struct user *user;

	if (clock_is_trusted(hub->config.clock) &&
		clock_wall(hub->config.clock).s >= hub->people.next_until.s) {
		return true;
	}
	for (size_t i = 0; i < hub->people.n_expiring; i++) {
		user = book_user(hub->book, hub->people.expiring[i].user_id);
		if (user != NULL && is_over(hub, user)) {
			return true;
		}
	}
	return false;
}

void people_run_due(struct hub *hub, mono_t now) {
	people_run_waiting(hub);
	if (!hub->is_started || hub->is_stopping || !people_is_quiet(hub) ||
		!mono_is_due(hub->people.rest_until, now)) {
		return;
	}
	if (mono_is_due(hub->people.next_look, now)) {
		hub->people.next_look = mono_after(now, LOOK_MS);
	}
	if (is_expiry_due(hub)) {
		submit_own(hub, run_expiry);
	} else if (hub->people.is_sweep_wanted) {
		hub->people.is_sweep_wanted = false;
		submit_own(hub, run_sweep);
	}
}

/* While the ledger has something, its answer wakes the loop. */
mono_t people_next_due(const struct hub *hub) {
	const struct people *people = &hub->people;
	const struct clock *clock = hub->config.clock;
	mono_t due = people->next_look;

	if (hub->n_commits > 0 || people->running != NULL) {
		return MONO_NEVER;
	}
	if (!list_is_empty(&people->waiting)) {
		return people_is_quiet(hub) ? hub_now(hub) : MONO_NEVER;
	}
	if (!hub->is_started || hub->is_stopping) {
		return MONO_NEVER;
	}
	if (people->is_sweep_wanted) {
		due = hub_now(hub);
	}
	for (size_t i = 0; i < people->n_expiring; i++) {
		due = mono_min(due, people->expiring[i].until);
	}
	if (people->next_until.s != INT64_MAX && clock_is_trusted(clock)) {
		int64_t left_s = people->next_until.s - clock_wall(clock).s;

		left_s = left_s < 0 ? 0 : left_s > LOOK_MS / 1000 ? LOOK_MS / 1000 : left_s;
		due = mono_min(due, mono_after(hub_now(hub), left_s * 1000));
	}
	if (!people_is_quiet(hub)) {
		return MONO_NEVER; /* a log is being read: its end is a transaction */
	}
	return due.ms < people->rest_until.ms ? people->rest_until : due;
}
