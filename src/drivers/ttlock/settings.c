/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a person may choose of a lock's configuration. Each has a command of its own, which reads
 * and writes; which of them a lock has, its features say (ttlock.md 7.3, 7.4, 7.9).
 */

#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/auto.h"
#include "util/text.h"

#define OP_READ 0x01
#define OP_CLEAR 0x04
#define PASSAGE_END 0xff
#define DAYS_PER_WEEK 7
#define EVERY_DAY 0x7f
#define HOUR_MINUTES 60

enum form {
	FORM_SWITCH, /* battery, operation, value */
	FORM_BARE,   /* operation, value */
	FORM_NUMBER, /* battery, operation, value of two octets */
	FORM_PASSAGE,
};

/* clang-format off */
/* X(command, feature, form, key, title, what it takes) */
#define SETTINGS(X) \
	X(TTLOCK_AUTO_LOCK, TTLOCK_HAS_AUTO_LOCK, FORM_NUMBER, "AutoRelockTime", \
		"Lock again after", .kind = SETTING_NUMBER, .unit = "s", .min = 1, .max = 3600, \
		.is_zero_off = true) \
	X(TTLOCK_PASSAGE, TTLOCK_HAS_PASSAGE, FORM_PASSAGE, "PassageMode", \
		"Hours in which it stays open", .kind = SETTING_TEXT, .max = SETTING_VALUE_MAX - 1) \
	X(TTLOCK_SOUND, TTLOCK_HAS_SOUND, FORM_SWITCH, "EnableSound", "Sounds", \
		.kind = SETTING_SWITCH) \
	X(TTLOCK_CODE_DISPLAY, TTLOCK_HAS_CODE_DISPLAY, FORM_BARE, "ShowCodes", \
		"Its display shows a code while it is entered", .kind = SETTING_SWITCH) \
	X(TTLOCK_REMOTE, TTLOCK_HAS_REMOTE_SWITCH, FORM_SWITCH, "EnableRemoteUnlock", \
		"A gateway of its maker's may unlock it", .kind = SETTING_SWITCH) \
	X(TTLOCK_FREEZE, TTLOCK_HAS_FREEZE, FORM_SWITCH, "Frozen", \
		"Nothing opens it: no code, no app, no hub", .kind = SETTING_SWITCH) \
	X(TTLOCK_LAMP, TTLOCK_HAS_LAMP, FORM_NUMBER, "LampTime", "Its lamp shines for", \
		.kind = SETTING_NUMBER, .unit = "s", .min = 1, .max = 900, .is_zero_off = true)

#define ROW(of, bit, form, name, words, ...) \
	{ .key = name, .title = words, .needs_pin = true, __VA_ARGS__ },
#define PLACE(of, bit, how, ...) { of, bit, how },
static const struct lock_setting rows[] = { SETTINGS(ROW) };
static const struct {
	enum ttlock_command command;
	enum ttlock_feature feature;
	enum form form;
} places[] = { SETTINGS(PLACE) };
/* clang-format on */

const struct lock_setting *ttlock_settings(size_t *ret_n) {
	*ret_n = ARRAY_SIZE(rows);
	return rows;
}

static void tell(struct ttlock_session *session, size_t i, const char *value) {
	struct setting setting = { .key = "" };

	(void) text_copy(setting.key, sizeof(setting.key), rows[i].key);
	(void) text_copy(setting.value, sizeof(setting.value), value);
	session_settings(&session->base, &setting, 1);
}

/* Of the step that runs. */
static size_t place_now(const struct ttlock_session *session) {
	const uint8_t command = session->steps[session->i_step]->command;
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(places) && places[i].command != command) {
		i++;
	}
	return i;
}

/* ---- the hours: "off", "daily 08:00-18:00" or "Mon,Tue 08:00-18:00" ---- */

static const char *const day_names[DAYS_PER_WEEK] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
	"Sun" };

static void passage_text(
	uint8_t days, const struct ttlock_passage *passage, char out[static SETTING_VALUE_MAX]) {
	char names[DAYS_PER_WEEK * 4 + 1] = "";
	size_t n = 0;

	if (days == 0) {
		(void) text_copy(out, SETTING_VALUE_MAX, "off");
		return;
	}
	for (size_t i = 0; i < DAYS_PER_WEEK; i++) {
		if ((days & 1U << i) != 0) {
			n += (size_t) snprintf(names + n, sizeof(names) - n, "%s%s",
				n > 0 ? "," : "", day_names[i]);
		}
	}
	(void) snprintf(out, SETTING_VALUE_MAX, "%s %02u:%02u-%02u:%02u",
		days == EVERY_DAY ? "daily" : names, passage->start_hour % 100U,
		passage->start_minute % 100U, passage->end_hour % 100U, passage->end_minute % 100U);
}

