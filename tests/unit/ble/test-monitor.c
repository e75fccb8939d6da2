/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Advertisement monitors: heard at once where BlueZ has them, windows as ever where not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

#define SCALED(ms) ((ms) *TIME_PERCENT / 100)
#define WINDOW_EVERY SCALED(60000)
#define SLOW_EVERY SCALED(300000)

static struct fake_monitor *monitor_of(struct scene *t) {
	return &t->fake.adapters[0].monitor;
}

/* The scene of ONE, with the device B, whose beacon is watched, and BlueZ like this. */
static struct fake_device *watch(struct scene *t, enum fake_monitoring monitoring) {
	t->fake.monitoring = monitoring;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	struct fake_device *b = fake_device_add(&t->fake, 0, B);
	struct central_config config = { 0 };
	scene_central_start(t, &config);
	scene_link_new(t, 1, B, true);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 1, "idle"));
	return b;
}

static struct fake_device *watch_with_monitor(struct scene *t) {
	struct fake_device *b = watch(t, MONITORING_ON);

	UNTIL(t, t->fake.n_activated == 1);
	return b;
}

static void first_window_is_over(struct scene *t) {
	UNTIL(t, t->fake.adapters[0].is_discovering);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
}

/* The next window begins after the usual pause. */
static void windows_come_as_ever(struct scene *t) {
	unsigned n = t->fake.n_start_discovery;
	int64_t begin = scene_now_ms();

	UNTIL(t, t->fake.n_start_discovery > n);
	assert_in_range(scene_now_ms() - begin, 0, WINDOW_EVERY + 500);
}

static void a_change_is_heard_at_once(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;
	struct fake_device *b = watch_with_monitor(t);

	assert_string_equal(monitor_of(t)->type, "or_patterns");
	assert_int_equal(monitor_of(t)->n_patterns, 1);
	assert_memory_equal(monitor_of(t)->patterns, "\x00\xff\x04\x4c\x00\x02\x15", 7);
	/* Without them DeviceFound would come with each advertisement. */
	assert_true(monitor_of(t)->has_thresholds);
	first_window_is_over(t);
	unsigned n = t->users[1].n_heard;
	fake_device_beacon(b, 0xc1);
	UNTIL(t, t->users[1].n_heard == n + 2); /* the data, DeviceFound */
	assert_int_equal(advert_manufacturer(&t->users[1].advert, 0x004c)->bytes[3], 0xc1);
	assert_int_equal(t->users[1].advert.rssi, 0);
	assert_string_equal(t->users[1].advert.adapter, HCI);
	/* What does not change does not wake us. */
	uint64_t n_messages = central_messages(t->central);
	for (unsigned i = 0; i < 20; i++) {
		fake_device_beacon(b, 0xc1);
	}
	scene_turn_for(t, 30);
	assert_int_equal(central_messages(t->central), n_messages);
	assert_int_equal(t->users[1].n_heard, n + 2);
	fake_device_beacon(b, 0xc0);
	UNTIL(t, t->users[1].n_heard == n + 3);
}

static void windows_become_seldom(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	(void) watch_with_monitor(t);
	first_window_is_over(t);
	scene_clock_skip(2 * WINDOW_EVERY);
	scene_turn_for(t, 50);
	assert_int_equal(t->fake.n_start_discovery, 1);
	scene_clock_skip(SLOW_EVERY - 2 * WINDOW_EVERY);
	UNTIL(t, t->fake.n_start_discovery == 2);
}

static void a_default_bluetoothd_is_not_asked(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	(void) watch(t, MONITORING_NONE);
	first_window_is_over(t);
	windows_come_as_ever(t);
	assert_int_equal(t->fake.n_registered, 0);
}

static void a_version_that_never_matches_is_not_asked(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	t->fake.is_silent_version = true;
	(void) watch(t, MONITORING_ON);
	first_window_is_over(t);
	windows_come_as_ever(t);
	assert_int_equal(t->fake.n_registered, 0);
}

