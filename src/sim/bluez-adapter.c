/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bluez.h"

/* Adapter1: discovery sessions per client, and what is heard. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bus.h"
#include "util/text.h"

/* Without DuplicateData BlueZ tells a new strength only when it differs by this much. */
#define RSSI_DELTA 8

void adapter_init(struct bluez *bluez, unsigned index) {
	struct adapter *adapter = &bluez->adapters[index];
	*adapter = (struct adapter){
		.node = { NODE_ADAPTER, bluez },
		.index = index,
		.is_present = true,
		.is_powered = true,
	};
	snprintf(adapter->address, sizeof(adapter->address), "00:1A:7D:DA:71:%02X",
		(0x13 + index) & 0xff);
	text_copy(adapter->alias, sizeof(adapter->alias), "BlueZ 5.66");
	list_init(&adapter->sessions);
	list_init(&adapter->devices);
}

/* ---- sessions ---- */

static struct session *find_session(struct adapter *adapter, const char *sender) {
	struct session *session;
	list_for_each(session, &adapter->sessions, link) {
		if (text_equal(session->sender, sender)) {
			return session;
		}
	}
	return NULL;
}

static struct session *get_session(struct adapter *adapter, const char *sender) {
	struct session *session = find_session(adapter, sender);
	if (session != NULL) {
		return session;
	}
	size_t n = 0;
	list_for_each(session, &adapter->sessions, link) {
		n++;
	}
	session = n >= BLUEZ_CLIENTS_MAX ? NULL : calloc(1, sizeof(*session));
	if (session == NULL) {
		return NULL;
	}
	session->sender = sender == NULL ? NULL : strdup(sender);
	session->rssi_floor = INT16_MIN;
	list_append(&adapter->sessions, &session->link);
	return session;
}

static void session_free(struct session *session) {
	list_remove(&session->link);
	free(session->sender);
	free(session);
}

static void listen_all(struct adapter *adapter) {
	struct world *world = adapter->node.bluez->world;
	for (size_t i = 0; i < world->n_stations; i++) {
		adapter_heard(adapter, world->stations[i]);
	}
}

/* Who listens, and does anybody filter? Unfiltered discovery passes over what is not discoverable.
 */
static void settle_sessions(struct adapter *adapter) {
	bool is_active = false, is_filtered = true;
	struct session *session;
	list_for_each(session, &adapter->sessions, link) {
		is_active = is_active || session->is_active;
		is_filtered = is_filtered && (!session->is_active || session->has_filter);
	}
	adapter->is_filtered = is_active && is_filtered;
	if (is_active == adapter->is_discovering) {
		return;
	}
	adapter->is_discovering = is_active;
	if (is_active) {
		node_changed(&adapter->node, "Discovering", NULL);
		listen_all(adapter);
		return;
	}
	struct device *device;
	list_for_each(device, &adapter->devices, link) {
		sched_disarm(bluez_sched(adapter->node.bluez), &device->hear_job);
		if (device->is_exported && device->has_rssi) {
			device->has_rssi = false;
			node_changed(&device->node, "RSSI", NULL);
		}
	}
	node_changed(&adapter->node, "Discovering", NULL);
}

void adapter_client_gone(struct adapter *adapter, const char *sender) {
	struct session *session = find_session(adapter, sender);
	if (session != NULL) {
		session_free(session);
		settle_sessions(adapter);
	}
	struct device *device;
	list_for_each(device, &adapter->devices, link) {
		gatt_client_gone(device, sender);
	}
}

int adapter_internal_session(struct adapter *adapter, bool on) {
	struct session *session = on ? get_session(adapter, NULL) : find_session(adapter, NULL);
	if (session == NULL) {
		return on ? -ENOMEM : 0;
	}
	session->is_active = on;
	session->has_filter = true;
	session->wants_duplicates = true;
	if (!on) {
		session_free(session);
	}
	settle_sessions(adapter);
	return 0;
}

/* ---- methods ---- */

int adapter_start_discovery(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct adapter *adapter = container_of(user, struct adapter, node);
	if (!adapter->is_powered) {
		return bluez_error(m, ERROR_NOT_READY, "Resource Not Ready");
	}
	struct session *session = get_session(adapter, sd_bus_message_get_sender(m));
	if (session == NULL) {
		return -ENOMEM;
	}
	if (session->is_active) {
		return bluez_error(m, ERROR_IN_PROGRESS, "Operation already in progress");
	}
	session->is_active = true;
	sd_bus_reply_method_return(m, "");
	settle_sessions(adapter);
	return 1;
}

