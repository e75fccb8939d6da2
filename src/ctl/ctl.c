/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "util/text.h"

#define WORDS_MAX 256

const struct command *const ctl_commands[] = {
	&cmd_access_grant,
	&cmd_access_revoke,
	&cmd_access_show,
	&cmd_backup,
	&cmd_backup_list,
	&cmd_backup_verify,
	&cmd_battery,
	&cmd_calibrate,
	&cmd_cancel,
	&cmd_care,
	&cmd_care_batteries,
	&cmd_care_firmware,
	&cmd_care_install,
	&cmd_care_key,
	&cmd_care_restart,
	&cmd_code_add,
	&cmd_code_adopt,
	&cmd_code_change,
	&cmd_code_learn,
	&cmd_code_list,
	&cmd_code_reveal,
	&cmd_code_revoke,
	&cmd_code_sync,
	&cmd_doctor,
	&cmd_doctor_security,
	&cmd_fix,
	&cmd_help,
	&cmd_holiday_add,
	&cmd_holiday_list,
	&cmd_holiday_remove,
	&cmd_list,
	&cmd_lock,
	&cmd_lock_n_go,
	&cmd_log,
	&cmd_log_export,
	&cmd_log_verify,
	&cmd_monitor,
	&cmd_pair,
	&cmd_reboot,
	&cmd_record,
	&cmd_refresh,
	&cmd_rename,
	&cmd_report,
	&cmd_reset,
	&cmd_restore,
	&cmd_rules,
	&cmd_scan,
	&cmd_schedule_add,
	&cmd_schedule_list,
	&cmd_schedule_remove,
	&cmd_set_pin,
	&cmd_settings,
	&cmd_show,
	&cmd_signal,
	&cmd_status,
	&cmd_support_bundle,
	&cmd_sync_clock,
	&cmd_timer_add,
	&cmd_timer_change,
	&cmd_timer_list,
	&cmd_timer_remove,
	&cmd_unlatch,
	&cmd_unlock,
	&cmd_unpair,
	&cmd_user_add,
	&cmd_user_edit,
	&cmd_user_export,
	&cmd_user_import,
	&cmd_user_list,
	&cmd_user_remove,
	&cmd_user_show,
	&cmd_version,
	NULL,
};

const struct command *command_find(const char *name) {
	for (size_t i = 0; ctl_commands[i] != NULL; i++) {
		if (strcmp(ctl_commands[i]->name, name) == 0) {
			return ctl_commands[i];
		}
	}
	return NULL;
}

static void print_usage_line(FILE *out, const struct command *command) {
	fprintf(out, "Usage: lockhubctl %s%s%s%s\n", command->name,
		command->options != 0 ? " [OPTION...]" : "", command->args[0] != '\0' ? " " : "",
		command->args);
}

