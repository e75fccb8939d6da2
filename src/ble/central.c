/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The start sequence, what is done when the bus or bluetoothd comes and goes, and the turn of the
 * crank: scheduler, scan plan, delivery.
 *
 * Start: ask the bus who owns org.bluez; add the rules; read all objects. Rules first, snapshot
 * second: the bus and BlueZ handle our messages in order, so nothing falls between. When the
 * snapshot shows an adapter, the rules of that adapter and of each device there are added and a
 * second snapshot is read. A bluetoothd that has just appeared may not have its adapters yet; they
 * come within a second. When it dies there are no signals for its objects, only its name is gone.
 *
 * Any local process may send us signals directly, so a signal counts only when its sender is the
 * owner of org.bluez.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ble.h"
#include "util/log.h"
#include "util/text.h"

#define HANG_UP_MS 4000 /* usually 1.8 to 2.7 s */
#define LINGER_MS 5000
#define ASK_MS 90000
#define BUS_SILENT_MS 60000
#define PING_MS 5000
#define PINGS_UNTIL_HUNG 3
#define PING_HUNG_EVERY_MS 30000
#define EMPTY_SNAPSHOTS_MAX 3
#define SNAPSHOT_AGAIN_MS 700
#define DENIED_AGAIN_MS 60000

#define DBUS_NAME "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"

static int on_snapshot(sd_bus_message *message, void *user, sd_bus_error *ret_error);

unsigned ble_ms(const struct central *central, unsigned ms) {
	if (central->config.time_percent == 100) {
		return ms;
	}
	uint64_t scaled = (uint64_t) ms * central->config.time_percent / 100;
	return scaled > 0 || ms == 0 ? (unsigned) scaled : 1;
}

mono_t ble_now(const struct central *central) {
	return clock_mono(central->clock);
}

void central_poke(struct central *central) {
	if (!central->is_tearing_down && !loop_timer_is_armed(central->soon)) {
		loop_timer_arm(central->soon, 0);
	}
}

bool central_is_from_bluez(const struct central *central, sd_bus_message *message) {
	const char *sender = sd_bus_message_get_sender(message);

	return central->owner[0] != '\0' && text_equal(sender, central->owner);
}

/* ------------------------------------------------------------------ status */

static bool is_any_adapter_usable(const struct central *central) {
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		if (adapter_is_usable(&central->adapters[i])) {
			return true;
		}
	}
	return false;
}

bool central_is_ready(const struct central *central) {
	return central->phase == CENTRAL_SETTLED && !central->is_hung &&
	       is_any_adapter_usable(central);
}

static void find_adapter_fault(struct central *central) {
	const struct ble_adapter *off = NULL;
	const char *only = central->only_adapter;

	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		const struct ble_adapter *adapter = &central->adapters[i];
		if (adapter->is_present &&
			(only[0] == '\0' || text_equal(only, adapter->address))) {
			off = adapter;
		}
	}
	if (off == NULL) {
		(void) fault_set(&central->fault, FAULT_ADAPTER_MISSING, "%s%s",
			only[0] != '\0' ? "looking for " : "", only);
	} else if (off->is_blocked) {
		(void) fault_set(&central->fault, FAULT_ADAPTER_BLOCKED, "%s", off->address);
	} else {
		(void) fault_set(&central->fault, FAULT_ADAPTER_OFF, "%s", off->address);
	}
}

