/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Inside of the session, shared by session.c (link, frames, dispatch), steps.c (jobs of a paired
 * lock) and pairing.c.
 *
 * A job is a plan: one to three steps, each one request with what ends it. A step goes through
 *
 *	          +-- bad nonce, once --+
 *	          v                     |
 *	CHALLENGE -> (GATE) -> COMMAND -+-> ACTING -> (READ_BACK <-> LOOK_AGAIN) -> next, done
 *	          ^               |     |
 *	          |               |     +-> LISTING -> next page, or done
 *	          |               |     +-> TABLE -> next page or step
 *	          +-- BACK_OFF <- busy, three times
 *
 * Which message does what in which phase is the table in steps.c (R14). A message without a row is
 * traced and ignored: the lock may send States at any time, and an odd one is not worth a link. The
 * timer then decides.
 *
 * Outcome (L2): `sent` is NOT_SENT until the command that changes something is handed to the radio,
 * and again after an authentic refusal, or when the radio says that nothing went out. Errors that
 * come in clear (e201) are believed as a fault, never as proof that nothing happened.
 */

#include "core/session.h"
#include "crypto/crypto.h"
#include "frame.h"
#include "keys.h"
#include "message.h"
#include "session.h"

#define NUKI_LOG_BATCH 8
/* Restarts of a timer that a lock may cause by talking, per step (R6). */
#define NUKI_RESTARTS_MAX 16
#define NUKI_FRAGMENTS_MAX 256

enum nuki_phase {
	PHASE_IDLE,
	PHASE_CHALLENGE,
	PHASE_GATE,
	PHASE_COMMAND,
	PHASE_ACTING,
	PHASE_LISTING, /* the log: its end is where it stops */
	PHASE_TABLE,   /* a list whose length is announced */
	PHASE_BACK_OFF,
	PHASE_READ_BACK,
	PHASE_LOOK_AGAIN,
	PHASE_PAIR_KEY,
	PHASE_PAIR_CHALLENGE,
	PHASE_PAIR_INFO,
	PHASE_PAIR_ID,
	PHASE_PAIR_STATUS,
	PHASE_COUNT_,
};

enum nuki_event {
	EVENT_TIMEOUT,
	EVENT_GATE,
	EVENT_CHALLENGE,
	EVENT_ACCEPTED,
	EVENT_COMPLETE,
	EVENT_ERROR,
	EVENT_STATES,
	EVENT_ANSWER, /* the data the step asked for */
	EVENT_COUNT,  /* head of a list */
	EVENT_ENTRY,
	EVENT_TOTAL, /* head of a table */
	EVENT_ROW,
	EVENT_PUBLIC_KEY,
	EVENT_AUTH_INFO,
	EVENT_AUTH_ID,
	EVENT_OTHER,
};

struct nuki_session;

enum {
	STEP_CHALLENGE = 1 << 0,
	STEP_PIN = 1 << 1 | STEP_CHALLENGE,
	STEP_MOTOR = 1 << 2,   /* the gate is asked, the outcome is judged by States */
	STEP_CHANGES = 1 << 3, /* may have been sent, once written */
	STEP_LIST = 1 << 4,
	STEP_IF_NO_STATES = 1 << 5, /* left out when States came on this link already */
	STEP_IF_NO_CONFIG = 1 << 6, /* the same with Config */
	STEP_IF_KEYPAD = 1 << 7,    /* left out when Config says that there is none */
	STEP_TABLE = 1 << 8,        /* .answer: one row; .wanted: how many there are */
	STEP_PAGES = 1 << 9,        /* a table that is asked for by offset and count */
};

struct nuki_step {
	uint16_t command;
	uint16_t wanted; /* of Request Data; of a table its head */
	uint16_t answer; /* command that ends it; NUKI_STATUS: COMPLETE; of a table its rows */
	uint16_t flags;
	void (*fill)(const struct nuki_session *session, struct nuki_message *message);
};

struct nuki_plan {
	enum act act;
	uint8_t n_steps;
	struct nuki_step steps[3];
};

/* A table in the making: each id once, until as many have come as were announced. */
struct nuki_table {
	uint32_t ids[SLOTS_PER_LOCK_MAX];
	size_t n;
	size_t n_before; /* when the page was asked for */
	unsigned total;
	bool has_total;
};

struct nuki_pairing_state {
	enum nuki_generation generation; /* by the characteristic in use */
	bool has_fallen_back;            /* the other pairing characteristic has been tried */
	bool is_pin_unset;               /* 5G: the lock has none */
	uint8_t own_secret[NUKI_KEY_LEN];
	uint8_t own_public[NUKI_KEY_LEN];
	uint8_t lock_public[NUKI_KEY_LEN];
	uint8_t shared[NUKI_KEY_LEN];
	uint8_t client_nonce[NUKI_CHALLENGE_LEN];
	struct nuki_keys keys; /* in the making */
};

struct nuki_session {
	struct session base;
	nuki_random_fn *random;
	struct nuki_keys keys;
	bool is_paired;

