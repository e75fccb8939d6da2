/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* signal --watch: how strongly a lock is heard, live, while a person moves the hub about. */

#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/radio.h"
#include "util/text.h"

#define LOOK_BACK_MS 30000
#define SILENT_MS 10000 /* a lock that is not heard for so long is said to be so */
#define READINGS_MAX 64
#define LINE_OCTETS_MAX 256
#define BAR_WIDTH 24
/* The bar's ends: nothing at all is heard below, and above the hub lies on the lock. */
#define BAR_LEAST (-100)
#define BAR_MOST (-40)

struct reading {
	int64_t at_ms;
	int rssi;
};

struct watch {
	struct ctl *ctl;
	struct reading readings[READINGS_MAX]; /* the newest, oldest first */
	size_t n;
	size_t n_all;
	int64_t heard_ms;
	bool is_silent; /* and that has been said */
	char adapter[RADIO_ADDRESS_MAX];
};

static void close_fd(int *fd) {
	if (*fd >= 0) {
		close(*fd);
	}
}

static enum tone quality_tone(const char *quality) {
	return strcmp(quality, "good") == 0   ? TONE_GOOD
	       : strcmp(quality, "fair") == 0 ? TONE_WARN
					      : TONE_BAD;
}

/* ---- the last half minute ---- */

static void forget_old(struct watch *watch, int64_t now_ms) {
	size_t n = 0;
	while (n < watch->n && now_ms - watch->readings[n].at_ms > LOOK_BACK_MS) {
		n++;
	}
	watch->n -= n;
	memmove(watch->readings, watch->readings + n, watch->n * sizeof(watch->readings[0]));
}

static void take(struct watch *watch, int64_t now_ms, int rssi) {
	forget_old(watch, now_ms);
	if (watch->n == READINGS_MAX) {
		watch->n--;
		memmove(watch->readings, watch->readings + 1,
			watch->n * sizeof(watch->readings[0]));
	}
	watch->readings[watch->n++] = (struct reading){ now_ms, rssi };
	watch->n_all++;
	watch->heard_ms = now_ms;
	watch->is_silent = false;
}

struct spread {
	int least, middle, most;
};

static int by_strength(const void *a, const void *b) {
	return *(const int *) a - *(const int *) b;
}

static struct spread spread_of(const struct watch *watch) {
	int sorted[READINGS_MAX] = { 0 };
	for (size_t i = 0; i < watch->n; i++) {
		sorted[i] = watch->readings[i].rssi;
	}
	qsort(sorted, watch->n, sizeof(sorted[0]), by_strength);
	return watch->n == 0
		       ? (struct spread){ 0 }
		       : (struct spread){ sorted[0], sorted[watch->n / 2], sorted[watch->n - 1] };
}

/* ---- showing it ---- */

static void bar(int rssi, char out[static BAR_WIDTH + 1]) {
	int full = (rssi - BAR_LEAST) * BAR_WIDTH / (BAR_MOST - BAR_LEAST);
	full = full < 0 ? 0 : full > BAR_WIDTH ? BAR_WIDTH : full;
	memset(out, '#', (size_t) full);
	memset(out + full, '.', (size_t) (BAR_WIDTH - full));
	out[BAR_WIDTH] = '\0';
}

/* On a terminal each line takes the place of the one before. */
static void begin_line(const struct watch *watch) {
	say(watch->ctl, "%s", watch->ctl->is_tty ? "\r\033[K" : "");
}

static void end_line(const struct watch *watch) {
	say(watch->ctl, "%s", watch->ctl->is_tty ? "" : "\n");
	fflush(watch->ctl->out);
}

static int show_json(const struct watch *watch, bool is_heard, int rssi) {
	struct spread spread = spread_of(watch);
	json_t *line = json_pack("{s:o, s:s, s:o, s:o, s:o, s:I, s:s}", "rssi",
		is_heard ? json_integer(rssi) : json_null(), "quality",
		watch->n > 0 ? radio_quality_of_dbm(spread.middle) : "unknown", "min",
		watch->n > 0 ? json_integer(spread.least) : json_null(), "median",
		watch->n > 0 ? json_integer(spread.middle) : json_null(), "max",
		watch->n > 0 ? json_integer(spread.most) : json_null(), "count",
		(json_int_t) watch->n, "adapter", watch->adapter);
	int r = print_json_line(watch->ctl, line);
	fflush(watch->ctl->out);
	return r;
}

