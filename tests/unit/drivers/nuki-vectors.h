/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * tests/vectors/nuki.json for the tests. Everything asserts; texts and objects are borrowed from
 * the file, which stays loaded until vectors_close().
 */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Opens the file and returns its array of vectors. */
json_t *vectors_open(void);
void vectors_close(void);
/* The vector with this id. */
json_t *vector_by_id(const char *id);
const char *vector_text(const json_t *vector, const char *key); /* asserts that it is there */
/* "0x000D" as a number. */
uint16_t vector_command(const json_t *vector);
/* Decodes the hex text under @key; @return octets. */
size_t vector_hex(const json_t *vector, const char *key, uint8_t *out, size_t size);
size_t hex_octets(const char *text, uint8_t *out, size_t size);
