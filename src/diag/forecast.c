/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "forecast.h"

#include <math.h>
#include <string.h>

#include "util/auto.h"

/*
 * No lock tells which cells are in it, and a percentage that was reckoned from a voltage falls in
 * another way with each kind: fast and then slowly, or not at all for a year and then within days.
 * So nothing is drawn through the readings. Instead a few hundred stories are told, each made of
 *
 *	how the level falls over a set's life (shapes[])  x  how long such a life is
 *	x  how much of it the motor takes and how much mere time
 *	x  how far gone the set was at first
 *
 * and each is asked how well it explains what was read since the batteries were changed, recent
 * readings counting more. The stories, weighted by that and by how likely such a life is (the
 * maker's figure, or better, the sets before), vote for the days that are left.
 *
 * What stands on a knee that nobody has seen yet is worth less than what stands on a fall that goes
 * on, and the more so the older the set is. So which of the votes is the answer, and which two are
 * its bounds, depends on how much of the way down is told to be a knee (levels[]).
 */

#define DAY_S 86400.0
#define CELLS_MAX 32     /* the time since the change is cut into so many pieces at most */
#define BINS 202         /* of half a percent, -0.25 to 100.75 */
#define SETS_MAX 8       /* battery sets that are remembered */
#define CURVE_POINTS 129 /* of a shape, over 0..CURVE_END lives */
#define CURVE_END 1.25
#define LIVES 40 /* tried, from LIFE_LEAST days, each by LIFE_STEP longer */
#define LIFE_LEAST 5.0
#define LIFE_STEP 1.18
#define MOVE_DAYS_MAX HISTORY_DAYS_MAX
#define VOTE_BINS 320 /* of days left, logarithmic */
#define VOTE_LEAST 0.25
#define VOTE_STEP 1.033
#define VOTE_BLUR 7
#define EMPTY_DEFAULT 10.0
#define WARNING_BAND 15.0 /* "warning" of a lock without percent: so much above empty */
#define WATCHED_LEAST_DAYS 3.0
/* No shape is exact: readings may be so far off, and all together say as much as so many. */
#define SPREAD_PERCENT 5.0
#define SPREAD_COUNTED 3.0
#define EVIDENCE_MOST 5.0
#define JUMP_PERCENT 15.0
#define JUMP_LOOK_BACK_DAYS 14.0
#define JUMP_LOOK_BACK_MOST 256 /* readings */

/*
 * level = 100 * (1 - drop * (1 - exp(-q / shape->pace)) - line * q - (1 - drop - line) * q^power),
 * where q is the part of the life that is over. No chemistry has a row of its own: the rows span
 * what discharge curves of makers' data sheets look like.
 */
static const struct shape {
	double drop, pace, line, power;
	double chance; /* how common it is */
	double spread; /* percent; 0: SPREAD_PERCENT */
} shapes[] = {
	/* Counted charge: as exact as the lock tells it. */
	{ 0.00, 0.10, 1.00, 1, 1.0, SPREAD_COUNTED },
	{ 0.30, 0.30, 0.70, 1, 0.2 },
	{ 0.00, 0.10, 0.70, 6, 1.0 },
	{ 0.20, 0.30, 0.50, 10, 1.0 },
	{ 0.30, 0.30, 0.35, 10, 1.0 },
	{ 0.30, 0.30, 0.20, 16, 1.0 },
	{ 0.45, 0.30, 0.30, 8, 1.0 },
	{ 0.40, 0.30, 0.10, 12, 0.7 },
	{ 0.28, 0.10, 0.50, 8, 1.0 },
	{ 0.30, 0.10, 0.40, 12, 1.0 },
	{ 0.40, 0.12, 0.40, 8, 1.0 },
	{ 0.15, 0.08, 0.45, 10, 1.0 },
	{ 0.15, 0.08, 0.25, 14, 1.0 },
	{ 0.03, 0.08, 0.35, 14, 1.0 },
	{ 0.08, 0.08, 0.15, 16, 1.0 },
	{ 0.00, 0.08, 0.06, 20, 1.0 },
};

/*
 * The part of the votes below the answer and its bounds, as a logit of knee, age and width: what it
 * took on 160 simulated sets, the five kinds of cells in tests/unit/diag/cells.c with the seeds
 * 1000 to 1031. The answer is that with the least error beside the straight line, each kind
 * counting alike; the bounds leave out no more than 14 % of the truth of any kind on either side.
 * They only ever widen what the votes say (PART_*): that other kinds of cells last longer or less
 * long is nothing that these five could teach. Judged by other seeds, and by kinds that had no part
 * in it (tests/unit/diag/cells-held.c): docs/diagnosis.md.
 */
