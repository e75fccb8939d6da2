/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "august.h"

/*
 * The virtual lock of August or Yale: what it advertises, what it answers, and what a person does
 * to it. Numbers in comments are sections of docs/protocols/august-yale.md.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "crypto/aes.h"
#include "util/bytes.h"
#include "util/secret.h"
#include "util/text.h"
#include "words.h"

#define FORM 1
#define KEY_LEN 16
#define FRAME_LEN 18
#define COMPANY 465
#define COMPANY_APPLE 76
#define IDLE_MS 30000
#define CRASH_MS 250
#define SHAPE_MS 4000
#define RECORDS_MAX 64
#define CODES_MAX 64
#define PIN_LEN 7
#define TEXT_MAX_ 24
#define UUID(part) "bd4ac6" part "-0b45-11e3-8ffd-0800200c9a66"

enum chr {
	CHR_MCU_WRITE,
	CHR_MCU_TELL,
	CHR_SEC_WRITE,
	CHR_SEC_TELL,
	CHR_MODEL,
	CHR_SERIAL,
	CHR_FIRMWARE,
	CHR_MAKER /* whoever reads it loses the link */
};
enum stage { STAGE_NEW, STAGE_OFFERED, STAGE_OPEN };

struct kind {
	const char *model; /* of --lock */
	const char *text;  /* as the lock tells it */
	bool has_door;
	bool tells_battery;
	bool has_latch;
	bool has_homekit;
	bool is_short; /* ends its frames with 00 00 */
	const char *firmware;
};

static const struct kind kinds[] = {
	{ "august:asl-01", "ASL-01", false, true, false, false, true, "1.1.12" },
	{ "august:asl-03", "ASL-03", true, true, false, true, false, "2.4.1" },
	{ "yale:assure", "YRD256", true, true, false, false, false, "3.0.34" },
	{ "yale:linus", "SL-103", true, false, true, true, true, "1.8.9" },
};

struct august_link {
	enum stage stage;
	uint8_t slot;
	uint8_t client[8];
	uint8_t key[KEY_LEN]; /* of the session */
	uint8_t in[16], out[16];
	bool hears_sec, hears_mcu;
	mono_t said; /* the last frame of ours */
	bool has_said;
};

struct code {
	bool is_there;
	uint8_t pin[PIN_LEN];
};

struct august {
	struct sim_lock base;
	struct body body;
	const struct kind *kind;
	struct august_link links[SIM_LINKS_MAX];
	uint8_t key[KEY_LEN];
	uint8_t slot;
	char serial[12];
	char firmware[TEXT_MAX_];
	bool toggle;
	uint16_t gsn;
	unsigned shape; /* of the advertisement now */
	mono_t shape_at;
	bool is_running; /* by a command */
	bool was_unlocking;
	bool is_secured, will_secure;
	uint8_t running_op;
	int runner; /* whose */
	/* faults */
	unsigned refuse; /* result of what moves the bolt; 0: it is carried out */
	bool is_silent;  /* no answer to anything on MCU */
	bool has_no_result;
	bool is_fragile; /* too fast a write crashes it */
	bool is_crashed;
	bool answers_refusals; /* says F1 where others give an ATT error */
	bool has_no_toggle;
	/* memory */
	uint16_t relock_s, relock_closed_s;
	int64_t clock_off_s;
	uint8_t records[RECORDS_MAX][12];
	size_t n_records;
	struct code codes[CODES_MAX];
	uint8_t staged[PIN_LEN];
	bool is_staged, has_access;
	mono_t now;
};

static struct august *august_of(struct sim_lock *lock) {
	return (struct august *) lock;
}

