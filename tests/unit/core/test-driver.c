/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/driver.h"

#include "test.h"

static const struct protocol sound = {
	.name = "made up",
	.cipher = "made up",
	.is_mutual = PROTOCOL_YES,
	.is_tamper_proof = PROTOCOL_YES,
	.is_replay_safe = PROTOCOL_YES,
	.has_fresh_nonces = PROTOCOL_YES,
	.weakness = "",
	.source = "this test",
};

static void whoever_can_make_a_command_makes_it_weak(void **state) {
	struct protocol one = sound;

	(void) state;
	assert_int_equal(protocol_class(&sound), PROTOCOL_CLASS_A);
	one.is_mutual = PROTOCOL_NO;
	assert_int_equal(protocol_class(&one), PROTOCOL_CLASS_C);
	one = sound;
	one.is_tamper_proof = PROTOCOL_NO;
	assert_int_equal(protocol_class(&one), PROTOCOL_CLASS_C);
	one = sound;
	one.is_replay_safe = PROTOCOL_NO;
	assert_int_equal(protocol_class(&one), PROTOCOL_CLASS_C);
	/* Weak is weak, whatever else is not known. */
	one.is_mutual = PROTOCOL_UNKNOWN;
	assert_int_equal(protocol_class(&one), PROTOCOL_CLASS_C);
}

static void what_is_left_to_know_makes_it_less_than_the_best(void **state) {
	struct protocol one = sound;

	(void) state;
	one.has_fresh_nonces = PROTOCOL_NO;
	assert_int_equal(protocol_class(&one), PROTOCOL_CLASS_B);
	one.has_fresh_nonces = PROTOCOL_UNKNOWN;
	assert_int_equal(protocol_class(&one), PROTOCOL_CLASS_B);
	one = sound;
	one.weakness = "the tag is short";
	assert_int_equal(protocol_class(&one), PROTOCOL_CLASS_B);
}

static void what_nobody_knows_is_no_class(void **state) {
	struct protocol one = sound;

	(void) state;
	assert_int_equal(protocol_class(NULL), PROTOCOL_CLASS_UNKNOWN);
	one.is_replay_safe = PROTOCOL_UNKNOWN;
	assert_int_equal(protocol_class(&one), PROTOCOL_CLASS_UNKNOWN);
	assert_string_equal(protocol_class_name(PROTOCOL_CLASS_UNKNOWN), "unknown");
	assert_string_equal(protocol_class_name(PROTOCOL_CLASS_C), "C");
	assert_string_equal(protocol_trait_name(PROTOCOL_UNKNOWN), "unknown");
	assert_string_equal(protocol_trait_name(PROTOCOL_YES), "yes");
	assert_string_equal(protocol_trait_name(PROTOCOL_NO), "no");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_can_make_a_command_makes_it_weak),
		cmocka_unit_test(what_is_left_to_know_makes_it_less_than_the_best),
		cmocka_unit_test(what_nobody_knows_is_no_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
