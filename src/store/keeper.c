/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/keeper.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "backup.h"
#include "crypto/crypto.h"
#include "examine.h"
#include "keeper-files.h"
#include "room.h"
#include "util/text.h"

#define COPY_CHUNK (64 * 1024)
/* On a machine with less, 256 MiB for a second would push others out. */
#define MEMORY_FOR_STRONG (UINT64_C(900) * 1024 * 1024)
#define PASSES_STRONG 3
#define PASSES_SMALL 8

enum stage { STAGE_IDLE, STAGE_COPY, STAGE_KEY, STAGE_WRITE, STAGE_READ, STAGE_CHECK, STAGE_STAGE };
static const char *const stage_texts[] = { [STAGE_IDLE] = NULL,
	[STAGE_COPY] = "Copying the database",
	[STAGE_KEY] = "Making a key of the passphrase",
	[STAGE_WRITE] = "Writing the backup",
	[STAGE_READ] = "Reading the backup",
	[STAGE_CHECK] = "Checking everything in it",
	[STAGE_STAGE] = "Laying it ready" };

struct keeper {
	struct vault vault;
	struct store *store;
	char *state_dir;
	char *folder;
	char hub_id[17];
	struct secret key;
	struct store_keys keys;
	const struct clock *clock;
	unsigned keep;
	unsigned passes, kib;
	const struct keeper_extra *extras;
	size_t n_extras;
	void (*changed)(void *user);
	void (*staged)(void *user);
	void *user;
	struct keeper_state state;
	unsigned n_jobs;
	atomic_int stage;
	_Atomic uint64_t done, all;
};

enum task {
	TASK_BACKUP,
	TASK_VERIFY,
	TASK_RESTORE,
	TASK_GENERATION,
	TASK_DAILY,
	TASK_LIST,
	TASK_LOOK
};

struct keeper_job {
	struct worker_job job;
	struct keeper *keeper;
	enum task task;
	int fd;
	struct secret passphrase;
	bool with_passwords;
	bool is_unchanged; /* TASK_DAILY: nothing was written */
	char reason[VAULT_REASON_MAX];
	char by[EVENT_USER_MAX];
	wall_t now;
	struct vault_report report;
	struct vault_generation *generations;
	size_t n_generations;
	vault_done_fn *done;
	void (*listed)(void *user, const struct vault_generation *generations, size_t n,
		const struct fault *fault);
	void *user;
};

static void close_fd(int *fd) {
	if (*fd >= 0) {
		(void) close(*fd);
	}
}

/* ---- progress; @keeper NULL: at start, when nobody asks ---- */

static void set_stage(struct keeper *keeper, enum stage stage, uint64_t all) {
	if (keeper != NULL) {
		atomic_store(&keeper->done, 0);
		atomic_store(&keeper->all, all);
		atomic_store(&keeper->stage, (int) stage);
	}
}

static void set_done(struct keeper *keeper, uint64_t done) {
	if (keeper != NULL) {
		atomic_store(&keeper->done, done);
	}
}

static const atomic_bool *stopping_of(const struct keeper *keeper) {
	static const atomic_bool never;

	return keeper != NULL ? &keeper->store->chores.is_stopping : &never;
}

static int check_stopping(const struct keeper *keeper, struct fault *ret_fault) {
	return keeper != NULL && atomic_load(&keeper->store->chores.is_stopping)
		       ? fault_set(ret_fault, FAULT_CANCELLED, "the store is being closed")
		       : 0;
}

/* ---- writing ---- */

static int put_file(struct archive_writer *writer, enum archive_part part, const char *name,
	const char *path, struct fault *ret_fault) {
	AUTO_VALUE(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	AUTO(free) uint8_t *content = NULL;
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		return fault_set_errno(ret_fault, FAULT_BAD_ARGUMENT, -errno, "%s", path);
	}
	if (!S_ISREG(st.st_mode)) {
		return 0;
	}
	content = malloc(ARCHIVE_SMALL_MAX);
	if (content == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "reading %s", path);
	}
	ssize_t n = read(fd, content, ARCHIVE_SMALL_MAX);
	if (n < 0 || n == ARCHIVE_SMALL_MAX) {
		return fault_set_errno(
			ret_fault, FAULT_BAD_ARGUMENT, n < 0 ? -errno : -EFBIG, "%s", path);
	}
	int r = archive_begin(writer, part, name, (uint64_t) n, ret_fault);
	if (r == 0) {
		r = archive_write(writer, content, (size_t) n, ret_fault);
	}
	wipe(content, (size_t) n);
	return r;
}