void central_update_status(struct central *central) {
	bool is_certain = true;

	if (central->phase == CENTRAL_NO_BUS) {
		(void) fault_set(&central->fault, FAULT_BUS_LOST, "no connection to the bus");
	} else if (central->is_denied) {
		(void) fault_set(
			&central->fault, FAULT_BLUEZ_DENIED, "the bus's policy forbids it");
	} else if (central->phase == CENTRAL_NO_BLUEZ) {
		(void) fault_set(&central->fault, FAULT_BLUEZ_MISSING, "nobody owns org.bluez");
	} else if (central->is_hung) {
		(void) fault_set(&central->fault, FAULT_BLUEZ_HUNG,
			"%u questions without an answer", central->n_unanswered);
	} else if (central->phase != CENTRAL_SETTLED) {
		(void) fault_set(&central->fault, FAULT_BLUEZ_MISSING, "still looking for it");
		is_certain = false;
	} else if (is_any_adapter_usable(central)) {
		memset(&central->fault, 0, sizeof(central->fault));
	} else {
		find_adapter_fault(central);
	}
	if (!is_certain || central->fault.code == central->logged) {
		return;
	}
	if (central->fault.code != FAULT_NONE) {
		log_fault(&central->fault, NULL, NULL);
	} else {
		log_info("Bluetooth is ready");
	}
	central->logged = central->fault.code;
}

/* ------------------------------------------------------------------ the crank */

struct waiting {
	struct radio_link *link;
	mono_t now;
};

static int compare_waiting(const void *a, const void *b) {
	const struct waiting *first = a, *second = b;

	return sched_compare(first->link->need, first->link->want_since, second->link->need,
		second->link->want_since, first->now);
}

/*
 * How long a hang-up still keeps others from being connected; 0: not. Kernels up to 6.1 at least
 * forget that they wait for a connection when they send any other command meanwhile, and Disconnect
 * is one, two seconds after it was asked for: then nothing is connected, hung up or discovered for
 * 20 s (docs/bluez-notes.md). A hang-up that takes longer than usual is not waited for: it may
 * never end.
 */
static int64_t hang_up_left_ms(const struct central *central, const struct radio_link *link) {
	int64_t left = (int64_t) ble_ms(central, HANG_UP_MS) -
		       mono_since(link->state_since, ble_now(central));

	return link->state == LINK_DISCONNECTING && left > 0 ? left : 0;
}

static void describe_adapters(
	const struct central *central, struct sched_adapter ret[static ADAPTERS_MAX]) {
	const struct radio_link *link;

	memset(ret, 0, ADAPTERS_MAX * sizeof(*ret));
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		const struct ble_adapter *adapter = &central->adapters[i];
		ret[i].is_usable = adapter_is_usable(adapter);
		ret[i].is_suspect = adapter->is_suspect;
		ret[i].slots = adapter_slots(adapter);
	}
	list_for_each(link, &central->links, in_links) {
		if (link->peer != NULL) {
			struct sched_adapter *its = &ret[link->peer->adapter->index];
			its->used++;
			its->is_connecting = its->is_connecting || link->state == LINK_CONNECTING ||
					     hang_up_left_ms(central, link) > 0;
			its->n_lingering += link->state == LINK_LINGER;
			its->n_closing += link->state == LINK_DISCONNECTING;
			continue;
		}
		/* Other programs' links to our devices take slots as well. */
		for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
			ret[i].used += link->peers[i].is_connected;
		}
	}
}

static void evict(struct central *central, unsigned index, struct sched_adapter *adapter) {
	struct radio_link *link, *oldest = NULL;

	list_for_each(link, &central->links, in_links) {
		if (link->state == LINK_LINGER && link->peer->adapter->index == index &&
			(oldest == NULL || link->state_since.ms < oldest->state_since.ms)) {
			oldest = link;
		}
	}
	if (oldest != NULL) {
		adapter->n_lingering--;
		adapter->n_closing++;
		link_event(oldest, LINK_EV_EVICT);
	}
}

