/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The judge against facts that are made (facts-make.h): healthy ones must not be accused, injected
 * faults must come first, alone and in pairs. With DOCTOR_MATRIX=1 in the environment the whole
 * confusion matrix is printed, else only what went wrong.
 */

#include "diag/finding.h"

#include "facts-make.h"
#include "judge.h"
#include "test.h"
#include "util/text.h"

#define HEALTHY 400
#define HEALTHY_FALSE_MAX 4 /* at most 1 in 100 */
#define SEEDS 20
#define RIGHT_PERCENT 95

static struct made made;
static struct judgement judgement;

static const struct finding *finding_of(const struct judgement *of, enum fault_code fault) {
	for (size_t i = 0; i < of->n_findings; i++) {
		if (of->findings[i].fault == fault) {
			return &of->findings[i];
		}
	}
	return NULL;
}

static const struct check_row *row_of(const char *name) {
	for (size_t i = 0; i < judgement.n_checks; i++) {
		if (text_equal(judgement.checks[i].name, name)) {
			return &judgement.checks[i];
		}
	}
	fail_msg("no check %s", name);
	return NULL;
}

static enum fault_code first_of(const struct judgement *of) {
	return of->n_findings > 0 ? of->findings[0].fault : FAULT_NONE;
}

static void inject(enum fault_code fault, uint32_t seed) {
	const struct injection *injection = injection_find(fault);

	assert_non_null(injection);
	make_healthy(&made, seed);
	injection->inject(&made);
}

/* ---- healthy ---- */

static void the_healthy_are_not_accused(void **state) {
	(void) state;
	int n_false = 0;
	for (uint32_t seed = 1; seed <= HEALTHY; seed++) {
		make_healthy(&made, seed);
		diag_judge(&made.facts, &judgement);
		if (judgement.n_findings > 0) {
			const struct finding *first = &judgement.findings[0];
			print_message("# seed %u: %s %d %%: %s\n", seed, fault_name(first->fault),
				first->confidence, first->proofs[0].text);
			n_false++;
		} else if (!judgement.is_unchecked) {
			assert_string_equal(judgement.verdict, "The lock is healthy.");
		}
	}
	print_message("# %d false accusations on %d healthy locks\n", n_false, HEALTHY);
	assert_true(n_false <= HEALTHY_FALSE_MAX);
}

static void a_healthy_hub_alone_is_not_accused(void **state) {
	(void) state;
	for (uint32_t seed = 1; seed <= HEALTHY; seed++) {
		make_healthy(&made, seed);
		made.facts.lock = NULL;
		diag_judge(&made.facts, &judgement);
		assert_int_equal(judgement.n_findings, 0);
		for (size_t i = 0; i < judgement.n_checks; i++) {
			assert_true(judgement.checks[i].topic != TOPIC_BATTERY);
		}
		if (!judgement.is_unchecked) {
			assert_string_equal(judgement.verdict, "The hub is healthy.");
		}
	}
}

static void who_knows_nothing_accuses_nobody(void **state) {
	(void) state;
	static struct diag_facts facts;
	static struct lock_facts lock;

	hub_facts_init(&facts.hub);
	facts.hub.now.s = 1795356000;
	lock_facts_init(&lock);
	for (int i = 0; i < 4; i++) {
		facts.lock = i % 2 == 0 ? NULL : &lock;
		(i < 2 ? diag_judge : diag_judge_security)(&facts, &judgement);
		assert_int_equal(judgement.n_findings, 0);
		assert_true(i >= 2 || judgement.is_unchecked);
		for (size_t k = 0; k < judgement.n_checks; k++) {
			enum check_result result = judgement.checks[k].result;
			/* Standing faults and stops of the hub: none is an answer, too. */
			if (result != CHECK_UNKNOWN && result != CHECK_SKIPPED &&
				!text_equal(judgement.checks[k].name, "reported")) {
				fail_msg("%s is %s", judgement.checks[k].name,
					check_result_name(result));
			}
		}
	}
}

