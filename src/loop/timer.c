/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdlib.h>

#include "loop-private.h"

#define WAIT_MAX_MS (INT64_C(30) * 24 * 3600 * 1000) /* longer waits are cut into pieces */

/*
 * libuv says when a timer is due, but before it looks at the descriptors, so that after a stall a
 * deadline would be judged before the answer that came in time was read. And it calls timers in a
 * row until none is due, so that one which arms itself for now would never let go. Therefore a due
 * timer is only noted there and called after the descriptors; what is armed for now meanwhile waits
 * for the next turn.
 */
struct loop_timer {
	uv_timer_t uv;
	struct loop *loop;
	void (*fn)(void *user);
	void *user;
	mono_t at;        /* only when armed */
	struct list link; /* in the loop's timers, due or firing when armed */
};

static void on_due(uv_timer_t *handle);

/* Makes it wait for what is left. */
static void timer_start(struct loop_timer *timer) {
	struct loop *loop = timer->loop;
	int64_t left = mono_since(clock_mono(&loop->clock), timer->at);
	list_remove(&timer->link);
	if (left <= 0) {
		uv_timer_stop(&timer->uv);
		list_append(&loop->due, &timer->link);
		loop_be_awake(loop, true);
		return;
	}
	/* Both clocks are cut to whole milliseconds, at different places: one more is never early.
	 */
	uint64_t wait = (uint64_t) (left < WAIT_MAX_MS ? left : WAIT_MAX_MS) + 1;
	list_append(&loop->timers, &timer->link);
	uv_update_time(&loop->uv);
	uv_timer_start(&timer->uv, on_due, wait, 0);
}

static void on_due(uv_timer_t *handle) {
	timer_start(container_of(handle, struct loop_timer, uv));
}

void loop_timers_fire(struct loop *loop) {
	struct loop_timer *timer;
	struct loop_timer *following;
	list_for_each_safe(timer, following, &loop->due, link) {
		list_remove(&timer->link);
		list_append(&loop->firing, &timer->link);
	}
	/* Each call may disarm or free any of the others. */
	while ((timer = list_first(&loop->firing, struct loop_timer, link)) != NULL) {
		list_remove(&timer->link);
		timer->fn(timer->user);
	}
	if (list_is_empty(&loop->due)) {
		loop_be_awake(loop, false);
	}
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
	timer->at = at;
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
	struct list *last = loop->timers.prev;
	struct loop_timer *timer;
	struct loop_timer *following;
	/* Those that still wait are put behind the last one again. */
	list_for_each_safe(timer, following, &loop->timers, link) {
		bool is_last = &timer->link == last;
		timer_start(timer);
		if (is_last) {
			break;
		}
	}
}
