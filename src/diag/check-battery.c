/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Batteries: how full, how strong under load, how long still, and what empties them. */

#include "judge.h"

/* Ours: warning from 20 %, critical from 10 %, unless the lock says itself. */
#define LOW_PERCENT 20
#define CRITICAL_PERCENT 10
/* nuki.md 11, of four AA (6.0 V): "sag > 900 mV or resistance > 700 mOhm" are worn cells. */
#define SAG_MV 900
#define RESISTANCE_MOHM 700
#define RULE_VOLTS 6.0
/*
 * Cold cells are weak without being worn: data sheets of alkaline ones give some 3 % more inner
 * resistance for each degree below 21 C.
 */
#define WARM_CELSIUS 21
#define COLD_PART 0.03
#define COLD_CELSIUS 8 /* worth a word */
#define SAGS_LEAST 3
#define SAGS_MOST 8
/* Time to buy batteries, and to find an evening for it. */
#define SOON_DAYS 14
/* Twice the usual is more than a cold month. */
#define DRAIN_RATIO 2.0
/* Against the maker's figure, which knows neither these cells nor this door. */
#define DRAIN_RATIO_OF_MODEL 3.0
#define DRAIN_READINGS_LEAST 5
#define DRAIN_READINGS_ENOUGH 20
#define DRAIN_DAYS 7
/*
 * What a day costs in good order: a look every half hour at most (48 links, hub_config.poll_ms),
 * some seconds each; a family of five moves the bolt some 30 times.
 */
#define LINKS_USUAL 60
#define LINK_S_USUAL 600
#define MOVES_USUAL 30
/* So many times the usual and it is worth a finding of its own. */
#define CAUSE_RATIO 2.0

static enum check_result check_level(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	const struct battery_facts *battery = &lock->status.battery;
	const struct known *known = &lock->status.battery_known;
	int low = lock->model->warn_percent > 0 ? lock->model->warn_percent : LOW_PERCENT;
	int sure = known->how == EVIDENCE_STORED ? 85 : SURE;

	if (known->how == EVIDENCE_NONE ||
		(battery->percent < 0 && battery->level == BATTERY_UNKNOWN)) {
		return CHECK_UNKNOWN;
	}
	if (battery->percent >= 0) {
		proof_value(judge, battery->percent, "%", known->how, known->wall,
			"charge told by the lock");
	} else {
		proof(judge, known->how, known->wall, "the lock calls its batteries %s",
			battery_level_name(battery->level));
	}
	if (battery->is_charging) {
		proof(judge, known->how, known->wall, "they are being charged");
		return CHECK_OK;
	}
	if (battery->level == BATTERY_CRITICAL ||
		(battery->percent >= 0 && battery->percent <= CRITICAL_PERCENT)) {
		accuse(judge, FAULT_BATTERY_CRITICAL, sure);
		return CHECK_BAD;
	}
	if (battery->level == BATTERY_WARNING ||
		(battery->percent >= 0 && battery->percent <= low)) {
		accuse(judge, FAULT_BATTERY_LOW, sure);
		return CHECK_BAD;
	}
	return CHECK_OK;
}

static double tolerance(const struct judge *judge, bool *ret_is_cold) {
	const struct lock_facts *lock = judge->lock;
	const struct sample *celsius = newest_sample(judge, SAMPLE_CELSIUS);
	double factor = lock->model->volt_full > 0 ? lock->model->volt_full / RULE_VOLTS : 1.0;
	int degrees = lock->status.report_known.how != EVIDENCE_NONE &&
				      lock->status.report.celsius != INT16_MIN
			      ? lock->status.report.celsius
		      : celsius != NULL ? celsius->value
					: INT16_MAX;

	*ret_is_cold = degrees < COLD_CELSIUS;
	return degrees < WARM_CELSIUS ? factor * (1 + COLD_PART * (WARM_CELSIUS - degrees))
				      : factor;
}

