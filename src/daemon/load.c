/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "load.h"

#include <errno.h>
#include <string.h>

#include "backup.h"
#include "core/people.h"
#include "crypto/crypto.h"
#include "store/store.h"
#include "util/bytes.h"
#include "util/log.h"
#include "util/text.h"

static void load_lock(void *user, const struct lock_record *record, const struct event *last_event,
	const struct fault *fault) {
	struct loaded *loaded = user;
	int r;

	(void) last_event;
	if (fault != NULL) {
		log_fault(fault, record->slug, NULL);
		return;
	}
	r = hub_load_lock(loaded->hub, record);
	if (r == -ENOENT) {
		log_line(LOG_ERR, record->slug,
			"no driver \"%s\" is built in: the lock is kept but not served",
			record->driver);
	} else if (r < 0) {
		log_line(LOG_ERR, record->slug, "cannot be served: %s", strerror(-r));
	}
}

static void load_op(void *user, const struct op_record *op) {
	struct loaded *loaded = user;

	loaded->n_interrupted++;
	hub_load_interrupted(loaded->hub, op);
}

static void load_setting(void *user, const char *key, const char *value) {
	struct loaded *loaded = user;

	if (text_equal(key, "hub_id")) {
		(void) text_copy(loaded->hub_id, sizeof(loaded->hub_id), value);
	}
	backups_load_setting(loaded->backups, key, value);
	hub_load_setting(loaded->hub, key, value);
}

/* ---- the book: what cannot be taken in is told, and the rest is served ---- */

static void check_row(int r, const char *what, const char *id) {
	if (r < 0) {
		log_line(LOG_ERR, NULL, "%s %s is left out: %s", what, id, strerror(-r));
	}
}

/*
 * A user whose second factor does not open has none that anybody could present, which keeps him out
 * where one is asked for.
 */
static void load_user(void *user, const struct user *row, const struct fault *fault) {
	struct loaded *loaded = user;

	if (fault != NULL) {
		log_fault(fault, NULL, NULL);
	}
	check_row(book_put_user(hub_load_book(loaded->hub), row), "user", row->slug);
}

/*
 * A code that does not open is kept, without its digits: the lock may have it, and it must be
 * possible to revoke it.
 */
static void load_credential(void *user, const struct credential *row, const struct fault *fault) {
	struct loaded *loaded = user;

	if (fault != NULL) {
		log_fault(fault, NULL, NULL);
	}
	check_row(book_put_credential(hub_load_book(loaded->hub), row), "code", row->id);
}

static void load_access(void *user, const struct access *row) {
	struct loaded *loaded = user;

	check_row(book_put_access(hub_load_book(loaded->hub), row), "access of user", row->user_id);
}

static void load_schedule(void *user, const struct schedule *row) {
	struct loaded *loaded = user;

	check_row(book_put_schedule(hub_load_book(loaded->hub), row), "schedule", row->id);
}

static void load_rules(void *user, const char *lock_id, const struct lock_rules *rules) {
	struct loaded *loaded = user;

	check_row(book_put_rules(hub_load_book(loaded->hub), lock_id, rules), "rules of lock",
		lock_id);
}

static void load_holiday(void *user, const struct holiday *row) {
	struct loaded *loaded = user;

	check_row(book_put_holiday(hub_load_book(loaded->hub), row), "holiday", row->id);
}

static void load_slots(void *user, const char *lock_id, const struct slot *slots, size_t n,
	wall_t at, const struct fault *fault) {
	struct loaded *loaded = user;

	if (fault != NULL) {
		log_fault(fault, NULL, NULL);
		at.s = 0; /* to be read again before anything is made of it */
	}
	check_row(book_put_slots(hub_load_book(loaded->hub), lock_id, slots, n, at), "list of lock",
		lock_id);
}

static void load_placement(void *user, const struct placement *row) {
	struct loaded *loaded = user;

	check_row(book_put_placement(hub_load_book(loaded->hub), row), "place of code",
		row->credential_id);
}

static void load_sample(void *user, const char *lock_id, const struct sample *sample) {
	struct loaded *loaded = user;

	hub_load_sample(loaded->hub, lock_id, sample);
}

static void setting_kept(void *user, struct txn *txn, const struct fault *fault) {
	(void) user;
	(void) txn;
	if (fault != NULL) {
		log_fault(fault, NULL, NULL);
	}
}

/* Fixed for the life of the database: it names the hub in Home Assistant. */
static int make_hub_id(struct loaded *loaded, struct store *store) {
	struct ledger *ledger = store_ledger(store);
	struct txn *txn;
	struct txn_item *item;
	uint8_t id[HUB_ID_LEN / 2];

	if (loaded->hub_id[0] != '\0') {
		return 0;
	}
	crypto_random(id, sizeof(id));
	hex_encode(id, sizeof(id), loaded->hub_id);
	txn = txn_new(setting_kept, NULL);
	item = txn != NULL ? txn_add(txn, TXN_SETTING) : NULL;
	if (item == NULL) {
		txn_free(txn);
		return -ENOMEM;
	}
	(void) text_copy(item->setting.key, sizeof(item->setting.key), "hub_id");
	(void) text_copy(item->setting.value, sizeof(item->setting.value), loaded->hub_id);
	ledger->impl->commit(ledger, txn);
	return 0;
}

int load_all(struct loaded *loaded, struct store *store, struct fault *ret_fault) {
	static const struct store_visitor visitor = {
		.lock = load_lock,
		.op = load_op,
		.setting = load_setting,
		.user = load_user,
		.credential = load_credential,
		.access = load_access,
		.schedule = load_schedule,
		.rules = load_rules,
		.holiday = load_holiday,
		.slots = load_slots,
		.placement = load_placement,
		.sample = load_sample,
	};
	int r = store_load(store, &visitor, loaded, ret_fault);

	if (r >= 0 && make_hub_id(loaded, store) < 0) {
		r = fault_set(ret_fault, FAULT_NO_MEMORY, "hub id");
	}
	return r;
}
