/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-objects.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RESOLVE_MS 5

static int64_t now_ms(void) {
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void later(struct fake_device *device, unsigned ms, void (*fn)(struct fake_device *device)) {
	struct fake *fake = device->fake;

	assert(fake->n_timers < sizeof(fake->timers) / sizeof(fake->timers[0]));
	fake->timers[fake->n_timers++] = (struct fake_timer){ now_ms() + ms, fn, device };
}

/* ------------------------------------------------------------------ signals */

static sd_bus_message *signal_new(
	struct fake *fake, const char *path, const char *interface, const char *member) {
	sd_bus_message *m = NULL;

	CHECK(sd_bus_message_new_signal(fake->sd, &m, path, interface, member));
	return m;
}

static void signal_send(struct fake *fake, sd_bus_message *m) {
	CHECK(sd_bus_send(fake->sd, m, NULL));
	sd_bus_message_unref(m);
}

static sd_bus_message *changes_new(struct fake *fake, const char *path, const char *interface) {
	sd_bus_message *m = signal_new(fake, path, PROPS, "PropertiesChanged");

	CHECK(sd_bus_message_append(m, "s", interface));
	CHECK(sd_bus_message_open_container(m, 'a', "{sv}"));
	return m;
}

static void changes_send(struct fake *fake, sd_bus_message *m, const char *invalidated) {
	CHECK(sd_bus_message_close_container(m));
	CHECK(invalidated != NULL ? sd_bus_message_append(m, "as", 1, invalidated)
				  : sd_bus_message_append(m, "as", 0));
	signal_send(fake, m);
}

static void device_flag(struct fake_device *device, const char *name, bool value) {
	sd_bus_message *m = changes_new(device->fake, device->path, "org.bluez.Device1");

	fake_put(m, name, "b", value);
	changes_send(device->fake, m, NULL);
}

static void added_send(struct fake_device *device, int what) {
	struct fake *fake = device->fake;
	sd_bus_message *m = signal_new(fake, "/", OM, "InterfacesAdded");

	if (what < 0) {
		fake_put_service_object(m, device);
	} else {
		fake_put_characteristic_object(m, device, (unsigned) what);
	}
	signal_send(fake, m);
}

void fake_device_show(struct fake_device *device) {
	sd_bus_message *m = signal_new(device->fake, "/", OM, "InterfacesAdded");

	device->is_present = true;
	fake_open_object(m, device->path, "org.bluez.Device1");
	fake_put_device(m, device);
	fake_close_object(m);
	signal_send(device->fake, m);
}

static void set_connecting(struct fake_device *device, int by) {
	unsigned *n = &device->fake->adapters[device->adapter].n_connecting;

	*n += (unsigned) by;
	if (*n > device->fake->n_connecting_most) {
		device->fake->n_connecting_most = *n;
	}
}

static sd_bus_message *take_connect(struct fake_device *device) {
	sd_bus_message *call = device->pending_connect;

	device->pending_connect = NULL;
	if (call != NULL) {
		set_connecting(device, -1);
	}
	return call;
}

void fake_device_hide(struct fake_device *device) {
	sd_bus_message *m = signal_new(device->fake, "/", OM, "InterfacesRemoved");

	device->is_present = false;
	device->is_connected = false;
	device->is_resolved = false;
	device->has_gatt = false;
	sd_bus_message_unref(take_connect(device)); /* its answer never comes */
	CHECK(sd_bus_message_append(m, "oas", device->path, 3, PROPS,
		"org.freedesktop.DBus.Introspectable", "org.bluez.Device1"));
	signal_send(device->fake, m);
}

void fake_device_data(struct fake_device *device, uint8_t state) {
	sd_bus_message *m = changes_new(device->fake, device->path, "org.bluez.Device1");

	device->data[3] = state;
	fake_put_data(m, device);
	changes_send(device->fake, m, NULL);
}

void fake_device_advertise(struct fake_device *device, int16_t rssi, uint8_t state) {
	sd_bus_message *m = changes_new(device->fake, device->path, "org.bluez.Device1");

	device->rssi = rssi;
	device->data[3] = state;
	fake_put(m, "RSSI", "n", rssi);
	fake_put_data(m, device);
	changes_send(device->fake, m, NULL);
}

/* A Disconnect that waits for its 2 s is answered when the link falls before. */
static void answer_disconnect(struct fake_device *device) {
	sd_bus_message *call = device->pending_disconnect;

	device->pending_disconnect = NULL;
	if (call != NULL) {
		CHECK(sd_bus_reply_method_return(call, ""));
		sd_bus_message_unref(call);
	}
}

void fake_device_drop(struct fake_device *device) {
	sd_bus_message *m = changes_new(device->fake, device->path, "org.bluez.Device1");

	device->is_connected = false;
	device->is_resolved = false;
	fake_put(m, "ServicesResolved", "b", 0);
	fake_put(m, "Connected", "b", 0);
	changes_send(device->fake, m, NULL);
	answer_disconnect(device);
}

/* Device1.Disconnected, BlueZ 5.83. */
void fake_device_reason(struct fake_device *device, const char *reason) {
	sd_bus_message *m =
		signal_new(device->fake, device->path, "org.bluez.Device1", "Disconnected");

	CHECK(sd_bus_message_append(m, "ss", reason, "Connection lost"));
	signal_send(device->fake, m);
}

void fake_device_value(struct fake_device *device, const uint8_t *value, size_t n) {
	char path[128];

	fake_characteristic_path(device, 1, path);
	sd_bus_message *m = changes_new(device->fake, path, "org.bluez.GattCharacteristic1");
	CHECK(sd_bus_message_open_container(m, 'e', "sv"));
	CHECK(sd_bus_message_append(m, "s", "Value"));
	CHECK(sd_bus_message_open_container(m, 'v', "ay"));
	CHECK(sd_bus_message_append_array(m, 'y', value, n));
	CHECK(sd_bus_message_close_container(m));
	CHECK(sd_bus_message_close_container(m));
	changes_send(device->fake, m, NULL);
}

void fake_storm(struct fake *fake, unsigned adapter, unsigned n) {
	char path[64];

	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/org/bluez/hci%u/dev_F0_00_00_00_%02X_%02X", adapter,
			i / 256, i % 256);
		sd_bus_message *m = changes_new(fake, path, "org.bluez.Device1");
		fake_put(m, "RSSI", "n", -60);
		changes_send(fake, m, NULL);
	}
}

