/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mistakes on the command line, and what needs no lockhubd: in this process, without any bus. */

#include "test.h"

#include <stdlib.h>

#include "room.h"
#include "util/auto.h"

#define WORDS_MAX 8

struct output {
	char *out, *err;
	size_t n_out, n_err;
	int status;
};

static void run(struct output *output, const char *const *words) {
	char *argv[WORDS_MAX + 2] = { (char *) "lockhubctl" };
	struct ctl_streams streams;
	int argc = 1;
	for (; argc <= WORDS_MAX && words[argc - 1] != NULL; argc++) {
		argv[argc] = (char *) words[argc - 1];
	}
	memset(output, 0, sizeof(*output));
	streams.in = fopen("/dev/null", "re");
	streams.out = open_memstream(&output->out, &output->n_out);
	streams.err = open_memstream(&output->err, &output->n_err);
	assert_true(streams.in != NULL && streams.out != NULL && streams.err != NULL);
	output->status = ctl_main(argc, argv, &streams);
	fclose(streams.in);
	fclose(streams.out);
	fclose(streams.err);
}

static void output_free(struct output *output) {
	free(output->out);
	free(output->err);
}

static void mistakes_are_explained(void **state) {
	static const struct {
		const char *words[WORDS_MAX];
		const char *expected;
	} rows[] = {
		{ { NULL }, "lockhubctl status" },
		{ { "unlok" }, "did you mean 'unlock'?" },
		{ { "lsit" }, "did you mean 'list'?" },
		{ { "zzzzzzzz" }, "there is no command 'zzzzzzzz'" },
		{ { "esc\033[31m" }, "there is no command 'esc?[31m'" },
		{ { "unlock" }, "which lock?" },
		{ { "unlock" }, "lockhubctl list" },
		{ { "unlock" }, "Usage: lockhubctl unlock [OPTION...] LOCK" },
		{ { "unlock" }, "For example: lockhubctl unlock front-door" },
		{ { "show" }, "which lock?" },
		{ { "set-pin" }, "which lock?" },
		{ { "set-pin", "front-door", "1234" }, "'1234' is too much" },
		{ { "rename", "front-door" }, "the name is missing" },
		{ { "rename", "front-door", "Garden", "gate" }, "quotation marks" },
		{ { "cancel" }, "which operation?" },
		{ { "cancel", "xyz" }, "not the id of an operation" },
		{ { "list", "front-door" }, "'front-door' is too much" },
		{ { "list", "--jsno" }, "did you mean --json?" },
		{ { "list", "--jsno=1" }, "did you mean --json?" },
		{ { "list", "-x" }, "there is no option -x" },
		{ { "list", "--json=yes" }, "--json takes no value" },
		{ { "list", "--force" }, "--force does not go with 'list'" },
		{ { "unlock", "front-door", "--names" }, "--names does not go with 'unlock'" },
		{ { "log", "-n" }, "-n needs a value" },
		{ { "log", "--lines" }, "--lines needs a value" },
		{ { "log", "-n", "many" }, "N must be a number from 1 to 10000" },
		{ { "log", "-n0" }, "N must be a number" },
		{ { "log", "--lines=-3" }, "N must be a number" },
		{ { "log", "-f", "--until", "now" }, "do not go together" },
		{ { "log", "front-door", "--lock", "back-door" }, "twice" },
		{ { "scan", "--seconds", "601" }, "from 1 to 600" },
		{ { "list", "--timeout", "soon" }, "SECONDS must be a number" },
		{ { "list", "--color", "pink" }, "auto, always or never" },
		{ { "pair", "nonsense" }, "not an address" },
		{ { "pair", "54:D2:72:00:11:2" }, "not an address" },
		{ { "pair", "54-D2-72-00-11-22" }, "not an address" },
		{ { "pair" }, "ADDRESS" },
		{ { "unpair", "front-door" }, "--yes" },
		{ { "help", "unlok" }, "did you mean 'unlock'?" },
		{ { "log", "verify", "x" }, "'x' is too much" },
		{ { "user" }, "lockhubctl user add NAME" },
		{ { "user", "lsit" }, "did you mean 'user list'?" },
		{ { "code", "zzzzzzzz" }, "lockhubctl code reveal CODE" },
		{ { "user", "add" }, "the name is missing" },
		{ { "user", "show" }, "lockhubctl user list" },
		{ { "user", "edit", "anna" }, "what shall be changed?" },
		{ { "user", "edit", "anna", "--code", "--no-code" }, "contradict" },
		{ { "user", "edit", "anna", "--stdin" }, "--stdin goes with" },
		{ { "user", "edit", "anna", "--totp", "--json" }, "QR code" },
		{ { "code", "add" }, "lockhubctl user list" },
		{ { "code", "add", "anna", "1234" }, "'1234' is too much" },
		{ { "code", "add", "anna", "--generate", "--stdin" }, "do not go together" },
		{ { "code", "add", "anna", "--digits", "8" }, "--digits goes with --generate" },
		{ { "code", "add", "anna", "--digits", "3" }, "from 4 to 12" },
		{ { "code", "reveal" }, "lockhubctl code list" },
		{ { "code", "change", "1f2e3d4c", "--digits", "8" }, "goes with 'code add'" },
		{ { "code", "adopt", "front-door", "three", "anna" }, "REF is the number" },
		{ { "code", "revoke", "front-door", "three" }, "REF is the number" },
		{ { "code", "revoke", "1f2e3d4c", "--type", "pin" }, "goes with LOCK REF" },
		{ { "schedule", "add", "anna" }, "Mon-Fri 08:00-12:00" },
		{ { "schedule", "remove" }, "lockhubctl schedule list" },
		{ { "holiday", "remove" }, "lockhubctl holiday list" },
		{ { "access", "grant", "anna" }, "which lock?" },
		{ { "list", "--valid", "daily" }, "--valid does not go with 'list'" },
		{ { "user", "list", "--until", "now" }, "--until does not go with 'user list'" },
		{ { "log", "--once" }, "--once does not go with 'log'" },
		{ { "log", "export" }, "which file?" },
		{ { "log", "--csv", "--json" }, "do not go together" },
		{ { "user", "export" }, "which file?" },
		{ { "user", "export", "x", "--csv", "--with-codes" }, "only written encrypted" },
		{ { "user", "export", "x", "--stdin" }, "goes with --with-codes" },
		{ { "unlock", "front-door", "--stdin" }, "--stdin goes with --code" },
		{ { "report", "a", "b" }, "'b' is too much" },
		{ { "report", "-o" }, "-o needs a value" },
		{ { "list", "--output", "x" }, "--output does not go with 'list'" },
		{ { "support-bundle", "a", "b" }, "'b' is too much" },
		{ { "support-bundle", "--attach" }, "--attach needs a value" },
		{ { "support-bundle", "--text", "--attach", "x.png" }, "--text writes no archive" },
		{ { "support-bundle", "--text", "-o", "x.tar.gz" }, "--text writes no archive" },
		{ { "signal", "--watch" }, "which lock?" },
		{ { "signal", "--watch", "a", "b" }, "one lock at a time" },
		{ { "signal", "a", "--seconds", "5" }, "--seconds goes with --watch" },
		{ { "care", "batteries" }, "which lock?" },
		{ { "care", "batteries", "front-door", "--json" }, "--no-input" },
		{ { "care", "install", "front-door", "--cycles", "0" }, "from 1 to 50" },
		{ { "care", "key", "front-door", "--cycles", "3" }, "does not go with 'care key'" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct output output;
		run(&output, rows[i].words);
		if (output.status != CTL_USAGE || strstr(output.err, rows[i].expected) == NULL ||
			output.n_out != 0) {
			fail_msg("row %zu: %d, \"%s\" is not in: %s%s", i, output.status,
				rows[i].expected, output.out, output.err);
		}
		output_free(&output);
	}
}

static void help_needs_no_bus(void **state) {
	static const char *const commands[] = { "battery", "calibrate", "cancel", "care", "help",
		"list", "lock", "lock-n-go", "log", "monitor", "pair", "reboot", "record",
		"refresh", "rename", "report", "scan", "set-pin", "show", "signal", "status",
		"support-bundle", "sync-clock", "unlatch", "unlock", "unpair", "version" };
	struct output overview;
	run(&overview, (const char *const[]){ "help", NULL });
	assert_int_equal(overview.status, CTL_DONE);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct output by_command, by_option;
		char line[64];
		snprintf(line, sizeof(line), "\n  %s ", commands[i]);
		assert_non_null(strstr(overview.out, line));
		run(&by_command, (const char *const[]){ "help", commands[i], NULL });
		run(&by_option, (const char *const[]){ commands[i], "--help", NULL });
		assert_int_equal(by_command.status, CTL_DONE);
		assert_int_equal(by_option.status, CTL_DONE);
		assert_string_equal(by_command.out, by_option.out);
		assert_int_equal(by_command.n_err, 0);
		snprintf(line, sizeof(line), "Usage: lockhubctl %s", commands[i]);
		assert_ptr_equal(strstr(by_command.out, line), by_command.out);
		output_free(&by_command);
		output_free(&by_option);
	}
	output_free(&overview);
	struct output verify;
	run(&verify, (const char *const[]){ "help", "log", "verify", NULL });
	assert_int_equal(verify.status, CTL_DONE);
	assert_non_null(strstr(verify.out, "hash"));
	output_free(&verify);
}

