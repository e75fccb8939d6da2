/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The radio face by H4 packets, both ways; the air's clock is cranked by hand. */

#include "../../test.h"
#include "radio-bench.h"
#include "util/text.h"

#define SCAN_ON(filter) "01 0c20 02 01 " filter
#define SCAN_ACTIVE "01 0b20 07 01 1200 1200 00 00"
#define SCAN_PASSIVE "01 0b20 07 00 6000 3000 00 00"
#define SCAN_ACCEPTED "01 0b20 07 00 6000 3000 00 01"

static struct radio radio;

static int start(void **state) {
	radio_init(&radio, 2, VHCI_ACL_MOST, 1);
	return 0;
}

static int stop(void **state) {
	radio_finish(&radio);
	return 0;
}

static void command(const char *sent, const char *answer) {
	radio_send(&radio, 0, sent);
	radio_expect(&radio, 0, answer);
	radio_expect_silence(&radio);
}

/* ---- commands ---- */

static void a_kernel_finds_its_way(void **state) {
	command("01 030c 00", "04 0e 04 01 030c 00");
	command("01 0310 00", "04 0e 0c 01 0310 00 00000000 60000000");
	command("01 0110 00", "04 0e 0c 01 0110 00 08 0000 08 ffff 0000");
	command("01 0910 00", "04 0e 0a 01 0910 00 1371da7d1a00");
	command("01 0220 00", "04 0e 07 01 0220 00 fb00 08");
	command("01 0320 00", "04 0e 0c 01 0320 00 01000000 00000000");
	command("01 0f20 00", "04 0e 05 01 0f20 00 10");
	command("01 1820 00", "04 0e 0c 01 1820 00 ................");
	command("01 010c 08 0000000000000020", "04 0e 04 01 010c 00");
	command("01 0620 0f 000800080000000000000000000700", "04 0e 04 01 0620 00");
	/* Unknown, too short, and not a command at all. */
	command("01 ffff 00", "04 0e 04 01 ffff 01");
	command("01 0c20 01 01", "04 0e 04 01 0c20 12");
	radio_send(&radio, 0, "01 0c20 05 01");
	radio_send(&radio, 0, "01 0c");
	radio_send(&radio, 0, "01");
	radio_send(&radio, 0, "");
	radio_send(&radio, 0, "03 0000 00");
	radio_send(&radio, 0, "ff 00 0000");
	radio_send(&radio, 7, "01 030c 00");
	radio_expect_silence(&radio);
}

static void unknown_links_are_said_to_be(void **state) {
	command("01 0604 03 4000 13", "04 0f 04 02 01 0604");
	command("01 1620 02 4000", "04 0f 04 02 01 1620");
	command("01 1d04 02 4000", "04 0f 04 02 01 1d04");
	command("01 1320 0e 4000 1800 2800 0000 2a00 0000 0000", "04 0f 04 02 01 1320");
	command("01 0514 02 4000", "04 0e 07 01 0514 02 4000 00");
}

/* ---- scanning ---- */

static void an_active_scan_hears_both(void **state) {
	radio_add(&radio, 1)->rssi = -60;
	command(SCAN_ACTIVE, "04 0e 04 01 0b20 00");
	command(SCAN_ON("00"), "04 0e 04 01 0c20 00");
	for (int i = 0; i < 3; i++) {
		radio_await(&radio, 0, 130,
			"04 3e 14 02 01 00 00 01000072d254 08 020106 04ff341277 c.");
		radio_await(&radio, 0, 1, "04 3e 12 02 01 04 00 01000072d254 06 05094563686f c.");
	}
	command("01 0c20 02 00 00", "04 0e 04 01 0c20 00");
	radio_pass(&radio, 1000);
	radio_expect_silence(&radio);
}

static void services_are_advertised(void **state) {
	struct echo_lock *echo = radio_lock(radio_add(&radio, 1));
	echo->service = "a92ee100-5501-11e4-916c-0800200c9a66";
	command(SCAN_ON("00"), "04 0e 04 01 0c20 00");
	radio_await(&radio, 0, 130,
		"04 3e 2a 02 01 00 00 01000072d254 1e 020106 04ff341277"
		"15 21 669a0c2000086c91 e4110155 00e12ea9 00000000 ..");
	echo->service = "0000fe59-0000-1000-8000-00805f9b34fb";
	radio_await(&radio, 0, 130,
		"04 3e 1c 02 01 00 00 01000072d254 10 020106 04ff341277 07 16 59fe 00000000 ..");
}

