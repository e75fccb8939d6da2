/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How the book changes: one change at a time, each checked against rows that are on the disk,
 * committed with its event, then put into the book and told. And what time and use do to it without
 * anybody asking: codes that end, users who expire, rows that may go at last.
 */

#include "change.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "util/bytes.h"
#include "util/text.h"

/* A wall clock that jumps is noticed after so long at the latest, when something waits for it. */
#define LOOK_MS (15 * 60 * 1000)
/* And what the disk would not take is tried again. */
#define REST_MS (60 * 1000)

const struct book *hub_book(const struct hub *hub) {
	return hub->book;
}

struct book *hub_load_book(struct hub *hub) {
	return hub->book;
}

static int utc_offset(const struct zone *zone, wall_t at) {
	(void) zone;
	(void) at;
	return 0;
}

const struct zone *hub_lock_zone(const struct hub *hub, const char *lock_id) {
	static const struct zone utc = { .name = "UTC", .offset = utc_offset };
	struct zone_source *zones = hub->config.zones;
	const struct zone *zone = NULL;

	if (zones == NULL) {
		return &utc;
	}
	zone = zones->get(zones, book_rules(hub->book, lock_id)->zone);
	if (zone == NULL) {
		zone = zones->get(zones, "");
	}
	return zone != NULL ? zone : &utc;
}

/* ---- changes ---- */

struct change *change_new(struct hub *hub, int (*run)(struct change *, struct fault *),
	const struct people_by *by, people_done_fn *done, void *user, struct fault *ret_fault) {
	struct change *change;

	if (by->role < ROLE_MANAGE) {
		(void) fault_set(ret_fault, FAULT_DENIED,
			"users and codes need the role %s, %.60s has %s", role_name(ROLE_MANAGE),
			by->actor, role_name(by->role));
		return NULL;
	}
	change = calloc(1, sizeof(*change));
	if (change == NULL) {
		(void) fault_set(ret_fault, FAULT_NO_MEMORY, "changing users and codes");
		return NULL;
	}
	list_init(&change->link);
	change->hub = hub;
	change->run = run;
	change->done = done;
	change->user = user;
	(void) text_copy(change->actor, sizeof(change->actor), by->actor);
	return change;
}

struct change *change_free(struct change *change) {
	if (change != NULL) {
		list_remove(&change->link);
		wipe(change, sizeof(*change));
		free(change);
	}
	return NULL;
}

int change_drop(struct change *take_change, int r) {
	change_free(take_change);
	return r;
}

int change_set_text(
	char *out, size_t size, const char *text, const char *what, struct fault *ret_fault) {
	if (!text_copy(out, size, text) || !text_is_clean(text, strlen(text))) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"%s is printable text in UTF-8 of at most %zu octets", what, size - 1);
	}
	return 0;
}

static bool is_id_used(const struct book *book, const char *id) {
	const struct holiday *holiday;

	for (size_t i = 0; (holiday = book_holiday_at(book, i)) != NULL; i++) {
		if (strcmp(holiday->id, id) == 0) {
			return true;
		}
	}
	return book_user(book, id) != NULL || book_credential(book, id) != NULL ||
	       book_schedule(book, id) != NULL;
}

void change_make_id(const struct hub *hub, char out[static ROW_ID_MAX]) {
	uint8_t bytes[(ROW_ID_MAX - 1) / 2];

	do {
		crypto_random(bytes, sizeof(bytes));
		hex_encode(bytes, sizeof(bytes), out);
	} while (is_id_used(hub->book, out));
}

struct txn_item *change_add(struct change *change, enum txn_kind kind, struct fault *ret_fault) {
	struct txn_item *item = txn_add(change->txn, kind);

	if (item == NULL) {
		(void) fault_set(ret_fault, FAULT_NO_MEMORY, "changing users and codes");
	}
	return item;
}