static const char *base_name(const char *path) {
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool has_suffix(const char *name, const char *suffix) {
	size_t n = strlen(name);
	size_t n_suffix = strlen(suffix);

	return n > n_suffix && name[0] != '.' && text_equal(name + n - n_suffix, suffix);
}

static int put_folder(struct archive_writer *writer, enum archive_part part,
	const struct keeper_extra *extra, struct fault *ret_fault) {
	char path[PATH_MAX];
	DIR *dir = opendir(extra->path);
	const struct dirent *entry;
	int r = 0;

	while (dir != NULL && r == 0 && (entry = readdir(dir)) != NULL) {
		if (has_suffix(entry->d_name, extra->suffix)) {
			r = files_path(path, extra->path, entry->d_name, ret_fault);
			if (r == 0) {
				r = put_file(writer, part, entry->d_name, path, ret_fault);
			}
		}
	}
	if (dir != NULL) {
		(void) closedir(dir);
	}
	return r;
}

static int put_extras(const struct keeper *keeper, struct archive_writer *writer,
	bool with_passwords, struct fault *ret_fault) {
	static const enum archive_part parts[] = { [KEEPER_CONFIG] = PART_CONFIG,
		[KEEPER_MODELS] = PART_MODEL,
		[KEEPER_PASSWORD] = PART_PASSWORD };
	int r = 0;

	for (size_t i = 0; r == 0 && i < keeper->n_extras; i++) {
		const struct keeper_extra *extra = &keeper->extras[i];
		if (extra->kind == KEEPER_PASSWORD && !with_passwords) {
			continue;
		}
		r = extra->suffix != NULL ? put_folder(writer, parts[extra->kind], extra, ret_fault)
					  : put_file(writer, parts[extra->kind],
						    base_name(extra->path), extra->path, ret_fault);
	}
	return r;
}

static int put_database(struct keeper *keeper, struct archive_writer *writer, const char *path,
	struct fault *ret_fault) {
	AUTO_VALUE(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(free) uint8_t *chunk = malloc(COPY_CHUNK);
	struct stat st;
	int64_t left;

	if (fd < 0 || fstat(fd, &st) < 0 || chunk == NULL) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_IO, -errno, "%s", path);
	}
	set_stage(keeper, STAGE_WRITE, (uint64_t) st.st_size);
	int r = archive_begin(
		writer, PART_DATABASE, FILES_DATABASE, (uint64_t) st.st_size, ret_fault);
	for (left = st.st_size; r == 0 && left > 0;) {
		ssize_t n = read(fd, chunk, left < COPY_CHUNK ? (size_t) left : COPY_CHUNK);
		if (n <= 0) {
			return fault_set_errno(
				ret_fault, FAULT_DATABASE_IO, n < 0 ? -errno : -EIO, "%s", path);
		}
		r = archive_write(writer, chunk, (size_t) n, ret_fault);
		left -= n;
		set_done(keeper, (uint64_t) (st.st_size - left));
		if (r == 0) {
			r = check_stopping(keeper, ret_fault);
		}
	}
	return r;
}

/* How hard the passphrase is made to guess: what this machine can spare. */
static void choose_cost(const struct keeper *keeper, struct archive_header *header) {
	struct sysinfo info;
	bool is_small =
		sysinfo(&info) < 0 || (uint64_t) info.totalram * info.mem_unit < MEMORY_FOR_STRONG;

	header->passes = keeper->passes > 0 ? keeper->passes
			 : is_small         ? PASSES_SMALL
					    : PASSES_STRONG;
	header->kib = keeper->kib > 0 ? keeper->kib : is_small ? PASSWORD_KIB : PASSWORD_KIB_STRONG;
}

/* @passphrase NULL: a generation. The database is the one in the scratch folder. */
static int pack(struct keeper *keeper, int fd, const char *database,
	const struct secret *passphrase, bool with_passwords, wall_t now, const uint8_t mark[32],
	struct fault *ret_fault) {
	struct archive_header header = { .made_at = now, .schema = (unsigned) store_migrations_n };
	struct archive_writer writer = { .fd = -1 };

	(void) text_copy(header.hub_id, sizeof(header.hub_id), keeper->hub_id);
	(void) text_copy(header.version, sizeof(header.version), LOCKHUB_VERSION);
	memcpy(header.mark, mark, sizeof(header.mark));
	header.sealing = passphrase != NULL ? ARCHIVE_BY_PASSPHRASE : ARCHIVE_BY_MASTER_KEY;
	if (passphrase != NULL) {
		choose_cost(keeper, &header);
		set_stage(keeper, STAGE_KEY, 0);
	}
	int r = archive_writer_init(
		&writer, fd, &header, passphrase != NULL ? passphrase : &keeper->key, ret_fault);
	if (r == 0 && passphrase != NULL) {
		r = archive_begin(&writer, PART_MASTER_KEY, "db.key", keeper->key.len, ret_fault);
		if (r == 0) {
			r = archive_write(&writer, keeper->key.bytes, keeper->key.len, ret_fault);
		}
	}
	if (r == 0) {
		r = put_extras(keeper, &writer, with_passwords, ret_fault);
	}
	if (r == 0) {
		r = put_database(keeper, &writer, database, ret_fault);
	}
	if (r == 0) {
		r = archive_end(&writer, ret_fault);
	}
	archive_writer_finish(&writer);
	return r;
}

