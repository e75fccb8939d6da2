/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Record: a lock's transcript goes to whoever asked for it, one packet a line. Never waited for: a
 * reader that is too slow misses lines and is told how many.
 */

#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/log.h"

struct api_record {
	struct list link;
	struct api *api;
	int fd;
	struct loop_fd *watch; /* that the reader hangs up */
	unsigned n_dropped;
};

static void record_free(struct api_record *record) {
	hub_record_stop(record->api->hub, record);
	list_remove(&record->link);
	loop_fd_free(record->watch);
	if (record->fd >= 0) {
		close(record->fd);
	}
	free(record);
}

/* 0, -EAGAIN, or -EPIPE and the like: nobody reads any more. */
static int send_line(const struct api_record *record, const char *line) {
	ssize_t n = send(record->fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);

	return n >= 0 ? 0 : errno == ENOBUFS ? -EAGAIN : -errno;
}

static void on_line(void *user, const char *line) {
	struct api_record *record = user;
	char remark[64];
	int r = 0;

	if (line == NULL) {
		record_free(record);
		return;
	}
	if (record->n_dropped > 0) {
		snprintf(remark, sizeof(remark), "# %u lines are missing: read too slowly",
			record->n_dropped);
		r = send_line(record, remark);
		record->n_dropped = r == 0 ? 0 : record->n_dropped;
	}
	if (r == 0) {
		r = send_line(record, line);
	}
	if (r == -EAGAIN) {
		record->n_dropped++;
	} else if (r < 0) {
		record_free(record);
	}
}

/* Nothing is ever sent to us: readable means closed. */
static void on_hung_up(void *user, int events) {
	record_free(user);
}

int record_take_socket(sd_bus_message *message, struct fault *ret_fault) {
	int borrowed = -1, type = 0;
	socklen_t n = sizeof(type);

	if (sd_bus_message_read(message, "h", &borrowed) < 0 ||
		getsockopt(borrowed, SOL_SOCKET, SO_TYPE, &type, &n) < 0 ||
		type != SOCK_SEQPACKET) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"what comes goes to a socket of type SOCK_SEQPACKET");
	}
	int fd = fcntl(borrowed, F_DUPFD_CLOEXEC, 3);
	return fd >= 0 ? fd
		       : fault_set(ret_fault, FAULT_NO_MEMORY, "a copy of the socket: %s",
				 strerror(errno));
}

void record_start(struct api *api, sd_bus_message *message, const struct lock *lock,
	const struct asker *asker) {
	struct fault fault = { 0 };
	int fd = record_take_socket(message, &fault);

	if (fd < 0) {
		reply_fault(message, &fault);
		return;
	}
	struct api_record *record = calloc(1, sizeof(*record));
	if (record == NULL) {
		close(fd);
		fault_set(&fault, FAULT_NO_MEMORY, "recording");
		reply_fault(message, &fault);
		return;
	}
	record->api = api;
	record->fd = fd;
	list_append(&api->records, &record->link);
	record->watch = loop_fd_new(api->loop, fd, on_hung_up, record);
	if (record->watch == NULL || loop_fd_watch(record->watch, LOOP_READ) < 0) {
		fault_set(&fault, FAULT_NO_MEMORY, "watching the socket");
	} else if (hub_record_start(api->hub, lock_id(lock), on_line, record, &fault) >= 0) {
		log_info("%s records what is said to %s", asker->name, lock_slug(lock));
		sd_bus_reply_method_return(message, NULL);
		return;
	}
	record_free(record);
	reply_fault(message, &fault);
}

void records_free(struct api *api) {
	struct api_record *record, *following;

	list_for_each_safe(record, following, &api->records, link) {
		record_free(record);
	}
}
