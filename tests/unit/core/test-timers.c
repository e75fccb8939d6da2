/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a lock does at a time of day: the list, changes, and a list that decides in doubt. */

#include <errno.h>

#include "core/user.h"
#include "mock/fake-hub.h"
#include "test.h"

#define ADDRESS "AA:BB:CC:DD:EE:11"

static struct fake *fake;
static struct fake_link *door;

static const struct lock_timer evening = {
	.is_enabled = true, .days = 0x3e, .minute = 22 * 60 + 30, .act = ACT_LOCK
};

static int setup_with(bool has_pin) {
	fake = fake_new();
	fake->has_timers = true;
	fake_add_lock(fake, "11111111", "Front door", has_pin);
	fake_start(fake);
	door = fake_link(fake, ADDRESS);
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	fake_down(fake, door, FAULT_NONE);
	fake->changed = 0;
	fake->n_ops = 0;
	return 0;
}

static int setup(void **state) {
	(void) state;
	return setup_with(true);
}

static int setup_without_pin(void **state) {
	(void) state;
	return setup_with(false);
}

static int teardown(void **state) {
	(void) state;
	fake = fake_free(fake);
	return 0;
}

static const struct lock_timer *list(size_t *ret_n, wall_t *ret_at) {
	return lock_timers(hub_lock_at(fake->hub, 0), ret_n, ret_at);
}

static void expect_count(size_t wanted) {
	size_t n = 99;

	(void) list(&n, NULL);
	assert_int_equal(n, wanted);
}

static int try_ask(enum act act, const struct lock_timer *timer, struct fault *ret_fault) {
	struct request request = fake_request("front-door", act);
	struct op *op = NULL;

	if (timer != NULL) {
		request.timer = *timer;
	}
	return hub_request(fake->hub, &request, &op, ret_fault);
}

static void ask(enum act act, const struct lock_timer *timer) {
	struct fault fault;

	assert_int_equal(try_ask(act, timer, &fault), 0);
	fake_turn(fake);
}

static const struct op *last(void) {
	assert_true(fake->n_finished > 0);
	return &fake->finished[fake->n_finished - 1];
}

static void serve(void) {
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
}

static void list_is_complete_or_not_there(void **state) {
	size_t n;
	wall_t at;

	(void) state;
	assert_null(list(&n, &at));
	assert_int_equal(n, 0);
	assert_int_equal(at.s, 0);
	fake->timers[0] = evening;
	fake->timers[0].ref = 3;
	fake->timers[1] = evening;
	fake->timers[1].ref = 8;
	fake->n_timers = 2;
	ask(ACT_READ_TIMERS, NULL);
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	assert_int_equal(list(&n, &at)[1].ref, 8);
	assert_int_equal(n, 2);
	assert_int_equal(at.s, fake->wall.s);
	assert_true((fake->changed & FACT_TIMERS) != 0);
	/* A list that breaks off is no list: the one before stays. */
	fake->n_timers = 1;
	ask(ACT_READ_TIMERS, NULL);
	fake_up(fake, door);
	assert_int_equal(fake_written(door)->bytes[0], 'T');
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, (const uint8_t[]){ 'F', FAULT_LOCK_ERROR }, 2);
	assert_int_equal(last()->fault.code, FAULT_LOCK_ERROR);
	expect_count(2);
	/* Reading is not worth a row on the disk. */
	assert_int_equal(fake->n_ops, 0);
}

static void change_is_followed_by_the_list_in_the_same_link(void **state) {
	struct lock_timer timer = evening;
	size_t n;

	(void) state;
	ask(ACT_PUT_TIMER, &timer);
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	assert_int_equal(last()->ref, 1);
	assert_int_equal(fake_count(door, 'S'), 1);
	assert_int_equal(fake_count(door, 'T'), 1);
	assert_int_equal(list(&n, NULL)->minute, 22 * 60 + 30);
	assert_int_equal(n, 1);
	/* The log says what was asked. */
	assert_string_equal(fake_find_event(fake, EVENT_OPERATION_REQUESTED)->text,
		"new timer: Mon-Fri 22:30 lock");
	timer.ref = 1;
	timer.is_enabled = false;
	ask(ACT_PUT_TIMER, &timer);
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	assert_false(list(&n, NULL)->is_enabled);
	ask(ACT_REMOVE_TIMER, &timer);
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	expect_count(0);
	/* Each with its intent and its outcome. */
	assert_int_equal(fake->n_ops, 6);
}

