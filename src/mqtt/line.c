/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The connection to the broker, from the outside in: what is subscribed, what comes, what the
 * broker denies and when it is asked again. A connection goes through these steps:
 *
 *	accepted ─► subscribe ─► hub's configuration ─► locks' ─► states ─► `online` ─► events
 *
 * each waiting for the broker's acknowledgement of the one before (shelf.c). Home Assistant's birth
 * message repeats states and `online`; it never wakes a lock.
 */

#include "room.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "util/log.h"
#include "util/text.h"

#include "buttons.h"
#include "dial-set.h"
#include "hub-face.h"
#include "pins.h"
#include "request.h"
#include "sweep.h"
#include "switches.h"

#define BIRTH_MIN_MS 1000
#define BIRTH_SPREAD_MS 4000
#define ECHO_MS 5000
#define REASSERT_APART_MS 5000
/* Somebody mends an access list, and the broker does not tell. */
#define APPEAL_MS 10000

static bool is_text(const uint8_t *payload, size_t n, const char *text) {
	return strlen(text) == n && memcmp(payload, text, n) == 0;
}

/* @what names the topic. The first stands until it is mended; the others are told by the journal.
 */
static void broker_denied(
	struct mqtt *mqtt, enum mqtt_denial denial, const char *topic, const char *what) {
	struct fault fault;

	(void) fault_set(&fault, FAULT_BROKER_DENIED, "%s", what);
	if (mqtt->denial != DENIAL_NONE) {
		log_blame(BLAME_SETUP, NULL, "%s", fault.detail);
		return;
	}
	mqtt->denial = denial;
	(void) text_copy(mqtt->denied_topic, sizeof(mqtt->denied_topic), topic);
	loop_timer_arm(mqtt->appeal, APPEAL_MS);
	mqtt_status_set(mqtt, mqtt->status.is_connected, mqtt->status.is_online, &fault);
}

static void broker_allows(struct mqtt *mqtt) {
	mqtt->denial = DENIAL_NONE;
	loop_timer_disarm(mqtt->appeal);
	if (mqtt->status.fault.code == FAULT_BROKER_DENIED) {
		log_info("the MQTT broker allows %s now", mqtt->denied_topic);
		mqtt_status_set(mqtt, mqtt->status.is_connected, mqtt->status.is_online, NULL);
	}
}

static void subscribe(
	struct mqtt *mqtt, char *const *topics, size_t n, bool is_command, int *ret_mid) {
	int mid = 0;

	if (n > 0 && client_subscribe(mqtt->client, topics, n, is_command, &mid) == 0) {
		mqtt->n_subscribing++;
	}
	if (ret_mid != NULL) {
		*ret_mid = mid;
	}
}

/* Topics on their way into subscriptions. */
struct batch {
	struct mqtt *mqtt;
	char *topics[CLIENT_TOPICS_MAX];
	size_t n;
};

static void batch_flush(struct batch *batch) {
	subscribe(batch->mqtt, batch->topics, batch->n, false, NULL);
	batch->n = 0;
}

static void batch_add(void *user, const char *topic) {
	struct batch *batch = user;

	batch->topics[batch->n++] = (char *) (uintptr_t) topic;
	if (batch->n == CLIENT_TOPICS_MAX) {
		batch_flush(batch);
	}
}

void mqtt_subscribe_face(struct mqtt *mqtt, const struct face *face) {
	struct batch batch = { .mqtt = mqtt };

	face_each_config(face, batch_add, &batch);
	batch_flush(&batch);
}

/* Topic filters in one subscription, and where those lie that are made up for it. */
struct filters {
	char *topics[CLIENT_TOPICS_MAX];
	size_t n;
	char texts[8][TOPIC_MAX];
};

