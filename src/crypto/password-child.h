/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/password.h"

/* password_key() by a child (password_use_child()). -ECHILD: there was none to be had. */
int password_ask_child(const char *program, const void *password, size_t n,
	const uint8_t salt[static PASSWORD_SALT_LEN], unsigned passes, unsigned kib,
	uint8_t out[static 32]);
