/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The laws of the spine: evidence only, at most once, nothing lost (L1-L3), with a fake lock. */

#include <errno.h>

#include "mock/fake-hub.h"
#include "test.h"
#include "util/text.h"

#define ADDRESS "AA:BB:CC:DD:EE:11"

static struct fake *fake;
static struct fake_link *door;

static int setup_with(bool has_pin) {
	fake = fake_new();
	fake_add_lock(fake, "11111111", "Front door", has_pin);
	fake_start(fake);
	door = fake_link(fake, ADDRESS);
	return 0;
}

/* A lock at rest: all that the hub wants to know at a start has been read. */
static void settle(char state) {
	fake_up(fake, door);
	fake_serve(fake, door, state);
	fake_down(fake, door, FAULT_NONE);
	fake->n_events = 0;
	fake->n_ops = 0;
	fake->changed = 0;
}

static int setup(void **state) {
	(void) state;
	setup_with(false);
	settle('L');
	return 0;
}

static int setup_pin(void **state) {
	(void) state;
	setup_with(true);
	settle('L');
	return 0;
}

static int setup_raw(void **state) {
	(void) state;
	return setup_with(true);
}

static int teardown(void **state) {
	(void) state;
	fake = fake_free(fake);
	return 0;
}

static struct lock *the_lock(void) {
	return hub_lock_at(fake->hub, 0);
}

static struct op *ask(enum act act) {
	struct request request = fake_request("front-door", act);
	struct op *op = NULL;
	struct fault fault;

	assert_int_equal(hub_request(fake->hub, &request, &op, &fault), 0);
	return op;
}

static const struct op *last_finished(void) {
	assert_true(fake->n_finished > 0);
	return &fake->finished[fake->n_finished - 1];
}

static void start_reads_everything_in_one_link(void **state) {
	(void) state;
	assert_int_equal(lock_status(the_lock())->bolt.state, LOCK_STATE_UNKNOWN);
	assert_int_equal(lock_status(the_lock())->previous_state, LOCK_STATE_LOCKED);
	assert_true(fake_is_wanted(door));
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	assert_int_equal(fake_count(door, 's'), 1);
	assert_int_equal(fake_count(door, 'l'), 1);
	assert_int_equal(fake_count(door, 'c'), 1);
	assert_int_equal(fake_count(door, 'b'), 1);
	assert_true(fake_is_released(door));
	assert_int_equal(lock_status(the_lock())->bolt.state, LOCK_STATE_LOCKED);
	assert_non_null(fake_find_event(fake, EVENT_HUB_STARTED));
}

static void unlock_done(void **state) {
	struct op *op = ask(ACT_UNLOCK);

	(void) state;
	fake_turn(fake);
	assert_int_equal(fake_need(door), RADIO_NEED_UNLOCK);
	fake_up(fake, door);
	assert_int_equal(fake_written(door)->bytes[0], 'U');
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	assert_int_equal(op->state, OP_RUNNING);
	fake_answer(fake, door, "DU", 2);
	assert_int_equal(last_finished()->outcome, OP_DONE);
	assert_int_equal(lock_status(the_lock())->bolt.state, LOCK_STATE_UNLOCKED);
	/* intent, then outcome */
	assert_int_equal(fake->n_ops, 2);
	assert_false(fake->ops[0].is_finished);
	assert_true(fake->ops[1].is_finished);
	assert_int_equal(fake->ops[1].fault, FAULT_NONE);
	/* Without a PIN the lock's log is closed to us, so the hub's own knowledge is the event. */
	assert_non_null(fake_find_event(fake, EVENT_LOCK_OPERATION));
	assert_string_equal(fake_find_event(fake, EVENT_LOCK_OPERATION)->user, "anna");
}

static void intent_is_on_disk_before_the_first_byte(void **state) {
	(void) state;
	fake->is_ledger_held = true;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	assert_null(fake_written(door));
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(fake_written(door)->bytes[0], 'U');
}

static void outcome_is_on_disk_before_anybody_is_told(void **state) {
	(void) state;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake->is_ledger_held = true;
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "DU", 2);
	assert_int_equal(fake->n_finished, 0);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(fake->n_finished, 1);
}

static void finishing_never_happens_inside_the_request(void **state) {
	(void) state;
	ask(ACT_READ_STATE);
	assert_int_equal(fake->n_finished, 0);
}

static void lost_link_means_unknown_and_read_back(void **state) {
	(void) state;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake_down(fake, door, FAULT_LINK_LOST); /* in the middle of the command */
	assert_int_equal(lock_status(the_lock())->bolt.state, LOCK_STATE_UNKNOWN);
	assert_int_equal(fake->n_finished, 0);
	assert_true(fake_is_wanted(door));
	fake_up(fake, door);
	assert_int_equal(fake_written(door)->bytes[0], 's');
	fake_serve(fake, door, 'U');
	assert_int_equal(last_finished()->outcome, OP_UNKNOWN);
	assert_int_equal(last_finished()->fault.code, FAULT_OUTCOME_UNKNOWN);
	assert_non_null(strstr(last_finished()->fault.detail, "unlocked"));
	assert_int_equal(fake_count(door, 'U'), 1); /* L2: never twice */
	assert_int_equal(lock_status(the_lock())->bolt.state, LOCK_STATE_UNLOCKED);
}

