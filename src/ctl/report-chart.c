/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include <math.h>
#include <string.h>

#include "html.h"
#include "room.h"
#include "svg.h"
#include "util/when.h"

#define DAY_S 86400
#define BATTERY_DAYS 120 /* looked back */
#define BATTERY_AHEAD_DAYS 30
#define DAYS 30 /* of the charts that count by day */
#define POINTS_MAX 512
#define TABLE_ROWS_MAX 40
#define SENSIBLE_MAX 1e11 /* what is beyond was never measured */

/* ---- reading the history ---- */

static const json_t *samples_of(const struct chart *chart, const char *kind) {
	return json_object_get(json_object_get(chart->history, "samples"), kind);
}

static bool sample_at(const json_t *samples, size_t i, struct point *ret) {
	const json_t *pair = json_array_get(samples, i);
	const json_t *x = json_array_get(pair, 0), *y = json_array_get(pair, 1);
	if (!json_is_number(x) || !json_is_number(y)) {
		return false;
	}
	*ret = (struct point){ json_number_value(x), json_number_value(y) };
	return fabs(ret->x) < SENSIBLE_MAX && fabs(ret->y) < SENSIBLE_MAX;
}

/* The newest samples, at most POINTS_MAX, and the one before @since, moved there. @return how many.
 */
static size_t samples_since(const json_t *samples, double since, struct point *ret) {
	size_t n_all = json_array_size(samples), n = 0;
	for (size_t i = n_all > POINTS_MAX ? n_all - POINTS_MAX : 0; i < n_all; i++) {
		struct point point;
		if (!sample_at(samples, i, &point)) {
			continue;
		}
		if (point.x < since) {
			ret[0] = (struct point){ since, point.y };
			n = 1;
		} else {
			ret[n++] = point;
		}
	}
	return n;
}

static int64_t day_of_text(const char *text) {
	struct civil civil = { 0 };
	wall_t wall = { 0 };
	if (sscanf(text, "%4d-%2d-%2d", &civil.year, &civil.month, &civil.day) != 3 ||
		wall_from_civil(&civil, &wall) < 0) {
		return -1;
	}
	return wall.s / DAY_S;
}

/* The last DAYS days, today last; NULL: nothing happened. */
struct month {
	const json_t *days[DAYS];
	int64_t first; /* day number */
	bool is_any;
};

static void month_read(const struct chart *chart, struct month *ret) {
	size_t i;
	const json_t *day;
	*ret = (struct month){ .first = chart->now / DAY_S - DAYS + 1 };
	json_array_foreach(json_object_get(chart->history, "days"), i, day) {
		int64_t at = day_of_text(facts_text(day, "day")) - ret->first;
		if (at >= 0 && at < DAYS) {
			ret->days[at] = day;
			ret->is_any = true;
		}
	}
}

static double count(const json_t *day, const char *key) {
	int64_t n = day != NULL ? facts_number(day, key, 0) : 0;
	return n > 0 ? (double) n : 0;
}

static double month_sum(const struct month *month, size_t from, size_t to, const char *key) {
	double sum = 0;
	for (size_t i = from; i < to; i++) {
		sum += count(month->days[i], key);
	}
	return sum;
}

static void day_text(int64_t day, char *out, size_t size) {
	struct civil civil = wall_to_civil((wall_t){ day * DAY_S });
	snprintf(out, size, "%04d-%02d-%02d", civil.year, civil.month, civil.day);
}

/* ---- figures ---- */

static void figure_begin(const struct chart *chart, const char *title, const char *text) {
	fputs("<figure>\n<figcaption>", chart->out);
	html_element(chart->out, "h4", "%s", title);
	html_element(chart->out, "p", "%s", text);
	fputs("</figcaption>\n", chart->out);
}

static void figure_end(const struct chart *chart) {
	fputs("</figure>\n", chart->out);
}

static void nothing(const struct chart *chart, const char *title, const char *text) {
	figure_begin(chart, title, text);
	figure_end(chart);
}

static void numbers_begin(
	const struct chart *chart, const char *caption, const char *const *heads) {
	fputs("<details><summary>The numbers as a table</summary>\n", chart->out);
	html_table_begin(chart->out, caption, heads);
}

static void numbers_end(const struct chart *chart) {
	html_table_end(chart->out);
	fputs("</details>\n", chart->out);
}

struct legend {
	const char *class_name, *text;
};

