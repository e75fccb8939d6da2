/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Single checks at their limits: just enough, and just not. */

#include "diag/finding.h"

#include "facts-make.h"
#include "judge.h"
#include "test.h"
#include "util/text.h"

static struct made made;
static struct judgement judgement;
static struct lock_day day;

static const struct finding *finding_of(enum fault_code fault) {
	for (size_t i = 0; i < judgement.n_findings; i++) {
		if (judgement.findings[i].fault == fault) {
			return &judgement.findings[i];
		}
	}
	return NULL;
}

static enum check_result result_of(const char *name) {
	for (size_t i = 0; i < judgement.n_checks; i++) {
		if (text_equal(judgement.checks[i].name, name)) {
			return judgement.checks[i].result;
		}
	}
	fail_msg("no check %s", name);
	return CHECK_UNKNOWN;
}

static void judge(void) {
	diag_judge(&made.facts, &judgement);
}

/* A healthy lock with one day of history, empty yet. */
static uint32_t *begin(uint32_t seed) {
	make_healthy(&made, seed);
	day = (struct lock_day){ .day = (int32_t) (made.facts.hub.now.s / 86400) };
	made.lock.history = (struct history){ .days = &day, .n_days = 1, .samples = made.samples };
	made.lock.n_events = 0;
	return day.counts;
}

static void inject(enum fault_code fault) {
	injection_find(fault)->inject(&made);
}

static void put_sample(enum sample_kind kind, int64_t ago_s, int32_t value) {
	made.samples[made.lock.history.n_samples++] = (struct sample){
		.kind = kind, .at = { made.facts.hub.now.s - ago_s }, .value = value
	};
}

/* ---- order ---- */

static void what_it_brings_about_counts_for_a_cause(void **state) {
	(void) state;
	begin(1);
	inject(FAULT_PIN_REQUIRED);
	inject(FAULT_FIRMWARE_FAULTY);
	judge();
	assert_int_equal(judgement.findings[0].fault, FAULT_FIRMWARE_FAULTY);
	inject(FAULT_CLOCK_WRONG);
	judge();
	assert_int_equal(judgement.findings[0].fault, FAULT_PIN_REQUIRED);
	assert_int_equal(finding_of(FAULT_CLOCK_WRONG)->because_of, FAULT_PIN_REQUIRED);
}

static void what_waits_for_the_skipped_is_skipped(void **state) {
	(void) state;
	begin(2);
	inject(FAULT_BLUEZ_MISSING);
	judge();
	assert_int_equal(result_of("bluetooth"), CHECK_BAD);
	assert_int_equal(result_of("adapter"), CHECK_SKIPPED);
	assert_int_equal(result_of("hearing"), CHECK_SKIPPED);
	assert_int_equal(result_of("heard"), CHECK_SKIPPED);
}

static void what_was_named_is_not_reported_again(void **state) {
	(void) state;
	begin(3);
	inject(FAULT_BATTERY_LOW);
	judge();
	assert_int_equal(result_of("reported"), CHECK_OK);
	/* What no check of its own has: it must not get lost. */
	made.lock.n_standing = 1;
	(void) fault_set(&made.lock.standing[0], FAULT_RESTART_DENIED, "as it stands");
	judge();
	assert_int_equal(result_of("reported"), CHECK_BAD);
	assert_non_null(finding_of(FAULT_RESTART_DENIED));
}

/* ---- radio and connection ---- */

/* The trouble first, what keeps the hub from helping it second. */
static void a_restart_that_was_refused_is_named_beside_its_reason(void **state) {
	(void) state;
	begin(5);
	inject(FAULT_BLUEZ_HUNG);
	judge();
	assert_null(finding_of(FAULT_RESTART_DENIED));
	inject(FAULT_RESTART_DENIED);
	judge();
	assert_int_equal(judgement.findings[0].fault, FAULT_BLUEZ_HUNG);
	assert_non_null(finding_of(FAULT_RESTART_DENIED));
	assert_int_equal(result_of("bluetooth"), CHECK_BAD);
}

