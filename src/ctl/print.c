/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

static bool has_colors(const struct ctl *ctl) {
	return ctl->color == COLOR_ALWAYS || (ctl->color == COLOR_AUTO && ctl->is_tty);
}

static const char *sequence(enum tone tone) {
	switch (tone) {
	case TONE_PLAIN:
		return "";
	case TONE_GOOD:
		return "\033[32m";
	case TONE_BAD:
		return "\033[1;31m";
	case TONE_WARN:
		return "\033[33m";
	case TONE_FAINT:
		return "\033[2m";
	case TONE_BOLD:
		return "\033[1m";
	}
	return "";
}

const char *tone_start(const struct ctl *ctl, enum tone tone) {
	return has_colors(ctl) ? sequence(tone) : "";
}

const char *tone_end(const struct ctl *ctl, enum tone tone) {
	return has_colors(ctl) && tone != TONE_PLAIN ? "\033[0m" : "";
}

enum tone tone_of_state(const char *state) {
	if (strcmp(state, "locked") == 0) {
		return TONE_GOOD;
	}
	if (strcmp(state, "unlocked") == 0 || strcmp(state, "unlatched") == 0) {
		return TONE_WARN;
	}
	if (strcmp(state, "unknown") == 0) {
		return TONE_FAINT;
	}
	return TONE_BAD;
}

enum tone tone_of_battery(const char *level) {
	if (strcmp(level, "critical") == 0) {
		return TONE_BAD;
	}
	return strcmp(level, "warning") == 0 ? TONE_WARN : TONE_PLAIN;
}

void say(struct ctl *ctl, const char *format, ...) {
	va_list args;
	va_start(args, format);
	vfprintf(ctl->out, format, args);
	va_end(args);
}

void complain(struct ctl *ctl, const char *format, ...) {
	va_list args;
	progress_end(ctl);
	fflush(ctl->out); /* so that the order on a terminal is that of the happenings */
	fputs("lockhubctl: ", ctl->err);
	va_start(args, format);
	vfprintf(ctl->err, format, args);
	va_end(args);
	fputc('\n', ctl->err);
}

void advise(struct ctl *ctl, const char *format, ...) {
	va_list args;
	fputs("  ", ctl->err);
	va_start(args, format);
	vfprintf(ctl->err, format, args);
	va_end(args);
	fputc('\n', ctl->err);
}

void progress(struct ctl *ctl, const char *format, ...) {
	char text[LINE_TEXT_MAX];
	if (!ctl->is_tty || !ctl->is_asking || ctl->opt.is_json) {
		return;
	}
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(ctl->err, "\r\033[K%s", text);
	fflush(ctl->err);
}

void progress_end(struct ctl *ctl) {
	if (ctl->is_tty && ctl->is_asking && !ctl->opt.is_json) {
		fputs("\r\033[K", ctl->err);
		fflush(ctl->err);
	}
}

static int dump(struct ctl *ctl, json_t *take_value, size_t flags) {
	AUTO(json_decref) json_t *value = take_value;
	if (value == NULL) {
		complain(ctl, "out of memory");
		return CTL_FAILED;
	}
	int r = json_dumpf(value, ctl->out, flags | JSON_ENCODE_ANY);
	fputc('\n', ctl->out);
	if (r < 0 || ferror(ctl->out)) {
		complain(ctl, "cannot write: %s", strerror(errno));
		return CTL_FAILED;
	}
	return CTL_DONE;
}

int print_json(struct ctl *ctl, json_t *take_value) {
	return dump(ctl, take_value, JSON_INDENT(2));
}

int print_json_line(struct ctl *ctl, json_t *take_value) {
	int r = dump(ctl, take_value, JSON_COMPACT);
	fflush(ctl->out);
	return r;
}

/* Tables. A failure to allocate sticks and shows at the end. */
struct table {
	struct ctl *ctl;
	struct libscols_table *scols;
	struct libscols_line *line;
	size_t next_cell;
	bool is_failed;
};

struct table *table_new(struct ctl *ctl, const struct column *columns, size_t n) {
	struct table *table = calloc(1, sizeof(*table));
	if (table == NULL) {
		return NULL;
	}
	table->ctl = ctl;
	table->scols = scols_new_table();
	if (table->scols == NULL) {
		return table_free(table);
	}
	scols_table_set_stream(table->scols, ctl->out);
	scols_table_set_termforce(
		table->scols, ctl->is_tty ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	scols_table_enable_colors(table->scols, has_colors(ctl));
	for (size_t i = 0; i < n; i++) {
		struct libscols_column *column =
			scols_table_new_column(table->scols, columns[i].name, 0,
				(columns[i].is_right ? SCOLS_FL_RIGHT : 0) |
					(columns[i].is_cut ? SCOLS_FL_TRUNC : 0));
		table->is_failed |= column == NULL;
		if (column != NULL && has_colors(ctl)) {
			scols_cell_set_color(scols_column_get_header(column), "\033[1m");
		}
	}
	return table;
}

struct table *table_free(struct table *table) {
	if (table != NULL) {
		scols_unref_table(table->scols);
		free(table);
	}
	return NULL;
}

void table_row(struct table *table) {
	table->line = scols_table_new_line(table->scols, NULL);
	table->next_cell = 0;
	table->is_failed |= table->line == NULL;
}

static const char *scols_color(enum tone tone) {
	switch (tone) {
	case TONE_PLAIN:
		return NULL;
	case TONE_GOOD:
		return "32";
	case TONE_BAD:
		return "1;31";
	case TONE_WARN:
		return "33";
	case TONE_FAINT:
		return "2";
	case TONE_BOLD:
		return "1";
	}
	return NULL;
}

void table_cell(struct table *table, enum tone tone, const char *format, ...) {
	char text[LINE_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (table->line == NULL) {
		return;
	}
	size_t n = table->next_cell++;
	table->is_failed |= scols_line_set_data(table->line, n, text[0] != '\0' ? text : "-") != 0;
	struct libscols_cell *cell = scols_line_get_cell(table->line, n);
	if (cell != NULL && tone != TONE_PLAIN) {
		/* libsmartcols takes a sequence as it is or a colour's name */
		char color[16];
		snprintf(color, sizeof(color), "\033[%sm", scols_color(tone));
		scols_cell_set_color(cell, color);
	}
}

int table_print(struct table *table) {
	if (!table->is_failed && scols_print_table(table->scols) == 0) {
		return CTL_DONE;
	}
	complain(table->ctl, "the table cannot be printed");
	return CTL_FAILED;
}
