/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <errno.h>
#include <string.h>

/* Longest text that goes out as one value; all of ours are shorter. */
#define VALUE_TEXT_MAX 1024

/*
 * Names come from the air. A string that is not UTF-8 would make sd-bus refuse the whole message,
 * so it is mended here, at the last door.
 */
int value_text(sd_bus_message *message, const char *text) {
	if (text_is_clean(text, strlen(text))) {
		return sd_bus_message_append(message, "s", text);
	}
	char copy[VALUE_TEXT_MAX];
	text_copy(copy, sizeof(copy), text);
	text_sanitize(copy);
	return sd_bus_message_append(message, "s", copy);
}

int put_text(sd_bus_message *message, const char *key, const char *value) {
	if (text_is_clean(value, strlen(value))) {
		return sd_bus_message_append(message, "{sv}", key, "s", value);
	}
	char copy[VALUE_TEXT_MAX];
	text_copy(copy, sizeof(copy), value);
	text_sanitize(copy);
	return sd_bus_message_append(message, "{sv}", key, "s", copy);
}

int put_text_unless_empty(sd_bus_message *message, const char *key, const char *value) {
	return value[0] == '\0' ? 0 : put_text(message, key, value);
}

int put_flag(sd_bus_message *message, const char *key, bool value) {
	return sd_bus_message_append(message, "{sv}", key, "b", (int) value);
}

int put_number(sd_bus_message *message, const char *key, int64_t value) {
	return sd_bus_message_append(message, "{sv}", key, "x", value);
}

int put_fault(
	sd_bus_message *message, const char *key, const struct fault *fault, const char *lock) {
	if (fault->code == FAULT_NONE) {
		return put_text(message, key, "ok");
	}
	char long_key[64], text[FAULT_TEXT_MAX];
	int r = put_text(message, key, fault_name(fault->code));
	if (r < 0) {
		return r;
	}
	snprintf(long_key, sizeof(long_key), "%s_text", key);
	r = put_text(message, long_key, fault_text(fault, text));
	if (r < 0) {
		return r;
	}
	snprintf(long_key, sizeof(long_key), "%s_hint", key);
	return put_text(message, long_key, fault_hint(fault->code, lock, text));
}

static int put_event_lock(
	sd_bus_message *message, const struct api *api, const struct event *event) {
	if (event->lock_id[0] == '\0') {
		return 0;
	}
	int r = put_text(message, "lock_id", event->lock_id);
	const struct api_lock *shown = locks_by_id(api, event->lock_id);
	if (r >= 0 && shown != NULL) {
		r = put_text(message, "lock", lock_slug(shown->lock));
	}
	if (r >= 0 && shown != NULL) {
		r = put_text(message, "lock_name", lock_name(shown->lock));
	}
	return r;
}

static int put_event_what(sd_bus_message *message, const struct event *event) {
	int r = 0;
	if (event->operation != OPERATION_NONE) {
		r = put_text(message, "operation", operation_type_name(event->operation));
	}
	if (r >= 0 && event->source != SOURCE_UNSPECIFIED) {
		r = put_text(message, "source", operation_source_name(event->source));
	}
	if (r >= 0 && event->error != OPERATION_ERROR_NONE) {
		r = put_text(message, "error", operation_error_name(event->error));
	}
	if (r >= 0 && event->alarm != ALARM_NONE) {
		r = put_text(message, "alarm", alarm_code_name(event->alarm));
	}
	if (r >= 0 && event->door != DOOR_STATE_UNKNOWN) {
		r = put_text(message, "door", door_state_name(event->door));
	}
	if (r >= 0 && event->state != LOCK_STATE_UNKNOWN) {
		r = put_text(message, "state", lock_state_name(event->state));
	}
	if (r >= 0 && event->act != ACT_NONE) {
		r = put_text(message, "act", act_name(event->act));
	}
	if (r >= 0 && event->fault != FAULT_NONE) {
		r = put_text(message, "fault", fault_name(event->fault));
	}
	return r;
}

static int put_event_rest(sd_bus_message *message, const struct event *event) {
	int r = put_text_unless_empty(message, "user", event->user);
	if (r >= 0) {
		r = put_text_unless_empty(message, "user_id", event->user_id);
	}
	if (r >= 0 && event->attribution != ATTRIBUTION_NONE) {
		r = put_text(message, "attribution", attribution_name(event->attribution));
	}
	if (r >= 0 && event->credential != CREDENTIAL_NONE) {
		r = put_text(message, "credential", credential_type_name(event->credential));
	}
	if (r >= 0 && event->kind == EVENT_LOCK_USER_CHANGE) {
		r = put_text(message, "data", lock_data_type_name(event->data));
	}
	if (r >= 0 && event->kind == EVENT_LOCK_USER_CHANGE) {
		r = put_text(message, "data_operation", data_operation_name(event->data_operation));
	}
	if (r >= 0 && event->user_ref != 0) {
		r = put_number(message, "user_ref", event->user_ref);
	}
	if (r >= 0 && event->lock_time.s != 0) {
		r = put_number(message, "lock_time", event->lock_time.s);
	}
	if (r >= 0 && event->lock_seq != 0) {
		r = put_number(message, "lock_seq", event->lock_seq);
	}
	if (r >= 0) {
		r = put_text_unless_empty(message, "operation_id", event->op_id);
	}
	if (r >= 0 && event->number != 0) {
		r = put_number(message, "number", event->number);
	}
	if (r >= 0) {
		r = put_text_unless_empty(message, "text", event->text);
	}
	return r;
}