static void a_radio_that_hears_some_lock_is_not_deaf(void **state) {
	(void) state;
	begin(4);
	made.facts.hub.is_anything_heard = FLAG_UNKNOWN;
	made.facts.hub.n_locks = 3;
	made.facts.hub.adapters[0].deaf_s = 900;
	made.facts.hub.n_locks_reachable = 1;
	judge();
	assert_int_equal(result_of("hearing"), CHECK_OK);
	made.facts.hub.n_locks_reachable = 0;
	judge();
	assert_int_equal(result_of("hearing"), CHECK_BAD);
	made.facts.hub.adapters[0].deaf_s = -1;
	judge();
	assert_int_equal(result_of("hearing"), CHECK_UNKNOWN);
}

static void what_is_weak_now_counts_against_good_days(void **state) {
	(void) state;
	uint32_t *counts = begin(5);
	counts[DAY_RSSI_60] = 400;
	memset(&made.lock.radio.tally, 0, sizeof(made.lock.radio.tally));
	judge();
	assert_int_equal(result_of("signal"), CHECK_OK);
	for (int i = 0; i < 20; i++) {
		tally_heard(&made.lock.radio.tally, (mono_t){ i * 3000 }, -94);
	}
	judge();
	assert_non_null(finding_of(FAULT_SIGNAL_WEAK));
	/* Not the other way round: one good minute mends no bad week. */
	counts[DAY_RSSI_60] = 0;
	counts[DAY_RSSI_WEAKER] = 400;
	memset(&made.lock.radio.tally, 0, sizeof(made.lock.radio.tally));
	for (int i = 0; i < 20; i++) {
		tally_heard(&made.lock.radio.tally, (mono_t){ i * 3000 }, -60);
	}
	judge();
	assert_non_null(finding_of(FAULT_SIGNAL_WEAK));
}

static void the_median_is_inside_its_class(void **state) {
	(void) state;
	uint32_t *counts = begin(5);
	counts[DAY_RSSI_80] = 100;
	counts[DAY_RSSI_90] = 100;
	struct strength strength;
	struct judge at = { .hub = &made.facts.hub,
		.lock = &made.lock,
		.now = made.facts.hub.now,
		.out = &judgement };
	memset(&made.lock.radio.tally, 0, sizeof(made.lock.radio.tally));
	strength_of(&at, &strength);
	assert_true(strength.median > -81 && strength.median < -79);
	assert_int_equal(strength.n, 200);
	int32_t values[] = { 9, 1, 7, 3 };
	assert_int_equal(median_of(values, 4), 3);
	assert_int_equal(median_of(values, 1), 1);
}

static void interference_needs_more_than_some_bad_luck(void **state) {
	(void) state;
	uint32_t *counts = begin(6);
	counts[DAY_EVENING_ATTEMPTS] = 9;
	counts[DAY_EVENING_FAILURES] = 4;
	counts[DAY_NIGHT_ATTEMPTS] = 20;
	judge();
	assert_int_equal(result_of("interference"), CHECK_OK);
	counts[DAY_EVENING_FAILURES] = 5;
	judge();
	assert_non_null(finding_of(FAULT_RADIO_INTERFERENCE));
	/* Where it is bad all day, the hour is not the reason. */
	counts[DAY_EVENING_ATTEMPTS] = 20;
	counts[DAY_EVENING_FAILURES] = 14;
	counts[DAY_NIGHT_ATTEMPTS] = 40;
	counts[DAY_NIGHT_FAILURES] = 8;
	judge();
	assert_null(finding_of(FAULT_RADIO_INTERFERENCE));
}

static void links_fail_from_thirty_percent_on(void **state) {
	(void) state;
	uint32_t *counts = begin(7);
	counts[DAY_ATTEMPTS] = 100;
	counts[DAY_FAILURES] = 29;
	judge();
	assert_null(finding_of(FAULT_LINKS_FAILING));
	counts[DAY_FAILURES] = 30;
	judge();
	assert_non_null(finding_of(FAULT_LINKS_FAILING));
	counts[DAY_ATTEMPTS] = 9;
	counts[DAY_FAILURES] = 9;
	judge();
	assert_int_equal(result_of("link-success"), CHECK_UNKNOWN);
}

static void ends_that_nobody_explains_count_half(void **state) {
	(void) state;
	uint32_t *counts = begin(8);
	counts[DAY_ENDS_US] = 70;
	counts[DAY_ENDS_UNKNOWN] = 30;
	judge();
	assert_int_equal(result_of("drops"), CHECK_OK);
	counts[DAY_ENDS_UNKNOWN] = 0;
	counts[DAY_ENDS_LOST] = 30;
	judge();
	assert_non_null(finding_of(FAULT_LINKS_DROPPING));
}

