/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An adapter that hears nothing, and what is done about it; bluetooth.service. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ble.h"
#include "journal.h"
#include "scene.h"

#define SCALED(ms) ((ms) *TIME_PERCENT / 100)
#define EVERY SCALED(60000)

/* BlueZ with an adapter and the devices A and B, of which B is watched. */
static void start(void **state, bool is_sole_user, bool may_restart) {
	scene_setup_bus(state);
	struct scene *t = *state;
	struct central_config config = { .is_sole_user = is_sole_user, .may_restart = may_restart };

	journal_forget();
	fake_systemd_start(&t->fake);
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	(void) fake_device_add(&t->fake, 0, A);
	(void) fake_device_add(&t->fake, 0, B);
	scene_central_start(t, &config);
	scene_link_new(t, 0, A, false);
	scene_link_new(t, 1, B, true);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 1, "idle"));
}

/* One watch window, in which B is heard or nothing is. */
static void window(struct scene *t, bool is_heard) {
	UNTIL(t, t->fake.adapters[0].is_discovering);
	if (is_heard) {
		unsigned n = t->users[1].n_heard;
		fake_device_advertise(&t->fake.devices[1], -70, 0xc0);
		UNTIL(t, t->users[1].n_heard > n);
	}
	UNTIL(t, !t->fake.adapters[0].is_discovering);
	scene_clock_skip(EVERY - SCALED(12000));
}

static void windows(struct scene *t, unsigned n, bool is_heard) {
	for (unsigned i = 0; i < n; i++) {
		window(t, is_heard);
	}
}

static unsigned n_alarms(void) {
	return journal_count("LOCKHUB_FAULT=adapter-failing");
}

static void a_deaf_adapter_is_worked_on(void **state) {
	start(state, true, true);
	struct scene *t = *state;

	windows(t, 4, true);
	unsigned n_stops = t->fake.n_stop_discovery;
	windows(t, 2, false);
	assert_int_equal(journal_count("discovery is started anew"), 0);
	assert_int_equal(t->fake.n_stop_discovery, n_stops + 2);
	windows(t, 1, false);
	assert_int_equal(journal_count("discovery is started anew"), 1);
	windows(t, 1, false);
	assert_int_equal(journal_count("links that nobody uses are given up"), 1);
	assert_int_equal(t->fake.n_power_off, 0);
	windows(t, 1, false);
	UNTIL(t, t->fake.n_power_off == 1);
	UNTIL(t, scene_is_ready(t));
	assert_int_equal(t->fake.n_restarts, 0);
	windows(t, 1, false);
	UNTIL(t, t->fake.n_restarts == 1);
	assert_string_equal(t->fake.restarted, "bluetooth.service replace");
	assert_int_equal(n_alarms(), 0);
	windows(t, 1, false);
	assert_int_equal(n_alarms(), 1);
	/* That is all: as long as nothing is heard there may be nothing. */
	windows(t, 12, false);
	assert_int_equal(n_alarms(), 1);
	assert_int_equal(t->fake.n_power_off, 1);
	assert_int_equal(t->fake.n_restarts, 1);
	/* It is heard again, and is lost again. */
	windows(t, 3, true);
	windows(t, 3, false);
	assert_int_equal(journal_count("discovery is started anew"), 2);
}

/* Somebody looks for a good place and carries the hub away: what is not heard then is no sign. */
static void haste_makes_no_adapter_deaf(void **state) {
	start(state, true, true);
	struct scene *t = *state;

	windows(t, 4, true);
	t->radio->impl->hasten(t->radio, true);
	unsigned before = t->fake.n_start_discovery;
	UNTIL(t, t->fake.n_start_discovery >= before + 12);
	assert_int_equal(journal_count("discovery is started anew"), 0);
	assert_int_equal(t->fake.n_power_off, 0);
	/* Afterwards it counts again. */
	t->radio->impl->hasten(t->radio, false);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
	windows(t, 4, false);
	assert_int_equal(journal_count("discovery is started anew"), 1);
}

