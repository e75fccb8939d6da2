/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Faults: what a person must act on (R7, R8). One row has five faces: the D-Bus error, the journal
 * message with its catalog text (generated, see src/util/catalog.c), the hint of lockhubctl, the
 * Home Assistant attribute and the troubleshooting page. tests/unit/util/test-fault.c demands every
 * field of every row. Message ids never change once released.
 */

#include "util/text.h"

enum fault_code {
	FAULT_NONE,

	/* radio and link */
	FAULT_LOCK_NOT_HEARD,
	FAULT_LOCK_UNREACHABLE,
	FAULT_LINK_LOST,
	FAULT_LOCK_SILENT,
	FAULT_RADIO_BUSY,
	FAULT_GATT_MISMATCH,
	FAULT_LINK_STUCK,
	FAULT_ADAPTER_MISSING,
	FAULT_ADAPTER_OFF,
	FAULT_ADAPTER_BLOCKED,
	FAULT_BLUEZ_MISSING,
	FAULT_BLUEZ_HUNG,
	FAULT_BLUEZ_DENIED,
	FAULT_ADAPTER_FAILING,
	FAULT_RESTART_DENIED,
	FAULT_BUS_LOST,
	FAULT_LOCK_TAKEN,
	FAULT_LOCK_DEAD,
	FAULT_OUT_OF_RANGE,
	FAULT_SIGNAL_WEAK,
	FAULT_LINKS_FAILING,
	FAULT_LINKS_SLOW,
	FAULT_LINKS_DROPPING,
	FAULT_RADIO_INTERFERENCE,
	FAULT_WIFI_INTERFERENCE,
	FAULT_USB_INTERFERENCE,
	FAULT_ADAPTER_AUTOSUSPEND,
	FAULT_ADAPTER_DEAF,
	FAULT_ADAPTER_UNSTABLE,
	FAULT_BLUEZ_UNSTABLE,

	/* requests and operations */
	FAULT_EXPIRED,
	FAULT_CANCELLED,
	FAULT_DUPLICATE,
	FAULT_RETAINED_COMMAND,
	FAULT_BAD_COMMAND,
	FAULT_NOT_SUPPORTED,
	FAULT_OUTCOME_UNKNOWN,
	FAULT_INTERRUPTED,
	FAULT_DENIED,
	FAULT_BAD_ARGUMENT,
	FAULT_NO_SUCH_LOCK,
	FAULT_NO_SUCH_OPERATION,
	FAULT_NAME_TAKEN,
	FAULT_ALREADY_PAIRED,
	FAULT_HUB_FULL,
	FAULT_QUEUE_FULL,
	FAULT_NOT_DISCOVERED,

	/* pairing */
	FAULT_NOT_PAIRING,
	FAULT_PAIRING_FAILED,
	FAULT_TOO_MANY_USERS,
	FAULT_PIN_REQUIRED,
	FAULT_KEY_REQUIRED,

	/* answers of the lock */
	FAULT_NOT_AUTHORIZED,
	FAULT_BAD_PIN,
	FAULT_PIN_BLOCKED,
	FAULT_PROTOCOL_ERROR,
	FAULT_BAD_PARAMETER,
	FAULT_NO_SUCH_ENTRY,
	FAULT_KEY_DISABLED,
	FAULT_REMOTE_NOT_ALLOWED,
	FAULT_TIME_NOT_ALLOWED,
	FAULT_LIST_FULL,
	FAULT_CODE_EXISTS,
	FAULT_CODE_INVALID,
	FAULT_KEYPAD_LOCKED,
	FAULT_AUTO_UNLOCK_TOO_RECENT,
	FAULT_POSITION_UNKNOWN,
	FAULT_JAMMED,
	FAULT_HANDLE_NOT_LIFTED,
	FAULT_DOOR_SENSOR_FAULTY,
	FAULT_CLUTCH_FAILURE,
	FAULT_MOTOR_TIMEOUT,
	FAULT_LOCK_BUSY,
	FAULT_CANCELLED_AT_LOCK,
	FAULT_NOT_CALIBRATED,
	FAULT_MOTOR_LIMIT,
	FAULT_MOTOR_LOW_VOLTAGE,
	FAULT_MOTOR_POWER,
	FAULT_CLUTCH_POWER,
	FAULT_VOLTAGE_TOO_LOW,
	FAULT_FIRMWARE_UPDATE_NEEDED,
	FAULT_ACTION_REJECTED,
	FAULT_WRONG_LOCK,
	FAULT_NOT_PRESENTED,
	FAULT_LOCK_ERROR,

	/* users, codes and rights */
	FAULT_NO_SUCH_USER,
	FAULT_NO_SUCH_CODE,
	FAULT_NO_SUCH_SCHEDULE,
	FAULT_WEAK_CODE,
	FAULT_CODE_TAKEN,
	FAULT_FACTOR_REQUIRED,
	FAULT_FACTOR_WRONG,
	FAULT_LOCKED_OUT,
	FAULT_USER_DISABLED,
	FAULT_USER_RESTRICTED,
	FAULT_NO_ACCESS,
	FAULT_MODE_FORBIDS,
	FAULT_REVOCATION_PENDING,
	FAULT_SYNC_BROKEN,
	FAULT_SYNC_PENDING,
	FAULT_CODES_HELD,
	FAULT_CODES_SHORT,
	FAULT_CODES_OLD,
	FAULT_CODE_GUESSING,
	FAULT_FACTOR_MISSING,
	FAULT_PIN_DEFAULT,
	FAULT_PIN_OLD,
	FAULT_TAMPERED,
	FAULT_PAIRING_OPEN,
	FAULT_PROTOCOL_WEAK,
	FAULT_PIN_WEAK,
	FAULT_CODES_WEAK,

