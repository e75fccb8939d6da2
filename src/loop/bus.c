/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/bus.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The pump. After everything that may have queued something, and after every wake:
 *
 *  1. sd_bus_process() until it returns 0, but at most PUMP_MAX times in a turn, so that a flood of
 *     signals cannot starve the rest of the program;
 *  2. sd_bus_get_events() says what the socket is watched for;
 *  3. sd_bus_get_timeout() says when to come back although the socket is quiet. It is absolute
 *     CLOCK_MONOTONIC, rounded up here. Zero means at once: messages may be queued inside the
 * library while the mask lacks POLLIN, and after the connection died sd_bus_process() returns 0
 * with events 0 and timeout 0 when the Disconnected signal is still to come. Who only waits for the
 *     socket after a 0 never learns that the bus has gone.
 *
 * Losing the connection shows as org.freedesktop.DBus.Local.Disconnected, after all pending calls
 * have failed. sd-bus closes the socket just before it, so the watch is taken away as soon as the
 * connection is seen closing: the number of a closed descriptor may belong to somebody else
 * already.
 *
 * sd-bus judges the time-outs of calls before it reads the socket: after a stall, answers that lie
 * in the socket look as if they never came. Therefore time-outs of calls are generous backstops
 * here, and deadline handlers call bus_drain() before they judge: although the loop calls timers
 * after sockets, only PUMP_MAX messages have been handled by then.
 */

#define PUMP_MAX 64    /* messages in one turn */
#define DRAIN_MAX 4096 /* messages in one bus_drain() */
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 30000
#define CALL_TIMEOUT_US (30 * UINT64_C(1000000))
#define SYSTEM_BUS_ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define MATCH_LOCAL                                                                                \
	"type='signal',sender='org.freedesktop.DBus.Local',"                                       \
	"path='/org/freedesktop/DBus/Local',interface='org.freedesktop.DBus.Local',"

struct bus {
	struct loop *loop;
	char *description;
	char *address;    /* one or several, separated by ';' */
	size_t n_address; /* the one that is tried next */
	const struct bus_user *impl;
	void *user;

	sd_bus *sd; /* NULL while there is no connection, not even one being made */
	struct loop_fd *watch;
	struct loop_timer *pump_timer;
	struct loop_timer *retry_timer;
	uint64_t backoff_ms;
	int error; /* the connection is over: why; 0 while it is good */
	bool is_up;
	bool is_pumping; /* inside sd_bus_process() or up() or down() */
	bool is_dying;   /* bus_free() was called there */
	uint64_t n_messages;
};

static bool bus_pump(struct bus *bus, unsigned max);

/* The @index-th of the addresses, counted around; NULL: no memory. */
static char *pick_address(const char *addresses, size_t index) {
	size_t n = 1;
	for (const char *at = addresses; *at != '\0'; at++) {
		n += *at == ';' && at[1] != '\0';
	}
	index %= n;
	while (index > 0) {
		addresses = strchr(addresses, ';') + 1;
		index--;
	}
	return strndup(addresses, strcspn(addresses, ";"));
}

static int on_connected(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct bus *bus = user;
	(void) message;
	(void) ret_error;
	bus->is_up = true;
	bus->backoff_ms = BACKOFF_MIN_MS;
	if (bus->impl != NULL && bus->impl->up != NULL) {
		bus->impl->up(bus->user);
	}
	return 0;
}

static int on_disconnected(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct bus *bus = user;
	(void) message;
	(void) ret_error;
	bus->error = -ECONNRESET;
	return 0;
}

static void on_socket(void *user, int events) {
	(void) events; /* whatever it is, sd-bus finds out by itself */
	(void) bus_pump(user, PUMP_MAX);
}

static void on_pump_timer(void *user) {
	(void) bus_pump(user, PUMP_MAX);
}

static void bus_reopen_later(struct bus *bus) {
	loop_timer_arm(bus->retry_timer, bus->backoff_ms);
	bus->backoff_ms *= 2;
	if (bus->backoff_ms > BACKOFF_MAX_MS) {
		bus->backoff_ms = BACKOFF_MAX_MS;
	}
}

