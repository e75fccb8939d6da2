/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cells.h"

#include <math.h>
#include <string.h>

#include "util/auto.h"

static const struct cell_kind kinds[] = {
	[CHEMISTRY_ALKALINE] = { "alkaline",
		{ { 0, 1.58 }, { 0.06, 1.48 }, { 0.2, 1.39 }, { 0.4, 1.31 }, { 0.6, 1.25 },
			{ 0.8, 1.18 }, { 0.92, 1.08 }, { 1, 0.9 } },
		1.0, 1.58, 0.012, 0.0030 },
	[CHEMISTRY_LITHIUM_PRIMARY] = { "lithium primary",
		{ { 0, 3.2 }, { 0.03, 3.05 }, { 0.3, 3.0 }, { 0.6, 2.96 }, { 0.8, 2.9 },
			{ 0.9, 2.8 }, { 0.96, 2.55 }, { 1, 2.0 } },
		2.2, 3.1, 0.01, 0.0020 },
	[CHEMISTRY_NIMH] = { "NiMH",
		{ { 0, 1.42 }, { 0.05, 1.34 }, { 0.2, 1.29 }, { 0.5, 1.25 }, { 0.75, 1.22 },
			{ 0.88, 1.18 }, { 0.96, 1.1 }, { 1, 0.95 } },
		1.0, 1.45, 0.008, 0.0015 },
	[CHEMISTRY_LI_ION] = { "Li-ion",
		{ { 0, 4.18 }, { 0.1, 4.05 }, { 0.3, 3.9 }, { 0.5, 3.78 }, { 0.7, 3.69 },
			{ 0.85, 3.6 }, { 0.94, 3.42 }, { 1, 3.0 } },
		3.2, 4.15, 0.012, 0.0030 },
	[CHEMISTRY_GAUGE] = { "counted charge", { { 0, 1 }, { 1, 0 } }, 0, 1, 0, 0 },
};

const char *chemistry_name(enum chemistry chemistry) {
	return kinds[chemistry].name;
}

/* Small, and the same everywhere. */
static double uniform(uint64_t *state) {
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (double) (*state >> 11) / (double) (1ULL << 53);
}

static double normal(uint64_t *state) {
	double sum = 0;
	for (int i = 0; i < 12; i++) {
		sum += uniform(state);
	}
	return sum - 6;
}

static double volts_of(const struct cell_kind *kind, double drawn, double bend) {
	/* Two sets are never alike: the knee comes earlier or later. */
	double place = pow(fmin(drawn, 1), bend);
	for (size_t i = 1; i < ARRAY_SIZE(kind->points) && kind->points[i].drawn > 0; i++) {
		const struct cell_point *a = &kind->points[i - 1], *b = &kind->points[i];
		if (place <= b->drawn) {
			double part = (place - a->drawn) / (b->drawn - a->drawn);
			return a->volts + (b->volts - a->volts) * part;
		}
	}
	return 0;
}

/* Half of them may be old ones: they give less, and the set is as good as both together. */
static double volts_at(const struct cell_kind *kind, double drawn, double bend) {
	double volts = volts_of(kind, drawn, bend);
	return kind->old == 0 ? volts : (volts + volts_of(kind, drawn / kind->old, bend)) / 2;
}

static double percent_of(const struct cell_kind *kind, double volts) {
	double percent = 100 * (volts - kind->volt_empty) / (kind->volt_full - kind->volt_empty);
	return fmin(fmax(percent, 0), 100);
}

struct house {
	const struct cell_kind *kind;
	enum telling telling;
	double bend, life;
	double idle;   /* part of the wear that mere time causes */
	double moves;  /* a day */
	double season; /* degrees from mean to summer; 0: indoors */
	int season_offset;
	double noise;                 /* percent */
	int holiday_from, holiday_to; /* nobody is at home */
	int habit_day;                /* from then on it is used in another way */
	double habit;
	bool has_thermometer;
	double shown; /* by a gauge that lags or sticks; -1: nothing yet */
	uint64_t random;
};

static void house_make(struct house *house, const struct cell_kind *kind, enum telling telling,
	uint64_t random_0) {
	*house =
		(struct house){ .kind = kind, .telling = telling, .shown = -1, .random = random_0 };
	uint64_t *random = &house->random;
	for (int i = 0; i < 8; i++) {
		uniform(random);
	}
	house->bend = 0.85 + 0.3 * uniform(random);
	house->life = 120 * pow(4, uniform(random));
	house->idle = 0.15 + 0.5 * uniform(random);
	house->moves = 4 + 16 * uniform(random);
	house->season = uniform(random) < 0.5 ? 0 : 6 + 6 * uniform(random);
	house->season_offset = (int) (365 * uniform(random));
	house->noise = 0.3 + 1.2 * uniform(random);
	house->holiday_from = (int) (house->life * uniform(random));
	house->holiday_to = house->holiday_from + (int) (21 * uniform(random));
	house->habit_day = (int) (house->life * (0.3 + 0.6 * uniform(random)));
	house->habit = uniform(random) < 0.6 ? 1 : 0.6 + uniform(random);
	house->has_thermometer = uniform(random) < 0.5;
	if (kind->season > 0) {
		house->season = kind->season;
		house->has_thermometer = false;
	}
	if (kind->away_days > 0) {
		house->holiday_to = house->holiday_from + kind->away_days;
		house->habit = uniform(random) < 0.5 ? 0.4 : 2;
	}
}

