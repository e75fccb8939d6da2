/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "util/text.h"

#include "payload.h"
#include "request-room.h"

#define KEY(name) (1U << REQUEST_KEY_##name)

/*
 * All there is. Whoever adds a row documents it in docs/mqtt-requests.md and gives it a schema in
 * docs/mqtt; tests/hub/test-requests.py asks for both.
 */
/* clang-format off */
static const struct request_row rows[] = {
	{ "health", MQTT_REQUESTS_READ, 0, 0, 0, 0, request_health },
	{ "devices", MQTT_REQUESTS_READ, 0, KEY(START), 0, 0, request_devices },
	{ "options", MQTT_REQUESTS_READ, MQTT_REQUESTS_ADMIN, KEY(LOCK) | KEY(OPTIONS), KEY(LOCK), 0,
		request_options },
	{ "check", MQTT_REQUESTS_MAINTAIN, 0, KEY(LOCK), 0, 60, request_check },
	{ "backup", MQTT_REQUESTS_MAINTAIN, 0, 0, 0, 300, request_backup },
	{ "logging", MQTT_REQUESTS_MAINTAIN, 0, KEY(LEVEL) | KEY(MINUTES), KEY(LEVEL), 0,
		request_logging },
	{ "restart", MQTT_REQUESTS_MAINTAIN, 0, KEY(LOCK), 0, 60, request_restart },
	{ "rename", MQTT_REQUESTS_ADMIN, 0, KEY(LOCK) | KEY(TO), KEY(LOCK) | KEY(TO), 0,
		request_rename },
	{ "remove", MQTT_REQUESTS_ADMIN, 0, KEY(LOCK) | KEY(FORCE), KEY(LOCK), 0, request_remove },
	{ "permit_pairing", MQTT_REQUESTS_ADMIN, 0, KEY(TIME), KEY(TIME), 0, request_pairing },
};
/* clang-format on */