/* ---- reading ---- */

struct unpacked {
	struct archive_header header;
	struct secret master; /* that what is sealed in it opens with */
	bool has_database;
};

static void unpacked_wipe(struct unpacked *unpacked) {
	secret_wipe(&unpacked->master);
}

static int take_database(struct keeper *keeper, struct archive_reader *reader, const char *path,
	uint64_t size, struct fault *ret_fault) {
	AUTO_VALUE(close_fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	AUTO(free) uint8_t *chunk = malloc(COPY_CHUNK);
	int r = 0;

	if (fd < 0 || chunk == NULL) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_IO, -errno, "%s", path);
	}
	set_stage(keeper, STAGE_READ, size);
	for (uint64_t left = size; r == 0 && left > 0;) {
		size_t n = left < COPY_CHUNK ? (size_t) left : COPY_CHUNK;
		r = archive_read(reader, chunk, n, ret_fault);
		if (r == 0 && write(fd, chunk, n) != (ssize_t) n) {
			r = fault_set_errno(ret_fault, FAULT_DATABASE_FULL,
				errno != 0 ? -errno : -ENOSPC, "%s", path);
		}
		left -= n;
		set_done(keeper, size - left);
		if (r == 0) {
			r = check_stopping(keeper, ret_fault);
		}
	}
	if (r == 0 && fsync(fd) < 0) {
		r = fault_set_errno(ret_fault, FAULT_DATABASE_IO, -errno, "%s", path);
	}
	return r;
}

/* @folder NULL: only counted. */
static int take_extra(struct archive_reader *reader, enum archive_part part, const char *name,
	uint64_t size, const char *folder, struct fault *ret_fault) {
	static const char *const names[] = {
		[PART_CONFIG] = "config", [PART_MODEL] = "models", [PART_PASSWORD] = "passwords"
	};
	AUTO(free) uint8_t *content = malloc(size > 0 ? size : 1);
	char inner[PATH_MAX];
	char path[PATH_MAX];

	if (content == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "reading a backup");
	}
	int r = archive_read(reader, content, size, ret_fault);
	if (r == 0 && folder != NULL) {
		r = files_make_folder(folder, ret_fault);
		if (r == 0) {
			r = files_path(inner, folder, names[part], ret_fault);
		}
		if (r == 0) {
			r = files_make_folder(inner, ret_fault);
		}
		if (r == 0) {
			r = files_path(path, inner, name, ret_fault);
		}
		if (r == 0) {
			r = files_write(path, content, size, ret_fault);
		}
	}
	wipe(content, size);
	return r;
}

/*
 * Unpacks into the folder @scratch, which is empty. @own: the hub's master key; @passphrase: may be
 * empty, for generations.
 */
static int unpack(struct keeper *keeper, int fd, const struct secret *passphrase,
	const struct secret *own, const char *scratch, bool with_extras, struct unpacked *ret,
	struct vault_report *report, struct fault *ret_fault) {
	struct archive_reader reader = { .fd = -1 };
	enum archive_part part = PART_END;
	char name[ARCHIVE_NAME_MAX];
	char path[PATH_MAX];
	char extras[PATH_MAX];
	uint64_t size = 0;

	int r = archive_read_header(fd, &ret->header, ret_fault);
	if (r == 0) {
		r = files_path(path, scratch, FILES_DATABASE, ret_fault);
	}
	if (r == 0) {
		r = files_path(extras, scratch, FILES_RESTORED, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	bool is_generation = ret->header.sealing == ARCHIVE_BY_MASTER_KEY;
	if (!is_generation) {
		set_stage(keeper, STAGE_KEY, 0);
	}
	r = archive_reader_init(
		&reader, fd, is_generation ? own : passphrase, &ret->header, ret_fault);
	if (r == 0 && is_generation) {
		r = secret_set(&ret->master, own->bytes, own->len);
	}
	while (r == 0 && (r = archive_next(&reader, &part, name, &size, ret_fault)) == 0 &&
		part != PART_END) {
		if (part == PART_DATABASE && !ret->has_database) {
			ret->has_database = true;
			r = take_database(keeper, &reader, path, size, ret_fault);
		} else if (part == PART_MASTER_KEY && ret->master.len == 0 &&
			   size == STORE_KEY_LEN) {
			r = archive_read(&reader, ret->master.bytes, size, ret_fault);
			ret->master.len = size;
		} else if (part == PART_DATABASE || part == PART_MASTER_KEY) {
			r = fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "its parts make no sense");
		} else {
			r = take_extra(
				&reader, part, name, size, with_extras ? extras : NULL, ret_fault);
			report->n_files += part != PART_PASSWORD;
			report->has_passwords |= part == PART_PASSWORD;
		}
	}
	archive_reader_finish(&reader);
	if (r == 0 && (!ret->has_database || ret->master.len == 0)) {
		r = fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "there is no %s in it",
			ret->has_database ? "key" : "database");
	}
	return r;
}

