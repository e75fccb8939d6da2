/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a lock does at a time of day: the list, changes, and a list that decides in doubt. */

#include <errno.h>

#include "core/people.h"
#include "core/user.h"
#include "mock/fake-hub.h"
#include "test.h"

#define ADDRESS "AA:BB:CC:DD:EE:11"
#define ID "11111111"

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
	/* The hub reads it by itself behind the configuration. */
	assert_int_equal(fake_count(door, 'T'), 1);
	assert_null(list(&n, &at));
	assert_int_equal(n, 0);
	assert_true(at.s > 0);
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
	assert_int_equal(fake_count(door, 'T'), 2);
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

/* ---- kept, for the day on which the lock has lost them ---- */

static const struct lock_timer morning = {
	.ref = 3, .is_enabled = false, .days = 0, .minute = 7 * 60 + 5, .act = ACT_UNLOCK
};
static const struct lock_timer strange = { .ref = 9, .is_enabled = true, .minute = 1 };

#define KEPT "2 1 62 1350 lock\n3 0 127 425 unlock\n9 1 127 1 other\n"

static void give_three(void) {
	fake->timers[0] = evening;
	fake->timers[0].ref = 2;
	fake->timers[1] = morning;
	fake->timers[2] = strange;
	fake->n_timers = 3;
}

static size_t wanted(void) {
	size_t n;

	(void) lock_timers_wanted(hub_lock_at(fake->hub, 0), &n);
	return n;
}

static void a_list_is_kept_when_it_is_another_one(void **state) {
	(void) state;
	give_three();
	ask(ACT_READ_TIMERS, NULL);
	serve();
	assert_string_equal(fake_row(fake, "timers." ID), KEPT);
	assert_int_equal(wanted(), 0);
	fake->is_ledger_held = true;
	ask(ACT_READ_TIMERS, NULL);
	serve();
	assert_true(list_is_empty(&fake->txns));
	fake->is_ledger_held = false;
	fake->n_timers = 0;
	ask(ACT_READ_TIMERS, NULL);
	serve();
	assert_string_equal(fake_row(fake, "timers." ID), "");
}

/* What lies in the database of an earlier life, and what does not belong there. */
static void what_was_kept_is_loaded(void **state) {
	size_t n;
	wall_t at;

	(void) state;
	hub_load_setting(fake->hub, "timers." ID,
		KEPT "x\n1 1 128 5 lock\n1 1 3 1440 lock\n1 1 3 5 fly\n1 1 3\n");
	assert_int_equal(list(&n, &at)[1].minute, morning.minute);
	assert_int_equal(n, 3);
	hub_load_setting(fake->hub, "retimer." ID, "2 1 62 1350 lock\n");
	assert_int_equal(wanted(), 1);
	hub_load_setting(fake->hub, "timers.99999999", KEPT);
}

static void pair_again(void) {
	struct pair_request request = { .address = ADDRESS,
		.origin = REQUEST_DBUS,
		.role = ROLE_MANAGE,
		.actor = "anna",
		.replaces = "front-door" };
	struct fault fault;
	struct op *op = NULL;

	assert_int_equal(secret_set_text(&request.pin, "1234"), 0);
	fake_down(fake, door, FAULT_NONE);
	assert_int_equal(hub_scan(fake->hub, 30000, &fault), 0);
	fake_heard(fake, ADDRESS, true, false);
	assert_int_equal(hub_pair(fake->hub, &request, &op, &fault), 0);
	fake_turn(fake);
	door = fake_link(fake, ADDRESS);
	fake->n_timers = 0;
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "D-", 2);
	door = fake_link(fake, ADDRESS);
	serve(); /* the PIN is tried */
	assert_int_equal(op->outcome, OP_DONE);
}

static void what_a_reset_took_waits_to_be_put_back(void **state) {
	struct fault fault;
	size_t n;

	(void) state;
	give_three();
	ask(ACT_READ_TIMERS, NULL);
	serve();
	pair_again();
	assert_string_equal(fake_row(fake, "retimer." ID), KEPT);
	assert_string_equal(fake_row(fake, "timers." ID), "");
	expect_count(0);
	assert_int_equal(wanted(), 3);
	/* An empty list takes nothing away from what waits. */
	ask(ACT_READ_TIMERS, NULL);
	serve();
	assert_int_equal(wanted(), 3);
	/* Like it, under whatever number: it is back. One that is off when it was on is not. */
	ask(ACT_PUT_TIMER, &evening);
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	assert_int_equal(wanted(), 2);
	fake->timers[1] = morning;
	fake->timers[1].is_enabled = true;
	fake->n_timers = 2;
	ask(ACT_READ_TIMERS, NULL);
	serve();
	assert_int_equal(wanted(), 2);
	assert_string_equal(fake_row(fake, "retimer." ID), "3 0 127 425 unlock\n9 1 127 1 other\n");
	assert_string_equal(fake_row(fake, "timers." ID), "1 1 62 1350 lock\n3 1 127 425 unlock\n");
	/* Reset once more before all was put back: what waited waits on, what was back comes along.
	 */
	pair_again();
	(void) lock_timers_wanted(hub_lock_at(fake->hub, 0), &n);
	assert_int_equal(n, 4);
	assert_int_equal(hub_settings_accept(fake->hub, "front-door", &fault), 0);
	fake_turn(fake);
	assert_int_equal(wanted(), 0);
	assert_string_equal(fake_row(fake, "retimer." ID), "");
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
		WITH_PIN(a_list_is_kept_when_it_is_another_one),
		WITH_PIN(what_was_kept_is_loaded),
		WITH_PIN(what_a_reset_took_waits_to_be_put_back),
		cmocka_unit_test_setup_teardown(
			pin_and_role_are_asked_for, setup_without_pin, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
