/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/wifi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bus.h"
#include "private-bus.h"
#include "test.h"

#define WAIT_MS 60000
#define NM "org.freedesktop.NetworkManager"
#define SUPPLICANT "fi.w1.wpa_supplicant1"

/* What NetworkManager or wpa_supplicant of this test's bus say. */
struct network {
	const char *primary; /* "/" none */
	const char *type;
	const char *point;
	uint32_t flags, wpa, rsn, mhz;
	bool lacks_flags;
	const char *key_mgmt, *pairwise; /* wpa_supplicant's, of RSN; NULL: none */
	bool is_private;
	bool is_silent; /* takes the question and never answers */
	int n_asked;
};

struct world {
	struct private_bus *daemon;
	struct loop *loop;
	struct bus *bus; /* of who answers */
	sd_bus_slot *slots[2];
	struct network network;
	struct wifi *wifi;
	struct wifi_facts facts;
	int n_up, n_done;
};

/* ---- who answers ---- */

static int say(sd_bus_message *message, const char *property, const struct network *network) {
	return strcmp(property, "PrimaryConnection") == 0
		       ? sd_bus_reply_method_return(message, "v", "o", network->primary)
	       : strcmp(property, "Type") == 0
		       ? sd_bus_reply_method_return(message, "v", "s", network->type)
	       : strcmp(property, "Devices") == 0
		       ? sd_bus_reply_method_return(message, "v", "ao", 1, "/device")
	       : strcmp(property, "ActiveAccessPoint") == 0
		       ? sd_bus_reply_method_return(message, "v", "o", network->point)
	       : strcmp(property, "CurrentBSS") == 0
		       ? sd_bus_reply_method_return(message, "v", "o", network->point)
		       : sd_bus_reply_method_errorf(
				 message, SD_BUS_ERROR_UNKNOWN_PROPERTY, "%s", property);
}

static int say_point(sd_bus_message *message, const struct network *network) {
	if (network->lacks_flags) {
		return sd_bus_reply_method_return(message, "a{sv}", 2, "Flags", "u", network->flags,
			"Frequency", "u", network->mhz);
	}
	return sd_bus_reply_method_return(message, "a{sv}", 5, "Ssid", "ay", 2, 'h', 'i', "Flags",
		"u", network->flags, "WpaFlags", "u", network->wpa, "RsnFlags", "u", network->rsn,
		"Frequency", "u", network->mhz);
}

static int say_bss(sd_bus_message *message, const struct network *network) {
	if (network->key_mgmt == NULL) {
		return sd_bus_reply_method_return(message, "a{sv}", 4, "WPA", "a{sv}", 0, "RSN",
			"a{sv}", 0, "Privacy", "b", (int) network->is_private, "Frequency", "q",
			(int) network->mhz);
	}
	return sd_bus_reply_method_return(message, "a{sv}", 5, "SSID", "ay", 1, 'x', "WPA", "a{sv}",
		0, "RSN", "a{sv}", 3, "KeyMgmt", "as", 1, network->key_mgmt, "Group", "s", "ccmp",
		"Pairwise", "as", 1, network->pairwise, "Privacy", "b", (int) network->is_private,
		"Frequency", "q", (int) network->mhz);
}

static int on_call(sd_bus_message *message, void *user, sd_bus_error *error) {
	struct network *network = user;
	const char *interface = NULL;
	const char *property = NULL;

	(void) error;
	if (sd_bus_message_is_method_call(message, SUPPLICANT, "GetInterface") > 0) {
		assert_true(sd_bus_message_read(message, "s", &interface) > 0);
		assert_string_equal(interface, "wlan0");
		return sd_bus_reply_method_return(message, "o", "/interface");
	}
	if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "Get") > 0) {
		assert_true(sd_bus_message_read(message, "ss", &interface, &property) > 0);
		network->n_asked++;
		if (network->is_silent) {
			return 1;
		}
		return say(message, property, network);
	}
	if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "GetAll") >
		0) {
		assert_true(sd_bus_message_read(message, "s", &interface) > 0);
		if (strcmp(interface, NM ".AccessPoint") == 0) {
			return say_point(message, network);
		}
		assert_string_equal(interface, SUPPLICANT ".BSS");
		return say_bss(message, network);
	}
	return 0;
}

