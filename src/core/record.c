/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Transcripts: who records a lock, and the lines. */

#include "private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/list.h"

/* Longer messages are cut; none of ours are. */
#define FRAME_MAX 600

static void say(struct lock *lock, const char *text) {
	char line[HUB_RECORD_LINE_MAX];

	snprintf(line, sizeof(line), "%04" PRId64 " %s",
		mono_since(lock->record_since, hub_now(lock->hub)), text);
	lock->record_fn(lock->record_user, line);
}

void record_line(struct lock *lock, const char *format, ...) {
	char text[128];
	va_list args;

	if (lock->record_fn == NULL) {
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(lock, text);
}

void record_frame(struct lock *lock, bool is_out, const char *characteristic, const uint8_t *plain,
	size_t n) {
	char text[16 + 2 * FRAME_MAX + 1];

	if (lock->record_fn == NULL) {
		return;
	}
	int at = snprintf(text, sizeof(text), "%c %.8s ", is_out ? '>' : '<', characteristic);
	for (size_t i = 0; i < n && i < FRAME_MAX; i++) {
		at += snprintf(text + at, sizeof(text) - (size_t) at, "%02x", plain[i]);
	}
	say(lock, text);
}

void record_end(struct lock *lock) {
	hub_record_fn *fn = lock->record_fn;

	lock->record_fn = NULL;
	if (fn != NULL) {
		fn(lock->record_user, NULL);
	}
}

int hub_record_start(
	struct hub *hub, const char *word, hub_record_fn *fn, void *user, struct fault *ret_fault) {
	struct lock *lock;
	int r = hub_get_lock(hub, word, &lock, ret_fault);

	if (r < 0) {
		return r;
	}
	if (lock->record_fn != NULL) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "%s is being recorded already", lock->slug);
	}
	lock->record_fn = fn;
	lock->record_user = user;
	lock->record_since = hub_now(hub);
	if (lock->state == RUNNER_UP) {
		record_line(lock, "= up %u", 0U); /* it was up before */
	}
	return 0;
}

void hub_record_stop(struct hub *hub, const void *user) {
	for (size_t i = 0; i < hub_lock_count(hub); i++) {
		struct lock *lock = hub_lock_at(hub, i);
		if (lock->record_fn != NULL && lock->record_user == user) {
			lock->record_fn = NULL;
		}
	}
}