static void legend(const struct chart *chart, const struct legend *rows, size_t n) {
	fputs("<ul class=\"legend\">", chart->out);
	for (size_t i = 0; i < n; i++) {
		fprintf(chart->out, "<li><span class=\"key %s\" aria-hidden=\"true\"></span>",
			rows[i].class_name);
		html_text(chart->out, rows[i].text);
		fputs("</li>", chart->out);
	}
	fputs("</ul>\n", chart->out);
}

static const char *make_id(const struct chart *chart, const char *what, char *out, size_t size) {
	snprintf(out, size, "%s-%s", chart->id, what);
	return out;
}

/* ---- the batteries ---- */

struct outlook {
	bool is_known;
	double days, least, most, per_day;
};

static double real(const json_t *object, const char *key, double fallback) {
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : fallback;
}

static struct outlook outlook_read(const struct chart *chart) {
	const json_t *forecast = json_object_get(chart->history, "forecast");
	struct outlook outlook = { .days = real(forecast, "days", -1) };
	outlook.is_known = facts_flag(forecast, "known") && outlook.days >= 0;
	outlook.least = fmin(real(forecast, "least", outlook.days), outlook.days);
	outlook.most = fmax(real(forecast, "most", outlook.days), outlook.days);
	outlook.per_day = real(forecast, "percent_per_day", -1);
	return outlook;
}

static void outlook_text(const struct chart *chart, char *out, size_t size) {
	struct outlook outlook = outlook_read(chart);
	const json_t *forecast = json_object_get(chart->history, "forecast");
	const char *reason = facts_text(forecast, "reason");
	if (outlook.is_known) {
		int n = snprintf(out, size,
			"As they are used now they last %.0f more days (between %.0f and %.0f).",
			outlook.days, outlook.least, outlook.most);
		if (outlook.per_day > 0 && n > 0 && (size_t) n < size) {
			snprintf(out + n, size - (size_t) n, " They lose %.1f %% a day.",
				outlook.per_day);
		}
	} else {
		snprintf(out, size, "How long they will last cannot be said%s%s.",
			reason[0] != '\0' ? ": " : "", reason);
	}
}

/* A straight line from now to empty, as far as the picture goes. */
static struct point ahead(const struct plot *plot, struct point now, double days, double empty) {
	double x = now.x + days * DAY_S;
	if (x <= plot->x_most || days <= 0) {
		return (struct point){ x, empty };
	}
	double share = (plot->x_most - now.x) / (days * DAY_S);
	return (struct point){ plot->x_most, now.y - (now.y - empty) * share };
}

static void draw_outlook(const struct plot *plot, struct point now, const struct outlook *outlook) {
	double empty = outlook->per_day > 0 ? now.y - outlook->per_day * outlook->days : 10;
	empty = fmin(fmax(empty, 0), now.y);
	struct point least = ahead(plot, now, outlook->least, empty);
	struct point most = ahead(plot, now, outlook->most, empty);
	struct point middle = ahead(plot, now, outlook->days, empty);
	/* The corner between an early end within the picture and a late one beyond it. */
	struct point corner = { most.x, least.y < most.y ? least.y : most.y };
	plot_area(plot, "band", (const struct point[]){ now, least, corner, most }, 4);
	plot_line(plot, "ahead", (const struct point[]){ now, middle }, 2, false);
}

static void draw_changes(const struct chart *chart, const struct plot *plot) {
	const json_t *changes = samples_of(chart, "battery_changed");
	for (size_t i = 0; i < json_array_size(changes); i++) {
		struct point change;
		if (sample_at(changes, i, &change) && change.x > plot->x_least) {
			plot_mark(plot, change.x, "changed");
		}
	}
}

static void battery_table(const struct chart *chart, const struct point *points, size_t n) {
	numbers_begin(chart, "Charge of the batteries",
		(const char *const[]){ "When (UTC)", "#Charge", NULL });
	/* The last of each day. */
	size_t first = n > TABLE_ROWS_MAX ? n - TABLE_ROWS_MAX : 0;
	for (size_t i = first; i < n; i++) {
		char day[16];
		int64_t at = (int64_t) points[i].x / DAY_S;
		if (i + 1 < n && (int64_t) points[i + 1].x / DAY_S == at) {
			continue;
		}
		day_text(at, day, sizeof(day));
		html_row_begin(chart->out);
		html_head_cell(chart->out, "%s", day);
		html_number_cell(chart->out, "%.0f %%", points[i].y);
		html_row_end(chart->out);
	}
	numbers_end(chart);
}

