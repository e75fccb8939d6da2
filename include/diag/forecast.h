/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How long the batteries will last, from what was observed (pure; any thread). Robust against
 * batteries that were changed (the level jumps up: what was before does not count), against cold
 * days (the level dips and comes back) and against cells that recover after a rest. Method and
 * score against the straight line: docs/diagnosis.md, "Forecast"; tests/bench.
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

struct forecast_input {
	const struct sample *samples; /* of one lock, oldest first, any kinds */
	size_t n_samples;
	const struct lock_day *days;
	size_t n_days;
	wall_t now;
	int empty_percent;    /* level at which nothing may be relied on; 0: 10 */
	double life_days;     /* of a set as the maker says; 0: not known */
	bool is_life_assumed; /* it is not the maker's word, but a guess: counts for less */
};
void forecast_make(const struct forecast_input *input, struct forecast *ret);
