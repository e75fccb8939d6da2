/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests that are answered from memory: nothing is woken, read or written for them. */

#include <string.h>

#include "core/people.h"
#include "util/text.h"

#include "request-room.h"

/* What is listed in one answer; a hub with more locks is asked for the rest. */
#define LISTED_MAX 50
#define ADAPTERS_MAX 8

/* ---- health ---- */

static json_t *broker_health(const struct mqtt *mqtt) {
	const struct mqtt_status *status = &mqtt->status;
	json_t *object = json_object();

	request_put(object, "address", request_text(status->broker));
	request_put(object, "encrypted", json_boolean(mqtt->config.is_tls));
	request_put(object, "connected_at", request_time(status->connected_at));
	request_put(object, "connects", json_integer((json_int_t) status->connects));
	request_put(object, "published", json_integer((json_int_t) status->published));
	request_put(object, "commands", json_integer((json_int_t) status->commands));
	request_put(object, "refused", json_integer((json_int_t) status->refused));
	request_put(object, "queued_events", json_integer(status->queued_events));
	request_put(object, "lost_events", json_integer((json_int_t) status->lost_events));
	request_put(object, "fault", request_fault(&status->fault, NULL));
	return object;
}

static json_t *adapter_health(const struct radio_stats *stats) {
	json_t *object = json_object();

	request_put(object, "address", request_text(stats->adapter));
	request_put(object, "name", request_text(stats->name));
	request_put(object, "state", request_text(stats->state != NULL ? stats->state : "unknown"));
	request_put(object, "attempts", json_integer(stats->attempts));
	request_put(object, "connects", json_integer(stats->connects));
	request_put(object, "failures", json_integer(stats->failures));
	request_put(object, "losses", json_integer(stats->losses));
	return object;
}

static json_t *radio_health(const struct hub *hub) {
	json_t *object = json_object();
	json_t *adapters = json_array();
	struct radio_status status;
	struct radio_stats stats;

	hub_radio_status(hub, &status);
	for (unsigned i = 0; i < ADAPTERS_MAX && hub_adapter_stats(hub, i, &stats); i++) {
		(void) json_array_append_new(adapters, adapter_health(&stats));
	}
	request_put(object, "ready", json_boolean(status.is_ready));
	request_put(object, "bluez", request_text(status.bluez_version));
	request_put(object, "adapters", adapters);
	request_put(object, "fault", request_fault(&status.fault, NULL));
	return object;
}

static json_t *lock_health(const struct lock *lock) {
	json_t *object = json_object();

	request_put(object, "id", request_text(lock_id(lock)));
	request_put(object, "name", request_text(lock_name(lock)));
	request_put(object, "reachable", json_boolean(lock_is_reachable(lock)));
	request_put(object, "linked", json_boolean(lock_is_linked(lock)));
	request_put(object, "waiting", json_integer(lock_queue_length(lock)));
	request_put(object, "fault", request_fault(lock_fault(lock), lock_slug(lock)));
	return object;
}

int request_health(struct request_call *call, struct fault *ret_fault) {
	const struct mqtt *mqtt = call->requests->mqtt;
	const struct clock *clock = hub_clock(mqtt->hub);
	json_t *object = json_object();
	json_t *locks = json_array();
	size_t n = hub_lock_count(mqtt->hub);
	size_t n_reachable = 0;

	(void) ret_fault;
	for (size_t i = 0; i < n; i++) {
		const struct lock *lock = hub_lock_at(mqtt->hub, i);
		n_reachable += lock_is_reachable(lock);
		if (i < LISTED_MAX) {
			(void) json_array_append_new(locks, lock_health(lock));
		}
	}
	request_put(object, "version", request_text(mqtt->config.version));
	request_put(object, "hub_id", request_text(mqtt->config.hub_id));
	request_put(object, "uptime_s",
		json_integer(mono_since(mqtt->started_mono, mqtt_now(mqtt)) / 1000));
	request_put(object, "time", request_time(clock_wall(clock)));
	request_put(object, "time_trusted", json_boolean(clock_is_trusted(clock)));
	request_put(object, "requests", json_string(mqtt_requests_name(mqtt->config.requests)));
	request_put(object, "broker", broker_health(mqtt));
	request_put(object, "bluetooth", radio_health(mqtt->hub));
	request_put(object, "storage", request_fault(hub_ledger_fault(mqtt->hub), NULL));
	request_put(object, "lock_count", json_integer((json_int_t) n));
	request_put(object, "locks_reachable", json_integer((json_int_t) n_reachable));
	request_put(object, "locks", locks);
	request_answer(call, object);
	return 0;
}

/* ---- devices ---- */

static json_t *acts_of(const struct lock *lock) {
	json_t *array = json_array();
	unsigned acts = lock_acts(lock);

	for (enum act act = ACT_NONE + 1; act < ACT_COUNT_; act++) {
		if ((acts & 1U << act) != 0) {
			(void) json_array_append_new(array, json_string(act_name(act)));
		}
	}
	return array;
}