static void a_passive_scan_filters_by_address(void **state) {
	struct station *station = radio_add(&radio, 1);
	command(SCAN_PASSIVE, "04 0e 04 01 0b20 00");
	command(SCAN_ON("01"), "04 0e 04 01 0c20 00");
	radio_pass(&radio, 1000);
	assert_int_equal(radio_forget(&radio), 1);
	/* New data, the same address. */
	station_changed(station);
	radio_pass(&radio, 1000);
	radio_expect_silence(&radio);
	/* Each scan begins anew. */
	command("01 0c20 02 00 01", "04 0e 04 01 0c20 00");
	command(SCAN_ON("01"), "04 0e 04 01 0c20 00");
	radio_pass(&radio, 1000);
	assert_int_equal(radio_forget(&radio), 1);
	command(SCAN_ON("00"), "04 0e 04 01 0c20 00");
	radio_pass(&radio, 1000);
	assert_in_range(radio_forget(&radio), 9, 10);
}

static void the_accept_list_is_kept(void **state) {
	radio_add(&radio, 1);
	radio_add(&radio, 2);
	command(SCAN_ACCEPTED, "04 0e 04 01 0b20 00");
	command("01 1120 07 00 02000072d254", "04 0e 04 01 1120 00");
	command("01 1120 07 00 02000072d254", "04 0e 04 01 1120 00");
	command(SCAN_ON("01"), "04 0e 04 01 0c20 00");
	radio_await(&radio, 0, 130, "04 3e 14 02 01 00 00 02000072d254 08 020106 04ff341277 ..");
	radio_pass(&radio, 500);
	radio_expect_silence(&radio);
	/* Parameters do not change under a scan. */
	command(SCAN_ACTIVE, "04 0e 04 01 0b20 0c");
	command("01 0c20 02 00 00", "04 0e 04 01 0c20 00");
	command("01 1220 07 00 02000072d254", "04 0e 04 01 1220 00");
	command(SCAN_ON("00"), "04 0e 04 01 0c20 00");
	radio_pass(&radio, 500);
	radio_expect_silence(&radio);
	for (unsigned i = 0; i < VHCI_ACCEPT_MAX; i++) {
		char hex[64];
		snprintf(hex, sizeof(hex), "01 1120 07 01 %02x000072d254", i);
		command(hex, "04 0e 04 01 1120 00");
	}
	command("01 1120 07 00 ff000072d254", "04 0e 04 01 1120 07");
	command("01 1020 00", "04 0e 04 01 1020 00");
	command("01 1120 07 00 ff000072d254", "04 0e 04 01 1120 00");
}

static void silence_and_distance_are_not_heard(void **state) {
	struct station *near = radio_add(&radio, 1);
	struct station *far = radio_add(&radio, 2);
	far->is_in_range = false;
	radio_lock(near)->is_silent = true;
	command(SCAN_ON("00"), "04 0e 04 01 0c20 00");
	radio_pass(&radio, 500);
	radio_expect_silence(&radio);
	radio_lock(near)->is_silent = false;
	station_changed(near);
	far->is_in_range = true;
	far->rssi = -90;
	station_changed(far);
	radio_pass(&radio, 500);
	assert_in_range(radio_forget(&radio), 8, 11);
}

static void two_adapters_hear_one_air(void **state) {
	radio_add(&radio, 1);
	command(SCAN_ON("01"), "04 0e 04 01 0c20 00");
	radio_send(&radio, 1, SCAN_ON("01"));
	radio_expect(&radio, 1, "04 0e 04 01 0c20 00");
	radio_await(&radio, 0, 130, "04 3e 14 02 01 00 00 01000072d254 08 020106 04ff341277 ..");
	radio_expect(&radio, 1, "04 3e 14 02 01 00 00 01000072d254 08 020106 04ff341277 ..");
	/* The same lock over both: it takes four links, on each adapter one. */
	uint16_t first = radio_connect(&radio, 0, 1);
	uint16_t second = radio_connect(&radio, 1, 1);
	radio_att(&radio, 0, first, "0a 1100");
	radio_expect_att(&radio, 0, first, "0b 02 1200 f2ff");
	radio_att(&radio, 1, second, "0a 1100");
	radio_expect_att(&radio, 1, second, "0b 02 1200 f2ff");
}

static void strangers_fill_the_air(void **state) {
	assert_int_equal(vhci_storm(radio.vhci, 20, 100), 0);
	command(SCAN_ON("00"), "04 0e 04 01 0c20 00");
	radio_pass(&radio, 2000);
	assert_in_range(radio_forget(&radio), 170, 230);
	assert_int_equal(vhci_storm(radio.vhci, 0, 0), 0);
	radio_pass(&radio, 2000);
	radio_expect_silence(&radio);
}

/* ---- links ---- */

