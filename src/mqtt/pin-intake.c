/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pin-intake.h"

#include <jansson.h>
#include <string.h>

#include "util/auto.h"
#include "util/text.h"

#include "intake.h"

static int refuse(struct fault *ret_fault, const char *reason) {
	return fault_set(ret_fault, FAULT_BAD_COMMAND, "%s", reason);
}

static int take_user(const json_t *value, struct pin_intake *intake, struct fault *ret_fault) {
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 1 || number > USERS_MAX) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND,
			"\"user\" is not a whole number from 1 to %d", USERS_MAX);
	}
	intake->user = (unsigned) number;
	return 0;
}

/* The words of zigbee2mqtt; "master" may program at the keypad, which no code from here may. */
static int take_type(const json_t *value, struct pin_intake *intake, struct fault *ret_fault) {
	static const struct {
		const char *word;
		enum user_type type;
	} types[] = {
		{ "unrestricted", USER_UNRESTRICTED },
		{ "year_day_schedule", USER_YEAR_DAY_SCHEDULE },
		{ "week_day_schedule", USER_WEEK_DAY_SCHEDULE },
		{ "non_access", USER_NON_ACCESS },
	};
	const char *word = json_string_value(value);

	for (size_t i = 0; word != NULL && i < ARRAY_SIZE(types); i++) {
		if (strcmp(word, types[i].word) == 0) {
			intake->type = types[i].type;
			return 0;
		}
	}
	return refuse(ret_fault, "\"user_type\" is not one of unrestricted, year_day_schedule, "
				 "week_day_schedule, non_access");
}

static int take_enabled(const json_t *value, struct pin_intake *intake, struct fault *ret_fault) {
	if (!json_is_boolean(value)) {
		return refuse(ret_fault, "\"user_enabled\" is neither true nor false");
	}
	intake->is_enabled = json_is_true(value);
	return 0;
}

static int take_pin(const json_t *value, struct pin_intake *intake, struct fault *ret_fault) {
	if (json_is_null(value)) {
		return 0;
	}
	if (!json_is_string(value)) {
		/* A number has lost its leading zeros on the way. */
		return refuse(ret_fault, "\"pin_code\" is not a text: write it in quotes");
	}
	const char *text = json_string_value(value);
	size_t n = json_string_length(value);
	if (n > PIN_LEN_MAX || strspn(text, "0123456789") != n) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND,
			"\"pin_code\" is not a code of up to %d digits", PIN_LEN_MAX);
	}
	return secret_set(&intake->pin, text, n);
}

static const struct {
	const char *key;
	int (*take)(const json_t *value, struct pin_intake *intake, struct fault *ret_fault);
} keys[] = {
	{ "user", take_user },
	{ "user_type", take_type },
	{ "user_enabled", take_enabled },
	{ "pin_code", take_pin },
};

static int take_key(
	const char *key, const json_t *value, struct pin_intake *intake, struct fault *ret_fault) {
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].key, key) == 0) {
			return keys[i].take(value, intake, ret_fault);
		}
	}
	return refuse(ret_fault, "only user, user_type, user_enabled and pin_code are known in "
				 "\"pin_code\"");
}

/* jansson's copies of the texts are not wiped when they are freed; it gives the buffer itself. */
static void wipe_pin(json_t *code) {
	json_t *pin = json_object_get(code, "pin_code");

	if (json_is_string(pin)) {
		wipe((char *) (uintptr_t) json_string_value(pin), json_string_length(pin));
	}
}

static int parse_code(
	json_t *code, bool is_get, struct pin_intake *intake, struct fault *ret_fault) {
	const char *key;
	json_t *value;
	int r = 0;

	if (is_get && json_is_string(code) && json_string_length(code) == 0) {
		intake->wish = PIN_WISH_GET; /* all, as zigbee2mqtt's pages ask for it */
		return 0;
	}
	if (!json_is_object(code)) {
		return refuse(ret_fault, "\"pin_code\" is not an object");
	}
	json_object_foreach(code, key, value) {
		r = take_key(key, value, intake, ret_fault);
		if (r < 0) {
			return r;
		}
	}
	if (is_get) {
		intake->wish = PIN_WISH_GET;
		return 0;
	}
	if (intake->user == 0) {
		return refuse(ret_fault, "\"user\" is missing");
	}
	intake->wish = intake->pin.len > 0 ? PIN_WISH_SET : PIN_WISH_CLEAR;
	if (intake->wish == PIN_WISH_CLEAR && json_object_get(code, "pin_code") == NULL) {
		return refuse(ret_fault, "\"pin_code\" is missing: a code in quotes sets it, null "
					 "takes it away");
	}
	return 0;
}

static int parse_state(const json_t *state, struct pin_intake *intake, struct fault *ret_fault) {
	const char *word = json_string_value(state);

	intake->wish = PIN_WISH_ACT;
	intake->act = word == NULL                  ? ACT_NONE
		      : strcmp(word, "LOCK") == 0   ? ACT_LOCK
		      : strcmp(word, "UNLOCK") == 0 ? ACT_UNLOCK
						    : ACT_NONE;
	return intake->act != ACT_NONE ? 0
				       : refuse(ret_fault, "\"state\" is neither LOCK nor UNLOCK");
}

int pin_intake_parse(const uint8_t *payload, size_t n, bool is_get, struct pin_intake *ret,
	struct fault *ret_fault) {
	AUTO_VALUE(pin_intake_wipe) struct pin_intake intake = { .is_enabled = true };
	json_t *root = NULL;
	int r = intake_load(payload, n, &root, ret_fault);

	if (r < 0) {
		return r;
	}
	json_t *code = json_object_get(root, "pin_code");
	json_t *state = json_object_get(root, "state");
	if (json_object_size(root) != 1 || (code == NULL && state == NULL) ||
		(is_get && code == NULL)) {
		r = refuse(ret_fault, is_get ? "exactly the key pin_code is expected"
					     : "exactly one of pin_code and state is expected");
	} else {
		r = code != NULL ? parse_code(code, is_get, &intake, ret_fault)
				 : parse_state(state, &intake, ret_fault);
	}
	wipe_pin(code);
	json_decref(root);
	if (r >= 0) {
		*ret = intake;
	}
	return r;
}

void pin_intake_wipe(struct pin_intake *intake) {
	if (intake != NULL) {
		wipe(intake, sizeof(*intake));
	}
}