static void is_refused(struct scene *t, const char *name, const char *text) {
	t->fake.error_name = name;
	t->fake.error_text = text;
	(void) watch(t, MONITORING_REFUSED);
	UNTIL(t, t->fake.n_registered == 1);
	first_window_is_over(t);
	windows_come_as_ever(t);
	assert_int_equal(t->fake.n_registered, 1);
	/* Somebody has mended it. */
	t->fake.monitoring = MONITORING_ON;
	scene_clock_skip(SCALED(60 * 60 * 1000));
	UNTIL(t, t->fake.n_activated == 1);
}

static void not_supported_leaves_windows(void **state) {
	scene_setup_bus(state);
	is_refused(*state, "org.bluez.Error.NotSupported", "Operation is not supported");
}

static void denied_leaves_windows(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	is_refused(t, "org.freedesktop.DBus.Error.AccessDenied", "Rejected send message");
	assert_true(scene_is_ready(t)); /* a refused extra is no fault of BlueZ's */
}

static void an_unwelcome_monitor_leaves_windows(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	(void) watch(t, MONITORING_INVALID);
	UNTIL(t, t->fake.n_unregistered == 1);
	first_window_is_over(t);
	windows_come_as_ever(t);
	assert_int_equal(t->fake.n_registered, 1);
}

static void without_activation_windows_go_on(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	(void) watch(t, MONITORING_SLUGGISH);
	UNTIL(t, t->fake.n_unregistered == 1); /* given up, and given back */
	first_window_is_over(t);
	windows_come_as_ever(t);
	assert_int_equal(t->fake.n_registered, 1);
}

static void a_released_one_brings_windows_back(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	(void) watch_with_monitor(t);
	first_window_is_over(t);
	scene_turn_for(t, 20);
	fake_monitor_release(&t->fake, 0);
	/* At once: nobody has listened since. */
	UNTIL(t, t->fake.n_start_discovery == 2);
	scene_clock_skip(SCALED(60000));
	UNTIL(t, t->fake.n_activated == 2);
}

static void power_off_and_on_registers_again(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	(void) watch_with_monitor(t);
	first_window_is_over(t);
	fake_adapter_power(&t->fake, 0, false);
	UNTIL(t, !scene_is_ready(t));
	fake_adapter_power(&t->fake, 0, true);
	UNTIL(t, t->fake.n_activated == 2);
	struct fake_device *b = &t->fake.devices[0];
	unsigned n = t->users[1].n_heard;
	fake_device_beacon(b, 0xc1);
	UNTIL(t, t->users[1].n_heard > n);
}

/* BlueZ still has the root: of a call whose answer has never come. */
static void an_older_registration_is_replaced(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	snprintf(monitor_of(t)->root, sizeof(monitor_of(t)->root), "/older");
	(void) watch_with_monitor(t);
	assert_int_equal(t->fake.n_registered, 2);
	assert_int_equal(t->fake.n_unregistered, 1);
}

static void bluetoothd_back_registers_again(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	(void) watch_with_monitor(t);
	fake_die(&t->fake);
	UNTIL(t, !scene_is_ready(t));
	fake_start(&t->fake);
	UNTIL(t, t->fake.n_activated == 2);
	/* And a default one does not offer it any more. */
	fake_die(&t->fake);
	UNTIL(t, !scene_is_ready(t));
	t->fake.monitoring = MONITORING_NONE;
	fake_start(&t->fake);
	UNTIL(t, scene_is_ready(t));
	scene_turn_for(t, 50);
	assert_int_equal(t->fake.n_registered, 2);
}

static void the_bus_back_registers_again(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	(void) watch_with_monitor(t);
	fake_bus_kill(&t->fake);
	UNTIL(t, scene_status_fault(t) == FAULT_BUS_LOST);
	fake_bus_again(&t->fake);
	fake_start(&t->fake);
	UNTIL(t, t->fake.n_activated == 2);
}