enum { LEVEL_LEAST, LEVEL_MIDDLE, LEVEL_MOST };
static const struct level {
	double base, knee, age, knee_age, width;
} levels[] = {
	[LEVEL_LEAST] = { -3.37, -9.56, 0.11, 1.32, 0.96 },
	[LEVEL_MIDDLE] = { -0.18, -0.79, -0.32, -8.64, 1.92 },
	[LEVEL_MOST] = { 1.10, -1.85, -1.70, -0.81, -0.59 },
};
#define LEVEL_KNEE 0.45 /* where .base was taken */
#define LEVEL_AGE 0.45
#define LEVEL_WIDTH 0.6
#define PART_LEAST_MOST 0.15
#define PART_MOST_LEAST 0.85

struct cell {
	double age;     /* days before now, of its middle */
	double lo, hi;  /* the level was in between, percent */
	double celsius; /* NAN: not known */
	double moves;   /* since the change, up to its middle, as a part of the mean per day */
	double weight;
};

/* Readings since the batteries were changed last. */
struct set {
	size_t first;      /* index of the first sample that belongs to it */
	double begin;      /* day of it; days since 1970 */
	bool is_announced; /* begun by a change, not by the first reading ever */
	double level_first, level_last;
	size_t n;
};

struct story {
	bool has_percent;
	double now, empty;
	struct set sets[SETS_MAX];
	size_t n_sets;
	double step; /* of the readings */
	struct cell cells[CELLS_MAX];
	size_t n_cells;
	double start_lo, start_hi; /* level of the first days */
	double noise;
	bool has_moves;
	double moves_per_day, moves_recent; /* mean since the change; of late, as a part of it */
};

static double days_of(wall_t at) {
	return (double) at.s / DAY_S;
}

static double clamp(double value, double least, double most) {
	return value < least ? least : value > most ? most : value;
}

