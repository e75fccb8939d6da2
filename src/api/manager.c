/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <errno.h>
#include <string.h>

#include "loop/bus.h"

#define SCAN_SECONDS_MAX 600

static PROPERTY_GETTER(get_version) {
	return sd_bus_message_append(reply, "s", ((const struct api *) user)->version);
}

static PROPERTY_GETTER(get_scanning) {
	return sd_bus_message_append(
		reply, "b", (int) hub_is_scanning(((const struct api *) user)->hub));
}

static PROPERTY_GETTER(get_discovered) {
	const struct api *api = user;
	int r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0; r >= 0 && i < hub_discovered_count(api->hub); i++) {
		r = value_sighting(reply, api, hub_discovered_at(api->hub, i));
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static PROPERTY_GETTER(get_event_types) {
	int r = sd_bus_message_open_container(reply, 'a', "s");
	for (const char *const *word = event_words(); r >= 0 && *word != NULL; word++) {
		r = sd_bus_message_append(reply, "s", *word);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void scan_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	uint32_t seconds = 0;
	if (sd_bus_message_read(message, "u", &seconds) < 0 || seconds == 0 ||
		seconds > SCAN_SECONDS_MAX) {
		fault_set(&fault, FAULT_BAD_ARGUMENT, "a scan lasts 1 to %d seconds",
			SCAN_SECONDS_MAX);
		reply_fault(message, &fault);
	} else if (hub_scan(api->hub, seconds * 1000U, &fault) < 0) {
		reply_fault(message, &fault);
	} else {
		sd_bus_reply_method_return(message, NULL);
		manager_emit_changed(api, "Scanning");
	}
}

static void stop_scan_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	hub_scan_stop(api->hub);
	sd_bus_reply_method_return(message, NULL);
}

/*
 * Tells no more than the properties do, so nobody is asked: one command of lockhubctl is one
 * question to polkit, and at most one password.
 */
static int method_find_lock(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	const struct api *api = user;
	struct fault fault = { 0 };
	struct lock *lock = NULL;
	const char *word;
	char path[API_PATH_MAX];
	int r = sd_bus_message_read(message, "s", &word);
	if (r < 0) {
		return r;
	}
	if (hub_get_lock(api->hub, word, &lock, &fault) < 0) {
		return reply_fault(message, &fault);
	}
	return sd_bus_reply_method_return(
		message, "o", object_path(&lock_kind, lock_slug(lock), path));
}

struct pair_options {
	struct pair_request *request;
	struct fault *fault;
};

static int read_pair_option(sd_bus_message *message, const char *key, void *user) {
	static const char *const keys[] = { "pin", "key", "app", "replaces", "accept_weak" };
	const struct pair_options *options = user;
	struct pair_request *request = options->request;
	struct fault *ret_fault = options->fault;
	const char *pin;
	struct secret *secret;
	int flag;
	if (strcmp(key, "pin") == 0 || strcmp(key, "key") == 0) {
		secret = key[0] == 'p' ? &request->pin : &request->key;
		if (sd_bus_message_read(message, "v", "s", &pin) < 0 ||
			secret_set_text(secret, pin) < 0) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"option %s must be a short string", key);
		}
		return 0;
	}
	if (strcmp(key, "replaces") == 0) {
		const char *word;
		if (sd_bus_message_read(message, "v", "s", &word) < 0 ||
			!text_copy(request->replaces, sizeof(request->replaces), word)) {
			return fault_set(
				ret_fault, FAULT_BAD_ARGUMENT, "option replaces must name a lock");
		}
		return 0;
	}
	if (strcmp(key, "app") == 0 || strcmp(key, "accept_weak") == 0) {
		if (sd_bus_message_read(message, "v", "b", &flag) < 0) {
			return fault_set(
				ret_fault, FAULT_BAD_ARGUMENT, "option %s must be a boolean", key);
		}
		*(key[1] == 'p' ? &request->as_app : &request->accepts_weak) = flag;
		return 0;
	}
	const char *nearest = text_nearest(key, keys, ARRAY_SIZE(keys));
	return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "there is no option '%.32s'%s%s%s", key,
		nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
		nearest != NULL ? "'?" : "");
}

static int read_pair_request(
	sd_bus_message *message, struct pair_request *request, struct fault *ret_fault) {
	const char *address, *name;
	int r = sd_bus_message_read(message, "ss", &address, &name);
	if (r < 0 || !text_is_clean(name, strlen(name)) ||
		!text_copy(request->name, sizeof(request->name), name)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a name has at most %d octets and no control characters",
			LOCK_NAME_MAX - 1);
	}
	if (!text_copy(request->address, sizeof(request->address), address)) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "an address looks like 54:D2:72:00:11:22");
	}
	r = bus_each_property(
		message, read_pair_option, &(struct pair_options){ request, ret_fault });
	if (r < 0 && ret_fault->code == FAULT_NONE) {
		fault_set(ret_fault, FAULT_BAD_ARGUMENT, "the options cannot be read");
	}
	return r;
}