static void a_link_comes_and_goes(void **state) {
	struct station *station = radio_add(&radio, 1);
	uint16_t handle = radio_connect(&radio, 0, 1);
	assert_int_equal(handle, 0x40);
	assert_int_equal(radio_lock(station)->base.counters.connections, 1);
	radio_send(&radio, 0, "01 1620 02 4000");
	radio_expect(&radio, 0, "04 0f 04 00 01 1620");
	radio_expect(&radio, 0, "04 3e 0c 04 00 4000 0100000000000000");
	radio_send(&radio, 0, "01 1d04 02 4000");
	radio_expect(&radio, 0, "04 0f 04 00 01 1d04");
	radio_expect(&radio, 0, "04 0c 08 00 4000 08 ffff 0000");
	radio_send(&radio, 0, "01 1320 0e 4000 0600 0c00 0100 6400 0000 0000");
	radio_expect(&radio, 0, "04 0f 04 00 01 1320");
	radio_expect(&radio, 0, "04 3e 0a 03 00 4000 0c00 0100 6400");
	command("01 0514 02 4000", "04 0e 07 01 0514 00 4000 c4");
	command("01 2d0c 03 4000 00", "04 0e 07 01 2d0c 00 4000 00");
	radio_send(&radio, 0,
		"01 1920 1c 4000 0000000000000000 0000 00000000000000000000000000000000");
	radio_expect(&radio, 0, "04 0f 04 00 01 1920");
	radio_expect(&radio, 0, "04 08 04 06 4000 00");
	radio_send(&radio, 0, "01 0604 03 4000 13");
	radio_expect(&radio, 0, "04 0f 04 00 01 0604");
	radio_expect(&radio, 0, "04 05 04 00 4000 16");
	assert_false(station->lock->links[0].is_up);
	/* The next link has another number. */
	assert_int_equal(radio_connect(&radio, 0, 1), 0x41);
	radio_expect_silence(&radio);
}

static void connecting_waits_and_can_be_cancelled(void **state) {
	struct station *station = radio_add(&radio, 1);
	station->is_in_range = false;
	radio_create(&radio, 0, 1);
	radio_pass(&radio, 20000);
	radio_expect_silence(&radio);
	radio_send(&radio, 0,
		"01 0d20 19 6000 3000 00 00 01000072d254 00 1800 2800 0000 2a00 0000 0000");
	radio_expect(&radio, 0, "04 0f 04 0c 01 0d20");
	radio_send(&radio, 0, "01 0e20 00");
	radio_expect(&radio, 0, "04 0e 04 01 0e20 00");
	radio_expect(&radio, 0, "04 3e 13 01 02 0000 00 00 000000000000 2800 0000 2a00 00");
	command("01 0e20 00", "04 0e 04 01 0e20 0c");
	radio_create(&radio, 0, 1);
	station->is_in_range = true;
	station_changed(station);
	radio_await(&radio, 0, 130, "04 3e 13 01 00 4000 00 00 01000072d254 2800 0000 2a00 00");
	/* Once is enough. */
	radio_send(&radio, 0,
		"01 0d20 19 6000 3000 00 00 01000072d254 00 1800 2800 0000 2a00 0000 0000");
	radio_expect(&radio, 0, "04 0f 04 0b 01 0d20");
}

static void whoever_is_accepted_is_connected(void **state) {
	radio_add(&radio, 1);
	radio_add(&radio, 2);
	command("01 1120 07 00 02000072d254", "04 0e 04 01 1120 00");
	radio_send(&radio, 0,
		"01 0d20 19 6000 3000 01 00 000000000000 00 1800 2800 0000 2a00 0000 0000");
	radio_expect(&radio, 0, "04 0f 04 00 01 0d20");
	radio_await(&radio, 0, 130, "04 3e 13 01 00 4000 00 00 02000072d254 2800 0000 2a00 00");
}

static void links_have_a_limit(void **state) {
	for (unsigned i = 1; i <= 3; i++) {
		radio_add(&radio, i);
	}
	radio.vhci->controllers[0].links_max = 2;
	radio_connect(&radio, 0, 1);
	radio_connect(&radio, 0, 2);
	radio_send(&radio, 0,
		"01 0d20 19 6000 3000 00 00 03000072d254 00 1800 2800 0000 2a00 0000 0000");
	radio_expect(&radio, 0, "04 0f 04 09 01 0d20");
	/* A lock has one, too. */
	struct station *station = radio_add(&radio, 4);
	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		assert_int_equal(sim_lock_connect(station->lock, 23, (mono_t){ 0 }), i);
	}
	radio_create(&radio, 1, 4);
	radio_pass(&radio, 1000);
	radio_expect_silence(&radio);
	sim_lock_disconnect(station->lock, 2, (mono_t){ 0 });
	radio_await(&radio, 1, 130, "04 3e 13 01 00 .... 00 00 04000072d254 2800 0000 2a00 00");
}

