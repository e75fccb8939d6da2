/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bluez.h"

/* Life and death of the virtual org.bluez, its tables, and who is who on its object tree. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "util/text.h"

/* ---- tables: for dispatch, for introspection, and as the lists of properties ---- */

static int accept_agent(sd_bus_message *m, void *user, sd_bus_error *error) {
	return sd_bus_reply_method_return(m, "");
}

#define PROPERTY(name, type) SD_BUS_PROPERTY(name, type, node_get_property, 0, 0)
#define WRITABLE(name, type) SD_BUS_WRITABLE_PROPERTY(name, type, node_get_property, NULL, 0, 0)
#define FREE SD_BUS_VTABLE_UNPRIVILEGED

/* clang-format off */
const sd_bus_vtable root_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("RegisterAgent", SD_BUS_ARGS("o", agent, "s", capability),
		SD_BUS_NO_RESULT, accept_agent, FREE),
	SD_BUS_METHOD_WITH_ARGS("UnregisterAgent", SD_BUS_ARGS("o", agent),
		SD_BUS_NO_RESULT, accept_agent, FREE),
	SD_BUS_METHOD_WITH_ARGS("RequestDefaultAgent", SD_BUS_ARGS("o", agent),
		SD_BUS_NO_RESULT, accept_agent, FREE),
	SD_BUS_VTABLE_END
};

const sd_bus_vtable adapter_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("StartDiscovery", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
		adapter_start_discovery, FREE),
	SD_BUS_METHOD_WITH_ARGS("SetDiscoveryFilter", SD_BUS_ARGS("a{sv}", properties),
		SD_BUS_NO_RESULT, adapter_set_filter, FREE),
	SD_BUS_METHOD_WITH_ARGS("StopDiscovery", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
		adapter_stop_discovery, FREE),
	SD_BUS_METHOD_WITH_ARGS("RemoveDevice", SD_BUS_ARGS("o", device), SD_BUS_NO_RESULT,
		adapter_remove_device, FREE),
	SD_BUS_METHOD_WITH_ARGS("GetDiscoveryFilters", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("as", filters), adapter_get_filters, FREE),
	PROPERTY("Address", "s"),
	PROPERTY("AddressType", "s"),
	PROPERTY("Name", "s"),
	WRITABLE("Alias", "s"),
	PROPERTY("Class", "u"),
	WRITABLE("Powered", "b"),
	WRITABLE("Discoverable", "b"),
	WRITABLE("DiscoverableTimeout", "u"),
	WRITABLE("Pairable", "b"),
	WRITABLE("PairableTimeout", "u"),
	PROPERTY("Discovering", "b"),
	PROPERTY("UUIDs", "as"),
	PROPERTY("Modalias", "s"),
	PROPERTY("PowerState", "s"),
	PROPERTY("Roles", "as"),
	PROPERTY("ExperimentalFeatures", "as"),
	SD_BUS_VTABLE_END
};

const sd_bus_vtable device_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Disconnect", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
		device_disconnect, FREE),
	SD_BUS_METHOD_WITH_ARGS("Connect", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, device_connect, FREE),
	SD_BUS_METHOD_WITH_ARGS("ConnectProfile", SD_BUS_ARGS("s", UUID), SD_BUS_NO_RESULT,
		device_profile, FREE),
	SD_BUS_METHOD_WITH_ARGS("DisconnectProfile", SD_BUS_ARGS("s", UUID), SD_BUS_NO_RESULT,
		device_profile, FREE),
	SD_BUS_METHOD_WITH_ARGS("Pair", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, device_pair, FREE),
	SD_BUS_METHOD_WITH_ARGS("CancelPairing", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
		device_cancel_pairing, FREE),
	PROPERTY("Address", "s"),
	PROPERTY("AddressType", "s"),
	PROPERTY("Name", "s"),
	WRITABLE("Alias", "s"),
	PROPERTY("Paired", "b"),
	PROPERTY("Bonded", "b"),
	WRITABLE("Trusted", "b"),
	WRITABLE("Blocked", "b"),
	PROPERTY("LegacyPairing", "b"),
	PROPERTY("RSSI", "n"),
	PROPERTY("Connected", "b"),
	PROPERTY("UUIDs", "as"),
	PROPERTY("Adapter", "o"),
	PROPERTY("ManufacturerData", "a{qv}"),
	PROPERTY("ServiceData", "a{sv}"),
	PROPERTY("ServicesResolved", "b"),
	SD_BUS_VTABLE_END
};

