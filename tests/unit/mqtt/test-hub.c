/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The whole room between a real core and a real broker: what is published, and what a command does.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

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

/* The first event of the lock that holds the text; NULL: none. */
static const char *event_with(struct rig *rig, const char *text) {
	for (size_t i = 0; i < rig->watcher.n; i++) {
		if (strcmp(rig->watcher.seen[i].topic, LOCK "event") == 0 &&
			strstr(rig->watcher.seen[i].payload, text) != NULL) {
			return rig->watcher.seen[i].payload;
		}
	}
	return NULL;
}

/* Online, and what was learnt of the lock meanwhile has been told: nothing of it comes later. */
static void start_and_settle(struct rig *rig) {
	rig_start(rig);
	rig_until(rig, watcher_last(&rig->watcher, CONFIG) != NULL &&
			       strstr(watcher_last(&rig->watcher, CONFIG), "3.7.7") != NULL);
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

static void carries_out_words(void **state) {
	struct rig *rig = *state;
	const struct watcher *watcher = &rig->watcher;

	rig->fake.motor_ms = 50;
	rig_start(rig);
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "UNLOCKED"));
	watcher_forget(&rig->watcher);
	say(rig, "LOCK");
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "LOCKED"));
	assert_int_equal(rig->fake.n_motor, 1);
	size_t moving = watcher_find(watcher, LOCK "lock/state", "LOCKING");
	assert_true(moving < watcher_find(watcher, LOCK "lock/state", "LOCKED"));
	say(rig, "OPEN");
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "OPEN"));
	assert_int_equal(rig->fake.last_act, ACT_UNLATCH);
	assert_true(watcher_find(watcher, LOCK "lock/state", "OPENING") != SIZE_MAX);
	assert_int_equal(mqtt_status(rig->mqtt)->commands, 2);
	assert_int_equal(mqtt_status(rig->mqtt)->refused, 0);
}

static void carries_out_json_once(void **state) {
	struct rig *rig = *state;
	char text[128];

	rig_start(rig);
	say(rig, "{\"action\":\"LOCK\",\"code\":\"004711\",\"id\":\"a1\"}");
	rig_until(rig, rig->fake.n_motor == 1);
	say(rig, "{\"action\":\"LOCK\",\"code\":\"004711\",\"id\":\"a1\"}");
	rig_until(rig, mqtt_status(rig->mqtt)->refused == 1);
	rig_until(rig, event_with(rig, "\"reason\":\"duplicate\"") != NULL);
	/* Home Assistant's form has no id: the moment stands for it. */
	(void) snprintf(text, sizeof(text), "{\"action\":\"UNLOCK\",\"code\":null,\"ts\":%lld.218}",
		(long long) clock_wall(loop_clock(rig->loop)).s);
	say(rig, text);
	rig_until(rig, rig->fake.n_motor == 2);
	say(rig, text);
	rig_until(rig, mqtt_status(rig->mqtt)->refused == 2);
	rig_wait_ms(rig, 100);
	assert_int_equal(rig->fake.n_motor, 2);
	/* The code is nowhere. */
	for (size_t i = 0; i < rig->watcher.n; i++) {
		if (strcmp(rig->watcher.seen[i].topic, LOCK "lock/set") != 0) {
			assert_null(strstr(rig->watcher.seen[i].payload, "4711"));
		}
	}
}

static void repeated_word_is_one(void **state) {
	struct rig *rig = *state;

	rig_start(rig);
	say(rig, "LOCK");
	say(rig, "LOCK");
	rig_until(rig, mqtt_status(rig->mqtt)->commands == 2);
	rig_wait_ms(rig, 200);
	assert_int_equal(rig->fake.n_motor, 1);
}

