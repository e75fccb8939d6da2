/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/policy.h"

#include "test.h"
#include "util/text.h"

#define NOW_MS 1795000000000

struct gate {
	struct policy policy;
	struct policy_seen seen;
};

static struct request mqtt(enum act act) {
	struct request request = {
		.act = act, .origin = REQUEST_MQTT, .role = ROLE_OPERATE, .actor = "mqtt"
	};

	(void) text_copy(request.lock, sizeof(request.lock), "11111111");
	return request;
}

static enum fault_code check(struct gate *gate, const struct request *request, int64_t at_ms) {
	struct fault fault = { .code = FAULT_NONE };
	int r = policy_check(
		&gate->policy, &gate->seen, request, (mono_t){ at_ms }, NOW_MS, true, &fault);

	assert_int_equal(r < 0, fault.code != FAULT_NONE);
	return fault.code;
}

static struct gate gate_new(void) {
	struct gate gate = { .seen = { .next = 0 } };

	policy_defaults(&gate.policy);
	return gate;
}

/* Every act with every role. */
static void roles_are_a_table(void **state) {
	(void) state;
	for (enum act act = ACT_LOCK; act < ACT_COUNT_; act++) {
		for (enum role role = ROLE_NONE; role <= ROLE_MANAGE; role++) {
			struct gate gate = gate_new();
			struct request request = mqtt(act);
			bool may = role >= policy_role_for(act);

			request.role = role;
			assert_int_equal(
				check(&gate, &request, 1), may ? FAULT_NONE : FAULT_DENIED);
		}
	}
	assert_int_equal(policy_role_for(ACT_UNLOCK), ROLE_OPERATE);
	assert_int_equal(policy_role_for(ACT_CALIBRATE), ROLE_MANAGE);
	assert_int_equal(policy_role_for(ACT_VERIFY_PIN), ROLE_MANAGE);
}

static void retained_is_refused(void **state) {
	struct gate gate = gate_new();
	struct request request = mqtt(ACT_UNLOCK);

	(void) state;
	request.is_retained = true;
	assert_int_equal(check(&gate, &request, 1), FAULT_RETAINED_COMMAND);
	request.act = ACT_LOCK;
	assert_int_equal(check(&gate, &request, 1), FAULT_RETAINED_COMMAND);
}

static void age_has_two_ends(void **state) {
	static const struct {
		int64_t sent_ms;
		enum fault_code code;
	} rows[] = { { NOW_MS - 29999, FAULT_NONE }, { NOW_MS - 30001, FAULT_EXPIRED },
		{ NOW_MS + 29999, FAULT_NONE }, { NOW_MS + 30001, FAULT_EXPIRED },
		{ 0, FAULT_NONE } };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gate gate = gate_new();
		struct request request = mqtt(ACT_UNLOCK);

		request.sent_at_ms = rows[i].sent_ms;
		assert_int_equal(check(&gate, &request, 1), rows[i].code);
	}
}

static void age_needs_a_clock_of_ours(void **state) {
	struct gate gate = gate_new();
	struct request request = mqtt(ACT_UNLOCK);
	struct fault fault;

	(void) state;
	request.sent_at_ms = NOW_MS - 3600000;
	assert_int_equal(policy_check(&gate.policy, &gate.seen, &request, (mono_t){ 1 }, NOW_MS,
				 false, &fault),
		0);
}

static void same_id_counts_once(void **state) {
	struct gate gate = gate_new();
	struct request request = mqtt(ACT_UNLOCK);

	(void) state;
	(void) text_copy(request.dedup_id, sizeof(request.dedup_id), "abc");
	assert_int_equal(check(&gate, &request, 1000), FAULT_NONE);
	assert_int_equal(check(&gate, &request, 500000), FAULT_DUPLICATE);
	assert_int_equal(check(&gate, &request, 700000), FAULT_NONE);
	(void) text_copy(request.dedup_id, sizeof(request.dedup_id), "abd");
	assert_int_equal(check(&gate, &request, 700001), FAULT_NONE);
}

static void bare_words_repeat_only_later(void **state) {
	struct gate gate = gate_new();
	struct request unlock = mqtt(ACT_UNLOCK);
	struct request lock = mqtt(ACT_LOCK);

	(void) state;
	assert_int_equal(check(&gate, &unlock, 1000), FAULT_NONE);
	assert_int_equal(check(&gate, &unlock, 1500), FAULT_DUPLICATE);
	assert_int_equal(check(&gate, &lock, 1600), FAULT_NONE);
	/* After another act it is meant anew. */
	assert_int_equal(check(&gate, &unlock, 1700), FAULT_NONE);
	assert_int_equal(check(&gate, &unlock, 3800), FAULT_NONE);
}

/* Someone who presses twice in lockhubctl means it. */
static void dbus_repeats_are_meant(void **state) {
	struct gate gate = gate_new();
	struct request request = mqtt(ACT_UNLOCK);

	(void) state;
	request.origin = REQUEST_DBUS;
	assert_int_equal(check(&gate, &request, 1000), FAULT_NONE);
	assert_int_equal(check(&gate, &request, 1001), FAULT_NONE);
}

static void mqtt_unlock_can_be_off(void **state) {
	struct gate gate = gate_new();
	struct request request = mqtt(ACT_UNLOCK);

	(void) state;
	gate.policy.allow_mqtt_unlock = false;
	assert_int_equal(check(&gate, &request, 1), FAULT_DENIED);
	request.act = ACT_UNLATCH;
	assert_int_equal(check(&gate, &request, 1), FAULT_DENIED);
	request.act = ACT_LOCK_N_GO;
	assert_int_equal(check(&gate, &request, 1), FAULT_DENIED);
	request.act = ACT_LOCK;
	assert_int_equal(check(&gate, &request, 1), FAULT_NONE);
	request.act = ACT_UNLOCK;
	request.origin = REQUEST_DBUS;
	assert_int_equal(check(&gate, &request, 1), FAULT_NONE);
}

/* The ring forgets the oldest, and never a refusal: those were not remembered. */
static void refused_ids_are_not_remembered(void **state) {
	struct gate gate = gate_new();
	struct request request = mqtt(ACT_UNLOCK);

	(void) state;
	(void) text_copy(request.dedup_id, sizeof(request.dedup_id), "abc");
	request.role = ROLE_NONE;
	assert_int_equal(check(&gate, &request, 1), FAULT_DENIED);
	request.role = ROLE_OPERATE;
	assert_int_equal(check(&gate, &request, 2), FAULT_NONE);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles_are_a_table),
		cmocka_unit_test(retained_is_refused),
		cmocka_unit_test(age_has_two_ends),
		cmocka_unit_test(age_needs_a_clock_of_ours),
		cmocka_unit_test(same_id_counts_once),
		cmocka_unit_test(bare_words_repeat_only_later),
		cmocka_unit_test(dbus_repeats_are_meant),
		cmocka_unit_test(mqtt_unlock_can_be_off),
		cmocka_unit_test(refused_ids_are_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
