/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Manager.Status: how the hub as a whole is doing. */

#include "room.h"

struct api_status {
	sd_bus_message *message;
	int r; /* sticks, so that whoever adds need not check */
};

void api_status_text(struct api_status *status, const char *key, const char *value) {
	if (status->r >= 0) {
		status->r = put_text(status->message, key, value);
	}
}

void api_status_number(struct api_status *status, const char *key, int64_t value) {
	if (status->r >= 0) {
		status->r = put_number(status->message, key, value);
	}
}

void api_status_flag(struct api_status *status, const char *key, bool value) {
	if (status->r >= 0) {
		status->r = put_flag(status->message, key, value);
	}
}

void api_status_fault(struct api_status *status, const char *key, const struct fault *fault) {
	if (status->r >= 0) {
		status->r = put_fault(status->message, key, fault, NULL);
	}
}

static void add_radio(struct api_status *status, const struct hub *hub) {
	struct radio_status radio = { 0 };
	hub_radio_status(hub, &radio);
	api_status_fault(status, "radio", &radio.fault);
	api_status_flag(status, "radio_ready", radio.is_ready);
	api_status_number(status, "adapters", radio.n_adapters);
	if (radio.bluez_version[0] != '\0') {
		api_status_text(status, "bluez_version", radio.bluez_version);
	}
}

static void add_counts(struct api_status *status, const struct hub *hub) {
	int64_t n_reachable = 0, n_faulty = 0, n_queued = 0;
	size_t n = hub_lock_count(hub);
	for (size_t i = 0; i < n; i++) {
		const struct lock *lock = hub_lock_at(hub, i);
		n_reachable += lock_is_reachable(lock);
		n_faulty += lock_fault(lock)->code != FAULT_NONE;
		n_queued += lock_queue_length(lock);
	}
	api_status_number(status, "locks", (int64_t) n);
	api_status_number(status, "locks_reachable", n_reachable);
	api_status_number(status, "locks_with_fault", n_faulty);
	api_status_number(status, "operations_waiting", n_queued);
}

PROPERTY_GETTER(manager_get_status) {
	const struct api *api = user;
	struct api_status status = { .message = reply };
	const struct clock *clock = hub_clock(api->hub);
	const struct fault *ledger = hub_ledger_fault(api->hub);
	const struct fault ok = { .code = FAULT_NONE };
	status.r = sd_bus_message_open_container(reply, 'a', "{sv}");
	api_status_text(&status, "version", api->version);
	add_radio(&status, api->hub);
	api_status_fault(&status, "database", ledger != NULL ? ledger : &ok);
	api_status_number(&status, "time", clock_wall(clock).s);
	api_status_flag(&status, "time_trusted", clock_is_trusted(clock));
	add_counts(&status, api->hub);
	if (api->add_status != NULL) {
		api->add_status(api->user, &status);
	}
	return status.r < 0 ? status.r : sd_bus_message_close_container(reply);
}
