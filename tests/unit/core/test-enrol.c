/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How locks come and go. */

#include "mock/fake-hub.h"
#include "private.h"
#include "test.h"
#include "util/text.h"

#define ADDRESS "AA:BB:CC:DD:EE:22"

static struct fake *fake;

static int setup(void **state) {
	(void) state;
	fake = fake_new();
	fake_start(fake);
	return 0;
}

static int teardown(void **state) {
	(void) state;
	fake = fake_free(fake);
	return 0;
}

static void discover(void) {
	struct fault fault;

	assert_int_equal(hub_scan(fake->hub, 30000, &fault), 0);
	fake_heard(fake, ADDRESS, true, false);
}

static struct pair_request pair_request(const char *name, const char *pin) {
	struct pair_request request = {
		.address = ADDRESS, .origin = REQUEST_DBUS, .role = ROLE_MANAGE, .actor = "anna"
	};

	(void) text_copy(request.name, sizeof(request.name), name);
	if (pin != NULL) {
		(void) secret_set_text(&request.pin, pin);
	}
	return request;
}

static struct op *begin(const char *name, const char *pin) {
	struct pair_request request = pair_request(name, pin);
	struct op *op = NULL;
	struct fault fault = { .code = FAULT_NONE };

	discover();
	assert_int_equal(hub_pair(fake->hub, &request, &op, &fault), 0);
	fake_turn(fake);
	return op;
}

static void discovery_lists_locks_only(void **state) {
	struct advert other = { .address = "00:00:00:00:00:01" };

	(void) state;
	discover();
	assert_int_equal(hub_discovered_count(fake->hub), 1);
	fake->scan_heard(fake->scan_user, &other);
	assert_int_equal(hub_discovered_count(fake->hub), 1);
	assert_true(hub_discovered_at(fake->hub, 0)->is_pairing);
	fake_advance(fake, 601000);
	assert_int_equal(hub_discovered_count(fake->hub), 0);
}

static void scan_without_radio_says_why(void **state) {
	struct fault fault;

	(void) state;
	(void) fault_set(&fake->radio_fault, FAULT_ADAPTER_OFF, "hci0");
	assert_true(hub_scan(fake->hub, 30000, &fault) < 0);
	assert_int_equal(fault.code, FAULT_ADAPTER_OFF);
}

static void pair_without_pin(void **state) {
	struct op *op = begin("Front Door", NULL);
	struct fake_link *link = fake_link(fake, ADDRESS);

	(void) state;
	assert_false(fake->is_scanning);
	fake_up(fake, link);
	assert_int_equal(fake_written(link)->bytes[0], 'p');
	fake_confirm(fake, link, 0, RADIO_NOT_SENT);
	assert_int_equal(hub_lock_count(fake->hub), 0);
	fake_answer(fake, link, "D-", 2);
	assert_int_equal(fake->n_puts, 1);
	assert_int_equal(hub_lock_count(fake->hub), 1);
	assert_int_equal(fake->n_added, 1);
	assert_int_equal(op->outcome, OP_DONE);
	assert_string_equal(lock_slug(hub_lock_at(fake->hub, 0)), "front-door");
	assert_string_equal(lock_id(hub_lock_at(fake->hub, 0)), op->lock_id);
	assert_int_equal(fake->kept.keys.len, 2);
	assert_non_null(fake_find_event(fake, EVENT_PAIRED));
	/* and it is looked at at once */
	assert_true(fake_is_wanted(fake_link(fake, ADDRESS)));
}

static void pair_with_pin_verifies_it(void **state) {
	struct op *op = begin("Front Door", "1234");
	struct fake_link *link = fake_link(fake, ADDRESS);

	(void) state;
	fake_up(fake, link);
	fake_confirm(fake, link, 0, RADIO_NOT_SENT);
	fake_answer(fake, link, "D-", 2);
	assert_int_equal(hub_lock_count(fake->hub), 1);
	assert_int_equal(op->outcome, OP_PENDING);
	link = fake_link(fake, ADDRESS);
	fake_up(fake, link);
	assert_int_equal(fake_written(link)->bytes[0], 'v');
	fake_confirm(fake, link, 0, RADIO_NOT_SENT);
	fake_answer(fake, link, "D-", 2);
	assert_int_equal(op->outcome, OP_DONE);
}

