/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The manager's methods for users, codes and schedules. All of them need the role manage and are
 * answered after COMMIT; one handler finds out who asks, a table says who answers. All messages
 * count as sensitive: some hold PINs, and of the others nothing is lost.
 */

#include "room.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static int set_user_type(const char *word, void *at) {
	return user_type_from_name(word, at);
}
static int set_user_status(const char *word, void *at) {
	return user_status_from_name(word, at);
}
static int set_credential_type(const char *word, void *at) {
	return credential_type_from_name(word, at);
}
static int set_factor(const char *word, void *at) {
	return factor_rule_from_name(word, at);
}
static int set_mode(const char *word, void *at) {
	return operating_mode_from_name(word, at);
}

/* AddCode as it comes: an end may also be a moment in UTC. */
struct code_call {
	struct code_add add; /* first: its options are placed from the start */
	unsigned valid_until;
};

#define AT(type, member) offsetof(struct type, member), sizeof(((struct type *) NULL)->member)
/* clang-format off */
static const struct option user_options[] = {
	{ "name",             OPTION_TEXT,   AT(user_edit, name), USER_EDIT_NAME, NULL },
	{ "type",             OPTION_WORD,   AT(user_edit, type), USER_EDIT_TYPE, set_user_type },
	{ "status",           OPTION_WORD,   AT(user_edit, status), USER_EDIT_STATUS, set_user_status },
	{ "expiring_minutes", OPTION_NUMBER, AT(user_edit, expiring_minutes), USER_EDIT_EXPIRING, NULL },
	{ "code",             OPTION_SECRET, AT(user_edit, code), USER_EDIT_CODE, NULL },
	{ "totp",             OPTION_OCTETS, AT(user_edit, totp), USER_EDIT_TOTP, NULL },
};
static const struct option code_options[] = {
	{ "valid_until", OPTION_NUMBER, offsetof(struct code_call, valid_until), sizeof(unsigned), 0, NULL },
	{ "lock",     OPTION_TEXT,   AT(code_add, lock), 0, NULL },
	{ "type",     OPTION_WORD,   AT(code_add, type), 0, set_credential_type },
	{ "pin",      OPTION_SECRET, AT(code_add, pin), 0, NULL },
	{ "generate", OPTION_FLAG,   AT(code_add, generate), 0, NULL },
	{ "digits",   OPTION_NUMBER, AT(code_add, digits), 0, NULL },
	{ "label",    OPTION_TEXT,   AT(code_add, label), 0, NULL },
	{ "when",     OPTION_TEXT,   AT(code_add, when), 0, NULL },
	{ "until",    OPTION_TEXT,   AT(code_add, until), 0, NULL },
	{ "once",     OPTION_FLAG,   AT(code_add, is_once), 0, NULL },
};
static const struct option rules_options[] = {
	{ "zone",                OPTION_TEXT,   AT(lock_rules, zone), 0, NULL },
	{ "factor",              OPTION_WORD,   AT(lock_rules, factor), 0, set_factor },
	{ "mode",                OPTION_WORD,   AT(lock_rules, mode), 0, set_mode },
	{ "wrong_code_limit",    OPTION_NUMBER, AT(lock_rules, wrong_code_limit), 0, NULL },
	{ "code_disable_s",      OPTION_NUMBER, AT(lock_rules, code_disable_s), 0, NULL },
	{ "open_period_minutes", OPTION_NUMBER, AT(lock_rules, open_period_minutes), 0, NULL },
};
/* clang-format on */

static void user_edit_wipe(struct user_edit *edit) {
	secret_wipe(&edit->code);
	secret_wipe(&edit->totp);
}

static void code_call_wipe(struct code_call *call) {
	secret_wipe(&call->add.pin);
}

static int unreadable(struct fault *ret_fault) {
	return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "the arguments cannot be read");
}

/* A word that people type, cut to what can be the name of anything. */
static int read_word(sd_bus_message *message, const char **ret, struct fault *ret_fault) {
	if (sd_bus_message_read(message, "s", ret) < 0) {
		return unreadable(ret_fault);
	}
	if (!text_is_clean(*ret, strlen(*ret))) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "a name has no control characters");
	}
	return 0;
}

/* ------------------------------------------------------------------------- users */