/* ---- the test's own side ---- */

static void on_up(void *user) {
	((struct world *) user)->n_up++;
}

static void turn_until(struct world *world, const int *n, int wanted) {
	const struct clock *clock = loop_clock(world->loop);
	mono_t give_up = mono_after(clock_mono(clock), WAIT_MS);

	while (*n < wanted && !mono_is_due(give_up, clock_mono(clock))) {
		loop_turn(world->loop, 100);
	}
	assert_int_equal(*n, wanted);
}

static int setup(void **state) {
	static const struct bus_user impl = { .up = on_up };
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL || (world->daemon = private_bus_new()) == NULL ||
		(world->loop = loop_new()) == NULL || !private_bus_start(world->daemon)) {
		return -1;
	}
	*state = world;
	world->network = (struct network){
		.primary = "/active", .type = "802-11-wireless", .point = "/point", .mhz = 2437
	};
	world->bus = bus_new(world->loop, "test", private_bus_address(world->daemon), &impl, world);
	world->wifi = wifi_new(world->loop, private_bus_address(world->daemon));
	if (world->bus == NULL || world->wifi == NULL || bus_open(world->bus) < 0) {
		return -1;
	}
	turn_until(world, &world->n_up, 1);
	return 0;
}

static int teardown(void **state) {
	struct world *world = *state;

	wifi_free(world->wifi);
	for (size_t i = 0; i < ARRAY_SIZE(world->slots); i++) {
		sd_bus_slot_unref(world->slots[i]);
	}
	bus_free(world->bus);
	loop_free(world->loop);
	private_bus_free(world->daemon);
	free(world);
	return 0;
}

/* Answers as @name from here on. */
static void serve(struct world *world, const char *name) {
	sd_bus *bus = bus_sd(world->bus);

	assert_true(sd_bus_add_filter(bus, &world->slots[0], on_call, &world->network) >= 0);
	assert_true(sd_bus_request_name(bus, name, 0) >= 0);
	bus_kick(world->bus);
}

static void on_done(void *user, const struct wifi_facts *facts) {
	struct world *world = user;

	world->facts = *facts;
	world->n_done++;
}

static const char *ask(struct world *world, const char *interface) {
	const int before = world->n_done;

	assert_int_equal(wifi_ask(world->wifi, interface, on_done, world), 0);
	assert_int_equal(world->n_done, before); /* never from inside the call */
	turn_until(world, &world->n_done, before + 1);
	return world->facts.security;
}

