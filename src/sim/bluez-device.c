/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bluez.h"

/* Device1: how a link comes, is resolved, and goes, with the signals in the order of the traces. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

static struct sched *sched_of(const struct device *device) {
	return device->node.bluez->world->sched;
}

bool device_has_link(const struct device *device) {
	return device->lock_link >= 0 && device->is_connected && !device->is_phantom &&
	       !device->is_disconnecting;
}

/* ---- the link ---- */

static void take_link(struct device *device, int lock_link) {
	device->lock_link = lock_link;
	device->station->links[lock_link] = device;
	device->mtu = device->station->lock->links[lock_link].mtu;
	device->is_mute = false;
	if (station_trouble(device->station, TROUBLE_STALE_HANDLES)) {
		device->station->handle_shift += 0x10; /* as after a firmware update */
	}
	device->is_stale =
		device->is_cached && device->handle_shift != device->station->handle_shift;
	device->drop_after = device->station->troubles[TROUBLE_DROP_AFTER];
	device->station->troubles[TROUBLE_DROP_AFTER] = 0;
	device->att_free = sched_now(sched_of(device));
	device->indication_free = device->att_free;
}

static void give_link(struct device *device) {
	if (device->lock_link >= 0) {
		int lock_link = device->lock_link;
		device->lock_link = -1;
		device->station->links[lock_link] = NULL;
		sim_lock_disconnect(device->station->lock, lock_link, sched_now(sched_of(device)));
	}
}

static void answer_disconnects(struct device *device) {
	for (size_t i = 0; i < device->n_disconnect_msgs; i++) {
		bluez_reply(&device->disconnect_msgs[i]);
	}
	device->n_disconnect_msgs = 0;
}

static void stop_jobs(struct device *device) {
	struct sched *sched = sched_of(device);
	sched_disarm(sched, &device->connect_job);
	sched_disarm(sched, &device->resolve_job);
	sched_disarm(sched, &device->disconnect_job);
	sched_disarm(sched, &device->stall_job);
	sched_disarm(sched, &device->told_job);
}

void device_link_lost(struct device *device, bool is_told) {
	bool had_link = device->is_connected || device->lock_link >= 0;
	bool was_resolved = device->is_resolved;
	bool owes_signal = !device->is_connected && sched_is_armed(&device->disconnect_job);
	stop_jobs(device);
	if (device->connecting != CONNECTING_NOT) {
		device->connecting = CONNECTING_NOT;
		if (is_told) {
			bluez_fail(
				&device->connect_msg, ERROR_FAILED, "le-connection-abort-by-local");
		} else {
			bluez_drop(&device->connect_msg);
		}
	}
	if (!had_link) {
		if (owes_signal && is_told) {
			node_changed(&device->node, "Connected", NULL);
		}
		return;
	}
	gatt_link_lost(device, is_told);
	device->is_connected = false;
	device->is_resolved = false;
	device->is_disconnecting = false;
	device->is_phantom = false;
	give_link(device);
	if (!is_told) {
		while (device->n_disconnect_msgs > 0) {
			bluez_drop(&device->disconnect_msgs[--device->n_disconnect_msgs]);
		}
		return;
	}
	if (was_resolved) {
		node_changed(&device->node, "ServicesResolved", "Connected", NULL);
	} else {
		node_changed(&device->node, "Connected", NULL);
	}
	answer_disconnects(device);
	device_seen(device);
}

/* ---- connecting ---- */

static void fail_connect(struct device *device, const char *text) {
	device->connecting = CONNECTING_NOT;
	bluez_fail(&device->connect_msg, ERROR_FAILED, text);
}

static void wait_for_it(struct device *device) {
	device->connecting = CONNECTING_WAIT;
	sched_arm_at(sched_of(device), &device->connect_job, device->connect_deadline);
}

static void link_up(struct device *device) {
	enum connected_signal mode = device->node.bluez->options.connected_signal;
	device->is_connected = true;
	device->connecting = CONNECTING_REPLY;
	if (mode == CONNECTED_BEFORE) {
		node_changed(&device->node, "Connected", NULL);
	}
	sched_arm(sched_of(device), &device->connect_job, CONNECT_REPLY_MS);
}

