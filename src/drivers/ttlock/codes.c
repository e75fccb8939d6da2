/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Codes, cards and fingerprints that a lock holds. It numbers none of its codes: what names one is
 * made of its digits (ttlock_ref), and whoever wants to change or remove one looks for it in the
 * list first. Cards and fingers are presented at the lock, which then tells their number; like the
 * maker's app we limit them by a second command. What is off is limited to a minute long ago.
 */

#include "machine.h"

#include <string.h>

#include "util/auto.h"

#define CODE_FLAGS (STEP_SECRET | STEP_CHANGES)
#define MINUTE_S 60

/* Dates that mean no end: those of all clients, and of ours (ttlock.md 5.4). */
static const uint8_t code_last[TTLOCK_DATE_LEN] = { 99, 12, 31, 14, 0 };
#define ENDLESS_YEAR 99
static const uint8_t token_off[TTLOCK_DATE_LEN] = { 0, 1, 1, 0, 0 };

/* ---- limits ---- */

static int check_pin(const struct secret *pin, struct fault *ret_fault) {
	if (pin->len < TTLOCK_CODE_LEAST || pin->len > TTLOCK_CODE_MOST) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a code of such a lock has four to nine digits");
	}
	for (size_t i = 0; i < pin->len; i++) {
		if (pin->bytes[i] < '0' || pin->bytes[i] > '9') {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "a code has digits only");
		}
	}
	return 0;
}

#define RFID (1U << CREDENTIAL_RFID)
#define FINGER (1U << CREDENTIAL_FINGERPRINT)
#define LIMITS(tokens)                                                                             \
	{                                                                                          \
		.types = 1U << CREDENTIAL_PIN | (tokens), .learns = (tokens),                      \
		.pin_least = TTLOCK_CODE_LEAST, .pin_most = TTLOCK_CODE_MOST, .name_most = 0,      \
		.n_windows = 1, .has_dates_only = true, .window_step_s = MINUTE_S,                 \
		.tells_pins = true, .check_pin = check_pin,                                        \
	}

const struct credential_limits *ttlock_limits(const struct ttlock_keys *keys) {
	static const struct credential_limits limits[2][2] = {
		{ LIMITS(0), LIMITS(FINGER) },
		{ LIMITS(RFID), LIMITS(RFID | FINGER) },
	};

	return keys->is_admin && ttlock_has(keys, TTLOCK_HAS_CODES)
		       ? &limits[ttlock_has(keys, TTLOCK_HAS_CARDS)]
				[ttlock_has(keys, TTLOCK_HAS_FINGERS)]
		       : NULL;
}

/* ---- to our terms ---- */

/* An end is the last minute's last second: what is limited to a minute runs to its end. */
static void set_window(
	const struct zone *zone, const uint8_t *start, const uint8_t *end, struct slot *ret) {
	ret->window.from = ttlock_date_to_wall(zone, start, TTLOCK_DATE_LEN);
	if (start[0] == 0) {
		ret->window.from.s = 0;
	}
	ret->window.until = ttlock_date_to_wall(zone, end, TTLOCK_DATE_LEN);
	if (end[0] >= ENDLESS_YEAR || ret->window.until.s == 0) {
		ret->window.until.s = 0;
	} else {
		ret->window.until.s += MINUTE_S - 1;
	}
	ret->is_limited = ret->window.from.s != 0 || ret->window.until.s != 0;
}

static void tell_code(struct ttlock_session *session, const struct ttlock_code *code) {
	struct slot slot = {
		.type = CREDENTIAL_PIN,
		.ref = ttlock_ref(&session->keys, CREDENTIAL_PIN, code->digits, code->n),
		.is_enabled = true,
	};

	(void) secret_set(&slot.pin, code->digits, code->n);
	if (code->type == TTLOCK_CODE_PERIOD || code->type == TTLOCK_CODE_ONCE) {
		set_window(session->job.zone, code->start, code->end, &slot);
	}
	/* That of a cyclic one is a number that nobody has explained. */
	slot.is_limited = slot.is_limited || code->type == TTLOCK_CODE_CYCLIC;
	session_slots(&session->base, &slot, 1);
	secret_wipe(&slot.pin);
}

static enum credential_type type_of(enum ttlock_command command) {
	return command == TTLOCK_CARD ? CREDENTIAL_RFID : CREDENTIAL_FINGERPRINT;
}

static void tell_token(struct ttlock_session *session, enum ttlock_command command,
	const struct ttlock_token *token) {
	const enum credential_type type = type_of(command);
	struct slot slot = {
		.type = type,
		.ref = ttlock_ref(&session->keys, type, token->id, token->n),
		.is_enabled = memcmp(token->end, token_off, sizeof(token_off)) != 0,
	};

	if (slot.is_enabled) {
		set_window(session->job.zone, token->start, token->end, &slot);
	}
	session_slots(&session->base, &slot, 1);
}

