/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The file that a backup is (docs/backup.md): a header that anybody can read, and behind it a
 * sealed stream of parts. Blocking; any thread, one at a time for each file.
 *
 *	header: what it is, how its key is made, a first piece that only the right key opens,
 *	        SHA-256 over all that
 *	pieces: of ARCHIVE_PIECE octets, sealed (crypto/stream.h); the last one says that it is
 *	in them: parts of (kind, name, size, octets), then an end
 *
 * The sum over the header tells damage from a wrong key, and all of the header is bound to the
 * first piece, so that no octet of the file can be another one.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/password.h"
#include "crypto/stream.h"
#include "util/fault.h"
#include "util/secret.h"
#include "util/when.h"

#define ARCHIVE_FORMAT 1
#define ARCHIVE_HEADER_LEN 213
#define ARCHIVE_PIECE (64 * 1024)
#define ARCHIVE_NAME_MAX 128
/* What is not the database is read as a whole. */
#define ARCHIVE_SMALL_MAX (256 * 1024)

enum archive_sealing { ARCHIVE_BY_PASSPHRASE = 1, ARCHIVE_BY_MASTER_KEY = 2 };

struct archive_header {
	unsigned format;
	enum archive_sealing sealing;
	wall_t made_at;
	char hub_id[17];
	char version[33]; /* of lockhub */
	unsigned schema;  /* number of migrations */
	unsigned passes, kib;
	uint8_t salt[PASSWORD_SALT_LEN];
	uint8_t mark[32]; /* of what was in the database: mark_of() */
};

/* Values are in files. */
enum archive_part {
	PART_END = 0,
	PART_DATABASE = 1,
	PART_MASTER_KEY = 2,
	PART_CONFIG = 3,   /* of lockhubd.conf and lockhubd.conf.d */
	PART_MODEL = 4,    /* of /etc/lockhub/models */
	PART_PASSWORD = 5, /* of the broker */
};

/* ---- writing ---- */

struct archive_writer {
	int fd;
	struct crypto_stream stream;
	uint8_t *piece; /* ARCHIVE_PIECE, then room for it sealed */
	size_t n_piece;
	uint8_t part_header[3 + ARCHIVE_NAME_MAX + 8];
};

/*
 * Writes the header. @secret: the passphrase, or the master key, by header->sealing; header->salt
 * is made here, .passes and .kib are as given. Faults: DATABASE_FULL, DATABASE_IO, NO_MEMORY. To be
 * finished in every case.
 */
int archive_writer_init(struct archive_writer *writer, int fd, struct archive_header *header,
	const struct secret *secret, struct fault *ret_fault);
void archive_writer_finish(struct archive_writer *writer);
/* A part of @size octets is written next, by calls of archive_write(). */
int archive_begin(struct archive_writer *writer, enum archive_part part, const char *name,
	uint64_t size, struct fault *ret_fault);
int archive_write(
	struct archive_writer *writer, const void *data, size_t n, struct fault *ret_fault);
/* Nothing follows; all of it is on the disk then. */
int archive_end(struct archive_writer *writer, struct fault *ret_fault);

/* ---- reading ---- */

/*
 * From the file's begin. BACKUP_DAMAGED (also: no backup at all), BACKUP_NEWER, DATABASE_IO. Says
 * nothing about what follows, nor whether somebody made it on purpose: only the key does.
 */
int archive_read_header(int fd, struct archive_header *ret, struct fault *ret_fault);

struct archive_reader {
	int fd;
	struct crypto_stream stream;
	uint8_t *piece; /* opened, then room for it sealed */
	size_t n_piece, at;
	bool is_last;
};

/* Adds PASSPHRASE_WRONG (of a generation: KEY_MISSING) and NO_MEMORY. To be finished. */
int archive_reader_init(struct archive_reader *reader, int fd, const struct secret *secret,
	struct archive_header *ret_header, struct fault *ret_fault);
void archive_reader_finish(struct archive_reader *reader);
/* The next part; PART_END: that was all, and nothing is missing. */
int archive_next(struct archive_reader *reader, enum archive_part *ret_part,
	char ret_name[static ARCHIVE_NAME_MAX], uint64_t *ret_size, struct fault *ret_fault);
/* Exactly @n octets of the part. */
int archive_read(struct archive_reader *reader, void *out, size_t n, struct fault *ret_fault);
