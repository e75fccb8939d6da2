/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bad-disk.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define SECTOR 512
#define FILES_MAX 16
#define PENDING_MAX 100000

struct change {
	bool is_truncation;
	sqlite3_int64 offset; /* or the new size */
	size_t n;
	uint8_t *bytes;
};

/* What the platter has of a file, and what is still on its way. */
struct platter {
	char path[512];
	bool exists; /* some name of it has been synced */
	uint8_t *bytes;
	size_t n;
	struct change *pending;
	size_t n_pending;
};

struct bad_file {
	sqlite3_file base;
	bool is_watched;
	struct platter *platter; /* NULL: not kept */
	sqlite3_file *real;      /* behind this struct */
};

static struct {
	pthread_mutex_t mutex;
	const char *prefix;
	sqlite3_vfs *real;
	unsigned counts[BAD_DISK_ANY + 1];
	unsigned ops, left;
	int rc;
	bool is_lasting, has_failed, is_keeping, is_lying;
	bool is_held;
	pthread_cond_t let_go;
	struct platter platters[FILES_MAX];
	size_t n_platters;
} disk = { .mutex = PTHREAD_MUTEX_INITIALIZER, .let_go = PTHREAD_COND_INITIALIZER };

static void forget_changes(struct platter *platter) {
	for (size_t i = 0; i < platter->n_pending; i++) {
		free(platter->pending[i].bytes);
	}
	free(platter->pending);
	platter->pending = NULL;
	platter->n_pending = 0;
}

static struct platter *platter_at(const char *path) {
	for (size_t i = 0; i < disk.n_platters; i++) {
		if (strcmp(disk.platters[i].path, path) == 0) {
			return &disk.platters[i];
		}
	}
	assert_true(disk.n_platters < FILES_MAX);
	struct platter *platter = &disk.platters[disk.n_platters++];
	*platter = (struct platter){ 0 };
	snprintf(platter->path, sizeof(platter->path), "%s", path);
	return platter;
}

static void resize(struct platter *platter, size_t n) {
	if (n > platter->n) {
		platter->bytes = realloc(platter->bytes, n);
		assert_non_null(platter->bytes);
		memset(platter->bytes + platter->n, 0, n - platter->n);
	}
	platter->n = n;
}

static void put(struct platter *platter, size_t offset, const uint8_t *bytes, size_t n) {
	if (offset + n > platter->n) {
		resize(platter, offset + n);
	}
	memcpy(platter->bytes + offset, bytes, n);
}

static void apply(struct platter *platter, const struct change *change) {
	if (change->is_truncation) {
		resize(platter, (size_t) change->offset);
	} else {
		put(platter, (size_t) change->offset, change->bytes, change->n);
	}
}

static void keep_change(struct platter *platter, struct change change, const void *bytes) {
	if (platter == NULL) {
		return;
	}
	assert_true(platter->n_pending < PENDING_MAX);
	if (change.n > 0) {
		change.bytes = malloc(change.n);
		assert_non_null(change.bytes);
		memcpy(change.bytes, bytes, change.n);
	}
	platter->pending =
		reallocarray(platter->pending, platter->n_pending + 1, sizeof(*platter->pending));
	assert_non_null(platter->pending);
	platter->pending[platter->n_pending++] = change;
}

static void sync_platter(struct platter *platter) {
	if (platter == NULL || disk.is_lying) {
		return;
	}
	for (size_t i = 0; i < platter->n_pending; i++) {
		apply(platter, &platter->pending[i]);
	}
	forget_changes(platter);
	platter->exists = true;
}

/* With the mutex held: SQLITE_OK, or how the operation shall fail. */
static int count(enum bad_disk_op op) {
	disk.counts[op]++;
	if ((disk.ops & op) == 0) {
		return SQLITE_OK;
	}
	if (disk.left > 0 && --disk.left > 0) {
		return SQLITE_OK;
	}
	disk.has_failed = true;
	if (!disk.is_lasting) {
		disk.ops = 0;
	}
	return disk.rc;
}

static sqlite3_file *real_of(sqlite3_file *file) {
	return ((struct bad_file *) file)->real;
}

static int bad_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset) {
	struct bad_file *bad = (struct bad_file *) file;

	if (!bad->is_watched) {
		return bad->real->pMethods->xWrite(bad->real, bytes, n, offset);
	}
	pthread_mutex_lock(&disk.mutex);
	int rc = count(BAD_DISK_WRITE);
	if (rc != SQLITE_OK && n > 1) {
		/* As much as there was room for. */
		(void) bad->real->pMethods->xWrite(bad->real, bytes, n / 2, offset);
		keep_change(bad->platter,
			(struct change){ .offset = offset, .n = (size_t) (n / 2) }, bytes);
	} else if (rc == SQLITE_OK) {
		rc = bad->real->pMethods->xWrite(bad->real, bytes, n, offset);
		keep_change(
			bad->platter, (struct change){ .offset = offset, .n = (size_t) n }, bytes);
	}
	pthread_mutex_unlock(&disk.mutex);
	return rc;
}