static int read_user_edit(sd_bus_message *message, struct user_edit *edit, struct fault *fault) {
	return options_read(
		message, user_options, ARRAY_SIZE(user_options), edit, &edit->set, fault);
}

static int add_user(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	AUTO_VALUE(user_edit_wipe) struct user_edit edit = { 0 };
	const char *name;
	int r = read_word(message, &name, fault);
	if (r >= 0) {
		r = read_user_edit(message, &edit, fault);
	}
	if (r < 0) {
		return r;
	}
	if (!text_copy(edit.name, sizeof(edit.name), name)) {
		return fault_set(fault, FAULT_BAD_ARGUMENT, "a name has at most %d octets",
			LOCK_NAME_MAX - 1);
	}
	edit.set |= USER_EDIT_NAME;
	return hub_user_add(api->hub, &edit, by, pending_id(pending), pending_done, pending, fault);
}

/* The one whose object was called; "" when he has gone. */
static const char *user_called(const struct api *api, sd_bus_message *message) {
	const struct api_user *shown = objects_find(&api->users, sd_bus_message_get_path(message));
	return shown != NULL ? shown->id : "";
}

static int edit_user(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	AUTO_VALUE(user_edit_wipe) struct user_edit edit = { 0 };
	int r = read_user_edit(message, &edit, fault);
	text_copy(pending_id(pending), ROW_ID_MAX, user_called(api, message));
	return r < 0 ? r
		     : hub_user_edit(api->hub, pending_id(pending), &edit, by, pending_done,
			       pending, fault);
}

static int remove_user(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	return hub_user_remove(
		api->hub, user_called(api, message), by, pending_done, pending, fault);
}

static int grant_access(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	const char *lock, *when;
	int r = read_word(message, &lock, fault);
	if (r >= 0) {
		r = read_word(message, &when, fault);
	}
	/* A person who wants no window any more says so with a dash: "" keeps them. */
	const char *windows = r < 0 || when[0] == '\0' ? NULL : strcmp(when, "-") == 0 ? "" : when;
	return r < 0 ? r
		     : hub_access_grant(api->hub, user_called(api, message), lock, windows, by,
			       pending_done, pending, fault);
}

static int revoke_access(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	const char *lock;
	int r = read_word(message, &lock, fault);
	return r < 0 ? r
		     : hub_access_revoke(api->hub, user_called(api, message), lock, by,
			       pending_done, pending, fault);
}

/* ------------------------------------------------------------------------- codes */

/* A moment in the words that people use, by the clock that core will read them by. */
static void write_until(const struct hub *hub, struct code_call *call) {
	const struct lock *lock =
		call->add.lock[0] != '\0' ? hub_find_lock(hub, call->add.lock) : NULL;
	const struct zone *zone = hub_lock_zone(hub, lock != NULL ? lock_id(lock) : "");
	char text[WALL_TEXT_MAX];
	wall_to_text((wall_t){ zone_local(zone, (wall_t){ call->valid_until }) }, text);
	snprintf(call->add.until, sizeof(call->add.until), "%.10s %.5s", text, text + 11);
}

static int add_code(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	AUTO_VALUE(code_call_wipe) struct code_call call = { .add.type = CREDENTIAL_PIN };
	const char *user;
	int r = read_word(message, &user, fault);
	if (r >= 0) {
		r = options_read(
			message, code_options, ARRAY_SIZE(code_options), &call, NULL, fault);
	}
	if (r < 0) {
		return r;
	}
	if (!text_copy(call.add.user, sizeof(call.add.user), user)) {
		return fault_set(fault, FAULT_NO_SUCH_USER, "nobody has so long a name");
	}
	if (call.valid_until != 0) {
		write_until(api->hub, &call);
	}
	return hub_code_add(api->hub, &call.add, by, pending_id(pending), pending_pin(pending),
		pending_done, pending, fault);
}

static int change_code(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	AUTO_VALUE(secret_wipe) struct secret pin = { 0 };
	const char *id, *text;
	int r = read_word(message, &id, fault);
	if (r < 0) {
		return r;
	}
	if (sd_bus_message_read(message, "s", &text) < 0 || secret_set_text(&pin, text) < 0) {
		return unreadable(fault);
	}
	return hub_code_change(
		api->hub, id, &pin, by, pending_pin(pending), pending_done, pending, fault);
}

