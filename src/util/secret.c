/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/secret.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void wipe(void *p, size_t n) {
	if (n > 0) {
		explicit_bzero(p, n);
	}
}

void secret_wipe(struct secret *secret) {
	if (secret != NULL) {
		wipe(secret, sizeof(*secret));
	}
}

int secret_set(struct secret *ret, const void *bytes, size_t n) {
	if (n > SECRET_MAX) {
		return -ENOBUFS;
	}
	/* @bytes may lie inside *ret. */
	if (n > 0) {
		memmove(ret->bytes, bytes, n);
	}
	wipe(ret->bytes + n, SECRET_MAX - n);
	ret->len = n;
	return 0;
}

int secret_set_text(struct secret *ret, const char *text) {
	return secret_set(ret, text, strlen(text));
}

int secret_rd(const struct secret *blob, struct rd *ret) {
	*ret = rd_on(NULL, 0);
	if (blob == NULL || blob->len == 0) {
		return -ENODATA;
	}
	if (blob->len > SECRET_MAX) {
		return -EBADMSG;
	}
	*ret = rd_on(blob->bytes, blob->len);
	return 0;
}

struct wr secret_wr(struct secret *ret) {
	secret_wipe(ret);
	return wr_on(ret->bytes, sizeof(ret->bytes));
}

void secret_wr_end(struct secret *ret, const struct wr *wr) {
	const ssize_t n = wr_end(wr);

	assert(n > 0);
	ret->len = (size_t) n;
}

int secret_equal(const struct secret *a, const struct secret *b) {
	if (a->len != b->len) {
		return 0;
	}
	volatile uint8_t difference = 0;
	for (size_t i = 0; i < a->len; i++) {
		difference = difference | (a->bytes[i] ^ b->bytes[i]);
	}
	return difference == 0;
}

const char *secret_hint(const struct secret *secret, char out[static 12]) {
	if (secret->len == 0) {
		snprintf(out, 12, "0:");
	} else {
		snprintf(out, 12, "%zu:%02x..", secret->len % 1000, secret->bytes[0]);
	}
	return out;
}
