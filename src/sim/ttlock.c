/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ttlock.h"

/* The virtual TTLock: what it advertises, and what it answers. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/aes.h"
#include "util/bytes.h"
#include "util/secret.h"
#include "util/text.h"
#include "words.h"

#define COMPANY 0x0305
#define SCENE 2
#define UUID(part) "0000" part "-0000-1000-8000-00805f9b34fb"
#define HEAD_LEN 12
#define TAIL_LEN 3
#define CHUNK 20
#define ANSWER 0x54
#define IDLE_MS 15000  /* real ones; "after a few seconds", and machines may be slow */
#define TOUCH_MS 12000 /* how long a frugal one is heard after a hand */
#define BATTERY_LOW_PERCENT 5

/* Errors (8). */
enum {
	BAD_CRC = 0x01,
	NO_PERMISSION = 0x02,
	WRONG_ADMIN = 0x03,
	SETTABLE = 0x05,
	NOT_SETTABLE = 0x07,
	WRONG_SUM = 0x08,
	NO_POWER = 0x0a,
	REVOKED = 0x0d,
	EXPIRED = 0x0e,
	EARLY = 0x11,
	FAILED = 0x13,
	UNKNOWN = 0x1b,
	FROZEN = 0x1c,
	BAD_PARAMETER = 0x20,
};

#define BIT(n) (1U << (n))
static const struct ttlock_kind kinds[] = {
	/* codes, cards, fingers, auto-lock, lock by command, display, freeze, door sensor, remote
	 * switch, sound, passage, lamp */
	{ "ttlock:s534", "S534",
		BIT(0) | BIT(1) | BIT(2) | BIT(4) | BIT(5) | BIT(7) | BIT(8) | BIT(9) | BIT(11) |
			BIT(13) | BIT(14) | BIT(15) | BIT(22) | BIT(25),
		false },
	/* A padlock: no keypad, and it is shut by hand. */
	{ "ttlock:d01", "D01", BIT(10) | BIT(15), true },
};

static const uint8_t factory_key[] = { 0x98, 0x76, 0x23, 0xe8, 0xa9, 0x23, 0xa1, 0xbb, 0x3d, 0x9e,
	0x7d, 0x03, 0x78, 0x12, 0x45, 0x88 };
static const uint8_t word[] = { 'S', 'C', 'I', 'E', 'N', 'E', 'R' };

struct ttlock *ttlock_of(struct sim_lock *lock) {
	return (struct ttlock *) lock;
}

static const struct sim_gatt *get_gatt(struct sim_lock *lock) {
	static const struct sim_char device[] = { { UUID("2a24"), SIM_FLAG_READ } };
	static const struct sim_char chars[] = {
		{ UUID("fff2"), SIM_FLAG_WRITE_COMMAND },
		{ UUID("fff4"), SIM_FLAG_NOTIFY },
	};
	static const struct sim_service services[] = {
		{ UUID("180a"), device, ARRAY_SIZE(device) },
		{ UUID("1910"), chars, ARRAY_SIZE(chars) },
	};
	static const struct sim_gatt gatt = { services, ARRAY_SIZE(services) };
	(void) lock;
	return &gatt;
}

static bool has(const struct ttlock *lock, unsigned feature) {
	return (lock->kind->features & BIT(feature)) != 0;
}

void ttlock_date(const struct ttlock *lock, uint8_t out[static 6]) {
	const struct sim_env *env = lock->base.env;
	const struct civil civil =
		wall_to_civil((wall_t){ env->wall(env->user).s + lock->clock_offset_s });

	out[0] = (uint8_t) (civil.year % 100);
	out[1] = (uint8_t) civil.month;
	out[2] = (uint8_t) civil.day;
	out[3] = (uint8_t) civil.hour;
	out[4] = (uint8_t) civil.minute;
	out[5] = (uint8_t) civil.second;
}

uint8_t ttlock_percent(struct ttlock *lock) {
	return (uint8_t) body_percent(&lock->body, lock->now);
}

static bool is_locked(const struct ttlock *lock) {
	return lock->body.bolt == BOLT_LOCKED;
}