/* ---- batteries ---- */

static void the_lower_word_counts(void **state) {
	(void) state;
	begin(9);
	made.lock.status.battery = (struct battery_facts){ BATTERY_WARNING, 8, false };
	made.lock.status.battery_known.how = EVIDENCE_ANSWERED;
	judge();
	assert_non_null(finding_of(FAULT_BATTERY_CRITICAL));
	made.lock.status.battery = (struct battery_facts){ BATTERY_CRITICAL, -1, false };
	judge();
	assert_non_null(finding_of(FAULT_BATTERY_CRITICAL));
	made.lock.status.battery = (struct battery_facts){ BATTERY_OK, 11, false };
	judge();
	assert_non_null(finding_of(FAULT_BATTERY_LOW));
	/* On the charger. */
	made.lock.status.battery = (struct battery_facts){ BATTERY_WARNING, 8, true };
	judge();
	assert_int_equal(result_of("battery-level"), CHECK_OK);
	/* The model warns when it thinks fit. */
	made.lock.status.battery = (struct battery_facts){ BATTERY_OK, 18, false };
	made.model.warn_percent = 15;
	judge();
	assert_int_equal(result_of("battery-level"), CHECK_OK);
}

static void new_batteries_are_not_judged_by_the_old_ones(void **state) {
	(void) state;
	begin(10);
	made.model.volt_full = 6.0;
	for (int i = 0; i < 6; i++) {
		put_sample(SAMPLE_BATTERY_SAG_MV, 86400 * 3 - i, 1400);
	}
	put_sample(SAMPLE_BATTERY_CHANGED, 86400, 1);
	judge();
	assert_int_equal(result_of("cells"), CHECK_UNKNOWN);
	for (int i = 0; i < 3; i++) {
		put_sample(SAMPLE_BATTERY_SAG_MV, 3600 - i, 300);
	}
	judge();
	assert_int_equal(result_of("cells"), CHECK_OK);
}

static void fewer_volts_sag_less(void **state) {
	(void) state;
	begin(11);
	for (int i = 0; i < 6; i++) {
		put_sample(SAMPLE_BATTERY_SAG_MV, 3600 - i, 800);
	}
	made.model.volt_full = 6.0;
	judge();
	assert_int_equal(result_of("cells"), CHECK_OK);
	made.model.volt_full = 3.0;
	judge();
	assert_non_null(finding_of(FAULT_CELLS_WEAK));
}

static void drain_is_weighed(void **state) {
	(void) state;
	uint32_t *counts = begin(12);
	counts[DAY_LINKS] = 300;
	counts[DAY_MOVES] = 15;
	inject(FAULT_BATTERY_DRAIN);
	judge();
	const struct finding *drain = finding_of(FAULT_BATTERY_DRAIN);
	assert_non_null(drain);
	assert_int_equal(drain->because_of, FAULT_LINKS_MANY);
	bool is_weighed = false;
	for (size_t i = 0; i < drain->n_proofs; i++) {
		/* 300 / 60 = 5 against 15 / 30 = 0.5: 91 of 100. */
		is_weighed |= strstr(drain->proofs[i].text, "connections a day: 91 %") != NULL;
	}
	assert_true(is_weighed);
	assert_null(finding_of(FAULT_USED_OFTEN));
}

static void the_makers_figure_is_a_weak_witness(void **state) {
	(void) state;
	uint32_t *counts = begin(22);
	inject(FAULT_BATTERY_DRAIN);
	made.lock.forecast.percent_per_day = 0.59;
	made.lock.forecast.normal_per_day = 0.27;
	judge();
	assert_non_null(finding_of(FAULT_BATTERY_DRAIN));
	made.lock.forecast.is_normal_of_model = true;
	judge();
	assert_int_equal(result_of("drain"), CHECK_OK);
	made.lock.forecast.percent_per_day = 0.95;
	judge();
	assert_true(finding_of(FAULT_BATTERY_DRAIN)->confidence <= 65);
	/* Twenty runs a day are dear, and nobody's fault. */
	counts[DAY_MOVES] = 20;
	made.lock.forecast.percent_per_move = 0.02;
	judge();
	assert_int_equal(result_of("drain"), CHECK_OK);
}

/* ---- door, bolt, motor ---- */

