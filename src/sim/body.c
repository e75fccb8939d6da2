/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "body.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/lock.h"
#include "util/auto.h"
#include "util/text.h"
#include "words.h"

#define HOUR_MS 3600000.0

static const struct name_row bolt_names[] = {
	{ BOLT_UNKNOWN, "unknown" },
	{ BOLT_LOCKED, "locked" },
	{ BOLT_UNLOCKED, "unlocked" },
	{ BOLT_UNLATCHED, "unlatched" },
};

const char *bolt_text(enum bolt bolt) {
	return name_of(bolt_names, ARRAY_SIZE(bolt_names), (int) bolt);
}

void body_init(struct body *body, const struct body_user *impl, void *user) {
	*body = (struct body){
		.bolt = BOLT_LOCKED,
		.is_calibrated = true,
		.friction = FRICTION_EASY,
		.friction_shut = FRICTION_EASY,
		.due = MONO_NEVER,
		.drained_at = { 0 },
		.hold_ms = 3000,
		.impl = impl,
		.user = user,
	};
	cells_init(&body->cells, CELL_ALKALINE);
}

/* ---- battery ---- */

unsigned body_millivolt(const struct body *body, mono_t now) {
	return cells_rest_mv(&body->cells, now);
}

unsigned body_percent(const struct body *body, mono_t now) {
	return cells_percent_of_mv(body->is_chemistry_set ? body->believed : body->cells.chemistry,
		body_millivolt(body, now));
}

bool body_is_critical(const struct body *body, mono_t now) {
	return body_percent(body, now) <= BATTERY_CRITICAL_PERCENT ||
	       (body->last_lowest_mv != 0 && body->last_lowest_mv < BATTERY_CRITICAL_MV);
}

void body_link_ended(struct body *body, unsigned ms) {
	cells_draw(&body->cells, ms / 1000.0 * BATTERY_PERCENT_PER_LINK_S);
}

/* ---- what is in the way ---- */

int jam_from_text(const char *text, struct jam *ret) {
	struct jam jam = { .is_on = !text_equal(text, "off"), .percent = 100 };
	char copy[JAM_TEXT_MAX];
	if (strlen(text) >= sizeof(copy)) {
		return -EINVAL;
	}
	text_copy(copy, sizeof(copy), text);
	char *rest = copy;
	for (char *word; (word = strsep(&rest, "+")) != NULL;) {
		uint64_t percent = 0;
		size_t n = strlen(word);
		if (n > 1 && word[n - 1] == '%') {
			word[n - 1] = '\0';
			if (text_to_u64(word, 0, 100, &percent) < 0) {
				return -EINVAL;
			}
			jam.percent = (unsigned) percent;
		} else if (text_equal(word, "shut")) {
			jam.only_shut = true;
		} else if (text_equal(word, "lock")) {
			jam.only_locking = true;
		} else if (!text_equal(text, "on") && !text_equal(text, "off")) {
			return -EINVAL;
		}
	}
	*ret = jam;
	return 0;
}

const char *jam_text(const struct jam *jam, char out[static JAM_TEXT_MAX]) {
	if (!jam->is_on || jam->percent == 0) {
		text_copy(out, JAM_TEXT_MAX, "off");
		return out;
	}
	size_t n = 0;
	out[0] = '\0';
	if (jam->only_shut) {
		n += (size_t) snprintf(out + n, JAM_TEXT_MAX - n, "+shut");
	}
	if (jam->only_locking) {
		n += (size_t) snprintf(out + n, JAM_TEXT_MAX - n, "+lock");
	}
	if (jam->percent < 100) {
		n += (size_t) snprintf(out + n, JAM_TEXT_MAX - n, "+%u%%", jam->percent % 100);
	}
	if (n == 0) {
		text_copy(out, JAM_TEXT_MAX, "on");
	} else {
		memmove(out, out + 1, n);
	}
	return out;
}

static bool meets_jam(const struct body *body, enum motor step) {
	const struct jam *jam = &body->jam;
	if (!jam->is_on || (jam->only_shut && body->is_door_open) ||
		(jam->only_locking && step != MOTOR_LOCKING)) {
		return false;
	}
	/* Chance is asked for only when it decides: tests give it out. */
	return jam->percent >= 100 ||
	       (jam->percent > 0 && body->impl->chance(body->user, 100) < jam->percent);
}

