/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ttlock.h"

/* What a person does to a virtual TTLock, and what it remembers. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/bytes.h"
#include "util/text.h"
#include "words.h"

#define FORM 1

/* ---- a person at the door ---- */

int ttlock_person_turn(struct sim_lock *base, bool to_locked, mono_t now, char *why) {
	struct ttlock *lock = ttlock_of(base);

	lock->now = now;
	const int r = body_turn(&lock->body, to_locked, now, why);
	if (r < 0) {
		return r;
	}
	/* From inside; that it was locked by hand nothing notes. */
	if (!to_locked) {
		ttlock_log_add(lock, 32, NULL, 0);
	}
	ttlock_touch(lock);
	return 0;
}

int ttlock_person_door(struct sim_lock *base, bool is_open, mono_t now, char *why) {
	struct ttlock *lock = ttlock_of(base);
	const uint8_t percent = 90; /* of the sensor's own cell */

	lock->now = now;
	const int r = body_move_door(&lock->body, is_open, why);
	if (r > 0 && (lock->kind->features & 1U << 13) != 0) {
		ttlock_log_add(lock, is_open ? 31 : 30, &percent, 1);
		ttlock_changed(lock);
	}
	return r < 0 ? r : 0;
}

/* Digits with their number before them, twice: as it was and as it is. */
static size_t code_tail(const char *digits, size_t n, uint8_t out[static 24]) {
	out[0] = (uint8_t) n;
	memcpy(out + 1, digits, n);
	out[n + 1] = 0;
	return n + 2;
}

static int enter_code(struct ttlock *lock, uint32_t number, char *why) {
	char digits[12];
	uint8_t tail[24];
	const size_t n = (size_t) snprintf(digits, sizeof(digits), "%u", (unsigned) number);
	const int valid = ttlock_try_code(lock, (const uint8_t *) digits, n);

	if (n > 9) {
		snprintf(why, SIM_TEXT_MAX, "a code has at most nine digits");
		return -EINVAL;
	}
	ttlock_log_add(lock, valid < 0 ? 7 : valid == 0 ? 11 : 4, tail, code_tail(digits, n, tail));
	return valid > 0 ? ttlock_move(lock, false, 0, 0, -1) : 0;
}

/* While it learns the number is the finger's own; else of the row in which it is. */
static int lay_finger(struct ttlock *lock, uint32_t number, char *why) {
	const struct ttlock_token *finger =
		number > 0 && number <= lock->fingers.n ? &lock->fingers.rows[number - 1] : NULL;
	const bool is_known = finger != NULL && ttlock_is_valid(lock, finger->start, finger->end);
	const uint8_t nobody[6] = { 0 };
	uint8_t id[6] = { 0 };
	struct wr wr = wr_on(id + 2, 4);

	if (lock->learning == 0x06) {
		wr_u32be(&wr, number);
		return ttlock_learn(lock, id, why);
	}
	ttlock_log_add(lock, is_known ? 20 : 22, is_known ? finger->id : nobody, 6);
	return is_known ? ttlock_move(lock, false, 0, 0, -1) : 0;
}

int ttlock_person_keypad(struct sim_lock *base, enum sim_keypad what, uint32_t number,
	const char *action, mono_t now, char *why) {
	struct ttlock *lock = ttlock_of(base);
	int r = -EINVAL;

	lock->now = now;
	ttlock_touch(lock);
	switch (what) {
	case SIM_KEYPAD_CODE:
		r = enter_code(lock, number, why);
		break;
	case SIM_KEYPAD_FINGER:
		r = lay_finger(lock, number, why);
		break;
	case SIM_KEYPAD_KEY: /* locks, where it can */
		r = ttlock_move(lock, true, 0, 0, -1);
		break;
	}
	if (r == -EHOSTDOWN || r == -EBUSY) {
		snprintf(why, SIM_TEXT_MAX,
			r == -EBUSY ? "the motor is turning" : "its battery is too weak");
	}
	return r;
}

static void fill_window(uint8_t start[static 5], uint8_t end[static 5]) {
	static const uint8_t first[] = { 0, 1, 31, 14, 0 };
	static const uint8_t last[] = { 99, 12, 31, 14, 0 };

	memcpy(start, first, sizeof(first));
	memcpy(end, last, sizeof(last));
}

