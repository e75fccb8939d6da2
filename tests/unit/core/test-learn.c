/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a lock learns while somebody stands there: whose it is, and what becomes of it later. */

#include <errno.h>

#include "core/people.h"
#include "mock/fake-hub.h"
#include "test.h"
#include "util/text.h"

#define ADDRESS "AA:BB:CC:DD:EE:11"
#define LOCK "11111111"

static const struct people_by by = { .actor = "anna", .role = ROLE_MANAGE };
static struct fake *fake;
static struct fake_link *door;
static struct fake_keypad *keypad;

/* Answers whatever is asked over links that the hub wants now. */
static void serve(void) {
	fake_turn(fake);
	for (unsigned i = 0; i < 20 && fake_is_wanted(door); i++) {
		fake_up(fake, door);
		fake_serve(fake, door, 'L');
		fake_down(fake, door, FAULT_NONE);
	}
}

static void add_user(const char *name) {
	struct user_edit edit = { .set = USER_EDIT_NAME };
	char id[ROW_ID_MAX];
	struct fault fault;

	(void) text_copy(edit.name, sizeof(edit.name), name);
	assert_int_equal(hub_user_add(fake->hub, &edit, &by, id, NULL, NULL, &fault), 0);
	fake_turn(fake);
}

static int setup(void **state) {
	(void) state;
	fake = fake_new();
	fake_have_keypads(fake);
	fake->limits.types |= 1U << CREDENTIAL_RFID | 1U << CREDENTIAL_FINGERPRINT;
	fake->limits.learns = 1U << CREDENTIAL_RFID | 1U << CREDENTIAL_FINGERPRINT;
	fake->limits.has_dates_only = true;
	fake_add_lock(fake, LOCK, "Front door", true);
	keypad = &fake->keypads[0];
	fake_start(fake);
	door = fake_link(fake, ADDRESS);
	serve();
	add_user("Ada");
	fake->n_events = 0;
	return 0;
}

static int teardown(void **state) {
	(void) state;
	fake = fake_free(fake);
	return 0;
}

static int try_learn(const char *user, enum credential_type type, unsigned seconds,
	struct op **ret_op, struct fault *ret_fault) {
	struct request request = fake_request("front-door", ACT_PUT_CREDENTIAL);

	(void) text_copy(request.learn.user, sizeof(request.learn.user), user);
	(void) text_copy(request.learn.label, sizeof(request.learn.label), "blue tag");
	request.learn.type = type;
	request.learn.seconds = seconds;
	return hub_request(fake->hub, &request, ret_op, ret_fault);
}

static struct op *learn(void) {
	struct op *op = NULL;
	struct fault fault = { .code = FAULT_NONE };

	if (try_learn("ada", CREDENTIAL_RFID, 0, &op, &fault) < 0) {
		fail_msg("learn: %s", fault.detail);
	}
	fake_turn(fake);
	return op;
}

/* Until the lock has been told to learn. */
static void reach(void) {
	fake_up(fake, door);
	while (fake_written(door) != NULL && fake_written(door)->bytes[0] != '+') {
		const bool is_state = fake_written(door)->bytes[0] == 's';

		fake_confirm(fake, door, 0, RADIO_NOT_SENT);
		fake_answer(fake, door, is_state ? "DL" : "D-", 2);
	}
	assert_non_null(fake_written(door));
}

static const struct op *last(void) {
	assert_true(fake->n_finished > 0);
	return &fake->finished[fake->n_finished - 1];
}

static const struct placement *placement(const char *id) {
	return book_placement(hub_book(fake->hub), LOCK, id);
}

static size_t count_foreign(void) {
	struct sync_status status;

	hub_sync_status(fake->hub, LOCK, &status);
	return status.n_foreign;
}

static void set_status(enum user_status status) {
	struct user_edit edit = { .set = USER_EDIT_STATUS, .status = status };
	struct fault fault;

	assert_int_equal(hub_user_edit(fake->hub, "ada", &edit, &by, NULL, NULL, &fault), 0);
	serve();
}

