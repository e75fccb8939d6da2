/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Time control: what the lock does by itself at a time of day of its own wall clock.
 *
 * Source: docs/protocols/nuki.md 8.
 */

#include "machine.h"

#include "slots.h"
#include "util/auto.h"

#define CHANGE (STEP_PIN | STEP_CHANGES)
#define DAY_MINUTES 1440

/* The first of a kind is what we send; "full lock" is told as a lock too. */
static const struct {
	enum act act;
	uint8_t action;
} actions[] = {
	{ ACT_UNLOCK, NUKI_ACTION_UNLOCK },
	{ ACT_LOCK, NUKI_ACTION_LOCK },
	{ ACT_UNLATCH, NUKI_ACTION_UNLATCH },
	{ ACT_LOCK_N_GO, NUKI_ACTION_LOCK_N_GO },
	{ ACT_LOCK_N_GO_UNLATCH, NUKI_ACTION_LOCK_N_GO_UNLATCH },
	{ ACT_LOCK, NUKI_ACTION_FULL_LOCK },
};

static uint8_t action_of(enum act act) {
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (actions[i].act == act) {
			return actions[i].action;
		}
	}
	return NUKI_ACTION_NONE;
}

static enum act act_of(uint8_t action) {
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (actions[i].action == action) {
			return actions[i].act;
		}
	}
	return ACT_NONE;
}

int64_t nuki_timer_ref(uint8_t entry_id) {
	return entry_id != 0 ? entry_id : NUKI_TIMER_REF_MAX;
}

void nuki_timer_from(const struct nuki_time_control *entry, struct lock_timer *ret) {
	*ret = (struct lock_timer){
		.ref = nuki_timer_ref(entry->entry_id),
		.is_enabled = entry->enabled != 0,
		.days = nuki_days_to_mask(entry->weekdays),
		.minute = (int16_t) (entry->time.hour * 60 + entry->time.minute),
		.act = act_of(entry->action),
	};
}

static void fill_timer(const struct nuki_session *session, struct nuki_message *message) {
	const struct lock_timer *timer = &session->job.timer;

	/* Of one that was only just added, the lock has told the id. */
	message->time_control.entry_id = (uint8_t) session->ref;
	message->time_control.enabled = timer->is_enabled;
	message->time_control.weekdays = nuki_days_from_mask(timer->days);
	message->time_control.time.hour = (uint8_t) (timer->minute / 60);
	message->time_control.time.minute = (uint8_t) (timer->minute % 60);
	message->time_control.action = action_of(timer->act);
}

static void fill_id(const struct nuki_session *session, struct nuki_message *message) {
	message->time_control.entry_id = (uint8_t) session->job.timer.ref;
}

/* clang-format off */
#define ADD { NUKI_ADD_TIME_CONTROL, 0, NUKI_TIME_CONTROL_ID, CHANGE, fill_timer }
#define UPDATE { NUKI_UPDATE_TIME_CONTROL, 0, NUKI_STATUS, CHANGE, fill_timer }

static const struct nuki_plan add_timer = { ACT_PUT_TIMER, 1, { ADD } };
/* A new one is always enabled. */
static const struct nuki_plan add_disabled_timer = { ACT_PUT_TIMER, 2, { ADD, UPDATE } };
static const struct nuki_plan update_timer = { ACT_PUT_TIMER, 1, { UPDATE } };
static const struct nuki_plan remove_timer = { ACT_REMOVE_TIMER, 1, {
	{ NUKI_REMOVE_TIME_CONTROL, 0, NUKI_STATUS, CHANGE, fill_id } } };
/* clang-format on */

int nuki_timer_plan(
	const struct nuki_session *session, const struct nuki_plan **ret, struct fault *ret_fault) {
	const struct lock_timer *timer = &session->job.timer;
	const bool is_put = session->job.act == ACT_PUT_TIMER;

	if (timer->ref < (is_put ? 0 : 1) || timer->ref > NUKI_TIMER_REF_MAX) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "no id of a Nuki: %lld",
			(long long) timer->ref);
	}
	if (!is_put) {
		*ret = &remove_timer;
		return 0;
	}
	if (action_of(timer->act) == NUKI_ACTION_NONE) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "a Nuki has no timer for %s",
			act_name(timer->act));
	}
	if ((timer->days & ~DAYS_ALL) != 0 || timer->minute < 0 || timer->minute >= DAY_MINUTES) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "a time beyond the days of a week or a day");
	}
	*ret = timer->ref != 0     ? &update_timer
	       : timer->is_enabled ? &add_timer
				   : &add_disabled_timer;
	return 0;
}
