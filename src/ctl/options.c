/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RULE "use getopt_long": not here, for it takes abbreviations (a script that relies on one breaks
 * with the next option) and cannot say which option was meant.
 */

#include "room.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "util/text.h"

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_WORDS };

struct option_row {
	const char *name;
	char letter;
	enum option_kind kind;
	uint64_t groups; /* OPT_ bits, any of them; 0: goes with every command */
	size_t offset;
	const char *arg;
	uint64_t min, max;
	const char *help;
};

/*
 * A name may have several rows, for commands that mean something else by it: all of one kind and at
 * one place.
 */
/* clang-format off */
#define AT(member) offsetof(struct options, member)
static const struct option_row rows[] = {
	{ "help",        'h', OPTION_FLAG, 0, AT(is_help), NULL, 0, 0, "Show help for the command" },
	{ "version",      0,  OPTION_FLAG, 0, AT(is_version), NULL, 0, 0, "Show the version" },
	{ "timeout",      0,  OPTION_NUMBER, 0, AT(timeout), "SECONDS", 0, 86400,
		"Wait so long for an outcome; 0: for ever (default 120)" },
	{ "color",        0,  OPTION_TEXT, 0, AT(color), "WHEN", 0, 0, "auto, always or never (also: NO_COLOR=1)" },
	{ "no-ask-password", 0, OPTION_FLAG, 0, AT(is_no_ask), NULL, 0, 0, "Let polkit refuse instead of asking for a password" },
	{ "bus-address",  0,  OPTION_TEXT, 0, AT(bus_address), "ADDRESS", 0, 0,
		"D-Bus address of lockhubd's bus (also: LOCKHUB_BUS_ADDRESS)" },
	{ "system-bus",   0,  OPTION_FLAG, 0, AT(is_system_bus), NULL, 0, 0, "The system bus, whatever LOCKHUB_BUS_ADDRESS says" },

	{ "json",         0,  OPTION_FLAG, OPT_JSON, AT(is_json), NULL, 0, 0, "Print JSON" },
	{ "no-wait",      0,  OPTION_FLAG, OPT_NO_WAIT, AT(is_no_wait), NULL, 0, 0, "Do not wait for the outcome, print the operation" },
	{ "names",        0,  OPTION_FLAG, OPT_NAMES, AT(is_names), NULL, 0, 0, "Only the names, one a line" },
	{ "lines",       'n', OPTION_NUMBER, OPT_LINES, AT(lines), "N", 1, 10000, "Newest N entries (default 50)" },
	{ "follow",      'f', OPTION_FLAG, OPT_FOLLOW, AT(is_follow), NULL, 0, 0, "Go on with new entries as they come" },
	{ "since",       'S', OPTION_TEXT, OPT_FILTER, AT(since), "TIME", 0, 0, "From then on: \"2026-11-22 10:00\", yesterday, \"2h ago\"" },
	{ "until",       'U', OPTION_TEXT, OPT_FILTER, AT(until), "TIME", 0, 0, "Before then" },
	{ "lock",        'l', OPTION_TEXT, OPT_FILTER, AT(lock), "LOCK", 0, 0, "Only this lock" },
	{ "user",        'u', OPTION_TEXT, OPT_FILTER, AT(user), "NAME", 0, 0, "Only this person" },
	{ "type",        't', OPTION_TEXT, OPT_FILTER, AT(type), "TYPE", 0, 0, "Only such entries: unlocked, jammed, wrong_code ..." },
	{ "force",        0,  OPTION_FLAG, OPT_FORCE, AT(is_forced), NULL, 0, 0, "Do not even try to reach the lock" },
	{ "yes",         'y', OPTION_FLAG, OPT_YES, AT(is_yes), NULL, 0, 0, "Do not ask whether it is meant" },
	{ "name",         0,  OPTION_TEXT, OPT_NAME, AT(name), "NAME", 0, 0, "What the lock shall be called" },
	{ "app",          0,  OPTION_FLAG, OPT_APP, AT(as_app), NULL, 0, 0, "Register as an app, not as a bridge" },
	{ "key-file",     0,  OPTION_TEXT, OPT_KEY_FILE, AT(key_file), "FILE", 0, 0, "The maker's key is in it; -: standard input" },
	{ "accept-weak",  0,  OPTION_FLAG, OPT_KEY_FILE, AT(is_accepting_weak), NULL, 0, 0, "Pair it although its protocol is weak" },
	{ "pin-stdin",    0,  OPTION_FLAG, OPT_PIN_STDIN, AT(is_pin_stdin), NULL, 0, 0, "Read the PIN from standard input" },
	{ "seconds",      0,  OPTION_NUMBER, OPT_SECONDS, AT(seconds), "N", 1, 600, "Do it for so many seconds" },
	{ "unlatch",      0,  OPTION_FLAG, OPT_UNLATCH, AT(is_unlatch), NULL, 0, 0, "Pull the latch too" },
	{ "read",         0,  OPTION_FLAG, OPT_READ, AT(is_read), NULL, 0, 0, "Ask the lock now (needs a connection)" },

	{ "lock",         0,  OPTION_TEXT, OPT_AT_LOCK, AT(lock), "LOCK", 0, 0, "At this lock only" },
	{ "generate",     0,  OPTION_FLAG, OPT_NEW_PIN, AT(is_generate), NULL, 0, 0, "Make up a code and show it once" },
	{ "digits",       0,  OPTION_NUMBER, OPT_NEW_PIN, AT(digits), "N", 4, 12, "As many digits (default: what the locks take, at least 6)" },
	{ "stdin",        0,  OPTION_FLAG, OPT_NEW_PIN | OPT_FACTOR | OPT_USER_EDIT | OPT_PASSPHRASE, AT(is_pin_stdin), NULL, 0, 0,
		"Read the secret from standard input" },
	{ "valid",        0,  OPTION_TEXT, OPT_VALID, AT(valid), "WHEN", 0, 0, "Only then: \"Mon-Fri 08:00-12:00\", \"2027-03-01 - 2027-03-08\"" },
	{ "until",        0,  OPTION_TEXT, OPT_CODE_ADD, AT(until), "TIME", 0, 0, "Not after: 2027-03-01, \"2027-03-01 18:00\", tomorrow, +3d" },
	{ "once",         0,  OPTION_FLAG, OPT_CODE_ADD, AT(is_once), NULL, 0, 0, "Works one time only" },
	{ "label",        0,  OPTION_TEXT, OPT_CODE_ADD | OPT_LEARN, AT(label), "TEXT", 0, 0, "What it is, for people: \"garden key no. 3\"" },
	{ "type",         0,  OPTION_TEXT, OPT_CODE_ADD | OPT_CREDENTIAL, AT(type), "TYPE", 0, 0, "pin (default), app_key, mechanical_key ..." },
	{ "type",         0,  OPTION_TEXT, OPT_LEARN, AT(type), "TYPE", 0, 0, "rfid (default), fingerprint" },
	{ "type",         0,  OPTION_TEXT, OPT_USER_TYPE, AT(type), "TYPE", 0, 0,
		"unrestricted, schedule_restricted, forced, disposable, expiring, remote_only ..." },
	{ "expires-after", 0, OPTION_NUMBER, OPT_USER_TYPE, AT(expires_after), "MINUTES", 1, 2880, "Of type expiring: after the first use" },
	{ "name",         0,  OPTION_TEXT, OPT_USER_EDIT, AT(name), "NAME", 0, 0, "The new name" },
	{ "enable",       0,  OPTION_FLAG, OPT_USER_EDIT, AT(is_enable), NULL, 0, 0, "May enter again" },
	{ "disable",      0,  OPTION_FLAG, OPT_USER_EDIT, AT(is_disable), NULL, 0, 0, "May not enter for now; codes are taken from the locks" },
	{ "code",         0,  OPTION_FLAG, OPT_USER_EDIT, AT(is_code), NULL, 0, 0, "Set the personal code for remote commands; it is asked for" },
	{ "no-code",      0,  OPTION_FLAG, OPT_USER_EDIT, AT(is_no_code), NULL, 0, 0, "Take the personal code away" },
	{ "totp",         0,  OPTION_FLAG, OPT_USER_EDIT, AT(is_totp), NULL, 0, 0, "Set up one-time passwords with an app; shows a QR code" },
	{ "no-totp",      0,  OPTION_FLAG, OPT_USER_EDIT, AT(is_no_totp), NULL, 0, 0, "No one-time passwords any more" },
	{ "code",         0,  OPTION_FLAG, OPT_FACTOR, AT(is_code), NULL, 0, 0, "Ask for the personal code or one-time password" },
	{ "enable",       0,  OPTION_FLAG, OPT_TIMER, AT(is_enable), NULL, 0, 0, "On: the lock does it" },
	{ "disable",      0,  OPTION_FLAG, OPT_TIMER, AT(is_disable), NULL, 0, 0, "Off: the lock keeps it and does nothing" },
	{ "csv",          0,  OPTION_FLAG, OPT_CSV, AT(is_csv), NULL, 0, 0, "Write comma-separated values" },
	{ "with-codes",   0,  OPTION_FLAG, OPT_WITH_CODES, AT(is_with_codes), NULL, 0, 0, "With the codes; the file is encrypted with a passphrase" },
	{ "passphrase-file", 0, OPTION_TEXT, OPT_BACKUP, AT(passphrase_file), "FILE", 0, 0, "The passphrase is its first line; -: of standard input" },
	{ "with-passwords", 0, OPTION_FLAG, OPT_WITH_PASSWORDS, AT(is_with_passwords), NULL, 0, 0, "With the password of the MQTT broker" },
	{ "into",         0,  OPTION_TEXT, OPT_INTO, AT(into), "FOLDER", 0, 0, "The state folder of a hub that does not run and is new" },
	{ "dry-run",      0,  OPTION_FLAG, OPT_DRY_RUN, AT(is_dry_run), NULL, 0, 0, "Only say what would be done" },
	{ "output",      'o', OPTION_TEXT, OPT_OUTPUT, AT(output), "FILE", 0, 0, "Write it there; - is standard output" },
	{ "attach",       0,  OPTION_WORDS, OPT_ATTACH, AT(attached), "FILE", 0, 0, "Put a picture or a transcript in; may be given more than once" },
	{ "text",         0,  OPTION_FLAG, OPT_AS_TEXT, AT(is_text), NULL, 0, 0, "Print a text for a form or a mail instead" },
	{ "restore",      0,  OPTION_FLAG, OPT_RESET, AT(is_restore), NULL, 0, 0, "It has been reset: pair it again and put back what it had" },
	{ "for-sale",     0,  OPTION_FLAG, OPT_RESET, AT(is_for_sale), NULL, 0, 0, "Wipe it: here and in the lock" },
	{ "no-backup",    0,  OPTION_FLAG, OPT_RESET | OPT_NO_BACKUP, AT(is_no_backup), NULL, 0, 0, "Do not back up before" },
	{ "watch",        0,  OPTION_FLAG, OPT_WATCH, AT(is_watching), NULL, 0, 0, "Listen and show it live, until Ctrl-C" },
	{ "verbose",     'v', OPTION_FLAG, OPT_DOCTOR, AT(is_verbose), NULL, 0, 0, "Show each check with what was measured, and all steps" },
	{ "quiet",       'q', OPTION_FLAG, OPT_DOCTOR, AT(is_quiet), NULL, 0, 0, "Ask no lock anything: judge what is known already" },
	{ "no-input",     0,  OPTION_FLAG, OPT_CARE, AT(is_no_input), NULL, 0, 0, "Ask nothing: do what needs nobody, leave the rest open" },
	{ "restart",      0,  OPTION_FLAG, OPT_CARE, AT(is_restart), NULL, 0, 0, "Begin anew instead of where it was" },
	{ "status",       0,  OPTION_FLAG, OPT_CARE, AT(is_status), NULL, 0, 0, "Only show where it stands" },
	{ "skip",         0,  OPTION_WORDS, OPT_CARE, AT(skipped), "STEP", 0, 0, "Leave this step out; may be given more than once" },
	{ "cycles",       0,  OPTION_NUMBER, OPT_CYCLES, AT(cycles), "N", 1, 50, "Move the bolt so many times there and back" },
	{ "mode",         0,  OPTION_TEXT, OPT_MODE, AT(mode), "MODE", 0, 0, "normal, vacation (default), privacy, no_remote_lock_unlock, passage" },
};
/* clang-format on */

