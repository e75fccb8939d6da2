/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Locks made to agree with the book: over links that come and go, replies that are lost, kills. */

#include <errno.h>

#include "core/people.h"
#include "mock/fake-hub.h"
#include "test.h"
#include "util/text.h"

#define ADDRESS "AA:BB:CC:DD:EE:11"
#define LOCK "11111111"
#define HOUR (3600 * 1000)

static const struct people_by by = { .actor = "anna", .role = ROLE_MANAGE };
static struct fake *fake;
static struct fake_link *door;
static struct fake_keypad *keypad;

static void find_door(void) {
	door = fake_link(fake, ADDRESS);
}

/* Answers whatever is asked over links that the hub wants now. */
static void serve(void) {
	for (unsigned i = 0; i < 20 && fake_is_wanted(door); i++) {
		fake_up(fake, door);
		fake_serve(fake, door, 'L');
		fake_down(fake, door, FAULT_NONE);
	}
}

static int setup_plain(void **state) {
	(void) state;
	fake = fake_new();
	fake_have_keypads(fake);
	fake_add_lock(fake, LOCK, "Front door", true);
	keypad = &fake->keypads[0];
	return 0;
}

static int setup(void **state) {
	setup_plain(state);
	fake_start(fake);
	find_door();
	serve();
	fake->n_events = 0;
	return 0;
}

static int teardown(void **state) {
	(void) state;
	fake = fake_free(fake);
	return 0;
}

static void add_user(const char *name) {
	struct user_edit edit = { .set = USER_EDIT_NAME };
	char id[ROW_ID_MAX];
	struct fault fault;

	(void) text_copy(edit.name, sizeof(edit.name), name);
	assert_int_equal(hub_user_add(fake->hub, &edit, &by, id, NULL, NULL, &fault), 0);
	fake_turn(fake);
}

static char last_code[ROW_ID_MAX];

static const char *add_code_when(const char *user, const char *pin, const char *when) {
	struct code_add add = { .type = CREDENTIAL_PIN };
	struct secret shown;
	struct fault fault = { .code = FAULT_NONE };

	if (book_find_user(hub_book(fake->hub), user) == NULL) {
		add_user(user);
	}
	(void) text_copy(add.user, sizeof(add.user), user);
	(void) text_copy(add.lock, sizeof(add.lock), "front-door");
	(void) text_copy(add.when, sizeof(add.when), when);
	(void) secret_set_text(&add.pin, pin);
	if (hub_code_add(fake->hub, &add, &by, last_code, &shown, NULL, NULL, &fault) < 0) {
		fail_msg("code add: %s", fault.detail);
	}
	fake_turn(fake);
	return last_code;
}

static const char *add_code(const char *user, const char *pin) {
	return add_code_when(user, pin, "");
}

static void revoke(const char *id) {
	struct fault fault;

	assert_int_equal(hub_code_revoke(fake->hub, id, &by, NULL, NULL, &fault), 0);
	fake_turn(fake);
}

static void ask_sync(void) {
	struct fault fault;

	assert_int_equal(hub_code_sync(fake->hub, "front-door", &by, &fault), 0);
	fake_turn(fake);
}

static struct sync_status status(void) {
	struct sync_status ret;

	hub_sync_status(fake->hub, LOCK, &ret);
	return ret;
}

static enum fault_code standing(void) {
	return lock_fault(hub_lock_at(fake->hub, 0))->code;
}

static const struct placement *placement(const char *id) {
	return book_placement(hub_book(fake->hub), LOCK, id);
}

static unsigned count_events(enum event_kind kind) {
	unsigned n = 0;

	for (size_t i = 0; i < fake->n_events; i++) {
		n += fake->events[i].kind == kind;
	}
	return n;
}

/* Lets the hub do what it wants for so long, with a lock that can be reached. */
static void live(int64_t ms) {
	for (int64_t done = 0; done < ms; done += 1000) {
		if (done % 60000 == 0) {
			fake_heard(fake, ADDRESS, false, false);
		}
		serve();
		fake_advance(fake, 1000);
	}
	serve();
}

/* The next look at the state finds this. */
static void see(char seen) {
	const uint8_t answer[] = { 'D', (uint8_t) seen };

	fake_advance(fake, 6LL * HOUR);
	fake_up(fake, door);
	while (fake_written(door) != NULL) {
		bool is_state = fake_written(door)->bytes[0] == 's';

		fake_confirm(fake, door, 0, RADIO_NOT_SENT);
		fake_answer(fake, door, is_state ? (const char *) answer : "D-", 2);
	}
	fake_down(fake, door, FAULT_NONE);
}

/* ------------------------------------------------------------------------------ the good way */

