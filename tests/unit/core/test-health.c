/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is seen of a lock becomes samples and counts, and these are written seldom. */

#include <errno.h>
#include <stdlib.h>

#include "core/history.h"
#include "mock/fake-hub.h"
#include "test.h"
#include "util/text.h"

#define ID "11111111"
#define ADDRESS "AA:BB:CC:DD:EE:11"
#define MINUTE_MS 60000
#define HOUR_MS (INT64_C(60) * MINUTE_MS)
#define DAY_S 86400

static struct fake *fake;
static struct fake_link *door;

static void at_noon(void) {
	fake->wall.s += DAY_S - fake->wall.s % DAY_S + DAY_S / 2;
	fake->wall_ms = 0;
}

/* Linked, everything read that is read after a start, and the link gone again. */
static void make(bool has_pin) {
	fake = fake_new();
	fake->is_trusted = true;
	at_noon();
	fake_add_lock(fake, ID, "Front door", has_pin);
	fake_start(fake);
	door = fake_link(fake, ADDRESS);
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	fake_down(fake, door, FAULT_NONE);
	fake_turn(fake);
}

static int setup(void **state) {
	(void) state;
	make(true);
	return 0;
}

static int setup_without_pin(void **state) {
	(void) state;
	make(false);
	return 0;
}

static int teardown(void **state) {
	(void) state;
	fake = fake_free(fake);
	return 0;
}

static int32_t today(void) {
	return (int32_t) (fake->wall.s / DAY_S);
}

static uint32_t counted_on(int32_t day, enum day_key key) {
	const struct lock_day *row = fake_day(fake, ID, day);

	return row != NULL ? row->counts[key] : 0;
}

static uint32_t counted(enum day_key key) {
	return counted_on(today(), key);
}

static unsigned samples(enum sample_kind kind) {
	return fake_samples(fake, ID, kind, NULL);
}

static int32_t newest(enum sample_kind kind) {
	struct sample sample = { .value = INT32_MIN };

	(void) fake_samples(fake, ID, kind, &sample);
	return sample.value;
}

static struct op *ask(enum act act) {
	struct request request = fake_request("front-door", act);
	struct op *op = NULL;
	struct fault fault;

	assert_int_equal(hub_request(fake->hub, &request, &op, &fault), 0);
	fake_turn(fake);
	return op;
}

/* The lock is asked, and says what fake->tells has; then two seconds and a bit. */
static void read_state(char state) {
	fake->n_finished = 0;
	(void) ask(ACT_READ_STATE);
	fake_up(fake, door);
	fake_serve(fake, door, state);
	fake_down(fake, door, FAULT_NONE);
	fake_advance(fake, 2500);
}

static void tell_battery(int percent, enum battery_level level) {
	fake->tells = (struct evidence){ .has = FACT_BATTERY,
		.how = EVIDENCE_ANSWERED,
		.battery = { .level = level, .percent = percent } };
	read_state('U');
}

/* Time without a link, whatever is due. */
static void pass(int64_t ms) {
	fake_advance(fake, ms);
}

/* ---- samples ---- */

static void only_what_differs_is_kept(void **state) {
	(void) state;
	tell_battery(80, BATTERY_OK);
	assert_int_equal(samples(SAMPLE_BATTERY_PERCENT), 1);
	assert_int_equal(samples(SAMPLE_BATTERY_LEVEL), 1);
	assert_int_equal(newest(SAMPLE_BATTERY_PERCENT), 80);
	assert_int_equal(newest(SAMPLE_BATTERY_LEVEL), BATTERY_OK);
	tell_battery(80, BATTERY_OK);
	pass(2 * HOUR_MS);
	tell_battery(80, BATTERY_OK);
	assert_int_equal(samples(SAMPLE_BATTERY_PERCENT), 1);
	assert_int_equal(samples(SAMPLE_BATTERY_LEVEL), 1);
	/* After two hours one point is another value ... */
	tell_battery(79, BATTERY_OK);
	assert_int_equal(newest(SAMPLE_BATTERY_PERCENT), 79);
	/* ... which it is not again at once, but five are. */
	tell_battery(80, BATTERY_OK);
	tell_battery(75, BATTERY_OK);
	assert_int_equal(samples(SAMPLE_BATTERY_PERCENT), 2);
	tell_battery(74, BATTERY_WARNING);
	assert_int_equal(samples(SAMPLE_BATTERY_PERCENT), 3);
	assert_int_equal(newest(SAMPLE_BATTERY_PERCENT), 74);
	assert_int_equal(newest(SAMPLE_BATTERY_LEVEL), BATTERY_WARNING);
}

