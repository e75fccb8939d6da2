/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "words.h"

#include <errno.h>
#include <stdio.h>

#include "sim/lock.h"
#include "util/text.h"

const char *words_value(const char *const *pairs, const char *key) {
	for (size_t i = 0; pairs[i] != NULL; i += 2) {
		if (text_equal(pairs[i], key)) {
			return pairs[i + 1];
		}
	}
	return NULL;
}

const void *words_kind(const char *const *pairs, const void *rows, size_t n, size_t size) {
	const char *model = words_value(pairs, "model");

	for (size_t i = 0; i < n && model != NULL; i++) {
		const void *row = (const char *) rows + i * size;
		const char *const *name = row;

		if (text_equal(*name, model)) {
			return row;
		}
	}
	return NULL;
}

int words_bad(char *why, const char *key, const char *value, const char *wanted) {
	snprintf(why, SIM_TEXT_MAX, "%s=%s: %s", key, value, wanted);
	return -EINVAL;
}

int words_flag(const char *key, const char *value, bool *ret, char *why) {
	if (!text_equal(value, "0") && !text_equal(value, "1")) {
		return words_bad(why, key, value, "0 or 1 is needed");
	}
	*ret = value[0] == '1';
	return 0;
}

int words_unknown(
	char *why, const char *whose, const char *key, const char *const *names, size_t n) {
	const char *near = text_nearest(key, names, n);

	snprintf(why, SIM_TEXT_MAX, "%s has no \"%s\"%s%s%s", whose, key,
		near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
		near == NULL ? "" : "\"?");
	return -EINVAL;
}
