/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "message.h"

#include <stdio.h>
#include <string.h>

#include "util/auto.h"
#include "util/bytes.h"

#define VALUE_AT 8
#define RESULT_AT 15
#define TRAILER_AT 16
#define TRAILER 0x02

/* ---- to the lock ---- */

static struct wr begin(enum august_op op, uint8_t out[static AUGUST_FRAME_LEN]) {
	memset(out, 0, AUGUST_FRAME_LEN);
	out[0] = AUGUST_COMMAND;
	out[1] = (uint8_t) op;
	out[TRAILER_AT] = TRAILER;
	return wr_on(out + 4, TRAILER_AT - 4);
}

void august_make_sub(enum august_op op, uint8_t sub, uint8_t out[static AUGUST_FRAME_LEN]) {
	struct wr wr = begin(op, out);

	wr_u8(&wr, sub);
	august_mcu_finish(out);
}

void august_make(enum august_op op, uint8_t out[static AUGUST_FRAME_LEN]) {
	august_make_sub(op, 0, out);
}

void august_make_clock(uint32_t unix_s, uint8_t out[static AUGUST_FRAME_LEN]) {
	struct wr wr = begin(AUGUST_OP_SET_CLOCK, out);

	wr_u32le(&wr, unix_s);
	august_mcu_finish(out);
}

void august_make_relock(struct august_relock relock, uint8_t out[static AUGUST_FRAME_LEN]) {
	struct wr wr = begin(AUGUST_OP_WRITE_SETTING, out);

	wr_u32le(&wr, AUGUST_SETTING_RELOCK);
	wr_u16le(&wr, relock.timed_s);
	wr_u16le(&wr, relock.closed_s);
	august_mcu_finish(out);
}

/* Two digits to an octet, the first in the upper half; F where there is none. */
static void put_pin(struct wr *wr, const struct secret *pin) {
	for (size_t i = 0; i < AUGUST_PIN_LEN; i++) {
		uint8_t octet = 0;

		for (size_t j = 2 * i; j < 2 * i + 2; j++) {
			const bool has = pin != NULL && j < pin->len;

			octet = (uint8_t) (octet << 4 |
					   (has ? (pin->bytes[j] - '0') & 0x0f : 0x0f));
		}
		wr_u8(wr, octet);
	}
}

#define TYPE_PIN 0
#define ACCESS_ALWAYS 0x80
#define ACCESS_TEMPORARY 0x81

static void make_access(
	uint32_t from_s, uint32_t until_s, uint8_t kind, uint8_t out[static AUGUST_FRAME_LEN]) {
	struct wr wr = begin(AUGUST_OP_CODE_ACCESS, out);

	wr_u32le(&wr, from_s);
	wr_u32le(&wr, until_s);
	wr_u8(&wr, kind);
	wr_u8(&wr, TYPE_PIN);
	august_mcu_finish(out);
}

void august_make_access(uint32_t from_s, uint32_t until_s, uint8_t out[static AUGUST_FRAME_LEN]) {
	make_access(from_s, until_s, ACCESS_TEMPORARY, out);
}

void august_make_code(enum august_op op, unsigned slot, const struct secret *pin,
	uint8_t out[static AUGUST_FRAME_LEN]) {
	struct wr wr;

	if (op == AUGUST_OP_CODE_ACCESS) {
		make_access(0, 0, ACCESS_ALWAYS, out);
		return;
	}
	wr = begin(op, out);
	if (op == AUGUST_OP_CODE_QUERY) {
		wr_u16le(&wr, (uint16_t) slot);
	} else {
		const bool has_slot = op != AUGUST_OP_CODE_SET;

		put_pin(&wr, pin);
		wr_u8(&wr, has_slot ? (uint8_t) slot : 0);
		wr_u8(&wr, TYPE_PIN);
		wr_u8(&wr, has_slot ? (uint8_t) (slot >> 8) : 0);
	}
	august_mcu_finish(out);
}

/* ---- from the lock ---- */

static void parse_status(struct rd rd, struct august_said *said) {
	switch (said->sub) {
	case AUGUST_STATUS_BOLT:
		said->has = AUGUST_HAS_BOLT;
		said->bolt = rd_u8(&rd);
		break;
	case AUGUST_STATUS_DOOR:
		said->has = AUGUST_HAS_DOOR;
		said->door = rd_u8(&rd);
		break;
	case AUGUST_STATUS_BOTH:
		said->has = AUGUST_HAS_BOLT | AUGUST_HAS_DOOR;
		said->bolt = rd_u8(&rd);
		said->door = rd_u8(&rd);
		break;
	case AUGUST_STATUS_BATTERY:
		said->has = AUGUST_HAS_BATTERY;
		said->millivolt = rd_u16le(&rd);
		break;
	case AUGUST_STATUS_CLOCK:
		said->has = AUGUST_HAS_CLOCK;
		said->clock_s = rd_u32le(&rd);
		break;
	}
}

