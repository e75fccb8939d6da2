/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/wifi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bus.h"
#include "util/list.h"
#include "util/text.h"

#define ANSWER_MS 10000
#define ANSWER_US (ANSWER_MS * UINT64_C(1000))
#define PATH_MOST 256
#define INTERFACE_MOST 16

#define NM "org.freedesktop.NetworkManager"
#define NM_PATH "/org/freedesktop/NetworkManager"
#define NM_TYPE_WIFI "802-11-wireless"
#define SUPPLICANT "fi.w1.wpa_supplicant1"
#define SUPPLICANT_PATH "/fi/w1/wpa_supplicant1"

struct ask {
	struct list link;
	void (*done)(void *user, const struct wifi_facts *facts);
	void *user;
};

struct wifi {
	struct loop *loop;
	char *address;
	struct bus *bus; /* while somebody waits */
	struct loop_timer *timer;
	sd_bus_slot *slot;
	struct list asks; /* struct ask */
	char interface[INTERFACE_MOST];
	char path[PATH_MOST]; /* of what the next question is about */
	struct wifi_facts facts;
};

/* ---- what the answers mean ---- */

enum {
	AP_PRIVACY = 0x1,
	SEC_PAIR_TKIP = 0x4,
	SEC_PAIR_CCMP = 0x8,
	SEC_PAIRS = 0xf,
	SEC_PSK = 0x100,
	SEC_802_1X = 0x200,
	SEC_SAE = 0x400,
	SEC_OWE = 0x800,
	SEC_OWE_TM = 0x1000, /* an open network that says where its encrypted twin is */
	SEC_SUITE_B_192 = 0x2000,
	SEC_KEYS = SEC_PSK | SEC_802_1X | SEC_SAE | SEC_OWE | SEC_SUITE_B_192,
};

const char *wifi_security_of_flags(uint32_t flags, uint32_t wpa, uint32_t rsn) {
	/* Newer rows of an access point are what a machine of today joins it with. */
	if ((rsn & SEC_KEYS) != 0) {
		if ((rsn & SEC_PAIRS) == SEC_PAIR_TKIP) {
			return "wpa";
		}
		if ((rsn & SEC_SUITE_B_192) != 0) {
			return "wpa3-eap";
		}
		if ((rsn & SEC_SAE) != 0) {
			return (rsn & SEC_PSK) != 0 ? "wpa2/wpa3" : "wpa3";
		}
		if ((rsn & SEC_802_1X) != 0) {
			return "wpa2-eap";
		}
		return (rsn & SEC_PSK) != 0 ? "wpa2" : "owe";
	}
	if ((wpa & SEC_KEYS) != 0) {
		return "wpa";
	}
	return (flags & AP_PRIVACY) != 0 ? "wep" : "open";
}

/* ---- one question ---- */

static void finish(struct wifi *wifi) {
	struct list asks;
	struct ask *ask, *following;
	const struct wifi_facts facts = wifi->facts;

	wifi->slot = sd_bus_slot_unref(wifi->slot);
	wifi->bus = bus_free(wifi->bus);
	loop_timer_disarm(wifi->timer);
	/* Whoever is told may ask again, and is answered anew. */
	list_init(&asks);
	list_for_each_safe(ask, following, &wifi->asks, link) {
		list_remove(&ask->link);
		list_append(&asks, &ask->link);
	}
	memset(&wifi->facts, 0, sizeof(wifi->facts));
	list_for_each_safe(ask, following, &asks, link) {
		list_remove(&ask->link);
		ask->done(ask->user, &facts);
		free(ask);
	}
}

/* From the loop, and not from inside whatever the bus is doing. */
static void finish_soon(struct wifi *wifi) {
	wifi->slot = sd_bus_slot_unref(wifi->slot);
	loop_timer_arm(wifi->timer, 0);
}

static void on_timer(void *user) {
	finish(user);
}

