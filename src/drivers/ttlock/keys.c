/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/auto.h"
#include "util/bytes.h"
#include "util/text.h"

#define BLOB_VERSION 1
#define FLAG_ADMIN 0x01
#define FLAG_OURS 0x02
#define FLAG_STUCK 0x04
#define FLAG_POSITION_MAX 0xffffff
#define PLAIN_DIGITS_MAX 10
#define FIELD_MAX 128
#define MILLISECOND_DIGITS 13 /* since 1970, of any date from 2001 on */
#define NUMBERS_MAX TTLOCK_DIGITS_MAX

const uint8_t ttlock_factory_key[TTLOCK_KEY_LEN] = { 0x98, 0x76, 0x23, 0xe8, 0xa9, 0x23, 0xa1, 0xbb,
	0x3d, 0x9e, 0x7d, 0x03, 0x78, 0x12, 0x45, 0x88 };
const uint8_t ttlock_date_first[TTLOCK_DATE_LEN] = { 0, 1, 31, 14, 0 };
const uint8_t ttlock_date_last[TTLOCK_DATE_LEN] = { 99, 11, 30, 14, 0 };

void ttlock_keys_wipe(struct ttlock_keys *keys) {
	wipe(keys, sizeof(*keys));
}

void ttlock_keys_encode(const struct ttlock_keys *keys, struct secret *ret) {
	struct wr wr = secret_wr(ret);

	wr_u8(&wr, BLOB_VERSION);
	wr_u8(&wr, (uint8_t) ((keys->is_admin ? FLAG_ADMIN : 0) | (keys->is_ours ? FLAG_OURS : 0) |
			      (keys->is_stuck ? FLAG_STUCK : 0)));
	wr_u8(&wr, keys->head.scene);
	wr_u16be(&wr, keys->head.group);
	wr_u16be(&wr, keys->head.org);
	wr_bytes(&wr, keys->key, sizeof(keys->key));
	wr_u32be(&wr, keys->admin);
	wr_u32be(&wr, keys->unlock);
	wr_u32be(&wr, keys->uid);
	wr_u32be(&wr, keys->flag_position);
	wr_bytes(&wr, keys->start, sizeof(keys->start));
	wr_bytes(&wr, keys->end, sizeof(keys->end));
	wr_u32be(&wr, (uint32_t) (keys->features >> 32));
	wr_u32be(&wr, (uint32_t) keys->features);
	secret_wr_end(ret, &wr);
}

int ttlock_keys_decode(const struct secret *blob, struct ttlock_keys *ret) {
	AUTO_VALUE(ttlock_keys_wipe) struct ttlock_keys keys = { 0 };
	struct rd rd;
	const int r = secret_rd(blob, &rd);

	if (r < 0) {
		return r;
	}
	const uint8_t version = rd_u8(&rd);
	const uint8_t flags = rd_u8(&rd);

	keys.is_admin = (flags & FLAG_ADMIN) != 0;
	keys.is_ours = (flags & FLAG_OURS) != 0;
	keys.is_stuck = (flags & FLAG_STUCK) != 0;
	keys.head.scene = rd_u8(&rd);
	keys.head.group = rd_u16be(&rd);
	keys.head.org = rd_u16be(&rd);
	rd_copy(&rd, keys.key, sizeof(keys.key));
	keys.admin = rd_u32be(&rd);
	keys.unlock = rd_u32be(&rd);
	keys.uid = rd_u32be(&rd);
	keys.flag_position = rd_u32be(&rd);
	rd_copy(&rd, keys.start, sizeof(keys.start));
	rd_copy(&rd, keys.end, sizeof(keys.end));
	keys.features = (uint64_t) rd_u32be(&rd) << 32;
	keys.features |= rd_u32be(&rd);
	if (rd_end(&rd) < 0 || version != BLOB_VERSION || keys.flag_position > FLAG_POSITION_MAX) {
		return -EBADMSG;
	}
	*ret = keys;
	return 0;
}

/* ---- as the maker keeps it ---- */

static int base64_value(char c) {
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c == '\0' ? NULL : strchr(alphabet, c);

	return at == NULL ? -1 : (int) (at - alphabet);
}

/* Text with an end mark. -EINVAL: none of base64, or longer than @size - 1. */
static int base64_text(const char *field, char *out, size_t size) {
	unsigned bits = 0;
	unsigned n_bits = 0;
	size_t n = 0;
	size_t i = 0;

	for (; field[i] != '\0' && field[i] != '='; i++) {
		const int value = base64_value(field[i]);

		if (value < 0 || n + 1 >= size) {
			return -EINVAL;
		}
		bits = (bits << 6 | (unsigned) value) & 0xffff;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[n++] = (char) (bits >> n_bits & 0xff);
		}
	}
	out[n] = '\0';
	return strspn(field + i, "=") == strlen(field + i) ? 0 : -EINVAL;
}

