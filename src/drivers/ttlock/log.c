/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "message.h"
#include "util/auto.h"
#include "util/text.h"

#define RECORD_HEAD_LEN 8
#define REF_BITS 48

int ttlock_log_page(const uint8_t *data, size_t n, uint16_t *ret_next, struct rd *ret_rd) {
	struct rd rd = rd_on(data, n);
	const uint16_t total = rd_u16be(&rd);

	if (rd_ok(&rd) < 0) {
		return -EBADMSG;
	}
	*ret_next = 0;
	if (total > 0) {
		*ret_next = rd_u16be(&rd);
	} else {
		rd_skip(&rd, rd_left(&rd));
	}
	*ret_rd = rd;
	return rd_ok(&rd);
}

int ttlock_record_next(struct rd *rd, struct ttlock_record *ret) {
	if (rd_left(rd) == 0) {
		return 0;
	}
	const uint8_t n = rd_u8(rd);
	const uint8_t *octets = rd_bytes(rd, n);
	if (octets == NULL || n < RECORD_HEAD_LEN) {
		return -EBADMSG;
	}
	struct rd in = rd_on(octets, n);
	ret->type = rd_u8(&in);
	rd_copy(&in, ret->date, sizeof(ret->date));
	ret->percent = rd_u8(&in);
	ret->n_tail = rd_left(&in);
	ret->tail = rd_bytes(&in, ret->n_tail);
	return 1;
}

/* ---- what each type means ---- */

enum tail_form {
	TAIL_NONE,
	TAIL_USER,     /* user, record */
	TAIL_USER_KEY, /* the same and the number of a key */
	TAIL_CODES,    /* a code, and what became of it */
	TAIL_CARD,
	TAIL_FINGER,
	TAIL_PERCENT,
	TAIL_ADDRESS, /* and perhaps the number of its key and its battery */
};

#define OPENS EVENT_LOCK_OPERATION, OPERATION_UNLOCK
#define LOCKS EVENT_LOCK_OPERATION, OPERATION_LOCK
#define FAILS EVENT_LOCK_OPERATION_ERROR, OPERATION_UNLOCK
#define NOTES EVENT_LOCK_SETTING, OPERATION_NONE
#define DOORS EVENT_DOOR_STATE_CHANGE, OPERATION_NONE
#define ALARM EVENT_ALARM, OPERATION_NONE

