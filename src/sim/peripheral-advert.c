/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "peripheral.h"

/* The lock's advertisement as an object for bluetoothd. */

#include <stdio.h>
#include <string.h>

#include "util/log.h"
#include "util/text.h"

#define ADVERT_INTERFACE "org.bluez.LEAdvertisement1"
#define MANAGER_INTERFACE "org.bluez.LEAdvertisingManager1"

/* ---- properties ---- */

static int get_type(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *user, sd_bus_error *error) {
	return sd_bus_message_append(reply, "s", "peripheral");
}

static int get_discoverable(sd_bus *bus, const char *path, const char *interface,
	const char *property, sd_bus_message *reply, void *user, sd_bus_error *error) {
	const struct peripheral *peripheral = user;
	return sd_bus_message_append(reply, "b", peripheral->advert.is_discoverable);
}

static int get_name(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *user, sd_bus_error *error) {
	const struct peripheral *peripheral = user;
	return sd_bus_message_append(reply, "s", peripheral->advert.name);
}

static int append_octets(sd_bus_message *m, const uint8_t *data, size_t n) {
	int r = sd_bus_message_open_container(m, 'v', "ay");
	r = r < 0 ? r : sd_bus_message_append_array(m, 'y', data, n);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int get_manufacturer(sd_bus *bus, const char *path, const char *interface,
	const char *property, sd_bus_message *reply, void *user, sd_bus_error *error) {
	const struct sim_advert *advert = &((const struct peripheral *) user)->advert;
	int r = sd_bus_message_open_container(reply, 'a', "{qv}");
	if (r >= 0 && advert->n_manufacturer > 0) {
		r = sd_bus_message_open_container(reply, 'e', "qv");
		r = r < 0 ? r : sd_bus_message_append(reply, "q", advert->company);
		r = r < 0 ? r : append_octets(reply, advert->manufacturer, advert->n_manufacturer);
		r = r < 0 ? r : sd_bus_message_close_container(reply);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_service_data(sd_bus *bus, const char *path, const char *interface,
	const char *property, sd_bus_message *reply, void *user, sd_bus_error *error) {
	const struct sim_advert *advert = &((const struct peripheral *) user)->advert;
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r >= 0 && advert->service[0] != '\0') {
		r = sd_bus_message_open_container(reply, 'e', "sv");
		r = r < 0 ? r : sd_bus_message_append(reply, "s", advert->service);
		r = r < 0 ? r : append_octets(reply, advert->data, advert->n_data);
		r = r < 0 ? r : sd_bus_message_close_container(reply);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* bluetoothd has dropped it, for instance because the adapter went. */
static int release(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral *peripheral = user;
	if (peripheral->advertising == STEP_OFFERED) {
		peripheral->advertising = STEP_OUT;
		loop_timer_arm(peripheral->retry, 1000);
	}
	return sd_bus_reply_method_return(m, "");
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

/* clang-format off */
static const sd_bus_vtable advert_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, release,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Type", "s", get_type, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Discoverable", "b", get_discoverable, 0, CHANGES),
	SD_BUS_PROPERTY("LocalName", "s", get_name, 0, CHANGES),
	SD_BUS_PROPERTY("ManufacturerData", "a{qv}", get_manufacturer, 0, CHANGES),
	SD_BUS_PROPERTY("ServiceData", "a{sv}", get_service_data, 0, CHANGES),
	SD_BUS_VTABLE_END
};
/* clang-format on */

int advert_export(struct peripheral *peripheral, sd_bus *sd) {
	return sd_bus_add_object_vtable(sd, &peripheral->slots[peripheral->n_slots++],
		PERIPHERAL_ADVERT_PATH, ADVERT_INTERFACE, advert_vtable, peripheral);
}

/* ---- offering it ---- */

static int on_registered(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral *peripheral = user;
	const sd_bus_error *failure = sd_bus_message_get_error(m);
	peripheral->advert_call = sd_bus_slot_unref(peripheral->advert_call);
	if (failure != NULL) {
		peripheral->advertising = STEP_OUT;
		peripheral_complain(peripheral, "bluetoothd does not advertise it: %s",
			failure->message == NULL ? failure->name : failure->message);
		return 0;
	}
	peripheral->advertising = STEP_OFFERED;
	peripheral_settled(peripheral);
	advert_settle(peripheral);
	return 0;
}

static int on_unregistered(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral *peripheral = user;
	peripheral->advert_call = sd_bus_slot_unref(peripheral->advert_call);
	peripheral->advertising = STEP_OUT;
	advert_settle(peripheral);
	return 0;
}

static void ask(struct peripheral *peripheral, bool is_on) {
	sd_bus_message *m = NULL;
	sd_bus *sd = bus_sd(peripheral->bus);
	int r = sd_bus_message_new_method_call(sd, &m, "org.bluez", peripheral->adapter,
		MANAGER_INTERFACE, is_on ? "RegisterAdvertisement" : "UnregisterAdvertisement");
	r = r < 0 ? r : sd_bus_message_append(m, "o", PERIPHERAL_ADVERT_PATH);
	r = r < 0 || !is_on ? r : sd_bus_message_append(m, "a{sv}", 0);
	r = r < 0 ? r
		  : sd_bus_call_async(sd, &peripheral->advert_call, m,
			    is_on ? on_registered : on_unregistered, peripheral, 0);
	sd_bus_message_unref(m);
	if (r < 0) {
		peripheral_complain(peripheral, "cannot ask bluetoothd: %s", strerror(-r));
		return;
	}
	peripheral->advertising = STEP_ASKED;
	bus_kick(peripheral->bus);
}

static bool is_same(const struct sim_advert *a, const struct sim_advert *b) {
	return a->is_discoverable == b->is_discoverable && text_equal(a->name, b->name) &&
	       a->company == b->company && a->n_manufacturer == b->n_manufacturer &&
	       memcmp(a->manufacturer, b->manufacturer, a->n_manufacturer) == 0 &&
	       text_equal(a->service, b->service) && a->n_data == b->n_data &&
	       memcmp(a->data, b->data, a->n_data) == 0;
}

void advert_settle(struct peripheral *peripheral) {
	struct sim_advert advert;
	station_advert(peripheral->station, &advert);
	if (bus_sd(peripheral->bus) == NULL || peripheral->application != STEP_OFFERED ||
		peripheral->advertising == STEP_ASKED) {
		return;
	}
	bool is_wanted = station_is_reachable(peripheral->station);
	bool is_offered = peripheral->advertising == STEP_OFFERED;
	if (is_offered && (!is_wanted || !is_same(&advert, &peripheral->advert))) {
		/*
		 * Anew and not by PropertiesChanged: bluetoothd would take the properties one by
		 * one, and the new one with the old other one may not fit into 31 octets.
		 */
		ask(peripheral, false);
	} else if (!is_offered && is_wanted) {
		peripheral->advert = advert;
		ask(peripheral, true);
	}
}