/* Takes away a part of what is known; never makes anything up. */
static void forget(struct made *of, unsigned what) {
	struct lock_facts *lock = &of->lock;
	struct hub_facts unknown;

	hub_facts_init(&unknown);
	switch (what) {
	case 0:
		lock->history = (struct history){ 0 };
		break;
	case 1:
		lock->n_events = 0;
		break;
	case 2:
		lock->n_probes = 0;
		break;
	case 3:
		lock->unheard_s = -1;
		break;
	case 4:
		lock->status.battery_known.how = EVIDENCE_NONE;
		break;
	case 5:
		lock->status.clock_known.how = EVIDENCE_NONE;
		break;
	case 6:
		lock->status.config_known.how = EVIDENCE_NONE;
		break;
	case 7:
		lock->model = &model_unknown;
		break;
	case 8:
		lock->forecast = (struct forecast){ .reason = "", .normal_per_day = -1 };
		break;
	case 9:
		of->facts.hub.host = unknown.host;
		break;
	case 10:
		of->facts.hub.broker = unknown.broker;
		break;
	case 11:
		of->facts.hub.n_adapters = 0;
		break;
	case 12:
		lock->history.n_samples = 0;
		break;
	case 13:
		lock->history.n_days = 0;
		break;
	default:
		lock->status.actuator_known.how = EVIDENCE_NONE;
		lock->status.bolt_known.how = EVIDENCE_NONE;
		lock->status.accessories_known.how = EVIDENCE_NONE;
		break;
	}
}

static void to_forget_raises_no_suspicion(void **state) {
	(void) state;
	int n_false = 0;
	for (uint32_t seed = 1; seed <= HEALTHY; seed++) {
		make_healthy(&made, seed);
		diag_judge(&made.facts, &judgement);
		bool was_accused = judgement.n_findings > 0;
		for (unsigned what = 0; what < 15; what++) {
			if (seed >> (what % 6) & 1) {
				forget(&made, what);
			}
		}
		diag_judge(&made.facts, &judgement);
		n_false += !was_accused && judgement.n_findings > 0;
	}
	assert_int_equal(n_false, 0);
}

/* ---- injected ---- */

static bool is_well_made(const struct judgement *of) {
	for (size_t i = 0; i < of->n_findings; i++) {
		const struct finding *finding = &of->findings[i];
		const struct advice *advice = advice_for(finding->fault);
		bool is_cause_above = finding->because_of == FAULT_NONE;
		for (size_t k = 0; k < i; k++) {
			is_cause_above |= of->findings[k].fault == finding->because_of;
			if (of->findings[k].fault == finding->fault) {
				print_message("# %s twice\n", fault_name(finding->fault));
				return false;
			}
		}
		if (!is_cause_above || finding->confidence < 1 || finding->confidence > 100 ||
			finding->n_proofs == 0 || finding->n_proofs > PROOFS_MAX ||
			advice == NULL || advice->severity != finding->severity) {
			print_message("# %s: %d %%, %zu proofs\n", fault_name(finding->fault),
				finding->confidence, finding->n_proofs);
			return false;
		}
		for (size_t k = 0; k < finding->n_proofs; k++) {
			if (finding->proofs[k].text[0] == '\0' || finding->proofs[k].unit == NULL) {
				return false;
			}
		}
	}
	size_t n = strlen(of->verdict);
	return n > 10 && of->verdict[n - 1] == '.';
}

static void every_fault_alone_comes_first(void **state) {
	(void) state;
	bool is_whole = getenv("DOCTOR_MATRIX") != NULL;
	size_t n = 0;
	const struct injection *rows = injections(&n);
	unsigned right = 0;
	unsigned all = 0;

	assert_true(n >= 25);
	for (size_t i = 0; i < n; i++) {
		unsigned seen[FAULT_COUNT_] = { 0 };
		for (uint32_t seed = 1; seed <= SEEDS; seed++) {
			inject(rows[i].fault, seed);
			diag_judge(&made.facts, &judgement);
			if (!is_well_made(&judgement)) {
				fail_msg("%s, seed %u: not well made: %s",
					fault_name(rows[i].fault), seed, judgement.verdict);
			}
			seen[first_of(&judgement)]++;
		}
		right += seen[rows[i].fault];
		all += SEEDS;
		if (is_whole || seen[rows[i].fault] < SEEDS) {
			print_message("# %-26s", fault_name(rows[i].fault));
			for (int k = 0; k < FAULT_COUNT_; k++) {
				if (seen[k] > 0) {
					print_message(
						" %s:%u", fault_name((enum fault_code) k), seen[k]);
				}
			}
			print_message("\n");
		}
		/* Not good on the average only: each one most of the time. */
		if (seen[rows[i].fault] * 100 < SEEDS * 80) {
			fail_msg("%s is first in %u of %d", fault_name(rows[i].fault),
				seen[rows[i].fault], SEEDS);
		}
	}
	print_message("# diagonal, alone: %u of %u (%.1f %%), %zu faults\n", right, all,
		100.0 * right / all, n);
	assert_true(right * 100 >= all * RIGHT_PERCENT);
}