int usage_error(struct ctl *ctl, const char *format, ...) {
	char text[LINE_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_sanitize(text); /* it quotes the command line */
	fprintf(ctl->err, "lockhubctl: %s%s%s\n", ctl->command != NULL ? ctl->command->name : "",
		ctl->command != NULL ? ": " : "", text);
	if (ctl->command != NULL) {
		print_usage_line(ctl->err, ctl->command);
		if (ctl->command->example != NULL) {
			fprintf(ctl->err, "For example: %s\n", ctl->command->example);
		}
		fprintf(ctl->err, "More: lockhubctl help %s\n", ctl->command->name);
	} else {
		fputs("More: lockhubctl help\n", ctl->err);
	}
	return CTL_USAGE;
}

void print_command_help(struct ctl *ctl, const struct command *command) {
	print_usage_line(ctl->out, command);
	say(ctl, "\n%s.\n", command->blurb);
	if (command->help != NULL) {
		say(ctl, "\n%s\n", command->help);
	}
	if (command->options != 0) {
		say(ctl, "\nOptions:\n");
		options_print(ctl, command->options);
	}
	say(ctl, "\nOptions of every command:\n");
	options_print(ctl, 0);
	if (command->example != NULL) {
		say(ctl, "\nFor example:\n  %s\n", command->example);
	}
}

void print_family(struct ctl *ctl, FILE *out, const char *word) {
	size_t n = strlen(word);
	for (size_t i = 0; ctl_commands[i] != NULL; i++) {
		const struct command *each = ctl_commands[i];
		if (strncmp(each->name, word, n) == 0 && each->name[n] == ' ') {
			char left[64];
			snprintf(left, sizeof(left), "%s %s", each->name, each->args);
			fprintf(out, "  lockhubctl %-28s %s\n", left, each->blurb);
		}
	}
}

bool command_has_family(const char *word) {
	size_t n = strlen(word);
	for (size_t i = 0; ctl_commands[i] != NULL; i++) {
		if (strncmp(ctl_commands[i]->name, word, n) == 0 &&
			ctl_commands[i]->name[n] == ' ') {
			return true;
		}
	}
	return false;
}

/* "user", or "user lsit": the second word is missing or wrong. */
static int unknown_in_family(struct ctl *ctl, char **words, int n_words) {
	char name[64], text[128] = "";
	const char *names[ARRAY_SIZE(ctl_commands)];
	size_t n = 0, length = strlen(words[0]);
	for (size_t i = 0; n_words > 1 && ctl_commands[i] != NULL; i++) {
		if (strncmp(ctl_commands[i]->name, words[0], length) == 0 &&
			ctl_commands[i]->name[length] == ' ') {
			names[n++] = ctl_commands[i]->name + length + 1;
		}
	}
	text_copy(name, sizeof(name), n_words > 1 ? words[1] : "");
	text_sanitize(name);
	const char *nearest = n > 0 ? text_nearest(name, names, n) : NULL;
	if (nearest != NULL) {
		snprintf(text, sizeof(text), "; did you mean '%s %s'?", words[0], nearest);
	}
	if (n_words > 1) {
		complain(ctl, "there is no command '%s %s'%s", words[0], name, text);
	} else {
		complain(ctl, "'%s' needs another word:", words[0]);
	}
	print_family(ctl, ctl->err, words[0]);
	return CTL_USAGE;
}

static int unknown_command(struct ctl *ctl, char **words, int n_words) {
	const char *word = words[0];
	if (command_has_family(word)) {
		return unknown_in_family(ctl, words, n_words);
	}
	const char *names[ARRAY_SIZE(ctl_commands)];
	size_t n = 0;
	for (; ctl_commands[n] != NULL; n++) {
		names[n] = ctl_commands[n]->name;
	}
	const char *nearest = text_nearest(word, names, n);
	if (nearest != NULL) {
		return usage_error(
			ctl, "there is no command '%s'; did you mean '%s'?", word, nearest);
	}
	return usage_error(ctl, "there is no command '%s'", word);
}

/* Two words first ("log verify"), then one. @return how many words the name took; 0: no such. */
static int pick_command(struct ctl *ctl, char **words, int n_words) {
	char name[64];
	if (n_words >= 2) {
		snprintf(name, sizeof(name), "%s %s", words[0], words[1]);
		ctl->command = command_find(name);
		if (ctl->command != NULL) {
			return 2;
		}
	}
	ctl->command = command_find(words[0]);
	return ctl->command != NULL ? 1 : 0;
}

/* What a missing argument is, in words. */
static int explain_missing(struct ctl *ctl, int n_args) {
	static const struct {
		const char *arg;
		const char *text;
	} known[] = {
		{ "LOCK", "which lock? Give its name; lockhubctl list shows the names" },
		{ "NAME", "the name is missing" },
		{ "USER", "who? Give the name; lockhubctl user list shows the names" },
		{ "CODE", "which code? Give its id; lockhubctl code list shows the ids" },
		{ "SCHEDULE", "which one? Give its id; lockhubctl schedule list shows the ids" },
		{ "HOLIDAY", "which one? Give its id; lockhubctl holiday list shows the ids" },
		{ "WHEN", "when? For example \"Mon-Fri 08:00-12:00\"" },
		{ "REF", "which one at the lock? Give its number; lockhubctl code list shows it" },
		{ "FILE", "which file?" },
		{ "OPERATION", "which operation? Give the id that --no-wait printed" },
	};
	char args[128], *save = NULL;
	int i = 0;
	text_copy(args, sizeof(args), ctl->command->args);
	for (char *arg = strtok_r(args, " ", &save); arg != NULL;
		arg = strtok_r(NULL, " ", &save), i++) {
		for (size_t k = 0; i == n_args && k < ARRAY_SIZE(known); k++) {
			if (strncmp(arg, known[k].arg, strlen(known[k].arg)) == 0) {
				return usage_error(ctl, "%s", known[k].text);
			}
		}
	}
	return usage_error(ctl, "an argument is missing");
}

static int check_args(struct ctl *ctl, char **args, int n_args) {
	if (n_args < ctl->command->min_args) {
		return explain_missing(ctl, n_args);
	}
	if (n_args > ctl->command->max_args) {
		return usage_error(ctl, "'%s' is too much%s", args[ctl->command->max_args],
			ctl->command->max_args == 2
				? "; a name of several words goes in quotation marks"
				: "");
	}
	return 0;
}

static int set_color(struct ctl *ctl) {
	static const char *const names[] = { "auto", "always", "never" };
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	if (ctl->opt.color == NULL) {
		bool is_dumb = term != NULL && strcmp(term, "dumb") == 0;
		ctl->color = (no_color != NULL && no_color[0] != '\0') || is_dumb ? COLOR_NEVER
										  : COLOR_AUTO;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(ctl->opt.color, names[i]) == 0) {
			ctl->color = (enum color_mode) i;
			return 0;
		}
	}
	return usage_error(ctl, "--color %s: WHEN is auto, always or never", ctl->opt.color);
}

