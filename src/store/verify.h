/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Walks the whole event chain and says where it is broken first. */

#include <stdatomic.h>

#include "chain.h"
#include "core/ledger.h"

/*
 * In pieces of VERIFY_ROWS, each a transaction of its own, so that the WAL can be cut in between.
 * CANCELLED when *is_stopping; else as db_fault(). A broken chain is a result and no fault.
 */
#define VERIFY_ROWS 20000
int verify_run(sqlite3 *db, const struct store_keys *keys, const atomic_bool *is_stopping,
	struct log_verify *ret, struct fault *ret_fault);
