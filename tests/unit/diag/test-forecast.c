/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "forecast.h"

#include <math.h>
#include <stdlib.h>

#include "cells.h"
#include "test.h"
#include "util/auto.h"

/* The score: simulated sets of each chemistry, asked at many moments, beside the straight line. */

#define RUNS                                                                                       \
	12 /* of each kind, and of those that only judge 8; twice as many for the full score       \
	    */
#define RUNS_HELD 8
#define LINE_MOST_DAYS 1500.0

struct score {
	double ours, line; /* sums of |days left, said less true| */
	size_t n, n_covered, n_silent, n_line_silent;
};

/*
 * From the first reading of this set to the last one. It is told when the batteries were changed,
 * which a real straight line would not know. -1: not falling.
 */
static double straight_line(const struct run *run, size_t n, int64_t now, int64_t from) {
	const struct sample *first = NULL, *last = NULL;
	for (size_t i = 0; i < n; i++) {
		if (run->samples[i].kind == SAMPLE_BATTERY_PERCENT &&
			run->samples[i].at.s >= from) {
			first = first == NULL ? &run->samples[i] : first;
			last = &run->samples[i];
		}
	}
	if (first == NULL || last->value >= first->value) {
		return -1;
	}
	double days = (double) (now - first->at.s) / 86400;
	double left = (last->value - RUN_EMPTY_PERCENT) * days / (first->value - last->value);
	return left < 0 ? 0 : left > LINE_MOST_DAYS ? LINE_MOST_DAYS : left;
}

static size_t samples_until(const struct run *run, int64_t at) {
	size_t n = 0;
	while (n < run->n_samples && run->samples[n].at.s <= at) {
		n++;
	}
	return n;
}

static void ask(const struct run *run, int day, bool has_model, struct forecast *ret) {
	int64_t now = (int64_t) (RUN_FIRST_DAY + day) * 86400 + 43200;
	struct forecast_input input = { .samples = run->samples,
		.n_samples = samples_until(run, now),
		.days = run->days,
		.n_days = (size_t) day + 1,
		.now = { now },
		.empty_percent = RUN_EMPTY_PERCENT,
		.life_days = has_model ? run->life_days : 0 };
	forecast_make(&input, ret);
}

static void score_run(const struct run *run, bool has_model, struct score *score) {
	int pause = getenv("LOCKHUB_BENCH") != NULL ? 19 : 38;
	for (int day = 7; day < (int) run->n_days; day += pause) {
		if (day >= run->empty[day] || run->empty[day] >= RUN_DAYS_MAX ||
			(day < run->changed && run->empty[day] == run->changed &&
				run->truth[run->changed - 1] > RUN_EMPTY_PERCENT + 2) ||
			(day >= run->changed && day < run->changed + 7)) {
			continue; /* nobody knows the truth, or the set is brand-new */
		}
		int64_t now = (int64_t) (RUN_FIRST_DAY + day) * 86400 + 43200;
		int64_t from =
			day >= run->changed ? (int64_t) (RUN_FIRST_DAY + run->changed) * 86400 : 0;
		double truth = run->empty[day] - day - 0.5;
		double line = straight_line(run, samples_until(run, now), now, from);
		struct forecast forecast;
		ask(run, day, has_model, &forecast);
		score->n_silent += !forecast.is_known;
		score->n_line_silent += line < 0;
		if (!forecast.is_known || line < 0) {
			continue;
		}
		score->n++;
		score->ours += fabs(forecast.days - truth);
		score->line += fabs(line - truth);
		score->n_covered +=
			truth >= forecast.days_least - 1 && truth <= forecast.days_most + 1;
	}
}

static void add_score(struct score *to, const struct score *from) {
	to->ours += from->ours;
	to->line += from->line;
	to->n += from->n;
	to->n_covered += from->n_covered;
	to->n_silent += from->n_silent;
	to->n_line_silent += from->n_line_silent;
}

static void print_score(
	const char *name, const char *telling, const char *life, const struct score *score) {
	double n = (double) score->n;
	print_message("# %-24s %-5s %-6s %7zu %8.1f d %7.1f d %6.2f %7.0f%% %4zu/%zu\n", name,
		telling, life, score->n, score->line / n, score->ours / n,
		score->ours / score->line, 100 * (double) score->n_covered / n, score->n_silent,
		score->n_line_silent);
}

