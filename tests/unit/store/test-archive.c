/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "archive.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "test.h"
#include "util/bytes.h"

#define PASSPHRASE "correct horse battery staple"
#define BIG (3 * ARCHIVE_PIECE + 100)

/* A file in memory. */
static int new_file(void) {
	int fd = memfd_create("archive", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static struct secret passphrase(const char *text) {
	struct secret secret = { 0 };
	assert_int_equal(secret_set_text(&secret, text), 0);
	return secret;
}

static uint8_t octet_at(size_t i) {
	return (uint8_t) (i * 7 + i / 251);
}

static void write_archive(
	int fd, enum archive_sealing sealing, const struct secret *secret, size_t n_database) {
	struct archive_header header = { .sealing = sealing,
		.made_at = { 1790000000 },
		.hub_id = "0a1b2c3d",
		.version = "9.8.7",
		.schema = 2,
		.passes = 1,
		.kib = 8,
		.mark = { 1, 2, 3 } };
	struct archive_writer writer;
	uint8_t *database = malloc(n_database);
	assert_non_null(database);
	for (size_t i = 0; i < n_database; i++) {
		database[i] = octet_at(i);
	}
	assert_int_equal(archive_writer_init(&writer, fd, &header, secret, NULL), 0);
	assert_int_equal(archive_begin(&writer, PART_CONFIG, "lockhubd.conf", 5, NULL), 0);
	assert_int_equal(archive_write(&writer, "[hub]", 5, NULL), 0);
	assert_int_equal(archive_begin(&writer, PART_DATABASE, "lockhub.db", n_database, NULL), 0);
	assert_int_equal(archive_write(&writer, database, n_database, NULL), 0);
	assert_int_equal(archive_end(&writer, NULL), 0);
	archive_writer_finish(&writer);
	free(database);
}

/* Reads all of it as a restoration does; FAULT_NONE only when everything is as it was written. */
static enum fault_code read_archive(int fd, const struct secret *secret, size_t n_database) {
	struct archive_header header;
	struct archive_reader reader;
	struct fault fault = { 0 };
	enum archive_part part;
	char name[ARCHIVE_NAME_MAX];
	uint64_t size;
	uint8_t config[5];
	uint8_t *database = NULL;
	int r = archive_reader_init(&reader, fd, secret, &header, &fault);
	if (r == 0 && (r = archive_next(&reader, &part, name, &size, &fault)) == 0) {
		assert_int_equal(part, PART_CONFIG);
		assert_string_equal(name, "lockhubd.conf");
		assert_int_equal(size, 5);
		r = archive_read(&reader, config, 5, &fault);
	}
	if (r == 0 && (r = archive_next(&reader, &part, name, &size, &fault)) == 0) {
		assert_int_equal(part, PART_DATABASE);
		assert_int_equal(size, n_database);
		database = malloc(n_database);
		r = archive_read(&reader, database, n_database, &fault);
	}
	if (r == 0) {
		r = archive_next(&reader, &part, name, &size, &fault);
	}
	if (r == 0) {
		assert_int_equal(part, PART_END);
		assert_memory_equal(config, "[hub]", 5);
		for (size_t i = 0; i < n_database; i++) {
			assert_int_equal(database[i], octet_at(i));
		}
	}
	archive_reader_finish(&reader);
	free(database);
	assert_int_equal(r < 0, fault.code != FAULT_NONE);
	return fault.code;
}

static void what_was_written_is_read(void **state) {
	static const size_t sizes[] = { 1, 300, ARCHIVE_PIECE, 2 * ARCHIVE_PIECE - 200, BIG };
	struct secret secret = passphrase(PASSPHRASE);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		int fd = new_file();
		write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, sizes[i]);
		assert_int_equal(read_archive(fd, &secret, sizes[i]), FAULT_NONE);
		close(fd);
	}
}

