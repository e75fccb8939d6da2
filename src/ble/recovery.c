/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The steps of the ladder, and who notices that an adapter hears nothing.
 *
 * Deafness shows in discovery only, and looks like a quiet place: another program's filter with a
 * Pattern hides our devices from us too, a controller's scan may have stopped
 * without anybody noticing, a dongle's antenna may have gone. So silence counts only where a device
 * of ours used to be heard window after window.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ble.h"
#include "util/log.h"
#include "util/text.h"

#define REGULAR_WINDOWS 3 /* heard in so many: it is there as a rule */
#define DEAF_WINDOWS 3    /* and in so many after that nothing at all */
#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT "bluetooth.service"
#define RESTART_MS 90000 /* systemd answers when the job is queued; polkit may ask around first */

/* ------------------------------------------------------------------ bluetooth.service */

static int on_restarted(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct central *central = user;
	const sd_bus_error *error = sd_bus_message_get_error(message);
	struct fault fault;

	(void) ret_error;
	ble_slot_drop(&central->call_restart);
	if (error == NULL) {
		log_notice(UNIT " is being restarted, as restart_service allows");
		memset(&central->restart_fault, 0, sizeof(central->restart_fault));
		central->is_restart_needed = false;
		return 0;
	}
	char text[96];
	(void) text_copy(text, sizeof(text), error->message != NULL ? error->message : error->name);
	text_sanitize(text);
	(void) fault_set(&fault, FAULT_RESTART_DENIED, "%s", text);
	log_fault(&fault, NULL, NULL);
	central->restart_fault = fault;
	central->is_restart_needed = true;
	return 0;
}

/* Queued, not waited for: that it is back is told by the owner of org.bluez. */
static void restart_service(struct central *central) {
	sd_bus *sd = bus_sd(central->bus);
	sd_bus_message *message = NULL;

	ble_slot_drop(&central->call_restart);
	if (sd == NULL) {
		return;
	}
	int r = sd_bus_message_new_method_call(
		sd, &message, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "RestartUnit");
	if (r >= 0) {
		r = sd_bus_message_append(message, "ss", UNIT, "replace");
	}
	if (r >= 0) {
		r = sd_bus_call_async(sd, &central->call_restart, message, on_restarted, central,
			UINT64_C(1000) * RESTART_MS);
		bus_kick(central->bus);
	}
	sd_bus_message_unref(message);
	if (r < 0) {
		log_blame(BLAME_SETUP, NULL, UNIT " cannot be restarted: %s", strerror(-r));
	}
}

void recovery_bluez_answers(struct central *central) {
	central->is_restart_needed = false;
}

int central_restart_outcome(const struct central *central, struct fault *ret_fault) {
	if (central->call_restart != NULL || central->restart_fault.code == FAULT_NONE) {
		return 0;
	}
	*ret_fault = central->restart_fault;
	return -EACCES;
}

void recovery_bluez_hangs(struct central *central) {
	mono_t now = ble_now(central);

	if (!central->config.may_restart ||
		(central->was_restarted &&
			mono_since(central->restarted_at, now) < ble_ms(central, LADDER_STEP_MS))) {
		return;
	}
	central->was_restarted = true;
	central->restarted_at = now;
	log_blame(BLAME_BLUEZ, NULL, "it does not answer; restarting " UNIT);
	restart_service(central);
}

/* ------------------------------------------------------------------ the steps */

static int on_power_on(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;
	char text[64];

	(void) ret_error;
	ble_slot_drop(&adapter->call_power);
	if (central_answer(adapter->central, message, text, sizeof(text), NULL) !=
		BLUEZ_ERROR_NONE) {
		log_blame(BLAME_BLUEZ, NULL, "adapter %s does not come back on: %s",
			adapter->address, text);
	}
	return 0; /* that it is on is told by Powered */
}

static int on_power_off(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;

	(void) ret_error;
	ble_slot_drop(&adapter->call_power);
	(void) central_answer(adapter->central, message, NULL, 0, NULL);
	/* On again in any case: off is the one state that it must not be left in. */
	(void) central_call(adapter->central, &adapter->call_power, adapter->path,
		PROPERTIES_INTERFACE, "Set", CALL_OBJECTS_MS, on_power_on, adapter, "ssv",
		ADAPTER_INTERFACE, "Powered", "b", 1);
	return 0;
}

static void power_cycle(struct ble_adapter *adapter) {
	(void) central_call(adapter->central, &adapter->call_power, adapter->path,
		PROPERTIES_INTERFACE, "Set", CALL_OBJECTS_MS, on_power_off, adapter, "ssv",
		ADAPTER_INTERFACE, "Powered", "b", 0);
}

int central_restart_service(struct central *central, struct fault *ret_fault) {
	if (!central->config.may_restart) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"restarting " UNIT " is not allowed: [ble] restart_service");
	}
	if (bus_sd(central->bus) == NULL) {
		return fault_set(ret_fault, FAULT_BUS_LOST, "systemd cannot be asked");
	}
	central->was_restarted = true;
	central->restarted_at = ble_now(central);
	memset(&central->restart_fault, 0, sizeof(central->restart_fault)); /* of another time */
	log_notice(UNIT " is restarted, as a person asked");
	restart_service(central);
	return 0;
}