static unsigned friction_of(const struct body *body, enum motor step) {
	bool is_binding = step == MOTOR_LOCKING && !body->is_door_open &&
			  body->friction_shut > body->friction;
	return is_binding ? body->friction_shut : body->friction;
}

enum motor_result body_try(struct body *body, enum motor step, mono_t now) {
	static const unsigned usual_ms[] = {
		[MOTOR_LOCKING] = MOTOR_LOCK_MS,
		[MOTOR_UNLOCKING] = MOTOR_UNLOCK_MS,
		[MOTOR_UNLATCHING] = MOTOR_UNLATCH_MS,
		[MOTOR_RUN_IN] = MOTOR_RUN_IN_MS,
	};
	unsigned friction = friction_of(body, step);
	body->is_hindered = friction >= FRICTION_STALLS || meets_jam(body, step);
	body->last_start_mv = body_millivolt(body, now);
	body->last_current_ma =
		body->is_hindered ? MOTOR_STALL_MA : MOTOR_RUN_MA * friction / FRICTION_EASY;
	body->last_lowest_mv = cells_load_mv(&body->cells, body->last_current_ma, now);
	body->is_weak = !body->is_hindered && body->last_lowest_mv < MOTOR_LEAST_MV;
	double slower = body->last_lowest_mv >= MOTOR_FULL_MV || body->last_lowest_mv == 0
				? 1
				: (double) MOTOR_FULL_MV / body->last_lowest_mv;
	double ms = usual_ms[step] * slower *
		    (1 + (double) (friction > FRICTION_EASY ? friction - FRICTION_EASY : 0) /
				    (2 * FRICTION_EASY));
	body->last_ms = body->is_hindered || body->is_weak ? MOTOR_BLOCKED_MS : (unsigned) ms;
	body->last_degrees = body->is_hindered || body->is_weak ? 140
			     : step == MOTOR_UNLATCHING         ? 45
								: 720;
	double ampere_s = body->last_current_ma / 1000.0 * body->last_ms / 1000.0;
	body->last_mws = (unsigned) (ampere_s * body->last_lowest_mv);
	cells_draw(&body->cells, ampere_s * BATTERY_PERCENT_PER_AMPERE_S);
	return body->is_hindered ? MOTOR_BLOCKED : body->is_weak ? MOTOR_LOW_VOLTAGE : MOTOR_OK;
}

/* ---- motor ---- */

static void begin(struct body *body, enum motor step, mono_t now) {
	body->motor = step;
	unsigned ms = 0;
	switch (step) {
	case MOTOR_LOCKING:
		body->motor_lock++;
		break;
	case MOTOR_UNLOCKING:
		body->motor_unlock++;
		break;
	case MOTOR_UNLATCHING:
		body->motor_unlatch++;
		break;
	case MOTOR_HOLDING:
		ms = body->hold_ms;
		body->bolt = BOLT_UNLATCHED;
		break;
	case MOTOR_RUN_IN:
	case MOTOR_IDLE:
		break;
	}
	if (step == MOTOR_HOLDING) {
		body->is_hindered = body->is_weak = false;
	} else {
		body_try(body, step, now);
		ms = body->last_ms;
	}
	body->due = mono_after(now, ms);
}

int body_run(struct body *body, const enum motor *steps, mono_t now) {
	if (body->motor != MOTOR_IDLE || body->queued[0] != MOTOR_IDLE) {
		return -EBUSY;
	}
	if (body->cells.percent < BATTERY_DEAD_PERCENT) {
		return -EHOSTDOWN;
	}
	size_t n = 0;
	for (; n < ARRAY_SIZE(body->queued) && steps[n] != MOTOR_IDLE; n++) {
		body->queued[n] = steps[n];
	}
	for (; n < ARRAY_SIZE(body->queued); n++) {
		body->queued[n] = MOTOR_IDLE;
	}
	body->is_blocked = false;
	body->due = mono_after(now, MOTOR_START_MS);
	return 0;
}

void body_stop(struct body *body) {
	memset(body->queued, 0, sizeof(body->queued));
	body->motor = MOTOR_IDLE;
	body->due = MONO_NEVER;
}