static const struct sim_gatt *get_gatt(struct sim_lock *lock) {
	static const struct sim_char command[] = {
		{ UUID("11"), SIM_FLAG_WRITE | SIM_FLAG_WRITE_COMMAND },
		{ UUID("12"), SIM_FLAG_INDICATE },
		{ UUID("13"), SIM_FLAG_WRITE | SIM_FLAG_WRITE_COMMAND },
		{ UUID("14"), SIM_FLAG_INDICATE },
	};
	static const struct sim_char device[] = {
		{ "00002a24-0000-1000-8000-00805f9b34fb", SIM_FLAG_READ },
		{ "00002a25-0000-1000-8000-00805f9b34fb", SIM_FLAG_READ },
		{ "00002a26-0000-1000-8000-00805f9b34fb", SIM_FLAG_READ },
		{ "00002a29-0000-1000-8000-00805f9b34fb", SIM_FLAG_READ },
	};
	static const struct sim_service services[] = {
		{ "0000fe24-0000-1000-8000-00805f9b34fb", command, ARRAY_SIZE(command) },
		{ "0000180a-0000-1000-8000-00805f9b34fb", device, ARRAY_SIZE(device) },
	};
	static const struct sim_gatt gatt = { services, ARRAY_SIZE(services) };

	(void) lock;
	return &gatt;
}

/* ---- advertisement (3.2) ---- */

static void get_advert(struct sim_lock *base, struct sim_advert *ret) {
	struct august *lock = august_of(base);
	struct wr wr = wr_on(ret->manufacturer, sizeof(ret->manufacturer));
	const size_t n = strlen(lock->serial);

	ret->is_silent = lock->is_crashed;
	ret->is_discoverable = true;
	ret->interval_ms = 1000;
	snprintf(ret->name, sizeof(ret->name), "%.2s%s", lock->serial, lock->serial + n - 5);
	if (lock->kind->has_homekit && lock->shape == 2) {
		ret->company = COMPANY_APPLE;
		wr_u8(&wr, 0x06);
		wr_zeros(&wr, 8);
		wr_u16le(&wr, 6);
		wr_u16le(&wr, lock->gsn);
		wr_u8(&wr, 2);
		wr_u8(&wr, 2);
	} else if (lock->shape == 1) {
		ret->company = COMPANY;
		wr_u16le(&wr, 0);
		wr_bytes(&wr, base->address, 6);
		wr_bytes(&wr, lock->serial, 10);
	} else {
		ret->company = COMPANY;
		wr_u8(&wr, lock->toggle);
	}
	ret->n_manufacturer = (size_t) wr_end(&wr);
}

/* ---- frames (4, 5) ---- */

static uint8_t sum8(const uint8_t frame[static FRAME_LEN]) {
	uint8_t sum = 0;

	for (int i = 0; i < FRAME_LEN; i++) {
		sum = (uint8_t) (sum + frame[i]);
	}
	return sum;
}

static uint32_t word(const uint8_t *at) {
	return (uint32_t) at[0] | (uint32_t) at[1] << 8 | (uint32_t) at[2] << 16 |
	       (uint32_t) at[3] << 24;
}

/* All four words of a good one add up to nothing. */
static bool is_sec_good(const uint8_t frame[static FRAME_LEN]) {
	return word(frame) + word(frame + 4) + word(frame + 8) + word(frame + 12) == 0;
}

static void tell(
	struct august *lock, int link, enum chr chr, const uint8_t frame[static FRAME_LEN]) {
	struct august_link *to = &lock->links[link];

	to->said = lock->now;
	to->has_said = true;
	if (chr == CHR_SEC_TELL ? to->hears_sec : to->hears_mcu) {
		sim_lock_indicate(&lock->base, link, chr, frame, FRAME_LEN);
	}
}

static void tell_sec(struct august *lock, int link, const uint8_t key[static KEY_LEN],
	uint8_t opcode, const uint8_t payload[static 8], uint8_t slot) {
	uint8_t frame[FRAME_LEN] = { opcode };
	struct wr wr = wr_on(frame + 12, 4);

	memcpy(frame + 4, payload, 8);
	wr_u32le(&wr, 0U - (word(frame) + word(frame + 4) + word(frame + 8)));
	frame[16] = 0x0f;
	frame[17] = slot;
	crypto_aes_block_seal(key, frame, frame);
	tell(lock, link, CHR_SEC_TELL, frame);
}