/* A terminal has 80 columns, and a man page quotes this. */
static void help_fits_a_terminal(void **state) {
	static const char *const words[][3] = { { "help" }, { "help", "log" }, { "help", "pair" },
		{ "help", "monitor" }, { "help", "unlock" }, { "help", "set-pin" },
		{ "help", "list" } };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct output output;
		run(&output, words[i]);
		for (char *line = output.out; *line != '\0';) {
			size_t n = strcspn(line, "\n");
			if (n > 100) {
				fail_msg("%zu columns: %.*s", n, (int) n, line);
			}
			line += n + (line[n] == '\n');
		}
		output_free(&output);
	}
}

static void help_knows_families(void **state) {
	struct output output;
	run(&output, (const char *const[]){ "help", "code", NULL });
	assert_int_equal(output.status, CTL_DONE);
	assert_non_null(strstr(output.out, "lockhubctl code add USER"));
	assert_null(strstr(output.out, "user add"));
	output_free(&output);
	/* A command that is a family too explains itself. */
	run(&output, (const char *const[]){ "help", "log", NULL });
	assert_ptr_equal(strstr(output.out, "Usage: lockhubctl log"), output.out);
	output_free(&output);
	run(&output, (const char *const[]){ "help", "code", "add", NULL });
	assert_non_null(strstr(output.out, "Not after:"));
	assert_null(strstr(output.out, "Before then"));
	output_free(&output);
}

