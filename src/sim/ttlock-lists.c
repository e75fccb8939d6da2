/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ttlock.h"

/* What a virtual TTLock keeps: codes, cards, fingers, hours in which it stays open, the log. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/bytes.h"

#define OP_CLEAR 1
#define OP_ADD 2
#define OP_REMOVE 3
#define OP_CLEAR_TOKENS 4
#define OP_CHANGE 5
#define BAD_LENGTH 0x0f
#define FAILED 0x13
#define EXISTS 0x14
#define NO_CODE 0x15
#define FULL 0x16
#define NO_CARD 0x18
#define NO_FINGER 0x1a
#define BAD_PARAMETER 0x20
#define END 0xffff
#define TOUCHES 4 /* of a finger */

static int done(struct ttlock *lock, uint8_t op, uint8_t *out) {
	out[0] = ttlock_percent(lock);
	out[1] = op;
	return 2;
}

static int put_u16(uint8_t *out, unsigned value) {
	out[0] = (uint8_t) (value >> 8);
	out[1] = (uint8_t) value;
	return 2;
}

/* ---- the log ---- */

void ttlock_log_add(struct ttlock *lock, uint8_t type, const void *tail, size_t n_tail) {
	struct ttlock_record *record;

	if (lock->n_records == TTLOCK_RECORDS_MAX) {
		memmove(lock->records, lock->records + 1,
			(TTLOCK_RECORDS_MAX - 1) * sizeof(lock->records[0]));
		lock->n_records--;
		lock->first_record++;
	}
	record = &lock->records[lock->n_records++];
	record->octets[0] = type;
	ttlock_date(lock, record->octets + 1);
	record->octets[7] = ttlock_percent(lock);
	record->n = (uint8_t) (8 + n_tail);
	if (n_tail > 0) {
		memcpy(record->octets + 8, tail, n_tail);
	}
	lock->is_log_new = true;
}

int ttlock_do_log(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out) {
	const unsigned end = lock->first_record + lock->n_records;
	unsigned cursor;

	if (n != 2) {
		return -BAD_PARAMETER;
	}
	cursor = (unsigned) in[0] << 8 | in[1];
	if (cursor == END) {
		lock->is_log_new = false; /* the bookmark, which nobody of ours moves */
		return put_u16(out, 0);
	}
	if (cursor > end) {
		return -FAILED;
	}
	cursor = cursor < lock->first_record ? lock->first_record : cursor;
	if (cursor == end) {
		return put_u16(out, 0);
	}
	const struct ttlock_record *record = &lock->records[cursor - lock->first_record];
	(void) put_u16(out, record->n + 3U);
	(void) put_u16(out + 2, cursor + 1);
	out[4] = record->n;
	memcpy(out + 5, record->octets, record->n);
	return record->n + 5;
}

/* ---- codes ---- */

bool ttlock_is_valid(const struct ttlock *lock, const uint8_t start[5], const uint8_t end[5]) {
	uint8_t now[6];

	ttlock_date(lock, now);
	return memcmp(now, start, 5) >= 0 && memcmp(now, end, 5) <= 0;
}

static struct ttlock_code *find_code(struct ttlock *lock, const uint8_t *digits, size_t n) {
	for (unsigned i = 0; i < lock->n_codes; i++) {
		if (lock->codes[i].n == n && memcmp(lock->codes[i].digits, digits, n) == 0) {
			return &lock->codes[i];
		}
	}
	return NULL;
}

int ttlock_try_code(const struct ttlock *lock, const uint8_t *digits, size_t n) {
	const struct ttlock_code *code = find_code((struct ttlock *) lock, digits, n);

	if (code == NULL) {
		return -1;
	}
	return code->type == 1 || ttlock_is_valid(lock, code->start, code->end);
}

/* Digits, start and, but of permanent ones, end. */
static int read_code(struct rd *rd, uint8_t type, struct ttlock_code *ret) {
	*ret = (struct ttlock_code){ .type = type, .n = rd_u8(rd) };
	if (ret->n < 4 || ret->n > 9) {
		return -BAD_LENGTH;
	}
	rd_copy(rd, ret->digits, ret->n);
	rd_copy(rd, ret->start, sizeof(ret->start));
	if (type != 1) {
		rd_copy(rd, ret->end, sizeof(ret->end));
	}
	/* Public clients send zeros behind permanent ones. */
	return rd_ok(rd) < 0 || type < 1 || type > 4 ? -BAD_PARAMETER : 0;
}

