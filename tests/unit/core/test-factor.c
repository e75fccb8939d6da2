/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The gate of remote commands: mode, second factor, and what the user it tells may do. */

#include <errno.h>

#include "core/people.h"
#include "crypto/crypto.h"
#include "crypto/totp.h"
#include "mock/fake-hub.h"
#include "private.h"
#include "test.h"
#include "util/text.h"

#define FRONT "11111111"
#define ADDRESS "AA:BB:CC:DD:EE:11"
#define CODE "904118"

static struct fake *fake;
static struct lock *front;
static struct user anna;

static void put_anna(void) {
	assert_int_equal(book_put_user(hub_load_book(fake->hub), &anna), 0);
}

static void set_rules(enum factor_rule factor, enum operating_mode mode) {
	struct lock_rules rules = LOCK_RULES_DEFAULT;

	rules.factor = factor;
	rules.mode = mode;
	rules.wrong_code_limit = 3;
	rules.code_disable_s = 200;
	assert_int_equal(book_put_rules(hub_load_book(fake->hub), FRONT, &rules), 0);
}

static int setup(void **state) {
	struct access access = { .user_id = "0000000a", .lock_id = FRONT };

	(void) state;
	fake = fake_new();
	fake_add_lock(fake, FRONT, "Front", false);
	front = hub_lock_by_id(fake->hub, FRONT);
	anna = (struct user){ .id = "0000000a",
		.number = 1,
		.name = "Anna",
		.slug = "anna",
		.status = USER_STATUS_OCCUPIED_ENABLED };
	assert_int_equal(secret_set_text(&anna.code, CODE), 0);
	assert_int_equal(secret_set_text(&anna.totp, "12345678901234567890"), 0);
	put_anna();
	assert_int_equal(book_put_access(hub_load_book(fake->hub), &access), 0);
	set_rules(FACTOR_NONE, MODE_NORMAL);
	fake_start(fake);
	fake_up(fake, fake_link(fake, ADDRESS));
	fake_serve(fake, fake_link(fake, ADDRESS), 'L');
	fake_down(fake, fake_link(fake, ADDRESS), FAULT_NONE);
	fake->n_events = 0;
	fake->n_ops = 0;
	return 0;
}

static int teardown(void **state) {
	(void) state;
	fake = fake_free(fake);
	return 0;
}

enum given { NOTHING, PERSONAL, ONE_TIME, CODE_AND_ONE_TIME, WRONG, GIVEN_COUNT };

static void give(struct request *request, enum given given) {
	char otp[TOTP_DIGITS + 1];
	char text[32] = "";

	totp_make(&anna.totp, fake->wall, otp);
	switch (given) {
	case NOTHING:
	case GIVEN_COUNT:
		break;
	case PERSONAL:
		(void) text_copy(text, sizeof(text), CODE);
		break;
	case ONE_TIME:
		(void) text_copy(text, sizeof(text), otp);
		break;
	case CODE_AND_ONE_TIME:
		(void) snprintf(text, sizeof(text), "%s%s", CODE, otp);
		break;
	case WRONG:
		(void) text_copy(text, sizeof(text), "904119");
		break;
	}
	assert_int_equal(secret_set_text(&request->factor, text), 0);
}

static struct request mqtt(enum act act, enum given given) {
	struct request request = fake_request(FRONT, act);

	request.origin = REQUEST_MQTT;
	request.role = ROLE_OPERATE;
	(void) text_copy(request.actor, sizeof(request.actor), "mqtt");
	give(&request, given);
	return request;
}

static enum fault_code ask(enum act act, enum given given) {
	struct request request = mqtt(act, given);
	struct fault fault = { .code = FAULT_NONE };
	struct op *op = NULL;
	int r;

