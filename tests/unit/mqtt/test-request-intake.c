/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a request says: which keys it takes, their forms, and that the transaction outlives a
 * refusal. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "request-intake.h"
#include "util/auto.h"

#define KEY(name) (1U << REQUEST_KEY_##name)

static int parse(const char *text, unsigned takes, unsigned needs, struct request_intake *ret,
	struct fault *ret_fault) {
	return request_intake_parse(
		(const uint8_t *) text, strlen(text), takes, needs, ret, ret_fault);
}

static void everything_is_taken(void **state) {
	struct request_intake intake;
	struct fault fault;

	(void) state;
	assert_int_equal(
		parse("{\"transaction\":\"t-1\",\"id\":\"front-door\",\"to\":\"Haustür\","
		      "\"force\":true,\"time\":600,\"minutes\":60,\"level\":\"debug\",\"start\":50,"
		      "\"options\":{\"A\":\"on\",\"B\":false,\"C\":-7}}",
			REQUEST_KEYS_ALL, REQUEST_KEYS_ALL, &intake, &fault),
		0);
	assert_int_equal(intake.has, REQUEST_KEYS_ALL);
	assert_string_equal(intake.transaction, "t-1");
	assert_false(intake.is_transaction_number);
	assert_string_equal(intake.lock, "front-door");
	assert_string_equal(intake.to, "Haustür");
	assert_true(intake.is_forced);
	assert_int_equal(intake.seconds, 600);
	assert_int_equal(intake.minutes, 60);
	assert_string_equal(intake.level, "debug");
	assert_int_equal(intake.start, 50);
	assert_int_equal(intake.n_options, 3);
	assert_string_equal(intake.options[0].value, "on");
	assert_string_equal(intake.options[1].value, "off");
	assert_string_equal(intake.options[2].value, "-7");
	/* Nothing at all is an object without keys; a number comes back as one. */
	assert_int_equal(parse("", 0, 0, &intake, &fault), 0);
	assert_int_equal(intake.has, 0);
	assert_int_equal(parse("{\"transaction\":42}", 0, 0, &intake, &fault), 0);
	assert_string_equal(intake.transaction, "42");
	assert_true(intake.is_transaction_number);
}

static void what_is_wrong_is_refused(void **state) {
	static const struct {
		const char *text;
		unsigned takes, needs;
		const char *why;
	} rows[] = {
		{ "[]", 0, 0, "not a JSON object" },
		{ "{\"id\":\"a\"", KEY(LOCK), 0, "not valid JSON" },
		{ "{\"id\":\"a\"}", KEY(TO), 0, "does not take" },
		{ "{\"code\":\"4711\"}", REQUEST_KEYS_ALL, 0, "does not take" },
		{ "{}", KEY(LOCK), KEY(LOCK), "\"id\" is missing" },
		{ "{\"id\":\"\"}", KEY(LOCK), 0, "\"id\" is not a text" },
		{ "{\"id\":7}", KEY(LOCK), 0, "\"id\" is not a text" },
		{ "{\"to\":\"a\\u0007\"}", KEY(TO), 0, "\"to\" is not a text" },
		{ "{\"force\":1}", KEY(FORCE), 0, "true or false" },
		{ "{\"time\":601}", KEY(TIME), 0, "0 to 600" },
		{ "{\"time\":-1}", KEY(TIME), 0, "0 to 600" },
		{ "{\"time\":1.5}", KEY(TIME), 0, "0 to 600" },
		{ "{\"minutes\":61}", KEY(MINUTES), 0, "0 to 60" },
		{ "{\"options\":{}}", KEY(OPTIONS), 0, "1 to 8 settings" },
		{ "{\"options\":{\"a\":[]}}", KEY(OPTIONS), 0, "made of settings" },
		{ "{\"options\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,"
		  "\"i\":1}}",
			KEY(OPTIONS), 0, "1 to 8 settings" },
		{ "{\"id\":\"a\",\"id\":\"b\"}", KEY(LOCK), 0, "not valid JSON" },
		{ "{\"transaction\":[]}", 0, 0, "\"transaction\" is not a text" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct request_intake intake;
		struct fault fault = { .code = FAULT_NONE };
		if (parse(rows[i].text, rows[i].takes, rows[i].needs, &intake, &fault) >= 0) {
			fail_msg("%s was taken", rows[i].text);
		}
		assert_int_equal(fault.code, FAULT_BAD_COMMAND);
		if (strstr(fault.detail, rows[i].why) == NULL) {
			fail_msg("%s: \"%s\", wanted \"%s\"", rows[i].text, fault.detail,
				rows[i].why);
		}
		assert_int_equal(intake.has, 0);
	}
}

/* Who asked hears of the refusal under his own number. */
static void the_transaction_outlives_a_refusal(void **state) {
	struct request_intake intake;
	struct fault fault;

	(void) state;
	assert_true(
		parse("{\"id\":7,\"transaction\":\"mine\"}", KEY(LOCK), 0, &intake, &fault) < 0);
	assert_string_equal(intake.transaction, "mine");
	assert_string_equal(intake.lock, "");
	/* A text of 64 octets fits, one more does not. */
	char text[128];
	(void) memset(text, 'x', sizeof(text));
	memcpy(text, "{\"transaction\":\"", 16);
	memcpy(text + 16 + 64, "\"}", 3);
	assert_int_equal(parse(text, 0, 0, &intake, &fault), 0);
	assert_int_equal(strlen(intake.transaction), 64);
	memcpy(text + 16 + 64, "x\"}", 4);
	assert_true(parse(text, 0, 0, &intake, &fault) < 0);
	assert_string_equal(intake.transaction, "");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_taken),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(the_transaction_outlives_a_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