int body_turn(struct body *body, bool to_locked, mono_t now, char *why) {
	if (body->motor != MOTOR_IDLE || body->queued[0] != MOTOR_IDLE) {
		snprintf(why, SIM_TEXT_MAX, "the motor is turning");
		return -EBUSY;
	}
	body->is_blocked = false;
	body->bolt = to_locked ? BOLT_LOCKED : BOLT_UNLOCKED;
	body->impl->moved(body->user, now);
	return 0;
}

/* The motor's present step has taken its time: what is true now? */
static enum motor_result settle(struct body *body) {
	if (body->motor != MOTOR_IDLE && (body->is_hindered || body->is_weak)) {
		body->is_blocked = body->is_hindered;
		body->bolt = BOLT_UNKNOWN;
		return body->is_hindered ? MOTOR_BLOCKED : MOTOR_LOW_VOLTAGE;
	}
	switch (body->motor) {
	case MOTOR_LOCKING:
		body->bolt = BOLT_LOCKED;
		break;
	case MOTOR_UNLOCKING:
	case MOTOR_HOLDING:
		body->bolt = BOLT_UNLOCKED;
		break;
	case MOTOR_RUN_IN:
		body->bolt = BOLT_UNLOCKED;
		body->is_calibrated = true;
		break;
	case MOTOR_UNLATCHING:
	case MOTOR_IDLE:
		break;
	}
	return MOTOR_OK;
}

static void step(struct body *body, mono_t now) {
	enum motor_result result = settle(body);
	body->motor = MOTOR_IDLE;
	body->due = MONO_NEVER;
	if (result != MOTOR_OK) {
		memset(body->queued, 0, sizeof(body->queued));
		body->impl->moved(body->user, now);
		body->impl->done(body->user, result, now);
		return;
	}
	enum motor next = body->queued[0];
	if (next != MOTOR_IDLE) {
		memmove(body->queued, body->queued + 1, sizeof(body->queued) - sizeof(next));
		body->queued[ARRAY_SIZE(body->queued) - 1] = MOTOR_IDLE;
		begin(body, next, now);
		body->impl->moved(body->user, now);
		return;
	}
	body->impl->moved(body->user, now);
	body->impl->done(body->user, MOTOR_OK, now);
}

static mono_t drain_due(const struct body *body) {
	if (body->drain_percent_per_hour == 0 || body->cells.percent <= 0) {
		return MONO_NEVER;
	}
	return mono_after(body->drained_at, (int64_t) (HOUR_MS / body->drain_percent_per_hour));
}

mono_t body_next_due(const struct body *body) {
	return mono_min(body->due, drain_due(body));
}

void body_tick(struct body *body, mono_t now) {
	while (mono_is_due(drain_due(body), now)) {
		body->drained_at = drain_due(body);
		cells_draw(&body->cells, 1);
		body->impl->drained(body->user, now);
	}
	while (mono_is_due(body->due, now)) {
		/* In order of what was due, also when a turn of the loop came late. */
		step(body, body->due);
	}
}

json_t *body_save(const struct body *body) {
	char jam[JAM_TEXT_MAX];
	json_t *memory = json_pack("{s:s, s:s, s:b, s:b, s:b, s:i, s:i, s:i, s:i, s:i}", "bolt",
		bolt_text(body->bolt), "jam", jam_text(&body->jam, jam), "blocked",
		body->is_blocked, "calibrated", body->is_calibrated, "door-open",
		body->is_door_open, "motor-lock", (int) body->motor_lock, "motor-unlock",
		(int) body->motor_unlock, "motor-unlatch", (int) body->motor_unlatch, "friction",
		(int) body->friction, "friction-shut", (int) body->friction_shut);
	json_object_set_new(memory, "cells",
		json_pack("{s:s, s:f, s:f, s:f, s:f, s:s}", "chemistry",
			cell_chemistry_name(body->cells.chemistry), "percent", body->cells.percent,
			"age", body->cells.age_days, "worn", body->cells.worn, "celsius",
			body->cells.celsius, "believed",
			body->is_chemistry_set ? cell_chemistry_name(body->believed) : "auto"));
	return memory;
}