static void describe(struct vault_report *report, const struct archive_header *header, int fd) {
	struct stat st;

	report->made_at = header->made_at;
	(void) text_copy(report->version, sizeof(report->version), header->version);
	(void) text_copy(report->hub_id, sizeof(report->hub_id), header->hub_id);
	report->is_automatic = header->sealing == ARCHIVE_BY_MASTER_KEY;
	report->size = fstat(fd, &st) == 0 ? st.st_size : 0;
}

/*
 * A database out of a backup that is not good is the backup's fault, whatever it is; a disk that is
 * full is not.
 */
static int blame_backup(int r, struct fault *fault) {
	if (r < 0 && fault != NULL &&
		(fault->code == FAULT_DATABASE_CORRUPT || fault->code == FAULT_DATABASE_OPEN ||
			fault->code == FAULT_KEY_MISSING)) {
		fault->code = FAULT_BACKUP_DAMAGED;
	}
	return r;
}

static int examine(struct keeper *keeper, const char *path, const struct secret *master,
	sqlite3 **ret, struct store_keys *ret_keys, struct vault_report *report,
	struct fault *ret_fault) {
	set_stage(keeper, STAGE_CHECK, 0);
	store_keys_derive(master->bytes, ret_keys);
	int r = examine_open(path, ret_keys, ret, ret_fault);
	if (r == 0) {
		r = examine_run(*ret, ret_keys, stopping_of(keeper), report, ret_fault);
	}
	return blame_backup(r, ret_fault);
}

/* ---- tasks, on the thread for long jobs ---- */

static int make_scratch(
	const struct keeper *keeper, char ret[static PATH_MAX], struct fault *ret_fault) {
	int r = files_path(ret, keeper->state_dir, FILES_SCRATCH, ret_fault);

	return r < 0 ? r : files_make_empty(ret, ret_fault);
}

static int copy_database(
	struct keeper *keeper, const char *to, uint8_t mark[static 32], struct fault *ret_fault) {
	AUTO(db_close) sqlite3 *db = NULL;
	AUTO(db_close) sqlite3 *copy = NULL;

	set_stage(keeper, STAGE_COPY, 0);
	int r = db_open(keeper->store->path, DB_READ, &db, ret_fault);
	if (r == 0) {
		r = backup_run(db, keeper->store->path, to, stopping_of(keeper), ret_fault);
	}
	if (r == 0) {
		r = db_open(to, DB_READ, &copy, ret_fault);
	}
	return r < 0 ? r : examine_mark(copy, mark, ret_fault);
}

/* Reads back what was written. */
static int check_written(struct keeper *keeper, int fd, const struct secret *passphrase,
	struct vault_report *report, struct fault *ret_fault) {
	AUTO_VALUE(unpacked_wipe) struct unpacked unpacked = { 0 };
	AUTO_VALUE(store_keys_wipe) struct store_keys keys = { 0 };
	AUTO(db_close) sqlite3 *db = NULL;
	char scratch[PATH_MAX];
	char path[PATH_MAX];

	int r = make_scratch(keeper, scratch, ret_fault);
	if (r == 0) {
		r = files_path(path, scratch, FILES_DATABASE, ret_fault);
	}
	if (r == 0) {
		r = unpack(keeper, fd, passphrase, &keeper->key, scratch, false, &unpacked, report,
			ret_fault);
	}
	if (r < 0) {
		return r;
	}
	describe(report, &unpacked.header, fd);
	return examine(keeper, path, &unpacked.master, &db, &keys, report, ret_fault);
}

