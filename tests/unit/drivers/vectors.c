/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vectors.h"

#include "util/bytes.h"

static const struct vectors *all;
static const struct vector_kind *kinds_of_all;
static size_t n_kinds_of_all;
static json_t *file;

const char *text_of(const json_t *object, const char *key) {
	const char *text = json_string_value(json_object_get(object, key));

	if (text == NULL) {
		fail_msg("no text %s", key);
	}
	return text;
}

json_int_t number_of(const json_t *object, const char *key) {
	if (!json_is_integer(json_object_get(object, key))) {
		fail_msg("no number %s", key);
	}
	return json_integer_value(json_object_get(object, key));
}

size_t octets_of(const char *text, uint8_t out[static OCTETS_MAX]) {
	size_t n = 0;

	assert_int_equal(hex_decode_any(text, out, OCTETS_MAX, &n), 0);
	return n;
}

size_t octets_into(const json_t *object, const char *key, uint8_t *out, size_t size) {
	size_t n = 0;

	assert_int_equal(hex_decode_any(text_of(object, key), out, size, &n), 0);
	return n;
}

size_t octets(const json_t *object, const char *key, uint8_t out[static OCTETS_MAX]) {
	return octets_of(text_of(object, key), out);
}

void assert_octets(const json_t *object, const char *key, const uint8_t *got, size_t n_got) {
	uint8_t want[OCTETS_MAX];

	assert_int_equal(n_got, octets(object, key, want));
	assert_memory_equal(got, want, n_got);
}

static int open_vectors(void **state) {
	char path[4096];
	const char *root = getenv("LOCKHUB_SOURCE_ROOT");

	(void) state;
	snprintf(path, sizeof(path), "%s/tests/vectors/%s", root != NULL ? root : ".", all->file);
	file = json_load_file(path, 0, NULL);
	return file != NULL ? 0 : -1;
}

static int close_vectors(void **state) {
	(void) state;
	json_decref(file);
	return 0;
}

static void run_kind(void **state) {
	const struct vector_kind *kind = *state;
	unsigned n = 0;
	const json_t *vector;
	size_t i;

	json_array_foreach(json_object_get(file, "vectors"), i, vector) {
		if (strcmp(text_of(vector, all->kind), kind->kind) == 0) {
			n++;
			print_message("%s\n", text_of(vector, "id"));
			if (kind->run != NULL) {
				kind->run(json_object_get(vector, all->in),
					json_object_get(vector, all->out));
			}
		}
	}
	assert_int_equal(n, kind->n);
}

static void no_vector_is_left_out(void **state) {
	size_t n = 0;

	(void) state;
	for (size_t i = 0; i < n_kinds_of_all; i++) {
		n += kinds_of_all[i].n;
	}
	assert_int_equal(json_array_size(json_object_get(file, "vectors")), n);
}

int vectors_main(const struct vectors *vectors, const struct vector_kind *kinds, size_t n_kinds,
	const struct CMUnitTest *others, size_t n_others) {
	const struct CMUnitTest left_out = cmocka_unit_test(no_vector_is_left_out);
	struct CMUnitTest *tests = calloc(n_kinds + 1 + n_others, sizeof(*tests));

	if (tests == NULL) {
		return 1;
	}
	all = vectors;
	kinds_of_all = kinds;
	n_kinds_of_all = n_kinds;
	for (size_t i = 0; i < n_kinds; i++) {
		tests[i] = (struct CMUnitTest){
			.name = kinds[i].kind,
			.test_func = run_kind,
			.initial_state = (void *) (uintptr_t) &kinds[i],
		};
	}
	tests[n_kinds] = left_out;
	memcpy(tests + n_kinds + 1, others, n_others * sizeof(*others));
	const int n_failed = _cmocka_run_group_tests(
		vectors->name, tests, n_kinds + 1 + n_others, open_vectors, close_vectors);
	free(tests);
	return n_failed;
}
