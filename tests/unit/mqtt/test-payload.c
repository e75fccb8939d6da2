/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Payloads from views, without a hub: the lock's word above all (L1). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "dials.h"
#include "payload.h"
#include "util/auto.h"

static void known_view(struct view *view) {
	memset(view, 0, sizeof(*view));
	lock_status_init(&view->status);
	(void) strcpy(view->id, "9f3a71c2");
	(void) strcpy(view->slug, "front-door");
	view->status.bolt_known.how = EVIDENCE_ANSWERED;
	view->status.bolt_known.wall.s = 1795329002;
}

static const struct {
	enum lock_state state;
	enum lock_motion motion;
	bool is_jammed;
	enum act moving;
	const char *word;
	const char *old_word; /* NULL: the same */
} rows[] = {
	{ LOCK_STATE_LOCKED, LOCK_MOTION_NONE, false, ACT_NONE, "LOCKED", NULL },
	{ LOCK_STATE_UNLOCKED, LOCK_MOTION_NONE, false, ACT_NONE, "UNLOCKED", NULL },
	{ LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE, false, ACT_NONE, "UNLOCKED", NULL },
	{ LOCK_STATE_UNLATCHED, LOCK_MOTION_NONE, false, ACT_NONE, "OPEN", "UNLOCKED" },
	{ LOCK_STATE_UNKNOWN, LOCK_MOTION_NONE, false, ACT_NONE, "None", NULL },
	{ LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE, true, ACT_NONE, "JAMMED", NULL },
	{ LOCK_STATE_LOCKED, LOCK_MOTION_NONE, true, ACT_NONE, "JAMMED", NULL },
	{ LOCK_STATE_UNLOCKED, LOCK_MOTION_LOCKING, false, ACT_NONE, "LOCKING", NULL },
	{ LOCK_STATE_LOCKED, LOCK_MOTION_UNLOCKING, false, ACT_NONE, "UNLOCKING", NULL },
	{ LOCK_STATE_LOCKED, LOCK_MOTION_UNLATCHING, false, ACT_NONE, "OPENING", "UNLOCKING" },
	{ LOCK_STATE_LOCKED, LOCK_MOTION_CALIBRATING, false, ACT_NONE, "None", NULL },
	/* The wish is shown as under way, never as reached. */
	{ LOCK_STATE_UNLOCKED, LOCK_MOTION_NONE, false, ACT_LOCK, "LOCKING", NULL },
	{ LOCK_STATE_LOCKED, LOCK_MOTION_NONE, false, ACT_UNLOCK, "UNLOCKING", NULL },
	{ LOCK_STATE_UNLOCKED, LOCK_MOTION_NONE, false, ACT_UNLATCH, "OPENING", "UNLOCKING" },
	{ LOCK_STATE_UNKNOWN, LOCK_MOTION_NONE, false, ACT_LOCK, "LOCKING", NULL },
	{ LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE, true, ACT_LOCK, "LOCKING", NULL },
	{ LOCK_STATE_LOCKED, LOCK_MOTION_NONE, false, ACT_LOCK_N_GO, "UNLOCKING", NULL },
	/* Evidence that it is there counts more than the wish. */
	{ LOCK_STATE_LOCKED, LOCK_MOTION_NONE, false, ACT_LOCK, "LOCKED", NULL },
	{ LOCK_STATE_UNLOCKED, LOCK_MOTION_NONE, false, ACT_UNLOCK, "UNLOCKED", NULL },
	{ LOCK_STATE_LOCKED, LOCK_MOTION_UNLOCKING, false, ACT_LOCK, "UNLOCKING", NULL },
	/* Housekeeping shows nothing. */
	{ LOCK_STATE_LOCKED, LOCK_MOTION_NONE, false, ACT_CALIBRATE, "LOCKED", NULL },
	{ LOCK_STATE_LOCKED, LOCK_MOTION_NONE, false, ACT_READ_STATE, "LOCKED", NULL },
};

