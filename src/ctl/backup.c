/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/password.h"

/* A large log on a slow card, read and checked from end to end. */
#define BACKUP_TIMEOUT_US (3600 * 1000000ULL)
#define TRIES_MAX 3
#define BEFORE_TRIES 3 /* to find the hub as it was when the backup began */
/* docs/backup.md: the first octets, and where it says what seals it. */
#define MAGIC "\x8cLHB\r\n\x1a\n"
#define MAGIC_LEN 8
#define SEALING_AT 12
#define SEALED_BY_MASTER_KEY 2

/* ---- the passphrase ---- */

int backup_ask_passphrase(struct ctl *ctl, bool is_new, struct secret *ret) {
	for (unsigned i = 0;; i++) {
		int r = prompt_secret_from(
			ctl, ctl->opt.passphrase_file, "passphrase", is_new, ret);
		if (r != CTL_DONE) {
			return r;
		}
		if (!text_is_utf8((const char *) ret->bytes, ret->len)) {
			complain(ctl, "a passphrase is UTF-8 text");
			return CTL_FAILED;
		}
		const char *weakness = is_new ? passphrase_weakness(ret->bytes, ret->len) : NULL;
		if (weakness == NULL) {
			return CTL_DONE;
		}
		complain(ctl, "the passphrase can be guessed: %s", weakness);
		advise(ctl, "It protects every key and code. Take four words that have nothing to "
			    "do with each other");
		bool is_asked = ctl->is_asking && ctl->opt.passphrase_file == NULL &&
				!ctl->opt.is_pin_stdin;
		if (!is_asked || i + 1 == TRIES_MAX) {
			return CTL_FAILED;
		}
	}
}

/* ---- the file ---- */

/* As files_generation_name() in the store makes them. */
static bool is_generation_name(const char *word) {
	return strchr(word, '/') == NULL &&
	       fnmatch("[a-z0-9]*-????????T??????Z.backup", word, 0) == 0;
}

static int open_file(struct ctl *ctl, const char *path, bool *ret_is_automatic) {
	uint8_t begin[SEALING_AT + 1];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		complain(ctl, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		complain(ctl, "%s is not a file", path);
	} else {
		ssize_t n = pread(fd, begin, sizeof(begin), 0);
		bool is_backup = n == sizeof(begin) && memcmp(begin, MAGIC, MAGIC_LEN) == 0;
		*ret_is_automatic = is_backup && begin[SEALING_AT] == SEALED_BY_MASTER_KEY;
		if (is_backup) {
			return fd;
		}
		complain(ctl, "%s is no backup of lockhub, or its begin is lost", path);
	}
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

int backup_source_open(struct ctl *ctl, const char *word, struct backup_source *ret) {
	bool is_automatic = false;
	*ret = (struct backup_source){ .word = word, .fd = -1 };
	if (is_generation_name(word) && access(word, F_OK) < 0) {
		return CTL_DONE;
	}
	ret->fd = open_file(ctl, word, &is_automatic);
	if (ret->fd < 0) {
		return CTL_FAILED;
	}
	return is_automatic ? CTL_DONE : backup_ask_passphrase(ctl, false, &ret->passphrase);
}

void backup_source_close(struct backup_source *source) {
	if (source->fd >= 0) {
		close(source->fd);
	}
	secret_wipe(&source->passphrase);
}

/* ---- the calls ---- */

struct answer {
	struct ctl *ctl;
	json_t *json;
	bool is_there;
};

static int on_progress(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ctl *ctl = user;
	const char *text;
	uint64_t done, all;
	if (sd_bus_message_read(message, "stt", &text, &done, &all) >= 0) {
		char line[LINE_TEXT_MAX];
		text_copy(line, sizeof(line), text);
		text_sanitize(line);
		if (all > 0) {
			progress(ctl, "%s ... %ju %%", line, (uintmax_t) (done * 100 / all));
		} else {
			progress(ctl, "%s ...", line);
		}
	}
	return 0;
}

static int on_answer(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct answer *answer = user;
	progress_end(answer->ctl);
	answer->is_there = true;
	if (sd_bus_message_is_method_error(message, NULL) > 0) {
		talk_explain(answer->ctl, sd_bus_message_get_error(message), NULL);
	} else {
		answer->json = wire_read(message);
		if (!json_is_object(answer->json)) {
			json_decref(answer->json);
			answer->json = facts_unreadable(answer->ctl);
		}
	}
	return 0;
}

static json_t *wait_for(struct ctl *ctl, sd_bus_message *call) {
	struct answer answer = { .ctl = ctl };
	talk_long(ctl, call,
		&(struct long_call){ .signal = "BackupProgress",
			.on_progress = on_progress,
			.on_answer = on_answer,
			.answer = &answer,
			.is_there = &answer.is_there,
			.timeout_us = BACKUP_TIMEOUT_US });
	return answer.json;
}

static sd_bus_message *begin(struct ctl *ctl, const char *method) {
	sd_bus_message *call = NULL;
	if (talk_new(ctl, MANAGER_PATH, MANAGER_INTERFACE, method, &call) < 0) {
		return NULL;
	}
	sd_bus_message_sensitive(call);
	return call;
}

/* @r: of what was put into it. */
static json_t *finish(struct ctl *ctl, sd_bus_message *call, int r) {
	if (r < 0) {
		complain(ctl, "%s: %s", sd_bus_message_get_member(call), strerror(-r));
		return NULL;
	}
	progress(ctl, "Waiting for lockhubd ...");
	return wait_for(ctl, call);
}

json_t *backup_write(
	struct ctl *ctl, int fd, const struct secret *passphrase, bool with_passwords) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = begin(ctl, "Backup");
	return call == NULL ? NULL
			    : finish(ctl, call,
				      sd_bus_message_append(call, "hsa{sv}", fd,
					      (const char *) passphrase->bytes, 1, "with_passwords",
					      "b", (int) with_passwords));
}