static void a_reset_ends_everything(void **state) {
	struct station *station = radio_add(&radio, 1);
	radio_connect(&radio, 0, 1);
	command(SCAN_ON("00"), "04 0e 04 01 0c20 00");
	command("01 030c 00", "04 0e 04 01 030c 00");
	assert_false(station->lock->links[0].is_up);
	radio_pass(&radio, 1000);
	radio_expect_silence(&radio);
	assert_int_equal(radio.vhci->controllers[0].n_accepted, 0);
}

static void the_lock_hangs_up(void **state) {
	radio_add(&radio, 1);
	uint16_t handle = radio_connect(&radio, 0, 1);
	radio_att(&radio, 0, handle, "12 0c00 44");
	radio_expect(&radio, 0, "04 05 04 00 4000 13");
	radio_expect_silence(&radio);
	/* What still comes for it is passed over. */
	radio_send(&radio, 0, "02 4000 0700 0300 0400 0a 0c00");
	radio_expect_silence(&radio);
}

/* ---- ACL and L2CAP ---- */

static void fragments_are_put_together(void **state) {
	struct station *station = radio_add(&radio, 1);
	radio_connect(&radio, 0, 1);
	static const char *const pieces[] = { "02 4000 0300 0900 04", "02 4010 0300 00 120c",
		"02 4010 0600 00 0102030405", "02 4010 0100 06" };
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		radio_expect_silence(&radio);
		radio_send(&radio, 0, pieces[i]);
		radio_expect(&radio, 0, "04 13 05 01 4000 0100");
	}
	radio_expect_att(&radio, 0, 0x40, "13");
	assert_int_equal(radio_lock(station)->n_written, 6);
}

static void broken_fragments_are_thrown_away(void **state) {
	static const char *const pieces[] = {
		"02 4010 0400 0a0c00ff",             /* continues nothing */
		"02 4000 0800 0300 0400 0a 0c00 ff", /* more than announced */
		"02 4000 0500 0300 0400 0a",         /* begun, and begun anew */
		"02 4000 0400 0000 0400",            /* empty */
		"02 4000 0700 0300 4000 0a 0c00",    /* no such channel */
		"02 4000 0000",
	};
	struct station *station = radio_add(&radio, 1);
	radio_connect(&radio, 0, 1);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		radio_send(&radio, 0, pieces[i]);
		radio_expect(&radio, 0, "04 13 05 01 4000 0100");
		radio_expect_silence(&radio);
	}
	/* A length that is not there: not even a packet. */
	radio_send(&radio, 0, "02 4000 0900 0300 0400 0a 0c00");
	radio_send(&radio, 0, "02 4000");
	radio_expect_silence(&radio);
	/* 64 KiB announced: dropped when there is no more room, and forgotten. */
	radio_send(&radio, 0, "02 4000 0400 ffff 0400");
	char piece[1024];
	size_t n = (size_t) snprintf(piece, sizeof(piece), "02 4010 f000 ");
	memset(piece + n, '0', 480);
	piece[n + 480] = '\0';
	for (int i = 0; i < 6; i++) {
		radio_send(&radio, 0, piece);
	}
	assert_int_equal(radio_forget(&radio), 7);
	radio_att(&radio, 0, 0x40, "0a 0100");
	radio_expect_att(&radio, 0, 0x40, "0b 0018");
	assert_int_equal(radio_lock(station)->n_writes, 0);
}

static void small_packets_carry_large_values(void **state) {
	radio_finish(&radio);
	radio_init(&radio, 1, VHCI_ACL_LEAST, 1);
	radio_add(&radio, 1);
	radio_connect(&radio, 0, 1);
	command("01 0220 00", "04 0e 07 01 0220 00 1b00 08");
	radio_att(&radio, 0, 0x40, "02 0502");
	radio_expect_att(&radio, 0, 0x40, "03 0502");
	radio_att(&radio, 0, 0x40, "0c 1200 9600"); /* 50 octets from 150 on */
	radio_expect(&radio, 0,
		"02 4020 1b00 3300 0400 0d 969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaab");
	radio_expect(
		&radio, 0, "02 4010 1b00 acadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6");
	radio_expect(&radio, 0, "02 4010 0100 c7");
	radio_expect_silence(&radio);
}

