/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One device as one adapter sees it: the Device1 object. Its properties are the truth, replies are
 * hints. The rules name this object only, so foreign devices cost nothing, however many advertise.
 *
 * As long as there are rules for that: a bus gives a connection 512 of them, and what is refused is
 * a lock that is never served. So from RULES_PEERS objects on that are watched, appearing and going
 * is told by one rule for all of an adapter, and from twice as many on the changes are, too. Then
 * strangers wake us: each by two signals when BlueZ meets and forgets it, and with the second step
 * by each change of its RSSI while a discovery runs. A hundred locks on three adapters take the
 * first step: 300 rules, and some 80 for adapters and links in use. It is not taken back: that a
 * lock was removed is rare, and each change is a moment to be careful in.
 */
#include <string.h>

#include "ble.h"
#include "util/log.h"
#include "util/text.h"

#define REASON_SINCE_MINOR 83 /* Device1.Disconnected came with BlueZ 5.83 */
#define RULES_PEERS 150       /* times two: 300 of 512 */

void peer_init(struct ble_peer *peer, struct radio_link *link, unsigned index) {
	peer->link = link;
	peer->adapter = &link->central->adapters[index];
	path_of_device(index, link->target.address, peer->path);
}

bool link_has_object(const struct radio_link *link) {
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		if (link->peers[i].is_present && adapter_is_usable(link->peers[i].adapter)) {
			return true;
		}
	}
	return false;
}

/* Until the snapshot has been read, signals tell nothing that it will not tell as well. */
static bool is_news(const struct central *central, sd_bus_message *message) {
	return central->is_settled && central_is_from_bluez(central, message);
}

/* Of ours; NULL: a stranger's, or not a device's path. */
static struct ble_peer *peer_at(struct ble_adapter *adapter, const char *path) {
	char address[RADIO_ADDRESS_MAX];
	unsigned index;

	if (path == NULL || path_to_device(path, &index, address) < 0 || index != adapter->index) {
		return NULL;
	}
	struct radio_link *link = link_find(adapter->central, address);
	return link != NULL ? &link->peers[index] : NULL;
}

static void take_changes(struct ble_peer *peer, sd_bus_message *message) {
	struct device_props props;

	if (objects_read_device_changes(message, &props) >= 0) {
		peer_apply(peer, &props, false);
	}
}

static int on_changes(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_peer *peer = user;

	(void) ret_error;
	if (is_news(peer->link->central, message)) {
		take_changes(peer, message);
	}
	return 0;
}

static int on_any_changes(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;
	struct ble_peer *peer = peer_at(adapter, sd_bus_message_get_path(message));

	(void) ret_error;
	if (peer != NULL && is_news(adapter->central, message)) {
		take_changes(peer, message);
	}
	return 0;
}

static void sink_device(void *user, const char *path, const struct device_props *props) {
	(void) path;
	peer_apply(user, props, true);
}

static void take_object(struct ble_peer *peer, sd_bus_message *message) {
	static const struct objects_sink sink = { .device = sink_device };
	const char *path;
	bool has_interface;

	if (text_equal(sd_bus_message_get_member(message), "InterfacesAdded")) {
		(void) objects_read_added(message, &sink, peer);
	} else if (objects_read_removed(message, DEVICE_INTERFACE, &path, &has_interface) >= 0 &&
		   has_interface) {
		/* May come without Connected=false before it. */
		peer_gone(peer);
	}
}

static int on_objects(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_peer *peer = user;

	(void) ret_error;
	if (is_news(peer->link->central, message)) {
		take_object(peer, message);
	}
	return 0;
}

static int on_any_objects(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_adapter *adapter = user;
	const char *path;

	(void) ret_error;
	if (!is_news(adapter->central, message) ||
		sd_bus_message_read_basic(message, 'o', &path) <= 0) {
		return 0;
	}
	struct ble_peer *peer = peer_at(adapter, path);
	if (peer != NULL && sd_bus_message_rewind(message, true) >= 0) {
		take_object(peer, message);
	}
	return 0;
}