static double median(double *values, size_t n) {
	/* By insertion: there are tens of them. */
	for (size_t i = 1; i < n; i++) {
		double value = values[i];
		size_t j = i;
		for (; j > 0 && values[j - 1] > value; j--) {
			values[j] = values[j - 1];
		}
		values[j] = value;
	}
	return n == 0 ? 0 : n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Readings */

static bool is_usable(const struct forecast_input *input, const struct sample *sample) {
	return sample->is_time_trusted && sample->at.s > 0 && sample->at.s <= input->now.s;
}

/* The middle of what a lock means that speaks in words. */
static double level_of_word(double empty, int32_t word) {
	switch (word) {
	case BATTERY_OK:
		return (empty + WARNING_BAND + 100) / 2;
	case BATTERY_WARNING:
		return empty + WARNING_BAND / 2;
	case BATTERY_CRITICAL:
		return empty / 2;
	default:
		return NAN;
	}
}

/* The charge that a sample tells, or NAN. */
static double reading(const struct story *story, const struct forecast_input *input,
	const struct sample *sample) {
	if (!is_usable(input, sample)) {
		return NAN;
	}
	if (story->has_percent) {
		return sample->kind == SAMPLE_BATTERY_PERCENT && sample->value >= 0 &&
				       sample->value <= 100
			       ? sample->value
			       : NAN;
	}
	return sample->kind == SAMPLE_BATTERY_LEVEL ? level_of_word(story->empty, sample->value)
						    : NAN;
}

static void widen(const struct story *story, double level, double *ret_lo, double *ret_hi) {
	if (story->has_percent) {
		*ret_lo = level - story->step / 2;
		*ret_hi = level + story->step / 2;
	} else if (level > story->empty + WARNING_BAND) {
		*ret_lo = story->empty + WARNING_BAND;
		*ret_hi = 100;
	} else if (level > story->empty) {
		*ret_lo = story->empty;
		*ret_hi = story->empty + WARNING_BAND;
	} else {
		*ret_lo = 0;
		*ret_hi = story->empty;
	}
}

/* The greatest number that divides all readings: 1, 2, 5, 10 ... */
static double step_of(const struct story *story, const struct forecast_input *input) {
	int32_t step = 0;
	for (size_t i = 0; i < input->n_samples; i++) {
		double level = reading(story, input, &input->samples[i]);
		int32_t a = step, b = isnan(level) ? 0 : (int32_t) level;
		while (b != 0) {
			int32_t rest = a % b;
			a = b;
			b = rest;
		}
		step = a;
	}
	return clamp(step, 1, 25);
}

/* Sets of batteries */

/* The highest level held since @from in the set that is under way, before sample @i. */
static double highest_before(const struct story *story, const struct forecast_input *input,
	const struct set *set, size_t i) {
	double from = days_of(input->samples[i].at) - JUMP_LOOK_BACK_DAYS, highest = NAN;
	/* A level that flickers all day long may not hold up the loop. */
	size_t least = i > JUMP_LOOK_BACK_MOST ? i - JUMP_LOOK_BACK_MOST : 0;
	for (size_t j = i; j-- > set->first && j >= least;) {
		double level = reading(story, input, &input->samples[j]);
		if (!isnan(level) && (isnan(highest) || level > highest)) {
			highest = level;
		}
		/* What was read before @from was still held then. */
		if (!isnan(level) && days_of(input->samples[j].at) < from) {
			break;
		}
	}
	return highest;
}

/* Whether the level stays above @threshold for two days, as far as that is known already. */
static bool is_sustained(
	const struct story *story, const struct forecast_input *input, size_t i, double threshold) {
	double until = days_of(input->samples[i].at) + 2;
	for (size_t j = i; j < input->n_samples; j++) {
		double level = reading(story, input, &input->samples[j]);
		if (days_of(input->samples[j].at) > until) {
			break;
		}
		if (!isnan(level) && level < threshold) {
			return false;
		}
	}
	return true;
}

/*
 * A level that jumps well above all that was read in the fortnight before means other batteries, or
 * charged ones: cells that recover, and cold nights, return to where they were. (@level at @i.)
 */
static bool is_jump(const struct story *story, const struct forecast_input *input,
	const struct set *set, size_t i, double level) {
	double highest = highest_before(story, input, set, i);
	double least = story->step >= 10 ? JUMP_PERCENT + story->step / 2 : JUMP_PERCENT;
	return !isnan(highest) && level >= highest + least &&
	       is_sustained(story, input, i, highest + least * 0.6);
}

static struct set *set_begin(struct story *story, size_t first, double begin, bool is_announced) {
	if (story->n_sets == SETS_MAX) {
		memmove(story->sets, story->sets + 1, (SETS_MAX - 1) * sizeof(story->sets[0]));
		story->n_sets--;
	}
	struct set *set = &story->sets[story->n_sets++];
	*set = (struct set){
		.first = first, .begin = begin, .is_announced = is_announced, .level_first = NAN
	};
	return set;
}

static void find_sets(struct story *story, const struct forecast_input *input) {
	struct set *set = NULL;
	double held = NAN;
	for (size_t i = 0; i < input->n_samples; i++) {
		const struct sample *sample = &input->samples[i];
		double level = reading(story, input, sample);
		if (sample->kind == SAMPLE_BATTERY_CHANGED && is_usable(input, sample)) {
			set = set_begin(story, i, days_of(sample->at), true);
		} else if (isnan(level)) {
			continue;
		} else if (set == NULL) {
			set = set_begin(story, i, days_of(sample->at), false);
		} else if (is_jump(story, input, set, i, level)) {
			/* Fresh ones look nearly full; else a charge in between was noticed. */
			set = set_begin(story, i, days_of(sample->at), true);
		}
		if (isnan(level)) {
			continue;
		}
		if (isnan(set->level_first) || days_of(sample->at) < set->begin + 1) {
			set->level_first =
				isnan(set->level_first) ? level : fmax(level, set->level_first);
		}
		set->level_last = level;
		set->n++;
		held = level;
	}
	/* Changed while they were as good as full: nothing new has been told since. */
	if (set != NULL && set->n == 0 && held >= 80) {
		set->level_first = set->level_last = held;
		set->n = 1;
	}
}

/* The time since the change, in pieces */

struct holding {
	double bins[BINS];
	double total;
	double celsius, celsius_days;
};

static void hold(struct holding *holding, double level, double celsius, double days) {
	if (days <= 0) {
		return;
	}
	if (!isnan(level)) {
		size_t bin = (size_t) clamp(level * 2 + 0.5, 0, BINS - 1);
		holding->bins[bin] += days;
		holding->total += days;
	}
	if (!isnan(celsius)) {
		holding->celsius += celsius * days;
		holding->celsius_days += days;
	}
}

/* The level that was held for the middle of the time: what dips and recovers does not move it. */
static double held_median(const struct holding *holding) {
	double sum = 0;
	for (size_t i = 0; i < BINS; i++) {
		sum += holding->bins[i];
		if (sum > 0 && sum >= holding->total / 2) {
			return (double) i / 2;
		}
	}
	return NAN;
}

static void cell_end(struct story *story, const struct holding *holding, double middle) {
	double level = held_median(holding);
	if (isnan(level)) {
		return;
	}
	struct cell *cell = &story->cells[story->n_cells++];
	*cell = (struct cell){ .age = story->now - middle,
		.celsius = holding->celsius_days > holding->total / 2
				   ? holding->celsius / holding->celsius_days
				   : NAN };
	widen(story, level, &cell->lo, &cell->hi);
}

/* A value holds until the next one is told: samples are kept only when something changed. */
static void make_cells(struct story *story, const struct forecast_input *input) {
	const struct set *set = &story->sets[story->n_sets - 1];
	double watched = story->now - set->begin;
	size_t n = (size_t) clamp(ceil(watched), 4, CELLS_MAX);
	double width = watched / (double) n;
	double level = set->n == 1 ? set->level_last : NAN, celsius = NAN, at = set->begin;
	size_t i = set->first;
	for (size_t c = 0; c < n; c++) {
		struct holding holding = { 0 };
		double end = c + 1 == n ? story->now : set->begin + width * (double) (c + 1);
		for (; i < input->n_samples && days_of(input->samples[i].at) <= end; i++) {
			const struct sample *sample = &input->samples[i];
			double next = reading(story, input, sample);
			bool is_warmth = sample->kind == SAMPLE_CELSIUS && is_usable(input, sample);
			if (isnan(next) && !is_warmth) {
				continue;
			}
			double when = fmax(days_of(sample->at), at);
			hold(&holding, level, celsius, when - at);
			at = when;
			level = isnan(next) ? level : next;
			celsius = is_warmth ? sample->value : celsius;
		}
		hold(&holding, level, celsius, end - at);
		at = end;
		cell_end(story, &holding, end - width / 2);
	}
}

static double middle_of(const struct cell *cell) {
	return (cell->lo + cell->hi) / 2;
}

/* Percent per degree: the median over neighbours whose warmth differs. Cold never adds charge. */
static double warmth_effect(const struct story *story) {
	double slopes[2 * CELLS_MAX], drift[CELLS_MAX];
	size_t n = 0, n_drift = 0;
	for (size_t i = 1; i < story->n_cells; i++) {
		drift[n_drift++] = middle_of(&story->cells[i]) - middle_of(&story->cells[i - 1]);
	}
	double fall = median(drift, n_drift);
	for (size_t gap = 1; gap <= 2; gap++) {
		for (size_t i = gap; i < story->n_cells; i++) {
			const struct cell *a = &story->cells[i - gap], *b = &story->cells[i];
			double warmer = b->celsius - a->celsius;
			if (!isnan(warmer) && fabs(warmer) >= 2) {
				double change = middle_of(b) - middle_of(a) - fall * (double) gap;
				slopes[n++] = change / warmer;
			}
		}
	}
	return n < 6 ? 0 : clamp(median(slopes, n), 0, 1);
}

/* As if it had been equally warm all the time. */
static void mend_warmth(struct story *story) {
	double effect = warmth_effect(story), sum = 0;
	size_t n = 0;
	for (size_t i = 0; i < story->n_cells; i++) {
		if (!isnan(story->cells[i].celsius)) {
			sum += story->cells[i].celsius;
			n++;
		}
	}
	for (size_t i = 0; i < story->n_cells && n > 0; i++) {
		struct cell *cell = &story->cells[i];
		if (!isnan(cell->celsius)) {
			double mend = effect * (sum / (double) n - cell->celsius);
			cell->lo += mend;
			cell->hi += mend;
		}
	}
}

/* How much the readings scatter: the median of how far a piece lies off its neighbours' middle. */
static double noise_of(const struct story *story) {
	double off[CELLS_MAX];
	size_t n = 0;
	for (size_t i = 1; i + 1 < story->n_cells; i++) {
		double between =
			(middle_of(&story->cells[i - 1]) + middle_of(&story->cells[i + 1])) / 2;
		off[n++] = fabs(middle_of(&story->cells[i]) - between);
	}
	return 1.2 * median(off, n);
}

static void weigh_cells(struct story *story) {
	double watched = story->n_cells == 0 ? 0 : story->cells[0].age;
	for (size_t i = 0; i < story->n_cells; i++) {
		struct cell *cell = &story->cells[i];
		cell->weight = 0.35 + exp(-cell->age / fmax(watched * 0.25, 5));
	}
	size_t n_first = (story->n_cells + 15) / 16;
	double los[CELLS_MAX], his[CELLS_MAX];
	for (size_t i = 0; i < n_first; i++) {
		los[i] = story->cells[i].lo;
		his[i] = story->cells[i].hi;
	}
	story->start_lo = median(los, n_first);
	story->start_hi = median(his, n_first);
	story->noise = noise_of(story);
}

/* Use */

static double moves_of(const struct lock_day *day) {
	uint32_t moves = day->counts[DAY_MOVES];
	return moves > 0 ? moves : day->counts[DAY_OPS_DONE];
}

/* Moves from day @from to now; both in days since 1970. A day under way counts in part. */
static double moves_since(const struct forecast_input *input, double from, double until) {
	double sum = 0;
	for (size_t i = 0; i < input->n_days; i++) {
		double begin = input->days[i].day;
		double part = clamp(fmin(begin + 1, until) - fmax(begin, from), 0, 1);
		sum += part * moves_of(&input->days[i]);
	}
	return sum;
}

/* Wear by moves goes as fast as by time on the mean day since the change. */
static void count_moves(struct story *story, const struct forecast_input *input) {
	const struct set *set = &story->sets[story->n_sets - 1];
	double watched = story->now - set->begin;
	double all = moves_since(input, set->begin, story->now);
	story->has_moves = all >= 10 && watched >= 10;
	if (!story->has_moves) {
		return;
	}
	story->moves_per_day = all / watched;
	for (size_t i = 0; i < story->n_cells; i++) {
		struct cell *cell = &story->cells[i];
		cell->moves = moves_since(input, set->begin, story->now - cell->age) /
			      story->moves_per_day;
	}
	/* A fortnight away is no new habit: the mean counts like two weeks of its own. */
	double span = fmin(watched, 28);
	double recent = moves_since(input, story->now - span, story->now) / story->moves_per_day;
	story->moves_recent = (recent + 14) / (span + 14);
}

/* The stories */

struct curve {
	const struct shape *shape;
	double level[CURVE_POINTS];
};

static void curve_make(const struct shape *shape, double scale, struct curve *ret) {
	ret->shape = shape;
	for (size_t i = 0; i < CURVE_POINTS; i++) {
		double q = CURVE_END * (double) i / (CURVE_POINTS - 1);
		double rest = 1 - shape->drop - shape->line;
		double gone = shape->drop * (1 - exp(-q / shape->pace)) + shape->line * q +
			      rest * pow(q, shape->power);
		ret->level[i] = fmax(100 * scale * (1 - gone), 0);
	}
}

static double curve_level(const struct curve *curve, double q) {
	double place = q / CURVE_END * (CURVE_POINTS - 1);
	if (place >= CURVE_POINTS - 1) {
		return curve->level[CURVE_POINTS - 1];
	}
	size_t i = place <= 0 ? 0 : (size_t) place;
	return curve->level[i] +
	       (curve->level[i + 1] - curve->level[i]) * (fmax(place, 0) - (double) i);
}

/* The part of the life that is over when @level is reached. */
static double curve_part(const struct curve *curve, double level) {
	for (size_t i = 1; i < CURVE_POINTS; i++) {
		if (curve->level[i] <= level) {
			double above = curve->level[i - 1], fall = above - curve->level[i];
			double part = fall > 0 && above > level ? (above - level) / fall : 0;
			return CURVE_END * ((double) (i - 1) + part) / (CURVE_POINTS - 1);
		}
	}
	return CURVE_END;
}

/* How much of the fall from @q to @end is the knee's: what comes at the end of a life, and fast. */
static double curve_knee(const struct curve *curve, double q, double end) {
	const struct shape *shape = curve->shape;
	double fall = q < end ? curve_level(curve, q) - curve_level(curve, end) : 0;
	double rest = 1 - shape->drop - shape->line;
	return fall < 0.5
		       ? 0
		       : clamp(100 * rest * (pow(end, shape->power) - pow(q, shape->power)) / fall,
				 0, 1);
}

struct votes {
	double bins[VOTE_BINS];
	double total, best; /* .best: logarithm that counts as 1 */
	double knee;        /* the parts of the way down that are told to be a knee, weighted */
};

static void vote(struct votes *votes, double days, double knee, double logarithm) {
	if (logarithm > votes->best) {
		double fade = exp(votes->best - logarithm);
		for (size_t i = 0; i < VOTE_BINS; i++) {
			votes->bins[i] *= fade;
		}
		votes->total *= fade;
		votes->knee *= fade;
		votes->best = logarithm;
	}
	double weight = exp(logarithm - votes->best);
	double place = days <= VOTE_LEAST ? 0 : log(days / VOTE_LEAST) / log(VOTE_STEP);
	votes->bins[(size_t) clamp(place, 0, VOTE_BINS - 1)] += weight;
	votes->total += weight;
	votes->knee += weight * knee;
}

static double votes_quantile(const struct votes *votes, double part) {
	double want = votes->total * part, sum = 0;
	for (size_t i = 0; i < VOTE_BINS; i++) {
		if (sum + votes->bins[i] >= want && votes->bins[i] > 0) {
			double within = (want - sum) / votes->bins[i];
			return i == 0 ? VOTE_LEAST * within
				      : VOTE_LEAST * pow(VOTE_STEP, (double) i + within);
		}
		sum += votes->bins[i];
	}
	return VOTE_LEAST * pow(VOTE_STEP, VOTE_BINS);
}

/* Lives are tried in steps, and no forecast is exact: what is voted for stands for its
 * surroundings. */
static void votes_blur(struct votes *votes) {
	double blurred[VOTE_BINS] = { 0 };
	for (size_t i = 0; i < VOTE_BINS; i++) {
		for (size_t j = 0; j < 2 * VOTE_BLUR - 1; j++) {
			double near = VOTE_BLUR - fabs((double) j - (VOTE_BLUR - 1));
			size_t place = i + j < VOTE_BLUR - 1 ? 0 : i + j - (VOTE_BLUR - 1);
			blurred[place < VOTE_BINS ? place : VOTE_BINS - 1] +=
				votes->bins[i] * near / (VOTE_BLUR * VOTE_BLUR);
		}
	}
	memcpy(votes->bins, blurred, sizeof(blurred));
}

struct prior {
	double life, width; /* days, and spread of its logarithm */
};

static double level_part(const struct level *level, double knee, double age, double width) {
	double k = knee - LEVEL_KNEE, a = age - LEVEL_AGE, w = width - LEVEL_WIDTH;
	double logit = level->base + level->knee * k + level->age * a + level->knee_age * k * a +
		       level->width * w;
	return clamp(1 / (1 + exp(-logit)), 0.002, 0.998);
}

/* The answer and its bounds; @watched: days since the change. */
static void votes_count(const struct votes *votes, const struct prior *prior, double watched,
	struct forecast *ret) {
	double knee = votes->knee / votes->total;
	double age = watched / (watched + votes_quantile(votes, 0.5));
	double parts[ARRAY_SIZE(levels)];
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		parts[i] = level_part(&levels[i], knee, age, prior->width);
	}
	ret->days = votes_quantile(votes, parts[LEVEL_MIDDLE]);
	double least = fmin(parts[LEVEL_LEAST], PART_LEAST_MOST);
	ret->days_least = votes_quantile(votes, fmin(least, parts[LEVEL_MIDDLE]));
	double most = fmax(parts[LEVEL_MOST], PART_MOST_LEAST);
	ret->days_most = votes_quantile(votes, fmax(most, parts[LEVEL_MIDDLE]));
}