static uint8_t days_from_text(const char *text, size_t n) {
	uint8_t days = 0;

	if (n == strlen("daily") && strncmp(text, "daily", n) == 0) {
		return EVERY_DAY;
	}
	for (size_t at = 0; at + 3 <= n; at += 4) {
		for (size_t i = 0; i < DAYS_PER_WEEK; i++) {
			if (strncmp(text + at, day_names[i], 3) == 0) {
				days |= (uint8_t) (1U << i);
			}
		}
	}
	return days;
}

/* -EINVAL: not in the form in which it would be read back. */
static int passage_from_text(
	const char *text, uint8_t *ret_days, struct ttlock_passage *ret, struct fault *ret_fault) {
	unsigned start_hour = 0, start_minute = 0, end_hour = 0, end_minute = 0;
	char again[SETTING_VALUE_MAX];
	const size_t n_days = strcspn(text, " ");

	*ret_days = 0;
	*ret = (struct ttlock_passage){ 0 };
	if (sscanf(text + n_days, " %2u:%2u-%2u:%2u", &start_hour, &start_minute, &end_hour,
		    &end_minute) == 4 &&
		start_hour < 24 && end_hour < 24 && start_minute < HOUR_MINUTES &&
		end_minute < HOUR_MINUTES) {
		*ret_days = days_from_text(text, n_days);
		ret->start_hour = (uint8_t) start_hour;
		ret->start_minute = (uint8_t) start_minute;
		ret->end_hour = (uint8_t) end_hour;
		ret->end_minute = (uint8_t) end_minute;
	}
	passage_text(*ret_days, ret, again);
	if (!text_equal(again, text)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"PassageMode takes \"off\", \"daily 08:00-18:00\" or \"Mon,Tue "
			"08:00-18:00\"");
	}
	return 0;
}

static size_t fill_passage_list(struct ttlock_session *session, uint8_t *out) {
	out[0] = OP_READ;
	out[1] = (uint8_t) session->cursor;
	return 2;
}

static bool is_same_hours(const struct ttlock_passage *a, const struct ttlock_passage *b) {
	return a->start_hour == b->start_hour && a->start_minute == b->start_minute &&
	       a->end_hour == b->end_hour && a->end_minute == b->end_minute;
}

static void note_passage(struct ttlock_session *session, const struct ttlock_passage *passage) {
	if (session->passage_days == 0) {
		session->passage = *passage;
	}
	session->is_passage_mixed = session->is_passage_mixed || passage->is_monthly ||
				    passage->day > DAYS_PER_WEEK ||
				    !is_same_hours(&session->passage, passage);
	session->passage_days |= passage->day == 0 || passage->day > DAYS_PER_WEEK
					 ? EVERY_DAY
					 : (uint8_t) (1U << (passage->day - 1));
}

static void take_passage(struct ttlock_session *session, const uint8_t *data, size_t n) {
	struct ttlock_passage passage;
	char value[SETTING_VALUE_MAX];
	uint8_t next;
	struct rd rd;
	int r;

	if (ttlock_passage_page(data, n, &next, &rd) < 0) {
		ttlock_bad_answer(session, n);
		return;
	}
	if (session->cursor == 0) {
		session->passage_days = 0;
		session->is_passage_mixed = false;
	}
	while ((r = ttlock_passage_next(&rd, &passage)) > 0) {
		note_passage(session, &passage);
	}
	if (r < 0) {
		ttlock_bad_answer(session, n);
		return;
	}
	if (next != PASSAGE_END && next > session->cursor) {
		(void) ttlock_next_page(session, next);
		return;
	}
	session->cursor = 0;
	if (session->is_passage_mixed) {
		/* Shown, and no value that could be put back. */
		(void) text_copy(value, sizeof(value), "several");
	} else {
		passage_text(session->passage_days, &session->passage, value);
	}
	tell(session, place_now(session), value);
}

/* What was read before is of no use any more: from here on it is what is wanted. */
static size_t fill_passage_clear(struct ttlock_session *session, uint8_t *out) {
	(void) passage_from_text(
		session->job.setting.value, &session->passage_days, &session->passage, NULL);
	out[0] = OP_CLEAR;
	return 1;
}

