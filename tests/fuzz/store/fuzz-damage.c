/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A damaged database (F4, L11): the input is a list of patches, each an offset (u32, little endian,
 * taken modulo the size), a length (u8) and so many octets, applied to a sound database with locks,
 * operations and events. Whatever they do, opening ends in a store or a fault, and a store answers.
 */

#include <assert.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "store/store.h"
#include "util/bytes.h"

static char folder[64];
static char path[96];
static uint8_t *sound;
static size_t n_sound;
static sem_t woken;

static void on_wake(void *user) {
	(void) sem_post(&woken);
}

static struct store *open_store(void) {
	struct store *store = NULL;
	struct fault fault;
	struct secret key;
	const struct store_config config = { .path = path, .key = &key, .wake = on_wake };

	assert(secret_set_text(&key, "0123456789abcdef0123456789abcdef") == 0);
	(void) store_open(&config, &store, &fault);
	return store;
}

static void read_sound(void) {
	FILE *file = fopen(path, "re");

	assert(file != NULL && fseek(file, 0, SEEK_END) == 0);
	n_sound = (size_t) ftell(file);
	rewind(file);
	sound = malloc(n_sound);
	assert(sound != NULL && fread(sound, 1, n_sound, file) == n_sound);
	(void) fclose(file);
}

static void remove_all(void) {
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	char name[128];

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void) unlink(name);
	}
}

static void remove_folder(void) {
	remove_all();
	(void) rmdir(folder);
	free(sound);
}

static void make_sound(void) {
	/* In memory: syncs would take nearly all of the time. */
	snprintf(folder, sizeof(folder), "%s/lockhub-fuzz-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert(crypto_setup() == 0 && mkdtemp(folder) != NULL && sem_init(&woken, 0, 0) == 0);
	snprintf(path, sizeof(path), "%s/lockhub.db", folder);
	struct store *store = open_store();
	assert(store != NULL);
	struct txn *txn = txn_new(NULL, NULL);
	for (unsigned i = 0; i < 60; i++) {
		struct txn_item *item = txn_add(txn, i < 4 ? TXN_LOCK_PUT : TXN_EVENT);
		if (i < 4) {
			snprintf(item->lock.id, sizeof(item->lock.id), "%08x", i);
			snprintf(item->lock.slug, sizeof(item->lock.slug), "door-%u", i);
		} else {
			item->event.kind = EVENT_LOCK_OPERATION;
			snprintf(item->event.lock_id, sizeof(item->event.lock_id), "%08x", i % 4);
			item->event.lock_seq = i;
		}
	}
	snprintf(txn_add(txn, TXN_INTENT)->op.id, OP_ID_MAX, "%016x", 1);
	struct ledger *ledger = store_ledger(store);
	ledger->impl->commit(ledger, txn);
	store_close(store);
	read_sound();
	(void) atexit(remove_folder);
}

static void write_damaged(const uint8_t *data, size_t size) {
	uint8_t *bytes = malloc(n_sound);
	struct rd rd = rd_on(data, size);

	assert(bytes != NULL);
	memcpy(bytes, sound, n_sound);
	while (rd_left(&rd) > 5) {
		size_t at = rd_u32le(&rd) % n_sound;
		size_t n = rd_u8(&rd);
		n = n > rd_left(&rd) ? rd_left(&rd) : n;
		n = n > n_sound - at ? n_sound - at : n;
		memcpy(bytes + at, rd_bytes(&rd, n), n);
	}
	FILE *file = fopen(path, "we");
	assert(file != NULL && fwrite(bytes, 1, n_sound, file) == n_sound);
	(void) fclose(file);
	free(bytes);
}

static unsigned n_answers;

static void on_events(void *user, const struct event *events, size_t n, const struct fault *fault) {
	n_answers++;
}

static void on_verified(void *user, const struct log_verify *result, const struct fault *fault) {
	n_answers++;
}

static void on_done(void *user, struct txn *txn, const struct fault *fault) {
	n_answers++;
}

static void on_lock(void *user, const struct lock_record *record, const struct event *last_event,
	const struct fault *fault) {
}

static void use(struct store *store) {
	static const struct store_visitor visitor = { .lock = on_lock };
	const struct log_query queries[] = { { .limit = 5 }, { .lock_id = "00000001" },
		{ .word = "locked", .since = { 1 } } };
	struct ledger *ledger = store_ledger(store);
	struct fault fault;

	(void) store_load(store, &visitor, NULL, &fault);
	n_answers = 0;
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		ledger->impl->query(ledger, &queries[i], on_events, NULL);
	}
	ledger->impl->verify(ledger, on_verified, NULL);
	struct txn *txn = txn_new(on_done, NULL);
	txn_add(txn, TXN_EVENT)->event.kind = EVENT_HUB_STARTED;
	ledger->impl->commit(ledger, txn);
	while (n_answers < ARRAY_SIZE(queries) + 2) {
		/* libFuzzer's alarm interrupts; an empty round does no harm. */
		(void) sem_wait(&woken);
		store_dispatch(store);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (sound == NULL) {
		make_sound();
	}
	remove_all();
	write_damaged(data, size);
	struct store *store = open_store();
	if (store != NULL) {
		use(store);
		store_close(store);
	}
	return 0;
}