/* So many readings of its own weight; neighbouring ones say the same. */
static double evidence_of(const struct story *story) {
	return clamp((double) story->n_cells / 3, 3, EVIDENCE_MOST);
}

/* How well a story explains what was read; logarithm. */
static double fit(const struct story *story, const struct curve *curve, double life, double begin,
	double share, double spread) {
	double sum = 0, weights = 0, watched = story->cells[0].age;
	for (size_t i = 0; i < story->n_cells; i++) {
		const struct cell *cell = &story->cells[i];
		double worn = (1 - share) * (watched - cell->age) + share * cell->moves;
		double level = curve_level(curve, begin + worn / life);
		double off = fmax(fmax(cell->lo - level, level - cell->hi), 0) / spread;
		double square = off * off;
		/* What lies far off counts little more than what lies a few spreads off. */
		sum -= cell->weight * square / (2 + square / 8);
		weights += cell->weight;
	}
	return sum * evidence_of(story) / weights;
}

static void vote_lives(const struct story *story, const struct curve *curve,
	const struct prior *prior, double begin, double share, double bonus, struct votes *votes) {
	double end = curve_part(curve, story->empty), spread = SPREAD_PERCENT + story->noise;
	if (curve->shape->spread > 0) {
		/* What is told more exactly, and is so, is the likelier for it. */
		double exact = curve->shape->spread + story->noise;
		bonus += evidence_of(story) * log(spread / exact);
		spread = exact;
	}
	double pace = (1 - share) + share * story->moves_recent;
	double worn_now = (1 - share) * story->cells[0].age +
			  share * (story->has_moves ? story->cells[story->n_cells - 1].moves : 0);
	double life = LIFE_LEAST;
	for (size_t i = 0; i < LIVES; i++, life *= LIFE_STEP) {
		double off = log(life * end / prior->life) / prior->width;
		double logarithm = bonus - off * off / 2;
		logarithm += fit(story, curve, life, begin, share, spread);
		double left = (end - begin) * life - worn_now;
		double knee = curve_knee(curve, begin + worn_now / life, end);
		vote(votes, fmax(left, 0) / fmax(pace, 0.2), knee, logarithm);
	}
}

