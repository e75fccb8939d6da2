/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * org.lockhub1.Operation. The objects follow the hub's operations: shown when one is asked for,
 * gone when the hub has forgotten it, which it does once OP_KEPT later ones have finished.
 */

#include "room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct api_op *find_by_id(const struct api *api, const char *id) {
	struct api_op *shown;
	list_for_each(shown, &api->ops.list, object.link) {
		if (strcmp(shown->op.id, id) == 0) {
			return shown;
		}
	}
	return NULL;
}

static PROPERTY_GETTER(get_text) {
	const struct op *op = &((const struct api_op *) user)->op;
	const struct {
		const char *property;
		const char *value;
	} rows[] = {
		{ "Id", op->id },
		{ "Act", act_name(op->act) },
		{ "LockId", op->lock_id },
		{ "LockSlug", op->lock_slug },
		{ "State", op_state_name(op->state) },
		{ "Outcome", op_outcome_name(op->outcome) },
		{ "Fault", fault_name(op->fault.code) },
		{ "Actor", op->actor },
		{ "Credential", op->credential_id },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].property, property) == 0) {
			return value_text(reply, rows[i].value);
		}
	}
	return -ENOENT;
}

static PROPERTY_GETTER(get_lock) {
	const struct api_op *shown = user;
	const struct api_lock *lock = locks_by_id(shown->object.api, shown->op.lock_id);
	char made_up[API_PATH_MAX];
	if (lock != NULL) {
		return sd_bus_message_append(reply, "o", lock->object.path);
	}
	return sd_bus_message_append(reply, "o",
		shown->op.lock_slug[0] != '\0'
			? object_path(&lock_kind, shown->op.lock_slug, made_up)
			: "/");
}

/* "" while there is nothing to say. */
static const char *message_of(const struct op *op, char text[static FAULT_TEXT_MAX]) {
	return op->fault.code == FAULT_NONE ? "" : fault_text(&op->fault, text);
}

static const char *hint_of(const struct op *op, char text[static FAULT_TEXT_MAX]) {
	return op->fault.code == FAULT_NONE
		       ? ""
		       : fault_hint(op->fault.code, op->lock_slug[0] != '\0' ? op->lock_slug : NULL,
				 text);
}

static PROPERTY_GETTER(get_message) {
	char text[FAULT_TEXT_MAX];
	return value_text(reply, message_of(&((const struct api_op *) user)->op, text));
}

static PROPERTY_GETTER(get_hint) {
	char text[FAULT_TEXT_MAX];
	return value_text(reply, hint_of(&((const struct api_op *) user)->op, text));
}

static PROPERTY_GETTER(get_requested) {
	return sd_bus_message_append(reply, "x", ((const struct api_op *) user)->op.requested_at.s);
}

static PROPERTY_GETTER(get_timer) {
	return sd_bus_message_append(reply, "x", ((const struct api_op *) user)->op.ref);
}

static PROPERTY_GETTER(get_tries) {
	return sd_bus_message_append(reply, "u", ((const struct api_op *) user)->op.tries);
}

/* A lock that learns: whether it waits for somebody, how often it has had it, and of how many. */
static PROPERTY_GETTER(get_presenting) {
	const struct op *op = &((const struct api_op *) user)->op;
	return sd_bus_message_append(reply, "b", (int) op->is_presenting);
}

static PROPERTY_GETTER(get_presented) {
	const struct op *op = &((const struct api_op *) user)->op;
	return sd_bus_message_append(reply, "u",
		strcmp(property, "Presented") == 0 ? op->n_presented : op->n_to_present);
}

/* Milliseconds from the request to the first octet for the lock, -1 before that. */
static PROPERTY_GETTER(get_latency) {
	const struct op *op = &((const struct api_op *) user)->op;
	int64_t ms = op->first_write.ms != 0 ? mono_since(op->received, op->first_write) : -1;
	return sd_bus_message_append(reply, "x", ms);
}

static void cancel_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	const struct api_op *shown = objects_find(&api->ops, sd_bus_message_get_path(message));
	if (shown == NULL) {
		fault_set(&fault, FAULT_NO_SUCH_OPERATION, "it is over and forgotten");
		reply_fault(message, &fault);
	} else if (hub_cancel(api->hub, shown->op.id, &fault) < 0) {
		reply_fault(message, &fault);
	} else {
		sd_bus_reply_method_return(message, NULL);
	}
}

/* Whoever may ask for an act may take it back. */
static int method_cancel(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule operate = { ROLE_OPERATE, cancel_granted, NULL };
	static const struct ask_rule manage = { ROLE_MANAGE, cancel_granted, NULL };
	const struct api_op *shown = user;
	bool is_manage = policy_role_for(shown->op.act) == ROLE_MANAGE;
	return ask(shown->object.api, message, is_manage ? &manage : &operate);
}

