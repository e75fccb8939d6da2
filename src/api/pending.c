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
	struct list link;
	struct api *api;         /* NULL once the api or the connection has gone */
	sd_bus_message *message; /* likewise */
	enum pending_answer answer;
	char id[ROW_ID_MAX];
	struct secret pin;
};

static void pending_free(struct pending *pending) {
	if (pending->api != NULL) {
		pending->api->n_pending--;
	}
	list_remove(&pending->link);
	sd_bus_message_unref(pending->message);
	secret_wipe(&pending->pin);
	free(pending);
}

struct pending *pending_new(struct api *api, sd_bus_message *message, enum pending_answer answer) {
	struct fault fault;
	struct pending *pending = api->n_pending < PENDING_MAX ? calloc(1, sizeof(*pending)) : NULL;
	if (pending == NULL) {
		fault_set(&fault, FAULT_QUEUE_FULL, "%u changes wait for the database",
			api->n_pending);
		reply_fault(message, &fault);
		return NULL;
	}
	pending->api = api;
	pending->message = sd_bus_message_ref(message);
	pending->answer = answer;
	list_append(&api->pending, &pending->link);
	api->n_pending++;
	return pending;
}

char *pending_id(struct pending *pending) {
	return pending->id;
}

struct secret *pending_pin(struct pending *pending) {
	return &pending->pin;
}

void pending_drop_all(struct api *api) {
	struct pending *each, *following;
	list_for_each_safe(each, following, &api->pending, link) {
		list_remove(&each->link);
		list_init(&each->link);
		each->message = sd_bus_message_unref(each->message);
		each->api = NULL;
	}
	api->n_pending = 0;
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
		user = book_user(hub_book(pending->api->hub), pending->id);
		return sd_bus_message_append(reply, "o",
			user != NULL ? object_path(&user_kind, user->slug, path) : API_ROOT);
	}
	return -EINVAL;
}

static void answer(struct pending *pending) {
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(pending->message, &reply);
	if (r >= 0 && (pending->answer == PENDING_ID_PIN || pending->answer == PENDING_PIN)) {
		/* To the caller alone, and gone from our memory when it is sent. */
		r = sd_bus_message_sensitive(reply);
	}
	if (r >= 0) {
		r = append_answer(reply, pending);
	}
	if (r >= 0) {
		r = sd_bus_send(NULL, reply, NULL);
	}
	if (r < 0) {
		sd_bus_reply_method_errno(pending->message, r, NULL);
	}
	sd_bus_message_unref(reply);
}

void pending_done(void *user, const struct fault *fault) {
	struct pending *pending = user;
	if (pending->message != NULL) {
		if (fault != NULL && fault->code != FAULT_NONE) {
			reply_fault(pending->message, fault);
		} else {
			answer(pending);
		}
		bus_kick(pending->api->bus);
	}
	pending_free(pending);
}

void pending_asked(struct pending *pending, int r, const struct fault *fault) {
	if (r < 0) {
		reply_fault(pending->message, fault);
		pending_free(pending);
	}
}

struct people_by by_asker(const struct asker *asker) {
	return (struct people_by){ .actor = asker->name, .role = asker->role };
}
