/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Codes by MQTT: the dialect of the code managers, the codes' entities, the users' switches. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/people.h"
#include "rig.h"

#define LOCK "lockhub/" RIG_LOCK "/"
#define TOPIC "zigbee2mqtt/Front door"
#define CONFIG "homeassistant/lock/lockhub_" RIG_LOCK "_pin_code/config"
#define CODE "482913"
#define OTHER_CODE "731864"

static int setup(void **state) {
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig_init(rig);
	rig->fake.has_keypad = true;
	rig->config.pin_code_base = "zigbee2mqtt";
	rig->config.user_switches = true;
	*state = rig;
	return 0;
}

static int teardown(void **state) {
	rig_finish(*state);
	free(*state);
	return 0;
}

static void say_to(struct rig *rig, const char *topic, const char *payload, bool is_retained) {
	watcher_publish(&rig->watcher, topic, payload, strlen(payload), is_retained);
}

static void say(struct rig *rig, const char *payload) {
	say_to(rig, TOPIC "/set", payload, false);
}

static void ask(struct rig *rig, const char *payload) {
	say_to(rig, TOPIC "/get", payload, false);
}

/* Whether a message on @topic after the first @since holds @text. */
static bool heard(const struct rig *rig, size_t since, const char *topic, const char *text) {
	for (size_t i = since; i < rig->watcher.n; i++) {
		if (strcmp(rig->watcher.seen[i].topic, topic) == 0 &&
			strstr(rig->watcher.seen[i].payload, text) != NULL) {
			return true;
		}
	}
	return false;
}

/* The topics that people write to hold codes, of course; ours never do (L9). */
static void no_code_was_published(const struct rig *rig) {
	for (size_t i = 0; i < rig->watcher.n; i++) {
		if (strcmp(rig->watcher.seen[i].topic, TOPIC "/set") != 0) {
			assert_null(strstr(rig->watcher.seen[i].payload, CODE));
			assert_null(strstr(rig->watcher.seen[i].payload, OTHER_CODE));
		}
	}
}

static bool holds(const struct rig *rig, const char *pin) {
	for (size_t i = 0; i < rig->fake.n_slots; i++) {
		if (rig->fake.slots[i].pin.len == strlen(pin) &&
			memcmp(rig->fake.slots[i].pin.bytes, pin, strlen(pin)) == 0) {
			return true;
		}
	}
	return false;
}

static void start(struct rig *rig) {
	rig_start(rig);
	rig_until(rig, watcher_last(&rig->watcher, CONFIG) != NULL);
	rig_until(rig, heard(rig, 0, TOPIC, "\"state\":\"UNLOCK\""));
}

static void a_code_is_set_asked_for_and_cleared(void **state) {
	struct rig *rig = *state;

	start(rig);
	size_t since = rig->watcher.n;
	ask(rig, "{\"pin_code\":{\"user\":3}}");
	rig_until(rig, heard(rig, since, TOPIC, "\"users\":{\"3\":{\"status\":\"available\"}}"));
	say(rig, "{\"pin_code\":{\"user\":3,\"user_type\":\"unrestricted\",\"user_enabled\":true,"
		 "\"pin_code\":\"" CODE "\"}}");
	rig_until(rig, heard(rig, since, TOPIC, "\"action\":\"pin_code_added\""));
	rig_until(rig, heard(rig, since, TOPIC, "\"action_user\":3"));
	rig_until(rig, holds(rig, CODE));
	rig_until(rig, RIG_IS(rig, LOCK "codes", "1"));
	rig_until(rig, RIG_IS(rig, LOCK "codes_problem", "OFF"));
	since = rig->watcher.n;
	ask(rig, "{\"pin_code\":{\"user\":3}}");
	rig_until(rig, heard(rig, since, TOPIC, "\"users\":{\"3\":{\"status\":\"enabled\"}}"));
	/* Another code for the same slot takes the place of the first. */
	say(rig, "{\"pin_code\":{\"user\":3,\"user_enabled\":true,\"pin_code\":\"" OTHER_CODE
		 "\"}}");
	rig_until(rig, holds(rig, OTHER_CODE) && !holds(rig, CODE));
	assert_int_equal(rig->fake.n_slots, 1);
	since = rig->watcher.n;
	say(rig, "{\"pin_code\":{\"user\":3,\"user_enabled\":false,\"pin_code\":null}}");
	rig_until(rig, heard(rig, since, TOPIC, "\"action\":\"pin_code_deleted\""));
	rig_until(rig, rig->fake.n_slots == 0);
	rig_until(rig, RIG_IS(rig, LOCK "codes", "0"));
	since = rig->watcher.n;
	ask(rig, "{\"pin_code\":\"\"}");
	rig_until(rig, heard(rig, since, TOPIC, "\"3\":{\"status\":\"available\"}"));
	no_code_was_published(rig);
}

