/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the database knows, taken up by the hub (and by the backups) once at the start. What does
 * not open or does not fit is told in the journal, and the rest is served.
 */

#include "core/hub.h"

#define HUB_ID_LEN 8

struct backups;
struct store;

struct loaded {
	struct hub *hub;
	struct backups *backups;
	char hub_id[HUB_ID_LEN + 1]; /* made at the first start of a database, and kept in it */
	unsigned n_interrupted;      /* operations that the former life of the daemon had begun */
};

/* @loaded: hub and backups filled in. Blocks; before the loop runs. 0, or the errno of the fault.
 */
int load_all(struct loaded *loaded, struct store *store, struct fault *ret_fault);