int change_put_user(struct change *change, const struct user *user, struct fault *ret_fault) {
	struct txn_item *item = change_add(change, TXN_USER_PUT, ret_fault);

	if (item == NULL) {
		return -ENOMEM;
	}
	item->user = *user;
	(void) text_copy(item->user.modified_by, sizeof(item->user.modified_by), change->actor);
	return 0;
}

int change_put_credential(
	struct change *change, const struct credential *credential, struct fault *ret_fault) {
	struct txn_item *item = change_add(change, TXN_CREDENTIAL_PUT, ret_fault);

	if (item == NULL) {
		return -ENOMEM;
	}
	item->credential = *credential;
	return 0;
}

int change_remove_row(
	struct change *change, enum txn_kind kind, const char *id, struct fault *ret_fault) {
	struct txn_item *item = change_add(change, kind, ret_fault);

	if (item == NULL) {
		return -ENOMEM;
	}
	(void) text_copy(item->row, sizeof(item->row), id);
	return 0;
}

static void fill_change_event(struct event *event, enum lock_data_type data,
	enum data_operation operation, const struct user *user) {
	event->data = data;
	event->data_operation = operation;
	event->source = SOURCE_UNSPECIFIED;
	if (user != NULL) {
		(void) text_copy(event->user, sizeof(event->user), user->name);
		(void) text_copy(event->user_id, sizeof(event->user_id), user->id);
		event->number = user->number;
	}
}

int change_tell(struct change *change, enum lock_data_type data, enum data_operation operation,
	const struct user *user, const struct lock *lock, struct fault *ret_fault,
	const char *format, ...) {
	struct event *event = txn_add_event(change->txn, change->hub, lock, EVENT_LOCK_USER_CHANGE);
	char text[EVENT_TEXT_MAX];
	va_list args;

	if (event == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "changing users and codes");
	}
	fill_change_event(event, data, operation, user);
	va_start(args, format);
	(void) vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_sanitize(text);
	/* Who did it goes first: a long detail may cut the end, never that. */
	(void) snprintf(event->text, sizeof(event->text), "by %s: ", change->actor);
	(void) text_copy(
		event->text + strlen(event->text), sizeof(event->text) - strlen(event->text), text);
	return 0;
}

int change_find_user(
	struct change *change, const char *word, struct user *ret, struct fault *ret_fault) {
	const struct user *user = book_find_user(change->hub->book, word);
	const char *slugs[USERS_MAX];
	const char *nearest;
	size_t n = book_user_count(change->hub->book);

	if (user == NULL) {
		for (size_t i = 0; i < n; i++) {
			slugs[i] = book_user_at(change->hub->book, i)->slug;
		}
		nearest = text_nearest(word, slugs, n);
		return fault_set(ret_fault, FAULT_NO_SUCH_USER, "%.60s%s%s%s", word,
			nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
			nearest != NULL ? "?" : "");
	}
	if (user->status == USER_STATUS_LEAVING) {
		return fault_set(ret_fault, FAULT_NO_SUCH_USER,
			"%s was removed; a lock has yet to confirm that the codes are gone",
			user->name);
	}
	*ret = *user;
	return 0;
}

int change_find_credential(struct change *change, const char *id, const struct credential **ret,
	struct fault *ret_fault) {
	*ret = book_credential(change->hub->book, id);
	if (*ret == NULL) {
		return fault_set(ret_fault, FAULT_NO_SUCH_CODE, "%.60s", id);
	}
	if ((*ret)->state == CREDENTIAL_REVOKED) {
		return fault_set(ret_fault, FAULT_NO_SUCH_CODE,
			"%.60s was revoked; a lock has yet to confirm that it is gone", id);
	}
	return 0;
}

/* ---- the queue ---- */

/* Whether a lock's log, being read, has changed rows that are not with the ledger yet. */
static bool has_rows(const struct txn *txn) {
	const struct txn_item *item;

	if (txn == NULL) {
		return false;
	}
	list_for_each(item, &txn->items, link) {
		if (item->kind == TXN_USER_PUT || item->kind == TXN_CREDENTIAL_PUT) {
			return true;
		}
	}
	return false;
}

