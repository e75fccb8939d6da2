/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether the lock is the one that was paired, and set up as it must be. */

#include "judge.h"

#include <stdlib.h>

/* core/facts.c sets clocks beyond it. */
#define CLOCK_WRONG_S 60
/* Before it no lock of today was made: the clock began anew. 2018-01-01. */
#define CLOCK_BORN_S INT64_C(1514764800)
/* More than a wrong zone and a summer time could make. */
#define CLOCK_LOST_S (INT64_C(36) * 3600)
#define LOG_GAP_DAYS 30

/* Acts that ask for the security PIN where a lock has one. */
static bool wants_pin(const struct lock_facts *lock) {
	return (lock->acts & (1U << ACT_VERIFY_PIN)) != 0;
}

static enum check_result check_identity(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	const struct version_facts *versions = &lock->status.versions;

	if (is_told(judge, FAULT_WRONG_LOCK)) {
		accuse(judge, FAULT_WRONG_LOCK, SURE);
		return CHECK_BAD;
	}
	if (is_told(judge, FAULT_NOT_AUTHORIZED)) {
		accuse(judge, FAULT_NOT_AUTHORIZED, SURE);
		if (versions->serial[0] != '\0') {
			bool is_alarmed = false;
			for (size_t i = 0; i < lock->n_events; i++) {
				is_alarmed |= lock->events[i].kind == EVENT_ALARM &&
					      lock->events[i].alarm == ALARM_FACTORY_RESET;
			}
			proof(judge, EVIDENCE_STORED, lock->status.versions_known.wall,
				"its serial number is that of the paired one");
			if (is_alarmed) {
				proof(judge, EVIDENCE_LOGGED, (wall_t){ 0 },
					"the lock reported a factory reset");
			}
			accuse(judge, FAULT_LOCK_RESET, is_alarmed ? SURE : 80);
		}
		return CHECK_BAD;
	}
	static const enum fault_code others[] = { FAULT_KEY_DISABLED, FAULT_REMOTE_NOT_ALLOWED,
		FAULT_TIME_NOT_ALLOWED };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (is_told(judge, others[i])) {
			accuse(judge, others[i], SURE);
			return CHECK_BAD;
		}
	}
	for (size_t i = 0; i < lock->n_probes; i++) {
		if (lock->probes[i].is_done) {
			proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 },
				"it answered with the key of the pairing");
			return CHECK_OK;
		}
	}
	return lock->status.bolt_known.how == EVIDENCE_ANSWERED ? CHECK_OK : CHECK_UNKNOWN;
}

static enum check_result check_calibration(struct judge *judge) {
	const struct lock_status *status = &judge->lock->status;
	enum check_result result = CHECK_UNKNOWN;

	if (status->actuator_known.how != EVIDENCE_NONE) {
		proof(judge, status->actuator_known.how, status->actuator_known.wall,
			"the lock is %s",
			status->actuator.is_calibrated ? "calibrated" : "not calibrated");
		result = status->actuator.is_calibrated ? CHECK_OK : CHECK_BAD;
	}
	if (result != CHECK_OK && is_told(judge, FAULT_NOT_CALIBRATED)) {
		result = CHECK_BAD;
	}
	if (is_told(judge, FAULT_MOTOR_LIMIT)) {
		accuse(judge, FAULT_MOTOR_LIMIT, 90);
		result = CHECK_BAD;
	}
	if (result == CHECK_BAD && !is_accused(judge, FAULT_MOTOR_LIMIT)) {
		accuse(judge, FAULT_NOT_CALIBRATED, SURE);
	}
	return result;
}

static enum check_result check_clock(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	const struct clock_facts *clock = &lock->status.clock;
	int64_t drift = clock->lock_time.s - clock->hub_time.s;

	if (lock->status.clock_known.how == EVIDENCE_NONE || !clock->is_hub_trusted) {
		if (is_told(judge, FAULT_CLOCK_WRONG) && judge->hub->is_clock_trusted == FLAG_YES) {
			accuse(judge, FAULT_CLOCK_WRONG, 85);
			return CHECK_BAD;
		}
		return CHECK_UNKNOWN;
	}
	proof_value(judge, (double) drift, "s", lock->status.clock_known.how,
		lock->status.clock_known.wall, "lock's clock less the hub's");
	if (clock->lock_time.s < CLOCK_BORN_S || llabs(drift) > CLOCK_LOST_S) {
		accuse(judge, FAULT_CLOCK_LOST, clock->lock_time.s < CLOCK_BORN_S ? SURE : 85);
		return CHECK_BAD;
	}
	if (llabs(drift) > CLOCK_WRONG_S) {
		accuse(judge, FAULT_CLOCK_WRONG, SURE);
		return CHECK_BAD;
	}
	return CHECK_OK;
}