/* The last piece is full to its last octet: nothing follows it all the same. */
static void a_last_piece_may_be_full(void **state) {
	struct secret secret = passphrase(PASSPHRASE);
	unsigned n_full = 0;
	for (size_t n = ARCHIVE_PIECE - 80; n <= ARCHIVE_PIECE + 2; n++) {
		int fd = new_file();
		write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, n);
		assert_int_equal(read_archive(fd, &secret, n), FAULT_NONE);
		off_t size = lseek(fd, 0, SEEK_END) - ARCHIVE_HEADER_LEN;
		if (size % (ARCHIVE_PIECE + CRYPTO_STREAM_OVERHEAD) == 0) {
			n_full++;
			assert_int_equal(write(fd, "", 1), 1);
			assert_int_equal(read_archive(fd, &secret, n), FAULT_BACKUP_DAMAGED);
		}
		close(fd);
	}
	assert_int_equal(n_full, 1);
}

/* Whoever has the passphrase may have made it; it is no backup that lockhub writes. */
static void nothing_follows_the_end_of_the_parts(void **state) {
	struct archive_header header = { .sealing = ARCHIVE_BY_PASSPHRASE, .passes = 1, .kib = 8 };
	struct secret secret = passphrase(PASSPHRASE);
	struct archive_writer writer;
	struct archive_reader reader;
	struct fault fault = { 0 };
	enum archive_part part;
	char name[ARCHIVE_NAME_MAX];
	uint64_t size;
	int fd = new_file();
	assert_int_equal(archive_writer_init(&writer, fd, &header, &secret, NULL), 0);
	assert_int_equal(archive_write(&writer, "", 1, NULL), 0);
	assert_int_equal(archive_begin(&writer, PART_MODEL, "a.ini", 0, NULL), 0);
	assert_int_equal(archive_end(&writer, NULL), 0);
	archive_writer_finish(&writer);
	assert_int_equal(archive_reader_init(&reader, fd, &secret, &header, NULL), 0);
	assert_true(archive_next(&reader, &part, name, &size, &fault) < 0);
	assert_int_equal(fault.code, FAULT_BACKUP_DAMAGED);
	archive_reader_finish(&reader);
	close(fd);
}

static void the_header_is_read_without_a_key(void **state) {
	struct secret secret = passphrase(PASSPHRASE);
	struct archive_header header;
	struct fault fault;
	int fd = new_file();
	write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, 300);
	assert_int_equal(archive_read_header(fd, &header, &fault), 0);
	assert_int_equal(header.sealing, ARCHIVE_BY_PASSPHRASE);
	assert_int_equal(header.made_at.s, 1790000000);
	assert_string_equal(header.hub_id, "0a1b2c3d");
	assert_string_equal(header.version, "9.8.7");
	assert_int_equal(header.schema, 2);
	assert_int_equal(header.mark[2], 3);
	close(fd);
}

static void flip(int fd, off_t at, uint8_t bits) {
	uint8_t octet;
	assert_int_equal(pread(fd, &octet, 1, at), 1);
	octet ^= bits;
	assert_int_equal(pwrite(fd, &octet, 1, at), 1);
}

static void every_octet_counts(void **state) {
	struct secret secret = passphrase(PASSPHRASE);
	int fd = new_file();
	write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, 300);
	off_t size = lseek(fd, 0, SEEK_END);
	for (off_t i = 0; i < size; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			flip(fd, i, (uint8_t) (1U << bit));
			enum fault_code code = read_archive(fd, &secret, 300);
			if (code != FAULT_BACKUP_DAMAGED) {
				fail_msg("octet %ld, bit %u: %s", (long) i, bit, fault_name(code));
			}
			flip(fd, i, (uint8_t) (1U << bit));
		}
	}
	assert_int_equal(read_archive(fd, &secret, 300), FAULT_NONE);
	close(fd);
}

static void every_octet_of_a_long_one_counts(void **state) {
	struct secret secret = passphrase(PASSPHRASE);
	int fd = new_file();
	write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, BIG);
	off_t size = lseek(fd, 0, SEEK_END);
	for (off_t i = 0; i < size; i += 4999) {
		flip(fd, i, 0x10);
		assert_int_equal(read_archive(fd, &secret, BIG), FAULT_BACKUP_DAMAGED);
		flip(fd, i, 0x10);
	}
	close(fd);
}

