/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Methods that are nothing but an act, and what secret comes with it. */
static const struct {
	const char *method;
	enum act act;
	bool has_factor;
} acts[] = {
	{ "Lock", ACT_LOCK },
	{ "Unlock", ACT_UNLOCK },
	{ "Unlatch", ACT_UNLATCH },
	{ "UnlockWithFactor", ACT_UNLOCK, true },
	{ "UnlatchWithFactor", ACT_UNLATCH, true },
	{ "LockNGo", ACT_LOCK_N_GO },
	{ "LockNGoUnlatch", ACT_LOCK_N_GO_UNLATCH },
	{ "Calibrate", ACT_CALIBRATE },
	{ "Refresh", ACT_READ_STATE },
	{ "ReadConfig", ACT_READ_CONFIG },
	{ "ReadBattery", ACT_READ_BATTERY },
	{ "ReadLog", ACT_READ_LOG },
	{ "ReadTimers", ACT_READ_TIMERS },
	{ "ReadSettings", ACT_READ_SETTINGS },
	{ "SyncClock", ACT_SET_TIME },
	{ "Reboot", ACT_REBOOT },
	{ "SetPin", ACT_VERIFY_PIN },
};

static enum act act_of(sd_bus_message *message) {
	const char *member = sd_bus_message_get_member(message);
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		if (strcmp(acts[i].method, member) == 0) {
			return acts[i].act;
		}
	}
	return ACT_NONE;
}

static bool has_factor(sd_bus_message *message) {
	const char *member = sd_bus_message_get_member(message);
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		if (acts[i].has_factor && strcmp(acts[i].method, member) == 0) {
			return true;
		}
	}
	return false;
}

struct api_lock *locks_by_id(const struct api *api, const char *id) {
	struct api_lock *shown;
	list_for_each(shown, &api->locks.list, object.link) {
		if (strcmp(lock_id(shown->lock), id) == 0) {
			return shown;
		}
	}
	return NULL;
}

struct api_lock *lock_called(struct api *api, sd_bus_message *message) {
	struct api_lock *shown = objects_find(&api->locks, sd_bus_message_get_path(message));
	if (shown == NULL) {
		struct fault fault;
		fault_set(&fault, FAULT_NO_SUCH_LOCK, "it has been removed or renamed");
		reply_fault(message, &fault);
	}
	return shown;
}

/* Parses the one argument; the message is sensitive and wiped by sd-bus when it goes. */
static int read_secret(sd_bus_message *message, struct secret *ret_secret, const char *what,
	struct fault *ret_fault) {
	const char *text;
	int r = sd_bus_message_rewind(message, true);
	if (r >= 0) {
		r = sd_bus_message_read(message, "s", &text);
	}
	if (r < 0 || text[0] == '\0' || secret_set_text(ret_secret, text) < 0) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "the %s is empty or too long", what);
	}
	return 0;
}

static void request_wipe(struct request *request) {
	secret_wipe(&request->pin);
	secret_wipe(&request->factor);
}

struct request request_of(const struct lock *lock, enum act act, const struct asker *asker) {
	struct request request = {
		.act = act,
		.origin = REQUEST_DBUS,
		.role = asker->role,
		.received = asker->received,
	};
	text_copy(request.lock, sizeof(request.lock), lock_id(lock));
	text_copy(request.actor, sizeof(request.actor), asker->name);
	return request;
}

void request_send(struct api *api, sd_bus_message *message, const struct request *request, int r,
	struct fault *fault) {
	struct op *op = NULL;
	if (r >= 0) {
		r = hub_request(api->hub, request, &op, fault);
	}
	if (r < 0 || op == NULL) {
		reply_fault(message, fault);
	} else {
		reply_operation(api, message, op);
	}
}

/* @return what hub_request() says. */
static int request_act(struct api *api, const struct lock *lock, sd_bus_message *message,
	const struct asker *asker, struct op **ret_op, struct fault *ret_fault) {
	AUTO_VALUE(request_wipe) struct request request = request_of(lock, act_of(message), asker);
	int r = 0;
	if (request.act == ACT_VERIFY_PIN) {
		r = read_secret(message, &request.pin, "PIN", ret_fault);
	} else if (has_factor(message)) {
		r = read_secret(message, &request.factor, "code", ret_fault);
	}
	if (r < 0) {
		return r;
	}
	return hub_request(api->hub, &request, ret_op, ret_fault);
}

static void act_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	struct op *op = NULL;
	struct api_lock *shown = lock_called(api, message);
	if (shown == NULL) {
		return;
	}
	if (request_act(api, shown->lock, message, asker, &op, &fault) < 0) {
		reply_fault(message, &fault);
	} else {
		reply_operation(api, message, op);
	}
}