static void other_channels_are_refused(void **state) {
	radio_add(&radio, 1);
	radio_connect(&radio, 0, 1);
	/* Pairing Request: not supported. */
	radio_send(&radio, 0, "02 4000 0b00 0700 0600 01 040009100707");
	radio_expect(&radio, 0, "04 13 05 01 4000 0100");
	radio_expect(&radio, 0, "02 4020 0600 0200 0600 05 05");
	/* LE Credit Based Connection Request: not understood. */
	radio_send(&radio, 0, "02 4000 1200 0e00 0500 14 07 0a00 2700 4000 0002 4000 0100");
	radio_expect(&radio, 0, "04 13 05 01 4000 0100");
	radio_expect(&radio, 0, "02 4020 0a00 0600 0500 01 07 0200 0000");
	/* Responses are no requests. */
	radio_send(&radio, 0, "02 4000 0a00 0600 0500 13 01 0200 0000");
	radio_expect(&radio, 0, "04 13 05 01 4000 0100");
	radio_expect_silence(&radio);
}

/* ---- values ---- */

static void listen_to_echo(uint16_t handle) {
	radio_att(&radio, 0, handle, "12 0d00 0200");
	radio_expect_att(&radio, 0, handle, "13");
}

static void an_echo_comes_after_the_response(void **state) {
	struct station *station = radio_add(&radio, 1);
	uint16_t handle = radio_connect(&radio, 0, 1);
	listen_to_echo(handle);
	radio_att(&radio, 0, handle, "02 4000");
	radio_expect_att(&radio, 0, handle, "03 0502");
	assert_int_equal(station->lock->links[0].mtu, 64);
	radio_att(&radio, 0, handle, "12 0c00 cafe");
	radio_expect_att(&radio, 0, handle, "13");
	radio_expect_silence(&radio);
	radio_await_att(&radio, 0, handle, 20, "1d 0c00 cafe");
	radio_att(&radio, 0, handle, "1e");
	radio_pass(&radio, 1000);
	radio_expect_silence(&radio);
}

static void indications_go_one_at_a_time(void **state) {
	radio_add(&radio, 1);
	uint16_t handle = radio_connect(&radio, 0, 1);
	listen_to_echo(handle);
	/* 22 octets of value: 16 + 6 by prepared writes, indicated in pieces of MTU - 3. */
	radio_att(&radio, 0, handle, "16 0c00 0000 000102030405060708090a0b0c0d0e0f");
	radio_expect_att(&radio, 0, handle, "17 0c00 0000 000102030405060708090a0b0c0d0e0f");
	radio_att(&radio, 0, handle, "16 0c00 1000 101112131415");
	radio_expect_att(&radio, 0, handle, "17 0c00 1000 101112131415");
	radio_att(&radio, 0, handle, "18 01");
	radio_expect_att(&radio, 0, handle, "19");
	radio_await_att(&radio, 0, handle, 20, "1d 0c00 000102030405060708090a0b0c0d0e0f10111213");
	radio_pass(&radio, 1000);
	radio_expect_silence(&radio);
	radio_att(&radio, 0, handle, "1e");
	radio_await_att(&radio, 0, handle, 40, "1d 0c00 1415");
	radio_att(&radio, 0, handle, "1e");
	radio_expect_silence(&radio);
}

static void notifications_are_paced(void **state) {
	radio_add(&radio, 1);
	uint16_t handle = radio_connect(&radio, 0, 1);
	radio_att(&radio, 0, handle, "12 1000 0100");
	radio_expect_att(&radio, 0, handle, "13");
	radio_att(&radio, 0, handle, "12 0c00 4e 64");
	radio_expect_att(&radio, 0, handle, "13");
	radio_pass(&radio, 299);
	assert_in_range(radio_forget(&radio), 36, 44);
	radio_pass(&radio, 600);
	assert_in_range(radio_forget(&radio), 56, 64);
	radio_expect_silence(&radio);
}

/* ---- faults ---- */

static uint16_t trouble(struct station *station, enum trouble trouble) {
	uint16_t handle = radio_connect(&radio, 0, 1);
	listen_to_echo(handle);
	station->troubles[trouble] = 1;
	radio_att(&radio, 0, handle, "12 0c00 cafe");
	assert_int_equal(station->troubles[trouble], 0);
	return handle;
}

static void connecting_fails(void **state) {
	struct station *station = radio_add(&radio, 1);
	station->troubles[TROUBLE_CONNECT_FLIP] = 1;
	radio_connect(&radio, 0, 1);
	radio_expect(&radio, 0, "04 05 04 00 4000 3e");
	assert_int_equal(station->lock->counters.connections, 0);
	radio_connect(&radio, 0, 1);
	radio_expect_silence(&radio);
}

/* The kernel gives a Create Connection 4 s and begins anew. */
static int seconds_to_connect(void) {
	for (int s = 0; s < 60; s += 4) {
		radio_create(&radio, 0, 1);
		radio_pass(&radio, 4000);
		if (radio_forget(&radio) > 0) {
			return s;
		}
		radio_send(&radio, 0, "01 0e20 00");
		assert_int_equal(radio_forget(&radio), 2);
		radio_pass(&radio, 200);
	}
	return 60;
}

