/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/catalog.h"

#include <assert.h>
#include <string.h>

#include "util/text.h"

#define WIDTH 79
#define BODY_MAX 4096

/* Words of one paragraph, broken at WIDTH. */
static void print_wrapped(FILE *out, const char *at, size_t n) {
	size_t column = 0;
	while (n > 0) {
		size_t n_gap = 0;
		while (n_gap < n && (at[n_gap] == ' ' || at[n_gap] == '\n')) {
			n_gap++;
		}
		at += n_gap;
		n -= n_gap;
		size_t n_word = 0;
		while (n_word < n && at[n_word] != ' ' && at[n_word] != '\n') {
			n_word++;
		}
		if (n_word == 0) {
			break;
		}
		if (column > 0 && column + 1 + n_word > WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		if (column > 0) {
			fputc(' ', out);
			column++;
		}
		fwrite(at, 1, n_word, out);
		column += n_word;
		at += n_word;
		n -= n_word;
	}
	fputc('\n', out);
}

void catalog_print_row(FILE *out, const char *id, const char *subject, const char *body) {
	assert(strlen(id) == 32);
	fprintf(out,
		"-- %s\n"
		"Subject: %s\n"
		"Defined-By: lockhub\n"
		"Support: man:lockhubctl(1)\n"
		"\n",
		id, subject);

	char filled[BODY_MAX];
	bool is_whole = text_fill_lock(body, "@LOCKHUB_LOCK@", filled, sizeof(filled));
	assert(is_whole);
	(void) is_whole;

	const char *at = filled;
	while (*at != '\0') {
		const char *end = strstr(at, "\n\n");
		size_t n = end != NULL ? (size_t) (end - at) : strlen(at);
		print_wrapped(out, at, n);
		fputc('\n', out);
		at += n;
		at += strspn(at, "\n");
	}
}
