/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "switchbot.h"

/* The virtual SwitchBot lock: what it advertises, what it answers, and what a person does to it. */

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
#define COMPANY 0x0969
#define SERVICE_DATA "0000fd3d-0000-1000-8000-00805f9b34fb"
#define UUID(part) "cba200" part "-224d-11e6-9fb8-0002a5d5c51b"
#define KEY_LEN 16
#define FRAME_MAX 64
#define HEAD_LEN 4
#define IDLE_MS 30000 /* inferred */
#define MESSAGE_MAX (FRAME_MAX - HEAD_LEN)

enum chr { CHR_WRITE, CHR_NOTIFY };
enum mode { MODE_NONE, MODE_CTR, MODE_GCM };

/* Status bytes (8). */
enum {
	DONE = 0x01,
	CANNOT = 0x02,
	BUSY = 0x03,
	UNSUPPORTED = 0x05,
	WEAK = 0x06,
	NO_SUCH_KEY = 0x07,
	WRONG_KEY = 0x09,
	NEWS = 0x0f
};

struct kind {
	const char *model;
	char letter;       /* of service data; 0: by its end */
	uint8_t suffix[4]; /* that end */
	bool is_b;         /* state of the advertisement: five octets instead of three */
	bool is_power_bit; /* B+: one bit tells weak cells, else the two compartments' */
	bool is_info_b;
	bool has_door;
	bool has_long_form; /* of the commands that move the bolt; it takes no other */
	uint8_t code;       /* of "lock info" */
	uint8_t firmware;
};

/* 1 */
/* clang-format off */
static const struct kind kinds[] = {
	{ "switchbot:lock", 'o', { 0 }, false, false, false, true, false, 0x01, 21 },
	{ "switchbot:lite", '-', { 0 }, false, false, false, false, false, 0x01, 11 },
	{ "switchbot:pro", '$', { 0 }, true, false, true, true, true, 0x04, 23 },
	{ "switchbot:pro-wifi", 0, { 0x00, 0x10, 0xff, 0x90 }, true, false, true, true, true, 0x0a, 10 },
	{ "switchbot:ultra", 0, { 0x00, 0x10, 0xa5, 0xb8 }, true, true, true, true, true, 0x07, 14 },
	{ "switchbot:vision", 0, { 0x00, 0x11, 0x69, 0x08 }, false, false, false, false, true, 0x02, 10 },
	{ "switchbot:vision-pro", 0, { 0x01, 0x11, 0x69, 0x09 }, true, true, false, true, true, 0x02, 10 },
};
/* clang-format on */

struct switchbot_link {
	enum mode mode; /* NONE: nobody has asked for the start value */
	uint8_t start[16];
	bool is_subscribed;
	bool wants_news;
};

struct switchbot {
	struct sim_lock base;
	struct body body;
	const struct kind *kind;
	struct switchbot_link links[SIM_LINKS_MAX];
	uint8_t key[KEY_LEN];
	uint8_t key_id;
	enum mode mode; /* which this firmware uses */
	uint8_t firmware;
	uint8_t sequence;
	bool is_running;      /* the motor, by a command */
	bool was_locking;     /* the last run */
	bool has_night_latch; /* 80 pulls the latch */
	unsigned refuse; /* what commands that move are answered with; 0: they are carried out */
	mono_t now;
};

static struct switchbot *switchbot_of(struct sim_lock *lock) {
	return (struct switchbot *) lock;
}

static const struct sim_gatt *get_gatt(struct sim_lock *lock) {
	static const struct sim_char chars[] = {
		{ UUID("02"), SIM_FLAG_WRITE | SIM_FLAG_WRITE_COMMAND },
		{ UUID("03"), SIM_FLAG_NOTIFY },
	};
	static const struct sim_service services[] = { { "cba20d00-224d-11e6-9fb8-0002a5d5c51b",
		chars, ARRAY_SIZE(chars) } };
	static const struct sim_gatt gatt = { services, ARRAY_SIZE(services) };
	(void) lock;
	return &gatt;
}

/* ---- state (3.2, 7.2) ---- */