static void what_is_not_told_is_not_kept(void **state) {
	(void) state;
	tell_battery(-1, BATTERY_UNKNOWN);
	fake->tells = (struct evidence){
		.has = FACT_BATTERY_REPORT | FACT_ACCESSORIES | FACT_CLOCK | FACT_VERSIONS,
		.how = EVIDENCE_ANSWERED,
		.report = { -1, -1, -1, -1, -1, -1, INT16_MIN },
		.accessories = { BATTERY_UNKNOWN, BATTERY_UNKNOWN },
		/* a drift by a clock that is not trusted is none of the lock's */
		.clock = { .lock_time = { 1000 }, .hub_time = { 2000 }, .is_hub_trusted = false },
	};
	read_state('U');
	assert_int_equal(fake->health.n_samples, 0);
}

static void all_kinds_that_a_lock_tells(void **state) {
	(void) state;
	unsigned n_writes = fake->health.n_writes;

	fake->tells = (struct evidence){
		.has = FACT_BATTERY_REPORT | FACT_ACCESSORIES | FACT_CLOCK | FACT_VERSIONS,
		.how = EVIDENCE_ANSWERED,
		.report = { 5600, 5500, 4900, 800, 320, 270, -7 },
		.accessories = { BATTERY_CRITICAL, BATTERY_OK },
		.versions = { .firmware = "3.5.12" },
		.clock = { .lock_time = fake->wall,
			.hub_time = fake->wall,
			.is_hub_trusted = true },
	};
	fake->tells.clock.lock_time.s -= 42;
	read_state('U');
	assert_int_equal(newest(SAMPLE_BATTERY_MV), 5600);
	assert_int_equal(newest(SAMPLE_BATTERY_SAG_MV), 600);
	assert_int_equal(newest(SAMPLE_MOTOR_MA), 800);
	assert_int_equal(newest(SAMPLE_BATTERY_MOHM), 320);
	assert_int_equal(newest(SAMPLE_CELSIUS), -7);
	assert_int_equal(newest(SAMPLE_KEYPAD_BATTERY), BATTERY_CRITICAL);
	assert_int_equal(newest(SAMPLE_DOOR_SENSOR_BATTERY), BATTERY_OK);
	assert_int_equal(newest(SAMPLE_FIRMWARE), 3 << 16 | 5 << 8 | 12);
	assert_int_equal(newest(SAMPLE_CLOCK_DRIFT_S), -42);
	/* All of one link in one transaction. */
	assert_int_equal(fake->health.n_writes, n_writes + 1);
	struct sample sample;
	assert_int_equal(fake_samples(fake, ID, SAMPLE_CELSIUS, &sample), 1);
	assert_true(sample.is_time_trusted);
	assert_true(fake->wall.s - sample.at.s <= 3 && sample.at.s <= fake->wall.s);
}

/* A lock that tells anything at any time: what is kept follows it, and is not more than it must. */
static void generated_values_are_followed_by_few_samples(void **state) {
	(void) state;
	int64_t told_at = 0, kept_at = INT64_MIN;
	int last_kept = -1000;
	unsigned n_kept = 0;

	srandom(20261122);
	int mv = 5600;
	for (unsigned i = 0; i < 400; i++) {
		mv += (int) (random() % 121) - 60;
		fake->tells = (struct evidence){ .has = FACT_BATTERY_REPORT,
			.how = EVIDENCE_ANSWERED,
			.report = { mv, -1, -1, -1, -1, -1, INT16_MIN } };
		told_at = fake->mono.ms;
		read_state('U');
		int by = abs(mv - last_kept);
		bool is_due =
			by >= 20 && (told_at - kept_at >= HOUR_MS || by >= 100 || n_kept == 0);
		assert_int_equal(samples(SAMPLE_BATTERY_MV), n_kept + is_due);
		if (is_due) {
			assert_int_equal(newest(SAMPLE_BATTERY_MV), mv);
			n_kept++;
			last_kept = mv;
			kept_at = told_at;
		}
		pass(1 + random() % (40 * MINUTE_MS));
	}
	assert_true(n_kept > 20 && n_kept < 300);
}

