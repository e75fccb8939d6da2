/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/event.h"

#include "test.h"
#include "util/text.h"

static void every_kind_has_all_faces(void **state) {
	size_t n;
	const struct event_row *rows = event_rows(&n);

	(void) state;
	assert_true(n > 20);
	for (size_t i = 1; i < n; i++) {
		assert_int_equal(strlen(rows[i].message_id), 32);
		assert_int_not_equal(rows[i].subject[0], '\0');
		assert_int_not_equal(rows[i].body[0], '\0');
		assert_ptr_equal(event_row(rows[i].kind), &rows[i]);
		assert_string_equal(event_kind_name(rows[i].kind), rows[i].name);
		for (size_t j = 1; j < i; j++) {
			assert_string_not_equal(rows[i].message_id, rows[j].message_id);
			assert_string_not_equal(rows[i].name, rows[j].name);
		}
	}
}

static bool is_word(const char *word) {
	const char *const *words = event_words();

	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], word) == 0) {
			return true;
		}
	}
	return false;
}

/* Home Assistant drops an event whose type was not announced: every word must be in the list. */
static void every_word_is_listed(void **state) {
	size_t n;
	const struct event_row *rows = event_rows(&n);
	struct event event;

	(void) state;
	for (size_t i = 0; i < n; i++) {
		for (unsigned value = 0; value < 300; value++) {
			event_init(&event, rows[i].kind, NULL);
			event.operation = (enum operation_type)(value % 6);
			event.error = (enum operation_error)(value % 7);
			event.door = (enum door_state)(value % 8);
			event.alarm = (enum alarm_code)(value % 11);
			event.fault = (enum fault_code)(value % FAULT_COUNT_);
			assert_true(is_word(event_word(&event)));
		}
	}
}

static void lines_read_well(void **state) {
	char line[EVENT_LINE_MAX];
	struct event event;

	(void) state;
	event_init(&event, EVENT_LOCK_OPERATION, NULL);
	event.operation = OPERATION_UNLOCK;
	event.source = SOURCE_KEYPAD;
	(void) text_copy(event.user, sizeof(event.user), "Anna");
	assert_string_equal(event_line(&event, line), "unlocked by Anna, keypad");
	event_init(&event, EVENT_BATTERY, NULL);
	event.fault = FAULT_BATTERY_LOW;
	event.number = 14;
	assert_string_equal(event_line(&event, line), "battery_low, 14 %");
	event_init(&event, EVENT_LOG_GAP, NULL);
	event.number = 3;
	assert_string_equal(event_line(&event, line), "3 entries of the lock's log are missing");
	event_init(&event, EVENT_LOCK_OPERATION_ERROR, NULL);
	event.operation = OPERATION_LOCK;
	event.fault = FAULT_JAMMED;
	assert_string_equal(event_line(&event, line), "lock_failed: The motor is blocked");
	event_init(&event, EVENT_LOCK_USER_CHANGE, NULL);
	event.data = LOCK_DATA_PIN;
	event.data_operation = DATA_CLEAR;
	strcpy(event.user, "Anna");
	strcpy(event.text, "by root: pin 11223344");
	assert_string_equal(
		event_line(&event, line), "pin of Anna removed (by root: pin 11223344)");
	event.data = LOCK_DATA_USER_INDEX;
	event.data_operation = DATA_ADD;
	event.text[0] = '\0';
	assert_string_equal(event_line(&event, line), "user Anna added");
	event_init(&event, EVENT_LOCK_USER_CHANGE, NULL);
	event.data = LOCK_DATA_HOLIDAY_SCHEDULE;
	event.data_operation = DATA_MODIFY;
	assert_string_equal(event_line(&event, line), "holiday_schedule changed");
	event_init(&event, EVENT_LOCKED_OUT, NULL);
	event.number = 120;
	assert_string_equal(event_line(&event, line), "remote opening refused for 120 s");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_all_faces),
		cmocka_unit_test(every_word_is_listed),
		cmocka_unit_test(lines_read_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