/* @frame: kind, opcode and data; its end and its sum are put in. */
static void tell_mcu(struct august *lock, int link, uint8_t frame[static FRAME_LEN]) {
	struct august_link *to = &lock->links[link];

	if (to->stage != STAGE_OPEN || lock->is_silent) {
		return;
	}
	frame[16] = lock->kind->is_short ? 0 : 2;
	frame[3] = 0;
	frame[3] = (uint8_t) -sum8(frame);
	crypto_aes_cbc_seal(to->key, to->out, frame, 16, frame);
	tell(lock, link, CHR_MCU_TELL, frame);
}

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

static void status_frame(const struct august *lock, uint8_t type, uint8_t out[static FRAME_LEN]) {
	memset(out, 0, FRAME_LEN);
	out[0] = 0xbb;
	out[1] = 0x02;
	out[4] = type;
	out[8] = type == 0x02 ? bolt_code(lock) : lock->body.is_door_open ? 0x03 : 0x01;
}

static void push(struct august *lock, uint8_t type) {
	uint8_t frame[FRAME_LEN];

	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		if (lock->base.links[i].is_up) {
			status_frame(lock, type, frame);
			tell_mcu(lock, i, frame);
		}
	}
}

static void changed(struct august *lock, uint8_t type) {
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
	if (lock->n_records == RECORDS_MAX) {
		lock->n_records--;
		memmove(lock->records[0], lock->records[1],
			sizeof(lock->records[0]) * lock->n_records);
	}
	memcpy(lock->records[lock->n_records++], record, 12);
}

/* From octet 4 of a frame on. */
static void keep_bolt(struct august *lock, uint8_t source, uint8_t remote) {
	uint8_t record[12] = { 0x00, source, bolt_code(lock), remote };
	struct wr wr = wr_on(record + 4, 4);

	wr_u32le(&wr, lock_time(lock));
	keep(lock, record);
}

static void keep_door(struct august *lock) {
	uint8_t record[12] = { 0x20 };
	struct wr wr = wr_on(record + 1, 4);

	wr_u32le(&wr, lock_time(lock));
	record[5] = lock->body.is_door_open ? 0x03 : 0x01;
	keep(lock, record);
}

static void next_record(struct august *lock, uint8_t out[static FRAME_LEN]) {
	if (lock->n_records == 0) {
		out[4] = 0x80;
		return;
	}
	memcpy(out + 4, lock->records[0], 12);
	lock->n_records--;
	memmove(lock->records[0], lock->records[1], sizeof(lock->records[0]) * lock->n_records);
}

/* ---- commands (7) ---- */

static void tell_result(struct august *lock, int link, uint8_t op, uint8_t result) {
	uint8_t frame[FRAME_LEN] = { 0xbb, op };

	frame[15] = result;
	lock->base.counters.refused += result != 0;
	tell_mcu(lock, link, frame);
}

static void move(struct august *lock, int link, const uint8_t *in) {
	struct sim_counters *counters = &lock->base.counters;
	const bool is_lock = in[1] == 0x0b;
	const bool is_latch = !is_lock && in[4] == 0x0a;
	enum motor steps[4] = { is_lock ? MOTOR_LOCKING : MOTOR_UNLOCKING, MOTOR_IDLE };
	uint8_t taken[FRAME_LEN] = { 0xaa, in[1], 0, 0, in[4] };

	counters->commands_lock += is_lock;
	counters->commands_unlock += !is_lock && !is_latch;
	counters->commands_unlatch += is_latch;
	tell_mcu(lock, link, taken);
	if (is_latch && !lock->kind->has_latch) {
		tell_result(lock, link, in[1], 0x37);
		return;
	}
	if (lock->refuse != 0) {
		tell_result(lock, link, in[1], (uint8_t) lock->refuse);
		push(lock, 0x02);
		return;
	}
	if (!lock->body.is_calibrated) {
		tell_result(lock, link, in[1], 0x20);
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
		tell_result(lock, link, in[1], r == -EBUSY ? 0x3e : 0x32);
		return;
	}
	lock->is_running = true;
	lock->running_op = in[1];
	lock->runner = link;
}