static void wrong_pin_is_told_but_the_lock_stays(void **state) {
	const uint8_t no[] = { 'F', FAULT_BAD_PIN };
	struct op *op = begin("Front Door", "9999");
	struct fake_link *link = fake_link(fake, ADDRESS);

	(void) state;
	fake_up(fake, link);
	fake_confirm(fake, link, 0, RADIO_NOT_SENT);
	fake_answer(fake, link, "D-", 2);
	link = fake_link(fake, ADDRESS);
	fake_up(fake, link);
	fake_confirm(fake, link, 0, RADIO_NOT_SENT);
	fake_answer(fake, link, no, sizeof(no));
	assert_int_equal(op->outcome, OP_FAILED);
	assert_int_equal(op->fault.code, FAULT_BAD_PIN);
	assert_non_null(strstr(op->fault.detail, "paired"));
	assert_int_equal(hub_lock_count(fake->hub), 1);
	assert_int_equal(lock_fault(hub_lock_at(fake->hub, 0))->code, FAULT_BAD_PIN);
}

static void refused_pairing_leaves_nothing(void **state) {
	const uint8_t no[] = { 'F', FAULT_NOT_PAIRING };
	struct op *op = begin("Front Door", NULL);
	struct fake_link *link = fake_link(fake, ADDRESS);

	(void) state;
	fake_up(fake, link);
	fake_confirm(fake, link, 0, RADIO_NOT_SENT);
	fake_answer(fake, link, no, sizeof(no));
	assert_int_equal(op->outcome, OP_FAILED);
	assert_int_equal(op->fault.code, FAULT_NOT_PAIRING);
	assert_int_equal(hub_lock_count(fake->hub), 0);
	assert_int_equal(fake->n_puts, 0);
	assert_int_equal(fake->n_links, 0);
	/* the next attempt is not in the way of this one */
	begin("Front Door", NULL);
}

static void keys_that_cannot_be_kept_are_no_pairing(void **state) {
	struct op *op = begin("Front Door", NULL);
	struct fake_link *link = fake_link(fake, ADDRESS);

	(void) state;
	fake_up(fake, link);
	fake_confirm(fake, link, 0, RADIO_NOT_SENT);
	(void) fault_set(&fake->ledger_fault, FAULT_DATABASE_FULL, "test");
	fake_answer(fake, link, "D-", 2);
	assert_int_equal(op->outcome, OP_FAILED);
	assert_int_equal(op->fault.code, FAULT_DATABASE_FULL);
	assert_int_equal(hub_lock_count(fake->hub), 0);
	assert_int_equal(fake->n_links, 0);
}

static void requests_are_judged(void **state) {
	struct pair_request request = pair_request("Front Door", NULL);
	struct op *op;
	struct fault fault;

	(void) state;
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NOT_DISCOVERED);
	discover();
	request.role = ROLE_OPERATE;
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DENIED);
	request.role = ROLE_MANAGE;
	(void) text_copy(request.name, sizeof(request.name), "bad\033[31mname");
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
	request = pair_request("Front Door", NULL);
	assert_int_equal(hub_pair(fake->hub, &request, &op, &fault), 0);
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_LOCK_BUSY);
}

static void pair_all(const char *name, const char *pin) {
	struct fake_link *link;

	begin(name, pin);
	link = fake_link(fake, ADDRESS);
	fake_up(fake, link);
	fake_serve(fake, link, 'L');
	link = fake_link(fake, ADDRESS);
	fake_up(fake, link);
	fake_serve(fake, link, 'L');
	fake_down(fake, link, FAULT_NONE);
	assert_int_equal(hub_lock_count(fake->hub), 1);
}

static void key_of_the_maker_is_asked_for_and_used(void **state) {
	struct pair_request request = pair_request("Front Door", NULL);
	struct op *op;
	struct fault fault = { .code = FAULT_NONE };

	(void) state;
	discover();
	(void) secret_set_text(&request.key, "word");
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
	fake->needs_key = true;
	discover();
	secret_wipe(&request.key);
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_KEY_REQUIRED);
	assert_non_null(strstr(fault.detail, "a word"));
	assert_non_null(strstr(fault.detail, "on the box"));
	(void) secret_set_text(&request.key, "word");
	assert_int_equal(hub_pair(fake->hub, &request, &op, &fault), 0);
	fake_turn(fake);
	fake_up(fake, fake_link(fake, ADDRESS));
	assert_string_equal(fake->last_key, "word");
	fake_confirm(fake, fake_link(fake, ADDRESS), 0, RADIO_NOT_SENT);
	fake_answer(fake, fake_link(fake, ADDRESS), "D-", 2);
	assert_int_equal(op->outcome, OP_DONE);
	fake_up(fake, fake_link(fake, ADDRESS));
	fake_serve(fake, fake_link(fake, ADDRESS), 'L');
	assert_string_equal(fake->last_key, "");
}

