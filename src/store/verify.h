/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Walks the event chain, row by row, from where it begins. Whoever walks decides how far at a time:
 * a piece is one transaction, so that the WAL can be cut in between.
 */

#include <stdatomic.h>

#include "chain.h"
#include "core/ledger.h"

struct chain_walk {
	sqlite3 *db;
	const struct store_keys *keys;
	sqlite3_stmt *rows;
	struct chain_end at;      /* the last good row, or the anchor */
	struct log_verify result; /* so far; .bad_seq: the chain is broken there, no step further */
};

/* Only prepares. To be closed in every case. */
int chain_walk_open(struct chain_walk *walk, sqlite3 *db, const struct store_keys *keys,
	struct fault *ret_fault);
void chain_walk_close(struct chain_walk *walk);
/* To the anchor. */
int chain_walk_begin(struct chain_walk *walk, struct fault *ret_fault);
/* Up to @limit rows further, not behind @upto. *ret_n: how many there were. */
int chain_walk_rows(struct chain_walk *walk, int64_t upto, size_t limit, size_t *ret_n,
	struct fault *ret_fault);
/* The rows up to @last should have been there and are not. */
void chain_walk_miss(struct chain_walk *walk, int64_t last);

/*
 * All of it, VERIFY_ROWS a piece. Not while rows are being taken away (prune.h). CANCELLED when
 * *is_stopping; else as db_fault(). A broken chain is a result and no fault.
 */
#define VERIFY_ROWS 20000
int verify_run(sqlite3 *db, const struct store_keys *keys, const atomic_bool *is_stopping,
	struct log_verify *ret, struct fault *ret_fault);
