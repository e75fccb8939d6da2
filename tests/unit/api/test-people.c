/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Users, codes and schedules on the bus. */

#include "rig.h"

#include <unistd.h>

#include "core/people.h"
#include "util/text.h"

#define LOCK "org.lockhub1.Lock"
#define USER "org.lockhub1.User"
#define MANAGER "org.lockhub1.Manager"
#define MANAGER_PATH "/org/lockhub1/manager"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define ANNA_PATH "/org/lockhub1/user/anna"

static void expect_ok(struct rig *rig) {
	if (rig_error(rig) != NULL) {
		fail_msg("%s: %s", rig_error(rig), sd_bus_message_get_error(rig->reply)->message);
	}
}

static void expect_error(struct rig *rig, const char *fault, const char *word) {
	char name[128];
	snprintf(name, sizeof(name), "org.lockhub1.Error.%s", fault);
	assert_non_null(rig_error(rig));
	if (strcmp(rig_error(rig), name) != 0) {
		fail_msg("%s, not %s: %s", rig_error(rig), name,
			sd_bus_message_get_error(rig->reply)->message);
	}
	if (strstr(sd_bus_message_get_error(rig->reply)->message, word) == NULL) {
		fail_msg("no \"%s\" in: %s", word, sd_bus_message_get_error(rig->reply)->message);
	}
}

static void add_anna(struct rig *rig) {
	const char *path;
	rig_call(rig, MANAGER_PATH, MANAGER, "AddUser", "sa{sv}", "Anna", 0);
	expect_ok(rig);
	assert_true(sd_bus_message_read(rig->reply, "o", &path) > 0);
	assert_string_equal(path, ANNA_PATH);
}

/* Adds a code of Anna's with that PIN; its id. */
static char *add_code(struct rig *rig, const char *pin, char id[static 16]) {
	const char *text, *told;
	rig_call(rig, MANAGER_PATH, MANAGER, "AddCode", "sa{sv}", "anna", 1, "pin", "s", pin);
	expect_ok(rig);
	assert_true(sd_bus_message_read(rig->reply, "ss", &text, &told) > 0);
	assert_string_equal(told, pin);
	snprintf(id, 16, "%s", text);
	return id;
}

/* An aa{sv} property: how many rows have that text (or "yes", "no") under the key; NULL: rows. */
static size_t rows(struct rig *rig, const char *path, const char *interface, const char *property,
	const char *key, const char *value) {
	size_t n = 0, n_fit = 0;
	rig_call(rig, path, PROPERTIES, "Get", "ss", interface, property);
	expect_ok(rig);
	assert_true(sd_bus_message_enter_container(rig->reply, 'v', "aa{sv}") > 0);
	assert_true(sd_bus_message_enter_container(rig->reply, 'a', "a{sv}") > 0);
	while (sd_bus_message_enter_container(rig->reply, 'a', "{sv}") > 0) {
		const char *each, *text, *contents;
		char type;
		n++;
		while (sd_bus_message_enter_container(rig->reply, 'e', "sv") > 0) {
			assert_true(sd_bus_message_read(rig->reply, "s", &each) > 0);
			assert_true(sd_bus_message_peek_type(rig->reply, &type, &contents) > 0);
			if (key != NULL && strcmp(each, key) == 0 && contents[0] == 's') {
				assert_true(sd_bus_message_read(rig->reply, "v", "s", &text) > 0);
				n_fit += strcmp(text, value) == 0;
			} else if (key != NULL && strcmp(each, key) == 0 && contents[0] == 'b') {
				int flag;
				assert_true(sd_bus_message_read(rig->reply, "v", "b", &flag) > 0);
				n_fit += strcmp(flag ? "yes" : "no", value) == 0;
			} else {
				assert_true(sd_bus_message_skip(rig->reply, "v") > 0);
			}
			assert_true(sd_bus_message_exit_container(rig->reply) > 0);
		}
		assert_true(sd_bus_message_exit_container(rig->reply) > 0);
	}
	return key != NULL ? n_fit : n;
}

