/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One connection to the broker after the other, by libmosquitto, without ever blocking the loop.
 * Knows nothing of locks. Loop thread only; how the library is driven is told in conn.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt/mqtt.h"
#include "util/fault.h"
#include "util/secret.h"

struct client;
struct loop;

/*
 * With MQTT 5 the broker is told to keep longer ones to itself (control packet, its header
 * included). Far above what a command or one of our own discovery messages has. With 3.1.1 nothing
 * can be told, and libmosquitto takes whatever comes, up to 256 MB.
 */
#define CLIENT_PACKET_MAX 65536

/* Borrowed; must outlive the client. Empty or NULL text: none. */
struct client_config {
	const char *host; /* starts with '/': a UNIX socket */
	unsigned port;
	const char *client_id;
	const char *username;
	const struct secret *password;
	bool is_tls;
	const char *ca_file;
	const char *cert_file;
	const char *key_file;
	/* Published retained at QoS 1 by the broker when we vanish; NULL: nothing is. */
	const char *will_topic;
	const char *will_payload;
	enum mqtt_protocol protocol; /* AUTO: 5, and 3.1.1 with a broker that does not know it */
	unsigned keepalive_s;        /* a silent peer is given up within 2.25 times as long */
};

/* Borrowed for the call. */
struct client_message {
	const char *topic;
	const uint8_t *payload;
	size_t n;
	bool is_retained;
	/*
	 * The broker says that it may have sent this before (DUP). As no session of ours outlives
	 * its connection, it has: TCP lost nothing.
	 */
	bool is_again;
	int64_t expires_ms; /* what is left of the sender's limit (MQTT 5); 0: none given */
};

/* Never called from inside a call of this header; it is safe to free the client in any of them. */
struct client_user {
	/* Accepted. A clean session: nothing of a former connection is left. */
	void (*up)(void *user);
	/* Lost, refused or not even reached; the next try follows by itself. */
	void (*down)(void *user, const struct fault *fault);
	void (*message)(void *user, const struct client_message *message);
	/*
	 * The broker has acknowledged the publication. @refusal: why it has thrown it away, which
	 * only MQTT 5 can tell; NULL: it has not, or does not say.
	 */
	void (*published)(void *user, int mid, const char *refusal);
	/*
	 * It has answered a subscription. @refused: index of the first topic that it does not
	 * allow, -1 none; @refusal: why, or NULL.
	 */
	void (*subscribed)(void *user, int mid, int refused, const char *refusal);
	/* More comes than is read: see client_is_flooded(). Once when that begins. */
	void (*flooded)(void *user);
};

struct client *client_new(struct loop *loop, const struct client_config *config,
	const struct client_user *impl, void *user);
struct client *client_free(struct client *client);

void client_start(struct client *client);
/* Connects anew, now: what there is of a connection is given up, what waits does not any more. */
void client_again(struct client *client);
/* Says goodbye, so that no will is sent, and does not connect again. No callback comes any more. */
void client_close(struct client *client);

/* MQTT_PROTOCOL_5 or _311 while there is a connection, else MQTT_PROTOCOL_UNKNOWN. */
enum mqtt_protocol client_protocol(const struct client *client);
/*
 * Whether so much comes, or came in the last seconds, that reading is paused most of the time: what
 * is read now has then waited in the broker, nobody knows for how long.
 */
bool client_is_flooded(const struct client *client);

/*
 * QoS 1. -ENOTCONN, -ENOMEM, -EINVAL (our bug: topic or size), -EMSGSIZE and -EOPNOTSUPP: this
 * broker takes none so long, or none retained. published() follows on 0.
 */
int client_publish(struct client *client, const char *topic, const void *payload, size_t n,
	bool is_retained, int *ret_mid);
/* The same, not retained, and worthless after @expires_s, which MQTT 5 tells the broker. */
int client_publish_event(struct client *client, const char *topic, const void *payload, size_t n,
	uint32_t expires_s, int *ret_mid);
/*
 * All at QoS 1, in one message; at most CLIENT_TOPICS_MAX. subscribed() follows on 0. @is_command:
 * MQTT 5 brokers are told not to hand over what lies there retained, and to say so when somebody
 * publishes there with the retain flag; 3.1.1 knows neither.
 */
#define CLIENT_TOPICS_MAX 32
int client_subscribe(
	struct client *client, char *const *topics, size_t n, bool is_command, int *ret_mid);
/*
 * At QoS 0, to look once at what is retained there; at most CLIENT_TOPICS_MAX. subscribed() follows
 * on 0. What comes live there as well comes at QoS 0 too.
 */
int client_subscribe_once(struct client *client, char *const *topics, size_t n, int *ret_mid);
/* Ends a subscription; what was on its way may still come. */
int client_unsubscribe(struct client *client, const char *topic);