/* All on which somebody may ask something of us: what lies there retained is not wanted. */
static void command_filters(struct mqtt *mqtt, struct filters *ret) {
	const struct topics *topics = &mqtt->discovery.topics;

	ret->n = 0;
	ret->topics[ret->n++] = topic_commands(topics, ret->texts[0]);
	ret->topics[ret->n++] = topic_buttons(topics, ret->texts[1]);
	ret->topics[ret->n++] = topic_settings(topics, ret->texts[6]);
	if (mqtt->requests != NULL) {
		ret->topics[ret->n++] = topic_of(topics, "hub", "request/+", ret->texts[5]);
	}
	if (mqtt->config.user_switches) {
		(void) snprintf(ret->texts[2], TOPIC_MAX, "%s/hub/+/set", mqtt->config.base);
		ret->topics[ret->n++] = ret->texts[2];
	}
	if (pins_is_on(mqtt)) {
		(void) snprintf(ret->texts[3], TOPIC_MAX, "%.63s/+/set", mqtt->texts.pin_code_base);
		(void) snprintf(ret->texts[4], TOPIC_MAX, "%.63s/+/get", mqtt->texts.pin_code_base);
		ret->topics[ret->n++] = ret->texts[3];
		ret->topics[ret->n++] = ret->texts[4];
	}
}

static void news_filters(struct mqtt *mqtt, struct filters *ret) {
	ret->n = 0;
	ret->topics[ret->n++] = mqtt->will_topic;
	if (mqtt->texts.ha_status != NULL) {
		ret->topics[ret->n++] = mqtt->texts.ha_status;
	}
}

static void subscribe_essential(struct mqtt *mqtt) {
	struct filters filters;

	command_filters(mqtt, &filters);
	subscribe(mqtt, filters.topics, filters.n, true, &mqtt->mid_commands);
	news_filters(mqtt, &filters);
	subscribe(mqtt, filters.topics, filters.n, false, &mqtt->mid_news);
}

static void subscribe_all(struct mqtt *mqtt) {
	struct batch batch = { .mqtt = mqtt };
	struct face *face;

	mqtt->n_subscribing = 0;
	subscribe_essential(mqtt);
	for (face = face_next(mqtt, NULL); face != NULL; face = face_next(mqtt, face)) {
		face_each_config(face, batch_add, &batch);
	}
	batch_flush(&batch);
}

void mqtt_on_appeal(void *user) {
	struct mqtt *mqtt = user;

	loop_timer_arm(mqtt->appeal, APPEAL_MS);
	switch (mqtt->denial) {
	case DENIAL_SUBSCRIBE:
		subscribe_essential(mqtt);
		break;
	case DENIAL_PUBLISH:
		shelf_repeat_topic(mqtt->shelf, mqtt->denied_topic);
		break;
	case DENIAL_ECHO:
		leaf_repeat(mqtt->online);
		break;
	case DENIAL_NONE:
		loop_timer_disarm(mqtt->appeal);
		break;
	}
}

/* Once per connection: a lock that is added later brings subscriptions of its own. */
static void begin_when_subscribed(struct mqtt *mqtt) {
	if (mqtt->n_subscribing == 0 && !mqtt->is_begun) {
		mqtt->is_begun = true;
		if (!sweep_begin(mqtt->sweep)) {
			shelf_begin(mqtt->shelf);
		}
	}
}

void mqtt_publish_all(struct mqtt *mqtt) {
	shelf_begin(mqtt->shelf);
}

static void on_up(void *user) {
	struct mqtt *mqtt = user;

	mqtt->is_begun = false;
	mqtt->is_settled = false;
	mqtt->is_echoed = false;
	mqtt->denial = DENIAL_NONE;
	mqtt->mid_clearing = 0;
	mqtt_status_set(mqtt, true, false, NULL);
	subscribe_all(mqtt);
	begin_when_subscribed(mqtt); /* no memory to subscribe: better deaf than mute */
}

static void stop_soon(struct mqtt *mqtt) {
	loop_timer_arm(mqtt->stop, 0);
}

