/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backup.h"

/* ---------------------------------------------------------------- backup */

/* "lockhub-raspberrypi-2026-11-22.backup" */
static void make_name(char out[static PATH_TEXT_MAX]) {
	char host[64] = "hub";
	char date[16] = "";
	time_t now = time(NULL);
	struct tm tm;
	(void) gethostname(host, sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] =
		'\0';
	if (localtime_r(&now, &tm) != NULL) {
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	}
	snprintf(out, PATH_TEXT_MAX, "lockhub-%s-%s.backup", host[0] != '\0' ? host : "hub", date);
}

static int create_part(struct ctl *ctl, const char *path, const char *part) {
	if (access(path, F_OK) == 0) {
		complain(ctl, "%s: %s", path, strerror(EEXIST));
		advise(ctl, "Nothing is overwritten: give another name");
		return -1;
	}
	/* Ours from a try that was broken off; of another program it would have another name. */
	unlink(part);
	int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		complain(ctl, "%s: %s", part, strerror(errno));
	}
	return fd;
}

static int sync_folder_of(const char *path) {
	char folder[LINE_TEXT_MAX];
	const char *slash = strrchr(path, '/');
	if (slash == NULL) {
		text_copy(folder, sizeof(folder), ".");
	} else {
		snprintf(folder, sizeof(folder), "%.*s", (int) (slash - path + 1), path);
	}
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	int r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* Under its name only when all of it is on the disk; and never over another file. */
static int put_in_place(struct ctl *ctl, int fd, const char *part, const char *path) {
	int r = fsync(fd) < 0 ? -errno : 0;
	if (r == 0 && renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) < 0) {
		/* Some file systems (FAT, network) do not know how. */
		r = errno != EINVAL                                    ? -errno
		    : access(path, F_OK) < 0 && rename(part, path) < 0 ? -errno
		    : access(part, F_OK) == 0                          ? -EEXIST
								       : 0;
	}
	if (r == 0) {
		r = sync_folder_of(path);
	}
	if (r < 0) {
		complain(ctl, "%s: %s", path, strerror(-r));
		return CTL_FAILED;
	}
	return CTL_DONE;
}

static int write_to(struct ctl *ctl, int fd, const char *part, const char *path,
	const struct secret *passphrase) {
	AUTO(json_decref)
	json_t *report = backup_write(ctl, fd, passphrase, ctl->opt.is_with_passwords);
	char text[LINE_TEXT_MAX];
	if (report == NULL) {
		return CTL_FAILED;
	}
	int r = put_in_place(ctl, fd, part, path);
	if (r != CTL_DONE) {
		return r;
	}
	if (ctl->opt.is_json) {
		json_object_set_new(report, "file", json_string(path));
		return print_json(ctl, json_incref(report));
	}
	say(ctl, "%s%s%s: %s; %jd KiB\n", tone_start(ctl, TONE_GOOD), path,
		tone_end(ctl, TONE_GOOD), backup_describe(report, text, sizeof(text)),
		(intmax_t) (facts_number(report, "size", 0) + 1023) / 1024);
	say(ctl, "It was opened again and all of it checked. Keep it away from this hub, and the "
		 "passphrase\nelsewhere: whoever has both can open your doors.\n");
	if (!facts_flag(report, "log_whole")) {
		complain(ctl, "the log in it has been tampered with or damaged");
		advise(ctl, "lockhubctl log verify tells where");
	}
	return CTL_DONE;
}

static int backup_run(struct ctl *ctl, char **args, int n_args) {
	AUTO_VALUE(secret_wipe) struct secret passphrase = { 0 };
	char name[PATH_TEXT_MAX], part[LINE_TEXT_MAX];
	const char *path = args[0];
	if (n_args == 0) {
		make_name(name);
		path = name;
	}
	if (strcmp(path, "-") == 0 ||
		snprintf(part, sizeof(part), "%s.part", path) >= (int) sizeof(part)) {
		return usage_error(ctl, "a backup is written to a file");
	}
	int fd = create_part(ctl, path, part);
	if (fd < 0) {
		return CTL_FAILED;
	}
	int r = backup_ask_passphrase(ctl, true, &passphrase);
	if (r == CTL_DONE) {
		r = write_to(ctl, fd, part, path, &passphrase);
	}
	close(fd);
	if (r != CTL_DONE) {
		unlink(part);
	}
	return r;
}

const struct command cmd_backup = {
	.name = "backup",
	.args = "[FILE]",
	.blurb = "Write everything to an encrypted file",
	.help = "Keys of locks, users, codes, schedules, rules, the log and the configuration go\n"
		"into FILE (lockhub-HOST-DATE.backup), which must not exist yet. It is sealed "
		"with\n"
		"a passphrase that is asked for twice, or read from a file; then it is opened\n"
		"again, and all of it is checked. The password of the MQTT broker goes along with\n"
		"--with-passwords. The hub also makes backups by itself: lockhubctl backup list.\n"
		"Needs the role manage, and is recorded in the log.",
	.example = "lockhubctl backup /media/stick/lockhub.backup",
	.options = OPT_JSON | OPT_PASSPHRASE | OPT_BACKUP | OPT_WITH_PASSWORDS,
	.max_args = 1,
	.run = backup_run,
};

