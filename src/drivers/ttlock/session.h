/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One link to a lock of TTLock: the machine of struct session_impl. Requests go out in chunks of 20
 * octets, one after the other; a command that moves the bolt goes out once, and what became of it
 * is what the lock says then, or its log.
 */

#include "core/driver.h"
#include "keys.h"

#define TTLOCK_SERVICE "00001910-0000-1000-8000-00805f9b34fb"
#define TTLOCK_TO_LOCK "0000fff2-0000-1000-8000-00805f9b34fb"
#define TTLOCK_FROM_LOCK "0000fff4-0000-1000-8000-00805f9b34fb"
#define TTLOCK_DEVICE_SERVICE "0000180a-0000-1000-8000-00805f9b34fb"
#define TTLOCK_MODEL "00002a24-0000-1000-8000-00805f9b34fb"

#define TTLOCK_CHUNK_MS 20
#define TTLOCK_ANSWER_MS 8000
#define TTLOCK_AGAIN_MS 200
#define TTLOCK_AGAIN_MAX 2
#define TTLOCK_STRAYS_MAX 4
#define TTLOCK_LOOK_MS 1000
#define TTLOCK_LOOKS_MAX 12
/* Inferred: nobody says when a lock of this maker is weak (ttlock.md 10). */
#define TTLOCK_WARNING_PERCENT 20
#define TTLOCK_CRITICAL_PERCENT 10

struct session *ttlock_session_new(
	const struct secret *keys, const struct session_host *host, void *host_data);