static json_t *read_source(struct ctl *ctl, const struct backup_source *source, const char *of_file,
	const char *of_generation) {
	AUTO(sd_bus_message_unref)
	sd_bus_message *call = begin(ctl, source->fd >= 0 ? of_file : of_generation);
	if (call == NULL) {
		return NULL;
	}
	int r = source->fd >= 0 ? sd_bus_message_append(call, "hs", source->fd,
					  (const char *) source->passphrase.bytes)
				: sd_bus_message_append(call, "s", source->word);
	return finish(ctl, call, r);
}

json_t *backup_verify(struct ctl *ctl, const struct backup_source *source) {
	return read_source(ctl, source, "VerifyBackup", "VerifyGeneration");
}

json_t *backup_restore(struct ctl *ctl, const struct backup_source *source) {
	return read_source(ctl, source, "Restore", "RestoreGeneration");
}

static json_t *make_generation(struct ctl *ctl, const char *reason) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = begin(ctl, "MakeGeneration");

	return call == NULL ? NULL : finish(ctl, call, sd_bus_message_append(call, "s", reason));
}

/* Absent: nothing was compared. */
static bool is_same(const json_t *report) {
	return facts_number(report, "difference_count", -1) == 0;
}

int backup_before(struct ctl *ctl, const char *reason) {
	json_t *made = make_generation(ctl, reason);
	char text[LINE_TEXT_MAX];

	/* What the hub has learnt of a lock while it was made is in the next one. */
	for (int i = 1; i < BEFORE_TRIES && made != NULL && !is_same(made); i++) {
		json_decref(made);
		made = make_generation(ctl, reason);
	}
	AUTO(json_decref) json_t *report = made;
	if (report == NULL) {
		return CTL_FAILED;
	}
	if (!is_same(report)) {
		complain(ctl, "the backup that was made is not the same as the hub");
		backup_print_differences(ctl, report);
		advise(ctl, "Something was changed meanwhile: try again");
		return CTL_FAILED;
	}
	if (!ctl->opt.is_json) {
		say(ctl, "Backed up, restored on the side and compared: %s\n  %s\n",
			facts_text(report, "name"), backup_describe(report, text, sizeof(text)));
	}
	return CTL_DONE;
}

/* ---- the report ---- */

static const char *plural(int64_t n) {
	return n == 1 ? "" : "s";
}

char *backup_describe(const json_t *report, char *out, size_t size) {
	int64_t locks = facts_number(report, "locks", 0);
	int64_t users = facts_number(report, "users", 0);
	int64_t codes = facts_number(report, "codes", 0);
	int64_t events = facts_number(report, "events", 0);
	snprintf(out, size, "%jd lock%s, %jd user%s, %jd code%s and key%s, %jd entr%s of the log",
		(intmax_t) locks, plural(locks), (intmax_t) users, plural(users), (intmax_t) codes,
		plural(codes), plural(codes), (intmax_t) events, events == 1 ? "y" : "ies");
	return out;
}

void backup_print_differences(struct ctl *ctl, const json_t *report) {
	const json_t *list = json_object_get(report, "differences");
	int64_t n = facts_number(report, "difference_count", 0);
	size_t i;
	const json_t *each;
	json_array_foreach((json_t *) list, i, each) {
		char name[LINE_TEXT_MAX];
		const char *text = json_string_value(json_array_get(each, 2));
		const char *kind = json_string_value(json_array_get(each, 0));
		const char *what = json_string_value(json_array_get(each, 1));
		text_copy(name, sizeof(name), text != NULL ? text : "?");
		text_sanitize(name);
		say(ctl, "  %-9s %s: %s\n", kind != NULL ? kind : "?", name,
			what != NULL ? what : "?");
	}
	if (n > (int64_t) json_array_size(list)) {
		say(ctl, "  ... and %jd more\n", (intmax_t) (n - (int64_t) json_array_size(list)));
	}
}
