/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conn.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loop/loop.h"
#include "util/text.h"

/*
 * How libmosquitto 2.0.11 is driven, and what of it has to be worked round:
 *
 *  - Each connection has a library object of its own, so that no message of a former one is ever
 *    sent again behind our back (L2): what is to be repeated is decided by shelf.c and outbox.c.
 *  - mosquitto_connect_async() resolves the name and reads the certificates before it returns, so
 *    it runs on a pool thread, and until that is done nobody else touches the object. It does not
 *    wait for TCP: the loop does, with a limit of ours. The blocking mosquitto_connect() could keep
 *    a pool thread (and with it our exit) for two minutes if the broker's machine is off.
 *  - The asynchronous form tries the first address only: "localhost" would fail when that is ::1
 *    and the broker listens on 127.0.0.1. So a connection that fails below MQTT is tried again at
 *    once restricted to IPv4, then to IPv6, by the address it is bound to.
 *  - During the TLS handshake it takes the end of the stream for "try again" and asks for
 *    writability for ever; either would make the loop spin. So until the broker has answered
 *    the end of the stream is looked for here, and writability is asked for once.
 *  - It may close its socket in any call. The watch is dropped right after, before the number can
 *    be given to another file.
 *  - Only the blocking form of connect takes the properties of MQTT 5, but it keeps them: it is
 *    called for a socket that cannot exist, and the asynchronous form then finds them.
 *  - It does not show the DUP flag of a message; its log does, in the line before.
 *  - It reads as long as something comes, and one call handles as many packets as publications of
 *    ours are under way; how long is client.c's to say.
 */

#define INFLIGHT_MAX 100

static bool is_set(const char *text) {
	return text != NULL && text[0] != '\0';
}

struct conn *conn_free(struct conn *conn) {
	if (conn != NULL) {
		conn->watch = loop_fd_free(conn->watch);
		mosquitto_destroy(conn->mosq);
		free(conn->host);
		free(conn);
	}
	return NULL;
}

/* On either thread, never on both at a time. The first complaint is the cause, the rest follows. */
static void on_log(struct mosquitto *mosq, void *user, int level, const char *text) {
	static const char publish[] = " received PUBLISH (d";
	struct conn *conn = user;

	if (level == MOSQ_LOG_DEBUG) {
		/* Other lines come between this one and the message. */
		const char *at = strstr(text, publish);
		conn->is_again = at != NULL ? at[sizeof(publish) - 1] == '1' : conn->is_again;
	}
	if (level == MOSQ_LOG_ERR && conn->said[0] == '\0') {
		const char *tail = strstr(text, "::");
		(void) text_copy(conn->said, sizeof(conn->said), tail != NULL ? tail + 2 : text);
		text_sanitize(conn->said);
		/* Now: it frees what it knows, depending on where it failed. */
		tls_look(mosquitto_ssl_get(mosq), &conn->tls);
	}
}

static void on_connack(struct mosquitto *mosq, void *user, int code, int flags,
	const mosquitto_property *properties) {
	struct conn *conn = user;

	conn->is_answered = true;
	conn->connack = code;
}

/* Also called by the library's own errors, which are small numbers. */
static void on_bye(
	struct mosquitto *mosq, void *user, int reason, const mosquitto_property *properties) {
	struct conn *conn = user;

	conn->bye = reason >= MQTT_RC_UNSPECIFIED ? reason : 0;
}

/* A key that needs a passphrase cannot be used: OpenSSL would ask for it on the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *user) {
	return -1;
}

static int conn_set_tls(struct conn *conn, const struct client_config *config) {
	const char *cert = is_set(config->cert_file) ? config->cert_file : NULL;
	const char *key = is_set(config->key_file) ? config->key_file : NULL;
	bool has_ca = is_set(config->ca_file);

	/*
	 * The library wants some CA before it takes a client certificate; a folder without any
	 * beside the system's own certificates does no harm.
	 */
	int rc = has_ca || cert != NULL
			 ? mosquitto_tls_set(conn->mosq, has_ca ? config->ca_file : NULL,
				   has_ca ? NULL : "/etc/ssl/certs", cert, key, no_passphrase)
			 : MOSQ_ERR_SUCCESS;
	if (rc == MOSQ_ERR_SUCCESS && !has_ca) {
		rc = mosquitto_int_option(conn->mosq, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
	}
	if (rc == MOSQ_ERR_SUCCESS) {
		/* 1: the certificate is demanded and checked, its name too. "tlsv1.2": or newer. */
		rc = mosquitto_tls_opts_set(conn->mosq, 1, "tlsv1.2", NULL);
	}
	if (rc != MOSQ_ERR_SUCCESS && conn->said[0] == '\0') {
		(void) snprintf(conn->said, sizeof(conn->said), "%s cannot be read",
			has_ca ? config->ca_file : "the certificate or its key");
	}
	return rc;
}

