/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lockhubd --bus-introspect. The vtables are asked by sd-bus itself over a pair of sockets, so
 * that what is printed is what a client would see; no bus and no hub are needed.
 */

#include "room.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define ROUNDS_MAX 1000

struct question {
	const char *path;
	const char *interface;
	const char *node; /* as it stands in the document */
	const sd_bus_vtable *vtable;
};

static const struct question questions[] = {
	{ API_MANAGER_PATH, API_MANAGER_INTERFACE, "manager", manager_vtable },
	{ API_LOCK_PREFIX "/slug", API_LOCK_INTERFACE, "lock/slug", lock_vtable },
	{ API_USER_PREFIX "/slug", API_USER_INTERFACE, "user/slug", user_vtable },
	{ API_OPERATION_PREFIX "/id", API_OPERATION_INTERFACE, "operation/id", operation_vtable },
};

struct answerer {
	FILE *out;
	const struct question *question;
	int r; /* 1 until answered; then 0 or negative errno */
};

/* Prints the one interface that is ours out of the document about the object. */
static int on_document(sd_bus_message *reply, void *user, sd_bus_error *ret_error) {
	struct answerer *answerer = user;
	static const char end[] = "</interface>";
	const char *xml;
	char start[128];
	if (sd_bus_message_is_method_error(reply, NULL)) {
		answerer->r = -sd_bus_message_get_errno(reply);
		return 1;
	}
	answerer->r = sd_bus_message_read(reply, "s", &xml);
	if (answerer->r < 0) {
		return 1;
	}
	snprintf(start, sizeof(start), " <interface name=\"%s\">", answerer->question->interface);
	const char *from = strstr(xml, start);
	const char *to = from != NULL ? strstr(from, end) : NULL;
	if (to == NULL) {
		answerer->r = -EBADMSG;
		return 1;
	}
	fprintf(answerer->out, " <node name=\"%s\">\n %.*s%s\n </node>\n", answerer->question->node,
		(int) (to - from), from, end);
	answerer->r = 0;
	return 1;
}

static int start_end(sd_bus *bus, int fd, bool is_server) {
	sd_id128_t id = { .bytes = { 1 } }; /* anything but zero */
	int r = sd_bus_set_fd(bus, fd, fd);
	if (r >= 0) {
		r = sd_bus_set_anonymous(bus, true);
	}
	if (r >= 0 && is_server) {
		r = sd_bus_set_server(bus, true, id);
	}
	return r < 0 ? r : sd_bus_start(bus);
}

static int ask_all(sd_bus *server, sd_bus *client, FILE *out) {
	int r = 0;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(questions); i++) {
		struct answerer answerer = { out, &questions[i], 1 };
		sd_bus_slot *slot = NULL;
		r = sd_bus_add_object_vtable(server, NULL, questions[i].path,
			questions[i].interface, questions[i].vtable, NULL);
		if (r >= 0) {
			r = sd_bus_call_method_async(client, &slot, NULL, questions[i].path,
				"org.freedesktop.DBus.Introspectable", "Introspect", on_document,
				&answerer, NULL);
		}
		for (unsigned n = 0; r >= 0 && answerer.r > 0 && n < ROUNDS_MAX; n++) {
			r = sd_bus_process(server, NULL);
			if (r >= 0) {
				r = sd_bus_process(client, NULL);
			}
		}
		sd_bus_slot_unref(slot);
		if (r >= 0) {
			r = answerer.r > 0 ? -ETIMEDOUT : answerer.r;
		}
	}
	return r;
}

int api_print_introspection(FILE *out) {
	int pair[2];
	sd_bus *server = NULL, *client = NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		return -errno;
	}
	int r = sd_bus_new(&server);
	if (r >= 0) {
		r = sd_bus_new(&client);
	}
	if (r >= 0) {
		r = start_end(server, pair[0], true);
		pair[0] = -1;
	}
	if (r >= 0) {
		r = start_end(client, pair[1], false);
		pair[1] = -1;
	}
	if (r >= 0) {
		fputs("<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection "
		      "1.0//EN\"\n "
		      "\"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n"
		      "<node name=\"" API_ROOT "\">\n"
		      " <interface name=\"org.freedesktop.DBus.ObjectManager\"/>\n",
			out);
		r = ask_all(server, client, out);
		fputs("</node>\n", out);
	}
	sd_bus_close_unref(client);
	sd_bus_close_unref(server);
	return r < 0 ? r : ferror(out) ? -EIO : 0;
}
