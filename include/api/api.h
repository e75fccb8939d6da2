/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The D-Bus service org.lockhub1 (man/org.lockhub1.5.scd): the hub as objects on the system bus.
 * Holds no state of its own but which objects it has shown. Handlers parse, find out who asks
 * (polkit, or root and the group), and call core; answers that need the database or the radio come
 * later, from the loop. Loop thread only.
 *
 * The connection is its own and reopens by itself: whatever happens to the bus, the daemon goes on
 * serving its locks, and the objects come back with the bus.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/auto.h"

struct api;
struct diag;
struct fault;
struct hub;
struct loop;
struct vault;

/* Where the daemon puts what only it knows into Manager.Status. Valid during the call only. */
struct api_status;
void api_status_text(struct api_status *status, const char *key, const char *value);
void api_status_number(struct api_status *status, const char *key, int64_t value);
void api_status_flag(struct api_status *status, const char *key, bool value);
/* key = "ok" or the fault's name; key_text and key_hint with it. */
void api_status_fault(struct api_status *status, const char *key, const struct fault *fault);

struct api_config {
	const char *address; /* D-Bus address; NULL: DBUS_SYSTEM_BUS_ADDRESS or the system bus */
	const char *version; /* of the daemon; NULL: LOCKHUB_VERSION */
	const char *group; /* who may view and operate where there is no polkit; NULL: "lockhub" */
	/* Adds keys ("mqtt", "database_bytes" ...) to Manager.Status; may be NULL. */
	void (*add_status)(void *user, struct api_status *status);
	void *user;
	struct vault *vault; /* who keeps backups; NULL: nobody. May answer after api_free() */
	struct diag *diag;   /* the troubleshooter; NULL: none. May answer after api_free() */
};

/*
 * @config is copied. Registers with the hub's signals and begins to connect; that the bus is not
 * there is logged and not an error. NULL: no memory. @loop and @hub must outlive it.
 */
struct api *api_new(struct loop *loop, struct hub *hub, const struct api_config *config);
/* Takes NULL, returns NULL. Calls not yet answered are dropped. */
struct api *api_free(struct api *api);
AUTO_DEFINE(struct api *, api_free);

/* Something behind add_status has changed: listeners are told to read Manager.Status again. */
void api_status_changed(struct api *api);

/* FAULT_NONE, or why nobody can reach us by D-Bus at the moment. */
const struct fault *api_fault(const struct api *api);

/*
 * For the watchdog, asked at a third of its interval: false when the connection is up and has not
 * answered a ping sent by an earlier call at least API_PATIENCE_MS ago. A lost bus is no reason to
 * be restarted, so it counts as true.
 */
#define API_PATIENCE_MS 8000
bool api_answered_lately(struct api *api);

/*
 * Prints the interfaces as one introspection document (lockhubd --bus-introspect); needs no bus.
 * 0 or negative errno.
 */
int api_print_introspection(FILE *out);