static void unknown_ends_within_its_time_when_the_lock_is_gone(void **state) {
	(void) state;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake_down(fake, door, FAULT_LINK_LOST);
	for (unsigned i = 0; i < 30 && fake->n_finished == 0; i++) {
		if (fake_is_wanted(door)) {
			fake_down(fake, door, FAULT_LOCK_NOT_HEARD);
		}
		fake_advance(fake, 1000);
	}
	assert_int_equal(last_finished()->outcome, OP_UNKNOWN);
	assert_int_equal(fake_count(door, 'U'), 1);
	assert_int_equal(lock_status(the_lock())->bolt.state, LOCK_STATE_UNKNOWN);
}

static void command_that_never_left_is_tried_again(void **state) {
	(void) state;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, -EIO, RADIO_NOT_SENT);
	assert_int_equal(fake->n_finished, 0);
	fake_advance(fake, 300);
	fake_up(fake, door);
	assert_int_equal(fake_written(door)->bytes[0], 'U');
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "DU", 2);
	assert_int_equal(last_finished()->outcome, OP_DONE);
}

static void refusal_of_the_lock_is_definite(void **state) {
	const uint8_t jam[] = { 'F', FAULT_JAMMED };

	(void) state;
	ask(ACT_LOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, jam, sizeof(jam));
	assert_int_equal(last_finished()->outcome, OP_FAILED);
	assert_int_equal(last_finished()->fault.code, FAULT_JAMMED);
	/* and where the bolt is now is read, not guessed */
	assert_int_equal(fake_written(door)->bytes[0], 's');
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "DJ", 2);
	assert_true(lock_status(the_lock())->bolt.is_jammed);
	assert_int_equal(lock_fault(the_lock())->code, FAULT_JAMMED);
	assert_int_equal(fake_find_event(fake, EVENT_ALARM)->alarm, ALARM_LOCK_JAMMED);
}

static void late_command_is_dropped(void **state) {
	(void) state;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_advance(fake, OP_MOTOR_EXPIRY_MS + 100);
	assert_int_equal(last_finished()->outcome, OP_FAILED);
	assert_int_equal(last_finished()->fault.code, FAULT_EXPIRED);
	if (fake_need(door) != RADIO_NEED_NONE) {
		fake_up(fake, door);
		fake_serve(fake, door, 'L');
	}
	assert_int_equal(fake_count(door, 'U'), 0);
}

/* The disk hangs longer than the command is good for: the gate must not open then. */
static void gate_that_opens_late_stays_shut(void **state) {
	(void) state;
	fake->is_ledger_held = true;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake_advance(fake, OP_MOTOR_EXPIRY_MS + 1000);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(fake_count(door, 'U'), 0);
	assert_int_equal(last_finished()->fault.code, FAULT_EXPIRED);
}

static void full_disk_stops_unlock_but_not_lock(void **state) {
	(void) state;
	(void) fault_set(&fake->ledger_fault, FAULT_DATABASE_FULL, "test");
	ask(ACT_UNLOCK);
	fake_turn(fake);
	assert_int_equal(last_finished()->outcome, OP_FAILED);
	assert_int_equal(last_finished()->fault.code, FAULT_DATABASE_FULL);
	assert_int_equal(hub_ledger_fault(fake->hub)->code, FAULT_DATABASE_FULL);
	ask(ACT_LOCK);
	fake_turn(fake);
	fake_up(fake, door);
	assert_int_equal(fake_written(door)->bytes[0], 'L');
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "DL", 2);
	assert_int_equal(last_finished()->outcome, OP_DONE);
	assert_int_equal(fake_count(door, 'U'), 0);
	fake->ledger_fault.code = FAULT_NONE;
	ask(ACT_LOCK);
	fake_turn(fake);
	assert_int_equal(hub_ledger_fault(fake->hub)->code, FAULT_NONE);
}

static void unlock_then_lock_keep_their_order(void **state) {
	(void) state;
	ask(ACT_READ_BATTERY);
	ask(ACT_UNLOCK);
	ask(ACT_LOCK);
	fake_turn(fake);
	fake_up(fake, door);
	assert_int_equal(fake_written(door)->bytes[0], 'U');
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "DU", 2);
	assert_int_equal(fake_written(door)->bytes[0], 'L');
	fake_serve(fake, door, 'L');
	assert_int_equal(fake->n_finished, 3);
	assert_int_equal(lock_status(the_lock())->bolt.state, LOCK_STATE_LOCKED);
}