/* An entry of an a{sv} property as text, or NULL. */
static const char *entry(struct rig *rig, const char *path, const char *interface,
	const char *property, const char *key) {
	static char out[256];
	const char *each, *text, *contents;
	char type;
	bool is_found = false;
	rig_call(rig, path, PROPERTIES, "Get", "ss", interface, property);
	expect_ok(rig);
	assert_true(sd_bus_message_enter_container(rig->reply, 'v', "a{sv}") > 0);
	assert_true(sd_bus_message_enter_container(rig->reply, 'a', "{sv}") > 0);
	while (sd_bus_message_enter_container(rig->reply, 'e', "sv") > 0) {
		uint32_t number;
		assert_true(sd_bus_message_read(rig->reply, "s", &each) > 0);
		assert_true(sd_bus_message_peek_type(rig->reply, &type, &contents) > 0);
		if (strcmp(each, key) == 0 && contents[0] == 's') {
			assert_true(sd_bus_message_read(rig->reply, "v", "s", &text) > 0);
			snprintf(out, sizeof(out), "%s", text);
			is_found = true;
		} else if (strcmp(each, key) == 0 && contents[0] == 'u') {
			assert_true(sd_bus_message_read(rig->reply, "v", "u", &number) > 0);
			snprintf(out, sizeof(out), "%u", number);
			is_found = true;
		} else {
			assert_true(sd_bus_message_skip(rig->reply, "v") > 0);
		}
		assert_true(sd_bus_message_exit_container(rig->reply) > 0);
	}
	return is_found ? out : NULL;
}

static void a_user_is_an_object(void **state) {
	struct rig *rig = *state;
	const char *path;
	rig_forget(rig);
	add_anna(rig);
	rig_until_signal(rig, "/org/lockhub1", "InterfacesAdded", ANNA_PATH, NULL);
	assert_string_equal(rig_text(rig, ANNA_PATH, USER, "Name"), "Anna");
	assert_string_equal(rig_text(rig, ANNA_PATH, USER, "Slug"), "anna");
	assert_string_equal(rig_text(rig, ANNA_PATH, USER, "Type"), "unrestricted");
	assert_string_equal(rig_text(rig, ANNA_PATH, USER, "Status"), "enabled");
	assert_non_null(strstr(rig_text(rig, ANNA_PATH, USER, "CreatedBy"), "(uid "));
	assert_int_equal(rig_flag(rig, ANNA_PATH, USER, "HasCode"), 0);
	rig_call(rig, ANNA_PATH, PROPERTIES, "GetAll", "s", USER);
	expect_ok(rig);
	rig_call(
		rig, "/org/lockhub1/user", "org.freedesktop.DBus.Introspectable", "Introspect", "");
	assert_true(sd_bus_message_read(rig->reply, "s", &path) > 0);
	assert_non_null(strstr(path, "<node name=\"anna\"/>"));
	for (size_t i = 0; i < 3; i++) {
		static const char *const words[] = { "Anna", "anna", "1" };
		rig_call(rig, MANAGER_PATH, MANAGER, "FindUser", "s", words[i]);
		expect_ok(rig);
		assert_true(sd_bus_message_read(rig->reply, "o", &path) > 0);
		assert_string_equal(path, ANNA_PATH);
	}
	rig_call(rig, MANAGER_PATH, MANAGER, "FindUser", "s", "annna");
	expect_error(rig, "NoSuchUser", "anna?");
	rig_call(rig, "/org/lockhub1/user/bert", USER, "Remove", "");
	expect_error(rig, "NoSuchUser", "bert");
}

