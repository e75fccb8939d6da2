/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Requests to a lock of TTLock and its answers, as they are in clear: parameters without the
 * command, and answers behind it. Pure.
 *
 * Source: docs/protocols/ttlock.md 6 to 8; vectors in tests/vectors/ttlock.json.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "keys.h"
#include "util/bytes.h"
#include "util/when.h"
#include "util/zone.h"

enum ttlock_command {
	TTLOCK_FEATURES = 0x01,
	TTLOCK_CODE = 0x03,
	TTLOCK_CARD = 0x05,
	TTLOCK_FINGER = 0x06,
	TTLOCK_CODE_LIST = 0x07,
	TTLOCK_STATE = 0x14,
	TTLOCK_GET_KEY = 0x19,
	TTLOCK_LOG = 0x25,
	TTLOCK_PROVE = 0x30,
	TTLOCK_GET_TIME = 0x34,
	TTLOCK_AUTO_LOCK = 0x36,
	TTLOCK_REMOTE = 0x37,
	TTLOCK_ADMIN = 0x41,
	TTLOCK_SET_TIME = 0x43,
	TTLOCK_INIT = 0x45,
	TTLOCK_UNLOCK = 0x47,
	TTLOCK_RESET = 0x52,
	TTLOCK_USER = 0x55,
	TTLOCK_ADD_ADMIN = 0x56,
	TTLOCK_FINISH = 0x57,
	TTLOCK_LOCK = 0x58,
	TTLOCK_CODE_DISPLAY = 0x59,
	TTLOCK_FREEZE = 0x61,
	TTLOCK_SOUND = 0x62,
	TTLOCK_PASSAGE = 0x66,
	TTLOCK_LAMP = 0x67,
	TTLOCK_DEVICE = 0x90,
};

/* What the lock says of a request that it refuses. */
enum ttlock_error {
	TTLOCK_ERROR_CRC = 0x01,
	TTLOCK_ERROR_SETTABLE = 0x05,
	TTLOCK_ERROR_FAILED = 0x13,
	TTLOCK_ERROR_NO_CODE = 0x15,
	TTLOCK_ERROR_NO_RECORD = 0x1f,
};

#define TTLOCK_CURSOR_END 0xffff
/* "SCIENER", the makers, stands where there is nothing to say. */
#define TTLOCK_WORD "SCIENER"
#define TTLOCK_WORD_LEN 7
/* Numbers that this hub makes: public clients cannot handle more. */
#define TTLOCK_NUMBER_MAX 99999999
#define TTLOCK_CODE_LEAST 4
#define TTLOCK_CODE_MOST 9
#define TTLOCK_TIME_LEN 6

/* ---- answers ---- */

struct ttlock_reply {
	uint8_t command; /* to which it is the answer */
	bool is_done;
	uint8_t error; /* when not done */
	const uint8_t *data;
	size_t n;
};
/* -EBADMSG: too short. @plain is borrowed. */
int ttlock_reply_parse(const uint8_t *plain, size_t n, struct ttlock_reply *ret);
/* The row of a refusal: what it means for us, and in words. Never NULL. */
struct ttlock_error_row {
	uint8_t error;
	enum fault_code fault;
	const char *text;
};
const struct ttlock_error_row *ttlock_error_row(uint8_t error);

struct ttlock_state {
	uint8_t percent;
	bool has_state;
	uint8_t state; /* 0 locked, 1 unlocked, more that nobody knows */
	bool has_record;
	uint32_t record; /* of what has just been done */
};
/* Behind 0x14, 0x47, 0x58, asked or not. -EBADMSG. */
int ttlock_state_parse(uint8_t command, const uint8_t *data, size_t n, struct ttlock_state *ret);
/* Battery and bits. -EBADMSG: too short, or no whole words. */
int ttlock_features_parse(
	const uint8_t *data, size_t n, uint8_t *ret_percent, uint64_t *ret_features);
struct ttlock_auto_lock {
	uint8_t percent;
	uint16_t seconds, least, most;
};
int ttlock_auto_lock_parse(const uint8_t *data, size_t n, struct ttlock_auto_lock *ret);
/* Text of 0x90, without its stray end; cleaned of what cannot be shown. */
void ttlock_text_parse(const uint8_t *data, size_t n, char *out, size_t size);

/* ---- dates: the wall's at the lock ---- */

/* Years 2000 to 2099; what is beyond is cut. NULL zone: UTC. */
void ttlock_date_from_wall(const struct zone *zone, wall_t at, uint8_t out[static TTLOCK_TIME_LEN]);
/* Of 5 or 6 octets; 0: no such date. */
wall_t ttlock_date_to_wall(const struct zone *zone, const uint8_t *date, size_t n);