static void adapter_off_is_told_at_once(void **state) {
	(void) state;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_down(fake, door, FAULT_ADAPTER_OFF);
	assert_int_equal(last_finished()->fault.code, FAULT_ADAPTER_OFF);
}

static void can_be_cancelled_before_but_not_after(void **state) {
	struct op *op = ask(ACT_UNLOCK);
	struct fault fault;

	(void) state;
	fake_turn(fake);
	assert_int_equal(hub_cancel(fake->hub, op->id, &fault), 0);
	fake_turn(fake);
	assert_int_equal(last_finished()->fault.code, FAULT_CANCELLED);
	op = ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	assert_int_equal(hub_cancel(fake->hub, op->id, &fault), -EALREADY);
	assert_true(hub_cancel(fake->hub, "nonsense", &fault) < 0);
	assert_int_equal(fault.code, FAULT_NO_SUCH_OPERATION);
}

static void requests_are_judged(void **state) {
	struct request request = fake_request("frnot-door", ACT_UNLOCK);
	struct op *op = NULL;
	struct fault fault;

	(void) state;
	assert_true(hub_request(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NO_SUCH_LOCK);
	assert_non_null(strstr(fault.detail, "front-door"));
	assert_int_equal(fake->refusal.code, FAULT_NO_SUCH_LOCK);
	request = fake_request("front-door", ACT_READ_LOG);
	assert_true(hub_request(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_PIN_REQUIRED);
	request = fake_request("front-door", ACT_LOCK_N_GO);
	assert_true(hub_request(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NOT_SUPPORTED);
	for (unsigned i = 0; i < OPS_PER_LOCK_MAX; i++) {
		ask(ACT_READ_STATE);
	}
	request = fake_request("front-door", ACT_READ_STATE);
	assert_true(hub_request(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_QUEUE_FULL);
}

static void mark_in_the_air_makes_the_hub_look(void **state) {
	(void) state;
	fake_advance(fake, 60000);
	fake_heard(fake, ADDRESS, false, false);
	assert_false(fake_is_wanted(door));
	fake_heard(fake, ADDRESS, false, true);
	assert_true(fake_is_wanted(door));
	assert_int_equal(fake_need(door), RADIO_NEED_EVENT);
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	fake_down(fake, door, FAULT_NONE);
	assert_int_equal(lock_status(the_lock())->bolt.state, LOCK_STATE_UNLOCKED);
	assert_int_equal(fake_find_event(fake, EVENT_STATE_SEEN)->state, LOCK_STATE_UNLOCKED);
	/* The mark may linger in queues for a moment: no second look at once. */
	fake_heard(fake, ADDRESS, false, true);
	assert_false(fake_is_wanted(door));
	/* Turned before the clear beacon was heard: it is still the same for BlueZ. */
	fake_advance(fake, 1100);
	assert_true(fake_is_wanted(door));
}

/* A monitor tells of a mark once: a knob turned just after a look must not wait for a window. */
static void mark_heard_too_early_is_looked_at_later(void **state) {
	(void) state;
	fake_advance(fake, 60000);
	fake_heard(fake, ADDRESS, false, true);
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	fake_down(fake, door, FAULT_NONE);
	fake_heard(fake, ADDRESS, false, true);
	fake_advance(fake, 300);
	assert_false(fake_is_wanted(door));
	fake_advance(fake, 60000);
	assert_true(fake_is_wanted(door));
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	fake_down(fake, door, FAULT_NONE);
	/* Seen clear in between, it was a leftover. */
	fake_heard(fake, ADDRESS, false, true);
	fake_heard(fake, ADDRESS, false, false);
	fake_advance(fake, 60000);
	assert_false(fake_is_wanted(door));
}

/* Somebody types just behind a look, and is gone: what it was is in the log. */
static void touch_that_is_over_is_looked_at_all_the_same(void **state) {
	(void) state;
	fake_advance(fake, 60000);
	fake_heard(fake, ADDRESS, false, true);
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	fake_down(fake, door, FAULT_NONE);
	fake_heard_touched(fake, ADDRESS);
	fake_heard(fake, ADDRESS, false, false);
	fake_advance(fake, 300);
	assert_false(fake_is_wanted(door));
	fake_advance(fake, 1000);
	assert_true(fake_is_wanted(door));
	fake_up(fake, door);
	unsigned before = fake_count(door, 'l');
	fake_serve(fake, door, 'U');
	assert_int_equal(fake_count(door, 'l'), before + 1);
	fake_down(fake, door, FAULT_NONE);
	/* Looked at once; a leftover of a mark that stands is none of it. */
	fake_heard(fake, ADDRESS, false, true);
	fake_heard(fake, ADDRESS, false, false);
	fake_advance(fake, 60000);
	assert_false(fake_is_wanted(door));
}

/* BlueZ tells of a beacon when it changes: behind a read the clear one is no change, and not told.
 */
static void mark_that_was_not_there_before_the_look_is_news(void **state) {
	(void) state;
	fake_advance(fake, 60000);
	fake_heard(fake, ADDRESS, false, false);
	ask(ACT_READ_STATE);
	fake_turn(fake);
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	fake_down(fake, door, FAULT_NONE);
	fake_advance(fake, 300);
	assert_false(fake_is_wanted(door));
	fake_heard(fake, ADDRESS, false, true);
	assert_true(fake_is_wanted(door));
	assert_int_equal(fake_need(door), RADIO_NEED_EVENT);
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	fake_down(fake, door, FAULT_NONE);
	/* The hand turns it back: what has brought news is believed again at once. */
	fake_heard(fake, ADDRESS, false, false);
	fake_heard(fake, ADDRESS, false, true);
	assert_true(fake_is_wanted(door));
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	fake_down(fake, door, FAULT_NONE);
	assert_int_equal(lock_status(the_lock())->bolt.state, LOCK_STATE_LOCKED);
}

/* The mark of our own act is cleared over the link that is there, and costs no other. */
static void hand_just_after_our_own_act_is_seen(void **state) {
	(void) state;
	fake_advance(fake, 60000);
	fake_heard(fake, ADDRESS, false, false);
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "DU", 2);
	assert_int_equal(last_finished()->outcome, OP_DONE); /* nobody waits for the question */
	assert_int_equal(fake_written(door)->bytes[0], 's');
	fake_serve(fake, door, 'U');
	fake_down(fake, door, FAULT_NONE);
	fake_advance(fake, 300);
	fake_heard(fake, ADDRESS, false, true);
	assert_true(fake_is_wanted(door));
}

/* The lock tells at once over a link that is there; its mark, heard as well, was no false one. */
static void mark_of_what_was_told_already_is_no_false_one(void **state) {
	(void) state;
	fake_advance(fake, 60000);
	fake_heard(fake, ADDRESS, false, false);
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	assert_int_equal(last_finished()->outcome, OP_DONE);
	fake_advance(fake, 1100);
	fake_heard(fake, ADDRESS, false, true);
	assert_int_equal(fake_written(door)->bytes[0], 's');
	fake_serve(fake, door, 'U');
	fake_down(fake, door, FAULT_NONE);
	fake_heard(fake, ADDRESS, false, false);
	fake_heard(fake, ADDRESS, false, true);
	assert_true(fake_is_wanted(door));
}

/* A lock whose mark stays when we read: it says nothing while it stands, and something when it
 * comes. */
static void mark_that_we_cannot_clear_counts_when_it_comes_up(void **state) {
	(void) state;
	fake->is_mute = true;
	fake_advance(fake, 60000);
	for (unsigned i = 0; i < 3; i++) {
		fake_heard(fake, ADDRESS, false, true);
		fake_advance(fake, 30000);
		assert_false(fake_is_wanted(door));
	}
	fake_heard(fake, ADDRESS, false, false); /* another client has read it */
	assert_false(fake_is_wanted(door));
	fake_heard(fake, ADDRESS, false, true);
	assert_true(fake_is_wanted(door));
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	fake_down(fake, door, FAULT_NONE);
	fake_advance(fake, 30000);
	fake_heard(fake, ADDRESS, false, true);
	assert_false(fake_is_wanted(door));
}

/* Marks that mean nothing to us, hours apart, do not make the hub slow to believe the next one. */
static void rare_marks_without_news_do_not_add_up(void **state) {
	(void) state;
	for (unsigned i = 0; i < 12; i++) {
		fake_advance(fake, 1800000);
		fake_heard(fake, ADDRESS, false, false);
		fake_heard(fake, ADDRESS, false, true);
		assert_true(fake_is_wanted(door));
		fake_up(fake, door);
		fake_serve(fake, door, 'L');
		fake_down(fake, door, FAULT_NONE);
	}
	fake_advance(fake, 11000);
	fake_heard(fake, ADDRESS, false, false);
	fake_heard(fake, ADDRESS, false, true);
	assert_true(fake_is_wanted(door));
}

static void import_is_exactly_once(void **state) {
	const uint8_t entries[] = { 'E', 2, 11, 0, 'U', 12, 0, 'L' };
	const uint8_t again[] = { 'E', 3, 11, 0, 'U', 12, 0, 'L', 13, 0, 'U' };

	(void) state;
	ask(ACT_READ_LOG);
	fake_turn(fake);
	fake_up(fake, door);
	assert_int_equal(fake_written(door)->bytes[1], 10); /* the cursor */
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, entries, sizeof(entries));
	fake_answer(fake, door, "D-", 2);
	assert_int_equal(fake->cursor, 12);
	assert_int_equal(lock_log_cursor(the_lock()), 12);
	ask(ACT_READ_LOG);
	fake_turn(fake);
	assert_int_equal(fake_written(door)->bytes[1], 12);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, again, sizeof(again));
	fake_answer(fake, door, "D-", 2);
	assert_int_equal(fake->cursor, 13);
	assert_int_equal(fake_find_event(fake, EVENT_LOCK_OPERATION)->lock_seq, 13);
	assert_null(fake_find_event(fake, EVENT_LOG_GAP));
}

static void the_log_is_read_when_it_can_be_seen(void **state) {
	const uint8_t entries[] = { 'E', 1, 11, 0, 'U' };

	(void) state;
	ask(ACT_READ_LOG);
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake->is_ledger_held = true;
	fake_answer(fake, door, entries, sizeof(entries));
	fake_answer(fake, door, "D-", 2);
	fake_turn(fake);
	assert_int_equal(fake->n_finished, 0);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(last_finished()->outcome, OP_DONE);
	assert_non_null(fake_find_event(fake, EVENT_LOCK_OPERATION));
}

static void import_that_was_not_committed_is_read_again(void **state) {
	const uint8_t entries[] = { 'E', 1, 11, 0, 'U' };

	(void) state;
	ask(ACT_READ_LOG);
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	(void) fault_set(&fake->ledger_fault, FAULT_DATABASE_IO, "test");
	fake_answer(fake, door, entries, sizeof(entries));
	fake_answer(fake, door, "D-", 2);
	fake->ledger_fault.code = FAULT_NONE;
	assert_null(fake_find_event(fake, EVENT_LOCK_OPERATION));
	assert_int_equal(lock_log_cursor(the_lock()), 10);
	ask(ACT_READ_LOG);
	fake_turn(fake);
	assert_int_equal(fake_written(door)->bytes[1], 10);
}

static void hole_in_the_log_is_an_event(void **state) {
	const uint8_t entries[] = { 'E', 1, 15, 0, 'U' };

	(void) state;
	ask(ACT_READ_LOG);
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, entries, sizeof(entries));
	fake_answer(fake, door, "D-", 2);
	assert_int_equal(fake_find_event(fake, EVENT_LOG_GAP)->number, 4);
}