static void edit_status(struct rig *rig, const char *word, enum user_status status) {
	static const struct people_by by = { .actor = "uid 0 (root)", .role = ROLE_MANAGE };
	struct user_edit edit = { .set = USER_EDIT_STATUS, .status = status };

	assert_int_equal(hub_user_edit(rig->hub, word, &edit, &by, NULL, NULL, NULL), 0);
}

static const struct user *user_three(const struct rig *rig) {
	return book_find_user(hub_book(rig->hub), "3");
}

/* A code manager repeats all its slots: it must not let in whom a person has shut out. */
static void who_was_disabled_stays_out(void **state) {
	struct rig *rig = *state;
	static const char set[] = "{\"pin_code\":{\"user\":3,\"user_enabled\":true,"
				  "\"pin_code\":\"" CODE "\"}}";

	start(rig);
	say(rig, set);
	rig_until(rig, holds(rig, CODE));
	edit_status(rig, "3", USER_STATUS_OCCUPIED_DISABLED);
	rig_until(rig, rig->fake.n_slots == 0);
	size_t since = rig->watcher.n;
	say(rig, set);
	rig_until(rig, heard(rig, since, LOCK "event", "user-disabled"));
	assert_int_equal(user_three(rig)->status, USER_STATUS_OCCUPIED_DISABLED);
	/* What came by MQTT may go by MQTT. */
	edit_status(rig, "3", USER_STATUS_OCCUPIED_ENABLED);
	rig_until(rig, holds(rig, CODE));
	say(rig, "{\"pin_code\":{\"user\":3,\"user_enabled\":false,\"pin_code\":\"" CODE "\"}}");
	rig_until(rig, user_three(rig)->status == USER_STATUS_OCCUPIED_DISABLED);
	say(rig, set);
	rig_until(rig, user_three(rig)->status == USER_STATUS_OCCUPIED_ENABLED);
}

/* Code managers ask every five minutes: that must not cost the lock's battery. */
static void asking_wakes_no_lock(void **state) {
	struct rig *rig = *state;

	start(rig);
	rig_until(rig, RIG_IS(rig, LOCK "codes", "0"));
	unsigned n_links = rig->fake.n_links;
	size_t since = rig->watcher.n;
	for (unsigned i = 1; i <= 20; i++) {
		char text[64];
		(void) snprintf(text, sizeof(text), "{\"pin_code\":{\"user\":%u}}", i);
		ask(rig, text);
	}
	rig_until(rig, heard(rig, since, TOPIC, "\"20\":{\"status\""));
	assert_int_equal(rig->fake.n_links, n_links);
}

static void what_is_wrong_is_refused_in_words(void **state) {
	struct rig *rig = *state;

	start(rig);
	size_t since = rig->watcher.n;
	say(rig, "{\"pin_code\":{\"user\":3,\"pin_code\":\"111111\"}}");
	rig_until(rig, heard(rig, since, LOCK "event", "\"reason\":\"weak-code\""));
	say(rig, "{\"pin_code\":{\"user\":\"three\",\"pin_code\":\"" CODE "\"}}");
	rig_until(rig, heard(rig, since, LOCK "event", "\"reason\":\"bad-command\""));
	/* A device of the real zigbee2mqtt is none of our business. */
	uint64_t n = mqtt_status(rig->mqtt)->commands;
	say_to(rig, "zigbee2mqtt/Lamp/set", "{\"state\":\"ON\"}", false);
	size_t before = rig->watcher.n;
	ask(rig, "{\"pin_code\":{\"user\":5}}");
	rig_until(rig, heard(rig, before, TOPIC, "\"5\":{"));
	assert_int_equal(mqtt_status(rig->mqtt)->commands, n + 1);
	assert_int_equal(rig->fake.n_slots, 0);
	no_code_was_published(rig);
}

/* What the broker keeps was said to somebody else, at another time. */
static void retained_codes_are_not_taken(void **state) {
	struct rig *rig = *state;

	broker_start(&rig->broker);
	watcher_start(&rig->watcher, &rig->broker);
	say_to(rig, TOPIC "/set",
		"{\"pin_code\":{\"user\":4,\"user_enabled\":true,\"pin_code\":\"" CODE "\"}}",
		true);
	rig_until(rig, watcher_last(&rig->watcher, TOPIC "/set") != NULL);
	rig_mqtt(rig);
	hub_start(rig->hub);
	/* It may come before the lock's topic is known to be ours: then it is nobody's. */
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
	rig_until(rig, RIG_IS(rig, LOCK "codes", "0"));
	rig_wait_ms(rig, 50);
	assert_int_equal(book_user_count(hub_book(rig->hub)), 0);
	assert_int_equal(rig->fake.n_slots, 0);
}

