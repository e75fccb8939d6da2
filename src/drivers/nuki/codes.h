/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The numbers of the Nuki protocol and what they mean to us: commands, lock states, triggers,
 * errors and completion codes. Pure tables; nothing is owned, nothing fails.
 *
 * Source: docs/protocols/nuki.md, which names the vendor document and public implementations.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/terms.h"
#include "util/fault.h"

/* Gen1-4 and the 5th generation differ in pairing and in the width of the PIN. */
enum nuki_generation { NUKI_GENERATION_UNKNOWN, NUKI_GENERATION_1_TO_4, NUKI_GENERATION_5 };

enum nuki_command {
	NUKI_REQUEST_DATA = 0x0001,
	NUKI_PUBLIC_KEY = 0x0003,
	NUKI_CHALLENGE = 0x0004,
	NUKI_AUTH_AUTHENTICATOR = 0x0005,
	NUKI_AUTH_DATA = 0x0006,
	NUKI_AUTH_ID = 0x0007,
	NUKI_REMOVE_AUTH = 0x0008,
	NUKI_REQUEST_AUTHS = 0x0009,
	NUKI_AUTH_ENTRY = 0x000a,
	NUKI_INVITE = 0x000b,
	NUKI_STATES = 0x000c,
	NUKI_LOCK_ACTION = 0x000d,
	NUKI_STATUS = 0x000e,
	NUKI_OPENINGS = 0x0010,
	NUKI_BATTERY_REPORT = 0x0011,
	NUKI_ERROR_REPORT = 0x0012,
	NUKI_SET_CONFIG = 0x0013,
	NUKI_REQUEST_CONFIG = 0x0014,
	NUKI_CONFIG = 0x0015,
	NUKI_SET_PIN = 0x0019,
	NUKI_REQUEST_CALIBRATION = 0x001a,
	NUKI_REQUEST_REBOOT = 0x001d,
	NUKI_AUTH_ID_CONFIRMATION = 0x001e,
	NUKI_INVITE_ID = 0x001f,
	NUKI_VERIFY_PIN = 0x0020,
	NUKI_UPDATE_TIME = 0x0021,
	NUKI_UPDATE_AUTH = 0x0025,
	NUKI_AUTH_COUNT = 0x0027,
	NUKI_REQUEST_LOG = 0x0031,
	NUKI_LOG_ENTRY = 0x0032,
	NUKI_LOG_COUNT = 0x0033,
	NUKI_ENABLE_LOGGING = 0x0034,
	NUKI_SET_ADVANCED_CONFIG = 0x0035,
	NUKI_REQUEST_ADVANCED_CONFIG = 0x0036,
	NUKI_ADVANCED_CONFIG = 0x0037,
	NUKI_ADD_TIME_CONTROL = 0x0039,
	NUKI_TIME_CONTROL_ID = 0x003a,
	NUKI_REMOVE_TIME_CONTROL = 0x003b,
	NUKI_REQUEST_TIME_CONTROLS = 0x003c,
	NUKI_TIME_CONTROL_COUNT = 0x003d,
	NUKI_TIME_CONTROL_ENTRY = 0x003e,
	NUKI_UPDATE_TIME_CONTROL = 0x003f,
	NUKI_ADD_CODE = 0x0041,
	NUKI_CODE_ID = 0x0042,
	NUKI_REQUEST_CODES = 0x0043,
	NUKI_CODE_COUNT = 0x0044,
	NUKI_CODE = 0x0045,
	NUKI_UPDATE_CODE = 0x0046,
	NUKI_REMOVE_CODE = 0x0047,
	NUKI_KEYPAD_ACTION = 0x0048,
	NUKI_AUTH_INFO = 0x004c,
	NUKI_REQUEST_DOOR_SENSOR_CONFIG = 0x0058,
	NUKI_DOOR_SENSOR_CONFIG = 0x0059,
	NUKI_SIMPLE_LOCK_ACTION = 0x0100,
};

enum nuki_status { NUKI_STATUS_COMPLETE = 0x00, NUKI_STATUS_ACCEPTED = 0x01 };

enum nuki_id_type { NUKI_ID_APP = 0, NUKI_ID_BRIDGE = 1, NUKI_ID_FOB = 2, NUKI_ID_KEYPAD = 3 };

enum nuki_mode { /* "nuki state" */
	NUKI_MODE_UNINITIALISED = 0x00,
	NUKI_MODE_PAIRING = 0x01,
	NUKI_MODE_DOOR = 0x02,
	NUKI_MODE_CONTINUOUS = 0x03,
	NUKI_MODE_MAINTENANCE = 0x04,
};