static void own_entry_names_who_asked(void **state) {
	const uint8_t entries[] = { 'E', 2, 11, 0, 'U', 12, 1, 'U' };

	(void) state;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "DU", 2);
	/* With a PIN the lock's own log tells: no event made by the hub itself. */
	assert_null(fake_find_event(fake, EVENT_LOCK_OPERATION));
	assert_int_equal(fake_written(door)->bytes[0], 's'); /* clears the mark of our own act */
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "DU", 2);
	assert_int_equal(fake_written(door)->bytes[0], 'l');
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, entries, sizeof(entries));
	fake_answer(fake, door, "D-", 2);
	assert_string_equal(fake->stored[fake->n_stored - 2].user, "");
	assert_string_equal(fake->stored[fake->n_stored - 1].user, "anna");
	assert_string_equal(fake->stored[fake->n_stored - 1].op_id, last_finished()->id);
}

static void five_wrong_codes_are_an_alarm(void **state) {
	const uint8_t entries[] = { 'E', 5, 11, 0, 'W', 12, 0, 'W', 13, 0, 'W', 14, 0, 'W', 15, 0,
		'W' };

	(void) state;
	ask(ACT_READ_LOG);
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, entries, sizeof(entries));
	fake_answer(fake, door, "D-", 2);
	assert_int_equal(fake_find_event(fake, EVENT_ALARM)->alarm, ALARM_WRONG_CODE_LIMIT);
}