static void nobody_watched_gives_it_back(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;

	(void) watch_with_monitor(t);
	scene_link_free(t, 1);
	UNTIL(t, t->fake.n_unregistered == 1);
	assert_false(monitor_of(t)->is_active);
	scene_turn_for(t, 20);
	assert_int_equal(t->fake.n_registered, 1);
	/* And again. */
	scene_link_new(t, 1, B, true);
	UNTIL(t, t->fake.n_activated == 2);
}

/* One device that can only be found by windows is reason enough for them. */
static void a_device_without_patterns_keeps_the_windows(void **state) {
	static const struct radio_subscription none[] = { { NULL, NULL, false } };
	static const struct radio_user nobody = { 0 };
	struct radio_target target = {
		.address = C, .is_random = true, .subscriptions = none, .is_watched = true
	};

	scene_setup_bus(state);
	struct scene *t = *state;
	(void) watch_with_monitor(t);
	t->links[2] = t->radio->impl->link_new(t->radio, &target, &nobody, NULL);
	assert_non_null(t->links[2]);
	first_window_is_over(t);
	windows_come_as_ever(t);
}

static void found_and_lost_are_taken(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;
	struct fake_device *b = watch_with_monitor(t);

	fake_device_beacon(b, b->data[3]);
	UNTIL(t, t->users[1].n_heard == 1);
	fake_monitor_lost(b);
	struct fake_device *stranger = fake_device_add(&t->fake, 0, D);
	fake_device_beacon(stranger, stranger->data[3]);
	fake_device_beacon(b, b->data[3]);
	UNTIL(t, t->users[1].n_heard == 2);
	assert_int_equal(monitor_of(t)->is_active, true);
}

static int count_error(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	unsigned *n = user;

	(void) ret_error;
	*n += sd_bus_message_is_method_error(message, NULL) > 0;
	return 0;
}

/* Any local process may call us. */
static void a_stranger_cannot_release_it(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;
	sd_bus *sd = NULL;
	unsigned n_errors = 0;

	(void) watch_with_monitor(t);
	first_window_is_over(t);
	assert_true(sd_bus_new(&sd) >= 0);
	assert_true(sd_bus_set_address(sd, t->fake.address) >= 0);
	assert_true(sd_bus_set_bus_client(sd, true) >= 0);
	assert_true(sd_bus_start(sd) >= 0);
	assert_true(sd_bus_call_method_async(sd, NULL, monitor_of(t)->owner, monitor_of(t)->path,
			    "org.bluez.AdvertisementMonitor1", "Release", count_error, &n_errors,
			    "") >= 0);
	int64_t end = scene_now_ms() + 8000;
	while (n_errors == 0) {
		assert_true(scene_now_ms() < end);
		assert_true(sd_bus_process(sd, NULL) >= 0);
		scene_turn(t);
	}
	sd_bus_flush_close_unref(sd);
	scene_clock_skip(2 * WINDOW_EVERY);
	scene_turn_for(t, 30);
	assert_int_equal(t->fake.n_start_discovery, 1); /* it is on as before */
}

int main(void) {
	const struct CMUnitTest tests[] = {
		BARE(a_change_is_heard_at_once),
		BARE(windows_become_seldom),
		BARE(a_default_bluetoothd_is_not_asked),
		BARE(a_version_that_never_matches_is_not_asked),
		BARE(not_supported_leaves_windows),
		BARE(denied_leaves_windows),
		BARE(an_unwelcome_monitor_leaves_windows),
		BARE(without_activation_windows_go_on),
		BARE(a_released_one_brings_windows_back),
		BARE(power_off_and_on_registers_again),
		BARE(an_older_registration_is_replaced),
		BARE(bluetoothd_back_registers_again),
		BARE(the_bus_back_registers_again),
		BARE(nobody_watched_gives_it_back),
		BARE(a_device_without_patterns_keeps_the_windows),
		BARE(found_and_lost_are_taken),
		BARE(a_stranger_cannot_release_it),
	};

	scene_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