static int bad_truncate(sqlite3_file *file, sqlite3_int64 size) {
	struct bad_file *bad = (struct bad_file *) file;

	if (!bad->is_watched) {
		return bad->real->pMethods->xTruncate(bad->real, size);
	}
	pthread_mutex_lock(&disk.mutex);
	int rc = count(BAD_DISK_TRUNCATE);
	if (rc == SQLITE_OK) {
		rc = bad->real->pMethods->xTruncate(bad->real, size);
		keep_change(bad->platter, (struct change){ .is_truncation = true, .offset = size },
			NULL);
	}
	pthread_mutex_unlock(&disk.mutex);
	return rc;
}

/* Not for real: it is the platters that tell what would be left, and this is faster. */
static int bad_sync(sqlite3_file *file, int flags) {
	struct bad_file *bad = (struct bad_file *) file;

	if (!bad->is_watched) {
		return bad->real->pMethods->xSync(bad->real, flags);
	}
	pthread_mutex_lock(&disk.mutex);
	int rc = count(BAD_DISK_SYNC);
	if (rc == SQLITE_OK) {
		sync_platter(bad->platter);
	}
	while (disk.is_held) {
		pthread_cond_wait(&disk.let_go, &disk.mutex);
	}
	pthread_mutex_unlock(&disk.mutex);
	return rc;
}

static int bad_close(sqlite3_file *file) {
	sqlite3_file *real = real_of(file);

	return real->pMethods != NULL ? real->pMethods->xClose(real) : SQLITE_OK;
}
static int bad_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 offset) {
	return real_of(file)->pMethods->xRead(real_of(file), bytes, n, offset);
}
static int bad_size(sqlite3_file *file, sqlite3_int64 *ret) {
	return real_of(file)->pMethods->xFileSize(real_of(file), ret);
}
static int bad_lock(sqlite3_file *file, int lock) {
	return real_of(file)->pMethods->xLock(real_of(file), lock);
}
static int bad_unlock(sqlite3_file *file, int lock) {
	return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}
static int bad_check_lock(sqlite3_file *file, int *ret) {
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret);
}
static int bad_control(sqlite3_file *file, int op, void *arg) {
	return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}
static int bad_sector(sqlite3_file *file) {
	return SECTOR;
}
/* Promises nothing: no atomic writes, no safe append, torn sectors' neighbours are not spared. */
static int bad_characteristics(sqlite3_file *file) {
	return 0;
}
static int bad_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret) {
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret);
}
static int bad_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}
static void bad_shm_barrier(sqlite3_file *file) {
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}
static int bad_shm_unmap(sqlite3_file *file, int flag) {
	return real_of(file)->pMethods->xShmUnmap(real_of(file), flag);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = bad_close,
	.xRead = bad_read,
	.xWrite = bad_write,
	.xTruncate = bad_truncate,
	.xSync = bad_sync,
	.xFileSize = bad_size,
	.xLock = bad_lock,
	.xUnlock = bad_unlock,
	.xCheckReservedLock = bad_check_lock,
	.xFileControl = bad_control,
	.xSectorSize = bad_sector,
	.xDeviceCharacteristics = bad_characteristics,
	.xShmMap = bad_shm_map,
	.xShmLock = bad_shm_lock,
	.xShmBarrier = bad_shm_barrier,
	.xShmUnmap = bad_shm_unmap,
};

static bool is_ours(const char *path) {
	return path != NULL && disk.prefix != NULL &&
	       strncmp(path, disk.prefix, strlen(disk.prefix)) == 0;
}

static int bad_open(
	sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret_flags) {
	struct bad_file *bad = (struct bad_file *) file;

	*bad = (struct bad_file){ .real = (sqlite3_file *) (void *) (bad + 1) };
	memset(bad->real, 0, (size_t) disk.real->szOsFile);
	int rc = disk.real->xOpen(disk.real, path, bad->real, flags, ret_flags);
	if (rc != SQLITE_OK) {
		return rc;
	}
	bad->base.pMethods = &methods;
	pthread_mutex_lock(&disk.mutex);
	bad->is_watched = is_ours(path);
	if (bad->is_watched && disk.is_keeping) {
		bad->platter = platter_at(path);
	}
	pthread_mutex_unlock(&disk.mutex);
	return SQLITE_OK;
}

