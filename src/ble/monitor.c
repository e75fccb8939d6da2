/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An advertisement monitor per adapter: BlueZ listens passively all the time and tells when the
 * data of a watched device change. That is heard at once, and without the discovery windows that
 * would find it out within a minute. BlueZ offers it with --experimental only, so it is never
 * relied on: whatever goes wrong here leaves the windows as they are (docs/bluez-notes.md).
 *
 * RegisterMonitor names a root path; BlueZ asks it for all objects, finds the monitor there, and
 * calls Activate, or Release if it does not like it. The root stays registered when the monitor is
 * released, and a second RegisterMonitor is answered AlreadyExists: then it is given back first.
 *
 * The thresholds let every strength pass. They are there because without them DeviceFound comes
 * with each advertisement, once a second for each lock around (docs/bluez-notes.md); with them
 * once, and what wakes us is PropertiesChanged of our own devices.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ble.h"
#include "util/log.h"
#include "util/text.h"

#define MANAGER_INTERFACE MONITOR_MANAGER_INTERFACE
#define MONITOR_INTERFACE "org.bluez.AdvertisementMonitor1"
#define ALREADY_EXISTS "org.bluez.Error.AlreadyExists"

#define ACTIVATE_MS 10000           /* from RegisterMonitor's answer */
#define RELEASED_MS 60000           /* an active one that was released: until the next try */
#define REFUSED_MS (60 * 60 * 1000) /* until the next try */
#define SILENT_MINOR_FIRST 69       /* 5.69 and 5.70: patterns on data never match */
#define SILENT_MINOR_LAST 70
#define RSSI_HIGH (-126)
#define RSSI_LOW (-127)
#define HIGH_TIMEOUT_S 1 /* heard for so long: DeviceFound */
#define LOW_TIMEOUT_S 60 /* silent for so long: DeviceLost */
#define SAMPLING_ALL 0   /* a controller that filters by itself reports each advertisement */

static void settle(struct ble_adapter *adapter, enum monitor_state state, unsigned again_ms);

bool monitor_is_on(const struct ble_adapter *adapter) {
	return adapter->monitor.state == MONITOR_ON;
}

/* ------------------------------------------------------------------ what BlueZ asks and tells */

static int on_release(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;

	(void) ret_error;
	if (!central_is_from_bluez(adapter->central, message)) {
		return -EACCES;
	}
	bool was_on = monitor_is_on(adapter);
	log_info("adapter %s: BlueZ has released the advertisement monitor", adapter->address);
	settle(adapter, MONITOR_REFUSED, was_on ? RELEASED_MS : REFUSED_MS);
	return sd_bus_reply_method_return(message, "");
}

static int on_activate(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;

	(void) ret_error;
	if (!central_is_from_bluez(adapter->central, message)) {
		return -EACCES;
	}
	if (adapter->monitor.state == MONITOR_ASKING || adapter->monitor.state == MONITOR_KNOWN) {
		log_info("adapter %s: BlueZ tells of advertisements that change", adapter->address);
		adapter->monitor.is_second_try = false;
		settle(adapter, MONITOR_ON, 0);
	}
	return sd_bus_reply_method_return(message, "");
}

/* DeviceFound and DeviceLost: strangers are met here too, if they match. */
static int on_device(sd_bus_message *message, struct ble_adapter *adapter, bool is_found) {
	char address[RADIO_ADDRESS_MAX];
	const char *path;
	unsigned index;

	if (!central_is_from_bluez(adapter->central, message)) {
		return -EACCES;
	}
	int r = sd_bus_message_read_basic(message, 'o', &path);
	if (r < 0) {
		return r;
	}
	if (path_to_device(path, &index, address) >= 0 && index == adapter->index) {
		struct radio_link *link = link_find(adapter->central, address);
		if (link != NULL && is_found) {
			peer_found(&link->peers[index]);
		} else if (link != NULL) {
			peer_lost(&link->peers[index]);
		}
	}
	return sd_bus_reply_method_return(message, "");
}

static int on_found(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	(void) ret_error;
	return on_device(message, user, true);
}

static int on_lost(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	(void) ret_error;
	return on_device(message, user, false);
}

static int get_property(sd_bus *bus, const char *path, const char *interface, const char *name,
	sd_bus_message *reply, void *user, sd_bus_error *ret_error) {
	(void) bus;
	(void) path;
	(void) interface;
	(void) user;
	(void) ret_error;
	if (text_equal(name, "Type")) {
		return sd_bus_message_append(reply, "s", "or_patterns");
	}
	if (text_equal(name, "RSSIHighThreshold")) {
		return sd_bus_message_append(reply, "n", RSSI_HIGH);
	}
	if (text_equal(name, "RSSILowThreshold")) {
		return sd_bus_message_append(reply, "n", RSSI_LOW);
	}
	if (text_equal(name, "RSSIHighTimeout")) {
		return sd_bus_message_append(reply, "q", HIGH_TIMEOUT_S);
	}
	if (text_equal(name, "RSSILowTimeout")) {
		return sd_bus_message_append(reply, "q", LOW_TIMEOUT_S);
	}
	return sd_bus_message_append(reply, "q", SAMPLING_ALL); /* RSSISamplingPeriod */
}

