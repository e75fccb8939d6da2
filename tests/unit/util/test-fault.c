/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/fault.h"

#include <ctype.h>
#include <errno.h>
#include <syslog.h>

#include "test.h"

#define DBUS_PREFIX "org.lockhub1.Error."

static void every_row_has_every_field(void **state) {
	(void) state;
	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		const struct fault_row *row = fault_row((enum fault_code) i);
		if (row->name == NULL || row->dbus == NULL || row->message_id == NULL ||
			row->summary == NULL || row->hint == NULL) {
			fail_msg("fault %d lacks a field", i);
		}
		if (row->name[0] == '\0' || row->summary[0] == '\0' || row->hint[0] == '\0') {
			fail_msg("fault %d has an empty field", i);
		}
		if (row->priority < LOG_CRIT || row->priority > LOG_NOTICE) {
			fail_msg("%s: odd priority %d", row->name, row->priority);
		}
	}
}

static void message_ids_are_32_hex_digits_and_unique(void **state) {
	(void) state;
	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		const char *id = fault_row((enum fault_code) i)->message_id;
		assert_int_equal(strlen(id), 32);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
		assert_string_not_equal(id, "00000000000000000000000000000000");
		for (int j = i + 1; j < FAULT_COUNT_; j++) {
			assert_string_not_equal(id, fault_row((enum fault_code) j)->message_id);
		}
	}
}

/* "lock-not-heard" is LockNotHeard on the bus. */
static void dbus_names_follow_from_names(void **state) {
	(void) state;
	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		const struct fault_row *row = fault_row((enum fault_code) i);
		char expected[128] = DBUS_PREFIX;
		size_t used = strlen(expected);
		bool is_start = true;
		for (const char *at = row->name; *at != '\0'; at++) {
			assert_true(islower((unsigned char) *at) || *at == '-');
			if (*at == '-') {
				is_start = true;
				continue;
			}
			expected[used++] = (char) (is_start ? toupper((unsigned char) *at) : *at);
			is_start = false;
		}
		assert_string_equal(row->dbus, expected);
	}
}

static void names_are_unique_and_lead_back(void **state) {
	(void) state;
	for (int i = FAULT_NONE; i < FAULT_COUNT_; i++) {
		enum fault_code code = FAULT_COUNT_;
		assert_int_equal(fault_from_name(fault_name((enum fault_code) i), &code), 0);
		assert_int_equal(code, i);
		if (i != FAULT_NONE) {
			code = FAULT_COUNT_;
			assert_int_equal(
				fault_from_dbus(fault_row((enum fault_code) i)->dbus, &code), 0);
			assert_int_equal(code, i);
		}
	}
	enum fault_code code = FAULT_JAMMED;
	assert_int_equal(fault_from_name("no-such-thing", &code), -EINVAL);
	assert_int_equal(fault_from_name(NULL, &code), -EINVAL);
	assert_int_equal(fault_from_dbus("org.freedesktop.DBus.Error.Failed", &code), -EINVAL);
	assert_int_equal(fault_from_dbus("", &code), -EINVAL);
	assert_int_equal(code, FAULT_JAMMED);
}

static void texts_are_written_in_house_style(void **state) {
	(void) state;
	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		const struct fault_row *row = fault_row((enum fault_code) i);
		size_t n_summary = strlen(row->summary);
		size_t n_hint = strlen(row->hint);
		if (row->summary[n_summary - 1] == '.' || row->hint[n_hint - 1] == '.') {
			fail_msg("%s: ends in a full stop", row->name);
		}
		if (n_summary > 80 || n_hint > FAULT_TEXT_MAX - 80) {
			fail_msg("%s: too long", row->name);
		}
		if (!text_is_clean(row->summary, n_summary) || !text_is_clean(row->hint, n_hint)) {
			fail_msg("%s: not clean text", row->name);
		}
	}
}

static void every_code_has_an_errno(void **state) {
	(void) state;
	assert_int_equal(fault_errno(FAULT_NONE), 0);
	for (int i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		assert_true(fault_errno((enum fault_code) i) < 0);
	}
	assert_int_equal(fault_errno(FAULT_DENIED), -EACCES);
	assert_int_equal(fault_errno(FAULT_EXPIRED), -ETIMEDOUT);
	assert_int_equal(fault_errno(FAULT_NO_SUCH_LOCK), -ENOENT);
}

static void a_code_from_nowhere_is_internal(void **state) {
	(void) state;
	assert_string_equal(fault_name((enum fault_code) FAULT_COUNT_), "internal");
	assert_string_equal(fault_name((enum fault_code) - 1), "internal");
	assert_string_equal(fault_name((enum fault_code) 100000), "internal");
}