static void lost_link_never_puts_twice(void **state) {
	(void) state;
	ask(ACT_PUT_TIMER, &evening);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT); /* the lock has it, and its answer is lost */
	fake_down(fake, door, FAULT_LINK_LOST);
	assert_int_equal(fake->n_finished, 0);
	fake_turn(fake);
	assert_true(fake_is_wanted(door));
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	assert_int_equal(fake_count(door, 'S'), 1);
	expect_count(1);
}

static void lost_command_is_told_by_the_list(void **state) {
	(void) state;
	ask(ACT_PUT_TIMER, &evening);
	fake_up(fake, door);
	fake_confirm(fake, door, -EIO, RADIO_MAYBE_SENT);
	fake_turn(fake);
	fake_advance(fake, 1000);
	serve();
	assert_int_equal(last()->outcome, OP_FAILED);
	assert_int_equal(last()->fault.code, FAULT_LINK_LOST);
	expect_count(0);
}

static void certainly_not_sent_is_tried_again(void **state) {
	(void) state;
	ask(ACT_PUT_TIMER, &evening);
	fake_up(fake, door);
	fake_confirm(fake, door, -EIO, RADIO_NOT_SENT);
	fake_advance(fake, 1000);
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	assert_int_equal(fake_count(door, 'S'), 2);
	expect_count(1);
}

static void without_a_list_the_outcome_is_unknown(void **state) {
	size_t n;
	wall_t at;

	(void) state;
	ask(ACT_READ_TIMERS, NULL);
	serve();
	ask(ACT_PUT_TIMER, &evening);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_down(fake, door, FAULT_LINK_LOST);
	for (unsigned i = 0; i < 40 && fake->n_finished < 2; i++) {
		if (fake_is_wanted(door)) {
			fake_down(fake, door, FAULT_LOCK_NOT_HEARD);
		}
		fake_advance(fake, 1000);
	}
	assert_int_equal(last()->outcome, OP_UNKNOWN);
	assert_int_equal(last()->fault.code, FAULT_OUTCOME_UNKNOWN);
	/* and what was read before is not shown as if it were so still */
	(void) list(&n, &at);
	assert_int_equal(at.s, 0);
}

static void lock_that_lies_is_not_believed(void **state) {
	(void) state;
	ask(ACT_PUT_TIMER, &evening);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake->n_timers = 0; /* somebody else was quicker, or it never kept it */
	fake_answer(fake, door, "D-", 2);
	fake_serve(fake, door, 'L');
	assert_int_equal(last()->outcome, OP_UNKNOWN);
	assert_int_equal(last()->fault.code, FAULT_OUTCOME_UNKNOWN);
}

/* What there was before with the same words is not the one that was asked for. */
static void another_one_is_not_taken_for_it(void **state) {
	(void) state;
	ask(ACT_PUT_TIMER, &evening);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake->timers[0].ref = 77;
	fake_answer(fake, door, "D-", 2);
	fake_serve(fake, door, 'L');
	assert_int_equal(last()->outcome, OP_UNKNOWN);
	ask(ACT_PUT_TIMER, &evening);
	fake_up(fake, door);
	fake->timers[0].minute = 7;
	fake_confirm(fake, door, -EIO, RADIO_MAYBE_SENT);
	fake_advance(fake, 1000);
	serve();
	assert_int_equal(last()->outcome, OP_FAILED);
	expect_count(1);
}

