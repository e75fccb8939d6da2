/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of this room share: mqtt.c holds it together, face.c shows a lock, command.c asks.
 */

#include <jansson.h>

#include "core/hub.h"
#include "loop/loop.h"
#include "mqtt/mqtt.h"
#include "util/list.h"

#include "client.h"
#include "discovery.h"
#include "outbox.h"
#include "shelf.h"
#include "topics.h"

struct face;
struct sweep;
struct requests;

/* Commands of one lock, or of all that name no lock of ours: so many at once, one more each... */
#define COMMANDS_BURST 10
#define COMMAND_REFILL_MS 500

struct bucket {
	unsigned used;
	mono_t since;
};

/* Copies of the texts in struct mqtt_config; NULL: none. */
struct mqtt_texts {
	char *host;
	char *username;
	char *ca_file;
	char *cert_file;
	char *key_file;
	char *client_id;
	char *hub_id;
	char *hub_name;
	char *version;
	char *ha_status;
	char *pin_code_base;
};

/* What the broker does not let us do, as far as we know. */
enum mqtt_denial {
	DENIAL_NONE,
	DENIAL_PUBLISH,   /* it has said so (MQTT 5) */
	DENIAL_SUBSCRIBE, /* it has said so */
	DENIAL_ECHO,      /* our own `online` does not come back */
};

enum mqtt_phase {
	MQTT_NEW,
	MQTT_RUNNING,
	MQTT_STOPPING,
	MQTT_STOPPED,
};

struct mqtt {
	struct loop *loop;
	struct hub *hub;
	struct mqtt_texts texts;
	struct mqtt_config config; /* its texts point into ours */
	struct discovery discovery;
	char will_topic[TOPIC_MAX];
	enum mqtt_phase phase;

	struct client *client;
	struct shelf *shelf;
	struct outbox *outbox;
	struct list faces;     /* struct face; in order of pairing */
	struct list switches;  /* struct user_switch */
	struct list pin_faces; /* struct pin_face */
	struct list pin_tasks; /* struct pin_task */
	unsigned n_pin_tasks;
	struct requests *requests; /* NULL: [mqtt] requests is none */
	struct list recalls;       /* struct recall */
	struct sweep *sweep;
	struct leaf *online;
	struct leaf *hub_config[HUB_PART_COUNT_]; /* device form: the first only */
	struct leaf *hub_state[HUB_PART_COUNT_];  /* none for events */
	json_t *hub_gone; /* components that the next message takes away: key, platform */
	struct adapters adapters;
	struct leaf *adapter_config[ADAPTERS_MAX]; /* single form only */
	struct leaf *adapter_state[ADAPTERS_MAX];
	struct leaf *adapter_more[ADAPTERS_MAX]; /* attributes */
	mono_t adapter_told[ADAPTERS_MAX];
	mono_t started_mono;
	wall_t started; /* s 0: not known yet, the clock is not trusted */

	unsigned n_subscribing; /* answers to come before anything is published */
	int mid_commands;       /* the subscriptions without which we are deaf */
	int mid_news;
	enum mqtt_denial denial;
	char denied_topic[TOPIC_MAX];
	int mid_clearing; /* of the last retained command that was cleared */
	bool is_begun;    /* publishing has begun on this connection */
	bool is_settled;  /* all stages acknowledged on this connection */
	bool is_echoed;   /* our own `online` came back to us */
	mono_t reasserted;
	struct bucket strangers;
	struct bucket clearings;

	struct loop_timer *birth;    /* Home Assistant came up: repeat after a pause */
	struct loop_timer *echo;     /* limit for is_echoed */
	struct loop_timer *appeal;   /* what was denied is tried again */
	struct loop_timer *reassert; /* `online` once more, after somebody else's word */
	struct loop_timer *stop;
	void (*stop_done)(void *user);
	void *stop_user;

	struct mqtt_status status;
	struct signal changed;

	struct listener on_lock_added;
	struct listener on_lock_removed;
	struct listener on_lock_changed;
	struct listener on_event;
	struct listener on_op_changed;
	struct listener on_op_finished;
	struct listener on_radio_changed;
	struct listener on_book_changed;
	struct listener on_sync_changed;
	struct listener on_diag_changed;
};

/* mqtt.c */
mono_t mqtt_now(const struct mqtt *mqtt);
/* @fault NULL: none. Whoever listens is told when connection, being online or fault are news. */
void mqtt_status_set(
	struct mqtt *mqtt, bool is_connected, bool is_online, const struct fault *fault);
/* Events that wait and that were lost, into the status. */
void mqtt_count(struct mqtt *mqtt);