/* With MQTT 5 it is not even handed over. */
static void retained_command_is_not_taken(void **state) {
	struct rig *rig = *state;

	broker_start(&rig->broker);
	watcher_start(&rig->watcher, &rig->broker);
	watcher_publish(&rig->watcher, LOCK "lock/set", "UNLOCK", 6, true);
	rig_until(rig, watcher_count(&rig->watcher, LOCK "lock/set", "UNLOCK") == 1);
	rig->fake.state = LOCK_STATE_LOCKED;
	rig->config.protocol = MQTT_PROTOCOL_5;
	rig_mqtt(rig);
	hub_start(rig->hub);
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "LOCKED"));
	assert_int_equal(mqtt_status(rig->mqtt)->protocol, MQTT_PROTOCOL_5);
	assert_int_equal(mqtt_status(rig->mqtt)->commands, 0);
	/* One that comes while we look is told by its flag, dropped and cleared. */
	watcher_publish(&rig->watcher, LOCK "lock/set", "UNLOCK", 6, true);
	rig_until(rig, event_with(rig, "\"reason\":\"retained-command\"") != NULL);
	rig_until(rig, RIG_IS(rig, LOCK "lock/set", ""));
	rig_wait_ms(rig, 100);
	assert_int_equal(rig->fake.n_motor, 0);
}

static void retained_command_is_dropped(void **state) {
	struct rig *rig = *state;

	rig->config.protocol = MQTT_PROTOCOL_311;
	broker_start(&rig->broker);
	watcher_start(&rig->watcher, &rig->broker);
	watcher_publish(&rig->watcher, LOCK "lock/set", "UNLOCK", 6, true);
	rig_until(rig, watcher_count(&rig->watcher, LOCK "lock/set", "UNLOCK") == 1);
	rig->fake.state = LOCK_STATE_LOCKED;
	rig_mqtt(rig);
	hub_start(rig->hub);
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "LOCKED"));
	rig_until(rig, mqtt_status(rig->mqtt)->refused == 1);
	rig_until(rig, event_with(rig, "\"reason\":\"retained-command\"") != NULL);
	rig_wait_ms(rig, 200);
	assert_int_equal(rig->fake.n_motor, 0);
	/* It is cleared, and that is not a command. */
	rig_until(rig, RIG_IS(rig, LOCK "lock/set", ""));
	rig_wait_ms(rig, 100);
	assert_int_equal(mqtt_status(rig->mqtt)->commands, 1);
}

static void press(struct rig *rig, const char *name, bool is_retained) {
	char topic[96];

	(void) snprintf(topic, sizeof(topic), LOCK "button/%s", name);
	watcher_publish(&rig->watcher, topic, "PRESS", 5, is_retained);
}

static void buttons_do_what_is_allowed(void **state) {
	struct rig *rig = *state;

	rig_start(rig);
	press(rig, "calibrate", false);
	rig_until(rig, event_with(rig, "\"reason\":\"denied\"") != NULL);
	press(rig, "nonsense", false);
	rig_until(rig, event_with(rig, "\"reason\":\"bad-command\"") != NULL);
	watcher_publish(&rig->watcher, LOCK "button/calibrate", "ON", 2, false);
	rig_until(rig, mqtt_status(rig->mqtt)->refused == 3);
	press(rig, "check", false); /* nobody judges here */
	rig_until(rig, event_with(rig, "\"reason\":\"not-supported\"") != NULL);
	rig_wait_ms(rig, 100);
	assert_int_equal(rig->fake.n_motor, 0);
	assert_null(strstr(
		watcher_last(&rig->watcher, "homeassistant/device/lockhub_" RIG_LOCK "/config"),
		"button/calibrate"));
}

static void maintenance_is_offered_when_allowed(void **state) {
	struct rig *rig = *state;

	rig->config.maintenance = true;
	rig_start(rig);
	assert_non_null(strstr(
		watcher_last(&rig->watcher, "homeassistant/device/lockhub_" RIG_LOCK "/config"),
		"button/calibrate"));
	/* It reaches the gate, which asks for what this lock wants before it is calibrated. */
	press(rig, "calibrate", false);
	rig_until(rig, event_with(rig, "\"reason\":\"pin-required\"") != NULL);
}

static void retained_presses_are_dropped(void **state) {
	struct rig *rig = *state;

	rig->config.protocol = MQTT_PROTOCOL_311;
	broker_start(&rig->broker);
	watcher_start(&rig->watcher, &rig->broker);
	press(rig, "calibrate", true);
	rig->config.maintenance = true;
	rig_mqtt(rig);
	hub_start(rig->hub);
	rig_until(rig, event_with(rig, "\"reason\":\"retained-command\"") != NULL);
}

