/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Codes for the code managers of Home Assistant, in zigbee2mqtt's dialect (docs/mqtt.md, "Code
 * managers"). Only when [mqtt] pin_code_base names where; a lock's topic is BASE/NAME.
 *
 *	TOPIC/set  ─► pin-intake ─► (hub_user_add ─►) hub_code_add, _change, _revoke ─► COMMIT
 *	TOPIC/get  ─► the book ─► TOPIC {"users":{"3":{"status":"enabled"}}}: no lock is woken
 *	events     ─► TOPIC {"action":"keypad_unlock","action_user":3}
 *
 * A code itself is never published: "enabled" without "pin_code" is the dialect's word for that.
 * Facts about the dialect: providers/zigbee2mqtt.py of raman325/lock_code_manager and
 * FutureTense/keymaster.
 */

#include "pins.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/people.h"
#include "util/log.h"
#include "util/text.h"

#include "payload.h"
#include "pin-intake.h"
#include "room.h"

/* keymaster asks for all of its slots at once. */
#define PINS_BURST 64
#define PINS_REFILL_MS 100

struct pin_face {
	struct list link;
	char lock_id[LOCK_ID_MAX];
	char topic[TOPIC_MAX];
	struct leaf *state;
	struct leaf *config;
	struct bucket bucket;
};

/* A code that is to be set, while the hub makes the user for it. */
struct pin_task {
	struct list link;
	struct mqtt *mqtt; /* NULL: it is gone, nobody waits for the outcome */
	struct pin_intake intake;
	char lock_id[LOCK_ID_MAX];
};

static struct pin_task *task_free(struct pin_task *task) {
	if (task != NULL) {
		pin_intake_wipe(&task->intake);
		free(task);
	}
	return NULL;
}

static struct pin_task *task_new(
	struct mqtt *mqtt, const struct pin_intake *intake, const char *lock_id_text) {
	struct pin_task *task = calloc(1, sizeof(*task));

	if (task != NULL) {
		list_init(&task->link);
		task->mqtt = mqtt;
		task->intake = *intake;
		(void) text_copy(task->lock_id, sizeof(task->lock_id), lock_id_text);
	}
	return task;
}

static const struct people_by by_mqtt = { .actor = "mqtt", .role = ROLE_MANAGE };

bool pins_is_on(const struct mqtt *mqtt) {
	return mqtt->texts.pin_code_base != NULL;
}

static struct pin_face *find(const struct mqtt *mqtt, const char *lock_id_text) {
	struct pin_face *face;

	list_for_each(face, &mqtt->pin_faces, link) {
		if (strcmp(face->lock_id, lock_id_text) == 0) {
			return face;
		}
	}
	return NULL;
}

static struct lock *lock_of(const struct mqtt *mqtt, const char *id) {
	return hub_find_lock(mqtt->hub, id);
}

static void put(json_t *object, const char *key, json_t *value) {
	if (value != NULL) {
		(void) json_object_set_new(object, key, value);
	}
}

/* ---- what is shown ---- */

/* Every message says it: Home Assistant reads the lock's state from the same topic. */
static json_t *base_message(const struct mqtt *mqtt, const struct lock *lock) {
	const struct lock_status *status = lock_status(lock);
	json_t *object = json_object();
	const char *word = NULL;

	(void) mqtt;
	switch (status->bolt.state) {
	case LOCK_STATE_LOCKED:
		word = "LOCK";
		break;
	case LOCK_STATE_NOT_FULLY_LOCKED:
	case LOCK_STATE_UNLOCKED:
	case LOCK_STATE_UNLATCHED:
		word = "UNLOCK";
		break;
	case LOCK_STATE_UNKNOWN:
		break;
	}
	put(object, "state", word != NULL ? json_string(word) : json_null());
	put(object, "lock_state",
		json_string(word == NULL ? "unknown" : lock_state_name(status->bolt.state)));
	return object;
}