/* Disconnected(reason, message): the only word on why, and only from new BlueZ. */
static int on_reason(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_peer *peer = user;
	const char *reason;

	(void) ret_error;
	if (peer->link->peer == peer && central_is_from_bluez(peer->link->central, message) &&
		sd_bus_message_read_basic(message, 's', &reason) > 0) {
		const char *dot = strrchr(reason, '.');
		(void) text_copy(peer->link->reason, sizeof(peer->link->reason),
			dot != NULL ? dot + 1 : reason);
		text_sanitize(peer->link->reason);
	}
	return 0;
}

void peer_watch(struct ble_peer *peer) {
	struct central *central = peer->link->central;

	if (central->width < WIDTH_CHANGES) {
		(void) central_match(central, &peer->rule_changes, on_changes, peer,
			"type='signal',sender='org.bluez',interface='" PROPERTIES_INTERFACE
			"',member='PropertiesChanged',path='%s',arg0='" DEVICE_INTERFACE "'",
			peer->path);
	}
	if (central->width < WIDTH_OBJECTS) {
		(void) central_match(central, &peer->rule_objects, on_objects, peer,
			"type='signal',sender='org.bluez',interface='" OBJECT_MANAGER_INTERFACE
			"',path='/',arg0path='%s'",
			peer->path);
	}
}

void peer_use(struct ble_peer *peer) {
	struct central *central = peer->link->central;

	peer->link->peer = peer;
	if (central->bluez_minor >= REASON_SINCE_MINOR) {
		(void) central_match(central, &peer->rule_reason, on_reason, peer,
			"type='signal',sender='org.bluez',interface='" DEVICE_INTERFACE
			"',member='Disconnected',path='%s'",
			peer->path);
	}
}

void peer_unuse(struct ble_peer *peer) {
	peer->link->peer = NULL;
	ble_slot_drop(&peer->rule_reason);
}

void peer_unwatch(struct ble_peer *peer) {
	ble_slot_drop(&peer->rule_changes);
	ble_slot_drop(&peer->rule_objects);
	ble_slot_drop(&peer->rule_reason);
}

/* The rules for all come first: the bus takes them in order, so nothing falls between. */
static void watch_any(struct ble_adapter *adapter) {
	struct central *central = adapter->central;

	if (central->width >= WIDTH_OBJECTS && adapter->rule_any_objects == NULL) {
		(void) central_match(central, &adapter->rule_any_objects, on_any_objects, adapter,
			"type='signal',sender='org.bluez',interface='" OBJECT_MANAGER_INTERFACE
			"',path='/',arg0path='%s/'",
			adapter->path);
	}
	if (central->width >= WIDTH_CHANGES && adapter->rule_any_changes == NULL) {
		(void) central_match(central, &adapter->rule_any_changes, on_any_changes, adapter,
			"type='signal',sender='org.bluez',interface='" PROPERTIES_INTERFACE
			"',member='PropertiesChanged',path_namespace='%s',arg0='" DEVICE_INTERFACE
			"'",
			adapter->path);
	}
}

void peers_widen(struct central *central) {
	struct radio_link *link;
	size_t n_links = 0, n_adapters = 0;

	list_for_each(link, &central->links, in_links) {
		n_links++;
	}
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		n_adapters += central->adapters[i].is_present;
	}
	size_t n = n_links * n_adapters;
	enum rule_width width = n > (size_t) 2 * RULES_PEERS ? WIDTH_CHANGES
				: n > RULES_PEERS            ? WIDTH_OBJECTS
							     : WIDTH_NARROW;
	bool is_wider = width > central->width;
	if (is_wider) {
		central->width = width;
		log_info("%zu devices on %zu adapters: %s of all devices around are told by the "
			 "bus, as it has no rules for each",
			n_links, n_adapters,
			width == WIDTH_CHANGES ? "changes" : "coming and going");
	}
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		if (central->adapters[i].is_present) {
			watch_any(&central->adapters[i]);
		}
	}
	list_for_each(link, &central->links, in_links) {
		for (unsigned i = 0; i < ADAPTERS_MAX && is_wider; i++) {
			ble_slot_drop(&link->peers[i].rule_objects);
			if (width == WIDTH_CHANGES) {
				ble_slot_drop(&link->peers[i].rule_changes);
			}
		}
	}
}

