/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "ble.h"
#include "util/log.h"
#include "util/text.h"

#define BLUEZ_NAME "org.bluez"
#define RULE_MAX 512

void ble_slot_drop(sd_bus_slot **slot) {
	*slot = sd_bus_slot_unref(*slot);
}

static int new_call(struct central *central, sd_bus_message **ret, const char *path,
	const char *interface, const char *member) {
	sd_bus *sd = bus_sd(central->bus);

	if (sd == NULL) {
		return -ENOTCONN;
	}
	int r = sd_bus_message_new_method_call(sd, ret, BLUEZ_NAME, path, interface, member);
	if (r < 0) {
		return r;
	}
	/* BlueZ is started in one place only, with a back-off. */
	return sd_bus_message_set_auto_start(*ret, false);
}

int central_call(struct central *central, sd_bus_slot **slot, const char *path,
	const char *interface, const char *member, unsigned timeout_ms, sd_bus_message_handler_t fn,
	void *user, const char *types, ...) {
	sd_bus_message *message = NULL;
	int r = new_call(central, &message, path, interface, member);

	ble_slot_drop(slot);
	if (r >= 0 && types[0] != '\0') {
		va_list args;
		va_start(args, types);
		r = sd_bus_message_appendv(message, types, args);
		va_end(args);
	}
	if (r >= 0) {
		r = sd_bus_call_async(bus_sd(central->bus), slot, message, fn, user,
			UINT64_C(1000) * ble_ms(central, timeout_ms));
		bus_kick(central->bus);
	}
	sd_bus_message_unref(message);
	return r < 0 ? r : 0;
}

void central_tell(
	struct central *central, const char *path, const char *interface, const char *member) {
	sd_bus_message *message = NULL;

	if (new_call(central, &message, path, interface, member) >= 0) {
		(void) sd_bus_call_async(bus_sd(central->bus), NULL, message, NULL, NULL, 0);
		bus_kick(central->bus);
	}
	sd_bus_message_unref(message);
}

/*
 * Without this callback sd-bus would close the whole connection when a rule is refused. It is
 * refused when there are too many (512 on the system bus; peers_widen() keeps below), which means
 * that we leak them, or that somebody has lowered that limit.
 */
static int on_match(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	const sd_bus_error *error = sd_bus_message_get_error(message);

	(void) user;
	(void) ret_error;
	if (error != NULL) {
		log_blame(BLAME_LOCKHUB, NULL, "the bus refused a match rule: %s", error->message);
	}
	return 0;
}

int central_match(struct central *central, sd_bus_slot **slot, sd_bus_message_handler_t fn,
	void *user, const char *format, ...) {
	sd_bus *sd = bus_sd(central->bus);
	char rule[RULE_MAX];
	va_list args;

	ble_slot_drop(slot);
	if (sd == NULL) {
		return -ENOTCONN;
	}
	va_start(args, format);
	int n = vsnprintf(rule, sizeof(rule), format, args);
	va_end(args);
	if (n < 0 || (size_t) n >= sizeof(rule)) {
		return -ENOBUFS;
	}
	int r = sd_bus_add_match_async(sd, slot, rule, fn, on_match, user);
	if (r < 0) {
		log_blame(BLAME_LOCKHUB, NULL, "cannot add a match rule: %d", r);
	}
	bus_kick(central->bus);
	return r < 0 ? r : 0;
}

enum bluez_error central_answer(struct central *central, sd_bus_message *message, char *text,
	size_t n_text, uint8_t *ret_att) {
	const sd_bus_error *error = sd_bus_message_get_error(message);

	if (ret_att != NULL) {
		*ret_att = 0;
	}
	if (text != NULL) {
		text[0] = '\0';
	}
	if (error == NULL) {
		if (central_is_from_bluez(central, message)) {
			central->n_unanswered = 0;
		}
		return BLUEZ_ERROR_NONE;
	}
	const char *message_text = error->message != NULL ? error->message : "";
	enum bluez_error class = bluez_classify(error->name, message_text, ret_att);
	if (text != NULL) {
		(void) text_copy(
			text, n_text, message_text[0] != '\0' ? message_text : error->name);
		text_sanitize(text);
	}
	switch (class) {
	case BLUEZ_ERROR_TIMED_OUT:
		central_suspect_hang(central);
		break;
	case BLUEZ_ERROR_DENIED:
		central->is_denied = true;
		central_update_status(central);
		break;
	case BLUEZ_ERROR_LIMITS:
		log_blame(BLAME_LOCKHUB, NULL, "the bus's limits are exceeded: %s", message_text);
		break;
	default:
		break;
	}
	return class;
}