/* The user's PIN that counts at the lock; NULL: none. */
static const struct credential *pin_of(
	const struct mqtt *mqtt, const struct user *user, const char *lock_id_text) {
	const struct book *book = hub_book(mqtt->hub);
	const struct credential *credential = NULL;

	if (!book_has_access(book, user->id, lock_id_text)) {
		return NULL;
	}
	for (size_t i = 0; (credential = book_credential_at(book, i)) != NULL; i++) {
		if (credential->type == CREDENTIAL_PIN && credential->state == CREDENTIAL_ACTIVE &&
			!credential->is_expired && strcmp(credential->user_id, user->id) == 0 &&
			(credential->lock_id[0] == '\0' ||
				strcmp(credential->lock_id, lock_id_text) == 0)) {
			return credential;
		}
	}
	return NULL;
}

static const struct user *user_by_number(const struct mqtt *mqtt, unsigned number) {
	const struct book *book = hub_book(mqtt->hub);

	for (size_t i = 0; i < book_user_count(book); i++) {
		const struct user *user = book_user_at(book, i);
		if (user->number == number) {
			return user;
		}
	}
	return NULL;
}

static json_t *user_status(const struct mqtt *mqtt, unsigned number, const char *lock_id_text) {
	const struct user *user = user_by_number(mqtt, number);
	const char *word = "available";

	if (user != NULL && pin_of(mqtt, user, lock_id_text) != NULL) {
		word = user->status == USER_STATUS_OCCUPIED_ENABLED ? "enabled" : "disabled";
	}
	return json_pack("{s:s}", "status", word);
}

/* @number 0: all that there are. */
static json_t *users_object(const struct mqtt *mqtt, unsigned number, const char *lock_id_text) {
	const struct book *book = hub_book(mqtt->hub);
	json_t *users = json_object();
	char key[16];

	for (size_t i = 0; number == 0 && i < book_user_count(book); i++) {
		unsigned n = book_user_at(book, i)->number;
		(void) snprintf(key, sizeof(key), "%u", n);
		put(users, key, user_status(mqtt, n, lock_id_text));
	}
	if (number != 0) {
		(void) snprintf(key, sizeof(key), "%u", number);
		put(users, key, user_status(mqtt, number, lock_id_text));
	}
	return users;
}

/* Takes the object. */
static void say(struct mqtt *mqtt, const struct pin_face *face, json_t *take_object) {
	AUTO(free) char *text = json_dumps(take_object, JSON_COMPACT);

	json_decref(take_object);
	outbox_put_answer(mqtt->outbox, face->topic, text);
}

static void show_config(struct mqtt *mqtt, struct pin_face *face, const struct lock *lock) {
	struct view view;
	char topic[TOPIC_MAX];

	if (mqtt->config.discovery == MQTT_DISCOVERY_OFF) {
		return;
	}
	if (face->config == NULL) {
		face->config = shelf_add(mqtt->shelf, STAGE_CONFIG,
			discovery_pins_topic(&mqtt->discovery, face->lock_id, topic), true);
	}
	view_take(&view, mqtt->hub, lock, mqtt->config.diag);
	AUTO(free) char *text = discovery_pins(&mqtt->discovery, &view, face->topic);
	if (face->config != NULL && text != NULL) {
		(void) leaf_set(face->config, text);
	}
}

/* A name that cannot be a level of a topic has no face here. */
static bool make_topic(const struct mqtt *mqtt, const struct lock *lock, char out[TOPIC_MAX]) {
	const char *name = lock_name(lock);

	if (name[0] == '\0' || strpbrk(name, "+#/") != NULL || !text_is_clean(name, strlen(name)) ||
		strlen(name) >= LOCK_NAME_MAX) {
		return false;
	}
	(void) snprintf(out, TOPIC_MAX, "%.63s/%.127s", mqtt->texts.pin_code_base, name);
	return true;
}