static enum check_result check_zone(struct judge *judge) {
	const struct lock_status *status = &judge->lock->status;
	int hub = judge->hub->zone_offset_minutes;

	if (status->clock_known.how == EVIDENCE_NONE || hub == ZONE_OFFSET_UNKNOWN) {
		return CHECK_UNKNOWN;
	}
	proof_value(judge, status->clock.offset_minutes, "min", status->clock_known.how,
		status->clock_known.wall, "the lock's time zone, east of UTC");
	proof_value(judge, hub, "min", EVIDENCE_ANSWERED, (wall_t){ 0 },
		"the hub's time zone, east of UTC");
	if (status->clock.offset_minutes != hub) {
		accuse(judge, FAULT_ZONE_WRONG, 80);
		return CHECK_BAD;
	}
	return CHECK_OK;
}

static enum check_result check_pin(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	static const enum fault_code faults[] = { FAULT_BAD_PIN, FAULT_PIN_BLOCKED };
	bool is_bad = false;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		if (is_told(judge, faults[i])) {
			accuse(judge, faults[i], SURE);
			is_bad = true;
		}
	}
	if (is_bad) {
		return CHECK_BAD;
	}
	if (!wants_pin(lock)) {
		return lock->acts != 0 ? CHECK_SKIPPED : CHECK_UNKNOWN;
	}
	if (!lock->has_pin) {
		proof(judge, EVIDENCE_STORED, (wall_t){ 0 }, "the hub was given no security PIN");
		accuse(judge, FAULT_PIN_REQUIRED, SURE);
		return CHECK_BAD;
	}
	return CHECK_OK;
}

static enum check_result check_lock_log(struct judge *judge) {
	const struct lock_status *status = &judge->lock->status;

	if (status->config_known.how == EVIDENCE_NONE) {
		return CHECK_UNKNOWN;
	}
	if ((judge->lock->acts & (1U << ACT_READ_LOG)) == 0) {
		return CHECK_SKIPPED;
	}
	proof(judge, status->config_known.how, status->config_known.wall, "its log is switched %s",
		status->config.is_log_enabled ? "on" : "off");
	if (!status->config.is_log_enabled) {
		accuse(judge, FAULT_LOG_DISABLED, SURE);
		return CHECK_BAD;
	}
	return CHECK_OK;
}

static enum check_result check_log_gap(struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	int64_t n_lost = 0;
	unsigned n = 0;
	wall_t newest = { 0 };
	wall_t read_at = remedied_at(judge, FAULT_LOG_GAP);

	for (size_t i = 0; i < lock->n_events; i++) {
		const struct event *event = &lock->events[i];
		if (event->kind == EVENT_LOG_GAP && event->time.s > read_at.s &&
			judge->now.s - event->time.s <= INT64_C(86400) * LOG_GAP_DAYS) {
			n++;
			n_lost += event->number > 0 ? event->number : 0;
			newest = newest.s == 0 ? event->time : newest;
		}
	}
	if (n > 0) {
		proof_value(judge, (double) n_lost, "", EVIDENCE_LOGGED, newest,
			"entries lost in %u gap%s within %d days", n, n > 1 ? "s" : "",
			LOG_GAP_DAYS);
		accuse(judge, FAULT_LOG_GAP, SURE);
		return CHECK_BAD;
	}
	return lock->n_events > 0 ? CHECK_OK : CHECK_UNKNOWN;
}

/* clang-format off */
const struct check setup_checks[] = {
	{ "identity", "It is the paired lock, and takes the hub's key", TOPIC_SETUP, .is_of_lock = true, .run = check_identity },
	{ "calibration", "The lock is calibrated", TOPIC_SETUP, .is_of_lock = true, .run = check_calibration },
	{ "clock", "The lock's clock", TOPIC_SETUP, .is_of_lock = true, .run = check_clock },
	{ "zone", "The lock's time zone", TOPIC_SETUP, .is_of_lock = true, .after = { "clock" }, .run = check_zone },
	{ "pin", "The hub knows the security PIN", TOPIC_SETUP, .is_of_lock = true, .run = check_pin },
	{ "lock-log", "The lock keeps a log", TOPIC_SETUP, .is_of_lock = true, .run = check_lock_log },
	{ "log-gap", "The log came over whole", TOPIC_SETUP, .is_of_lock = true, .run = check_log_gap },
	{ .name = NULL },
};
/* clang-format on */