/* ---- lists: all of it, or the one that is meant ---- */

static bool is_meant(const struct ttlock_session *session, enum credential_type type,
	const void *id, size_t n_id) {
	return session->job.slot.type == type &&
	       session->job.slot.ref == ttlock_ref(&session->keys, type, id, n_id);
}

static size_t fill_cursor(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_cursor(session->cursor, out);
}

static void take_code(struct ttlock_session *session, const struct ttlock_code *code) {
	if (session->job.act == ACT_READ_USERS) {
		tell_code(session, code);
	} else if (is_meant(session, CREDENTIAL_PIN, code->digits, code->n)) {
		session->code = *code;
		session->is_found = true;
	}
}

static void take_codes(struct ttlock_session *session, const uint8_t *data, size_t n) {
	struct ttlock_code code = { 0 };
	uint16_t next;
	struct rd rd;
	int r;

	if (ttlock_code_page(data, n, &next, &rd) < 0) {
		ttlock_bad_answer(session, n);
		return;
	}
	while ((r = ttlock_code_next(&rd, &code)) > 0) {
		take_code(session, &code);
	}
	wipe(&code, sizeof(code));
	if (r < 0) {
		ttlock_bad_answer(session, n);
	} else if (next != TTLOCK_CURSOR_END && next > session->cursor) {
		(void) ttlock_next_page(session, next);
	} else {
		session->cursor = 0;
	}
}

static size_t fill_cards(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_token_list(TTLOCK_CARD, session->cursor, out);
}

static size_t fill_fingers(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_token_list(TTLOCK_FINGER, session->cursor, out);
}

static void take_tokens(struct ttlock_session *session, enum ttlock_command command,
	const uint8_t *data, size_t n) {
	struct ttlock_token token;
	uint16_t next;
	uint8_t n_id;
	struct rd rd;
	int r;

	if (ttlock_token_page(command, data, n, &next, &n_id, &rd) < 0) {
		ttlock_bad_answer(session, n);
		return;
	}
	while ((r = ttlock_token_next(&rd, n_id, &token)) > 0) {
		if (session->job.act == ACT_READ_USERS) {
			tell_token(session, command, &token);
		} else if (is_meant(session, type_of(command), token.id, token.n)) {
			session->token = token;
			session->is_found = true;
		}
	}
	if (r < 0) {
		ttlock_bad_answer(session, n);
	} else if (next != TTLOCK_CURSOR_END && next > session->cursor) {
		(void) ttlock_next_page(session, next);
	} else {
		session->cursor = 0;
	}
}

static void take_cards(struct ttlock_session *session, const uint8_t *data, size_t n) {
	take_tokens(session, TTLOCK_CARD, data, n);
}

static void take_fingers(struct ttlock_session *session, const uint8_t *data, size_t n) {
	take_tokens(session, TTLOCK_FINGER, data, n);
}

static const struct ttlock_step list_codes = { TTLOCK_CODE_LIST, STEP_SECRET, fill_cursor,
	take_codes };
static const struct ttlock_step list_cards = { TTLOCK_CARD, STEP_SECRET | STEP_OPTIONAL, fill_cards,
	take_cards };
static const struct ttlock_step list_fingers = { TTLOCK_FINGER, STEP_SECRET | STEP_OPTIONAL,
	fill_fingers, take_fingers };

int ttlock_plan_users(struct ttlock_session *session, struct fault *ret_fault) {
	ttlock_add_login(session);
	ttlock_add_step(session, &list_codes);
	if (ttlock_has(&session->keys, TTLOCK_HAS_CARDS)) {
		ttlock_add_step(session, &list_cards);
	}
	if (ttlock_has(&session->keys, TTLOCK_HAS_FINGERS)) {
		ttlock_add_step(session, &list_fingers);
	}
	return 0;
}

/* ---- changes ---- */

/* The window as the lock wants it: whole minutes by the clock on the wall. */
static void dates_of(const struct ttlock_session *session, uint8_t start[static TTLOCK_DATE_LEN],
	uint8_t end[static TTLOCK_DATE_LEN], const uint8_t last[static TTLOCK_DATE_LEN]) {
	const struct slot *slot = &session->job.slot;
	uint8_t date[TTLOCK_TIME_LEN];

	memcpy(start, ttlock_date_first, TTLOCK_DATE_LEN);
	memcpy(end, last, TTLOCK_DATE_LEN);
	if (slot->is_limited && slot->window.from.s != 0) {
		ttlock_date_from_wall(session->job.zone, slot->window.from, date);
		memcpy(start, date, TTLOCK_DATE_LEN);
	}
	if (slot->is_limited && slot->window.until.s != 0) {
		ttlock_date_from_wall(session->job.zone, slot->window.until, date);
		memcpy(end, date, TTLOCK_DATE_LEN);
	}
}

