/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bluez.h"

/* GattService1, GattCharacteristic1, GattDescriptor1: reading, writing, listening. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bus.h"
#include "util/text.h"

#define ATT_VALUE_MAX 512
#define SERVICE_CHANGED "00002a05-0000-1000-8000-00805f9b34fb"
#define GATT_SERVICE "00001801-0000-1000-8000-00805f9b34fb"
/* GAP takes the first handles; BlueZ keeps it to itself. */
#define FIRST_HANDLE 6

static struct sched *sched_of(const struct device *device) {
	return device->node.bluez->world->sched;
}

static struct device *device_of(const struct gatt_char *chr) {
	return chr->service->device;
}

/* ---- the table ---- */

static void on_read(void *user);
static void on_write(void *user);
static void on_notify(void *user);

static void add_char(struct device *device, struct gatt_service *service, const char *uuid,
	unsigned flags, int number, uint16_t *handle) {
	struct gatt_char *chr = &device->chars[device->n_chars++];
	*chr = (struct gatt_char){
		.node = { NODE_CHAR, device->node.bluez },
		.service = service,
		.handle = *handle,
		.uuid = uuid,
		.flags = flags,
		.chr = number,
	};
	list_init(&chr->clients);
	sched_job_init(&chr->read.job, on_read, chr);
	sched_job_init(&chr->write.job, on_write, chr);
	sched_job_init(&chr->notify_job, on_notify, chr);
	*handle = (uint16_t) (*handle + 2);
	if (flags & (SIM_FLAG_NOTIFY | SIM_FLAG_INDICATE)) {
		device->descs[device->n_descs++] = (struct gatt_desc){
			.node = { NODE_DESC, device->node.bluez },
			.chr = chr,
			.handle = (*handle)++,
		};
	}
}

static struct gatt_service *add_service(struct device *device, const char *uuid, uint16_t *handle) {
	struct gatt_service *service = &device->services[device->n_services++];
	*service = (struct gatt_service){
		.node = { NODE_SERVICE, device->node.bluez },
		.device = device,
		.handle = (*handle)++,
		.uuid = uuid,
	};
	return service;
}

int gatt_build(struct device *device) {
	struct sim_lock *lock = device->station->lock;
	const struct sim_gatt *gatt = lock->impl->gatt(lock);
	size_t n_chars = 1 + sim_lock_n_chars(lock);
	gatt_free(device);
	device->services = calloc(1 + gatt->n_services, sizeof(*device->services));
	device->chars = calloc(n_chars, sizeof(*device->chars));
	device->descs = calloc(n_chars, sizeof(*device->descs));
	if (device->services == NULL || device->chars == NULL || device->descs == NULL) {
		gatt_free(device);
		return -ENOMEM;
	}
	device->handle_shift = device->station->handle_shift;
	uint16_t handle = (uint16_t) (FIRST_HANDLE + device->handle_shift);
	int number = 0;
	struct gatt_service *service = add_service(device, GATT_SERVICE, &handle);
	add_char(device, service, SERVICE_CHANGED, SIM_FLAG_INDICATE, -1, &handle);
	for (size_t i = 0; i < gatt->n_services; i++) {
		service = add_service(device, gatt->services[i].uuid, &handle);
		for (size_t k = 0; k < gatt->services[i].n_chars; k++) {
			const struct sim_char *def = &gatt->services[i].chars[k];
			add_char(device, service, def->uuid, def->flags, number++, &handle);
		}
	}
	return 0;
}

void gatt_free(struct device *device) {
	free(device->services);
	free(device->chars);
	free(device->descs);
	device->services = NULL;
	device->chars = NULL;
	device->descs = NULL;
	device->n_services = device->n_chars = device->n_descs = 0;
}

/* Service, its characteristics, their descriptors, then the next service: as seen. */
void gatt_added(struct device *device) {
	device->has_objects = true;
	for (size_t i = 0; i < device->n_services; i++) {
		struct gatt_service *service = &device->services[i];
		node_added(&service->node);
		for (size_t k = 0; k < device->n_chars; k++) {
			if (device->chars[k].service != service) {
				continue;
			}
			node_added(&device->chars[k].node);
			for (size_t d = 0; d < device->n_descs; d++) {
				if (device->descs[d].chr == &device->chars[k]) {
					node_added(&device->descs[d].node);
				}
			}
		}
	}
}

