/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether the broker lets in a client that gives no name: the only way to know is to be one. A
 * connection of its own, on a pool thread from the first to the last octet, with nothing in it that
 * is ours but the address: another client id (the hub's own would push the hub out), no will, no
 * subscription. It ends with CONNACK, or after ASK_MS. The library is driven as in conn.c, where
 * it is told why; but poll() may wait here.
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
#include <sys/socket.h>
#include <time.h>

#include "loop/loop.h"
#include "util/auto.h"
#include "util/text.h"

#include "room.h"

#define ASK_MS 5000 /* in all: an orderly end of the hub waits for a pool thread */
#define TURN_MS 50
#define KEEPALIVE_S 60
#define PATH_TEXT_MAX 512

struct asker {
	/* Copies: the mqtt may go meanwhile. */
	char host[MQTT_HOST_MAX];
	char ca_file[PATH_TEXT_MAX];
	unsigned port;
	bool is_tls, is_v5, has_certificate;
	void (*done)(void *user, enum mqtt_stranger stranger);
	void *user;
	enum mqtt_stranger stranger;

	/* pool thread */
	struct mosquitto *mosq;
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

static void on_connack(struct mosquitto *mosq, void *user, int code, int flags,
	const mosquitto_property *properties) {
	struct asker *asker = user;

	(void) mosq;
	(void) flags;
	(void) properties;
	asker->is_answered = true;
	asker->stranger = code == 0                        ? MQTT_STRANGER_LET_IN
			  : is_refusal(asker->is_v5, code) ? MQTT_STRANGER_REFUSED
							   : MQTT_STRANGER_UNKNOWN;
}

static int set_up(struct asker *asker) {
	bool has_ca = asker->ca_file[0] != '\0';
	char id[24];
	uint32_t dice = 0;

	(void) !getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	(void) snprintf(id, sizeof(id), "lockhub-probe-%08x", (unsigned) dice);
	asker->mosq = mosquitto_new(id, true, asker);
	if (asker->mosq == NULL) {
		return MOSQ_ERR_NOMEM;
	}
	mosquitto_connect_v5_callback_set(asker->mosq, on_connack);
	int rc = mosquitto_int_option(asker->mosq, MOSQ_OPT_PROTOCOL_VERSION,
		asker->is_v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
	if (rc == MOSQ_ERR_SUCCESS && asker->is_tls) {
		/* The broker is to be ours here too, or its answer says nothing. */
		rc = has_ca ? mosquitto_tls_set(asker->mosq, asker->ca_file, NULL, NULL, NULL, NULL)
			    : mosquitto_int_option(asker->mosq, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
		rc = rc == MOSQ_ERR_SUCCESS
			     ? mosquitto_tls_opts_set(asker->mosq, 1, "tlsv1.2", NULL)
			     : rc;
	}
	return rc;
}

/* 0, or the errno of a connection that failed or has been closed by the broker. */
static int look(struct asker *asker, int fd) {
	int error = 0;
	socklen_t n_error = sizeof(error);
	char octet;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n_error) < 0) {
		return errno;
	}
	if (error == 0 && recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
		error = ECONNRESET;
	}
	asker->is_tcp_up = asker->is_tcp_up || error == 0 || error == ECONNRESET || error == EPIPE;
	return error;
}

/* Until it has answered, or will not. */
static void drive(struct asker *asker) {
	int rc = MOSQ_ERR_SUCCESS;
	int fd = mosquitto_socket(asker->mosq);

	while (rc == MOSQ_ERR_SUCCESS && !asker->is_answered && fd >= 0 &&
		now_ms() < asker->until_ms) {
		struct pollfd watched = { .fd = fd,
			.events = (short) (POLLIN | (asker->is_tcp_up ? 0 : POLLOUT)) };

		if (poll(&watched, 1, TURN_MS) == 0 && !asker->is_tcp_up) {
			continue; /* TCP is on its way */
		}
		if (look(asker, fd) != 0) {
			return;
		}
		rc = mosquitto_loop_read(asker->mosq, 1);
		if (rc == MOSQ_ERR_SUCCESS && mosquitto_socket(asker->mosq) >= 0 &&
			mosquitto_want_write(asker->mosq)) {
			rc = mosquitto_loop_write(asker->mosq, 1);
		}
		fd = mosquitto_socket(asker->mosq);
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

static void ask(struct asker *asker, const char *bind) {
	if (set_up(asker) == MOSQ_ERR_SUCCESS) {
		int rc = mosquitto_connect_bind_async(
			asker->mosq, asker->host, (int) asker->port, KEEPALIVE_S, bind);

		asker->is_tcp_up = asker->is_tcp_up || was_up(rc, errno);
		if (rc == MOSQ_ERR_SUCCESS) {
			drive(asker);
			(void) mosquitto_disconnect(asker->mosq);
			(void) mosquitto_loop_write(asker->mosq, 1);
		}
	}
	mosquitto_destroy(asker->mosq);
	asker->mosq = NULL;
}

/* Pool thread. The address families as in client.c: the asynchronous form tries the first only. */
static void on_pool(void *user) {
	static const char *const families[] = { NULL, "0.0.0.0", "::" };
	struct asker *asker = user;

	asker->until_ms = now_ms() + ASK_MS;
	for (size_t i = 0; i < ARRAY_SIZE(families) && !asker->is_tcp_up; i++) {
		ask(asker, families[i]);
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

	if (!mqtt->status.is_connected || config->host[0] == '/') {
		return -ENOTCONN;
	}
	asker = calloc(1, sizeof(*asker));
	if (asker == NULL) {
		return -ENOMEM;
	}
	asker->port = config->port;
	asker->is_tls = config->is_tls;
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