	/* Twice the same within a moment would be taken for a delivery that came twice. */
	fake_advance(fake, 2500);
	r = hub_request(fake->hub, &request, &op, &fault);
	assert_int_equal(r < 0, fault.code != FAULT_NONE);
	assert_null(strstr(fault.detail, CODE));
	fake_turn(fake);
	return fault.code;
}

/* The request has passed: the lock does it. */
static void carry_out(void) {
	fake_up(fake, fake_link(fake, ADDRESS));
	fake_serve(fake, fake_link(fake, ADDRESS), 'U');
	fake_down(fake, fake_link(fake, ADDRESS), FAULT_NONE);
}

static const struct event *event_of(enum event_kind kind, size_t nth) {
	for (size_t i = 0; i < fake->n_events; i++) {
		if (fake->events[i].kind == kind && nth-- == 0) {
			return &fake->events[i];
		}
	}
	return NULL;
}

/* ---- every act, origin, role, factor and rule ---- */

static enum fault_code gate(enum act act, enum request_origin origin, enum role role,
	enum given given, enum factor_rule rule) {
	struct request request = { .act = act, .origin = origin, .role = role };
	struct passed passed = { .user_id = "" };
	struct fault fault = { .code = FAULT_NONE };
	bool is_known;
	int r;

	set_rules(rule, MODE_NORMAL);
	put_anna(); /* with no one-time password used */
	front->n_wrong_factors = 0;
	give(&request, given);
	r = factor_gate(front, &request, &passed, &fault);
	assert_int_equal(r < 0, fault.code != FAULT_NONE);
	is_known = passed.txn != NULL;
	if (fault.code == FAULT_NONE) {
		assert_int_equal(is_known, given != NOTHING && act_moves_motor(act));
		assert_string_equal(passed.user_id, is_known ? anna.id : "");
		assert_string_equal(passed.user, is_known ? "Anna" : "");
	}
	txn_free(passed.txn);
	fake_turn(fake);
	fake->n_stored = 0;
	fake->n_events = 0;
	return fault.code;
}

static void the_gate_is_a_table(void **state) {
#define OK FAULT_NONE
#define MUST FAULT_FACTOR_REQUIRED
#define NO FAULT_FACTOR_WRONG
	static const enum fault_code table[][GIVEN_COUNT] = {
		[FACTOR_NONE] = { OK, OK, OK, OK, NO },
		[FACTOR_CODE] = { MUST, OK, NO, OK, NO },
		[FACTOR_TOTP] = { MUST, NO, OK, OK, NO },
		[FACTOR_EITHER] = { MUST, OK, OK, OK, NO },
		[FACTOR_BOTH] = { MUST, NO, NO, OK, NO },
	};
#undef MUST
#undef NO
	unsigned n = 0;

	(void) state;
	for (enum act act = ACT_NONE; act < ACT_COUNT_; act++) {
		bool opens = act == ACT_UNLOCK || act == ACT_UNLATCH || act == ACT_LOCK_N_GO ||
			     act == ACT_LOCK_N_GO_UNLATCH;
		bool moves = opens || act == ACT_LOCK || act == ACT_CALIBRATE;

		for (enum request_origin origin = REQUEST_HUB; origin <= REQUEST_MQTT; origin++) {
			for (enum role role = ROLE_NONE; role <= ROLE_MANAGE; role++) {
				bool is_bound =
					opens &&
					(origin == REQUEST_MQTT ||
						(origin == REQUEST_DBUS && role != ROLE_MANAGE));

				for (enum factor_rule rule = FACTOR_NONE; rule <= FACTOR_BOTH;
					rule++) {
					for (enum given given = NOTHING; given < GIVEN_COUNT;
						given++) {
						enum fault_code expected = table[rule][given];

						if (!moves || (given == NOTHING && !is_bound)) {
							expected = OK;
						}
						if (gate(act, origin, role, given, rule) !=
							expected) {
							fail_msg("%s origin %d role %d rule %d "
								 "given %d",
								act_name(act), origin, role, rule,
								given);
						}
						n++;
					}
				}
			}
		}
	}
	assert_int_equal(n, ACT_COUNT_ * 3 * 4 * 5 * GIVEN_COUNT);
#undef OK
}

