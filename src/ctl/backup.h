/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the commands about backups share. */

#include "room.h"

/*
 * Asks for the passphrase, or reads it as --passphrase-file says. @is_new: twice on a terminal, and
 * it has to be a good one. CTL_DONE or another after an explanation.
 */
int backup_ask_passphrase(struct ctl *ctl, bool is_new, struct secret *ret);
/*
 * Opens a backup; *ret_is_automatic: it is one that a hub made by itself, which no passphrase
 * opens. -1 after an explanation.
 */
int backup_open(struct ctl *ctl, const char *path, bool *ret_is_automatic);
/*
 * A method of the manager that is given @fd and the passphrase, and takes its time: its progress is
 * shown. The report, or NULL after an explanation.
 */
json_t *backup_call(struct ctl *ctl, const char *method, int fd, const struct secret *passphrase,
	bool with_passwords);
/* "2 locks, 5 users, 7 codes, 1204 events of the log"; returns out. */
char *backup_describe(const json_t *report, char *out, size_t size);
/* What is not the same in the backup and in the hub; nothing when there is none. */
void backup_print_differences(struct ctl *ctl, const json_t *report);
