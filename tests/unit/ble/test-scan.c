/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Discovery windows, what is heard, and what must not be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scene.h"

/* ------------------------------------------------------------------ discovery */

static void finds_an_absent_device(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	fake_device_hide(a);
	UNTIL(t, scene_in_state(t, 0, "absent"));
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	a->rssi = -70;
	fake_device_show(a);
	UNTIL(t, t->users[0].n_ups == 1);
	assert_false(t->fake.was_connect_in_discovery);
	assert_true(t->users[0].n_heard >= 1);
	assert_int_equal(t->users[0].advert.rssi, -70);
	assert_string_equal(t->users[0].advert.name, "Nuki_Fake");
	assert_string_equal(t->users[0].advert.adapter, HCI);
	const struct advert_part *part = advert_manufacturer(&t->users[0].advert, 0x004c);
	assert_non_null(part);
	assert_memory_equal(part->bytes, "\x02\x15\xa9\xc0", 4);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
}

static void an_absent_device_is_not_heard(void **state) {
	struct scene *t = *state;

	fake_device_hide(&t->fake.devices[0]);
	UNTIL(t, scene_in_state(t, 0, "absent"));
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LOCK_NOT_HEARD);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
	assert_int_equal(t->fake.devices[0].n_connects, 0);
}

static void enrolment_hears_everybody(void **state) {
	struct scene *t = *state;
	struct radio_status status;

	assert_int_equal(
		t->radio->impl->scan(t->radio, 4000, scene_scan_heard, scene_scan_ended, t), 0);
	assert_int_equal(
		t->radio->impl->scan(t->radio, 8000, scene_scan_heard, scene_scan_ended, t),
		-EALREADY);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	t->radio->impl->status(t->radio, &status);
	assert_true(status.is_scanning);
	struct fake_device *b = fake_device_add(&t->fake, 0, B);
	b->rssi = -50;
	fake_device_show(b);
	UNTIL(t, t->n_scan_heard == 1);
	assert_string_equal(t->scan_advert.address, B);
	assert_true(t->scan_advert.is_random);
	fake_device_advertise(b, -55, 0xc1);
	UNTIL(t, t->n_scan_heard == 2);
	assert_string_equal(t->scan_advert.name, "Nuki_Fake");
	assert_int_equal(t->scan_advert.rssi, -55);
	/* A link goes before it, and it goes on afterwards. */
	scene_up(t, 0);
	assert_false(t->fake.was_connect_in_discovery);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	UNTIL(t, t->n_scan_ended == 1);
	assert_int_equal(t->scan_fault.code, FAULT_NONE);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
	scene_turn_for(t, 50);
	assert_int_equal(t->n_scan_ended, 1);
}

static void enrolment_can_be_stopped(void **state) {
	struct scene *t = *state;

	assert_int_equal(
		t->radio->impl->scan(t->radio, 60000, scene_scan_heard, scene_scan_ended, t), 0);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	scene_is_inside = true;
	t->radio->impl->scan_stop(t->radio);
	scene_is_inside = false;
	UNTIL(t, t->n_scan_ended == 1 && !t->fake.adapters[0].is_discovering);
}

static void enrolment_without_adapter_says_so(void **state) {
	struct scene *t = *state;

	fake_adapter_power(&t->fake, 0, false);
	UNTIL(t, !scene_is_ready(t));
	assert_int_equal(
		t->radio->impl->scan(t->radio, 60000, scene_scan_heard, scene_scan_ended, t), 0);
	UNTIL(t, t->n_scan_ended == 1);
	assert_int_equal(t->scan_fault.code, FAULT_ADAPTER_OFF);
}

static void a_refused_discovery_is_tried_again(void **state) {
	struct scene *t = *state;

	t->fake.is_discovery_busy = true;
	assert_int_equal(
		t->radio->impl->scan(t->radio, 60000, scene_scan_heard, scene_scan_ended, t), 0);
	UNTIL(t, t->fake.n_start_discovery == 2);
	assert_int_equal(t->fake.n_stop_discovery, 1);
	t->fake.is_discovery_busy = false;
	UNTIL(t, t->fake.adapters[0].is_discovering);
}

static void power_loss_starts_discovery_anew(void **state) {
	struct scene *t = *state;

	assert_int_equal(
		t->radio->impl->scan(t->radio, 60000, scene_scan_heard, scene_scan_ended, t), 0);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	unsigned n_filters = t->fake.n_filters;
	t->fake.adapters[0].is_discovering = false;
	t->fake.adapters[0].is_filtered = false;
	fake_adapter_power(&t->fake, 0, true); /* Discovering=false, still powered: a reset */
	UNTIL(t, t->fake.adapters[0].is_discovering);
	assert_int_equal(t->fake.n_filters, n_filters + 1);
}

