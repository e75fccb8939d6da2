/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Into a backup and out of it again: what goes along, in which order, and whether what came out is
 * any good.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "keeper-work.h"
#include "util/text.h"

#define COPY_CHUNK (64 * 1024)
/* On a machine with less, 256 MiB for a second would push others out. */
#define MEMORY_FOR_STRONG (UINT64_C(900) * 1024 * 1024)
#define PASSES_STRONG 3
#define PASSES_SMALL 8

/* ---- progress; @keeper NULL: at start, when nobody asks ---- */

void keeper_set_stage(struct keeper *keeper, enum stage stage, uint64_t all) {
	if (keeper != NULL) {
		atomic_store(&keeper->done, 0);
		atomic_store(&keeper->all, all);
		atomic_store(&keeper->stage, (int) stage);
	}
}

static void keeper_set_done(struct keeper *keeper, uint64_t done) {
	if (keeper != NULL) {
		atomic_store(&keeper->done, done);
	}
}

const atomic_bool *keeper_stopping(const struct keeper *keeper) {
	static const atomic_bool never;

	return keeper != NULL ? &keeper->store->chores.is_stopping : &never;
}

static int keeper_check_stopping(const struct keeper *keeper, struct fault *ret_fault) {
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
	keeper_set_stage(keeper, STAGE_WRITE, (uint64_t) st.st_size);
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
		keeper_set_done(keeper, (uint64_t) (st.st_size - left));
		if (r == 0) {
			r = keeper_check_stopping(keeper, ret_fault);
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

int keeper_pack(struct keeper *keeper, int fd, const char *database,
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
		keeper_set_stage(keeper, STAGE_KEY, 0);
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

void unpacked_wipe(struct unpacked *unpacked) {
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
	keeper_set_stage(keeper, STAGE_READ, size);
	for (uint64_t left = size; r == 0 && left > 0;) {
		size_t n = left < COPY_CHUNK ? (size_t) left : COPY_CHUNK;
		r = archive_read(reader, chunk, n, ret_fault);
		if (r == 0 && write(fd, chunk, n) != (ssize_t) n) {
			r = fault_set_errno(ret_fault, FAULT_DATABASE_FULL,
				errno != 0 ? -errno : -ENOSPC, "%s", path);
		}
		left -= n;
		keeper_set_done(keeper, size - left);
		if (r == 0) {
			r = keeper_check_stopping(keeper, ret_fault);
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

int keeper_unpack(struct keeper *keeper, int fd, const struct secret *passphrase,
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
		keeper_set_stage(keeper, STAGE_KEY, 0);
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

void keeper_describe(struct vault_report *report, const struct archive_header *header, int fd) {
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

int keeper_examine(struct keeper *keeper, const char *path, const struct secret *master,
	sqlite3 **ret, struct store_keys *ret_keys, struct vault_report *report,
	struct fault *ret_fault) {
	keeper_set_stage(keeper, STAGE_CHECK, 0);
	store_keys_derive(master->bytes, ret_keys);
	int r = examine_open(path, ret_keys, ret, ret_fault);
	if (r == 0) {
		r = examine_run(*ret, ret_keys, keeper_stopping(keeper), report, ret_fault);
	}
	return blame_backup(r, ret_fault);
}

int keeper_check_source(int fd, struct fault *ret_fault) {
	struct stat st;

	/* Whoever reads from a pipe may have to wait for ever. */
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "a backup is read from a regular file");
	}
	return 0;
}

int keeper_make_scratch(const char *state_dir, char ret_folder[static PATH_MAX],
	char ret_database[static PATH_MAX], struct fault *ret_fault) {
	int r = files_path(ret_folder, state_dir, FILES_SCRATCH, ret_fault);

	if (r == 0) {
		r = files_make_empty(ret_folder, ret_fault);
	}
	return r < 0 ? r : files_path(ret_database, ret_folder, FILES_DATABASE, ret_fault);
}

/* ---- a database that is to take the place of the present one ---- */

void keeper_make_note(char out[static 128], wall_t now, bool is_recovery, const char *from) {
	(void) snprintf(out, 128, "%lld %s %.90s", (long long) now.s,
		is_recovery ? "damaged" : "asked", from);
}

int keeper_adopt(struct keeper *keeper, const char *state_dir, const char *path,
	const struct secret *master, const struct secret *own, const char *note, const char *aside,
	struct vault_report *report, struct fault *ret_fault) {
	AUTO_VALUE(store_keys_wipe) struct store_keys keys = { 0 };
	AUTO_VALUE(store_keys_wipe) struct store_keys own_keys = { 0 };
	sqlite3 *db = NULL;

	int r = keeper_examine(keeper, path, master, &db, &keys, report, ret_fault);
	if (r == 0) {
		keeper_set_stage(keeper, STAGE_STAGE, 0);
		store_keys_derive(own->bytes, &own_keys);
		r = examine_adopt(db, &keys, &own_keys, note, ret_fault);
	}
	db = db_close(db);
	return r < 0 ? r : files_stage(state_dir, aside, ret_fault);
}
