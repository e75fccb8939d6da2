/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "peripheral.h"

/* The lock's GATT table as objects for bluetoothd, and what a central does with it. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "loop/bus.h"
#include "util/log.h"
#include "util/text.h"

#define SERVICE_INTERFACE "org.bluez.GattService1"
#define CHAR_INTERFACE "org.bluez.GattCharacteristic1"
#define ERROR "org.bluez.Error."
#define MTU_DEFAULT 23
#define MTU_MAX 517
#define CONFIRM_MS 1000 /* when it does not come, nobody listens any more */

int gatt_tree_build(struct peripheral *peripheral) {
	struct sim_lock *lock = peripheral->station->lock;
	const struct sim_gatt *gatt = lock->impl->gatt(lock);
	if (gatt->n_services > PERIPHERAL_SERVICES_MAX ||
		sim_lock_n_chars(lock) > PERIPHERAL_CHARS_MAX) {
		return -E2BIG;
	}
	for (size_t i = 0; i < gatt->n_services; i++) {
		struct peripheral_service *service = &peripheral->services[i];
		service->peripheral = peripheral;
		service->uuid = gatt->services[i].uuid;
		snprintf(service->path, sizeof(service->path), PERIPHERAL_GATT_PATH "/service%zu",
			i);
		for (size_t k = 0; k < gatt->services[i].n_chars; k++) {
			struct peripheral_char *chr = &peripheral->chars[peripheral->n_chars];
			chr->peripheral = peripheral;
			chr->service = service;
			chr->uuid = gatt->services[i].chars[k].uuid;
			chr->flags = gatt->services[i].chars[k].flags;
			chr->chr = (unsigned) peripheral->n_chars++;
			snprintf(chr->path, sizeof(chr->path),
				PERIPHERAL_GATT_PATH "/service%zu/char%zu", i, k);
		}
	}
	peripheral->n_services = gatt->n_services;
	return 0;
}

/* ---- links ---- */

static struct sim_lock *lock_of(const struct peripheral *peripheral) {
	return peripheral->station->lock;
}

static int find_link(const struct peripheral *peripheral, const char *device) {
	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		if (peripheral->links[i].is_up && text_equal(peripheral->links[i].device, device)) {
			return i;
		}
	}
	return -ENOTCONN;
}

/* The lock's link to @device, a new one when it has none. -ENOTCONN, -EBUSY. */
static int link_to(struct peripheral *peripheral, const char *device, unsigned mtu) {
	struct sim_lock *lock = lock_of(peripheral);
	int link = find_link(peripheral, device);
	if (link >= 0) {
		sim_lock_set_mtu(lock, link, mtu);
		return link;
	}
	if (!station_is_reachable(peripheral->station)) {
		return -ENOTCONN;
	}
	link = sim_lock_connect(lock, mtu, world_now(peripheral->world));
	if (link < 0) {
		return link;
	}
	struct peripheral_link *up = &peripheral->links[link];
	up->is_up = true;
	text_copy(up->device, sizeof(up->device), device);
	peripheral->station->links[link] = up;
	for (size_t i = 0; i < peripheral->n_chars; i++) {
		if (peripheral->chars[i].is_notifying) {
			sim_lock_subscribe(lock, link, peripheral->chars[i].chr, true);
		}
	}
	log_debug("link %d: %s, MTU %u", link, device, mtu);
	return link;
}

void gatt_tree_link_lost(struct peripheral *peripheral, const char *device) {
	bool is_lost = false;
	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		struct peripheral_link *link = &peripheral->links[i];
		if (!link->is_up || (device != NULL && !text_equal(link->device, device))) {
			continue;
		}
		link->is_up = false;
		peripheral->station->links[i] = NULL;
		sim_lock_disconnect(lock_of(peripheral), i, world_now(peripheral->world));
		log_debug("link %d: over", i);
		is_lost = true;
	}
	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		is_lost = is_lost && !peripheral->links[i].is_up;
	}
	if (is_lost) {
		gatt_tree_forget_values(peripheral);
	}
}