static void a_code_is_put_and_read_back(void **state) {
	char id[ROW_ID_MAX];
	unsigned n_reads = keypad->n_reads;

	(void) state;
	assert_int_equal(n_reads, 1); /* the first list after pairing */
	memcpy(id, add_code("Anna", "482916"), sizeof(id));
	assert_int_equal(placement(id)->state, PLACEMENT_WANTED);
	assert_int_equal(status().n_pending, 1);
	assert_true(fake_is_wanted(door));
	assert_int_equal(fake_need(door), RADIO_NEED_BACKGROUND);
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	assert_true(fake_is_released(door)); /* all in one link */
	assert_non_null(fake_slot(keypad, "482916"));
	assert_string_equal(fake_slot(keypad, "482916")->name, "Anna");
	assert_int_equal(placement(id)->state, PLACEMENT_PRESENT);
	assert_int_equal(placement(id)->ref, fake_slot(keypad, "482916")->ref);
	assert_int_not_equal(placement(id)->confirmed_at.s, 0);
	assert_string_equal(keypad->trail, "+");
	assert_int_equal(keypad->n_reads, n_reads + 2); /* before and after */
	assert_int_equal(status().n_present, 1);
	assert_int_equal(status().n_pending, 0);
	assert_int_equal(fake_find_event(fake, EVENT_SYNCED)->number, 1);
	assert_true(fake->n_synced > 0);
	/* On the disk too. */
	assert_int_equal(book_placement(fake->disk, LOCK, id)->state, PLACEMENT_PRESENT);
}

static void no_link_when_nothing_is_wanted(void **state) {
	(void) state;
	add_code("Anna", "482916");
	serve();
	fake_advance(fake, HOUR);
	assert_false(fake_is_wanted(door));
	/* A user without access here is no concern of this lock. */
	add_user("Ben");
	assert_false(fake_is_wanted(door));
	assert_string_equal(keypad->trail, "+");
}

static void many_codes_are_one_batch(void **state) {
	char pin[8];
	unsigned n_reads;

	(void) state;
	n_reads = keypad->n_reads;
	for (unsigned i = 0; i < 20; i++) {
		(void) snprintf(pin, sizeof(pin), "94%u827%u", i / 10, i % 10);
		add_code("Anna", pin);
	}
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	assert_int_equal(keypad->n_puts, 20);
	assert_int_equal(keypad->n_reads, n_reads + 2);
	assert_int_equal(status().n_present, 20);
	assert_int_equal(fake_find_event(fake, EVENT_SYNCED)->number, 20);
}

static void sent_is_on_disk_before_the_lock_may_have_it(void **state) {
	char id[ROW_ID_MAX];

	(void) state;
	memcpy(id, add_code("Anna", "482916"), sizeof(id));
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT); /* the list is asked for */
	fake->is_ledger_held = true;
	fake_answer(fake, door, "D-", 2);
	assert_null(fake_written(door));
	assert_int_equal(book_placement(fake->disk, LOCK, id)->state, PLACEMENT_WANTED);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(fake_written(door)->bytes[0], '+');
	assert_int_equal(book_placement(fake->disk, LOCK, id)->state, PLACEMENT_SENT);
}

static void a_full_disk_keeps_everything_back(void **state) {
	(void) state;
	add_code("Anna", "482916");
	(void) fault_set(&fake->ledger_fault, FAULT_DATABASE_FULL, "by the test");
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	assert_int_equal(keypad->n_puts, 0);
	fake_down(fake, door, FAULT_NONE);
	fake->ledger_fault.code = FAULT_NONE;
	live(90000);
	assert_string_equal(keypad->trail, "+");
}

/* ------------------------------------------------------------------------------- revocations */

static void a_revoked_code_goes_first_and_is_confirmed(void **state) {
	char anna[ROW_ID_MAX];

	(void) state;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	serve();
	fake->n_events = 0;
	add_code("Ben", "739164");
	revoke(anna);
	assert_int_equal(standing(), FAULT_REVOCATION_PENDING);
	assert_non_null(strstr(lock_fault(hub_lock_at(fake->hub, 0))->detail, "Anna"));
	assert_non_null(strstr(lock_fault(hub_lock_at(fake->hub, 0))->detail, "2026-"));
	assert_int_equal(count_events(EVENT_FAULT), 1);
	assert_int_equal(status().n_leaving, 1);
	assert_int_equal(fake_need(door), RADIO_NEED_EVENT);
	fake_up(fake, door);
	assert_int_equal(fake_written(door)->bytes[0], 'u'); /* before all else */
	fake_serve(fake, door, 'L');
	assert_string_equal(keypad->trail, "+-+");
	assert_null(fake_slot(keypad, "482916"));
	assert_int_equal(standing(), FAULT_NONE);
	assert_int_equal(count_events(EVENT_FAULT_CLEARED), 1);
	assert_null(placement(anna));
	fake_turn(fake);
	assert_null(book_credential(hub_book(fake->hub), anna));
}

static void two_days_out_of_range(void **state) {
	char anna[ROW_ID_MAX];
	unsigned n_tries = 0;

	(void) state;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	serve();
	revoke(anna);
	for (unsigned minute = 0; minute < 2 * 24 * 60; minute++) {
		if (fake_is_wanted(door)) {
			n_tries++;
			fake_down(fake, door, FAULT_LOCK_NOT_HEARD);
		}
		fake_advance(fake, 60000);
		fake->n_events = 0;
	}
	assert_true(n_tries > 100); /* never given up */
	assert_non_null(fake_slot(keypad, "482916"));
	assert_int_equal(status().n_leaving, 1);
	add_code("Ben", "739164");
	fake_heard(fake, ADDRESS, false, false);
	fake_up(fake, door);
	assert_int_equal(fake_written(door)->bytes[0], 'u'); /* before the state and all else */
	fake_serve(fake, door, 'L');
	assert_string_equal(keypad->trail, "+-+");
	assert_null(placement(anna));
	assert_int_equal(count_events(EVENT_FAULT_CLEARED), 1);
	assert_int_equal(standing(), FAULT_NONE);
}

