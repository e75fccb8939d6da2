/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Discovery, in windows only: for enrolment, to find a device that BlueZ has forgotten, and to
 * watch state changes that show in advertisements. Known devices are connected without it. A
 * session ends with the adapter's power, with bluetoothd and with our connection, and its filter
 * with it, so both are set at each start. While a link is being made on an adapter its discovery
 * pauses: connecting would otherwise wait for the device's next report.
 *
 * The filter: le, or BR/EDR inquiry takes half of the time. No RSSI, which would report every
 * change of signal; no Pattern, which would hide devices from other programs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ble.h"
#include "util/log.h"
#include "util/text.h"

#define FOUND_MAX 512
#define BUSY_WAIT_MS 1500
#define TRIES_MAX 4
#define FAILED_WAIT_MS 60000
#define WATCH_MS 10000
#define WATCH_EVERY_MS 60000
#define WATCH_SLOW_FACTOR 5
/*
 * A controller tells of a device once in a session, and BlueZ of a strength when it is another one
 * or the first of a session: so each of these windows is good for one strength of each device.
 */
#define HASTY_MS 1500
#define HASTY_PAUSE_MS 100

/* ------------------------------------------------------------------ one adapter's session */

static void on_scan_timer(void *user) {
	struct ble_adapter *adapter = user;

	if (adapter->scan == SCAN_WAITING) {
		adapter->scan = SCAN_OFF;
		central_poke(adapter->central);
	}
}

static void wait_then_retry(struct ble_adapter *adapter, enum bluez_error error) {
	unsigned ms = BUSY_WAIT_MS;

	adapter->scan_error = error;
	if (++adapter->n_scan_tries > TRIES_MAX) {
		ms = FAILED_WAIT_MS;
		log_blame(BLAME_BLUEZ, NULL, "adapter %s does not start discovery: %s",
			adapter->address, bluez_error_name(error));
	}
	adapter->scan = SCAN_WAITING;
	if (adapter->scan_timer == NULL) {
		adapter->scan_timer =
			loop_timer_new(adapter->central->loop, on_scan_timer, adapter);
	}
	if (adapter->scan_timer != NULL) {
		loop_timer_arm(adapter->scan_timer, ble_ms(adapter->central, ms));
	}
}

static int on_stopped(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;

	(void) ret_error;
	ble_slot_drop(&adapter->call_scan);
	/* Every error means the same: there is no session of ours. */
	(void) central_answer(adapter->central, message, NULL, 0, NULL);
	if (adapter->scan == SCAN_STOPPING) {
		adapter->scan = SCAN_OFF;
	}
	central_poke(adapter->central);
	return 0;
}

static void stop(struct ble_adapter *adapter) {
	adapter->scan = SCAN_STOPPING;
	int r = central_call(adapter->central, &adapter->call_scan, adapter->path,
		ADAPTER_INTERFACE, "StopDiscovery", CALL_QUICK_MS, on_stopped, adapter, "");
	if (r < 0) {
		adapter->scan = SCAN_OFF;
	}
}

static int on_started(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;
	char text[64];

	(void) ret_error;
	ble_slot_drop(&adapter->call_scan);
	enum bluez_error error =
		central_answer(adapter->central, message, text, sizeof(text), NULL);
	if (error == BLUEZ_ERROR_NONE) {
		adapter->scan = SCAN_ON;
		adapter->n_scan_tries = 0;
		central_poke(adapter->central); /* it may not be wanted any more */
		return 0;
	}
	if (error == BLUEZ_ERROR_BUSY) {
		/*
		 * "You have one already", or "the kernel refused, for whatever reason". We hold
		 * none, so clear up what BlueZ believes and try again.
		 */
		central_tell(adapter->central, adapter->path, ADAPTER_INTERFACE, "StopDiscovery");
		adapter->was_busy = true;
		adapter->busy_at = ble_now(adapter->central);
	}
	log_debug("adapter %s: StartDiscovery: %s", adapter->address, text);
	wait_then_retry(adapter, error);
	central_poke(adapter->central);
	return 0;
}

static int on_filter_set(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;

	(void) ret_error;
	ble_slot_drop(&adapter->call_scan);
	enum bluez_error error = central_answer(adapter->central, message, NULL, 0, NULL);
	int r = -EIO;
	if (error == BLUEZ_ERROR_NONE) {
		adapter->scan = SCAN_STARTING;
		r = central_call(adapter->central, &adapter->call_scan, adapter->path,
			ADAPTER_INTERFACE, "StartDiscovery", CALL_SCAN_MS, on_started, adapter, "");
	}
	if (r < 0) {
		wait_then_retry(adapter, error);
		central_poke(adapter->central);
	}
	return 0;
}

