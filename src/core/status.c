/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/evidence.h"

#include <limits.h>
#include <string.h>

void lock_status_init(struct lock_status *status) {
	*status = (struct lock_status){
		.bolt = { .state = LOCK_STATE_UNKNOWN },
		.previous_state = LOCK_STATE_UNKNOWN,
		.door = DOOR_STATE_UNKNOWN,
		.battery = { .level = BATTERY_UNKNOWN, .percent = -1 },
		.report = { -1, -1, -1, -1, -1, -1, INT16_MIN },
		.accessories = { BATTERY_UNKNOWN, BATTERY_UNKNOWN },
		.config = { .auto_lock_s = -1 },
	};
}

/* Whether knowledge of kind @how may replace what is known: what is stored never replaces anything.
 */
static bool may_replace(const struct known *known, enum evidence_how how) {
	return how != EVIDENCE_STORED || known->how == EVIDENCE_NONE;
}

static bool bolt_differs(const struct bolt_facts *a, const struct bolt_facts *b) {
	return a->state != b->state || a->motion != b->motion || a->is_jammed != b->is_jammed;
}

static bool battery_differs(const struct battery_facts *a, const struct battery_facts *b) {
	return a->level != b->level || a->percent != b->percent || a->is_charging != b->is_charging;
}

static bool versions_differ(const struct version_facts *a, const struct version_facts *b) {
	return strcmp(a->firmware, b->firmware) != 0 || strcmp(a->hardware, b->hardware) != 0 ||
	       strcmp(a->serial, b->serial) != 0 || strcmp(a->model, b->model) != 0;
}

static bool config_differs(const struct config_facts *a, const struct config_facts *b) {
	return a->version != b->version || a->has_keypad != b->has_keypad ||
	       a->has_door_sensor != b->has_door_sensor ||
	       a->is_pairing_enabled != b->is_pairing_enabled ||
	       a->is_log_enabled != b->is_log_enabled || a->auto_lock_s != b->auto_lock_s ||
	       strcmp(a->lock_name, b->lock_name) != 0;
}

/* What a driver did not learn this time (empty text) stays as it was. */
static void merge_versions(struct version_facts *into, const struct version_facts *from) {
	if (from->firmware[0] != '\0') {
		memcpy(into->firmware, from->firmware, sizeof(into->firmware));
	}
	if (from->hardware[0] != '\0') {
		memcpy(into->hardware, from->hardware, sizeof(into->hardware));
	}
	if (from->serial[0] != '\0') {
		memcpy(into->serial, from->serial, sizeof(into->serial));
	}
	if (from->model[0] != '\0') {
		memcpy(into->model, from->model, sizeof(into->model));
	}
}

static unsigned fold_bolt(
	struct lock_status *status, const struct evidence *evidence, const struct known *known) {
	unsigned changed = 0;

	if (evidence->how == EVIDENCE_STORED) {
		status->previous_state = evidence->bolt.state;
		status->previous_at = known->wall;
		return 0;
	}
	if (bolt_differs(&status->bolt, &evidence->bolt) ||
		status->bolt_known.how == EVIDENCE_NONE) {
		changed = FACT_BOLT;
	}
	status->bolt = evidence->bolt;
	status->bolt_known = *known;
	return changed;
}

static unsigned fold_power(
	struct lock_status *status, const struct evidence *evidence, const struct known *known) {
	unsigned changed = 0;

	if ((evidence->has & FACT_BATTERY) != 0 &&
		may_replace(&status->battery_known, known->how)) {
		if (battery_differs(&status->battery, &evidence->battery) ||
			status->battery_known.how == EVIDENCE_NONE) {
			changed |= FACT_BATTERY;
		}
		status->battery = evidence->battery;
		status->battery_known = *known;
	}
	if ((evidence->has & FACT_BATTERY_REPORT) != 0) {
		status->report = evidence->report;
		status->report_known = *known;
		changed |= FACT_BATTERY_REPORT;
	}
	if ((evidence->has & FACT_ACCESSORIES) != 0) {
		if (status->accessories.keypad != evidence->accessories.keypad ||
			status->accessories.door_sensor != evidence->accessories.door_sensor) {
			changed |= FACT_ACCESSORIES;
		}
		status->accessories = evidence->accessories;
		status->accessories_known = *known;
	}
	return changed;
}

