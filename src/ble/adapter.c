/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Adapters: which there are, whether they can be used, how well they do. The address is what an
 * adapter is; hciN changes when it is plugged in again. Powered=false drops all links and forgets
 * the discovery session and its filter, and so does unplugging.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ble.h"
#include "util/log.h"
#include "util/text.h"

#define SLOTS_UART 3 /* nobody documents the Pi's chip; three links are known to work */
#define SLOTS_USB 5  /* what Home Assistant assumes */

/*
 * /sys is the only place that tells what kind of chip it is and whether rfkill blocks it
 * (BlueZ 5.66 has PowerState only with --experimental). These are reads of kernel memory.
 */
static bool sys_is_uart(unsigned index) {
	char path[64], target[512];

	snprintf(path, sizeof(path), "/sys/class/bluetooth/hci%u", index);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0) {
		return false;
	}
	target[n] = '\0';
	return strstr(target, "/tty") != NULL || strstr(target, "serial") != NULL;
}

static bool sys_is_blocked(unsigned index) {
	static const char *const kinds[] = { "soft", "hard" };

	char folder[64];
	struct dirent *entry;
	bool is_blocked = false;

	snprintf(folder, sizeof(folder), "/sys/class/bluetooth/hci%u", index);
	DIR *dir = opendir(folder);
	/* The kernel numbers the switches of all radios there have ever been. */
	while (dir != NULL && !is_blocked && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "rfkill", 6) != 0) {
			continue;
		}
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			char path[sizeof(folder) + sizeof(entry->d_name) + 8], value = '0';
			snprintf(path, sizeof(path), "%s/%s/%s", folder, entry->d_name, kinds[i]);
			int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
			ssize_t n = fd >= 0 ? read(fd, &value, 1) : -1;
			if (fd >= 0) {
				close(fd);
			}
			is_blocked |= n == 1 && value == '1';
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return is_blocked;
}

void adapter_init(struct ble_adapter *adapter, struct central *central, unsigned index) {
	adapter->central = central;
	adapter->index = index;
	path_of_adapter(index, adapter->path);
}

bool adapter_is_usable(const struct ble_adapter *adapter) {
	const char *only = adapter->central->only_adapter;

	return adapter->is_present && adapter->is_powered &&
	       (only[0] == '\0' || text_equal(only, adapter->address));
}

/* Links that run over it, and links that wait, learn that it has gone. */
static void tell_links_down(struct ble_adapter *adapter) {
	struct central *central = adapter->central;
	struct radio_link *link, *following;

	scan_adapter_lost(adapter);
	monitor_lost(adapter);
	central_update_status(central);
	stats_adapter_went(adapter);
	list_for_each_safe(link, following, &central->links, in_links) {
		struct ble_peer *peer = &link->peers[adapter->index];
		peer->is_connected = false;
		peer->is_resolved = false;
		peer->rssi = 0;
		bool is_waiting = link->state == LINK_QUEUED || link->state == LINK_FINDING;
		if (link->peer == peer || (is_waiting && !central_is_ready(central))) {
			link_event(link, LINK_EV_RADIO_DOWN);
		} else if (!is_waiting && !link_state_holds_slot(link->state) &&
			   !link_has_object(link)) {
			link_event(link, LINK_EV_VANISHED);
		}
	}
	central_poke(central);
}

static void tell_links_up(struct ble_adapter *adapter) {
	struct central *central = adapter->central;
	struct radio_link *link, *following;

	central_update_status(central);
	list_for_each_safe(link, following, &central->links, in_links) {
		bool is_object = link->peers[adapter->index].is_present;
		if (link->state == LINK_QUEUED ||
			(is_object &&
				(link->state == LINK_ABSENT || link->state == LINK_FINDING))) {
			link_event(link, LINK_EV_APPEARED);
		}
	}
	central_poke(central);
}

static int on_changes(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;
	struct adapter_props props;

	(void) ret_error;
	if (!central_is_from_bluez(adapter->central, message) || !adapter->is_present) {
		return 0;
	}
	if (objects_read_adapter_changes(message, &props) >= 0) {
		adapter_apply(adapter, &props, false);
	}
	return 0;
}

static void sink_adapter(void *user, const char *path, const struct adapter_props *props) {
	(void) path;
	adapter_apply(user, props, true);
}

static void sink_monitors(void *user, const char *path) {
	(void) path;
	monitor_offered(user, true);
}

static int on_object(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct objects_sink sink = { .adapter = sink_adapter,
		.monitors = sink_monitors };
	struct ble_adapter *adapter = user;
	const char *path;
	bool has_interface;

	(void) ret_error;
	if (!central_is_from_bluez(adapter->central, message)) {
		return 0;
	}
	if (text_equal(sd_bus_message_get_member(message), "InterfacesAdded")) {
		(void) objects_read_added(message, &sink, adapter);
	} else if (objects_read_removed(message, ADAPTER_INTERFACE, &path, &has_interface) >= 0 &&
		   has_interface) {
		adapter_remove(adapter);
	}
	return 0;
}

int adapter_watch(struct ble_adapter *adapter) {
	return central_match(adapter->central, &adapter->rule_object, on_object, adapter,
		"type='signal',sender='org.bluez',interface='" OBJECT_MANAGER_INTERFACE
		"',path='/',arg0path='%s'",
		adapter->path);
}