struct conn *conn_new(const struct client_config *config, bool is_v5, unsigned family,
	struct client *client, struct fault *ret_fault) {
	static const char *const binds[CONN_FAMILIES] = { NULL, "0.0.0.0", "::" };
	AUTO(conn_free) struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		(void) fault_set(ret_fault, FAULT_NO_MEMORY, "connecting to the broker");
		return NULL;
	}
	conn->client = client;
	conn->config = config;
	conn->is_v5 = is_v5;
	conn->bind = binds[family];
	conn->keepalive_s = (int) config->keepalive_s;
	conn->port = config->host[0] == '/' ? 0 : (int) config->port;
	conn->host = strdup(config->host);
	conn->mosq = mosquitto_new(config->client_id, true, conn);
	if (conn->host == NULL || conn->mosq == NULL) {
		(void) fault_set(ret_fault, FAULT_NO_MEMORY, "connecting to the broker");
		return NULL;
	}
	mosquitto_log_callback_set(conn->mosq, on_log);
	/* Those of MQTT 5 are called with 3.1.1 as well, without properties. */
	mosquitto_connect_v5_callback_set(conn->mosq, on_connack);
	mosquitto_disconnect_v5_callback_set(conn->mosq, on_bye);
	(void) mosquitto_int_option(conn->mosq, MOSQ_OPT_PROTOCOL_VERSION,
		conn->is_v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
	(void) mosquitto_max_inflight_messages_set(conn->mosq, INFLIGHT_MAX);
	(void) mosquitto_int_option(conn->mosq, MOSQ_OPT_TCP_NODELAY, conn->port != 0);

	int rc = config->will_topic == NULL ? MOSQ_ERR_SUCCESS
					    : mosquitto_will_set(conn->mosq, config->will_topic,
						      (int) strlen(config->will_payload),
						      config->will_payload, 1, true);
	if (rc == MOSQ_ERR_SUCCESS && is_set(config->username)) {
		char password[SECRET_MAX + 1] = "";
		memcpy(password, config->password->bytes, config->password->len);
		password[config->password->len] = '\0';
		rc = mosquitto_username_pw_set(
			conn->mosq, config->username, config->password->len > 0 ? password : NULL);
		wipe(password, sizeof(password));
	}
	if (rc != MOSQ_ERR_SUCCESS) {
		(void) fault_set(
			ret_fault, FAULT_CONFIG_INVALID, "[mqtt]: %s", mosquitto_strerror(rc));
		return NULL;
	}
	if (config->is_tls && conn_set_tls(conn, config) != MOSQ_ERR_SUCCESS) {
		(void) fault_set(ret_fault, FAULT_BROKER_TLS, "%s", conn->said);
		return NULL;
	}
	return STEAL(conn);
}

/*
 * Nothing is said of the session's life: by MQTT 5 it then ends with the connection, and we begin
 * with a clean one. So no command waits for us anywhere.
 */
static int set_properties(struct conn *conn) {
	mosquitto_property *properties = NULL;
	int rc = mosquitto_property_add_int32(
		&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, CLIENT_PACKET_MAX);

	if (rc == MOSQ_ERR_SUCCESS) {
		/* Fails, as it must, and keeps the properties: see the top of this file. */
		(void) mosquitto_connect_bind_v5(
			conn->mosq, "/dev/null/none", 0, conn->keepalive_s, NULL, properties);
	}
	mosquitto_property_free_all(&properties);
	return rc;
}

void conn_connect(struct conn *conn) {
	conn->rc = conn->is_v5 ? set_properties(conn) : MOSQ_ERR_SUCCESS;
	errno = 0;
	if (conn->rc == MOSQ_ERR_SUCCESS) {
		conn->rc = mosquitto_connect_bind_async(
			conn->mosq, conn->host, conn->port, conn->keepalive_s, conn->bind);
	}
	conn->error = errno;
}

bool conn_is_open(const struct conn *conn) {
	return mosquitto_socket(conn->mosq) >= 0;
}

/* 0, or the errno of a connection that failed or has been closed by the broker. */
static int peek(const struct conn *conn) {
	int fd = mosquitto_socket(conn->mosq);
	int error = 0;
	socklen_t n_error = sizeof(error);
	char octet;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n_error) < 0) {
		return errno;
	}
	if (error == 0 && recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
		error = ECONNRESET;
	}
	return error;
}

int conn_check(struct conn *conn, int events) {
	if (events >= 0 && conn->is_answered) {
		return MOSQ_ERR_SUCCESS;
	}
	conn->error = peek(conn);
	/* Reset or closed: by a broker that was there. */
	conn->is_tcp_up = conn->is_tcp_up || conn->error == 0 || conn->error == ECONNRESET ||
			  conn->error == EPIPE;
	/* libuv calls every error of the socket EBADF. */
	conn->error = conn->error == 0 && events < 0 ? -events : conn->error;
	return conn->error == 0 ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ERRNO;
}

