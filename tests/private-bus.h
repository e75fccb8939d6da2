/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/*
 * A dbus-daemon of the test's own, in a folder of its own under /tmp, which allows everything to
 * everybody. It dies with the test. Add private_bus_sources to the sources of the test.
 */

struct private_bus;

/* The folder and the address, no daemon yet. NULL: no memory or no folder. */
struct private_bus *private_bus_new(void);
/* Stops it and removes the folder. Takes NULL, returns NULL. */
struct private_bus *private_bus_free(struct private_bus *bus);
const char *private_bus_address(const struct private_bus *bus);
/* Returns when it accepts connections. The address stays the same from start to start. */
bool private_bus_start(struct private_bus *bus);
/* As by kill -9. */
void private_bus_kill(struct private_bus *bus);
/* Stops or continues the daemon's process, so that it is there but says nothing. */
void private_bus_freeze(struct private_bus *bus, bool is_frozen);