static void get_advert(struct sim_lock *base, struct sim_advert *ret) {
	struct ttlock *lock = ttlock_of(base);
	struct wr wr = wr_on(ret->manufacturer, sizeof(ret->manufacturer));
	const bool is_touched = !mono_is_due(lock->touched_until, lock->now);

	ret->is_silent = lock->is_frugal && !is_touched && !lock->is_settable;
	ret->is_discoverable = true;
	ret->interval_ms = 1000;
	snprintf(ret->name, sizeof(ret->name), "%s_%02x%02x%02x", lock->kind->name,
		base->address[5], base->address[4], base->address[3]);
	ret->company = COMPANY;
	wr_u8(&wr, SCENE);
	wr_u8(&wr, (uint8_t) ((is_locked(lock) ? 0 : 0x01) | (lock->is_log_new ? 0x02 : 0) |
			      (lock->is_settable ? 0x04 : 0) | (is_touched ? 0x08 : 0)));
	wr_u8(&wr, ttlock_percent(lock));
	wr_zeros(&wr, 4);
	for (int i = 5; i >= 0; i--) {
		wr_u8(&wr, base->address[i]);
	}
	ret->n_manufacturer = (size_t) wr_end(&wr);
}

void ttlock_changed(struct ttlock *lock) {
	sim_lock_advert_changed(&lock->base);
	sim_lock_due_changed(&lock->base);
}

void ttlock_touch(struct ttlock *lock) {
	lock->touched_until = mono_after(lock->now, TOUCH_MS);
	ttlock_changed(lock);
}

void ttlock_forget(struct ttlock *lock) {
	wipe(lock->key, sizeof(lock->key));
	lock->has_key = false;
	lock->is_owned = false;
	lock->is_settable = true;
	lock->admin = 0;
	lock->unlock = 0;
	lock->flag_position = 0;
	lock->n_codes = 0;
	lock->cards.n = 0;
	lock->fingers.n = 0;
	lock->n_passages = 0;
	lock->n_records = 0;
	lock->first_record = 0;
	lock->is_log_new = false;
	lock->auto_lock_s = 0;
	lock->lamp_s = 0;
	lock->sound = 1;
	lock->display = 0;
	lock->remote = 0;
	lock->frozen = 0;
}

/* ---- frames (4, 5) ---- */

static uint8_t crc8(const uint8_t *buf, size_t n) {
	uint8_t crc = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t x = crc ^ buf[i];
		if (x == 0x21) {
			crc = 0x07; /* 4.1 */
			continue;
		}
		for (int k = 0; k < 8; k++) {
			x = (x & 1) != 0 ? x >> 1 ^ 0x8c : x >> 1;
		}
		crc = x;
	}
	return crc;
}

static size_t encrypt(const uint8_t *key, const uint8_t *plain, size_t n, uint8_t *out) {
	const uint8_t pad = (uint8_t) (16 - n % 16);
	uint8_t iv[16];

	memcpy(iv, key, sizeof(iv));
	memcpy(out, plain, n);
	memset(out + n, pad, pad);
	crypto_aes_cbc_seal(key, iv, out, n + pad, out);
	return n + pad;
}

/* -1: another key's. */
static int decrypt(const uint8_t *key, const uint8_t *buf, size_t n, uint8_t *out) {
	uint8_t iv[16];

	if (n == 0) {
		return 0;
	}
	if (n % 16 != 0) {
		return -1;
	}
	memcpy(iv, key, sizeof(iv));
	crypto_aes_cbc_open(key, iv, buf, n, out);
	const uint8_t pad = out[n - 1];
	if (pad == 0 || pad > 16) {
		return -1;
	}
	for (size_t i = n - pad; i < n; i++) {
		if (out[i] != pad) {
			return -1;
		}
	}
	return (int) (n - pad);
}

static void say(struct ttlock *lock, int link, const uint8_t *key, const uint8_t *plain, size_t n) {
	static const uint8_t head[] = { 0x7f, 0x5a, 5, 3, SCENE, 0, 10, 0, 12, ANSWER, 0xaa };
	uint8_t frame[HEAD_LEN + TTLOCK_PLAIN_MAX + 16 + TAIL_LEN];
	size_t n_cipher;

	memcpy(frame, head, sizeof(head));
	n_cipher = encrypt(key, plain, n, frame + HEAD_LEN);
	frame[HEAD_LEN - 1] = (uint8_t) n_cipher;
	const size_t n_body = HEAD_LEN + n_cipher;
	frame[n_body] = crc8(frame, n_body);
	if (lock->bad_crcs > 0) {
		lock->bad_crcs--;
		frame[n_body] ^= 0x55;
	}
	frame[n_body + 1] = '\r';
	frame[n_body + 2] = '\n';
	for (size_t at = 0; at < n_body + TAIL_LEN && lock->links[link].is_subscribed;
		at += CHUNK) {
		const size_t left = n_body + TAIL_LEN - at;
		sim_lock_indicate(&lock->base, link, TTLOCK_CHR_NOTIFY, frame + at,
			left < CHUNK ? left : CHUNK);
	}
}

