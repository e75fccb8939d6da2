/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The cells of a lock: what they hold, what voltage they show at rest and under load, and how they
 * grow weak. Four in a row, as in a Nuki. Pure; times are simulator milliseconds, handed in.
 *
 * Source of the curves: data sheets of AA cells at some ten milliamperes and 20 C (alkaline LR6,
 * FR6 lithium, HR6 NiMH), read off at the points of the tables in cells.c. Inner resistance, its
 * growth with discharge, age and cold: the same sheets, rounded; what is only plausible says so
 * there.
 */

#include <stdbool.h>

#include "util/when.h"

#define CELLS_IN_A_ROW 4

enum cell_chemistry { CELL_ALKALINE, CELL_LITHIUM, CELL_NIMH };
const char *cell_chemistry_name(enum cell_chemistry chemistry);           /* "alkaline" */
int cell_chemistry_from_name(const char *name, enum cell_chemistry *ret); /* -EINVAL */

struct cells {
	enum cell_chemistry chemistry;
	double percent;  /* of what they can give: 100 fresh, 0 empty */
	double age_days; /* since they were new */
	double worn;     /* 1: as their age; 3: thrice the resistance, bad or old cells */
	double celsius;
	double tired_mv; /* what loads took of the resting voltage and rest gives back */
	mono_t tired_at;
};

/* Fresh ones, at 21 C. */
void cells_init(struct cells *cells, enum cell_chemistry chemistry);
/* Takes @percent away, down to 0. */
void cells_draw(struct cells *cells, double percent);
/* So much of what they hold goes by itself and by a lock that waits, in @days. */
void cells_age(struct cells *cells, double days);
/* At rest, now: mV of all in a row, with what loads have not given back yet. */
unsigned cells_rest_mv(const struct cells *cells, mono_t now);
/* Of all in a row, in milliohms. */
unsigned cells_milliohm(const struct cells *cells);
/* Under a load of @milliamps, now; they remember it and show less for a while. */
unsigned cells_load_mv(struct cells *cells, unsigned milliamps, mono_t now);
/*
 * What a lock's firmware makes of a resting voltage that it believes to be of @believed: 0..100. Of
 * cells of another chemistry that is wrong, as it is in life.
 */
unsigned cells_percent_of_mv(enum cell_chemistry believed, unsigned millivolts);
