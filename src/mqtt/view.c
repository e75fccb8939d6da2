/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "core/hub.h"
#include "util/text.h"

static void copy_clean(char *out, size_t size, const char *text) {
	(void) text_copy(out, size, text != NULL ? text : "");
	text_sanitize(out);
}

/* The wish of a person shows until the lock's own evidence takes its place. */
static enum act act_under_way(const struct hub *hub, const char *id) {
	enum act queued = ACT_NONE;

	for (size_t i = 0; i < hub_op_count(hub); i++) {
		const struct op *op = hub_op_at(hub, i);
		if (!act_moves_motor(op->act) || strcmp(op->lock_id, id) != 0) {
			continue;
		}
		switch (op->state) {
		case OP_RUNNING:
		case OP_READING_BACK:
			return op->act;
		case OP_QUEUED:
			queued = queued == ACT_NONE ? op->act : queued;
			break;
		case OP_RECORDING:
		case OP_CLOSING:
		case OP_FINISHED:
			break;
		}
	}
	return queued;
}

static void take_settings(struct view *view, const struct lock *lock) {
	size_t n_rows = 0;
	const struct lock_setting *rows = lock_setting_rows(lock, &n_rows);

	for (size_t i = 0; rows != NULL && i < n_rows && view->n_settings < SETTINGS_MAX; i++) {
		const char *value = lock_setting(lock, rows[i].key);
		struct view_setting *setting = &view->settings[view->n_settings];
		/* What this firmware does not tell it does not have. */
		if (value != NULL) {
			setting->row = &rows[i];
			(void) text_copy(setting->value, sizeof(setting->value), value);
			view->n_settings++;
		}
	}
}

/* Numbers between points; what follows a number and is neither ends the comparison. */
static bool is_older(const char *version, const char *other) {
	while (*version != '\0' || *other != '\0') {
		char *end;
		char *other_end;
		unsigned long number = strtoul(version, &end, 10);
		unsigned long other_number = strtoul(other, &other_end, 10);

		if (number != other_number) {
			return number < other_number;
		}
		if ((*end != '.' && *end != '\0') || (*other_end != '.' && *other_end != '\0')) {
			return false;
		}
		version = end + (*end == '.');
		other = other_end + (*other_end == '.');
	}
	return false;
}

/*
 * What the model data say of newer firmware. The newest version is told as it is; of one that
 * merely should not be older only when it is: that a lock is up to date is not known by it (L12).
 */
static void take_firmware(struct view *view, const struct model *model) {
	const char *now = view->status.versions.firmware;

	if (now[0] == '\0') {
		return;
	}
	if (model->firmware_newest[0] != '\0') {
		(void) text_copy(view->newest_firmware, sizeof(view->newest_firmware),
			model->firmware_newest);
	}
	if (model->firmware_min[0] != '\0' && is_older(now, model->firmware_min)) {
		if (view->newest_firmware[0] == '\0') {
			(void) text_copy(view->newest_firmware, sizeof(view->newest_firmware),
				model->firmware_min);
		}
		(void) text_copy(view->firmware_reason, sizeof(view->firmware_reason),
			model->firmware_fault);
	}
}

void view_take(
	struct view *view, const struct hub *hub, const struct lock *lock, struct diag *diag) {
	const struct event *last = lock_last_event(lock);

	memset(view, 0, sizeof(*view));
	copy_clean(view->id, sizeof(view->id), lock_id(lock));
	copy_clean(view->slug, sizeof(view->slug), lock_slug(lock));
	copy_clean(view->name, sizeof(view->name), lock_name(lock));
	copy_clean(view->address, sizeof(view->address), lock_address(lock));
	copy_clean(view->brand, sizeof(view->brand), lock_driver(lock)->brand);
	view->acts = lock_acts(lock);
	view->is_reachable = lock_is_reachable(lock);
	view->moving = act_under_way(hub, view->id);
	view->fault = *lock_fault(lock);
	view->status = *lock_status(lock);
	text_sanitize(view->status.versions.firmware);
	text_sanitize(view->status.versions.hardware);
	text_sanitize(view->status.versions.serial);
	text_sanitize(view->status.versions.model);
	if (last != NULL && last->seq != 0) {
		view->last = *last;
	}
	lock_radio_stats(lock, &view->radio);
	view->factor = book_rules(hub_book(hub), view->id)->factor;
	hub_sync_status(hub, view->id, &view->sync);
	view->is_time_trusted = clock_is_trusted(hub_clock(hub));
	view->has_health = diag != NULL;
	if (diag != NULL) {
		diag_view(diag, lock, &view->health);
		take_firmware(view, diag_model(diag, lock));
	}
	take_settings(view, lock);
}

static bool has_door(const struct view *view) {
	const struct lock_status *status = &view->status;

	return (status->config_known.how != EVIDENCE_NONE && status->config.has_door_sensor) ||
	       status->door != DOOR_STATE_UNKNOWN;
}

/*
 * By what the diagnosis knows it: a door that opens while the bolt is out needs a door sensor, a
 * lock that was emptied a list of codes to miss them in. A lock without either tells nothing, and
 * its tamper sensor would be off for ever.
 */
static bool can_tell_tamper(const struct view *view) {
	return view->has_health && (has_door(view) || view->sync.is_supported);
}

