/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

/* Lock actions (nuki.md 7.1), whoever asks: radio, button, fob, keypad, timer. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/bytes.h"
#include "util/text.h"

#define MINUTE_S 60
#define DAY_S 86400

static bool is_locked(const struct nuki *nuki) {
	return nuki->body.bolt == BOLT_LOCKED && !nuki->body.is_blocked;
}

static bool is_open(const struct nuki *nuki) {
	return (nuki->body.bolt == BOLT_UNLOCKED || nuki->body.bolt == BOLT_UNLATCHED) &&
	       !nuki->body.is_blocked;
}

/* Fills @steps (at most 4) with what the motor has to do; none when there is nothing to do. */
static void plan(const struct nuki *nuki, uint8_t action, enum motor *steps) {
	size_t n = 0;
	switch (action) {
	case NUKI_ACTION_LOCK:
	case NUKI_ACTION_FULL_LOCK:
		if (!is_locked(nuki)) {
			steps[n++] = MOTOR_LOCKING;
		}
		break;
	case NUKI_ACTION_UNLOCK:
	case NUKI_ACTION_LOCK_N_GO:
		if (!is_open(nuki)) {
			steps[n++] = MOTOR_UNLOCKING;
		}
		break;
	case NUKI_ACTION_UNLATCH:
	case NUKI_ACTION_LOCK_N_GO_UNLATCH:
		if (!is_open(nuki)) {
			steps[n++] = MOTOR_UNLOCKING;
		}
		steps[n++] = MOTOR_UNLATCHING;
		steps[n++] = MOTOR_HOLDING;
		break;
	case NUKI_ACTION_CALIBRATE:
		steps[n++] = MOTOR_RUN_IN;
		break;
	default:
		break;
	}
	steps[n] = MOTOR_IDLE;
}

static void count(struct nuki *nuki, uint8_t action) {
	struct sim_counters *counters = &nuki->base.counters;
	if (action == NUKI_ACTION_LOCK || action == NUKI_ACTION_FULL_LOCK) {
		counters->commands_lock++;
	} else if (action == NUKI_ACTION_UNLATCH || action == NUKI_ACTION_LOCK_N_GO_UNLATCH) {
		counters->commands_unlatch++;
	} else if (action == NUKI_ACTION_UNLOCK || action == NUKI_ACTION_LOCK_N_GO) {
		counters->commands_unlock++;
	}
}

static void note_result(struct nuki *nuki, uint8_t status) {
	nuki->last_action = nuki->run.action == NUKI_ACTION_CALIBRATE ? 0 : nuki->run.action;
	nuki->last_trigger = nuki->run.trigger;
	nuki->last_status = status;
}

static void tell_end(struct nuki *nuki, uint8_t error) {
	struct nuki_run *run = &nuki->run;
	struct nuki_auth *auth = nuki_auth_find(nuki, run->auth_id);
	if (run->link < 0 || auth == NULL) {
		return;
	}
	if (error == 0) {
		nuki_send_status(nuki, run->link, auth, NUKI_STATUS_COMPLETE);
	} else {
		nuki_send_error(nuki, run->link, auth, error, run->command);
	}
}

/* The end of a run that went well, also of one for which no motor was needed. */
static void finish(struct nuki *nuki) {
	struct nuki_run *run = &nuki->run;
	note_result(nuki, 0);
	if (run->action == NUKI_ACTION_LOCK_N_GO || run->action == NUKI_ACTION_LOCK_N_GO_UNLATCH) {
		nuki->lock_n_go_until = mono_after(nuki->now, nuki->advanced.lock_n_go_s * 1000);
	}
	nuki_changed(nuki, run->trigger);
	nuki_log_action(nuki, run, 0);
	tell_end(nuki, 0);
	run->is_active = false;
	nuki_arm_auto_lock(nuki);
}

int nuki_start(struct nuki *nuki, const struct nuki_run *run) {
	enum motor steps[5];
	if (nuki->run.is_active) {
		return NUKI_E_BUSY;
	}
	if (!nuki->body.is_calibrated && run->action != NUKI_ACTION_CALIBRATE) {
		return NUKI_E_NOT_CALIBRATED;
	}
	plan(nuki, run->action, steps);
	if (steps[0] != MOTOR_IDLE) {
		nuki->body.hold_ms = nuki->advanced.unlatch_s * 1000U;
		int r = body_run(&nuki->body, steps, nuki->now);
		if (r == -EBUSY) {
			return NUKI_E_BUSY;
		}
		if (r < 0) {
			nuki->last_action = run->action;
			nuki->last_trigger = run->trigger;
			nuki->last_status = 0x05;
			nuki_log_action(nuki, run, 0x05);
			return NUKI_E_MOTOR_LOW_VOLTAGE;
		}
	}
	nuki->lock_n_go_until = MONO_NEVER;
	nuki->auto_lock_at = MONO_NEVER;
	nuki->run = *run;
	nuki->run.is_active = true;
	nuki->trigger = run->trigger;
	struct nuki_auth *auth = nuki_auth_find(nuki, run->auth_id);
	if (auth != NULL) {
		auth->uses++;
		if (run->link >= 0) {
			nuki_send_status(nuki, run->link, auth, NUKI_STATUS_ACCEPTED);
		}
	}
	if (steps[0] == MOTOR_IDLE) {
		finish(nuki);
	}
	return 0;
}