enum nuki_lock_state {
	NUKI_LOCK_UNCALIBRATED = 0x00,
	NUKI_LOCK_LOCKED = 0x01,
	NUKI_LOCK_UNLOCKING = 0x02,
	NUKI_LOCK_UNLOCKED = 0x03,
	NUKI_LOCK_LOCKING = 0x04,
	NUKI_LOCK_UNLATCHED = 0x05,
	NUKI_LOCK_UNLOCKED_LOCK_N_GO = 0x06,
	NUKI_LOCK_UNLATCHING = 0x07,
	NUKI_LOCK_CALIBRATION = 0xfc,
	NUKI_LOCK_BOOT_RUN = 0xfd,
	NUKI_LOCK_MOTOR_BLOCKED = 0xfe,
	NUKI_LOCK_UNDEFINED = 0xff,
};

enum nuki_action {
	NUKI_ACTION_NONE = 0x00,
	NUKI_ACTION_UNLOCK = 0x01,
	NUKI_ACTION_LOCK = 0x02,
	NUKI_ACTION_UNLATCH = 0x03,
	NUKI_ACTION_LOCK_N_GO = 0x04,
	NUKI_ACTION_LOCK_N_GO_UNLATCH = 0x05,
	NUKI_ACTION_FULL_LOCK = 0x06,
	NUKI_ACTION_FOB_PRESS = 0x50,    /* pressed, nothing configured */
	NUKI_ACTION_BUTTON_PRESS = 0x5a, /* the same for the lock's button */
	NUKI_ACTION_FOB_1 = 0x81,
	NUKI_ACTION_FOB_2 = 0x82,
	NUKI_ACTION_FOB_3 = 0x83,
};

enum nuki_trigger {
	NUKI_TRIGGER_SYSTEM = 0x00, /* a Bluetooth command */
	NUKI_TRIGGER_MANUAL = 0x01,
	NUKI_TRIGGER_BUTTON = 0x02,
	NUKI_TRIGGER_AUTOMATIC = 0x03, /* time control */
	NUKI_TRIGGER_AUTO_LOCK = 0x06,
	NUKI_TRIGGER_HOMEKIT = 0xab,
	NUKI_TRIGGER_MQTT = 0xac,
};

enum nuki_log_type {
	NUKI_LOG_LOGGING = 0x01,
	NUKI_LOG_LOCK_ACTION = 0x02,
	NUKI_LOG_CALIBRATION = 0x03,
	NUKI_LOG_INIT_RUN = 0x04,
	NUKI_LOG_KEYPAD_ACTION = 0x05,
	NUKI_LOG_DOOR_SENSOR = 0x06,
	NUKI_LOG_DOOR_SENSOR_LOGGING = 0x07,
	NUKI_LOG_FIRMWARE_UPDATE = 0x0a,
};

enum nuki_error {
	NUKI_ERROR_NOT_PAIRING = 0x10,
	NUKI_ERROR_NOT_AUTHORIZED = 0x20,
	NUKI_ERROR_BAD_PIN = 0x21,
	NUKI_ERROR_BAD_NONCE = 0x22,
	NUKI_ERROR_TOO_MANY_PIN_ATTEMPTS = 0x28,
	NUKI_ERROR_MOTOR_BLOCKED = 0x42,
	NUKI_ERROR_BUSY = 0x45,
	NUKI_ERROR_BAD_CRC = 0xfd,
	NUKI_ERROR_BAD_LENGTH = 0xfe,
	NUKI_ERROR_UNKNOWN = 0xff,
};

/* What a session may do by itself after an error, if it came before the lock accepted anything. */
enum nuki_retry {
	NUKI_RETRY_NONE,
	NUKI_RETRY_FRESH,    /* at once with a fresh challenge, one time */
	NUKI_RETRY_BACK_OFF, /* after a pause, three times */
};

struct nuki_error_row {
	uint8_t code;
	const char *name; /* the vendor's, lower case */
	enum fault_code fault;
	enum nuki_retry retry;
	/* The lock certainly did nothing: safe to try again (L2). */
	bool is_refusal;
};

/* Never NULL: an unknown code has a row of its own with fault LOCK_ERROR and no retry. */
const struct nuki_error_row *nuki_error_row(uint8_t code);

/* How an action ended, in Keyturner States and in log entries. */
struct nuki_completion_row {
	uint8_t code;
	const char *name;
	enum fault_code fault; /* FAULT_NONE: success */
	enum operation_error error;
};

/* Never NULL. */
const struct nuki_completion_row *nuki_completion_row(uint8_t code);

/* All rows, for tests. */
const struct nuki_error_row *nuki_error_rows(size_t *ret_n);
const struct nuki_completion_row *nuki_completion_rows(size_t *ret_n);

/* "locked", "motor blocked" ...; never NULL. */
const char *nuki_lock_state_name(uint8_t state);
/* A position in which the bolt rests: the motor has stopped, whether well or not. */
bool nuki_lock_state_is_final(uint8_t state);
const char *nuki_action_name(uint8_t action);