static unsigned status(const struct switchbot *lock) {
	switch (lock->body.motor) {
	case MOTOR_LOCKING:
		return 2;
	case MOTOR_UNLOCKING:
	case MOTOR_UNLATCHING:
	case MOTOR_HOLDING:
	case MOTOR_RUN_IN:
		return 3;
	case MOTOR_IDLE:
		break;
	}
	if (lock->body.is_blocked) {
		return lock->was_locking ? 4 : 5;
	}
	return lock->body.bolt == BOLT_LOCKED ? 0 : 1;
}

static size_t info(const struct switchbot *lock, uint8_t out[static MESSAGE_MAX]) {
	const bool is_open = lock->kind->has_door && lock->body.is_door_open;
	const unsigned calibrated = lock->body.is_calibrated ? 0x80 : 0;

	memset(out, 0, 6);
	if (lock->kind->is_info_b) {
		out[0] = (uint8_t) (calibrated | status(lock) << 3);
		out[1] = is_open ? 0x10 : 0;
	} else {
		out[0] = (uint8_t) (calibrated | status(lock) << 4 | (is_open ? 0x04 : 0));
	}
	return 6;
}

static bool is_weak(struct switchbot *lock) {
	return body_is_critical(&lock->body, lock->now);
}

static void get_advert(struct sim_lock *base, struct sim_advert *ret) {
	struct switchbot *lock = switchbot_of(base);
	const unsigned percent = body_percent(&lock->body, lock->now);
	struct wr wr = wr_on(ret->manufacturer, sizeof(ret->manufacturer));

	ret->is_discoverable = true;
	ret->interval_ms = 1000;
	snprintf(ret->name, sizeof(ret->name), "WoLock");
	ret->company = COMPANY;
	wr_bytes(&wr, base->address, sizeof(base->address));
	wr_u8(&wr, lock->sequence);
	if (lock->kind->is_b) {
		wr_u8(&wr, (uint8_t) ((lock->body.is_calibrated ? 0x80 : 0) | status(lock) << 3));
		wr_u8(&wr, lock->kind->has_door && lock->body.is_door_open ? 0x10 : 0);
		wr_u8(&wr, (uint8_t) percent);
		wr_u8(&wr, 0);
		wr_u8(&wr, !is_weak(lock) ? 0 : lock->kind->is_power_bit ? 0x10 : 0x06);
	} else {
		wr_u8(&wr,
			(uint8_t) ((lock->body.is_calibrated ? 0x80 : 0) | status(lock) << 4 |
				   (lock->kind->has_door && lock->body.is_door_open ? 0x04 : 0)));
		wr_u8(&wr, 0);
		wr_u8(&wr, (uint8_t) (0x20 | (lock->has_night_latch ? 1 : 0)));
	}
	ret->n_manufacturer = (size_t) wr_end(&wr);
	snprintf(ret->service, sizeof(ret->service), SERVICE_DATA);
	wr = wr_on(ret->data, sizeof(ret->data));
	wr_u8(&wr, (uint8_t) lock->kind->letter);
	wr_u8(&wr, 0x80);
	wr_u8(&wr, (uint8_t) percent);
	if (lock->kind->letter == 0) {
		wr_bytes(&wr, lock->kind->suffix, sizeof(lock->kind->suffix));
	}
	ret->n_data = (size_t) wr_end(&wr);
}

/* ---- messages (4, 5) ---- */

static void cipher(const struct switchbot *lock, const struct switchbot_link *link,
	const uint8_t *in, size_t n, uint8_t *out, uint8_t mark[static 2]) {
	uint8_t tag[CRYPTO_AES_LEN];

	if (link->mode == MODE_GCM) {
		crypto_aes_gcm_seal(lock->key, link->start, in, n, out, tag);
		memcpy(mark, tag, 2);
	} else {
		crypto_aes_ctr(lock->key, link->start, in, n, out);
		memcpy(mark, link->start, 2);
	}
}

static void next_start(struct switchbot_link *link) {
	for (size_t i = 12; link->mode == MODE_GCM && i-- > 0;) {
		if (++link->start[i] != 0) {
			return;
		}
	}
}

static void say(struct switchbot *lock, int link, uint8_t result, const uint8_t *plain, size_t n) {
	uint8_t frame[FRAME_MAX] = { result, lock->key_id };

	if (n > 0) {
		cipher(lock, &lock->links[link], plain, n, frame + HEAD_LEN, frame + 2);
	}
	if (lock->links[link].is_subscribed) {
		sim_lock_indicate(&lock->base, link, CHR_NOTIFY, frame, n > 0 ? n + HEAD_LEN : 1);
	}
}

