/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Model data (conf/models/README.md). A file that cannot be read, or a line that is not understood,
 * is told in the journal and left out: what people lack then is a hint, not the lock.
 */

#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "room.h"
#include "util/log.h"
#include "util/text.h"

#define MODELS_MAX 128
#define TEXT_MAX_ 400
#define LINE_MAX_ 512

struct entry {
	char file[64];
	char brand[16], generation[16], firmware[16];
	struct model model;
	char *texts[128]; /* what the model points at */
	size_t n_texts;
};

struct models {
	struct entry *entries[MODELS_MAX];
	size_t n;
};

/* NULL: no memory, or more than any model has. */
static const char *keep(struct entry *entry, const char *text) {
	char *copy = entry->n_texts < ARRAY_SIZE(entry->texts) ? strdup(text) : NULL;

	if (copy != NULL) {
		entry->texts[entry->n_texts++] = copy;
	}
	return copy;
}

static struct entry *entry_free(struct entry *entry) {
	if (entry != NULL) {
		for (size_t i = 0; i < entry->n_texts; i++) {
			free(entry->texts[i]);
		}
		free(entry);
	}
	return NULL;
}
AUTO_DEFINE(struct entry *, entry_free);

/* ---- the keys ---- */

enum model_key_type { KEY_TEXT, KEY_WORD, KEY_NUMBER, KEY_REAL, KEY_FLAG, KEY_STEPS };

struct model_key {
	const char *section, *name; /* KEY_STEPS: step1, step2, ... */
	enum model_key_type type;
	size_t offset; /* in struct entry */
};

#define AT(field) offsetof(struct entry, field)

/* clang-format off */
static const struct model_key keys[] = {
	{ "model", "name", KEY_TEXT, AT(model.name) },
	{ "model", "brand", KEY_WORD, AT(brand) },
	{ "model", "generation", KEY_WORD, AT(generation) },
	{ "model", "firmware", KEY_WORD, AT(firmware) },
	{ "model", "mechanical_key", KEY_FLAG, AT(model.has_mechanical_key) },
	{ "model", "support", KEY_TEXT, AT(model.support) },
	{ "battery", "kind", KEY_TEXT, AT(model.battery_kind) },
	{ "battery", "tools", KEY_TEXT, AT(model.battery_tools) },
	{ "battery", "count", KEY_NUMBER, AT(model.battery_count) },
	{ "battery", "volt_full", KEY_REAL, AT(model.volt_full) },
	{ "battery", "warn_percent", KEY_NUMBER, AT(model.warn_percent) },
	{ "battery", "life_days", KEY_REAL, AT(model.life_days) },
	{ "battery", "life_assumed", KEY_FLAG, AT(model.is_life_assumed) },
	{ "firmware", "newest", KEY_TEXT, AT(model.firmware_newest) },
	{ "firmware", "checked", KEY_TEXT, AT(model.firmware_checked) },
	{ "firmware", "min", KEY_TEXT, AT(model.firmware_min) },
	{ "firmware", "fault", KEY_TEXT, AT(model.firmware_fault) },
	{ "battery-change", NULL, KEY_STEPS, AT(model.battery_change) },
	{ "factory-reset", NULL, KEY_STEPS, AT(model.factory_reset) },
	{ "pairing", NULL, KEY_STEPS, AT(model.pairing) },
	{ "restart", "wait_s", KEY_NUMBER, AT(model.restart_wait_s) },
	{ "install", "tools", KEY_TEXT, AT(model.install_tools) },
	{ "install", NULL, KEY_STEPS, AT(model.install) },
	{ "restart", NULL, KEY_STEPS, AT(model.restart) },
	{ "calibrate", NULL, KEY_STEPS, AT(model.calibrate) },
	{ "firmware-update", NULL, KEY_STEPS, AT(model.firmware_update) },
	{ "contact", NULL, KEY_STEPS, AT(model.contact) },
};
/* clang-format on */

static bool put_number(const char *value, void *at) {
	uint64_t number = 0;

	if (text_to_u64(value, 0, 100000, &number) < 0) {
		return false;
	}
	*(int *) at = (int) number;
	return true;
}

static bool put_real(const char *value, void *at) {
	char *end = NULL;
	double number = strtod(value, &end);

	if (end == value || *end != '\0' || !(number >= 0 && number < 1e6)) {
		return false;
	}
	*(double *) at = number;
	return true;
}

static bool put_flag(const char *value, void *at) {
	bool is_yes = strcmp(value, "yes") == 0;

	if (!is_yes && strcmp(value, "no") != 0) {
		return false;
	}
	*(enum known_flag *) at = is_yes ? FLAG_YES : FLAG_NO;
	return true;
}

/* "step3" is the third; they come in order. */
static bool put_step(struct entry *entry, const char *name, const char *value, const char **steps) {
	uint64_t number = 0;

	if (strncmp(name, "step", 4) != 0 ||
		text_to_u64(name + 4, 1, MODEL_STEPS_MAX - 1, &number) < 0 ||
		(number > 1 && steps[number - 2] == NULL)) {
		return false;
	}
	steps[number - 1] = keep(entry, value);
	return true;
}

static bool put(
	struct entry *entry, const struct model_key *key, const char *name, const char *value) {
	void *at = (char *) entry + key->offset;
	const char *kept;

	switch (key->type) {
	case KEY_TEXT:
		kept = keep(entry, value);
		if (kept != NULL) {
			*(const char **) at = kept;
		}
		return kept != NULL;
	case KEY_WORD:
		return text_copy(at, sizeof(entry->brand), value);
	case KEY_NUMBER:
		return put_number(value, at);
	case KEY_REAL:
		return put_real(value, at);
	case KEY_FLAG:
		return put_flag(value, at);
	case KEY_STEPS:
		return put_step(entry, name, value, at);
	}
	return false;
}

