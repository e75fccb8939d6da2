/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"
#include "util/log.h"

#define DEFAULT_GROUP "lockhub"
/* The bus policy may be put right and reloaded while we run. */
#define NAME_RETRY_MS (60 * 1000)

static void request_name(struct api *api);

static void refuse_name(struct api *api, const sd_bus_error *error) {
	bool is_denied = sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED);
	struct fault fault;
	if (is_denied) {
		fault_set(&fault, FAULT_DENIED,
			"the bus does not let lockhubd have the name " API_NAME
			"; is its policy " API_NAME ".conf in /usr/share/dbus-1/system.d?");
	} else {
		fault_set(&fault, FAULT_BUS_LOST, "the name " API_NAME " was not given: %.60s",
			error->message != NULL ? error->message : error->name);
	}
	if (api->fault.code != fault.code || strcmp(api->fault.detail, fault.detail) != 0) {
		log_fault(&fault, NULL, NULL);
		if (is_denied) {
			log_error(
				"After putting the policy right: systemctl reload dbus. "
				"lockhubd tries again every minute and goes on serving its locks");
		}
	}
	api->fault = fault;
	loop_timer_arm(api->name_retry, NAME_RETRY_MS);
}

static int on_name(sd_bus_message *reply, void *user, sd_bus_error *ret_error) {
	enum { PRIMARY_OWNER = 1, IN_QUEUE = 2, EXISTS = 3, ALREADY_OWNER = 4 };
	struct api *api = user;
	uint32_t code = EXISTS;
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	if (error != NULL) {
		refuse_name(api, error);
		return 1;
	}
	if (sd_bus_message_read(reply, "u", &code) >= 0 &&
		(code == PRIMARY_OWNER || code == ALREADY_OWNER)) {
		api->fault = (struct fault){ .code = FAULT_NONE };
		return 1;
	}
	fault_set(&api->fault, FAULT_BUS_LOST,
		"another program has the name " API_NAME "; is a second lockhubd running?");
	log_fault(&api->fault, NULL, NULL);
	return 1;
}

/* From the queue, when the other program has gone. */
static int on_name_acquired(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct api *api = user;
	const char *name;
	if (sd_bus_message_read(message, "s", &name) >= 0 && strcmp(name, API_NAME) == 0) {
		api->fault = (struct fault){ .code = FAULT_NONE };
	}
	return 0;
}

static void request_name(struct api *api) {
	sd_bus *bus = bus_sd(api->bus);
	if (bus == NULL) {
		return;
	}
	api->name_slot = sd_bus_slot_unref(api->name_slot);
	int r = sd_bus_request_name_async(
		bus, &api->name_slot, API_NAME, SD_BUS_NAME_QUEUE, on_name, api);
	if (r < 0) {
		sd_bus_error error = SD_BUS_ERROR_NULL;
		sd_bus_error_set_errno(&error, r);
		refuse_name(api, &error);
		sd_bus_error_free(&error);
	}
	bus_kick(api->bus);
}

static void on_name_retry(void *user) {
	request_name(user);
}

static int register_objects(struct api *api) {
	sd_bus *bus = bus_sd(api->bus);
	int r = sd_bus_add_object_manager(bus, &api->object_manager_slot, API_ROOT);
	if (r >= 0) {
		r = sd_bus_add_object_vtable(bus, &api->manager_slot, API_MANAGER_PATH,
			API_MANAGER_INTERFACE, manager_vtable, api);
	}
	if (r >= 0) {
		r = objects_register(&api->locks);
	}
	if (r >= 0) {
		r = objects_register(&api->ops);
	}
	if (r >= 0) {
		r = objects_register(&api->users);
	}
	if (r >= 0) {
		r = sd_bus_match_signal_async(bus, &api->name_acquired_slot, "org.freedesktop.DBus",
			"/org/freedesktop/DBus", "org.freedesktop.DBus", "NameAcquired",
			on_name_acquired, NULL, api);
	}
	return r;
}

/* The objects first, the name last: who sees the name finds everything in place. */
static void on_up(void *user) {
	struct api *api = user;
	/* Nobody finds us before the name is ours, which clears it. */
	fault_set(&api->fault, FAULT_BUS_LOST, "waiting for the name " API_NAME);
	int r = register_objects(api);
	if (r < 0) {
		fault_set_errno(
			&api->fault, FAULT_INTERNAL, r, "D-Bus objects cannot be registered");
		log_fault(&api->fault, NULL, NULL);
		return;
	}
	request_name(api);
}

