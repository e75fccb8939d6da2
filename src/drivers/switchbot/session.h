/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The session of a SwitchBot lock: a pure machine as core/driver.h describes it.
 *
 *	          start value known ------------------+
 *	          |                                   v
 *	IDLE -> START -> ANSWER of each command of the plan -> done
 *	                  ^   |
 *	                GATE  +-> WATCH <-> LOOK -> done      (commands that move the bolt)
 *
 * One command at a time: nothing but the order ties an answer to its request. A command that moves
 * the bolt is answered when the lock has taken it; that the bolt has arrived shows in news, which
 * the lock sends when it was told to, and in its state, which is asked for every other second.
 *
 * Outcome (L2): from the moment a moving command is handed to the radio it may have been carried
 * out. The result in an answer is in clear and nobody vouches for it, so a refusal proves nothing.
 */

#include "core/driver.h"

/* @keys: NULL or empty before pairing. NULL: no memory, or keys that do not decode. */
struct session *switchbot_session_new(
	const struct secret *keys, const struct session_host *host, void *host_data);

#define SWITCHBOT_SERVICE "cba20d00-224d-11e6-9fb8-0002a5d5c51b"
#define SWITCHBOT_TO_LOCK "cba20002-224d-11e6-9fb8-0002a5d5c51b"
#define SWITCHBOT_FROM_LOCK "cba20003-224d-11e6-9fb8-0002a5d5c51b"

#define SWITCHBOT_ANSWER_MS 5000
#define SWITCHBOT_LOOK_MS 2000
#define SWITCHBOT_LOOKS_MAX 8 /* about 15 s for the bolt to arrive; inferred */