static void state_words(void **state) {
	struct view view;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		known_view(&view);
		view.status.bolt.state = rows[i].state;
		view.status.bolt.motion = rows[i].motion;
		view.status.bolt.is_jammed = rows[i].is_jammed;
		view.moving = rows[i].moving;
		assert_string_equal(payload_state(&view, false), rows[i].word);
		assert_string_equal(payload_state(&view, true),
			rows[i].old_word != NULL ? rows[i].old_word : rows[i].word);
	}
}

/* LOCKED comes of evidence of this life and of nothing else (L1). */
static void locked_needs_evidence(void **state) {
	struct view view;

	(void) state;
	for (enum lock_motion motion = LOCK_MOTION_NONE; motion <= LOCK_MOTION_CALIBRATING;
		motion++) {
		for (enum act act = ACT_NONE; act < ACT_COUNT_; act++) {
			known_view(&view);
			view.status.bolt.state = LOCK_STATE_LOCKED;
			view.status.bolt.motion = motion;
			view.status.previous_state = LOCK_STATE_LOCKED;
			view.moving = act;
			view.status.bolt_known.how = EVIDENCE_STORED;
			assert_string_not_equal(payload_state(&view, false), "LOCKED");
			view.status.bolt_known.how = EVIDENCE_NONE;
			assert_string_not_equal(payload_state(&view, false), "LOCKED");
		}
	}
}

static void clearable_words(void **state) {
	static const char *const others[] = { "JAMMED", "LOCKING", "UNLOCKING", "OPEN", "OPENING" };

	(void) state;
	assert_true(payload_state_is_clearable("LOCKED"));
	assert_true(payload_state_is_clearable("UNLOCKED"));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_false(payload_state_is_clearable(others[i]));
	}
}

static const char *part_of(const struct view *view, enum part part) {
	static char text[PAYLOAD_MAX];
	return payload_part(view, part, true, text);
}

static void small_payloads(void **state) {
	static const struct {
		enum door_state door;
		const char *word;
	} doors[] = { { DOOR_STATE_OPEN, "ON" }, { DOOR_STATE_CLOSED, "OFF" },
		{ DOOR_STATE_AJAR, "ON" }, { DOOR_STATE_FORCED_OPEN, "ON" },
		{ DOOR_STATE_JAMMED, "None" }, { DOOR_STATE_ERROR, "None" },
		{ DOOR_STATE_UNKNOWN, "None" } };
	struct view view;

	(void) state;
	known_view(&view);
	view.status.battery.percent = -1;
	view.status.battery.level = BATTERY_UNKNOWN;
	assert_string_equal(part_of(&view, PART_BATTERY), "None");
	assert_string_equal(part_of(&view, PART_BATTERY_LOW), "None");
	view.status.battery.percent = 101; /* Home Assistant would show it */
	assert_string_equal(part_of(&view, PART_BATTERY), "None");
	view.status.battery.percent = 0;
	view.status.battery.level = BATTERY_CRITICAL;
	assert_string_equal(part_of(&view, PART_BATTERY), "0");
	assert_string_equal(part_of(&view, PART_BATTERY_LOW), "ON");
	view.status.battery.level = BATTERY_WARNING;
	assert_string_equal(part_of(&view, PART_BATTERY_LOW), "ON");
	view.status.battery.level = BATTERY_OK;
	assert_string_equal(part_of(&view, PART_BATTERY_LOW), "OFF");
	for (size_t i = 0; i < ARRAY_SIZE(doors); i++) {
		view.status.door = doors[i].door;
		assert_string_equal(part_of(&view, PART_DOOR), doors[i].word);
	}
	assert_string_equal(part_of(&view, PART_RSSI), "None");
	view.status.rssi = -67;
	assert_string_equal(part_of(&view, PART_RSSI), "-67");
	assert_string_equal(part_of(&view, PART_LINK), "OFF");
	view.is_reachable = true;
	assert_string_equal(part_of(&view, PART_LINK), "ON");
	view.status.heard.wall.s = 1795327200;
	assert_string_equal(part_of(&view, PART_LAST_SEEN), "None"); /* no clock to believe */
	view.is_time_trusted = true;
	assert_string_equal(part_of(&view, PART_LAST_SEEN), "2026-11-22T06:00:00Z");
	assert_string_equal(part_of(&view, PART_PROBLEM), "OFF");
	view.fault.code = FAULT_LOCK_UNREACHABLE;
	assert_string_equal(part_of(&view, PART_PROBLEM), "ON");
	assert_string_equal(part_of(&view, PART_FAULT), "out_of_range");
	assert_null(part_of(&view, PART_FIRMWARE));
	(void) strcpy(view.status.versions.firmware, "3.\"7");
	assert_string_equal(part_of(&view, PART_FIRMWARE), "{\"installed_version\":\"3.\\\"7\"}");
	assert_null(part_of(&view, PART_ACTIVITY));
}

