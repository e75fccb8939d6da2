/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define CSV_FIELDS_MAX 16

struct import {
	struct ctl *ctl;
	json_t *locks; /* of the hub */
	json_t *users;
	size_t n_added, n_skipped, n_failed, n_left_out;
};

/* ---------------------------------------------------------------- reading */

/* One field of RFC 4180, unquoted in place. @return what follows it, NULL: a quote is missing. */
static char *csv_field(char *p, char **ret_field, bool *ret_is_last) {
	char *out = p;
	*ret_field = p;
	if (*p == '"') {
		for (p++; !(p[0] == '"' && p[1] != '"'); p++) {
			if (*p == '\0') {
				return NULL;
			}
			p += p[0] == '"';
			*out++ = *p;
		}
		p++;
	} else {
		while (*p != ',' && *p != '\r' && *p != '\n' && *p != '\0') {
			*out++ = *p++;
		}
	}
	char mark = *p;
	*ret_is_last = mark != ',';
	if (mark == '\r' && p[1] == '\n') {
		p++;
	}
	p += *p != '\0';
	*out = '\0';
	return mark == ',' || mark == '\r' || mark == '\n' || mark == '\0' ? p : NULL;
}

/* @return what follows the line; NULL: it is not CSV. */
static char *csv_line(char *p, char *fields[CSV_FIELDS_MAX], size_t *ret_n) {
	bool is_last = false;
	*ret_n = 0;
	while (p != NULL && !is_last) {
		if (*ret_n == CSV_FIELDS_MAX) {
			return NULL;
		}
		p = csv_field(p, &fields[(*ret_n)++], &is_last);
	}
	return p;
}

/* "front-door, back-door" */
static json_t *split_locks(char *text) {
	json_t *locks = json_array();
	char *save = NULL;
	for (char *word = strtok_r(text, ", ", &save); word != NULL;
		word = strtok_r(NULL, ", ", &save)) {
		json_array_append_new(locks, json_string(word));
	}
	return locks;
}

static bool set_field(json_t *user, const char *column, char *value) {
	uint64_t number = 0;
	if (value[0] == '\'') { /* as csv_print_text() put it there */
		value++;
	}
	if (strcmp(column, "locks") == 0) {
		return json_object_set_new(user, "locks", split_locks(value)) == 0;
	}
	if (strcmp(column, "valid") == 0) {
		json_t *schedules = value[0] != '\0'
					    ? json_pack("[{s:s, s:s}]", "lock", "", "text", value)
					    : json_array();
		return json_object_set_new(user, "schedules", schedules) == 0;
	}
	if (strcmp(column, "expiring_minutes") == 0) {
		return (value[0] == '\0' || text_to_u64(value, 0, 2880, &number) == 0) &&
		       json_object_set_new(user, column, json_integer((json_int_t) number)) == 0;
	}
	return value[0] == '\0' || json_object_set_new(user, column, json_string(value)) == 0;
}

static json_t *parse_csv(struct ctl *ctl, const char *path, char *content) {
	static const char *const known[] = { "name", "type", "status", "expiring_minutes", "locks",
		"valid" };
	AUTO(json_decref) json_t *users = json_array();
	char *columns[CSV_FIELDS_MAX], *fields[CSV_FIELDS_MAX];
	size_t n_columns = 0, n = 0;
	unsigned line = 1;
	char *p = csv_line(content, columns, &n_columns);
	for (size_t i = 0; p != NULL && i < n_columns; i++) {
		size_t k = 0;
		while (k < ARRAY_SIZE(known) && strcmp(known[k], columns[i]) != 0) {
			k++;
		}
		if (k == ARRAY_SIZE(known)) {
			complain(ctl, "%s:1: there is no column '%s'", path, columns[i]);
			advise(ctl, "There are name, type, status, expiring_minutes, locks and "
				    "valid; the first line names them");
			return NULL;
		}
	}
	n = n_columns;
	while (p != NULL && *p != '\0') {
		line++;
		p = csv_line(p, fields, &n);
		if (p != NULL && n == 1 && fields[0][0] == '\0') {
			n = n_columns; /* an empty line */
			continue;
		}
		if (p == NULL || n != n_columns) {
			break;
		}
		AUTO(json_decref) json_t *user = json_object();
		for (size_t i = 0; i < n; i++) {
			if (!set_field(user, columns[i], fields[i])) {
				complain(ctl, "%s:%u: '%s' is not a good %s", path, line, fields[i],
					columns[i]);
				return NULL;
			}
		}
		json_array_append(users, user);
	}
	if (p == NULL || n != n_columns) {
		complain(ctl, "%s:%u: not a line of comma-separated values with %zu columns", path,
			line, n_columns);
		return NULL;
	}
	return STEAL(users);
}

