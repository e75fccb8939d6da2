/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A host that writes down what a session does, and the least lock that can answer it. The lock side
 * uses the same codec as the session, which the vectors have proven by themselves; what it sends in
 * which order follows docs/protocols/nuki.md.
 */

#include "../../test.h"

#include "nuki/advert.h"
#include "nuki/frame.h"
#include "nuki/keys.h"
#include "nuki/machine.h"
#include "nuki/message.h"
#include "nuki/session.h"

#define BENCH_LOG_MAX 2100
#define BENCH_REPLIES_MAX 160
#define BENCH_ENTRIES_MAX 150

struct bench_frame {
	const char *characteristic;
	uint8_t bytes[NUKI_FRAME_MAX];
	size_t n;
};

struct bench {
	struct session *session;

	/* what the session did */
	struct bench_frame written; /* last write */
	unsigned n_writes;
	bool is_writing; /* written() is due */
	unsigned timer_ms;
	struct evidence evidence; /* last */
	unsigned n_evidence;
	struct log_entry log[BENCH_LOG_MAX];
	size_t n_log;
	struct slot slots[SLOTS_PER_LOCK_MAX];
	size_t n_slots;
	struct lock_timer timers[BENCH_ENTRIES_MAX];
	size_t n_timers;
	struct secret keys;
	unsigned n_keys;
	unsigned n_gates;
	bool is_gate_shut;
	struct job_result result;
	unsigned n_done;
	char traces[64 * 1024];
	size_t n_traces;
	bool is_maybe_sent; /* a command that changes something was handed over */

	/* the lock */
	enum nuki_generation generation;
	uint8_t key[32];
	uint32_t auth_id;
	uint32_t pin;
	uint32_t nuki_id;
	uint8_t challenge[32];
	uint8_t n_challenge;
	uint8_t lock_state;
	uint8_t goal; /* where the motor gets to; 0xff: where it was sent */
	uint8_t remote;
	bool is_mute_about_states; /* COMPLETE without a single States */
	bool is_full_log_head;     /* send Log Entry Count whether asked or not */
	uint32_t log_first, log_newest;
	bool is_log_inclusive; /* firmware that repeats the entry asked from */
	bool is_log_endless;   /* no COMPLETE */
	uint8_t error;         /* to give instead of doing */
	uint16_t error_command;
	unsigned n_errors;
	bool is_error_late; /* after ACCEPTED */
	size_t piece;       /* octets per indication; 0: whole */
	/* its lists */
	bool has_no_keypad;
	struct nuki_code codes[BENCH_ENTRIES_MAX];
	size_t n_codes;
	struct nuki_auth auths[BENCH_ENTRIES_MAX];
	size_t n_auths;
	uint16_t next_code_id;
	struct nuki_time_control times[BENCH_ENTRIES_MAX];
	size_t n_times;
	uint8_t next_time_id;
	int announce_more;      /* than there are */
	bool is_list_headless;  /* no count at all */
	bool is_list_endless;   /* no COMPLETE */
	bool is_list_repeating; /* each entry twice */
	size_t list_most;       /* entries in one answer; 0: as many as were asked for */
	unsigned n_changes;     /* commands that were carried out */

	struct bench_frame replies[BENCH_REPLIES_MAX];
	size_t n_replies, i_reply;
};

/* A paired lock of this generation, link up. */
void bench_init(struct bench *bench, enum nuki_generation generation);
/* Nothing paired yet. */
void bench_init_unpaired(struct bench *bench);
void bench_finish(struct bench *bench);
struct secret bench_keys(const struct bench *bench, bool has_pin);
struct secret bench_pin(const char *digits);
extern const struct session_host bench_host;

/* Codes 3.. (PINs 345671..) named "Code 3", authorisation 7 (ours), then 8.. "Phone 8". */
void bench_fill(struct bench *bench, size_t n_codes, size_t n_auths);
/* What bench_start() puts or removes: a new code 345678 of "Anna"; code 3. */
struct slot bench_slot(enum act act);
/* The same: locks on Mondays at 22:30, with an id of its own; the one with id 0. */
struct lock_timer bench_timer(enum act act);

int bench_start(struct bench *bench, enum act act);
int bench_start_job(struct bench *bench, const struct job *job);
/* Forgets what the jobs before have done. */
void bench_clear(struct bench *bench);
/* Makes the lock read the last write and queue its answer. */
void bench_lock_reads(struct bench *bench);
/*
 * One thing that happens: written(), then each answer in turn. false: nothing is left to happen
 * without the timer.
 */
bool bench_step(struct bench *bench);
/* Until the job is done or nothing happens any more. */
void bench_run(struct bench *bench);
/* The same, letting the timer go off when nothing else happens, at most @n times. */
void bench_run_with_timer(struct bench *bench, unsigned n);

/* From the lock to the session, now. */
void bench_send(struct bench *bench, const struct nuki_message *message);
void bench_send_status(struct bench *bench, uint8_t status);
void bench_send_error(struct bench *bench, uint8_t error, uint16_t command);
void bench_send_states(struct bench *bench, uint8_t lock_state);
void bench_send_plain(struct bench *bench, const char *characteristic, uint16_t command,
	const uint8_t *payload, size_t n);
/* The command in the last write; its payload in *ret. */
uint16_t bench_command(const struct bench *bench, struct nuki_message *ret);
void bench_states(const struct bench *bench, uint8_t lock_state, struct nuki_message *ret);

/* Octets for the next calls for randomness; then it is a counter. */
void bench_random_push(const uint8_t *octets, size_t n);
void bench_random_clear(void);
nuki_random_fn bench_random;
