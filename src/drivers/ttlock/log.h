/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The operation log of a lock of TTLock: its records, and what they are in our terms. Pure.
 *
 * Source: docs/protocols/ttlock.md 7.11; vectors in tests/vectors/ttlock.json.
 */

#include "core/driver.h"
#include "keys.h"
#include "util/bytes.h"
#include "util/zone.h"

/* Of an app, the key of it; a word of its own here because many things count by it. */
#define TTLOCK_RECORD_APP_UNLOCK 1
#define TTLOCK_RECORD_APP_LOCK 26

struct ttlock_record {
	uint8_t type;
	uint8_t date[6];
	uint8_t percent; /* of the battery at that moment */
	const uint8_t *tail;
	size_t n_tail;
};

/* The head of a page; *rd is left on its records; *ret_next 0: there is nothing more. -EBADMSG. */
int ttlock_log_page(const uint8_t *data, size_t n, uint16_t *ret_next, struct rd *ret_rd);
/* 1 a record (its tail is borrowed), 0 no more, -EBADMSG. */
int ttlock_record_next(struct rd *rd, struct ttlock_record *ret);

/* What the tail holds; what a type has none of is 0. */
struct ttlock_tail {
	bool has_user;
	uint32_t uid;
	uint32_t record; /* as the app had numbered it */
	enum credential_type credential;
	uint8_t id[16]; /* digits of a code, number of a card, id of a finger */
	size_t n_id;
	int accessory_percent; /* of a sensor, fob or keypad; -1 */
	uint8_t key_id;
	uint8_t address[6]; /* of a fob or keypad, least significant octet first */
	bool has_address;
};
void ttlock_record_tail(const struct ttlock_record *record, struct ttlock_tail *ret);

/*
 * A number for a code, card or finger, of which nobody can find out the digits: the lock has none
 * of its own. 48 bits, never 0.
 */
int64_t ttlock_ref(
	const struct ttlock_keys *keys, enum credential_type type, const void *id, size_t n_id);

/* @seq: 1 for the first of all. @is_own: by a number that this hub has given. */
void ttlock_log_entry(const struct ttlock_keys *keys, const struct zone *zone,
	const struct ttlock_record *record, int64_t seq, bool is_own, struct log_entry *ret);