static void a_cut_is_found_wherever_it_is(void **state) {
	struct secret secret = passphrase(PASSPHRASE);
	int fd = new_file();
	write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, 300);
	off_t size = lseek(fd, 0, SEEK_END);
	while (size-- > 0) {
		assert_int_equal(ftruncate(fd, size), 0);
		assert_int_equal(read_archive(fd, &secret, 300), FAULT_BACKUP_DAMAGED);
	}
	close(fd);
	/* Between pieces, where each of those that are left is good. */
	for (off_t n_pieces = 0; n_pieces < 4; n_pieces++) {
		fd = new_file();
		write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, BIG);
		assert_int_equal(
			ftruncate(fd, ARCHIVE_HEADER_LEN +
					      n_pieces * (ARCHIVE_PIECE + CRYPTO_STREAM_OVERHEAD)),
			0);
		assert_int_equal(read_archive(fd, &secret, BIG), FAULT_BACKUP_DAMAGED);
		close(fd);
	}
}

static void an_addition_is_found(void **state) {
	struct secret secret = passphrase(PASSPHRASE);
	int fd = new_file();
	write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, 300);
	lseek(fd, 0, SEEK_END);
	assert_int_equal(write(fd, "", 1), 1);
	assert_int_equal(read_archive(fd, &secret, 300), FAULT_BACKUP_DAMAGED);
	close(fd);
}

static void pieces_that_changed_places_are_found(void **state) {
	const size_t n = ARCHIVE_PIECE + CRYPTO_STREAM_OVERHEAD;
	struct secret secret = passphrase(PASSPHRASE);
	uint8_t *first = malloc(n), *second = malloc(n);
	int fd = new_file();
	write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, BIG);
	assert_int_equal(pread(fd, first, n, ARCHIVE_HEADER_LEN), n);
	assert_int_equal(pread(fd, second, n, (off_t) (ARCHIVE_HEADER_LEN + n)), n);
	assert_int_equal(pwrite(fd, second, n, ARCHIVE_HEADER_LEN), n);
	assert_int_equal(pwrite(fd, first, n, (off_t) (ARCHIVE_HEADER_LEN + n)), n);
	assert_int_equal(read_archive(fd, &secret, BIG), FAULT_BACKUP_DAMAGED);
	close(fd);
	free(first);
	free(second);
}

static void another_passphrase_is_told_from_damage(void **state) {
	struct secret secret = passphrase(PASSPHRASE), other = passphrase("correct horse battery");
	int fd = new_file();
	write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, 300);
	assert_int_equal(read_archive(fd, &other, 300), FAULT_PASSPHRASE_WRONG);
	close(fd);
}

static void a_generation_opens_with_its_master_key_only(void **state) {
	struct secret key = passphrase("0123456789abcdef0123456789abcdef");
	struct secret other = passphrase("0123456789abcdef0123456789abcdeF"), none = { 0 };
	int fd = new_file();
	write_archive(fd, ARCHIVE_BY_MASTER_KEY, &key, 300);
	assert_int_equal(read_archive(fd, &key, 300), FAULT_NONE);
	assert_int_equal(read_archive(fd, &other, 300), FAULT_KEY_MISSING);
	assert_int_equal(read_archive(fd, &none, 300), FAULT_KEY_MISSING);
	close(fd);
}

/* What only somebody can make who means it: the sum is right. */
static void put_sum(int fd, size_t n_header) {
	uint8_t buf[4096], sum[32];
	assert_int_equal(pread(fd, buf, n_header - 32, 0), n_header - 32);
	crypto_sha256(buf, n_header - 32, sum);
	assert_int_equal(pwrite(fd, sum, 32, (off_t) n_header - 32), 32);
}

static void a_later_format_is_said_to_be_one(void **state) {
	struct secret secret = passphrase(PASSPHRASE);
	int fd = new_file();
	write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, 300);
	flip(fd, 8, 2); /* format 1 becomes 3 */
	put_sum(fd, ARCHIVE_HEADER_LEN);
	assert_int_equal(read_archive(fd, &secret, 300), FAULT_BACKUP_NEWER);
	close(fd);

	/* One whose header has another length. */
	uint8_t header[300] = { 0x8c, 'L', 'H', 'B', '\r', '\n', 0x1a, '\n', 2, 0, 44, 1 };
	fd = new_file();
	assert_int_equal(write(fd, header, sizeof(header)), sizeof(header));
	assert_int_equal(read_archive(fd, &secret, 300), FAULT_BACKUP_DAMAGED);
	put_sum(fd, sizeof(header));
	assert_int_equal(read_archive(fd, &secret, 300), FAULT_BACKUP_NEWER);
	close(fd);
}

