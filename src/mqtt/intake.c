/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "intake.h"

#include <jansson.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "util/auto.h"
#include "util/text.h"

#define JSON_DEPTH_MAX 8
#define SENT_AT_MAX_S 1e11 /* the year 5138: beyond it, it is not a time in seconds */

static const struct {
	const char *word;
	enum act act;
} words[] = {
	{ "LOCK", ACT_LOCK },
	{ "UNLOCK", ACT_UNLOCK },
	{ "OPEN", ACT_UNLATCH },
	{ "LOCK_N_GO", ACT_LOCK_N_GO },
	{ "LOCK_N_GO_OPEN", ACT_LOCK_N_GO_UNLATCH },
};

const char *intake_word(enum act act) {
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].act == act) {
			return words[i].word;
		}
	}
	return NULL;
}

static enum act act_from_word(const char *word, size_t n) {
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].word) == n && memcmp(words[i].word, word, n) == 0) {
			return words[i].act;
		}
	}
	return ACT_NONE;
}

static int refuse(struct fault *ret_fault, const char *reason) {
	return fault_set(ret_fault, FAULT_BAD_COMMAND, "%s", reason);
}

/* Says what is wrong without repeating what came: that may be a code somebody sent bare. */
static int refuse_word(struct fault *ret_fault, const char *word, size_t n) {
	while (n > 0 && strchr(" \t\r\n", word[n - 1]) != NULL) {
		n--;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].word) == n && strncasecmp(words[i].word, word, n) == 0) {
			return fault_set(ret_fault, FAULT_BAD_COMMAND,
				"write %s in capitals, with nothing around it", words[i].word);
		}
	}
	return refuse(ret_fault, "not one of LOCK, UNLOCK, OPEN");
}

/* Before the parser's recursion sees it. Strings are honoured, so that a '[' in one is free. */
static bool is_too_deep(const char *text, size_t n) {
	unsigned depth = 0;
	bool is_string = false;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		if (is_string) {
			if (c == '\\') {
				i++;
			} else if (c == '"') {
				is_string = false;
			}
		} else if (c == '"') {
			is_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX) {
				return true;
			}
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

static int take_action(const json_t *value, struct intake *intake, struct fault *ret_fault) {
	if (!json_is_string(value)) {
		return refuse(ret_fault, "\"action\" is not a text");
	}
	intake->act = act_from_word(json_string_value(value), json_string_length(value));
	if (intake->act == ACT_NONE) {
		return refuse_word(ret_fault, json_string_value(value), json_string_length(value));
	}
	return 0;
}

static int take_code(const json_t *value, struct intake *intake, struct fault *ret_fault) {
	if (json_is_null(value)) {
		return 0;
	}
	if (!json_is_string(value)) {
		/* A number has lost its leading zeros on the way. */
		return refuse(ret_fault, "\"code\" is not a text: write it in quotes");
	}
	if (json_string_length(value) > INTAKE_CODE_MAX) {
		return refuse(ret_fault, "\"code\" is too long");
	}
	return secret_set(&intake->code, json_string_value(value), json_string_length(value));
}

static int take_ts(const json_t *value, struct intake *intake, struct fault *ret_fault) {
	if (json_is_null(value)) {
		return 0;
	}
	double seconds = json_number_value(value);
	if (!json_is_number(value) || !isfinite(seconds) || seconds <= 0 ||
		seconds > SENT_AT_MAX_S) {
		return refuse(ret_fault, "\"ts\" is not a number of seconds since 1970");
	}
	intake->sent_at_ms = (int64_t) llround(seconds * 1000);
	/* 0 would mean that there is none. */
	intake->sent_at_ms = intake->sent_at_ms > 0 ? intake->sent_at_ms : 1;
	return 0;
}

static int take_id(const json_t *value, struct intake *intake, struct fault *ret_fault) {
	if (json_is_null(value)) {
		return 0;
	}
	if (!json_is_string(value) || json_string_length(value) >= sizeof(intake->id) ||
		!text_is_clean(json_string_value(value), json_string_length(value))) {
		return refuse(ret_fault, "\"id\" is not a text of up to 63 characters");
	}
	(void) text_copy(intake->id, sizeof(intake->id), json_string_value(value));
	return 0;
}

static const struct {
	const char *key;
	int (*take)(const json_t *value, struct intake *intake, struct fault *ret_fault);
} keys[] = {
	{ "action", take_action },
	{ "code", take_code },
	{ "ts", take_ts },
	{ "id", take_id },
};

static int take_key(
	const char *key, const json_t *value, struct intake *intake, struct fault *ret_fault) {
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].key, key) == 0) {
			return keys[i].take(value, intake, ret_fault);
		}
	}
	return refuse(ret_fault, "only action, code, ts and id are known keys");
}