static const struct option_row *find_row(const char *name, size_t n) {
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strlen(rows[i].name) == n && strncmp(rows[i].name, name, n) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

static const struct option_row *find_letter(char letter) {
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].letter == letter) {
			return &rows[i];
		}
	}
	return NULL;
}

static int unknown_option(struct ctl *ctl, const char *name) {
	const char *names[ARRAY_SIZE(rows)];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		names[i] = rows[i].name;
	}
	const char *nearest = text_nearest(name, names, ARRAY_SIZE(rows));
	if (nearest != NULL) {
		return usage_error(
			ctl, "there is no option --%s; did you mean --%s?", name, nearest);
	}
	return usage_error(ctl, "there is no option --%s", name);
}

static int store_word(struct ctl *ctl, const struct option_row *row, const char *value) {
	struct words *words = (struct words *) ((char *) &ctl->opt + row->offset);
	if (words->n == ARRAY_SIZE(words->word)) {
		return usage_error(ctl, "--%s: more than %d", row->name, OPTION_WORDS_MAX);
	}
	words->word[words->n++] = value;
	return 0;
}

static int store(struct ctl *ctl, const struct option_row *row, const char *value) {
	void *at = (char *) &ctl->opt + row->offset;
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *) at = true;
		return 0;
	case OPTION_TEXT:
		*(const char **) at = value;
		return 0;
	case OPTION_WORDS:
		return store_word(ctl, row, value);
	case OPTION_NUMBER:
		break;
	}
	if (text_to_u64(value, row->min, row->max, at) < 0) {
		return usage_error(ctl, "--%s %s: %s must be a number from %ju to %ju", row->name,
			value, row->arg, (uintmax_t) row->min, (uintmax_t) row->max);
	}
	return 0;
}