/* Acceptance 57. Locking is the safe direction and is let through. */
static void modes_forbid_opening(void **state) {
	static const struct {
		enum operating_mode mode;
		bool may;
	} rows[] = { { MODE_NORMAL, true }, { MODE_VACATION, true }, { MODE_PRIVACY, false },
		{ MODE_NO_REMOTE_LOCK_UNLOCK, false }, { MODE_PASSAGE, true } };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (enum act act = ACT_LOCK; act <= ACT_LOCK_N_GO_UNLATCH; act++) {
			for (enum request_origin origin = REQUEST_HUB; origin <= REQUEST_MQTT;
				origin++) {
				struct request request = {
					.act = act, .origin = origin, .role = ROLE_MANAGE
				};
				struct passed passed = { .user_id = "" };
				bool may = rows[i].may || act == ACT_LOCK || origin == REQUEST_HUB;

				set_rules(FACTOR_NONE, rows[i].mode);
				assert_int_equal(factor_gate(front, &request, &passed, NULL),
					may ? 0 : fault_errno(FAULT_MODE_FORBIDS));
			}
		}
	}
}

/* ---- who it was ---- */

/* Acceptance 54. */
static void the_user_is_known_by_name(void **state) {
	const struct event *event;

	(void) state;
	set_rules(FACTOR_EITHER, MODE_NORMAL);
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NONE);
	event = event_of(EVENT_OPERATION_REQUESTED, 0);
	assert_string_equal(event->user, "Anna");
	assert_string_equal(event->user_id, anna.id);
	assert_int_equal(event->attribution, ATTRIBUTION_FACTOR);
	assert_string_equal(event->text, "asked by mqtt");
	assert_string_equal(hub_op_at(fake->hub, 0)->actor, "mqtt");
	carry_out();
	event = event_of(EVENT_LOCK_OPERATION, 0);
	assert_non_null(event);
	assert_string_equal(event->user_id, anna.id);
	assert_int_equal(event->attribution, ATTRIBUTION_FACTOR);
	event = event_of(EVENT_OPERATION_FINISHED, 0);
	assert_string_equal(event->user, "Anna");
	assert_true(book_user(hub_book(fake->hub), anna.id)->first_used_at.s > 0);
	/* Nobody's factor, nobody's name. */
	set_rules(FACTOR_NONE, MODE_NORMAL);
	fake->n_events = 0;
	assert_int_equal(ask(ACT_UNLOCK, NOTHING), FAULT_NONE);
	event = event_of(EVENT_OPERATION_REQUESTED, 0);
	assert_string_equal(event->user, "mqtt");
	assert_string_equal(event->user_id, "");
	assert_int_equal(event->attribution, ATTRIBUTION_REQUEST);
}