void nuki_body_done(struct nuki *nuki, enum motor_result result) {
	struct nuki_run *run = &nuki->run;
	if (!run->is_active) {
		return;
	}
	if (result == MOTOR_OK) {
		finish(nuki);
		return;
	}
	uint8_t status = result == MOTOR_LOW_VOLTAGE ? 0x05 : 0x01;
	note_result(nuki, status);
	nuki_changed(nuki, run->trigger);
	nuki_log_action(nuki, run, status);
	tell_end(nuki,
		result == MOTOR_LOW_VOLTAGE ? NUKI_E_MOTOR_LOW_VOLTAGE : NUKI_E_MOTOR_BLOCKED);
	run->is_active = false;
}

/* ---- by radio ---- */

static uint8_t fob_action(const struct nuki *nuki, unsigned presses) {
	static const uint8_t actions[] = { NUKI_ACTION_NONE, NUKI_ACTION_UNLOCK, NUKI_ACTION_LOCK,
		NUKI_ACTION_LOCK_N_GO };
	uint8_t what = nuki->config.fob[presses < 1 ? 0 : presses > 3 ? 2 : presses - 1];
	if (what == 4) { /* intelligent */
		return is_locked(nuki) ? NUKI_ACTION_UNLOCK : NUKI_ACTION_LOCK;
	}
	return what < ARRAY_SIZE(actions) ? actions[what] : NUKI_ACTION_NONE;
}

static int by_radio(struct nuki_call *call, uint8_t action, uint8_t flags, const char *suffix) {
	struct nuki *nuki = call->nuki;
	if (!nuki_window_open(nuki, &call->auth->window)) {
		return NUKI_E_TIME_NOT_ALLOWED;
	}
	struct nuki_run run = {
		.action = action,
		.trigger = NUKI_TRIGGER_SYSTEM,
		.flags = flags & 1,
		.link = call->link,
		.auth_id = call->auth->id,
		.command = call->command,
		.log_type =
			action == NUKI_ACTION_CALIBRATE ? NUKI_LOG_CALIBRATION : NUKI_LOG_ACTION,
	};
	char name[NUKI_NAME_LEN + 24];
	snprintf(name, sizeof(name), "%s%s%s", call->auth->name, suffix[0] == '\0' ? "" : " ",
		suffix);
	text_copy(run.name, sizeof(run.name), name);
	int error = nuki_start(nuki, &run);
	if (error == 0) {
		count(nuki, action);
	}
	return error;
}

int nuki_do_lock_action(struct nuki_call *call) {
	if (call->n_args != 6 && call->n_args != 26) {
		return NUKI_E_BAD_LENGTH;
	}
	char suffix[21] = "";
	struct rd rd = rd_on(call->args, call->n_args);
	uint8_t action = rd_u8(&rd);
	rd_skip(&rd, 4); /* app id: real locks accept any */
	uint8_t flags = rd_u8(&rd);
	if (call->n_args == 26) {
		rd_text(&rd, 20, suffix);
	}
	if (action >= NUKI_ACTION_FOB_1 && action <= NUKI_ACTION_FOB_3) {
		action = fob_action(call->nuki, action - NUKI_ACTION_FOB_1 + 1U);
	}
	if (action < NUKI_ACTION_UNLOCK || action > NUKI_ACTION_FULL_LOCK) {
		return NUKI_E_BAD_PARAMETER;
	}
	return by_radio(call, action, flags, suffix);
}

int nuki_do_simple_action(struct nuki_call *call) {
	uint8_t action = call->args[0];
	if (action != NUKI_ACTION_UNLOCK && action != NUKI_ACTION_LOCK) {
		return NUKI_E_BAD_PARAMETER;
	}
	return by_radio(call, action, 0, "");
}

int nuki_do_calibration(struct nuki_call *call) {
	return by_radio(call, NUKI_ACTION_CALIBRATE, 0, "");
}

/* ---- keypad ---- */

