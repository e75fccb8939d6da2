/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "august.h"

/* What the virtual lock of August or Yale answers, and what it remembers of what it did. */

#include <errno.h>
#include <string.h>

#include "util/bytes.h"

/* ---- state (7.2) ---- */

static uint8_t bolt_code(const struct august *lock) {
	switch (lock->body.motor) {
	case MOTOR_LOCKING:
		return 0x04;
	case MOTOR_UNLOCKING:
	case MOTOR_RUN_IN:
		return 0x02;
	case MOTOR_UNLATCHING:
	case MOTOR_HOLDING:
		return 0x09;
	case MOTOR_IDLE:
		break;
	}
	if (!lock->body.is_calibrated) {
		return 0x01;
	}
	if (lock->body.is_blocked) {
		return 0x07;
	}
	return lock->body.bolt == BOLT_LOCKED ? (lock->is_secured ? 0x0c : 0x05) : 0x03;
}

static void status_frame(
	const struct august *lock, uint8_t type, uint8_t out[static AUGUST_FRAME_LEN]) {
	memset(out, 0, AUGUST_FRAME_LEN);
	out[0] = 0xbb;
	out[1] = 0x02;
	out[4] = type;
	out[8] = type == 0x02 ? bolt_code(lock) : lock->body.is_door_open ? 0x03 : 0x01;
}

static void push(struct august *lock, uint8_t type) {
	uint8_t frame[AUGUST_FRAME_LEN];

	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		if (lock->base.links[i].is_up) {
			status_frame(lock, type, frame);
			august_tell_mcu(lock, i, frame);
		}
	}
}

void august_changed(struct august *lock, uint8_t type) {
	if (!lock->has_no_toggle) {
		lock->toggle = !lock->toggle;
		lock->gsn++;
		lock->shape = lock->kind->has_homekit ? 2 : 0;
	}
	push(lock, type);
	sim_lock_advert_changed(&lock->base);
}

/* What four cells of this body would read as: the table of the protocol begins at 4960. */
static unsigned pack_mv(const struct august *lock) {
	return 4960 + body_percent(&lock->body, lock->now) * 1240 / 100;
}

static uint32_t lock_time(const struct august *lock) {
	const struct sim_env *env = lock->base.env;

	return (uint32_t) (env->wall(env->user).s + lock->clock_off_s);
}

/* ---- activity (7.5) ---- */

static void keep(struct august *lock, const uint8_t record[static 12]) {
	if (lock->n_records == AUGUST_RECORDS_MAX) {
		lock->n_records--;
		memmove(lock->records[0], lock->records[1],
			sizeof(lock->records[0]) * lock->n_records);
	}
	memcpy(lock->records[lock->n_records++], record, 12);
}

/* From octet 4 of a frame on. */
void august_keep_bolt(struct august *lock, uint8_t source, uint8_t remote) {
	uint8_t record[12] = { 0x00, source, bolt_code(lock), remote };
	struct wr wr = wr_on(record + 4, 4);

	wr_u32le(&wr, lock_time(lock));
	keep(lock, record);
}

void august_keep_door(struct august *lock) {
	uint8_t record[12] = { 0x20 };
	struct wr wr = wr_on(record + 1, 4);

	wr_u32le(&wr, lock_time(lock));
	record[5] = lock->body.is_door_open ? 0x03 : 0x01;
	keep(lock, record);
}

static void next_record(struct august *lock, uint8_t out[static AUGUST_FRAME_LEN]) {
	if (lock->n_records == 0) {
		out[4] = 0x80;
		return;
	}
	memcpy(out + 4, lock->records[0], 12);
	lock->n_records--;
	memmove(lock->records[0], lock->records[1], sizeof(lock->records[0]) * lock->n_records);
}

/* ---- commands (7) ---- */

void august_tell_result(struct august *lock, int link, uint8_t op, uint8_t result) {
	uint8_t frame[AUGUST_FRAME_LEN] = { 0xbb, op };

	frame[15] = result;
	lock->base.counters.refused += result != 0;
	august_tell_mcu(lock, link, frame);
}

static void move(struct august *lock, int link, const uint8_t *in) {
	struct sim_counters *counters = &lock->base.counters;
	const bool is_lock = in[1] == 0x0b;
	const bool is_latch = !is_lock && in[4] == 0x0a;
	enum motor steps[4] = { is_lock ? MOTOR_LOCKING : MOTOR_UNLOCKING, MOTOR_IDLE };
	uint8_t taken[AUGUST_FRAME_LEN] = { 0xaa, in[1], 0, 0, in[4] };

	counters->commands_lock += is_lock;
	counters->commands_unlock += !is_lock && !is_latch;
	counters->commands_unlatch += is_latch;
	august_tell_mcu(lock, link, taken);
	if (is_latch && !lock->kind->has_latch) {
		august_tell_result(lock, link, in[1], 0x37);
		return;
	}
	if (lock->n_busy > 0) {
		lock->n_busy--;
		august_tell_result(lock, link, in[1], 0x3e);
		push(lock, 0x02);
		return;
	}
	if (lock->refuse != 0) {
		august_tell_result(lock, link, in[1], (uint8_t) lock->refuse);
		push(lock, 0x02);
		return;
	}
	if (!lock->body.is_calibrated) {
		august_tell_result(lock, link, in[1], 0x20);
		return;
	}
	if (is_latch) {
		steps[1] = MOTOR_UNLATCHING;
		steps[2] = MOTOR_HOLDING;
		steps[3] = MOTOR_IDLE;
	}
	lock->will_secure = is_lock && in[4] == 0x04;
	const int r = body_run(&lock->body, steps, lock->now);
	if (r < 0) {
		august_tell_result(lock, link, in[1], r == -EBUSY ? 0x3e : 0x32);
		return;
	}
	lock->is_running = true;
	lock->running_op = in[1];
	lock->runner = link;
}

