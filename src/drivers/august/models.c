/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "models.h"

#include <stdio.h>
#include <string.h>

#include "util/text.h"

/* The first that fits. */
static const struct august_model models[] = {
	{ "ASL-01", "August Smart Lock", false, true, false },
	{ "ASL-02", "August Smart Lock", false, true, false },
	{ "ASL-", "August Smart Lock", true, true, false },
	{ "SL-103", "Yale Linus", true, false, true },
	{ "Yale Linus L2", "", true, false, true },
	{ "CERES", "Yale", true, false, false },
	{ "YRD", "Yale Assure", true, true, false },
	{ "YUR", "Yale Unity", true, true, false },
	{ "MD-04I", "Durus", true, true, false },
	{ "", AUGUST_MODEL_NAME, true, true, false },
};

const struct august_model *august_model_of(const char *text) {
	size_t i = 0;

	while (strncmp(text, models[i].prefix, strlen(models[i].prefix)) != 0) {
		i++;
	}
	return &models[i];
}

char *august_model_name(const char *text, char *out, size_t size) {
	const struct august_model *model = august_model_of(text);
	const bool is_both = model->name[0] != '\0' && text[0] != '\0';

	snprintf(out, size, "%s%s%s", model->name, is_both ? " " : "", text);
	text_sanitize(out);
	return out;
}