void mqtt_line_ended(struct mqtt *mqtt, const struct fault *fault) {
	mqtt->is_settled = false;
	sweep_end(mqtt->sweep);
	shelf_end(mqtt->shelf);
	outbox_end(mqtt->outbox);
	loop_timer_disarm(mqtt->birth);
	loop_timer_disarm(mqtt->echo);
	loop_timer_disarm(mqtt->appeal);
	loop_timer_disarm(mqtt->reassert);
	mqtt_status_set(mqtt, false, false, fault);
}

static void on_down(void *user, const struct fault *fault) {
	struct mqtt *mqtt = user;

	if (mqtt->phase == MQTT_STOPPING) {
		stop_soon(mqtt);
	}
	mqtt_line_ended(mqtt, fault);
}

/* Somebody said something about us on our own status topic. */
static void status_heard(struct mqtt *mqtt, const uint8_t *payload, size_t n, bool is_retained) {
	if (is_text(payload, n, "online")) {
		mqtt->is_echoed = mqtt->is_echoed || !is_retained;
		if (mqtt->is_echoed && mqtt->denial == DENIAL_ECHO) {
			broker_allows(mqtt);
		}
		return;
	}
	/*
	 * The will of a former session of ours, late. With a pause, lest we quarrel with another
	 * hub that uses the same base topic; but at its end the last word is ours, or Home
	 * Assistant would show the hub as offline for ever.
	 */
	if (is_retained || !mqtt->is_settled || mqtt->phase != MQTT_RUNNING ||
		loop_timer_is_armed(mqtt->reassert)) {
		return;
	}
	int64_t pause_ms =
		mqtt->reasserted.ms != 0
			? REASSERT_APART_MS - mono_since(mqtt->reasserted, mqtt_now(mqtt))
			: 0;
	loop_timer_arm(mqtt->reassert, pause_ms > 0 ? (unsigned) pause_ms : 0);
}

void mqtt_on_reassert(void *user) {
	struct mqtt *mqtt = user;

	mqtt->reasserted = mqtt_now(mqtt);
	log_blame(BLAME_SETUP, NULL,
		"%s was set to something else than online by another client; set right",
		mqtt->will_topic);
	leaf_repeat(mqtt->online);
}

static void birth_heard(struct mqtt *mqtt, const uint8_t *payload, size_t n) {
	uint32_t dice = 0;

	/* Before all has been said once on this connection there is nothing to repeat. */
	if (!is_text(payload, n, "online") || !mqtt->is_settled ||
		loop_timer_is_armed(mqtt->birth)) {
		return;
	}
	(void) !getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	loop_timer_arm(mqtt->birth, BIRTH_MIN_MS + dice % BIRTH_SPREAD_MS);
}

void mqtt_on_birth_pause(void *user) {
	struct mqtt *mqtt = user;

	log_info("Home Assistant has started: states are published again");
	shelf_repeat_stage(mqtt->shelf, STAGE_STATE);
	shelf_repeat_stage(mqtt->shelf, STAGE_ONLINE);
}

/*
 * It was not carried out, and would come again at every start (without MQTT 5). Where the access
 * list is as strict as the sample in conf/mosquitto we may not, and a person has to.
 */
static void clear_retained(struct mqtt *mqtt, const char *topic) {
	size_t n_base = strlen(mqtt->config.base);

	if (!mqtt->config.clear_retained || strncmp(topic, mqtt->config.base, n_base) != 0 ||
		topic[n_base] != '/' || !bucket_take(&mqtt->clearings, mqtt_now(mqtt))) {
		return;
	}
	(void) client_publish(mqtt->client, topic, NULL, 0, true, &mqtt->mid_clearing);
}