static void of_two_faults_one_is_first_and_the_other_there(void **state) {
	(void) state;
	size_t n = 0;
	const struct injection *rows = injections(&n);
	unsigned right = 0;
	unsigned all = 0;

	for (size_t a = 0; a < n; a++) {
		for (size_t b = 0; b < n; b++) {
			if (a == b || (rows[a].writes & rows[b].writes) != 0) {
				continue;
			}
			inject(rows[a].fault, (uint32_t) (1000 + a * n + b));
			rows[b].inject(&made);
			diag_judge(&made.facts, &judgement);
			if (!is_well_made(&judgement)) {
				fail_msg("%s and %s: not well made", fault_name(rows[a].fault),
					fault_name(rows[b].fault));
			}
			enum fault_code first = first_of(&judgement);
			bool is_right = (first == rows[a].fault || first == rows[b].fault) &&
					finding_of(&judgement, rows[a].fault) != NULL &&
					finding_of(&judgement, rows[b].fault) != NULL;
			right += is_right;
			all++;
			if (!is_right && getenv("DOCTOR_MATRIX") != NULL) {
				print_message("# %s and %s: %s first%s%s\n",
					fault_name(rows[a].fault), fault_name(rows[b].fault),
					fault_name(first),
					finding_of(&judgement, rows[a].fault) == NULL
						? ", the former is missing"
						: "",
					finding_of(&judgement, rows[b].fault) == NULL
						? ", the latter is missing"
						: "");
			}
		}
	}
	print_message("# diagonal, pairs: %u of %u (%.1f %%)\n", right, all, 100.0 * right / all);
	assert_true(all >= 25 * 24);
	assert_true(right * 100 >= all * RIGHT_PERCENT);
}

static void the_same_facts_give_the_same_judgement(void **state) {
	(void) state;
	static struct judgement again;
	size_t n = 0;
	const struct injection *rows = injections(&n);

	for (size_t i = 0; i < n; i++) {
		inject(rows[i].fault, 77);
		diag_judge(&made.facts, &judgement);
		memset(&again, 0xaa, sizeof(again));
		diag_judge(&made.facts, &again);
		assert_memory_equal(&again, &judgement, sizeof(again));
	}
}

static void what_has_nothing_to_do_with_it_does_not_move_the_first(void **state) {
	(void) state;
	size_t n = 0;
	const struct injection *rows = injections(&n);

	for (size_t i = 0; i < n; i++) {
		inject(rows[i].fault, 5);
		if ((rows[i].writes & (WRITES_DISK | WRITES_MODEL)) != 0) {
			continue;
		}
		diag_judge(&made.facts, &judgement);
		enum fault_code first = first_of(&judgement);
		enum severity severity = judgement.findings[0].severity;
		size_t n_before = judgement.n_findings;
		if (severity == SEVERITY_INFO) {
			continue;
		}
		injection_find(FAULT_BACKUP_OLD)->inject(&made);
		injection_find(FAULT_FIRMWARE_OUTDATED)->inject(&made);
		diag_judge(&made.facts, &judgement);
		assert_int_equal(first_of(&judgement), first);
		assert_int_equal(judgement.n_findings, n_before + 2);
	}
}

/* ---- single ones ---- */