static struct pin_face *face_remove(struct pin_face *face) {
	if (face != NULL) {
		leaf_remove(face->config);
		leaf_remove(face->state);
		list_remove(&face->link);
		free(face);
	}
	return NULL;
}

static struct pin_face *face_make(struct mqtt *mqtt, const struct lock *lock, const char *topic) {
	struct pin_face *face = calloc(1, sizeof(*face));

	if (face == NULL) {
		return NULL;
	}
	list_init(&face->link);
	(void) text_copy(face->lock_id, sizeof(face->lock_id), lock_id(lock));
	(void) text_copy(face->topic, sizeof(face->topic), topic);
	face->state = shelf_add(mqtt->shelf, STAGE_STATE, topic, false);
	if (face->state == NULL) {
		free(face);
		return NULL;
	}
	list_append(&mqtt->pin_faces, &face->link);
	return face;
}

void pins_show(struct mqtt *mqtt, const struct lock *lock, unsigned what) {
	struct sync_status sync;
	char topic[TOPIC_MAX];

	if (!pins_is_on(mqtt)) {
		return;
	}
	struct pin_face *face = find(mqtt, lock_id(lock));
	hub_sync_status(mqtt->hub, lock_id(lock), &sync);
	if (!make_topic(mqtt, lock, topic)) {
		if (face != NULL || (what & FACT_NAME) != 0) {
			log_blame(BLAME_SETUP, lock_slug(lock),
				"its codes are not offered by MQTT: a name with / + or # cannot be "
				"part of a topic");
		}
		(void) face_remove(face);
		return;
	}
	if (!sync.is_supported && face == NULL) {
		return; /* nothing to manage (yet): no keypad, or its PIN is not known */
	}
	if (face != NULL && strcmp(face->topic, topic) != 0) {
		face = face_remove(face); /* renamed */
	}
	bool is_new = face == NULL;
	face = is_new ? face_make(mqtt, lock, topic) : face;
	if (face == NULL) {
		return;
	}
	json_t *message = base_message(mqtt, lock);
	AUTO(free) char *text = json_dumps(message, JSON_COMPACT);
	json_decref(message);
	if (text != NULL) {
		(void) leaf_set(face->state, text);
	}
	if (is_new || (what & (FACT_NAME | FACT_VERSIONS)) != 0) {
		show_config(mqtt, face, lock);
	}
}

void pins_forget(struct mqtt *mqtt, const char *lock_id_text) {
	(void) face_remove(find(mqtt, lock_id_text));
}

void pins_free(struct mqtt *mqtt) {
	struct pin_face *face;
	struct pin_face *next;
	struct pin_task *task;
	struct pin_task *after;

	/* The leaves belong to the shelf, which goes as well. */
	list_for_each_safe(face, next, &mqtt->pin_faces, link) {
		list_remove(&face->link);
		free(face);
	}
	/* The hub still has these and will end them. */
	list_for_each_safe(task, after, &mqtt->pin_tasks, link) {
		list_remove(&task->link);
		task->mqtt = NULL;
	}
}

/* ---- events ---- */

static const char *action_of(const struct event *event, char out[static 32]) {
	static const struct {
		enum operation_source source;
		const char *word;
	} words[] = {
		{ SOURCE_MANUAL, "manual" },
		{ SOURCE_KEYPAD, "keypad" },
		{ SOURCE_AUTO, "auto" },
		{ SOURCE_BUTTON, "one_touch" },
		{ SOURCE_SCHEDULE, "schedule" },
		{ SOURCE_REMOTE, "rf" },
		{ SOURCE_PROPRIETARY_REMOTE, "rf" },
		{ SOURCE_RFID, "rfid" },
	};
	const char *verb = event->operation == OPERATION_LOCK ? "lock" : "unlock";

	if (event->kind == EVENT_LOCK_OPERATION_ERROR) {
		return event->error == OPERATION_ERROR_INVALID_CREDENTIAL
			       ? "lock_failure_invalid_pin_or_id"
			       : NULL;
	}
	if (event->operation != OPERATION_LOCK && event->operation != OPERATION_UNLOCK &&
		event->operation != OPERATION_UNLATCH) {
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].source == event->source) {
			(void) snprintf(out, 32, "%s_%s", words[i].word, verb);
			return out;
		}
	}
	return verb;
}