static void other_batteries_show(void **state) {
	(void) state;
	tell_battery(20, BATTERY_CRITICAL);
	tell_battery(39, BATTERY_OK); /* warmed up, or a knob that was turned meanwhile */
	assert_int_equal(samples(SAMPLE_BATTERY_CHANGED), 0);
	tell_battery(59, BATTERY_OK);
	assert_int_equal(samples(SAMPLE_BATTERY_CHANGED), 1);
	assert_int_equal(newest(SAMPLE_BATTERY_CHANGED), 2);
	/* The same ones, told in two steps. */
	tell_battery(99, BATTERY_OK);
	assert_int_equal(samples(SAMPLE_BATTERY_CHANGED), 1);
	tell_battery(30, BATTERY_OK);
	pass(25 * HOUR_MS);
	tell_battery(50, BATTERY_OK);
	assert_int_equal(samples(SAMPLE_BATTERY_CHANGED), 2);
}

static void a_level_alone_shows_other_batteries(void **state) {
	(void) state;
	tell_battery(-1, BATTERY_OK);
	tell_battery(-1, BATTERY_WARNING);
	assert_int_equal(samples(SAMPLE_BATTERY_CHANGED), 0);
	tell_battery(-1, BATTERY_CRITICAL);
	tell_battery(-1, BATTERY_WARNING);
	assert_int_equal(samples(SAMPLE_BATTERY_CHANGED), 0);
	tell_battery(-1, BATTERY_OK);
	assert_int_equal(samples(SAMPLE_BATTERY_CHANGED), 1);
	assert_int_equal(samples(SAMPLE_BATTERY_PERCENT), 0);
}

static void charging_is_not_changing(void **state) {
	(void) state;
	tell_battery(20, BATTERY_OK);
	fake->tells.battery = (struct battery_facts){ BATTERY_OK, 60, true };
	read_state('U');
	fake->tells.battery = (struct battery_facts){ BATTERY_OK, 100, false };
	read_state('U');
	assert_int_equal(newest(SAMPLE_BATTERY_PERCENT), 100);
	assert_int_equal(samples(SAMPLE_BATTERY_CHANGED), 0);
}

static void people_say_what_the_level_does_not(void **state) {
	(void) state;
	struct fault fault;

	assert_int_equal(hub_battery_changed(fake->hub, "front-door", 1, &fault), 0);
	pass(2500);
	assert_int_equal(newest(SAMPLE_BATTERY_CHANGED), 1);
	/* What the level shows then is the same change. */
	tell_battery(20, BATTERY_OK);
	tell_battery(100, BATTERY_OK);
	assert_int_equal(samples(SAMPLE_BATTERY_CHANGED), 1);
	assert_int_equal(hub_battery_changed(fake->hub, "back-door", 1, &fault), -ENOENT);
	assert_int_equal(fault.code, FAULT_NO_SUCH_LOCK);
}

static void a_restart_keeps_nothing_twice(void **state) {
	(void) state;
	tell_battery(80, BATTERY_OK);
	fake_reboot(fake);
	door = fake_link(fake, ADDRESS);
	tell_battery(80, BATTERY_OK);
	assert_int_equal(samples(SAMPLE_BATTERY_PERCENT), 1);
	assert_int_equal(samples(SAMPLE_BATTERY_LEVEL), 1);
	/* And the gap counts from the one of the former life. */
	tell_battery(79, BATTERY_OK);
	assert_int_equal(samples(SAMPLE_BATTERY_PERCENT), 1);
	pass(HOUR_MS);
	tell_battery(78, BATTERY_OK);
	assert_int_equal(newest(SAMPLE_BATTERY_PERCENT), 78);
}

