/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How the book changes: one change at a time, each checked against rows that are on the disk,
 * committed with its event, then put into the book and told (people-apply.c).
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

void change_fill_event(struct event *event, enum lock_data_type data, enum data_operation operation,
	const struct user *user) {
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
	change_fill_event(event, data, operation, user);
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
	return people_get_user(change->hub->book, word, ret, ret_fault);
}

int people_get_user(
	const struct book *book, const char *word, struct user *ret, struct fault *ret_fault) {
	const struct user *user = book_find_user(book, word);
	const char *slugs[USERS_MAX];
	const char *nearest;
	size_t n = book_user_count(book);

	if (user == NULL) {
		for (size_t i = 0; i < n; i++) {
			slugs[i] = book_user_at(book, i)->slug;
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

bool people_is_quiet(const struct hub *hub) {
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
	struct hub *hub = change->hub;
	char op_id[OP_ID_MAX];
	char id[ROW_ID_MAX];

	memcpy(op_id, change->op_id, sizeof(op_id));
	memcpy(id, change->id, sizeof(id));
	change_free(change);
	if (done != NULL) {
		done(user, fault);
	}
	if (op_id[0] != '\0') {
		learn_kept(hub, op_id, id, fault);
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

int change_start(struct change *change, struct fault *ret_fault) {
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
	if (people_is_quiet(hub) && list_is_empty(&hub->people.waiting)) {
		r = change_start(take_change, ret_fault);
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

void people_run_waiting(struct hub *hub) {
	struct fault fault;

	while (!list_is_empty(&hub->people.waiting) && people_is_quiet(hub)) {
		struct change *change = list_first(&hub->people.waiting, struct change, link);
		int r;

		list_remove(&change->link);
		r = change_start(change, &fault);
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