static void set_used(struct option_set *used, const struct option_row *row) {
	size_t i = (size_t) (row - rows);
	used->bits[i / 64] |= UINT64_C(1) << i % 64;
}

static bool is_used(const struct option_set *used, size_t i) {
	return (used->bits[i / 64] >> i % 64 & 1) != 0;
}

/* One long option; *i moves on when its value is the next word. */
static int read_long(struct ctl *ctl, int argc, char **argv, int *i, struct option_set *used) {
	const char *word = argv[*i] + 2;
	size_t n = strcspn(word, "=");
	const char *value = word[n] == '=' ? word + n + 1 : NULL;
	const struct option_row *row = find_row(word, n);
	if (row == NULL) {
		char name[64];
		snprintf(name, sizeof(name), "%.*s", (int) n, word);
		return unknown_option(ctl, name);
	}
	if (row->kind == OPTION_FLAG && value != NULL) {
		return usage_error(ctl, "--%s takes no value", row->name);
	}
	if (row->kind != OPTION_FLAG && value == NULL) {
		if (*i + 1 >= argc) {
			return usage_error(
				ctl, "--%s needs a value: --%s %s", row->name, row->name, row->arg);
		}
		value = argv[++*i];
	}
	set_used(used, row);
	return store(ctl, row, value);
}