static void client_free(struct notify_client *client) {
	bluez_drop(&client->msg);
	list_remove(&client->link);
	free(client->sender);
	free(client);
}

static void end_op(struct gatt_char *chr, struct gatt_op *op) {
	sched_disarm(sched_of(device_of(chr)), &op->job);
	bluez_drop(&op->msg);
	free(op->value);
	op->value = NULL;
	op->is_stalled = false;
}

void gatt_removed(struct device *device, bool is_told) {
	sched_disarm(sched_of(device), &device->objects_job);
	for (size_t i = 0; i < device->n_chars; i++) {
		struct gatt_char *chr = &device->chars[i];
		struct notify_client *client, *next;
		list_for_each_safe(client, next, &chr->clients, link) {
			client_free(client);
		}
		chr->is_notifying = false;
		fd_close(chr, false);
		end_op(chr, &chr->read);
		end_op(chr, &chr->write);
		sched_disarm(sched_of(device), &chr->notify_job);
	}
	if (!device->has_objects) {
		return;
	}
	for (size_t i = 0; is_told && i < device->n_descs; i++) {
		node_removed(&device->descs[i].node);
	}
	for (size_t i = 0; is_told && i < device->n_chars; i++) {
		node_removed(&device->chars[i].node);
	}
	for (size_t i = 0; is_told && i < device->n_services; i++) {
		node_removed(&device->services[i].node);
	}
	device->has_objects = false;
}

/* ---- errors, in BlueZ's words ---- */

static void fail_att(sd_bus_message **msg, int code) {
	char text[64];
	switch (code) {
	case SIM_ATT_READ_NOT_PERMITTED:
		bluez_fail(msg, ERROR_NOT_PERMITTED, "Read not permitted");
		return;
	case SIM_ATT_WRITE_NOT_PERMITTED:
		bluez_fail(msg, ERROR_NOT_PERMITTED, "Write not permitted");
		return;
	case SIM_ATT_INVALID_OFFSET:
		bluez_fail(msg, ERROR_INVALID, "Invalid offset");
		return;
	case SIM_ATT_INVALID_LENGTH:
		bluez_fail(msg, ERROR_INVALID, "Invalid Length");
		return;
	default:
		snprintf(text, sizeof(text), "Operation failed with ATT error: 0x%02x",
			(unsigned) code & 0xff);
		bluez_fail(msg, ERROR_FAILED, text);
	}
}

static void fail_pending(sd_bus_message **msg) {
	if (*msg != NULL) {
		fail_att(msg, SIM_ATT_UNLIKELY);
	}
}

static int not_connected(sd_bus_message *m) {
	return bluez_error(m, ERROR_FAILED, "Not connected");
}

/* When the next ATT request may be answered: they go one after the other over one link. */
static mono_t att_slot(struct device *device, unsigned requests) {
	mono_t now = sched_now(sched_of(device));
	mono_t start = device->att_free.ms > now.ms ? device->att_free : now;
	device->att_free = mono_after(start, (int64_t) requests * ATT_MS);
	return device->att_free;
}

/* ---- options ---- */

struct options {
	uint16_t offset;
	const char *type; /* NULL: not said */
};

static int read_option(sd_bus_message *m, const char *key, void *user) {
	struct options *options = user;

	return text_equal(key, "offset") ? sd_bus_message_read(m, "v", "q", &options->offset)
	       : text_equal(key, "type") ? sd_bus_message_read(m, "v", "s", &options->type)
					 : sd_bus_message_skip(m, "v");
}

static int invalid(sd_bus_message *m) {
	return bluez_error(m, ERROR_INVALID, "Invalid arguments in method call");
}

/* ---- reading ---- */

