/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Charts as inline SVG, drawn for the width of a phone (360 units) and scaled up by the page.
 * Colours and sizes are the page's style sheet's, by class, so that one chart serves light, dark
 * and paper. Each has a name and a description for those who do not see it. Pure; any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SVG_WIDTH 360

struct point {
	double x, y;
};

/* A picture with one plot in it, and what its numbers mean. */
struct plot {
	FILE *out;
	const char *id;                  /* of the picture within the page: letters, digits, "-" */
	double x_least, x_most;          /* seconds since 1970, or numbers of days */
	double y_least, y_most;          /* y_most > y_least */
	double left, top, right, bottom; /* where it is drawn; set by plot_begin() */
};

/*
 * Begins <svg> of @height units with its name and description, and keeps room for labels. @id must
 * be unique in the page.
 */
void plot_begin(
	struct plot *plot, const char *id, int height, const char *title, const char *about);
void plot_end(struct plot *plot);
double plot_x(const struct plot *plot, double x);
double plot_y(const struct plot *plot, double y);

/* The next round number (1, 2 or 5 times a power of ten) at or above, at least 1. */
double plot_round_up(double value);
/* Lines across with their numbers, from y_least on, @unit behind the uppermost one. */
void plot_scale_y(const struct plot *plot, double step, const char *unit);
/* Dates below; the x axis is in seconds. UTC, as days are counted. */
void plot_scale_time(const struct plot *plot);

/* A line that holds each value until the next one (@is_stepped), or joins them. */
void plot_line(const struct plot *plot, const char *class_name, const struct point *points,
	size_t n, bool is_stepped);
void plot_area(
	const struct plot *plot, const char *class_name, const struct point *points, size_t n);
void plot_dot(const struct plot *plot, const char *class_name, double x, double y);
/* An upright line with a word at its top. */
void plot_mark(const struct plot *plot, double x, const char *word);
/* A column between two heights, centred on @x and @width (of the x axis) wide. */
void plot_column(const struct plot *plot, const char *class_name, double x, double width,
	double from, double to);
void plot_text(const struct plot *plot, double left, double top, const char *anchor,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A bar from the left edge of the plot, @share (0..1) of its width long, at @top units. */
void plot_bar(
	const struct plot *plot, const char *class_name, double top, double height, double share);
