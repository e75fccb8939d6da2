/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

/*
 * Days that pass at once, and new cells. What a lock went through in them is in its log, in its
 * cells and in its clock as if it had hung at a door.
 */

#include <errno.h>
#include <stdio.h>

#define DAY_S 86400
#define DOOR_S 20              /* a door stands open for so long */
#define LINK_MS_A_DAY 30000    /* a hub that looks in now and then */
#define LOCKS_OPEN_EVERY 3     /* of so many lockings one is done with the door open */
#define LOST_CLOCK_S 946684800 /* 2000-01-01: where a clock without a battery begins; inferred */

static int is_busy(const struct nuki *nuki, char *why) {
	if (nuki->run.is_active || nuki->body.motor != MOTOR_IDLE) {
		snprintf(why, SIM_TEXT_MAX, "the motor is turning");
		return -EBUSY;
	}
	return 0;
}

/* The newest entry, if the log took one, was made then. */
static void date_entry(struct nuki *nuki, uint32_t index_before, wall_t at) {
	if (nuki->next_index != index_before) {
		size_t newest = (nuki->log_first + nuki->n_log - 1) % NUKI_LOG_MAX;
		nuki->log[newest].at = at;
	}
}

static void log_run(struct nuki *nuki, uint8_t action, uint8_t trigger, uint8_t status, wall_t at) {
	uint32_t index = nuki->next_index;
	const struct nuki_run run = {
		.action = action,
		.trigger = trigger,
		.flags = trigger == NUKI_TRIGGER_BUTTON ? 1 : 0,
		.log_type = NUKI_LOG_ACTION,
	};
	nuki_log_action(nuki, &run, status);
	date_entry(nuki, index, at);
	nuki->last_action = action;
	nuki->last_trigger = trigger;
	nuki->last_status = status;
}

static void move_door(struct nuki *nuki, bool is_open, wall_t at) {
	nuki->body.is_door_open = is_open;
	if (nuki->has_door_sensor && nuki->is_door_logging) {
		uint32_t index = nuki->next_index;
		const uint8_t what = is_open ? 0 : 1;
		nuki_log_add(nuki, NUKI_LOG_DOOR, 0, "", &what, 1);
		date_entry(nuki, index, at);
	}
}

struct day {
	unsigned moves, jams, failures, lock_ms, unlock_ms;
};

/* Once by the motor; where that fails, a person helps with the knob. */
static void move(struct nuki *nuki, bool to_locked, wall_t at, struct day *day) {
	struct body *body = &nuki->body;
	uint8_t action = to_locked ? NUKI_ACTION_LOCK : NUKI_ACTION_UNLOCK;
	if (body->cells.percent < BATTERY_DEAD_PERCENT) {
		log_run(nuki, action, NUKI_TRIGGER_BUTTON, 0x05, at);
		day->failures++;
		return;
	}
	enum motor_result result =
		body_try(body, to_locked ? MOTOR_LOCKING : MOTOR_UNLOCKING, nuki->now);
	day->moves++;
	body->motor_lock += to_locked;
	body->motor_unlock += !to_locked;
	log_run(nuki, action, NUKI_TRIGGER_BUTTON,
		result == MOTOR_OK        ? 0
		: result == MOTOR_BLOCKED ? 0x01
					  : 0x05,
		at);
	if (result != MOTOR_OK) {
		day->jams += result == MOTOR_BLOCKED;
		day->failures += result == MOTOR_LOW_VOLTAGE;
		log_run(nuki, action, NUKI_TRIGGER_MANUAL, 0, (wall_t){ at.s + 5 });
	} else if (to_locked) {
		day->lock_ms = body->last_ms;
	} else {
		day->unlock_ms = body->last_ms;
	}
	body->bolt = to_locked ? BOLT_LOCKED : BOLT_UNLOCKED;
	/* Hours lie between two runs: the cells have rested. */
	body->cells.tired_mv = 0;
}