static void schedule_one(
	struct central *central, struct radio_link *link, struct sched_adapter *adapters) {
	struct sched_item item = { .need = link->need };
	struct sched_adapter its[ADAPTERS_MAX];

	item.is_pushing = mono_since(link->want_since, ble_now(central)) >=
			  (int64_t) ble_ms(central, SCHED_PUSH_MS);
	memcpy(its, adapters, sizeof(its));
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		/* A link that another program has to this device takes no slot from it. */
		its[i].used -= link->peers[i].is_connected && its[i].used > 0;
		item.views[i].is_known = link->peers[i].is_present;
		item.views[i].rssi = link->peers[i].rssi;
		item.views[i].failures = link->peers[i].failures;
	}
	struct sched_choice choice = sched_choose(its, &item);
	struct ble_adapter *adapter = &central->adapters[choice.adapter];
	switch (choice.verdict) {
	case SCHED_WAIT:
		break;
	case SCHED_FIND:
		link_event(link, LINK_EV_FIND);
		break;
	case SCHED_EVICT:
		evict(central, choice.adapter, &adapters[choice.adapter]);
		break;
	case SCHED_CONNECT:
		/* In any case nobody else gets it in this round. */
		adapters[choice.adapter].is_connecting = true;
		adapters[choice.adapter].used++;
		if (!scan_is_quiet(adapter)) {
			adapter->wants_quiet = true;
			break;
		}
		peer_use(&link->peers[choice.adapter]);
		link_event(link, LINK_EV_SLOT);
		break;
	}
}

/* Perhaps nothing happens until a hang-up has lasted too long: look at who waits once more then. */
static void look_again(struct central *central) {
	const struct radio_link *link;
	int64_t least = INT64_MAX;

	list_for_each(link, &central->links, in_links) {
		int64_t left = hang_up_left_ms(central, link);
		least = left > 0 && left < least ? left : least;
	}
	if (least != INT64_MAX) {
		loop_timer_arm(central->again, (uint64_t) least);
	}
}

static void on_again(void *user) {
	central_poke(user);
}

static void schedule(struct central *central) {
	struct sched_adapter adapters[ADAPTERS_MAX];
	struct radio_link *link;
	size_t n = 0;

	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		central->adapters[i].wants_quiet = false;
	}
	if (!central_is_ready(central)) {
		return;
	}
	list_for_each(link, &central->links, in_links) {
		n += link->state == LINK_QUEUED;
	}
	AUTO(free) struct waiting *waiting = n > 0 ? calloc(n, sizeof(*waiting)) : NULL;
	if (waiting == NULL) {
		return;
	}
	n = 0;
	list_for_each(link, &central->links, in_links) {
		if (link->state == LINK_QUEUED) {
			waiting[n++] = (struct waiting){ link, ble_now(central) };
		}
	}
	qsort(waiting, n, sizeof(*waiting), compare_waiting);
	describe_adapters(central, adapters);
	for (size_t i = 0; i < n; i++) {
		if (waiting[i].link->state == LINK_QUEUED) {
			schedule_one(central, waiting[i].link, adapters);
		}
	}
	look_again(central);
}

static void free_dead(struct central *central) {
	struct radio_link *link, *following;

	list_for_each_safe(link, following, &central->dead, in_links) {
		link_destroy(link);
	}
}

static void on_soon(void *user) {
	struct central *central = user;

	free_dead(central);
	schedule(central);
	scan_plan(central);
	events_deliver(central);
}

/* ------------------------------------------------------------------ the snapshot */

static bool wants(void *user, const char *path) {
	struct central *central = user;
	char address[RADIO_ADDRESS_MAX];
	unsigned index;

	if (path_to_adapter(path, &index) >= 0) {
		return true;
	}
	if (path_to_device(path, &index, address) < 0) {
		return false;
	}
	return central->scan.is_running || link_find(central, address) != NULL;
}

static void sink_adapter(void *user, const char *path, const struct adapter_props *props) {
	struct central *central = user;
	unsigned index;

	if (path_to_adapter(path, &index) >= 0) {
		adapter_apply(&central->adapters[index], props, true);
	}
}

static void sink_monitors(void *user, const char *path) {
	struct central *central = user;
	unsigned index;

	if (path_to_adapter(path, &index) >= 0) {
		monitor_offered(&central->adapters[index], true);
	}
}