/* @first: what the lock answers; the motor takes @ms. */
static void run_motor(enum act act, int64_t ms, const char *answer) {
	(void) ask(act);
	fake_up(fake, door);
	fake_turn(fake);
	while (fake_written(door) != NULL && strchr("LU", fake_written(door)->bytes[0]) == NULL) {
		fake_confirm(fake, door, 0, RADIO_NOT_SENT);
		fake_answer(fake, door, "D-", 2);
	}
	assert_non_null(fake_written(door));
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_advance(fake, ms);
	fake_answer(fake, door, answer, 2);
	fake_serve(fake, door, answer[1]);
	fake_down(fake, door, FAULT_NONE);
	fake_advance(fake, 2500);
}

static void motor_time_is_measured(void **state) {
	(void) state;
	run_motor(ACT_LOCK, 1850, "DL");
	assert_int_equal(newest(SAMPLE_LOCK_MS), 1850);
	run_motor(ACT_UNLOCK, 1900, "DU");
	assert_int_equal(newest(SAMPLE_UNLOCK_MS), 1900);
	run_motor(ACT_LOCK, 2000, "DL"); /* soon, and about the same */
	assert_int_equal(samples(SAMPLE_LOCK_MS), 1);
	run_motor(ACT_UNLOCK, 1900, "DU");
	run_motor(ACT_LOCK, 2300, "DL"); /* soon, but a good deal slower */
	assert_int_equal(newest(SAMPLE_LOCK_MS), 2300);
	/* It is locked already: that is no whole run. */
	pass(11 * MINUTE_MS);
	run_motor(ACT_LOCK, 300, "DL");
	assert_int_equal(samples(SAMPLE_LOCK_MS), 2);
	run_motor(ACT_UNLOCK, 1900, "DU");
	assert_int_equal(samples(SAMPLE_UNLOCK_MS), 2); /* not another time, but later */
	assert_int_equal(samples(SAMPLE_LOCK_MS), 2);
}

static void a_run_that_failed_tells_no_time(void **state) {
	(void) state;
	char refusal[] = { 'F', (char) FAULT_JAMMED };

	run_motor(ACT_LOCK, 4000, refusal);
	assert_int_equal(samples(SAMPLE_LOCK_MS), 0);
	pass(HOUR_MS);
	assert_int_equal(counted(DAY_OPS_FAILED), 1);
	assert_int_equal(counted(DAY_OPS_DONE), 0);
}

/* ---- counts ---- */

static void link_once(void) {
	fake->stats.attempts++;
	fake->stats.connects++;
	tally_up(&fake->stats.tally, fake->mono, 700);
	read_state('U');
	fake->stats.link_ms += 2700;
	fake->stats.tally.ends[TALLY_END_US]++;
}

static void counts_are_written_once_an_hour(void **state) {
	(void) state;
	pass(2 * HOUR_MS);
	unsigned n_writes = fake->health.n_writes;

	link_once();
	assert_int_equal(fake->health.n_writes, n_writes);
	pass(30 * MINUTE_MS);
	link_once();
	fake->stats.attempts++;
	fake->stats.failures++;
	pass(31 * MINUTE_MS);
	assert_int_equal(fake->health.n_writes, n_writes + 1);
	assert_int_equal(counted(DAY_ATTEMPTS), 3);
	assert_int_equal(counted(DAY_FAILURES), 1);
	assert_int_equal(counted(DAY_LINKS), 2);
	assert_int_equal(counted(DAY_LINK_TIME_MS), 1400);
	assert_int_equal(counted(DAY_LINK_S), 5); /* of 5.4: the rest counts with the next */
	assert_int_equal(counted(DAY_ENDS_US), 2);
	/* Between twelve and six: it is two o'clock. */
	assert_int_equal(counted(DAY_NOON_ATTEMPTS), 3);
	assert_int_equal(counted(DAY_NOON_FAILURES), 1);
	assert_int_equal(counted(DAY_NIGHT_ATTEMPTS), 0);
	link_once();
	pass(HOUR_MS);
	assert_int_equal(counted(DAY_LINK_S), 8); /* of 8.1 */
	assert_int_equal(counted(DAY_LINKS), 3);
	assert_int_equal(fake->health.n_writes, n_writes + 2);
}