static void connecting_takes_long(void **state) {
	struct station *station = radio_add(&radio, 1);
	station->troubles[TROUBLE_CONNECT_SLOW] = 1;
	assert_in_range(seconds_to_connect(), 4, 8);
	radio_send(&radio, 0, "01 0604 03 4100 13");
	radio_forget(&radio);
	radio_pass(&radio, 5000);
	assert_int_equal(station->troubles[TROUBLE_CONNECT_SLOW], 0);
}

static void connecting_never_works(void **state) {
	struct station *station = radio_add(&radio, 1);
	station->troubles[TROUBLE_CONNECT_TIMEOUT] = 1;
	assert_in_range(seconds_to_connect(), 36, 44);
	assert_int_equal(station->troubles[TROUBLE_CONNECT_TIMEOUT], 0);
}

static void a_link_breaks_in_a_write(void **state) {
	struct station *station = radio_add(&radio, 1);
	trouble(station, TROUBLE_DROP_IN_WRITE);
	radio_expect(&radio, 0, "04 05 04 00 4000 08");
	assert_int_equal(radio_lock(station)->n_writes, 0);
	trouble(station, TROUBLE_DROP_IN_WRITE_FIRST);
	radio_expect(&radio, 0, "04 05 04 00 4100 08");
	radio_pass(&radio, 1000);
	radio_expect_silence(&radio);
}

static void a_link_breaks_after_a_write(void **state) {
	struct station *station = radio_add(&radio, 1);
	uint16_t handle = trouble(station, TROUBLE_DROP_AFTER_WRITE);
	radio_expect_att(&radio, 0, handle, "13");
	radio_await(&radio, 0, 100, "04 05 04 00 4000 08");
	assert_int_equal(radio_lock(station)->n_writes, 1);
	radio_expect_silence(&radio);
}

static void a_link_breaks_after_so_many_values(void **state) {
	struct station *station = radio_add(&radio, 1);
	station->troubles[TROUBLE_DROP_AFTER] = 2;
	uint16_t handle = radio_connect(&radio, 0, 1);
	listen_to_echo(handle);
	for (int i = 0; i < 2; i++) {
		radio_att(&radio, 0, handle, "12 0c00 cafe");
		radio_expect_att(&radio, 0, handle, "13");
		radio_await_att(&radio, 0, handle, 40, "1d 0c00 cafe");
		radio_att(&radio, 0, handle, "1e");
	}
	radio_await(&radio, 0, 5, "04 05 04 00 4000 08");
	radio_expect_silence(&radio);
}

/* Each packet of a long write and its answers may be the last one. */
static void a_link_breaks_within_a_message(void **state) {
	struct station *station = radio_add(&radio, 1);
	for (unsigned packets = 1; packets < 8; packets++) {
		uint16_t handle = radio_connect(&radio, 0, 1);
		size_t n = 0;
		radio.world->face->drop_after(
			radio.vhci, station, 0, TROUBLE_DROP_PACKETS, packets);
		while (station->lock->links[0].is_up) {
			radio_att(&radio, 0, handle,
				n == 3 ? "18 01" : "16 0c00 0000 0102030405060708");
			n++;
			radio.n_read = radio.n_said - (station->lock->links[0].is_up ? 0 : 1);
		}
		radio_expect(&radio, 0, "04 05 04 00 .... 08");
		assert_int_equal(n, (packets + 1) / 2);
		assert_int_equal(radio_lock(station)->n_writes, 0);
	}
	/* Before there is a link. */
	station->troubles[TROUBLE_DROP_PACKETS] = 1;
	uint16_t handle = radio_connect(&radio, 0, 1);
	radio_att(&radio, 0, handle, "0a 0100");
	radio_expect(&radio, 0, "04 05 04 00 .... 08");
	radio_expect_silence(&radio);
}

/* Two values wait; the link breaks with the first of them. */
static void a_link_breaks_with_a_value(void **state) {
	struct station *station = radio_add(&radio, 1);
	uint16_t handle = radio_connect(&radio, 0, 1);
	listen_to_echo(handle);
	station->troubles[TROUBLE_DUPLICATE] = 1;
	radio_att(&radio, 0, handle, "12 0c00 cafe");
	radio_expect_att(&radio, 0, handle, "13");
	radio.world->face->drop_after(radio.vhci, station, 0, TROUBLE_DROP_PACKETS, 1);
	radio_await(&radio, 0, 20, "04 05 04 00 4000 08");
	radio_expect_silence(&radio);
	assert_false(station->lock->links[0].is_up);
	radio_connect(&radio, 0, 1);
}

