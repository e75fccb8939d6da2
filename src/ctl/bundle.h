/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The file of `lockhubctl support-bundle`.
 *
 *	bundle-gather.c   asks lockhubd, and learns the names that must go
 *	bundle-journal.c  what the journal says of the last day
 *	bundle-summary.c  the text that is read first, or pasted into a form
 *	bundle-archive.c  tar and gzip
 *
 * Whatever is text goes through one redactor (redact.h): there is no other way into the archive but
 * bundle_put_text() and bundle_put_json(), and bundle_put_picture() for what the person adds.
 */

#include <jansson.h>
#include <stdint.h>

#include "redact.h"
#include "room.h"

/* One file of the archive, as it will be written. */
#define MEMBERS_MAX 40
struct member {
	char name[64];
	char *octets;
	size_t n;
};

struct bundle {
	struct ctl *ctl;
	struct redactor *redactor;
	int64_t now;
	/* As lockhubd gave them: not redacted yet. NULL: it could not be asked. */
	json_t *diagnosis;
	json_t *locks;     /* by slug: {"facts", "history", "statistics"} */
	json_t *hub;       /* {"status", "adapters", "kernel", "os", "lockhubctl"} */
	json_t *events;    /* the newest */
	char *journals[2]; /* of lockhubd and bluetoothd; NULL: see .no_journal */
	char no_journal[256];

	struct member members[MEMBERS_MAX];
	size_t n_members;
};
void bundle_finish(struct bundle *bundle);

/*
 * Asks for everything, and teaches the redactor all names that occur. What cannot be had is left
 * out after an explanation. @word NULL: all locks. CTL_DONE, or another after an explanation.
 */
int bundle_gather(struct ctl *ctl, const char *word, struct bundle *ret);
/* Fills .journals, and teaches the redactor whom the entries name. */
void bundle_read_journal(struct bundle *bundle);

/*
 * What is read first, or with @is_letter what is put into a form or a mail. Not redacted yet:
 * free() it. NULL: no memory.
 */
char *bundle_summary(const struct bundle *bundle, bool is_letter);

/* Redacted here; @flags of redact_text(). -ENOMEM, -ENOSPC (too many). */
int bundle_put_text(struct bundle *bundle, const char *name, const char *text, unsigned flags);
int bundle_put_json(struct bundle *bundle, const char *name, const json_t *value);
/* As it is; takes @take_octets. */
int bundle_put_picture(struct bundle *bundle, const char *name, char *take_octets, size_t n);

/* The members into one archive. CTL_DONE, or CTL_FAILED after an explanation. */
int archive_write_members(struct ctl *ctl, FILE *file, const struct bundle *bundle);