static void a_user_is_changed_and_removed(void **state) {
	struct rig *rig = *state;
	const char *path;
	add_anna(rig);
	rig_forget(rig);
	rig_call(rig, ANNA_PATH, USER, "Edit", "a{sv}", 3, "status", "s", "disabled", "code", "s",
		"482915", "totp", "ay", 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
	expect_ok(rig);
	rig_until_signal(rig, ANNA_PATH, "PropertiesChanged", USER, NULL);
	assert_string_equal(rig_text(rig, ANNA_PATH, USER, "Status"), "disabled");
	assert_int_equal(rig_flag(rig, ANNA_PATH, USER, "HasCode"), 1);
	assert_int_equal(rig_flag(rig, ANNA_PATH, USER, "HasTotp"), 1);
	rig_call(rig, ANNA_PATH, USER, "Edit", "a{sv}", 3, "name", "s", "Anna Huber", "code", "s",
		"", "totp", "ay", 0);
	expect_ok(rig);
	assert_true(sd_bus_message_read(rig->reply, "o", &path) > 0);
	assert_string_equal(path, "/org/lockhub1/user/anna_huber");
	assert_int_equal(
		rig_signals(rig, "/org/lockhub1", "InterfacesRemoved", ANNA_PATH, NULL), 1);
	assert_int_equal(rig_flag(rig, "/org/lockhub1/user/anna_huber", USER, "HasCode"), 0);
	assert_int_equal(rig_flag(rig, "/org/lockhub1/user/anna_huber", USER, "HasTotp"), 0);
	rig_call(rig, "/org/lockhub1/user/anna_huber", USER, "Remove", "");
	expect_ok(rig);
	rig_until_signal(
		rig, "/org/lockhub1", "InterfacesRemoved", "/org/lockhub1/user/anna_huber", NULL);
	assert_int_equal(book_user_count(hub_book(rig->fake->hub)), 0);
}

/* The answer says that it is safe: not before it is. */
static void an_answer_waits_for_the_commit(void **state) {
	struct rig *rig = *state;
	sd_bus_message *call = NULL;
	rig->fake->is_ledger_held = true;
	assert_true(sd_bus_message_new_method_call(bus_sd(rig->client), &call, "org.lockhub1",
			    MANAGER_PATH, MANAGER, "AddUser") >= 0);
	assert_true(sd_bus_message_append(call, "sa{sv}", "Anna", 0) >= 0);
	assert_true(sd_bus_send(bus_sd(rig->client), call, NULL) >= 0);
	sd_bus_message_unref(call);
	bus_kick(rig->client);
	for (unsigned i = 0; i < 2000 && list_is_empty(&rig->fake->txns); i++) {
		rig_turn(rig);
	}
	assert_false(list_is_empty(&rig->fake->txns));
	rig_forget(rig);
	for (unsigned i = 0; i < 20; i++) {
		rig_turn(rig);
	}
	assert_int_equal(rig_signals(rig, NULL, "InterfacesAdded", NULL, NULL), 0);
	rig_call(rig, MANAGER_PATH, MANAGER, "FindUser", "s", "anna");
	assert_non_null(rig_error(rig));
	rig->fake->is_ledger_held = false;
	rig_until_signal(rig, "/org/lockhub1", "InterfacesAdded", ANNA_PATH, NULL);
	/* And a disk that will not has a name. */
	fault_set(&rig->fake->ledger_fault, FAULT_DATABASE_IO, "the disk is gone");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddUser", "sa{sv}", "Bert", 0);
	expect_error(rig, "DatabaseIo", "gone");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddCode", "sa{sv}", "anna", 1, "pin", "s", "582047");
	expect_error(rig, "DatabaseIo", "gone");
	rig_call(rig, MANAGER_PATH, MANAGER, "FindUser", "s", "bert");
	assert_non_null(rig_error(rig));
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Credentials", NULL, NULL), 0);
}

static void changes_that_wait_are_dropped_with_the_bus(void **state) {
	struct rig *rig = *state;
	sd_bus_message *call = NULL;
	rig->fake->is_ledger_held = true;
	assert_true(sd_bus_message_new_method_call(bus_sd(rig->client), &call, "org.lockhub1",
			    MANAGER_PATH, MANAGER, "AddUser") >= 0);
	assert_true(sd_bus_message_append(call, "sa{sv}", "Anna", 0) >= 0);
	assert_true(sd_bus_send(bus_sd(rig->client), call, NULL) >= 0);
	sd_bus_message_unref(call);
	bus_kick(rig->client);
	for (unsigned i = 0; i < 2000 && list_is_empty(&rig->fake->txns); i++) {
		rig_turn(rig);
	}
	assert_false(list_is_empty(&rig->fake->txns));
	private_bus_kill(rig->daemon);
	for (unsigned i = 0; i < 20; i++) {
		rig_turn(rig);
	}
	rig->fake->is_ledger_held = false;
	for (unsigned i = 0; i < 20; i++) {
		rig_turn(rig); /* answers into the void; the sanitizer would tell */
	}
	/* What was handed over is done all the same, and seen afterwards. */
	assert_non_null(book_find_user(hub_book(rig->fake->hub), "anna"));
	assert_true(private_bus_start(rig->daemon));
	rig_until(rig, &rig->is_client_up);
	rig_until_named(rig);
	assert_string_equal(rig_text(rig, ANNA_PATH, USER, "Name"), "Anna");
}

static void a_code_is_told_to_its_maker_only(void **state) {
	struct rig *rig = *state;
	char id[16];
	const char *text, *pin;
	add_anna(rig);
	rig_forget(rig);
	rig_call(rig, MANAGER_PATH, MANAGER, "AddCode", "sa{sv}", "anna", 2, "generate", "b", 1,
		"label", "s", "cleaner");
	expect_ok(rig);
	assert_true(sd_bus_message_read(rig->reply, "ss", &text, &pin) > 0);
	snprintf(id, sizeof(id), "%s", text);
	assert_true(strlen(pin) >= 6 && strspn(pin, "0123456789") == strlen(pin));
	rig_until_signal(rig, ANNA_PATH, "PropertiesChanged", USER, NULL);
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Credentials", "id", id), 1);
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Credentials", "label", "cleaner"), 1);
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Credentials", "lock", ""), 1);
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Credentials", "pin", ""), 0);
	/* Bound to a lock that keeps none. */
	rig_call(rig, MANAGER_PATH, MANAGER, "AddCode", "sa{sv}", "anna", 2, "generate", "b", 1,
		"lock", "s", "front-door");
	expect_error(rig, "NotSupported", "front-door");
}

static void a_code_is_revealed_changed_and_revoked(void **state) {
	struct rig *rig = *state;
	char id[16];
	const char *pin;
	add_anna(rig);
	add_code(rig, "582047", id);
	rig->fake->n_events = 0;
	rig_call(rig, MANAGER_PATH, MANAGER, "RevealCode", "s", id);
	expect_ok(rig);
	assert_true(sd_bus_message_read(rig->reply, "s", &pin) > 0);
	assert_string_equal(pin, "582047");
	const struct event *event = fake_find_event(rig->fake, EVENT_CODE_REVEALED);
	assert_non_null(event);
	assert_null(strstr(event->text, "582047"));
	rig_call(rig, MANAGER_PATH, MANAGER, "ChangeCode", "ss", id, "719364");
	expect_ok(rig);
	assert_true(sd_bus_message_read(rig->reply, "s", &pin) > 0);
	assert_string_equal(pin, "719364");
	rig_call(rig, MANAGER_PATH, MANAGER, "ChangeCode", "ss", id, "");
	expect_ok(rig);
	assert_true(sd_bus_message_read(rig->reply, "s", &pin) > 0);
	assert_true(strlen(pin) >= 6 && strcmp(pin, "719364") != 0);
	rig_call(rig, MANAGER_PATH, MANAGER, "RevokeCode", "s", id);
	expect_ok(rig);
	/* At no lock: gone at once. */
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Credentials", NULL, NULL), 0);
	rig_call(rig, MANAGER_PATH, MANAGER, "RevealCode", "s", id);
	expect_error(rig, "NoSuchCode", "");
}

static void mistakes_have_names(void **state) {
	struct rig *rig = *state;
	char id[16];
	add_anna(rig);
	rig_call(rig, MANAGER_PATH, MANAGER, "AddUser", "sa{sv}", "ANNA", 0);
	expect_error(rig, "NameTaken", "");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddUser", "sa{sv}", "", 0);
	expect_error(rig, "BadArgument", "");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddUser", "sa{sv}", "with\ncontrol", 0);
	expect_error(rig, "BadArgument", "control");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddUser", "sa{sv}", "Bert", 1, "tpye", "s", "x");
	expect_error(rig, "BadArgument", "did you mean 'type'?");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddUser", "sa{sv}", "Bert", 1, "type", "s", "king");
	expect_error(rig, "BadArgument", "there is no type 'king'");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddUser", "sa{sv}", "Bert", 1, "type", "b", 1);
	expect_error(rig, "BadArgument", "type must be a string");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddUser", "sa{sv}", "Bert", 1, "expiring_minutes",
		"i", -1);
	expect_error(rig, "BadArgument", "not negative");
	rig_call(rig, ANNA_PATH, USER, "Edit", "a{sv}", 1, "totp", "s", "x");
	expect_error(rig, "BadArgument", "array");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddCode", "sa{sv}", "bert", 1, "generate", "b", 1);
	expect_error(rig, "NoSuchUser", "");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddCode", "sa{sv}", "anna", 1, "generate", "s", "x");
	expect_error(rig, "BadArgument", "generate must be a boolean");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddCode", "sa{sv}", "anna", 1, "pin", "s", "111111");
	expect_error(rig, "WeakCode", "");
	assert_null(strstr(sd_bus_message_get_error(rig->reply)->message, "111111"));
	add_code(rig, "582047", id);
	rig_call(rig, MANAGER_PATH, MANAGER, "AddCode", "sa{sv}", "anna", 1, "pin", "s", "582047");
	expect_error(rig, "CodeTaken", "");
	assert_null(strstr(sd_bus_message_get_error(rig->reply)->message, "582047"));
	rig_call(rig, MANAGER_PATH, MANAGER, "AddCode", "sa{sv}", "anna", 2, "pin", "s", "719364",
		"when", "s", "sometimes");
	expect_error(rig, "BadArgument", "sometimes");
	/* Not cut silently. */
	rig_call(rig, MANAGER_PATH, MANAGER, "AddCode", "sa{sv}", "anna", 2, "pin", "s", "719364",
		"label", "s",
		"a label of more than sixty-three octets, which is as long as one may be");
	expect_error(rig, "BadArgument", "label");
	rig_call(rig, MANAGER_PATH, MANAGER, "RevokeCode", "s", "nonsense");
	expect_error(rig, "NoSuchCode", "");
	rig_call(rig, MANAGER_PATH, MANAGER, "AdoptCode", "ssxs", "front-door", "spell",
		(int64_t) 1, "anna");
	expect_error(rig, "BadArgument", "spell");
	rig_call(rig, MANAGER_PATH, MANAGER, "RemoveSchedule", "s", "nonsense");
	expect_error(rig, "NoSuchSchedule", "");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddHoliday", "sss", "front-door",
		"2027-08-01 - 2027-08-14", "party");
	expect_error(rig, "BadArgument", "party");
	rig_call(rig, ANNA_PATH, USER, "Grant", "ss", "frnt-door", "");
	expect_error(rig, "NoSuchLock", "front-door");
}