static void attempt(struct device *device) {
	struct station *station = device->station;
	if (!station_is_reachable(station) || station->lock == NULL || device->adapter->is_deaf) {
		wait_for_it(device);
		return;
	}
	if (station_trouble(station, TROUBLE_CONNECT_FLIP) || adapter_is_failing(device->adapter) ||
		station_loses(station, CONNECT_PACKETS)) {
		device->connecting = CONNECTING_FLIP;
		device->is_connected = true;
		node_changed(&device->node, "Connected", NULL);
		sched_arm(sched_of(device), &device->connect_job, CONNECT_REPLY_MS);
		return;
	}
	if (station_trouble(station, TROUBLE_CONNECT_NO_LINK)) {
		device->connecting = CONNECTING_NOT;
		bluez_reply(&device->connect_msg);
		return;
	}
	if (station_trouble(station, TROUBLE_PHANTOM)) {
		device->is_phantom = true;
		device->is_connected = true;
		device->connecting = CONNECTING_NOT;
		node_changed(&device->node, "Connected", NULL);
		bluez_reply(&device->connect_msg);
		return;
	}
	int lock_link = station_connect(station, 517, sched_now(sched_of(device)));
	if (lock_link < 0) {
		wait_for_it(device); /* the lock has no link left and takes no more */
		return;
	}
	take_link(device, lock_link);
	link_up(device);
}

static void on_connect(void *user) {
	struct device *device = user;
	bool is_first = !device->is_cached;
	switch (device->connecting) {
	case CONNECTING_WAIT:
		fail_connect(device, "le-connection-abort-by-local");
		break;
	case CONNECTING_SOON:
		attempt(device);
		break;
	case CONNECTING_REPLY:
		device->connecting = CONNECTING_NOT;
		bluez_reply(&device->connect_msg);
		if (device->node.bluez->options.connected_signal == CONNECTED_AFTER) {
			sched_arm(sched_of(device), &device->told_job, 5);
		}
		if (!station_trouble(device->station, TROUBLE_NEVER_RESOLVE)) {
			sched_arm(sched_of(device), &device->resolve_job,
				is_first ? RESOLVE_FIRST_MS : RESOLVE_CACHED_MS);
		}
		break;
	case CONNECTING_FLIP:
		bluez_fail(&device->connect_msg, ERROR_FAILED, "le-connection-abort-by-local");
		device->connecting = CONNECTING_FLIP_END;
		sched_arm(sched_of(device), &device->connect_job, 7);
		break;
	case CONNECTING_FLIP_END:
		device->connecting = CONNECTING_NOT;
		device->is_connected = false;
		node_changed(&device->node, "Connected", NULL);
		break;
	case CONNECTING_NO_LINK:
	case CONNECTING_NOT:
		break;
	}
}

void device_reachable(struct device *device) {
	if (device->connecting == CONNECTING_WAIT && station_is_reachable(device->station) &&
		device->station->troubles[TROUBLE_CONNECT_TIMEOUT] == 0) {
		device->connecting = CONNECTING_SOON;
		sched_arm(sched_of(device), &device->connect_job, CONNECT_MS);
	}
}

/* In simulator time. */
static int64_t patience_of(const struct device *device) {
	unsigned real_ms = device->node.bluez->options.patience_ms;
	double speed = device->node.bluez->world->env.speed;
	return real_ms == 0 ? CONNECT_PATIENCE_MS : (int64_t) (real_ms * speed);
}

int device_connect(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct device *device = container_of(user, struct device, node);
	struct station *station = device->station;
	if (!device->adapter->is_powered) {
		return bluez_error(m, ERROR_FAILED, "Input/output error");
	}
	if (device->connecting != CONNECTING_NOT) {
		return bluez_error(m, ERROR_FAILED, "Operation already in progress");
	}
	if (device->is_connected) {
		return sd_bus_reply_method_return(m, "");
	}
	device->connect_msg = sd_bus_message_ref(m);
	device->is_temporary = false;
	sched_disarm(sched_of(device), &device->temporary_job);
	device->connect_deadline = mono_after(sched_now(sched_of(device)), patience_of(device));
	if (station_trouble(station, TROUBLE_CONNECT_TIMEOUT) || !station_is_reachable(station)) {
		wait_for_it(device);
		return 1;
	}
	device->connecting = CONNECTING_SOON;
	int64_t ms = station_trouble(station, TROUBLE_CONNECT_SLOW) ? 8000 : CONNECT_MS;
	sched_arm(sched_of(device), &device->connect_job, ms + world_chance(station->world, 40));
	return 1;
}

