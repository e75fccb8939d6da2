/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots under pressure: what takes one, who gets one, and what it costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scene.h"

/* ------------------------------------------------------------------ what takes a slot */

/* Only one slot, and another program uses it for the very device that is wanted. */
static void its_own_link_takes_no_slot_from_it(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;
	struct central_config config = { .slots = 1 };

	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	struct fake_device *a = fake_device_add(&t->fake, 0, A);
	scene_central_start(t, &config);
	scene_link_new(t, 0, A, false);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	a->is_connected = a->is_resolved = a->has_gatt = true;
	fake_device_show(a);
	scene_turn_for(t, 20);
	scene_up(t, 0);
}

/* BlueZ goes on connecting for a client that has died, and refuses the next one. */
static void an_older_connect_is_cancelled(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];
	sd_bus *former = NULL;

	a->connect = CONNECT_PENDING;
	assert_true(sd_bus_new(&former) >= 0);
	assert_true(sd_bus_set_address(former, t->fake.address) >= 0);
	assert_true(sd_bus_set_bus_client(former, true) >= 0);
	assert_true(sd_bus_start(former) >= 0);
	assert_true(sd_bus_call_method_async(former, NULL, "org.bluez", a->path,
			    "org.bluez.Device1", "Connect", NULL, NULL, "") >= 0);
	assert_true(sd_bus_flush(former) >= 0);
	UNTIL(t, a->pending_connect != NULL);
	sd_bus_flush_close_unref(former);
	a->connect = CONNECT_QUIET;
	scene_up(t, 0);
	assert_int_equal(a->n_connects, 3);
	assert_int_equal(a->n_disconnects, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		BARE(its_own_link_takes_no_slot_from_it),
		ONE(an_older_connect_is_cancelled),
	};

	scene_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
