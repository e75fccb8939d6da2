/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "loop-private.h"

static void on_before_sleep(uv_prepare_t *handle) {
	struct loop *loop = container_of(handle, struct loop, before_sleep_handle);
	loop->n_turns++;
	if (loop->before_sleep != NULL) {
		loop->before_sleep(loop->before_sleep_user);
	}
}

static void on_nothing(uv_async_t *handle) {
	(void) handle;
}

static void on_idle(uv_idle_t *handle) {
	(void) handle; /* that it is there keeps the loop from sleeping */
}

static void on_after_poll(uv_check_t *handle) {
	loop_timers_fire(container_of(handle, struct loop, after_poll_handle));
}

void loop_be_awake(struct loop *loop, bool is_awake) {
	if (is_awake) {
		uv_idle_start(&loop->idle_handle, on_idle);
	} else {
		uv_idle_stop(&loop->idle_handle);
	}
}

static void on_turn_timer(uv_timer_t *handle) {
	(void) handle;
}

/* A timer that is never due, but is cancelled by every step of the wall clock and by resume. */
static void jump_arm(struct loop *loop) {
	const time_t far = (time_t) (sizeof(time_t) > 4 ? INT64_C(9000000000) : INT32_MAX);
	const struct itimerspec never = { .it_value = { .tv_sec = far } };
	(void) timerfd_settime(
		loop->jump_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

static void on_jump(uv_poll_t *handle, int status, int events) {
	struct loop *loop = container_of(handle, struct loop, jump_poll);
	uint64_t count;
	(void) status;
	(void) events;
	(void) !read(loop->jump_fd, &count, sizeof(count)); /* ECANCELED, which also clears it */
	jump_arm(loop);
	loop_timers_rearm(loop);
	/* What hangs on the wall clock is looked at in the before-sleep hook, which comes next. */
}

static void jump_watch(struct loop *loop) {
	loop->jump_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->jump_fd < 0) {
		return;
	}
	if (uv_poll_init(&loop->uv, &loop->jump_poll, loop->jump_fd) < 0) {
		close(loop->jump_fd);
		loop->jump_fd = -1;
		return;
	}
	uv_poll_start(&loop->jump_poll, UV_READABLE, on_jump);
	uv_unref((uv_handle_t *) &loop->jump_poll);
	jump_arm(loop);
}

struct loop *loop_new(void) {
	struct loop *loop = calloc(1, sizeof(*loop));
	if (loop == NULL) {
		return NULL;
	}
	loop->jump_fd = -1;
	list_init(&loop->timers);
	list_init(&loop->due);
	list_init(&loop->firing);
	list_init(&loop->works);
	loop_clock_init(&loop->clock);
	if (uv_loop_init(&loop->uv) < 0) {
		free(loop);
		return NULL;
	}
	if (uv_async_init(&loop->uv, &loop->keep_alive, on_nothing) < 0) {
		(void) uv_loop_close(&loop->uv);
		free(loop);
		return NULL;
	}
	uv_timer_init(&loop->uv, &loop->turn_timer);
	uv_prepare_init(&loop->uv, &loop->before_sleep_handle);
	uv_prepare_start(&loop->before_sleep_handle, on_before_sleep);
	uv_unref((uv_handle_t *) &loop->before_sleep_handle);
	uv_check_init(&loop->uv, &loop->after_poll_handle);
	uv_check_start(&loop->after_poll_handle, on_after_poll);
	uv_unref((uv_handle_t *) &loop->after_poll_handle);
	uv_idle_init(&loop->uv, &loop->idle_handle);
	uv_unref((uv_handle_t *) &loop->idle_handle);
	jump_watch(loop);
	return loop;
}

static void close_leftover(uv_handle_t *handle, void *user) {
	struct loop *loop = user;
	if (uv_is_closing(handle)) {
		return;
	}
	if (handle == (uv_handle_t *) &loop->before_sleep_handle ||
		handle == (uv_handle_t *) &loop->after_poll_handle ||
		handle == (uv_handle_t *) &loop->idle_handle ||
		handle == (uv_handle_t *) &loop->keep_alive ||
		handle == (uv_handle_t *) &loop->turn_timer ||
		handle == (uv_handle_t *) &loop->jump_poll) {
		uv_close(handle, NULL);
	} else if (handle->type == UV_TIMER) {
		uv_close(handle, loop_timer_closed);
	} else if (handle->type == UV_POLL) {
		uv_close(handle, handle->data == NULL ? loop_fd_closed : loop_wakeup_closed);
	} else if (handle->type == UV_SIGNAL) {
		uv_close(handle, loop_signal_closed);
	} else {
		assert(!"a handle of a type this room does not make");
	}
}

struct loop *loop_free(struct loop *loop) {
	if (loop == NULL) {
		return NULL;
	}
	loop->before_sleep = NULL;

	/* Releases of cancelled work may make new handles; the second round finds them. */
	int r;
	do {
		loop_works_cancel(loop);
		uv_walk(&loop->uv, close_leftover, loop);
		loop->uv.stop_flag = 0;
		uv_run(&loop->uv, UV_RUN_DEFAULT);
		r = uv_loop_close(&loop->uv);
	} while (r == UV_EBUSY);
	assert(r == 0);

	if (loop->jump_fd >= 0) {
		close(loop->jump_fd);
	}
	free(loop);
	return NULL;
}

int loop_run(struct loop *loop) {
	loop->is_stopped = false;
	while (!loop->is_stopped) {
		uv_run(&loop->uv, UV_RUN_DEFAULT);
	}
	return loop->status;
}

void loop_turn(struct loop *loop, unsigned timeout_ms) {
	if (timeout_ms == 0) {
		uv_run(&loop->uv, UV_RUN_NOWAIT);
		return;
	}
	uv_update_time(&loop->uv);
	/* Repeating: if it is due before libuv looks at the descriptors, the wait must end all the
	 * same. */
	uv_timer_start(&loop->turn_timer, on_turn_timer, timeout_ms, timeout_ms);
	uv_run(&loop->uv, UV_RUN_ONCE);
	uv_timer_stop(&loop->turn_timer);
	if (!list_is_empty(&loop->due)) {
		uv_run(&loop->uv, UV_RUN_NOWAIT); /* became due while it waited */
	}
}

void loop_stop(struct loop *loop, int status) {
	loop->is_stopped = true;
	loop->status = status;
	uv_stop(&loop->uv);
}

const struct clock *loop_clock(struct loop *loop) {
	return &loop->clock;
}

uint64_t loop_turns(const struct loop *loop) {
	return loop->n_turns;
}

void loop_set_before_sleep(struct loop *loop, void (*fn)(void *user), void *user) {
	loop->before_sleep = fn;
	loop->before_sleep_user = user;
}
