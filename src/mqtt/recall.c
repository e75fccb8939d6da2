/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recall.h"

#include <stdlib.h>
#include <string.h>

#include "core/lock.h"
#include "util/text.h"

#include "room.h"

/* So far back the last operation is looked for among what else happened. */
#define RECALL_EVENTS 50

struct recall {
	struct list link;
	struct mqtt *mqtt; /* NULL: gone meanwhile */
	char lock_id[LOCK_ID_MAX];
};

static void on_events(void *user, const struct event *events, size_t n, const struct fault *fault) {
	struct recall *recall = user;
	struct face *face = recall->mqtt != NULL ? face_find(recall->mqtt, recall->lock_id) : NULL;

	if (face != NULL && fault == NULL) {
		for (size_t i = 0; i < n; i++) {
			face_recall(face, &events[i]);
		}
		face_show(face, FACT_LAST_EVENT);
	}
	list_remove(&recall->link);
	free(recall);
}

void recall_begin(struct mqtt *mqtt, const struct face *face) {
	struct recall *recall = calloc(1, sizeof(*recall));
	struct log_query query = { .limit = RECALL_EVENTS };

	if (recall == NULL) {
		return; /* then it is unknown until something happens */
	}
	list_init(&recall->link);
	recall->mqtt = mqtt;
	(void) text_copy(recall->lock_id, sizeof(recall->lock_id), lock_id(face_lock(face)));
	(void) text_copy(query.lock_id, sizeof(query.lock_id), recall->lock_id);
	list_append(&mqtt->recalls, &recall->link);
	hub_query_log(mqtt->hub, &query, on_events, recall);
}

void recall_free(struct mqtt *mqtt) {
	struct recall *recall;
	struct recall *next;

	list_for_each_safe(recall, next, &mqtt->recalls, link) {
		recall->mqtt = NULL;
		list_remove(&recall->link);
		list_init(&recall->link);
	}
}
