/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The Nuki session: a pure machine as core/driver.h describes it. See machine.h for how it works.
 */

#include "core/driver.h"

/* @keys: NULL or empty before pairing. NULL: no memory, or keys that do not decode. */
struct session *nuki_session_new(
	const struct secret *keys, const struct session_host *host, void *host_data);

/*
 * For tests that replay transcripts: where nonces and key pairs come from. Default crypto_random().
 * Pairing takes 32 octets for the secret key and 32 for its nonce (in that order), each sealed
 * message 24 for its nonce.
 */
typedef void nuki_random_fn(void *out, size_t n);
void nuki_session_set_random(struct session *session, nuki_random_fn *random);

/* What a session may do by itself. */
#define NUKI_ANSWER_MS 5000
#define NUKI_ACTION_MS 30000 /* from ACCEPTED, and again from each States, to COMPLETE */
#define NUKI_LIST_MS 10000
#define NUKI_PAIRING_MS 10000
#define NUKI_FRAGMENT_MS 2000 /* between the parts of one message */
#define NUKI_LOOK_AGAIN_MS 2000
#define NUKI_LOG_PAGE 64
#define NUKI_TAIL_MS 2000   /* for COMPLETE, when all that was announced has come */
#define NUKI_TABLE_PAGE 100 /* entries asked for at once */