static bool is_quiet(const struct hub *hub) {
	if (hub->people.running != NULL || hub->n_commits > 0) {
		return false;
	}
	for (size_t i = 0; i < hub->n_locks; i++) {
		if (has_rows(hub->locks[i]->import)) {
			return false;
		}
	}
	return true;
}

static void finish(struct change *change, const struct fault *fault) {
	people_done_fn *done = change->done;
	void *user = change->user;

	change_free(change);
	if (done != NULL) {
		done(user, fault);
	}
}

static void change_done(void *user, struct txn *txn, const struct fault *fault) {
	struct change *change = user;
	struct hub *hub = change->hub;

	assert(hub->people.running == change);
	hub->people.running = NULL;
	hub_txn_done(hub, txn, fault);
	finish(change, fault);
}

/* 0: with the ledger; 1: nothing to do; or a fault. In the last two cases it is still there. */
static int start(struct change *change, struct fault *ret_fault) {
	struct hub *hub = change->hub;
	int r;

	change->txn = txn_new(change_done, change);
	if (change->txn == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "changing users and codes");
	}
	r = change->run(change, ret_fault);
	if (r < 0 || list_is_empty(&change->txn->items)) {
		change->txn = txn_free(change->txn);
		return r < 0 ? r : 1;
	}
	hub->people.running = change;
	hub_commit(hub, change->txn); /* the ledger's now, and only to be looked at */
	return 0;
}

int change_submit(struct change *take_change, struct fault *ret_fault) {
	struct hub *hub = take_change->hub;
	const struct change *other;
	size_t n = 0;
	int r;

	if (hub->is_stopping) {
		change_free(take_change);
		return fault_set(ret_fault, FAULT_CANCELLED, "lockhub is stopping");
	}
	if (is_quiet(hub) && list_is_empty(&hub->people.waiting)) {
		r = start(take_change, ret_fault);
		assert(r <= 0); /* what people ask for leaves an event at least */
		if (r < 0) {
			change_free(take_change);
		}
		return r;
	}
	list_for_each(other, &hub->people.waiting, link) {
		n++;
	}
	if (n >= CHANGES_MAX) {
		change_free(take_change);
		return fault_set(ret_fault, FAULT_QUEUE_FULL,
			"%zu changes of users and codes are waiting for the disk", n);
	}
	list_append(&hub->people.waiting, &take_change->link);
	return 0;
}

static void run_waiting(struct hub *hub) {
	struct fault fault;

	while (!list_is_empty(&hub->people.waiting) && is_quiet(hub)) {
		struct change *change = list_first(&hub->people.waiting, struct change, link);
		int r;

		list_remove(&change->link);
		r = start(change, &fault);
		if (r != 0) {
			finish(change, r < 0 ? &fault : NULL);
		}
	}
}

void people_stop(struct hub *hub) {
	struct change *change;
	struct fault fault;

	(void) fault_set(&fault, FAULT_CANCELLED, "lockhub is stopping");
	while ((change = list_first(&hub->people.waiting, struct change, link)) != NULL) {
		finish(change, &fault);
	}
}

int people_init(struct hub *hub) {
	list_init(&hub->people.waiting);
	hub->people.next_until = (wall_t){ INT64_MAX };
	hub->people.next_look = MONO_NEVER;
	hub->people.is_sweep_wanted = true; /* the former life may not have come to it */
	hub->book = book_new();
	return hub->book != NULL ? 0 : -ENOMEM;
}

void people_finish(struct hub *hub) {
	struct change *change;
	struct change *next;

	/* What is with the ledger is not called back any more when the hub goes. */
	if (hub->book != NULL) {
		list_for_each_safe(change, next, &hub->people.waiting, link) {
			change_free(change);
		}
		hub->people.running = change_free(hub->people.running);
	}
	hub->book = book_free(hub->book);
}