static void refuses_what_it_does_not_understand(void **state) {
	struct rig *rig = *state;
	static char big[1024 * 1024];

	memset(big, 'U', sizeof(big));
	rig->config.protocol = MQTT_PROTOCOL_311; /* with 5 the big one does not come */
	rig_start(rig);
	watcher_publish(&rig->watcher, LOCK "lock/set", big, sizeof(big), false);
	say(rig, "unlock");
	say(rig, "{\"action\":\"UNLOCK\"");
	say(rig, "{\"action\":\"UNLOCK\",\"code\":4711}");
	say(rig, "\xff\xfe");
	watcher_publish(&rig->watcher, "lockhub/front-door/lock/set", "UNLOCK", 6, false);
	watcher_publish(&rig->watcher, "lockhub/00000000/lock/set", "UNLOCK", 6, false);
	rig_until(rig, mqtt_status(rig->mqtt)->commands == 7);
	rig_wait_ms(rig, 100);
	assert_int_equal(mqtt_status(rig->mqtt)->refused, 7);
	assert_int_equal(rig->fake.n_motor, 0);
	const char *event = event_with(rig, "\"command_refused\"");
	assert_non_null(event);
	assert_non_null(strstr(event, "\"bad-command\""));
	assert_int_equal(
		rig->watcher.seen[watcher_find(&rig->watcher, LOCK "event", event)].qos, 1);
}

static void flood_is_dropped(void **state) {
	struct rig *rig = *state;

	rig_start(rig);
	int64_t start = rig_ms();
	for (unsigned i = 0; i < 500; i++) {
		say(rig, "NONSENSE");
	}
	rig_until(rig, mqtt_status(rig->mqtt)->commands == 500);
	rig_wait_ms(rig, 300);
	/* No amplification: as many answers as the bucket holds, which fills in half a second. */
	size_t n_most = 30 + (size_t) (rig_ms() - start) / 500;
	assert_in_range(watcher_count(&rig->watcher, LOCK "event", NULL), 1, n_most);
}

static void commands_can_be_off(void **state) {
	struct rig *rig = *state;

	rig->config.allow_commands = false;
	rig_start(rig);
	say(rig, "LOCK");
	rig_until(rig, mqtt_status(rig->mqtt)->refused == 1);
	rig_wait_ms(rig, 100);
	assert_int_equal(rig->fake.n_motor, 0);
}

static void will_and_farewell(void **state) {
	struct rig *rig = *state;

	rig_start(rig);
	rig->mqtt = mqtt_free(rig->mqtt); /* as kill -9 would */
	rig_until(rig, RIG_IS(rig, "lockhub/status", "offline"));
	rig_mqtt(rig);
	rig_until(rig, RIG_IS(rig, "lockhub/status", "online"));
	watcher_forget(&rig->watcher);
	rig_stop_mqtt(rig);
	rig_until(rig, RIG_IS(rig, "lockhub/status", "offline"));
	rig_wait_ms(rig, 100);
	assert_int_equal(watcher_count(&rig->watcher, "lockhub/status", NULL), 1); /* no will */
}

