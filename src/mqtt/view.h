/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A lock as MQTT shows it: a copy of all that the payloads are made of, so that payload.c and
 * discovery.c are pure and tested without a hub. Texts that came from a lock are clean UTF-8 here.
 */

#include <stdbool.h>

#include "core/event.h"
#include "core/evidence.h"
#include "core/people.h"
#include "core/setting.h"
#include "diag/diag.h"
#include "util/fault.h"
#include "util/radio.h"

struct hub;
struct lock;

/* A setting whose value the lock has told. */
struct view_setting {
	const struct lock_setting *row;
	char value[SETTING_VALUE_MAX];
};

struct view {
	char id[LOCK_ID_MAX];
	char slug[LOCK_SLUG_MAX];
	char name[LOCK_NAME_MAX];
	char address[RADIO_ADDRESS_MAX];
	char brand[32];
	unsigned acts; /* bits 1 << act */
	bool is_reachable;
	enum act moving; /* the motor act the hub has under way for it; ACT_NONE */
	struct fault fault;
	struct lock_status status;
	struct event last; /* kind EVENT_NONE: none */
	bool is_time_trusted;
	struct radio_stats radio;
	enum factor_rule factor; /* what a remote command that opens must bring along */
	struct sync_status sync;
	bool has_health; /* somebody judges; else .health says nothing */
	struct diag_view health;
	bool may_maintain; /* restart and calibrate are offered: [mqtt] maintenance */
	bool may_set;      /* settings are offered: [mqtt] settings, and the lock takes them */
	size_t n_settings;
	struct view_setting settings[SETTINGS_MAX]; /* in the driver's order */
	struct event operation;                     /* the last one; kind EVENT_NONE: none known */
	/* By the model data; "" not known, or nothing newer than what the lock has. */
	char newest_firmware[VERSION_TEXT_MAX];
	char firmware_reason[256]; /* why it should be brought up to date; "" none */
};

/* @diag NULL: nobody judges the lock's health. */
void view_take(
	struct view *view, const struct hub *hub, const struct lock *lock, struct diag *diag);

/* What a lock may have in Home Assistant: one entity each. Order is that of docs/mqtt.md. */
enum part {
	PART_LOCK,
	PART_BATTERY,
	PART_BATTERY_LOW,
	PART_KEYPAD_BATTERY,
	PART_SENSOR_BATTERY,
	PART_DOOR,
	PART_RSSI,
	PART_LAST_SEEN,
	PART_LINK,
	PART_PROBLEM,
	PART_FAULT,
	PART_LAST_EVENT,
	PART_FIRMWARE,
	PART_ACTIVITY,
	PART_CODES,
	PART_CODES_PROBLEM,
	PART_BATTERY_DAYS,
	PART_BATTERY_CHANGED,
	PART_ALIGNMENT,
	PART_LINK_SUCCESS,
	PART_CHECK,
	PART_SYNC_CODES,
	PART_RESTART,
	PART_CALIBRATE,
	PART_LAST_OPERATION,
	PART_LAST_OPERATED,
	PART_DOOR_SENSOR,
	PART_BATTERY_VOLTAGE,
	PART_BATTERY_CHARGING,
	PART_CONNECTIONS,
	PART_TAMPER,
	PART_COUNT_,
};
_Static_assert(PART_COUNT_ < 32, "parts are bits of an unsigned");

/* Bits 1 << part of what this lock is known to have; what is not known yet may come later. */
unsigned view_parts(const struct view *view);
/*
 * Parts that a lock of the same kind may have and that evidence yet to come may bring: when the
 * broker still holds them from a former life of the daemon they stay until they are denied.
 */
unsigned view_parts_to_come(const struct view *view);
/* Parts that the lock itself has denied in this life. */
unsigned view_parts_denied(const struct view *view);
