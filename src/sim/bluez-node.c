/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bluez.h"

/*
 * What every object of the service has in common: its properties, with BlueZ's rules about when one
 * is there at all, and the signals that tell of them. sd-bus' own Properties and ObjectManager know
 * no absent properties, so a filter answers these two interfaces; the vtables give the methods, the
 * introspection and the lists of properties that this file walks.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"
#define MANAGER_INTERFACE "org.freedesktop.DBus.ObjectManager"
#define INTROSPECTABLE_INTERFACE "org.freedesktop.DBus.Introspectable"

/* ---- which interface an object has ---- */

static const struct face {
	const char *name;
	const sd_bus_vtable *vtable;
} faces[] = {
	[NODE_ROOT] = { "org.bluez.AgentManager1", root_vtable },
	[NODE_ADAPTER] = { ADAPTER_INTERFACE, adapter_vtable },
	[NODE_DEVICE] = { DEVICE_INTERFACE, device_vtable },
	[NODE_SERVICE] = { SERVICE_INTERFACE, service_vtable },
	[NODE_CHAR] = { CHAR_INTERFACE, char_vtable },
	[NODE_DESC] = { DESC_INTERFACE, desc_vtable },
};

static struct adapter *as_adapter(const struct node *node) {
	return container_of(node, struct adapter, node);
}
static struct device *as_device(const struct node *node) {
	return container_of(node, struct device, node);
}
static struct gatt_service *as_service(const struct node *node) {
	return container_of(node, struct gatt_service, node);
}
static struct gatt_char *as_char(const struct node *node) {
	return container_of(node, struct gatt_char, node);
}
static struct gatt_desc *as_desc(const struct node *node) {
	return container_of(node, struct gatt_desc, node);
}

const char *node_path(const struct node *node, char out[static BLUEZ_PATH_MAX]) {
	switch (node->kind) {
	case NODE_ROOT:
		snprintf(out, BLUEZ_PATH_MAX, "/org/bluez");
		break;
	case NODE_ADAPTER:
		snprintf(out, BLUEZ_PATH_MAX, "%s", as_adapter(node)->path);
		break;
	case NODE_DEVICE:
		snprintf(out, BLUEZ_PATH_MAX, "%s", as_device(node)->path);
		break;
	case NODE_SERVICE: {
		const struct gatt_service *service = as_service(node);
		snprintf(out, BLUEZ_PATH_MAX, "%.60s/service%04x", service->device->path,
			service->handle);
		break;
	}
	case NODE_CHAR: {
		const struct gatt_char *chr = as_char(node);
		snprintf(out, BLUEZ_PATH_MAX, "%.60s/service%04x/char%04x",
			chr->service->device->path, chr->service->handle, chr->handle);
		break;
	}
	case NODE_DESC: {
		const struct gatt_desc *desc = as_desc(node);
		const struct gatt_service *service = desc->chr->service;
		snprintf(out, BLUEZ_PATH_MAX, "%.60s/service%04x/char%04x/desc%04x",
			service->device->path, service->handle, desc->chr->handle, desc->handle);
		break;
	}
	}
	return out;
}

/* ---- values ---- */