static void broker_restart_loses_nothing(void **state) {
	struct rig *rig = *state;
	struct event event;

	rig_start(rig);
	broker_stop(&rig->broker, SIGKILL);
	watcher_finish(&rig->watcher);
	rig_until(rig, !mqtt_status(rig->mqtt)->is_connected);
	assert_int_equal(mqtt_status(rig->mqtt)->fault.code, FAULT_BROKER_UNREACHABLE);
	for (int i = 1; i <= 1200; i++) {
		event_init(&event, EVENT_LOCK_OPERATION, loop_clock(rig->loop));
		(void) strcpy(event.lock_id, RIG_LOCK);
		event.operation = OPERATION_UNLOCK;
		event.seq = 100000 + i;
		signal_emit(&hub_signals(rig->hub)->event, &event);
	}
	rig->fake.state = LOCK_STATE_LOCKED;
	rig_read_state(rig);
	broker_start(&rig->broker);
	watcher_start(&rig->watcher, &rig->broker);
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "LOCKED"));
	rig_until(rig, mqtt_status(rig->mqtt)->queued_events == 0);
	rig_until(rig, event_with(rig, "\"seq\":101200,") != NULL);
	assert_true(watcher_find(&rig->watcher, CONFIG, NULL) != SIZE_MAX);
	assert_int_equal(mqtt_status(rig->mqtt)->connects, 2);
	/* The newest came, in order; what is missing is told. */
	int64_t last = 0;
	unsigned n = 0;
	for (size_t i = 0; i < rig->watcher.n; i++) {
		const char *at = strstr(rig->watcher.seen[i].payload, "\"seq\":1");
		if (at != NULL && strcmp(rig->watcher.seen[i].topic, LOCK "event") == 0) {
			int64_t seq = strtoll(at + 6, NULL, 10);
			assert_true(seq > last);
			last = seq;
			n++;
		}
	}
	assert_int_equal(last, 101200);
	assert_in_range(n, 995, 1000);
	const char *gap = watcher_last(&rig->watcher, "lockhub/hub/event");
	assert_non_null(gap);
	assert_non_null(strstr(gap, "events_lost"));
	assert_in_range(mqtt_status(rig->mqtt)->lost_events, 1200 - n, 1210 - n);
}

static void birth_repeats_once(void **state) {
	struct rig *rig = *state;

	start_and_settle(rig);
	unsigned n_links = rig->fake.n_links;
	watcher_forget(&rig->watcher);
	int64_t start = rig_ms();
	watcher_publish(&rig->watcher, "homeassistant/status", "online", 6, false);
	watcher_publish(&rig->watcher, "homeassistant/status", "online", 6, false);
	rig_until(rig, watcher_count(&rig->watcher, LOCK "lock/state", NULL) == 1);
	assert_true(rig_ms() - start >= 1000); /* Home Assistant is still busy at first */
	rig_until(rig, watcher_count(&rig->watcher, "lockhub/status", "online") == 1);
	rig_wait_ms(rig, 5500);
	assert_int_equal(watcher_count(&rig->watcher, LOCK "lock/state", NULL), 1);
	assert_int_equal(watcher_count(&rig->watcher, LOCK "availability", "online"), 1);
	assert_int_equal(watcher_count(&rig->watcher, CONFIG, NULL), 0);
	assert_int_equal(rig->fake.n_links, n_links); /* no lock was woken */
}

static void cleared_discovery_comes_back(void **state) {
	struct rig *rig = *state;

	start_and_settle(rig);
	watcher_forget(&rig->watcher);
	watcher_publish(&rig->watcher, CONFIG, "", 0, true);
	rig_until(rig, RIG_IS(rig, CONFIG, ""));
	rig_until(rig, !RIG_IS(rig, CONFIG, ""));
	assert_int_equal(watcher_count(&rig->watcher, CONFIG, NULL), 2);
}

static void foreign_status_is_set_right(void **state) {
	struct rig *rig = *state;

	rig_start(rig);
	watcher_publish(&rig->watcher, "lockhub/status", "offline", 7, true);
	rig_until(rig, RIG_IS(rig, "lockhub/status", "offline"));
	rig_until(rig, RIG_IS(rig, "lockhub/status", "online"));
	/* Again, sooner than we answer twice: put off, not forgotten. */
	watcher_publish(&rig->watcher, "lockhub/status", "offline", 7, true);
	rig_until(rig, RIG_IS(rig, "lockhub/status", "offline"));
	rig_until(rig, RIG_IS(rig, "lockhub/status", "online"));
}

