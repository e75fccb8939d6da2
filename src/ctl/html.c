/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "html.h"

#include <stdarg.h>
#include <string.h>

#include "util/text.h"

#define FORMAT_MAX 1024

/* U+202A..U+202E, U+2066..U+2069: they reorder what follows, up to the end of a paragraph. */
static size_t reordering_mark(const char *p) {
	const unsigned char *u = (const unsigned char *) p;
	bool is_one = u[0] == 0xe2 && ((u[1] == 0x80 && u[2] >= 0xaa && u[2] <= 0xae) ||
					      (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9));
	return is_one ? 3 : 0;
}

void html_text(FILE *out, const char *text) {
	for (const char *p = text; *p != '\0'; p++) {
		size_t n_mark = reordering_mark(p);
		if (n_mark > 0 || ((unsigned char) *p < ' ' && *p != '\n' && *p != '\t') ||
			*p == '\177') {
			fputs("\xef\xbf\xbd", out);
			p += n_mark > 0 ? n_mark - 1 : 0;
			continue;
		}
		switch (*p) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*p, out);
		}
	}
}

static void format_args(FILE *out, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void format_args(FILE *out, const char *format, va_list args) {
	char text[FORMAT_MAX];
	int n = vsnprintf(text, sizeof(text), format, args);
	if (n >= (int) sizeof(text)) {
		text[text_cut(text, sizeof(text) - 2)] = '\0';
	}
	html_text(out, text);
}

void html_format(FILE *out, const char *format, ...) {
	va_list args;
	va_start(args, format);
	format_args(out, format, args);
	va_end(args);
}

void html_element(FILE *out, const char *tag, const char *format, ...) {
	va_list args;
	fprintf(out, "<%s>", tag);
	va_start(args, format);
	format_args(out, format, args);
	va_end(args);
	fprintf(out, "</%.*s>\n", (int) strcspn(tag, " "), tag);
}

void html_name(FILE *out, const char *name) {
	fputs("<bdi>", out);
	html_text(out, name);
	fputs("</bdi>", out);
}

void html_table_begin(FILE *out, const char *caption, const char *const *heads) {
	fputs("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"", out);
	html_text(out, caption);
	fputs("\">\n<table>\n<caption>", out);
	html_text(out, caption);
	fputs("</caption>\n<thead><tr>", out);
	for (size_t i = 0; heads[i] != NULL; i++) {
		bool is_number = heads[i][0] == '#';
		fprintf(out, "<th scope=\"col\"%s>", is_number ? " class=\"n\"" : "");
		html_text(out, heads[i] + is_number);
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n<tbody>\n", out);
}

void html_table_end(FILE *out) {
	fputs("</tbody>\n</table>\n</div>\n", out);
}

void html_row_begin(FILE *out) {
	fputs("<tr>", out);
}

void html_row_end(FILE *out) {
	fputs("</tr>\n", out);
}

void html_head_cell(FILE *out, const char *format, ...) {
	va_list args;
	fputs("<th scope=\"row\">", out);
	va_start(args, format);
	format_args(out, format, args);
	va_end(args);
	fputs("</th>", out);
}

void html_cell(FILE *out, const char *format, ...) {
	va_list args;
	fputs("<td>", out);
	va_start(args, format);
	format_args(out, format, args);
	va_end(args);
	fputs("</td>", out);
}

void html_number_cell(FILE *out, const char *format, ...) {
	va_list args;
	fputs("<td class=\"n\">", out);
	va_start(args, format);
	format_args(out, format, args);
	va_end(args);
	fputs("</td>", out);
}
