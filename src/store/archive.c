/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "archive.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "util/bytes.h"
#include "util/text.h"

/* Not text, and no octet of it survives a transfer as text. */
static const uint8_t magic[8] = { 0x8c, 'L', 'H', 'B', '\r', '\n', 0x1a, '\n' };
static const char first_word[8] = "lockhub";

#define PREFIX_LEN (sizeof(magic) + 4) /* magic, format, length of the header */
#define HEADER_MAX 4096
#define SUM_LEN 32
#define FIRST_LEN (sizeof(first_word) + CRYPTO_STREAM_OVERHEAD)
#define BOUND_LEN (ARCHIVE_HEADER_LEN - SUM_LEN - FIRST_LEN)
#define SEALED_LEN (ARCHIVE_PIECE + CRYPTO_STREAM_OVERHEAD)

/* Never to be changed: every generation would be lost. */
#define DERIVE_CONTEXT "lh-vault"
#define DERIVE_GENERATION 1

static void wipe_key(uint8_t (*key)[32]) {
	wipe(*key, sizeof(*key));
}

static int make_key(const struct archive_header *header, const struct secret *secret,
	uint8_t ret[static 32], struct fault *ret_fault) {
	int r = -EINVAL;

	if (header->sealing == ARCHIVE_BY_MASTER_KEY) {
		if (secret->len != 32) {
			return fault_set(ret_fault, FAULT_KEY_MISSING,
				"it opens with the key of the hub that made it");
		}
		crypto_derive(secret->bytes, DERIVE_GENERATION, DERIVE_CONTEXT, ret);
		return 0;
	}
	r = password_key(
		secret->bytes, secret->len, header->salt, header->passes, header->kib, ret);
	if (r == -ENOMEM) {
		return fault_set(ret_fault, FAULT_NO_MEMORY,
			"%u MiB are needed to make a key of the passphrase", header->kib / 1024);
	}
	return r < 0 ? fault_set(ret_fault, FAULT_BACKUP_DAMAGED,
			       "it asks for %u passes over %u KiB", header->passes, header->kib)
		     : 0;
}

/* ---- writing ---- */

static int write_all(int fd, const void *data, size_t n, struct fault *ret_fault) {
	const uint8_t *at = data;

	while (n > 0) {
		ssize_t done = write(fd, at, n);
		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done <= 0) {
			int error = done < 0 ? errno : EIO;
			return fault_set_errno(ret_fault,
				error == ENOSPC || error == EDQUOT ? FAULT_DATABASE_FULL
								   : FAULT_DATABASE_IO,
				-error, "writing the backup");
		}
		at += done;
		n -= (size_t) done;
	}
	return 0;
}

static void put_header(struct wr *wr, const struct archive_header *header,
	const uint8_t stream_header[static CRYPTO_STREAM_HEADER_LEN]) {
	wr_bytes(wr, magic, sizeof(magic));
	wr_u16le(wr, (uint16_t) header->format);
	wr_u16le(wr, ARCHIVE_HEADER_LEN);
	wr_u8(wr, (uint8_t) header->sealing);
	wr_zeros(wr, 3);
	wr_u64le(wr, (uint64_t) header->made_at.s);
	wr_text(wr, 16, header->hub_id);
	wr_text(wr, 32, header->version);
	wr_u32le(wr, header->schema);
	wr_u32le(wr, header->passes);
	wr_u32le(wr, header->kib);
	wr_bytes(wr, header->salt, sizeof(header->salt));
	wr_bytes(wr, header->mark, sizeof(header->mark));
	wr_bytes(wr, stream_header, CRYPTO_STREAM_HEADER_LEN);
}

int archive_writer_init(struct archive_writer *writer, int fd, struct archive_header *header,
	const struct secret *secret, struct fault *ret_fault) {
	AUTO_VALUE(wipe_key) uint8_t key[32];
	uint8_t stream_header[CRYPTO_STREAM_HEADER_LEN];
	uint8_t buf[ARCHIVE_HEADER_LEN];
	struct wr wr = wr_on(buf, sizeof(buf));

	*writer = (struct archive_writer){ .fd = fd };
	header->format = ARCHIVE_FORMAT;
	memset(header->salt, 0, sizeof(header->salt));
	if (header->sealing == ARCHIVE_BY_PASSPHRASE) {
		crypto_random(header->salt, sizeof(header->salt));
	}
	int r = make_key(header, secret, key, ret_fault);
	if (r < 0) {
		return r;
	}
	writer->piece = malloc(ARCHIVE_PIECE + SEALED_LEN);
	if (writer->piece == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "writing a backup");
	}
	crypto_stream_seal_init(&writer->stream, key, stream_header);
	put_header(&wr, header, stream_header);
	crypto_stream_seal(&writer->stream, first_word, sizeof(first_word), buf, BOUND_LEN, false,
		buf + BOUND_LEN);
	crypto_sha256(buf, BOUND_LEN + FIRST_LEN, buf + BOUND_LEN + FIRST_LEN);
	return write_all(fd, buf, sizeof(buf), ret_fault);
}