/* ---- committed ---- */

/* A one-time password that was used meanwhile stays used. */
static void keep_step(const struct hub *hub, struct user *row) {
	const struct user *old = book_user(hub->book, row->id);

	if (old != NULL && secret_equal(&old->totp, &row->totp) &&
		old->totp_step > row->totp_step) {
		row->totp_step = old->totp_step;
	}
}

void people_keep_steps(const struct hub *hub, struct txn *txn) {
	struct txn_item *item;

	list_for_each(item, &txn->items, link) {
		if (item->kind == TXN_USER_PUT) {
			keep_step(hub, &item->user);
		}
	}
}

static void apply_user(struct hub *hub, const struct user *row) {
	struct user user = *row;

	keep_step(hub, &user);
	(void) book_put_user(hub->book, &user);
	wipe(&user, sizeof(user));
}

static void apply_item(struct hub *hub, const struct txn_item *item) {
	switch (item->kind) {
	case TXN_USER_PUT:
		apply_user(hub, &item->user);
		break;
	case TXN_USER_REMOVE:
		book_remove_user(hub->book, item->row);
		break;
	case TXN_CREDENTIAL_PUT:
		(void) book_put_credential(hub->book, &item->credential);
		break;
	case TXN_CREDENTIAL_REMOVE:
		book_remove_credential(hub->book, item->row);
		break;
	case TXN_ACCESS_PUT:
		(void) book_put_access(hub->book, &item->access);
		break;
	case TXN_ACCESS_REMOVE:
		book_remove_access(hub->book, item->access.user_id, item->access.lock_id);
		break;
	case TXN_SCHEDULE_PUT:
		(void) book_put_schedule(hub->book, &item->schedule);
		break;
	case TXN_SCHEDULE_REMOVE:
		book_remove_schedule(hub->book, item->row);
		break;
	case TXN_HOLIDAY_PUT:
		(void) book_put_holiday(hub->book, &item->holiday);
		break;
	case TXN_HOLIDAY_REMOVE:
		book_remove_holiday(hub->book, item->row);
		break;
	case TXN_RULES_PUT:
		(void) book_put_rules(hub->book, item->rules.lock_id, &item->rules.rules);
		break;
	case TXN_LOCK_REMOVE:
		book_remove_lock(hub->book, item->lock.id);
		break;
	case TXN_LOCK_PUT:
	case TXN_LOCK_KEYS:
	case TXN_LOCK_FACTS:
	case TXN_CURSOR:
	case TXN_INTENT:
	case TXN_OUTCOME:
	case TXN_EVENT:
	case TXN_SETTING:
	case TXN_PLACEMENT_PUT:
	case TXN_PLACEMENT_REMOVE:
	case TXN_SLOTS_CLEAR:
	case TXN_SLOT_PUT:
		break; /* not ours, or of sync.c */
	}
}

void people_apply(struct hub *hub, const struct txn *txn) {
	const struct txn_item *item;

	list_for_each(item, &txn->items, link) {
		apply_item(hub, item);
	}
}