static void log_keypad(struct nuki *nuki, uint8_t action, uint8_t source, uint8_t status,
	const struct nuki_code *code) {
	uint16_t id = code == NULL ? NUKI_NO_CODE_ID : code->id;
	const uint8_t data[] = { action, source, status, (uint8_t) id, (uint8_t) (id >> 8) };
	nuki_log_add(nuki, NUKI_LOG_KEYPAD, 0, code == NULL ? "" : code->name, data, sizeof(data));
}

static bool is_keypad_locked(const struct nuki *nuki) {
	return !mono_is_due(nuki->code_locked_until, nuki->now);
}

/* 8: after the fifth, tenth ... wrong one nobody is let in for a while, whatever they enter. */
static void count_failure(struct nuki *nuki) {
	nuki->code_failures++;
	if (nuki->code_failures % NUKI_CODE_TRIES == 0) {
		nuki->code_locked_until = mono_after(nuki->now,
			nuki->code_failures >= NUKI_CODE_TRIES_MORE ? NUKI_CODE_LOCKED_MORE_MS
								    : NUKI_CODE_LOCKED_MS);
	}
}

static const char *what_is_wrong(struct nuki *nuki, const struct nuki_code *code) {
	return code == NULL                             ? "the lock does not know this"
	       : !code->is_enabled                      ? "this code is disabled"
	       : !nuki_window_open(nuki, &code->window) ? "this code is not valid now"
							: NULL;
}

static int keypad_action(
	const struct nuki *nuki, enum sim_keypad what, const char *name, uint8_t *ret, char *why) {
	static const struct name_row actions[] = {
		{ NUKI_ACTION_UNLOCK, "unlock" },
		{ NUKI_ACTION_LOCK, "lock" },
		{ NUKI_ACTION_UNLATCH, "unlatch" },
	};
	/* Without a code a door is only ever locked. */
	int action =
		what == SIM_KEYPAD_KEY || !is_locked(nuki) ? NUKI_ACTION_LOCK : NUKI_ACTION_UNLOCK;
	if (name != NULL && name_to(actions, ARRAY_SIZE(actions), name, &action) < 0) {
		snprintf(why, SIM_TEXT_MAX, "%s: lock, unlock or unlatch is needed", name);
		return -EINVAL;
	}
	if (what == SIM_KEYPAD_KEY && action != NUKI_ACTION_LOCK) {
		snprintf(why, SIM_TEXT_MAX, "without a code the keypad only locks");
		return -EPERM;
	}
	*ret = (uint8_t) action;
	return 0;
}

int nuki_at_keypad(
	struct nuki *nuki, enum sim_keypad what, uint32_t number, const char *name, char *why) {
	static const uint8_t sources[] = {
		[SIM_KEYPAD_CODE] = 1,
		[SIM_KEYPAD_FINGER] = 2,
		[SIM_KEYPAD_KEY] = 0,
	};
	uint8_t action = 0;
	if (!nuki->config.has_keypad && !nuki->config.has_keypad2) {
		snprintf(why, SIM_TEXT_MAX,
			"this lock has no keypad (give it one: --lock keypad=1)");
		return -EOPNOTSUPP;
	}
	if (what == SIM_KEYPAD_FINGER && !nuki->config.has_keypad2) {
		snprintf(why, SIM_TEXT_MAX, "only a Keypad 2 reads fingers (--lock keypad=2)");
		return -EOPNOTSUPP;
	}
	int r = keypad_action(nuki, what, name, &action, why);
	if (r < 0) {
		return r;
	}
	if (is_keypad_locked(nuki)) {
		snprintf(why, SIM_TEXT_MAX, "the keypad is locked after too many wrong codes");
		return -EAGAIN;
	}
	struct nuki_code *code = what == SIM_KEYPAD_CODE ? nuki_code_by_value(nuki, number)
				 : what == SIM_KEYPAD_FINGER && number <= UINT16_MAX
					 ? nuki_code_find(nuki, (uint16_t) number)
					 : NULL;
	const char *wrong = what == SIM_KEYPAD_KEY ? NULL : what_is_wrong(nuki, code);
	if (wrong != NULL) {
		count_failure(nuki);
		log_keypad(nuki, NUKI_ACTION_NONE, sources[what],
			what == SIM_KEYPAD_FINGER ? 0xe1 : 0xe0, code);
		snprintf(why, SIM_TEXT_MAX, "%s", wrong);
		nuki_changed(nuki, nuki->trigger);
		return -EACCES;
	}
	struct nuki_run run = {
		.action = action,
		.trigger = NUKI_TRIGGER_SYSTEM,
		.link = -1,
		.log_type = NUKI_LOG_KEYPAD,
		.code_id = code == NULL ? NUKI_NO_CODE_ID : code->id,
		.source = sources[what],
	};
	if (code != NULL) {
		nuki->code_failures = 0;
		code->uses++;
		code->active = nuki_wall(nuki);
		text_copy(run.name, sizeof(run.name), code->name);
	}
	int error = nuki_start(nuki, &run);
	if (error != 0) {
		snprintf(why, SIM_TEXT_MAX, "the keypad is obeyed, but the lock says error 0x%02x",
			error);
		return -EIO;
	}
	return 0;
}