static void the_hours_are_those_of_the_clock_on_the_wall(void **state) {
	(void) state;
	fake->wall.s -= DAY_S / 2 - 1; /* just after midnight */
	int32_t day = today();
	for (int i = 0; i < 4; i++) {
		link_once();
		pass(6 * HOUR_MS);
	}
	assert_int_equal(counted_on(day, DAY_NIGHT_ATTEMPTS), 1);
	assert_int_equal(counted_on(day, DAY_MORNING_ATTEMPTS), 1);
	assert_int_equal(counted_on(day, DAY_NOON_ATTEMPTS), 1);
	assert_int_equal(counted_on(day, DAY_EVENING_ATTEMPTS), 1);
}

static void a_reason_that_is_known_later_moves(void **state) {
	(void) state;
	link_once();
	fake->stats.tally.ends[TALLY_END_UNKNOWN]++;
	link_once(); /* counted as unknown */
	fake->stats.tally.ends[TALLY_END_UNKNOWN]--;
	fake->stats.tally.ends[TALLY_END_LOST]++;
	pass(HOUR_MS);
	assert_int_equal(counted(DAY_ENDS_UNKNOWN), 0);
	assert_int_equal(counted(DAY_ENDS_LOST), 1);
}

static void hearing_alone_waits_for_midnight(void **state) {
	(void) state;
	static const int16_t heard[] = { -50, -51, -60, -61, -70, -71, -80, -81, -90, -91, -127 };

	pass(2 * HOUR_MS);
	unsigned n_writes = fake->health.n_writes;
	int32_t day = today();
	for (size_t i = 0; i < ARRAY_SIZE(heard); i++) {
		fake->rssi = heard[i];
		fake_heard(fake, ADDRESS, false, false);
		fake_heard(fake, ADDRESS, false, false); /* at once: the same */
		pass(10000);
	}
	pass(5 * HOUR_MS);
	assert_int_equal(fake->health.n_writes, n_writes);
	pass(6 * HOUR_MS);
	assert_int_equal(today(), day + 1);
	assert_int_equal(fake->health.n_writes, n_writes + 1);
	assert_int_equal(counted_on(day, DAY_RSSI_50), 1);
	assert_int_equal(counted_on(day, DAY_RSSI_60), 2);
	assert_int_equal(counted_on(day, DAY_RSSI_70), 2);
	assert_int_equal(counted_on(day, DAY_RSSI_80), 2);
	assert_int_equal(counted_on(day, DAY_RSSI_90), 2);
	assert_int_equal(counted_on(day, DAY_RSSI_WEAKER), 2);
}

static void midnight_parts_the_days(void **state) {
	(void) state;
	pass(12 * HOUR_MS - 5 * MINUTE_MS);
	int32_t day = today();
	link_once();
	pass(5 * MINUTE_MS);
	assert_int_equal(today(), day + 1);
	assert_int_equal(counted_on(day, DAY_LINKS), 1); /* no hour has passed, but the day has */
	link_once();
	pass(HOUR_MS);
	assert_int_equal(counted_on(day, DAY_LINKS), 1);
	assert_int_equal(counted_on(day + 1, DAY_LINKS), 1);
}

static void operations_are_counted_by_their_end(void **state) {
	(void) state;
	struct fault fault;

	run_motor(ACT_LOCK, 2000, "DL");
	/* Taken back before anything was sent: nobody's failure. */
	struct op *op = ask(ACT_UNLOCK);
	assert_int_equal(hub_cancel(fake->hub, op->id, &fault), 0);
	fake_turn(fake);
	read_state('L'); /* asked, but not of the motor */
	pass(HOUR_MS);
	assert_int_equal(counted(DAY_OPS_DONE), 1);
	assert_int_equal(counted(DAY_OPS_FAILED), 0);
	assert_int_equal(counted(DAY_OPS_UNKNOWN), 0);
	/* The log of this lock is read: it tells of the run, not the operation. */
	assert_int_equal(counted(DAY_MOVES), 0);
}