static int show_reading(const struct watch *watch, int rssi) {
	struct spread spread = spread_of(watch);
	const char *quality = radio_quality_of_dbm(spread.middle);
	enum tone tone = quality_tone(quality);
	char text[BAR_WIDTH + 1];
	if (watch->ctl->opt.is_json) {
		return show_json(watch, true, rssi);
	}
	bar(rssi, text);
	begin_line(watch);
	say(watch->ctl, "[%s%s%s] %4d dBm  %s%s%s  30 s: weakest %d, middle %d, strongest %d (%zu)",
		tone_start(watch->ctl, tone), text, tone_end(watch->ctl, tone), rssi,
		tone_start(watch->ctl, tone), quality, tone_end(watch->ctl, tone), spread.least,
		spread.middle, spread.most, watch->n);
	end_line(watch);
	return CTL_DONE;
}

/* Each second on a terminal, else once. */
static int show_silence(struct watch *watch, int64_t now_ms) {
	bool is_said = watch->is_silent;
	char text[BAR_WIDTH + 1];
	if (now_ms - watch->heard_ms < SILENT_MS || (is_said && !watch->ctl->is_tty)) {
		return CTL_DONE;
	}
	watch->is_silent = true;
	forget_old(watch, now_ms);
	if (watch->ctl->opt.is_json) {
		return is_said ? CTL_DONE : show_json(watch, false, 0);
	}
	bar(BAR_LEAST, text);
	begin_line(watch);
	say(watch->ctl, "[%s] not heard for %jd s: too far away, or in use just now", text,
		(intmax_t) ((now_ms - watch->heard_ms) / 1000));
	end_line(watch);
	return CTL_DONE;
}

static void show_end(const struct watch *watch) {
	struct spread spread = spread_of(watch);
	const char *quality = radio_quality_of_dbm(spread.middle);
	if (watch->ctl->opt.is_json) {
		return;
	}
	say(watch->ctl, "%s", watch->ctl->is_tty ? "\n" : "");
	if (watch->n == 0) {
		say(watch->ctl, "It was not heard%s.\n",
			watch->n_all > 0 ? " in the last 30 s" : "");
	} else if (strcmp(quality, "good") == 0) {
		say(watch->ctl, "A good place: %d dBm in the middle.\n", spread.middle);
	} else {
		say(watch->ctl, "%s: %d dBm in the middle. Good is %d and better.\n",
			strcmp(quality, "fair") == 0 ? "It will do" : "A poor place", spread.middle,
			RADIO_GOOD_DBM);
	}
}

/* ---- listening ---- */

/* What comes is lockhubd's; a line that cannot be read is passed over. */
static int take_line(struct watch *watch, const char *octets, size_t n) {
	AUTO(json_decref) json_t *line = json_loadb(octets, n, 0, NULL);
	int64_t rssi = facts_number(line, "rssi", 0);
	if (rssi >= 0 || rssi < INT8_MIN) {
		return CTL_DONE;
	}
	text_copy(watch->adapter, sizeof(watch->adapter), facts_text(line, "adapter"));
	text_sanitize(watch->adapter);
	take(watch, moment_boot_ms(), (int) rssi);
	return show_reading(watch, (int) rssi);
}

static int listen_to(struct watch *watch, int fd) {
	const volatile int *is_interrupted = prompt_catch_interrupt();
	int64_t end_ms = moment_boot_ms() + (int64_t) watch->ctl->opt.seconds * 1000;
	char octets[LINE_OCTETS_MAX];
	int r = CTL_DONE;
	while (r == CTL_DONE && *is_interrupted == 0) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		int64_t left_ms = watch->ctl->opt.seconds == 0 ? 1000 : end_ms - moment_boot_ms();
		if (left_ms <= 0) {
			break;
		}
		int n_ready = poll(&poll_fd, 1, left_ms < 1000 ? (int) left_ms : 1000);
		if (n_ready <= 0) {
			r = show_silence(watch, moment_boot_ms());
			continue;
		}
		ssize_t n = recv(fd, octets, sizeof(octets), MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
			continue;
		}
		if (n <= 0) {
			complain(watch->ctl, "lockhubd ended it");
			return CTL_FAILED;
		}
		r = take_line(watch, octets, (size_t) n);
	}
	return r;
}

int watch_run(struct ctl *ctl, const char *word) {
	AUTO_VALUE(close_fd) int fd = -1;
	struct watch watch = { .ctl = ctl, .heard_ms = moment_boot_ms() };
	char path[PATH_TEXT_MAX];
	int ends[2];
	if (talk_find_lock(ctl, word, path) < 0) {
		return CTL_FAILED;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		complain(ctl, "no socket: %s", strerror(errno));
		return CTL_FAILED;
	}
	fd = ends[0];
	int r = talk_call(ctl, path, LOCK_INTERFACE, "Listen", word, NULL, "h", ends[1]);
	close(ends[1]);
	if (r < 0) {
		return CTL_FAILED;
	}
	if (!ctl->opt.is_json) {
		say(ctl, "Listening to %s; Ctrl-C ends it. Give each place half a minute.\n", word);
		fflush(ctl->out);
	}
	r = listen_to(&watch, fd);
	show_end(&watch);
	return r;
}