static char *read_source(const char *path) {
	char full[512];
	const char *root = getenv("LOCKHUB_SOURCE_ROOT");
	snprintf(full, sizeof(full), "%s/%s", root != NULL ? root : ".", path);
	FILE *file = fopen(full, "re");
	assert_non_null(file);
	char *text = calloc(1, 1 << 18);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 18) - 1, file) > 0);
	fclose(file);
	return text;
}

static bool has_word(const char *text, const char *word) {
	for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
		const char *end = at + strlen(word);
		if (at > text && strchr(" \t\n*'\"-[({", at[-1]) != NULL &&
			strchr(" \t\n*'\":=[]()\\;,", *end) != NULL) {
			return true;
		}
	}
	return false;
}

/* What the program can do is in the manual page and in all completions. */
static void documents_know_every_command_and_option(void **state) {
	static const char *const paths[] = { "man/lockhubctl.1.scd",
		"src/ctl/completions/lockhubctl.bash", "src/ctl/completions/_lockhubctl",
		"src/ctl/completions/lockhubctl.fish" };
	char *help = NULL;
	size_t n_help = 0;
	struct ctl ctl = { .out = open_memstream(&help, &n_help) };

	/* Every option there is, as --help of some command shows it. */
	options_print(&ctl, 0);
	options_print(&ctl, UINT64_MAX);
	assert_int_equal(fclose(ctl.out), 0);
	assert_non_null(strstr(help, "--key-file"));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		char *text = read_source(paths[i]);
		for (size_t k = 0; ctl_commands[k] != NULL; k++) {
			const char *name = ctl_commands[k]->name;
			const char *second = strchr(name, ' ');
			char first[32];
			snprintf(first, sizeof(first), "%.*s",
				(int) (second != NULL ? second - name : 31), name);
			if (!has_word(text, first) ||
				(second != NULL && !has_word(text, second + 1))) {
				fail_msg("%s lacks the command %s", paths[i], name);
			}
		}
		for (const char *at = strstr(help, "--"); at != NULL; at = strstr(at + 1, "--")) {
			char option[32];

			if (sscanf(at, "--%31[a-z-]", option) == 1 && !has_word(text, option)) {
				fail_msg("%s lacks the option --%s", paths[i], option);
			}
		}
		free(text);
	}
	free(help);
}