static void say_all(struct switchbot *lock) {
	uint8_t plain[MESSAGE_MAX];
	const size_t n = info(lock, plain);

	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		if (lock->base.links[i].is_up && lock->links[i].wants_news) {
			say(lock, i, NEWS, plain, n);
		}
	}
}

/* What it advertises is another thing now. */
static void changed(struct switchbot *lock) {
	lock->sequence = lock->sequence == 255 ? 1 : (uint8_t) (lock->sequence + 1);
	sim_lock_advert_changed(&lock->base);
	say_all(lock);
}

static void give_start(struct switchbot *lock, int i, uint8_t key_id) {
	struct switchbot_link *link = &lock->links[i];
	const struct sim_env *env = lock->base.env;
	const uint8_t no = NO_SUCH_KEY;
	uint8_t frame[HEAD_LEN + 16] = { DONE, 0, lock->mode == MODE_GCM, 0 };

	if (key_id != lock->key_id) {
		lock->base.counters.refused++;
		sim_lock_indicate(&lock->base, i, CHR_NOTIFY, &no, 1);
		return;
	}
	memset(link->start, 0, sizeof(link->start));
	env->random(env->user, SIM_RANDOM_NONCE, link->start, lock->mode == MODE_GCM ? 12 : 16);
	link->mode = lock->mode;
	memcpy(frame + HEAD_LEN, link->start, 16);
	sim_lock_indicate(&lock->base, i, CHR_NOTIFY, frame, sizeof(frame));
}

/* ---- commands (7.1) ---- */

static void move(struct switchbot *lock, int link, uint8_t action) {
	struct sim_counters *counters = &lock->base.counters;
	const bool is_lock = action == 0x00;
	const bool is_latch = action == 0x80 && lock->has_night_latch;
	enum motor steps[4] = { is_lock ? MOTOR_LOCKING : MOTOR_UNLOCKING, MOTOR_IDLE };
	uint8_t plain[MESSAGE_MAX];
	uint8_t result = is_weak(lock) ? WEAK : DONE;
	int r = 0;

	if (is_latch) {
		steps[1] = MOTOR_UNLATCHING;
		steps[2] = MOTOR_HOLDING;
		steps[3] = MOTOR_IDLE;
	}
	counters->commands_lock += is_lock;
	counters->commands_unlock += !is_lock && !is_latch;
	counters->commands_unlatch += is_latch;
	(void) info(lock, plain);
	if (lock->refuse != 0) {
		result = (uint8_t) lock->refuse;
	} else if (!lock->body.is_calibrated) {
		result = CANNOT;
	} else if (is_latch || status(lock) != (is_lock ? 0 : 1)) {
		lock->was_locking = is_lock;
		r = body_run(&lock->body, steps, lock->now);
		lock->is_running = r == 0;
		result = r == -EBUSY ? BUSY : r < 0 ? CANNOT : result;
	}
	const uint8_t answer[] = { plain[0], 0x35, 0x48, 0x35, 0x00 };
	counters->refused += result != DONE && result != WEAK;
	say(lock, link, result, answer, result == DONE || result == WEAK ? sizeof(answer) : 0);
}

static void obey(struct switchbot *lock, int link, const uint8_t *plain, size_t n) {
	const uint8_t basic[] = { (uint8_t) body_percent(&lock->body, lock->now), lock->firmware,
		0x1b, 0, 0, 0 };
	const uint8_t nothing[] = { 0 };
	uint8_t state[MESSAGE_MAX];

	lock->base.counters.messages_in++;
	if (n == 1 && plain[0] == 0x02) {
		say(lock, link, DONE, basic, sizeof(basic));
	} else if (n == 4 && memcmp(plain, "\x0f\x4f\x81", 3) == 0) {
		const size_t n_state = info(lock, state);
		const bool is_ours = plain[3] == lock->kind->code;
		say(lock, link, is_ours ? DONE : UNSUPPORTED, state, is_ours ? n_state : 0);
	} else if (n == 8 && plain[0] == 0x0e && plain[1] == 0x01) {
		lock->links[link].wants_news = true;
		say(lock, link, DONE, nothing, sizeof(nothing));
	} else if (n == 2 && plain[0] == 0x0e) {
		lock->links[link].wants_news = false;
		say(lock, link, DONE, nothing, sizeof(nothing));
	} else if (n == (lock->kind->has_long_form ? 7 : 6) &&
		   memcmp(plain, "\x0f\x4e\x01\x01", 4) == 0 &&
		   (plain[n - 1] == 0x00 || plain[n - 1] == 0x80 || plain[n - 1] == 0xa0)) {
		move(lock, link, plain[n - 1]);
	} else {
		/* What another key has made of a command. */
		lock->base.counters.refused++;
		say(lock, link, WRONG_KEY, NULL, 0);
	}
	next_start(&lock->links[link]);
}

