/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The link machine's engine and the door's calls. An event looks up its row, changes the state,
 * runs the row's action; what the action raises is handled right after it. User calls end in events
 * too, so there is one way through.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ble.h"
#include "util/log.h"
#include "util/text.h"

static bool is_resting(const struct radio_link *link) {
	return link->state == LINK_ABSENT || link->state == LINK_IDLE;
}

bool link_is_person(const struct radio_link *link) {
	return sched_is_person(link->need);
}

/* ------------------------------------------------------------------ deadlines */

void link_arm(struct radio_link *link, unsigned ms) {
	link->n_steps++;
	loop_timer_arm(link->deadline, ble_ms(link->central, ms));
}

void link_disarm(struct radio_link *link) {
	link->n_steps++;
	loop_timer_disarm(link->deadline);
}

/*
 * After a stall of ours the awaited signal may lie unread in the socket, so it is read before the
 * deadline is judged. If reading it led anywhere, the deadline is void.
 */
static void on_deadline(void *user) {
	struct radio_link *link = user;
	unsigned n_steps = link->n_steps;

	(void) bus_drain(link->central->bus);
	if (link->n_steps != n_steps || link->is_dead) {
		return;
	}
	if (link->is_next_try) {
		link->is_next_try = false;
		gatt_subscribe(link);
		return;
	}
	enum link_event event = link->is_grace ? LINK_EV_GRACE : LINK_EV_TIMEOUT;
	link->is_grace = false;
	link_event(link, event);
}

static void on_patience(void *user) {
	struct radio_link *link = user;
	mono_t since = link->want_since;

	(void) bus_drain(link->central->bus);
	bool is_up = link->state == LINK_READY || link->state == LINK_LINGER;
	if (link->is_dead || is_up || !link->owes_down || link->want_since.ms != since.ms) {
		return;
	}
	link_event(link, LINK_EV_PATIENCE);
}

/* ------------------------------------------------------------------ the engine */

/* What went wrong is worth a line in every journal; the rest is there for who asks for it. */
static int priority_of(enum link_event event) {
	switch (event) {
	case LINK_EV_PATIENCE:
	case LINK_EV_VANISHED:
	case LINK_EV_MISMATCH:
	case LINK_EV_FAILED:
	case LINK_EV_CLOSED:
	case LINK_EV_TIMEOUT:
	case LINK_EV_RADIO_DOWN:
	case LINK_EV_ORPHAN:
	case LINK_EV_GIVE_UP:
	case LINK_EV_STUCK:
		return LOG_INFO;
	default: /* RULE R3: all others are as wished */
		return LOG_DEBUG;
	}
}

/*
 * How it came from state to state (docs/bluez-notes.md, "In the journal"). @adapter as it was when
 * the event came: an action may have let go of it.
 */
static void log_step(const struct radio_link *link, enum link_state from, enum link_event event,
	int64_t elapsed) {
	bool was_linked = link_state_is_linked(from);
	bool is_expected =
		(link_state_holds_slot(from) && !was_linked && link->need == RADIO_NEED_NONE) ||
		from == LINK_LINGER || from == LINK_ABSENT || from == LINK_IDLE ||
		from == LINK_BACKOFF;
	int priority = is_expected && event != LINK_EV_STUCK ? LOG_DEBUG : priority_of(event);
	char elapsed_text[24], rssi[8], attempt[12], gen[12];

	if (!log_wants(priority)) {
		return;
	}
	snprintf(elapsed_text, sizeof(elapsed_text), "%" PRId64, elapsed);
	snprintf(rssi, sizeof(rssi), "%d", link->stats.rssi);
	snprintf(attempt, sizeof(attempt), "%u", link->n_attempts);
	snprintf(gen, sizeof(gen), "%u", link->gen);
	const struct log_field fields[] = {
		{ "LOCK_ID", link->lock_id[0] != '\0' ? link->lock_id : NULL },
		{ "OP_ID", link->op_id[0] != '\0' ? link->op_id : NULL },
		{ "PEER", link->target.address },
		{ "ADAPTER", link->peer != NULL ? link->peer->adapter->address : NULL },
		{ "FROM", link_state_name(from) },
		{ "TO", link_state_name(link->state) },
		{ "CAUSE", link_event_name(event) },
		{ "BLUEZ_ERROR", bluez_error_name(link->error) },
		{ "BLUEZ_TEXT", link->error_text[0] != '\0' ? link->error_text : NULL },
		{ "ELAPSED_MS", elapsed_text },
		{ "RSSI", rssi },
		{ "ATTEMPT", attempt },
		{ "LINK_GEN", gen },
	};
	log_entry(priority, NULL, NULL, fields, ARRAY_SIZE(fields), "%s: %s, %s -> %s after %s ms",
		link->target.address, link_event_name(event), link_state_name(from),
		link_state_name(link->state), elapsed_text);
}

