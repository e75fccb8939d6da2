/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Events on their way to the broker: not retained, in order, each kept until it is acknowledged.
 * At most OUTBOX_MAX wait; when there are more the oldest are dropped and a marker that tells how
 * many goes out in their place. In memory only: the durable log is the ledger's, and each event
 * carries its number there. As not every event stands in the log, each also gets a number that
 * counts from 1 (boot_seq) and an id of this outbox, random (boot_id): whoever listens sees what is
 * missing, and when the count has begun anew.
 */

#include <stdbool.h>
#include <stdint.h>

struct client;
struct outbox;

#define OUTBOX_MAX 1000
#define OUTBOX_WINDOW 16

/* @gap_topic: where the marker goes. Borrowed texts are copied. NULL: no memory. */
struct outbox *outbox_new(struct client *client, const char *gap_topic);
struct outbox *outbox_free(struct outbox *outbox);

/* What an event is worth to somebody who was away, with MQTT 5; the log knows it for longer. */
#define OUTBOX_EXPIRES_S 3600

/* @payload: a JSON object. NULL counts as lost (no memory at the caller's). */
void outbox_put(struct outbox *outbox, const char *topic, const char *payload, int64_t seq);
/*
 * Somebody asked: without a number of its own, so that whoever listens to events only sees no hole
 * among theirs. It says of which start it is.
 */
void outbox_put_answer(struct outbox *outbox, const char *topic, const char *payload);
void outbox_begin(struct outbox *outbox);
void outbox_end(struct outbox *outbox);
/* PUBACK. @return whether it was for one of ours. */
bool outbox_published(struct outbox *outbox, int mid);
/* Where the one went that is in flight under @mid, borrowed; NULL: none of ours. */
const char *outbox_flying_topic(const struct outbox *outbox, int mid);
unsigned outbox_count(const struct outbox *outbox);
uint64_t outbox_lost(const struct outbox *outbox);
