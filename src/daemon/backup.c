/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/people.h"
#include "keyfile.h"
#include "util/log.h"
#include "util/text.h"

/* Not while everything else starts; and soon again while the time is not known. */
#define FIRST_MS 10000
#define DAILY_MS 86400000
#define RETRY_MS 600000
#define MODELS "/etc/lockhub/models"

/* Before the loop runs: nobody else has a clock yet. */
static wall_t now_at_start(void) {
	return (wall_t){ time(NULL) };
}

static int settle(struct backups *backups, struct fault *ret_fault) {
	bool is_swapped = false;
	int r = keeper_settle(backups->state_dir, &is_swapped, ret_fault);

	if (r >= 0 && is_swapped) {
		log_notice("the database was swapped for the one that was restored");
	}
	return r;
}

static int recover(struct backups *backups, const struct fault *why, struct fault *ret_fault) {
	char name[VAULT_NAME_MAX];
	char text[FAULT_TEXT_MAX];
	int r = keeper_recover(backups->state_dir, backups->folder, &backups->key, now_at_start(),
		name, ret_fault);

	if (r < 0) {
		return r;
	}
	log_error("%s: taking %s in its place; what was there is kept beside it",
		fault_text(why, text), name);
	return settle(backups, ret_fault);
}

int backups_before_open(struct backups *backups, const char *state_dir, const struct conf *conf,
	const struct secret *key, struct fault *ret_fault) {
	struct fault fault = { .code = FAULT_NONE };
	int r;

	backups->state_dir = state_dir;
	backups->conf = conf;
	backups->key = *key;
	if (conf->backup.folder[0] != '\0') {
		(void) text_copy(backups->folder, sizeof(backups->folder), conf->backup.folder);
	} else {
		(void) snprintf(backups->folder, sizeof(backups->folder), "%s/backup", state_dir);
	}
	r = settle(backups, ret_fault);
	if (r < 0) {
		return r;
	}
	if (keeper_is_database_lost(state_dir, backups->folder)) {
		(void) fault_set(
			&fault, FAULT_DATABASE_CORRUPT, "there is none, but backups of it");
		return recover(backups, &fault, ret_fault);
	}
	if (keeper_check_suspect(state_dir, &fault) < 0 && fault.code == FAULT_DATABASE_CORRUPT) {
		/* Without a good backup, what is left is better than nothing. */
		if (recover(backups, &fault, ret_fault) < 0) {
			log_fault(&fault, NULL, NULL);
		}
	}
	return 0;
}

int backups_after_failure(struct backups *backups, struct fault *fault) {
	struct fault second = { .code = FAULT_NONE };
	char text[FAULT_TEXT_MAX];

	if (fault->code != FAULT_DATABASE_CORRUPT || recover(backups, fault, &second) >= 0) {
		return fault->code != FAULT_DATABASE_CORRUPT ? fault_errno(fault->code) : 0;
	}
	log_fault(&second, NULL, NULL);
	return fault_set(fault, FAULT_DATABASE_CORRUPT, "%s", fault_text(fault, text));
}

void backups_load_setting(struct backups *backups, const char *key, const char *value) {
	if (text_equal(key, KEEPER_NOTE) && keeper_note_parse(value, &backups->note) >= 0) {
		backups->is_restored = true;
	}
}

/* Told once: the setting that says so goes with the event. */
static void tell_restored(struct backups *backups) {
	const struct keeper_note *note = &backups->note;
	enum fault_code code = note->is_recovery ? FAULT_DATABASE_RESTORED : FAULT_NONE;
	struct fault fault = { .code = FAULT_NONE };
	char text[EVENT_TEXT_MAX];

	(void) snprintf(text, sizeof(text), "%s %s", note->is_recovery ? "from" : "asked for by",
		note->from);
	if (note->is_recovery) {
		(void) fault_set(&fault, code, "%s", text);
		log_fault(&fault, NULL, NULL);
	}
	/* In front of the remark, with which the note is forgotten. */
	hub_hold_codes(backups->hub);
	if (hub_remark(backups->hub, EVENT_RESTORED, code, text, KEEPER_NOTE, NULL, NULL, &fault) <
		0) {
		log_fault(&fault, NULL, NULL);
	}
}

