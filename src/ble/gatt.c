/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes of one link. Object paths hold attribute handles, which change with a device's
 * firmware, so nothing is kept beyond the link: after each ServicesResolved all objects are asked
 * for once. The answer comes behind the InterfacesAdded signals of a first link, and holds what
 * came from BlueZ's cache without any signal; no rule for a subtree is needed.
 *
 * Values come by StartNotify: AcquireNotify is refused for characteristics that only indicate
 * (before BlueZ 5.80), which is what locks use. BlueZ remembers such a subscription over links and
 * arms it again by itself, after which StartNotify is a no-op that proves nothing; so StopNotify is
 * sent whenever a link ends. The bus shows these values to every local user: they are secret only
 * as far as the device's own protocol makes them so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ble.h"
#include "util/log.h"
#include "util/text.h"

#define MTU_DEFAULT 23
#define MTU_HEADER 3 /* what an ATT write takes of the MTU */
#define NEXT_TRY_MS 200
#define TRIES_MAX 10

/* ------------------------------------------------------------------ looking */

static bool wants(void *user, const char *path) {
	const struct radio_link *link = user;

	return path_is_below(path, link->peer->path);
}

static void sink_service(void *user, const char *path, const char *uuid) {
	struct radio_link *link = user;

	if (link->n_services >= LINK_CHARACTERISTICS_MAX || strlen(path) >= GATT_PATH_MAX) {
		return;
	}
	struct ble_service *grown =
		realloc(link->services, (link->n_services + 1) * sizeof(*link->services));
	if (grown == NULL) {
		return; /* it will be found missing */
	}
	link->services = grown;
	struct ble_service *service = &grown[link->n_services++];
	(void) text_copy(service->path, sizeof(service->path), path);
	(void) text_copy(service->uuid, sizeof(service->uuid), uuid);
}

static void sink_characteristic(
	void *user, const char *path, const struct characteristic_props *props) {
	struct radio_link *link = user;

	if (link->n_characteristics >= LINK_CHARACTERISTICS_MAX || props->uuid[0] == '\0' ||
		strlen(path) >= GATT_PATH_MAX) {
		return;
	}
	struct ble_characteristic *grown = realloc(link->characteristics,
		(link->n_characteristics + 1) * sizeof(*link->characteristics));
	if (grown == NULL) {
		return;
	}
	link->characteristics = grown;
	struct ble_characteristic *characteristic = &grown[link->n_characteristics++];
	memset(characteristic, 0, sizeof(*characteristic));
	(void) text_copy(characteristic->path, sizeof(characteristic->path), path);
	(void) text_copy(characteristic->uuid, sizeof(characteristic->uuid), props->uuid);
	(void) text_copy(
		characteristic->service_path, sizeof(characteristic->service_path), props->service);
	characteristic->mtu = props->mtu;
	characteristic->is_command_only = props->is_command_only;
}

/* Objects come in any order, so services are put in afterwards. */
static void name_services(struct radio_link *link) {
	for (size_t i = 0; i < link->n_characteristics; i++) {
		struct ble_characteristic *characteristic = &link->characteristics[i];
		for (size_t k = 0; k < link->n_services; k++) {
			if (strcmp(characteristic->service_path, link->services[k].path) == 0) {
				(void) text_copy(characteristic->service,
					sizeof(characteristic->service), link->services[k].uuid);
			}
		}
	}
}

/* @service NULL: any; those of the subscribed services go first. */
static const struct ble_characteristic *find(
	const struct radio_link *link, const char *service, const char *uuid) {
	for (size_t i = 0; i < link->n_characteristics; i++) {
		const struct ble_characteristic *characteristic = &link->characteristics[i];
		if (strcmp(characteristic->uuid, uuid) == 0 &&
			(service == NULL || strcmp(characteristic->service, service) == 0)) {
			return characteristic;
		}
	}
	return NULL;
}

static void drop_attributes(struct radio_link *link) {
	free(link->characteristics);
	link->characteristics = NULL;
	link->n_characteristics = 0;
	free(link->services);
	link->services = NULL;
	link->n_services = 0;
}