void ttlock_say(struct ttlock *lock, int link, const uint8_t *plain, size_t n) {
	say(lock, link, lock->key, plain, n);
}

/* ---- moving (7.1) ---- */

int ttlock_move(struct ttlock *lock, bool is_lock, uint8_t record, uint32_t id, int link) {
	const enum motor steps[4] = { is_lock ? MOTOR_LOCKING : MOTOR_UNLOCKING, MOTOR_IDLE };
	const int r = body_run(&lock->body, steps, lock->now);

	if (r == 0) {
		lock->run_record = record;
		lock->run_id = id;
		lock->run_link = link;
	}
	return r;
}

static int put_done(struct ttlock *lock, uint32_t id, uint8_t *out) {
	struct wr wr = wr_on(out, 15);

	wr_u8(&wr, ttlock_percent(lock));
	wr_u32be(&wr, 0);
	wr_u32be(&wr, id);
	ttlock_date(lock, out + wr.used);
	return 15;
}

static void add_app_record(struct ttlock *lock, bool is_lock, uint32_t id) {
	uint8_t tail[8] = { 0 };
	struct wr wr = wr_on(tail + 4, 4);

	wr_u32be(&wr, id);
	ttlock_log_add(lock, is_lock ? 26 : 1, tail, sizeof(tail));
}

static int do_move(struct ttlock *lock, struct ttlock_link *link, bool is_lock, const uint8_t *in,
	size_t n, uint8_t *out) {
	struct rd rd = rd_on(in, n);
	const uint32_t sum = rd_u32be(&rd);
	const uint32_t id = rd_u32be(&rd);
	int r = 0;

	if (rd_end(&rd) < 0) {
		return -BAD_PARAMETER;
	}
	if (!link->has_challenge || sum != link->challenge + lock->unlock) {
		return -WRONG_SUM;
	}
	link->has_challenge = false;
	lock->base.counters.commands_lock += is_lock;
	lock->base.counters.commands_unlock += !is_lock;
	if (is_lock && !has(lock, 8)) {
		return -UNKNOWN;
	}
	if (lock->refuse >= 0) {
		return -lock->refuse;
	}
	if (lock->frozen != 0) {
		return -FROZEN;
	}
	if (ttlock_percent(lock) < BATTERY_LOW_PERCENT) {
		return -NO_POWER;
	}
	if (is_lock != is_locked(lock)) {
		r = ttlock_move(lock, is_lock, is_lock ? 26 : 1, id, (int) (link - lock->links));
	} else {
		add_app_record(lock, is_lock, id);
	}
	return r == -EHOSTDOWN ? -NO_POWER : r < 0 ? -FAILED : put_done(lock, id, out);
}

/* ---- who it is (6) ---- */

static void new_challenge(struct ttlock *lock, struct ttlock_link *link, uint8_t *out) {
	const struct sim_env *env = lock->base.env;
	struct wr wr = wr_on(out, 4);
	uint32_t number = 0;

	env->random(env->user, SIM_RANDOM_CHALLENGE, &number, sizeof(number));
	link->challenge = number % 0x7fffffff + 1; /* 5.2: what all clients can handle */
	link->has_challenge = true;
	wr_u32be(&wr, link->challenge);
}

static int do_admin(struct ttlock *lock, struct ttlock_link *link, struct rd *rd, uint8_t *out) {
	const uint32_t admin = rd_u32be(rd);
	const uint32_t position = (uint32_t) rd_u8(rd) << 16 | rd_u16be(rd);

	(void) rd_u32be(rd);
	link->is_admin = false;
	if (rd_end(rd) < 0) {
		return -BAD_PARAMETER;
	}
	if (admin != lock->admin) {
		return -WRONG_ADMIN;
	}
	if (position < lock->flag_position) {
		return -REVOKED;
	}
	new_challenge(lock, link, out);
	return 4;
}

/* Of permanent keys, in whatever form: the range says nothing (5.4). */
static bool is_permanent(const uint8_t *end) {
	return end[0] == 99 || end[0] == 0x99;
}