/* jansson keeps its own copies of the texts in memory that is not wiped; a code lives there for the
 * time of this call. It gives the string's own buffer, so that can be overwritten before. */
static void wipe_code(json_t *root) {
	json_t *code = json_object_get(root, "code");

	if (json_is_string(code)) {
		wipe((char *) (uintptr_t) json_string_value(code), json_string_length(code));
	}
}

/* The checks that come before any parser of JSON sees what strangers wrote. */
static int check_text(const uint8_t *payload, size_t n, struct fault *ret_fault) {
	const char *text = (const char *) payload;

	if (n == 0) {
		return refuse(ret_fault, "empty");
	}
	if (n > INTAKE_PAYLOAD_MAX) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND, "%zu octets, at most %d are read", n,
			INTAKE_PAYLOAD_MAX);
	}
	if (!text_is_utf8(text, n) || memchr(text, '\0', n) != NULL) {
		return refuse(ret_fault, "not UTF-8 text");
	}
	return 0;
}

int intake_load(const uint8_t *payload, size_t n, json_t **ret_root, struct fault *ret_fault) {
	const char *text = (const char *) payload;
	json_error_t error;
	int r = check_text(payload, n, ret_fault);

	if (r < 0) {
		return r;
	}
	if (is_too_deep(text, n)) {
		return refuse(ret_fault, "JSON nested too deeply");
	}
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		/* Its text quotes what it stumbled over, which may be a code: only the place. */
		return fault_set(ret_fault, FAULT_BAD_COMMAND, "not valid JSON, at octet %d of %zu",
			error.position, n);
	}
	if (!json_is_object(root)) {
		json_decref(root);
		return refuse(ret_fault, "not a JSON object");
	}
	*ret_root = root;
	return 0;
}

static int parse_object(
	const uint8_t *payload, size_t n, struct intake *intake, struct fault *ret_fault) {
	json_t *root = NULL;
	const char *key;
	json_t *value;
	int r = intake_load(payload, n, &root, ret_fault);

	if (r < 0) {
		return r;
	}
	json_object_foreach(root, key, value) {
		r = take_key(key, value, intake, ret_fault);
		if (r < 0) {
			break;
		}
	}
	if (r >= 0 && intake->act == ACT_NONE) {
		r = refuse(ret_fault, "\"action\" is missing");
	}
	wipe_code(root);
	json_decref(root);
	return r;
}

int intake_parse(const uint8_t *payload, size_t n, struct intake *ret, struct fault *ret_fault) {
	AUTO_VALUE(intake_wipe) struct intake intake = { .act = ACT_NONE };
	int r = check_text(payload, n, ret_fault);

	if (r < 0) {
		return r;
	}
	if (payload[0] == '{') {
		r = parse_object(payload, n, &intake, ret_fault);
	} else {
		const char *text = (const char *) payload;
		intake.act = act_from_word(text, n);
		r = intake.act == ACT_NONE ? refuse_word(ret_fault, text, n) : 0;
	}
	if (r >= 0) {
		*ret = intake;
	}
	return r;
}

void intake_wipe(struct intake *intake) {
	if (intake != NULL) {
		wipe(intake, sizeof(*intake));
	}
}