static enum check_result check_cells(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	const struct battery_report *report = &lock->status.report;
	wall_t since = batteries_since(judge);
	int32_t sags[SAGS_MOST];
	int32_t ohms[SAGS_MOST];
	size_t n = sample_values(judge, SAMPLE_BATTERY_SAG_MV, since, judge->now, sags, SAGS_MOST);
	size_t n_ohms =
		sample_values(judge, SAMPLE_BATTERY_MOHM, since, judge->now, ohms, SAGS_MOST);
	bool is_cold = false;
	double factor = tolerance(judge, &is_cold);
	bool is_reported = lock->status.report_known.how != EVIDENCE_NONE;
	double sag = -1;
	double mohm = -1;

	static const enum fault_code faults[] = { FAULT_MOTOR_LOW_VOLTAGE, FAULT_VOLTAGE_TOO_LOW };
	bool is_refused = false;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		if (is_told(judge, faults[i])) {
			accuse(judge, faults[i], SURE);
			is_refused = true;
		}
	}
	if (n > 0) {
		sag = median_of(sags, n);
		proof_value(judge, sag, "mV", EVIDENCE_ANSWERED, (wall_t){ 0 },
			"fall of the voltage while the motor runs, median of %zu runs", n);
	} else if (is_reported && report->millivolts_start > 0 && report->millivolts_lowest > 0) {
		sag = report->millivolts_start - report->millivolts_lowest;
		proof_value(judge, sag, "mV", EVIDENCE_ANSWERED, lock->status.report_known.wall,
			"fall of the voltage during the last run");
		n = 1;
	}
	if (n_ohms > 0) {
		mohm = median_of(ohms, n_ohms);
		proof_value(judge, mohm, "mOhm", EVIDENCE_ANSWERED, (wall_t){ 0 },
			"inner resistance of the batteries, median of %zu", n_ohms);
	} else if (is_reported && report->milliohms > 0) {
		mohm = report->milliohms;
		proof_value(judge, mohm, "mOhm", EVIDENCE_ANSWERED, lock->status.report_known.wall,
			"inner resistance of the batteries");
	}
	if (is_cold) {
		proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "it is cold: cells are weaker then");
	}
	bool is_weak = sag > SAG_MV * factor || mohm > RESISTANCE_MOHM * factor;
	if (is_weak) {
		int most = is_cold ? 80 : 93;
		accuse(judge, FAULT_CELLS_WEAK,
			n >= SAGS_LEAST ? confidence((double) n - SAGS_LEAST,
						  SAGS_MOST - SAGS_LEAST, 78, most)
					: 70);
	}
	if (is_weak || is_refused) {
		return CHECK_BAD;
	}
	return sag < 0 && mohm < 0 ? CHECK_UNKNOWN : CHECK_OK;
}

static enum check_result check_forecast(struct judge *judge) {
	const struct forecast *forecast = &judge->lock->forecast;

	if (!forecast->is_known) {
		if (forecast->reason != NULL && forecast->reason[0] != '\0') {
			proof(judge, EVIDENCE_INFERRED, (wall_t){ 0 }, "no forecast: %s",
				forecast->reason);
		}
		return CHECK_UNKNOWN;
	}
	proof_value(judge, forecast->days, "days", EVIDENCE_INFERRED, (wall_t){ 0 },
		"until the batteries are empty, %.0f to %.0f, from %zu readings",
		forecast->days_least, forecast->days_most, forecast->n);
	proof_value(judge, forecast->percent_per_day, "%/day", EVIDENCE_INFERRED, (wall_t){ 0 },
		"fall of the charge");
	if (forecast->days > SOON_DAYS || forecast->percent_per_day <= 0) {
		return CHECK_OK;
	}
	/* A narrow interval is a sure forecast. */
	double width = forecast->days_most - forecast->days_least;
	accuse(judge, FAULT_BATTERY_SOON, confidence(2 * SOON_DAYS - width, 2 * SOON_DAYS, 60, 90));
	return CHECK_BAD;
}

/* What may have cost the charge: how many times the usual. */
struct cost {
	double times;
	enum fault_code fault; /* FAULT_NONE: other checks have it */
	const char *text;
	double value;
	const char *unit;
};
#define COSTS 4