int adapter_stop_discovery(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct adapter *adapter = container_of(user, struct adapter, node);
	if (!adapter->is_powered) {
		return bluez_error(m, ERROR_NOT_READY, "Resource Not Ready");
	}
	struct session *session = find_session(adapter, sd_bus_message_get_sender(m));
	if (session == NULL || !session->is_active) {
		return bluez_error(m, ERROR_FAILED, "No discovery started");
	}
	session->is_active = false;
	if (!session->has_filter) {
		session_free(session); /* a filter is kept as long as its client stays on the bus */
	}
	sd_bus_reply_method_return(m, "");
	settle_sessions(adapter);
	return 1;
}

static int read_filter_value(sd_bus_message *m, const char *key, void *user) {
	struct session *next = user;
	static const struct {
		const char *key;
		const char *type;
	} keys[] = {
		{ "UUIDs", "as" },
		{ "RSSI", "n" },
		{ "Pathloss", "q" },
		{ "Transport", "s" },
		{ "DuplicateData", "b" },
		{ "Discoverable", "b" },
		{ "Pattern", "s" },
	};
	size_t i = 0;
	while (i < ARRAY_SIZE(keys) && !text_equal(keys[i].key, key)) {
		i++;
	}
	if (i == ARRAY_SIZE(keys) || sd_bus_message_enter_container(m, 'v', keys[i].type) < 0) {
		return -EINVAL;
	}
	int on = 0, r = 0;
	next->has_filter = true;
	const char *text = NULL;
	if (text_equal(key, "DuplicateData")) {
		r = sd_bus_message_read(m, "b", &on);
		next->wants_duplicates = on;
	} else if (text_equal(key, "RSSI")) {
		r = sd_bus_message_read(m, "n", &next->rssi_floor);
	} else if (text_equal(key, "Transport")) {
		r = sd_bus_message_read(m, "s", &text);
		if (r >= 0 && !text_equal(text, "le") && !text_equal(text, "auto") &&
			!text_equal(text, "bredr")) {
			return -EINVAL;
		}
	} else {
		r = sd_bus_message_skip(m, keys[i].type);
	}
	return r < 0 ? -EINVAL : sd_bus_message_exit_container(m);
}

int adapter_set_filter(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct adapter *adapter = container_of(user, struct adapter, node);
	struct session next = { .rssi_floor = INT16_MIN, .wants_duplicates = false };
	if (bus_each_property(m, read_filter_value, &next) < 0) {
		return bluez_error(m, ERROR_INVALID, "Invalid arguments in method call");
	}
	struct session *session = get_session(adapter, sd_bus_message_get_sender(m));
	if (session == NULL) {
		return -ENOMEM;
	}
	session->has_filter = next.has_filter;
	session->wants_duplicates = next.wants_duplicates;
	session->rssi_floor = next.rssi_floor;
	if (!next.has_filter && !session->is_active) {
		session_free(session);
	}
	sd_bus_reply_method_return(m, "");
	settle_sessions(adapter);
	return 1;
}

int adapter_get_filters(sd_bus_message *m, void *user, sd_bus_error *error) {
	return sd_bus_reply_method_return(m, "as", 7, "UUIDs", "RSSI", "Pathloss", "Transport",
		"DuplicateData", "Discoverable", "Pattern");
}

int adapter_remove_device(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct adapter *adapter = container_of(user, struct adapter, node);
	const char *path = NULL;
	struct device *device;
	int r = sd_bus_message_read(m, "o", &path);
	if (r < 0) {
		return r;
	}
	list_for_each(device, &adapter->devices, link) {
		if (!device->is_exported || !text_equal(device->path, path)) {
			continue;
		}
		device->station->is_bonded = false;
		if (!device->is_connected) {
			device_removed(device);
			return sd_bus_reply_method_return(m, "");
		}
		device->is_removing = true;
		return device_disconnect(m, &device->node, error);
	}
	return bluez_error(m, ERROR_NOT_EXIST, "Does Not Exist");
}

/* ---- power ---- */

static void forget_sessions(struct adapter *adapter) {
	struct session *session, *next;
	list_for_each_safe(session, next, &adapter->sessions, link) {
		session_free(session);
	}
	adapter->is_discovering = false;
	adapter->is_filtered = false;
}

static void tell_power(struct adapter *adapter, bool with_discovery) {
	const char *discovering = with_discovery ? "Discovering" : NULL;
	if (adapter->has_power_state) {
		node_changed(&adapter->node, "Powered", "PowerState", discovering, NULL);
	} else {
		node_changed(&adapter->node, "Powered", discovering, NULL);
	}
}