const sd_bus_vtable service_vtable[] = {
	SD_BUS_VTABLE_START(0),
	PROPERTY("UUID", "s"),
	PROPERTY("Device", "o"),
	PROPERTY("Primary", "b"),
	PROPERTY("Includes", "ao"),
	SD_BUS_VTABLE_END
};

const sd_bus_vtable char_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("ReadValue", SD_BUS_ARGS("a{sv}", options),
		SD_BUS_RESULT("ay", value), char_read, FREE),
	SD_BUS_METHOD_WITH_ARGS("WriteValue", SD_BUS_ARGS("ay", value, "a{sv}", options),
		SD_BUS_NO_RESULT, char_write, FREE),
	SD_BUS_METHOD_WITH_ARGS("AcquireWrite", SD_BUS_ARGS("a{sv}", options),
		SD_BUS_RESULT("h", fd, "q", mtu), char_acquire_write, FREE),
	SD_BUS_METHOD_WITH_ARGS("AcquireNotify", SD_BUS_ARGS("a{sv}", options),
		SD_BUS_RESULT("h", fd, "q", mtu), char_acquire_notify, FREE),
	SD_BUS_METHOD_WITH_ARGS("StartNotify", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
		char_start_notify, FREE),
	SD_BUS_METHOD_WITH_ARGS("StopNotify", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
		char_stop_notify, FREE),
	PROPERTY("UUID", "s"),
	PROPERTY("Service", "o"),
	PROPERTY("Value", "ay"),
	PROPERTY("Notifying", "b"),
	PROPERTY("Flags", "as"),
	PROPERTY("WriteAcquired", "b"),
	PROPERTY("NotifyAcquired", "b"),
	PROPERTY("MTU", "q"),
	SD_BUS_VTABLE_END
};

const sd_bus_vtable desc_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("ReadValue", SD_BUS_ARGS("a{sv}", options),
		SD_BUS_RESULT("ay", value), desc_read, FREE),
	SD_BUS_METHOD_WITH_ARGS("WriteValue", SD_BUS_ARGS("ay", value, "a{sv}", options),
		SD_BUS_NO_RESULT, desc_write, FREE),
	PROPERTY("UUID", "s"),
	PROPERTY("Characteristic", "o"),
	PROPERTY("Value", "ay"),
	SD_BUS_VTABLE_END
};
/* clang-format on */

/* ---- the tree ---- */

static struct node *find_in_device(struct device *device, const char *rest) {
	char path[BLUEZ_PATH_MAX];
	size_t n_base = strlen(device->path);
	if (rest[0] == '\0') {
		return &device->node;
	}
	if (!device->has_objects) {
		return NULL;
	}
	for (size_t i = 0; i < device->n_chars; i++) {
		if (text_equal(node_path(&device->chars[i].node, path) + n_base, rest)) {
			return &device->chars[i].node;
		}
	}
	for (size_t i = 0; i < device->n_services; i++) {
		if (text_equal(node_path(&device->services[i].node, path) + n_base, rest)) {
			return &device->services[i].node;
		}
	}
	for (size_t i = 0; i < device->n_descs; i++) {
		if (text_equal(node_path(&device->descs[i].node, path) + n_base, rest)) {
			return &device->descs[i].node;
		}
	}
	return NULL;
}

static struct node *find_in_adapter(struct adapter *adapter, const char *path) {
	size_t n = strlen(adapter->path);
	struct device *device;
	if (!adapter->is_exported || strncmp(path, adapter->path, n) != 0) {
		return NULL;
	}
	if (path[n] == '\0') {
		return &adapter->node;
	}
	list_for_each(device, &adapter->devices, link) {
		size_t n_device = strlen(device->path);
		if (device->is_exported && strncmp(path, device->path, n_device) == 0 &&
			(path[n_device] == '\0' || path[n_device] == '/')) {
			return find_in_device(device, path + n_device);
		}
	}
	return NULL;
}

struct node *bluez_find(struct bluez *bluez, const char *path) {
	if (!bluez->is_up) {
		return NULL;
	}
	if (text_equal(path, "/org/bluez")) {
		return &bluez->root;
	}
	for (size_t i = 0; i < bluez->options.n_adapters; i++) {
		struct node *node = find_in_adapter(&bluez->adapters[i], path);
		if (node != NULL) {
			return node;
		}
	}
	return NULL;
}

