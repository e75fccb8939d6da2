/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

/* The PIN of a code; recorded by the hub as having been shown. NULL after an explanation. */
static json_t *reveal(struct ctl *ctl, const char *id) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	const char *pin;
	if (talk_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "RevealCode", NULL, &reply, "s", id) <
		0) {
		return NULL;
	}
	sd_bus_message_sensitive(reply);
	return sd_bus_message_read(reply, "s", &pin) < 0 ? facts_unreadable(ctl) : json_string(pin);
}

/* Without what belongs to this hub alone: ids, numbers, and what became of it at the locks. */
static json_t *plain_credential(struct ctl *ctl, const json_t *credential) {
	static const char *const keys[] = { "type", "label", "lock", "once", "valid_until" };
	AUTO(json_decref) json_t *plain = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *value = json_object_get(credential, keys[i]);
		if (value != NULL) {
			json_object_set(plain, keys[i], value);
		}
	}
	if (ctl->opt.is_with_codes && facts_flag(credential, "revealable")) {
		json_t *pin = reveal(ctl, facts_text(credential, "id"));
		if (pin == NULL) {
			return NULL;
		}
		json_object_set_new(plain, "pin", pin);
	}
	return STEAL(plain);
}

static json_t *plain_user(struct ctl *ctl, const json_t *user) {
	static const char *const keys[] = { "name", "type", "status", "expiring_minutes", "locks" };
	AUTO(json_decref) json_t *plain = json_object();
	AUTO(json_decref) json_t *schedules = json_array(), *credentials = json_array();
	size_t i;
	json_t *each;
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		json_object_set(plain, keys[i], json_object_get(user, keys[i]));
	}
	json_array_foreach(json_object_get(user, "schedules"), i, each) {
		json_array_append_new(
			schedules, json_pack("{s:O, s:O}", "lock", json_object_get(each, "lock"),
					   "text", json_object_get(each, "text")));
	}
	json_array_foreach(json_object_get(user, "credentials"), i, each) {
		if (strcmp(facts_text(each, "state"), "active") != 0) {
			continue;
		}
		json_t *credential = plain_credential(ctl, each);
		if (credential == NULL) {
			return NULL;
		}
		json_array_append_new(credentials, credential);
	}
	json_object_set(plain, "schedules", schedules);
	json_object_set(plain, "credentials", credentials);
	return STEAL(plain);
}

static int print_csv(FILE *file, const json_t *users) {
	size_t i;
	json_t *user;
	char text[LINE_TEXT_MAX];
	fputs("name,type,status,expiring_minutes,locks,valid\r\n", file);
	json_array_foreach((json_t *) users, i, user) {
		csv_print_text(file, facts_text(user, "name"));
		fprintf(file, ",%s,%s,%jd,", facts_text(user, "type"), facts_text(user, "status"),
			(intmax_t) facts_number(user, "expiring_minutes", 0));
		csv_print_text(
			file, people_join(json_object_get(user, "locks"), text, sizeof(text)));
		fputc(',', file);
		csv_print_text(file, people_when(user, "", text, sizeof(text)));
		fputs("\r\n", file);
	}
	return CTL_DONE;
}

static int print_sealed(
	struct ctl *ctl, FILE *file, const json_t *content, const struct secret *passphrase) {
	char *text = json_dumps(content, JSON_INDENT(2));
	if (text == NULL) {
		complain(ctl, "out of memory");
		return CTL_FAILED;
	}
	int r = sealed_write(ctl, file, text, passphrase);
	wipe(text, strlen(text));
	free(text);
	return r;
}

static int write_to(
	struct ctl *ctl, FILE *file, const json_t *users, const struct secret *passphrase) {
	AUTO(json_decref) json_t *plain = json_array();
	size_t i;
	json_t *user;
	if (ctl->opt.is_csv) {
		return print_csv(file, users);
	}
	json_array_foreach((json_t *) users, i, user) {
		json_t *each = plain_user(ctl, user);
		if (each == NULL) {
			return CTL_FAILED;
		}
		json_array_append_new(plain, each);
	}
	AUTO(json_decref)
	json_t *content = json_pack(
		"{s:s, s:i, s:O}", "format", "lockhub-users", "version", 1, "users", plain);
	if (ctl->opt.is_with_codes) {
		return print_sealed(ctl, file, content, passphrase);
	}
	json_dumpf(content, file, JSON_INDENT(2));
	fputc('\n', file);
	return CTL_DONE;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO_VALUE(secret_wipe) struct secret passphrase = { 0 };
	int r = CTL_DONE;
	if (ctl->opt.is_with_codes && ctl->opt.is_csv) {
		return usage_error(ctl, "--with-codes and --csv do not go together: codes are only "
					"written encrypted");
	}
	if (ctl->opt.is_pin_stdin && !ctl->opt.is_with_codes) {
		return usage_error(ctl, "--stdin goes with --with-codes");
	}
	AUTO(json_decref) json_t *users = people_fetch_users(ctl, NULL);
	if (users == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_with_codes) {
		r = prompt_secret(ctl, "passphrase", true, &passphrase);
	}
	FILE *file = r == CTL_DONE ? file_create(ctl, args[0]) : NULL;
	if (file == NULL) {
		return r != CTL_DONE ? r : CTL_FAILED;
	}
	r = write_to(ctl, file, users, &passphrase);
	int closed = file_close(ctl, args[0], file);
	if (r == CTL_DONE && closed == CTL_DONE && file != ctl->out) {
		say(ctl, "%zu users in %s%s\n", json_array_size(users), args[0],
			ctl->opt.is_with_codes ? ", encrypted" : "; without codes");
	}
	return r != CTL_DONE ? r : closed;
}

const struct command cmd_user_export = {
	.name = "user export",
	.args = "FILE",
	.blurb = "Write all people to a file",
	.help = "As JSON with access, schedules and what codes and keys there are, or with --csv\n"
		"as comma-separated values without the latter. With --with-codes also the codes\n"
		"themselves, each of which is recorded as shown; the file is encrypted then with\n"
		"a passphrase that is asked for, or read from standard input with --stdin.\n"
		"Personal codes and one-time passwords are never in it. FILE must not exist yet;\n"
		"- is standard output.",
	.example = "lockhubctl user export people.json",
	.options = OPT_CSV | OPT_WITH_CODES | OPT_PASSPHRASE,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
