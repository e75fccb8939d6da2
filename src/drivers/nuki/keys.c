/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "keys.h"

#include <errno.h>

#include "util/bytes.h"

#define BLOB_VERSION 1
#define PIN_DIGITS_1_TO_4 4
#define PIN_DIGITS_5 6

enum {
	FLAG_PIN_KNOWN = 1 << 0,
	FLAG_PIN_REFUSED = 1 << 1,
	FLAG_PIN_VERIFIED = 1 << 2,
	FLAG_REMOTE_ON = 1 << 3,
	FLAGS_ALL = (1 << 4) - 1,
};

void nuki_keys_wipe(struct nuki_keys *keys) {
	wipe(keys, sizeof(*keys));
}

void nuki_keys_encode(const struct nuki_keys *keys, struct secret *ret) {
	struct wr wr = secret_wr(ret);

	wr_u8(&wr, BLOB_VERSION);
	wr_u8(&wr, (uint8_t) keys->generation);
	wr_u8(&wr, (uint8_t) ((keys->is_pin_known ? FLAG_PIN_KNOWN : 0) |
			      (keys->is_pin_refused ? FLAG_PIN_REFUSED : 0) |
			      (keys->is_pin_verified ? FLAG_PIN_VERIFIED : 0) |
			      (keys->is_remote_on ? FLAG_REMOTE_ON : 0)));
	wr_u8(&wr, keys->id_type);
	wr_u32le(&wr, keys->auth_id);
	wr_u32le(&wr, keys->app_id);
	wr_u32le(&wr, keys->nuki_id);
	wr_u32le(&wr, keys->pin);
	wr_bytes(&wr, keys->uuid, sizeof(keys->uuid));
	wr_bytes(&wr, keys->shared, sizeof(keys->shared));
	secret_wr_end(ret, &wr);
}

int nuki_keys_decode(const struct secret *blob, struct nuki_keys *ret) {
	struct rd rd;
	const int r = secret_rd(blob, &rd);

	if (r < 0) {
		return r;
	}
	AUTO_VALUE(nuki_keys_wipe) struct nuki_keys keys = { 0 };

	const uint8_t version = rd_u8(&rd);
	const uint8_t generation = rd_u8(&rd);
	const uint8_t flags = rd_u8(&rd);
	keys.id_type = rd_u8(&rd);
	keys.auth_id = rd_u32le(&rd);
	keys.app_id = rd_u32le(&rd);
	keys.nuki_id = rd_u32le(&rd);
	keys.pin = rd_u32le(&rd);
	rd_copy(&rd, keys.uuid, sizeof(keys.uuid));
	rd_copy(&rd, keys.shared, sizeof(keys.shared));
	if (rd_end(&rd) < 0 || version != BLOB_VERSION || (flags & ~FLAGS_ALL) != 0 ||
		(generation != NUKI_GENERATION_1_TO_4 && generation != NUKI_GENERATION_5) ||
		keys.id_type > NUKI_ID_KEYPAD) {
		return -EBADMSG;
	}
	keys.generation = (enum nuki_generation) generation;
	keys.is_pin_known = (flags & FLAG_PIN_KNOWN) != 0;
	keys.is_pin_refused = (flags & FLAG_PIN_REFUSED) != 0;
	keys.is_pin_verified = (flags & FLAG_PIN_VERIFIED) != 0;
	keys.is_remote_on = (flags & FLAG_REMOTE_ON) != 0;
	*ret = keys;
	return 0;
}

bool nuki_keys_has_pin(const struct nuki_keys *keys) {
	return keys->is_pin_known && !keys->is_pin_refused;
}

int nuki_pin_parse(const struct secret *pin, enum nuki_generation generation, uint32_t *ret) {
	const bool is_right_length = generation == NUKI_GENERATION_5
					     ? pin->len == PIN_DIGITS_5
					     : pin->len >= 1 && pin->len <= PIN_DIGITS_1_TO_4;
	uint32_t number = 0;

	if (!is_right_length) {
		return -EINVAL;
	}
	for (size_t i = 0; i < pin->len; i++) {
		if (pin->bytes[i] < '0' || pin->bytes[i] > '9') {
			return -EINVAL;
		}
		number = number * 10 + (uint32_t) (pin->bytes[i] - '0');
	}
	*ret = number;
	return 0;
}