void link_raise(struct radio_link *link, enum link_event event) {
	if (!link->is_acting) {
		link_event(link, event);
		return;
	}
	assert(link->n_raised < LINK_RAISED_MAX);
	link->raised[link->n_raised++] = event;
}

static void bury(struct radio_link *link) {
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		peer_unwatch(&link->peers[i]);
	}
	list_remove(&link->in_links);
	list_append(&link->central->dead, &link->in_links);
	link->is_dead = true;
	loop_timer_disarm(link->deadline);
	loop_timer_disarm(link->patience);
	events_forget_link(link->central, link);
	central_poke(link->central);
}

void link_event(struct radio_link *link, enum link_event event) {
	if (link->is_dead) {
		return;
	}
	enum link_state from = link->state;
	const struct link_step *step = link_step_find(from, event);
	if (step == NULL) {
		log_blame(BLAME_LOCKHUB, NULL, "link machine of %s: %s while %s",
			link->target.address, link_event_name(event), link_state_name(from));
		if (!link_state_holds_slot(from)) {
			return;
		}
		/* A safe state: hang up, tell the user, start from there. */
		static const struct link_step safe = { LINK_ABSENT, LINK_EV_DROP,
			LINK_DISCONNECTING, LINK_ACT_CLOSE };
		step = &safe;
	}
	if (step->next != from) {
		mono_t now = ble_now(link->central);
		int64_t elapsed = mono_since(link->state_since, now);
		if (link_state_is_linked(from) && !link_state_is_linked(step->next)) {
			stats_end_begins(link, event);
		}
		link->state = step->next;
		link->state_since = now;
		link->is_grace = false;
		link->is_next_try = false;
		link_disarm(link);
		log_step(link, from, event, elapsed);
	}
	link->from = from;
	link->is_acting = true;
	link_act(link, step->act, event);
	link->is_acting = false;
	while (link->n_raised > 0) {
		enum link_event raised = link->raised[0];
		link->n_raised--;
		memmove(link->raised, link->raised + 1, link->n_raised * sizeof(link->raised[0]));
		link_event(link, raised);
	}
	if (link->is_freed && is_resting(link) && !link->is_dead) {
		bury(link);
	}
}

/* ------------------------------------------------------------------ what users are told */

void link_note_error(struct radio_link *link, enum bluez_error error, const char *text) {
	link->error = error;
	(void) text_copy(link->error_text, sizeof(link->error_text), text);
}

void link_end_write(struct radio_link *link, int error, enum radio_sent sent) {
	if (!link->is_write_pending) {
		return;
	}
	ble_slot_drop(&link->call_write);
	link->is_write_pending = false;
	link->written_error = error;
	link->written_sent = sent;
	if (!link->is_freed) {
		event_post(link->central, &link->event_written);
	}
}