static void lost_pairing_stands_until_answered(void **state) {
	const uint8_t no[] = { 'F', FAULT_NOT_AUTHORIZED };

	(void) state;
	ask(ACT_READ_STATE);
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, no, sizeof(no));
	assert_int_equal(last_finished()->fault.code, FAULT_NOT_AUTHORIZED);
	assert_int_equal(lock_fault(the_lock())->code, FAULT_NOT_AUTHORIZED);
	assert_int_equal(fake_find_event(fake, EVENT_FAULT)->fault, FAULT_NOT_AUTHORIZED);
	ask(ACT_READ_STATE);
	fake_turn(fake);
	fake_serve(fake, door, 'L');
	assert_int_equal(lock_fault(the_lock())->code, FAULT_NONE);
	assert_non_null(fake_find_event(fake, EVENT_FAULT_CLEARED));
}

/* The hub reads the state after a refusal: that a lock can be read does not say that it moves. */
static void what_kept_it_from_moving_stands_until_it_moves(void **state) {
	static const enum fault_code faults[] = { FAULT_FIRMWARE_UPDATE_NEEDED,
		FAULT_MOTOR_LOW_VOLTAGE };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		const uint8_t no[] = { 'F', (uint8_t) faults[i] };

		ask(ACT_UNLOCK);
		fake_turn(fake);
		fake_up(fake, door);
		fake_confirm(fake, door, 0, RADIO_NOT_SENT);
		fake_answer(fake, door, no, sizeof(no));
		fake_serve(fake, door, 'L');
		ask(ACT_READ_STATE);
		fake_turn(fake);
		fake_serve(fake, door, 'L');
		assert_int_equal(last_finished()->act, ACT_READ_STATE);
		assert_int_equal(lock_fault(the_lock())->code, faults[i]);
		ask(ACT_UNLOCK);
		fake_turn(fake);
		fake_serve(fake, door, 'U');
		assert_int_equal(last_finished()->act, ACT_UNLOCK);
		assert_int_equal(last_finished()->outcome, OP_DONE);
		assert_int_equal(lock_fault(the_lock())->code, FAULT_NONE);
	}
}