static void sink_device(void *user, const char *path, const struct device_props *props) {
	struct central *central = user;
	char address[RADIO_ADDRESS_MAX];
	unsigned index;

	if (path_to_device(path, &index, address) < 0 || !central->adapters[index].is_present) {
		return;
	}
	scan_device(&central->adapters[index], path, props);
	struct radio_link *link = link_find(central, address);
	if (link != NULL) {
		link->peers[index].is_seen = true;
		peer_apply(&link->peers[index], props, true);
	}
}

/* Links of our former life: BlueZ keeps them when their maker dies. Their sessions are lost. */
static void close_orphans(struct central *central) {
	struct radio_link *link, *following;

	list_for_each_safe(link, following, &central->links, in_links) {
		bool is_free = link->state == LINK_IDLE || link->state == LINK_QUEUED ||
			       link->state == LINK_BACKOFF;
		for (unsigned i = 0; i < ADAPTERS_MAX && is_free; i++) {
			if (link->peers[i].is_connected &&
				adapter_is_usable(&central->adapters[i])) {
				peer_use(&link->peers[i]);
				link_event(link, LINK_EV_ORPHAN);
				break;
			}
		}
	}
}

static void snapshot_again(struct central *central, unsigned ms) {
	if (ms > 0) {
		loop_timer_arm(central->retry, ble_ms(central, ms));
		return;
	}
	central->is_snapshot_wanted = false;
	(void) central_call(central, &central->call_snapshot, "/", OBJECT_MANAGER_INTERFACE,
		"GetManagedObjects", CALL_OBJECTS_MS, on_snapshot, central, "");
}

static void read_snapshot(struct central *central, sd_bus_message *message) {
	static const struct objects_sink sink = { .wants = wants,
		.adapter = sink_adapter,
		.monitors = sink_monitors,
		.device = sink_device };
	struct radio_link *link, *following;

	list_for_each(link, &central->links, in_links) {
		for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
			link->peers[i].is_seen = false;
		}
	}
	/* What asks for another one meanwhile has it asked when all of this one is known. */
	central->is_reading = true;
	int r = objects_read_all(message, &sink, central);
	central->is_reading = false;
	if (r < 0) {
		log_blame(BLAME_BLUEZ, NULL, "its objects cannot be read");
		snapshot_again(central, SNAPSHOT_AGAIN_MS);
		return;
	}
	list_for_each_safe(link, following, &central->links, in_links) {
		for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
			if (!link->peers[i].is_seen) {
				peer_gone(&link->peers[i]);
			}
		}
	}
	if (central->is_snapshot_wanted) {
		snapshot_again(central, 0); /* now the rules of the new adapters are in place */
		return;
	}
	bool is_any_adapter = false;
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		is_any_adapter = is_any_adapter || central->adapters[i].is_present;
	}
	if (!is_any_adapter && central->phase == CENTRAL_READING &&
		++central->n_empty_snapshots < EMPTY_SNAPSHOTS_MAX) {
		snapshot_again(central, SNAPSHOT_AGAIN_MS); /* it has just been started */
		return;
	}
	if (central->phase == CENTRAL_READING) {
		central->phase = CENTRAL_SETTLED;
		central->is_settled = true;
		central_update_status(central);
		close_orphans(central);
		list_for_each_safe(link, following, &central->links, in_links) {
			if (link->state == LINK_QUEUED) {
				link_event(link, LINK_EV_APPEARED);
			}
		}
	}
	central_poke(central);
}

static int on_snapshot(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct central *central = user;

	(void) ret_error;
	ble_slot_drop(&central->call_snapshot);
	switch (central_answer(central, message, NULL, 0, NULL)) {
	case BLUEZ_ERROR_NONE:
		central->is_denied = false;
		read_snapshot(central, message);
		break;
	case BLUEZ_ERROR_DIED:
	case BLUEZ_ERROR_ABSENT:
		break; /* the name's owner changes */
	case BLUEZ_ERROR_DENIED:
		snapshot_again(central, DENIED_AGAIN_MS);
		break;
	default:
		snapshot_again(central, SNAPSHOT_AGAIN_MS);
		break;
	}
	return 0;
}

