/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BlueZ and adapters come and go; several links share an adapter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

/* ------------------------------------------------------------------ BlueZ and adapters */

static void survives_bluetoothd(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	assert_int_equal(scene_write_text(t, 0, "x"), 0);
	t->fake.devices[0].write = WRITE_STALL;
	fake_turn(&t->fake);
	fake_die(&t->fake);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_BLUEZ_MISSING);
	assert_int_equal(t->users[0].n_written, 1);
	assert_int_equal(t->users[0].written_sent, RADIO_MAYBE_SENT);
	assert_int_equal(scene_status_fault(t), FAULT_BLUEZ_MISSING);
	assert_true(scene_in_state(t, 0, "absent"));

	t->fake.devices[0].write = WRITE_ECHO;
	fake_start(&t->fake);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	scene_up(t, 0);
	assert_int_equal(scene_write_text(t, 0, "y"), 0);
	UNTIL(t, t->users[0].n_written == 2);
	assert_int_equal(t->users[0].written_error, 0);
}

static void a_want_outlives_a_short_absence(void **state) {
	struct scene *t = *state;

	fake_die(&t->fake);
	UNTIL(t, !scene_is_ready(t));
	scene_want(t, 0, RADIO_NEED_LOCK);
	scene_turn_for(t, 50); /* it holds for 250 */
	assert_int_equal(t->users[0].n_downs, 0);
	fake_start(&t->fake);
	UNTIL(t, t->users[0].n_ups == 1);
}

static void a_want_does_not_outlive_a_long_absence(void **state) {
	struct scene *t = *state;

	fake_die(&t->fake);
	UNTIL(t, !scene_is_ready(t));
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_BLUEZ_MISSING);
}

static void adapters_that_come_late_are_found(void **state) {
	struct scene *t = *state;

	fake_die(&t->fake);
	UNTIL(t, !scene_is_ready(t));
	t->fake.adapters[0].is_present = false;
	t->fake.devices[0].is_present = false;
	fake_start(&t->fake);
	scene_turn_for(t, 20);
	fake_adapter_add(&t->fake, 0, HCI, true);
	t->fake.devices[0].is_present = true;
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	scene_up(t, 0);
}

static void survives_the_bus(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	/* Cut off by the bus, as when it is restarted. */
	fake_bus_kill(&t->fake);
	UNTIL(t, t->users[0].n_downs == 1 && scene_status_fault(t) == FAULT_BUS_LOST);
	/* A dying bus may tell of bluetoothd first. */
	assert_true(t->users[0].fault.code == FAULT_BUS_LOST ||
		    t->users[0].fault.code == FAULT_BLUEZ_MISSING);
	assert_true(central_answered_lately(t->central));
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 2);
	assert_int_equal(t->users[0].fault.code, FAULT_BUS_LOST);
	/* It is back at the same address, after tries with more and more time between them. */
	scene_clock_skip(20000);
	scene_turn_for(t, 20);
	fake_bus_again(&t->fake);
	fake_start(&t->fake);
	scene_clock_skip(30000);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	scene_up(t, 0);
	assert_int_equal(scene_write_text(t, 0, "x"), 0);
	UNTIL(t, t->users[0].n_written == 1 && t->users[0].n_bytes == 1);
	assert_int_equal(t->users[0].written_error, 0);
	scene_drop(t, 0);
	UNTIL(t, scene_in_state(t, 0, "idle"));
}

/*
 * It died in a discovery window: the kernel scans on, and Connect waits. Nothing speaks against the
 * lock then.
 */
static void a_restart_just_before_is_no_fault_of_the_lock(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	fake_die(&t->fake);
	UNTIL(t, !scene_is_ready(t));
	a->connect = CONNECT_PENDING;
	fake_start(&t->fake);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	t->radio->impl->want(t->links[0], RADIO_NEED_UNLOCK, 9500);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_RADIO_BUSY);
	assert_non_null(strstr(t->users[0].fault.detail, "restarted just before"));
	UNTIL(t, scene_in_state(t, 0, "idle"));
	/* Later it is the lock again. */
	scene_clock_skip(10300);
	t->radio->impl->want(t->links[0], RADIO_NEED_UNLOCK, 9500);
	UNTIL(t, t->users[0].n_downs == 2);
	assert_int_equal(t->users[0].fault.code, FAULT_LOCK_NOT_HEARD);
	UNTIL(t, scene_in_state(t, 0, "idle"));
}

