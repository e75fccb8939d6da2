/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sd-bus pumped by the loop. One private connection per struct bus; asynchronous calls only after
 * start-up (L5). What the pump does, and why, is told in src/loop/bus.c.
 *
 *	struct bus *bus = bus_new(loop, "lockhubd", address, &impl, user);
 *	bus_open(bus);
 *	sd_bus_call_async(bus_sd(bus), ...);      then    bus_kick(bus)
 *
 * Anything that queues on the connection outside of a callback from it must be followed by
 * bus_kick(); inside callbacks that come from the pump it is not needed (but harmless).
 */

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "loop/loop.h"

struct bus;

struct bus_user {
	/* Connected and has a unique name. */
	void (*up)(void *user);
	/* The connection is gone; all sd-bus slots are dead: drop them now. It reopens by itself.
	 */
	void (*down)(void *user, int error);
};

/*
 * @address: a D-Bus address, or NULL: DBUS_SYSTEM_BUS_ADDRESS or the system bus.
 * @user_impl may be NULL. NULL: no memory.
 */
struct bus *bus_new(struct loop *loop, const char *description, const char *address,
	const struct bus_user *user_impl, void *user);
/* Closes and frees; down() is not called. All slots must have been unreferenced before. */
struct bus *bus_free(struct bus *bus);
AUTO_DEFINE(struct bus *, bus_free);

/*
 * Starts to connect; reopens with back-off 1..30 s whenever it fails or the connection is lost.
 * Never blocks but for the connect to the local socket itself. 0 or negative errno of the first try
 * (in which case it goes on trying).
 */
int bus_open(struct bus *bus);
/* NULL while there is no connection. */
sd_bus *bus_sd(struct bus *bus);
/* Sends what is queued and handles what has arrived, soon, from the loop. */
void bus_kick(struct bus *bus);
/*
 * Handles what has arrived, now: for deadline handlers, before they judge.
 * Callbacks run from inside this call. @return false when the connection was lost meanwhile.
 */
bool bus_drain(struct bus *bus);
/*
 * Each entry of the a{sv} at which @message stands. @fn reads the variant behind @name or skips it;
 * the first negative errno of @fn or of reading ends it and is returned. 0.
 */
int bus_each_property(sd_bus_message *message,
	int (*fn)(sd_bus_message *message, const char *name, void *user), void *user);
/* Handled messages since the beginning: for the benchmark of idle wake-ups. */
uint64_t bus_messages(const struct bus *bus);
