/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/keeper.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "crypto/crypto.h"
#include "keeper-work.h"
#include "util/text.h"

static const char *const stage_texts[] = { [STAGE_IDLE] = NULL,
	[STAGE_COPY] = "Copying the database",
	[STAGE_KEY] = "Making a key of the passphrase",
	[STAGE_WRITE] = "Writing the backup",
	[STAGE_READ] = "Reading the backup",
	[STAGE_CHECK] = "Checking everything in it",
	[STAGE_STAGE] = "Laying it ready" };

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
	bool is_unchanged;         /* TASK_DAILY: nothing was written */
	char name[VAULT_NAME_MAX]; /* of the generation, when there is no file to read */
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

/* ---- tasks, on the thread for long jobs ---- */

static int copy_database(
	struct keeper *keeper, const char *to, uint8_t mark[static 32], struct fault *ret_fault) {
	AUTO(db_close) sqlite3 *db = NULL;
	AUTO(db_close) sqlite3 *copy = NULL;

	keeper_set_stage(keeper, STAGE_COPY, 0);
	int r = db_open(keeper->store->path, DB_READ, &db, ret_fault);
	if (r == 0) {
		r = backup_run(db, keeper->store->path, to, keeper_stopping(keeper), ret_fault);
	}
	if (r == 0) {
		r = db_open(to, DB_READ, &copy, ret_fault);
	}
	return r < 0 ? r : examine_mark(copy, mark, ret_fault);
}

/*
 * Restores the backup in the scratch folder, reads all of it, and compares it with the hub's own
 * database if @is_compared. @ret_mark: of what has come out of it.
 */
static int restore_aside(struct keeper *keeper, int fd, const struct secret *passphrase,
	bool is_compared, uint8_t ret_mark[static 32], struct vault_report *report,
	struct fault *ret_fault) {
	AUTO_VALUE(unpacked_wipe) struct unpacked unpacked = { 0 };
	AUTO_VALUE(store_keys_wipe) struct store_keys keys = { 0 };
	AUTO(db_close) sqlite3 *db = NULL;
	AUTO(db_close) sqlite3 *hub = NULL;
	char scratch[PATH_MAX];
	char path[PATH_MAX];

	int r = keeper_make_scratch(keeper->state_dir, scratch, path, ret_fault);
	if (r == 0) {
		r = keeper_unpack(keeper, fd, passphrase, &keeper->key, scratch, false, &unpacked,
			report, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	keeper_describe(report, &unpacked.header, fd);
	r = keeper_examine(keeper, path, &unpacked.master, &db, &keys, report, ret_fault);
	if (r == 0) {
		r = examine_mark(db, ret_mark, ret_fault);
	}
	if (r < 0 || !is_compared) {
		return r;
	}
	r = db_open(keeper->store->path, DB_READ, &hub, ret_fault);
	return r < 0 ? r : examine_compare(db, &keys, hub, &keeper->keys, report, ret_fault);
}

/* What was written just now. @wanted: the mark of the database that went into it. */
static int check_written(struct keeper *keeper, int fd, const struct secret *passphrase,
	bool is_compared, const uint8_t wanted[static 32], struct vault_report *report,
	struct fault *ret_fault) {
	uint8_t mark[32];

	int r = restore_aside(keeper, fd, passphrase, is_compared, mark, report, ret_fault);
	if (r == 0 && memcmp(mark, wanted, sizeof(mark)) != 0) {
		r = fault_set(ret_fault, FAULT_BACKUP_DAMAGED,
			"what was read back is not what was in the database");
	}
	return r;
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
	int r = keeper_make_scratch(keeper->state_dir, scratch, path, ret_fault);
	if (r == 0) {
		r = copy_database(keeper, path, mark, ret_fault);
	}
	if (r == 0) {
		r = keeper_pack(keeper, job->fd, path, &job->passphrase, job->with_passwords,
			job->now, mark, ret_fault);
	}
	return r < 0 ? r
		     : check_written(keeper, job->fd, &job->passphrase, false, mark, &job->report,
			       ret_fault);
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
	int r = keeper_make_scratch(keeper->state_dir, scratch, path, ret_fault);
	if (r == 0) {
		r = copy_database(keeper, path, mark, ret_fault);
	}
	if (r == 0) {
		r = keeper_pack(keeper, fd, path, NULL, false, job->now, mark, ret_fault);
	}
	if (r == 0) {
		/* The daily one is for later: by then the hub is another anyway. */
		r = check_written(
			keeper, fd, NULL, job->task != TASK_DAILY, mark, &job->report, ret_fault);
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

static int run_verify(struct keeper_job *job, struct fault *ret_fault) {
	struct keeper *keeper = job->keeper;
	uint8_t ignored[32];
	int r = 0;

	if (job->fd < 0) {
		(void) text_copy(job->report.name, sizeof(job->report.name), job->name);
		r = files_open_generation(keeper->folder, job->name, &job->fd, ret_fault);
	}
	if (r == 0) {
		r = keeper_check_source(job->fd, ret_fault);
	}
	return r < 0 ? r
		     : restore_aside(keeper, job->fd, &job->passphrase, true, ignored, &job->report,
			       ret_fault);
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
		r = keeper_make_scratch(keeper->state_dir, scratch, path, ret_fault);
	}
	if (r == 0) {
		r = keeper_unpack(keeper, job->fd, &job->passphrase, &keeper->key, scratch, true,
			&unpacked, &ignored, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	keeper_make_note(note, job->now, false, job->by);
	return keeper_adopt(keeper, keeper->state_dir, path, &unpacked.master, &keeper->key, note,
		"", &ignored, ret_fault);
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
	keeper_set_stage(keeper, STAGE_IDLE, 0);
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

static struct keeper_job *job_from(
	struct vault *vault, enum task task, const struct vault_source *source, void *user) {
	struct keeper_job *job = job_new(vault, task, source->take_fd, user);

	job->passphrase = source->passphrase;
	(void) text_copy(job->name, sizeof(job->name), source->name);
	return job;
}

static void keeper_verify(
	struct vault *vault, const struct vault_source *source, vault_done_fn *done, void *user) {
	struct keeper_job *job = job_from(vault, TASK_VERIFY, source, user);

	job->done = done;
	job_submit(job);
}

static void keeper_restore(struct vault *vault, const struct vault_source *source, const char *by,
	vault_done_fn *done, void *user) {
	struct keeper_job *job = job_from(vault, TASK_RESTORE, source, user);

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
