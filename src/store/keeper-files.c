/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backup.h"
#include "db.h"
#include "file-lock.h"
#include "store/keeper.h"
#include "util/text.h"

#define TREE_DEPTH_MAX 3

static void close_fd(int *fd) {
	if (*fd >= 0) {
		(void) close(*fd);
	}
}

static void close_dir(DIR **dir) {
	if (*dir != NULL) {
		(void) closedir(*dir);
	}
}

static int io_fault(const char *path, struct fault *ret_fault) {
	int error = errno;

	return fault_set_errno(ret_fault,
		error == ENOSPC || error == EDQUOT ? FAULT_DATABASE_FULL : FAULT_DATABASE_IO,
		-error, "%s", path);
}

int files_path(
	char out[static PATH_MAX], const char *folder, const char *name, struct fault *ret_fault) {
	if (snprintf(out, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "the path %.80s... is too long", folder);
	}
	return 0;
}

static void remove_tree(const char *path, unsigned depth) {
	char inner[PATH_MAX];

	/* A link is taken away itself, never what it leads to. */
	if (unlink(path) == 0 || errno == ENOENT || depth == 0) {
		return;
	}
	AUTO_VALUE(close_dir) DIR *dir = opendir(path);
	const struct dirent *entry;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (!text_equal(entry->d_name, ".") && !text_equal(entry->d_name, "..") &&
			files_path(inner, path, entry->d_name, NULL) == 0) {
			remove_tree(inner, depth - 1);
		}
	}
	(void) rmdir(path);
}

void files_remove_tree(const char *path) {
	remove_tree(path, TREE_DEPTH_MAX);
}

int files_make_folder(const char *path, struct fault *ret_fault) {
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		return io_fault(path, ret_fault);
	}
	if (lstat(path, &st) < 0) {
		return io_fault(path, ret_fault);
	}
	if (!S_ISDIR(st.st_mode)) {
		return fault_set(ret_fault, FAULT_DATABASE_IO, "%s is not a folder", path);
	}
	if ((st.st_mode & 077) != 0 && chmod(path, 0700) < 0) {
		return io_fault(path, ret_fault);
	}
	return 0;
}

int files_make_empty(const char *path, struct fault *ret_fault) {
	files_remove_tree(path);
	return files_make_folder(path, ret_fault);
}

int files_sync(const char *path, struct fault *ret_fault) {
	AUTO_VALUE(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 || fsync(fd) < 0 ? io_fault(path, ret_fault) : 0;
}

int files_write(const char *path, const void *data, size_t n, struct fault *ret_fault) {
	AUTO_VALUE(close_fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		return io_fault(path, ret_fault);
	}
	errno = ENOSPC; /* what a short write means */
	return write(fd, data, n) != (ssize_t) n || fsync(fd) < 0 ? io_fault(path, ret_fault) : 0;
}

/* ---- names ---- */

char *files_stamp(wall_t at, char out[static STAMP_MAX]) {
	time_t seconds = (time_t) at.s;
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
		strftime(out, STAMP_MAX, "%Y%m%dT%H%M%SZ", &tm) == 0) {
		(void) text_copy(out, STAMP_MAX, "00000000T000000Z");
	}
	return out;
}

int files_generation_name(
	const char *reason, wall_t at, char out[static VAULT_NAME_MAX], struct fault *ret_fault) {
	char stamp[STAMP_MAX];
	size_t n = strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (n == 0 || reason[n] != '\0' || reason[0] == '-' || n >= VAULT_REASON_MAX) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a reason is up to %d letters a-z, digits and dashes",
			VAULT_REASON_MAX - 1);
	}
	(void) snprintf(out, VAULT_NAME_MAX, "%s-%s" FILES_SUFFIX, reason, files_stamp(at, stamp));
	return 0;
}

/* The reason out of a name; false: it is no generation's. */
static bool take_reason(const char *name, char out[static VAULT_REASON_MAX]) {
	const size_t n_tail = strlen("-20261122T145000Z" FILES_SUFFIX);
	size_t n = strlen(name);

	if (n <= n_tail || n >= VAULT_NAME_MAX || n - n_tail >= VAULT_REASON_MAX ||
		name[n - n_tail] != '-' ||
		!text_equal(name + n - strlen(FILES_SUFFIX), FILES_SUFFIX)) {
		return false;
	}
	(void) snprintf(out, VAULT_REASON_MAX, "%.*s", (int) (n - n_tail), name);
	return true;
}

static void look_at(const char *folder, struct vault_generation *generation) {
	char path[PATH_MAX];
	struct archive_header header;
	struct stat st = { 0 };

	if (files_path(path, folder, generation->name, &generation->fault) < 0) {
		return;
	}
	AUTO_VALUE(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		(void) io_fault(path, &generation->fault);
		return;
	}
	generation->size = st.st_size;
	if (archive_read_header(fd, &header, &generation->fault) == 0) {
		generation->made_at = header.made_at;
	}
}

/* The stamps in the names sort as the times do; the names' begins do not. */
static const char *stamp_of(const struct vault_generation *generation) {
	return generation->name + strlen(generation->reason) + 1;
}