void archive_writer_finish(struct archive_writer *writer) {
	crypto_stream_wipe(&writer->stream);
	if (writer->piece != NULL) {
		wipe(writer->piece, ARCHIVE_PIECE);
		free(writer->piece);
		writer->piece = NULL;
	}
}

static int put_piece(struct archive_writer *writer, bool is_last, struct fault *ret_fault) {
	uint8_t *sealed = writer->piece + ARCHIVE_PIECE;
	size_t n = writer->n_piece;

	crypto_stream_seal(&writer->stream, writer->piece, n, NULL, 0, is_last, sealed);
	writer->n_piece = 0;
	return write_all(writer->fd, sealed, n + CRYPTO_STREAM_OVERHEAD, ret_fault);
}

int archive_write(
	struct archive_writer *writer, const void *data, size_t n, struct fault *ret_fault) {
	const uint8_t *at = data;

	while (n > 0) {
		/* A full piece is kept back until more comes: the last one must say that it is. */
		if (writer->n_piece == ARCHIVE_PIECE) {
			int r = put_piece(writer, false, ret_fault);
			if (r < 0) {
				return r;
			}
		}
		size_t room = ARCHIVE_PIECE - writer->n_piece;
		size_t part = n < room ? n : room;
		memcpy(writer->piece + writer->n_piece, at, part);
		writer->n_piece += part;
		at += part;
		n -= part;
	}
	return 0;
}

int archive_begin(struct archive_writer *writer, enum archive_part part, const char *name,
	uint64_t size, struct fault *ret_fault) {
	struct wr wr = wr_on(writer->part_header, sizeof(writer->part_header));
	size_t n_name = strlen(name);

	wr_u8(&wr, (uint8_t) part);
	wr_u16le(&wr, (uint16_t) n_name);
	wr_bytes(&wr, name, n_name);
	wr_u64le(&wr, size);
	ssize_t n = n_name < ARCHIVE_NAME_MAX ? wr_end(&wr) : -ENOBUFS;
	if (n < 0) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "the name %.60s... is too long", name);
	}
	return archive_write(writer, writer->part_header, (size_t) n, ret_fault);
}

int archive_end(struct archive_writer *writer, struct fault *ret_fault) {
	static const uint8_t end = PART_END;

	int r = archive_write(writer, &end, 1, ret_fault);
	if (r == 0) {
		r = put_piece(writer, true, ret_fault);
	}
	if (r == 0 && fsync(writer->fd) < 0 && errno != EINVAL && errno != EROFS) {
		r = fault_set_errno(ret_fault, FAULT_DATABASE_IO, -errno, "writing the backup");
	}
	return r;
}

/* ---- reading ---- */

/* Up to @n octets: fewer only at the end of the file. Negative errno. */
static ssize_t read_some(int fd, uint8_t *out, size_t n) {
	size_t used = 0;

	while (used < n) {
		ssize_t done = read(fd, out + used, n - used);
		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done < 0) {
			return -errno;
		}
		if (done == 0) {
			break;
		}
		used += (size_t) done;
	}
	return (ssize_t) used;
}

static bool is_zero(const uint8_t *octets, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (octets[i] != 0) {
			return false;
		}
	}
	return true;
}