static int do_user(struct ttlock *lock, struct ttlock_link *link, struct rd *rd, uint8_t *out) {
	const uint8_t *start = rd_bytes(rd, 5);
	const uint8_t *end = rd_bytes(rd, 5);
	const uint32_t position = (uint32_t) rd_u8(rd) << 16 | rd_u16be(rd);
	uint8_t now[6];

	(void) rd_u32be(rd);
	if (rd_end(rd) < 0) {
		return -BAD_PARAMETER;
	}
	ttlock_date(lock, now);
	if (position < lock->flag_position) {
		return -REVOKED;
	}
	if (!is_permanent(end) && memcmp(now, end, 5) > 0) {
		return -EXPIRED;
	}
	if (!is_permanent(end) && memcmp(now, start, 5) < 0) {
		return -EARLY;
	}
	new_challenge(lock, link, out);
	return 4;
}

/* Setting it up; the answer to the request of the key comes under the old one. */
static int do_setup(struct ttlock *lock, uint8_t command, struct rd *rd, uint8_t *out) {
	const struct sim_env *env = lock->base.env;

	switch (command) {
	case 0x45:
		return 0;
	case 0x19:
		env->random(env->user, SIM_RANDOM_KEY, lock->key, sizeof(lock->key));
		lock->has_key = true;
		memcpy(out, lock->key, sizeof(lock->key));
		return sizeof(lock->key);
	case 0x56:
		lock->admin = rd_u32be(rd);
		lock->unlock = rd_u32be(rd);
		lock->is_owned = true;
		memcpy(out, word, sizeof(word));
		return sizeof(word);
	default:
		return -SETTABLE;
	}
}

/* ---- settings (7.4) and the rest ---- */

static int do_switch(struct ttlock *lock, uint8_t *value, struct rd *rd, uint8_t *out) {
	out[0] = ttlock_percent(lock);
	out[1] = rd_u8(rd);
	if (out[1] == 1) {
		out[2] = *value;
		return 3;
	}
	*value = rd_u8(rd);
	return 2;
}

static int do_number(struct ttlock *lock, uint16_t *value, struct rd *rd, uint8_t *out) {
	out[0] = ttlock_percent(lock);
	out[1] = rd_u8(rd);
	if (out[1] == 1) {
		out[2] = (uint8_t) (*value >> 8);
		out[3] = (uint8_t) *value;
		return 4;
	}
	*value = rd_u16be(rd);
	return 2;
}

static int do_auto_lock(struct ttlock *lock, struct rd *rd, uint8_t *out) {
	static const uint8_t limits[] = { 0x00, 0x05, 0x03, 0x84 }; /* 5 to 900 s */
	const int n = do_number(lock, &lock->auto_lock_s, rd, out);

	if (n == 4) {
		memcpy(out + 4, limits, sizeof(limits));
		return 8;
	}
	return n;
}

static int do_display(struct ttlock *lock, struct rd *rd, uint8_t *out) {
	const int n = do_switch(lock, &lock->display, rd, out);

	/* This one tells no battery (7.4). */
	memmove(out, out + 1, (size_t) n - 1);
	return n - 1;
}

static int do_device(struct ttlock *lock, struct rd *rd, uint8_t *out) {
	static const char *const texts[] = { "", "hw1", "2.1.16.705", "20240517" };
	const uint8_t which = rd_u8(rd);
	const char *text = which == 1                                 ? lock->kind->name
			   : which >= 2 && which <= ARRAY_SIZE(texts) ? texts[which - 1]
								      : NULL;

	if (text == NULL) {
		return -UNKNOWN;
	}
	const size_t n = strlen(text) + 1;
	memcpy(out, text, n); /* with the stray octet at its end */
	return (int) n;
}

static int do_features(struct ttlock *lock, uint8_t *out) {
	struct wr wr = wr_on(out, 9);

	wr_u8(&wr, ttlock_percent(lock));
	wr_u32be(&wr, lock->kind->features);
	wr_u32be(&wr, 0);
	return 9;
}

static int do_state(struct ttlock *lock, uint8_t *out) {
	out[0] = ttlock_percent(lock);
	out[1] = lock->is_state_stuck || !is_locked(lock);
	out[2] = 0x02;
	return 3;
}