static void send(struct wifi *wifi, sd_bus_message *message, sd_bus_message_handler_t on_answer) {
	wifi->slot = sd_bus_slot_unref(wifi->slot);
	/* Asking must not start a service that nobody wanted. */
	if (message == NULL || sd_bus_message_set_auto_start(message, 0) < 0 ||
		sd_bus_call_async(
			bus_sd(wifi->bus), &wifi->slot, message, on_answer, wifi, ANSWER_US) < 0) {
		finish_soon(wifi);
	}
	sd_bus_message_unref(message);
	bus_kick(wifi->bus);
}

static void ask_property(struct wifi *wifi, const char *service, const char *path,
	const char *interface, const char *property, sd_bus_message_handler_t on_answer) {
	sd_bus_message *message = NULL;
	int r = sd_bus_message_new_method_call(bus_sd(wifi->bus), &message, service, path,
		"org.freedesktop.DBus.Properties", property != NULL ? "Get" : "GetAll");

	if (r >= 0) {
		r = property != NULL ? sd_bus_message_append(message, "ss", interface, property)
				     : sd_bus_message_append(message, "s", interface);
	}
	if (r < 0) {
		message = sd_bus_message_unref(message);
	}
	send(wifi, message, on_answer);
}

/* The object path in a variant, or the first of an array of them; "" none. */
static bool read_path(sd_bus_message *message, bool is_array, char out[static PATH_MOST]) {
	const char *path = NULL;

	out[0] = '\0';
	if (sd_bus_message_is_method_error(message, NULL) != 0 ||
		sd_bus_message_enter_container(message, 'v', is_array ? "ao" : "o") <= 0 ||
		(is_array && sd_bus_message_enter_container(message, 'a', "o") <= 0) ||
		sd_bus_message_read(message, "o", &path) <= 0 || text_equal(path, "/")) {
		return false;
	}
	(void) text_copy(out, PATH_MOST, path);
	return text_equal(out, path); /* one that is too long is nobody's */
}

/* ---- wpa_supplicant ---- */

static uint32_t keys_of(const char *name) {
	/* "wpa-psk", "wpa-ft-psk", "wpa-psk-sha256", "sae", "ft-sae", "wpa-eap-suite-b-192" ... */
	return strstr(name, "suite-b-192") != NULL ? SEC_SUITE_B_192
	       : strstr(name, "sae") != NULL       ? SEC_SAE
	       : strstr(name, "owe") != NULL       ? SEC_OWE
	       : strstr(name, "psk") != NULL       ? SEC_PSK
	       : strstr(name, "eap") != NULL       ? SEC_802_1X
						   : 0;
}

static uint32_t ciphers_of(const char *name) {
	return text_equal(name, "tkip") ? SEC_PAIR_TKIP : SEC_PAIR_CCMP;
}

