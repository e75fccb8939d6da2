/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way between hub and lock: heard, connected, answered, and how well. */

#include "judge.h"

#include <string.h>

/* hub_config.unreachable_ms: a lock that is silent for so long is missed. */
#define SILENT_S (15 * 60)
#define HEARD_JUST_NOW_S (3 * 60)
#define LINK_DAYS STRENGTH_DAYS
/* nuki.md 11: "< -85 dBm or > 30 % failed connects = move hub / dongle". */
#define WEAK_DBM RADIO_POOR_DBM
#define FAILING_PERCENT RADIO_POOR_FAILURE_PERCENT
#define ATTEMPTS_LEAST 10
#define ATTEMPTS_ENOUGH 80
#define STRENGTHS_ENOUGH 500
/* A link takes 1 to 3 s in good air; from 8 s on people ask whether it works. */
#define LINK_SLOW_MS 8000
#define LINKS_LEAST 10
/* Links that are lost in use: one in five is no accident. */
#define DROPS_PERCENT 20
#define DROPS_LEAST 4
/* One quarter of the day against the other three. */
#define QUARTER_DAYS 14
#define QUARTER_ATTEMPTS_LEAST 8
#define QUARTER_REST_LEAST 16
#define QUARTER_FAILURES_LEAST 5
#define QUARTER_BAD_PERCENT 30
#define QUARTER_REST_PERCENT 15
#define QUARTER_RATIO 3
/* What says that the batteries were ending: levels as in check-battery.c. */
#define WEAK_BATTERY_PERCENT 20
#define WEAK_BATTERY_DAYS 7
/* Times that it was heard and took no link, within two days. */
#define BUSY_LEAST 2
#define BUSY_ENOUGH 12
#define SILENCES_LEAST 3
#define SILENCES_DAYS 3

static bool was_answered(const struct judge *judge) {
	for (size_t i = 0; i < judge->lock->n_probes; i++) {
		const struct probe *probe = &judge->lock->probes[i];
		/* A no is an answer, too. */
		if (probe->was_tried &&
			(probe->is_done || (probe->fault.code >= FAULT_NOT_AUTHORIZED &&
						   probe->fault.code <= FAULT_LOCK_ERROR &&
						   probe->fault.code != FAULT_PROTOCOL_ERROR))) {
			return true;
		}
	}
	return false;
}

/* Points for empty batteries, from what was known before the silence. */
static int points_for_dead(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	const struct battery_facts *battery = &lock->status.battery;
	int points = 0;

	if (lock->status.battery_known.how == EVIDENCE_NONE && lock->history.n_samples == 0) {
		return 0;
	}
	if (lock->status.battery_known.how != EVIDENCE_NONE && battery->percent >= 0) {
		if (battery->percent <= WEAK_BATTERY_PERCENT) {
			points += battery->percent <= WEAK_BATTERY_PERCENT / 2 ? 3 : 2;
			proof_value(judge, battery->percent, "%", lock->status.battery_known.how,
				lock->status.battery_known.wall, "last known charge");
		}
	} else if (battery->level == BATTERY_CRITICAL || battery->level == BATTERY_WARNING) {
		points += battery->level == BATTERY_CRITICAL ? 3 : 2;
		proof(judge, lock->status.battery_known.how, lock->status.battery_known.wall,
			"the lock called its batteries %s", battery_level_name(battery->level));
	}
	if (lock->forecast.is_known && lock->forecast.days <= WEAK_BATTERY_DAYS) {
		points++;
		proof_value(judge, lock->forecast.days, "days", EVIDENCE_INFERRED, (wall_t){ 0 },
			"forecast of the batteries");
	}
	if (is_told(judge, FAULT_MOTOR_LOW_VOLTAGE)) {
		points++;
	}
	return points;
}

/* The lock was asked just now, and not heard. */
static bool was_missed_now(const struct judge *judge) {
	for (size_t i = 0; i < judge->lock->n_probes; i++) {
		const struct probe *probe = &judge->lock->probes[i];
		if (probe->was_tried && !probe->is_done &&
			probe->fault.code == FAULT_LOCK_NOT_HEARD) {
			return true;
		}
	}
	return false;
}

