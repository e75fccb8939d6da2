/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a lock can do, in words for people: the table that `lockhubctl show` prints and that
 * docs/brands.md is made of. Derived from the driver's table and from what is known of the lock;
 * nothing is added here that a driver does not say. Vocabulary: Matter Door Lock cluster. Pure.
 */

#include "core/driver.h"

#define CAPABILITY_VALUE_MAX 80

struct capability {
	const char *key;                  /* "unlatch": for programs; static */
	const char *title;                /* "pulls the latch": for people; static */
	char value[CAPABILITY_VALUE_MAX]; /* "yes", "no", "not known", or more words */
};

#define CAPABILITIES_MAX 32
/*
 * Fills in @out, always the same keys in the same order; @return how many. @is_all: @status holds
 * all that such a lock ever tells, so that what is not there is "no", and not "not known".
 */
size_t capabilities(const struct driver *driver, const struct secret *keys,
	const struct lock_status *status, bool is_all,
	struct capability out[static CAPABILITIES_MAX]);