static void drop_connection(struct api *api) {
	sd_bus_slot **slots[] = { &api->object_manager_slot, &api->manager_slot, &api->name_slot,
		&api->name_acquired_slot, &api->ping_slot };
	ask_drop_all(api);
	lates_drop_all(&api->answers);
	lates_drop_all(&api->pending);
	backups_drop_all(api);
	lates_drop_all(&api->diagnoses);
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		*slots[i] = sd_bus_slot_unref(*slots[i]);
	}
	objects_unregister(&api->locks);
	objects_unregister(&api->ops);
	objects_unregister(&api->users);
	loop_timer_disarm(api->name_retry);
}

static void on_down(void *user, int error) {
	struct api *api = user;
	if (api->fault.code != FAULT_BUS_LOST) {
		fault_set_errno(
			&api->fault, FAULT_BUS_LOST, error, "org.lockhub1 is not reachable");
		log_fault(&api->fault, NULL, NULL);
	}
	drop_connection(api);
}

static const struct bus_user bus_impl = { .up = on_up, .down = on_down };

static void on_lock_added(struct listener *listener, void *data) {
	struct api *api = container_of(listener, struct api, lock_added);
	locks_added(api, data);
	manager_emit_changed(api, "Status");
}

static void on_lock_removed(struct listener *listener, void *data) {
	struct api *api = container_of(listener, struct api, lock_removed);
	locks_removed(api, data);
	manager_emit_changed(api, "Status");
}

static void on_lock_changed(struct listener *listener, void *data) {
	struct api *api = container_of(listener, struct api, lock_changed);
	const struct lock_change *change = data;
	locks_changed(api, change);
	/* Its counts of reachable and faulty locks. */
	if ((change->what & (FACT_LINK | FACT_FAULT)) != 0) {
		manager_emit_changed(api, "Status");
	}
}

static void on_event(struct listener *listener, void *data) {
	manager_emit_event(container_of(listener, struct api, event), data);
}

static void on_op_changed(struct listener *listener, void *data) {
	operations_put(container_of(listener, struct api, op_changed), data);
}

static void on_op_finished(struct listener *listener, void *data) {
	operations_finished(container_of(listener, struct api, op_finished), data);
}

static void on_discovered(struct listener *listener, void *data) {
	manager_emit_discovered(container_of(listener, struct api, discovered), data);
}

static void on_scan_ended(struct listener *listener, void *data) {
	manager_emit_scan_ended(container_of(listener, struct api, scan_ended), data);
}

static void on_radio_changed(struct listener *listener, void *data) {
	manager_emit_changed(container_of(listener, struct api, radio_changed), "Status");
}

static void on_book_changed(struct listener *listener, void *data) {
	users_changed(container_of(listener, struct api, book_changed), data);
}

static void on_sync_changed(struct listener *listener, void *data) {
	users_sync_changed(container_of(listener, struct api, sync_changed), data);
}

static void on_sync_soon(void *user) {
	users_tell_sync(user);
}

static void listen(struct api *api) {
	struct hub_signals *signals = hub_signals(api->hub);
	signal_add(&signals->lock_added, &api->lock_added, on_lock_added);
	signal_add(&signals->lock_removed, &api->lock_removed, on_lock_removed);
	signal_add(&signals->lock_changed, &api->lock_changed, on_lock_changed);
	signal_add(&signals->event, &api->event, on_event);
	signal_add(&signals->op_changed, &api->op_changed, on_op_changed);
	signal_add(&signals->op_finished, &api->op_finished, on_op_finished);
	signal_add(&signals->discovered, &api->discovered, on_discovered);
	signal_add(&signals->scan_ended, &api->scan_ended, on_scan_ended);
	signal_add(&signals->radio_changed, &api->radio_changed, on_radio_changed);
	signal_add(&signals->book_changed, &api->book_changed, on_book_changed);
	signal_add(&signals->sync_changed, &api->sync_changed, on_sync_changed);
	users_load(api);
	for (size_t i = 0; i < hub_lock_count(api->hub); i++) {
		locks_added(api, hub_lock_at(api->hub, i));
	}
	for (size_t i = 0; i < hub_op_count(api->hub); i++) {
		operations_put(api, hub_op_at(api->hub, i));
	}
}

