/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <uv.h>

#include "loop/loop.h"
#include "util/list.h"

/*
 * What the files of this room share. Every object embeds its libuv handle as first member, and its
 * memory dies in the handle's close callback (R13): X_closed() below, which loop_free() uses as
 * well for what the rest of the program left behind.
 */
struct loop {
	uv_loop_t uv;
	uv_prepare_t before_sleep_handle;
	uv_check_t after_poll_handle;
	uv_idle_t idle_handle;
	uv_async_t keep_alive; /* referenced: uv_run() waits although nothing is watched yet */
	uv_timer_t turn_timer; /* bounds one loop_turn() */
	uv_poll_t jump_poll;   /* the kernel tells of clock steps and of resume through jump_fd */
	int jump_fd;           /* -1: not available */
	struct clock clock;
	bool is_clock_vouched; /* timesync.c was told that it is synchronised */
	void (*before_sleep)(void *user);
	void *before_sleep_user;
	uint64_t n_turns;
	bool is_stopped;
	int status;
	struct list timers; /* armed struct loop_timer that wait */
	struct list due;    /* those to be called after the next look at the descriptors */
	struct list firing; /* those being called now */
	struct list works;  /* struct loop_work under way */
};

void loop_clock_init(struct clock *clock);
/* false: a sandbox forbids to ask the kernel whether the clock is synchronised. */
bool loop_clock_kernel_answers(void);

/* Keeps the loop from sleeping, or lets it. */
void loop_be_awake(struct loop *loop, bool is_awake);

void loop_timers_fire(struct loop *loop);

/* After the clocks made a jump: CLOCK_BOOTTIME goes on in sleep, the clock libuv waits by does not.
 */
void loop_timers_rearm(struct loop *loop);

/* So that no done() comes any more; releases do. */
void loop_works_cancel(struct loop *loop);

void loop_timer_closed(uv_handle_t *handle);
void loop_fd_closed(uv_handle_t *handle);
void loop_wakeup_closed(uv_handle_t *handle);
void loop_signal_closed(uv_handle_t *handle);
