/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many match rules the locks of a hub take of the bus's 512, and that with fewer all is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ble.h"
#include "scene.h"

#define BUS_RULES 512 /* dbus-daemon's max_match_rules_per_connection on a system bus */
#define MARGIN 100
#define ADAPTERS 3
#define OTHERS_MAX 240

static const char *const adapters[ADAPTERS] = { HCI, "00:1A:7D:DA:71:14", "00:1A:7D:DA:71:15" };
static struct radio_link *others[OTHERS_MAX];
static unsigned n_others;

static void on_up(void *user, unsigned mtu) {
	(void) user;
	(void) mtu;
}

static void on_down(void *user, const struct fault *fault) {
	(void) user;
	(void) fault;
}

static void on_bytes(void *user, const char *characteristic, const uint8_t *buf, size_t n) {
	(void) user;
	(void) characteristic;
	(void) buf;
	(void) n;
}

static void on_written(void *user, int error, enum radio_sent sent) {
	(void) user;
	(void) error;
	(void) sent;
}

/* Locks that are away: what is watched of them is the same. */
static void add_others(struct scene *t, unsigned n) {
	static const struct radio_user nobody = {
		.up = on_up, .down = on_down, .bytes = on_bytes, .written = on_written
	};
	static const struct radio_subscription none[] = { { .characteristic = NULL } };

	for (unsigned i = 0; i < n; i++) {
		struct radio_target target = { .is_random = true, .subscriptions = none };

		assert_true(n_others < OTHERS_MAX);
		snprintf(target.address, sizeof(target.address), "C0:00:00:00:00:%02X", n_others);
		others[n_others] = t->radio->impl->link_new(t->radio, &target, &nobody, NULL);
		assert_non_null(others[n_others++]);
	}
}

static struct scene *start(void **state, unsigned n_adapters) {
	const struct central_config config = { .is_sole_user = false };

	scene_setup_bus(state);
	struct scene *t = *state;
	fake_start(&t->fake);
	for (unsigned i = 0; i < n_adapters; i++) {
		fake_adapter_add(&t->fake, i, adapters[i], true);
	}
	(void) fake_device_add(&t->fake, 0, A);
	n_others = 0;
	scene_central_start(t, &config);
	scene_link_new(t, 0, A, true);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	return t;
}

static int teardown(void **state) {
	struct scene *t = *state;

	while (n_others > 0) {
		n_others--;
		(void) t->radio->impl->link_free(others[n_others]);
	}
	return scene_teardown(state);
}

/* All that a rule is there for: heard, linked, lost, gone and back. */
static void live(struct scene *t) {
	struct fake_device *device = &t->fake.devices[0];
	unsigned n_heard = t->users[0].n_heard;

	UNTIL(t, t->fake.adapters[0].is_discovering);
	fake_device_advertise(device, -70, 0xc0);
	UNTIL(t, t->users[0].n_heard > n_heard);
	scene_up(t, 0);
	assert_true(scene_count_rules(t) <= BUS_RULES - MARGIN);
	unsigned n_downs = t->users[0].n_downs;
	fake_device_drop(device);
	UNTIL(t, t->users[0].n_downs > n_downs && scene_in_state(t, 0, "idle"));
	fake_device_hide(device);
	UNTIL(t, scene_in_state(t, 0, "absent"));
	fake_device_show(device);
	UNTIL(t, scene_in_state(t, 0, "idle"));
}

static void for_few_only_what_is_ours_is_told(void **state) {
	struct scene *t = start(state, 1);

	add_others(t, 99);
	live(t);
	unsigned n_rules = scene_count_rules(t);
	assert_in_range(n_rules, 200, 220);
	/* Strangers wake nobody. */
	UNTIL(t, !t->fake.adapters[0].is_discovering && t->central->adapters[0].scan == SCAN_OFF);
	scene_turn_for(t, 50);
	uint64_t n_messages = central_messages(t->central);
	struct fake_device *stranger = fake_device_add(&t->fake, 0, B);
	for (unsigned i = 0; i < 50; i++) {
		fake_device_show(stranger);
		fake_device_hide(stranger);
	}
	fake_bus_settle(&t->fake);
	scene_turn_for(t, 50);
	/* A window that begins meanwhile brings a few. */
	assert_true(central_messages(t->central) < n_messages + 50);
}

static void a_hundred_on_three_adapters_leave_room(void **state) {
	struct scene *t = start(state, ADAPTERS);

	add_others(t, 99);
	live(t);
	unsigned n_rules = scene_count_rules(t);
	print_message("# 100 devices on 3 adapters: %u rules\n", n_rules);
	assert_in_range(n_rules, 300, 340);
	/* Each link that is used takes some more; an adapter serves five. */
	scene_up(t, 0);
	unsigned n_used = scene_count_rules(t) - n_rules;
	print_message("# and %u for each that is in use\n", n_used);
	assert_true(n_rules + n_used * 5 * ADAPTERS <= BUS_RULES - MARGIN);
	scene_drop(t, 0);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	/* A stranger comes and goes. */
	fake_device_hide(fake_device_add(&t->fake, 0, B));
	live(t);
}

static void any_number_is_served(void **state) {
	struct scene *t = start(state, ADAPTERS);

	add_others(t, OTHERS_MAX);
	live(t);
	print_message(
		"# %u devices on 3 adapters: %u rules\n", OTHERS_MAX + 1, scene_count_rules(t));
	assert_true(scene_count_rules(t) < 40);
	/* Another bluetoothd, and other adapters: all of that is there again. */
	fake_die(&t->fake);
	UNTIL(t, !scene_is_ready(t));
	fake_start(&t->fake);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	live(t);
	assert_true(scene_count_rules(t) < 40);
}

/* The adapter that makes them too many comes when the locks are there. */
static void an_adapter_more_is_one_too_many(void **state) {
	struct scene *t = start(state, 1);

	add_others(t, 99);
	UNTIL(t, scene_count_rules(t) >= 200);
	for (unsigned i = 1; i < ADAPTERS; i++) {
		fake_adapter_add(&t->fake, i, adapters[i], true);
		UNTIL(t, t->central->adapters[i].is_present);
		scene_turn_for(t, 20);
	}
	live(t);
	assert_in_range(scene_count_rules(t), 300, 340);
	fake_adapter_remove(&t->fake, 0);
	UNTIL(t, !t->central->adapters[0].is_present);
	/* What was asked of the one that is gone must not reach the other. */
	fake_bus_settle(&t->fake);
	scene_turn_for(t, 100);
	fake_bus_settle(&t->fake);
	fake_adapter_add(&t->fake, 0, adapters[0], true);
	fake_device_show(&t->fake.devices[0]);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	live(t);
	assert_in_range(scene_count_rules(t), 300, 340);
}

#define RULES_CASE(test_fn) cmocka_unit_test_teardown(test_fn, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		RULES_CASE(for_few_only_what_is_ours_is_told),
		RULES_CASE(a_hundred_on_three_adapters_leave_room),
		RULES_CASE(any_number_is_served),
		RULES_CASE(an_adapter_more_is_one_too_many),
	};

	scene_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