void gatt_tree_hang_up(struct peripheral *peripheral, int link) {
	sd_bus *sd = bus_sd(peripheral->bus);
	if (sd == NULL || !peripheral->links[link].is_up) {
		return;
	}
	/* The end is told by Connected, some seconds later: bluetoothd takes its time. */
	sd_bus_call_method_async(sd, NULL, "org.bluez", peripheral->links[link].device,
		"org.bluez.Device1", "Disconnect", NULL, NULL, "");
	bus_kick(peripheral->bus);
}

/* ---- answers ---- */

/* In the words by which bluetoothd knows what to say to the central. */
static int answer_error(sd_bus_message *m, int error) {
	int code = error <= -SIM_ATT_BASE ? -error - SIM_ATT_BASE : SIM_ATT_UNLIKELY;
	switch (code) {
	case SIM_ATT_READ_NOT_PERMITTED:
	case SIM_ATT_WRITE_NOT_PERMITTED:
		return sd_bus_reply_method_errorf(m, ERROR "NotPermitted", "Not permitted");
	case SIM_ATT_INVALID_OFFSET:
		return sd_bus_reply_method_errorf(m, ERROR "InvalidOffset", "Invalid offset");
	case SIM_ATT_INVALID_LENGTH:
		return sd_bus_reply_method_errorf(m, ERROR "InvalidValueLength", "Invalid length");
	default:
		return sd_bus_reply_method_errorf(
			m, ERROR "Failed", "0x%02x", (unsigned) code & 0xff);
	}
}

struct request {
	const char *device;
	uint16_t offset, mtu;
};

static int read_option(sd_bus_message *m, const char *key, void *user) {
	struct request *request = user;

	return text_equal(key, "device")   ? sd_bus_message_read(m, "v", "o", &request->device)
	       : text_equal(key, "offset") ? sd_bus_message_read(m, "v", "q", &request->offset)
	       : text_equal(key, "mtu")    ? sd_bus_message_read(m, "v", "q", &request->mtu)
					   : sd_bus_message_skip(m, "v");
}

static int read_options(sd_bus_message *m, struct request *request) {
	*request = (struct request){ .device = "", .mtu = MTU_DEFAULT };
	int r = bus_each_property(m, read_option, request);
	request->mtu = request->mtu < MTU_DEFAULT ? MTU_DEFAULT
		       : request->mtu > MTU_MAX   ? MTU_MAX
						  : request->mtu;
	return r;
}

/* ---- methods ---- */

static int read_value(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral_char *chr = user;
	struct peripheral *peripheral = chr->peripheral;
	struct request request;
	uint8_t value[PERIPHERAL_VALUE_MAX];
	int r = read_options(m, &request);
	if (r < 0) {
		return r;
	}
	int link = link_to(peripheral, request.device, request.mtu);
	ssize_t n =
		link < 0 ? link
			 : sim_lock_read(lock_of(peripheral), link, chr->chr, value, sizeof(value));
	if (n >= 0 && request.offset > n) {
		n = SIM_ATT(SIM_ATT_INVALID_OFFSET);
	}
	if (n < 0) {
		return answer_error(m, (int) n);
	}
	sd_bus_message *reply = NULL;
	r = sd_bus_message_new_method_return(m, &reply);
	r = r < 0 ? r
		  : sd_bus_message_append_array(
			    reply, 'y', value + request.offset, (size_t) n - request.offset);
	r = r < 0 ? r : sd_bus_send(sd_bus_message_get_bus(m), reply, NULL);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 1;
}

/* What was written before stays in front of @offset. @return 0 or SIM_ATT(code). */
static int put_value(struct peripheral_char *chr, size_t offset, const void *value, size_t n) {
	if (offset > chr->n_value) {
		return SIM_ATT(SIM_ATT_INVALID_OFFSET);
	}
	if (offset + n > sizeof(chr->value)) {
		return SIM_ATT(SIM_ATT_INVALID_LENGTH);
	}
	if (n > 0) {
		memcpy(chr->value + offset, value, n);
	}
	chr->n_value = offset + n;
	return 0;
}