/* Only outside of sd_bus_process(). */
static void bus_release(struct bus *bus) {
	bus->watch = loop_fd_free(bus->watch); /* before the socket */
	loop_timer_disarm(bus->pump_timer);
	bus->sd = sd_bus_close_unref(bus->sd);
	bus->is_up = false;
}

static void bus_lose(struct bus *bus) {
	bool was_up = bus->is_up;
	bus->watch = loop_fd_free(bus->watch);
	loop_timer_disarm(bus->pump_timer);
	bus->is_up = false;
	if (was_up && bus->impl != NULL && bus->impl->down != NULL) {
		/* The slots are given back while their connection is still there. */
		bus->is_pumping = true;
		bus->impl->down(bus->user, bus->error);
		bus->is_pumping = false;
	}
	bus_release(bus);
	if (!bus->is_dying) {
		bus_reopen_later(bus);
	}
}

static uint64_t monotonic_us(void) {
	struct timespec ts = { 0 };
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

/* Steps 2 and 3. 0 or negative errno: the connection is over. */
static int bus_arm(struct bus *bus) {
	int events = sd_bus_is_open(bus->sd) > 0 ? sd_bus_get_events(bus->sd) : 0;
	if (events < 0) {
		return events;
	}
	if (bus->watch == NULL && events != 0) {
		int fd = sd_bus_get_fd(bus->sd);
		if (fd < 0) {
			return fd;
		}
		bus->watch = loop_fd_new(bus->loop, fd, on_socket, bus);
		if (bus->watch == NULL) {
			return -errno;
		}
	}
	if (bus->watch != NULL) {
		int r = loop_fd_watch(
			bus->watch, ((events & POLLIN) != 0 ? LOOP_READ : 0) |
					    ((events & POLLOUT) != 0 ? LOOP_WRITE : 0));
		if (r < 0) {
			return r;
		}
	}

	uint64_t due_us = UINT64_MAX;
	int r = sd_bus_get_timeout(bus->sd, &due_us);
	if (r < 0) {
		return r;
	}
	if (due_us == UINT64_MAX) {
		loop_timer_disarm(bus->pump_timer);
	} else {
		uint64_t now_us = monotonic_us();
		loop_timer_arm(
			bus->pump_timer, due_us > now_us ? (due_us - now_us + 999) / 1000 : 0);
	}
	return 0;
}

/* @return false when there is no connection afterwards; then the bus may even be freed. */
static bool bus_pump(struct bus *bus, unsigned max) {
	if (bus->sd == NULL || bus->is_pumping) {
		/* Who called us from a callback of the pump is inside the loop below. */
		return bus_sd(bus) != NULL;
	}

	int r = 1;
	bus->is_pumping = true;
	for (unsigned i = 0; i < max && r > 0 && bus->error == 0 && !bus->is_dying; i++) {
		if (sd_bus_is_open(bus->sd) <= 0) {
			bus->watch = loop_fd_free(bus->watch);
		}
		r = sd_bus_process(bus->sd, NULL);
		if (r > 0) {
			bus->n_messages++;
		} else if (r < 0 && bus->error == 0) {
			bus->error = r;
		}
	}
	bus->is_pumping = false;

	if (!bus->is_dying && bus->error == 0) {
		bus->error = bus_arm(bus);
		if (bus->error == 0 && r > 0) {
			loop_timer_arm(bus->pump_timer, 0); /* more to do, but others first */
		}
	}
	if (!bus->is_dying && bus->error < 0) {
		bus_lose(bus);
	}
	if (bus->is_dying) {
		bus_free(bus);
		return false;
	}
	return bus_sd(bus) != NULL;
}

/* Makes bus->sd and starts to connect it. */
static int bus_connect(struct bus *bus) {
	char *address = pick_address(bus->address, bus->n_address++);
	sd_bus *sd = NULL;
	int r = address != NULL ? sd_bus_new(&sd) : -ENOMEM;
	if (r >= 0) {
		(void) sd_bus_set_description(sd, bus->description);
		(void) sd_bus_set_method_call_timeout(sd, CALL_TIMEOUT_US);
		(void) sd_bus_set_connected_signal(sd, true);
		(void) sd_bus_set_bus_client(sd, true);
		(void) sd_bus_negotiate_fds(sd, true);
		r = sd_bus_set_address(sd, address);
	}
	/* Rules on Local are not sent to the bus, so nothing blocks here. */
	if (r >= 0) {
		r = sd_bus_add_match(sd, NULL, MATCH_LOCAL "member='Connected'", on_connected, bus);
	}
	if (r >= 0) {
		r = sd_bus_add_match(
			sd, NULL, MATCH_LOCAL "member='Disconnected'", on_disconnected, bus);
	}
	if (r >= 0) {
		r = sd_bus_start(sd);
	}
	free(address);
	if (r < 0) {
		sd_bus_close_unref(sd);
		return r;
	}
	bus->sd = sd;
	bus->error = 0;
	r = bus_arm(bus);
	if (r < 0) {
		bus_release(bus);
		return r;
	}
	return 0;
}

static void on_retry(void *user) {
	(void) bus_open(user);
}

int bus_open(struct bus *bus) {
	if (bus->sd != NULL) {
		return 0;
	}
	loop_timer_disarm(bus->retry_timer);
	int r = bus_connect(bus);
	if (r < 0) {
		bus_reopen_later(bus);
		return r;
	}
	return 0;
}

struct bus *bus_new(struct loop *loop, const char *description, const char *address,
	const struct bus_user *user_impl, void *user) {
	struct bus *bus = calloc(1, sizeof(*bus));
	if (bus == NULL) {
		return NULL;
	}
	if (address == NULL) {
		address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	}
	if (address == NULL || address[0] == '\0') {
		address = SYSTEM_BUS_ADDRESS;
	}
	bus->loop = loop;
	bus->impl = user_impl;
	bus->user = user;
	bus->backoff_ms = BACKOFF_MIN_MS;
	bus->description = strdup(description);
	bus->address = strdup(address);
	bus->pump_timer = loop_timer_new(loop, on_pump_timer, bus);
	bus->retry_timer = loop_timer_new(loop, on_retry, bus);
	if (bus->description == NULL || bus->address == NULL || bus->pump_timer == NULL ||
		bus->retry_timer == NULL) {
		return bus_free(bus);
	}
	return bus;
}

struct bus *bus_free(struct bus *bus) {
	if (bus == NULL) {
		return NULL;
	}
	if (bus->is_pumping) {
		bus->is_dying = true; /* the pump frees it on its way out */
		return NULL;
	}
	if (bus->sd != NULL) {
		bus_release(bus);
	}
	loop_timer_free(bus->pump_timer);
	loop_timer_free(bus->retry_timer);
	free(bus->address);
	free(bus->description);
	free(bus);
	return NULL;
}

sd_bus *bus_sd(struct bus *bus) {
	return bus->is_up && bus->error == 0 ? bus->sd : NULL;
}

void bus_kick(struct bus *bus) {
	if (bus->sd != NULL && !bus->is_pumping) {
		loop_timer_arm(bus->pump_timer, 0);
	}
}

bool bus_drain(struct bus *bus) {
	return bus_pump(bus, DRAIN_MAX);
}

int bus_each_property(sd_bus_message *message,
	int (*fn)(sd_bus_message *message, const char *name, void *user), void *user) {
	const char *name = NULL;
	int r = sd_bus_message_enter_container(message, 'a', "{sv}");

	if (r < 0) {
		return r;
	}
	while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
		r = sd_bus_message_read_basic(message, 's', &name);
		if (r >= 0) {
			r = fn(message, name, user);
		}
		if (r >= 0) {
			r = sd_bus_message_exit_container(message);
		}
		if (r < 0) {
			return r;
		}
	}
	if (r >= 0) {
		r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : 0;
}

uint64_t bus_messages(const struct bus *bus) {
	return bus->n_messages;
}