/* Each password counts once, and that is on the disk before the bolt moves. */
static void one_time_passwords_are_used_up(void **state) {
	struct request request = mqtt(ACT_UNLOCK, ONE_TIME);
	const struct txn *txn;
	const struct txn_item *item;
	bool has_step = false;
	bool has_intent = false;
	struct op *op = NULL;
	struct fault fault;

	(void) state;
	set_rules(FACTOR_TOTP, MODE_NORMAL);
	fake->is_ledger_held = true;
	assert_int_equal(hub_request(fake->hub, &request, &op, &fault), 0);
	txn = list_first(&fake->txns, struct txn, link);
	list_for_each(item, &txn->items, link) {
		has_step = has_step || (item->kind == TXN_USER_PUT &&
					       item->user.totp_step == fake->wall.s / 30);
		has_intent = has_intent || item->kind == TXN_INTENT;
	}
	assert_true(has_step);
	assert_true(has_intent);
	/* At once, even before the disk has it. */
	fake->mono.ms += 2500;
	assert_true(hub_request(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_FACTOR_WRONG);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(ask(ACT_UNLOCK, ONE_TIME), FAULT_FACTOR_WRONG);
	fake_advance(fake, 30000);
	assert_int_equal(ask(ACT_UNLOCK, ONE_TIME), FAULT_NONE);
	/* What is not carried out has used it up all the same. */
	anna = *book_user(hub_book(fake->hub), anna.id);
	anna.status = USER_STATUS_OCCUPIED_DISABLED;
	put_anna();
	fake_advance(fake, 30000);
	assert_int_equal(ask(ACT_UNLOCK, ONE_TIME), FAULT_USER_DISABLED);
	anna = *book_user(hub_book(fake->hub), anna.id);
	anna.status = USER_STATUS_OCCUPIED_ENABLED;
	put_anna();
	assert_int_equal(ask(ACT_UNLOCK, ONE_TIME), FAULT_FACTOR_WRONG);
}

/* A change of the user that was on its way already does not give the password back. */
static void a_change_does_not_give_it_back(void **state) {
	struct people_by by = { .actor = "root", .role = ROLE_MANAGE };
	struct user_edit edit = { .set = USER_EDIT_NAME, .name = "Anna Berg" };
	struct request request = mqtt(ACT_UNLOCK, ONE_TIME);
	struct txn *txn;
	struct op *op = NULL;

	(void) state;
	fake->is_ledger_held = true;
	assert_int_equal(hub_user_edit(fake->hub, "Anna", &edit, &by, NULL, NULL, NULL), 0);
	assert_int_equal(hub_request(fake->hub, &request, &op, NULL), 0);
	txn = list_first(&fake->txns, struct txn, link);
	list_remove(&txn->link);
	txn->done(txn->user, txn, NULL);
	txn_free(txn);
	(void) fault_set(&fake->ledger_fault, FAULT_DATABASE_FULL, "by the test");
	fake->is_ledger_held = false;
	fake_turn(fake);
	fake->ledger_fault.code = FAULT_NONE;
	assert_string_equal(book_user(hub_book(fake->hub), anna.id)->name, "Anna Berg");
	assert_int_equal(ask(ACT_UNLOCK, ONE_TIME), FAULT_FACTOR_WRONG);
}

/* Nor does a log that was being read when it was used. */
static void an_import_does_not_give_it_back(void **state) {
	struct request request = mqtt(ACT_UNLOCK, ONE_TIME);
	struct txn *import = hub_txn_new(fake->hub);
	struct op *op = NULL;

	(void) state;
	assert_non_null(import);
	people_user_used(front, anna.id, fake->wall, import, ATTRIBUTION_CREDENTIAL);
	assert_int_equal(hub_request(fake->hub, &request, &op, NULL), 0);
	fake_turn(fake);
	assert_true(book_user(fake->disk, anna.id)->totp_step == fake->wall.s / 30);
	hub_commit(fake->hub, import);
	fake_turn(fake);
	/* On the disk: a kill would make it count. */
	assert_true(book_user(fake->disk, anna.id)->totp_step == fake->wall.s / 30);
	assert_true(book_user(fake->disk, anna.id)->first_used_at.s == fake->wall.s);
}

static void passwords_need_a_clock(void **state) {
	(void) state;
	fake->is_trusted = false;
	assert_int_equal(ask(ACT_UNLOCK, ONE_TIME), FAULT_FACTOR_WRONG);
	assert_non_null(strstr(fake->refusal.detail, "clock"));
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NONE);
}