static void silence_becomes_unreachable_and_back(void **state) {
	(void) state;
	fake_advance(fake, 14 * 60000);
	assert_true(lock_is_reachable(the_lock()));
	fake_advance(fake, 2 * 60000);
	assert_false(lock_is_reachable(the_lock()));
	assert_non_null(fake_find_event(fake, EVENT_UNREACHABLE));
	assert_int_equal(lock_fault(the_lock())->code, FAULT_LOCK_NOT_HEARD);
	fake_heard(fake, ADDRESS, false, false);
	assert_true(lock_is_reachable(the_lock()));
	assert_non_null(fake_find_event(fake, EVENT_REACHABLE));
	assert_int_equal(lock_fault(the_lock())->code, FAULT_NONE);
}

static void failures_back_off(void **state) {
	unsigned wants = 0;

	(void) state;
	/* The lock does not answer at all after a start: how often is it tried in an hour? */
	for (int64_t s = 0; s < 3600; s++) {
		if (fake_is_wanted(door)) {
			wants++;
			fake_down(fake, door, FAULT_LOCK_NOT_HEARD);
		}
		fake_advance(fake, 1000);
	}
	assert_in_range(wants, 5, 25);
	assert_false(lock_is_reachable(the_lock()));
}

static void nothing_happens_when_nothing_happens(void **state) {
	size_t writes = fake_count(door, 's');

	(void) state;
	fake_advance(fake, 5000); /* what was learnt at the start is written down */
	fake->n_facts = 0;
	for (unsigned i = 0; i < 240; i++) {
		fake_heard(fake, ADDRESS, false, false);
		fake_advance(fake, 60000);
	}
	/* Four hours of a lock that announces: no link, no write to the disk. */
	assert_int_equal(fake_count(door, 's'), writes);
	assert_int_equal(fake->n_facts, 0);
	assert_int_equal(fake->n_events, 0);
}

static void facts_are_stored_once_they_rest(void **state) {
	(void) state;
	fake_advance(fake, 5000);
	fake->n_facts = 0;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	assert_int_equal(fake->n_facts, 0);
	fake_advance(fake, 3000);
	assert_int_equal(fake->n_facts, 1);
}

static void interrupted_is_never_repeated(void **state) {
	struct op_record op = {
		.id = "0011223344556677", .lock_id = "11111111", .act = ACT_UNLOCK
	};

	(void) state;
	hub_load_interrupted(fake->hub, &op);
	fake_turn(fake);
	assert_true(fake->ops[fake->n_ops - 1].is_unknown);
	assert_int_equal(fake->ops[fake->n_ops - 1].fault, FAULT_INTERRUPTED);
	fake_advance(fake, 60000);
	assert_int_equal(fake_count(door, 'U'), 0);
	assert_int_equal(fake_find_event(fake, EVENT_OPERATION_FINISHED)->fault, FAULT_INTERRUPTED);
}

/* SetPin and Unlock are both under way: the one's commit must not open the gate for the other. */
static void gate_opens_for_its_own_intent_only(void **state) {
	struct txn *first;

	(void) state;
	fake->is_ledger_held = true;
	ask(ACT_UNLOCK);
	ask(ACT_REBOOT);
	fake_turn(fake);
	fake_up(fake, door);
	/* the second intent is answered first */
	first = list_first(&fake->txns, struct txn, link);
	list_remove(&first->link);
	fake_commit(fake);
	assert_int_equal(fake_count(door, 'U'), 0);
	list_append(&fake->txns, &first->link);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(fake_count(door, 'U'), 1);
}