static void adapter_changes(struct fake *fake, unsigned index, bool is_power) {
	char path[32];

	snprintf(path, sizeof(path), "/org/bluez/hci%u", index);
	sd_bus_message *m = changes_new(fake, path, "org.bluez.Adapter1");
	if (is_power) {
		fake_put(m, "Powered", "b", fake->adapters[index].is_powered);
	}
	fake_put(m, "Discovering", "b", fake->adapters[index].is_discovering);
	changes_send(fake, m, NULL);
}

/* ------------------------------------------------------------------ what happens by itself */

static void reply_error(sd_bus_message *call, const char *name, const char *text) {
	CHECK(sd_bus_reply_method_errorf(call, name, "%s", text));
}

static void export_gatt(struct fake_device *device) {
	device->has_gatt = true;
	added_send(device, -1);
	added_send(device, 0);
	if (device->has_usdio) {
		added_send(device, 1);
	}
}

static void resolve(struct fake_device *device) {
	if (!device->is_connected || device->is_resolve_withheld) {
		return;
	}
	device->is_resolved = true;
	device_flag(device, "ServicesResolved", true);
	if (!device->has_gatt) {
		if (device->gatt_delay_ms > 0) {
			later(device, device->gatt_delay_ms, export_gatt);
		} else {
			export_gatt(device);
		}
	}
}

/* What is answered when the script says so: a subscription, a write. */
void fake_device_answer_held(struct fake_device *device) {
	sd_bus_message *notify = device->held_notify, *write = device->held_write;

	device->held_notify = device->held_write = NULL;
	if (notify != NULL) {
		device->is_notifying = true;
		CHECK(sd_bus_reply_method_return(notify, ""));
	}
	if (write != NULL) {
		CHECK(sd_bus_reply_method_return(write, ""));
	}
	sd_bus_message_unref(notify);
	sd_bus_message_unref(write);
}

void fake_device_resolve(struct fake_device *device) {
	device->is_resolve_withheld = false;
	resolve(device);
}

