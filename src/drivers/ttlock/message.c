/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "message.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "util/auto.h"
#include "util/text.h"

#define LONG_STATE_LEN 15
#define PERCENT_MAX 100
#define DAY_S 86400

#define OP_LIST 0x01
#define OP_ADD 0x02
#define OP_REMOVE 0x03
#define OP_CHANGE 0x05
#define OP_LIST_FINGERS 0x06

static size_t ended(const struct wr *wr) {
	const ssize_t n = wr_end(wr);

	assert(n >= 0);
	return (size_t) n;
}

/* ---- answers ---- */

int ttlock_reply_parse(const uint8_t *plain, size_t n, struct ttlock_reply *ret) {
	if (n < 2) {
		return -EBADMSG;
	}
	*ret = (struct ttlock_reply){
		.command = plain[0],
		.is_done = plain[1] == 1,
		.data = plain + 2,
		.n = n - 2,
	};
	if (!ret->is_done) {
		ret->error = n > 2 ? plain[2] : 0;
	}
	return 0;
}

const struct ttlock_error_row *ttlock_error_row(uint8_t error) {
	static const struct ttlock_error_row rows[] = {
		{ 0x00, FAULT_PROTOCOL_ERROR, "protocol version or kind of lock are wrong" },
		{ TTLOCK_ERROR_CRC, FAULT_PROTOCOL_ERROR,
			"the message came with a wrong checksum" },
		{ 0x02, FAULT_NOT_AUTHORIZED, "not allowed without the administrator" },
		{ 0x03, FAULT_NOT_AUTHORIZED, "wrong admin number: it was set up anew" },
		{ TTLOCK_ERROR_SETTABLE, FAULT_NOT_AUTHORIZED,
			"nobody has set it up: it was reset" },
		{ 0x06, FAULT_NOT_AUTHORIZED, "it has no administrator: it was never set up" },
		{ 0x07, FAULT_NOT_PAIRING, "it is set up already: reset it first" },
		{ 0x08, FAULT_NOT_AUTHORIZED, "wrong unlock number" },
		{ 0x0a, FAULT_VOLTAGE_TOO_LOW, "too little power" },
		{ 0x0b, FAULT_PAIRING_FAILED, "its keypad could not be set up" },
		{ 0x0d, FAULT_NOT_AUTHORIZED, "the key was revoked" },
		{ 0x0e, FAULT_TIME_NOT_ALLOWED,
			"the key is no longer valid by the clock of the lock" },
		{ 0x0f, FAULT_CODE_INVALID, "a code has four to nine digits" },
		{ 0x10, FAULT_CODE_INVALID, "the code is the one that deletes codes" },
		{ 0x11, FAULT_TIME_NOT_ALLOWED,
			"the key is not valid yet by the clock of the lock" },
		{ 0x12, FAULT_NOT_AUTHORIZED, "the administrator has not shown himself" },
		{ TTLOCK_ERROR_FAILED, FAULT_ACTION_REJECTED, "the operation failed" },
		{ 0x14, FAULT_CODE_EXISTS, "it has that code already" },
		{ TTLOCK_ERROR_NO_CODE, FAULT_NO_SUCH_ENTRY,
			"it does not know that code, or nobody has used it yet" },
		{ 0x16, FAULT_LIST_FULL, "its memory is full" },
		{ 0x17, FAULT_LOCK_ERROR, "not defined" },
		{ 0x18, FAULT_NO_SUCH_ENTRY, "it does not know that card" },
		{ 0x1a, FAULT_NO_SUCH_ENTRY, "it does not know that fingerprint" },
		{ 0x1b, FAULT_NOT_SUPPORTED, "it does not know that command" },
		{ 0x1c, FAULT_KEYPAD_LOCKED, "it is frozen: setting Frozen, off" },
		{ 0x1d, FAULT_NOT_AUTHORIZED, "it is of another vendor" },
		{ 0x1e, FAULT_ACTION_REJECTED, "it is locked twice, from inside" },
		{ TTLOCK_ERROR_NO_RECORD, FAULT_NO_SUCH_ENTRY, "no such record" },
		{ 0x20, FAULT_BAD_PARAMETER, "bad parameter" },
		{ 0x21, FAULT_JAMMED, "something is in the way" },
		{ 0x24, FAULT_LOCK_BUSY, "busy receiving" },
		{ 0x25, FAULT_LOCK_ERROR, "its Wi-Fi module" },
		{ 0x26, FAULT_LOCK_ERROR, "its Wi-Fi module" },
	};
	static const struct ttlock_error_row unknown = { 0xff, FAULT_LOCK_ERROR,
		"something that nobody knows" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].error == error) {
			return &rows[i];
		}
	}
	return &unknown;
}