static void what_was_counted_is_told(void **state) {
	struct radio_stats stats = { .attempts = 4, .connects = 3, .failures = 1, .losses = 1 };

	(void) state;
	tally_begin(&stats.tally, (mono_t){ 0 });
	tally_up(&stats.tally, (mono_t){ 10 }, 650);
	tally_linked(&stats.tally, (mono_t){ 0 }, (mono_t){ 9500 });
	tally_ended(&stats.tally, TALLY_END_LOCK);
	AUTO(free) char *text = payload_link_attributes(&stats, -66);
	assert_string_equal(text,
		"{\"quality\":\"fair\",\"rssi_median\":-66,\"attempts\":4,\"connects\":3,"
		"\"failures\":1,\"losses\":1,\"success_percent\":75,\"to_link_ms_median\":650,"
		"\"to_link_ms_worst\":650,\"connects_today\":1,\"connects_yesterday\":0,"
		"\"link_seconds_today\":9,\"link_seconds_yesterday\":0,\"ends\":{\"us\":0,"
		"\"lock\":1,\"lost\":0,\"unknown\":0,\"adapter\":0,\"bluetoothd\":0}}");
	memset(&stats, 0, sizeof(stats));
	AUTO(free) char *empty = payload_link_attributes(&stats, 0);
	assert_non_null(strstr(empty, "\"rssi_median\":null"));
	assert_non_null(strstr(empty, "\"success_percent\":null"));
	assert_non_null(strstr(empty, "\"to_link_ms_worst\":null"));
}

