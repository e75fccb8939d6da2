/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "peripheral.h"

/* Bluetoothd's coming and going: looks whether it has what is needed, and registers there. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bus.h"
#include "util/log.h"
#include "util/text.h"

#define ADAPTER_INTERFACE "org.bluez.Adapter1"
#define GATT_INTERFACE "org.bluez.GattManager1"
#define ADVERT_INTERFACE "org.bluez.LEAdvertisingManager1"
#define RETRY_MS 1000

void peripheral_complain(struct peripheral *peripheral, const char *format, ...) {
	char text[sizeof(peripheral->complaint)];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!text_equal(text, peripheral->complaint)) {
		text_copy(peripheral->complaint, sizeof(peripheral->complaint), text);
		log_error("%s: %s; waiting", peripheral->options.adapter, text);
	}
	loop_timer_arm(peripheral->retry, RETRY_MS);
}

void peripheral_settled(struct peripheral *peripheral) {
	if (peripheral->application != STEP_OFFERED || peripheral->advertising != STEP_OFFERED) {
		return;
	}
	if (!peripheral->is_told || peripheral->complaint[0] != '\0') {
		log_info("%s: %s is on the air", peripheral->options.adapter,
			peripheral->station->lock->name);
	}
	peripheral->complaint[0] = '\0';
	if (!peripheral->is_told) {
		peripheral->is_told = true;
		peripheral->ready(peripheral->user);
	}
}

/* ---- registering ---- */

static int on_application(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral *peripheral = user;
	const sd_bus_error *failure = sd_bus_message_get_error(m);
	peripheral->application_call = sd_bus_slot_unref(peripheral->application_call);
	if (failure != NULL && !text_equal(failure->name, "org.bluez.Error.AlreadyExists")) {
		peripheral->application = STEP_OUT;
		peripheral_complain(peripheral, "bluetoothd does not take its services: %s",
			failure->message == NULL ? failure->name : failure->message);
		return 0;
	}
	peripheral->application = STEP_OFFERED;
	peripheral_settled(peripheral);
	advert_settle(peripheral);
	return 0;
}

static void offer(struct peripheral *peripheral) {
	if (peripheral->application == STEP_OFFERED) {
		advert_settle(peripheral);
		return;
	}
	int r = sd_bus_call_method_async(bus_sd(peripheral->bus), &peripheral->application_call,
		"org.bluez", peripheral->adapter, GATT_INTERFACE, "RegisterApplication",
		on_application, peripheral, "oa{sv}", PERIPHERAL_GATT_PATH, 0);
	if (r < 0) {
		peripheral_complain(peripheral, "cannot ask bluetoothd: %s", strerror(-r));
		return;
	}
	peripheral->application = STEP_ASKED;
}

/* ---- what bluetoothd has ---- */

struct found {
	bool is_there, is_powered, has_gatt, has_advert;
};

struct flag {
	const char *name;
	int value;
};

static int read_if_it(sd_bus_message *m, const char *key, void *user) {
	struct flag *flag = user;

	return text_equal(key, flag->name) ? sd_bus_message_read(m, "v", "b", &flag->value)
					   : sd_bus_message_skip(m, "v");
}

/* @return 1 true, 0 false, -ENOENT: @name is not among these properties. */
static int read_flag(sd_bus_message *m, const char *name) {
	struct flag flag = { name, -ENOENT };
	const int r = bus_each_property(m, read_if_it, &flag);

	return r < 0 ? r : flag.value;
}

static int read_interfaces(sd_bus_message *m, struct found *found) {
	const char *name = NULL;
	int r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
		r = sd_bus_message_read(m, "s", &name);
		if (r >= 0 && text_equal(name, ADAPTER_INTERFACE)) {
			found->is_there = true;
			found->is_powered = read_flag(m, "Powered") == 1;
		} else if (r >= 0) {
			found->has_gatt = found->has_gatt || text_equal(name, GATT_INTERFACE);
			found->has_advert = found->has_advert || text_equal(name, ADVERT_INTERFACE);
			r = sd_bus_message_skip(m, "a{sv}");
		}
		r = r < 0 ? r : sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_objects(sd_bus_message *m, const char *adapter, struct found *found) {
	const char *path = NULL;
	int r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
		r = sd_bus_message_read(m, "o", &path);
		if (r >= 0 && text_equal(path, adapter)) {
			r = read_interfaces(m, found);
		} else if (r >= 0) {
			r = sd_bus_message_skip(m, "a{sa{sv}}");
		}
		r = r < 0 ? r : sd_bus_message_exit_container(m);
	}
	return r;
}

