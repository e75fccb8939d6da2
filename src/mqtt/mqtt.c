/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Holds the room together. A connection goes through these steps (home-assistant-mqtt.md, 9):
 *
 *	accepted ─► subscribe ─► hub's configuration ─► locks' ─► states ─► `online` ─► events
 *
 * each waiting for the broker's acknowledgement of the one before (shelf.c). Home Assistant's birth
 * message repeats states and `online`; it never wakes a lock.
 */

#include "mqtt/mqtt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/hub.h"
#include "diag/diag.h"
#include "loop/loop.h"
#include "util/log.h"
#include "util/text.h"

#include "buttons.h"
#include "dial-set.h"
#include "hub-face.h"
#include "payload.h"
#include "pins.h"
#include "recall.h"
#include "request.h"
#include "room.h"
#include "sweep.h"
#include "switches.h"

#define TLS_PORT 8883
#define PLAIN_PORT 1883
#define BIRTH_MIN_MS 1000
#define BIRTH_SPREAD_MS 4000
#define ECHO_MS 5000
#define REASSERT_APART_MS 5000
/* Somebody mends an access list, and the broker does not tell. */
#define APPEAL_MS 10000

mono_t mqtt_now(const struct mqtt *mqtt) {
	return clock_mono(loop_clock(mqtt->loop));
}

/* ---- status ---- */

static void status_set(
	struct mqtt *mqtt, bool is_connected, bool is_online, const struct fault *fault) {
	struct mqtt_status *status = &mqtt->status;
	struct fault none = { .code = FAULT_NONE };
	const struct fault *now = fault != NULL ? fault : &none;
	/* Another detail of the same fault, try after try, is no news. */
	bool is_news = now->code != status->fault.code || is_connected != status->is_connected ||
		       is_online != status->is_online;

	if (is_connected && !status->is_connected) {
		status->connects++;
		status->connected_at = clock_wall(loop_clock(mqtt->loop));
	} else if (!is_connected) {
		status->connected_at.s = 0;
	}
	status->protocol = client_protocol(mqtt->client);
	status->is_connected = is_connected;
	status->is_online = is_online;
	status->fault = *now;
	if (is_news) {
		signal_emit(&mqtt->changed, status);
	}
}

void mqtt_reconnect(struct mqtt *mqtt) {
	if (mqtt->client != NULL && mqtt->phase == MQTT_RUNNING) {
		client_again(mqtt->client);
	}
}

const struct mqtt_status *mqtt_status(const struct mqtt *mqtt) {
	return &mqtt->status;
}

struct signal *mqtt_changed(struct mqtt *mqtt) {
	return &mqtt->changed;
}

static void count(struct mqtt *mqtt) {
	mqtt->status.queued_events = outbox_count(mqtt->outbox);
	mqtt->status.lost_events = outbox_lost(mqtt->outbox);
}

/* ---- what the hub itself shows ---- */

void mqtt_put_event(struct mqtt *mqtt, const char *lock_id, char *take_payload, int64_t seq) {
	AUTO(free) char *payload = take_payload;
	char topic[TOPIC_MAX];

	topic_of(&mqtt->discovery.topics, lock_id != NULL ? lock_id : "hub", "event", topic);
	outbox_put(mqtt->outbox, topic, payload, seq);
	count(mqtt);
}

/* ---- the hub's signals ---- */

static void subscribe_face(struct mqtt *mqtt, const struct face *face);

static void add_face(struct mqtt *mqtt, struct lock *lock) {
	struct face *face = face_new(mqtt, lock);

	if (face == NULL) {
		log_line(LOG_ERR, lock_slug(lock), "no memory to show this lock by MQTT");
		return;
	}
	face_show(face, ~0U);
	pins_show(mqtt, lock, ~0U);
	recall_begin(mqtt, face);
	if (mqtt->status.is_connected) {
		subscribe_face(mqtt, face);
	}
}

static void add_missing_faces(struct mqtt *mqtt) {
	for (size_t i = 0; i < hub_lock_count(mqtt->hub); i++) {
		struct lock *lock = hub_lock_at(mqtt->hub, i);
		if (face_find(mqtt, lock_id(lock)) == NULL) {
			add_face(mqtt, lock);
		}
	}
}