bool august_parse(const uint8_t frame[static AUGUST_FRAME_LEN], struct august_said *ret) {
	struct august_said said = {
		.kind = frame[0], .op = frame[1], .sub = frame[4], .result = frame[RESULT_AT]
	};
	struct rd rd = rd_on(frame + VALUE_AT, TRAILER_AT - VALUE_AT);

	if (!august_mcu_is_good(frame) ||
		(said.kind != AUGUST_TAKEN && said.kind != AUGUST_ANSWER &&
			said.kind != AUGUST_ANSWER_KEYPAD)) {
		return false;
	}
	if (said.kind == AUGUST_ANSWER && said.op == AUGUST_OP_STATUS) {
		parse_status(rd, &said);
	} else if (said.kind == AUGUST_ANSWER && said.sub == AUGUST_SETTING_RELOCK &&
		   (said.op == AUGUST_OP_READ_SETTING || said.op == AUGUST_OP_WRITE_SETTING)) {
		said.has = AUGUST_HAS_RELOCK;
		said.relock.timed_s = rd_u16le(&rd);
		said.relock.closed_s = rd_u16le(&rd);
	}
	*ret = said;
	return true;
}

bool august_answers(const struct august_said *said, enum august_op op, uint8_t sub) {
	if (said->op != op) {
		return false;
	}
	switch (op) {
	case AUGUST_OP_STATUS:
	case AUGUST_OP_READ_SETTING:
	case AUGUST_OP_WRITE_SETTING:
		return said->kind == AUGUST_ANSWER && said->sub == sub;
	case AUGUST_OP_UNLOCK:
	case AUGUST_OP_LOCK:
	case AUGUST_OP_SET_CLOCK:
	case AUGUST_OP_NEXT_RECORD:
		return said->kind == AUGUST_ANSWER;
	case AUGUST_OP_CODE_SET:
	case AUGUST_OP_CODE_CLEAR:
	case AUGUST_OP_CODE_ACCESS:
	case AUGUST_OP_CODE_COMMIT:
		return true; /* of whatever kind: the result is in it */
	case AUGUST_OP_CODE_QUERY:
		return said->kind != AUGUST_TAKEN;
	}
	return false;
}

bool august_code_parse(
	const uint8_t frame[static AUGUST_FRAME_LEN], unsigned *ret_slot, struct secret *ret_pin) {
	struct rd rd = rd_on(frame + 4, 2);

	*ret_slot = rd_u16le(&rd);
	secret_wipe(ret_pin);
	for (size_t i = 0; i < 2U * AUGUST_PIN_LEN; i++) {
		const uint8_t octet = frame[6 + i / 2];
		const uint8_t digit = i % 2 == 0 ? octet >> 4 : octet & 0x0f;

		if (digit > 9) {
			break;
		}
		ret_pin->bytes[ret_pin->len++] = (uint8_t) ('0' + digit);
	}
	/* All zeros is empty, too: no code is as long as that. */
	if (ret_pin->len < AUGUST_PIN_LEAST || ret_pin->len == 2U * AUGUST_PIN_LEN) {
		secret_wipe(ret_pin);
	}
	return ret_pin->len > 0;
}

static enum operation_source source_of(uint8_t code) {
	switch (code) {
	case 0x00:
		return SOURCE_PROPRIETARY_REMOTE;
	case 0x01:
		return SOURCE_MANUAL;
	case 0x05:
		return SOURCE_AUTO;
	case 0x0b:
		return SOURCE_KEYPAD;
	}
	return SOURCE_UNSPECIFIED;
}

