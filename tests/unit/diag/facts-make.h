/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Facts for tests: locks and hubs that are well, all of them different, and what can go wrong with
 * them. The same seed makes the same facts.
 */

#include "diag/facts.h"

#define MADE_SAMPLES 4000
#define MADE_DAYS 120

struct made {
	struct diag_facts facts;
	struct lock_facts lock;
	struct model model;
	struct sample samples[MADE_SAMPLES];
	struct lock_day days[MADE_DAYS];
	struct event events[DIAG_EVENTS_MAX];
	struct attempt attempts[8];
	uint64_t random;
};

/* A healthy hub with a healthy lock. Points into itself: not to be copied. */
void make_healthy(struct made *made, uint32_t seed);

/* What an injected fault writes: two that share a bit contradict each other. */
enum {
	WRITES_RADIO = 1 << 0,
	WRITES_REACH = 1 << 1, /* probes, silence */
	WRITES_LINKS = 1 << 2,
	WRITES_LEVEL = 1 << 3,
	WRITES_CELLS = 1 << 4,
	WRITES_FORECAST = 1 << 5,
	WRITES_BOLT = 1 << 6,
	WRITES_MOTOR = 1 << 7,
	WRITES_CLOCK = 1 << 8,
	WRITES_BROKER = 1 << 9,
	WRITES_KEY = 1 << 10,
	WRITES_MODEL = 1 << 11,
	WRITES_EVENTS = 1 << 12,
	WRITES_HOST = 1 << 13,
	WRITES_SYNC = 1 << 14,
	WRITES_CONFIG = 1 << 15,
	WRITES_DISK = 1 << 16,
	WRITES_ZONE = 1 << 17,
	WRITES_ACCESSORIES = 1 << 18,
	WRITES_STRENGTH = 1 << 19,
	WRITES_HUB_CLOCK = 1 << 20,
	WRITES_ENDS = 1 << 21,
};
struct injection {
	enum fault_code fault; /* that must come first */
	unsigned writes;
	void (*inject)(struct made *made);
};
const struct injection *injections(size_t *ret_n);
const struct injection *injection_find(enum fault_code fault);