static int write_value(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral_char *chr = user;
	struct peripheral *peripheral = chr->peripheral;
	struct request request;
	const void *value = NULL;
	size_t n = 0;
	int r = sd_bus_message_read_array(m, 'y', &value, &n);
	r = r < 0 ? r : read_options(m, &request);
	if (r < 0) {
		return r;
	}
	int link = link_to(peripheral, request.device, request.mtu);
	int done = link < 0 ? link : put_value(chr, request.offset, value, n);
	peripheral->is_writing = true;
	if (done >= 0) {
		done = sim_lock_write(lock_of(peripheral), link, chr->chr, chr->value, chr->n_value,
			world_now(peripheral->world));
	}
	r = done < 0 ? answer_error(m, done) : sd_bus_reply_method_return(m, "");
	peripheral->is_writing = false;
	gatt_tree_pump(peripheral);
	return r < 0 ? r : 1;
}

static void listen_all(struct peripheral_char *chr, bool on) {
	struct peripheral *peripheral = chr->peripheral;
	chr->is_notifying = on;
	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		if (peripheral->links[i].is_up) {
			sim_lock_subscribe(lock_of(peripheral), i, chr->chr, on);
		}
	}
}

static int start_notify(sd_bus_message *m, void *user, sd_bus_error *error) {
	listen_all(user, true);
	return sd_bus_reply_method_return(m, "");
}

static int stop_notify(sd_bus_message *m, void *user, sd_bus_error *error) {
	listen_all(user, false);
	return sd_bus_reply_method_return(m, "");
}

/* ---- the lock's values ---- */

static void drop_held(struct peripheral *peripheral, size_t n) {
	for (size_t i = 0; i < n; i++) {
		sd_bus_message_unref(peripheral->held[i].m);
	}
	peripheral->n_held -= n;
	memmove(peripheral->held, peripheral->held + n,
		peripheral->n_held * sizeof(peripheral->held[0]));
}

/*
 * One indication after the other, as a lock does. bluetoothd 5.66 would take more, but sends those
 * that come close together in the wrong order.
 */
void gatt_tree_pump(struct peripheral *peripheral) {
	sd_bus *sd = bus_sd(peripheral->bus);
	while (sd != NULL && peripheral->n_held > 0 && !peripheral->is_writing &&
		!loop_timer_is_armed(peripheral->patience)) {
		sd_bus_send(sd, peripheral->held[0].m, NULL);
		if (peripheral->held[0].is_confirmed) {
			loop_timer_arm(peripheral->patience, CONFIRM_MS);
		}
		drop_held(peripheral, 1);
		bus_kick(peripheral->bus);
	}
}

void gatt_tree_forget_values(struct peripheral *peripheral) {
	drop_held(peripheral, peripheral->n_held);
	loop_timer_disarm(peripheral->patience);
}

/* The central has it. */
static int confirm(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral_char *chr = user;
	int r = sd_bus_reply_method_return(m, "");
	loop_timer_disarm(chr->peripheral->patience);
	gatt_tree_pump(chr->peripheral);
	return r;
}

void gatt_tree_send(struct peripheral *peripheral, unsigned chr, const uint8_t *value, size_t n) {
	sd_bus *sd = bus_sd(peripheral->bus);
	sd_bus_message *m = NULL;
	if (sd == NULL || chr >= peripheral->n_chars || !peripheral->chars[chr].is_notifying) {
		return;
	}
	if (peripheral->n_held == PERIPHERAL_HELD_MAX) {
		log_warning("a value of %zu octets is lost: too many wait", n);
		return;
	}
	int r = sd_bus_message_new_signal(sd, &m, peripheral->chars[chr].path,
		"org.freedesktop.DBus.Properties", "PropertiesChanged");
	r = r < 0 ? r : sd_bus_message_append(m, "s", CHAR_INTERFACE);
	r = r < 0 ? r : sd_bus_message_open_container(m, 'a', "{sv}");
	r = r < 0 ? r : sd_bus_message_open_container(m, 'e', "sv");
	r = r < 0 ? r : sd_bus_message_append(m, "s", "Value");
	r = r < 0 ? r : sd_bus_message_open_container(m, 'v', "ay");
	r = r < 0 ? r : sd_bus_message_append_array(m, 'y', value, n);
	for (int i = 0; i < 3; i++) {
		r = r < 0 ? r : sd_bus_message_close_container(m);
	}
	r = r < 0 ? r : sd_bus_message_append(m, "as", 0);
	if (r < 0) {
		log_warning("a value of %zu octets is lost: %s", n, strerror(-r));
		sd_bus_message_unref(m);
		return;
	}
	peripheral->held[peripheral->n_held++] = (struct peripheral_value){
		.m = m,
		.is_confirmed = (peripheral->chars[chr].flags & SIM_FLAG_INDICATE) != 0,
	};
	gatt_tree_pump(peripheral);
}

