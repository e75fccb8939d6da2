/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is kept about a paired lock: the shared key, our authorisation and the PIN. Encoded into a
 * struct secret of at most SECRET_MAX octets, which the store seals. Whoever holds a struct
 * nuki_keys declares it AUTO_VALUE(nuki_keys_wipe).
 *
 * Blob, version 1, little-endian: version u8 (1), generation u8, flags u8, id type u8,
 * authorisation id u32, app id u32, Nuki ID u32, PIN u32, lock UUID (16), shared key (32): 68
 * octets.
 */

#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "util/secret.h"

struct nuki_keys {
	enum nuki_generation generation;
	uint8_t id_type; /* enum nuki_id_type: our role */
	uint32_t auth_id;
	uint32_t app_id;
	uint32_t nuki_id; /* 0: not yet read; then the first Config tells it */
	uint32_t pin;     /* a number: leading zeros do not count */
	bool is_pin_known;
	bool is_pin_refused;  /* the lock said it is wrong: not used again until a new one is set */
	bool is_pin_verified; /* the lock has accepted it */
	/* Wi-Fi or Thread is on: then the lock sets no state-changed mark for a bridge. */
	bool is_remote_on;
	uint8_t uuid[NUKI_UUID_LEN];
	uint8_t shared[NUKI_KEY_LEN];
};

void nuki_keys_wipe(struct nuki_keys *keys);
void nuki_keys_encode(const struct nuki_keys *keys, struct secret *ret);
/* 0; -ENODATA: NULL or empty (not paired yet); -EBADMSG. *ret untouched on errors. */
int nuki_keys_decode(const struct secret *blob, struct nuki_keys *ret);
/* Whether commands that need the PIN may be sent. */
bool nuki_keys_has_pin(const struct nuki_keys *keys);

/*
 * The number meant by a PIN as typed. gen1-4: one to four digits; 5G: six. -EINVAL: not of that
 * form, *ret untouched.
 */
int nuki_pin_parse(const struct secret *pin, enum nuki_generation generation, uint32_t *ret);