/* Acceptance 55, 56, 64, 68 and access. */
static void users_may_what_they_may(void **state) {
	static const struct {
		enum user_type type;
		enum user_status status;
		bool has_access;
		enum fault_code fault;
		enum operation_error error;
	} rows[] = {
		{ USER_UNRESTRICTED, USER_STATUS_OCCUPIED_ENABLED, true, FAULT_NONE,
			OPERATION_ERROR_NONE },
		{ USER_REMOTE_ONLY, USER_STATUS_OCCUPIED_ENABLED, true, FAULT_NONE,
			OPERATION_ERROR_NONE },
		{ USER_UNRESTRICTED, USER_STATUS_OCCUPIED_DISABLED, true, FAULT_USER_DISABLED,
			OPERATION_ERROR_DISABLED_USER },
		{ USER_SCHEDULE_RESTRICTED, USER_STATUS_OCCUPIED_ENABLED, true,
			FAULT_USER_RESTRICTED, OPERATION_ERROR_RESTRICTED },
		{ USER_UNRESTRICTED, USER_STATUS_OCCUPIED_ENABLED, false, FAULT_NO_ACCESS,
			OPERATION_ERROR_RESTRICTED },
	};
	const struct event *event;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		anna.type = rows[i].type;
		anna.status = rows[i].status;
		put_anna();
		if (!rows[i].has_access) {
			book_remove_access(hub_load_book(fake->hub), anna.id, FRONT);
		}
		fake->n_events = 0;
		assert_int_equal(ask(ACT_UNLOCK, PERSONAL), rows[i].fault);
		event = event_of(EVENT_LOCK_OPERATION_ERROR, 0);
		assert_int_equal(event != NULL, rows[i].fault != FAULT_NONE);
		if (event != NULL) {
			assert_int_equal(event->error, rows[i].error);
			assert_string_equal(event->user, "Anna");
			assert_int_equal(event->source, SOURCE_REMOTE);
			assert_null(event_of(EVENT_OPERATION_REQUESTED, 0));
		}
	}
}

static void non_access_users_are_told(void **state) {
	const struct event *event;

	(void) state;
	anna.type = USER_NON_ACCESS;
	put_anna();
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NO_ACCESS);
	event = event_of(EVENT_LOCK_OPERATION, 0);
	assert_non_null(event);
	assert_int_equal(event->operation, OPERATION_NON_ACCESS_USER_EVENT);
	assert_string_equal(event->user, "Anna");
	assert_int_equal(front->n_wrong_factors, 0);
}

/* Acceptance 65, 66: what use does, it does here too, and only when the door did open. */
static void use_has_its_consequences(void **state) {
	(void) state;
	anna.type = USER_DISPOSABLE;
	put_anna();
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NONE);
	assert_int_equal(
		book_user(hub_book(fake->hub), anna.id)->status, USER_STATUS_OCCUPIED_ENABLED);
	carry_out();
	assert_int_equal(
		book_user(hub_book(fake->hub), anna.id)->status, USER_STATUS_OCCUPIED_DISABLED);
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_USER_DISABLED);
	anna.type = USER_FORCED;
	put_anna();
	assert_null(event_of(EVENT_ALARM, 0));
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NONE);
	carry_out();
	assert_int_equal(event_of(EVENT_ALARM, 0)->alarm, ALARM_FORCED_USER);
	assert_int_equal(event_of(EVENT_ALARM, 0)->attribution, ATTRIBUTION_FACTOR);
	assert_null(event_of(EVENT_ALARM, 1));
}

/* Nobody under duress chooses a lock that is in reach. */
static void duress_is_told_whatever_the_lock_does(void **state) {
	(void) state;
	anna.type = USER_FORCED;
	put_anna();
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NONE);
	assert_int_equal(event_of(EVENT_ALARM, 0)->alarm, ALARM_FORCED_USER);
	assert_string_equal(event_of(EVENT_ALARM, 0)->user_id, anna.id);
	fake_advance(fake, 20000);
	assert_null(event_of(EVENT_ALARM, 1));
	/* Nor one that lets them in. */
	book_remove_access(hub_load_book(fake->hub), anna.id, FRONT);
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NO_ACCESS);
	assert_non_null(event_of(EVENT_ALARM, 1));
}

