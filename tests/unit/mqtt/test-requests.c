/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requests to the hub on a real broker: who may ask for what, what is answered, and that nothing is
 * done twice. What the answers look like is tests/hub/test-requests.py's business.
 */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/vault.h"
#include "rig.h"
#include "util/auto.h"
#include "util/log.h"

#define REQUEST "lockhub/hub/request/"
#define RESPONSE "lockhub/hub/response/"
#define PAIRING "lockhub/hub/pairing"

/* ---- a vault and a service manager that only count ---- */

struct fake_vault {
	struct vault vault;
	unsigned n_made;
	char reason[VAULT_REASON_MAX];
	bool is_slow; /* answers when the test says so */
	bool is_full;
	vault_done_fn *done;
	void *user;
};

struct stage {
	struct rig rig;
	struct fake_vault vault;
	unsigned n_restarts;
};

static void vault_answer(struct fake_vault *vault) {
	const struct vault_report report = { .name = "by-request-20261122.lockhub", .size = 4096 };
	struct fault fault = { .code = FAULT_NONE };
	vault_done_fn *done = vault->done;

	vault->done = NULL;
	if (vault->is_full) {
		(void) fault_set(&fault, FAULT_DATABASE_FULL, "no room");
		done(vault->user, NULL, &fault);
	} else {
		done(vault->user, &report, NULL);
	}
}

static void vault_generation(
	struct vault *vault, const char *reason, vault_done_fn *done, void *user) {
	struct fake_vault *fake = container_of(vault, struct fake_vault, vault);

	fake->n_made++;
	(void) snprintf(fake->reason, sizeof(fake->reason), "%s", reason);
	assert_null(fake->done);
	fake->done = done;
	fake->user = user;
}

static const struct vault_impl vault_impl = { .generation = vault_generation };

static int restart(void *user, struct fault *ret_fault) {
	struct stage *stage = user;

	(void) ret_fault;
	stage->n_restarts++;
	return 0;
}

static int setup(void **state) {
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	rig_init(&stage->rig);
	stage->vault.vault.impl = &vault_impl;
	stage->rig.config.requests = MQTT_REQUESTS_ADMIN;
	stage->rig.config.vault = &stage->vault.vault;
	stage->rig.config.restart = restart;
	stage->rig.config.user = stage;
	*state = stage;
	return 0;
}

static int teardown(void **state) {
	struct stage *stage = *state;

	rig_finish(&stage->rig);
	if (stage->vault.done != NULL) {
		vault_answer(&stage->vault); /* nobody is there any more, and nothing leaks */
	}
	free(stage);
	return 0;
}

/* ---- asking ---- */

static void turn(struct stage *stage) {
	rig_turn(&stage->rig);
	if (stage->vault.done != NULL && !stage->vault.is_slow) {
		vault_answer(&stage->vault);
	}
}