/* The other sign of it: discovery does not start. */
static void a_busy_controller_is_no_fault_of_the_lock(void **state) {
	struct scene *t = *state;

	t->fake.is_discovery_busy = true;
	t->fake.devices[0].connect = CONNECT_PENDING;
	assert_int_equal(
		t->radio->impl->scan(t->radio, 60000, scene_scan_heard, scene_scan_ended, t), 0);
	UNTIL(t, t->fake.n_start_discovery == 1);
	scene_turn_for(t, 10);
	t->radio->impl->scan_stop(t->radio);
	t->radio->impl->want(t->links[0], RADIO_NEED_UNLOCK, 9500);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_RADIO_BUSY);
	UNTIL(t, scene_in_state(t, 0, "idle"));
}

/* The controller has two links, though we think it has three. */
static void fewer_slots_are_learnt(void **state) {
	struct scene *t = *state;
	struct fake_device *c = &t->fake.devices[2];

	t->fake.adapters[0].links_max = 2;
	scene_up(t, 0);
	scene_up(t, 1);
	scene_want(t, 2, RADIO_NEED_LOCK);
	UNTIL(t, t->users[2].n_downs == 1);
	assert_int_equal(c->n_connects, 3);
	UNTIL(t, scene_in_state(t, 2, "idle"));
	scene_drop(t, 0);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	scene_up(t, 2);
	/* From now on the third waits for its turn. */
	unsigned n = t->fake.devices[0].n_connects;
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 2);
	assert_int_equal(t->users[0].fault.code, FAULT_RADIO_BUSY);
	assert_int_equal(t->fake.devices[0].n_connects, n);
	/* For an hour: perhaps it was something else. */
	scene_clock_skip(60 * 60 * 1000 * TIME_PERCENT / 100);
	t->fake.adapters[0].links_max = 0;
	scene_up(t, 0);
	assert_true(scene_in_state(t, 1, "ready") && scene_in_state(t, 2, "ready"));
}

/* A lock that fails, and works when others are still there, has had another trouble. */
static void a_bad_lock_teaches_nothing(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	t->fake.devices[1].n_fail_connects = 3;
	scene_want(t, 1, RADIO_NEED_LOCK);
	UNTIL(t, t->users[1].n_downs == 1 && scene_in_state(t, 1, "idle"));
	scene_up(t, 1);
	scene_up(t, 2);
	assert_int_equal(t->fake.devices[2].n_connects, 1);
}

/* The kernel loses track of a connection that it makes while it hangs up another. */
static void nobody_connects_while_another_hangs_up(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0], *b = &t->fake.devices[1];

	scene_up(t, 0);
	a->disconnect_ms = 100; /* two seconds in the scene's time */
	scene_drop(t, 0);
	scene_want(t, 1, RADIO_NEED_UNLOCK);
	while (!scene_in_state(t, 0, "idle")) {
		assert_int_equal(b->n_connects, 0);
		scene_turn(t);
	}
	UNTIL(t, t->users[1].n_ups == 1);
	/* One that is never answered is not waited for. */
	scene_up(t, 0);
	a->is_disconnect_swallowed = true;
	scene_drop(t, 0);
	scene_want(t, 2, RADIO_NEED_UNLOCK);
	UNTIL(t, t->users[2].n_ups == 1);
	assert_false(scene_in_state(t, 0, "idle"));
}

static void adapter_off_and_on(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	fake_adapter_power(&t->fake, 0, false);
	UNTIL(t, t->users[0].n_downs == 1 && scene_status_fault(t) == FAULT_ADAPTER_OFF);
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 2);
	assert_int_equal(t->users[0].fault.code, FAULT_ADAPTER_OFF);
	fake_adapter_power(&t->fake, 0, true);
	UNTIL(t, scene_is_ready(t));
	scene_up(t, 0);
}