/* What stands in the header, whose sum has been found to be right. */
static int take_header(const uint8_t *buf, struct archive_header *ret) {
	struct rd rd = rd_on(buf, BOUND_LEN);

	rd_skip(&rd, sizeof(magic));
	*ret = (struct archive_header){ .format = rd_u16le(&rd) };
	unsigned n_header = rd_u16le(&rd);
	ret->sealing = (enum archive_sealing) rd_u8(&rd);
	const uint8_t *unused = rd_bytes(&rd, 3);
	ret->made_at.s = (int64_t) rd_u64le(&rd);
	rd_text(&rd, 16, ret->hub_id);
	rd_text(&rd, 32, ret->version);
	ret->schema = rd_u32le(&rd);
	ret->passes = rd_u32le(&rd);
	ret->kib = rd_u32le(&rd);
	rd_copy(&rd, ret->salt, sizeof(ret->salt));
	rd_copy(&rd, ret->mark, sizeof(ret->mark));
	rd_skip(&rd, CRYPTO_STREAM_HEADER_LEN);
	text_sanitize(ret->hub_id);
	text_sanitize(ret->version);
	bool is_good =
		rd_end(&rd) == 0 && n_header == ARCHIVE_HEADER_LEN && unused != NULL &&
		is_zero(unused, 3) && ret->made_at.s >= 0 &&
		(ret->sealing == ARCHIVE_BY_PASSPHRASE || ret->sealing == ARCHIVE_BY_MASTER_KEY);
	return is_good ? 0 : -EBADMSG;
}

static int read_header(int fd, uint8_t buf[static HEADER_MAX], struct archive_header *ret,
	struct fault *ret_fault) {
	uint8_t sum[SUM_LEN];

	if (lseek(fd, 0, SEEK_SET) < 0) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_IO, -errno, "reading the backup");
	}
	ssize_t n = read_some(fd, buf, PREFIX_LEN);
	if (n < 0) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_IO, (int) n, "reading the backup");
	}
	if (n < (ssize_t) sizeof(magic) || memcmp(buf, magic, sizeof(magic)) != 0) {
		return fault_set(
			ret_fault, FAULT_BACKUP_DAMAGED, "this is no backup, or its begin is lost");
	}
	/* Every format to come begins so, and ends its header with a sum: so damage is not taken
	 * for news. */
	struct rd rd = rd_on(buf + sizeof(magic), (size_t) n - sizeof(magic));
	unsigned format = rd_u16le(&rd);
	size_t n_header = rd_u16le(&rd);
	if (rd_end(&rd) < 0 || n_header < PREFIX_LEN + SUM_LEN || n_header > HEADER_MAX) {
		return fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "its first octets were changed");
	}
	n = read_some(fd, buf + PREFIX_LEN, n_header - PREFIX_LEN);
	if (n < 0) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_IO, (int) n, "reading the backup");
	}
	if ((size_t) n < n_header - PREFIX_LEN) {
		return fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "it ends after %zu octets",
			(size_t) n + PREFIX_LEN);
	}
	crypto_sha256(buf, n_header - SUM_LEN, sum);
	if (memcmp(sum, buf + n_header - SUM_LEN, SUM_LEN) != 0) {
		return fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "its first octets were changed");
	}
	if (format > ARCHIVE_FORMAT) {
		return fault_set(ret_fault, FAULT_BACKUP_NEWER,
			"it is of format %u, this lockhub knows %u", format, ARCHIVE_FORMAT);
	}
	if (n_header != ARCHIVE_HEADER_LEN) {
		return fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "its header makes no sense");
	}
	if (format != ARCHIVE_FORMAT || take_header(buf, ret) < 0) {
		return fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "its header makes no sense");
	}
	return 0;
}

int archive_read_header(int fd, struct archive_header *ret, struct fault *ret_fault) {
	uint8_t buf[HEADER_MAX];

	return read_header(fd, buf, ret, ret_fault);
}

int archive_reader_init(struct archive_reader *reader, int fd, const struct secret *secret,
	struct archive_header *ret_header, struct fault *ret_fault) {
	AUTO_VALUE(wipe_key) uint8_t key[32];
	uint8_t buf[HEADER_MAX];
	uint8_t word[sizeof(first_word)];
	bool is_last = false;

	*reader = (struct archive_reader){ .fd = fd };
	int r = read_header(fd, buf, ret_header, ret_fault);
	if (r == 0) {
		r = make_key(ret_header, secret, key, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	if (crypto_stream_open_init(
		    &reader->stream, key, buf + BOUND_LEN - CRYPTO_STREAM_HEADER_LEN) < 0 ||
		crypto_stream_open(&reader->stream, buf + BOUND_LEN, FIRST_LEN, buf, BOUND_LEN,
			&is_last, word) < 0) {
		return ret_header->sealing == ARCHIVE_BY_PASSPHRASE
			       ? fault_set(ret_fault, FAULT_PASSPHRASE_WRONG, "%s", "")
			       : fault_set(ret_fault, FAULT_KEY_MISSING,
					 "the backup was made under another key");
	}
	if (is_last || memcmp(word, first_word, sizeof(word)) != 0) {
		return fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "its header makes no sense");
	}
	reader->piece = malloc(ARCHIVE_PIECE + SEALED_LEN);
	if (reader->piece == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "reading a backup");
	}
	return 0;
}