static unsigned count_links(const struct fake *fake, unsigned adapter) {
	unsigned n = 0;

	for (size_t i = 0; i < fake->n_devices; i++) {
		n += fake->devices[i].adapter == adapter && fake->devices[i].is_connected;
	}
	return n;
}

void fake_device_connect(struct fake_device *device) {
	sd_bus_message *call = take_connect(device);

	if (call == NULL) {
		return;
	}
	unsigned links_max = device->fake->adapters[device->adapter].links_max;
	if (links_max > 0 && count_links(device->fake, device->adapter) >= links_max) {
		reply_error(call, "org.bluez.Error.Failed", "le-connection-abort-by-local");
		answer_disconnect(device);
		sd_bus_message_unref(call);
		return;
	}
	bool is_failing = device->n_fail_connects > 0;
	if (is_failing) {
		device->n_fail_connects--;
	}
	if (device->connect == CONNECT_FLIP || is_failing) {
		device_flag(device, "Connected", true);
		reply_error(call, "org.bluez.Error.Failed", "le-connection-abort-by-local");
		device_flag(device, "Connected", false);
		answer_disconnect(device);
	} else if (device->connect == CONNECT_ERROR) {
		reply_error(call, device->error_name, device->error_text);
	} else if (device->connect == CONNECT_HOLLOW) {
		CHECK(sd_bus_reply_method_return(call, ""));
	} else {
		device->is_connected = true;
		if (device->connect == CONNECT_SIGNALLED) {
			device_flag(device, "Connected", true);
		}
		CHECK(sd_bus_reply_method_return(call, ""));
		later(device, RESOLVE_MS, resolve);
	}
	sd_bus_message_unref(call);
}

static void finish_disconnect(struct fake_device *device) {
	sd_bus_message *call = device->pending_disconnect;

	device->pending_disconnect = NULL;
	if (call == NULL) {
		return;
	}
	if (device->is_connected) {
		device->is_connected = false;
		device->is_resolved = false;
		device_flag(device, "ServicesResolved", false);
		CHECK(sd_bus_reply_method_return(call, ""));
		device_flag(device, "Connected", false);
	} else {
		CHECK(sd_bus_reply_method_return(call, ""));
	}
	sd_bus_message_unref(call);
}

/* ------------------------------------------------------------------ calls */

static struct fake_device *device_at(struct fake *fake, const char *path, bool is_below) {
	for (size_t i = 0; i < fake->n_devices; i++) {
		struct fake_device *device = &fake->devices[i];
		size_t n = strlen(device->path);
		if (strncmp(device->path, path, n) == 0 &&
			(path[n] == '\0' || (is_below && path[n] == '/')) && device->is_present) {
			return device;
		}
	}
	return NULL;
}

static void put_gatt_objects(sd_bus_message *m, const struct fake_device *device) {
	/* The other way round than one would like. */
	for (int i = device->has_usdio ? 1 : 0; i >= 0; i--) {
		CHECK(sd_bus_message_open_container(m, 'e', "oa{sa{sv}}"));
		fake_put_characteristic_object(m, device, (unsigned) i);
		CHECK(sd_bus_message_close_container(m));
	}
	CHECK(sd_bus_message_open_container(m, 'e', "oa{sa{sv}}"));
	fake_put_service_object(m, device);
	CHECK(sd_bus_message_close_container(m));
}

static void put_adapter_object(
	sd_bus_message *m, const struct fake *fake, unsigned index, const char *path) {
	fake_open_object(m, path, "org.bluez.Adapter1");
	fake_put_adapter(m, fake, index);
	if (fake_has_monitors(fake)) {
		CHECK(sd_bus_message_close_container(m));
		CHECK(sd_bus_message_open_container(m, 'e', "sa{sv}"));
		CHECK(sd_bus_message_append(m, "s", MONITOR_MANAGER));
		CHECK(sd_bus_message_open_container(m, 'a', "{sv}"));
		fake_put(m, "SupportedMonitorTypes", "as", 1, "or_patterns");
		CHECK(sd_bus_message_close_container(m));
	}
	fake_close_object(m);
}