/* For sd-bus: the object for a method call, of the kind that its vtable is for. */
static int find_object(sd_bus *bus, const char *path, const char *interface, void *user, void **ret,
	sd_bus_error *error) {
	static const struct {
		const char *interface;
		enum node_kind kind;
	} kinds[] = {
		{ "org.bluez.AgentManager1", NODE_ROOT },
		{ ADAPTER_INTERFACE, NODE_ADAPTER },
		{ DEVICE_INTERFACE, NODE_DEVICE },
		{ SERVICE_INTERFACE, NODE_SERVICE },
		{ CHAR_INTERFACE, NODE_CHAR },
		{ DESC_INTERFACE, NODE_DESC },
	};
	struct node *node = bluez_find(user, path);
	for (size_t i = 0; node != NULL && i < ARRAY_SIZE(kinds); i++) {
		if (text_equal(kinds[i].interface, interface) && kinds[i].kind == node->kind) {
			*ret = node;
			return 1;
		}
	}
	return 0;
}

/* ---- the children of a path, for introspection ---- */

struct paths {
	char **list;
	size_t n;
};

static void add_path(struct paths *paths, const struct node *node) {
	char path[BLUEZ_PATH_MAX];
	char **list = reallocarray(paths->list, paths->n + 2, sizeof(char *));
	if (list == NULL) {
		return;
	}
	paths->list = list;
	char *copy = strdup(node_path(node, path));
	if (copy != NULL) {
		list[paths->n++] = copy;
	}
	list[paths->n] = NULL;
}

static int list_children(
	sd_bus *bus, const char *prefix, void *user, char ***ret, sd_bus_error *error) {
	struct bluez *bluez = user;
	struct paths paths = { 0 };
	for (size_t i = 0; bluez->is_up && i < bluez->options.n_adapters; i++) {
		struct adapter *adapter = &bluez->adapters[i];
		struct device *device;
		if (!adapter->is_exported) {
			continue;
		}
		add_path(&paths, &adapter->node);
		list_for_each(device, &adapter->devices, link) {
			if (!device->is_exported) {
				continue;
			}
			add_path(&paths, &device->node);
			for (size_t k = 0; device->has_objects && k < device->n_services; k++) {
				add_path(&paths, &device->services[k].node);
			}
			for (size_t k = 0; device->has_objects && k < device->n_chars; k++) {
				add_path(&paths, &device->chars[k].node);
			}
			for (size_t k = 0; device->has_objects && k < device->n_descs; k++) {
				add_path(&paths, &device->descs[k].node);
			}
		}
	}
	*ret = paths.list;
	return 0;
}

/* ---- clients that leave the bus ---- */

static int on_name_lost(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct bluez *bluez = user;
	const char *name = NULL, *from = NULL, *to = NULL;
	if (sd_bus_message_read(m, "sss", &name, &from, &to) < 0 || name[0] != ':' ||
		to[0] != '\0') {
		return 0;
	}
	world_now(bluez->world);
	for (size_t i = 0; i < bluez->options.n_adapters; i++) {
		adapter_client_gone(&bluez->adapters[i], name);
	}
	world_rearm(bluez->world);
	return 0;
}

/* ---- coming up ---- */

static void show_all(struct bluez *bluez) {
	bluez->is_up = true;
	node_added(&bluez->root);
	for (size_t i = 0; i < bluez->options.n_adapters; i++) {
		if (bluez->adapters[i].is_present) {
			adapter_export(&bluez->adapters[i]);
		}
	}
	if (bluez->is_first) {
		bluez->is_first = false;
		bluez->ready(bluez->user);
	}
}

static void on_rise(void *user) {
	show_all(user);
}

static int on_name_acquired(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct bluez *bluez = user;
	const sd_bus_error *failure = sd_bus_message_get_error(m);
	if (failure != NULL) {
		log_error("cannot own org.bluez on this bus: %s", failure->message);
		loop_stop(bluez->world->loop, 1);
		return 0;
	}
	uint32_t code = 0;
	if (sd_bus_message_read(m, "u", &code) < 0 || code != 1) {
		log_error("somebody else owns org.bluez on this bus");
		loop_stop(bluez->world->loop, 1);
		return 0;
	}
	world_now(bluez->world);
	bluez->has_name = true;
	if (bluez->is_first) {
		show_all(bluez);
	} else {
		/* Seen: calls right after the name find nothing, objects come 0.1 to 0.7 s later.
		 */
		sched_arm(bluez_sched(bluez), &bluez->rise_job,
			OBJECTS_GAP_MS + world_chance(bluez->world, OBJECTS_GAP_MORE_MS));
	}
	world_rearm(bluez->world);
	return 0;
}

