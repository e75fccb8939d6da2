/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Not uv_async_t: its loop turns on the spot until the thread that sends has come out of
 * uv_async_send(). When the machine is busy that thread loses its CPU in there to the very loop
 * that it wakes, and the loop is stuck for as long as others have the CPUs: 150 ms were measured.
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop-private.h"

struct loop_wakeup {
	uv_poll_t uv;
	int fd;
	void (*fn)(void *user);
	void *user;
};

static void on_wakeup(uv_poll_t *handle, int status, int events) {
	struct loop_wakeup *wakeup = container_of(handle, struct loop_wakeup, uv);
	uint64_t ignored;
	assert(status == 0);
	(void) status;
	(void) events;
	/* First: what is sent from here on wakes again. */
	(void) !read(wakeup->fd, &ignored, sizeof(ignored));
	wakeup->fn(wakeup->user);
}

struct loop_wakeup *loop_wakeup_new(struct loop *loop, void (*fn)(void *user), void *user) {
	assert(fn != NULL);
	struct loop_wakeup *wakeup = calloc(1, sizeof(*wakeup));
	if (wakeup == NULL) {
		return NULL;
	}
	wakeup->fn = fn;
	wakeup->user = user;
	wakeup->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wakeup->fd < 0 || uv_poll_init(&loop->uv, &wakeup->uv, wakeup->fd) < 0) {
		if (wakeup->fd >= 0) {
			(void) close(wakeup->fd);
		}
		free(wakeup);
		return NULL;
	}
	wakeup->uv.data = wakeup; /* loop_free() tells it from a loop_fd by that */
	int r = uv_poll_start(&wakeup->uv, UV_READABLE, on_wakeup);
	assert(r == 0);
	(void) r;
	return wakeup;
}

void loop_wakeup_closed(uv_handle_t *handle) {
	struct loop_wakeup *wakeup = container_of(handle, struct loop_wakeup, uv);
	(void) close(wakeup->fd);
	free(wakeup);
}

struct loop_wakeup *loop_wakeup_free(struct loop_wakeup *wakeup) {
	if (wakeup != NULL) {
		uv_close((uv_handle_t *) &wakeup->uv, loop_wakeup_closed);
	}
	return NULL;
}

void loop_wakeup_send(struct loop_wakeup *wakeup) {
	static const uint64_t one = 1;
	ssize_t n = write(wakeup->fd, &one, sizeof(one));
	assert(n == sizeof(one) || errno == EAGAIN); /* so many sent already: it is awake */
	(void) n;
}