/* @return how many. */
static size_t costs_of(const struct judge *judge, struct cost ret[static COSTS]) {
	const struct lock_facts *lock = judge->lock;
	int64_t first = judge->now.s / 86400 - DRAIN_DAYS + 1;
	unsigned n_days = 0;

	for (size_t i = 0; i < lock->history.n_days; i++) {
		n_days += lock->history.days[i].day >= first;
	}
	if (n_days == 0) {
		return 0;
	}
	double links = (double) days_sum(judge, DRAIN_DAYS, DAY_LINKS) / n_days;
	double link_s = (double) days_sum(judge, DRAIN_DAYS, DAY_LINK_S) / n_days;
	double moves = (double) days_sum(judge, DRAIN_DAYS, DAY_MOVES) / n_days;
	double failures = (double) (days_sum(judge, DRAIN_DAYS, DAY_FAILURES) +
				    days_sum(judge, DRAIN_DAYS, DAY_ENDS_LOST)) /
			  n_days;
	double jams = (double) (days_sum(judge, DRAIN_DAYS, DAY_JAMS_LOCK) +
				days_sum(judge, DRAIN_DAYS, DAY_JAMS_UNLOCK)) /
		      n_days;
	double of_links = links / LINKS_USUAL;
	double of_time = link_s / LINK_S_USUAL;
	size_t n = 0;

	ret[n++] = of_links > of_time ? (struct cost){ of_links, FAULT_LINKS_MANY,
		"connections a day", links, "" }
				      : (struct cost){ of_time, FAULT_LINKS_MANY, "connected a day",
						link_s, "s" };
	ret[n++] = (struct cost){ moves / MOVES_USUAL, FAULT_USED_OFTEN, "motor runs a day", moves,
		"" };
	/* An attempt that fails costs a search of many seconds: four ordinary links. */
	ret[n++] = (struct cost){ failures * 4 / LINKS_USUAL, FAULT_NONE,
		"failed or lost connections a day", failures, "" };
	/* A motor that blocks draws several times the current until it gives up. */
	ret[n++] = (struct cost){ jams * 5 / MOVES_USUAL, FAULT_NONE, "jams a day", jams, "" };
	return n;
}

static double moves_per_day(const struct judge *judge) {
	const struct history *history = &judge->lock->history;
	int64_t first = judge->now.s / 86400 - DRAIN_DAYS + 1;
	unsigned n_days = 0;

	for (size_t i = 0; i < history->n_days; i++) {
		n_days += history->days[i].day >= first;
	}
	return n_days > 0 ? (double) days_sum(judge, DRAIN_DAYS, DAY_MOVES) / n_days : 0;
}

static enum check_result check_drain(struct judge *judge) {
	const struct forecast *forecast = &judge->lock->forecast;
	struct cost costs[COSTS];
	double all = 0;

	if (!forecast->is_known || forecast->normal_per_day <= 0 ||
		forecast->n < DRAIN_READINGS_LEAST) {
		return CHECK_UNKNOWN;
	}
	/* What the maker reckons with is few runs: those of this lock are no fault. */
	double runs = forecast->is_normal_of_model && forecast->percent_per_move > 0
			      ? forecast->percent_per_move * moves_per_day(judge)
			      : 0;
	double ratio = (forecast->percent_per_day - runs) / forecast->normal_per_day;
	proof_value(judge, ratio, "times", EVIDENCE_INFERRED, (wall_t){ 0 },
		"the usual fall of the charge (%.2f instead of %.2f %% a day)",
		forecast->percent_per_day, forecast->normal_per_day);
	if (runs > 0) {
		proof_value(judge, runs, "%/day", EVIDENCE_INFERRED, (wall_t){ 0 },
			"of it for the runs of the motor");
	}
	if (ratio < (forecast->is_normal_of_model ? DRAIN_RATIO_OF_MODEL : DRAIN_RATIO)) {
		return CHECK_OK;
	}
	accuse(judge, FAULT_BATTERY_DRAIN,
		confidence((double) (forecast->n - DRAIN_READINGS_LEAST), DRAIN_READINGS_ENOUGH,
			forecast->is_normal_of_model ? 50 : 70,
			forecast->is_normal_of_model ? 65 : 90));

