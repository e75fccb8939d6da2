/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Bounded readers and writers for wire formats (R17).
 *
 * A reader borrows its buffer. Once it has been asked for more than there is, it stays short: all
 * further reads give zeros (or NULL), and rd_end() says -EBADMSG. So a decoder reads all its fields
 * in a row and checks once. A writer works alike: once full it stays full, and wr_end() tells.
 * Neither allocates. Not thread-safe; one owner each.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct rd {
	const uint8_t *at;
	size_t left;
	bool is_short;
};

static inline struct rd rd_on(const void *buf, size_t n_buf) {
	return (struct rd){ .at = buf, .left = n_buf };
}

uint8_t rd_u8(struct rd *rd);
int8_t rd_i8(struct rd *rd);
uint16_t rd_u16le(struct rd *rd);
int16_t rd_i16le(struct rd *rd);
uint32_t rd_u32le(struct rd *rd);
uint64_t rd_u64le(struct rd *rd);
uint16_t rd_u16be(struct rd *rd);
uint32_t rd_u32be(struct rd *rd);
float rd_f32le(struct rd *rd);
/* @return n octets inside the reader's buffer, or NULL once short. */
const uint8_t *rd_bytes(struct rd *rd, size_t n);
/* Copies n octets to out; zeroes out when short. */
void rd_copy(struct rd *rd, void *out, size_t n);
/* Copies a zero-padded text field of n octets to out (n + 1 octets, always terminated). */
void rd_text(struct rd *rd, size_t n, char *out);
void rd_skip(struct rd *rd, size_t n);
static inline size_t rd_left(const struct rd *rd) {
	return rd->left;
}
/* @return 0, or -EBADMSG: something was missing, or octets are left over. */
int rd_end(const struct rd *rd);
/* @return 0, or -EBADMSG: something was missing. Leftovers are fine (formats that grow). */
int rd_ok(const struct rd *rd);

struct wr {
	uint8_t *start;
	size_t size;
	size_t used;
	bool is_full;
};

static inline struct wr wr_on(void *buf, size_t n_buf) {
	return (struct wr){ .start = buf, .size = n_buf };
}

void wr_u8(struct wr *wr, uint8_t value);
void wr_u16le(struct wr *wr, uint16_t value);
void wr_u32le(struct wr *wr, uint32_t value);
void wr_u64le(struct wr *wr, uint64_t value);
void wr_u16be(struct wr *wr, uint16_t value);
void wr_u32be(struct wr *wr, uint32_t value);
void wr_f32le(struct wr *wr, float value);
void wr_bytes(struct wr *wr, const void *buf, size_t n);
/* Writes text zero-padded to n octets, cut at a UTF-8 character boundary when longer. */
void wr_text(struct wr *wr, size_t n, const char *text);
void wr_zeros(struct wr *wr, size_t n);
/* @return octets written, or -ENOBUFS. */
ssize_t wr_end(const struct wr *wr);

/*
 * Lower-case hex. hex_encode: @out has 2 * n + 1 octets; returns out.
 * hex_decode: exactly n octets from 2 * n digits and the end of the text; -EINVAL otherwise (out
 * may then hold a part). hex_decode_any: up to size octets, count in *ret_n; -EINVAL, -ENOBUFS.
 */
char *hex_encode(const void *buf, size_t n, char *out);
int hex_decode(const char *text, void *out, size_t n);
int hex_decode_any(const char *text, void *out, size_t size, size_t *ret_n);
