/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the threads have finished, on its way to the loop thread. */

#include <pthread.h>

#include "util/list.h"

/* Embedded in whatever was finished; deliver() is called on the loop thread and owns it then. */
struct outbox_item {
	struct list link;
	void (*deliver)(struct outbox_item *item);
};

struct outbox {
	pthread_mutex_t mutex;
	struct list items;
	void (*wake)(void *user);
	void *user;
};

void store_outbox_init(struct outbox *outbox, void (*wake)(void *user), void *user);
void store_outbox_finish(struct outbox *outbox);
/* Any thread. Moves all of @items (outbox_item by .link) in, in order, and wakes the loop. */
void store_outbox_put(struct outbox *outbox, struct list *items);
void store_outbox_put_one(struct outbox *outbox, struct outbox_item *item);
/* Loop thread. Delivers what is in there now. @return whether there was anything. */
bool store_outbox_deliver(struct outbox *outbox);