static void lock_added(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_lock_added);
	add_face(mqtt, data);
	hub_face_show(mqtt);
}

static void lock_removed(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_lock_removed);
	struct face *face = face_find(mqtt, lock_id(data));

	if (face != NULL) {
		face_erase(face);
		(void) face_free(face);
	}
	pins_forget(mqtt, lock_id(data));
	hub_face_show(mqtt);
}

static void lock_changed(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_lock_changed);
	const struct lock_change *change = data;
	struct face *face = face_find(mqtt, lock_id(change->lock));

	if (face != NULL) {
		face_show(face, change->what);
	}
	if ((change->what & FACT_FAULT) != 0) {
		hub_face_show(mqtt);
	}
	if ((change->what & (FACT_BOLT | FACT_NAME | FACT_VERSIONS | FACT_CONFIG)) != 0) {
		pins_show(mqtt, change->lock, change->what);
	}
}

static void op_moved(struct mqtt *mqtt, const struct op *op) {
	struct face *face = face_find(mqtt, op->lock_id);

	if (face != NULL && act_moves_motor(op->act)) {
		face_show(face, FACT_QUEUE);
	}
}

static void op_changed(struct listener *listener, void *data) {
	op_moved(container_of(listener, struct mqtt, on_op_changed), data);
}

static void op_finished(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_op_finished);

	op_moved(mqtt, data);
	requests_op_finished(mqtt->requests, data);
	dials_op_finished(mqtt, data);
}

static void event_recorded(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_event);
	const struct event *event = data;
	struct face *face = face_find(mqtt, event->lock_id);

	if (face != NULL) {
		face_recall(face, event); /* shown by the change of the lock that follows */
	}
	mqtt_put_event(mqtt, event->lock_id[0] != '\0' ? event->lock_id : NULL,
		payload_event(event, mqtt->config.show_users), event->seq);
	pins_event(mqtt, event);
	hub_face_show(mqtt);
}

static void book_changed(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_book_changed);
	const struct book_change *change = data;
	struct face *face;

	switches_show(mqtt);
	for (face = face_next(mqtt, NULL); face != NULL; face = face_next(mqtt, face)) {
		if (change->lock_id[0] == '\0' ||
			strcmp(change->lock_id, lock_id(face_lock(face))) == 0) {
			face_show(face, FACT_CONFIG);
		}
	}
}

static void sync_changed(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_sync_changed);
	struct face *face = face_find(mqtt, lock_id(data));

	if (face != NULL) {
		face_show(face, FACT_CONFIG);
	}
	pins_show(mqtt, data, FACT_CONFIG);
}

static void health_changed(struct listener *listener, void *data) {
	struct mqtt *mqtt = container_of(listener, struct mqtt, on_diag_changed);
	struct face *face = face_find(mqtt, lock_id(data));

	if (face != NULL) {
		face_show(face, FACT_FAULT);
		hub_face_show(mqtt);
	}
}

static void radio_changed(struct listener *listener, void *data) {
	hub_face_show(container_of(listener, struct mqtt, on_radio_changed));
}

static void listen(struct mqtt *mqtt) {
	struct hub_signals *signals = hub_signals(mqtt->hub);

	signal_add(&signals->lock_added, &mqtt->on_lock_added, lock_added);
	signal_add(&signals->lock_removed, &mqtt->on_lock_removed, lock_removed);
	signal_add(&signals->lock_changed, &mqtt->on_lock_changed, lock_changed);
	signal_add(&signals->event, &mqtt->on_event, event_recorded);
	signal_add(&signals->op_changed, &mqtt->on_op_changed, op_changed);
	signal_add(&signals->op_finished, &mqtt->on_op_finished, op_finished);
	signal_add(&signals->radio_changed, &mqtt->on_radio_changed, radio_changed);
	signal_add(&signals->book_changed, &mqtt->on_book_changed, book_changed);
	signal_add(&signals->sync_changed, &mqtt->on_sync_changed, sync_changed);
	if (mqtt->config.diag != NULL) {
		signal_add(diag_changed(mqtt->config.diag), &mqtt->on_diag_changed, health_changed);
	}
}

