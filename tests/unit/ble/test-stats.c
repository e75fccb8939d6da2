/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is counted for people, end to end: of the link and of the adapter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

static struct radio_stats link_stats(struct scene *t) {
	struct radio_stats stats;

	t->radio->impl->link_stats(t->links[0], &stats);
	return stats;
}

static struct radio_stats adapter_stats(struct scene *t, unsigned i) {
	struct radio_stats stats;

	assert_true(t->radio->impl->adapter_stats(t->radio, i, &stats));
	return stats;
}

static void expect_end(struct scene *t, enum tally_end end, unsigned n) {
	struct radio_stats both[] = { link_stats(t), adapter_stats(t, 0) };

	for (size_t i = 0; i < 2; i++) {
		for (unsigned k = 0; k < TALLY_END_COUNT_; k++) {
			if (both[i].tally.ends[k] != (k == end ? n : 0)) {
				fail_msg("%s: %u ends by %s", i == 0 ? "link" : "adapter",
					both[i].tally.ends[k], tally_end_name(k));
			}
		}
	}
}

static void a_link_is_counted_for_both(void **state) {
	struct scene *t = *state;
	struct radio_stats stats;

	assert_string_equal(adapter_stats(t, 0).adapter, HCI);
	assert_string_equal(adapter_stats(t, 0).state, "on");
	assert_false(t->radio->impl->adapter_stats(t->radio, 1, &stats));
	fake_device_advertise(&t->fake.devices[0], -61, 1);
	UNTIL(t, t->users[0].n_heard > 0);
	t->fake.devices[0].n_fail_connects = 1;
	scene_up(t, 0);
	scene_turn_for(t, 20);
	/* Also while it lasts. */
	assert_true(link_stats(t).tally.link_ms_today >= 20);
	assert_true(adapter_stats(t, 0).tally.link_ms_today >= 20);
	assert_int_equal(scene_write_text(t, 0, "hello"), 0);
	UNTIL(t, t->users[0].n_written == 1);
	scene_release(t, 0);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	struct radio_stats both[] = { link_stats(t), adapter_stats(t, 0) };
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(both[i].attempts, 2);
		assert_int_equal(both[i].failures, 1);
		assert_int_equal(both[i].connects, 1);
		assert_int_equal(both[i].losses, 0);
		assert_int_equal(both[i].writes, 1);
		assert_int_equal(both[i].rssi, -61);
		assert_int_equal(radio_success_percent(&both[i]), 50);
		assert_string_equal(radio_quality(&both[i]), "poor");
		assert_int_equal(both[i].tally.connects_today, 1);
		assert_true(both[i].tally.link_ms_today >= 20);
		assert_int_equal(both[i].tally.link_ms_today, both[i].link_ms);
		assert_int_equal(tally_times(&both[i].tally).n, 1);
		assert_int_equal(tally_strengths(&both[i].tally).median, -61);
	}
	expect_end(t, TALLY_END_US, 1);
}

static void a_fallen_link_without_a_reason_is_unknown(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	fake_device_drop(&t->fake.devices[0]);
	UNTIL(t, t->users[0].n_downs == 1);
	expect_end(t, TALLY_END_UNKNOWN, 1);
	assert_int_equal(adapter_stats(t, 0).losses, 1);
	/* The same while it lingers. */
	scene_up(t, 0);
	scene_release(t, 0);
	fake_device_drop(&t->fake.devices[0]);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	expect_end(t, TALLY_END_UNKNOWN, 2);
	assert_int_equal(adapter_stats(t, 0).losses, 1);
}

/* BlueZ 5.83 says why. */
static int setup_new(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;
	t->fake.is_new = true;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	(void) fake_device_add(&t->fake, 0, A);
	struct central_config config = { 0 };
	scene_central_start(t, &config);
	scene_link_new(t, 0, A, false);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	return 0;
}

static void fall_with(struct scene *t, const char *reason, enum tally_end end) {
	unsigned n_downs = t->users[0].n_downs;
	unsigned n = link_stats(t).tally.ends[end];

	scene_up(t, 0);
	fake_device_reason(&t->fake.devices[0], reason);
	fake_device_drop(&t->fake.devices[0]);
	UNTIL(t, t->users[0].n_downs > n_downs);
	assert_int_equal(link_stats(t).tally.ends[end], n + 1);
	assert_int_equal(adapter_stats(t, 0).tally.ends[end], n + 1);
}

static void a_new_bluez_says_who_hung_up(void **state) {
	struct scene *t = *state;

	fall_with(t, "org.bluez.Reason.Remote", TALLY_END_LOCK);
	fall_with(t, "org.bluez.Reason.Timeout", TALLY_END_LOST);
	fall_with(t, "org.bluez.Reason.Local", TALLY_END_BLUEZ);
	fall_with(t, "org.bluez.Reason.Suspend", TALLY_END_ADAPTER);
	fall_with(t, "org.bluez.Reason.Unknown", TALLY_END_UNKNOWN);
}

static void adapter_and_bluetoothd_are_told_apart(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	fake_adapter_power(&t->fake, 0, false);
	UNTIL(t, t->users[0].n_downs == 1);
	/* The device's signal comes first; who is to blame is known a moment later. */
	UNTIL(t, link_stats(t).tally.ends[TALLY_END_ADAPTER] == 1);
	assert_int_equal(adapter_stats(t, 0).tally.ends[TALLY_END_ADAPTER], 1);
	UNTIL(t, strcmp(adapter_stats(t, 0).state, "off") == 0);
	fake_adapter_power(&t->fake, 0, true);
	UNTIL(t, scene_is_ready(t));
	scene_up(t, 0);
	fake_die(&t->fake);
	UNTIL(t, t->users[0].n_downs == 2);
	UNTIL(t, link_stats(t).tally.ends[TALLY_END_BLUEZ] == 1);
	assert_int_equal(adapter_stats(t, 0).tally.ends[TALLY_END_BLUEZ], 1);
	UNTIL(t, strcmp(adapter_stats(t, 0).state, "absent") == 0);
}

static void an_adapter_is_its_address(void **state) {
	struct scene *t = *state;
	struct radio_stats stats;

	scene_up(t, 0);
	fake_adapter_remove(&t->fake, 0);
	UNTIL(t, t->users[0].n_downs == 1);
	fake_adapter_add(&t->fake, 2, HCI, true);
	UNTIL(t, scene_is_ready(t));
	UNTIL(t, adapter_stats(t, 0).connects == 1);
	assert_string_equal(adapter_stats(t, 0).adapter, HCI);
	assert_false(t->radio->impl->adapter_stats(t->radio, 1, &stats));
	/* Another one in its old place begins at nothing. */
	fake_adapter_add(&t->fake, 0, "00:AA:01:00:00:07", true);
	UNTIL(t, t->radio->impl->adapter_stats(t->radio, 1, &stats));
	assert_string_equal(adapter_stats(t, 0).adapter, "00:AA:01:00:00:07");
	assert_int_equal(adapter_stats(t, 0).connects, 0);
	assert_int_equal(adapter_stats(t, 1).connects, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		ONE(a_link_is_counted_for_both),
		ONE(a_fallen_link_without_a_reason_is_unknown),
		IN(setup_new, a_new_bluez_says_who_hung_up),
		ONE(adapter_and_bluetoothd_are_told_apart),
		ONE(an_adapter_is_its_address),
	};
	scene_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