static void status(struct august *lock, int link, uint8_t type) {
	uint8_t frame[FRAME_LEN];
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
	tell_mcu(lock, link, frame);
}

static void setting(struct august *lock, int link, const uint8_t *in) {
	uint8_t taken[FRAME_LEN] = { 0xaa, in[1], 0, 0, in[4] };
	uint8_t frame[FRAME_LEN] = { 0xbb, in[1], 0, 0, in[4] };
	struct wr wr = wr_on(frame + 8, 4);

	memcpy(taken + 8, in + 8, 4);
	tell_mcu(lock, link, taken);
	if (in[4] != 0x28) {
		return;
	}
	if (in[1] == 0x03) {
		lock->relock_s = (uint16_t) (in[8] | in[9] << 8);
		lock->relock_closed_s = (uint16_t) (in[10] | in[11] << 8);
	}
	wr_u16le(&wr, lock->relock_s);
	wr_u16le(&wr, lock->relock_closed_s);
	tell_mcu(lock, link, frame);
}

static bool is_code_known(const struct august *lock, const uint8_t *pin) {
	for (size_t i = 0; i < CODES_MAX; i++) {
		if (lock->codes[i].is_there && memcmp(lock->codes[i].pin, pin, PIN_LEN) == 0) {
			return true;
		}
	}
	return false;
}

/* 7.6; the result of what changes something. */
static uint8_t change_code(struct august *lock, const uint8_t *in) {
	const unsigned slot = in[11] | (unsigned) in[13] << 8;
	struct code *code = slot < CODES_MAX ? &lock->codes[slot] : NULL;

	switch (in[1]) {
	case 0x27:
		if (is_code_known(lock, in + 4)) {
			return 0x06;
		}
		memcpy(lock->staged, in + 4, PIN_LEN);
		lock->is_staged = true;
		lock->has_access = false;
		return 0x00;
	case 0x28:
		if (code == NULL || !code->is_there) {
			return 0x3f;
		}
		code->is_there = false;
		return 0x00;
	case 0x2b:
		lock->has_access = lock->is_staged;
		return lock->is_staged ? 0x00 : 0x3d;
	}
	if (!lock->has_access || memcmp(lock->staged, in + 4, PIN_LEN) != 0) {
		return 0x3d;
	}
	if (code == NULL) {
		return 0x07;
	}
	if (code->is_there) {
		return 0x45;
	}
	code->is_there = true;
	memcpy(code->pin, lock->staged, PIN_LEN);
	lock->is_staged = false;
	lock->has_access = false;
	return 0x00;
}

static void query_code(
	const struct august *lock, const uint8_t *in, uint8_t out[static FRAME_LEN]) {
	const unsigned slot = in[4] | (unsigned) in[5] << 8;

	out[4] = in[4];
	out[5] = in[5];
	memset(out + 6, 0xff, PIN_LEN);
	if (slot < CODES_MAX && lock->codes[slot].is_there) {
		memcpy(out + 6, lock->codes[slot].pin, PIN_LEN);
	}
}

static void obey(struct august *lock, int link, const uint8_t *in) {
	uint8_t out[FRAME_LEN] = { 0xbb, in[1] };

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

		lock->clock_off_s = (int64_t) word(in + 4) - env->wall(env->user).s;
		tell_mcu(lock, link, out);
		break;
	}
	case 0x2d:
		next_record(lock, out);
		tell_mcu(lock, link, out);
		break;
	case 0x27:
	case 0x28:
	case 0x2b:
	case 0x2c:
		out[15] = change_code(lock, in);
		tell_mcu(lock, link, out);
		break;
	case 0x39:
		out[0] = 0xcc; /* as some modules do */
		query_code(lock, in, out);
		tell_mcu(lock, link, out);
		break;
	}
}

/* ---- writes (6) ---- */

static int refuse_key(struct august *lock, int link, uint8_t slot) {
	const uint8_t nothing[8] = { 0 };

	lock->base.counters.refused++;
	if (!lock->answers_refusals) {
		return SIM_ATT(SIM_ATT_UNLIKELY);
	}
	tell_sec(lock, link, lock->key, slot == lock->slot ? 0xf1 : 0xf0, nothing, slot);
	return 0;
}