static int app_add_code(struct ttlock *lock, const char *digits, char *why) {
	struct ttlock_code *code = &lock->codes[lock->n_codes];
	const size_t n = strlen(digits);

	if (n < 4 || n > 9 || strspn(digits, "0123456789") != n ||
		lock->n_codes == TTLOCK_CODES_MAX) {
		snprintf(why, SIM_TEXT_MAX, "a code has four to nine digits, a lock %d of them",
			TTLOCK_CODES_MAX);
		return -EINVAL;
	}
	*code = (struct ttlock_code){ .type = 1, .n = (uint8_t) n };
	memcpy(code->digits, digits, n);
	fill_window(code->start, code->end);
	lock->n_codes++;
	return 0;
}

static int app_add_token(
	struct ttlock *lock, struct ttlock_tokens *tokens, const char *digits, char *why) {
	struct ttlock_token *token = &tokens->rows[tokens->n];

	if (tokens->n == TTLOCK_TOKENS_MAX || hex_decode(digits, token->id, tokens->n_id) < 0) {
		snprintf(why, SIM_TEXT_MAX, "%u hexadecimal digits are needed, %d times at most",
			tokens->n_id * 2U, TTLOCK_TOKENS_MAX);
		return -EINVAL;
	}
	fill_window(token->start, token->end);
	tokens->n++;
	ttlock_log_add(lock, tokens == &lock->cards ? 15 : 21, token->id, tokens->n_id);
	return 0;
}

/* Held to the lock, and not the app's doing; but there is no other word for it. */
static int present_card(struct ttlock *lock, const char *digits, char *why) {
	uint8_t id[4];

	if (hex_decode(digits, id, sizeof(id)) < 0) {
		snprintf(why, SIM_TEXT_MAX, "a card has eight hexadecimal digits");
		return -EINVAL;
	}
	if (lock->learning == 0x05) {
		return ttlock_learn(lock, id, why);
	}
	const struct ttlock_token *card = ttlock_find_token(&lock->cards, id);
	const bool is_valid = card != NULL && ttlock_is_valid(lock, card->start, card->end);
	ttlock_log_add(lock, is_valid ? 17 : 25, id, sizeof(id));
	return is_valid ? ttlock_move(lock, false, 0, 0, -1) : 0;
}

int ttlock_person_app(
	struct sim_lock *base, char **words, mono_t now, uint32_t *ret_id, char *why) {
	struct ttlock *lock = ttlock_of(base);
	int r = -EINVAL;

	lock->now = now;
	*ret_id = 0;
	if (words[0] == NULL || words[1] == NULL || words[2] != NULL) {
		snprintf(why, SIM_TEXT_MAX,
			"add-code DIGITS, add-card HEX, add-finger HEX or "
			"present-card HEX");
	} else if (text_equal(words[0], "add-code")) {
		r = app_add_code(lock, words[1], why);
		*ret_id = lock->n_codes;
	} else if (text_equal(words[0], "present-card")) {
		r = present_card(lock, words[1], why);
	} else if (text_equal(words[0], "add-card")) {
		r = app_add_token(lock, &lock->cards, words[1], why);
		*ret_id = lock->cards.n;
	} else if (text_equal(words[0], "add-finger")) {
		r = app_add_token(lock, &lock->fingers, words[1], why);
		*ret_id = lock->fingers.n;
	} else {
		snprintf(why, SIM_TEXT_MAX, "the app cannot %s", words[0]);
	}
	ttlock_changed(lock);
	return r;
}

int ttlock_person_battery(struct sim_lock *base, unsigned percent, char *why) {
	const int r = body_set_battery(&ttlock_of(base)->body, percent, why);

	ttlock_changed(ttlock_of(base));
	return r;
}

int ttlock_person_clock(struct sim_lock *base, int64_t offset_s, char *why) {
	ttlock_of(base)->clock_offset_s = offset_s;
	return 0;
}

int ttlock_person_pairing(struct sim_lock *base, bool on, mono_t now, char *why) {
	struct ttlock *lock = ttlock_of(base);

	lock->now = now;
	if (on && lock->is_owned) {
		snprintf(why, SIM_TEXT_MAX, "it is set up: only a reset brings it back there");
		return -EPERM;
	}
	lock->is_settable = on;
	ttlock_touch(lock);
	return 0;
}

