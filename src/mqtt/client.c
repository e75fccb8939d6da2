/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <mosquitto.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "loop/loop.h"
#include "util/auto.h"
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
 */

#define KEEPALIVE_S 60
/* The broker waits for 1.5 * KEEPALIVE_S; a ping is at most one tick late. */
#define MISC_MS 20000
#define ANSWER_MS 10000
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000
/* A connection must have lasted so long to count as a success that ends the back-off. */
#define SETTLED_MS 30000
#define READS_PER_TURN 32
#define INFLIGHT_MAX 100

enum client_state {
	CLIENT_OFF,
	CLIENT_WAITING,    /* for the next try */
	CLIENT_RESOLVING,  /* the pool thread has the connection */
	CLIENT_CONNECTING, /* TCP, TLS, MQTT, up to ANSWER_MS */
	CLIENT_UP,
};

struct conn {
	struct client *client; /* NULL: given up while on the pool thread */
	struct mosquitto *mosq;
	struct loop_fd *watch;
	char *host;
	int port;
	const char *bind; /* NULL, or what restricts the address family; static */
	int rc;           /* of the pool thread */
	int error;        /* errno or EAI_ that goes with rc */
	bool is_tcp_up;
	bool is_answered; /* CONNACK is here */
	int connack;
	char said[FAULT_DETAIL_MAX]; /* the library's first complaint; "" none */
};

struct client {
	struct loop *loop;
	struct client_config config;
	const struct client_user *impl;
	void *user;
	enum client_state state;
	struct conn *conn;
	struct loop_work *work;
	struct loop_timer *timer; /* the next try, the answer's limit, or the library's tick */
	unsigned family;          /* index into families */
	struct fault first_fault; /* of the try with any family */
	unsigned n_failures;
	mono_t up_since;
	unsigned depth;  /* callbacks under way: no freeing below them */
	bool is_parting; /* says goodbye before it goes */
	bool is_dead;
};

static const char *const families[] = { NULL, "0.0.0.0", "::" };

static bool is_set(const char *text) {
	return text != NULL && text[0] != '\0';
}

static struct conn *conn_free(struct conn *conn) {
	if (conn != NULL) {
		conn->watch = loop_fd_free(conn->watch);
		mosquitto_destroy(conn->mosq);
		free(conn->host);
		free(conn);
	}
	return NULL;
}
AUTO_DEFINE(struct conn *, conn_free);

/* On either thread, never on both at a time. The first complaint is the cause, the rest follows. */
static void on_log(struct mosquitto *mosq, void *user, int level, const char *text) {
	struct conn *conn = user;

	if (level == MOSQ_LOG_ERR && conn->said[0] == '\0') {
		const char *tail = strstr(text, "::");
		(void) text_copy(conn->said, sizeof(conn->said), tail != NULL ? tail + 2 : text);
		text_sanitize(conn->said);
	}
}

static void on_connack(struct mosquitto *mosq, void *user, int code) {
	struct conn *conn = user;

	conn->is_answered = true;
	conn->connack = code;
}

static void on_published(struct mosquitto *mosq, void *user, int mid) {
	struct client *client = ((struct conn *) user)->client;

	if (client->state == CLIENT_UP && !client->is_dead) {
		client->impl->published(client->user, mid);
	}
}

static void on_subscribed(
	struct mosquitto *mosq, void *user, int mid, int n_granted, const int *granted) {
	struct client *client = ((struct conn *) user)->client;
	unsigned n_refused = 0;

	for (int i = 0; i < n_granted; i++) {
		n_refused += granted[i] > 2;
	}
	if (client->state == CLIENT_UP && !client->is_dead) {
		client->impl->subscribed(client->user, mid, n_refused);
	}
}