/* One kind: with the maker's figure and without, fine and coarse. */
static struct score score_kind(const char *name, unsigned runs,
	void (*make)(struct run *run, unsigned which, enum telling telling, unsigned seed),
	unsigned which) {
	static const struct {
		enum telling telling;
		const char *name;
	} tellings[] = { { TELLING_FINE, "1 %" }, { TELLING_STEPS_10, "10 %" } };
	static struct run run;
	struct score all = { 0 };
	for (size_t t = 0; t < ARRAY_SIZE(tellings); t++) {
		struct score scores[2] = { 0 };
		for (unsigned seed = 0; seed < (t == 0 ? runs : runs / 2); seed++) {
			make(&run, which, tellings[t].telling, seed);
			score_run(&run, false, &scores[0]);
			score_run(&run, true, &scores[1]);
		}
		for (int model = 0; model < 2; model++) {
			print_score(
				name, tellings[t].name, model ? "known" : "none", &scores[model]);
			add_score(&all, &scores[model]);
		}
	}
	print_score(name, "all", "", &all);
	return all;
}

static void print_head(const char *what) {
	print_message("# %s\n# %-24s %-5s %-6s %7s %10s %9s %6s %8s %5s\n", what, "cells", "steps",
		"life", "moments", "straight", "forecast", "ratio", "80 % in", "silent");
}

static unsigned runs_of(unsigned least) {
	return getenv("LOCKHUB_BENCH") != NULL ? 2 * least : least;
}

static void make_tuned(struct run *run, unsigned which, enum telling telling, unsigned seed) {
	run_make(run, (enum chemistry) which, telling, seed);
}

static void make_held(struct run *run, unsigned which, enum telling telling, unsigned seed) {
	run_make_of(run, &held_kinds[which], telling, seed,
		0xd1342543de82ef95ULL * (seed + 77) + which);
}

/* The kinds by which the forecast was made, with seeds that had no part in it. */
static void beats_the_straight_line(void **state) {
	print_head("chosen by these kinds");
	for (unsigned c = 0; c < CHEMISTRY_COUNT_; c++) {
		struct score score = score_kind(
			chemistry_name((enum chemistry) c), runs_of(RUNS), make_tuned, c);
		double covered = (double) score.n_covered / (double) score.n;
		assert_true(score.n > 100);
		/* Counted charge is a straight line: not far off is good enough. */
		assert_true(score.ours < score.line * (c == CHEMISTRY_GAUGE ? 1.2 : 0.9));
		assert_true(covered > 0.72);
		assert_true(score.n_silent * 10 < score.n);
	}
}

/* And kinds, gauges and ways of use that had none at all. */
static void holds_for_what_it_was_not_made_for(void **state) {
	struct score all = { 0 };
	print_head("judged by these kinds alone");
	for (unsigned h = 0; h < HELD_COUNT; h++) {
		struct score score =
			score_kind(held_kinds[h].name, runs_of(RUNS_HELD), make_held, h);
		double covered = (double) score.n_covered / (double) score.n;
		assert_true(score.n > 60);
		/* Where nobody was for two months, and all is otherwise since, the line is no
		 * worse. */
		double most = held_kinds[h].away_days > 0 ? 1.4 : 0.95;
		assert_true(score.ours < score.line * most);
		assert_true(covered > 0.65);
		assert_true(score.n_silent * 10 < score.n);
		add_score(&all, &score);
	}
	print_score("all of them", "all", "", &all);
	assert_true(all.ours < all.line * 0.85);
	assert_true(all.n_covered * 4 > all.n * 3);
}

/* A hand-made history */

#define DAY_0 20000

struct tale {
	struct sample samples[800];
	size_t n;
	struct lock_day days[400];
	size_t n_days;
	int empty;
	double life;
};

static void told(struct tale *tale, enum sample_kind kind, double day, int32_t value) {
	tale->samples[tale->n++] = (struct sample){ .kind = kind,
		.at = { (int64_t) ((DAY_0 + day) * 86400) },
		.is_time_trusted = true,
		.value = value };
}

