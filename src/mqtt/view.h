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
#include "diag/diag.h"
#include "util/fault.h"
#include "util/radio.h"

struct hub;
struct lock;

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
	PART_COUNT_,
};

/* Bits 1 << part of what this lock is known to have; what is not known yet may come later. */
unsigned view_parts(const struct view *view);
