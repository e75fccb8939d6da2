/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The vault's door: backups, without saying how they are made. The store room implements it
 * (store/vault.h), whoever takes requests uses it (api). Loop thread only; every answer comes
 * later, from the loop, once. One thing is done at a time; what is asked meanwhile waits its turn.
 *
 * A backup is one file that holds everything: keys, users, codes, schedules, settings, the log.
 * What people ask for is sealed with their passphrase; what the hub makes by itself (generations)
 * with a key that comes of the master key.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "util/fault.h"
#include "util/secret.h"
#include "util/when.h"

#define VAULT_NAME_MAX 96
#define VAULT_REASON_MAX 48
#define VAULT_DIFFERENCES_MAX 64

/* One thing that is not the same in the backup and in the hub. */
struct vault_difference {
	const char *kind; /* "user", "code", "lock", "key", "schedule", "access" ...; static */
	const char *what; /* "only in the backup", "not in the backup", "changed"; static */
	char name[LOCK_NAME_MAX];
};

/* A backup, as found by really restoring it into a database on the side. */
struct vault_report {
	char name[VAULT_NAME_MAX]; /* of a generation; "" for a file of somebody's */
	wall_t made_at;
	char version[33]; /* of the lockhub that made it */
	char hub_id[17];
	int64_t size; /* octets */
	bool is_automatic;
	unsigned n_locks, n_users, n_codes, n_schedules;
	unsigned n_secrets; /* sealed values, every one of which opens */
	unsigned n_files;   /* configuration and models */
	bool has_passwords;
	int64_t n_events, last_seq;
	bool is_log_whole;
	/* Beside the hub as it is now; of a verification, and of a generation that was asked for.
	 */
	bool is_compared;
	bool is_own_log;        /* its log is the begin of the hub's */
	int64_t n_events_since; /* that are not in it */
	size_t n_differences;   /* also those that did not fit */
	struct vault_difference differences[VAULT_DIFFERENCES_MAX];
};

/* One generation; .fault: why it cannot be used (only its header is looked at). */
struct vault_generation {
	char name[VAULT_NAME_MAX];
	char reason[VAULT_REASON_MAX]; /* "daily", "before-restore", "before-reset-front-door" */
	wall_t made_at;
	int64_t size;
	struct fault fault;
};

/* @report: NULL with a fault. Borrowed for the call. */
typedef void vault_done_fn(
	void *user, const struct vault_report *report, const struct fault *fault);

/* A backup to be read. */
struct vault_source {
	int take_fd;               /* a file of somebody's; -1: the generation @name */
	struct secret passphrase;  /* empty for a generation, from a file or not */
	char name[VAULT_NAME_MAX]; /* as in the list of them */
};

/* How far the one has got that is being worked on. */
struct vault_progress {
	const char *text;   /* "Copying the database"; NULL: nothing is being done */
	uint64_t done, all; /* 0 of 0: nobody can say */
};

struct vault;
struct vault_impl {
	/*
	 * Writes a backup to @take_fd, an empty regular file, and verifies what it has written if
	 * that can be read. PASSPHRASE_WEAK, BAD_ARGUMENT, DATABASE_FULL, DATABASE_IO ...
	 * @with_passwords: the broker's, too.
	 */
	void (*backup)(struct vault *vault, int take_fd, const struct secret *passphrase,
		bool with_passwords, vault_done_fn *done, void *user);
	/*
	 * Restores it on the side and compares. BACKUP_DAMAGED, BACKUP_NEWER, PASSPHRASE_WRONG,
	 * BAD_ARGUMENT (no generation of that name) ...
	 */
	void (*verify)(struct vault *vault, const struct vault_source *source, vault_done_fn *done,
		void *user);
	/*
	 * Verifies it, makes a generation "before-restore", and lays it ready to be swapped in when
	 * the daemon starts next. @by: who asked, for the log.
	 */
	void (*restore)(struct vault *vault, const struct vault_source *source, const char *by,
		vault_done_fn *done, void *user);
	/*
	 * A generation now: @reason as in its name, e.g. "before-reset-front-door": a-z, 0-9 and
	 * dashes (BAD_ARGUMENT). The report is of what was written, after it was restored on the
	 * side, found to hold what was put in, and compared as by verify().
	 */
	void (*generation)(
		struct vault *vault, const char *reason, vault_done_fn *done, void *user);
	/* Newest first; borrowed for the call. */
	void (*list)(struct vault *vault,
		void (*done)(void *user, const struct vault_generation *generations, size_t n,
			const struct fault *fault),
		void *user);
	void (*progress)(const struct vault *vault, struct vault_progress *ret);
};

struct vault {
	const struct vault_impl *impl;
};
