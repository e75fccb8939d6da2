/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/lock.h"

#include <stdlib.h>
#include <string.h>

#include "core/book.h"
#include "core/history.h"
#include "private.h"
#include "util/auto.h"
#include "util/text.h"

struct lock *lock_new(struct hub *hub, const struct driver *driver) {
	struct lock *lock = calloc(1, sizeof(*lock));

	if (lock == NULL) {
		return NULL;
	}
	lock->hub = hub;
	lock->driver = driver;
	lock_status_init(&lock->status);
	list_init(&lock->queue);
	lock->is_reachable = true;
	lock->config_seen = -1;
	lock->contact = hub_now(hub);
	lock->timer = MONO_NEVER;
	lock->kick = MONO_NEVER;
	lock->next_poll = MONO_NEVER;
	lock->next_battery = MONO_NEVER;
	lock->facts_at = MONO_NEVER;
	lock->door_open_since = MONO_NEVER;
	lock->health = health_new();
	lock->sync = sync_new();
	return lock->health != NULL && lock->sync != NULL ? lock : lock_free(lock);
}

struct lock *lock_free(struct lock *lock) {
	if (lock == NULL) {
		return NULL;
	}
	record_end(lock);
	runner_forget(lock);
	txn_free(lock->import);
	health_free(lock->health);
	sync_free(lock->sync);
	timers_free(lock);
	timers_drop_kept(lock);
	settings_free(lock);
	wipe(lock, sizeof(*lock));
	free(lock);
	return NULL;
}

void lock_event_init(struct event *event, const struct lock *lock, enum event_kind kind) {
	event_init(event, kind, lock->hub->config.clock);
	memcpy(event->lock_id, lock->id, sizeof(event->lock_id));
}

void lock_to_record(const struct lock *lock, struct lock_record *ret) {
	*ret = (struct lock_record){
		.is_random = lock->is_random,
		.client_id = lock->client_id,
		.keys = lock->keys,
		.paired_at = lock->paired_at,
		.log_cursor = lock->log_cursor,
		.state = lock->status.bolt.state,
		.state_at = lock->status.bolt_known.wall,
		.battery = lock->status.battery,
		.battery_at = lock->status.battery_known.wall,
		.versions = lock->status.versions,
		.config = lock->status.config,
		.config_at = lock->status.config_known.wall,
	};
	memcpy(ret->id, lock->id, sizeof(ret->id));
	memcpy(ret->name, lock->name, sizeof(ret->name));
	memcpy(ret->slug, lock->slug, sizeof(ret->slug));
	memcpy(ret->address, lock->address, sizeof(ret->address));
	(void) text_copy(ret->driver, sizeof(ret->driver), lock->driver->name);
	if (lock->status.bolt.state == LOCK_STATE_UNKNOWN) {
		/* What was last known for sure is worth more to people than "unknown". */
		ret->state = lock->status.previous_state;
		ret->state_at = lock->status.previous_at;
	}
}

const char *lock_id(const struct lock *lock) {
	return lock->id;
}

const char *lock_slug(const struct lock *lock) {
	return lock->slug;
}

const char *lock_name(const struct lock *lock) {
	return lock->name;
}

const char *lock_address(const struct lock *lock) {
	return lock->address;
}

const struct driver *lock_driver(const struct lock *lock) {
	return lock->driver;
}

const struct lock_status *lock_status(const struct lock *lock) {
	return &lock->status;
}

wall_t lock_paired_at(const struct lock *lock) {
	return lock->paired_at;
}

int64_t lock_log_cursor(const struct lock *lock) {
	return lock->log_cursor;
}

unsigned lock_acts(const struct lock *lock) {
	return lock->driver->acts(&lock->keys, &lock->status);
}

bool lock_has_pin(const struct lock *lock) {
	return lock->driver->has_pin(&lock->keys);
}

enum lock_pin lock_pin_judge(const struct lock *lock, const char **ret_why) {
	AUTO_VALUE(secret_wipe) struct secret pin = { 0 };
	const char *const *worn = lock->driver->pins_default;
	const char *why;

	if (ret_why != NULL) {
		*ret_why = "";
	}
	if (lock->driver->pin == NULL || !lock->driver->pin(&lock->keys, &pin)) {
		return LOCK_PIN_UNKNOWN;
	}
	for (; worn != NULL && *worn != NULL; worn++) {
		if (strlen(*worn) == pin.len && memcmp(*worn, pin.bytes, pin.len) == 0) {
			return LOCK_PIN_DEFAULT;
		}
	}
	why = pin_weakness(&pin);
	if (why != NULL && ret_why != NULL) {
		*ret_why = why;
	}
	return why != NULL ? LOCK_PIN_WEAK : LOCK_PIN_GOOD;
}

