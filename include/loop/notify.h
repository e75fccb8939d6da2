/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The service manager: READY, STATUS, STOPPING, WATCHDOG. Without NOTIFY_SOCKET all of it does
 * nothing. Loop thread only.
 */

#include "loop/loop.h"

void notify_ready(void);
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
void notify_stopping(void);

/*
 * Answers the watchdog at a third of its interval, but only if @is_alive says so: ask there whether
 * the bus and the store have answered lately. That the loop turns is shown by being called at all.
 * NULL when there is no watchdog to answer (WATCHDOG_USEC not set) or no memory.
 */
struct notify_watchdog;
struct notify_watchdog *notify_watchdog_new(
	struct loop *loop, bool (*is_alive)(void *user), void *user);
struct notify_watchdog *notify_watchdog_free(struct notify_watchdog *watchdog);