static void on_read(void *user) {
	struct gatt_char *chr = user;
	struct device *device = device_of(chr);
	sd_bus_message *msg = chr->read.msg, *reply = NULL;
	chr->read.msg = NULL;
	uint16_t offset = chr->read.offset;
	uint8_t value[ATT_VALUE_MAX];
	ssize_t n = 0;
	if (device->is_stale) {
		n = SIM_ATT(0x01);
	} else if (chr->chr < 0) {
		n = SIM_ATT(SIM_ATT_READ_NOT_PERMITTED);
	} else {
		n = sim_lock_read(device->station->lock, device->lock_link, (unsigned) chr->chr,
			value, sizeof(value));
	}
	if (n >= 0 && offset > n) {
		n = SIM_ATT(SIM_ATT_INVALID_OFFSET);
	}
	if (n < 0) {
		fail_att(&msg, (int) (-n - SIM_ATT_BASE));
		return;
	}
	/* BlueZ tells the value it has read to everybody, just before the reply. */
	memcpy(chr->value, value, (size_t) n);
	chr->n_value = (size_t) n;
	node_changed(&chr->node, "Value", NULL);
	if (sd_bus_message_new_method_return(msg, &reply) >= 0 &&
		sd_bus_message_append_array(reply, 'y', value + offset, (size_t) n - offset) >= 0) {
		sd_bus_send(sd_bus_message_get_bus(msg), reply, NULL);
	}
	sd_bus_message_unref(reply);
	bluez_drop(&msg);
	bus_kick(chr->node.bluez->bus);
}

int char_read(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct gatt_char *chr = container_of(user, struct gatt_char, node);
	struct device *device = device_of(chr);
	struct options options = { 0 };
	if (!device_has_link(device)) {
		return not_connected(m);
	}
	if (bus_each_property(m, read_option, &options) < 0) {
		return invalid(m);
	}
	if (chr->read.msg != NULL) {
		return bluez_error(m, ERROR_IN_PROGRESS, "In Progress");
	}
	chr->read.msg = sd_bus_message_ref(m);
	chr->read.offset = options.offset;
	sched_arm_at(sched_of(device), &chr->read.job, att_slot(device, 1));
	return 1;
}

/* ---- writing ---- */

/* @return true when the trouble has taken the write over. */
static bool write_trouble(struct gatt_char *chr, sd_bus_message **msg) {
	struct device *device = device_of(chr);
	struct station *station = device->station;
	if (station_trouble(station, TROUBLE_DROP_IN_WRITE) || station_loses(station, 1)) {
		fail_att(msg, SIM_ATT_UNLIKELY);
		device_link_lost(device, true);
		return true;
	}
	if (station_trouble(station, TROUBLE_DROP_IN_WRITE_FIRST)) {
		sd_bus_message *late = *msg;
		*msg = NULL;
		device_link_lost(device, true);
		fail_att(&late, SIM_ATT_UNLIKELY);
		return true;
	}
	if (station_trouble(station, TROUBLE_WRITE_ERROR)) {
		fail_att(msg, 0x80);
		return true;
	}
	if (station_trouble(station, TROUBLE_DEAF)) {
		bluez_reply(msg);
		return true;
	}
	return false;
}

static void to_lock(struct gatt_char *chr, sd_bus_message **msg, const uint8_t *value, size_t n) {
	struct device *device = device_of(chr);
	struct station *station = device->station;
	mono_t now = sched_now(sched_of(device));
	if (device->is_stale || chr->chr < 0) {
		fail_att(msg, device->is_stale ? 0x01 : SIM_ATT_WRITE_NOT_PERMITTED);
		return;
	}
	if (write_trouble(chr, msg)) {
		return;
	}
	bool is_early = station_trouble(station, TROUBLE_EARLY);
	bool is_dropped = station_trouble(station, TROUBLE_DROP_AFTER_WRITE);
	device->is_mute = station_trouble(station, TROUBLE_MUTE) || is_dropped;
	device->indication_free = mono_after(now, is_early ? -INDICATION_MS : 0);
	int r = sim_lock_write(
		station->lock, device->lock_link, (unsigned) chr->chr, value, n, now);
	if (is_early) {
		gatt_flush(device);
	}
	if (r < 0) {
		fail_att(msg, -r - SIM_ATT_BASE);
	} else {
		bluez_reply(msg);
	}
	if (is_dropped) {
		device_link_lost(device, true);
	}
}

static void on_write(void *user) {
	struct gatt_char *chr = user;
	struct device *device = device_of(chr);
	if (chr->write.is_stalled) {
		chr->write.is_stalled = false;
		fail_att(&chr->write.msg, SIM_ATT_UNLIKELY);
		free(chr->write.value);
		chr->write.value = NULL;
		sched_arm(sched_of(device), &device->stall_job, ATT_STALL_DROP_MS);
		return;
	}
	if (station_trouble(device->station, TROUBLE_ATT_STALL)) {
		chr->write.is_stalled = true;
		sched_arm(sched_of(device), &chr->write.job, ATT_STALL_MS);
		return;
	}
	sd_bus_message *msg = chr->write.msg;
	uint8_t *value = chr->write.value;
	chr->write.msg = NULL;
	chr->write.value = NULL;
	to_lock(chr, &msg, value, chr->write.n);
	free(value);
}