static bool is_terminal(FILE *stream) {
	int fd = fileno(stream);
	return fd >= 0 && isatty(fd);
}

static int run_words(struct ctl *ctl, char **words, int n_words, const struct option_set *used) {
	if (ctl->opt.is_version) {
		return cmd_version.run(ctl, NULL, 0);
	}
	if (n_words == 0 && ctl->opt.is_help) {
		return cmd_help.run(ctl, NULL, 0);
	}
	if (n_words == 0) {
		return usage_error(ctl, "what shall be done? Try: lockhubctl status");
	}
	int n_name = pick_command(ctl, words, n_words);
	if (n_name == 0) {
		return unknown_command(ctl, words, n_words);
	}
	if (ctl->opt.is_help) {
		print_command_help(ctl, ctl->command);
		return CTL_DONE;
	}
	int r = options_check(ctl, used);
	if (r == 0) {
		r = set_color(ctl);
	}
	if (r == 0) {
		r = check_args(ctl, words + n_name, n_words - n_name);
	}
	return r != 0 ? r : ctl->command->run(ctl, words + n_name, n_words - n_name);
}

/* A code may pass through JSON: what is released is wiped. */
static void wiping_free(void *p) {
	wipe(p, malloc_usable_size(p));
	free(p);
}

int ctl_main(int argc, char **argv, const struct ctl_streams *streams) {
	struct ctl ctl = { .in = streams->in, .out = streams->out, .err = streams->err };
	char *words[WORDS_MAX];
	struct option_set used = { 0 };
	int n_words = 0;
	json_set_alloc_funcs(malloc, wiping_free);
	ctl.opt.timeout = TIMEOUT_DEFAULT_S;
	ctl.is_tty = is_terminal(ctl.out);
	ctl.is_asking = is_terminal(ctl.in) && is_terminal(ctl.err);
	if (argc > WORDS_MAX) {
		return usage_error(&ctl, "too many words");
	}
	int r = options_read(&ctl, argc, argv, words, &n_words, &used);
	if (r == 0) {
		r = run_words(&ctl, words, n_words, &used);
	}
	sd_bus_flush_close_unref(ctl.bus);
	if (fflush(ctl.out) != 0 && r == CTL_DONE) {
		r = CTL_FAILED;
	}
	return r;
}
