/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the hub's signals mean for what is shown: each goes to the faces, to the hub's own, and to
 * whoever waits for an operation.
 */

#include "room.h"

#include <string.h>

#include "core/hub.h"
#include "diag/diag.h"
#include "util/log.h"

#include "dial-set.h"
#include "hub-face.h"
#include "payload.h"
#include "pins.h"
#include "recall.h"
#include "request.h"
#include "switches.h"

static void add_face(struct mqtt *mqtt, struct lock *lock) {
	struct face *face = face_new(mqtt, lock);

	if (face == NULL) {
		log_line(LOG_ERR, lock_slug(lock), "no memory to show this lock by MQTT");
		return;
	}
	face_show(face, ~0U);
	pins_show(mqtt, lock, ~0U);
	recall_begin(mqtt, face);
	if (mqtt->status.is_connected) {
		mqtt_subscribe_face(mqtt, face);
	}
}

void mqtt_add_missing_faces(struct mqtt *mqtt) {
	for (size_t i = 0; i < hub_lock_count(mqtt->hub); i++) {
		struct lock *lock = hub_lock_at(mqtt->hub, i);
		if (face_find(mqtt, lock_id(lock)) == NULL) {
			add_face(mqtt, lock);
		}
	}
}

static void lock_added(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_lock_added);
	add_face(mqtt, data);
	hub_face_show(mqtt);
}

static void lock_removed(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_lock_removed);
	struct face *face = face_find(mqtt, lock_id(data));

	if (face != NULL) {
		face_erase(face);
		(void) face_free(face);
	}
	pins_forget(mqtt, lock_id(data));
	hub_face_show(mqtt);
}

static void lock_changed(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_lock_changed);
	const struct lock_change *change = data;
	struct face *face = face_find(mqtt, lock_id(change->lock));

	if (face != NULL) {
		face_show(face, change->what);
	}
	if ((change->what & FACT_FAULT) != 0) {
		hub_face_show(mqtt);
	}
	if ((change->what & (FACT_BOLT | FACT_NAME | FACT_VERSIONS | FACT_CONFIG)) != 0) {
		pins_show(mqtt, change->lock, change->what);
	}
}

static void op_moved(struct mqtt *mqtt, const struct op *op) {
	struct face *face = face_find(mqtt, op->lock_id);

	if (face != NULL && act_moves_motor(op->act)) {
		face_show(face, FACT_QUEUE);
	}
}

static void op_changed(struct listener *listener, void *data) {
	op_moved(container_of(listener, struct mqtt, on_op_changed), data);
}

static void op_finished(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_op_finished);

	op_moved(mqtt, data);
	requests_op_finished(mqtt->requests, data);
	dials_op_finished(mqtt, data);
}

static void event_recorded(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_event);
	const struct event *event = data;
	struct face *face = face_find(mqtt, event->lock_id);

	if (face != NULL) {
		face_recall(face, event); /* shown by the change of the lock that follows */
	}
	mqtt_put_event(mqtt, event->lock_id[0] != '\0' ? event->lock_id : NULL,
		payload_event(event, mqtt->config.show_users), event->seq);
	pins_event(mqtt, event);
	hub_face_show(mqtt);
}

static void book_changed(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_book_changed);
	const struct book_change *change = data;
	struct face *face;

	switches_show(mqtt);
	for (face = face_next(mqtt, NULL); face != NULL; face = face_next(mqtt, face)) {
		if (change->lock_id[0] == '\0' ||
			strcmp(change->lock_id, lock_id(face_lock(face))) == 0) {
			face_show(face, FACT_CONFIG);
		}
	}
}

static void sync_changed(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_sync_changed);
	struct face *face = face_find(mqtt, lock_id(data));

	if (face != NULL) {
		face_show(face, FACT_CONFIG);
	}
	pins_show(mqtt, data, FACT_CONFIG);
}

static void health_changed(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_diag_changed);
	struct face *face = face_find(mqtt, lock_id(data));

	if (face != NULL) {
		face_show(face, FACT_FAULT);
		hub_face_show(mqtt);
	}
}

static void radio_changed(struct listener *listener, void *data) {
	hub_face_show(container_of(listener, struct mqtt, on_radio_changed));
}

void mqtt_follow(struct mqtt *mqtt) {
	struct hub_signals *signals = hub_signals(mqtt->hub);

	signal_add(&signals->lock_added, &mqtt->on_lock_added, lock_added);
	signal_add(&signals->lock_removed, &mqtt->on_lock_removed, lock_removed);
	signal_add(&signals->lock_changed, &mqtt->on_lock_changed, lock_changed);
	signal_add(&signals->event, &mqtt->on_event, event_recorded);
	signal_add(&signals->op_changed, &mqtt->on_op_changed, op_changed);
	signal_add(&signals->op_finished, &mqtt->on_op_finished, op_finished);
	signal_add(&signals->radio_changed, &mqtt->on_radio_changed, radio_changed);
	signal_add(&signals->book_changed, &mqtt->on_book_changed, book_changed);
	signal_add(&signals->sync_changed, &mqtt->on_sync_changed, sync_changed);
	if (mqtt->config.diag != NULL) {
		signal_add(diag_changed(mqtt->config.diag), &mqtt->on_diag_changed, health_changed);
	}
}

void mqtt_unfollow(struct mqtt *mqtt) {
	listener_remove(&mqtt->on_lock_added);
	listener_remove(&mqtt->on_lock_removed);
	listener_remove(&mqtt->on_lock_changed);
	listener_remove(&mqtt->on_event);
	listener_remove(&mqtt->on_op_changed);
	listener_remove(&mqtt->on_op_finished);
	listener_remove(&mqtt->on_radio_changed);
	listener_remove(&mqtt->on_book_changed);
	listener_remove(&mqtt->on_sync_changed);
	listener_remove(&mqtt->on_diag_changed);
}