static void renames_are_gathered(void **state) {
	struct rig *rig = *state;
	struct fault fault;

	start_and_settle(rig);
	watcher_forget(&rig->watcher);
	assert_int_equal(
		hub_rename(rig->hub, RIG_LOCK, "Back", "test", ROLE_MANAGE, NULL, NULL, &fault), 0);
	rig_wait_ms(rig, 300);
	assert_int_equal(
		hub_rename(rig->hub, RIG_LOCK, "Cellar", "test", ROLE_MANAGE, NULL, NULL, &fault),
		0);
	rig_until(rig, watcher_last(&rig->watcher, CONFIG) != NULL);
	rig_wait_ms(rig, 5500);
	assert_int_equal(watcher_count(&rig->watcher, CONFIG, NULL), 1);
	assert_non_null(strstr(watcher_last(&rig->watcher, CONFIG), "\"name\":\"Cellar\""));
	assert_non_null(strstr(watcher_last(&rig->watcher, CONFIG), "lockhub_" RIG_LOCK "_lock"));
	assert_non_null(strstr(watcher_last(&rig->watcher, LOCK "lock/attributes"), "\"cellar\""));
}

/* What is counted moves all the time; it is told once a minute at most, and not by a timer. */
static void radio_counts_do_not_flood(void **state) {
	struct rig *rig = *state;

	rig_start(rig);
	rig_until(rig, watcher_count(&rig->watcher, LOCK "link/attributes", NULL) == 1);
	assert_non_null(strstr(
		watcher_last(&rig->watcher, LOCK "link/attributes"), "\"quality\":\"unknown\""));
	unsigned n_reads = rig->fake.n_reads_of_stats;
	for (int i = 0; i < 4; i++) {
		rig->fake.state = i % 2 == 0 ? LOCK_STATE_LOCKED : LOCK_STATE_UNLOCKED;
		rig_read_state(rig);
		rig_until(rig, RIG_IS(rig, LOCK "lock/state", i % 2 == 0 ? "LOCKED" : "UNLOCKED"));
	}
	assert_true(rig->fake.n_reads_of_stats > n_reads);
	assert_int_equal(watcher_count(&rig->watcher, LOCK "link/attributes", NULL), 1);
}

/* A door sensor that comes and goes (rule 7 of the contract). */
static void parts_come_and_go(void **state) {
	struct rig *rig = *state;

	start_and_settle(rig);
	watcher_forget(&rig->watcher);
	rig->fake.has_door_sensor = true;
	rig->fake.door = DOOR_STATE_OPEN;
	rig_read_state(rig);
	rig_until(rig, RIG_IS(rig, LOCK "door", "ON"));
	rig_until(rig, watcher_last(&rig->watcher, CONFIG) != NULL);
	assert_non_null(strstr(watcher_last(&rig->watcher, CONFIG), "_door\""));
	watcher_forget(&rig->watcher);
	rig->fake.door = DOOR_STATE_UNKNOWN;
	rig_read_state(rig);
	rig->fake.has_door_sensor = false;
	rig_read_state(rig);
	rig_until(rig, RIG_IS(rig, LOCK "door", ""));
	rig_until(rig, watcher_count(&rig->watcher, CONFIG, NULL) == 2);
	size_t first = watcher_find(&rig->watcher, CONFIG, NULL);
	assert_non_null(strstr(
		rig->watcher.seen[first].payload, "\"door\":{\"platform\":\"binary_sensor\"}"));
	assert_null(strstr(watcher_last(&rig->watcher, CONFIG), "\"door\""));
}

static bool sees_lock(const struct watcher *watcher) {
	for (size_t i = 0; i < watcher->n; i++) {
		if (strstr(watcher->seen[i].topic, RIG_LOCK) != NULL) {
			return true;
		}
	}
	return false;
}

static void unpaired_lock_vanishes(void **state) {
	struct rig *rig = *state;
	struct watcher fresh = { .n = 0 };
	struct fault fault;
	struct op *op;

	rig_start(rig);
	rig_wait_ms(rig, 200);
	assert_int_equal(hub_unpair(rig->hub, RIG_LOCK, true, "test", ROLE_MANAGE, &op, &fault), 0);
	rig_until(rig, hub_lock_count(rig->hub) == 0);
	rig_until(rig, RIG_IS(rig, LOCK "availability", ""));
	/* The rest goes with it; what is still on the way a fresh one sees anew. */
	int64_t limit = rig_ms() + 60000;
	do {
		assert_true(rig_ms() < limit);
		rig_wait_ms(rig, 100);
		watcher_finish(&fresh);
		watcher_start(&fresh, &rig->broker);
	} while (sees_lock(&fresh));
	assert_true(watcher_find(&fresh, HUB_CONFIG, NULL) != SIZE_MAX);
	watcher_finish(&fresh);
}

