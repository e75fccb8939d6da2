/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One connection to the broker after the other, by libmosquitto, without ever blocking the loop.
 * Knows nothing of locks. Loop thread only; how the library is driven is told in client.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/fault.h"
#include "util/secret.h"

struct client;
struct loop;

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
	const char *will_topic; /* published retained at QoS 1 by the broker when we vanish */
	const char *will_payload;
};

/* Never called from inside a call of this header; it is safe to free the client in any of them. */
struct client_user {
	/* Accepted. A clean session: nothing of a former connection is left. */
	void (*up)(void *user);
	/* Lost, refused or not even reached; the next try follows by itself. */
	void (*down)(void *user, const struct fault *fault);
	/* Borrowed for the call. */
	void (*message)(
		void *user, const char *topic, const uint8_t *payload, size_t n, bool is_retained);
	/* The broker has acknowledged the publication. */
	void (*published)(void *user, int mid);
	/* It has answered a subscription; @n_refused of the topics it does not allow. */
	void (*subscribed)(void *user, int mid, unsigned n_refused);
};

struct client *client_new(struct loop *loop, const struct client_config *config,
	const struct client_user *impl, void *user);
struct client *client_free(struct client *client);

void client_start(struct client *client);
/* Connects anew, now: what there is of a connection is given up, what waits does not any more. */
void client_again(struct client *client);
/* Says goodbye, so that no will is sent, and does not connect again. No callback comes any more. */
void client_close(struct client *client);

/* QoS 1. -ENOTCONN, -ENOMEM, -EINVAL (our bug: topic or size). published() follows on 0. */
int client_publish(struct client *client, const char *topic, const void *payload, size_t n,
	bool is_retained, int *ret_mid);
/* All at QoS 1, in one message; at most CLIENT_TOPICS_MAX. subscribed() follows on 0. */
#define CLIENT_TOPICS_MAX 32
int client_subscribe(struct client *client, char *const *topics, size_t n, int *ret_mid);
