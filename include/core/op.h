/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Operations (docs/architecture.md, flow 2; R12). A request that passed the policy gate becomes an
 * operation; it finishes exactly once, from the loop. Owned by the hub, which keeps the last
 * OP_KEPT finished ones for whoever asks; a struct op * from hub_request() is valid until its
 * finished signal has been emitted and OP_KEPT more have finished: keep the id, not the pointer.
 */

#include "core/driver.h"
#include "core/event.h"
#include "util/signal.h"

#define OP_KEPT 64
#define OPS_PER_LOCK_MAX 16
/* A motor command that has not been sent by then is dropped, never run late (L2). */
#define OP_MOTOR_EXPIRY_MS 10000

enum op_state {
	OP_RECORDING,    /* its intent is being committed */
	OP_QUEUED,       /* waits for its turn or for the link */
	OP_RUNNING,      /* the session works on it */
	OP_READING_BACK, /* outcome in doubt: the state is being read */
	OP_CLOSING,      /* its outcome is being committed */
	OP_FINISHED,
};

enum op_outcome {
	OP_PENDING,
	OP_DONE,
	OP_FAILED,  /* fault says why; the lock did not do it */
	OP_UNKNOWN, /* fault OUTCOME_UNKNOWN; the state read back is in the lock's status */
};

struct op {
	char id[OP_ID_MAX];
	char lock_id[LOCK_ID_MAX];
	char lock_slug[LOCK_SLUG_MAX];
	enum act act;
	enum op_state state;
	enum op_outcome outcome;
	struct fault fault;
	char actor[EVENT_USER_MAX];
	/* Who gave the second factor, as a row of the book; "" nobody did. */
	char user[EVENT_USER_MAX];
	char user_id[ROW_ID_MAX];
	wall_t requested_at;
	mono_t received; /* when the request came in: expiry counts from here */
	mono_t finished;
	int64_t ref; /* ACT_PUT_TIMER: the lock's id of it, once it has told; else 0 */
	/* ACT_PUT_CREDENTIAL: the lock waits for a card or finger, and how often it has had it. */
	bool is_presenting;
	unsigned n_presented, n_to_present; /* n_to_present 0: not known */
	char credential_id[ROW_ID_MAX];     /* the row of the book that came of it */
	unsigned tries;                     /* times it was given to a session */
	/* Timing for benchmarks and `show`: 0 until it happened. */
	mono_t first_write;
};

const char *op_state_name(enum op_state state);
const char *op_outcome_name(enum op_outcome outcome);