/*
 * Kept as a note, since only the day on which the hub was given it is known: the lock itself does
 * not tell how old its PIN is. By a clock that is not believed it is not known at all.
 */
void lock_pin_given(struct lock *lock) {
	struct hub *hub = lock->hub;
	struct note note = { .key = LOCK_NOTE_PIN, .text = "the hub was given it" };
	struct fault fault = { .code = FAULT_NONE };

	if (!lock_has_pin(lock)) {
		return;
	}
	(void) text_copy(note.lock_id, sizeof(note.lock_id), lock->id);
	note.at = clock_wall(hub->config.clock);
	if (!clock_is_trusted(hub->config.clock)) {
		note.text[0] = '\0'; /* what was noted of another PIN counts no longer */
	}
	/* Without it the age is not known, and that is all. */
	(void) hub_note_put(hub, &note, NULL, NULL, &fault);
}

void lock_weak_accepted(struct lock *lock, const char *actor) {
	struct note note = { .key = LOCK_NOTE_WEAK };
	struct fault fault = { .code = FAULT_NONE };

	(void) text_copy(note.lock_id, sizeof(note.lock_id), lock->id);
	(void) text_copy(note.text, sizeof(note.text), actor);
	note.at = clock_wall(lock->hub->config.clock);
	(void) hub_note_put(lock->hub, &note, NULL, NULL, &fault);
}

bool lock_pin_differs(const struct lock *lock, const struct secret *keys) {
	AUTO_VALUE(secret_wipe) struct secret before = { 0 };
	AUTO_VALUE(secret_wipe) struct secret after = { 0 };

	if (lock->driver->pin == NULL || !lock->driver->pin(keys, &after)) {
		return false;
	}
	return !lock->driver->pin(&lock->keys, &before) || secret_equal(&before, &after) == 0;
}

size_t lock_capabilities(const struct lock *lock, struct capability out[static CAPABILITIES_MAX]) {
	return capabilities(lock->driver, &lock->keys, &lock->status, false, out);
}

const char *lock_why_no_codes(const struct lock *lock) {
	return lock->driver->no_codes != NULL   ? lock->driver->no_codes
	       : lock->driver->pin_form == NULL ? "no keypad, or no key that may set its codes"
						: "no keypad, or its PIN is not known";
}

const struct credential_limits *lock_credentials(const struct lock *lock) {
	return lock->driver->credentials != NULL
		       ? lock->driver->credentials(&lock->keys, &lock->status)
		       : NULL;
}

const struct protocol *lock_protocol(const struct lock *lock) {
	return lock->driver->protocol != NULL ? lock->driver->protocol(&lock->keys, &lock->status)
					      : NULL;
}

bool lock_is_announcing(const struct lock *lock) {
	return lock->driver->is_announcing(&lock->keys, &lock->status);
}

bool lock_is_reachable(const struct lock *lock) {
	return lock->is_reachable;
}

bool lock_is_linked(const struct lock *lock) {
	return lock->state == RUNNER_UP;
}

const struct fault *lock_fault(const struct lock *lock) {
	static const struct fault none = { .code = FAULT_NONE };
	const struct fault *worst = &none;

	for (size_t i = 0; i < STANDING_MAX; i++) {
		const struct fault *fault = &lock->standing[i];

		/* Syslog priorities: the lower the worse. */
		if (fault->code != FAULT_NONE &&
			(worst->code == FAULT_NONE || fault_row(fault->code)->priority <
							      fault_row(worst->code)->priority)) {
			worst = fault;
		}
	}
	return worst;
}

const struct fault *lock_fault_at(const struct lock *lock, size_t i) {
	for (size_t k = 0; k < STANDING_MAX; k++) {
		if (lock->standing[k].code != FAULT_NONE && i-- == 0) {
			return &lock->standing[k];
		}
	}
	return NULL;
}

void lock_radio_stats(const struct lock *lock, struct radio_stats *ret) {
	struct radio *radio = lock->hub->config.radio;

	if (lock->link == NULL) {
		*ret = (struct radio_stats){
			.heard_ms = INT64_MIN, .any_ms = INT64_MIN, .state = "none"
		};
		return;
	}
	radio->impl->link_stats(lock->link, ret);
}

const struct event *lock_last_event(const struct lock *lock) {
	return &lock->last_event;
}

unsigned lock_queue_length(const struct lock *lock) {
	const struct op_entry *entry;
	unsigned n = 0;

	list_for_each(entry, &lock->queue, queued) {
		n++;
	}
	return n;
}
