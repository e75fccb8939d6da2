/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What people try against a fault, as they tell it over the bus. */

#include "rig.h"

#include <string.h>

#define LOCK "org.lockhub1.Lock"
#define BAD_ARGUMENT "org.lockhub1.Error.BadArgument"

static void begin(struct rig *rig, char id[static ROW_ID_MAX]) {
	const char *text = NULL;
	rig_call(rig, FRONT_PATH, LOCK, "BeginAttempt", "sss", "battery-critical",
		"change-batteries", "6 %");
	if (rig_error(rig) != NULL) {
		fail_msg("%s", rig_error(rig));
	}
	assert_true(sd_bus_message_read(rig->reply, "s", &text) > 0);
	assert_int_equal(strlen(text), ROW_ID_MAX - 1);
	strcpy(id, text);
}

static void expect_refused(struct rig *rig, const char *error, const char *part) {
	assert_non_null(rig_error(rig));
	assert_string_equal(rig_error(rig), error);
	assert_non_null(strstr(sd_bus_message_get_error(rig->reply)->message, part));
}

static void an_attempt_begins_and_ends(void **state) {
	struct rig *rig = *state;
	const struct attempt *kept = rig->fake->health.attempts;
	char id[ROW_ID_MAX];

	begin(rig, id);
	assert_int_equal(rig->fake->health.n_attempts, 1);
	assert_string_equal(kept->id, id);
	assert_string_equal(kept->lock_id, FRONT_ID);
	assert_string_equal(kept->fault, "battery-critical");
	assert_string_equal(kept->remedy, "change-batteries");
	assert_string_equal(kept->before, "6 %");
	assert_non_null(strstr(kept->by, "uid "));
	assert_int_equal(kept->outcome, ATTEMPT_RUNNING);
	assert_int_equal(kept->begun_at.s, rig->fake->wall.s);
	assert_int_equal(kept->ended_at.s, 0);

	rig_call(rig, FRONT_PATH, LOCK, "EndAttempt", "sss", id, "helped", "100 %");
	assert_null(rig_error(rig));
	assert_int_equal(rig->fake->health.n_attempts, 1);
	assert_int_equal(kept->outcome, ATTEMPT_HELPED);
	assert_string_equal(kept->before, "6 %");
	assert_string_equal(kept->after, "100 %");
	assert_true(kept->ended_at.s >= kept->begun_at.s);
	/* Once, and that is still known later. */
	fake_advance(rig->fake, 3600000);
	rig_call(rig, FRONT_PATH, LOCK, "EndAttempt", "sss", id, "failed", "");
	expect_refused(rig, BAD_ARGUMENT, "ended already: helped");
	assert_int_equal(kept->outcome, ATTEMPT_HELPED);
}

static void an_end_needs_its_beginning(void **state) {
	struct rig *rig = *state;
	char id[ROW_ID_MAX];

	begin(rig, id);
	rig_call(rig, BACK_PATH, LOCK, "EndAttempt", "sss", id, "helped", "");
	expect_refused(rig, BAD_ARGUMENT, id);
	rig_call(rig, FRONT_PATH, LOCK, "EndAttempt", "sss", "00000000", "helped", "");
	expect_refused(rig, BAD_ARGUMENT, "00000000");
	rig_call(rig, FRONT_PATH, LOCK, "EndAttempt", "sss", "far too long an id", "helped", "");
	expect_refused(rig, BAD_ARGUMENT, "id has more than");
	rig_call(rig, FRONT_PATH, LOCK, "EndAttempt", "sss", id, "running", "");
	expect_refused(rig, BAD_ARGUMENT, "no-change");
	rig_call(rig, FRONT_PATH, LOCK, "EndAttempt", "sss", id, "well", "");
	expect_refused(rig, BAD_ARGUMENT, "'well'");
	assert_int_equal(rig->fake->health.attempts[0].outcome, ATTEMPT_RUNNING);
}

static void a_beginning_must_make_sense(void **state) {
	struct rig *rig = *state;
	char text[ATTEMPT_TEXT_MAX + 1];

	rig_call(rig, FRONT_PATH, LOCK, "BeginAttempt", "sss", "no-such-fault", "x", "");
	expect_refused(rig, BAD_ARGUMENT, "no-such-fault");
	rig_call(rig, FRONT_PATH, LOCK, "BeginAttempt", "sss", "battery-low", "", "");
	expect_refused(rig, BAD_ARGUMENT, "remedy");
	rig_call(rig, FRONT_PATH, LOCK, "BeginAttempt", "sss", "battery-low", "x", "a\nb");
	expect_refused(rig, BAD_ARGUMENT, "one line");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	rig_call(rig, FRONT_PATH, LOCK, "BeginAttempt", "sss", "battery-low", "x", text);
	expect_refused(rig, BAD_ARGUMENT, "before has more than");
	assert_int_equal(rig->fake->health.n_attempts, 0);
	/* One octet less fits. */
	text[ATTEMPT_TEXT_MAX - 1] = '\0';
	rig_call(rig, FRONT_PATH, LOCK, "BeginAttempt", "sss", "", "install", text);
	assert_null(rig_error(rig));
	assert_string_equal(rig->fake->health.attempts[0].before, text);
}