	/* the link */
	bool is_up;
	bool has_states; /* States came since up */
	bool has_config; /* Config too */
	struct nuki_inbox usdio, gdio, pairing_gdio;
	/* one write at a time: the next message waits in out until written() */
	uint8_t out[NUKI_FRAME_MAX];
	size_t n_out; /* 0: nothing waits */
	const char *out_characteristic;
	bool is_out_changing;
	bool is_writing;
	bool is_write_changing;

	/* the timer: one for answers and for the parts of a message */
	unsigned wait_ms;       /* of the phase */
	bool is_fragment_timer; /* it runs for a continuation */
	unsigned n_restarts;
	unsigned n_fragments;

	/* the job */
	enum nuki_phase phase;
	struct job job;
	const struct nuki_plan *plan;
	const struct nuki_step *step;
	size_t i_step;
	enum job_sent sent;
	bool is_half_done; /* a step of it has changed something: no longer undone by a refusal */
	bool is_accepted;
	unsigned n_fresh, n_busy, n_looks;
	uint8_t challenge[NUKI_CHALLENGE_LEN];
	uint32_t pin;
	bool is_state_final; /* States with the bolt at rest came since the action went out */
	struct nuki_states last_states;
	struct config_facts config;
	/* reading the log */
	struct log_entry batch[NUKI_LOG_BATCH];
	size_t n_batch;
	uint32_t log_last;   /* index of the newest entry taken */
	uint32_t log_before; /* the same when the page was asked for */
	unsigned n_log;      /* entries taken */
	unsigned n_page;     /* entries of this page, wanted or not */
	unsigned page_asked;
	bool is_log_more;
	/* reading and changing what the lock holds */
	struct nuki_table table;
	size_t n_given; /* rows of all tables of this job */
	int64_t ref;    /* the lock's id of what was put */
	/* changing a setting: Config or Advanced Config as read in this job; .kind NULL: not yet */
	struct nuki_message original;
	struct nuki_pairing_state pairing;
};

typedef void nuki_action_fn(struct nuki_session *session, const struct nuki_message *message);

struct nuki_row {
	enum nuki_phase phase;
	enum nuki_event event;
	enum nuki_phase next;
	nuki_action_fn *action;
};

/* session.c */
void nuki_wait(struct nuki_session *session, enum nuki_phase phase, unsigned ms);
/* The lock talks: its time starts again, within limits. */
void nuki_wait_again(struct nuki_session *session);
void nuki_send_sealed(
	struct nuki_session *session, const struct nuki_message *message, bool is_changing);
/* Hands a frame to the radio, now or after the write under way. */
void nuki_post(struct nuki_session *session, const char *characteristic, const uint8_t *frame,
	size_t n, bool is_changing);
void nuki_keys_changed(struct nuki_session *session);
const char *nuki_phase_name(enum nuki_phase phase);

/* steps.c */
const struct nuki_plan *nuki_plan(enum act act);
int nuki_steps_start(struct nuki_session *session, struct fault *ret_fault);
const struct nuki_row *nuki_step_rows(size_t *ret_n);
/* Sends the request of the present step (again). */
void nuki_step_begin(struct nuki_session *session);
/* On to step @i of the plan, or to the end of the job. */
void nuki_step_go(struct nuki_session *session, size_t i);
/* The lock took our PIN. */
void nuki_pin_accepted(struct nuki_session *session);
/* Entries gathered so far go to the host. */
void nuki_log_flush(struct nuki_session *session);

/* tables.c: lists whose length is announced. */
void nuki_table_open(struct nuki_session *session);
void nuki_table_page(struct nuki_session *session);
void nuki_fill_range(const struct nuki_session *session, struct nuki_message *message);
nuki_action_fn nuki_on_total, nuki_on_row, nuki_on_table_end, nuki_on_table_silence;

/* credentials.c: what ACT_PUT_CREDENTIAL and ACT_REMOVE_CREDENTIAL come to. */
int nuki_credential_plan(
	const struct nuki_session *session, const struct nuki_plan **ret, struct fault *ret_fault);

/* timers.c: the same for ACT_PUT_TIMER and ACT_REMOVE_TIMER, and what a timer is on the wire. */
int nuki_timer_plan(
	const struct nuki_session *session, const struct nuki_plan **ret, struct fault *ret_fault);
int64_t nuki_timer_ref(uint8_t entry_id);
void nuki_timer_from(const struct nuki_time_control *entry, struct lock_timer *ret);

/* settings.c: what Config or Advanced Config says, to the host. */
void nuki_settings_tell(struct nuki_session *session, const struct nuki_message *message);
/* The same for ACT_PUT_SETTING. */
int nuki_setting_plan(
	const struct nuki_session *session, const struct nuki_plan **ret, struct fault *ret_fault);
/*
 * It has been read before it is to be written: 1 and kept; 0, it has the value already;
 * NOT_SUPPORTED, this firmware does not have it.
 */
int nuki_setting_keep(
	struct nuki_session *session, const struct nuki_message *message, struct fault *ret_fault);

/* pairing.c */
int nuki_pairing_start(struct nuki_session *session, struct fault *ret_fault);
const struct nuki_row *nuki_pairing_rows(size_t *ret_n);
/* The radio has no such characteristic: true when the other generation's is tried now. */
bool nuki_pairing_fall_back(struct nuki_session *session, int error);
const char *nuki_pairing_characteristic(const struct nuki_session *session);