/* The next day of those that are left; every day at once where that is what is wanted. */
static size_t fill_passage(struct ttlock_session *session, uint8_t *out) {
	struct ttlock_passage passage = session->passage;

	if (session->passage_days == EVERY_DAY) {
		passage.day = 0;
		session->passage_days = 0;
	} else {
		const unsigned day = (unsigned) __builtin_ctz(session->passage_days);
		passage.day = (uint8_t) (day + 1);
		session->passage_days &= (uint8_t) ~(1U << day);
	}
	return ttlock_put_passage(&passage, out);
}

static void take_passage_add(struct ttlock_session *session, const uint8_t *data, size_t n) {
	session->is_again = session->passage_days != 0;
}

/* ---- all others ---- */

static size_t fill_read(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_read(out);
}

static void take_value(struct ttlock_session *session, const uint8_t *data, size_t n) {
	const size_t i = place_now(session);
	char value[SETTING_VALUE_MAX];
	struct rd rd = rd_on(data, n);
	unsigned number;

	if (places[i].form != FORM_BARE) {
		ttlock_tell_percent(session, rd_u8(&rd));
	}
	(void) rd_u8(&rd); /* operation */
	number = places[i].form == FORM_NUMBER ? rd_u16be(&rd) : rd_u8(&rd);
	if (rd_ok(&rd) < 0) {
		ttlock_bad_answer(session, n);
		return;
	}
	if (rows[i].kind == SETTING_SWITCH) {
		(void) text_copy(value, sizeof(value), number != 0 ? "on" : "off");
	} else {
		(void) snprintf(value, sizeof(value), "%u", number);
	}
	tell(session, i, value);
}

static size_t fill_value(struct ttlock_session *session, uint8_t *out) {
	const char *value = session->job.setting.value;
	const bool is_number = places[place_now(session)].form == FORM_NUMBER;

	return ttlock_put_value(is_number,
		is_number ? (uint16_t) strtoul(value, NULL, 10) : text_equal(value, "on"), out);
}

#define READ_STEP(of, bit, form, ...)                                                              \
	{ of, 0, (form) == FORM_PASSAGE ? fill_passage_list : fill_read,                           \
		(form) == FORM_PASSAGE ? take_passage : take_value },
#define READ_OPTIONAL_STEP(of, bit, form, ...)                                                     \
	{ of, STEP_OPTIONAL, (form) == FORM_PASSAGE ? fill_passage_list : fill_read,               \
		(form) == FORM_PASSAGE ? take_passage : take_value },
#define WRITE_STEP(of, bit, form, ...)                                                             \
	{ of, STEP_CHANGES, (form) == FORM_PASSAGE ? fill_passage_clear : fill_value, NULL },
static const struct ttlock_step reads[] = { SETTINGS(READ_STEP) };
static const struct ttlock_step optional_reads[] = { SETTINGS(READ_OPTIONAL_STEP) };
static const struct ttlock_step writes[] = { SETTINGS(WRITE_STEP) };

static void add_reads(struct ttlock_session *session) {
	ttlock_add_login(session);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (ttlock_has(&session->keys, places[i].feature)) {
			ttlock_add_step(session, &optional_reads[i]);
		}
	}
}

int ttlock_plan_settings(struct ttlock_session *session, struct fault *ret_fault) {
	add_reads(session);
	return 0;
}

/* All are read before: the hub takes what it has been told for all that there is. */
int ttlock_plan_setting(struct ttlock_session *session, struct fault *ret_fault) {
	static const struct ttlock_step add_passage = { TTLOCK_PASSAGE, STEP_CHANGES, fill_passage,
		take_passage_add };
	const struct setting *setting = &session->job.setting;
	const struct lock_setting *row = setting_find(rows, ARRAY_SIZE(rows), setting->key);
	const size_t i = row != NULL ? (size_t) (row - rows) : 0;
	char value[SETTING_VALUE_MAX];
	struct ttlock_passage passage;
	uint8_t days = 0;

	if (row == NULL || !ttlock_has(&session->keys, places[i].feature)) {
		return fault_set(
			ret_fault, FAULT_NOT_SUPPORTED, "this lock has no %.31s", setting->key);
	}
	int r = setting_check(row, setting->value, value, ret_fault);
	if (r == 0 && places[i].form == FORM_PASSAGE) {
		r = passage_from_text(value, &days, &passage, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	add_reads(session);
	ttlock_add_step(session, &writes[i]);
	if (days != 0) {
		ttlock_add_step(session, &add_passage);
	}
	ttlock_add_step(session, &reads[i]);
	return 0;
}
