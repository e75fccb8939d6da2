/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "password-child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/secret.h"

/* Between a program and itself: no wire format. */
struct request {
	struct secret password;
	uint8_t salt[PASSWORD_SALT_LEN];
	unsigned passes, kib;
};
struct answer {
	int r;
	uint8_t key[32];
};

static void request_wipe(struct request *request) {
	wipe(request, sizeof(*request));
}

static void answer_wipe(struct answer *answer) {
	wipe(answer, sizeof(*answer));
}

static ssize_t receive(int fd, void *out, size_t n) {
	ssize_t r = recv(fd, out, n, 0);

	while (r < 0 && errno == EINTR) {
		r = recv(fd, out, n, 0);
	}
	return r;
}

/* ---- the parent ---- */

/* Not fork(): that copies the map of all our memory, and holds up every thread meanwhile. */
static int start(const char *program, int fd, pid_t *ret) {
	char *argv[] = { (char *) program, (char *) PASSWORD_CHILD_OPTION, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;

	if (posix_spawn_file_actions_init(&files) != 0) {
		return -ECHILD;
	}
	if (posix_spawnattr_init(&attr) != 0) {
		(void) posix_spawn_file_actions_destroy(&files);
		return -ECHILD;
	}
	/* The thread that asks may have blocked them all. */
	(void) sigemptyset(&none);
	(void) posix_spawnattr_setsigmask(&attr, &none);
	int error = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	if (error == 0) {
		error = posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO);
	}
	if (error == 0) {
		error = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	}
	if (error == 0) {
		error = posix_spawn(ret, program, &files, &attr, argv, environ);
	}
	(void) posix_spawnattr_destroy(&attr);
	(void) posix_spawn_file_actions_destroy(&files);
	return error == 0 ? 0 : -ECHILD;
}

static int ask(int fd, const struct request *request, uint8_t out[static 32]) {
	AUTO_VALUE(answer_wipe) struct answer answer = { 0 };

	if (send(fd, request, sizeof(*request), MSG_NOSIGNAL) != sizeof(*request) ||
		receive(fd, &answer, sizeof(answer)) != sizeof(answer)) {
		return -ENOMEM; /* ended: that is what the kernel does for want of it */
	}
	if (answer.r == 0) {
		memcpy(out, answer.key, sizeof(answer.key));
	}
	return answer.r;
}

int password_ask_child(const char *program, const void *password, size_t n,
	const uint8_t salt[static PASSWORD_SALT_LEN], unsigned passes, unsigned kib,
	uint8_t out[static 32]) {
	AUTO_VALUE(request_wipe) struct request request = { .passes = passes, .kib = kib };
	int ends[2];
	pid_t pid = -1;

	memcpy(request.salt, salt, sizeof(request.salt));
	if (secret_set(&request.password, password, n) < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		return -ECHILD;
	}
	int r = start(program, ends[1], &pid);
	(void) close(ends[1]);
	if (r == 0) {
		r = ask(ends[0], &request, out);
	}
	(void) close(ends[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	return r;
}

/* ---- the child ---- */

int password_child_main(void) {
	AUTO_VALUE(request_wipe) struct request request = { 0 };
	AUTO_VALUE(answer_wipe) struct answer answer = { 0 };

	/* A parent that is gone already has closed the socket. */
	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (receive(STDIN_FILENO, &request, sizeof(request)) != sizeof(request)) {
		return EXIT_FAILURE;
	}
	answer.r = password_key(request.password.bytes, request.password.len, request.salt,
		request.passes, request.kib, answer.key);
	return send(STDIN_FILENO, &answer, sizeof(answer), MSG_NOSIGNAL) == sizeof(answer)
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}