void august_record_parse(const uint8_t frame[static AUGUST_FRAME_LEN], struct august_record *ret) {
	struct rd from_5 = rd_on(frame + 5, sizeof(uint32_t));
	struct rd from_8 = rd_on(frame + 8, sizeof(uint32_t));
	struct rd from_14 = rd_on(frame + 14, sizeof(uint16_t));

	*ret = (struct august_record){ .type = AUGUST_RECORD_UNKNOWN };
	switch (frame[4]) {
	case 0x00:
		ret->type = AUGUST_RECORD_LOCK;
		ret->unix_s = rd_u32le(&from_8);
		ret->bolt = frame[6];
		ret->source = source_of(frame[5]);
		ret->is_bluetooth = frame[5] == 0x00 && frame[7] == 0x03;
		break;
	case 0x20:
		ret->type = AUGUST_RECORD_DOOR;
		ret->unix_s = rd_u32le(&from_5);
		ret->door = frame[9];
		break;
	case 0x0e:
		ret->type = AUGUST_RECORD_PIN;
		ret->unix_s = rd_u32le(&from_5);
		ret->slot = frame[10];
		ret->bolt = frame[12] & 0x0f;
		ret->source = SOURCE_KEYPAD;
		break;
	case 0x07:
		ret->type = AUGUST_RECORD_PIN;
		ret->unix_s = rd_u32le(&from_5);
		ret->slot = rd_u16le(&from_14);
		ret->bolt = AUGUST_BOLT_UNLOCKED;
		ret->source = SOURCE_KEYPAD;
		break;
	case 0x80:
		ret->type = AUGUST_RECORD_END;
		break;
	}
}

/* ---- results (8) ---- */

static const struct {
	uint8_t result;
	enum fault_code fault;
	const char *text;
} results[] = {
	{ 0x01, FAULT_NOT_CALIBRATED, "a parameter was never set up" },
	{ 0x02, FAULT_NOT_CALIBRATED, "a parameter cannot be read" },
	{ 0x03, FAULT_NOT_AUTHORIZED, "wrong key" },
	{ 0x04, FAULT_KEY_DISABLED, "the keypad is switched off" },
	{ 0x05, FAULT_TIME_NOT_ALLOWED, "outside of the code's times" },
	{ 0x06, FAULT_CODE_EXISTS, "the code is there already" },
	{ 0x07, FAULT_LIST_FULL, "no room for another code" },
	{ 0x08, FAULT_LOCK_ERROR, "the keypad does not answer" },
	{ 0x09, FAULT_REMOTE_NOT_ALLOWED, "locking by one touch is off" },
	{ 0x0a, FAULT_CODE_EXISTS, "the tag is known already" },
	{ 0x0b, FAULT_CODE_EXISTS, "the finger is known already" },
	{ 0x0d, FAULT_CODE_EXISTS, "the palm is known already" },
	{ 0x1e, FAULT_JAMMED, "the bolt did not arrive in time" },
	{ 0x1f, FAULT_JAMMED, "the bolt stopped early" },
	{ 0x20, FAULT_NOT_CALIBRATED, "it does not know which way its motor turns" },
	{ 0x21, FAULT_NOT_CALIBRATED, "calibration took too long" },
	{ 0x22, FAULT_JAMMED, "the motor could not turn back" },
	{ 0x23, FAULT_HANDLE_NOT_LIFTED, "the handle was not lifted" },
	{ 0x28, FAULT_NO_SUCH_ENTRY, "its log is empty" },
	{ 0x29, FAULT_LOCK_BUSY, "its log is busy" },
	{ AUGUST_RESULT_LOW_BATTERY, FAULT_MOTOR_LOW_VOLTAGE, "the batteries are too weak" },
	{ 0x33, FAULT_LOCK_ERROR, "it is too hot: let it cool" },
	{ 0x34, FAULT_DOOR_SENSOR_FAULTY, "the magnet of the door sensor was not found" },
	{ 0x35, FAULT_DOOR_SENSOR_FAULTY, "the door sensor gives nonsense" },
	{ 0x37, FAULT_NOT_SUPPORTED, "this model or its firmware cannot do that" },
	{ 0x38, FAULT_NOT_AUTHORIZED, "it wants the key of an owner" },
	{ 0x39, FAULT_LOCK_BUSY, "it has no room for the message" },
	{ 0x3a, FAULT_BAD_PARAMETER, "it does not understand the message" },
	{ 0x3b, FAULT_ACTION_REJECTED, "refused" },
	{ 0x3c, FAULT_LOCK_ERROR, "unknown error" },
	{ 0x3d, FAULT_NOT_CALIBRATED, "not set up" },
	{ AUGUST_RESULT_BUSY, FAULT_LOCK_BUSY, "busy" },
	{ AUGUST_RESULT_NOT_FOUND, FAULT_NO_SUCH_ENTRY, "not found" },
	{ 0x43, FAULT_NOT_CALIBRATED, "calibration found no ends: check how it is mounted" },
	{ 0x44, FAULT_NOT_CALIBRATED, "calibration found a bad angle: check how it is mounted" },
	{ 0x45, FAULT_LIST_FULL, "the place of the code is taken" },
	{ 0x46, FAULT_LOCK_BUSY, "it takes longer than it allows itself" },
};

