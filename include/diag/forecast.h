/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How long the batteries will last, from what was observed. Robust against batteries that were
 * changed (the level jumps up: what was before does not count), against cold days (the level dips
 * and comes back) and against cells that recover after a rest. Method and score against the
 * straight line: docs/diagnosis.md, "Forecast".
 */

#include "core/history.h"

struct forecast {
	bool is_known;      /* false: .reason says why not */
	const char *reason; /* static: "fewer than 3 readings since the batteries were changed" */
	double days;        /* until the lock warns as critical (the model's level, else 10 %) */
	double days_least, days_most; /* 80 % interval: wider where a knee is still to come */
	double percent_per_day;       /* > 0: falls */
	double percent_per_move;      /* -1: not known */
	double normal_per_day;        /* for this lock before, else the model's figure; -1 */
	bool is_normal_of_model;      /* the latter, which is for one kind of cells and of use */
	wall_t since;                 /* when these batteries were put in, as far as known */
	size_t n;                     /* readings used */
	wall_t until;                 /* now + days */
};
