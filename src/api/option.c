/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Options and changes that come as a{sv}: a table says what there is. */

#include "room.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "loop/bus.h"

static const struct option *find(const struct option *options, size_t n, const char *key) {
	for (size_t i = 0; i < n; i++) {
		if (strcmp(options[i].key, key) == 0) {
			return &options[i];
		}
	}
	return NULL;
}

#define OPTIONS_MAX 32

static int no_such(
	const struct option *options, size_t n, const char *key, struct fault *ret_fault) {
	const char *keys[OPTIONS_MAX];
	assert(n <= OPTIONS_MAX);
	for (size_t i = 0; i < n; i++) {
		keys[i] = options[i].key;
	}
	const char *nearest = text_nearest(key, keys, n);
	return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "there is no option '%.32s'%s%s%s", key,
		nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
		nearest != NULL ? "'?" : "");
}

static int read_text(
	sd_bus_message *message, const struct option *option, char *at, struct fault *ret_fault) {
	const char *text;
	if (sd_bus_message_read(message, "v", "s", &text) < 0 ||
		!text_is_clean(text, strlen(text)) || strlen(text) >= option->size) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"option %s must be a string of at most %zu octets without control "
			"characters",
			option->key, option->size - 1);
	}
	text_copy(at, option->size, text);
	return 0;
}

static int read_secret(sd_bus_message *message, const struct option *option, struct secret *at,
	struct fault *ret_fault) {
	const char *text;
	if (sd_bus_message_read(message, "v", "s", &text) < 0 || secret_set_text(at, text) < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "option %s must be a short string",
			option->key);
	}
	return 0;
}

static int read_octets(sd_bus_message *message, const struct option *option, struct secret *at,
	struct fault *ret_fault) {
	const void *octets = NULL;
	size_t n = 0;
	int r = sd_bus_message_enter_container(message, 'v', "ay");
	if (r >= 0) {
		r = sd_bus_message_read_array(message, 'y', &octets, &n);
	}
	if (r < 0 || secret_set(at, octets, n) < 0 || sd_bus_message_exit_container(message) < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"option %s must be an array of at most %d octets", option->key, SECRET_MAX);
	}
	return 0;
}

static int read_number(sd_bus_message *message, const struct option *option, unsigned *at,
	struct fault *ret_fault) {
	const char *contents = NULL;
	int64_t value = -1;
	int32_t i = -1;
	uint32_t u = 0;
	char type;
	int r = sd_bus_message_peek_type(message, &type, &contents);
	if (r > 0 && strcmp(contents, "u") == 0) {
		r = sd_bus_message_read(message, "v", "u", &u);
		value = u;
	} else if (r > 0 && strcmp(contents, "i") == 0) {
		r = sd_bus_message_read(message, "v", "i", &i);
		value = i;
	} else if (r > 0 && strcmp(contents, "x") == 0) {
		r = sd_bus_message_read(message, "v", "x", &value);
	} else {
		r = -EINVAL;
	}
	if (r < 0 || value < 0 || value > UINT32_MAX) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"option %s must be a number (u, i or x), not negative", option->key);
	}
	*at = (unsigned) value;
	return 0;
}

static int read_word(
	sd_bus_message *message, const struct option *option, void *at, struct fault *ret_fault) {
	const char *word;
	if (sd_bus_message_read(message, "v", "s", &word) < 0) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "option %s must be a string", option->key);
	}
	if (option->set(word, at) < 0) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "there is no %s '%.32s'", option->key, word);
	}
	return 0;
}

static int read_value(sd_bus_message *message, const struct option *option, void *object,
	struct fault *ret_fault) {
	void *at = (char *) object + option->offset;
	int flag;
	switch (option->kind) {
	case OPTION_TEXT:
		return read_text(message, option, at, ret_fault);
	case OPTION_SECRET:
		return read_secret(message, option, at, ret_fault);
	case OPTION_OCTETS:
		return read_octets(message, option, at, ret_fault);
	case OPTION_FLAG:
		if (sd_bus_message_read(message, "v", "b", &flag) < 0) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"option %s must be a boolean", option->key);
		}
		*(bool *) at = flag;
		return 0;
	case OPTION_NUMBER:
		return read_number(message, option, at, ret_fault);
	case OPTION_WORD:
		return read_word(message, option, at, ret_fault);
	}
	return -EINVAL;
}

struct reading {
	const struct option *options;
	size_t n;
	void *object;
	unsigned set;
	struct fault *fault;
};

static int read_option(sd_bus_message *message, const char *key, void *user) {
	struct reading *reading = user;
	const struct option *option = find(reading->options, reading->n, key);

	if (option == NULL) {
		return no_such(reading->options, reading->n, key, reading->fault);
	}
	reading->set |= option->bit;
	return read_value(message, option, reading->object, reading->fault);
}

int options_read(sd_bus_message *message, const struct option *options, size_t n, void *object,
	unsigned *ret_set, struct fault *ret_fault) {
	struct reading reading = { options, n, object, 0, ret_fault };

	ret_fault->code = FAULT_NONE;
	const int r = bus_each_property(message, read_option, &reading);
	if (r < 0) {
		return ret_fault->code != FAULT_NONE ? r
						     : fault_set(ret_fault, FAULT_BAD_ARGUMENT,
							       "the options cannot be read");
	}
	if (ret_set != NULL) {
		*ret_set = reading.set;
	}
	return 0;
}