int nuki_do_keypad_action(struct nuki_call *call) {
	struct rd rd = rd_on(call->args, call->n_args);
	uint8_t source = rd_u8(&rd);
	uint32_t value = rd_u32le(&rd);
	uint8_t action = rd_u8(&rd);
	struct nuki_code *code = source == 1 ? nuki_code_by_value(call->nuki, value) : NULL;
	if (source > 1 || action > NUKI_ACTION_LOCK_N_GO) {
		return NUKI_E_BAD_PARAMETER;
	}
	if (is_keypad_locked(call->nuki)) {
		return NUKI_E_CODE_INVALID_TIMEOUT;
	}
	if (source == 1 && what_is_wrong(call->nuki, code) != NULL) {
		count_failure(call->nuki);
		log_keypad(call->nuki, action, source, 0xe0, code);
		return code != NULL && code->is_enabled ? NUKI_E_TIME_NOT_ALLOWED
							: NUKI_E_CODE_INVALID;
	}
	if (action == 0) {
		action = is_locked(call->nuki) ? NUKI_ACTION_UNLOCK : NUKI_ACTION_LOCK;
	}
	return by_radio(call, action, 0, "");
}

/* ---- timers ---- */

void nuki_arm_auto_lock(struct nuki *nuki) {
	const struct nuki_advanced *advanced = &nuki->advanced;
	bool is_on = advanced->auto_lock_enabled && advanced->auto_lock_s > 0;
	nuki->auto_lock_at = is_on && is_open(nuki) && nuki->lock_n_go_until.ms == INT64_MAX
				     ? mono_after(nuki->now, advanced->auto_lock_s * 1000)
				     : MONO_NEVER;
}

static void by_itself(struct nuki *nuki, uint8_t action, uint8_t trigger) {
	struct nuki_run run = {
		.action = action,
		.trigger = trigger,
		.link = -1,
		.log_type = NUKI_LOG_ACTION,
	};
	nuki_start(nuki, &run);
}

void nuki_lock_n_go_due(struct nuki *nuki) {
	nuki->lock_n_go_until = MONO_NEVER;
	by_itself(nuki, NUKI_ACTION_LOCK, NUKI_TRIGGER_AUTOMATIC);
}

void nuki_auto_lock_due(struct nuki *nuki) {
	nuki->auto_lock_at = MONO_NEVER;
	by_itself(nuki, NUKI_ACTION_LOCK, NUKI_TRIGGER_AUTO_LOCK);
}

/* Bit 6 Monday .. bit 0 Sunday (4.3); 1970-01-01 was a Thursday. */
static uint8_t weekday_bit(int64_t local_s) {
	int64_t day = local_s / DAY_S;
	int64_t since_monday = (day + 3) % 7;
	return (uint8_t) (1U << (6 - since_monday));
}

void nuki_times_due(struct nuki *nuki) {
	int64_t local = nuki_wall(nuki).s + nuki->config.tz_offset * MINUTE_S;
	int64_t minute = local / MINUTE_S;
	nuki->next_minute = nuki->n_times == 0 ? MONO_NEVER : nuki_real_ms(nuki, 1000);
	for (size_t i = 0; i < nuki->n_times; i++) {
		struct nuki_time *time = &nuki->times[i];
		if (time->is_enabled && minute != time->done_minute &&
			minute % (DAY_S / MINUTE_S) == time->hour * 60 + time->minute &&
			(time->days == 0 || (time->days & weekday_bit(local)))) {
			time->done_minute = minute;
			by_itself(nuki, time->action, NUKI_TRIGGER_AUTOMATIC);
		}
	}
}

bool nuki_window_open(struct nuki *nuki, const struct nuki_window *window) {
	if (!window->is_limited) {
		return true;
	}
	wall_t now = nuki_wall(nuki);
	if ((window->from.s != 0 && now.s < window->from.s) ||
		(window->until.s != 0 && now.s > window->until.s)) {
		return false;
	}
	int64_t local = now.s + nuki->config.tz_offset * MINUTE_S;
	if (window->days != 0 && !(window->days & weekday_bit(local))) {
		return false;
	}
	int64_t minute = local / MINUTE_S % (DAY_S / MINUTE_S);
	int64_t from = window->from_hour * 60 + window->from_minute;
	int64_t until = window->until_hour * 60 + window->until_minute;
	if (from == 0 && until == 0) {
		return true;
	}
	return from <= until ? minute >= from && minute <= until
			     : minute >= from || minute <= until;
}