static const struct request_row *row_of(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

/* What only tells is not remembered: asked again, it is told again. */
static bool is_acting(const struct request_row *row, const struct request_intake *intake) {
	return row->least > MQTT_REQUESTS_READ || (intake->has & KEY(OPTIONS)) != 0;
}

/* ---- JSON ---- */

void request_put(json_t *object, const char *key, json_t *take_value) {
	(void) json_object_set_new(object, key, take_value);
}

json_t *request_text(const char *text) {
	char clean[FAULT_TEXT_MAX];

	(void) text_copy(clean, sizeof(clean), text != NULL ? text : "");
	text_sanitize(clean);
	return json_string(clean);
}

json_t *request_time(wall_t when) {
	char text[PAYLOAD_MAX];

	return when.s > 0 ? json_string(payload_time(when, text)) : json_null();
}

json_t *request_fault(const struct fault *fault, const char *slug) {
	char text[FAULT_TEXT_MAX];

	if (fault->code == FAULT_NONE) {
		return json_null();
	}
	json_t *object = json_object();
	request_put(object, "name", json_string(fault_name(fault->code)));
	request_put(object, "text", request_text(fault_text(fault, text)));
	request_put(object, "hint", request_text(fault_hint(fault->code, slug, text)));
	return object;
}

/* ---- answers ---- */

static json_t *transaction_of(const struct request_intake *intake) {
	return intake->is_transaction_number ? json_integer(strtoll(intake->transaction, NULL, 10))
					     : json_string(intake->transaction);
}

/* Takes @take_data. NULL: no memory. */
static char *answer_text(const struct request_intake *intake, const struct fault *fault,
	const char *slug, json_t *take_data) {
	json_t *root = json_object();
	bool is_fault = fault != NULL && fault->code != FAULT_NONE;

	if (intake->transaction[0] != '\0') {
		request_put(root, "transaction", transaction_of(intake));
	}
	request_put(root, "status", json_string(is_fault ? "error" : "ok"));
	if (is_fault) {
		request_put(root, "error", request_fault(fault, slug));
	}
	request_put(root, "data", take_data != NULL ? take_data : json_object());
	char *text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}

/* A marker of a lost event takes its place when there is no memory for it. */
static void say(struct mqtt *mqtt, const char *name, const char *text) {
	char leaf[64];
	char topic[TOPIC_MAX];

	(void) snprintf(leaf, sizeof(leaf), "response/%.40s", name);
	outbox_put_answer(
		mqtt->outbox, topic_of(&mqtt->discovery.topics, "hub", leaf, topic), text);
}

static void refuse(struct mqtt *mqtt, const char *name, const struct request_intake *intake,
	const struct fault *fault) {
	AUTO(free) char *text = answer_text(intake, fault, NULL, NULL);

	mqtt->status.refused++;
	log_fault(fault, NULL, NULL);
	say(mqtt, name, text);
}

static void call_free(struct request_call *call) {
	if (call->requests != NULL) {
		call->requests->n_calls--;
	}
	list_remove(&call->link);
	json_decref(call->data);
	free(call);
}

static void finish(struct request_call *take_call, const struct fault *fault, json_t *take_data) {
	struct requests *requests = take_call->requests;

	if (requests == NULL) {
		json_decref(take_data);
		call_free(take_call);
		return;
	}
	const struct lock *lock = request_lock(take_call);
	char *text = answer_text(
		&take_call->intake, fault, lock != NULL ? lock_slug(lock) : NULL, take_data);
	say(requests->mqtt, take_call->row->name, text);
	if (take_call->past != NULL) {
		take_call->past->answer = STEAL(text);
	}
	free(text);
	call_free(take_call);
}

void request_answer(struct request_call *take_call, json_t *take_data) {
	finish(take_call, NULL, take_data);
}

void request_fail(struct request_call *take_call, const struct fault *fault, json_t *take_data) {
	if (take_call->requests != NULL) {
		log_fault(fault, NULL, NULL);
	}
	finish(take_call, fault, take_data);
}

/* ---- operations ---- */

struct lock *request_lock(const struct request_call *call) {
	return call->lock_id[0] != '\0' ? hub_find_lock(call->requests->mqtt->hub, call->lock_id)
					: NULL;
}

int request_operation(struct request_call *call, struct request *request, struct fault *ret_fault) {
	struct requests *requests = call->requests;
	struct op *op = NULL;
	int r;

	request->origin = REQUEST_MQTT;
	request->role = ROLE_MANAGE;
	(void) text_copy(request->actor, sizeof(request->actor), "mqtt");
	(void) text_copy(request->lock, sizeof(request->lock), call->lock_id);
	/* Without one, two changes of settings in a row would be taken for the same. */
	(void) snprintf(request->dedup_id, sizeof(request->dedup_id), "hub-request-%llu",
		(unsigned long long) ++requests->n_asked);
	r = hub_request(requests->mqtt->hub, request, &op, ret_fault);
	if (r >= 0) {
		(void) text_copy(call->ops[call->n_ops++], OP_ID_MAX, op->id);
	}
	return r;
}

static bool waits_for(const struct request_call *call, const struct op *op) {
	for (size_t i = 0; i < call->n_ops; i++) {
		if (strcmp(call->ops[i], op->id) == 0) {
			return true;
		}
	}
	return false;
}

void requests_op_finished(struct requests *requests, const struct op *op) {
	struct request_call *call;
	struct request_call *next;

	if (requests == NULL) {
		return;
	}
	pairing_op_finished(requests, op);
	list_for_each_safe(call, next, &requests->calls, link) {
		if (!waits_for(call, op)) {
			continue;
		}
		if (op->outcome != OP_DONE && call->fault.code == FAULT_NONE) {
			call->fault = op->fault;
		}
		if (++call->n_finished == call->n_ops && !call->is_held) {
			json_t *data = STEAL(call->data);
			if (call->fault.code != FAULT_NONE) {
				struct fault fault = call->fault;
				request_fail(call, &fault, data);
			} else {
				request_answer(call, data);
			}
		}
	}
}

/* ---- what was asked for before ---- */

/* FNV-1a: tells two payloads apart; whoever makes two alike only gets an old answer of his own. */
static uint64_t mark_of(const uint8_t *payload, size_t n) {
	uint64_t mark = 0xcbf29ce484222325U;

	for (size_t i = 0; i < n; i++) {
		mark = (mark ^ payload[i]) * 0x100000001b3U;
	}
	return mark;
}

static void forget(struct past *past) {
	free(past->answer);
	*past = (struct past){ .row = NULL };
}

static void forget_old(struct requests *requests) {
	mono_t now = mqtt_now(requests->mqtt);

	for (size_t i = 0; i < REQUEST_KEPT_MAX; i++) {
		struct past *past = &requests->past[i];
		bool is_done = past->answer != NULL || past->is_refused;
		if (past->row != NULL && is_done && mono_since(past->at, now) > REQUEST_KEPT_MS) {
			forget(past);
		}
	}
}

static struct past *seen(struct requests *requests, const struct request_row *row,
	const struct request_intake *intake) {
	for (size_t i = 0; i < REQUEST_KEPT_MAX; i++) {
		struct past *past = &requests->past[i];
		if (past->row == row && intake->transaction[0] != '\0' &&
			strcmp(past->transaction, intake->transaction) == 0) {
			return past;
		}
	}
	return NULL;
}

/* Done for the same lock so lately that once more would only wear something out. */
static int check_rest(const struct requests *requests, const struct request_row *row,
	const char *lock_id_text, struct fault *ret_fault) {
	mono_t now = mqtt_now(requests->mqtt);

	for (size_t i = 0; i < REQUEST_KEPT_MAX; i++) {
		const struct past *past = &requests->past[i];
		int64_t age_s = mono_since(past->at, now) / 1000;
		if (past->row == row && !past->is_refused && age_s < row->rest_s &&
			strcmp(past->lock_id, lock_id_text) == 0) {
			return fault_set(ret_fault, FAULT_DENIED,
				"%s was asked for %lld s ago; again in %lld s", row->name,
				(long long) age_s, (long long) (row->rest_s - age_s));
		}
	}
	return 0;
}

static struct past *remember(struct requests *requests, const struct request_call *call,
	uint64_t mark, struct fault *ret_fault) {
	for (size_t i = 0; i < REQUEST_KEPT_MAX; i++) {
		struct past *past = &requests->past[i];
		if (past->row == NULL) {
			past->row = call->row;
			past->mark = mark;
			past->at = mqtt_now(requests->mqtt);
			(void) text_copy(past->lock_id, sizeof(past->lock_id), call->lock_id);
			(void) text_copy(past->transaction, sizeof(past->transaction),
				call->intake.transaction);
			return past;
		}
	}
	(void) fault_set(ret_fault, FAULT_DENIED, "too many requests in the last ten minutes");
	return NULL;
}

/* ---- the way in ---- */

static int check_right(const struct mqtt *mqtt, const struct request_row *row,
	const struct request_intake *intake, struct fault *ret_fault) {
	bool has_options = (intake->has & KEY(OPTIONS)) != 0;
	enum mqtt_requests least = has_options && row->with_option != MQTT_REQUESTS_NONE
					   ? row->with_option
					   : row->least;

	if (mqtt->config.requests < least) {
		return fault_set(ret_fault, FAULT_DENIED,
			"it takes [mqtt] requests = %s in lockhubd.conf, which is %s",
			mqtt_requests_name(least), mqtt_requests_name(mqtt->config.requests));
	}
	return is_acting(row, intake) ? mqtt_may_command(mqtt, ret_fault) : 0;
}

static int take_lock(struct request_call *call, struct fault *ret_fault) {
	struct lock *lock = NULL;
	int r;

	if (call->intake.lock[0] == '\0') {
		return 0;
	}
	r = hub_get_lock(call->requests->mqtt->hub, call->intake.lock, &lock, ret_fault);
	if (r >= 0) {
		(void) text_copy(call->lock_id, sizeof(call->lock_id), lock_id(lock));
	}
	return r;
}

static int begin(struct request_call *call, uint64_t mark, struct fault *ret_fault) {
	struct requests *requests = call->requests;
	int r = take_lock(call, ret_fault);

	if (r >= 0 && is_acting(call->row, &call->intake)) {
		r = check_rest(requests, call->row, call->lock_id, ret_fault);
		if (r >= 0 && (call->past = remember(requests, call, mark, ret_fault)) == NULL) {
			r = fault_errno(ret_fault->code);
		}
	}
	if (r < 0) {
		return r;
	}
	if (call->past != NULL) {
		log_notice("request by MQTT: %s%s%s", call->row->name,
			call->lock_id[0] != '\0' ? " of lock " : "", call->lock_id);
	}
	return call->row->act(call, ret_fault);
}

/* Same transaction, same words: the answer of then. */
static void again(struct mqtt *mqtt, const struct past *past, const struct request_intake *intake,
	uint64_t mark) {
	struct fault fault;

	if (past->mark != mark) {
		(void) fault_set(&fault, FAULT_DUPLICATE,
			"this transaction was that of another %s in the last ten minutes",
			past->row->name);
		refuse(mqtt, past->row->name, intake, &fault);
	} else if (past->answer != NULL) {
		say(mqtt, past->row->name, past->answer);
	} /* else the one answer that is to come is for both */
}

static void work_on(struct mqtt *mqtt, const struct request_row *row,
	const struct request_intake *intake, uint64_t mark) {
	struct requests *requests = mqtt->requests;
	struct request_call *call = NULL;
	struct fault fault = { .code = FAULT_NONE };

	if (requests->n_calls >= REQUEST_CALLS_MAX) {
		(void) fault_set(
			&fault, FAULT_DENIED, "%u requests are being worked on", requests->n_calls);
	} else if ((call = calloc(1, sizeof(*call))) == NULL) {
		(void) fault_set(&fault, FAULT_NO_MEMORY, "a request");
	}
	if (call == NULL) {
		refuse(mqtt, row->name, intake, &fault);
		return;
	}
	call->requests = requests;
	call->row = row;
	call->intake = *intake;
	list_append(&requests->calls, &call->link);
	requests->n_calls++;
	if (begin(call, mark, &fault) < 0) {
		mqtt->status.refused++;
		struct past *past = call->past;
		if (past != NULL) {
			past->is_refused = true;
		}
		request_fail(call, &fault, NULL);
		if (past != NULL && past->transaction[0] == '\0') {
			forget(past); /* nobody can ask for this answer again */
		}
	}
}

static void take(struct mqtt *mqtt, const struct request_row *row, const uint8_t *payload, size_t n,
	bool is_retained) {
	struct requests *requests = mqtt->requests;
	struct request_intake intake;
	struct fault fault;
	uint64_t mark = mark_of(payload, n);
	const struct past *past;
	int r = request_intake_parse(payload, n, row->takes, row->needs, &intake, &fault);

	if (is_retained) {
		r = fault_set(&fault, FAULT_RETAINED_COMMAND, "on %.60s/hub/request/%s",
			mqtt->discovery.topics.base, row->name);
	}
	if (r >= 0) {
		r = check_right(mqtt, row, &intake, &fault);
	}
	if (r < 0) {
		refuse(mqtt, row->name, &intake, &fault);
		return;
	}
	forget_old(requests);
	past = is_acting(row, &intake) ? seen(requests, row, &intake) : NULL;
	if (past != NULL) {
		again(mqtt, past, &intake, mark);
	} else {
		work_on(mqtt, row, &intake, mark);
	}
}

/* "BASE/hub/request/NAME"; NULL: not of this form. */
static const char *name_of_topic(const struct mqtt *mqtt, const char *topic) {
	static const char stem[] = "/hub/request/";
	size_t n_base = strlen(mqtt->discovery.topics.base);

	if (strncmp(topic, mqtt->discovery.topics.base, n_base) != 0 ||
		strncmp(topic + n_base, stem, sizeof(stem) - 1) != 0) {
		return NULL;
	}
	return topic + n_base + sizeof(stem) - 1;
}

static void unknown(struct mqtt *mqtt) {
	static const struct request_intake nobody = { .has = 0 };
	struct fault fault;

	(void) fault_set(&fault, FAULT_BAD_COMMAND,
		"there is no such request; docs/mqtt-requests.md names them");
	refuse(mqtt, "unknown", &nobody, &fault);
}

bool requests_message(
	struct mqtt *mqtt, const char *topic, const uint8_t *payload, size_t n, bool is_retained) {
	const char *name = name_of_topic(mqtt, topic);
	const struct request_row *row;
	bool is_asking;

	if (name == NULL || mqtt->requests == NULL) {
		return name != NULL;
	}
	row = row_of(name);
	is_asking = row != NULL && row->least == MQTT_REQUESTS_READ;
	if (n == 0 && (is_retained || !is_asking)) {
		return true; /* somebody clears a retained one */
	}
	mqtt->status.commands++;
	if (!bucket_take_of(is_asking ? &mqtt->requests->reads : &mqtt->requests->acts,
		    mqtt_now(mqtt), is_asking ? REQUEST_READS_BURST : REQUEST_ACTS_BURST,
		    is_asking ? REQUEST_READ_REFILL_MS : REQUEST_ACT_REFILL_MS)) {
		mqtt->status.refused++;
		log_blame(BLAME_SETUP, NULL, "too many requests by MQTT; they are not answered");
	} else if (row == NULL) {
		unknown(mqtt);
	} else {
		take(mqtt, row, payload, n, is_retained);
	}
	return true;
}

/* ---- life ---- */

static void on_quiet(void *user) {
	request_logging_end(user);
}

struct requests *requests_new(struct mqtt *mqtt) {
	struct requests *requests = calloc(1, sizeof(*requests));

	if (requests == NULL) {
		return NULL;
	}
	requests->mqtt = mqtt;
	list_init(&requests->calls);
	requests->quiet = loop_timer_new(mqtt->loop, on_quiet, requests);
	return pairing_begin(requests) && requests->quiet != NULL ? requests
								  : requests_free(requests);
}

struct requests *requests_free(struct requests *requests) {
	struct request_call *call;
	struct request_call *next;

	if (requests == NULL) {
		return NULL;
	}
	request_logging_end(requests);
	pairing_finish(requests);
	list_for_each_safe(call, next, &requests->calls, link) {
		if (call->is_held) {
			list_remove(&call->link);
			call->requests = NULL; /* freed by whoever calls back */
		} else {
			call_free(call);
		}
	}
	for (size_t i = 0; i < REQUEST_KEPT_MAX; i++) {
		forget(&requests->past[i]);
	}
	requests->quiet = loop_timer_free(requests->quiet);
	free(requests);
	return NULL;
}