#define until(stage, expression)                                                                   \
	do {                                                                                       \
		int64_t limit_ = rig_ms() + 60000;                                                 \
		while (!(expression)) {                                                            \
			if (rig_ms() > limit_) {                                                   \
				fail_msg("not in time: %s", #expression);                          \
			}                                                                          \
			turn(stage);                                                               \
		}                                                                                  \
	} while (0)

static size_t n_answers(const struct stage *stage, const char *name) {
	char topic[128];

	(void) snprintf(topic, sizeof(topic), RESPONSE "%s", name);
	return watcher_count(&stage->rig.watcher, topic, NULL);
}

static void say(struct stage *stage, const char *name, const char *payload, bool is_retained) {
	char topic[128];

	(void) snprintf(topic, sizeof(topic), REQUEST "%s", name);
	watcher_publish(&stage->rig.watcher, topic, payload, strlen(payload), is_retained);
}

/* The last answer; to be json_decref()ed. */
static json_t *last_answer(const struct stage *stage, const char *name) {
	char topic[128];

	(void) snprintf(topic, sizeof(topic), RESPONSE "%s", name);
	json_t *answer = json_loads(watcher_last(&stage->rig.watcher, topic), 0, NULL);
	assert_non_null(answer);
	return answer;
}

static json_t *ask(struct stage *stage, const char *name, const char *payload) {
	size_t n = n_answers(stage, name);

	say(stage, name, payload, false);
	until(stage, n_answers(stage, name) > n);
	return last_answer(stage, name);
}

/* "ok", or the fault's name. */
static void expect(struct stage *stage, const char *name, const char *payload, const char *wanted) {
	json_t *answer = ask(stage, name, payload);
	const char *status = json_string_value(json_object_get(answer, "status"));
	const json_t *error = json_object_get(answer, "error");
	const char *got = json_string_value(json_object_get(error, "name"));

	if (strcmp(error != NULL ? got : status, wanted) != 0) {
		fail_msg("%s %s: %s, wanted %s", name, payload,
			watcher_last(&stage->rig.watcher, RESPONSE "health"), wanted);
	}
	assert_string_equal(status, error != NULL ? "error" : "ok");
	if (error != NULL) {
		assert_true(json_string_length(json_object_get(error, "text")) > 0);
		assert_true(json_string_length(json_object_get(error, "hint")) > 0);
	}
	json_decref(answer);
}

/* ---- the tests ---- */

static void it_is_off_unless_it_is_wanted(void **state) {
	struct stage *stage = *state;

	stage->rig.config.requests = MQTT_REQUESTS_NONE;
	rig_start(&stage->rig);
	say(stage, "health", "{}", false);
	say(stage, "restart", "{}", false);
	/* A command behind them has been carried out: they were not even heard. */
	watcher_publish(&stage->rig.watcher, "lockhub/" RIG_LOCK "/lock/set", "LOCK", 4, false);
	until(stage, stage->rig.fake.n_motor == 1);
	assert_int_equal(n_answers(stage, "health"), 0);
	assert_int_equal(stage->n_restarts, 0);
	assert_int_equal(mqtt_status(stage->rig.mqtt)->commands, 1);
}

/* Each class may what the ones before it may, and not more; what is refused is counted. */
static void each_class_has_its_rights(void **state) {
	static const struct {
		const char *name;
		const char *payload;
		enum mqtt_requests least;
	} rows[] = {
		{ "health", "{}", MQTT_REQUESTS_READ },
		{ "devices", "{}", MQTT_REQUESTS_READ },
		{ "options", "{\"id\":\"" RIG_LOCK "\"}", MQTT_REQUESTS_READ },
		{ "backup", "{}", MQTT_REQUESTS_MAINTAIN },
		{ "logging", "{\"level\":\"info\"}", MQTT_REQUESTS_MAINTAIN },
		{ "restart", "{}", MQTT_REQUESTS_MAINTAIN },
		{ "rename", "{\"id\":\"" RIG_LOCK "\",\"to\":\"Back door\"}", MQTT_REQUESTS_ADMIN },
		{ "permit_pairing", "{\"time\":0}", MQTT_REQUESTS_ADMIN },
	};
	struct stage *stage = *state;

	rig_start(&stage->rig);
	for (enum mqtt_requests level = MQTT_REQUESTS_READ; level <= MQTT_REQUESTS_ADMIN; level++) {
		rig_stop_mqtt(&stage->rig);
		stage->rig.config.requests = level;
		rig_mqtt(&stage->rig);
		until(stage, mqtt_status(stage->rig.mqtt)->is_online);
		unsigned n_refused = 0;
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			bool may = level >= rows[i].least;
			n_refused += !may;
			expect(stage, rows[i].name, rows[i].payload, may ? "ok" : "denied");
		}
		assert_int_equal(mqtt_status(stage->rig.mqtt)->refused, n_refused);
	}
	assert_int_equal(stage->vault.n_made, 2);
	assert_int_equal(stage->n_restarts, 2);
	assert_string_equal(lock_name(hub_find_lock(stage->rig.hub, RIG_LOCK)), "Back door");
	/* [mqtt] commands = no stops whatever does something. */
	rig_stop_mqtt(&stage->rig);
	stage->rig.config.allow_commands = false;
	rig_mqtt(&stage->rig);
	until(stage, mqtt_status(stage->rig.mqtt)->is_online);
	expect(stage, "health", "{}", "ok");
	expect(stage, "backup", "{}", "denied");
	assert_int_equal(stage->vault.n_made, 2);
}