/* ---- requests; octets written to @out ---- */

size_t ttlock_put_word(uint8_t *out);
size_t ttlock_put_admin_new(const struct ttlock_keys *keys, uint8_t *out);
size_t ttlock_put_admin(const struct ttlock_keys *keys, uint8_t *out);
size_t ttlock_put_proof(const struct ttlock_keys *keys, uint32_t challenge, uint8_t *out);
size_t ttlock_put_user(const struct ttlock_keys *keys, uint8_t *out);
size_t ttlock_put_move(
	const struct ttlock_keys *keys, uint32_t challenge, uint32_t record, uint8_t *out);
size_t ttlock_put_cursor(uint16_t cursor, uint8_t *out);
/* Of a setting: to read it, and to change it, a switch of one octet or a number of two. */
size_t ttlock_put_read(uint8_t *out);
size_t ttlock_put_value(bool is_number, uint16_t value, uint8_t *out);

/* ---- codes, cards, fingers ---- */

enum ttlock_code_type {
	TTLOCK_CODE_PERMANENT = 1,
	TTLOCK_CODE_ONCE = 2,
	TTLOCK_CODE_PERIOD = 3,
	TTLOCK_CODE_CYCLIC = 4,
};
struct ttlock_code {
	uint8_t type;
	uint8_t n, n_first;
	char digits[16];
	char first[16]; /* as it was made at first */
	uint8_t start[TTLOCK_DATE_LEN], end[TTLOCK_DATE_LEN];
	uint16_t cycle;
};
size_t ttlock_put_code(const struct ttlock_code *code, uint8_t *out);
/* @code in the place of what has @old for digits. */
size_t ttlock_put_code_change(
	const struct ttlock_code *code, const char *old, size_t n_old, uint8_t *out);
size_t ttlock_put_code_removal(const struct ttlock_code *code, uint8_t *out);
/* The head of a page; *rd is left on its records. *ret_next TTLOCK_CURSOR_END: the last. */
int ttlock_code_page(const uint8_t *data, size_t n, uint16_t *ret_next, struct rd *ret_rd);
/* 1 a code, 0 no more, -EBADMSG. */
int ttlock_code_next(struct rd *rd, struct ttlock_code *ret);

/* A card (4 or 8 octets) or a finger (6). */
struct ttlock_token {
	uint8_t id[8];
	uint8_t n;
	uint8_t start[TTLOCK_DATE_LEN], end[TTLOCK_DATE_LEN];
};
size_t ttlock_put_token_list(enum ttlock_command command, uint16_t cursor, uint8_t *out);
size_t ttlock_put_token_change(const struct ttlock_token *token, uint8_t *out);
size_t ttlock_put_token_removal(const struct ttlock_token *token, uint8_t *out);
/*
 * Short numbers of cards come in both lengths, filled up with zeros before or ones behind
 * (ttlock.md 7.7). The length without that, @id moved; n as it is for what is none of these.
 */
size_t ttlock_card_trim(uint8_t *id, size_t n);
/* The lock is to learn one that somebody presents. */
size_t ttlock_put_token_learning(uint8_t *out);
enum ttlock_learning {
	TTLOCK_LEARNT = 1,
	TTLOCK_LEARN_WAITING = 2,
	TTLOCK_LEARN_PROGRESS = 3,
};
struct ttlock_learn {
	uint8_t percent;
	enum ttlock_learning status;
	unsigned n, n_all;         /* touches; 0 not told */
	struct ttlock_token token; /* TTLOCK_LEARNT: its id, without dates */
};
/* An answer to that, the first or one of those that follow. -EBADMSG: none, or unknown. */
int ttlock_learn_parse(
	enum ttlock_command command, const uint8_t *data, size_t n, struct ttlock_learn *ret);
int ttlock_token_page(enum ttlock_command command, const uint8_t *data, size_t n,
	uint16_t *ret_next, uint8_t *ret_n_id, struct rd *ret_rd);
int ttlock_token_next(struct rd *rd, uint8_t n_id, struct ttlock_token *ret);

/* Hours in which the lock stays open. */
struct ttlock_passage {
	bool is_monthly;
	uint8_t day; /* 1 Monday .. 7, or of the month; 0 every */
	uint8_t month;
	uint8_t start_hour, start_minute, end_hour, end_minute;
};
size_t ttlock_put_passage(const struct ttlock_passage *passage, uint8_t *out);
/* 0xff: the last. */
int ttlock_passage_page(const uint8_t *data, size_t n, uint8_t *ret_next, struct rd *ret_rd);
int ttlock_passage_next(struct rd *rd, struct ttlock_passage *ret);
