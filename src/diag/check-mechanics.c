/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Door, bolt and motor. What binds only while the door is shut is the frame; what binds always is
 * cylinder or mounting; weak batteries and a lost calibration look alike and are told apart by
 * their own checks, which explain these findings (advice.c).
 */

#include "judge.h"

#include <string.h>

/* A jam once in a month happens to every door. */
#define JAM_DAYS 30
#define JAMS_LEAST 3
#define JAMS_ENOUGH 15
#define JAM_PERCENT 10
/* Runs before a share of them is a number. */
#define RUNS_LEAST 5
/* Shut against open: so many times as often is no chance. */
#define SHUT_RATIO 3
/* Motor: the newest against what it was before. */
#define RECENT_RUNS 5
#define EARLIER_RUNS 40
#define EARLIER_LEAST 8
#define FIRST_RUNS 20
/* What creeps up within weeks shows only against its beginning. */
#define MOTOR_DAYS 90
#define MOTOR_RUNS_MOST 1000
/* 1.4 times: temperature alone makes some 20 % between summer and winter (inferred). */
#define SLOW_RATIO 1.4
#define SLOWER_RATIO 2.0

struct runs {
	uint64_t runs, jams;
};

static double percent(const struct runs *runs) {
	return runs->runs > 0 ? 100.0 * (double) runs->jams / (double) runs->runs : 0;
}

static void prove_runs(struct judge *judge, const struct runs *runs, const char *what) {
	if (runs->runs > 0) {
		proof_value(judge, percent(runs), "%", EVIDENCE_LOGGED, (wall_t){ 0 },
			"of %llu runs to %s jammed", (unsigned long long) runs->runs, what);
	}
}

static bool is_jamming(const struct runs *runs) {
	return runs->jams >= JAMS_LEAST && percent(runs) >= JAM_PERCENT;
}

/* What remains of the total. */
static void leave_out(struct runs *total, const struct runs *part) {
	total->runs -= part->runs < total->runs ? part->runs : total->runs;
	total->jams -= part->jams < total->jams ? part->jams : total->jams;
}

/* The bolt jams on its way back, too: the frame presses on the way out alone, or nearly so. */
static bool is_as_stiff(const struct runs *back, const struct runs *out) {
	return back->runs > 0 && SHUT_RATIO * percent(back) > percent(out);
}

static enum check_result check_bolt(struct judge *judge) {
	wall_t since = remedied_at(judge, FAULT_MISALIGNED);
	wall_t stiff = remedied_at(judge, FAULT_BOLT_STIFF);
	wall_t jammed = remedied_at(judge, FAULT_JAMMED);

	since = stiff.s > since.s ? stiff : since;
	since = jammed.s > since.s ? jammed : since;
	struct runs open = { days_sum_since(judge, JAM_DAYS, DAY_LOCKS_OPEN, since),
		days_sum_since(judge, JAM_DAYS, DAY_JAMS_LOCK_OPEN, since) };
	struct runs shut = { days_sum_since(judge, JAM_DAYS, DAY_LOCKS_SHUT, since),
		days_sum_since(judge, JAM_DAYS, DAY_JAMS_LOCK_SHUT, since) };
	struct runs any = { days_sum_since(judge, JAM_DAYS, DAY_LOCKS, since),
		days_sum_since(judge, JAM_DAYS, DAY_JAMS_LOCK, since) };
	struct runs back = { days_sum_since(judge, JAM_DAYS, DAY_UNLOCKS, since),
		days_sum_since(judge, JAM_DAYS, DAY_JAMS_UNLOCK, since) };
	leave_out(&any, &open);
	leave_out(&any, &shut);
	enum check_result result = CHECK_OK;

	prove_runs(judge, &shut, "lock with the door shut");
	prove_runs(judge, &open, "lock with the door open");
	prove_runs(judge, &any, "lock, the door's position not known");
	prove_runs(judge, &back, "unlock");
	if (is_jamming(&shut)) {
		int sure = confidence((double) (shut.jams - JAMS_LEAST), JAMS_ENOUGH, 78, 94);
		if (open.runs >= RUNS_LEAST && percent(&shut) >= SHUT_RATIO * percent(&open)) {
			accuse(judge, FAULT_MISALIGNED, sure);
		} else if (is_jamming(&open)) {
			accuse(judge, FAULT_BOLT_STIFF, sure);
		} else {
			/* Hardly ever locked with the door open; the way back is less to go by. */
			accuse(judge,
				is_as_stiff(&back, &shut) ? FAULT_BOLT_STIFF : FAULT_MISALIGNED,
				68);
		}
		result = CHECK_BAD;
	} else if (is_jamming(&open)) {
		accuse(judge, FAULT_BOLT_STIFF, 80);
		result = CHECK_BAD;
	} else if (is_jamming(&any) || is_jamming(&back)) {
		/* No door sensor. The frame presses on the way out more than on the way in. */
		bool is_one_way =
			back.runs >= RUNS_LEAST && percent(&any) >= SHUT_RATIO * percent(&back);
		accuse(judge, is_one_way ? FAULT_MISALIGNED : FAULT_BOLT_STIFF, 62);
		result = CHECK_BAD;
	}
	if (judge->lock->status.bolt_known.how != EVIDENCE_NONE &&
		judge->lock->status.bolt.is_jammed) {
		proof(judge, judge->lock->status.bolt_known.how,
			judge->lock->status.bolt_known.wall, "the bolt is jammed now");
		accuse(judge, FAULT_JAMMED, SURE);
		return CHECK_BAD;
	}
	if (is_told(judge, FAULT_JAMMED)) {
		accuse(judge, FAULT_JAMMED, 90);
		return CHECK_BAD;
	}
	if (result == CHECK_OK && open.runs + shut.runs + any.runs + back.runs < RUNS_LEAST) {
		return CHECK_UNKNOWN;
	}
	return result;
}