void central_refresh(struct central *central) {
	if (central->owner[0] == '\0') {
		return;
	}
	if (central->call_snapshot != NULL || central->is_reading) {
		central->is_snapshot_wanted = true;
		return;
	}
	snapshot_again(central, 0);
}

/* ------------------------------------------------------------------ is it alive? */

static int on_ping(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct central *central = user;

	(void) ret_error;
	ble_slot_drop(&central->call_ping);
	const sd_bus_error *error = sd_bus_message_get_error(message);
	bool is_silent = error != NULL && error->message != NULL &&
			 bluez_classify(error->name, error->message, NULL) == BLUEZ_ERROR_TIMED_OUT;
	struct radio_link *link, *following;
	if (!is_silent) {
		/* Any answer is a sign of life. */
		central->n_unanswered = 0;
		if (central->is_hung) {
			central->is_hung = false;
			recovery_bluez_answers(central);
			central_update_status(central);
			central_refresh(central);
			central_poke(central);
		}
		return 0;
	}
	central->n_unanswered++;
	if (central->n_unanswered < PINGS_UNTIL_HUNG) {
		central_suspect_hang(central);
		return 0;
	}
	central->is_hung = true;
	central_update_status(central);
	list_for_each_safe(link, following, &central->links, in_links) {
		if (link->state == LINK_QUEUED || link->state == LINK_FINDING) {
			link_event(link, LINK_EV_RADIO_DOWN);
		}
	}
	recovery_bluez_hangs(central);
	loop_timer_arm(central->retry, ble_ms(central, PING_HUNG_EVERY_MS));
	return 0;
}

void central_suspect_hang(struct central *central) {
	if (central->owner[0] == '\0' || central->call_ping != NULL) {
		return;
	}
	(void) central_call(central, &central->call_ping, "/", "org.freedesktop.DBus.Peer", "Ping",
		PING_MS, on_ping, central, "");
}

/* ------------------------------------------------------------------ BlueZ comes and goes */

static int ask_bus(struct central *central, sd_bus_slot **slot, const char *member,
	sd_bus_message_handler_t fn, const char *types, const char *name, uint32_t flags) {
	sd_bus *sd = bus_sd(central->bus);
	sd_bus_message *message = NULL;

	ble_slot_drop(slot);
	if (sd == NULL) {
		return -ENOTCONN;
	}
	int r = sd_bus_message_new_method_call(
		sd, &message, DBUS_NAME, DBUS_PATH, DBUS_NAME, member);
	if (r >= 0) {
		r = types[1] == '\0' ? sd_bus_message_append(message, types, name)
				     : sd_bus_message_append(message, types, name, flags);
	}
	if (r >= 0) {
		r = sd_bus_call_async(
			sd, slot, message, fn, central, UINT64_C(1000) * ble_ms(central, ASK_MS));
		bus_kick(central->bus);
	}
	sd_bus_message_unref(message);
	return r < 0 ? r : 0;
}

static void bluez_gone(struct central *central) {
	central->owner[0] = '\0';
	central->is_settled = false;
	central->is_hung = false;
	central->n_unanswered = 0;
	central->is_snapshot_wanted = false;
	central->bluez_minor = -1;
	ble_slot_drop(&central->call_snapshot);
	ble_slot_drop(&central->call_ping);
	central_update_status(central);
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		adapter_remove(&central->adapters[i]);
	}
	central_poke(central);
}

static void bluez_absent(struct central *central) {
	static const unsigned waits[] = { 5000, 10000, 20000, 40000, 60000 };
	unsigned step = central->n_activations;

	central->phase = CENTRAL_NO_BLUEZ;
	bluez_gone(central);
	if (step >= ARRAY_SIZE(waits)) {
		step = ARRAY_SIZE(waits) - 1;
	}
	loop_timer_arm(central->retry, ble_ms(central, waits[step]));
}

