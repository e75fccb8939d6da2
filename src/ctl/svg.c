/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "svg.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "html.h"
#include "util/when.h"

#define LEFT 34.0
#define RIGHT 10.0
#define TOP 26.0
#define BOTTOM 22.0
#define DATE_WIDTH 46.0 /* "22 Nov" with room beside it */
#define DAY_S 86400.0
#define SCALE_MAX 50 /* lines or dates */

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };

void plot_begin(
	struct plot *plot, const char *id, int height, const char *title, const char *about) {
	plot->id = id;
	plot->left = LEFT;
	plot->top = TOP;
	plot->right = SVG_WIDTH - RIGHT;
	plot->bottom = height - BOTTOM;
	fprintf(plot->out,
		"<svg role=\"img\" viewBox=\"0 0 %d %d\" aria-labelledby=\"%s-name %s-about\">\n"
		"<title id=\"%s-name\">",
		SVG_WIDTH, height, id, id, id);
	html_text(plot->out, title);
	fprintf(plot->out, "</title>\n<desc id=\"%s-about\">", id);
	html_text(plot->out, about);
	/* Of what failed: told apart on paper and without colours too. */
	fprintf(plot->out,
		"</desc>\n<defs><pattern id=\"%s-hatch\" width=\"4\" height=\"4\" "
		"patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
		"<rect class=\"hatch-back\" width=\"4\" height=\"4\"/>"
		"<rect class=\"hatch-line\" width=\"2\" height=\"4\"/></pattern></defs>\n",
		id);
}

void plot_end(struct plot *plot) {
	fputs("</svg>\n", plot->out);
}

double plot_x(const struct plot *plot, double x) {
	double span = plot->x_most - plot->x_least;
	double share = span > 0 ? (x - plot->x_least) / span : 0;
	return plot->left + fmin(fmax(share, 0), 1) * (plot->right - plot->left);
}

double plot_y(const struct plot *plot, double y) {
	double span = plot->y_most - plot->y_least;
	double share = span > 0 ? (y - plot->y_least) / span : 0;
	return plot->bottom - fmin(fmax(share, 0), 1) * (plot->bottom - plot->top);
}

double plot_round_up(double value) {
	static const double steps[] = { 1, 2, 5, 10 };
	if (!(value > 1)) {
		return 1;
	}
	double power = pow(10, floor(log10(value)));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i] * power >= value - 1e-9) {
			return steps[i] * power;
		}
	}
	return 10 * power;
}

void plot_scale_y(const struct plot *plot, double step, const char *unit) {
	int n = (int) floor((plot->y_most - plot->y_least) / step + 1e-9);
	for (int i = 0; i <= n && i < SCALE_MAX; i++) {
		double y = plot->y_least + i * step;
		double at = plot_y(plot, y);
		fprintf(plot->out,
			"<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
			plot->left, at, plot->right, at);
		plot_text(plot, plot->left - 4, at + 4, "end", "%g", y);
	}
	plot_text(plot, 2, 11, "start", "%s", unit);
}

/* "22 Nov"; the year when it is not clear. */
static void date_label(const struct plot *plot, double seconds, double at) {
	struct civil civil = wall_to_civil((wall_t){ (int64_t) seconds });
	int month = civil.month >= 1 && civil.month <= 12 ? civil.month - 1 : 0;
	plot_text(plot, at, plot->bottom + 15, "middle", "%d %s", civil.day, months[month]);
}

void plot_scale_time(const struct plot *plot) {
	static const int spans[] = { 1, 2, 5, 7, 14, 28, 56, 91, 182, 365, 730 };
	double days = (plot->x_most - plot->x_least) / DAY_S;
	double room = (plot->right - plot->left) / DATE_WIDTH;
	size_t i = 0;
	while (i + 1 < sizeof(spans) / sizeof(spans[0]) && days / spans[i] > room) {
		i++;
	}
	/* From the right: today is what people look for. */
	int n = (int) floor(days / spans[i]);
	for (int k = 0; k <= n && k < SCALE_MAX; k++) {
		double x = plot->x_most - k * spans[i] * DAY_S;
		double at = plot_x(plot, x);
		if (at < plot->left + DATE_WIDTH / 4) {
			break;
		}
		date_label(plot, x, fmin(at, SVG_WIDTH - DATE_WIDTH / 2 - 1));
	}
	fprintf(plot->out,
		"<line class=\"axis\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
		plot->left, plot->bottom, plot->right, plot->bottom);
}

void plot_line(const struct plot *plot, const char *class_name, const struct point *points,
	size_t n, bool is_stepped) {
	if (n == 0) {
		return;
	}
	fprintf(plot->out, "<path class=\"%s\" d=\"", class_name);
	for (size_t i = 0; i < n; i++) {
		double x = plot_x(plot, points[i].x), y = plot_y(plot, points[i].y);
		if (i == 0) {
			fprintf(plot->out, "M%.1f %.1f", x, y);
		} else if (is_stepped) {
			fprintf(plot->out, "H%.1fV%.1f", x, y);
		} else {
			fprintf(plot->out, "L%.1f %.1f", x, y);
		}
	}
	fputs("\"/>\n", plot->out);
}

void plot_area(
	const struct plot *plot, const char *class_name, const struct point *points, size_t n) {
	fprintf(plot->out, "<polygon class=\"%s\" points=\"", class_name);
	for (size_t i = 0; i < n; i++) {
		fprintf(plot->out, "%s%.1f,%.1f", i > 0 ? " " : "", plot_x(plot, points[i].x),
			plot_y(plot, points[i].y));
	}
	fputs("\"/>\n", plot->out);
}

void plot_dot(const struct plot *plot, const char *class_name, double x, double y) {
	fprintf(plot->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>\n", class_name,
		plot_x(plot, x), plot_y(plot, y));
}

void plot_mark(const struct plot *plot, double x, const char *word) {
	double at = plot_x(plot, x);
	bool is_late = at > (plot->left + plot->right) / 2;
	fprintf(plot->out,
		"<line class=\"mark\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", at,
		plot->top, at, plot->bottom);
	plot_text(plot, at + (is_late ? -3 : 3), plot->top - 5, is_late ? "end" : "start", "%s",
		word);
}

void plot_column(const struct plot *plot, const char *class_name, double x, double width,
	double from, double to) {
	double left = plot_x(plot, x - width / 2), right = plot_x(plot, x + width / 2);
	double upper = plot_y(plot, to), lower = plot_y(plot, from);
	if (lower <= upper) {
		return;
	}
	fprintf(plot->out,
		"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"",
		class_name, left, upper, right - left, lower - upper);
	if (strcmp(class_name, "failed") == 0) {
		fprintf(plot->out, " fill=\"url(#%s-hatch)\"", plot->id);
	}
	fputs("/>\n", plot->out);
}

void plot_text(const struct plot *plot, double left, double top, const char *anchor,
	const char *format, ...) {
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(plot->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", left, top, anchor);
	html_text(plot->out, text);
	fputs("</text>\n", plot->out);
}

void plot_bar(
	const struct plot *plot, const char *class_name, double top, double height, double share) {
	double width = (plot->right - plot->left) * fmin(fmax(share, 0), 1);
	fprintf(plot->out,
		"<line class=\"axis\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
		plot->left, top, plot->left, top + height);
	if (share > 0) {
		fprintf(plot->out,
			"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
			"height=\"%.1f\"/>\n",
			class_name, plot->left, top, fmax(width, 1), height);
	}
}