static void refused_removal_is_never_given_up(void **state) {
	char anna[ROW_ID_MAX];

	(void) state;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	serve();
	keypad->refusal = FAULT_BAD_PARAMETER;
	revoke(anna);
	for (unsigned i = 0; i < 12; i++) {
		live(HOUR / 4);
		fake->n_events = 0;
		assert_true(fake_count(door, '-') > i); /* but with pauses */
		assert_true(fake_count(door, '-') < 12 + 3 * i);
	}
	assert_non_null(fake_slot(keypad, "482916"));
	assert_true(status().is_broken);
	keypad->refusal = FAULT_NONE;
	live(HOUR);
	assert_null(fake_slot(keypad, "482916"));
	assert_int_equal(standing(), FAULT_NONE);
}

static void a_code_that_was_never_sent_just_goes(void **state) {
	char anna[ROW_ID_MAX];
	unsigned n_reads = keypad->n_reads;

	(void) state;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	revoke(anna);
	assert_null(placement(anna));
	assert_int_equal(standing(), FAULT_NONE);
	assert_int_equal(count_events(EVENT_FAULT), 0);
	serve();
	assert_int_equal(keypad->n_reads, n_reads);
	assert_string_equal(keypad->trail, "");
}

static void a_changed_code_is_alarmed_until_the_old_one_is_gone(void **state) {
	char anna[ROW_ID_MAX];
	struct secret pin;
	struct secret shown;
	struct fault fault;

	(void) state;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	serve();
	(void) secret_set_text(&pin, "739164");
	assert_int_equal(
		hub_code_change(fake->hub, anna, &pin, &by, &shown, NULL, NULL, &fault), 0);
	fake_turn(fake);
	assert_int_equal(standing(), FAULT_REVOCATION_PENDING);
	assert_int_equal(status().n_pending, 1);
	serve();
	assert_string_equal(keypad->trail, "+~");
	assert_null(fake_slot(keypad, "482916"));
	assert_non_null(fake_slot(keypad, "739164"));
	assert_int_equal(standing(), FAULT_NONE);
}

/* -------------------------------------------------------------------------------- in trouble */

static void a_lost_reply_is_read_back(void **state) {
	char anna[ROW_ID_MAX];

	(void) state;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "D-", 2);
	assert_int_equal(fake_written(door)->bytes[0], '+');
	fake_confirm(fake, door, 0, RADIO_NOT_SENT); /* done, but the link is lost */
	fake_down(fake, door, FAULT_LINK_LOST);
	assert_int_equal(placement(anna)->state, PLACEMENT_SENT);
	assert_int_equal(placement(anna)->ref, 0);
	live(10000);
	assert_string_equal(keypad->trail, "+");
	assert_int_equal(placement(anna)->state, PLACEMENT_PRESENT);
	assert_int_equal(placement(anna)->ref, fake_slot(keypad, "482916")->ref);
}

static void a_lost_reply_of_a_revoked_code(void **state) {
	char anna[ROW_ID_MAX];

	(void) state;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "D-", 2);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	revoke(anna); /* while it is on its way */
	fake_down(fake, door, FAULT_LINK_LOST);
	assert_int_equal(standing(), FAULT_REVOCATION_PENDING);
	live(10000);
	assert_string_equal(keypad->trail, "+-");
	assert_null(placement(anna));
	assert_int_equal(standing(), FAULT_NONE);
}

/* The book changes its mind amid a batch. */
static void a_step_that_is_wrong_by_now_is_left_out(void **state) {
	char ids[3][ROW_ID_MAX];
	unsigned n_gone = 0;

	(void) state;
	memcpy(ids[0], add_code("Anna", "482916"), ROW_ID_MAX);
	memcpy(ids[1], add_code("Ben", "739164"), ROW_ID_MAX);
	memcpy(ids[2], add_code("Cleo", "593827"), ROW_ID_MAX);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "D-", 2);
	assert_int_equal(fake_written(door)->bytes[0], '+');
	for (unsigned i = 0; i < 3; i++) {
		if (placement(ids[i])->state == PLACEMENT_WANTED) {
			revoke(ids[i]);
			n_gone++;
		}
	}
	assert_int_equal(n_gone, 2);
	fake_serve(fake, door, 'L');
	assert_string_equal(keypad->trail, "+"); /* those two were never there */
	assert_int_equal(status().n_present, 1);
	assert_int_equal(status().n_leaving, 0);
	assert_int_equal(standing(), FAULT_NONE);
}