/* clang-format off */
static const struct record_row {
	uint8_t type;
	enum tail_form form;
	enum event_kind kind;
	enum operation_type operation;
	enum operation_source source;
	enum operation_error error; /* OPERATION_ERROR_UNSPECIFIED stands for none unless it FAILS */
	const char *text;
} record_rows[] = {
	{ 1,  TAIL_USER,     OPENS, SOURCE_REMOTE, 0, "by app" },
	{ 3,  TAIL_NONE,     OPENS, SOURCE_PROPRIETARY_REMOTE, 0, "by the maker's server" },
	{ 4,  TAIL_CODES,    OPENS, SOURCE_KEYPAD, 0, "by code" },
	{ 5,  TAIL_CODES,    NOTES, SOURCE_KEYPAD, 0, "a code was changed at the keypad" },
	{ 6,  TAIL_CODES,    NOTES, SOURCE_KEYPAD, 0, "a code was removed" },
	{ 7,  TAIL_CODES,    FAILS, SOURCE_KEYPAD, OPERATION_ERROR_INVALID_CREDENTIAL, "wrong code" },
	{ 8,  TAIL_NONE,     NOTES, SOURCE_KEYPAD, 0, "all codes were removed" },
	{ 9,  TAIL_CODES,    NOTES, SOURCE_KEYPAD, 0, "a code was pushed out by a new one" },
	{ 10, TAIL_CODES,    NOTES, SOURCE_KEYPAD, 0, "the code that deletes codes was used" },
	{ 11, TAIL_CODES,    FAILS, SOURCE_KEYPAD, OPERATION_ERROR_RESTRICTED, "expired code" },
	{ 12, TAIL_CODES,    FAILS, SOURCE_KEYPAD, OPERATION_ERROR_UNSPECIFIED, "code: memory full" },
	{ 13, TAIL_CODES,    FAILS, SOURCE_KEYPAD, OPERATION_ERROR_DISABLED_USER, "blacklisted code" },
	{ 14, TAIL_NONE,     NOTES, SOURCE_UNSPECIFIED, 0, "started: power came back" },
	{ 15, TAIL_CARD,     NOTES, SOURCE_RFID, 0, "a card was added" },
	{ 16, TAIL_NONE,     NOTES, SOURCE_RFID, 0, "all cards were removed" },
	{ 17, TAIL_CARD,     OPENS, SOURCE_RFID, 0, "by card" },
	{ 18, TAIL_CARD,     NOTES, SOURCE_RFID, 0, "a card was removed" },
	{ 19, TAIL_ADDRESS,  OPENS, SOURCE_PROPRIETARY_REMOTE, 0, "by wristband" },
	{ 20, TAIL_FINGER,   OPENS, SOURCE_BIOMETRIC, 0, "by fingerprint" },
	{ 21, TAIL_FINGER,   NOTES, SOURCE_BIOMETRIC, 0, "a fingerprint was added" },
	{ 22, TAIL_FINGER,   FAILS, SOURCE_BIOMETRIC, OPERATION_ERROR_INVALID_CREDENTIAL, "fingerprint refused" },
	{ 23, TAIL_FINGER,   NOTES, SOURCE_BIOMETRIC, 0, "a fingerprint was removed" },
	{ 24, TAIL_NONE,     NOTES, SOURCE_BIOMETRIC, 0, "all fingerprints were removed" },
	{ 25, TAIL_CARD,     FAILS, SOURCE_RFID, OPERATION_ERROR_INVALID_CREDENTIAL, "card refused" },
	{ 26, TAIL_USER,     LOCKS, SOURCE_REMOTE, 0, "by app" },
	{ 27, TAIL_NONE,     OPENS, SOURCE_MANUAL, 0, "with the key" },
	{ 28, TAIL_USER,     OPENS, SOURCE_PROPRIETARY_REMOTE, 0, "by a gateway" },
	{ 29, TAIL_NONE,     ALARM, SOURCE_UNSPECIFIED, 0, "opened by force" },
	{ 30, TAIL_PERCENT,  DOORS, SOURCE_UNSPECIFIED, 0, "door closed" },
	{ 31, TAIL_PERCENT,  DOORS, SOURCE_UNSPECIFIED, 0, "door opened" },
	{ 32, TAIL_NONE,     OPENS, SOURCE_MANUAL, 0, "from inside" },
	{ 33, TAIL_FINGER,   LOCKS, SOURCE_BIOMETRIC, 0, "by fingerprint" },
	{ 34, TAIL_CODES,    LOCKS, SOURCE_KEYPAD, 0, "by code" },
	{ 35, TAIL_CARD,     LOCKS, SOURCE_RFID, 0, "by card" },
	{ 36, TAIL_NONE,     LOCKS, SOURCE_MANUAL, 0, "with the key" },
	{ 37, TAIL_USER_KEY, OPENS, SOURCE_PROPRIETARY_REMOTE, 0, "by remote control" },
	{ 38, TAIL_CODES,    FAILS, SOURCE_KEYPAD, OPERATION_ERROR_RESTRICTED, "code: locked from inside" },
	{ 39, TAIL_CARD,     FAILS, SOURCE_RFID, OPERATION_ERROR_RESTRICTED, "card: locked from inside" },
	{ 40, TAIL_FINGER,   FAILS, SOURCE_BIOMETRIC, OPERATION_ERROR_RESTRICTED, "finger: locked from inside" },
	{ 41, TAIL_USER,     FAILS, SOURCE_REMOTE, OPERATION_ERROR_RESTRICTED, "app: locked from inside" },
	{ 51, TAIL_CARD,     FAILS, SOURCE_RFID, OPERATION_ERROR_DISABLED_USER, "blacklisted card" },
	{ 52, TAIL_USER,     LOCKS, SOURCE_REMOTE, 0, "twice, by app" },
	{ 55, TAIL_ADDRESS,  OPENS, SOURCE_PROPRIETARY_REMOTE, 0, "by key fob" },
	{ 56, TAIL_ADDRESS,  NOTES, SOURCE_KEYPAD, 0, "the wireless keypad" },
};
/* clang-format on */

/* Of types without a row: how long their tails are does not matter, what they mean nobody knows. */
static const struct record_row *row_of(uint8_t type) {
	static const struct record_row unknown = { 0, TAIL_NONE, NOTES, SOURCE_UNSPECIFIED, 0, "" };

	for (size_t i = 0; i < ARRAY_SIZE(record_rows); i++) {
		if (record_rows[i].type == type) {
			return &record_rows[i];
		}
	}
	return &unknown;
}

static void set_id(
	struct ttlock_tail *tail, enum credential_type type, const uint8_t *id, size_t n_id) {
	tail->credential = type;
	tail->n_id = n_id < sizeof(tail->id) ? n_id : sizeof(tail->id);
	memcpy(tail->id, id, tail->n_id);
}

static void read_code(struct rd *rd, struct ttlock_tail *ret) {
	const uint8_t n = rd_u8(rd);
	const uint8_t *digits = rd_bytes(rd, n);

	if (digits != NULL && n > 0) {
		set_id(ret, CREDENTIAL_PIN, digits, n);
	}
}

