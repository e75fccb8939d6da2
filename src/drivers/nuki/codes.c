/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "codes.h"

#include "util/auto.h"
#include "util/text.h"

/* clang-format off */
static const struct nuki_error_row error_rows[] = {
	/* code, name, fault, retry, refusal */
	{ 0x10, "not pairing",          FAULT_NOT_PAIRING,            NUKI_RETRY_NONE,     true  },
	{ 0x11, "bad authenticator",    FAULT_PAIRING_FAILED,         NUKI_RETRY_NONE,     true  },
	{ 0x12, "bad parameter",        FAULT_PAIRING_FAILED,         NUKI_RETRY_NONE,     true  },
	{ 0x13, "max user",             FAULT_TOO_MANY_USERS,         NUKI_RETRY_NONE,     true  },
	{ 0x20, "not authorized",       FAULT_NOT_AUTHORIZED,         NUKI_RETRY_NONE,     true  },
	{ 0x21, "bad pin",              FAULT_BAD_PIN,                NUKI_RETRY_NONE,     true  },
	{ 0x22, "bad nonce",            FAULT_PROTOCOL_ERROR,         NUKI_RETRY_FRESH,    true  },
	{ 0x23, "bad parameter",        FAULT_BAD_PARAMETER,          NUKI_RETRY_NONE,     true  },
	{ 0x24, "invalid auth id",      FAULT_NO_SUCH_ENTRY,          NUKI_RETRY_NONE,     true  },
	{ 0x25, "disabled",             FAULT_KEY_DISABLED,           NUKI_RETRY_NONE,     true  },
	{ 0x26, "remote not allowed",   FAULT_REMOTE_NOT_ALLOWED,     NUKI_RETRY_NONE,     true  },
	{ 0x27, "time not allowed",     FAULT_TIME_NOT_ALLOWED,       NUKI_RETRY_NONE,     true  },
	{ 0x28, "too many pin attempts", FAULT_PIN_BLOCKED,           NUKI_RETRY_NONE,     true  },
	{ 0x29, "too many entries",     FAULT_LIST_FULL,              NUKI_RETRY_NONE,     true  },
	{ 0x2a, "code already exists",  FAULT_CODE_EXISTS,            NUKI_RETRY_NONE,     true  },
	{ 0x2b, "code invalid",         FAULT_CODE_INVALID,           NUKI_RETRY_NONE,     true  },
	{ 0x2c, "code invalid, wait 1", FAULT_KEYPAD_LOCKED,          NUKI_RETRY_NONE,     true  },
	{ 0x2d, "code invalid, wait 2", FAULT_KEYPAD_LOCKED,          NUKI_RETRY_NONE,     true  },
	{ 0x2e, "code invalid, wait 3", FAULT_KEYPAD_LOCKED,          NUKI_RETRY_NONE,     true  },
	{ 0x40, "auto unlock too recent", FAULT_AUTO_UNLOCK_TOO_RECENT, NUKI_RETRY_NONE,   true  },
	{ 0x41, "position unknown",     FAULT_POSITION_UNKNOWN,       NUKI_RETRY_NONE,     true  },
	{ 0x42, "motor blocked",        FAULT_JAMMED,                 NUKI_RETRY_NONE,     false },
	{ 0x43, "clutch failure",       FAULT_CLUTCH_FAILURE,         NUKI_RETRY_NONE,     false },
	{ 0x44, "motor timeout",        FAULT_MOTOR_TIMEOUT,          NUKI_RETRY_NONE,     false },
	{ 0x45, "busy",                 FAULT_LOCK_BUSY,              NUKI_RETRY_BACK_OFF, true  },
	{ 0x46, "cancelled",            FAULT_CANCELLED_AT_LOCK,      NUKI_RETRY_NONE,     false },
	{ 0x47, "not calibrated",       FAULT_NOT_CALIBRATED,         NUKI_RETRY_NONE,     true  },
	{ 0x48, "motor position limit", FAULT_MOTOR_LIMIT,            NUKI_RETRY_NONE,     false },
	{ 0x49, "motor low voltage",    FAULT_MOTOR_LOW_VOLTAGE,      NUKI_RETRY_NONE,     false },
	{ 0x4a, "motor power failure",  FAULT_MOTOR_POWER,            NUKI_RETRY_NONE,     false },
	{ 0x4b, "clutch power failure", FAULT_CLUTCH_POWER,           NUKI_RETRY_NONE,     false },
	{ 0x4c, "voltage too low",      FAULT_VOLTAGE_TOO_LOW,        NUKI_RETRY_NONE,     true  },
	{ 0x4d, "firmware update needed", FAULT_FIRMWARE_UPDATE_NEEDED, NUKI_RETRY_NONE,   true  },
	{ 0x4e, "rejected",             FAULT_ACTION_REJECTED,        NUKI_RETRY_NONE,     true  },
	{ 0x4f, "rejected, night mode", FAULT_ACTION_REJECTED,        NUKI_RETRY_NONE,     true  },
	{ 0xe0, "not in maintenance mode", FAULT_LOCK_ERROR,          NUKI_RETRY_NONE,     true  },
	{ 0xe1, "already configured",   FAULT_LOCK_ERROR,             NUKI_RETRY_NONE,     true  },
	{ 0xe2, "time-out",             FAULT_LOCK_ERROR,             NUKI_RETRY_NONE,     false },
	{ 0xe3, "no nuki id",           FAULT_LOCK_ERROR,             NUKI_RETRY_NONE,     true  },
	/* A long write may arrive mangled; the lock then executed nothing. */
	{ 0xfd, "bad crc",              FAULT_PROTOCOL_ERROR,         NUKI_RETRY_FRESH,    true  },
	{ 0xfe, "bad length",           FAULT_PROTOCOL_ERROR,         NUKI_RETRY_NONE,     true  },
	{ 0xff, "unknown",              FAULT_LOCK_ERROR,             NUKI_RETRY_NONE,     false },
};