static int set_time(struct ttlock *lock, struct rd *rd) {
	const struct sim_env *env = lock->base.env;
	struct civil civil = { .year = 2000 + rd_u8(rd) };
	wall_t wall = { 0 };

	civil.month = rd_u8(rd);
	civil.day = rd_u8(rd);
	civil.hour = rd_u8(rd);
	civil.minute = rd_u8(rd);
	civil.second = rd_u8(rd);
	if (rd_end(rd) < 0 || wall_from_civil(&civil, &wall) < 0) {
		return -BAD_PARAMETER;
	}
	if (!lock->is_clock_stuck) {
		lock->clock_offset_s = wall.s - env->wall(env->user).s;
	}
	return 0;
}

static int do_admins(struct ttlock *lock, struct ttlock_link *link, uint8_t command,
	const uint8_t *in, size_t n, uint8_t *out) {
	struct rd rd = rd_on(in, n);

	if (!link->is_admin) {
		return -NO_PERMISSION;
	}
	switch (command) {
	case 0x03:
		return has(lock, 0) ? ttlock_do_code(lock, in, n, out) : -UNKNOWN;
	case 0x07:
		return has(lock, 0) ? ttlock_list_codes(lock, in, n, out) : -UNKNOWN;
	case 0x05:
		return has(lock, 1) ? ttlock_do_card(lock, in, n, out) : -UNKNOWN;
	case 0x06:
		return has(lock, 2) ? ttlock_do_finger(lock, in, n, out) : -UNKNOWN;
	case 0x66:
		return has(lock, 22) ? ttlock_do_passage(lock, in, n, out) : -UNKNOWN;
	case 0x36:
		return has(lock, 4) ? do_auto_lock(lock, &rd, out) : -UNKNOWN;
	case 0x37:
		return has(lock, 14) ? do_switch(lock, &lock->remote, &rd, out) : -UNKNOWN;
	case 0x59:
		return has(lock, 9) ? do_display(lock, &rd, out) : -UNKNOWN;
	case 0x61:
		return has(lock, 11) ? do_switch(lock, &lock->frozen, &rd, out) : -UNKNOWN;
	case 0x62:
		return has(lock, 15) ? do_switch(lock, &lock->sound, &rd, out) : -UNKNOWN;
	case 0x67:
		return has(lock, 25) ? do_number(lock, &lock->lamp_s, &rd, out) : -UNKNOWN;
	case 0x52:
		ttlock_forget(lock);
		return 0;
	default:
		return -UNKNOWN;
	}
}

static int prove(const struct ttlock *lock, struct ttlock_link *link, struct rd *rd) {
	link->is_admin = link->has_challenge && rd_u32be(rd) == link->challenge + lock->unlock;
	link->has_challenge = false;
	return link->is_admin ? 0 : -WRONG_SUM;
}

/* What stands behind echo and status, or less than nothing: the code of the error. */
static int do_command(struct ttlock *lock, struct ttlock_link *link, uint8_t command,
	const uint8_t *in, size_t n, uint8_t *out) {
	struct rd rd = rd_on(in, n);

	if (!lock->is_owned || command == 0x45 || command == 0x19 || command == 0x56) {
		return lock->is_settable ? do_setup(lock, command, &rd, out) : -NOT_SETTABLE;
	}
	switch (command) {
	case 0x01:
		return do_features(lock, out);
	case 0x14:
		return do_state(lock, out);
	case 0x25:
		return ttlock_do_log(lock, in, n, out);
	case 0x30:
		return prove(lock, link, &rd);
	case 0x34:
		ttlock_date(lock, out);
		return 6;
	case 0x41:
		return do_admin(lock, link, &rd, out);
	case 0x43:
		return set_time(lock, &rd);
	case 0x47:
	case 0x58:
		return do_move(lock, link, command == 0x58, in, n, out);
	case 0x55:
		return do_user(lock, link, &rd, out);
	case 0x57:
		lock->is_settable = false;
		return 0;
	case 0x90:
		return do_device(lock, &rd, out);
	default:
		return do_admins(lock, link, command, in, n, out);
	}
}

