/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ledger.h"

#include <stdlib.h>

struct txn *txn_new(
	void (*done)(void *user, struct txn *txn, const struct fault *fault), void *user) {
	struct txn *txn = calloc(1, sizeof(*txn));

	if (txn == NULL) {
		return NULL;
	}
	list_init(&txn->items);
	list_init(&txn->link);
	txn->done = done;
	txn->user = user;
	return txn;
}

struct txn *txn_free(struct txn *txn) {
	struct txn_item *item;
	struct txn_item *next;

	if (txn == NULL) {
		return NULL;
	}
	list_for_each_safe(item, next, &txn->items, link) {
		if (item->kind == TXN_SETTING) {
			free(item->setting.text);
		}
		list_remove(&item->link);
		if (item->kind == TXN_NOTE) {
			free(item->note);
		}
		/* A lock record carries keys. */
		wipe(item, sizeof(*item));
		free(item);
	}
	list_remove(&txn->link);
	free(txn);
	return NULL;
}

struct txn_item *txn_add(struct txn *txn, enum txn_kind kind) {
	struct txn_item *item = calloc(1, sizeof(*item));

	if (item == NULL) {
		return NULL;
	}
	item->kind = kind;
	list_append(&txn->items, &item->link);
	return item;
}
