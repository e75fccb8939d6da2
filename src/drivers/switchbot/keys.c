/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "keys.h"

#include <errno.h>
#include <string.h>

#include "util/auto.h"
#include "util/bytes.h"

#define BLOB_VERSION 1
#define DIGITS ((1 + SWITCHBOT_KEY_LEN) * 2)

void switchbot_keys_wipe(struct switchbot_keys *keys) {
	wipe(keys, sizeof(*keys));
}

void switchbot_keys_encode(const struct switchbot_keys *keys, struct secret *ret) {
	struct wr wr = secret_wr(ret);

	wr_u8(&wr, BLOB_VERSION);
	wr_u8(&wr, (uint8_t) keys->model);
	wr_u8(&wr, keys->key_id);
	wr_bytes(&wr, keys->key, sizeof(keys->key));
	secret_wr_end(ret, &wr);
}

int switchbot_keys_decode(const struct secret *blob, struct switchbot_keys *ret) {
	AUTO_VALUE(switchbot_keys_wipe) struct switchbot_keys keys = { 0 };
	struct rd rd;
	const int r = secret_rd(blob, &rd);

	if (r < 0) {
		return r;
	}
	const uint8_t version = rd_u8(&rd);
	const uint8_t model = rd_u8(&rd);

	keys.key_id = rd_u8(&rd);
	rd_copy(&rd, keys.key, sizeof(keys.key));
	if (rd_end(&rd) < 0 || version != BLOB_VERSION || model == SWITCHBOT_MODEL_UNKNOWN ||
		model >= SWITCHBOT_MODEL_COUNT_) {
		return -EBADMSG;
	}
	keys.model = (enum switchbot_model) model;
	*ret = keys;
	return 0;
}

static bool is_between(uint8_t octet) {
	return octet == ' ' || octet == '\t' || octet == ':' || octet == '-';
}

static void wipe_digits(char (*digits)[DIGITS + 1]) {
	wipe(*digits, sizeof(*digits));
}

int switchbot_keys_parse(
	const struct secret *text, struct switchbot_keys *ret, struct fault *ret_fault) {
	AUTO_VALUE(wipe_digits) char digits[DIGITS + 1] = "";
	uint8_t octets[DIGITS / 2];
	size_t n = 0;
	bool is_fine = text->len <= sizeof(text->bytes);

	for (size_t i = 0; is_fine && i < text->len; i++) {
		if (is_between(text->bytes[i])) {
			continue;
		}
		is_fine = n < DIGITS;
		if (is_fine) {
			digits[n++] = (char) text->bytes[i];
		}
	}
	is_fine = is_fine && n == DIGITS && hex_decode(digits, octets, sizeof(octets)) == 0;
	if (is_fine) {
		ret->key_id = octets[0];
		memcpy(ret->key, octets + 1, sizeof(ret->key));
	}
	wipe(octets, sizeof(octets));
	return is_fine ? 0
		       : fault_set(ret_fault, FAULT_BAD_ARGUMENT, "the key is not %s",
				 SWITCHBOT_KEY_FORM);
}
