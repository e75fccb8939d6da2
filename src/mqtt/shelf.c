/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shelf.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"
#include "util/auto.h"
#include "util/list.h"

#include "client.h"

struct leaf {
	struct list link; /* in exactly one of the shelf's lists */
	struct shelf *shelf;
	enum stage stage;
	char *topic;
	char *payload; /* NULL: none yet */
	int mid;       /* while it is in flight */
	bool is_changed_in_flight;
	bool is_coalescing;
	bool is_going; /* freed once its empty payload is acknowledged */
	mono_t sent;   /* of a coalescing leaf; ms 0: never */
	mono_t due;    /* while it is held */
};

struct shelf {
	struct loop *loop;
	struct client *client;
	const struct shelf_user *impl;
	void *user;
	bool is_open;                    /* there is a connection to publish on */
	enum stage gate;                 /* stages above it wait; STAGE_COUNT_: none does */
	struct list clean;               /* the broker has them, or they have no payload yet */
	struct list dirty[STAGE_COUNT_]; /* to be published, in this order */
	struct list held;                /* coalescing leaves with a change */
	struct list flying;              /* published, not acknowledged */
	unsigned n_flying[STAGE_COUNT_];
	unsigned n_flying_all;
	struct loop_timer *timer; /* the first of the held ones */
};

static void shelf_pump(struct shelf *shelf);

static struct leaf *leaf_free(struct leaf *leaf) {
	if (leaf != NULL) {
		list_remove(&leaf->link);
		free(leaf->topic);
		free(leaf->payload);
		free(leaf);
	}
	return NULL;
}
AUTO_DEFINE(struct leaf *, leaf_free);

static void leaf_move(struct leaf *leaf, struct list *to) {
	list_remove(&leaf->link);
	list_append(to, &leaf->link);
}

static void shelf_arm(struct shelf *shelf) {
	mono_t first = MONO_NEVER;
	struct leaf *leaf;

	list_for_each(leaf, &shelf->held, link) {
		first = mono_min(first, leaf->due);
	}
	if (first.ms == MONO_NEVER.ms) {
		loop_timer_disarm(shelf->timer);
	} else {
		loop_timer_arm_at(shelf->timer, first);
	}
}

static void on_held_due(void *user) {
	struct shelf *shelf = user;
	mono_t now = clock_mono(loop_clock(shelf->loop));
	struct leaf *leaf;
	struct leaf *next;

	list_for_each_safe(leaf, next, &shelf->held, link) {
		if (mono_is_due(leaf->due, now)) {
			leaf_move(leaf, &shelf->dirty[leaf->stage]);
		}
	}
	shelf_arm(shelf);
	shelf_pump(shelf);
}

struct shelf *shelf_new(
	struct loop *loop, struct client *client, const struct shelf_user *impl, void *user) {
	struct shelf *shelf = calloc(1, sizeof(*shelf));

	if (shelf == NULL) {
		return NULL;
	}
	shelf->loop = loop;
	shelf->client = client;
	shelf->impl = impl;
	shelf->user = user;
	list_init(&shelf->clean);
	list_init(&shelf->held);
	list_init(&shelf->flying);
	for (size_t i = 0; i < STAGE_COUNT_; i++) {
		list_init(&shelf->dirty[i]);
	}
	shelf->timer = loop_timer_new(loop, on_held_due, shelf);
	if (shelf->timer == NULL) {
		free(shelf);
		return NULL;
	}
	return shelf;
}

static void free_all(struct list *list) {
	struct leaf *leaf;
	struct leaf *next;

	list_for_each_safe(leaf, next, list, link) {
		(void) leaf_free(leaf);
	}
}

struct shelf *shelf_free(struct shelf *shelf) {
	if (shelf != NULL) {
		free_all(&shelf->clean);
		free_all(&shelf->held);
		free_all(&shelf->flying);
		for (size_t i = 0; i < STAGE_COUNT_; i++) {
			free_all(&shelf->dirty[i]);
		}
		shelf->timer = loop_timer_free(shelf->timer);
		free(shelf);
	}
	return NULL;
}

/* Somebody wants the topic again before it was emptied. */
static void drop_going(struct shelf *shelf, const char *topic) {
	struct leaf *leaf;
	struct leaf *next;

	list_for_each_safe(leaf, next, &shelf->held, link) {
		if (leaf->is_going && strcmp(leaf->topic, topic) == 0) {
			(void) leaf_free(leaf);
		}
	}
}

