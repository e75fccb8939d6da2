/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Files to carry about. A sealed one is a line that says how, and then octets:
 *
 *	lockhub-sealed 1 argon2id PASSES KIB SALT
 *	nonce | ciphertext | tag		XChaCha20-Poly1305, bound to that line
 */

#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "crypto/password.h"
#include "util/bytes.h"

#define SEALED_MAGIC "lockhub-sealed 1 argon2id "
#define SEALED_HEADER_MAX 128
#define PASSPHRASE_LEAST 8

FILE *file_create(struct ctl *ctl, const char *path) {
	if (strcmp(path, "-") == 0) {
		return ctl->out;
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (file == NULL) {
		complain(ctl, "%s: %s", path, strerror(errno));
		if (errno == EEXIST) {
			advise(ctl, "Nothing is overwritten: give another name");
		}
	}
	if (file == NULL && fd >= 0) {
		close(fd);
	}
	return file;
}

int file_close(struct ctl *ctl, const char *path, FILE *take_file) {
	bool is_bad = fflush(take_file) != 0 || ferror(take_file);
	if (take_file != ctl->out) {
		is_bad |= fsync(fileno(take_file)) < 0;
		is_bad |= fclose(take_file) != 0;
	}
	if (is_bad) {
		complain(ctl, "%s cannot be written", path);
		return CTL_FAILED;
	}
	return CTL_DONE;
}

char *file_read(struct ctl *ctl, const char *path, size_t *ret_n) {
	FILE *file = strcmp(path, "-") == 0 ? ctl->in : fopen(path, "re");
	AUTO(free) char *content = file != NULL ? malloc(FILE_MAX + 1) : NULL;
	if (content == NULL) {
		complain(ctl, "%s: %s", path, strerror(errno));
		return NULL;
	}
	size_t n = fread(content, 1, FILE_MAX + 1, file);
	bool is_bad = ferror(file) != 0;
	if (file != ctl->in) {
		fclose(file);
	}
	if (is_bad || n > FILE_MAX) {
		complain(ctl, "%s %s", path, is_bad ? "cannot be read" : "is longer than 4 MiB");
		return NULL;
	}
	content[n] = '\0';
	*ret_n = n;
	return STEAL(content);
}

static void wipe_key(uint8_t (*key)[32]) {
	wipe(*key, sizeof(*key));
}

int sealed_write(struct ctl *ctl, FILE *file, const char *text, const struct secret *passphrase) {
	AUTO_VALUE(wipe_key) uint8_t key[32];
	uint8_t salt[PASSWORD_SALT_LEN];
	char header[SEALED_HEADER_MAX], hex[2 * PASSWORD_SALT_LEN + 1];
	size_t n = strlen(text);
	if (passphrase->len < PASSPHRASE_LEAST) {
		complain(ctl, "a passphrase has at least %d characters", PASSPHRASE_LEAST);
		return CTL_FAILED;
	}
	AUTO(free) uint8_t *sealed = malloc(n + CRYPTO_SEAL_OVERHEAD);
	if (sealed == NULL || crypto_setup() < 0) {
		complain(ctl, "out of memory");
		return CTL_FAILED;
	}
	crypto_random(salt, sizeof(salt));
	if (password_key(passphrase->bytes, passphrase->len, salt, PASSWORD_PASSES, PASSWORD_KIB,
		    key) < 0) {
		complain(ctl, "there are no %d MiB of memory to make a key of the passphrase",
			PASSWORD_KIB / 1024);
		return CTL_FAILED;
	}
	snprintf(header, sizeof(header), SEALED_MAGIC "%d %d %s\n", PASSWORD_PASSES, PASSWORD_KIB,
		hex_encode(salt, sizeof(salt), hex));
	crypto_seal(key, header, text, n, sealed);
	fputs(header, file);
	fwrite(sealed, 1, n + CRYPTO_SEAL_OVERHEAD, file);
	return CTL_DONE;
}

bool sealed_is(const char *content, size_t n) {
	return n > strlen(SEALED_MAGIC) && memcmp(content, SEALED_MAGIC, strlen(SEALED_MAGIC)) == 0;
}

char *sealed_open(struct ctl *ctl, const char *content, size_t n, const struct secret *passphrase) {
	AUTO_VALUE(wipe_key) uint8_t key[32];
	uint8_t salt[PASSWORD_SALT_LEN];
	char header[SEALED_HEADER_MAX], hex[2 * PASSWORD_SALT_LEN + 1];
	unsigned passes, kib;
	const char *end = memchr(content, '\n', n < sizeof(header) - 1 ? n : sizeof(header) - 1);
	size_t n_header = end != NULL ? (size_t) (end - content) + 1 : 0;
	snprintf(header, sizeof(header), "%.*s", (int) n_header, content);
	if (n_header == 0 || n < n_header + CRYPTO_SEAL_OVERHEAD ||
		sscanf(header, SEALED_MAGIC "%9u %9u %32[0-9a-f]\n", &passes, &kib, hex) != 3 ||
		hex_decode(hex, salt, sizeof(salt)) < 0) {
		complain(ctl, "the encrypted file is damaged, or was made by a newer lockhubctl");
		return NULL;
	}
	int r = crypto_setup();
	if (r >= 0) {
		r = password_key(passphrase->bytes, passphrase->len, salt, passes, kib, key);
	}
	if (r < 0) {
		complain(ctl, "a key cannot be made of the passphrase: %s", strerror(-r));
		return NULL;
	}
	size_t n_sealed = n - n_header;
	AUTO(free) char *text = malloc(n_sealed - CRYPTO_SEAL_OVERHEAD + 1);
	if (text == NULL || crypto_unseal(key, header, (const uint8_t *) content + n_header,
				    n_sealed, (uint8_t *) text) < 0) {
		complain(ctl, "the passphrase is wrong, or the file is damaged");
		return NULL;
	}
	text[n_sealed - CRYPTO_SEAL_OVERHEAD] = '\0';
	return STEAL(text);
}