/* Fills link->subscriptions. @return the first characteristic that is missing, or NULL. */
static const char *plan_subscriptions(struct radio_link *link) {
	const struct radio_subscription *wanted = link->target.subscriptions;

	link->n_subscriptions = 0;
	for (; wanted != NULL && wanted->characteristic != NULL; wanted++) {
		const struct ble_characteristic *characteristic =
			find(link, wanted->service, wanted->characteristic);
		if (characteristic == NULL) {
			if (!wanted->is_optional) {
				return wanted->characteristic;
			}
			continue;
		}
		if (link->n_subscriptions < LINK_SUBSCRIPTIONS_MAX) {
			struct ble_subscription *subscription =
				&link->subscriptions[link->n_subscriptions++];
			memset(subscription, 0, sizeof(*subscription));
			subscription->link = link;
			subscription->characteristic = characteristic;
			subscription->is_optional = wanted->is_optional;
			subscription->is_read = wanted->is_read;
		}
	}
	return NULL;
}

static int on_objects(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct objects_sink sink = {
		.wants = wants,
		.service = sink_service,
		.characteristic = sink_characteristic,
	};
	struct radio_link *link = user;
	char text[sizeof(link->error_text)];

	(void) ret_error;
	ble_slot_drop(&link->call_objects);
	enum bluez_error error = central_answer(link->central, message, text, sizeof(text), NULL);
	if (error == BLUEZ_ERROR_NONE) {
		drop_attributes(link);
		if (objects_read_all(message, &sink, link) < 0) {
			error = BLUEZ_ERROR_OTHER;
			(void) text_copy(text, sizeof(text), "BlueZ's objects cannot be read");
		}
	}
	if (error != BLUEZ_ERROR_NONE) {
		link_note_error(link, error, text);
		link_event(link, LINK_EV_FAILED);
		return 0;
	}
	name_services(link);
	const char *missing = plan_subscriptions(link);
	if (missing == NULL) {
		link_event(link, LINK_EV_RESOLVED);
	} else if (!link->is_looked_again) {
		/* ServicesResolved may come before the services do (BlueZ issue 1489). */
		link->is_grace = true;
		link_arm(link, RESOLVE_GRACE_MS);
	} else {
		char reason[sizeof(link->error_text)];
		snprintf(reason, sizeof(reason), "no characteristic %.36s", missing);
		link_note_error(link, BLUEZ_ERROR_OTHER, reason);
		link_event(link, LINK_EV_MISMATCH);
	}
	return 0;
}

void gatt_look(struct radio_link *link) {
	int r = central_call(link->central, &link->call_objects, "/", OBJECT_MANAGER_INTERFACE,
		"GetManagedObjects", CALL_OBJECTS_MS, on_objects, link, "");

	if (r < 0) {
		link_note_error(link, BLUEZ_ERROR_DIED, strerror(-r));
		link_raise(link, LINK_EV_FAILED);
	}
}

/* ------------------------------------------------------------------ subscribing */

static int on_value(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_subscription *subscription = user;
	struct radio_link *link = subscription->link;
	const uint8_t *value;
	size_t n;

	(void) ret_error;
	/* Before up() it can only be an answer to a question of a former link. */
	if ((link->state != LINK_READY && link->state != LINK_LINGER) || !link->owes_down ||
		!central_is_from_bluez(link->central, message)) {
		return 0;
	}
	if (objects_read_value(message, &value, &n) > 0 && n <= WRITE_MAX) {
		event_post_bytes(link, subscription->characteristic->uuid, value, n);
	}
	return 0;
}

static void subscribed_one(struct radio_link *link) {
	for (size_t i = 0; i < link->n_subscriptions; i++) {
		if (!link->subscriptions[i].is_started) {
			return;
		}
	}
	link_raise(link, LINK_EV_SUBSCRIBED);
}

static void keep_value(struct ble_subscription *subscription, sd_bus_message *message) {
	const void *value;
	size_t n;

	if (sd_bus_message_read_array(message, 'y', &value, &n) < 0 || n > WRITE_MAX) {
		return;
	}
	subscription->value = malloc(n + 1); /* n may be 0 */
	if (subscription->value != NULL) {
		memcpy(subscription->value, value, n);
		subscription->n_value = n;
	}
}

static void drop_value(struct ble_subscription *subscription) {
	free(subscription->value);
	subscription->value = NULL;
	subscription->n_value = 0;
}

void gatt_tell_read(struct radio_link *link) {
	for (size_t i = 0; i < link->n_subscriptions; i++) {
		struct ble_subscription *subscription = &link->subscriptions[i];
		if (subscription->value != NULL) {
			event_post_bytes(link, subscription->characteristic->uuid,
				subscription->value, subscription->n_value);
			drop_value(subscription);
		}
	}
}