static const char *source_name(enum operation_source source) {
	return source == SOURCE_KEYPAD                                          ? "keypad"
	       : source == SOURCE_RFID                                          ? "rfid"
	       : source == SOURCE_REMOTE || source == SOURCE_PROPRIETARY_REMOTE ? "rf"
										: "manual";
}

static void say_action(struct mqtt *mqtt, const struct pin_face *face, const struct event *event,
	const char *action) {
	const struct lock *lock = lock_of(mqtt, face->lock_id);
	const struct user *user =
		event->user_id[0] != '\0' ? book_user(hub_book(mqtt->hub), event->user_id) : NULL;

	if (lock == NULL) {
		return;
	}
	json_t *message = base_message(mqtt, lock);
	put(message, "action", json_string(action));
	put(message, "action_source_name", json_string(source_name(event->source)));
	put(message, "action_user",
		user != NULL && mqtt->config.show_users ? json_integer(user->number) : json_null());
	if (user != NULL && event->kind == EVENT_LOCK_USER_CHANGE) {
		put(message, "users", users_object(mqtt, user->number, face->lock_id));
	}
	say(mqtt, face, message);
}

void pins_event(struct mqtt *mqtt, const struct event *event) {
	struct pin_face *face;
	char text[32];

	if (!pins_is_on(mqtt) || event->is_history) {
		return;
	}
	if (event->kind == EVENT_LOCK_OPERATION || event->kind == EVENT_LOCK_OPERATION_ERROR) {
		const char *action = action_of(event, text);
		face = find(mqtt, event->lock_id);
		if (face != NULL && action != NULL) {
			say_action(mqtt, face, event, action);
		}
		return;
	}
	if (event->kind != EVENT_LOCK_USER_CHANGE || event->data != LOCK_DATA_PIN) {
		return;
	}
	list_for_each(face, &mqtt->pin_faces, link) {
		if (event->lock_id[0] == '\0' || strcmp(event->lock_id, face->lock_id) == 0) {
			say_action(mqtt, face, event,
				event->data_operation == DATA_CLEAR ? "pin_code_deleted"
								    : "pin_code_added");
		}
	}
}

/* ---- what is asked ---- */

static void refuse(struct mqtt *mqtt, const char *lock_id_text, const struct fault *fault) {
	const struct lock *lock = lock_of(mqtt, lock_id_text);

	mqtt_refuse_aloud(mqtt, lock, NULL, fault);
}

static void answer(struct mqtt *mqtt, const struct pin_face *face, unsigned number) {
	const struct lock *lock = lock_of(mqtt, face->lock_id);

	if (lock == NULL) {
		return;
	}
	json_t *message = base_message(mqtt, lock);
	put(message, "users", users_object(mqtt, number, face->lock_id));
	say(mqtt, face, message);
}

static void code_done(void *user, const struct fault *fault) {
	struct pin_task *task = user;
	struct mqtt *mqtt = task->mqtt;

	if (mqtt == NULL) {
		(void) task_free(task);
		return;
	}
	const struct pin_face *face = find(mqtt, task->lock_id);
	mqtt->n_pin_tasks--;
	list_remove(&task->link);
	if (fault != NULL) {
		refuse(mqtt, task->lock_id, fault);
	} else if (face != NULL && task->intake.wish == PIN_WISH_CLEAR) {
		answer(mqtt, face, task->intake.user);
	}
	(void) task_free(task);
}