/* @is_recent: it was heard minutes ago; a single look in vain proves less. */
static void accuse_silence(struct judge *judge, bool is_recent) {
	struct strength strength;
	int dead = points_for_dead(judge);

	strength_of(judge, &strength);
	if (strength.n > 0) {
		proof_value(judge, strength.median, "dBm", EVIDENCE_ADVERTISED, (wall_t){ 0 },
			"median strength before it fell silent");
	}
	if (judge->hub->is_anything_heard != FLAG_YES && judge->hub->n_locks_reachable == 0) {
		/* Nobody is heard: that the lock is silent says little about the lock. */
		accuse(judge, FAULT_LOCK_NOT_HEARD, 60);
		if (dead >= 2) {
			accuse(judge, FAULT_LOCK_DEAD, 65);
		}
		return;
	}
	accuse(judge, FAULT_LOCK_NOT_HEARD, is_recent ? 75 : 90);
	if (dead >= 2) {
		accuse(judge, FAULT_LOCK_DEAD, confidence(dead - 2, 2, 75, 92));
	} else if (strength.n > 0 && strength.median < WEAK_DBM) {
		accuse(judge, FAULT_OUT_OF_RANGE,
			confidence(WEAK_DBM - strength.median, 8, 70, 88));
	}
}

static enum check_result check_heard(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;

	if (lock->is_linked || was_answered(judge)) {
		proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "the lock is connected or answered");
		return CHECK_OK;
	}
	bool is_missed = is_told(judge, FAULT_LOCK_NOT_HEARD);
	if (was_missed_now(judge)) {
		/* Just looked for in vain: that outweighs what was heard a moment before. */
		accuse_silence(judge, lock->unheard_s >= 0 && lock->unheard_s < HEARD_JUST_NOW_S);
		return CHECK_BAD;
	}
	if (lock->unheard_s >= 0) {
		proof_value(judge, lock->unheard_s, "s", EVIDENCE_ADVERTISED, (wall_t){ 0 },
			"since it was heard last");
		/* Just heard: the standing fault is about to go. */
		is_missed = (is_missed && lock->unheard_s > HEARD_JUST_NOW_S) ||
			    lock->unheard_s >= SILENT_S;
		if (!is_missed) {
			return CHECK_OK;
		}
	}
	if (!is_missed) {
		return CHECK_UNKNOWN;
	}
	accuse_silence(judge, false);
	return CHECK_BAD;
}

static enum check_result check_connects(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	uint64_t busy = days_sum(judge, 2, DAY_BUSY);
	struct strength strength;

	if (was_answered(judge) || lock->is_linked) {
		return CHECK_OK;
	}
	if (!is_told(judge, FAULT_LOCK_UNREACHABLE)) {
		return lock->radio.connects > 0 ? CHECK_OK : CHECK_UNKNOWN;
	}
	strength_of(judge, &strength);
	if (busy > 0) {
		proof_value(judge, (double) busy, "", EVIDENCE_INFERRED, (wall_t){ 0 },
			"times since yesterday that it was heard and took no connection");
	}
	accuse(judge, FAULT_LOCK_UNREACHABLE, 92);
	/*
	 * Heard well: what else than another device could keep it from taking a link? Not so when
	 * there was a link, and its services did not come (ble/link-acts.c).
	 */
	const struct fault *why = told(judge, FAULT_LOCK_UNREACHABLE);
	bool was_linked = why != NULL && strstr(why->detail, "resolved") != NULL;
	if (!was_linked && strength.n > 0 && strength.median >= WEAK_DBM) {
		proof_value(judge, strength.median, "dBm", EVIDENCE_ADVERTISED, (wall_t){ 0 },
			"median strength: near enough for a connection");
		accuse(judge, FAULT_LOCK_TAKEN,
			confidence((double) busy - BUSY_LEAST, BUSY_ENOUGH, 72, 90));
	}
	return CHECK_BAD;
}

static enum check_result check_signal(struct judge *judge) {
	struct strength strength;

	strength_of(judge, &strength);
	if (strength.n == 0) {
		return CHECK_UNKNOWN;
	}
	proof_value(judge, strength.median, "dBm", EVIDENCE_ADVERTISED, (wall_t){ 0 },
		"median of %s%llu observations", strength.is_of_days ? "7 days, " : "the newest ",
		(unsigned long long) strength.n);
	if (judge->lock->status.lock_rssi < -1) {
		proof_value(judge, judge->lock->status.lock_rssi, "dBm", EVIDENCE_ANSWERED,
			(wall_t){ 0 }, "as the lock hears the hub");
	}
	if (strength.median >= WEAK_DBM) {
		return CHECK_OK;
	}
	accuse(judge, FAULT_SIGNAL_WEAK,
		strength.is_of_days
			? confidence((double) strength.n, STRENGTHS_ENOUGH, 80, NEARLY_SURE)
			: 78);
	return CHECK_BAD;
}

struct links {
	uint64_t attempts, failures, links, time_ms;
	const char *when;
};

