/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Listen: how strongly a lock is heard goes to whoever asked, one packet each time. Never waited
 * for: a reader that is too slow misses some.
 */

#include "room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/log.h"

#define LISTENS_MAX 8
/* Somebody who moves a hub about is done by then; a program that forgot to hang up as well. */
#define LISTEN_MAX_MS (60 * 60 * 1000)

struct api_listen {
	struct list link;
	struct api *api;
	char lock_id[LOCK_ID_MAX];
	int fd;
	bool is_listening;     /* hub_listen() counts it */
	struct loop_fd *watch; /* that the reader hangs up */
	struct loop_timer *end;
	struct listener heard, removed;
};

static void listen_free(struct api_listen *self) {
	if (self->is_listening) {
		listener_remove(&self->heard);
		listener_remove(&self->removed);
		hub_listen_stop(self->api->hub);
	}
	list_remove(&self->link);
	self->api->n_listens--;
	loop_fd_free(self->watch);
	loop_timer_free(self->end);
	close(self->fd);
	free(self);
}

static void on_heard(struct listener *listener, void *data) {
	struct api_listen *self = container_of(listener, struct api_listen, heard);
	const struct hub_heard *heard = data;
	char line[64 + RADIO_ADDRESS_MAX];

	if (heard->rssi == 0 || strcmp(lock_id(heard->lock), self->lock_id) != 0) {
		return;
	}
	int n = snprintf(line, sizeof(line), "{\"rssi\": %d, \"adapter\": \"%s\"}", heard->rssi,
		heard->adapter);
	if (send(self->fd, line, (size_t) n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN &&
		errno != ENOBUFS) {
		listen_free(self);
	}
}

static void on_removed(struct listener *listener, void *data) {
	struct api_listen *self = container_of(listener, struct api_listen, removed);

	if (strcmp(lock_id(data), self->lock_id) == 0) {
		listen_free(self);
	}
}

/* Nothing is ever sent to us: readable means closed. */
static void on_hung_up(void *user, int events) {
	listen_free(user);
}

static void on_end(void *user) {
	listen_free(user);
}

static struct api_listen *listen_new(struct api *api, const struct lock *lock, int take_fd) {
	struct api_listen *self = calloc(1, sizeof(*self));

	if (self == NULL) {
		close(take_fd);
		return NULL;
	}
	self->api = api;
	self->fd = take_fd;
	text_copy(self->lock_id, sizeof(self->lock_id), lock_id(lock));
	list_append(&api->listens, &self->link);
	api->n_listens++;
	self->watch = loop_fd_new(api->loop, take_fd, on_hung_up, self);
	self->end = loop_timer_new(api->loop, on_end, self);
	if (self->watch == NULL || self->end == NULL || loop_fd_watch(self->watch, LOOP_READ) < 0) {
		listen_free(self);
		return NULL;
	}
	loop_timer_arm(self->end, LISTEN_MAX_MS);
	return self;
}

/* @return the new one, or NULL with a fault. */
static struct api_listen *begin(struct api *api, sd_bus_message *message, const struct lock *lock,
	struct fault *ret_fault) {
	struct hub_signals *signals = hub_signals(api->hub);

	if (api->n_listens >= LISTENS_MAX) {
		fault_set(ret_fault, FAULT_QUEUE_FULL, "%d listen already", LISTENS_MAX);
		return NULL;
	}
	int fd = record_take_socket(message, ret_fault);
	if (fd < 0) {
		return NULL;
	}
	struct api_listen *self = listen_new(api, lock, fd);
	if (self == NULL) {
		fault_set(ret_fault, FAULT_NO_MEMORY, "listening");
		return NULL;
	}
	if (hub_listen(api->hub, ret_fault) < 0) {
		listen_free(self);
		return NULL;
	}
	self->is_listening = true;
	signal_add(&signals->heard, &self->heard, on_heard);
	signal_add(&signals->lock_removed, &self->removed, on_removed);
	return self;
}

void listen_start(struct api *api, sd_bus_message *message, const struct lock *lock,
	const struct asker *asker) {
	struct fault fault = { 0 };

	if (begin(api, message, lock, &fault) == NULL) {
		reply_fault(message, &fault);
		return;
	}
	log_info("%s listens to %s", asker->name, lock_slug(lock));
	sd_bus_reply_method_return(message, NULL);
}

void listens_free(struct api *api) {
	struct api_listen *self, *following;

	list_for_each_safe(self, following, &api->listens, link) {
		listen_free(self);
	}
}