static int take_sec(struct august *lock, int link, const uint8_t wire[static FRAME_LEN]) {
	struct august_link *from = &lock->links[link];
	const struct sim_env *env = lock->base.env;
	const bool is_first = from->stage == STAGE_NEW;
	uint8_t frame[FRAME_LEN], nonce[8];

	memcpy(frame, wire, FRAME_LEN);
	crypto_aes_block_open(is_first ? lock->key : from->key, frame, frame);
	if (is_first) {
		if (!is_sec_good(frame) || frame[0] != 0x01 || frame[17] != lock->slot) {
			return refuse_key(lock, link, frame[17]);
		}
		env->random(env->user, SIM_RANDOM_NONCE, nonce, sizeof(nonce));
		memcpy(from->key, frame + 4, 8);
		memcpy(from->key + 8, nonce, 8);
		from->stage = STAGE_OFFERED;
		tell_sec(lock, link, lock->key, 0x02, nonce, frame[17]);
		return 0;
	}
	if (!is_sec_good(frame)) {
		return refuse_key(lock, link, frame[17]);
	}
	if (from->stage == STAGE_OFFERED && frame[0] == 0x03) {
		env->random(env->user, SIM_RANDOM_OTHER, nonce, sizeof(nonce));
		memset(from->in, 0, sizeof(from->in));
		memset(from->out, 0, sizeof(from->out));
		from->stage = STAGE_OPEN;
		tell_sec(lock, link, from->key, 0x04, nonce, frame[17]);
	} else if (frame[0] == 0x05) {
		const uint8_t nothing[8] = { 0 };

		tell_sec(lock, link, from->key, frame[17] == 0 ? 0x8b : 0x06, nothing, frame[17]);
	}
	return 0;
}

static void take_mcu(struct august *lock, int link, const uint8_t wire[static FRAME_LEN]) {
	struct august_link *from = &lock->links[link];
	uint8_t frame[FRAME_LEN];

	if (from->stage != STAGE_OPEN) {
		return;
	}
	memcpy(frame, wire, FRAME_LEN);
	crypto_aes_cbc_open(from->key, from->in, frame, 16, frame);
	if (sum8(frame) != 0 || frame[0] != 0xee) {
		lock->base.counters.refused++;
		return; /* dropped */
	}
	obey(lock, link, frame);
}

static int on_write(
	struct sim_lock *base, int link, unsigned chr, const uint8_t *value, size_t n, mono_t now) {
	struct august *lock = august_of(base);
	struct august_link *from = &lock->links[link];
	const int64_t since = from->has_said ? mono_since(from->said, now) : INT64_MAX;

	lock->now = now;
	if (chr != CHR_MCU_WRITE && chr != CHR_SEC_WRITE) {
		return SIM_ATT(SIM_ATT_WRITE_NOT_PERMITTED);
	}
	if (lock->is_fragile && since < (int64_t) (CRASH_MS * base->env->speed * 4 / 5)) {
		lock->is_crashed = true; /* until somebody takes its cells out */
		sim_lock_drop(base, link);
		sim_lock_advert_changed(base);
		return 0;
	}
	if (n != FRAME_LEN) {
		return SIM_ATT(SIM_ATT_INVALID_LENGTH);
	}
	if (chr == CHR_SEC_WRITE) {
		return take_sec(lock, link, value);
	}
	take_mcu(lock, link, value);
	return 0;
}

static ssize_t on_read(struct sim_lock *base, int link, unsigned chr, uint8_t *out, size_t size) {
	struct august *lock = august_of(base);
	const char *text = chr == CHR_MODEL      ? lock->kind->text
			   : chr == CHR_SERIAL   ? lock->serial
			   : chr == CHR_FIRMWARE ? lock->firmware
						 : NULL;

	if (text == NULL) {
		if (chr == CHR_MAKER) {
			sim_lock_drop(base, link);
		}
		return SIM_ATT(SIM_ATT_READ_NOT_PERMITTED);
	}
	const size_t n = strlen(text) + 2; /* with zeros behind */
	if (n > size) {
		return SIM_ATT(SIM_ATT_UNLIKELY);
	}
	memset(out, 0, n);
	memcpy(out, text, n - 2);
	return (ssize_t) n;
}