static void a_shared_adapter_is_not_switched_off(void **state) {
	start(state, false, false);
	struct scene *t = *state;

	windows(t, 3, true);
	windows(t, 9, false);
	assert_int_equal(n_alarms(), 1);
	assert_int_equal(t->fake.n_power_off, 0);
	assert_int_equal(t->fake.n_restarts, 0);
}

static void a_quiet_place_is_not_deafness(void **state) {
	start(state, true, true);
	struct scene *t = *state;

	/* Never, or not as a rule. */
	windows(t, 5, false);
	windows(t, 2, true);
	windows(t, 6, false);
	assert_int_equal(t->fake.n_power_off, 0);
	assert_int_equal(journal_count("nothing is heard any more"), 0);
}

/* One lock is gone, another is still heard: not the adapter's fault. */
static void another_that_is_heard_is_proof(void **state) {
	start(state, true, true);
	struct scene *t = *state;

	windows(t, 4, true);
	for (unsigned i = 0; i < 6; i++) {
		UNTIL(t, t->fake.adapters[0].is_discovering);
		unsigned n = t->users[0].n_heard;
		fake_device_advertise(&t->fake.devices[0], -80, 0xc0);
		UNTIL(t, t->users[0].n_heard > n);
		window(t, false);
	}
	assert_int_equal(journal_count("nothing is heard any more"), 0);
}

/* And so is a link that comes up: to connect the radio must have heard the device. */
static void a_link_is_proof(void **state) {
	start(state, true, true);
	struct scene *t = *state;

	windows(t, 4, true);
	for (unsigned i = 0; i < 6; i++) {
		UNTIL(t, t->fake.adapters[0].is_discovering);
		scene_up(t, 0);
		scene_drop(t, 0);
		UNTIL(t, scene_in_state(t, 0, "idle"));
		window(t, false);
	}
	assert_int_equal(journal_count("nothing is heard any more"), 0);
}

static void only_idle_links_are_given_up(void **state) {
	start(state, false, false);
	struct scene *t = *state;

	scene_link_new(t, 2, C, false);
	struct fake_device *c = fake_device_add(&t->fake, 0, C);
	fake_device_show(c);
	windows(t, 3, true);
	windows(t, 3, false);
	scene_up(t, 0);
	scene_up(t, 2);
	scene_release(t, 2);
	assert_true(scene_in_state(t, 2, "linger"));
	recovery_step(&t->central->adapters[0], TROUBLE_FAILING, "a test");
	UNTIL(t, t->users[2].n_downs == 1);
	assert_true(scene_in_state(t, 0, "ready"));
	assert_int_equal(t->users[0].n_downs, 0);
}

static void a_hung_bluetoothd_is_restarted_if_allowed(void **state) {
	start(state, false, true);
	struct scene *t = *state;

	t->fake.is_hung = true;
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, scene_status_fault(t) == FAULT_BLUEZ_HUNG);
	UNTIL(t, t->fake.n_restarts == 1);
	assert_string_equal(t->fake.restarted, "bluetooth.service replace");
	/* Not again before it can have helped. */
	scene_clock_skip(SCALED(60000));
	scene_turn_for(t, SCALED(20000));
	assert_int_equal(t->fake.n_restarts, 1);
	/* systemd does as told. */
	t->fake.is_hung = false;
	fake_die(&t->fake);
	fake_start(&t->fake);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	scene_up(t, 0);
	assert_int_equal(journal_count("is being restarted"), 1);
}

static void by_default_nothing_is_restarted(void **state) {
	start(state, true, false);
	struct scene *t = *state;

	t->fake.is_hung = true;
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, scene_status_fault(t) == FAULT_BLUEZ_HUNG);
	scene_clock_skip(SCALED(60000));
	scene_turn_for(t, 50);
	assert_int_equal(t->fake.n_restarts, 0);
}

