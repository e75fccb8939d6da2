/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "settings.h"

#include <stdio.h>
#include <string.h>

#include "util/auto.h"
#include "util/bytes.h"
#include "util/text.h"

#define KEY_RELOCK "AutoRelockTime"
#define KEY_ON_CLOSE "RelockWhenClosed"
/* When it is switched on without a time; what the public client's example has. */
#define ON_CLOSE_S 5

static const struct lock_setting rows[] = {
	{ .key = KEY_RELOCK,
		.title = "Lock again after",
		.kind = SETTING_NUMBER,
		.unit = "s",
		.min = 1,
		.max = AUGUST_RELOCK_MAX_S,
		.is_zero_off = true },
	{ .key = "SecureMode",
		.title = "Locking switches the knob inside off",
		.kind = SETTING_SWITCH },
	{ .key = "ReadActivityLog",
		.title = "Read the lock's log, which the maker's app then shows no more",
		.kind = SETTING_SWITCH },
	{ .key = "ExperimentalCodes",
		.title = "Manage keypad codes, which was tried on one model only",
		.kind = SETTING_SWITCH },
	{ .key = KEY_ON_CLOSE,
		.title = "Count that time from when the door is closed",
		.kind = SETTING_SWITCH },
};

static const struct {
	const char *key;
	enum august_choice choice;
} choices[] = {
	{ "SecureMode", AUGUST_SECURE_LOCK },
	{ "ReadActivityLog", AUGUST_READ_LOG },
	{ "ExperimentalCodes", AUGUST_CODES },
};

/* The last one is about the door. */
const struct lock_setting *august_settings(bool has_door, size_t *ret_n) {
	*ret_n = has_door ? ARRAY_SIZE(rows) : ARRAY_SIZE(rows) - 1;
	return rows;
}

static bool is_on(const struct setting *setting) {
	return strcmp(setting->value, "on") == 0;
}

bool august_choose(struct august_session *session, const struct setting *setting) {
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		if (strcmp(choices[i].key, setting->key) == 0) {
			const unsigned bit = choices[i].choice;

			session->keys.choices = is_on(setting) ? session->keys.choices | bit
							       : session->keys.choices & ~bit;
			august_tell_keys(session);
			return true;
		}
	}
	return false;
}

static void put(struct setting *out, const char *key, const char *value) {
	text_copy(out->key, sizeof(out->key), key);
	text_copy(out->value, sizeof(out->value), value);
}

size_t august_list_settings(
	const struct august_session *session, struct setting out[static AUGUST_SETTINGS_MAX]) {
	char seconds[8];
	size_t n = 0;

	if (session->has_relock) {
		snprintf(seconds, sizeof(seconds), "%u", august_relock_s(session->relock));
		put(&out[n++], KEY_RELOCK, seconds);
		put(&out[n++], KEY_ON_CLOSE,
			august_relock_is_on_close(session->relock) ? "on" : "off");
	}
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		put(&out[n++], choices[i].key,
			(session->keys.choices & choices[i].choice) != 0 ? "on" : "off");
	}
	return n;
}

struct august_relock august_change_relock(struct august_relock now, const struct setting *setting) {
	bool is_on_close = august_relock_is_on_close(now);
	uint64_t seconds = august_relock_s(now);

	if (strcmp(setting->key, KEY_ON_CLOSE) == 0) {
		is_on_close = is_on(setting);
		seconds = is_on_close && seconds == 0 ? ON_CLOSE_S : seconds;
	} else {
		(void) text_to_u64(setting->value, 0, AUGUST_RELOCK_MAX_S, &seconds);
	}
	return (struct august_relock){ .timed_s = (uint16_t) seconds,
		.closed_s = is_on_close ? 0 : (uint16_t) seconds };
}

static enum operation_type operation_of(uint8_t bolt) {
	switch (bolt) {
	case AUGUST_BOLT_LOCKED:
	case AUGUST_BOLT_SECURED:
		return OPERATION_LOCK;
	case AUGUST_BOLT_UNLOCKED:
		return OPERATION_UNLOCK;
	case AUGUST_BOLT_UNLATCHED:
		return OPERATION_UNLATCH;
	}
	return OPERATION_NONE;
}

static void record_of_lock(const struct august_record *record, struct log_entry *ret) {
	const bool is_jam = record->bolt == AUGUST_BOLT_STUCK;

	ret->operation = operation_of(record->bolt);
	ret->kind = is_jam                             ? EVENT_ALARM
		    : ret->operation != OPERATION_NONE ? EVENT_LOCK_OPERATION
						       : EVENT_LOCK_SETTING;
	ret->alarm = is_jam ? ALARM_LOCK_JAMMED : ALARM_NONE;
	ret->fault = is_jam ? FAULT_JAMMED : FAULT_NONE;
	ret->source = record->source;
	/* Perhaps: whether it was this hub, its own records tell. */
	ret->is_own = record->is_bluetooth;
}

void august_record_entry(const struct august_record *record,
	const uint8_t frame[static AUGUST_FRAME_LEN], struct log_entry *ret) {
	char hex[2 * AUGUST_FRAME_LEN + 1];

	ret->time.s = record->unix_s;
	switch (record->type) {
	case AUGUST_RECORD_PIN:
		ret->credential = CREDENTIAL_PIN;
		ret->user_ref = record->slot == AUGUST_SLOT_MASTER ? 0 : (int64_t) record->slot + 1;
		record_of_lock(record, ret);
		break;
	case AUGUST_RECORD_LOCK:
		record_of_lock(record, ret);
		break;
	case AUGUST_RECORD_DOOR:
		ret->kind = EVENT_DOOR_STATE_CHANGE;
		ret->door = august_door_state(record->door);
		break;
	case AUGUST_RECORD_UNKNOWN:
	case AUGUST_RECORD_END:
		ret->kind = EVENT_LOCK_SETTING;
		snprintf(ret->text, sizeof(ret->text), "a record that nobody knows: %s",
			hex_encode(frame, AUGUST_FRAME_LEN, hex));
		break;
	}
}
