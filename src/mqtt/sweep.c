/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * MQTT has no way to ask for what is retained and no end of the answer. So we subscribe, publish a
 * marker to a topic of our own, and have seen everything when the marker comes back: a broker keeps
 * the order. At QoS 0, because brokers limit what may wait for acknowledgement (mosquitto: 1000
 * messages), and a house has more discovery messages than that sooner than one thinks.
 *
 *	IDLE ─► LOOKING ─► (TRACING) ─► (MOVING ─► PAUSE) ─► publishing ─► (LEAVING) ─► IDLE
 *
 * TRACING looks for the states of locks that are no more; MOVING tells Home Assistant that entities
 * are going to come from another topic.
 */

#include "sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/hub.h"
#include "util/log.h"
#include "util/text.h"

#include "hub-face.h"
#include "pins.h"
#include "room.h"
#include "switches.h"

/* A broker that answers at all has answered by then. */
#define LOOK_MS 5000
/* Home Assistant takes its time to let go, and to take up. */
#define MOVE_PAUSE_MS 5000
/* Looked again at a new connection when the last time is so long ago: an old store may be back. */
#define APART_MS (60 * 60 * 1000)
/* What of ours lies there and is looked at; a hub with 1000 locks in the single form has 60000. */
#define RELICS_MAX 65536
#define PAYLOAD_MOST (64 * 1024)
/* States are looked for of so many locks that are no more; the rest has its turn next time. */
#define TRACES_MAX 16
#define LEAF_MARKER "sweep"
#define MOVE "{\"migrate_discovery\": true}"

enum sweep_phase {
	SWEEP_IDLE,
	SWEEP_LOOKING,
	SWEEP_TRACING,
	SWEEP_MOVING,
	SWEEP_PAUSE,
	SWEEP_PUBLISHING,
	SWEEP_LEAVING,
};

/* A discovery message of ours that lies on the broker. */
struct relic {
	struct list link;
	char *topic;
	char lock_id[LOCK_ID_MAX]; /* "": the hub's own */
	char key[UNIQUE_ID_MAX];   /* of the entity; "" the device form */
	char platform[32];
	json_t *components; /* device form: key, platform; may be NULL */
	bool is_moving;
	int mid;
};

struct trace {
	struct list link;
	char *topic;
};

struct sweep {
	struct mqtt *mqtt;
	enum sweep_phase phase;
	struct list relics;
	struct list traces; /* topics of locks that are no more */
	char lost[TRACES_MAX][LOCK_ID_MAX];
	size_t n_lost;
	size_t n_relics;
	unsigned n_waiting; /* acknowledgements while MOVING */
	char marker[24];
	char marker_topic[TOPIC_MAX];
	int mid_marker;
	int mid_subscription;
	char filters[TRACES_MAX][TOPIC_MAX];
	size_t n_filters;
	struct loop_timer *timer;
	bool was_done;
	mono_t done;
};

static struct relic *relic_free(struct relic *relic) {
	if (relic != NULL) {
		list_remove(&relic->link);
		json_decref(relic->components);
		free(relic->topic);
		free(relic);
	}
	return NULL;
}
AUTO_DEFINE(struct relic *, relic_free);

static void forget(struct sweep *sweep) {
	struct relic *relic;
	struct relic *next;
	struct trace *trace;
	struct trace *following;

	list_for_each_safe(relic, next, &sweep->relics, link) {
		(void) relic_free(relic);
	}
	list_for_each_safe(trace, following, &sweep->traces, link) {
		list_remove(&trace->link);
		free(trace->topic);
		free(trace);
	}
	sweep->n_relics = 0;
	sweep->n_lost = 0;
}

/* ---- whose it is ---- */

/* "homeassistant/PLATFORM/OBJECT/config", with an OBJECT of lockhub's. */
static bool split_topic(const struct topics *topics, const char *topic,
	char ret_platform[static 32], char ret_object[static UNIQUE_ID_MAX]) {
	size_t n = strlen(topics->prefix);
	char end[16] = "";

	if (strncmp(topic, topics->prefix, n) != 0 || topic[n] != '/') {
		return false;
	}
	return sscanf(topic + n, "/%31[a-z_]/%127[A-Za-z0-9_-]/%15[a-z/]", ret_platform, ret_object,
		       end) == 3 &&
	       strcmp(end, "config") == 0 && strncmp(ret_object, "lockhub_", 8) == 0;
}