void link_end_want(struct radio_link *link, const struct fault *fault) {
	link->need = RADIO_NEED_NONE;
	loop_timer_disarm(link->patience);
	if (!link->owes_down) {
		return;
	}
	link->owes_down = false;
	memset(&link->down_fault, 0, sizeof(link->down_fault));
	if (fault != NULL) {
		link->down_fault = *fault;
	}
	if (event_is_posted(&link->event_up)) {
		/* Up and down again before anybody was told: then only the end is told. */
		events_forget_link(link->central, link);
	}
	if (!link->is_freed) {
		event_post(link->central, &link->event_down);
	}
}

/* ------------------------------------------------------------------ the door */

struct radio_link *link_find(struct central *central, const char *address) {
	struct radio_link *link;

	list_for_each(link, &central->links, in_links) {
		if (strcmp(link->target.address, address) == 0) {
			return link;
		}
	}
	return NULL;
}

void link_destroy(struct radio_link *link) {
	struct central *central = link->central;

	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		peer_unwatch(&link->peers[i]);
	}
	gatt_forget(link, false);
	ble_slot_drop(&link->call_connect);
	ble_slot_drop(&link->call_read);
	ble_slot_drop(&link->call_objects);
	ble_slot_drop(&link->call_write);
	ble_slot_drop(&link->call_disconnect);
	ble_slot_drop(&link->call_remove);
	events_forget_link(central, link);
	loop_timer_free(link->deadline);
	loop_timer_free(link->patience);
	list_remove(&link->in_links);
	free(link);
}

static void adopt(struct radio_link *link, const struct radio_target *target,
	const struct radio_user *user_impl, void *user) {
	link->target = *target;
	link->user_impl = user_impl;
	link->user = user;
	link->is_freed = false;
	stats_begin(&link->stats, ble_now(link->central));
	link->ended_on = NULL;
}

static struct radio_link *door_link_new(struct radio *radio, const struct radio_target *target,
	const struct radio_user *user_impl, void *user) {
	struct central *central = container_of(radio, struct central, radio);
	struct radio_target own = *target;

	if (address_normalize(target->address, own.address) < 0) {
		log_blame(BLAME_LOCKHUB, NULL, "\"%.17s\" is not a Bluetooth address",
			target->address);
		return NULL;
	}
	struct radio_link *link = link_find(central, own.address);
	if (link != NULL && link->is_freed) {
		/* Its link is still being closed. The new owner waits for that like anybody. */
		adopt(link, &own, user_impl, user);
		return link;
	}
	assert(link == NULL); /* two owners of one device would fight over its link */
	link = calloc(1, sizeof(*link));
	if (link == NULL) {
		return NULL;
	}
	link->central = central;
	list_init(&link->in_links);
	ble_event_init(&link->event_up, BLE_EVENT_UP, link);
	ble_event_init(&link->event_down, BLE_EVENT_DOWN, link);
	ble_event_init(&link->event_written, BLE_EVENT_WRITTEN, link);
	adopt(link, &own, user_impl, user);
	(void) text_copy(link->advert.address, sizeof(link->advert.address), own.address);
	link->advert.is_random = own.is_random;
	link->linked_since = MONO_NEVER;
	link->state_since = ble_now(central);
	link->deadline = loop_timer_new(central->loop, on_deadline, link);
	link->patience = loop_timer_new(central->loop, on_patience, link);
	if (link->deadline == NULL || link->patience == NULL) {
		link_destroy(link);
		return NULL;
	}
	list_append(&central->links, &link->in_links);
	peers_widen(central);
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		peer_init(&link->peers[i], link, i);
		if (central->adapters[i].is_present) {
			peer_watch(&link->peers[i]);
			central_refresh(central);
		}
	}
	central_poke(central); /* watch windows may be wanted now */
	return link;
}

static struct radio_link *door_link_free(struct radio_link *link) {
	if (link == NULL) {
		return NULL;
	}
	struct central *central = link->central;
	link->is_freed = true;
	link->owes_down = false;
	link->need = RADIO_NEED_NONE;
	loop_timer_disarm(link->patience);
	events_forget_link(central, link);
	link_event(link, LINK_EV_DROP);
	central_poke(central);
	return NULL;
}