static json_t *parse_json(struct ctl *ctl, const char *path, const char *content) {
	json_error_t error;
	AUTO(json_decref) json_t *root = json_loads(content, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		complain(ctl, "%s:%d: %s", path, error.line, error.text);
		return NULL;
	}
	json_t *users = json_object_get(root, "users");
	if (strcmp(facts_text(root, "format"), "lockhub-users") != 0 ||
		facts_number(root, "version", 0) != 1 || !json_is_array(users)) {
		complain(ctl,
			"%s is not what lockhubctl user export writes (format lockhub-users, "
			"version 1)",
			path);
		return NULL;
	}
	return json_incref(users);
}

static json_t *parse(struct ctl *ctl, const char *path, int *ret_exit) {
	size_t n = 0;
	AUTO(free) char *content = file_read(ctl, path, &n);
	*ret_exit = CTL_FAILED;
	if (content == NULL) {
		return NULL;
	}
	if (sealed_is(content, n)) {
		AUTO_VALUE(secret_wipe) struct secret passphrase = { 0 };
		*ret_exit = prompt_secret(ctl, "passphrase", false, &passphrase);
		char *text =
			*ret_exit == CTL_DONE ? sealed_open(ctl, content, n, &passphrase) : NULL;
		json_t *users = text != NULL ? parse_json(ctl, path, text) : NULL;
		if (text != NULL) {
			*ret_exit = CTL_FAILED;
			wipe(text, strlen(text));
			free(text);
		} else if (*ret_exit == CTL_DONE) {
			*ret_exit = CTL_FAILED;
		}
		return users;
	}
	/* Spreadsheets put a byte order mark in front. */
	char *text = content + (strncmp(content, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
	const char *start = text + strspn(text, " \t\r\n");
	return start[0] == '{' ? parse_json(ctl, path, start) : parse_csv(ctl, path, text);
}

/* ---------------------------------------------------------------- judging */

static bool exists(const json_t *rows, const char *key, const char *value) {
	size_t i;
	json_t *each;
	json_array_foreach((json_t *) rows, i, each) {
		if (strcasecmp(facts_text(each, key), value) == 0) {
			return true;
		}
	}
	return false;
}

/* Of one key of an object in the file. */
struct shape {
	const char *key;
	bool (*is_good)(const json_t *value);
};

static bool is_text(const json_t *value) {
	return json_is_string(value) &&
	       text_is_clean(json_string_value(value), json_string_length(value));
}
static bool is_number(const json_t *value) {
	return json_is_integer(value) && json_integer_value(value) >= 0 &&
	       json_integer_value(value) <= UINT32_MAX;
}
static bool is_flag(const json_t *value) {
	return json_is_boolean(value);
}
static bool is_moment(const json_t *value) {
	int64_t moment;
	return json_is_string(value) &&
	       moment_parse_rfc3339(json_string_value(value), &moment) >= 0 && moment > 0 &&
	       moment <= UINT32_MAX;
}
static bool is_list(const json_t *value) {
	return json_is_array(value);
}

static const struct shape user_shapes[] = { { "name", is_text }, { "type", is_text },
	{ "status", is_text }, { "expiring_minutes", is_number }, { "locks", is_list },
	{ "schedules", is_list }, { "credentials", is_list } };
static const struct shape schedule_shapes[] = { { "lock", is_text }, { "text", is_text } };
static const struct shape credential_shapes[] = { { "type", is_text }, { "label", is_text },
	{ "lock", is_text }, { "once", is_flag }, { "valid_until", is_moment },
	{ "pin", is_text } };

/* The first key that is not known or not as it should be; NULL: none. */
static const char *stray_key(const json_t *object, const struct shape *shapes, size_t n) {
	const char *key;
	json_t *value;
	if (!json_is_object(object)) {
		return "?";
	}
	json_object_foreach((json_t *) object, key, value) {
		size_t i = 0;
		while (i < n && strcmp(shapes[i].key, key) != 0) {
			i++;
		}
		if (i == n || (!json_is_null(value) && !shapes[i].is_good(value))) {
			return key;
		}
	}
	return NULL;
}

/*
 * A limit under another name, or written in another way, would be left out without a word, and the
 * door would open to more people and for longer than the file says.
 */
static const char *stray_key_of_user(const json_t *user) {
	const char *key = stray_key(user, user_shapes, ARRAY_SIZE(user_shapes));
	size_t i;
	json_t *each;
	json_array_foreach(json_object_get(user, "schedules"), i, each) {
		key = key != NULL ? key
				  : stray_key(each, schedule_shapes, ARRAY_SIZE(schedule_shapes));
	}
	json_array_foreach(json_object_get(user, "credentials"), i, each) {
		key = key != NULL
			      ? key
			      : stray_key(each, credential_shapes, ARRAY_SIZE(credential_shapes));
	}
	return key;
}

/* What comes from a file, as a terminal may see it. */
static const char *shown(const char *text, char out[static LINE_TEXT_MAX]) {
	text_copy(out, LINE_TEXT_MAX, text);
	text_sanitize(out);
	return out;
}

/* The first lock that the hub does not have, of all that the user is to have; NULL: none. */
static const char *unknown_lock(const struct import *import, const json_t *user) {
	static const char *const lists[] = { "schedules", "credentials" };
	size_t i;
	json_t *each;
	json_array_foreach(json_object_get(user, "locks"), i, each) {
		const char *slug = json_string_value(each);
		if (slug == NULL || !exists(import->locks, "slug", slug)) {
			return slug != NULL ? slug : "?";
		}
	}
	for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
		json_array_foreach(json_object_get(user, lists[k]), i, each) {
			const char *slug = facts_text(each, "lock");
			if (slug[0] != '\0' && !exists(import->locks, "slug", slug)) {
				return slug;
			}
		}
	}
	return NULL;
}

/* ---------------------------------------------------------------- doing */

static int append_user(sd_bus_message *call, const json_t *user) {
	static const char *const keys[] = { "type", "status" };
	int r = sd_bus_message_append(call, "s", facts_text(user, "name"));
	if (r >= 0) {
		r = sd_bus_message_open_container(call, 'a', "{sv}");
	}
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(keys); i++) {
		const char *text = facts_text(user, keys[i]);
		if (text[0] != '\0') {
			r = sd_bus_message_append(call, "{sv}", keys[i], "s", text);
		}
	}
	int64_t minutes = facts_number(user, "expiring_minutes", 0);
	if (r >= 0 && minutes > 0 && minutes <= UINT32_MAX) {
		r = sd_bus_message_append(
			call, "{sv}", "expiring_minutes", "u", (uint32_t) minutes);
	}
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static int append_credential(sd_bus_message *call, const char *id, const json_t *credential) {
	static const char *const keys[] = { "type", "label", "lock", "pin" };
	int64_t until = 0;
	int r = sd_bus_message_append(call, "s", id);
	if (r >= 0) {
		r = sd_bus_message_open_container(call, 'a', "{sv}");
	}
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(keys); i++) {
		const char *text = facts_text(credential, keys[i]);
		if (text[0] != '\0') {
			r = sd_bus_message_append(call, "{sv}", keys[i], "s", text);
		}
	}
	if (r >= 0 && moment_parse_rfc3339(facts_text(credential, "valid_until"), &until) >= 0 &&
		until > 0 && until <= UINT32_MAX) {
		r = sd_bus_message_append(call, "{sv}", "valid_until", "u", (uint32_t) until);
	}
	if (r >= 0 && facts_flag(credential, "once")) {
		r = sd_bus_message_append(call, "{sv}", "once", "b", 1);
	}
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static bool is_over(const json_t *credential) {
	int64_t until;
	return moment_parse_rfc3339(facts_text(credential, "valid_until"), &until) >= 0 &&
	       until <= moment_now();
}

static int add_credential(struct import *import, const char *id, const json_t *credential) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL, *reply = NULL;
	struct ctl *ctl = import->ctl;
	bool is_pin = strcmp(facts_text(credential, "type"), "pin") == 0;
	bool is_noted = strcmp(facts_text(credential, "type"), "mechanical_key") == 0;
	if ((is_pin && facts_text(credential, "pin")[0] == '\0') || (!is_pin && !is_noted) ||
		is_over(credential)) {
		import->n_left_out++; /* nothing that could be put into a lock */
		return CTL_DONE;
	}
	if (talk_new(ctl, MANAGER_PATH, MANAGER_INTERFACE, "AddCode", &call) < 0) {
		return CTL_FAILED;
	}
	sd_bus_message_sensitive(call);
	if (append_credential(call, id, credential) < 0) {
		return CTL_FAILED;
	}
	int r = talk_send(ctl, call, NULL, &reply) < 0 ? CTL_FAILED : CTL_DONE;
	if (reply != NULL) {
		sd_bus_message_sensitive(reply);
	}
	return r;
}