static void flags_become_words(void **state) {
	static const struct {
		uint32_t flags, wpa, rsn;
		const char *word;
	} rows[] = {
		{ 0, 0, 0, "open" },
		{ 1, 0, 0, "wep" },
		{ 0, 0, 0x1000, "open" }, /* only tells of its encrypted twin */
		{ 1, 0x144, 0, "wpa" },
		{ 1, 0x188, 0, "wpa" },
		{ 1, 0, 0x144, "wpa" }, /* WPA2 by name, TKIP inside */
		{ 1, 0, 0x188, "wpa2" },
		{ 1, 0x144, 0x18c, "wpa2" },
		{ 1, 0, 0x288, "wpa2-eap" },
		{ 1, 0, 0x588, "wpa2/wpa3" },
		{ 1, 0, 0x488, "wpa3" },
		{ 1, 0, 0x2088, "wpa3-eap" },
		{ 1, 0, 0x888, "owe" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(wifi_security_of_flags(rows[i].flags, rows[i].wpa, rows[i].rsn),
			rows[i].word);
		assert_true(strlen(rows[i].word) < sizeof(((struct wifi_facts *) NULL)->security));
	}
}

static void where_nobody_manages_it_nothing_is_known(void **state) {
	struct world *world = *state;

	assert_string_equal(ask(world, ""), "");
	assert_false(world->facts.is_known);
	assert_string_equal(ask(world, "wlan0"), "");
	assert_false(world->facts.is_known);
}

static void network_manager_tells(void **state) {
	struct world *world = *state;

	serve(world, NM);
	world->network.flags = 1;
	world->network.rsn = 0x188;
	assert_string_equal(ask(world, ""), "wpa2");
	assert_true(world->facts.is_known && world->facts.is_wifi);
	assert_int_equal(world->facts.mhz, 2437);
	/* Asked anew each time: it is another network now. */
	world->network.flags = world->network.rsn = 0;
	world->network.mhz = 5180;
	assert_string_equal(ask(world, ""), "open");
	assert_int_equal(world->facts.mhz, 5180);
}

static void a_cable_needs_no_protection(void **state) {
	struct world *world = *state;

	serve(world, NM);
	world->network.type = "802-3-ethernet";
	assert_string_equal(ask(world, ""), "");
	assert_true(world->facts.is_known);
	assert_false(world->facts.is_wifi);
	/* What is below a tunnel is not told. */
	world->network.type = "wireguard";
	ask(world, "");
	assert_false(world->facts.is_known);
}

static void half_an_answer_is_no_answer(void **state) {
	struct world *world = *state;

	serve(world, NM);
	world->network.lacks_flags = true;
	assert_string_equal(ask(world, ""), "");
	assert_true(world->facts.is_wifi);
	assert_int_equal(world->facts.mhz, 2437);
	world->network.point = "/";
	assert_string_equal(ask(world, ""), "");
	assert_true(world->facts.is_wifi);
	assert_int_equal(world->facts.mhz, 0);
}

static void wpa_supplicant_tells_where_the_manager_does_not(void **state) {
	static const struct {
		const char *key_mgmt, *pairwise, *word;
	} rows[] = {
		{ "wpa-psk", "ccmp", "wpa2" },
		{ "wpa-psk", "tkip", "wpa" },
		{ "ft-sae", "ccmp", "wpa3" },
		{ "wpa-eap-sha256", "ccmp", "wpa2-eap" },
		{ "wpa-eap-suite-b-192", "gcmp-256", "wpa3-eap" },
		{ "owe", "ccmp", "owe" },
	};
	struct world *world = *state;

	serve(world, SUPPLICANT);
	world->network.is_private = true;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		world->network.key_mgmt = rows[i].key_mgmt;
		world->network.pairwise = rows[i].pairwise;
		assert_string_equal(ask(world, "wlan0"), rows[i].word);
		assert_int_equal(world->facts.mhz, 2437);
	}
	world->network.key_mgmt = NULL;
	assert_string_equal(ask(world, "wlan0"), "wep");
	world->network.is_private = false;
	assert_string_equal(ask(world, "wlan0"), "open");
	/* Of which interface is not known: it is not asked. */
	assert_string_equal(ask(world, ""), "");
	assert_false(world->facts.is_known);
}

static void who_asks_together_is_answered_together(void **state) {
	struct world *world = *state;

	serve(world, NM);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(wifi_ask(world->wifi, "", on_done, world), 0);
	}
	turn_until(world, &world->n_done, 3);
	assert_int_equal(world->network.n_asked, 4); /* the four steps, once */
	assert_string_equal(world->facts.security, "open");
}

static void who_waits_is_told_when_it_is_over(void **state) {
	struct world *world = *state;

	serve(world, NM);
	world->network.is_silent = true;
	assert_int_equal(wifi_ask(world->wifi, "", on_done, world), 0);
	turn_until(world, &world->network.n_asked, 1);
	assert_int_equal(world->n_done, 0);
	world->wifi = wifi_free(world->wifi);
	assert_int_equal(world->n_done, 1);
	assert_false(world->facts.is_known);
}

static void without_a_bus_nobody_is_waited_for(void **state) {
	struct world *world = *state;
	const struct clock *clock = loop_clock(world->loop);
	mono_t began = clock_mono(clock);

	private_bus_kill(world->daemon);
	assert_string_equal(ask(world, "wlan0"), "");
	assert_false(world->facts.is_known);
	/* Not the 10 s that an answer may take. */
	assert_true(mono_since(began, clock_mono(clock)) < 10000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_become_words),
		TEST(where_nobody_manages_it_nothing_is_known),
		TEST(network_manager_tells),
		TEST(a_cable_needs_no_protection),
		TEST(half_an_answer_is_no_answer),
		TEST(wpa_supplicant_tells_where_the_manager_does_not),
		TEST(who_asks_together_is_answered_together),
		TEST(who_waits_is_told_when_it_is_over),
		TEST(without_a_bus_nobody_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