static void wipe_field(char (*field)[FIELD_MAX]) {
	wipe(*field, sizeof(*field));
}

/* "1,20,255": how many; -EINVAL. */
static int read_numbers(const char *text, uint8_t out[static NUMBERS_MAX]) {
	int n = 0;

	for (;;) {
		unsigned value = 0;
		const size_t n_digits = strspn(text, "0123456789");

		if (n_digits == 0 || n_digits > 3 || n == NUMBERS_MAX) {
			return -EINVAL;
		}
		for (size_t i = 0; i < n_digits; i++) {
			value = value * 10 + (unsigned) (text[i] - '0');
		}
		if (value > UINT8_MAX) {
			return -EINVAL;
		}
		out[n++] = (uint8_t) value;
		text += n_digits;
		if (*text == '\0') {
			return n;
		}
		if (*text++ != ',') {
			return -EINVAL;
		}
	}
}

int ttlock_digits_reveal(const char *field, char out[static TTLOCK_DIGITS_MAX]) {
	AUTO_VALUE(wipe_field) char text[FIELD_MAX] = "";
	uint8_t numbers[NUMBERS_MAX];
	size_t n = strlen(field);

	if (n <= PLAIN_DIGITS_MAX) {
		memcpy(out, field, n);
	} else {
		if (base64_text(field, text, sizeof(text)) < 0) {
			return -EINVAL;
		}
		const int n_numbers = read_numbers(text, numbers);
		if (n_numbers < 2) {
			return -EINVAL;
		}
		n = (size_t) n_numbers - 1;
		/* The same table as the checksum's: that of one octet is the entry. */
		const uint8_t count = (uint8_t) n;
		const uint8_t mask = numbers[n] ^ ttlock_crc(&count, 1);
		for (size_t i = 0; i < n; i++) {
			out[i] = (char) (numbers[i] ^ mask);
		}
		wipe(numbers, sizeof(numbers));
	}
	out[n] = '\0';
	return n > 0 && strspn(out, "0123456789") == n ? 0 : -EINVAL;
}

int ttlock_key_from_text(const char *text, uint8_t ret[static TTLOCK_KEY_LEN]) {
	AUTO_VALUE(wipe_field) char digits[FIELD_MAX] = "";
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == ',') {
			continue;
		}
		if (n + 1 == sizeof(digits)) {
			return -EINVAL;
		}
		digits[n++] = *text;
	}
	digits[n] = '\0';
	return hex_decode(digits, ret, TTLOCK_KEY_LEN);
}

/* ---- as a person gives it ---- */

static void wipe_text(char (*text)[SECRET_MAX + 1]) {
	wipe(*text, sizeof(*text));
}

/* The value of a member, wherever in the text it is; a string without its marks. */
static bool find_member(const char *text, const char *name, char out[static FIELD_MAX]) {
	const size_t n_name = strlen(name);

	for (const char *at = strchr(text, '"'); at != NULL; at = strchr(at + 1, '"')) {
		if (strncmp(at + 1, name, n_name) != 0 || at[1 + n_name] != '"') {
			continue;
		}
		const char *value = at + n_name + 2;
		value += strspn(value, " \t");
		if (*value != ':') {
			continue;
		}
		value++;
		value += strspn(value, " \t");
		const bool is_string = *value == '"';
		value += is_string;
		const size_t n = strcspn(value, is_string ? "\"" : " \t,}]");
		if (n >= FIELD_MAX) {
			return false;
		}
		memcpy(out, value, n);
		out[n] = '\0';
		return is_string || !text_equal(out, "null");
	}
	return false;
}

/* By any of two names. 1: not there. */
static int read_number(
	const char *text, const char *name, const char *other, uint32_t most, uint32_t *ret) {
	AUTO_VALUE(wipe_field) char field[FIELD_MAX] = "";
	char digits[TTLOCK_DIGITS_MAX];
	uint64_t value = 0;

	if (!find_member(text, name, field) &&
		(other == NULL || !find_member(text, other, field))) {
		return 1;
	}
	int r = ttlock_digits_reveal(field, digits);
	if (r == 0) {
		r = text_to_u64(digits, 0, most, &value);
	}
	wipe(digits, sizeof(digits));
	if (r < 0) {
		return -EINVAL;
	}
	*ret = (uint32_t) value;
	return 0;
}