unsigned view_parts(const struct view *view) {
	const struct lock_status *status = &view->status;
	unsigned parts = 1U << PART_LOCK | 1U << PART_RSSI | 1U << PART_LAST_SEEN |
			 1U << PART_LINK | 1U << PART_PROBLEM | 1U << PART_FAULT |
			 1U << PART_LAST_EVENT | 1U << PART_ACTIVITY | 1U << PART_LAST_OPERATION |
			 1U << PART_LAST_OPERATED | 1U << PART_CONNECTIONS;

	if (status->battery_known.how != EVIDENCE_NONE) {
		/* A brand that gives only a flag gets no percentage: none is made up. */
		parts |= status->battery.percent >= 0 ? 1U << PART_BATTERY : 0;
		parts |= status->battery.level != BATTERY_UNKNOWN ? 1U << PART_BATTERY_LOW : 0;
		/* Only what was once seen on a charger is known to have one. */
		parts |= status->battery.is_charging ? 1U << PART_BATTERY_CHARGING : 0;
	}
	if (status->report_known.how != EVIDENCE_NONE && status->report.millivolts > 0) {
		parts |= 1U << PART_BATTERY_VOLTAGE;
	}
	if (status->accessories_known.how != EVIDENCE_NONE) {
		parts |= status->accessories.keypad != BATTERY_UNKNOWN ? 1U << PART_KEYPAD_BATTERY
								       : 0;
		parts |= status->accessories.door_sensor != BATTERY_UNKNOWN
				 ? 1U << PART_SENSOR_BATTERY
				 : 0;
	}
	if (has_door(view)) {
		parts |= 1U << PART_DOOR | 1U << PART_DOOR_SENSOR;
	}
	if (status->versions.firmware[0] != '\0') {
		parts |= 1U << PART_FIRMWARE;
	}
	if (view->sync.is_supported) {
		parts |= 1U << PART_CODES | 1U << PART_CODES_PROBLEM | 1U << PART_SYNC_CODES;
	}
	if (can_tell_tamper(view)) {
		parts |= 1U << PART_TAMPER;
	}
	if (view->has_health) {
		parts |= 1U << PART_LINK_SUCCESS | 1U << PART_CHECK;
		/* A level is what a forecast is made of; a motor that tells of jams has a bolt to
		 * align.
		 */
		parts |= status->battery_known.how != EVIDENCE_NONE
				 ? 1U << PART_BATTERY_DAYS | 1U << PART_BATTERY_CHANGED
				 : 0;
		parts |= (view->acts & 1U << ACT_LOCK) != 0 ? 1U << PART_ALIGNMENT : 0;
	}
	if (view->may_maintain) {
		parts |= (view->acts & 1U << ACT_REBOOT) != 0 ? 1U << PART_RESTART : 0;
		parts |= (view->acts & 1U << ACT_CALIBRATE) != 0 ? 1U << PART_CALIBRATE : 0;
	}
	return parts;
}

unsigned view_parts_to_come(const struct view *view) {
	unsigned parts = 1U << PART_BATTERY | 1U << PART_BATTERY_LOW | 1U << PART_KEYPAD_BATTERY |
			 1U << PART_SENSOR_BATTERY | 1U << PART_DOOR | 1U << PART_DOOR_SENSOR |
			 1U << PART_FIRMWARE | 1U << PART_CODES | 1U << PART_CODES_PROBLEM |
			 1U << PART_SYNC_CODES | 1U << PART_BATTERY_VOLTAGE |
			 1U << PART_BATTERY_CHARGING;

	if (view->has_health) {
		parts |= 1U << PART_BATTERY_DAYS | 1U << PART_BATTERY_CHANGED | 1U << PART_TAMPER;
	}
	return parts;
}

static bool is_of_this_life(const struct known *known) {
	return known->how != EVIDENCE_NONE && known->how != EVIDENCE_STORED;
}

unsigned view_parts_denied(const struct view *view) {
	const struct lock_status *status = &view->status;
	unsigned parts = 0;

	if (is_of_this_life(&status->battery_known)) {
		parts |= status->battery.percent < 0 ? 1U << PART_BATTERY : 0;
		parts |= status->battery.level == BATTERY_UNKNOWN ? 1U << PART_BATTERY_LOW : 0;
	}
	if (is_of_this_life(&status->report_known)) {
		parts |= status->report.millivolts <= 0 ? 1U << PART_BATTERY_VOLTAGE : 0;
	}
	if (is_of_this_life(&status->config_known)) {
		if (!status->config.has_keypad) {
			parts |= 1U << PART_KEYPAD_BATTERY;
		}
		if (!status->config.has_door_sensor && status->door == DOOR_STATE_UNKNOWN) {
			parts |= 1U << PART_SENSOR_BATTERY | 1U << PART_DOOR |
				 1U << PART_DOOR_SENSOR;
		}
		if (!view->sync.is_supported) {
			parts |=
				1U << PART_CODES | 1U << PART_CODES_PROBLEM | 1U << PART_SYNC_CODES;
		}
		if (!view->sync.is_supported && !has_door(view)) {
			parts |= 1U << PART_TAMPER;
		}
	}
	return parts;
}
