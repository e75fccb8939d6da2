/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A paired lock as everybody may see it. Owned by the hub; valid until the hub's lock_removed
 * signal has been emitted for it. Read-only for everybody outside core.
 */

#include "core/capability.h"
#include "core/driver.h"
#include "core/evidence.h"
#include "core/op.h"

struct lock;

/* What is beyond in a lock's list of timers is not kept. */
#define LOCK_TIMERS_MAX 256

const char *lock_id(const struct lock *lock);   /* 8 hex digits, fixed at pairing */
const char *lock_slug(const struct lock *lock); /* "front-door"; changes with the name */
const char *lock_name(const struct lock *lock);
const char *lock_address(const struct lock *lock);
const struct driver *lock_driver(const struct lock *lock);
const struct lock_status *lock_status(const struct lock *lock);
wall_t lock_paired_at(const struct lock *lock);
int64_t lock_log_cursor(const struct lock *lock);
/* Bits 1 << act. */
unsigned lock_acts(const struct lock *lock);
bool lock_has_pin(const struct lock *lock);
/* The note (core/history.h) that tells by its time since when the hub has the PIN in use. */
#define LOCK_NOTE_PIN "pin"
/* The note that says by whom and when a lock with a weak protocol was taken all the same. */
#define LOCK_NOTE_WEAK "weak"
/* How good the PIN is that the hub has; the PIN itself stays where it is. */
enum lock_pin {
	LOCK_PIN_UNKNOWN, /* there is none here, or the driver does not tell */
	LOCK_PIN_DEFAULT, /* the maker's, or none was ever set */
	LOCK_PIN_WEAK,
	LOCK_PIN_GOOD,
};
/* *ret_why (may be NULL): why it is weak, static; else "". */
enum lock_pin lock_pin_judge(const struct lock *lock, const char **ret_why);
/* What it can hold of codes and keys; NULL: nothing that the hub could manage, or not now. */
const struct credential_limits *lock_credentials(const struct lock *lock);
/* Of a lock without: why, and what to do instead; the end of a sentence, never NULL. */
const char *lock_why_no_codes(const struct lock *lock);
/* What protects its link; NULL: not known. Static. */
const struct protocol *lock_protocol(const struct lock *lock);
/* What it can do, in words (core/capability.h); @return how many rows. */
size_t lock_capabilities(const struct lock *lock, struct capability out[static CAPABILITIES_MAX]);
/* Changes show by themselves in advertisements; if not, the state is polled. */
bool lock_is_announcing(const struct lock *lock);

/* Reachable: heard or linked within the hub's limit, or not yet given up on after a start. */
bool lock_is_reachable(const struct lock *lock);
bool lock_is_linked(const struct lock *lock);
/* The worst standing fault; FAULT_NONE. */
const struct fault *lock_fault(const struct lock *lock);
/* All of them, @i from 0 in no order; NULL beyond the last. */
const struct fault *lock_fault_at(const struct lock *lock, size_t i);
/* Radio numbers of this lock. */
void lock_radio_stats(const struct lock *lock, struct radio_stats *ret);
/* The last event shown for this lock; seq 0: none. */
const struct event *lock_last_event(const struct lock *lock);
/* Operations in its queue, the running one included. */
unsigned lock_queue_length(const struct lock *lock);
/*
 * What the lock does by itself at a time of day, in its own order, as it was when the list was read
 * last and completely; *ret_at (may be NULL) says when, 0 s: in an earlier life of the hub, or
 * never when it is empty. Borrowed until the loop runs on.
 */
const struct lock_timer *lock_timers(const struct lock *lock, size_t *ret_n, wall_t *ret_at);
/*
 * What of it the lock had before it was paired again (struct pair_request, .replaces) and does not
 * list now; the ids are of then. One leaves when the lock lists one like it.
 */
const struct lock_timer *lock_timers_wanted(const struct lock *lock, size_t *ret_n);
/* What can be set at this lock; NULL: nothing. Static. */
const struct lock_setting *lock_setting_rows(const struct lock *lock, size_t *ret_n);
/*
 * The values as they were read last, in no order; *ret_at (may be NULL) says when, 0 s: in an
 * earlier life of the hub, or never when there are none. Borrowed until the loop runs on.
 */
const struct setting *lock_settings(const struct lock *lock, size_t *ret_n, wall_t *ret_at);
/* One of them by its key; NULL: not known. */
const char *lock_setting(const struct lock *lock, const char *key);
/*
 * What the lock had before it was paired again (struct pair_request, .replaces), as far as it does
 * not have it now. A setting leaves the list when it is read so, or is set to whatever else.
 */
const struct setting *lock_settings_wanted(const struct lock *lock, size_t *ret_n);
