/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The door of a lock's history: names, attempts, notes, and what whoever asks is told. */

#include <errno.h>

#include "core/history.h"
#include "mock/fake-hub.h"
#include "test.h"
#include "util/text.h"

#define ID "11111111"
#define ADDRESS "AA:BB:CC:DD:EE:11"
#define HOUR_MS (INT64_C(60) * 60000)
#define DAY_S 86400

static struct fake *fake;

static int setup(void **state) {
	(void) state;
	fake = fake_new();
	fake->is_trusted = true;
	fake_add_lock(fake, ID, "Front door", true);
	fake_start(fake);
	fake_advance(fake, 2 * HOUR_MS);
	return 0;
}

static int teardown(void **state) {
	(void) state;
	fake = fake_free(fake);
	return 0;
}

/* ---- asking ---- */

static struct {
	unsigned n;
	enum fault_code fault;
	struct sample samples[64];
	size_t n_samples;
	struct lock_day days[8];
	size_t n_days, n_attempts, n_notes;
	struct attempt attempt;
} told;

static void on_told(void *user, const struct history *history, const struct fault *fault) {
	(void) user;
	told.n++;
	told.fault = fault != NULL ? fault->code : FAULT_NONE;
	told.n_samples = history->n_samples;
	told.n_days = history->n_days;
	told.n_attempts = history->n_attempts;
	told.n_notes = history->n_notes;
	for (size_t i = 0; i < history->n_samples && i < ARRAY_SIZE(told.samples); i++) {
		told.samples[i] = history->samples[i];
	}
	for (size_t i = 0; i < history->n_days && i < ARRAY_SIZE(told.days); i++) {
		told.days[i] = history->days[i];
	}
	if (history->n_attempts > 0) {
		told.attempt = history->attempts[0];
	}
}

static void ask_since(const char *id, int64_t since) {
	struct history_query query = { .since = { since } };

	(void) text_copy(query.lock_id, sizeof(query.lock_id), id);
	memset(&told, 0, sizeof(told));
	hub_history(fake->hub, &query, on_told, NULL);
}

static void expect_told(const char *id) {
	ask_since(id, 0);
	assert_int_equal(told.n, 0); /* never from inside the call */
	fake_turn(fake);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.fault, FAULT_NONE);
}

static void hear(void) {
	fake_heard(fake, ADDRESS, false, false);
	fake_advance(fake, 10000);
}

static void what_is_held_is_told_too(void **state) {
	(void) state;
	hear();
	(void) hub_battery_changed(fake->hub, "front-door", 1, NULL);
	assert_int_equal(fake->health.n_samples, 0);
	expect_told(ID);
	assert_int_equal(told.n_samples, 1);
	assert_int_equal(told.samples[0].kind, SAMPLE_BATTERY_CHANGED);
	assert_int_equal(told.samples[0].at.s, fake->wall.s);
	assert_int_equal(told.n_days, 1);
	assert_int_equal(told.days[0].day, fake->wall.s / DAY_S);
	assert_int_equal(told.days[0].counts[DAY_RSSI_60], 1);
	/* Written or not, it is told once. */
	fake_advance(fake, 25 * HOUR_MS);
	assert_int_equal(fake->health.n_samples, 1);
	hear();
	expect_told(ID);
	assert_int_equal(told.n_samples, 1);
	assert_int_equal(told.n_days, 2);
	assert_int_equal(told.days[0].counts[DAY_RSSI_60], 1);
	assert_int_equal(told.days[1].counts[DAY_RSSI_60], 1);
}

static void one_day_is_one_row(void **state) {
	(void) state;
	fake->stats.attempts += 3;
	expect_told(ID); /* counts what the radio has counted */
	fake_advance(fake, HOUR_MS + 60000);
	assert_int_equal(fake->health.n_days, 1); /* written */
	fake->stats.attempts += 4;
	expect_told(ID);
	assert_int_equal(told.n_days, 1);
	assert_int_equal(told.days[0].counts[DAY_ATTEMPTS], 7);
}

static void what_is_on_its_way_is_neither_lost_nor_told_twice(void **state) {
	(void) state;
	hear();
	fake->is_ledger_held = true;
	fake_advance(fake, 25 * HOUR_MS); /* handed over, not committed */
	ask_since(ID, 0);
	fake_turn(fake);
	assert_int_equal(told.n, 0);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.n_days, 1);
	assert_int_equal(told.days[0].counts[DAY_RSSI_60], 1);
}

static void nothing_is_written_while_somebody_asks(void **state) {
	(void) state;
	hear();
	unsigned n_writes = fake->health.n_writes;
	fake->health.is_held = true;
	ask_since(ID, 0);
	fake_advance(fake, 25 * HOUR_MS);
	assert_int_equal(fake->health.n_writes, n_writes);
	fake->health.is_held = false;
	fake_turn(fake);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.days[0].counts[DAY_RSSI_60], 1);
	fake_advance(fake, 60000);
	assert_int_equal(fake->health.n_writes, n_writes + 1);
}