static void status(struct august *lock, int link, uint8_t type) {
	uint8_t frame[AUGUST_FRAME_LEN];
	struct wr wr = wr_on(frame + 8, 8);

	status_frame(lock, type, frame);
	switch (type) {
	case 0x02:
		break;
	case 0x2e:
		if (!lock->kind->has_door) {
			return;
		}
		break;
	case 0x0f:
		if (!lock->kind->tells_battery) {
			return;
		}
		wr_u16le(&wr, (uint16_t) pack_mv(lock));
		break;
	case 0x0a:
		wr_u32le(&wr, lock_time(lock));
		break;
	default:
		return; /* nothing comes for what it does not have */
	}
	august_tell_mcu(lock, link, frame);
}

static void setting(struct august *lock, int link, const uint8_t *in) {
	uint8_t taken[AUGUST_FRAME_LEN] = { 0xaa, in[1], 0, 0, in[4] };
	uint8_t frame[AUGUST_FRAME_LEN] = { 0xbb, in[1], 0, 0, in[4] };
	struct wr wr = wr_on(frame + 8, 4);

	memcpy(taken + 8, in + 8, 4);
	august_tell_mcu(lock, link, taken);
	if (in[4] != 0x28) {
		return;
	}
	if (in[1] == 0x03) {
		lock->relock_s = (uint16_t) (in[8] | in[9] << 8);
		lock->relock_closed_s = (uint16_t) (in[10] | in[11] << 8);
	}
	wr_u16le(&wr, lock->relock_s);
	wr_u16le(&wr, lock->relock_closed_s);
	august_tell_mcu(lock, link, frame);
}

static bool is_code_known(const struct august *lock, const uint8_t *pin) {
	for (size_t i = 0; i < AUGUST_CODES_MAX; i++) {
		if (lock->codes[i].is_there &&
			memcmp(lock->codes[i].pin, pin, AUGUST_PIN_LEN) == 0) {
			return true;
		}
	}
	return false;
}

/* 7.6; the result of what changes something. */
static uint8_t change_code(struct august *lock, const uint8_t *in) {
	const unsigned slot = in[11] | (unsigned) in[13] << 8;
	struct august_code *code = slot < AUGUST_CODES_MAX ? &lock->codes[slot] : NULL;

	switch (in[1]) {
	case 0x27:
		if (is_code_known(lock, in + 4)) {
			return 0x06;
		}
		memcpy(lock->staged, in + 4, AUGUST_PIN_LEN);
		lock->is_staged = true;
		lock->has_access = false;
		return 0x00;
	case 0x28:
		if (code == NULL || (!code->is_there && lock->kind->has_module)) {
			return 0x3f;
		}
		code->is_there = false;
		return 0x00;
	case 0x2b:
		lock->has_access = lock->is_staged;
		return lock->is_staged ? 0x00 : 0x3d;
	}
	if (!lock->has_access || memcmp(lock->staged, in + 4, AUGUST_PIN_LEN) != 0) {
		return 0x3d;
	}
	if (code == NULL) {
		return 0x07;
	}
	if (code->is_there) {
		return 0x45;
	}
	code->is_there = true;
	memcpy(code->pin, lock->staged, AUGUST_PIN_LEN);
	lock->is_staged = false;
	lock->has_access = false;
	return 0x00;
}

static void query_code(
	const struct august *lock, const uint8_t *in, uint8_t out[static AUGUST_FRAME_LEN]) {
	const unsigned slot = in[4] | (unsigned) in[5] << 8;

	out[4] = in[4];
	out[5] = in[5];
	memset(out + 6, 0xff, AUGUST_PIN_LEN);
	if (slot < AUGUST_CODES_MAX && lock->codes[slot].is_there) {
		memcpy(out + 6, lock->codes[slot].pin, AUGUST_PIN_LEN);
	}
}

void august_obey(struct august *lock, int link, const uint8_t *in) {
	uint8_t out[AUGUST_FRAME_LEN] = { 0xbb, in[1] };

	lock->base.counters.messages_in++;
	switch (in[1]) {
	case 0x02:
		status(lock, link, in[4]);
		break;
	case 0x03:
	case 0x04:
		setting(lock, link, in);
		break;
	case 0x0a:
	case 0x0b:
		move(lock, link, in);
		break;
	case 0x10: {
		const struct sim_env *env = lock->base.env;

		lock->clock_off_s = (int64_t) august_word(in + 4) - env->wall(env->user).s;
		august_tell_mcu(lock, link, out);
		break;
	}
	case 0x2d:
		next_record(lock, out);
		august_tell_mcu(lock, link, out);
		break;
	case 0x27:
	case 0x28:
	case 0x2b:
	case 0x2c:
		out[15] = change_code(lock, in);
		august_tell_mcu(lock, link, out);
		break;
	case 0x39:
		out[0] = lock->kind->has_module ? 0xcc : 0xbb;
		query_code(lock, in, out);
		august_tell_mcu(lock, link, out);
		break;
	}
}
