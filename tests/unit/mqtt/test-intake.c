/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every way in which a command may be malformed, and the few in which it is not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "intake.h"
#include "topics.h"
#include "util/auto.h"

#define NESTED_10 "[[[[[[[[[["

static const struct {
	const char *text;
	enum act act;
	const char *code;
	int64_t sent_at_ms;
	const char *id;
} good[] = {
	{ "LOCK", ACT_LOCK, "", 0, "" },
	{ "UNLOCK", ACT_UNLOCK, "", 0, "" },
	{ "OPEN", ACT_UNLATCH, "", 0, "" },
	{ "LOCK_N_GO", ACT_LOCK_N_GO, "", 0, "" },
	{ "LOCK_N_GO_OPEN", ACT_LOCK_N_GO_UNLATCH, "", 0, "" },
	{ "{\"action\":\"UNLOCK\",\"code\":\"004711\",\"ts\":1795329002.218}", ACT_UNLOCK, "004711",
		1795329002218, "" },
	{ "{\"action\":\"LOCK\",\"code\":null,\"ts\":1795329002}", ACT_LOCK, "", 1795329002000,
		"" },
	{ "{\"id\":\"9-\xc3\xa4\",\"action\":\"LOCK\"}", ACT_LOCK, "", 0, "9-\xc3\xa4" },
	{ "{ \"action\" : \"OPEN\", \"id\": null, \"ts\": null }\n", ACT_UNLATCH, "", 0, "" },
	{ "{\"action\":\"LOCK\",\"ts\":0.0000001}", ACT_LOCK, "", 1, "" },
	/* A bracket in a text is no nesting. */
	{ "{\"action\":\"LOCK\",\"code\":\"" NESTED_10 "\"}", ACT_LOCK, NESTED_10, 0, "" },
};

static const char *const bad[] = {
	" ",
	"lock",
	"Unlock",
	"LOCK\n",
	" LOCK",
	"LOCKED",
	"None",
	"004711",
	"\"LOCK\"",
	"[\"LOCK\"]",
	"{",
	"{}",
	"{\"action\":\"LOCK\"",
	"{\"action\":\"LOCK\"} x",
	"{\"action\":\"LOCK\",}",
	"{\"action\":\"lock\"}",
	"{\"action\":\"\"}",
	"{\"action\":null}",
	"{\"action\":1}",
	"{\"action\":[\"LOCK\"]}",
	"{\"action\":{\"action\":\"LOCK\"}}",
	"{\"Action\":\"LOCK\"}",
	"{\"code\":\"1234\"}",
	"{\"action\":\"LOCK\",\"action\":\"UNLOCK\"}",
	"{\"action\":\"LOCK\",\"code\":4711}",
	"{\"action\":\"LOCK\",\"code\":[]}",
	"{\"action\":\"LOCK\",\"code\":true}",
	"{\"action\":\"LOCK\",\"code\":\"123456789012345678901234567890123\"}",
	"{\"action\":\"LOCK\",\"ts\":\"1795329002\"}",
	"{\"action\":\"LOCK\",\"ts\":-1}",
	"{\"action\":\"LOCK\",\"ts\":0}",
	"{\"action\":\"LOCK\",\"ts\":1795329002218}",
	"{\"action\":\"LOCK\",\"ts\":1e300}",
	"{\"action\":\"LOCK\",\"ts\":1e999}",
	"{\"action\":\"LOCK\",\"ts\":true}",
	"{\"action\":\"LOCK\",\"ts\":{}}",
	"{\"action\":\"LOCK\",\"id\":7}",
	"{\"action\":\"LOCK\",\"id\":\"a\\nb\"}",
	"{\"action\":\"LOCK\",\"id\":\"a\\u0000b\"}",
	"{\"action\":\"LOCK\",\"id\":"
	"\"1234567890123456789012345678901234567890123456789012345678901234\"}",
	"{\"action\":\"LOCK\",\"tS\":1795329002}",
	"{\"action\":\"LOCK\",\"force\":true}",
	"{\"action\":\"LOCK\xff\"}",
	"{\"action\":\"LOCK\",\"id\":\"\\ud800\"}",
	"{\"action\":" NESTED_10 "1]]]]]]]]]]}",
	"\xef\xbb\xbfLOCK",
	"\xc0\x80",
	"\xed\xa0\x80",
};

