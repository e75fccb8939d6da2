/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "payload.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "util/auto.h"
#include "util/text.h"

/* Home Assistant refuses a longer state. */
#define STATE_TEXT_MAX 255

static const char *const unknown = "None";

static const char *word_of_act(enum act act, bool is_old_ha) {
	switch (act) {
	case ACT_LOCK:
		return "LOCKING";
	case ACT_UNLOCK:
	case ACT_LOCK_N_GO:
		return "UNLOCKING";
	case ACT_UNLATCH:
	case ACT_LOCK_N_GO_UNLATCH:
		return is_old_ha ? "UNLOCKING" : "OPENING";
	case ACT_NONE:
	case ACT_CALIBRATE:
	case ACT_PAIR:
	case ACT_UNPAIR:
	case ACT_READ_STATE:
	case ACT_READ_CONFIG:
	case ACT_READ_BATTERY:
	case ACT_READ_LOG:
	case ACT_SET_TIME:
	case ACT_VERIFY_PIN:
	case ACT_REBOOT:
	case ACT_READ_USERS:
	case ACT_PUT_CREDENTIAL:
	case ACT_REMOVE_CREDENTIAL:
	case ACT_READ_TIMERS:
	case ACT_PUT_TIMER:
	case ACT_REMOVE_TIMER:
	case ACT_READ_SETTINGS:
	case ACT_PUT_SETTING:
	case ACT_COUNT_:
		break;
	}
	return NULL;
}

static const char *word_of_motion(enum lock_motion motion, bool is_old_ha) {
	switch (motion) {
	case LOCK_MOTION_LOCKING:
		return "LOCKING";
	case LOCK_MOTION_UNLOCKING:
		return "UNLOCKING";
	case LOCK_MOTION_UNLATCHING:
		return is_old_ha ? "UNLOCKING" : "OPENING";
	case LOCK_MOTION_NONE:
	case LOCK_MOTION_CALIBRATING:
		break;
	}
	return NULL;
}

static const char *word_of_state(enum lock_state state, bool is_old_ha) {
	switch (state) {
	case LOCK_STATE_LOCKED:
		return "LOCKED";
	case LOCK_STATE_NOT_FULLY_LOCKED: /* not a locked door */
	case LOCK_STATE_UNLOCKED:
		return "UNLOCKED";
	case LOCK_STATE_UNLATCHED:
		return is_old_ha ? "UNLOCKED" : "OPEN";
	case LOCK_STATE_UNKNOWN:
		break;
	}
	return unknown;
}

static enum lock_state goal_of(enum act act) {
	return act == ACT_LOCK      ? LOCK_STATE_LOCKED
	       : act == ACT_UNLOCK  ? LOCK_STATE_UNLOCKED
	       : act == ACT_UNLATCH ? LOCK_STATE_UNLATCHED
				    : LOCK_STATE_UNKNOWN;
}

const char *payload_state(const struct view *view, bool is_old_ha) {
	const struct bolt_facts *bolt = &view->status.bolt;
	bool is_known = view->status.bolt_known.how != EVIDENCE_NONE &&
			view->status.bolt_known.how != EVIDENCE_STORED;
	const char *moving = word_of_act(view->moving, is_old_ha);

	if (is_known && bolt->motion != LOCK_MOTION_NONE) {
		const char *word = word_of_motion(bolt->motion, is_old_ha);
		return word != NULL ? word : unknown; /* calibrating: anywhere */
	}
	/* Already where it was asked to go: evidence counts more than the wish. */
	if (moving != NULL &&
		!(is_known && !bolt->is_jammed && bolt->state == goal_of(view->moving))) {
		return moving;
	}
	if (!is_known) {
		return unknown;
	}
	return bolt->is_jammed ? "JAMMED" : word_of_state(bolt->state, is_old_ha);
}

bool payload_state_is_clearable(const char *word) {
	return strcmp(word, "LOCKED") == 0 || strcmp(word, "UNLOCKED") == 0;
}

static const char *on_off(bool is_on) {
	return is_on ? "ON" : "OFF";
}