/* "-fn20", "-n 20" */
static int read_letters(struct ctl *ctl, int argc, char **argv, int *i, struct option_set *used) {
	for (const char *p = argv[*i] + 1; *p != '\0'; p++) {
		const struct option_row *row = find_letter(*p);
		if (row == NULL) {
			return usage_error(ctl, "there is no option -%c", *p);
		}
		set_used(used, row);
		if (row->kind == OPTION_FLAG) {
			store(ctl, row, NULL);
			continue;
		}
		const char *value = p[1] != '\0' ? p + 1 : NULL;
		if (value == NULL && *i + 1 >= argc) {
			return usage_error(ctl, "-%c needs a value: -%c %s", *p, *p, row->arg);
		}
		return store(ctl, row, value != NULL ? value : argv[++*i]);
	}
	return 0;
}

int options_read(struct ctl *ctl, int argc, char **argv, char **words, int *ret_n_words,
	struct option_set *ret_used) {
	int n = 0, r = 0;
	bool is_over = false;
	*ret_used = (struct option_set){ 0 };
	for (int i = 1; r == 0 && i < argc; i++) {
		if (is_over || argv[i][0] != '-' || argv[i][1] == '\0') {
			words[n++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			is_over = true;
		} else if (argv[i][1] == '-') {
			r = read_long(ctl, argc, argv, &i, ret_used);
		} else {
			r = read_letters(ctl, argc, argv, &i, ret_used);
		}
	}
	*ret_n_words = n;
	return r;
}

/* By any row of that name. */
static bool goes_with(const struct command *command, const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].name, name) == 0 &&
			(rows[i].groups == 0 || (rows[i].groups & command->options) != 0)) {
			return true;
		}
	}
	return false;
}

int options_check(struct ctl *ctl, const struct option_set *used) {
	static_assert(ARRAY_SIZE(rows) <= OPTION_ROWS_MAX, "a bit for each row");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (is_used(used, i) && !goes_with(ctl->command, rows[i].name)) {
			return usage_error(ctl, "--%s does not go with '%s'", rows[i].name,
				ctl->command->name);
		}
	}
	return 0;
}

void options_print(struct ctl *ctl, uint64_t mask) {
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct option_row *row = &rows[i];
		char left[48], letter[8] = "";
		if (mask == 0 ? row->groups != 0 : (row->groups & mask) == 0) {
			continue;
		}
		if (row->letter != 0) {
			snprintf(letter, sizeof(letter), "-%c, ", row->letter);
		}
		snprintf(left, sizeof(left), "%4s--%s%s%s", letter, row->name,
			row->arg != NULL ? " " : "", row->arg != NULL ? row->arg : "");
		say(ctl, "  %-27s %s\n", left, row->help);
	}
}
