/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes of the book: committed before they are seen, one at a time, told by events. */

#include "core/people.h"

#include <errno.h>

#include "core/schedule.h"
#include "mock/fake-hub.h"
#include "mock/fake-zone.h"
#include "private.h"
#include "test.h"
#include "util/text.h"

#define FRONT "11111111"
#define BACK "22222222"

static struct fake *fake;
static struct listener on_book;
static unsigned n_changes, n_added, n_removed;
static const struct people_by manager = { .actor = "uid 0 (root)", .role = ROLE_MANAGE };

/* How a change ended: called once, from the loop. */
struct end {
	unsigned n;
	enum fault_code code;
};

static void ended(void *user, const struct fault *fault) {
	struct end *end = user;

	end->n++;
	end->code = fault != NULL ? fault->code : FAULT_NONE;
}

static void book_changed(struct listener *listener, void *data) {
	const struct book_change *change = data;

	(void) listener;
	n_changes++;
	n_added += change->is_user_added;
	n_removed += change->is_user_removed;
}

static int no_sevens(const struct secret *pin, struct fault *ret_fault) {
	return memchr(pin->bytes, '7', pin->len) != NULL
		       ? fault_set(ret_fault, FAULT_CODE_INVALID, "this brand has no 7")
		       : 0;
}

static const struct credential_limits keypad = {
	.types = 1U << CREDENTIAL_PIN, .pin_least = 6, .pin_most = 6, .check_pin = no_sevens
};
static const struct credential_limits long_keypad = {
	.types = 1U << CREDENTIAL_PIN, .pin_least = 7, .pin_most = 10
};

static const struct credential_limits *has_keypad(
	const struct secret *keys, const struct lock_status *status) {
	(void) keys;
	(void) status;
	return &keypad;
}

static const struct credential_limits *has_long_keypad(
	const struct secret *keys, const struct lock_status *status) {
	(void) keys;
	(void) status;
	return &long_keypad;
}

static void give_keypad(const char *id,
	const struct credential_limits *(*fn)(const struct secret *, const struct lock_status *) ) {
	static struct driver drivers[4];
	static size_t n;
	struct driver *driver = &drivers[n++ % ARRAY_SIZE(drivers)];

	*driver = fake_driver;
	driver->credentials = fn;
	hub_lock_by_id(fake->hub, id)->driver = driver;
}

static int setup(void **state) {
	(void) state;
	fake = fake_new();
	fake_add_lock(fake, FRONT, "Front", false);
	fake_add_lock(fake, BACK, "Back", false);
	give_keypad(FRONT, has_keypad);
	on_book.notify = book_changed;
	signal_add(&hub_signals(fake->hub)->book_changed, &on_book, book_changed);
	n_changes = n_added = n_removed = 0;
	fake_start(fake);
	fake_turn(fake);
	return 0;
}

static int teardown(void **state) {
	(void) state;
	listener_remove(&on_book);
	fake = fake_free(fake);
	return 0;
}

static const struct book *book(void) {
	return hub_book(fake->hub);
}

static const struct user *user_of(const char *word) {
	const struct user *user = book_find_user(book(), word);

	assert_non_null(user);
	return user;
}

static struct user_edit named(const char *name) {
	struct user_edit edit = { .set = USER_EDIT_NAME };

	(void) text_copy(edit.name, sizeof(edit.name), name);
	return edit;
}

static void add(const char *name) {
	struct user_edit edit = named(name);
	struct end end = { .n = 0 };
	char id[ROW_ID_MAX];

	assert_int_equal(hub_user_add(fake->hub, &edit, &manager, id, ended, &end, NULL), 0);
	fake_turn(fake);
	assert_int_equal(end.n, 1);
	assert_int_equal(end.code, FAULT_NONE);
	assert_non_null(book_user(book(), id));
}

