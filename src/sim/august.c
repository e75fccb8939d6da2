/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "august.h"

/* The virtual lock of August or Yale: what it advertises, its frames, and its time. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/aes.h"
#include "util/bytes.h"
#include "util/secret.h"
#include "util/text.h"
#include "words.h"

#define COMPANY 465
#define COMPANY_APPLE 76
#define IDLE_MS 30000
#define CRASH_MS 250
#define SHAPE_MS 4000
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

static const struct august_kind kinds[] = {
	{ "august:asl-01", "ASL-01", false, true, false, false, true, false, "1.1.12" },
	{ "august:asl-03", "ASL-03", true, true, false, true, false, false, "2.4.1" },
	{ "yale:assure", "YRD256", true, true, false, false, false, true, "3.0.34" },
	{ "yale:linus", "SL-103", true, false, true, true, true, false, "1.8.9" },
};

struct august *august_of(struct sim_lock *lock) {
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

static uint8_t sum8(const uint8_t frame[static AUGUST_FRAME_LEN]) {
	uint8_t sum = 0;

	for (int i = 0; i < AUGUST_FRAME_LEN; i++) {
		sum = (uint8_t) (sum + frame[i]);
	}
	return sum;
}

uint32_t august_word(const uint8_t *at) {
	return (uint32_t) at[0] | (uint32_t) at[1] << 8 | (uint32_t) at[2] << 16 |
	       (uint32_t) at[3] << 24;
}

/* All four words of a good one add up to nothing. */
static bool is_sec_good(const uint8_t frame[static AUGUST_FRAME_LEN]) {
	return august_word(frame) + august_word(frame + 4) + august_word(frame + 8) +
		       august_word(frame + 12) ==
	       0;
}

static void tell(
	struct august *lock, int link, enum chr chr, const uint8_t frame[static AUGUST_FRAME_LEN]) {
	struct august_link *to = &lock->links[link];

	if (chr == CHR_MCU_TELL) {
		to->said = lock->now;
		to->has_said = true;
	}
	if (chr == CHR_SEC_TELL ? to->hears_sec : to->hears_mcu) {
		sim_lock_indicate(&lock->base, link, chr, frame, AUGUST_FRAME_LEN);
	}
}

static void tell_sec(struct august *lock, int link, const uint8_t key[static AUGUST_KEY_LEN],
	uint8_t opcode, const uint8_t payload[static 8], uint8_t slot) {
	uint8_t frame[AUGUST_FRAME_LEN] = { opcode };
	struct wr wr = wr_on(frame + 12, 4);

	memcpy(frame + 4, payload, 8);
	wr_u32le(&wr, 0U - (august_word(frame) + august_word(frame + 4) + august_word(frame + 8)));
	frame[16] = 0x0f;
	frame[17] = slot;
	crypto_aes_block_seal(key, frame, frame);
	tell(lock, link, CHR_SEC_TELL, frame);
}

void august_tell_mcu(struct august *lock, int link, uint8_t frame[static AUGUST_FRAME_LEN]) {
	struct august_link *to = &lock->links[link];

	if (to->stage != AUGUST_STAGE_OPEN || lock->is_silent) {
		return;
	}
	frame[16] = lock->kind->is_short ? 0 : 2;
	frame[3] = 0;
	frame[3] = (uint8_t) -sum8(frame);
	crypto_aes_cbc_seal(to->key, to->out, frame, 16, frame);
	tell(lock, link, CHR_MCU_TELL, frame);
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

static int take_sec(struct august *lock, int link, const uint8_t wire[static AUGUST_FRAME_LEN]) {
	struct august_link *from = &lock->links[link];
	const struct sim_env *env = lock->base.env;
	const bool is_first = from->stage == AUGUST_STAGE_NEW;
	uint8_t frame[AUGUST_FRAME_LEN], nonce[8];

	memcpy(frame, wire, AUGUST_FRAME_LEN);
	crypto_aes_block_open(is_first ? lock->key : from->key, frame, frame);
	if (is_first) {
		if (!is_sec_good(frame) || frame[0] != 0x01 || frame[17] != lock->slot) {
			return refuse_key(lock, link, frame[17]);
		}
		env->random(env->user, SIM_RANDOM_NONCE, nonce, sizeof(nonce));
		memcpy(from->key, frame + 4, 8);
		memcpy(from->key + 8, nonce, 8);
		from->stage = AUGUST_STAGE_OFFERED;
		tell_sec(lock, link, lock->key, 0x02, nonce, frame[17]);
		return 0;
	}
	if (!is_sec_good(frame)) {
		return refuse_key(lock, link, frame[17]);
	}
	if (from->stage == AUGUST_STAGE_OFFERED && frame[0] == 0x03) {
		env->random(env->user, SIM_RANDOM_OTHER, nonce, sizeof(nonce));
		memset(from->in, 0, sizeof(from->in));
		memset(from->out, 0, sizeof(from->out));
		from->stage = AUGUST_STAGE_OPEN;
		tell_sec(lock, link, from->key, 0x04, nonce, frame[17]);
	} else if (frame[0] == 0x05) {
		const uint8_t nothing[8] = { 0 };

		tell_sec(lock, link, from->key, frame[17] == 0 ? 0x8b : 0x06, nothing, frame[17]);
	}
	return 0;
}

static void take_mcu(struct august *lock, int link, const uint8_t wire[static AUGUST_FRAME_LEN]) {
	struct august_link *from = &lock->links[link];
	uint8_t frame[AUGUST_FRAME_LEN];

	if (from->stage != AUGUST_STAGE_OPEN) {
		return;
	}
	memcpy(frame, wire, AUGUST_FRAME_LEN);
	crypto_aes_cbc_open(from->key, from->in, frame, 16, frame);
	if (sum8(frame) != 0 || frame[0] != 0xee) {
		lock->base.counters.refused++;
		return; /* dropped */
	}
	august_obey(lock, link, frame);
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
	/* Handshake and farewell may be as quick as they like: yalexs-ble is. */
	if (lock->is_fragile && chr == CHR_MCU_WRITE &&
		since < (int64_t) (CRASH_MS * base->env->speed * 4 / 5)) {
		lock->is_crashed = true; /* until somebody takes its cells out */
		sim_lock_drop(base, link);
		sim_lock_advert_changed(base);
		return 0;
	}
	if (n != AUGUST_FRAME_LEN) {
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
		august_keep_bolt(lock, 0x01, 0);
		august_changed(lock, 0x02);
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
		august_tell_result(lock, lock->runner, lock->running_op, code);
	}
	august_keep_bolt(lock, 0x00, 0x03);
	august_changed(lock, 0x02);
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
	.door = august_person_door,
	.jam = body_person_jam,
	.battery = august_person_battery,
	.drain = body_person_drain,
	.clock = august_person_clock,
	.reboot = august_person_reboot,
	.set = august_person_set,
	.show = august_show,
	.save = august_save,
	.load = august_load,
};

int august_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why) {
	const struct august_kind *kind =
		words_kind(pairs, kinds, ARRAY_SIZE(kinds), sizeof(kinds[0]));
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
