/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the keeper's files share. Blocking, on the thread for long jobs or at start-up; @keeper NULL
 * is at start-up, when nobody asks how far it is and nobody stops it.
 *
 *	keeper.c        what is asked of it, one task after the other
 *	keeper-start.c  before there is a database
 *	keeper-pack.c   into a backup and out of it
 *	keeper-files.c  the folders
 */

#include "archive.h"
#include "examine.h"
#include "keeper-files.h"
#include "room.h"
#include "store/keeper.h"

enum stage { STAGE_IDLE, STAGE_COPY, STAGE_KEY, STAGE_WRITE, STAGE_READ, STAGE_CHECK, STAGE_STAGE };
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

struct unpacked {
	struct archive_header header;
	struct secret master; /* that what is sealed in it opens with */
	bool has_database;
};

static inline void close_fd(int *fd) {
	if (*fd >= 0) {
		(void) close(*fd);
	}
}

void keeper_set_stage(struct keeper *keeper, enum stage stage, uint64_t all);
const atomic_bool *keeper_stopping(const struct keeper *keeper);

/* @passphrase NULL: a generation. @mark: of what is in @database. */
int keeper_pack(struct keeper *keeper, int fd, const char *database,
	const struct secret *passphrase, bool with_passwords, wall_t now, const uint8_t mark[32],
	struct fault *ret_fault);
void unpacked_wipe(struct unpacked *unpacked);
/*
 * Unpacks into the folder @scratch, which is empty. @own: the hub's master key; @passphrase: may be
 * empty, for generations.
 */
int keeper_unpack(struct keeper *keeper, int fd, const struct secret *passphrase,
	const struct secret *own, const char *scratch, bool with_extras, struct unpacked *ret,
	struct vault_report *report, struct fault *ret_fault);
void keeper_describe(struct vault_report *report, const struct archive_header *header, int fd);
/* Opens what was unpacked, and looks at all of it. */
int keeper_examine(struct keeper *keeper, const char *path, const struct secret *master,
	sqlite3 **ret, struct store_keys *ret_keys, struct vault_report *report,
	struct fault *ret_fault);
int keeper_check_source(int fd, struct fault *ret_fault);
/* The scratch folder, with nothing in it, and where the database in it has its place. */
int keeper_make_scratch(const char *state_dir, char ret_folder[static PATH_MAX],
	char ret_database[static PATH_MAX], struct fault *ret_fault);

/* KEEPER_NOTE's value. */
void keeper_make_note(char out[static 128], wall_t now, bool is_recovery, const char *from);
/* Examines, adopts and stages what was unpacked. The database is closed when it is moved. */
int keeper_adopt(struct keeper *keeper, const char *state_dir, const char *path,
	const struct secret *master, const struct secret *own, const char *note, const char *aside,
	struct vault_report *report, struct fault *ret_fault);