/* What gives access comes last, so that nothing is at a lock yet when something fails before. */
static int fill_user(struct import *import, const char *path, const char *id, const json_t *user) {
	struct ctl *ctl = import->ctl;
	size_t i;
	json_t *each;
	for (unsigned pass = 0; pass < 2; pass++) {
		json_array_foreach(json_object_get(user, "credentials"), i, each) {
			bool is_bound = facts_text(each, "lock")[0] != '\0';
			if (is_bound == (pass == 1) &&
				add_credential(import, id, each) != CTL_DONE) {
				return CTL_FAILED;
			}
		}
		json_array_foreach(json_object_get(user, "schedules"), i, each) {
			if (pass == 0 && people_call(ctl, MANAGER_PATH, MANAGER_INTERFACE,
						 "AddSchedule", "sss", id, facts_text(each, "lock"),
						 facts_text(each, "text")) != CTL_DONE) {
				return CTL_FAILED;
			}
		}
	}
	json_array_foreach(json_object_get(user, "locks"), i, each) {
		if (people_call(ctl, path, USER_INTERFACE, "Grant", "ss", json_string_value(each),
			    "") != CTL_DONE) {
			return CTL_FAILED;
		}
	}
	return CTL_DONE;
}

static int add_user(struct import *import, const json_t *user) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL, *reply = NULL;
	struct ctl *ctl = import->ctl;
	const char *path;
	if (talk_new(ctl, MANAGER_PATH, MANAGER_INTERFACE, "AddUser", &call) < 0) {
		return CTL_FAILED;
	}
	if (append_user(call, user) < 0 || talk_send(ctl, call, NULL, &reply) < 0 ||
		sd_bus_message_read(reply, "o", &path) < 0) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *added = people_fetch_user(ctl, path);
	if (added != NULL && fill_user(import, path, facts_text(added, "id"), user) == CTL_DONE) {
		return CTL_DONE;
	}
	if (people_call(ctl, path, USER_INTERFACE, "Remove", "") != CTL_DONE) {
		advise(ctl, "The user stays half made: lockhubctl user remove '%s'",
			facts_text(user, "name"));
	}
	return CTL_FAILED;
}

