/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdlib.h>

#include "loop-private.h"

struct loop_signal {
	uv_signal_t uv;
	void (*fn)(void *user, int signum);
	void *user;
};

static void on_signal(uv_signal_t *handle, int signum) {
	struct loop_signal *signal = container_of(handle, struct loop_signal, uv);
	signal->fn(signal->user, signum);
}

struct loop_signal *loop_signal_new(
	struct loop *loop, int signum, void (*fn)(void *user, int signum), void *user) {
	assert(fn != NULL);
	struct loop_signal *signal = calloc(1, sizeof(*signal));
	if (signal == NULL) {
		return NULL;
	}
	signal->fn = fn;
	signal->user = user;
	if (uv_signal_init(&loop->uv, &signal->uv) < 0) {
		free(signal);
		return NULL;
	}
	if (uv_signal_start(&signal->uv, on_signal, signum) < 0) {
		uv_close((uv_handle_t *) &signal->uv, loop_signal_closed);
		return NULL;
	}
	return signal;
}

void loop_signal_closed(uv_handle_t *handle) {
	free(container_of(handle, struct loop_signal, uv));
}

struct loop_signal *loop_signal_free(struct loop_signal *signal) {
	if (signal != NULL) {
		uv_close((uv_handle_t *) &signal->uv, loop_signal_closed);
	}
	return NULL;
}
