/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "loop/loop.h"
#include "util/auto.h"
#include "util/text.h"

#include "tls-reason.h"

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
 *    ours are under way. So a turn of the loop reads for READ_MS at most, and all turns together
 *    for a tenth of the time: whoever floods us gets a tenth of a processor, and the rest waits
 *    with the broker, or is thrown away there.
 */

#define READ_MS 5
#define READ_SHARE 10     /* one in so many milliseconds is for reading... */
#define READ_BURST_MS 100 /* ...and so many that were not used */
#define READ_PAUSE_MS 100
/* Less than this takes long only where the processor is busy with something else. */
#define FLOOD_MESSAGES 500
#define FLOOD_OCTETS (8 * 1024 * 1024)
/* What came before a flood was over may have waited; so long after the last pause it is. */
#define FLOOD_OVER_MS 2000
/* The library looks at the time when it is called only. */
#define MISC_PER_KEEPALIVE 4
#define ANSWER_MS 10000
#define RETRY_MIN_MS 1000
/* While nobody is there a try costs a packet, and a broker that comes back is to be found soon. */
#define RETRY_ABSENT_MS 3000
/* A broker that refuses us writes a line about it each time. */
#define RETRY_REFUSED_MS 30000
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
	int keepalive_s;
	const char *bind; /* NULL, or what restricts the address family; static */
	int rc;           /* of the pool thread */
	int error;        /* errno or EAI_ that goes with rc */
	bool is_tcp_up;
	bool is_v5;
	bool is_answered; /* CONNACK is here */
	bool is_again;    /* the DUP flag of the message that comes next */
	int connack;
	int bye; /* reason of the broker's DISCONNECT (MQTT 5); 0 none */
	struct tls_facts tls;
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
	struct loop_timer *timer;  /* the next try, the answer's limit, or the library's tick */
	struct loop_timer *resume; /* armed: reading is paused */
	int64_t budget_ms;         /* left for reading */
	mono_t budget_at;          /* when it was reckoned */
	unsigned n_read;           /* messages since the budget was full */
	size_t octets_read;
	mono_t flooded;           /* when last; ms 0: never */
	bool was_flooded;         /* and told */
	unsigned family;          /* index into families */
	bool is_old;              /* 3.1.1, with MQTT_PROTOCOL_AUTO */
	bool has_switched;        /* both versions were tried */
	struct fault first_fault; /* of the try with any family */
	unsigned n_failures;      /* of the same kind, one after the other */
	enum fault_code last_failure;
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

/* NULL: what the broker answered is no refusal. */
static const char *refusal_of(int reason) {
	return reason >= MQTT_RC_UNSPECIFIED ? mosquitto_reason_string(reason) : NULL;
}

static void on_published(struct mosquitto *mosq, void *user, int mid, int reason,
	const mosquitto_property *properties) {
	struct client *client = ((struct conn *) user)->client;

	if (client->state == CLIENT_UP && !client->is_dead) {
		client->impl->published(client->user, mid,
			reason == MQTT_RC_NO_MATCHING_SUBSCRIBERS ? NULL : refusal_of(reason));
	}
}

static void on_subscribed(struct mosquitto *mosq, void *user, int mid, int n_granted,
	const int *granted, const mosquitto_property *properties) {
	struct conn *conn = user;
	struct client *client = conn->client;
	int refused = -1;

	for (int i = n_granted - 1; i >= 0; i--) {
		refused = granted[i] > 2 ? i : refused;
	}
	if (client->state == CLIENT_UP && !client->is_dead) {
		client->impl->subscribed(client->user, mid, refused,
			refused >= 0 && conn->is_v5 ? refusal_of(granted[refused]) : NULL);
	}
}

