/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A virtual lock behind a wall: driver and simulator are two readings of the same protocol, with
 * the same names for different things, so the simulator's comes as a library that shows only these
 * functions. Time passes only in far_pass(). Everything is single-threaded.
 */

#include <stddef.h>
#include <stdint.h>

struct far_lock;

/* What the lock says, a piece at a time; called from within the functions below. */
typedef void far_said_fn(void *user, const char *characteristic, const uint8_t *value, size_t n);

/* @pairs: KEY, VALUE ... of lockhub-sim --lock, NULL-terminated. NULL: not a lock. */
struct far_lock *far_new(const char *const *pairs, far_said_fn *said, void *user);
struct far_lock *far_free(struct far_lock *far); /* takes NULL */
/* UTC as the world has it, seconds since 1970; it then goes on with far_pass(). */
void far_set_wall(struct far_lock *far, int64_t s);
/* A link that listens to everything; the old one is lost. */
void far_connect(struct far_lock *far, unsigned mtu);
void far_disconnect(struct far_lock *far);
/* 0 or a negative errno (no such characteristic, no link). */
int far_write(struct far_lock *far, const char *characteristic, const uint8_t *value, size_t n);
void far_pass(struct far_lock *far, int64_t ms);
/* A person at the door or elsewhere; 0 or a negative errno. */
int far_pairing(struct far_lock *far);
int far_enter(struct far_lock *far, uint32_t code);
int far_finger(struct far_lock *far, uint32_t code_id);
int far_key(struct far_lock *far);
int far_reset(struct far_lock *far);
/* @words as of lockhub-sim ctl app; *ret_id: of what was made, else 0. */
int far_app(struct far_lock *far, const char *const *words, uint32_t *ret_id);
/* Commands that reached it, and times its motor ran. */
unsigned far_messages(const struct far_lock *far);
unsigned far_motor_runs(const struct far_lock *far);
