/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static long holder(int fd) {
	char text[24] = "";

	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	return n > 0 ? strtol(text, NULL, 10) : 0;
}

static void sign(int fd) {
	char text[24];

	/* Only for the message to a second one: that it fails harms nobody. */
	int n = snprintf(text, sizeof(text), "%ld\n", (long) getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t) n, 0) < 0) {
		return;
	}
}

int file_lock_take(const char *database, int *ret, struct fault *ret_fault) {
	char path[PATH_MAX];
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (snprintf(path, sizeof(path), "%s.lock", database) >= (int) sizeof(path)) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_OPEN, -ENAMETOOLONG, "the path");
	}
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_OPEN, -errno, "%s", path);
	}
	/* Of the open file and not of the process: holds against ourselves, too. */
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		int error = errno;
		long pid = holder(fd);
		(void) close(fd);
		if (error != EAGAIN && error != EACCES) {
			return fault_set_errno(ret_fault, FAULT_DATABASE_OPEN, -error, "%s", path);
		}
		if (pid > 0) {
			return fault_set(ret_fault, FAULT_DATABASE_IN_USE, "process %ld has %s",
				pid, database);
		}
		return fault_set(ret_fault, FAULT_DATABASE_IN_USE, "%s is locked", path);
	}
	sign(fd);
	*ret = fd;
	return 0;
}

void file_lock_drop(int *fd) {
	if (*fd >= 0) {
		(void) close(*fd);
		*fd = -1;
	}
}
