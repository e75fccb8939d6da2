/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "loop/loop.h"
#include "util/auto.h"

#include "conn.h"

/*
 * The library reads as long as something comes. So a turn of the loop reads for READ_MS at most,
 * and all turns together for a tenth of the time: whoever floods us gets a tenth of a processor,
 * and the rest waits with the broker, or is thrown away there.
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

enum client_state {
	CLIENT_OFF,
	CLIENT_WAITING,    /* for the next try */
	CLIENT_RESOLVING,  /* the pool thread has the connection */
	CLIENT_CONNECTING, /* TCP, TLS, MQTT, up to ANSWER_MS */
	CLIENT_UP,
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
	unsigned family;          /* of CONN_FAMILIES */
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

/* @return whether another way is left, which is then under way. */
static bool client_try_other(struct client *client, enum conn_failure failure) {
	if (failure == CONN_FAILURE_BELOW && is_named(client->config.host) &&
		client->family + 1 < CONN_FAMILIES) {
		client->family++;
	} else if (failure == CONN_FAILURE_VERSION && !client->has_switched) {
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
static void client_lost(
	struct client *client, enum conn_failure failure, const struct fault *fault) {
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
	if (failure == CONN_FAILURE_BELOW && !was_up) {
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
static int client_read(struct client *client) {
	const struct clock *clock = loop_clock(client->loop);
	mono_t start = clock_mono(clock);
	mono_t now;
	bool is_more;
	int rc;

	budget_refill(client, start);
	do {
		rc = conn_read(client->conn, &is_more);
		now = clock_mono(clock);
	} while (is_more && mono_since(start, now) < READ_MS);
	budget_spend(client, mono_since(start, now), now);
	return rc;
}

/* @return MOSQ_ERR_. */
static int client_drive(struct client *client, int events) {
	int rc = conn_check(client->conn, events);

	if (rc == MOSQ_ERR_SUCCESS && !loop_timer_is_armed(client->resume)) {
		rc = client_read(client);
	}
	return rc == MOSQ_ERR_SUCCESS ? conn_write(client->conn) : rc;
}

static void client_watch(struct client *client) {
	const struct conn *conn = client->conn;
	bool wants_read = !loop_timer_is_armed(client->resume);

	if (conn->watch != NULL) {
		(void) loop_fd_watch(conn->watch,
			(wants_read ? LOOP_READ : 0) | (conn_wants_write(conn) ? LOOP_WRITE : 0));
	}
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
		if (rc != MOSQ_ERR_SUCCESS || !conn_is_open(conn)) {
			conn_describe_loss(
				conn, rc != MOSQ_ERR_SUCCESS ? rc : MOSQ_ERR_CONN_LOST, &fault);
			client_lost(client, CONN_FAILURE_FINAL, &fault);
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
	} else if (rc != MOSQ_ERR_SUCCESS || conn->is_answered || !conn_is_open(conn)) {
		enum conn_failure failure = conn_describe_failure(conn, rc, &fault);
		client_lost(client, failure, &fault);
		return;
	}
	if (client->conn == conn && client->state != CLIENT_OFF) {
		client_watch(client);
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
	client_settle(client, client_drive(client, events));
	client_leave(client);
}

/* Reading goes on; what came meanwhile shows itself to the watch. */
static void on_resume(void *user) {
	struct client *client = user;

	if (client->state == CLIENT_UP && client->conn != NULL) {
		client_watch(client);
	}
}

/* What the pool thread has to itself; the connection is taken out of it by resolved(). */
struct lookup {
	struct conn *conn;
};

static void resolve(void *user) {
	conn_connect(((struct lookup *) user)->conn);
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
		enum conn_failure failure = conn_describe_failure(conn, conn->rc, &fault);
		client_lost(client, failure, &fault);
	} else {
		loop_timer_arm(client->timer, ANSWER_MS);
		client_watch(client);
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
	bool is_v5 = client->config.protocol != MQTT_PROTOCOL_311 && !client->is_old;
	struct conn *conn = conn_new(&client->config, is_v5, client->family, client, &fault);
	struct lookup *lookup = conn != NULL ? calloc(1, sizeof(*lookup)) : NULL;

	if (lookup != NULL) {
		/* Those of MQTT 5 are called with 3.1.1 as well, without properties. */
		mosquitto_publish_v5_callback_set(conn->mosq, on_published);
		mosquitto_subscribe_v5_callback_set(conn->mosq, on_subscribed);
		mosquitto_message_v5_callback_set(conn->mosq, on_message);
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
		client_lost(client, CONN_FAILURE_FINAL, &fault);
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
		client_lost(client,
			client->conn->is_tcp_up ? CONN_FAILURE_FINAL : CONN_FAILURE_BELOW, &fault);
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
	client_watch(client);
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
	client_watch(client);
	return to_errno(rc);
}

int client_subscribe_once(struct client *client, char *const *topics, size_t n, int *ret_mid) {
	assert(n > 0 && n <= CLIENT_TOPICS_MAX);
	if (client->state != CLIENT_UP) {
		return -ENOTCONN;
	}
	int rc = mosquitto_subscribe_multiple(
		client->conn->mosq, ret_mid, (int) n, topics, 0, 0, NULL);
	client_watch(client);
	return to_errno(rc);
}

int client_unsubscribe(struct client *client, const char *topic) {
	if (client->state != CLIENT_UP) {
		return -ENOTCONN;
	}
	int rc = mosquitto_unsubscribe(client->conn->mosq, NULL, topic);
	client_watch(client);
	return to_errno(rc);
}