static int on_write(
	struct sim_lock *base, int link, unsigned chr, const uint8_t *value, size_t n, mono_t now) {
	struct switchbot *lock = switchbot_of(base);
	uint8_t plain[FRAME_MAX], again[FRAME_MAX], mark[2];

	lock->now = now;
	if (chr != CHR_WRITE) {
		return SIM_ATT(SIM_ATT_WRITE_NOT_PERMITTED);
	}
	if (n < HEAD_LEN + 1 || n > FRAME_MAX || value[0] != 0x57) {
		return 0;
	}
	const uint8_t *body = value + HEAD_LEN;
	const size_t n_body = n - HEAD_LEN;
	if (value[1] == 0 && value[2] == 0 && value[3] == 0) {
		if (n_body == 4 && memcmp(body, "\x0f\x21\x03", 3) == 0) {
			give_start(lock, link, body[3]);
		} else {
			say(lock, link, NO_SUCH_KEY, NULL, 0);
		}
		return 0;
	}
	struct switchbot_link *to = &lock->links[link];
	if (to->mode == MODE_NONE || value[1] != lock->key_id) {
		say(lock, link, WRONG_KEY, NULL, 0);
		return 0;
	}
	/* Both ways are the same key stream. */
	if (to->mode == MODE_GCM) {
		crypto_aes_gcm_read(lock->key, to->start, body, n_body, plain);
	} else {
		crypto_aes_ctr(lock->key, to->start, body, n_body, plain);
	}
	cipher(lock, to, plain, n_body, again, mark);
	if (memcmp(mark, value + 2, sizeof(mark)) != 0) {
		base->counters.refused++;
		return 0; /* dropped: 5.2, appendix A */
	}
	obey(lock, link, plain, n_body);
	return 0;
}

static ssize_t on_read(struct sim_lock *lock, int link, unsigned chr, uint8_t *out, size_t size) {
	return SIM_ATT(SIM_ATT_READ_NOT_PERMITTED);
}

static void on_subscribed(struct sim_lock *lock, int link, unsigned chr, bool on) {
	switchbot_of(lock)->links[link].is_subscribed = on;
}

static void on_connected(struct sim_lock *lock, int link, mono_t now) {
	switchbot_of(lock)->now = now;
	switchbot_of(lock)->links[link] = (struct switchbot_link){ 0 };
}

static void on_disconnected(struct sim_lock *base, int link, mono_t now) {
	struct switchbot *lock = switchbot_of(base);

	lock->now = now;
	body_link_ended(&lock->body, sim_lock_link_ms(base, link, now));
	wipe(&lock->links[link], sizeof(lock->links[link]));
}

/* ---- time ---- */

static mono_t get_next_due(struct sim_lock *base) {
	const struct switchbot *lock = switchbot_of(base);
	const mono_t due = body_next_due(&lock->body);

	return lock->is_running ? due : mono_min(due, sim_lock_idle_due(base, IDLE_MS));
}

static void on_tick(struct sim_lock *base, mono_t now) {
	struct switchbot *lock = switchbot_of(base);

	body_tick(&lock->body, now);
	lock->now = now; /* the body told older times */
	if (!lock->is_running) {
		sim_lock_drop_idle(base, IDLE_MS, now);
	}
}