/* Two intents fail; LOCK may go on without being recorded, which must not let UNLOCK through. */
static void unrecordable_lock_does_not_let_unlock_through(void **state) {
	(void) state;
	(void) fault_set(&fake->ledger_fault, FAULT_DATABASE_FULL, "test");
	fake->is_ledger_held = true;
	ask(ACT_UNLOCK);
	ask(ACT_LOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake->is_ledger_held = false;
	fake_turn(fake);
	if (fake_is_wanted(door)) {
		fake_up(fake, door);
	}
	fake_serve(fake, door, 'L');
	assert_int_equal(fake_count(door, 'U'), 0);
	assert_int_equal(fake_count(door, 'L'), 1);
}

/* Links come up at once, but nothing is ever answered. */
static void mute_lock_backs_off_and_is_said(void **state) {
	unsigned links = 0;

	(void) state;
	fake_advance(fake, 60000);
	fake_heard(fake, ADDRESS, false, true);
	for (int64_t s = 0; s < 4 * 3600; s++) {
		if (fake_is_wanted(door)) {
			links++;
			fake_up(fake, door);
		}
		if (fake_written(door) != NULL) {
			fake_confirm(fake, door, 0, RADIO_NOT_SENT);
		}
		fake_advance(fake, 1000);
	}
	assert_in_range(links, 3, 100);
	assert_false(lock_is_reachable(the_lock()));
	assert_int_equal(lock_fault(the_lock())->code, FAULT_LOCK_SILENT);
	assert_non_null(fake_find_event(fake, EVENT_UNREACHABLE));
	/* and back */
	for (unsigned i = 0; i < 400 && !fake_is_wanted(door); i++) {
		fake_advance(fake, 1000);
	}
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	assert_true(lock_is_reachable(the_lock()));
	assert_int_equal(lock_fault(the_lock())->code, FAULT_NONE);
}

/* Heard every second, never to be connected. */
static void heard_but_not_connectable_does_not_flap(void **state) {
	unsigned attempts = 0;
	unsigned reach_events = 0;

	(void) state;
	fake_heard(fake, ADDRESS, false, true);
	for (int64_t s = 0; s < 3600; s++) {
		if (fake_is_wanted(door)) {
			attempts++;
			fake_down(fake, door, FAULT_LOCK_UNREACHABLE);
		}
		fake_heard(fake, ADDRESS, false, true);
		fake_advance(fake, 1000);
	}
	for (size_t i = 0; i < fake->n_events; i++) {
		reach_events += fake->events[i].kind == EVENT_REACHABLE ||
				fake->events[i].kind == EVENT_UNREACHABLE;
	}
	assert_in_range(attempts, 5, 30);
	assert_int_equal(reach_events, 1);
}

/* Beacons are not authenticated: anybody can send the mark. */
static void false_marks_cost_less_and_less(void **state) {
	unsigned links = 0;

	(void) state;
	fake_advance(fake, 60000);
	for (int64_t s = 0; s < 3600; s++) {
		fake_heard(fake, ADDRESS, false, false);
		fake_heard(fake, ADDRESS, false, true);
		if (fake_is_wanted(door)) {
			links++;
			fake_up(fake, door);
			fake_serve(fake, door, 'L');
			fake_down(fake, door, FAULT_NONE);
		}
		fake_advance(fake, 1000);
	}
	assert_in_range(links, 3, 15);
}

static void motor_found_running_is_looked_at_again(void **state) {
	(void) state;
	ask(ACT_READ_STATE);
	fake_turn(fake);
	fake_up(fake, door);
	fake_serve(fake, door, 'M');
	fake_down(fake, door, FAULT_NONE);
	assert_int_equal(lock_status(the_lock())->bolt.motion, LOCK_MOTION_UNLOCKING);
	fake_advance(fake, 5000);
	assert_true(fake_is_wanted(door));
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	assert_int_equal(lock_status(the_lock())->bolt.state, LOCK_STATE_UNLOCKED);
	assert_int_equal(lock_status(the_lock())->bolt.motion, LOCK_MOTION_NONE);
}

static void read_back_waits_for_the_motor(void **state) {
	(void) state;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake_down(fake, door, FAULT_LINK_LOST);
	fake_up(fake, door);
	assert_int_equal(fake_written(door)->bytes[0], 's');
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "DM", 2);
	assert_int_equal(fake->n_finished, 0);
	fake_advance(fake, 1500);
	fake_serve(fake, door, 'U');
	assert_int_equal(last_finished()->outcome, OP_UNKNOWN);
	assert_non_null(strstr(last_finished()->fault.detail, "unlocked"));
	assert_int_equal(fake_count(door, 'U'), 1);
}

static void reboot_is_done_when_the_link_breaks(void **state) {
	(void) state;
	ask(ACT_REBOOT);
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_down(fake, door, FAULT_LINK_LOST);
	assert_int_equal(last_finished()->outcome, OP_DONE);
	assert_int_equal(fake_count(door, 'r'), 1);
}

/* Time that passed while somebody was asked counts, too. */
static void time_before_the_grant_counts(void **state) {
	struct request request = fake_request("front-door", ACT_UNLOCK);
	struct op *op = NULL;
	struct fault fault;

	(void) state;
	request.received = (mono_t){ fake->mono.ms - OP_MOTOR_EXPIRY_MS - 1 };
	assert_int_equal(hub_request(fake->hub, &request, &op, &fault), 0);
	fake_turn(fake);
	assert_int_equal(last_finished()->fault.code, FAULT_EXPIRED);
	assert_int_equal(fake_count(door, 'U'), 0);
}

static void stopped(void *user) {
	*(bool *) user = true;
}