static void jams_with_the_door_known_are_not_counted_twice(void **state) {
	(void) state;
	uint32_t *counts = begin(13);
	counts[DAY_LOCKS] = 20;
	counts[DAY_LOCKS_SHUT] = 15;
	counts[DAY_JAMS_LOCK] = 3;
	counts[DAY_JAMS_LOCK_SHUT] = 2;
	counts[DAY_UNLOCKS] = 20;
	judge();
	assert_int_equal(result_of("bolt"), CHECK_OK);
	counts[DAY_JAMS_LOCK_SHUT] = 3;
	judge();
	assert_non_null(finding_of(FAULT_MISALIGNED));
	/* With the door open as often: not the frame. */
	counts[DAY_LOCKS] = 35;
	counts[DAY_LOCKS_OPEN] = 15;
	counts[DAY_JAMS_LOCK_OPEN] = 3;
	counts[DAY_JAMS_LOCK] = 6;
	judge();
	assert_null(finding_of(FAULT_MISALIGNED));
	assert_non_null(finding_of(FAULT_BOLT_STIFF));
}

static void a_run_that_went_well_ends_old_trouble(void **state) {
	(void) state;
	begin(14);
	inject(FAULT_CLUTCH_FAILURE);
	judge();
	assert_non_null(finding_of(FAULT_CLUTCH_FAILURE));
	made.events[1] = made.events[0];
	made.events[0].kind = EVENT_LOCK_OPERATION;
	made.events[0].fault = FAULT_NONE;
	made.lock.n_events = 2;
	judge();
	assert_null(finding_of(FAULT_CLUTCH_FAILURE));
}

/* Of a lock without a log the hub's own runs are all that there is. */
static void what_became_of_our_own_run_is_a_witness(void **state) {
	(void) state;
	const struct event refused = {
		.kind = EVENT_OPERATION_FINISHED, .act = ACT_UNLOCK, .fault = FAULT_ACTION_REJECTED
	};
	begin(14);
	made.lock.events = made.events;
	made.events[0] = refused;
	made.events[1] = refused;
	made.lock.n_events = 2;
	judge();
	assert_int_equal(result_of("motor"), CHECK_BAD);
	assert_int_equal(finding_of(FAULT_ACTION_REJECTED)->n_proofs, 1);
	/* Not what was no run, not what has another reason. */
	made.events[0].act = ACT_READ_STATE;
	made.events[1].fault = FAULT_LINK_LOST;
	judge();
	assert_null(finding_of(FAULT_ACTION_REJECTED));
	made.events[1].fault = FAULT_MOTOR_TIMEOUT;
	judge();
	assert_non_null(finding_of(FAULT_MOTOR_TIMEOUT));
	/* The next one went well. */
	made.events[0].act = ACT_LOCK;
	made.events[0].fault = FAULT_NONE;
	judge();
	assert_null(finding_of(FAULT_MOTOR_TIMEOUT));
	assert_int_equal(result_of("motor"), CHECK_OK);
}

/* ---- set-up ---- */

static void by_a_wrong_clock_no_clock_is_wrong(void **state) {
	(void) state;
	begin(15);
	inject(FAULT_CLOCK_WRONG);
	made.lock.n_standing = 0;
	made.lock.status.clock.is_hub_trusted = false;
	judge();
	assert_int_equal(result_of("clock"), CHECK_UNKNOWN);
	assert_null(finding_of(FAULT_CLOCK_WRONG));
	/* A minute is allowed. */
	made.lock.status.clock.is_hub_trusted = true;
	made.lock.status.clock.lock_time.s = made.lock.status.clock.hub_time.s - 60;
	judge();
	assert_int_equal(result_of("clock"), CHECK_OK);
	made.lock.status.clock.lock_time.s--;
	judge();
	assert_int_equal(result_of("clock"), CHECK_BAD);
}

static void a_gap_that_was_seen_to_is_over(void **state) {
	(void) state;
	begin(16);
	inject(FAULT_LOG_GAP);
	judge();
	assert_non_null(finding_of(FAULT_LOG_GAP));
	made.lock.history.attempts = made.attempts;
	made.lock.history.n_attempts = 1;
	made.attempts[0] = (struct attempt){ .begun_at = { made.facts.hub.now.s - 60 },
		.outcome = ATTEMPT_UNVERIFIED };
	(void) text_copy(made.attempts[0].fault, sizeof(made.attempts[0].fault), "log-gap");
	judge();
	assert_null(finding_of(FAULT_LOG_GAP));
	made.attempts[0].outcome = ATTEMPT_FAILED;
	judge();
	assert_non_null(finding_of(FAULT_LOG_GAP));
}