static int run_backup(struct keeper_job *job, struct fault *ret_fault) {
	struct keeper *keeper = job->keeper;
	const char *weakness = passphrase_weakness(job->passphrase.bytes, job->passphrase.len);
	char scratch[PATH_MAX];
	char path[PATH_MAX];
	uint8_t mark[32];
	struct stat st;

	if (weakness != NULL) {
		return fault_set(ret_fault, FAULT_PASSPHRASE_WEAK, "%s", weakness);
	}
	if (fstat(job->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a backup is written to a regular file with nothing in it");
	}
	int r = make_scratch(keeper, scratch, ret_fault);
	if (r == 0) {
		r = files_path(path, scratch, FILES_DATABASE, ret_fault);
	}
	if (r == 0) {
		r = copy_database(keeper, path, mark, ret_fault);
	}
	if (r == 0) {
		r = pack(keeper, job->fd, path, &job->passphrase, job->with_passwords, job->now,
			mark, ret_fault);
	}
	return r < 0 ? r
		     : check_written(keeper, job->fd, &job->passphrase, &job->report, ret_fault);
}

/* Whether the newest generation is of the database as it is. */
static bool is_up_to_date(const struct keeper *keeper) {
	AUTO(free) struct vault_generation *list = NULL;
	AUTO(db_close) sqlite3 *db = NULL;
	struct archive_header header;
	uint8_t mark[32];
	char path[PATH_MAX];
	size_t n = 0;

	if (files_list(keeper->folder, &list, &n, NULL) < 0 || n == 0 ||
		list[0].fault.code != FAULT_NONE ||
		files_path(path, keeper->folder, list[0].name, NULL) < 0) {
		return false;
	}
	AUTO_VALUE(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && archive_read_header(fd, &header, NULL) == 0 &&
	       db_open(keeper->store->path, DB_READ, &db, NULL) == 0 &&
	       examine_mark(db, mark, NULL) == 0 && memcmp(mark, header.mark, sizeof(mark)) == 0;
}

static int write_generation(
	struct keeper_job *job, const char *part, const char *target, struct fault *ret_fault) {
	struct keeper *keeper = job->keeper;
	char scratch[PATH_MAX];
	char path[PATH_MAX];
	uint8_t mark[32];

	(void) unlink(part);
	AUTO_VALUE(close_fd)
	int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_IO, -errno, "%s", part);
	}
	int r = make_scratch(keeper, scratch, ret_fault);
	if (r == 0) {
		r = files_path(path, scratch, FILES_DATABASE, ret_fault);
	}
	if (r == 0) {
		r = copy_database(keeper, path, mark, ret_fault);
	}
	if (r == 0) {
		r = pack(keeper, fd, path, NULL, false, job->now, mark, ret_fault);
	}
	if (r == 0) {
		r = check_written(keeper, fd, NULL, &job->report, ret_fault);
	}
	if (r == 0 && rename(part, target) < 0) {
		r = fault_set_errno(ret_fault, FAULT_DATABASE_IO, -errno, "%s", target);
	}
	return r < 0 ? r : files_sync(keeper->folder, ret_fault);
}

static int make_generation(struct keeper_job *job, const char *reason, struct fault *ret_fault) {
	struct keeper *keeper = job->keeper;
	char target[PATH_MAX];
	char part[PATH_MAX];

	int r = files_generation_name(reason, job->now, job->report.name, ret_fault);
	if (r == 0) {
		r = files_make_folder(keeper->folder, ret_fault);
	}
	if (r == 0) {
		r = files_path(target, keeper->folder, job->report.name, ret_fault);
	}
	if (r == 0) {
		r = files_path(part, keeper->folder, "new.part", ret_fault);
	}
	if (r < 0) {
		return r;
	}
	r = write_generation(job, part, target, ret_fault);
	if (r < 0) {
		(void) unlink(part);
		return r;
	}
	/* Those from before the log was broken may be wanted. */
	files_rotate(keeper->folder, job->report.is_log_whole ? keeper->keep : 2 * keeper->keep);
	return 0;
}

static int run_daily(struct keeper_job *job, struct fault *ret_fault) {
	if (is_up_to_date(job->keeper)) {
		job->is_unchanged = true;
		return 0;
	}
	return make_generation(job, FILES_DAILY, ret_fault);
}

static int check_source(int fd, struct fault *ret_fault) {
	struct stat st;

	/* Whoever reads from a pipe may have to wait for ever. */
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "a backup is read from a regular file");
	}
	return 0;
}