/* Whom and which lock a row is about; false: it is no row of the book. "" all, or not known. */
static bool concerns(
	const struct txn_item *item, const char **ret_user_id, const char **ret_lock_id) {
	*ret_user_id = "";
	*ret_lock_id = "";
	switch (item->kind) {
	case TXN_USER_PUT:
		*ret_user_id = item->user.id;
		return true;
	case TXN_USER_REMOVE:
		*ret_user_id = item->row;
		return true;
	case TXN_CREDENTIAL_PUT:
		*ret_user_id = item->credential.user_id;
		*ret_lock_id = item->credential.lock_id;
		return true;
	case TXN_ACCESS_PUT:
	case TXN_ACCESS_REMOVE:
		*ret_user_id = item->access.user_id;
		*ret_lock_id = item->access.lock_id;
		return true;
	case TXN_SCHEDULE_PUT:
		*ret_user_id = item->schedule.user_id;
		*ret_lock_id = item->schedule.lock_id;
		return true;
	case TXN_HOLIDAY_PUT:
		*ret_lock_id = item->holiday.lock_id;
		return true;
	case TXN_RULES_PUT:
		*ret_lock_id = item->rules.lock_id;
		return true;
	case TXN_CREDENTIAL_REMOVE:
	case TXN_SCHEDULE_REMOVE:
	case TXN_HOLIDAY_REMOVE:
	case TXN_LOCK_REMOVE:
		return true;
	case TXN_LOCK_PUT:
	case TXN_LOCK_KEYS:
	case TXN_LOCK_FACTS:
	case TXN_CURSOR:
	case TXN_INTENT:
	case TXN_OUTCOME:
	case TXN_EVENT:
	case TXN_SETTING:
	case TXN_PLACEMENT_PUT:
	case TXN_PLACEMENT_REMOVE:
	case TXN_SLOTS_CLEAR:
	case TXN_SLOT_PUT:
		break;
	}
	return false;
}

static bool is_added(const struct txn *txn, const char *user_id) {
	const struct txn_item *item;

	list_for_each(item, &txn->items, link) {
		if (item->kind == TXN_EVENT && item->event.data == LOCK_DATA_USER_INDEX &&
			item->event.kind == EVENT_LOCK_USER_CHANGE &&
			item->event.data_operation == DATA_ADD &&
			strcmp(item->event.user_id, user_id) == 0) {
			return true;
		}
	}
	return false;
}

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
static void watch(struct hub *hub) {
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
	watch(hub);
}

static void tell_sync(struct hub *hub, const struct txn *txn) {
	const struct txn_item *item;
	const char *user_id;
	const char *lock_id;

	list_for_each(item, &txn->items, link) {
		if (concerns(item, &user_id, &lock_id) && lock_id[0] == '\0') {
			sync_book_changed(hub, NULL);
			return;
		}
	}
	for (size_t i = 0; i < hub->n_locks; i++) {
		struct lock *lock = hub->locks[i];

		list_for_each(item, &txn->items, link) {
			if (concerns(item, &user_id, &lock_id) && strcmp(lock_id, lock->id) == 0) {
				sync_book_changed(hub, lock);
				break;
			}
		}
	}
}

void people_tell(struct hub *hub, const struct txn *txn) {
	struct book_change last = { .user_id = NULL };
	const struct txn_item *item;
	struct book_change change;

	list_for_each(item, &txn->items, link) {
		change = (struct book_change){ .is_user_removed = item->kind == TXN_USER_REMOVE };
		if (!concerns(item, &change.user_id, &change.lock_id)) {
			continue;
		}
		if (last.user_id == NULL) {
			hub->people.is_sweep_wanted = true;
			watch(hub);
			tell_sync(hub, txn);
		}
		change.is_user_added = item->kind == TXN_USER_PUT && is_added(txn, change.user_id);
		if (last.user_id == NULL || change.is_user_removed || change.is_user_added ||
			strcmp(last.user_id, change.user_id) != 0 ||
			strcmp(last.lock_id, change.lock_id) != 0) {
			signal_emit(&hub->signals.book_changed, &change);
		}
		last = change;
	}
}

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
		fill_change_event(event, data, operation, user);
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
	int r = change != NULL ? start(change, &fault) : -ENOMEM;

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
	run_waiting(hub);
	if (!hub->is_started || hub->is_stopping || !is_quiet(hub) ||
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
		return is_quiet(hub) ? hub_now(hub) : MONO_NEVER;
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
	if (!is_quiet(hub)) {
		return MONO_NEVER; /* a log is being read: its end is a transaction */
	}
	return due.ms < people->rest_until.ms ? people->rest_until : due;
}
