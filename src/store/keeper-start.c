/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is done with backups before there is a database: it was lost, or it is a new machine. */

#include "store/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "keeper-work.h"
#include "util/text.h"

/* One generation into the scratch folder, adopted and laid ready. */
static int try_generation(const char *state_dir, const char *path, const char *name,
	const struct secret *key, wall_t now, struct fault *ret_fault) {
	AUTO_VALUE(unpacked_wipe) struct unpacked unpacked = { 0 };
	AUTO(free) struct vault_report *report = calloc(1, sizeof(*report));
	AUTO_VALUE(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char scratch[PATH_MAX];
	char database[PATH_MAX];
	char note[128];
	char stamp[STAMP_MAX];
	char aside[32];

	if (fd < 0 || report == NULL) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_IO, -errno, "%s", path);
	}
	int r = keeper_make_scratch(state_dir, scratch, database, ret_fault);
	if (r == 0) {
		r = keeper_unpack(NULL, fd, key, key, scratch, false, &unpacked, report, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	keeper_make_note(note, now, true, name);
	(void) snprintf(aside, sizeof(aside), ".corrupt-%s", files_stamp(now, stamp));
	return keeper_adopt(
		NULL, state_dir, database, &unpacked.master, key, note, aside, report, ret_fault);
}

int keeper_recover(const char *state_dir, const char *folder, const struct secret *key, wall_t now,
	char *ret_name, struct fault *ret_fault) {
	AUTO(free) struct vault_generation *list = NULL;
	struct fault fault = { .code = FAULT_NONE };
	char path[PATH_MAX];
	size_t n = 0;

	int r = files_list(folder, &list, &n, ret_fault);
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < n; i++) {
		if (files_path(path, folder, list[i].name, &fault) == 0 &&
			try_generation(state_dir, path, list[i].name, key, now, &fault) == 0) {
			(void) text_copy(ret_name, VAULT_NAME_MAX, list[i].name);
			return 0;
		}
	}
	if (files_path(path, state_dir, FILES_SCRATCH, NULL) == 0) {
		files_remove_tree(path);
	}
	return n == 0 ? fault_set(
				ret_fault, FAULT_BACKUP_DAMAGED, "there is no backup in %s", folder)
		      : fault_set(ret_fault, FAULT_BACKUP_DAMAGED,
				"none of %zu backups in %.60s is good; the oldest: %.60s", n,
				folder, fault.detail);
}

int keeper_install(const char *state_dir, int fd, const struct secret *passphrase,
	const struct secret *key, wall_t now, struct vault_report *report,
	struct fault *ret_fault) {
	AUTO_VALUE(unpacked_wipe) struct unpacked unpacked = { 0 };
	char scratch[PATH_MAX];
	char database[PATH_MAX];
	char note[128];

	*report = (struct vault_report){ 0 };
	int r = keeper_check_source(fd, ret_fault);
	if (r == 0) {
		r = files_path(database, state_dir, FILES_DATABASE, ret_fault);
	}
	if (r == 0 && access(database, F_OK) == 0) {
		r = fault_set(ret_fault, FAULT_NAME_TAKEN,
			"%s exists: start lockhubd and run lockhubctl restore", database);
	}
	if (r == 0) {
		r = keeper_make_scratch(state_dir, scratch, database, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	r = keeper_unpack(NULL, fd, passphrase, key, scratch, true, &unpacked, report, ret_fault);
	if (r == 0) {
		keeper_describe(report, &unpacked.header, fd);
		keeper_make_note(note, now, false, "lockhubd --restore");
		r = keeper_adopt(NULL, state_dir, database, &unpacked.master, key, note, "", report,
			ret_fault);
	}
	files_remove_tree(scratch);
	return r;
}

int keeper_note_parse(const char *value, struct keeper_note *ret) {
	long long at = 0;
	char why[16] = "";
	int n = 0;

	if (sscanf(value, "%lld %15s %n", &at, why, &n) != 2 || n == 0 || at < 0) {
		return -EINVAL;
	}
	*ret = (struct keeper_note){ .at = { at }, .is_recovery = text_equal(why, "damaged") };
	if (!ret->is_recovery && !text_equal(why, "asked")) {
		return -EINVAL;
	}
	(void) text_copy(ret->from, sizeof(ret->from), value + n);
	return 0;
}
