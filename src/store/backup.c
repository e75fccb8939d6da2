/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/text.h"

#define PAGES_PER_STEP 256

static void close_fd(int *fd) {
	if (*fd >= 0) {
		(void) close(*fd);
	}
}

int sync_folder(const char *path, struct fault *ret_fault) {
	char folder[PATH_MAX];

	(void) text_copy(folder, sizeof(folder), path);
	char *slash = strrchr(folder, '/');
	if (slash == NULL) {
		(void) text_copy(folder, sizeof(folder), ".");
	} else {
		slash[slash == folder ? 1 : 0] = '\0';
	}
	AUTO_VALUE(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_IO, -errno, "%s", folder);
	}
	return 0;
}

int check_run(sqlite3 *db, bool is_quick, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	AUTO(db_finalize) sqlite3_stmt *keys = NULL;

	int r = db_prepare(db, is_quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)",
		&stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		return db_fault(db, rc, "checking the database", ret_fault);
	}
	struct column column = column_on(stmt);
	const char *text = column_borrow_text(&column);
	if (!text_equal(text, "ok")) {
		return fault_set(ret_fault, FAULT_DATABASE_CORRUPT, "%.100s", text);
	}
	if (is_quick) {
		return 0;
	}
	r = db_prepare(db, "PRAGMA foreign_key_check", &keys, ret_fault);
	if (r < 0) {
		return r;
	}
	rc = sqlite3_step(keys);
	if (rc == SQLITE_ROW) {
		column = column_on(keys);
		return fault_set(ret_fault, FAULT_DATABASE_CORRUPT,
			"a row of table %.60s belongs to nothing", column_borrow_text(&column));
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "checking the database", ret_fault);
}

static off_t wal_size(const char *database) {
	char path[PATH_MAX];
	struct stat st;

	/* Not opened: when a process closes a file, all its locks on that file are gone. */
	snprintf(path, sizeof(path), "%s-wal", database);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

/*
 * One read transaction from first to last page: else each commit would start it anew. What goes
 * wrong with a page is told by sqlite3_backup_finish(), and only by then by the target.
 */
static int copy_pages(sqlite3_backup *backup, const char *database, const atomic_bool *is_stopping,
	struct fault *ret_fault) {
	off_t wal_limit = wal_size(database) + BACKUP_WAL_MAX;

	for (;;) {
		int rc = sqlite3_backup_step(backup, PAGES_PER_STEP);
		if (rc != SQLITE_OK) { /* SQLITE_DONE, too */
			return 0;
		}
		if (is_stopping != NULL && atomic_load(is_stopping)) {
			return fault_set(ret_fault, FAULT_CANCELLED, "the store is being closed");
		}
		if (wal_size(database) > wal_limit) {
			return fault_set(ret_fault, FAULT_DATABASE_IO,
				"too much was written while it was being copied");
		}
	}
}

static int copy(sqlite3 *source, const char *database, sqlite3 *target,
	const atomic_bool *is_stopping, struct fault *ret_fault) {
	int64_t ignored;

	int r = db_exec(source, "BEGIN", ret_fault);
	if (r == 0) {
		/* BEGIN alone does not fix the snapshot. */
		r = db_number(source, "SELECT count(*) FROM sqlite_schema", &ignored, ret_fault);
	}
	if (r == 0) {
		sqlite3_backup *backup = sqlite3_backup_init(target, "main", source, "main");
		if (backup == NULL) {
			r = db_fault(target, sqlite3_errcode(target), "copying", ret_fault);
		} else {
			r = copy_pages(backup, database, is_stopping, ret_fault);
			int rc = sqlite3_backup_finish(backup);
			if (r == 0 && rc != SQLITE_OK) {
				r = db_fault(target, rc, "copying the database", ret_fault);
			}
		}
	}
	if (!sqlite3_get_autocommit(source)) {
		(void) db_exec(source, "ROLLBACK", NULL);
	}
	return r;
}

/* A copy says that it is in WAL mode; as a file that lies there it is better without. */
static int settle(sqlite3 *target, struct fault *ret_fault) {
	int r = db_exec(target, "PRAGMA journal_mode = DELETE", ret_fault);

	return r < 0 ? r : check_run(target, true, ret_fault);
}

static int make_file(const char *path, struct fault *ret_fault) {
	(void) unlink(path);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return fault_set_errno(ret_fault,
			errno == ENOSPC ? FAULT_DATABASE_FULL : FAULT_BAD_ARGUMENT, -errno, "%s",
			path);
	}
	(void) close(fd);
	return 0;
}

static int fill_file(sqlite3 *source, const char *database, const char *path,
	const atomic_bool *is_stopping, struct fault *ret_fault) {
	AUTO(db_close) sqlite3 *target = NULL;

	int r = db_open(path, DB_WRITE, &target, ret_fault);
	if (r == 0) {
		r = copy(source, database, target, is_stopping, ret_fault);
	}
	if (r == 0) {
		r = settle(target, ret_fault);
	}
	return r;
}

static bool is_same_file(const char *a, const char *b) {
	struct stat sa;
	struct stat sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

/* Under whatever name: a copy over the database or its companions would be the end of it. */
static bool is_own_file(const char *path, const char *database) {
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal", ".lock" };
	char own[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		snprintf(own, sizeof(own), "%s%s", database, suffixes[i]);
		if (text_equal(path, own) || is_same_file(path, own)) {
			return true;
		}
	}
	return false;
}

int backup_run(sqlite3 *source, const char *database, const char *path,
	const atomic_bool *is_stopping, struct fault *ret_fault) {
	char part[PATH_MAX];

	if (path[0] == '\0' || is_own_file(path, database) ||
		snprintf(part, sizeof(part), "%s.part", path) >= (int) sizeof(part)) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "not a path to copy to: '%.80s'", path);
	}
	int r = make_file(part, ret_fault);
	if (r < 0) {
		return r;
	}
	r = fill_file(source, database, part, is_stopping, ret_fault);
	if (r == 0 && rename(part, path) < 0) {
		r = fault_set_errno(ret_fault, FAULT_BAD_ARGUMENT, -errno, "%s", path);
	}
	if (r < 0) {
		(void) unlink(part);
		return r;
	}
	return sync_folder(path, ret_fault);
}
