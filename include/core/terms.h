/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The vocabulary (Matter Door Lock cluster). Numeric values are the contract: they are what SQLite
 * stores. RULE R3: "unknown" is 0xff here and not 0, because Matter gave 0 a meaning of its own.
 * Names (lower snake case) are what MQTT, D-Bus, --json and the log show.
 * Source: Matter Door Lock cluster, as in connectedhomeip and matter.js.
 */

#include <stdbool.h>
#include <stdint.h>

enum lock_state {
	LOCK_STATE_NOT_FULLY_LOCKED = 0,
	LOCK_STATE_LOCKED = 1,
	LOCK_STATE_UNLOCKED = 2,
	LOCK_STATE_UNLATCHED = 3,
	LOCK_STATE_UNKNOWN = 0xff,
};

/* What the motor is doing; a hub-level transition, not a Matter enum. */
enum lock_motion {
	LOCK_MOTION_NONE,
	LOCK_MOTION_LOCKING,
	LOCK_MOTION_UNLOCKING,
	LOCK_MOTION_UNLATCHING,
	LOCK_MOTION_CALIBRATING,
};

enum door_state {
	DOOR_STATE_OPEN = 0,
	DOOR_STATE_CLOSED = 1,
	DOOR_STATE_JAMMED = 2,
	DOOR_STATE_FORCED_OPEN = 3,
	DOOR_STATE_ERROR = 4,
	DOOR_STATE_AJAR = 5,
	DOOR_STATE_UNKNOWN = 0xff,
};

enum operation_type { /* LockOperationType */
	OPERATION_LOCK = 0,
	OPERATION_UNLOCK = 1,
	OPERATION_NON_ACCESS_USER_EVENT = 2,
	OPERATION_FORCED_USER_EVENT = 3,
	OPERATION_UNLATCH = 4,
	OPERATION_NONE = 0xff,
};

enum operation_source { /* OperationSource */
	SOURCE_UNSPECIFIED = 0,
	SOURCE_MANUAL = 1,
	SOURCE_PROPRIETARY_REMOTE = 2,
	SOURCE_KEYPAD = 3,
	SOURCE_AUTO = 4,
	SOURCE_BUTTON = 5,
	SOURCE_SCHEDULE = 6,
	SOURCE_REMOTE = 7,
	SOURCE_RFID = 8,
	SOURCE_BIOMETRIC = 9,
	SOURCE_ALIRO = 10,
};

enum operation_error { /* OperationError */
	OPERATION_ERROR_UNSPECIFIED = 0,
	OPERATION_ERROR_INVALID_CREDENTIAL = 1,
	OPERATION_ERROR_DISABLED_USER = 2,
	OPERATION_ERROR_RESTRICTED = 3,
	OPERATION_ERROR_INSUFFICIENT_BATTERY = 4,
	OPERATION_ERROR_NONE = 0xff,
};

enum alarm_code { /* AlarmCode */
	ALARM_LOCK_JAMMED = 0,
	ALARM_FACTORY_RESET = 1,
	ALARM_RADIO_POWER_CYCLED = 3,
	ALARM_WRONG_CODE_LIMIT = 4,
	ALARM_ESCUTCHEON_REMOVED = 5,
	ALARM_DOOR_FORCED_OPEN = 6,
	ALARM_DOOR_AJAR = 7,
	ALARM_FORCED_USER = 8,
	ALARM_NONE = 0xff,
};

enum battery_level { /* BatChargeLevel */
	BATTERY_OK = 0,
	BATTERY_WARNING = 1,
	BATTERY_CRITICAL = 2,
	BATTERY_UNKNOWN = 0xff,
};

/* What can be asked of a lock. Acts up to ACT_LOCK_N_GO_UNLATCH move the motor. */
enum act {
	ACT_NONE,
	ACT_LOCK,
	ACT_UNLOCK,
	ACT_UNLATCH,
	ACT_LOCK_N_GO,
	ACT_LOCK_N_GO_UNLATCH,
	ACT_CALIBRATE, /* moves the motor too */
	ACT_PAIR,
	ACT_UNPAIR, /* removes our authorisation at the lock, as far as the brand can */
	ACT_READ_STATE,
	ACT_READ_CONFIG,
	ACT_READ_BATTERY,
	ACT_READ_LOG,
	ACT_SET_TIME,
	ACT_VERIFY_PIN,
	ACT_REBOOT,
	ACT_READ_USERS,        /* the credentials that the lock holds: slots */
	ACT_PUT_CREDENTIAL,    /* add one, or change the one with job.slot.ref */
	ACT_REMOVE_CREDENTIAL, /* by job.slot.type and .ref */
	ACT_READ_TIMERS,       /* what the lock does by itself at a time of day */
	ACT_PUT_TIMER,         /* add one, or change the one with job.timer.ref */
	ACT_REMOVE_TIMER,      /* by job.timer.ref */
	ACT_READ_SETTINGS,     /* what of its configuration a person may choose */
	ACT_PUT_SETTING,       /* job.setting */
	ACT_COUNT_,
};