static struct forecast told_until(const struct tale *tale, double day) {
	struct forecast forecast;
	struct forecast_input input = { .samples = tale->samples,
		.n_samples = tale->n,
		.days = tale->days,
		.n_days = tale->n_days,
		.now = { (int64_t) ((DAY_0 + day) * 86400) },
		.empty_percent = tale->empty,
		.life_days = tale->life };
	forecast_make(&input, &forecast);
	return forecast;
}

/* From @from percent, a percent every @days_each days. */
static void told_line(struct tale *tale, double day, int from, int until, double days_each) {
	for (int level = from; level >= until; level--, day += days_each) {
		told(tale, SAMPLE_BATTERY_PERCENT, day, level);
	}
}

static double since_day(const struct forecast *forecast) {
	return (double) forecast->since.s / 86400 - DAY_0;
}

static void follows_an_even_fall(void **state) {
	struct tale tale = { 0 };
	told(&tale, SAMPLE_BATTERY_CHANGED, 0, 1);
	told_line(&tale, 0, 100, 40, 2);
	struct forecast forecast = told_until(&tale, 121);
	assert_true(forecast.is_known);
	assert_int_equal(forecast.n, 61);
	assert_true(forecast.percent_per_day > 0.45 && forecast.percent_per_day < 0.55);
	/* Truth: 60 days, if it goes on like this. */
	assert_true(forecast.days > 25 && forecast.days < 100);
	assert_true(forecast.days_least < 60 && forecast.days_most > 60);
	assert_true(forecast.days_least <= forecast.days && forecast.days <= forecast.days_most);
	assert_true(llabs(forecast.until.s - (int64_t) (DAY_0 + 121) * 86400 -
			    (int64_t) (forecast.days * 86400)) < 2);
}

/* Where nothing may be relied on any more is the model's business. */
static void ends_where_the_model_says(void **state) {
	struct tale tale = { 0 }, early = { .empty = 30 };
	told_line(&tale, 0, 100, 40, 2);
	told_line(&early, 0, 100, 40, 2);
	assert_true(told_until(&early, 121).days < told_until(&tale, 121).days * 0.7);
	early.empty = 40;
	struct forecast forecast = told_until(&early, 121);
	assert_true(forecast.is_known);
	assert_true(forecast.days == 0 && forecast.days_most == 0);
}

static void begins_anew_with_other_batteries(void **state) {
	for (int is_announced = 0; is_announced < 2; is_announced++) {
		struct tale tale = { 0 };
		told_line(&tale, 0, 100, 20, 1);
		if (is_announced) {
			told(&tale, SAMPLE_BATTERY_CHANGED, 85, 1);
		}
		told_line(&tale, 85, 100, 90, 1);
		struct forecast forecast = told_until(&tale, 96);
		assert_true(forecast.is_known);
		assert_true(fabs(since_day(&forecast) - 85) < 0.01);
		assert_int_equal(forecast.n, 11);
		/* The set before fell by 80 percent in 85 days, to the change. */
		assert_true(forecast.normal_per_day > 0.9 && forecast.normal_per_day < 1.0);
		assert_true(forecast.percent_per_day > 0.8);
		assert_true(forecast.days > 45 && forecast.days < 130);
	}
}

/* A level that comes back to where it was a few days ago is no other battery. */
static void forgives_cold_and_rest(void **state) {
	struct tale calm = { 0 }, cold = { 0 };
	told_line(&calm, 0, 100, 60, 2);
	for (int level = 100; level >= 60; level--) {
		double day = (100 - level) * 2;
		told(&cold, SAMPLE_BATTERY_PERCENT, day, level);
		if (level % 10 == 5) {
			told(&cold, SAMPLE_BATTERY_PERCENT, day + 0.3, level - 22);
			told(&cold, SAMPLE_BATTERY_PERCENT, day + 0.6, level);
		}
	}
	struct forecast a = told_until(&calm, 82), b = told_until(&cold, 82);
	assert_true(since_day(&b) < 1);
	assert_true(fabs(a.days - b.days) < 0.1 * a.days);
	assert_true(fabs(a.percent_per_day - b.percent_per_day) < 0.05);
	/* Nor is a single reading that is much too high. */
	told(&cold, SAMPLE_BATTERY_PERCENT, 81, 100);
	told(&cold, SAMPLE_BATTERY_PERCENT, 81.2, 60);
	b = told_until(&cold, 82);
	assert_true(since_day(&b) < 1);
	assert_true(fabs(a.days - b.days) < 0.1 * a.days);
}