/* The user is there: now the code. @return as the hub; the task is taken on 0. */
static int set_code(struct pin_task *task, const struct user *user, struct fault *ret_fault) {
	struct mqtt *mqtt = task->mqtt;
	const struct credential *have = pin_of(mqtt, user, task->lock_id);
	AUTO_VALUE(secret_wipe) struct secret pin = { 0 };
	char id[ROW_ID_MAX];

	if (have != NULL && have->lock_id[0] == '\0' &&
		!secret_equal(&have->pin, &task->intake.pin)) {
		return fault_set(ret_fault, FAULT_BAD_COMMAND,
			"the code of user %u is one for all locks; change it with: lockhubctl code "
			"change",
			user->number);
	}
	if (have != NULL) {
		return hub_code_change(mqtt->hub, have->id, &task->intake.pin, &by_mqtt, &pin,
			code_done, task, ret_fault);
	}
	struct code_add add = { .type = CREDENTIAL_PIN, .pin = task->intake.pin };
	(void) text_copy(add.user, sizeof(add.user), user->id);
	(void) text_copy(add.lock, sizeof(add.lock), task->lock_id);
	int r = hub_code_add(mqtt->hub, &add, &by_mqtt, id, &pin, code_done, task, ret_fault);
	secret_wipe(&add.pin);
	return r;
}

static void user_done(void *user, const struct fault *fault) {
	struct pin_task *task = user;
	struct fault own = { .code = FAULT_NONE };

	if (fault != NULL || task->mqtt == NULL) {
		code_done(task, fault);
		return;
	}
	const struct user *who = user_by_number(task->mqtt, task->intake.user);
	if (who == NULL) {
		(void) fault_set(
			&own, FAULT_NO_SUCH_USER, "user %u is gone again", task->intake.user);
		code_done(task, &own);
	} else if (set_code(task, who, &own) < 0) {
		code_done(task, &own);
	}
}

static int set_user(struct pin_task *task, struct fault *ret_fault) {
	const struct pin_intake *intake = &task->intake;
	const struct user *user = user_by_number(task->mqtt, intake->user);
	struct user_edit edit = {
		.set = USER_EDIT_STATUS,
		.status = intake->is_enabled ? USER_STATUS_OCCUPIED_ENABLED
					     : USER_STATUS_OCCUPIED_DISABLED,
		.type = intake->type,
		.number = intake->user,
	};
	char id[ROW_ID_MAX];

	if (user == NULL) {
		edit.set |= USER_EDIT_NAME | USER_EDIT_TYPE | USER_EDIT_NUMBER;
		(void) snprintf(edit.name, sizeof(edit.name), "Code %u", intake->user);
		return hub_user_add(
			task->mqtt->hub, &edit, &by_mqtt, id, user_done, task, ret_fault);
	}
	/*
	 * What the hub's own people have decided about a user is not for a slot to change: code
	 * managers set all their slots again and again, and would let in who was shut out.
	 */
	if (user->status == USER_STATUS_OCCUPIED_DISABLED && intake->is_enabled &&
		strcmp(user->modified_by, by_mqtt.actor) != 0) {
		return fault_set(
			ret_fault, FAULT_USER_DISABLED, "user %u, not by MQTT", intake->user);
	}
	if (user->status != edit.status) {
		return hub_user_edit(
			task->mqtt->hub, user->id, &edit, &by_mqtt, user_done, task, ret_fault);
	}
	return set_code(task, user, ret_fault);
}

static int clear_code(struct pin_task *task, struct fault *ret_fault) {
	struct mqtt *mqtt = task->mqtt;
	const struct user *user = user_by_number(mqtt, task->intake.user);
	const struct credential *have = user != NULL ? pin_of(mqtt, user, task->lock_id) : NULL;

	if (have == NULL) {
		code_done(task, NULL); /* clearing an empty slot succeeds (Matter) */
		return 0;
	}
	if (have->lock_id[0] == '\0') {
		return hub_access_revoke(
			mqtt->hub, user->id, task->lock_id, &by_mqtt, code_done, task, ret_fault);
	}
	return hub_code_revoke(mqtt->hub, have->id, &by_mqtt, code_done, task, ret_fault);
}

