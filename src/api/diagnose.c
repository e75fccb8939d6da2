/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Manager.Diagnose and Fix, Lock.History: the troubleshooter answers later, after minutes it may
 * be. What was begun goes on when the caller has gone, as a remedy must not be broken off in the
 * middle.
 */

#include "room.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bus.h"

#define DIAGNOSES_MAX 16

static void diagnosis_free(struct late *call) {
	late_end(call);
	free(call);
}

static void on_progress(void *user, const char *text, unsigned done, unsigned all) {
	late_tell(user, "DiagnosisProgress", "suu", text, done, all);
}

static void on_done(void *user, const char *json, const char *worst, const struct fault *fault) {
	struct late *call = user;

	(void) worst; /* it is in the JSON */
	if (!late_refuse(call, fault)) {
		sd_bus_reply_method_return(call->message, "s", json);
		bus_kick(call->api->bus);
	}
	diagnosis_free(call);
}

/* NULL: the message has been answered. */
static struct late *diagnosis_new(
	struct api *api, sd_bus_message *message, struct diag_callbacks *ret_callbacks) {
	struct late *call = NULL;
	struct fault fault;

	if (api->diag == NULL) {
		fault_set(&fault, FAULT_NOT_SUPPORTED, "there is no troubleshooter");
	} else if (api->diagnoses.n >= DIAGNOSES_MAX) {
		fault_set(&fault, FAULT_QUEUE_FULL, "%u diagnoses are under way", api->diagnoses.n);
	} else {
		call = calloc(1, sizeof(*call));
		fault_set(&fault, FAULT_NO_MEMORY, "the diagnosis");
	}
	if (call == NULL) {
		reply_fault(message, &fault);
		return NULL;
	}
	late_begin(call, &api->diagnoses, api, message);
	*ret_callbacks =
		(struct diag_callbacks){ .progress = on_progress, .done = on_done, .user = call };
	return call;
}

/* What the troubleshooter said of the call: nothing to do, or the fault is answered. */
static void begun(struct late *call, int r, const struct fault *fault) {
	if (r < 0) {
		reply_fault(call->message, fault);
		diagnosis_free(call);
	}
}

static int read_word(sd_bus_message *message, char *out, size_t size, const char *what,
	struct fault *ret_fault) {
	const char *text;

	if (sd_bus_message_read(message, "s", &text) < 0 || !text_is_clean(text, strlen(text)) ||
		!text_copy(out, size, text)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "there is no such %s", what);
	}
	return 0;
}

/*
 * The first argument, also of a message that has been read before: a lock by any of its names; ""
 * all of them, or the hub. @usage: how the method is called.
 */
static int read_lock(struct api *api, sd_bus_message *message, const char *usage,
	char out[static LOCK_ID_MAX], struct fault *ret_fault) {
	struct lock *lock = NULL;
	char word[LOCK_NAME_MAX] = "";

	out[0] = '\0';
	if (sd_bus_message_rewind(message, true) < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "%s", usage);
	}
	int r = read_word(message, word, sizeof(word), "lock", ret_fault);
	if (r >= 0 && word[0] != '\0') {
		r = hub_get_lock(api->hub, word, &lock, ret_fault);
	}
	if (r >= 0 && lock != NULL) {
		text_copy(out, LOCK_ID_MAX, lock_id(lock));
	}
	return r;
}

/* ---- Diagnose ---- */

#define AT(field) offsetof(struct diag_request, field)

static int read_request(struct api *api, sd_bus_message *message, struct diag_request *request,
	struct fault *ret_fault) {
	static const struct option options[] = {
		{ "hub_only", OPTION_FLAG, AT(is_hub_only), 0, 0, NULL },
		{ "quiet", OPTION_FLAG, AT(is_quiet), 0, 0, NULL },
		{ "security", OPTION_FLAG, AT(is_security), 0, 0, NULL },
	};
	int r = read_lock(
		api, message, "Diagnose(s lock, a{sv} options)", request->lock, ret_fault);

	if (r >= 0) {
		r = options_read(message, options, ARRAY_SIZE(options), request, NULL, ret_fault);
	}
	return r;
}

static void diagnose_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct diag_request request = { .role = asker->role, .origin = REQUEST_DBUS };
	struct diag_callbacks callbacks;
	struct fault fault = { 0 };

	if (read_request(api, message, &request, &fault) < 0) {
		reply_fault(message, &fault);
		return;
	}
	text_copy(request.actor, sizeof(request.actor), asker->name);
	struct late *call = diagnosis_new(api, message, &callbacks);
	if (call != NULL) {
		begun(call, diag_run(api->diag, &request, &callbacks, &fault), &fault);
	}
}

