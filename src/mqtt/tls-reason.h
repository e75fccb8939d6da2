/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why no TLS connection came about, in words that tell what to do; libmosquitto only says that. */

#include "client.h"

/* What OpenSSL knew at the moment of the failure; the library may free it right after. */
struct tls_facts {
	long verified;   /* X509_V_; 0: nothing against the certificate */
	char holder[64]; /* the first name that the certificate is for; "" none was seen */
	char from[16];   /* validity, days; "" not known */
	char until[16];
};

/* @ssl: OpenSSL's connection, or NULL: *ret is left alone. Any thread that has the connection. */
void tls_look(void *ssl, struct tls_facts *ret);
/* @said: the library's complaint, "" none. Sets BROKER_EXPIRED, BROKER_WRONG_NAME or BROKER_TLS. */
void tls_reason(const struct tls_facts *facts, const char *said, const struct client_config *config,
	struct fault *ret_fault);
