/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What every lock has under its cover: bolt, motor, battery, door. Brands put their protocol around
 * it. Times are simulator milliseconds; the owner ticks it at body_next_due().
 */

#include <jansson.h>
#include <stdbool.h>

#include "cells.h"
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

/* How long the motor takes for one turn, unhindered and with good cells; a jam shows itself a
 * little earlier. */
#define MOTOR_LOCK_MS 2200
#define MOTOR_UNLOCK_MS 1900
#define MOTOR_UNLATCH_MS 900
#define MOTOR_BLOCKED_MS 1300
#define MOTOR_START_MS 200
#define MOTOR_RUN_IN_MS 6000
#define MOTOR_RUN_MA 420
#define MOTOR_STALL_MA 1350
/* Below this, under load, the motor turns more slowly: it is driven at a constant speed till then.
 */
#define MOTOR_FULL_MV 4600
/* Below this, under load, its driver gives up in the middle. */
#define MOTOR_LEAST_MV 3400
/* Friction, in percent of an easy lock, which the motor cannot overcome. */
#define FRICTION_EASY 100
#define FRICTION_STALLS (FRICTION_EASY * MOTOR_STALL_MA / MOTOR_RUN_MA)
/* Under this many percent the motor no longer turns. */
#define BATTERY_DEAD_PERCENT 2
#define BATTERY_CRITICAL_PERCENT 20
/* Lowest voltage in a motor run from which on a lock calls its battery critical; inferred. */
#define BATTERY_CRITICAL_MV 3800
/* Charge of four AA cells: what a run of 1 A and 1 s takes, and a second of link. A lock of eight
 * runs a day and half a minute of link lives about a year by these. */
#define BATTERY_PERCENT_PER_AMPERE_S 0.012
#define BATTERY_PERCENT_PER_LINK_S 0.0004

struct body;
struct sim_counters;
struct sim_lock;
struct body_user {
	/* Bolt or motor state changed. */
	void (*moved)(void *user, mono_t now);
	/* The motor has finished what it was asked for. */
	void (*done)(void *user, enum motor_result result, mono_t now);
	/* The percent figure changed by draining. */
	void (*drained)(void *user, mono_t now);
	/* A number from 0 to @n - 1, by chance. */
	unsigned (*chance)(void *user, unsigned n);
};

/* When the bolt meets something that the motor cannot overcome. */
struct jam {
	bool is_on;
	bool only_shut;    /* while the door is shut: the strike plate is misaligned */
	bool only_locking; /* not towards unlocked */
	unsigned percent;  /* how often, of the runs for which the others hold */
};

struct body {
	enum bolt bolt;
	enum motor motor;
	enum motor queued[4]; /* what the motor does next, MOTOR_IDLE ends it */
	struct jam jam;
	bool is_hindered; /* this motor run meets it */
	bool is_blocked;  /* the last motor run ended against it */
	bool is_weak;     /* the cells gave out in this motor run */
	bool is_calibrated;
	bool is_door_open;
	bool is_frame_broken;   /* the bolt holds nothing: the door opens though it is out */
	unsigned friction;      /* percent of an easy lock's, at any time ... */
	unsigned friction_shut; /* ... and towards locked with the door shut */
	struct cells cells;
	/* What the lock believes its cells to be; false: it finds out by itself. */
	bool is_chemistry_set;
	enum cell_chemistry believed;
	unsigned drain_percent_per_hour; /* simulator time; 0 = only by use */
	mono_t drained_at;
	mono_t due;
	unsigned hold_ms;                                 /* how long the latch is held */
	unsigned motor_lock, motor_unlock, motor_unlatch; /* runs begun */
	/* Of the last motor run, for reports. */
	unsigned last_degrees, last_current_ma, last_start_mv, last_lowest_mv, last_mws, last_ms;
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
/* The knob by hand. -EBUSY with a sentence while the motor turns. */
int body_turn(struct body *body, bool to_locked, mono_t now, char *why);
mono_t body_next_due(const struct body *body);
void body_tick(struct body *body, mono_t now);
/* Of the pack at rest, with what the last loads have left. */
unsigned body_millivolt(const struct body *body, mono_t now);
/* As the lock reckons it from the resting voltage and from what it believes its cells to be. */
unsigned body_percent(const struct body *body, mono_t now);
bool body_is_critical(const struct body *body, mono_t now);
/* A link of so many milliseconds, which the cells pay for. */
void body_link_ended(struct body *body, unsigned ms);
/*
 * What one motor run is like now, without making it: of the last run above, its length and what the
 * cells bear. @return MOTOR_BLOCKED, MOTOR_LOW_VOLTAGE or MOTOR_OK. For body_run() and for days
 * that pass in one go.
 */
enum motor_result body_try(struct body *body, enum motor step, mono_t now);
/* "on", "off", or words joined by +: shut, lock, 40%. -EINVAL. */
int jam_from_text(const char *text, struct jam *ret);
/*
 * What a person does to it, in sim_lock_impl's terms: 0 or a negative errno, with a sentence in
 * @why (SIM_TEXT_MAX octets).
 */
int body_set_jam(struct body *body, const char *how, char *why);
int body_set_battery(struct body *body, unsigned percent, char *why);
/* 1: it has moved. */
int body_move_door(struct body *body, bool is_open, char *why);
/* locked or unlocked. */
int body_set_bolt(struct body *body, const char *value, char *why);
/* The same as hooks of sim_lock_impl, for brands that have nothing to add. */
int body_person_turn(struct sim_lock *lock, bool to_locked, mono_t now, char *why);
int body_person_jam(struct sim_lock *lock, const char *how, char *why);
int body_person_drain(struct sim_lock *lock, unsigned percent_per_hour, mono_t now, char *why);
/* Of moved(): a run that has just begun is counted. */
void body_count(const struct body *body, struct sim_counters *counters);
#define JAM_TEXT_MAX 32
const char *jam_text(const struct jam *jam, char out[static JAM_TEXT_MAX]);
const char *bolt_text(enum bolt bolt);

json_t *body_save(const struct body *body);
int body_load(struct body *body, const json_t *memory);