int central_power_cycle(struct central *central, struct fault *ret_fault) {
	unsigned n = 0;

	if (!central->config.is_sole_user) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"others may use the adapter: [ble] sole_user");
	}
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		struct ble_adapter *adapter = &central->adapters[i];

		if (!adapter->is_present || adapter->call_power != NULL) {
			continue;
		}
		n++;
		log_notice("adapter %s is switched %s, as a person asked", adapter->address,
			adapter->is_powered ? "off and on" : "on");
		if (adapter->is_powered) {
			power_cycle(adapter);
		} else {
			(void) central_call(central, &adapter->call_power, adapter->path,
				PROPERTIES_INTERFACE, "Set", CALL_OBJECTS_MS, on_power_on, adapter,
				"ssv", ADAPTER_INTERFACE, "Powered", "b", 1);
		}
	}
	return n > 0 ? 0 : fault_set(ret_fault, FAULT_ADAPTER_MISSING, "none is there to switch");
}

/* Links in use are left alone: they work. */
static void give_up_links(struct ble_adapter *adapter) {
	struct radio_link *link, *following;

	list_for_each_safe(link, following, &adapter->central->links, in_links) {
		if (link->peer == NULL || link->peer->adapter != adapter) {
			continue;
		}
		if (link->state == LINK_LINGER) {
			link_event(link, LINK_EV_EVICT);
		} else if (link->state == LINK_CONNECTING || link->state == LINK_RESOLVING ||
			   link->state == LINK_SUBSCRIBING) {
			link_event(link, LINK_EV_TIMEOUT);
		}
	}
}

static void alarm_people(
	const struct ble_adapter *adapter, enum ladder_trouble trouble, const char *why) {
	struct fault fault;

	if (trouble == TROUBLE_STUCK) {
		return; /* the link's own fault has told */
	}
	(void) fault_set(&fault, FAULT_ADAPTER_FAILING, "%s: %s", adapter->address, why);
	log_fault(&fault, NULL, NULL);
}

void recovery_step(struct ble_adapter *adapter, enum ladder_trouble trouble, const char *why) {
	struct central *central = adapter->central;
	unsigned allowed = 1U << RUNG_DISCOVERY | 1U << RUNG_LINKS;

	if (central->config.is_sole_user) {
		allowed |= 1U << RUNG_POWER;
	}
	if (central->config.may_restart) {
		allowed |= 1U << RUNG_SERVICE;
	}
	enum ladder_rung rung = ladder_climb(
		&adapter->ladder, trouble, allowed, ble_now(central), central->config.time_percent);
	if (rung == RUNG_NONE) {
		return;
	}
	log_warning("adapter %s: %s; %s%s", adapter->address, why, ladder_rung_name(rung),
		rung == RUNG_ALARM && !central->config.is_sole_user
			? ": it is not switched off and on, as it may be shared (sole_user)"
			: "");
	switch (rung) {
	case RUNG_DISCOVERY:
		scan_again(adapter);
		break;
	case RUNG_LINKS:
		give_up_links(adapter);
		break;
	case RUNG_POWER:
		power_cycle(adapter);
		break;
	case RUNG_SERVICE:
		recovery_bluez_hangs(central);
		break;
	case RUNG_ALARM:
		alarm_people(adapter, trouble, why);
		break;
	case RUNG_NONE:
		break;
	}
}

/* ------------------------------------------------------------------ is it deaf? */

void recovery_heard(struct ble_peer *peer) {
	peer->is_heard_now = true;
	recovery_is_well(peer->adapter);
}

void recovery_is_well(struct ble_adapter *adapter) {
	adapter->n_deaf_windows = 0;
	adapter->has_worked = true;
	recovery_bluez_answers(adapter->central);
	ladder_is_well(&adapter->ladder);
}

void recovery_window_begins(struct ble_adapter *adapter) {
	struct radio_link *link;

	adapter->has_worked = false;
	list_for_each(link, &adapter->central->links, in_links) {
		link->peers[adapter->index].is_heard_now = false;
	}
}

void recovery_window_ends(struct ble_adapter *adapter) {
	const struct radio_link *missed = NULL;
	struct radio_link *link;

	list_for_each(link, &adapter->central->links, in_links) {
		struct ble_peer *peer = &link->peers[adapter->index];
		if (peer->is_heard_now && peer->n_windows_heard < REGULAR_WINDOWS) {
			peer->n_windows_heard++;
		}
		if (!peer->is_heard_now && peer->n_windows_heard >= REGULAR_WINDOWS &&
			!link->is_freed && !link_state_is_linked(link->state)) {
			missed = link;
		}
	}
	/* The session must have lasted to the end; links that came up are as good as beacons. */
	if (adapter->has_worked || missed == NULL || adapter->scan != SCAN_ON) {
		return;
	}
	if (++adapter->n_deaf_windows >= DEAF_WINDOWS) {
		char why[96];
		snprintf(why, sizeof(why),
			"nothing is heard any more in %u windows, not even %s, which used to be",
			adapter->n_deaf_windows, missed->target.address);
		recovery_step(adapter, TROUBLE_DEAF, why);
	}
}