/* clang-format off */
#define TOLD SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define FIXED SD_BUS_VTABLE_PROPERTY_CONST

const sd_bus_vtable operation_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Id", "s", get_text, 0, FIXED),
	SD_BUS_PROPERTY("Act", "s", get_text, 0, FIXED),
	SD_BUS_PROPERTY("Lock", "o", get_lock, 0, 0),
	SD_BUS_PROPERTY("LockId", "s", get_text, 0, FIXED),
	SD_BUS_PROPERTY("LockSlug", "s", get_text, 0, 0),
	SD_BUS_PROPERTY("Actor", "s", get_text, 0, FIXED),
	SD_BUS_PROPERTY("Requested", "x", get_requested, 0, FIXED),
	SD_BUS_PROPERTY("State", "s", get_text, 0, TOLD),
	SD_BUS_PROPERTY("Outcome", "s", get_text, 0, TOLD),
	SD_BUS_PROPERTY("Fault", "s", get_text, 0, TOLD),
	SD_BUS_PROPERTY("Message", "s", get_message, 0, TOLD),
	SD_BUS_PROPERTY("Hint", "s", get_hint, 0, TOLD),
	SD_BUS_PROPERTY("Timer", "x", get_timer, 0, 0),
	SD_BUS_PROPERTY("Credential", "s", get_text, 0, 0),
	SD_BUS_PROPERTY("Presenting", "b", get_presenting, 0, TOLD),
	SD_BUS_PROPERTY("Presented", "u", get_presented, 0, TOLD),
	SD_BUS_PROPERTY("ToPresent", "u", get_presented, 0, TOLD),
	SD_BUS_PROPERTY("Tries", "u", get_tries, 0, 0),
	SD_BUS_PROPERTY("LatencyMs", "x", get_latency, 0, 0),
	SD_BUS_METHOD("Cancel", NULL, NULL, method_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("Finished",
		SD_BUS_ARGS("s", outcome, "s", fault, "s", message, "s", hint), 0),
	SD_BUS_VTABLE_END
};
/* clang-format on */

const struct api_kind operation_kind = {
	.prefix = API_OPERATION_PREFIX,
	.interface = API_OPERATION_INTERFACE,
	.vtable = operation_vtable,
	.missing = FAULT_NO_SUCH_OPERATION,
};

static void forget_those_the_hub_forgot(struct api *api) {
	struct api_op *shown, *following;
	list_for_each_safe(shown, following, &api->ops.list, object.link) {
		if (shown->op.state == OP_FINISHED && hub_find_op(api->hub, shown->op.id) == NULL) {
			object_hide(&shown->object);
		}
	}
}

static void emit_changes(const struct api_op *shown, const struct op *before) {
	const char *properties[12];
	size_t n = 0;
	if (shown->op.state != before->state) {
		properties[n++] = "State";
	}
	if (shown->op.outcome != before->outcome) {
		properties[n++] = "Outcome";
	}
	if (shown->op.fault.code != before->fault.code) {
		properties[n++] = "Fault";
		properties[n++] = "Message";
		properties[n++] = "Hint";
	}
	if (shown->op.is_presenting != before->is_presenting ||
		shown->op.n_presented != before->n_presented ||
		shown->op.n_to_present != before->n_to_present) {
		properties[n++] = "Presenting";
		properties[n++] = "Presented";
		properties[n++] = "ToPresent";
	}
	properties[n] = NULL;
	if (n > 0) {
		object_emit(&shown->object, properties);
	}
}

const struct api_op *operations_put(struct api *api, const struct op *op) {
	struct api_op *shown = find_by_id(api, op->id);
	if (shown != NULL) {
		struct op before = shown->op;
		shown->op = *op;
		emit_changes(shown, &before);
		return shown;
	}
	shown = calloc(1, sizeof(*shown));
	if (shown == NULL) {
		return NULL;
	}
	shown->op = *op;
	object_show(&api->ops, &shown->object, op->id);
	return shown;
}

void operations_finished(struct api *api, const struct op *op) {
	char message[FAULT_TEXT_MAX], hint[FAULT_TEXT_MAX];
	const struct api_op *shown = operations_put(api, op);
	if (shown != NULL && bus_sd(api->bus) != NULL) {
		message_of(op, message);
		text_sanitize(message);
		sd_bus_emit_signal(bus_sd(api->bus), shown->object.path, API_OPERATION_INTERFACE,
			"Finished", "ssss", op_outcome_name(op->outcome),
			fault_name(op->fault.code), op->fault.code == FAULT_NONE ? "" : message,
			hint_of(op, hint));
		bus_kick(api->bus);
	}
	forget_those_the_hub_forgot(api);
}