/* Colder by ten degrees for a month, and the lock says so: that is not drain. */
static void believes_the_thermometer(void **state) {
	struct tale with = { 0 }, without = { 0 };
	for (int day = 0; day < 150; day++) {
		int level = 100 - day / 5, celsius = day / 15 % 2 == 0 ? 20 : 8;
		int told_level = day / 15 % 2 == 0 ? level : level - 8;
		told(&with, SAMPLE_CELSIUS, day, celsius);
		told(&with, SAMPLE_BATTERY_PERCENT, day + 0.01, told_level);
		told(&without, SAMPLE_BATTERY_PERCENT, day + 0.01, told_level);
	}
	double true_rate = 0.2;
	struct forecast a = told_until(&with, 150), b = told_until(&without, 150);
	assert_true(fabs(a.percent_per_day - true_rate) < 0.06);
	assert_true(fabs(a.percent_per_day - true_rate) < fabs(b.percent_per_day - true_rate));
}

static void counts_moves(void **state) {
	struct tale tale = { 0 };
	double level = 100;
	for (int day = 0; day < 100; day++) {
		int moves = day % 2 == 0 ? 12 : 4;
		tale.days[tale.n_days].day = DAY_0 + day;
		tale.days[tale.n_days++].counts[DAY_MOVES] = (uint32_t) moves;
		told(&tale, SAMPLE_BATTERY_PERCENT, day, (int32_t) level);
		level -= moves * 0.05;
	}
	struct forecast forecast = told_until(&tale, 100);
	assert_true(forecast.percent_per_move > 0.045 && forecast.percent_per_move < 0.055);
	/* From now on nobody comes: what moves cost is saved, once that is no mere absence. */
	double before = forecast.days;
	for (int day = 100; day < 130; day++) {
		tale.days[tale.n_days++].day = DAY_0 + day;
	}
	assert_true(told_until(&tale, 130).days > before - 10);
}

static void says_why_it_does_not_know(void **state) {
	struct tale tale = { 0 };
	assert_false(told_until(&tale, 10).is_known);
	assert_string_equal(told_until(&tale, 10).reason, "the charge has never been read");
	told(&tale, SAMPLE_BATTERY_PERCENT, 0, 95);
	assert_string_equal(told_until(&tale, 2).reason,
		"these batteries have been watched for less than 3 days");
	told(&tale, SAMPLE_BATTERY_PERCENT, 9, 94);
	assert_string_equal(told_until(&tale, 10).reason,
		"fewer than 3 readings since the batteries were changed");
	tale.life = 300;
	assert_true(told_until(&tale, 10).is_known);
	tale.samples[0].value = tale.samples[1].value = 30;
	told(&tale, SAMPLE_BATTERY_CHANGED, 12, 1);
	assert_string_equal(told_until(&tale, 20).reason,
		"the charge has not been read since the batteries were changed");
	assert_int_equal(told_until(&tale, 20).n, 0);
}

/* A clock that nobody trusted when it was read says nothing about days. */
static void leaves_out_what_has_no_time(void **state) {
	struct tale tale = { 0 };
	told_line(&tale, 0, 100, 80, 2);
	double before = told_until(&tale, 45).days;
	told(&tale, SAMPLE_BATTERY_PERCENT, 44, 20);
	tale.samples[tale.n - 1].is_time_trusted = false;
	assert_true(told_until(&tale, 45).days == before);
	tale.samples[tale.n - 1].is_time_trusted = true;
	assert_true(told_until(&tale, 45).days != before);
}

/* Of two lives that are said to be long, the one that nobody stands by gives way to what is read.
 */
static void leans_less_on_what_is_assumed(void **state) {
	struct tale tale = { .life = 1500 };
	struct forecast said, assumed;
	told(&tale, SAMPLE_BATTERY_CHANGED, 0, 1);
	told_line(&tale, 0, 100, 60, 1);
	struct forecast_input input = { .samples = tale.samples,
		.n_samples = tale.n,
		.now = { (int64_t) (DAY_0 + 41) * 86400 },
		.life_days = tale.life };
	forecast_make(&input, &said);
	input.is_life_assumed = true;
	forecast_make(&input, &assumed);
	assert_true(said.is_known && assumed.is_known);
	assert_true(assumed.days_least < said.days_least);
}

