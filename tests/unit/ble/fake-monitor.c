/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AdvertisementMonitorManager1 as bluetoothd 5.66 -E plays it (bluez-traces, monitor): it reads the
 * caller's objects, answers, and activates what it likes. Only one client is expected.
 */
#include <assert.h>

#include "fake-objects.h"

#define MONITOR "org.bluez.AdvertisementMonitor1"

bool fake_has_monitors(const struct fake *fake) {
	return fake->monitoring != MONITORING_NONE;
}

static void tell(struct fake *fake, const struct fake_monitor *monitor, const char *member,
	const char *device) {
	sd_bus_message *m = NULL;

	CHECK(sd_bus_message_new_method_call(
		fake->sd, &m, monitor->owner, monitor->path, MONITOR, member));
	if (device != NULL) {
		CHECK(sd_bus_message_append(m, "o", device));
	}
	CHECK(sd_bus_call_async(fake->sd, NULL, m, NULL, NULL, 0));
	sd_bus_message_unref(m);
}

static void read_patterns(struct fake_monitor *monitor, sd_bus_message *m) {
	size_t at = 0;

	monitor->n_patterns = 0;
	CHECK(sd_bus_message_enter_container(m, 'v', "a(yyay)"));
	CHECK(sd_bus_message_enter_container(m, 'a', "(yyay)"));
	while (sd_bus_message_enter_container(m, 'r', "yyay") > 0) {
		uint8_t offset, type;
		const void *bytes;
		size_t n;
		CHECK(sd_bus_message_read(m, "yy", &offset, &type));
		CHECK(sd_bus_message_read_array(m, 'y', &bytes, &n));
		assert(at + 3 + n <= sizeof(monitor->patterns));
		monitor->patterns[at++] = offset;
		monitor->patterns[at++] = type;
		monitor->patterns[at++] = (uint8_t) n;
		memcpy(monitor->patterns + at, bytes, n);
		at += n;
		monitor->n_patterns++;
		CHECK(sd_bus_message_exit_container(m));
	}
	CHECK(sd_bus_message_exit_container(m));
	CHECK(sd_bus_message_exit_container(m));
}

static void read_monitor(struct fake_monitor *monitor, const char *path, sd_bus_message *m) {
	const char *name, *text;

	snprintf(monitor->path, sizeof(monitor->path), "%s", path);
	CHECK(sd_bus_message_enter_container(m, 'a', "{sv}"));
	while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
		CHECK(sd_bus_message_read(m, "s", &name));
		if (strcmp(name, "Patterns") == 0) {
			read_patterns(monitor, m);
		} else if (strcmp(name, "Type") == 0) {
			CHECK(sd_bus_message_read(m, "v", "s", &text));
			snprintf(monitor->type, sizeof(monitor->type), "%s", text);
		} else if (strcmp(name, "RSSILowThreshold") == 0) {
			int16_t value;
			CHECK(sd_bus_message_read(m, "v", "n", &value));
			monitor->has_thresholds = value >= -127 && value <= 20;
		} else {
			CHECK(sd_bus_message_skip(m, "v"));
		}
		CHECK(sd_bus_message_exit_container(m));
	}
	CHECK(sd_bus_message_exit_container(m));
}

/* a{oa{sa{sv}}} */
static void read_client(struct fake_monitor *monitor, sd_bus_message *m) {
	const char *path, *interface;

	CHECK(sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}"));
	while (sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}") > 0) {
		CHECK(sd_bus_message_read(m, "o", &path));
		CHECK(sd_bus_message_enter_container(m, 'a', "{sa{sv}}"));
		while (sd_bus_message_enter_container(m, 'e', "sa{sv}") > 0) {
			CHECK(sd_bus_message_read(m, "s", &interface));
			if (strcmp(interface, MONITOR) == 0) {
				read_monitor(monitor, path, m);
			} else {
				CHECK(sd_bus_message_skip(m, "a{sv}"));
			}
			CHECK(sd_bus_message_exit_container(m));
		}
		CHECK(sd_bus_message_exit_container(m));
		CHECK(sd_bus_message_exit_container(m));
	}
	CHECK(sd_bus_message_exit_container(m));
}

