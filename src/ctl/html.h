/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Pieces of a page: text is always escaped here and nowhere else, so that no name, however it was
 * chosen, becomes markup. Pure; any thread.
 */

#include <stdbool.h>
#include <stdio.h>

/*
 * Escaped for text and for attributes in double quotes. What XML forbids (control characters)
 * becomes U+FFFD, and so do marks that turn the direction of writing around.
 */
void html_text(FILE *out, const char *text);
/* The same of formatted text; cut at 1023 octets, at a whole character. */
void html_format(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* <tag>text</tag>; @tag may hold attributes: "p class=\"faint\"". */
void html_element(FILE *out, const char *tag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A name from outside, kept from turning the text around it: <bdi>name</bdi>. */
void html_name(FILE *out, const char *name);

/*
 * A table in a box that scrolls by itself when it is wider than the page. @heads: NULL-terminated.
 * Columns whose head begins with '#' are numbers, right-aligned.
 */
void html_table_begin(FILE *out, const char *caption, const char *const *heads);
void html_table_end(FILE *out);
void html_row_begin(FILE *out);
void html_row_end(FILE *out);
/* The first cell of a row is its head. */
void html_head_cell(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void html_cell(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void html_number_cell(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
