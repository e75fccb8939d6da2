/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define KEY_INTERRUPT 0x03
#define KEY_END 0x04
#define KEY_BACKSPACE 0x08
#define KEY_ERASE_LINE 0x15
#define KEY_DELETE 0x7f

static volatile int is_interrupted;

static void on_interrupt(int signum) {
	is_interrupted = 1;
}

const volatile int *prompt_catch_interrupt(void) {
	struct sigaction action = { .sa_handler = on_interrupt };
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return &is_interrupted;
}

/*
 * Key by key and unbuffered, so that the PIN is in no stream's buffer, and that Ctrl-C (a plain
 * character meanwhile) cannot leave the terminal without echo. 0, or -ECANCELED.
 */
static int read_keys(int fd, struct secret *pin) {
	pin->len = 0;
	for (;;) {
		uint8_t key;
		ssize_t n = read(fd, &key, 1);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0 || key == KEY_INTERRUPT || (key == KEY_END && pin->len == 0)) {
			return -ECANCELED;
		}
		if (key == '\n' || key == '\r' || key == KEY_END) {
			return 0;
		}
		if (key == KEY_BACKSPACE || key == KEY_DELETE) {
			pin->len -= pin->len > 0;
		} else if (key == KEY_ERASE_LINE) {
			pin->len = 0;
		} else if (pin->len < sizeof(pin->bytes) - 1) {
			pin->bytes[pin->len++] = key;
		}
	}
}

static int ask(struct ctl *ctl, const char *what, const char *more, struct secret *secret) {
	int r;

	fprintf(ctl->err, "%s%s: ", what, more);
	fflush(ctl->err);
	r = read_keys(fileno(ctl->in), secret);
	fputc('\n', ctl->err);
	return r;
}

/*
 * Nothing is shown from before the question until after the last answer: whoever types, or pastes,
 * faster than the terminal is told would see the code. @is_new: twice the same, so that nobody is
 * locked out by a slip of the finger; -EINVAL if not.
 */
static int ask_hidden(struct ctl *ctl, const char *what, bool is_new, struct secret *secret) {
	AUTO_VALUE(secret_wipe) struct secret second = { 0 };
	int fd = fileno(ctl->in);
	struct termios before, hidden;
	if (tcgetattr(fd, &before) < 0) {
		complain(ctl, "the terminal cannot be told to hide what is typed: %s",
			strerror(errno));
		return -errno;
	}
	hidden = before;
	hidden.c_lflag &= ~(tcflag_t) (ECHO | ICANON | ISIG);
	progress_end(ctl);
	tcsetattr(fd, TCSAFLUSH, &hidden);
	int r = ask(ctl, what, "", secret);
	if (r == 0 && is_new && secret->len > 0) {
		r = ask(ctl, what, " again", &second);
		r = r < 0 ? r : secret_equal(secret, &second) ? 0 : -EINVAL;
	}
	tcsetattr(fd, TCSAFLUSH, &before);
	return r;
}

/* One line, octet by octet: what follows it stays unread for whoever comes next. */
static int read_line_raw(struct ctl *ctl, struct secret *pin) {
	pin->len = 0;
	for (;;) {
		uint8_t octet;
		int fd = fileno(ctl->in);
		int c = -1;
		if (fd >= 0) {
			ssize_t n = read(fd, &octet, 1);
			if (n < 0 && errno == EINTR) {
				continue;
			}
			c = n == 1 ? octet : -1;
		} else {
			c = fgetc(ctl->in); /* tests */
		}
		if (c < 0 || c == '\n') {
			return 0;
		}
		if (c == '\r') {
			continue;
		}
		if (pin->len >= sizeof(pin->bytes) - 1) {
			return -E2BIG;
		}
		pin->bytes[pin->len++] = (uint8_t) c;
	}
}