static void call_snapshot(struct fake *fake, sd_bus_message *call) {
	sd_bus_message *m = NULL;
	char path[64];

	fake->n_snapshots++;
	CHECK(sd_bus_message_new_method_return(call, &m));
	CHECK(sd_bus_message_open_container(m, 'a', "{oa{sa{sv}}}"));
	for (unsigned i = 0; i < 4; i++) {
		if (fake->adapters[i].is_present) {
			snprintf(path, sizeof(path), "/org/bluez/hci%u", i);
			CHECK(sd_bus_message_open_container(m, 'e', "oa{sa{sv}}"));
			put_adapter_object(m, fake, i, path);
			CHECK(sd_bus_message_close_container(m));
		}
	}
	for (size_t i = 0; i < fake->n_devices; i++) {
		const struct fake_device *device = &fake->devices[i];
		if (device->is_present && fake->adapters[device->adapter].is_present) {
			CHECK(sd_bus_message_open_container(m, 'e', "oa{sa{sv}}"));
			fake_open_object(m, device->path, "org.bluez.Device1");
			fake_put_device(m, device);
			fake_close_object(m);
			CHECK(sd_bus_message_close_container(m));
			if (device->has_gatt) {
				put_gatt_objects(m, device);
			}
		}
	}
	CHECK(sd_bus_message_close_container(m));
	CHECK(sd_bus_send(fake->sd, m, NULL));
	sd_bus_message_unref(m);
}

static void call_connect(struct fake_device *device, sd_bus_message *call) {
	struct fake *fake = device->fake;

	device->n_connects++;
	fake->was_connect_in_discovery =
		fake->was_connect_in_discovery || fake->adapters[device->adapter].is_discovering;
	if (!fake->adapters[device->adapter].is_powered) {
		reply_error(call, "org.bluez.Error.Failed", "Input/output error");
	} else if (device->pending_connect != NULL) {
		reply_error(call, "org.bluez.Error.Failed", "Operation already in progress");
	} else if (device->is_connected) {
		CHECK(sd_bus_reply_method_return(call, ""));
	} else {
		device->pending_connect = sd_bus_message_ref(call);
		set_connecting(device, 1);
		if (device->connect != CONNECT_PENDING && device->connect != CONNECT_DEAF) {
			later(device, device->connect_ms, fake_device_connect);
		}
	}
}

static void call_disconnect(struct fake_device *device, sd_bus_message *call) {
	device->n_disconnects++;
	if (device->is_disconnect_swallowed) {
		return;
	}
	if (device->pending_connect != NULL && device->connect != CONNECT_DEAF) {
		sd_bus_message *pending = take_connect(device);
		reply_error(pending, "org.bluez.Error.Failed", "br-connection-canceled");
		sd_bus_message_unref(pending);
		CHECK(sd_bus_reply_method_return(call, ""));
		return;
	}
	if (device->pending_disconnect != NULL) {
		CHECK(sd_bus_reply_method_return(call, ""));
		return;
	}
	device->pending_disconnect = sd_bus_message_ref(call);
	later(device, device->disconnect_ms, finish_disconnect);
}

static void call_write(struct fake_device *device, sd_bus_message *call) {
	const void *bytes;
	const char *key, *type;
	size_t n;

	device->n_writes++;
	CHECK(sd_bus_message_read_array(call, 'y', &bytes, &n));
	CHECK(sd_bus_message_read(call, "a{sv}", 1, &key, "s", &type));
	snprintf(device->write_type, sizeof(device->write_type), "%s", type);
	assert(n <= sizeof(device->written));
	memcpy(device->written, bytes, n);
	device->n_written = n;
	if (!device->is_connected) {
		reply_error(call, "org.bluez.Error.Failed", "Not connected");
		return;
	}
	switch (device->write) {
	case WRITE_ECHO:
		CHECK(sd_bus_reply_method_return(call, ""));
		if (device->is_notifying) {
			fake_device_value(device, bytes, n);
		}
		break;
	case WRITE_STALL:
		sd_bus_message_unref(device->held_write);
		device->held_write = sd_bus_message_ref(call);
		break;
	case WRITE_DROP:
		fake_device_drop(device);
		break;
	case WRITE_LOST_ATT:
		fake_device_drop(device);
		reply_error(
			call, "org.bluez.Error.Failed", "Operation failed with ATT error: 0x0e");
		break;
	case WRITE_ATT_LOST:
		reply_error(
			call, "org.bluez.Error.Failed", "Operation failed with ATT error: 0x0e");
		fake_device_drop(device);
		break;
	case WRITE_ERROR:
		reply_error(call, device->error_name, device->error_text);
		break;
	}
}