/* The lock may have opened: then it has, unless it is seen to be locked. */
static void a_use_in_doubt_counts(void **state) {
	(void) state;
	for (unsigned is_open = 0; is_open < 2; is_open++) {
		anna.type = USER_DISPOSABLE;
		put_anna();
		assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NONE);
		fake_up(fake, fake_link(fake, ADDRESS));
		fake_down(fake, fake_link(fake, ADDRESS), FAULT_LINK_LOST);
		fake_up(fake, fake_link(fake, ADDRESS));
		fake_serve(fake, fake_link(fake, ADDRESS), is_open != 0 ? 'U' : 'L');
		fake_turn(fake);
		assert_int_equal(fake->finished[fake->n_finished - 1].outcome, OP_UNKNOWN);
		assert_int_equal(book_user(hub_book(fake->hub), anna.id)->status,
			is_open != 0 ? USER_STATUS_OCCUPIED_DISABLED
				     : USER_STATUS_OCCUPIED_ENABLED);
	}
}

/* One use is one use, also while it is not known yet what came of it. */
static void one_use_is_not_two_at_once(void **state) {
	(void) state;
	anna.type = USER_DISPOSABLE;
	put_anna();
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NONE);
	assert_int_equal(ask(ACT_UNLATCH, PERSONAL), FAULT_USER_DISABLED);
	assert_int_equal(ask(ACT_LOCK, PERSONAL), FAULT_NONE);
	fake_advance(fake, 20000); /* it was out of reach: nothing was used */
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NONE);
}

/* ---- too many ---- */

/* Acceptance 53, 58. */
static void wrong_ones_lock_out(void **state) {
	size_t error = SIZE_MAX;
	size_t alarm = SIZE_MAX;

	(void) state;
	assert_int_equal(ask(ACT_UNLOCK, WRONG), FAULT_FACTOR_WRONG);
	assert_int_equal(
		event_of(EVENT_LOCK_OPERATION_ERROR, 0)->error, OPERATION_ERROR_INVALID_CREDENTIAL);
	assert_string_equal(event_of(EVENT_LOCK_OPERATION_ERROR, 0)->user, "");
	assert_int_equal(ask(ACT_UNLOCK, WRONG), FAULT_FACTOR_WRONG);
	/* Two, a right one, two: no alarm. */
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NONE);
	assert_int_equal(ask(ACT_UNLOCK, WRONG), FAULT_FACTOR_WRONG);
	assert_int_equal(ask(ACT_LOCK, WRONG), FAULT_FACTOR_WRONG);
	assert_null(event_of(EVENT_ALARM, 0));
	assert_int_equal(ask(ACT_UNLOCK, WRONG), FAULT_FACTOR_WRONG);
	for (size_t i = 0; i < fake->n_events; i++) {
		error = fake->events[i].kind == EVENT_LOCK_OPERATION_ERROR ? i : error;
		alarm = fake->events[i].kind == EVENT_ALARM ? i : alarm;
	}
	assert_true(alarm != SIZE_MAX && error < alarm);
	assert_int_equal(event_of(EVENT_ALARM, 0)->alarm, ALARM_WRONG_CODE_LIMIT);
	assert_int_equal(event_of(EVENT_LOCKED_OUT, 0)->number, 200);

	/* Everything that opens is refused now, the right code too; locking is not. */
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_LOCKED_OUT);
	assert_int_equal(ask(ACT_UNLATCH, NOTHING), FAULT_LOCKED_OUT);
	assert_int_equal(ask(ACT_LOCK, NOTHING), FAULT_NONE);
	assert_int_equal(
		gate(ACT_UNLOCK, REQUEST_DBUS, ROLE_MANAGE, NOTHING, FACTOR_CODE), FAULT_NONE);
	assert_int_equal(gate(ACT_UNLOCK, REQUEST_DBUS, ROLE_MANAGE, PERSONAL, FACTOR_CODE),
		FAULT_LOCKED_OUT);
	fake_advance(fake, 190000);
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NONE);
	assert_int_equal(front->n_lock_outs, 0);
}

