/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ble.h"
#include "util/log.h"
#include "util/text.h"

#define DELIVER_MAX 256 /* in one go; the rest next turn (L5) */

struct bytes_event {
	struct ble_event event;
	char characteristic[RADIO_UUID_MAX];
	size_t n;
	uint8_t bytes[];
};

struct heard_event {
	struct ble_event event;
	struct advert advert;
};

void ble_event_init(struct ble_event *event, enum ble_event_kind kind, struct radio_link *link) {
	list_init(&event->in_events);
	event->kind = kind;
	event->link = link;
}

bool event_is_posted(const struct ble_event *event) {
	return !list_is_empty(&event->in_events);
}

void event_post(struct central *central, struct ble_event *event) {
	if (!event_is_posted(event)) {
		list_append(&central->events, &event->in_events);
		central_poke(central);
	}
}

void event_cancel(struct ble_event *event) {
	list_remove(&event->in_events);
}

void event_post_bytes(
	struct radio_link *link, const char *characteristic, const uint8_t *buf, size_t n) {
	struct central *central = link->central;

	if (central->n_bytes_events >= EVENTS_BYTES_MAX) {
		log_blame(BLAME_FIRMWARE, NULL, "%s sends notifications faster than they are read",
			link->target.address);
		return;
	}
	struct bytes_event *bytes = malloc(sizeof(*bytes) + n);
	if (bytes == NULL) {
		return;
	}
	ble_event_init(&bytes->event, BLE_EVENT_BYTES, link);
	(void) text_copy(bytes->characteristic, sizeof(bytes->characteristic), characteristic);
	bytes->n = n;
	if (n > 0) {
		memcpy(bytes->bytes, buf, n);
	}
	central->n_bytes_events++;
	event_post(central, &bytes->event);
}

void event_post_heard(
	struct central *central, struct radio_link *link, const struct advert *advert) {
	/* An advertisement that is dropped comes again. */
	if (central->n_heard_events >= EVENTS_HEARD_MAX) {
		return;
	}
	struct heard_event *heard = malloc(sizeof(*heard));
	if (heard == NULL) {
		return;
	}
	ble_event_init(&heard->event, link != NULL ? BLE_EVENT_HEARD : BLE_EVENT_SCAN_HEARD, link);
	heard->advert = *advert;
	central->n_heard_events++;
	event_post(central, &heard->event);
}

static void event_free(struct central *central, struct ble_event *event) {
	list_remove(&event->in_events);
	switch (event->kind) {
	case BLE_EVENT_BYTES:
		central->n_bytes_events--;
		free(container_of(event, struct bytes_event, event));
		break;
	case BLE_EVENT_HEARD:
	case BLE_EVENT_SCAN_HEARD:
		central->n_heard_events--;
		free(container_of(event, struct heard_event, event));
		break;
	case BLE_EVENT_UP:
	case BLE_EVENT_DOWN:
	case BLE_EVENT_WRITTEN:
	case BLE_EVENT_SCAN_ENDED:
		break; /* part of their owner */
	}
}

static void deliver_to_link(struct radio_link *link, struct ble_event *event) {
	const struct radio_user *impl = link->user_impl;
	struct bytes_event *bytes;
	struct fault fault;

	switch (event->kind) {
	case BLE_EVENT_UP:
		impl->up(link->user, link->up_mtu);
		break;
	case BLE_EVENT_DOWN:
		fault = link->down_fault; /* the user may free the link */
		impl->down(link->user, fault.code != FAULT_NONE ? &fault : NULL);
		break;
	case BLE_EVENT_WRITTEN:
		impl->written(link->user, link->written_error, link->written_sent);
		break;
	case BLE_EVENT_BYTES:
		bytes = container_of(event, struct bytes_event, event);
		impl->bytes(link->user, bytes->characteristic, bytes->bytes, bytes->n);
		break;
	case BLE_EVENT_HEARD:
		if (impl->heard != NULL) {
			impl->heard(link->user,
				&container_of(event, struct heard_event, event)->advert);
		}
		break;
	case BLE_EVENT_SCAN_HEARD:
	case BLE_EVENT_SCAN_ENDED:
		assert(false);
	}
}

static void deliver_to_scan(struct ble_scan *scan, struct ble_event *event) {
	struct fault fault = scan->fault;
	bool has_fault = scan->has_fault;

	if (event->kind == BLE_EVENT_SCAN_HEARD) {
		if (scan->heard != NULL) {
			scan->heard(scan->user,
				&container_of(event, struct heard_event, event)->advert);
		}
		return;
	}
	void (*ended)(void *user, const struct fault *fault) = scan->ended;
	void *user = scan->user;
	scan->heard = NULL;
	scan->ended = NULL;
	if (ended != NULL) {
		ended(user, has_fault ? &fault : NULL);
	}
}

void events_deliver(struct central *central) {
	for (unsigned n = 0; n < DELIVER_MAX; n++) {
		struct ble_event *event = list_first(&central->events, struct ble_event, in_events);
		if (event == NULL) {
			return;
		}
		bool is_ours = event->kind == BLE_EVENT_BYTES || event->kind == BLE_EVENT_HEARD ||
			       event->kind == BLE_EVENT_SCAN_HEARD;
		/* Off the list first: the user may do anything, even free the link that it is for.
		 */
		list_remove(&event->in_events);
		if (event->link != NULL) {
			deliver_to_link(event->link, event);
		} else {
			deliver_to_scan(&central->scan, event);
		}
		if (is_ours) {
			event_free(central, event);
		}
	}
	central_poke(central);
}

void events_forget_link(struct central *central, struct radio_link *link) {
	struct ble_event *event, *following;

	list_for_each_safe(event, following, &central->events, in_events) {
		if (event->link == link) {
			event_free(central, event);
		}
	}
}

void events_finish(struct central *central) {
	struct ble_event *event, *following;

	list_for_each_safe(event, following, &central->events, in_events) {
		event_free(central, event);
	}
}