static int revoke_code(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	const char *id;
	int r = read_word(message, &id, fault);
	return r < 0 ? r : hub_code_revoke(api->hub, id, by, pending_done, pending, fault);
}

static int reveal_code(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	const char *id;
	int r = read_word(message, &id, fault);
	return r < 0 ? r
		     : hub_code_reveal(api->hub, id, by, pending_pin(pending), pending_done,
			       pending, fault);
}

static int read_foreign(sd_bus_message *message, const char **ret_lock,
	enum credential_type *ret_type, int64_t *ret_ref, struct fault *fault) {
	const char *type;
	int r = read_word(message, ret_lock, fault);
	if (r < 0) {
		return r;
	}
	if (sd_bus_message_read(message, "sx", &type, ret_ref) < 0) {
		return unreadable(fault);
	}
	if (credential_type_from_name(type, ret_type) < 0) {
		return fault_set(
			fault, FAULT_BAD_ARGUMENT, "there is no credential type '%.32s'", type);
	}
	return 0;
}

static int adopt_code(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	enum credential_type type = CREDENTIAL_PIN;
	const char *lock, *user;
	int64_t ref;
	int r = read_foreign(message, &lock, &type, &ref, fault);
	if (r >= 0) {
		r = read_word(message, &user, fault);
	}
	return r < 0 ? r
		     : hub_code_adopt(api->hub, lock, type, ref, user, by, pending_id(pending),
			       pending_done, pending, fault);
}

static int remove_foreign_code(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	enum credential_type type = CREDENTIAL_PIN;
	const char *lock;
	int64_t ref;
	int r = read_foreign(message, &lock, &type, &ref, fault);
	return r < 0 ? r
		     : hub_code_remove_foreign(
			       api->hub, lock, type, ref, by, pending_done, pending, fault);
}

static int sync_codes(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	const char *lock;
	int r = read_word(message, &lock, fault);
	if (r >= 0) {
		r = hub_code_sync(api->hub, lock, by, fault);
	}
	if (r >= 0) {
		pending_done(pending, NULL); /* nothing has to be committed for it */
	}
	return r;
}

/* ------------------------------------------------------------------------- times */

static int add_schedule(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	const char *user, *lock, *when;
	int r = read_word(message, &user, fault);
	if (r >= 0) {
		r = read_word(message, &lock, fault);
	}
	if (r >= 0) {
		r = read_word(message, &when, fault);
	}
	return r < 0 ? r
		     : hub_schedule_add(
			       api->hub, user, lock, when, by, pending_done, pending, fault);
}

static int remove_schedule(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	const char *id;
	int r = read_word(message, &id, fault);
	return r < 0 ? r : hub_schedule_remove(api->hub, id, by, pending_done, pending, fault);
}

static int add_holiday(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	const char *lock, *when, *word;
	enum operating_mode mode;
	int r = read_word(message, &lock, fault);
	if (r >= 0) {
		r = read_word(message, &when, fault);
	}
	if (r >= 0) {
		r = read_word(message, &word, fault);
	}
	if (r < 0) {
		return r;
	}
	if (operating_mode_from_name(word, &mode) < 0) {
		return fault_set(fault, FAULT_BAD_ARGUMENT, "there is no mode '%.32s'", word);
	}
	return hub_holiday_add(api->hub, lock, when, mode, by, pending_done, pending, fault);
}

static int remove_holiday(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	const char *id;
	int r = read_word(message, &id, fault);
	return r < 0 ? r : hub_holiday_remove(api->hub, id, by, pending_done, pending, fault);
}

static int set_lock_rules(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault) {
	struct lock *lock = NULL;
	const char *word;
	int r = read_word(message, &word, fault);
	if (r >= 0) {
		r = hub_get_lock(api->hub, word, &lock, fault);
	}
	if (r < 0) {
		return r;
	}
	struct lock_rules rules = *book_rules(hub_book(api->hub), lock_id(lock));
	r = options_read(message, rules_options, ARRAY_SIZE(rules_options), &rules, NULL, fault);
	return r < 0 ? r
		     : hub_rules_set(
			       api->hub, lock_id(lock), &rules, by, pending_done, pending, fault);
}

/* ------------------------------------------------------------------------- all of them */