void adapter_set_powered(struct adapter *adapter, bool on, sd_bus_message **msg) {
	if (on && adapter->is_blocked) {
		bluez_fail(msg, ERROR_BLOCKED, "Blocked through rfkill");
		return;
	}
	if (adapter->is_powered == on) {
		bluez_reply(msg);
		return;
	}
	if (on) {
		adapter->is_powered = true;
		if (adapter->is_wedged) {
			adapter_set_deaf(adapter, false);
		}
		bluez_reply(msg);
		tell_power(adapter, false);
		return;
	}
	struct device *device;
	list_for_each(device, &adapter->devices, link) {
		device_link_lost(device, true);
		device->has_rssi = false;
		sched_disarm(bluez_sched(adapter->node.bluez), &device->hear_job);
	}
	adapter->is_powered = false;
	bool was_discovering = adapter->is_discovering;
	forget_sessions(adapter);
	bluez_reply(msg);
	tell_power(adapter, was_discovering);
}

void adapter_set_blocked(struct adapter *adapter, bool on) {
	sd_bus_message *none = NULL;
	if (on) {
		adapter_set_powered(adapter, false, &none);
	}
	adapter->is_blocked = on;
	adapter->has_power_state = true;
	if (adapter->is_exported) {
		node_changed(&adapter->node, "PowerState", NULL);
	}
}

void adapter_set_deaf(struct adapter *adapter, bool on) {
	adapter->is_deaf = on;
	adapter->is_wedged = false;
	if (!on) {
		listen_all(adapter);
	}
}

bool adapter_is_failing(const struct adapter *adapter) {
	const struct sim_env *env = &adapter->node.bluez->world->env;
	int hour = (int) (env->wall(env->user).s / 3600 % 24);
	int from = adapter->fails_from, until = adapter->fails_until;
	return from < until ? hour >= from && hour < until
			    : from > until && (hour >= from || hour < until);
}

/* ---- hearing ---- */

struct device *adapter_device(struct adapter *adapter, struct station *station) {
	struct device *device;
	list_for_each(device, &adapter->devices, link) {
		if (device->station == station) {
			return device;
		}
	}
	return NULL;
}

static bool passes_filters(const struct adapter *adapter, int rssi, bool *ret_duplicates) {
	bool passes = false;
	const struct session *session;
	*ret_duplicates = false;
	list_for_each(session, &adapter->sessions, link) {
		if (session->is_active && (!session->has_filter || rssi >= session->rssi_floor)) {
			passes = true;
			*ret_duplicates = *ret_duplicates || session->wants_duplicates;
		}
	}
	return passes;
}

static bool take_name(struct device *device, const char *name) {
	if (name[0] == '\0' || text_equal(device->name, name)) {
		return false;
	}
	text_copy(device->name, sizeof(device->name), name);
	if (!device->is_alias_set) {
		text_copy(device->alias, sizeof(device->alias), name);
	}
	return true;
}

/* @return whether it is new. What an advertisement lacks stays as it was: so does BlueZ. */
static bool take_manufacturer(struct device *device, const struct sim_advert *advert) {
	if (advert->n_manufacturer == 0) {
		return false;
	}
	bool is_same = device->has_manufacturer && device->advert.company == advert->company &&
		       device->advert.n_manufacturer == advert->n_manufacturer &&
		       memcmp(device->advert.manufacturer, advert->manufacturer,
			       advert->n_manufacturer) == 0;
	device->has_manufacturer = true;
	device->advert.company = advert->company;
	device->advert.n_manufacturer = advert->n_manufacturer;
	memcpy(device->advert.manufacturer, advert->manufacturer, sizeof(advert->manufacturer));
	return !is_same;
}

static bool take_service_data(struct device *device, const struct sim_advert *advert) {
	if (advert->service[0] == '\0') {
		return false;
	}
	bool is_same = device->has_service_data &&
		       text_equal(device->advert.service, advert->service) &&
		       device->advert.n_data == advert->n_data &&
		       memcmp(device->advert.data, advert->data, advert->n_data) == 0;
	device->has_service_data = true;
	memcpy(device->advert.service, advert->service, sizeof(advert->service));
	device->advert.n_data = advert->n_data;
	memcpy(device->advert.data, advert->data, sizeof(advert->data));
	return !is_same;
}