static struct ttlock_code code_of(const struct ttlock_session *session) {
	const struct slot *slot = &session->job.slot;
	struct ttlock_code code = {
		.type = slot->is_limited ? TTLOCK_CODE_PERIOD : TTLOCK_CODE_PERMANENT,
		.n = (uint8_t) slot->pin.len,
	};

	memcpy(code.digits, slot->pin.bytes, slot->pin.len);
	dates_of(session, code.start, code.end, code_last);
	return code;
}

static size_t fill_add(struct ttlock_session *session, uint8_t *out) {
	struct ttlock_code code = code_of(session);
	const size_t n = ttlock_put_code(&code, out);

	wipe(&code, sizeof(code));
	return n;
}

static size_t fill_change(struct ttlock_session *session, uint8_t *out) {
	struct ttlock_code code = code_of(session);
	const size_t n = ttlock_put_code_change(&code, session->code.digits, session->code.n, out);

	wipe(&code, sizeof(code));
	return n;
}

static size_t fill_removal(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_code_removal(&session->code, out);
}

static void take_put(struct ttlock_session *session, const uint8_t *data, size_t n) {
	const struct slot *slot = &session->job.slot;

	session->ref = ttlock_ref(&session->keys, CREDENTIAL_PIN, slot->pin.bytes, slot->pin.len);
	if (n > 0) {
		ttlock_tell_percent(session, data[0]);
	}
}

static size_t fill_token_change(struct ttlock_session *session, uint8_t *out) {
	dates_of(session, session->token.start, session->token.end, code_last);
	if (!session->job.slot.is_enabled) {
		memcpy(session->token.start, token_off, sizeof(token_off));
		memcpy(session->token.end, token_off, sizeof(token_off));
	}
	return ttlock_put_token_change(&session->token, out);
}

static size_t fill_token_removal(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_token_removal(&session->token, out);
}

static void take_token_put(struct ttlock_session *session, const uint8_t *data, size_t n) {
	session->ref = session->job.slot.ref;
}

static const struct ttlock_step add_code = { TTLOCK_CODE, CODE_FLAGS, fill_add, take_put };
static const struct ttlock_step change_code = { TTLOCK_CODE, CODE_FLAGS, fill_change, take_put };
static const struct ttlock_step remove_code = { TTLOCK_CODE, CODE_FLAGS, fill_removal, NULL };

static bool is_missing(struct ttlock_session *session) {
	if (!session->is_found) {
		session_fail(&session->base, FAULT_NO_SUCH_ENTRY, "the lock has no such %s",
			credential_type_name(session->job.slot.type));
	}
	return !session->is_found;
}

/* What the list led to, as the last page's answer decides. */
static void add_code_steps(struct ttlock_session *session) {
	if (session->is_again || session->phase == PHASE_IDLE || is_missing(session)) {
		return;
	}
	if (session->job.act == ACT_REMOVE_CREDENTIAL) {
		ttlock_add_step(session, &remove_code);
		return;
	}
	const bool is_same_kind =
		session->code.type ==
		(session->job.slot.is_limited ? TTLOCK_CODE_PERIOD : TTLOCK_CODE_PERMANENT);
	if (is_same_kind) {
		ttlock_add_step(session, &change_code);
	} else {
		ttlock_add_step(session, &remove_code);
		ttlock_add_step(session, &add_code);
	}
}

static void find_code(struct ttlock_session *session, const uint8_t *data, size_t n) {
	take_codes(session, data, n);
	add_code_steps(session);
}

static void add_token_steps(struct ttlock_session *session) {
	static const struct ttlock_step changes[] = {
		{ TTLOCK_CARD, CODE_FLAGS, fill_token_change, take_token_put },
		{ TTLOCK_FINGER, CODE_FLAGS, fill_token_change, take_token_put },
	};
	static const struct ttlock_step removals[] = {
		{ TTLOCK_CARD, CODE_FLAGS, fill_token_removal, NULL },
		{ TTLOCK_FINGER, CODE_FLAGS, fill_token_removal, NULL },
	};
	const size_t i = session->job.slot.type == CREDENTIAL_RFID ? 0 : 1;

	if (session->is_again || session->phase == PHASE_IDLE || is_missing(session)) {
		return;
	}
	ttlock_add_step(
		session, session->job.act == ACT_REMOVE_CREDENTIAL ? &removals[i] : &changes[i]);
}