static int add_slots(struct bluez *bluez, sd_bus *sd) {
	static const struct {
		const char *interface;
		const sd_bus_vtable *vtable;
	} tables[] = {
		{ "org.bluez.AgentManager1", root_vtable },
		{ ADAPTER_INTERFACE, adapter_vtable },
		{ DEVICE_INTERFACE, device_vtable },
		{ SERVICE_INTERFACE, service_vtable },
		{ CHAR_INTERFACE, char_vtable },
		{ DESC_INTERFACE, desc_vtable },
	};
	int r = sd_bus_add_filter(sd, &bluez->slots[bluez->n_slots++], node_filter, bluez);
	r = r < 0 ? r : sd_bus_add_object_manager(sd, &bluez->slots[bluez->n_slots++], "/");
	r = r < 0 ? r
		  : sd_bus_add_node_enumerator(sd, &bluez->slots[bluez->n_slots++], "/org/bluez",
			    list_children, bluez);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(tables); i++) {
		r = sd_bus_add_fallback_vtable(sd, &bluez->slots[bluez->n_slots++], "/org/bluez",
			tables[i].interface, tables[i].vtable, find_object, bluez);
	}
	r = r < 0 ? r
		  : sd_bus_match_signal_async(sd, &bluez->slots[bluez->n_slots++],
			    "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			    "NameOwnerChanged", on_name_lost, NULL, bluez);
	/* DO_NOT_QUEUE (4): a second simulator on this bus must be told, not made to wait. */
	return r < 0 ? r
		     : sd_bus_call_method_async(sd, &bluez->slots[bluez->n_slots++],
			       "org.freedesktop.DBus", "/org/freedesktop/DBus",
			       "org.freedesktop.DBus", "RequestName", on_name_acquired, bluez, "su",
			       "org.bluez", (uint32_t) 4);
}

static void on_up(void *user) {
	struct bluez *bluez = user;
	int r = add_slots(bluez, bus_sd(bluez->bus));
	if (r < 0) {
		log_error("cannot set up org.bluez: %s", strerror(-r));
		loop_stop(bluez->world->loop, 1);
	}
}

/* ---- going down ---- */

static void bluez_forget_bus(struct bluez *bluez) {
	for (size_t i = 0; i < bluez->options.n_adapters; i++) {
		adapter_unexport(&bluez->adapters[i], false);
	}
	while (bluez->n_slots > 0) {
		bluez->n_slots--;
		bluez->slots[bluez->n_slots] = sd_bus_slot_unref(bluez->slots[bluez->n_slots]);
	}
	bluez->is_up = false;
	bluez->has_name = false;
	sched_disarm(bluez_sched(bluez), &bluez->rise_job);
}

static void on_down(void *user, int error) {
	struct bluez *bluez = user;
	log_error("the bus is gone: %s", strerror(-error));
	bluez_forget_bus(bluez);
	loop_stop(bluez->world->loop, 1);
}

static const struct bus_user bus_user = { .up = on_up, .down = on_down };

int bluez_start(struct bluez *bluez) {
	if (bluez->bus != NULL) {
		return -EALREADY;
	}
	bluez->bus = bus_new(
		bluez->world->loop, "org.bluez", bluez->options.bus_address, &bus_user, bluez);
	return bluez->bus == NULL ? -ENOMEM : bus_open(bluez->bus);
}

static void on_restart(void *user) {
	bluez_start(user);
}

void bluez_kill(struct bluez *bluez, unsigned back_ms) {
	if (bluez->bus != NULL) {
		bluez_forget_bus(bluez);
		bluez->bus = bus_free(bluez->bus);
	}
	if (back_ms > 0) {
		sched_arm(bluez_sched(bluez), &bluez->restart_job, back_ms);
	} else {
		sched_disarm(bluez_sched(bluez), &bluez->restart_job);
	}
}

/* ---- strangers ---- */

static void on_storm(void *user) {
	struct bluez *bluez = user;
	struct world *world = bluez->world;
	size_t n_loud = 0;
	for (size_t i = 0; i < world->n_stations; i++) {
		n_loud += world->stations[i]->lock == NULL && !world->stations[i]->is_quiet;
	}
	size_t wanted = n_loud == 0 ? 0 : world_chance(world, (uint32_t) n_loud);
	for (size_t i = 0; n_loud > 0 && i < world->n_stations; i++) {
		struct station *station = world->stations[i];
		if (station->lock == NULL && !station->is_quiet && wanted-- == 0) {
			station->counter++;
			for (size_t k = 0; k < bluez->options.n_adapters; k++) {
				adapter_report(&bluez->adapters[k], station);
			}
			break;
		}
	}
	if (bluez->storm_rate > 0) {
		/* @storm_rate is per real second, whatever the speed. */
		double ms = 1000.0 * sched_speed(bluez_sched(bluez)) / bluez->storm_rate;
		sched_arm(bluez_sched(bluez), &bluez->storm_job, ms < 1 ? 1 : (int64_t) ms);
	}
}