int ttlock_state_parse(uint8_t command, const uint8_t *data, size_t n, struct ttlock_state *ret) {
	struct rd rd = rd_on(data, n);
	struct ttlock_state state = { .percent = rd_u8(&rd) };

	if (n >= LONG_STATE_LEN) {
		(void) rd_u32be(&rd); /* whose key it was */
		state.record = rd_u32be(&rd);
		state.has_record = true;
	} else if (command == TTLOCK_STATE) {
		state.state = rd_u8(&rd);
		state.has_state = true;
	}
	if (rd_ok(&rd) < 0) {
		return -EBADMSG;
	}
	*ret = state;
	return 0;
}

int ttlock_features_parse(
	const uint8_t *data, size_t n, uint8_t *ret_percent, uint64_t *ret_features) {
	struct rd rd = rd_on(data, n);
	const uint8_t percent = rd_u8(&rd);
	const uint64_t low = rd_u32be(&rd);
	uint64_t high = 0;

	if (rd_ok(&rd) < 0) {
		return -EBADMSG;
	}
	if (rd_left(&rd) >= sizeof(uint32_t)) {
		high = rd_u32be(&rd);
	}
	*ret_percent = percent;
	*ret_features = high << 32 | low;
	return 0;
}

int ttlock_auto_lock_parse(const uint8_t *data, size_t n, struct ttlock_auto_lock *ret) {
	struct rd rd = rd_on(data, n);
	struct ttlock_auto_lock found = { .percent = rd_u8(&rd) };

	(void) rd_u8(&rd); /* the operation */
	found.seconds = rd_u16be(&rd);
	found.least = rd_u16be(&rd);
	found.most = rd_u16be(&rd);
	if (rd_ok(&rd) < 0) {
		return -EBADMSG;
	}
	*ret = found;
	return 0;
}

void ttlock_text_parse(const uint8_t *data, size_t n, char *out, size_t size) {
	const size_t n_text = n == 0 ? 0 : n - 1;
	const size_t n_out = n_text < size ? n_text : size - 1;

	memcpy(out, data, n_out);
	out[n_out] = '\0';
	text_sanitize(out);
}

/* ---- dates ---- */

void ttlock_date_from_wall(
	const struct zone *zone, wall_t at, uint8_t out[static TTLOCK_TIME_LEN]) {
	const wall_t local = { zone != NULL ? zone_local(zone, at) : at.s };
	struct civil civil = wall_to_civil(local);

	if (civil.year < 2000) {
		civil = (struct civil){ 2000, 1, 1, 0, 0, 0 };
	} else if (civil.year > 2099) {
		civil = (struct civil){ 2099, 12, 31, 23, 59, 59 };
	}
	out[0] = (uint8_t) (civil.year - 2000);
	out[1] = (uint8_t) civil.month;
	out[2] = (uint8_t) civil.day;
	out[3] = (uint8_t) civil.hour;
	out[4] = (uint8_t) civil.minute;
	out[5] = (uint8_t) civil.second;
}

wall_t ttlock_date_to_wall(const struct zone *zone, const uint8_t *date, size_t n) {
	const struct civil civil = {
		.year = 2000 + date[0],
		.month = date[1],
		.day = date[2],
		.hour = date[3],
		.minute = date[4],
		.second = n > TTLOCK_DATE_LEN ? date[5] : 0,
	};
	wall_t wall = { 0 };

	if (date[0] > 99 || wall_from_civil(&civil, &wall) < 0) {
		return (wall_t){ 0 };
	}
	return zone != NULL ? zone_first(zone, wall.s) : wall;
}