static void bluez_came(struct central *central, const char *owner) {
	(void) text_copy(central->owner, sizeof(central->owner), owner);
	central->phase = CENTRAL_READING;
	central->back_at = ble_now(central);
	central->n_empty_snapshots = 0;
	central->n_activations = 0;
	central->is_denied = false;
	recovery_bluez_answers(central);
	loop_timer_disarm(central->retry);
	central_update_status(central);
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		if (central->adapters[i].rule_object == NULL) {
			(void) adapter_watch(&central->adapters[i]);
		}
	}
	central_refresh(central);
}

static int on_owner_changed(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct central *central = user;
	const char *name, *old, *new;

	(void) ret_error;
	if (!text_equal(sd_bus_message_get_sender(message), DBUS_NAME) ||
		sd_bus_message_read(message, "sss", &name, &old, &new) < 0 ||
		!text_equal(name, "org.bluez")) {
		return 0;
	}
	if (central->owner[0] != '\0') {
		central->is_second_owner = true;
		bluez_absent(central);
	}
	if (new[0] != '\0') {
		bluez_came(central, new);
	}
	return 0;
}

static int on_owner(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct central *central = user;
	const char *owner;
	uint8_t att;

	(void) ret_error;
	ble_slot_drop(&central->call_owner);
	const sd_bus_error *error = sd_bus_message_get_error(message);
	if (error != NULL) {
		enum bluez_error class = bluez_classify(
			error->name, error->message != NULL ? error->message : "", &att);
		if (class != BLUEZ_ERROR_TIMED_OUT) {
			central->asked_bus_at = MONO_NEVER;
		}
		bluez_absent(central);
		return 0;
	}
	central->asked_bus_at = MONO_NEVER;
	if (central->owner[0] == '\0' && sd_bus_message_read(message, "s", &owner) > 0) {
		bluez_came(central, owner);
	}
	return 0;
}

static int on_start(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct central *central = user;

	(void) ret_error;
	ble_slot_drop(&central->call_start);
	if (sd_bus_message_get_error(message) != NULL && central->owner[0] == '\0') {
		bluez_absent(central);
	}
	return 0; /* else the name's owner changes */
}

static void ask_for_owner(struct central *central) {
	if (central->asked_bus_at.ms == INT64_MAX) {
		central->asked_bus_at = ble_now(central);
	}
	(void) ask_bus(
		central, &central->call_owner, "GetNameOwner", on_owner, "s", "org.bluez", 0);
}

static void on_retry(void *user) {
	struct central *central = user;

	(void) bus_drain(central->bus);
	if (loop_timer_is_armed(central->retry)) {
		return; /* what was read has led to another plan */
	}
	switch (central->phase) {
	case CENTRAL_NO_BUS:
		break;
	case CENTRAL_NO_BLUEZ:
		/* Its unit can be started by the bus; that may revive one that has crashed. */
		central->n_activations++;
		(void) ask_bus(central, &central->call_start, "StartServiceByName", on_start, "su",
			"org.bluez", 0);
		break;
	case CENTRAL_ASKING:
		ask_for_owner(central);
		break;
	case CENTRAL_READING:
	case CENTRAL_SETTLED:
		if (central->is_hung) {
			central_suspect_hang(central);
		} else if (central->call_snapshot == NULL) {
			snapshot_again(central, 0);
		}
		break;
	}
}

static void on_bus_up(void *user) {
	struct central *central = user;

	central->phase = CENTRAL_ASKING;
	central->asked_bus_at = MONO_NEVER;
	central_update_status(central);
	(void) central_match(central, &central->rule_owner, on_owner_changed, central,
		"type='signal',sender='" DBUS_NAME "',path='" DBUS_PATH "',interface='" DBUS_NAME
		"',member='NameOwnerChanged',arg0='org.bluez'");
	ask_for_owner(central);
}

static void drop_bus_slots(struct central *central) {
	ble_slot_drop(&central->rule_owner);
	ble_slot_drop(&central->call_owner);
	ble_slot_drop(&central->call_start);
	ble_slot_drop(&central->call_snapshot);
	ble_slot_drop(&central->call_ping);
	ble_slot_drop(&central->call_restart);
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		adapter_finish(&central->adapters[i]);
	}
}