enum fault_code august_result_fault(uint8_t result, const char **ret_text) {
	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		if (results[i].result == result) {
			*ret_text = results[i].text;
			return results[i].fault;
		}
	}
	*ret_text = "an error that nobody knows";
	return FAULT_LOCK_ERROR;
}

/* ---- to our terms ---- */

bool august_bolt_is_moving(uint8_t bolt) {
	return bolt == AUGUST_BOLT_UNLOCKING || bolt == AUGUST_BOLT_LOCKING ||
	       bolt == AUGUST_BOLT_UNLATCHING;
}

void august_bolt_evidence(uint8_t bolt, struct evidence *evidence) {
	static const struct {
		uint8_t bolt;
		enum lock_state state;
		enum lock_motion motion;
		bool is_set_up;
	} rows[] = {
		{ AUGUST_BOLT_CALIBRATING, LOCK_STATE_UNKNOWN, LOCK_MOTION_NONE, false },
		{ AUGUST_BOLT_UNLOCKING, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_UNLOCKING, true },
		{ AUGUST_BOLT_UNLOCKED, LOCK_STATE_UNLOCKED, LOCK_MOTION_NONE, true },
		{ AUGUST_BOLT_LOCKING, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_LOCKING, true },
		{ AUGUST_BOLT_LOCKED, LOCK_STATE_LOCKED, LOCK_MOTION_NONE, true },
		{ AUGUST_BOLT_POLARITY, LOCK_STATE_UNKNOWN, LOCK_MOTION_NONE, false },
		{ AUGUST_BOLT_STUCK, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE, true },
		{ AUGUST_BOLT_UNLATCHING, LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_UNLATCHING,
			true },
		{ AUGUST_BOLT_UNLATCHED, LOCK_STATE_UNLATCHED, LOCK_MOTION_NONE, true },
		{ AUGUST_BOLT_SECURED, LOCK_STATE_LOCKED, LOCK_MOTION_NONE, true },
	};

	evidence->has |= FACT_BOLT;
	evidence->bolt = (struct bolt_facts){
		.state = LOCK_STATE_UNKNOWN,
		.is_jammed = bolt == AUGUST_BOLT_STUCK,
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].bolt == bolt) {
			evidence->bolt.state = rows[i].state;
			evidence->bolt.motion = rows[i].motion;
			evidence->has |= FACT_ACTUATOR;
			evidence->actuator.is_enabled = rows[i].is_set_up;
			evidence->actuator.is_calibrated = rows[i].is_set_up;
		}
	}
}

enum door_state august_door_state(uint8_t door) {
	switch (door) {
	case AUGUST_DOOR_CLOSED:
		return DOOR_STATE_CLOSED;
	case AUGUST_DOOR_AJAR:
		return DOOR_STATE_AJAR;
	case AUGUST_DOOR_OPEN:
		return DOOR_STATE_OPEN;
	}
	return DOOR_STATE_UNKNOWN;
}

void august_door_evidence(uint8_t door, struct evidence *evidence) {
	evidence->has |= FACT_DOOR;
	evidence->door = august_door_state(door);
}

#define MILLIVOLT_LEAST 3001 /* a reading below that cannot be */
#define PERCENT_LOW 20
#define PERCENT_CRITICAL 5

static const struct {
	uint16_t millivolt;
	uint8_t percent;
} cells[] = {
	{ 4960, 0 },
	{ 5000, 5 },
	{ 5040, 10 },
	{ 5080, 15 },
	{ 5120, 20 },
	{ 5160, 25 },
	{ 5200, 27 },
	{ 5240, 28 },
	{ 5280, 30 },
	{ 5320, 35 },
	{ 5360, 40 },
	{ 5400, 45 },
	{ 5440, 50 },
	{ 5480, 55 },
	{ 5520, 60 },
	{ 5560, 65 },
	{ 5600, 70 },
	{ 5800, 75 },
	{ 5840, 80 },
	{ 5884, 85 },
	{ 5960, 90 },
	{ 5963, 93 },
	{ 6188, 94 },
	{ 6192, 95 },
	{ 6196, 97 },
	{ 6200, 100 },
};

int august_percent(unsigned millivolt) {
	size_t i = ARRAY_SIZE(cells) - 1;

	while (i > 0 && cells[i].millivolt >= millivolt) {
		i--;
	}
	return cells[i].percent;
}