static void tell_heard(
	struct device *device, const struct sim_advert *advert, int rssi, bool duplicates) {
	bool is_filtered = device->adapter->is_filtered;
	bool is_rssi = !device->has_rssi || (is_filtered ? device->rssi != rssi
							 : abs(device->rssi - rssi) >= RSSI_DELTA);
	if (is_rssi) {
		device->has_rssi = true;
		device->rssi = (int16_t) rssi;
	}
	bool is_name = take_name(device, advert->name);
	bool is_manufacturer =
		take_manufacturer(device, advert) || (duplicates && advert->n_manufacturer > 0);
	bool is_data = take_service_data(device, advert) || (duplicates && advert->n_data > 0);
	const char *names[6] = { NULL };
	size_t n = 0;
	names[n] = "RSSI";
	n += is_rssi;
	names[n] = "Name";
	n += is_name;
	names[n] = "Alias";
	n += is_name;
	names[n] = "ManufacturerData";
	n += is_manufacturer;
	names[n] = "ServiceData";
	n += is_data;
	names[n] = NULL;
	if (n > 0) {
		node_changed(&device->node, names[0], names[1], names[2], names[3], names[4], NULL);
	}
}

/* One advertising report of the controller. */
void adapter_report(struct adapter *adapter, struct station *station) {
	struct sim_advert advert;
	bool duplicates = false;
	if (!adapter->is_exported || !adapter->is_discovering || !station->is_in_range ||
		adapter->is_deaf) {
		return;
	}
	station_advert(station, &advert);
	int rssi = station_rssi(station);
	if (advert.is_silent || !passes_filters(adapter, rssi, &duplicates)) {
		return;
	}
	struct device *device = adapter_device(adapter, station);
	bool is_visible = adapter->is_filtered || advert.is_discoverable;
	if (device == NULL || !device->is_exported) {
		if (!is_visible) {
			return;
		}
		device = device == NULL ? device_new(adapter, station) : device;
		if (device == NULL) {
			return;
		}
		device->has_rssi = true;
		device->rssi = (int16_t) rssi;
		take_name(device, advert.name);
		take_manufacturer(device, &advert);
		take_service_data(device, &advert);
		device_export(device);
	} else if (is_visible) {
		tell_heard(device, &advert, rssi, duplicates);
	}
	device_seen(device);
}

/*
 * The station may be heard anew: its advertisement changed, it came into range, or we began to
 * listen. Unchanged data is passed once per scan window: the controller's duplicate filter. Each
 * station has a device structure, shown or not, that carries the job.
 */
void adapter_heard(struct adapter *adapter, struct station *station) {
	struct sim_advert advert;
	if (!adapter->is_exported || !adapter->is_powered) {
		return;
	}
	struct device *device = adapter_device(adapter, station);
	if (device != NULL && device->connecting == CONNECTING_WAIT) {
		device_reachable(device);
	}
	if (!adapter->is_discovering || station->lock == NULL) {
		return; /* strangers are heard when the storm says so */
	}
	if (device == NULL) {
		device = device_new(adapter, station);
		if (device == NULL) {
			return;
		}
	}
	station_advert(station, &advert);
	sched_arm(bluez_sched(adapter->node.bluez), &device->hear_job,
		5 + world_chance(station->world, advert.interval_ms));
}

/* ---- showing and hiding ---- */

void adapter_export(struct adapter *adapter) {
	struct device *device;
	snprintf(adapter->path, sizeof(adapter->path), "/org/bluez/hci%u", adapter->index);
	adapter->is_exported = true;
	node_added(&adapter->node);
	list_for_each(device, &adapter->devices, link) {
		if (!device->is_temporary) {
			device_export(device); /* from storage: known, without GATT objects */
		}
	}
}

void adapter_unexport(struct adapter *adapter, bool is_told) {
	struct device *device, *next;
	if (!adapter->is_exported) {
		return;
	}
	list_for_each_safe(device, next, &adapter->devices, link) {
		device_link_lost(device, is_told);
		device->has_rssi = false;
		sched_disarm(bluez_sched(adapter->node.bluez), &device->hear_job);
		device_unexport(device, is_told);
		if (device->is_temporary) {
			device_free(device);
		}
	}
	bool was_discovering = adapter->is_discovering;
	forget_sessions(adapter);
	if (is_told) {
		adapter->is_powered = false;
		if (was_discovering) {
			node_changed(&adapter->node, "Powered", "Discovering", NULL);
		} else {
			node_changed(&adapter->node, "Powered", NULL);
		}
		node_removed(&adapter->node);
	}
	adapter->is_powered = true; /* AutoEnable: powered when it is back */
	adapter->is_exported = false;
}
