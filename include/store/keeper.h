/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The keeper of backups: makes them, checks them, keeps generations of them in a folder, and brings
 * one back. Behind the vault's door (core/vault.h); docs/backup.md tells the whole story.
 *
 *	FOLDER/daily-STAMP.backup  generations, sealed under a key made of the master key
 *	STATE/backup.tmp/          a database on the side; goes with each job, and at start
 *	STATE/restore/             what keeper_settle() swaps in at the next start
 *	STATE/restored/            configuration that came with it, for a person to look at
 *
 * The work is done on the store's thread for long jobs, so it waits for others of them; the
 * functions for the start-up block.
 */

#include "core/vault.h"
#include "store/store.h"

/* What goes along with the database. */
enum keeper_extra_kind { KEEPER_CONFIG, KEEPER_MODELS, KEEPER_PASSWORD };
struct keeper_extra {
	enum keeper_extra_kind kind;
	const char *path;
	const char *suffix; /* NULL: a file; else the files of a folder that end so (".ini") */
};

struct keeper_config {
	struct store *store;
	const char *state_dir;
	const char *folder;       /* of the generations; made when it is not there */
	const struct secret *key; /* the master key; copied, wiped by keeper_free() */
	const struct clock *clock;
	const char *hub_id;
	unsigned keep; /* so many daily generations */
	/* What a guess at a passphrase costs; 0: what this machine can spare. Tests take less. */
	unsigned passes, kib;
	/* A file or folder that is not there is left out. The array and its texts must outlive it.
	 */
	const struct keeper_extra *extras;
	size_t n_extras;
	/* The newest generation is another, or making one failed (may be NULL). */
	void (*changed)(void *user);
	/* A backup lies ready: the daemon is to be started anew (may be NULL). */
	void (*staged)(void *user);
	void *user;
};

struct keeper;
/* NULL: no memory. The store must be closed before keeper_free(): it ends what is being done. */
struct keeper *keeper_new(const struct keeper_config *config);
struct keeper *keeper_free(struct keeper *keeper); /* takes NULL, returns NULL */
AUTO_DEFINE(struct keeper *, keeper_free);
struct vault *keeper_vault(struct keeper *keeper);

/*
 * A daily generation, unless nothing has changed since the newest one (then nothing is written).
 * How it went: keeper_state(), after .changed().
 */
void keeper_run_daily(struct keeper *keeper);

struct keeper_state {
	wall_t newest;      /* there is a good backup of how it was then; 0: none */
	struct fault fault; /* why the last automatic one failed; FAULT_NONE */
	bool is_busy;
};
void keeper_state(const struct keeper *keeper, struct keeper_state *ret);
/* Something was found to be broken in the database: the next start looks at all of it first. */
void keeper_suspect(const char *state_dir);

/* ---- at start, before store_open(); these block ---- */

/*
 * Takes away what a crash has left, and swaps in what lies ready. Either it has happened or not at
 * all, whenever the power goes; a second try goes on where the first one was. *ret_is_swapped: the
 * database is another now. DATABASE_IN_USE, DATABASE_IO.
 */
int keeper_settle(const char *state_dir, bool *ret_is_swapped, struct fault *ret_fault);
/*
 * Whether the database has to be looked at as a whole (keeper_suspect()), and what is wrong with
 * it. 0: nothing. The mark is taken away by keeper_settle() when another database comes, or here.
 */
int keeper_check_suspect(const char *state_dir, struct fault *ret_fault);
/* There are generations, but there is no database, or an empty file. */
bool keeper_is_database_lost(const char *state_dir, const char *folder);
/*
 * Lays the newest generation ready that is good, for keeper_settle(), which keeps the database that
 * is there beside it (lockhub.db.corrupt-TIME). @ret_name: VAULT_NAME_MAX octets. BACKUP_DAMAGED:
 * there is none; nothing was changed.
 */
int keeper_recover(const char *state_dir, const char *folder, const struct secret *key, wall_t now,
	char *ret_name, struct fault *ret_fault);
/*
 * Lays a backup ready for a hub that does not run: for a new machine. There must be no database
 * yet (NAME_TAKEN). @report: what was found in it.
 */
int keeper_install(const char *state_dir, int fd, const struct secret *passphrase,
	const struct secret *key, wall_t now, struct vault_report *report, struct fault *ret_fault);

/* The setting that tells the hub that its database came from a backup: "TIME WHY FROM". */
#define KEEPER_NOTE "restored"
struct keeper_note {
	wall_t at;
	bool is_recovery; /* by itself, because the database was damaged */
	char from[VAULT_NAME_MAX];
};
/* -EINVAL: it is none, or has been dealt with. */
int keeper_note_parse(const char *value, struct keeper_note *ret);
