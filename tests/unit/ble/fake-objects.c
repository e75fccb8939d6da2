/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-objects.h"

#include <stdarg.h>

void fake_put(sd_bus_message *m, const char *name, const char *type, ...) {
	va_list args;

	CHECK(sd_bus_message_open_container(m, 'e', "sv"));
	CHECK(sd_bus_message_append(m, "s", name));
	CHECK(sd_bus_message_open_container(m, 'v', type));
	va_start(args, type);
	CHECK(sd_bus_message_appendv(m, type, args));
	va_end(args);
	CHECK(sd_bus_message_close_container(m));
	CHECK(sd_bus_message_close_container(m));
}

void fake_put_data(sd_bus_message *m, const struct fake_device *device) {
	CHECK(sd_bus_message_open_container(m, 'e', "sv"));
	CHECK(sd_bus_message_append(m, "s", "ManufacturerData"));
	CHECK(sd_bus_message_open_container(m, 'v', "a{qv}"));
	CHECK(sd_bus_message_open_container(m, 'a', "{qv}"));
	CHECK(sd_bus_message_open_container(m, 'e', "qv"));
	CHECK(sd_bus_message_append(m, "q", 0x004c));
	CHECK(sd_bus_message_open_container(m, 'v', "ay"));
	CHECK(sd_bus_message_append_array(m, 'y', device->data, sizeof(device->data)));
	for (int i = 0; i < 5; i++) {
		CHECK(sd_bus_message_close_container(m));
	}
}

void fake_put_adapter(sd_bus_message *m, const struct fake *fake, unsigned index) {
	CHECK(sd_bus_message_open_container(m, 'a', "{sv}"));
	fake_put(m, "Address", "s", fake->adapters[index].address);
	fake_put(m, "AddressType", "s", "public");
	fake_put(m, "Class", "u", 0);
	fake_put(m, "Powered", "b", fake->adapters[index].is_powered);
	fake_put(m, "Discovering", "b", fake->adapters[index].is_discovering);
	fake_put(m, "UUIDs", "as", 1, "00001801-0000-1000-8000-00805f9b34fb");
	fake_put(m, "Modalias", "s",
		fake->is_silent_version ? "usb:v1D6Bp0246d0545"
		: fake->is_new          ? "usb:v1D6Bp0246d0553"
					: "usb:v1D6Bp0246d0542");
	CHECK(sd_bus_message_close_container(m));
}

void fake_put_device(sd_bus_message *m, const struct fake_device *device) {
	CHECK(sd_bus_message_open_container(m, 'a', "{sv}"));
	fake_put(m, "Address", "s", device->address);
	fake_put(m, "AddressType", "s", "random");
	fake_put(m, "Name", "s", "Nuki_Fake");
	fake_put(m, "Paired", "b", device->is_bonded);
	fake_put(m, "Trusted", "b", 0);
	if (device->rssi != 0) {
		fake_put(m, "RSSI", "n", device->rssi);
	}
	fake_put(m, "Connected", "b", device->is_connected);
	fake_put_data(m, device);
	fake_put(m, "ServicesResolved", "b", device->is_resolved);
	CHECK(sd_bus_message_close_container(m));
}

void fake_service_path(const struct fake_device *device, char out[128]) {
	snprintf(out, 128, "%s/service%04x", device->path, device->handle);
}

void fake_characteristic_path(const struct fake_device *device, unsigned n, char out[128]) {
	snprintf(out, 128, "%s/service%04x/char%04x", device->path, device->handle,
		device->handle + 1 + 3 * n);
}

void fake_open_object(sd_bus_message *m, const char *path, const char *interface) {
	CHECK(sd_bus_message_append(m, "o", path));
	CHECK(sd_bus_message_open_container(m, 'a', "{sa{sv}}"));
	CHECK(sd_bus_message_append(m, "{sa{sv}}", "org.freedesktop.DBus.Introspectable", 0));
	CHECK(sd_bus_message_open_container(m, 'e', "sa{sv}"));
	CHECK(sd_bus_message_append(m, "s", interface));
}

void fake_close_object(sd_bus_message *m) {
	CHECK(sd_bus_message_close_container(m));
	CHECK(sd_bus_message_append(m, "{sa{sv}}", PROPS, 0));
	CHECK(sd_bus_message_close_container(m));
}

void fake_put_service_object(sd_bus_message *m, const struct fake_device *device) {
	char path[128];

	fake_service_path(device, path);
	fake_open_object(m, path, "org.bluez.GattService1");
	CHECK(sd_bus_message_open_container(m, 'a', "{sv}"));
	fake_put(m, "UUID", "s", FAKE_SERVICE);
	fake_put(m, "Device", "o", device->path);
	fake_put(m, "Primary", "b", 1);
	CHECK(sd_bus_message_close_container(m));
	fake_close_object(m);
}

void fake_put_characteristic_object(
	sd_bus_message *m, const struct fake_device *device, unsigned n) {
	char path[128], service[128];

	fake_service_path(device, service);
	fake_characteristic_path(device, n, path);
	fake_open_object(m, path, "org.bluez.GattCharacteristic1");
	CHECK(sd_bus_message_open_container(m, 'a', "{sv}"));
	fake_put(m, "UUID", "s", n == 0 ? FAKE_GDIO : FAKE_USDIO);
	fake_put(m, "Service", "o", service);
	fake_put(m, "Value", "ay", 0);
	fake_put(m, "Notifying", "b", device->is_notifying);
	fake_put(m, "Flags", "as", 2,
		n == 1 && device->is_command_only ? "write-without-response" : "write", "indicate");
	fake_put(m, "MTU", "q", 247);
	CHECK(sd_bus_message_close_container(m));
	fake_close_object(m);
}
