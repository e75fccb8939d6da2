/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Battery sets that are used up, as a lock would tell of them. The curves are voltages over the
 * charge drawn, point by point, in the form that data sheets of each chemistry show; a lock makes
 * percent of them along a straight line between two voltages. Nothing here is shared with
 * src/diag/forecast.c.
 */

#include "core/history.h"

enum chemistry {
	CHEMISTRY_ALKALINE,
	CHEMISTRY_LITHIUM_PRIMARY,
	CHEMISTRY_NIMH,
	CHEMISTRY_LI_ION,
	CHEMISTRY_GAUGE, /* a lock that counts the charge itself */
	CHEMISTRY_COUNT_,
};
const char *chemistry_name(enum chemistry chemistry);

#define RUN_DAYS_MAX 1400
#define RUN_SAMPLES_MAX (RUN_DAYS_MAX * 8)
/* One lock over one or two sets of batteries. */
struct run {
	struct sample samples[RUN_SAMPLES_MAX];
	size_t n_samples;
	struct lock_day days[RUN_DAYS_MAX];
	size_t n_days;
	double truth[RUN_DAYS_MAX]; /* charge at noon of each day at 20 degrees, unrounded */
	int empty[RUN_DAYS_MAX];    /* the day on which that set is empty */
	int changed;                /* the day of the change; 0: none */
	double life_days;           /* as a maker would say, for mean use */
};
#define RUN_FIRST_DAY 20000 /* of days[0] since 1970 */
#define RUN_EMPTY_PERCENT 10

/* How the lock tells it. */
enum telling { TELLING_FINE, TELLING_STEPS_2, TELLING_STEPS_10, TELLING_WORDS };

/* @seed: the same makes the same. */
void run_make(struct run *run, enum chemistry chemistry, enum telling telling, unsigned seed);
