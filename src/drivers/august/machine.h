/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The inside of a session: session.c makes it and carries frames, jobs.c says what is asked and
 * what the answers mean.
 */

#include "core/session.h"
#include "frame.h"
#include "keys.h"
#include "message.h"
#include "session.h"
#include "util/when.h"

enum august_phase {
	PHASE_IDLE,
	PHASE_GAP,    /* silence before the next write: session.todo */
	PHASE_OFFER,  /* SEC 01 is out */
	PHASE_PROOF,  /* SEC 03 is out */
	PHASE_GATE,   /* the intent is not on the disk yet */
	PHASE_ANSWER, /* to session.asked */
	PHASE_RUN,    /* the bolt moves */
	PHASE_LOOK,   /* where the bolt is was asked while it moves */
	PHASE_BUSY,   /* it said that it is: the same again, later */
};

/* What is written when the gap is over. */
enum august_todo { TODO_OFFER, TODO_PROOF, TODO_ASK, TODO_LOOK };

enum august_ask {
	ASK_NONE,
	ASK_BATTERY,
	ASK_DOOR,
	ASK_BOLT,
	ASK_CLOCK,
	ASK_SET_CLOCK,
	ASK_MOVE,
	ASK_RELOCK,
	ASK_WRITE_RELOCK,
	ASK_RECORD,
	ASK_CODE,      /* in session.slot */
	ASK_FREE_CODE, /* the same, looking for an empty place */
	ASK_CLEAR_CODE,
	ASK_SET_CODE,
	ASK_ACCESS,
	ASK_COMMIT_CODE,
	ASK_VERIFY_CODE, /* ... and whether it is what was put there */
};

/* Questions that some locks do not answer: not asked again for a while. */
struct august_silence {
	unsigned n; /* in a row */
	wall_t since;
};

#define PLAN_MAX 6

struct august_session {
	struct session base;
	struct august_keys keys;
	bool is_paired; /* the keys are kept: what changes in them is told */
	/* As the device information service told them; "" not. */
	char serial[VERSION_TEXT_MAX], firmware[VERSION_TEXT_MAX];
	unsigned n_refusals; /* of first messages, since one was not refused */
	struct august_silence battery_silence, door_silence, relock_silence;
	int percent; /* as told last; -1: never */

	/* of the link */
	bool is_up;
	bool is_open;   /* the handshake is done: the chain holds */
	bool is_broken; /* nobody knows where the chain is */
	bool has_heard; /* a frame came since the last write */
	bool is_writing;
	unsigned n_bad; /* frames in a row that made no sense */
	uint8_t random[2 * AUGUST_NONCE_LEN];
	struct august_chain chain;
	uint8_t session_key[AUGUST_KEY_LEN];

	/* of the job */
	enum august_phase phase;
	enum august_todo todo;
	struct job job; /* with secrets: wiped at its end */
	bool has_job;
	enum august_ask plan[PLAN_MAX];
	size_t n_plan;
	size_t i_plan;
	enum august_ask asked;
	uint8_t asked_op, asked_sub;
	enum job_sent sent;
	unsigned n_gaps;
	bool was_busy;
	unsigned n_answers;
	/* of one that moves the bolt */
	bool is_gated;
	bool has_result;
	uint8_t result;
	bool has_rest; /* it has come to rest since, at: */
	uint8_t rest;
	unsigned n_looks;
	/* of the others */
	bool has_relock;
	struct august_relock relock;
	unsigned slot;
	unsigned n_empty; /* places in a row */
	unsigned n_records;
	bool is_log_more;
	int64_t ref;
};

/* session.c */
void august_done(struct august_session *session);
void august_wait_in(struct august_session *session, enum august_phase phase, unsigned ms);
/* Writes what is to be done, after the gap. */
void august_send_later(struct august_session *session, enum august_todo todo);
void august_tell_keys(struct august_session *session);
/* What is known of model, firmware and serial number. */
void august_tell_versions(struct august_session *session);

/* jobs.c */
/* Makes the plan. 0; a negative errno with a fault: nothing to be done. */
int august_plan(struct august_session *session, struct fault *ret_fault);
/* The next question, or the end of the job. */
void august_next(struct august_session *session);
/* The frame of a question; notes which answer belongs to it. */
void august_make_ask(
	struct august_session *session, enum august_ask ask, uint8_t out[static AUGUST_FRAME_LEN]);
/* A good frame: news, or the answer. */
void august_take(struct august_session *session, const struct august_said *said,
	const uint8_t frame[static AUGUST_FRAME_LEN]);
/* Nothing came in time. */
void august_silent(struct august_session *session);
void august_run_timer(struct august_session *session);
