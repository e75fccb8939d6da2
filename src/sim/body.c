/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "body.h"

#include <errno.h>
#include <string.h>

#include "util/auto.h"
#include "util/text.h"

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
		.percent = 100,
		.due = MONO_NEVER,
		.drained_at = { 0 },
		.hold_ms = 3000,
		.impl = impl,
		.user = user,
	};
}

unsigned body_percent(const struct body *body) {
	return body->percent <= 0 ? 0 : (unsigned) (body->percent + 0.5);
}

unsigned body_millivolt(const struct body *body) {
	/* Four alkaline cells: 6.2 V fresh, 4.2 V empty, the knee at the end left out. */
	return 4200 + (unsigned) (body->percent * 20);
}

static void begin(struct body *body, enum motor step, mono_t now) {
	body->motor = step;
	unsigned ms = 0;
	bool is_hindered = body->is_jammed;
	switch (step) {
	case MOTOR_LOCKING:
		ms = MOTOR_LOCK_MS;
		body->motor_lock++;
		break;
	case MOTOR_UNLOCKING:
		ms = MOTOR_UNLOCK_MS;
		body->motor_unlock++;
		break;
	case MOTOR_UNLATCHING:
		ms = MOTOR_UNLATCH_MS;
		body->motor_unlatch++;
		break;
	case MOTOR_HOLDING:
		ms = body->hold_ms;
		body->bolt = BOLT_UNLATCHED;
		is_hindered = false;
		break;
	case MOTOR_RUN_IN:
		ms = MOTOR_RUN_IN_MS;
		break;
	case MOTOR_IDLE:
		break;
	}
	if (is_hindered) {
		ms = MOTOR_BLOCKED_MS;
	}
	body->last_degrees = is_hindered ? 140 : step == MOTOR_UNLATCHING ? 45 : 720;
	body->last_current_ma = is_hindered ? 1350 : 420;
	body->last_start_mv = body_millivolt(body);
	body->last_lowest_mv = body->last_start_mv - 250 - (unsigned) ((100 - body->percent) * 6);
	if (step != MOTOR_HOLDING) {
		body->percent = body->percent > 0.01 ? body->percent - 0.01 : 0;
	}
	body->due = mono_after(now, ms);
}

int body_run(struct body *body, const enum motor *steps, mono_t now) {
	if (body->motor != MOTOR_IDLE || body->queued[0] != MOTOR_IDLE) {
		return -EBUSY;
	}
	if (body->percent < BATTERY_DEAD_PERCENT) {
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

int body_turn(struct body *body, bool to_locked, mono_t now) {
	if (body->motor != MOTOR_IDLE || body->queued[0] != MOTOR_IDLE) {
		return -EBUSY;
	}
	body->is_blocked = false;
	body->bolt = to_locked ? BOLT_LOCKED : BOLT_UNLOCKED;
	body->impl->moved(body->user, now);
	return 0;
}

/* The motor's present step has taken its time: what is true now? */
static enum motor_result settle(struct body *body) {
	if (body->is_jammed && body->motor != MOTOR_IDLE && body->motor != MOTOR_HOLDING) {
		body->is_blocked = true;
		body->bolt = BOLT_UNKNOWN;
		return MOTOR_BLOCKED;
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
	if (body->drain_percent_per_hour == 0 || body->percent <= 0) {
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
		body->percent = body->percent > 1 ? body->percent - 1 : 0;
		body->impl->drained(body->user, now);
	}
	while (mono_is_due(body->due, now)) {
		/* In order of what was due, also when a turn of the loop came late. */
		step(body, body->due);
	}
}

json_t *body_save(const struct body *body) {
	return json_pack("{s:s, s:b, s:b, s:b, s:b, s:f, s:i, s:i, s:i}", "bolt",
		bolt_text(body->bolt), "jammed", body->is_jammed, "blocked", body->is_blocked,
		"calibrated", body->is_calibrated, "door-open", body->is_door_open, "battery",
		body->percent, "motor-lock", (int) body->motor_lock, "motor-unlock",
		(int) body->motor_unlock, "motor-unlatch", (int) body->motor_unlatch);
}

int body_load(struct body *body, const json_t *memory) {
	const char *bolt = NULL;
	int jammed = 0, blocked = 0, calibrated = 0, door_open = 0, n_lock = 0, n_unlock = 0,
	    n_unlatch = 0, value = 0;
	double percent = 0;
	if (json_unpack((json_t *) memory, "{s:s, s:b, s:b, s:b, s:b, s:F, s:i, s:i, s:i}", "bolt",
		    &bolt, "jammed", &jammed, "blocked", &blocked, "calibrated", &calibrated,
		    "door-open", &door_open, "battery", &percent, "motor-lock", &n_lock,
		    "motor-unlock", &n_unlock, "motor-unlatch", &n_unlatch) < 0 ||
		name_to(bolt_names, ARRAY_SIZE(bolt_names), bolt, &value) < 0) {
		return -EINVAL;
	}
	body->bolt = (enum bolt) value;
	body->is_jammed = jammed;
	body->is_blocked = blocked;
	body->is_calibrated = calibrated;
	body->is_door_open = door_open;
	body->percent = percent;
	body->motor_lock = (unsigned) n_lock;
	body->motor_unlock = (unsigned) n_unlock;
	body->motor_unlatch = (unsigned) n_unlatch;
	return 0;
}