static void a_cause_takes_what_comes_of_it_below(void **state) {
	(void) state;
	inject(FAULT_MISALIGNED, 3);
	diag_judge(&made.facts, &judgement);
	const struct finding *jam = finding_of(&judgement, FAULT_JAMMED);
	assert_non_null(jam);
	assert_int_equal(jam->because_of, FAULT_MISALIGNED);
	assert_int_equal(judgement.findings[0].because_of, FAULT_NONE);
	assert_string_equal(judgement.findings[0].check, "bolt");
	assert_int_equal(judgement.findings[0].topic, TOPIC_MECHANICS);

	inject(FAULT_CELLS_WEAK, 3);
	injection_find(FAULT_BOLT_STIFF)->inject(&made);
	diag_judge(&made.facts, &judgement);
	assert_int_equal(first_of(&judgement), FAULT_CELLS_WEAK);
	assert_int_equal(finding_of(&judgement, FAULT_BOLT_STIFF)->because_of, FAULT_CELLS_WEAK);
	assert_int_equal(finding_of(&judgement, FAULT_JAMMED)->because_of, FAULT_BOLT_STIFF);

	/* Where only the shut door binds, tired cells are another matter. */
	inject(FAULT_CELLS_WEAK, 3);
	injection_find(FAULT_MISALIGNED)->inject(&made);
	diag_judge(&made.facts, &judgement);
	assert_int_equal(finding_of(&judgement, FAULT_MISALIGNED)->because_of, FAULT_NONE);
}

static void without_a_radio_the_lock_is_not_accused_of_silence(void **state) {
	(void) state;
	inject(FAULT_ADAPTER_OFF, 8);
	diag_judge(&made.facts, &judgement);
	assert_int_equal(row_of("heard")->result, CHECK_SKIPPED);
	assert_int_equal(row_of("answers")->result, CHECK_SKIPPED);
	for (size_t i = 1; i < judgement.n_findings; i++) {
		assert_int_equal(judgement.findings[i].because_of, FAULT_ADAPTER_OFF);
	}
}

static void a_lock_has_its_own_page(void **state) {
	(void) state;
	/* The hub's own trouble is not the lock's. */
	make_healthy(&made, 17);
	injection_find(FAULT_BACKUP_OLD)->inject(&made);
	injection_find(FAULT_BROKER_UNPROTECTED)->inject(&made);
	diag_judge(&made.facts, &judgement);
	assert_true(judgement.n_findings >= 2);
	judgement_keep_lock(&judgement);
	assert_int_equal(judgement.n_findings, 0);
	assert_string_equal(judgement.verdict, "The lock is healthy.");
	for (size_t i = 0; i < judgement.n_checks; i++) {
		assert_string_not_equal(judgement.checks[i].name, "backup");
	}
	assert_non_null(row_of("slots"));

	/* But for what explains something of the lock's. */
	inject(FAULT_WIFI_INTERFERENCE, 17);
	injection_find(FAULT_BACKUP_OLD)->inject(&made);
	diag_judge(&made.facts, &judgement);
	judgement_keep_lock(&judgement);
	assert_int_equal(first_of(&judgement), FAULT_WIFI_INTERFERENCE);
	assert_non_null(finding_of(&judgement, FAULT_LINKS_FAILING));
	assert_null(finding_of(&judgement, FAULT_BACKUP_OLD));
	assert_int_equal(row_of("wifi-neighbour")->result, CHECK_BAD);

	/* At any remove. */
	inject(FAULT_ADAPTER_OFF, 17);
	diag_judge(&made.facts, &judgement);
	judgement_keep_lock(&judgement);
	assert_int_equal(first_of(&judgement), FAULT_ADAPTER_OFF);
}

static void silence_is_told_apart(void **state) {
	(void) state;
	inject(FAULT_LOCK_DEAD, 4);
	made.lock.status.battery.percent = 60;
	made.lock.status.battery.level = BATTERY_OK;
	made.lock.forecast.is_known = false;
	diag_judge(&made.facts, &judgement);
	assert_int_equal(first_of(&judgement), FAULT_LOCK_NOT_HEARD);

	/* None of four is heard: this one is hardly to blame. */
	inject(FAULT_LOCK_DEAD, 4);
	made.facts.hub.is_anything_heard = FLAG_NO;
	made.facts.hub.n_locks = 4;
	made.facts.hub.n_locks_reachable = 0;
	made.facts.hub.adapters[0].deaf_s = 20;
	diag_judge(&made.facts, &judgement);
	assert_int_equal(first_of(&judgement), FAULT_ADAPTER_DEAF);
	assert_int_equal(
		finding_of(&judgement, FAULT_LOCK_NOT_HEARD)->because_of, FAULT_ADAPTER_DEAF);
}