/* What kind of write, by BlueZ's rules. 0; -EOPNOTSUPP; -EPERM "Failed to initiate write". */
static int write_kind(const struct gatt_char *chr, const char *type, uint16_t offset, size_t n,
	bool *ret_is_command) {
	bool is_request = type == NULL
				  ? (chr->flags & SIM_FLAG_WRITE) != 0
				  : text_equal(type, "request") || text_equal(type, "reliable");
	if (is_request) {
		*ret_is_command = false;
		return 0;
	}
	bool can_command = type == NULL ? (chr->flags & SIM_FLAG_WRITE_COMMAND) != 0
					: text_equal(type, "command");
	if (!can_command || offset > 0) {
		return -EOPNOTSUPP;
	}
	*ret_is_command = true;
	return n > device_of(chr)->mtu - 3U ? -EPERM : 0;
}

int char_write(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct gatt_char *chr = container_of(user, struct gatt_char, node);
	struct device *device = device_of(chr);
	const void *value = NULL;
	size_t n = 0;
	struct options options = { 0 };
	bool is_command = false;
	if (!device_has_link(device)) {
		return not_connected(m);
	}
	if (chr->write_fd != NULL) {
		return bluez_error(m, ERROR_NOT_PERMITTED, "Write acquired");
	}
	if (chr->write.msg != NULL) {
		return bluez_error(m, ERROR_IN_PROGRESS, "In Progress");
	}
	if (sd_bus_message_read_array(m, 'y', &value, &n) < 0 ||
		bus_each_property(m, read_option, &options) < 0) {
		return invalid(m);
	}
	const uint16_t offset = options.offset;
	int r = write_kind(chr, options.type, offset, n, &is_command);
	if (r == -EOPNOTSUPP) {
		return bluez_error(m, ERROR_NOT_SUPPORTED, "Operation is not supported");
	}
	if (r < 0) {
		return bluez_error(m, ERROR_FAILED, "Failed to initiate write");
	}
	if (n + offset > ATT_VALUE_MAX) {
		return bluez_error(m, ERROR_INVALID, "Invalid Length");
	}
	/* An offset is a long write into a value that is zero before it, as far as these locks
	 * care. */
	uint8_t *copy = calloc(1, n + offset + 1U);
	if (copy == NULL) {
		return -ENOMEM;
	}
	memcpy(copy + offset, value, n);
	if (is_command) {
		sd_bus_message *none = NULL;
		sd_bus_reply_method_return(m, "");
		to_lock(chr, &none, copy, n);
		free(copy);
		return 1;
	}
	chr->write.msg = sd_bus_message_ref(m);
	chr->write.value = copy;
	chr->write.n = n + offset;
	/* Longer than MTU - 3: prepare writes of MTU - 5 octets each, then execute. */
	unsigned requests =
		n <= device->mtu - 3U && offset == 0 ? 1 : (unsigned) (n / (device->mtu - 5U)) + 2;
	sched_arm_at(sched_of(device), &chr->write.job, att_slot(device, requests));
	return 1;
}

/* ---- listening ---- */

static struct notify_client *find_client(struct gatt_char *chr, const char *sender) {
	struct notify_client *client;
	list_for_each(client, &chr->clients, link) {
		if (text_equal(client->sender, sender)) {
			return client;
		}
	}
	return NULL;
}

static int subscribe(struct gatt_char *chr, bool on) {
	struct device *device = device_of(chr);
	if (device->is_stale) {
		return SIM_ATT(0x01);
	}
	return chr->chr < 0 ? 0
			    : sim_lock_subscribe(device->station->lock, device->lock_link,
				      (unsigned) chr->chr, on);
}

/* The CCC descriptor has been written: all who wait for it are answered. */
static void on_notify(void *user) {
	struct gatt_char *chr = user;
	struct notify_client *client, *next;
	int r = subscribe(chr, true);
	if (r >= 0 && !chr->is_notifying) {
		chr->is_notifying = true;
		node_changed(&chr->node, "Notifying", NULL);
	}
	list_for_each_safe(client, next, &chr->clients, link) {
		client->is_registered = client->is_registered || r >= 0;
		if (client->msg == NULL) {
			continue;
		}
		if (r >= 0) {
			bluez_reply(&client->msg);
		} else {
			fail_att(&client->msg, -r - SIM_ATT_BASE);
			client_free(client);
		}
	}
}

