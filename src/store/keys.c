/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys.h"

#include <string.h>

#include "crypto/crypto.h"

/* Never to be changed: everything sealed would be lost. */
#define DERIVE_CONTEXT "lh-store"
enum { DERIVE_COLUMN = 1, DERIVE_CHAIN = 2 };

#define CANARY_CONTEXT "canary"
static const char canary_text[] = "lockhub";

void store_keys_derive(const uint8_t master[static 32], struct store_keys *ret) {
	crypto_derive(master, DERIVE_COLUMN, DERIVE_CONTEXT, ret->column);
	crypto_derive(master, DERIVE_CHAIN, DERIVE_CONTEXT, ret->chain);
}

void store_keys_wipe(struct store_keys *keys) {
	wipe(keys, sizeof(*keys));
}

int canary_check(sqlite3 *db, const struct store_keys *keys, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	uint8_t opened[sizeof(canary_text)];
	size_t n;

	int r = db_prepare(db, "SELECT sealed FROM canary", &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE) {
		return fault_set(ret_fault, FAULT_DATABASE_CORRUPT,
			"what tells whether the key fits is missing");
	}
	if (rc != SQLITE_ROW) {
		return db_fault(db, rc, "reading the canary", ret_fault);
	}
	struct column column = column_on(stmt);
	const uint8_t *sealed = column_borrow_blob(&column, &n);
	if (n != CRYPTO_SEAL_OVERHEAD + sizeof(canary_text) ||
		crypto_unseal(keys->column, CANARY_CONTEXT, sealed, n, opened) < 0 ||
		memcmp(opened, canary_text, sizeof(canary_text)) != 0) {
		return fault_set(
			ret_fault, FAULT_KEY_MISSING, "the database was made with another key");
	}
	return 0;
}

int canary_exists(sqlite3 *db, bool *ret, struct fault *ret_fault) {
	int64_t n;

	int r = db_number(db, "SELECT count(*) FROM canary", &n, ret_fault);
	if (r == 0) {
		*ret = n > 0;
	}
	return r;
}

int canary_put(sqlite3 *db, const struct store_keys *keys, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	uint8_t sealed[CRYPTO_SEAL_OVERHEAD + sizeof(canary_text)];

	int r = db_prepare(db, "INSERT INTO canary (id, sealed) VALUES (1, ?)", &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	crypto_seal(keys->column, CANARY_CONTEXT, canary_text, sizeof(canary_text), sealed);
	struct bind bind = bind_on(stmt);
	bind_blob(&bind, sealed, sizeof(sealed));
	return bind_run(&bind, NULL, "writing the canary", ret_fault);
}