static void on_subscribed(struct sim_lock *lock, int link, unsigned chr, bool on) {
	struct august_link *from = &august_of(lock)->links[link];

	from->hears_mcu = chr == CHR_MCU_TELL ? on : from->hears_mcu;
	from->hears_sec = chr == CHR_SEC_TELL ? on : from->hears_sec;
}

static void on_connected(struct sim_lock *lock, int link, mono_t now) {
	august_of(lock)->now = now;
	august_of(lock)->links[link] = (struct august_link){ 0 };
}

static void on_disconnected(struct sim_lock *base, int link, mono_t now) {
	struct august *lock = august_of(base);

	lock->now = now;
	body_link_ended(&lock->body, sim_lock_link_ms(base, link, now));
	wipe(&lock->links[link], sizeof(lock->links[link]));
}

/* ---- time ---- */

static mono_t shape_due(const struct august *lock) {
	return mono_after(lock->shape_at, (int64_t) (SHAPE_MS * lock->base.env->speed));
}

static mono_t get_next_due(struct sim_lock *base) {
	const struct august *lock = august_of(base);
	const mono_t due = mono_min(body_next_due(&lock->body), shape_due(lock));

	return lock->is_running ? due : mono_min(due, sim_lock_idle_due(base, IDLE_MS));
}

static void on_tick(struct sim_lock *base, mono_t now) {
	struct august *lock = august_of(base);

	body_tick(&lock->body, now);
	lock->now = now; /* the body told older times */
	if (!lock->is_running) {
		sim_lock_drop_idle(base, IDLE_MS, now);
	}
	if (mono_is_due(shape_due(lock), now)) {
		lock->shape_at = now;
		lock->shape = (lock->shape + 1) % (lock->kind->has_homekit ? 3 : 2);
		sim_lock_advert_changed(base);
	}
}

static void on_moved(void *user, mono_t now) {
	struct august *lock = user;

	lock->now = now;
	body_count(&lock->body, &lock->base.counters);
	if (!lock->is_running) {
		lock->is_secured = false;
		keep_bolt(lock, 0x01, 0);
		changed(lock, 0x02);
	}
}

static void on_done(void *user, enum motor_result result, mono_t now) {
	struct august *lock = user;
	const uint8_t code = result == MOTOR_OK ? 0x00 : result == MOTOR_BLOCKED ? 0x1f : 0x32;

	lock->now = now;
	if (!lock->is_running) {
		return;
	}
	lock->is_running = false;
	lock->is_secured = lock->will_secure && result == MOTOR_OK;
	if (!lock->has_no_result && lock->base.links[lock->runner].is_up) {
		tell_result(lock, lock->runner, lock->running_op, code);
	}
	keep_bolt(lock, 0x00, 0x03);
	changed(lock, 0x02);
}

static void on_drained(void *user, mono_t now) {
	((struct august *) user)->now = now;
}

static unsigned get_chance(void *user, unsigned n) {
	return sim_env_chance(((struct august *) user)->base.env, n);
}

static const struct body_user body_user = {
	.moved = on_moved,
	.done = on_done,
	.drained = on_drained,
	.chance = get_chance,
};

/* ---- a person at the door ---- */

static int person_door(struct sim_lock *base, bool is_open, mono_t now, char *why) {
	struct august *lock = august_of(base);

	lock->now = now;
	const int r = body_move_door(&lock->body, is_open, why);
	if (r > 0 && lock->kind->has_door) {
		keep_door(lock);
		changed(lock, 0x2e);
	}
	return r < 0 ? r : 0;
}

static int person_battery(struct sim_lock *base, unsigned percent, char *why) {
	return body_set_battery(&august_of(base)->body, percent, why);
}