int char_start_notify(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct gatt_char *chr = container_of(user, struct gatt_char, node);
	struct device *device = device_of(chr);
	const char *sender = sd_bus_message_get_sender(m);
	if (device->is_disconnecting) {
		return bluez_error(m, "org.bluez.Error.NotConnected", "Not Connected");
	}
	if (chr->notify_fd != NULL) {
		return bluez_error(m, ERROR_NOT_PERMITTED, "Notify acquired");
	}
	if (!(chr->flags & (SIM_FLAG_NOTIFY | SIM_FLAG_INDICATE))) {
		return bluez_error(m, ERROR_NOT_SUPPORTED, "Operation is not supported");
	}
	struct notify_client *client = find_client(chr, sender);
	if (client != NULL) {
		return client->msg == NULL ? sd_bus_reply_method_return(m, "")
					   : bluez_error(m, ERROR_IN_PROGRESS, "In Progress");
	}
	client = calloc(1, sizeof(*client));
	if (client == NULL) {
		return -ENOMEM;
	}
	client->sender = strdup(sender == NULL ? "" : sender);
	list_append(&chr->clients, &client->link);
	if (!device_has_link(device)) {
		return sd_bus_reply_method_return(m, ""); /* armed for the next link */
	}
	client->msg = sd_bus_message_ref(m);
	sched_arm_at(sched_of(device), &chr->notify_job, att_slot(device, 1));
	return 1;
}

static void leave(struct gatt_char *chr, struct notify_client *client) {
	client_free(client);
	if (!list_is_empty(&chr->clients) || !chr->is_notifying) {
		return;
	}
	chr->is_notifying = false;
	if (device_has_link(device_of(chr))) {
		subscribe(chr, false);
	}
	node_changed(&chr->node, "Notifying", NULL);
}

int char_stop_notify(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct gatt_char *chr = container_of(user, struct gatt_char, node);
	if (chr->notify_fd != NULL) {
		fd_close(chr, true);
		return sd_bus_reply_method_return(m, "");
	}
	struct notify_client *client = find_client(chr, sd_bus_message_get_sender(m));
	if (client == NULL) {
		return bluez_error(m, ERROR_FAILED, "No notify session started");
	}
	leave(chr, client);
	return sd_bus_reply_method_return(m, "");
}

void gatt_client_gone(struct device *device, const char *sender) {
	for (size_t i = 0; i < device->n_chars; i++) {
		struct notify_client *client = find_client(&device->chars[i], sender);
		if (client != NULL) {
			leave(&device->chars[i], client);
		}
	}
}

/* A new link: BlueZ writes the CCC of everybody who still listens, before it says "resolved". */
void gatt_resubscribe(struct device *device) {
	for (size_t i = 0; i < device->n_chars; i++) {
		if (!list_is_empty(&device->chars[i].clients)) {
			on_notify(&device->chars[i]);
		}
	}
}

/* ---- what comes from the lock ---- */

static void queue(
	struct device *device, unsigned chr, const uint8_t *value, size_t n, int64_t extra_ms) {
	struct indication *indication = malloc(sizeof(*indication) + n);
	if (indication == NULL) {
		return;
	}
	mono_t now = sched_now(sched_of(device));
	mono_t from = device->indication_free.ms >= now.ms - INDICATION_MS ? device->indication_free
									   : now;
	indication->due = mono_after(from, INDICATION_MS + extra_ms);
	device->indication_free = indication->due;
	indication->chr = chr;
	indication->n = n;
	memcpy(indication->value, value, n);
	list_append(&device->indications, &indication->link);
}

static void arm_flush(struct device *device) {
	struct indication *first = list_first(&device->indications, struct indication, link);
	if (first != NULL) {
		sched_arm_at(sched_of(device), &device->indication_job, first->due);
	}
}