/* Found end to end: what the judge knew, and could not see. */
static void what_the_ward_taught(void **state) {
	(void) state;
	/* Looked for in vain, though it was heard a minute ago. */
	make_healthy(&made, 14);
	made.facts.hub.n_locks = 4;
	made.facts.hub.n_locks_reachable = 4;
	made.facts.hub.is_anything_heard = FLAG_YES;
	made.lock.unheard_s = 70;
	made.lock.n_probes = 1;
	made.lock.probes[0] = (struct probe){ .act = ACT_READ_STATE, .was_tried = true };
	(void) fault_set(&made.lock.probes[0].fault, FAULT_LOCK_NOT_HEARD, "in vain");
	diag_judge(&made.facts, &judgement);
	assert_int_equal(first_of(&judgement), FAULT_LOCK_NOT_HEARD);
	assert_int_equal(row_of("heard")->result, CHECK_BAD);

	/* Services that do not come are no other phone. */
	inject(FAULT_LOCK_TAKEN, 14);
	(void) fault_set(&made.lock.probes[0].fault, FAULT_LOCK_UNREACHABLE,
		"2 attempts in 40000 ms, the last: services were not resolved in time");
	made.lock.n_standing = 0;
	diag_judge(&made.facts, &judgement);
	assert_null(finding_of(&judgement, FAULT_LOCK_TAKEN));
	assert_non_null(finding_of(&judgement, FAULT_LOCK_UNREACHABLE));

	/* Six seconds of listening for anything at all, and four locks that are silent. */
	inject(FAULT_ADAPTER_DEAF, 14);
	made.facts.hub.n_locks = 4;
	made.facts.hub.adapters[0].deaf_s = 6;
	diag_judge(&made.facts, &judgement);
	assert_int_equal(first_of(&judgement), FAULT_ADAPTER_DEAF);
	/* Nobody has listened. */
	made.facts.hub.is_anything_heard = FLAG_UNKNOWN;
	diag_judge(&made.facts, &judgement);
	assert_null(finding_of(&judgement, FAULT_ADAPTER_DEAF));
	/* In a barn, an only lock with empty batteries. */
	inject(FAULT_LOCK_DEAD, 14);
	made.facts.hub.is_anything_heard = FLAG_NO;
	made.facts.hub.n_locks = 1;
	made.facts.hub.n_locks_reachable = 0;
	made.facts.hub.adapters[0].deaf_s = 6;
	diag_judge(&made.facts, &judgement);
	assert_int_equal(first_of(&judgement), FAULT_LOCK_DEAD);

	/* A motor that grows slower week by week. */
	make_healthy(&made, 15);
	made.lock.history = (struct history){ .samples = made.samples, .n_samples = 84 };
	for (int i = 0; i < 84; i++) {
		made.samples[i] = (struct sample){ .kind = SAMPLE_LOCK_MS,
			.at = { made.facts.hub.now.s - (84 - i) * INT64_C(28800) },
			.value = 1900 + i * 18 };
	}
	diag_judge(&made.facts, &judgement);
	assert_int_equal(first_of(&judgement), FAULT_MOTOR_SLOW);

	/* Without a door sensor: what jams on its way back, too, is not the frame. */
	for (unsigned back = 0; back <= 1; back++) {
		static struct lock_day day;
		make_healthy(&made, 16);
		day = (struct lock_day){ .day = (int32_t) (made.facts.hub.now.s / 86400) };
		day.counts[DAY_LOCKS] = day.counts[DAY_UNLOCKS] = 40;
		day.counts[DAY_JAMS_LOCK] = 12;
		day.counts[DAY_JAMS_UNLOCK] = back * 10;
		made.lock.history = (struct history){ .days = &day, .n_days = 1 };
		diag_judge(&made.facts, &judgement);
		assert_int_equal(
			first_of(&judgement), back > 0 ? FAULT_BOLT_STIFF : FAULT_MISALIGNED);
	}
}