static int newest_first(const void *a, const void *b) {
	int order = strcmp(stamp_of(b), stamp_of(a));

	return order != 0 ? order
			  : strcmp(((const struct vault_generation *) b)->name,
				    ((const struct vault_generation *) a)->name);
}

int files_list(
	const char *folder, struct vault_generation **ret, size_t *ret_n, struct fault *ret_fault) {
	AUTO_VALUE(close_dir) DIR *dir = opendir(folder);
	const struct dirent *entry;
	size_t n = 0;

	if (dir == NULL && errno != ENOENT) {
		return io_fault(folder, ret_fault);
	}
	struct vault_generation *list = calloc(GENERATIONS_MAX, sizeof(*list));
	if (list == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "listing backups");
	}
	while (dir != NULL && n < GENERATIONS_MAX && (entry = readdir(dir)) != NULL) {
		if (take_reason(entry->d_name, list[n].reason)) {
			(void) text_copy(list[n].name, sizeof(list[n].name), entry->d_name);
			look_at(folder, &list[n++]);
		}
	}
	qsort(list, n, sizeof(*list), newest_first);
	*ret = list;
	*ret_n = n;
	return 0;
}

int files_open_generation(
	const char *folder, const char *name, int *ret_fd, struct fault *ret_fault) {
	char reason[VAULT_REASON_MAX];
	char path[PATH_MAX];

	if (strchr(name, '/') != NULL || !take_reason(name, reason)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"'%.60s' is no name of a backup of the hub", name);
	}
	int r = files_path(path, folder, name, ret_fault);
	if (r < 0) {
		return r;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ELOOP)) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "the hub has no backup %.60s", name);
	}
	if (fd < 0) {
		return io_fault(path, ret_fault);
	}
	*ret_fd = fd;
	return 0;
}

void files_rotate(const char *folder, unsigned keep) {
	AUTO(free) struct vault_generation *list = NULL;
	char path[PATH_MAX];
	size_t n = 0;
	unsigned n_daily = 0;
	unsigned n_before = 0;

	if (files_list(folder, &list, &n, NULL) < 0) {
		return;
	}
	for (size_t i = 0; i < n; i++) {
		bool is_daily = text_equal(list[i].reason, FILES_DAILY);
		bool is_too_many = is_daily ? ++n_daily > keep : ++n_before > BEFORE_MAX;
		if (is_too_many && files_path(path, folder, list[i].name, NULL) == 0) {
			(void) unlink(path);
		}
	}
}

/* ---- the swap ---- */

