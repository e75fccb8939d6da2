/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sealed.h"

void sealed_bind(struct bind *bind, const struct store_keys *keys, const char *place,
	const struct secret *secret, struct sealed *room) {
	crypto_seal(keys->column, place, secret->bytes, secret->len, room->bytes);
	room->n = secret->len + CRYPTO_SEAL_OVERHEAD;
	bind_blob(bind, room->bytes, room->n);
}

int sealed_read(struct column *column, const struct store_keys *keys, const char *place,
	struct secret *ret, struct fault *ret_fault) {
	size_t n;

	const uint8_t *sealed = column_borrow_blob(column, &n);
	if (n < CRYPTO_SEAL_OVERHEAD || n > SECRET_MAX + CRYPTO_SEAL_OVERHEAD ||
		crypto_unseal(keys->column, place, sealed, n, ret->bytes) < 0) {
		secret_wipe(ret);
		return fault_set(ret_fault, FAULT_DATABASE_CORRUPT,
			"the secret %s does not open: it was changed", place);
	}
	ret->len = n - CRYPTO_SEAL_OVERHEAD;
	return 0;
}
