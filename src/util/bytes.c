/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/bytes.h"

#include <errno.h>
#include <string.h>

#include "util/text.h"

const uint8_t *rd_bytes(struct rd *rd, size_t n) {
	if (rd->is_short || n > rd->left) {
		rd->is_short = true;
		rd->left = 0;
		return NULL;
	}
	const uint8_t *at = rd->at;
	if (n > 0) {
		rd->at += n;
		rd->left -= n;
	}
	return at;
}

static uint64_t rd_le(struct rd *rd, size_t n) {
	const uint8_t *at = rd_bytes(rd, n);
	uint64_t value = 0;
	for (size_t i = n; at != NULL && i > 0; i--) {
		value = value << 8 | at[i - 1];
	}
	return value;
}

static uint64_t rd_be(struct rd *rd, size_t n) {
	const uint8_t *at = rd_bytes(rd, n);
	uint64_t value = 0;
	for (size_t i = 0; at != NULL && i < n; i++) {
		value = value << 8 | at[i];
	}
	return value;
}

uint8_t rd_u8(struct rd *rd) {
	return (uint8_t) rd_le(rd, 1);
}

int8_t rd_i8(struct rd *rd) {
	return (int8_t) rd_le(rd, 1);
}

uint16_t rd_u16le(struct rd *rd) {
	return (uint16_t) rd_le(rd, 2);
}

int16_t rd_i16le(struct rd *rd) {
	return (int16_t) rd_le(rd, 2);
}

uint32_t rd_u32le(struct rd *rd) {
	return (uint32_t) rd_le(rd, 4);
}

uint64_t rd_u64le(struct rd *rd) {
	return rd_le(rd, 8);
}

uint16_t rd_u16be(struct rd *rd) {
	return (uint16_t) rd_be(rd, 2);
}

uint32_t rd_u32be(struct rd *rd) {
	return (uint32_t) rd_be(rd, 4);
}

float rd_f32le(struct rd *rd) {
	uint32_t bits = rd_u32le(rd);
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

void rd_copy(struct rd *rd, void *out, size_t n) {
	const uint8_t *at = rd_bytes(rd, n);
	if (n == 0) {
		return;
	}
	if (at != NULL) {
		memcpy(out, at, n);
	} else {
		memset(out, 0, n);
	}
}

void rd_text(struct rd *rd, size_t n, char *out) {
	rd_copy(rd, out, n);
	out[n] = '\0';
	/* Nothing behind the first end mark is passed on: locks leave old names there. */
	size_t used = strlen(out);
	memset(out + used, 0, n - used);
}

void rd_skip(struct rd *rd, size_t n) {
	(void) rd_bytes(rd, n);
}

int rd_end(const struct rd *rd) {
	return rd->is_short || rd->left > 0 ? -EBADMSG : 0;
}

int rd_ok(const struct rd *rd) {
	return rd->is_short ? -EBADMSG : 0;
}

/* Room for n octets, or NULL once full. */
static uint8_t *wr_room(struct wr *wr, size_t n) {
	if (wr->is_full || n > wr->size - wr->used) {
		wr->is_full = true;
		return NULL;
	}
	uint8_t *at = wr->start + wr->used;
	wr->used += n;
	return at;
}

static void wr_le(struct wr *wr, uint64_t value, size_t n) {
	uint8_t *at = wr_room(wr, n);
	for (size_t i = 0; at != NULL && i < n; i++) {
		at[i] = (uint8_t) (value >> (8 * i));
	}
}

static void wr_be(struct wr *wr, uint64_t value, size_t n) {
	uint8_t *at = wr_room(wr, n);
	for (size_t i = 0; at != NULL && i < n; i++) {
		at[n - 1 - i] = (uint8_t) (value >> (8 * i));
	}
}

void wr_u8(struct wr *wr, uint8_t value) {
	wr_le(wr, value, 1);
}

void wr_u16le(struct wr *wr, uint16_t value) {
	wr_le(wr, value, 2);
}

void wr_u32le(struct wr *wr, uint32_t value) {
	wr_le(wr, value, 4);
}

void wr_u64le(struct wr *wr, uint64_t value) {
	wr_le(wr, value, 8);
}

void wr_u16be(struct wr *wr, uint16_t value) {
	wr_be(wr, value, 2);
}

void wr_u32be(struct wr *wr, uint32_t value) {
	wr_be(wr, value, 4);
}

void wr_f32le(struct wr *wr, float value) {
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	wr_u32le(wr, bits);
}

void wr_bytes(struct wr *wr, const void *buf, size_t n) {
	if (n == 0) {
		return;
	}
	uint8_t *at = wr_room(wr, n);
	if (at != NULL) {
		memcpy(at, buf, n);
	}
}

void wr_zeros(struct wr *wr, size_t n) {
	if (n == 0) {
		return;
	}
	uint8_t *at = wr_room(wr, n);
	if (at != NULL) {
		memset(at, 0, n);
	}
}

void wr_text(struct wr *wr, size_t n, const char *text) {
	size_t used = text_cut(text, n);
	wr_bytes(wr, text, used);
	wr_zeros(wr, n - used);
}

ssize_t wr_end(const struct wr *wr) {
	return wr->is_full ? -ENOBUFS : (ssize_t) wr->used;
}

char *hex_encode(const void *buf, size_t n, char *out) {
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = buf;
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
	return out;
}

static int hex_digit(char c) {
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

int hex_decode_any(const char *text, void *out, size_t size, size_t *ret_n) {
	uint8_t *bytes = out;
	size_t n = 0;
	while (text[2 * n] != '\0') {
		int high = hex_digit(text[2 * n]);
		int low = high < 0 ? -1 : hex_digit(text[2 * n + 1]);
		if (low < 0) {
			return -EINVAL;
		}
		if (n >= size) {
			return -ENOBUFS;
		}
		bytes[n++] = (uint8_t) (high << 4 | low);
	}
	*ret_n = n;
	return 0;
}

int hex_decode(const char *text, void *out, size_t n) {
	size_t n_got = 0;
	int r = hex_decode_any(text, out, n, &n_got);
	return r < 0 || n_got != n ? -EINVAL : 0;
}