static int run_verify(struct keeper_job *job, struct fault *ret_fault) {
	struct keeper *keeper = job->keeper;
	AUTO_VALUE(unpacked_wipe) struct unpacked unpacked = { 0 };
	AUTO_VALUE(store_keys_wipe) struct store_keys keys = { 0 };
	AUTO(db_close) sqlite3 *db = NULL;
	AUTO(db_close) sqlite3 *hub = NULL;
	char scratch[PATH_MAX];
	char path[PATH_MAX];

	int r = check_source(job->fd, ret_fault);
	if (r == 0) {
		r = make_scratch(keeper, scratch, ret_fault);
	}
	if (r == 0) {
		r = files_path(path, scratch, FILES_DATABASE, ret_fault);
	}
	if (r == 0) {
		r = unpack(keeper, job->fd, &job->passphrase, &keeper->key, scratch, false,
			&unpacked, &job->report, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	describe(&job->report, &unpacked.header, job->fd);
	r = examine(keeper, path, &unpacked.master, &db, &keys, &job->report, ret_fault);
	if (r == 0) {
		r = db_open(keeper->store->path, DB_READ, &hub, ret_fault);
	}
	return r < 0 ? r : examine_compare(db, &keys, hub, &keeper->keys, &job->report, ret_fault);
}

static void make_note(char out[static 128], wall_t now, bool is_recovery, const char *from) {
	(void) snprintf(out, 128, "%lld %s %.90s", (long long) now.s,
		is_recovery ? "damaged" : "asked", from);
}

/* Examines, adopts and stages what was unpacked. The database is closed when it is moved. */
static int adopt(struct keeper *keeper, const char *state_dir, const char *path,
	const struct secret *master, const struct secret *own, const char *note, const char *aside,
	struct vault_report *report, struct fault *ret_fault) {
	AUTO_VALUE(store_keys_wipe) struct store_keys keys = { 0 };
	AUTO_VALUE(store_keys_wipe) struct store_keys own_keys = { 0 };
	sqlite3 *db = NULL;

	int r = examine(keeper, path, master, &db, &keys, report, ret_fault);
	if (r == 0) {
		set_stage(keeper, STAGE_STAGE, 0);
		store_keys_derive(own->bytes, &own_keys);
		r = examine_adopt(db, &keys, &own_keys, note, ret_fault);
	}
	db = db_close(db);
	return r < 0 ? r : files_stage(state_dir, aside, ret_fault);
}

static int run_restore(struct keeper_job *job, struct fault *ret_fault) {
	struct keeper *keeper = job->keeper;
	AUTO_VALUE(unpacked_wipe) struct unpacked unpacked = { 0 };
	struct vault_report ignored = { 0 };
	char scratch[PATH_MAX];
	char path[PATH_MAX];
	char note[128];

	/* First see whether it is any good, then keep what is there, then take it. */
	int r = run_verify(job, ret_fault);
	if (r < 0) {
		return r;
	}
	struct vault_report *verified = malloc(sizeof(*verified));
	if (verified == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "restoring a backup");
	}
	*verified = job->report;
	r = make_generation(job, "before-restore", ret_fault);
	job->report = *verified;
	free(verified);
	if (r == 0) {
		r = make_scratch(keeper, scratch, ret_fault);
	}
	if (r == 0) {
		r = files_path(path, scratch, FILES_DATABASE, ret_fault);
	}
	if (r == 0) {
		r = unpack(keeper, job->fd, &job->passphrase, &keeper->key, scratch, true,
			&unpacked, &ignored, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	make_note(note, job->now, false, job->by);
	return adopt(keeper, keeper->state_dir, path, &unpacked.master, &keeper->key, note, "",
		&ignored, ret_fault);
}

static void job_run(struct worker_job *worker_job, void *context) {
	struct keeper_job *job = container_of(worker_job, struct keeper_job, job);
	struct keeper *keeper = job->keeper;
	char scratch[PATH_MAX];
	int r = 0;

	(void) context;
	switch (job->task) {
	case TASK_BACKUP:
		r = run_backup(job, &worker_job->fault);
		break;
	case TASK_VERIFY:
		r = run_verify(job, &worker_job->fault);
		break;
	case TASK_RESTORE:
		r = run_restore(job, &worker_job->fault);
		break;
	case TASK_GENERATION:
		r = make_generation(job, job->reason, &worker_job->fault);
		break;
	case TASK_DAILY:
		r = run_daily(job, &worker_job->fault);
		break;
	case TASK_LIST:
	case TASK_LOOK:
		r = files_list(
			keeper->folder, &job->generations, &job->n_generations, &worker_job->fault);
		break;
	}
	assert((r < 0) == (worker_job->fault.code != FAULT_NONE));
	secret_wipe(&job->passphrase);
	if (job->task != TASK_LIST && job->task != TASK_LOOK &&
		files_path(scratch, keeper->state_dir, FILES_SCRATCH, NULL) == 0) {
		files_remove_tree(scratch);
	}
	set_stage(keeper, STAGE_IDLE, 0);
}

/* ---- the loop's side ---- */

static void note_outcome(struct keeper *keeper, const struct keeper_job *job) {
	const struct fault *fault = &job->job.fault;
	bool is_automatic = job->task == TASK_DAILY || job->task == TASK_GENERATION;
	bool is_told = false;

	if (fault->code == FAULT_NONE && job->task == TASK_LOOK) {
		for (size_t i = 0; i < job->n_generations && keeper->state.newest.s == 0; i++) {
			if (job->generations[i].fault.code == FAULT_NONE) {
				keeper->state.newest = job->generations[i].made_at;
				is_told = true;
			}
		}
	} else if (fault->code == FAULT_NONE && job->task != TASK_VERIFY &&
		   job->task != TASK_LIST) {
		keeper->state.newest = job->now;
		is_told = true;
	}
	if (is_automatic && fault->code != FAULT_CANCELLED &&
		fault->code != keeper->state.fault.code) {
		keeper->state.fault = *fault;
		is_told = true;
	}
	if (is_told && keeper->changed != NULL) {
		keeper->changed(keeper->user);
	}
}

static void job_deliver(struct outbox_item *item) {
	struct keeper_job *job = container_of(item, struct keeper_job, job.item);
	struct keeper *keeper = job->keeper;
	const struct fault *fault = job->job.fault.code != FAULT_NONE ? &job->job.fault : NULL;

	keeper->n_jobs--;
	note_outcome(keeper, job);
	if (job->listed != NULL) {
		job->listed(job->user, job->generations, job->n_generations, fault);
	} else if (job->done != NULL) {
		job->done(job->user, fault == NULL ? &job->report : NULL, fault);
	}
	if (job->task == TASK_RESTORE && fault == NULL && keeper->staged != NULL) {
		keeper->staged(keeper->user);
	}
	close_fd(&job->fd);
	secret_wipe(&job->passphrase);
	free(job->generations);
	free(job);
}

static struct keeper_job *job_new(struct vault *vault, enum task task, int take_fd, void *user) {
	struct keeper *keeper = container_of(vault, struct keeper, vault);
	struct keeper_job *job = calloc(1, sizeof(*job));

	assert(job != NULL); /* as in jobs.c */
	job->keeper = keeper;
	job->task = task;
	job->fd = take_fd;
	job->now = clock_wall(keeper->clock);
	job->user = user;
	job->job.run = job_run;
	job->job.item.deliver = job_deliver;
	return job;
}

static void job_submit(struct keeper_job *take_job) {
	struct keeper *keeper = take_job->keeper;

	if (!keeper->store->chores.is_started) {
		/* The store is being closed: nobody is answered any more. */
		close_fd(&take_job->fd);
		secret_wipe(&take_job->passphrase);
		free(take_job);
		return;
	}
	keeper->n_jobs++;
	worker_submit(&keeper->store->chores, &take_job->job);
}

static void keeper_backup(struct vault *vault, int take_fd, const struct secret *passphrase,
	bool with_passwords, vault_done_fn *done, void *user) {
	struct keeper_job *job = job_new(vault, TASK_BACKUP, take_fd, user);

	job->passphrase = *passphrase;
	job->with_passwords = with_passwords;
	job->done = done;
	job_submit(job);
}

static void keeper_verify(struct vault *vault, int take_fd, const struct secret *passphrase,
	vault_done_fn *done, void *user) {
	struct keeper_job *job = job_new(vault, TASK_VERIFY, take_fd, user);

	job->passphrase = *passphrase;
	job->done = done;
	job_submit(job);
}

static void keeper_restore(struct vault *vault, int take_fd, const struct secret *passphrase,
	const char *by, vault_done_fn *done, void *user) {
	struct keeper_job *job = job_new(vault, TASK_RESTORE, take_fd, user);

	job->passphrase = *passphrase;
	(void) text_copy(job->by, sizeof(job->by), by);
	job->done = done;
	job_submit(job);
}

static void keeper_generation(
	struct vault *vault, const char *reason, vault_done_fn *done, void *user) {
	struct keeper_job *job = job_new(vault, TASK_GENERATION, -1, user);

	/* Too long is found by the name, as what else is wrong with it. */
	if (!text_copy(job->reason, sizeof(job->reason), reason)) {
		(void) text_copy(job->reason, sizeof(job->reason), "?");
	}
	job->done = done;
	job_submit(job);
}

static void keeper_list(struct vault *vault,
	void (*done)(void *user, const struct vault_generation *generations, size_t n,
		const struct fault *fault),
	void *user) {
	struct keeper_job *job = job_new(vault, TASK_LIST, -1, user);

	job->listed = done;
	job_submit(job);
}

static void keeper_progress(const struct vault *vault, struct vault_progress *ret) {
	/* Reading atomics of what is const to the caller. */
	struct keeper *keeper = container_of((struct vault *) vault, struct keeper, vault);

	*ret = (struct vault_progress){ .text = stage_texts[atomic_load(&keeper->stage)],
		.done = atomic_load(&keeper->done),
		.all = atomic_load(&keeper->all) };
}

static const struct vault_impl keeper_impl = {
	.backup = keeper_backup,
	.verify = keeper_verify,
	.restore = keeper_restore,
	.generation = keeper_generation,
	.list = keeper_list,
	.progress = keeper_progress,
};

struct keeper *keeper_new(const struct keeper_config *config) {
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (keeper == NULL) {
		return NULL;
	}
	keeper->vault.impl = &keeper_impl;
	keeper->store = config->store;
	keeper->state_dir = strdup(config->state_dir);
	keeper->folder = strdup(config->folder);
	keeper->key = *config->key;
	store_keys_derive(keeper->key.bytes, &keeper->keys);
	keeper->clock = config->clock;
	keeper->keep = config->keep > 0 ? config->keep : 1;
	keeper->passes = config->passes;
	keeper->kib = config->kib;
	keeper->extras = config->extras;
	keeper->n_extras = config->n_extras;
	keeper->changed = config->changed;
	keeper->staged = config->staged;
	keeper->user = config->user;
	(void) text_copy(keeper->hub_id, sizeof(keeper->hub_id), config->hub_id);
	if (keeper->state_dir == NULL || keeper->folder == NULL) {
		return keeper_free(keeper);
	}
	job_submit(job_new(&keeper->vault, TASK_LOOK, -1, NULL));
	return keeper;
}

struct keeper *keeper_free(struct keeper *keeper) {
	if (keeper != NULL) {
		secret_wipe(&keeper->key);
		store_keys_wipe(&keeper->keys);
		free(keeper->state_dir);
		free(keeper->folder);
		free(keeper);
	}
	return NULL;
}

struct vault *keeper_vault(struct keeper *keeper) {
	return &keeper->vault;
}

void keeper_run_daily(struct keeper *keeper) {
	job_submit(job_new(&keeper->vault, TASK_DAILY, -1, NULL));
}

void keeper_state(const struct keeper *keeper, struct keeper_state *ret) {
	*ret = keeper->state;
	ret->is_busy = keeper->n_jobs > 0;
}

/* ---- at start ---- */

/* One generation into the scratch folder, adopted and laid ready. */
static int try_generation(const char *state_dir, const char *path, const char *name,
	const struct secret *key, wall_t now, struct fault *ret_fault) {
	AUTO_VALUE(unpacked_wipe) struct unpacked unpacked = { 0 };
	AUTO(free) struct vault_report *report = calloc(1, sizeof(*report));
	AUTO_VALUE(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char scratch[PATH_MAX];
	char database[PATH_MAX];
	char note[128];
	char stamp[STAMP_MAX];
	char aside[32];

	if (fd < 0 || report == NULL) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_IO, -errno, "%s", path);
	}
	int r = files_path(scratch, state_dir, FILES_SCRATCH, ret_fault);
	if (r == 0) {
		r = files_make_empty(scratch, ret_fault);
	}
	if (r == 0) {
		r = files_path(database, scratch, FILES_DATABASE, ret_fault);
	}
	if (r == 0) {
		r = unpack(NULL, fd, key, key, scratch, false, &unpacked, report, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	make_note(note, now, true, name);
	(void) snprintf(aside, sizeof(aside), ".corrupt-%s", files_stamp(now, stamp));
	return adopt(
		NULL, state_dir, database, &unpacked.master, key, note, aside, report, ret_fault);
}

int keeper_recover(const char *state_dir, const char *folder, const struct secret *key, wall_t now,
	char *ret_name, struct fault *ret_fault) {
	AUTO(free) struct vault_generation *list = NULL;
	struct fault fault = { .code = FAULT_NONE };
	char path[PATH_MAX];
	size_t n = 0;

	int r = files_list(folder, &list, &n, ret_fault);
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < n; i++) {
		if (files_path(path, folder, list[i].name, &fault) == 0 &&
			try_generation(state_dir, path, list[i].name, key, now, &fault) == 0) {
			(void) text_copy(ret_name, VAULT_NAME_MAX, list[i].name);
			return 0;
		}
	}
	if (files_path(path, state_dir, FILES_SCRATCH, NULL) == 0) {
		files_remove_tree(path);
	}
	return n == 0 ? fault_set(
				ret_fault, FAULT_BACKUP_DAMAGED, "there is no backup in %s", folder)
		      : fault_set(ret_fault, FAULT_BACKUP_DAMAGED,
				"none of %zu backups in %.60s is good; the oldest: %.60s", n,
				folder, fault.detail);
}

int keeper_install(const char *state_dir, int fd, const struct secret *passphrase,
	const struct secret *key, wall_t now, struct vault_report *report,
	struct fault *ret_fault) {
	AUTO_VALUE(unpacked_wipe) struct unpacked unpacked = { 0 };
	char scratch[PATH_MAX];
	char database[PATH_MAX];
	char note[128];

	*report = (struct vault_report){ 0 };
	int r = check_source(fd, ret_fault);
	if (r == 0) {
		r = files_path(database, state_dir, FILES_DATABASE, ret_fault);
	}
	if (r == 0 && access(database, F_OK) == 0) {
		r = fault_set(ret_fault, FAULT_NAME_TAKEN,
			"%s exists: start lockhubd and run lockhubctl restore", database);
	}
	if (r == 0) {
		r = files_path(scratch, state_dir, FILES_SCRATCH, ret_fault);
	}
	if (r == 0) {
		r = files_make_empty(scratch, ret_fault);
	}
	if (r == 0) {
		r = files_path(database, scratch, FILES_DATABASE, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	r = unpack(NULL, fd, passphrase, key, scratch, true, &unpacked, report, ret_fault);
	if (r == 0) {
		describe(report, &unpacked.header, fd);
		make_note(note, now, false, "lockhubd --restore");
		r = adopt(NULL, state_dir, database, &unpacked.master, key, note, "", report,
			ret_fault);
	}
	files_remove_tree(scratch);
	return r;
}

int keeper_note_parse(const char *value, struct keeper_note *ret) {
	long long at = 0;
	char why[16] = "";
	int n = 0;

	if (sscanf(value, "%lld %15s %n", &at, why, &n) != 2 || n == 0 || at < 0) {
		return -EINVAL;
	}
	*ret = (struct keeper_note){ .at = { at }, .is_recovery = text_equal(why, "damaged") };
	if (!ret->is_recovery && !text_equal(why, "asked")) {
		return -EINVAL;
	}
	(void) text_copy(ret->from, sizeof(ret->from), value + n);
	return 0;
}
