/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.lockhub1.Lock: what of a lock's own configuration a person may choose, and choosing it. */

#include "room.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct lock *lock_of(const void *user) {
	return ((const struct api_lock *) user)->lock;
}

/* ------------------------------------------------------------------------- properties */

/* As the bus has it: b for a switch, x for a number, s for the others. */
static int put_value(sd_bus_message *reply, const struct lock_setting *row, const char *value) {
	switch (row->kind) {
	case SETTING_SWITCH:
		return sd_bus_message_append(
			reply, "{sv}", "value", "b", (int) (strcmp(value, "on") == 0));
	case SETTING_NUMBER:
		return sd_bus_message_append(
			reply, "{sv}", "value", "x", (int64_t) strtoll(value, NULL, 10));
	case SETTING_SELECT:
	case SETTING_TIME:
	case SETTING_TEXT:
		break;
	}
	return sd_bus_message_append(reply, "{sv}", "value", "s", value);
}

static int put_range(sd_bus_message *reply, const struct lock_setting *row) {
	int r = 0;
	if (row->kind == SETTING_NUMBER) {
		r = sd_bus_message_append(reply, "{sv}{sv}{sv}{sv}", "min", "x", (int64_t) row->min,
			"max", "x", (int64_t) row->max, "step", "x",
			(int64_t) (row->step > 0 ? row->step : 1), "zero_is_off", "b",
			(int) row->is_zero_off);
	} else if (row->kind == SETTING_TEXT) {
		r = sd_bus_message_append(reply, "{sv}", "max", "x", (int64_t) row->max);
	}
	if (r >= 0 && row->unit != NULL) {
		r = sd_bus_message_append(reply, "{sv}", "unit", "s", row->unit);
	}
	if (r < 0 || row->kind != SETTING_SELECT) {
		return r;
	}
	r = sd_bus_message_open_container(reply, 'e', "sv");
	if (r >= 0) {
		r = sd_bus_message_append(reply, "s", "options");
	}
	if (r >= 0) {
		r = sd_bus_message_open_container(reply, 'v', "as");
	}
	if (r >= 0) {
		r = sd_bus_message_append_strv(reply, (char **) row->options);
	}
	if (r >= 0) {
		r = sd_bus_message_close_container(reply);
	}
	return r >= 0 ? sd_bus_message_close_container(reply) : r;
}

static int put_setting(sd_bus_message *reply, const struct lock_setting *row, const char *value) {
	char range[SETTING_RANGE_MAX];
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r >= 0) {
		r = sd_bus_message_append(reply, "{sv}{sv}{sv}{sv}{sv}{sv}", "key", "s", row->key,
			"title", "s", row->title, "kind", "s", setting_kind_name(row->kind),
			"takes", "s", setting_range(row, range), "text", "s", value, "needs_pin",
			"b", (int) row->needs_pin);
	}
	if (r >= 0) {
		r = put_value(reply, row, value);
	}
	if (r >= 0) {
		r = put_range(reply, row);
	}
	return r >= 0 ? sd_bus_message_close_container(reply) : r;
}

PROPERTY_GETTER(lock_get_settings) {
	size_t n;
	const struct lock_setting *rows = lock_setting_rows(lock_of(user), &n);
	int r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0; r >= 0 && rows != NULL && i < n; i++) {
		const char *value = lock_setting(lock_of(user), rows[i].key);
		if (value != NULL) {
			r = put_setting(reply, &rows[i], value);
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(lock_get_settings_read) {
	size_t n;
	wall_t at;
	lock_settings(lock_of(user), &n, &at);
	return sd_bus_message_append(reply, "x", at.s);
}

PROPERTY_GETTER(lock_get_settings_wanted) {
	size_t n;
	const struct setting *wanted = lock_settings_wanted(lock_of(user), &n);
	int r = sd_bus_message_open_container(reply, 'a', "{ss}");
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = sd_bus_message_append(reply, "{ss}", wanted[i].key, wanted[i].value);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* ------------------------------------------------------------------------- methods */

/* -errno of the bus, or -EINVAL for a type that no setting has. */
static int read_number(sd_bus_message *message, char type, int64_t *ret) {
	union {
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
		int64_t x;
	} at = { .x = 0 };
	int r = sd_bus_message_read_basic(message, type, &at);
	switch (type) {
	case SD_BUS_TYPE_INT16:
		*ret = at.n;
		break;
	case SD_BUS_TYPE_UINT16:
		*ret = at.q;
		break;
	case SD_BUS_TYPE_INT32:
		*ret = at.i;
		break;
	case SD_BUS_TYPE_UINT32:
		*ret = at.u;
		break;
	case SD_BUS_TYPE_INT64:
		*ret = at.x;
		break;
	default: /* RULE R3: types of the bus, not an enum */
		return -EINVAL;
	}
	return r;
}

/* A value of any basic type, as a person would write it. */
static int read_value(sd_bus_message *message, char *out, size_t size) {
	const char *contents, *text;
	int64_t number = 0;
	int flag, r;
	char type;
	r = sd_bus_message_peek_type(message, &type, &contents);
	if (r < 0 || type != SD_BUS_TYPE_VARIANT) {
		return -EINVAL;
	}
	r = sd_bus_message_enter_container(message, 'v', contents);
	if (r < 0) {
		return r;
	}
	if (strcmp(contents, "s") == 0) {
		r = sd_bus_message_read_basic(message, 's', &text);
		return r < 0 ? r : text_copy(out, size, text) ? 0 : -EINVAL;
	}
	if (strcmp(contents, "b") == 0) {
		r = sd_bus_message_read_basic(message, 'b', &flag);
		text_copy(out, size, r >= 0 && flag ? "on" : "off");
		return r;
	}
	r = contents[1] == '\0' ? read_number(message, contents[0], &number) : -EINVAL;
	if (r >= 0) {
		snprintf(out, size, "%" PRId64, number);
	}
	return r;
}

static int read_setting(sd_bus_message *message, struct setting *ret, struct fault *ret_fault) {
	const char *key;
	if (sd_bus_message_read(message, "s", &key) < 0 ||
		!text_copy(ret->key, sizeof(ret->key), key) ||
		read_value(message, ret->value, sizeof(ret->value)) < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"SetSetting(s key, v value): the value is text, a number or true or false, "
			"and not longer than %d octets",
			SETTING_VALUE_MAX - 1);
	}
	return 0;
}

static void setting_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	const struct api_lock *shown = lock_called(api, message);
	if (shown == NULL) {
		return;
	}
	struct request request = request_of(shown->lock, ACT_PUT_SETTING, asker);
	int r = read_setting(message, &request.setting, &fault);
	request_send(api, message, &request, r, &fault);
}

int lock_method_setting(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_MANAGE, setting_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}

static void accept_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	const struct api_lock *shown = lock_called(api, message);
	if (shown == NULL) {
		return;
	}
	if (hub_settings_accept(api->hub, lock_id(shown->lock), &fault) < 0) {
		reply_fault(message, &fault);
	} else {
		sd_bus_reply_method_return(message, NULL);
	}
}

int lock_method_accept_settings(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_MANAGE, accept_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}