static void on_bus_down(void *user, int error) {
	struct central *central = user;
	struct radio_link *link;

	(void) error;
	central->phase = CENTRAL_NO_BUS;
	central->asked_bus_at = MONO_NEVER;
	loop_timer_disarm(central->retry);
	bluez_gone(central);
	drop_bus_slots(central);
	/* At rest links may have calls too, whose answers nobody waits for. */
	list_for_each(link, &central->links, in_links) {
		ble_slot_drop(&link->call_remove);
	}
}

/* ------------------------------------------------------------------ the door */

struct central *central_new(
	struct loop *loop, const char *address, const struct central_config *config) {
	static const struct bus_user bus_user = { .up = on_bus_up, .down = on_bus_down };
	struct central *central = calloc(1, sizeof(*central));

	if (central == NULL) {
		return NULL;
	}
	central->radio.impl = &central_radio_impl;
	central->loop = loop;
	central->clock = loop_clock(loop);
	central->config = *config;
	central->config.adapter = NULL; /* borrowed for the call */
	if (config->adapter != NULL &&
		address_normalize(config->adapter, central->only_adapter) < 0) {
		/* An address that no adapter can have: better none than any. */
		(void) text_copy(
			central->only_adapter, sizeof(central->only_adapter), config->adapter);
	}
	central->config.linger_ms = config->linger_ms != 0 ? config->linger_ms : LINGER_MS;
	central->config.time_percent = config->time_percent != 0 ? config->time_percent : 100;
	list_init(&central->links);
	list_init(&central->dead);
	list_init(&central->events);
	central->phase = CENTRAL_NO_BUS;
	central->asked_bus_at = MONO_NEVER;
	central->bluez_minor = -1;
	central->jitter = (uint32_t) ble_now(central).ms | 1;
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		adapter_init(&central->adapters[i], central, i);
	}
	(void) fault_set(&central->fault, FAULT_BUS_LOST, "not connected yet");
	central->soon = loop_timer_new(loop, on_soon, central);
	central->again = loop_timer_new(loop, on_again, central);
	central->retry = loop_timer_new(loop, on_retry, central);
	int r = scan_init(central);
	central->bus = bus_new(loop, "lockhub-ble", address, &bus_user, central);
	if (r < 0 || central->soon == NULL || central->again == NULL || central->retry == NULL ||
		central->bus == NULL) {
		return central_free(central);
	}
	if (bus_open(central->bus) < 0) {
		central_update_status(central);
	}
	return central;
}

struct central *central_free(struct central *central) {
	if (central == NULL) {
		return NULL;
	}
	struct radio_link *link, *following;
	central->is_tearing_down = true;
	list_for_each_safe(link, following, &central->links, in_links) {
		struct ble_peer *peer = link->peer;
		if (peer != NULL && link_state_holds_slot(link->state)) {
			gatt_forget(link, true);
			central_tell(central, peer->path, DEVICE_INTERFACE, "Disconnect");
		}
		link_destroy(link);
	}
	free_dead(central);
	/* BlueZ would keep the links of a client that just goes. */
	if (central->bus != NULL && bus_sd(central->bus) != NULL) {
		(void) sd_bus_flush(bus_sd(central->bus));
	}
	events_finish(central);
	scan_finish(central);
	drop_bus_slots(central);
	bus_free(central->bus);
	loop_timer_free(central->soon);
	loop_timer_free(central->again);
	loop_timer_free(central->retry);
	free(central);
	return NULL;
}

struct radio *central_radio(struct central *central) {
	return &central->radio;
}

bool central_answered_lately(const struct central *central) {
	return central->asked_bus_at.ms == INT64_MAX ||
	       mono_since(central->asked_bus_at, ble_now(central)) <
		       (int64_t) ble_ms(central, BUS_SILENT_MS);
}

uint64_t central_messages(const struct central *central) {
	return bus_messages(central->bus);
}