struct api *api_new(struct loop *loop, struct hub *hub, const struct api_config *config) {
	struct api *api = calloc(1, sizeof(*api));
	if (api == NULL) {
		return NULL;
	}
	api->loop = loop;
	api->hub = hub;
	api->add_status = config->add_status;
	api->user = config->user;
	api->vault = config->vault;
	api->diag = config->diag;
	objects_init(&api->locks, api, &lock_kind);
	objects_init(&api->ops, api, &operation_kind);
	objects_init(&api->users, api, &user_kind);
	list_init(&api->asks);
	lates_init(&api->answers);
	list_init(&api->records);
	list_init(&api->listens);
	lates_init(&api->pending);
	lates_init(&api->backups);
	lates_init(&api->diagnoses);
	text_copy(api->version, sizeof(api->version),
		config->version != NULL ? config->version : LOCKHUB_VERSION);
	text_copy(api->group_name, sizeof(api->group_name),
		config->group != NULL ? config->group : DEFAULT_GROUP);
	/* Start-up is the one time when NSS may be asked (L5). */
	const struct group *group = getgrnam(api->group_name);
	api->has_group = group != NULL;
	api->group = group != NULL ? group->gr_gid : 0;
	api->name_retry = loop_timer_new(loop, on_name_retry, api);
	api->bus = bus_new(loop, "lockhubd api", config->address, &bus_impl, api);
	api->sync_soon = loop_timer_new(loop, on_sync_soon, api);
	if (api->bus == NULL || api->name_retry == NULL || api->sync_soon == NULL) {
		return api_free(api);
	}
	listen(api);
	fault_set(&api->fault, FAULT_BUS_LOST, "not connected yet");
	int r = bus_open(api->bus);
	if (r < 0) {
		fault_set_errno(&api->fault, FAULT_BUS_LOST, r, "org.lockhub1 is not reachable");
		log_fault(&api->fault, NULL, NULL);
	}
	return api;
}

struct api *api_free(struct api *api) {
	if (api == NULL) {
		return NULL;
	}
	struct listener *listeners[] = { &api->lock_added, &api->lock_removed, &api->lock_changed,
		&api->event, &api->op_changed, &api->op_finished, &api->discovered,
		&api->scan_ended, &api->radio_changed, &api->book_changed, &api->sync_changed };
	for (size_t i = 0; i < ARRAY_SIZE(listeners); i++) {
		listener_remove(listeners[i]);
	}
	drop_connection(api);
	records_free(api);
	listens_free(api);
	objects_free(&api->locks);
	objects_free(&api->ops);
	objects_free(&api->users);
	bus_free(api->bus);
	loop_timer_free(api->name_retry);
	loop_timer_free(api->sync_soon);
	free(api);
	return NULL;
}

void api_status_changed(struct api *api) {
	manager_emit_changed(api, "Status");
}

const struct fault *api_fault(const struct api *api) {
	return &api->fault;
}

static int on_ping(sd_bus_message *reply, void *user, sd_bus_error *ret_error) {
	struct api *api = user;
	api->ping_slot = sd_bus_slot_unref(api->ping_slot);
	return 1;
}

bool api_answered_lately(struct api *api) {
	sd_bus *bus = bus_sd(api->bus);
	mono_t now = clock_mono(loop_clock(api->loop));
	/* After a stall the answer may lie unread in the socket. */
	if (bus == NULL || !bus_drain(api->bus)) {
		return true;
	}
	bool is_heard = bus_messages(api->bus) != api->messages_seen;
	api->messages_seen = bus_messages(api->bus);
	if (api->ping_slot != NULL) {
		return is_heard || mono_since(api->ping_sent, now) < API_PATIENCE_MS;
	}
	if (!is_heard) {
		/* The system bus's policy does not let Peer.Ping through to the bus itself. */
		int r = sd_bus_call_method_async(bus, &api->ping_slot, "org.freedesktop.DBus",
			"/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", on_ping, api,
			NULL);
		if (r >= 0) {
			api->ping_sent = now;
			bus_kick(api->bus);
		}
	}
	return true;
}