static void add_extra(struct backups *backups, size_t *n, enum keeper_extra_kind kind,
	const char *path, const char *suffix) {
	if (path[0] != '\0') {
		backups->extras[(*n)++] = (struct keeper_extra){ kind, path, suffix };
	}
}

static size_t fill_extras(struct backups *backups, const char *config) {
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	const struct conf *conf = backups->conf;
	char *drop_ins = backups->paths[0];
	char *password = backups->paths[1];
	size_t n = 0;

	(void) snprintf(drop_ins, sizeof(backups->paths[0]), "%s.d", config);
	if (conf->mqtt.password_file[0] != '\0') {
		(void) snprintf(
			password, sizeof(backups->paths[1]), "%s", conf->mqtt.password_file);
	} else if (credentials != NULL) {
		(void) snprintf(
			password, sizeof(backups->paths[1]), "%s/mqtt-password", credentials);
	}
	add_extra(backups, &n, KEEPER_CONFIG, config, NULL);
	add_extra(backups, &n, KEEPER_CONFIG, drop_ins, ".conf");
	add_extra(backups, &n, KEEPER_MODELS, MODELS, ".ini");
	add_extra(backups, &n, KEEPER_PASSWORD, password, NULL);
	return n;
}

static void on_timer(void *user) {
	struct backups *backups = user;

	/* The names of generations are times, and the newest is the one that is taken. */
	if (!clock_is_trusted(loop_clock(backups->loop))) {
		loop_timer_arm(backups->timer, RETRY_MS);
		return;
	}
	keeper_run_daily(backups->keeper);
	loop_timer_arm(backups->timer, DAILY_MS);
}

static void on_changed(void *user) {
	struct backups *backups = user;
	struct keeper_state state;

	keeper_state(backups->keeper, &state);
	if (state.fault.code != backups->told.code) {
		if (state.fault.code != FAULT_NONE) {
			struct fault fault;
			char text[FAULT_TEXT_MAX];
			(void) fault_set(
				&fault, FAULT_BACKUP_FAILED, "%s", fault_text(&state.fault, text));
			log_fault(&fault, NULL, NULL);
		} else {
			log_info("backups can be made again");
		}
		backups->told = state.fault;
	}
	if (backups->changed != NULL) {
		backups->changed(backups->user);
	}
}

static void on_staged(void *user) {
	struct backups *backups = user;

	if (backups->restart != NULL) {
		backups->restart(backups->user);
	}
}

int backups_start(struct backups *backups, struct loop *loop, struct hub *hub, struct store *store,
	const char *hub_id, const char *config) {
	const struct keeper_config keeping = { .store = store,
		.state_dir = backups->state_dir,
		.folder = backups->folder,
		.key = &backups->key,
		.clock = loop_clock(loop),
		.hub_id = hub_id,
		.keep = backups->conf->backup.keep,
		.extras = backups->extras,
		.n_extras = fill_extras(backups, config),
		.changed = on_changed,
		.staged = on_staged,
		.user = backups };

	backups->hub = hub;
	backups->loop = loop;
	backups->timer = loop_timer_new(loop, on_timer, backups);
	backups->keeper = keeper_new(&keeping);
	if (backups->timer == NULL || backups->keeper == NULL) {
		return -ENOMEM;
	}
	if (backups->is_restored) {
		tell_restored(backups);
	}
	if (backups->conf->backup.daily) {
		loop_timer_arm(backups->timer, FIRST_MS);
	}
	return 0;
}

struct vault *backups_vault(struct backups *backups) {
	return keeper_vault(backups->keeper);
}

void backups_state(const struct backups *backups, wall_t *ret_newest, struct fault *ret_fault) {
	struct keeper_state state = { .newest = { 0 } };

	if (backups->keeper != NULL) {
		keeper_state(backups->keeper, &state);
	}
	*ret_newest = state.newest;
	*ret_fault = (struct fault){ .code = FAULT_NONE };
	if (state.fault.code != FAULT_NONE) {
		char text[FAULT_TEXT_MAX];
		(void) fault_set(
			ret_fault, FAULT_BACKUP_FAILED, "%s", fault_text(&state.fault, text));
	}
}

void backups_add_status(const struct backups *backups, struct api_status *status) {
	struct fault fault;
	wall_t newest;

	backups_state(backups, &newest, &fault);
	api_status_number(status, "backup_at", newest.s);
	api_status_fault(status, "backup", &fault);
	if (backups->is_restored) {
		api_status_number(status, "restored_at", backups->note.at.s);
		api_status_text(status, "restored_from", backups->note.from);
		api_status_flag(status, "recovered", backups->note.is_recovery);
	}
}