/* ---- the connection ---- */

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
	status_set(mqtt, mqtt->status.is_connected, mqtt->status.is_online, &fault);
}

static void broker_allows(struct mqtt *mqtt) {
	mqtt->denial = DENIAL_NONE;
	loop_timer_disarm(mqtt->appeal);
	if (mqtt->status.fault.code == FAULT_BROKER_DENIED) {
		log_info("the MQTT broker allows %s now", mqtt->denied_topic);
		status_set(mqtt, mqtt->status.is_connected, mqtt->status.is_online, NULL);
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

static void subscribe_face(struct mqtt *mqtt, const struct face *face) {
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

static void on_appeal(void *user) {
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
	status_set(mqtt, true, false, NULL);
	subscribe_all(mqtt);
	begin_when_subscribed(mqtt); /* no memory to subscribe: better deaf than mute */
}

static void stop_soon(struct mqtt *mqtt) {
	loop_timer_arm(mqtt->stop, 0);
}

static void on_down(void *user, const struct fault *fault) {
	struct mqtt *mqtt = user;

	mqtt->is_settled = false;
	sweep_end(mqtt->sweep);
	shelf_end(mqtt->shelf);
	outbox_end(mqtt->outbox);
	loop_timer_disarm(mqtt->birth);
	loop_timer_disarm(mqtt->echo);
	loop_timer_disarm(mqtt->appeal);
	loop_timer_disarm(mqtt->reassert);
	if (mqtt->phase == MQTT_STOPPING) {
		stop_soon(mqtt);
	}
	status_set(mqtt, false, false, fault);
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

static void on_reassert(void *user) {
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

static void on_birth_pause(void *user) {
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
		count(mqtt);
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

static void stop_when_idle(struct mqtt *mqtt) {
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
	count(mqtt);
	stop_when_idle(mqtt);
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

static const struct client_user client_impl = {
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
	status_set(mqtt, true, mqtt->phase == MQTT_RUNNING, &standing);
}

/*
 * A broker that does not let us publish acknowledges all the same (MQTT 3.1.1 has no other answer),
 * but then `online`, to which we are subscribed, does not come back.
 */
static void on_echo_missing(void *user) {
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

static const struct shelf_user shelf_impl = {
	.settled = on_settled,
	.leaf_settled = on_leaf_settled,
	.refused = on_leaf_refused,
};

/* ---- life ---- */

static char *copy(const char *text, bool *is_good) {
	char *made = text != NULL && text[0] != '\0' ? strdup(text) : NULL;

	*is_good = *is_good && (made != NULL || text == NULL || text[0] == '\0');
	return made;
}

static bool take_config(struct mqtt *mqtt, const struct mqtt_config *config) {
	struct mqtt_texts *texts = &mqtt->texts;
	bool is_good = true;

	mqtt->config = *config;
	mqtt->config.host = texts->host = copy(config->host, &is_good);
	mqtt->config.username = texts->username = copy(config->username, &is_good);
	mqtt->config.ca_file = texts->ca_file = copy(config->ca_file, &is_good);
	mqtt->config.cert_file = texts->cert_file = copy(config->cert_file, &is_good);
	mqtt->config.key_file = texts->key_file = copy(config->key_file, &is_good);
	mqtt->config.client_id = texts->client_id = copy(config->client_id, &is_good);
	mqtt->config.hub_id = texts->hub_id = copy(config->hub_id, &is_good);
	mqtt->config.hub_name = texts->hub_name = copy(config->hub_name, &is_good);
	mqtt->config.version = texts->version = copy(config->version, &is_good);
	mqtt->config.ha_status = texts->ha_status = copy(config->ha_status, &is_good);
	mqtt->config.pin_code_base = texts->pin_code_base = copy(config->pin_code_base, &is_good);
	if (mqtt->config.port == 0) {
		mqtt->config.port = config->is_tls ? TLS_PORT : PLAIN_PORT;
	}
	mqtt->discovery = (struct discovery){
		.hub_id = texts->hub_id != NULL ? texts->hub_id : "",
		.hub_name = texts->hub_name != NULL ? texts->hub_name : "lockhub",
		.version = texts->version,
		.is_old_ha = config->discovery == MQTT_DISCOVERY_SINGLE,
	};
	(void) text_copy(mqtt->discovery.topics.base, MQTT_TOPIC_PART_MAX,
		config->base != NULL ? config->base : "");
	(void) text_copy(mqtt->discovery.topics.prefix, MQTT_TOPIC_PART_MAX,
		config->prefix != NULL ? config->prefix : "");
	mqtt->config.base = mqtt->discovery.topics.base;
	mqtt->config.prefix = mqtt->discovery.topics.prefix;
	topic_status(&mqtt->discovery.topics, mqtt->will_topic);
	return is_good;
}

static void free_texts(struct mqtt_texts *texts) {
	free(texts->host);
	free(texts->username);
	free(texts->ca_file);
	free(texts->cert_file);
	free(texts->key_file);
	free(texts->client_id);
	free(texts->hub_id);
	free(texts->hub_name);
	free(texts->version);
	free(texts->ha_status);
	free(texts->pin_code_base);
}

static bool make_client(struct mqtt *mqtt) {
	const struct mqtt_config *config = &mqtt->config;
	struct client_config client = {
		.host = config->host,
		.port = config->port,
		.client_id = config->client_id,
		.username = config->username,
		.password = &config->password,
		.is_tls = config->is_tls,
		.ca_file = config->ca_file,
		.cert_file = config->cert_file,
		.key_file = config->key_file,
		.will_topic = mqtt->will_topic,
		.will_payload = "offline",
		.protocol = config->protocol,
		.keepalive_s = config->keepalive_s,
	};
	char topic[TOPIC_MAX];

	mqtt->client = client_new(mqtt->loop, &client, &client_impl, mqtt);
	if (mqtt->client == NULL) {
		return false;
	}
	mqtt->shelf = shelf_new(mqtt->loop, mqtt->client, &shelf_impl, mqtt);
	mqtt->outbox =
		outbox_new(mqtt->client, topic_of(&mqtt->discovery.topics, "hub", "event", topic));
	return mqtt->shelf != NULL && mqtt->outbox != NULL;
}

static bool make_hub_leaves(struct mqtt *mqtt) {
	mqtt->online = shelf_add(mqtt->shelf, STAGE_ONLINE, mqtt->will_topic, false);
	return mqtt->online != NULL && hub_face_new(mqtt);
}

static void on_stop(void *user) {
	struct mqtt *mqtt = user;
	void (*done)(void *done_user) = mqtt->stop_done;

	if (mqtt->phase != MQTT_STOPPING) {
		return;
	}
	mqtt->phase = MQTT_STOPPED;
	client_close(mqtt->client);
	mqtt->is_settled = false;
	sweep_end(mqtt->sweep);
	shelf_end(mqtt->shelf);
	outbox_end(mqtt->outbox);
	loop_timer_disarm(mqtt->birth);
	loop_timer_disarm(mqtt->echo);
	loop_timer_disarm(mqtt->appeal);
	loop_timer_disarm(mqtt->reassert);
	status_set(mqtt, false, false, NULL);
	if (done != NULL) {
		done(mqtt->stop_user);
	}
}

static void name_broker(struct mqtt *mqtt) {
	const char *host = mqtt->texts.host != NULL ? mqtt->texts.host : "";

	if (host[0] == '/') {
		(void) text_copy(mqtt->status.broker, sizeof(mqtt->status.broker), host);
	} else {
		(void) snprintf(mqtt->status.broker, sizeof(mqtt->status.broker), "%.*s:%u",
			MQTT_HOST_MAX - 1, host, mqtt->config.port);
	}
}

struct mqtt *mqtt_new(struct loop *loop, struct hub *hub, const struct mqtt_config *config) {
	struct mqtt *mqtt = calloc(1, sizeof(*mqtt));

	if (mqtt == NULL) {
		return NULL;
	}
	mqtt->loop = loop;
	mqtt->hub = hub;
	list_init(&mqtt->faces);
	list_init(&mqtt->switches);
	list_init(&mqtt->pin_faces);
	list_init(&mqtt->pin_tasks);
	list_init(&mqtt->recalls);
	signal_init(&mqtt->changed);
	mqtt->started_mono = mqtt_now(mqtt);
	mqtt->birth = loop_timer_new(loop, on_birth_pause, mqtt);
	mqtt->echo = loop_timer_new(loop, on_echo_missing, mqtt);
	mqtt->appeal = loop_timer_new(loop, on_appeal, mqtt);
	mqtt->reassert = loop_timer_new(loop, on_reassert, mqtt);
	mqtt->stop = loop_timer_new(loop, on_stop, mqtt);
	if (!take_config(mqtt, config) || !make_client(mqtt) || !make_hub_leaves(mqtt) ||
		(mqtt->sweep = sweep_new(mqtt)) == NULL || mqtt->birth == NULL ||
		mqtt->echo == NULL || mqtt->appeal == NULL || mqtt->reassert == NULL ||
		mqtt->stop == NULL) {
		return mqtt_free(mqtt);
	}
	if (config->requests != MQTT_REQUESTS_NONE &&
		(mqtt->requests = requests_new(mqtt)) == NULL) {
		return mqtt_free(mqtt);
	}
	name_broker(mqtt);
	listen(mqtt);
	hub_face_show(mqtt);
	hub_face_config(mqtt);
	(void) leaf_set(mqtt->online, "online");
	add_missing_faces(mqtt);
	switches_show(mqtt);
	return mqtt;
}

struct mqtt *mqtt_free(struct mqtt *mqtt) {
	if (mqtt == NULL) {
		return NULL;
	}
	listener_remove(&mqtt->on_lock_added);
	listener_remove(&mqtt->on_lock_removed);
	listener_remove(&mqtt->on_lock_changed);
	listener_remove(&mqtt->on_event);
	listener_remove(&mqtt->on_op_changed);
	listener_remove(&mqtt->on_op_finished);
	listener_remove(&mqtt->on_radio_changed);
	listener_remove(&mqtt->on_book_changed);
	listener_remove(&mqtt->on_sync_changed);
	listener_remove(&mqtt->on_diag_changed);
	mqtt->birth = loop_timer_free(mqtt->birth);
	mqtt->echo = loop_timer_free(mqtt->echo);
	mqtt->appeal = loop_timer_free(mqtt->appeal);
	mqtt->reassert = loop_timer_free(mqtt->reassert);
	mqtt->stop = loop_timer_free(mqtt->stop);
	mqtt->client = client_free(mqtt->client);
	while (!list_is_empty(&mqtt->faces)) {
		(void) face_free(face_next(mqtt, NULL));
	}
	recall_free(mqtt);
	mqtt->sweep = sweep_free(mqtt->sweep);
	json_decref(mqtt->hub_gone);
	pins_free(mqtt);
	switches_free(mqtt);
	mqtt->requests = requests_free(mqtt->requests);
	mqtt->shelf = shelf_free(mqtt->shelf);
	mqtt->outbox = outbox_free(mqtt->outbox);
	signal_finish(&mqtt->changed);
	free_texts(&mqtt->texts);
	secret_wipe(&mqtt->config.password);
	free(mqtt);
	return NULL;
}

int mqtt_start(struct mqtt *mqtt, struct fault *ret_fault) {
	int r = mqtt_config_check(&mqtt->config, ret_fault);

	if (r < 0) {
		return r;
	}
	if (!mqtt->config.is_tls && mqtt->config.is_insecure) {
		log_warning("MQTT to %s is not encrypted (insecure = yes): whoever can listen on "
			    "the way learns codes and can open the locks",
			mqtt->status.broker);
	}
	add_missing_faces(mqtt);
	switches_show(mqtt);
	mqtt->phase = MQTT_RUNNING;
	client_start(mqtt->client);
	return 0;
}

void mqtt_stop(struct mqtt *mqtt, void (*done)(void *user), void *user) {
	mqtt->stop_done = done;
	mqtt->stop_user = user;
	mqtt->phase = MQTT_STOPPING;
	loop_timer_disarm(mqtt->reassert);
	shelf_hurry(mqtt->shelf);
	(void) leaf_set(mqtt->online, "offline");
	loop_timer_arm(mqtt->stop, mqtt->status.is_connected ? MQTT_STOP_MS : 0);
	stop_when_idle(mqtt);
}