/* "lockhub_9f3a71c2_battery", "lockhub_9f3a71c2" */
static bool split_object(
	const char *object, char ret_id[static LOCK_ID_MAX], const char **ret_key) {
	const char *id = object + strlen("lockhub_");
	size_t n = strspn(id, "0123456789abcdef");

	if (n != LOCK_ID_MAX - 1 || (id[n] != '\0' && id[n] != '_')) {
		return false;
	}
	memcpy(ret_id, id, n);
	ret_id[n] = '\0';
	*ret_key = id[n] == '_' ? id + n + 1 : "";
	return true;
}

static bool is_text(const json_t *value, const char *text) {
	return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

static bool names(const json_t *identifiers, const char *node) {
	size_t i;
	json_t *one;

	json_array_foreach(identifiers, i, one) {
		if (is_text(one, node)) {
			return true;
		}
	}
	return is_text(identifiers, node);
}

/*
 * Whether the message is this hub's. Another hub on the same broker has another id, also when it
 * was made from a backup of ours and knows the same locks.
 */
static bool is_ours(const struct sweep *sweep, const json_t *message, const struct relic *relic) {
	const json_t *device = json_object_get(message, "device");
	char node[UNIQUE_ID_MAX];

	discovery_hub_node(&sweep->mqtt->discovery, node);
	/* The first half of a move that was broken off says nothing but that. */
	if (device == NULL && json_is_true(json_object_get(message, "migrate_discovery"))) {
		return relic->lock_id[0] == '\0' || face_find(sweep->mqtt, relic->lock_id) != NULL;
	}
	return relic->lock_id[0] == '\0' ? names(json_object_get(device, "identifiers"), node)
					 : is_text(json_object_get(device, "via_device"), node);
}

static void take_components(struct relic *relic, const json_t *message) {
	const char *key;
	json_t *component;

	relic->components = json_object();
	json_object_foreach(json_object_get(message, "components"), key, component) {
		json_t *platform = json_object_get(component, "platform");
		/* Alone it stands for an entity that was taken away. */
		if (json_is_string(platform) && json_object_size(component) > 1) {
			(void) json_object_set(relic->components, key, platform);
		}
	}
}

static bool find_place(const struct sweep *sweep, const char *object, struct relic *relic) {
	char node[UNIQUE_ID_MAX];
	const char *key = "";

	discovery_hub_node(&sweep->mqtt->discovery, node);
	size_t n = strlen(node);
	if (strncmp(object, node, n) == 0 && (object[n] == '\0' || object[n] == '_')) {
		key = object[n] == '_' ? object + n + 1 : "";
	} else if (!split_object(object, relic->lock_id, &key)) {
		return false;
	}
	(void) text_copy(relic->key, sizeof(relic->key), key);
	/* The device form has a topic for the device, the single form one for each entity. */
	return (strcmp(relic->platform, "device") == 0) == (key[0] == '\0');
}

static void note(struct sweep *sweep, const struct client_message *heard) {
	AUTO(relic_free) struct relic *relic = calloc(1, sizeof(*relic));
	char object[UNIQUE_ID_MAX];

	if (relic == NULL || sweep->n_relics == RELICS_MAX || heard->n > PAYLOAD_MOST) {
		return;
	}
	list_init(&relic->link);
	if (!split_topic(&sweep->mqtt->discovery.topics, heard->topic, relic->platform, object) ||
		!find_place(sweep, object, relic)) {
		return;
	}
	json_t *message = json_loadb((const char *) heard->payload, heard->n, 0, NULL);
	if (json_is_object(message) && is_ours(sweep, message, relic)) {
		relic->topic = strdup(heard->topic);
		if (relic->key[0] == '\0') {
			take_components(relic, message);
		}
	}
	json_decref(message);
	if (relic->topic != NULL) {
		list_append(&sweep->relics, &relic->link);
		sweep->n_relics++;
		(void) STEAL(relic);
	}
}

/* A state of a lock that is no more. */
static void note_trace(struct sweep *sweep, const char *topic) {
	const char *base = sweep->mqtt->discovery.topics.base;
	size_t n = strlen(base);

	for (size_t i = 0; i < sweep->n_lost; i++) {
		if (strncmp(topic, base, n) == 0 && topic[n] == '/' &&
			strncmp(topic + n + 1, sweep->lost[i], LOCK_ID_MAX - 1) == 0 &&
			topic[n + LOCK_ID_MAX] == '/') {
			struct trace *trace = calloc(1, sizeof(*trace));
			char *copy = strdup(topic);
			if (trace == NULL || copy == NULL) {
				free(trace);
				free(copy);
				return;
			}
			list_init(&trace->link);
			trace->topic = copy;
			list_append(&sweep->traces, &trace->link);
			return;
		}
	}
}

/* ---- what becomes of it ---- */

static bool is_of_this_form(const struct sweep *sweep, const struct relic *relic) {
	return (sweep->mqtt->config.discovery == MQTT_DISCOVERY_DEVICE) == (relic->key[0] == '\0');
}

static void clear(struct sweep *sweep, const char *topic) {
	(void) shelf_clear(sweep->mqtt->shelf, STAGE_CONFIG, topic, 0);
}

/* Entities of the hub that always are in the single form. */
static bool is_user(const struct relic *relic) {
	return relic->lock_id[0] == '\0' && strncmp(relic->key, "user_", 5) == 0;
}

static bool is_hub_part(const char *key) {
	/* Which adapters there are is not known before BlueZ has answered. */
	return discovery_is_hub_key(key) || strncmp(key, "adapter_", 8) == 0;
}

static void judge_hub(struct sweep *sweep, struct relic *relic) {
	const char *key;
	json_t *platform;

	if (is_user(relic)) {
		if (!switches_has(sweep->mqtt, relic->key + 5)) {
			clear(sweep, relic->topic);
		}
		return;
	}
	json_object_foreach(relic->components, key, platform) {
		if (!is_hub_part(key)) {
			(void) json_object_set(sweep->mqtt->hub_gone, key, platform);
		}
	}
	if (!is_of_this_form(sweep, relic)) {
		relic->is_moving = relic->key[0] == '\0' || is_hub_part(relic->key);
	}
	if (relic->key[0] != '\0' && !is_hub_part(relic->key)) {
		clear(sweep, relic->topic);
	}
}

static void lock_is_lost(struct sweep *sweep, const struct relic *relic) {
	clear(sweep, relic->topic);
	for (size_t i = 0; i < sweep->n_lost; i++) {
		if (strcmp(sweep->lost[i], relic->lock_id) == 0) {
			return;
		}
	}
	if (sweep->n_lost < TRACES_MAX) {
		(void) text_copy(sweep->lost[sweep->n_lost++], LOCK_ID_MAX, relic->lock_id);
		log_info("discovery of lock %s, which is no more, is taken from the broker",
			relic->lock_id);
	}
}

static void judge_lock(struct sweep *sweep, struct relic *relic) {
	struct face *face = face_find(sweep->mqtt, relic->lock_id);
	const char *key;
	json_t *platform;

	if (face == NULL) {
		lock_is_lost(sweep, relic);
		return;
	}
	if (strcmp(relic->key, "pin_code") == 0) {
		if (!pins_is_on(sweep->mqtt)) {
			clear(sweep, relic->topic);
		}
		return;
	}
	json_object_foreach(relic->components, key, platform) {
		if (!face_adopt(face, key)) {
			face_part_with(face, key, json_string_value(platform));
		}
	}
	bool is_wanted = relic->key[0] == '\0' || face_adopt(face, relic->key);
	if (!is_wanted) {
		clear(sweep, relic->topic);
	} else if (!is_of_this_form(sweep, relic)) {
		relic->is_moving = true;
	}
}

static void judge(struct sweep *sweep) {
	struct mqtt *mqtt = sweep->mqtt;
	struct relic *relic;
	struct face *face;

	list_for_each(relic, &sweep->relics, link) {
		if (mqtt->config.discovery == MQTT_DISCOVERY_OFF) {
			clear(sweep, relic->topic);
		} else if (relic->lock_id[0] == '\0') {
			judge_hub(sweep, relic);
		} else {
			judge_lock(sweep, relic);
		}
	}
	hub_face_config(mqtt);
	for (face = face_next(mqtt, NULL); face != NULL; face = face_next(mqtt, face)) {
		face_refresh(face);
	}
}

/* ---- the steps ---- */

static void publish_all(struct sweep *sweep) {
	loop_timer_disarm(sweep->timer);
	sweep->phase = SWEEP_PUBLISHING;
	sweep->was_done = true;
	sweep->done = mqtt_now(sweep->mqtt);
	mqtt_publish_all(sweep->mqtt);
}

static void pause(struct sweep *sweep) {
	sweep->phase = SWEEP_PAUSE;
	loop_timer_arm(sweep->timer, MOVE_PAUSE_MS);
}

static void move(struct sweep *sweep) {
	struct relic *relic;

	sweep->phase = SWEEP_MOVING;
	sweep->n_waiting = 0;
	list_for_each(relic, &sweep->relics, link) {
		if (relic->is_moving && client_publish(sweep->mqtt->client, relic->topic, MOVE,
						strlen(MOVE), true, &relic->mid) == 0) {
			sweep->n_waiting++;
		}
	}
	if (sweep->n_waiting == 0) {
		publish_all(sweep);
		return;
	}
	log_info("%u entities move to the other form of discovery; Home Assistant keeps their "
		 "names and history",
		sweep->n_waiting);
	loop_timer_arm(sweep->timer, LOOK_MS);
}

static void unsubscribe(struct sweep *sweep) {
	for (size_t i = 0; i < sweep->n_filters; i++) {
		(void) client_unsubscribe(sweep->mqtt->client, sweep->filters[i]);
	}
	sweep->n_filters = 0;
}

/* Subscribes to the filters and sends the marker behind. */
static void look(struct sweep *sweep, enum sweep_phase phase) {
	char *topics[TRACES_MAX + 1];
	uint64_t number = 0;
	size_t n = 0;

	for (size_t i = 0; i < sweep->n_filters; i++) {
		topics[n++] = sweep->filters[i];
	}
	topics[n++] = sweep->marker_topic;
	(void) !getrandom(&number, sizeof(number), GRND_NONBLOCK);
	(void) snprintf(sweep->marker, sizeof(sweep->marker), "%016" PRIx64, number);
	sweep->phase = phase;
	loop_timer_arm(sweep->timer, LOOK_MS);
	if (client_subscribe_once(sweep->mqtt->client, topics, n, &sweep->mid_subscription) < 0 ||
		client_publish(sweep->mqtt->client, sweep->marker_topic, sweep->marker,
			strlen(sweep->marker), false, &sweep->mid_marker) < 0) {
		loop_timer_arm(sweep->timer, 0);
	}
}

static void trace(struct sweep *sweep) {
	sweep->n_filters = 0;
	for (size_t i = 0; i < sweep->n_lost; i++) {
		topic_of(&sweep->mqtt->discovery.topics, sweep->lost[i], "#",
			sweep->filters[sweep->n_filters++]);
	}
	look(sweep, SWEEP_TRACING);
}

static void looked(struct sweep *sweep) {
	unsubscribe(sweep);
	judge(sweep);
	if (sweep->n_lost > 0) {
		trace(sweep);
	} else {
		move(sweep);
	}
}

static void traced(struct sweep *sweep) {
	struct trace *one;

	unsubscribe(sweep);
	list_for_each(one, &sweep->traces, link) {
		(void) shelf_clear(sweep->mqtt->shelf, STAGE_STATE, one->topic, SHELF_SETTLE_MS);
	}
	move(sweep);
}

static void leave(struct sweep *sweep) {
	struct relic *relic;

	list_for_each(relic, &sweep->relics, link) {
		if (relic->is_moving) {
			clear(sweep, relic->topic);
		}
	}
	forget(sweep);
	sweep->phase = SWEEP_IDLE;
}

static void on_timer(void *user) {
	struct sweep *sweep = user;

	switch (sweep->phase) {
	case SWEEP_LOOKING: /* the marker did not come: what was seen until now is dealt with */
		looked(sweep);
		break;
	case SWEEP_TRACING:
		traced(sweep);
		break;
	case SWEEP_MOVING:
		pause(sweep);
		break;
	case SWEEP_PAUSE:
		publish_all(sweep);
		break;
	case SWEEP_LEAVING:
		leave(sweep);
		break;
	case SWEEP_IDLE:
	case SWEEP_PUBLISHING:
		break;
	}
}

/* ---- the door ---- */

struct sweep *sweep_new(struct mqtt *mqtt) {
	struct sweep *sweep = calloc(1, sizeof(*sweep));

	if (sweep == NULL) {
		return NULL;
	}
	sweep->mqtt = mqtt;
	list_init(&sweep->relics);
	list_init(&sweep->traces);
	topic_of(&mqtt->discovery.topics, "hub", LEAF_MARKER, sweep->marker_topic);
	sweep->timer = loop_timer_new(mqtt->loop, on_timer, sweep);
	return sweep->timer != NULL ? sweep : sweep_free(sweep);
}

struct sweep *sweep_free(struct sweep *sweep) {
	if (sweep != NULL) {
		sweep->timer = loop_timer_free(sweep->timer);
		forget(sweep);
		free(sweep);
	}
	return NULL;
}

bool sweep_begin(struct sweep *sweep) {
	const char *prefix = sweep->mqtt->discovery.topics.prefix;

	if (sweep->phase != SWEEP_IDLE ||
		(sweep->was_done && mono_since(sweep->done, mqtt_now(sweep->mqtt)) < APART_MS)) {
		return false;
	}
	/* "device" is one of the platforms that the filter stands for. */
	(void) snprintf(sweep->filters[0], TOPIC_MAX, "%.63s/+/+/config", prefix);
	sweep->n_filters = 1;
	look(sweep, SWEEP_LOOKING);
	return true;
}

void sweep_end(struct sweep *sweep) {
	/* Not done before what was moved has left its old place. */
	if (sweep->phase != SWEEP_IDLE) {
		sweep->was_done = false;
	}
	loop_timer_disarm(sweep->timer);
	forget(sweep);
	sweep->n_filters = 0;
	sweep->phase = SWEEP_IDLE;
}

bool sweep_message(struct sweep *sweep, const struct client_message *message) {
	if (strcmp(message->topic, sweep->marker_topic) == 0) {
		bool is_mine = message->n == strlen(sweep->marker) &&
			       memcmp(message->payload, sweep->marker, message->n) == 0;
		if (is_mine && (sweep->phase == SWEEP_LOOKING || sweep->phase == SWEEP_TRACING)) {
			/* Not in here: whoever calls goes on with this message. */
			loop_timer_arm(sweep->timer, 0);
		}
		return true;
	}
	if (!message->is_retained || message->n == 0) {
		return false;
	}
	if (sweep->phase == SWEEP_LOOKING) {
		note(sweep, message);
	} else if (sweep->phase == SWEEP_TRACING) {
		note_trace(sweep, message->topic);
	}
	return false;
}

bool sweep_published(struct sweep *sweep, int mid, bool is_refused) {
	struct relic *relic;

	if (mid != 0 && mid == sweep->mid_marker) {
		sweep->mid_marker = 0;
		if (is_refused) {
			loop_timer_arm(sweep->timer, 0); /* it will not come back */
		}
		return true;
	}
	if (sweep->phase != SWEEP_MOVING) {
		return false;
	}
	list_for_each(relic, &sweep->relics, link) {
		if (relic->is_moving && relic->mid == mid) {
			relic->mid = 0;
			sweep->n_waiting--;
			if (sweep->n_waiting == 0) {
				pause(sweep);
			}
			return true;
		}
	}
	return false;
}

bool sweep_subscribed(struct sweep *sweep, int mid, bool is_refused) {
	if (mid == 0 || mid != sweep->mid_subscription) {
		return false;
	}
	sweep->mid_subscription = 0;
	if (is_refused) {
		log_blame(BLAME_SETUP, NULL,
			"the broker does not let us read discovery topics: what a former start "
			"left "
			"there is not cleaned up");
	}
	return true;
}

void sweep_settled(struct sweep *sweep) {
	struct relic *relic;
	bool is_any_moving = false;

	if (sweep->phase != SWEEP_PUBLISHING) {
		return;
	}
	list_for_each(relic, &sweep->relics, link) {
		is_any_moving |= relic->is_moving;
	}
	if (is_any_moving) {
		sweep->phase = SWEEP_LEAVING;
		loop_timer_arm(sweep->timer, MOVE_PAUSE_MS);
	} else {
		forget(sweep);
		sweep->phase = SWEEP_IDLE;
	}
}
