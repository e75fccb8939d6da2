/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "nuki-vectors.h"

#include "../../test.h"

#include "util/bytes.h"

static json_t *file;

json_t *vectors_open(void) {
	char path[4096];
	const char *root = getenv("LOCKHUB_SOURCE_ROOT");
	json_error_t error;

	if (file == NULL) {
		snprintf(path, sizeof(path), "%s/tests/vectors/nuki.json",
			root != NULL ? root : ".");
		file = json_load_file(path, 0, &error);
		assert_non_null(file);
	}
	json_t *vectors = json_object_get(file, "vectors");
	assert_true(json_is_array(vectors));
	return vectors;
}

void vectors_close(void) {
	json_decref(file);
	file = NULL;
}

json_t *vector_by_id(const char *id) {
	json_t *vectors = vectors_open();
	json_t *vector;
	size_t i;

	json_array_foreach(vectors, i, vector) {
		if (strcmp(vector_text(vector, "id"), id) == 0) {
			return vector;
		}
	}
	fail_msg("no vector %s", id);
	return NULL;
}

const char *vector_text(const json_t *vector, const char *key) {
	const char *text = json_string_value(json_object_get(vector, key));

	if (text == NULL) {
		fail_msg("no text %s", key);
	}
	return text;
}

uint16_t vector_command(const json_t *vector) {
	return (uint16_t) strtoul(vector_text(vector, "command"), NULL, 16);
}

size_t hex_octets(const char *text, uint8_t *out, size_t size) {
	size_t n = 0;

	assert_int_equal(hex_decode_any(text, out, size, &n), 0);
	return n;
}

size_t vector_hex(const json_t *vector, const char *key, uint8_t *out, size_t size) {
	return hex_octets(vector_text(vector, key), out, size);
}