void backups_suspect(const struct backups *backups) {
	keeper_suspect(backups->state_dir);
}

/* ---- on a machine where no hub runs ---- */

static int read_passphrase(struct secret *ret) {
	ssize_t n = 0;

	ret->len = 0;
	while (ret->len < sizeof(ret->bytes) &&
		(n = read(STDIN_FILENO, ret->bytes + ret->len, 1)) == 1 &&
		ret->bytes[ret->len] != '\n') {
		ret->len++;
	}
	return n < 0 ? -errno : ret->len == sizeof(ret->bytes) ? -E2BIG : 0;
}

static uid_t install_uid;
static gid_t install_gid;
static int give_away(const char *path, const struct stat *st, int type, struct FTW *where) {
	(void) st;
	(void) type;
	(void) where;
	return lchown(path, install_uid, install_gid);
}

/* Root has made them; the service, which is not root, must be able to use them. */
static int give_to_owner(const char *state_dir) {
	struct stat st;

	if (geteuid() != 0 || stat(state_dir, &st) < 0 || st.st_uid == 0) {
		return 0;
	}
	install_uid = st.st_uid;
	install_gid = st.st_gid;
	return nftw(state_dir, give_away, 16, FTW_PHYS);
}

static int install(
	const char *state_dir, int fd, struct vault_report *report, struct fault *ret_fault) {
	AUTO_VALUE(secret_wipe) struct secret passphrase = { 0 };
	AUTO_VALUE(secret_wipe) struct secret key = { 0 };
	char path[PATH_MAX];
	bool is_made = false;
	bool is_swapped = false;
	int r = read_passphrase(&passphrase);

	if (r < 0) {
		return fault_set_errno(ret_fault, FAULT_BAD_ARGUMENT, r, "the passphrase");
	}
	if (mkdir(state_dir, 0700) < 0 && errno != EEXIST) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_OPEN, -errno, "%s", state_dir);
	}
	(void) snprintf(path, sizeof(path), "%s/lockhub.db", state_dir);
	/* Before a key is made that would be of no use. */
	if (access(path, F_OK) == 0) {
		return fault_set(ret_fault, FAULT_NAME_TAKEN,
			"%s exists: start lockhubd and run lockhubctl restore", path);
	}
	r = keyfile_database(state_dir, false, &key, &is_made, ret_fault);
	if (r >= 0) {
		r = keeper_install(
			state_dir, fd, &passphrase, &key, now_at_start(), report, ret_fault);
	}
	if (r >= 0) {
		r = keeper_settle(state_dir, &is_swapped, ret_fault);
	}
	return r;
}

int backups_install(const char *state_dir, const char *file) {
	struct fault fault = { .code = FAULT_NONE };
	char text[FAULT_TEXT_MAX];
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct vault_report report = { 0 };
	int r = fd < 0 ? fault_set_errno(&fault, FAULT_BAD_ARGUMENT, -errno, "%s", file)
		       : install(state_dir, fd, &report, &fault);

	if (fd >= 0) {
		(void) close(fd);
	}
	if (r >= 0 && give_to_owner(state_dir) != 0) {
		r = fault_set_errno(
			&fault, FAULT_DATABASE_OPEN, -errno, "the owner of %s", state_dir);
	}
	if (r < 0) {
		(void) fprintf(stderr, "lockhubd: %s\n", fault_text(&fault, text));
		(void) fprintf(stderr, "  %s\n", fault_hint(fault.code, NULL, text));
	} else {
		(void) printf(
			"Restored into %s: %u locks, %u users, %u codes and keys, %lld entries "
			"of the log.\n",
			state_dir, report.n_locks, report.n_users, report.n_codes,
			(long long) report.n_events);
		(void) printf(
			"Start lockhubd now: it reads every lock before it believes anything. "
			"Switch the old hub off.\n");
		if (report.n_files > 0) {
			(void) printf("The configuration that was in it lies in %s/restored.\n",
				state_dir);
		}
	}
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

void backups_finish(struct backups *backups) {
	backups->timer = loop_timer_free(backups->timer);
	backups->keeper = keeper_free(backups->keeper);
	secret_wipe(&backups->key);
}
