/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "util/bytes.h"

#define KEY_LEN 32

/* systemd hands credentials over in a folder of its own, readable by this service only. */
static bool credential_path(const char *name, char *out, size_t size) {
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	return folder != NULL && snprintf(out, size, "%s/%s", folder, name) < (int) size &&
	       access(out, F_OK) == 0;
}

/* @is_private: refuse a file that others can read. A credential's mode is systemd's business. */
static int read_secret(
	const char *path, bool is_private, struct secret *ret, struct fault *ret_fault) {
	uint8_t buf[SECRET_MAX + 1];
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = 0;

	if (fd < 0) {
		return -errno;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void) close(fd);
		return fault_set(ret_fault, FAULT_CONFIG_INVALID, "%s is not a file", path);
	}
	if (is_private && (st.st_mode & 077) != 0) {
		(void) close(fd);
		return fault_set(ret_fault, FAULT_SECRET_EXPOSED, "%s has mode %03o", path,
			(unsigned) st.st_mode & 0777);
	}
	n = read(fd, buf, sizeof(buf));
	(void) close(fd);
	if (n < 0) {
		r = -errno;
	} else if (n > SECRET_MAX) {
		r = fault_set(ret_fault, FAULT_CONFIG_INVALID, "%s is longer than %d bytes", path,
			SECRET_MAX);
	} else {
		r = secret_set(ret, buf, (size_t) n);
	}
	wipe(buf, sizeof(buf));
	return r;
}

/* 32 raw octets or 64 hex digits with or without a line end. */
static int to_key(struct secret *secret) {
	char text[2 * KEY_LEN + 2];
	size_t n = secret->len;
	int r;

	if (n == KEY_LEN) {
		return 0;
	}
	if (n == 2 * KEY_LEN + 1 && secret->bytes[n - 1] == '\n') {
		n--;
	}
	if (n != 2 * KEY_LEN) {
		return -EINVAL;
	}
	memcpy(text, secret->bytes, n);
	text[n] = '\0';
	secret_wipe(secret);
	r = hex_decode(text, secret->bytes, KEY_LEN);
	wipe(text, sizeof(text));
	secret->len = KEY_LEN;
	return r;
}

static int sync_folder(const char *folder) {
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0) {
		return -errno;
	}
	r = fsync(fd) < 0 ? -errno : 0;
	(void) close(fd);
	return r;
}

static int make_key(
	const char *state_dir, const char *path, struct secret *ret, struct fault *ret_fault) {
	uint8_t key[KEY_LEN];
	char text[2 * KEY_LEN + 2];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = 0;

	if (fd < 0) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_OPEN, -errno, "making %s", path);
	}
	crypto_random(key, sizeof(key));
	hex_encode(key, sizeof(key), text);
	text[2 * KEY_LEN] = '\n';
	if (write(fd, text, 2 * KEY_LEN + 1) != 2 * KEY_LEN + 1 || fsync(fd) < 0) {
		r = fault_set_errno(ret_fault, FAULT_DATABASE_OPEN, -errno, "writing %s", path);
	}
	if (close(fd) < 0 && r >= 0) {
		r = fault_set_errno(ret_fault, FAULT_DATABASE_OPEN, -errno, "writing %s", path);
	}
	if (r >= 0) {
		r = sync_folder(state_dir);
	}
	if (r >= 0) {
		r = secret_set(ret, key, sizeof(key));
	}
	wipe(key, sizeof(key));
	wipe(text, sizeof(text));
	return r;
}

int keyfile_database(const char *state_dir, bool has_database, struct secret *ret, bool *ret_made,
	struct fault *ret_fault) {
	char path[PATH_MAX];
	bool is_credential = credential_path("db-key", path, sizeof(path));
	int r;

	*ret_made = false;
	if (!is_credential) {
		(void) snprintf(path, sizeof(path), "%s/db.key", state_dir);
	}
	ret_fault->code = FAULT_NONE;
	r = read_secret(path, !is_credential, ret, ret_fault);
	if (r == -ENOENT && !has_database && ret_fault->code == FAULT_NONE) {
		*ret_made = true;
		return make_key(state_dir, path, ret, ret_fault);
	}
	if (r < 0) {
		return ret_fault->code != FAULT_NONE
			       ? r
			       : fault_set_errno(ret_fault, FAULT_KEY_MISSING, r, "%s", path);
	}
	if (to_key(ret) < 0) {
		secret_wipe(ret);
		return fault_set(ret_fault, FAULT_KEY_MISSING,
			"%s holds neither 32 bytes nor 64 hex digits", path);
	}
	return 0;
}

int keyfile_password(
	const char *path, const char *credential, struct secret *ret, struct fault *ret_fault) {
	char from[PATH_MAX];
	bool is_private = path[0] != '\0';
	int r;

	secret_wipe(ret);
	if (is_private) {
		(void) snprintf(from, sizeof(from), "%s", path);
	} else if (!credential_path(credential, from, sizeof(from))) {
		return 0;
	}
	ret_fault->code = FAULT_NONE;
	r = read_secret(from, is_private, ret, ret_fault);
	if (r < 0 && ret_fault->code == FAULT_NONE) {
		return fault_set_errno(ret_fault, FAULT_CONFIG_INVALID, r, "%s", from);
	}
	while (r >= 0 && ret->len > 0 &&
		(ret->bytes[ret->len - 1] == '\n' || ret->bytes[ret->len - 1] == '\r')) {
		ret->bytes[--ret->len] = 0;
	}
	return r;
}