static void appear(struct ble_adapter *adapter) {
	struct central *central = adapter->central;
	struct radio_link *link;

	adapter->is_present = true;
	stats_adapter_came(adapter);
	adapter->slots = central->config.slots;
	if (adapter->slots == 0) {
		adapter->slots = sys_is_uart(adapter->index) ? SLOTS_UART : SLOTS_USB;
	}
	log_info("Bluetooth adapter %s (hci%u) is there, %u links at a time", adapter->address,
		adapter->index, adapter->slots);
	(void) central_match(central, &adapter->rule_changes, on_changes, adapter,
		"type='signal',sender='org.bluez',interface='" PROPERTIES_INTERFACE
		"',member='PropertiesChanged',path='%s',arg0='" ADAPTER_INTERFACE "'",
		adapter->path);
	peers_widen(central);
	list_for_each(link, &central->links, in_links) {
		peer_watch(&link->peers[adapter->index]);
	}
	central_refresh(central);
}

void adapter_apply(struct ble_adapter *adapter, const struct adapter_props *props, bool is_whole) {
	bool was_usable = adapter_is_usable(adapter);

	if (props->has_address) {
		(void) text_copy(adapter->address, sizeof(adapter->address), props->address);
	}
	if (is_whole && bluez_minor_from_modalias(props->modalias) >= 0) {
		adapter->central->bluez_minor = bluez_minor_from_modalias(props->modalias);
	}
	if (is_whole && !adapter->is_present) {
		appear(adapter);
	}
	if (props->has_powered || is_whole) {
		adapter->is_powered = props->is_powered;
	}
	if (adapter->is_powered) {
		adapter->is_blocked = false;
	} else if (props->has_powered || props->has_power_state || is_whole) {
		adapter->is_blocked = text_equal(props->power_state, "off-blocked") ||
				      sys_is_blocked(adapter->index);
	}
	/* Whoever ended our session (a reset of the controller): it has to be started anew. */
	if (props->has_discovering && !props->is_discovering && adapter->scan == SCAN_ON) {
		scan_adapter_lost(adapter);
		central_poke(adapter->central);
	}
	bool is_usable = adapter_is_usable(adapter);
	if (was_usable && !is_usable) {
		tell_links_down(adapter);
	} else if (!was_usable && is_usable) {
		tell_links_up(adapter);
	} else {
		central_update_status(adapter->central);
	}
}

void adapter_remove(struct ble_adapter *adapter) {
	struct central *central = adapter->central;
	struct radio_link *link, *following;

	if (!adapter->is_present) {
		return;
	}
	log_info("Bluetooth adapter %s (hci%u) is gone", adapter->address, adapter->index);
	adapter->is_present = false;
	adapter->is_powered = false;
	adapter->is_suspect = false;
	adapter->n_failed = 0;
	adapter->slots_learnt = 0;
	monitor_offered(adapter, false);
	ble_slot_drop(&adapter->rule_changes);
	ble_slot_drop(&adapter->rule_any_objects);
	ble_slot_drop(&adapter->rule_any_changes);
	ble_slot_drop(&adapter->call_power);
	list_for_each(link, &central->links, in_links) {
		peer_unwatch(&link->peers[adapter->index]);
		link->peers[adapter->index].is_present = false;
	}
	tell_links_down(adapter);
	list_for_each_safe(link, following, &central->links, in_links) {
		link->peers[adapter->index].was_resolved = false;
	}
}

void adapter_finish(struct ble_adapter *adapter) {
	ble_slot_drop(&adapter->rule_changes);
	ble_slot_drop(&adapter->rule_object);
	ble_slot_drop(&adapter->rule_any_objects);
	ble_slot_drop(&adapter->rule_any_changes);
	ble_slot_drop(&adapter->call_power);
	monitor_finish(adapter);
}

unsigned adapter_slots(const struct ble_adapter *adapter) {
	const struct central *central = adapter->central;
	bool is_learnt =
		adapter->slots_learnt > 0 && mono_since(adapter->learnt_at, ble_now(central)) <
						     (int64_t) ble_ms(central, SCHED_LEARNT_MS);

	return is_learnt && adapter->slots_learnt < adapter->slots ? adapter->slots_learnt
								   : adapter->slots;
}

void adapter_learn_slots(struct ble_adapter *adapter, unsigned slots) {
	if (slots >= adapter_slots(adapter)) {
		return;
	}
	adapter->slots_learnt = slots;
	adapter->learnt_at = ble_now(adapter->central);
	log_notice("adapter %s: one more link was refused until another had ended; %u at a time "
		   "instead of %u for the next hour",
		adapter->address, slots, adapter->slots);
}

void adapter_note_failure(struct ble_adapter *adapter, const struct radio_link *link) {
	for (size_t i = 0; i < adapter->n_failed; i++) {
		if (adapter->failed[i] == link) {
			return;
		}
	}
	if (adapter->n_failed < ARRAY_SIZE(adapter->failed)) {
		adapter->failed[adapter->n_failed++] = link;
	}
	if (adapter->n_failed == ARRAY_SIZE(adapter->failed)) {
		adapter->is_suspect = true;
		adapter->n_failed = 0; /* the next three lead to the next step */
		recovery_step(
			adapter, TROUBLE_FAILING, "three devices in a row could not be connected");
	}
}

void adapter_note_success(struct ble_adapter *adapter) {
	adapter->n_failed = 0;
	adapter->is_suspect = false;
	recovery_is_well(adapter);
}