/* "ok" and "warning" are enough to tell soon from far. */
static void reads_words(void **state) {
	struct tale tale = { .life = 200 };
	told(&tale, SAMPLE_BATTERY_CHANGED, 0, 1);
	told(&tale, SAMPLE_BATTERY_LEVEL, 0, BATTERY_OK);
	double fresh = told_until(&tale, 20).days, later = told_until(&tale, 120).days;
	assert_true(fresh > 90 && later < fresh - 30);
	told(&tale, SAMPLE_BATTERY_LEVEL, 150, BATTERY_WARNING);
	struct forecast forecast = told_until(&tale, 155);
	assert_true(forecast.is_known);
	assert_true(forecast.days < 45);
	told(&tale, SAMPLE_BATTERY_LEVEL, 170, BATTERY_CRITICAL);
	assert_true(told_until(&tale, 171).days == 0);
	/* New ones, that nobody told of. */
	told(&tale, SAMPLE_BATTERY_LEVEL, 172, BATTERY_OK);
	forecast = told_until(&tale, 180);
	assert_true(fabs(since_day(&forecast) - 172) < 0.01);
	assert_true(forecast.days > 90);
}

static void survives_nonsense(void **state) {
	struct tale tale = { .life = -5 };
	told(&tale, SAMPLE_BATTERY_PERCENT, 0, -7);
	told(&tale, SAMPLE_BATTERY_PERCENT, 1, 400);
	told(&tale, SAMPLE_BATTERY_LEVEL, 1, 77);
	assert_false(told_until(&tale, 10).is_known);
	for (int i = 0; i < 700; i++) {
		told(&tale, SAMPLE_BATTERY_PERCENT, i / 10.0, (i * 7919) % 101);
	}
	struct forecast forecast = told_until(&tale, 80);
	if (forecast.is_known) {
		assert_true(isfinite(forecast.days) && forecast.days >= 0);
		assert_true(forecast.days_most >= forecast.days_least);
	}
	told(&tale, SAMPLE_BATTERY_CHANGED, 500, 1); /* in the future */
	assert_true(told_until(&tale, 80).since.s == forecast.since.s);
}

/* As much as is ever handed out, of a level that never rests: still one set, and soon reckoned. */
static void bears_a_level_that_flickers(void **state) {
	static struct sample samples[HISTORY_SAMPLES_MAX];
	for (size_t i = 0; i < HISTORY_SAMPLES_MAX; i++) {
		samples[i] = (struct sample){ .kind = SAMPLE_BATTERY_PERCENT,
			.at = { (int64_t) DAY_0 * 86400 + (int64_t) i * 60 },
			.is_time_trusted = true,
			.value = 90 - (int32_t) (i / 2000) - (int32_t) (i % 2) };
	}
	struct forecast_input input = { .samples = samples,
		.n_samples = HISTORY_SAMPLES_MAX,
		.now = { (int64_t) (DAY_0 + 14) * 86400 } };
	struct forecast forecast;
	forecast_make(&input, &forecast);
	assert_true(forecast.is_known);
	assert_true(fabs((double) forecast.since.s / 86400 - DAY_0) < 0.01);
	/* 10 percent in 14 days. */
	assert_true(forecast.percent_per_day > 0.5 && forecast.percent_per_day < 0.9);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_an_even_fall),
		cmocka_unit_test(ends_where_the_model_says),
		cmocka_unit_test(begins_anew_with_other_batteries),
		cmocka_unit_test(forgives_cold_and_rest),
		cmocka_unit_test(believes_the_thermometer),
		cmocka_unit_test(counts_moves),
		cmocka_unit_test(says_why_it_does_not_know),
		cmocka_unit_test(leaves_out_what_has_no_time),
		cmocka_unit_test(leans_less_on_what_is_assumed),
		cmocka_unit_test(reads_words),
		cmocka_unit_test(survives_nonsense),
		cmocka_unit_test(bears_a_level_that_flickers),
		cmocka_unit_test(beats_the_straight_line),
		cmocka_unit_test(holds_for_what_it_was_not_made_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