static void health_is_told(void **state) {
	struct view view;

	(void) state;
	known_view(&view);
	(void) strcpy(view.slug, "front");
	assert_string_equal(part_of(&view, PART_PROBLEM), "OFF");
	view.has_health = true;
	view.health.link_percent = -1;
	assert_string_equal(part_of(&view, PART_LINK_SUCCESS), "None");
	assert_string_equal(part_of(&view, PART_BATTERY_DAYS), "None");
	assert_string_equal(part_of(&view, PART_BATTERY_CHANGED), "None");
	assert_string_equal(part_of(&view, PART_ALIGNMENT), "OFF");
	assert_string_equal(part_of(&view, PART_TAMPER), "OFF");
	assert_null(part_of(&view, PART_CHECK));
	AUTO(free) char *well = payload_problem_attributes(&view);
	assert_string_equal(well, "{\"reason\":\"none\",\"all\":[]}");
	view.health.first = (struct finding){ .fault = FAULT_MISALIGNED,
		.severity = SEVERITY_ERROR,
		.confidence = 91,
		.n_proofs = 1,
		.proofs = { { .text = "jams with the door shut",
			.has_value = true,
			.value = 40,
			.unit = "%",
			.at = { 1795327200 } } } };
	view.health.faults[0] = FAULT_MISALIGNED;
	view.health.faults[1] = FAULT_TAMPERED;
	view.health.n_faults = 2;
	view.health.link_percent = 98;
	view.health.battery_changed_at.s = 1795327200;
	(void) strcpy(view.health.verdict, "The bolt binds.");
	view.health.forecast = (struct forecast){ .is_known = true,
		.days = 41.7,
		.days_least = 33,
		.days_most = 52,
		.percent_per_day = 0.5,
		.until = { 1795327200 } };
	assert_string_equal(part_of(&view, PART_PROBLEM), "ON");
	assert_string_equal(part_of(&view, PART_ALIGNMENT), "ON");
	assert_string_equal(part_of(&view, PART_TAMPER), "ON");
	assert_string_equal(part_of(&view, PART_LINK_SUCCESS), "98");
	assert_string_equal(part_of(&view, PART_BATTERY_DAYS), "41");
	assert_string_equal(part_of(&view, PART_BATTERY_CHANGED), "2026-11-22T06:00:00Z");
	AUTO(free) char *ill = payload_problem_attributes(&view);
	json_t *root = json_loads(ill, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "reason")), "misaligned");
	assert_string_equal(json_string_value(json_object_get(root, "verdict")), "The bolt binds.");
	assert_non_null(json_object_get(root, "next_step"));
	assert_int_equal(json_integer_value(json_object_get(root, "confidence")), 91);
	assert_int_equal(json_array_size(json_object_get(root, "proof")), 1);
	json_decref(root);
	AUTO(free) char *forecast = payload_forecast_attributes(&view.health.forecast);
	assert_string_equal(forecast,
		"{\"known\":true,\"least_days\":33,\"most_days\":52,"
		"\"empty_on\":\"2026-11-22T06:00:00Z\",\"percent_per_week\":4}");
	view.health.forecast = (struct forecast){ .reason = "too few readings" };
	AUTO(free) char *none = payload_forecast_attributes(&view.health.forecast);
	assert_string_equal(none, "{\"known\":false,\"reason\":\"too few readings\"}");
	/* What stands is told before anybody has judged. */
	view.has_health = false;
	memset(&view.health, 0, sizeof(view.health));
	view.fault.code = FAULT_JAMMED;
	AUTO(free) char *early = payload_problem_attributes(&view);
	assert_non_null(strstr(early, "\"reason\":\"jammed\""));
}

static void every_fault_has_an_option(void **state) {
	const char *const *options = payload_fault_options();

	(void) state;
	for (enum fault_code code = FAULT_NONE; code < FAULT_COUNT_; code++) {
		const char *word = payload_fault(code);
		size_t i = 0;
		while (options[i] != NULL && strcmp(options[i], word) != 0) {
			i++;
		}
		assert_non_null(options[i]);
		assert_true((code == FAULT_NONE) == (strcmp(word, "none") == 0));
	}
}

static void sample_event(struct event *event) {
	memset(event, 0, sizeof(*event));
	event->seq = 17;
	event->kind = EVENT_LOCK_OPERATION;
	event->time.s = 1795327200;
	event->is_time_trusted = true;
	event->operation = OPERATION_UNLOCK;
	event->source = SOURCE_KEYPAD;
	event->error = OPERATION_ERROR_NONE;
	event->alarm = ALARM_NONE;
	event->door = DOOR_STATE_UNKNOWN;
	event->state = LOCK_STATE_UNKNOWN;
	event->credential = CREDENTIAL_PIN;
	event->attribution = ATTRIBUTION_CREDENTIAL;
	(void) strcpy(event->user_id, "0a1b2c3d");
	(void) strcpy(event->user, "Anna");
	(void) strcpy(event->text, "by Anna \xff\n");
}

static void events_hide_users(void **state) {
	struct event event;

	(void) state;
	sample_event(&event);
	AUTO(free) char *open = payload_event(&event, true);
	AUTO(free) char *hidden = payload_event(&event, false);
	assert_string_equal(open,
		"{\"event_type\":\"unlocked\",\"seq\":17,\"time\":\"2026-11-22T06:00:00Z\","
		"\"kind\":\"lock_operation\",\"operation\":\"unlock\",\"method\":\"keypad\","
		"\"user\":\"Anna\",\"known_by\":\"credential\",\"credential\":\"pin\","
		"\"text\":\"by Anna ??\"}");
	assert_null(strstr(hidden, "Anna"));
	assert_null(strstr(hidden, "0a1b2c3d"));
	event.is_time_trusted = false;
	AUTO(free) char *timeless = payload_event(&event, true);
	assert_null(strstr(timeless, "\"time\""));
}

