/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/signal.h"

#include <assert.h>

void signal_init(struct signal *signal) {
	list_init(&signal->listeners);
}

void signal_finish(struct signal *signal) {
	assert(list_is_empty(&signal->listeners));
}

void signal_add(struct signal *signal, struct listener *listener, listener_fn *notify) {
	assert(notify != NULL);
	assert(listener->link.next == NULL || list_is_empty(&listener->link));
	listener->notify = notify;
	list_append(&signal->listeners, &listener->link);
}

/*
 * Two marks are put into the list: one behind the listener being called, so that any listener may
 * go, one at the end, so that those that come are not called yet. Marks have no notify; those of
 * an emission inside an emission are stepped over.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdangling-pointer" /* the marks leave the list before we return   \
						     */
#endif
void signal_emit(struct signal *signal, void *data) {
	struct listener cursor = { .notify = NULL };
	struct listener end = { .notify = NULL };

	list_insert(&signal->listeners, &cursor.link);
	list_append(&signal->listeners, &end.link);
	while (cursor.link.next != &end.link) {
		struct listener *listener = list_entry(cursor.link.next, struct listener, link);
		list_remove(&cursor.link);
		list_insert(&listener->link, &cursor.link);
		if (listener->notify != NULL) {
			listener->notify(listener, data);
		}
	}
	list_remove(&cursor.link);
	list_remove(&end.link);
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

void listener_remove(struct listener *listener) {
	if (listener->link.next != NULL) {
		list_remove(&listener->link);
	}
}
