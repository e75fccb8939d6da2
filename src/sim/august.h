/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A virtual lock of August or Yale, after docs/protocols/august-yale.md. Its codec is its own: one
 * shared with the driver would prove nothing.
 */

#include "sim/lock.h"

/* The words of --lock "model=august:..." and "model=yale:...": see sim_lock_make(). */
int august_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why);