static void start(struct ble_adapter *adapter) {
	adapter->scan = SCAN_FILTERING;
	int r = central_call(adapter->central, &adapter->call_scan, adapter->path,
		ADAPTER_INTERFACE, "SetDiscoveryFilter", CALL_QUICK_MS, on_filter_set, adapter,
		"a{sv}", 2, "Transport", "s", "le", "DuplicateData", "b", 0);
	if (r < 0) {
		adapter->scan = SCAN_OFF; /* no bus: it comes back with a start sequence */
	}
}

void scan_adapter_lost(struct ble_adapter *adapter) {
	ble_slot_drop(&adapter->call_scan);
	ble_slot_drop(&adapter->rule_scan_added);
	ble_slot_drop(&adapter->rule_scan_changes);
	adapter->scan = SCAN_OFF;
	adapter->n_scan_tries = 0;
	adapter->wants_quiet = false;
	if (adapter->scan_timer != NULL) {
		loop_timer_disarm(adapter->scan_timer);
	}
}

void scan_again(struct ble_adapter *adapter) {
	adapter->n_scan_tries = 0;
	if (adapter->scan == SCAN_ON) {
		stop(adapter);
	} else if (adapter->scan == SCAN_OFF) {
		/* A session that BlueZ believes in and we do not. */
		central_tell(adapter->central, adapter->path, ADAPTER_INTERFACE, "StopDiscovery");
	}
}

bool scan_is_quiet(const struct ble_adapter *adapter) {
	return adapter->scan == SCAN_OFF || adapter->scan == SCAN_WAITING;
}

/* ------------------------------------------------------------------ what is needed */

static bool is_linked(const struct radio_link *link) {
	return link->state == LINK_READY || link->state == LINK_LINGER;
}

struct needs {
	bool is_finding;
	bool is_watched;   /* some watched device is not linked, and so can be heard */
	bool is_patterned; /* all watched devices can be told from their data */
	struct pattern_set patterns;
	bool is_connecting[ADAPTERS_MAX];
};

static void collect_needs(const struct central *central, struct needs *ret) {
	const struct radio_link *link;

	memset(ret, 0, sizeof(*ret));
	ret->is_patterned = true;
	list_for_each(link, &central->links, in_links) {
		if (link->target.is_watched && !link->is_freed) {
			ret->is_patterned =
				link->target.patterns != NULL &&
				pattern_set_add(&ret->patterns, link->target.patterns) &&
				ret->is_patterned;
		}
		ret->is_finding = ret->is_finding || link->state == LINK_FINDING;
		bool is_wanted = link->target.is_watched || central->scan.is_hasty;
		ret->is_watched =
			ret->is_watched || (is_wanted && !link->is_freed && !is_linked(link));
		if (link->state == LINK_CONNECTING && link->peer != NULL) {
			ret->is_connecting[link->peer->adapter->index] = true;
		}
	}
}

/* Whether BlueZ tells of every change that a window could find. */
static bool is_monitored(const struct central *central, const struct needs *needs) {
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		const struct ble_adapter *adapter = &central->adapters[i];
		if (adapter_is_usable(adapter) && !monitor_is_on(adapter)) {
			return false;
		}
	}
	return needs->is_patterned && needs->patterns.n > 0;
}

static void plan_watch(struct central *central, const struct needs *needs) {
	struct ble_scan *scan = &central->scan;

	if (scan->is_slow && !is_monitored(central, needs)) {
		scan->is_slow = false;
		loop_timer_disarm(scan->watch_timer);
	}
	if (!needs->is_watched || !central_is_ready(central)) {
		scan->is_watching = false;
		scan->is_slow = false;
		loop_timer_disarm(scan->watch_timer);
	} else if (!loop_timer_is_armed(scan->watch_timer)) {
		scan->is_watching = true;
		scan->is_counted = !scan->is_hasty;
		loop_timer_arm(scan->watch_timer,
			ble_ms(central, scan->is_hasty ? HASTY_MS : central->config.watch_ms));
		for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
			recovery_window_begins(&central->adapters[i]);
		}
	}
}

/*
 * With monitors on windows are seldom: they show that what does not change is still there, measure
 * its strength, and find out a monitor that tells nothing.
 */
static void on_watch_timer(void *user) {
	struct central *central = user;
	struct ble_scan *scan = &central->scan;
	struct needs needs;

	if (scan->is_watching) {
		(void) bus_drain(central->bus); /* what was heard to the last moment */
		for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
			if (scan->is_counted && adapter_is_usable(&central->adapters[i])) {
				recovery_window_ends(&central->adapters[i]);
			}
		}
		collect_needs(central, &needs);
		scan->is_watching = false;
		scan->is_slow = !scan->is_hasty && is_monitored(central, &needs);
		unsigned every_ms =
			central->config.watch_every_ms * (scan->is_slow ? WATCH_SLOW_FACTOR : 1);
		unsigned pause_ms = every_ms > central->config.watch_ms
					    ? every_ms - central->config.watch_ms
					    : 1;
		loop_timer_arm(scan->watch_timer,
			ble_ms(central, scan->is_hasty ? HASTY_PAUSE_MS : pause_ms));
	} else {
		scan->is_slow = false; /* the plan begins the next window */
	}
	central_poke(central);
}

