/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requests that have something done. None of them lets anybody in, hands out a key or a code, takes
 * something away for good before a backup lies on the hub, or hides what is done from the journal.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/people.h"
#include "core/vault.h"
#include "diag/diag.h"
#include "util/log.h"
#include "util/text.h"

#include "request-room.h"

#define MINUTES_DEFAULT 10
#define FINDINGS_TOLD_MAX 16

/* ---- check ---- */

static void copy_key(json_t *to, const json_t *from, const char *key) {
	json_t *value = json_object_get(from, key);

	request_put(to, key, value != NULL ? json_deep_copy(value) : json_null());
}

static json_t *finding_told(const json_t *finding) {
	static const char *const keys[] = { "fault", "summary", "hint", "severity", "confidence" };
	const json_t *remedy = json_array_get(json_object_get(finding, "remedies"), 0);
	json_t *object = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		copy_key(object, finding, keys[i]);
	}
	json_t *title = json_object_get(remedy, "title");
	request_put(object, "next_step", title != NULL ? json_deep_copy(title) : json_null());
	return object;
}

/* Of the diagnosis what fits into a message; `lockhubctl doctor` has all of it. */
static json_t *check_told(const char *json) {
	json_t *diagnosis = json_loads(json, 0, NULL);
	const json_t *target = json_array_get(json_object_get(diagnosis, "targets"), 0);
	json_t *object = json_object();
	json_t *findings = json_array();
	size_t i;
	json_t *finding;

	json_array_foreach(json_object_get(target, "findings"), i, finding) {
		if (i < FINDINGS_TOLD_MAX) {
			(void) json_array_append_new(findings, finding_told(finding));
		}
	}
	copy_key(object, target, "worst");
	copy_key(object, target, "verdict");
	copy_key(object, diagnosis, "at");
	request_put(object, "findings", findings);
	json_decref(diagnosis);
	return object;
}

static void check_done(void *user, const char *json, const char *worst, const struct fault *fault) {
	struct request_call *call = user;

	(void) worst;
	call->is_held = false;
	if (fault != NULL) {
		request_fail(call, fault, NULL);
		return;
	}
	json_t *data = check_told(json);
	const struct lock *lock = call->requests != NULL ? request_lock(call) : NULL;
	if (lock != NULL) {
		request_put(data, "id", request_text(lock_id(lock)));
		request_put(data, "name", request_text(lock_name(lock)));
	}
	request_answer(call, data);
}

int request_check(struct request_call *call, struct fault *ret_fault) {
	struct diag *diag = call->requests->mqtt->config.diag;
	const struct diag_callbacks callbacks = { .done = check_done, .user = call };
	struct diag_request request = {
		.is_hub_only = call->lock_id[0] == '\0',
		.actor = "mqtt",
		.role = ROLE_OPERATE,
		.origin = REQUEST_MQTT,
	};
	int r;

	if (diag == NULL) {
		return fault_set(ret_fault, FAULT_DENIED, "no check is built in");
	}
	(void) text_copy(request.lock, sizeof(request.lock), call->lock_id);
	call->is_held = true;
	r = diag_run(diag, &request, &callbacks, ret_fault);
	call->is_held = r >= 0;
	return r;
}

/* ---- backup ---- */

static json_t *backup_told(const struct vault_report *report) {
	json_t *object = json_object();

	request_put(object, "name", request_text(report->name));
	request_put(object, "made_at", request_time(report->made_at));
	request_put(object, "size", json_integer(report->size));
	request_put(object, "locks", json_integer(report->n_locks));
	request_put(object, "users", json_integer(report->n_users));
	request_put(object, "codes", json_integer(report->n_codes));
	request_put(object, "events", json_integer(report->n_events));
	return object;
}

static void backup_done(void *user, const struct vault_report *report, const struct fault *fault) {
	struct request_call *call = user;

	call->is_held = false;
	if (fault != NULL || report == NULL) {
		request_fail(call, fault, NULL);
	} else {
		request_answer(call, backup_told(report));
	}
}

