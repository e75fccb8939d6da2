/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/made.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/auto.h"

char *made_text(void (*print)(FILE *out, const void *what), const void *what) {
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (out == NULL) {
		return NULL;
	}
	print(out, what);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *made_before(const char *path) {
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (in == NULL) {
		return NULL;
	}
	/* Up to the end of the file: there is no such octet in a page. */
	if (getdelim(&text, &size, '\0', in) < 0) {
		free(text);
		text = NULL;
	}
	(void) fclose(in);
	return text;
}

int made_write(const char *path, const char *text) {
	AUTO(free) char *old = made_before(path);

	if (old != NULL && strcmp(old, text) == 0) {
		return 0;
	}
	FILE *out = fopen(path, "we");
	if (out == NULL) {
		return -errno;
	}
	bool is_written = fputs(text, out) >= 0;
	return fclose(out) == 0 && is_written ? 0 : -EIO;
}
