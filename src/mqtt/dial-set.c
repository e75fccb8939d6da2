/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial-set.h"

#include <string.h>

#include "core/lock.h"
#include "util/log.h"
#include "util/text.h"

#include "dials.h"
#include "room.h"

#define ACTOR "mqtt"

/* Whether this may be changed by MQTT at all; the hub judges the rest. */
static int may_set(
	const struct mqtt *mqtt, const struct lock_setting *row, struct fault *ret_fault) {
	int r = mqtt_may_command(mqtt, ret_fault);

	if (r < 0) {
		return r;
	}
	if (!mqtt->config.settings) {
		return fault_set(ret_fault, FAULT_DENIED,
			"settings by MQTT are switched off: [mqtt] settings in lockhubd.conf");
	}
	if (dial_is_guarded(row) && !mqtt->config.maintenance) {
		return fault_set(ret_fault, FAULT_DENIED,
			"%s decides who gets in: by MQTT only with [mqtt] maintenance in "
			"lockhubd.conf",
			row->key);
	}
	return 0;
}

static int turn(struct mqtt *mqtt, struct face *face, const char *name, const uint8_t *payload,
	size_t n, bool is_retained, struct fault *ret_fault) {
	struct request request = {
		.act = ACT_PUT_SETTING,
		.origin = REQUEST_MQTT,
		.role = ROLE_MANAGE,
		.is_retained = is_retained,
		.actor = ACTOR,
	};
	const struct lock *lock = face_lock(face);
	size_t n_rows = 0;
	const struct lock_setting *rows = lock_setting_rows(lock, &n_rows);
	bool is_enabler = false;
	const struct lock_setting *row =
		rows != NULL ? dial_find(rows, n_rows, name, &is_enabler) : NULL;
	struct op *op = NULL;

	if (is_retained) {
		return fault_set(ret_fault, FAULT_RETAINED_COMMAND, "on a setting; clear it there");
	}
	if (row == NULL) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND, "no such setting");
	}
	int r = may_set(mqtt, row, ret_fault);
	if (r >= 0) {
		r = dial_wish(row, is_enabler, face_last_on(face, name), payload, n,
			request.setting.value, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	(void) text_copy(request.lock, sizeof(request.lock), lock_id(lock));
	(void) text_copy(request.setting.key, sizeof(request.setting.key), row->key);
	return hub_request(mqtt->hub, &request, &op, ret_fault);
}

bool dials_message(
	struct mqtt *mqtt, const char *topic, const uint8_t *payload, size_t n, bool is_retained) {
	char id[LOCK_ID_MAX];
	char name[DIAL_KEY_MAX];
	struct face *face;
	struct fault fault;

	if (!topic_is_setting(&mqtt->discovery.topics, topic, id, name, sizeof(name))) {
		return false;
	}
	if (n == 0) {
		return true; /* somebody clears a retained one */
	}
	face = mqtt_admit(mqtt, id, topic, "changes of settings");
	if (face != NULL && turn(mqtt, face, name, payload, n, is_retained, &fault) < 0) {
		mqtt_refuse_aloud(mqtt, face_lock(face), act_name(ACT_PUT_SETTING), &fault);
		face_repeat_dials(face);
	}
	return true;
}

void dials_op_finished(struct mqtt *mqtt, const struct op *op) {
	struct face *face = face_find(mqtt, op->lock_id);

	if (face == NULL || op->act != ACT_PUT_SETTING || strcmp(op->actor, ACTOR) != 0 ||
		op->outcome == OP_DONE) {
		return;
	}
	mqtt_refuse(mqtt, face_lock(face), act_name(op->act), &op->fault);
	/* Whoever showed the wish sees again what the lock has. */
	face_repeat_dials(face);
}