static int add_code(struct ttlock *lock, struct rd *rd, uint8_t *out) {
	struct ttlock_code code;
	const int r = read_code(rd, rd_u8(rd), &code);

	if (r < 0) {
		return r;
	}
	if (find_code(lock, code.digits, code.n) != NULL) {
		return -EXISTS;
	}
	if (lock->n_codes == TTLOCK_CODES_MAX) {
		return -FULL;
	}
	lock->codes[lock->n_codes++] = code;
	return done(lock, OP_ADD, out);
}

static int remove_code(struct ttlock *lock, struct rd *rd, uint8_t *out) {
	(void) rd_u8(rd); /* type */
	const uint8_t n = rd_u8(rd);
	const uint8_t *digits = rd_bytes(rd, n);
	struct ttlock_code *code = digits == NULL ? NULL : find_code(lock, digits, n);

	if (code == NULL) {
		return -NO_CODE;
	}
	*code = lock->codes[--lock->n_codes];
	return done(lock, OP_REMOVE, out);
}

static int change_code(struct ttlock *lock, struct rd *rd, uint8_t *out) {
	const uint8_t type = rd_u8(rd);
	const uint8_t n = rd_u8(rd);
	const uint8_t *digits = rd_bytes(rd, n);
	struct ttlock_code *code = digits == NULL ? NULL : find_code(lock, digits, n);
	struct ttlock_code changed;
	const int r = read_code(rd, type, &changed);

	if (code == NULL) {
		return -NO_CODE;
	}
	if (r < 0) {
		return r;
	}
	const struct ttlock_code *other = find_code(lock, changed.digits, changed.n);
	if (other != NULL && other != code) {
		return -EXISTS;
	}
	*code = changed;
	return done(lock, OP_CHANGE, out);
}

int ttlock_do_code(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out) {
	struct rd rd = rd_on(in, n);

	switch (rd_u8(&rd)) {
	case OP_CLEAR:
		lock->n_codes = 0;
		return done(lock, OP_CLEAR, out);
	case OP_ADD:
		return add_code(lock, &rd, out);
	case OP_REMOVE:
		return remove_code(lock, &rd, out);
	case OP_CHANGE:
		return change_code(lock, &rd, out);
	default:
		return -BAD_PARAMETER;
	}
}

/* Two to a page. */
int ttlock_list_codes(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out) {
	const unsigned from = n == 2 ? (unsigned) in[0] << 8 | in[1] : 0;
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX - 2);
	unsigned at = from;

	if (from >= lock->n_codes) {
		return put_u16(out, 0);
	}
	wr_zeros(&wr, 4);
	for (; at < lock->n_codes && at < from + 2; at++) {
		const struct ttlock_code *code = &lock->codes[at];
		wr_u8(&wr, (uint8_t) (3 + 2 * code->n +
				      (code->type == 1          ? 5
					      : code->type == 4 ? 7
								: 10)));
		wr_u8(&wr, code->type);
		wr_u8(&wr, code->n);
		wr_bytes(&wr, code->digits, code->n);
		wr_u8(&wr, code->n);
		wr_bytes(&wr, code->digits, code->n);
		wr_bytes(&wr, code->start, 5);
		if (code->type != 1) {
			wr_bytes(&wr, code->end, code->type == 4 ? 2 : 5);
		}
	}
	(void) put_u16(out, (unsigned) wr.used - 2);
	(void) put_u16(out + 2, at < lock->n_codes ? at : END);
	return (int) wr.used;
}

/* ---- cards and fingers ---- */

struct ttlock_token *ttlock_find_token(struct ttlock_tokens *tokens, const uint8_t *id) {
	for (unsigned i = 0; id != NULL && i < tokens->n; i++) {
		if (memcmp(tokens->rows[i].id, id, tokens->n_id) == 0) {
			return &tokens->rows[i];
		}
	}
	return NULL;
}

static int list_tokens(
	struct ttlock *lock, const struct ttlock_tokens *tokens, unsigned from, uint8_t *out) {
	struct wr wr = wr_on(out, TTLOCK_PLAIN_MAX - 2);
	unsigned at = from;

	wr_u8(&wr, ttlock_percent(lock));
	wr_u8(&wr, 1);
	wr_zeros(&wr, 2);
	for (; at < tokens->n && at < from + 2; at++) {
		wr_bytes(&wr, tokens->rows[at].id, tokens->n_id);
		wr_bytes(&wr, tokens->rows[at].start, 5);
		wr_bytes(&wr, tokens->rows[at].end, 5);
	}
	(void) put_u16(out + 2, at < tokens->n ? at : END);
	return (int) wr.used;
}

static const uint8_t first_date[] = { 0, 1, 31, 14, 0 };
static const uint8_t last_date[] = { 99, 12, 31, 14, 0 };