void chart_battery(const struct chart *chart) {
	static const char title[] = "Batteries";
	static const struct legend rows[] = { { "line", "told by the lock" },
		{ "ahead", "expected" }, { "band", "expected, 8 times out of 10" } };
	struct point points[POINTS_MAX + 2];
	double now = (double) chart->now;
	size_t n = samples_since(
		samples_of(chart, "battery_percent"), now - (double) BATTERY_DAYS * DAY_S, points);
	char about[512], expectation[256], id[64];
	if (n == 0) {
		nothing(chart, title, "The lock gives no percentage, or none has been read yet.");
		return;
	}
	struct outlook outlook = outlook_read(chart);
	points[n] = (struct point){ fmax(now, points[n - 1].x), points[n - 1].y };
	double behind = (now - points[0].x) / DAY_S;
	struct plot plot = { .out = chart->out, .y_most = 100, .x_most = points[n].x };
	plot.x_least = points[0].x < now - 7.0 * DAY_S ? points[0].x : now - 7.0 * DAY_S;
	if (outlook.is_known) {
		double days = fmin(outlook.most, fmax(BATTERY_AHEAD_DAYS, behind));
		plot.x_most = now + fmax(days, 1) * DAY_S;
	}
	outlook_text(chart, expectation, sizeof(expectation));
	snprintf(about, sizeof(about), "Now %.0f %%. %s", points[n].y, expectation);
	figure_begin(chart, title, about);
	plot_begin(&plot, make_id(chart, "battery", id, sizeof(id)), 200,
		"Charge of the batteries over time, in percent", about);
	plot_scale_y(&plot, 25, "%");
	plot_scale_time(&plot);
	if (outlook.is_known) {
		draw_outlook(&plot, points[n], &outlook);
		plot_mark(&plot, now, "today");
	}
	draw_changes(chart, &plot);
	plot_line(&plot, "line", points, n + 1, true);
	plot_dot(&plot, "dot", points[n].x, points[n].y);
	plot_end(&plot);
	legend(chart, rows, outlook.is_known ? ARRAY_SIZE(rows) : 1);
	battery_table(chart, points, n);
	figure_end(chart);
}

/* ---- how strongly the lock is heard ---- */

static const struct {
	const char *key, *text, *word;
} bands[] = {
	{ "rssi_50", "-50 and better", "excellent" },
	{ "rssi_60", "-60 to -51", "very good" },
	{ "rssi_70", "-70 to -61", "good" },
	{ "rssi_80", "-80 to -71", "fair" },
	{ "rssi_90", "-90 to -81", "weak" },
	{ "rssi_weaker", "-91 and below", "hardly heard" },
};
#define WEEK 7

static double strengths(const struct month *month, size_t from, size_t to) {
	double sum = 0;
	for (size_t i = 0; i < ARRAY_SIZE(bands); i++) {
		sum += month_sum(month, from, to, bands[i].key);
	}
	return sum;
}

/* "half of the time better than": the band that holds the middle one. */
static size_t middle_band(const struct month *month, size_t from, size_t to, double all) {
	double sum = 0;
	size_t i = 0;
	for (; i + 1 < ARRAY_SIZE(bands); i++) {
		sum += month_sum(month, from, to, bands[i].key);
		if (sum * 2 >= all) {
			break;
		}
	}
	return i;
}

static double percent(double part, double whole) {
	return whole > 0 ? 100 * part / whole : 0;
}

static void signal_table(
	const struct chart *chart, const struct month *month, double week, double before) {
	numbers_begin(chart, "How strongly the lock was heard",
		(const char *const[]){ "Strength", "", "#Last 7 days", "#Days before", NULL });
	for (size_t i = 0; i < ARRAY_SIZE(bands); i++) {
		html_row_begin(chart->out);
		html_head_cell(chart->out, "%s dBm", bands[i].text);
		html_cell(chart->out, "%s", bands[i].word);
		html_number_cell(chart->out, "%.0f %%",
			percent(month_sum(month, DAYS - WEEK, DAYS, bands[i].key), week));
		if (before > 0) {
			html_number_cell(chart->out, "%.0f %%",
				percent(month_sum(month, 0, DAYS - WEEK, bands[i].key), before));
		} else {
			html_number_cell(chart->out, "–");
		}
		html_row_end(chart->out);
	}
	numbers_end(chart);
}

