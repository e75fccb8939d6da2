/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "late.h"

#include <stdarg.h>

#include "room.h"

void lates_init(struct lates *lates) {
	list_init(&lates->calls);
	lates->n = 0;
}

void lates_drop_all(struct lates *lates) {
	struct late *each, *following;

	list_for_each_safe(each, following, &lates->calls, link) {
		list_remove(&each->link);
		list_init(&each->link);
		each->message = sd_bus_message_unref(each->message);
		each->api = NULL;
		each->lates = NULL;
	}
	lates->n = 0;
}

void late_begin(struct late *late, struct lates *lates, struct api *api, sd_bus_message *message) {
	late->lates = lates;
	late->api = api;
	late->message = sd_bus_message_ref(message);
	list_append(&lates->calls, &late->link);
	lates->n++;
}

void late_end(struct late *late) {
	if (late->lates != NULL) {
		late->lates->n--;
		late->lates = NULL;
	}
	list_remove(&late->link);
	late->message = sd_bus_message_unref(late->message);
}

void late_tell(const struct late *late, const char *member, const char *types, ...) {
	sd_bus_message *signal = NULL;
	va_list values;

	if (late->message == NULL) {
		return;
	}
	int r = sd_bus_message_new_signal(
		bus_sd(late->api->bus), &signal, API_MANAGER_PATH, API_MANAGER_INTERFACE, member);
	if (r >= 0) {
		va_start(values, types);
		r = sd_bus_message_appendv(signal, types, values);
		va_end(values);
	}
	if (r >= 0) {
		r = sd_bus_message_set_destination(
			signal, sd_bus_message_get_sender(late->message));
	}
	if (r >= 0) {
		(void) sd_bus_send(NULL, signal, NULL);
		bus_kick(late->api->bus);
	}
	sd_bus_message_unref(signal);
}

void late_answer(struct late *late, sd_bus_message *take_reply, int r) {
	if (late->message != NULL) {
		if (r >= 0) {
			r = sd_bus_send(NULL, take_reply, NULL);
		}
		if (r < 0) {
			sd_bus_reply_method_errno(late->message, r, NULL);
		}
		bus_kick(late->api->bus);
	}
	sd_bus_message_unref(take_reply);
}

bool late_refuse(struct late *late, const struct fault *fault) {
	if (late->message == NULL) {
		return true;
	}
	if (fault == NULL || fault->code == FAULT_NONE) {
		return false;
	}
	reply_fault(late->message, fault);
	bus_kick(late->api->bus);
	return true;
}