enum user_status { /* UserStatus */
	USER_STATUS_AVAILABLE = 0,
	USER_STATUS_OCCUPIED_ENABLED = 1,
	USER_STATUS_OCCUPIED_DISABLED = 3,
	USER_STATUS_LEAVING = 64, /* ours: removed here, but a lock may still hold a code */
};

enum user_type { /* UserType */
	USER_UNRESTRICTED = 0,
	USER_YEAR_DAY_SCHEDULE = 1,
	USER_WEEK_DAY_SCHEDULE = 2,
	USER_PROGRAMMING = 3,
	USER_NON_ACCESS = 4,
	USER_FORCED = 5,
	USER_DISPOSABLE = 6,
	USER_EXPIRING = 7,
	USER_SCHEDULE_RESTRICTED = 8,
	USER_REMOTE_ONLY = 9,
};

enum credential_type { /* CredentialType up to 8; ours from 64 */
	CREDENTIAL_PROGRAMMING_PIN = 0,
	CREDENTIAL_PIN = 1,
	CREDENTIAL_RFID = 2,
	CREDENTIAL_FINGERPRINT = 3,
	CREDENTIAL_FINGER_VEIN = 4,
	CREDENTIAL_FACE = 5,
	CREDENTIAL_APP_KEY = 64,        /* an app, fob, bridge or keypad authorised at the lock */
	CREDENTIAL_MECHANICAL_KEY = 65, /* a known thing: nothing of it is in the lock */
	CREDENTIAL_NONE = 0xff,
};

enum operating_mode { /* OperatingMode */
	MODE_NORMAL = 0,
	MODE_VACATION = 1,
	MODE_PRIVACY = 2,
	MODE_NO_REMOTE_LOCK_UNLOCK = 3,
	MODE_PASSAGE = 4,
};

enum data_operation { DATA_ADD = 0, DATA_CLEAR = 1, DATA_MODIFY = 2 }; /* DataOperation */

enum lock_data_type { /* LockDataType */
	LOCK_DATA_UNSPECIFIED = 0,
	LOCK_DATA_PROGRAMMING_CODE = 1,
	LOCK_DATA_USER_INDEX = 2,
	LOCK_DATA_WEEK_DAY_SCHEDULE = 3,
	LOCK_DATA_YEAR_DAY_SCHEDULE = 4,
	LOCK_DATA_HOLIDAY_SCHEDULE = 5,
	LOCK_DATA_PIN = 6,
	LOCK_DATA_RFID = 7,
	LOCK_DATA_FINGERPRINT = 8,
};

/* How an event's user is known. Ours; values are stored. */
enum attribution {
	ATTRIBUTION_NONE = 0,       /* nobody told: the user is unknown */
	ATTRIBUTION_LOCK_NAME = 1,  /* the lock's log gives a name that is not of the hub's users */
	ATTRIBUTION_CREDENTIAL = 2, /* the lock's log names a credential of this user */
	ATTRIBUTION_REQUEST = 3,    /* asked through the hub, by that bus or broker client */
	ATTRIBUTION_FACTOR = 4,     /* asked through the hub with that user's code or TOTP */
};

/* How a fact is known. */
enum evidence_how {
	EVIDENCE_NONE,
	EVIDENCE_STORED, /* from the database, of an earlier life of the daemon */
	EVIDENCE_ADVERTISED,
	EVIDENCE_LOGGED,
	EVIDENCE_ANSWERED,
	EVIDENCE_INFERRED,
};

enum role { ROLE_NONE, ROLE_VIEW, ROLE_OPERATE, ROLE_MANAGE };

/* Names; never NULL ("?" for a stray value). *_from_name: -EINVAL leaves *ret alone. */
const char *lock_state_name(enum lock_state state);
const char *lock_motion_name(enum lock_motion motion);
const char *door_state_name(enum door_state state);
const char *operation_type_name(enum operation_type type);
const char *operation_source_name(enum operation_source source);
const char *operation_error_name(enum operation_error error);
const char *alarm_code_name(enum alarm_code code);
const char *battery_level_name(enum battery_level level);
const char *act_name(enum act act); /* "lock", "unlock", "read-state" ... */
int act_from_name(const char *name, enum act *ret);
bool act_moves_motor(enum act act);
/* What a finished motor act counts as in the log; OPERATION_NONE for the others. */
enum operation_type act_operation(enum act act);
const char *evidence_how_name(enum evidence_how how);
const char *role_name(enum role role);
const char *user_status_name(enum user_status status); /* "enabled", "disabled", "leaving" */
int user_status_from_name(const char *name, enum user_status *ret);
const char *user_type_name(enum user_type type); /* "unrestricted", "year_day_schedule" ... */
int user_type_from_name(const char *name, enum user_type *ret);
const char *credential_type_name(enum credential_type type); /* "pin", "app_key" ... */
/* What a LockUserChange about one of that type is about. */
enum lock_data_type credential_data(enum credential_type type);
int credential_type_from_name(const char *name, enum credential_type *ret);
const char *operating_mode_name(enum operating_mode mode);
int operating_mode_from_name(const char *name, enum operating_mode *ret);
const char *data_operation_name(enum data_operation operation);
const char *lock_data_type_name(enum lock_data_type type);
const char *attribution_name(enum attribution attribution);