struct leaf *shelf_add(
	struct shelf *shelf, enum stage stage, const char *topic, bool is_coalescing) {
	AUTO(leaf_free) struct leaf *leaf = calloc(1, sizeof(*leaf));

	if (leaf == NULL) {
		return NULL;
	}
	list_init(&leaf->link);
	drop_going(shelf, topic);
	leaf->shelf = shelf;
	leaf->stage = stage;
	leaf->is_coalescing = is_coalescing;
	leaf->topic = strdup(topic);
	if (leaf->topic == NULL) {
		return NULL;
	}
	list_append(&shelf->clean, &leaf->link);
	return STEAL(leaf);
}

const char *leaf_topic(const struct leaf *leaf) {
	return leaf->topic;
}

const char *leaf_payload(const struct leaf *leaf) {
	return leaf->payload != NULL ? leaf->payload : "";
}

static bool was_sent_just_now(const struct leaf *leaf) {
	mono_t now = clock_mono(loop_clock(leaf->shelf->loop));

	return leaf->sent.ms != 0 && mono_since(leaf->sent, now) < SHELF_SETTLE_MS;
}

/* The leaf's payload is not what the broker has. */
static void leaf_touch(struct leaf *leaf, bool may_hold) {
	struct shelf *shelf = leaf->shelf;

	if (leaf->mid != 0) {
		leaf->is_changed_in_flight = true;
		return;
	}
	/* While a connection is being set up, and without one, nothing was told yet: no waiting. */
	if (may_hold && leaf->is_coalescing && shelf->is_open &&
		(shelf->gate == STAGE_COUNT_ || was_sent_just_now(leaf))) {
		mono_t now = clock_mono(loop_clock(shelf->loop));
		if (leaf->due.ms == 0) {
			mono_t apart = mono_after(leaf->sent, SHELF_SETTLE_MS);
			leaf->due = mono_after(now, SHELF_SETTLE_MS);
			leaf->due = leaf->due.ms < apart.ms ? apart : leaf->due;
			leaf_move(leaf, &shelf->held);
			shelf_arm(shelf);
		}
		return;
	}
	leaf->due.ms = 0;
	leaf_move(leaf, &shelf->dirty[leaf->stage]);
	shelf_pump(shelf);
}

int leaf_set(struct leaf *leaf, const char *payload) {
	if (payload == NULL) {
		return -ENOMEM;
	}
	assert(!leaf->is_going);
	if (leaf->payload != NULL && strcmp(leaf->payload, payload) == 0) {
		return 0;
	}
	char *copy = strdup(payload);
	if (copy == NULL) {
		return -ENOMEM;
	}
	free(leaf->payload);
	leaf->payload = copy;
	leaf_touch(leaf, true);
	return 0;
}

void leaf_repeat(struct leaf *leaf) {
	if (leaf->payload != NULL) {
		leaf_touch(leaf, false);
	}
}

void leaf_remove(struct leaf *leaf) {
	if (leaf == NULL) {
		return;
	}
	if (leaf->payload == NULL) {
		(void) leaf_free(leaf);
		return;
	}
	leaf->is_going = true;
	leaf->payload[0] = '\0';
	leaf_touch(leaf, false);
}

void leaf_remove_later(struct leaf *leaf, unsigned ms) {
	if (leaf == NULL || leaf->payload == NULL || leaf->mid != 0 || ms == 0) {
		leaf_remove(leaf);
		return;
	}
	leaf->is_going = true;
	leaf->payload[0] = '\0';
	leaf->due = mono_after(clock_mono(loop_clock(leaf->shelf->loop)), ms);
	leaf_move(leaf, &leaf->shelf->held);
	shelf_arm(leaf->shelf);
}

int shelf_clear(struct shelf *shelf, enum stage stage, const char *topic, unsigned ms) {
	struct leaf *leaf = shelf_add(shelf, stage, topic, false);

	if (leaf == NULL) {
		return -ENOMEM;
	}
	/* As if it had held something: only that is taken from the broker. */
	leaf->payload = strdup("-");
	leaf_remove_later(leaf, ms);
	return 0;
}

void shelf_hurry(struct shelf *shelf) {
	struct leaf *leaf;

	list_for_each(leaf, &shelf->held, link) {
		leaf->due = clock_mono(loop_clock(shelf->loop));
	}
	on_held_due(shelf);
}

/* @return false when it could not be handed over; it stays dirty then. */
static bool leaf_send(struct leaf *leaf) {
	struct shelf *shelf = leaf->shelf;
	int r = client_publish(
		shelf->client, leaf->topic, leaf->payload, strlen(leaf->payload), true, &leaf->mid);

	if (r == -EMSGSIZE || r == -EOPNOTSUPP) {
		/* This broker will never take it: the others must not wait behind it. */
		leaf->mid = 0;
		leaf_move(leaf, &shelf->clean);
		shelf->impl->refused(shelf->user, leaf, r);
		return true;
	}
	if (r < 0) {
		leaf->mid = 0;
		return false;
	}
	leaf->is_changed_in_flight = false;
	leaf->due.ms = 0;
	leaf->sent = clock_mono(loop_clock(shelf->loop));
	leaf_move(leaf, &shelf->flying);
	shelf->n_flying[leaf->stage]++;
	shelf->n_flying_all++;
	return true;
}

