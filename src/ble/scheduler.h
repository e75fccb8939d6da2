/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who may connect next, and over which adapter. Pure: the central describes the
 * adapters and the waiting links, this room's arithmetic answers.
 *
 * A controller makes one connection at a time and holds few. So: one connecting per adapter, most
 * urgent first, one slot kept for people where there are three or more, and a person may push out a
 * link that only lingers. Where people come and go all the time, their lingering links would take
 * all slots for good; so who has waited for long is served like a person.
 */

#include <stdbool.h>
#include <stddef.h>

#include "path.h"
#include "util/radio.h"
#include "util/when.h"

#define SCHED_AGEING_MS (10 * 60 * 1000) /* nothing waits longer than this behind others */
#define SCHED_PUSH_MS (5 * 60 * 1000)    /* who has waited this long takes slots like a person */

struct sched_adapter {
	bool is_usable;     /* present, powered, allowed */
	bool is_connecting; /* a Connect runs there, or a Disconnect that has just begun */
	bool is_suspect;    /* several devices in a row failed there */
	unsigned slots;
	unsigned used;        /* links that hold a slot, those being closed included */
	unsigned n_lingering; /* of them, those that may be pushed out */
	unsigned n_closing;   /* of them, those that are being closed */
};

/* How one device looks from one adapter. */
struct sched_view {
	bool is_known;     /* BlueZ has an object for it there */
	int16_t rssi;      /* dBm; 0: not known */
	unsigned failures; /* since the last success there */
};

struct sched_item {
	enum radio_need need;
	bool is_pushing; /* has waited for SCHED_PUSH_MS */
	struct sched_view views[ADAPTERS_MAX];
};

enum sched_verdict {
	SCHED_WAIT,
	SCHED_CONNECT, /* on .adapter */
	SCHED_FIND,    /* no usable adapter knows the device */
	SCHED_EVICT,   /* close a lingering link of .adapter, then ask again */
};

struct sched_choice {
	enum sched_verdict verdict;
	unsigned adapter;
};

/*
 * What a controller without a free link answers is no word of its own: the attempt just fails. So
 * the number is learnt, per device and adapter, from attempts that failed while other links were
 * there, and one that succeeded when fewer were.
 */
#define SCHED_LESSON_MS (10 * 60 * 1000) /* older failures have another reason */
#define SCHED_LEARNT_MS (60 * 60 * 1000) /* for so long it counts */

struct sched_lesson {
	unsigned n;      /* attempts that failed so */
	unsigned others; /* the least number of links that were there besides */
	mono_t at;       /* the last */
};

void sched_refused(struct sched_lesson *lesson, unsigned others, mono_t now, unsigned percent);
/* @return how many links the adapter has, as far as this teaches; 0: nothing. */
unsigned sched_accepted(struct sched_lesson *lesson, unsigned others, mono_t now, unsigned percent);

bool sched_is_person(enum radio_need need);
/*
 * Of two that wait since then: negative when @a goes first. The most urgent, then who waits
 * longest.
 */
int sched_compare(enum radio_need a, mono_t a_since, enum radio_need b, mono_t b_since, mono_t now);
struct sched_choice sched_choose(
	const struct sched_adapter adapters[static ADAPTERS_MAX], const struct sched_item *item);
