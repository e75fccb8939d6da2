/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the commands about backups share. */

#include "room.h"

/*
 * Asks for the passphrase, or reads it as --passphrase-file says. @is_new: twice on a terminal, and
 * it has to be a good one. CTL_DONE or another after an explanation.
 */
int backup_ask_passphrase(struct ctl *ctl, bool is_new, struct secret *ret);
/* A backup to be read: a file, or one that lies with the hub. */
struct backup_source {
	const char *word; /* the file, or the name as in the list of the hub's own */
	int fd;           /* -1: it is with the hub */
	struct secret passphrase;
};
/*
 * @word: a file; else, if it looks so, the name of one that the hub made by itself. Asks for the
 * passphrase if there is one to it. CTL_DONE, or another after an explanation.
 */
int backup_source_open(struct ctl *ctl, const char *word, struct backup_source *ret);
void backup_source_close(struct backup_source *source);

/*
 * These take their time, and their progress is shown. The report, or NULL after an explanation.
 * @fd: an empty file to write to.
 */
json_t *backup_write(struct ctl *ctl, int fd, const struct secret *passphrase, bool with_passwords);
json_t *backup_verify(struct ctl *ctl, const struct backup_source *source);
json_t *backup_restore(struct ctl *ctl, const struct backup_source *source);
/*
 * Before something that cannot be taken back: the hub makes a backup of its own, restores it on the
 * side and compares it with what it has. CTL_FAILED after an explanation: it is not to be gone on.
 */
int backup_before(struct ctl *ctl, const char *reason);
/* "2 locks, 5 users, 7 codes, 1204 events of the log"; returns out. */
char *backup_describe(const json_t *report, char *out, size_t size);
/* What is not the same in the backup and in the hub; nothing when there is none. */
void backup_print_differences(struct ctl *ctl, const json_t *report);