bool august_battery_evidence(unsigned millivolt, struct evidence *evidence) {
	if (millivolt < MILLIVOLT_LEAST) {
		return false;
	}
	const int percent = august_percent(millivolt);

	evidence->has |= FACT_BATTERY | FACT_BATTERY_REPORT;
	evidence->battery = (struct battery_facts){
		.level = percent <= PERCENT_CRITICAL ? BATTERY_CRITICAL
			 : percent <= PERCENT_LOW    ? BATTERY_WARNING
						     : BATTERY_OK,
		.percent = percent,
	};
	evidence->report = (struct battery_report){
		.millivolts = (int) millivolt,
		.millivolts_start = -1,
		.millivolts_lowest = -1,
		.milliamps_peak = -1,
		.milliohms = -1,
		.degrees_turned = -1,
		.celsius = INT16_MIN,
	};
	return true;
}

/* ---- advertisements ---- */

#define COMPANY_AUGUST 465
#define COMPANY_ENTRUS 302
#define COMPANY_APPLE 76
#define APPLE_STATE 0x06
#define APPLE_NOTICE 0x11
#define APPLE_STATE_LEN 15
#define GSN_AT 11
#define IDENTITY_LEN 18

static const struct advert_part *own_part(const struct advert *advert) {
	const struct advert_part *part = advert_manufacturer(advert, COMPANY_AUGUST);

	return part != NULL ? part : advert_manufacturer(advert, COMPANY_ENTRUS);
}

bool august_advert_is_lock(const struct advert *advert) {
	const struct advert_part *part = own_part(advert);

	return part != NULL &&
	       (part->n_bytes == 1 || (part->n_bytes == IDENTITY_LEN && part->bytes[0] == 0 &&
					      part->bytes[1] == 0));
}

/* The value of the octet is not the state: only that it is another one means something. */
static bool take_toggle(const struct advert_part *part, struct august_heard *heard) {
	const uint8_t value = part->bytes[0];
	bool is_changed;

	if (part->n_bytes != 1 && part->n_bytes != IDENTITY_LEN) {
		return false;
	}
	if (!heard->has_toggle) {
		heard->has_toggle = true;
		heard->toggle = value;
		return true;
	}
	if (part->n_bytes == IDENTITY_LEN) {
		return false;
	}
	is_changed = value <= 1 && value != heard->toggle;
	heard->toggle = value;
	return is_changed;
}

static bool take_gsn(const struct advert_part *part, struct august_heard *heard) {
	struct rd rd = rd_on(part->bytes, part->n_bytes);

	rd_skip(&rd, GSN_AT);
	const uint16_t gsn = rd_u16le(&rd);
	if (part->n_bytes < APPLE_STATE_LEN || (heard->has_gsn && heard->gsn == gsn)) {
		return false;
	}
	heard->has_gsn = true;
	heard->gsn = gsn;
	return true;
}

/* Nobody can read it, but it is sent on a change only. BlueZ tells the same one several times. */
static bool take_notice(const struct advert_part *part, struct august_heard *heard) {
	uint32_t mixed = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < part->n_bytes; i++) {
		mixed = (mixed ^ part->bytes[i]) * 16777619U;
	}
	if (heard->has_notice && heard->notice == mixed) {
		return false;
	}
	heard->has_notice = true;
	heard->notice = mixed;
	return true;
}

bool august_advert_take(const struct advert *advert, struct august_heard *heard) {
	const struct advert_part *own = own_part(advert);
	const struct advert_part *apple = advert_manufacturer(advert, COMPANY_APPLE);
	bool is_changed = own != NULL && take_toggle(own, heard);

	if (apple != NULL && apple->n_bytes > 0 && apple->bytes[0] == APPLE_STATE) {
		is_changed = take_gsn(apple, heard) || is_changed;
	} else if (apple != NULL && apple->n_bytes > 0 && apple->bytes[0] == APPLE_NOTICE) {
		is_changed = take_notice(apple, heard) || is_changed;
	}
	return is_changed;
}

#define NAME_HEAD 2
#define NAME_TAIL 5

void august_local_name(const char *serial, char out[static AUGUST_LOCAL_NAME_LEN + 1]) {
	const size_t n = strlen(serial);

	out[0] = '\0';
	if (n >= AUGUST_LOCAL_NAME_LEN) {
		snprintf(out, AUGUST_LOCAL_NAME_LEN + 1, "%.*s%s", NAME_HEAD, serial,
			serial + n - NAME_TAIL);
	}
}
