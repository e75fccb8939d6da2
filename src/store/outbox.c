/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outbox.h"

#include <assert.h>

void store_outbox_init(struct outbox *outbox, void (*wake)(void *user), void *user) {
	int r = pthread_mutex_init(&outbox->mutex, NULL);
	assert(r == 0);
	(void) r;
	list_init(&outbox->items);
	outbox->wake = wake;
	outbox->user = user;
}

void store_outbox_finish(struct outbox *outbox) {
	assert(list_is_empty(&outbox->items));
	(void) pthread_mutex_destroy(&outbox->mutex);
}

static void move_all(struct list *from, struct list *to) {
	while (!list_is_empty(from)) {
		struct list *first = from->next;
		list_remove(first);
		list_append(to, first);
	}
}

void store_outbox_put(struct outbox *outbox, struct list *items) {
	if (list_is_empty(items)) {
		return;
	}
	(void) pthread_mutex_lock(&outbox->mutex);
	bool was_empty = list_is_empty(&outbox->items);
	move_all(items, &outbox->items);
	(void) pthread_mutex_unlock(&outbox->mutex);
	/* If there was something already, the loop has been woken and has not come yet. */
	if (was_empty && outbox->wake != NULL) {
		outbox->wake(outbox->user);
	}
}

void store_outbox_put_one(struct outbox *outbox, struct outbox_item *item) {
	struct list items;

	list_init(&items);
	list_append(&items, &item->link);
	store_outbox_put(outbox, &items);
}

bool store_outbox_deliver(struct outbox *outbox) {
	struct list items;

	list_init(&items);
	(void) pthread_mutex_lock(&outbox->mutex);
	move_all(&outbox->items, &items);
	(void) pthread_mutex_unlock(&outbox->mutex);

	bool had_any = !list_is_empty(&items);
	while (!list_is_empty(&items)) {
		struct outbox_item *item = list_first(&items, struct outbox_item, link);
		list_remove(&item->link);
		item->deliver(item);
	}
	return had_any;
}