static void without_its_log_the_hub_tells(void **state) {
	(void) state;
	char refusal[] = { 'F', (char) FAULT_JAMMED };

	run_motor(ACT_LOCK, 2000, "DL");
	run_motor(ACT_UNLOCK, 2000, "DU");
	run_motor(ACT_LOCK, 4000, refusal);
	pass(HOUR_MS);
	assert_int_equal(counted(DAY_OPS_DONE), 2);
	assert_int_equal(counted(DAY_OPS_FAILED), 1);
	assert_int_equal(counted(DAY_MOVES), 3);
	assert_int_equal(counted(DAY_LOCKS), 2);
	assert_int_equal(counted(DAY_UNLOCKS), 1);
	assert_int_equal(counted(DAY_JAMS_LOCK), 1);
	assert_int_equal(counted(DAY_JAMS_LOCK_OPEN) + counted(DAY_JAMS_LOCK_SHUT), 0);
}

/* The lock's log is read, and tells this: pairs of number and what happened. */
static void read_log(const char *entries, size_t n) {
	uint8_t answer[2 + 3 * 16] = { 'E', (uint8_t) n };

	for (size_t i = 0; i < n; i++) {
		answer[2 + 3 * i] = (uint8_t) entries[2 * i];
		answer[2 + 3 * i + 2] = (uint8_t) entries[2 * i + 1];
	}
	(void) ask(ACT_READ_LOG);
	fake_up(fake, door);
	fake_turn(fake);
	while (fake_written(door) != NULL && fake_written(door)->bytes[0] != 'l') {
		fake_confirm(fake, door, 0, RADIO_NOT_SENT);
		fake_answer(fake, door, "D-", 2);
	}
	assert_non_null(fake_written(door));
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, answer, 2 + 3 * n);
	fake_answer(fake, door, "D-", 2);
	fake_serve(fake, door, 'U');
	fake_down(fake, door, FAULT_NONE);
	fake_turn(fake);
}

static void its_log_tells_of_runs_and_jams_by_the_door(void **state) {
	(void) state;
	static const char entries[] = { 11, 'A', 12, 'o', 13, 'J', 14, 'A', 15, 's', 16, 'J', 17,
		'A', 18, 'L', 19, 'W', 20, 'K' };

	fake->entry_time.s = fake->wall.s - 3 * DAY_S;
	int32_t day = (int32_t) (fake->entry_time.s / DAY_S);
	read_log(entries, 10);
	pass(HOUR_MS);
	assert_int_equal(counted_on(day, DAY_MOVES), 6);
	assert_int_equal(counted_on(day, DAY_LOCKS), 5);
	assert_int_equal(counted_on(day, DAY_LOCKS_OPEN), 2);
	assert_int_equal(counted_on(day, DAY_LOCKS_SHUT), 2);
	assert_int_equal(counted_on(day, DAY_JAMS_LOCK), 2);
	assert_int_equal(counted_on(day, DAY_JAMS_LOCK_OPEN), 1);
	assert_int_equal(counted_on(day, DAY_JAMS_LOCK_SHUT), 1);
	assert_int_equal(counted_on(day, DAY_UNLOCKS), 1);
	assert_int_equal(counted_on(day, DAY_JAMS_UNLOCK), 0);
	assert_int_equal(counted_on(day, DAY_BY_HAND), 1);
	assert_int_equal(counted_on(day, DAY_WRONG_CODES), 1);
	assert_int_equal(counted(DAY_MOVES), 0);
	/* The same once more. */
	read_log(entries, 10);
	pass(HOUR_MS);
	assert_int_equal(counted_on(day, DAY_MOVES), 6);
}

static void an_entry_without_a_possible_time_is_of_today(void **state) {
	(void) state;
	static const char one[] = { 11, 'A' };
	static const char two[] = { 12, 'A' };

	read_log(one, 1); /* in 1970, says the fake lock */
	fake->entry_time.s = fake->wall.s + 30 * DAY_S;
	read_log(two, 1);
	pass(HOUR_MS);
	assert_int_equal(counted(DAY_MOVES), 2);
	assert_int_equal(fake->health.n_days, 1);
}

