/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether the wall clock is synchronised, where the kernel may not be asked: systemd's
 * ProtectClock=yes refuses adjtimex(2) even for reading, and other time daemons than timesyncd
 * leave no mark. Then systemd-timedated is asked by D-Bus (org.freedesktop.timedate1,
 * NTPSynchronized): asynchronously, less and less often, and never again once it has said yes. Loop
 * thread only.
 */

#include "loop/loop.h"

struct timesync;

/*
 * @address: of the bus; NULL: the system bus. Where the kernel does answer it does nothing at all.
 * Once the answer is yes, the loop's clock counts as trusted. NULL: no memory.
 */
struct timesync *timesync_new(struct loop *loop, const char *address);
struct timesync *timesync_free(struct timesync *timesync);
AUTO_DEFINE(struct timesync *, timesync_free);