int ttlock_person_reset(struct sim_lock *base, mono_t now, char *why) {
	struct ttlock *lock = ttlock_of(base);

	lock->now = now;
	ttlock_forget(lock);
	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		lock->links[i].is_admin = false;
		lock->links[i].has_challenge = false;
	}
	ttlock_touch(lock);
	return 0;
}

/* ---- its words ---- */

static int set_number(const char *key, const char *value, uint64_t most, uint64_t *ret, char *why) {
	return text_to_u64(value, 0, most, ret) < 0
		       ? words_bad(why, key, value, "a number is needed")
		       : 0;
}

/* Set up already, by somebody who has these. */
static int set_owner(struct ttlock *lock, const char *value, char *why) {
	char key[2 * TTLOCK_KEY_LEN + 1];
	unsigned long admin = 0, unlock = 0;

	if (sscanf(value, "%32[0-9a-f]/%9lu/%9lu", key, &admin, &unlock) != 3 ||
		hex_decode(key, lock->key, sizeof(lock->key)) < 0) {
		return words_bad(
			why, "owner", "...", "KEY/ADMIN/UNLOCK is needed: 32 digits, two numbers");
	}
	lock->admin = (uint32_t) admin;
	lock->unlock = (uint32_t) unlock;
	lock->has_key = true;
	lock->is_owned = true;
	lock->is_settable = false;
	return 0;
}

static int set_fault(struct ttlock *lock, const char *key, const char *value, char *why) {
	uint64_t number = 0;
	int r = set_number(key, value, UINT8_MAX, &number, why);

	if (r < 0) {
		return r;
	}
	if (text_equal(key, "bad-crc")) {
		lock->bad_crcs = (unsigned) number;
	} else if (text_equal(key, "refuse-crc")) {
		lock->refused_crcs = (unsigned) number;
	} else if (text_equal(key, "flag-position")) {
		lock->flag_position = (uint32_t) number;
	} else {
		lock->refuse = number == 0 ? -1 : (int) number;
	}
	return 0;
}

static int set_friction(struct ttlock *lock, const char *value, char *why) {
	uint64_t number = 0;
	const int r = set_number("friction", value, 1000, &number, why);

	lock->body.friction = r == 0 ? (unsigned) number : lock->body.friction;
	return r;
}

static int set_auto_lock(struct ttlock *lock, const char *value, char *why) {
	uint64_t number = 0;
	const int r = set_number("auto-lock", value, 900, &number, why);

	lock->auto_lock_s = r == 0 ? (uint16_t) number : lock->auto_lock_s;
	return r;
}

int ttlock_person_set(struct sim_lock *base, const char *key, const char *value, char *why) {
	static const char *const names[] = { "owner", "bolt", "door", "jam", "friction",
		"auto-lock", "frugal", "state-stuck", "clock-stuck", "bad-crc", "refuse-crc",
		"flag-position", "refuse" };
	struct ttlock *lock = ttlock_of(base);
	int r;

	if (text_equal(key, "owner")) {
		r = set_owner(lock, value, why);
	} else if (text_equal(key, "bolt")) {
		r = body_set_bolt(&lock->body, value, why);
	} else if (text_equal(key, "door")) {
		r = ttlock_person_door(base, text_equal(value, "open"), lock->now, why);
	} else if (text_equal(key, "jam")) {
		r = body_set_jam(&lock->body, value, why);
	} else if (text_equal(key, "friction")) {
		r = set_friction(lock, value, why);
	} else if (text_equal(key, "auto-lock")) {
		r = set_auto_lock(lock, value, why);
	} else if (text_equal(key, "frugal")) {
		r = words_flag(key, value, &lock->is_frugal, why);
	} else if (text_equal(key, "state-stuck")) {
		r = words_flag(key, value, &lock->is_state_stuck, why);
	} else if (text_equal(key, "clock-stuck")) {
		r = words_flag(key, value, &lock->is_clock_stuck, why);
	} else if (text_equal(key, "bad-crc") || text_equal(key, "refuse-crc") ||
		   text_equal(key, "flag-position") || text_equal(key, "refuse")) {
		r = set_fault(lock, key, value, why);
	} else {
		return words_unknown(why, "a TTLock", key, names, ARRAY_SIZE(names));
	}
	ttlock_changed(lock);
	return r;
}