static int on_started(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ble_subscription *subscription = user;
	struct radio_link *link = subscription->link;
	char text[sizeof(link->error_text)];
	uint8_t att;

	(void) ret_error;
	ble_slot_drop(&subscription->call_start);
	enum bluez_error error = central_answer(link->central, message, text, sizeof(text), &att);
	if (error == BLUEZ_ERROR_NONE) {
		subscription->is_started = true;
		if (subscription->is_read) {
			keep_value(subscription, message);
		}
		subscribed_one(link);
		return 0;
	}
	if (error == BLUEZ_ERROR_BUSY && subscription->n_tries < TRIES_MAX) {
		/* BlueZ is arming it by itself; it does not tell when it is done. */
		link->is_next_try = true;
		link_arm(link, NEXT_TRY_MS);
		return 0;
	}
	if (subscription->is_optional && error != BLUEZ_ERROR_NOT_CONNECTED &&
		error != BLUEZ_ERROR_ATT_LOST) {
		log_blame(BLAME_FIRMWARE, NULL, "%s: cannot %s %s: %s", link->target.address,
			subscription->is_read ? "read" : "subscribe to",
			subscription->characteristic->uuid, text);
		subscription->is_started = true;
		subscribed_one(link);
		return 0;
	}
	link_note_error(link, error, text);
	bool is_stale = error == BLUEZ_ERROR_VANISHED || error == BLUEZ_ERROR_NOT_SUPPORTED ||
			(error == BLUEZ_ERROR_ATT && att_is_stale_handle(att));
	link_event(link, is_stale ? LINK_EV_MISMATCH : LINK_EV_FAILED);
	return 0;
}

static int start_one(struct radio_link *link, struct ble_subscription *subscription) {
	const char *path = subscription->characteristic->path;
	int r = 0;

	subscription->n_tries++;
	if (subscription->is_read) {
		return central_call(link->central, &subscription->call_start, path,
			CHARACTERISTIC_INTERFACE, "ReadValue",
			subscription->is_optional ? READ_MS : CALL_ATT_MS, on_started, subscription,
			"a{sv}", 0);
	}
	if (subscription->rule_values == NULL) {
		/* The bus handles it before the call behind it. */
		r = central_match(link->central, &subscription->rule_values, on_value, subscription,
			"type='signal',sender='org.bluez',interface='" PROPERTIES_INTERFACE
			"',member='PropertiesChanged',path='%s',"
			"arg0='" CHARACTERISTIC_INTERFACE "'",
			path);
	}
	if (r < 0) {
		return r;
	}
	return central_call(link->central, &subscription->call_start, path,
		CHARACTERISTIC_INTERFACE, "StartNotify", CALL_ATT_MS, on_started, subscription, "");
}

void gatt_subscribe(struct radio_link *link) {

	link_arm(link, SUBSCRIBE_MS);
	for (size_t i = 0; i < link->n_subscriptions; i++) {
		struct ble_subscription *subscription = &link->subscriptions[i];
		if (subscription->is_started || subscription->call_start != NULL) {
			continue;
		}
		int r = start_one(link, subscription);
		if (r < 0) {
			link_note_error(link, BLUEZ_ERROR_DIED, strerror(-r));
			link_raise(link, LINK_EV_FAILED);
			return;
		}
	}
	subscribed_one(link);
}

void gatt_forget(struct radio_link *link, bool is_telling) {
	for (size_t i = 0; i < link->n_subscriptions; i++) {
		struct ble_subscription *subscription = &link->subscriptions[i];
		drop_value(subscription);
		if (is_telling && !subscription->is_read &&
			(subscription->is_started || subscription->call_start != NULL)) {
			central_tell(link->central, subscription->characteristic->path,
				CHARACTERISTIC_INTERFACE, "StopNotify");
		}
		ble_slot_drop(&subscription->rule_values);
		ble_slot_drop(&subscription->call_start);
	}
	link->n_subscriptions = 0;
	drop_attributes(link);
}

unsigned gatt_mtu(const struct radio_link *link) {
	unsigned mtu = 0;

	for (size_t i = 0; i < link->n_subscriptions; i++) {
		unsigned its = link->subscriptions[i].characteristic->mtu;
		mtu = its > mtu ? its : mtu;
	}
	for (size_t i = 0; i < link->n_characteristics && mtu == 0; i++) {
		mtu = link->characteristics[i].mtu;
	}
	return mtu >= MTU_DEFAULT ? mtu : MTU_DEFAULT;
}