/* ---- resolving ---- */

static void on_told(void *user) {
	struct device *device = user;
	node_changed(&device->node, "Connected", NULL);
}

static void resolve(struct device *device) {
	struct station *station = device->station;
	bool is_first = !device->is_cached;
	gatt_resubscribe(device);
	if (is_first && gatt_build(device) < 0) {
		return;
	}
	device->is_cached = true;
	device->is_resolved = true;
	if (device->node.bluez->options.is_objects_first && !device->has_objects) {
		gatt_added(device);
	}
	if (is_first) {
		node_changed(&device->node, "UUIDs", "ServicesResolved", NULL);
	} else {
		node_changed(&device->node, "ServicesResolved", NULL);
	}
	if (device->has_objects) {
		return;
	}
	if (station_trouble(station, TROUBLE_NO_OBJECTS)) {
		return;
	}
	if (station_trouble(station, TROUBLE_LATE_OBJECTS)) {
		sched_arm(sched_of(device), &device->objects_job, OBJECTS_LATE_MS);
		return;
	}
	/* Behind the signal, but in one go with it: who asks upon ServicesResolved finds them. */
	gatt_added(device);
}

static void on_resolve(void *user) {
	struct device *device = user;
	bluez_cork(device->node.bluez, true);
	resolve(device);
	bluez_cork(device->node.bluez, false);
}

static void on_objects(void *user) {
	gatt_added(user);
}

/* ---- disconnecting ---- */

static void on_disconnect(void *user) {
	struct device *device = user;
	bool is_removing = device->is_removing;
	if (device->is_disconnecting && device->is_connected) {
		/* ServicesResolved, the reply, and Connected 10 to 100 ms later; see
		 * tests/vectors/bluez/hang-up.txt. */
		if (device->is_resolved) {
			device->is_resolved = false;
			node_changed(&device->node, "ServicesResolved", NULL);
		}
		gatt_link_lost(device, true);
		give_link(device);
		answer_disconnects(device);
		device->is_disconnecting = false;
		device->is_connected = false;
		device->is_phantom = false;
		sched_arm(sched_of(device), &device->disconnect_job, DISCONNECT_SIGNAL_MS);
		return;
	}
	node_changed(&device->node, "Connected", NULL);
	if (is_removing) {
		device_removed(device);
	}
}

int device_disconnect(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct device *device = container_of(user, struct device, node);
	if (device->connecting != CONNECTING_NOT && !device->is_connected) {
		sched_disarm(sched_of(device), &device->connect_job);
		fail_connect(device, "br-connection-canceled");
		return sd_bus_reply_method_return(m, "");
	}
	if (!device->is_connected) {
		return sd_bus_reply_method_return(m, "");
	}
	if (device->n_disconnect_msgs == ARRAY_SIZE(device->disconnect_msgs)) {
		return bluez_error(m, ERROR_FAILED, "Operation already in progress");
	}
	device->disconnect_msgs[device->n_disconnect_msgs++] = sd_bus_message_ref(m);
	if (!device->is_disconnecting &&
		!station_trouble(device->station, TROUBLE_DISCONNECT_HANG)) {
		device_foreign_disconnect(device);
	}
	return 1;
}

void device_foreign_disconnect(struct device *device) {
	device->is_disconnecting = true;
	sched_disarm(sched_of(device), &device->resolve_job);
	sched_disarm(sched_of(device), &device->connect_job);
	if (device->connecting != CONNECTING_NOT) {
		fail_connect(device, "br-connection-canceled");
	}
	sched_arm(sched_of(device), &device->disconnect_job,
		DISCONNECT_MS + world_chance(device->station->world, 300));
}

/* ---- what these locks do not have ---- */

int device_pair(sd_bus_message *m, void *user, sd_bus_error *error) {
	/* No SMP in the lock: it answers Pairing Failed. */
	return bluez_error(m, "org.bluez.Error.AuthenticationFailed", "Authentication Failed");
}

