/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is said to a SwitchBot lock and what it tells: commands as they are before they are
 * encrypted (without the leading 57), answers after that, and the state in advertisements. Pure.
 *
 * Source: docs/protocols/switchbot-lock.md 3.2, 7 and 8; vectors in
 * tests/vectors/switchbot-lock.json.
 */

#include <stdint.h>
#include <sys/types.h>

#include "core/evidence.h"
#include "models.h"
#include "util/radio.h"

#define SWITCHBOT_COMMAND_MAX 16

/* What the bolt is at, as it is on the air. */
enum switchbot_status {
	SWITCHBOT_LOCKED = 0,
	SWITCHBOT_UNLOCKED = 1,
	SWITCHBOT_LOCKING = 2,
	SWITCHBOT_UNLOCKING = 3,
	SWITCHBOT_LOCKING_STOPPED = 4,
	SWITCHBOT_UNLOCKING_STOPPED = 5,
	SWITCHBOT_LATCH_ONLY = 6, /* European: neither bolted nor open */
	SWITCHBOT_HALF_LOCKED = 7,
};

struct switchbot_state {
	bool is_calibrated; /* if not, the status means nothing */
	uint8_t status;     /* enum switchbot_status, or what this firmware has more */
	bool is_door_open;  /* where the model has a door sensor */
	bool is_left_open, is_left_unlocked; /* the lock's own warnings */
	bool is_secondary;                   /* of two locks on one door: the other one's news */
	bool is_weak; /* an alarm about the power of it or of a part of its cells */
	bool has_night_latch;
	int percent; /* of the battery; -1: not told */
};

/* Result in the first octet of each answer. */
enum switchbot_result {
	SWITCHBOT_FAILED = 0x00,
	SWITCHBOT_DONE = 0x01,
	SWITCHBOT_CANNOT = 0x02,
	SWITCHBOT_BUSY = 0x03,
	SWITCHBOT_VERSION = 0x04,
	SWITCHBOT_UNSUPPORTED = 0x05,
	SWITCHBOT_DONE_WEAK = 0x06,
	SWITCHBOT_WANTS_KEY = 0x07,
	SWITCHBOT_NO_KEY = 0x08,
	SWITCHBOT_WRONG_KEY = 0x09,
	SWITCHBOT_CIPHER = 0x0a,
	SWITCHBOT_NEWS = 0x0f, /* unasked: never the answer to what was asked */
};
static inline bool switchbot_is_done(uint8_t result) {
	return result == SWITCHBOT_DONE || result == SWITCHBOT_DONE_WEAK;
}

enum switchbot_command {
	SWITCHBOT_READ_BASIC,
	SWITCHBOT_READ_STATE,
	SWITCHBOT_NOTIFY,
	SWITCHBOT_DO_LOCK,
	SWITCHBOT_DO_UNLOCK,  /* the bolt alone, never the latch */
	SWITCHBOT_DO_UNLATCH, /* with the latch, where the lock is set up for it */
};
/* Octets written to @out. */
size_t switchbot_command(enum switchbot_model model, enum switchbot_command command,
	uint8_t out[static SWITCHBOT_COMMAND_MAX]);

/*
 * State in an answer to "lock info" or in news, behind the result. @n octets, of which more than
 * are known may follow. -EBADMSG: too short.
 */
int switchbot_info_parse(
	enum switchbot_model model, const uint8_t *buf, size_t n, struct switchbot_state *ret);
/*
 * Battery, and firmware as a number ten times the version (0: not told). -EBADMSG: too short, or
 * values that cannot be, as they come when the key is wrong.
 */
int switchbot_basic_parse(const uint8_t *buf, size_t n, int *ret_percent, int *ret_firmware);

/* What an advertisement says. */
struct switchbot_advert {
	enum switchbot_model model; /* UNKNOWN: service data were not heard */
	bool has_state;
	uint8_t sequence; /* changes with the content; 0: without state */
	struct switchbot_state state;
};
/*
 * @known: the model of the device, if it was learnt before: manufacturer data do not tell it.
 * false: not a lock of SwitchBot, or nobody knows which; *ret untouched.
 */
bool switchbot_advert_parse(
	const struct advert *advert, enum switchbot_model known, struct switchbot_advert *ret);

/* To our terms: adds facts to *evidence. */
void switchbot_state_evidence(
	enum switchbot_model model, const struct switchbot_state *state, struct evidence *evidence);
/* Percent and level alone; is_weak: the lock itself says that they are low. */
void switchbot_battery_evidence(int percent, bool is_weak, struct evidence *evidence);
/* The bolt neither moves nor has stopped in the middle. */
bool switchbot_is_resting(uint8_t status);
bool switchbot_is_stopped(uint8_t status);