void chart_signal(const struct chart *chart) {
	static const char title[] = "Signal";
	static const struct legend rows[] = { { "good", "last 7 days" },
		{ "faint", "the 23 days before" } };
	struct month month;
	char about[256], id[64];
	month_read(chart, &month);
	double week = strengths(&month, DAYS - WEEK, DAYS);
	double before = strengths(&month, 0, DAYS - WEEK);
	if (week + before <= 0) {
		nothing(chart, title, "Nothing has been counted yet of how strongly it is heard.");
		return;
	}
	if (week > 0) {
		size_t middle = middle_band(&month, DAYS - WEEK, DAYS, week);
		snprintf(about, sizeof(about),
			"In the last 7 days the lock was mostly heard with %s dBm: %s.",
			bands[middle].text, bands[middle].word);
	} else {
		snprintf(about, sizeof(about), "The lock was not heard in the last 7 days.");
	}
	figure_begin(chart, title, about);
	struct plot plot = { .out = chart->out, .x_most = 1, .y_most = 1 };
	plot_begin(&plot, make_id(chart, "signal", id, sizeof(id)), 216,
		"How strongly the lock is heard: shares of each strength in percent", about);
	plot.left = 118;
	plot.right = SVG_WIDTH - 46;
	for (size_t i = 0; i < ARRAY_SIZE(bands); i++) {
		double top = 10 + 34 * (double) i;
		double now = percent(month_sum(&month, DAYS - WEEK, DAYS, bands[i].key), week);
		double then = percent(month_sum(&month, 0, DAYS - WEEK, bands[i].key), before);
		plot_text(&plot, plot.left - 6, top + 11, "end", "%s", bands[i].text);
		plot_text(&plot, plot.left - 6, top + 24, "end", "%s", bands[i].word);
		plot_bar(&plot, "good", top, 14, now / 100);
		plot_bar(&plot, "faint", top + 16, 8, then / 100);
		plot_text(&plot, SVG_WIDTH - 2, top + 12, "end", "%.0f %%", now);
	}
	plot_end(&plot);
	legend(chart, rows, ARRAY_SIZE(rows));
	signal_table(chart, &month, week, before);
	figure_end(chart);
}

/* ---- what happened day by day ---- */

struct stack {
	const char *key, *class_name, *text;
};

static double day_sum(const json_t *day, const struct stack *stacks, size_t n) {
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += count(day, stacks[i].key);
	}
	return sum;
}

static void draw_days(const struct chart *chart, const struct month *month, const char *id,
	const char *title, const char *about, const struct stack *stacks, size_t n) {
	double most = 1;
	for (size_t i = 0; i < DAYS; i++) {
		most = fmax(most, day_sum(month->days[i], stacks, n));
	}
	struct plot plot = { .out = chart->out,
		.x_least = (double) month->first * DAY_S,
		.x_most = (double) (month->first + DAYS) * DAY_S,
		.y_most = plot_round_up(most) };
	plot_begin(&plot, id, 180, title, about);
	plot_scale_y(&plot, fmax(plot.y_most / 5, 1), "a day");
	/* A date stands below the middle of its day. */
	struct plot dates = plot;
	dates.x_most -= DAY_S / 2.0;
	dates.right = plot_x(&plot, dates.x_most);
	plot_scale_time(&dates);
	for (size_t i = 0; i < DAYS; i++) {
		double from = 0, x = ((double) month->first + (double) i + 0.5) * DAY_S;
		for (size_t k = 0; k < n; k++) {
			double to = from + count(month->days[i], stacks[k].key);
			plot_column(&plot, stacks[k].class_name, x, 0.8 * DAY_S, from, to);
			from = to;
		}
	}
	plot_end(&plot);
}

static void days_table(const struct chart *chart, const struct month *month, const char *caption,
	const struct stack *stacks, size_t n) {
	const char *heads[8] = { "Day (UTC)" };
	char texts[6][64];
	for (size_t k = 0; k < n && k < ARRAY_SIZE(texts); k++) {
		snprintf(texts[k], sizeof(texts[k]), "#%s", stacks[k].text);
		heads[k + 1] = texts[k];
	}
	numbers_begin(chart, caption, heads);
	for (size_t i = 0; i < DAYS; i++) {
		char day[16];
		if (month->days[i] == NULL || day_sum(month->days[i], stacks, n) <= 0) {
			continue;
		}
		day_text(month->first + (int64_t) i, day, sizeof(day));
		html_row_begin(chart->out);
		html_head_cell(chart->out, "%s", day);
		for (size_t k = 0; k < n; k++) {
			html_number_cell(chart->out, "%.0f", count(month->days[i], stacks[k].key));
		}
		html_row_end(chart->out);
	}
	numbers_end(chart);
}