static void failures_to_talk_are_counted_by_kind(void **state) {
	(void) state;
	(void) ask(ACT_READ_STATE);
	fake_down(fake, door, FAULT_LOCK_UNREACHABLE);
	fake_turn(fake);
	fake_advance(fake, 1000);
	fake_up(fake, door);
	fake_turn(fake);
	assert_non_null(fake_written(door));
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_advance(fake, 5000); /* its session gives up */
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	fake_down(fake, door, FAULT_NONE);
	pass(HOUR_MS);
	assert_int_equal(counted(DAY_BUSY), 1);
	assert_int_equal(counted(DAY_SILENCES), 1);
}

/* ---- writing ---- */

static void what_the_disk_refuses_comes_back(void **state) {
	(void) state;
	fake->ledger_fault.code = FAULT_DATABASE_FULL;
	link_once();
	tell_battery(80, BATTERY_OK);
	pass(HOUR_MS);
	assert_int_equal(fake->health.n_samples + fake->health.n_days, 0);
	link_once();
	fake->ledger_fault.code = FAULT_NONE;
	pass(15 * MINUTE_MS);
	assert_int_equal(samples(SAMPLE_BATTERY_PERCENT), 1);
	assert_int_equal(counted(DAY_LINKS), 2);
	pass(2 * HOUR_MS);
	assert_int_equal(samples(SAMPLE_BATTERY_PERCENT), 1);
	assert_int_equal(counted(DAY_LINKS), 2);
}

static void ignore_stop(void *user) {
	(void) user;
}

static void a_stop_writes_what_is_held(void **state) {
	(void) state;
	link_once();
	(void) hub_battery_changed(fake->hub, "front-door", 1, NULL);
	assert_int_equal(counted(DAY_LINKS), 0);
	hub_stop(fake->hub, ignore_stop, NULL);
	fake_turn(fake);
	assert_int_equal(counted(DAY_LINKS), 1);
	assert_int_equal(newest(SAMPLE_BATTERY_CHANGED), 1);
}

static void without_the_time_all_is_held_and_dated_later(void **state) {
	(void) state;
	struct sample sample = { .at = { 0 } };

	pass(2 * HOUR_MS);
	fake->is_trusted = false;
	fake->wall.s = 1000000; /* as after a power cut without an RTC */
	fake->wall_ms = 0;
	tell_battery(80, BATTERY_OK);
	link_once();
	pass(20 * MINUTE_MS);
	assert_int_equal(fake->health.n_samples, 0);
	/* The time comes: it is just after midnight, and that was the day before. */
	fake->wall.s = 1900000000 - 1900000000 % DAY_S + 600;
	fake->is_trusted = true;
	pass(2 * MINUTE_MS);
	assert_int_equal(fake_samples(fake, ID, SAMPLE_BATTERY_PERCENT, &sample), 1);
	assert_true(sample.is_time_trusted);
	assert_int_equal(today() - sample.at.s / DAY_S, 1);
	assert_true(fake->wall.s - sample.at.s < 23 * 60);
	pass(HOUR_MS);
	assert_int_equal(counted_on(today() - 1, DAY_LINKS), 1);
	/* The time of day was not known. */
	assert_int_equal(counted_on(today() - 1, DAY_ATTEMPTS), 1);
	for (enum day_key key = DAY_NIGHT_ATTEMPTS; key <= DAY_EVENING_ATTEMPTS; key++) {
		assert_int_equal(counted_on(today() - 1, key), 0);
	}
}

static void without_the_time_for_long_it_is_taken_as_it_is(void **state) {
	(void) state;
	struct sample sample = { .is_time_trusted = true };

	pass(2 * HOUR_MS);
	fake->is_trusted = false;
	fake->wall.s = 1000000;
	tell_battery(80, BATTERY_OK);
	link_once();
	pass(HOUR_MS + 2 * MINUTE_MS);
	assert_int_equal(fake_samples(fake, ID, SAMPLE_BATTERY_PERCENT, &sample), 1);
	assert_false(sample.is_time_trusted);
	assert_true(sample.at.s >= 1000000 && sample.at.s < 1000100);
	assert_int_equal(counted_on(1000000 / DAY_S, DAY_LINKS), 1);
}