static void what_is_not_understood_is_refused(void **state) {
	struct stage *stage = *state;

	rig_start(&stage->rig);
	expect(stage, "unknown", "{}", "bad-command");
	expect(stage, "health", "[]", "bad-command");
	expect(stage, "health", "{\"id\":\"x\"}", "bad-command");
	expect(stage, "rename", "{\"id\":\"nobody\",\"to\":\"x\"}", "no-such-lock");
	/* To take a lock away its very id has to be known. */
	expect(stage, "remove", "{\"id\":\"front-door\"}", "bad-argument");
	assert_int_equal(stage->vault.n_made, 0);
	/* The transaction comes back as it was, text or number, also with a refusal. */
	json_t *answer = ask(stage, "health", "{\"transaction\":17,\"x\":1}");
	assert_int_equal(json_integer_value(json_object_get(answer, "transaction")), 17);
	json_decref(answer);
	answer = ask(stage, "health", "{\"transaction\":\"a b\"}");
	assert_string_equal(json_string_value(json_object_get(answer, "transaction")), "a b");
	json_decref(answer);
}

static void a_retained_request_is_dropped(void **state) {
	struct stage *stage = *state;

	/* With MQTT 5 the broker does not even hand it out. */
	stage->rig.config.protocol = MQTT_PROTOCOL_311;
	broker_start(&stage->rig.broker);
	watcher_start(&stage->rig.watcher, &stage->rig.broker);
	say(stage, "restart", "{\"transaction\":\"r\"}", true);
	rig_mqtt(&stage->rig);
	hub_start(stage->rig.hub);
	until(stage, n_answers(stage, "restart") == 1);
	json_t *answer = last_answer(stage, "restart");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(answer, "error"), "name")),
		"retained-command");
	json_decref(answer);
	assert_int_equal(stage->n_restarts, 0);
	/* And it is taken from the broker, so that it does not come again. */
	until(stage, RIG_IS(&stage->rig, REQUEST "restart", ""));
}

static void the_same_transaction_is_done_once(void **state) {
	struct stage *stage = *state;
	static const char payload[] = "{\"transaction\":\"b-1\"}";

	rig_start(&stage->rig);
	stage->vault.is_slow = true;
	say(stage, "backup", payload, false);
	until(stage, stage->vault.n_made == 1);
	/* Still being worked on: one answer is for both. */
	say(stage, "backup", payload, false);
	expect(stage, "health", "{}", "ok");
	assert_int_equal(n_answers(stage, "backup"), 0);
	vault_answer(&stage->vault);
	until(stage, n_answers(stage, "backup") == 1);
	/* Done: the same words again, and nothing else. */
	json_t *first = last_answer(stage, "backup");
	json_t *second = ask(stage, "backup", payload);
	assert_true(json_equal(json_object_get(first, "data"), json_object_get(second, "data")));
	json_decref(first);
	json_decref(second);
	assert_int_equal(stage->vault.n_made, 1);
	/* Another request under the same number is nobody's. */
	expect(stage, "backup", "{ \"transaction\":\"b-1\"}", "duplicate");
	/* A new one so soon would only wear the disk. */
	expect(stage, "backup", "{\"transaction\":\"b-2\"}", "denied");
	assert_int_equal(stage->vault.n_made, 1);
}

static void a_lock_is_not_removed_without_a_backup(void **state) {
	struct stage *stage = *state;
	static const char payload[] = "{\"id\":\"" RIG_LOCK "\",\"force\":true}";

	rig_start(&stage->rig);
	stage->vault.is_full = true;
	expect(stage, "remove", payload, "database-full");
	assert_string_equal(stage->vault.reason, "before-remove-" RIG_LOCK);
	assert_non_null(hub_find_lock(stage->rig.hub, RIG_LOCK));
	stage->vault.is_full = false;
	expect(stage, "remove", payload, "ok");
	assert_null(hub_find_lock(stage->rig.hub, RIG_LOCK));
	expect(stage, "remove", payload, "no-such-lock");
}