static void a_keyless_lock_warns_of_being_locked_out(void **state) {
	(void) state;
	inject(FAULT_BATTERY_CRITICAL, 2);
	made.model.has_mechanical_key = FLAG_YES;
	diag_judge(&made.facts, &judgement);
	assert_null(finding_of(&judgement, FAULT_LOCKOUT_RISK));
	made.model.has_mechanical_key = FLAG_NO;
	diag_judge(&made.facts, &judgement);
	const struct finding *risk = finding_of(&judgement, FAULT_LOCKOUT_RISK);
	assert_non_null(risk);
	assert_int_equal(risk->because_of, FAULT_BATTERY_CRITICAL);
	assert_int_equal(first_of(&judgement), FAULT_BATTERY_CRITICAL);
}

static void hints_are_for_who_asks_about_security(void **state) {
	(void) state;
	make_healthy(&made, 11);
	made.lock.has_factor = FLAG_NO;
	made.lock.status.config.is_pairing_enabled = true;
	made.lock.n_codes = 4;
	made.lock.n_codes_short = 2;
	made.lock.n_codes_old = 1;
	made.lock.n_codes_weak = 1;
	made.lock.pin = LOCK_PIN_WEAK;
	made.lock.pin_weakness = "the digits are a sequence";
	made.lock.pin_set_at.s = made.facts.hub.now.s - INT64_C(86400) * 900;
	diag_judge(&made.facts, &judgement);
	assert_int_equal(judgement.n_findings, 0);
	diag_judge_security(&made.facts, &judgement);
	static const enum fault_code hints[] = { FAULT_FACTOR_MISSING, FAULT_PAIRING_OPEN,
		FAULT_CODES_SHORT, FAULT_CODES_OLD, FAULT_CODES_WEAK, FAULT_PIN_OLD,
		FAULT_PIN_WEAK };
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
		assert_non_null(finding_of(&judgement, hints[i]));
	}
	for (size_t i = 0; i < judgement.n_checks; i++) {
		assert_true(judgement.checks[i].topic == TOPIC_SECURITY ||
			    judgement.checks[i].topic == TOPIC_CODES ||
			    judgement.checks[i].topic == TOPIC_FIRMWARE);
	}
	inject(FAULT_FIRMWARE_OUTDATED, 11);
	diag_judge_security(&made.facts, &judgement);
	assert_non_null(finding_of(&judgement, FAULT_FIRMWARE_OUTDATED));
}

static void after_a_repair_old_jams_do_not_count(void **state) {
	(void) state;
	inject(FAULT_MISALIGNED, 9);
	made.lock.status.bolt.is_jammed = false;
	made.lock.n_standing = 0;
	diag_judge(&made.facts, &judgement);
	assert_int_equal(row_of("bolt")->result, CHECK_BAD);

	made.lock.history.attempts = made.attempts;
	made.lock.history.n_attempts = 1;
	made.attempts[0] =
		(struct attempt){ .begun_at = made.facts.hub.now, .outcome = ATTEMPT_RUNNING };
	(void) text_copy(made.attempts[0].fault, sizeof(made.attempts[0].fault), "misaligned");
	diag_judge(&made.facts, &judgement);
	assert_int_equal(row_of("bolt")->result, CHECK_UNKNOWN);

	/* It was tried and was useless: everything still counts. */
	made.attempts[0].outcome = ATTEMPT_NO_CHANGE;
	diag_judge(&made.facts, &judgement);
	assert_int_equal(row_of("bolt")->result, CHECK_BAD);
}

