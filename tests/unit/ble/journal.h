/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A journal that can be looked into: takes the place of libsystemd's. */

#include <stdbool.h>
#include <stddef.h>

/* After scene_prepare(): everything down to debug is kept from now on. */
void journal_catch(void);
void journal_forget(void);
size_t journal_size(void);
/* How many entries contain the text; "NAME=value" finds fields. */
unsigned journal_count(const char *text);
/* The entry's fields as "NAME=value" lines, each with its line end. */
const char *journal_entry(size_t i);
/* The field's value, in storage of the call before the next; NULL when there is none. */
const char *journal_field(const char *entry, const char *name);