int device_cancel_pairing(sd_bus_message *m, void *user, sd_bus_error *error) {
	return bluez_error(m, ERROR_NOT_EXIST, "Does Not Exist");
}

int device_profile(sd_bus_message *m, void *user, sd_bus_error *error) {
	return bluez_error(m, "org.bluez.Error.NotAvailable", "Operation currently not available");
}

/* ---- coming and going ---- */

static void on_hear(void *user) {
	struct device *device = user;
	struct adapter *adapter = device->adapter;
	sched_arm(sched_of(device), &device->hear_job, SCAN_WINDOW_MS);
	adapter_report(adapter, device->station);
}

static void on_temporary(void *user) {
	struct device *device = user;
	if (device->is_temporary && !device->is_connected) {
		device->has_rssi = false;
		device_unexport(device, true); /* the structure stays: it listens on */
	}
}

void device_seen(struct device *device) {
	if (device->is_temporary) {
		sched_arm(sched_of(device), &device->temporary_job, TEMPORARY_MS);
	}
}

/* ATT answered nothing for 30 s: BlueZ gives the link up. */
static void on_stall(void *user) {
	device_link_lost(user, true);
}

static void on_flush(void *user) {
	gatt_flush(user);
}

struct device *device_new(struct adapter *adapter, struct station *station) {
	struct device *device = calloc(1, sizeof(*device));
	if (device == NULL) {
		return NULL;
	}
	device->node = (struct node){ NODE_DEVICE, adapter->node.bluez };
	device->adapter = adapter;
	device->station = station;
	device->is_temporary = true;
	device->lock_link = -1;
	device->mtu = 23;
	char address[18];
	station_address_text(station, address);
	for (char *at = address; *at != '\0'; at++) {
		*at = *at == ':' ? '_' : *at;
	}
	snprintf(device->path, sizeof(device->path), "%.24s/dev_%s", adapter->path, address);
	/* Without a name the alias is the address, with dashes. */
	snprintf(device->alias, sizeof(device->alias), "%s", address);
	for (char *at = device->alias; *at != '\0'; at++) {
		*at = *at == '_' ? '-' : *at;
	}
	list_init(&device->indications);
	sched_job_init(&device->connect_job, on_connect, device);
	sched_job_init(&device->resolve_job, on_resolve, device);
	sched_job_init(&device->objects_job, on_objects, device);
	sched_job_init(&device->disconnect_job, on_disconnect, device);
	sched_job_init(&device->told_job, on_told, device);
	sched_job_init(&device->temporary_job, on_temporary, device);
	sched_job_init(&device->hear_job, on_hear, device);
	sched_job_init(&device->indication_job, on_flush, device);
	sched_job_init(&device->stall_job, on_stall, device);
	list_append(&adapter->devices, &device->link);
	return device;
}

void device_export(struct device *device) {
	const char *at = strrchr(device->path, '/');
	char path[BLUEZ_PATH_MAX];
	if (device->is_exported) {
		return;
	}
	/* The adapter may have come back under another number. */
	snprintf(path, sizeof(path), "%.24s%.40s", device->adapter->path, at);
	memcpy(device->path, path, sizeof(device->path));
	device->is_exported = true;
	node_added(&device->node);
}

void device_unexport(struct device *device, bool is_told) {
	if (!device->is_exported) {
		return;
	}
	gatt_removed(device, is_told);
	device->is_exported = false;
	if (is_told) {
		node_removed(&device->node);
	}
	sched_disarm(sched_of(device), &device->temporary_job);
}

void device_removed(struct device *device) {
	struct station *station = device->station;
	struct adapter *adapter = device->adapter;
	device_link_lost(device, true);
	device_unexport(device, true);
	device_free(device);
	adapter_heard(adapter, station);
}

struct device *device_free(struct device *device) {
	struct sched *sched = sched_of(device);
	device_link_lost(device, false);
	gatt_removed(device, false);
	gatt_free(device);
	stop_jobs(device);
	sched_disarm(sched, &device->objects_job);
	sched_disarm(sched, &device->temporary_job);
	sched_disarm(sched, &device->hear_job);
	sched_disarm(sched, &device->indication_job);
	list_remove(&device->link);
	free(device);
	return NULL;
}