/* What it is told of one that it learns begins so (7.7). */
static int begin_learning(
	struct ttlock *lock, const struct ttlock_tokens *tokens, uint8_t list, uint8_t *out) {
	if (tokens->n == TTLOCK_TOKENS_MAX) {
		return -FULL;
	}
	lock->learning = list == 1 ? 0x05 : 0x06;
	lock->learn_link = lock->asking;
	lock->n_touches = 0;
	(void) done(lock, OP_ADD, out);
	out[2] = 0x02;
	out[3] = TOUCHES;
	return list == 1 ? 3 : 4;
}

int ttlock_learn(struct ttlock *lock, const uint8_t *id, char *why) {
	const bool is_card = lock->learning == 0x05;
	struct ttlock_tokens *tokens = is_card ? &lock->cards : &lock->fingers;
	uint8_t push[16] = { lock->learning, 1, ttlock_percent(lock), OP_ADD };
	size_t n = 4;

	if (ttlock_find_token(tokens, id) != NULL) {
		snprintf(why, SIM_TEXT_MAX, "it knows that one");
		return -EINVAL;
	}
	if (!is_card && ++lock->n_touches < TOUCHES) {
		push[n++] = 0x03;
		push[n++] = (uint8_t) lock->n_touches;
		push[n++] = TOUCHES;
		ttlock_say(lock, lock->learn_link, push, n);
		return 0;
	}
	struct ttlock_token *token = &tokens->rows[tokens->n++];
	memcpy(token->id, id, tokens->n_id);
	memcpy(token->start, first_date, sizeof(first_date));
	memcpy(token->end, last_date, sizeof(last_date));
	ttlock_log_add(lock, is_card ? 15 : 21, id, tokens->n_id);
	push[n++] = 0x01;
	memcpy(push + n, id, tokens->n_id);
	lock->learning = 0;
	ttlock_say(lock, lock->learn_link, push, n + tokens->n_id);
	return 0;
}

static int do_tokens(struct ttlock *lock, struct ttlock_tokens *tokens, uint8_t list, int missing,
	struct rd *rd, uint8_t *out) {
	const uint8_t op = rd_u8(rd);
	struct ttlock_token *token;

	if (op == list) {
		return list_tokens(lock, tokens, rd_u16be(rd), out);
	}
	switch (op) {
	case OP_ADD:
		return rd_left(rd) == 0 ? begin_learning(lock, tokens, list, out) : -BAD_PARAMETER;
	case OP_REMOVE:
		token = ttlock_find_token(tokens, rd_bytes(rd, tokens->n_id));
		if (token == NULL) {
			return -missing;
		}
		*token = tokens->rows[--tokens->n];
		return done(lock, op, out);
	case OP_CHANGE:
		token = ttlock_find_token(tokens, rd_bytes(rd, tokens->n_id));
		if (token == NULL) {
			return -missing;
		}
		rd_copy(rd, token->start, sizeof(token->start));
		rd_copy(rd, token->end, sizeof(token->end));
		return done(lock, op, out);
	case OP_CLEAR_TOKENS:
		tokens->n = 0;
		return done(lock, op, out);
	default:
		return -BAD_PARAMETER;
	}
}

int ttlock_do_card(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out) {
	struct rd rd = rd_on(in, n);

	return do_tokens(lock, &lock->cards, 1, NO_CARD, &rd, out);
}

int ttlock_do_finger(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out) {
	struct rd rd = rd_on(in, n);

	return do_tokens(lock, &lock->fingers, 6, NO_FINGER, &rd, out);
}

/* ---- hours in which it stays open: one to a page ---- */

int ttlock_do_passage(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out) {
	struct rd rd = rd_on(in, n);
	const uint8_t op = rd_u8(&rd);
	const uint8_t *row = rd_bytes(&rd, op == 1 ? 1 : op == OP_CLEAR_TOKENS ? 0 : 7);

	if (rd_end(&rd) < 0) {
		return -BAD_PARAMETER;
	}
	(void) done(lock, op, out);
	switch (op) {
	case 1:
		out[2] = row[0] + 1U < lock->n_passages ? (uint8_t) (row[0] + 1) : 0xff;
		if (row[0] >= lock->n_passages) {
			return 3;
		}
		memcpy(out + 3, lock->passages[row[0]], 7);
		return 10;
	case OP_ADD:
		if (lock->n_passages == TTLOCK_PASSAGES_MAX) {
			return -FULL;
		}
		memcpy(lock->passages[lock->n_passages++], row, 7);
		return 2;
	case OP_CLEAR_TOKENS:
		lock->n_passages = 0;
		return 2;
	default:
		return -BAD_PARAMETER;
	}
}