static int person_clock(struct sim_lock *base, int64_t offset_s, char *why) {
	august_of(base)->clock_off_s = offset_s;
	return 0;
}

/* Its cells are taken out and put in again. */
static int person_reboot(struct sim_lock *base, mono_t now, char *why) {
	struct august *lock = august_of(base);

	lock->now = now;
	lock->is_crashed = false;
	sim_lock_drop_all(base);
	sim_lock_advert_changed(base);
	return 0;
}

/* ---- its words ---- */

static int set_switch(struct august *lock, const char *key, const char *value, char *why) {
	const struct {
		const char *key;
		bool *flag;
	} rows[] = {
		{ "calibrated", &lock->body.is_calibrated },
		{ "silent", &lock->is_silent },
		{ "no-result", &lock->has_no_result },
		{ "fragile", &lock->is_fragile },
		{ "says-refusal", &lock->answers_refusals },
		{ "no-toggle", &lock->has_no_toggle },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!text_equal(rows[i].key, key)) {
			continue;
		}
		if (!text_equal(value, "0") && !text_equal(value, "1")) {
			return words_bad(why, key, value, "0 or 1 is needed");
		}
		*rows[i].flag = value[0] == '1';
		if (i == 0) {
			changed(lock, 0x02);
		}
		return 0;
	}
	return 1;
}

static int person_set(struct sim_lock *base, const char *key, const char *value, char *why) {
	static const char *const names[] = { "key", "slot", "serial", "bolt", "door", "jam",
		"refuse", "calibrated", "silent", "no-result", "fragile", "says-refusal",
		"no-toggle" };
	struct august *lock = august_of(base);
	uint64_t n = 0;
	const int r = set_switch(lock, key, value, why);

	if (r <= 0) {
		return r;
	}
	if (text_equal(key, "key")) {
		return hex_decode(value, lock->key, sizeof(lock->key)) < 0
			       ? words_bad(why, key, "...", "32 hexadecimal digits are needed")
			       : 0;
	}
	if (text_equal(key, "slot") || text_equal(key, "refuse")) {
		const bool is_slot = text_equal(key, "slot");

		if (text_to_u64(value, is_slot, UINT8_MAX, &n) < 0) {
			return words_bad(why, key, value, "a number up to 255 is needed");
		}
		lock->slot = is_slot ? (uint8_t) n : lock->slot;
		lock->refuse = is_slot ? lock->refuse : (unsigned) n;
		return 0;
	}
	if (text_equal(key, "serial")) {
		if (strlen(value) != 10) {
			return words_bad(why, key, value, "ten characters are needed");
		}
		text_copy(lock->serial, sizeof(lock->serial), value);
		return 0;
	}
	if (text_equal(key, "bolt")) {
		const int bolt = body_set_bolt(&lock->body, value, why);

		changed(lock, 0x02);
		return bolt;
	}
	if (text_equal(key, "door")) {
		return person_door(base, text_equal(value, "open"), lock->now, why);
	}
	if (text_equal(key, "jam")) {
		return body_set_jam(&lock->body, value, why);
	}
	return words_unknown(why, "a lock of August or Yale", key, names, ARRAY_SIZE(names));
}

/* The key is shown as the codes of a Nuki are: it is a simulator. */
static json_t *get_show(struct sim_lock *base) {
	struct august *lock = august_of(base);
	char key[2 * KEY_LEN + 1], jam[JAM_TEXT_MAX];
	int n_codes = 0;

	for (size_t i = 0; i < CODES_MAX; i++) {
		n_codes += lock->codes[i].is_there;
	}
	return json_pack(
		"{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:b, s:b, s:i, s:i, s:i, s:i}",
		"key", hex_encode(lock->key, KEY_LEN, key), "slot", (int) lock->slot, "serial",
		lock->serial, "firmware", lock->firmware, "bolt", bolt_text(lock->body.bolt),
		"door", lock->body.is_door_open ? "open" : "closed", "jam",
		jam_text(&lock->body.jam, jam), "battery",
		(int) body_percent(&lock->body, lock->now), "text", lock->kind->text, "crashed",
		lock->is_crashed, "secured", lock->is_secured, "relock", (int) lock->relock_s,
		"relock-closed", (int) lock->relock_closed_s, "records", (int) lock->n_records,
		"codes", n_codes);
}

