/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which locks of August and Yale there are, by the text that each gives as its model, as far as it
 * makes a difference. One protocol serves them all; a model that is not known has what most have.
 *
 * Source: docs/protocols/august-yale.md 1.
 */

#include <stdbool.h>
#include <stddef.h>

#define AUGUST_MODEL_MAX 24 /* with the end mark; longer texts are cut */
#define AUGUST_MODEL_NAME "August or Yale lock"

struct august_model {
	const char *prefix; /* of the text */
	const char *name;   /* of the family; "": the text is the name */
	bool has_door;      /* knows whether the door is open */
	bool tells_battery; /* answers when it is asked for its voltage */
	bool has_latch;     /* and can pull it */
};

/* Of the text of a lock; never NULL. "": not known yet. */
const struct august_model *august_model_of(const char *text);
/* "August Smart Lock ASL-03", for people; returns out. */
char *august_model_name(const char *text, char *out, size_t size);