static void cold_cells_are_not_worn_cells(void **state) {
	(void) state;
	make_healthy(&made, 21);
	made.lock.history = (struct history){ 0 };
	made.model.volt_full = 6.0;
	made.lock.status.report = (struct battery_report){ .millivolts = 5400,
		.millivolts_start = 5400,
		.millivolts_lowest = 4400,
		.milliamps_peak = 900,
		.milliohms = -1,
		.degrees_turned = -1,
		.celsius = -8 };
	made.lock.status.report_known.how = EVIDENCE_ANSWERED;
	diag_judge(&made.facts, &judgement);
	assert_null(finding_of(&judgement, FAULT_CELLS_WEAK));
	made.lock.status.report.celsius = 21;
	diag_judge(&made.facts, &judgement);
	assert_non_null(finding_of(&judgement, FAULT_CELLS_WEAK));
}

static void more_evidence_makes_surer(void **state) {
	(void) state;
	int was = 0;
	for (unsigned n = 3; n < 60; n += 8) {
		make_healthy(&made, 31);
		static struct lock_day day;
		day = (struct lock_day){ .day = (int32_t) (made.facts.hub.now.s / 86400) };
		day.counts[DAY_LOCKS_SHUT] = 2 * n;
		day.counts[DAY_JAMS_LOCK_SHUT] = n;
		day.counts[DAY_LOCKS_OPEN] = 20;
		made.lock.history = (struct history){ .days = &day, .n_days = 1 };
		diag_judge(&made.facts, &judgement);
		const struct finding *finding = finding_of(&judgement, FAULT_MISALIGNED);
		assert_non_null(finding);
		assert_true(finding->confidence >= was);
		assert_true(finding->confidence <= NEARLY_SURE);
		was = finding->confidence;
	}
	assert_true(was > 90);
}

static void versions_are_compared_by_their_numbers(void **state) {
	(void) state;
	int order = 9;
	assert_true(version_compare("3.5.10", "3.5.9", &order));
	assert_int_equal(order, 1);
	assert_true(version_compare("3.5", "3.5.0", &order));
	assert_int_equal(order, 0);
	assert_true(version_compare("2.15.2", "3.0", &order));
	assert_int_equal(order, -1);
	assert_false(version_compare("", "3.0", &order));
	assert_false(version_compare("3.x", "3.0", &order));
}

static void checks_stand_in_order_of_dependency(void **state) {
	(void) state;
	size_t n = 0;
	for (const struct check *check; (check = check_at(n)) != NULL; n++) {
		assert_true(check->title[0] != '\0');
		for (size_t i = 0; i < ARRAY_SIZE(check->after) && check->after[i] != NULL; i++) {
			bool is_before = false;
			for (size_t k = 0; k < n; k++) {
				is_before |= text_equal(check_at(k)->name, check->after[i]);
			}
			if (!is_before) {
				fail_msg("%s waits for %s", check->name, check->after[i]);
			}
		}
		for (size_t k = 0; k < n; k++) {
			assert_string_not_equal(check_at(k)->name, check->name);
		}
	}
	assert_true(n <= CHECKS_MAX);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_stand_in_order_of_dependency),
		cmocka_unit_test(the_healthy_are_not_accused),
		cmocka_unit_test(a_healthy_hub_alone_is_not_accused),
		cmocka_unit_test(who_knows_nothing_accuses_nobody),
		cmocka_unit_test(to_forget_raises_no_suspicion),
		cmocka_unit_test(every_fault_alone_comes_first),
		cmocka_unit_test(of_two_faults_one_is_first_and_the_other_there),
		cmocka_unit_test(the_same_facts_give_the_same_judgement),
		cmocka_unit_test(what_has_nothing_to_do_with_it_does_not_move_the_first),
		cmocka_unit_test(a_cause_takes_what_comes_of_it_below),
		cmocka_unit_test(without_a_radio_the_lock_is_not_accused_of_silence),
		cmocka_unit_test(a_lock_has_its_own_page),
		cmocka_unit_test(silence_is_told_apart),
		cmocka_unit_test(what_the_ward_taught),
		cmocka_unit_test(a_keyless_lock_warns_of_being_locked_out),
		cmocka_unit_test(hints_are_for_who_asks_about_security),
		cmocka_unit_test(after_a_repair_old_jams_do_not_count),
		cmocka_unit_test(cold_cells_are_not_worn_cells),
		cmocka_unit_test(more_evidence_makes_surer),
		cmocka_unit_test(versions_are_compared_by_their_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
