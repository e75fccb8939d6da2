/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Holds the room together: its making, starting and end, and what it tells of itself. */

#include "mqtt/mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hub.h"
#include "loop/loop.h"
#include "util/log.h"
#include "util/text.h"

#include "hub-face.h"
#include "pins.h"
#include "recall.h"
#include "request.h"
#include "room.h"
#include "sweep.h"
#include "switches.h"

#define TLS_PORT 8883
#define PLAIN_PORT 1883

mono_t mqtt_now(const struct mqtt *mqtt) {
	return clock_mono(loop_clock(mqtt->loop));
}

/* ---- status ---- */

void mqtt_status_set(
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

void mqtt_count(struct mqtt *mqtt) {
	mqtt->status.queued_events = outbox_count(mqtt->outbox);
	mqtt->status.lost_events = outbox_lost(mqtt->outbox);
}

/* ---- what the hub itself shows ---- */

void mqtt_put_event(struct mqtt *mqtt, const char *lock_id, char *take_payload, int64_t seq) {
	AUTO(free) char *payload = take_payload;
	char topic[TOPIC_MAX];

	topic_of(&mqtt->discovery.topics, lock_id != NULL ? lock_id : "hub", "event", topic);
	outbox_put(mqtt->outbox, topic, payload, seq);
	mqtt_count(mqtt);
}

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

	mqtt->client = client_new(mqtt->loop, &client, &mqtt_client_impl, mqtt);
	if (mqtt->client == NULL) {
		return false;
	}
	mqtt->shelf = shelf_new(mqtt->loop, mqtt->client, &mqtt_shelf_impl, mqtt);
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
	mqtt_line_ended(mqtt, NULL);
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
	mqtt->birth = loop_timer_new(loop, mqtt_on_birth_pause, mqtt);
	mqtt->echo = loop_timer_new(loop, mqtt_on_echo_missing, mqtt);
	mqtt->appeal = loop_timer_new(loop, mqtt_on_appeal, mqtt);
	mqtt->reassert = loop_timer_new(loop, mqtt_on_reassert, mqtt);
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
	mqtt_follow(mqtt);
	hub_face_show(mqtt);
	hub_face_config(mqtt);
	(void) leaf_set(mqtt->online, "online");
	mqtt_add_missing_faces(mqtt);
	switches_show(mqtt);
	return mqtt;
}

struct mqtt *mqtt_free(struct mqtt *mqtt) {
	if (mqtt == NULL) {
		return NULL;
	}
	mqtt_unfollow(mqtt);
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
	mqtt_add_missing_faces(mqtt);
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
	mqtt_stop_when_idle(mqtt);
}