static int load_cells(struct body *body, json_t *saved) {
	struct cells cells;
	const char *chemistry = NULL, *believed = NULL;
	cells_init(&cells, CELL_ALKALINE);
	if (json_unpack(saved, "{s:s, s:F, s:F, s:F, s:F, s:s}", "chemistry", &chemistry, "percent",
		    &cells.percent, "age", &cells.age_days, "worn", &cells.worn, "celsius",
		    &cells.celsius, "believed", &believed) < 0 ||
		cell_chemistry_from_name(chemistry, &cells.chemistry) < 0) {
		return -EINVAL;
	}
	body->is_chemistry_set = !text_equal(believed, "auto");
	if (body->is_chemistry_set && cell_chemistry_from_name(believed, &body->believed) < 0) {
		return -EINVAL;
	}
	body->cells = cells;
	return 0;
}

int body_load(struct body *body, const json_t *memory) {
	const char *bolt = NULL, *jam = NULL;
	json_t *cells = NULL;
	int blocked = 0, calibrated = 0, door_open = 0, n_lock = 0, n_unlock = 0, n_unlatch = 0,
	    friction = 0, friction_shut = 0, value = 0;
	if (json_unpack((json_t *) memory,
		    "{s:s, s:s, s:b, s:b, s:b, s:i, s:i, s:i, s:i, s:i, s:o}", "bolt", &bolt, "jam",
		    &jam, "blocked", &blocked, "calibrated", &calibrated, "door-open", &door_open,
		    "motor-lock", &n_lock, "motor-unlock", &n_unlock, "motor-unlatch", &n_unlatch,
		    "friction", &friction, "friction-shut", &friction_shut, "cells", &cells) < 0 ||
		name_to(bolt_names, ARRAY_SIZE(bolt_names), bolt, &value) < 0 ||
		jam_from_text(jam, &body->jam) < 0 || load_cells(body, cells) < 0) {
		return -EINVAL;
	}
	body->bolt = (enum bolt) value;
	body->is_blocked = blocked;
	body->is_calibrated = calibrated;
	body->is_door_open = door_open;
	body->friction = (unsigned) friction;
	body->friction_shut = (unsigned) friction_shut;
	body->motor_lock = (unsigned) n_lock;
	body->motor_unlock = (unsigned) n_unlock;
	body->motor_unlatch = (unsigned) n_unlatch;
	return 0;
}

int body_set_jam(struct body *body, const char *how, char *why) {
	const int r = jam_from_text(how, &body->jam);

	if (r < 0) {
		snprintf(why, SIM_TEXT_MAX,
			"%s: on, off, or some of shut, lock and 40%% joined by + is needed", how);
	}
	return r;
}

int body_set_battery(struct body *body, unsigned percent, char *why) {
	if (percent > 100) {
		snprintf(why, SIM_TEXT_MAX, "a battery has 0 to 100 percent");
		return -EINVAL;
	}
	body->cells.percent = percent;
	body->cells.tired_mv = 0;
	body->last_lowest_mv = 0;
	return 0;
}

static void body_set_drain(struct body *body, unsigned percent_per_hour, mono_t now) {
	body->drain_percent_per_hour = percent_per_hour;
	body->drained_at = now;
}

int body_move_door(struct body *body, bool is_open, char *why) {
	if (is_open && body->bolt == BOLT_LOCKED && !body->is_frame_broken) {
		snprintf(why, SIM_TEXT_MAX, "the door is locked");
		return -EPERM;
	}
	if (is_open == body->is_door_open) {
		return 0;
	}
	body->is_door_open = is_open;
	return 1;
}

int body_set_bolt(struct body *body, const char *value, char *why) {
	if (!text_equal(value, "locked") && !text_equal(value, "unlocked")) {
		return words_bad(why, "bolt", value, "locked or unlocked is needed");
	}
	body->bolt = text_equal(value, "locked") ? BOLT_LOCKED : BOLT_UNLOCKED;
	return 0;
}

int body_person_turn(struct sim_lock *lock, bool to_locked, mono_t now, char *why) {
	return body_turn(lock->body, to_locked, now, why);
}

int body_person_jam(struct sim_lock *lock, const char *how, char *why) {
	return body_set_jam(lock->body, how, why);
}

int body_person_drain(struct sim_lock *lock, unsigned percent_per_hour, mono_t now, char *why) {
	(void) why;
	body_set_drain(lock->body, percent_per_hour, now);
	return 0;
}

void body_count(const struct body *body, struct sim_counters *counters) {
	counters->motor_lock += body->motor == MOTOR_LOCKING;
	counters->motor_unlock += body->motor == MOTOR_UNLOCKING;
	counters->motor_unlatch += body->motor == MOTOR_UNLATCHING;
}