static void access_and_schedules_are_told(void **state) {
	struct rig *rig = *state;
	const char *lock;
	char id[16];
	add_anna(rig);
	rig_call(rig, ANNA_PATH, USER, "Grant", "ss", "front-door", "Mon-Fri 08:00-12:00");
	expect_ok(rig);
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Schedules", "text", "Mon-Fri 08:00-12:00"), 1);
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Schedules", "lock", "front-door"), 1);
	rig_call(rig, ANNA_PATH, PROPERTIES, "Get", "ss", USER, "Locks");
	assert_true(sd_bus_message_enter_container(rig->reply, 'v', "as") > 0);
	assert_true(sd_bus_message_enter_container(rig->reply, 'a', "s") > 0);
	assert_true(sd_bus_message_read(rig->reply, "s", &lock) > 0);
	assert_string_equal(lock, "front-door");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddSchedule", "sss", "anna", "", "Sat 10:00-11:00");
	expect_ok(rig);
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Schedules", NULL, NULL), 2);
	/* Empty keeps the windows, a dash takes them away. */
	rig_call(rig, ANNA_PATH, USER, "Grant", "ss", "front-door", "");
	expect_ok(rig);
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Schedules", NULL, NULL), 2);
	rig_call(rig, ANNA_PATH, USER, "Grant", "ss", "front-door", "-");
	expect_ok(rig);
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Schedules", NULL, NULL), 1);
	snprintf(id, sizeof(id), "%s", book_schedule_at(hub_book(rig->fake->hub), 0)->id);
	rig_call(rig, MANAGER_PATH, MANAGER, "RemoveSchedule", "s", id);
	expect_ok(rig);
	assert_int_equal(rows(rig, ANNA_PATH, USER, "Schedules", NULL, NULL), 0);
	rig_call(rig, ANNA_PATH, USER, "Revoke", "s", "");
	expect_ok(rig);
	assert_null(book_access_at(hub_book(rig->fake->hub), 0));
}

