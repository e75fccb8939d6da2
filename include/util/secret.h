/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Keys, PINs and tokens (R10, L9). The type has no print function but secret_hint(), and every
 * local is declared AUTO_VALUE(secret_wipe), so the bytes are gone on every way out.
 */

#include <stddef.h>
#include <stdint.h>

#include "util/auto.h"
#include "util/bytes.h"

#define SECRET_MAX 384

struct secret {
	size_t len;
	uint8_t bytes[SECRET_MAX];
};

/* Zeroes the whole object in a way the compiler may not leave out. Takes NULL. */
void secret_wipe(struct secret *secret);
/* -ENOBUFS: n > SECRET_MAX, *ret untouched. */
int secret_set(struct secret *ret, const void *bytes, size_t n);
/* Text without its end mark. */
int secret_set_text(struct secret *ret, const char *text);
/* A blob to be read: -ENODATA: NULL or empty; -EBADMSG: longer than any can be. */
int secret_rd(const struct secret *blob, struct rd *ret);
/* A blob to be written, empty at first; ends with secret_wr_end(). */
struct wr secret_wr(struct secret *ret);
/* What was written fits, or that is a programming error. */
void secret_wr_end(struct secret *ret, const struct wr *wr);
/* Equal in constant time for equal lengths. */
int secret_equal(const struct secret *a, const struct secret *b);
/* "16:4f.." (length and first octet) for logs; returns out. Never for PINs: a PIN is too short. */
const char *secret_hint(const struct secret *secret, char out[static 12]);
/* Zeroes n octets at p; takes NULL with n 0. */
void wipe(void *p, size_t n);