static void find_card(struct ttlock_session *session, const uint8_t *data, size_t n) {
	take_cards(session, data, n);
	add_token_steps(session);
}

static void find_finger(struct ttlock_session *session, const uint8_t *data, size_t n) {
	take_fingers(session, data, n);
	add_token_steps(session);
}

static void add_search(struct ttlock_session *session) {
	static const struct ttlock_step codes = { TTLOCK_CODE_LIST, STEP_SECRET, fill_cursor,
		find_code };
	static const struct ttlock_step cards = { TTLOCK_CARD, STEP_SECRET, fill_cards, find_card };
	static const struct ttlock_step fingers = { TTLOCK_FINGER, STEP_SECRET, fill_fingers,
		find_finger };

	ttlock_add_step(session, session->job.slot.type == CREDENTIAL_PIN    ? &codes
				 : session->job.slot.type == CREDENTIAL_RFID ? &cards
									     : &fingers);
}

/* ---- what somebody presents ---- */

static size_t fill_learning(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_token_learning(out);
}

/* It tells that it waits, each touch of a finger, and in the end the number. */
static void take_learning(struct ttlock_session *session, enum ttlock_command command,
	const uint8_t *data, size_t n) {
	static const struct ttlock_step limit[] = {
		{ TTLOCK_CARD, CODE_FLAGS, fill_token_change, NULL },
		{ TTLOCK_FINGER, CODE_FLAGS, fill_token_change, NULL },
	};
	const enum credential_type type = type_of(command);
	struct ttlock_learn learn;

	if (ttlock_learn_parse(command, data, n, &learn) < 0) {
		ttlock_bad_answer(session, n);
		return;
	}
	ttlock_tell_percent(session, learn.percent);
	if (learn.status != TTLOCK_LEARNT) {
		ttlock_wait_presented(session, learn.n, learn.n_all);
		return;
	}
	session->token = learn.token;
	session->ref = ttlock_ref(&session->keys, type, learn.token.id, learn.token.n);
	ttlock_add_step(session, &limit[type == CREDENTIAL_RFID ? 0 : 1]);
}

static void take_card(struct ttlock_session *session, const uint8_t *data, size_t n) {
	take_learning(session, TTLOCK_CARD, data, n);
}

static void take_finger(struct ttlock_session *session, const uint8_t *data, size_t n) {
	take_learning(session, TTLOCK_FINGER, data, n);
}

static void add_learning(struct ttlock_session *session) {
	static const struct ttlock_step card = { TTLOCK_CARD, CODE_FLAGS, fill_learning,
		take_card };
	static const struct ttlock_step finger = { TTLOCK_FINGER, CODE_FLAGS, fill_learning,
		take_finger };

	ttlock_add_step(session, session->job.slot.type == CREDENTIAL_RFID ? &card : &finger);
}

static int check_type(const struct ttlock_session *session, struct fault *ret_fault) {
	const enum credential_type type = session->job.slot.type;

	if ((type == CREDENTIAL_RFID && !ttlock_has(&session->keys, TTLOCK_HAS_CARDS)) ||
		(type == CREDENTIAL_FINGERPRINT &&
			!ttlock_has(&session->keys, TTLOCK_HAS_FINGERS)) ||
		(type != CREDENTIAL_PIN && type != CREDENTIAL_RFID &&
			type != CREDENTIAL_FINGERPRINT)) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "such a lock takes no %s",
			credential_type_name(type));
	}
	return 0;
}

int ttlock_plan_put(struct ttlock_session *session, struct fault *ret_fault) {
	const struct slot *slot = &session->job.slot;
	int r = check_type(session, ret_fault);

	if (r == 0 && slot->type == CREDENTIAL_PIN) {
		r = check_pin(&slot->pin, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	if (slot->is_limited && (slot->window.days != 0 || slot->window.start_minute != 0 ||
					slot->window.end_minute != 0)) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"such a lock keeps dates and no days of the week");
	}
	ttlock_add_login(session);
	if (slot->ref == 0 && slot->type != CREDENTIAL_PIN) {
		add_learning(session);
	} else if (slot->ref == 0) {
		ttlock_add_step(session, &add_code);
	} else {
		add_search(session);
	}
	return 0;
}

int ttlock_plan_remove(struct ttlock_session *session, struct fault *ret_fault) {
	const int r = check_type(session, ret_fault);

	if (r < 0) {
		return r;
	}
	ttlock_add_login(session);
	add_search(session);
	return 0;
}