static void a_lock_tells_its_rules_and_holidays(void **state) {
	struct rig *rig = *state;
	char id[16];
	assert_string_equal(entry(rig, FRONT_PATH, LOCK, "Rules", "factor"), "none");
	assert_string_equal(entry(rig, FRONT_PATH, LOCK, "Rules", "wrong_code_limit"), "5");
	rig_forget(rig);
	rig_call(rig, MANAGER_PATH, MANAGER, "SetLockRules", "sa{sv}", "front-door", 2, "factor",
		"s", "either", "wrong_code_limit", "u", 3);
	expect_ok(rig);
	rig_until_signal(rig, FRONT_PATH, "PropertiesChanged", LOCK, NULL);
	assert_string_equal(entry(rig, FRONT_PATH, LOCK, "Rules", "factor"), "either");
	assert_string_equal(entry(rig, FRONT_PATH, LOCK, "Rules", "wrong_code_limit"), "3");
	assert_string_equal(entry(rig, FRONT_PATH, LOCK, "Rules", "code_disable_s"), "60");
	assert_string_equal(entry(rig, FRONT_PATH, LOCK, "Rules", "zone_in_force"), "UTC");
	rig_call(rig, MANAGER_PATH, MANAGER, "SetLockRules", "sa{sv}", "front-door", 1,
		"wrong_code_limit", "u", 0);
	expect_error(rig, "BadArgument", "");
	rig_call(rig, MANAGER_PATH, MANAGER, "AddHoliday", "sss", "front-door",
		"2027-08-01 - 2027-08-14", "vacation");
	expect_ok(rig);
	assert_int_equal(rows(rig, FRONT_PATH, LOCK, "Holidays", "mode", "vacation"), 1);
	assert_int_equal(rows(rig, BACK_PATH, LOCK, "Holidays", NULL, NULL), 0);
	snprintf(id, sizeof(id), "%s", book_holiday_at(hub_book(rig->fake->hub), 0)->id);
	rig_call(rig, MANAGER_PATH, MANAGER, "RemoveHoliday", "s", id);
	expect_ok(rig);
	assert_int_equal(rows(rig, FRONT_PATH, LOCK, "Holidays", NULL, NULL), 0);
	assert_non_null(entry(rig, FRONT_PATH, LOCK, "Rules", "mode_in_force"));
	assert_int_equal(rows(rig, FRONT_PATH, LOCK, "Users", NULL, NULL), 0);
}