static void stop_waits_for_what_runs(void **state) {
	bool is_stopped = false;

	(void) state;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	ask(ACT_LOCK);
	hub_stop(fake->hub, stopped, &is_stopped);
	fake_turn(fake);
	assert_false(is_stopped);
	assert_int_equal(last_finished()->fault.code, FAULT_CANCELLED); /* the LOCK that waited */
	fake_answer(fake, door, "DU", 2);
	assert_true(is_stopped);
	assert_int_equal(last_finished()->outcome, OP_DONE);
	assert_non_null(fake_find_event(fake, EVENT_HUB_STOPPED));
}

static void stop_does_not_wait_for_ever(void **state) {
	bool is_stopped = false;

	(void) state;
	fake->is_ledger_held = true;
	ask(ACT_UNLOCK);
	fake_turn(fake);
	fake_up(fake, door);
	hub_stop(fake->hub, stopped, &is_stopped);
	fake_advance(fake, 25000);
	assert_true(is_stopped);
}

static void finished_operations_are_kept_but_not_all(void **state) {
	char first[OP_ID_MAX] = "";

	(void) state;
	for (unsigned i = 0; i < OP_KEPT + 10; i++) {
		struct op *op = ask(ACT_READ_STATE);

		if (i == 0) {
			memcpy(first, op->id, sizeof(first));
		}
		fake->n_finished = 0;
		fake_turn(fake);
		if (fake_is_wanted(door)) {
			fake_up(fake, door);
		}
		fake_serve(fake, door, 'L');
	}
	assert_null(hub_find_op(fake->hub, first));
	assert_true(hub_op_count(fake->hub) <= OP_KEPT + 1);
}

#define TEST(fn, how) cmocka_unit_test_setup_teardown(fn, how, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(start_reads_everything_in_one_link, setup_raw),
		TEST(unlock_done, setup),
		TEST(intent_is_on_disk_before_the_first_byte, setup),
		TEST(outcome_is_on_disk_before_anybody_is_told, setup),
		TEST(finishing_never_happens_inside_the_request, setup),
		TEST(lost_link_means_unknown_and_read_back, setup),
		TEST(unknown_ends_within_its_time_when_the_lock_is_gone, setup),
		TEST(command_that_never_left_is_tried_again, setup),
		TEST(refusal_of_the_lock_is_definite, setup),
		TEST(late_command_is_dropped, setup),
		TEST(gate_that_opens_late_stays_shut, setup),
		TEST(full_disk_stops_unlock_but_not_lock, setup),
		TEST(unlock_then_lock_keep_their_order, setup),
		TEST(adapter_off_is_told_at_once, setup),
		TEST(can_be_cancelled_before_but_not_after, setup),
		TEST(requests_are_judged, setup),
		TEST(mark_in_the_air_makes_the_hub_look, setup),
		TEST(mark_heard_too_early_is_looked_at_later, setup),
		TEST(touch_that_is_over_is_looked_at_all_the_same, setup_pin),
		TEST(mark_that_was_not_there_before_the_look_is_news, setup),
		TEST(hand_just_after_our_own_act_is_seen, setup),
		TEST(mark_that_we_cannot_clear_counts_when_it_comes_up, setup),
		TEST(mark_of_what_was_told_already_is_no_false_one, setup),
		TEST(rare_marks_without_news_do_not_add_up, setup),
		TEST(import_is_exactly_once, setup_pin),
		TEST(the_log_is_read_when_it_can_be_seen, setup_pin),
		TEST(import_that_was_not_committed_is_read_again, setup_pin),
		TEST(hole_in_the_log_is_an_event, setup_pin),
		TEST(own_entry_names_who_asked, setup_pin),
		TEST(five_wrong_codes_are_an_alarm, setup_pin),
		TEST(lost_pairing_stands_until_answered, setup),
		TEST(what_kept_it_from_moving_stands_until_it_moves, setup),
		TEST(silence_becomes_unreachable_and_back, setup),
		TEST(failures_back_off, setup_raw),
		TEST(nothing_happens_when_nothing_happens, setup),
		TEST(facts_are_stored_once_they_rest, setup),
		TEST(interrupted_is_never_repeated, setup),
		TEST(gate_opens_for_its_own_intent_only, setup_pin),
		TEST(unrecordable_lock_does_not_let_unlock_through, setup),
		TEST(mute_lock_backs_off_and_is_said, setup),
		TEST(heard_but_not_connectable_does_not_flap, setup),
		TEST(false_marks_cost_less_and_less, setup),
		TEST(motor_found_running_is_looked_at_again, setup),
		TEST(read_back_waits_for_the_motor, setup),
		TEST(reboot_is_done_when_the_link_breaks, setup_pin),
		TEST(time_before_the_grant_counts, setup),
		TEST(stop_waits_for_what_runs, setup),
		TEST(stop_does_not_wait_for_ever, setup),
		TEST(finished_operations_are_kept_but_not_all, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