static void pair_request_wipe(struct pair_request *request) {
	secret_wipe(&request->pin);
	secret_wipe(&request->key);
}

static void pair_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	struct op *op = NULL;
	AUTO_VALUE(pair_request_wipe)
	struct pair_request request = { .origin = REQUEST_DBUS, .role = asker->role };
	text_copy(request.actor, sizeof(request.actor), asker->name);
	if (read_pair_request(message, &request, &fault) < 0 ||
		hub_pair(api->hub, &request, &op, &fault) < 0) {
		reply_fault(message, &fault);
	} else {
		reply_operation(api, message, op);
	}
}

static int method_scan(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_OPERATE, scan_granted, NULL };
	return ask(user, message, &rule);
}

static int method_stop_scan(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_OPERATE, stop_scan_granted, NULL };
	return ask(user, message, &rule);
}

static int method_pair(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_MANAGE, pair_granted, NULL };
	sd_bus_message_sensitive(message); /* it may hold a PIN */
	return ask(user, message, &rule);
}

static int method_query_log(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_VIEW, manager_query_log, NULL };
	return ask(user, message, &rule);
}

static int method_verify_log(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_VIEW, manager_verify_log, NULL };
	return ask(user, message, &rule);
}

static int method_statistics(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_VIEW, statistics_of_adapters, NULL };
	return ask(user, message, &rule);
}

/* clang-format off */
#define SECRETIVE (SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE)