static void firmware_is_as_good_as_the_least_good_one(void **state) {
	(void) state;
	begin(17);
	inject(FAULT_FIRMWARE_FAULTY);
	made.model.firmware_newest = "";
	made.model.firmware_min = "9.0.12";
	judge();
	assert_int_equal(result_of("firmware"), CHECK_OK);
	assert_int_equal(result_of("firmware-newer"), CHECK_UNKNOWN);
}

static void an_update_of_long_ago_is_not_to_blame(void **state) {
	(void) state;
	for (int ago = 6; ago <= 60; ago += 54) {
		begin(18);
		put_sample(SAMPLE_FIRMWARE, 86400 * 90, 0x30500);
		put_sample(SAMPLE_FIRMWARE, 86400 * ago, 0x30902);
		for (int i = 0; i < 40; i++) {
			put_sample(SAMPLE_LOCK_MS, 86400 * ago + 86400 * (40 - i) / 2, 2000);
		}
		for (int i = 0; i < 8; i++) {
			put_sample(SAMPLE_LOCK_MS, 3600 * (8 - i), 3400);
		}
		judge();
		assert_non_null(finding_of(FAULT_MOTOR_SLOW));
		assert_int_equal(finding_of(FAULT_WORSE_SINCE_UPDATE) != NULL, ago == 6);
	}
}

/* ---- network and security ---- */

static void by_a_clock_that_is_not_set_nothing_expires(void **state) {
	(void) state;
	begin(19);
	inject(FAULT_BROKER_EXPIRED);
	judge();
	assert_true(finding_of(FAULT_BROKER_EXPIRED)->confidence > 90);
	inject(FAULT_HUB_CLOCK);
	judge();
	assert_int_equal(judgement.findings[0].fault, FAULT_HUB_CLOCK);
	assert_int_equal(finding_of(FAULT_BROKER_EXPIRED)->because_of, FAULT_HUB_CLOCK);
	assert_int_equal(finding_of(FAULT_BROKER_EXPIRED)->confidence, 50);
}

static void without_encryption_the_login_is_looked_at_too(void **state) {
	(void) state;
	begin(23);
	inject(FAULT_BROKER_REFUSED);
	made.facts.hub.broker.is_tls = FLAG_NO;
	made.facts.hub.broker.is_local = FLAG_YES;
	judge();
	assert_int_equal(result_of("broker-tls"), CHECK_SKIPPED);
	assert_int_equal(result_of("broker-login"), CHECK_BAD);
	assert_non_null(finding_of(FAULT_BROKER_REFUSED));
}

static void people_mistype(void **state) {
	(void) state;
	begin(20);
	for (int i = 0; i < 4; i++) {
		made.events[i].kind = EVENT_LOCK_OPERATION_ERROR;
		made.events[i].error = OPERATION_ERROR_INVALID_CREDENTIAL;
		made.events[i].time.s = made.facts.hub.now.s - 3600 - i * 30;
	}
	made.lock.events = made.events;
	made.lock.n_events = 4;
	judge();
	assert_int_equal(result_of("code-guessing"), CHECK_OK);
	made.events[4] = made.events[3];
	made.lock.n_events = 5;
	judge();
	assert_int_equal(result_of("code-guessing"), CHECK_BAD);
	/* One an hour is nobody's attack. */
	for (int i = 0; i < 5; i++) {
		made.events[i].time.s = made.facts.hub.now.s - 3600 * (i + 1);
	}
	judge();
	assert_int_equal(result_of("code-guessing"), CHECK_OK);
}

/* The lock's log says so, in an entry; nothing stands, and no question of the hub's is refused. */
static void a_keypad_that_blocks_itself_is_told_by_the_log(void **state) {
	(void) state;
	begin(20);
	made.events[0] = (struct event){ .kind = EVENT_LOCK_OPERATION_ERROR,
		.fault = FAULT_KEYPAD_LOCKED,
		.time.s = made.facts.hub.now.s - 300 };
	made.lock.events = made.events;
	made.lock.n_events = 1;
	judge();
	assert_int_equal(result_of("code-guessing"), CHECK_BAD);
	assert_non_null(finding_of(FAULT_KEYPAD_LOCKED));
	assert_int_equal(finding_of(FAULT_KEYPAD_LOCKED)->because_of, FAULT_CODE_GUESSING);
	/* It takes codes again by now; that somebody tried is as true as before. */
	made.events[0].time.s = made.facts.hub.now.s - 7200;
	judge();
	assert_null(finding_of(FAULT_KEYPAD_LOCKED));
	assert_non_null(finding_of(FAULT_CODE_GUESSING));
}