/* Whether somebody asked something of us; it is dealt with then. */
static bool command_heard(struct mqtt *mqtt, const struct client_message *message) {
	const char *topic = message->topic;
	char id[LOCK_ID_MAX];

	if (topic_is_command(&mqtt->discovery.topics, topic, id)) {
		mqtt_command(mqtt, id, message);
		return true;
	}
	return requests_message(mqtt, topic, message->payload, message->n, message->is_retained) ||
	       buttons_message(mqtt, topic, message->payload, message->n, message->is_retained) ||
	       dials_message(mqtt, topic, message->payload, message->n, message->is_retained) ||
	       switches_message(mqtt, topic, message->payload, message->n, message->is_retained) ||
	       pins_message(mqtt, topic, message->payload, message->n, message->is_retained);
}

/* True: not a command. What is sent twice there does no harm. */
static bool news_heard(struct mqtt *mqtt, const struct client_message *message) {
	if (strcmp(message->topic, mqtt->will_topic) == 0) {
		status_heard(mqtt, message->payload, message->n, message->is_retained);
		return true;
	}
	if (mqtt->texts.ha_status != NULL && strcmp(message->topic, mqtt->texts.ha_status) == 0) {
		birth_heard(mqtt, message->payload, message->n);
		return true;
	}
	return false;
}

static void on_message(void *user, const struct client_message *message) {
	struct mqtt *mqtt = user;
	char id[LOCK_ID_MAX];
	struct face *face;

	if (sweep_message(mqtt->sweep, message) || news_heard(mqtt, message)) {
		return;
	}
	if (message->is_again && message->n > 0 &&
		!topic_is_command(&mqtt->discovery.topics, message->topic, id)) {
		log_blame(BLAME_SETUP, NULL, "the broker sends a message twice; ignored");
		return;
	}
	if (command_heard(mqtt, message)) {
		if (message->is_retained && message->n > 0) {
			clear_retained(mqtt, message->topic);
		}
		mqtt_count(mqtt);
		return;
	}
	if (message->n > 0) {
		return; /* our own discovery message */
	}
	for (face = face_next(mqtt, NULL); face != NULL; face = face_next(mqtt, face)) {
		if (face_cleared(face, message->topic)) {
			return;
		}
	}
}

static void on_flooded(void *user) {
	struct mqtt *mqtt = user;

	mqtt->status.floods++;
	log_blame(BLAME_SETUP, NULL,
		"more comes by MQTT than is read: somebody floods a topic that the hub listens to. "
		"Until it ends a command that opens a door needs a ts");
}

void mqtt_stop_when_idle(struct mqtt *mqtt) {
	if (mqtt->phase == MQTT_STOPPING && shelf_is_idle(mqtt->shelf) &&
		outbox_count(mqtt->outbox) == 0) {
		stop_soon(mqtt);
	}
}

static void publishing_answered(struct mqtt *mqtt, int mid, const char *refusal) {
	const struct leaf *leaf = shelf_find_flying(mqtt->shelf, mid);
	const char *topic =
		leaf != NULL ? leaf_topic(leaf) : outbox_flying_topic(mqtt->outbox, mid);
	char what[FAULT_DETAIL_MAX];

	if (refusal == NULL) {
		if (mqtt->denial == DENIAL_PUBLISH && topic != NULL &&
			client_protocol(mqtt->client) == MQTT_PROTOCOL_5 &&
			strcmp(topic, mqtt->denied_topic) == 0) {
			broker_allows(mqtt);
		}
	} else if (mid == mqtt->mid_clearing) {
		log_blame(BLAME_SETUP, NULL,
			"the broker does not let us clear a retained command: %s. Clear it as "
			"said above",
			refusal);
	} else {
		topic = topic != NULL ? topic : mqtt->config.base;
		(void) snprintf(
			what, sizeof(what), "publishing on %.100s is refused: %s", topic, refusal);
		broker_denied(mqtt, DENIAL_PUBLISH, topic, what);
	}
}

static void on_published(void *user, int mid, const char *refusal) {
	struct mqtt *mqtt = user;

	if (sweep_published(mqtt->sweep, mid, refusal != NULL)) {
		return;
	}
	mqtt->status.published += refusal == NULL;
	publishing_answered(mqtt, mid, refusal);
	if (!shelf_published(mqtt->shelf, mid)) {
		(void) outbox_published(mqtt->outbox, mid);
	}
	mqtt_count(mqtt);
	mqtt_stop_when_idle(mqtt);
}