static const char *door_word(enum door_state door) {
	switch (door) {
	case DOOR_STATE_OPEN:
	case DOOR_STATE_FORCED_OPEN:
	case DOOR_STATE_AJAR:
		return "ON";
	case DOOR_STATE_CLOSED:
		return "OFF";
	case DOOR_STATE_JAMMED:
	case DOOR_STATE_ERROR:
	case DOOR_STATE_UNKNOWN:
		break;
	}
	return unknown;
}

static const char *low_word(enum battery_level level) {
	switch (level) {
	case BATTERY_OK:
		return "OFF";
	case BATTERY_WARNING:
	case BATTERY_CRITICAL:
		return "ON";
	case BATTERY_UNKNOWN:
		break;
	}
	return unknown;
}

static const struct {
	enum fault_code code;
	const char *word;
} fault_words[] = {
	{ FAULT_NONE, "none" },
	{ FAULT_JAMMED, "jammed" },
	{ FAULT_HANDLE_NOT_LIFTED, "jammed" },
	{ FAULT_CLUTCH_FAILURE, "motor" },
	{ FAULT_MOTOR_TIMEOUT, "motor" },
	{ FAULT_MOTOR_LIMIT, "motor" },
	{ FAULT_MOTOR_LOW_VOLTAGE, "battery" },
	{ FAULT_MOTOR_POWER, "motor" },
	{ FAULT_CLUTCH_POWER, "motor" },
	{ FAULT_VOLTAGE_TOO_LOW, "battery" },
	{ FAULT_BATTERY_LOW, "battery" },
	{ FAULT_BATTERY_CRITICAL, "battery" },
	{ FAULT_NOT_CALIBRATED, "not_calibrated" },
	{ FAULT_POSITION_UNKNOWN, "not_calibrated" },
	{ FAULT_NOT_AUTHORIZED, "auth_failed" },
	{ FAULT_BAD_PIN, "auth_failed" },
	{ FAULT_PIN_BLOCKED, "auth_failed" },
	{ FAULT_PIN_REQUIRED, "auth_failed" },
	{ FAULT_WRONG_LOCK, "auth_failed" },
	{ FAULT_LOCK_NOT_HEARD, "out_of_range" },
	{ FAULT_LOCK_UNREACHABLE, "out_of_range" },
	{ FAULT_LINK_LOST, "out_of_range" },
	{ FAULT_LOCK_SILENT, "out_of_range" },
	{ FAULT_RADIO_BUSY, "hub_radio" },
	{ FAULT_LINK_STUCK, "hub_radio" },
	{ FAULT_ADAPTER_MISSING, "hub_radio" },
	{ FAULT_ADAPTER_OFF, "hub_radio" },
	{ FAULT_ADAPTER_BLOCKED, "hub_radio" },
	{ FAULT_BLUEZ_MISSING, "hub_radio" },
	{ FAULT_BLUEZ_HUNG, "hub_radio" },
	{ FAULT_BLUEZ_DENIED, "hub_radio" },
	{ FAULT_BUS_LOST, "hub_radio" },
	{ FAULT_CLOCK_WRONG, "clock" },
	{ FAULT_REVOCATION_PENDING, "codes" },
	{ FAULT_SYNC_BROKEN, "codes" },
	{ FAULT_CODES_HELD, "codes" },
};

const char *const *payload_fault_options(void) {
	static const char *const options[] = { "none", "jammed", "motor", "battery",
		"not_calibrated", "auth_failed", "out_of_range", "hub_radio", "clock", "codes",
		"other", NULL };
	return options;
}

const char *payload_fault(enum fault_code code) {
	for (size_t i = 0; i < ARRAY_SIZE(fault_words); i++) {
		if (fault_words[i].code == code) {
			return fault_words[i].word;
		}
	}
	return "other";
}

const char *payload_time(wall_t when, char out[static PAYLOAD_MAX]) {
	return when.s == 0 ? unknown : wall_to_text(when, out);
}

static void blank_user(struct event *event, bool show_users) {
	if (!show_users) {
		event->user[0] = '\0';
		event->user_ref = 0;
		/* Free text of a lock's log may hold the name too. */
		event->text[0] = '\0';
	}
}

