/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Calls that are answered later, on another turn of the loop. When the connection or the api goes
 * meanwhile nobody is answered; whoever works on it cannot be told to forget it, so the call's
 * object (which embeds struct late) waits for it all the same.
 */

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "util/fault.h"
#include "util/list.h"

struct api;

/* Those of one kind. */
struct lates {
	struct list calls; /* struct late */
	unsigned n;
};
struct late {
	struct list link;
	struct lates *lates;     /* NULL once the api or the connection has gone */
	struct api *api;         /* likewise */
	sd_bus_message *message; /* likewise */
};

void lates_init(struct lates *lates);
/* The connection is gone, or the api goes. */
void lates_drop_all(struct lates *lates);

void late_begin(struct late *late, struct lates *lates, struct api *api, sd_bus_message *message);
/* Answered, or never to be. Its memory is its owner's. */
void late_end(struct late *late);
/* A signal of the manager to the caller alone, with values as of sd_bus_message_append(). */
void late_tell(const struct late *late, const char *member, const char *types, ...);
/* Sends @take_reply (may be NULL), or the negative errno @r that there was in making it. */
void late_answer(struct late *late, sd_bus_message *take_reply, int r);
/*
 * Whether there is nothing to answer any more: nobody waits for it, or @fault (NULL or FAULT_NONE:
 * none) has been the answer.
 */
bool late_refuse(struct late *late, const struct fault *fault);
