/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "request-intake.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "intake.h"
#include "util/text.h"

#define TRANSACTION "transaction"

static int refuse(struct fault *ret_fault, const char *key, const char *wanted) {
	return fault_set(ret_fault, FAULT_BAD_COMMAND, "\"%s\" is not %s", key, wanted);
}

static int take_text(
	const char *key, const json_t *value, char *out, size_t size, struct fault *ret_fault) {
	if (!json_is_string(value) || json_string_length(value) == 0 ||
		json_string_length(value) >= size ||
		!text_is_clean(json_string_value(value), json_string_length(value))) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND,
			"\"%s\" is not a text of 1 to %zu octets", key, size - 1);
	}
	(void) text_copy(out, size, json_string_value(value));
	return 0;
}

static int take_number(const char *key, const json_t *value, unsigned most, unsigned *ret,
	struct fault *ret_fault) {
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) > (json_int_t) most) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND,
			"\"%s\" is not a whole number of 0 to %u", key, most);
	}
	*ret = (unsigned) json_integer_value(value);
	return 0;
}

static int take_lock(const char *key, const json_t *value, struct request_intake *intake,
	struct fault *ret_fault) {
	return take_text(key, value, intake->lock, sizeof(intake->lock), ret_fault);
}

static int take_to(const char *key, const json_t *value, struct request_intake *intake,
	struct fault *ret_fault) {
	return take_text(key, value, intake->to, sizeof(intake->to), ret_fault);
}

static int take_force(const char *key, const json_t *value, struct request_intake *intake,
	struct fault *ret_fault) {
	if (!json_is_boolean(value)) {
		return refuse(ret_fault, key, "true or false");
	}
	intake->is_forced = json_is_true(value);
	return 0;
}

static int take_time(const char *key, const json_t *value, struct request_intake *intake,
	struct fault *ret_fault) {
	return take_number(key, value, REQUEST_TIME_MOST, &intake->seconds, ret_fault);
}

static int take_minutes(const char *key, const json_t *value, struct request_intake *intake,
	struct fault *ret_fault) {
	return take_number(key, value, REQUEST_MINUTES_MOST, &intake->minutes, ret_fault);
}

static int take_level(const char *key, const json_t *value, struct request_intake *intake,
	struct fault *ret_fault) {
	return take_text(key, value, intake->level, sizeof(intake->level), ret_fault);
}

static int take_start(const char *key, const json_t *value, struct request_intake *intake,
	struct fault *ret_fault) {
	return take_number(key, value, REQUEST_START_MOST, &intake->start, ret_fault);
}

/* What a person would have written for it. */
static bool to_setting(const char *key, const json_t *value, struct setting *out) {
	if (strlen(key) >= sizeof(out->key) || key[0] == '\0' || !text_is_clean(key, strlen(key))) {
		return false;
	}
	(void) text_copy(out->key, sizeof(out->key), key);
	if (json_is_boolean(value)) {
		(void) text_copy(
			out->value, sizeof(out->value), json_is_true(value) ? "on" : "off");
		return true;
	}
	if (json_is_integer(value)) {
		(void) snprintf(out->value, sizeof(out->value), "%" PRId64,
			(int64_t) json_integer_value(value));
		return true;
	}
	return json_is_string(value) && json_string_length(value) < sizeof(out->value) &&
	       text_is_clean(json_string_value(value), json_string_length(value)) &&
	       text_copy(out->value, sizeof(out->value), json_string_value(value));
}

static int take_options(const char *key, const json_t *value, struct request_intake *intake,
	struct fault *ret_fault) {
	const char *name;
	json_t *each;

	if (!json_is_object(value) || json_object_size(value) == 0 ||
		json_object_size(value) > REQUEST_OPTIONS_MAX) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND,
			"\"%s\" is not an object of 1 to %d settings", key, REQUEST_OPTIONS_MAX);
	}
	json_object_foreach((json_t *) (uintptr_t) value, name, each) {
		if (!to_setting(name, each, &intake->options[intake->n_options])) {
			return refuse(ret_fault, key,
				"made of settings, each a text, a whole number, true or false");
		}
		intake->n_options++;
	}
	return 0;
}