static void what_is_presented_is_the_persons(void **state) {
	const struct op *op = learn();
	const struct credential *credential;
	size_t n;

	(void) state;
	assert_string_equal(fake_find_event(fake, EVENT_OPERATION_REQUESTED)->text, "rfid for Ada");
	reach();
	assert_false(op->is_presenting);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	assert_true(op->is_presenting);
	assert_int_equal(op->n_presented, 1);
	assert_int_equal(op->n_to_present, 2);
	assert_int_equal(fake->learn_s, LEARN_S);
	fake_answer(fake, door, "D-", 2);
	fake_serve(fake, door, 'L');
	assert_int_equal(last()->outcome, OP_DONE);
	assert_false(last()->is_presenting);

	credential = book_credential(fake->disk, last()->credential_id);
	assert_non_null(credential);
	assert_int_equal(credential->type, CREDENTIAL_RFID);
	assert_string_equal(credential->label, "blue tag");
	assert_string_equal(credential->lock_id, LOCK);
	assert_string_equal(credential->user_id, book_find_user(hub_book(fake->hub), "ada")->id);
	assert_true(book_has_access(fake->disk, credential->user_id, LOCK));
	assert_int_equal(placement(credential->id)->state, PLACEMENT_PRESENT);
	assert_int_equal(placement(credential->id)->ref, keypad->slots[0].ref);
	(void) book_slots(fake->disk, LOCK, &n, NULL);
	assert_int_equal(n, 1);
	assert_int_equal(count_foreign(), 0);
	/* Nothing was left to be put right. */
	serve();
	assert_string_equal(keypad->trail, "+");
}

static void limit_ada(void) {
	struct fault fault;

	assert_int_equal(hub_schedule_add(fake->hub, "ada", "",
				 "2026-11-01 12:00 - 2026-12-24 10:00", &by, NULL, NULL, &fault),
		0);
	fake_turn(fake);
}

static void its_limits_are_the_persons(void **state) {
	struct lock_rules rules = LOCK_RULES_DEFAULT;
	struct fault fault;

	(void) state;
	limit_ada();
	(void) learn();
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	assert_int_equal(keypad->n, 1);
	assert_true(keypad->slots[0].is_limited);
	assert_int_equal(keypad->slots[0].window.from.s, 1793534400);
	assert_string_equal(keypad->trail, "+");
	/* Of what is off there is nothing to limit: so brands say that it is. */
	rules.mode = MODE_VACATION;
	assert_int_equal(
		hub_rules_set(fake->hub, "front-door", &rules, &by, NULL, NULL, &fault), 0);
	serve();
	assert_string_equal(keypad->trail, "+~");
	assert_false(keypad->slots[0].is_enabled);
	assert_false(keypad->slots[0].is_limited);
}

/* It is in the lock, though without its limits: whose it is is known, and they follow. */
static void limits_that_were_refused_are_brought(void **state) {
	const uint8_t refusal[] = { 'F', FAULT_BAD_PARAMETER };

	(void) state;
	limit_ada();
	fake->half_timer = FAULT_BAD_PARAMETER; /* tells what it has made with this one */
	(void) learn();
	reach();
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	keypad->slots[0].is_limited = false;
	keypad->slots[0].window = (struct slot_window){ 0 };
	fake_answer(fake, door, refusal, sizeof(refusal));
	fake_serve(fake, door, 'L');
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	assert_string_equal(keypad->trail, "+~");
	assert_true(keypad->slots[0].is_limited);
	assert_int_equal(count_foreign(), 0);
}

/* Nobody can make it again, so it is never taken out for a while. */
static void it_is_switched_off_and_on(void **state) {
	char id[ROW_ID_MAX];
	struct fault fault;

	(void) state;
	(void) learn();
	serve();
	memcpy(id, last()->credential_id, sizeof(id));
	set_status(USER_STATUS_OCCUPIED_DISABLED);
	assert_string_equal(keypad->trail, "+~");
	assert_false(keypad->slots[0].is_enabled);
	set_status(USER_STATUS_OCCUPIED_ENABLED);
	assert_string_equal(keypad->trail, "+~~");
	assert_true(keypad->slots[0].is_enabled);
	assert_int_equal(hub_code_revoke(fake->hub, id, &by, NULL, NULL, &fault), 0);
	serve();
	assert_string_equal(keypad->trail, "+~~-");
	assert_null(placement(id));
}

/* A lock must not begin to learn because a card was taken out of it. */
static void what_is_lost_is_not_learnt_again(void **state) {
	const struct event *event;
	struct fault fault;

	(void) state;
	(void) learn();
	serve();
	assert_int_equal(fake_find_event(fake, EVENT_LOCK_USER_CHANGE)->data, LOCK_DATA_RFID);
	keypad->n = 0;
	fake->n_events = 0;
	assert_int_equal(hub_code_sync(fake->hub, "front-door", &by, &fault), 0);
	serve();
	assert_string_equal(keypad->trail, "+");
	event = fake_find_event(fake, EVENT_LOCK_USER_CHANGE);
	assert_non_null(event);
	assert_string_equal(event->user, "Ada");
	assert_string_equal(event->text, "it is gone from the lock");
	assert_int_equal(event->data_operation, DATA_CLEAR);
	assert_null(placement(last()->credential_id));
	assert_non_null(book_credential(hub_book(fake->hub), last()->credential_id));
}