static void watch_windows_come_and_go(void **state) {
	struct scene *t = *state;

	scene_link_new(t, 1, B, true);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	struct fake_device *b = fake_device_add(&t->fake, 0, B);
	fake_device_show(b);
	fake_device_advertise(b, -60, 0xc1);
	UNTIL(t, t->users[1].n_heard == 1);
	assert_int_equal(advert_manufacturer(&t->users[1].advert, 0x004c)->bytes[3], 0xc1);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	assert_int_equal(t->fake.n_start_discovery, 2);
	/* Nobody is watched any more. */
	scene_link_free(t, 1);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
}

/* Somebody looks for a good place: what is heard anyway is heard each moment, and no link made. */
static void haste_listens_without_a_pause(void **state) {
	struct scene *t = *state;

	scene_link_new(t, 1, B, true);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	struct fake_device *b = fake_device_add(&t->fake, 0, B);
	fake_device_show(b);
	t->radio->impl->hasten(t->radio, true);
	unsigned before = t->fake.n_start_discovery;
	for (unsigned i = 1; i <= 4; i++) {
		UNTIL(t, t->fake.n_start_discovery >= before + i);
		unsigned n_heard = t->users[1].n_heard;
		fake_device_advertise(b, (int16_t) (-60 - (int) i), 0xc1);
		UNTIL(t, t->users[1].n_heard > n_heard);
		assert_int_equal(t->users[1].advert.rssi, -60 - (int) i);
	}
	assert_int_equal(b->n_connects, 0);
	/* One that is not watched otherwise is heard as well. */
	scene_link_free(t, 1);
	scene_link_new(t, 2, B, false);
	before = t->fake.n_start_discovery;
	UNTIL(t, t->fake.n_start_discovery >= before + 2);
	t->radio->impl->hasten(t->radio, false);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
	before = t->fake.n_start_discovery;
	scene_turn_for(t, 100);
	assert_int_equal(t->fake.n_start_discovery, before);
}

static void hears_its_own_by_other_peoples_scans(void **state) {
	struct scene *t = *state;

	fake_device_advertise(&t->fake.devices[0], -80, 0xc1);
	UNTIL(t, t->users[0].n_heard == 1);
	assert_int_equal(t->users[0].advert.rssi, -80);
}

static void sleeps_in_a_storm(void **state) {
	struct scene *t = *state;

	scene_turn_for(t, 100);
	uint64_t before = central_messages(t->central);
	for (unsigned i = 0; i < 10; i++) {
		fake_storm(&t->fake, 0, 300);
		scene_turn_for(t, 20);
	}
	assert_int_equal(central_messages(t->central) - before, 0);
}

/* Any local process may send us a signal; only bluetoothd's count. */
static void a_forged_signal_is_ignored(void **state) {
	struct scene *t = *state;
	sd_bus *sd = NULL;
	sd_bus_message *m = NULL;
	char name[16];

	scene_up(t, 0);
	assert_true(sd_bus_new(&sd) >= 0);
	assert_true(sd_bus_set_address(sd, t->fake.address) >= 0);
	assert_true(sd_bus_set_bus_client(sd, true) >= 0);
	assert_true(sd_bus_start(sd) >= 0);
	/* All unique names that there can be: one of them is the central's. */
	for (unsigned i = 0; i < 6; i++) {
		assert_true(sd_bus_message_new_signal(sd, &m, t->fake.devices[0].path,
				    "org.freedesktop.DBus.Properties", "PropertiesChanged") >= 0);
		snprintf(name, sizeof(name), ":1.%u", i);
		assert_true(sd_bus_message_set_destination(m, name) >= 0);
		assert_true(sd_bus_message_append(m, "sa{sv}as", "org.bluez.Device1", 1,
				    "Connected", "b", 0, 0) >= 0);
		assert_true(sd_bus_send(sd, m, NULL) >= 0);
		m = sd_bus_message_unref(m);
	}
	sd_bus_flush(sd);
	scene_turn_for(t, 50);
	sd_bus_flush_close_unref(sd);
	assert_int_equal(t->users[0].n_downs, 0);
	assert_true(scene_in_state(t, 0, "ready"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		ONE(finds_an_absent_device),
		ONE(an_absent_device_is_not_heard),
		ONE(enrolment_hears_everybody),
		ONE(enrolment_can_be_stopped),
		ONE(enrolment_without_adapter_says_so),
		ONE(a_refused_discovery_is_tried_again),
		ONE(power_loss_starts_discovery_anew),
		ONE(watch_windows_come_and_go),
		ONE(haste_listens_without_a_pause),
		ONE(hears_its_own_by_other_peoples_scans),
		ONE(sleeps_in_a_storm),
		ONE(a_forged_signal_is_ignored),
	};

	scene_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