/* ---------------------------------------------------------------- backup verify */

static int print_verified(struct ctl *ctl, const char *path, const json_t *report) {
	char text[LINE_TEXT_MAX], when[MOMENT_TEXT_MAX];
	int64_t n = facts_number(report, "difference_count", 0);
	int64_t since = facts_number(report, "events_since", 0);
	say(ctl, "%s%s is good%s: %s,\nmade %s by lockhub %s\n", tone_start(ctl, TONE_GOOD), path,
		tone_end(ctl, TONE_GOOD), backup_describe(report, text, sizeof(text)),
		moment_format(facts_number(report, "made_at", 0), when),
		facts_text(report, "version"));
	if (!facts_flag(report, "log_whole")) {
		complain(ctl, "the log in it has been tampered with or damaged");
	}
	if (!facts_flag(report, "own_log")) {
		say(ctl, "Its log is not the begin of this hub's: it is of another hub, or of "
			 "before a restoration\n");
	} else if (since > 0) {
		say(ctl, "%jd entr%s of the log %s newer\n", (intmax_t) since,
			since == 1 ? "y" : "ies", since == 1 ? "is" : "are");
	}
	if (n == 0) {
		say(ctl, "Users, codes, schedules, locks and keys are the same as in the hub\n");
	} else {
		say(ctl, "Not the same in it and in the hub:\n");
		backup_print_differences(ctl, report);
	}
	return CTL_DONE;
}

static int verify_run(struct ctl *ctl, char **args, int n_args) {
	AUTO_VALUE(backup_source_close) struct backup_source source;
	int r = backup_source_open(ctl, args[0], &source);
	if (r == CTL_DONE) {
		AUTO(json_decref) json_t *report = backup_verify(ctl, &source);
		r = report == NULL     ? CTL_FAILED
		    : ctl->opt.is_json ? print_json(ctl, json_incref(report))
				       : print_verified(ctl, args[0], report);
	}
	return r;
}

const struct command cmd_backup_verify = {
	.name = "backup verify",
	.args = "FILE",
	.blurb = "Check a backup by really restoring it on the side",
	.help = "Every octet, every reference, the chain of the log and every sealed value are\n"
		"checked, and users, codes, schedules, locks and keys compared with those of the\n"
		"hub. The hub goes on working and nothing is changed. Instead of FILE the name of\n"
		"one that the hub made by itself (lockhubctl backup list). Exit status 1 when the\n"
		"backup cannot be used. Needs the role manage.",
	.example = "lockhubctl backup verify lockhub.backup",
	.options = OPT_JSON | OPT_PASSPHRASE | OPT_BACKUP,
	.min_args = 1,
	.max_args = 1,
	.run = verify_run,
};

/* ---------------------------------------------------------------- backup list */

static int list_run(struct ctl *ctl, char **args, int n_args) {
	static const struct column columns[] = {
		{ "MADE", false, false },
		{ "WHY", false, false },
		{ "SIZE", true, false },
		{ "NAME", false, true },
	};
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	size_t i;
	json_t *each;
	if (talk_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "ListBackups", NULL, &reply, "") < 0) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *list = wire_read(reply);
	if (!json_is_array(list)) {
		facts_unreadable(ctl);
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "backups", list));
	}
	if (json_array_size(list) == 0) {
		say(ctl, "There are none yet. The hub makes one each day on which something has "
			 "changed\n");
		return CTL_DONE;
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	json_array_foreach(list, i, each) {
		char when[MOMENT_TEXT_MAX];
		bool is_good = strcmp(facts_text(each, "fault"), "ok") == 0 ||
			       strcmp(facts_text(each, "fault"), "none") == 0;
		table_row(table);
		table_cell(table, is_good ? TONE_PLAIN : TONE_BAD, "%s",
			is_good ? moment_format(facts_number(each, "made_at", 0), when)
				: "damaged");
		table_cell(table, TONE_PLAIN, "%s", facts_text(each, "reason"));
		table_cell(table, TONE_PLAIN, "%jd KiB",
			(intmax_t) (facts_number(each, "size", 0) + 1023) / 1024);
		table_cell(table, TONE_FAINT, "%s", facts_text(each, "name"));
	}
	return table_print(table);
}

const struct command cmd_backup_list = {
	.name = "backup list",
	.args = "",
	.blurb = "List the backups that the hub made by itself",
	.help = "One a day when something has changed, and one before each risky step. Their "
		"names\n"
		"can be given to backup verify and to restore. They are sealed with the hub's own\n"
		"key and of no use without it: for another place, and for another machine, use\n"
		"lockhubctl backup. They lie in the folder backup of the state folder\n"
		"(/var/lib/lockhub) unless lockhubd.conf says otherwise.",
	.example = "lockhubctl backup list",
	.options = OPT_JSON,
	.run = list_run,
};