/* ---- properties ---- */

static int get_service_uuid(sd_bus *bus, const char *path, const char *interface,
	const char *property, sd_bus_message *reply, void *user, sd_bus_error *error) {
	const struct peripheral_service *service = user;
	return sd_bus_message_append(reply, "s", service->uuid);
}

static int get_primary(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *user, sd_bus_error *error) {
	return sd_bus_message_append(reply, "b", 1);
}

static int get_char_uuid(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *user, sd_bus_error *error) {
	const struct peripheral_char *chr = user;
	return sd_bus_message_append(reply, "s", chr->uuid);
}

static int get_service(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *user, sd_bus_error *error) {
	const struct peripheral_char *chr = user;
	return sd_bus_message_append(reply, "o", chr->service->path);
}

static int get_flags(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *user, sd_bus_error *error) {
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{ SIM_FLAG_READ, "read" },
		{ SIM_FLAG_WRITE, "write" },
		{ SIM_FLAG_WRITE_COMMAND, "write-without-response" },
		{ SIM_FLAG_NOTIFY, "notify" },
		{ SIM_FLAG_INDICATE, "indicate" },
	};
	const struct peripheral_char *chr = user;
	int r = sd_bus_message_open_container(reply, 'a', "s");
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(names); i++) {
		if (chr->flags & names[i].flag) {
			r = sd_bus_message_append(reply, "s", names[i].name);
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

#define FREE SD_BUS_VTABLE_UNPRIVILEGED
#define CONST SD_BUS_VTABLE_PROPERTY_CONST

/* clang-format off */
static const sd_bus_vtable service_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("UUID", "s", get_service_uuid, 0, CONST),
	SD_BUS_PROPERTY("Primary", "b", get_primary, 0, CONST),
	SD_BUS_VTABLE_END
};

static const sd_bus_vtable char_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("ReadValue", SD_BUS_ARGS("a{sv}", options),
		SD_BUS_RESULT("ay", value), read_value, FREE),
	SD_BUS_METHOD_WITH_ARGS("WriteValue", SD_BUS_ARGS("ay", value, "a{sv}", options),
		SD_BUS_NO_RESULT, write_value, FREE),
	SD_BUS_METHOD_WITH_ARGS("StartNotify", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, start_notify,
		FREE),
	SD_BUS_METHOD_WITH_ARGS("StopNotify", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, stop_notify, FREE),
	SD_BUS_METHOD_WITH_ARGS("Confirm", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, confirm, FREE),
	SD_BUS_PROPERTY("UUID", "s", get_char_uuid, 0, CONST),
	SD_BUS_PROPERTY("Service", "o", get_service, 0, CONST),
	SD_BUS_PROPERTY("Flags", "as", get_flags, 0, CONST),
	SD_BUS_VTABLE_END
};
/* clang-format on */

int gatt_tree_export(struct peripheral *peripheral, sd_bus *sd) {
	sd_bus_slot **slots = peripheral->slots;
	int r = sd_bus_add_object_manager(sd, &slots[peripheral->n_slots++], PERIPHERAL_GATT_PATH);
	for (size_t i = 0; r >= 0 && i < peripheral->n_services; i++) {
		r = sd_bus_add_object_vtable(sd, &slots[peripheral->n_slots++],
			peripheral->services[i].path, SERVICE_INTERFACE, service_vtable,
			&peripheral->services[i]);
	}
	for (size_t i = 0; r >= 0 && i < peripheral->n_chars; i++) {
		r = sd_bus_add_object_vtable(sd, &slots[peripheral->n_slots++],
			peripheral->chars[i].path, CHAR_INTERFACE, char_vtable,
			&peripheral->chars[i]);
	}
	return r;
}