/* Hands the change to core, or returns why not. */
typedef int people_fn(struct api *api, sd_bus_message *message, const struct people_by *by,
	struct pending *pending, struct fault *fault);

/* clang-format off */
static const struct {
	const char *interface, *member;
	people_fn *fn;
	enum pending_answer answer;
} methods[] = {
	{ API_MANAGER_INTERFACE, "AddUser",           add_user,            PENDING_USER },
	{ API_MANAGER_INTERFACE, "AddCode",           add_code,            PENDING_ID_PIN },
	{ API_MANAGER_INTERFACE, "ChangeCode",        change_code,         PENDING_PIN },
	{ API_MANAGER_INTERFACE, "RevokeCode",        revoke_code,         PENDING_NOTHING },
	{ API_MANAGER_INTERFACE, "RevealCode",        reveal_code,         PENDING_PIN },
	{ API_MANAGER_INTERFACE, "AdoptCode",         adopt_code,          PENDING_ID },
	{ API_MANAGER_INTERFACE, "RemoveForeignCode", remove_foreign_code, PENDING_NOTHING },
	{ API_MANAGER_INTERFACE, "SyncCodes",         sync_codes,          PENDING_NOTHING },
	{ API_MANAGER_INTERFACE, "AddSchedule",       add_schedule,        PENDING_NOTHING },
	{ API_MANAGER_INTERFACE, "RemoveSchedule",    remove_schedule,     PENDING_NOTHING },
	{ API_MANAGER_INTERFACE, "AddHoliday",        add_holiday,         PENDING_NOTHING },
	{ API_MANAGER_INTERFACE, "RemoveHoliday",     remove_holiday,      PENDING_NOTHING },
	{ API_MANAGER_INTERFACE, "SetLockRules",      set_lock_rules,      PENDING_NOTHING },
	{ API_USER_INTERFACE,    "Edit",              edit_user,           PENDING_USER },
	{ API_USER_INTERFACE,    "Remove",            remove_user,         PENDING_NOTHING },
	{ API_USER_INTERFACE,    "Grant",             grant_access,        PENDING_NOTHING },
	{ API_USER_INTERFACE,    "Revoke",            revoke_access,       PENDING_NOTHING },
};
/* clang-format on */

static void granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct people_by by = by_asker(asker);
	struct fault fault = { 0 };
	size_t i = 0;
	while (i < ARRAY_SIZE(methods) &&
		(strcmp(methods[i].member, sd_bus_message_get_member(message)) != 0 ||
			strcmp(methods[i].interface, sd_bus_message_get_interface(message)) != 0)) {
		i++;
	}
	assert(i < ARRAY_SIZE(methods)); /* a method of the vtable without a row is our bug */
	struct pending *pending = pending_new(api, message, methods[i].answer);
	if (pending == NULL) {
		return;
	}
	int r = methods[i].fn(api, message, &by, pending, &fault);
	if (r < 0) {
		pending_asked(pending, r, &fault);
	}
}

int people_ask(struct api *api, sd_bus_message *message) {
	static const struct ask_rule rule = { ROLE_MANAGE, granted, NULL };
	sd_bus_message_sensitive(message);
	return ask(api, message, &rule);
}

int people_method(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	return people_ask(user, message);
}

/* Tells no more than the properties do, as FindLock. */
int people_find_user(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	const struct api *api = user;
	const struct book *book = hub_book(api->hub);
	struct fault fault = { 0 };
	char path[API_PATH_MAX];
	const char *word;
	int r = read_word(message, &word, &fault);
	if (r < 0) {
		return reply_fault(message, &fault);
	}
	const struct user *found = book_find_user(book, word);
	if (found != NULL) {
		return sd_bus_reply_method_return(
			message, "o", object_path(&user_kind, found->slug, path));
	}
	const char *slugs[USERS_MAX];
	size_t n = 0;
	for (; n < USERS_MAX && n < book_user_count(book); n++) {
		slugs[n] = book_user_at(book, n)->slug;
	}
	const char *nearest = text_nearest(word, slugs, n);
	fault_set(&fault, FAULT_NO_SUCH_USER, "'%.64s'%s%s%s", word,
		nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
		nearest != NULL ? "?" : "");
	return reply_fault(message, &fault);
}