/* ---- requests ---- */

size_t ttlock_put_word(uint8_t *out) {
	memcpy(out, TTLOCK_WORD, TTLOCK_WORD_LEN);
	return TTLOCK_WORD_LEN;
}

size_t ttlock_put_admin_new(const struct ttlock_keys *keys, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u32be(&wr, keys->admin);
	wr_u32be(&wr, keys->unlock);
	wr_bytes(&wr, TTLOCK_WORD, TTLOCK_WORD_LEN);
	return ended(&wr);
}

static void put_flag_position(struct wr *wr, const struct ttlock_keys *keys) {
	wr_u8(wr, (uint8_t) (keys->flag_position >> 16));
	wr_u16be(wr, (uint16_t) keys->flag_position);
	wr_u32be(wr, keys->uid);
}

size_t ttlock_put_admin(const struct ttlock_keys *keys, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u32be(&wr, keys->admin);
	put_flag_position(&wr, keys);
	return ended(&wr);
}

size_t ttlock_put_proof(const struct ttlock_keys *keys, uint32_t challenge, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u32be(&wr, challenge + keys->unlock);
	return ended(&wr);
}

size_t ttlock_put_user(const struct ttlock_keys *keys, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_bytes(&wr, keys->start, sizeof(keys->start));
	wr_bytes(&wr, keys->end, sizeof(keys->end));
	put_flag_position(&wr, keys);
	return ended(&wr);
}

size_t ttlock_put_move(
	const struct ttlock_keys *keys, uint32_t challenge, uint32_t record, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u32be(&wr, challenge + keys->unlock);
	wr_u32be(&wr, record);
	return ended(&wr);
}

size_t ttlock_put_cursor(uint16_t cursor, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u16be(&wr, cursor);
	return ended(&wr);
}

#define OP_READ 0x01
#define OP_WRITE 0x02

size_t ttlock_put_read(uint8_t *out) {
	out[0] = OP_READ;
	return 1;
}

size_t ttlock_put_value(bool is_number, uint16_t value, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u8(&wr, OP_WRITE);
	if (is_number) {
		wr_u16be(&wr, value);
	} else {
		wr_u8(&wr, (uint8_t) value);
	}
	return ended(&wr);
}

/* ---- codes ---- */

static void put_digits(struct wr *wr, const char *digits, size_t n) {
	wr_u8(wr, (uint8_t) n);
	wr_bytes(wr, digits, n);
}

static void put_dates(struct wr *wr, const struct ttlock_code *code) {
	wr_bytes(wr, code->start, sizeof(code->start));
	if (code->type != TTLOCK_CODE_PERMANENT) {
		wr_bytes(wr, code->end, sizeof(code->end));
	}
}

size_t ttlock_put_code(const struct ttlock_code *code, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u8(&wr, OP_ADD);
	wr_u8(&wr, code->type);
	put_digits(&wr, code->digits, code->n);
	put_dates(&wr, code);
	return ended(&wr);
}

size_t ttlock_put_code_change(
	const struct ttlock_code *code, const char *old, size_t n_old, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u8(&wr, OP_CHANGE);
	wr_u8(&wr, code->type);
	put_digits(&wr, old, n_old);
	put_digits(&wr, code->digits, code->n);
	put_dates(&wr, code);
	return ended(&wr);
}

size_t ttlock_put_code_removal(const struct ttlock_code *code, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u8(&wr, OP_REMOVE);
	wr_u8(&wr, code->type);
	put_digits(&wr, code->digits, code->n);
	return ended(&wr);
}