static void on_subscribed(void *user, int mid, int refused, const char *refusal) {
	struct mqtt *mqtt = user;
	bool is_command = mid == mqtt->mid_commands;
	struct filters filters;
	char what[FAULT_DETAIL_MAX];

	if (sweep_subscribed(mqtt->sweep, mid, refused >= 0)) {
		return;
	}
	if (refused >= 0 && (is_command || mid == mqtt->mid_news)) {
		if (is_command) {
			command_filters(mqtt, &filters);
		} else {
			news_filters(mqtt, &filters);
		}
		const char *topic =
			(size_t) refused < filters.n ? filters.topics[refused] : mqtt->config.base;
		(void) snprintf(what, sizeof(what), "subscribing to %.100s is refused%s%s", topic,
			refusal != NULL ? ": " : "", refusal != NULL ? refusal : "");
		broker_denied(mqtt, DENIAL_SUBSCRIBE, topic, what);
	} else if (refused >= 0) {
		log_blame(BLAME_SETUP, NULL,
			"the broker does not let us subscribe to our own discovery topics; what "
			"others clear there is not noticed");
	} else if (is_command && mqtt->denial == DENIAL_SUBSCRIBE) {
		broker_allows(mqtt);
	}
	if (mqtt->n_subscribing > 0) {
		mqtt->n_subscribing--;
	}
	begin_when_subscribed(mqtt);
}

const struct client_user mqtt_client_impl = {
	.up = on_up,
	.down = on_down,
	.message = on_message,
	.published = on_published,
	.subscribed = on_subscribed,
	.flooded = on_flooded,
};

/* ---- the shelf ---- */

static void on_settled(void *user) {
	struct mqtt *mqtt = user;

	if (mqtt->is_settled) {
		return;
	}
	mqtt->is_settled = true;
	sweep_settled(mqtt->sweep);
	outbox_begin(mqtt->outbox);
	if (!mqtt->is_echoed) {
		loop_timer_arm(mqtt->echo, ECHO_MS);
	}
	struct fault standing = mqtt->status.fault;
	mqtt_status_set(mqtt, true, mqtt->phase == MQTT_RUNNING, &standing);
}

/*
 * A broker that does not let us publish acknowledges all the same (MQTT 3.1.1 has no other answer),
 * but then `online`, to which we are subscribed, does not come back.
 */
void mqtt_on_echo_missing(void *user) {
	struct mqtt *mqtt = user;
	char what[FAULT_DETAIL_MAX];

	if (!mqtt->is_echoed && mqtt->is_settled) {
		(void) snprintf(what, sizeof(what), "what we publish on %.100s does not come back",
			mqtt->will_topic);
		broker_denied(mqtt, DENIAL_ECHO, mqtt->will_topic, what);
	}
}

static void on_leaf_refused(void *user, const struct leaf *leaf, int error) {
	char what[FAULT_DETAIL_MAX];

	(void) snprintf(what, sizeof(what), "%.100s: the broker takes %s", leaf_topic(leaf),
		error == -EMSGSIZE ? "no message so long (max_packet_size)" : "nothing retained");
	broker_denied(user, DENIAL_PUBLISH, leaf_topic(leaf), what);
}

static void on_leaf_settled(void *user, struct leaf *leaf) {
	struct mqtt *mqtt = user;
	struct face *face;

	hub_face_settled(mqtt, leaf);
	for (face = face_next(mqtt, NULL); face != NULL; face = face_next(mqtt, face)) {
		face_leaf_settled(face, leaf);
	}
}

const struct shelf_user mqtt_shelf_impl = {
	.settled = on_settled,
	.leaf_settled = on_leaf_settled,
	.refused = on_leaf_refused,
};
