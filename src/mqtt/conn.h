/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One connection to the broker, from the name's lookup to what is to be told of its end: an object
 * of libmosquitto driven without a thread and without waiting (what of it has to be worked round is
 * told on top of conn.c). What follows upon the end is client.c's. One thread at a time.
 */

#include "client.h"
#include "tls-reason.h"
#include "util/auto.h"

struct loop_fd;
struct mosquitto;

struct conn {
	struct client *client;              /* whose callbacks they are; NULL: nobody's */
	const struct client_config *config; /* borrowed; conn_connect() may outlive it */
	struct mosquitto *mosq;
	struct loop_fd *watch; /* NULL: none yet */
	char *host;
	int port;
	int keepalive_s;
	const char *bind; /* NULL, or what restricts the address family; static */
	int rc;           /* MOSQ_ERR_ of conn_connect() */
	int error;        /* errno or EAI_ that goes with the last MOSQ_ERR_ */
	bool is_tcp_up;
	bool is_v5;
	bool is_answered; /* CONNACK is here */
	bool is_again;    /* the DUP flag of the message that comes next */
	int connack;
	int bye; /* reason of the broker's DISCONNECT (MQTT 5); 0 none */
	struct tls_facts tls;
	char said[FAULT_DETAIL_MAX]; /* the library's first complaint; "" none */
};

/* How an attempt failed, and what may be tried at once in another way. */
enum conn_failure {
	CONN_FAILURE_FINAL,
	CONN_FAILURE_BELOW,   /* TCP or DNS: another family may do */
	CONN_FAILURE_VERSION, /* the broker may not know MQTT 5 */
};

/* Which addresses are tried: 0 the first that the name has, 1 IPv4 only, 2 IPv6 only. */
#define CONN_FAMILIES 3

/*
 * @config: borrowed. Callbacks for what the broker publishes and acknowledges are the caller's to
 * set; they are called with the conn. NULL: *ret_fault says why.
 */
struct conn *conn_new(const struct client_config *config, bool is_v5, unsigned family,
	struct client *client, struct fault *ret_fault);
struct conn *conn_free(struct conn *conn);
AUTO_DEFINE(struct conn *, conn_free);

/* Pool thread; nobody else touches it meanwhile. Blocks for the name. The outcome is in rc. */
void conn_connect(struct conn *conn);
/* The library may close its socket in any call. */
bool conn_is_open(const struct conn *conn);

/*
 * Before anything is read: until the broker has answered, and when the loop tells of an error,
 * @events < 0. @return MOSQ_ERR_; sets is_tcp_up.
 */
int conn_check(struct conn *conn, int events);
/* What the socket is to be watched for besides reading. */
bool conn_wants_write(const struct conn *conn);
/* @return MOSQ_ERR_. One turn; *ret_is_more: perhaps not all has been read. */
int conn_read(struct conn *conn, bool *ret_is_more);
/* @return MOSQ_ERR_. What there is to write, if the socket is still open. */
int conn_write(struct conn *conn);

/* Why a connection that the broker had accepted has ended; @rc: MOSQ_ERR_. */
void conn_describe_loss(const struct conn *conn, int rc, struct fault *ret);
/* What went wrong before the broker accepted us. */
enum conn_failure conn_describe_failure(const struct conn *conn, int rc, struct fault *ret);