static void days_figure(const struct chart *chart, const char *what, const char *title,
	const char *none, const char *summary, const struct stack *stacks, size_t n) {
	struct legend rows[4];
	struct month month;
	char about[256], id[64];
	double sums[4] = { 0 }, all = 0;
	month_read(chart, &month);
	for (size_t k = 0; k < n && k < ARRAY_SIZE(rows); k++) {
		rows[k] = (struct legend){ stacks[k].class_name, stacks[k].text };
		sums[k] = month_sum(&month, 0, DAYS, stacks[k].key);
		all += sums[k];
	}
	if (all <= 0) {
		nothing(chart, title, none);
		return;
	}
	int at = snprintf(about, sizeof(about), "%s in the last %d days: ", summary, DAYS);
	for (size_t k = 0; k < n && at > 0 && (size_t) at < sizeof(about); k++) {
		at += snprintf(about + at, sizeof(about) - (size_t) at, "%s%.0f %s",
			k > 0 ? ", " : "", sums[k], stacks[k].text);
	}
	figure_begin(chart, title, about);
	draw_days(chart, &month, make_id(chart, what, id, sizeof(id)), summary, about, stacks, n);
	legend(chart, rows, n);
	days_table(chart, &month, summary, stacks, n);
	figure_end(chart);
}

void chart_operations(const struct chart *chart) {
	static const struct stack stacks[] = { { "ops_done", "good", "done" },
		{ "ops_unknown", "doubt", "outcome unknown" },
		{ "ops_failed", "failed", "failed" } };
	days_figure(chart, "operations", "Operations", "The hub has not moved the bolt lately.",
		"Operations that the hub was asked for", stacks, ARRAY_SIZE(stacks));
}

/* Attempts that succeeded are what is left of them. */
static json_t *with_successes(const json_t *history) {
	json_t *copy = json_deep_copy(history), *day;
	size_t i;
	json_array_foreach(json_object_get(copy, "days"), i, day) {
		double good = count(day, "attempts") - count(day, "failures");
		json_object_set_new(day, "successes", json_integer((json_int_t) fmax(good, 0)));
	}
	return copy;
}

void chart_links(const struct chart *chart) {
	static const struct stack stacks[] = { { "successes", "good", "succeeded" },
		{ "failures", "failed", "failed" } };
	AUTO(json_decref) json_t *history = with_successes(chart->history);
	struct chart own = *chart;
	own.history = history;
	days_figure(&own, "links", "Connections", "The hub has not connected to the lock lately.",
		"Attempts to connect", stacks, ARRAY_SIZE(stacks));
}

/* ---- jams ---- */

#define DOOR_UNKNOWN 2
static const struct {
	const char *jams, *runs, *text;
} directions[] = {
	{ "jams_lock_open", "locks_open", "locking, door open" },
	{ "jams_lock_shut", "locks_shut", "locking, door shut" },
	{ "jams_lock", "locks", "locking, door unknown" },
	{ "jams_unlock", "unlocks", "unlocking" },
};

/*
 * Of a column of the table above in the last DAYS days. "locks" and "jams_lock" count all runs in
 * that direction: what is left of them are those of which nobody knew how the door was.
 */
static double direction_sum(const struct month *month, size_t i, bool is_jams) {
	double sum = month_sum(month, 0, DAYS, is_jams ? directions[i].jams : directions[i].runs);
	if (i == DOOR_UNKNOWN) {
		sum -= month_sum(month, 0, DAYS, is_jams ? "jams_lock_open" : "locks_open");
		sum -= month_sum(month, 0, DAYS, is_jams ? "jams_lock_shut" : "locks_shut");
	}
	return fmax(sum, 0);
}

static void jams_table(const struct chart *chart, const struct month *month) {
	numbers_begin(chart, "Jams in the last 30 days",
		(const char *const[]){ "Direction", "#Runs", "#Jammed", "#Share", NULL });
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
		double runs = direction_sum(month, i, false);
		double jams = direction_sum(month, i, true);
		html_row_begin(chart->out);
		html_head_cell(chart->out, "%s", directions[i].text);
		html_number_cell(chart->out, "%.0f", runs);
		html_number_cell(chart->out, "%.0f", jams);
		if (runs > 0) {
			html_number_cell(chart->out, "%.0f %%", percent(jams, runs));
		} else {
			html_number_cell(chart->out, "–");
		}
		html_row_end(chart->out);
	}
	numbers_end(chart);
}

