/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Virtual locks of SwitchBot, as docs/protocols/switchbot-lock.md describes them in its appendix A;
 * the references in switchbot.c are its sections. They have their key from the start, as real ones
 * have it from the maker's account.
 */

#include "sim/lock.h"

/* The words of --lock "model=switchbot:...": see sim_lock_make(). */
int switchbot_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why);