static const struct nuki_completion_row completion_rows[] = {
	/* code, name, fault, operation error */
	{ 0x00, "success",            FAULT_NONE,              OPERATION_ERROR_NONE },
	{ 0x01, "motor blocked",      FAULT_JAMMED,            OPERATION_ERROR_UNSPECIFIED },
	{ 0x02, "cancelled",          FAULT_CANCELLED_AT_LOCK, OPERATION_ERROR_UNSPECIFIED },
	{ 0x03, "too recent",         FAULT_AUTO_UNLOCK_TOO_RECENT, OPERATION_ERROR_RESTRICTED },
	{ 0x04, "busy",               FAULT_LOCK_BUSY,         OPERATION_ERROR_UNSPECIFIED },
	{ 0x05, "low motor voltage",  FAULT_MOTOR_LOW_VOLTAGE, OPERATION_ERROR_INSUFFICIENT_BATTERY },
	{ 0x06, "clutch failure",     FAULT_CLUTCH_FAILURE,    OPERATION_ERROR_UNSPECIFIED },
	{ 0x07, "motor power failure", FAULT_MOTOR_POWER,      OPERATION_ERROR_UNSPECIFIED },
	{ 0x08, "incomplete",         FAULT_MOTOR_TIMEOUT,     OPERATION_ERROR_UNSPECIFIED },
	{ 0x09, "not authorised",     FAULT_NOT_AUTHORIZED,    OPERATION_ERROR_RESTRICTED },
	{ 0x0b, "failure",            FAULT_LOCK_ERROR,        OPERATION_ERROR_UNSPECIFIED },
	{ 0x25, "disabled",           FAULT_KEY_DISABLED,      OPERATION_ERROR_DISABLED_USER },
	{ 0x27, "time not allowed",   FAULT_TIME_NOT_ALLOWED,  OPERATION_ERROR_RESTRICTED },
	{ 0xe0, "invalid code",       FAULT_CODE_INVALID,      OPERATION_ERROR_INVALID_CREDENTIAL },
	{ 0xe1, "invalid fingerprint", FAULT_CODE_INVALID,     OPERATION_ERROR_INVALID_CREDENTIAL },
	{ 0xfe, "other error",        FAULT_LOCK_ERROR,        OPERATION_ERROR_UNSPECIFIED },
	{ 0xff, "unknown",            FAULT_LOCK_ERROR,        OPERATION_ERROR_UNSPECIFIED },
};