/* follow.c: the hub's signals. */
void mqtt_follow(struct mqtt *mqtt);
void mqtt_unfollow(struct mqtt *mqtt);
/* Shows the locks that have no face yet. */
void mqtt_add_missing_faces(struct mqtt *mqtt);

/* line.c: the connection, and what its timers do. */
extern const struct client_user mqtt_client_impl;
extern const struct shelf_user mqtt_shelf_impl;
/* Hears when somebody empties the configurations of a lock that is added to a connection. */
void mqtt_subscribe_face(struct mqtt *mqtt, const struct face *face);
/* The end comes now when nothing is left to be said. */
void mqtt_stop_when_idle(struct mqtt *mqtt);
/* What waited for something of the connection waits no more. @fault: NULL at our own end. */
void mqtt_line_ended(struct mqtt *mqtt, const struct fault *fault);
void mqtt_on_birth_pause(void *user);
void mqtt_on_echo_missing(void *user);
void mqtt_on_appeal(void *user);
void mqtt_on_reassert(void *user);

/* @lock_id NULL: the hub's own event topic. Takes the text; NULL counts as a lost event. */
void mqtt_put_event(struct mqtt *mqtt, const char *lock_id, char *take_payload, int64_t seq);
bool bucket_take(struct bucket *bucket, mono_t now);
/* @burst at once, one more each @refill_ms. */
bool bucket_take_of(struct bucket *bucket, mono_t now, unsigned burst, unsigned refill_ms);

/* face.c: one lock on the broker. */
struct face *face_new(struct mqtt *mqtt, struct lock *lock);
/* Leaves the topics on the shelf. */
struct face *face_free(struct face *face);
/* The first with NULL, the one after @face, NULL behind the last. */
struct face *face_next(const struct mqtt *mqtt, const struct face *face);
struct face *face_find(const struct mqtt *mqtt, const char *lock_id);
struct lock *face_lock(const struct face *face);
struct bucket *face_bucket(struct face *face);
/* @what: FACT_ bits of what is new. */
void face_show(struct face *face, unsigned what);
/* Removes all topics from the broker; for a lock that is no more. */
void face_erase(struct face *face);
/* Tells the configuration topics, borrowed until the face is changed. */
void face_each_config(
	const struct face *face, void (*fn)(void *user, const char *topic), void *user);
/* Something happened at the lock, or had happened before the start; not shown by this alone. */
void face_recall(struct face *face, const struct event *event);
/*
 * The broker holds an entity of this lock with this component key. @return whether it stays: we
 * have it, or evidence may yet bring it, and then it is kept until the lock denies it.
 */
bool face_adopt(struct face *face, const char *key);
/* It does not: the next message of the device form takes it away. */
void face_part_with(struct face *face, const char *key, const char *platform);
/* Builds all payloads anew; after the two above. */
void face_refresh(struct face *face);
/* What it shows on "problem". */
bool face_has_problem(const struct face *face);
/* The dial NAME of topic setting/NAME: the number it had when it was on last; 0: not known. */
int32_t face_last_on(const struct face *face, const char *name);
/* Publishes the values of all settings again: somebody's wish was not carried out. */
void face_repeat_dials(struct face *face);
/* Somebody emptied a topic. @return whether it is one of our configurations. */
bool face_cleared(struct face *face, const char *topic);
/* The broker holds the leaf's payload. */
void face_leaf_settled(struct face *face, const struct leaf *leaf);

/* Publishing begins, on a connection that is subscribed and swept. */
void mqtt_publish_all(struct mqtt *mqtt);

/* command.c */
/* Counts it, and tells by an event (of the hub when @lock is NULL). The journal is the caller's. */
void mqtt_refuse(
	struct mqtt *mqtt, const struct lock *lock, const char *word, const struct fault *fault);
/* The same, and the journal tells as well. */
void mqtt_refuse_aloud(
	struct mqtt *mqtt, const struct lock *lock, const char *word, const struct fault *fault);
/*
 * Something that is wanted of the lock @id came on @topic: counted. NULL when no lock has that id,
 * or too much comes; it has been told then. @what: "commands", for the journal.
 */
struct face *mqtt_admit(struct mqtt *mqtt, const char *id, const char *topic, const char *what);
/* 0, or DENIED: commands are switched off. */
int mqtt_may_command(const struct mqtt *mqtt, struct fault *ret_fault);
/* Asks the hub for what a person pressed or said; the role is what the configuration lets MQTT
 * have. */
int mqtt_request(struct mqtt *mqtt, const struct lock *lock, enum act act, enum role role,
	bool is_retained, struct fault *ret_fault);
/* A message came on a command topic. */
void mqtt_command(struct mqtt *mqtt, const char *lock_id, const struct client_message *message);