const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Status", "a{sv}", manager_get_status, 0, SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
	SD_BUS_PROPERTY("Scanning", "b", get_scanning, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("DiscoveredLocks", "aa{sv}", get_discovered, 0, 0),
	SD_BUS_PROPERTY("EventTypes", "as", get_event_types, 0, SD_BUS_VTABLE_PROPERTY_CONST),

	SD_BUS_METHOD_WITH_ARGS("Scan", SD_BUS_ARGS("u", seconds), SD_BUS_NO_RESULT,
		method_scan, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StopScan", NULL, NULL, method_stop_scan, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("FindLock", SD_BUS_ARGS("s", word), SD_BUS_RESULT("o", lock),
		method_find_lock, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Pair", SD_BUS_ARGS("s", address, "s", name, "a{sv}", options),
		SD_BUS_RESULT("o", operation), method_pair,
		SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
	SD_BUS_METHOD_WITH_ARGS("QueryLog", SD_BUS_ARGS("a{sv}", filter), SD_BUS_RESULT("aa{sv}", events),
		method_query_log, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("VerifyLog", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", result),
		method_verify_log, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetRadioStatistics", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("a{sa{sv}}", statistics), method_statistics,
		SD_BUS_VTABLE_UNPRIVILEGED),

	SD_BUS_METHOD_WITH_ARGS("Diagnose", SD_BUS_ARGS("s", lock, "a{sv}", options),
		SD_BUS_RESULT("s", json), diagnose_method, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Fix",
		SD_BUS_ARGS("s", lock, "s", fault, "s", remedy, "a{sv}", options),
		SD_BUS_RESULT("s", json), diagnose_method_fix, SD_BUS_VTABLE_UNPRIVILEGED),

	SD_BUS_METHOD_WITH_ARGS("Backup", SD_BUS_ARGS("h", file, "s", passphrase, "a{sv}", options),
		SD_BUS_RESULT("a{sv}", report), backup_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("VerifyBackup", SD_BUS_ARGS("h", file, "s", passphrase),
		SD_BUS_RESULT("a{sv}", report), backup_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("Restore", SD_BUS_ARGS("h", file, "s", passphrase),
		SD_BUS_RESULT("a{sv}", report), backup_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("MakeGeneration", SD_BUS_ARGS("s", reason),
		SD_BUS_RESULT("a{sv}", report), backup_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("VerifyGeneration", SD_BUS_ARGS("s", name),
		SD_BUS_RESULT("a{sv}", report), backup_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("RestoreGeneration", SD_BUS_ARGS("s", name),
		SD_BUS_RESULT("a{sv}", report), backup_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("ListBackups", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", backups),
		backup_method, SECRETIVE),

	SD_BUS_METHOD_WITH_ARGS("FindUser", SD_BUS_ARGS("s", word), SD_BUS_RESULT("o", user),
		people_find_user, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("AddUser", SD_BUS_ARGS("s", name, "a{sv}", options),
		SD_BUS_RESULT("o", user), people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("AddCode", SD_BUS_ARGS("s", user, "a{sv}", options),
		SD_BUS_RESULT("s", id, "s", pin), people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("ChangeCode", SD_BUS_ARGS("s", id, "s", pin),
		SD_BUS_RESULT("s", pin), people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("RevokeCode", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
		people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("RevealCode", SD_BUS_ARGS("s", id), SD_BUS_RESULT("s", pin),
		people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("AdoptCode",
		SD_BUS_ARGS("s", lock, "s", type, "x", ref, "s", user), SD_BUS_RESULT("s", id),
		people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("RemoveForeignCode", SD_BUS_ARGS("s", lock, "s", type, "x", ref),
		SD_BUS_NO_RESULT, people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("SyncCodes", SD_BUS_ARGS("s", lock), SD_BUS_NO_RESULT,
		people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("AddSchedule", SD_BUS_ARGS("s", user, "s", lock, "s", when),
		SD_BUS_NO_RESULT, people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("RemoveSchedule", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
		people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("AddHoliday", SD_BUS_ARGS("s", lock, "s", when, "s", mode),
		SD_BUS_NO_RESULT, people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("RemoveHoliday", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
		people_method, SECRETIVE),
	SD_BUS_METHOD_WITH_ARGS("SetLockRules", SD_BUS_ARGS("s", lock, "a{sv}", rules),
		SD_BUS_NO_RESULT, people_method, SECRETIVE),

	SD_BUS_SIGNAL_WITH_ARGS("Event", SD_BUS_ARGS("a{sv}", event), 0),
	SD_BUS_SIGNAL_WITH_ARGS("Discovered", SD_BUS_ARGS("a{sv}", sighting), 0),
	SD_BUS_SIGNAL_WITH_ARGS("BackupProgress", SD_BUS_ARGS("s", text, "t", done, "t", all), 0),
	SD_BUS_SIGNAL_WITH_ARGS("ScanEnded", SD_BUS_ARGS("s", fault, "s", message, "s", hint), 0),
	SD_BUS_SIGNAL_WITH_ARGS("DiagnosisProgress", SD_BUS_ARGS("s", text, "u", done, "u", all), 0),
	SD_BUS_VTABLE_END
};
/* clang-format on */

static int new_signal(struct api *api, const char *member, sd_bus_message **ret_message) {
	if (bus_sd(api->bus) == NULL) {
		return -ENOTCONN;
	}
	return sd_bus_message_new_signal(
		bus_sd(api->bus), ret_message, API_MANAGER_PATH, API_MANAGER_INTERFACE, member);
}

static void send_signal(struct api *api, sd_bus_message *take_message, int r) {
	if (r >= 0) {
		sd_bus_send(bus_sd(api->bus), take_message, NULL);
		bus_kick(api->bus);
	}
	sd_bus_message_unref(take_message);
}

void manager_emit_event(struct api *api, const struct event *event) {
	sd_bus_message *message = NULL;
	int r = new_signal(api, "Event", &message);
	send_signal(api, message, r < 0 ? r : value_event(message, api, event));
}

void manager_emit_discovered(struct api *api, const struct sighting *sighting) {
	sd_bus_message *message = NULL;
	int r = new_signal(api, "Discovered", &message);
	send_signal(api, message, r < 0 ? r : value_sighting(message, api, sighting));
}

void manager_emit_scan_ended(struct api *api, const struct fault *fault) {
	char text[FAULT_TEXT_MAX], hint[FAULT_TEXT_MAX];
	sd_bus_message *message = NULL;
	bool is_fault = fault != NULL && fault->code != FAULT_NONE;
	int r = new_signal(api, "ScanEnded", &message);
	if (r >= 0 && is_fault) {
		fault_text(fault, text);
		text_sanitize(text);
		r = sd_bus_message_append(message, "sss", fault_name(fault->code), text,
			fault_hint(fault->code, NULL, hint));
	} else if (r >= 0) {
		r = sd_bus_message_append(message, "sss", fault_name(FAULT_NONE), "", "");
	}
	send_signal(api, message, r);
	manager_emit_changed(api, "Scanning");
}

void manager_emit_changed(struct api *api, const char *property) {
	if (bus_sd(api->bus) != NULL) {
		sd_bus_emit_properties_changed(
			bus_sd(api->bus), API_MANAGER_PATH, API_MANAGER_INTERFACE, property, NULL);
		bus_kick(api->bus);
	}
}