static void a_sample_alone_waits_no_longer_than_an_hour(void **state) {
	(void) state;
	struct sample sample = { .is_time_trusted = true };

	pass(2 * HOUR_MS);
	fake->is_trusted = false;
	(void) hub_battery_changed(fake->hub, "front-door", 1, NULL);
	pass(HOUR_MS - MINUTE_MS);
	assert_int_equal(samples(SAMPLE_BATTERY_CHANGED), 0);
	pass(2 * MINUTE_MS);
	assert_int_equal(fake_samples(fake, ID, SAMPLE_BATTERY_CHANGED, &sample), 1);
	assert_false(sample.is_time_trusted);
}

/* A day on which nothing happens, but that the lock is heard all the time and looked after. */
static unsigned idle_day(bool has_links) {
	unsigned n_writes = fake->health.n_writes;

	for (unsigned i = 0; i < DAY_S / 20; i++) {
		fake_heard(fake, ADDRESS, false, false);
		pass(20000);
		if (has_links && fake_is_wanted(door)) {
			fake->stats.attempts++;
			fake->stats.connects++;
			fake_up(fake, door);
			fake_serve(fake, door, 'U');
			fake_down(fake, door, FAULT_NONE);
		}
	}
	return fake->health.n_writes - n_writes;
}

static void an_idle_day_is_written_as_seldom_as_promised(void **state) {
	(void) state;
	pass(2 * HOUR_MS);
	/* docs/architecture.md, "Health" */
	assert_int_equal(idle_day(false), 1);
	unsigned n = idle_day(true);
	assert_true(n >= 2 && n <= 25);
	assert_true(counted_on(today() - 1, DAY_RSSI_60) > 1000);
	/* And between two links nobody is woken for it. */
	assert_int_equal(fake->health.n_samples, 0);
}

static void a_lock_that_goes_takes_it_along(void **state) {
	(void) state;
	struct fault fault;
	struct op *op = NULL;

	link_once();
	fake->is_ledger_held = true;
	pass(HOUR_MS); /* on its way to the disk */
	assert_int_equal(
		hub_unpair(fake->hub, "front-door", true, "anna", ROLE_MANAGE, &op, &fault), 0);
	fake->is_ledger_held = false;
	fake_turn(fake);
	pass(25 * HOUR_MS);
	assert_int_equal(hub_lock_count(fake->hub), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(only_what_differs_is_kept),
		TEST(what_is_not_told_is_not_kept),
		TEST(all_kinds_that_a_lock_tells),
		TEST(generated_values_are_followed_by_few_samples),
		TEST(other_batteries_show),
		TEST(a_level_alone_shows_other_batteries),
		TEST(charging_is_not_changing),
		TEST(people_say_what_the_level_does_not),
		TEST(a_restart_keeps_nothing_twice),
		TEST(motor_time_is_measured),
		TEST(a_run_that_failed_tells_no_time),
		TEST(counts_are_written_once_an_hour),
		TEST(the_hours_are_those_of_the_clock_on_the_wall),
		TEST(a_reason_that_is_known_later_moves),
		TEST(hearing_alone_waits_for_midnight),
		TEST(midnight_parts_the_days),
		TEST(operations_are_counted_by_their_end),
		cmocka_unit_test_setup_teardown(
			without_its_log_the_hub_tells, setup_without_pin, teardown),
		TEST(its_log_tells_of_runs_and_jams_by_the_door),
		TEST(an_entry_without_a_possible_time_is_of_today),
		TEST(failures_to_talk_are_counted_by_kind),
		TEST(what_the_disk_refuses_comes_back),
		TEST(a_stop_writes_what_is_held),
		TEST(without_the_time_all_is_held_and_dated_later),
		TEST(without_the_time_for_long_it_is_taken_as_it_is),
		TEST(a_sample_alone_waits_no_longer_than_an_hour),
		TEST(an_idle_day_is_written_as_seldom_as_promised),
		TEST(a_lock_that_goes_takes_it_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
