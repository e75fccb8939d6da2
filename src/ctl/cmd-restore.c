/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup.h"

/* ---- a hub that does not run: its own program does it ---- */

static void exec_daemon(const char *file, const char *folder, int in) {
	const char *program = getenv("LOCKHUBD");
	if (dup2(in, STDIN_FILENO) < 0) {
		_exit(127);
	}
	if (program == NULL || program[0] == '\0') {
		program = LOCKHUBD_PATH;
	}
	execl(program, "lockhubd", "--restore", file, "--state-dir", folder, (char *) NULL);
	fprintf(stderr, "lockhubctl: %s: %s\n", program, strerror(errno));
	_exit(127);
}

static bool write_passphrase(int fd, const struct secret *passphrase) {
	return write(fd, passphrase->bytes, passphrase->len) == (ssize_t) passphrase->len &&
	       write(fd, "\n", 1) == 1;
}

/* The passphrase goes through a pipe: arguments and environment are there for all to see. */
static int restore_into(struct ctl *ctl, const char *file, const struct secret *passphrase) {
	int pipes[2], status = 0;
	fflush(ctl->out);
	if (pipe2(pipes, O_CLOEXEC) < 0) {
		complain(ctl, "a pipe: %s", strerror(errno));
		return CTL_FAILED;
	}
	pid_t pid = fork();
	if (pid == 0) {
		exec_daemon(file, ctl->opt.into, pipes[0]);
	}
	close(pipes[0]);
	bool is_told = pid > 0 && write_passphrase(pipes[1], passphrase);
	close(pipes[1]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		complain(ctl, "lockhubd cannot be run: %s", strerror(errno));
		return CTL_FAILED;
	}
	return is_told && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CTL_DONE : CTL_FAILED;
}

/* ---- a hub that runs ---- */

static bool is_meant(struct ctl *ctl, const json_t *report) {
	char text[LINE_TEXT_MAX], when[MOMENT_TEXT_MAX];
	int64_t since = facts_number(report, "events_since", 0);
	say(ctl, "The backup of %s is good: %s\n",
		moment_format(facts_number(report, "made_at", 0), when),
		backup_describe(report, text, sizeof(text)));
	if (facts_number(report, "difference_count", 0) > 0) {
		say(ctl, "Not the same in it and in the hub:\n");
		backup_print_differences(ctl, report);
	}
	if (since > 0 && facts_flag(report, "own_log")) {
		say(ctl, "%jd entr%s of the log will be gone\n", (intmax_t) since,
			since == 1 ? "y" : "ies");
	}
	say(ctl, "Everything becomes as it was then; codes that were revoked since are active "
		 "again, but are put\ninto the locks only by lockhubctl code sync. What is there "
		 "now "
		 "is kept as a backup of its own.\n");
	if (ctl->opt.is_yes) {
		return true;
	}
	if (!ctl->is_asking) {
		complain(ctl, "nobody can be asked here whether it is meant: say so with --yes");
		return false;
	}
	return prompt_yes(ctl, "Restore it?");
}

static int restore_here(struct ctl *ctl, const struct backup_source *source) {
	AUTO(json_decref) json_t *report = backup_verify(ctl, source);
	if (report == NULL || !is_meant(ctl, report)) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *restored = backup_restore(ctl, source);
	if (restored == NULL) {
		return CTL_FAILED;
	}
	say(ctl,
		"%sRestored%s. lockhubd starts anew now and reads every lock again; without "
		"systemd start it\nyourself. lockhubctl status tells how it goes.\n",
		tone_start(ctl, TONE_GOOD), tone_end(ctl, TONE_GOOD));
	if (facts_number(restored, "files", 0) > 0) {
		say(ctl, "The configuration that was in it is not put in place: it lies in the "
			 "folder restored of the\nstate folder.\n");
	}
	return CTL_DONE;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO_VALUE(backup_source_close) struct backup_source source;
	int r = backup_source_open(ctl, args[0], &source);
	if (r != CTL_DONE) {
		return r;
	}
	if (ctl->opt.into == NULL) {
		return restore_here(ctl, &source);
	}
	if (source.fd < 0) {
		complain(ctl, "%s: %s", args[0], strerror(ENOENT));
		return CTL_FAILED;
	}
	return restore_into(ctl, args[0], &source.passphrase);
}

const struct command cmd_restore = {
	.name = "restore",
	.args = "FILE",
	.blurb = "Bring a backup back",
	.help = "Checks FILE from end to end, shows what is different, asks, keeps what is there\n"
		"as a backup, and swaps the database when lockhubd starts anew, which it does at\n"
		"once. Locks need not be paired again; all are read, and their codes compared.\n"
		"FILE may be the name of one that the hub made by itself (lockhubctl backup "
		"list).\n"
		"With --into FOLDER into the state folder of a hub that does not run and has no\n"
		"database yet: for a new machine. Two hubs with the same keys confuse the locks:\n"
		"switch the old one off. Needs the role manage; with --into the right to write.",
	.example = "lockhubctl restore /media/stick/lockhub.backup",
	.options = OPT_PASSPHRASE | OPT_BACKUP | OPT_YES | OPT_INTO,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