static void attributes_are_safe(void **state) {
	/* Names that Home Assistant drops or that would clash. */
	static const char *const forbidden[] = { "changed_by", "code_format", "assumed_state",
		"available", "device_class", "device_info", "entity_category", "entity_picture",
		"friendly_name", "icon", "state", "supported_features", "unique_id",
		"unit_of_measurement" };
	struct view view;

	(void) state;
	known_view(&view);
	sample_event(&view.last);
	(void) fault_set(&view.fault, FAULT_JAMMED, "\"quoted\"");
	AUTO(free) char *text = payload_attributes(&view, true);
	json_t *root = json_loads(text, 0, NULL);
	assert_non_null(root);
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++) {
		assert_null(json_object_get(root, forbidden[i]));
	}
	assert_string_equal(json_string_value(json_object_get(root, "last_user")), "Anna");
	assert_string_equal(json_string_value(json_object_get(root, "last_method")), "keypad");
	assert_string_equal(json_string_value(json_object_get(root, "fault")), "jammed");
	assert_string_equal(
		json_string_value(json_object_get(root, "state_at")), "2026-11-22T06:30:02Z");
	json_decref(root);
	AUTO(free) char *hidden = payload_attributes(&view, false);
	assert_null(strstr(hidden, "Anna"));
}

static void last_event_fits(void **state) {
	struct view view;
	char text[PAYLOAD_MAX];

	(void) state;
	known_view(&view);
	assert_string_equal(part_of(&view, PART_LAST_EVENT), "None");
	sample_event(&view.last);
	memset(view.last.user, 'x', sizeof(view.last.user) - 1);
	memset(view.last.text, 'y', sizeof(view.last.text) - 1);
	assert_true(strlen(payload_part(&view, PART_LAST_EVENT, true, text)) <= 255);
	assert_null(strstr(payload_part(&view, PART_LAST_EVENT, false, text), "xxx"));
}

static void page_payloads(void **state) {
	struct view view;

	(void) state;
	known_view(&view);
	assert_string_equal(part_of(&view, PART_BATTERY_VOLTAGE), "None");
	view.status.report.millivolts = 5007;
	assert_string_equal(part_of(&view, PART_BATTERY_VOLTAGE), "5.00");
	view.status.report.millivolts = 6290;
	assert_string_equal(part_of(&view, PART_BATTERY_VOLTAGE), "6.29");
	assert_string_equal(part_of(&view, PART_BATTERY_CHARGING), "OFF");
	view.status.battery.is_charging = true;
	assert_string_equal(part_of(&view, PART_BATTERY_CHARGING), "ON");
	view.status.door = DOOR_STATE_UNKNOWN;
	assert_string_equal(part_of(&view, PART_DOOR_SENSOR), "None");
	view.status.door = DOOR_STATE_OPEN;
	assert_string_equal(part_of(&view, PART_DOOR_SENSOR), "OFF");
	view.status.door = DOOR_STATE_ERROR;
	assert_string_equal(part_of(&view, PART_DOOR_SENSOR), "ON");
	view.radio.tally.connects_today = 12;
	assert_string_equal(part_of(&view, PART_CONNECTIONS), "12");
	assert_string_equal(part_of(&view, PART_LAST_OPERATION), "None");
	assert_string_equal(part_of(&view, PART_LAST_OPERATED), "None");
	AUTO(free) char *nobody = payload_operation_attributes(&view, true);
	assert_string_equal(nobody, "{}");
	sample_event(&view.operation);
	assert_string_equal(part_of(&view, PART_LAST_OPERATED), "2026-11-22T06:00:00Z");
	assert_non_null(strstr(part_of(&view, PART_LAST_OPERATION), "Anna"));
	AUTO(free) char *hidden = payload_operation_attributes(&view, false);
	assert_null(strstr(hidden, "Anna"));
	assert_non_null(strstr(hidden, "\"method\":\"keypad\""));
	view.operation.is_time_trusted = false;
	assert_string_equal(part_of(&view, PART_LAST_OPERATED), "None");
	(void) strcpy(view.status.versions.firmware, "2.9.9");
	(void) strcpy(view.newest_firmware, "2.12.4");
	(void) strcpy(view.firmware_reason, "holes");
	assert_string_equal(part_of(&view, PART_FIRMWARE),
		"{\"installed_version\":\"2.9.9\",\"latest_version\":\"2.12.4\","
		"\"release_summary\":\"holes\"}");
}