/* ---- what it shows and remembers ---- */

static json_t *show_codes(const struct ttlock *lock) {
	json_t *codes = json_array();

	for (unsigned i = 0; i < lock->n_codes; i++) {
		char digits[10] = "";
		memcpy(digits, lock->codes[i].digits, lock->codes[i].n);
		json_array_append_new(codes,
			json_pack("{s:s, s:i}", "code", digits, "type", (int) lock->codes[i].type));
	}
	return codes;
}

/* Those that open nothing now. */
static unsigned count_off(const struct ttlock *lock, const struct ttlock_tokens *tokens) {
	unsigned n = 0;

	for (unsigned i = 0; i < tokens->n; i++) {
		n += !ttlock_is_valid(lock, tokens->rows[i].start, tokens->rows[i].end);
	}
	return n;
}

/* Key and codes are shown as those of a Nuki are: it is a simulator. */
json_t *ttlock_show(struct sim_lock *base) {
	struct ttlock *lock = ttlock_of(base);
	char key[2 * TTLOCK_KEY_LEN + 1], jam[JAM_TEXT_MAX];

	return json_pack("{s:s, s:i, s:i, s:b, s:b, s:s, s:s, s:i, s:s, s:i, s:i, s:i, s:o, s:i, "
			 "s:i, s:i, s:i}",
		"key", hex_encode(lock->key, TTLOCK_KEY_LEN, key), "admin", (int) lock->admin,
		"unlock", (int) lock->unlock, "owned", lock->is_owned, "setting", lock->is_settable,
		"bolt", bolt_text(lock->body.bolt), "door",
		lock->body.is_door_open ? "open" : "closed", "battery", (int) ttlock_percent(lock),
		"jam", jam_text(&lock->body.jam, jam), "auto-lock", (int) lock->auto_lock_s,
		"clock-offset", (int) lock->clock_offset_s, "passages", (int) lock->n_passages,
		"codes", show_codes(lock), "cards", (int) lock->cards.n, "fingers",
		(int) lock->fingers.n, "learning", (int) lock->learning, "tokens-off",
		(int) (count_off(lock, &lock->cards) + count_off(lock, &lock->fingers)));
}

static json_t *octets(const void *buf, size_t n) {
	char digits[2 * 512 + 1];

	return json_string(n > 512 ? "" : hex_encode(buf, n, digits));
}

json_t *ttlock_log(struct sim_lock *base, size_t most) {
	const struct ttlock *lock = ttlock_of(base);
	json_t *rows = json_array();

	for (unsigned i = lock->n_records; i > 0 && json_array_size(rows) < most; i--) {
		const struct ttlock_record *record = &lock->records[i - 1];
		json_array_append_new(rows,
			json_pack("{s:i, s:i, s:o}", "number", (int) (lock->first_record + i - 1),
				"type", (int) record->octets[0], "octets",
				octets(record->octets, record->n)));
	}
	return rows;
}

static json_t *save_rows(const void *rows, size_t size, unsigned n) {
	json_t *array = json_array();

	for (unsigned i = 0; i < n; i++) {
		json_array_append_new(array, octets((const uint8_t *) rows + i * size, size));
	}
	return array;
}

static int load_rows(const json_t *memory, const char *key, void *rows, size_t size, unsigned most,
	unsigned *ret_n) {
	const json_t *array = json_object_get(memory, key);
	const json_t *row;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) > most) {
		return -EINVAL;
	}
	json_array_foreach(array, i, row) {
		const char *digits = json_string_value(row);
		if (digits == NULL || hex_decode(digits, (uint8_t *) rows + i * size, size) < 0) {
			return -EINVAL;
		}
	}
	*ret_n = (unsigned) json_array_size(array);
	return 0;
}