static void adapter_comes_back_under_another_name(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	fake_adapter_remove(&t->fake, 0);
	UNTIL(t, t->users[0].n_downs == 1);
	UNTIL(t, scene_status_fault(t) == FAULT_ADAPTER_MISSING);
	assert_true(scene_in_state(t, 0, "absent"));
	fake_adapter_add(&t->fake, 2, HCI, true);
	struct fake_device *a = fake_device_add(&t->fake, 2, A);
	fake_device_show(a);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	scene_up(t, 0);
	assert_int_equal(a->n_connects, 1);
}

static void only_the_chosen_adapter_is_used(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	fake_adapter_add(&t->fake, 1, "00:AA:01:00:00:01", true);
	struct fake_device *on_first = fake_device_add(&t->fake, 0, A);
	struct fake_device *on_second = fake_device_add(&t->fake, 1, A);
	struct central_config config = { .adapter = "00:aa:01:00:00:01" };
	scene_central_start(t, &config);
	scene_link_new(t, 0, A, false);
	UNTIL(t, scene_is_ready(t));
	scene_up(t, 0);
	assert_int_equal(on_first->n_connects, 0);
	assert_int_equal(on_second->n_connects, 1);
}

static void starts_without_anything(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;
	struct central_config config = { 0 };
	scene_central_start(t, &config);
	scene_link_new(t, 0, A, false);
	UNTIL(t, scene_status_fault(t) == FAULT_BLUEZ_MISSING);
	scene_turn_for(t, 100);
	fake_start(&t->fake);
	UNTIL(t, scene_status_fault(t) == FAULT_ADAPTER_MISSING);
	fake_adapter_add(&t->fake, 0, HCI, false);
	UNTIL(t, scene_status_fault(t) == FAULT_ADAPTER_OFF);
	fake_adapter_power(&t->fake, 0, true);
	UNTIL(t, scene_is_ready(t));
	(void) fake_device_add(&t->fake, 0, A);
	fake_device_show(&t->fake.devices[0]);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	scene_up(t, 0);
}

/* Only where lockhub owns the adapter may it be switched off to get a link down. */
static void a_sole_user_switches_the_adapter_off_and_on(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	struct fake_device *a = fake_device_add(&t->fake, 0, A);
	struct central_config config = { .is_sole_user = true };
	scene_central_start(t, &config);
	scene_link_new(t, 0, A, false);
	scene_up(t, 0);
	a->is_disconnect_swallowed = true;
	scene_drop(t, 0);
	UNTIL(t, t->fake.n_power_off == 1);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	assert_false(a->is_connected);
	scene_up(t, 0);
}

static void orphans_are_closed_at_the_start(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	struct fake_device *a = fake_device_add(&t->fake, 0, A);
	struct fake_device *b = fake_device_add(&t->fake, 0, B);
	a->is_connected = a->is_resolved = a->has_gatt = true;
	b->is_connected = true; /* nobody's: not ours to close */
	struct central_config config = { 0 };
	scene_central_start(t, &config);
	scene_link_new(t, 0, A, false);
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_ups == 1);
	assert_int_equal(a->n_disconnects, 1);
	assert_int_equal(a->n_connects, 1);
	assert_int_equal(b->n_disconnects, 0);
}

static void a_hung_bluetoothd_is_named(void **state) {
	struct scene *t = *state;

	t->fake.is_hung = true;
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, scene_status_fault(t) == FAULT_BLUEZ_HUNG);
	assert_true(central_answered_lately(t->central));
	UNTIL(t, t->users[0].n_downs >= 1);
	assert_true(t->users[0].fault.code == FAULT_BLUEZ_HUNG ||
		    t->users[0].fault.code == FAULT_LINK_STUCK ||
		    t->users[0].fault.code == FAULT_LOCK_NOT_HEARD);
	t->fake.is_hung = false;
	UNTIL(t, scene_is_ready(t));
	UNTIL(t, scene_in_state(t, 0, "idle"));
	scene_up(t, 0);
}

/* ------------------------------------------------------------------ several */