static int bad_delete(sqlite3_vfs *vfs, const char *path, int sync_folder) {
	int rc = disk.real->xDelete(disk.real, path, sync_folder);

	pthread_mutex_lock(&disk.mutex);
	if (rc == SQLITE_OK && is_ours(path) && disk.is_keeping) {
		struct platter *platter = platter_at(path);
		forget_changes(platter);
		resize(platter, 0);
		platter->exists = false;
	}
	pthread_mutex_unlock(&disk.mutex);
	return rc;
}

static sqlite3_vfs bad_vfs;

void bad_disk_watch(const char *prefix) {
	if (disk.real == NULL) {
		disk.real = sqlite3_vfs_find(NULL);
		assert_non_null(disk.real);
		bad_vfs = *disk.real;
		bad_vfs.pNext = NULL;
		bad_vfs.zName = "bad-disk";
		bad_vfs.szOsFile = (int) sizeof(struct bad_file) + disk.real->szOsFile;
		bad_vfs.xOpen = bad_open;
		bad_vfs.xDelete = bad_delete;
		assert_int_equal(sqlite3_vfs_register(&bad_vfs, 1), SQLITE_OK);
	}
	for (size_t i = 0; i < disk.n_platters; i++) {
		forget_changes(&disk.platters[i]);
		free(disk.platters[i].bytes);
	}
	disk.n_platters = 0;
	disk.prefix = prefix;
	memset(disk.counts, 0, sizeof(disk.counts));
	disk.ops = 0;
	disk.is_held = false;
	disk.has_failed = false;
	disk.is_keeping = false;
	disk.is_lying = false;
}

void bad_disk_fail(unsigned ops, unsigned nth, int rc, bool is_lasting) {
	pthread_mutex_lock(&disk.mutex);
	disk.ops = nth > 0 ? ops : 0;
	disk.left = nth;
	disk.rc = rc;
	disk.is_lasting = is_lasting;
	disk.has_failed = false;
	pthread_mutex_unlock(&disk.mutex);
}

bool bad_disk_has_failed(void) {
	pthread_mutex_lock(&disk.mutex);
	bool has_failed = disk.has_failed;
	pthread_mutex_unlock(&disk.mutex);
	return has_failed;
}

unsigned bad_disk_count(unsigned ops) {
	unsigned n = 0;

	pthread_mutex_lock(&disk.mutex);
	for (unsigned op = 1; op <= BAD_DISK_ANY; op *= 2) {
		n += (ops & op) != 0 ? disk.counts[op] : 0;
	}
	pthread_mutex_unlock(&disk.mutex);
	return n;
}

void bad_disk_hold_sync(bool is_held) {
	pthread_mutex_lock(&disk.mutex);
	disk.is_held = is_held;
	pthread_cond_broadcast(&disk.let_go);
	pthread_mutex_unlock(&disk.mutex);
}

void bad_disk_keep(bool is_keeping, bool is_lying) {
	disk.is_keeping = is_keeping;
	disk.is_lying = is_lying;
}

static bool toss(uint64_t *seed) {
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 40) & 1;
}

/* Some of what was on its way has arrived, sector by sector and in no order. */
static struct platter found_after(const struct platter *platter, uint64_t *seed) {
	struct platter found = { .exists = platter->exists };

	if (platter->n > 0) {
		put(&found, 0, platter->bytes, platter->n);
	}
	for (size_t i = 0; i < platter->n_pending; i++) {
		const struct change *change = &platter->pending[i];
		if (change->is_truncation) {
			if (toss(seed)) {
				apply(&found, change);
				found.exists = true;
			}
			continue;
		}
		for (size_t at = 0; at < change->n; at += SECTOR) {
			size_t n = change->n - at < SECTOR ? change->n - at : SECTOR;
			if (toss(seed)) {
				put(&found, (size_t) change->offset + at, change->bytes + at, n);
				found.exists = true;
			}
		}
	}
	return found;
}

void bad_disk_cut(const char *folder, uint64_t seed) {
	char path[1100];

	pthread_mutex_lock(&disk.mutex);
	for (size_t i = 0; i < disk.n_platters; i++) {
		const struct platter *platter = &disk.platters[i];
		const char *name = strrchr(platter->path, '/') + 1;
		struct platter found = found_after(platter, &seed);
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		(void) unlink(path);
		if (found.exists) {
			FILE *file = fopen(path, "we");
			assert_non_null(file);
			assert_int_equal(fwrite(found.bytes, 1, found.n, file), found.n);
			assert_int_equal(fclose(file), 0);
		}
		free(found.bytes);
	}
	pthread_mutex_unlock(&disk.mutex);
}