json_t *ttlock_save(struct sim_lock *base) {
	const struct ttlock *lock = ttlock_of(base);
	const uint8_t switches[] = { lock->sound, lock->display, lock->remote, lock->frozen };
	json_t *memory = json_pack("{s:i, s:o, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:i, s:i, s:i}",
		"form", FORM, "key", octets(lock->key, sizeof(lock->key)), "has-key", lock->has_key,
		"owned", lock->is_owned, "setting", lock->is_settable, "admin",
		(json_int_t) lock->admin, "unlock", (json_int_t) lock->unlock, "flag-position",
		(json_int_t) lock->flag_position, "clock-offset", (json_int_t) lock->clock_offset_s,
		"auto-lock", (int) lock->auto_lock_s, "lamp", (int) lock->lamp_s, "first-record",
		(int) lock->first_record);

	json_object_set_new(memory, "switches", octets(switches, sizeof(switches)));
	json_object_set_new(
		memory, "codes", save_rows(lock->codes, sizeof(lock->codes[0]), lock->n_codes));
	json_object_set_new(memory, "cards",
		save_rows(lock->cards.rows, sizeof(lock->cards.rows[0]), lock->cards.n));
	json_object_set_new(memory, "fingers",
		save_rows(lock->fingers.rows, sizeof(lock->fingers.rows[0]), lock->fingers.n));
	json_object_set_new(memory, "passages",
		save_rows(lock->passages, sizeof(lock->passages[0]), lock->n_passages));
	json_object_set_new(memory, "records",
		save_rows(lock->records, sizeof(lock->records[0]), lock->n_records));
	json_object_set_new(memory, "body", body_save(&lock->body));
	return memory;
}

static bool are_rows_sane(const struct ttlock *lock) {
	for (unsigned i = 0; i < lock->n_codes; i++) {
		if (lock->codes[i].n > sizeof(lock->codes[i].digits)) {
			return false;
		}
	}
	for (unsigned i = 0; i < lock->n_records; i++) {
		if (lock->records[i].n < 8 ||
			lock->records[i].n > sizeof(lock->records[i].octets)) {
			return false;
		}
	}
	return true;
}

static int load_lists(struct ttlock *lock, const json_t *memory) {
	if (load_rows(memory, "codes", lock->codes, sizeof(lock->codes[0]), TTLOCK_CODES_MAX,
		    &lock->n_codes) < 0 ||
		load_rows(memory, "cards", lock->cards.rows, sizeof(lock->cards.rows[0]),
			TTLOCK_TOKENS_MAX, &lock->cards.n) < 0 ||
		load_rows(memory, "fingers", lock->fingers.rows, sizeof(lock->fingers.rows[0]),
			TTLOCK_TOKENS_MAX, &lock->fingers.n) < 0 ||
		load_rows(memory, "passages", lock->passages, sizeof(lock->passages[0]),
			TTLOCK_PASSAGES_MAX, &lock->n_passages) < 0 ||
		load_rows(memory, "records", lock->records, sizeof(lock->records[0]),
			TTLOCK_RECORDS_MAX, &lock->n_records) < 0) {
		return -EINVAL;
	}
	return are_rows_sane(lock) ? 0 : -EINVAL;
}

static json_int_t number(const json_t *memory, const char *key) {
	return json_integer_value(json_object_get(memory, key));
}

int ttlock_load(struct sim_lock *base, const json_t *memory) {
	struct ttlock *lock = ttlock_of(base);
	const char *key = json_string_value(json_object_get(memory, "key"));
	const char *digits = json_string_value(json_object_get(memory, "switches"));
	uint8_t switches[4];

	if (number(memory, "form") != FORM || key == NULL || digits == NULL ||
		hex_decode(key, lock->key, sizeof(lock->key)) < 0 ||
		hex_decode(digits, switches, sizeof(switches)) < 0 ||
		load_lists(lock, memory) < 0 ||
		body_load(&lock->body, json_object_get(memory, "body")) < 0) {
		return -EINVAL;
	}
	lock->has_key = json_is_true(json_object_get(memory, "has-key"));
	lock->is_owned = json_is_true(json_object_get(memory, "owned"));
	lock->is_settable = json_is_true(json_object_get(memory, "setting"));
	lock->admin = (uint32_t) number(memory, "admin");
	lock->unlock = (uint32_t) number(memory, "unlock");
	lock->flag_position = (uint32_t) number(memory, "flag-position");
	lock->clock_offset_s = number(memory, "clock-offset");
	lock->auto_lock_s = (uint16_t) number(memory, "auto-lock");
	lock->lamp_s = (uint16_t) number(memory, "lamp");
	lock->first_record = (unsigned) number(memory, "first-record");
	lock->sound = switches[0];
	lock->display = switches[1];
	lock->remote = switches[2];
	lock->frozen = switches[3];
	return 0;
}