static int on_looked(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral *peripheral = user;
	struct found found = { .is_there = false };
	peripheral->look_call = sd_bus_slot_unref(peripheral->look_call);
	if (sd_bus_message_is_method_error(m, NULL)) {
		peripheral_complain(peripheral, "no bluetoothd on this bus");
	} else if (read_objects(m, peripheral->adapter, &found) < 0) {
		peripheral_complain(peripheral, "bluetoothd's objects cannot be read");
	} else if (!found.is_there) {
		peripheral_complain(
			peripheral, "bluetoothd has no such adapter (bluetoothctl list)");
	} else if (!found.is_powered) {
		peripheral_complain(
			peripheral, "the adapter is switched off (bluetoothctl power on)");
	} else if (!found.has_gatt || !found.has_advert) {
		peripheral_complain(peripheral, "the adapter cannot be a peripheral: no %s",
			found.has_gatt ? ADVERT_INTERFACE : GATT_INTERFACE);
	} else if (peripheral->application != STEP_ASKED) {
		offer(peripheral);
	}
	return 0;
}

/* Looks before it asks: bluetoothd's own errors would not say what is missing. */
static void settle(struct peripheral *peripheral) {
	sd_bus *sd = bus_sd(peripheral->bus);
	if (sd == NULL || peripheral->look_call != NULL) {
		return;
	}
	int r = sd_bus_call_method_async(sd, &peripheral->look_call, "org.bluez", "/",
		"org.freedesktop.DBus.ObjectManager", "GetManagedObjects", on_looked, peripheral,
		"");
	if (r < 0) {
		peripheral_complain(peripheral, "cannot ask bluetoothd: %s", strerror(-r));
	}
	bus_kick(peripheral->bus);
}

static void on_retry(void *user) {
	settle(user);
}

static void on_patience(void *user) {
	gatt_tree_pump(user);
}

/* ---- what it tells ---- */

/* It, or the adapter, has gone with all that was registered there. */
static void forget(struct peripheral *peripheral) {
	peripheral->application_call = sd_bus_slot_unref(peripheral->application_call);
	peripheral->advert_call = sd_bus_slot_unref(peripheral->advert_call);
	peripheral->look_call = sd_bus_slot_unref(peripheral->look_call);
	peripheral->application = STEP_OUT;
	peripheral->advertising = STEP_OUT;
	gatt_tree_link_lost(peripheral, NULL);
	gatt_tree_forget_values(peripheral);
	for (size_t i = 0; i < peripheral->n_chars; i++) {
		peripheral->chars[i].is_notifying = false;
	}
}

static int on_owner(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral *peripheral = user;
	const char *name = NULL, *before = NULL, *after = NULL;
	int r = sd_bus_message_read(m, "sss", &name, &before, &after);
	if (r < 0) {
		return r;
	}
	forget(peripheral);
	if (after[0] == '\0') {
		peripheral_complain(peripheral, "bluetoothd has gone");
	} else {
		settle(peripheral);
	}
	return 0;
}

static int on_added(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral *peripheral = user;
	const char *path = NULL;
	int r = sd_bus_message_read(m, "o", &path);
	if (r >= 0 && text_equal(path, peripheral->adapter) &&
		peripheral->application == STEP_OUT) {
		/* Its interfaces come in several signals. */
		loop_timer_arm(peripheral->retry, RETRY_MS / 10);
	}
	return r < 0 ? r : 0;
}

static int on_removed(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral *peripheral = user;
	const char *path = NULL;
	int r = sd_bus_message_read(m, "o", &path);
	if (r < 0) {
		return r;
	}
	if (text_equal(path, peripheral->adapter)) {
		forget(peripheral);
		peripheral_complain(peripheral, "the adapter has gone");
	} else {
		gatt_tree_link_lost(peripheral, path);
	}
	return 0;
}

static int on_changed(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct peripheral *peripheral = user;
	const char *interface = NULL, *path = sd_bus_message_get_path(m);
	int r = sd_bus_message_read(m, "s", &interface);
	if (r < 0) {
		return r;
	}
	if (text_equal(interface, "org.bluez.Device1") && read_flag(m, "Connected") == 0) {
		gatt_tree_link_lost(peripheral, path);
	} else if (text_equal(interface, ADAPTER_INTERFACE) &&
		   text_equal(path, peripheral->adapter)) {
		int is_on = read_flag(m, "Powered");
		if (is_on == 0) {
			gatt_tree_link_lost(peripheral, NULL);
			peripheral_complain(peripheral, "the adapter has been switched off");
		} else if (is_on == 1) {
			/* Whether it is still sent is not told: anew. */
			memset(&peripheral->advert, 0, sizeof(peripheral->advert));
			settle(peripheral);
		}
	}
	return 0;
}

/* ---- the bus ---- */