static void done_stays_done_when_the_list_cannot_be_read(void **state) {
	wall_t at;
	size_t n;

	(void) state;
	ask(ACT_READ_TIMERS, NULL);
	serve();
	ask(ACT_PUT_TIMER, &evening);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "D-", 2);
	fake_down(fake, door, FAULT_LINK_LOST);
	assert_int_equal(fake->n_finished, 1);
	fake_advance(fake, 30000);
	assert_int_equal(fake->n_finished, 2);
	assert_int_equal(last()->outcome, OP_DONE);
	assert_int_equal(last()->ref, 1);
	(void) list(&n, &at);
	assert_int_equal(at.s, 0);
}

static void half_made_is_told_and_named(void **state) {
	struct lock_timer timer = evening;

	(void) state;
	fake->half_timer = FAULT_LOCK_ERROR;
	timer.is_enabled = false;
	ask(ACT_PUT_TIMER, &timer);
	serve();
	assert_int_equal(last()->outcome, OP_FAILED);
	assert_int_equal(last()->fault.code, FAULT_LOCK_ERROR);
	assert_int_equal(last()->ref, 1);
	expect_count(1); /* what it left behind can be seen */
	assert_int_equal(fake_count(door, 'S'), 1);
}

static void refusal_is_definite(void **state) {
	struct lock_timer timer = evening;

	(void) state;
	timer.ref = 9;
	ask(ACT_REMOVE_TIMER, &timer);
	serve();
	assert_int_equal(last()->outcome, OP_FAILED);
	assert_int_equal(last()->fault.code, FAULT_NO_SUCH_ENTRY);
	assert_int_equal(fake_count(door, 'R'), 1);
}

static void nonsense_is_refused(void **state) {
	static const struct lock_timer bad[] = {
		{ .act = ACT_NONE },
		{ .act = ACT_CALIBRATE },
		{ .act = ACT_LOCK, .minute = 1440 },
		{ .act = ACT_LOCK, .minute = -1 },
		{ .act = ACT_LOCK, .days = 0x80 },
		{ .act = ACT_LOCK, .ref = -1 },
	};
	struct fault fault;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(try_ask(ACT_PUT_TIMER, &bad[i], &fault), -EINVAL);
		assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
	}
	assert_int_equal(try_ask(ACT_REMOVE_TIMER, &bad[0], &fault), -EINVAL);
	assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
}

static void pin_and_role_are_asked_for(void **state) {
	struct request request = fake_request("front-door", ACT_READ_TIMERS);
	struct op *op;
	struct fault fault;

	(void) state;
	assert_true(try_ask(ACT_READ_TIMERS, NULL, &fault) < 0);
	assert_int_equal(fault.code, FAULT_PIN_REQUIRED);
	assert_true(try_ask(ACT_PUT_TIMER, &evening, &fault) < 0);
	assert_int_equal(fault.code, FAULT_PIN_REQUIRED);
	request.role = ROLE_VIEW;
	assert_true(hub_request(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DENIED);
	request.role = ROLE_OPERATE;
	assert_true(hub_request(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_PIN_REQUIRED);
	request.act = ACT_PUT_TIMER;
	request.timer = evening;
	assert_true(hub_request(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DENIED);
}

int main(void) {
#define WITH_PIN(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_PIN(list_is_complete_or_not_there),
		WITH_PIN(change_is_followed_by_the_list_in_the_same_link),
		WITH_PIN(lost_link_never_puts_twice),
		WITH_PIN(lost_command_is_told_by_the_list),
		WITH_PIN(certainly_not_sent_is_tried_again),
		WITH_PIN(without_a_list_the_outcome_is_unknown),
		WITH_PIN(lock_that_lies_is_not_believed),
		WITH_PIN(another_one_is_not_taken_for_it),
		WITH_PIN(done_stays_done_when_the_list_cannot_be_read),
		WITH_PIN(half_made_is_told_and_named),
		WITH_PIN(refusal_is_definite),
		WITH_PIN(nonsense_is_refused),
		cmocka_unit_test_setup_teardown(
			pin_and_role_are_asked_for, setup_without_pin, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