static struct fault hindrance(struct scene *t) {
	struct radio_status status;

	t->radio->impl->status(t->radio, &status);
	return status.hindrance;
}

static void a_denied_restart_is_told(void **state) {
	start(state, false, true);
	struct scene *t = *state;

	t->fake.restart_error = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";
	t->fake.is_hung = true;
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->fake.n_restarts == 1);
	UNTIL(t, journal_count("LOCKHUB_FAULT=restart-denied") == 1);
	assert_int_equal(journal_count("bluetooth-restart.rules"), 1);
	assert_int_equal(journal_count("Interactive authentication required"), 1);
	/* The status tells of both: the hang, and what keeps it from being helped. */
	assert_int_equal(scene_status_fault(t), FAULT_BLUEZ_HUNG);
	assert_int_equal(hindrance(t).code, FAULT_RESTART_DENIED);
	assert_string_equal(hindrance(t).detail, "Interactive authentication required.");
	/* It lasts as long as the trouble. */
	scene_clock_skip(SCALED(20000));
	scene_turn_for(t, 50);
	assert_int_equal(hindrance(t).code, FAULT_RESTART_DENIED);
	t->fake.is_hung = false;
	UNTIL(t, scene_status_fault(t) == FAULT_NONE);
	assert_int_equal(hindrance(t).code, FAULT_NONE);
}

static void a_denial_ends_with_another_bluetoothd(void **state) {
	start(state, false, true);
	struct scene *t = *state;

	t->fake.restart_error = "org.freedesktop.DBus.Error.AccessDenied";
	t->fake.is_hung = true;
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, hindrance(t).code == FAULT_RESTART_DENIED);
	/* Somebody else restarts it. */
	t->fake.is_hung = false;
	fake_die(&t->fake);
	fake_start(&t->fake);
	UNTIL(t, scene_is_ready(t));
	assert_int_equal(hindrance(t).code, FAULT_NONE);
}

/* A person asks, while it does not even hang: the denial is the answer to that alone. */
static void who_asks_for_a_restart_is_told_what_came_of_it(void **state) {
	start(state, false, true);
	struct scene *t = *state;
	struct fault fault = { .code = FAULT_NONE };

	assert_int_equal(central_restart_outcome(t->central, &fault), 0);
	t->fake.restart_error = "org.freedesktop.DBus.Error.AccessDenied";
	assert_int_equal(central_restart_service(t->central, &fault), 0);
	assert_int_equal(central_restart_outcome(t->central, &fault), 0);
	UNTIL(t, t->central->call_restart == NULL);
	assert_int_equal(central_restart_outcome(t->central, &fault), -EACCES);
	assert_int_equal(fault.code, FAULT_RESTART_DENIED);
	/* The next one is another matter. */
	fault.code = FAULT_NONE;
	t->fake.restart_error = NULL;
	assert_int_equal(central_restart_service(t->central, &fault), 0);
	UNTIL(t, t->central->call_restart == NULL);
	assert_int_equal(central_restart_outcome(t->central, &fault), 0);
	assert_int_equal(fault.code, FAULT_NONE);
	assert_int_equal(hindrance(t).code, FAULT_NONE);
	assert_int_equal(t->fake.n_restarts, 2);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		BARE(a_deaf_adapter_is_worked_on),
		BARE(haste_makes_no_adapter_deaf),
		BARE(a_shared_adapter_is_not_switched_off),
		BARE(a_quiet_place_is_not_deafness),
		BARE(another_that_is_heard_is_proof),
		BARE(a_link_is_proof),
		BARE(only_idle_links_are_given_up),
		BARE(a_hung_bluetoothd_is_restarted_if_allowed),
		BARE(by_default_nothing_is_restarted),
		BARE(a_denied_restart_is_told),
		BARE(a_denial_ends_with_another_bluetoothd),
		BARE(who_asks_for_a_restart_is_told_what_came_of_it),
	};

	scene_prepare();
	journal_catch();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
