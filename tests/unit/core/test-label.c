/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the radio is told for its journal: whose link it is, and for which operation. */

#include <stdio.h>

#include "mock/fake-hub.h"
#include "test.h"
#include "util/text.h"

#define ADDRESS "AA:BB:CC:DD:EE:11"

static struct fake *fake;
static struct radio_impl labelling;
static char its_lock[RADIO_LABEL_MAX], its_op[RADIO_LABEL_MAX];
static char at_want[RADIO_LABEL_MAX]; /* the operation when the link was wanted last */
static void (*want_below)(struct radio_link *link, enum radio_need need, unsigned patience_ms);

static void label(struct radio_link *link, const char *new_lock_id, const char *new_op_id) {
	assert_non_null(link);
	assert_true(text_copy(its_lock, sizeof(its_lock), new_lock_id));
	assert_true(text_copy(its_op, sizeof(its_op), new_op_id));
}

static void want(struct radio_link *link, enum radio_need need, unsigned patience_ms) {
	(void) text_copy(at_want, sizeof(at_want), its_op);
	want_below(link, need, patience_ms);
}

static int setup(void **state) {
	(void) state;
	its_lock[0] = its_op[0] = at_want[0] = '\0';
	fake = fake_new();
	labelling = *fake->radio.impl;
	want_below = labelling.want;
	labelling.label = label;
	labelling.want = want;
	fake->radio.impl = &labelling;
	fake_add_lock(fake, "11111111", "Front door", false);
	fake_start(fake);
	return 0;
}

static int teardown(void **state) {
	(void) state;
	fake = fake_free(fake);
	return 0;
}

static void the_hubs_own_work_has_no_operation(void **state) {
	(void) state;
	assert_true(fake_is_wanted(fake_link(fake, ADDRESS)));
	assert_string_equal(its_lock, "11111111");
	assert_string_equal(its_op, "");
}

static void each_operation_is_named_before_its_link_is_wanted(void **state) {
	struct fake_link *door = fake_link(fake, ADDRESS);
	struct request request = fake_request("front-door", ACT_UNLOCK);
	struct fault fault = { 0 };
	char first[RADIO_LABEL_MAX];
	struct op *op = NULL;

	(void) state;
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	fake_down(fake, door, FAULT_NONE);
	assert_int_equal(hub_request(fake->hub, &request, &op, &fault), 0);
	assert_true(text_copy(first, sizeof(first), op->id));
	fake_turn(fake);
	assert_string_equal(its_lock, "11111111");
	assert_string_equal(its_op, first);
	assert_string_equal(at_want, first);
	/* The next one over the same link. */
	request = fake_request("front-door", ACT_LOCK);
	assert_int_equal(hub_request(fake->hub, &request, &op, &fault), 0);
	assert_string_not_equal(op->id, first);
	char second[RADIO_LABEL_MAX];
	assert_true(text_copy(second, sizeof(second), op->id));
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "DU", 2);
	assert_string_equal(at_want, second);
	/* What the hub asks behind both is its own. */
	fake_serve(fake, door, 'L');
	assert_string_equal(its_op, "");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_hubs_own_work_has_no_operation, setup, teardown),
		cmocka_unit_test_setup_teardown(
			each_operation_is_named_before_its_link_is_wanted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