static void takes_the_good(void **state) {
	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct intake intake;
		struct fault fault;
		struct secret code = { .len = 0 };
		assert_int_equal(intake_parse((const uint8_t *) good[i].text, strlen(good[i].text),
					 &intake, &fault),
			0);
		assert_int_equal(intake.act, good[i].act);
		(void) secret_set_text(&code, good[i].code);
		assert_true(secret_equal(&intake.code, &code));
		assert_true(intake.sent_at_ms == good[i].sent_at_ms);
		assert_string_equal(intake.id, good[i].id);
		intake_wipe(&intake);
	}
}

static void expect_refusal(const void *payload, size_t n) {
	struct intake intake;
	struct intake untouched;
	struct fault fault;

	memset(&intake, 0x5a, sizeof(intake));
	untouched = intake;
	if (intake_parse(payload, n, &intake, &fault) >= 0) {
		fail_msg("taken: %.*s", (int) (n < 80 ? n : 80), (const char *) payload);
	}
	assert_int_equal(fault.code, FAULT_BAD_COMMAND);
	assert_true(fault.detail[0] != '\0');
	assert_null(strstr(fault.detail, "4711")); /* says nothing of what came */
	assert_memory_equal(&intake, &untouched, sizeof(intake));
}

static void refuses_the_bad(void **state) {
	(void) state;
	expect_refusal("", 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		expect_refusal(bad[i], strlen(bad[i]));
	}
	expect_refusal("LOCK\0", 5);
	expect_refusal("LOCK\0UNLOCK", 11);
	expect_refusal("{\"action\":\"LOCK\"}\0", 18);
}

static void refuses_the_big_and_the_deep(void **state) {
	static char big[INTAKE_PAYLOAD_MAX + 1];
	struct intake intake;
	struct fault fault;
	static const char head[] = "{\"action\":\"LOCK\"";

	(void) state;
	memset(big, '[', sizeof(big));
	big[0] = '{';
	expect_refusal(big, sizeof(big));
	expect_refusal(big, INTAKE_PAYLOAD_MAX);
	/* The limit itself is allowed. */
	memset(big, ' ', sizeof(big));
	memcpy(big, head, sizeof(head) - 1);
	big[INTAKE_PAYLOAD_MAX - 1] = '}';
	assert_int_equal(
		intake_parse((const uint8_t *) big, INTAKE_PAYLOAD_MAX, &intake, &fault), 0);
	big[INTAKE_PAYLOAD_MAX] = ' ';
	expect_refusal(big, INTAKE_PAYLOAD_MAX + 1);
}

static void words_are_two_way(void **state) {
	(void) state;
	for (enum act act = ACT_NONE; act < ACT_COUNT_; act++) {
		const char *word = intake_word(act);
		struct intake intake;
		struct fault fault;
		if (word != NULL) {
			assert_int_equal(
				intake_parse((const uint8_t *) word, strlen(word), &intake, &fault),
				0);
			assert_int_equal(intake.act, act);
		}
	}
	assert_null(intake_word(ACT_REBOOT));
	assert_null(intake_word(ACT_VERIFY_PIN));
}

static void topics_name_locks(void **state) {
	const struct topics topics = { .base = "home/lockhub", .prefix = "homeassistant" };
	char text[TOPIC_MAX];
	char id[LOCK_ID_MAX] = "x";

	(void) state;
	assert_string_equal(topic_status(&topics, text), "home/lockhub/status");
	assert_string_equal(topic_commands(&topics, text), "home/lockhub/+/lock/set");
	assert_string_equal(topic_of(&topics, "9f3a71c2", "lock/state", text),
		"home/lockhub/9f3a71c2/lock/state");
	assert_true(topic_is_command(&topics, "home/lockhub/9f3a71c2/lock/set", id));
	assert_string_equal(id, "9f3a71c2");
	assert_true(topic_is_command(&topics, "home/lockhub/front-door/lock/set", id));
	assert_string_equal(id, "");
	assert_true(topic_is_command(&topics, "home/lockhub/9F3A71C2/lock/set", id));
	assert_string_equal(id, "");
	assert_false(topic_is_command(&topics, "home/lockhub/9f3a71c2/lock/set/x", id));
	assert_false(topic_is_command(&topics, "home/lockhub/a/b/lock/set", id));
	assert_false(topic_is_command(&topics, "home/lockhub//lock/set", id));
	assert_false(topic_is_command(&topics, "home/lockhub", id));
	assert_false(topic_is_command(&topics, "home/lockhubx/9f3a71c2/lock/set", id));
	assert_false(topic_is_command(&topics, "", id));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_good),
		cmocka_unit_test(refuses_the_bad),
		cmocka_unit_test(refuses_the_big_and_the_deep),
		cmocka_unit_test(words_are_two_way),
		cmocka_unit_test(topics_name_locks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