static void links_of(const struct judge *judge, struct links *ret) {
	const struct radio_stats *stats = &judge->lock->radio;

	*ret = (struct links){
		.attempts = days_sum(judge, LINK_DAYS, DAY_ATTEMPTS),
		.failures = days_sum(judge, LINK_DAYS, DAY_FAILURES),
		.links = days_sum(judge, LINK_DAYS, DAY_LINKS),
		.time_ms = days_sum(judge, LINK_DAYS, DAY_LINK_TIME_MS),
		.when = "in the last 7 days",
	};
	if (ret->attempts == 0) {
		ret->attempts = stats->attempts;
		ret->failures = stats->failures;
		ret->when = "since the hub was started";
	}
}

static enum check_result check_link_success(struct judge *judge) {
	struct links links;

	links_of(judge, &links);
	if (links.attempts < ATTEMPTS_LEAST) {
		return CHECK_UNKNOWN;
	}
	double failed = 100.0 * (double) links.failures / (double) links.attempts;
	proof_value(judge, failed, "%", EVIDENCE_INFERRED, (wall_t){ 0 },
		"of %llu attempts to connect failed %s", (unsigned long long) links.attempts,
		links.when);
	if (failed < FAILING_PERCENT) {
		return CHECK_OK;
	}
	accuse(judge, FAULT_LINKS_FAILING,
		confidence((double) (links.attempts - ATTEMPTS_LEAST), ATTEMPTS_ENOUGH, 70, 93));
	return CHECK_BAD;
}

static enum check_result check_link_time(struct judge *judge) {
	struct links links;
	double ms;

	links_of(judge, &links);
	if (links.links >= LINKS_LEAST) {
		ms = (double) links.time_ms / (double) links.links;
		proof_value(judge, ms / 1000, "s", EVIDENCE_INFERRED, (wall_t){ 0 },
			"mean time to connect, %llu times in %d days",
			(unsigned long long) links.links, LINK_DAYS);
	} else {
		struct tally_spread spread = tally_times(&judge->lock->radio.tally);
		if (spread.n < LINKS_LEAST) {
			return CHECK_UNKNOWN;
		}
		ms = (double) spread.median;
		proof_value(judge, ms / 1000, "s", EVIDENCE_INFERRED, (wall_t){ 0 },
			"median time to connect since the hub was started");
	}
	if (ms < LINK_SLOW_MS) {
		return CHECK_OK;
	}
	accuse(judge, FAULT_LINKS_SLOW, confidence(ms - LINK_SLOW_MS, LINK_SLOW_MS, 75, 92));
	return CHECK_BAD;
}

static enum check_result check_drops(struct judge *judge) {
	uint64_t lost = days_sum(judge, LINK_DAYS, DAY_ENDS_LOST);
	uint64_t unknown = days_sum(judge, LINK_DAYS, DAY_ENDS_UNKNOWN);
	uint64_t others =
		days_sum(judge, LINK_DAYS, DAY_ENDS_US) + days_sum(judge, LINK_DAYS, DAY_ENDS_LOCK);
	uint64_t all = lost + unknown + others;

	if (all < LINKS_LEAST) {
		const struct tally *tally = &judge->lock->radio.tally;
		lost = tally->ends[TALLY_END_LOST];
		unknown = 0;
		all = lost + tally->ends[TALLY_END_US] + tally->ends[TALLY_END_LOCK];
		if (all < LINKS_LEAST) {
			return CHECK_UNKNOWN;
		}
	}
	/* What nobody gave a reason for (BlueZ before 5.83) is as often the lock hanging up. */
	double share = 100.0 * ((double) lost + (double) unknown / 2) / (double) all;
	proof_value(judge, share, "%", EVIDENCE_INFERRED, (wall_t){ 0 },
		"of %llu connections broke off", (unsigned long long) all);
	if (lost > 0) {
		proof_value(judge, (double) lost, "", EVIDENCE_INFERRED, (wall_t){ 0 },
			"of them by silence (supervision timeout)");
	}
	if (share < DROPS_PERCENT || lost + unknown < DROPS_LEAST) {
		return CHECK_OK;
	}
	accuse(judge, FAULT_LINKS_DROPPING,
		confidence((double) (lost + unknown - DROPS_LEAST), 20, 70, 92));
	return CHECK_BAD;
}

static const struct {
	enum day_key attempts, failures;
	const char *when;
} quarters[] = {
	{ DAY_NIGHT_ATTEMPTS, DAY_NIGHT_FAILURES, "at night (0 to 6 h)" },
	{ DAY_MORNING_ATTEMPTS, DAY_MORNING_FAILURES, "in the morning (6 to 12 h)" },
	{ DAY_NOON_ATTEMPTS, DAY_NOON_FAILURES, "in the afternoon (12 to 18 h)" },
	{ DAY_EVENING_ATTEMPTS, DAY_EVENING_FAILURES, "in the evening (18 to 24 h)" },
};

