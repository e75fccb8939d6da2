/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * fill-log STATE-DIRECTORY N: adds N entries to the log of a hub that does not run and keeps its
 * key in db.key, as the hub itself would: chained and sealed.
 */

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "store/store.h"
#include "util/bytes.h"

#define PER_TXN 500

static sem_t woken;
static unsigned n_left;
static bool is_bad;

static void on_wake(void *user) {
	sem_post(&woken);
}

static void on_done(void *user, struct txn *txn, const struct fault *fault) {
	n_left--;
	is_bad |= fault != NULL;
}

static int read_key(const char *folder, struct secret *ret) {
	char path[512], text[80] = "";
	snprintf(path, sizeof(path), "%s/db.key", folder);
	FILE *file = fopen(path, "re");
	if (file == NULL || fgets(text, sizeof(text), file) == NULL) {
		return -1;
	}
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	ret->len = STORE_KEY_LEN;
	return hex_decode(text, ret->bytes, STORE_KEY_LEN);
}

static struct txn *make_txn(long n) {
	struct txn *txn = txn_new(on_done, NULL);
	for (long i = 0; txn != NULL && i < n; i++) {
		struct txn_item *item = txn_add(txn, TXN_EVENT);
		item->event.kind = EVENT_LOCK_OPERATION;
		item->event.time.s = 1790000000 + i;
		item->event.operation = OPERATION_UNLOCK;
		snprintf(item->event.lock_id, sizeof(item->event.lock_id), "%08lx", i % 50);
		snprintf(item->event.user, sizeof(item->event.user), "Person %ld", i % 500);
	}
	return txn;
}

int main(int argc, char *argv[]) {
	struct secret key = { 0 };
	struct store *store = NULL;
	struct fault fault = { .code = FAULT_NONE };
	char path[512];
	if (argc != 3 || crypto_setup() < 0 || read_key(argv[1], &key) < 0 ||
		sem_init(&woken, 0, 0) < 0) {
		fprintf(stderr, "usage: fill-log STATE-DIRECTORY N\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/lockhub.db", argv[1]);
	const struct store_config config = { .path = path, .key = &key, .wake = on_wake };
	if (store_open(&config, &store, &fault) < 0) {
		fprintf(stderr, "fill-log: %s\n", fault.detail);
		return 1;
	}
	struct ledger *ledger = store_ledger(store);
	for (long left = strtol(argv[2], NULL, 10); left > 0 && !is_bad; left -= PER_TXN) {
		n_left++;
		ledger->impl->commit(ledger, make_txn(left < PER_TXN ? left : PER_TXN));
		while (n_left > 0) {
			sem_wait(&woken);
			store_dispatch(store);
		}
	}
	store_close(store);
	return is_bad;
}