static const struct name_row lock_state_names[] = {
	{ NUKI_LOCK_UNCALIBRATED,       "uncalibrated" },
	{ NUKI_LOCK_LOCKED,             "locked" },
	{ NUKI_LOCK_UNLOCKING,          "unlocking" },
	{ NUKI_LOCK_UNLOCKED,           "unlocked" },
	{ NUKI_LOCK_LOCKING,            "locking" },
	{ NUKI_LOCK_UNLATCHED,          "unlatched" },
	{ NUKI_LOCK_UNLOCKED_LOCK_N_GO, "unlocked, lock 'n' go" },
	{ NUKI_LOCK_UNLATCHING,         "unlatching" },
	{ NUKI_LOCK_CALIBRATION,        "calibration" },
	{ NUKI_LOCK_BOOT_RUN,           "boot run" },
	{ NUKI_LOCK_MOTOR_BLOCKED,      "motor blocked" },
	{ NUKI_LOCK_UNDEFINED,          "undefined" },
};

static const struct name_row action_names[] = {
	{ NUKI_ACTION_NONE,              "no action" },
	{ NUKI_ACTION_UNLOCK,            "unlock" },
	{ NUKI_ACTION_LOCK,              "lock" },
	{ NUKI_ACTION_UNLATCH,           "unlatch" },
	{ NUKI_ACTION_LOCK_N_GO,         "lock 'n' go" },
	{ NUKI_ACTION_LOCK_N_GO_UNLATCH, "lock 'n' go with unlatch" },
	{ NUKI_ACTION_FULL_LOCK,         "full lock" },
	{ NUKI_ACTION_FOB_PRESS,         "fob pressed" },
	{ NUKI_ACTION_BUTTON_PRESS,      "button pressed" },
	{ NUKI_ACTION_FOB_1,             "fob action 1" },
	{ NUKI_ACTION_FOB_2,             "fob action 2" },
	{ NUKI_ACTION_FOB_3,             "fob action 3" },
};
/* clang-format on */

const struct nuki_error_row *nuki_error_row(uint8_t code) {
	static const struct nuki_error_row stray = { 0, "unlisted error", FAULT_LOCK_ERROR,
		NUKI_RETRY_NONE, false };

	for (size_t i = 0; i < ARRAY_SIZE(error_rows); i++) {
		if (error_rows[i].code == code) {
			return &error_rows[i];
		}
	}
	return &stray;
}

const struct nuki_completion_row *nuki_completion_row(uint8_t code) {
	static const struct nuki_completion_row stray = { 0xff, "unlisted", FAULT_LOCK_ERROR,
		OPERATION_ERROR_UNSPECIFIED };

	for (size_t i = 0; i < ARRAY_SIZE(completion_rows); i++) {
		if (completion_rows[i].code == code) {
			return &completion_rows[i];
		}
	}
	return &stray;
}

const struct nuki_error_row *nuki_error_rows(size_t *ret_n) {
	*ret_n = ARRAY_SIZE(error_rows);
	return error_rows;
}

const struct nuki_completion_row *nuki_completion_rows(size_t *ret_n) {
	*ret_n = ARRAY_SIZE(completion_rows);
	return completion_rows;
}

const char *nuki_lock_state_name(uint8_t state) {
	return name_of(lock_state_names, ARRAY_SIZE(lock_state_names), state);
}

bool nuki_lock_state_is_final(uint8_t state) {
	switch (state) {
	case NUKI_LOCK_UNLOCKING:
	case NUKI_LOCK_LOCKING:
	case NUKI_LOCK_UNLATCHING:
	case NUKI_LOCK_CALIBRATION:
	case NUKI_LOCK_BOOT_RUN:
		return false;
	}
	return true;
}

const char *nuki_action_name(uint8_t action) {
	return name_of(action_names, ARRAY_SIZE(action_names), action);
}