static void the_same_entity_locks(void **state) {
	struct rig *rig = *state;

	start(rig);
	say(rig, "{\"state\":\"LOCK\"}");
	rig_until(rig, rig->fake.last_act == ACT_LOCK && rig->fake.state == LOCK_STATE_LOCKED);
	rig_until(rig, strstr(watcher_last(&rig->watcher, TOPIC), "\"state\":\"LOCK\"") != NULL);
	rig_until(rig, heard(rig, 0, TOPIC, "\"action\":\"rf_lock\""));
}

static const char *user_topic(struct rig *rig, const char *end, char out[static 96]) {
	(void) snprintf(
		out, 96, "lockhub/hub/user_%s%s", book_user_at(hub_book(rig->hub), 0)->id, end);
	return out;
}

static void a_user_is_switched_off_and_on(void **state) {
	struct rig *rig = *state;
	char topic[96];
	char set[96];

	start(rig);
	say(rig, "{\"pin_code\":{\"user\":1,\"user_enabled\":true,\"pin_code\":\"" CODE "\"}}");
	rig_until(rig, holds(rig, CODE));
	(void) user_topic(rig, "", topic);
	(void) user_topic(rig, "/set", set);
	rig_until(rig, RIG_IS(rig, topic, "ON"));
	say_to(rig, set, "OFF", false);
	rig_until(rig, RIG_IS(rig, topic, "OFF"));
	rig_until(rig, !holds(rig, CODE) || !rig->fake.slots[0].is_enabled);
	size_t since = rig->watcher.n;
	ask(rig, "{\"pin_code\":{\"user\":1}}");
	rig_until(rig, heard(rig, since, TOPIC, "\"1\":{\"status\":\"disabled\"}"));
	say_to(rig, set, "on", false);
	rig_until(rig, heard(rig, since, "lockhub/hub/event", "\"reason\":\"bad-command\""));
	say_to(rig, set, "ON", false);
	rig_until(rig, RIG_IS(rig, topic, "ON"));
	rig_until(rig, holds(rig, CODE) && rig->fake.slots[0].is_enabled);
	/* A user that goes takes the switch along. */
	struct people_by by = { .actor = "test", .role = ROLE_MANAGE };
	struct fault fault;
	assert_int_equal(hub_user_remove(rig->hub, "1", &by, NULL, NULL, &fault), 0);
	rig_until(rig, RIG_IS(rig, topic, ""));
	rig_until(rig, rig->fake.n_slots == 0);
}

static void silent_unless_wanted(void **state) {
	struct rig *rig = *state;

	rig->config.pin_code_base = NULL;
	rig->config.user_switches = false;
	rig_start(rig);
	size_t since = rig->watcher.n;
	say(rig, "{\"pin_code\":{\"user\":1,\"user_enabled\":true,\"pin_code\":\"" CODE "\"}}");
	say_to(rig, LOCK "lock/set", "LOCK", false);
	rig_until(rig, rig->fake.n_motor == 1);
	assert_int_equal(book_user_count(hub_book(rig->hub)), 0);
	assert_false(heard(rig, since, TOPIC, ""));
	assert_null(watcher_last(&rig->watcher, CONFIG));
}

/* The program stops while the database has not answered: nobody is called who is no more. */
static void ends_in_the_middle(void **state) {
	struct rig *rig = *state;

	start(rig);
	say(rig, "{\"pin_code\":{\"user\":9,\"user_enabled\":true,\"pin_code\":\"" CODE "\"}}");
	uint64_t n = mqtt_status(rig->mqtt)->commands;
	while (mqtt_status(rig->mqtt)->commands == n && list_is_empty(&rig->txns)) {
		rig_turn(rig);
	}
	rig->mqtt = mqtt_free(rig->mqtt);
	rig_wait_ms(rig, 50);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_code_is_set_asked_for_and_cleared, setup, teardown),
		cmocka_unit_test_setup_teardown(who_was_disabled_stays_out, setup, teardown),
		cmocka_unit_test_setup_teardown(asking_wakes_no_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_refused_in_words, setup, teardown),
		cmocka_unit_test_setup_teardown(retained_codes_are_not_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_entity_locks, setup, teardown),
		cmocka_unit_test_setup_teardown(a_user_is_switched_off_and_on, setup, teardown),
		cmocka_unit_test_setup_teardown(silent_unless_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_in_the_middle, setup, teardown),
	};
	return cmocka_run_group_tests_name("pins", tests, NULL, NULL);
}