static void vote_shape(const struct story *story, const struct shape *shape,
	const struct prior *prior, struct votes *votes) {
	static const double shares[] = { 0, 0.4, 0.8 };
	size_t n_shares = story->has_moves ? ARRAY_SIZE(shares) : 1;
	const struct set *set = &story->sets[story->n_sets - 1];
	bool is_fresh = set->is_announced && set->level_first >= 60;
	struct curve curve;
	double chance = log(shape->chance);
	for (size_t s = 0; s < n_shares; s++) {
		if (is_fresh) {
			/* Full, whatever the lock calls it: rechargeable cells read lower. */
			double scale =
				story->has_percent ? clamp(set->level_first / 100, 0.6, 1) : 1;
			curve_make(shape, scale, &curve);
			vote_lives(story, &curve, prior, 0, shares[s], chance + log(0.7), votes);
		}
		curve_make(shape, 1, &curve);
		double least = curve_part(&curve, fmin(story->start_hi + 1, 100));
		double most = curve_part(&curve, fmax(story->start_lo - 1, 0));
		double bonus = chance + log(is_fresh ? 0.05 : 1.0 / 3);
		for (size_t i = 0; i < 3; i++) {
			double begin = least + (most - least) * (0.1 + 0.4 * (double) i);
			vote_lives(story, &curve, prior, begin, shares[s], bonus, votes);
		}
	}
}