static void what_the_disk_refuses_is_told(void **state) {
	struct rig *rig = *state;
	char id[ROW_ID_MAX];

	begin(rig, id);
	rig->fake->ledger_fault.code = FAULT_DATABASE_FULL;
	rig_call(rig, FRONT_PATH, LOCK, "BeginAttempt", "sss", "", "install", "");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.DatabaseFull");
	rig_call(rig, FRONT_PATH, LOCK, "EndAttempt", "sss", id, "helped", "");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.DatabaseFull");
	rig_call(rig, FRONT_PATH, LOCK, "SetNote", "ss", "install", "step 3");
	assert_string_equal(rig_error(rig), "org.lockhub1.Error.DatabaseFull");
	assert_int_equal(rig->fake->health.n_attempts, 1);
	assert_int_equal(rig->fake->health.n_notes, 0);
	rig->fake->ledger_fault.code = FAULT_NONE;
}

static void a_note_is_set_and_removed(void **state) {
	struct rig *rig = *state;
	char text[NOTE_TEXT_MAX + 1];

	rig_call(rig, FRONT_PATH, LOCK, "SetNote", "ss", "install", "step 3");
	assert_null(rig_error(rig));
	assert_int_equal(rig->fake->health.n_notes, 1);
	assert_string_equal(rig->fake->health.notes[0].lock_id, FRONT_ID);
	assert_string_equal(rig->fake->health.notes[0].key, "install");
	assert_string_equal(rig->fake->health.notes[0].text, "step 3");
	assert_int_equal(rig->fake->health.notes[0].at.s, rig->fake->wall.s);
	rig_call(rig, FRONT_PATH, LOCK, "SetNote", "ss", "Install!", "x");
	expect_refused(rig, BAD_ARGUMENT, "Install!");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	rig_call(rig, FRONT_PATH, LOCK, "SetNote", "ss", "install", text);
	expect_refused(rig, BAD_ARGUMENT, "a note has more than");
	assert_string_equal(rig->fake->health.notes[0].text, "step 3");
	rig_call(rig, FRONT_PATH, LOCK, "SetNote", "ss", "install", "");
	assert_null(rig_error(rig));
	assert_int_equal(rig->fake->health.n_notes, 0);
}

static void other_batteries_are_told(void **state) {
	struct rig *rig = *state;
	struct sample sample = { .value = 0 };

	rig_call(rig, BACK_PATH, LOCK, "BatteryChanged", "");
	assert_null(rig_error(rig));
	fake_advance(rig->fake, 3000);
	assert_int_equal(fake_samples(rig->fake, BACK_ID, SAMPLE_BATTERY_CHANGED, &sample), 1);
	assert_int_equal(sample.value, 1);
	assert_int_equal(fake_samples(rig->fake, FRONT_ID, SAMPLE_BATTERY_CHANGED, NULL), 0);
}

static int ignore(sd_bus_message *reply, void *user, sd_bus_error *ret_error) {
	return 1;
}

/* The bus may go while the beginning is being looked for: it ends all the same. */
static void an_end_outlives_the_bus(void **state) {
	struct rig *rig = *state;
	char id[ROW_ID_MAX];

	begin(rig, id);
	rig->fake->health.is_held = true;
	assert_true(sd_bus_call_method_async(bus_sd(rig->client), NULL, "org.lockhub1", FRONT_PATH,
			    LOCK, "EndAttempt", ignore, NULL, "sss", id, "no-change", "6 %") >= 0);
	bus_kick(rig->client);
	while (rig->fake->health.n_asked == 0) {
		rig_turn(rig);
	}
	rig->api = api_free(rig->api);
	rig->fake->health.is_held = false;
	fake_turn(rig->fake);
	assert_int_equal(rig->fake->health.attempts[0].outcome, ATTEMPT_NO_CHANGE);
	assert_string_equal(rig->fake->health.attempts[0].after, "6 %");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(an_attempt_begins_and_ends),
		TEST(an_end_needs_its_beginning),
		TEST(a_beginning_must_make_sense),
		TEST(what_the_disk_refuses_is_told),
		TEST(a_note_is_set_and_removed),
		TEST(other_batteries_are_told),
		TEST(an_end_outlives_the_bus),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
