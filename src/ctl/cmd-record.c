/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/when.h"

#define LINE_MAX_OCTETS 4096

static void close_fd(int *fd) {
	if (*fd >= 0) {
		close(*fd);
	}
}

/* Asks for the transcript; @return where it comes, or negative. */
static int ask_for_it(struct ctl *ctl, const char *path, const char *word) {
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		complain(ctl, "no socket: %s", strerror(errno));
		return -errno;
	}
	int r = talk_call(ctl, path, LOCK_INTERFACE, "Record", word, NULL, "h", ends[1]);
	close(ends[1]);
	if (r < 0) {
		close(ends[0]);
		return r;
	}
	return ends[0];
}

static void print_header(FILE *file, const json_t *lock, const char *version) {
	char now[WALL_TEXT_MAX];

	fprintf(file,
		"# lockhub transcript 1\n"
		"# driver %s, brand %s, model %s, firmware %s, lockhub %s, %s\n"
		"# Keys, PINs, nonces, ids and names are blanked.\n"
		"# milliseconds, direction, characteristic, octets in clear\n",
		facts_text(lock, "driver"), facts_text(lock, "brand"), facts_text(lock, "model"),
		facts_text(lock, "firmware"), version, wall_to_text((wall_t){ moment_now() }, now));
}

/* Until Ctrl-C, the time is over, or lockhubd ends it. @return whether it was we. */
static bool copy_lines(struct ctl *ctl, int fd, FILE *file, size_t *ret_n) {
	const volatile int *is_interrupted = prompt_catch_interrupt();
	int64_t end = moment_boot_ms() + (int64_t) ctl->opt.seconds * 1000;
	char line[LINE_MAX_OCTETS];

	for (;;) {
		int64_t left = ctl->opt.seconds == 0 ? 1000 : end - moment_boot_ms();
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		if (*is_interrupted != 0 || left <= 0) {
			return true;
		}
		if (poll(&poll_fd, 1, left < 1000 ? (int) left : 1000) <= 0) {
			continue;
		}
		ssize_t n = recv(fd, line, sizeof(line), 0);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		fprintf(file, "%.*s\n", (int) n, line);
		fflush(file);
		*ret_n += line[0] != '#';
		progress(ctl, "%zu lines (Ctrl-C ends it)", *ret_n);
	}
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	AUTO_VALUE(close_fd) int fd = -1;
	char path[PATH_TEXT_MAX];
	const char *version = "?";
	size_t n = 0;
	if (talk_find_lock(ctl, args[0], path) < 0) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *lock = facts_fetch_lock(ctl, path);
	if (lock == NULL ||
		talk_call(ctl, MANAGER_PATH, "org.freedesktop.DBus.Properties", "Get", NULL, &reply,
			"ss", MANAGER_INTERFACE, "Version") < 0 ||
		sd_bus_message_read(reply, "v", "s", &version) < 0) {
		return CTL_FAILED;
	}
	fd = ask_for_it(ctl, path, args[0]);
	if (fd < 0) {
		return CTL_FAILED;
	}
	int out = open(args[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = out >= 0 ? fdopen(out, "w") : NULL;
	if (file == NULL) {
		complain(ctl, "%s: %s", args[1], strerror(errno));
		close_fd(&out);
		return CTL_FAILED;
	}
	print_header(file, lock, version);
	fflush(file);
	progress(ctl, "Recording %s (Ctrl-C ends it)", facts_text(lock, "slug"));
	bool is_ours = copy_lines(ctl, fd, file, &n);
	progress_end(ctl);
	bool is_bad = ferror(file) != 0;
	if (fclose(file) != 0 || is_bad) {
		complain(ctl, "%s cannot be written", args[1]);
		return CTL_FAILED;
	}
	if (!is_ours) {
		complain(ctl, "lockhubd ended the recording; %zu lines are in %s", n, args[1]);
		return CTL_FAILED;
	}
	say(ctl, "%zu lines in %s\n", n, args[1]);
	return CTL_DONE;
}

const struct command cmd_record = {
	.name = "record",
	.args = "LOCK FILE",
	.blurb = "Write down what is said to a lock, for a bug report",
	.help = "Until Ctrl-C, or for --seconds. What would open the door or tell who you are is\n"
		"left out: keys, PINs, codes, nonces, ids and names. When things happened and "
		"what\n"
		"the lock's state was stays in. FILE must not exist yet. Needs the role manage.",
	.example = "lockhubctl record front-door front-door.txt",
	.options = OPT_SECONDS,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