/* The final state of a run is told by its end, with its result. */
static void on_moved(void *user, mono_t now) {
	struct switchbot *lock = user;

	lock->now = now;
	body_count(&lock->body, &lock->base.counters);
	if (!lock->is_running || lock->body.motor != MOTOR_IDLE) {
		changed(lock);
	}
}

static void on_done(void *user, enum motor_result result, mono_t now) {
	struct switchbot *lock = user;

	lock->now = now;
	lock->is_running = false;
	changed(lock);
}

static void on_drained(void *user, mono_t now) {
	((struct switchbot *) user)->now = now;
	changed(user);
}

static unsigned get_chance(void *user, unsigned n) {
	return sim_env_chance(((struct switchbot *) user)->base.env, n);
}

static const struct body_user body_user = {
	.moved = on_moved,
	.done = on_done,
	.drained = on_drained,
	.chance = get_chance,
};

/* ---- a person at the door ---- */

static int person_door(struct sim_lock *base, bool is_open, mono_t now, char *why) {
	struct switchbot *lock = switchbot_of(base);

	lock->now = now;
	const int r = body_move_door(&lock->body, is_open, why);
	if (r > 0 && lock->kind->has_door) {
		changed(lock);
	}
	return r < 0 ? r : 0;
}

static int person_battery(struct sim_lock *base, unsigned percent, char *why) {
	struct switchbot *lock = switchbot_of(base);

	const int r = body_set_battery(&lock->body, percent, why);

	if (r == 0) {
		changed(lock);
	}
	return r;
}

static int person_firmware(struct sim_lock *base, const char *version, char *why) {
	unsigned major = 0, minor = 0;
	int end = 0;

	if (sscanf(version, "%2u.%1u%n", &major, &minor, &end) != 2 || version[end] != '\0' ||
		major * 10 + minor == 0 || major * 10 + minor > UINT8_MAX) {
		snprintf(why, SIM_TEXT_MAX, "a firmware version looks like 2.3");
		return -EINVAL;
	}
	switchbot_of(base)->firmware = (uint8_t) (major * 10 + minor);
	return 0;
}

/* ---- its words ---- */

static int person_set(struct sim_lock *base, const char *key, const char *value, char *why) {
	static const char *const names[] = { "key", "key-id", "mode", "bolt", "door", "calibrated",
		"night-latch", "jam", "firmware", "refuse" };
	struct switchbot *lock = switchbot_of(base);
	uint64_t n = 0;

	if (text_equal(key, "key")) {
		return hex_decode(value, lock->key, sizeof(lock->key)) < 0
			       ? words_bad(why, key, "...", "32 hexadecimal digits are needed")
			       : 0;
	}
	if (text_equal(key, "key-id")) {
		return hex_decode(value, &lock->key_id, 1) < 0
			       ? words_bad(why, key, value, "two hexadecimal digits are needed")
			       : 0;
	}
	if (text_equal(key, "mode")) {
		lock->mode = text_equal(value, "gcm") ? MODE_GCM : MODE_CTR;
		return text_equal(value, "gcm") || text_equal(value, "ctr")
			       ? 0
			       : words_bad(why, key, value, "ctr or gcm is needed");
	}
	if (text_equal(key, "bolt")) {
		const int r = body_set_bolt(&lock->body, value, why);

		changed(lock);
		return r;
	}
	if (text_equal(key, "door")) {
		return person_door(base, text_equal(value, "open"), lock->now, why);
	}
	if (text_equal(key, "calibrated")) {
		const int r = words_flag(key, value, &lock->body.is_calibrated, why);

		changed(lock);
		return r;
	}
	if (text_equal(key, "night-latch")) {
		return words_flag(key, value, &lock->has_night_latch, why);
	}
	if (text_equal(key, "jam")) {
		return body_set_jam(&lock->body, value, why);
	}
	if (text_equal(key, "firmware")) {
		return person_firmware(base, value, why);
	}
	if (text_equal(key, "refuse")) {
		if (text_to_u64(value, 0, UINT8_MAX, &n) < 0) {
			return words_bad(why, key, value, "a status byte is needed, 0 for none");
		}
		lock->refuse = (unsigned) n;
		return 0;
	}
	return words_unknown(why, "a SwitchBot", key, names, ARRAY_SIZE(names));
}