/* What was before */

static double per_day_of(const struct story *story, size_t i) {
	double lasted = story->sets[i + 1].begin - story->sets[i].begin;
	return (story->sets[i].level_first - story->sets[i].level_last) / lasted;
}

/* Of the sets before this one; -1: there is none that says something. */
static double per_day_before(const struct story *story) {
	double rates[SETS_MAX];
	size_t n = 0;
	for (size_t i = 0; i + 1 < story->n_sets; i++) {
		const struct set *set = &story->sets[i];
		if (set->n >= 2 && set->level_first - set->level_last >= 20 &&
			story->sets[i + 1].begin - set->begin >= 7) {
			rates[n++] = per_day_of(story, i);
		}
	}
	return n == 0 ? -1 : median(rates, n);
}

/* Sets that were used up say best how long one lasts here. */
static struct prior prior_of(const struct story *story, const struct forecast_input *input) {
	double lives[SETS_MAX];
	size_t n = 0;
	for (size_t i = 0; i + 1 < story->n_sets; i++) {
		const struct set *set = &story->sets[i];
		bool is_whole = (set->is_announced || set->level_first >= 95) && set->n >= 2;
		if (is_whole && set->level_first - set->level_last >= 50) {
			lives[n++] = (set->level_first - story->empty) / per_day_of(story, i);
		}
	}
	if (n > 0) {
		return (struct prior){ median(lives, n), n == 1 ? 0.45 : 0.35 };
	}
	if (input->life_days > 0) {
		return (struct prior){ input->life_days, input->is_life_assumed ? 0.65 : 0.5 };
	}
	return (struct prior){ 240, 0.75 };
}