static void on_message(
	struct mosquitto *mosq, void *user, const struct mosquitto_message *message) {
	struct client *client = ((struct conn *) user)->client;

	if (client->state == CLIENT_UP && !client->is_dead) {
		client->impl->message(client->user, message->topic, message->payload,
			(size_t) message->payloadlen, message->retain);
	}
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

/* NULL: *ret_fault says why. */
static struct conn *conn_new(struct client *client, struct fault *ret_fault) {
	const struct client_config *config = &client->config;
	AUTO(conn_free) struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		(void) fault_set(ret_fault, FAULT_NO_MEMORY, "connecting to the broker");
		return NULL;
	}
	conn->client = client;
	conn->bind = families[client->family];
	conn->port = config->host[0] == '/' ? 0 : (int) config->port;
	conn->host = strdup(config->host);
	conn->mosq = mosquitto_new(config->client_id, true, conn);
	if (conn->host == NULL || conn->mosq == NULL) {
		(void) fault_set(ret_fault, FAULT_NO_MEMORY, "connecting to the broker");
		return NULL;
	}
	mosquitto_log_callback_set(conn->mosq, on_log);
	mosquitto_connect_callback_set(conn->mosq, on_connack);
	mosquitto_publish_callback_set(conn->mosq, on_published);
	mosquitto_subscribe_callback_set(conn->mosq, on_subscribed);
	mosquitto_message_callback_set(conn->mosq, on_message);
	(void) mosquitto_max_inflight_messages_set(conn->mosq, INFLIGHT_MAX);
	(void) mosquitto_int_option(conn->mosq, MOSQ_OPT_TCP_NODELAY, conn->port != 0);

	int rc = mosquitto_will_set(conn->mosq, config->will_topic,
		(int) strlen(config->will_payload), config->will_payload, 1, true);
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

static void retry_later(struct client *client) {
	unsigned shift = client->n_failures < 6 ? client->n_failures : 6;
	uint64_t base = (uint64_t) RETRY_MIN_MS << shift;
	uint32_t dice = 0;

	(void) !getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	/* 0.5 to 1.5 times the base: a hundred hubs do not storm a broker that comes back. */
	uint64_t ms = base / 2 + dice % base;
	ms = ms < RETRY_MIN_MS ? RETRY_MIN_MS : ms;
	ms = ms > RETRY_MAX_MS ? RETRY_MAX_MS : ms;
	client->n_failures++;
	client->state = CLIENT_WAITING;
	loop_timer_arm(client->timer, ms);
}

/* Ends the present connection or attempt. @is_below: TCP or DNS failed, another family may do. */
static void client_lost(struct client *client, bool is_below, const struct fault *fault) {
	bool was_up = client->state == CLIENT_UP;
	struct in6_addr numeric;
	bool is_named = client->config.host[0] != '/' &&
			inet_pton(AF_INET, client->config.host, &numeric) != 1 &&
			inet_pton(AF_INET6, client->config.host, &numeric) != 1;
	struct fault told = *fault;

	client->conn = conn_free(client->conn);
	if (was_up &&
		mono_since(client->up_since, clock_mono(loop_clock(client->loop))) >= SETTLED_MS) {
		client->n_failures = 0;
	}
	if (client->family == 0) {
		client->first_fault = told;
	}
	if (is_below && is_named && !was_up && client->family + 1 < ARRAY_SIZE(families)) {
		client->family++;
		client->state = CLIENT_WAITING;
		loop_timer_arm(client->timer, 0);
		return;
	}
	/* What the other families said is about addresses that the host may not even have. */
	if (is_below && !was_up) {
		told = client->first_fault;
	}
	client->family = 0;
	retry_later(client);
	client->impl->down(client->user, &told);
}

static void conn_watch(struct conn *conn) {
	bool wants_write = mosquitto_want_write(conn->mosq);

	if (!conn->is_tcp_up) {
		wants_write = true;
	} else if (!conn->is_answered && conn->client->config.is_tls) {
		wants_write = false;
	}
	if (conn->watch != NULL) {
		(void) loop_fd_watch(conn->watch, LOOP_READ | (wants_write ? LOOP_WRITE : 0));
	}
}

/* 0, or the errno of a connection that failed or has been closed by the broker. */
static int conn_peek(struct conn *conn) {
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

/* @return MOSQ_ERR_. */
static int conn_drive(struct conn *conn, int events) {
	int rc = MOSQ_ERR_SUCCESS;

	if (events < 0 || !conn->is_answered) {
		conn->error = conn_peek(conn);
		/* Reset or closed: by a broker that was there. */
		conn->is_tcp_up = conn->is_tcp_up || conn->error == 0 ||
				  conn->error == ECONNRESET || conn->error == EPIPE;
		/* libuv calls every error of the socket EBADF. */
		conn->error = conn->error == 0 && events < 0 ? -events : conn->error;
		if (conn->error != 0) {
			return MOSQ_ERR_ERRNO;
		}
	}
	for (unsigned i = 0; i < READS_PER_TURN; i++) {
		errno = 0;
		rc = mosquitto_loop_read(conn->mosq, 1);
		if (rc != MOSQ_ERR_SUCCESS || errno == EAGAIN || mosquitto_socket(conn->mosq) < 0) {
			break;
		}
	}
	conn->error = rc == MOSQ_ERR_ERRNO ? errno : 0;
	if (rc == MOSQ_ERR_SUCCESS && mosquitto_socket(conn->mosq) >= 0 &&
		mosquitto_want_write(conn->mosq)) {
		rc = mosquitto_loop_write(conn->mosq, 1);
		conn->error = rc == MOSQ_ERR_ERRNO ? errno : 0;
	}
	return rc;
}

static void describe_loss(const struct conn *conn, int rc, struct fault *ret) {
	char reason[96];

	if (rc == MOSQ_ERR_EAI) {
		(void) snprintf(reason, sizeof(reason), "%s", gai_strerror(conn->error));
	} else if (rc == MOSQ_ERR_ERRNO && conn->error != 0) {
		(void) snprintf(reason, sizeof(reason), "%s", strerror(conn->error));
	} else {
		(void) snprintf(reason, sizeof(reason), "%s", mosquitto_strerror(rc));
	}
	(void) fault_set(ret, FAULT_BROKER_UNREACHABLE, "%s: %s",
		conn->port != 0 ? conn->host : "socket", reason);
}

/* What went wrong before the broker accepted us. @return whether it was below MQTT and TLS. */
static bool describe_failure(const struct conn *conn, int rc, struct fault *ret) {
	bool is_tls = conn->client->config.is_tls;

	if (conn->is_answered) {
		/* 3: server unavailable; the rest is about who we are. */
		(void) fault_set(ret,
			conn->connack == 3 ? FAULT_BROKER_UNREACHABLE : FAULT_BROKER_REFUSED, "%s",
			mosquitto_connack_string(conn->connack));
		return false;
	}
	if (is_tls && (rc == MOSQ_ERR_TLS || conn->said[0] != '\0')) {
		(void) fault_set(ret, FAULT_BROKER_TLS, "%s",
			conn->said[0] != '\0' ? conn->said : mosquitto_strerror(rc));
		return false;
	}
	if (conn->is_tcp_up) {
		(void) fault_set(ret, is_tls ? FAULT_BROKER_TLS : FAULT_BROKER_UNREACHABLE,
			is_tls ? "the broker closed the connection during the TLS handshake; does "
				 "port %d expect TLS?"
			       : "the broker closed the connection unasked; does port %d expect "
				 "TLS?",
			conn->port);
		return false;
	}
	describe_loss(conn, rc, ret);
	return true;
}

static void client_settle(struct client *client, int rc) {
	struct conn *conn = client->conn;
	struct fault fault;

	if (client->is_dead || client->state == CLIENT_OFF || conn == NULL) {
		return;
	}
	if (client->state == CLIENT_UP) {
		if (rc != MOSQ_ERR_SUCCESS || mosquitto_socket(conn->mosq) < 0) {
			describe_loss(
				conn, rc != MOSQ_ERR_SUCCESS ? rc : MOSQ_ERR_CONN_LOST, &fault);
			client_lost(client, false, &fault);
			return;
		}
	} else if (conn->is_answered && conn->connack == 0) {
		client->state = CLIENT_UP;
		client->family = 0;
		client->up_since = clock_mono(loop_clock(client->loop));
		loop_timer_arm(client->timer, MISC_MS);
		client->impl->up(client->user);
	} else if (rc != MOSQ_ERR_SUCCESS || conn->is_answered ||
		   mosquitto_socket(conn->mosq) < 0) {
		bool is_below = describe_failure(conn, rc, &fault);
		client_lost(client, is_below, &fault);
		return;
	}
	if (client->conn == conn && client->state != CLIENT_OFF) {
		conn_watch(conn);
	}
}

void client_again(struct client *client) {
	client->n_failures = 0;
	if (client->state == CLIENT_WAITING) {
		loop_timer_arm(client->timer, 0);
	} else if (client->state == CLIENT_UP && mosquitto_socket(client->conn->mosq) >= 0) {
		/* Noticed as any other loss, from the loop. */
		(void) shutdown(mosquitto_socket(client->conn->mosq), SHUT_RDWR);
	}
}

static void conn_part(struct client *client) {
	if (client->conn != NULL && client->is_parting) {
		(void) mosquitto_disconnect(client->conn->mosq);
	}
	client->is_parting = false;
	client->conn = conn_free(client->conn);
}

static void client_leave(struct client *client) {
	if (--client->depth > 0) {
		return;
	}
	if (client->state == CLIENT_OFF) {
		conn_part(client);
	}
	if (client->is_dead) {
		client->timer = loop_timer_free(client->timer);
		free(client);
	}
}

static void on_socket(void *user, int events) {
	struct client *client = user;

	client->depth++;
	client_settle(client, conn_drive(client->conn, events));
	client_leave(client);
}

/* What the pool thread has to itself; the connection is taken out of it by resolved(). */
struct lookup {
	struct conn *conn;
};

/* Pool thread: nobody else touches the connection now. */
static void resolve(void *user) {
	struct conn *conn = ((struct lookup *) user)->conn;

	errno = 0;
	conn->rc = mosquitto_connect_bind_async(
		conn->mosq, conn->host, conn->port, KEEPALIVE_S, conn->bind);
	conn->error = errno;
}

/* Not called after loop_work_cancel(), so the client is still there. */
static void resolved(void *user) {
	struct conn *conn = STEAL(((struct lookup *) user)->conn);
	struct client *client = conn->client;
	struct fault fault;

	client->depth++;
	client->work = NULL;
	client->conn = conn;
	client->state = CLIENT_CONNECTING;
	int fd = mosquitto_socket(conn->mosq);
	if (conn->rc == MOSQ_ERR_SUCCESS && fd >= 0) {
		conn->watch = loop_fd_new(client->loop, fd, on_socket, client);
		conn->rc = conn->watch != NULL ? MOSQ_ERR_SUCCESS : MOSQ_ERR_NOMEM;
	}
	if (conn->rc != MOSQ_ERR_SUCCESS || fd < 0) {
		bool is_below = describe_failure(conn, conn->rc, &fault);
		client_lost(client, is_below, &fault);
	} else {
		loop_timer_arm(client->timer, ANSWER_MS);
		conn_watch(conn);
	}
	client_leave(client);
}

/* Last of all, on the loop thread, also when the lookup was given up. */
static void resolve_over(void *user) {
	struct lookup *lookup = user;

	(void) conn_free(lookup->conn);
	free(lookup);
}

static void client_begin(struct client *client) {
	struct fault fault;
	struct conn *conn = conn_new(client, &fault);
	struct lookup *lookup = conn != NULL ? calloc(1, sizeof(*lookup)) : NULL;

	if (lookup != NULL) {
		lookup->conn = conn;
		client->state = CLIENT_RESOLVING;
		client->work = loop_work_run(client->loop, resolve, resolved, resolve_over, lookup);
	}
	if (lookup == NULL || client->work == NULL) {
		if (conn != NULL) {
			(void) fault_set(&fault, FAULT_NO_MEMORY, "connecting to the broker");
		}
		(void) conn_free(conn);
		free(lookup);
		client_lost(client, false, &fault);
	}
}

static void on_timer(void *user) {
	struct client *client = user;
	struct fault fault;

	client->depth++;
	switch (client->state) {
	case CLIENT_WAITING:
		client_begin(client);
		break;
	case CLIENT_CONNECTING:
		(void) fault_set(&fault, FAULT_BROKER_UNREACHABLE, "no answer in %d ms", ANSWER_MS);
		client_lost(client, !client->conn->is_tcp_up, &fault);
		break;
	case CLIENT_UP:
		loop_timer_arm(client->timer, MISC_MS);
		client_settle(client, mosquitto_loop_misc(client->conn->mosq));
		break;
	case CLIENT_OFF:
	case CLIENT_RESOLVING:
		break;
	}
	client_leave(client);
}

struct client *client_new(struct loop *loop, const struct client_config *config,
	const struct client_user *impl, void *user) {
	static bool is_library_ready;
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		return NULL;
	}
	if (!is_library_ready) {
		(void) mosquitto_lib_init();
		is_library_ready = true;
	}
	client->loop = loop;
	client->config = *config;
	client->impl = impl;
	client->user = user;
	client->timer = loop_timer_new(loop, on_timer, client);
	if (client->timer == NULL) {
		free(client);
		return NULL;
	}
	return client;
}

static void client_stop(struct client *client) {
	if (client->work != NULL) {
		loop_work_cancel(client->work); /* resolve_over() frees the rest */
		client->work = NULL;
	}
	loop_timer_disarm(client->timer);
	client->state = CLIENT_OFF;
	/* Inside one of the library's callbacks it holds a mutex: then when that is over. */
	if (client->depth == 0) {
		conn_part(client);
	}
}

void client_close(struct client *client) {
	client->is_parting = client->state == CLIENT_UP;
	client_stop(client);
}

struct client *client_free(struct client *client) {
	if (client != NULL) {
		client_stop(client);
		client->is_dead = true;
		client->depth++;
		client_leave(client);
	}
	return NULL;
}

void client_start(struct client *client) {
	assert(client->state == CLIENT_OFF);
	client->state = CLIENT_WAITING;
	client->n_failures = 0;
	client->family = 0;
	loop_timer_arm(client->timer, 0);
}

static int to_errno(int rc) {
	switch (rc) {
	case MOSQ_ERR_SUCCESS:
		return 0;
	case MOSQ_ERR_NOMEM:
		return -ENOMEM;
	case MOSQ_ERR_INVAL:
	case MOSQ_ERR_PAYLOAD_SIZE:
	case MOSQ_ERR_MALFORMED_UTF8:
		return -EINVAL;
	default:
		return -ENOTCONN;
	}
}

int client_publish(struct client *client, const char *topic, const void *payload, size_t n,
	bool is_retained, int *ret_mid) {
	if (client->state != CLIENT_UP) {
		return -ENOTCONN;
	}
	int rc = mosquitto_publish(
		client->conn->mosq, ret_mid, topic, (int) n, payload, 1, is_retained);
	/*
	 * A socket that failed while this was being written: the message is kept by the library
	 * and the loop will find the socket dead. For the caller it is under way.
	 */
	if (rc == MOSQ_ERR_CONN_LOST || rc == MOSQ_ERR_ERRNO || rc == MOSQ_ERR_NO_CONN) {
		rc = MOSQ_ERR_SUCCESS;
	}
	conn_watch(client->conn);
	return to_errno(rc);
}

int client_subscribe(struct client *client, char *const *topics, size_t n, int *ret_mid) {
	assert(n > 0 && n <= CLIENT_TOPICS_MAX);
	if (client->state != CLIENT_UP) {
		return -ENOTCONN;
	}
	int rc = mosquitto_subscribe_multiple(
		client->conn->mosq, ret_mid, (int) n, topics, 1, 0, NULL);
	conn_watch(client->conn);
	return to_errno(rc);
}