static const char *event_text(
	const struct event *shown, bool show_users, char out[static PAYLOAD_MAX]) {
	char line[EVENT_LINE_MAX];
	struct event event = *shown;

	if (event.kind == EVENT_NONE) {
		return unknown;
	}
	blank_user(&event, show_users);
	(void) text_copy(out, STATE_TEXT_MAX + 1, event_line(&event, line));
	text_sanitize(out);
	return out;
}

/* Adds the value if there is one. Its reference is taken in any case. */
static void put(json_t *object, const char *key, json_t *value) {
	if (value != NULL) {
		(void) json_object_set_new(object, key, value);
	}
}

static json_t *text_or_none(const char *text) {
	return text[0] != '\0' ? json_string(text) : NULL;
}

static json_t *time_or_none(wall_t when) {
	char text[WALL_TEXT_MAX];
	return when.s != 0 ? json_string(wall_to_text(when, text)) : NULL;
}

static char *dump(json_t *object) {
	char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

static const char *print_number(int number, char out[static PAYLOAD_MAX]) {
	(void) snprintf(out, PAYLOAD_MAX, "%d", number);
	return out;
}

static const char *print_volts(int millivolts, char out[static PAYLOAD_MAX]) {
	if (millivolts <= 0) {
		return unknown;
	}
	(void) snprintf(out, PAYLOAD_MAX, "%d.%02d", millivolts / 1000, millivolts % 1000 / 10);
	return out;
}

/*
 * What is installed; what is the latest only as far as the model data know: to claim that it is
 * this one would be made up (L12). Without it Home Assistant shows the version and no verdict.
 */
static const char *firmware_text(const struct view *view, char out[static PAYLOAD_MAX]) {
	const char *version = view->status.versions.firmware;

	if (version[0] == '\0') {
		return NULL;
	}
	json_t *object = json_object();
	put(object, "installed_version", json_string(version));
	put(object, "latest_version", text_or_none(view->newest_firmware));
	put(object, "release_summary", text_or_none(view->firmware_reason));
	AUTO(free) char *text = dump(object);
	(void) text_copy(out, PAYLOAD_MAX, text != NULL ? text : "");
	return text != NULL ? out : NULL;
}

static bool has_finding(const struct diag_view *health, enum fault_code code) {
	for (size_t i = 0; i < health->n_faults; i++) {
		if (health->faults[i] == code) {
			return true;
		}
	}
	return false;
}

const char *payload_part(
	const struct view *view, enum part part, bool show_users, char out[static PAYLOAD_MAX]) {
	const struct lock_status *status = &view->status;

	switch (part) {
	case PART_BATTERY:
		if (status->battery.percent < 0 || status->battery.percent > 100) {
			return unknown;
		}
		return print_number(status->battery.percent, out);
	case PART_BATTERY_LOW:
		return low_word(status->battery.level);
	case PART_KEYPAD_BATTERY:
		return low_word(status->accessories.keypad);
	case PART_SENSOR_BATTERY:
		return low_word(status->accessories.door_sensor);
	case PART_DOOR:
		return door_word(status->door);
	case PART_RSSI:
		return status->rssi == 0 ? unknown : print_number(status->rssi, out);
	case PART_LAST_SEEN:
		/* Without a clock to believe the moment is not known, only that there was one. */
		return view->is_time_trusted ? payload_time(status->heard.wall, out) : unknown;
	case PART_LINK:
		return on_off(view->is_reachable);
	case PART_PROBLEM:
		return on_off(view->fault.code != FAULT_NONE ||
			      (view->has_health && view->health.first.fault != FAULT_NONE));
	case PART_BATTERY_DAYS:
		return view->health.forecast.is_known
			       ? print_number((int) view->health.forecast.days, out)
			       : unknown;
	case PART_BATTERY_CHANGED:
		return payload_time(view->health.battery_changed_at, out);
	case PART_ALIGNMENT:
		return on_off(has_finding(&view->health, FAULT_MISALIGNED) ||
			      has_finding(&view->health, FAULT_NOT_CALIBRATED));
	case PART_TAMPER:
		return on_off(has_finding(&view->health, FAULT_TAMPERED));
	case PART_LINK_SUCCESS:
		return view->health.link_percent < 0 ? unknown
						     : print_number(view->health.link_percent, out);
	case PART_FAULT:
		return payload_fault(view->fault.code);
	case PART_LAST_EVENT:
		return event_text(&view->last, show_users, out);
	case PART_LAST_OPERATION:
		return event_text(&view->operation, show_users, out);
	case PART_LAST_OPERATED:
		return view->operation.is_time_trusted ? payload_time(view->operation.time, out)
						       : unknown;
	case PART_DOOR_SENSOR:
		/* Not calibrated, taken off, tampered with: the lock does not say which. */
		return status->door == DOOR_STATE_UNKNOWN
			       ? unknown
			       : on_off(status->door == DOOR_STATE_ERROR ||
					 status->door == DOOR_STATE_JAMMED);
	case PART_BATTERY_VOLTAGE:
		return print_volts(status->report.millivolts, out);
	case PART_BATTERY_CHARGING:
		return on_off(status->battery.is_charging);
	case PART_CONNECTIONS:
		return print_number((int) view->radio.tally.connects_today, out);
	case PART_CODES:
		return view->sync.read_at.s == 0 ? unknown
						 : print_number((int) view->sync.n_present, out);
	case PART_CODES_PROBLEM:
		return on_off(view->sync.n_leaving > 0 || view->sync.n_refused > 0 ||
			      view->sync.is_broken);
	case PART_FIRMWARE:
		return firmware_text(view, out);
	case PART_LOCK:
	case PART_ACTIVITY:
	case PART_CHECK: /* buttons have no state */
	case PART_SYNC_CODES:
	case PART_RESTART:
	case PART_CALIBRATE:
	case PART_COUNT_:
		break;
	}
	return NULL;
}

char *payload_attributes(const struct view *view, bool show_users) {
	const struct lock_status *status = &view->status;
	struct event last = view->last;
	json_t *object = json_object();
	char text[FAULT_TEXT_MAX];

	blank_user(&last, show_users);
	text_sanitize(last.user);
	put(object, "lock_id", json_string(view->id));
	put(object, "slug", json_string(view->slug));
	put(object, "bolt", json_string(lock_state_name(status->bolt.state)));
	put(object, "motion", json_string(lock_motion_name(status->bolt.motion)));
	put(object, "known_by", json_string(evidence_how_name(status->bolt_known.how)));
	/* A moment and not an age: a retained age would be wrong as soon as it is published. */
	put(object, "state_at", time_or_none(status->bolt_known.wall));
	if (last.kind != EVENT_NONE) {
		put(object, "last_event", json_string(event_word(&last)));
		put(object, "last_change", time_or_none(last.time));
		if (last.operation != OPERATION_NONE) {
			put(object, "last_method", json_string(operation_source_name(last.source)));
		}
		put(object, "last_user", text_or_none(last.user));
	}
	put(object, "fault", json_string(fault_name(view->fault.code)));
	if (view->fault.code != FAULT_NONE) {
		put(object, "fault_text", json_string(fault_text(&view->fault, text)));
		put(object, "fault_hint",
			json_string(fault_hint(view->fault.code, view->slug, text)));
	}
	return dump(object);
}

static json_t *proofs(const struct finding *finding) {
	json_t *list = json_array();

	for (size_t i = 0; i < finding->n_proofs; i++) {
		const struct proof *proof = &finding->proofs[i];
		json_t *object = json_object();

		put(object, "text", json_string(proof->text));
		if (proof->has_value) {
			put(object, "value", json_real(proof->value));
			put(object, "unit", json_string(proof->unit));
		}
		put(object, "at", time_or_none(proof->at));
		(void) json_array_append_new(list, object);
	}
	return list;
}

char *payload_problem_attributes(const struct view *view) {
	const struct diag_view *health = &view->health;
	/* What stands is known at once; the judgement comes a moment later. */
	enum fault_code code =
		health->first.fault != FAULT_NONE ? health->first.fault : view->fault.code;
	json_t *object = json_object();
	char text[FAULT_TEXT_MAX];

	put(object, "verdict", text_or_none(health->verdict));
	put(object, "reason", json_string(fault_name(code)));
	if (code != FAULT_NONE) {
		put(object, "summary", json_string(fault_row(code)->summary));
		put(object, "next_step", json_string(fault_hint(code, view->slug, text)));
	}
	if (health->first.fault != FAULT_NONE) {
		put(object, "severity", json_string(severity_name(health->first.severity)));
		put(object, "confidence", json_integer(health->first.confidence));
		put(object, "proof", proofs(&health->first));
	}
	json_t *all = json_array();
	for (size_t i = 0; i < health->n_faults; i++) {
		(void) json_array_append_new(all, json_string(fault_name(health->faults[i])));
	}
	put(object, "all", all);
	return dump(object);
}

char *payload_operation_attributes(const struct view *view, bool show_users) {
	struct event operation = view->operation;
	json_t *object = json_object();

	blank_user(&operation, show_users);
	text_sanitize(operation.user);
	if (operation.kind != EVENT_NONE) {
		put(object, "event_type", json_string(event_word(&operation)));
		put(object, "operation", json_string(operation_type_name(operation.operation)));
		put(object, "user", text_or_none(operation.user));
		put(object, "method", json_string(operation_source_name(operation.source)));
		put(object, "known_by", json_string(attribution_name(operation.attribution)));
		put(object, "time",
			operation.is_time_trusted ? time_or_none(operation.time) : NULL);
		put(object, "seq", json_integer(operation.seq));
	}
	return dump(object);
}

char *payload_adapter_attributes(const struct radio_stats *stats) {
	int success = radio_success_percent(stats);
	json_t *object = json_object();

	put(object, "name", text_or_none(stats->name));
	put(object, "condition", json_string(stats->state));
	put(object, "attempts", json_integer(stats->attempts));
	put(object, "connects", json_integer(stats->connects));
	put(object, "failures", json_integer(stats->failures));
	put(object, "losses", json_integer(stats->losses));
	put(object, "success_percent", success >= 0 ? json_integer(success) : json_null());
	put(object, "connects_today", json_integer(stats->tally.connects_today));
	put(object, "connects_yesterday", json_integer(stats->tally.connects_yesterday));
	return dump(object);
}

char *payload_forecast_attributes(const struct forecast *forecast) {
	json_t *object = json_object();

	put(object, "known", json_boolean(forecast->is_known));
	if (!forecast->is_known) {
		put(object, "reason",
			forecast->reason != NULL ? json_string(forecast->reason) : NULL);
		return dump(object);
	}
	put(object, "least_days", json_integer((json_int_t) forecast->days_least));
	put(object, "most_days", json_integer((json_int_t) forecast->days_most));
	put(object, "empty_on", time_or_none(forecast->until));
	/* Rounded: what changes is worth telling, what trembles is not. */
	put(object, "percent_per_week",
		json_integer((json_int_t) (forecast->percent_per_day * 7 + 0.5)));
	return dump(object);
}

char *payload_link_attributes(const struct radio_stats *stats, int rssi) {
	const struct tally *tally = &stats->tally;
	struct tally_spread times = tally_times(tally);
	int success = radio_success_percent(stats);
	json_t *object = json_object();
	json_t *ends = json_object();

	put(object, "quality", json_string(radio_quality(stats)));
	put(object, "rssi_median", rssi != 0 ? json_integer(rssi) : json_null());
	put(object, "attempts", json_integer(stats->attempts));
	put(object, "connects", json_integer(stats->connects));
	put(object, "failures", json_integer(stats->failures));
	put(object, "losses", json_integer(stats->losses));
	put(object, "success_percent", success >= 0 ? json_integer(success) : json_null());
	put(object, "to_link_ms_median", times.n > 0 ? json_integer(times.median) : json_null());
	put(object, "to_link_ms_worst", times.n > 0 ? json_integer(times.most) : json_null());
	put(object, "connects_today", json_integer(tally->connects_today));
	put(object, "connects_yesterday", json_integer(tally->connects_yesterday));
	put(object, "link_seconds_today", json_integer((json_int_t) tally->link_ms_today / 1000));
	put(object, "link_seconds_yesterday",
		json_integer((json_int_t) tally->link_ms_yesterday / 1000));
	for (unsigned i = 0; i < TALLY_END_COUNT_; i++) {
		put(ends, tally_end_name(i), json_integer(tally->ends[i]));
	}
	put(object, "ends", ends);
	return dump(object);
}

char *payload_codes_attributes(const struct sync_status *sync) {
	json_t *object = json_object();

	put(object, "present", json_integer(sync->n_present));
	put(object, "pending", json_integer(sync->n_pending));
	put(object, "leaving", json_integer(sync->n_leaving));
	put(object, "refused", json_integer(sync->n_refused));
	put(object, "foreign", json_integer(sync->n_foreign));
	put(object, "read_at", time_or_none(sync->read_at));
	put(object, "fault", json_string(fault_name(sync->fault.code)));
	return dump(object);
}

char *payload_event(const struct event *event, bool show_users) {
	struct event shown = *event;
	json_t *object = json_object();

	blank_user(&shown, show_users);
	text_sanitize(shown.user);
	text_sanitize(shown.text);
	put(object, "event_type", json_string(event_word(&shown)));
	put(object, "seq", json_integer(shown.seq));
	put(object, "time", shown.is_time_trusted ? time_or_none(shown.time) : NULL);
	put(object, "kind", json_string(event_kind_name(shown.kind)));
	if (shown.operation != OPERATION_NONE) {
		put(object, "operation", json_string(operation_type_name(shown.operation)));
		put(object, "method", json_string(operation_source_name(shown.source)));
	}
	put(object, "user", text_or_none(shown.user));
	/* How it is known who it was: that much may be told even if who it was may not. */
	if (shown.attribution != ATTRIBUTION_NONE) {
		put(object, "known_by", json_string(attribution_name(shown.attribution)));
	}
	if (shown.credential != CREDENTIAL_NONE) {
		put(object, "credential", json_string(credential_type_name(shown.credential)));
	}
	if (shown.kind == EVENT_LOCK_USER_CHANGE) {
		put(object, "data", json_string(lock_data_type_name(shown.data)));
		put(object, "data_operation",
			json_string(data_operation_name(shown.data_operation)));
	}
	put(object, "lock_time", time_or_none(shown.lock_time));
	if (shown.error != OPERATION_ERROR_NONE) {
		put(object, "error", json_string(operation_error_name(shown.error)));
	}
	if (shown.alarm != ALARM_NONE) {
		put(object, "alarm", json_string(alarm_code_name(shown.alarm)));
	}
	if (shown.door != DOOR_STATE_UNKNOWN) {
		put(object, "door", json_string(door_state_name(shown.door)));
	}
	if (shown.state != LOCK_STATE_UNKNOWN) {
		put(object, "state", json_string(lock_state_name(shown.state)));
	}
	if (shown.act != ACT_NONE) {
		put(object, "act", json_string(act_name(shown.act)));
	}
	put(object, "operation_id", text_or_none(shown.op_id));
	if (shown.fault != FAULT_NONE) {
		put(object, "fault", json_string(fault_name(shown.fault)));
	}
	if (shown.kind == EVENT_LOG_GAP || shown.kind == EVENT_BATTERY) {
		put(object, "number", json_integer(shown.number));
	}
	put(object, "text", text_or_none(shown.text));
	return dump(object);
}

char *payload_refusal(const char *word, const struct fault *fault, wall_t when) {
	json_t *object = json_object();
	char text[FAULT_TEXT_MAX];

	put(object, "event_type", json_string("command_refused"));
	put(object, "time", time_or_none(when));
	put(object, "reason", json_string(fault_name(fault->code)));
	put(object, "text", json_string(fault_text(fault, text)));
	put(object, "action", word != NULL ? json_string(word) : NULL);
	return dump(object);
}