static bool stage_is_done(const struct shelf *shelf, enum stage stage) {
	return list_is_empty(&shelf->dirty[stage]) && shelf->n_flying[stage] == 0;
}

static void shelf_pump(struct shelf *shelf) {
	if (!shelf->is_open) {
		return;
	}
	for (enum stage stage = 0; stage < STAGE_COUNT_ && stage <= shelf->gate; stage++) {
		struct leaf *leaf;
		while (shelf->n_flying_all < SHELF_WINDOW &&
			(leaf = list_first(&shelf->dirty[stage], struct leaf, link)) != NULL) {
			if (!leaf_send(leaf)) {
				return;
			}
		}
	}
	if (shelf->gate == STAGE_COUNT_ || !stage_is_done(shelf, shelf->gate)) {
		return;
	}
	shelf->gate++;
	if (shelf->gate == STAGE_COUNT_) {
		shelf->impl->settled(shelf->user);
	} else {
		shelf_pump(shelf);
	}
}

static void touch_all(struct shelf *shelf, struct list *list) {
	struct leaf *leaf;
	struct leaf *next;

	list_for_each_safe(leaf, next, list, link) {
		/* What goes after a pause goes then. */
		if (leaf->payload != NULL && !(leaf->is_going && list == &shelf->held)) {
			leaf->mid = 0;
			leaf->due.ms = 0;
			leaf_move(leaf, &shelf->dirty[leaf->stage]);
		}
	}
}

void shelf_begin(struct shelf *shelf) {
	shelf_end(shelf);
	touch_all(shelf, &shelf->held);
	touch_all(shelf, &shelf->clean);
	shelf_arm(shelf);
	shelf->gate = STAGE_HUB_CONFIG;
	shelf->is_open = true;
	shelf_pump(shelf);
}

void shelf_end(struct shelf *shelf) {
	shelf->is_open = false;
	shelf->gate = STAGE_HUB_CONFIG;
	/* Not acknowledged: the broker may or may not have them. */
	touch_all(shelf, &shelf->flying);
	memset(shelf->n_flying, 0, sizeof(shelf->n_flying));
	shelf->n_flying_all = 0;
}

bool shelf_published(struct shelf *shelf, int mid) {
	struct leaf *leaf;

	list_for_each(leaf, &shelf->flying, link) {
		if (leaf->mid == mid) {
			break;
		}
	}
	if (&leaf->link == &shelf->flying) {
		return false;
	}
	leaf->mid = 0;
	shelf->n_flying[leaf->stage]--;
	shelf->n_flying_all--;
	leaf_move(leaf, &shelf->clean);
	if (leaf->is_changed_in_flight) {
		leaf->is_changed_in_flight = false;
		leaf_touch(leaf, !leaf->is_going);
	} else if (leaf->is_going) {
		(void) leaf_free(leaf);
	} else {
		shelf->impl->leaf_settled(shelf->user, leaf);
	}
	shelf_pump(shelf);
	return true;
}

struct leaf *shelf_find_flying(const struct shelf *shelf, int mid) {
	struct leaf *leaf;

	list_for_each(leaf, &shelf->flying, link) {
		if (leaf->mid == mid) {
			return leaf;
		}
	}
	return NULL;
}

void shelf_repeat_topic(struct shelf *shelf, const char *topic) {
	struct leaf *leaf;

	list_for_each(leaf, &shelf->clean, link) {
		if (leaf->payload != NULL && strcmp(leaf->topic, topic) == 0) {
			leaf_touch(leaf, false);
			return;
		}
	}
}

void shelf_repeat_stage(struct shelf *shelf, enum stage stage) {
	struct leaf *leaf;
	struct leaf *next;

	list_for_each_safe(leaf, next, &shelf->clean, link) {
		if (leaf->stage == stage && leaf->payload != NULL) {
			leaf_move(leaf, &shelf->dirty[stage]);
		}
	}
	shelf_pump(shelf);
}

bool shelf_is_idle(const struct shelf *shelf) {
	for (enum stage stage = 0; stage < STAGE_COUNT_; stage++) {
		if (!stage_is_done(shelf, stage)) {
			return false;
		}
	}
	return true;
}