/* Home Assistant sends a code along with LOCK too; and no answer tells whether it is right. */
static void a_lock_out_does_not_keep_the_door_open(void **state) {
	(void) state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ask(ACT_UNLOCK, WRONG), FAULT_FACTOR_WRONG);
	}
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_LOCKED_OUT);
	assert_int_equal(ask(ACT_LOCK, WRONG), FAULT_NONE);
	assert_string_equal(hub_op_at(fake->hub, hub_op_count(fake->hub) - 1)->user_id, "");
	assert_int_equal(ask(ACT_LOCK, PERSONAL), FAULT_NONE);
	assert_string_equal(hub_op_at(fake->hub, hub_op_count(fake->hub) - 1)->user_id, "");
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_LOCKED_OUT);
}

static void each_time_is_twice_as_long(void **state) {
	static const int64_t seconds[] = { 200, 400, 800, 1600, 3200, 3600, 3600 };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		fake->n_events = 0;
		fake->n_stored = 0;
		for (unsigned k = 0; k < 3; k++) {
			assert_int_equal(ask(ACT_UNLOCK, WRONG), FAULT_FACTOR_WRONG);
		}
		assert_int_equal(event_of(EVENT_LOCKED_OUT, 0)->number, seconds[i]);
		/* A wall clock that jumps changes nothing. */
		fake->wall.s += 86400;
		fake_advance(fake, seconds[i] * 1000 - 5000);
		assert_int_equal(ask(ACT_UNLOCK, WRONG), FAULT_LOCKED_OUT);
		fake_advance(fake, 5000);
	}
	/* Those refused meanwhile did not count; a right one ends the doubling. */
	assert_int_equal(ask(ACT_UNLOCK, PERSONAL), FAULT_NONE);
	fake->n_events = 0;
	for (unsigned k = 0; k < 3; k++) {
		assert_int_equal(ask(ACT_UNLOCK, WRONG), FAULT_FACTOR_WRONG);
	}
	assert_int_equal(event_of(EVENT_LOCKED_OUT, 0)->number, 200);
}

/* What was kept last, as the daemon would give it back. */
static const struct txn_item *kept_setting(void) {
	const struct txn_item *found = NULL;
	const struct txn *txn;
	const struct txn_item *item;

	list_for_each(txn, &fake->txns, link) {
		list_for_each(item, &txn->items, link) {
			found = item->kind == TXN_SETTING ? item : found;
		}
	}
	assert_non_null(found);
	return found;
}

/* Acceptance 75. */
static void a_restart_is_not_worth_a_guess(void **state) {
	struct request request = mqtt(ACT_UNLOCK, WRONG);
	struct op *op;
	char key[32];
	char value[128];

	(void) state;
	for (unsigned k = 0; k < 3; k++) {
		fake_advance(fake, 2500);
		fake->is_ledger_held = true;
		assert_true(hub_request(fake->hub, &request, &op, NULL) < 0);
		if (k == 2) {
			memcpy(key, kept_setting()->setting.key, sizeof(key));
			memcpy(value, kept_setting()->setting.value, sizeof(value));
		}
		fake->is_ledger_held = false;
		fake_turn(fake);
	}
	for (unsigned i = 0; i < 4; i++) {
		static const struct {
			int64_t later_s;
			bool is_trusted;
			int64_t left_s;
		} rows[] = { { 50, true, 150 }, { 300, true, 0 }, { 50, false, 200 },
			{ -100000, true, 200 } };
		int64_t wall_s = fake->wall.s;

		front->locked_out_until = (mono_t){ 0 };
		front->n_lock_outs = 0;
		fake->wall.s += rows[i].later_s;
		fake->is_trusted = rows[i].is_trusted;
		hub_load_setting(fake->hub, key, value);
		assert_int_equal(front->n_lock_outs, 1);
		assert_true(front->locked_out_until.ms - fake->mono.ms == rows[i].left_s * 1000);
		fake->wall.s = wall_s;
		fake->is_trusted = true;
	}
	/* What is not ours, or broken, is left alone. */
	front->n_lock_outs = 7;
	hub_load_setting(fake->hub, "hub_id", value);
	hub_load_setting(fake->hub, "factor.99999999", value);
	hub_load_setting(fake->hub, key, "");
	hub_load_setting(fake->hub, key, "1 2 3");
	assert_int_equal(front->n_lock_outs, 7);
	hub_load_setting(fake->hub, key, "0 1 99999999999999 99999999999999");
	assert_true(front->locked_out_until.ms - fake->mono.ms == 3600 * 1000);
}