/* Of late: the median of the falls between all pairs of pieces (Theil and Sen). */
static double fall_per(
	const struct story *story, double from_age, double until_age, bool by_moves) {
	double slopes[CELLS_MAX * (CELLS_MAX - 1) / 2];
	size_t n = 0;
	for (size_t i = 0; i < story->n_cells; i++) {
		for (size_t j = i + 1; j < story->n_cells; j++) {
			const struct cell *a = &story->cells[i], *b = &story->cells[j];
			double run = by_moves ? (b->moves - a->moves) * story->moves_per_day
					      : a->age - b->age;
			if (a->age <= from_age && b->age >= until_age && run > 0.5) {
				slopes[n++] = (middle_of(a) - middle_of(b)) / run;
			}
		}
	}
	return n == 0 ? -1 : fmax(median(slopes, n), 0);
}

static void tell_rates(
	const struct story *story, const struct forecast_input *input, struct forecast *ret) {
	double watched = story->now - story->sets[story->n_sets - 1].begin;
	double late = fmax(28, watched / 6);
	if (story->has_percent) {
		ret->percent_per_day = fmax(fall_per(story, late, 0, false), 0);
		ret->percent_per_move = story->has_moves ? fall_per(story, watched, 0, true) : -1;
	}
	ret->normal_per_day = story->has_percent ? per_day_before(story) : -1;
	if (ret->normal_per_day < 0 && story->has_percent && watched >= 2 * late) {
		ret->normal_per_day = fall_per(story, watched, late, false);
	}
	if (ret->normal_per_day < 0 && input->life_days > 0) {
		ret->normal_per_day = (100 - story->empty) / input->life_days;
		ret->is_normal_of_model = true;
	}
}