static void learnt_for_somebody_who_may_not_enter(void **state) {
	(void) state;
	set_status(USER_STATUS_OCCUPIED_DISABLED);
	(void) learn();
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	assert_int_equal(keypad->n, 1);
	assert_false(keypad->slots[0].is_enabled);
}

static void nobody_comes(void **state) {
	const uint8_t refusal[] = { 'F', FAULT_NOT_PRESENTED };
	unsigned n_reads = keypad->n_reads;

	(void) state;
	keypad->refusal = FAULT_NOT_PRESENTED;
	(void) learn();
	reach();
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, refusal, sizeof(refusal));
	fake_serve(fake, door, 'L');
	serve();
	assert_int_equal(last()->outcome, OP_FAILED);
	assert_int_equal(last()->fault.code, FAULT_NOT_PRESENTED);
	assert_int_equal(fake_count(door, '+'), 1);
	assert_true(keypad->n_reads > n_reads);
}

static void a_lost_answer_is_never_asked_for_again(void **state) {
	(void) state;
	(void) learn();
	reach();
	fake_confirm(fake, door, 0, RADIO_NOT_SENT); /* it has learnt it */
	fake_down(fake, door, FAULT_LINK_LOST);
	serve();
	assert_int_equal(last()->outcome, OP_FAILED);
	assert_int_equal(last()->fault.code, FAULT_LINK_LOST);
	assert_int_equal(fake_count(door, '+'), 1);
	assert_int_equal(count_foreign(), 1);
	assert_int_equal(keypad->n, 1);
}

static void what_was_never_sent_is_sent_again(void **state) {
	(void) state;
	(void) learn();
	reach();
	fake_confirm(fake, door, -EIO, RADIO_NOT_SENT);
	fake_down(fake, door, FAULT_LINK_LOST);
	fake_advance(fake, 1000);
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	assert_int_equal(keypad->n, 1);
}

/* Whoever wants to get in does not wait for whoever looks for his card. */
static void a_motor_command_ends_it(void **state) {
	struct request request = fake_request("front-door", ACT_UNLOCK);
	struct op *op = NULL;
	struct fault fault;

	(void) state;
	keypad->refusal = FAULT_NOT_PRESENTED; /* nobody has come yet */
	(void) learn();
	reach();
	assert_int_equal(hub_request(fake->hub, &request, &op, &fault), 0);
	fake_turn(fake);
	fake_down(fake, door, FAULT_NONE);
	assert_int_equal(last()->fault.code, FAULT_CANCELLED);
	fake_turn(fake);
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	assert_int_equal(last()->act, ACT_UNLOCK);
	assert_int_equal(last()->outcome, OP_DONE);
	assert_int_equal(fake_count(door, '+'), 1);
}

static void it_can_be_taken_back(void **state) {
	const struct op *op = learn();
	struct fault fault;

	(void) state;
	reach();
	assert_int_equal(hub_cancel(fake->hub, op->id, &fault), 0);
	fake_turn(fake);
	fake_down(fake, door, FAULT_NONE);
	fake_turn(fake);
	assert_int_equal(last()->outcome, OP_FAILED);
	assert_int_equal(last()->fault.code, FAULT_CANCELLED);
	serve();
	assert_int_equal(fake_count(door, '+'), 1);
}

static void what_makes_no_sense_is_refused(void **state) {
	struct request request = fake_request("front-door", ACT_PUT_CREDENTIAL);
	struct op *op = NULL;
	struct fault fault;

	(void) state;
	assert_true(try_learn("ada", CREDENTIAL_PIN, 0, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NOT_SUPPORTED);
	assert_true(try_learn("ada", CREDENTIAL_FACE, 0, &op, &fault) < 0);
	assert_true(try_learn("eve", CREDENTIAL_RFID, 0, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NO_SUCH_USER);
	assert_true(try_learn("ada", CREDENTIAL_RFID, LEARN_S_MAX + 1, &op, &fault) < 0);
	assert_true(try_learn("ada", CREDENTIAL_RFID, LEARN_S_MIN - 1, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
	(void) text_copy(request.learn.user, sizeof(request.learn.user), "ada");
	request.learn.type = CREDENTIAL_RFID;
	request.role = ROLE_OPERATE;
	assert_true(hub_request(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DENIED);
	assert_int_equal(fake_count(door, '+'), 0);
}

int main(void) {
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_presented_is_the_persons, setup, teardown),
		cmocka_unit_test_setup_teardown(its_limits_are_the_persons, setup, teardown),
		cmocka_unit_test_setup_teardown(
			limits_that_were_refused_are_brought, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_switched_off_and_on, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_lost_is_not_learnt_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			learnt_for_somebody_who_may_not_enter, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_lost_answer_is_never_asked_for_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_never_sent_is_sent_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_motor_command_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(it_can_be_taken_back, setup, teardown),
		cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("learn", tests, NULL, NULL);
}