/* a(yyay): offset, AD type, bytes. */
static int get_patterns(sd_bus *bus, const char *path, const char *interface, const char *name,
	sd_bus_message *reply, void *user, sd_bus_error *ret_error) {
	const struct ble_adapter *adapter = user;
	const struct pattern_set *set = &adapter->monitor.set;
	int r = sd_bus_message_open_container(reply, 'a', "(yyay)");

	(void) bus;
	(void) path;
	(void) interface;
	(void) name;
	(void) ret_error;
	for (size_t i = 0; i < set->n && r >= 0; i++) {
		const struct radio_pattern *pattern = &set->patterns[i];
		r = sd_bus_message_open_container(reply, 'r', "yyay");
		if (r >= 0) {
			r = sd_bus_message_append(reply, "yy", pattern->offset, pattern->type);
		}
		if (r >= 0) {
			r = sd_bus_message_append_array(
				reply, 'y', pattern->bytes, pattern->n_bytes);
		}
		if (r >= 0) {
			r = sd_bus_message_close_container(reply);
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* Who may call is looked at in the methods; sd-bus would ask the bus for the caller, and wait. */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Release", "", "", on_release, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Activate", "", "", on_activate, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("DeviceFound", "o", "", on_found, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("DeviceLost", "o", "", on_lost, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Type", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("RSSIHighThreshold", "n", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("RSSILowThreshold", "n", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("RSSIHighTimeout", "q", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("RSSILowTimeout", "q", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("RSSISamplingPeriod", "q", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Patterns", "a(yyay)", get_patterns, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_VTABLE_END,
};

/* ------------------------------------------------------------------ asking for it */

static void on_timer(void *user) {
	struct ble_adapter *adapter = user;
	struct ble_monitor *monitor = &adapter->monitor;

	(void) bus_drain(adapter->central->bus);
	if (loop_timer_is_armed(monitor->timer)) {
		return; /* what was read has led to another plan */
	}
	if (monitor->state == MONITOR_KNOWN) {
		log_blame(BLAME_BLUEZ, NULL,
			"adapter %s: the advertisement monitor is registered and not activated; "
			"listening in windows",
			adapter->address);
		settle(adapter, MONITOR_REFUSED, REFUSED_MS);
	} else if (monitor->state == MONITOR_REFUSED) {
		settle(adapter, MONITOR_OFF, 0);
	}
}

/* @again_ms: until on_timer(); 0: never. */
static void settle(struct ble_adapter *adapter, enum monitor_state state, unsigned again_ms) {
	struct ble_monitor *monitor = &adapter->monitor;

	monitor->state = state;
	if (monitor->timer == NULL && again_ms > 0) {
		monitor->timer = loop_timer_new(adapter->central->loop, on_timer, adapter);
	}
	if (monitor->timer != NULL) {
		loop_timer_disarm(monitor->timer);
		if (again_ms > 0) {
			loop_timer_arm(monitor->timer, ble_ms(adapter->central, again_ms));
		}
	}
	central_poke(adapter->central);
}

static void drop_objects(struct ble_monitor *monitor) {
	ble_slot_drop(&monitor->call);
	ble_slot_drop(&monitor->object);
	ble_slot_drop(&monitor->manager);
}

static int on_given_back(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;

	(void) ret_error;
	ble_slot_drop(&adapter->monitor.call_back);
	(void) message; /* whatever it says, the root is not ours */
	central_poke(adapter->central);
	return 0;
}

/*
 * The root is ours no more, as far as BlueZ is there to hear it. It releases the monitor before it
 * answers; only then may there be a new one, or that would be taken for released.
 */
static void give_back(struct ble_adapter *adapter) {
	struct ble_monitor *monitor = &adapter->monitor;

	drop_objects(monitor);
	if (adapter->central->owner[0] != '\0' && adapter->is_present) {
		(void) central_call(adapter->central, &monitor->call_back, adapter->path,
			MANAGER_INTERFACE, "UnregisterMonitor", CALL_QUICK_MS, on_given_back,
			adapter, "o", monitor->root);
	}
}

static int on_registered(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;
	struct ble_monitor *monitor = &adapter->monitor;
	char text[64];

	(void) ret_error;
	ble_slot_drop(&monitor->call);
	/* Not by central_answer(): that this is denied does not mean that BlueZ is. */
	const sd_bus_error *error = sd_bus_message_get_error(message);
	bool is_older = sd_bus_message_is_method_error(message, ALREADY_EXISTS) > 0;
	if (monitor->state != MONITOR_ASKING) {
		return 0; /* activated or released already */
	}
	if (error == NULL) {
		settle(adapter, MONITOR_KNOWN, ACTIVATE_MS);
	} else if (is_older && !monitor->is_second_try) {
		/* Of a call whose answer was lost, or of before power was off. */
		monitor->is_second_try = true;
		give_back(adapter);
		settle(adapter, MONITOR_OFF, 0);
	} else {
		(void) text_copy(
			text, sizeof(text), error->message != NULL ? error->message : error->name);
		text_sanitize(text);
		log_info("adapter %s: BlueZ does not monitor advertisements for lockhub (%s); "
			 "listening in windows",
			adapter->address, text);
		drop_objects(monitor);
		monitor->is_second_try = false;
		settle(adapter, MONITOR_REFUSED, REFUSED_MS);
	}
	return 0;
}

static void ask(struct ble_adapter *adapter) {
	struct central *central = adapter->central;
	struct ble_monitor *monitor = &adapter->monitor;
	sd_bus *sd = bus_sd(central->bus);
	char path[MONITOR_PATH_MAX];

	snprintf(monitor->root, sizeof(monitor->root), "/org/lockhub/ble/hci%u", adapter->index);
	snprintf(path, sizeof(path), "/org/lockhub/ble/hci%u/watch", adapter->index);
	drop_objects(monitor);
	int r = sd == NULL ? -ENOTCONN
			   : sd_bus_add_object_manager(sd, &monitor->manager, monitor->root);
	if (r >= 0) {
		r = sd_bus_add_object_vtable(
			sd, &monitor->object, path, MONITOR_INTERFACE, vtable, adapter);
	}
	if (r >= 0) {
		r = central_call(central, &monitor->call, adapter->path, MANAGER_INTERFACE,
			"RegisterMonitor", CALL_QUICK_MS, on_registered, adapter, "o",
			monitor->root);
	}
	if (r < 0) {
		log_debug(
			"adapter %s: no advertisement monitor: %s", adapter->address, strerror(-r));
		drop_objects(monitor);
		settle(adapter, MONITOR_REFUSED, REFUSED_MS);
	} else {
		settle(adapter, MONITOR_ASKING, 0);
	}
}

/* ------------------------------------------------------------------ the plan */

static bool pattern_is_same(const struct radio_pattern *a, const struct radio_pattern *b) {
	return a->offset == b->offset && a->type == b->type && a->n_bytes == b->n_bytes &&
	       memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

bool pattern_set_add(struct pattern_set *set, const struct radio_pattern *patterns) {
	for (; patterns != NULL && patterns->n_bytes > 0; patterns++) {
		bool is_there = false;
		for (size_t i = 0; i < set->n && !is_there; i++) {
			is_there = pattern_is_same(&set->patterns[i], patterns);
		}
		if (is_there) {
			continue;
		}
		if (set->n >= PATTERNS_MAX || patterns->n_bytes > sizeof(patterns->bytes)) {
			return false;
		}
		set->patterns[set->n++] = *patterns;
	}
	return true;
}

static bool set_is_same(const struct pattern_set *a, const struct pattern_set *b) {
	bool is_same = a->n == b->n;

	for (size_t i = 0; i < a->n && is_same; i++) {
		is_same = pattern_is_same(&a->patterns[i], &b->patterns[i]);
	}
	return is_same;
}

/* These match nothing but flags and names, and say that all is well. */
static bool is_silent_version(const struct central *central) {
	return central->bluez_minor >= SILENT_MINOR_FIRST &&
	       central->bluez_minor <= SILENT_MINOR_LAST;
}

void monitor_offered(struct ble_adapter *adapter, bool is_offered) {
	adapter->monitor.is_offered = is_offered;
	if (!is_offered) {
		monitor_lost(adapter);
	}
	central_poke(adapter->central);
}

void monitor_plan(struct ble_adapter *adapter, const struct pattern_set *wanted) {
	struct ble_monitor *monitor = &adapter->monitor;
	bool is_held = monitor->state == MONITOR_ASKING || monitor->state == MONITOR_KNOWN ||
		       monitor->state == MONITOR_ON;

	if (wanted->n == 0 || !monitor->is_offered || is_silent_version(adapter->central)) {
		monitor_lost(adapter);
		return;
	}
	if (!set_is_same(&monitor->set, wanted)) {
		monitor->set = *wanted;
		if (is_held) {
			monitor_lost(adapter); /* BlueZ reads the patterns once */
		}
	}
	if (monitor->state == MONITOR_OFF && monitor->call_back == NULL) {
		ask(adapter);
	} else if (monitor->state == MONITOR_REFUSED && monitor->object != NULL) {
		give_back(adapter);
	}
}

void monitor_lost(struct ble_adapter *adapter) {
	struct ble_monitor *monitor = &adapter->monitor;

	if (monitor->state == MONITOR_OFF) {
		return;
	}
	if (monitor->object != NULL) {
		give_back(adapter);
	}
	settle(adapter, MONITOR_OFF, 0);
}

void monitor_finish(struct ble_adapter *adapter) {
	struct ble_monitor *monitor = &adapter->monitor;

	drop_objects(monitor);
	ble_slot_drop(&monitor->call_back);
	monitor->timer = loop_timer_free(monitor->timer);
	monitor->state = MONITOR_OFF;
	monitor->is_offered = false;
}