static void a_full_lock(void **state) {
	char first[ROW_ID_MAX];
	char second[ROW_ID_MAX];
	char third[ROW_ID_MAX];

	(void) state;
	keypad->n_most = 1;
	memcpy(first, add_code("Anna", "482916"), sizeof(first));
	memcpy(second, add_code("Ben", "739164"), sizeof(second));
	memcpy(third, add_code("Cleo", "593827"), sizeof(third));
	serve();
	assert_int_equal(keypad->n_puts, 1);
	assert_int_equal(status().n_present, 1);
	assert_int_equal(status().n_refused + status().n_pending, 2);
	/* Not asked again and again. */
	live(HOUR);
	assert_true(fake_count(door, '+') <= 2);
	/* One leaves: the next finds room. */
	revoke(placement(first)->state == PLACEMENT_PRESENT     ? first
		: placement(second)->state == PLACEMENT_PRESENT ? second
								: third);
	live(10000);
	assert_int_equal(keypad->n, 1);
	assert_int_equal(status().n_present, 1);
	assert_int_equal(keypad->n_puts, 2);
}

static void a_refused_code_waits_for_a_change(void **state) {
	char anna[ROW_ID_MAX];
	unsigned n;

	(void) state;
	keypad->refusal = FAULT_BAD_PARAMETER;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	serve();
	assert_int_equal(placement(anna)->state, PLACEMENT_REFUSED);
	assert_int_equal(placement(anna)->fault, FAULT_BAD_PARAMETER);
	assert_int_equal(status().n_refused, 1);
	n = fake_count(door, '+');
	live(HOUR);
	add_user("Ben"); /* another's change is no cause */
	live(10000);
	assert_int_equal(fake_count(door, '+'), n);
	keypad->refusal = FAULT_NONE;
	ask_sync();
	live(10000);
	assert_int_equal(placement(anna)->state, PLACEMENT_PRESENT);
}

static void a_busy_lock_is_asked_later(void **state) {
	(void) state;
	keypad->refusal = FAULT_LOCK_BUSY;
	add_code("Anna", "482916");
	serve();
	assert_int_equal(fake_count(door, '+'), 1);
	assert_false(fake_is_wanted(door));
	keypad->refusal = FAULT_NONE;
	live(120000);
	assert_string_equal(keypad->trail, "+");
	assert_int_equal(status().fault.code, FAULT_NONE);
}

static void a_reset_lock_gets_everything_again(void **state) {
	const struct event *event;

	(void) state;
	add_code("Anna", "482916");
	add_code("Ben", "739164");
	serve();
	fake->n_events = 0;
	keypad->n = 0;
	ask_sync();
	serve();
	assert_non_null(fake_slot(keypad, "482916"));
	assert_non_null(fake_slot(keypad, "739164"));
	event = fake_find_event(fake, EVENT_ALARM);
	assert_non_null(event);
	assert_int_equal(event->alarm, ALARM_FACTORY_RESET);
	assert_int_equal(event->number, 2);
	assert_int_equal(status().n_present, 2);
}

static void one_that_was_taken_away_in_the_app(void **state) {
	(void) state;
	add_code("Anna", "482916");
	add_code("Ben", "739164");
	serve();
	fake->n_events = 0;
	*fake_slot(keypad, "482916") = keypad->slots[keypad->n - 1];
	keypad->n--;
	ask_sync();
	serve();
	assert_non_null(fake_slot(keypad, "482916"));
	assert_null(fake_find_event(fake, EVENT_ALARM));
	assert_string_equal(fake_find_event(fake, EVENT_LOCK_USER_CHANGE)->user, "Anna");
}

static void a_restored_book_puts_nothing_back_by_itself(void **state) {
	char old[ROW_ID_MAX];

	(void) state;
	(void) text_copy(old, sizeof(old), add_code("Anna", "482916"));
	add_code("Ben", "739164");
	serve();
	/* Anna's was revoked after the backup: the lock has it no more, the book still. */
	*fake_slot(keypad, "482916") = keypad->slots[keypad->n - 1];
	keypad->n--;
	hub_hold_codes(fake->hub);
	fake_turn(fake);
	serve();
	assert_null(fake_slot(keypad, "482916"));
	assert_int_equal(standing(), FAULT_CODES_HELD);
	/* What is new is put there, what is revoked is taken away. */
	fake_advance(fake, 2000);
	add_code("Cleo", "580273");
	serve();
	assert_non_null(fake_slot(keypad, "580273"));
	revoke(last_code);
	serve();
	assert_null(fake_slot(keypad, "580273"));
	assert_null(fake_slot(keypad, "482916"));
	assert_int_equal(standing(), FAULT_CODES_HELD);
	/* And with a word all of it. */
	ask_sync();
	serve();
	assert_non_null(fake_slot(keypad, "482916"));
	assert_int_equal(standing(), FAULT_NONE);
}

static void a_restored_book_that_is_right_holds_nothing(void **state) {
	(void) state;
	add_code("Anna", "482916");
	serve();
	hub_hold_codes(fake->hub);
	fake_turn(fake);
	serve();
	assert_int_equal(standing(), FAULT_NONE);
	/* From then on it is a lock like all others. */
	keypad->n = 0;
	ask_sync();
	serve();
	assert_non_null(fake_slot(keypad, "482916"));
}

