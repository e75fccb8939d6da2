/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "keys.h"

#include <errno.h>
#include <string.h>

#include "util/auto.h"
#include "util/bytes.h"
#include "util/text.h"

#define BLOB_VERSION 1
#define DIGITS (AUGUST_KEY_LEN * 2)
#define SLOT_DIGITS 3

void august_keys_wipe(struct august_keys *keys) {
	wipe(keys, sizeof(*keys));
}

void august_keys_encode(const struct august_keys *keys, struct secret *ret) {
	struct wr wr = secret_wr(ret);

	wr_u8(&wr, BLOB_VERSION);
	wr_u8(&wr, keys->slot);
	wr_bytes(&wr, keys->key, sizeof(keys->key));
	wr_u8(&wr, (uint8_t) keys->choices);
	wr_text(&wr, AUGUST_MODEL_MAX - 1, keys->model);
	secret_wr_end(ret, &wr);
}

int august_keys_decode(const struct secret *blob, struct august_keys *ret) {
	AUTO_VALUE(august_keys_wipe) struct august_keys keys = { 0 };
	struct rd rd;
	const int r = secret_rd(blob, &rd);

	if (r < 0) {
		return r;
	}
	const uint8_t version = rd_u8(&rd);

	keys.slot = rd_u8(&rd);
	rd_copy(&rd, keys.key, sizeof(keys.key));
	keys.choices = rd_u8(&rd);
	rd_text(&rd, AUGUST_MODEL_MAX - 1, keys.model);
	if (rd_end(&rd) < 0 || version != BLOB_VERSION || keys.slot == 0 ||
		(keys.choices & ~(unsigned) AUGUST_CHOICES_ALL) != 0) {
		return -EBADMSG;
	}
	*ret = keys;
	return 0;
}

static bool is_between(uint8_t octet) {
	return octet == ' ' || octet == '\t' || octet == ':' || octet == '-' || octet == ',';
}

static void wipe_digits(char (*digits)[DIGITS + SLOT_DIGITS + 1]) {
	wipe(*digits, sizeof(*digits));
}

int august_keys_parse(const struct secret *text, struct august_keys *ret, struct fault *ret_fault) {
	AUTO_VALUE(wipe_digits) char digits[DIGITS + SLOT_DIGITS + 1] = "";
	uint8_t octets[AUGUST_KEY_LEN];
	uint64_t slot = 0;
	size_t n = 0;
	bool is_fine = text->len <= sizeof(text->bytes);
	/* A digit behind the key that is not parted from it is one too many. */
	bool is_parted = false;

	for (size_t i = 0; is_fine && i < text->len; i++) {
		if (is_between(text->bytes[i])) {
			is_parted = is_parted || n == DIGITS;
			is_fine = n <= DIGITS || i + 1 == text->len;
			continue;
		}
		is_fine = n < DIGITS + SLOT_DIGITS && (n < DIGITS || is_parted);
		if (is_fine) {
			digits[n++] = (char) text->bytes[i];
		}
	}
	is_fine = is_fine && n > DIGITS && text_to_u64(digits + DIGITS, 1, UINT8_MAX, &slot) == 0;
	digits[DIGITS] = '\0';
	is_fine = is_fine && hex_decode(digits, octets, sizeof(octets)) == 0;
	if (is_fine) {
		ret->slot = (uint8_t) slot;
		memcpy(ret->key, octets, sizeof(ret->key));
	}
	wipe(octets, sizeof(octets));
	return is_fine ? 0
		       : fault_set(ret_fault, FAULT_BAD_ARGUMENT, "the key is not %s",
				 AUGUST_KEY_FORM);
}