static void set_fills_and_returns(void **state) {
	(void) state;
	struct fault fault = { .code = FAULT_JAMMED, .cause = -1, .detail = "old" };
	assert_int_equal(fault_set(&fault, FAULT_EXPIRED, "%d s old", 12), -ETIMEDOUT);
	assert_int_equal(fault.code, FAULT_EXPIRED);
	assert_int_equal(fault.cause, 0);
	assert_string_equal(fault.detail, "12 s old");
	assert_int_equal(fault_set(NULL, FAULT_DENIED, "%s", "x"), -EACCES);
	/* The old detail may be part of the new one. */
	fault_set(&fault, FAULT_EXPIRED, "really %s", fault.detail);
	assert_string_equal(fault.detail, "really 12 s old");
}

static void set_errno_appends_the_reason(void **state) {
	(void) state;
	struct fault fault;
	int r = fault_set_errno(&fault, FAULT_DATABASE_OPEN, -ENOENT, "%s", "/var/lib/x");
	assert_int_equal(r, -EIO);
	assert_int_equal(fault.cause, -ENOENT);
	assert_string_equal(fault.detail, "/var/lib/x: No such file or directory");
	fault_set_errno(&fault, FAULT_DATABASE_OPEN, -ENOENT, "%s", "");
	assert_string_equal(fault.detail, "No such file or directory");
	fault_set_errno(&fault, FAULT_DATABASE_OPEN, -99999, "x");
	assert_string_equal(fault.detail, "x: unknown error");
	fault_set_errno(&fault, FAULT_DATABASE_OPEN, 0, "x");
	assert_string_equal(fault.detail, "x");
}

static void details_from_outside_are_cut_and_cleaned(void **state) {
	(void) state;
	struct fault fault;
	char large[1000];
	memset(large, 'a', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	fault_set(&fault, FAULT_LOCK_ERROR, "%s", large);
	assert_int_equal(strlen(fault.detail), FAULT_DETAIL_MAX - 1);
	fault_set_errno(&fault, FAULT_LOCK_ERROR, -EIO, "%s", large);
	assert_int_equal(strlen(fault.detail), FAULT_DETAIL_MAX - 1);
	for (size_t i = 0; i + 2 < sizeof(large); i += 2) {
		memcpy(large + i, "\xc3\xbc", 2);
	}
	fault_set(&fault, FAULT_LOCK_ERROR, "%s", large);
	assert_int_equal(strlen(fault.detail), FAULT_DETAIL_MAX - 2);
	fault_set(&fault, FAULT_LOCK_ERROR, "name \"%s\"", "x\nlockhubd[info]: door locked\x1b[2J");
	assert_string_equal(fault.detail, "name \"x?lockhubd[info]: door locked?[2J\"");
}

static void text_is_summary_and_evidence(void **state) {
	(void) state;
	struct fault fault;
	char text[FAULT_TEXT_MAX];
	fault_set(&fault, FAULT_LOCK_NOT_HEARD, "no advertisement for %d s", 900);
	assert_string_equal(
		fault_text(&fault, text), "The lock is not heard (no advertisement for 900 s)");
	fault.detail[0] = '\0';
	assert_string_equal(fault_text(&fault, text), "The lock is not heard");
}

static void hint_names_the_lock(void **state) {
	(void) state;
	char text[FAULT_TEXT_MAX];
	fault_hint(FAULT_NOT_SUPPORTED, "front-door", text);
	assert_string_equal(text, "lockhubctl show front-door lists what it can do");
	fault_hint(FAULT_NOT_SUPPORTED, NULL, text);
	assert_string_equal(text, "lockhubctl show LOCK lists what it can do");
	char slug[65];
	memset(slug, 's', sizeof(slug) - 1);
	slug[sizeof(slug) - 1] = '\0';
	for (int i = FAULT_NONE; i < FAULT_COUNT_; i++) {
		fault_hint(
			(enum fault_code) i, slug, text); /* none is cut, even with a long name */
		assert_true(strlen(text) < FAULT_TEXT_MAX - 1);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_has_every_field),
		cmocka_unit_test(message_ids_are_32_hex_digits_and_unique),
		cmocka_unit_test(dbus_names_follow_from_names),
		cmocka_unit_test(names_are_unique_and_lead_back),
		cmocka_unit_test(texts_are_written_in_house_style),
		cmocka_unit_test(every_code_has_an_errno),
		cmocka_unit_test(a_code_from_nowhere_is_internal),
		cmocka_unit_test(set_fills_and_returns),
		cmocka_unit_test(set_errno_appends_the_reason),
		cmocka_unit_test(details_from_outside_are_cut_and_cleaned),
		cmocka_unit_test(text_is_summary_and_evidence),
		cmocka_unit_test(hint_names_the_lock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
