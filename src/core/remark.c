/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/hub.h"

#include <stdlib.h>

#include "private.h"
#include "util/text.h"

struct remark {
	struct hub *hub;
	void (*done)(void *user, const struct fault *fault);
	void *user;
};

static void remark_done(void *user, struct txn *txn, const struct fault *fault) {
	struct remark *remark = user;

	hub_txn_done(remark->hub, txn, fault);
	if (remark->done != NULL) {
		remark->done(remark->user, fault);
	}
	free(remark);
}

int hub_remark(struct hub *hub, enum event_kind kind, enum fault_code code, const char *text,
	const char *forget, void (*done)(void *user, const struct fault *fault), void *user,
	struct fault *ret_fault) {
	struct remark *remark = calloc(1, sizeof(*remark));
	struct txn *txn = remark != NULL ? txn_new(remark_done, remark) : NULL;
	struct event *event = txn != NULL ? txn_add_event(txn, hub, NULL, kind) : NULL;
	struct txn_item *item = event != NULL && forget != NULL ? txn_add(txn, TXN_SETTING) : NULL;

	if (event == NULL || (forget != NULL && item == NULL)) {
		txn_free(txn);
		free(remark);
		return fault_set(ret_fault, FAULT_NO_MEMORY, "recording an event");
	}
	*remark = (struct remark){ .hub = hub, .done = done, .user = user };
	event->fault = code;
	(void) text_copy(event->text, sizeof(event->text), text);
	text_sanitize(event->text);
	if (item != NULL) {
		(void) text_copy(item->setting.key, sizeof(item->setting.key), forget);
	}
	hub_commit(hub, txn);
	return 0;
}
