/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A brand's vectors (tests/vectors) as a program of cases: all vectors of one kind are a case. A
 * kind that is in the file and not in the table, or a vector more or less, fails. What is not in a
 * vector and is asked for fails the case.
 */

#include "../../test.h"

#include <jansson.h>

#define OCTETS_MAX 512

struct vectors {
	const char *name; /* of the program */
	const char *file; /* in tests/vectors */
	/* What the file calls the kind of a vector, and what goes in and comes out. */
	const char *kind, *in, *out;
};

struct vector_kind {
	const char *kind;
	unsigned n;                                       /* in the file */
	void (*run)(const json_t *in, const json_t *out); /* NULL: nothing of the hub's */
};

/* Runs them, and @others behind. What main() returns. */
int vectors_main(const struct vectors *vectors, const struct vector_kind *kinds, size_t n_kinds,
	const struct CMUnitTest *others, size_t n_others);

const char *text_of(const json_t *object, const char *key);
json_int_t number_of(const json_t *object, const char *key);
/* Hexadecimal digits; how many octets. */
size_t octets_of(const char *text, uint8_t out[static OCTETS_MAX]);
size_t octets_into(const json_t *object, const char *key, uint8_t *out, size_t size);
size_t octets(const json_t *object, const char *key, uint8_t out[static OCTETS_MAX]);
void assert_octets(const json_t *object, const char *key, const uint8_t *got, size_t n_got);