static int make_backup(struct request_call *call, const char *reason, vault_done_fn *done,
	struct fault *ret_fault) {
	struct vault *vault = call->requests->mqtt->config.vault;

	if (vault == NULL) {
		return fault_set(ret_fault, FAULT_DENIED, "nobody keeps backups");
	}
	call->is_held = true;
	vault->impl->generation(vault, reason, done, call);
	return 0;
}

/*
 * Stays on the hub, sealed with its own key: an archive that goes by MQTT would give every key of
 * every lock to whoever can read one topic and knows the passphrase that came by the same way.
 */
int request_backup(struct request_call *call, struct fault *ret_fault) {
	return make_backup(call, "by-request", backup_done, ret_fault);
}

/* ---- logging ---- */

static const struct name_row levels[] = { { LOG_INFO, "info" }, { LOG_DEBUG, "debug" } };

void request_logging_end(struct requests *requests) {
	if (requests->priority != 0) {
		(void) log_set_priority(requests->priority);
		requests->priority = 0;
		if (requests->quiet != NULL) {
			loop_timer_disarm(requests->quiet);
		}
		log_notice("the journal tells as much as before the request by MQTT");
	}
}

/* More for a while, never less: nobody hides from the journal by way of the broker. */
int request_logging(struct request_call *call, struct fault *ret_fault) {
	struct requests *requests = call->requests;
	bool has_minutes = (call->intake.has & 1U << REQUEST_KEY_MINUTES) != 0;
	unsigned minutes = has_minutes ? call->intake.minutes : MINUTES_DEFAULT;
	int priority = 0;

	if (name_to(levels, ARRAY_SIZE(levels), call->intake.level, &priority) < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "a level is info or debug");
	}
	request_logging_end(requests);
	if (minutes > 0 && !log_wants(priority)) {
		requests->priority = log_set_priority(priority);
		loop_timer_arm(requests->quiet, (uint64_t) minutes * 60000);
		log_notice("the journal tells more for %u minutes, as asked by MQTT", minutes);
	}
	json_t *object = json_object();
	request_put(object, "level",
		json_string(log_wants(LOG_DEBUG)  ? "debug"
			    : log_wants(LOG_INFO) ? "info"
						  : "less"));
	request_put(object, "minutes", json_integer(requests->priority != 0 ? minutes : 0));
	request_answer(call, object);
	return 0;
}

/* ---- restart ---- */

static int restart_lock(struct request_call *call, struct fault *ret_fault) {
	struct request request = { .act = ACT_REBOOT };

	call->data = json_pack("{s:s}", "id", call->lock_id);
	return request_operation(call, &request, ret_fault);
}

int request_restart(struct request_call *call, struct fault *ret_fault) {
	const struct mqtt_config *config = &call->requests->mqtt->config;
	int r;

	if (call->lock_id[0] != '\0') {
		return restart_lock(call, ret_fault);
	}
	if (config->restart == NULL) {
		return fault_set(ret_fault, FAULT_DENIED, "this hub cannot restart itself");
	}
	r = config->restart(config->user, ret_fault);
	if (r >= 0) {
		/* What it says goes out before the connection is closed. */
		request_answer(call, NULL);
	}
	return r;
}

/* ---- rename ---- */

static void rename_done(void *user, const struct fault *fault) {
	struct request_call *call = user;

	call->is_held = false;
	if (fault != NULL) {
		request_fail(call, fault, NULL);
		return;
	}
	json_t *data = json_object();
	const struct lock *lock = call->requests != NULL ? request_lock(call) : NULL;
	if (lock != NULL) {
		request_put(data, "id", request_text(lock_id(lock)));
		request_put(data, "name", request_text(lock_name(lock)));
		request_put(data, "slug", request_text(lock_slug(lock)));
	}
	request_answer(call, data);
}

int request_rename(struct request_call *call, struct fault *ret_fault) {
	int r;

	call->is_held = true;
	r = hub_rename(call->requests->mqtt->hub, call->lock_id, call->intake.to, "mqtt",
		ROLE_MANAGE, rename_done, call, ret_fault);
	call->is_held = r >= 0;
	return r;
}

