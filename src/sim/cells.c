/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cells.h"

#include <errno.h>
#include <math.h>

#include "util/auto.h"
#include "util/text.h"

#define WARM_CELSIUS 21.0
/* Half of what a load took is given back in so long; of data sheets' pulse tests, rounded. */
#define RECOVERY_MS (2 * 60 * 1000.0)
/* Share of the sag beyond that of fresh cells that stays for a while: plausible only. */
#define TIRED_SHARE 0.1
#define TIRED_MAX_MV 200.0
#define N_POINTS 13

struct curve {
	const char *name;
	/* mV of one cell with percent[] of its charge left. */
	double millivolts[N_POINTS];
	double milliohm;       /* of one fresh cell, warm */
	double growth;         /* share more when empty */
	double growth_per_day; /* share more a day */
	double growth_per_c;   /* share more a degree below 21 C */
	double less_mv_per_c;  /* of the resting voltage of one cell, below 21 C */
	double less_per_day; /* percent of the charge a day: self-discharge and a lock that waits */
};

static const double percent[N_POINTS] = { 0, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100 };

/* clang-format off */
static const struct curve curves[] = {
	[CELL_ALKALINE] = { "alkaline",
		{ 900, 980, 1040, 1100, 1180, 1220, 1250, 1280, 1320, 1360, 1420, 1490, 1600 },
		75, 1.1, 0.0002, 0.03, 2.0, 0.12 },
	[CELL_LITHIUM] = { "lithium",
		{ 900, 1150, 1300, 1400, 1460, 1490, 1505, 1515, 1525, 1540, 1560, 1600, 1790 },
		70, 0.8, 0.0001, 0.012, 0.8, 0.10 },
	[CELL_NIMH] = { "nimh",
		{ 950, 1080, 1130, 1170, 1205, 1225, 1240, 1250, 1260, 1272, 1290, 1325, 1420 },
		30, 0.9, 0.0006, 0.018, 1.0, 0.25 },
};
/* clang-format on */

const char *cell_chemistry_name(enum cell_chemistry chemistry) {
	return curves[chemistry].name;
}

int cell_chemistry_from_name(const char *name, enum cell_chemistry *ret) {
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		if (text_equal(curves[i].name, name)) {
			*ret = (enum cell_chemistry) i;
			return 0;
		}
	}
	return -EINVAL;
}

/* The line through the points (@x, @y), at @at; @x rises. */
static double between(const double *x, const double *y, double at) {
	size_t i = 1;
	while (i < N_POINTS - 1 && at > x[i]) {
		i++;
	}
	double share = (at - x[i - 1]) / (x[i] - x[i - 1]);
	share = share < 0 ? 0 : share > 1 ? 1 : share;
	return y[i - 1] + share * (y[i] - y[i - 1]);
}

static double degrees_of_cold(const struct cells *cells) {
	return cells->celsius < WARM_CELSIUS ? WARM_CELSIUS - cells->celsius : 0;
}

void cells_init(struct cells *cells, enum cell_chemistry chemistry) {
	*cells = (struct cells){
		.chemistry = chemistry,
		.percent = 100,
		.worn = 1,
		.celsius = WARM_CELSIUS,
	};
}

void cells_draw(struct cells *cells, double taken) {
	cells->percent = cells->percent > taken ? cells->percent - taken : 0;
}

void cells_age(struct cells *cells, double days) {
	cells->age_days += days;
	cells->tired_mv = days > 0 ? 0 : cells->tired_mv;
	cells_draw(cells, days * curves[cells->chemistry].less_per_day);
}

static double tired_mv(const struct cells *cells, mono_t now) {
	double ms = (double) mono_since(cells->tired_at, now);
	return cells->tired_mv <= 0 || ms < 0 ? cells->tired_mv
					      : cells->tired_mv * exp2(-ms / RECOVERY_MS);
}

static double rest_mv(const struct cells *cells, mono_t now) {
	const struct curve *curve = &curves[cells->chemistry];
	double one = between(percent, curve->millivolts, cells->percent) -
		     degrees_of_cold(cells) * curve->less_mv_per_c;
	double all = CELLS_IN_A_ROW * one - tired_mv(cells, now);
	return all > 0 ? all : 0;
}

unsigned cells_rest_mv(const struct cells *cells, mono_t now) {
	return (unsigned) (rest_mv(cells, now) + 0.5);
}

static double fresh_milliohm(const struct curve *curve) {
	return CELLS_IN_A_ROW * curve->milliohm;
}

unsigned cells_milliohm(const struct cells *cells) {
	const struct curve *curve = &curves[cells->chemistry];
	double all = fresh_milliohm(curve) * (1 + curve->growth * (1 - cells->percent / 100)) *
		     (1 + curve->growth_per_day * cells->age_days) *
		     (1 + curve->growth_per_c * degrees_of_cold(cells)) * cells->worn;
	return (unsigned) (all + 0.5);
}

unsigned cells_load_mv(struct cells *cells, unsigned milliamps, mono_t now) {
	double rest = rest_mv(cells, now);
	double sag = milliamps * (double) cells_milliohm(cells) / 1000;
	double usual = milliamps * fresh_milliohm(&curves[cells->chemistry]) / 1000;
	/* Fresh cells are themselves again at once. */
	double tired = tired_mv(cells, now) + TIRED_SHARE * (sag > 2 * usual ? sag - 2 * usual : 0);
	cells->tired_mv = tired < TIRED_MAX_MV ? tired : TIRED_MAX_MV;
	cells->tired_at = now;
	return rest > sag ? (unsigned) (rest - sag + 0.5) : 0;
}

unsigned cells_percent_of_mv(enum cell_chemistry believed, unsigned millivolts) {
	double one = (double) millivolts / CELLS_IN_A_ROW;
	return (unsigned) (between(curves[believed].millivolts, percent, one) + 0.5);
}