void chart_jams(const struct chart *chart) {
	static const char title[] = "Jams";
	struct month month;
	char about[256] = "", id[64];
	double all_jams = 0, all_runs = 0, worst = 0;
	month_read(chart, &month);
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
		double runs = direction_sum(&month, i, false);
		double jams = direction_sum(&month, i, true);
		all_runs += runs;
		all_jams += jams;
		if (jams > 0 && percent(jams, runs) > worst) {
			worst = percent(jams, runs);
			snprintf(about, sizeof(about), " It jams most often when %s: %.0f %%.",
				directions[i].text, worst);
		}
	}
	char text[384];
	if (all_runs <= 0) {
		nothing(chart, title, "No run of the motor is known of the last 30 days.");
		return;
	}
	snprintf(text, sizeof(text),
		"The motor ran %.0f times in the last %d days and jammed %.0f "
		"times.%s",
		all_runs, DAYS, all_jams, about);
	figure_begin(chart, title, text);
	struct plot plot = { .out = chart->out, .x_most = 1, .y_most = 1 };
	plot_begin(&plot, make_id(chart, "jams", id, sizeof(id)), 140,
		"Share of the runs that jammed, by direction and door", text);
	plot.left = 146;
	plot.right = SVG_WIDTH - 76;
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
		double top = 10 + 32 * (double) i;
		double runs = direction_sum(&month, i, false);
		double jams = direction_sum(&month, i, true);
		plot_text(&plot, plot.left - 6, top + 13, "end", "%s", directions[i].text);
		plot_bar(&plot, "bad", top, 18, runs > 0 ? jams / runs : 0);
		plot_text(&plot, SVG_WIDTH - 2, top + 13, "end", "%.0f of %.0f", jams, runs);
	}
	plot_end(&plot);
	jams_table(chart, &month);
	figure_end(chart);
}

/* ---- the motor ---- */

static double average(const struct point *points, size_t from, size_t to) {
	double sum = 0;
	for (size_t i = from; i < to; i++) {
		sum += points[i].y;
	}
	return to > from ? sum / (double) (to - from) : 0;
}

static void motor_table(const struct chart *chart, const struct point *points, size_t n) {
	numbers_begin(chart, "Time that locking took",
		(const char *const[]){ "When (UTC)", "#Seconds", NULL });
	for (size_t i = n > TABLE_ROWS_MAX ? n - TABLE_ROWS_MAX : 0; i < n; i++) {
		char when[WALL_TEXT_MAX];
		html_row_begin(chart->out);
		html_head_cell(
			chart->out, "%s", wall_to_text((wall_t){ (int64_t) points[i].x }, when));
		html_number_cell(chart->out, "%.1f", points[i].y);
		html_row_end(chart->out);
	}
	numbers_end(chart);
}

void chart_motor(const struct chart *chart) {
	static const char title[] = "Motor";
	struct point points[POINTS_MAX + 1];
	double now = (double) chart->now, most = 1;
	size_t n = samples_since(
		samples_of(chart, "lock_ms"), now - (double) BATTERY_DAYS * DAY_S, points);
	char about[256], id[64];
	if (n < 2) {
		nothing(chart, title,
			"How long locking takes has been measured too seldom to show.");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		points[i].y /= 1000;
		most = fmax(most, points[i].y);
	}
	size_t part = n / 3 > 0 ? n / 3 : 1;
	snprintf(about, sizeof(about),
		"Locking took %.1f s at first and %.1f s lately (averages of %zu runs each).",
		average(points, 0, part), average(points, n - part, n), part);
	figure_begin(chart, title, about);
	struct plot plot = { .out = chart->out,
		.x_least = points[0].x,
		.x_most = fmax(now, points[0].x + DAY_S),
		.y_most = plot_round_up(most) };
	plot_begin(&plot, make_id(chart, "motor", id, sizeof(id)), 170,
		"Time that locking takes, in seconds", about);
	plot_scale_y(&plot, plot.y_most / 5, "s");
	plot_scale_time(&plot);
	plot_line(&plot, "line", points, n, false);
	for (size_t i = 0; i < n; i++) {
		plot_dot(&plot, "dot", points[i].x, points[i].y);
	}
	plot_end(&plot);
	motor_table(chart, points, n);
	figure_end(chart);
}