/* Evidence of this life denies; what was stored, or not told, does not. */
static void parts_are_denied_by_evidence(void **state) {
	struct view view;
	unsigned battery = 1U << PART_BATTERY;
	unsigned door = 1U << PART_DOOR;

	(void) state;
	known_view(&view);
	view.status.battery.percent = -1;
	assert_int_equal(view_parts_denied(&view), 0);
	view.status.battery_known.how = EVIDENCE_STORED;
	view.status.config_known.how = EVIDENCE_STORED;
	assert_int_equal(view_parts_denied(&view), 0);
	view.status.battery_known.how = EVIDENCE_ANSWERED;
	assert_true((view_parts_denied(&view) & battery) != 0);
	assert_int_equal(view_parts_denied(&view) & door, 0);
	view.status.config_known.how = EVIDENCE_ANSWERED;
	assert_true((view_parts_denied(&view) & door) != 0);
	view.status.config.has_door_sensor = true;
	view.status.battery.percent = 50;
	assert_int_equal(view_parts_denied(&view) & (door | battery), 0);
	/* Nothing that is certain from the start may be waited for. */
	assert_int_equal(view_parts_to_come(&view) &
				 (1U << PART_LOCK | 1U << PART_RESTART | 1U << PART_CHECK),
		0);
}

static const char *const speeds[] = { "standard", "gentle", NULL };
static const struct lock_setting settings[] = {
	{ .key = "AutoRelockTime",
		.title = "Lock again",
		.kind = SETTING_NUMBER,
		.unit = "s",
		.min = 30,
		.max = 1800,
		.is_zero_off = true },
	{ .key = "LEDBrightness", .title = "LED", .kind = SETTING_NUMBER, .max = 5 },
	{ .key = "MotorSpeed", .title = "Speed", .kind = SETTING_SELECT, .options = speeds },
	{ .key = "NightModeStart", .title = "Night", .kind = SETTING_TIME },
	{ .key = "EnableButton", .title = "Button", .kind = SETTING_SWITCH },
	{ .key = "FutureThing", .title = "What it may be", .kind = SETTING_SWITCH },
};

static void dials_show_what_can_be_shown(void **state) {
	static const struct {
		size_t setting;
		bool is_enabler;
		const char *value;
		const char *payload; /* NULL: none */
	} dial_rows[] = {
		{ 0, false, "120", "120" },
		{ 0, true, "120", "ON" },
		{ 0, false, "0", "None" },
		{ 0, true, "0", "OFF" },
		{ 0, false, "9999", "None" }, /* Home Assistant would keep the old one */
		{ 1, false, "0", "0" },       /* no off: a number like the others */
		{ 2, false, "gentle", "gentle" },
		{ 2, false, "7", "None" },
		{ 3, false, "22:30", "22:30" },
		{ 3, false, "?", NULL },
		{ 4, false, "on", "ON" },
		{ 4, false, "off", "OFF" },
	};
	char text[SETTING_VALUE_MAX];

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(dial_rows); i++) {
		struct view_setting setting = { .row = &settings[dial_rows[i].setting] };
		struct dial dial = { .setting = &setting, .is_enabler = dial_rows[i].is_enabler };
		(void) strcpy(setting.value, dial_rows[i].value);
		const char *payload = dial_payload(&dial, text);
		if (dial_rows[i].payload == NULL) {
			assert_null(payload);
		} else {
			assert_string_equal(payload, dial_rows[i].payload);
		}
	}
}