	/* conditions */
	FAULT_BATTERY_LOW,
	FAULT_BATTERY_CRITICAL,
	FAULT_CLOCK_WRONG,
	FAULT_LOG_GAP,
	FAULT_CELLS_WEAK,
	FAULT_BATTERY_SOON,
	FAULT_BATTERY_DRAIN,
	FAULT_LINKS_MANY,
	FAULT_USED_OFTEN,
	FAULT_KEYPAD_BATTERY_LOW,
	FAULT_DOOR_SENSOR_BATTERY_LOW,
	FAULT_LOCKOUT_RISK,
	FAULT_MISALIGNED,
	FAULT_BOLT_STIFF,
	FAULT_MOTOR_SLOW,
	FAULT_CLOCK_LOST,
	FAULT_ZONE_WRONG,
	FAULT_LOG_DISABLED,
	FAULT_LOCK_RESET,
	FAULT_FIRMWARE_FAULTY,
	FAULT_FIRMWARE_OUTDATED,
	FAULT_WORSE_SINCE_UPDATE,

	/* store */
	FAULT_DATABASE_NEWER,
	FAULT_DATABASE_CORRUPT,
	FAULT_DATABASE_IN_USE,
	FAULT_DATABASE_FULL,
	FAULT_DATABASE_IO,
	FAULT_DATABASE_OPEN,
	FAULT_KEY_MISSING,
	FAULT_LOG_BROKEN,
	FAULT_BACKUP_DAMAGED,
	FAULT_BACKUP_NEWER,
	FAULT_PASSPHRASE_WRONG,
	FAULT_PASSPHRASE_WEAK,
	FAULT_DATABASE_RESTORED,
	FAULT_DISK_LOW,
	FAULT_BACKUP_FAILED,
	FAULT_BACKUP_OLD,

	/* mqtt */
	FAULT_BROKER_UNREACHABLE,
	FAULT_BROKER_REFUSED,
	FAULT_BROKER_TLS,
	FAULT_BROKER_DENIED,
	FAULT_DISCOVERY_CLEARED,
	FAULT_BROKER_NAME,
	FAULT_BROKER_EXPIRED,
	FAULT_BROKER_WRONG_NAME,
	FAULT_BROKER_UNPROTECTED,
	FAULT_WIFI_UNPROTECTED,

	/* set-up */
	FAULT_CONFIG_INVALID,
	FAULT_SECRET_EXPOSED,
	FAULT_HUB_CLOCK,
	FAULT_UNCLEAN_STOP,
	FAULT_HUB_RESTARTING,
	FAULT_UNDERVOLTAGE,
	FAULT_NO_MEMORY,
	FAULT_INTERNAL,

	FAULT_COUNT_,
};

#define FAULT_DETAIL_MAX 160

/* A fault that happened. A value: copy it freely; it owns nothing and never holds a secret. */
struct fault {
	enum fault_code code;
	int cause;                     /* -errno or 0 */
	char detail[FAULT_DETAIL_MAX]; /* the evidence, e.g. "no answer in 5000 ms"; may be "" */
};

struct fault_row {
	const char *name;       /* "lock-not-heard" */
	const char *dbus;       /* "org.lockhub1.Error.LockNotHeard" */
	int priority;           /* as in syslog */
	const char *message_id; /* 32 hex digits */
	const char *summary;    /* one sentence without a full stop */
	const char *hint;       /* what to do next; the word LOCK stands for the lock's slug */
};

/* Never NULL; FAULT_NONE has the name "none". */
const struct fault_row *fault_row(enum fault_code code);
const char *fault_name(enum fault_code code);
/* -EINVAL leaves *ret alone. */
int fault_from_name(const char *name, enum fault_code *ret);
/* By D-Bus error name, for lockhubctl. -EINVAL leaves *ret alone. */
int fault_from_dbus(const char *dbus, enum fault_code *ret);

/*
 * Fills *ret (which may be NULL) and returns a negative errno that goes with the code, so that a
 * failing function can `return fault_set(ret_fault, ...)`. The cause stays 0.
 */
int fault_set(struct fault *ret, enum fault_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with a cause (negative errno), whose text is appended to the detail. */
int fault_set_errno(struct fault *ret, enum fault_code code, int cause, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The errno that goes with a code: -EACCES for DENIED, -ETIMEDOUT for EXPIRED and so on. */
int fault_errno(enum fault_code code);

#define FAULT_TEXT_MAX 512
/* "The lock is not heard (no advertisement for 900 s)"; returns out. */
char *fault_text(const struct fault *fault, char out[static FAULT_TEXT_MAX]);
/* The hint with LOCK replaced by @lock (kept when NULL); returns out. */
char *fault_hint(enum fault_code code, const char *lock, char out[static FAULT_TEXT_MAX]);
