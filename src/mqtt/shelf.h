/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the broker should hold for us: all retained topics, each with its present payload. A payload
 * that differs from what the broker has acknowledged is published, FIFO within a stage; after a
 * connection everything is, stage by stage, each waiting for the one before it to be acknowledged.
 * Of several changes while the broker is away only the last one
 * counts.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/when.h"

struct client;
struct leaf;
struct loop;
struct shelf;

enum stage {
	STAGE_HUB_CONFIG,
	STAGE_CONFIG,
	STAGE_STATE, /* availability included */
	STAGE_ONLINE,
	STAGE_COUNT_,
};

struct shelf_user {
	/* All stages have been acknowledged, the first time after shelf_begin(). */
	void (*settled)(void *user);
	/* The present payload of a leaf has been acknowledged. */
	void (*leaf_settled)(void *user, struct leaf *leaf);
	/*
	 * The broker has said beforehand that it takes none such: -EMSGSIZE too long, -EOPNOTSUPP
	 * none retained. Called while the shelf is at work: nothing of this header may be called.
	 */
	void (*refused)(void *user, const struct leaf *leaf, int error);
};

/* At most so many publications wait for the broker at a time; the rest waits here. */
#define SHELF_WINDOW 64
/* A leaf that coalesces is published so long after its first change, and so long apart. */
#define SHELF_SETTLE_MS 5000

struct shelf *shelf_new(
	struct loop *loop, struct client *client, const struct shelf_user *impl, void *user);
/* Frees all leaves. */
struct shelf *shelf_free(struct shelf *shelf);

/* A retained topic, without payload as yet (not published then). NULL: no memory. */
struct leaf *shelf_add(
	struct shelf *shelf, enum stage stage, const char *topic, bool is_coalescing);
const char *leaf_topic(const struct leaf *leaf);
/* "" when it has none. */
const char *leaf_payload(const struct leaf *leaf);
/*
 * @payload NULL: no memory at the caller's, the leaf stays as it is. Otherwise text that is
 * published now if it can be and is new. -ENOMEM.
 */
int leaf_set(struct leaf *leaf, const char *payload);
/* Publishes the payload again although the broker should have it. */
void leaf_repeat(struct leaf *leaf);
/*
 * Publishes the empty payload, which removes the topic from the broker, and frees the leaf when
 * that is acknowledged. Takes NULL; a leaf that never had a payload is freed at once.
 */
void leaf_remove(struct leaf *leaf);

/*
 * The same after a pause: Home Assistant reads the states of an entity until it has taken it away,
 * and an empty state is a mistake to it. A leaf that is added there meanwhile takes its place.
 */
void leaf_remove_later(struct leaf *leaf, unsigned ms);
/*
 * Publishes the empty payload, after @ms, on a topic that is on no leaf: what lies there from a
 * former life. -ENOMEM.
 */
int shelf_clear(struct shelf *shelf, enum stage stage, const char *topic, unsigned ms);
/* What waits for a pause does not any more: the end is near. */
void shelf_hurry(struct shelf *shelf);

/* The connection is up and subscribed: everything is published. */
void shelf_begin(struct shelf *shelf);
/* It is down: nothing is published. */
void shelf_end(struct shelf *shelf);
/* PUBACK. @return whether it was for one of ours. */
bool shelf_published(struct shelf *shelf, int mid);
/* What is in flight under @mid; NULL: none of ours. */
struct leaf *shelf_find_flying(const struct shelf *shelf, int mid);
/* Publishes one again, if there is such. */
void shelf_repeat_topic(struct shelf *shelf, const char *topic);
/* Publishes the leaves of a stage again. */
void shelf_repeat_stage(struct shelf *shelf, enum stage stage);
/* Nothing is to be published or waits for an acknowledgement; held leaves do not count. */
bool shelf_is_idle(const struct shelf *shelf);