static void forget(struct fake_monitor *monitor) {
	sd_bus_message_unref(monitor->call);
	memset(monitor, 0, sizeof(*monitor));
}

static int on_client(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct fake_monitor *monitor = user;
	struct fake *fake = monitor->fake;

	(void) ret_error;
	if (monitor->call == NULL || sd_bus_message_is_method_error(message, NULL)) {
		return 0;
	}
	read_client(monitor, message);
	CHECK(sd_bus_reply_method_return(monitor->call, ""));
	monitor->call = sd_bus_message_unref(monitor->call);
	if (monitor->path[0] == '\0' || fake->monitoring == MONITORING_SLUGGISH) {
		return 0; /* registered, and that is all */
	}
	if (fake->monitoring == MONITORING_INVALID) {
		tell(fake, monitor, "Release", NULL);
		return 0;
	}
	monitor->is_active = true;
	fake->n_activated++;
	tell(fake, monitor, "Activate", NULL);
	return 0;
}

static void register_monitor(
	struct fake *fake, struct fake_monitor *monitor, sd_bus_message *call) {
	sd_bus_message *m = NULL;
	const char *root;

	fake->n_registered++;
	CHECK(sd_bus_message_read(call, "o", &root));
	if (fake->monitoring == MONITORING_REFUSED) {
		CHECK(sd_bus_reply_method_errorf(call, fake->error_name, "%s", fake->error_text));
		return;
	}
	if (monitor->root[0] != '\0') {
		CHECK(sd_bus_reply_method_errorf(
			call, "org.bluez.Error.AlreadyExists", "Already Exists"));
		return;
	}
	forget(monitor);
	snprintf(monitor->owner, sizeof(monitor->owner), "%s", sd_bus_message_get_sender(call));
	snprintf(monitor->root, sizeof(monitor->root), "%s", root);
	monitor->fake = fake;
	monitor->call = sd_bus_message_ref(call);
	CHECK(sd_bus_message_new_method_call(
		fake->sd, &m, monitor->owner, root, OM, "GetManagedObjects"));
	CHECK(sd_bus_call_async(fake->sd, NULL, m, on_client, monitor, 0));
	sd_bus_message_unref(m);
}

void fake_call_monitors(
	struct fake *fake, unsigned index, const char *member, sd_bus_message *call) {
	struct fake_monitor *monitor = &fake->adapters[index].monitor;

	if (strcmp(member, "RegisterMonitor") == 0) {
		register_monitor(fake, monitor, call);
		return;
	}
	fake->n_unregistered++;
	if (monitor->root[0] == '\0') {
		CHECK(sd_bus_reply_method_errorf(
			call, "org.bluez.Error.DoesNotExist", "Does Not Exist"));
		return;
	}
	if (monitor->is_active) {
		tell(fake, monitor, "Release", NULL);
	}
	forget(monitor);
	CHECK(sd_bus_reply_method_return(call, ""));
}

void fake_monitors_forget(struct fake *fake) {
	for (unsigned i = 0; i < 4; i++) {
		forget(&fake->adapters[i].monitor);
	}
}

void fake_monitor_release(struct fake *fake, unsigned adapter) {
	fake->adapters[adapter].monitor.is_active = false;
	tell(fake, &fake->adapters[adapter].monitor, "Release", NULL);
}

void fake_device_beacon(struct fake_device *device, uint8_t state) {
	struct fake *fake = device->fake;
	const struct fake_monitor *monitor = &fake->adapters[device->adapter].monitor;

	if (!monitor->is_active) {
		return;
	}
	if (device->data[3] != state) {
		fake_device_data(device, state);
	}
	if (!device->is_found || !monitor->has_thresholds) {
		device->is_found = true;
		tell(fake, monitor, "DeviceFound", device->path);
	}
}

void fake_monitor_lost(struct fake_device *device) {
	struct fake *fake = device->fake;

	device->is_found = false;
	tell(fake, &fake->adapters[device->adapter].monitor, "DeviceLost", device->path);
}