static void wrong_codes(unsigned n, int64_t newest_ago_s, int64_t apart_s) {
	made.lock.events = made.events;
	made.lock.n_events = n;
	for (unsigned i = 0; i < n; i++) { /* the newest first */
		made.events[i] = (struct event){ .kind = EVENT_LOCK_OPERATION_ERROR,
			.source = SOURCE_KEYPAD,
			.error = OPERATION_ERROR_INVALID_CREDENTIAL,
			.time.s = made.facts.hub.now.s - newest_ago_s - apart_s * i };
	}
}

/* A Nuki's log has the wrong codes, and not what the keypad made of them. */
static void a_keypad_that_blocks_itself_is_reckoned_from_wrong_codes(void **state) {
	(void) state;
	begin(23);
	made.lock.wrong_most = 5;
	made.lock.wrong_disable_s = 30;
	wrong_codes(4, 120, 10);
	judge();
	assert_null(finding_of(FAULT_KEYPAD_LOCKED));
	wrong_codes(5, 120, 10);
	judge();
	assert_non_null(finding_of(FAULT_KEYPAD_LOCKED));
	assert_int_equal(finding_of(FAULT_KEYPAD_LOCKED)->because_of, FAULT_CODE_GUESSING);
	/* A right one in between: the keypad began to count anew. */
	wrong_codes(7, 120, 10);
	made.events[3].kind = EVENT_LOCK_OPERATION;
	made.events[3].error = OPERATION_ERROR_NONE;
	judge();
	assert_null(finding_of(FAULT_KEYPAD_LOCKED));
	/* Opened by hand meanwhile: that is no right code. */
	made.events[3].source = SOURCE_MANUAL;
	judge();
	assert_non_null(finding_of(FAULT_KEYPAD_LOCKED));
	/* Too far apart to be a row, long ago, or at a keypad whose ways nobody knows. */
	wrong_codes(5, 120, 300);
	judge();
	assert_null(finding_of(FAULT_KEYPAD_LOCKED));
	wrong_codes(5, 7200, 10);
	judge();
	assert_null(finding_of(FAULT_KEYPAD_LOCKED));
	made.lock.wrong_most = 0;
	wrong_codes(5, 120, 10);
	judge();
	assert_null(finding_of(FAULT_KEYPAD_LOCKED));
}

/* What nobody nearby can break is no finding, a class below the best neither; the rest is. */
static void a_protocol_is_judged_by_what_it_withstands(void **state) {
	static const struct protocol less = { .name = "made up",
		.cipher = "",
		.is_mutual = PROTOCOL_YES,
		.is_tamper_proof = PROTOCOL_YES,
		.is_replay_safe = PROTOCOL_YES,
		.has_fresh_nonces = PROTOCOL_NO,
		.weakness = "something",
		.source = "this test" };
	static const struct protocol weak = { .name = "made up",
		.cipher = "",
		.is_mutual = PROTOCOL_YES,
		.is_tamper_proof = PROTOCOL_YES,
		.is_replay_safe = PROTOCOL_NO,
		.weakness = "",
		.source = "this test" };

	(void) state;
	begin(20);
	made.lock.protocol = &less;
	judge();
	assert_int_equal(result_of("protocol"), CHECK_OK);
	made.lock.protocol = &weak;
	judge();
	assert_int_equal(result_of("protocol"), CHECK_BAD);
	assert_non_null(finding_of(FAULT_PROTOCOL_WEAK));
	/* Whoever has agreed knows it: it is told again where it is asked for. */
	(void) strcpy(made.lock.weak_by, "uid 0 (root)");
	made.lock.weak_since.s = made.facts.hub.now.s - 86400;
	judge();
	assert_int_equal(result_of("protocol"), CHECK_OK);
	assert_null(finding_of(FAULT_PROTOCOL_WEAK));
	diag_judge_security(&made.facts, &judgement);
	assert_int_equal(result_of("protocol"), CHECK_BAD);
	assert_non_null(finding_of(FAULT_PROTOCOL_WEAK));
	made.lock.protocol = NULL;
	judge();
	assert_int_equal(result_of("protocol"), CHECK_UNKNOWN);
	assert_null(finding_of(FAULT_PROTOCOL_WEAK));
}

