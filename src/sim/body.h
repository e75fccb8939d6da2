/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What every lock has under its cover: bolt, motor, battery, door. Brands put their protocol around
 * it. Times are simulator milliseconds; the owner ticks it at body_next_due().
 */

#include <jansson.h>
#include <stdbool.h>

#include "util/when.h"

enum bolt { BOLT_UNKNOWN, BOLT_LOCKED, BOLT_UNLOCKED, BOLT_UNLATCHED };
enum motor {
	MOTOR_IDLE,
	MOTOR_LOCKING,
	MOTOR_UNLOCKING,
	MOTOR_UNLATCHING,
	MOTOR_HOLDING,
	MOTOR_RUN_IN
};
enum motor_result { MOTOR_OK, MOTOR_BLOCKED, MOTOR_LOW_VOLTAGE };

/* How long the motor takes for one turn; a jam shows itself a little earlier. */
#define MOTOR_LOCK_MS 2200
#define MOTOR_UNLOCK_MS 1900
#define MOTOR_UNLATCH_MS 900
#define MOTOR_BLOCKED_MS 1300
#define MOTOR_START_MS 200
#define MOTOR_RUN_IN_MS 6000
/* Under this many percent the motor no longer turns. */
#define BATTERY_DEAD_PERCENT 2
#define BATTERY_CRITICAL_PERCENT 20

struct body;
struct body_user {
	/* Bolt or motor state changed. */
	void (*moved)(void *user, mono_t now);
	/* The motor has finished what it was asked for. */
	void (*done)(void *user, enum motor_result result, mono_t now);
	/* The percent figure changed by draining. */
	void (*drained)(void *user, mono_t now);
};

struct body {
	enum bolt bolt;
	enum motor motor;
	enum motor queued[4]; /* what the motor does next, MOTOR_IDLE ends it */
	bool is_jammed;       /* something is in the way */
	bool is_blocked;      /* the last motor run ended against it */
	bool is_calibrated;
	bool is_door_open;
	double percent;
	unsigned drain_percent_per_hour; /* simulator time; 0 = only by use */
	mono_t drained_at;
	mono_t due;
	unsigned hold_ms;                                 /* how long the latch is held */
	unsigned motor_lock, motor_unlock, motor_unlatch; /* runs begun */
	/* Of the last motor run, for reports. */
	unsigned last_degrees, last_current_ma, last_start_mv, last_lowest_mv;
	const struct body_user *impl;
	void *user;
};

void body_init(struct body *body, const struct body_user *impl, void *user);
/*
 * Runs the motor through @steps (MOTOR_IDLE ends them, at most 4). -EBUSY while it turns already,
 * -EHOSTDOWN when the battery is too weak. moved() and done() come from body_tick().
 */
int body_run(struct body *body, const enum motor *steps, mono_t now);
void body_stop(struct body *body);
/* The knob by hand. -EBUSY while the motor turns. */
int body_turn(struct body *body, bool to_locked, mono_t now);
mono_t body_next_due(const struct body *body);
void body_tick(struct body *body, mono_t now);
/* Open-circuit voltage of the pack in mV for its state of charge. */
unsigned body_millivolt(const struct body *body);
unsigned body_percent(const struct body *body);
const char *bolt_text(enum bolt bolt);

json_t *body_save(const struct body *body);
int body_load(struct body *body, const json_t *memory);