static void a_packet_that_is_lost_ends_the_link(void **state) {
	struct station *station = radio_add(&radio, 1);
	uint16_t handle = radio_connect(&radio, 0, 1);
	station->loss = 100;
	radio_att(&radio, 0, handle, "0a 0100");
	radio_expect(&radio, 0, "04 05 04 00 4000 08");
	/* Six packets make a link. */
	radio_connect(&radio, 0, 1);
	radio_expect(&radio, 0, "04 05 04 00 4100 3e");
	station->loss = 0;
	radio_connect(&radio, 0, 1);
	radio_expect_silence(&radio);
}

static void a_lock_in_other_hands_takes_no_link(void **state) {
	struct station *station = radio_add(&radio, 1);
	station->is_taken = true;
	assert_int_equal(seconds_to_connect(), 60);
	assert_int_equal(station->lock->counters.connections, 0);
	station->is_taken = false;
	assert_in_range(seconds_to_connect(), 0, 4);
}

static void a_lock_walks_away(void **state) {
	struct station *station = radio_add(&radio, 1);
	uint16_t handle = radio_connect(&radio, 0, 1);
	listen_to_echo(handle);
	station->is_in_range = false;
	station_changed(station);
	radio_send(&radio, 0, "02 4000 0700 0300 0400 0a 0c00");
	radio_pass(&radio, 419); /* 42 * 10 ms, as asked for */
	radio_expect_silence(&radio);
	assert_true(station->lock->links[0].is_up);
	radio_await(&radio, 0, 2, "04 05 04 00 4000 08");
	assert_false(station->lock->links[0].is_up);
}

static void att_answers_fail(void **state) {
	struct station *station = radio_add(&radio, 1);
	uint16_t handle = trouble(station, TROUBLE_WRITE_ERROR);
	radio_expect_att(&radio, 0, handle, "01 12 0c00 80");
	station->troubles[TROUBLE_DEAF] = 1;
	radio_att(&radio, 0, handle, "12 0c00 cafe");
	radio_expect_att(&radio, 0, handle, "13");
	assert_int_equal(radio_lock(station)->n_writes, 0);
	station->troubles[TROUBLE_MUTE] = 1;
	radio_att(&radio, 0, handle, "12 0c00 cafe");
	radio_expect_att(&radio, 0, handle, "13");
	assert_int_equal(radio_lock(station)->n_writes, 1);
	radio_pass(&radio, 1000);
	radio_expect_silence(&radio);
	station->troubles[TROUBLE_ATT_STALL] = 1;
	radio_att(&radio, 0, handle, "12 0c00 cafe");
	radio_att(&radio, 0, handle, "0a 0c00");
	radio_pass(&radio, 1000);
	radio_expect_silence(&radio);
	/* Until the next link. */
	radio_send(&radio, 0, "01 0604 03 4000 13");
	radio_forget(&radio);
	handle = radio_connect(&radio, 0, 1);
	radio_att(&radio, 0, handle, "0a 0100");
	radio_expect_att(&radio, 0, handle, "0b 0018");
}

static void values_go_astray(void **state) {
	struct station *station = radio_add(&radio, 1);
	uint16_t handle = trouble(station, TROUBLE_LOSE);
	radio_expect_att(&radio, 0, handle, "13");
	radio_pass(&radio, 1000);
	radio_expect_silence(&radio);
	station->troubles[TROUBLE_DUPLICATE] = 1;
	radio_att(&radio, 0, handle, "12 0c00 cafe");
	radio_expect_att(&radio, 0, handle, "13");
	for (int i = 0; i < 2; i++) {
		radio_await_att(&radio, 0, handle, 40, "1d 0c00 cafe");
		radio_att(&radio, 0, handle, "1e");
	}
	station->troubles[TROUBLE_GARBLE] = 1;
	radio_att(&radio, 0, handle, "12 0c00 00");
	radio_expect_att(&radio, 0, handle, "13");
	radio_await_att(&radio, 0, handle, 40, "1d 0c00 40");
	radio_att(&radio, 0, handle, "1e");
	station->troubles[TROUBLE_SLOW] = 1;
	radio_att(&radio, 0, handle, "12 0c00 cafe");
	radio_expect_att(&radio, 0, handle, "13");
	radio_pass(&radio, 3000);
	radio_expect_silence(&radio);
	radio_await_att(&radio, 0, handle, 20, "1d 0c00 cafe");
	radio_att(&radio, 0, handle, "1e");
	station->troubles[TROUBLE_EARLY] = 1;
	radio_att(&radio, 0, handle, "12 0c00 cafe");
	radio_expect_att(&radio, 0, handle, "1d 0c00 cafe");
	radio_expect_att(&radio, 0, handle, "13");
	radio_att(&radio, 0, handle, "1e");
	radio_expect_silence(&radio);
}