/* Only what the lock has said in this life of the hub counts as known (L1). */
static bool is_fresh(enum evidence_how how) {
	return how != EVIDENCE_NONE && how != EVIDENCE_STORED;
}

static json_t *state_of(const struct lock_status *status) {
	json_t *object = json_object();
	bool is_bolt = is_fresh(status->bolt_known.how);
	bool is_battery = is_fresh(status->battery_known.how);

	request_put(object, "bolt",
		is_bolt && status->bolt.state != LOCK_STATE_UNKNOWN
			? json_string(lock_state_name(status->bolt.state))
			: json_null());
	request_put(object, "jammed", is_bolt ? json_boolean(status->bolt.is_jammed) : json_null());
	request_put(object, "door",
		status->door != DOOR_STATE_UNKNOWN ? json_string(door_state_name(status->door))
						   : json_null());
	request_put(object, "battery_percent",
		is_battery && status->battery.percent >= 0 ? json_integer(status->battery.percent)
							   : json_null());
	return object;
}

static json_t *device(const struct mqtt *mqtt, const struct lock *lock) {
	const struct version_facts *versions = &lock_status(lock)->versions;
	json_t *object = json_object();
	struct sync_status sync;

	hub_sync_status(mqtt->hub, lock_id(lock), &sync);
	request_put(object, "id", request_text(lock_id(lock)));
	request_put(object, "name", request_text(lock_name(lock)));
	request_put(object, "slug", request_text(lock_slug(lock)));
	request_put(object, "brand", request_text(lock_driver(lock)->brand));
	request_put(object, "model", request_text(versions->model));
	request_put(object, "firmware", request_text(versions->firmware));
	request_put(object, "hardware", request_text(versions->hardware));
	request_put(object, "address", request_text(lock_address(lock)));
	request_put(object, "paired_at", request_time(lock_paired_at(lock)));
	request_put(object, "reachable", json_boolean(lock_is_reachable(lock)));
	request_put(object, "acts", acts_of(lock));
	request_put(object, "codes", json_boolean(sync.is_supported));
	request_put(object, "state", state_of(lock_status(lock)));
	request_put(object, "fault", request_fault(lock_fault(lock), lock_slug(lock)));
	return object;
}

int request_devices(struct request_call *call, struct fault *ret_fault) {
	const struct mqtt *mqtt = call->requests->mqtt;
	json_t *object = json_object();
	json_t *devices = json_array();
	size_t n = hub_lock_count(mqtt->hub);
	size_t i = call->intake.start;
	size_t end = i + LISTED_MAX < n ? i + LISTED_MAX : n;

	(void) ret_fault;
	for (; i < end; i++) {
		(void) json_array_append_new(devices, device(mqtt, hub_lock_at(mqtt->hub, i)));
	}
	request_put(object, "total", json_integer((json_int_t) n));
	request_put(object, "next", end < n ? json_integer((json_int_t) end) : json_null());
	request_put(object, "devices", devices);
	request_answer(call, object);
	return 0;
}

/* ---- options ---- */

static json_t *range_of(const struct lock_setting *row) {
	char range[SETTING_RANGE_MAX];

	return request_text(setting_range(row, range));
}

static json_t *settings_of(const struct lock *lock) {
	json_t *object = json_object();
	size_t n = 0;
	const struct lock_setting *rows = lock_setting_rows(lock, &n);

	for (size_t i = 0; rows != NULL && i < n; i++) {
		const char *value = lock_setting(lock, rows[i].key);
		if (value == NULL) {
			continue; /* this firmware has no such thing, or has not told of it yet */
		}
		json_t *one = json_object();
		request_put(one, "value", request_text(value));
		request_put(one, "kind", json_string(setting_kind_name(rows[i].kind)));
		request_put(one, "takes", range_of(&rows[i]));
		request_put(one, "settable", json_boolean(request_may_set(rows[i].key)));
		request_put(object, rows[i].key, one);
	}
	return object;
}

static json_t *rules_of(const struct hub *hub, const struct lock *lock) {
	const struct lock_rules *rules = book_rules(hub_book(hub), lock_id(lock));
	json_t *object = json_object();

	request_put(object, "factor", json_string(factor_rule_name(rules->factor)));
	request_put(object, "mode", json_string(operating_mode_name(rules->mode)));
	request_put(object, "wrong_code_limit", json_integer(rules->wrong_code_limit));
	request_put(object, "code_disable_s", json_integer(rules->code_disable_s));
	request_put(object, "open_period_minutes", json_integer(rules->open_period_minutes));
	return object;
}

int request_options(struct request_call *call, struct fault *ret_fault) {
	const struct lock *lock = request_lock(call);
	const struct hub *hub = call->requests->mqtt->hub;

	if (call->intake.n_options > 0) {
		return request_set_options(call, ret_fault);
	}
	json_t *object = json_object();
	request_put(object, "id", request_text(lock_id(lock)));
	request_put(object, "name", request_text(lock_name(lock)));
	request_put(object, "options", settings_of(lock));
	request_put(object, "rules", rules_of(hub, lock));
	request_answer(call, object);
	return 0;
}