/* Whoever asks too much is not answered, and does not keep others from their commands. */
static void a_flood_is_not_answered(void **state) {
	struct stage *stage = *state;

	rig_start(&stage->rig);
	for (unsigned i = 0; i < 200; i++) {
		say(stage, "health", "{}", false);
	}
	until(stage, mqtt_status(stage->rig.mqtt)->commands == 200);
	assert_true(mqtt_status(stage->rig.mqtt)->refused > 100);
	watcher_publish(&stage->rig.watcher, "lockhub/" RIG_LOCK "/lock/set", "LOCK", 4, false);
	until(stage, stage->rig.fake.n_motor == 1);
	/* What acts has a bucket of its own: a flood of questions leaves it full. */
	expect(stage, "backup", "{}", "ok");
	assert_true(n_answers(stage, "health") < 100);
}

/* More in the journal for a while, and never less. */
static void the_journal_tells_more_for_a_while(void **state) {
	struct stage *stage = *state;
	int before = log_set_priority(LOG_INFO);

	rig_start(&stage->rig);
	expect(stage, "logging", "{\"level\":\"warning\"}", "bad-argument");
	assert_true(log_wants(LOG_INFO));
	expect(stage, "logging", "{\"level\":\"debug\",\"minutes\":60}", "ok");
	assert_true(log_wants(LOG_DEBUG));
	expect(stage, "logging", "{\"level\":\"debug\",\"minutes\":0}", "ok");
	assert_false(log_wants(LOG_DEBUG));
	expect(stage, "logging", "{\"level\":\"debug\"}", "ok");
	assert_true(log_wants(LOG_DEBUG));
	rig_stop_mqtt(&stage->rig);
	assert_false(log_wants(LOG_DEBUG));
	(void) log_set_priority(before);
}

static void the_pairing_window_is_shown(void **state) {
	struct stage *stage = *state;

	rig_start(&stage->rig);
	until(stage, watcher_last(&stage->rig.watcher, PAIRING) != NULL);
	assert_non_null(strstr(watcher_last(&stage->rig.watcher, PAIRING), "\"open\":false"));
	/* Open, and closed by itself. */
	expect(stage, "permit_pairing", "{\"time\":1}", "ok");
	until(stage, watcher_count(&stage->rig.watcher, PAIRING, NULL) > 2);
	until(stage, strstr(watcher_last(&stage->rig.watcher, PAIRING), "\"open\":false") != NULL);
	expect(stage, "permit_pairing", "{\"time\":600}", "ok");
	until(stage, strstr(watcher_last(&stage->rig.watcher, PAIRING), "\"open\":true") != NULL);
	expect(stage, "permit_pairing", "{\"time\":0}", "ok");
	until(stage, strstr(watcher_last(&stage->rig.watcher, PAIRING), "\"open\":false") != NULL);
	expect(stage, "permit_pairing", "{\"time\":601}", "bad-command");
}

/* Who waits for an answer that does not come before the end is forgotten without a leak. */
static void an_answer_after_the_end_finds_nobody(void **state) {
	struct stage *stage = *state;

	rig_start(&stage->rig);
	stage->vault.is_slow = true;
	say(stage, "backup", "{}", false);
	until(stage, stage->vault.n_made == 1);
	rig_stop_mqtt(&stage->rig);
	vault_answer(&stage->vault);
	assert_null(stage->vault.done);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_off_unless_it_is_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(each_class_has_its_rights, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_understood_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_retained_request_is_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_transaction_is_done_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_lock_is_not_removed_without_a_backup, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_is_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_journal_tells_more_for_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(the_pairing_window_is_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_answer_after_the_end_finds_nobody, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
