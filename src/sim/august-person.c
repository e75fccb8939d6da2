/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "august.h"

/* What a person does to a virtual lock of August or Yale, and what it shows and remembers. */

#include <errno.h>
#include <string.h>

#include "util/bytes.h"
#include "util/text.h"
#include "words.h"

#define FORM 1

/* ---- a person at the door ---- */

int august_person_door(struct sim_lock *base, bool is_open, mono_t now, char *why) {
	struct august *lock = august_of(base);

	lock->now = now;
	const int r = body_move_door(&lock->body, is_open, why);
	if (r > 0 && lock->kind->has_door) {
		august_keep_door(lock);
		august_changed(lock, 0x2e);
	}
	return r < 0 ? r : 0;
}

int august_person_battery(struct sim_lock *base, unsigned percent, char *why) {
	return body_set_battery(&august_of(base)->body, percent, why);
}

int august_person_clock(struct sim_lock *base, int64_t offset_s, char *why) {
	august_of(base)->clock_off_s = offset_s;
	return 0;
}

/* Its cells are taken out and put in again. */
int august_person_reboot(struct sim_lock *base, mono_t now, char *why) {
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
			august_changed(lock, 0x02);
		}
		return 0;
	}
	return 1;
}

int august_person_set(struct sim_lock *base, const char *key, const char *value, char *why) {
	static const char *const names[] = { "key", "slot", "serial", "bolt", "door", "jam",
		"refuse", "busy", "calibrated", "silent", "no-result", "fragile", "says-refusal",
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
	if (text_equal(key, "slot") || text_equal(key, "refuse") || text_equal(key, "busy")) {
		const bool is_slot = text_equal(key, "slot");
		unsigned *number = text_equal(key, "busy") ? &lock->n_busy : &lock->refuse;

		if (text_to_u64(value, is_slot, UINT8_MAX, &n) < 0) {
			return words_bad(why, key, value, "a number up to 255 is needed");
		}
		if (is_slot) {
			lock->slot = (uint8_t) n;
		} else {
			*number = (unsigned) n;
		}
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

		august_changed(lock, 0x02);
		return bolt;
	}
	if (text_equal(key, "door")) {
		return august_person_door(base, text_equal(value, "open"), lock->now, why);
	}
	if (text_equal(key, "jam")) {
		return body_set_jam(&lock->body, value, why);
	}
	return words_unknown(why, "a lock of August or Yale", key, names, ARRAY_SIZE(names));
}

/* The key is shown as the codes of a Nuki are: it is a simulator. */
json_t *august_show(struct sim_lock *base) {
	struct august *lock = august_of(base);
	char key[2 * AUGUST_KEY_LEN + 1], jam[JAM_TEXT_MAX];
	int n_codes = 0;

	for (size_t i = 0; i < AUGUST_CODES_MAX; i++) {
		n_codes += lock->codes[i].is_there;
	}
	return json_pack(
		"{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:b, s:b, s:i, s:i, s:i, s:i}",
		"key", hex_encode(lock->key, AUGUST_KEY_LEN, key), "slot", (int) lock->slot,
		"serial", lock->serial, "firmware", lock->firmware, "bolt",
		bolt_text(lock->body.bolt), "door", lock->body.is_door_open ? "open" : "closed",
		"jam", jam_text(&lock->body.jam, jam), "battery",
		(int) body_percent(&lock->body, lock->now), "text", lock->kind->text, "crashed",
		lock->is_crashed, "secured", lock->is_secured, "relock", (int) lock->relock_s,
		"relock-closed", (int) lock->relock_closed_s, "records", (int) lock->n_records,
		"codes", n_codes);
}

json_t *august_save(struct sim_lock *base) {
	const struct august *lock = august_of(base);
	char key[2 * AUGUST_KEY_LEN + 1];

	return json_pack("{s:i, s:s, s:i, s:s, s:b, s:i, s:i, s:i, s:I, s:o}", "form", FORM, "key",
		hex_encode(lock->key, AUGUST_KEY_LEN, key), "slot", (int) lock->slot, "serial",
		lock->serial, "toggle", lock->toggle, "gsn", (int) lock->gsn, "relock",
		(int) lock->relock_s, "relock-closed", (int) lock->relock_closed_s, "clock",
		(json_int_t) lock->clock_off_s, "body", body_save(&lock->body));
}

int august_load(struct sim_lock *base, const json_t *memory) {
	struct august *lock = august_of(base);
	const char *key = json_string_value(json_object_get(memory, "key"));
	const char *serial = json_string_value(json_object_get(memory, "serial"));
	const json_int_t slot = json_integer_value(json_object_get(memory, "slot"));

	if (json_integer_value(json_object_get(memory, "form")) != FORM || key == NULL ||
		serial == NULL || strlen(serial) != 10 || slot < 1 || slot > UINT8_MAX ||
		hex_decode(key, lock->key, AUGUST_KEY_LEN) < 0 ||
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