/* inih calls this for each key. What the README does not name is not ours to judge. */
static int on_key(void *user, const char *section, const char *name, const char *value) {
	struct entry *entry = user;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].section, section) != 0 ||
			(keys[i].name != NULL && strcmp(keys[i].name, name) != 0)) {
			continue;
		}
		if (strlen(value) >= TEXT_MAX_ || !text_is_clean(value, strlen(value)) ||
			!put(entry, &keys[i], name, value)) {
			log_blame(BLAME_SETUP, NULL,
				"model data %s: [%s] %s is not understood and left out",
				entry->file, section, name);
		}
		return 1;
	}
	return 1;
}

/* ---- the files ---- */

static int is_model_file(const struct dirent *dirent) {
	size_t n = strlen(dirent->d_name);

	return n > 4 && n < sizeof(((struct entry *) NULL)->file) && dirent->d_name[0] != '.' &&
	       strcmp(dirent->d_name + n - 4, ".ini") == 0;
}

static bool is_loaded(const struct models *models, const char *file) {
	for (size_t i = 0; i < models->n; i++) {
		if (strcmp(models->entries[i]->file, file) == 0) {
			return true;
		}
	}
	return false;
}

static int read_file(struct models *models, const char *folder, const char *name) {
	AUTO(entry_free) struct entry *entry = calloc(1, sizeof(*entry));
	char path[PATH_MAX];
	int r;

	if (entry == NULL) {
		return -ENOMEM;
	}
	(void) snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void) text_copy(entry->file, sizeof(entry->file), name);
	entry->file[strlen(name) - 4] = '\0';
	if (models->n >= MODELS_MAX || is_loaded(models, entry->file)) {
		return 0;
	}
	entry->model = model_unknown;
	r = ini_parse(path, on_key, entry);
	if (r != 0) {
		log_blame(BLAME_SETUP, NULL, "model data %s: %s", path,
			r < 0 ? "cannot be read" : "a line is neither a section nor a key");
	}
	if (entry->brand[0] == '\0') {
		log_blame(BLAME_SETUP, NULL, "model data %s: [model] brand is missing", path);
		return 0;
	}
	entry->model.file = entry->file;
	models->entries[models->n++] = STEAL(entry);
	return 0;
}

static int read_folder(struct models *models, const char *folder) {
	struct dirent **dirents = NULL;
	int n = scandir(folder, &dirents, is_model_file, alphasort);
	int r = 0;

	/* That there is none is the usual case of /etc/lockhub/models. */
	for (int i = 0; i < n; i++) {
		r = r < 0 ? r : read_file(models, folder, dirents[i]->d_name);
		free(dirents[i]);
	}
	free(dirents);
	return r;
}

struct models *models_new(const char *folders) {
	AUTO(models_free) struct models *models = calloc(1, sizeof(*models));
	AUTO(free) char *copy = strdup(folders != NULL ? folders : "");
	char *save = NULL;

	if (models == NULL || copy == NULL) {
		return NULL;
	}
	/* Debian's inih has these as variables; its stack buffer would be 200 octets. */
	ini_use_stack = false;
	ini_initial_alloc = LINE_MAX_;
	ini_max_line = LINE_MAX_;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	for (const char *folder = strtok_r(copy, ":", &save); folder != NULL;
		folder = strtok_r(NULL, ":", &save)) {
		if (read_folder(models, folder) < 0) {
			return NULL;
		}
	}
	return STEAL(models);
}

struct models *models_free(struct models *models) {
	if (models != NULL) {
		for (size_t i = 0; i < models->n; i++) {
			entry_free(models->entries[i]);
		}
		free(models);
	}
	return NULL;
}

size_t models_count(const struct models *models) {
	return models->n;
}

/* ---- which one ---- */

/* Whether the versions agree in all the numbers that @wanted has: "3" fits "3.5.2". */
static bool fits(const char *wanted, const char *firmware) {
	size_t n = strlen(wanted);

	return strncmp(wanted, firmware, n) == 0 && (firmware[n] == '\0' || firmware[n] == '.');
}

/* How well a file fits; 0 not at all. */
static int score(
	const struct entry *entry, const char *brand, const char *firmware, const char *model) {
	int result = 1;

	if (strcmp(entry->brand, brand) != 0) {
		return 0;
	}
	if (entry->firmware[0] != '\0') {
		if (!fits(entry->firmware, firmware)) {
			return 0;
		}
		result += 2;
	}
	const bool is_called = entry->generation[0] != '\0' && model[0] != '\0' &&
			       strcasestr(model, entry->generation) != NULL;

	if (model[0] != '\0' && text_equal(entry->model.name, model)) {
		return result + 4;
	}
	/* What tells such a model is its name alone, and this lock has another. */
	if (entry->firmware[0] == '\0' && entry->generation[0] != '\0' && !is_called) {
		return 0;
	}
	/* Two generations with one number: the one that the lock names. */
	return result + is_called;
}

const struct model *models_find(
	const struct models *models, const char *brand, const char *firmware, const char *model) {
	const struct model *best = &model_unknown;
	int most = 0;

	for (size_t i = 0; i < models->n; i++) {
		int now = score(models->entries[i], brand, firmware, model);

		if (now > most) {
			most = now;
			best = &models->entries[i]->model;
		}
	}
	return best;
}
