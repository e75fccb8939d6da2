/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A bond is BlueZ's own: lockhubd makes none and needs none, but somebody may have paired the lock
 * with this machine by other means, and then BlueZ keeps its keys. Who asks here is the person, not
 * the hub: taking devices away is BlueZ's to allow.
 */

#include "room.h"

#include <string.h>

#define BLUEZ "org.bluez"
#define BLUEZ_TIMEOUT_US (5 * 1000000ULL)

static sd_bus_message *ask(struct ctl *ctl, const char *path, const char *interface,
	const char *member, const char *device) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_call(ctl->bus, &call, BLUEZ, path, interface, member);
	if (r >= 0) {
		(void) sd_bus_message_set_auto_start(call, 0);
	}
	if (r >= 0 && device != NULL) {
		r = sd_bus_message_append(call, "o", device);
	}
	if (r < 0 || sd_bus_call(ctl->bus, call, BLUEZ_TIMEOUT_US, NULL, &reply) < 0) {
		return NULL;
	}
	return reply;
}

static bool is_bonded_as(const json_t *properties, const char *address) {
	const char *its = json_string_value(json_object_get(properties, "Address"));
	/* Bonded came after 5.66. */
	return its != NULL && strcasecmp(its, address) == 0 &&
	       (json_is_true(json_object_get(properties, "Bonded")) ||
		       json_is_true(json_object_get(properties, "Paired")));
}

static bool remove_one(struct ctl *ctl, const char *path, const json_t *properties) {
	const char *adapter = json_string_value(json_object_get(properties, "Adapter"));
	AUTO(sd_bus_message_unref)
	sd_bus_message *reply =
		adapter == NULL ? NULL
				: ask(ctl, adapter, "org.bluez.Adapter1", "RemoveDevice", path);
	return reply != NULL;
}

enum bond bond_remove(struct ctl *ctl, const char *address) {
	AUTO(sd_bus_message_unref)
	sd_bus_message *reply =
		ask(ctl, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL);
	AUTO(json_decref) json_t *objects = reply != NULL ? wire_read(reply) : NULL;
	enum bond bond = BOND_NONE;
	const char *path;
	json_t *interfaces;
	if (!json_is_object(objects)) {
		return BOND_UNKNOWN;
	}
	json_object_foreach(objects, path, interfaces) {
		const json_t *properties = json_object_get(interfaces, "org.bluez.Device1");
		if (!is_bonded_as(properties, address)) {
			continue;
		}
		if (!remove_one(ctl, path, properties)) {
			return BOND_KEPT;
		}
		bond = BOND_REMOVED;
	}
	return bond;
}