static void call_adapter(
	struct fake *fake, unsigned index, const char *member, sd_bus_message *call) {
	bool is_powered = fake->adapters[index].is_powered;

	if (!is_powered && strcmp(member, "RemoveDevice") != 0) {
		reply_error(call, "org.bluez.Error.NotReady", "Resource Not Ready");
	} else if (strcmp(member, "SetDiscoveryFilter") == 0) {
		fake->n_filters++;
		fake->adapters[index].is_filtered = true;
		CHECK(sd_bus_reply_method_return(call, ""));
	} else if (strcmp(member, "StartDiscovery") == 0) {
		fake->n_start_discovery++;
		if (fake->is_discovery_busy || fake->adapters[index].is_discovering) {
			reply_error(call, "org.bluez.Error.InProgress",
				"Operation already in progress");
			return;
		}
		assert(fake->adapters[index].is_filtered);
		fake->adapters[index].is_discovering = true;
		CHECK(sd_bus_reply_method_return(call, ""));
		adapter_changes(fake, index, false);
	} else if (strcmp(member, "StopDiscovery") == 0) {
		fake->n_stop_discovery++;
		if (!fake->adapters[index].is_discovering) {
			reply_error(call, "org.bluez.Error.Failed", "No discovery started");
			return;
		}
		fake->adapters[index].is_discovering = false;
		CHECK(sd_bus_reply_method_return(call, ""));
		for (size_t i = 0; i < fake->n_devices; i++) {
			struct fake_device *device = &fake->devices[i];
			if (device->is_present && device->rssi != 0) {
				device->rssi = 0;
				changes_send(fake,
					changes_new(fake, device->path, "org.bluez.Device1"),
					"RSSI");
			}
		}
		adapter_changes(fake, index, false);
	} else if (strcmp(member, "RemoveDevice") == 0) {
		const char *path;
		CHECK(sd_bus_message_read(call, "o", &path));
		struct fake_device *device = device_at(fake, path, false);
		if (device == NULL) {
			reply_error(call, "org.bluez.Error.DoesNotExist", "Does Not Exist");
			return;
		}
		device->n_removes++;
		CHECK(sd_bus_reply_method_return(call, ""));
		fake_device_hide(device);
	}
}

static void reply_value(sd_bus_message *call, const char *text) {
	sd_bus_message *m = NULL;

	CHECK(sd_bus_message_new_method_return(call, &m));
	CHECK(sd_bus_message_append_array(m, 'y', text, strlen(text)));
	CHECK(sd_bus_send(NULL, m, NULL));
	sd_bus_message_unref(m);
}

static bool call_gatt(struct fake_device *device, const char *member, sd_bus_message *call) {
	char path[128];

	fake_characteristic_path(device, 1, path);
	bool is_usdio = device->has_usdio && strcmp(path, sd_bus_message_get_path(call)) == 0;
	fake_characteristic_path(device, 0, path);
	if (!device->has_gatt || (!is_usdio && strcmp(path, sd_bus_message_get_path(call)) != 0)) {
		return false;
	}
	if (strcmp(member, "WriteValue") == 0) {
		call_write(device, call);
	} else if (strcmp(member, "StartNotify") == 0) {
		device->n_start_notify++;
		if (device->notify_error_name != NULL) {
			reply_error(call, device->notify_error_name, device->notify_error_text);
			return true;
		}
		sd_bus_message_unref(device->held_notify);
		device->held_notify = sd_bus_message_ref(call);
		if (!device->is_notify_withheld) {
			fake_device_answer_held(device);
		}
	} else if (strcmp(member, "ReadValue") == 0) {
		device->n_reads++;
		if (device->read_text != NULL) {
			reply_value(call, device->read_text);
		}
	} else if (strcmp(member, "StopNotify") == 0) {
		device->n_stop_notify++;
		device->is_notifying = false;
		CHECK(sd_bus_reply_method_return(call, ""));
	}
	return true;
}

