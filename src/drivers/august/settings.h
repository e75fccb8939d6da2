/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a person may choose of a lock of August or Yale: when it locks again by itself, which the
 * lock keeps, and what this hub may do with it, which is kept with the keys and of which the lock
 * knows nothing.
 */

#include "machine.h"

#define AUGUST_SETTINGS_MAX 8

/*
 * Takes one that is kept here into the keys, and tells them. false: the lock keeps that one.
 */
bool august_choose(struct august_session *session, const struct setting *setting);
/* As they are now, those of the lock only if they have been read; how many. */
size_t august_list_settings(
	const struct august_session *session, struct setting out[static AUGUST_SETTINGS_MAX]);
/* What the lock has to be told for @setting to come true, which is one of its own. */
struct august_relock august_change_relock(struct august_relock now, const struct setting *setting);
/* A record in our terms; fields of *ret that it says nothing about are left. */
void august_record_entry(const struct august_record *record,
	const uint8_t frame[static AUGUST_FRAME_LEN], struct log_entry *ret);