static void foreign_codes_are_seen_and_left(void **state) {
	struct slot before;
	int64_t ref = fake_put_foreign(keypad, "Gran", "1357");
	char id[ROW_ID_MAX];
	struct fault fault;

	(void) state;
	before = keypad->slots[0];
	ask_sync();
	serve();
	assert_int_equal(status().n_foreign, 1);
	add_code("Anna", "482916");
	serve();
	assert_memory_equal(&keypad->slots[0], &before, sizeof(before));
	assert_string_equal(keypad->trail, "+");
	/* Adopted it is ours, without being made anew. */
	add_user("Gran");
	assert_int_equal(hub_code_adopt(fake->hub, "front-door", CREDENTIAL_PIN, ref, "gran", &by,
				 id, NULL, NULL, &fault),
		0);
	fake_turn(fake);
	serve();
	assert_int_equal(status().n_foreign, 0);
	assert_int_equal(placement(id)->state, PLACEMENT_PRESENT);
	assert_string_equal(keypad->trail, "+");
	revoke(id);
	serve();
	assert_null(fake_slot(keypad, "1357"));
	assert_string_equal(keypad->trail, "+-");
}

static void a_foreign_code_is_removed_on_request(void **state) {
	int64_t ref = fake_put_foreign(keypad, "Gran", "1357");
	struct fault fault;

	(void) state;
	ask_sync();
	serve();
	assert_int_equal(hub_code_remove_foreign(fake->hub, "front-door", CREDENTIAL_PIN, ref, &by,
				 NULL, NULL, &fault),
		0);
	fake_turn(fake);
	serve();
	assert_null(fake_slot(keypad, "1357"));
	assert_int_equal(status().n_foreign, 0);
	assert_null(book_placement_at(hub_book(fake->hub), 0));
}

static void the_breaker(void **state) {
	unsigned n;

	(void) state;
	keypad->is_liar = true;
	add_code("Anna", "482916");
	live(HOUR);
	assert_true(status().is_broken);
	assert_int_equal(standing(), FAULT_SYNC_BROKEN);
	n = fake_count(door, '+');
	assert_true(n >= 3 && n <= 4);
	live(HOUR);
	assert_int_equal(fake_count(door, '+'), n);
	/* Looking at the list goes on. */
	fake->config_version = 7;
	n = keypad->n_reads;
	see('L');
	assert_int_equal(keypad->n_reads, n + 1);
	assert_true(status().is_broken);
	keypad->is_liar = false;
	ask_sync();
	assert_int_equal(standing(), FAULT_NONE);
	assert_false(status().is_broken);
	live(10000);
	assert_string_equal(keypad->trail, "+");
	assert_int_equal(status().n_present, 1);
}

static void a_refused_pin_stops_all(void **state) {
	const uint8_t bad[] = { 'F', FAULT_BAD_PIN };

	(void) state;
	add_code("Anna", "482916");
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, bad, sizeof(bad));
	assert_int_equal(standing(), FAULT_BAD_PIN);
	fake_down(fake, door, FAULT_NONE);
	live(HOUR);
	assert_int_equal(fake_count(door, 'u'), 2); /* the first, and the refused one */
}

/* ---------------------------------------------------------------------------------- the list */

static void the_list_is_read_once_a_day(void **state) {
	unsigned n = keypad->n_reads;

	(void) state;
	live(20LL * HOUR);
	assert_int_equal(keypad->n_reads, n);
	live(6LL * HOUR);
	assert_int_equal(keypad->n_reads, n + 1);
}

static void another_configuration_has_the_list_read(void **state) {
	unsigned n = keypad->n_reads;

	(void) state;
	fake_put_foreign(keypad, "Gran", "1357");
	see('L');
	assert_int_equal(keypad->n_reads, n);
	fake->config_version = 7;
	see('L');
	assert_int_equal(keypad->n_reads, n + 1); /* in that very link */
	assert_int_equal(status().n_foreign, 1);
	see('L');
	assert_int_equal(keypad->n_reads, n + 1);
}

static void a_lock_that_leaves_holds_nothing_up(void **state) {
	char anna[ROW_ID_MAX];
	struct op *op;
	struct fault fault;

	(void) state;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	serve();
	revoke(anna);
	assert_non_null(placement(anna));
	assert_int_equal(
		hub_unpair(fake->hub, "front-door", true, "anna", ROLE_MANAGE, &op, &fault), 0);
	fake_turn(fake);
	fake_advance(fake, 1000);
	assert_null(hub_lock_at(fake->hub, 0));
	assert_null(book_placement_at(hub_book(fake->hub), 0));
	assert_null(book_credential(hub_book(fake->hub), anna));
}

