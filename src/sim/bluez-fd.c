/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bluez.h"

/*
 * AcquireWrite and AcquireNotify: a SOCK_SEQPACKET pair, one packet is one value. The rules are
 * 5.66's: not on characteristics that only indicate, and only one holder.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct fd_link {
	struct gatt_char *chr;
	int fd; /* our end */
	struct loop_fd *watch;
	bool is_write;
};

static void close_link(struct fd_link **link, bool is_told, const char *property) {
	struct fd_link *gone = *link;
	if (gone == NULL) {
		return;
	}
	*link = NULL;
	loop_fd_free(gone->watch);
	close(gone->fd);
	if (is_told) {
		node_changed(&gone->chr->node, property, NULL);
	}
	free(gone);
}

void fd_close(struct gatt_char *chr, bool is_told) {
	close_link(&chr->write_fd, is_told, "WriteAcquired");
	close_link(&chr->notify_fd, is_told, "NotifyAcquired");
}

static void on_readable(void *user, int events) {
	struct fd_link *link = user;
	struct gatt_char *chr = link->chr;
	struct device *device = chr->service->device;
	uint8_t value[512];
	ssize_t n = recv(link->fd, value, sizeof(value), MSG_DONTWAIT);
	world_now(chr->node.bluez->world);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			bool is_write = link->is_write;
			close_link(is_write ? &chr->write_fd : &chr->notify_fd, true,
				is_write ? "WriteAcquired" : "NotifyAcquired");
		}
		return;
	}
	if (link->is_write && device_has_link(device) && chr->chr >= 0 &&
		(size_t) n <= device->mtu - 3U) {
		/* A packet over the limit is dropped without a word, as seen. */
		sim_lock_write(device->station->lock, device->lock_link, (unsigned) chr->chr, value,
			(size_t) n, sched_now(bluez_sched(chr->node.bluez)));
	}
}

static int acquire(struct gatt_char *chr, sd_bus_message *m, bool is_write) {
	int pair[2];
	struct fd_link *link = calloc(1, sizeof(*link));
	if (link == NULL) {
		return -ENOMEM;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		int r = -errno;
		free(link);
		return r;
	}
	*link = (struct fd_link){ .chr = chr, .fd = pair[0], .is_write = is_write };
	link->watch = loop_fd_new(chr->node.bluez->world->loop, pair[0], on_readable, link);
	if (link->watch == NULL || loop_fd_watch(link->watch, LOOP_READ) < 0) {
		loop_fd_free(link->watch);
		close(pair[0]);
		close(pair[1]);
		free(link);
		return -ENOMEM;
	}
	if (is_write) {
		chr->write_fd = link;
		node_changed(&chr->node, "WriteAcquired", NULL);
	} else {
		chr->notify_fd = link;
		node_changed(&chr->node, "NotifyAcquired", NULL);
	}
	int r = sd_bus_reply_method_return(m, "hq", pair[1], chr->service->device->mtu);
	close(pair[1]); /* the message has its own copy */
	return r;
}

int char_acquire_write(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct gatt_char *chr = container_of(user, struct gatt_char, node);
	if (!device_has_link(chr->service->device)) {
		return bluez_error(m, ERROR_FAILED, "Not connected");
	}
	if (chr->write_fd != NULL) {
		return bluez_error(m, ERROR_NOT_PERMITTED, "Write acquired");
	}
	if (!(chr->flags & SIM_FLAG_WRITE_COMMAND)) {
		return bluez_error(m, ERROR_NOT_SUPPORTED, "Operation is not supported");
	}
	return acquire(chr, m, true);
}

int char_acquire_notify(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct gatt_char *chr = container_of(user, struct gatt_char, node);
	struct device *device = chr->service->device;
	if (!device_has_link(device)) {
		return bluez_error(m, ERROR_FAILED, "Not connected");
	}
	if (chr->notify_fd != NULL) {
		return bluez_error(m, ERROR_NOT_PERMITTED, "Notify acquired");
	}
	if (!list_is_empty(&chr->clients)) {
		return bluez_error(m, ERROR_IN_PROGRESS, "In Progress");
	}
	if (!(chr->flags & SIM_FLAG_NOTIFY)) {
		return bluez_error(m, ERROR_NOT_SUPPORTED, "Operation is not supported");
	}
	int r = sim_lock_subscribe(
		device->station->lock, device->lock_link, (unsigned) chr->chr, true);
	return r < 0 ? bluez_error(m, ERROR_FAILED, "Failed to subscribe") : acquire(chr, m, false);
}

bool fd_deliver(struct gatt_char *chr, const uint8_t *value, size_t n) {
	if (chr->notify_fd == NULL) {
		return false;
	}
	/* A reader that is slow loses packets here as it does with the real one. */
	(void) !send(chr->notify_fd->fd, value, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return true;
}
