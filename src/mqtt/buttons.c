/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "buttons.h"

#include <string.h>

#include "core/people.h"
#include "diag/diag.h"
#include "util/log.h"
#include "util/text.h"

#include "room.h"

/* Home Assistant's word for a press. */
#define PRESS "PRESS"

/* What was found shows by diag_changed(), as everything that is found. */
static void check_done(void *user, const char *json, const char *worst, const struct fault *fault) {
	(void) user;
	(void) json;
	(void) worst;
	if (fault != NULL) {
		log_fault(fault, NULL, NULL);
	}
}

static int press_check(struct mqtt *mqtt, const struct lock *lock, struct fault *ret_fault) {
	static const struct diag_callbacks nobody_waits = { .done = check_done };
	struct diag_request request = {
		.actor = "mqtt",
		.role = ROLE_OPERATE,
		.origin = REQUEST_MQTT,
	};

	if (mqtt->config.diag == NULL) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "no check is built in");
	}
	(void) text_copy(request.lock, sizeof(request.lock), lock_id(lock));
	return diag_run(mqtt->config.diag, &request, &nobody_waits, ret_fault);
}

static int press_sync(struct mqtt *mqtt, const struct lock *lock, struct fault *ret_fault) {
	static const struct people_by by_mqtt = { .actor = "mqtt", .role = ROLE_MANAGE };

	return hub_code_sync(mqtt->hub, lock_id(lock), &by_mqtt, ret_fault);
}

static int press_act(
	struct mqtt *mqtt, const struct lock *lock, enum act act, struct fault *ret_fault) {
	if (!mqtt->config.maintenance) {
		return fault_set(ret_fault, FAULT_DENIED,
			"%s by MQTT is switched off: [mqtt] maintenance in lockhubd.conf",
			act_name(act));
	}
	return mqtt_request(mqtt, lock, act, ROLE_MANAGE, false, ret_fault);
}

static int press(struct mqtt *mqtt, const struct lock *lock, const char *name,
	const uint8_t *payload, size_t n, bool is_retained, struct fault *ret_fault) {
	int r = mqtt_may_command(mqtt, ret_fault);

	if (is_retained) {
		return fault_set(ret_fault, FAULT_RETAINED_COMMAND, "on a button; clear it there");
	}
	if (n != strlen(PRESS) || memcmp(payload, PRESS, n) != 0) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND, "a button takes " PRESS);
	}
	if (r < 0) {
		return r;
	}
	if (strcmp(name, "check") == 0) {
		return press_check(mqtt, lock, ret_fault);
	}
	if (strcmp(name, "sync_codes") == 0) {
		return press_sync(mqtt, lock, ret_fault);
	}
	if (strcmp(name, "restart") == 0) {
		return press_act(mqtt, lock, ACT_REBOOT, ret_fault);
	}
	if (strcmp(name, "calibrate") == 0) {
		return press_act(mqtt, lock, ACT_CALIBRATE, ret_fault);
	}
	return fault_set(ret_fault, FAULT_BAD_COMMAND, "no such button");
}

bool buttons_message(
	struct mqtt *mqtt, const char *topic, const uint8_t *payload, size_t n, bool is_retained) {
	char id[LOCK_ID_MAX];
	const char *name = NULL;
	struct face *face;
	struct fault fault;

	if (!topic_is_button(&mqtt->discovery.topics, topic, id, &name)) {
		return false;
	}
	if (n == 0) {
		return true; /* somebody clears a retained one */
	}
	face = mqtt_admit(mqtt, id, topic, "presses of buttons");
	if (face != NULL &&
		press(mqtt, face_lock(face), name, payload, n, is_retained, &fault) < 0) {
		mqtt_refuse_aloud(mqtt, face_lock(face), NULL, &fault);
	}
	return true;
}