/* ---- remove ---- */

static void remove_now(void *user, const struct vault_report *report, const struct fault *fault) {
	struct request_call *call = user;
	struct fault refused;
	struct op *op = NULL;

	call->is_held = false;
	if (call->requests == NULL || fault != NULL || report == NULL) {
		request_fail(call, fault, NULL);
		return;
	}
	if (hub_unpair(call->requests->mqtt->hub, call->lock_id, call->intake.is_forced, "mqtt",
		    ROLE_MANAGE, &op, &refused) < 0) {
		request_fail(call, &refused, NULL);
		return;
	}
	call->data = json_pack("{s:s,s:s}", "id", call->lock_id, "backup", report->name);
	(void) text_copy(call->ops[call->n_ops++], OP_ID_MAX, op->id);
}

/* A backup first: what the hub knows of the lock, its keys too, can be brought back. */
int request_remove(struct request_call *call, struct fault *ret_fault) {
	char reason[VAULT_REASON_MAX];

	if (strcmp(call->intake.lock, call->lock_id) != 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"to remove a lock \"id\" must be its id: %s", call->lock_id);
	}
	(void) snprintf(reason, sizeof(reason), "before-remove-%s", call->lock_id);
	return make_backup(call, reason, remove_now, ret_fault);
}

/* ---- options ---- */

/*
 * What makes daily life comfortable. Left out: what opens the door to somebody (auto-unlock, the
 * latch, what buttons and fobs do, a cylinder that turns freely), what lets devices pair, and what
 * schedules are reckoned by. A setting that is not in here may not be changed by a request.
 */
static const char *const settable[] = { "AutoRelockTime", "RelockWhenClosed", "LockNGoTime",
	"EnableInsideStatusLED", "LEDBrightness", "SoundVolume", "EnableNightMode",
	"NightModeStart", "NightModeEnd", "NightModeRelock", "NightModeLockAtStart",
	"NightModeGentle", "MotorSpeed", "AdvertisingMode", "BatteryType", "DetectBatteryType" };

bool request_may_set(const char *key) {
	for (size_t i = 0; i < ARRAY_SIZE(settable); i++) {
		if (strcmp(settable[i], key) == 0) {
			return true;
		}
	}
	return false;
}

/* All of them before the first is sent, so that a typing error changes nothing. */
static int check_options(
	struct request_call *call, const struct lock *lock, struct fault *ret_fault) {
	size_t n = 0;
	const struct lock_setting *rows = lock_setting_rows(lock, &n);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < call->intake.n_options; i++) {
		struct setting *each = &call->intake.options[i];
		const struct lock_setting *row = setting_find(rows, n, each->key);
		if (row == NULL) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"this lock has no setting \"%s\"", each->key);
		}
		if (!request_may_set(row->key)) {
			return fault_set(ret_fault, FAULT_DENIED,
				"%s is not changed by MQTT; lockhubctl settings can", row->key);
		}
		(void) text_copy(each->key, sizeof(each->key), row->key);
		r = setting_check(row, each->value, each->value, ret_fault);
	}
	return r;
}

int request_set_options(struct request_call *call, struct fault *ret_fault) {
	const struct lock *lock = request_lock(call);
	json_t *options = json_object();
	int r = check_options(call, lock, ret_fault);

	for (size_t i = 0; r >= 0 && i < call->intake.n_options; i++) {
		struct request request = {
			.act = ACT_PUT_SETTING,
			.setting = call->intake.options[i],
		};
		r = request_operation(call, &request, ret_fault);
		if (r >= 0) {
			request_put(
				options, request.setting.key, request_text(request.setting.value));
		}
	}
	call->data = json_pack("{s:s,s:o}", "id", call->lock_id, "options", options);
	if (r < 0 && call->n_ops > 0) {
		call->fault = *ret_fault; /* told when those that were begun are done */
		return 0;
	}
	return r;
}
