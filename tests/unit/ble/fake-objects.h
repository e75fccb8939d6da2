/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What BlueZ's objects look like; for fake-bluez.c only. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake-bluez.h"

#define OM "org.freedesktop.DBus.ObjectManager"
#define MONITOR_MANAGER "org.bluez.AdvertisementMonitorManager1"
#define PROPS "org.freedesktop.DBus.Properties"

#define CHECK(expression)                                                                          \
	do {                                                                                       \
		int check_ = (expression);                                                         \
		if (check_ < 0) {                                                                  \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #expression,        \
				strerror(-check_));                                                \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* PropertiesChanged of the advertised data alone. */
void fake_device_data(struct fake_device *device, uint8_t state);
bool fake_has_monitors(const struct fake *fake);
/* The calls of AdvertisementMonitorManager1; fake-monitor.c. */
void fake_call_monitors(
	struct fake *fake, unsigned index, const char *member, sd_bus_message *call);
void fake_monitors_forget(struct fake *fake);
void fake_put(sd_bus_message *m, const char *name, const char *type, ...);
void fake_put_data(sd_bus_message *m, const struct fake_device *device);
void fake_put_adapter(sd_bus_message *m, const struct fake *fake, unsigned index);
void fake_put_device(sd_bus_message *m, const struct fake_device *device);
void fake_service_path(const struct fake_device *device, char out[128]);
void fake_characteristic_path(const struct fake_device *device, unsigned n, char out[128]);
void fake_open_object(sd_bus_message *m, const char *path, const char *interface);
void fake_close_object(sd_bus_message *m);
void fake_put_service_object(sd_bus_message *m, const struct fake_device *device);
void fake_put_characteristic_object(
	sd_bus_message *m, const struct fake_device *device, unsigned n);
