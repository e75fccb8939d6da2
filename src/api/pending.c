/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Changes of the book: the caller hears when the database has them, or why it has not. A change
 * whose connection has gone meanwhile is not answered; it waits for the database all the same.
 */

#include "room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pending {
	struct late late;
	enum pending_answer answer;
	char id[ROW_ID_MAX];
	struct secret pin;
};

static void pending_free(struct pending *pending) {
	late_end(&pending->late);
	secret_wipe(&pending->pin);
	free(pending);
}

struct pending *pending_new(struct api *api, sd_bus_message *message, enum pending_answer answer) {
	struct fault fault;
	struct pending *pending = api->pending.n < PENDING_MAX ? calloc(1, sizeof(*pending)) : NULL;
	if (pending == NULL) {
		fault_set(&fault, FAULT_QUEUE_FULL, "%u changes wait for the database",
			api->pending.n);
		reply_fault(message, &fault);
		return NULL;
	}
	pending->answer = answer;
	late_begin(&pending->late, &api->pending, api, message);
	return pending;
}

char *pending_id(struct pending *pending) {
	return pending->id;
}

struct secret *pending_pin(struct pending *pending) {
	return &pending->pin;
}

static int append_pin(sd_bus_message *reply, struct secret *pin) {
	char text[PIN_LEN_MAX + 1] = "";
	size_t n = pin->len < sizeof(text) ? pin->len : sizeof(text) - 1;
	memcpy(text, pin->bytes, n);
	int r = sd_bus_message_append(reply, "s", text);
	wipe(text, sizeof(text));
	return r;
}

static int append_answer(sd_bus_message *reply, struct pending *pending) {
	char path[API_PATH_MAX];
	const struct user *user;
	int r;
	switch (pending->answer) {
	case PENDING_NOTHING:
		return 0;
	case PENDING_ID:
		return sd_bus_message_append(reply, "s", pending->id);
	case PENDING_ID_PIN:
		r = sd_bus_message_append(reply, "s", pending->id);
		return r < 0 ? r : append_pin(reply, &pending->pin);
	case PENDING_PIN:
		return append_pin(reply, &pending->pin);
	case PENDING_USER:
		user = book_user(hub_book(pending->late.api->hub), pending->id);
		return sd_bus_message_append(reply, "o",
			user != NULL ? object_path(&user_kind, user->slug, path) : API_ROOT);
	}
	return -EINVAL;
}

static void answer(struct pending *pending) {
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(pending->late.message, &reply);
	if (r >= 0 && (pending->answer == PENDING_ID_PIN || pending->answer == PENDING_PIN)) {
		/* To the caller alone, and gone from our memory when it is sent. */
		r = sd_bus_message_sensitive(reply);
	}
	if (r >= 0) {
		r = append_answer(reply, pending);
	}
	late_answer(&pending->late, reply, r);
}

void pending_done(void *user, const struct fault *fault) {
	struct pending *pending = user;
	if (!late_refuse(&pending->late, fault)) {
		answer(pending);
	}
	pending_free(pending);
}

void pending_asked(struct pending *pending, int r, const struct fault *fault) {
	if (r < 0) {
		reply_fault(pending->late.message, fault);
		pending_free(pending);
	}
}

struct people_by by_asker(const struct asker *asker) {
	return (struct people_by){ .actor = asker->name, .role = asker->role };
}