static int prompt(struct ctl *ctl, const char *what, const char *question, bool is_new,
	struct secret *ret_secret) {
	int r;
	if (ctl->opt.is_pin_stdin) {
		r = read_line_raw(ctl, ret_secret);
	} else if (ctl->is_asking) {
		r = ask_hidden(ctl, question, is_new, ret_secret);
	} else {
		bool is_pin = (ctl->command->options & OPT_PIN_STDIN) != 0;
		return usage_error(ctl,
			"a %s is needed and there is no terminal to ask at; give it on standard "
			"input with %s",
			what, is_pin ? "--pin-stdin" : "--stdin");
	}
	if (r == -ECANCELED || r == -EINVAL) {
		complain(ctl, r == -EINVAL ? "the two are not the same" : "cancelled");
		return CTL_FAILED;
	}
	if (r < 0 || ret_secret->len == 0) {
		complain(ctl, r < 0 ? "the %s is too long" : "no %s was given", what);
		return CTL_FAILED;
	}
	ret_secret->bytes[ret_secret->len] = '\0'; /* D-Bus wants text; not counted in len */
	return CTL_DONE;
}

int prompt_pin(struct ctl *ctl, const char *form, struct secret *ret_pin) {
	char question[LINE_TEXT_MAX];
	snprintf(question, sizeof(question), "PIN%s%s%s", form[0] != '\0' ? " (" : "", form,
		form[0] != '\0' ? ")" : "");
	return prompt(ctl, "PIN", question, false, ret_pin);
}

int prompt_secret(struct ctl *ctl, const char *what, bool is_new, struct secret *ret_secret) {
	char question[LINE_TEXT_MAX];
	snprintf(question, sizeof(question), "%c%s", what[0] - 'a' + 'A', what + 1);
	return prompt(ctl, what, question, is_new, ret_secret);
}

static int read_file(struct ctl *ctl, const char *path, const char *what, struct secret *ret) {
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd >= 0 ? read(fd, ret->bytes, sizeof(ret->bytes)) : -1;
	int error = errno;
	if (fd >= 0) {
		close(fd);
	}
	if (n < 0) {
		complain(ctl, "%s: %s", path, strerror(error));
		return CTL_FAILED;
	}
	const uint8_t *end = memchr(ret->bytes, '\n', (size_t) n);
	ret->len = end != NULL ? (size_t) (end - ret->bytes) : (size_t) n;
	if (ret->len > 0 && ret->bytes[ret->len - 1] == '\r') {
		ret->len--;
	}
	if (ret->len == 0 || ret->len >= sizeof(ret->bytes)) {
		complain(ctl, "the first line of %s is no %s: it is %s", path, what,
			ret->len == 0 ? "empty" : "too long");
		return CTL_FAILED;
	}
	ret->bytes[ret->len] = '\0'; /* D-Bus wants text; not counted in len */
	return CTL_DONE;
}

int prompt_secret_from(struct ctl *ctl, const char *path, const char *what, bool is_new,
	struct secret *ret_secret) {
	if (path != NULL && strcmp(path, "-") != 0) {
		return read_file(ctl, path, what, ret_secret);
	}
	const bool before = ctl->opt.is_pin_stdin;
	ctl->opt.is_pin_stdin |= path != NULL;
	int r = prompt_secret(ctl, what, is_new, ret_secret);
	ctl->opt.is_pin_stdin = before;
	return r;
}

int prompt_line(struct ctl *ctl, char *out, size_t size, const char *format, ...) {
	if (!ctl->is_asking) {
		return -ENOTTY;
	}
	va_list args;
	progress_end(ctl);
	va_start(args, format);
	vfprintf(ctl->err, format, args);
	va_end(args);
	fflush(ctl->err);
	if (fgets(out, (int) size, ctl->in) == NULL) {
		fputc('\n', ctl->err);
		return -ECANCELED;
	}
	out[strcspn(out, "\r\n")] = '\0';
	return 0;
}

bool prompt_yes(struct ctl *ctl, const char *format, ...) {
	char question[LINE_TEXT_MAX], answer[16];
	va_list args;
	va_start(args, format);
	vsnprintf(question, sizeof(question), format, args);
	va_end(args);
	return prompt_line(ctl, answer, sizeof(answer), "%s [y/N] ", question) == 0 &&
	       (answer[0] == 'y' || answer[0] == 'Y');
}