static bool call_properties(struct fake *fake, const char *member, sd_bus_message *call) {
	struct fake_device *device = device_at(fake, sd_bus_message_get_path(call), false);
	const char *interface, *name;
	unsigned index;
	int value;

	if (strcmp(member, "GetAll") == 0 && device != NULL) {
		sd_bus_message *m = NULL;
		CHECK(sd_bus_message_new_method_return(call, &m));
		fake_put_device(m, device);
		CHECK(sd_bus_send(fake->sd, m, NULL));
		sd_bus_message_unref(m);
		return true;
	}
	if (strcmp(member, "Set") == 0 && device == NULL) {
		CHECK(sd_bus_message_read(call, "ssv", &interface, &name, "b", &value));
		fake->n_power_off += value == 0;
		CHECK(sscanf(sd_bus_message_get_path(call), "/org/bluez/hci%u", &index) - 1);
		fake_adapter_power(fake, index, value != 0);
		CHECK(sd_bus_reply_method_return(call, ""));
		return true;
	}
	return false;
}

static int on_message(sd_bus_message *call, void *user, sd_bus_error *ret_error) {
	struct fake *fake = user;
	uint8_t type;

	(void) ret_error;
	CHECK(sd_bus_message_get_type(call, &type));
	const char *path = sd_bus_message_get_path(call);
	const char *interface = sd_bus_message_get_interface(call);
	const char *member = sd_bus_message_get_member(call);
	if (type != SD_BUS_MESSAGE_METHOD_CALL || interface == NULL ||
		strcmp(interface, "org.freedesktop.DBus.Peer") == 0) {
		return 0;
	}
	unsigned index = 0;
	char rest;
	struct fake_device *device = device_at(fake, path, true);
	if (strcmp(interface, OM) == 0) {
		call_snapshot(fake, call);
		return 1;
	}
	if (strcmp(interface, PROPS) == 0 && call_properties(fake, member, call)) {
		return 1;
	}
	if (sscanf(path, "/org/bluez/hci%u%c", &index, &rest) == 1 && index < 4 &&
		fake->adapters[index].is_present && strcmp(interface, "org.bluez.Adapter1") == 0) {
		call_adapter(fake, index, member, call);
		return 1;
	}
	if (sscanf(path, "/org/bluez/hci%u%c", &index, &rest) == 1 && index < 4 &&
		fake->adapters[index].is_present && strcmp(interface, MONITOR_MANAGER) == 0 &&
		fake_has_monitors(fake)) {
		fake_call_monitors(fake, index, member, call);
		return 1;
	}
	if (device != NULL && strcmp(interface, "org.bluez.Device1") == 0) {
		if (strcmp(member, "Connect") == 0) {
			call_connect(device, call);
		} else {
			call_disconnect(device, call);
		}
		return 1;
	}
	if (device != NULL && strcmp(interface, "org.bluez.GattCharacteristic1") == 0 &&
		call_gatt(device, member, call)) {
		return 1;
	}
	reply_error(call, "org.freedesktop.DBus.Error.UnknownObject", "Method doesn't exist\n");
	return 1;
}

/* ------------------------------------------------------------------ the script's hands */

void fake_adapter_add(struct fake *fake, unsigned index, const char *address, bool is_powered) {
	char path[32];

	fake->adapters[index].is_present = true;
	fake->adapters[index].is_powered = is_powered;
	snprintf(fake->adapters[index].address, sizeof(fake->adapters[index].address), "%s",
		address);
	if (fake->sd != NULL) {
		snprintf(path, sizeof(path), "/org/bluez/hci%u", index);
		sd_bus_message *m = signal_new(fake, "/", OM, "InterfacesAdded");
		put_adapter_object(m, fake, index, path);
		signal_send(fake, m);
	}
}

static void links_fall(struct fake *fake, unsigned index) {
	for (size_t i = 0; i < fake->n_devices; i++) {
		struct fake_device *device = &fake->devices[i];
		if (device->adapter == index && device->is_present && device->is_connected) {
			fake_device_drop(device);
		}
	}
}

void fake_adapter_power(struct fake *fake, unsigned index, bool is_powered) {
	if (!is_powered) {
		links_fall(fake, index);
		fake->adapters[index].is_discovering = false;
		fake->adapters[index].is_filtered = false;
	}
	fake->adapters[index].is_powered = is_powered;
	adapter_changes(fake, index, true);
}