static void one_connects_at_a_time(void **state) {
	struct scene *t = *state;

	for (unsigned i = 0; i < 3; i++) {
		scene_want(t, i, RADIO_NEED_UNLOCK);
	}
	UNTIL(t, t->users[0].n_ups == 1 && t->users[1].n_ups == 1 && t->users[2].n_ups == 1);
	assert_int_equal(t->fake.n_connecting_most, 1);
}

static void the_last_slot_is_for_people(void **state) {
	struct scene *t = *state;

	for (unsigned i = 0; i < 3; i++) {
		scene_want(t, i, RADIO_NEED_BACKGROUND);
	}
	UNTIL(t, t->users[0].n_ups == 1 && t->users[1].n_ups == 1);
	scene_turn_for(t, 50);
	assert_int_equal(t->users[2].n_ups, 0);
	scene_want(t, 3, RADIO_NEED_LOCK);
	UNTIL(t, t->users[3].n_ups == 1);
	assert_int_equal(t->users[2].n_ups, 0);
	/* The one that waits goes on when a slot is given back. */
	scene_drop(t, 0);
	scene_drop(t, 3);
	UNTIL(t, t->users[2].n_ups == 1);
}

static void a_person_pushes_out_a_lingering_link(void **state) {
	struct scene *t = *state;

	for (unsigned i = 0; i < 3; i++) {
		scene_up(t, i);
	}
	scene_release(t, 1);
	scene_want(t, 3, RADIO_NEED_UNLOCK);
	UNTIL(t, t->users[3].n_ups == 1);
	assert_int_equal(t->users[1].n_downs, 1);
	assert_int_equal(t->users[1].fault.code, FAULT_NONE);
	assert_int_equal(t->users[0].n_downs + t->users[2].n_downs, 0);
}

static void without_a_slot_the_radio_is_busy(void **state) {
	struct scene *t = *state;

	for (unsigned i = 0; i < 3; i++) {
		scene_up(t, i);
	}
	scene_want(t, 3, RADIO_NEED_UNLOCK);
	UNTIL(t, t->users[3].n_downs == 1);
	assert_int_equal(t->users[3].fault.code, FAULT_RADIO_BUSY);
	assert_int_equal(t->fake.devices[3].n_connects, 0);
}

static void the_most_urgent_goes_first(void **state) {
	struct scene *t = *state;

	t->fake.devices[0].connect = CONNECT_PENDING;
	scene_want(t, 0, RADIO_NEED_BACKGROUND);
	UNTIL(t, t->fake.devices[0].n_connects == 1);
	scene_want(t, 1, RADIO_NEED_BACKGROUND);
	scene_want(t, 2, RADIO_NEED_LOCK);
	scene_release(t, 0);
	UNTIL(t, t->users[2].n_ups == 1);
	assert_int_equal(t->users[1].n_ups, 0);
	UNTIL(t, t->users[1].n_ups == 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		ONE(survives_bluetoothd),
		ONE(a_want_outlives_a_short_absence),
		ONE(a_want_does_not_outlive_a_long_absence),
		ONE(adapters_that_come_late_are_found),
		ONE(survives_the_bus),
		ONE(a_restart_just_before_is_no_fault_of_the_lock),
		ONE(a_busy_controller_is_no_fault_of_the_lock),
		FOUR(fewer_slots_are_learnt),
		FOUR(a_bad_lock_teaches_nothing),
		ONE(adapter_off_and_on),
		ONE(adapter_comes_back_under_another_name),
		BARE(only_the_chosen_adapter_is_used),
		BARE(starts_without_anything),
		BARE(a_sole_user_switches_the_adapter_off_and_on),
		BARE(orphans_are_closed_at_the_start),
		ONE(a_hung_bluetoothd_is_named),
		FOUR(one_connects_at_a_time),
		FOUR(the_last_slot_is_for_people),
		FOUR(a_person_pushes_out_a_lingering_link),
		FOUR(without_a_slot_the_radio_is_busy),
		FOUR(the_most_urgent_goes_first),
		FOUR(nobody_connects_while_another_hangs_up),
	};

	scene_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
