/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The whole room between a real core and a real broker: what is published, and what a command does.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

#define LOCK "lockhub/" RIG_LOCK "/"
#define CONFIG "homeassistant/device/lockhub_" RIG_LOCK "/config"
#define HUB_CONFIG "homeassistant/device/lockhub_hub_51d0/config"

static int setup(void **state) {
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig_init(rig);
	*state = rig;
	return 0;
}

static int teardown(void **state) {
	rig_finish(*state);
	free(*state);
	return 0;
}

static void say(struct rig *rig, const char *payload) {
	watcher_publish(&rig->watcher, LOCK "lock/set", payload, strlen(payload), false);
}

static void comes_online_in_order(void **state) {
	struct rig *rig = *state;
	const struct watcher *watcher = &rig->watcher;

	rig_start(rig);
	size_t hub = watcher_find(watcher, HUB_CONFIG, NULL);
	size_t config = watcher_find(watcher, CONFIG, NULL);
	size_t word = watcher_find(watcher, LOCK "lock/state", NULL);
	size_t online = watcher_find(watcher, "lockhub/status", "online");
	assert_true(hub < config && config < word && word < online && online != SIZE_MAX);
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "UNLOCKED"));
	rig_until(rig, RIG_IS(rig, LOCK "battery", "87"));
	rig_until(rig, RIG_IS(rig, LOCK "battery_low", "OFF"));
	rig_until(rig, RIG_IS(rig, LOCK "link", "ON"));
	rig_until(rig, RIG_IS(rig, LOCK "fault", "none"));
	rig_until(rig, RIG_IS(rig, "lockhub/hub/bluetooth", "OFF"));
	assert_null(watcher_last(watcher, LOCK "door"));
	/* The state of the former life was LOCKED: it must not have been shown (L1). */
	assert_int_equal(watcher_count(watcher, LOCK "lock/state", "LOCKED"), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_online_in_order, setup, teardown),
	};
	(void) say;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