static void set_type(const char *word, enum user_type type, unsigned minutes) {
	struct user_edit edit = { .set = USER_EDIT_TYPE | USER_EDIT_EXPIRING,
		.type = type,
		.expiring_minutes = minutes };

	assert_int_equal(hub_user_edit(fake->hub, word, &edit, &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_int_equal(user_of(word)->type, type);
}

static void grant(const char *word, const char *lock, const char *when) {
	assert_int_equal(
		hub_access_grant(fake->hub, word, lock, when, &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_true(book_has_access(book(), user_of(word)->id, hub_find_lock(fake->hub, lock)->id));
}

static struct code_add code_for(const char *user, const char *lock, const char *pin) {
	struct code_add code = { .type = CREDENTIAL_PIN, .generate = pin == NULL };

	(void) text_copy(code.user, sizeof(code.user), user);
	(void) text_copy(code.lock, sizeof(code.lock), lock);
	assert_int_equal(secret_set_text(&code.pin, pin != NULL ? pin : ""), 0);
	return code;
}

static const struct credential *put_code(const struct code_add *code) {
	struct end end = { .n = 0 };
	struct secret pin;
	struct fault fault = { .code = FAULT_NONE };
	char id[ROW_ID_MAX];
	int r = hub_code_add(fake->hub, code, &manager, id, &pin, ended, &end, &fault);

	if (r < 0) {
		fail_msg("%s", fault.detail);
	}
	fake_turn(fake);
	assert_int_equal(end.n, 1);
	assert_int_equal(end.code, FAULT_NONE);
	return book_credential(book(), id);
}

static enum fault_code refused_code(const struct code_add *code) {
	struct fault fault = { .code = FAULT_NONE };
	struct secret pin = { .len = 77 };
	char id[ROW_ID_MAX];

	assert_true(hub_code_add(fake->hub, code, &manager, id, &pin, NULL, NULL, &fault) < 0);
	assert_int_equal(pin.len, 77);
	return fault.code;
}

static const struct event *last_change(void) {
	for (size_t i = fake->n_events; i > 0; i--) {
		if (fake->events[i - 1].kind == EVENT_LOCK_USER_CHANGE) {
			return &fake->events[i - 1];
		}
	}
	fail_msg("no lock_user_change");
	return NULL;
}

static unsigned count_events(enum event_kind kind) {
	unsigned n = 0;

	for (size_t i = 0; i < fake->n_events; i++) {
		n += fake->events[i].kind == kind;
	}
	return n;
}

static size_t schedules_at(const char *word, const char *lock_id) {
	size_t n;
	const struct schedule *rows = book_user_schedules(book(), user_of(word)->id, &n);
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		found += strcmp(rows[i].lock_id, lock_id) == 0;
	}
	return found;
}

/* ---- users ---- */

/* Acceptance 1; D4: nothing is seen before it is on the disk. */
static void a_user_is_there_when_committed(void **state) {
	struct user_edit edit = named("Änne");
	struct end end = { .n = 0 };
	char id[ROW_ID_MAX] = "";
	const struct user *user;

	(void) state;
	fake->is_ledger_held = true;
	assert_int_equal(hub_user_add(fake->hub, &edit, &manager, id, ended, &end, NULL), 0);
	fake_turn(fake);
	assert_int_equal(end.n, 0);
	assert_int_equal(book_user_count(book()), 0);
	assert_int_equal(n_changes, 0);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(end.n, 1);
	assert_int_equal(end.code, FAULT_NONE);
	user = book_user(book(), id);
	assert_non_null(user);
	assert_string_equal(user->name, "Änne");
	assert_string_equal(user->slug, "aenne");
	assert_int_equal(user->number, 1);
	assert_int_equal(user->status, USER_STATUS_OCCUPIED_ENABLED);
	assert_int_equal(user->type, USER_UNRESTRICTED);
	assert_string_equal(user->created_by, "uid 0 (root)");
	assert_true(user->created_at.s == fake->wall.s);
	assert_int_equal(n_changes, 1);
	assert_int_equal(n_added, 1);

	assert_int_equal(last_change()->data, LOCK_DATA_USER_INDEX);
	assert_int_equal(last_change()->data_operation, DATA_ADD);
	assert_string_equal(last_change()->user, "Änne");
	assert_string_equal(last_change()->user_id, id);
	assert_non_null(strstr(last_change()->text, "uid 0 (root)"));
}

static void only_managers_may(void **state) {
	struct people_by by = { .actor = "uid 1000", .role = ROLE_OPERATE };
	struct user_edit edit = named("Anna");
	struct code_add code = code_for("Bert", "Front", NULL);
	struct lock_rules rules = LOCK_RULES_DEFAULT;
	struct secret pin;
	char id[ROW_ID_MAX];
	struct fault fault;
	struct hub *hub;

	(void) state;
	add("Bert");
	hub = fake->hub;
	for (by.role = ROLE_NONE; by.role < ROLE_MANAGE; by.role++) {
#define DENIED(call)                                                                               \
	do {                                                                                       \
		fault.code = FAULT_NONE;                                                           \
		assert_int_equal(call, -EACCES);                                                   \
		assert_int_equal(fault.code, FAULT_DENIED);                                        \
	} while (0)
		DENIED(hub_user_add(hub, &edit, &by, id, NULL, NULL, &fault));
		DENIED(hub_user_edit(hub, "Bert", &edit, &by, NULL, NULL, &fault));
		DENIED(hub_user_remove(hub, "Bert", &by, NULL, NULL, &fault));
		DENIED(hub_access_grant(hub, "Bert", "Front", NULL, &by, NULL, NULL, &fault));
		DENIED(hub_access_revoke(hub, "Bert", "", &by, NULL, NULL, &fault));
		DENIED(hub_code_add(hub, &code, &by, id, &pin, NULL, NULL, &fault));
		DENIED(hub_code_change(hub, "x", &pin, &by, &pin, NULL, NULL, &fault));
		DENIED(hub_code_revoke(hub, "x", &by, NULL, NULL, &fault));
		DENIED(hub_code_reveal(hub, "x", &by, &pin, NULL, NULL, &fault));
		DENIED(hub_code_adopt(
			hub, "Front", CREDENTIAL_PIN, 1, "Bert", &by, id, NULL, NULL, &fault));
		DENIED(hub_code_remove_foreign(
			hub, "Front", CREDENTIAL_PIN, 1, &by, NULL, NULL, &fault));
		DENIED(hub_schedule_add(hub, "Bert", "", "Mon", &by, NULL, NULL, &fault));
		DENIED(hub_schedule_remove(hub, "x", &by, NULL, NULL, &fault));
		DENIED(hub_holiday_add(
			hub, "Front", "2026-12-24", MODE_VACATION, &by, NULL, NULL, &fault));
		DENIED(hub_holiday_remove(hub, "x", &by, NULL, NULL, &fault));
		DENIED(hub_rules_set(hub, "Front", &rules, &by, NULL, NULL, &fault));
#undef DENIED
	}
	fake_turn(fake);
	assert_int_equal(n_changes, 1);
}

/* Acceptance 2, 76: the second client hears of the conflict; nothing is mixed. */
static void two_clients_do_not_mix(void **state) {
	struct user_edit edit = named("Anna");
	struct user_edit other = { .set = USER_EDIT_STATUS,
		.status = USER_STATUS_OCCUPIED_DISABLED };
	struct user_edit name = named("Anna Berg");
	struct end ends[4] = { { .n = 0 } };
	char ids[2][ROW_ID_MAX];

	(void) state;
	fake->is_ledger_held = true;
	assert_int_equal(
		hub_user_add(fake->hub, &edit, &manager, ids[0], ended, &ends[0], NULL), 0);
	assert_int_equal(
		hub_user_add(fake->hub, &edit, &manager, ids[1], ended, &ends[1], NULL), 0);
	/* Each sees what the one before has made of it. */
	assert_int_equal(
		hub_user_edit(fake->hub, "Anna", &other, &manager, ended, &ends[2], NULL), 0);
	assert_int_equal(
		hub_user_edit(fake->hub, "Anna", &name, &manager, ended, &ends[3], NULL), 0);
	fake->is_ledger_held = false;
	fake_turn(fake);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		assert_int_equal(ends[i].n, 1);
		assert_int_equal(ends[i].code, i == 1 ? FAULT_NAME_TAKEN : FAULT_NONE);
	}
	assert_int_equal(book_user_count(book()), 1);
	assert_string_equal(user_of("Anna Berg")->id, ids[0]);
	assert_int_equal(user_of("Anna Berg")->status, USER_STATUS_OCCUPIED_DISABLED);
	assert_string_equal(user_of("Anna Berg")->slug, "anna-berg");
}

static void what_the_disk_refuses_did_not_happen(void **state) {
	struct user_edit edit = named("Bert");
	struct end end = { .n = 0 };

	(void) state;
	add("Anna");
	n_changes = 0;
	(void) fault_set(&fake->ledger_fault, FAULT_DATABASE_FULL, "by the test");
	assert_int_equal(hub_user_edit(fake->hub, "Anna", &edit, &manager, ended, &end, NULL), 0);
	fake_turn(fake);
	assert_int_equal(end.n, 1);
	assert_int_equal(end.code, FAULT_DATABASE_FULL);
	assert_non_null(book_find_user(book(), "Anna"));
	assert_null(book_find_user(book(), "Bert"));
	assert_int_equal(n_changes, 0);
	fake->ledger_fault.code = FAULT_NONE;
	assert_int_equal(hub_user_edit(fake->hub, "Anna", &edit, &manager, ended, &end, NULL), 0);
	fake_turn(fake);
	assert_non_null(book_find_user(book(), "Bert"));
}

static void the_queue_has_an_end(void **state) {
	struct user_edit edit = { .set = USER_EDIT_STATUS, .status = USER_STATUS_OCCUPIED_ENABLED };
	struct end end = { .n = 0 };
	struct fault fault = { .code = FAULT_NONE };
	unsigned n = 0;

	(void) state;
	add("Anna");
	fake->is_ledger_held = true;
	while (hub_user_edit(fake->hub, "Anna", &edit, &manager, ended, &end, &fault) >= 0) {
		assert_in_range(++n, 1, 100);
	}
	assert_int_equal(fault.code, FAULT_QUEUE_FULL);
	assert_int_equal(n, 65);
	/* Stopping ends those that wait; the one with the disk is finished. */
	hub_stop(fake->hub, NULL, NULL);
	assert_int_equal(end.n, 64);
	assert_int_equal(end.code, FAULT_CANCELLED);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(end.n, 65);
	assert_int_equal(end.code, FAULT_NONE);
	assert_int_equal(
		hub_user_edit(fake->hub, "Anna", &edit, &manager, ended, &end, &fault), -ECANCELED);
}

/* Acceptance 3, 13, 6. */
static void edits_change_what_they_name(void **state) {
	struct user_edit edit = named("Anna Berg");
	struct fault fault;

	(void) state;
	add("Anna");
	set_type("Anna", USER_EXPIRING, 30);
	assert_int_equal(hub_user_edit(fake->hub, "1", &edit, &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_int_equal(user_of("Anna Berg")->type, USER_EXPIRING);
	assert_int_equal(user_of("Anna Berg")->expiring_minutes, 30);
	edit = (struct user_edit){ .set = USER_EDIT_STATUS,
		.status = USER_STATUS_OCCUPIED_DISABLED };
	assert_int_equal(
		hub_user_edit(fake->hub, "anna-berg", &edit, &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	set_type("Anna Berg", USER_UNRESTRICTED, 0);
	assert_int_equal(user_of("Anna Berg")->status, USER_STATUS_OCCUPIED_DISABLED);
	for (unsigned status = 0; status < 70; status++) {
		edit.status = status;
		if (status != USER_STATUS_OCCUPIED_ENABLED &&
			status != USER_STATUS_OCCUPIED_DISABLED) {
			assert_int_equal(
				hub_user_edit(fake->hub, "1", &edit, &manager, NULL, NULL, &fault),
				-EINVAL);
		}
	}
	assert_int_equal(hub_user_edit(fake->hub, "Ana Berg", &edit, &manager, NULL, NULL, &fault),
		fault_errno(FAULT_NO_SUCH_USER));
	assert_non_null(strstr(fault.detail, "anna-berg"));
}

static void numbers_can_be_chosen(void **state) {
	struct user_edit edit = named("Anna");
	struct fault fault;
	char id[ROW_ID_MAX];

	(void) state;
	edit.set |= USER_EDIT_NUMBER;
	edit.number = 7;
	assert_int_equal(hub_user_add(fake->hub, &edit, &manager, id, NULL, NULL, NULL), 0);
	fake_turn(fake);
	add("Bert");
	assert_int_equal(user_of("Anna")->number, 7);
	assert_int_equal(user_of("Bert")->number, 1);
	(void) text_copy(edit.name, sizeof(edit.name), "Cleo");
	assert_int_equal(hub_user_add(fake->hub, &edit, &manager, id, NULL, NULL, &fault), -EEXIST);
	edit.number = 0;
	assert_int_equal(hub_user_add(fake->hub, &edit, &manager, id, NULL, NULL, &fault), -EINVAL);
	assert_int_equal(
		hub_user_edit(fake->hub, "Anna", &edit, &manager, NULL, NULL, &fault), -EINVAL);
}

/* Two names may have the same slug; a name of letters it does not know has one as well. */
static void slugs_are_made_unique(void **state) {
	(void) state;
	add("Jörg");
	add("Joerg");
	add("Анна");
	add("Борис");
	assert_string_equal(user_of("Jörg")->slug, "joerg");
	assert_string_equal(user_of("2")->slug, "joerg-2");
	assert_string_equal(user_of("Анна")->slug, "user");
	assert_string_equal(user_of("Борис")->slug, "user-2");
}

static void personal_factors_are_checked(void **state) {
	struct user_edit edit = { .set = USER_EDIT_CODE };
	struct fault fault = { .code = FAULT_NONE };

	(void) state;
	add("Anna");
	add("Bert");
	assert_int_equal(secret_set_text(&edit.code, "123456"), 0);
	assert_int_equal(
		hub_user_edit(fake->hub, "Anna", &edit, &manager, NULL, NULL, &fault), -EINVAL);
	assert_int_equal(fault.code, FAULT_WEAK_CODE);
	assert_int_equal(secret_set_text(&edit.code, "904118"), 0);
	assert_int_equal(hub_user_edit(fake->hub, "Anna", &edit, &manager, NULL, NULL, &fault), 0);
	fake_turn(fake);
	assert_int_equal(user_of("Anna")->code.len, 6);
	assert_int_equal(
		hub_user_edit(fake->hub, "Bert", &edit, &manager, NULL, NULL, &fault), -EEXIST);
	assert_int_equal(hub_user_edit(fake->hub, "Anna", &edit, &manager, NULL, NULL, &fault), 0);
	edit = (struct user_edit){ .set = USER_EDIT_CODE | USER_EDIT_TOTP };
	edit.totp.len = 15;
	assert_int_equal(hub_user_edit(fake->hub, "Anna", &edit, &manager, NULL, NULL, &fault), 0);
	fake_turn(fake);
	assert_int_equal(user_of("Anna")->code.len, 6); /* it was refused when its turn came */
	edit.totp.len = 20;
	assert_int_equal(hub_user_edit(fake->hub, "Anna", &edit, &manager, NULL, NULL, &fault), 0);
	fake_turn(fake);
	assert_int_equal(user_of("Anna")->code.len, 0);
	assert_int_equal(user_of("Anna")->totp.len, 20);
}

/* ---- codes ---- */

static void generated_codes_suit_the_locks(void **state) {
	struct code_add code = code_for("Anna", "Front", NULL);

	(void) state;
	add("Anna");
	for (unsigned i = 0; i < 20; i++) {
		const struct credential *made = put_code(&code);

		assert_int_equal(made->pin.len, 6);
		assert_null(memchr(made->pin.bytes, '7', made->pin.len));
		assert_string_equal(made->lock_id, FRONT);
		assert_int_equal(book_check_pin(book(), &made->pin, "", "", made->id, 6, NULL), 0);
	}
	/* The access comes along with the code. */
	assert_true(book_has_access(book(), user_of("Anna")->id, FRONT));
	give_keypad(BACK, has_long_keypad);
	code = code_for("Anna", "Back", NULL);
	assert_int_equal(put_code(&code)->pin.len, 7);
	code.digits = 10;
	assert_int_equal(put_code(&code)->pin.len, 10);
	code.digits = 11;
	assert_int_equal(refused_code(&code), FAULT_BAD_ARGUMENT);
	code.digits = 6;
	assert_int_equal(refused_code(&code), FAULT_BAD_ARGUMENT);
	/* No code fits both. */
	code = code_for("Anna", "", NULL);
	assert_int_equal(refused_code(&code), FAULT_BAD_ARGUMENT);
}

/* Acceptance 15, 17, 78. */
static void codes_are_checked(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");

	(void) state;
	add("Anna");
	add("Bert");
	(void) put_code(&code);
	code = code_for("Bert", "Front", "904118");
	assert_int_equal(refused_code(&code), FAULT_CODE_TAKEN);
	code = code_for("Bert", "Front", "111111");
	assert_int_equal(refused_code(&code), FAULT_WEAK_CODE);
	code = code_for("Bert", "Front", "90411");
	assert_int_equal(refused_code(&code), FAULT_WEAK_CODE);
	code = code_for("Bert", "Front", "9041181");
	assert_int_equal(refused_code(&code), FAULT_BAD_ARGUMENT);
	code = code_for("Bert", "Front", "904178");
	assert_int_equal(refused_code(&code), FAULT_CODE_INVALID);
	code = code_for("Bert", "Front", "");
	assert_int_equal(refused_code(&code), FAULT_BAD_ARGUMENT);
	code = code_for("Nobody", "Front", "618845");
	assert_int_equal(refused_code(&code), FAULT_NO_SUCH_USER);
	code = code_for("Bert", "Side", "618845");
	assert_int_equal(refused_code(&code), FAULT_NO_SUCH_LOCK);
	code = code_for("Bert", "Back", "618845");
	assert_int_equal(refused_code(&code), FAULT_NOT_SUPPORTED);
	code = code_for("Bert", "Front", "618845");
	(void) text_copy(code.until, sizeof(code.until), "yesterday");
	assert_int_equal(refused_code(&code), FAULT_BAD_ARGUMENT);
	code.until[0] = '\0';
	(void) text_copy(code.when, sizeof(code.when), "Mon 25:00");
	assert_int_equal(refused_code(&code), FAULT_BAD_ARGUMENT);
	code = code_for("Bert", "Front", "");
	code.type = CREDENTIAL_APP_KEY;
	assert_int_equal(refused_code(&code), FAULT_NOT_SUPPORTED);
	/* A mechanical key is only noted. */
	code.type = CREDENTIAL_MECHANICAL_KEY;
	assert_int_equal(put_code(&code)->type, CREDENTIAL_MECHANICAL_KEY);
	assert_false(book_has_access(book(), user_of("Bert")->id, BACK));
	/* A code without a lock waits for access. */
	code = code_for("Bert", "", "618845");
	assert_string_equal(put_code(&code)->lock_id, "");
}

static void codes_per_user_have_a_limit(void **state) {
	struct code_add code = code_for("Anna", "Front", NULL);

	(void) state;
	add("Anna");
	for (unsigned i = 0; i < CREDENTIALS_PER_USER_MAX; i++) {
		(void) put_code(&code);
	}
	assert_int_equal(refused_code(&code), FAULT_HUB_FULL);
}

static void a_code_brings_its_hours(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	const struct credential *made;

	(void) state;
	add("Anna");
	(void) text_copy(code.when, sizeof(code.when), "Mon-Fri 08:00-12:00");
	(void) text_copy(code.until, sizeof(code.until), "+3d");
	(void) text_copy(code.label, sizeof(code.label), "cleaning");
	code.is_once = true;
	made = put_code(&code);
	assert_true(made->valid_until.s == fake->wall.s + 3 * 86400);
	assert_string_equal(made->label, "cleaning");
	assert_true(made->is_once);
	assert_int_equal(made->state, CREDENTIAL_ACTIVE);
	assert_int_equal(user_of("Anna")->type, USER_SCHEDULE_RESTRICTED);
	assert_int_equal(schedules_at("Anna", FRONT), 1);
	assert_int_equal(last_change()->data, LOCK_DATA_PIN);
	assert_int_equal(last_change()->data_operation, DATA_ADD);
	assert_string_equal(last_change()->lock_id, FRONT);
}

/* Acceptance 21, 27. */
static void codes_are_changed_and_revealed(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	struct end end = { .n = 0 };
	struct secret none = { .len = 0 };
	struct secret pin = { .len = 0 };
	struct fault fault;
	char id[ROW_ID_MAX];

	(void) state;
	add("Anna");
	memcpy(id, put_code(&code)->id, sizeof(id));
	assert_int_equal(hub_code_reveal(fake->hub, id, &manager, &pin, ended, &end, NULL), 0);
	fake_turn(fake);
	assert_int_equal(end.n, 1);
	assert_memory_equal(pin.bytes, "904118", 6);
	assert_string_equal(fake_find_event(fake, EVENT_CODE_REVEALED)->user, "Anna");
	assert_non_null(strstr(fake_find_event(fake, EVENT_CODE_REVEALED)->text, "root"));

	assert_int_equal(secret_set_text(&pin, "123123"), 0);
	assert_int_equal(
		hub_code_change(fake->hub, id, &pin, &manager, &pin, NULL, NULL, &fault), -EINVAL);
	assert_int_equal(secret_set_text(&pin, "618845"), 0);
	/* How old its digits are is another thing than how old the row is. */
	assert_true(book_credential(book(), id)->pin_set_at.s ==
		    book_credential(book(), id)->created_at.s);
	fake->wall.s += 86400;
	assert_int_equal(hub_code_change(fake->hub, id, &pin, &manager, &pin, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_true(book_credential(book(), id)->pin_set_at.s ==
		    book_credential(book(), id)->created_at.s + 86400);
	assert_memory_equal(book_credential(book(), id)->pin.bytes, "618845", 6);
	assert_int_equal(
		hub_code_change(fake->hub, id, &none, &manager, &pin, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_true(secret_equal(&book_credential(book(), id)->pin, &pin));
	assert_memory_not_equal(pin.bytes, "618845", 6);
	/* No event anywhere holds a code. */
	for (size_t i = 0; i < fake->n_stored; i++) {
		assert_null(strstr(fake->stored[i].text, "904118"));
		assert_null(strstr(fake->stored[i].text, "618845"));
		assert_null(strstr(fake->stored[i].text, "123123"));
	}
	assert_int_equal(hub_code_reveal(fake->hub, "none", &manager, &pin, NULL, NULL, &fault),
		fault_errno(FAULT_NO_SUCH_CODE));
}

/* What was recorded as shown must have been; what was not is not shown. */
static void unrecorded_codes_stay_hidden(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	struct end end = { .n = 0 };
	struct secret pin;
	char id[ROW_ID_MAX];

	(void) state;
	add("Anna");
	memcpy(id, put_code(&code)->id, sizeof(id));
	(void) fault_set(&fake->ledger_fault, FAULT_DATABASE_FULL, "by the test");
	assert_int_equal(hub_code_reveal(fake->hub, id, &manager, &pin, ended, &end, NULL), 0);
	fake_turn(fake);
	assert_int_equal(end.code, FAULT_DATABASE_FULL);
}

/* ---- where and when ---- */

/* Acceptance 36, 37 and what a schedule does to an unrestricted user. */
static void schedules_restrict(void **state) {
	struct fault fault;

	(void) state;
	add("Anna");
	grant("Anna", "Front", NULL);
	grant("Anna", "Back", NULL);
	assert_int_equal(hub_schedule_add(fake->hub, "Anna", "Front", "daily 22:00-06:00", &manager,
				 NULL, NULL, NULL),
		0);
	fake_turn(fake);
	assert_int_equal(user_of("Anna")->type, USER_SCHEDULE_RESTRICTED);
	assert_int_equal(schedules_at("Anna", FRONT), 2);
	assert_int_equal(schedules_at("Anna", BACK), 1); /* the other door stays open */
	assert_non_null(fake_find_event(fake, EVENT_LOCK_USER_CHANGE));
	assert_int_equal(last_change()->data, LOCK_DATA_WEEK_DAY_SCHEDULE);
	/* The same again adds nothing. */
	assert_int_equal(hub_schedule_add(fake->hub, "Anna", "Front", "daily 22:00-06:00", &manager,
				 NULL, NULL, NULL),
		0);
	assert_int_equal(
		hub_schedule_add(fake->hub, "Anna", "", "2027-03-01", &manager, NULL, NULL, NULL),
		0);
	fake_turn(fake);
	assert_int_equal(last_change()->data, LOCK_DATA_YEAR_DAY_SCHEDULE);
	assert_int_equal(schedules_at("Anna", FRONT), 2);
	assert_int_equal(schedules_at("Anna", ""), 1);
	/* Others of the user stay when one is removed. */
	size_t n;
	const struct schedule *rows = book_user_schedules(book(), user_of("Anna")->id, &n);
	assert_int_equal(n, 4);
	assert_int_equal(hub_schedule_remove(fake->hub, rows[0].id, &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	(void) book_user_schedules(book(), user_of("Anna")->id, &n);
	assert_int_equal(n, 3);
	assert_int_equal(last_change()->data_operation, DATA_CLEAR);
	assert_int_equal(hub_schedule_remove(fake->hub, "none", &manager, NULL, NULL, &fault),
		fault_errno(FAULT_NO_SUCH_SCHEDULE));
	assert_int_equal(
		hub_schedule_add(fake->hub, "Bert", "", "Mon", &manager, NULL, NULL, &fault),
		fault_errno(FAULT_NO_SUCH_USER));
}

/* The door must not open at all hours to whom hours were given in good faith. */
static void hours_that_nobody_heeds_are_refused(void **state) {
	static const struct {
		enum user_type type;
		bool week, year;
	} rows[] = {
		{ USER_UNRESTRICTED, true, true },
		{ USER_YEAR_DAY_SCHEDULE, false, true },
		{ USER_WEEK_DAY_SCHEDULE, true, false },
		{ USER_PROGRAMMING, false, false },
		{ USER_NON_ACCESS, true, true },
		{ USER_FORCED, false, false },
		{ USER_DISPOSABLE, false, false },
		{ USER_EXPIRING, false, false },
		{ USER_SCHEDULE_RESTRICTED, true, true },
		{ USER_REMOTE_ONLY, false, false },
	};
	struct code_add code = code_for("Cleo", "Front", "904118");
	struct secret pin;
	char id[ROW_ID_MAX];
	struct fault fault;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct {
			const char *when;
			bool is_good;
		} tries[] = { { "Mon-Fri 08:00-12:00", rows[i].week },
			{ "2027-03-01", rows[i].year } };

		for (size_t k = 0; k < ARRAY_SIZE(tries); k++) {
			int r;

			add("Cleo");
			set_type("Cleo", rows[i].type, 5);
			fault.code = FAULT_NONE;
			r = hub_schedule_add(
				fake->hub, "Cleo", "", tries[k].when, &manager, NULL, NULL, &fault);
			assert_int_equal(r, tries[k].is_good ? 0 : fault_errno(FAULT_BAD_ARGUMENT));
			(void) text_copy(code.when, sizeof(code.when), tries[k].when);
			fake_turn(fake);
			r = hub_code_add(fake->hub, &code, &manager, id, &pin, NULL, NULL, &fault);
			assert_int_equal(r, tries[k].is_good ? 0 : fault_errno(FAULT_BAD_ARGUMENT));
			fake_turn(fake);
			assert_int_equal(book_has_access(book(), user_of("Cleo")->id, FRONT),
				tries[k].is_good);
			assert_int_equal(
				hub_user_remove(fake->hub, "Cleo", &manager, NULL, NULL, NULL), 0);
			fake_turn(fake);
			fake_turn(fake);
			assert_int_equal(book_user_count(book()), 0);
		}
	}
}

static void schedules_per_user_have_a_limit(void **state) {
	struct fault fault = { .code = FAULT_NONE };
	char text[64];

	(void) state;
	add("Anna");
	for (unsigned i = 0; i < SCHEDULES_PER_USER_MAX; i++) {
		(void) snprintf(text, sizeof(text), "Mon 01:00-02:%02u", i % 60);
		if (i >= 60) {
			(void) snprintf(text, sizeof(text), "Tue 01:00-02:%02u", i % 60);
		}
		assert_int_equal(
			hub_schedule_add(fake->hub, "Anna", "", text, &manager, NULL, NULL, &fault),
			0);
		fake_turn(fake);
	}
	assert_int_equal(schedules_at("Anna", ""), SCHEDULES_PER_USER_MAX);
	assert_true(
		hub_schedule_add(fake->hub, "Anna", "", "Wed", &manager, NULL, NULL, &fault) < 0);
	assert_int_equal(fault.code, FAULT_HUB_FULL);
	/* What is replaced makes room. */
	grant("Anna", "Front", NULL);
	assert_int_equal(book_user_schedules(book(), user_of("Anna")->id, &(size_t){ 0 })->kind,
		SCHEDULE_WEEK_DAY);
	assert_int_equal(
		hub_schedule_remove(fake->hub,
			book_user_schedules(book(), user_of("Anna")->id, &(size_t){ 0 })->id,
			&manager, NULL, NULL, NULL),
		0);
	fake_turn(fake);
	grant("Anna", "Front", "Sat");
	grant("Anna", "Front", "Sun");
	assert_int_equal(schedules_at("Anna", FRONT), 1);
	assert_int_equal(schedules_at("Anna", ""), SCHEDULES_PER_USER_MAX - 1);
}

static void access_comes_with_hours_and_goes(void **state) {
	struct fault fault;

	(void) state;
	add("Anna");
	grant("Anna", "Front", "Mon-Fri 08:00-12:00; Sat");
	assert_int_equal(user_of("Anna")->type, USER_SCHEDULE_RESTRICTED);
	assert_int_equal(schedules_at("Anna", FRONT), 2);
	grant("Anna", "Front", NULL);
	assert_int_equal(schedules_at("Anna", FRONT), 2);
	grant("Anna", "Front", "Sun");
	assert_int_equal(schedules_at("Anna", FRONT), 1);
	/* The same window replaced by itself stays. */
	grant("Anna", "Front", "Sun");
	assert_int_equal(schedules_at("Anna", FRONT), 1);
	/* Without hours: always. */
	grant("Anna", "Front", "");
	assert_int_equal(schedules_at("Anna", FRONT), 1);
	grant("Anna", "Back", NULL);
	assert_int_equal(schedules_at("Anna", BACK), 1);
	assert_int_equal(book_decide(book(), user_of("Anna"), BACK, false,
				 hub_lock_zone(fake->hub, BACK), fake->wall, true),
		ACCESS_ALLOW);
	assert_int_equal(
		hub_access_revoke(fake->hub, "Anna", "Back", &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_false(book_has_access(book(), user_of("Anna")->id, BACK));
	assert_int_equal(schedules_at("Anna", BACK), 0);
	assert_true(book_has_access(book(), user_of("Anna")->id, FRONT));
	assert_true(hub_access_revoke(fake->hub, "Anna", "Back", &manager, NULL, NULL, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NO_ACCESS);
	grant("Anna", "Back", NULL);
	assert_int_equal(hub_access_revoke(fake->hub, "Anna", "", &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_false(book_has_access(book(), user_of("Anna")->id, FRONT));
	assert_false(book_has_access(book(), user_of("Anna")->id, BACK));
}

/* Acceptance 47..50, 59. */
static void holidays_and_rules(void **state) {
	struct lock_rules rules = LOCK_RULES_DEFAULT;
	struct fault fault;
	struct hub *hub = fake->hub;

	(void) state;
	assert_int_equal(hub_holiday_add(hub, "Front", "2026-12-24 - 2026-12-26", MODE_VACATION,
				 &manager, NULL, NULL, NULL),
		0);
	assert_int_equal(hub_holiday_add(hub, "Front", "2026-12-31", MODE_PRIVACY, &manager, NULL,
				 NULL, NULL),
		0);
	fake_turn(fake);
	assert_non_null(book_holiday_at(book(), 1));
	assert_null(book_holiday_at(book(), 2));
	assert_int_equal(book_holiday_at(book(), 0)->index + book_holiday_at(book(), 1)->index, 3);
	assert_int_equal(last_change()->data, LOCK_DATA_HOLIDAY_SCHEDULE);
	assert_true(hub_holiday_add(hub, "Front", "Mon-Fri", MODE_PRIVACY, &manager, NULL, NULL,
			    &fault) < 0);
	assert_true(hub_holiday_add(hub, "Front", "2026-12-31", (enum operating_mode) 5, &manager,
			    NULL, NULL, &fault) < 0);
	assert_int_equal(
		hub_holiday_remove(hub, book_holiday_at(book(), 0)->id, &manager, NULL, NULL, NULL),
		0);
	fake_turn(fake);
	assert_null(book_holiday_at(book(), 1));
	assert_int_equal(hub_holiday_remove(hub, "none", &manager, NULL, NULL, &fault),
		fault_errno(FAULT_NO_SUCH_SCHEDULE));

	rules.wrong_code_limit = 255;
	rules.code_disable_s = 255;
	rules.factor = FACTOR_BOTH;
	assert_int_equal(hub_rules_set(hub, "Front", &rules, &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_int_equal(book_rules(book(), FRONT)->factor, FACTOR_BOTH);
#define REFUSED(field, value)                                                                      \
	do {                                                                                       \
		struct lock_rules bad = rules;                                                     \
		bad.field = (value);                                                               \
		assert_true(hub_rules_set(hub, "Front", &bad, &manager, NULL, NULL, &fault) < 0);  \
		assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);                                  \
	} while (0)
	REFUSED(wrong_code_limit, 0);
	REFUSED(wrong_code_limit, 256);
	REFUSED(code_disable_s, 0);
	REFUSED(code_disable_s, 256);
	REFUSED(factor, (enum factor_rule) 5);
	REFUSED(mode, (enum operating_mode) 5);
	REFUSED(zone[0], 'X');
#undef REFUSED
}

/* Each of them read the rules before the other's were on the disk. */
static void two_who_set_rules_do_not_undo_each_other(void **state) {
	struct lock_rules safe = LOCK_RULES_DEFAULT;
	struct lock_rules ajar = LOCK_RULES_DEFAULT;

	(void) state;
	safe.factor = FACTOR_BOTH;
	ajar.open_period_minutes = 5;
	fake->is_ledger_held = true;
	assert_int_equal(hub_rules_set(fake->hub, "Front", &safe, &manager, NULL, NULL, NULL), 0);
	assert_int_equal(hub_rules_set(fake->hub, "Front", &ajar, &manager, NULL, NULL, NULL), 0);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(book_rules(book(), FRONT)->factor, FACTOR_BOTH);
	assert_int_equal(book_rules(book(), FRONT)->open_period_minutes, 5);
	/* And whoever wants it away gets that. */
	safe = *book_rules(book(), FRONT);
	safe.factor = FACTOR_NONE;
	assert_int_equal(hub_rules_set(fake->hub, "Front", &safe, &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_int_equal(book_rules(book(), FRONT)->factor, FACTOR_NONE);
	assert_int_equal(book_rules(book(), FRONT)->open_period_minutes, 5);
}

/* ---- going ---- */

/* As sync.c would: a lock holds it, or holds it no longer. */
static void place(const char *credential_id, bool is_there) {
	struct placement placement = { .state = PLACEMENT_PRESENT, .ref = 5 };

	memcpy(placement.lock_id, FRONT, sizeof(placement.lock_id));
	(void) text_copy(placement.credential_id, sizeof(placement.credential_id), credential_id);
	if (is_there) {
		assert_int_equal(book_put_placement(hub_load_book(fake->hub), &placement), 0);
	} else {
		book_remove_placement(hub_load_book(fake->hub), FRONT, credential_id);
		people_credential_gone(fake->hub, credential_id);
	}
}

/* L4: the row of a revoked code stays as long as a lock may hold it. */
static void users_stay_until_the_last_lock(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	struct fault fault;
	char id[ROW_ID_MAX];
	char other[ROW_ID_MAX];

	(void) state;
	add("Anna");
	memcpy(id, put_code(&code)->id, sizeof(id));
	code = code_for("Anna", "", "618845");
	memcpy(other, put_code(&code)->id, sizeof(other));
	place(id, true);
	n_removed = 0;
	assert_int_equal(hub_user_remove(fake->hub, "Anna", &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_int_equal(user_of("Anna")->status, USER_STATUS_LEAVING);
	assert_int_equal(book_credential(book(), id)->state, CREDENTIAL_REVOKED);
	assert_null(book_credential(book(), other)); /* it never was anywhere */
	assert_int_equal(n_removed, 0);
	assert_int_equal(book_decide(book(), user_of("Anna"), FRONT, false,
				 hub_lock_zone(fake->hub, FRONT), fake->wall, true),
		ACCESS_DISABLED);
	/* Nothing can be done with somebody who is leaving. */
	struct user_edit edit = named("Anna 2");
	assert_int_equal(hub_user_edit(fake->hub, "Anna", &edit, &manager, NULL, NULL, &fault),
		fault_errno(FAULT_NO_SUCH_USER));
	code = code_for("Anna", "Front", NULL);
	assert_int_equal(refused_code(&code), FAULT_NO_SUCH_USER);
	assert_true(hub_code_revoke(fake->hub, id, &manager, NULL, NULL, &fault) < 0);
	place(id, false);
	fake_turn(fake);
	assert_null(book_find_user(book(), "Anna"));
	assert_null(book_credential(book(), id));
	assert_int_equal(n_removed, 1);
	add("Anna");
	assert_int_equal(user_of("Anna")->number, 1);
}

static void revoked_codes_go_when_no_lock_has_them(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	char id[ROW_ID_MAX];

	(void) state;
	add("Anna");
	memcpy(id, put_code(&code)->id, sizeof(id));
	place(id, true);
	assert_int_equal(hub_code_revoke(fake->hub, id, &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_int_equal(book_credential(book(), id)->state, CREDENTIAL_REVOKED);
	assert_int_equal(last_change()->data_operation, DATA_CLEAR);
	/* The disk is full: it is tried again, and not at every turn. */
	(void) fault_set(&fake->ledger_fault, FAULT_DATABASE_FULL, "by the test");
	place(id, false);
	fake_turn(fake);
	assert_non_null(book_credential(book(), id));
	fake->ledger_fault.code = FAULT_NONE;
	fake_turn(fake);
	assert_non_null(book_credential(book(), id));
	fake_advance(fake, 61000);
	assert_null(book_credential(book(), id));
	/* The user stays: it was the code that was revoked. */
	assert_int_equal(user_of("Anna")->status, USER_STATUS_OCCUPIED_ENABLED);
}

/* ---- what locks have ---- */

static void foreign_codes_are_adopted_or_removed(void **state) {
	struct slot slots[3] = {
		{ .type = CREDENTIAL_PIN, .ref = 3, .name = "Oma", .is_enabled = true },
		{ .type = CREDENTIAL_PIN,
			.ref = 4,
			.name = "Putz",
			.is_enabled = true,
			.is_limited = true,
			.window = { .days = 0x02, .start_minute = 1320, .end_minute = 360 } },
		{ .type = CREDENTIAL_APP_KEY, .ref = 3, .is_own = true }
	};
	struct fault fault;
	char id[ROW_ID_MAX];
	const struct txn *txn;
	const struct txn_item *item;
	const struct placement *placement = NULL;

	(void) state;
	add("Anna");
	assert_int_equal(secret_set_text(&slots[0].pin, "904118"), 0);
	assert_int_equal(
		book_put_slots(hub_load_book(fake->hub), FRONT, slots, 3, (wall_t){ 1234 }), 0);
	assert_true(hub_code_adopt(fake->hub, "Front", CREDENTIAL_PIN, 9, "Anna", &manager, id,
			    NULL, NULL, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NO_SUCH_CODE);
	assert_true(hub_code_adopt(fake->hub, "Front", CREDENTIAL_APP_KEY, 3, "Anna", &manager, id,
			    NULL, NULL, &fault) < 0);
	fake->is_ledger_held = true;
	assert_int_equal(hub_code_adopt(fake->hub, "Front", CREDENTIAL_PIN, 3, "Anna", &manager, id,
				 NULL, NULL, NULL),
		0);
	txn = list_first(&fake->txns, struct txn, link);
	list_for_each(item, &txn->items, link) {
		placement = item->kind == TXN_PLACEMENT_PUT ? &item->placement : placement;
	}
	assert_non_null(placement);
	assert_int_equal(placement->state, PLACEMENT_PRESENT);
	assert_int_equal(placement->ref, 3);
	assert_true(placement->confirmed_at.s == 1234);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_string_equal(book_credential(book(), id)->label, "Oma");
	assert_memory_equal(book_credential(book(), id)->pin.bytes, "904118", 6);
	assert_true(book_has_access(book(), user_of("Anna")->id, FRONT));
	assert_int_equal(user_of("Anna")->type, USER_UNRESTRICTED);

	/* With its window, so that the door does not open further than before. */
	add("Bert");
	assert_int_equal(hub_code_adopt(fake->hub, "Front", CREDENTIAL_PIN, 4, "Bert", &manager, id,
				 NULL, NULL, NULL),
		0);
	fake_turn(fake);
	assert_int_equal(user_of("Bert")->type, USER_SCHEDULE_RESTRICTED);
	assert_int_equal(schedules_at("Bert", FRONT), 2);

	assert_int_equal(hub_code_remove_foreign(fake->hub, "Front", CREDENTIAL_PIN, 9, &manager,
				 NULL, NULL, &fault),
		fault_errno(FAULT_NO_SUCH_CODE));
}

/* What the lock itself did not open for yesterday, it does not open for because it was adopted. */
static void adopting_opens_nothing(void **state) {
	struct slot slots[2] = {
		{ .type = CREDENTIAL_PIN, .ref = 3, .name = "Off" },
		{ .type = CREDENTIAL_PIN,
			.ref = 4,
			.name = "Later",
			.is_enabled = true,
			.is_limited = true },
	};
	struct user_edit off = { .set = USER_EDIT_STATUS, .status = USER_STATUS_OCCUPIED_DISABLED };
	const struct schedule *rows;
	struct fault fault;
	char id[ROW_ID_MAX];
	size_t n;

	(void) state;
	add("Anna");
	add("Bert");
	assert_int_equal(secret_set_text(&slots[0].pin, "904118"), 0);
	assert_int_equal(secret_set_text(&slots[1].pin, "590418"), 0);
	slots[1].window.from.s = fake->wall.s + 86400;
	assert_int_equal(
		book_put_slots(hub_load_book(fake->hub), FRONT, slots, 2, (wall_t){ 1234 }), 0);
	assert_int_equal(hub_code_adopt(fake->hub, "Front", CREDENTIAL_PIN, 3, "Anna", &manager, id,
				 NULL, NULL, &fault),
		fault_errno(FAULT_BAD_ARGUMENT));
	assert_non_null(strstr(fault.detail, "switched off"));
	assert_int_equal(hub_user_edit(fake->hub, "Anna", &off, &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	assert_int_equal(hub_code_adopt(fake->hub, "Front", CREDENTIAL_PIN, 3, "Anna", &manager, id,
				 NULL, NULL, NULL),
		0);
	assert_int_equal(hub_code_adopt(fake->hub, "Front", CREDENTIAL_PIN, 4, "Bert", &manager, id,
				 NULL, NULL, NULL),
		0);
	fake_turn(fake);
	rows = book_user_schedules(book(), user_of("Bert")->id, &n);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].kind, SCHEDULE_YEAR_DAY);
	assert_true(
		rows[0].from == zone_local(hub_lock_zone(fake->hub, FRONT), slots[1].window.from));
	assert_int_equal(book_decide(book(), user_of("Bert"), FRONT, false,
				 hub_lock_zone(fake->hub, FRONT), fake->wall, true),
		ACCESS_RESTRICTED);
	assert_int_equal(book_decide(book(), user_of("Bert"), FRONT, false,
				 hub_lock_zone(fake->hub, FRONT), slots[1].window.from, true),
		ACCESS_ALLOW);
}

/* ---- what use and time do ---- */

static void use(const char *credential_id, int64_t at) {
	struct txn *txn = hub_txn_new(fake->hub);
	struct lock *lock = hub_lock_by_id(fake->hub, FRONT);

	people_used(lock, book_credential(book(), credential_id), (wall_t){ at }, txn);
	hub_commit(fake->hub, txn);
	fake_turn(fake);
}

static void one_use_and_no_more(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	char id[ROW_ID_MAX];
	struct txn *txn;

	(void) state;
	add("Anna");
	code.is_once = true;
	memcpy(id, put_code(&code)->id, sizeof(id));
	place(id, true);
	fake_advance(fake, 10000);
	/* Twice in one log, as a lock that the hub did not hear of in time tells it. */
	txn = hub_txn_new(fake->hub);
	people_used(hub_lock_by_id(fake->hub, FRONT), book_credential(book(), id),
		(wall_t){ fake->wall.s - 5 }, txn);
	people_used(hub_lock_by_id(fake->hub, FRONT), book_credential(book(), id),
		(wall_t){ fake->wall.s - 4 }, txn);
	n_changes = 0;
	fake->n_events = 0;
	hub_commit(fake->hub, txn);
	fake_turn(fake);
	assert_int_equal(book_credential(book(), id)->state, CREDENTIAL_REVOKED);
	assert_int_equal(count_events(EVENT_LOCK_USER_CHANGE), 1); /* told once */
	assert_true(user_of("Anna")->first_used_at.s == fake->wall.s - 5);
	assert_in_range(n_changes, 1, 2);
	size_t n = fake->n_stored;
	use(id, fake->wall.s);
	assert_int_equal(fake->n_stored, n);
	assert_true(user_of("Anna")->first_used_at.s == fake->wall.s - 5);
}

/* Acceptance 66. */
static void disposable_users_are_disabled(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	char id[ROW_ID_MAX];

	(void) state;
	add("Anna");
	set_type("Anna", USER_DISPOSABLE, 0);
	memcpy(id, put_code(&code)->id, sizeof(id));
	use(id, fake->wall.s);
	assert_int_equal(user_of("Anna")->status, USER_STATUS_OCCUPIED_DISABLED);
	assert_non_null(strstr(last_change()->text, "hub"));
	/* Enabled again, the next use disables again; the old one, told again, does not. */
	size_t n = fake->n_stored;
	use(id, fake->wall.s);
	assert_int_equal(fake->n_stored, n);
}

/* Acceptance 65. */
static void forced_users_raise_an_alarm(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	char id[ROW_ID_MAX];

	(void) state;
	add("Anna");
	memcpy(id, put_code(&code)->id, sizeof(id));
	use(id, fake->wall.s);
	assert_null(fake_find_event(fake, EVENT_ALARM));
	set_type("Anna", USER_FORCED, 0);
	use(id, fake->wall.s);
	assert_non_null(fake_find_event(fake, EVENT_ALARM));
	assert_int_equal(fake_find_event(fake, EVENT_ALARM)->alarm, ALARM_FORCED_USER);
	assert_string_equal(fake_find_event(fake, EVENT_ALARM)->user, "Anna");
}

/* Acceptance 67, 77. */
static void expiring_users_expire(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	struct user_edit edit = { .set = USER_EDIT_STATUS, .status = USER_STATUS_OCCUPIED_ENABLED };
	char id[ROW_ID_MAX];

	(void) state;
	add("Anna");
	memcpy(id, put_code(&code)->id, sizeof(id));
	set_type("Anna", USER_EXPIRING, 10);
	fake_advance(fake, 3600000);
	assert_int_equal(user_of("Anna")->status, USER_STATUS_OCCUPIED_ENABLED);
	use(id, fake->wall.s - 60); /* the lock's log came a minute late */
	fake_advance(fake, 539000);
	assert_int_equal(user_of("Anna")->status, USER_STATUS_OCCUPIED_ENABLED);
	/* Neither a clock that goes back nor one that is not to be trusted gives time. */
	fake->wall.s -= 100000;
	fake->is_trusted = false;
	fake_advance(fake, 1000);
	assert_int_equal(user_of("Anna")->status, USER_STATUS_OCCUPIED_DISABLED);
	/* Enabled again by a manager, all the time is there again from the next use on. */
	assert_int_equal(hub_user_edit(fake->hub, "Anna", &edit, &manager, NULL, NULL, NULL), 0);
	fake_turn(fake);
	fake_advance(fake, 3600000);
	assert_int_equal(user_of("Anna")->status, USER_STATUS_OCCUPIED_ENABLED);
	use(id, fake->wall.s);
	fake_advance(fake, 601000);
	assert_int_equal(user_of("Anna")->status, USER_STATUS_OCCUPIED_DISABLED);
}

/* Nor does a clock that went back when something else was changed in between. */
static void no_change_gives_time(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	struct code_add other = code_for("Bert", "Front", "618845");
	char ids[2][ROW_ID_MAX];

	(void) state;
	add("Anna");
	add("Bert");
	memcpy(ids[0], put_code(&code)->id, sizeof(ids[0]));
	(void) text_copy(other.until, sizeof(other.until), "+5m");
	memcpy(ids[1], put_code(&other)->id, sizeof(ids[1]));
	set_type("Anna", USER_EXPIRING, 10);
	use(ids[0], fake->wall.s);
	fake->is_trusted = false;
	fake_advance(fake, 400000);
	fake->wall.s -= 5000;
	add("Cleo");
	fake_advance(fake, 198000);
	assert_int_equal(user_of("Anna")->status, USER_STATUS_OCCUPIED_ENABLED);
	fake->wall.s += 9000;
	fake_advance(fake, 3000);
	assert_int_equal(user_of("Anna")->status, USER_STATUS_OCCUPIED_DISABLED);
	/* The code of the other one ends by trusted time only. */
	assert_false(book_credential(book(), ids[1])->is_expired);
}

/* The timer goes on over a restart: the first use is on the disk. */
static void expiring_survives_a_restart(void **state) {
	struct user user = { .id = "0000000a",
		.number = 1,
		.name = "Anna",
		.slug = "anna",
		.type = USER_EXPIRING,
		.status = USER_STATUS_OCCUPIED_ENABLED,
		.expiring_minutes = 10 };

	(void) state;
	for (int trusted = 0; trusted < 2; trusted++) {
		struct fake *other = fake_new();

		fake_add_lock(other, FRONT, "Front", false);
		other->is_trusted = trusted != 0;
		user.first_used_at.s = other->wall.s - 540;
		assert_int_equal(book_put_user(hub_load_book(other->hub), &user), 0);
		fake_start(other);
		fake_advance(other, 59000);
		assert_int_equal(book_user(hub_book(other->hub), user.id)->status,
			USER_STATUS_OCCUPIED_ENABLED);
		fake_advance(other, 2000);
		assert_int_equal(book_user(hub_book(other->hub), user.id)->status,
			USER_STATUS_OCCUPIED_DISABLED);
		fake_free(other);
	}
}

/* L8: only trusted time ends a code, and no clock brings it back. */
static void codes_end(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	char id[ROW_ID_MAX];

	(void) state;
	add("Anna");
	(void) text_copy(code.until, sizeof(code.until), "+2h");
	memcpy(id, put_code(&code)->id, sizeof(id));
	fake_advance(fake, 7199000);
	assert_false(book_credential(book(), id)->is_expired);
	fake->is_trusted = false;
	fake_advance(fake, 60000);
	assert_false(book_credential(book(), id)->is_expired);
	fake->is_trusted = true;
	fake_turn(fake);
	fake_turn(fake);
	assert_true(book_credential(book(), id)->is_expired);
	assert_non_null(strstr(last_change()->text, "expired"));
	fake->wall.s -= 86400;
	fake_advance(fake, 3600000);
	assert_true(book_credential(book(), id)->is_expired);
}

/* A change and a use at the same time: neither undoes the other. */
static void a_use_meets_a_change(void **state) {
	struct code_add code = code_for("Anna", "Front", "904118");
	struct user_edit edit = named("Anna Berg");
	struct user_edit later = named("Anna Tal");
	struct txn *txn;
	char id[ROW_ID_MAX];

	(void) state;
	add("Anna");
	set_type("Anna", USER_DISPOSABLE, 0);
	memcpy(id, put_code(&code)->id, sizeof(id));
	fake->is_ledger_held = true;
	assert_int_equal(hub_user_edit(fake->hub, "Anna", &edit, &manager, NULL, NULL, NULL), 0);
	txn = hub_txn_new(fake->hub);
	people_used(hub_lock_by_id(fake->hub, FRONT), book_credential(book(), id), fake->wall, txn);
	hub_commit(fake->hub, txn);
	assert_int_equal(
		hub_user_edit(fake->hub, "Anna Berg", &later, &manager, NULL, NULL, NULL), 0);
	fake->is_ledger_held = false;
	fake_turn(fake);
	assert_int_equal(user_of("Anna Tal")->status, USER_STATUS_OCCUPIED_DISABLED);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_user_is_there_when_committed),
		TEST(only_managers_may),
		TEST(two_clients_do_not_mix),
		TEST(what_the_disk_refuses_did_not_happen),
		TEST(the_queue_has_an_end),
		TEST(edits_change_what_they_name),
		TEST(numbers_can_be_chosen),
		TEST(slugs_are_made_unique),
		TEST(personal_factors_are_checked),
		TEST(generated_codes_suit_the_locks),
		TEST(codes_are_checked),
		TEST(codes_per_user_have_a_limit),
		TEST(a_code_brings_its_hours),
		TEST(codes_are_changed_and_revealed),
		TEST(unrecorded_codes_stay_hidden),
		TEST(schedules_restrict),
		TEST(hours_that_nobody_heeds_are_refused),
		TEST(two_who_set_rules_do_not_undo_each_other),
		TEST(adopting_opens_nothing),
		TEST(schedules_per_user_have_a_limit),
		TEST(access_comes_with_hours_and_goes),
		TEST(holidays_and_rules),
		TEST(users_stay_until_the_last_lock),
		TEST(revoked_codes_go_when_no_lock_has_them),
		TEST(foreign_codes_are_adopted_or_removed),
		TEST(one_use_and_no_more),
		TEST(disposable_users_are_disabled),
		TEST(forced_users_raise_an_alarm),
		TEST(expiring_users_expire),
		TEST(no_change_gives_time),
		TEST(expiring_survives_a_restart),
		TEST(codes_end),
		TEST(a_use_meets_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
