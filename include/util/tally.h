/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a radio link costs and how well it does, counted for people: how links ended, how long it
 * took to make them, how strongly the other side was heard, and the time linked per day. Bounded,
 * in memory only. A day is a window of 24 hours of CLOCK_BOOTTIME since the counting began, not a
 * day of the calendar: the wall clock may not be set yet, and may jump.
 *
 * Nothing here runs by itself: windows move when something is counted or read.
 */

#include <stddef.h>
#include <stdint.h>

#include "util/when.h"

#define TALLY_TIMES_MAX 32 /* newest times to link that are kept */
#define TALLY_RSSI_MAX 64  /* newest strengths that are kept */
#define TALLY_DAY_MS (INT64_C(24) * 60 * 60 * 1000)
/* A lock advertises several times a second: of that one strength is kept per second. */
#define TALLY_RSSI_APART_MS 1000

/* Why a link ended. */
enum tally_end {
	TALLY_END_US,      /* lockhub had no more to say, or gave up */
	TALLY_END_LOCK,    /* the lock hung up */
	TALLY_END_LOST,    /* nothing was heard any more: supervision timeout */
	TALLY_END_UNKNOWN, /* it fell, and BlueZ (before 5.83) does not say why */
	TALLY_END_ADAPTER, /* the adapter was switched off, unplugged or suspended */
	TALLY_END_BLUEZ,   /* bluetoothd went, or removed the device */
	TALLY_END_COUNT_,
};
/* "us", "lock", "lost", "unknown", "adapter", "bluetoothd". */
const char *tally_end_name(enum tally_end end);

struct tally_strength {
	mono_t at;
	int16_t dbm;
};

struct tally {
	mono_t since; /* begin of the first window */
	int64_t day;  /* number of the window that is "today" */
	unsigned connects_today, connects_yesterday;
	uint64_t link_ms_today, link_ms_yesterday;
	unsigned ends[TALLY_END_COUNT_];
	uint32_t times[TALLY_TIMES_MAX]; /* ring, ms */
	size_t n_times, next_time;
	struct tally_strength strengths[TALLY_RSSI_MAX]; /* ring */
	size_t n_strengths, next_strength;
};

/* Of n numbers; all 0 when n is 0. The median of an even number is the lower middle one. */
struct tally_spread {
	size_t n;
	int64_t least, median, most;
};

void tally_begin(struct tally *tally, mono_t now);
/* Moves the windows to @now; before reading. */
void tally_roll(struct tally *tally, mono_t now);
/* A link came up, @took_ms after the attempt began. */
void tally_up(struct tally *tally, mono_t now, int64_t took_ms);
/* There was a link from @from to @to: shared out between today and yesterday. */
void tally_linked(struct tally *tally, mono_t from, mono_t to);
void tally_ended(struct tally *tally, enum tally_end end);
void tally_heard(struct tally *tally, mono_t now, int16_t dbm);
struct tally_spread tally_times(const struct tally *tally);
struct tally_spread tally_strengths(const struct tally *tally);
/* The @i-th newest strength, NULL beyond the last. */
const struct tally_strength *tally_strength_at(const struct tally *tally, size_t i);