static void on_message(struct mosquitto *mosq, void *user, const struct mosquitto_message *message,
	const mosquitto_property *properties) {
	struct conn *conn = user;
	struct client *client = conn->client;
	uint32_t expires_s = 0;

	client->n_read++;
	client->octets_read += (size_t) message->payloadlen;
	if (client->state != CLIENT_UP || client->is_dead) {
		return;
	}
	const mosquitto_property *expiry = mosquitto_property_read_int32(
		properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, &expires_s, false);
	struct client_message heard = {
		.topic = message->topic,
		.payload = message->payload,
		.n = (size_t) message->payloadlen,
		.is_retained = message->retain,
		.is_again = conn->is_again && message->qos > 0,
		/* 0 left is not "none given". */
		.expires_ms = expiry == NULL   ? 0
			      : expires_s == 0 ? 1
					       : (int64_t) expires_s * 1000,
	};
	client->impl->message(client->user, &heard);
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
	conn->is_v5 = config->protocol != MQTT_PROTOCOL_311 && !client->is_old;
	conn->bind = families[client->family];
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
	mosquitto_publish_v5_callback_set(conn->mosq, on_published);
	mosquitto_subscribe_v5_callback_set(conn->mosq, on_subscribed);
	mosquitto_message_v5_callback_set(conn->mosq, on_message);
	(void) mosquitto_int_option(conn->mosq, MOSQ_OPT_PROTOCOL_VERSION,
		conn->is_v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
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

static void retry_later(struct client *client, enum fault_code why) {
	uint64_t most_ms = why == FAULT_BROKER_UNREACHABLE || why == FAULT_BROKER_NAME
				   ? RETRY_ABSENT_MS
				   : RETRY_REFUSED_MS;
	unsigned shift = client->n_failures < 6 ? client->n_failures : 6;
	uint64_t base = (uint64_t) RETRY_MIN_MS << shift;
	uint32_t dice = 0;

	(void) !getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	/* 0.5 to 1.5 times the base: a hundred hubs do not storm a broker that comes back. */
	uint64_t ms = base / 2 + dice % base;
	ms = ms < RETRY_MIN_MS ? RETRY_MIN_MS : ms;
	ms = ms > most_ms ? most_ms : ms;
	client->n_failures++;
	client->state = CLIENT_WAITING;
	loop_timer_arm(client->timer, ms);
}

static bool is_named(const char *host) {
	struct in6_addr numeric;

	return host[0] != '/' && inet_pton(AF_INET, host, &numeric) != 1 &&
	       inet_pton(AF_INET6, host, &numeric) != 1;
}

/* How an attempt failed, and what may be tried at once in another way. */
enum failure {
	FAILURE_FINAL,
	FAILURE_BELOW,   /* TCP or DNS: another family may do */
	FAILURE_VERSION, /* the broker may not know MQTT 5 */
};

/* @return whether another way is left, which is then under way. */
static bool client_try_other(struct client *client, enum failure failure) {
	if (failure == FAILURE_BELOW && is_named(client->config.host) &&
		client->family + 1 < ARRAY_SIZE(families)) {
		client->family++;
	} else if (failure == FAILURE_VERSION && !client->has_switched) {
		client->has_switched = true;
		client->is_old = true;
	} else {
		return false;
	}
	client->state = CLIENT_WAITING;
	loop_timer_arm(client->timer, 0);
	return true;
}

/* Ends the present connection or attempt. */
static void client_lost(struct client *client, enum failure failure, const struct fault *fault) {
	bool was_up = client->state == CLIENT_UP;
	struct fault told = *fault;

	client->conn = conn_free(client->conn);
	loop_timer_disarm(client->resume);
	client->was_flooded = false;
	if (was_up &&
		mono_since(client->up_since, clock_mono(loop_clock(client->loop))) >= SETTLED_MS) {
		client->n_failures = 0;
	}
	if (client->family == 0) {
		client->first_fault = told;
	}
	if (!was_up && client_try_other(client, failure)) {
		return;
	}
	/* What the other families said is about addresses that the host may not even have. */
	if (failure == FAILURE_BELOW && !was_up) {
		told = client->first_fault;
	}
	client->family = 0;
	client->is_old = false; /* it may come back as a newer one */
	client->has_switched = false;
	/* Something has been changed: the next change may be soon. */
	client->n_failures = told.code != client->last_failure ? 0 : client->n_failures;
	client->last_failure = told.code;
	retry_later(client, told.code);
	client->impl->down(client->user, &told);
}

static void conn_watch(struct conn *conn) {
	bool wants_write = mosquitto_want_write(conn->mosq);
	bool wants_read = !loop_timer_is_armed(conn->client->resume);

	if (!conn->is_tcp_up) {
		wants_write = true;
	} else if (!conn->is_answered && conn->client->config.is_tls) {
		wants_write = false;
	}
	if (conn->watch != NULL) {
		(void) loop_fd_watch(
			conn->watch, (wants_read ? LOOP_READ : 0) | (wants_write ? LOOP_WRITE : 0));
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

static void budget_refill(struct client *client, mono_t now) {
	int64_t refill = mono_since(client->budget_at, now) / READ_SHARE;

	if (client->budget_ms + refill >= READ_BURST_MS) {
		client->budget_ms = READ_BURST_MS;
		client->budget_at = now;
		client->n_read = 0;
		client->octets_read = 0;
	} else if (refill > 0) {
		client->budget_ms += refill;
		client->budget_at = now;
	}
}

static void budget_spend(struct client *client, int64_t took_ms, mono_t now) {
	client->budget_ms -= took_ms;
	if (client->budget_ms > 0) {
		return;
	}
	if (client->n_read < FLOOD_MESSAGES && client->octets_read < FLOOD_OCTETS) {
		client->budget_ms = 0;
		return;
	}
	client->flooded = now;
	loop_timer_arm(client->resume, (uint64_t) (READ_PAUSE_MS - client->budget_ms * READ_SHARE));
}

/* @return MOSQ_ERR_. Until nothing is left to read, or it has taken its share of the time. */
static int conn_read(struct conn *conn) {
	struct client *client = conn->client;
	const struct clock *clock = loop_clock(client->loop);
	mono_t start = clock_mono(clock);
	mono_t now;
	int rc = MOSQ_ERR_SUCCESS;

	budget_refill(client, start);
	do {
		errno = 0;
		rc = mosquitto_loop_read(conn->mosq, 1);
		conn->error = rc == MOSQ_ERR_ERRNO ? errno : 0;
		if (rc != MOSQ_ERR_SUCCESS || errno == EAGAIN || mosquitto_socket(conn->mosq) < 0) {
			break;
		}
		now = clock_mono(clock);
	} while (mono_since(start, now) < READ_MS);
	now = clock_mono(clock);
	budget_spend(client, mono_since(start, now), now);
	return rc;
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
	if (!loop_timer_is_armed(conn->client->resume)) {
		rc = conn_read(conn);
	}
	if (rc == MOSQ_ERR_SUCCESS && mosquitto_socket(conn->mosq) >= 0 &&
		mosquitto_want_write(conn->mosq)) {
		rc = mosquitto_loop_write(conn->mosq, 1);
		conn->error = rc == MOSQ_ERR_ERRNO ? errno : 0;
	}
	return rc;
}

static void describe_loss(const struct conn *conn, int rc, struct fault *ret) {
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
	return conn->is_v5 && conn->client->config.protocol == MQTT_PROTOCOL_AUTO;
}

/* CONNACK says no. */
static enum failure describe_refusal(const struct conn *conn, struct fault *ret) {
	int code = conn->connack;
	bool is_version = conn->is_v5 && code == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION;
	/* About its own state; the rest is about who we are, or what we speak. */
	bool is_busy = conn->is_v5 ? code == MQTT_RC_SERVER_UNAVAILABLE ||
					     code == MQTT_RC_SERVER_BUSY ||
					     code == MQTT_RC_CONNECTION_RATE_EXCEEDED
				   : code == CONNACK_REFUSED_SERVER_UNAVAILABLE;

	(void) fault_set(ret, is_busy ? FAULT_BROKER_UNREACHABLE : FAULT_BROKER_REFUSED, "%s",
		conn->is_v5 ? mosquitto_reason_string(code) : mosquitto_connack_string(code));
	return is_version && is_too_new(conn) ? FAILURE_VERSION : FAILURE_FINAL;
}

/* What went wrong before the broker accepted us. */
static enum failure describe_failure(const struct conn *conn, int rc, struct fault *ret) {
	bool is_tls = conn->client->config.is_tls;

	if (conn->is_answered) {
		return describe_refusal(conn, ret);
	}
	if (is_tls && (rc == MOSQ_ERR_TLS || conn->said[0] != '\0')) {
		tls_reason(&conn->tls, conn->said, &conn->client->config, ret);
		return FAILURE_FINAL;
	}
	if (conn->is_tcp_up) {
		(void) fault_set(ret, is_tls ? FAULT_BROKER_TLS : FAULT_BROKER_UNREACHABLE,
			is_tls ? "the broker closed the connection during the TLS handshake; does "
				 "port %d expect TLS, and a certificate of ours (cert_file)?"
			       : "the broker closed the connection unasked; does port %d expect "
				 "TLS?",
			conn->port);
		return is_too_new(conn) ? FAILURE_VERSION : FAILURE_FINAL;
	}
	describe_loss(conn, rc, ret);
	return FAILURE_BELOW;
}

/* Reading has just been paused, for the first time in this flood. */
static void client_tell_flood(struct client *client) {
	bool is_flooded = client_is_flooded(client);

	if (is_flooded && !client->was_flooded) {
		client->impl->flooded(client->user);
	}
	client->was_flooded = is_flooded;
}

static uint64_t misc_ms(const struct client *client) {
	return (uint64_t) client->config.keepalive_s * 1000 / MISC_PER_KEEPALIVE;
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
			client_lost(client, FAILURE_FINAL, &fault);
			return;
		}
		client_tell_flood(client);
	} else if (conn->is_answered && conn->connack == 0) {
		client->state = CLIENT_UP;
		client->family = 0;
		client->has_switched = false;
		client->up_since = clock_mono(loop_clock(client->loop));
		loop_timer_arm(client->timer, misc_ms(client));
		client->impl->up(client->user);
	} else if (rc != MOSQ_ERR_SUCCESS || conn->is_answered ||
		   mosquitto_socket(conn->mosq) < 0) {
		enum failure failure = describe_failure(conn, rc, &fault);
		client_lost(client, failure, &fault);
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
		client->resume = loop_timer_free(client->resume);
		free(client);
	}
}

static void on_socket(void *user, int events) {
	struct client *client = user;

	client->depth++;
	client_settle(client, conn_drive(client->conn, events));
	client_leave(client);
}

/* Reading goes on; what came meanwhile shows itself to the watch. */
static void on_resume(void *user) {
	struct client *client = user;

	if (client->state == CLIENT_UP && client->conn != NULL) {
		conn_watch(client->conn);
	}
}

/* What the pool thread has to itself; the connection is taken out of it by resolved(). */
struct lookup {
	struct conn *conn;
};

/*
 * Nothing is said of the session's life: by MQTT 5 it then ends with the connection, and we begin
 * with a clean one. So no command waits for us anywhere.
 */
static int conn_set_properties(struct conn *conn) {
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

/* Pool thread: nobody else touches the connection now. */
static void resolve(void *user) {
	struct conn *conn = ((struct lookup *) user)->conn;

	conn->rc = conn->is_v5 ? conn_set_properties(conn) : MOSQ_ERR_SUCCESS;
	errno = 0;
	if (conn->rc == MOSQ_ERR_SUCCESS) {
		conn->rc = mosquitto_connect_bind_async(
			conn->mosq, conn->host, conn->port, conn->keepalive_s, conn->bind);
	}
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
		enum failure failure = describe_failure(conn, conn->rc, &fault);
		client_lost(client, failure, &fault);
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
		client_lost(client, FAILURE_FINAL, &fault);
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
		client_lost(
			client, client->conn->is_tcp_up ? FAILURE_FINAL : FAILURE_BELOW, &fault);
		break;
	case CLIENT_UP:
		loop_timer_arm(client->timer, misc_ms(client));
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
	client->budget_ms = READ_BURST_MS;
	client->budget_at = clock_mono(loop_clock(loop));
	client->timer = loop_timer_new(loop, on_timer, client);
	client->resume = loop_timer_new(loop, on_resume, client);
	if (client->timer == NULL || client->resume == NULL) {
		(void) loop_timer_free(client->timer);
		(void) loop_timer_free(client->resume);
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
	loop_timer_disarm(client->resume);
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
	client->is_old = false;
	client->has_switched = false;
	loop_timer_arm(client->timer, 0);
}

enum mqtt_protocol client_protocol(const struct client *client) {
	if (client->state != CLIENT_UP) {
		return MQTT_PROTOCOL_UNKNOWN;
	}
	return client->conn->is_v5 ? MQTT_PROTOCOL_5 : MQTT_PROTOCOL_311;
}

bool client_is_flooded(const struct client *client) {
	return client->flooded.ms != 0 &&
	       mono_since(client->flooded, clock_mono(loop_clock(client->loop))) < FLOOD_OVER_MS;
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
	case MOSQ_ERR_OVERSIZE_PACKET:
		return -EMSGSIZE;
	case MOSQ_ERR_RETAIN_NOT_SUPPORTED:
	case MOSQ_ERR_QOS_NOT_SUPPORTED:
		return -EOPNOTSUPP;
	default:
		return -ENOTCONN;
	}
}

static int publish(struct client *client, const char *topic, const void *payload, size_t n,
	bool is_retained, const mosquitto_property *properties, int *ret_mid) {
	int rc = mosquitto_publish_v5(
		client->conn->mosq, ret_mid, topic, (int) n, payload, 1, is_retained, properties);
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

int client_publish(struct client *client, const char *topic, const void *payload, size_t n,
	bool is_retained, int *ret_mid) {
	return client->state == CLIENT_UP
		       ? publish(client, topic, payload, n, is_retained, NULL, ret_mid)
		       : -ENOTCONN;
}

int client_publish_event(struct client *client, const char *topic, const void *payload, size_t n,
	uint32_t expires_s, int *ret_mid) {
	mosquitto_property *properties = NULL;

	if (client->state != CLIENT_UP) {
		return -ENOTCONN;
	}
	int rc = client->conn->is_v5 ? mosquitto_property_add_int32(&properties,
					       MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, expires_s)
				     : MOSQ_ERR_SUCCESS;
	int r = rc == MOSQ_ERR_SUCCESS
			? publish(client, topic, payload, n, false, properties, ret_mid)
			: to_errno(rc);
	mosquitto_property_free_all(&properties);
	return r;
}

int client_subscribe(
	struct client *client, char *const *topics, size_t n, bool is_command, int *ret_mid) {
	assert(n > 0 && n <= CLIENT_TOPICS_MAX);
	if (client->state != CLIENT_UP) {
		return -ENOTCONN;
	}
	int options = is_command && client->conn->is_v5
			      ? MQTT_SUB_OPT_SEND_RETAIN_NEVER | MQTT_SUB_OPT_RETAIN_AS_PUBLISHED
			      : 0;
	int rc = mosquitto_subscribe_multiple(
		client->conn->mosq, ret_mid, (int) n, topics, 1, options, NULL);
	conn_watch(client->conn);
	return to_errno(rc);
}

int client_subscribe_once(struct client *client, char *const *topics, size_t n, int *ret_mid) {
	assert(n > 0 && n <= CLIENT_TOPICS_MAX);
	if (client->state != CLIENT_UP) {
		return -ENOTCONN;
	}
	int rc = mosquitto_subscribe_multiple(
		client->conn->mosq, ret_mid, (int) n, topics, 0, 0, NULL);
	conn_watch(client->conn);
	return to_errno(rc);
}

int client_unsubscribe(struct client *client, const char *topic) {
	if (client->state != CLIENT_UP) {
		return -ENOTCONN;
	}
	int rc = mosquitto_unsubscribe(client->conn->mosq, NULL, topic);
	conn_watch(client->conn);
	return to_errno(rc);
}