static void jam_then_unknown_is_unavailable(void **state) {
	struct rig *rig = *state;

	rig_start(rig);
	rig->fake.is_jammed = true;
	rig->fake.state = LOCK_STATE_NOT_FULLY_LOCKED;
	rig_read_state(rig);
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "JAMMED"));
	watcher_forget(&rig->watcher);
	rig->fake.is_jammed = false;
	rig->fake.state = LOCK_STATE_UNKNOWN;
	rig_read_state(rig);
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "None"));
	rig_until(rig, RIG_IS(rig, LOCK "availability", "offline"));
	/* Out of sight first: Home Assistant would go on showing JAMMED. */
	assert_true(watcher_find(&rig->watcher, LOCK "availability", "offline") <
		    watcher_find(&rig->watcher, LOCK "lock/state", "None"));
	rig->fake.state = LOCK_STATE_LOCKED;
	rig_read_state(rig);
	rig_until(rig, RIG_IS(rig, LOCK "availability", "online"));
	assert_true(RIG_IS(rig, LOCK "lock/state", "LOCKED"));
	rig->fake.state = LOCK_STATE_UNKNOWN;
	rig_read_state(rig);
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "None"));
	rig_wait_ms(rig, 50);
	assert_true(RIG_IS(rig, LOCK "availability", "online")); /* "unknown" is shown */
}

static void users_can_be_hidden(void **state) {
	struct rig *rig = *state;
	struct event event;

	rig->config.show_users = false;
	rig_start(rig);
	event_init(&event, EVENT_LOCK_OPERATION, loop_clock(rig->loop));
	(void) strcpy(event.lock_id, RIG_LOCK);
	(void) strcpy(event.user, "Anna");
	event.operation = OPERATION_UNLOCK;
	event.source = SOURCE_KEYPAD;
	event.seq = 77;
	signal_emit(&hub_signals(rig->hub)->event, &event);
	rig_until(rig, event_with(rig, "\"seq\":77,") != NULL);
	assert_non_null(strstr(event_with(rig, "\"seq\":77,"), "\"unlocked\""));
	assert_non_null(strstr(event_with(rig, "\"seq\":77,"), "\"keypad\""));
	for (size_t i = 0; i < rig->watcher.n; i++) {
		assert_null(strstr(rig->watcher.seen[i].payload, "Anna"));
	}
}

static void single_form(void **state) {
	struct rig *rig = *state;

	rig->config.discovery = MQTT_DISCOVERY_SINGLE;
	rig->fake.state = LOCK_STATE_UNLATCHED;
	rig_start(rig);
	assert_true(watcher_find(&rig->watcher, CONFIG, NULL) == SIZE_MAX);
	const char *config =
		watcher_last(&rig->watcher, "homeassistant/lock/lockhub_" RIG_LOCK "_lock/config");
	assert_non_null(config);
	assert_non_null(strstr(config, "\"unique_id\":\"lockhub_" RIG_LOCK "_lock\""));
	/* Not known to the releases that this form is for. */
	assert_null(strstr(config, "serial_number"));
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "UNLOCKED"));
}

static void discovery_off(void **state) {
	struct rig *rig = *state;

	rig->config.discovery = MQTT_DISCOVERY_OFF;
	rig_start(rig);
	for (size_t i = 0; i < rig->watcher.n; i++) {
		assert_null(strstr(rig->watcher.seen[i].topic, "homeassistant/"));
	}
}

static void storage_problem_is_shown(void **state) {
	struct rig *rig = *state;

	rig_start(rig);
	rig_until(rig, RIG_IS(rig, "lockhub/hub/storage", "OFF"));
	rig->is_ledger_broken = true;
	say(rig, "LOCK");
	rig_until(rig, RIG_IS(rig, "lockhub/hub/storage", "ON"));
}

