/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pin_code dialect: what the two code managers send, and every way to get it wrong. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pin-intake.h"
#include "util/auto.h"

static const struct {
	const char *text;
	bool is_get;
	enum pin_wish wish;
	unsigned user;
	enum user_type type;
	bool is_enabled;
	const char *pin;
	enum act act;
} good[] = {
	/* as lock_code_manager writes it */
	{ "{\"pin_code\": {\"user\": 3, \"user_type\": \"unrestricted\", \"pin_code\": \"482913\", "
	  "\"user_enabled\": true}}",
		false, PIN_WISH_SET, 3, USER_UNRESTRICTED, true, "482913", ACT_NONE },
	{ "{\"pin_code\": {\"user\": 3, \"user_type\": \"unrestricted\", \"user_enabled\": false, "
	  "\"pin_code\": null}}",
		false, PIN_WISH_CLEAR, 3, USER_UNRESTRICTED, false, "", ACT_NONE },
	{ "{\"pin_code\": {\"user\": 500}}", true, PIN_WISH_GET, 500, USER_UNRESTRICTED, true, "",
		ACT_NONE },
	/* as a person may */
	{ "{\"pin_code\":{\"pin_code\":\"0042\",\"user\":1}}", false, PIN_WISH_SET, 1,
		USER_UNRESTRICTED, true, "0042", ACT_NONE },
	{ "{\"pin_code\":{\"user\":1,\"pin_code\":\"\"}}", false, PIN_WISH_CLEAR, 1,
		USER_UNRESTRICTED, true, "", ACT_NONE },
	{ "{\"pin_code\":{\"user\":7,\"user_type\":\"week_day_schedule\",\"user_enabled\":false,"
	  "\"pin_code\":\"482913\"}}",
		false, PIN_WISH_SET, 7, USER_WEEK_DAY_SCHEDULE, false, "482913", ACT_NONE },
	{ "{\"pin_code\":\"\"}", true, PIN_WISH_GET, 0, USER_UNRESTRICTED, true, "", ACT_NONE },
	{ "{\"state\":\"LOCK\"}", false, PIN_WISH_ACT, 0, USER_UNRESTRICTED, true, "", ACT_LOCK },
	{ "{\"state\":\"UNLOCK\"}", false, PIN_WISH_ACT, 0, USER_UNRESTRICTED, true, "",
		ACT_UNLOCK },
};

static const struct {
	const char *text;
	bool is_get;
} bad[] = {
	{ "", false },
	{ "null", false },
	{ "[]", false },
	{ "{}", false },
	{ "{}", true },
	{ "{\"pin_code\":null}", false },
	{ "{\"pin_code\":\"\"}", false },
	{ "{\"pin_code\":\"482913\"}", true },
	{ "{\"pin_code\":{}}", false },
	{ "{\"pin_code\":{\"user\":3}}", false }, /* neither set nor cleared */
	{ "{\"pin_code\":{\"pin_code\":\"482913\"}}", false },
	{ "{\"pin_code\":{\"user\":0,\"pin_code\":\"482913\"}}", false },
	{ "{\"pin_code\":{\"user\":-1,\"pin_code\":\"482913\"}}", false },
	{ "{\"pin_code\":{\"user\":501,\"pin_code\":\"482913\"}}", false },
	{ "{\"pin_code\":{\"user\":4294967297,\"pin_code\":\"482913\"}}", false },
	{ "{\"pin_code\":{\"user\":1.5,\"pin_code\":\"482913\"}}", false },
	{ "{\"pin_code\":{\"user\":\"3\",\"pin_code\":\"482913\"}}", false },
	{ "{\"pin_code\":{\"user\":3,\"pin_code\":482913}}", false },
	{ "{\"pin_code\":{\"user\":3,\"pin_code\":\"48291x\"}}", false },
	{ "{\"pin_code\":{\"user\":3,\"pin_code\":\"4829\\u00001\"}}", false },
	{ "{\"pin_code\":{\"user\":3,\"pin_code\":\"1234567890123\"}}", false },
	{ "{\"pin_code\":{\"user\":3,\"pin_code\":\"482913\",\"user_enabled\":\"yes\"}}", false },
	{ "{\"pin_code\":{\"user\":3,\"pin_code\":\"482913\",\"user_type\":\"master\"}}", false },
	{ "{\"pin_code\":{\"user\":3,\"pin_code\":\"482913\",\"user_type\":1}}", false },
	{ "{\"pin_code\":{\"user\":3,\"pin_code\":\"482913\",\"valid\":true}}", false },
	{ "{\"pin_code\":{\"user\":3,\"user\":4,\"pin_code\":\"482913\"}}", false },
	{ "{\"pin_code\":{\"user\":3,\"pin_code\":\"482913\"},\"state\":\"UNLOCK\"}", false },
	{ "{\"pin_code\":{\"user\":3,\"pin_code\":\"482913\"}} x", false },
	{ "{\"state\":\"OPEN\"}", false },
	{ "{\"state\":\"unlock\"}", false },
	{ "{\"state\":null}", false },
	{ "{\"state\":\"LOCK\"}", true },
	{ "LOCK", false },
	{ "\xff\xfe", false },
};

static int parse(const char *text, bool is_get, struct pin_intake *ret, struct fault *ret_fault) {
	return pin_intake_parse((const uint8_t *) text, strlen(text), is_get, ret, ret_fault);
}

static void takes_what_is_right(void **state) {
	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO_VALUE(pin_intake_wipe) struct pin_intake intake = { 0 };
		struct fault fault = { .code = FAULT_NONE };

		if (parse(good[i].text, good[i].is_get, &intake, &fault) != 0) {
			fail_msg("%s: %s", good[i].text, fault.detail);
		}
		assert_int_equal(intake.wish, good[i].wish);
		assert_int_equal(intake.user, good[i].user);
		assert_int_equal(intake.type, good[i].type);
		assert_int_equal(intake.is_enabled, good[i].is_enabled);
		assert_int_equal(intake.pin.len, strlen(good[i].pin));
		assert_memory_equal(intake.pin.bytes, good[i].pin, strlen(good[i].pin));
		assert_int_equal(intake.act, good[i].act);
	}
}

static void refuses_the_rest_and_repeats_nothing(void **state) {
	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pin_intake intake = { .user = 77 };
		struct fault fault = { .code = FAULT_NONE };

		if (parse(bad[i].text, bad[i].is_get, &intake, &fault) == 0) {
			fail_msg("%s was taken", bad[i].text);
		}
		assert_int_equal(fault.code, FAULT_BAD_COMMAND);
		assert_true(fault.detail[0] != '\0');
		assert_null(strstr(fault.detail, "4829"));
		assert_int_equal(intake.user, 77);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_right),
		cmocka_unit_test(refuses_the_rest_and_repeats_nothing),
	};
	return cmocka_run_group_tests_name("pin-intake", tests, NULL, NULL);
}