static void commands_are_sorted(void **state) {
	for (size_t i = 1; ctl_commands[i] != NULL; i++) {
		assert_true(strcmp(ctl_commands[i - 1]->name, ctl_commands[i]->name) < 0);
		assert_non_null(ctl_commands[i]->blurb);
		assert_non_null(ctl_commands[i]->run);
		assert_true(ctl_commands[i]->min_args <= ctl_commands[i]->max_args);
	}
}

static void version_needs_no_bus(void **state) {
	struct output output;
	run(&output, (const char *const[]){ "--version", NULL });
	assert_int_equal(output.status, CTL_DONE);
	assert_string_equal(output.out, "lockhubctl " LOCKHUB_VERSION "\n");
	output_free(&output);
}

static void a_missing_bus_is_explained(void **state) {
	struct output output;
	run(&output,
		(const char *const[]){ "list", "--bus-address", "unix:path=/nonexistent", NULL });
	assert_int_equal(output.status, CTL_FAILED);
	assert_non_null(strstr(output.err, "cannot be reached"));
	assert_non_null(strstr(output.err, "unix:path=/nonexistent"));
	assert_int_equal(output.n_out, 0);
	output_free(&output);
	run(&output, (const char *const[]){ "list", "--bus-address", "rubbish", NULL });
	assert_int_equal(output.status, CTL_FAILED);
	output_free(&output);
}

static void a_time_that_is_none_is_explained(void **state) {
	setenv("LOCKHUB_BUS_ADDRESS", "", 1);
	struct output output;
	run(&output, (const char *const[]){ "log", "--bus-address", "unix:path=/nonexistent",
			     "--since", "soonish", NULL });
	/* The bus is asked first here; with one, the exit status is 2: test-commands.c. */
	assert_true(output.status != CTL_DONE);
	output_free(&output);
	unsetenv("LOCKHUB_BUS_ADDRESS");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(help_needs_no_bus),
		cmocka_unit_test(help_fits_a_terminal),
		cmocka_unit_test(help_knows_families),
		cmocka_unit_test(documents_know_every_command_and_option),
		cmocka_unit_test(commands_are_sorted),
		cmocka_unit_test(version_needs_no_bus),
		cmocka_unit_test(a_missing_bus_is_explained),
		cmocka_unit_test(a_time_that_is_none_is_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