static void dump_into(json_t *all, const struct watcher *watcher) {
	for (size_t i = 0; i < watcher->n; i++) {
		const struct seen *seen = &watcher->seen[i];
		(void) json_object_set_new(all, seen->topic,
			json_pack("{s:s,s:b,s:i}", "payload", seen->payload, "retain",
				(int) seen->is_retained, "qos", seen->qos));
	}
}

/* What lies on the broker, judged by the rules of Home Assistant (tools/ha-validate). */
static void validate(struct rig *rig) {
	struct watcher fresh = { .n = 0 };
	const char *root = getenv("LOCKHUB_SOURCE_ROOT");
	json_t *all = json_object();
	char command[700];
	char path[128];

	dump_into(all, &rig->watcher); /* for the events; the rest is replaced by what is stored */
	(void) json_object_del(all, LOCK "lock/set");
	watcher_start(&fresh, &rig->broker);
	dump_into(all, &fresh);
	watcher_finish(&fresh);
	(void) snprintf(path, sizeof(path), "%s/dump.json", rig->broker.folder);
	assert_int_equal(json_dump_file(all, path, 0), 0);
	json_decref(all);
	(void) snprintf(command, sizeof(command),
		"python3 %s/tools/ha-validate/ha_validate.py --subscribed 'lockhub/+/lock/set' "
		"--secret 004711 --secret 0123456789abcdef %s >&2",
		root != NULL ? root : ".", path);
	assert_int_equal(system(command), 0); /* NOLINT: a test's own folder */
}

static void home_assistant_would_understand(void **state) {
	struct rig *rig = *state;

	rig->fake.has_door_sensor = true;
	rig->fake.door = DOOR_STATE_CLOSED;
	rig_start(rig);
	say(rig, "{\"action\":\"LOCK\",\"code\":\"004711\"}");
	rig_until(rig, RIG_IS(rig, LOCK "lock/state", "LOCKED"));
	say(rig, "{\"action\":\"DANCE\",\"code\":\"004711\"}");
	rig_until(rig, event_with(rig, "command_refused") != NULL);
	rig_until(rig, watcher_last(&rig->watcher, LOCK "lock/attributes") != NULL);
	rig_until(rig, strstr(watcher_last(&rig->watcher, CONFIG), "_door\"") != NULL);
	validate(rig);
}

static void home_assistant_would_understand_singles(void **state) {
	struct rig *rig = *state;

	rig->config.discovery = MQTT_DISCOVERY_SINGLE;
	rig_start(rig);
	rig_wait_ms(rig, 5500);
	validate(rig);
}

int main(void) {
	const struct CMUnitTest tests[] = {
#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		RIG_TEST(comes_online_in_order),
		RIG_TEST(carries_out_words),
		RIG_TEST(carries_out_json_once),
		RIG_TEST(repeated_word_is_one),
		RIG_TEST(retained_command_is_dropped),
		RIG_TEST(retained_command_is_not_taken),
		RIG_TEST(buttons_do_what_is_allowed),
		RIG_TEST(maintenance_is_offered_when_allowed),
		RIG_TEST(retained_presses_are_dropped),
		RIG_TEST(refuses_what_it_does_not_understand),
		RIG_TEST(flood_is_dropped),
		RIG_TEST(commands_can_be_off),
		RIG_TEST(will_and_farewell),
		RIG_TEST(broker_restart_loses_nothing),
		RIG_TEST(birth_repeats_once),
		RIG_TEST(cleared_discovery_comes_back),
		RIG_TEST(foreign_status_is_set_right),
		RIG_TEST(renames_are_gathered),
		RIG_TEST(parts_come_and_go),
		RIG_TEST(radio_counts_do_not_flood),
		RIG_TEST(unpaired_lock_vanishes),
		RIG_TEST(jam_then_unknown_is_unavailable),
		RIG_TEST(users_can_be_hidden),
		RIG_TEST(single_form),
		RIG_TEST(discovery_off),
		RIG_TEST(storage_problem_is_shown),
		RIG_TEST(home_assistant_would_understand),
		RIG_TEST(home_assistant_would_understand_singles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
