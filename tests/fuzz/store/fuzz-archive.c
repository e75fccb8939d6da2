/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A backup from anywhere: its header, and its parts. The input is taken twice: as a file, which
 * hardly ever opens, and as what is in one that opens, sealed here under a known key, so that the
 * parts are reached.
 */

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive.h"
#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t master[32] = "0123456789abcdef0123456789abcdef";

static int file_of(const uint8_t *data, size_t size) {
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	assert(fd >= 0);
	assert(write(fd, data, size) == (ssize_t) size);
	return fd;
}

/* As a restoration does; whatever is refused has a fault. */
static void read_all(int fd, const struct secret *secret) {
	struct archive_header header;
	struct archive_reader reader;
	struct fault fault = { .code = FAULT_NONE };
	enum archive_part part = PART_END;
	char name[ARCHIVE_NAME_MAX];
	uint8_t chunk[512];
	uint64_t size = 0;
	int r = archive_reader_init(&reader, fd, secret, &header, &fault);
	while (r == 0 && (r = archive_next(&reader, &part, name, &size, &fault)) == 0 &&
		part != PART_END) {
		assert(strchr(name, '/') == NULL && name[0] != '.' && name[0] != '\0');
		while (r == 0 && size > 0) {
			size_t n = size < sizeof(chunk) ? (size_t) size : sizeof(chunk);
			r = archive_read(&reader, chunk, n, &fault);
			size -= n;
		}
	}
	archive_reader_finish(&reader);
	assert((r < 0) == (fault.code != FAULT_NONE));
}

/* Under a passphrase it would ask for Argon2id by the header's word: too slow for a fuzzer. */
static bool is_by_passphrase(int fd) {
	struct archive_header header;
	return archive_read_header(fd, &header, NULL) == 0 &&
	       header.sealing == ARCHIVE_BY_PASSPHRASE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static bool is_set_up;
	struct archive_header header = { .sealing = ARCHIVE_BY_MASTER_KEY };
	struct archive_writer writer;
	struct secret secret = { 0 };
	if (!is_set_up) {
		assert(crypto_setup() >= 0);
		is_set_up = true;
	}
	assert(secret_set(&secret, master, sizeof(master)) == 0);

	int fd = file_of(data, size);
	if (!is_by_passphrase(fd)) {
		read_all(fd, &secret);
	}
	close(fd);

	fd = file_of(NULL, 0);
	assert(archive_writer_init(&writer, fd, &header, &secret, NULL) == 0);
	assert(archive_write(&writer, data, size, NULL) == 0);
	assert(archive_end(&writer, NULL) == 0);
	archive_writer_finish(&writer);
	read_all(fd, &secret);
	close(fd);
	return 0;
}
