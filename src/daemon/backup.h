/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Backups as the daemon wires them: what happens to the database before it is opened, when
 * generations are made, and what people are told about both.
 */

#include <limits.h>

#include "api/api.h"
#include "conf.h"
#include "core/hub.h"
#include "loop/loop.h"
#include "store/keeper.h"

struct backups {
	const char *state_dir;
	const struct conf *conf;
	char folder[PATH_MAX];
	struct secret key; /* the master key; wiped by backups_finish() */
	struct hub *hub;
	struct loop *loop;
	struct keeper *keeper;
	struct keeper_extra extras[6];
	char paths[4][PATH_MAX];
	struct loop_timer *timer;
	struct fault told; /* as journalled last */
	bool is_restored;
	struct keeper_note note;
	void (*changed)(void *user); /* of what backups_add_status() tells */
	void (*restart)(void *user); /* a backup lies ready to be swapped in */
	void *user;
};

/*
 * Before store_open(): takes over @key, swaps in what lies ready, and brings the newest good
 * generation back when there is no database left or it has been found to be broken. Blocks.
 */
int backups_before_open(struct backups *backups, const char *state_dir, const struct conf *conf,
	const struct secret *key, struct fault *ret_fault);
/*
 * store_open() failed with *fault. 0: the newest good generation is in its place, try again. Else
 * the errno of *fault, which tells of both.
 */
int backups_after_failure(struct backups *backups, struct fault *fault);
/* A setting of the store. */
void backups_load_setting(struct backups *backups, const char *key, const char *value);
/* When hub and store are there; @config: path of the configuration file. -ENOMEM. */
int backups_start(struct backups *backups, struct loop *loop, struct hub *hub, struct store *store,
	const char *hub_id, const char *config);
struct vault *backups_vault(struct backups *backups);
/* "backup_at", "backup" (a fault or "ok"), "restored_at", "restored_from", "recovered". */
void backups_add_status(const struct backups *backups, struct api_status *status);
/* When the newest good backup was made (0: none) and why the last one failed. */
void backups_state(const struct backups *backups, wall_t *ret_newest, struct fault *ret_fault);
/* The store has found that the database is broken. */
void backups_suspect(const struct backups *backups);
/*
 * lockhubd --restore: puts the backup @file into @state_dir, which is made when it is not there and
 * must have no database yet. The passphrase is the first line of standard input. Says how it went.
 * @return the exit status.
 */
int backups_install(const char *state_dir, const char *file);
/* After store_close(). */
void backups_finish(struct backups *backups);
