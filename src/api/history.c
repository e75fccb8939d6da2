/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * org.lockhub1.Lock: what people do about a fault, guided by lockhubctl, and where they stand. The
 * answer comes when the database has it.
 */

#include "room.h"

#include <stdlib.h>
#include <string.h>

/* What has ended so lately is known as such; of what ended before that nothing is known here. */
#define LOOK_BACK_S (7 * 86400)

static const char *lock_id_called(struct api *api, sd_bus_message *message) {
	const struct api_lock *shown = lock_called(api, message);
	return shown != NULL ? lock_id(shown->lock) : NULL;
}

static wall_t now_of(const struct api *api) {
	return clock_wall(hub_clock(api->hub));
}

/* What does not fit is refused and not cut: it is evidence. */
static int take_text(
	char *out, size_t size, const char *text, const char *what, struct fault *ret_fault) {
	if (!text_copy(out, size, text)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "%s has more than %zu octets", what,
			size - 1);
	}
	return 0;
}

/* ------------------------------------------------------------------------- attempts */

static int read_attempt(sd_bus_message *message, struct attempt *attempt, struct fault *ret_fault) {
	const char *name, *remedy, *before;
	if (sd_bus_message_read(message, "sss", &name, &remedy, &before) < 0) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "fault, remedy and before are texts");
	}
	int r = take_text(attempt->fault, sizeof(attempt->fault), name, "fault", ret_fault);
	if (r == 0) {
		r = take_text(
			attempt->remedy, sizeof(attempt->remedy), remedy, "remedy", ret_fault);
	}
	if (r == 0) {
		r = take_text(
			attempt->before, sizeof(attempt->before), before, "before", ret_fault);
	}
	return r;
}

static void begin_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct attempt attempt = { .begun_at = now_of(api) };
	struct fault fault = { 0 };
	const char *id = lock_id_called(api, message);
	if (id == NULL) {
		return;
	}
	text_copy(attempt.lock_id, sizeof(attempt.lock_id), id);
	text_copy(attempt.by, sizeof(attempt.by), asker->name);
	if (read_attempt(message, &attempt, &fault) < 0) {
		reply_fault(message, &fault);
		return;
	}
	struct pending *pending = pending_new(api, message, PENDING_ID);
	if (pending == NULL) {
		return;
	}
	int r = hub_attempt_put(api->hub, &attempt, pending_done, pending, &fault);
	if (r >= 0) {
		memcpy(pending_id(pending), attempt.id, sizeof(attempt.id));
	}
	pending_asked(pending, r, &fault);
}

int lock_method_begin_attempt(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_OPERATE, begin_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}

/* An EndAttempt that looks for what was begun. The api may go meanwhile, the hub does not. */
struct ending {
	struct hub *hub;
	struct pending *pending;
	char id[ROW_ID_MAX];
	enum attempt_outcome outcome;
	char after[ATTEMPT_TEXT_MAX];
	wall_t at;
};

static int end_attempt(
	const struct ending *ending, const struct history *history, struct fault *ret_fault) {
	struct attempt attempt;
	size_t i = 0;
	while (i < history->n_attempts && strcmp(history->attempts[i].id, ending->id) != 0) {
		i++;
	}
	if (i == history->n_attempts) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"nothing with the id '%s' was begun at this lock", ending->id);
	}
	attempt = history->attempts[i];
	if (attempt.ended_at.s != 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "%s has ended already: %s",
			ending->id, attempt_outcome_name(attempt.outcome));
	}
	attempt.outcome = ending->outcome;
	attempt.ended_at = ending->at;
	memcpy(attempt.after, ending->after, sizeof(attempt.after));
	return hub_attempt_put(ending->hub, &attempt, pending_done, ending->pending, ret_fault);
}

static void on_begun(void *user, const struct history *history, const struct fault *fault) {
	struct ending *ending = user;
	struct fault refused = { 0 };
	if (fault != NULL) {
		pending_done(ending->pending, fault);
	} else if (end_attempt(ending, history, &refused) < 0) {
		pending_done(ending->pending, &refused);
	}
	free(ending);
}

static int read_ending(sd_bus_message *message, struct ending *ending, struct fault *ret_fault) {
	const char *id, *outcome, *after;
	if (sd_bus_message_read(message, "sss", &id, &outcome, &after) < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "id, outcome and after are texts");
	}
	if (attempt_outcome_from_name(outcome, &ending->outcome) < 0 ||
		ending->outcome == ATTEMPT_RUNNING) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"'%.32s' is no outcome; there are: helped, no-change, failed, abandoned, "
			"unverified",
			outcome);
	}
	int r = take_text(ending->id, sizeof(ending->id), id, "id", ret_fault);
	return r < 0 ? r
		     : take_text(ending->after, sizeof(ending->after), after, "after", ret_fault);
}

static void end_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	const char *id = lock_id_called(api, message);
	struct history_query query = { 0 };
	if (id == NULL) {
		return;
	}
	struct ending *ending = calloc(1, sizeof(*ending));
	if (ending == NULL) {
		fault_set(&fault, FAULT_NO_MEMORY, "ending an attempt");
		reply_fault(message, &fault);
		return;
	}
	ending->hub = api->hub;
	ending->at = now_of(api);
	if (read_ending(message, ending, &fault) < 0) {
		reply_fault(message, &fault);
		free(ending);
		return;
	}
	ending->pending = pending_new(api, message, PENDING_NOTHING);
	if (ending->pending == NULL) {
		free(ending);
		return;
	}
	/* Those that run are part of the answer whenever they began. */
	text_copy(query.lock_id, sizeof(query.lock_id), id);
	query.since = (wall_t){ ending->at.s - LOOK_BACK_S };
	hub_history(api->hub, &query, on_begun, ending);
}

int lock_method_end_attempt(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_OPERATE, end_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}

/* ------------------------------------------------------------------------- notes, batteries */

/* What these say is believed when the protection of a lock is judged. */
static bool is_hubs_own(const char *key) {
	return strcmp(key, LOCK_NOTE_PIN) == 0 || strcmp(key, LOCK_NOTE_WEAK) == 0;
}

static void note_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct note note = { .at = now_of(api) };
	struct fault fault = { 0 };
	const char *key, *text;
	const char *id = lock_id_called(api, message);
	if (id == NULL) {
		return;
	}
	text_copy(note.lock_id, sizeof(note.lock_id), id);
	int r = sd_bus_message_read(message, "ss", &key, &text) < 0
			? fault_set(&fault, FAULT_BAD_ARGUMENT, "key and text are texts")
			: take_text(note.key, sizeof(note.key), key, "the key of a note", &fault);
	if (r == 0) {
		r = take_text(note.text, sizeof(note.text), text, "a note", &fault);
	}
	if (r == 0 && is_hubs_own(note.key)) {
		r = fault_set(&fault, FAULT_BAD_ARGUMENT, "the note %s is the hub's own", note.key);
	}
	if (r < 0) {
		reply_fault(message, &fault);
		return;
	}
	struct pending *pending = pending_new(api, message, PENDING_NOTHING);
	if (pending != NULL) {
		r = hub_note_put(api->hub, &note, pending_done, pending, &fault);
		pending_asked(pending, r, &fault);
	}
}

int lock_method_set_note(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_OPERATE, note_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}

static void batteries_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	const char *id = lock_id_called(api, message);
	if (id == NULL) {
		return;
	}
	if (hub_battery_changed(api->hub, id, 1, &fault) < 0) {
		reply_fault(message, &fault);
		return;
	}
	sd_bus_reply_method_return(message, "");
}

int lock_method_battery_changed(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_OPERATE, batteries_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}