static const char *why_not(const struct story *story, const struct prior *prior) {
	const struct set *set = story->n_sets == 0 ? NULL : &story->sets[story->n_sets - 1];
	if (set == NULL) {
		return "the charge has never been read";
	}
	if (set->n == 0) {
		return "the charge has not been read since the batteries were changed";
	}
	if (story->now - set->begin < WATCHED_LEAST_DAYS) {
		return "these batteries have been watched for less than 3 days";
	}
	if (set->n < 3 && prior->width > 0.7) {
		return "fewer than 3 readings since the batteries were changed";
	}
	return NULL;
}

static bool has_percent(const struct forecast_input *input) {
	for (size_t i = 0; i < input->n_samples; i++) {
		if (input->samples[i].kind == SAMPLE_BATTERY_PERCENT) {
			return true;
		}
	}
	return false;
}

void forecast_make(const struct forecast_input *input, struct forecast *ret) {
	struct story story = { .now = days_of(input->now),
		.has_percent = has_percent(input),
		.empty = input->empty_percent > 0 ? input->empty_percent : EMPTY_DEFAULT };
	*ret = (struct forecast){ .percent_per_move = -1, .normal_per_day = -1 };
	story.step = story.has_percent ? step_of(&story, input) : 1;
	find_sets(&story, input);
	struct prior prior = prior_of(&story, input);
	if (story.n_sets > 0) {
		const struct set *set = &story.sets[story.n_sets - 1];
		ret->since = (wall_t){ (int64_t) (set->begin * DAY_S + 0.5) };
		ret->n = set->n;
	}
	ret->reason = why_not(&story, &prior);
	if (ret->reason != NULL) {
		return;
	}
	make_cells(&story, input);
	if (story.n_cells == 0) {
		ret->reason = "the charge has not been read since the batteries were changed";
		return;
	}
	mend_warmth(&story);
	count_moves(&story, input);
	weigh_cells(&story);
	tell_rates(&story, input, ret);
	struct votes votes = { .best = -INFINITY };
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		vote_shape(&story, &shapes[i], &prior, &votes);
	}
	votes_blur(&votes);
	ret->is_known = true;
	ret->reason = "";
	if (story.sets[story.n_sets - 1].level_last > story.empty) {
		votes_count(&votes, &prior, story.now - story.sets[story.n_sets - 1].begin, ret);
	}
	ret->until = (wall_t){ input->now.s + (int64_t) (ret->days * DAY_S) };
}
