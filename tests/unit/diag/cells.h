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

struct cell_point {
	double drawn, volts;
};
/* What a set is, and how its lock sees it. What is 0 is not so. */
struct cell_kind {
	const char *name;
	struct cell_point points[8];
	double volt_empty, volt_full; /* 0 and 100 percent, as a lock would set them */
	double recovery;              /* volts that a motor run takes away for some hours */
	double cold;                  /* volts per degree below 20 */
	double old;                   /* what is left in one half of the cells, which is old */
	double lag_days;              /* the gauge goes after the truth so slowly */
	double stick_percent;         /* it moves only when it is so far off */
	double season;                /* degrees from mean to summer, and no thermometer */
	int away_days;                /* nobody at home for so long, and other habits later */
	double changed_at;            /* part of the life after which it is changed unannounced */
};

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
/* The same of any kind; odd seeds have a set before. @random: where its luck begins. */
void run_make_of(struct run *run, const struct cell_kind *kind, enum telling telling, unsigned seed,
	uint64_t random);

/*
 * Kinds of cells, gauges and use that nothing in src/diag/forecast.c was chosen by: they only
 * judge. Never tune anything until these are right; make others instead.
 */
#define HELD_COUNT 10
extern const struct cell_kind held_kinds[HELD_COUNT];
