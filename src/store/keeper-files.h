/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The keeper's folders: what is where, what may go, and the swap at start. Blocking; any thread. */

#include <limits.h>

#include "archive.h"
#include "core/vault.h"

#define FILES_DATABASE "lockhub.db"
#define FILES_SCRATCH "backup.tmp"
#define FILES_STAGE "restore"
#define FILES_STAGE_PART "restore.part"
#define FILES_RESTORED "restored"
#define FILES_ASIDE "aside"
#define FILES_SUSPECT "suspect"
#define FILES_SUFFIX ".backup"
#define FILES_DAILY "daily"
#define GENERATIONS_MAX 256
/* Generations that were made before something risky. */
#define BEFORE_MAX 10

/* "@folder/@name"; BAD_ARGUMENT when it is too long. */
int files_path(
	char out[static PATH_MAX], const char *folder, const char *name, struct fault *ret_fault);
/* With everything in it, three levels down; no fault when there is none. */
void files_remove_tree(const char *path);
/* A private folder with nothing in it. */
int files_make_empty(const char *path, struct fault *ret_fault);
int files_make_folder(const char *path, struct fault *ret_fault);
int files_sync(const char *path, struct fault *ret_fault);
/* Writes a private file of a few octets and syncs it. */
int files_write(const char *path, const void *data, size_t n, struct fault *ret_fault);

/* "20261122T145000Z" */
#define STAMP_MAX 20
char *files_stamp(wall_t at, char out[static STAMP_MAX]);
/* "REASON-STAMP.backup"; BAD_ARGUMENT for a reason that cannot be part of a name. */
int files_generation_name(
	const char *reason, wall_t at, char out[static VAULT_NAME_MAX], struct fault *ret_fault);

/* Newest first; *ret to be freed. */
int files_list(
	const char *folder, struct vault_generation **ret, size_t *ret_n, struct fault *ret_fault);
/* One of those by its name, for reading. BAD_ARGUMENT: there is none. */
int files_open_generation(
	const char *folder, const char *name, int *ret_fd, struct fault *ret_fault);
/* Takes away what is more than @keep daily ones and BEFORE_MAX others. */
void files_rotate(const char *folder, unsigned keep);

/*
 * Lays STATE/backup.tmp/lockhub.db (closed, complete) ready. @aside: the suffix that the database
 * that is there now gets, "" when it may go.
 */
int files_stage(const char *state_dir, const char *aside, struct fault *ret_fault);
