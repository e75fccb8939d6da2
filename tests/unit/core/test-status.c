/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/evidence.h"

#include "test.h"

static const mono_t now = { 5000 };
static const wall_t wall = { 1795000000 };

static struct evidence bolt(enum evidence_how how, enum lock_state state) {
	return (struct evidence){ .has = FACT_BOLT, .how = how, .bolt = { .state = state } };
}

static void begins_with_nothing_known(void **state) {
	struct lock_status status;

	(void) state;
	lock_status_init(&status);
	assert_int_equal(status.bolt.state, LOCK_STATE_UNKNOWN);
	assert_int_equal(status.door, DOOR_STATE_UNKNOWN);
	assert_int_equal(status.battery.percent, -1);
	assert_int_equal(status.bolt_known.how, EVIDENCE_NONE);
}

static void answered_state_is_the_state(void **state) {
	struct lock_status status;
	struct evidence evidence = bolt(EVIDENCE_ANSWERED, LOCK_STATE_LOCKED);

	(void) state;
	lock_status_init(&status);
	assert_int_equal(lock_status_fold(&status, &evidence, now, wall), FACT_BOLT | FACT_HEARD);
	assert_int_equal(status.bolt.state, LOCK_STATE_LOCKED);
	assert_int_equal(status.bolt_known.at.ms, now.ms);
	assert_int_equal(status.bolt_known.how, EVIDENCE_ANSWERED);
	/* The same again is no change, but it is newer knowledge. */
	assert_int_equal(lock_status_fold(&status, &evidence, (mono_t){ 6000 }, wall), FACT_HEARD);
	assert_int_equal(status.bolt_known.at.ms, 6000);
}

/* A false "locked" is the worst bug this program can have. */
static void stored_state_is_never_the_state(void **state) {
	struct lock_status status;
	struct evidence evidence = bolt(EVIDENCE_STORED, LOCK_STATE_LOCKED);

	(void) state;
	lock_status_init(&status);
	assert_int_equal(lock_status_fold(&status, &evidence, now, wall), 0);
	assert_int_equal(status.bolt.state, LOCK_STATE_UNKNOWN);
	assert_int_equal(status.previous_state, LOCK_STATE_LOCKED);
	assert_int_equal(status.previous_at.s, wall.s);
}

static void doubt_makes_unknown_and_remembers(void **state) {
	struct lock_status status;
	struct evidence evidence = bolt(EVIDENCE_ANSWERED, LOCK_STATE_LOCKED);

	(void) state;
	lock_status_init(&status);
	(void) lock_status_fold(&status, &evidence, now, wall);
	assert_int_equal(lock_status_doubt_bolt(&status), FACT_BOLT);
	assert_int_equal(status.bolt.state, LOCK_STATE_UNKNOWN);
	assert_int_equal(status.previous_state, LOCK_STATE_LOCKED);
	assert_int_equal(lock_status_doubt_bolt(&status), 0);
}

static void stored_battery_yields_to_answers(void **state) {
	struct lock_status status;
	struct evidence stored = {
		.has = FACT_BATTERY, .how = EVIDENCE_STORED, .battery = { BATTERY_OK, 80, false }
	};
	struct evidence answered = { .has = FACT_BATTERY,
		.how = EVIDENCE_ANSWERED,
		.battery = { BATTERY_WARNING, 18, false } };

	(void) state;
	lock_status_init(&status);
	assert_int_equal(lock_status_fold(&status, &stored, now, wall), FACT_BATTERY);
	assert_int_equal(
		lock_status_fold(&status, &answered, now, wall), FACT_BATTERY | FACT_HEARD);
	assert_int_equal(status.battery.percent, 18);
	assert_int_equal(lock_status_fold(&status, &stored, now, wall), 0);
	assert_int_equal(status.battery.percent, 18);
}

static void versions_merge(void **state) {
	struct lock_status status;
	struct evidence first = { .has = FACT_VERSIONS,
		.how = EVIDENCE_ANSWERED,
		.versions = { .firmware = "2.8.15", .serial = "1A2B3C4D" } };
	struct evidence second = {
		.has = FACT_VERSIONS, .how = EVIDENCE_ANSWERED, .versions = { .hardware = "2.5" }
	};

	(void) state;
	lock_status_init(&status);
	(void) lock_status_fold(&status, &first, now, wall);
	assert_true((lock_status_fold(&status, &second, now, wall) & FACT_VERSIONS) != 0);
	assert_string_equal(status.versions.firmware, "2.8.15");
	assert_string_equal(status.versions.hardware, "2.5");
	assert_true((lock_status_fold(&status, &second, now, wall) & FACT_VERSIONS) == 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_with_nothing_known),
		cmocka_unit_test(answered_state_is_the_state),
		cmocka_unit_test(stored_state_is_never_the_state),
		cmocka_unit_test(doubt_makes_unknown_and_remembers),
		cmocka_unit_test(stored_battery_yields_to_answers),
		cmocka_unit_test(versions_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
