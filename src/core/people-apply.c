/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is committed comes into the book, and whoever has to know is told. */

#include "change.h"

#include <string.h>

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
	default:       /* RULE R3: the rest is not the book's */
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
	default: /* RULE R3: the rest is not the book's */
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
			people_watch(hub);
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
