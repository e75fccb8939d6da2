/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a command message to hub_request(). What a message means is intake.c's business, whether it
 * may be done is core/policy's; here is only what neither knows: the topic, the flag, the flood.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hub.h"
#include "util/log.h"
#include "util/text.h"

#include "intake.h"
#include "payload.h"
#include "room.h"

bool bucket_take_of(struct bucket *bucket, mono_t now, unsigned burst, unsigned refill_ms) {
	int64_t refill = mono_since(bucket->since, now) / refill_ms;

	if (refill > 0) {
		bucket->used = refill >= bucket->used ? 0 : bucket->used - (unsigned) refill;
		bucket->since = now;
	}
	if (bucket->used >= burst) {
		return false;
	}
	bucket->used++;
	return true;
}

bool bucket_take(struct bucket *bucket, mono_t now) {
	return bucket_take_of(bucket, now, COMMANDS_BURST, COMMAND_REFILL_MS);
}

/* For the journal: what came from outside, short and clean. */
static const char *shown(const char *topic, char out[static TOPIC_MAX]) {
	(void) text_copy(out, TOPIC_MAX, topic);
	text_sanitize(out);
	return out;
}

void mqtt_refuse(
	struct mqtt *mqtt, const struct lock *lock, const char *word, const struct fault *fault) {
	const struct clock *clock = loop_clock(mqtt->loop);
	wall_t when = clock_is_trusted(clock) ? clock_wall(clock) : (wall_t){ 0 };

	mqtt->status.refused++;
	mqtt_put_event(
		mqtt, lock != NULL ? lock_id(lock) : NULL, payload_refusal(word, fault, when), 0);
}

void mqtt_refuse_aloud(
	struct mqtt *mqtt, const struct lock *lock, const char *word, const struct fault *fault) {
	log_fault(fault, lock != NULL ? lock_slug(lock) : NULL, NULL);
	mqtt_refuse(mqtt, lock, word, fault);
}

struct face *mqtt_admit(struct mqtt *mqtt, const char *id, const char *topic, const char *what) {
	struct face *face = id[0] != '\0' ? face_find(mqtt, id) : NULL;
	char text[TOPIC_MAX];

	mqtt->status.commands++;
	if (!bucket_take(face != NULL ? face_bucket(face) : &mqtt->strangers, mqtt_now(mqtt))) {
		mqtt->status.refused++;
		log_blame(BLAME_SETUP, face != NULL ? lock_slug(face_lock(face)) : NULL,
			"too many %s by MQTT: more than %d at once, or one every %d ms", what,
			COMMANDS_BURST, COMMAND_REFILL_MS);
		return NULL;
	}
	if (face == NULL) {
		mqtt->status.refused++;
		log_blame(BLAME_SETUP, NULL,
			"%s came on %s, but no lock has this id; lockhubctl show LOCK tells it",
			what, shown(topic, text));
	}
	return face;
}

int mqtt_may_command(const struct mqtt *mqtt, struct fault *ret_fault) {
	return mqtt->config.allow_commands
		       ? 0
		       : fault_set(ret_fault, FAULT_DENIED,
				 "commands by MQTT are switched off: [mqtt] commands in "
				 "lockhubd.conf");
}

/*
 * 0, or EXPIRED: it opens a door, came through a flood of messages, and nobody knows how old it is.
 * @sent_at_ms: the sender's clock, 0 none.
 */
static int may_open(
	const struct mqtt *mqtt, enum act act, int64_t sent_at_ms, struct fault *ret_fault) {
	bool has_age = sent_at_ms != 0 && clock_is_trusted(loop_clock(mqtt->loop));

	if (has_age || !policy_opens(act) || !client_is_flooded(mqtt->client)) {
		return 0;
	}
	return fault_set(ret_fault, FAULT_EXPIRED,
		"it came in a flood of messages and bears no time (ts): it may be old");
}