static json_t *day_json(const struct nuki *nuki, const struct day *day, wall_t at) {
	const struct body *body = &nuki->body;
	return json_pack("{s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "at",
		(json_int_t) at.s, "percent", (int) body_percent(body, nuki->now), "millivolt",
		(int) body_millivolt(body, nuki->now), "lowest", (int) body->last_lowest_mv,
		"current", (int) body->last_current_ma, "milliohm",
		(int) cells_milliohm(&body->cells), "celsius", (int) body->cells.celsius, "moves",
		(int) day->moves, "jams", (int) day->jams, "failures", (int) day->failures,
		"lock-ms", (int) day->lock_ms, "unlock-ms", (int) day->unlock_ms);
}

int nuki_person_age(
	struct sim_lock *lock, unsigned days, unsigned moves, mono_t now, json_t **ret, char *why) {
	struct nuki *nuki = nuki_of(lock);
	struct body *body = &nuki->body;
	bool was_open = body->is_door_open;
	unsigned n_locked = 0;
	int r = is_busy(nuki, why);
	if (r < 0) {
		return r;
	}
	nuki->now = now;
	int64_t end = lock->env->wall(lock->env->user).s;
	json_t *list = json_array();
	for (unsigned i = 0; i < days; i++) {
		struct day day = { 0 };
		int64_t begin = end - (int64_t) (days - i) * DAY_S;
		int64_t ahead = nuki->clock_offset_s + (int64_t) (nuki->drift_s_per_day * i);
		for (unsigned k = 0; k < moves; k++) {
			wall_t at = { begin + ahead + (int64_t) k * DAY_S / moves };
			bool to_locked = body->bolt != BOLT_LOCKED;
			bool stays_open = to_locked && nuki->has_door_sensor &&
					  ++n_locked % LOCKS_OPEN_EVERY == 0;
			if (stays_open) {
				move_door(nuki, true, (wall_t){ at.s - 2 });
			} else {
				body->is_door_open = to_locked ? false : body->is_door_open;
			}
			move(nuki, to_locked, at, &day);
			if (stays_open) {
				move_door(nuki, false, (wall_t){ at.s + DOOR_S });
			} else if (!to_locked) {
				move_door(nuki, true, (wall_t){ at.s + 2 });
				move_door(nuki, false, (wall_t){ at.s + DOOR_S });
			}
		}
		body_link_ended(body, LINK_MS_A_DAY);
		cells_age(&body->cells, 1);
		json_array_append_new(list, day_json(nuki, &day, (wall_t){ begin + DAY_S }));
	}
	/* The clock has gone wrong by so much in them. */
	nuki->clock_offset_s += (int64_t) (nuki->drift_s_per_day * days);
	body->is_door_open = was_open;
	nuki_changed(nuki, NUKI_TRIGGER_BUTTON);
	*ret = list;
	return 0;
}

int nuki_person_change(struct sim_lock *lock, const char *chemistry, mono_t now, char *why) {
	struct nuki *nuki = nuki_of(lock);
	enum cell_chemistry next = nuki->body.cells.chemistry;
	int r = is_busy(nuki, why);
	if (r == 0 && chemistry != NULL && cell_chemistry_from_name(chemistry, &next) < 0) {
		snprintf(why, SIM_TEXT_MAX, "%s: alkaline, lithium or nimh is needed", chemistry);
		r = -EINVAL;
	}
	if (r < 0) {
		return r;
	}
	double celsius = nuki->body.cells.celsius;
	cells_init(&nuki->body.cells, next);
	nuki->body.cells.celsius = celsius;
	nuki->body.last_lowest_mv = 0;
	nuki_set_clock(nuki, (wall_t){ LOST_CLOCK_S });
	nuki_changed(nuki, NUKI_TRIGGER_SYSTEM);
	return nuki_impl.reboot(lock, now, why);
}