static void end_storm(struct bluez *bluez) {
	struct world *world = bluez->world;
	bluez->storm_rate = 0;
	sched_disarm(bluez_sched(bluez), &bluez->storm_job);
	for (size_t i = 0; i < bluez->options.n_adapters; i++) {
		struct device *device, *next;
		list_for_each_safe(device, next, &bluez->adapters[i].devices, link) {
			if (device->station->lock == NULL) {
				device_removed(device);
			}
		}
		adapter_internal_session(&bluez->adapters[i], false);
	}
	world_remove_strangers(world);
}

int bluez_storm(struct bluez *bluez, unsigned loud, unsigned rate, unsigned quiet) {
	end_storm(bluez);
	for (unsigned i = 0; i < loud + quiet; i++) {
		struct station *station = world_add_stranger(bluez->world, i);
		if (station == NULL) {
			return -ENOSPC;
		}
		station->is_quiet = i >= loud;
		if (station->is_quiet && bluez->adapters[0].is_exported) {
			struct device *device = device_new(&bluez->adapters[0], station);
			if (device != NULL) {
				device->is_temporary = false;
				text_copy(device->name, sizeof(device->name), station->name);
				text_copy(device->alias, sizeof(device->alias), station->name);
				device_export(device);
			}
		}
	}
	bluez->storm_rate = loud == 0 ? 0 : rate;
	if (bluez->storm_rate > 0) {
		int r = adapter_internal_session(&bluez->adapters[0], true);
		if (r < 0) {
			return r;
		}
		on_storm(bluez);
	}
	return 0;
}

/* ---- what the world tells ---- */

static void on_heard(void *user, struct station *station) {
	struct bluez *bluez = user;
	for (size_t i = 0; i < bluez->options.n_adapters; i++) {
		adapter_heard(&bluez->adapters[i], station);
	}
}

static void on_indicate(void *user, struct station *station, int link, unsigned chr,
	const uint8_t *value, size_t n) {
	struct device *device = station->links[link];
	if (device != NULL) {
		gatt_indicate(device, chr, value, n);
	}
}

static void on_drop(void *user, struct station *station, int link) {
	struct device *device = station->links[link];
	if (device != NULL) {
		device_link_lost(device, true);
	}
}

static void on_drop_after(
	void *user, struct station *station, int link, enum trouble trouble, unsigned count) {
	struct device *device = station->links[link];
	device->drop_after = count;
}

static bool can_play(void *user, enum trouble trouble) {
	return trouble != TROUBLE_DROP_PACKETS; /* there are none */
}

static const struct world_face world_face = {
	.heard = on_heard,
	.indicate = on_indicate,
	.drop = on_drop,
	.lose = on_drop,
	.drop_after = on_drop_after,
	.can_play = can_play,
};

struct bluez *bluez_new(struct world *world, const struct bluez_options *options,
	void (*ready)(void *user), void *user) {
	struct bluez *bluez = calloc(1, sizeof(*bluez));
	if (bluez == NULL) {
		return NULL;
	}
	bluez->world = world;
	bluez->options = *options;
	bluez->root = (struct node){ NODE_ROOT, bluez };
	bluez->is_first = true;
	bluez->ready = ready;
	bluez->user = user;
	sched_job_init(&bluez->rise_job, on_rise, bluez);
	sched_job_init(&bluez->restart_job, on_restart, bluez);
	sched_job_init(&bluez->storm_job, on_storm, bluez);
	for (unsigned i = 0; i < options->n_adapters; i++) {
		adapter_init(bluez, i);
	}
	world->face = &world_face;
	world->face_user = bluez;
	return bluez;
}

struct bluez *bluez_free(struct bluez *bluez) {
	if (bluez == NULL) {
		return NULL;
	}
	bluez_kill(bluez, 0);
	sched_disarm(bluez_sched(bluez), &bluez->storm_job);
	for (size_t i = 0; i < bluez->options.n_adapters; i++) {
		struct device *device, *next;
		list_for_each_safe(device, next, &bluez->adapters[i].devices, link) {
			device_free(device);
		}
	}
	bluez->world->face = NULL;
	free(bluez);
	return NULL;
}