/* What is known already may be seen by whoever may see; asking the lock is operating it. */
int diagnose_method(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule quiet = { ROLE_VIEW, diagnose_granted, NULL };
	static const struct ask_rule probing = { ROLE_OPERATE, diagnose_granted, NULL };
	struct diag_request request = { 0 };
	struct fault fault = { 0 };

	if (read_request(user, message, &request, &fault) < 0 && fault.code == FAULT_BAD_ARGUMENT) {
		return reply_fault(message, &fault);
	}
	return ask(user, message, request.is_quiet ? &quiet : &probing);
}

/* ---- Fix ---- */

static int read_fix(struct api *api, sd_bus_message *message, struct fix_request *request,
	struct fault *ret_fault) {
	static const struct option options[] = {
		{ "confirmed", OPTION_FLAG, offsetof(struct fix_request, is_confirmed), 0, 0,
			NULL },
	};
	int r = read_lock(api, message, "Fix(s lock, s fault, s remedy, a{sv} options)",
		request->lock, ret_fault);

	if (r >= 0) {
		r = read_word(message, request->fault, sizeof(request->fault), "fault", ret_fault);
	}
	if (r >= 0) {
		r = read_word(
			message, request->remedy, sizeof(request->remedy), "remedy", ret_fault);
	}
	if (r >= 0) {
		r = options_read(message, options, ARRAY_SIZE(options), request, NULL, ret_fault);
	}
	return r;
}

static void fix_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fix_request request = { .role = asker->role, .origin = REQUEST_DBUS };
	struct diag_callbacks callbacks;
	struct fault fault = { 0 };

	if (read_fix(api, message, &request, &fault) < 0) {
		reply_fault(message, &fault);
		return;
	}
	text_copy(request.actor, sizeof(request.actor), asker->name);
	struct late *call = diagnosis_new(api, message, &callbacks);
	if (call != NULL) {
		begun(call, diag_fix(api->diag, &request, &callbacks, &fault), &fault);
	}
}

int diagnose_method_fix(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rules[] = {
		[ROLE_NONE] = { ROLE_MANAGE, fix_granted, NULL },
		[ROLE_VIEW] = { ROLE_OPERATE, fix_granted, NULL },
		[ROLE_OPERATE] = { ROLE_OPERATE, fix_granted, NULL },
		[ROLE_MANAGE] = { ROLE_MANAGE, fix_granted, NULL },
	};
	struct fix_request request = { 0 };
	struct fault fault = { 0 };

	if (read_fix(user, message, &request, &fault) < 0) {
		return reply_fault(message, &fault);
	}
	const struct remedy *remedy = remedy_find(request.remedy);
	if (remedy == NULL) {
		fault_set(&fault, FAULT_BAD_ARGUMENT, "there is no remedy '%s'", request.remedy);
		return reply_fault(message, &fault);
	}
	return ask(user, message, &rules[diag_role_for(remedy->act)]);
}

/* ---- History ---- */

struct history_options {
	int64_t since;
	struct fault *fault;
};

static int read_history_option(sd_bus_message *message, const char *key, void *user) {
	struct history_options *options = user;

	if (strcmp(key, "since") != 0) {
		return fault_set(options->fault, FAULT_BAD_ARGUMENT,
			"there is no option '%.32s'; there is: since", key);
	}
	return sd_bus_message_read(message, "v", "x", &options->since);
}

static int read_since(sd_bus_message *message, wall_t *ret, struct fault *ret_fault) {
	struct history_options options = { 0, ret_fault };
	const int r = bus_each_property(message, read_history_option, &options);

	if (r < 0 && ret_fault->code != FAULT_NONE) {
		return r;
	}
	if (r < 0 || options.since < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"option since must be a time, x: seconds since 1970");
	}
	ret->s = options.since;
	return 0;
}

static void history_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct diag_callbacks callbacks;
	struct fault fault = { 0 };
	wall_t since = { 0 };
	struct api_lock *shown = lock_called(api, message);

	if (shown == NULL) {
		return;
	}
	if (read_since(message, &since, &fault) < 0) {
		reply_fault(message, &fault);
		return;
	}
	struct late *call = diagnosis_new(api, message, &callbacks);
	if (call != NULL) {
		begun(call,
			diag_history(api->diag, lock_id(shown->lock), since, &callbacks, &fault),
			&fault);
	}
}

int lock_method_history(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_VIEW, history_granted, NULL };

	return ask(((struct api_lock *) user)->object.api, message, &rule);
}
