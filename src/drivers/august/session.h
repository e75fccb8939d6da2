/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The session of a lock of August or Yale: a pure machine as core/driver.h describes it.
 *
 *	          open ------------------------------------------+
 *	          |                                              v
 *	IDLE -> OFFER -> PROOF -> ANSWER of each question of the plan -> done
 *	                            ^   |
 *	                          GATE  +-> RUN <-> LOOK -> done    (commands that move the bolt)
 *	                            ^   |
 *	                            +- BUSY, once
 *
 * In front of each write stands GAP: 250 ms of silence after the last frame, since some locks crash
 * when they are written to faster, until somebody takes their batteries out. One question at a
 * time; what the lock says by itself meanwhile is told, and is no answer.
 *
 * Outcome (L2): from the moment a moving command is handed to the radio it may have been carried
 * out. "Taken" is no proof of movement; the result and the state after it are, and as they come
 * without proof of who sent them, a refusal is told, and the command not sent again. But a lock
 * that is busy says that it has not begun: BUSY lets it come to its end, and what was asked is
 * asked once more, through the gate again.
 */

#include "core/driver.h"

/* @keys: NULL or empty before pairing. NULL: no memory, or keys that do not decode. */
struct session *august_session_new(
	const struct secret *keys, const struct session_host *host, void *host_data);
/* What can be set at such a lock; static. settings.c */
const struct lock_setting *august_settings(bool has_door, size_t *ret_n);

#define AUGUST_MCU_TO_LOCK "bd4ac611-0b45-11e3-8ffd-0800200c9a66"
#define AUGUST_MCU_FROM_LOCK "bd4ac612-0b45-11e3-8ffd-0800200c9a66"
#define AUGUST_SEC_TO_LOCK "bd4ac613-0b45-11e3-8ffd-0800200c9a66"
#define AUGUST_SEC_FROM_LOCK "bd4ac614-0b45-11e3-8ffd-0800200c9a66"
#define AUGUST_MODEL_NUMBER "00002a24-0000-1000-8000-00805f9b34fb"
#define AUGUST_SERIAL_NUMBER "00002a25-0000-1000-8000-00805f9b34fb"
#define AUGUST_FIRMWARE "00002a26-0000-1000-8000-00805f9b34fb"

#define AUGUST_GAP_MS 250
#define AUGUST_ANSWER_MS 10000
#define AUGUST_BUSY_MS 2000
#define AUGUST_FIRST_LOOK_MS 6100 /* sooner, a lock may tell the state before */
#define AUGUST_LOOK_MS 5000
#define AUGUST_GRACE_MS 2000 /* for the state to follow the result, or the other way about */
#define AUGUST_LOOKS_MAX 7   /* about 40 s for the bolt to arrive */
/*
 * A first message that ends in an ATT error is how a lock refuses a key, and how BlueZ tells a link
 * that died: so many in a row and it is the key. In pairing nobody has seen the key work.
 */
#define AUGUST_REFUSALS_MAX 5
#define AUGUST_REFUSALS_PAIRING 3
/*
 * Places of codes. The hub uses none before the first; of the others it reads on until so many in a
 * row were empty.
 */
#define AUGUST_CODE_FIRST 1
#define AUGUST_CODE_LAST 255
#define AUGUST_CODES_EMPTY 30
