/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The lock's firmware, against what is known of its model, and against itself before an update. */

#include "judge.h"

#define DAY_S INT64_C(86400)
/* An update shows within a month, or it was something else. */
#define UPDATE_DAYS 30
/* Days on each side that make a comparison. */
#define COMPARE_DAYS 7
#define COMPARE_LEAST 3
#define ATTEMPTS_LEAST 15
#define RUNS_LEAST 5
/* Worse: failures in points of a hundred, motor times as in check-mechanics.c. */
#define FAILURES_WORSE 20
#define MOTOR_RATIO 1.4

static enum check_result check_firmware(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	const char *now = lock->status.versions.firmware;
	int order = 0;
	bool is_bad = false;

	if (is_told(judge, FAULT_FIRMWARE_UPDATE_NEEDED)) {
		accuse(judge, FAULT_FIRMWARE_UPDATE_NEEDED, SURE);
		is_bad = true;
	}
	if (now[0] == '\0') {
		return is_bad ? CHECK_BAD : CHECK_UNKNOWN;
	}
	proof(judge, lock->status.versions_known.how, lock->status.versions_known.wall,
		"firmware %s", now);
	if (lock->model->firmware_min[0] != '\0' &&
		version_compare(now, lock->model->firmware_min, &order) && order < 0) {
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "before %s: %s",
			lock->model->firmware_min,
			lock->model->firmware_fault[0] != '\0' ? lock->model->firmware_fault
							       : "has a known fault");
		accuse(judge, FAULT_FIRMWARE_FAULTY, NEARLY_SURE);
		is_bad = true;
	}
	return is_bad ? CHECK_BAD : CHECK_OK;
}

static enum check_result check_newer(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	const char *now = lock->status.versions.firmware;
	const char *newest = lock->model->firmware_newest;
	int order = 0;

	if (now[0] == '\0' || newest[0] == '\0' || !version_compare(now, newest, &order)) {
		return CHECK_UNKNOWN;
	}
	proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "%s is the newest known%s%s", newest,
		lock->model->firmware_checked[0] != '\0' ? ", as of " : "",
		lock->model->firmware_checked);
	if (order >= 0) {
		return CHECK_OK;
	}
	accuse(judge, FAULT_FIRMWARE_OUTDATED, 90);
	return CHECK_BAD;
}

/* Failed attempts in percent within [from, to) days; -1: too few. */
static double failures_in(const struct judge *judge, int64_t from, int64_t to) {
	const struct history *history = &judge->lock->history;
	uint64_t attempts = 0;
	uint64_t failures = 0;
	unsigned n = 0;

	for (size_t i = 0; i < history->n_days; i++) {
		if (history->days[i].day >= from && history->days[i].day < to) {
			attempts += history->days[i].counts[DAY_ATTEMPTS];
			failures += history->days[i].counts[DAY_FAILURES];
			n++;
		}
	}
	return n < COMPARE_LEAST || attempts < ATTEMPTS_LEAST
		       ? -1
		       : 100.0 * (double) failures / (double) attempts;
}

/* Median time to lock within (from, to]; -1: too few. */
static double motor_in(const struct judge *judge, wall_t from, wall_t to) {
	int32_t values[32];
	size_t n = sample_values(judge, SAMPLE_LOCK_MS, from, to, values, ARRAY_SIZE(values));

	return n < RUNS_LEAST ? -1 : median_of(values, n);
}

static enum check_result check_change(struct judge *judge) {
	const struct history *history = &judge->lock->history;
	const struct sample *update = NULL;
	const struct sample *before = NULL;
	bool is_worse = false;

	for (size_t i = history->n_samples; i > 0; i--) {
		const struct sample *sample = &history->samples[i - 1];
		if (sample->kind != SAMPLE_FIRMWARE) {
			continue;
		}
		if (update == NULL) {
			update = sample;
		} else {
			before = sample;
			break;
		}
	}
	if (before == NULL) {
		return update == NULL ? CHECK_UNKNOWN : CHECK_SKIPPED; /* never updated since */
	}
	if (judge->now.s - update->at.s > UPDATE_DAYS * DAY_S || update->value <= before->value) {
		return CHECK_SKIPPED;
	}
	proof(judge, EVIDENCE_ANSWERED, update->at, "updated from %d.%d.%d to %d.%d.%d",
		(int) (before->value >> 16), (int) (before->value >> 8 & 0xff),
		(int) (before->value & 0xff), (int) (update->value >> 16),
		(int) (update->value >> 8 & 0xff), (int) (update->value & 0xff));

	int64_t day = update->at.s / DAY_S;
	double failed_before = failures_in(judge, day - COMPARE_DAYS, day);
	double failed_after = failures_in(judge, day + 1, day + 1 + COMPARE_DAYS);
	wall_t from = { update->at.s - UPDATE_DAYS * DAY_S };
	double motor_before = motor_in(judge, from, update->at);
	double motor_after = motor_in(judge, update->at, judge->now);
	if (failed_before >= 0 && failed_after >= 0) {
		proof_value(judge, failed_after, "%", EVIDENCE_INFERRED, (wall_t){ 0 },
			"of attempts to connect fail since, %.0f %% before", failed_before);
		is_worse = failed_after - failed_before >= FAILURES_WORSE;
	}
	if (motor_before > 0 && motor_after > 0) {
		proof_value(judge, motor_after, "ms", EVIDENCE_INFERRED, (wall_t){ 0 },
			"to lock since, %.0f ms before", motor_before);
		is_worse |= motor_after >= MOTOR_RATIO * motor_before;
	}
	if (is_worse) {
		/* That one followed the other does not prove that it came of it. */
		accuse(judge, FAULT_WORSE_SINCE_UPDATE, 72);
		return CHECK_BAD;
	}
	return (failed_before >= 0 && failed_after >= 0) || (motor_before > 0 && motor_after > 0)
		       ? CHECK_OK
		       : CHECK_UNKNOWN;
}

/* clang-format off */
const struct check firmware_checks[] = {
	{ "firmware", "The lock's firmware has no known fault", TOPIC_FIRMWARE, .is_of_lock = true, .run = check_firmware },
	{ "firmware-newer", "The lock's firmware is the newest known", TOPIC_FIRMWARE, .is_of_lock = true, .run = check_newer },
	{ "firmware-change", "The lock after its update, and before", TOPIC_FIRMWARE, .is_of_lock = true, .run = check_change },
	{ .name = NULL },
};
/* clang-format on */