/* Core sees the request too, with the role the asker has: it refuses and records that. */
static void act_refused(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	struct op *op = NULL;
	struct api_lock *shown = objects_find(&api->locks, sd_bus_message_get_path(message));
	enum act act = act_of(message);
	if (shown != NULL && asker->role < policy_role_for(act)) {
		request_act(api, shown->lock, message, asker, &op, &fault);
	}
}

static int method_act(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rules[] = {
		[ROLE_NONE] = { ROLE_MANAGE, act_granted, act_refused },
		[ROLE_VIEW] = { ROLE_VIEW, act_granted, act_refused },
		[ROLE_OPERATE] = { ROLE_OPERATE, act_granted, act_refused },
		[ROLE_MANAGE] = { ROLE_MANAGE, act_granted, act_refused },
	};
	struct api_lock *shown = user;
	enum act act = act_of(message);
	assert(act != ACT_NONE); /* a method of the vtable without a row above is our bug */
	if (act == ACT_VERIFY_PIN || has_factor(message)) {
		sd_bus_message_sensitive(message);
	}
	return ask(shown->object.api, message, &rules[policy_role_for(act)]);
}

static void unpair_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	struct op *op = NULL;
	int is_forced = 0;
	struct api_lock *shown = lock_called(api, message);
	if (shown == NULL) {
		return;
	}
	if (sd_bus_message_read(message, "b", &is_forced) < 0) {
		fault_set(&fault, FAULT_BAD_ARGUMENT, "Unpair(b force)");
		reply_fault(message, &fault);
	} else if (hub_unpair(api->hub, lock_id(shown->lock), is_forced, asker->name, asker->role,
			   &op, &fault) < 0) {
		reply_fault(message, &fault);
	} else {
		reply_operation(api, message, op);
	}
}

static int method_unpair(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_MANAGE, unpair_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}

/* A Rename that waits for the database. */
struct rename_call {
	struct hub *hub;
	sd_bus_message *message;
	/* The id, not the path: by the time of the answer the path is another one. */
	char id[LOCK_ID_MAX];
};

static void rename_done(void *user, const struct fault *fault) {
	struct rename_call *call = user;
	const struct lock *lock = hub_find_lock(call->hub, call->id);
	char path[API_PATH_MAX];
	if (fault != NULL) {
		reply_fault(call->message, fault);
	} else {
		sd_bus_reply_method_return(call->message, "o",
			lock != NULL ? object_path(&lock_kind, lock_slug(lock), path) : API_ROOT);
	}
	sd_bus_message_unref(call->message);
	free(call);
}

static void rename_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	const char *name;
	struct api_lock *shown = lock_called(api, message);
	if (shown == NULL) {
		return;
	}
	if (sd_bus_message_read(message, "s", &name) < 0 || strlen(name) >= LOCK_NAME_MAX ||
		!text_is_clean(name, strlen(name))) {
		fault_set(&fault, FAULT_BAD_ARGUMENT,
			"a name has 1 to %d octets and no control characters", LOCK_NAME_MAX - 1);
		reply_fault(message, &fault);
		return;
	}
	struct rename_call *call = calloc(1, sizeof(*call));
	if (call == NULL) {
		fault_set(&fault, FAULT_NO_MEMORY, "renaming");
		reply_fault(message, &fault);
		return;
	}
	call->hub = api->hub;
	call->message = sd_bus_message_ref(message);
	text_copy(call->id, sizeof(call->id), lock_id(shown->lock));
	if (hub_rename(api->hub, call->id, name, asker->name, asker->role, rename_done, call,
		    &fault) < 0) {
		reply_fault(message, &fault);
		sd_bus_message_unref(call->message);
		free(call);
	}
}

static int method_rename(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_MANAGE, rename_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}

static void statistics_granted(
	struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct api_lock *shown = lock_called(api, message);
	if (shown != NULL) {
		statistics_of_lock(api, message, shown->lock);
	}
}

static int method_statistics(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_VIEW, statistics_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}

static void record_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct api_lock *shown = lock_called(api, message);
	if (shown != NULL) {
		record_start(api, message, shown->lock, asker);
	}
}

static int method_record(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_MANAGE, record_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}

static void listen_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct api_lock *shown = lock_called(api, message);
	if (shown != NULL) {
		listen_start(api, message, shown->lock, asker);
	}
}

/* It costs what a scan costs, and tells less. */
static int method_listen(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_OPERATE, listen_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}