/* A brand whose advertisements carry the state needs no link to know it. */
static void state_is_taken_from_advertisements(void **state) {
	const struct lock_status *status;

	(void) state;
	pair_all("Front Door", NULL);
	status = lock_status(hub_lock_at(fake->hub, 0));
	fake_advance(fake, 1000);
	fake->changed = 0;
	fake->advertised = LOCK_STATE_UNLOCKED;
	fake_heard(fake, ADDRESS, false, false);
	assert_int_equal(status->bolt.state, LOCK_STATE_UNLOCKED);
	assert_int_equal(status->bolt_known.how, EVIDENCE_ADVERTISED);
	assert_true((fake->changed & FACT_BOLT) != 0);
	fake->changed = 0;
	fake_heard(fake, ADDRESS, false, false);
	assert_false((fake->changed & FACT_BOLT) != 0);
}

static void paired_twice_is_refused(void **state) {
	struct pair_request request = pair_request("Back Door", NULL);
	struct op *op;
	struct fault fault;

	(void) state;
	pair_all("Front Door", NULL);
	discover();
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_ALREADY_PAIRED);
	request = pair_request("front door", NULL);
	(void) text_copy(request.address, sizeof(request.address), "AA:BB:CC:DD:EE:33");
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NAME_TAKEN);
}

static void unpair_removes_us_at_the_lock_first(void **state) {
	struct fake_link *link;
	struct op *op;
	struct fault fault;

	(void) state;
	pair_all("Front Door", "1234");
	assert_int_equal(
		hub_unpair(fake->hub, "front-door", false, "anna", ROLE_MANAGE, &op, &fault), 0);
	fake_turn(fake);
	link = fake_link(fake, ADDRESS);
	fake_up(fake, link);
	assert_int_equal(fake_written(link)->bytes[0], 'x');
	assert_int_equal(fake->n_removes, 0);
	fake_confirm(fake, link, 0, RADIO_NOT_SENT);
	fake_answer(fake, link, "D-", 2);
	assert_int_equal(op->outcome, OP_DONE);
	assert_int_equal(fake->n_removes, 1);
	assert_int_equal(fake->n_removed, 1);
	assert_int_equal(hub_lock_count(fake->hub), 0);
	assert_int_equal(fake->n_links, 0);
	assert_non_null(fake_find_event(fake, EVENT_UNPAIRED));
}

/* L4: a code that was revoked would stay in the lock for ever, and nobody would be told. */
static void unpair_waits_for_revocations(void **state) {
	struct op *op;
	struct fault fault;
	struct fault pending;

	(void) state;
	pair_all("Front Door", "1234");
	(void) fault_set(&pending, FAULT_REVOCATION_PENDING, "Anna");
	facts_raise(hub_lock_at(fake->hub, 0), &pending);
	assert_int_equal(
		hub_unpair(fake->hub, "front-door", false, "anna", ROLE_MANAGE, &op, &fault),
		fault_errno(FAULT_REVOCATION_PENDING));
	assert_int_equal(fault.code, FAULT_REVOCATION_PENDING);
	assert_int_equal(
		hub_unpair(fake->hub, "front-door", true, "anna", ROLE_MANAGE, &op, &fault), 0);
	fake_turn(fake);
	assert_int_equal(op->outcome, OP_DONE);
}

static void unpair_of_a_lost_lock_needs_force(void **state) {
	struct op *op;
	struct fault fault;

	(void) state;
	pair_all("Front Door", "1234");
	assert_int_equal(
		hub_unpair(fake->hub, "front-door", false, "anna", ROLE_MANAGE, &op, &fault), 0);
	fake_turn(fake);
	for (unsigned i = 0; i < 70 && op->outcome == OP_PENDING; i++) {
		struct fake_link *link = fake_link(fake, ADDRESS);

		if (fake_is_wanted(link)) {
			fake_down(fake, link, FAULT_LOCK_NOT_HEARD);
		}
		fake_advance(fake, 1000);
	}
	assert_int_equal(op->outcome, OP_FAILED);
	assert_int_equal(hub_lock_count(fake->hub), 1);
	assert_int_equal(
		hub_unpair(fake->hub, "front-door", true, "anna", ROLE_MANAGE, &op, &fault), 0);
	assert_int_equal(op->outcome, OP_PENDING);
	fake_turn(fake);
	assert_int_equal(op->outcome, OP_DONE);
	assert_int_equal(hub_lock_count(fake->hub), 0);
}