static void values_change_places(void **state) {
	struct station *station = radio_add(&radio, 1);
	uint16_t handle = radio_connect(&radio, 0, 1);
	radio_att(&radio, 0, handle, "12 1000 0100");
	radio_expect_att(&radio, 0, handle, "13");
	station->troubles[TROUBLE_REORDER] = 1;
	radio_att(&radio, 0, handle, "12 0c00 4e 03");
	radio_expect_att(&radio, 0, handle, "13");
	radio_await_att(&radio, 0, handle, 20, "1b 0f00 01");
	radio_await_att(&radio, 0, handle, 20, "1b 0f00 00");
	radio_await_att(&radio, 0, handle, 20, "1b 0f00 02");
}

static void the_table_moves_or_is_gone(void **state) {
	struct station *station = radio_add(&radio, 1);
	station->troubles[TROUBLE_STALE_HANDLES] = 1;
	radio_connect(&radio, 0, 1);
	radio_att(&radio, 0, 0x40, "12 0c00 cafe");
	radio_expect_att(&radio, 0, 0x40, "01 12 0c00 01");
	radio_att(&radio, 0, 0x40, "12 1c00 cafe");
	radio_expect_att(&radio, 0, 0x40, "13");
	radio_send(&radio, 0, "01 0604 03 4000 13");
	radio_forget(&radio);
	station->troubles[TROUBLE_NO_OBJECTS] = 1;
	radio_connect(&radio, 0, 1);
	radio_att(&radio, 0, 0x41, "10 0100 ffff 0028");
	radio_expect_att(&radio, 0, 0x41, "01 10 0100 0a");
	radio_send(&radio, 0, "01 0604 03 4100 13");
	radio_forget(&radio);
	station->troubles[TROUBLE_NEVER_RESOLVE] = 1;
	radio_connect(&radio, 0, 1);
	radio_att(&radio, 0, 0x42, "02 0502");
	radio_expect_silence(&radio);
}

static void the_world_cuts_a_link(void **state) {
	struct station *station = radio_add(&radio, 1);
	const struct world_face *face = radio.world->face;
	radio_connect(&radio, 0, 1);
	face->lose(radio.vhci, station, 0);
	radio_expect(&radio, 0, "04 05 04 00 4000 08");
	radio_connect(&radio, 0, 1);
	listen_to_echo(0x41);
	face->drop_after(radio.vhci, station, 0, TROUBLE_DROP_AFTER, 1);
	radio_att(&radio, 0, 0x41, "12 0c00 cafe");
	radio_expect_att(&radio, 0, 0x41, "13");
	radio_await_att(&radio, 0, 0x41, 20, "1d 0c00 cafe");
	radio_await(&radio, 0, 5, "04 05 04 00 4100 08");
	assert_false(face->can_play(radio.vhci, TROUBLE_PHANTOM));
	assert_true(face->can_play(radio.vhci, TROUBLE_MUTE));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void) {
	const struct CMUnitTest tests[] = {
		CASE(a_kernel_finds_its_way),
		CASE(unknown_links_are_said_to_be),
		CASE(an_active_scan_hears_both),
		CASE(services_are_advertised),
		CASE(a_passive_scan_filters_by_address),
		CASE(the_accept_list_is_kept),
		CASE(silence_and_distance_are_not_heard),
		CASE(two_adapters_hear_one_air),
		CASE(strangers_fill_the_air),
		CASE(a_link_comes_and_goes),
		CASE(connecting_waits_and_can_be_cancelled),
		CASE(whoever_is_accepted_is_connected),
		CASE(links_have_a_limit),
		CASE(a_reset_ends_everything),
		CASE(the_lock_hangs_up),
		CASE(fragments_are_put_together),
		CASE(broken_fragments_are_thrown_away),
		CASE(small_packets_carry_large_values),
		CASE(other_channels_are_refused),
		CASE(an_echo_comes_after_the_response),
		CASE(indications_go_one_at_a_time),
		CASE(notifications_are_paced),
		CASE(connecting_fails),
		CASE(connecting_takes_long),
		CASE(connecting_never_works),
		CASE(a_link_breaks_in_a_write),
		CASE(a_link_breaks_after_a_write),
		CASE(a_link_breaks_after_so_many_values),
		CASE(a_link_breaks_within_a_message),
		CASE(a_link_breaks_with_a_value),
		CASE(a_packet_that_is_lost_ends_the_link),
		CASE(a_lock_in_other_hands_takes_no_link),
		CASE(a_lock_walks_away),
		CASE(att_answers_fail),
		CASE(values_go_astray),
		CASE(values_change_places),
		CASE(the_table_moves_or_is_gone),
		CASE(the_world_cuts_a_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
