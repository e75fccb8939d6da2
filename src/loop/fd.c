/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "loop-private.h"

struct loop_fd {
	uv_poll_t uv;
	void (*fn)(void *user, int events);
	void *user;
	int wanted; /* LOOP_READ | LOOP_WRITE */
};

static void on_ready(uv_poll_t *handle, int status, int events) {
	struct loop_fd *watch = container_of(handle, struct loop_fd, uv);
	if (status < 0) {
		/* libuv has stopped the handle: the next loop_fd_watch() must start it again. */
		watch->wanted = 0;
		watch->fn(watch->user, status);
		return;
	}
	int ready = ((events & UV_READABLE) != 0 ? LOOP_READ : 0) |
		    ((events & UV_WRITABLE) != 0 ? LOOP_WRITE : 0) |
		    ((events & UV_DISCONNECT) != 0 ? LOOP_HANGUP : 0);
	watch->fn(watch->user, ready);
}

struct loop_fd *loop_fd_new(
	struct loop *loop, int fd, void (*fn)(void *user, int events), void *user) {
	assert(fn != NULL);
	struct loop_fd *watch = calloc(1, sizeof(*watch));
	if (watch == NULL) {
		return NULL;
	}
	watch->fn = fn;
	watch->user = user;
	int r = uv_poll_init(&loop->uv, &watch->uv, fd);
	if (r < 0) {
		free(watch);
		errno = -r;
		return NULL;
	}
	return watch;
}

void loop_fd_closed(uv_handle_t *handle) {
	free(container_of(handle, struct loop_fd, uv));
}

struct loop_fd *loop_fd_free(struct loop_fd *watch) {
	if (watch != NULL) {
		uv_close((uv_handle_t *) &watch->uv, loop_fd_closed);
	}
	return NULL;
}

int loop_fd_watch(struct loop_fd *watch, int events) {
	assert((events & ~(LOOP_READ | LOOP_WRITE)) == 0);
	if (events == watch->wanted) {
		return 0;
	}
	int r = events == 0 ? uv_poll_stop(&watch->uv)
			    : uv_poll_start(&watch->uv,
				      ((events & LOOP_READ) != 0 ? UV_READABLE : 0) |
					      ((events & LOOP_WRITE) != 0 ? UV_WRITABLE : 0) |
					      UV_DISCONNECT,
				      on_ready);
	if (r == 0) {
		watch->wanted = events;
	}
	return r;
}