/* ------------------------------------------------------------------ writing */

static int on_write_reply(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct radio_link *link = user;
	char text[sizeof(link->error_text)];
	uint8_t att;

	(void) ret_error;
	enum bluez_error error = central_answer(link->central, message, text, sizeof(text), &att);
	if (link->state == LINK_READY) {
		link_disarm(link); /* the write's deadline; in LINGER it is linger's */
	}
	if (error == BLUEZ_ERROR_NONE) {
		link->is_any_write_done = true;
		link_end_write(link, 0, RADIO_MAYBE_SENT);
		return 0;
	}
	/* With a stale handle the device refused it: it was for another attribute. */
	bool is_stale =
		error == BLUEZ_ERROR_VANISHED ||
		(error == BLUEZ_ERROR_ATT && att_is_stale_handle(att) && !link->is_any_write_done);
	link_note_error(link, error, text);
	if (is_stale) {
		link_end_write(link, -ENOENT, RADIO_NOT_SENT);
		link->n_mismatches++;
		(void) fault_set(&link->fault, FAULT_GATT_MISMATCH, "%s", text);
		link_event(link, LINK_EV_MISMATCH);
		return 0;
	}
	link_end_write(link, bluez_error_errno(error), bluez_error_sent(error));
	/*
	 * These say that there is no link any more, whether Connected says so or not: after a
	 * phantom connect (BlueZ issue 947) it never does.
	 */
	if (error == BLUEZ_ERROR_ATT_LOST || error == BLUEZ_ERROR_NOT_CONNECTED ||
		error == BLUEZ_ERROR_TIMED_OUT) {
		(void) fault_set(&link->fault, FAULT_LINK_LOST, "in a write: %s", text);
		link_event(link, LINK_EV_FAILED);
	}
	return 0;
}

static int send_write(struct radio_link *link, const struct ble_characteristic *characteristic,
	const uint8_t *buf, size_t n) {
	struct central *central = link->central;
	sd_bus *sd = bus_sd(central->bus);
	sd_bus_message *message = NULL;

	if (sd == NULL) {
		return -ENOTCONN;
	}
	int r = sd_bus_message_new_method_call(sd, &message, "org.bluez", characteristic->path,
		CHARACTERISTIC_INTERFACE, "WriteValue");
	if (r >= 0) {
		r = sd_bus_message_set_auto_start(message, false);
	}
	if (r >= 0) {
		r = sd_bus_message_append_array(message, 'y', buf, n);
	}
	if (r >= 0) {
		/* Never left to BlueZ: some devices offer both kinds. */
		r = sd_bus_message_append(message, "a{sv}", 1, "type", "s",
			characteristic->is_command_only ? "command" : "request");
	}
	if (r >= 0) {
		r = sd_bus_call_async(sd, &link->call_write, message, on_write_reply, link,
			UINT64_C(1000) * ble_ms(central, CALL_ATT_MS));
		bus_kick(central->bus);
	}
	sd_bus_message_unref(message);
	return r < 0 ? r : 0;
}

int gatt_write(struct radio_link *link, const char *characteristic, const uint8_t *buf, size_t n) {
	const struct ble_characteristic *found = NULL;

	if (n > WRITE_MAX) {
		return -EMSGSIZE;
	}
	if (link->state != LINK_READY) {
		return -ENOTCONN;
	}
	if (link->is_write_pending || event_is_posted(&link->event_written)) {
		return -EBUSY;
	}
	for (size_t i = 0; i < link->n_subscriptions && found == NULL; i++) {
		found = find(link, link->subscriptions[i].characteristic->service, characteristic);
	}
	if (found == NULL) {
		found = find(link, NULL, characteristic);
	}
	if (found == NULL) {
		return -ENOENT;
	}
	if (n + MTU_HEADER > gatt_mtu(link)) {
		log_debug("%s: %zu octets go out as a long write, the MTU is %u",
			link->target.address, n, gatt_mtu(link));
	}
	int r = send_write(link, found, buf, n);
	if (r < 0) {
		return r;
	}
	link->is_write_pending = true;
	stats_written(link);
	link->fault.code = FAULT_NONE;
	link_arm(link, WRITE_MS);
	return 0;
}