static void carry_out_code(
	struct mqtt *mqtt, const char *lock_id_text, const struct pin_intake *intake) {
	struct pin_task *task = NULL;
	struct fault fault;

	if (mqtt_may_command(mqtt, &fault) < 0) {
		refuse(mqtt, lock_id_text, &fault);
		return;
	}
	task = mqtt->n_pin_tasks < PIN_TASKS_MAX ? task_new(mqtt, intake, lock_id_text) : NULL;
	if (task == NULL) {
		(void) fault_set(&fault, FAULT_QUEUE_FULL, "%u code changes are under way",
			mqtt->n_pin_tasks);
		refuse(mqtt, lock_id_text, &fault);
		return;
	}
	mqtt->n_pin_tasks++;
	list_append(&mqtt->pin_tasks, &task->link);
	int r = intake->wish == PIN_WISH_SET ? set_user(task, &fault) : clear_code(task, &fault);
	if (r < 0) {
		code_done(task, &fault);
	}
}

static void carry_out_act(
	struct mqtt *mqtt, const char *lock_id_text, enum act act, bool is_retained) {
	const struct lock *lock = lock_of(mqtt, lock_id_text);
	struct fault fault;

	if (lock != NULL && mqtt_request(mqtt, lock, act, ROLE_OPERATE, is_retained, &fault) < 0) {
		refuse(mqtt, lock_id_text, &fault);
	}
}

/* The lock whose topic it is, and which of its two; NULL: somebody else's device. */
static struct pin_face *face_of_topic(
	const struct mqtt *mqtt, const char *topic, bool *ret_is_get) {
	struct pin_face *face;

	list_for_each(face, &mqtt->pin_faces, link) {
		size_t n = strlen(face->topic);
		if (strncmp(topic, face->topic, n) == 0 &&
			(strcmp(topic + n, "/get") == 0 || strcmp(topic + n, "/set") == 0)) {
			*ret_is_get = topic[n + 1] == 'g';
			return face;
		}
	}
	return NULL;
}

bool pins_message(
	struct mqtt *mqtt, const char *topic, const uint8_t *payload, size_t n, bool is_retained) {
	size_t n_base = pins_is_on(mqtt) ? strlen(mqtt->texts.pin_code_base) : 0;
	AUTO_VALUE(pin_intake_wipe) struct pin_intake intake = { 0 };
	struct pin_face *face = NULL;
	bool is_get = false;
	struct fault fault;

	if (n_base == 0 || strncmp(topic, mqtt->texts.pin_code_base, n_base) != 0 ||
		topic[n_base] != '/') {
		return false;
	}
	face = face_of_topic(mqtt, topic, &is_get);
	if (face == NULL || n == 0) {
		return face != NULL; /* a device of the real zigbee2mqtt beside us */
	}
	mqtt->status.commands++;
	if (!bucket_take_of(&face->bucket, mqtt_now(mqtt), PINS_BURST, PINS_REFILL_MS)) {
		mqtt->status.refused++;
		log_blame(BLAME_SETUP, NULL, "too many messages on the code topics by MQTT");
		return true;
	}
	if (pin_intake_parse(payload, n, is_get, &intake, &fault) < 0) {
		refuse(mqtt, face->lock_id, &fault);
	} else if (intake.wish == PIN_WISH_GET) {
		answer(mqtt, face, intake.user);
	} else if (is_retained) {
		(void) fault_set(&fault, FAULT_RETAINED_COMMAND,
			"on the lock's %s/set; clear it there", mqtt->texts.pin_code_base);
		refuse(mqtt, face->lock_id, &fault);
	} else if (intake.wish == PIN_WISH_ACT) {
		carry_out_act(mqtt, face->lock_id, intake.act, is_retained);
	} else {
		carry_out_code(mqtt, face->lock_id, &intake);
	}
	return true;
}
