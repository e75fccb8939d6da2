/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any D-Bus value as JSON: dictionaries become objects, other arrays and structs become arrays,
 * variants become what is in them. All text is made harmless here, where it comes in: names of
 * locks and people may come from the air and must not drive the terminal.
 */

#include "room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define DEPTH_MAX 16

static json_t *read_value(sd_bus_message *message, unsigned depth);

static json_t *clean_string(const char *text) {
	if (text_is_clean(text, strlen(text))) {
		return json_string(text);
	}
	AUTO(free) char *copy = strdup(text);
	if (copy == NULL) {
		return NULL;
	}
	text_sanitize(copy);
	return json_string(copy);
}

static json_t *read_basic(sd_bus_message *message, char type) {
	union {
		uint8_t u8;
		int b;
		int16_t i16;
		uint16_t u16;
		int32_t i32;
		uint32_t u32;
		int64_t i64;
		uint64_t u64;
		double d;
		const char *s;
	} value;
	if (sd_bus_message_read_basic(message, type, &value) < 0) {
		return NULL;
	}
	switch (type) {
	case 'y':
		return json_integer(value.u8);
	case 'b':
		return json_boolean(value.b);
	case 'n':
		return json_integer(value.i16);
	case 'q':
		return json_integer(value.u16);
	case 'i':
		return json_integer(value.i32);
	case 'u':
		return json_integer(value.u32);
	case 'x':
		return json_integer(value.i64);
	case 't':
		return json_integer((json_int_t) value.u64);
	case 'd':
		return json_real(value.d);
	case 's':
	case 'o':
	case 'g':
		return clean_string(value.s);
	default:
		return NULL;
	}
}

/* Keys of all dictionaries of ours are strings or paths. */
static json_t *read_dictionary(sd_bus_message *message, const char *contents, unsigned depth) {
	AUTO(json_decref) json_t *object = json_object();
	char entry[256];
	size_t n = strlen(contents);
	int r;
	/* "{sv}" without its braces is what the entry holds. */
	if (object == NULL || n < 4 || n - 2 >= sizeof(entry)) {
		return NULL;
	}
	memcpy(entry, contents + 1, n - 2);
	entry[n - 2] = '\0';
	if (entry[0] != 's' && entry[0] != 'o') {
		return NULL;
	}
	if (sd_bus_message_enter_container(message, 'a', contents) < 0) {
		return NULL;
	}
	while ((r = sd_bus_message_enter_container(message, 'e', entry)) > 0) {
		const char *key;
		if (sd_bus_message_read_basic(message, entry[0], &key) < 0) {
			return NULL;
		}
		json_t *value = read_value(message, depth + 1);
		if (value == NULL || json_object_set_new(object, key, value) < 0 ||
			sd_bus_message_exit_container(message) < 0) {
			return NULL;
		}
	}
	if (r < 0 || sd_bus_message_exit_container(message) < 0) {
		return NULL;
	}
	return STEAL(object);
}

static json_t *read_sequence(
	sd_bus_message *message, char type, const char *contents, unsigned depth) {
	AUTO(json_decref) json_t *array = json_array();
	int r;
	if (array == NULL || sd_bus_message_enter_container(message, type, contents) < 0) {
		return NULL;
	}
	while ((r = sd_bus_message_at_end(message, false)) == 0) {
		json_t *value = read_value(message, depth + 1);
		if (value == NULL || json_array_append_new(array, value) < 0) {
			return NULL;
		}
	}
	if (r < 0 || sd_bus_message_exit_container(message) < 0) {
		return NULL;
	}
	return STEAL(array);
}

static json_t *read_value(sd_bus_message *message, unsigned depth) {
	const char *contents = NULL;
	char type;
	if (depth > DEPTH_MAX || sd_bus_message_peek_type(message, &type, &contents) <= 0) {
		return NULL;
	}
	/* Numbers as keys are BlueZ's, of what nobody here asks for. */
	if (type == 'a' && contents[0] == '{' && contents[1] != 's' && contents[1] != 'o') {
		return sd_bus_message_skip(message, NULL) < 0 ? NULL : json_null();
	}
	if (type == 'a' && contents[0] == '{') {
		return read_dictionary(message, contents, depth);
	}
	if (type == 'a' || type == 'r') {
		return read_sequence(message, type, contents, depth);
	}
	if (type != 'v') {
		return read_basic(message, type);
	}
	if (sd_bus_message_enter_container(message, 'v', contents) < 0) {
		return NULL;
	}
	AUTO(json_decref) json_t *value = read_value(message, depth + 1);
	if (value == NULL || sd_bus_message_exit_container(message) < 0) {
		return NULL;
	}
	return STEAL(value);
}

json_t *wire_read(sd_bus_message *message) {
	return read_value(message, 0);
}
