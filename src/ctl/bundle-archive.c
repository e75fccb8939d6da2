/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <time.h>

static void folder_name(int64_t now, char *out, size_t size) {
	time_t t = now;
	struct tm tm = { 0 };
	if (localtime_r(&t, &tm) == NULL ||
		strftime(out, size, "lockhub-support-%Y-%m-%d", &tm) == 0) {
		snprintf(out, size, "lockhub-support");
	}
}

/* Whose file it is would be a name too: none is written. */
static int write_member(
	struct archive *archive, const char *folder, int64_t now, const struct member *member) {
	char path[160];
	struct archive_entry *entry = archive_entry_new();
	if (entry == NULL) {
		return ARCHIVE_FATAL;
	}
	snprintf(path, sizeof(path), "%s/%s", folder, member->name);
	archive_entry_set_pathname(entry, path);
	archive_entry_set_size(entry, (la_int64_t) member->n);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_mtime(entry, now, 0);
	int r = archive_write_header(archive, entry);
	archive_entry_free(entry);
	if (r == ARCHIVE_OK &&
		archive_write_data(archive, member->octets, member->n) != (la_ssize_t) member->n) {
		r = ARCHIVE_FATAL;
	}
	return r;
}

int archive_write_members(struct ctl *ctl, FILE *file, const struct bundle *bundle) {
	struct archive *archive = archive_write_new();
	char folder[64];
	folder_name(bundle->now, folder, sizeof(folder));
	int r = archive != NULL ? archive_write_set_format_pax_restricted(archive) : ARCHIVE_FATAL;
	if (r == ARCHIVE_OK) {
		r = archive_write_add_filter_gzip(archive);
	}
	if (r == ARCHIVE_OK) {
		r = archive_write_open_FILE(archive, file);
	}
	for (size_t i = 0; r == ARCHIVE_OK && i < bundle->n_members; i++) {
		r = write_member(archive, folder, bundle->now, &bundle->members[i]);
	}
	if (r == ARCHIVE_OK) {
		r = archive_write_close(archive);
	}
	if (r != ARCHIVE_OK) {
		const char *why = archive != NULL ? archive_error_string(archive) : NULL;
		complain(ctl, "the archive cannot be written: %s", why != NULL ? why : "no memory");
	}
	archive_write_free(archive);
	return r == ARCHIVE_OK ? CTL_DONE : CTL_FAILED;
}