	size_t n = costs_of(judge, costs);
	for (size_t i = 0; i < n; i++) {
		all += costs[i].times;
	}
	for (size_t i = 0; i < n && all > 0; i++) {
		int weight = (int) (100 * costs[i].times / all + 0.5);
		if (costs[i].times >= 0.5) {
			proof_value(judge, costs[i].value, costs[i].unit, EVIDENCE_INFERRED,
				(wall_t){ 0 }, "%s: %d %% of what may explain it", costs[i].text,
				weight);
		}
		if (costs[i].fault != FAULT_NONE && costs[i].times >= CAUSE_RATIO) {
			accuse(judge, costs[i].fault,
				confidence(costs[i].times - CAUSE_RATIO, 4, 65, 90));
		}
	}
	return CHECK_BAD;
}

static enum check_result check_accessory(
	struct judge *judge, enum battery_level level, enum fault_code fault, const char *what) {
	const struct known *known = &judge->lock->status.accessories_known;

	if (known->how == EVIDENCE_NONE) {
		return CHECK_UNKNOWN;
	}
	if (level == BATTERY_UNKNOWN) {
		return CHECK_SKIPPED; /* there is none, or it does not say */
	}
	proof(judge, known->how, known->wall, "the battery of the %s is %s", what,
		battery_level_name(level));
	if (level == BATTERY_OK) {
		return CHECK_OK;
	}
	accuse(judge, fault, SURE);
	return CHECK_BAD;
}

static enum check_result check_keypad(struct judge *judge) {
	return check_accessory(
		judge, judge->lock->status.accessories.keypad, FAULT_KEYPAD_BATTERY_LOW, "keypad");
}

static enum check_result check_door_sensor(struct judge *judge) {
	return check_accessory(judge, judge->lock->status.accessories.door_sensor,
		FAULT_DOOR_SENSOR_BATTERY_LOW, "door sensor");
}

static enum check_result check_lockout(struct judge *judge) {
	static const enum fault_code ending[] = { FAULT_LOCK_DEAD, FAULT_BATTERY_CRITICAL,
		FAULT_BATTERY_LOW, FAULT_CELLS_WEAK, FAULT_BATTERY_SOON };

	switch (judge->lock->model->has_mechanical_key) {
	case FLAG_UNKNOWN:
		return CHECK_UNKNOWN;
	case FLAG_YES:
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "a mechanical key opens it");
		return CHECK_OK;
	case FLAG_NO:
		break;
	}
	proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "this model has no mechanical key");
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++) {
		if (is_accused(judge, ending[i])) {
			proof(judge, EVIDENCE_INFERRED, (wall_t){ 0 }, "%s",
				fault_row(ending[i])->summary);
			accuse(judge, FAULT_LOCKOUT_RISK, 85);
			return CHECK_BAD;
		}
	}
	return CHECK_OK;
}

/* clang-format off */
const struct check battery_checks[] = {
	{ "battery-level", "Charge of the batteries", TOPIC_BATTERY, .is_of_lock = true, .run = check_level },
	{ "cells", "Strength of the batteries under load", TOPIC_BATTERY, .is_of_lock = true, .run = check_cells },
	{ "forecast", "How long the batteries will last", TOPIC_BATTERY, .is_of_lock = true, .run = check_forecast },
	{ "drain", "How fast the batteries empty", TOPIC_BATTERY, .is_of_lock = true, .run = check_drain },
	{ "keypad-battery", "Battery of the keypad", TOPIC_BATTERY, .is_of_lock = true, .run = check_keypad },
	{ "door-sensor-battery", "Battery of the door sensor", TOPIC_BATTERY, .is_of_lock = true, .run = check_door_sensor },
	{ "lockout", "A way in without electricity", TOPIC_BATTERY, .is_of_lock = true, .run = check_lockout },
	{ .name = NULL },
};
/* clang-format on */