static void without_its_pin_the_lock_is_not_ours_to_manage(void **state) {
	struct fault fault;

	(void) state;
	fake_add_lock(fake, "22222222", "Shed", false);
	fake_start(fake);
	hub_sync_status(fake->hub, "22222222", &(struct sync_status){ 0 });
	assert_true(hub_code_sync(fake->hub, "shed", &by, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NOT_SUPPORTED);
	assert_non_null(strstr(fault.detail, "PIN"));
}

static void only_managers_ask(void **state) {
	struct people_by viewer = { .actor = "ben", .role = ROLE_OPERATE };
	struct fault fault;

	(void) state;
	assert_true(hub_code_sync(fake->hub, "", &viewer, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DENIED);
}

/* ----------------------------------------------------------------------------------- windows */

static void the_hub_keeps_windows_that_the_lock_cannot(void **state) {
	char id[ROW_ID_MAX];

	(void) state;
	fake->limits.n_windows = 0;
	fake->wall.s = 1795392000; /* 2026-11-23 00:00:00, a Monday */
	fake_turn(fake);
	memcpy(id, add_code_when("Anna", "482916", "Mon-Fri 08:00-12:00"), sizeof(id));
	live(10000);
	assert_string_equal(keypad->trail, "");
	assert_true(status().next_edge.s == 1795392000 + 8 * 3600);
	live(8 * HOUR);
	assert_string_equal(keypad->trail, "+");
	live(4 * HOUR);
	assert_string_equal(keypad->trail, "+-");
	assert_null(fake_slot(keypad, "482916"));
	assert_int_equal(count_events(EVENT_FAULT), 0); /* in time: no alarm */
	live(20 * HOUR);
	assert_string_equal(keypad->trail, "+-+");
	/* Out of reach at the end of the window: that is an alarm after a while. */
	fake_advance(fake, 4 * HOUR);
	for (unsigned i = 0; i < 10; i++) {
		if (fake_is_wanted(door)) {
			fake_down(fake, door, FAULT_LOCK_NOT_HEARD);
		}
		fake_advance(fake, 60000);
	}
	assert_true(count_events(EVENT_FAULT) > 0);
	assert_non_null(fake_slot(keypad, "482916"));
	live(6 * 60000);
	assert_null(fake_slot(keypad, "482916"));
}

static void time_that_is_not_trusted_adds_nothing(void **state) {
	(void) state;
	fake->limits.n_windows = 0;
	fake->wall.s = 1795392000 + 9 * 3600;
	fake->is_trusted = false;
	fake_turn(fake);
	add_code_when("Anna", "482916", "Mon-Fri 08:00-12:00");
	live(600000);
	assert_string_equal(keypad->trail, "");
	fake->is_trusted = true;
	live(120000);
	assert_string_equal(keypad->trail, "+");
	/* Lost again: what is there stays, as nobody knows better. */
	fake->is_trusted = false;
	fake->wall.s += 6 * 3600;
	live(120000);
	assert_string_equal(keypad->trail, "+");
	fake->is_trusted = true;
	live(120000);
	assert_string_equal(keypad->trail, "+-");
	/* The clock goes back into the window, but nobody vouches for it. */
	fake->is_trusted = false;
	fake->wall.s -= 6 * 3600;
	live(600000);
	assert_string_equal(keypad->trail, "+-");
}

/* ------------------------------------------------------------------------------- who it was */

/* The lock's log is read, and these are its entries: seq, ref or own flag, operation. */
static void log_says(const uint8_t *entries, size_t n) {
	uint8_t answer[64] = { 'E', (uint8_t) n };
	unsigned n_logs = fake_count(door, 'l');

	memcpy(answer + 2, entries, 3 * n);
	fake_advance(fake, 3 * 60000);
	fake_heard(fake, ADDRESS, false, true);
	assert_true(fake_is_wanted(door));
	fake_up(fake, door);
	while (fake_written(door) != NULL) {
		bool is_log =
			fake_written(door)->bytes[0] == 'l' && fake_count(door, 'l') == n_logs + 1;

		fake_confirm(fake, door, 0, RADIO_NOT_SENT);
		if (is_log) {
			fake_answer(fake, door, answer, 2 + 3 * n);
		}
		fake_answer(fake, door, "D-", 2);
	}
	fake_down(fake, door, FAULT_NONE);
}

static void the_code_tells_who_it_was(void **state) {
	const struct event *event;
	const struct user *user;
	char anna[ROW_ID_MAX];
	struct user_edit edit = { .set = USER_EDIT_NAME, .name = "Anna Berg" };
	struct fault fault;

	(void) state;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	serve();
	assert_int_equal(hub_user_edit(fake->hub, "anna", &edit, &by, NULL, NULL, &fault), 0);
	fake_turn(fake);
	fake->n_events = 0;
	log_says((const uint8_t[]){ 11, (uint8_t) placement(anna)->ref, 'K' }, 1);
	event = fake_find_event(fake, EVENT_LOCK_OPERATION);
	user = book_find_user(hub_book(fake->hub), "Anna Berg");
	assert_string_equal(event->user, "Anna Berg"); /* the name of today, not of the lock */
	assert_string_equal(event->user_id, user->id);
	assert_int_equal(event->attribution, ATTRIBUTION_CREDENTIAL);
	assert_int_equal(event->credential, CREDENTIAL_PIN);
	assert_int_equal(event->source, SOURCE_KEYPAD);
	assert_int_not_equal(user->first_used_at.s, 0); /* people_used() was told */
	/* A code that nobody of the book has: the name in the entry. */
	log_says((const uint8_t[]){ 12, 99, 'K' }, 1);
	event = fake_find_event(fake, EVENT_LOCK_OPERATION);
	assert_string_equal(event->user, "Guest");
	assert_string_equal(event->user_id, "");
	assert_int_equal(event->attribution, ATTRIBUTION_LOCK_NAME);
	/* Nothing told: nobody, and not the last one. */
	log_says((const uint8_t[]){ 13, 0, 'U' }, 1);
	event = fake_find_event(fake, EVENT_LOCK_OPERATION);
	assert_string_equal(event->user, "");
	assert_int_equal(event->attribution, ATTRIBUTION_NONE);
}

static void a_ref_that_is_used_again_names_nobody_of_before(void **state) {
	const struct event *event;
	char anna[ROW_ID_MAX];

	(void) state;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	serve();
	keypad->slots[0].created_at.s = 5000; /* the fake lock's entries are of second 1000 */
	ask_sync();
	serve();
	fake->n_events = 0;
	log_says((const uint8_t[]){ 11, (uint8_t) placement(anna)->ref, 'K' }, 1);
	event = fake_find_event(fake, EVENT_LOCK_OPERATION);
	assert_string_equal(event->user, "Guest");
	assert_int_equal(event->attribution, ATTRIBUTION_LOCK_NAME);
	assert_int_equal(event->credential, CREDENTIAL_PIN);
}

/* Whose the row was then cannot be told: no name, but a code for once is spent. */
static void without_a_time_nobody_is_named(void **state) {
	const struct event *event;
	char anna[ROW_ID_MAX];

	(void) state;
	memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
	serve();
	fake->n_events = 0;
	fake->has_no_clock = true;
	log_says((const uint8_t[]){ 11, (uint8_t) placement(anna)->ref, 'K' }, 1);
	event = fake_find_event(fake, EVENT_LOCK_OPERATION);
	assert_string_equal(event->user, "Guest");
	assert_string_equal(event->user_id, "");
	assert_int_equal(event->attribution, ATTRIBUTION_LOCK_NAME);
	assert_int_not_equal(book_find_user(hub_book(fake->hub), "anna")->first_used_at.s, 0);
}

static void what_the_hub_was_asked_for_is_the_askers(void **state) {
	struct request request = fake_request("front-door", ACT_UNLOCK);
	struct op *op;
	struct fault fault;
	const struct event *event;

	(void) state;
	assert_int_equal(hub_request(fake->hub, &request, &op, &fault), 0);
	fake_turn(fake);
	serve();
	fake->n_events = 0;
	log_says((const uint8_t[]){ 11, 1, 'U' }, 1);
	event = fake_find_event(fake, EVENT_LOCK_OPERATION);
	assert_string_equal(event->user, "anna");
	assert_int_equal(event->attribution, ATTRIBUTION_REQUEST);
}

/* ---------------------------------------------------------------------------------- the door */

static unsigned count_alarms(enum alarm_code code) {
	unsigned n = 0;

	for (size_t i = 0; i < fake->n_events; i++) {
		n += fake->events[i].kind == EVENT_ALARM && fake->events[i].alarm == code;
	}
	return n;
}

static void a_door_that_opens_while_bolted(void **state) {
	(void) state;
	see('c');
	see('d');
	see('w'); /* unlocked, then opened */
	see('o'); /* the bolt was thrown while it stood open */
	see('d');
	see('o'); /* likewise, and nobody saw it between */
	assert_int_equal(count_alarms(ALARM_DOOR_FORCED_OPEN), 0);
	see('c');
	see('o');
	assert_int_equal(count_alarms(ALARM_DOOR_FORCED_OPEN), 1);
	see('o');
	assert_int_equal(count_alarms(ALARM_DOOR_FORCED_OPEN), 1);
	see('c');
	see('o');
	assert_int_equal(count_alarms(ALARM_DOOR_FORCED_OPEN), 2);
}

static void a_door_left_open(void **state) {
	struct lock_rules rules = LOCK_RULES_DEFAULT;
	struct fault fault;

	(void) state;
	see('w');
	fake_advance(fake, HOUR);
	assert_int_equal(count_alarms(ALARM_DOOR_AJAR), 0); /* nobody wants to know */
	see('d');
	rules.open_period_minutes = 10;
	assert_int_equal(
		hub_rules_set(fake->hub, "front-door", &rules, &by, NULL, NULL, &fault), 0);
	fake_turn(fake);
	see('w');
	fake_advance(fake, 9 * 60000);
	assert_int_equal(count_alarms(ALARM_DOOR_AJAR), 0);
	fake_advance(fake, 2 * 60000);
	assert_int_equal(count_alarms(ALARM_DOOR_AJAR), 1);
	fake_advance(fake, HOUR);
	assert_int_equal(count_alarms(ALARM_DOOR_AJAR), 1); /* once */
	see('d');
	see('w');
	fake_advance(fake, 11 * 60000);
	assert_int_equal(count_alarms(ALARM_DOOR_AJAR), 2);
}

/* -------------------------------------------------------------------------------------- kills */

/*
 * A story of changes, with the daemon killed at one instant: after the n-th transaction or the n-th
 * octet group over the air. What it was told is done once; what it was not told does no harm.
 */
static unsigned n_instants;
static unsigned kill_at;

static bool instant(void) {
	if (++n_instants != kill_at) {
		return false;
	}
	fake_reboot(fake);
	find_door();
	fake->n_events = 0;
	return true;
}

/* One transaction at a time; true: killed. */
static bool commit_one_by_one(void) {
	for (unsigned i = 0; i < 100; i++) {
		fake_turn(fake);
		if (list_is_empty(&fake->txns)) {
			return false;
		}
		if (instant()) { /* handed over, not committed */
			return true;
		}
		fake_commit_one(fake);
		if (instant()) {
			return true;
		}
	}
	fail_msg("commits without end");
	return true;
}

static bool link_step(void) {
	if (commit_one_by_one()) {
		return true;
	}
	if (fake_written(door) == NULL) {
		return false;
	}
	if (instant()) { /* not yet at the lock */
		return true;
	}
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	if (instant()) { /* at the lock, not answered */
		return true;
	}
	fake_answer(fake, door, "D-", 2);
	return instant();
}

static void link_steps(void) {
	for (unsigned i = 0; i < 200; i++) {
		if (fake_is_wanted(door)) {
			fake_up(fake, door);
		}
		if (link_step()) {
			return;
		}
		if (fake_written(door) == NULL && list_is_empty(&fake->txns)) {
			if (!fake_is_wanted(door)) {
				return;
			}
		}
	}
}

/* What the book says now is what the lock has, each once. */
static void check_agrees(void) {
	const struct book *book = hub_book(fake->hub);
	const struct credential *credential;
	size_t n = 0;

	for (size_t i = 0; (credential = book_credential_at(book, i)) != NULL; i++) {
		char pin[16] = { 0 };

		assert_int_equal(credential->state, CREDENTIAL_ACTIVE);
		memcpy(pin, credential->pin.bytes, credential->pin.len);
		assert_non_null(fake_slot(keypad, pin));
		n++;
	}
	assert_int_equal(keypad->n, n);
	for (size_t i = 0; i < keypad->n; i++) {
		for (size_t k = 0; k < i; k++) {
			assert_false(secret_equal(&keypad->slots[i].pin, &keypad->slots[k].pin));
		}
	}
}

static void killed_at_any_instant(void **state) {
	unsigned n_last = 0;
	bool is_over = false;

	for (kill_at = 1; !is_over; kill_at++) {
		char anna[ROW_ID_MAX];
		unsigned n_puts;

		n_instants = 0;
		setup(state);
		memcpy(anna, add_code("Anna", "482916"), sizeof(anna));
		serve();
		add_code("Ben", "739164");
		add_code("Cleo", "593827");
		revoke(anna);
		fake->is_ledger_held = true;
		link_steps();
		fake->is_ledger_held = false;
		n_last = n_instants;
		is_over = n_instants < kill_at;
		fake_turn(fake);
		live(200000);
		check_agrees();
		n_puts = keypad->n_puts;
		assert_int_equal(n_puts, 3); /* each put once */
		assert_int_equal(keypad->n_removes, 1);
		assert_int_equal(standing(), FAULT_NONE);
		teardown(state);
	}
	assert_true(n_last > 15);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_code_is_put_and_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(no_link_when_nothing_is_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(many_codes_are_one_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(
			sent_is_on_disk_before_the_lock_may_have_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk_keeps_everything_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_revoked_code_goes_first_and_is_confirmed, setup, teardown),
		cmocka_unit_test_setup_teardown(two_days_out_of_range, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_removal_is_never_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_code_that_was_never_sent_just_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_changed_code_is_alarmed_until_the_old_one_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_reply_is_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_reply_of_a_revoked_code, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_step_that_is_wrong_by_now_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_code_waits_for_a_change, setup, teardown),
		cmocka_unit_test_setup_teardown(a_busy_lock_is_asked_later, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_reset_lock_gets_everything_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_that_was_taken_away_in_the_app, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_restored_book_puts_nothing_back_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_restored_book_that_is_right_holds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(foreign_codes_are_seen_and_left, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_foreign_code_is_removed_on_request, setup, teardown),
		cmocka_unit_test_setup_teardown(the_breaker, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_pin_stops_all, setup, teardown),
		cmocka_unit_test_setup_teardown(the_list_is_read_once_a_day, setup, teardown),
		cmocka_unit_test_setup_teardown(
			another_configuration_has_the_list_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_lock_that_leaves_holds_nothing_up, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_its_pin_the_lock_is_not_ours_to_manage, setup_plain, teardown),
		cmocka_unit_test_setup_teardown(only_managers_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_hub_keeps_windows_that_the_lock_cannot, setup, teardown),
		cmocka_unit_test_setup_teardown(
			time_that_is_not_trusted_adds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(the_code_tells_who_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_ref_that_is_used_again_names_nobody_of_before, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_time_nobody_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_the_hub_was_asked_for_is_the_askers, setup, teardown),
		cmocka_unit_test_setup_teardown(a_door_that_opens_while_bolted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_door_left_open, setup, teardown),
		cmocka_unit_test(killed_at_any_instant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