static void dials_are_offered_with_care(void **state) {
	struct dial dials[DIALS_MAX];
	struct view view;
	char key[DIAL_KEY_MAX];

	(void) state;
	known_view(&view);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		view.settings[view.n_settings++].row = &settings[i];
	}
	assert_int_equal(dials_of(&view, dials), 0);
	view.may_set = true;
	/* One more for the switch of the number; not the one that nobody here knows. */
	assert_int_equal(dials_of(&view, dials), ARRAY_SIZE(settings));
	assert_string_equal(dial_key(&dials[0], key), "setting_AutoRelockTime_on");
	assert_string_equal(dial_key(&dials[1], key), "setting_AutoRelockTime");
	view.may_maintain = true;
	size_t n = dials_of(&view, dials);
	assert_int_equal(n, ARRAY_SIZE(settings) + 1);
	assert_string_equal(dial_name(&dials[n - 1]), "What it may be");
	assert_false(dial_is_on_page(&dials[n - 1]));
}

static void wishes_become_values(void **state) {
	static const struct {
		const char *name;
		int32_t last_on;
		const char *payload;
		const char *value; /* NULL: refused */
	} wishes[] = {
		{ "AutoRelockTime", 0, "60", "60" },
		{ "AutoRelockTime", 0, "60.5", NULL },
		{ "AutoRelockTime", 0, "", NULL },
		{ "AutoRelockTime", 0, "6\n0", NULL },
		{ "AutoRelockTime_on", 0, "OFF", "0" },
		{ "AutoRelockTime_on", 0, "ON", "300" },
		{ "AutoRelockTime_on", 45, "ON", "45" },
		{ "AutoRelockTime_on", 9999, "ON", "1800" },
		{ "AutoRelockTime_on", 0, "60", NULL },
		{ "EnableButton", 0, "ON", "on" },
		{ "EnableButton", 0, "on", NULL },
		{ "MotorSpeed", 0, "gentle", "gentle" },
		{ "MotorSpeed", 0, "insane", NULL },
		{ "NightModeStart", 0, "23:59", "23:59" },
		{ "NightModeStart", 0, "23:60", NULL },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		char value[SETTING_VALUE_MAX] = "untouched";
		bool is_enabler = false;
		struct fault fault;
		const struct lock_setting *row =
			dial_find(settings, ARRAY_SIZE(settings), wishes[i].name, &is_enabler);
		assert_non_null(row);
		int r = dial_wish(row, is_enabler, wishes[i].last_on,
			(const uint8_t *) wishes[i].payload, strlen(wishes[i].payload), value,
			&fault);
		assert_int_equal(r == 0, wishes[i].value != NULL);
		assert_string_equal(value, wishes[i].value != NULL ? wishes[i].value : "untouched");
	}
	bool is_enabler = false;
	assert_null(dial_find(settings, ARRAY_SIZE(settings), "LEDBrightness_on", &is_enabler));
	assert_null(dial_find(settings, ARRAY_SIZE(settings), "AutoRelock", &is_enabler));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_words),
		cmocka_unit_test(locked_needs_evidence),
		cmocka_unit_test(clearable_words),
		cmocka_unit_test(small_payloads),
		cmocka_unit_test(what_was_counted_is_told),
		cmocka_unit_test(health_is_told),
		cmocka_unit_test(every_fault_has_an_option),
		cmocka_unit_test(events_hide_users),
		cmocka_unit_test(attributes_are_safe),
		cmocka_unit_test(last_event_fits),
		cmocka_unit_test(page_payloads),
		cmocka_unit_test(parts_are_denied_by_evidence),
		cmocka_unit_test(dials_show_what_can_be_shown),
		cmocka_unit_test(dials_are_offered_with_care),
		cmocka_unit_test(wishes_become_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