static int append_strings(sd_bus_message *m, const char *const *texts, size_t n) {
	int r = sd_bus_message_open_container(m, 'a', "s");
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = sd_bus_message_append(m, "s", texts[i]);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int adapter_append(const struct adapter *adapter, const char *name, sd_bus_message *m) {
	static const char *const uuids[] = { "00001801-0000-1000-8000-00805f9b34fb",
		"00001800-0000-1000-8000-00805f9b34fb", "0000180a-0000-1000-8000-00805f9b34fb" };
	static const char *const roles[] = { "central", "peripheral" };
	const struct {
		const char *name;
		bool value;
	} flags[] = {
		{ "Powered", adapter->is_powered },
		{ "Discoverable", adapter->is_discoverable },
		{ "Pairable", false },
		{ "Discovering", adapter->is_discovering },
	};
	const struct {
		const char *name;
		const char *value;
	} texts[] = {
		{ "Address", adapter->address },
		{ "AddressType", "public" },
		{ "Name", "BlueZ 5.66" },
		{ "Alias", adapter->alias },
		{ "Modalias", "usb:v1D6Bp0246d0542" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (text_equal(flags[i].name, name)) {
			return sd_bus_message_append(m, "b", flags[i].value);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (text_equal(texts[i].name, name)) {
			return sd_bus_message_append(m, "s", texts[i].value);
		}
	}
	if (text_equal(name, "PowerState")) {
		return sd_bus_message_append(m, "s",
			adapter->is_blocked   ? "off-blocked"
			: adapter->is_powered ? "on"
					      : "off");
	}
	if (text_equal(name, "UUIDs")) {
		return append_strings(m, uuids, ARRAY_SIZE(uuids));
	}
	if (text_equal(name, "Roles")) {
		return append_strings(m, roles, ARRAY_SIZE(roles));
	}
	if (text_equal(name, "ExperimentalFeatures")) {
		return append_strings(m, NULL, 0);
	}
	unsigned number = text_equal(name, "DiscoverableTimeout") ? 180 : 0;
	return sd_bus_message_append(m, "u", number); /* Class and the other timeouts too */
}

static int append_uuids(const struct device *device, sd_bus_message *m) {
	int r = sd_bus_message_open_container(m, 'a', "s");
	if (r >= 0 && device->is_cached) {
		r = sd_bus_message_append(m, "s", "00001800-0000-1000-8000-00805f9b34fb");
		for (size_t i = 0; r >= 0 && i < device->n_services; i++) {
			r = sd_bus_message_append(m, "s", device->services[i].uuid);
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_data(sd_bus_message *m, const struct device *device, bool is_manufacturer) {
	const struct sim_advert *advert = &device->advert;
	const char *entry = is_manufacturer ? "{qv}" : "{sv}";
	int r = sd_bus_message_open_container(m, 'a', entry);
	r = r < 0 ? r : sd_bus_message_open_container(m, 'e', is_manufacturer ? "qv" : "sv");
	if (r >= 0) {
		r = is_manufacturer ? sd_bus_message_append(m, "q", advert->company)
				    : sd_bus_message_append(m, "s", advert->service);
	}
	r = r < 0 ? r : sd_bus_message_open_container(m, 'v', "ay");
	if (r >= 0) {
		r = is_manufacturer
			    ? sd_bus_message_append_array(
				      m, 'y', advert->manufacturer, advert->n_manufacturer)
			    : sd_bus_message_append_array(m, 'y', advert->data, advert->n_data);
	}
	r = r < 0 ? r : sd_bus_message_close_container(m);
	r = r < 0 ? r : sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int device_append(const struct device *device, const char *name, sd_bus_message *m) {
	char address[18];
	station_address_text(device->station, address);
	const struct {
		const char *name;
		bool value;
	} flags[] = {
		{ "Connected", device->is_connected },
		{ "ServicesResolved", device->is_resolved },
		{ "Paired", device->station->is_bonded },
		{ "Bonded", device->station->is_bonded },
		{ "Trusted", device->is_trusted },
		{ "Blocked", device->is_blocked },
		{ "LegacyPairing", false },
	};
	const struct {
		const char *name;
		const char *value;
	} texts[] = {
		{ "Address", address },
		{ "AddressType", device->station->is_random_address ? "random" : "public" },
		{ "Name", device->name },
		{ "Alias", device->alias },
	};
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (text_equal(flags[i].name, name)) {
			return sd_bus_message_append(m, "b", flags[i].value);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (text_equal(texts[i].name, name)) {
			return sd_bus_message_append(m, "s", texts[i].value);
		}
	}
	if (text_equal(name, "RSSI")) {
		return sd_bus_message_append(m, "n", device->rssi);
	}
	if (text_equal(name, "Adapter")) {
		return sd_bus_message_append(m, "o", device->adapter->path);
	}
	if (text_equal(name, "UUIDs")) {
		return append_uuids(device, m);
	}
	return append_data(m, device, text_equal(name, "ManufacturerData"));
}

static int append_flags(const struct gatt_char *chr, sd_bus_message *m) {
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{ SIM_FLAG_READ, "read" },
		{ SIM_FLAG_WRITE_COMMAND, "write-without-response" },
		{ SIM_FLAG_WRITE, "write" },
		{ SIM_FLAG_NOTIFY, "notify" },
		{ SIM_FLAG_INDICATE, "indicate" },
	};
	int r = sd_bus_message_open_container(m, 'a', "s");
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(names); i++) {
		if (chr->flags & names[i].flag) {
			r = sd_bus_message_append(m, "s", names[i].name);
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int char_append(const struct gatt_char *chr, const char *name, sd_bus_message *m) {
	char path[BLUEZ_PATH_MAX];
	if (text_equal(name, "UUID")) {
		return sd_bus_message_append(m, "s", chr->uuid);
	}
	if (text_equal(name, "Service")) {
		return sd_bus_message_append(m, "o", node_path(&chr->service->node, path));
	}
	if (text_equal(name, "Value")) {
		return sd_bus_message_append_array(m, 'y', chr->value, chr->n_value);
	}
	if (text_equal(name, "Notifying")) {
		return sd_bus_message_append(m, "b", chr->is_notifying);
	}
	if (text_equal(name, "WriteAcquired")) {
		return sd_bus_message_append(m, "b", chr->write_fd != NULL);
	}
	if (text_equal(name, "NotifyAcquired")) {
		return sd_bus_message_append(m, "b", chr->notify_fd != NULL);
	}
	if (text_equal(name, "MTU")) {
		return sd_bus_message_append(m, "q", chr->service->device->mtu);
	}
	return append_flags(chr, m);
}

static int service_append(const struct gatt_service *service, const char *name, sd_bus_message *m) {
	if (text_equal(name, "UUID")) {
		return sd_bus_message_append(m, "s", service->uuid);
	}
	if (text_equal(name, "Device")) {
		return sd_bus_message_append(m, "o", service->device->path);
	}
	if (text_equal(name, "Primary")) {
		return sd_bus_message_append(m, "b", true);
	}
	int r = sd_bus_message_open_container(m, 'a', "o");
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int desc_append(const struct gatt_desc *desc, const char *name, sd_bus_message *m) {
	char path[BLUEZ_PATH_MAX];
	if (text_equal(name, "UUID")) {
		return sd_bus_message_append(m, "s", "00002902-0000-1000-8000-00805f9b34fb");
	}
	if (text_equal(name, "Characteristic")) {
		return sd_bus_message_append(m, "o", node_path(&desc->chr->node, path));
	}
	return sd_bus_message_append_array(m, 'y', NULL, 0);
}

static int append_value(const struct node *node, const char *name, sd_bus_message *m) {
	switch (node->kind) {
	case NODE_ADAPTER:
		return adapter_append(as_adapter(node), name, m);
	case NODE_DEVICE:
		return device_append(as_device(node), name, m);
	case NODE_SERVICE:
		return service_append(as_service(node), name, m);
	case NODE_CHAR:
		return char_append(as_char(node), name, m);
	case NODE_DESC:
		return desc_append(as_desc(node), name, m);
	case NODE_ROOT:
		break;
	}
	return -ENOENT;
}

/* The presence rules: what BlueZ leaves out instead of giving it empty. */
static bool is_there(const struct node *node, const char *name) {
	if (node->kind == NODE_DEVICE) {
		const struct device *device = as_device(node);
		return text_equal(name, "Name")               ? device->name[0] != '\0'
		       : text_equal(name, "RSSI")             ? device->has_rssi
		       : text_equal(name, "ManufacturerData") ? device->has_manufacturer
		       : text_equal(name, "ServiceData")      ? device->has_service_data
							      : true;
	}
	if (node->kind == NODE_CHAR) {
		const struct gatt_char *chr = as_char(node);
		unsigned needed = text_equal(name, "Notifying")
					  ? SIM_FLAG_NOTIFY | SIM_FLAG_INDICATE
				  : text_equal(name, "NotifyAcquired") ? SIM_FLAG_NOTIFY
				  : text_equal(name, "WriteAcquired")  ? SIM_FLAG_WRITE_COMMAND
								       : 0;
		return needed == 0 || (chr->flags & needed);
	}
	if (node->kind == NODE_ADAPTER && text_equal(name, "PowerState")) {
		return container_of(node, struct adapter, node)->has_power_state;
	}
	return !(node->kind == NODE_ADAPTER && text_equal(name, "ExperimentalFeatures"));
}

/* What sd-bus would use; the filter below comes before it, but the vtables need a getter. */
int node_get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *error) {
	return append_value(userdata, property, reply);
}

static bool is_property(const sd_bus_vtable *row) {
	return row->type == _SD_BUS_VTABLE_PROPERTY ||
	       row->type == _SD_BUS_VTABLE_WRITABLE_PROPERTY;
}

static const sd_bus_vtable *find_row(const struct node *node, const char *name) {
	for (const sd_bus_vtable *row = faces[node->kind].vtable; row->type != _SD_BUS_VTABLE_END;
		row++) {
		if (is_property(row) && text_equal(row->x.property.member, name)) {
			return row;
		}
	}
	return NULL;
}

static int append_entry(const struct node *node, const sd_bus_vtable *row, sd_bus_message *m) {
	int r = sd_bus_message_open_container(m, 'e', "sv");
	r = r < 0 ? r : sd_bus_message_append(m, "s", row->x.property.member);
	r = r < 0 ? r : sd_bus_message_open_container(m, 'v', row->x.property.signature);
	r = r < 0 ? r : append_value(node, row->x.property.member, m);
	r = r < 0 ? r : sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_all(const struct node *node, sd_bus_message *m) {
	int r = sd_bus_message_open_container(m, 'a', "{sv}");
	for (const sd_bus_vtable *row = faces[node->kind].vtable;
		r >= 0 && row->type != _SD_BUS_VTABLE_END; row++) {
		if (is_property(row) && is_there(node, row->x.property.member)) {
			r = append_entry(node, row, m);
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* {Introspectable: {}, <own>: {...}, Properties: {}}, as BlueZ has it. */
static int append_interfaces(const struct node *node, sd_bus_message *m) {
	int r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
	r = r < 0 ? r : sd_bus_message_append(m, "{sa{sv}}", INTROSPECTABLE_INTERFACE, 0);
	r = r < 0 ? r : sd_bus_message_open_container(m, 'e', "sa{sv}");
	r = r < 0 ? r : sd_bus_message_append(m, "s", faces[node->kind].name);
	r = r < 0 ? r : append_all(node, m);
	r = r < 0 ? r : sd_bus_message_close_container(m);
	if (r >= 0 && node->kind != NODE_ROOT) {
		r = sd_bus_message_append(m, "{sa{sv}}", PROPERTIES_INTERFACE, 0);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ---- sending ---- */

static void send(struct bluez *bluez, sd_bus_message *m) {
	if (bluez->is_corked && bluez->n_corked < ARRAY_SIZE(bluez->corked)) {
		bluez->corked[bluez->n_corked++] = sd_bus_message_ref(m);
		return;
	}
	sd_bus_send(bus_sd(bluez->bus), m, NULL);
	bus_kick(bluez->bus);
}

/*
 * bluetoothd sends what a new link brings in one burst. Clients rely on it (bleak looks for
 * services upon ServicesResolved), so messages are made first and then sent without a breath
 * between them.
 */
void bluez_cork(struct bluez *bluez, bool on) {
	bluez->is_corked = on;
	for (size_t i = 0; !on && i < bluez->n_corked; i++) {
		sd_bus_send(bus_sd(bluez->bus), bluez->corked[i], NULL);
		sd_bus_message_unref(bluez->corked[i]);
	}
	if (!on && bluez->n_corked > 0) {
		bluez->n_corked = 0;
		bus_kick(bluez->bus);
	}
}

static bool can_send(const struct bluez *bluez) {
	return bluez->has_name && bluez->bus != NULL && bus_sd(bluez->bus) != NULL;
}

void node_added(struct node *node) {
	struct bluez *bluez = node->bluez;
	sd_bus_message *m = NULL;
	char path[BLUEZ_PATH_MAX];
	if (!can_send(bluez)) {
		return;
	}
	int r = sd_bus_message_new_signal(
		bus_sd(bluez->bus), &m, "/", MANAGER_INTERFACE, "InterfacesAdded");
	r = r < 0 ? r : sd_bus_message_append(m, "o", node_path(node, path));
	r = r < 0 ? r : append_interfaces(node, m);
	if (r >= 0) {
		send(bluez, m);
	}
	sd_bus_message_unref(m);
}

static void send_removed(struct node *node, const char *a, const char *b, const char *c) {
	struct bluez *bluez = node->bluez;
	sd_bus_message *m = NULL;
	char path[BLUEZ_PATH_MAX];
	int r = sd_bus_message_new_signal(
		bus_sd(bluez->bus), &m, "/", MANAGER_INTERFACE, "InterfacesRemoved");
	r = r < 0 ? r : sd_bus_message_append(m, "o", node_path(node, path));
	r = r < 0 ? r : sd_bus_message_open_container(m, 'a', "s");
	r = r < 0 ? r : sd_bus_message_append(m, "s", a);
	r = r < 0 || b == NULL ? r : sd_bus_message_append(m, "s", b);
	r = r < 0 || c == NULL ? r : sd_bus_message_append(m, "s", c);
	r = r < 0 ? r : sd_bus_message_close_container(m);
	if (r >= 0) {
		send(bluez, m);
	}
	sd_bus_message_unref(m);
}

void node_removed(struct node *node) {
	if (!can_send(node->bluez)) {
		return;
	}
	const char *own = faces[node->kind].name;
	if (node->kind == NODE_ADAPTER) {
		/* An adapter goes in several signals for its one path. */
		send_removed(node, PROPERTIES_INTERFACE, INTROSPECTABLE_INTERFACE, NULL);
		send_removed(node, own, NULL, NULL);
	} else {
		send_removed(node, PROPERTIES_INTERFACE, INTROSPECTABLE_INTERFACE, own);
	}
}

void node_changed(struct node *node, ...) {
	struct bluez *bluez = node->bluez;
	sd_bus_message *m = NULL;
	char path[BLUEZ_PATH_MAX];
	va_list names;
	if (!can_send(bluez)) {
		return;
	}
	int r = sd_bus_message_new_signal(bus_sd(bluez->bus), &m, node_path(node, path),
		PROPERTIES_INTERFACE, "PropertiesChanged");
	r = r < 0 ? r : sd_bus_message_append(m, "s", faces[node->kind].name);
	r = r < 0 ? r : sd_bus_message_open_container(m, 'a', "{sv}");
	va_start(names, node);
	for (const char *name; r >= 0 && (name = va_arg(names, const char *)) != NULL;) {
		if (is_there(node, name)) {
			r = append_entry(node, find_row(node, name), m);
		}
	}
	va_end(names);
	r = r < 0 ? r : sd_bus_message_close_container(m);
	r = r < 0 ? r : sd_bus_message_open_container(m, 'a', "s");
	va_start(names, node);
	for (const char *name; r >= 0 && (name = va_arg(names, const char *)) != NULL;) {
		if (!is_there(node, name)) {
			r = sd_bus_message_append(m, "s", name);
		}
	}
	va_end(names);
	r = r < 0 ? r : sd_bus_message_close_container(m);
	if (r >= 0) {
		send(bluez, m);
	}
	sd_bus_message_unref(m);
}

/* The call is over; the reply goes out with the next turn of the loop at the latest. */
void bluez_reply(sd_bus_message **msg) {
	if (*msg != NULL) {
		sd_bus_reply_method_return(*msg, "");
		*msg = sd_bus_message_unref(*msg);
	}
}

int bluez_error(sd_bus_message *m, const char *name, const char *text) {
	return sd_bus_reply_method_errorf(m, name, "%s", text);
}

void bluez_fail(sd_bus_message **msg, const char *name, const char *text) {
	if (*msg != NULL) {
		bluez_error(*msg, name, text);
		*msg = sd_bus_message_unref(*msg);
	}
}

void bluez_drop(sd_bus_message **msg) {
	*msg = sd_bus_message_unref(*msg);
}

/* ---- the filter ---- */

struct walk {
	sd_bus_message *reply;
	int r;
};

static void append_object(struct walk *walk, const struct node *node) {
	char path[BLUEZ_PATH_MAX];
	if (walk->r < 0) {
		return;
	}
	walk->r = sd_bus_message_open_container(walk->reply, 'e', "oa{sa{sv}}");
	walk->r = walk->r < 0 ? walk->r
			      : sd_bus_message_append(walk->reply, "o", node_path(node, path));
	walk->r = walk->r < 0 ? walk->r : append_interfaces(node, walk->reply);
	walk->r = walk->r < 0 ? walk->r : sd_bus_message_close_container(walk->reply);
}

static void append_device_tree(struct walk *walk, const struct device *device) {
	append_object(walk, &device->node);
	if (!device->has_objects) {
		return;
	}
	for (size_t i = 0; i < device->n_services; i++) {
		append_object(walk, &device->services[i].node);
	}
	for (size_t i = 0; i < device->n_chars; i++) {
		append_object(walk, &device->chars[i].node);
	}
	for (size_t i = 0; i < device->n_descs; i++) {
		append_object(walk, &device->descs[i].node);
	}
}

static int get_managed_objects(struct bluez *bluez, sd_bus_message *m) {
	struct walk walk = { 0 };
	walk.r = sd_bus_message_new_method_return(m, &walk.reply);
	walk.r = walk.r < 0 ? walk.r
			    : sd_bus_message_open_container(walk.reply, 'a', "{oa{sa{sv}}}");
	append_object(&walk, &bluez->root);
	for (size_t i = 0; i < bluez->options.n_adapters; i++) {
		const struct adapter *adapter = &bluez->adapters[i];
		const struct device *device;
		if (!adapter->is_exported) {
			continue;
		}
		append_object(&walk, &adapter->node);
		list_for_each(device, &adapter->devices, link) {
			if (device->is_exported) {
				append_device_tree(&walk, device);
			}
		}
	}
	walk.r = walk.r < 0 ? walk.r : sd_bus_message_close_container(walk.reply);
	if (walk.r >= 0) {
		walk.r = sd_bus_send(bus_sd(bluez->bus), walk.reply, NULL);
	}
	sd_bus_message_unref(walk.reply);
	return walk.r < 0 ? walk.r : 1;
}

static int no_such(sd_bus_message *m, const char *what, const char *name) {
	return sd_bus_reply_method_errorf(
		m, SD_BUS_ERROR_INVALID_ARGS, "No such %s '%s'", what, name);
}

static int on_get(struct node *node, sd_bus_message *m) {
	const char *interface = NULL, *name = NULL;
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_read(m, "ss", &interface, &name);
	if (r < 0) {
		return r;
	}
	if (!text_equal(interface, faces[node->kind].name)) {
		return no_such(m, "interface", interface);
	}
	const sd_bus_vtable *row = find_row(node, name);
	if (row == NULL || !is_there(node, name)) {
		return no_such(m, "property", name);
	}
	r = sd_bus_message_new_method_return(m, &reply);
	r = r < 0 ? r : sd_bus_message_open_container(reply, 'v', row->x.property.signature);
	r = r < 0 ? r : append_value(node, name, reply);
	r = r < 0 ? r : sd_bus_message_close_container(reply);
	r = r < 0 ? r : sd_bus_send(sd_bus_message_get_bus(m), reply, NULL);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 1;
}

static int on_get_all(struct node *node, sd_bus_message *m) {
	const char *interface = NULL;
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_read(m, "s", &interface);
	if (r < 0) {
		return r;
	}
	if (!text_equal(interface, faces[node->kind].name)) {
		return no_such(m, "interface", interface);
	}
	r = sd_bus_message_new_method_return(m, &reply);
	r = r < 0 ? r : append_all(node, reply);
	r = r < 0 ? r : sd_bus_send(sd_bus_message_get_bus(m), reply, NULL);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 1;
}

static int set_flag(struct node *node, const char *name, bool on, sd_bus_message *m) {
	if (node->kind == NODE_ADAPTER) {
		struct adapter *adapter = as_adapter(node);
		if (text_equal(name, "Powered")) {
			sd_bus_message *msg = sd_bus_message_ref(m);
			adapter_set_powered(adapter, on, &msg);
			return 1;
		}
		adapter->is_discoverable =
			text_equal(name, "Discoverable") ? on : adapter->is_discoverable;
	} else {
		struct device *device = as_device(node);
		device->is_trusted = text_equal(name, "Trusted") ? on : device->is_trusted;
		device->is_blocked = text_equal(name, "Blocked") ? on : device->is_blocked;
	}
	sd_bus_reply_method_return(m, "");
	node_changed(node, name, NULL);
	return 1;
}

static int set_alias(struct node *node, const char *text, sd_bus_message *m) {
	if (node->kind == NODE_ADAPTER) {
		struct adapter *adapter = as_adapter(node);
		text_copy(adapter->alias, sizeof(adapter->alias),
			text[0] == '\0' ? "BlueZ 5.66" : text);
	} else {
		struct device *device = as_device(node);
		device->is_alias_set = text[0] != '\0';
		text_copy(device->alias, sizeof(device->alias),
			text[0] == '\0' ? device->name : text);
	}
	sd_bus_reply_method_return(m, "");
	node_changed(node, "Alias", NULL);
	return 1;
}

static int on_set(struct node *node, sd_bus_message *m) {
	const char *interface = NULL, *name = NULL, *contents = NULL;
	char type = 0;
	int r = sd_bus_message_read(m, "ss", &interface, &name);
	r = r < 0 ? r : sd_bus_message_peek_type(m, &type, &contents);
	if (r < 0) {
		return r;
	}
	if (!text_equal(interface, faces[node->kind].name)) {
		return no_such(m, "interface", interface);
	}
	const sd_bus_vtable *row = find_row(node, name);
	if (row == NULL) {
		return no_such(m, "property", name);
	}
	if (row->type != _SD_BUS_VTABLE_WRITABLE_PROPERTY) {
		return sd_bus_reply_method_errorf(m, "org.freedesktop.DBus.Error.PropertyReadOnly",
			"Property '%s' is not writable", name);
	}
	if (!text_equal(contents, row->x.property.signature)) {
		return bluez_error(m, ERROR_INVALID, "Invalid arguments in method call");
	}
	int on = 0;
	uint32_t number = 0;
	const char *text = NULL;
	switch (contents[0]) {
	case 'b':
		r = sd_bus_message_read(m, "v", "b", &on);
		return r < 0 ? r : set_flag(node, name, on, m);
	case 's':
		r = sd_bus_message_read(m, "v", "s", &text);
		return r < 0 ? r : set_alias(node, text, m);
	default:
		r = sd_bus_message_read(m, "v", "u", &number);
		return r < 0 ? r : sd_bus_reply_method_return(m, "");
	}
}

/* libdbus' words for a call that reaches no object. */
static int unknown_object(sd_bus_message *m) {
	const char *signature = sd_bus_message_get_signature(m, true);
	return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_OBJECT,
		"Method \"%s\" with signature \"%s\" on interface \"%s\" doesn't exist\n",
		sd_bus_message_get_member(m), signature == NULL ? "" : signature,
		sd_bus_message_get_interface(m));
}

int node_filter(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct bluez *bluez = user;
	const char *path = sd_bus_message_get_path(m);
	const char *interface = sd_bus_message_get_interface(m);
	world_now(bluez->world);
	if (!sd_bus_message_is_method_call(m, NULL, NULL) || path == NULL || interface == NULL) {
		return 0;
	}
	if (bluez->is_hung) {
		return 1; /* as if stopped: the call is never answered */
	}
	if (sd_bus_message_is_method_call(m, MANAGER_INTERFACE, "GetManagedObjects") &&
		text_equal(path, "/")) {
		return bluez->is_up ? get_managed_objects(bluez, m) : unknown_object(m);
	}
	bool is_properties = text_equal(interface, PROPERTIES_INTERFACE);
	if (!is_properties && strncmp(interface, "org.bluez.", strlen("org.bluez.")) != 0) {
		return 0;
	}
	struct node *node = bluez_find(bluez, path);
	if (node == NULL) {
		return unknown_object(m);
	}
	if (!is_properties) {
		return 0;
	}
	if (sd_bus_message_is_method_call(m, NULL, "Get")) {
		return on_get(node, m);
	}
	if (sd_bus_message_is_method_call(m, NULL, "GetAll")) {
		return on_get_all(node, m);
	}
	return sd_bus_message_is_method_call(m, NULL, "Set") ? on_set(node, m) : 0;
}