static void wifi_by_its_name(void **state) {
	static const struct {
		const char *kind;
		enum check_result result;
	} rows[] = { { "open", CHECK_BAD }, { "wep", CHECK_BAD }, { "wpa", CHECK_BAD },
		{ "owe", CHECK_OK }, { "wpa2", CHECK_OK }, { "wpa2/wpa3", CHECK_OK },
		{ "wpa3-eap", CHECK_OK }, { "", CHECK_UNKNOWN } };

	(void) state;
	begin(20);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		made.facts.hub.host.is_wifi = FLAG_YES;
		(void) text_copy(made.facts.hub.host.wifi_security,
			sizeof(made.facts.hub.host.wifi_security), rows[i].kind);
		judge();
		assert_int_equal(result_of("wifi-protection"), rows[i].result);
	}
	made.facts.hub.host.is_wifi = FLAG_NO;
	judge();
	assert_int_equal(result_of("wifi-protection"), CHECK_SKIPPED);
}

static void a_broker_on_the_way_out_needs_encryption(void **state) {
	(void) state;
	begin(21);
	inject(FAULT_BROKER_UNPROTECTED);
	made.facts.hub.broker.is_anonymous_ok = FLAG_NO;
	made.facts.hub.broker.has_password = FLAG_YES;
	made.facts.hub.broker.is_local = FLAG_YES;
	made.facts.hub.broker.is_tls = FLAG_NO;
	judge();
	assert_int_equal(result_of("broker-protection"), CHECK_OK);
	made.facts.hub.broker.is_local = FLAG_NO;
	judge();
	assert_non_null(finding_of(FAULT_BROKER_UNPROTECTED));
	made.facts.hub.broker.is_wanted = FLAG_NO;
	judge();
	assert_int_equal(result_of("broker-protection"), CHECK_SKIPPED);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_brings_about_counts_for_a_cause),
		cmocka_unit_test(what_waits_for_the_skipped_is_skipped),
		cmocka_unit_test(what_was_named_is_not_reported_again),
		cmocka_unit_test(a_restart_that_was_refused_is_named_beside_its_reason),
		cmocka_unit_test(a_radio_that_hears_some_lock_is_not_deaf),
		cmocka_unit_test(what_is_weak_now_counts_against_good_days),
		cmocka_unit_test(the_median_is_inside_its_class),
		cmocka_unit_test(interference_needs_more_than_some_bad_luck),
		cmocka_unit_test(links_fail_from_thirty_percent_on),
		cmocka_unit_test(ends_that_nobody_explains_count_half),
		cmocka_unit_test(the_lower_word_counts),
		cmocka_unit_test(new_batteries_are_not_judged_by_the_old_ones),
		cmocka_unit_test(fewer_volts_sag_less),
		cmocka_unit_test(drain_is_weighed),
		cmocka_unit_test(the_makers_figure_is_a_weak_witness),
		cmocka_unit_test(jams_with_the_door_known_are_not_counted_twice),
		cmocka_unit_test(a_run_that_went_well_ends_old_trouble),
		cmocka_unit_test(what_became_of_our_own_run_is_a_witness),
		cmocka_unit_test(by_a_wrong_clock_no_clock_is_wrong),
		cmocka_unit_test(a_gap_that_was_seen_to_is_over),
		cmocka_unit_test(firmware_is_as_good_as_the_least_good_one),
		cmocka_unit_test(an_update_of_long_ago_is_not_to_blame),
		cmocka_unit_test(by_a_clock_that_is_not_set_nothing_expires),
		cmocka_unit_test(without_encryption_the_login_is_looked_at_too),
		cmocka_unit_test(people_mistype),
		cmocka_unit_test(a_keypad_that_blocks_itself_is_told_by_the_log),
		cmocka_unit_test(a_keypad_that_blocks_itself_is_reckoned_from_wrong_codes),
		cmocka_unit_test(a_protocol_is_judged_by_what_it_withstands),
		cmocka_unit_test(wifi_by_its_name),
		cmocka_unit_test(a_broker_on_the_way_out_needs_encryption),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