static int on_added(sd_bus_message *message, void *user, sd_bus_error *ret_error);
static int on_changed(sd_bus_message *message, void *user, sd_bus_error *ret_error);

/* Rules for devices that are not ours: only while somebody enrols. */
static void plan_rules(struct ble_adapter *adapter, bool is_enrolling) {
	struct central *central = adapter->central;

	if (!is_enrolling) {
		ble_slot_drop(&adapter->rule_scan_added);
		ble_slot_drop(&adapter->rule_scan_changes);
	} else if (adapter->rule_scan_added == NULL) {
		(void) central_match(central, &adapter->rule_scan_added, on_added, adapter,
			"type='signal',sender='org.bluez',interface='" OBJECT_MANAGER_INTERFACE
			"',member='InterfacesAdded',path='/',arg0path='%s/'",
			adapter->path);
		(void) central_match(central, &adapter->rule_scan_changes, on_changed, adapter,
			"type='signal',sender='org.bluez',interface='" PROPERTIES_INTERFACE
			"',member='PropertiesChanged',path_namespace='%s',arg0='" DEVICE_INTERFACE
			"'",
			adapter->path);
		central_refresh(central); /* names and addresses of those that are known already */
	}
}

static void check_enrolment(struct central *central);

void scan_plan(struct central *central) {
	struct ble_scan *scan = &central->scan;
	struct needs needs;

	collect_needs(central, &needs);
	plan_watch(central, &needs);
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		struct ble_adapter *adapter = &central->adapters[i];
		if (!adapter_is_usable(adapter)) {
			continue;
		}
		bool is_needed = (scan->is_running || needs.is_finding || scan->is_watching) &&
				 central_is_ready(central);
		bool is_pausing = adapter->wants_quiet || needs.is_connecting[i];
		monitor_plan(adapter, &needs.patterns);
		plan_rules(adapter, scan->is_running);
		if (adapter->scan == SCAN_OFF && is_needed && !is_pausing) {
			start(adapter);
		} else if (adapter->scan == SCAN_ON && (!is_needed || is_pausing)) {
			stop(adapter);
		}
	}
	check_enrolment(central);
}

/* ------------------------------------------------------------------ enrolment */

static struct scan_found *found_get(struct ble_scan *scan, const char *path) {
	struct scan_found *found;

	list_for_each(found, &scan->found, in_found) {
		if (strcmp(found->path, path) == 0) {
			return found;
		}
	}
	if (scan->n_found >= FOUND_MAX) {
		found = list_first(&scan->found, struct scan_found, in_found);
		list_remove(&found->in_found);
		memset(found, 0, sizeof(*found));
	} else {
		found = calloc(1, sizeof(*found));
		if (found == NULL) {
			return NULL;
		}
		scan->n_found++;
	}
	(void) text_copy(found->path, sizeof(found->path), path);
	list_append(&scan->found, &found->in_found);
	return found;
}

static void report(struct ble_adapter *adapter, const char *path, const struct device_props *props,
	bool is_heard) {
	struct central *central = adapter->central;
	char address[RADIO_ADDRESS_MAX];
	unsigned index;

	if (!central->scan.is_running || path_to_device(path, &index, address) < 0) {
		return;
	}
	struct scan_found *found = found_get(&central->scan, path);
	if (found == NULL) {
		return;
	}
	advert_merge(&found->advert, props);
	if (found->advert.address[0] == '\0') {
		(void) text_copy(found->advert.address, sizeof(found->advert.address), address);
	}
	if (is_heard) {
		adapter->stats.any_ms = ble_now(central).ms;
		(void) text_copy(
			found->advert.adapter, sizeof(found->advert.adapter), adapter->address);
		event_post_heard(central, NULL, &found->advert);
	}
}

void scan_device(struct ble_adapter *adapter, const char *path, const struct device_props *props) {
	report(adapter, path, props, props->has_rssi);
}

static void sink_device(void *user, const char *path, const struct device_props *props) {
	scan_device(user, path, props);
}

static int on_added(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct objects_sink sink = { .device = sink_device };
	struct ble_adapter *adapter = user;

	(void) ret_error;
	if (central_is_from_bluez(adapter->central, message)) {
		(void) objects_read_added(message, &sink, adapter);
	}
	return 0;
}

