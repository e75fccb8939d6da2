/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why no TLS connection came about, in words that tell what to do; libmosquitto only says that. */

#include "client.h"

/*
 * @ssl: OpenSSL's connection as libmosquitto left it, or NULL. @said: what the library complained
 * of, "" nothing. Sets BROKER_EXPIRED, BROKER_WRONG_NAME or BROKER_TLS.
 */
void tls_reason(
	void *ssl, const char *said, const struct client_config *config, struct fault *ret_fault);