static int read_words(
	sd_bus_message *message, uint32_t (*bits_of)(const char *name), uint32_t *ret) {
	const char *word = NULL;
	int r = sd_bus_message_enter_container(message, 'v', "as");

	if (r > 0) {
		r = sd_bus_message_enter_container(message, 'a', "s");
	}
	while (r > 0 && (r = sd_bus_message_read(message, "s", &word)) > 0) {
		*ret |= bits_of(word);
	}
	if (r >= 0) {
		r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* One of the properties WPA and RSN. */
static int read_row(sd_bus_message *message, const char *key, void *user) {
	return text_equal(key, "KeyMgmt")    ? read_words(message, keys_of, user)
	       : text_equal(key, "Pairwise") ? read_words(message, ciphers_of, user)
					     : sd_bus_message_skip(message, "v");
}

static int read_rows(sd_bus_message *message, uint32_t *ret) {
	int r = sd_bus_message_enter_container(message, 'v', "a{sv}");

	if (r > 0) {
		r = bus_each_property(message, read_row, ret);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* What a network says of itself; @n_known counts what says whether it is open. */
struct network {
	uint32_t flags, wpa, rsn, mhz;
	unsigned n_known;
};

static int read_bss(sd_bus_message *message, const char *key, void *user) {
	struct network *network = user;
	int is_private = 0;
	uint16_t mhz = 0;
	int r = 0;

	if (text_equal(key, "WPA")) {
		return read_rows(message, &network->wpa);
	}
	if (text_equal(key, "RSN")) {
		return read_rows(message, &network->rsn);
	}
	if (text_equal(key, "Privacy")) {
		r = sd_bus_message_read(message, "v", "b", &is_private);
		network->flags = is_private != 0 ? AP_PRIVACY : 0;
		network->n_known += r > 0;
		return r;
	}
	if (text_equal(key, "Frequency")) {
		r = sd_bus_message_read(message, "v", "q", &mhz);
		network->mhz = mhz;
		return r;
	}
	return sd_bus_message_skip(message, "v");
}

/* @n_needed: without so many of them "open" would be a guess. */
static void take_network(struct wifi *wifi, sd_bus_message *message,
	int (*fn)(sd_bus_message *message, const char *key, void *user), unsigned n_needed) {
	struct network network = { 0 };

	if (sd_bus_message_is_method_error(message, NULL) == 0 &&
		bus_each_property(message, fn, &network) >= 0) {
		wifi->facts.mhz = network.mhz;
		if (network.n_known == n_needed) {
			(void) text_copy(wifi->facts.security, sizeof(wifi->facts.security),
				wifi_security_of_flags(network.flags, network.wpa, network.rsn));
		}
	}
	finish_soon(wifi);
}

static int on_bss(sd_bus_message *message, void *user, sd_bus_error *error) {
	(void) error;
	take_network(user, message, read_bss, 1);
	return 0;
}

static int on_current_bss(sd_bus_message *message, void *user, sd_bus_error *error) {
	struct wifi *wifi = user;

	(void) error;
	if (!read_path(message, false, wifi->path)) {
		finish_soon(wifi);
		return 0;
	}
	wifi->facts.is_known = true;
	wifi->facts.is_wifi = true;
	ask_property(wifi, SUPPLICANT, wifi->path, SUPPLICANT ".BSS", NULL, on_bss);
	return 0;
}

static int on_supplicant_interface(sd_bus_message *message, void *user, sd_bus_error *error) {
	struct wifi *wifi = user;
	const char *path = NULL;

	(void) error;
	if (sd_bus_message_is_method_error(message, NULL) != 0 ||
		sd_bus_message_read(message, "o", &path) <= 0) {
		finish_soon(wifi);
		return 0;
	}
	ask_property(wifi, SUPPLICANT, path, SUPPLICANT ".Interface", "CurrentBSS", on_current_bss);
	return 0;
}

static void ask_supplicant(struct wifi *wifi) {
	sd_bus_message *message = NULL;

	if (wifi->interface[0] == '\0') {
		finish_soon(wifi);
		return;
	}
	if (sd_bus_message_new_method_call(bus_sd(wifi->bus), &message, SUPPLICANT, SUPPLICANT_PATH,
		    SUPPLICANT, "GetInterface") >= 0 &&
		sd_bus_message_append(message, "s", wifi->interface) < 0) {
		message = sd_bus_message_unref(message);
	}
	send(wifi, message, on_supplicant_interface);
}

/* ---- NetworkManager ---- */

static int read_access_point(sd_bus_message *message, const char *key, void *user) {
	struct network *network = user;
	const struct {
		const char *key;
		uint32_t *value;
		unsigned counts;
	} rows[] = {
		{ "Flags", &network->flags, 1 },
		{ "WpaFlags", &network->wpa, 1 },
		{ "RsnFlags", &network->rsn, 1 },
		{ "Frequency", &network->mhz, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (text_equal(key, rows[i].key)) {
			network->n_known += rows[i].counts;
			return sd_bus_message_read(message, "v", "u", rows[i].value);
		}
	}
	return sd_bus_message_skip(message, "v");
}

static int on_access_point(sd_bus_message *message, void *user, sd_bus_error *error) {
	(void) error;
	take_network(user, message, read_access_point, 3);
	return 0;
}

static int on_active_point(sd_bus_message *message, void *user, sd_bus_error *error) {
	struct wifi *wifi = user;

	(void) error;
	if (!read_path(message, false, wifi->path)) {
		finish_soon(wifi);
		return 0;
	}
	ask_property(wifi, NM, wifi->path, NM ".AccessPoint", NULL, on_access_point);
	return 0;
}

static int on_devices(sd_bus_message *message, void *user, sd_bus_error *error) {
	struct wifi *wifi = user;

	(void) error;
	if (!read_path(message, true, wifi->path)) {
		finish_soon(wifi);
		return 0;
	}
	ask_property(
		wifi, NM, wifi->path, NM ".Device.Wireless", "ActiveAccessPoint", on_active_point);
	return 0;
}

static int on_type(sd_bus_message *message, void *user, sd_bus_error *error) {
	/* What goes over something else may be Wi-Fi below: nothing is said of these. */
	static const char *const layers[] = { "vpn", "wireguard", "tun", "ip-tunnel", "macsec" };
	struct wifi *wifi = user;
	const char *type = NULL;

	(void) error;
	if (sd_bus_message_is_method_error(message, NULL) != 0 ||
		sd_bus_message_read(message, "v", "s", &type) <= 0 || type[0] == '\0') {
		finish_soon(wifi);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
		if (text_equal(type, layers[i])) {
			finish_soon(wifi);
			return 0;
		}
	}
	wifi->facts.is_known = true;
	wifi->facts.is_wifi = text_equal(type, NM_TYPE_WIFI);
	if (!wifi->facts.is_wifi) {
		finish_soon(wifi);
		return 0;
	}
	ask_property(wifi, NM, wifi->path, NM ".Connection.Active", "Devices", on_devices);
	return 0;
}

static int on_primary(sd_bus_message *message, void *user, sd_bus_error *error) {
	struct wifi *wifi = user;

	(void) error;
	if (!read_path(message, false, wifi->path)) {
		ask_supplicant(wifi);
		return 0;
	}
	ask_property(wifi, NM, wifi->path, NM ".Connection.Active", "Type", on_type);
	return 0;
}

/* ---- life ---- */

static void on_up(void *user) {
	ask_property(user, NM, NM_PATH, NM, "PrimaryConnection", on_primary);
}

static void on_down(void *user, int error) {
	(void) error;
	finish_soon(user);
}

int wifi_ask(struct wifi *wifi, const char *interface,
	void (*done)(void *user, const struct wifi_facts *facts), void *user) {
	static const struct bus_user impl = { .up = on_up, .down = on_down };
	struct ask *ask = calloc(1, sizeof(*ask));

	if (ask == NULL) {
		return -ENOMEM;
	}
	ask->done = done;
	ask->user = user;
	list_append(&wifi->asks, &ask->link);
	if (wifi->bus != NULL || loop_timer_is_armed(wifi->timer)) {
		return 0;
	}
	(void) text_copy(wifi->interface, sizeof(wifi->interface), interface);
	wifi->bus = bus_new(wifi->loop, "lockhubd-network", wifi->address, &impl, wifi);
	/* Who cannot be reached at once is not waited for. */
	loop_timer_arm(wifi->timer, wifi->bus == NULL || bus_open(wifi->bus) < 0 ? 0 : ANSWER_MS);
	return 0;
}

struct wifi *wifi_new(struct loop *loop, const char *address) {
	struct wifi *wifi = calloc(1, sizeof(*wifi));

	if (wifi == NULL) {
		return NULL;
	}
	wifi->loop = loop;
	list_init(&wifi->asks);
	wifi->address = address != NULL ? strdup(address) : NULL;
	wifi->timer = loop_timer_new(loop, on_timer, wifi);
	if (wifi->timer == NULL || (address != NULL && wifi->address == NULL)) {
		return wifi_free(wifi);
	}
	return wifi;
}

struct wifi *wifi_free(struct wifi *wifi) {
	if (wifi == NULL) {
		return NULL;
	}
	memset(&wifi->facts, 0, sizeof(wifi->facts));
	if (wifi->timer != NULL) {
		finish(wifi);
	}
	loop_timer_free(wifi->timer);
	free(wifi->address);
	free(wifi);
	return NULL;
}