int ttlock_code_page(const uint8_t *data, size_t n, uint16_t *ret_next, struct rd *ret_rd) {
	struct rd rd = rd_on(data, n);
	const uint16_t total = rd_u16be(&rd);

	if (rd_ok(&rd) < 0) {
		return -EBADMSG;
	}
	*ret_next = TTLOCK_CURSOR_END;
	if (total > 0) {
		*ret_next = rd_u16be(&rd);
	} else {
		rd_skip(&rd, rd_left(&rd));
	}
	*ret_rd = rd;
	return rd_ok(&rd);
}

static uint8_t read_digits(struct rd *rd, char out[static 16]) {
	const uint8_t n = rd_u8(rd);

	if (n >= 16) {
		rd->is_short = true;
		return 0;
	}
	rd_copy(rd, out, n);
	out[n] = '\0';
	return n;
}

int ttlock_code_next(struct rd *rd, struct ttlock_code *ret) {
	if (rd_left(rd) == 0) {
		return 0;
	}
	const uint8_t n = rd_u8(rd);
	const uint8_t *record = rd_bytes(rd, n);
	if (record == NULL) {
		return -EBADMSG;
	}
	struct rd in = rd_on(record, n);
	struct ttlock_code code = { .type = rd_u8(&in) };
	code.n = read_digits(&in, code.digits);
	code.n_first = read_digits(&in, code.first);
	rd_copy(&in, code.start, sizeof(code.start));
	if (code.type == TTLOCK_CODE_CYCLIC) {
		code.cycle = rd_u16be(&in);
	} else if (code.type != TTLOCK_CODE_PERMANENT) {
		rd_copy(&in, code.end, sizeof(code.end));
	}
	if (rd_ok(&in) < 0) {
		return -EBADMSG;
	}
	*ret = code;
	return 1;
}

/* ---- cards and fingers ---- */

#define CARD_LEN 4
#define CARD_LONG_LEN 8
#define FINGER_LEN 6
#define TOKEN_DATES_LEN (2 * TTLOCK_DATE_LEN)

size_t ttlock_put_token_list(enum ttlock_command command, uint16_t cursor, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u8(&wr, command == TTLOCK_FINGER ? OP_LIST_FINGERS : OP_LIST);
	wr_u16be(&wr, cursor);
	return ended(&wr);
}

size_t ttlock_put_token_change(const struct ttlock_token *token, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u8(&wr, OP_CHANGE);
	wr_bytes(&wr, token->id, token->n);
	wr_bytes(&wr, token->start, sizeof(token->start));
	wr_bytes(&wr, token->end, sizeof(token->end));
	return ended(&wr);
}

size_t ttlock_put_token_removal(const struct ttlock_token *token, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u8(&wr, OP_REMOVE);
	wr_bytes(&wr, token->id, token->n);
	return ended(&wr);
}

/* Nothing but the length of a page says how long the numbers of its cards are (ttlock.md 7.7). */
static uint8_t card_length(size_t n_records) {
	return n_records % (CARD_LEN + TOKEN_DATES_LEN) == 0 ? CARD_LEN : CARD_LONG_LEN;
}

size_t ttlock_card_trim(uint8_t *id, size_t n) {
	static const uint8_t filler[] = { 0xff, 0xff, 0xff, 0xff };
	static const uint8_t zeros[CARD_LEN] = { 0 };

	if (n == CARD_LONG_LEN && memcmp(id, zeros, sizeof(zeros)) == 0) {
		memmove(id, id + CARD_LEN, CARD_LEN);
		return CARD_LEN;
	}
	return n == CARD_LONG_LEN && memcmp(id + CARD_LEN, filler, sizeof(filler)) == 0 ? CARD_LEN
											: n;
}

size_t ttlock_put_token_learning(uint8_t *out) {
	out[0] = OP_ADD;
	return 1;
}

