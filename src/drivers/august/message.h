/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is said to a lock of August or Yale and what it tells: MCU frames in clear, and its
 * advertisements. Pure.
 *
 * Source: docs/protocols/august-yale.md 3.2, 7 and 8; vectors in tests/vectors/august-yale.json.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"
#include "core/evidence.h"
#include "frame.h"
#include "models.h"
#include "util/radio.h"
#include "util/secret.h"

enum august_kind {
	AUGUST_COMMAND = 0xee,
	AUGUST_TAKEN = 0xaa, /* heard; says nothing of what came of it */
	AUGUST_ANSWER = 0xbb,
	AUGUST_ANSWER_KEYPAD = 0xcc, /* the same from some keypad modules */
};

enum august_op {
	AUGUST_OP_STATUS = 0x02,
	AUGUST_OP_WRITE_SETTING = 0x03,
	AUGUST_OP_READ_SETTING = 0x04,
	AUGUST_OP_UNLOCK = 0x0a,
	AUGUST_OP_LOCK = 0x0b,
	AUGUST_OP_SET_CLOCK = 0x10,
	AUGUST_OP_CODE_SET = 0x27,
	AUGUST_OP_CODE_CLEAR = 0x28,
	AUGUST_OP_CODE_ACCESS = 0x2b,
	AUGUST_OP_CODE_COMMIT = 0x2c,
	AUGUST_OP_NEXT_RECORD = 0x2d,
	AUGUST_OP_CODE_QUERY = 0x39,
};

/* What a status is about. */
enum august_status {
	AUGUST_STATUS_BOLT = 0x02,
	AUGUST_STATUS_CLOCK = 0x0a,
	AUGUST_STATUS_BATTERY = 0x0f,
	AUGUST_STATUS_DOOR = 0x2e,
	AUGUST_STATUS_BOTH =
		0x2f, /* bolt and door; wrong on some locks, so it is never asked for */
};

enum august_bolt {
	AUGUST_BOLT_INIT = 0x00,
	AUGUST_BOLT_CALIBRATING = 0x01,
	AUGUST_BOLT_UNLOCKING = 0x02,
	AUGUST_BOLT_UNLOCKED = 0x03,
	AUGUST_BOLT_LOCKING = 0x04,
	AUGUST_BOLT_LOCKED = 0x05,
	AUGUST_BOLT_POLARITY = 0x06, /* finding out which way the motor turns */
	AUGUST_BOLT_STUCK = 0x07,
	AUGUST_BOLT_UNLATCHING = 0x09,
	AUGUST_BOLT_UNLATCHED = 0x0a,
	AUGUST_BOLT_SECURED = 0x0c, /* locked, and the knob inside is off */
};

enum august_door {
	AUGUST_DOOR_INIT = 0x00,
	AUGUST_DOOR_CLOSED = 0x01,
	AUGUST_DOOR_AJAR = 0x02,
	AUGUST_DOOR_OPEN = 0x03,
	AUGUST_DOOR_UNKNOWN = 0x04,
};

#define AUGUST_SETTING_RELOCK 0x28
#define AUGUST_SUB_UNLATCH 0x0a /* of AUGUST_OP_UNLOCK */
#define AUGUST_SUB_SECURE 0x04  /* of AUGUST_OP_LOCK */
#define AUGUST_RESULT_DONE 0x00
#define AUGUST_RESULT_LOW_BATTERY 0x32
#define AUGUST_RESULT_BUSY 0x3e
#define AUGUST_RESULT_NOT_FOUND 0x3f
#define AUGUST_PIN_LEAST 4
#define AUGUST_PIN_MOST 6
#define AUGUST_PIN_LEN 7 /* octets, packed */
#define AUGUST_RELOCK_MAX_S 65534

/* ---- to the lock: whole frames in clear, with their sum ---- */

/* A command of nothing but its opcode. */
void august_make(enum august_op op, uint8_t out[static AUGUST_FRAME_LEN]);
/* With octet 4: the type of a status, a setting to be read, how to move the bolt. */
void august_make_sub(enum august_op op, uint8_t sub, uint8_t out[static AUGUST_FRAME_LEN]);
void august_make_clock(uint32_t unix_s, uint8_t out[static AUGUST_FRAME_LEN]);

/* Lock again by itself. Both 0: off. */
struct august_relock {
	uint16_t timed_s;  /* after so long ... */
	uint16_t closed_s; /* ... 0: counted from the closing of the door; else the same number */
};
void august_make_relock(struct august_relock relock, uint8_t out[static AUGUST_FRAME_LEN]);
static inline bool august_relock_is_on_close(struct august_relock relock) {
	return relock.timed_s != 0 && relock.closed_s == 0;
}
/* Seconds; 0 off. */
static inline uint16_t august_relock_s(struct august_relock relock) {
	return relock.timed_s != 0 ? relock.timed_s : relock.closed_s;
}

