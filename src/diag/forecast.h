/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a forecast is made of; pure, any thread. */

#include "diag/forecast.h"

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
