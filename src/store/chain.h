/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The hash chain over the event log (L10), and its two sealed ends in table chain.
 *
 *	anchor ─► row ─► row ─► ... ─► row = head
 *
 * hash(row) = SHA-256(tag, each column with its type and length, hash(row before)). The tag says
 * how many columns: "lockhub-event-1" with 23 for rows from before migration 2, "lockhub-event-2"
 * with 28. The later columns of an early row are NULL, and nothing needs to say where such rows
 * end: if somebody empties the later columns of a row, or fills those of an early one, it is hashed
 * in another form than the one that its hash was made in.
 *
 * Whoever can write to the file can make such hashes as well; what he cannot make is the seal of
 * the head, an HMAC under a key that is not in the file. So a row that was changed, removed, moved
 * or added breaks the chain or is not what the head says, unless the whole file is put back to what
 * it was at an earlier time: that shows only beside a copy outside (the journal).
 */

#include "event-row.h"
#include "keys.h"

enum chain_which { CHAIN_ANCHOR, CHAIN_HEAD };

struct chain_end {
	int64_t seq;
	uint8_t hash[32];
	bool is_sealed; /* as read: the seal is ours */
};

/* @n: EVENT_ROW_COLUMNS, or EVENT_ROW_COLUMNS_FIRST. */
void chain_hash(const struct value *values, size_t n, const uint8_t before[static 32],
	uint8_t out[static 32]);
/* A missing row gives a zero end that is not sealed. */
int chain_read(sqlite3 *db, const struct store_keys *keys, enum chain_which which,
	struct chain_end *ret, struct fault *ret_fault);
#define CHAIN_PUT_SQL                                                                              \
	"INSERT INTO chain (name, seq, hash, seal) VALUES (?1, ?2, ?3, ?4)"                        \
	" ON CONFLICT (name) DO UPDATE SET seq = ?2, hash = ?3, seal = ?4"
/* @put: prepared from CHAIN_PUT_SQL. */
int chain_put(sqlite3_stmt *put, const struct store_keys *keys, enum chain_which which,
	const struct chain_end *end, struct fault *ret_fault);
/* Both ends of an empty log. */
int chain_begin(sqlite3 *db, const struct store_keys *keys, struct fault *ret_fault);