void gatt_indicate(struct device *device, unsigned chr, const uint8_t *value, size_t n) {
	struct station *station = device->station;
	if (device->is_mute || station_trouble(station, TROUBLE_LOSE)) {
		return;
	}
	uint8_t copy[ATT_VALUE_MAX];
	n = n < sizeof(copy) ? n : sizeof(copy);
	memcpy(copy, value, n);
	if (n > 0 && station_trouble(station, TROUBLE_GARBLE)) {
		copy[world_chance(station->world, (uint32_t) n)] ^= 0x40;
	}
	int64_t extra_ms = station_trouble(station, TROUBLE_SLOW) ? SLOW_MS : 0;
	queue(device, chr, copy, n, extra_ms);
	if (station_trouble(station, TROUBLE_DUPLICATE)) {
		queue(device, chr, copy, n, 0);
	}
	arm_flush(device);
}

/* The newest two change places, when there are two of them. */
static void reorder(struct device *device) {
	struct list *first = device->indications.next;
	if (first != &device->indications && first->next != &device->indications &&
		station_trouble(device->station, TROUBLE_REORDER)) {
		struct list *second = first->next;
		mono_t due = list_entry(first, struct indication, link)->due;
		list_entry(first, struct indication, link)->due =
			list_entry(second, struct indication, link)->due;
		list_entry(second, struct indication, link)->due = due;
		list_remove(first);
		list_insert(second, first);
	}
}

static void deliver(struct device *device, const struct indication *indication) {
	for (size_t i = 0; i < device->n_chars; i++) {
		struct gatt_char *chr = &device->chars[i];
		if (chr->chr != (int) indication->chr) {
			continue;
		}
		if (fd_deliver(chr, indication->value, indication->n)) {
			return;
		}
		memcpy(chr->value, indication->value, indication->n);
		chr->n_value = indication->n;
		if (!list_is_empty(&chr->clients)) {
			node_changed(&chr->node, "Value", NULL);
		}
	}
}

void gatt_flush(struct device *device) {
	for (;;) {
		reorder(device);
		struct indication *first =
			list_first(&device->indications, struct indication, link);
		if (first == NULL || !mono_is_due(first->due, sched_now(sched_of(device)))) {
			break;
		}
		list_remove(&first->link);
		deliver(device, first);
		free(first);
		bool is_last = device->drop_after > 0 && --device->drop_after == 0;
		if (is_last || station_loses(device->station, 1)) {
			device_link_lost(device, true);
			return;
		}
	}
	arm_flush(device);
}

void gatt_link_lost(struct device *device, bool is_told) {
	struct indication *indication, *next;
	list_for_each_safe(indication, next, &device->indications, link) {
		list_remove(&indication->link);
		free(indication);
	}
	sched_disarm(sched_of(device), &device->indication_job);
	device->drop_after = 0;
	for (size_t i = 0; i < device->n_chars; i++) {
		struct gatt_char *chr = &device->chars[i];
		struct notify_client *client, *following;
		if (is_told) {
			fail_pending(&chr->write.msg);
			fail_pending(&chr->read.msg);
		}
		end_op(chr, &chr->write);
		end_op(chr, &chr->read);
		sched_disarm(sched_of(device), &chr->notify_job);
		list_for_each_safe(client, following, &chr->clients, link) {
			if (client->msg != NULL && is_told) {
				fail_att(&client->msg, SIM_ATT_UNLIKELY);
			}
			bluez_drop(&client->msg);
			client->is_registered = false;
		}
		fd_close(chr, is_told);
	}
}

/* ---- descriptors ---- */

int desc_read(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct gatt_desc *desc = container_of(user, struct gatt_desc, node);
	sd_bus_message *reply = NULL;
	if (!device_has_link(device_of(desc->chr))) {
		return not_connected(m);
	}
	uint8_t on = desc->chr->flags & SIM_FLAG_INDICATE ? 2 : 1;
	const uint8_t value[2] = { desc->chr->is_notifying ? on : 0, 0 };
	int r = sd_bus_message_new_method_return(m, &reply);
	r = r < 0 ? r : sd_bus_message_append_array(reply, 'y', value, sizeof(value));
	r = r < 0 ? r : sd_bus_send(sd_bus_message_get_bus(m), reply, NULL);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 1;
}

int desc_write(sd_bus_message *m, void *user, sd_bus_error *error) {
	/* BlueZ keeps the CCC descriptor to itself: StartNotify is the way. */
	return bluez_error(m, ERROR_NOT_PERMITTED, "Write not permitted");
}