/* The key is shown as the codes of a Nuki are: it is a simulator. */
static json_t *get_show(struct sim_lock *base) {
	struct switchbot *lock = switchbot_of(base);
	char key[2 * KEY_LEN + 1], key_id[3], firmware[8], jam[JAM_TEXT_MAX];

	snprintf(firmware, sizeof(firmware), "%u.%u", lock->firmware / 10U, lock->firmware % 10U);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:b, s:b, s:i, s:i}", "key-id",
		hex_encode(&lock->key_id, 1, key_id), "key", hex_encode(lock->key, KEY_LEN, key),
		"mode", lock->mode == MODE_GCM ? "gcm" : "ctr", "firmware", firmware, "bolt",
		bolt_text(lock->body.bolt), "door", lock->body.is_door_open ? "open" : "closed",
		"battery", (int) body_percent(&lock->body, lock->now), "jam",
		jam_text(&lock->body.jam, jam), "calibrated", lock->body.is_calibrated,
		"night-latch", lock->has_night_latch, "status", (int) status(lock), "sequence",
		(int) lock->sequence);
}

static json_t *get_save(struct sim_lock *base) {
	const struct switchbot *lock = switchbot_of(base);
	char key[2 * KEY_LEN + 1], key_id[3];

	return json_pack("{s:i, s:s, s:s, s:b, s:b, s:b, s:i, s:i, s:o}", "form", FORM, "key",
		hex_encode(lock->key, KEY_LEN, key), "key-id", hex_encode(&lock->key_id, 1, key_id),
		"gcm", lock->mode == MODE_GCM, "night-latch", lock->has_night_latch, "locking",
		lock->was_locking, "firmware", (int) lock->firmware, "sequence",
		(int) lock->sequence, "body", body_save(&lock->body));
}

static int get_load(struct sim_lock *base, const json_t *memory) {
	struct switchbot *lock = switchbot_of(base);
	const char *key = json_string_value(json_object_get(memory, "key"));
	const char *key_id = json_string_value(json_object_get(memory, "key-id"));
	const json_int_t firmware = json_integer_value(json_object_get(memory, "firmware"));
	const json_int_t sequence = json_integer_value(json_object_get(memory, "sequence"));

	if (json_integer_value(json_object_get(memory, "form")) != FORM || key == NULL ||
		key_id == NULL || firmware <= 0 || firmware > UINT8_MAX || sequence < 0 ||
		sequence > UINT8_MAX || hex_decode(key, lock->key, KEY_LEN) < 0 ||
		hex_decode(key_id, &lock->key_id, 1) < 0 ||
		body_load(&lock->body, json_object_get(memory, "body")) < 0) {
		return -EINVAL;
	}
	lock->mode = json_is_true(json_object_get(memory, "gcm")) ? MODE_GCM : MODE_CTR;
	lock->has_night_latch = json_is_true(json_object_get(memory, "night-latch"));
	lock->was_locking = json_is_true(json_object_get(memory, "locking"));
	lock->firmware = (uint8_t) firmware;
	lock->sequence = (uint8_t) sequence;
	return 0;
}

static struct sim_lock *switchbot_free(struct sim_lock *base) {
	wipe(switchbot_of(base), sizeof(struct switchbot));
	free(base);
	return NULL;
}

static const struct sim_lock_impl switchbot_impl = {
	.brand = "switchbot",
	.free = switchbot_free,
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
	.firmware = person_firmware,
	.set = person_set,
	.show = get_show,
	.save = get_save,
	.load = get_load,
};

int switchbot_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why) {
	const struct kind *kind = words_kind(pairs, kinds, ARRAY_SIZE(kinds), sizeof(kinds[0]));

	if (kind == NULL) {
		return -EINVAL;
	}
	struct switchbot *lock = calloc(1, sizeof(*lock));
	if (lock == NULL) {
		return -ENOMEM;
	}
	sim_lock_init(&lock->base, &switchbot_impl, pairs, env);
	lock->base.body = &lock->body;
	body_init(&lock->body, &body_user, lock);
	lock->kind = kind;
	lock->firmware = kind->firmware;
	lock->mode = MODE_CTR;
	lock->sequence = 1;
	lock->key_id = 0x34;
	env->random(env->user, SIM_RANDOM_KEY, lock->key, sizeof(lock->key));
	*ret = &lock->base;
	return 0;
}
