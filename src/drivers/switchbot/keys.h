/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is kept about a paired lock of SwitchBot: the key that its maker's account gave, the key's
 * number, and the model, which not every advertisement tells.
 *
 * Blob, version 1: version u8 (1), model u8, key id u8, key (16): 19 octets.
 */

#include "cipher.h"
#include "models.h"
#include "util/fault.h"
#include "util/secret.h"

struct switchbot_keys {
	enum switchbot_model model;
	uint8_t key_id;
	uint8_t key[SWITCHBOT_KEY_LEN];
};

void switchbot_keys_wipe(struct switchbot_keys *keys);
void switchbot_keys_encode(const struct switchbot_keys *keys, struct secret *ret);
/* 0; -ENODATA: NULL or empty (not paired yet); -EBADMSG. *ret untouched on errors. */
int switchbot_keys_decode(const struct secret *blob, struct switchbot_keys *ret);

#define SWITCHBOT_KEY_FORM "its key id and key, 2 and 32 hex digits: \"34 0123...cdef\""
/*
 * As a person gives it: 34 hex digits, blanks, colons and dashes anywhere. -EINVAL, and the fault
 * never holds a digit of it.
 */
int switchbot_keys_parse(
	const struct secret *text, struct switchbot_keys *ret, struct fault *ret_fault);