static const struct {
	const char *key;
	int (*take)(const char *key, const json_t *value, struct request_intake *intake,
		struct fault *ret_fault);
} keys[REQUEST_KEY_COUNT_] = {
	[REQUEST_KEY_LOCK] = { "id", take_lock },
	[REQUEST_KEY_TO] = { "to", take_to },
	[REQUEST_KEY_FORCE] = { "force", take_force },
	[REQUEST_KEY_TIME] = { "time", take_time },
	[REQUEST_KEY_MINUTES] = { "minutes", take_minutes },
	[REQUEST_KEY_LEVEL] = { "level", take_level },
	[REQUEST_KEY_START] = { "start", take_start },
	[REQUEST_KEY_OPTIONS] = { "options", take_options },
};

const char *request_key_name(enum request_key key) {
	return keys[key].key;
}

static int take_transaction(
	const json_t *value, struct request_intake *intake, struct fault *ret_fault) {
	if (value == NULL || json_is_null(value)) {
		return 0;
	}
	if (json_is_integer(value)) {
		(void) snprintf(intake->transaction, sizeof(intake->transaction), "%" PRId64,
			(int64_t) json_integer_value(value));
		intake->is_transaction_number = true;
		return 0;
	}
	return take_text(
		TRANSACTION, value, intake->transaction, sizeof(intake->transaction), ret_fault);
}

static int take_key(const char *key, const json_t *value, unsigned takes,
	struct request_intake *intake, struct fault *ret_fault) {
	for (unsigned i = 0; i < REQUEST_KEY_COUNT_; i++) {
		if (strcmp(keys[i].key, key) == 0 && (takes & 1U << i) != 0) {
			intake->has |= 1U << i;
			return keys[i].take(key, value, intake, ret_fault);
		}
	}
	return fault_set(ret_fault, FAULT_BAD_COMMAND,
		"it has a key that this request does not take; docs/mqtt-requests.md names them");
}

static int take_all(json_t *root, unsigned takes, unsigned needs, struct request_intake *intake,
	struct fault *ret_fault) {
	const char *key;
	json_t *value;
	int r = 0;

	json_object_foreach(root, key, value) {
		if (strcmp(key, TRANSACTION) != 0) {
			r = take_key(key, value, takes, intake, ret_fault);
		}
		if (r < 0) {
			return r;
		}
	}
	for (unsigned i = 0; i < REQUEST_KEY_COUNT_; i++) {
		if ((needs & ~intake->has & 1U << i) != 0) {
			return fault_set(
				ret_fault, FAULT_BAD_COMMAND, "\"%s\" is missing", keys[i].key);
		}
	}
	return 0;
}

int request_intake_parse(const uint8_t *payload, size_t n, unsigned takes, unsigned needs,
	struct request_intake *ret, struct fault *ret_fault) {
	static const uint8_t nothing[] = "{}";
	struct request_intake intake = { .has = 0 };
	json_t *root = NULL;
	int r;

	*ret = (struct request_intake){ .has = 0 };
	r = n > 0 ? intake_load(payload, n, &root, ret_fault)
		  : intake_load(nothing, sizeof(nothing) - 1, &root, ret_fault);
	if (r < 0) {
		return r;
	}
	r = take_transaction(json_object_get(root, TRANSACTION), &intake, ret_fault);
	if (r >= 0) {
		(void) text_copy(ret->transaction, sizeof(ret->transaction), intake.transaction);
		ret->is_transaction_number = intake.is_transaction_number;
		r = take_all(root, takes, needs, &intake, ret_fault);
	}
	json_decref(root);
	if (r >= 0) {
		*ret = intake;
	}
	return r;
}