static unsigned moves_on(struct house *house, int day) {
	double mean = house->moves * (day % 7 >= 5 ? 1.3 : 0.9);
	if (day >= house->holiday_from && day < house->holiday_to) {
		return 0;
	}
	if (day >= house->habit_day) {
		mean *= house->habit;
	}
	double moves = mean + sqrt(mean) * normal(&house->random);
	return moves < 0 ? 0 : (unsigned) (moves + 0.5);
}

static void add(struct run *run, enum sample_kind kind, int64_t at, int32_t value) {
	for (size_t i = run->n_samples; i-- > 0;) {
		if (run->samples[i].kind == kind && kind != SAMPLE_BATTERY_CHANGED) {
			if (run->samples[i].value == value) {
				return; /* kept only when it has changed */
			}
			break;
		}
	}
	if (run->n_samples < RUN_SAMPLES_MAX) {
		run->samples[run->n_samples++] = (struct sample){ kind, { at }, true, value };
	}
}

/* What the gauge makes of it. */
static double gauge(struct house *house, double percent) {
	const struct cell_kind *kind = house->kind;
	if (house->shown < 0 || percent > house->shown + 30) {
		house->shown = percent; /* just put in */
	}
	if (kind->lag_days > 0) {
		house->shown += (percent - house->shown) / (3 * kind->lag_days);
		return house->shown;
	}
	if (kind->stick_percent > 0) {
		if (fabs(percent - house->shown) >= kind->stick_percent) {
			house->shown = percent;
		}
		return house->shown;
	}
	return percent;
}

static void tell(struct run *run, struct house *house, int64_t at, double percent) {
	percent = gauge(house, percent);
	int step = house->telling == TELLING_STEPS_2    ? 2
		   : house->telling == TELLING_STEPS_10 ? 10
							: 1;
	if (house->telling == TELLING_WORDS) {
		add(run, SAMPLE_BATTERY_LEVEL, at,
			percent <= RUN_EMPTY_PERCENT ? BATTERY_CRITICAL
			: percent <= 25              ? BATTERY_WARNING
						     : BATTERY_OK);
		return;
	}
	add(run, SAMPLE_BATTERY_PERCENT, at, (int32_t) (floor(percent / step + 0.5) * step));
}

/* One day of one set; @return how much of it is drawn afterwards. */
static double live(struct run *run, struct house *house, int day, double drawn) {
	unsigned moves = moves_on(house, day);
	double warmth = 20;
	if (house->season > 0) {
		double year = 2 * M_PI * (day + house->season_offset) / 365.25;
		warmth = 12 + house->season * sin(year) + 1.5 * normal(&house->random);
	}
	double wear = house->idle + (1 - house->idle) * moves / house->moves;
	int64_t midnight = (int64_t) (RUN_FIRST_DAY + day) * 86400;
	for (int hour = 7; hour < 24; hour += 8) {
		double now = drawn + wear / house->life * hour / 24;
		double volts = volts_at(house->kind, now, house->bend);
		volts -= house->kind->cold * fmax(20 - warmth, -10);
		if (moves > 0 && uniform(&house->random) < 0.3) {
			volts -= house->kind->recovery * (1 + 2 * uniform(&house->random));
		}
		double percent =
			percent_of(house->kind, volts) + house->noise * normal(&house->random);
		if (house->has_thermometer) {
			add(run, SAMPLE_CELSIUS, midnight + hour * 3600 - 60, (int32_t) warmth);
		}
		tell(run, house, midnight + hour * 3600, fmin(fmax(percent, 0), 100));
	}
	struct lock_day *row = &run->days[run->n_days];
	memset(row, 0, sizeof(*row));
	row->day = RUN_FIRST_DAY + day;
	row->counts[DAY_MOVES] = moves;
	run->truth[run->n_days++] =
		percent_of(house->kind, volts_at(house->kind, drawn, house->bend));
	return drawn + wear / house->life;
}

/* Until it is empty, or @most days. @return the day after. */
static int use_up(struct run *run, struct house *house, int day, int most) {
	double drawn = 0;
	int first = day;
	for (; day < RUN_DAYS_MAX && day - first < most; day++) {
		drawn = live(run, house, day, drawn);
		if (run->truth[day] <= RUN_EMPTY_PERCENT) {
			break;
		}
	}
	for (int i = first; i < (int) run->n_days; i++) {
		run->empty[i] = day;
	}
	return day;
}

void run_make(struct run *run, enum chemistry chemistry, enum telling telling, unsigned seed) {
	run_make_of(run, &kinds[chemistry], telling, seed,
		0x9e3779b97f4a7c15ULL * (seed + 1) + chemistry);
}

void run_make_of(struct run *run, const struct cell_kind *kind, enum telling telling, unsigned seed,
	uint64_t random) {
	struct house house;
	memset(run, 0, sizeof(*run));
	house_make(&house, kind, telling, random);
	/* Makers are hopeful, and do not know how a house uses its door. */
	run->life_days = house.life * (0.7 + 0.8 * uniform(&house.random));
	if (seed % 2 == 1) {
		/* The set before: watched for its last days only, as after pairing, or all of it.
		 */
		int first = use_up(run, &house, 0,
			(int) (house.life * (kind->changed_at > 0 ? kind->changed_at : 0.9)));
		run->changed = first;
		if (seed % 4 == 1 && kind->changed_at == 0) {
			add(run, SAMPLE_BATTERY_CHANGED, (int64_t) (RUN_FIRST_DAY + first) * 86400,
				1);
		}
		house.bend = 0.85 + 0.3 * uniform(&house.random);
		use_up(run, &house, first, RUN_DAYS_MAX);
	} else {
		add(run, SAMPLE_BATTERY_CHANGED, (int64_t) RUN_FIRST_DAY * 86400, 1);
		use_up(run, &house, 0, RUN_DAYS_MAX);
	}
}
