/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A virtual Nuki on a bench: the face, the chance and the clock are the test's. What the lock says
 * on link 0..3 is kept until it is looked at.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nuki.h"

#define SAID_MAX 4096

struct said {
	int link;
	unsigned chr;
	size_t n;
	uint8_t value[520];
};

struct drawn {
	uint8_t bytes[32];
	size_t n;
};

struct bench {
	struct sim_env env;
	struct sim_lock *lock;
	struct nuki *nuki;
	mono_t now;
	wall_t wall;
	struct said *said;
	size_t n_said, n_read;
	/* Chance that is given out before any other, by kind. */
	struct drawn queue[3][32];
	size_t n_queued[3], n_drawn[3];
	uint32_t counter;
	int n_dropped, n_advert_changes;
};

/* @extra: further KEY, VALUE pairs, NULL-terminated; may be NULL. */
void bench_init(struct bench *bench, const char *model, const char *const *extra);
void bench_finish(struct bench *bench);
void bench_queue(struct bench *bench, enum sim_random what, const uint8_t *bytes, size_t n);
/* Connects with @mtu and listens to everything. @return the link. */
int bench_connect(struct bench *bench, unsigned mtu);
void bench_write(struct bench *bench, int link, unsigned chr, const uint8_t *value, size_t n);
/* The next thing said; NULL: nothing more. */
const struct said *bench_next(struct bench *bench);
/* Lets time pass, with all that is due in it. */
void bench_pass(struct bench *bench, int64_t ms);
/* An authorisation of type @type with a known key, and its id. */
struct nuki_auth *bench_auth(struct bench *bench, uint8_t type, uint32_t id);

/* Sealed @command as that authorisation. */
void bench_send(struct bench *bench, int link, const struct nuki_auth *auth, uint16_t command,
	const void *payload, size_t n);
/* The next message said to that authorisation, put together and opened. false: nothing more. */
bool bench_receive(struct bench *bench, const struct nuki_auth *auth, struct nuki_message *ret);
/* Fetches a challenge and sends @args | challenge [| pin]. */
void bench_command(struct bench *bench, int link, const struct nuki_auth *auth, uint16_t command,
	const void *args, size_t n_args, const uint32_t *pin);
/* Receives and expects this command with this first octet of payload. */
void bench_expect(struct bench *bench, const struct nuki_auth *auth, uint16_t command, int first);
void bench_expect_silence(struct bench *bench);