/* What a lock holds: whose it is, and in which window. */
static void a_lock_tells_what_it_holds(void **state) {
	struct rig *rig = *state;
	struct book *book = hub_load_book(rig->fake->hub);
	struct slot slots[3] = {
		{ .type = CREDENTIAL_PIN,
			.ref = 7,
			.name = "Anna",
			.is_enabled = true,
			.is_limited = true,
			.window = { .from = { 1800000000 },
				.days = 0x3e,
				.start_minute = 480,
				.end_minute = 720 } },
		{ .type = CREDENTIAL_PIN, .ref = 8, .name = "evil\033[2J", .is_enabled = true },
		{ .type = CREDENTIAL_APP_KEY, .ref = 9, .name = "lockhub", .is_own = true },
	};
	char id[16];
	add_anna(rig);
	add_code(rig, "582047", id);
	struct placement placement = { .ref = 7, .state = PLACEMENT_PRESENT };
	text_copy(placement.lock_id, sizeof(placement.lock_id), FRONT_ID);
	text_copy(placement.credential_id, sizeof(placement.credential_id), id);
	assert_int_equal(book_put_placement(book, &placement), 0);
	assert_int_equal(book_put_slots(book, FRONT_ID, slots, 3, (wall_t){ 1800000000 }), 0);
	assert_int_equal(rows(rig, FRONT_PATH, LOCK, "Users", "user", "anna"), 1);
	assert_int_equal(rows(rig, FRONT_PATH, LOCK, "Users", "credential", id), 1);
	assert_int_equal(rows(rig, FRONT_PATH, LOCK, "Users", "user", ""), 2);
	assert_int_equal(rows(rig, FRONT_PATH, LOCK, "Users", "name", "evil?[2J"), 1);
	assert_int_equal(rows(rig, FRONT_PATH, LOCK, "Users", "foreign", "yes"), 1);
	assert_int_equal(rows(rig, FRONT_PATH, LOCK, "Users", "own", "yes"), 1);
	assert_int_equal(rows(rig, FRONT_PATH, LOCK, "Users", "window",
				 "Mon-Fri 08:00-12:00, from 2027-01-15 08:00"),
		1);
	/* The lock is told once for many changes, and the user with it. */
	rig_forget(rig);
	struct lock *lock = hub_find_lock(rig->fake->hub, FRONT_ID);
	for (unsigned i = 0; i < 10; i++) {
		signal_emit(&hub_signals(rig->fake->hub)->sync_changed, lock);
	}
	rig_until_signal(rig, FRONT_PATH, "PropertiesChanged", LOCK, NULL);
	rig_until_signal(rig, ANNA_PATH, "PropertiesChanged", USER, NULL);
	assert_int_equal(rig_signals(rig, FRONT_PATH, "PropertiesChanged", LOCK, NULL), 1);
	/* And once more when it is gone from there, but not for ever. */
	book_remove_placement(book, FRONT_ID, id);
	rig_forget(rig);
	signal_emit(&hub_signals(rig->fake->hub)->sync_changed, lock);
	rig_until_signal(rig, ANNA_PATH, "PropertiesChanged", USER, NULL);
	rig_forget(rig);
	signal_emit(&hub_signals(rig->fake->hub)->sync_changed, lock);
	rig_until_signal(rig, FRONT_PATH, "PropertiesChanged", LOCK, NULL);
	assert_int_equal(rig_signals(rig, ANNA_PATH, "PropertiesChanged", USER, NULL), 0);
}

