/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdlib.h>

#include "loop-private.h"

#define WAIT_MAX_MS (INT64_C(30) * 24 * 3600 * 1000) /* longer waits are cut into pieces */

struct loop_timer {
	uv_timer_t uv;
	struct loop *loop;
	void (*fn)(void *user);
	void *user;
	mono_t due;       /* only when armed */
	struct list link; /* loop->timers when armed */
};

static void on_due(uv_timer_t *handle);

/* Makes libuv wait for what is left. */
static void timer_start(struct loop_timer *timer) {
	int64_t left = mono_since(clock_mono(&timer->loop->clock), timer->due);
	/*
	 * Both clocks are cut to whole milliseconds, at different places: one more is never early.
	 * Nothing is added to a timer that is due, since it may be due on purpose: the next turn.
	 */
	uint64_t wait = left <= 0 ? 0 : (uint64_t) (left < WAIT_MAX_MS ? left : WAIT_MAX_MS) + 1;
	uv_update_time(&timer->loop->uv);
	uv_timer_start(&timer->uv, on_due, wait, 0);
}

static void on_due(uv_timer_t *handle) {
	struct loop_timer *timer = container_of(handle, struct loop_timer, uv);
	if (!mono_is_due(timer->due, clock_mono(&timer->loop->clock))) {
		timer_start(timer);
		return;
	}
	list_remove(&timer->link);
	timer->fn(timer->user);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*fn)(void *user), void *user) {
	assert(fn != NULL);
	struct loop_timer *timer = calloc(1, sizeof(*timer));
	if (timer == NULL) {
		return NULL;
	}
	timer->loop = loop;
	timer->fn = fn;
	timer->user = user;
	list_init(&timer->link);
	uv_timer_init(&loop->uv, &timer->uv);
	return timer;
}

void loop_timer_closed(uv_handle_t *handle) {
	struct loop_timer *timer = container_of(handle, struct loop_timer, uv);
	list_remove(&timer->link);
	free(timer);
}

struct loop_timer *loop_timer_free(struct loop_timer *timer) {
	if (timer != NULL) {
		list_remove(&timer->link);
		uv_close((uv_handle_t *) &timer->uv, loop_timer_closed);
	}
	return NULL;
}

void loop_timer_arm(struct loop_timer *timer, uint64_t ms) {
	mono_t now = clock_mono(&timer->loop->clock);
	int64_t left = ms < INT64_MAX ? (int64_t) ms : INT64_MAX;
	loop_timer_arm_at(timer, left < INT64_MAX - now.ms ? mono_after(now, left) : MONO_NEVER);
}

void loop_timer_arm_at(struct loop_timer *timer, mono_t at) {
	loop_timer_disarm(timer);
	if (at.ms == MONO_NEVER.ms) {
		return;
	}
	timer->due = at;
	list_append(&timer->loop->timers, &timer->link);
	timer_start(timer);
}

void loop_timer_disarm(struct loop_timer *timer) {
	list_remove(&timer->link);
	uv_timer_stop(&timer->uv);
}

bool loop_timer_is_armed(const struct loop_timer *timer) {
	return !list_is_empty(&timer->link);
}

void loop_timers_rearm(struct loop *loop) {
	struct loop_timer *timer;
	list_for_each(timer, &loop->timers, link) {
		timer_start(timer);
	}
}
