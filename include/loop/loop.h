/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one event loop. libuv stays behind this door (R13); everything here belongs to the loop
 * thread but loop_wakeup_send(). Handles' memory dies in their close callbacks, so the *_free()
 * functions below may be called from anywhere on the loop thread, also from the object's own
 * callback.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/auto.h"
#include "util/when.h"

struct loop;
struct loop_timer;
struct loop_fd;
struct loop_wakeup;
struct loop_work;
struct loop_signal;

struct loop *loop_new(void); /* NULL: no memory or no fd */
/*
 * Closes and frees the handles that are left and waits for work that runs. Objects of other doors
 * that live on the loop (struct bus, ...) must be gone before. Takes NULL, returns NULL.
 */
struct loop *loop_free(struct loop *loop);
AUTO_DEFINE(struct loop *, loop_free);

/* Runs until loop_stop(). @return the status given there. */
int loop_run(struct loop *loop);
/* One turn: waits at most @timeout_ms for something to happen (tests). */
void loop_turn(struct loop *loop, unsigned timeout_ms);
void loop_stop(struct loop *loop, int status);

/* CLOCK_BOOTTIME, CLOCK_REALTIME, and whether the kernel says it is synchronised. Lives as long. */
const struct clock *loop_clock(struct loop *loop);
/* How often the loop went round: shows tests and benchmarks that it sleeps. */
uint64_t loop_turns(const struct loop *loop);

/*
 * Called before each time the loop goes to sleep. The place to look at what is due next and to arm
 * one timer for it. One per loop; NULL removes it.
 */
void loop_set_before_sleep(struct loop *loop, void (*fn)(void *user), void *user);

/*
 * One-shot timer. Arming again replaces the former time. Fires at or after @at, never before, and
 * never from inside the call that arms it. In each turn timers are called after file descriptors,
 * so that what arrived before a deadline is heard before it.
 */
struct loop_timer *loop_timer_new(struct loop *loop, void (*fn)(void *user), void *user);
struct loop_timer *loop_timer_free(struct loop_timer *timer);
void loop_timer_arm(struct loop_timer *timer, uint64_t ms);
void loop_timer_arm_at(struct loop_timer *timer, mono_t at);
void loop_timer_disarm(struct loop_timer *timer);
bool loop_timer_is_armed(const struct loop_timer *timer);

/*
 * Watches a file descriptor that stays the caller's. @events: LOOP_READ | LOOP_WRITE, 0 to pause.
 * The callback gets what is ready, LOOP_HANGUP included, or a negative errno.
 */
enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };
struct loop_fd *loop_fd_new(
	struct loop *loop, int fd, void (*fn)(void *user, int events), void *user);
struct loop_fd *loop_fd_free(struct loop_fd *watch);
int loop_fd_watch(struct loop_fd *watch, int events);

/* Wakes the loop from any thread; many sends may give one call. */
struct loop_wakeup *loop_wakeup_new(struct loop *loop, void (*fn)(void *user), void *user);
struct loop_wakeup *loop_wakeup_free(struct loop_wakeup *wakeup);
void loop_wakeup_send(struct loop_wakeup *wakeup); /* any thread */

/*
 * Runs @work on a pool thread, then @done on the loop thread. For what may block (DNS, connect).
 * Cancelling means that @done is not called; @work may still be running: what it touches must live
 * until @release, which is called last in every case, on the loop thread (may be NULL).
 */
struct loop_work *loop_work_run(struct loop *loop, void (*work)(void *user),
	void (*done)(void *user), void (*release)(void *user), void *user);
void loop_work_cancel(struct loop_work *work);

/* UNIX signals as loop events. */
struct loop_signal *loop_signal_new(
	struct loop *loop, int signum, void (*fn)(void *user, int signum), void *user);
struct loop_signal *loop_signal_free(struct loop_signal *signal);

AUTO_DEFINE(struct loop_timer *, loop_timer_free);
AUTO_DEFINE(struct loop_fd *, loop_fd_free);
AUTO_DEFINE(struct loop_wakeup *, loop_wakeup_free);