/* The values stay as they are, newest first. */
static int32_t median_of_copy(const int32_t *values, size_t n) {
	int32_t copy[EARLIER_RUNS];

	memcpy(copy, values, n * sizeof(copy[0]));
	return median_of(copy, n);
}

/* How many times as long as before the newest runs took; 0: not known. */
static double slowness(struct judge *judge, enum sample_kind kind, const char *what) {
	int32_t values[MOTOR_RUNS_MOST];
	wall_t from = { judge->now.s - INT64_C(86400) * MOTOR_DAYS };
	size_t n = sample_values(judge, kind, from, judge->now, values, ARRAY_SIZE(values));

	if (n < RECENT_RUNS + EARLIER_LEAST) {
		return 0;
	}
	size_t n_earlier = n - RECENT_RUNS < EARLIER_RUNS ? n - RECENT_RUNS : EARLIER_RUNS;
	size_t n_first = n - RECENT_RUNS < FIRST_RUNS ? n - RECENT_RUNS : FIRST_RUNS;
	int32_t recent = median_of_copy(values, RECENT_RUNS);
	int32_t before = median_of_copy(values + RECENT_RUNS, n_earlier);
	int32_t first = median_of_copy(values + n - n_first, n_first);
	int32_t earlier = first < before ? first : before;
	if (earlier <= 0) {
		return 0;
	}
	proof_value(judge, recent, "ms", EVIDENCE_INFERRED, (wall_t){ 0 },
		"to %s, the newest %d runs; %d ms before", what, RECENT_RUNS, (int) earlier);
	return (double) recent / earlier;
}

static enum check_result check_motor_time(struct judge *judge) {
	double lock = slowness(judge, SAMPLE_LOCK_MS, "lock");
	double unlock = slowness(judge, SAMPLE_UNLOCK_MS, "unlock");
	double most = lock > unlock ? lock : unlock;

	if (most <= 0) {
		return CHECK_UNKNOWN;
	}
	if (most < SLOW_RATIO) {
		return CHECK_OK;
	}
	accuse(judge, FAULT_MOTOR_SLOW,
		confidence(most - SLOW_RATIO, SLOWER_RATIO - SLOW_RATIO, 70, 90));
	return CHECK_BAD;
}

/*
 * The newest run, as the lock's log tells it, or, of a lock that keeps none, what became of the
 * hub's own. @return whether it ended with one of @faults.
 */
static bool judge_last_run(struct judge *judge, const enum fault_code *faults, size_t n_faults) {
	bool is_bad = false;

	for (size_t i = 0; i < judge->lock->n_events; i++) {
		const struct event *event = &judge->lock->events[i];
		const bool is_logged = event->kind == EVENT_LOCK_OPERATION_ERROR;
		const bool is_ours =
			event->kind == EVENT_OPERATION_FINISHED && act_moves_motor(event->act);

		if (event->kind == EVENT_LOCK_OPERATION ||
			(is_ours && (is_bad || event->fault == FAULT_NONE))) {
			break;
		}
		for (size_t k = 0; (is_logged || is_ours) && k < n_faults; k++) {
			if (event->fault == faults[k]) {
				proof(judge, is_logged ? EVIDENCE_LOGGED : EVIDENCE_ANSWERED,
					event->time, "%s", fault_row(faults[k])->summary);
				accuse(judge, faults[k], 88);
				is_bad = true;
			}
		}
	}
	return is_bad;
}

static enum check_result check_motor(struct judge *judge) {
	static const enum fault_code faults[] = { FAULT_CLUTCH_FAILURE, FAULT_CLUTCH_POWER,
		FAULT_MOTOR_POWER, FAULT_MOTOR_TIMEOUT, FAULT_POSITION_UNKNOWN,
		FAULT_ACTION_REJECTED, FAULT_HANDLE_NOT_LIFTED, FAULT_DOOR_SENSOR_FAULTY };
	enum check_result result = CHECK_OK;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		if (is_told(judge, faults[i])) {
			accuse(judge, faults[i], 92);
			result = CHECK_BAD;
		}
	}
	if (judge_last_run(judge, faults, ARRAY_SIZE(faults))) {
		result = CHECK_BAD;
	}
	if (result == CHECK_OK && judge->lock->n_events == 0 && judge->lock->n_probes == 0) {
		return CHECK_UNKNOWN;
	}
	return result;
}

/* clang-format off */
const struct check mechanics_checks[] = {
	{ "bolt", "The bolt runs freely", TOPIC_MECHANICS, .is_of_lock = true, .run = check_bolt },
	{ "motor-time", "How long the motor takes", TOPIC_MECHANICS, .is_of_lock = true, .run = check_motor_time },
	{ "motor", "Motor and clutch", TOPIC_MECHANICS, .is_of_lock = true, .run = check_motor },
	{ .name = NULL },
};
/* clang-format on */