static void what_cannot_be_is_left_out(void **state) {
	(void) state;
	fake->health.samples[0].sample =
		(struct sample){ SAMPLE_CELSIUS, { fake->wall.s + 3 * DAY_S }, false, 21 };
	(void) text_copy(fake->health.samples[0].lock_id, LOCK_ID_MAX, ID);
	fake->health.n_samples = 1;
	fake->health.days[0].day = (struct lock_day){ .day = (int32_t) (fake->wall.s / DAY_S) + 9 };
	fake->health.days[0].day.counts[DAY_MOVES] = 1;
	(void) text_copy(fake->health.days[0].lock_id, LOCK_ID_MAX, ID);
	fake->health.n_days = 1;
	expect_told(ID);
	assert_int_equal(told.n_samples, 0);
	assert_int_equal(told.n_days, 0);
	/* Who does not know the time himself cannot say so. */
	fake->is_trusted = false;
	expect_told(ID);
	assert_int_equal(told.n_samples, 1);
	assert_int_equal(told.n_days, 1);
}

static void a_fault_is_told_with_nothing(void **state) {
	(void) state;
	hear();
	fake->ledger_fault.code = FAULT_DATABASE_IO;
	ask_since(ID, 0);
	fake_turn(fake);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.fault, FAULT_DATABASE_IO);
	assert_int_equal(told.n_samples + told.n_days, 0);
}

static void days_before_are_not_told(void **state) {
	(void) state;
	hear();
	ask_since(ID, fake->wall.s + DAY_S);
	fake_turn(fake);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.n_days, 0);
}

/* ---- attempts and notes ---- */

static unsigned n_done;
static enum fault_code done_fault;

static void on_done(void *user, const struct fault *fault) {
	(void) user;
	n_done++;
	done_fault = fault != NULL ? fault->code : FAULT_NONE;
}

static struct attempt an_attempt(void) {
	return (struct attempt){ .lock_id = ID,
		.fault = "battery-critical",
		.remedy = "change-batteries",
		.by = "anna",
		.begun_at = fake->wall,
		.before = "6 %" };
}

static void an_attempt_is_begun_and_ended(void **state) {
	(void) state;
	struct attempt attempt = an_attempt();
	struct fault fault;

	n_done = 0;
	assert_int_equal(hub_attempt_put(fake->hub, &attempt, on_done, NULL, &fault), 0);
	assert_int_equal(strlen(attempt.id), ROW_ID_MAX - 1);
	assert_int_equal(n_done, 0);
	fake_turn(fake);
	assert_int_equal(n_done, 1);
	assert_int_equal(done_fault, FAULT_NONE);
	attempt.outcome = ATTEMPT_HELPED;
	attempt.ended_at.s = fake->wall.s + 300;
	(void) text_copy(attempt.after, sizeof(attempt.after), "100 %");
	assert_int_equal(hub_attempt_put(fake->hub, &attempt, NULL, NULL, &fault), 0);
	fake_turn(fake);
	expect_told(ID);
	assert_int_equal(told.n_attempts, 1);
	assert_string_equal(told.attempt.after, "100 %");
	assert_string_equal(told.attempt.before, "6 %");
	assert_int_equal(told.attempt.outcome, ATTEMPT_HELPED);
	/* Those of the hub are not those of a lock. */
	expect_told("");
	assert_int_equal(told.n_attempts, 0);
	(void) text_copy(attempt.id, sizeof(attempt.id), "");
	(void) text_copy(attempt.lock_id, sizeof(attempt.lock_id), "");
	assert_int_equal(hub_attempt_put(fake->hub, &attempt, NULL, NULL, &fault), 0);
	fake_turn(fake);
	expect_told("");
	assert_int_equal(told.n_attempts, 1);
}

static void what_is_not_kept_is_told_to_whoever_waits(void **state) {
	(void) state;
	struct attempt attempt = an_attempt();

	n_done = 0;
	fake->ledger_fault.code = FAULT_DATABASE_FULL;
	assert_int_equal(hub_attempt_put(fake->hub, &attempt, on_done, NULL, NULL), 0);
	fake_turn(fake);
	assert_int_equal(n_done, 1);
	assert_int_equal(done_fault, FAULT_DATABASE_FULL);
}

static void expect_refused(const struct attempt *attempt, enum fault_code code) {
	struct attempt copy = *attempt;
	struct fault fault = { 0 };

	assert_true(hub_attempt_put(fake->hub, &copy, on_done, NULL, &fault) < 0);
	assert_int_equal(fault.code, code);
}

