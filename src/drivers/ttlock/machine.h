/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Inside of the session. A job is a row of steps: a command, its parameters, and what to make of
 * the answer. session.c sends them and brings the answers; the files beside it say which steps a
 * job has.
 */

#include "core/evidence.h"
#include "core/session.h"
#include "log.h"
#include "message.h"
#include "session.h"

#define TTLOCK_STEPS_MAX 32
/* Pages of a list or a log within one job. */
#define TTLOCK_PAGES_MAX 600
#define TTLOCK_OWN_MAX 8

struct ttlock_session;

enum {
	STEP_FACTORY = 1 << 0,  /* under the key of all locks that nobody has set up */
	STEP_OPTIONAL = 1 << 1, /* a refusal changes nothing */
	STEP_MOVES = 1 << 2,    /* sent once; then the bolt is watched */
	STEP_CHANGES = 1 << 3,  /* may have been done when no answer comes: not sent again */
	STEP_SECRET = 1 << 4,   /* what it says and what is answered is blanked in a record */
};

struct ttlock_step {
	uint8_t command;
	uint8_t flags;
	/* Parameters; octets written. NULL: none. */
	size_t (*fill)(struct ttlock_session *session, uint8_t *out);
	/* The answer's data. It may add steps, ask for the same again, or fail. NULL: done is
	 * enough. */
	void (*take)(struct ttlock_session *session, const uint8_t *data, size_t n);
};

enum ttlock_phase {
	PHASE_IDLE,
	PHASE_GATE,   /* for the record of the intent */
	PHASE_ANSWER, /* while sending, too */
	PHASE_AGAIN,  /* before the same is sent once more */
	PHASE_WATCH,  /* the motor runs; no request is under way */
	PHASE_LOOK,   /* a look at the bolt is under way */
	/* Somebody is to present a card or finger: more answers to the same request follow. */
	PHASE_PRESENT,
};

struct ttlock_session {
	struct session base;
	struct ttlock_keys keys;
	int percent; /* of the battery, as told last; -1: never */
	/* Numbers given to operations: by them they are known again in the log. */
	uint32_t own[TTLOCK_OWN_MAX];
	size_t n_own;

	bool is_up;
	bool is_admin_in; /* shown himself on this link */
	uint32_t challenge;
	struct ttlock_inbox inbox;
	uint8_t frame[TTLOCK_FRAME_MAX];
	size_t n_frame, n_gone; /* of the frame, how much was handed to the radio */
	bool is_writing;        /* written() is still to come */
	unsigned n_strays;

	enum ttlock_phase phase;
	struct job job;
	const struct ttlock_step *steps[TTLOCK_STEPS_MAX];
	size_t n_steps, i_step;
	bool is_again;      /* the step's answer wants the same command once more */
	bool is_presenting; /* it is followed by another one, when somebody has come */
	unsigned n_again;
	unsigned n_pages;
	uint16_t cursor;
	enum job_sent sent;
	unsigned n_looks;
	struct ttlock_state state; /* as told last in this job */
	bool is_found;             /* what the job looks for in a list or log */
	bool is_log_more;
	unsigned n_entries;
	/* The last that the log has said of the door, until all of it has been read. */
	bool has_door;
	enum door_state door;
	int sensor_percent;        /* -1 not told */
	struct ttlock_code code;   /* of the list, the one that is meant */
	struct ttlock_token token; /* the same */
	struct ttlock_passage passage;
	uint8_t passage_days; /* bit 0 Monday */
	bool is_passage_mixed;
	int64_t ref;
	struct version_facts versions; /* as far as they were read */
};

/* ---- session.c ---- */

void ttlock_add_step(struct ttlock_session *session, const struct ttlock_step *step);
/* The steps by which the administrator shows himself, if he has not. */
void ttlock_add_login(struct ttlock_session *session);
void ttlock_tell_percent(struct ttlock_session *session, uint8_t percent);
void ttlock_tell_bolt(struct ttlock_session *session, enum lock_state state, bool is_jammed);
/* The keys have changed: keep them. */
void ttlock_keep_keys(struct ttlock_session *session);
/* One more page, within bounds; false: the job has failed. */
bool ttlock_next_page(struct ttlock_session *session, uint16_t cursor);
/* More is to come when somebody has presented what the lock learns: so often by now, of so many. */
void ttlock_wait_presented(struct ttlock_session *session, unsigned n, unsigned n_all);
/* The answer makes no sense. */
void ttlock_bad_answer(struct ttlock_session *session, size_t n);

/* ---- the steps of a job: 0, or a fault at once ---- */

/* acts.c */
int ttlock_plan_pair(struct ttlock_session *session, struct fault *ret_fault);
int ttlock_plan_move(struct ttlock_session *session, struct fault *ret_fault);
int ttlock_plan_look(struct ttlock_session *session, struct fault *ret_fault);
int ttlock_plan_battery(struct ttlock_session *session, struct fault *ret_fault);
int ttlock_plan_config(struct ttlock_session *session, struct fault *ret_fault);
int ttlock_plan_time(struct ttlock_session *session, struct fault *ret_fault);
int ttlock_plan_log(struct ttlock_session *session, struct fault *ret_fault);
int ttlock_plan_reset(struct ttlock_session *session, struct fault *ret_fault);
/* Whether the log has a record of the operation that was just asked for. */
void ttlock_add_check(struct ttlock_session *session);
extern const struct ttlock_step ttlock_step_state;

/* codes.c */
int ttlock_plan_users(struct ttlock_session *session, struct fault *ret_fault);
int ttlock_plan_put(struct ttlock_session *session, struct fault *ret_fault);
int ttlock_plan_remove(struct ttlock_session *session, struct fault *ret_fault);
const struct credential_limits *ttlock_limits(const struct ttlock_keys *keys);

/* settings.c */
int ttlock_plan_settings(struct ttlock_session *session, struct fault *ret_fault);
int ttlock_plan_setting(struct ttlock_session *session, struct fault *ret_fault);
const struct lock_setting *ttlock_settings(size_t *ret_n);
