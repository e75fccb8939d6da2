/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chain.h"

#include <assert.h>
#include <string.h>

#include "crypto/crypto.h"
#include "util/bytes.h"

#define EVENT_TAG_FIRST "lockhub-event-1"
#define EVENT_TAG "lockhub-event-2"
#define SEAL_TAG "lockhub-chain-1"

static const char *const names[] = { [CHAIN_ANCHOR] = "anchor", [CHAIN_HEAD] = "head" };

void chain_hash(const struct value *values, size_t n, const uint8_t before[static 32],
	uint8_t out[static 32]) {
	uint8_t heads[EVENT_ROW_COLUMNS][9];
	struct crypto_part parts[2 * EVENT_ROW_COLUMNS + 2];
	size_t n_parts = 0;

	assert(n == EVENT_ROW_COLUMNS || n == EVENT_ROW_COLUMNS_FIRST);
	parts[n_parts++] =
		n == EVENT_ROW_COLUMNS
			? (struct crypto_part){ EVENT_TAG, sizeof(EVENT_TAG) }
			: (struct crypto_part){ EVENT_TAG_FIRST, sizeof(EVENT_TAG_FIRST) };
	for (size_t i = 0; i < n; i++) {
		struct wr wr = wr_on(heads[i], sizeof(heads[i]));
		wr_u8(&wr, values[i].is_text ? 't' : 'i');
		wr_u64le(&wr, values[i].is_text ? values[i].n_text : (uint64_t) values[i].number);
		parts[n_parts++] = (struct crypto_part){ heads[i], sizeof(heads[i]) };
		if (values[i].is_text) {
			parts[n_parts++] = (struct crypto_part){ values[i].text, values[i].n_text };
		}
	}
	parts[n_parts++] = (struct crypto_part){ before, 32 };
	crypto_sha256_parts(parts, n_parts, out);
}

static void seal(const struct store_keys *keys, enum chain_which which, const struct chain_end *end,
	uint8_t out[static 32]) {
	uint8_t seq[8];
	struct wr wr = wr_on(seq, sizeof(seq));

	wr_u64le(&wr, (uint64_t) end->seq);
	const struct crypto_part parts[] = {
		{ SEAL_TAG, sizeof(SEAL_TAG) },
		{ names[which], strlen(names[which]) + 1 },
		{ seq, sizeof(seq) },
		{ end->hash, sizeof(end->hash) },
	};
	crypto_hmac_sha256(keys->chain, parts, ARRAY_SIZE(parts), out);
}

int chain_read(sqlite3 *db, const struct store_keys *keys, enum chain_which which,
	struct chain_end *ret, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	struct chain_end end = { 0 };
	uint8_t expected[32];
	size_t n_hash;
	size_t n_seal;

	int r = db_prepare(
		db, "SELECT seq, hash, seal FROM chain WHERE name = ?", &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	int rc = sqlite3_bind_text(stmt, 1, names[which], -1, SQLITE_STATIC);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		return db_fault(db, rc, "reading the chain's ends", ret_fault);
	}
	if (rc == SQLITE_ROW) {
		struct column column = column_on(stmt);
		end.seq = column_number(&column);
		const void *hash = column_borrow_blob(&column, &n_hash);
		const void *sealed = column_borrow_blob(&column, &n_seal);
		if (n_hash == sizeof(end.hash)) {
			memcpy(end.hash, hash, n_hash);
		}
		seal(keys, which, &end, expected);
		end.is_sealed = n_hash == sizeof(end.hash) && n_seal == sizeof(expected) &&
				crypto_equal(sealed, expected, sizeof(expected));
	}
	*ret = end;
	return 0;
}

int chain_put(sqlite3_stmt *put, const struct store_keys *keys, enum chain_which which,
	const struct chain_end *end, struct fault *ret_fault) {
	uint8_t sealed[32];
	struct bind bind = bind_on(put);

	seal(keys, which, end, sealed);
	bind_text(&bind, names[which]);
	bind_number(&bind, end->seq);
	bind_blob(&bind, end->hash, sizeof(end->hash));
	bind_blob(&bind, sealed, sizeof(sealed));
	return bind_run(&bind, NULL, "sealing the log", ret_fault);
}

int chain_begin(sqlite3 *db, const struct store_keys *keys, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *put = NULL;
	const struct chain_end end = { 0 };

	int r = db_prepare(db, CHAIN_PUT_SQL, &put, ret_fault);
	if (r == 0) {
		r = chain_put(put, keys, CHAIN_ANCHOR, &end, ret_fault);
	}
	if (r == 0) {
		r = chain_put(put, keys, CHAIN_HEAD, &end, ret_fault);
	}
	return r;
}