void fake_adapter_block(struct fake *fake, unsigned index) {
	char path[32];

	fake_adapter_power(fake, index, false);
	snprintf(path, sizeof(path), "/org/bluez/hci%u", index);
	sd_bus_message *m = changes_new(fake, path, "org.bluez.Adapter1");
	fake_put(m, "PowerState", "s", "off-blocked");
	changes_send(fake, m, NULL);
}

void fake_adapter_remove(struct fake *fake, unsigned index) {
	char path[32];

	fake_adapter_power(fake, index, false);
	for (size_t i = 0; i < fake->n_devices; i++) {
		if (fake->devices[i].adapter == index && fake->devices[i].is_present) {
			fake_device_hide(&fake->devices[i]);
		}
	}
	fake->adapters[index].is_present = false;
	snprintf(path, sizeof(path), "/org/bluez/hci%u", index);
	/* In several signals, as seen. */
	sd_bus_message *m = signal_new(fake, "/", OM, "InterfacesRemoved");
	CHECK(sd_bus_message_append(m, "oas", path, 1, "org.bluez.GattManager1"));
	signal_send(fake, m);
	m = signal_new(fake, "/", OM, "InterfacesRemoved");
	CHECK(sd_bus_message_append(m, "oas", path, 2, PROPS, "org.bluez.Adapter1"));
	signal_send(fake, m);
}

struct fake_device *fake_device_add(struct fake *fake, unsigned adapter, const char *address) {
	assert(fake->n_devices < FAKE_DEVICES_MAX);
	struct fake_device *device = &fake->devices[fake->n_devices++];

	memset(device, 0, sizeof(*device));
	device->fake = fake;
	device->adapter = adapter;
	device->has_usdio = true;
	device->handle = 0x10;
	device->connect_ms = 3;
	device->disconnect_ms = 20;
	memcpy(device->data, "\x02\x15\xa9\xc0", 4);
	snprintf(device->address, sizeof(device->address), "%s", address);
	int n = snprintf(
		device->path, sizeof(device->path), "/org/bluez/hci%u/dev_%s", adapter, address);
	for (int i = 0; i < n; i++) {
		device->path[i] = device->path[i] == ':' ? '_' : device->path[i];
	}
	device->is_present = true;
	return device;
}

static void forget_calls(struct fake *fake) {
	for (size_t i = 0; i < fake->n_devices; i++) {
		struct fake_device *device = &fake->devices[i];
		sd_bus_message_unref(take_connect(device));
		device->pending_disconnect = sd_bus_message_unref(device->pending_disconnect);
		device->held_notify = sd_bus_message_unref(device->held_notify);
		device->held_write = sd_bus_message_unref(device->held_write);
	}
}

void fake_die(struct fake *fake) {
	forget_calls(fake);
	fake->n_timers = 0;
	for (size_t i = 0; i < fake->n_devices; i++) {
		fake->devices[i].is_connected = false;
		fake->devices[i].is_resolved = false;
		fake->devices[i].has_gatt = false;
		fake->devices[i].is_notifying = false;
	}
	for (unsigned i = 0; i < 4; i++) {
		fake->adapters[i].is_discovering = false;
		fake->adapters[i].is_filtered = false;
	}
	fake_monitors_forget(fake);
	sd_bus_close(fake->sd);
	fake->sd = sd_bus_unref(fake->sd);
}

void fake_start(struct fake *fake) {
	CHECK(sd_bus_new(&fake->sd));
	CHECK(sd_bus_set_address(fake->sd, fake->address));
	CHECK(sd_bus_set_bus_client(fake->sd, true));
	CHECK(sd_bus_start(fake->sd));
	CHECK(sd_bus_add_filter(fake->sd, NULL, on_message, fake));
	CHECK(sd_bus_request_name(fake->sd, "org.bluez", 0));
}

void fake_turn(struct fake *fake) {
	while (fake->systemd != NULL && sd_bus_process(fake->systemd, NULL) > 0) {
	}
	if (fake->sd == NULL || fake->is_hung) {
		return;
	}
	while (sd_bus_process(fake->sd, NULL) > 0) {
	}
	for (size_t i = 0; i < fake->n_timers;) {
		struct fake_timer timer = fake->timers[i];
		if (timer.due_ms > now_ms()) {
			i++;
			continue;
		}
		fake->timers[i] = fake->timers[--fake->n_timers];
		timer.fn(timer.device);
	}
	while (sd_bus_process(fake->sd, NULL) > 0) {
	}
}