static void a_factor_comes_along(void **state) {
	struct rig *rig = *state;
	const char *path;
	char own[128];
	add_anna(rig);
	rig_call(rig, ANNA_PATH, USER, "Edit", "a{sv}", 1, "code", "s", "482915");
	expect_ok(rig);
	rig_call(rig, ANNA_PATH, USER, "Grant", "ss", "front-door", "");
	expect_ok(rig);
	rig_call(rig, FRONT_PATH, LOCK, "UnlockWithFactor", "s", "");
	expect_error(rig, "BadArgument", "code");
	rig_call(rig, FRONT_PATH, LOCK, "UnlockWithFactor", "s", "482916");
	expect_error(rig, "FactorWrong", "");
	assert_null(strstr(sd_bus_message_get_error(rig->reply)->message, "482916"));
	rig_forget(rig);
	rig_call(rig, FRONT_PATH, LOCK, "UnlockWithFactor", "s", "482915");
	expect_ok(rig);
	assert_true(sd_bus_message_read(rig->reply, "o", &path) > 0);
	snprintf(own, sizeof(own), "%s", path);
	rig_until_signal(rig, own, "Finished", "done", NULL);
	assert_string_equal(rig_text(rig, own, "org.lockhub1.Operation", "Act"), "unlock");
}

static void asking_for_a_look_is_answered_at_once(void **state) {
	struct rig *rig = *state;
	rig->fake->is_ledger_held = true;
	rig_call(rig, MANAGER_PATH, MANAGER, "SyncCodes", "s", "nonsense");
	expect_error(rig, "NoSuchLock", "");
	rig_call(rig, MANAGER_PATH, MANAGER, "SyncCodes", "s", "");
	expect_ok(rig);
	rig->fake->is_ledger_held = false;
}

int main(void) {
#define ON_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		ON_RIG(a_user_is_an_object),
		ON_RIG(a_user_is_changed_and_removed),
		ON_RIG(an_answer_waits_for_the_commit),
		ON_RIG(changes_that_wait_are_dropped_with_the_bus),
		ON_RIG(a_code_is_told_to_its_maker_only),
		ON_RIG(a_code_is_revealed_changed_and_revoked),
		ON_RIG(mistakes_have_names),
		ON_RIG(access_and_schedules_are_told),
		ON_RIG(a_lock_tells_its_rules_and_holidays),
		ON_RIG(a_lock_tells_what_it_holds),
		ON_RIG(a_factor_comes_along),
		ON_RIG(asking_for_a_look_is_answered_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