static void rename_keeps_id_and_history(void **state) {
	struct fault fault;
	char id[LOCK_ID_MAX];

	(void) state;
	pair_all("Front Door", NULL);
	memcpy(id, lock_id(hub_lock_at(fake->hub, 0)), sizeof(id));
	assert_int_equal(hub_rename(fake->hub, "front-door", "Haustür", "anna", ROLE_MANAGE, NULL,
				 NULL, &fault),
		0);
	fake_turn(fake);
	assert_string_equal(lock_name(hub_lock_at(fake->hub, 0)), "Haustür");
	assert_string_equal(lock_id(hub_lock_at(fake->hub, 0)), id);
	assert_int_equal(fake->n_puts, 2);
	assert_int_equal(hub_lock_count(fake->hub), 1);
	assert_true(hub_rename(fake->hub, id, "", "anna", ROLE_MANAGE, NULL, NULL, &fault) < 0);
	assert_true(hub_rename(fake->hub, id, "x", "anna", ROLE_OPERATE, NULL, NULL, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DENIED);
}

static void on_renamed(void *user, const struct fault *fault) {
	*(enum fault_code *) user = fault != NULL ? fault->code : FAULT_NONE;
}

/* Not kept is not renamed, and whoever asked is told so. */
static void rename_waits_for_the_disk(void **state) {
	enum fault_code code = FAULT_INTERNAL;
	struct fault fault;

	(void) state;
	pair_all("Front Door", NULL);
	(void) fault_set(&fake->ledger_fault, FAULT_DATABASE_FULL, "test");
	assert_int_equal(hub_rename(fake->hub, "front-door", "Cellar", "anna", ROLE_MANAGE,
				 on_renamed, &code, &fault),
		0);
	assert_string_equal(lock_name(hub_lock_at(fake->hub, 0)), "Front Door");
	fake_turn(fake);
	assert_int_equal(code, FAULT_DATABASE_FULL);
	assert_string_equal(lock_name(hub_lock_at(fake->hub, 0)), "Front Door");
	fake->ledger_fault.code = FAULT_NONE;
	assert_int_equal(hub_rename(fake->hub, "front-door", "Cellar", "anna", ROLE_MANAGE,
				 on_renamed, &code, &fault),
		0);
	fake_turn(fake);
	assert_int_equal(code, FAULT_NONE);
	assert_string_equal(lock_slug(hub_lock_at(fake->hub, 0)), "cellar");
}

/* A rename behind the removal would bring the lock and its keys back into the database. */
static void leaving_lock_is_not_renamed(void **state) {
	struct op *op;
	struct fault fault;

	(void) state;
	pair_all("Front Door", NULL);
	fake->n_puts = 0;
	assert_int_equal(
		hub_unpair(fake->hub, "front-door", true, "anna", ROLE_MANAGE, &op, &fault), 0);
	assert_true(hub_rename(fake->hub, "front-door", "Cellar", "anna", ROLE_MANAGE, NULL, NULL,
			    &fault) < 0);
	fake_turn(fake);
	assert_int_equal(fake->n_puts, 0);
	assert_int_equal(hub_lock_count(fake->hub), 0);
}

/* The intent of a pairing fails while its keys are on their way to the disk: no crash, no half. */
static void pairing_on_a_full_disk_ends_once(void **state) {
	struct op *op;
	struct fake_link *link;

	(void) state;
	fake->is_ledger_held = true;
	op = begin("Front Door", NULL);
	link = fake_link(fake, ADDRESS);
	fake_up(fake, link);
	fake_confirm(fake, link, 0, RADIO_NOT_SENT);
	fake_answer(fake, link, "D-", 2);
	(void) fault_set(&fake->ledger_fault, FAULT_DATABASE_FULL, "test");
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(op->outcome, OP_FAILED);
	assert_int_equal(hub_lock_count(fake->hub), 0);
	assert_int_equal(fake->n_links, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(discovery_lists_locks_only),
		TEST(scan_without_radio_says_why),
		TEST(pair_without_pin),
		TEST(pair_with_pin_verifies_it),
		TEST(wrong_pin_is_told_but_the_lock_stays),
		TEST(refused_pairing_leaves_nothing),
		TEST(keys_that_cannot_be_kept_are_no_pairing),
		TEST(requests_are_judged),
		TEST(key_of_the_maker_is_asked_for_and_used),
		TEST(state_is_taken_from_advertisements),
		TEST(paired_twice_is_refused),
		TEST(unpair_removes_us_at_the_lock_first),
		TEST(unpair_waits_for_revocations),
		TEST(unpair_of_a_lost_lock_needs_force),
		TEST(rename_keeps_id_and_history),
		TEST(rename_waits_for_the_disk),
		TEST(leaving_lock_is_not_renamed),
		TEST(pairing_on_a_full_disk_ends_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
