/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The real api over a real dbus-daemon, in front of the real core with a fake lock, radio and
 * ledger (tests/mock/fake-hub.h). One thread: whoever waits turns the loop, and the fake locks
 * answer meanwhile, unless told not to.
 */

#include "test.h"

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "api/api.h"
#include "loop/bus.h"
#include "mock/fake-hub.h"
#include "private-bus.h"

#define FRONT_PATH "/org/lockhub1/lock/front_door"
#define BACK_PATH "/org/lockhub1/lock/back_door"
#define FRONT_ID "01000001"
#define BACK_ID "02000002"
#define FRONT_ADDRESS "AA:BB:CC:DD:EE:01"
#define RIG_SIGNALS_MAX 256

struct rig {
	struct private_bus *daemon;
	struct loop *loop;
	struct fake *fake;
	struct ledger_impl ledger;
	struct api *api;
	char bolt;    /* where the fake bolt is: 'L' 'U' 'O' 'J' */
	bool is_deaf; /* the locks do not answer */
	char refusal; /* not 0: every job is refused with this fault code */
	/* a question to the log that waits for the next turn */
	void (*query_done)(void *user, const struct event *events, size_t n, const struct fault *);
	void (*verify_done)(void *user, const struct log_verify *result, const struct fault *);
	void *ledger_user;
	struct log_query query; /* the last one */
	struct fault query_fault;
	bool is_query_held;

	/* While rig_run() waits: called each turn, and what ends the program once it has printed
	 * it. */
	void (*during)(struct rig *rig, unsigned turn);
	const char *stop_at;

	/* a client */
	struct bus *client;
	sd_bus_slot *match;
	sd_bus_message *reply;
	bool is_client_up;
	struct {
		char path[128], interface[64], member[64];
		char first[64];  /* its first argument when that is a string */
		char second[64]; /* its second one */
	} signals[RIG_SIGNALS_MAX];
	size_t n_signals;
};

/* A cmocka setup and teardown: front-door (PIN known) and back-door, locked, api up. */
int rig_setup(void **state);
int rig_teardown(void **state);
void rig_start_api(struct rig *rig);
void rig_start_client(struct rig *rig);
/* One turn of everything. */
void rig_turn(struct rig *rig);
/* Turns until *flag or fails the test. */
void rig_until(struct rig *rig, const bool *flag);
/* Turns until the service has its name. */
void rig_until_named(struct rig *rig);

/* A call as the rig's client; the reply (or error) is rig->reply, replaced by the next one. */
void rig_call(struct rig *rig, const char *path, const char *interface, const char *member,
	const char *types, ...);
void rig_send(struct rig *rig, sd_bus_message *take_call);
/* The error's name or NULL. */
const char *rig_error(const struct rig *rig);
/* A property as text. */
const char *rig_text(struct rig *rig, const char *path, const char *interface, const char *name);
int rig_flag(struct rig *rig, const char *path, const char *interface, const char *name);
/* How many signals of that kind have come since rig_forget(); any of the words may be NULL. */
unsigned rig_signals(struct rig *rig, const char *path, const char *member, const char *first,
	const char *second);
void rig_forget(struct rig *rig);
/* Turns until there is such a signal. */
void rig_until_signal(struct rig *rig, const char *path, const char *member, const char *first,
	const char *second);

/* Runs a program while the rig goes on turning. @return its exit status; out and err are filled. */
struct rig_output {
	char out[65536], err[16384];
	int status;
};
void rig_run(
	struct rig *rig, const char *input, uid_t uid, char *const argv[], struct rig_output *ret);