bool conn_wants_write(const struct conn *conn) {
	if (!conn->is_tcp_up) {
		return true;
	}
	return mosquitto_want_write(conn->mosq) && (conn->is_answered || !conn->config->is_tls);
}

int conn_read(struct conn *conn, bool *ret_is_more) {
	errno = 0;
	int rc = mosquitto_loop_read(conn->mosq, 1);
	conn->error = rc == MOSQ_ERR_ERRNO ? errno : 0;
	*ret_is_more = rc == MOSQ_ERR_SUCCESS && errno != EAGAIN && conn_is_open(conn);
	return rc;
}

int conn_write(struct conn *conn) {
	int rc = MOSQ_ERR_SUCCESS;

	if (conn_is_open(conn) && mosquitto_want_write(conn->mosq)) {
		rc = mosquitto_loop_write(conn->mosq, 1);
		conn->error = rc == MOSQ_ERR_ERRNO ? errno : 0;
	}
	return rc;
}

void conn_describe_loss(const struct conn *conn, int rc, struct fault *ret) {
	const char *host = conn->port != 0 ? conn->host : "socket";
	char reason[96];

	if (conn->bye == MQTT_RC_SESSION_TAKEN_OVER) {
		(void) fault_set(ret, FAULT_BROKER_UNREACHABLE,
			"%s: another client has connected with this hub's client id, a copy of it?",
			host);
		return;
	}
	if (conn->bye != 0) {
		(void) fault_set(ret, FAULT_BROKER_UNREACHABLE,
			"%s: the broker has ended the connection: %s", host,
			mosquitto_reason_string(conn->bye));
		return;
	}
	if (rc == MOSQ_ERR_EAI) {
		(void) fault_set(ret, FAULT_BROKER_NAME, "%s: %s", host, gai_strerror(conn->error));
		return;
	}
	if (rc == MOSQ_ERR_ERRNO && conn->error != 0) {
		(void) snprintf(reason, sizeof(reason), "%s", strerror(conn->error));
	} else if (rc == MOSQ_ERR_KEEPALIVE) {
		(void) snprintf(
			reason, sizeof(reason), "it is silent, and does not answer to a ping");
	} else {
		(void) snprintf(reason, sizeof(reason), "%s", mosquitto_strerror(rc));
	}
	(void) fault_set(ret, FAULT_BROKER_UNREACHABLE, "%s: %s", host, reason);
}

static bool is_too_new(const struct conn *conn) {
	return conn->is_v5 && conn->config->protocol == MQTT_PROTOCOL_AUTO;
}

/* CONNACK says no. */
static enum conn_failure describe_refusal(const struct conn *conn, struct fault *ret) {
	int code = conn->connack;
	bool is_version = conn->is_v5 && code == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION;
	/* About its own state; the rest is about who we are, or what we speak. */
	bool is_busy = conn->is_v5 ? code == MQTT_RC_SERVER_UNAVAILABLE ||
					     code == MQTT_RC_SERVER_BUSY ||
					     code == MQTT_RC_CONNECTION_RATE_EXCEEDED
				   : code == CONNACK_REFUSED_SERVER_UNAVAILABLE;

	(void) fault_set(ret, is_busy ? FAULT_BROKER_UNREACHABLE : FAULT_BROKER_REFUSED, "%s",
		conn->is_v5 ? mosquitto_reason_string(code) : mosquitto_connack_string(code));
	return is_version && is_too_new(conn) ? CONN_FAILURE_VERSION : CONN_FAILURE_FINAL;
}

enum conn_failure conn_describe_failure(const struct conn *conn, int rc, struct fault *ret) {
	bool is_tls = conn->config->is_tls;

	if (conn->is_answered) {
		return describe_refusal(conn, ret);
	}
	if (is_tls && (rc == MOSQ_ERR_TLS || conn->said[0] != '\0')) {
		tls_reason(&conn->tls, conn->said, conn->config, ret);
		return CONN_FAILURE_FINAL;
	}
	if (conn->is_tcp_up) {
		(void) fault_set(ret, is_tls ? FAULT_BROKER_TLS : FAULT_BROKER_UNREACHABLE,
			is_tls ? "the broker closed the connection during the TLS handshake; does "
				 "port %d expect TLS, and a certificate of ours (cert_file)?"
			       : "the broker closed the connection unasked; does port %d expect "
				 "TLS?",
			conn->port);
		return is_too_new(conn) ? CONN_FAILURE_VERSION : CONN_FAILURE_FINAL;
	}
	conn_describe_loss(conn, rc, ret);
	return CONN_FAILURE_BELOW;
}
