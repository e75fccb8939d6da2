/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether the broker lets in a client that gives no name: the only way to know is to be one. A
 * connection of its own, on a pool thread from the first to the last octet, with nothing in it that
 * is ours but the address: another client id (the hub's own would push the hub out), no will, no
 * subscription. It ends with CONNACK, or after ASK_MS. It is driven as the hub's own (conn.h), only
 * that poll() may wait here.
 */
#include "mqtt/mqtt.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "loop/loop.h"
#include "util/auto.h"
#include "util/text.h"

#include "conn.h"
#include "room.h"

#define ASK_MS 5000 /* in all: an orderly end of the hub waits for a pool thread */
#define TURN_MS 50
#define KEEPALIVE_S 60
#define PATH_TEXT_MAX 512

struct asker {
	/* Copies: the mqtt may go meanwhile. */
	char host[MQTT_HOST_MAX];
	char ca_file[PATH_TEXT_MAX];
	char id[24];
	struct client_config config; /* made of these alone */
	bool is_v5, has_certificate;
	void (*done)(void *user, enum mqtt_stranger stranger);
	void *user;
	enum mqtt_stranger stranger;

	/* pool thread */
	int64_t until_ms;
	bool is_tcp_up, is_answered;
};

static int64_t now_ms(void) {
	struct timespec now;

	(void) clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is about the asker, and not about the broker's own state or about the protocol. */
static bool is_refusal(bool is_v5, int code) {
	return is_v5 ? code == MQTT_RC_NOT_AUTHORIZED || code == MQTT_RC_BAD_USERNAME_OR_PASSWORD
		     : code == CONNACK_REFUSED_NOT_AUTHORIZED ||
			       code == CONNACK_REFUSED_BAD_USERNAME_PASSWORD;
}

/* Until it has answered, or will not. */
static void drive(const struct asker *asker, struct conn *conn) {
	int rc = MOSQ_ERR_SUCCESS;
	bool is_more;

	while (rc == MOSQ_ERR_SUCCESS && !conn->is_answered && conn_is_open(conn) &&
		now_ms() < asker->until_ms) {
		struct pollfd watched = { .fd = mosquitto_socket(conn->mosq),
			.events = (short) (POLLIN | (conn_wants_write(conn) ? POLLOUT : 0)) };

		if (poll(&watched, 1, TURN_MS) == 0 && !conn->is_tcp_up) {
			continue; /* TCP is on its way */
		}
		rc = conn_check(conn, 0);
		rc = rc == MOSQ_ERR_SUCCESS ? conn_read(conn, &is_more) : rc;
		rc = rc == MOSQ_ERR_SUCCESS ? conn_write(conn) : rc;
	}
}

/*
 * Whether a call that tried to connect came to a broker and lost it again: a quick one hangs up
 * before the call has sent all that it has to say. EPROTO is libmosquitto's word for an alert of
 * TLS (seen with 2.0.11: MOSQ_ERR_ERRNO and 71).
 */
static bool was_up(int rc, int error) {
	return rc == MOSQ_ERR_CONN_LOST || rc == MOSQ_ERR_TLS ||
	       (rc == MOSQ_ERR_ERRNO && (error == ECONNRESET || error == EPIPE || error == EPROTO));
}

static void ask(struct asker *asker, unsigned family) {
	struct fault fault;
	AUTO(conn_free)
	struct conn *conn = conn_new(&asker->config, asker->is_v5, family, NULL, &fault);

	if (conn == NULL) {
		return;
	}
	conn_connect(conn);
	conn->is_tcp_up = was_up(conn->rc, conn->error);
	if (conn->rc == MOSQ_ERR_SUCCESS) {
		drive(asker, conn);
		(void) mosquitto_disconnect(conn->mosq);
		(void) conn_write(conn);
	}
	asker->is_tcp_up = conn->is_tcp_up;
	asker->is_answered = conn->is_answered;
	if (conn->is_answered) {
		asker->stranger = conn->connack == 0                        ? MQTT_STRANGER_LET_IN
				  : is_refusal(asker->is_v5, conn->connack) ? MQTT_STRANGER_REFUSED
									    : MQTT_STRANGER_UNKNOWN;
	}
}

/* Pool thread. */
static void on_pool(void *user) {
	struct asker *asker = user;

	asker->until_ms = now_ms() + ASK_MS;
	for (unsigned family = 0; family < CONN_FAMILIES && !asker->is_tcp_up; family++) {
		ask(asker, family);
	}
	/*
	 * With a certificate of ours it lets us in, without one it hangs up in the handshake: it
	 * refuses by TLS.
	 */
	if (!asker->is_answered && asker->is_tcp_up && asker->has_certificate &&
		now_ms() < asker->until_ms) {
		asker->stranger = MQTT_STRANGER_REFUSED;
	}
}

static void on_over(void *user) {
	struct asker *asker = user;

	asker->done(asker->user, asker->stranger);
	free(asker);
}

int mqtt_ask_as_stranger(
	struct mqtt *mqtt, void (*done)(void *user, enum mqtt_stranger stranger), void *user) {
	const struct mqtt_config *config = &mqtt->config;
	struct asker *asker;
	uint32_t dice = 0;

	if (!mqtt->status.is_connected || config->host[0] == '/') {
		return -ENOTCONN;
	}
	asker = calloc(1, sizeof(*asker));
	if (asker == NULL) {
		return -ENOMEM;
	}
	(void) !getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	(void) snprintf(asker->id, sizeof(asker->id), "lockhub-probe-%08x", (unsigned) dice);
	/* With TLS the broker is to be ours here too, or its answer says nothing. */
	asker->config = (struct client_config){ .host = asker->host,
		.port = config->port,
		.client_id = asker->id,
		.is_tls = config->is_tls,
		.ca_file = asker->ca_file,
		.keepalive_s = KEEPALIVE_S };
	asker->has_certificate = config->cert_file != NULL && config->cert_file[0] != '\0';
	asker->is_v5 = mqtt->status.protocol == MQTT_PROTOCOL_5;
	asker->done = done;
	asker->user = user;
	if (!text_copy(asker->host, sizeof(asker->host), config->host) ||
		!text_copy(asker->ca_file, sizeof(asker->ca_file),
			config->ca_file != NULL ? config->ca_file : "") ||
		loop_work_run(mqtt->loop, on_pool, NULL, on_over, asker) == NULL) {
		free(asker);
		return -ENOMEM;
	}
	return 0;
}