int value_event(sd_bus_message *message, const struct api *api, const struct event *event) {
	char line[EVENT_LINE_MAX];
	int r = sd_bus_message_open_container(message, 'a', "{sv}");
	if (r < 0) {
		return r;
	}
	/* A lock that has no event yet: an empty dictionary. */
	if (event != NULL && event->kind != EVENT_NONE) {
		r = put_number(message, "seq", event->seq);
		if (r >= 0) {
			r = put_text(message, "kind", event_kind_name(event->kind));
		}
		if (r >= 0) {
			r = put_text(message, "type", event_word(event));
		}
		if (r >= 0) {
			r = put_text(message, "line", event_line(event, line));
		}
		if (r >= 0) {
			r = put_number(message, "time", event->time.s);
		}
		if (r >= 0) {
			r = put_flag(message, "time_trusted", event->is_time_trusted);
		}
		if (r >= 0) {
			r = put_event_lock(message, api, event);
		}
		if (r >= 0) {
			r = put_event_what(message, event);
		}
		if (r >= 0) {
			r = put_event_rest(message, event);
		}
		if (r < 0) {
			return r;
		}
	}
	return sd_bus_message_close_container(message);
}

/* Whether it is paired already: by address, as far as the address is a fixed one. */
static const struct lock *paired_as(const struct api *api, const char *address) {
	const struct api_lock *shown;
	list_for_each(shown, &api->locks.list, object.link) {
		if (strcasecmp(lock_address(shown->lock), address) == 0) {
			return shown->lock;
		}
	}
	return NULL;
}

int value_sighting(
	sd_bus_message *message, const struct api *api, const struct sighting *sighting) {
	int r = sd_bus_message_open_container(message, 'a', "{sv}");
	if (r >= 0) {
		r = put_text(message, "address", sighting->address);
	}
	if (r >= 0) {
		r = put_text(message, "driver", sighting->driver->name);
	}
	if (r >= 0) {
		r = put_text(message, "brand", sighting->driver->brand);
	}
	if (r >= 0) {
		r = put_text(message, "model", sighting->model);
	}
	if (r >= 0) {
		r = put_text_unless_empty(message, "serial", sighting->serial);
	}
	if (r >= 0) {
		r = put_text_unless_empty(message, "name", sighting->name);
	}
	if (r >= 0 && sighting->rssi != 0) {
		r = put_number(message, "rssi", sighting->rssi);
	}
	if (r >= 0) {
		r = put_flag(message, "pairing", sighting->is_pairing);
	}
	if (r >= 0) {
		r = put_flag(message, "needs_pin", sighting->needs_pin);
	}
	if (r >= 0 && sighting->driver->pin_form != NULL) {
		r = put_text(message, "pin_form", sighting->driver->pin_form);
	}
	if (r >= 0) {
		r = put_flag(message, "needs_key", sighting->needs_key);
	}
	if (r >= 0 && sighting->driver->protocol != NULL) {
		const struct protocol *protocol = sighting->driver->protocol(NULL, NULL);

		r = put_text(
			message, "protocol_class", protocol_class_name(protocol_class(protocol)));
		if (r >= 0 && protocol != NULL) {
			r = put_text_unless_empty(message, "weakness", protocol->weakness);
		}
	}
	if (r >= 0 && sighting->driver->key_form != NULL) {
		r = put_text(message, "key_form", sighting->driver->key_form);
	}
	if (r >= 0 && sighting->driver->key_source != NULL) {
		r = put_text(message, "key_source", sighting->driver->key_source);
	}
	if (r >= 0 && sighting->driver->key_members != NULL) {
		r = put_text(message, "key_members", sighting->driver->key_members);
	}
	const struct lock *lock = paired_as(api, sighting->address);
	if (r >= 0 && lock != NULL) {
		r = put_text(message, "paired", lock_slug(lock));
	}
	return r < 0 ? r : sd_bus_message_close_container(message);
}

int reply_fault(sd_bus_message *message, const struct fault *fault) {
	char text[FAULT_TEXT_MAX];
	fault_text(fault, text);
	text_sanitize(text);
	return sd_bus_reply_method_errorf(message, fault_row(fault->code)->dbus, "%s", text);
}

int reply_operation(struct api *api, sd_bus_message *message, const struct op *op) {
	const struct api_op *shown = operations_put(api, op);
	if (shown == NULL) {
		struct fault fault;
		fault_set(&fault, FAULT_NO_MEMORY, "for the operation object");
		return reply_fault(message, &fault);
	}
	return sd_bus_reply_method_return(message, "o", shown->object.path);
}
