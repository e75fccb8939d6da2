/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdlib.h>

#include "loop-private.h"

struct loop_wakeup {
	uv_async_t uv;
	void (*fn)(void *user);
	void *user;
};

static void on_wakeup(uv_async_t *handle) {
	struct loop_wakeup *wakeup = container_of(handle, struct loop_wakeup, uv);
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
	if (uv_async_init(&loop->uv, &wakeup->uv, on_wakeup) < 0) {
		free(wakeup);
		return NULL;
	}
	return wakeup;
}

void loop_wakeup_closed(uv_handle_t *handle) {
	free(container_of(handle, struct loop_wakeup, uv));
}

struct loop_wakeup *loop_wakeup_free(struct loop_wakeup *wakeup) {
	if (wakeup != NULL) {
		uv_close((uv_handle_t *) &wakeup->uv, loop_wakeup_closed);
	}
	return NULL;
}

void loop_wakeup_send(struct loop_wakeup *wakeup) {
	int r = uv_async_send(&wakeup->uv);
	assert(r == 0);
	(void) r;
}