void archive_reader_finish(struct archive_reader *reader) {
	crypto_stream_wipe(&reader->stream);
	if (reader->piece != NULL) {
		wipe(reader->piece, ARCHIVE_PIECE);
		free(reader->piece);
		reader->piece = NULL;
	}
}

static int next_piece(struct archive_reader *reader, struct fault *ret_fault) {
	uint8_t *sealed = reader->piece + ARCHIVE_PIECE;
	uint8_t more;

	if (reader->is_last) {
		return fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "its parts make no sense");
	}
	ssize_t n = read_some(reader->fd, sealed, SEALED_LEN);
	if (n < 0) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_IO, (int) n, "reading the backup");
	}
	if (n == 0) {
		return fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "its end is missing");
	}
	if (crypto_stream_open(&reader->stream, sealed, (size_t) n, NULL, 0, &reader->is_last,
		    reader->piece) < 0) {
		return fault_set(ret_fault, FAULT_BACKUP_DAMAGED,
			n < SEALED_LEN ? "it was changed, or its end is missing"
				       : "it was changed");
	}
	reader->n_piece = (size_t) n - CRYPTO_STREAM_OVERHEAD;
	reader->at = 0;
	if (reader->is_last && read_some(reader->fd, &more, 1) != 0) {
		return fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "something was added to its end");
	}
	return 0;
}

int archive_read(struct archive_reader *reader, void *out, size_t n, struct fault *ret_fault) {
	uint8_t *at = out;

	while (n > 0) {
		if (reader->at == reader->n_piece) {
			int r = next_piece(reader, ret_fault);
			if (r < 0) {
				return r;
			}
		}
		size_t there = reader->n_piece - reader->at;
		size_t part = n < there ? n : there;
		memcpy(at, reader->piece + reader->at, part);
		reader->at += part;
		at += part;
		n -= part;
	}
	return 0;
}

/* Of what becomes the name of a file: nothing that leads elsewhere, nothing hidden. */
static bool is_name(const char *name, size_t n) {
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-+@ ";

	return n > 0 && name[0] != '.' && strlen(name) == n && strspn(name, allowed) == n;
}

int archive_next(struct archive_reader *reader, enum archive_part *ret_part,
	char ret_name[static ARCHIVE_NAME_MAX], uint64_t *ret_size, struct fault *ret_fault) {
	uint8_t kind = PART_END;
	uint8_t numbers[8];

	int r = archive_read(reader, &kind, 1, ret_fault);
	if (r < 0) {
		return r;
	}
	if (kind == PART_END) {
		if (!reader->is_last || reader->at != reader->n_piece) {
			return fault_set(
				ret_fault, FAULT_BACKUP_DAMAGED, "its parts make no sense");
		}
		*ret_part = PART_END;
		ret_name[0] = '\0';
		*ret_size = 0;
		return 0;
	}
	if (kind > PART_PASSWORD) {
		return fault_set(ret_fault, FAULT_BACKUP_NEWER,
			"it holds what this lockhub does not know (part %u)", kind);
	}
	r = archive_read(reader, numbers, 2, ret_fault);
	struct rd rd = rd_on(numbers, 2);
	size_t n_name = rd_u16le(&rd);
	if (r == 0 && n_name >= ARCHIVE_NAME_MAX) {
		r = fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "its parts make no sense");
	}
	if (r == 0) {
		r = archive_read(reader, ret_name, n_name, ret_fault);
	}
	if (r == 0) {
		r = archive_read(reader, numbers, 8, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	ret_name[n_name] = '\0';
	rd = rd_on(numbers, 8);
	*ret_size = rd_u64le(&rd);
	if (!is_name(ret_name, n_name) || *ret_size > INT64_MAX ||
		(kind != PART_DATABASE && *ret_size > ARCHIVE_SMALL_MAX)) {
		return fault_set(ret_fault, FAULT_BACKUP_DAMAGED, "its parts make no sense");
	}
	*ret_part = (enum archive_part) kind;
	return 0;
}