static enum check_result check_interference(struct judge *judge) {
	uint64_t attempts[ARRAY_SIZE(quarters)];
	uint64_t failures[ARRAY_SIZE(quarters)];
	uint64_t all_attempts = 0;
	uint64_t all_failures = 0;
	enum check_result result = CHECK_UNKNOWN;

	for (size_t i = 0; i < ARRAY_SIZE(quarters); i++) {
		attempts[i] = days_sum(judge, QUARTER_DAYS, quarters[i].attempts);
		failures[i] = days_sum(judge, QUARTER_DAYS, quarters[i].failures);
		all_attempts += attempts[i];
		all_failures += failures[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(quarters); i++) {
		uint64_t rest = all_attempts - attempts[i];
		if (attempts[i] < QUARTER_ATTEMPTS_LEAST || rest < QUARTER_REST_LEAST) {
			continue;
		}
		double here = 100.0 * (double) failures[i] / (double) attempts[i];
		double there = 100.0 * (double) (all_failures - failures[i]) / (double) rest;
		result = result == CHECK_UNKNOWN ? CHECK_OK : result;
		if (failures[i] >= QUARTER_FAILURES_LEAST && here >= QUARTER_BAD_PERCENT &&
			there < QUARTER_REST_PERCENT && here >= QUARTER_RATIO * there) {
			proof_value(judge, here, "%", EVIDENCE_INFERRED, (wall_t){ 0 },
				"of %llu attempts fail %s", (unsigned long long) attempts[i],
				quarters[i].when);
			proof_value(judge, there, "%", EVIDENCE_INFERRED, (wall_t){ 0 },
				"of %llu at other times", (unsigned long long) rest);
			accuse(judge, FAULT_RADIO_INTERFERENCE,
				confidence((double) (attempts[i] - QUARTER_ATTEMPTS_LEAST), 40, 72,
					90));
			result = CHECK_BAD;
		}
	}
	return result;
}

static enum check_result check_answers(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	uint64_t silences = days_sum_since(
		judge, SILENCES_DAYS, DAY_SILENCES, remedied_at(judge, FAULT_LOCK_SILENT));
	static const enum fault_code faults[] = { FAULT_GATT_MISMATCH, FAULT_LOCK_SILENT,
		FAULT_PROTOCOL_ERROR, FAULT_LOCK_ERROR };

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		if (is_told(judge, faults[i])) {
			accuse(judge, faults[i],
				faults[i] == FAULT_LOCK_SILENT
					? confidence((double) silences, SILENCES_LEAST, 80, 93)
					: 90);
			return CHECK_BAD;
		}
	}
	if (silences >= SILENCES_LEAST && !was_answered(judge)) {
		proof_value(judge, (double) silences, "", EVIDENCE_INFERRED, (wall_t){ 0 },
			"questions without an answer within %d days", SILENCES_DAYS);
		accuse(judge, FAULT_LOCK_SILENT,
			confidence((double) (silences - SILENCES_LEAST), 10, 65, 88));
		return CHECK_BAD;
	}
	for (size_t i = 0; i < lock->n_probes; i++) {
		if (lock->probes[i].is_done) {
			proof_value(judge, (double) lock->probes[i].took_ms / 1000, "s",
				EVIDENCE_ANSWERED, (wall_t){ 0 }, "until it answered to %s",
				act_name(lock->probes[i].act));
		}
	}
	if (was_answered(judge)) {
		return CHECK_OK;
	}
	return lock->n_probes == 0 && lock->status.bolt_known.how == EVIDENCE_ANSWERED
		       ? CHECK_OK
		       : CHECK_UNKNOWN;
}

/* clang-format off */
const struct check connection_checks[] = {
	{ "heard", "The lock is heard", TOPIC_CONNECTION, .is_of_lock = true, .is_vital = true, .after = { "adapter" }, .run = check_heard },
	{ "signal", "How strongly the lock is heard", TOPIC_CONNECTION, .is_of_lock = true, .run = check_signal },
	{ "connects", "The lock takes a connection", TOPIC_CONNECTION, .is_of_lock = true, .after = { "adapter", "heard" }, .run = check_connects },
	{ "answers", "The lock answers", TOPIC_CONNECTION, .is_of_lock = true, .is_vital = true, .after = { "adapter", "heard", "connects" }, .run = check_answers },
	{ "link-success", "Attempts to connect that succeed", TOPIC_CONNECTION, .is_of_lock = true, .run = check_link_success },
	{ "link-time", "Time until a connection stands", TOPIC_CONNECTION, .is_of_lock = true, .run = check_link_time },
	{ "drops", "Connections that break off", TOPIC_CONNECTION, .is_of_lock = true, .run = check_drops },
	{ "interference", "Failures by the time of the day", TOPIC_CONNECTION, .is_of_lock = true, .run = check_interference },
	{ .name = NULL },
};
/* clang-format on */
