/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Small text helpers. All sizes in octets; all outputs terminated. */

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
/* Copies, cut at a UTF-8 boundary when it does not fit. @return true when all of it fitted. */
bool text_copy(char *out, size_t size, const char *text);
/* How many octets of @text fit into @max without cutting a UTF-8 character in two. */
size_t text_cut(const char *text, size_t max);
/* Well-formed UTF-8 (RFC 3629) without control characters or marks of the direction of writing. */
bool text_is_clean(const char *text, size_t n);
bool text_is_utf8(const char *text, size_t n);
/* Replaces what text_is_clean() forbids by '?', in place. For names that came from outside. */
void text_sanitize(char *text);
/*
 * "Front Door" -> "front-door", "Haustür" -> "haustuer": a-z, 0-9 and single dashes; "lock" when
 * nothing is left.
 */
void text_slug(const char *text, char *out, size_t size);
/* Copies @text with each word LOCK replaced by @lock; NULL keeps it. @return as text_copy(). */
bool text_fill_lock(const char *text, const char *lock, char *out, size_t size);
/*
 * The entry of @names (n of them; NULL entries are skipped) nearest to @word by edit distance, or
 * NULL when none is near enough to be worth suggesting.
 */
const char *text_nearest(const char *word, const char *const *names, size_t n);
/* Decimal digits only, within [min, max]. -EINVAL: not a number; -ERANGE. *ret untouched then. */
int text_to_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/* One row of an enum's names (R3). */
struct name_row {
	int value;
	const char *name;
};
/* Never NULL: "?" for a value without a row. */
const char *name_of(const struct name_row *rows, size_t n, int value);
/* -EINVAL leaves *ret alone. */
int name_to(const struct name_row *rows, size_t n, const char *name, int *ret);