static void answer(struct ttlock *lock, int i, uint8_t command, const uint8_t *cipher,
	size_t n_cipher, bool is_crc_right) {
	struct ttlock_link *link = &lock->links[i];
	const bool is_setup = command == 0x45 || command == 0x19 || !lock->has_key;
	uint8_t key[TTLOCK_KEY_LEN];
	uint8_t plain[256];
	uint8_t out[TTLOCK_PLAIN_MAX] = { command, 1 };
	int n, r;

	memcpy(key, is_setup ? factory_key : lock->key, sizeof(key));
	n = decrypt(key, cipher, n_cipher, plain);
	if (n < 0) {
		lock->base.counters.refused++;
		return; /* silent: 9.2 */
	}
	lock->base.counters.messages_in++;
	if (!is_crc_right || lock->refused_crcs > 0) {
		lock->refused_crcs -= lock->refused_crcs > 0;
		r = -BAD_CRC;
	} else {
		lock->asking = i;
		r = do_command(lock, link, command, plain, (size_t) n, out + 2);
	}
	if (r < 0) {
		lock->base.counters.refused++;
		out[1] = 0;
		out[2] = (uint8_t) -r;
		r = 1;
	}
	say(lock, i, key, out, (size_t) r + 2);
	wipe(key, sizeof(key));
	wipe(plain, sizeof(plain));
	if (command == 0x52 && out[1] == 1) {
		sim_lock_drop(&lock->base, i);
	}
	ttlock_changed(lock);
}

/* Whole frames out of what has come. */
static void read_frames(struct ttlock *lock, int i) {
	struct ttlock_link *link = &lock->links[i];

	while (link->n_in >= HEAD_LEN) {
		const size_t n_cipher = link->in[HEAD_LEN - 1];
		const size_t n = HEAD_LEN + n_cipher + TAIL_LEN;
		const bool is_frame = link->in[0] == 0x7f && link->in[1] == 0x5a;
		size_t n_taken = 1;

		if (is_frame && link->n_in < n) {
			return;
		}
		if (is_frame && link->in[n - 1] == '\n') {
			const uint8_t crc = crc8(link->in, HEAD_LEN + n_cipher);
			n_taken = n;
			answer(lock, i, link->in[9], link->in + HEAD_LEN, n_cipher,
				crc == link->in[n - TAIL_LEN]);
		}
		if (!lock->base.links[i].is_up) {
			return;
		}
		link->n_in -= n_taken;
		memmove(link->in, link->in + n_taken, link->n_in);
	}
}

static int on_write(
	struct sim_lock *base, int link, unsigned chr, const uint8_t *value, size_t n, mono_t now) {
	struct ttlock *lock = ttlock_of(base);
	struct ttlock_link *to = &lock->links[link];

	lock->now = now;
	if (chr != TTLOCK_CHR_WRITE) {
		return SIM_ATT(SIM_ATT_WRITE_NOT_PERMITTED);
	}
	if (n > CHUNK) {
		return 0; /* longer ones are lost on real locks */
	}
	if (n > sizeof(to->in) - to->n_in) {
		to->n_in = 0;
	}
	memcpy(to->in + to->n_in, value, n);
	to->n_in += n;
	read_frames(lock, link);
	return 0;
}

static ssize_t on_read(struct sim_lock *lock, int link, unsigned chr, uint8_t *out, size_t size) {
	const char *name = ttlock_of(lock)->kind->name;
	const size_t n = strlen(name);

	if (chr != TTLOCK_CHR_MODEL) {
		return SIM_ATT(SIM_ATT_READ_NOT_PERMITTED);
	}
	memcpy(out, name, n < size ? n : size);
	return (ssize_t) (n < size ? n : size);
}

static void on_subscribed(struct sim_lock *lock, int link, unsigned chr, bool on) {
	ttlock_of(lock)->links[link].is_subscribed = on;
}

static void on_connected(struct sim_lock *lock, int link, mono_t now) {
	ttlock_of(lock)->now = now;
	ttlock_of(lock)->links[link] = (struct ttlock_link){ 0 };
}

static void on_disconnected(struct sim_lock *base, int link, mono_t now) {
	struct ttlock *lock = ttlock_of(base);

	lock->now = now;
	body_link_ended(&lock->body, sim_lock_link_ms(base, link, now));
	lock->learning = lock->learn_link == link ? 0 : lock->learning;
	wipe(&lock->links[link], sizeof(lock->links[link]));
}

/* ---- time ---- */

static mono_t get_next_due(struct sim_lock *base) {
	const struct ttlock *lock = ttlock_of(base);
	mono_t due = mono_min(body_next_due(&lock->body), lock->auto_lock_at);

	if (!mono_is_due(lock->touched_until, lock->now)) {
		due = mono_min(due, lock->touched_until);
	}
	return mono_min(due, sim_lock_idle_due(base, IDLE_MS));
}