/* A kind of records is always sent as a whole, so it replaces what was known of that kind. */
static void merge_parts(struct advert *advert, const struct advert *from, bool is_service) {
	advert_clear(advert, is_service);
	for (size_t i = 0; i < from->n_parts; i++) {
		if (from->parts[i].is_service == is_service && advert->n_parts < ADVERT_PARTS_MAX) {
			advert->parts[advert->n_parts++] = from->parts[i];
		}
	}
}

void advert_merge(struct advert *advert, const struct device_props *props) {
	if (props->has_manufacturer) {
		merge_parts(advert, &props->advert, false);
	}
	if (props->has_service) {
		merge_parts(advert, &props->advert, true);
	}
	if (props->has_name) {
		(void) text_copy(advert->name, sizeof(advert->name), props->advert.name);
	}
	if (props->has_address) {
		(void) text_copy(advert->address, sizeof(advert->address), props->advert.address);
	}
	if (props->has_address_type) {
		advert->is_random = props->advert.is_random;
	}
	if (props->has_rssi) {
		advert->rssi = props->advert.rssi;
	}
}

/*
 * Whether these properties mean that the device was heard just now. A whole object may be
 * remembered from long ago; its RSSI is there only while a discovery hears it.
 */
static bool is_heard(const struct device_props *props, bool is_whole) {
	return props->has_rssi || (!is_whole && (props->has_manufacturer || props->has_service));
}

static void note_heard(struct ble_peer *peer) {
	struct radio_link *link = peer->link;
	struct central *central = link->central;

	(void) text_copy(
		link->advert.adapter, sizeof(link->advert.adapter), peer->adapter->address);
	link->advert.rssi = peer->rssi; /* a monitor tells none */
	link->was_heard = true;
	stats_heard(peer);
	recovery_heard(peer);
	if (!link->is_freed && link->user_impl->heard != NULL) {
		event_post_heard(central, link, &link->advert);
	}
}

void peer_apply(struct ble_peer *peer, const struct device_props *props, bool is_whole) {
	struct radio_link *link = peer->link;
	bool was_connected = peer->is_connected;
	bool was_resolved = peer->is_resolved;
	bool has_appeared = is_whole && !peer->is_present;

	if (!is_whole && !peer->is_present) {
		/* A change of an object that we have not seen appear: something was missed. */
		central_refresh(link->central);
		return;
	}
	peer->is_present = true;
	if (props->has_connected || is_whole) {
		peer->is_connected = props->is_connected;
	}
	if (props->has_resolved || is_whole) {
		peer->is_resolved = props->is_resolved;
	}
	if (props->has_bonded || is_whole) {
		peer->is_bonded = props->is_bonded;
	}
	if (props->has_rssi) {
		peer->rssi = props->advert.rssi;
	} else if (props->is_rssi_gone || is_whole) {
		peer->rssi = 0; /* absent, which is not the same as weak */
	}
	advert_merge(&link->advert, props);
	/* The address is what we were given: with a random one BlueZ may show the identity. */
	(void) text_copy(link->advert.address, sizeof(link->advert.address), link->target.address);
	link->advert.is_random = link->target.is_random;
	if (is_heard(props, is_whole)) {
		note_heard(peer);
	}
	if (has_appeared && adapter_is_usable(peer->adapter) &&
		!link_state_holds_slot(link->state)) {
		link_event(link, LINK_EV_APPEARED);
	}
	link_props_changed(link, peer, was_connected, was_resolved);
}

void peer_found(struct ble_peer *peer) {
	if (peer->is_present) {
		note_heard(peer);
	}
}

void peer_lost(struct ble_peer *peer) {
	log_debug("%s is not heard any more by adapter %s", peer->link->target.address,
		peer->adapter->address);
	peer->rssi = 0;
}

void peer_gone(struct ble_peer *peer) {
	struct radio_link *link = peer->link;

	if (!peer->is_present) {
		return;
	}
	peer->is_present = false;
	peer->is_connected = false;
	peer->is_resolved = false;
	peer->was_resolved = false;
	peer->rssi = 0;
	if (link->peer == peer) {
		link_event(link, LINK_EV_VANISHED);
	} else if (link->state == LINK_QUEUED || !link_has_object(link)) {
		if (!link_state_holds_slot(link->state)) {
			link_event(link, LINK_EV_VANISHED);
		}
	}
	central_poke(link->central);
}