/* "2601312359"; 0 or nothing: as usual. */
static int read_date(const char *text, const char *name, uint8_t ret[static TTLOCK_DATE_LEN]) {
	char field[FIELD_MAX] = "";

	if (!find_member(text, name, field) || text_equal(field, "0") || field[0] == '\0' ||
		(strlen(field) == MILLISECOND_DIGITS &&
			strspn(field, "0123456789") == MILLISECOND_DIGITS)) {
		return 0;
	}
	if (strlen(field) != 2 * TTLOCK_DATE_LEN || strspn(field, "0123456789") != strlen(field)) {
		return -EINVAL;
	}
	for (size_t i = 0; i < TTLOCK_DATE_LEN; i++) {
		ret[i] = (uint8_t) ((field[2 * i] - '0') * 10 + field[2 * i + 1] - '0');
	}
	return 0;
}

static int read_json(const char *text, struct ttlock_keys *keys) {
	AUTO_VALUE(wipe_field) char field[FIELD_MAX] = "";
	uint32_t number = 0;

	if ((!find_member(text, "aesKey", field) && !find_member(text, "aesKeyStr", field) &&
		    !find_member(text, "aes_key", field)) ||
		ttlock_key_from_text(field, keys->key) < 0) {
		return -EINVAL;
	}
	int r = read_number(text, "adminPs", "adminPwd", UINT32_MAX, &keys->admin);
	r = r == 1 ? read_number(text, "admin_ps", NULL, UINT32_MAX, &keys->admin) : r;
	keys->is_admin = r == 0;
	int r_unlock = read_number(text, "unlockKey", "lockKey", UINT32_MAX, &keys->unlock);
	if (r_unlock == 1) {
		r_unlock = read_number(text, "unlock_key", NULL, UINT32_MAX, &keys->unlock);
	}
	if (r < 0 || r_unlock != 0 || read_number(text, "uid", NULL, UINT32_MAX, &keys->uid) < 0 ||
		read_number(text, "lockFlagPos", NULL, FLAG_POSITION_MAX, &keys->flag_position) <
			0 ||
		read_date(text, "startDate", keys->start) < 0 ||
		read_date(text, "endDate", keys->end) < 0) {
		return -EINVAL;
	}
	number = keys->head.scene;
	r = read_number(text, "scene", NULL, UINT8_MAX, &number);
	keys->head.scene = (uint8_t) number;
	number = keys->head.group;
	r = r < 0 ? r : read_number(text, "groupId", NULL, UINT16_MAX, &number);
	keys->head.group = (uint16_t) number;
	number = keys->head.org;
	r = r < 0 ? r : read_number(text, "orgId", NULL, UINT16_MAX, &number);
	keys->head.org = (uint16_t) number;
	return r < 0 ? r : 0;
}

static int read_words(char *text, struct ttlock_keys *keys) {
	char *rest = NULL;
	const char *key = strtok_r(text, " \t", &rest);
	const char *admin = strtok_r(NULL, " \t", &rest);
	const char *unlock = strtok_r(NULL, " \t", &rest);
	uint64_t admin_number = 0;
	uint64_t unlock_number = 0;

	if (key == NULL || admin == NULL || unlock == NULL ||
		strtok_r(NULL, " \t", &rest) != NULL || ttlock_key_from_text(key, keys->key) < 0 ||
		text_to_u64(admin, 0, UINT32_MAX, &admin_number) < 0 ||
		text_to_u64(unlock, 0, UINT32_MAX, &unlock_number) < 0) {
		return -EINVAL;
	}
	keys->admin = (uint32_t) admin_number;
	keys->unlock = (uint32_t) unlock_number;
	keys->is_admin = true;
	return 0;
}

int ttlock_keys_parse(const struct secret *text, struct ttlock_keys *ret, struct fault *ret_fault) {
	AUTO_VALUE(ttlock_keys_wipe) struct ttlock_keys keys = { .head = ret->head };
	AUTO_VALUE(wipe_text) char copy[SECRET_MAX + 1] = "";
	int r = -EINVAL;

	if (text->len <= SECRET_MAX) {
		memcpy(copy, text->bytes, text->len);
		memcpy(keys.start, ttlock_date_first, sizeof(keys.start));
		memcpy(keys.end, ttlock_date_last, sizeof(keys.end));
		r = strchr(copy, '{') != NULL ? read_json(copy, &keys) : read_words(copy, &keys);
	}
	if (r < 0) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "the key is not %s", TTLOCK_KEY_FORM);
	}
	*ret = keys;
	return 0;
}