/* clang-format off */
#define TOLD SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define FIXED SD_BUS_VTABLE_PROPERTY_CONST
#define ACT_METHOD(name) \
	SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_NO_ARGS, SD_BUS_RESULT("o", operation), method_act, SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable lock_vtable[] = {
	SD_BUS_VTABLE_START(0),

	SD_BUS_PROPERTY("Id", "s", lock_get_text, 0, FIXED),
	SD_BUS_PROPERTY("Slug", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Name", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Address", "s", lock_get_text, 0, FIXED),
	SD_BUS_PROPERTY("Driver", "s", lock_get_text, 0, FIXED),
	SD_BUS_PROPERTY("Brand", "s", lock_get_text, 0, FIXED),
	SD_BUS_PROPERTY("PinForm", "s", lock_get_text, 0, FIXED),
	SD_BUS_PROPERTY("PairedAt", "x", lock_get_number, 0, FIXED),
	SD_BUS_PROPERTY("Protocol", "a{sv}", lock_get_protocol, 0, FIXED),
	/* Follows from other properties, which tell of their changes. */
	SD_BUS_PROPERTY("Capabilities", "a{sv}", lock_get_capabilities, 0, 0),
	SD_BUS_PROPERTY("Model", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Serial", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Firmware", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Hardware", "s", lock_get_text, 0, TOLD),

	SD_BUS_PROPERTY("State", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Motion", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Jammed", "b", lock_get_flag, 0, TOLD),
	SD_BUS_PROPERTY("MovedBy", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("PreviousState", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("PreviousTime", "x", lock_get_number, 0, TOLD),
	SD_BUS_PROPERTY("Door", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("BatteryPercent", "i", lock_get_int, 0, TOLD),
	SD_BUS_PROPERTY("BatteryLevel", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Charging", "b", lock_get_flag, 0, TOLD),
	SD_BUS_PROPERTY("BatteryReport", "a{sv}", lock_get_report, 0, TOLD),
	SD_BUS_PROPERTY("KeypadBattery", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("DoorSensorBattery", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("Enabled", "b", lock_get_flag, 0, TOLD),
	SD_BUS_PROPERTY("Calibrated", "b", lock_get_flag, 0, TOLD),
	SD_BUS_PROPERTY("Config", "a{sv}", lock_get_config, 0, TOLD),
	SD_BUS_PROPERTY("ClockOffset", "x", lock_get_number, 0, TOLD),
	SD_BUS_PROPERTY("Known", "a{s(sxx)}", lock_get_known, 0, TOLD),

	SD_BUS_PROPERTY("Reachable", "b", lock_get_flag, 0, TOLD),
	SD_BUS_PROPERTY("Linked", "b", lock_get_flag, 0, TOLD),
	/* These two move with every advertisement: read them, nobody is woken up for them. */
	SD_BUS_PROPERTY("LastSeen", "x", lock_get_number, 0, 0),
	SD_BUS_PROPERTY("Rssi", "i", lock_get_int, 0, 0),
	SD_BUS_PROPERTY("LockRssi", "i", lock_get_int, 0, TOLD),
	SD_BUS_PROPERTY("Fault", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("FaultText", "s", lock_get_text, 0, TOLD),
	SD_BUS_PROPERTY("FaultHint", "s", lock_get_text, 0, TOLD),

	SD_BUS_PROPERTY("Acts", "as", lock_get_acts, 0, TOLD),
	SD_BUS_PROPERTY("HasPin", "b", lock_get_flag, 0, TOLD),
	SD_BUS_PROPERTY("Announcing", "b", lock_get_flag, 0, TOLD),
	SD_BUS_PROPERTY("LogCursor", "x", lock_get_number, 0, TOLD),
	SD_BUS_PROPERTY("QueueLength", "x", lock_get_number, 0, TOLD),
	SD_BUS_PROPERTY("LastEvent", "a{sv}", lock_get_event, 0, TOLD),
	SD_BUS_PROPERTY("Sync", "a{sv}", lock_get_sync, 0, TOLD),
	SD_BUS_PROPERTY("Rules", "a{sv}", lock_get_rules, 0, TOLD),
	SD_BUS_PROPERTY("Holidays", "aa{sv}", lock_get_holidays, 0, TOLD),
	/* Up to SLOTS_PER_LOCK_MAX rows: only who asks for it gets it. */
	SD_BUS_PROPERTY("Users", "aa{sv}", lock_get_users, 0,
		SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
	SD_BUS_PROPERTY("Timers", "aa{sv}", lock_get_timers, 0,
		SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
	SD_BUS_PROPERTY("TimersRead", "x", lock_get_timers_read, 0,
		SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
	SD_BUS_PROPERTY("TimersToRestore", "aa{sv}", lock_get_timers_wanted, 0,
		SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
	SD_BUS_PROPERTY("Settings", "aa{sv}", lock_get_settings, 0,
		SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
	SD_BUS_PROPERTY("SettingsToRestore", "a{ss}", lock_get_settings_wanted, 0,
		SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
	SD_BUS_PROPERTY("SettingsRead", "x", lock_get_settings_read, 0,
		SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),

	ACT_METHOD("Lock"),
	ACT_METHOD("Unlock"),
	ACT_METHOD("Unlatch"),
	ACT_METHOD("LockNGo"),
	ACT_METHOD("LockNGoUnlatch"),
	ACT_METHOD("Calibrate"),
	ACT_METHOD("Refresh"),
	ACT_METHOD("ReadConfig"),
	ACT_METHOD("ReadBattery"),
	ACT_METHOD("ReadLog"),
	ACT_METHOD("ReadTimers"),
	ACT_METHOD("ReadSettings"),
	ACT_METHOD("SyncClock"),
	ACT_METHOD("Reboot"),
	SD_BUS_METHOD_WITH_ARGS("UnlockWithFactor", SD_BUS_ARGS("s", factor),
		SD_BUS_RESULT("o", operation), method_act,
		SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
	SD_BUS_METHOD_WITH_ARGS("UnlatchWithFactor", SD_BUS_ARGS("s", factor),
		SD_BUS_RESULT("o", operation), method_act,
		SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
	SD_BUS_METHOD_WITH_ARGS("SetPin", SD_BUS_ARGS("s", pin), SD_BUS_RESULT("o", operation),
		method_act, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
	SD_BUS_METHOD_WITH_ARGS("SetTimer", SD_BUS_ARGS("a{sv}", timer), SD_BUS_RESULT("o", operation),
		lock_method_timer, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("RemoveTimer", SD_BUS_ARGS("x", id), SD_BUS_RESULT("o", operation),
		lock_method_timer, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("LearnCredential", SD_BUS_ARGS("s", user, "s", type, "a{sv}", options),
		SD_BUS_RESULT("o", operation), lock_method_learn, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetSetting", SD_BUS_ARGS("s", key, "v", value), SD_BUS_RESULT("o", operation),
		lock_method_setting, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("AcceptSettings", NULL, NULL, lock_method_accept_settings,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Unpair", SD_BUS_ARGS("b", force), SD_BUS_RESULT("o", operation),
		method_unpair, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Rename", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", lock),
		method_rename, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Record", SD_BUS_ARGS("h", socket), SD_BUS_NO_RESULT,
		method_record, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Listen", SD_BUS_ARGS("h", socket), SD_BUS_NO_RESULT,
		method_listen, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetRadioStatistics", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", statistics),
		method_statistics, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("History", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("s", json),
		lock_method_history, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("BeginAttempt", SD_BUS_ARGS("s", fault, "s", remedy, "s", before), SD_BUS_RESULT("s", id),
		lock_method_begin_attempt, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("EndAttempt", SD_BUS_ARGS("s", id, "s", outcome, "s", after), SD_BUS_NO_RESULT,
		lock_method_end_attempt, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetNote", SD_BUS_ARGS("s", key, "s", text), SD_BUS_NO_RESULT,
		lock_method_set_note, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("BatteryChanged", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
		lock_method_battery_changed, SD_BUS_VTABLE_UNPRIVILEGED),

	SD_BUS_VTABLE_END
};
/* clang-format on */

const struct api_kind lock_kind = {
	.prefix = API_LOCK_PREFIX,
	.interface = API_LOCK_INTERFACE,
	.vtable = lock_vtable,
	.missing = FAULT_NO_SUCH_LOCK,
};

void locks_added(struct api *api, struct lock *lock) {
	if (locks_by_id(api, lock_id(lock)) != NULL) {
		return;
	}
	struct api_lock *shown = calloc(1, sizeof(*shown));
	if (shown == NULL) {
		return; /* not shown; the lock itself is served all the same */
	}
	shown->lock = lock;
	object_show(&api->locks, &shown->object, lock_slug(lock));
}

void locks_removed(struct api *api, struct lock *lock) {
	struct api_lock *shown = locks_by_id(api, lock_id(lock));
	if (shown != NULL) {
		object_hide(&shown->object);
	}
}

void locks_changed(struct api *api, const struct lock_change *change) {
	const char *properties[PROPERTIES_MAX];
	struct api_lock *shown = locks_by_id(api, lock_id(change->lock));
	if (shown == NULL || ((change->what & FACT_NAME) != 0 &&
				     object_move(&shown->object, lock_slug(shown->lock)))) {
		return;
	}
	/* That it was heard is not told: nothing may be woken up by each advertisement (L7). */
	if (lock_properties(change->what, properties) > 0) {
		object_emit(&shown->object, properties);
	}
}