int files_stage(const char *state_dir, const char *aside, struct fault *ret_fault) {
	char scratch[PATH_MAX];
	char part[PATH_MAX];
	char stage[PATH_MAX];
	char from[PATH_MAX];
	char to[PATH_MAX];

	int r = files_path(scratch, state_dir, FILES_SCRATCH, ret_fault);
	if (r == 0) {
		r = files_path(part, state_dir, FILES_STAGE_PART, ret_fault);
	}
	if (r == 0) {
		r = files_path(stage, state_dir, FILES_STAGE, ret_fault);
	}
	if (r == 0) {
		r = files_path(from, scratch, FILES_DATABASE, ret_fault);
	}
	if (r == 0) {
		r = files_path(to, part, FILES_DATABASE, ret_fault);
	}
	if (r == 0) {
		r = files_make_empty(part, ret_fault);
	}
	if (r == 0) {
		r = files_sync(from, ret_fault);
	}
	if (r == 0 && rename(from, to) < 0) {
		r = io_fault(to, ret_fault);
	}
	if (r == 0) {
		r = files_path(to, part, FILES_ASIDE, ret_fault);
	}
	if (r == 0) {
		r = files_write(to, aside, strlen(aside), ret_fault);
	}
	if (r == 0) {
		r = files_path(from, scratch, FILES_RESTORED, ret_fault);
	}
	if (r == 0) {
		r = files_path(to, part, FILES_RESTORED, ret_fault);
	}
	if (r == 0 && rename(from, to) < 0 && errno != ENOENT) {
		r = io_fault(to, ret_fault);
	}
	if (r == 0) {
		r = files_sync(part, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	/* Another one that lies ready is not wanted any more. */
	files_remove_tree(stage);
	if (rename(part, stage) < 0) {
		return io_fault(stage, ret_fault);
	}
	return files_sync(state_dir, ret_fault);
}

/* @aside "": goes. What is not there is done already. */
static int put_aside(
	const char *path, const char *aside, const char *suffix, struct fault *ret_fault) {
	char from[PATH_MAX];
	char to[PATH_MAX];

	if (snprintf(from, sizeof(from), "%s%s", path, suffix) >= PATH_MAX ||
		snprintf(to, sizeof(to), "%s%s%s", path, aside, suffix) >= PATH_MAX) {
		return fault_set(
			ret_fault, FAULT_DATABASE_IO, "%.100s: the path is too long", path);
	}
	int r = aside[0] == '\0' ? unlink(from) : rename(from, to);
	return r < 0 && errno != ENOENT ? io_fault(from, ret_fault) : 0;
}

static int read_aside(const char *stage, char out[static 64], struct fault *ret_fault) {
	char path[PATH_MAX];

	int r = files_path(path, stage, FILES_ASIDE, ret_fault);
	if (r < 0) {
		return r;
	}
	AUTO_VALUE(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? read(fd, out, 63) : -1;
	if (n < 0) {
		return io_fault(path, ret_fault);
	}
	out[n] = '\0';
	return strchr(out, '/') == NULL
		       ? 0
		       : fault_set(ret_fault, FAULT_DATABASE_IO, "%s makes no sense", path);
}

/*
 * Each step is one that may have been done before: whenever the power goes, the next start finds
 * the stage still there and goes on. The stage goes last, and before its database has left it no
 * other one is at the database's place, so nothing is ever opened in between.
 */
static int swap_in(const char *state_dir, const char *stage, struct fault *ret_fault) {
	static const char *const suffixes[] = { "-wal", "-shm", "-journal" };
	char aside[64];
	char from[PATH_MAX];
	char to[PATH_MAX];

	int r = files_path(from, stage, FILES_DATABASE, ret_fault);
	if (r == 0) {
		r = files_path(to, state_dir, FILES_DATABASE, ret_fault);
	}
	if (r == 0 && access(from, F_OK) == 0) {
		r = read_aside(stage, aside, ret_fault);
		if (r < 0) {
			return r;
		}
		/* The database before its WAL: one without the other is worth something, the other
		 * way round not; and with @aside both get there. */
		r = put_aside(to, aside, "", ret_fault);
		for (size_t i = 0; r == 0 && i < ARRAY_SIZE(suffixes); i++) {
			r = put_aside(to, aside, suffixes[i], ret_fault);
		}
		if (r == 0) {
			r = files_sync(state_dir, ret_fault);
		}
		if (r == 0 && rename(from, to) < 0) {
			r = io_fault(to, ret_fault);
		}
		if (r == 0) {
			r = files_sync(state_dir, ret_fault);
		}
	}
	if (r == 0) {
		r = files_path(from, stage, FILES_RESTORED, ret_fault);
	}
	if (r == 0) {
		r = files_path(to, state_dir, FILES_RESTORED, ret_fault);
	}
	if (r == 0 && access(from, F_OK) == 0) {
		files_remove_tree(to);
		if (rename(from, to) < 0) {
			r = io_fault(to, ret_fault);
		}
	}
	if (r == 0) {
		r = files_path(to, state_dir, FILES_SUSPECT, ret_fault);
	}
	if (r == 0) {
		(void) unlink(to);
		files_remove_tree(stage);
		r = files_sync(state_dir, ret_fault);
	}
	return r;
}

int keeper_settle(const char *state_dir, bool *ret_is_swapped, struct fault *ret_fault) {
	AUTO_VALUE(file_lock_drop) int lock = -1;
	char path[PATH_MAX];
	char stage[PATH_MAX];

	*ret_is_swapped = false;
	int r = files_path(path, state_dir, FILES_DATABASE, ret_fault);
	if (r == 0) {
		r = file_lock_take(path, &lock, ret_fault);
	}
	if (r == 0) {
		r = files_path(path, state_dir, FILES_SCRATCH, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	files_remove_tree(path);
	r = files_path(path, state_dir, FILES_STAGE_PART, ret_fault);
	if (r == 0) {
		files_remove_tree(path);
		r = files_path(stage, state_dir, FILES_STAGE, ret_fault);
	}
	if (r == 0 && access(stage, F_OK) == 0) {
		r = swap_in(state_dir, stage, ret_fault);
		*ret_is_swapped = r == 0;
	}
	return r;
}

void keeper_suspect(const char *state_dir) {
	char path[PATH_MAX];

	if (files_path(path, state_dir, FILES_SUSPECT, NULL) == 0) {
		(void) files_write(path, "", 0, NULL);
	}
}

int keeper_check_suspect(const char *state_dir, struct fault *ret_fault) {
	AUTO(db_close) sqlite3 *db = NULL;
	char mark[PATH_MAX];
	char path[PATH_MAX];

	int r = files_path(mark, state_dir, FILES_SUSPECT, ret_fault);
	if (r == 0) {
		r = files_path(path, state_dir, FILES_DATABASE, ret_fault);
	}
	if (r < 0 || access(mark, F_OK) < 0 || access(path, F_OK) < 0) {
		return r;
	}
	r = db_open(path, DB_READ, &db, ret_fault);
	if (r == 0) {
		r = check_run(db, false, ret_fault);
	}
	if (r == 0) {
		(void) unlink(mark);
	}
	return r;
}

bool keeper_is_database_lost(const char *state_dir, const char *folder) {
	AUTO(free) struct vault_generation *list = NULL;
	char path[PATH_MAX];
	struct stat st;
	size_t n = 0;

	if (files_path(path, state_dir, FILES_DATABASE, NULL) < 0 ||
		(stat(path, &st) == 0 && st.st_size > 0)) {
		return false;
	}
	return files_list(folder, &list, &n, NULL) == 0 && n > 0;
}
