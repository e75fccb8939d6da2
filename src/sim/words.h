/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The words of --lock, of "set" and of the control socket, as all brands read them: what they want
 * and how they say that something else came. @why has room for SIM_TEXT_MAX octets.
 */

#include <stdbool.h>
#include <stddef.h>

/* @pairs as sim_lock_make() has them. NULL: not among them. */
const char *words_value(const char *const *pairs, const char *key);
/*
 * The row of a brand's table whose model @pairs want. @rows: @n structs of @size octets that begin
 * with the model's name. NULL: none of them.
 */
const void *words_kind(const char *const *pairs, const void *rows, size_t n, size_t size);
/* "key=value: wanted" in @why. @return -EINVAL. */
int words_bad(char *why, const char *key, const char *value, const char *wanted);
/* 0 or 1. -EINVAL leaves *ret alone. */
int words_flag(const char *key, const char *value, bool *ret, char *why);
/* There is no such key; the one of @names that is near is proposed. @whose: "a TTLock". -EINVAL. */
int words_unknown(
	char *why, const char *whose, const char *key, const char *const *names, size_t n);