/* A person whose password happens to be another's at the moment is asked again. */
static void two_users_are_not_mixed_up(void **state) {
	struct user bert = anna;

	(void) state;
	memcpy(bert.id, "0000000b", sizeof("0000000b"));
	(void) text_copy(bert.name, sizeof(bert.name), "Bert");
	(void) text_copy(bert.slug, sizeof(bert.slug), "bert");
	bert.number = 2;
	secret_wipe(&bert.code);
	assert_int_equal(book_put_user(hub_load_book(fake->hub), &bert), 0);
	assert_int_equal(ask(ACT_UNLOCK, ONE_TIME), FAULT_FACTOR_WRONG);
	assert_int_equal(front->n_wrong_factors, 0);
	/* With the code before it there is no doubt. */
	assert_int_equal(ask(ACT_UNLOCK, CODE_AND_ONE_TIME), FAULT_NONE);
	assert_string_equal(event_of(EVENT_OPERATION_REQUESTED, 0)->user, "Anna");
}

/* Home Assistant may have been told long ago to send a code along: it must not keep a door open. */
static void a_code_means_nothing_where_nobody_has_one(void **state) {
	(void) state;
	secret_wipe(&anna.code);
	put_anna();
	assert_int_equal(ask(ACT_LOCK, WRONG), FAULT_FACTOR_WRONG); /* she has a TOTP still */
	secret_wipe(&anna.totp);
	put_anna();
	assert_int_equal(ask(ACT_LOCK, WRONG), FAULT_NONE);
	assert_string_equal(event_of(EVENT_OPERATION_REQUESTED, 0)->user_id, "");
	set_rules(FACTOR_CODE, MODE_NORMAL);
	assert_int_equal(ask(ACT_UNLOCK, WRONG), FAULT_FACTOR_WRONG);
	assert_int_equal(ask(ACT_UNLOCK, NOTHING), FAULT_FACTOR_REQUIRED);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_gate_is_a_table),
		TEST(modes_forbid_opening),
		TEST(the_user_is_known_by_name),
		TEST(one_time_passwords_are_used_up),
		TEST(a_change_does_not_give_it_back),
		TEST(an_import_does_not_give_it_back),
		TEST(passwords_need_a_clock),
		TEST(users_may_what_they_may),
		TEST(non_access_users_are_told),
		TEST(use_has_its_consequences),
		TEST(duress_is_told_whatever_the_lock_does),
		TEST(one_use_is_not_two_at_once),
		TEST(a_use_in_doubt_counts),
		TEST(wrong_ones_lock_out),
		TEST(a_lock_out_does_not_keep_the_door_open),
		TEST(each_time_is_twice_as_long),
		TEST(a_restart_is_not_worth_a_guess),
		TEST(two_users_are_not_mixed_up),
		TEST(a_code_means_nothing_where_nobody_has_one),
	};

	if (crypto_setup() < 0) {
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