static int add_matches(struct peripheral *peripheral, sd_bus *sd) {
	static const char objects[] = "type='signal',sender='org.bluez',"
				      "interface='org.freedesktop.DBus.ObjectManager',member='%s'";
	static const struct {
		const char *member;
		sd_bus_message_handler_t handler;
	} rows[] = { { "InterfacesAdded", on_added }, { "InterfacesRemoved", on_removed } };
	char match[256];
	int r = sd_bus_add_match_async(sd, &peripheral->slots[peripheral->n_slots++],
		"type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
		"member='NameOwnerChanged',arg0='org.bluez'",
		on_owner, NULL, peripheral);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(rows); i++) {
		snprintf(match, sizeof(match), objects, rows[i].member);
		r = sd_bus_add_match_async(sd, &peripheral->slots[peripheral->n_slots++], match,
			rows[i].handler, NULL, peripheral);
	}
	snprintf(match, sizeof(match),
		"type='signal',sender='org.bluez',interface='org.freedesktop.DBus.Properties',"
		"member='PropertiesChanged',path_namespace='%s'",
		peripheral->adapter);
	return r < 0 ? r
		     : sd_bus_add_match_async(sd, &peripheral->slots[peripheral->n_slots++], match,
			       on_changed, NULL, peripheral);
}

static void on_up(void *user) {
	struct peripheral *peripheral = user;
	sd_bus *sd = bus_sd(peripheral->bus);
	int r = add_matches(peripheral, sd);
	r = r < 0 ? r : gatt_tree_export(peripheral, sd);
	r = r < 0 ? r : advert_export(peripheral, sd);
	if (r < 0) {
		log_error("cannot set up the lock on the bus: %s", strerror(-r));
		loop_stop(peripheral->world->loop, 1);
		return;
	}
	settle(peripheral);
}

static void drop_slots(struct peripheral *peripheral) {
	while (peripheral->n_slots > 0) {
		peripheral->n_slots--;
		sd_bus_slot_unref(peripheral->slots[peripheral->n_slots]);
	}
}

static void on_down(void *user, int error) {
	struct peripheral *peripheral = user;
	log_error("the bus is gone: %s", strerror(-error));
	forget(peripheral);
	drop_slots(peripheral);
	loop_stop(peripheral->world->loop, 1);
}

static const struct bus_user bus_user = { .up = on_up, .down = on_down };

int peripheral_start(struct peripheral *peripheral) {
	return bus_open(peripheral->bus);
}

/* ---- what the world tells ---- */

static void on_heard(void *user, struct station *station) {
	struct peripheral *peripheral = user;
	for (int i = 0;
		station == peripheral->station && !station->is_in_range && i < SIM_LINKS_MAX; i++) {
		gatt_tree_hang_up(peripheral, i);
	}
	advert_settle(peripheral);
}

static void on_indicate(void *user, struct station *station, int link, unsigned chr,
	const uint8_t *value, size_t n) {
	(void) station;
	(void) link;
	gatt_tree_send(user, chr, value, n);
}

static void on_drop(void *user, struct station *station, int link) {
	(void) station;
	gatt_tree_hang_up(user, link);
}

/* The rest is between the central and its own bluetoothd. */
static bool on_can_play(void *user, enum trouble trouble) {
	(void) user;
	(void) trouble;
	return false;
}

static const struct world_face world_face = {
	.heard = on_heard,
	.indicate = on_indicate,
	.drop = on_drop,
	.lose = on_drop,
	.can_play = on_can_play,
};

/* ---- life ---- */

struct peripheral *peripheral_new(struct world *world, const struct peripheral_options *options,
	void (*ready)(void *user), void *user) {
	AUTO(peripheral_free) struct peripheral *peripheral = calloc(1, sizeof(*peripheral));
	if (peripheral == NULL) {
		return NULL;
	}
	peripheral->world = world;
	peripheral->options = *options;
	peripheral->station = world->stations[0];
	peripheral->ready = ready;
	peripheral->user = user;
	snprintf(peripheral->adapter, sizeof(peripheral->adapter), "/org/bluez/%.32s",
		options->adapter);
	peripheral->retry = loop_timer_new(world->loop, on_retry, peripheral);
	peripheral->patience = loop_timer_new(world->loop, on_patience, peripheral);
	peripheral->bus =
		bus_new(world->loop, "lockhub-sim", options->bus_address, &bus_user, peripheral);
	if (peripheral->retry == NULL || peripheral->patience == NULL || peripheral->bus == NULL ||
		gatt_tree_build(peripheral) < 0) {
		return NULL;
	}
	world->face = &world_face;
	world->face_user = peripheral;
	return STEAL(peripheral);
}

struct peripheral *peripheral_free(struct peripheral *peripheral) {
	if (peripheral == NULL) {
		return NULL;
	}
	if (peripheral->patience != NULL) {
		forget(peripheral);
	}
	drop_slots(peripheral);
	bus_free(peripheral->bus);
	loop_timer_free(peripheral->retry);
	loop_timer_free(peripheral->patience);
	if (peripheral->world->face_user == peripheral) {
		peripheral->world->face = NULL;
	}
	free(peripheral);
	return NULL;
}