static void an_attempt_must_make_sense(void **state) {
	(void) state;
	struct attempt attempt = an_attempt();

	(void) text_copy(attempt.lock_id, sizeof(attempt.lock_id), "99999999");
	expect_refused(&attempt, FAULT_NO_SUCH_LOCK);
	attempt = an_attempt();
	(void) text_copy(attempt.fault, sizeof(attempt.fault), "no-such-fault");
	expect_refused(&attempt, FAULT_BAD_ARGUMENT);
	attempt = an_attempt();
	(void) text_copy(attempt.remedy, sizeof(attempt.remedy), "Change the batteries");
	expect_refused(&attempt, FAULT_BAD_ARGUMENT);
	attempt = an_attempt();
	attempt.remedy[0] = '\0';
	expect_refused(&attempt, FAULT_BAD_ARGUMENT);
	attempt = an_attempt();
	(void) text_copy(attempt.before, sizeof(attempt.before), "6 %\n\033[2J");
	expect_refused(&attempt, FAULT_BAD_ARGUMENT);
	attempt = an_attempt();
	memset(attempt.after, 'x', sizeof(attempt.after)); /* no end */
	expect_refused(&attempt, FAULT_BAD_ARGUMENT);
	attempt = an_attempt();
	attempt.fault[0] = '\0'; /* routine care */
	assert_int_equal(hub_attempt_put(fake->hub, &attempt, NULL, NULL, NULL), 0);
	fake_turn(fake);
}

static void a_note_is_kept_changed_and_removed(void **state) {
	(void) state;
	struct note note = {
		.lock_id = ID, .key = "install", .text = "step 3\n\tdone", .at = { 5 }
	};
	struct fault fault;

	n_done = 0;
	assert_int_equal(hub_note_put(fake->hub, &note, on_done, NULL, &fault), 0);
	fake_turn(fake);
	assert_int_equal(n_done, 1);
	expect_told(ID);
	assert_int_equal(told.n_notes, 1);
	(void) text_copy(note.text, sizeof(note.text), "step 4");
	assert_int_equal(hub_note_put(fake->hub, &note, NULL, NULL, &fault), 0);
	fake_turn(fake);
	assert_int_equal(fake->health.n_notes, 1);
	assert_string_equal(fake->health.notes[0].text, "step 4");
	note.text[0] = '\0';
	assert_int_equal(hub_note_put(fake->hub, &note, NULL, NULL, &fault), 0);
	fake_turn(fake);
	expect_told(ID);
	assert_int_equal(told.n_notes, 0);
	(void) text_copy(note.text, sizeof(note.text), "bell \a");
	assert_true(hub_note_put(fake->hub, &note, NULL, NULL, &fault) < 0);
	assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
	(void) text_copy(note.text, sizeof(note.text), "x");
	(void) text_copy(note.key, sizeof(note.key), "In Stall");
	assert_true(hub_note_put(fake->hub, &note, NULL, NULL, &fault) < 0);
	assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
	(void) text_copy(note.key, sizeof(note.key), "install");
	(void) text_copy(note.lock_id, sizeof(note.lock_id), "99999999");
	assert_true(hub_note_put(fake->hub, &note, NULL, NULL, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NO_SUCH_LOCK);
}

static void names_go_both_ways(void **state) {
	(void) state;
	for (int i = 0; i < DAY_COUNT_; i++) {
		enum day_key key = DAY_COUNT_;
		assert_int_equal(day_key_from_name(day_key_name((enum day_key) i), &key), 0);
		assert_int_equal(key, i);
	}
	for (int i = 0; i <= ATTEMPT_UNVERIFIED; i++) {
		enum attempt_outcome outcome = ATTEMPT_RUNNING;
		const char *name = attempt_outcome_name((enum attempt_outcome) i);
		assert_int_equal(attempt_outcome_from_name(name, &outcome), 0);
		assert_int_equal(outcome, i);
	}
	enum day_key key = DAY_MOVES;
	assert_int_equal(day_key_from_name("no_such_key", &key), -EINVAL);
	assert_int_equal(key, DAY_MOVES);
	assert_string_equal(day_key_name(DAY_RSSI_WEAKER), "rssi_weaker");
	assert_string_equal(sample_kind_name(SAMPLE_LOCK_MS), "lock_ms");
	assert_string_equal(sample_kind_name(SAMPLE_COUNT_), "?");
	assert_string_equal(attempt_outcome_name(ATTEMPT_NO_CHANGE), "no-change");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(what_is_held_is_told_too),
		TEST(one_day_is_one_row),
		TEST(what_is_on_its_way_is_neither_lost_nor_told_twice),
		TEST(nothing_is_written_while_somebody_asks),
		TEST(what_cannot_be_is_left_out),
		TEST(a_fault_is_told_with_nothing),
		TEST(days_before_are_not_told),
		TEST(an_attempt_is_begun_and_ended),
		TEST(what_is_not_kept_is_told_to_whoever_waits),
		TEST(an_attempt_must_make_sense),
		TEST(a_note_is_kept_changed_and_removed),
		TEST(names_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