static void on_tick(struct sim_lock *base, mono_t now) {
	struct ttlock *lock = ttlock_of(base);
	const bool was_touched = !mono_is_due(lock->touched_until, lock->now);

	body_tick(&lock->body, now);
	lock->now = now; /* the body told older times */
	if (mono_is_due(lock->auto_lock_at, now)) {
		lock->auto_lock_at = MONO_NEVER;
		(void) ttlock_move(lock, true, 0, 0, -1); /* which it writes down nowhere (7.4) */
	}
	if (was_touched && mono_is_due(lock->touched_until, now)) {
		ttlock_changed(lock);
	}
	if (lock->learning != 0) {
		base->links[lock->learn_link].heard = now;
	}
	sim_lock_drop_idle(base, IDLE_MS, now);
}

static void on_moved(void *user, mono_t now) {
	struct ttlock *lock = user;

	lock->now = now;
	body_count(&lock->body, &lock->base.counters);
	lock->auto_lock_at = is_locked(lock) || lock->auto_lock_s == 0
				     ? MONO_NEVER
				     : mono_after(now, lock->auto_lock_s * 1000);
	ttlock_changed(lock);
}

/* A run that came to its end is written down, and told to whoever has asked for it. */
static void on_done(void *user, enum motor_result result, mono_t now) {
	struct ttlock *lock = user;
	uint8_t push[17] = { 0x14, 1 };

	lock->now = now;
	if (result == MOTOR_OK && (lock->run_record == 1 || lock->run_record == 26)) {
		add_app_record(lock, lock->run_record == 26, lock->run_id);
		(void) put_done(lock, lock->run_id, push + 2);
		if (lock->run_link >= 0 && lock->base.links[lock->run_link].is_up) {
			say(lock, lock->run_link, lock->key, push, sizeof(push));
		}
	}
	lock->run_record = 0;
	lock->run_link = -1;
	ttlock_changed(lock);
}

static void on_drained(void *user, mono_t now) {
	((struct ttlock *) user)->now = now;
	ttlock_changed(user);
}

static unsigned get_chance(void *user, unsigned n) {
	return sim_env_chance(((struct ttlock *) user)->base.env, n);
}

static const struct body_user body_user = {
	.moved = on_moved,
	.done = on_done,
	.drained = on_drained,
	.chance = get_chance,
};

static struct sim_lock *ttlock_free(struct sim_lock *base) {
	wipe(ttlock_of(base), sizeof(struct ttlock));
	free(base);
	return NULL;
}

static const struct sim_lock_impl ttlock_impl = {
	.brand = "ttlock",
	.free = ttlock_free,
	.gatt = get_gatt,
	.advert = get_advert,
	.connected = on_connected,
	.disconnected = on_disconnected,
	.write = on_write,
	.read = on_read,
	.subscribed = on_subscribed,
	.next_due = get_next_due,
	.tick = on_tick,
	.turn = ttlock_person_turn,
	.keypad = ttlock_person_keypad,
	.app = ttlock_person_app,
	.door = ttlock_person_door,
	.jam = body_person_jam,
	.battery = ttlock_person_battery,
	.drain = body_person_drain,
	.clock = ttlock_person_clock,
	.pairing = ttlock_person_pairing,
	.reset = ttlock_person_reset,
	.set = ttlock_person_set,
	.show = ttlock_show,
	.log = ttlock_log,
	.save = ttlock_save,
	.load = ttlock_load,
};

int ttlock_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why) {
	const struct ttlock_kind *kind =
		words_kind(pairs, kinds, ARRAY_SIZE(kinds), sizeof(kinds[0]));

	if (kind == NULL) {
		return -EINVAL;
	}
	struct ttlock *lock = calloc(1, sizeof(*lock));
	if (lock == NULL) {
		return -ENOMEM;
	}
	sim_lock_init(&lock->base, &ttlock_impl, pairs, env);
	lock->base.body = &lock->body;
	body_init(&lock->body, &body_user, lock);
	lock->kind = kind;
	lock->is_frugal = kind->is_frugal;
	lock->cards.n_id = 4;
	lock->fingers.n_id = 6;
	lock->auto_lock_at = MONO_NEVER;
	lock->refuse = -1;
	lock->run_link = -1;
	ttlock_forget(lock);
	*ret = &lock->base;
	return 0;
}