static void door_release(struct radio_link *link) {
	if (link->need == RADIO_NEED_NONE) {
		return;
	}
	link->need = RADIO_NEED_NONE;
	if (link->owes_down) {
		link_event(link, LINK_EV_RELEASE);
	}
}

static void door_drop(struct radio_link *link) {
	if (link->owes_down) {
		link->need = RADIO_NEED_NONE;
		link_event(link, LINK_EV_DROP);
	}
}

static void door_want(struct radio_link *link, enum radio_need need, unsigned patience_ms) {
	struct central *central = link->central;

	if (need == RADIO_NEED_NONE) {
		door_release(link);
		return;
	}
	if (event_is_posted(&link->event_down)) {
		return; /* on its way, and the answer to this want as well */
	}
	bool is_new = !link->owes_down;
	bool is_up = link->state == LINK_READY || link->state == LINK_LINGER;
	link->need = need;
	if (is_new) {
		link->owes_down = true;
		link->n_attempts = 0;
		link->was_heard = false;
		link->want_since = ble_now(central);
		link->fault.code = FAULT_NONE;
		link_note_error(link, BLUEZ_ERROR_NONE, "");
	}
	if (!is_up) {
		loop_timer_arm(link->patience, ble_ms(central, patience_ms));
	}
	link_event(link, LINK_EV_WANT);
}

static int door_write(
	struct radio_link *link, const char *characteristic, const uint8_t *buf, size_t n) {
	return gatt_write(link, characteristic, buf, n);
}

static void door_label(struct radio_link *link, const char *lock_id, const char *op_id) {
	(void) text_copy(link->lock_id, sizeof(link->lock_id), lock_id);
	(void) text_copy(link->op_id, sizeof(link->op_id), op_id);
}

static void door_link_stats(const struct radio_link *link, struct radio_stats *ret) {
	stats_read_link(link, ret);
}

static bool door_adapter_stats(const struct radio *radio, unsigned i, struct radio_stats *ret) {
	return stats_read_adapter(
		(const struct central *) ((const char *) radio - offsetof(struct central, radio)),
		i, ret);
}

static int door_scan(struct radio *radio, unsigned ms,
	void (*heard)(void *user, const struct advert *advert),
	void (*ended)(void *user, const struct fault *fault), void *user) {
	return scan_start(container_of(radio, struct central, radio), ms, heard, ended, user);
}

static void door_scan_stop(struct radio *radio) {
	scan_stop(container_of(radio, struct central, radio));
}

static void door_hasten(struct radio *radio, bool is_on) {
	scan_hasten(container_of(radio, struct central, radio), is_on);
}

static void door_status(const struct radio *radio, struct radio_status *ret) {
	const struct central *central =
		(const struct central *) ((const char *) radio - offsetof(struct central, radio));

	memset(ret, 0, sizeof(*ret));
	ret->is_ready = central_is_ready(central);
	ret->is_starting = central->phase == CENTRAL_ASKING || central->phase == CENTRAL_READING;
	ret->fault = central->fault;
	if (central->is_restart_needed) {
		ret->hindrance = central->restart_fault;
	}
	ret->is_scanning = central->scan.is_running;
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		ret->n_adapters += central->adapters[i].is_present;
	}
	if (central->bluez_minor >= 0) {
		snprintf(ret->bluez_version, sizeof(ret->bluez_version), "5.%02d",
			central->bluez_minor);
	}
}

const struct radio_impl central_radio_impl = {
	.link_new = door_link_new,
	.link_free = door_link_free,
	.want = door_want,
	.release = door_release,
	.drop = door_drop,
	.write = door_write,
	.label = door_label,
	.link_stats = door_link_stats,
	.scan = door_scan,
	.scan_stop = door_scan_stop,
	.hasten = door_hasten,
	.status = door_status,
	.adapter_stats = door_adapter_stats,
};