static void import_user(struct import *import, const json_t *user) {
	struct ctl *ctl = import->ctl;
	char of_name[LINE_TEXT_MAX], of_file[LINE_TEXT_MAX];
	const char *name = shown(facts_text(user, "name"), of_name);
	const char *lock = unknown_lock(import, user);
	const char *stray = stray_key_of_user(user);
	if (name[0] == '\0') {
		complain(ctl, "a user without a name: not added");
		import->n_failed++;
	} else if (stray != NULL) {
		complain(ctl, "%s: not added: '%s' is not understood", name, shown(stray, of_file));
		import->n_failed++;
	} else if (exists(import->users, "name", name)) {
		say(ctl, "%s: exists already, left as it is\n", name);
		import->n_skipped++;
	} else if (lock != NULL) {
		complain(ctl, "%s: not added: there is no lock %s", name, shown(lock, of_file));
		import->n_failed++;
	} else if (ctl->opt.is_dry_run) {
		say(ctl, "%s: would be added\n", name);
		json_array_append(import->users, (json_t *) user);
		import->n_added++;
	} else if (add_user(import, user) == CTL_DONE) {
		say(ctl, "%s: added\n", name);
		json_array_append(import->users, (json_t *) user);
		import->n_added++;
	} else {
		complain(ctl, "%s: not added; nothing of it was kept", name);
		import->n_failed++;
	}
}

static int run(struct ctl *ctl, char **args, int n_args) {
	struct import import = { .ctl = ctl };
	int r = CTL_FAILED;
	size_t i;
	json_t *user;
	AUTO(json_decref) json_t *users = parse(ctl, args[0], &r);
	if (users == NULL) {
		return r;
	}
	AUTO(json_decref) json_t *all = facts_fetch_all(ctl);
	if (all == NULL) {
		return CTL_FAILED;
	}
	import.locks = json_object_get(all, "locks");
	import.users = json_object_get(all, "users");
	json_array_foreach(users, i, user) {
		import_user(&import, user);
	}
	say(ctl, "%zu %s, %zu there already, %zu failed\n", import.n_added,
		ctl->opt.is_dry_run ? "would be added" : "added", import.n_skipped,
		import.n_failed);
	if (import.n_left_out > 0) {
		say(ctl,
			"%zu codes and keys were left out: expired, or without what opens a lock\n",
			import.n_left_out);
	}
	return import.n_failed > 0 ? CTL_FAILED : CTL_DONE;
}

const struct command cmd_user_import = {
	.name = "user import",
	.args = "FILE",
	.blurb = "Add the people in a file",
	.help = "FILE is what lockhubctl user export wrote, or comma-separated values with the\n"
		"columns name, type, status, expiring_minutes, locks and valid, of which only the\n"
		"name is needed; - is standard input. A user is added with everything or not at\n"
		"all; who is there already is left as he is. An encrypted file's passphrase is\n"
		"asked for, or read from standard input with --stdin. Needs the role manage.",
	.example = "lockhubctl user import people.csv --dry-run",
	.options = OPT_DRY_RUN | OPT_PASSPHRASE,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
