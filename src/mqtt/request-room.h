/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the requests share; see request.h for the flow. */

#include <jansson.h>

#include "core/hub.h"
#include "util/list.h"

#include "request-intake.h"
#include "request.h"
#include "room.h"

/* At once, and one more each: questions are cheap, and what is done is not. */
#define REQUEST_READS_BURST 20
#define REQUEST_READ_REFILL_MS 500
#define REQUEST_ACTS_BURST 20
#define REQUEST_ACT_REFILL_MS 10000
/* The same transaction is answered from memory for so long... */
#define REQUEST_KEPT_MS 600000
/* ...which is more than REQUEST_ACTS_BURST + REQUEST_KEPT_MS / REQUEST_ACT_REFILL_MS, so that
 * nothing is forgotten early. */
#define REQUEST_KEPT_MAX 96
#define REQUEST_CALLS_MAX 16

struct request_call;

/*
 * An act answers now or later by request_answer() or request_fail(), and returns 0; or returns a
 * fault, and the caller answers. It runs on the loop thread and must not block.
 */
struct request_row {
	const char *name;
	enum mqtt_requests least;       /* the class that allows it */
	enum mqtt_requests with_option; /* the class that allows it with "options"; 0: as .least */
	unsigned takes, needs;          /* bits 1 << enum request_key */
	unsigned rest_s;                /* the same of the same lock again only after so long */
	int (*act)(struct request_call *call, struct fault *ret_fault);
};

/* One request that is being worked on. */
struct request_call {
	struct list link;
	struct requests *requests; /* NULL: gone, and nobody waits for the outcome */
	const struct request_row *row;
	struct request_intake intake;
	char lock_id[LOCK_ID_MAX]; /* of the lock that intake.lock names; "" none */
	struct past *past;         /* NULL: it changes nothing and is not remembered */
	bool is_held;              /* somebody will call back with it; else it waits for .ops */
	char ops[REQUEST_OPTIONS_MAX][OP_ID_MAX];
	size_t n_ops, n_finished;
	struct fault fault; /* the first one of its operations */
	json_t *data;       /* what the answer will hold */
};

/* What was asked for lately, and what came of it. */
struct past {
	const struct request_row *row; /* NULL: free */
	char transaction[REQUEST_TRANSACTION_MAX];
	char lock_id[LOCK_ID_MAX];
	uint64_t mark; /* of the payload: another one is another request */
	mono_t at;
	bool is_refused; /* nothing was done */
	char *answer;    /* NULL: it is being worked on */
};

/* The window in which locks that ask for it are paired. */
#define PAIRING_TRIES_MAX 16
struct pairing {
	struct leaf *leaf;
	struct loop_timer *tick;
	mono_t until; /* 0: closed */
	char op_id[OP_ID_MAX];
	char name[LOCK_NAME_MAX]; /* of the lock that is being paired, or was last */
	struct {
		char address[RADIO_ADDRESS_MAX];
		unsigned n;
	} tries[PAIRING_TRIES_MAX];
	size_t n_tries;
	unsigned n_paired;
	struct fault fault; /* of the last attempt */
	struct listener on_discovered;
	struct listener on_scan_ended;
};

struct requests {
	struct mqtt *mqtt;
	struct list calls; /* struct request_call */
	unsigned n_calls;
	struct bucket reads, acts;
	struct past past[REQUEST_KEPT_MAX];
	uint64_t n_asked;         /* makes ids for the hub's gate */
	struct loop_timer *quiet; /* the end of a time of logging more */
	int priority;             /* what was logged before; with .quiet armed */
	struct pairing pairing;
};

/* @take_data may be NULL. The call is gone after it. */
void request_answer(struct request_call *take_call, json_t *take_data);
void request_fail(struct request_call *take_call, const struct fault *fault, json_t *take_data);
/* The lock that is meant; NULL once it is gone. */
struct lock *request_lock(const struct request_call *call);
/* Asks the hub; the call is answered with its .data when all operations so begun have finished. */
int request_operation(struct request_call *call, struct request *request, struct fault *ret_fault);
/* Puts @take_value, which may be NULL: a failure shows in the dump at the end. */
void request_put(json_t *object, const char *key, json_t *take_value);
/* ISO 8601, or null. */
json_t *request_time(wall_t when);
/* {"name", "text", "hint"}; null for FAULT_NONE. */
json_t *request_fault(const struct fault *fault, const char *slug);
/* Text from outside as clean UTF-8. */
json_t *request_text(const char *text);

/* request-tell.c */
int request_health(struct request_call *call, struct fault *ret_fault);
int request_devices(struct request_call *call, struct fault *ret_fault);
int request_options(struct request_call *call, struct fault *ret_fault);
/* request-act.c */
int request_check(struct request_call *call, struct fault *ret_fault);
int request_backup(struct request_call *call, struct fault *ret_fault);
int request_logging(struct request_call *call, struct fault *ret_fault);
int request_restart(struct request_call *call, struct fault *ret_fault);
int request_rename(struct request_call *call, struct fault *ret_fault);
int request_remove(struct request_call *call, struct fault *ret_fault);
/* Changes what intake.options says; request_options() hands over. */
int request_set_options(struct request_call *call, struct fault *ret_fault);
/* Whether a setting may be changed by a request: none that lets anybody in is among them. */
bool request_may_set(const char *key);
/* The level of the journal is what it was. */
void request_logging_end(struct requests *requests);
/* request-pairing.c */
int request_pairing(struct request_call *call, struct fault *ret_fault);
bool pairing_begin(struct requests *requests); /* false: no memory */
void pairing_finish(struct requests *requests);
void pairing_op_finished(struct requests *requests, const struct op *op);