static int on_changed(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;
	struct device_props props;

	(void) ret_error;
	if (central_is_from_bluez(adapter->central, message) &&
		objects_read_device_changes(message, &props) >= 0) {
		report(adapter, sd_bus_message_get_path(message), &props,
			props.has_rssi || props.has_manufacturer || props.has_service);
	}
	return 0;
}

static void end_enrolment(struct central *central, const struct fault *fault) {
	struct ble_scan *scan = &central->scan;

	if (!scan->is_running) {
		return;
	}
	struct scan_found *found, *following;
	list_for_each_safe(found, following, &scan->found, in_found) {
		list_remove(&found->in_found);
		free(found);
	}
	scan->n_found = 0;
	scan->is_running = false;
	loop_timer_disarm(scan->timer);
	scan->has_fault = fault != NULL;
	if (fault != NULL) {
		scan->fault = *fault;
	}
	event_post(central, &scan->event_ended);
	central_poke(central);
}

/* Without an adapter nothing will be heard; say so at once. */
static void check_enrolment(struct central *central) {
	struct ble_scan *scan = &central->scan;
	bool is_any_trying = false;
	enum bluez_error error = BLUEZ_ERROR_NONE;
	struct fault fault;

	if (!scan->is_running) {
		return;
	}
	if (!central_is_ready(central)) {
		/* While BlueZ is being asked for the first time there is no knowing. */
		if (central->phase != CENTRAL_ASKING && central->phase != CENTRAL_READING) {
			fault = central->fault;
			end_enrolment(central, &fault);
		}
		return;
	}
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		const struct ble_adapter *adapter = &central->adapters[i];
		if (adapter_is_usable(adapter)) {
			bool has_failed = adapter->n_scan_tries > TRIES_MAX;
			is_any_trying = is_any_trying || !has_failed;
			error = has_failed ? adapter->scan_error : error;
		}
	}
	if (!is_any_trying) {
		enum fault_code code =
			error == BLUEZ_ERROR_DENIED ? FAULT_BLUEZ_DENIED : FAULT_RADIO_BUSY;
		(void) fault_set(
			&fault, code, "discovery does not start: %s", bluez_error_name(error));
		end_enrolment(central, &fault);
	}
}

static void on_enrolment_over(void *user) {
	end_enrolment(user, NULL);
}

int scan_start(struct central *central, unsigned ms,
	void (*heard)(void *user, const struct advert *advert),
	void (*ended)(void *user, const struct fault *fault), void *user) {
	struct ble_scan *scan = &central->scan;

	if (scan->is_running) {
		loop_timer_arm(scan->timer, ble_ms(central, ms));
		return -EALREADY;
	}
	if (event_is_posted(&scan->event_ended)) {
		return -EBUSY; /* the former one has not been told of its end yet */
	}
	scan->is_running = true;
	scan->heard = heard;
	scan->ended = ended;
	scan->user = user;
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		central->adapters[i].n_scan_tries = 0;
	}
	loop_timer_arm(scan->timer, ble_ms(central, ms));
	central_poke(central);
	return 0;
}

void scan_stop(struct central *central) {
	end_enrolment(central, NULL);
}

/* The window that runs, or the pause, makes way for a short one; later ones are by the plan. */
void scan_hasten(struct central *central, bool is_on) {
	struct ble_scan *scan = &central->scan;

	if (scan->is_hasty == is_on) {
		return;
	}
	scan->is_hasty = is_on;
	if (is_on) {
		scan->is_watching = false;
		scan->is_slow = false;
		loop_timer_disarm(scan->watch_timer);
	}
	central_poke(central);
}

int scan_init(struct central *central) {
	struct ble_scan *scan = &central->scan;

	list_init(&scan->found);
	ble_event_init(&scan->event_ended, BLE_EVENT_SCAN_ENDED, NULL);
	if (central->config.watch_ms == 0) {
		central->config.watch_ms = WATCH_MS;
	}
	if (central->config.watch_every_ms == 0) {
		central->config.watch_every_ms = WATCH_EVERY_MS;
	}
	scan->timer = loop_timer_new(central->loop, on_enrolment_over, central);
	scan->watch_timer = loop_timer_new(central->loop, on_watch_timer, central);
	return scan->timer != NULL && scan->watch_timer != NULL ? 0 : -ENOMEM;
}

void scan_finish(struct central *central) {
	end_enrolment(central, NULL);
	event_cancel(&central->scan.event_ended);
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		struct ble_adapter *adapter = &central->adapters[i];
		scan_adapter_lost(adapter);
		adapter->scan_timer = loop_timer_free(adapter->scan_timer);
	}
	loop_timer_free(central->scan.timer);
	loop_timer_free(central->scan.watch_timer);
}
