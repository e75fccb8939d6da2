/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/notify.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "util/text.h"

#define STATUS_MAX 256

struct notify_watchdog {
	struct loop_timer *timer;
	uint64_t interval_ms;
	bool (*is_alive)(void *user);
	void *user;
};

void notify_ready(void) {
	(void) sd_notify(0, "READY=1");
}

void notify_status(const char *format, ...) {
	static char last[STATUS_MAX];
	char text[STATUS_MAX];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n >= 0) {
		text_sanitize(text); /* a line break would begin another field */
		/* The socket blocks when its reader sleeps (L5): say nothing twice. */
		if (!text_equal(text, last)) {
			(void) text_copy(last, sizeof(last), text);
			(void) sd_notifyf(0, "STATUS=%s", text);
		}
	}
}

void notify_stopping(void) {
	(void) sd_notify(0, "STOPPING=1");
}

static void on_due(void *user) {
	struct notify_watchdog *watchdog = user;
	if (watchdog->is_alive == NULL || watchdog->is_alive(watchdog->user)) {
		(void) sd_notify(0, "WATCHDOG=1");
	}
	loop_timer_arm(watchdog->timer, watchdog->interval_ms);
}

struct notify_watchdog *notify_watchdog_new(
	struct loop *loop, bool (*is_alive)(void *user), void *user) {
	uint64_t usec = 0;
	if (sd_watchdog_enabled(0, &usec) <= 0) {
		return NULL;
	}
	struct notify_watchdog *watchdog = calloc(1, sizeof(*watchdog));
	if (watchdog == NULL) {
		return NULL;
	}
	watchdog->is_alive = is_alive;
	watchdog->user = user;
	watchdog->interval_ms = usec / 3000 > 0 ? usec / 3000 : 1;
	watchdog->timer = loop_timer_new(loop, on_due, watchdog);
	if (watchdog->timer == NULL) {
		return notify_watchdog_free(watchdog);
	}
	loop_timer_arm(watchdog->timer, watchdog->interval_ms);
	return watchdog;
}

struct notify_watchdog *notify_watchdog_free(struct notify_watchdog *watchdog) {
	if (watchdog != NULL) {
		loop_timer_free(watchdog->timer);
		free(watchdog);
	}
	return NULL;
}