static unsigned fold_identity(
	struct lock_status *status, const struct evidence *evidence, const struct known *known) {
	unsigned changed = 0;

	if ((evidence->has & FACT_VERSIONS) != 0 &&
		may_replace(&status->versions_known, known->how)) {
		struct version_facts before = status->versions;

		merge_versions(&status->versions, &evidence->versions);
		status->versions_known = *known;
		if (versions_differ(&before, &status->versions)) {
			changed |= FACT_VERSIONS;
		}
	}
	if ((evidence->has & FACT_CONFIG) != 0 && may_replace(&status->config_known, known->how)) {
		if (config_differs(&status->config, &evidence->config) ||
			status->config_known.how == EVIDENCE_NONE) {
			changed |= FACT_CONFIG;
		}
		status->config = evidence->config;
		status->config_known = *known;
	}
	return changed;
}

static unsigned fold_condition(
	struct lock_status *status, const struct evidence *evidence, const struct known *known) {
	unsigned changed = 0;

	if ((evidence->has & FACT_DOOR) != 0 && known->how != EVIDENCE_STORED) {
		if (status->door != evidence->door || status->door_known.how == EVIDENCE_NONE) {
			changed |= FACT_DOOR;
		}
		status->door = evidence->door;
		status->door_known = *known;
	}
	if ((evidence->has & FACT_CLOCK) != 0) {
		status->clock = evidence->clock;
		status->clock_known = *known;
		changed |= FACT_CLOCK;
	}
	if ((evidence->has & FACT_ACTUATOR) != 0) {
		if (status->actuator.is_enabled != evidence->actuator.is_enabled ||
			status->actuator.is_calibrated != evidence->actuator.is_calibrated ||
			status->actuator_known.how == EVIDENCE_NONE) {
			changed |= FACT_ACTUATOR;
		}
		status->actuator = evidence->actuator;
		status->actuator_known = *known;
	}
	if ((evidence->has & FACT_SIGNAL) != 0 && status->lock_rssi != evidence->lock_rssi) {
		status->lock_rssi = evidence->lock_rssi;
		changed |= FACT_SIGNAL;
	}
	return changed;
}

unsigned lock_status_fold(
	struct lock_status *status, const struct evidence *evidence, mono_t now, wall_t wall) {
	struct known known = { .how = evidence->how,
		.at = evidence->how == EVIDENCE_STORED ? (mono_t){ 0 } : now,
		.wall = wall };
	unsigned changed = 0;

	if ((evidence->has & FACT_BOLT) != 0) {
		changed |= fold_bolt(status, evidence, &known);
	}
	changed |= fold_power(status, evidence, &known);
	changed |= fold_identity(status, evidence, &known);
	changed |= fold_condition(status, evidence, &known);
	if (evidence->how != EVIDENCE_STORED && evidence->how != EVIDENCE_INFERRED) {
		/* Whatever came from the lock itself proves that it is there. */
		status->heard = known;
		changed |= FACT_HEARD;
		if ((evidence->has & FACT_HEARD) != 0 && evidence->rssi != 0) {
			status->rssi = evidence->rssi;
		}
	}
	return changed;
}

unsigned lock_status_doubt_bolt(struct lock_status *status) {
	if (status->bolt.state == LOCK_STATE_UNKNOWN && status->bolt.motion == LOCK_MOTION_NONE) {
		return 0;
	}
	status->previous_state = status->bolt.state;
	status->previous_at = status->bolt_known.wall;
	status->bolt = (struct bolt_facts){ .state = LOCK_STATE_UNKNOWN };
	status->bolt_known = (struct known){ .how = EVIDENCE_NONE };
	return FACT_BOLT;
}
