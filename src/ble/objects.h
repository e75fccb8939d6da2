/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * BlueZ's objects out of D-Bus messages: the answer of GetManagedObjects, InterfacesAdded and
 * InterfacesRemoved, PropertiesChanged. What is not asked for is skipped, not parsed: a snapshot
 * may hold hundreds of foreign devices. Messages come from outside (L11): a property of an
 * unexpected type is treated as absent, texts are bounded. Negative errno means that the message is
 * not even of the right shape. Nothing is kept here.
 */

#include <systemd/sd-bus.h>

#include "path.h"

#define ADAPTER_INTERFACE "org.bluez.Adapter1"
#define MONITOR_MANAGER_INTERFACE "org.bluez.AdvertisementMonitorManager1"
#define DEVICE_INTERFACE "org.bluez.Device1"
#define SERVICE_INTERFACE "org.bluez.GattService1"
#define CHARACTERISTIC_INTERFACE "org.bluez.GattCharacteristic1"
#define OBJECT_MANAGER_INTERFACE "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"

struct adapter_props {
	bool has_address, has_powered, has_discovering, has_power_state;
	bool is_powered, is_discovering;
	char address[RADIO_ADDRESS_MAX];
	char power_state[24];
	char modalias[40]; /* "" when absent */
};

struct device_props {
	bool has_connected, has_resolved, has_bonded, has_rssi, has_name;
	bool has_manufacturer, has_service; /* the whole kind has been read into .advert */
	bool has_address, has_address_type;
	bool is_connected, is_resolved, is_bonded;
	bool is_rssi_gone;    /* invalidated: the discovery that measured it has ended */
	struct advert advert; /* address, is_random, rssi, name, parts, as far as has_ says */
};

struct characteristic_props {
	char uuid[RADIO_UUID_MAX];   /* "" when absent */
	char service[GATT_PATH_MAX]; /* its service's object path */
	uint16_t mtu;                /* 0 when absent */
	bool is_command_only;        /* takes writes, but none with response */
};

/* What the reader wants to know. Hooks may be NULL; what they get is borrowed. */
struct objects_sink {
	/* Asked first for every object; false skips it unread. */
	bool (*wants)(void *user, const char *path);
	void (*adapter)(void *user, const char *path, const struct adapter_props *props);
	/* An adapter has BlueZ's AdvertisementMonitorManager1. */
	void (*monitors)(void *user, const char *path);
	void (*device)(void *user, const char *path, const struct device_props *props);
	void (*service)(void *user, const char *path, const char *uuid);
	void (*characteristic)(
		void *user, const char *path, const struct characteristic_props *props);
};

/* The answer of GetManagedObjects: a{oa{sa{sv}}}. */
int objects_read_all(sd_bus_message *message, const struct objects_sink *sink, void *user);
/* InterfacesAdded: oa{sa{sv}}. */
int objects_read_added(sd_bus_message *message, const struct objects_sink *sink, void *user);
/* InterfacesRemoved: oas. @ret_path is borrowed from the message. */
int objects_read_removed(sd_bus_message *message, const char *interface, const char **ret_path,
	bool *ret_has_interface);
/* PropertiesChanged: sa{sv}as. -ENOMSG: it is about another interface. */
int objects_read_adapter_changes(sd_bus_message *message, struct adapter_props *ret);
int objects_read_device_changes(sd_bus_message *message, struct device_props *ret);
/* The answer of Properties.GetAll: a{sv}. */
int objects_read_device(sd_bus_message *message, struct device_props *ret);
/*
 * PropertiesChanged of a characteristic. 1: it carries a value, borrowed from the message; 0: it
 * does not.
 */
int objects_read_value(sd_bus_message *message, const uint8_t **ret_value, size_t *ret_n);