int mqtt_request(struct mqtt *mqtt, const struct lock *lock, enum act act, enum role role,
	bool is_retained, struct fault *ret_fault) {
	struct request request = {
		.act = act,
		.origin = REQUEST_MQTT,
		.role = role,
		.is_retained = is_retained,
	};
	struct op *op = NULL;
	int r = mqtt_may_command(mqtt, ret_fault);

	if (r >= 0) {
		r = may_open(mqtt, act, 0, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	(void) text_copy(request.lock, sizeof(request.lock), lock_id(lock));
	(void) text_copy(request.actor, sizeof(request.actor), "mqtt");
	return hub_request(mqtt->hub, &request, &op, ret_fault);
}

static void request_wipe(struct request *request) {
	secret_wipe(&request->factor);
}

static void to_request(struct request *request, const struct intake *intake, const char *id,
	const struct client_message *message) {
	memset(request, 0, sizeof(*request));
	request->act = intake->act;
	(void) text_copy(request->lock, sizeof(request->lock), id);
	request->origin = REQUEST_MQTT;
	request->role = ROLE_OPERATE;
	(void) text_copy(request->actor, sizeof(request->actor), "mqtt");
	request->is_retained = message->is_retained;
	request->sent_at_ms = intake->sent_at_ms;
	request->patience_ms = message->expires_ms;
	request->factor = intake->code;
	if (intake->id[0] != '\0') {
		(void) text_copy(request->dedup_id, sizeof(request->dedup_id), intake->id);
	} else if (intake->sent_at_ms != 0) {
		/* Same moment, same act, same lock: delivered twice. */
		(void) snprintf(request->dedup_id, sizeof(request->dedup_id), "ts-%lld-%d-%s",
			(long long) intake->sent_at_ms, (int) intake->act, id);
	}
}

static void carry_out(struct mqtt *mqtt, struct face *face, const struct intake *intake,
	const struct client_message *message) {
	const char *id = lock_id(face_lock(face));
	const char *slug = lock_slug(face_lock(face));
	AUTO_VALUE(request_wipe) struct request request;
	struct op *op = NULL;
	struct fault fault;
	char text[TOPIC_MAX];

	to_request(&request, intake, id, message);
	int r = mqtt_may_command(mqtt, &fault);
	if (r >= 0) {
		r = may_open(mqtt, intake->act, intake->sent_at_ms, &fault);
	}
	if (r < 0) {
		log_fault(&fault, slug, NULL);
	} else {
		r = hub_request(mqtt->hub, &request, &op, &fault);
	}
	if (r >= 0) {
		log_line(LOG_DEBUG, slug, "%s by MQTT is operation %s", act_name(intake->act),
			op->id);
		return;
	}
	/* The hub has logged the refusal; only here is known on which topic the message lies. */
	if (fault.code == FAULT_RETAINED_COMMAND) {
		log_blame(BLAME_SETUP, slug,
			"a retained command lies on %s and is ignored; find out who publishes with "
			"the retain flag, and clear it: mosquitto_pub -r -n -t '%s'",
			shown(message->topic, text), shown(message->topic, text));
	}
	mqtt_refuse(mqtt, face_lock(face), intake_word(intake->act), &fault);
}

void mqtt_command(
	struct mqtt *mqtt, const char *lock_id_text, const struct client_message *message) {
	AUTO_VALUE(intake_wipe) struct intake intake = { .act = ACT_NONE };
	struct fault fault;
	char text[TOPIC_MAX];

	if (message->n == 0) {
		return; /* somebody clears a retained command, as we advise */
	}
	struct face *face = mqtt_admit(mqtt, lock_id_text, message->topic, "commands");
	if (face == NULL) {
		return;
	}
	if (message->is_again) {
		(void) fault_set(
			&fault, FAULT_DUPLICATE, "the broker has sent the same message before");
		mqtt_refuse_aloud(mqtt, face_lock(face), NULL, &fault);
		return;
	}
	if (intake_parse(message->payload, message->n, &intake, &fault) < 0) {
		log_blame(BLAME_SETUP, lock_slug(face_lock(face)),
			"a command on %s was refused: %s", shown(message->topic, text),
			fault.detail);
		mqtt_refuse(mqtt, face_lock(face), NULL, &fault);
		return;
	}
	carry_out(mqtt, face, &intake, message);
}