int ttlock_learn_parse(
	enum ttlock_command command, const uint8_t *data, size_t n, struct ttlock_learn *ret) {
	struct rd rd = rd_on(data, n);
	struct ttlock_learn learn = { .percent = rd_u8(&rd) };
	const uint8_t op = rd_u8(&rd);
	const uint8_t status = rd_u8(&rd);

	if (rd_ok(&rd) < 0 || op != OP_ADD) {
		return -EBADMSG;
	}
	learn.status = status;
	switch (status) {
	case TTLOCK_LEARN_WAITING:
		learn.n_all = rd_left(&rd) > 0 ? rd_u8(&rd) : 0;
		break;
	case TTLOCK_LEARN_PROGRESS:
		learn.n = rd_u8(&rd);
		learn.n_all = rd_u8(&rd);
		break;
	case TTLOCK_LEARNT:
		learn.token.n = command == TTLOCK_FINGER        ? FINGER_LEN
				: rd_left(&rd) >= CARD_LONG_LEN ? CARD_LONG_LEN
								: CARD_LEN;
		rd_copy(&rd, learn.token.id, learn.token.n);
		learn.token.n = (uint8_t) ttlock_card_trim(learn.token.id, learn.token.n);
		break;
	default: /* RULE R3: what the lock said, not an enum of ours */
		return -EBADMSG;
	}
	if (rd_ok(&rd) < 0) {
		return -EBADMSG;
	}
	*ret = learn;
	return 0;
}

int ttlock_token_page(enum ttlock_command command, const uint8_t *data, size_t n,
	uint16_t *ret_next, uint8_t *ret_n_id, struct rd *ret_rd) {
	struct rd rd = rd_on(data, n);

	(void) rd_u8(&rd); /* battery */
	(void) rd_u8(&rd); /* operation */
	*ret_next = rd_u16be(&rd);
	*ret_n_id = command == TTLOCK_FINGER ? FINGER_LEN : card_length(rd_left(&rd));
	*ret_rd = rd;
	return rd_ok(&rd);
}

int ttlock_token_next(struct rd *rd, uint8_t n_id, struct ttlock_token *ret) {
	struct ttlock_token token = { .n = n_id };

	if (rd_left(rd) < (size_t) n_id + TOKEN_DATES_LEN) {
		return 0; /* what is less than a record is none */
	}
	rd_copy(rd, token.id, n_id);
	rd_copy(rd, token.start, sizeof(token.start));
	rd_copy(rd, token.end, sizeof(token.end));
	if (rd_ok(rd) < 0) {
		return -EBADMSG;
	}
	*ret = token;
	return 1;
}

/* ---- hours in which it stays open ---- */

#define PASSAGE_WEEKLY 1
#define PASSAGE_MONTHLY 2

size_t ttlock_put_passage(const struct ttlock_passage *passage, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX);

	wr_u8(&wr, OP_ADD);
	wr_u8(&wr, passage->is_monthly ? PASSAGE_MONTHLY : PASSAGE_WEEKLY);
	wr_u8(&wr, passage->day);
	wr_u8(&wr, passage->month);
	wr_u8(&wr, passage->start_hour);
	wr_u8(&wr, passage->start_minute);
	wr_u8(&wr, passage->end_hour);
	wr_u8(&wr, passage->end_minute);
	return ended(&wr);
}

int ttlock_passage_page(const uint8_t *data, size_t n, uint8_t *ret_next, struct rd *ret_rd) {
	struct rd rd = rd_on(data, n);

	(void) rd_u8(&rd); /* battery */
	(void) rd_u8(&rd); /* operation */
	*ret_next = rd_u8(&rd);
	*ret_rd = rd;
	return rd_ok(&rd);
}

int ttlock_passage_next(struct rd *rd, struct ttlock_passage *ret) {
	if (rd_left(rd) == 0) {
		return 0;
	}
	struct ttlock_passage passage = { .is_monthly = rd_u8(rd) == PASSAGE_MONTHLY };
	passage.day = rd_u8(rd);
	passage.month = rd_u8(rd);
	passage.start_hour = rd_u8(rd);
	passage.start_minute = rd_u8(rd);
	passage.end_hour = rd_u8(rd);
	passage.end_minute = rd_u8(rd);
	if (rd_ok(rd) < 0) {
		return -EBADMSG;
	}
	*ret = passage;
	return 1;
}