/*
 * Keypad codes (7.6; one public source, tried on one lock). @slot counts from 0. @pin: digits,
 * AUGUST_PIN_LEAST to _MOST of them. QUERY, CLEAR: by slot, @pin may be NULL; SET: the PIN goes to
 * a place where COMMIT finds it; ACCESS: always.
 */
void august_make_code(enum august_op op, unsigned slot, const struct secret *pin,
	uint8_t out[static AUGUST_FRAME_LEN]);
/* A temporary one: from and until, unix seconds. */
void august_make_access(uint32_t from_s, uint32_t until_s, uint8_t out[static AUGUST_FRAME_LEN]);

/* ---- from the lock ---- */

enum august_fact {
	AUGUST_HAS_BOLT = 1,
	AUGUST_HAS_DOOR = 2,
	AUGUST_HAS_BATTERY = 4,
	AUGUST_HAS_CLOCK = 8,
	AUGUST_HAS_RELOCK = 16,
};

struct august_said {
	uint8_t kind; /* enum august_kind */
	uint8_t op;
	uint8_t sub;    /* octet 4 */
	uint8_t result; /* octet 15: of commands that move the bolt, and of keypad codes */
	unsigned has;   /* enum august_fact: what an answer tells. Nothing when it is only taken */
	uint8_t bolt;   /* enum august_bolt, or what this firmware has more */
	uint8_t door;
	unsigned millivolt;
	uint32_t clock_s;
	struct august_relock relock;
};

/* false: its sum is wrong, or nobody knows its kind; *ret untouched. */
bool august_parse(const uint8_t frame[static AUGUST_FRAME_LEN], struct august_said *ret);
/* It answers what was asked: @sub as sent, of operations whose answers repeat it. */
bool august_answers(const struct august_said *said, enum august_op op, uint8_t sub);

/* The answer to a query: whether there is a code in the slot, and which. Wipe *ret_pin. */
bool august_code_parse(
	const uint8_t frame[static AUGUST_FRAME_LEN], unsigned *ret_slot, struct secret *ret_pin);

/* A record of the activity log (7.5). */
enum august_record_type {
	AUGUST_RECORD_UNKNOWN,
	AUGUST_RECORD_LOCK,
	AUGUST_RECORD_DOOR,
	AUGUST_RECORD_PIN,
	AUGUST_RECORD_END,
};
#define AUGUST_SLOT_MASTER 0xffee /* the code with which the keypad itself is programmed */
struct august_record {
	enum august_record_type type;
	uint32_t unix_s;
	uint8_t bolt; /* LOCK, PIN: enum august_bolt */
	uint8_t door; /* DOOR: enum august_door */
	enum operation_source source;
	bool is_bluetooth; /* by an app or a hub in radio range, us among them */
	unsigned slot;     /* PIN; AUGUST_SLOT_MASTER */
};
void august_record_parse(const uint8_t frame[static AUGUST_FRAME_LEN], struct august_record *ret);

/* What a result other than 0 means (8). *ret_text: a few words; never NULL. */
enum fault_code august_result_fault(uint8_t result, const char **ret_text);

/* ---- to our terms: add facts to *evidence ---- */

void august_bolt_evidence(uint8_t bolt, struct evidence *evidence);
void august_door_evidence(uint8_t door, struct evidence *evidence);
/* Of the whole pack. false: it cannot be, nothing is added. */
bool august_battery_evidence(unsigned millivolt, struct evidence *evidence);
/* By the table for four cells, as the makers' app has it. */
int august_percent(unsigned millivolt);
bool august_bolt_is_moving(uint8_t bolt);
enum door_state august_door_state(uint8_t door);

/* ---- advertisements ---- */

/* What is remembered of them. */
struct august_heard {
	int64_t read_at; /* when the bolt was known when something changed */
	uint32_t notice; /* of an encrypted notification, mixed */
	uint16_t gsn;
	uint8_t toggle;
	bool has_toggle, has_gsn, has_notice;
	bool is_pending; /* something changed and has not been read since */
};

/* It is one of ours, by company and length. */
bool august_advert_is_lock(const struct advert *advert);
/* Takes what was heard; true: something has changed. */
bool august_advert_take(const struct advert *advert, struct august_heard *heard);
/* Of a serial number; "" when it is too short. */
#define AUGUST_LOCAL_NAME_LEN 7
void august_local_name(const char *serial, char out[static AUGUST_LOCAL_NAME_LEN + 1]);