static json_t *get_save(struct sim_lock *base) {
	const struct august *lock = august_of(base);
	char key[2 * KEY_LEN + 1];

	return json_pack("{s:i, s:s, s:i, s:s, s:b, s:i, s:i, s:i, s:I, s:o}", "form", FORM, "key",
		hex_encode(lock->key, KEY_LEN, key), "slot", (int) lock->slot, "serial",
		lock->serial, "toggle", lock->toggle, "gsn", (int) lock->gsn, "relock",
		(int) lock->relock_s, "relock-closed", (int) lock->relock_closed_s, "clock",
		(json_int_t) lock->clock_off_s, "body", body_save(&lock->body));
}

static int get_load(struct sim_lock *base, const json_t *memory) {
	struct august *lock = august_of(base);
	const char *key = json_string_value(json_object_get(memory, "key"));
	const char *serial = json_string_value(json_object_get(memory, "serial"));
	const json_int_t slot = json_integer_value(json_object_get(memory, "slot"));

	if (json_integer_value(json_object_get(memory, "form")) != FORM || key == NULL ||
		serial == NULL || strlen(serial) != 10 || slot < 1 || slot > UINT8_MAX ||
		hex_decode(key, lock->key, KEY_LEN) < 0 ||
		body_load(&lock->body, json_object_get(memory, "body")) < 0) {
		return -EINVAL;
	}
	text_copy(lock->serial, sizeof(lock->serial), serial);
	lock->slot = (uint8_t) slot;
	lock->toggle = json_is_true(json_object_get(memory, "toggle"));
	lock->gsn = (uint16_t) json_integer_value(json_object_get(memory, "gsn"));
	lock->relock_s = (uint16_t) json_integer_value(json_object_get(memory, "relock"));
	lock->relock_closed_s =
		(uint16_t) json_integer_value(json_object_get(memory, "relock-closed"));
	lock->clock_off_s = json_integer_value(json_object_get(memory, "clock"));
	return 0;
}

static struct sim_lock *august_free(struct sim_lock *base) {
	wipe(august_of(base), sizeof(struct august));
	free(base);
	return NULL;
}

static const struct sim_lock_impl august_impl = {
	.brand = "august",
	.free = august_free,
	.gatt = get_gatt,
	.advert = get_advert,
	.connected = on_connected,
	.disconnected = on_disconnected,
	.write = on_write,
	.read = on_read,
	.subscribed = on_subscribed,
	.next_due = get_next_due,
	.tick = on_tick,
	.turn = body_person_turn,
	.door = person_door,
	.jam = body_person_jam,
	.battery = person_battery,
	.drain = body_person_drain,
	.clock = person_clock,
	.reboot = person_reboot,
	.set = person_set,
	.show = get_show,
	.save = get_save,
	.load = get_load,
};

int august_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why) {
	const struct kind *kind = words_kind(pairs, kinds, ARRAY_SIZE(kinds), sizeof(kinds[0]));
	uint32_t number = 0;

	if (kind == NULL) {
		return -EINVAL;
	}
	struct august *lock = calloc(1, sizeof(*lock));
	if (lock == NULL) {
		return -ENOMEM;
	}
	sim_lock_init(&lock->base, &august_impl, pairs, env);
	lock->base.body = &lock->body;
	body_init(&lock->body, &body_user, lock);
	lock->kind = kind;
	lock->slot = 1;
	lock->is_fragile = true;
	text_copy(lock->firmware, sizeof(lock->firmware), kind->firmware);
	env->random(env->user, SIM_RANDOM_KEY, lock->key, sizeof(lock->key));
	env->random(env->user, SIM_RANDOM_OTHER, &number, sizeof(number));
	snprintf(lock->serial, sizeof(lock->serial), "L6W7A%05u", (unsigned) (number % 100000));
	*ret = &lock->base;
	return 0;
}