void ttlock_record_tail(const struct ttlock_record *record, struct ttlock_tail *ret) {
	struct rd rd = rd_on(record->tail, record->n_tail);

	*ret = (struct ttlock_tail){ .credential = CREDENTIAL_NONE, .accessory_percent = -1 };
	switch (row_of(record->type)->form) {
	case TAIL_USER:
	case TAIL_USER_KEY:
		ret->uid = rd_u32be(&rd);
		ret->record = rd_u32be(&rd);
		ret->has_user = rd_ok(&rd) == 0;
		ret->key_id = rd_left(&rd) > 0 ? rd_u8(&rd) : 0;
		break;
	case TAIL_CODES:
		read_code(&rd, ret);
		break;
	case TAIL_CARD:
		set_id(ret, CREDENTIAL_RFID, record->tail, record->n_tail);
		break;
	case TAIL_FINGER:
		set_id(ret, CREDENTIAL_FINGERPRINT, record->tail, record->n_tail);
		break;
	case TAIL_PERCENT:
		ret->accessory_percent = rd_left(&rd) > 0 ? rd_u8(&rd) : -1;
		break;
	case TAIL_ADDRESS:
		rd_copy(&rd, ret->address, sizeof(ret->address));
		ret->has_address = rd_ok(&rd) == 0;
		ret->key_id = rd_left(&rd) > 1 ? rd_u8(&rd) : 0;
		ret->accessory_percent = rd_left(&rd) > 0 ? rd_u8(&rd) : -1;
		break;
	case TAIL_NONE:
		break;
	}
}

/* ---- in our terms ---- */

int64_t ttlock_ref(
	const struct ttlock_keys *keys, enum credential_type type, const void *id, size_t n_id) {
	static const char context[] = "lockhub ttlock ref";
	const uint8_t kind = (uint8_t) type;
	uint8_t key[32] = { 0 };
	uint8_t digest[32];
	uint8_t card[8];
	int64_t ref = 0;

	if (type == CREDENTIAL_RFID && n_id == sizeof(card)) {
		memcpy(card, id, n_id);
		id = card;
		n_id = ttlock_card_trim(card, n_id);
	}
	const struct crypto_part parts[] = { { context, sizeof(context) }, { &kind, 1 },
		{ id, n_id } };
	memcpy(key, keys->key, sizeof(keys->key));
	crypto_hmac_sha256(key, parts, ARRAY_SIZE(parts), digest);
	wipe(key, sizeof(key));
	wipe(card, sizeof(card));
	for (size_t i = 0; i < REF_BITS / 8; i++) {
		ref = ref << 8 | digest[i];
	}
	return ref != 0 ? ref : 1;
}

static void fill_door(const struct ttlock_record *record, struct log_entry *ret) {
	if (ret->kind == EVENT_DOOR_STATE_CHANGE) {
		ret->door = record->type == 31 ? DOOR_STATE_OPEN : DOOR_STATE_CLOSED;
	} else if (ret->kind == EVENT_ALARM) {
		ret->alarm = ALARM_DOOR_FORCED_OPEN;
	}
}

void ttlock_log_entry(const struct ttlock_keys *keys, const struct zone *zone,
	const struct ttlock_record *record, int64_t seq, bool is_own, struct log_entry *ret) {
	const struct record_row *row = row_of(record->type);
	struct ttlock_tail tail;

	ttlock_record_tail(record, &tail);
	*ret = (struct log_entry){
		.seq = seq,
		.time = ttlock_date_to_wall(zone, record->date, sizeof(record->date)),
		.kind = row->kind,
		.operation = row->operation,
		.source = row->source,
		.error =
			row->kind == EVENT_LOCK_OPERATION_ERROR ? row->error : OPERATION_ERROR_NONE,
		.alarm = ALARM_NONE,
		.door = DOOR_STATE_UNKNOWN,
		.credential = CREDENTIAL_NONE,
		.is_own = is_own,
	};
	fill_door(record, ret);
	if (tail.n_id > 0 && ret->kind != EVENT_LOCK_SETTING) {
		ret->credential = tail.credential;
	}
	/* What was refused as unknown is nobody's. */
	if (ret->credential != CREDENTIAL_NONE &&
		ret->error != OPERATION_ERROR_INVALID_CREDENTIAL) {
		ret->user_ref = ttlock_ref(keys, tail.credential, tail.id, tail.n_id);
	}
	if (row->type != 0) {
		(void) text_copy(ret->text, sizeof(ret->text), row->text);
	} else {
		/* Public sources disagree about them: the number stands for itself. */
		(void) snprintf(ret->text, sizeof(ret->text),
			"record of type %u, which lockhub does not know", record->type);
	}
	wipe(&tail, sizeof(tail));
}
