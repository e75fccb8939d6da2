/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/policy.h"

#include <stdio.h>
#include <string.h>

#include "util/text.h"

void policy_defaults(struct policy *policy) {
	*policy = (struct policy){
		.allow_mqtt_unlock = true,
		.max_age_ms = 30000,
		.max_ahead_ms = 30000,
		.dedup_ms = 600000,
		.repeat_ms = 2000,
	};
}

enum role policy_role_for(enum act act) {
	switch (act) {
	case ACT_LOCK:
	case ACT_UNLOCK:
	case ACT_UNLATCH:
	case ACT_LOCK_N_GO:
	case ACT_LOCK_N_GO_UNLATCH:
	case ACT_READ_STATE:
	case ACT_READ_BATTERY:
	case ACT_READ_LOG:
	case ACT_READ_TIMERS:
	case ACT_READ_SETTINGS:
		return ROLE_OPERATE;
	case ACT_NONE:
	case ACT_CALIBRATE:
	case ACT_PAIR:
	case ACT_UNPAIR:
	case ACT_READ_CONFIG:
	case ACT_SET_TIME:
	case ACT_VERIFY_PIN:
	case ACT_REBOOT:
	case ACT_READ_USERS:
	case ACT_PUT_CREDENTIAL:
	case ACT_REMOVE_CREDENTIAL:
	case ACT_PUT_TIMER:
	case ACT_REMOVE_TIMER:
	case ACT_PUT_SETTING:
	case ACT_COUNT_:
		break;
	}
	return ROLE_MANAGE;
}

bool policy_opens(enum act act) {
	return act == ACT_UNLOCK || act == ACT_UNLATCH || act == ACT_LOCK_N_GO ||
	       act == ACT_LOCK_N_GO_UNLATCH;
}

static bool was_seen(
	const struct policy_seen *seen, const char *key, mono_t now, int64_t within_ms) {
	for (size_t i = 0; i < POLICY_SEEN_MAX; i++) {
		if (seen->rows[i].key[0] != '\0' && strcmp(seen->rows[i].key, key) == 0 &&
			mono_since(seen->rows[i].at, now) <= within_ms) {
			return true;
		}
	}
	return false;
}

static void remember(struct policy_seen *seen, const char *key, enum act act, mono_t now) {
	text_copy(seen->rows[seen->next].key, sizeof(seen->rows[0].key), key);
	seen->rows[seen->next].act = act;
	seen->rows[seen->next].at = now;
	seen->next = (seen->next + 1) % POLICY_SEEN_MAX;
}

/* Two memories in one ring, told apart by their first letter: ids, and the last act per lock. */
static void id_key(const struct request *request, char *out, size_t size) {
	(void) snprintf(out, size, "i%d:%s", (int) request->origin, request->dedup_id);
}

static void lock_key(const struct request *request, char *out, size_t size) {
	(void) snprintf(out, size, "a%s", request->lock);
}

static int check_origin(
	const struct policy *policy, const struct request *request, struct fault *ret_fault) {
	if (request->role < policy_role_for(request->act)) {
		return fault_set(ret_fault, FAULT_DENIED, "%s needs the role %s, %s has %s",
			act_name(request->act), role_name(policy_role_for(request->act)),
			request->actor, role_name(request->role));
	}
	if (request->is_retained) {
		return fault_set(ret_fault, FAULT_RETAINED_COMMAND, "%s for %s",
			act_name(request->act), request->lock);
	}
	if (request->origin == REQUEST_MQTT && policy_opens(request->act) &&
		!policy->allow_mqtt_unlock) {
		return fault_set(ret_fault, FAULT_DENIED,
			"%s by MQTT is switched off: [policy] mqtt_unlock in lockhubd.conf",
			act_name(request->act));
	}
	return 0;
}

static int check_age(const struct policy *policy, const struct request *request,
	int64_t now_ms_wall, bool is_trusted, struct fault *ret_fault) {
	int64_t age_ms = now_ms_wall - request->sent_at_ms;

	/* Without a clock of our own we cannot judge another's; the broker's session rules remain.
	 */
	if (request->sent_at_ms == 0 || !is_trusted) {
		return 0;
	}
	if (age_ms > policy->max_age_ms) {
		return fault_set(ret_fault, FAULT_EXPIRED, "sent %lld s ago by its own clock",
			(long long) (age_ms / 1000));
	}
	if (-age_ms > policy->max_ahead_ms) {
		return fault_set(ret_fault, FAULT_EXPIRED,
			"its clock is %lld s ahead of ours: compare the two clocks",
			(long long) (-age_ms / 1000));
	}
	return 0;
}

/*
 * MQTT at QoS 1 may deliver twice, and bare words carry no id. Whoever asks for the same act again
 * within the window meant it once; after another act in between it is meant anew.
 */
static bool is_repeat(const struct policy *policy, const struct policy_seen *seen,
	const struct request *request, const char *by_lock, mono_t now) {
	size_t last = POLICY_SEEN_MAX;

	for (size_t i = 0; i < POLICY_SEEN_MAX; i++) {
		if (strcmp(seen->rows[i].key, by_lock) == 0) {
			last = i;
		}
	}
	return last < POLICY_SEEN_MAX && seen->rows[last].act == request->act &&
	       mono_since(seen->rows[last].at, now) <= policy->repeat_ms;
}

/* One row per lock, so that only its last act counts. */
static void remember_act(
	struct policy_seen *seen, const struct request *request, const char *by_lock, mono_t now) {
	for (size_t i = 0; i < POLICY_SEEN_MAX; i++) {
		if (strcmp(seen->rows[i].key, by_lock) == 0) {
			seen->rows[i].act = request->act;
			seen->rows[i].at = now;
			return;
		}
	}
	remember(seen, by_lock, request->act, now);
}

int policy_check(const struct policy *policy, struct policy_seen *seen,
	const struct request *request, mono_t now, int64_t now_ms_wall, bool is_trusted,
	struct fault *ret_fault) {
	bool is_mqtt_motor = request->origin == REQUEST_MQTT && act_moves_motor(request->act);
	char by_id[sizeof(seen->rows[0].key)];
	char by_lock[sizeof(seen->rows[0].key)];
	int r = check_origin(policy, request, ret_fault);

	if (r >= 0) {
		r = check_age(policy, request, now_ms_wall, is_trusted, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	id_key(request, by_id, sizeof(by_id));
	lock_key(request, by_lock, sizeof(by_lock));
	if (request->dedup_id[0] != '\0' && was_seen(seen, by_id, now, policy->dedup_ms)) {
		return fault_set(ret_fault, FAULT_DUPLICATE, "id %s", request->dedup_id);
	}
	if (is_mqtt_motor && request->dedup_id[0] == '\0' &&
		is_repeat(policy, seen, request, by_lock, now)) {
		return fault_set(ret_fault, FAULT_DUPLICATE, "%s again within %lld ms",
			act_name(request->act), (long long) policy->repeat_ms);
	}
	if (request->dedup_id[0] != '\0') {
		remember(seen, by_id, request->act, now);
	}
	if (is_mqtt_motor) {
		remember_act(seen, request, by_lock, now);
	}
	return 0;
}