/* Right sums, but what they are over asks for the impossible. */
static void a_header_cannot_ask_for_too_much(void **state) {
	static const struct {
		off_t at;
		uint8_t octet;
	} changes[] = { { 8, 0 }, { 12, 0 }, { 12, 3 }, { 13, 1 }, { 23, 0x80 }, { 76, 0 },
		{ 79, 0x7f }, { 83, 0x7f } };
	struct secret secret = passphrase(PASSPHRASE);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		int fd = new_file();
		write_archive(fd, ARCHIVE_BY_PASSPHRASE, &secret, 300);
		assert_int_equal(pwrite(fd, &changes[i].octet, 1, changes[i].at), 1);
		put_sum(fd, ARCHIVE_HEADER_LEN);
		enum fault_code code = read_archive(fd, &secret, 300);
		if (code != FAULT_BACKUP_DAMAGED) {
			fail_msg("change %zu: %s", i, fault_name(code));
		}
		close(fd);
	}
}

static void what_is_no_backup_is_said_to_be_none(void **state) {
	struct secret secret = passphrase(PASSPHRASE);
	int fd = new_file();
	assert_int_equal(read_archive(fd, &secret, 300), FAULT_BACKUP_DAMAGED);
	assert_int_equal(write(fd, "SQLite format 3", 16), 16);
	assert_int_equal(read_archive(fd, &secret, 300), FAULT_BACKUP_DAMAGED);
	close(fd);
}

/* A name in it could lead out of the folder that it is unpacked to. */
static void names_that_lead_elsewhere_are_refused(void **state) {
	static const char *const names[] = { "..", "../x", "/etc/passwd", ".hidden", "a/b", "",
		"a\nb" };
	struct secret secret = passphrase(PASSPHRASE);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct archive_header header = {
			.sealing = ARCHIVE_BY_PASSPHRASE, .passes = 1, .kib = 8
		};
		struct archive_writer writer;
		struct archive_reader reader;
		struct fault fault = { 0 };
		enum archive_part part;
		char name[ARCHIVE_NAME_MAX];
		uint64_t size;
		int fd = new_file();
		assert_int_equal(archive_writer_init(&writer, fd, &header, &secret, NULL), 0);
		assert_int_equal(archive_begin(&writer, PART_MODEL, names[i], 1, NULL), 0);
		assert_int_equal(archive_write(&writer, "x", 1, NULL), 0);
		assert_int_equal(archive_end(&writer, NULL), 0);
		archive_writer_finish(&writer);
		assert_int_equal(archive_reader_init(&reader, fd, &secret, &header, NULL), 0);
		assert_true(archive_next(&reader, &part, name, &size, &fault) < 0);
		assert_int_equal(fault.code, FAULT_BACKUP_DAMAGED);
		archive_reader_finish(&reader);
		close(fd);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(a_last_piece_may_be_full),
		cmocka_unit_test(nothing_follows_the_end_of_the_parts),
		cmocka_unit_test(the_header_is_read_without_a_key),
		cmocka_unit_test(every_octet_counts),
		cmocka_unit_test(every_octet_of_a_long_one_counts),
		cmocka_unit_test(a_cut_is_found_wherever_it_is),
		cmocka_unit_test(an_addition_is_found),
		cmocka_unit_test(pieces_that_changed_places_are_found),
		cmocka_unit_test(another_passphrase_is_told_from_damage),
		cmocka_unit_test(a_generation_opens_with_its_master_key_only),
		cmocka_unit_test(a_later_format_is_said_to_be_one),
		cmocka_unit_test(a_header_cannot_ask_for_too_much),
		cmocka_unit_test(what_is_no_backup_is_said_to_be_none),
		cmocka_unit_test(names_that_lead_elsewhere_are_refused),
	};
	return crypto_setup() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
